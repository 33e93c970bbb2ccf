package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
)

// The budget is a minute from the kill until every order that was on its way
// goes on. The log says how long it took.
func TestOrdersGoOnWithinAMinuteOfAKill(t *testing.T) {
	const orders = 8
	s := open(t, "recovery")
	var list []string
	facts := map[string][]fact{}
	for n := range orders {
		id := s.create(s.newOrder(fmt.Sprint(n)))
		list, facts[id] = append(list, id), journey(id, s.tracking(n))
	}
	// Each kill falls into work: the facts before it were just accepted.
	step := 0
	next := func(id string) fact { return facts[id][step] }
	reached := []order.Milestone{order.Picked, order.Packed, order.Labelled, order.HandedOver}
	for _, id := range list {
		s.becomes(id, "begun", func(v order.View) bool { return v.Seq > 0 })
		s.post(next(id)) // received
	}
	for i, kill := range []struct {
		name string
		who  []*rig.Process
	}{{"worker", []*rig.Process{s.worker}}, {"api", []*rig.Process{s.api}}, {"both", []*rig.Process{s.worker, s.api}}} {
		step++
		for _, id := range list {
			s.post(next(id))
		}
		for _, p := range kill.who {
			p.Kill()
		}
		killed := time.Now()
		for _, p := range kill.who {
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
		}
		s.ready()
		for _, id := range list {
			s.becomes(id, string(reached[i]), func(v order.View) bool { return v.Parcels[0].Milestone == reached[i] })
		}
		t.Logf("%s killed: %d orders went on after %s", kill.name, orders, time.Since(killed).Round(100*time.Millisecond))
	}
	s.agrees()
}
