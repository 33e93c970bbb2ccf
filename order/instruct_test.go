package order

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// attempted is parcel A after a failed attempt, with its case open.
func attempted(spec Spec) *State {
	return after(spec, moves(10, Accepted), moves(30, AttemptFailed))
}

func resolveWith(s *State, r Resolution) ResolveCase {
	e := ResolveCase{Meta: bySupport(31), Case: "none", Resolution: r}
	if len(s.Cases) > 0 {
		e.Case = s.Cases[0].ID
	}
	if r.NeedsUntil() {
		e.Until = at(60)
	}
	return e
}

func TestCarriersAreNotToldWhatCannotBe(t *testing.T) {
	noNumber := today(oneParcel())
	noNumber.Parcels = []PlannedParcel{{ID: "A", Lines: []Allocation{{"mug", 2}}}}
	for _, c := range []struct {
		name  string
		state func() *State
		how   Resolution
		by    Source
		want  string // part of the refusal; empty: granted
	}{
		{"granted", func() *State { return attempted(today(oneParcel())) }, ReturnToSender, Support, ""},
		{"by the warehouse", func() *State { return attempted(today(oneParcel())) }, ReturnToSender, Warehouse, "may not instruct carriers"},
		{"older rules", func() *State {
			s := attempted(today(oneParcel()))
			s.Rules = peopleRules
			return s
		}, HoldAtLocation, Support, "older rules"},
		{"nothing to know it by", func() *State { return attempted(noNumber) }, Redeliver, Support, "no number"},
		{"the address is as it was", func() *State { return attempted(today(oneParcel())) }, Redirect, Support, "has not been corrected"},
		{"a corrected address", func() *State {
			s := attempted(today(oneParcel()))
			play(s, CorrectAddress{bySupport(30.5), 1})
			return s
		}, Redirect, Support, ""},
		{"told something else", func() *State {
			s := attempted(today(oneParcel()))
			play(s, resolveWith(s, HoldAtLocation), moves(40, AttemptFailed))
			return s
		}, ReturnToSender, Support, "something else"},
		{"a delivered parcel", func() *State {
			s := attempted(today(oneParcel()))
			c := s.Cases[0]
			play(s, moves(32, Delivered))
			c.Pinned = true // reopened by a person
			s.Cases = append(s.Cases, c)
			return s
		}, ReturnToSender, Support, "is delivered since"},
	} {
		s := c.state()
		e := resolveWith(s, c.how)
		e.By = c.by
		err := Check(s, e)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: refused: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want a refusal with %q", c.name, err, c.want)
		}
	}
}

// A newer address may follow a parcel that left, but not one that has arrived.
func TestAnAddressIsCorrectedWhileTheCarrierHasTheParcel(t *testing.T) {
	e := CorrectAddress{bySupport(31), 1}
	if err := Check(attempted(today(oneParcel())), e); err != nil {
		t.Errorf("on its way: %v", err)
	}
	for name, s := range map[string]*State{
		"delivered":                           after(today(oneParcel()), moves(10, Accepted), moves(30, Delivered)),
		"nobody could tell the carrier of it": after(today(oneParcel()), moves(10, Accepted), moves(30, InTransit)),
	} {
		if Check(s, e) == nil {
			t.Errorf("%s: granted", name)
		}
	}
	old := attempted(today(oneParcel()))
	old.Rules = peopleRules
	if Check(old, e) == nil {
		t.Error("older rules: granted")
	}
}

func TestTheLimitOfAttemptsBringsAParcelBackOnce(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy.ReturnAtLimit, spec.Policy.AttemptLimit = true, 2
	s := attempted(spec)
	equal(t, "instructions after one attempt", len(s.Instructions), 0)
	same(t, "commands", commands(play(s, moves(40, AttemptFailed))), "instruct_carrier A dhl T-100")
	id := s.Instructions[0].ID
	play(s, Answered{Meta: metaAt(41, Engine), Command: id, Failed: "nobody can be told"}, tick(42))
	equal(t, "state", s.Instructions[0].State, InstructionByHand)
	play(s, EndInstruction{Meta: bySupport(43), Instruction: id}, tick(44))
	equal(t, "instructions after a person gave up", len(s.Instructions), 1)
	same(t, "the next attempt", commands(play(s, moves(50, AttemptFailed))), "instruct_carrier A dhl T-100")
	play(s, Answered{Meta: metaAt(51, Engine), Command: s.Instructions[1].ID}, moves(60, AttemptFailed))
	equal(t, "instructions once it comes back", len(s.Instructions), 2)

	person := attempted(spec)
	play(person, moves(40, InTransit), moves(41, AttemptFailed))
	equal(t, "the engine is quicker", len(person.Instructions), 1)
	decided := attempted(today(oneParcel()))
	play(decided, resolveWith(decided, Redeliver))
	decided.Spec.Policy.ReturnAtLimit, decided.Spec.Policy.AttemptLimit = true, 1
	play(decided, tick(32))
	equal(t, "a person has decided about this attempt", len(decided.Instructions), 1)
}

func TestClaimWindows(t *testing.T) {
	for _, w := range ClaimWindows {
		if w.Source == "" || w.Within <= 0 || len(w.Kinds) == 0 {
			t.Errorf("%+v is not whole", w)
		}
	}
	for _, c := range []struct {
		carrier, from, to string
		kind              CaseKind
		want              float64 // hours after the order
	}{
		{"ups", "", "", NotReceived, 30 + 60*24},
		{"fedex", "US", "US", Damaged, 30 + 60*24},
		{"fedex", "US", "DE", Damaged, 30 + 21*24},
		{"fedex", "US", "DE", LostParcel, 10 + 270*24},
		{"usps", "US", "US", LostParcel, 10 + 60*24},
		{"dhl", "DE", "DE", Damaged, 10 + 30*24},
		{"gls", "DE", "DE", Damaged, 10 + 30*24},
	} {
		spec := today(oneParcel())
		spec.Parcels[0].Carrier, spec.ShipFrom, spec.ShipTo = c.carrier, c.from, c.to
		s := after(spec, moves(10, Accepted), moves(30, Delivered))
		s.open(c.kind, &s.Parcels[0], SupportTeam, at(30), "")
		cs := s.caseOf(c.kind, "A")
		w, ok := s.claimWait(cs)
		if !ok || !w.Until.Equal(at(c.want)) {
			t.Errorf("%s %s: by %s, %v; want %gh", c.carrier, c.kind, hoursIn(w.Until), ok, c.want)
		}
		e := ResolveCase{Meta: bySupport(0), Case: cs.ID, Resolution: Claim}
		for _, by := range []struct {
			now  time.Time
			good bool
		}{{at(c.want - 0.1), true}, {at(c.want), false}} {
			s.Now = by.now
			if err := Check(s, e); (err == nil) != by.good {
				t.Errorf("%s %s at %s: %v", c.carrier, c.kind, hoursIn(by.now), err)
			}
		}
	}
	unheld := after(today(oneParcel()), scan(1, ScanPicked))
	unheld.open(LostParcel, &unheld.Parcels[0], SupportTeam, at(2), "")
	if _, ok := unheld.claimWait(unheld.caseOf(LostParcel, "A")); ok {
		t.Error("a claim for a parcel that no carrier had")
	}
}

// A life of failed attempts: carriers that take, decline or do not answer, people
// who try again, and a parcel that may be quicker than all of them.
func TestWhateverCarriersAnswerNothingIsForgotten(t *testing.T) {
	seen := map[InstructionState]bool{}
	rapid.Check(t, func(t *rapid.T) {
		spec := today(oneParcel())
		spec.Policy.ReturnAtLimit, spec.Policy.AttemptLimit = rapid.Bool().Draw(t, "return at limit"), rapid.IntRange(1, 3).Draw(t, "limit")
		w, h := watching(spec), 10.0
		steps := []Event{moves(h, Accepted), moves(h, AttemptFailed)}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			for _, e := range steps {
				if err := w.apply(e); err != nil {
					t.Fatal(err)
				}
			}
			for _, i := range w.s.Instructions {
				seen[i.State] = true
			}
			h += rapid.SampledFrom([]float64{0.1, 1, 5, 20}).Draw(t, "hours")
			steps = []Event{tick(h)}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				steps = append(steps, moves(h, rapid.SampledFrom([]Milestone{AttemptFailed, AttemptFailed, OutForDelivery, Delivered, Returning}).Draw(t, "milestone")))
			case 1:
				steps = append(steps, CorrectAddress{bySupport(h), w.s.AddressVersion + 1})
			case 2, 3:
				for _, c := range w.s.Cases {
					e := ResolveCase{Meta: bySupport(h), Case: c.ID, Resolution: rapid.SampledFrom(Instructions).Draw(t, "how")}
					if e.Resolution.NeedsUntil() {
						e.Until = at(h + 30)
					}
					steps = append(steps, e)
				}
			case 4:
				for _, c := range w.s.Pending {
					steps = append(steps, Answered{Meta: metaAt(h, Engine), Command: c.ID, Declined: rapid.SampledFrom([]string{"", "no"}).Draw(t, "declined")})
				}
			case 5:
				for _, i := range w.s.Instructions {
					steps = append(steps, EndInstruction{Meta: bySupport(h), Instruction: i.ID, Done: rapid.Bool().Draw(t, "done")})
				}
			}
		}
		if err := w.finish(at(h)); err != nil {
			t.Fatal(err)
		}
	})
	for _, s := range InstructionStates {
		if !seen[s] {
			t.Errorf("no instruction was ever %s", s)
		}
	}
}
