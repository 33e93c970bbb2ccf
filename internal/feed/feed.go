// Package feed is the pure core of a carrier's feed: what is normal for it, when
// its silence is no chance any more, which parcels to ask for with the calls that
// are left, and what to renew. It imports the standard library only, has no clock
// and no I/O: the workflow runs Step, the activities run the rest.
//
// The vocabulary:
//
//   - A feed is one credential with a carrier, or a carrier that only pushes.
//   - A push is an event that came by itself; what we asked for proves nothing
//     about the feed and is never counted.
//   - A [Rhythm] is how busy the feed usually is, by the hour of the week.
//   - A [Look] is what an activity found; [Step] decides from it.
package feed

import (
	"fmt"
	"strings"
	"time"
)

// Rules of [Step]. A run keeps the number that it began with, see docs/adr/0004.
const (
	MinRules     = 1
	CurrentRules = 1
)

// Settings are what a feed is configured as.
type Settings struct {
	// Name is the credential's; the carrier's where there is none.
	Name    string `json:"name"`
	Carrier string `json:"carrier"`
	// Pushes: its carrier pushes to us, and this feed watches over that.
	Pushes bool `json:"pushes,omitempty"`
	// Asks: there is a credential to ask with; Batch numbers go in one call.
	Asks  bool `json:"asks,omitempty"`
	Batch int  `json:"batch,omitempty"`
	// Subscribes: the carrier pushes only what was subscribed to, number by
	// number; SubscribeBatch numbers go in one call.
	Subscribes     bool `json:"subscribes,omitempty"`
	SubscribeBatch int  `json:"subscribe_batch,omitempty"`
	// Aggregates: it speaks for many carriers, so its parcels are those that it
	// has spoken of.
	Aggregates bool `json:"aggregates,omitempty"`
}

// Source names the feed's facts in the inbox.
func (s Settings) Source() string { return "carrier:" + s.Carrier }

// Phase is how a feed does.
type Phase string

const (
	Fresh      Phase = "fresh"      // as usual
	Quiet      Phase = "quiet"      // longer than usual, could still be chance
	Silent     Phase = "silent"     // no chance any more: one case is open, parcels are asked for
	Recovering Phase = "recovering" // pushes came again; asked for until they come as usual
)

// How often a parcel is asked for, when nothing else was heard of it.
const (
	// AskUnpushed is for feeds that push nothing. Aggregators ask the carriers
	// as often (goshippo/shippo-node-client#35).
	AskUnpushed = 2 * time.Hour
	// AskPushed is the daily reconciliation of feeds that do push: a push may be
	// lost without the feed falling silent.
	AskPushed = 24 * time.Hour
	// askAgain is the least time between two questions, when people ask for one.
	askAgain = 10 * time.Minute
)

// How often a feed is looked at.
const (
	lookBusy = 10 * time.Minute // there is something to ask or to renew, or it is not fresh
	lookIdle = 30 * time.Minute
	// lookLag is how far the counts may be behind the clock.
	lookLag = 2 * time.Minute
	// steady is how long pushes must come as usual before a feed is fresh again.
	steady = time.Hour
)

// Look is what an activity found. Times are UTC, counts are of now.
type Look struct {
	// Settings as configured in the worker that looked; Configured is false when
	// it knows no such feed.
	Settings   Settings `json:"settings"`
	Configured bool     `json:"configured"`
	// AsOf is the time up to which every push is counted.
	AsOf     time.Time `json:"as_of,omitzero"`
	LastPush time.Time `json:"last_push,omitzero"`
	// QuietAt and SilentAt are when the silence since LastPush is unusual, and
	// when it is no chance any more; zero: never, by what is known.
	QuietAt  time.Time `json:"quiet_at,omitzero"`
	SilentAt time.Time `json:"silent_at,omitzero"`
	// LastHour and Usual are events pushed in the hour before AsOf, and in such
	// an hour as a rule.
	LastHour int `json:"last_hour"`
	Usual    int `json:"usual"`
	Counts
	Budget Budget `json:"budget"`
	// Renew is how many subscriptions are to be made or renewed.
	Renew int `json:"renew,omitempty"`
}

// Counts are of parcels that the carrier should know and that are not settled.
type Counts struct {
	Open int `json:"open"`
	// Unheard of for AskPushed and for AskUnpushed.
	UnheardDay   int `json:"unheard_day,omitempty"`
	UnheardHours int `json:"unheard_hours,omitempty"`
	// Missed: not asked for since the last silence ended.
	Missed int `json:"missed,omitempty"`
}

// State is what a feed's workflow carries on.
type State struct {
	Name  string    `json:"name"`
	Rules int       `json:"rules"`
	Phase Phase     `json:"phase"`
	Since time.Time `json:"since"`
	// SilentFrom is the last push before the silence.
	SilentFrom time.Time `json:"silent_from,omitzero"`
	// Missed: pushes before this time may be lost, so every parcel that was open
	// then is asked for once. Zero when that is done.
	Missed time.Time `json:"missed,omitzero"`
	// Asked and Renewed count numbers, ever.
	Asked   int `json:"asked,omitempty"`
	Renewed int `json:"renewed,omitempty"`
	// PausedUntil is when it goes on by itself.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	PausedWhy   string    `json:"paused_why,omitempty"`
	// Trouble is why the last question or renewal failed.
	Trouble string    `json:"trouble,omitempty"`
	NextAt  time.Time `json:"next_at,omitzero"`
	Last    Look      `json:"last"`
}

// Paused says whether people stopped the feed's work.
func (s *State) Paused(now time.Time) bool { return s.PausedUntil.After(now) }

// Poll is what to ask for: parcels of which nothing was heard since HeardBefore,
// and parcels not asked for since AskedBefore. At most Calls calls; Turn is how
// many numbers were asked before.
type Poll struct {
	HeardBefore time.Time `json:"heard_before"`
	AskedBefore time.Time `json:"asked_before,omitzero"`
	Calls       int       `json:"calls"`
	Turn        int       `json:"turn"`
}

// Report opens the feed's case or closes it.
type Report struct {
	Carrier string `json:"carrier"`
	Open    bool   `json:"open"`
	Title   string `json:"title,omitempty"`
	Text    string `json:"text"`
}

// Actions are what Step wants done, in this order.
type Actions struct {
	Report *Report
	Renew  int // calls
	Poll   *Poll
}

// Step decides from a look. now is the workflow's clock; asap says that people
// want parcels asked for at once. It is total and depends on its arguments alone.
func Step(s State, l Look, now time.Time, asap bool) (State, Actions) {
	s.Last = l
	var a Actions
	if !l.Configured {
		s.NextAt = now.Add(time.Hour)
		return s, a
	}
	reported := s.Phase == Silent || s.Phase == Recovering
	s.judge(l, now)
	switch s.Phase {
	case Silent:
		if s.Since.Equal(now) {
			a.Report = &Report{Carrier: l.Settings.Carrier, Open: true, Title: fmt.Sprintf("%s pushes nothing since %s", l.Settings.Carrier, stamp(l.LastPush)), Text: evidence(l)}
		}
	case Fresh:
		if reported {
			a.Report = &Report{Carrier: l.Settings.Carrier, Text: fmt.Sprintf("pushes come as usual again since %s: %d events in the last hour, usually %d", stamp(s.Since), l.LastHour, l.Usual)}
		}
	case Quiet, Recovering:
	}
	if !s.Missed.IsZero() && l.Missed == 0 && s.Phase != Recovering {
		s.Missed = time.Time{}
	}
	busy := s.Phase != Fresh
	if l.Settings.Asks {
		calls := Calls(l.Budget, lookBusy, now)
		if l.Settings.Subscribes && l.Renew > 0 {
			a.Renew = min(calls, (l.Renew+l.Settings.SubscribeBatch-1)/max(1, l.Settings.SubscribeBatch))
			calls -= a.Renew
			busy = true
		}
		heard, wanted := now.Add(-AskPushed), l.UnheardDay
		if !l.Settings.Pushes || s.Phase == Silent || s.Phase == Recovering {
			heard, wanted = now.Add(-AskUnpushed), l.UnheardHours
		}
		if !s.Missed.IsZero() {
			wanted += max(l.Missed, 1) // it may have begun with this look
		}
		if asap {
			heard, wanted = now.Add(-askAgain), l.Open
		}
		busy = busy || wanted > 0
		if wanted > 0 && calls > 0 {
			a.Poll = &Poll{HeardBefore: heard, AskedBefore: s.Missed, Calls: calls, Turn: s.Asked}
		}
	}
	s.NextAt = now.Add(lookIdle)
	if busy {
		s.NextAt = now.Add(lookBusy)
	}
	if at := l.SilentAt.Add(lookLag); !l.SilentAt.IsZero() && s.Phase != Silent && at.After(now) && at.Before(s.NextAt) {
		s.NextAt = at
	}
	return s, a
}

// judge moves the phase.
func (s *State) judge(l Look, now time.Time) {
	past := func(t time.Time) bool { return !t.IsZero() && !l.AsOf.Before(t) }
	to := s.Phase
	switch {
	case !l.Settings.Pushes:
		to = Fresh // nobody expects pushes
	case s.Phase == Silent && !l.LastPush.After(s.SilentFrom):
	case s.Phase == Silent:
		to = Recovering
	case past(l.SilentAt):
		to = Silent
	case s.Phase == Recovering:
		if now.Sub(s.Since) >= steady && !past(l.QuietAt) && 2*l.LastHour >= l.Usual {
			to = Fresh
		}
	case past(l.QuietAt):
		to = Quiet
	default:
		to = Fresh
	}
	if to == s.Phase {
		return
	}
	switch to {
	case Silent:
		s.SilentFrom = l.LastPush
	case Recovering:
		if l.Settings.Asks {
			s.Missed = now
		}
	case Fresh, Quiet:
	}
	s.Phase, s.Since = to, now
}

func evidence(l Look) string {
	return fmt.Sprintf("last push %s; usually %d events in such an hour; %d parcels are open; silence was no chance any more from %s on",
		stamp(l.LastPush), l.Usual, l.Open, stamp(l.SilentAt))
}

// Words is the feed in a few lines of Markdown, for people who read the Temporal
// UI at night.
func Words(s State, now time.Time) string {
	l := s.Last
	if !l.Configured {
		if l.Settings.Name == "" && s.NextAt.IsZero() {
			return "**" + s.Name + "**: not looked at yet"
		}
		return fmt.Sprintf("**%s**: the workers have no credential and no webhook secret of that name; looks again %s", s.Name, stamp(s.NextAt))
	}
	var b strings.Builder
	if l.Settings.Pushes {
		fmt.Fprintf(&b, "**%s push: %s** since %s", l.Settings.Carrier, s.Phase, stamp(s.Since))
		fmt.Fprintf(&b, "\n- %d events in the last hour, usually %d", l.LastHour, l.Usual)
		switch {
		case l.LastPush.IsZero():
			b.WriteString("; nothing was ever pushed")
		case s.Phase == Silent:
			fmt.Fprintf(&b, "; last push %s", stamp(s.SilentFrom))
		case l.SilentAt.IsZero():
			fmt.Fprintf(&b, "; last push %s; too little is known to call it silent", stamp(l.LastPush))
		default:
			fmt.Fprintf(&b, "; last push %s; silent unless something comes by %s", stamp(l.LastPush), stamp(l.SilentAt))
		}
	} else {
		fmt.Fprintf(&b, "**%s: asked, does not push**", l.Settings.Carrier)
	}
	fmt.Fprintf(&b, "\n- %d parcels open, %d unheard of for a day", l.Open, l.UnheardDay)
	if !s.Missed.IsZero() {
		fmt.Fprintf(&b, ", %d to ask for because of pushes missed before %s", l.Missed, stamp(s.Missed))
	}
	if l.Settings.Asks {
		fmt.Fprintf(&b, "\n- %d numbers asked for so far; budget: %s", s.Asked, l.Budget.words(now))
	} else {
		b.WriteString("\n- cannot be asked: no credential")
	}
	if l.Settings.Subscribes {
		fmt.Fprintf(&b, "\n- %d subscriptions made or renewed so far, %d due", s.Renewed, l.Renew)
	}
	if s.Trouble != "" {
		b.WriteString("\n- trouble: " + s.Trouble)
	}
	if s.Paused(now) {
		fmt.Fprintf(&b, "\n- **paused** until %s: %s", stamp(s.PausedUntil), s.PausedWhy)
	} else {
		fmt.Fprintf(&b, "\n- looks again %s", stamp(s.NextAt))
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("Mon 2 Jan 15:04 UTC") }
