package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/store"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// other is a mail that the provider answered for.
type other struct{ attempted, heard time.Time }

// around is what the store says of the mails around an attempt: what
// store.TestWitnessesAreThoseAround tests of its statement.
func around(all []other, told bool, attempted, now time.Time) (w store.Witnesses) {
	w.Told = told
	from, to := span(attempted, now)
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b other) int { return a.attempted.Compare(b.attempted) })
	for _, o := range all {
		if o.attempted.After(now) {
			continue
		}
		if o.heard.After(now) {
			o.heard = time.Time{}
		}
		x := store.Witness{Attempted: o.attempted, Heard: o.heard}
		if o.attempted.After(attempted) {
			w.After = append(w.After, x)
		} else {
			w.Before = append([]store.Witness{x}, w.Before...)
		}
		if o.heard.IsZero() && !o.attempted.Before(from) && !o.attempted.After(to) {
			w.Silent = true
		}
		if o.heard.IsZero() || o.heard.Before(attempted.Add(settleTime)) {
			continue
		}
		if w.FirstHeard.IsZero() || o.heard.Before(w.FirstHeard) {
			w.FirstHeard = o.heard
		}
		if o.heard.After(w.LastHeard) {
			w.LastHeard = o.heard
		}
	}
	w.Before, w.After = w.Before[:min(nearest, len(w.Before))], w.After[:min(nearest, len(w.After))]
	return w
}

// A mail every ten minutes from five hours before to five hours after, each heard of
// within a minute. Each case changes one thing.
func TestTheFence(t *testing.T) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for name, c := range map[string]struct {
		now    time.Duration // since the attempt; zero: five hours
		told   bool
		change func(at time.Duration, o *other) (drop bool)
		more   []time.Duration // after the attempt
		want   messaging.Finding
	}{
		"everything was heard of":       {want: messaging.NotTaken},
		"it was told of":                {told: true, want: messaging.Taken},
		"told of, and settling":         {told: true, now: minutes(1), want: messaging.Taken},
		"settling":                      {now: minutes(29), want: messaging.Unknown},
		"settled, and not repeated yet": {now: minutes(180), want: messaging.Unknown},
		"repeated":                      {now: minutes(216), want: messaging.NotTaken},
		"one before is silent":          {change: func(at time.Duration, o *other) bool { return mute(o, at == -minutes(10)) }, want: messaging.Unknown},
		"one after is silent":           {change: func(at time.Duration, o *other) bool { return mute(o, at == minutes(10)) }, want: messaging.Unknown},
		"a far one before is silent":    {change: func(at time.Duration, o *other) bool { return mute(o, at == -minutes(290)) }, want: messaging.Unknown},
		"a far one after is silent":     {change: func(at time.Duration, o *other) bool { return mute(o, at == minutes(260)) }, want: messaging.Unknown},
		"a fresh one is silent":         {change: func(at time.Duration, o *other) bool { return mute(o, at == minutes(290)) }, want: messaging.NotTaken},
		"four before":                   {change: func(at time.Duration, _ *other) bool { return at < -minutes(40) }, want: messaging.Unknown},
		"five before":                   {change: func(at time.Duration, _ *other) bool { return at < -minutes(50) }, want: messaging.NotTaken},
		"four after":                    {change: func(at time.Duration, _ *other) bool { return at > 0 && at < minutes(270) }, want: messaging.Unknown},
		"five after":                    {change: func(at time.Duration, _ *other) bool { return at > 0 && at < minutes(260) }, want: messaging.Unknown}, // heard of too late to be repeats' proof
		"five after, early enough":      {change: func(at time.Duration, _ *other) bool { return at > minutes(30) && at < minutes(270) }, want: messaging.NotTaken},
		"the first proof comes when ours may not be repeated any more": {now: 26 * time.Hour, change: func(at time.Duration, _ *other) bool { return at > 0 },
			more: []time.Duration{1, 2, 3, 4, 5, 12*time.Hour + 30*time.Minute, 26*time.Hour - 1}, want: messaging.Unknown},
		"the first proof comes in time": {now: 26 * time.Hour, change: func(at time.Duration, _ *other) bool { return at > 0 },
			more: []time.Duration{1, 2, 3, 4, 5, 11 * time.Hour, 26*time.Hour - 1}, want: messaging.NotTaken},
		// Our callbacks were down with the sender, and have just come back.
		"an outage": {now: minutes(121), change: func(at time.Duration, o *other) bool {
			o.heard = later(o.heard, noon.Add(minutes(120)))
			return at > minutes(1) && at < minutes(118)
		}, want: messaging.Unknown},
		"an outage as long as the repeats": {now: 25 * time.Hour, change: func(_ time.Duration, o *other) bool {
			if o.attempted.After(noon) {
				o.heard = noon.Add(24*time.Hour + minutes(30))
			}
			return false
		}, want: messaging.Unknown},
	} {
		var all []other
		for at := -minutes(300); at <= minutes(300); at += minutes(10) {
			o := other{noon.Add(at), noon.Add(at + time.Minute)}
			if at == 0 || c.change != nil && c.change(at, &o) {
				continue
			}
			all = append(all, o)
		}
		for _, at := range c.more {
			all = append(all, other{noon.Add(at), noon.Add(at)})
		}
		now := noon.Add(c.now)
		if c.now == 0 {
			now = noon.Add(minutes(301))
		}
		if got := fence(around(all, c.told, noon, now), noon); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func mute(o *other, it bool) bool {
	if it {
		o.heard = time.Time{}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// The rule against another way to say it, which knows all mails and counts.
func TestTheFenceAsItIsWorded(t *testing.T) {
	found := map[messaging.Finding]int{}
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		hours := func(from, to float64) time.Duration {
			return time.Duration((from + r.Float64()*(to-from)) * float64(time.Hour))
		}
		now := noon.Add(hours(0, 26))
		told := rapid.IntRange(0, 9).Draw(rt, "told") == 0
		loss := rapid.SampledFrom([]float64{0, 0, 0.01, 0.1}).Draw(rt, "lost")
		var all []other
		for range rapid.SampledFrom([]int{9, 20, 40, 80}).Draw(rt, "mails") {
			o := other{attempted: noon.Add(hours(-30, 26))}
			if o.heard = o.attempted.Add(hours(0, 1)); r.Float64() < loss {
				o.heard = time.Time{}
			}
			if o.attempted.Equal(noon) || slices.ContainsFunc(all, func(p other) bool { return p.attempted.Equal(o.attempted) }) {
				continue // the nearest are not defined
			}
			all = append(all, o)
		}
		got := fence(around(all, told, noon, now), noon)
		found[got]++
		if want := worded(all, told, noon, now); got != want {
			rt.Fatalf("%s, in words %s", got, want)
		}
	})
	for _, f := range []messaging.Finding{messaging.Taken, messaging.NotTaken, messaging.Unknown} {
		if found[f] == 0 {
			t.Errorf("nothing was found to be %s: %v", f, found)
		}
	}
}

func worded(all []other, told bool, attempted, now time.Time) messaging.Finding {
	if told {
		return messaging.Taken
	}
	heard := func(o other) bool { return !o.heard.IsZero() && !o.heard.After(now) }
	before, after := 0, 0
	for _, o := range all {
		if o.attempted.After(now) {
			continue
		}
		away := o.attempted.Sub(attempted)
		closer := 0
		for _, p := range all {
			if d := p.attempted.Sub(attempted); !p.attempted.After(now) && (d > 0) == (away > 0) && d.Abs() < away.Abs() {
				closer++
			}
		}
		if closer < 5 {
			if away > 0 {
				after++
			} else if before++; away < -24*time.Hour {
				return messaging.Unknown // the evidence is too old
			}
		}
		settled := now.Sub(o.attempted) >= 30*time.Minute
		if !heard(o) && (closer < 5 || away.Abs() <= 10*time.Minute || settled && away.Abs() <= 24*time.Hour || away < 0 && away >= -24*time.Hour) {
			return messaging.Unknown
		}
	}
	if before < 5 || after < 5 {
		return messaging.Unknown
	}
	// Alive half an hour after, and once more when a repeat must have come in between.
	for _, first := range all {
		d := first.heard.Sub(attempted)
		if !heard(first) || d < 30*time.Minute {
			continue
		}
		if slices.ContainsFunc(all, func(o other) bool {
			return heard(o) && !o.heard.Before(attempted) && o.heard.Before(first.heard) && o.heard.Sub(attempted) >= 30*time.Minute
		}) {
			continue // not the first
		}
		if d > 12*time.Hour {
			return messaging.Unknown
		}
		for _, last := range all {
			if heard(last) && last.heard.Sub(first.heard) >= 3*time.Hour && last.heard.Sub(first.heard) >= d {
				return messaging.NotTaken
			}
		}
	}
	return messaging.Unknown
}

// A provider that keeps what it documents is never misjudged: whatever outage of our
// callbacks, of whatever length, and however long it holds all mails, up to three
// hours; with repeats at doubling distance, or every few minutes and then every three
// hours. And without trouble a mail that was not taken is known to be so.
func TestTheFenceInAWorldThatKeepsItsContract(t *testing.T) {
	concluded, lost := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		minutes := func(label string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from*60, to*60).Draw(rt, label)) * time.Second
		}
		down, up := noon, noon // our callbacks
		if rapid.Bool().Draw(rt, "outage") {
			down = noon.Add(minutes("down", -600, 600))
			if rapid.Bool().Draw(rt, "with our sender") {
				down = noon.Add(minutes("just then", -1, 1))
			}
			most := rapid.SampledFrom([]int{5, 90, 600, 1500, 3000}).Draw(rt, "up to")
			up = down.Add(minutes("for", most/2, most))
		}
		stall, flow := noon, noon // the provider
		if rapid.Bool().Draw(rt, "stall") {
			stall = noon.Add(minutes("stall", -600, 600))
			flow = stall.Add(minutes("stalled for", 1, 180))
		}
		doubling := rapid.Bool().Draw(rt, "doubling")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		within := func(minutes int) time.Duration { return time.Duration(r.IntN(minutes*60+1)) * time.Second }
		// heard is when the event of a mail is ours; zero: never.
		heard := func(attempted time.Time) time.Time {
			event := attempted.Add(within(r.IntN(20)))
			if !event.Before(stall) && event.Before(flow) {
				event = flow
			}
			wait := time.Duration(0)
			for at := event; !at.After(event.Add(24 * time.Hour)); at = at.Add(wait) {
				if at.Before(down) || !at.Before(up) {
					return at
				}
				switch {
				case doubling:
					wait = max(time.Minute, at.Sub(event))
				case at.Sub(event) < time.Hour:
					wait = 10 * time.Minute
				default:
					wait = 3 * time.Hour
				}
			}
			lost++
			return time.Time{}
		}
		taken := rapid.Bool().Draw(rt, "taken")
		ours := time.Time{}
		if taken {
			ours = heard(noon)
		}
		var all []other
		gap := rapid.SampledFrom([]int{1, 10, 60}).Draw(rt, "gaps of")
		quiet := noon.Add(minutes("quiet until", 0, rapid.SampledFrom([]int{0, 90, 900}).Draw(rt, "at most")))
		for at, n := noon.Add(-10*time.Hour), 0; at.Before(noon.Add(26*time.Hour)) && n < 200; n++ {
			if at = at.Add(within(gap) + time.Second); at.After(quiet) || at.Before(noon) {
				all = append(all, other{at, heard(at)})
			}
		}
		if rapid.Bool().Draw(rt, "burst") {
			for n := range 20 {
				at := noon.Add(time.Duration(n-10)*3*time.Second + time.Second)
				all = append(all, other{at, heard(at)})
			}
		}
		ended := messaging.Unknown
		for look := 30 * time.Second; look <= 26*time.Hour && ended == messaging.Unknown; look += min(look, time.Hour) {
			now := noon.Add(look)
			ended = fence(around(all, !ours.IsZero() && !ours.After(now), noon, now), noon)
		}
		if taken && ended == messaging.NotTaken {
			rt.Fatalf("it was taken, and heard of at %s: down %s to %s, stalled %s to %s", ours, down, up, stall, flow)
		}
		if ended == messaging.NotTaken {
			concluded++
		}
		if !taken && down.Equal(up) && stall.Equal(flow) && gap == 10 && quiet.Equal(noon) && slices.ContainsFunc(all, func(o other) bool { return o.attempted.After(noon.Add(8 * time.Hour)) }) && ended != messaging.NotTaken {
			rt.Fatal("nothing is wrong, and yet it is not concluded")
		}
	})
	t.Logf("%d were known not to be taken, %d events were lost for good", concluded, lost)
	if concluded == 0 {
		t.Error("nothing was concluded in any world")
	}
}
