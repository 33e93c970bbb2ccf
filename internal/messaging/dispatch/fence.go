package dispatch

import (
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/store"
)

// A provider that cannot be asked may still tell of every message that it takes.
// SendGrid posts an event of each ("processed", or "dropped"), and repeats it at
// growing distance for 24 hours until it is answered with 2xx. So a message without an
// answer, of which nothing is heard, was not taken, if the events around it are
// complete. The fence says when they are; ADR 13 says what it does not see.
const (
	// settleTime is how long a message may be on its way after its attempt: in the hands
	// of a process that stood still, or of a slow provider. It is far above hesitation and
	// sendTime.
	settleTime = 30 * time.Minute
	// repeatTime is how far apart two repeats of an event may be, or as long as it was
	// tried already, if that is more. SendGrid names no figures; its other webhook is
	// repeated every three hours.
	repeatTime = 3 * time.Hour
	// repeated is how long an event is repeated at least: half of what is documented,
	// because the distance between repeats may have grown to the other half.
	repeated = 12 * time.Hour
	// nearest is how many answered messages on either side must have been told of.
	nearest = 5
	// nearby is how far from the attempt every single one must have been, however fresh;
	// withinReach how far every one that had its time to settle. A provider that lost one
	// event in a day is not believed about that day.
	nearby      = 10 * time.Minute
	withinReach = 24 * time.Hour
)

// span is between which attempts none may be silent.
func span(attempted, now time.Time) (from, to time.Time) {
	from, to = attempted.Add(-withinReach), now.Add(-settleTime)
	if least := attempted.Add(nearby); to.Before(least) {
		to = least
	}
	if most := attempted.Add(withinReach); to.After(most) {
		to = most
	}
	return from, to
}

// fence is what the events around an attempt say of it. In w, Silent is about span and
// what was heard about the time since the attempt had settled.
func fence(w store.Witnesses, attempted time.Time) messaging.Finding {
	if w.Told {
		return messaging.Taken
	}
	if w.Silent || len(w.Before) < nearest || len(w.After) < nearest {
		return messaging.Unknown
	}
	for _, x := range w.Before[:nearest] {
		if x.Heard.IsZero() || x.Attempted.Before(attempted.Add(-withinReach)) {
			return messaging.Unknown
		}
	}
	for _, x := range w.After[:nearest] {
		if x.Heard.IsZero() {
			return messaging.Unknown
		}
	}
	// What stopped our sender may have stopped our callbacks too, for any time. So
	// events must have come in after the attempt had settled, while ours was repeated,
	// and again when it must have been repeated since.
	first := w.FirstHeard
	if first.Before(attempted.Add(settleTime)) || first.After(attempted.Add(repeated)) || w.LastHeard.Before(first.Add(max(repeatTime, first.Sub(attempted)))) {
		return messaging.Unknown
	}
	return messaging.NotTaken
}
