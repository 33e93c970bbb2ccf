package order

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// askDHL asks DHL for a label of R1 h hours in, for a box of 900 g.
func askDHL(h float64) AskLabel {
	return AskLabel{Meta: byDesk(h), Return: "R1", Carrier: "dhl", Package: Package{WeightG: 900}}
}

// collected asks for a pickup of R1 on the day after.
func collected(h float64) AskPickup {
	return AskPickup{Meta: byDesk(h), Return: "R1", Earliest: at(h + 20), Latest: at(h + 28)}
}

// says is the carrier's answer to the booking under way.
type says struct {
	Event
	h float64
	a Answered
}

// booked plays a life in which carriers answer bookings.
func booked(t *testing.T, spec Spec, events ...Event) *watch {
	t.Helper()
	w := live(t, spec)
	for _, e := range events {
		if x, ok := e.(says); ok {
			x.a.Meta = Meta{By: Engine, Applied: at(x.h)}
			for _, c := range w.s.Pending {
				if c.Kind == MakeReturnLabel || c.Kind == BookCarrierPickup || c.Kind == VoidCarrierBooking {
					x.a.Command = c.ID
				}
			}
			e = x.a
		}
		now := w.s
		now.Now = latest(now.Now, e.meta().Applied)
		if err := Check(&now, e); err != nil {
			t.Fatalf("%T %+v is refused: %v", e, e, err)
		}
		if err := w.apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

var labelMade = Answered{Tracking: "T-R900", Reference: "REF-1", Held: "application/pdf", Amount: 499, Currency: "EUR"}

// authorized is a return R1 of two mugs, let in by rule.
func authorized(more ...Event) []Event {
	return sold(append([]Event{back(30, mugs(2, ChangedMind))}, more...)...)
}

// What becomes of a booking and of its return, and who is waited for then.
func TestWhatBecomesOfABooking(t *testing.T) {
	label, no := askDHL(31), Answered{Declined: "refused: HTTP 400"}
	unable, unclear := Answered{Failed: "dhl cannot be asked for that from here"}, Answered{Failed: "no answer", Unclear: true}
	for name, c := range map[string]struct {
		events []Event
		state  BookingState
		ret    ReturnState
		wait   WaitKind // of the booking; empty: none
		owner  Team
		words  string // in the booking's reason
	}{
		"asked":                          {authorized(label), BookingAsked, ReturnAuthorized, WaitBooking, EngineTeam, ""},
		"made":                           {authorized(label, says{h: 31.1, a: labelMade}), BookingMade, ReturnLabelSent, "", "", ""},
		"made, and no document":          {authorized(label, says{h: 31.1, a: Answered{Tracking: "T-R900"}}), BookingByHand, ReturnLabelSent, WaitByHand, ReturnsTeam, "made as T-R900"},
		"its buyer sent it all the same": {authorized(label, says{h: 31.1, a: Answered{Tracking: "T-R900"}}, moves(35, InTransit).of("R1")), BookingEnded, ReturnInTransit, "", "", "in_transit"},
		"declined":                       {authorized(label, says{h: 31.1, a: no}), BookingByHand, ReturnAuthorized, WaitByHand, ReturnsTeam, "the carrier said no: refused"},
		"it cannot be asked":             {authorized(label, says{h: 31.1, a: unable}), BookingByHand, ReturnAuthorized, WaitByHand, ReturnsTeam, "from here"},
		"nobody knows":                   {authorized(label, says{h: 31.1, a: unclear}), BookingByHand, ReturnAuthorized, WaitByHand, ReturnsTeam, "void it there"},
		"no answer":                      {authorized(label, tick(33.1)), BookingByHand, ReturnAuthorized, WaitByHand, ReturnsTeam, "may exist"},
		"a person made it":               {authorized(label, says{h: 31.1, a: no}, ShipReturn{Meta: byDesk(32), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}), BookingEnded, ReturnLabelSent, "", "", "arranged"},
		"a person voided it":             {authorized(label, says{h: 31.1, a: unclear}, EndBooking{byDesk(32), "label-R1-8"}), BookingEnded, ReturnAuthorized, "", "", "called"},
		"the buyer was quicker":          {authorized(label, says{h: 31.1, a: no}, moves(40, InTransit).of("R1")), BookingEnded, ReturnInTransit, "", "", "in_transit"},
		"and one may have to be voided":  {authorized(label, says{h: 31.1, a: unclear}, moves(35, InTransit).of("R1")), BookingByHand, ReturnInTransit, WaitByHand, ReturnsTeam, "void it there"},
		"cancelled meanwhile, made":      {authorized(label, CancelReturn{byDesk(31.1), "R1"}, says{h: 31.2, a: labelMade}), BookingByHand, ReturnCancelled, WaitByHand, ReturnsTeam, "T-R900 was made, and nobody needs it"},
		"cancelled meanwhile, declined":  {authorized(label, CancelReturn{byDesk(31.1), "R1"}, says{h: 31.2, a: no}), BookingEnded, ReturnCancelled, "", "", "is cancelled"},
		"sent meanwhile, made":           {authorized(label, moves(31.1, InTransit).of("R1"), says{h: 31.2, a: labelMade}), BookingByHand, ReturnInTransit, WaitByHand, ReturnsTeam, "void it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := booked(t, sale(), c.events...)
			r := w.s.Returns[0]
			b := r.Bookings[len(r.Bookings)-1]
			equal(t, "booking", b.State, c.state)
			equal(t, "return", r.State, c.ret)
			found := awaited(t, w, b, c.words, c.wait, c.owner)
			if found.Kind == WaitByHand {
				equal(t, "until", found.Until, b.HandAt.Add(8*hour))
				equal(t, "rule", found.Rule, "by_hand 8 h")
			}
		})
	}
}

// awaited is what a booking waits for, if anything: that, of whom, and said in these
// words.
func awaited(t *testing.T, w *watch, b Booking, words string, kind WaitKind, owner Team) (found Wait) {
	t.Helper()
	if !strings.Contains(b.Reason, words) {
		t.Errorf("%q does not say %q", b.Reason, words)
	}
	for _, x := range Waiting(&w.s) {
		if x.Kind == WaitBooking || x.Kind == WaitByHand {
			found = x
		}
	}
	equal(t, "wait", found.Kind, kind)
	equal(t, "owner", found.Owner, owner)
	return found
}

func TestALabelIsTheReturns(t *testing.T) {
	w := booked(t, sale(), authorized(askDHL(31))...)
	equal(t, "commands", strings.TrimSpace(commands(w.s.Pending)), "make_return_label R1 dhl")
	w = booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: labelMade}, collected(32))...)
	p := w.s.ParcelByID("R1")
	equal(t, "number", p.Carrier+" "+p.Tracking, "dhl T-R900")
	equal(t, "known since", p.LabelAt, at(31.1))
	same(t, "commands", commands(w.s.Pending), "book_pickup R1 dhl T-R900")
	w = booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: labelMade}, collected(32), says{h: 32.1, a: Answered{Reference: "PRG1"}})...)
	r := w.s.Returns[0]
	equal(t, "return", r.State, ReturnPickup)
	equal(t, "pickup", r.PickupAt, at(52))
	equal(t, "number", w.s.ParcelByID("R1").Tracking, "T-R900")
	// A label after the pickup leaves the day as it is; the carrier may name another
	// one that moves it.
	again := askDHL(33)
	made := labelMade
	made.Carrier, made.Tracking = "usps", "T-R901"
	w = booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: labelMade}, collected(32), says{h: 32.1, a: Answered{Reference: "PRG1"}}, again, says{h: 33.1, a: made})...)
	equal(t, "pickup", w.s.Returns[0].PickupAt, at(52))
	equal(t, "number", w.s.ParcelByID("R1").Carrier+" "+w.s.ParcelByID("R1").Tracking, "usps T-R901")
}

func TestWhoIsLateWithABookingIsAReturnsCase(t *testing.T) {
	w := booked(t, sale(), authorized(askDHL(31), says{h: 31, a: Answered{Declined: "no"}}, tick(39.5))...)
	if len(w.s.Cases) != 1 || w.s.Cases[0].Kind != ReturnOverdue || w.s.Cases[0].Owner != ReturnsTeam || !strings.Contains(w.s.Cases[0].Text, "the label of return R1") {
		t.Fatalf("%+v", w.s.Cases)
	}
	if err := w.apply(ShipReturn{Meta: byDesk(40), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "cases", len(w.s.Cases), 0)
}

func TestLabelsByPolicy(t *testing.T) {
	automatic := sale()
	automatic.Policy.ReturnLabels, automatic.Policy.ReturnCarrier = LabelsAutomatic, "ups"
	weighed := automatic
	weighed.Lines = slices.Clone(automatic.Lines)
	weighed.Lines[0].WeightG, weighed.Lines[1].WeightG = 400, 100
	half := weighed
	half.Lines = slices.Clone(weighed.Lines)
	half.Lines[1].WeightG = 0
	both := back(30, mugs(2, ChangedMind), tea(1, ChangedMind))
	boxed := both
	boxed.Package = Package{WeightG: 1200, LengthMM: 300, WidthMM: 200, HeightMM: 100}
	person := weighed
	person.Policy.ReturnAutoLimit = 0
	older := weighed
	for name, c := range map[string]struct {
		spec   Spec
		events []Event
		want   string // state and weight of each booking
	}{
		"the policy asks nobody":    {sale(), sold(both), ""},
		"all weights are known":     {weighed, sold(both), "asked ups 900"},
		"one is not":                {half, sold(both), "by_hand ups 0"},
		"but the box's is":          {half, sold(boxed), "asked ups 1200"},
		"the box counts":            {weighed, sold(boxed), "asked ups 1200"},
		"once a person agrees":      {person, sold(both, DecideReturn{byDesk(31), "R1", true}), "asked ups 900"},
		"not while nobody has":      {person, sold(both), ""},
		"not what came back itself": {older, []Event{moves(24, Returned), moves(24, Delivered).of("B"), RequestReturn{Meta: byDesk(30), Parcel: "A"}}, ""},
	} {
		w := live(t, c.spec, c.events...)
		var got []string
		r := &w.s.Returns[0]
		for _, b := range r.Bookings {
			got = append(got, fmt.Sprintf("%s %s %d", b.State, b.Carrier, w.s.PackageOf(r).WeightG))
		}
		equal(t, name, strings.Join(got, ", "), c.want)
	}
	spec := weighed
	s := begin(spec)
	s.Rules = instructRules
	play(&s, moves(24, Delivered), moves(24, Delivered).of("B"), both)
	equal(t, "bookings under older rules", len(s.Returns[0].Bookings), 0)
}

func TestBookingsAreRefusedWithTheFieldAtFault(t *testing.T) {
	fresh := func() *State { return &live(t, sale(), authorized()...).s }
	asked := func() *State { return &booked(t, sale(), authorized(askDHL(31))...).s }
	made := func() *State { return &booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: labelMade})...).s }
	unclear := func() *State {
		return &booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: Answered{Failed: "?", Unclear: true}})...).s
	}
	label := func(change func(*AskLabel)) Event {
		e := askDHL(32)
		change(&e)
		return e
	}
	pickup := func(change func(*AskPickup)) Event {
		e := collected(32)
		e.Carrier, e.Package = "dhl", Package{WeightG: 900}
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		state func() *State
		e     Event
		field string // empty: granted
	}{
		"a label":                      {fresh, label(func(*AskLabel) {}), ""},
		"a label for the shop":         {fresh, label(func(e *AskLabel) { e.By = Storefront }), ""},
		"by the warehouse":             {fresh, label(func(e *AskLabel) { e.By = Warehouse }), "by"},
		"of no return":                 {fresh, label(func(e *AskLabel) { e.Return = "R9" }), "return"},
		"by no carrier":                {fresh, label(func(e *AskLabel) { e.Carrier = "" }), "carrier"},
		"by what is none":              {fresh, label(func(e *AskLabel) { e.Carrier = "UPS!" }), "carrier"},
		"of no weight":                 {fresh, label(func(e *AskLabel) { e.Package = Package{} }), "package.weight_g"},
		"of less than none":            {fresh, label(func(e *AskLabel) { e.Package.WeightG = -1 }), "package.weight_g"},
		"of two tons":                  {fresh, label(func(e *AskLabel) { e.Package.WeightG = 2_000_000 }), "package.weight_g"},
		"with one side":                {fresh, label(func(e *AskLabel) { e.Package.WidthMM = 100 }), "package.length_mm"},
		"while it is asked for":        {asked, label(func(*AskLabel) {}), "return"},
		"shipped while it is":          {asked, ShipReturn{Meta: byDesk(31.2), Return: "R1", Carrier: "ups", Tracking: "T-R100"}, "return"},
		"ended while it is":            {asked, EndBooking{byDesk(31.2), "label-R1-8"}, "booking"},
		"another one, without reason":  {made, label(func(e *AskLabel) { e.Reason = "" }), "reason"},
		"another one":                  {made, label(func(*AskLabel) {}), ""},
		"one that may exist":           {unclear, label(func(e *AskLabel) { e.Reason = "" }), "reason"},
		"a pickup":                     {fresh, pickup(func(*AskPickup) {}), ""},
		"yesterday":                    {fresh, pickup(func(e *AskPickup) { e.Earliest = at(10) }), "earliest"},
		"in a year":                    {fresh, pickup(func(e *AskPickup) { e.Earliest = at(9000) }), "earliest"},
		"before it begins":             {fresh, pickup(func(e *AskPickup) { e.Latest = e.Earliest }), "latest"},
		"for a week":                   {fresh, pickup(func(e *AskPickup) { e.Latest = e.Earliest.Add(7 * 24 * hour) }), "latest"},
		"by nobody":                    {fresh, pickup(func(e *AskPickup) { e.Carrier = "" }), "carrier"},
		"by who made the label":        {made, pickup(func(e *AskPickup) { e.Carrier, e.Package = "", Package{} }), ""},
		"ended, what is none":          {fresh, EndBooking{byDesk(32), "label-R1-9"}, "booking"},
		"ended, what is made":          {made, EndBooking{byDesk(32), "label-R1-8"}, "booking"},
		"ended by the shop":            {unclear, EndBooking{byShop(32), "label-R1-8"}, "by"},
		"ended without a reason":       {unclear, EndBooking{Meta{By: ReturnsDesk, Applied: at(32)}, "label-R1-8"}, "reason"},
		"ended":                        {unclear, EndBooking{byDesk(32), "label-R1-8"}, ""},
		"an order that weighs nothing": {fresh, label(func(e *AskLabel) { e.Package = Package{LengthMM: 1, WidthMM: 1, HeightMM: 1} }), "package.weight_g"},
	} {
		s := c.state()
		s.Now = latest(s.Now, c.e.meta().Applied)
		err := Check(s, c.e)
		field := ""
		if err != nil {
			field = err.(*Refusal).Field
		}
		equal(t, name+": "+fmt.Sprint(err), field, c.field)
	}
	old := fresh()
	old.Rules = instructRules
	if err := Check(old, askDHL(32)); err == nil || !strings.Contains(err.Error(), "rules 4") {
		t.Errorf("older rules: %v", err)
	}
}

// Whatever carriers answer and people ask, no return gets a second label that no
// person asked for. The carrier here makes one whenever a command is carried out,
// whether its answer arrives or not.
func TestNoReturnGetsASecondLabelWithoutAPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := sale()
		spec.Policy.ReturnLabels, spec.Policy.ReturnCarrier = LabelsAutomatic, "ups"
		spec.Lines = slices.Clone(spec.Lines)
		spec.Lines[0].WeightG, spec.Lines[1].WeightG = 400, 100
		w, now := watching(spec), at(30)
		for _, e := range sold(back(30, mugs(2, ChangedMind))) {
			if err := w.apply(e); err != nil {
				t.Fatal(err)
			}
		}
		labels, persons, carried := 0, 1, map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 10, 130, 600}).Draw(t, "minutes")) * time.Minute)
			m := byDesk(0)
			m.Applied, m.Occurred = now, now
			var e Event
			switch k := rapid.IntRange(0, 5).Draw(t, "step"); {
			case k < 3 && len(w.s.Pending) > 0:
				c := rapid.SampledFrom(w.s.Pending).Draw(t, "command")
				if c.Kind == MakeReturnLabel && !carried[c.ID] {
					labels, carried[c.ID] = labels+1, true
				}
				a := labelMade
				if rapid.Bool().Draw(t, "lost") {
					a = Answered{Failed: "no answer", Unclear: true}
				}
				a.Meta, a.Command = Meta{By: Engine, Applied: now}, c.ID
				e = a
			case k == 3:
				ask := askDHL(0)
				ask.Meta = m
				if Check(&w.s, ask) == nil {
					persons++
				}
				e = ask
			case k == 4:
				e = CancelReturn{m, "R1"}
			default:
				e = Tick{Meta{By: Engine, Applied: now}}
			}
			if err := w.apply(e); err != nil {
				t.Fatal(err)
			}
			if labels > persons {
				t.Fatalf("%d labels, %d were asked for by the policy or a person", labels, persons)
			}
		}
	})
}
