package order

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// step takes a return to its next state and tells of it.
func (s *State) step(r *Return, to ReturnState, m Meta, text string) {
	if !LegalReturn(r.State, to) {
		return
	}
	r.State, r.Since = to, s.Now
	if !to.Open() {
		r.EndedAt = s.Now
	}
	if m.Reason != "" {
		text = strings.TrimPrefix(text+": "+m.Reason, ": ")
	}
	s.tellReturn(r, m, text)
}

// tellReturn adds to the story: which return, its state, what happened.
func (s *State) tellReturn(r *Return, m Meta, text string) {
	head := r.ID + " " + string(r.State)
	if text != "" {
		head += ": " + text
	}
	s.tell(Happening{Type: ReturnChanged, At: s.Now, Parcel: r.Parcel, Actor: m.Actor, Cause: m.ID, Text: head})
}

func (s *State) requestReturn(e RequestReturn) {
	if s.Rules < peopleRules || len(s.Returns) >= maxReturns {
		return
	}
	id := ""
	for n := len(s.Returns) + 1; id == "" || s.returnByID(id) != nil || s.ParcelByID(id) != nil; n++ {
		id = "R" + strconv.Itoa(n)
	}
	r := Return{ID: id, Lines: e.Lines, State: ReturnRequested, Since: s.Now, Parcel: orElse(e.Parcel, id), RequestedAt: s.Now, RequestedBy: e.Actor}
	if s.Rules >= labelRules {
		r.Package = e.Package
	}
	if e.Parcel != "" {
		p := s.ParcelByID(e.Parcel)
		if p == nil || s.returnOf(p.ID) != nil {
			return
		}
		if len(r.Lines) == 0 {
			r.Lines = s.cameBack(p)
		}
	}
	what := make([]string, 0, len(r.Lines))
	for _, l := range r.Lines {
		what = append(what, fmt.Sprintf("%d %s (%s, %s)", l.Quantity, l.SKU, l.Reason, l.Wanted))
	}
	if e.Parcel == "" {
		p := s.addParcel(PlannedParcel{ID: id}, false)
		p.Return = id
		for _, l := range r.Lines {
			p.Lines = append(p.Lines, Allocation{l.SKU, l.Quantity})
		}
	}
	s.Returns = append(s.Returns, r)
	n := &s.Returns[len(s.Returns)-1]
	s.tellReturn(n, e.Meta, strings.Join(what, ", ")+because(e.Meta))
	switch {
	case e.Parcel != "":
		s.step(n, ReturnAuthorized, Meta{By: Engine}, "it is here already")
		s.receive(n, s.Now)
	case s.authorizes(n):
		s.step(n, ReturnAuthorized, Meta{By: Engine}, "by rule")
		s.labelByPolicy(n)
	}
}

func because(m Meta) string {
	if m.Reason == "" {
		return ""
	}
	return ": " + m.Reason
}

// cameBack is a return of all that was in a parcel and is in no other return.
func (s *State) cameBack(p *Parcel) []ReturnLine {
	var ls []ReturnLine
	for _, a := range p.Lines {
		if l := s.LineBySKU(a.SKU); l != nil {
			n := min(a.Quantity, l.Quantity-s.returned(a.SKU, p.ID))
			if n <= 0 {
				continue
			}
			back := ReturnLine{SKU: a.SKU, Quantity: n, Reason: OtherReason, Wanted: RefundRemedy}
			if p.neverHad() {
				back.Reason = NotDelivered
			}
			if r := s.returnByID(p.Return); r != nil { // the parcel of a return that had ended
				if asked := r.line(a.SKU); asked != nil {
					back.Reason, back.Wanted, back.Instead = asked.Reason, asked.Wanted, asked.Instead
				}
			}
			ls = append(ls, back)
		}
	}
	return ls
}

// authorizes says whether the policy lets a return in without a person.
func (s *State) authorizes(r *Return) bool {
	p := &s.Spec.Policy
	var sum []Allocation
	for _, l := range r.Lines {
		sum = append(sum, Allocation{l.SKU, l.Quantity})
	}
	return s.priced() && s.cost(sum) <= p.ReturnAutoLimit && !slices.Contains(p.ReturnExcluded, s.Spec.Class)
}

// priced says whether the order knows what its lines cost. Of one that does
// not, nobody knows whether something is below a limit.
func (s *State) priced() bool {
	return s.Spec.Currency != "" && slices.ContainsFunc(s.Spec.Lines, func(l Line) bool { return l.UnitAmount > 0 })
}

func (s *State) decideReturn(e DecideReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.State != ReturnRequested {
		return
	}
	r.DecidedBy = e.Actor
	if e.Agree {
		s.step(r, ReturnAuthorized, e.Meta, "")
		s.labelByPolicy(r)
	} else {
		s.step(r, ReturnRejected, e.Meta, "")
		s.dropParcel(r, e.Meta)
	}
}

// dropParcel says that a return's own parcel will not come. One that comes all
// the same is unexpected.
func (s *State) dropParcel(r *Return, m Meta) {
	if p := s.ParcelByID(r.Parcel); p != nil && p.inbound() {
		s.say(p, Cancelled, p.afterFix(s.Now), Meta{ID: m.ID, By: Engine, Reason: "return " + r.ID + " is " + string(r.State)})
	}
}

func (s *State) cancelReturn(r *Return, m Meta) {
	if r == nil {
		return
	}
	if LegalReturn(r.State, ReturnCancelled) {
		s.step(r, ReturnCancelled, m, "")
		s.dropParcel(r, m)
	} else if !r.DeclinedAt.IsZero() {
		r.DeclinedAt = time.Time{} // so be it
		s.tellReturn(r, m, "nothing more is done"+because(m))
	}
}

func (s *State) shipReturn(e ShipReturn) {
	r := s.returnByID(e.Return)
	if r == nil || !r.State.Open() {
		return
	}
	p := s.ParcelByID(r.Parcel)
	if p == nil || p.Milestone.Stage() > Preparing {
		return // it is on its way already
	}
	if b := r.OpenBooking(); b != nil {
		s.endBooking(r, b, Meta{ID: e.ID, By: e.By, Actor: e.Actor, Reason: "a person arranged it"})
	}
	s.ship(r, p, e)
}

// ship says how a return comes.
func (s *State) ship(r *Return, p *Parcel, e ShipReturn) {
	p.Carrier = orElse(e.Carrier, p.Carrier)
	if e.Tracking != "" {
		p.Tracking, p.LabelAt = e.Tracking, s.Now
	}
	r.PickupAt = e.PickupAt
	to, text := ReturnLabelSent, strings.TrimSpace(e.Carrier+" "+e.Tracking)
	if !e.PickupAt.IsZero() {
		to, text = ReturnPickup, strings.TrimSpace(text+" at "+day(e.PickupAt))
	}
	if r.State == to { // another label, another day
		r.Since = s.Now
		s.tellReturn(r, e.Meta, text+because(e.Meta))
	} else {
		s.step(r, to, e.Meta, text)
	}
}

// follow takes returns along with their parcels.
func (s *State) follow() {
	for i := range s.Returns {
		r := &s.Returns[i]
		p := s.ParcelByID(r.Parcel)
		if p == nil || !p.inbound() {
			continue
		}
		switch r.State {
		case ReturnAuthorized, ReturnLabelSent, ReturnPickup, ReturnInTransit, ReturnReceived:
		case ReturnRequested, ReturnRejected, ReturnInspecting, ReturnDispositioned, RefundReleased, ReplacementReleased, ReturnSentBack, ReturnClosed, ReturnCancelled:
			continue
		}
		to := ReturnAuthorized
		switch {
		case p.docked():
			s.receive(r, p.Since)
			continue
		case p.Milestone.Stage() > Preparing:
			to = ReturnInTransit
		case !r.PickupAt.IsZero():
			to = ReturnPickup
		case p.Tracking != "":
			to = ReturnLabelSent
		}
		if to != r.State {
			r.ReceivedAt = time.Time{}
			s.step(r, to, Meta{By: Engine}, "")
		}
	}
}

func (s *State) receive(r *Return, at time.Time) {
	if r.State != ReturnReceived {
		r.ReceivedAt = at
		s.step(r, ReturnReceived, Meta{By: Engine}, "")
	}
}

func (s *State) inspectReturn(e InspectReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.State != ReturnReceived && r.State != ReturnInspecting {
		return
	}
	for _, p := range e.Findings {
		l := r.line(p.SKU)
		if l == nil {
			continue
		}
		rule := Route(p.Grade, p.Serial, l.Reason)
		p.To, p.Accepted, p.Photos = Disposition(orElse(string(p.To), string(rule.To))), rule.Accept, slices.Clone(p.Photos)
		i := slices.IndexFunc(r.Findings, func(o Finding) bool {
			return o.SKU == p.SKU && o.Grade == p.Grade && o.Serial == p.Serial && o.To == p.To && o.Note == "" && p.Note == "" && len(o.Photos)+len(p.Photos) == 0
		})
		if i >= 0 {
			r.Findings[i].Quantity += p.Quantity
		} else {
			r.Findings = append(r.Findings, p)
		}
		text := fmt.Sprintf("%d %s graded %s, to %s", p.Quantity, p.SKU, p.Grade, p.To)
		if !p.Accepted {
			text += ", not accepted by rule"
		}
		if r.State == ReturnReceived {
			s.step(r, ReturnInspecting, e.Meta, text)
		} else {
			s.tellReturn(r, e.Meta, text+because(e.Meta))
		}
	}
	if r.State != ReturnInspecting || !r.inspected() {
		return
	}
	r.InspectedAt = s.Now
	if !slices.ContainsFunc(r.Findings, func(p Finding) bool { return !p.Accepted }) {
		s.dispose(r, e.Meta, "by rule")
	}
}

func (s *State) disposeReturn(e DisposeReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.InspectedAt.IsZero() || !r.State.Open() || !r.DisposedAt.IsZero() && r.DeclinedAt.IsZero() {
		return
	}
	for i := range r.Findings {
		p := &r.Findings[i]
		for _, d := range e.Lines {
			if d.SKU == p.SKU && d.Grade == p.Grade {
				p.Accepted = d.Accept
				if p.Grade != GradeMissing && r.SentBackAt.IsZero() {
					p.To = Disposition(orElse(string(d.To), string(p.To)))
				}
			}
		}
	}
	s.dispose(r, e.Meta, e.Reason)
}

// dispose routes the goods and asks for what the buyer gets.
func (s *State) dispose(r *Return, m Meta, why string) {
	r.DisposedAt, r.DeclinedAt = s.Now, time.Time{}
	goes := make([]string, 0, len(r.Findings)+1)
	for _, p := range r.Findings {
		word := "accepted"
		if !p.Accepted {
			word = "not accepted"
		}
		goes = append(goes, fmt.Sprintf("%d %s %s, to %s", p.Quantity, p.SKU, word, p.To))
	}
	text := strings.Join(goes, "; ") + " (" + why + ")"
	m.Reason = ""
	if r.State == ReturnInspecting {
		s.step(r, ReturnDispositioned, m, text)
	} else {
		s.tellReturn(r, m, text)
	}
	s.makeGood(r, m, why)
}

// makeGood begins the remedies of a return: for each wish one, and one for every
// line that was made good in part before.
func (s *State) makeGood(r *Return, m Meta, why string) {
	var refunds, replacements, exchanges []Allocation
	var instead []Allocation
	n := 0
	begin := func(kind RemedyKind, lines, instead []Allocation, amount int64) {
		n++
		rem := Remedy{ID: fmt.Sprintf("%s-%s-%d-%d", kind, r.ID, s.Seq, n), Kind: kind, Parcel: r.Parcel, Return: r.ID, Lines: lines, Instead: instead, Amount: amount,
			Currency: s.Spec.Currency, State: Requested, AskedAt: s.Now, AskedBy: m.Actor, Reason: "return " + r.ID + ": " + why}
		if !s.priced() && s.Spec.Policy.RefundLimit > 0 {
			rem.State = ToApprove // nobody knows whether it is below the limit
		}
		s.begin(rem)
	}
	for _, l := range r.Lines {
		_, accepted := r.found(l.SKU)
		amount, units := s.owed(r.Parcel, Allocation{l.SKU, accepted})
		if units < accepted {
			s.tellReturn(r, Meta{By: Engine}, fmt.Sprintf("%d of %d %s were made good before", accepted-units, accepted, l.SKU))
		}
		if a := (Allocation{l.SKU, units}); units > 0 {
			amount -= s.cost([]Allocation{a})
			switch l.Wanted {
			case ReplacementRemedy:
				replacements = append(replacements, a)
			case ExchangeRemedy:
				exchanges, instead = append(exchanges, a), append(instead, Allocation{l.Instead, units})
			case RefundRemedy, ClaimRemedy:
				refunds = append(refunds, a)
			}
		}
		if amount > 0 {
			begin(RefundRemedy, []Allocation{{l.SKU, 1}}, nil, amount)
		}
	}
	if len(refunds) > 0 && (!s.priced() || s.cost(refunds) > 0) {
		begin(RefundRemedy, refunds, nil, 0)
	}
	if len(replacements) > 0 {
		begin(ReplacementRemedy, replacements, nil, 0)
	}
	if len(exchanges) > 0 {
		begin(ExchangeRemedy, exchanges, instead, 0)
	}
}

// remedied tells a return what came of its remedy.
func (s *State) remedied(rem *Remedy) {
	r := s.returnByID(rem.Return)
	if r == nil || r.DisposedAt.IsZero() || !r.State.Open() {
		return // goods that never came: see endReturns
	}
	if rem.State == Declined {
		r.DeclinedAt = s.Now
		s.tellReturn(r, Meta{By: Engine}, string(rem.Kind)+" declined")
		return
	}
	s.released(r, rem)
}

func (s *State) released(r *Return, rem *Remedy) {
	to := ReplacementReleased
	if rem.Kind == RefundRemedy {
		to = RefundReleased
	}
	text := string(rem.Kind) + " confirmed"
	if rem.Reference != "" {
		text += " as " + rem.Reference
	}
	s.step(r, to, Meta{By: Engine}, text)
}

func (s *State) sendReturnBack(e SendReturnBack) {
	r := s.returnByID(e.Return)
	if r == nil || r.DisposedAt.IsZero() || !r.State.Open() || !r.toSendBack() {
		return
	}
	r.SentBackAt = s.Now
	s.step(r, ReturnSentBack, e.Meta, strings.TrimSpace(e.Carrier+" "+e.Tracking))
}

// endReturns closes every return of which nothing is left to do, and those whose
// parcel was given up, once that was decided.
func (s *State) endReturns() {
	for i := range s.Returns {
		r := &s.Returns[i]
		if !r.State.Open() || slices.ContainsFunc(s.Remedies, func(m Remedy) bool { return m.Return == r.ID && m.State.Open() }) {
			continue
		}
		p := s.ParcelByID(r.Parcel)
		switch {
		case !r.DisposedAt.IsZero():
			if r.DeclinedAt.IsZero() && !r.toSendBack() {
				s.step(r, ReturnClosed, Meta{By: Engine}, "")
			}
		case r.State == ReturnInTransit && p != nil && p.gone() && s.caseOf(LostParcel, p.ID) == nil && !s.revisits(LostParcel, p.ID):
			for j := range s.Remedies {
				if rem := &s.Remedies[j]; rem.Return == r.ID && rem.State == Confirmed && rem.Kind != ClaimRemedy {
					s.released(r, rem)
				}
			}
			s.step(r, ReturnClosed, Meta{By: Engine}, "it never arrived")
		}
	}
}

// gone parcels were given up.
func (p *Parcel) gone() bool { return p.Milestone == Lost || p.Milestone == Destroyed }

func (s *State) revisits(kind CaseKind, parcel string) bool {
	return slices.ContainsFunc(s.Revisits, func(r Revisit) bool { return r.Case.Kind == kind && r.Case.Parcel == parcel })
}

// returnWait is the step that a return itself waits for, and the case that opens
// when it is late; ok is false while it waits for its parcel or a remedy only.
func (s *State) returnWait(r *Return) (w Wait, late CaseKind, ok bool) {
	p := s.Spec.Policy.Completed()
	w = Wait{Parcel: r.Parcel, Owner: ReturnsTeam, Since: r.Since}
	lasts := func(kind WaitKind, what string, d Duration, rule, then string) {
		w.Kind, w.What, w.Until, w.Rule, w.CutShort = kind, what+" of return "+r.ID, w.Since.Add(time.Duration(d)), rule+" "+d.String(), then
	}
	late = ReturnOverdue
	switch r.State {
	case ReturnRequested:
		lasts(WaitReturnDecision, "a decision about the request", p.ReturnDecision, "return_decision", "authorize or reject it")
	case ReturnAuthorized, ReturnLabelSent:
		lasts(WaitReturnShipment, "the buyer's shipment", p.ReturnShip, "return_ship", "the carrier's first physical scan, or the dock's")
	case ReturnPickup:
		lasts(WaitReturnShipment, "the carrier's pickup", p.Handoff, "hand_off", "the carrier's first physical scan, or the dock's")
		w.Owner, w.Until = CarrierTeam, latest(r.Since, r.PickupAt).Add(time.Duration(p.Handoff))
	case ReturnInTransit:
		parcel := s.ParcelByID(r.Parcel)
		if parcel == nil || parcel.Milestone != Delivered && parcel.Milestone != Returned {
			return w, late, false
		}
		w.Owner, w.Since = WarehouseTeam, parcel.Since
		lasts(WaitReturnReceipt, "the dock's scan", p.ReturnReceipt, "return_receipt", "a returned scan")
	case ReturnReceived, ReturnInspecting:
		late = InspectionOverdue
		if r.InspectedAt.IsZero() {
			w.Since = r.ReceivedAt
			lasts(WaitInspection, "the inspection", p.ReturnInspect, "return_inspect", "a grade for every unit")
		} else {
			w.Since = r.InspectedAt
			lasts(WaitDisposition, "a decision about what was not accepted", p.ReturnInspect, "return_inspect", "accept or refuse it")
		}
	case ReturnDispositioned, RefundReleased, ReplacementReleased, ReturnSentBack:
		late = InspectionOverdue
		switch {
		case !r.DeclinedAt.IsZero():
			w.Since, w.Owner = r.DeclinedAt, SupportTeam
			lasts(WaitDisposition, "a decision after no was said to what the buyer should get", p.ReturnDecision, "return_decision", "decide anew, or end the return")
		case r.toSendBack():
			w.Since = r.DisposedAt
			lasts(WaitSendBack, "the goods that go back to the buyer", p.ReturnInspect, "return_inspect", "say that they were sent")
		default:
			return w, late, false
		}
	case ReturnRejected, ReturnClosed, ReturnCancelled:
		return w, late, false
	}
	w.Then = "a " + string(late) + " case is opened"
	if late == InspectionOverdue {
		w.Then = "an " + string(late) + " case is opened"
	}
	return w, late, true
}

// returnLate says whether a case of a late step is still about that step.
func (s *State) returnLate(c *Case) bool {
	for i := range s.Returns {
		if r := &s.Returns[i]; r.Parcel == c.Parcel {
			if w, late, ok := s.returnWait(r); ok && late == c.Kind && w.Since.Equal(c.Baseline) {
				return true
			}
			if b := r.OpenBooking(); b != nil && c.Kind == ReturnOverdue && b.State == BookingByHand && b.HandAt.Equal(c.Baseline) {
				return true
			}
		}
	}
	return false
}
