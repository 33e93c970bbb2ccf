package sim

import (
	"testing"

	"github.com/waybillhq/waybill/order"
)

func TestEachScenarioHasANameAndAnEnd(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if s.name == "" || s.want == "" || s.play == nil || seen[s.name] {
			t.Errorf("scenario %q", s.name)
		}
		seen[s.name] = true
	}
}

func TestAnEndingSaysWhatCameOfAnOrder(t *testing.T) {
	v := order.View{
		Status: order.StatusPartiallyDelivered, Late: true, OnHold: true, Closed: true,
		Parcels:   []order.ParcelView{{ID: "A", Milestone: order.Delivered}, {ID: "B", Milestone: order.Lost}},
		Decisions: []order.Decision{{Case: order.Case{Kind: order.LostParcel}, Resolution: order.Refund}, {Case: order.Case{Kind: order.Stalled}}}, // the newest first
		Cases:     []order.CaseView{{Case: order.Case{Kind: order.Late}}},
		Remedies:  []order.Remedy{{Kind: order.RefundRemedy, State: order.Confirmed}},
		Returns:   []order.ReturnView{{Return: order.Return{ID: "R1", State: order.ReturnClosed}}},
	}
	want := "partially_delivered, A delivered, B lost, late, on hold, stalled by itself, lost → refund, late open, refund confirmed, R1 closed, closed"
	if got := ending(v); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
