package order

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A carrier event whose code nobody knew comes without a milestone. Once a person
// has mapped the code it comes again: the same event under a new number.
func unread(e CarrierEvent) CarrierEvent {
	e.Milestone, e.Physical = "", false
	return e
}

func TestAnEventReadAgainEndsAsIfItHadBeenReadAtFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := drawFacts(t, true)
		a := after(oneParcel(), facts...)
		var first, again []Event
		for i, f := range facts {
			e, ok := f.(CarrierEvent)
			if ok && (e.Milestone == "" || e.Milestone.Known()) && rapid.Bool().Draw(t, "unknown at first") {
				e.N = int64(1000 + i)
				again = append(again, e)
				e = unread(e)
				e.N = int64(1 + i)
				f = e
			}
			first = append(first, f)
		}
		b := after(oneParcel(), slices.Concat(first, rapid.Permutation(again).Draw(t, "order"))...)
		if outcome(a) != outcome(b) {
			t.Fatalf("\n%s\n%s", outcome(a), outcome(b))
		}
	})
}

// A wrong mapping that is put right: the event comes again as the carrier's
// correction wherever the wrong milestone would decide over the right one.
func TestAWrongReadingIsTakenBack(t *testing.T) {
	for _, wrong := range Definitions {
		for _, right := range Definitions {
			if !MaySet(CarrierSays, wrong.Milestone) || !MaySet(CarrierSays, right.Milestone) {
				continue
			}
			t.Run(fmt.Sprintf("%s instead of %s", wrong.Milestone, right.Milestone), func(t *testing.T) {
				said := func(m Milestone, n int64) CarrierEvent {
					e := moves(30, m).known(40)
					e.N, e.Physical = n, m.Stage() > Preparing
					return e
				}
				before := []Event{moves(10, Accepted), moves(20, InTransit)}
				mended := said(right.Milestone, 2)
				mended.Correction = Outranks(wrong.Milestone, right.Milestone)
				got := after(oneParcel(), append(before, said(wrong.Milestone, 1), mended)...)
				want := after(oneParcel(), append(before, said(right.Milestone, 2))...)
				g, w := got.Parcels[0], want.Parcels[0]
				switch {
				case right.Stage == Preparing && g.Milestone == wrong.Milestone && wrong.Stage > Preparing:
					t.Errorf("%s stands", g.Milestone)
				case right.Milestone == Accepted && wrong.Stage > Possession:
					// The limit: a correction takes back all that the carrier had said
					// until then, here the movement of hour 20, until it speaks again.
					if g.Milestone != Accepted {
						t.Errorf("%s, want the correction to hold", g.Milestone)
					}
					Apply(got, moves(35, InTransit).known(50))
					if m := got.Parcels[0].Milestone; m != InTransit {
						t.Errorf("%s, once the carrier moved it again", m)
					}
				case right.Stage > Preparing && (g.Milestone != w.Milestone || !g.Since.Equal(w.Since)):
					t.Errorf("%s since %s, want %s since %s", g.Milestone, g.Since, w.Milestone, w.Since)
				}
			})
		}
	}
}

func TestOutranksIsWhatTheFoldDecides(t *testing.T) {
	for _, a := range Definitions {
		for _, b := range Definitions {
			if a.Milestone == b.Milestone || !MaySet(CarrierSays, a.Milestone) || !MaySet(CarrierSays, b.Milestone) || a.Stage < Possession || b.Stage < Possession {
				continue
			}
			p := after(oneParcel(), moves(5, a.Milestone), moves(5, b.Milestone)).Parcels[0]
			if (p.Milestone == a.Milestone) != Outranks(a.Milestone, b.Milestone) {
				t.Errorf("%s and %s at once: %s", a.Milestone, b.Milestone, p.Milestone)
			}
		}
	}
}
