package order

import (
	"slices"
	"time"
)

// How far a parcel has come is computed from its facts alone, whatever order
// they arrived in. What follows keeps the facts and folds them.

// correctMilestone lets support take back what anybody said so far. It is a
// request: it holds from the moment that support names, but never loses to what
// the order knew when it was granted.
func (s *State) correctMilestone(e CorrectMilestone) {
	p := s.ParcelByID(e.Parcel)
	switch {
	case p == nil:
		s.anomaly(UnknownParcel, e.Parcel, e.Meta, "correction to "+string(e.Milestone))
		return
	case !e.Milestone.Known() || e.Milestone == Expected:
		s.anomaly(UnknownValue, p.ID, e.Meta, "correction to "+string(e.Milestone))
		return
	case e.By != Support:
		s.anomaly(NotAuthorised, p.ID, e.Meta, string(e.By)+" may not correct a milestone")
		return
	}
	at := s.Now
	if !e.Occurred.IsZero() && e.Occurred.Before(at) {
		at = e.Occurred.UTC()
	}
	for _, v := range p.Said {
		at = latest(at, latest(v.At...))
	}
	for _, q := range p.Pieces {
		for _, v := range q.Said {
			at = latest(at, latest(v.At...))
		}
	}
	p.SupportFix = mark{e.Milestone, p.afterFix(at)}
	s.say(p, e.Milestone, p.SupportFix.At, e.Meta)
}

// afterFix is the time at which a request takes effect, so that no correction
// made before it takes it back.
func (p *Parcel) afterFix(at time.Time) time.Time {
	if p.SupportFix.Milestone != "" && !at.After(p.SupportFix.At) {
		return p.SupportFix.At.Add(1)
	}
	return at
}

// say adds a fact about the whole parcel and decides anew.
func (s *State) say(p *Parcel, m Milestone, at time.Time, meta Meta) {
	keepFact(&p.Said, voice{Milestone: m, Carrier: meta.By == CarrierSays}, at)
	s.decide(p, meta)
}

// keepFact adds a time to the voice of its kind.
func keepFact(said *[]voice, kind voice, at time.Time) {
	i := slices.IndexFunc(*said, func(v voice) bool {
		return v.Milestone == kind.Milestone && v.Carrier == kind.Carrier && v.Whole == kind.Whole
	})
	if i < 0 {
		i = len(*said)
		*said = append(*said, kind)
	}
	v := &(*said)[i]
	v.At = keepTime(v.At, at)
	if n := len(v.At); n > maxTimes {
		v.At = slices.Delete(v.At, n-2, n-1)
	}
}

// decide computes how far the parcel has come from its facts.
func (s *State) decide(p *Parcel, meta Meta) {
	var best mark
	weigh := func(k mark) {
		if k.Milestone != "" && better(k, best) {
			best = k
		}
	}
	p.Reached, p.PossessionAt = nil, time.Time{}
	n, others := s.pieces(p)
	hear := func(said []voice, fixed mark, single bool) {
		for _, v := range said {
			if !single && v.ofOne() && v.Milestone.final() {
				continue // one piece has ended, not the parcel
			}
			fix := p.fix(v.Carrier)
			if v.Carrier && later(fixed, fix) {
				fix = fixed
			}
			weigh(v.after(fix))
			valid := v.At
			if fix.Milestone != "" && undoes(fix.Milestone, v.Milestone) {
				valid = v.standing(fix)
			} // else it is true history, though it no longer decides
			if len(valid) > 0 {
				p.reach(v.Milestone, valid[0])
				if v.Milestone == Accepted && v.Carrier && (p.PossessionAt.IsZero() || valid[0].Before(p.PossessionAt)) {
					p.PossessionAt = valid[0]
				}
			}
		}
	}
	hear(p.Said, mark{}, n == 1)
	for _, q := range others {
		hear(q.Said, q.CarrierFix, false)
		if !q.CarrierFix.Milestone.final() && later(q.CarrierFix, p.fix(true)) {
			weigh(q.CarrierFix)
		}
	}
	if fix := p.fix(true); s.Rules < labelRules || n == 1 || !fix.Milestone.final() { // else it ends pieces, and ending says whether all
		weigh(fix)
	}
	weigh(p.SupportFix)
	end, delivered := p.ending(n, others)
	if weigh(end); end.Milestone != "" {
		p.reach(end.Milestone, end.At)
	}
	news := delivered.n > p.Delivered
	if p.Of, p.Delivered = n, delivered.n; n == 1 {
		p.Of, p.Delivered = 0, 0
	}
	slices.SortFunc(p.Reached, func(a, b Reached) int { return slot(a.Milestone) - slot(b.Milestone) })

	if best.Milestone == "" { // nothing is known but the plan
		if p.Milestone == Expected {
			return
		}
		best = mark{Expected, s.Spec.PlacedAt}
	}
	was := p.Milestone
	p.Milestone, p.Since = best.Milestone, best.At
	if news && p.partial() {
		s.tell(Happening{Type: PiecesDelivered, At: delivered.at, Parcel: p.ID, Text: p.progress(), Cause: meta.ID})
	}
	if p.Milestone == was {
		return
	}
	p.Known = s.Now
	if was == Cancelled && p.Milestone.Stage() > Preparing && meta.By != Support {
		s.anomaly(MovingCancelled, p.ID, meta, "a cancelled parcel is "+string(p.Milestone))
	}
	if meta.By == Engine { // a plan was replaced: nothing happened to any box
		s.tell(Happening{Type: ParcelChanged, At: s.Now, Parcel: p.ID, Text: meta.Reason})
		return
	}
	typ := MilestoneReached
	if !Legal(was, p.Milestone) {
		typ = MilestoneUndone
	}
	text := meta.Reason
	if text == "" && p.partial() {
		text = p.progress()
	}
	s.tell(Happening{Type: typ, At: p.Since, Parcel: p.ID, Milestone: p.Milestone, Actor: meta.Actor, Text: text, Cause: meta.ID})
}

// reach notes when m was first reached.
func (p *Parcel) reach(m Milestone, at time.Time) {
	i := slices.IndexFunc(p.Reached, func(r Reached) bool { return r.Milestone == m })
	if i < 0 {
		p.Reached = append(p.Reached, Reached{m, at})
	} else if at.Before(p.Reached[i].At) {
		p.Reached[i].At = at
	}
}

// fix is the correction that holds against one side. The carrier takes back
// only what it said itself before that moment; support what anybody said.
func (p *Parcel) fix(carrier bool) mark {
	if carrier && (p.SupportFix.Milestone == "" || p.CarrierFix.At.After(p.SupportFix.At)) {
		return p.CarrierFix
	}
	return p.SupportFix
}

// later says whether a is the later correction; of two at the same moment the
// one further on.
func later(a, b mark) bool {
	if b.Milestone == "" {
		return true
	}
	if c := a.At.Compare(b.At); c != 0 {
		return c > 0
	}
	return slot(a.Milestone) > slot(b.Milestone)
}

// undoes says whether a correction to m takes r back: all that lies beyond m.
// What happened on the road before still happened.
func undoes(m, r Milestone) bool {
	return Legal(m, r) && !(m.Stage() == Moving && r.Stage() == Moving)
}

// keepTime inserts a time into an ordered list, once.
func keepTime(ts []time.Time, t time.Time) []time.Time {
	i, found := slices.BinarySearchFunc(ts, t, time.Time.Compare)
	if found {
		return ts
	}
	return slices.Insert(ts, i, t)
}

// slot is a milestone's place in the table.
func slot(m Milestone) int {
	return slices.IndexFunc(Definitions, func(d Definition) bool { return d.Milestone == m })
}

// better says whether a decides over b: the later stage; in it the later time or
// the higher rank. It is a total order, which is what makes the arrival order of
// facts not matter.
func better(a, b mark) bool {
	if b.Milestone == "" {
		return true
	}
	da, _ := Lookup(a.Milestone)
	db, _ := Lookup(b.Milestone)
	if da.Stage != db.Stage {
		return da.Stage > db.Stage
	}
	c := a.At.Compare(b.At)
	if da.Stage.byTime() && c != 0 {
		return c > 0
	}
	if da.rank != db.rank {
		return da.rank > db.rank
	}
	return c < 0
}

// Outranks says whether a decides over b where both are said of one moment.
func Outranks(a, b Milestone) bool { return a != b && better(mark{Milestone: a}, mark{Milestone: b}) }
