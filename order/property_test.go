package order

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Draws. Times come from a small grid, so that ties and repeats are common, and
// now and then from far away.

func drawTime(t *rapid.T, label string) time.Time {
	switch rapid.IntRange(0, 19).Draw(t, label+" era") {
	case 0:
		return time.Time{}
	case 1:
		return t0.AddDate(-30, 0, 0)
	case 2:
		return t0.AddDate(40, 0, 0)
	case 3:
		return t0.Add(-2 * hour)
	}
	return at(float64(rapid.IntRange(0, 60).Draw(t, label)) * 6)
}

var sources = []Source{Warehouse, CarrierSays, CarrierSays, ReturnsDesk, Storefront, Support, Buyer, Engine, "", "martian"}

func drawMilestone(t *rapid.T) Milestone {
	i := rapid.IntRange(-2, len(Definitions)-1).Draw(t, "milestone")
	switch i {
	case -2:
		return ""
	case -1:
		return "teleported"
	}
	return Definitions[i].Milestone
}

// drawEvent makes any event at all; now is when the order learns of it.
func drawEvent(t *rapid.T, now time.Time) Event {
	m := Meta{
		ID: fmt.Sprint("e", rapid.IntRange(0, 1000).Draw(t, "id")), By: rapid.SampledFrom(sources).Draw(t, "by"), Reason: "because",
		Occurred: drawTime(t, "occurred"), Applied: now,
	}
	if rapid.Bool().Draw(t, "received") {
		m.Received = now
	}
	if rapid.Bool().Draw(t, "inbox") {
		m.N = int64(rapid.IntRange(1, 40).Draw(t, "n"))
	}
	parcel := rapid.SampledFrom([]string{"A", "A", "A", "B", "1", "R1", "R2", "nobody's"}).Draw(t, "parcel")
	switch kind := rapid.IntRange(0, 19).Draw(t, "kind"); kind {
	case 0, 1, 2:
		e := Scan{Meta: m, Parcel: parcel, Kind: rapid.SampledFrom(append([]ScanKind{"juggled"}, ScanKinds...)).Draw(t, "scan")}
		if rapid.Bool().Draw(t, "usual") {
			e.By = Warehouse
		}
		e.Tracking = rapid.SampledFrom([]string{"", "T-100", "T-300"}).Draw(t, "tracking")
		return e
	case 3, 4, 5, 6, 7, 8, 9:
		e := CarrierEvent{Meta: m, Parcel: parcel, Milestone: drawMilestone(t), Physical: rapid.IntRange(0, 4).Draw(t, "physical") > 0,
			Correction: rapid.IntRange(0, 9).Draw(t, "correction") == 0, Location: rapid.SampledFrom([]string{"", "Leipzig", "Köln"}).Draw(t, "place"),
			Bucket: rapid.SampledFrom([]string{"", "", "weather", "damage", "refused", "address"}).Draw(t, "bucket")}
		if rapid.Bool().Draw(t, "usual") {
			e.By = CarrierSays
		}
		if rapid.Bool().Draw(t, "with eta") {
			e.ETA = drawTime(t, "eta")
		}
		if rapid.Bool().Draw(t, "in a shipment") {
			e = inShipment(t, e)
		}
		return e
	case 10:
		return Unreadable{m, "torn"}
	case 11:
		e := PutParcel{Meta: m, Parcel: parcel, Carrier: rapid.SampledFrom([]string{"", "ups", "UPS!"}).Draw(t, "carrier"), Tracking: rapid.SampledFrom([]string{"", "T-300", "x"}).Draw(t, "tracking")}
		for range rapid.IntRange(0, 2).Draw(t, "lines") {
			e.Lines = append(e.Lines, Allocation{rapid.SampledFrom([]string{"mug", "tea", "air"}).Draw(t, "sku"), rapid.IntRange(-1, 3).Draw(t, "quantity")})
		}
		return e
	case 12:
		e := Cancel{Meta: m}
		if rapid.Bool().Draw(t, "part") {
			e.Parcels = []string{parcel}
		}
		return e
	case 13:
		return Hold{m, drawTime(t, "until")}
	case 14:
		return Release{m}
	case 15:
		return ChangePromise{m, drawTime(t, "promise")}
	case 16:
		return CorrectAddress{m, rapid.IntRange(0, 5).Draw(t, "version")}
	case 17:
		return CorrectMilestone{m, parcel, drawMilestone(t)}
	case 18:
		return Answered{Meta: m, Command: "nobody asked", LastMovement: drawTime(t, "movement")}
	}
	return Tick{m}
}

// inShipment makes the event one of a shipment of several pieces.
func inShipment(t *rapid.T, e CarrierEvent) CarrierEvent {
	e.Tracking = rapid.SampledFrom([]string{"T-100", "T-100", "T-100", "T-200", "M-1"}).Draw(t, "number")
	e.Piece = rapid.SampledFrom([]string{"", "T-100", "T-200", "P-1", "P-1", "P-2"}).Draw(t, "piece")
	e.Pieces = rapid.IntRange(0, 3).Draw(t, "pieces")
	e.Whole = e.Piece == "" && rapid.IntRange(0, 3).Draw(t, "whole") == 0
	return e
}

func drawSpec(t *rapid.T) Spec {
	s := rapid.SampledFrom([]Spec{oneParcel(), twoParcels(), inOneShipment()}).Draw(t, "spec")
	if rapid.Bool().Draw(t, "today's rules") {
		s = today(s)
	}
	if rapid.Bool().Draw(t, "unplanned") {
		s.Parcels = nil
	}
	if rapid.Bool().Draw(t, "labels by policy") {
		s.Policy.ReturnLabels, s.Policy.ReturnCarrier = LabelsAutomatic, "ups"
	}
	if rapid.Bool().Draw(t, "known weights") {
		s.Lines = slices.Clone(s.Lines)
		for i := range s.Lines {
			s.Lines[i].WeightG = 400
		}
	}
	if rapid.Bool().Draw(t, "no promise") {
		s.PromisedAt = time.Time{}
	}
	return s
}

// drawStep makes the next event of a life in which time goes on, answering a
// pending command now and then.
func drawStep(t *rapid.T, s *State, now *time.Time) Event {
	*now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 20, 60, 8 * 60, 30 * 60, 5 * 24 * 60, 40 * 24 * 60}).Draw(t, "minutes later")) * time.Minute)
	if len(s.Pending) > 0 && rapid.Bool().Draw(t, "answer") {
		a := Answered{Meta: Meta{By: Engine, Applied: *now}, Command: rapid.SampledFrom(s.Pending).Draw(t, "command").ID, LastMovement: drawTime(t, "movement")}
		if rapid.Bool().Draw(t, "the feed is silent") {
			a.FeedSilentSince = drawTime(t, "silent since")
		}
		a.Declined, a.Failed = rapid.SampledFrom([]string{"", "", "too late"}).Draw(t, "declined"), rapid.SampledFrom([]string{"", "", "away"}).Draw(t, "failed")
		a.Unclear, a.Tracking, a.Reference = rapid.IntRange(0, 3).Draw(t, "unclear") == 0, rapid.SampledFrom([]string{"", "T-950"}).Draw(t, "made"), rapid.SampledFrom([]string{"", "ref"}).Draw(t, "reference")
		a.Held, a.DeliveredTo = rapid.SampledFrom([]string{"", "photo"}).Draw(t, "held"), rapid.SampledFrom([]string{"", "neighbour"}).Draw(t, "delivered to")
		return a
	}
	if s.Rules >= peopleRules && rapid.IntRange(0, 3).Draw(t, "people") == 0 {
		return drawAct(t, s, *now)
	}
	return drawEvent(t, *now)
}

// drawPolicy is the next version of a policy: on calendars, quicker or slower.
func drawPolicy(t *rapid.T, p Policy) Policy {
	p.Version += rapid.IntRange(0, 2).Draw(t, "version")
	p.Name = rapid.SampledFrom([]string{p.Name, p.Name, "other"}).Draw(t, "policy")
	p.Calendars, p.Clocks = []Calendar{berlin()}, nil
	p.Calendars[0].CutOff = TimeOfDay(60 * rapid.IntRange(9, 16).Draw(t, "cut-off"))
	for _, line := range ClockLines {
		if rapid.Bool().Draw(t, line) {
			p.Clocks = append(p.Clocks, Clock{line, "warehouse"})
		}
	}
	for _, d := range []*Duration{&p.Pick, &p.Pack, &p.Handoff, &p.Movement, &p.CaseDue} {
		*d = Duration(rapid.SampledFrom([]time.Duration{time.Minute, 8 * hour, 200 * hour, 0}).Draw(t, "line"))
	}
	p.ReturnLabels, p.ReturnCarrier = rapid.SampledFrom([]string{"", LabelsAutomatic}).Draw(t, "labels"), "ups"
	p.AttemptLimit, p.ReturnAtLimit = rapid.IntRange(0, 2).Draw(t, "attempts"), rapid.Bool().Draw(t, "return at limit")
	return p
}

// drawAct is something that people do about cases, waits and remedies.
func drawAct(t *rapid.T, s *State, now time.Time) Event {
	m := Meta{ID: fmt.Sprint("a", s.Seq), By: rapid.SampledFrom([]Source{Support, Support, Support, Warehouse, Storefront, Buyer}).Draw(t, "by"),
		Actor: rapid.SampledFrom([]string{"ann", "bo"}).Draw(t, "actor"), Reason: rapid.SampledFrom([]string{"because", ""}).Draw(t, "reason"), Applied: now}
	var ids []string
	for _, c := range s.Cases {
		ids = append(ids, c.ID)
	}
	for _, d := range s.Decisions {
		ids = append(ids, d.Case.ID)
	}
	on := rapid.SampledFrom(append(ids, "nothing-1")).Draw(t, "case")
	until := now.Add(time.Duration(rapid.SampledFrom([]int{-1, 1, 24, 24 * 10, 24 * 300}).Draw(t, "until")) * hour)
	wait := Wait{Kind: WaitPick, Parcel: "A"}
	if ws := Waiting(s); len(ws) > 0 {
		wait = rapid.SampledFrom(ws).Draw(t, "wait")
	}
	remedy := "nothing"
	if len(s.Remedies) > 0 {
		remedy = rapid.SampledFrom(s.Remedies).Draw(t, "remedy").ID
	}
	if rapid.Bool().Draw(t, "about returns") {
		return drawReturnAct(t, s, m)
	}
	switch rapid.IntRange(0, 15).Draw(t, "act") {
	case 0:
		return AssignCase{m, on, "ann"}
	case 1:
		return NoteCase{m, on, "called them"}
	case 2, 3, 4, 5:
		return ResolveCase{Meta: m, Case: on, Resolution: rapid.SampledFrom(Resolutions).Draw(t, "resolution"), Until: until, Amount: int64(rapid.SampledFrom([]int{0, 0, 500, 90000}).Draw(t, "amount"))}
	case 6:
		return ReopenCase{m, on}
	case 7:
		return ExtendWait{m, wait.Kind, wait.Parcel, wait.Case, until}
	case 8:
		return FireWait{m, wait.Kind, wait.Parcel, wait.Case}
	case 9:
		return ReportNotReceived{m, "A"}
	case 10:
		return DecideRemedy{m, remedy, rapid.Bool().Draw(t, "agree")}
	case 11:
		return AdoptPolicy{m, drawPolicy(t, s.Spec.Policy), rapid.IntRange(0, 3).Draw(t, "switch") == 0}
	case 12:
		return CorrectAddress{m, s.AddressVersion + 1}
	case 14:
		return FoundParcel{m, "A"}
	case 13:
		e := EndInstruction{Meta: m, Instruction: "nothing", Done: rapid.Bool().Draw(t, "done")}
		if len(s.Instructions) > 0 {
			e.Instruction = rapid.SampledFrom(s.Instructions).Draw(t, "instruction").ID
		}
		return e
	}
	return EndRemedy{Meta: m, Remedy: remedy, Confirmed: rapid.Bool().Draw(t, "confirmed")}
}

// drawReturnAct is something that people do about returns: mostly the next step.
func drawReturnAct(t *rapid.T, s *State, m Meta) Event {
	if rapid.IntRange(0, 3).Draw(t, "desk") > 0 {
		m.By, m.Reason = ReturnsDesk, "because"
	}
	sku := rapid.SampledFrom([]string{"mug", "tea", "mug"}).Draw(t, "sku")
	quantity := rapid.IntRange(0, 3).Draw(t, "quantity")
	id, usual := "R1", []int{0, 1, 1, 2}
	if len(s.Returns) > 0 {
		r := rapid.SampledFrom(s.Returns).Draw(t, "return")
		id = r.ID
		for _, l := range r.Lines {
			if all, _ := r.found(l.SKU); all < l.Quantity && rapid.IntRange(0, 3).Draw(t, "its own") > 0 {
				sku, quantity = l.SKU, l.Quantity-all
			}
		}
		switch r.State {
		case ReturnRequested:
			usual = []int{3, 3, 3, 9}
		case ReturnAuthorized, ReturnLabelSent, ReturnPickup, ReturnInTransit:
			usual = []int{0, 1, 4, 4, 9}
		case ReturnReceived, ReturnInspecting:
			usual = []int{5, 6, 7, 8}
		case ReturnDispositioned, RefundReleased, ReplacementReleased, ReturnSentBack:
			usual = []int{8, 9, 10, 10}
		case ReturnRejected, ReturnClosed, ReturnCancelled:
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "booking") == 0 {
		return drawBooking(t, s, m, id)
	}
	act := rapid.IntRange(0, 10).Draw(t, "return act")
	if rapid.IntRange(0, 5).Draw(t, "usual") > 0 {
		act = rapid.SampledFrom(usual).Draw(t, "usual act")
	}
	switch act {
	case 0, 1:
		l := ReturnLine{SKU: sku, Quantity: quantity, Reason: rapid.SampledFrom(ReturnReasons).Draw(t, "why"), Wanted: rapid.SampledFrom([]RemedyKind{RefundRemedy, ReplacementRemedy, ExchangeRemedy, "gold"}).Draw(t, "wanted")}
		if l.Wanted == ExchangeRemedy {
			l.Instead = "cup"
		}
		lines := []ReturnLine{l}
		if other := l; rapid.Bool().Draw(t, "two") {
			other.SKU, other.Wanted, other.Instead = "tea", rapid.SampledFrom([]RemedyKind{RefundRemedy, ReplacementRemedy}).Draw(t, "other wanted"), ""
			lines = append(lines, other)
		}
		return RequestReturn{Meta: m, Lines: lines}
	case 2:
		return RequestReturn{Meta: m, Parcel: rapid.SampledFrom([]string{"A", "B", "1", "R1"}).Draw(t, "box")}
	case 3:
		return DecideReturn{m, id, rapid.IntRange(0, 2).Draw(t, "agree") > 0}
	case 4:
		if rapid.Bool().Draw(t, "pickup") {
			return ShipReturn{Meta: m, Return: id, PickupAt: m.Applied.Add(hour)}
		}
		return ShipReturn{Meta: m, Return: id, Carrier: "ups", Tracking: "T-900"}
	case 5, 6, 7:
		p := Finding{SKU: sku, Quantity: quantity, Grade: rapid.SampledFrom(Grades).Draw(t, "grade"), Serial: rapid.SampledFrom([]SerialCheck{"", SerialOK, SerialMismatch}).Draw(t, "serial"),
			To: rapid.SampledFrom([]Disposition{"", "", Scrap, SendBack}).Draw(t, "to")}
		return InspectReturn{m, id, []Finding{p}}
	case 8:
		e := DisposeReturn{Meta: m, Return: id}
		if rapid.Bool().Draw(t, "override") {
			e.Lines = []Disposal{{sku, rapid.SampledFrom(Grades).Draw(t, "grade"), rapid.SampledFrom([]Disposition{"", Scrap, SendBack}).Draw(t, "to"), rapid.Bool().Draw(t, "accept")}}
		}
		return e
	}
	if act == 9 {
		return CancelReturn{m, id}
	}
	return SendReturnBack{Meta: m, Return: id}
}

// drawBooking asks the carrier for something, or ends what a person had to do.
func drawBooking(t *rapid.T, s *State, m Meta, id string) Event {
	box := Package{WeightG: rapid.SampledFrom([]int{0, 0, 900, -1}).Draw(t, "weight"), LengthMM: rapid.SampledFrom([]int{0, 0, 0, 300}).Draw(t, "length")}
	carrier := rapid.SampledFrom([]string{"", "ups", "ups", "UPS!"}).Draw(t, "by")
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		return AskPickup{Meta: m, Return: id, Carrier: carrier, Earliest: m.Applied.Add(hour), Latest: m.Applied.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "latest")) * hour), Package: box}
	case 1:
		e := EndBooking{Meta: m, Booking: "nothing"}
		if r := s.returnByID(id); r != nil && len(r.Bookings) > 0 {
			e.Booking = rapid.SampledFrom(r.Bookings).Draw(t, "booking").ID
		}
		if rapid.Bool().Draw(t, "void") {
			return VoidBooking(e)
		}
		return e
	}
	return AskLabel{Meta: m, Return: id, Carrier: carrier, Package: box}
}

func TestWhateverHappensTheInvariantsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := watching(drawSpec(t)), t0
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			if err := w.apply(drawStep(t, &w.s, &now)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnOrderGoesOnAfterContinueAsNewAsIfNothingHadHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		a, now := New(spec, rulesOf(spec), t0), t0
		b := reload(&a)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			e := drawStep(t, &a, &now)
			ca, cb := Apply(&a, e), Apply(&b, e)
			if !slices.Equal(ca, cb) {
				t.Fatalf("commands differ after %+v: %v, %v", e, ca, cb)
			}
			b = reload(&b)
			if text(&a) != text(&b) {
				t.Fatalf("after %T %+v:\n%s\n%s", e, e, text(&a), text(&b))
			}
		}
	})
}

// drawFacts makes facts of parcel A as inbox rows: they know when they happened
// and when they were received.
func drawFacts(t *rapid.T, corrections bool) []Event {
	var facts []Event
	for i := range rapid.IntRange(1, 14).Draw(t, "facts") {
		h := float64(rapid.IntRange(0, 12).Draw(t, "hour"))
		if rapid.IntRange(0, 9).Draw(t, "ahead") == 0 {
			h += 0.2 // the carrier's clock is ahead, within bounds
		}
		if rapid.IntRange(0, 2).Draw(t, "who") == 0 {
			e := scan(h, rapid.SampledFrom(ScanKinds).Draw(t, "scan"))
			e.ID = fmt.Sprint("f", i)
			facts = append(facts, e.known(20))
			continue
		}
		e := moves(h, drawMilestone(t))
		e.ID, e.Physical = fmt.Sprint("f", i), rapid.IntRange(0, 4).Draw(t, "physical") > 0
		e.Location = rapid.SampledFrom([]string{"", "Leipzig", "Köln"}).Draw(t, "place")
		if rapid.Bool().Draw(t, "with eta") {
			e.ETA = at(float64(rapid.IntRange(100, 102).Draw(t, "eta")))
		}
		e.Correction = corrections && rapid.IntRange(0, 3).Draw(t, "correction") == 0
		facts = append(facts, e.known(20))
	}
	return facts
}

func TestAnyArrivalOrderOfTheSameFactsEndsAlike(t *testing.T) {
	for _, corrections := range []bool{false, true} {
		t.Run(fmt.Sprint("corrections ", corrections), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				facts := drawFacts(t, corrections)
				a := after(oneParcel(), facts...)
				shuffled := rapid.Permutation(facts).Draw(t, "order")
				for range rapid.IntRange(0, 3).Draw(t, "repeats") {
					shuffled = append(shuffled, rapid.SampledFrom(facts).Draw(t, "repeat"))
				}
				b := after(oneParcel(), shuffled...)
				if outcome(a) != outcome(b) {
					t.Fatalf("\n%s\n%s", outcome(a), outcome(b))
				}
			})
		})
	}
}

func TestSupportDecidesOnWhatIsKnownAndArrivalOrderAroundItDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known, later := drawFacts(t, true), drawFacts(t, true)
		fix := CorrectMilestone{Meta: bySupport(21), Parcel: "A", Milestone: drawMilestone(t)}
		a := after(oneParcel(), known...)
		if Check(a, fix) != nil {
			return
		}
		play(a, fix)
		if m := a.Parcels[0].Milestone; m != fix.Milestone {
			t.Fatalf("support said %s, it is %s", fix.Milestone, m)
		}
		play(a, later...)
		b := after(oneParcel(), rapid.Permutation(known).Draw(t, "known")...)
		play(b, fix)
		play(b, rapid.Permutation(later).Draw(t, "later")...)
		if outcome(a) != outcome(b) {
			t.Fatalf("\n%s\n%s", outcome(a), outcome(b))
		}
	})
}

func TestTheFoldEqualsSortingEverythingAndLookingAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := drawFacts(t, rapid.Bool().Draw(t, "corrections"))
		s := after(oneParcel(), facts...)
		p := &s.Parcels[0]
		m, since, reached, possession, exact := oracle(facts)
		if p.Milestone != m {
			t.Fatalf("milestone %s, the oracle says %s", p.Milestone, m)
		}
		if !exact || m == Expected {
			return
		}
		if !p.Since.Equal(since) {
			t.Fatalf("%s since %s, the oracle says %s", m, p.Since, since)
		}
		if !p.PossessionAt.Equal(possession) {
			t.Fatalf("possession %s, the oracle says %s", p.PossessionAt, possession)
		}
		if len(p.Reached) != len(reached) {
			t.Fatalf("reached %v, the oracle says %v", p.Reached, reached)
		}
		for _, r := range p.Reached {
			if !r.At.Equal(reached[r.Milestone]) {
				t.Fatalf("%s reached at %s, the oracle says %s", r.Milestone, r.At, reached[r.Milestone])
			}
		}
	})
}

func TestTheSameFactUnderAnotherNumberChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := drawFacts(t, true)
		s := after(oneParcel(), facts...)
		want := outcome(s)
		again := rapid.SampledFrom(facts).Draw(t, "again")
		switch e := again.(type) {
		case Scan:
			e.N, e.ID = 99, "again"
			again = e
		case CarrierEvent:
			e.N, e.ID = 99, "again"
			again = e
		}
		play(s, again)
		if got := outcome(s); got != want {
			t.Fatalf("%T %+v:\n%s\n%s", again, again, want, got)
		}
	})
}

func TestTheLastFixedNumberOfFactsIsRemembered(t *testing.T) {
	s := begin(oneParcel())
	for n := int64(1); n <= 3*maxSeen; n++ {
		e := moves(float64(n), InTransit)
		e.N = n
		play(&s, e)
	}
	equal(t, "seen", len(s.Seen), maxSeen)
	seq := s.Seq
	e := moves(9, InTransit)
	e.N = 3*maxSeen - 100
	play(&s, e)
	equal(t, "seq after a repeat", s.Seq, seq)
}

// Lives of returns: an order that was delivered or came back, and then mostly
// what happens to returns.
func TestWhateverHappensToReturnsTheInvariantsHold(t *testing.T) {
	seen := map[ReturnState]bool{}
	rapid.Check(t, func(t *rapid.T) {
		spec := today(rapid.SampledFrom([]Spec{oneParcel(), twoParcels()}).Draw(t, "spec"))
		switch rapid.IntRange(0, 4).Draw(t, "prices") {
		case 0:
			spec.Currency = ""
		case 1:
			for i := range spec.Lines {
				spec.Lines[i].UnitAmount = 0
			}
		case 2:
			spec.Policy.RefundLimit, spec.Policy.ReturnAutoLimit = 1500, 1500
		}
		w, now := watching(spec), at(1)
		for _, p := range spec.Parcels {
			end := rapid.SampledFrom([]Milestone{Delivered, Delivered, Delivered, Returned, Lost}).Draw(t, p.ID)
			if err := w.apply(moves(1, end).of(p.ID)); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 24, 24, 24 * 4, 24 * 20}).Draw(t, "hours later")) * hour)
			var e Event
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0, 1, 2, 3, 4:
				m := Meta{ID: fmt.Sprint("a", w.s.Seq), By: Support, Actor: rapid.SampledFrom([]string{"ann", "bo"}).Draw(t, "actor"), Reason: "because", Applied: now}
				e = drawReturnAct(t, &w.s, m)
			case 5, 6:
				p := rapid.SampledFrom(w.s.Parcels).Draw(t, "parcel").ID
				if n := len(w.s.Returns); n > 0 && rapid.IntRange(0, 3).Draw(t, "a return's") > 0 {
					p = rapid.SampledFrom(w.s.Returns).Draw(t, "whose").Parcel
				}
				if rapid.IntRange(0, 2).Draw(t, "dock") == 0 {
					e = Scan{Meta: Meta{By: Warehouse, Occurred: now, Applied: now}, Parcel: p, Kind: ScanReturned}
				} else {
					e = CarrierEvent{Meta: Meta{By: CarrierSays, Occurred: now, Applied: now}, Parcel: p, Physical: true, Correction: rapid.IntRange(0, 5).Draw(t, "correction") == 0,
						Milestone: rapid.SampledFrom([]Milestone{InTransit, InTransit, Delivered, Returning, Returned, Lost, Destroyed, Labelled, Labelled}).Draw(t, "milestone")}
				}
			case 7:
				if len(w.s.Pending) > 0 {
					e = Answered{Meta: Meta{By: Engine, Applied: now}, Command: rapid.SampledFrom(w.s.Pending).Draw(t, "command").ID, Declined: rapid.SampledFrom([]string{"", "", "no"}).Draw(t, "declined")}
					break
				}
				e = Tick{Meta{By: Engine, Applied: now}}
			case 8:
				e = drawAct(t, &w.s, now)
			default:
				e = Tick{Meta{By: Engine, Applied: now}}
			}
			if err := w.apply(e); err != nil {
				t.Fatal(err)
			}
		}
		for step := range w.steps {
			seen[step[1]] = true
		}
		if err := w.finish(now); err != nil {
			t.Fatal(err)
		}
	})
	for _, state := range []ReturnState{ReturnReceived, ReturnInspecting, ReturnDispositioned} {
		if !seen[state] {
			t.Errorf("no return was ever %s", state) // then this test tests nothing
		}
	}
}

// finish lets everybody do their work until the order is closed.
func (w *watch) finish(now time.Time) error {
	for range 30 {
		now = now.Add(7 * 24 * hour)
		m := func(by Source) Meta {
			return Meta{By: by, Actor: "cy" + string(by), Reason: "to get on", Occurred: now, Applied: now}
		}
		w.s.Now = now
		var todo []Event
		for _, c := range w.s.Pending {
			todo = append(todo, Answered{Meta: m(Engine), Command: c.ID})
		}
		for _, r := range w.s.Remedies {
			todo = append(todo, DecideRemedy{m(Support), r.ID, true}, EndRemedy{Meta: m(Support), Remedy: r.ID, Confirmed: true})
		}
		todo = append(todo, Release{m(Support)}, Cancel{Meta: m(Support)})
		for _, p := range w.s.Parcels {
			if p.Return == "" && p.Milestone.Stage() > Preparing && !p.Milestone.Settled() {
				todo = append(todo, CorrectMilestone{m(Support), p.ID, Lost})
			}
			if p.Return != "" {
				todo = append(todo, Scan{Meta: m(Warehouse), Parcel: p.ID, Kind: ScanReturned}, RequestReturn{Meta: m(ReturnsDesk), Parcel: p.ID})
			}
		}
		for _, r := range w.s.Returns {
			todo = append(todo, DecideReturn{m(ReturnsDesk), r.ID, true})
			for _, b := range r.Bookings {
				todo = append(todo, EndBooking{m(ReturnsDesk), b.ID})
			}
			for _, l := range r.Lines {
				all, _ := r.found(l.SKU)
				todo = append(todo, InspectReturn{m(ReturnsDesk), r.ID, []Finding{{SKU: l.SKU, Quantity: l.Quantity - all, Grade: GradeDamaged}}})
			}
			todo = append(todo, DisposeReturn{Meta: m(ReturnsDesk), Return: r.ID}, SendReturnBack{Meta: m(ReturnsDesk), Return: r.ID})
		}
		for _, c := range w.s.Cases {
			for _, how := range []Resolution{Dismiss, DeclareLost, CancelParcel, WaitOn} {
				todo = append(todo, ResolveCase{Meta: m(Support), Case: c.ID, Resolution: how, Until: now.Add(hour)})
			}
		}
		for _, e := range append(todo, Tick{m(Engine)}) {
			if err := w.apply(e); err != nil {
				return err
			}
		}
		if w.s.Closed {
			return nil
		}
	}
	return fmt.Errorf("it never ends: %+v\nreturns %+v", Waiting(&w.s), w.s.Returns)
}
