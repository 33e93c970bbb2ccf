package order

import "slices"

// Clone copies the state so deeply that neither copy sees the other's changes.
// A local activity gets its arguments by reference and runs beside the workflow.
func (s *State) Clone() *State {
	c := *s
	c.Parcels = slices.Clone(s.Parcels)
	for i := range c.Parcels {
		p := &c.Parcels[i]
		p.Lines, p.Reached, p.Attempts = slices.Clone(p.Lines), slices.Clone(p.Reached), slices.Clone(p.Attempts)
		p.Said = slices.Clone(p.Said)
		cloneTimes(p.Said)
		p.Pieces = slices.Clone(p.Pieces)
		for j := range p.Pieces {
			p.Pieces[j].Said = slices.Clone(p.Pieces[j].Said)
			cloneTimes(p.Pieces[j].Said)
		}
	}
	c.Cases, c.Pending, c.Seen = slices.Clone(s.Cases), slices.Clone(s.Pending), slices.Clone(s.Seen)
	c.Anomalies, c.Told = slices.Clone(s.Anomalies), slices.Clone(s.Told)
	for i := range c.Cases {
		c.Cases[i].Notes = slices.Clone(s.Cases[i].Notes)
	}
	c.Decisions, c.Extensions, c.Revisits, c.Remedies = slices.Clone(s.Decisions), slices.Clone(s.Extensions), slices.Clone(s.Revisits), slices.Clone(s.Remedies)
	c.Returns, c.Instructions = slices.Clone(s.Returns), slices.Clone(s.Instructions)
	for i := range c.Returns {
		r := &c.Returns[i]
		r.Findings, r.Bookings = slices.Clone(r.Findings), slices.Clone(r.Bookings) // its lines never change
	}
	if s.Hold != nil {
		h := *s.Hold
		c.Hold = &h
	}
	return &c // Spec's lists are never changed; a policy is replaced as a whole
}

func cloneTimes(said []voice) {
	for i := range said {
		said[i].At = slices.Clone(said[i].At)
	}
}
