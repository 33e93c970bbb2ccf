package order

import (
	"slices"
	"time"
)

// When people may not.

// checkCase says why a person may not act on a case; what is open now comes
// back, so that a stale form can show it.
func (s *State) checkCase(id string, by Source) error {
	if !staff(by) {
		return refuse("by", "%q may not act on cases", by)
	}
	if id == "" { // as under older rules
		return refuse("case", "has no ID yet: its order follows older rules until its next run")
	}
	if s.caseByID(id) != nil {
		return nil
	}
	for _, d := range s.Decisions {
		if d.Case.ID != id {
			continue
		}
		how := "closed by itself"
		if d.Resolution != "" {
			how = "was resolved (" + string(d.Resolution) + ") by " + orElse(d.Actor, "somebody")
		}
		return refuse("case", "%s %s at %s", id, how, day(d.At))
	}
	return refuse("case", "%q is no open case of this order", id)
}

// staff may act on cases; the buyer and the storefront may not.
func staff(by Source) bool { return by == Support || by == Warehouse || by == ReturnsDesk }

func (s *State) checkResolve(e ResolveCase) error {
	if err := s.checkCase(e.Case, e.By); err != nil {
		return err
	}
	c := s.caseByID(e.Case)
	d, _ := LookupCase(c.Kind)
	if !slices.Contains(d.Resolutions, e.Resolution) {
		return refuse("resolution", "%q does not resolve %s; one of %v does", e.Resolution, c.Kind, d.Resolutions)
	}
	if e.Resolution.NeedsUntil() && (!e.Until.After(s.Now) || e.Until.After(s.Now.Add(maxExtension))) {
		return refuse("until", "must lie ahead, within %s", human(maxExtension))
	}
	switch e.Resolution {
	case WaitOn, Arranged:
	case Redeliver, HoldAtLocation, Redirect, ReturnToSender:
		if e.By != Support {
			return refuse("by", "%q may not instruct carriers", e.By)
		}
		if err := s.checkInstruct(e.Resolution, s.ParcelByID(c.Parcel)); err != nil {
			return err
		}
	case CancelParcel:
		var parcels []string
		if c.Parcel != "" {
			parcels = []string{c.Parcel}
		} else if s.Rules >= instructRules {
			switch {
			case len(s.rest()) == 0:
				return refuse("resolution", "every line is in a parcel: cancel that")
			case len(s.Parcels) >= MaxParcels:
				return refuse("resolution", "an order has at most %d parcels", MaxParcels)
			}
			return needReason(e.Meta)
		}
		// Support decides here, whoever of the staff asked.
		if err := s.checkCancel(Cancel{Meta: Meta{By: Support}, Parcels: parcels}); err != nil {
			return err
		}
	case DeclareLost, DeclareDelivered:
		if e.By != Support {
			return refuse("by", "only support may set a milestone")
		}
		if r := s.returnOf(c.Parcel); c.Kind == ReturnOverdue && r != nil && r.State == ReturnRequested {
			return refuse("resolution", "return %s is not authorized yet: decide about it", r.ID)
		}
	case Refund, Replace, Claim:
		if e.By != Support {
			return refuse("by", "%q may not decide about money", e.By)
		}
		if err := s.checkRemedy(e, c); err != nil {
			return err
		}
	case EndReturn:
		r := s.returnOf(c.Parcel)
		if r == nil {
			return refuse("resolution", "parcel %s belongs to no return", c.Parcel)
		}
		if err := s.checkCancelReturn(r.ID, e.Meta); err != nil {
			return err
		}
	case Dismiss:
	}
	if e.Amount != 0 && e.Resolution != Refund {
		return refuse("amount", "goes with a refund only")
	}
	if e.Point != "" && (e.Resolution != HoldAtLocation || !pointPattern.MatchString(e.Point)) {
		return refuse("point", "goes with %s only, and is 1 to 40 of letters, digits and . _ -", HoldAtLocation)
	}
	return needReason(e.Meta)
}

func (s *State) checkReopen(e ReopenCase) error {
	if !staff(e.By) {
		return refuse("by", "%q may not act on cases", e.By)
	}
	for _, d := range s.Decisions {
		if d.Case.ID != e.Case {
			continue
		}
		if have := s.caseOf(d.Case.Kind, d.Case.Parcel); have != nil {
			return refuse("case", "%s is open again already, as %s", d.Case.Kind, have.ID)
		}
		return needReason(e.Meta)
	}
	return refuse("case", "%q is no ended case that this order remembers", e.Case)
}

func (s *State) checkWait(by Source, kind WaitKind, parcel string, on CaseKind) (Wait, error) {
	if !staff(by) {
		return Wait{}, refuse("by", "%q may not move waits", by)
	}
	w, ok := s.waitOf(kind, parcel, on)
	if !ok {
		return w, refuse("wait", "the order does not wait for that (any more)")
	}
	if !w.Movable() {
		return w, refuse("wait", "%s cannot be moved: %s", kind, w.CutShort)
	}
	return w, nil
}

func (s *State) checkExtend(e ExtendWait) error {
	w, err := s.checkWait(e.By, e.Kind, e.Parcel, e.On)
	if err != nil {
		return err
	}
	if !e.Until.After(w.Until) || e.Until.After(s.Now.Add(maxExtension)) {
		return refuse("until", "must lie after %s, within %s from now; to end the wait, fire it", day(w.Until), human(maxExtension))
	}
	return needReason(e.Meta)
}

func (s *State) checkNotReceived(e ReportNotReceived) error {
	p := s.ParcelByID(e.Parcel)
	if p == nil {
		return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
	}
	if p.inbound() {
		return refuse("parcel", "%s is the parcel of return %s", p.ID, p.Return)
	}
	if p.Milestone != Delivered {
		return refuseFor(WhyUndelivered, "parcel", "%s is not said to be delivered: it is %s", p.ID, p.Milestone)
	}
	if s.caseOf(NotReceived, p.ID) != nil {
		return refuseFor(WhyReported, "parcel", "%s has been reported already", p.ID)
	}
	if s.decided(NotReceived, p.ID, p.Since) {
		return refuseFor(WhyDecided, "parcel", "%s was reported before and decided about; support can reopen that case", p.ID)
	}
	if w := time.Duration(s.Spec.Policy.Completed().ReportWindow); s.Now.After(p.Since.Add(w)) {
		return refuseFor(WhyTooLate, "parcel", "%s was delivered at %s, more than %s ago", p.ID, day(p.Since), human(w))
	}
	return nil
}
