package order

import (
	"fmt"
	"slices"
	"time"
)

// Apply folds one event into the state and returns the commands that it gave
// rise to (they also stay in s.Pending until answered). It never fails: a fact
// that cannot be true is recorded as an anomaly and changes nothing else.
func Apply(s *State, e Event) []Command {
	m := e.meta()
	if m.N > 0 && !s.firstTime(m.N) {
		return nil // told before; the order knows
	}
	s.Seq++
	if m.Applied.After(s.Now) {
		s.Now = m.Applied
	}
	before := slices.Clone(s.Pending)
	s.nameCases()
	switch e := e.(type) {
	case Scan:
		s.scan(e)
	case CarrierEvent:
		s.carrierEvent(e)
	case Unreadable:
		s.anomaly(UnreadableItem, "", m, e.Why)
	case PutParcel:
		s.putParcel(e)
	case Cancel:
		s.cancel(e)
	case Hold:
		s.hold(e)
	case Release:
		s.release(e)
	case ChangePromise:
		s.changePromise(e)
	case CorrectAddress:
		s.AddressVersion = e.AddressVersion
		if s.Rules >= instructRules {
			s.AddressedAt = s.Now
		}
		s.addressCorrected(m)
		s.tell(Happening{Type: AddressCorrected, At: s.Now, Actor: m.Actor, Cause: m.ID, Text: m.Reason})
	case CorrectMilestone:
		s.correctMilestone(e)
	case AssignCase:
		if c := s.caseByID(e.Case); c != nil {
			c.Assignee = e.Assignee
			s.tell(Happening{Type: CaseAssigned, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Actor: m.Actor, Cause: m.ID, Text: e.Assignee})
		}
	case NoteCase:
		if c := s.caseByID(e.Case); c != nil && len(c.Notes) < maxNotes {
			c.Notes = append(c.Notes, Note{At: s.Now, Actor: m.Actor, Text: e.Text})
			s.tell(Happening{Type: CaseNoted, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Actor: m.Actor, Cause: m.ID, Text: e.Text})
		}
	case ResolveCase:
		s.resolve(e)
	case ReopenCase:
		s.reopen(e)
	case ExtendWait:
		if w, ok := s.waitOf(e.Kind, e.Parcel, e.On); ok {
			s.extend(Extension{Kind: w.Kind, Parcel: w.Parcel, Case: w.Case, Since: w.Since, Until: e.Until, Actor: m.Actor, Reason: m.Reason})
		}
	case FireWait:
		if w, ok := s.waitOf(e.Kind, e.Parcel, e.On); ok {
			s.tell(Happening{Type: WaitFired, At: s.Now, Parcel: w.Parcel, Case: w.Case, Actor: m.Actor, Cause: m.ID, Text: string(w.Kind) + ": " + m.Reason})
			s.fire(w)
		}
	case ReportNotReceived:
		s.reportNotReceived(e)
	case FoundParcel:
		s.found(e)
	case AdoptPolicy:
		s.adopt(e)
	case TakeParcels:
		s.take(e)
	case MergeInto:
		s.merge(e)
	case DecideRemedy:
		s.decideRemedy(e)
	case EndRemedy:
		if r := s.remedyByID(e.Remedy); r != nil && r.State.Open() {
			st := Declined
			if e.Confirmed {
				st = Confirmed
				if e.Amount > 0 {
					r.Amount = e.Amount
				}
			}
			s.endRemedy(r, st, e.Reference, m)
		}
	case EndInstruction:
		s.instructionEnded(e)
	case RequestReturn:
		s.requestReturn(e)
	case DecideReturn:
		s.decideReturn(e)
	case ShipReturn:
		s.shipReturn(e)
	case AskLabel:
		s.askLabel(e)
	case AskPickup:
		s.askPickup(e)
	case EndBooking:
		s.bookingEnded(e)
	case VoidBooking:
		s.voidBooking(e)
	case InspectReturn:
		s.inspectReturn(e)
	case DisposeReturn:
		s.disposeReturn(e)
	case SendReturnBack:
		s.sendReturnBack(e)
	case CancelReturn:
		s.cancelReturn(s.returnByID(e.Return), m)
	case Tick:
		s.tick()
	case Answered:
		s.answer(e)
	}
	s.follow()
	s.dropChecks()
	s.dropInstructions()
	s.dropBookings()
	s.endHold()
	s.closeCases()
	s.openCases()
	s.dropProofs()
	s.endReturns()
	s.settle()
	if st := s.status(); st != s.Status {
		s.Status = st
		s.tell(Happening{Type: StatusChanged, At: s.Now, Text: string(st), Cause: m.ID})
	}
	var fresh []Command
	for _, c := range s.Pending {
		if !slices.ContainsFunc(before, func(b Command) bool { return b.ID == c.ID }) {
			fresh = append(fresh, c)
		}
	}
	return fresh
}

// firstTime says whether fact n is new, and remembers it.
func (s *State) firstTime(n int64) bool {
	i, seen := slices.BinarySearch(s.Seen, n)
	if seen {
		return false
	}
	s.Seen = slices.Insert(s.Seen, i, n)
	if len(s.Seen) > maxSeen {
		s.Seen = s.Seen[1:]
	}
	return true
}

func (s *State) anomaly(kind AnomalyKind, parcel string, m Meta, text string) {
	a := Anomaly{Kind: kind, Parcel: parcel, At: s.Now, Cause: m.ID, Text: text}
	s.AnomalyCount++
	s.Anomalies = append(s.Anomalies, a)
	if len(s.Anomalies) > maxAnomaly {
		s.Anomalies = s.Anomalies[len(s.Anomalies)-maxAnomaly:]
	}
	s.tell(Happening{Type: AnomalyFound, At: s.Now, Parcel: parcel, Text: string(kind) + ": " + text, Cause: m.ID})
}

// when an event happened, as far as it can be believed.
func (s *State) when(m Meta, parcel string) (at time.Time, ok bool) {
	at = m.Occurred
	received := m.Received
	if received.IsZero() {
		received = s.Now
	}
	if at.IsZero() {
		at = received
	}
	if at.After(received.Add(time.Duration(s.Spec.Policy.Future))) {
		s.anomaly(InTheFuture, parcel, m, fmt.Sprintf("said to happen %s after it was received; taken as happening then", human(at.Sub(received).Round(time.Minute))))
		at = received
	}
	if placed := s.Spec.PlacedAt; at.Before(placed) {
		early := placed.Sub(at)
		if early > time.Duration(s.Spec.Policy.ClockSkew) {
			s.anomaly(BeforeOrder, parcel, m, fmt.Sprintf("happened %s before the order was placed: kept, not applied", human(early.Round(time.Minute))))
			return at, false
		}
		s.anomaly(BeforeOrder, parcel, m, fmt.Sprintf("happened %s before the order was placed", human(early.Round(time.Minute))))
	}
	return at.UTC(), true
}

func (s *State) scan(e Scan) {
	p := s.ParcelByID(e.Parcel)
	if p == nil {
		s.anomaly(UnknownParcel, e.Parcel, e.Meta, "scan "+string(e.Kind))
		return
	}
	if !slices.Contains(ScanKinds, e.Kind) {
		s.anomaly(UnknownValue, p.ID, e.Meta, "scan kind "+string(e.Kind))
		return
	}
	m := e.Kind.Milestone()
	if s.gone(p, e.Meta) {
		return
	}
	if m == "" || !s.mayset(p, m, e.Meta) {
		return
	}
	at, ok := s.when(e.Meta, p.ID)
	if !ok {
		return
	}
	if e.Kind == ScanLabelled && e.Tracking != "" {
		s.label(p, at, e)
	}
	if p.Milestone == Cancelled && m.Stage() == Preparing && at.After(p.Since) {
		s.anomaly(MovingCancelled, p.ID, e.Meta, "a cancelled parcel is being "+string(m))
	}
	s.say(p, m, at, e.Meta)
}

// label takes the tracking number from a label scan: the last label counts, and
// none that is scanned when the carrier has the parcel under another number.
func (s *State) label(p *Parcel, at time.Time, e Scan) {
	if e.Tracking == p.Tracking && (e.Carrier == "" || e.Carrier == p.Carrier) {
		p.LabelAt = latest(p.LabelAt, at)
		return
	}
	if p.Tracking != "" && !p.PossessionAt.IsZero() {
		s.anomaly(TrackingTaken, p.ID, e.Meta, "label scan names "+e.Tracking+" after the carrier accepted "+p.Tracking)
		return
	}
	if c := at.Compare(p.LabelAt); c < 0 || c == 0 && e.Tracking < p.Tracking {
		return
	}
	p.Carrier = orElse(e.Carrier, p.Carrier)
	if n, others := s.pieces(p); s.Rules >= instructRules {
		// The pieces go with the old number. What they came to, on paper, stands.
		if end, _ := p.ending(n, others); end.Milestone != "" {
			keepFact(&p.Said, voice{Milestone: end.Milestone, Carrier: true, Whole: true}, end.At)
		}
	}
	p.relabel(e.Tracking, at)
	s.recount(e.Meta)
	s.tell(Happening{Type: ParcelChanged, At: s.Now, Parcel: p.ID, Text: p.Carrier + " " + p.Tracking, Cause: e.ID})
}

func (s *State) carrierEvent(e CarrierEvent) {
	p := s.ParcelByID(e.Parcel)
	if p == nil {
		s.anomaly(UnknownParcel, e.Parcel, e.Meta, "carrier event "+string(e.Milestone))
		return
	}
	if e.Milestone != "" && !e.Milestone.Known() {
		s.anomaly(UnknownValue, p.ID, e.Meta, "milestone "+string(e.Milestone))
		return
	}
	if s.gone(p, e.Meta) {
		return
	}
	s.heard(p, e)
	if e.Piece != "" || e.Tracking == "" {
		return
	}
	// What is said of a shipment is said of every parcel in it.
	for i := range s.Parcels {
		if q := &s.Parcels[i]; q != p && q.Master == e.Tracking {
			s.heard(q, e)
		}
	}
}

// heard takes in what a carrier said of one parcel.
func (s *State) heard(p *Parcel, e CarrierEvent) {
	at, ok := s.when(e.Meta, p.ID)
	if !ok {
		return
	}
	if !e.ETA.IsZero() && (at.After(p.ETAFrom) || at.Equal(p.ETAFrom) && e.ETA.After(p.ETA)) {
		p.ETAFrom = at
		if !e.ETA.Equal(p.ETA) {
			p.ETA = e.ETA
			s.tell(Happening{Type: ETAChanged, At: s.Now, Parcel: p.ID, Text: e.ETA.UTC().Format(time.RFC3339), Cause: e.ID})
		}
	}
	held := e.Milestone.Stage() > Preparing
	if held && !e.Physical && e.Milestone != Lost && e.Milestone != Destroyed {
		s.anomaly(NotPhysical, p.ID, e.Meta, string(e.Milestone)+" without a physical scan")
		return
	}
	defer s.troubled(p, at, e)
	said, corrected, ok := s.about(p, e)
	if !ok {
		return
	}
	if e.Physical && e.By == CarrierSays && s.moved(p, at, e) {
		keepFact(said, voice{Milestone: Accepted, Carrier: true, Whole: e.Whole}, at)
		s.decide(p, e.Meta)
	}
	if e.Piece == "" && p.Master != "" && p.Master == e.Tracking && !e.Whole && e.Milestone.final() {
		return // of some piece of the shipment; nobody says that it was this one
	}
	if e.Milestone == "" || !s.mayset(p, e.Milestone, e.Meta) {
		if e.Pieces > 0 || e.Piece != "" {
			s.decide(p, e.Meta) // it may have told of another piece
		}
		return
	}
	byCarrier := e.By == CarrierSays
	if fix := (mark{e.Milestone, at}); e.Correction && byCarrier && later(fix, *corrected) {
		*corrected = fix
	}
	keepFact(said, voice{Milestone: e.Milestone, Carrier: byCarrier, Whole: e.Whole}, at)
	s.decide(p, e.Meta)
	if e.Milestone == AttemptFailed && e.By == CarrierSays {
		p.Attempts = keepTime(p.Attempts, at)
		if len(p.Attempts) > maxAttempts {
			p.Attempts = p.Attempts[:maxAttempts]
		}
	}
}

// moved records that the carrier held the parcel at that time: the proof of
// possession, even if its own acceptance scan was missed. A correction may say
// that the carrier does not have it; then it is none.
func (s *State) moved(p *Parcel, at time.Time, e CarrierEvent) (possession bool) {
	if p.Milestone.Stage() == Ended && at.After(p.Since) && e.Milestone.Stage() != Ended && !e.Correction {
		s.anomaly(AfterEnd, p.ID, e.Meta, "movement after "+string(p.Milestone))
	}
	p.LastMovement = latest(p.LastMovement, at)
	if c := at.Compare(p.LastPlaceAt); e.Location != "" && (c > 0 || c == 0 && e.Location > p.LastPlace) {
		p.LastPlace, p.LastPlaceAt = e.Location, at
	}
	return !e.Correction || e.Milestone == "" || e.Milestone.Stage() > Preparing
}

// mayset says whether the source has the authority, and records when not.
func (s *State) mayset(p *Parcel, m Milestone, meta Meta) bool {
	if MaySet(meta.By, m) {
		return true
	}
	s.anomaly(NotAuthorised, p.ID, meta, string(meta.By)+" may not say "+string(m))
	return false
}

func (s *State) putParcel(e PutParcel) {
	lines := e.Lines
	p := s.ParcelByID(e.Parcel)
	if p == nil {
		p = s.addParcel(PlannedParcel{ID: e.Parcel, Lines: lines}, false)
		s.tell(Happening{Type: ParcelAdded, At: s.Now, Parcel: p.ID, Actor: e.Actor, Cause: e.ID})
	} else {
		if lines != nil {
			p.Lines, p.Unplanned = lines, false
		}
		s.tell(Happening{Type: ParcelChanged, At: s.Now, Parcel: p.ID, Actor: e.Actor, Text: e.Reason, Cause: e.ID})
	}
	id := p.ID
	p.Carrier, p.Service, p.Master = orElse(e.Carrier, p.Carrier), orElse(e.Service, p.Service), orElse(e.Master, p.Master)
	if e.Tracking != "" && e.Tracking != p.Tracking {
		p.relabel(e.Tracking, s.Now)
		if s.mayset(p, Labelled, e.Meta) {
			s.say(p, Labelled, p.afterFix(s.Now), e.Meta)
		}
	}
	s.recount(e.Meta)
	s.shrinkUnplanned(id)
}

// shrinkUnplanned leaves in the unplanned parcel only what no other holds. An
// empty one never existed as a box and is dropped from the plan.
func (s *State) shrinkUnplanned(except string) {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if !p.Unplanned || p.ID == except || p.Milestone != Expected {
			continue
		}
		var rest []Allocation
		for _, l := range s.Spec.Lines {
			left := l.Quantity - s.allocated(l.SKU, p.ID)
			if left > 0 {
				rest = append(rest, Allocation{l.SKU, left})
			}
		}
		p.Lines = rest
		if len(rest) == 0 {
			s.say(p, Cancelled, p.afterFix(s.Now), Meta{By: Engine, Reason: "replaced by a plan"})
		}
	}
}

// allocated is how much of a SKU the parcels hold, except one.
func (s *State) allocated(sku, except string) int {
	n := 0
	for i := range s.Parcels {
		if s.Parcels[i].ID == except || s.Parcels[i].inbound() {
			continue
		}
		for _, a := range s.Parcels[i].Lines {
			if a.SKU == sku {
				n += a.Quantity
			}
		}
	}
	return n
}

func (s *State) cancel(e Cancel) {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if len(e.Parcels) > 0 && !slices.Contains(e.Parcels, p.ID) || p.Milestone.Stage() > Preparing || p.inbound() {
			continue
		}
		if s.mayset(p, Cancelled, e.Meta) {
			s.say(p, Cancelled, p.afterFix(s.Now), e.Meta) // when it is granted, not when it was asked
		}
	}
	if len(e.Parcels) == 0 && MaySet(e.By, Cancelled) {
		s.CancelledAt = s.Now
	}
}

func (s *State) hold(e Hold) {
	until := e.Until
	if until.IsZero() {
		until = s.Now.Add(time.Duration(s.Spec.Policy.HoldReview))
	}
	s.Hold = &HoldState{Since: s.Now, Until: until, Reason: e.Reason}
	s.tell(Happening{Type: Held, At: s.Now, Actor: e.Actor, Text: e.Reason, Cause: e.ID})
}

func (s *State) release(e Release) {
	if s.Hold == nil {
		return
	}
	s.Hold, s.ReleasedAt = nil, s.Now
	s.tell(Happening{Type: Released, At: s.Now, Actor: e.Actor, Text: e.Reason, Cause: e.ID})
}

func (s *State) changePromise(e ChangePromise) {
	s.PromisedAt = e.PromisedAt
	s.PromiseMissed = !e.PromisedAt.After(s.Now)
	s.tell(Happening{Type: PromiseChanged, At: s.Now, Actor: e.Actor, Text: e.PromisedAt.UTC().Format(time.RFC3339), Cause: e.ID})
}

// endHold ends a hold that has nothing left to hold: the goods went out, or the
// order was cancelled.
func (s *State) endHold() {
	if s.Hold != nil && !s.preparing() {
		s.Hold = nil
		s.tell(Happening{Type: Released, At: s.Now, Text: "nothing is left to hold"})
	}
}

// dropChecks withdraws every carrier check that is no longer needed, because
// the parcel moved, was settled, or went on hold.
func (s *State) dropChecks() {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.Check != "" && !s.overdue(p) {
			s.withdraw(p)
		}
	}
}

// withdraw takes the check of a parcel back.
func (s *State) withdraw(p *Parcel) {
	s.Pending = slices.DeleteFunc(s.Pending, func(c Command) bool { return c.ID == p.Check })
	p.Check = ""
}

// answer takes a command off the list. An answer that nobody waits for any more
// changes nothing.
func (s *State) answer(e Answered) {
	i := slices.IndexFunc(s.Pending, func(c Command) bool { return c.ID == e.Command })
	if i < 0 {
		return
	}
	c := s.Pending[i]
	s.Pending = slices.Delete(s.Pending, i, i+1)
	switch c.Kind {
	case CheckCarrier:
		if p := s.ParcelByID(c.Parcel); p != nil && p.Check == c.ID {
			s.checked(p, e.LastMovement, e.FeedSilentSince)
		}
	case RequestRemedy:
		s.remedyAnswered(c.ID, e)
	case InstructCarrier:
		s.instructed(c.ID, e)
	case MakeReturnLabel, BookCarrierPickup:
		s.booked(c.ID, e)
	case VoidCarrierBooking:
		s.voided(c.ID, e)
	case FetchProof:
		if p := s.ParcelByID(c.Parcel); p != nil && p.Proof.Command == c.ID {
			s.proved(p, e)
		}
	}
}

// settle notes when nothing is left to happen, and when that changes.
func (s *State) settle() {
	settled := s.allAllocated() && !s.openRemedies() && !s.openReturns() && !s.openBookings() && len(s.Revisits) == 0
	for i := range s.Parcels {
		p := &s.Parcels[i]
		settled = settled && (p.Milestone.Settled() || p.inbound() && p.Milestone.Stage() == Preparing)
	}
	switch {
	case settled && s.SettledAt.IsZero():
		s.SettledAt = s.Now
	case !settled:
		s.SettledAt = time.Time{}
	}
	if s.Closed && (!settled || len(s.Cases) > 0) {
		s.Closed = false
		s.tell(Happening{Type: OrderReopened, At: s.Now})
	}
}

// allAllocated says whether every unit still wanted is in some parcel.
func (s *State) allAllocated() bool {
	if !s.CancelledAt.IsZero() {
		return true
	}
	held := make(map[string]int, len(s.Spec.Lines))
	for i := range s.Parcels {
		if s.Parcels[i].inbound() {
			continue
		}
		for _, a := range s.Parcels[i].Lines {
			held[a.SKU] += a.Quantity
		}
	}
	for _, l := range s.Spec.Lines {
		if held[l.SKU] < l.Quantity {
			return false
		}
	}
	return true
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
