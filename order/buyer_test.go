package order

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func byBuyer(h float64) Meta {
	return Meta{ID: fmt.Sprintf("buyer@%g", h), By: Buyer, Actor: "buyer", Reason: "chosen by the buyer", Received: at(h), Applied: at(h)}
}

// unaddressed is parcel A with a carrier that cannot find the address.
func unaddressed(spec Spec) *State {
	e := moves(30, InTransit)
	e.Bucket = "address"
	return after(spec, moves(10, Accepted), e)
}

func delivered(spec Spec) *State { return after(spec, moves(10, Accepted), moves(30, Delivered)) }

func missing(spec Spec) *State {
	s := delivered(spec)
	play(s, ReportNotReceived{byBuyer(31), "A"})
	return s
}

func openCaseOf(s *State, kind CaseKind) string {
	if c := s.caseOf(kind, "A"); c != nil {
		return c.ID
	}
	return "none"
}

// dayAhead is a day on which the carrier may come, so many days from now.
func dayAhead(s *State, n int) time.Time {
	return time.Unix((s.Now.Unix()/secondsPerDay+int64(n)+1)*secondsPerDay-60, 0).UTC()
}

func TestWhatBuyersMay(t *testing.T) {
	const granted Why = "granted"
	spec := today(oneParcel())
	dear := spec
	dear.Class = HighValue
	retry := func(s *State, n int) Event {
		return ResolveCase{Meta: byBuyer(31), Case: openCaseOf(s, FailedAttempt), Resolution: Redeliver, Until: dayAhead(s, n)}
	}
	hold := func(s *State) Event {
		return ResolveCase{Meta: byBuyer(31), Case: openCaseOf(s, FailedAttempt), Resolution: HoldAtLocation}
	}
	address := func(*State) Event { return CorrectAddress{byBuyer(31), 2} }
	back := func(quantity int, wanted RemedyKind) func(*State) Event {
		return func(*State) Event {
			return RequestReturn{Meta: byBuyer(40), Lines: []ReturnLine{{SKU: "mug", Quantity: quantity, Reason: ChangedMind, Wanted: wanted}}}
		}
	}
	for _, c := range []struct {
		name  string
		state *State
		ask   func(*State) Event
		want  Why // empty: refused without a name
	}{
		{"a delivered parcel is not there", delivered(spec), func(*State) Event { return ReportNotReceived{byBuyer(31), "A"} }, granted},
		{"it is said already", missing(spec), func(*State) Event { return ReportNotReceived{byBuyer(32), "A"} }, WhyReported},
		{"nobody says that it came", attempted(spec), func(*State) Event { return ReportNotReceived{byBuyer(31), "A"} }, WhyUndelivered},
		{"long ago", delivered(spec), func(s *State) Event { s.Now = at(24 * 200); return ReportNotReceived{byBuyer(24 * 200), "A"} }, WhyTooLate},
		{"another's parcel", delivered(spec), func(*State) Event { return ReportNotReceived{byBuyer(31), "Z"} }, ""},

		{"it has turned up", missing(spec), func(*State) Event { return FoundParcel{byBuyer(32), "A"} }, granted},
		{"it turns up while support waits", func() *State {
			s := missing(spec)
			m := bySupport(32)
			play(s, ResolveCase{Meta: m, Case: openCaseOf(s, NotReceived), Resolution: WaitOn, Until: at(100)})
			return s
		}(), func(*State) Event { return FoundParcel{byBuyer(33), "A"} }, granted},
		{"nobody looks for it", delivered(spec), func(*State) Event { return FoundParcel{byBuyer(32), "A"} }, WhyNotMissing},
		{"it turned up before, and is missing again", func() *State {
			s := missing(spec)
			play(s, FoundParcel{byBuyer(32), "A"})
			return s
		}(), func(*State) Event { return ReportNotReceived{byBuyer(33), "A"} }, WhyDecided},

		{"another day", attempted(spec), func(s *State) Event { return retry(s, 1) }, granted},
		{"the last day", attempted(spec), func(s *State) Event { return retry(s, 10) }, granted},
		{"of a valuable order", attempted(dear), func(s *State) Event { return retry(s, 2) }, granted},
		{"today", attempted(spec), func(s *State) Event { return retry(s, 0) }, WhyDay},
		{"too far", attempted(spec), func(s *State) Event { return retry(s, 11) }, WhyDay},
		{"at noon", attempted(spec), func(s *State) Event {
			e := retry(s, 2).(ResolveCase)
			e.Until = e.Until.Add(-12 * hour)
			return e
		}, WhyDay},
		{"nothing failed", delivered(spec), func(s *State) Event { return retry(s, 1) }, WhySettled},
		{"kept for pickup", attempted(spec), hold, granted},
		{"at a point of theirs", attempted(spec), func(s *State) Event {
			e := hold(s).(ResolveCase)
			e.Point = "P-1"
			return e
		}, ""},
		{"told something else", func() *State {
			s := attempted(spec)
			c := s.Cases[0]
			play(s, hold(s))
			c.ID, c.Pinned = "again", true
			s.Cases = append(s.Cases, c)
			return s
		}(), func(s *State) Event { return retry(s, 1) }, WhyUnderWay},
		{"it is being brought back", func() *State {
			late := spec
			late.Policy.ReturnAtLimit, late.Policy.AttemptLimit = true, 1
			s := attempted(late)
			play(s, Answered{Meta: metaAt(31, Engine), Command: s.Instructions[0].ID})
			return s
		}(), func(s *State) Event { return retry(s, 1) }, WhyUnderWay},
		{"redirected", attempted(spec), func(s *State) Event {
			return ResolveCase{Meta: byBuyer(31), Case: openCaseOf(s, FailedAttempt), Resolution: Redirect}
		}, ""},
		{"dismissed", missing(spec), func(s *State) Event {
			return ResolveCase{Meta: byBuyer(31), Case: openCaseOf(s, NotReceived), Resolution: Dismiss}
		}, ""},

		{"the right address", unaddressed(spec), address, granted},
		{"another address without need", attempted(spec), address, WhySettled},
		{"before it is sent", after(spec), address, WhySettled},
		{"of a valuable order", unaddressed(dear), address, WhyPerson},
		{"changed all the time", unaddressed(spec), func(s *State) Event { return CorrectAddress{byBuyer(31), MaxBuyerAddresses + 1} }, WhyTooMany},
		{"asked to be asked", unaddressed(dear), func(s *State) Event {
			return NoteCase{byBuyer(31), openCaseOf(s, AddressProblem), WrongAddress}
		}, granted},
		{"asked twice", unaddressed(dear), func(s *State) Event {
			e := NoteCase{byBuyer(31), openCaseOf(s, AddressProblem), WrongAddress}
			play(s, e)
			return e
		}, WhyReported},
		{"words of their own", unaddressed(dear), func(s *State) Event {
			return NoteCase{byBuyer(31), openCaseOf(s, AddressProblem), "1 Main Street"}
		}, ""},

		{"sent back", delivered(spec), back(2, RefundRemedy), granted},
		{"replaced", delivered(spec), back(1, ReplacementRemedy), granted},
		{"exchanged", delivered(spec), back(1, ExchangeRemedy), WhyPerson},
		{"more than came", delivered(spec), back(3, RefundRemedy), WhyQuantity},
		{"nothing", delivered(spec), func(*State) Event { return RequestReturn{Meta: byBuyer(40)} }, WhyNothing},
		{"too late", delivered(spec), func(s *State) Event { s.Now = at(24 * 400); return back(1, RefundRemedy)(s) }, WhyTooLate},
		{"not here yet", attempted(spec), back(1, RefundRemedy), WhyQuantity},
		{"taken in", after(spec, moves(10, Accepted), moves(30, Returning), moves(40, Returned)), func(*State) Event {
			return RequestReturn{Meta: byBuyer(41), Parcel: "A"}
		}, ""},
	} {
		got := granted
		if err := Check(c.state, c.ask(c.state)); err != nil {
			var no *Refusal
			if !errors.As(err, &no) {
				t.Fatalf("%s: %v", c.name, err)
			}
			got = no.Why
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAFoundParcelIsNotLookedForAnyMore(t *testing.T) {
	s := missing(today(oneParcel()))
	play(s, ResolveCase{Meta: bySupport(32), Case: openCaseOf(s, NotReceived), Resolution: WaitOn, Until: at(100)}, FoundParcel{byBuyer(33), "A"}, tick(200))
	equal(t, "cases", len(s.Cases), 0)
	equal(t, "revisits", len(s.Revisits), 0)

	s = missing(today(oneParcel()))
	play(s, FoundParcel{byBuyer(32), "A"})
	equal(t, "cases", len(s.Cases), 0)
	d := s.Decisions[len(s.Decisions)-1]
	equal(t, "decision", d.Resolution, Dismiss)
	equal(t, "by", d.Actor, "buyer")
	equal(t, "proof is asked for", s.ParcelByID("A").Proof.Command, "")
}

func TestSupportReadsThatTheBuyerCorrectedTheAddress(t *testing.T) {
	s := unaddressed(today(oneParcel()))
	play(s, CorrectAddress{byBuyer(31), 2})
	equal(t, "version", s.AddressVersion, 2)
	equal(t, "case", s.caseOf(AddressProblem, "A").Text, "the carrier says: address; the buyer corrected the address at 2026-03-03 16:00 UTC")
	equal(t, "instructions", len(s.Instructions), 0)
	if e := (ResolveCase{Meta: bySupport(32), Case: openCaseOf(s, AddressProblem), Resolution: Redirect}); Check(s, e) != nil {
		t.Error("support may not redirect it")
	}
}

// Berlin works from Monday to Saturday but on Good Friday and Easter Monday.
func TestAnotherAttemptIsOnADayOnWhichTheCarrierWorks(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy.Calendars = []Calendar{berlin()}
	spec.Policy.Clocks = []Clock{{"movement", "warehouse"}}
	s := attempted(spec)
	// In Berlin it is Thursday already.
	var got []Date
	for _, d := range DeliveryDays(s, "A", time.Date(2026, 4, 1, 22, 30, 0, 0, time.UTC)) {
		got = append(got, DateOf(d))
	}
	want := []Date{20260404, 20260407, 20260408, 20260409, 20260410, 20260411}
	if !slices.Equal(got, want) {
		t.Errorf("days %v, want %v", got, want)
	}
	equal(t, "without a calendar", len(DeliveryDays(attempted(today(oneParcel())), "A", at(40))), maxBuyerDays)
	equal(t, "of no parcel", len(DeliveryDays(s, "nobody's", at(40))), 0)
}

// drawBuyerAct is anything that somebody with a buyer's link might ask: what their
// page offers, and everything else.
func drawBuyerAct(t *rapid.T, s *State, now time.Time) Event {
	m := Meta{ID: fmt.Sprint("b", s.Seq), By: Buyer, Actor: "buyer", Applied: now}
	parcel := rapid.SampledFrom([]string{"A", "B", "R1"}).Draw(t, "parcel")
	id := "none"
	if len(s.Cases) > 0 {
		id = rapid.SampledFrom(s.Cases).Draw(t, "case").ID
	}
	switch rapid.IntRange(0, 8).Draw(t, "buyer's act") {
	case 0:
		return ReportNotReceived{m, parcel}
	case 1:
		return FoundParcel{m, parcel}
	case 2, 3:
		e := ResolveCase{Meta: m, Case: id, Resolution: rapid.SampledFrom(Resolutions).Draw(t, "resolution"), Amount: int64(rapid.IntRange(0, 1).Draw(t, "amount"))}
		e.Until = dayAhead(s.At(now), rapid.IntRange(-1, 12).Draw(t, "day"))
		return e
	case 4:
		return CorrectAddress{m, s.AddressVersion + rapid.IntRange(0, 3).Draw(t, "version")}
	case 5:
		return NoteCase{m, id, rapid.SampledFrom([]string{WrongAddress, "send it to me"}).Draw(t, "text")}
	case 6:
		e := RequestReturn{Meta: m}
		for range rapid.IntRange(0, 2).Draw(t, "lines") {
			e.Lines = append(e.Lines, ReturnLine{SKU: rapid.SampledFrom([]string{"mug", "tea"}).Draw(t, "sku"), Quantity: rapid.IntRange(0, 3).Draw(t, "quantity"), Reason: ChangedMind,
				Wanted: rapid.SampledFrom([]RemedyKind{RefundRemedy, ReplacementRemedy}).Draw(t, "wanted")})
		}
		return e
	case 7:
		m.Reason = "because"
		return speakAs(drawAct(t, s, now), m)
	}
	m.Reason = "because"
	return speakAs(drawEvent(t, now), m)
}

// speakAs is the event as somebody else's.
func speakAs(e Event, m Meta) Event {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	v.Set(reflect.ValueOf(e))
	v.FieldByName("Meta").Set(reflect.ValueOf(m))
	return v.Interface().(Event)
}

// Whatever a buyer is granted in whatever life, it tells no carrier of another
// address, moves no money, cancels nothing, and says of no parcel where it is.
func TestNothingThatABuyerIsGrantedMovesGoodsOrMoney(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := today(rapid.SampledFrom([]Spec{oneParcel(), twoParcels()}).Draw(t, "spec"))
		spec.Class = rapid.SampledFrom(Classes).Draw(t, "class")
		now := t0
		s := New(spec, CurrentRules, now)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "something happens") {
				if e := drawStep(t, &s, &now); Check(&s, e) == nil {
					Apply(&s, e)
				}
				continue
			}
			Apply(&s, Tick{Meta{By: Engine, Applied: now}}) // time alone changes things too
			e := drawBuyerAct(t, &s, now)
			switch e.(type) {
			case Scan, CarrierEvent, Unreadable, Tick, Answered:
				if Check(&s, e) == nil {
					t.Fatalf("a buyer may say %T", e)
				}
				continue
			}
			before := s.Clone()
			if Check(&s, e) != nil {
				continue
			}
			Apply(&s, e)
			if err := onlyABuyers(before, &s, e); err != nil {
				t.Fatalf("%T %+v: %v", e, e, err)
			}
		}
	})
}

func onlyABuyers(before, s *State, e Event) error {
	switch {
	case !reflect.DeepEqual(before.Spec, s.Spec):
		return fmt.Errorf("what was ordered has changed")
	case !reflect.DeepEqual(before.Remedies, s.Remedies):
		return fmt.Errorf("remedies: %v, were %v", s.Remedies, before.Remedies)
	case !before.CancelledAt.Equal(s.CancelledAt) || !before.PromisedAt.Equal(s.PromisedAt) || (before.Hold == nil) != (s.Hold == nil):
		return fmt.Errorf("cancelled, held, released or promised")
	}
	for _, p := range before.Parcels {
		q := s.ParcelByID(p.ID)
		if q == nil || q.Milestone != p.Milestone || q.Tracking != p.Tracking || q.Carrier != p.Carrier || !reflect.DeepEqual(q.Lines, p.Lines) {
			return fmt.Errorf("parcel %s is %v, was %v", p.ID, q, p)
		}
	}
	_, corrects := e.(CorrectAddress)
	if s.AddressVersion != before.AddressVersion && (!corrects || before.addressCase() == nil || s.Spec.Class == HighValue) {
		return fmt.Errorf("address %d, was %d", s.AddressVersion, before.AddressVersion)
	}
	for _, i := range s.Instructions[len(before.Instructions):] {
		if i.Kind != Redeliver && i.Kind != HoldAtLocation || i.Point != "" || i.AddressVersion != 0 {
			return fmt.Errorf("the carrier is told: %+v", i)
		}
	}
	for i := range before.Returns {
		if !reflect.DeepEqual(before.Returns[i], s.Returns[i]) {
			return fmt.Errorf("return %s has changed", before.Returns[i].ID)
		}
	}
	return nil
}
