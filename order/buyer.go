package order

import (
	"slices"
	"time"
)

// What buyers may ask by themselves, with nothing but a link that was sent to
// them: tell that a delivered parcel is not there or has turned up, choose what
// follows a failed attempt, correct an address that a carrier cannot find, and ask
// for a return. [Check] grants a buyer nothing else. None of it sends goods to
// another country, ends an order or moves money.

// Why names a refusal for those who are told the reason in words of their own, as
// buyers are. Empty: it has no name.
type Why string

const (
	WhyUndelivered Why = "undelivered" // it is not said to be delivered
	WhyReported    Why = "reported"    // it was reported missing before, and that is looked into
	WhyDecided     Why = "decided"     // a person has decided about it
	WhyTooLate     Why = "too_late"    // the time for it is over
	WhyNotMissing  Why = "not_missing" // nobody looks for it
	WhySettled     Why = "settled"     // what it would answer is no longer open
	WhyUnderWay    Why = "under_way"   // the carrier is told something, or has agreed to it
	WhyNotCarried  Why = "not_carried" // the carrier does not have it
	WhyDay         Why = "day"         // the carrier does not come on that day
	WhyPerson      Why = "person"      // a person has to be asked
	WhyTooMany     Why = "too_many"    // it was asked too often
	WhyNothing     Why = "nothing"     // nothing was named
	WhyQuantity    Why = "quantity"    // more than can be sent back
)

// FoundParcel: what was reported missing has turned up.
type FoundParcel struct {
	Meta
	Parcel string `json:"parcel"`
}

func (FoundParcel) event() {}

const (
	// WrongAddress is the one note that a buyer may write to a case, to have an
	// address corrected that they may not correct themselves. It has no words of
	// theirs, since histories keep notes.
	WrongAddress = "the buyer says that the address is wrong: ask them for the right one, by the contact that we know"

	maxBuyerDays = 10 // ahead, for another attempt
	// MaxBuyerAddresses is the last version of an order's address that its buyer may
	// add.
	MaxBuyerAddresses = 12
)

// checkBuyer says why a buyer may not ask for that. What it lets pass is checked
// like everybody's, or as support would be asked.
func (s *State) checkBuyer(e Event) error {
	switch e := e.(type) {
	case ReportNotReceived:
		return s.checkNotReceived(e)
	case FoundParcel:
		return s.checkFound(e)
	case ResolveCase:
		return s.checkBuyerResolves(e)
	case CorrectAddress:
		return s.checkBuyerCorrects(e)
	case NoteCase:
		return s.checkBuyerNotes(e)
	case RequestReturn:
		return s.checkRequestReturn(e)
	case Scan, CarrierEvent, Unreadable, Tick, Answered, PutParcel, Cancel, Hold, Release, ChangePromise, CorrectMilestone, AssignCase, ReopenCase, ExtendWait, FireWait,
		AdoptPolicy, TakeParcels, MergeInto, DecideRemedy, EndRemedy, EndInstruction, EndBooking, VoidBooking, AskLabel, AskPickup, DecideReturn, ShipReturn, InspectReturn, DisposeReturn, SendReturnBack, CancelReturn:
	}
	return refuse("by", "%q may not ask for that", Buyer)
}

// checkBuyerResolves lets a buyer choose what follows a failed attempt: another
// day, or a place of the carrier's choice where it is kept. That holds for orders
// of every class: neither brings the goods to another address, and whoever collects
// them shows who they are. What the carrier has agreed to since the last attempt
// stands.
func (s *State) checkBuyerResolves(e ResolveCase) error {
	if e.Resolution != Redeliver && e.Resolution != HoldAtLocation {
		return refuse("by", "%q may not resolve a case so", Buyer)
	}
	c := s.caseByID(e.Case)
	if c == nil || c.Kind != FailedAttempt {
		return refuseFor(WhySettled, "case", "%q is no open case of a failed attempt", e.Case)
	}
	p := s.ParcelByID(c.Parcel)
	if p == nil || !p.carried() {
		return refuseFor(WhyNotCarried, "case", "the carrier does not have parcel %s on its way to the buyer", c.Parcel)
	}
	if slices.ContainsFunc(s.Instructions, func(i Instruction) bool {
		return i.Parcel == p.ID && (i.State.Open() || i.State == InstructionAccepted && i.Attempts >= len(p.Attempts))
	}) {
		return refuseFor(WhyUnderWay, "case", "the carrier was told already what to do with %s", p.ID)
	}
	if e.Resolution == Redeliver && !slices.ContainsFunc(s.deliveryDays(p), e.Until.Equal) {
		return refuseFor(WhyDay, "until", "must be one of the next %d days on which the carrier works", maxBuyerDays)
	}
	if e.Point != "" || e.Amount != 0 {
		return refuse("by", "%q may not name that", Buyer)
	}
	e.By = Support // who would be asked to do it
	return s.checkResolve(e)
}

// DeliveryDays are those on which a buyer may ask for another attempt at a parcel,
// as moments: the UTC date of each is the day, for whoever reads it.
func DeliveryDays(s *State, parcel string, now time.Time) []time.Time {
	p := s.ParcelByID(parcel)
	if p == nil {
		return nil
	}
	return s.At(now).deliveryDays(p)
}

// deliveryDays are the days from tomorrow on that the calendar of the parcel's
// carrier is open; tomorrow is there, not in UTC, where the calendar says so.
func (s *State) deliveryDays(p *Parcel) (days []time.Time) {
	_, on, _ := s.gap(p)
	number := s.Now.Unix() / secondsPerDay
	if on != nil {
		number, _, _, _ = on.day(s.Now)
	}
	for n := number + 1; n <= number+maxBuyerDays; n++ {
		if on == nil || on.hours(n) != (Hours{}) {
			days = append(days, time.Unix((n+1)*secondsPerDay-60, 0).UTC())
		}
	}
	return days
}

// addressCase is an open case about an address that cannot be found.
func (s *State) addressCase() *Case {
	i := slices.IndexFunc(s.Cases, func(c Case) bool { return c.Kind == AddressProblem && c.ID != "" })
	if i < 0 {
		return nil
	}
	return &s.Cases[i]
}

// checkBuyerCorrects lets a buyer correct an address that a carrier cannot find, and
// never another one: a stolen link must not send goods elsewhere. For what is worth
// much, a person asks the buyer first. That the country stays is seen to where the
// address is: no order knows more of it than its version.
func (s *State) checkBuyerCorrects(e CorrectAddress) error {
	switch {
	case s.addressCase() == nil:
		return refuseFor(WhySettled, "", "no case about the address is open")
	case s.Spec.Class == HighValue:
		return refuseFor(WhyPerson, "", "the address of an order of class %s is corrected by support", HighValue)
	case e.AddressVersion > MaxBuyerAddresses:
		return refuseFor(WhyTooMany, "address_version", "the address was changed %d times already", MaxBuyerAddresses)
	}
	e.By = Support
	return Check(s, e)
}

// checkBuyerNotes lets the buyer of a valuable order say that its address is wrong.
func (s *State) checkBuyerNotes(e NoteCase) error {
	c := s.caseByID(e.Case)
	switch {
	case c == nil || c.Kind != AddressProblem:
		return refuseFor(WhySettled, "case", "%q is no open case about an address", e.Case)
	case s.Spec.Class != HighValue || e.Text != WrongAddress:
		return refuse("by", "%q may not write that to a case", Buyer)
	case c.toldWrong():
		return refuseFor(WhyReported, "case", "the buyer has said so already")
	}
	e.By = Support
	return Check(s, e)
}

// toldWrong says that the buyer has asked for the case's address to be corrected.
func (c *Case) toldWrong() bool {
	return slices.ContainsFunc(c.Notes, func(n Note) bool { return n.Text == WrongAddress })
}

// addressCorrected tells those who work on the address that the buyer has given
// another one. What the carrier is told stays theirs to decide.
func (s *State) addressCorrected(m Meta) {
	for i := range s.Cases {
		if c := &s.Cases[i]; m.By == Buyer && c.Kind == AddressProblem {
			c.Text += "; the buyer corrected the address at " + day(s.Now)
		}
	}
}

// soughtAfter says whether a parcel is looked for: its case is open, or comes back
// when the time that somebody gave it is over.
func (s *State) soughtAfter(parcel string) bool {
	return s.caseOf(NotReceived, parcel) != nil || slices.ContainsFunc(s.Revisits, func(r Revisit) bool { return r.Case.Kind == NotReceived && r.Case.Parcel == parcel })
}

func (s *State) checkFound(e FoundParcel) error {
	p := s.ParcelByID(e.Parcel)
	switch {
	case e.By != Buyer && e.By != Storefront && e.By != Support:
		return refuse("by", "%q may not say that", e.By)
	case p == nil:
		return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
	case !s.soughtAfter(p.ID):
		return refuseFor(WhyNotMissing, "parcel", "%s is not reported missing (any more)", p.ID)
	}
	return nil
}

// found ends the search for a parcel, as somebody would dismiss it.
func (s *State) found(e FoundParcel) {
	e.Reason = orElse(e.Reason, "the parcel has turned up")
	s.Revisits = slices.DeleteFunc(s.Revisits, func(r Revisit) bool {
		is := r.Case.Kind == NotReceived && r.Case.Parcel == e.Parcel
		if is {
			s.tell(Happening{Type: CaseClosed, At: s.Now, Parcel: e.Parcel, Case: NotReceived, Actor: e.Actor, Cause: e.ID, Text: string(Dismiss) + because(e.Meta)})
		}
		return is
	})
	if c := s.caseOf(NotReceived, e.Parcel); c != nil {
		s.resolve(ResolveCase{Meta: e.Meta, Case: c.ID, Resolution: Dismiss})
	}
}

// At is the state with the clock moved on to now, for who asks what would be
// granted.
func (s *State) At(now time.Time) *State {
	at := *s
	if now.After(at.Now) {
		at.Now = now
	}
	return &at
}
