package order

import (
	"regexp"
	"slices"
	"strconv"
)

var photoPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]{0,99}$`)

func checkPhotos(at string, refs []string) error {
	if len(refs) > maxPhotos {
		return refuse(at+"photos", "at most %d", maxPhotos)
	}
	for i, p := range refs {
		if !photoPattern.MatchString(p) {
			return refuse(at+"photos["+strconv.Itoa(i)+"]", "must be a reference of 1 to 100 letters, digits and . _ / : -")
		}
	}
	return nil
}

func (s *State) checkRequestReturn(e RequestReturn) error {
	switch {
	case s.Rules < peopleRules:
		return refuse("", "the order follows rules %d, which know no returns, until its next run", s.Rules)
	case e.By != Buyer && e.By != Storefront && e.By != Support && e.By != ReturnsDesk:
		return refuse("by", "%q may not ask for a return", e.By)
	case len(s.Returns) >= maxReturns:
		return refuseFor(WhyTooMany, "", "an order has at most %d returns", maxReturns)
	}
	lines := 0
	for i := range s.Returns {
		lines += len(s.Returns[i].Lines)
	}
	if lines+len(e.Lines) > maxReturnLines {
		return refuse("lines", "the returns of an order have at most %d lines", maxReturnLines)
	}
	var p *Parcel
	if e.Parcel != "" {
		p = s.ParcelByID(e.Parcel)
		switch {
		case e.By == Storefront, e.By == Buyer:
			return refuse("by", "only support and the returns desk may take in a parcel")
		case p == nil:
			return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
		case p.Milestone != Returned:
			return refuse("parcel", "%s has not come back: it is %s", p.ID, p.Milestone)
		}
		if r := s.returnOf(p.ID); r != nil {
			return refuse("parcel", "%s belongs to return %s, which is %s", p.ID, r.ID, r.State)
		}
		if len(e.Lines) == 0 && len(s.cameBack(p)) == 0 {
			return refuse("parcel", "all that was in %s is in other returns: cancel those first", p.ID)
		}
	} else if len(e.Lines) == 0 {
		return refuseFor(WhyNothing, "lines", "at least one is needed")
	}
	if err := checkPackage("package", e.Package); err != nil {
		return err
	}
	for i, l := range e.Lines {
		if e.By == Buyer && (l.Wanted == ExchangeRemedy || len(l.Photos) > 0) {
			return refuseFor(WhyPerson, "lines["+strconv.Itoa(i)+"].wanted", "%q may ask for a refund or a replacement", Buyer) // what to send instead, the shop knows
		}
		if err := s.checkReturnLine("lines["+strconv.Itoa(i)+"].", l, p); err != nil {
			return err
		}
		if slices.ContainsFunc(e.Lines[:i], func(o ReturnLine) bool { return o.SKU == l.SKU }) {
			return refuse("lines["+strconv.Itoa(i)+"].sku", "%s is named twice", l.SKU)
		}
	}
	return nil
}

func (s *State) checkReturnLine(at string, l ReturnLine, p *Parcel) error {
	line := s.LineBySKU(l.SKU)
	switch {
	case line == nil:
		return refuse(at+"sku", "%q is not on this order", l.SKU)
	case l.Quantity < 1:
		return refuseFor(WhyQuantity, at+"quantity", "must be at least 1, not %d", l.Quantity)
	case !slices.Contains(ReturnReasons, l.Reason) || l.Reason == NotDelivered && (p == nil || !p.neverHad()):
		return refuse(at+"reason", "%q is no reason for a return", l.Reason)
	case l.Wanted != RefundRemedy && l.Wanted != ReplacementRemedy && l.Wanted != ExchangeRemedy:
		return refuse(at+"wanted", "must be refund, replacement or exchange")
	case (l.Wanted == ExchangeRemedy) != (l.Instead != "") || len(l.Instead) > 100:
		return refuse(at+"instead", "goes with an exchange: the SKU to send, 1 to 100 bytes")
	}
	if p == nil {
		ever, now := s.returnable(l.SKU)
		switch {
		case l.Quantity > ever:
			return refuseFor(WhyQuantity, at+"quantity", "%d of %s, but only %d were delivered and are in no return", l.Quantity, l.SKU, ever)
		case l.Quantity > now:
			return refuseFor(WhyTooLate, at+"quantity", "%d of %s, but only %d were delivered within %s", l.Quantity, l.SKU, now, s.Spec.Policy.Completed().ReturnWindow)
		}
		return checkPhotos(at, l.Photos)
	}
	for _, b := range s.cameBack(p) {
		if b.SKU == l.SKU && l.Quantity <= b.Quantity {
			return checkPhotos(at, l.Photos)
		}
	}
	return refuse(at+"quantity", "%d of %s were not in parcel %s, or are in another return", l.Quantity, l.SKU, p.ID)
}

// checkReturn finds a return and says who may act on it.
func (s *State) checkReturn(id string, by Source, may ...Source) (*Return, error) {
	if !slices.Contains(may, by) {
		return nil, refuse("by", "%q may not do that with a return", by)
	}
	if r := s.returnByID(id); r != nil {
		return r, nil
	}
	return nil, refuse("return", "%q is no return of this order", id)
}

func wrongState(r *Return) error {
	return refuse("return", "%s is %s since %s", r.ID, r.State, day(r.Since))
}

func (s *State) checkDecideReturn(e DecideReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Support, ReturnsDesk)
	switch {
	case err != nil:
		return err
	case r.State != ReturnRequested:
		return wrongState(r)
	case !e.Agree:
		return needReason(e.Meta)
	}
	return nil
}

func (s *State) checkShipReturn(e ShipReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Storefront, Support, ReturnsDesk)
	if err != nil {
		return err
	}
	p := s.ParcelByID(r.Parcel)
	switch {
	case r.State != ReturnAuthorized && r.State != ReturnLabelSent && r.State != ReturnPickup || p == nil:
		return wrongState(r)
	case r.OpenBooking() != nil && r.OpenBooking().State.Asking():
		return r.OpenBooking().asking()
	case e.Tracking == "" && e.PickupAt.IsZero():
		return refuse("tracking", "a tracking number or a pickup is needed; a buyer who brings it needs neither")
	case e.Carrier != "" && !carrierPattern.MatchString(e.Carrier):
		return refuse("carrier", "must be a carrier code like ups")
	case e.Tracking != "" && !trackingPattern.MatchString(e.Tracking):
		return refuse("tracking", "must be 4 to 40 capital letters, digits and -")
	case e.Tracking != "" && e.Carrier == "" && p.Carrier == "":
		return refuse("carrier", "is needed with a tracking number")
	case !e.PickupAt.IsZero() && (!e.PickupAt.After(s.Now) || e.PickupAt.After(s.Now.Add(maxExtension))):
		return refuse("pickup_at", "must lie ahead, within %s", human(maxExtension))
	}
	return nil
}

func (s *State) checkInspectReturn(e InspectReturn) error {
	r, err := s.checkReturn(e.Return, e.By, ReturnsDesk, Warehouse)
	switch {
	case err != nil:
		return err
	case r.State != ReturnReceived && r.State != ReturnInspecting || !r.InspectedAt.IsZero():
		return wrongState(r)
	case len(e.Findings) == 0 || len(e.Findings) > maxReturnLines:
		return refuse("findings", "must be 1 to %d, not %d", maxReturnLines, len(e.Findings))
	}
	if len(r.Findings)+len(e.Findings) > 4*len(r.Lines)+maxReturnLines {
		return refuse("findings", "join findings of one grade: the return has %d already", len(r.Findings))
	}
	more := make(map[string]int, len(e.Findings))
	for i, p := range e.Findings {
		at := "findings[" + strconv.Itoa(i) + "]."
		l := r.line(p.SKU)
		switch {
		case l == nil:
			return refuse(at+"sku", "%q is not in return %s", p.SKU, r.ID)
		case p.Quantity < 1:
			return refuse(at+"quantity", "must be at least 1, not %d", p.Quantity)
		case !slices.Contains(Grades, p.Grade):
			return refuse(at+"grade", "%q is none of %v", p.Grade, Grades)
		case !slices.Contains([]SerialCheck{"", SerialOK, SerialMismatch, SerialUnknown}, p.Serial):
			return refuse(at+"serial", "must be ok, mismatch or unknown")
		case len(p.Note) > maxFindingNote:
			return refuse(at+"note", "must be at most %d bytes", maxFindingNote)
		}
		all, _ := r.found(p.SKU)
		if left := l.Quantity - all - more[p.SKU]; p.Quantity > left {
			return refuse(at+"quantity", "%d of %s, but only %d of %d are left to inspect", p.Quantity, p.SKU, left, l.Quantity)
		}
		more[p.SKU] += p.Quantity
		if err := checkPhotos(at, p.Photos); err != nil {
			return err
		}
		rule := Route(p.Grade, p.Serial, l.Reason)
		if p.To == "" || p.To == rule.To {
			continue
		}
		if err := checkRoute(at, p.Grade, p.To, rule.Accept); err != nil {
			return err
		}
		if err := needReason(e.Meta); err != nil {
			return err
		}
	}
	return nil
}

// checkRoute says whether goods may go there.
func checkRoute(at string, g Grade, to Disposition, accept bool) error {
	switch {
	case g == GradeMissing:
		return refuse(at+"to", "what is missing goes nowhere")
	case !slices.Contains(Dispositions, to):
		return refuse(at+"to", "%q is none of %v", to, Dispositions)
	case to == SendBack && accept:
		return refuse(at+"to", "what is accepted is not sent back")
	}
	return nil
}

func (s *State) checkDisposeReturn(e DisposeReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Support, ReturnsDesk)
	switch {
	case err != nil:
		return err
	case r.InspectedAt.IsZero() || !r.State.Open() || !r.DisposedAt.IsZero() && r.DeclinedAt.IsZero():
		return wrongState(r)
	case len(s.Remedies) >= maxRemedies:
		return refuse("return", "the order has %d remedies already", maxRemedies)
	}
	for i, d := range e.Lines {
		at := "lines[" + strconv.Itoa(i) + "]."
		if slices.ContainsFunc(e.Lines[:i], func(o Disposal) bool { return o.SKU == d.SKU && o.Grade == d.Grade }) {
			return refuse(at+"sku", "%s in grade %s is named twice", d.SKU, d.Grade)
		}
		named := false
		for _, p := range r.Findings {
			if p.SKU != d.SKU || p.Grade != d.Grade {
				continue
			}
			named = true
			to := Disposition(orElse(string(d.To), string(p.To)))
			switch {
			case to == p.To && !(to == SendBack && d.Accept):
			case to != p.To && !r.SentBackAt.IsZero():
				return refuse(at+"to", "the goods were sent back at %s", day(r.SentBackAt))
			default:
				if err := checkRoute(at, p.Grade, to, d.Accept); err != nil {
					return err
				}
			}
		}
		if !named {
			return refuse(at+"sku", "return %s has no %s in grade %s", r.ID, d.SKU, d.Grade)
		}
	}
	return needReason(e.Meta)
}

func (s *State) checkSendReturnBack(e SendReturnBack) error {
	r, err := s.checkReturn(e.Return, e.By, ReturnsDesk, Warehouse)
	switch {
	case err != nil:
		return err
	case r.DisposedAt.IsZero() || !r.State.Open():
		return wrongState(r)
	case !r.toSendBack():
		return refuse("return", "nothing of %s goes back to the buyer", r.ID)
	case e.Carrier != "" && !carrierPattern.MatchString(e.Carrier):
		return refuse("carrier", "must be a carrier code like ups")
	case e.Tracking != "" && !trackingPattern.MatchString(e.Tracking):
		return refuse("tracking", "must be 4 to 40 capital letters, digits and -")
	}
	return nil
}

func (s *State) checkCancelReturn(id string, m Meta) error {
	r, err := s.checkReturn(id, m.By, Storefront, Support, ReturnsDesk)
	if err != nil {
		return err
	}
	p := s.ParcelByID(r.Parcel)
	switch {
	case !r.DeclinedAt.IsZero() && r.State.Open():
		if m.By != Support {
			return refuse("by", "only support may end a return of which something was declined")
		}
	case !LegalReturn(r.State, ReturnCancelled):
		return wrongState(r)
	case r.State == ReturnReceived && (p == nil || p.inbound()):
		return refuse("return", "%s is here: it is inspected", r.ID)
	case r.State == ReturnReceived && m.By == Storefront:
		return refuse("by", "only support and the returns desk may do that")
	}
	return needReason(m)
}
