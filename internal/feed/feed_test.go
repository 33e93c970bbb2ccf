package feed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/feed"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// alive is a look at a feed that pushed a minute ago.
func alive() feed.Look {
	return feed.Look{
		Settings: feed.Settings{Name: "ups-main", Carrier: "ups", Pushes: true, Asks: true, Batch: 1}, Configured: true,
		AsOf: noon, LastPush: noon.Add(-time.Minute), QuietAt: noon.Add(10 * time.Minute), SilentAt: noon.Add(20 * time.Minute),
		LastHour: 190, Usual: 200, Counts: feed.Counts{Open: 500},
		Budget: feed.Budget{Windows: []feed.Window{{Limit: 60, Left: 60, Seconds: 3600}}},
	}
}

func state(p feed.Phase) feed.State {
	return feed.State{Name: "ups-main", Rules: 1, Phase: p, Since: noon.Add(-3 * time.Hour), SilentFrom: noon.Add(-4 * time.Hour)}
}

func TestAFeedMovesThroughItsPhases(t *testing.T) {
	late := func(l *feed.Look) {
		l.LastPush, l.QuietAt, l.SilentAt = noon.Add(-4*time.Hour), noon.Add(-3*time.Hour), noon.Add(-2*time.Hour)
	}
	for _, c := range []struct {
		name     string
		from     feed.Phase
		look     func(*feed.Look)
		state    func(*feed.State)
		to       feed.Phase
		opens    bool
		closes   bool
		heard    time.Duration // what is asked for was not heard of for so long; 0: nothing
		nextLook time.Duration
	}{
		{name: "as usual", from: feed.Fresh, look: func(*feed.Look) {}, to: feed.Fresh, nextLook: 22 * time.Minute},
		{name: "once a day all are asked for", from: feed.Fresh, look: func(l *feed.Look) { l.UnheardDay = 3 }, to: feed.Fresh, heard: 24 * time.Hour, nextLook: 10 * time.Minute},
		{name: "unusually quiet", from: feed.Fresh, look: func(l *feed.Look) { l.QuietAt = noon }, to: feed.Quiet, nextLook: 10 * time.Minute},
		{name: "it was chance", from: feed.Quiet, look: func(*feed.Look) {}, to: feed.Fresh, nextLook: 22 * time.Minute},
		{name: "silent", from: feed.Quiet, look: late, to: feed.Silent, opens: true, nextLook: 10 * time.Minute},
		{name: "silent at once", from: feed.Fresh, look: func(l *feed.Look) { late(l); l.UnheardHours = 9 }, to: feed.Silent, opens: true, heard: 2 * time.Hour, nextLook: 10 * time.Minute},
		{name: "still silent is told once", from: feed.Silent, look: func(l *feed.Look) { late(l); l.UnheardHours = 9 }, to: feed.Silent, heard: 2 * time.Hour, nextLook: 10 * time.Minute},
		{name: "the first push after it", from: feed.Silent, look: func(*feed.Look) {}, to: feed.Recovering, heard: 2 * time.Hour, nextLook: 10 * time.Minute},
		{name: "recovering for too short", from: feed.Recovering, state: func(s *feed.State) { s.Since = noon.Add(-30 * time.Minute) }, look: func(*feed.Look) {}, to: feed.Recovering, nextLook: 10 * time.Minute},
		{name: "a trickle is not as usual", from: feed.Recovering, look: func(l *feed.Look) { l.LastHour = 20 }, to: feed.Recovering, nextLook: 10 * time.Minute},
		{name: "silent again", from: feed.Recovering, look: late, to: feed.Silent, opens: true, nextLook: 10 * time.Minute},
		{name: "as usual again", from: feed.Recovering, look: func(*feed.Look) {}, to: feed.Fresh, closes: true, nextLook: 22 * time.Minute},
		{name: "who pushes nothing is not missed", from: feed.Fresh, look: func(l *feed.Look) { late(l); l.Settings.Pushes = false; l.UnheardHours = 1 }, to: feed.Fresh, heard: 2 * time.Hour, nextLook: 10 * time.Minute},
		{name: "push only", from: feed.Fresh, look: func(l *feed.Look) { late(l); l.Settings.Asks = false; l.UnheardHours = 1 }, to: feed.Silent, opens: true, nextLook: 10 * time.Minute},
		{name: "no longer configured", from: feed.Silent, look: func(l *feed.Look) { *l = feed.Look{} }, to: feed.Silent, nextLook: time.Hour},
		{name: "the budget is spent", from: feed.Fresh, look: func(l *feed.Look) { l.UnheardDay = 3; l.Budget.Windows[0].Left = 12 }, to: feed.Fresh, nextLook: 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, s := alive(), state(c.from)
			c.look(&l)
			if c.state != nil {
				c.state(&s)
			}
			got, a := feed.Step(s, l, noon, false)
			if got.Phase != c.to {
				t.Errorf("became %s, want %s", got.Phase, c.to)
			}
			if opens := a.Report != nil && a.Report.Open; opens != c.opens {
				t.Errorf("opens a case: %t", opens)
			}
			if closes := a.Report != nil && !a.Report.Open; closes != c.closes {
				t.Errorf("closes a case: %t", closes)
			}
			switch {
			case a.Poll == nil && c.heard != 0:
				t.Error("asks for nothing")
			case a.Poll != nil && !a.Poll.HeardBefore.Equal(noon.Add(-c.heard)):
				t.Errorf("asks for what was not heard of since %s", a.Poll.HeardBefore)
			}
			if d := got.NextAt.Sub(noon); d != c.nextLook {
				t.Errorf("looks again in %s, want %s", d, c.nextLook)
			}
			if w := feed.Words(got, noon); strings.Contains(w, "%!") || !strings.Contains(w, "looks again") {
				t.Error(w)
			}
		})
	}
}

func TestAfterASilenceEveryParcelIsAskedForOnce(t *testing.T) {
	l, now := alive(), noon
	s, a := feed.Step(state(feed.Silent), l, now, false)
	if !s.Missed.Equal(noon) || a.Poll == nil || !a.Poll.AskedBefore.Equal(noon) {
		t.Fatalf("%+v, %+v", s, a)
	}
	// It goes on after the feed is as usual again, until all were asked for.
	for left := 20; left > 0; left-- {
		now = now.Add(10 * time.Minute)
		l.Missed, l.AsOf, l.QuietAt, l.SilentAt = left, now, now.Add(time.Hour), now.Add(2*time.Hour)
		if s, a = feed.Step(s, l, now, false); a.Poll == nil || !a.Poll.AskedBefore.Equal(noon) {
			t.Fatalf("%d left, asks %+v", left, a.Poll)
		}
	}
	if s.Phase != feed.Fresh {
		t.Errorf("is %s", s.Phase)
	}
	l.Missed = 0
	if s, a = feed.Step(s, l, now.Add(time.Minute), false); !s.Missed.IsZero() || a.Poll != nil {
		t.Errorf("all were asked for: %+v, %+v", s.Missed, a.Poll)
	}
}

func TestWhatCannotBeAskedForIsNotOutstanding(t *testing.T) {
	l := alive()
	l.Settings.Asks = false
	if s, a := feed.Step(state(feed.Silent), l, noon, false); s.Phase != feed.Recovering || !s.Missed.IsZero() || a.Poll != nil {
		t.Errorf("%+v, %+v", s.Missed, a.Poll)
	}
}

func TestPeopleMayAskAtOnce(t *testing.T) {
	s, a := feed.Step(state(feed.Fresh), alive(), noon, true)
	if a.Poll == nil || !a.Poll.HeardBefore.Equal(noon.Add(-10*time.Minute)) || s.Phase != feed.Fresh {
		t.Errorf("%+v", a.Poll)
	}
}

func TestRenewalsGoFirst(t *testing.T) {
	l := alive()
	l.Settings.Subscribes, l.Settings.SubscribeBatch, l.Renew, l.UnheardDay = true, 100, 350, 1000
	_, a := feed.Step(state(feed.Fresh), l, noon, false)
	if a.Renew != 4 || a.Poll == nil || a.Poll.Calls != 4 {
		t.Errorf("%d calls to renew, asks %+v", a.Renew, a.Poll)
	}
}

// Cases open and close in turn, whatever happens to a feed.
func TestCasesOpenAndCloseInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now, open := feed.State{Name: "x", Rules: 1, Phase: feed.Fresh, Since: noon}, noon, false
		last := noon
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
			if rapid.Bool().Draw(t, "pushed") {
				last = now
			}
			l := alive()
			l.AsOf, l.LastPush, l.QuietAt, l.SilentAt = now, last, last.Add(30*time.Minute), last.Add(time.Hour)
			l.LastHour = rapid.IntRange(0, 300).Draw(t, "events")
			l.Configured = rapid.IntRange(0, 9).Draw(t, "configured") > 0
			l.Missed = rapid.IntRange(0, 3).Draw(t, "missed")
			before := s
			var a feed.Actions
			s, a = feed.Step(s, l, now, false)
			if again, _ := feed.Step(before, l, now, false); fmt.Sprint(again) != fmt.Sprint(s) {
				t.Fatal("the same arguments gave another state")
			}
			if a.Report != nil && !a.Report.Open {
				if !open {
					t.Fatal("closes a case that is not open")
				}
				open = false
			} else if a.Report != nil {
				open = true // counted again where it is open
			}
			if known := s.Phase == feed.Silent || s.Phase == feed.Recovering; known != open {
				t.Fatalf("%s, case open %t", s.Phase, open)
			}
			if !s.NextAt.After(now) || s.NextAt.After(now.Add(time.Hour)) {
				t.Fatalf("looks again %s after now", s.NextAt.Sub(now))
			}
		}
	})
}

func TestCallsKeepToTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 2000).Draw(t, "limit")
		seconds := rapid.IntRange(601, 86400).Draw(t, "seconds")
		left := limit
		// A window through which looks come every ten minutes.
		for range max(1, seconds/600) {
			n := feed.Calls(feed.Budget{Windows: []feed.Window{{Limit: limit, Left: left, Seconds: seconds}}}, 10*time.Minute, noon)
			if n < 0 || n > max(0, left-limit/5) {
				t.Fatalf("%d calls of %d left, %d in %d s", n, left, limit, seconds)
			}
			left -= n
		}
		if left < limit/5 {
			t.Fatalf("%d of %d left for the orders", left, limit)
		}
	})
	for _, c := range []struct {
		b    feed.Budget
		want int
	}{
		{feed.Budget{}, 50},
		{feed.Budget{RestUntil: noon.Add(time.Second)}, 0},
		{feed.Budget{RestUntil: noon, Windows: []feed.Window{{60, 60, 3600}}}, 8},
		{feed.Budget{Windows: []feed.Window{{60, 15, 3600}}}, 3},
		{feed.Budget{Windows: []feed.Window{{250, 250, 86400}, {1, 0, 1}}}, 2},
		{feed.Budget{Windows: []feed.Window{{250, 250, 86400}, {60, 60, 60}}}, 2},
		{feed.Budget{Windows: []feed.Window{{1400, 1400, 10}, {100000, 100000, 86400}}}, 50},
	} {
		if got := feed.Calls(c.b, 10*time.Minute, noon); got != c.want {
			t.Errorf("%+v: %d calls, want %d", c.b, got, c.want)
		}
	}
}

func TestTheNearestDeadlineIsAskedForFirst(t *testing.T) {
	ps := []feed.Parcel{
		{"no deadline", time.Time{}, noon.Add(-9 * time.Hour)},
		{"tomorrow", noon.Add(day), noon.Add(-3 * time.Hour)},
		{"in an hour", noon.Add(time.Hour), noon.Add(-3 * time.Hour)},
		{"in an hour, longer unheard of", noon.Add(time.Hour), noon.Add(-4 * time.Hour)},
		{"passed", noon.Add(-time.Hour), noon.Add(-2 * time.Hour)},
	}
	want := []string{"passed", "in an hour, longer unheard of", "in an hour", "tomorrow"}
	if got := feed.Pick(ps, 4, 0); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// The fifth place is for who was unheard of longest, whichever look it falls into.
	if got := feed.Pick(ps, 1, 4); !slices.Equal(got, []string{"no deadline"}) {
		t.Errorf("%q", got)
	}
	if got := feed.Pick(ps, 99, 0); len(got) != len(ps) {
		t.Errorf("%q", got)
	}
}

func TestPickingIsFairAndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parcels := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) feed.Parcel {
			p := feed.Parcel{Tracking: rapid.StringMatching(`[A-D]{1,3}`).Draw(t, "number"), Heard: noon.Add(-time.Duration(rapid.IntRange(0, 99).Draw(t, "heard")) * time.Hour)}
			if rapid.Bool().Draw(t, "has deadline") {
				p.Deadline = noon.Add(time.Duration(rapid.IntRange(-9, 99).Draw(t, "deadline")) * time.Hour)
			}
			return p
		}), 0, 30).Draw(t, "parcels")
		n, turn := rapid.IntRange(0, 40).Draw(t, "n"), rapid.IntRange(0, 1000).Draw(t, "turn")
		got := feed.Pick(parcels, n, turn)
		distinct := map[string]bool{}
		for _, p := range parcels {
			distinct[p.Tracking] = true
		}
		if len(got) != min(n, len(distinct)) {
			t.Fatalf("%d picked of %d, wanted %d", len(got), len(distinct), n)
		}
		for i, number := range got {
			if slices.Index(got, number) != i || !distinct[number] {
				t.Fatalf("%q", got)
			}
		}
		shuffled := slices.Clone(parcels)
		slices.Reverse(shuffled)
		if len(distinct) == len(parcels) && !slices.Equal(feed.Pick(shuffled, n, turn), got) {
			t.Fatal("the order of the parcels decides")
		}
	})
}

// One parcel without a deadline among ever new urgent ones, one call a look.
func TestNobodyStarves(t *testing.T) {
	const crowd = 40
	patient := feed.Parcel{Tracking: "patient", Heard: noon}
	parcels := []feed.Parcel{patient}
	for i := range crowd {
		parcels = append(parcels, feed.Parcel{Tracking: fmt.Sprint("urgent ", i), Deadline: noon.Add(time.Minute), Heard: noon.Add(-time.Duration(i+1) * time.Minute)})
	}
	for turn := range 5 * (crowd + 1) {
		number := feed.Pick(parcels, 1, turn)[0]
		if number == "patient" {
			t.Logf("asked for after %d others", turn)
			return
		}
		i := slices.IndexFunc(parcels, func(p feed.Parcel) bool { return p.Tracking == number })
		parcels[i].Heard = noon.Add(time.Duration(turn+1) * time.Hour)
	}
	t.Error("never asked for")
}

func TestSubscriptionsAreRenewedBeforeTheyEnd(t *testing.T) {
	ups, usps := feed.TermsOf("ups"), feed.TermsOf("usps")
	at := func(name string, s feed.Subscription, terms feed.Terms, earliest, latest time.Time) {
		t.Helper()
		if got := feed.RenewAt(s, terms); got.Before(earliest) || got.After(latest) {
			t.Errorf("%s: %s, want %s to %s", name, got, earliest, latest)
		}
	}
	at("never subscribed", feed.Subscription{BoundAt: noon}, ups, noon, noon)
	at("UPS", feed.Subscription{Tracking: "1Z1", At: noon, Until: noon.Add(14 * day)}, ups, noon.Add(11*day), noon.Add(12*day))
	at("USPS, idle", feed.Subscription{Tracking: "94001", At: noon}, usps, noon.Add(22*day+12*time.Hour), noon.Add(25*day))
	at("USPS, with traffic", feed.Subscription{Tracking: "94001", At: noon, Heard: noon.Add(10 * day)}, usps, noon.Add(32*day+12*time.Hour), noon.Add(35*day))
	at("refused", feed.Subscription{Refused: noon, BoundAt: noon.Add(-day)}, ups, noon.Add(day), noon.Add(day))
	at("refused, then made", feed.Subscription{Tracking: "1Z1", Refused: noon, At: noon.Add(day), Until: noon.Add(15 * day)}, ups, noon.Add(12*day), noon.Add(13*day))
	if got := feed.RenewAt(feed.Subscription{At: noon}, feed.TermsOf("easypost")); !got.IsZero() {
		t.Errorf("one without an end is renewed %s", got)
	}
	list := []feed.Subscription{{Tracking: "A", BoundAt: noon}, {Tracking: "B", At: noon}, {Tracking: "C", At: noon.Add(-13 * day), Until: noon.Add(day)}}
	if got := feed.Due(list, ups, noon); !slices.Equal(got, []string{"A", "C"}) {
		t.Errorf("due: %q", got)
	}
}

// What was subscribed to at one time is renewed over a time.
func TestRenewalsAreSpread(t *testing.T) {
	perHour := map[time.Time]int{}
	for i := range 1000 {
		s := feed.Subscription{Tracking: fmt.Sprintf("1Z%08d", i), At: noon, Until: noon.Add(14 * day)}
		perHour[feed.RenewAt(s, feed.TermsOf("ups")).Truncate(time.Hour)]++
	}
	for at, n := range perHour {
		if n > 100 {
			t.Errorf("%d of 1000 are renewed in the hour of %s", n, at)
		}
	}
}
