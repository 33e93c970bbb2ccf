package order

import (
	"fmt"
	"slices"
	"time"
)

// What people do about cases, and how an order remembers it.

// caseByID finds an open case.
func (s *State) caseByID(id string) *Case {
	for i := range s.Cases {
		if s.Cases[i].ID == id {
			return &s.Cases[i]
		}
	}
	return nil
}

// decided finds what was decided last about a cause.
func (s *State) decided(kind CaseKind, parcel string, baseline time.Time) bool {
	return slices.ContainsFunc(s.Decisions, func(d Decision) bool {
		return d.Resolution != "" && d.Case.Kind == kind && d.Case.Parcel == parcel && d.Case.Baseline.Equal(baseline)
	})
}

func (s *State) remember(c Case, r Resolution, m Meta) {
	s.Decisions = append(s.Decisions, Decision{Case: c, Resolution: r, At: s.Now, Actor: m.Actor, Reason: m.Reason})
	if n := len(s.Decisions); n > maxDecisions {
		s.Decisions = s.Decisions[n-maxDecisions:]
	}
}

// resolve carries out a decision that Check allowed.
func (s *State) resolve(e ResolveCase) {
	c := s.caseByID(e.Case)
	if c == nil {
		return // it closed between the question and the answer
	}
	ended := *c
	s.Cases = slices.DeleteFunc(s.Cases, func(c Case) bool { return c.ID == e.Case })
	s.remember(ended, e.Resolution, e.Meta)
	text := string(e.Resolution)
	if !e.Until.IsZero() {
		text += " until " + day(e.Until)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	s.tell(Happening{Type: CaseClosed, At: s.Now, Parcel: ended.Parcel, Case: ended.Kind, Actor: e.Actor, Cause: e.ID, Text: text})
	p := s.ParcelByID(ended.Parcel)
	switch e.Resolution {
	case WaitOn, Arranged:
		s.giveTime(ended, p, e)
	case Redeliver, HoldAtLocation, Redirect, ReturnToSender:
		if p == nil {
			break
		}
		i := Instruction{Kind: e.Resolution, Point: e.Point, Case: ended.ID}
		if e.Resolution == Redeliver {
			i.Day = e.Until
			s.giveTime(ended, p, e)
		}
		s.instruct(i, p, e.Meta)
	case CancelParcel:
		m := e.Meta
		if s.Rules >= instructRules {
			m.By = Support // who decides here, whoever of the staff asked
		}
		switch {
		case p != nil:
			s.cancel(Cancel{Meta: m, Parcels: []string{p.ID}})
		case s.Rules >= instructRules:
			s.cancelRest(m)
		default:
			s.cancel(Cancel{Meta: m})
		}
	case DeclareLost:
		s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: ended.Parcel, Milestone: Lost})
	case DeclareDelivered:
		s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: ended.Parcel, Milestone: Delivered})
	case Refund, Replace, Claim:
		if ended.Kind == LostParcel && p != nil && p.Milestone != Lost {
			s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: p.ID, Milestone: Lost}) // written off; movement finds it again
			ended.Baseline = p.Since                                                          // it is decided about, not a new loss
			if s.Rules >= instructRules {
				s.Decisions[len(s.Decisions)-1].Case.Baseline = p.Since
			} else {
				s.remember(ended, e.Resolution, e.Meta)
			}
		}
		s.remedy(e.Resolution, ended, e)
	case EndReturn:
		r := s.returnOf(ended.Parcel)
		s.cancelReturn(r, e.Meta)
		if r == nil {
			break
		}
		if b := r.OpenBooking(); b != nil && b.State == BookingByHand {
			s.endBooking(r, b, e.Meta) // who ended the return has read why it was open
		}
	case Dismiss:
	}
}

// rest is what was ordered and is in no parcel.
func (s *State) rest() []Allocation {
	var rest []Allocation
	for _, l := range s.Spec.Lines {
		if n := l.Quantity - s.allocated(l.SKU, ""); n > 0 {
			rest = append(rest, Allocation{l.SKU, n})
		}
	}
	return rest
}

// cancelRest gives up what is in no parcel, as a parcel that will not be sent.
// The order's other parcels go their way.
func (s *State) cancelRest(m Meta) {
	id := "rest"
	for n := 2; s.ParcelByID(id) != nil; n++ {
		id = fmt.Sprint("rest-", n)
	}
	p := s.addParcel(PlannedParcel{ID: id, Lines: s.rest()}, false)
	s.tell(Happening{Type: ParcelAdded, At: s.Now, Parcel: id, Actor: m.Actor, Cause: m.ID})
	s.say(p, Cancelled, s.Now, m)
}

// giveTime extends what the parcel of an ended case waits for. A case that
// follows from the state comes back when the time is over without a change.
func (s *State) giveTime(c Case, p *Parcel, e ResolveCase) {
	for _, w := range Waiting(s) {
		switch {
		case s.Rules >= instructRules && !slices.Contains(c.Kind.waits(), w.Kind):
		case w.Kind == WaitCase || w.Kind == WaitNotice || w.Kind == WaitClose || w.Kind == WaitPromise:
		case p != nil && w.Parcel == p.ID, p == nil && w.Parcel == "":
			s.extend(Extension{Kind: w.Kind, Parcel: w.Parcel, Case: w.Case, Since: w.Since, Until: e.Until, Actor: e.Actor, Reason: e.Reason})
			return
		}
	}
	// Nothing waits any more by itself: what was given up is looked at again then,
	// unless it has ended by itself.
	c.Pinned = false
	s.Revisits = append(s.Revisits, Revisit{Case: c, Since: s.Now, Until: e.Until})
}

// waits are those that end in such a case, where there are any now.
func (k CaseKind) waits() []WaitKind {
	switch k {
	case NotPicked:
		return []WaitKind{WaitPick, WaitPlan}
	case NotPacked:
		return []WaitKind{WaitPack}
	case MissedHandoff:
		return []WaitKind{WaitHandoff}
	case HeldTooLong:
		return []WaitKind{WaitHold}
	case RemedyOverdue:
		return []WaitKind{WaitRemedy}
	case InstructionOverdue:
		return []WaitKind{WaitByHand}
	case ReturnOverdue:
		return []WaitKind{WaitReturnDecision, WaitReturnShipment, WaitReturnReceipt, WaitByHand}
	case InspectionOverdue:
		return []WaitKind{WaitInspection, WaitDisposition, WaitSendBack}
	case Stalled, Late, FailedAttempt, LostParcel, AddressProblem, Refused, Damaged, CustomsHold, Weather, PaymentDue, NotReceived, UnexpectedReturn:
		return []WaitKind{WaitMovement}
	}
	return nil
}

// Revisit brings a case back at a time that a person set.
type Revisit struct {
	Case  Case      `json:"case"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

func (s *State) extend(x Extension) {
	s.Extensions = slices.DeleteFunc(s.Extensions, func(o Extension) bool {
		return o.Kind == x.Kind && o.Parcel == x.Parcel && o.Case == x.Case
	})
	s.Extensions = append(s.Extensions, x)
	if n := len(s.Extensions); n > maxExtensions {
		s.Extensions = s.Extensions[n-maxExtensions:]
	}
	s.tell(Happening{Type: WaitExtended, At: s.Now, Parcel: x.Parcel, Case: x.Case, Actor: x.Actor, Text: fmt.Sprintf("%s until %s: %s", x.Kind, day(x.Until), x.Reason)})
}

// extended is a wait with what people decided about its end.
func (s *State) extended(w Wait) Wait {
	for _, x := range s.Extensions {
		if x.Kind == w.Kind && x.Parcel == w.Parcel && x.Case == w.Case && x.Since.Equal(w.Since) && x.Until.After(w.Until) {
			w.Until = x.Until
			w.Rule += ", extended by " + orElse(x.Actor, "a person")
			if x.Reason != "" {
				w.Rule += " (" + x.Reason + ")"
			}
		}
	}
	return w
}

// reopen brings an ended case back as it was, with a new clock.
func (s *State) reopen(e ReopenCase) {
	i := slices.IndexFunc(s.Decisions, func(d Decision) bool { return d.Case.ID == e.Case })
	if i < 0 {
		return
	}
	c := s.Decisions[i].Case
	s.Decisions = slices.Delete(s.Decisions, i, i+1)
	if s.caseOf(c.Kind, c.Parcel) != nil {
		return // one of its kind is open again anyhow
	}
	c.Pinned = true
	s.reopenAs(c, e.Meta, orElse(e.Reason, "reopened"))
}

// reopenAs opens a case again, under a new ID: forms about the old one are stale.
func (s *State) reopenAs(c Case, m Meta, text string) {
	rule := s.Spec.Policy.caseRule(c.Kind)
	c.ID, c.OpenedAt, c.Level = s.caseID(c.Kind, c.Parcel), s.Now, 0
	c.NoticeAt, c.NoticedAt = time.Time{}, time.Time{} // whom it was said to has heard of it
	c.Due = s.clock("case_due").Add(s.Now, time.Duration(rule.Due))
	s.Cases = append(s.Cases, c)
	s.tell(Happening{Type: CaseOpened, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Actor: m.Actor, Cause: m.ID, Text: text})
}

func (s *State) caseID(kind CaseKind, parcel string) string { return episodeID(kind, parcel, s.Seq) }

func episodeID(kind CaseKind, parcel string, seq int64) string {
	id := string(kind)
	if parcel != "" {
		id += "-" + parcel
	}
	return fmt.Sprintf("%s-%d", id, seq)
}

// nameCases lets people act on cases that were opened under older rules.
func (s *State) nameCases() {
	for i := range s.Cases {
		if c := &s.Cases[i]; c.ID == "" && s.Rules >= instructRules {
			c.ID, c.Severity = s.caseID(c.Kind, c.Parcel), s.Spec.Policy.caseRule(c.Kind).Severity
		}
	}
}

func (s *State) reportNotReceived(e ReportNotReceived) {
	p := s.ParcelByID(e.Parcel)
	if p == nil || p.Milestone != Delivered || p.inbound() {
		return
	}
	p.NotReceivedAt = s.Now
	s.askProof(p)
	s.open(NotReceived, p, SupportTeam, p.Since, "reported missing after it was said to be delivered at "+day(p.Since))
}

// troubled opens the case of an exception, unless the parcel has moved on since.
func (s *State) troubled(p *Parcel, at time.Time, e CarrierEvent) {
	if s.Rules < peopleRules || e.By != CarrierSays {
		return
	}
	kind := CaseOfBucket(e.Bucket)
	if kind == "" || p.Milestone.Settled() || p.LastMovement.After(at) || p.Milestone.Stage() > Moving {
		return
	}
	d := s.Spec.Policy.caseRule(kind)
	text := "the carrier says: " + e.Bucket
	if e.Location != "" {
		text += ", in " + e.Location
	}
	s.open(kind, p, d.Owner, at, text)
}
