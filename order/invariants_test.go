package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// watch applies events and checks after each what must always hold.
type watch struct {
	s      State
	ids    map[string]bool        // command IDs ever given out
	open   map[string]bool        // cases as the happenings tell them
	opened map[CaseKind]int       // how often each was
	told   map[string]ReturnState // the states of returns as they tell them
	steps  map[[2]ReturnState]bool
	strict bool // requests pass Check; the state is one that we made
}

func watching(spec Spec) *watch {
	w := &watch{s: New(spec, rulesOf(spec), spec.PlacedAt), ids: map[string]bool{}, open: map[string]bool{}, opened: map[CaseKind]int{}, told: map[string]ReturnState{}, steps: map[[2]ReturnState]bool{}, strict: true}
	w.s.Told = nil
	return w
}

func isRequest(e Event) bool {
	switch e.(type) {
	case PutParcel, Cancel, Hold, Release, ChangePromise, CorrectAddress, CorrectMilestone,
		AssignCase, NoteCase, ResolveCase, ReopenCase, ExtendWait, FireWait, ReportNotReceived, DecideRemedy, EndRemedy,
		RequestReturn, DecideReturn, ShipReturn, InspectReturn, DisposeReturn, SendReturnBack, CancelReturn, AdoptPolicy, EndInstruction,
		AskLabel, AskPickup, EndBooking, VoidBooking:
		return true
	case Scan, CarrierEvent, Unreadable, Tick, Answered:
	}
	return false
}

func isCorrection(e Event) bool {
	switch e := e.(type) {
	case CorrectMilestone:
		return true
	case CarrierEvent:
		return e.Correction
	case ResolveCase: // these set the milestone as support
		return slices.Contains([]Resolution{DeclareLost, DeclareDelivered, Refund, Replace, Claim}, e.Resolution)
	}
	return false
}

// apply applies e, then lets the clock tick, as the shell would. Requests that
// Check refuses are not applied.
func (w *watch) apply(e Event) error {
	if isRequest(e) && Check(&w.s, e) != nil {
		return nil
	}
	if r, ok := e.(RequestReturn); ok && r.Parcel == "" {
		for _, l := range r.Lines {
			if n := w.deliveredAndNotReturned(l.SKU); l.Quantity > n {
				return fmt.Errorf("%d %s are to come back, but %d were delivered and are in no return", l.Quantity, l.SKU, n)
			}
		}
	}
	var resolved Case
	if r, ok := e.(ResolveCase); ok {
		resolved = *w.s.caseByID(r.Case)
	}
	if err := w.step(e); err != nil {
		return fmt.Errorf("%T %+v: %w", e, e, err)
	}
	if resolved.Kind != "" && w.s.Rules >= instructRules && w.s.caseOf(resolved.Kind, resolved.Parcel) != nil {
		return fmt.Errorf("%+v did not end %s", e, resolved.ID)
	}
	if err := w.step(Tick{Meta{By: Engine, Applied: w.s.Now}}); err != nil {
		return fmt.Errorf("tick after %T: %w", e, err)
	}
	if n, ok := NextDeadline(&w.s); ok && !n.Until.After(w.s.Now) {
		return fmt.Errorf("after a tick at %s a wait is still due: %+v", w.s.Now, n)
	}
	return nil
}

func (w *watch) step(e Event) error {
	s := &w.s
	seq, repeat := s.Seq, e.meta().N > 0 && slices.Contains(s.Seen, e.meta().N)
	was, of := make([]Milestone, len(s.Parcels)), make([]int, len(s.Parcels))
	for i := range s.Parcels {
		was[i], of[i] = s.Parcels[i].Milestone, s.Parcels[i].Of
	}
	s.Told = nil
	before, pending, copied := text(s), slices.Clone(s.Pending), s.Clone()
	cmds := Apply(s, e)
	if text(copied) != before {
		return fmt.Errorf("a copy of the state sees the change:\n%s\n%s", before, text(copied))
	}

	if repeat {
		if after := text(s); after != before || cmds != nil {
			return fmt.Errorf("a repeated fact changed something:\n%s\n%s", before, after)
		}
		return nil
	}
	if s.Seq != seq+1 {
		return fmt.Errorf("seq went from %d to %d", seq, s.Seq)
	}
	for i, from := range was {
		to := s.Parcels[i].Milestone
		if from == to || isCorrection(e) || s.Parcels[i].Of > of[i] {
			continue // of more pieces than were known, fewer have arrived than it seemed
		}
		if l, ok := e.(Scan); ok && l.Tracking != "" && s.Rules < instructRules {
			continue // a new label took the ends of the old number's pieces back
		}
		if s.Parcels[i].Of > 1 && slices.Contains(endings, from) && slices.Contains(endings, to) {
			continue // each piece goes its legal way; the parcel's end is the worst of theirs, so a better end of one shows that of another
		}
		if !Legal(from, to) {
			return fmt.Errorf("parcel %s went from %s to %s", s.Parcels[i].ID, from, to)
		}
		if to.Stage() < from.Stage() {
			return fmt.Errorf("parcel %s went back from %s to %s", s.Parcels[i].ID, from, to)
		}
	}
	return w.check(pending, cmds)
}

// check is what must hold of every state.
func (w *watch) check(pending, cmds []Command) error {
	s := &w.s
	for _, h := range s.Told {
		if h.Seq != s.Seq {
			return fmt.Errorf("happening of another seq: %+v", h)
		}
		key := string(h.Case) + " " + h.Parcel
		switch {
		case h.Type == CaseOpened:
			if w.open[key] {
				return fmt.Errorf("case %s opened twice", key)
			}
			w.open[key] = true
			w.opened[h.Case]++
		case h.Type == CaseNoticed && !w.open[key]:
			return fmt.Errorf("the buyer was told of %s, of which nobody here was", key)
		case h.Type == CaseClosed:
			if !w.open[key] {
				return fmt.Errorf("case %s closed, but was not open", key)
			}
			delete(w.open, key)
		}
		if h.Type == ReturnChanged {
			words := strings.Fields(strings.ReplaceAll(h.Text, ":", " "))
			was, to := w.told[words[0]], ReturnState(words[1])
			if was != to && !(was == "" && to == ReturnRequested) && !LegalReturn(was, to) {
				return fmt.Errorf("return %s went from %q to %s", words[0], was, to)
			}
			w.told[words[0]], w.steps[[2]ReturnState{was, to}] = to, true
		}
	}
	if err := w.checkReturns(); err != nil {
		return err
	}
	if err := w.checkCarriers(); err != nil {
		return err
	}
	if len(w.open) != len(s.Cases) {
		return fmt.Errorf("told of %d open cases, have %d", len(w.open), len(s.Cases))
	}
	for _, c := range cmds {
		if w.ids[c.ID] {
			return fmt.Errorf("command ID %s used twice", c.ID)
		}
		w.ids[c.ID] = true
	}
	for _, c := range s.Pending {
		isNew := !slices.ContainsFunc(pending, func(p Command) bool { return p.ID == c.ID })
		if isNew != slices.Contains(cmds, c) {
			return fmt.Errorf("command %s: new %v, but returned %v", c.ID, isNew, !isNew)
		}
		if r, ok := s.Remedy(c.ID); c.Kind == RequestRemedy && (!ok || r.State != Requested) {
			return fmt.Errorf("command %s asks for a remedy that is %q", c.ID, r.State)
		}
		if p := s.ParcelByID(c.Parcel); c.Kind == CheckCarrier && p.Check != c.ID {
			return fmt.Errorf("command %s is pending, but the parcel waits for %q", c.ID, p.Check)
		}
	}
	ws := Waiting(s)
	if err := s.nothingForgotten(ws); err != nil {
		return err
	}
	for i, wt := range ws {
		if wt.Until.IsZero() || wt.Rule == "" || wt.Owner == "" || wt.Then == "" || wt.What == "" || wt.CutShort == "" {
			return fmt.Errorf("incomplete wait %+v", wt)
		}
		if i > 0 && wt.Until.Before(ws[i-1].Until) {
			return fmt.Errorf("waits out of order")
		}
	}
	for _, c := range s.Cases {
		d, known := LookupCase(c.Kind)
		if !known || c.Owner == "" || c.Due.IsZero() || s.Rules >= peopleRules && c.ID == "" || len(d.Resolutions) == 0 {
			return fmt.Errorf("incomplete case %+v", c)
		}
		if !c.NoticedAt.IsZero() && c.NoticedAt.Before(c.OpenedAt) {
			return fmt.Errorf("the buyer was told at %s of %s, which opened at %s", c.NoticedAt, c.ID, c.OpenedAt)
		}
	}
	for i, r := range s.Remedies {
		for _, o := range s.Remedies[:i] {
			if o.ID == r.ID || o.Parcel == r.Parcel && o.Return == "" && r.Return == "" && o.State == Confirmed && r.State == Confirmed && o.Kind != ClaimRemedy && r.Kind != ClaimRemedy {
				return fmt.Errorf("parcel %s was made good twice: %s, %s", r.Parcel, o.ID, r.ID)
			}
		}
		if limit := s.Spec.Policy.RefundLimit; r.State == Confirmed && r.Kind != ClaimRemedy && limit > 0 && max(r.Amount, s.cost(r.Lines)) > limit && (r.ApprovedBy == "" || r.ApprovedBy == r.AskedBy) {
			return fmt.Errorf("%s above the limit without a second person", r.ID)
		}
	}
	if s.Closed && (len(s.Cases) > 0 || s.openRemedies() || s.openReturns() || s.openBookings()) {
		return fmt.Errorf("closed with open cases")
	}
	for _, l := range s.Spec.Lines {
		if n := s.allocated(l.SKU, ""); n > l.Quantity {
			return fmt.Errorf("%d of %d %s are in parcels", n, l.Quantity, l.SKU)
		}
	}
	if s.status() != s.Status {
		return fmt.Errorf("status %s is stale: %s", s.Status, s.status())
	}
	for i := range s.Parcels {
		if p := &s.Parcels[i]; s.Rules >= labelRules && p.Milestone != Expected && !slices.ContainsFunc(p.Reached, func(r Reached) bool { return r.Milestone == p.Milestone }) {
			return fmt.Errorf("parcel %s is %s without having reached it", p.ID, p.Milestone)
		}
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.Of == 1 || p.Delivered > p.Of || p.Of == 0 && p.Delivered > 0 {
			return fmt.Errorf("parcel %s: %d of %d pieces", p.ID, p.Delivered, p.Of)
		}
		if p.Milestone == Delivered && p.Delivered != p.Of {
			return fmt.Errorf("parcel %s is delivered with %d of %d pieces", p.ID, p.Delivered, p.Of)
		}
	}
	ViewOf(s)
	return nil
}

// nothingForgotten: whatever is not at its end is waited for, once, by somebody.
func (s *State) nothingForgotten(ws []Wait) error {
	if s.Closed {
		if len(ws) > 0 || len(s.Pending) > 0 {
			return fmt.Errorf("a closed order waits for %v, %v", ws, s.Pending)
		}
		return nil
	}
	if len(ws) == 0 {
		return fmt.Errorf("an open order waits for nothing")
	}
	first := slices.MinFunc(ws, func(a, b Wait) int { return a.Until.Compare(b.Until) })
	if next, ok := NextDeadline(s); !ok || !next.Until.Equal(first.Until) {
		return fmt.Errorf("the next deadline is %v, the earliest wait ends %s", next, first.Until)
	}
	waited := func(parcel string, kinds ...WaitKind) bool {
		return slices.ContainsFunc(ws, func(w Wait) bool { return w.Parcel == parcel && slices.Contains(kinds, w.Kind) })
	}
	for i, c := range s.Cases {
		if slices.ContainsFunc(s.Cases[:i], func(o Case) bool { return o.Kind == c.Kind && o.Parcel == c.Parcel }) {
			return fmt.Errorf("two cases %s of parcel %q", c.Kind, c.Parcel)
		}
		if n := len(slices.DeleteFunc(slices.Clone(ws), func(w Wait) bool { return w.Kind != WaitCase || w.Case != c.Kind || w.Parcel != c.Parcel })); n != 1 {
			return fmt.Errorf("case %s of parcel %q has %d due times", c.Kind, c.Parcel, n)
		}
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.Milestone.Settled() || p.Milestone.Stage() == Preparing && (s.Hold != nil || p.inbound()) {
			continue // a hold or a return waits
		}
		if !waited(p.ID, WaitPick, WaitPack, WaitHandoff, WaitMovement, WaitCheck, WaitCase) {
			return fmt.Errorf("nobody waits for parcel %s, which is %s", p.ID, p.Milestone)
		}
	}
	if s.Hold != nil && !waited("", WaitHold) && s.caseOf(HeldTooLong, "") == nil {
		return fmt.Errorf("nobody waits for the end of the hold")
	}
	if !s.allAllocated() && s.Hold == nil && !waited("", WaitPlan) && s.caseOf(NotPicked, "") == nil {
		return fmt.Errorf("nobody waits for the lines that are in no parcel")
	}
	for _, r := range s.Remedies {
		if r.State.Open() && !waited(r.Parcel, WaitRemedy) && s.caseOf(RemedyOverdue, r.Parcel) == nil {
			return fmt.Errorf("nobody waits for remedy %s", r.ID)
		}
	}
	return nil
}

func (w *watch) deliveredAndNotReturned(sku string) int {
	n := 0
	for _, p := range w.s.Parcels {
		for _, a := range p.Lines {
			if p.Return == "" && p.Milestone == Delivered && a.SKU == sku {
				n += a.Quantity
			}
		}
	}
	return n - w.comingBack()[sku]
}

// comingBack counts the units in returns, each parcel once.
func (w *watch) comingBack() map[string]int {
	last := map[string]Return{}
	for _, r := range w.s.Returns {
		if r.State != ReturnRejected && r.State != ReturnCancelled {
			last[r.Parcel] = r
		}
	}
	n := map[string]int{}
	for _, r := range last {
		for _, l := range r.Lines {
			n[l.SKU] += l.Quantity
		}
	}
	return n
}

// checkReturns is what must hold of every return.
func (w *watch) checkReturns() error {
	s := &w.s
	ws := Waiting(s)
	for _, r := range s.Returns {
		d := r.State.definition()
		if d.Title == "" || r.State != w.told[r.ID] || r.State.Open() != r.EndedAt.IsZero() {
			return fmt.Errorf("return %s is %q, told %q, ended at %s", r.ID, r.State, w.told[r.ID], r.EndedAt)
		}
		waited := slices.ContainsFunc(ws, func(x Wait) bool { return x.Parcel == r.Parcel && x.Owner != "" })
		if r.State.Open() && !waited {
			return fmt.Errorf("return %s is %s and waits for nothing", r.ID, r.State)
		}
		for _, l := range r.Lines {
			all, accepted := r.found(l.SKU)
			if all > l.Quantity || accepted > all || !r.InspectedAt.IsZero() && all != l.Quantity {
				return fmt.Errorf("return %s: %d of %d %s inspected, %d accepted", r.ID, all, l.Quantity, l.SKU, accepted)
			}
		}
		for _, p := range r.Findings {
			if p.To == "" || !r.DisposedAt.IsZero() && p.Accepted && p.To == SendBack {
				return fmt.Errorf("return %s: piece %+v", r.ID, p)
			}
		}
		confirmed := func(refund bool) bool {
			return slices.ContainsFunc(s.Remedies, func(m Remedy) bool {
				return m.Return == r.ID && m.State == Confirmed && (m.Kind == RefundRemedy) == refund
			})
		}
		if r.State == RefundReleased && !confirmed(true) || r.State == ReplacementReleased && !confirmed(false) {
			return fmt.Errorf("return %s is %s, but no storefront confirmed it", r.ID, r.State)
		}
	}
	if err := w.checkBookings(); err != nil {
		return err
	}
	for sku, n := range w.comingBack() {
		if l := s.LineBySKU(sku); l == nil || n > l.Quantity {
			return fmt.Errorf("%d %s are to come back, more than were ordered", n, sku)
		}
	}
	var asked, paid, booked int64
	for _, r := range s.Remedies {
		switch {
		case r.State == Declined || r.Kind == ClaimRemedy:
		case r.Kind == RefundRemedy:
			asked += r.Amount
		default:
			asked += s.cost(r.Lines)
		}
	}
	book := s.ledger("")
	for _, l := range s.Spec.Lines {
		cost := l.UnitAmount * int64(l.Quantity)
		if book[l.SKU].amount > cost {
			return fmt.Errorf("%d of %d made good for %s", book[l.SKU].amount, cost, l.SKU)
		}
		paid, booked = paid+cost, booked+book[l.SKU].amount
	}
	if paid > 0 && (asked > paid || asked != booked) {
		return fmt.Errorf("%d asked for, %d of it for lines, that cost %d", asked, booked, paid)
	}
	return nil
}

// checkBookings: a carrier is asked for one thing of a return at a time, and never
// again for a label or pickup that is there or may be, unless a person says so.
func (w *watch) checkBookings() error {
	s := &w.s
	for _, r := range s.Returns {
		open, had := 0, map[BookingKind]bool{}
		for _, b := range r.Bookings {
			if b.State.Open() {
				open++
			}
			pending := slices.ContainsFunc(s.Pending, func(c Command) bool { return c.ID == b.ID || c.ID == b.Void })
			waited := slices.ContainsFunc(Waiting(s), func(x Wait) bool {
				return x.Parcel == r.Parcel && (x.Kind == WaitBooking && b.State.Asking() || x.Kind == WaitByHand && x.Owner == ReturnsTeam || x.Kind == WaitCase && x.Case == ReturnOverdue)
			})
			switch {
			case pending != b.State.Asking():
				return fmt.Errorf("booking %s is %s, its command is on the list: %v", b.ID, b.State, pending)
			case b.State.Open() && !waited:
				return fmt.Errorf("nobody waits for booking %s, which is %s", b.ID, b.State)
			case b.State.Open() != b.EndedAt.IsZero():
				return fmt.Errorf("booking %s is %s and ended at %s", b.ID, b.State, b.EndedAt)
			case had[b.Kind] && b.AskedBy == "":
				return fmt.Errorf("booking %s is another one, and no person asked for it", b.ID)
			case b.State == BookingAsked && s.PackageOf(&r).WeightG == 0:
				return fmt.Errorf("booking %s was asked for without a weight", b.ID)
			}
			had[b.Kind] = had[b.Kind] || b.State == BookingMade || b.Unclear || b.Tracking != ""
		}
		if open > 1 {
			return fmt.Errorf("return %s has %d open bookings", r.ID, open)
		}
	}
	return nil
}

// text is a state as JSON, for comparisons.
func text(s *State) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// reload is a state after a continue-as-new.
func reload(s *State) State {
	var r State
	if err := json.Unmarshal([]byte(text(s)), &r); err != nil {
		panic(err)
	}
	return r
}

// outcome is what every arrival order of the same facts of one parcel must give.
func outcome(s *State) string {
	p := &s.Parcels[0]
	b, err := json.Marshal(map[string]any{
		"milestone": p.Milestone, "since": p.Since, "reached": p.Reached, "attempts": p.Attempts,
		"possession": p.PossessionAt, "movement": p.LastMovement, "place": p.LastPlace, "eta": p.ETA,
		"status": s.Status, "carrier_fix": p.CarrierFix, "support_fix": p.SupportFix, "said": len(p.Said),
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// oracle recomputes a parcel from the whole list of its facts, the slow way:
// sort by time, find the last correction, look at what is left. It shares only
// the table of milestones with the engine. exact is false when a correction
// hides more times of one milestone than the engine keeps.
func oracle(facts []Event) (m Milestone, since time.Time, reached map[Milestone]time.Time, possession time.Time, exact bool) {
	type fact struct {
		m       Milestone
		at      time.Time
		carrier bool
		fix     bool
	}
	var all []fact
	for _, e := range facts {
		switch e := e.(type) {
		case Scan:
			if to := e.Kind.Milestone(); to != "" && MaySet(e.By, to) {
				all = append(all, fact{to, e.Occurred, false, false})
			}
		case CarrierEvent:
			if e.Milestone != "" && !e.Milestone.Known() {
				continue
			}
			paperOK := e.Milestone.Stage() == Preparing || e.Milestone == Lost || e.Milestone == Destroyed
			if !e.Physical && !paperOK {
				continue
			}
			if e.Physical && !(e.Correction && e.Milestone != "" && e.Milestone.Stage() == Preparing) {
				all = append(all, fact{Accepted, e.Occurred, true, false})
			}
			if MaySet(CarrierSays, e.Milestone) {
				all = append(all, fact{e.Milestone, e.Occurred, true, e.Correction})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b fact) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return slot(a.m) - slot(b.m)
	})
	var fix fact
	for _, f := range all {
		if f.fix {
			fix = f
		}
	}
	// What counts: everything after the correction, the correction itself, and
	// what the carrier cannot take back.
	var counts []fact
	hidden := map[Milestone]int{}
	for _, f := range all {
		if fix.m == "" || !f.carrier || f.at.After(fix.at) {
			counts = append(counts, f)
		} else {
			hidden[f.m]++
		}
	}
	if fix.m != "" {
		counts = append(counts, fix)
	}
	// The latest stage; in it the last to happen, or the furthest.
	for _, f := range counts {
		d, _ := Lookup(f.m)
		b, _ := Lookup(m)
		switch {
		case m == "" || d.Stage > b.Stage:
			m, since = f.m, f.at
		case d.Stage < b.Stage:
		case d.Stage.byTime():
			if f.at.After(since) || f.at.Equal(since) && d.rank > b.rank {
				m, since = f.m, f.at
			}
		case d.rank > b.rank, f.m == m && f.at.Before(since):
			m, since = f.m, f.at
		}
	}
	if m == "" {
		m = Expected
	}
	// First times, without what the correction takes back.
	reached = map[Milestone]time.Time{}
	for _, f := range all {
		takenBack := fix.m != "" && f.carrier && !f.at.After(fix.at) && f.m != fix.m &&
			(slot(f.m) > slot(fix.m) || f.m.Stage() == Arrived && fix.m.Stage() == Arrived) &&
			!(f.m.Stage() == Moving && fix.m.Stage() == Moving)
		if takenBack {
			continue
		}
		if _, ok := reached[f.m]; !ok {
			reached[f.m] = f.at
		}
		if f.m == Accepted && possession.IsZero() {
			possession = f.at
		}
	}
	exact = true
	for _, n := range hidden {
		exact = exact && n < maxTimes-1
	}
	return m, since, reached, possession, exact
}

// checkCarriers: a carrier is told one thing of a parcel at a time, only while it
// has the parcel, and what it was told or asked is on the list of commands.
func (w *watch) checkCarriers() error {
	s := &w.s
	pending := func(id string) bool {
		return slices.ContainsFunc(s.Pending, func(c Command) bool { return c.ID == id })
	}
	open := map[string]bool{}
	for _, i := range s.Instructions {
		p := s.ParcelByID(i.Parcel)
		switch {
		case pending(i.ID) != (i.State == InstructionTold):
			return fmt.Errorf("instruction %s is %s, its command is on the list: %v", i.ID, i.State, pending(i.ID))
		case i.State.Open() && (open[i.Parcel] || p == nil || !p.carried()):
			return fmt.Errorf("instruction %s is %s, and so is another, or the carrier does not have the parcel", i.ID, i.State)
		case !i.State.Open() && i.EndedAt.IsZero():
			return fmt.Errorf("instruction %s is %s since never", i.ID, i.State)
		}
		open[i.Parcel] = open[i.Parcel] || i.State.Open()
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if c := p.Proof.Command; c != "" && (!pending(c) || s.caseOf(NotReceived, p.ID) == nil) {
			return fmt.Errorf("parcel %s asks for proof by %s, which is not on the list or for no case", p.ID, c)
		}
	}
	for i := range s.Cases {
		if _, by, _, ok := s.claimBy(&s.Cases[i]); ok && s.Now.After(s.extended(Wait{Kind: WaitClaimFiling, Parcel: s.Cases[i].Parcel, Case: s.Cases[i].Kind, Since: s.Cases[i].OpenedAt, Until: by}).Until) {
			e := ResolveCase{Meta: Meta{By: Support, Reason: "late"}, Case: s.Cases[i].ID, Resolution: Claim}
			if Check(s, e) == nil {
				return fmt.Errorf("a claim about %s may be filed after %s", s.Cases[i].ID, by)
			}
		}
	}
	return nil
}
