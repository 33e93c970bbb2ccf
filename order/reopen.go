package order

import "time"

// WouldGrant says why a request would be refused now; nil: it would be granted. One
// of a closed order must let it go on.
func WouldGrant(s *State, now time.Time, request Event) error {
	if !s.Closed {
		return Check(s.At(now), request)
	}
	goesOn, err := Reopens(s, now, request)
	if err == nil && !goesOn {
		err = refuse("", "the order is closed")
	}
	return err
}

// Reopens says whether a closed order goes on when these events reach it now: it
// must grant the requests among them, else the error says why not, and then have
// something to wait for again. The state is left as it is.
func Reopens(s *State, now time.Time, events ...Event) (bool, error) {
	if !s.Closed {
		return false, nil
	}
	next := s.Clone()
	next.Rules = CurrentRules // those of the run that would begin
	for _, e := range events {
		if now.After(next.Now) {
			next.Now = now
		}
		if err := Check(next, e); err != nil {
			return false, err
		}
		Apply(next, Stamp(e, now))
	}
	return !next.Closed, nil
}
