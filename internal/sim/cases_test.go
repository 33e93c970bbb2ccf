package sim

import (
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

// oneSale is an order of one parcel with a scan at each of these hours: picked,
// packed, accepted, in transit, delivered; 0: never. An hour is a real hour, and
// everything is told when it happens.
func oneSale(promised float64, hours [5]float64) *Schedule {
	placed := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return placed.Add(time.Duration(h * float64(time.Hour))) }
	o := PlannedOrder{ID: "s:1", Create: OrderRequest{PlacedAt: placed, PromisedAt: at(promised), Parcels: []order.PlannedParcel{{ID: "1"}}}, Truth: Truth{Fate: InFlight}}
	plan := &Schedule{Policy: order.DefaultPolicy(), Actions: []Action{{Due: placed, Kind: PostCreate}}}
	for i, h := range hours {
		if h == 0 {
			continue
		}
		f := Fact{Parcel: "1"}
		if i < 2 {
			f.Scan = &ScanItem{Kind: []order.ScanKind{order.ScanPicked, order.ScanPacked}[i], OccurredAt: at(h)}
		} else {
			f.Event = &CarrierItem{Milestone: []order.Milestone{order.Accepted, order.InTransit, order.Delivered}[i-2], OccurredAt: at(h)}
		}
		plan.Actions = append(plan.Actions, Action{Due: at(h), Kind: PostFact, Fact: len(o.Facts)})
		o.Facts = append(o.Facts, f)
	}
	if hours[4] != 0 {
		o.Truth.Fate, o.Truth.Delivered = Delivered, at(hours[4])
	}
	plan.Orders = []PlannedOrder{o}
	return plan
}

func TestCasesAreCalledForWhenSomethingCameAfterItsLimit(t *testing.T) {
	for name, c := range map[string]struct {
		promised float64
		hours    [5]float64
		want     []order.CaseKind
	}{
		"all in time":      {300, [5]float64{10, 20, 30, 60, 90}, nil},
		"picked late":      {300, [5]float64{50, 60, 70, 100, 120}, []order.CaseKind{order.NotPicked}},
		"packed late":      {300, [5]float64{10, 40, 50, 80, 100}, []order.CaseKind{order.NotPacked}},
		"handed over late": {300, [5]float64{10, 20, 80, 100, 120}, []order.CaseKind{order.MissedHandoff}},
		"stood still":      {300, [5]float64{10, 20, 30, 140, 150}, []order.CaseKind{order.Stalled}},
		"came late":        {80, [5]float64{10, 20, 30, 60, 90}, []order.CaseKind{order.Late}},
		"never came":       {80, [5]float64{10, 20, 30, 60, 0}, []order.CaseKind{order.Stalled, order.LostParcel, order.Late}},
		"never touched":    {80, [5]float64{}, []order.CaseKind{order.NotPicked, order.Late}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := oneSale(c.promised, c.hours)
			answer := Answer{Found: true, ReadAt: plan.Orders[0].Create.PlacedAt.AddDate(0, 0, 30)}
			for _, kind := range c.want {
				answer.View.Decisions = append(answer.View.Decisions, order.Decision{Case: order.Case{Kind: kind}})
			}
			if _, differ := compareCases(plan, []Answer{answer}, 0); len(differ) > 0 {
				t.Errorf("the right cases are not right: %v", differ)
			}
			counts, differ := compareCases(plan, []Answer{{Found: true, ReadAt: answer.ReadAt}}, 0)
			if len(differ) != len(c.want) {
				t.Errorf("without any case: %v", differ)
			}
			for _, n := range counts {
				if len(n.Why) > 0 {
					t.Errorf("%s is explained by %v", n.Kind, n.Why)
				}
			}
			answer.View.Decisions = append(answer.View.Decisions, order.Decision{Case: order.Case{Kind: order.Damaged}})
			if _, differ := compareCases(plan, []Answer{answer}, 0); len(differ) != 1 {
				t.Errorf("a case out of nowhere: %v", differ)
			}
		})
	}
}

func TestWhatWasToldLateOrIsTooNearIsExplained(t *testing.T) {
	opened := []order.Decision{{Case: order.Case{Kind: order.NotPicked}}}
	for name, c := range map[string]struct {
		picked    float64
		told      float64
		decisions []order.Decision
		behind    time.Duration
		want      string
	}{
		"told after the limit":         {40, 50, opened, 0, toldLate},
		"at the limit, and opened":     {48 - 0.5/3600, 48, opened, 0, atTheLimit},
		"at the limit, and not":        {48 + 0.5/3600, 48, nil, 0, atTheLimit},
		"the machine was hours behind": {49, 49, nil, 2 * time.Hour, atTheLimit},
		"told in time, and opened":     {40, 40, opened, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := oneSale(300, [5]float64{c.picked, c.picked + 10, c.picked + 20, c.picked + 50, c.picked + 80})
			plan.Actions[1].Due = plan.Orders[0].Create.PlacedAt.Add(time.Duration(c.told * float64(time.Hour)))
			counts, differ := compareCases(plan, []Answer{{Found: true, ReadAt: time.Now(), View: order.View{Decisions: c.decisions}}}, c.behind)
			if (c.want == "") != (len(differ) == 1) || c.want != "" && counts[0].Why[c.want] != 1 {
				t.Errorf("%v, %+v", differ, counts[0])
			}
		})
	}
}
