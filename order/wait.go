package order

import (
	"fmt"
	"slices"
	"time"
)

// WaitKind names what an order waits for.
type WaitKind string

const (
	WaitPick     WaitKind = "pick"
	WaitPack     WaitKind = "pack"
	WaitHandoff  WaitKind = "hand_off"
	WaitMovement WaitKind = "movement"
	WaitPlan     WaitKind = "plan"
	WaitPromise  WaitKind = "promise"
	WaitHold     WaitKind = "hold"
	WaitCheck    WaitKind = "carrier_check"
	WaitCase     WaitKind = "case"
	WaitClose    WaitKind = "close"
	WaitNotice   WaitKind = "notice"  // the buyer is told of a case that is still open
	WaitTrace    WaitKind = "trace"   // a stalled parcel is given up
	WaitRemedy   WaitKind = "remedy"  // a refund, replacement or claim is answered
	WaitRevisit  WaitKind = "revisit" // a case that was given time comes back

	WaitInstruction WaitKind = "instruction"  // the carrier answers what it was told
	WaitByHand      WaitKind = "by_hand"      // a person tells the carrier
	WaitProof       WaitKind = "proof"        // the carrier proves a delivery
	WaitClaimFiling WaitKind = "claim_filing" // a claim can still be filed

	WaitBooking WaitKind = "booking" // the carrier makes a label or comes for a pickup, or takes that back

	WaitReturnDecision WaitKind = "return_decision" // a requested return is authorized
	WaitReturnShipment WaitKind = "return_shipment" // the buyer sends it
	WaitReturnReceipt  WaitKind = "return_receipt"  // the carrier delivered it, the dock has not scanned it
	WaitInspection     WaitKind = "inspection"
	WaitDisposition    WaitKind = "disposition" // a person decides what no rule lets through
	WaitSendBack       WaitKind = "send_back"
)

// Wait is one thing that the order waits for. Every wait has an end and an
// owner: that is a promise to the people who read it at 2 a.m.
type Wait struct {
	Kind   WaitKind `json:"kind"`
	Parcel string   `json:"parcel,omitempty"`
	Case   CaseKind `json:"case,omitempty"`
	What   string   `json:"what"`
	// Since and Until bound the wait; Rule is the policy line that set Until.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Rule  string    `json:"rule"`
	Owner Team      `json:"owner"`
	// Then is what happens at Until. CutShort says who can end it sooner, how.
	Then     string `json:"then"`
	CutShort string `json:"cut_short"`
}

// String is the wait in one sentence. The API, the console, `waybill explain`
// and Temporal's details all show this one.
func (w Wait) String() string {
	what := "waiting for " + w.What
	if w.Parcel != "" {
		what = "parcel " + w.Parcel + ": " + what
	}
	const stamp = "Mon 2 Jan 2006 15:04 UTC"
	return fmt.Sprintf("%s until %s (%s, %s); then %s; since %s; sooner by: %s", what, w.Until.UTC().Format(stamp), w.Owner, w.Rule, w.Then, w.Since.UTC().Format(stamp), w.CutShort)
}

// Movable says whether staff may extend the wait or let it end now. What the
// buyer was promised, an order's own end and a question to a carrier are moved
// in other ways, or not at all.
func (w Wait) Movable() bool {
	return w.Kind != WaitPromise && w.Kind != WaitClose && w.Kind != WaitCheck && w.Kind != WaitInstruction && w.Kind != WaitProof && w.Kind != WaitBooking
}

// Waiting lists every open wait, the earliest first.
func Waiting(s *State) []Wait {
	var ws []Wait
	if s.Closed {
		return nil
	}
	p := &s.Spec.Policy
	add := func(w Wait) { ws = append(ws, s.extended(w)) }
	if s.Hold != nil && s.caseOf(HeldTooLong, "") == nil {
		rule := "until set with the hold"
		if s.Hold.Until.Equal(s.Hold.Since.Add(time.Duration(p.HoldReview))) {
			rule = "hold_review " + p.HoldReview.String()
		}
		add(Wait{Kind: WaitHold, What: "on hold", Since: s.Hold.Since, Until: s.Hold.Until, Rule: rule,
			Owner: SupportTeam, Then: "a case is opened for support", CutShort: "release the order"})
	}
	for i := range s.Parcels {
		if w, ok := s.parcelWait(&s.Parcels[i]); ok {
			add(w)
		}
	}
	if !s.allAllocated() && s.Hold == nil && s.caseOf(NotPicked, "") == nil {
		since := latest(s.Spec.PlacedAt, s.ReleasedAt)
		add(Wait{Kind: WaitPlan, What: "lines in no parcel yet", Since: since, Until: s.picked(since), Rule: s.line("pick", p.Pick),
			Owner: WarehouseTeam, Then: "a not_picked case is opened", CutShort: "add a parcel that holds them"})
	}
	if !s.PromisedAt.IsZero() && !s.PromiseMissed && s.undelivered() {
		add(Wait{Kind: WaitPromise, What: "delivery by the promised time", Since: s.Spec.PlacedAt, Until: s.PromisedAt, Rule: "promised date",
			Owner: CarrierTeam, Then: "a late case is opened", CutShort: "delivery, or a new promise"})
	}
	for i := range s.Cases {
		c := &s.Cases[i]
		rule, sooner := "case_due "+p.CaseDue.String(), "it closes by itself when the cause is gone"
		if c.Pinned {
			sooner = "a person resolves it"
		} else if c.ID != "" {
			sooner = "a person resolves it, or it closes by itself when the cause is gone"
		}
		if c.ID != "" {
			rule = "cases." + string(c.Kind) + ".due " + s.clock("case_due").amount(time.Duration(p.caseRule(c.Kind).Due))
			s.caseWaits(c, add)
		}
		if c.Level > 0 {
			rule += fmt.Sprintf(", doubled with each of %d escalations", c.Level)
		}
		add(Wait{Kind: WaitCase, Parcel: c.Parcel, Case: c.Kind, What: "people to settle the case " + c.Kind.words() + " (" + c.Text + ")", Since: c.OpenedAt, Until: c.Due,
			Rule: rule, Owner: c.Owner, Then: fmt.Sprintf("escalated to level %d", c.Level+1), CutShort: sooner})
	}
	for i := range s.Remedies {
		if r := &s.Remedies[i]; r.State.Open() && s.caseOf(RemedyOverdue, r.Parcel) == nil {
			add(s.remedyWait(r))
		}
	}
	for i := range s.Instructions {
		if o := &s.Instructions[i]; o.State.Open() && s.caseOf(InstructionOverdue, o.Parcel) == nil {
			add(s.instructionWait(o))
		}
	}
	for i := range s.Returns {
		r := &s.Returns[i]
		if b := r.OpenBooking(); b != nil && (b.State.Asking() || s.caseOf(ReturnOverdue, r.Parcel) == nil) {
			add(s.bookingWait(r, b))
		}
		if w, late, ok := s.returnWait(r); ok && s.caseOf(late, w.Parcel) == nil {
			add(w)
		}
	}
	for _, r := range s.Revisits {
		add(Wait{Kind: WaitRevisit, Parcel: r.Case.Parcel, Case: r.Case.Kind, What: "a change that would end " + string(r.Case.Kind), Since: r.Since, Until: r.Until,
			Rule: "until set by a person", Owner: r.Case.Owner, Then: "the case is opened again", CutShort: "any change of the parcel"})
	}
	if !s.SettledAt.IsZero() && len(s.Cases) == 0 {
		add(Wait{Kind: WaitClose, What: "late events and claims", Since: s.SettledAt, Until: s.SettledAt.Add(time.Duration(p.CloseAfter)), Rule: "close_after " + p.CloseAfter.String(),
			Owner: EngineTeam, Then: "the order is closed", CutShort: "nobody needs to"})
	}
	slices.SortStableFunc(ws, func(a, b Wait) int { return a.Until.Compare(b.Until) })
	return ws
}

// parcelWait is what one parcel waits for; ok is false when that is a case, a
// hold or nothing.
func (s *State) parcelWait(c *Parcel) (w Wait, ok bool) {
	p := &s.Spec.Policy
	if c.Check != "" && !c.Milestone.Settled() {
		return Wait{Kind: WaitCheck, Parcel: c.ID, What: "the carrier's answer about a quiet parcel", Since: c.AskedAt, Until: c.AskedAt.Add(time.Duration(p.CheckAnswer)),
			Rule: "check_answer " + p.CheckAnswer.String(), Owner: EngineTeam, Then: "a case is opened", CutShort: "any movement"}, true
	}
	return s.scanWait(c)
}

// overdue says whether the scan that the parcel waits for is late.
func (s *State) overdue(c *Parcel) bool {
	w, ok := s.scanWait(c)
	return ok && !s.extended(w).Until.After(s.Now)
}

// scanWait is the next scan that a parcel waits for, an excuse included.
func (s *State) scanWait(c *Parcel) (w Wait, ok bool) {
	w, ok = s.nextScan(c)
	if x := c.Excuse; ok && x.For.Equal(w.Since) && x.Until.After(w.Until) {
		w.Until = x.Until
		w.What += "; the feed of " + orElse(c.Carrier, "the carrier") + " is silent since " + day(x.Since)
		w.Rule += fmt.Sprintf(", then %s at a time while the feed is silent, %s at most", human(excuseStep), human(maxExcuse))
	}
	return w, ok
}

func (s *State) nextScan(c *Parcel) (w Wait, ok bool) {
	p := &s.Spec.Policy
	if c.Milestone.Settled() {
		return w, false
	}
	if c.Milestone.Stage() > Preparing {
		if s.caseOf(Stalled, c.ID) != nil || s.caseOf(LostParcel, c.ID) != nil {
			return w, false
		}
		gap, on, rule := s.gap(c)
		since := latest(c.LastMovement, c.Since)
		what := "movement by " + orElse(c.Carrier, "the carrier")
		if c.LastPlace != "" {
			what += ", last seen in " + c.LastPlace
		}
		return Wait{Kind: WaitMovement, Parcel: c.ID, What: what, Since: since, Until: on.Add(since, gap), Rule: rule + " " + on.amount(gap),
			Owner: CarrierTeam, Then: "the carrier is asked; if it knows nothing new, a stalled case is opened", CutShort: "any physical scan"}, true
	}
	if s.Hold != nil || c.inbound() {
		return w, false
	}
	since := latest(c.Since, s.ReleasedAt)
	switch {
	case c.Milestone == Expected:
		if s.caseOf(NotPicked, c.ID) != nil {
			return w, false
		}
		return Wait{Kind: WaitPick, Parcel: c.ID, What: "the pick scan", Since: since, Until: s.picked(since), Rule: s.line("pick", p.Pick),
			Owner: WarehouseTeam, Then: "a not_picked case is opened", CutShort: "a pick scan, or anything later"}, true
	case c.Milestone == Picked:
		if s.caseOf(NotPacked, c.ID) != nil {
			return w, false
		}
		return Wait{Kind: WaitPack, Parcel: c.ID, What: "the pack scan", Since: since, Until: s.clock("pack").Add(since, time.Duration(p.Pack)), Rule: s.line("pack", p.Pack),
			Owner: WarehouseTeam, Then: "a not_packed case is opened", CutShort: "a pack scan, or anything later"}, true
	default:
		if s.caseOf(MissedHandoff, c.ID) != nil {
			return w, false
		}
		// The clock starts when the box is closed: labels and dock scans are
		// not possession and buy no time.
		if packed := c.ReachedAt(Packed); !packed.IsZero() {
			since = latest(packed, s.ReleasedAt)
		}
		return Wait{Kind: WaitHandoff, Parcel: c.ID, What: "the carrier's first physical scan", Since: since, Until: s.clock("hand_off").Add(latest(since, c.CheckedAt), time.Duration(p.Handoff)), Rule: s.line("hand_off", p.Handoff),
			Owner: WarehouseTeam, Then: "the carrier is asked; if it does not have the parcel, a missed_handoff case is opened", CutShort: "an acceptance scan"}, true
	}
}

// line is a line of the policy as it holds for this order.
func (s *State) line(name string, d Duration) string {
	return name + " " + s.clock(name).amount(time.Duration(d))
}

// picked is by when what came in then must be picked.
func (s *State) picked(since time.Time) time.Time {
	on := s.clock("pick")
	return on.Add(on.Intake(since), time.Duration(s.Spec.Policy.Pick))
}

func latest(ts ...time.Time) time.Time {
	var l time.Time
	for _, t := range ts {
		if t.After(l) {
			l = t
		}
	}
	return l
}

// NextDeadline is what the order waits for next; ok is false when it waits for
// nothing, which is only so when it is closed.
func NextDeadline(s *State) (w Wait, ok bool) {
	ws := Waiting(s)
	if len(ws) == 0 {
		return w, false
	}
	return ws[0], true
}

// tick fires every wait that is over. Each firing moves that wait's end or
// removes it, so the loop ends; the bound is for the proof's sake.
func (s *State) tick() {
	for range 4*(len(s.Parcels)+len(s.Cases)+len(s.Remedies)+len(s.Revisits)+len(s.Returns)+len(s.Instructions)) + 8 {
		w, ok := NextDeadline(s)
		if !ok || w.Until.After(s.Now) {
			return
		}
		s.fire(w)
		s.settle()
	}
}

func (s *State) fire(w Wait) {
	p := s.ParcelByID(w.Parcel)
	switch w.Kind {
	case WaitPick:
		s.open(NotPicked, p, WarehouseTeam, p.Since, "no pick scan since "+day(w.Since))
	case WaitPack:
		s.open(NotPacked, p, WarehouseTeam, p.Since, "no pack scan since "+day(w.Since))
	case WaitPlan:
		s.open(NotPicked, nil, WarehouseTeam, w.Since, "lines in no parcel since "+day(w.Since))
	case WaitHandoff, WaitMovement:
		s.ask(p)
	case WaitCheck:
		s.withdraw(p)
		s.checked(p, time.Time{}, time.Time{})
	case WaitPromise:
		s.PromiseMissed = true
		s.openCases()
	case WaitHold:
		s.open(HeldTooLong, nil, SupportTeam, s.Hold.Since, "on hold since "+day(s.Hold.Since))
	case WaitCase:
		if c := s.caseOf(w.Case, w.Parcel); c != nil {
			c.Level++
			due, to := time.Duration(s.Spec.Policy.CaseDue), ""
			if c.ID != "" {
				rule := s.Spec.Policy.caseRule(c.Kind)
				due = time.Duration(rule.Due)
				if n := len(rule.Ladder); n > 0 {
					to = ", to " + string(rule.Ladder[min(c.Level, n)-1])
				}
			}
			for range min(c.Level, 32) {
				if due < maxCaseDue {
					due *= 2
				}
			}
			c.Due = s.clock("case_due").Add(s.Now, due)
			s.tell(Happening{Type: CaseEscalated, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Text: fmt.Sprintf("level %d%s", c.Level, to)})
		}
	case WaitNotice:
		if c := s.caseOf(w.Case, w.Parcel); c != nil {
			c.NoticedAt = s.Now
			s.tell(Happening{Type: CaseNoticed, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Text: c.Text})
		}
	case WaitTrace:
		if c := s.caseOf(Stalled, w.Parcel); c != nil {
			s.open(LostParcel, p, SupportTeam, c.Baseline, "no movement since "+day(c.Baseline)+"; the trace window has passed")
		}
	case WaitRemedy:
		s.open(RemedyOverdue, p, SupportTeam, w.Since, w.What+" since "+day(w.Since))
	case WaitReturnDecision, WaitReturnShipment, WaitReturnReceipt:
		s.open(ReturnOverdue, p, ReturnsTeam, w.Since, w.What+" since "+day(w.Since))
	case WaitInspection, WaitDisposition, WaitSendBack:
		s.open(InspectionOverdue, p, ReturnsTeam, w.Since, w.What+" since "+day(w.Since))
	case WaitInstruction:
		if i := s.openInstruction(w.Parcel); i != nil {
			s.byHand(i, "no answer in time")
		}
	case WaitBooking:
		if r := s.returnByID(p.Return); r != nil {
			if b := r.OpenBooking(); b != nil {
				s.booked(b.ID, Answered{Failed: "no answer in time", Unclear: true})
				s.voided(b.Void, Answered{Failed: "no answer in time"})
			}
		}
	case WaitByHand:
		if p.inbound() {
			s.open(ReturnOverdue, p, ReturnsTeam, w.Since, w.What+" since "+day(w.Since))
			break
		}
		s.open(InstructionOverdue, p, SupportTeam, w.Since, w.What+" since "+day(w.Since))
	case WaitProof:
		s.withdrawCommand(p.Proof.Command)
		s.proved(p, Answered{Failed: "no answer in time"})
	case WaitClaimFiling:
		if c := s.caseOf(w.Case, w.Parcel); c != nil {
			c.ClaimOver = true
			s.tell(Happening{Type: ClaimLapsed, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Text: "the claim was to be filed by " + day(w.Until) + " (" + w.Rule + ")"})
		}
	case WaitRevisit:
		s.revisit(w)
	case WaitClose:
		s.Closed = true
		s.tell(Happening{Type: OrderClosed, At: s.Now})
	}
}

// ask sends out a carrier check, unless there is nobody to ask.
func (s *State) ask(p *Parcel) {
	number := orElse(p.Tracking, p.Master)
	if number == "" {
		s.checked(p, time.Time{}, time.Time{})
		return
	}
	p.Check, p.AskedAt = fmt.Sprintf("check-%s-%d", p.ID, s.Seq), s.Now
	s.Pending = append(s.Pending, Command{ID: p.Check, Kind: CheckCarrier, Parcel: p.ID, Carrier: p.Carrier, Tracking: number, Since: p.LastMovement})
}

// checked judges the answer: news resets the clock, silence opens the case,
// unless the whole feed is silent.
func (s *State) checked(p *Parcel, movement, feedSilent time.Time) {
	p.Check = ""
	if movement.After(s.Now) {
		movement = s.Now
	}
	news := movement.After(p.LastMovement)
	p.LastMovement = latest(p.LastMovement, movement)
	if !s.overdue(p) {
		p.CheckedAt = s.Now
		return // it moved, was settled or went on hold in the meantime
	}
	w, _ := s.scanWait(p)
	if !news && s.Rules >= excuseRules && !feedSilent.IsZero() && p.excused(w.Since, feedSilent, s.Now) {
		return
	}
	p.CheckedAt = s.Now
	switch {
	case p.Milestone.Stage() > Preparing:
		s.open(Stalled, p, OpsTeam, w.Since, "no movement since "+day(w.Since))
	case !news: // with news the hand-off clock starts again: the scans will come in
		s.open(MissedHandoff, p, WarehouseTeam, p.Since, string(p.Milestone)+" at "+day(p.Since)+", but the carrier has not confirmed it")
	}
}

// excused lets the wait that began at since go on for a while, unless it has for
// long enough.
func (p *Parcel) excused(since, feedSilent, now time.Time) bool {
	if !p.Excuse.For.Equal(since) {
		p.Excuse = Excuse{For: since, From: now}
	}
	end := p.Excuse.From.Add(maxExcuse)
	if !now.Before(end) {
		return false
	}
	p.Excuse.Since, p.Excuse.Until = feedSilent, now.Add(excuseStep)
	if p.Excuse.Until.After(end) {
		p.Excuse.Until = end
	}
	return true
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (s *State) open(kind CaseKind, p *Parcel, owner Team, baseline time.Time, text string) {
	id := ""
	if p != nil {
		id = p.ID
	}
	if c := s.caseOf(kind, id); c != nil {
		if d, _ := LookupCase(kind); s.Rules >= instructRules && !d.FromClock {
			c.Baseline = baseline // the same again: what is decided now is about this one
		}
		return
	}
	c := Case{Kind: kind, Parcel: id, Owner: owner, OpenedAt: s.Now, Due: s.Now.Add(time.Duration(s.Spec.Policy.CaseDue)), Baseline: baseline, Text: text}
	if s.Rules >= peopleRules {
		rule := s.Spec.Policy.caseRule(kind)
		if !rule.FromClock && s.decided(kind, id, baseline) {
			return // a person has decided about this very cause
		}
		c.ID, c.Owner, c.Severity, c.Due = s.caseID(kind, id), rule.Owner, rule.Severity, s.clock("case_due").Add(s.Now, time.Duration(rule.Due))
		if rule.Notice > 0 {
			c.NoticeAt = s.Now.Add(time.Duration(rule.Notice))
		}
	}
	s.Cases = append(s.Cases, c)
	s.tell(Happening{Type: CaseOpened, At: s.Now, Parcel: id, Case: kind, Text: text})
}

// openCases opens what the state itself calls for, without a clock.
func (s *State) openCases() {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		switch {
		case p.Milestone == AttemptFailed:
			text := fmt.Sprintf("attempt %d failed", max(1, len(p.Attempts)))
			s.open(FailedAttempt, p, SupportTeam, p.Since, text)
			if c := s.caseOf(FailedAttempt, p.ID); c != nil {
				c.Text = text // a further attempt, same case
				s.limited(c, len(p.Attempts))
				s.returnAtLimit(p)
				c.Text += s.lastInstruction(p)
			}
		case p.Milestone == Lost, p.inbound() && p.Milestone == Destroyed:
			s.open(LostParcel, p, SupportTeam, p.Since, "given up as lost")
		case s.Rules >= peopleRules && s.unexpected(p):
			s.open(UnexpectedReturn, p, ReturnsTeam, p.turned(), s.turnedText(p))
		}
	}
	if s.late() {
		text := "promised for " + day(s.PromisedAt)
		for i := range s.Parcels {
			if p := &s.Parcels[i]; p.toCome() && p.ETA.After(s.PromisedAt) {
				text += ", parcel " + p.ID + " expected " + day(p.ETA)
				break
			}
		}
		s.open(Late, nil, SupportTeam, s.PromisedAt, text)
	}
}

// limited makes the case of too many attempts more severe.
func (s *State) limited(c *Case, attempts int) {
	limit := s.Spec.Policy.Completed().AttemptLimit
	if s.Rules < 3 || attempts < limit {
		return
	}
	c.Text += fmt.Sprintf("; the limit is %d", limit)
	i := slices.Index(Severities, s.Spec.Policy.caseRule(c.Kind).Severity)
	c.Severity = Severities[min(i+1, len(Severities)-1)]
}

// toCome says whether the parcel is still on its way to the buyer. One that
// turned round is no longer late, but returning.
func (p *Parcel) toCome() bool {
	return p.Milestone.Stage() < Arrived && !p.Milestone.Settled() && !p.inbound()
}

// undelivered says whether anything is still to come.
func (s *State) undelivered() bool {
	for i := range s.Parcels {
		if s.Parcels[i].toCome() {
			return true
		}
	}
	return !s.allAllocated()
}

// late: something undelivered has passed its promise, or will by its ETA.
func (s *State) late() bool {
	if s.PromisedAt.IsZero() {
		return false
	}
	for i := range s.Parcels {
		if p := &s.Parcels[i]; p.toCome() && p.ETA.After(s.PromisedAt) {
			return true
		}
	}
	return s.PromiseMissed && s.undelivered()
}

// closeCases closes every case whose cause is gone.
func (s *State) closeCases() {
	s.Cases = slices.DeleteFunc(s.Cases, func(c Case) bool {
		if s.persists(&c) {
			return false
		}
		if c.ID != "" {
			s.remember(c, "", Meta{})
		}
		s.tell(Happening{Type: CaseClosed, At: s.Now, Parcel: c.Parcel, Case: c.Kind})
		return true
	})
	if len(s.Cases) == 0 {
		s.Cases = nil
	}
	s.Revisits = slices.DeleteFunc(s.Revisits, func(r Revisit) bool { return !s.persists(&r.Case) })
	if len(s.Revisits) == 0 {
		s.Revisits = nil
	}
}

func (s *State) persists(c *Case) bool {
	p := s.ParcelByID(c.Parcel)
	if c.Pinned {
		return true
	}
	switch c.Kind {
	case Late:
		return s.late()
	case HeldTooLong:
		return s.Hold != nil
	case NotPicked:
		if p == nil {
			return !s.allAllocated()
		}
		return p.Milestone == Expected
	case NotPacked:
		return p != nil && p.Milestone == Picked
	case MissedHandoff:
		return p != nil && (p.Milestone == Packed || p.Milestone == Labelled || p.Milestone == HandedOver)
	case Stalled:
		return p != nil && p.still(c.Baseline) && s.caseOf(LostParcel, c.Parcel) == nil // which takes over
	case FailedAttempt:
		return p != nil && p.Milestone == AttemptFailed
	case LostParcel:
		// Given up by the carrier, or by us when the trace window had passed.
		return p != nil && (p.Milestone == Lost || p.inbound() && p.Milestone == Destroyed || s.Rules >= peopleRules && p.still(c.Baseline))
	case AddressProblem, CustomsHold, PaymentDue, Weather:
		return p != nil && p.still(c.Baseline)
	case Refused:
		return p != nil && p.Milestone.Stage() < Arrived && !p.Milestone.Settled()
	case Damaged:
		return p != nil && p.Milestone != Cancelled
	case NotReceived:
		return p != nil && p.Milestone == Delivered && !p.NotReceivedAt.IsZero()
	case UnexpectedReturn:
		return p != nil && s.unexpected(p)
	case ReturnOverdue, InspectionOverdue:
		return s.returnLate(c)
	case InstructionOverdue:
		return slices.ContainsFunc(s.Instructions, func(i Instruction) bool {
			return i.State == InstructionByHand && i.Parcel == c.Parcel && i.HandAt.Equal(c.Baseline)
		})
	case RemedyOverdue:
		return slices.ContainsFunc(s.Remedies, func(r Remedy) bool {
			return r.State.Open() && r.Parcel == c.Parcel && r.AskedAt.Equal(c.Baseline)
		})
	}
	return false
}

// caseWaits are what a case of peopleRules waits for besides its due time.
func (s *State) caseWaits(c *Case, add func(Wait)) {
	p := s.Spec.Policy.Completed()
	if !c.NoticeAt.IsZero() && c.NoticedAt.IsZero() {
		add(Wait{Kind: WaitNotice, Parcel: c.Parcel, Case: c.Kind, What: "people to settle " + string(c.Kind) + " before the buyer hears of it", Since: c.OpenedAt, Until: c.NoticeAt,
			Rule: "cases." + string(c.Kind) + ".notice " + p.caseRule(c.Kind).Notice.String(), Owner: c.Owner, Then: "the buyer is told", CutShort: "resolve the case, or tell the buyer now"})
	}
	if parcel := s.ParcelByID(c.Parcel); c.Kind == Stalled && parcel != nil && parcel.still(c.Baseline) && s.caseOf(LostParcel, c.Parcel) == nil && !s.decided(LostParcel, c.Parcel, c.Baseline) {
		add(Wait{Kind: WaitTrace, Parcel: c.Parcel, Case: c.Kind, What: "a trace of the stalled parcel", Since: c.OpenedAt, Until: c.OpenedAt.Add(time.Duration(p.Trace)),
			Rule: "trace " + p.Trace.String(), Owner: OpsTeam, Then: "a lost case is opened", CutShort: "any movement, or say that it is lost"})
	}
	if parcel := s.ParcelByID(c.Parcel); c.Kind == NotReceived && parcel != nil && parcel.Proof.Command != "" {
		add(s.proofWait(parcel))
	}
	if w, ok := s.claimWait(c); ok {
		add(w)
	}
}

// waitOf finds a listed wait by its name.
func (s *State) waitOf(kind WaitKind, parcel string, on CaseKind) (w Wait, ok bool) {
	for _, w := range Waiting(s) {
		if w.Kind == kind && w.Parcel == parcel && w.Case == on {
			return w, true
		}
	}
	return w, false
}

// still says whether the parcel is on its way and has not moved since then.
func (p *Parcel) still(since time.Time) bool {
	return p.Milestone.Stage() > Preparing && !p.Milestone.Settled() && !latest(p.LastMovement, p.Since).After(since)
}

func (s *State) turnedText(p *Parcel) string {
	if p.inbound() {
		return "it comes, though return " + p.Return + " had ended"
	}
	if slices.ContainsFunc(s.Instructions, func(i Instruction) bool { return i.Parcel == p.ID && i.Kind == ReturnToSender }) {
		return "it comes back, as the carrier was told"
	}
	return "it turned round without a return"
}

// turned is when the parcel turned round.
func (p *Parcel) turned() time.Time {
	if p.inbound() && !p.PossessionAt.IsZero() {
		return p.PossessionAt
	}
	if at := p.ReachedAt(Returning); !at.IsZero() {
		return at
	}
	return p.Since
}

// revisit brings back a case that was given time, if its cause is still there.
func (s *State) revisit(w Wait) {
	i := slices.IndexFunc(s.Revisits, func(r Revisit) bool {
		return r.Case.Kind == w.Case && r.Case.Parcel == w.Parcel && r.Since.Equal(w.Since)
	})
	if i < 0 {
		return
	}
	c := s.Revisits[i].Case
	s.Revisits = slices.Delete(s.Revisits, i, i+1)
	s.bringBack(c, Meta{By: Engine}, c.Text+"; it was given time and nothing changed")
}

// bringBack forgets what was decided about a cause, and opens its case again if
// the cause is still there.
func (s *State) bringBack(c Case, m Meta, text string) {
	s.Decisions = slices.DeleteFunc(s.Decisions, func(d Decision) bool {
		return d.Case.Kind == c.Kind && d.Case.Parcel == c.Parcel && d.Case.Baseline.Equal(c.Baseline)
	})
	if s.persists(&c) && s.caseOf(c.Kind, c.Parcel) == nil {
		s.reopenAs(c, m, text)
	}
}
