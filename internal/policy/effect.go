package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Effect is what a policy would do to the orders that follow an older version of
// it, if they adopted it now.
type Effect struct {
	// Orders would move to it. Older ones began under rules that cannot; they
	// move when their run takes the newer rules.
	Orders int `json:"orders"`
	Older  int `json:"older_rules"`
	// Waits would be over at once, by what happens then.
	Waits int       `json:"waits_ending"`
	Then  []Outcome `json:"then"`
}

// Outcome is what the end of waits leads to, and how often.
type Outcome struct {
	Then  string `json:"then"`
	Count int    `json:"count"`
}

// Follows says whether an open order would move to that version.
func Follows(s *order.State, b *order.PolicyBook) bool {
	return !s.Closed && s.Spec.Policy.Name == b.Name && s.Spec.Policy.Version < b.Version
}

// Count adds one open order.
func (e *Effect) Count(s *order.State, b *order.PolicyBook, now time.Time) {
	switch {
	case !Follows(s, b):
		return
	case s.Rules < order.AdoptRules:
		e.Older++
		return
	}
	e.Orders++
	for _, w := range order.EndingUnder(s, b.For(s.Spec.Class), now) {
		e.Waits++
		i := slices.IndexFunc(e.Then, func(o Outcome) bool { return o.Then == w.Then })
		if i < 0 {
			i, e.Then = len(e.Then), append(e.Then, Outcome{Then: w.Then})
		}
		e.Then[i].Count++
	}
	slices.SortFunc(e.Then, func(a, b Outcome) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Then, b.Then)) })
}
