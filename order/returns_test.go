package order

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// byDesk is what the returns desk asks h hours in.
func byDesk(h float64) Meta {
	m := bySupport(h)
	m.By, m.Actor = ReturnsDesk, "d1"
	return m
}

// back asks for a return of mugs and tea, as a buyer.
func back(h float64, lines ...ReturnLine) RequestReturn {
	return RequestReturn{Meta: byShop(h), Lines: lines}
}

func mugs(n int, why ReturnReason) ReturnLine {
	return ReturnLine{SKU: "mug", Quantity: n, Reason: why, Wanted: RefundRemedy}
}

func tea(n int, why ReturnReason) ReturnLine {
	return ReturnLine{SKU: "tea", Quantity: n, Reason: why, Wanted: ReplacementRemedy}
}

func graded(h float64, ps ...Finding) InspectReturn {
	return InspectReturn{Meta: byDesk(h), Return: "R1", Findings: ps}
}

func answered(h float64, remedy, declined string) Answered {
	return Answered{Meta: Meta{By: Engine, Applied: at(h)}, Command: remedy, Declined: declined}
}

// shop answers what the storefront was asked last of a kind.
type shop struct {
	Event
	h        float64
	kind     RemedyKind
	declined string
}

// resolved resolves the open case of a kind.
type resolved struct {
	Event
	h    float64
	kind CaseKind
	how  Resolution
}

// live plays a life in which every request must be granted, and checks the
// invariants after each step.
func live(t *testing.T, spec Spec, events ...Event) *watch {
	t.Helper()
	w := watching(spec)
	for _, e := range events {
		switch x := e.(type) {
		case shop:
			id := ""
			for _, r := range w.s.Remedies {
				if r.Kind == x.kind && r.State == Requested {
					id = r.ID
				}
			}
			e = answered(x.h, id, x.declined)
		case resolved:
			for _, c := range w.s.Cases {
				if c.Kind == x.kind {
					e = ResolveCase{Meta: bySupport(x.h), Case: c.ID, Resolution: x.how}
				}
			}
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

// sold is two mugs in A and three tea in B, delivered a day in; everything at
// 10.00 EUR.
func sold(more ...Event) []Event {
	return slices.Clip(append([]Event{moves(24, Delivered), moves(24, Delivered).of("B")}, more...))
}

func sale() Spec {
	s := twoParcels()
	s.Lines[0].Quantity, s.Parcels[0].Lines[0].Quantity = 2, 2
	return today(s)
}

func docked(h float64, parcel string) Scan { return scan(h, ScanReturned).of(parcel) }

// lives are one or more ways into every step between two states of a return.
func lives() map[string][]Event {
	req := back(30, mugs(2, ChangedMind))
	big := back(30, tea(3, ChangedMind), mugs(2, ChangedMind))
	yes := DecideReturn{byDesk(31), "R1", true}
	label := ShipReturn{Meta: byShop(31), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}
	later := label
	later.Applied = at(32)
	pickup := ShipReturn{Meta: byShop(31), Return: "R1", PickupAt: at(50)}
	cancel := CancelReturn{byShop(33), "R1"}
	road := moves(40, InTransit).of("R1")
	dock := docked(60, "R1")
	taken := CorrectMilestone{bySupport(61), "R1", Labelled} // the dock scanned another box
	lost := CarrierEvent{Meta: metaAt(50, CarrierSays), Parcel: "R1", Milestone: Lost}
	good := graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew})
	both := graded(62, Finding{SKU: "tea", Quantity: 3, Grade: GradeOpened}, Finding{SKU: "mug", Quantity: 1, Grade: GradeNew}, Finding{SKU: "mug", Quantity: 1, Grade: GradeDamaged})
	all := DisposeReturn{Meta: byDesk(63), Return: "R1"}
	away := func(h float64) SendReturnBack { return SendReturnBack{Meta: byDesk(h), Return: "R1"} }
	return map[string][]Event{
		"authorized by rule":               sold(req),
		"rejected":                         sold(back(30, tea(3, ChangedMind)), DecideReturn{byDesk(31), "R1", false}),
		"authorized by a person":           sold(back(30, tea(3, ChangedMind)), DecideReturn{byDesk(31), "R1", true}),
		"cancelled at once":                sold(back(30, tea(3, ChangedMind)), cancel),
		"cancelled before it was shipped":  sold(req, cancel),
		"cancelled with a label":           sold(req, label, cancel),
		"cancelled before the pickup":      sold(req, pickup, cancel),
		"a pickup instead of a label":      sold(req, label, pickup),
		"a label instead of a pickup":      sold(req, pickup, later),
		"brought":                          sold(req, dock),
		"sent without a label":             sold(req, road, dock),
		"sent with a label":                sold(req, label, road, dock),
		"picked up":                        sold(req, pickup, road),
		"labelled, its scans missed":       sold(req, label, dock),
		"picked up, its scans missed":      sold(req, pickup, dock),
		"no, it has not left":              sold(req, road, moves(41, Labelled).of("R1").corrects()),
		"no, it waits with its label":      sold(req, label, road, moves(41, Labelled).of("R1").corrects()),
		"no, it waits for the pickup":      sold(req, pickup, road, moves(41, Labelled).of("R1").corrects()),
		"no, it is not here":               sold(req, dock, taken),
		"no, it is not here, but labelled": sold(req, label, dock, taken),
		"no, it is to be picked up":        sold(req, pickup, dock, taken),
		"no, it is on the road":            sold(req, road, dock, CorrectMilestone{bySupport(61), "R1", InTransit}),
		"taken in by mistake":              {moves(24, Returned), RequestReturn{Meta: byDesk(30), Parcel: "A"}, CancelReturn{byDesk(31), "R1"}},
		"lost and dismissed":               sold(req, road, lost, resolved{h: 55, kind: LostParcel, how: Dismiss}),
		"lost and refunded":                sold(req, road, lost, resolved{h: 55, kind: LostParcel, how: Refund}, shop{h: 56, kind: RefundRemedy}),
		"lost and replaced":                sold(req, road, lost, resolved{h: 55, kind: LostParcel, how: Replace}, shop{h: 56, kind: ReplacementRemedy}),
		"refunded":                         sold(req, dock, good, shop{h: 63, kind: RefundRemedy}),
		"refunded, replaced, sent back":    sold(big, yes, dock, both, all, shop{h: 64, kind: RefundRemedy}, shop{h: 65, kind: ReplacementRemedy}, away(66)),
		"replaced, refunded, sent back":    sold(big, yes, dock, both, all, shop{h: 64, kind: ReplacementRemedy}, shop{h: 65, kind: RefundRemedy}, away(66)),
		"refunded, sent back, replaced":    sold(big, yes, dock, both, all, shop{h: 64, kind: RefundRemedy}, away(65), shop{h: 66, kind: ReplacementRemedy}),
		"sent back, refunded, replaced":    sold(big, yes, dock, both, all, away(64), shop{h: 65, kind: RefundRemedy}, shop{h: 66, kind: ReplacementRemedy}),
		"replaced, sent back, refunded":    sold(big, yes, dock, both, all, shop{h: 64, kind: ReplacementRemedy}, away(65), shop{h: 66, kind: RefundRemedy}),
		"nothing is due":                   sold(req, dock, graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeMissing}), all),
		"nothing but to send it back":      sold(req, dock, graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeDamaged}), all, away(64)),
	}
}

// strictSale lets in by rule what is worth no more than two mugs.
func strictSale() Spec {
	s := sale()
	s.Policy.ReturnAutoLimit = 2000
	return s
}

func TestEveryStepOfAReturnHappensAndNoOther(t *testing.T) {
	steps := map[[2]ReturnState]bool{}
	for name, events := range lives() {
		t.Run(name, func(t *testing.T) {
			for step := range live(t, strictSale(), events...).steps {
				steps[step] = true // only legal ones: an invariant
			}
		})
	}
	for _, from := range ReturnDefinitions {
		for _, to := range ReturnDefinitions {
			legal := LegalReturn(from.State, to.State)
			if legal && !steps[[2]ReturnState{from.State, to.State}] {
				t.Errorf("%s to %s is in the table, and happens in no life", from.State, to.State)
			}
			s := begin(sale())
			s.Returns = []Return{{ID: "R1", State: from.State}}
			s.step(&s.Returns[0], to.State, Meta{}, "")
			equal(t, fmt.Sprintf("%s to %s happens", from.State, to.State), s.Returns[0].State == to.State && from.State != to.State, legal)
			equal(t, fmt.Sprintf("%s to %s is told", from.State, to.State), told(&s) != "", legal)
		}
	}
}

// What may be asked in each state, and by whom; nothing else may.
func TestWhatMayBeAskedOfAReturnInEachState(t *testing.T) {
	requests := map[string]func(h float64) Event{
		"agree":  func(h float64) Event { return DecideReturn{byDesk(h), "R1", true} },
		"reject": func(h float64) Event { return DecideReturn{byDesk(h), "R1", false} },
		"ship": func(h float64) Event {
			return ShipReturn{Meta: byShop(h), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}
		},
		"ask for a label": func(h float64) Event {
			return AskLabel{Meta: byShop(h), Return: "R1", Carrier: "dhl", Package: Package{WeightG: 900}}
		},
		"have it collected": func(h float64) Event {
			return AskPickup{Meta: byShop(h), Return: "R1", Carrier: "dhl", Earliest: at(h + 20), Latest: at(h + 28), Package: Package{WeightG: 900}}
		},
		"inspect":     func(h float64) Event { return graded(h, Finding{SKU: "mug", Quantity: 1, Grade: GradeDamaged}) },
		"dispose":     func(h float64) Event { return DisposeReturn{Meta: byDesk(h), Return: "R1"} },
		"send back":   func(h float64) Event { return SendReturnBack{Meta: byDesk(h), Return: "R1"} },
		"shop ends":   func(h float64) Event { return CancelReturn{byShop(h), "R1"} },
		"people end":  func(h float64) Event { return CancelReturn{bySupport(h), "R1"} },
		"a second":    func(h float64) Event { return RequestReturn{Meta: byDesk(h), Parcel: "R1"} },
		"plan":        func(h float64) Event { return PutParcel{Meta: byShop(h), Parcel: "R1", Carrier: "ups"} },
		"not here":    func(h float64) Event { return ReportNotReceived{byShop(h), "R1"} },
		"cancel it":   func(h float64) Event { return Cancel{byShop(h), []string{"R1"}} },
		"cancel all":  func(h float64) Event { return Cancel{Meta: byShop(h)} },
		"hold":        func(h float64) Event { return Hold{Meta: byShop(h)} },
		"new promise": func(h float64) Event { return ChangePromise{byShop(h), at(900)} },
	}
	all := lives()
	req := all["authorized by rule"]
	whole := graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeDamaged})
	dock := docked(60, "R1")
	for _, c := range []struct {
		name   string
		events []Event
		state  ReturnState
		may    string
	}{
		{"requested", sold(back(30, tea(3, ChangedMind))), ReturnRequested, "agree people end reject shop ends"},
		{"authorized", req, ReturnAuthorized, "ask for a label have it collected people end ship shop ends"},
		{"rejected", all["rejected"], ReturnRejected, ""},
		{"label sent", all["a label instead of a pickup"], ReturnLabelSent, "ask for a label have it collected people end ship shop ends"},
		{"pickup", all["a pickup instead of a label"], ReturnPickup, "ask for a label have it collected people end ship shop ends"},
		{"in transit", append(req, moves(40, InTransit).of("R1")), ReturnInTransit, ""},
		{"arrived", append(req, moves(40, Delivered).of("R1")), ReturnInTransit, ""},
		{"back, says the carrier", append(req, moves(40, Returned).of("R1")), ReturnInTransit, ""},
		{"received", append(req, dock), ReturnReceived, "inspect"},
		{"taken in", []Event{moves(24, Returned), moves(24, Delivered).of("B"), RequestReturn{Meta: byDesk(30), Parcel: "A"}}, ReturnReceived, "inspect people end"},
		{"inspected in part", append(req, dock, graded(62, Finding{SKU: "mug", Quantity: 1, Grade: GradeNew})), ReturnInspecting, "inspect"},
		{"inspected, not accepted", append(req, dock, whole), ReturnInspecting, "dispose"},
		{"to be sent back", append(req, dock, whole, DisposeReturn{Meta: byDesk(63), Return: "R1"}), ReturnDispositioned, "send back"},
		{"sent back", all["nothing but to send it back"], ReturnClosed, ""},
		{"to be refunded", append(req, dock, graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew})), ReturnDispositioned, ""},
		{"refund declined", append(req, dock, graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew}), shop{h: 63, kind: RefundRemedy, declined: "no"}), ReturnDispositioned, "dispose people end"},
		{"closed", all["refunded"], ReturnClosed, ""},
		{"cancelled", all["cancelled at once"], ReturnCancelled, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := live(t, strictSale(), c.events...)
			equal(t, "state", w.s.Returns[0].State, c.state)
			var may []string
			for name, ask := range requests {
				if Check(&w.s, ask(67)) == nil {
					may = append(may, name)
				}
			}
			slices.Sort(may)
			equal(t, "may be asked", strings.Join(may, " "), c.may)
			// The view lists the same acts, with everybody who may do them.
			words := map[ReturnAct]string{ActDecide: "agree", ActShip: "ship", ActLabel: "ask for a label", ActPickup: "have it collected", ActInspect: "inspect", ActDispose: "dispose", ActSendBack: "send back", ActCancel: "people end"}
			r := ViewOf(&w.s).Returns[0]
			for _, act := range ReturnActs {
				by, ok := r.Step(act)
				equal(t, string(act)+" is listed", ok, strings.Contains(c.may, words[act]))
				if act == ActCancel {
					equal(t, "the shop may end it", slices.Contains(by, Storefront), strings.Contains(c.may, "shop ends"))
				}
				if act == ActInspect && ok {
					equal(t, "inspected by", fmt.Sprint(by), "[returns_desk warehouse]")
				}
			}
			// Not allowed, but applied all the same, as after a race: no panic, no harm.
			for _, ask := range requests {
				s := w.s.Clone()
				Apply(s, ask(67))
				ViewOf(s)
			}
		})
	}
}

func TestReturnRequestsAreRefusedWithTheFieldAtFault(t *testing.T) {
	fresh := &live(t, sale(), sold()...).s
	req := sold(back(30, mugs(2, ChangedMind)))
	asked := &live(t, sale(), req...).s
	here := &live(t, sale(), append(req, docked(60, "R1"))...).s
	open := &live(t, sale(), append(req, docked(60, "R1"), graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeDamaged}))...).s
	old := after(oneParcel(), moves(10, Delivered))
	turned := &live(t, sale(), moves(24, Returned), moves(24, Returning).of("B")).s
	mute := byDesk(70)
	mute.Reason = ""
	stranger := byShop(70)
	stranger.By = CarrierSays
	line := func(f func(*ReturnLine)) RequestReturn {
		l := mugs(1, ChangedMind)
		f(&l)
		return back(70, l)
	}
	piece := func(f func(*Finding)) InspectReturn {
		p := Finding{SKU: "mug", Quantity: 1, Grade: GradeNew}
		f(&p)
		return graded(70, p)
	}
	ship := func(f func(*ShipReturn)) ShipReturn {
		e := ShipReturn{Meta: byShop(70), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}
		f(&e)
		return e
	}
	dispose := func(d ...Disposal) DisposeReturn { return DisposeReturn{byDesk(70), "R1", d} }
	for _, c := range []struct {
		name  string
		s     *State
		e     Event
		field string
	}{
		{"rules 1 know no returns", old, back(20, mugs(1, ChangedMind)), ""},
		{"a stranger asks", fresh, RequestReturn{Meta: stranger, Lines: []ReturnLine{mugs(1, ChangedMind)}}, "by"},
		{"nothing comes back", fresh, back(70), "lines"},
		{"not ordered", fresh, line(func(l *ReturnLine) { l.SKU = "air" }), "lines[0].sku"},
		{"twice", fresh, back(70, mugs(1, ChangedMind), mugs(1, Defective)), "lines[1].sku"},
		{"none of it", fresh, line(func(l *ReturnLine) { l.Quantity = 0 }), "lines[0].quantity"},
		{"more than came", fresh, line(func(l *ReturnLine) { l.Quantity = 3 }), "lines[0].quantity"},
		{"more than is left", asked, line(func(*ReturnLine) {}), "lines[0].quantity"},
		{"too late", func() *State { s := fresh.Clone(); s.Now = at(24 + 30*24 + 0.1); return s }(), line(func(*ReturnLine) {}), "lines[0].quantity"},
		{"no reason", fresh, line(func(l *ReturnLine) { l.Reason = "" }), "lines[0].reason"},
		{"the buyer had it", fresh, line(func(l *ReturnLine) { l.Reason = NotDelivered }), "lines[0].reason"},
		{"a claim is not for buyers", fresh, line(func(l *ReturnLine) { l.Wanted = ClaimRemedy }), "lines[0].wanted"},
		{"an exchange for what", fresh, line(func(l *ReturnLine) { l.Wanted = ExchangeRemedy }), "lines[0].instead"},
		{"a refund of something else", fresh, line(func(l *ReturnLine) { l.Instead = "cup" }), "lines[0].instead"},
		{"a photo is a reference", fresh, line(func(l *ReturnLine) { l.Photos = []string{"<script>"} }), "lines[0].photos[0]"},
		{"photos have a limit", fresh, line(func(l *ReturnLine) { l.Photos = slices.Repeat([]string{"p"}, 6) }), "lines[0].photos"},
		{"a shop takes a parcel in", turned, RequestReturn{Meta: byShop(70), Parcel: "A"}, "by"},
		{"an unknown parcel", turned, RequestReturn{Meta: byDesk(70), Parcel: "Z"}, "parcel"},
		{"a parcel on its way back", turned, RequestReturn{Meta: byDesk(70), Parcel: "B"}, "parcel"},
		{"what was not in it", turned, RequestReturn{Meta: byDesk(70), Parcel: "A", Lines: []ReturnLine{tea(1, OtherReason)}}, "lines[0].quantity"},
		{"more than was in it", turned, RequestReturn{Meta: byDesk(70), Parcel: "A", Lines: []ReturnLine{mugs(3, NotDelivered)}}, "lines[0].quantity"},
		{"an unknown return", asked, DecideReturn{byDesk(70), "R9", true}, "return"},
		{"a shop decides", asked, DecideReturn{byShop(70), "R1", true}, "by"},
		{"rejected without a reason", &live(t, strictSale(), sold(back(30, tea(3, ChangedMind)))...).s, DecideReturn{mute, "R1", false}, "reason"},
		{"shipped with nothing", asked, ship(func(e *ShipReturn) { e.Tracking = "" }), "tracking"},
		{"a tracking number has a shape", asked, ship(func(e *ShipReturn) { e.Tracking = "x y" }), "tracking"},
		{"a carrier is a code", asked, ship(func(e *ShipReturn) { e.Carrier = "D H L" }), "carrier"},
		{"a tracking number needs a carrier", asked, ship(func(e *ShipReturn) { e.Carrier = "" }), "carrier"},
		{"picked up yesterday", asked, ship(func(e *ShipReturn) { e.PickupAt = at(-1) }), "pickup_at"},
		{"picked up next year", asked, ship(func(e *ShipReturn) { e.PickupAt = at(400 * 24) }), "pickup_at"},
		{"the shop inspects", here, InspectReturn{byShop(70), "R1", []Finding{{SKU: "mug", Quantity: 1, Grade: GradeNew}}}, "by"},
		{"nothing was found", here, graded(70), "findings"},
		{"not in the return", here, piece(func(p *Finding) { p.SKU = "tea" }), "findings[0].sku"},
		{"found nothing of it", here, piece(func(p *Finding) { p.Quantity = 0 }), "findings[0].quantity"},
		{"found too much", here, piece(func(p *Finding) { p.Quantity = 3 }), "findings[0].quantity"},
		{"found too much in two", here, graded(70, Finding{SKU: "mug", Quantity: 1, Grade: GradeNew}, Finding{SKU: "mug", Quantity: 2, Grade: GradeMissing}), "findings[1].quantity"},
		{"a grade of its own", here, piece(func(p *Finding) { p.Grade = "superb" }), "findings[0].grade"},
		{"a serial of its own", here, piece(func(p *Finding) { p.Serial = "maybe" }), "findings[0].serial"},
		{"a long note", here, piece(func(p *Finding) { p.Note = strings.Repeat("x", 201) }), "findings[0].note"},
		{"a bad photo", here, piece(func(p *Finding) { p.Photos = []string{""} }), "findings[0].photos[0]"},
		{"nowhere to go", here, piece(func(p *Finding) { p.To = "moon" }), "findings[0].to"},
		{"missing, but scrapped", here, piece(func(p *Finding) { p.Grade, p.To = GradeMissing, Scrap }), "findings[0].to"},
		{"accepted, but sent back", here, piece(func(p *Finding) { p.To = SendBack }), "findings[0].to"},
		{"overruled without a reason", here, InspectReturn{mute, "R1", []Finding{{SKU: "mug", Quantity: 1, Grade: GradeNew, To: Scrap}}}, "reason"},
		{"the warehouse decides", open, DisposeReturn{Meta: Meta{By: Warehouse, Reason: "x"}, Return: "R1"}, "by"},
		{"decided without a reason", open, DisposeReturn{Meta: mute, Return: "R1"}, "reason"},
		{"decided about what was not found", open, dispose(Disposal{SKU: "mug", Grade: GradeNew}), "lines[0].sku"},
		{"decided twice", open, dispose(Disposal{SKU: "mug", Grade: GradeDamaged}, Disposal{SKU: "mug", Grade: GradeDamaged}), "lines[1].sku"},
		{"sent to the moon", open, dispose(Disposal{SKU: "mug", Grade: GradeDamaged, To: "moon"}), "lines[0].to"},
		{"accepted and sent back", open, dispose(Disposal{SKU: "mug", Grade: GradeDamaged, Accept: true}), "lines[0].to"},
		{"cancelled without a reason", asked, CancelReturn{mute, "R1"}, "reason"},
		{"the warehouse cancels", asked, CancelReturn{Meta{By: Warehouse, Reason: "x"}, "R1"}, "by"},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := text(c.s)
			wantRefusal(t, Check(c.s, c.e), c.field)
			equal(t, "state", text(c.s), was)
		})
	}
}

func TestEveryGradeAndReasonHasARoute(t *testing.T) {
	used := map[string]bool{}
	for _, g := range Grades {
		for _, why := range ReturnReasons {
			for _, serial := range []SerialCheck{"", SerialOK, SerialMismatch, SerialUnknown} {
				r := Route(g, serial, why)
				used[fmt.Sprint(r)] = true
				if (r.To == Nothing) != (g == GradeMissing) || r.To == SendBack && r.Accept {
					t.Errorf("%s %s %s: %+v", g, serial, why, r)
				}
				if serial == SerialMismatch && g != GradeMissing {
					equal(t, "another serial number is", r.Grade, GradeWrong)
				}
				if why == NotDelivered && !r.Accept {
					t.Errorf("the buyer never had it, and is not made good: %s %s", g, serial)
				}
			}
		}
	}
	equal(t, "rules in use", len(used), len(DispositionRules))
}

func TestWhatIsAuthorizedWithoutAPerson(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Spec)
		want   ReturnState
	}{
		{"below the limit", func(*Spec) {}, ReturnAuthorized},
		{"at the limit", func(s *Spec) { s.Policy.ReturnAutoLimit = 2000 }, ReturnAuthorized},
		{"above the limit", func(s *Spec) { s.Policy.ReturnAutoLimit = 1999 }, ReturnRequested},
		{"no limit was set", func(s *Spec) { s.Policy.ReturnAutoLimit = 0 }, ReturnRequested},
		{"an excluded class", func(s *Spec) { s.Class = HighValue }, ReturnRequested},
		{"nobody knows the price", func(s *Spec) { s.Lines[0].UnitAmount, s.Lines[1].UnitAmount = 0, 0 }, ReturnRequested},
		{"nobody knows the currency", func(s *Spec) { s.Currency = "" }, ReturnRequested},
		{"a gift with something bought", func(s *Spec) { s.Lines[0].UnitAmount = 0 }, ReturnAuthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := sale()
			c.change(&spec)
			equal(t, "state", live(t, spec, sold(back(30, mugs(2, ChangedMind)))...).s.Returns[0].State, c.want)
		})
	}
}

// No unit is made good twice, whichever way the money went before.
func TestWhatWasMadeGoodIsNotMadeGoodAgain(t *testing.T) {
	missing := ReportNotReceived{byShop(25), "A"}
	case1 := func(how Resolution, amount int64) ResolveCase {
		return ResolveCase{Meta: bySupport(26), Case: "not_received-A-6", Resolution: how, Amount: amount}
	}
	sent := []Event{back(30, mugs(2, ChangedMind)), docked(60, "R1"), graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew})}
	life := func(first ...Event) []Event { return append(sold(first...), sent...) }
	for _, c := range []struct {
		name   string
		events []Event
		want   string
	}{
		{"nothing before", life(), "refund 2000"},
		{"refunded before", life(missing, case1(Refund, 0), shop{h: 27, kind: RefundRemedy}), "refund 2000"},
		{"replaced before", life(missing, case1(Replace, 0), shop{h: 27, kind: ReplacementRemedy}), "replacement 0"},
		{"a claim is not the buyer's", life(missing, case1(Claim, 0)), "claim 0, refund 2000"},
		{"refunded in part", life(missing, case1(Refund, 500), shop{h: 27, kind: RefundRemedy}), "refund 500, refund 500, refund 1000"},
		{"declined before", life(missing, case1(Refund, 0), shop{h: 27, kind: RefundRemedy, declined: "no"}), "refund 2000, refund 2000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := live(t, sale(), c.events...)
			var got []string
			for _, r := range w.s.Remedies {
				got = append(got, fmt.Sprint(r.Kind, " ", r.Amount))
			}
			equal(t, "remedies", strings.Join(got, ", "), c.want)
		})
	}
	// And the other way round: refunded for a return, then reported as not received.
	w := live(t, sale(), append(life(), shop{h: 63, kind: RefundRemedy}, ReportNotReceived{byShop(64), "A"})...)
	now := w.s
	for _, how := range []Resolution{Refund, Replace} {
		wantRefusal(t, Check(&now, ResolveCase{Meta: bySupport(65), Case: now.Cases[0].ID, Resolution: how}), "resolution")
	}
}

func TestAReturnOfAClosedOrderOpensItAgain(t *testing.T) {
	spec := sale()
	spec.Policy.CloseAfter = Duration(24 * time.Hour)
	w := live(t, spec, sold(tick(24+25))...)
	equal(t, "closed", w.s.Closed, true)
	if err := w.apply(back(60, mugs(1, ChangedMind))); err != nil {
		t.Fatal(err)
	}
	equal(t, "closed", w.s.Closed, false)
	same(t, "waits", waits(&w.s), "return_shipment R1 396h returns")
}

func TestAReturnIsNoPartOfWhatTheBuyerGets(t *testing.T) {
	w := live(t, sale(), sold(back(30, mugs(2, ChangedMind)))...)
	before := ViewOf(&w.s)
	for _, e := range []Event{moves(40, InTransit).of("R1"), moves(50, AttemptFailed).of("R1"), moves(60, Delivered).of("R1"), docked(70, "R1")} {
		if err := w.apply(e); err != nil {
			t.Fatal(err)
		}
		v := ViewOf(&w.s)
		equal(t, "status", v.Status, before.Status)
		equal(t, "summary", v.Summary, before.Summary)
		equal(t, "delivered at", v.DeliveredAt, before.DeliveredAt)
		equal(t, "lines", fmt.Sprint(v.Lines), fmt.Sprint(before.Lines))
		equal(t, "parcels", fmt.Sprint(v.Parcels), fmt.Sprint(before.Parcels))
		equal(t, "late", v.Late, false)
		equal(t, "in the return", v.Returns[0].Box.ID, "R1")
	}
}

func TestACloneOfAReturnIsOnItsOwn(t *testing.T) {
	w := live(t, sale(), sold(back(30, mugs(2, ChangedMind)), docked(60, "R1"), graded(62, Finding{SKU: "mug", Quantity: 1, Grade: GradeDamaged}))...)
	c := w.s.Clone()
	was := text(&w.s)
	play(c, graded(63, Finding{SKU: "mug", Quantity: 1, Grade: GradeDamaged}), DisposeReturn{byDesk(64), "R1", []Disposal{{"mug", GradeDamaged, Scrap, true}}})
	equal(t, "the original", text(&w.s), was)
	equal(t, "the clone", c.Returns[0].State, ReturnDispositioned)
}

// Of an order without prices nobody knows whether it is below the limit.
func TestWithoutPricesASecondPersonReleasesTheMoney(t *testing.T) {
	spec := sale()
	spec.Currency = ""
	w := live(t, spec, sold(back(30, mugs(2, ChangedMind)), DecideReturn{byDesk(31), "R1", true}, docked(60, "R1"), graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew}))...)
	equal(t, "remedy", w.s.Remedies[0].State, ToApprove)
	spec.Policy.RefundLimit = 0
	w = live(t, spec, sold(back(30, mugs(2, ChangedMind)), DecideReturn{byDesk(31), "R1", true}, docked(60, "R1"), graded(62, Finding{SKU: "mug", Quantity: 2, Grade: GradeNew}))...)
	equal(t, "remedy, without a limit", w.s.Remedies[0].State, Requested)
}

// What comes back takes nothing of what is still to be sent.
func TestTheRestIsPlannedWhileAPartComesBack(t *testing.T) {
	spec := sale()
	spec.Lines[0].Quantity = 4
	w := live(t, spec, sold(back(30, mugs(2, ChangedMind)), PutParcel{Meta: byShop(31), Parcel: "C", Lines: []Allocation{{"mug", 2}}})...)
	equal(t, "status", w.s.Status, StatusPartiallyDelivered)
}

func TestWhatReopensAClosedOrder(t *testing.T) {
	spec := sale()
	spec.Policy.CloseAfter = Duration(24 * time.Hour)
	closed := &live(t, spec, sold(tick(24+25))...).s
	now := closed.Now.Add(time.Hour)
	h := now.Sub(at(0)).Hours()
	stays := closed.Clone()
	for _, c := range []struct {
		name    string
		e       Event
		goesOn  bool
		refused string
	}{
		{"a return", back(h, mugs(1, ChangedMind)), true, ""},
		{"more than was delivered", back(h, mugs(9, ChangedMind)), false, "only 2 were delivered"},
		{"it never came", ReportNotReceived{byShop(h), "A"}, true, ""},
		{"a parcel turns round", moves(h, Returning).of("A"), true, ""},
		{"a parcel comes back to the dock", docked(h, "A"), true, ""},
		{"a late movement", moves(h, InTransit).of("A"), false, ""},
		{"delivered again", moves(h, Delivered).of("A"), false, ""},
		{"it was lost", CorrectMilestone{bySupport(h), "A", Lost}, true, ""},
		{"a cancellation", Cancel{Meta: byShop(h)}, false, "ask for a return"},
		{"a note on no case", NoteCase{Meta: bySupport(h), Case: "lost-A-1", Text: "x"}, false, "case"},
	} {
		goesOn, err := Reopens(closed, now, c.e)
		equal(t, c.name, goesOn, c.goesOn)
		if (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: %v, want %q", c.name, err, c.refused)
		}
	}
	equal(t, "left as it was", fmt.Sprintf("%+v", closed), fmt.Sprintf("%+v", stays))
	old := closed.Clone()
	old.Rules = MinRules
	if goesOn, err := Reopens(old, now, back(h, mugs(1, ChangedMind))); !goesOn || err != nil {
		t.Errorf("under old rules: %v %v", goesOn, err)
	}
	open := closed.Clone()
	open.Closed = false
	if goesOn, _ := Reopens(open, now, back(h, mugs(1, ChangedMind))); goesOn {
		t.Error("an open order has its run")
	}
	equal(t, "may come back", fmt.Sprint(Returnable(closed, now)), "[{mug 2} {tea 3}]")
	equal(t, "may come back after the window", len(Returnable(closed, now.AddDate(1, 0, 0))), 0)
}
