package order

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Refusal is a request that may not be granted, with the field at fault and a
// reason that a person understands.
type Refusal struct {
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	// Why names it where buyers can meet it.
	Why Why `json:"why,omitempty"`
}

func (r *Refusal) Error() string {
	if r.Field == "" {
		return r.Reason
	}
	return r.Field + ": " + r.Reason
}

func refuse(field, format string, args ...any) error {
	return refuseFor("", field, format, args...)
}

func refuseFor(why Why, field, format string, args ...any) error {
	return &Refusal{Field: field, Reason: fmt.Sprintf(format, args...), Why: why}
}

var (
	storePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	numberPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	parcelPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	carrierPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	trackingPattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{3,39}$`)
	countryPattern  = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)
)

// IsTracking says whether a parcel can have that number.
func IsTracking(number string) bool { return trackingPattern.MatchString(number) }

// CheckSpec says why an order cannot be created. Several faults are joined, so
// that a storefront can mend them all at once.
func CheckSpec(s Spec, now time.Time) error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, refuse(field, format, args...)) }
	if !storePattern.MatchString(s.Store) {
		bad("store", "must be 1 to 32 of a-z, 0-9 and -")
	}
	if !numberPattern.MatchString(s.Number) {
		bad("number", "must be 1 to 64 of letters, digits and . _ -")
	}
	if !slices.Contains(Classes, s.Class) {
		bad("class", "%q is not an order class", s.Class)
	}
	if s.Currency != "" && !currencyPattern.MatchString(s.Currency) {
		bad("currency", "must be an ISO 4217 code like EUR")
	}
	if s.ShipFrom != "" && !countryPattern.MatchString(s.ShipFrom) {
		bad("ship_from", "must be an ISO 3166-1 code like DE")
	}
	if s.ShipTo != "" && !countryPattern.MatchString(s.ShipTo) {
		bad("ship_to", "must be an ISO 3166-1 code like DE")
	}
	if shop, number, _ := strings.Cut(s.Replaces, ":"); s.Replaces != "" && (shop != s.Store || !numberPattern.MatchString(number) || number == s.Number) {
		bad("replaces", "must be another order of the same store, like %s:1001", s.Store)
	}
	if s.PlacedAt.IsZero() || s.PlacedAt.After(now.Add(48*time.Hour)) || s.PlacedAt.Before(now.AddDate(-5, 0, 0)) {
		bad("placed_at", "must lie within the last 5 years and not in the future")
	}
	if !s.PromisedAt.IsZero() && (s.PromisedAt.Before(s.PlacedAt) || s.PromisedAt.After(now.AddDate(5, 0, 0))) {
		bad("promised_at", "must follow placed_at, within 5 years")
	}
	if len(s.Lines) == 0 || len(s.Lines) > MaxLines {
		bad("lines", "must be 1 to %d, not %d", MaxLines, len(s.Lines))
	}
	seen := make(map[string]bool, len(s.Lines))
	for i, l := range s.Lines {
		at := "lines[" + strconv.Itoa(i) + "]."
		switch {
		case l.SKU == "" || len(l.SKU) > 100:
			bad(at+"sku", "must be 1 to 100 bytes")
		case seen[l.SKU]:
			bad(at+"sku", "%s is on another line: join them", l.SKU)
		}
		seen[l.SKU] = true
		if l.Quantity < 1 || l.Quantity > MaxQuantity {
			bad(at+"quantity", "must be 1 to %d, not %d", MaxQuantity, l.Quantity)
		}
		if len(l.Name) > 200 {
			bad(at+"name", "must be at most 200 bytes")
		}
		if l.UnitAmount < 0 {
			bad(at+"unit_amount", "must not be negative")
		}
		if l.WeightG < 0 || l.WeightG > maxWeight {
			bad(at+"weight_g", "must be at most %d grams", maxWeight)
		}
	}
	if len(s.Parcels) > MaxParcels {
		bad("parcels", "at most %d, not %d", MaxParcels, len(s.Parcels))
		return errors.Join(errs...)
	}
	st := State{Spec: s}
	st.Spec.Parcels = nil
	for i, p := range s.Parcels {
		at := "parcels[" + strconv.Itoa(i) + "]."
		if st.ParcelByID(p.ID) != nil {
			bad(at+"id", "%s is named twice", p.ID)
			continue
		}
		if len(p.Lines) == 0 {
			bad(at+"lines", "a parcel needs at least one line")
		}
		if err := st.checkParcel(at, PutParcel{Parcel: p.ID, Lines: p.Lines, Carrier: p.Carrier, Service: p.Service, Tracking: p.Tracking, Master: p.Master}, nil); err != nil {
			errs = append(errs, err)
		}
		st.addParcel(p, false)
	}
	if err := s.Policy.Validate(); err != nil {
		bad("policy", "%s", err)
	}
	return errors.Join(errs...)
}

// checkParcel checks a parcel's own fields and that it does not hold more than
// was ordered and is left.
func (s *State) checkParcel(at string, r PutParcel, have *Parcel) error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, refuse(at+field, format, args...)) }
	if !parcelPattern.MatchString(r.Parcel) {
		name := "id"
		if at == "" {
			name = "parcel" // as a request calls it
		}
		bad(name, "must be 1 to 40 of letters, digits and . _ -")
	}
	if r.Carrier != "" && !carrierPattern.MatchString(r.Carrier) {
		bad("carrier", "must be a carrier code like ups")
	}
	if r.Tracking != "" && !trackingPattern.MatchString(r.Tracking) {
		bad("tracking", "must be 4 to 40 capital letters, digits and -")
	}
	if r.Tracking != "" && r.Carrier == "" && (have == nil || have.Carrier == "") {
		bad("carrier", "is needed with a tracking number")
	}
	if r.Master != "" && !trackingPattern.MatchString(r.Master) {
		bad("master_tracking", "must be 4 to 40 capital letters, digits and -")
	}
	if r.Master != "" && r.Tracking == "" && r.Carrier == "" && (have == nil || have.Carrier == "") {
		bad("carrier", "is needed with a master tracking number")
	}
	if len(r.Service) > 40 {
		bad("service", "must be at most 40 bytes")
	}
	if len(r.Lines) > MaxLines {
		bad("lines", "at most %d", MaxLines)
		return errors.Join(errs...)
	}
	seen := make(map[string]bool, len(r.Lines))
	for i, a := range r.Lines {
		field := "lines[" + strconv.Itoa(i) + "]."
		line := s.LineBySKU(a.SKU)
		switch {
		case line == nil:
			bad(field+"sku", "%q is not on this order", a.SKU)
			continue
		case seen[a.SKU]:
			bad(field+"sku", "%s is named twice", a.SKU)
			continue
		}
		seen[a.SKU] = true
		if a.Quantity < 1 {
			bad(field+"quantity", "must be at least 1, not %d", a.Quantity)
			continue
		}
		taken := 0
		for j := range s.Parcels {
			p := &s.Parcels[j]
			if p.ID == r.Parcel || p.Unplanned && p.Milestone == Expected || p.inbound() {
				continue
			}
			for _, have := range p.Lines {
				if have.SKU == a.SKU {
					taken += have.Quantity
				}
			}
		}
		if left := line.Quantity - taken; a.Quantity > left {
			bad(field+"quantity", "%d of %s, but only %d of %d are left to put into parcels", a.Quantity, a.SKU, left, line.Quantity)
		}
	}
	return errors.Join(errs...)
}

// Check says whether a request may be granted in this state: nil, or why not.
// Facts are not requests; they pass.
func Check(s *State, e Event) error {
	m := e.meta()
	if len(m.Reason) > 500 {
		return refuse("reason", "must be at most 500 bytes")
	}
	if m.By == Buyer {
		return s.checkBuyer(e)
	}
	switch e := e.(type) {
	case PutParcel:
		return s.checkPutParcel(e)
	case Cancel:
		return s.checkCancel(e)
	case Hold:
		if s.Hold != nil {
			return refuse("", "the order is on hold since %s", day(s.Hold.Since))
		}
		if !s.preparing() {
			return refuse("", "nothing is left to hold: every parcel is with the carrier or settled")
		}
		if !e.Until.IsZero() && (!e.Until.After(s.Now) || e.Until.After(s.Now.AddDate(1, 0, 0))) {
			return refuse("until", "must lie in the future, within a year")
		}
		return needReason(m)
	case Release:
		if s.Hold == nil {
			return refuse("", "the order is not on hold")
		}
		return nil
	case ChangePromise:
		if !s.SettledAt.IsZero() || len(s.Returns) > 0 && !s.undelivered() {
			return refuse("", "nothing is left to promise: the order is %s", s.Status)
		}
		if e.PromisedAt.Before(s.Spec.PlacedAt) || e.PromisedAt.After(s.Now.AddDate(5, 0, 0)) {
			return refuse("promised_at", "must follow the order, within 5 years")
		}
		return nil
	case CorrectAddress:
		if !s.preparing() && !s.redirectable() {
			return refuse("", "every parcel is with the carrier: the address can only be changed by an intercept")
		}
		if e.AddressVersion <= s.AddressVersion {
			return refuse("address_version", "must be above %d", s.AddressVersion)
		}
		return nil
	case CorrectMilestone:
		if e.By != Support {
			return refuse("by", "only support may correct a milestone")
		}
		if s.ParcelByID(e.Parcel) == nil {
			return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
		}
		if to := s.ParcelByID(e.Parcel).MovedTo; to != "" {
			return refuse("parcel", "%s goes on in %s", e.Parcel, to)
		}
		if !e.Milestone.Known() || e.Milestone == Expected {
			return refuse("milestone", "%q is not a milestone that can be set", e.Milestone)
		}
		return needReason(m)
	case AssignCase:
		if len(e.Assignee) > 60 {
			return refuse("assignee", "must be at most 60 bytes")
		}
		return s.checkCase(e.Case, m.By)
	case NoteCase:
		if e.Text == "" || len(e.Text) > 500 {
			return refuse("text", "must be 1 to 500 bytes")
		}
		if c := s.caseByID(e.Case); c != nil && len(c.Notes) >= maxNotes {
			return refuse("case", "has %d notes already", maxNotes)
		}
		return s.checkCase(e.Case, m.By)
	case ResolveCase:
		return s.checkResolve(e)
	case ReopenCase:
		return s.checkReopen(e)
	case ExtendWait:
		return s.checkExtend(e)
	case FireWait:
		if _, err := s.checkWait(m.By, e.Kind, e.Parcel, e.On); err != nil {
			return err
		}
		return needReason(m)
	case ReportNotReceived:
		return s.checkNotReceived(e)
	case FoundParcel:
		return s.checkFound(e)
	case AdoptPolicy:
		return s.checkAdopt(e)
	case TakeParcels:
		return s.checkTake(e)
	case MergeInto:
		return s.checkMerge(e)
	case DecideRemedy:
		return s.checkDecideRemedy(e)
	case EndRemedy:
		return s.checkEndRemedy(e)
	case EndInstruction:
		return s.checkEndInstruction(e)
	case RequestReturn:
		return s.checkRequestReturn(e)
	case DecideReturn:
		return s.checkDecideReturn(e)
	case ShipReturn:
		return s.checkShipReturn(e)
	case AskLabel:
		return s.checkAskLabel(e)
	case AskPickup:
		return s.checkAskPickup(e)
	case EndBooking:
		return s.checkEndBooking(e)
	case VoidBooking:
		return s.checkVoidBooking(e)
	case InspectReturn:
		return s.checkInspectReturn(e)
	case DisposeReturn:
		return s.checkDisposeReturn(e)
	case SendReturnBack:
		return s.checkSendReturnBack(e)
	case CancelReturn:
		return s.checkCancelReturn(e.Return, m)
	case Scan, CarrierEvent, Unreadable, Tick, Answered:
		return nil
	}
	return nil
}

func needReason(m Meta) error {
	if m.Reason == "" {
		return refuse("reason", "is needed")
	}
	return nil
}

// preparing says whether any parcel, or anything not yet in one, is still here.
func (s *State) preparing() bool {
	for i := range s.Parcels {
		if m := s.Parcels[i].Milestone; m.Stage() == Preparing && !m.Settled() && !s.Parcels[i].inbound() {
			return true
		}
	}
	return !s.allAllocated()
}

func (s *State) checkPutParcel(e PutParcel) error {
	if !s.CancelledAt.IsZero() {
		return refuse("", "the order was cancelled at %s", day(s.CancelledAt))
	}
	have := s.ParcelByID(e.Parcel)
	if have == nil && len(s.Parcels) >= MaxParcels {
		return refuse("parcel", "an order has at most %d parcels", MaxParcels)
	}
	if have == nil && len(e.Lines) == 0 {
		return refuse("lines", "a new parcel needs at least one line")
	}
	if have != nil {
		if have.inbound() {
			return refuse("parcel", "%s is the parcel of return %s", have.ID, have.Return)
		}
		if have.Milestone.Stage() > Preparing || have.Milestone.Settled() {
			return refuse("parcel", "%s is %s and can no longer be changed", have.ID, have.Milestone)
		}
		if e.Lines != nil && len(e.Lines) == 0 {
			return refuse("lines", "a parcel needs at least one line; cancel it instead")
		}
	}
	if e.Tracking != "" && !MaySet(e.By, Labelled) {
		return refuse("by", "%q may not label a parcel", e.By)
	}
	return s.checkParcel("", e, have)
}

func (s *State) checkCancel(e Cancel) error {
	if !MaySet(e.By, Cancelled) {
		return refuse("by", "%q may not cancel", e.By)
	}
	for i, id := range e.Parcels {
		p := s.ParcelByID(id)
		if p == nil {
			return refuse("parcels["+strconv.Itoa(i)+"]", "%q is not a parcel of this order", id)
		}
		if p.inbound() {
			return refuse("parcels["+strconv.Itoa(i)+"]", "%s is the parcel of return %s: cancel that", id, p.Return)
		}
	}
	any := false
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if len(e.Parcels) > 0 && !slices.Contains(e.Parcels, p.ID) || p.inbound() {
			continue
		}
		switch {
		case p.Milestone == Cancelled:
		case p.Milestone.Stage() > Preparing:
			return refuse("parcels", "%s is %s since %s: cancel what is left, or ask for a return", p.ID, p.Milestone, day(p.Since))
		case p.Milestone == HandedOver:
			return refuse("parcels", "%s was handed to the carrier at %s: it can only be intercepted", p.ID, day(p.Since))
		default:
			any = true
		}
	}
	switch {
	case any || len(e.Parcels) == 0 && !s.allAllocated():
		return nil // support may have taken a parcel back out of a cancelled order
	case !s.CancelledAt.IsZero():
		return refuse("", "the order was cancelled at %s", day(s.CancelledAt))
	}
	return refuse("", "nothing is left to cancel")
}
