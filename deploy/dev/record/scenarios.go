package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// scenario is one order's life. Its name is the file's name, so it stays.
type scenario struct {
	name   string
	policy func(*order.Policy) // changes to the default, which closes at once
	tell   func(*tale)
}

// soon is a deadline that passes while we wait.
const soon = order.Duration(1500 * time.Millisecond)

var toDelivery = []order.Milestone{order.Accepted, order.InTransit, order.OutForDelivery, order.Delivered}

var scenarios = []scenario{
	{name: "happy-path-alone", tell: func(t *tale) {
		t.create()
		t.scan("1", order.ScanReceived)
		t.alone("1", order.Picked, order.Packed)
		t.scan("1", order.ScanSorted)
		t.alone("1", order.Labelled, order.HandedOver, order.Accepted, order.InTransit)
		for range 16 {
			t.says("1", order.InTransit) // rides along
		}
		for day := range 3 {
			eta := time.Now().Add(time.Duration(24*(3-day)) * time.Hour).UTC().Truncate(time.Second)
			t.event("1", rig.Event{ETA: eta, Code: "ETA"})
			t.until("a new ETA", func(v order.View) bool { return v.Parcels[0].ETA.Equal(eta) })
		}
		t.alone("1", order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	{name: "happy-path-burst", tell: func(t *tale) {
		t.worker.Kill() // everything gathers
		t.post()
		t.scan("1", order.ScanReceived, order.ScanPicked, order.ScanPacked, order.ScanSorted, order.ScanLabelled, order.ScanHandedOver)
		t.says("1", order.Accepted)
		for range 18 {
			t.says("1", order.InTransit)
		}
		t.says("1", order.OutForDelivery, order.Delivered)
		t.begin()
		t.closed()
	}},
	{name: "split-shipment", tell: func(t *tale) {
		t.order.Lines = []order.Line{{SKU: "lamp", Quantity: 2}, {SKU: "sofa", Quantity: 1}}
		t.order.Parcels = []order.PlannedParcel{
			{ID: "A", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}},
			{ID: "B", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}},
			{ID: "C", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}},
		}
		t.create()
		for _, parcel := range []string{"A", "B", "C"} {
			t.warehouse(parcel)
		}
		for _, m := range toDelivery {
			for _, parcel := range []string{"A", "B", "C"} {
				t.alone(parcel, m)
			}
		}
		t.closed()
	}},
	{name: "planned-late", tell: func(t *tale) {
		t.order.Lines = []order.Line{{SKU: "lamp", Quantity: 1}, {SKU: "sofa", Quantity: 1}}
		t.create()
		t.putParcel("A", order.Allocation{SKU: "lamp", Quantity: 1})
		t.warehouse("A")
		t.putParcel("B", order.Allocation{SKU: "sofa", Quantity: 1})
		t.warehouse("B")
		t.alone("A", toDelivery...)
		t.alone("B", toDelivery...)
		t.closed()
	}},
	{name: "hold-and-release", policy: func(p *order.Policy) { p.HoldReview = soon }, tell: func(t *tale) {
		t.create()
		t.ask("/hold", map[string]any{"reason": "payment check"})
		t.hasCase(order.HeldTooLong, true)
		t.ask("/release", map[string]any{"reason": "paid"})
		t.hasCase(order.HeldTooLong, false)
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.closed()
	}},
	{name: "cancelled", tell: func(t *tale) {
		t.create()
		t.alone("1", order.Picked)
		t.ask("/cancel", map[string]any{"reason": "buyer changed their mind"})
		t.closed()
	}},
	{name: "merged-duplicate", tell: func(t *tale) {
		first := t.order
		first.Number += "-of"
		t.granted(t.API.Post(t.ctx, "/v1/orders", first))
		t.create()
		t.alone("1", order.Picked, order.Packed, order.Labelled, order.HandedOver, order.Accepted)
		t.ask("/merge", map[string]any{"into": first.ID(), "reason": "the button was pressed twice"})
		t.closed()
	}},
	{name: "takes-a-duplicate", tell: func(t *tale) {
		t.create()
		double := t.order
		double.Number += "-again"
		double.Parcels = []order.PlannedParcel{{ID: "1", Carrier: rig.Carrier, Tracking: t.tracking("1"), Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}
		t.granted(t.API.Post(t.ctx, "/v1/orders", double))
		t.says("1", order.Accepted)
		if t.err == nil {
			t.err = rig.WaitFor(t.ctx, time.Minute, func(ctx context.Context) error {
				v, err := t.Orders.View(ctx, double.ID())
				if err == nil && v.Parcels[0].Milestone != order.Accepted {
					err = errors.New("the duplicate is not accepted yet")
				}
				return err
			})
			t.granted(t.API.Post(t.ctx, rig.OrderPath(double.ID())+"/merge", map[string]any{"into": t.id(), "reason": "the button was pressed twice"}))
		}
		t.reached(double.Number+"-1", order.Accepted)
		t.says("1", order.InTransit, order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	{name: "not-picked-escalates", policy: func(p *order.Policy) { p.Pick, p.CaseDue = soon, order.Duration(time.Second) }, tell: func(t *tale) {
		t.create()
		t.hasCase(order.NotPicked, true)
		t.until("escalated", func(v order.View) bool { return len(v.Cases) > 0 && v.Cases[0].Level > 0 })
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.closed()
	}},
	{name: "stalled-then-moves", policy: func(p *order.Policy) { p.Movement = soon }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted)
		t.hasCase(order.Stalled, true) // the carrier was asked, and knew nothing new
		t.alone("1", order.InTransit)
		t.hasCase(order.Stalled, false)
		t.alone("1", order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	{name: "stalled-while-the-feed-is-silent", policy: func(p *order.Policy) { p.Movement = soon }, tell: func(t *tale) {
		t.feedIsSilent()
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted)
		t.until("excused", func(v order.View) bool {
			return len(v.Cases) == 0 && slices.ContainsFunc(v.Waiting, func(w order.WaitView) bool { return strings.Contains(w.What, "is silent since") })
		})
		t.alone("1", order.InTransit, order.OutForDelivery, order.Delivered)
		t.closed()
		t.feedIsBack()
	}},
	{name: "missed-hand-off", policy: func(p *order.Policy) { p.Handoff = soon }, tell: func(t *tale) {
		t.create()
		t.alone("1", order.Picked, order.Packed, order.Labelled)
		t.hasCase(order.MissedHandoff, true)
		t.alone("1", toDelivery...)
		t.closed()
	}},
	{name: "attempt-failed-then-delivered", tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted, order.OutForDelivery)
		t.event("1", rig.Event{Milestone: order.AttemptFailed, Bucket: "recipient_unavailable"})
		t.hasCase(order.FailedAttempt, true)
		t.alone("1", order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	// No carrier can be told anything here, so a person does it.
	{name: "carrier-told-by-hand", tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted, order.OutForDelivery)
		t.event("1", rig.Event{Milestone: order.AttemptFailed, Bucket: "recipient_unavailable"})
		t.resolve(order.FailedAttempt, map[string]any{"resolution": order.Redeliver, "until": time.Now().Add(24 * time.Hour), "reason": "at home tomorrow"})
		t.byHand(false)
		t.resolve(order.FailedAttempt, map[string]any{"resolution": order.HoldAtLocation, "point": "SHOP-7", "reason": "collects it"})
		t.byHand(true)
		t.alone("1", order.ReadyForPickup, order.Delivered)
		t.closed()
	}},
	{name: "brought-back-at-the-limit", policy: func(p *order.Policy) { p.AttemptLimit, p.ReturnAtLimit = 1, true }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted)
		t.event("1", rig.Event{Milestone: order.AttemptFailed, Bucket: "recipient_unavailable"})
		t.byHand(true)
		t.alone("1", order.Returning, order.Returned)
		t.resolve(order.UnexpectedReturn, map[string]any{"resolution": order.Dismiss, "reason": "back in stock"})
		t.closed()
	}},
	{name: "returned-to-sender", tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted, order.InTransit, order.Returning, order.Returned)
		t.resolve(order.UnexpectedReturn, map[string]any{"resolution": order.Dismiss, "reason": "back in stock"})
		t.closed()
	}},
	{name: "stalled-given-time", policy: func(p *order.Policy) { p.Movement = soon }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted)
		t.resolve(order.Stalled, map[string]any{"resolution": order.WaitOn, "until": time.Now().Add(time.Hour), "reason": "the depot searches"})
		t.hasCase(order.Stalled, false)
		t.alone("1", order.InTransit, order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	{name: "noticed-then-moves", policy: func(p *order.Policy) {
		p.Movement = soon
		for i := range p.Cases {
			if notice := soon; p.Cases[i].Kind == order.Stalled {
				p.Cases[i].Notice = &notice
			}
		}
	}, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted)
		t.until("the buyer is told", func(v order.View) bool { return len(v.Cases) > 0 && !v.Cases[0].NoticedAt.IsZero() })
		t.alone("1", order.OutForDelivery, order.Delivered)
		t.hasCase(order.Stalled, false)
		t.closed()
	}},
	{name: "refund-with-two-people", policy: func(p *order.Policy) { p.RefundLimit = 100 }, tell: func(t *tale) {
		t.order.Currency, t.order.Lines[0].UnitAmount = "EUR", 5000
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted, order.Lost)
		t.resolve(order.LostParcel, map[string]any{"resolution": order.Refund, "reason": "no trace"})
		t.remedy(order.ToApprove, func(id string) { t.again("support", "/remedies/"+id+"/decide", map[string]any{"agree": true}) })
		// The store has no webhook, so a person carries it out.
		t.remedy(order.Requested, func(id string) {
			t.ask("/remedies/"+id+"/end", map[string]any{"confirmed": true, "reference": "rf-1", "reason": "paid back by hand"})
		})
		t.closed()
	}},
	{name: "rest-given-up", policy: func(p *order.Policy) { p.Pick = soon }, tell: func(t *tale) {
		t.order.Lines = []order.Line{{SKU: "lamp", Quantity: 2}}
		t.order.Parcels = []order.PlannedParcel{{ID: "A", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}
		t.create()
		t.alone("A", order.Picked, order.Packed, order.Labelled, order.HandedOver, order.Accepted)
		t.resolve(order.NotPicked, map[string]any{"resolution": order.CancelParcel, "reason": "sold out"})
		t.alone("A", order.Delivered)
		t.closed()
	}},
	{name: "second-attempt-seen-to", tell: func(t *tale) {
		t.create()
		t.alone("1", order.Picked, order.Packed, order.Labelled, order.HandedOver, order.Accepted, order.AttemptFailed)
		t.event("1", rig.Event{Milestone: order.AttemptFailed})
		t.until("a second attempt", func(v order.View) bool { return v.Parcels[0].Attempts == 2 })
		t.resolve(order.FailedAttempt, map[string]any{"resolution": order.Dismiss, "reason": "the buyer waits at home"})
		t.alone("1", order.Delivered)
		t.closed()
	}},
	{name: "not-received", policy: func(p *order.Policy) { p.CloseAfter = order.Duration(3 * time.Second) }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.ask("/parcels/1/not-received", map[string]any{"reason": "nothing at the door"})
		t.resolve(order.NotReceived, map[string]any{"resolution": order.Dismiss, "reason": "the neighbour had it"})
		t.closed()
	}},
	{name: "lost-then-found", policy: func(p *order.Policy) { p.CloseAfter = order.Duration(3 * time.Second) }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", order.Accepted, order.Lost)
		t.hasCase(order.LostParcel, true)
		t.alone("1", order.InTransit, order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	{name: "corrected-milestone", policy: func(p *order.Policy) { p.CloseAfter = order.Duration(3 * time.Second) }, tell: func(t *tale) {
		t.create()
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.ask("/parcels/1/milestone", map[string]any{"milestone": order.InTransit, "reason": "the buyer has nothing"})
		t.alone("1", order.OutForDelivery, order.Delivered)
		t.closed()
	}},
	// The next two end open, as most orders are when new code meets them.
	{name: "unreadable-signal", policy: func(p *order.Policy) { p.CloseAfter = order.DefaultPolicy().CloseAfter }, tell: func(t *tale) {
		t.create()
		for _, payload := range []string{`{"v":1,"items":[{"kind":"smoke","fact":{}},{"kind":"scan","fact":"no object"},null]}`, `{"v":9}`, `no JSON`} {
			t.signal(workflows.Facts, []byte(payload))
		}
		t.until("five anomalies", func(v order.View) bool { return v.Anomalies == 5 })
		t.alone("1", order.Picked, order.Packed)
	}},
	{name: "promise-passed", policy: func(p *order.Policy) { p.CloseAfter = order.DefaultPolicy().CloseAfter }, tell: func(t *tale) {
		t.order.PromisedAt = time.Now().Add(2 * time.Second)
		t.create()
		t.hasCase(order.Late, true)
		t.ask("/promise", map[string]any{"promised_at": time.Now().Add(72 * time.Hour), "reason": "agreed with the buyer"})
		t.hasCase(order.Late, false)
		t.warehouse("1")
		t.alone("1", toDelivery...)
	}},
	{name: "continued-as-new", tell: func(t *tale) {
		t.worker.Kill() // its relay would start the order with long runs
		t.post()
		if t.err == nil {
			t.err = t.StartShort(t.ctx, t.id(), 30)
		}
		t.begin()
		t.until("begun", func(v order.View) bool { return v.Seq > 0 })
		t.ask("/hold", map[string]any{"reason": "address check"})
		t.ask("/release", map[string]any{"reason": "found"})
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.closed()
	}},
	// The history is that of the second run.
	{name: "reopened-for-a-return", policy: func(p *order.Policy) { p.ReturnAutoLimit, p.RefundLimit = 10_000, 10_000 }, tell: func(t *tale) {
		t.order.Currency, t.order.Lines[0].UnitAmount = "EUR", 5000
		t.create()
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.closed()
		t.ask("/returns", map[string]any{"lines": []any{map[string]any{"sku": t.order.Lines[0].SKU, "quantity": 1, "reason": "does_not_fit", "wanted": "refund"}}})
		t.scan("R1", order.ScanReturned)
		t.until("R1 received", func(v order.View) bool { return len(v.Returns) == 1 && v.Returns[0].State == order.ReturnReceived })
		t.ask("/returns/R1/inspect", map[string]any{"findings": []any{map[string]any{"sku": t.order.Lines[0].SKU, "quantity": 1, "grade": "a_new"}}})
		t.remedy(order.Requested, func(id string) {
			t.ask("/remedies/"+id+"/end", map[string]any{"confirmed": true, "reference": "rf-1", "reason": "paid back by hand"})
		})
		t.closed()
	}},
	{name: "return-label-by-hand", policy: func(p *order.Policy) {
		p.ReturnAutoLimit, p.RefundLimit, p.CloseAfter = 10_000, 10_000, order.DefaultPolicy().CloseAfter
	}, tell: func(t *tale) {
		t.order.Currency, t.order.Lines[0].UnitAmount = "EUR", 5000
		t.create()
		t.warehouse("1")
		t.alone("1", toDelivery...)
		t.ask("/returns", map[string]any{"lines": []any{map[string]any{"sku": t.order.Lines[0].SKU, "quantity": 1, "reason": "does_not_fit", "wanted": "refund"}}})
		// No credential is for the carrier: the label is a person's to make.
		t.ask("/returns/R1/label", map[string]any{"carrier": rig.Carrier, "package": map[string]any{"weight_g": 1200}})
		t.until("the label is a person's", func(v order.View) bool {
			return len(v.Returns) == 1 && len(v.Returns[0].Bookings) == 1 && v.Returns[0].Bookings[0].State == order.BookingByHand
		})
		t.ask("/returns/R1/ship", map[string]any{"carrier": rig.Carrier, "tracking": t.tracking("R1")})
		t.says("R1", order.Accepted)
		t.until("R1 on its way", func(v order.View) bool { return v.Returns[0].State == order.ReturnInTransit })
	}},
	{name: "postgresql-away", tell: func(t *tale) {
		t.create()
		t.Postgres.Cut()
		t.tell(order.Scan{Meta: order.Meta{ID: "past-the-inbox", N: 1 << 40, By: order.Warehouse, Occurred: time.Now()}, Parcel: "1", Kind: order.ScanPicked})
		t.recorded(enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) // the local one has given up
		t.Postgres.Heal()
		t.reached("1", order.Picked)
		t.alone("1", order.Packed, order.Labelled, order.HandedOver)
		t.alone("1", toDelivery...)
		t.closed()
	}},
}

// feedIsSilent opens the fault that a feed's supervision would.
func (t *tale) feedIsSilent() {
	t.exec(`insert into faults (kind, key, title, count, opened_at, last_at) values ('silent_feed', $1, 'silent', 1, now(), now())`)
}

func (t *tale) feedIsBack() { t.exec(`delete from faults where key = $1`) }

func (t *tale) exec(sql string) {
	if t.err == nil {
		_, t.err = t.DB.Exec(t.ctx, sql, rig.Carrier)
	}
}

// begin starts the worker again.
func (t *tale) begin() {
	if t.err == nil {
		t.err = t.worker.Start()
	}
}
