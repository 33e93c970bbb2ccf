package order

import (
	"fmt"
	"time"
)

// AdoptPolicy lets a running order follow another version of its policy, between
// two events: what is under way stays, and every wait is measured anew. Due
// times of open cases stay as they are. Rules 3.
type AdoptPolicy struct {
	Meta
	Policy Policy `json:"policy"`
	// Switch: it may be a policy of another name.
	Switch bool `json:"switch,omitempty"`
}

func (AdoptPolicy) event() {}

// AdoptRules are the first rules under which an order can.
const AdoptRules = 3

func (s *State) checkAdopt(e AdoptPolicy) error {
	have := &s.Spec.Policy
	switch {
	case s.Rules < AdoptRules:
		return refuse("", "the order began under older rules: it takes the newer ones by itself before long")
	case s.Closed:
		return refuse("", "the order is closed")
	case e.By != Support && e.By != Engine:
		return refuse("by", "%q may not choose a policy", e.By)
	case e.Policy.Name != have.Name && !e.Switch:
		return refuse("policy", "the order follows %s, not %s: say switch to change that", have.Name, e.Policy.Name)
	case e.Policy.Name == have.Name && e.Policy.Version <= have.Version:
		return refuse("policy", "the order follows version %d already", have.Version)
	}
	if err := e.Policy.Validate(); err != nil {
		return refuse("policy", "%s", err)
	}
	return nil
}

func (s *State) adopt(e AdoptPolicy) {
	was := s.Spec.Policy
	s.Spec.Policy = e.Policy
	s.tell(Happening{Type: PolicyAdopted, At: s.Now, Actor: e.Actor, Cause: e.ID,
		Text: fmt.Sprintf("%s v%d instead of %s v%d", e.Policy.Name, e.Policy.Version, was.Name, was.Version)})
}

// EndingUnder are the waits that would be over at once if the order followed
// another policy, and are not over now. It changes nothing.
func EndingUnder(s *State, p Policy, now time.Time) []Wait {
	over := func(s *State) (ws []Wait) {
		for _, w := range Waiting(s) {
			if !w.Until.After(now) {
				ws = append(ws, w)
			}
		}
		return ws
	}
	after := *s
	after.Spec.Policy = p
	have := over(s)
	var ws []Wait
	for _, w := range over(&after) {
		known := false
		for _, h := range have {
			known = known || h.Kind == w.Kind && h.Parcel == w.Parcel && h.Case == w.Case
		}
		if !known {
			ws = append(ws, w)
		}
	}
	return ws
}
