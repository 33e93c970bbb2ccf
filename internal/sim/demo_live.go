package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

const (
	maxDemoOrders = 60 // in all; then the last ones arrive and it is quiet
	demoMoving    = 6  // living orders under way, while there is room for more
)

// live moves a living order on, every few seconds to a minute. It remembers
// nothing: each time it asks the system where the orders are, so it can be
// stopped and started, and two of them do no harm.
func (d *demo) live(ctx context.Context) error {
	quiet := false
	for {
		pace := min(max(d.day/20+rand.N(d.day/8+1), 3*time.Second), time.Minute)
		if err := sleep(ctx, pace); err != nil {
			return err
		}
		have, err := d.orders(ctx)
		if err != nil {
			return err
		}
		var moving []string
		for id, l := range have {
			if living(l.Number) && !settled(l.Status) && !l.OnHold {
				moving = append(moving, id)
			}
		}
		switch {
		case len(moving) < demoMoving && len(have) < maxDemoOrders && (len(moving) == 0 || rand.N(2) == 0):
			err = d.place(ctx, have)
		case len(moving) > 0:
			err = d.move(ctx, moving[rand.N(len(moving))])
		case !quiet:
			quiet = true
			d.log.Info("the demo has played out: every living order has arrived", "orders", len(have))
		}
		if err != nil {
			if ctx.Err() != nil || isStatus(err, 401) || isStatus(err, 403) {
				return err
			}
			// Somebody plays with the order by hand, perhaps. The show goes on.
			d.log.Warn("a demo order does not move", "error", err)
		}
	}
}

// living orders are those numbered from 2001 on.
func living(number string) bool {
	_, n, _ := strings.Cut(number, "-")
	return n >= "2000" && n < "3000"
}

func settled(s order.Status) bool {
	switch s {
	case order.StatusDelivered, order.StatusCancelled, order.StatusReturned, order.StatusLost:
		return true
	case order.StatusReceived, order.StatusPreparing, order.StatusPartiallyShipped, order.StatusShipped, order.StatusPartiallyDelivered, order.StatusReturning:
		return false
	}
	return false
}

// place creates a new living order, now.
func (d *demo) place(ctx context.Context, have map[string]Listed) error {
	b := rand.N(len(brands))
	r := role{brand: b, buyer: rand.N(len(buyers)), goods: []int{rand.N(len(brands[b].goods))}, promised: float64(48 + 24*rand.N(4))}
	if other := rand.N(len(brands[b].goods)); other != r.goods[0] && rand.N(3) == 0 {
		r.goods, r.split = append(r.goods, other), true
	}
	for n := 2001; ; n++ {
		r.number = fmt.Sprintf("%s-%d", brands[b].prefix, n)
		if _, taken := have[r.id()]; !taken {
			break
		}
	}
	if _, err := d.client.CreateOrder(ctx, r.request(time.Now().UTC())); err != nil {
		return err
	}
	d.log.Debug("a new demo order", "order", r.id())
	return nil
}

// move lets the next thing happen to one parcel of an order.
func (d *demo) move(ctx context.Context, id string) error {
	v, err := d.client.Order(ctx, id, false)
	if err != nil {
		return err
	}
	var open []order.ParcelView
	for _, p := range v.Parcels {
		if !p.Milestone.Settled() {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return nil
	}
	p := open[rand.N(len(open))]
	brand := brands[0]
	for _, b := range brands {
		if b.store == v.Store {
			brand = b
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	// Chosen once; the client keeps it through all its tries.
	event := fmt.Sprintf("demo-%s-%s-%d", v.Number, p.ID, now.UnixMilli())
	carrier := p.Carrier
	if carrier == "" {
		carrier = brand.carriers[hash(id+p.ID)%len(brand.carriers)]
	}
	var results []itemResult
	if kind := nextScan(p.Milestone); kind != "" {
		s := ScanItem{ID: event, Kind: kind, Order: id, Parcel: p.ID, OccurredAt: now, Location: brand.warehouse}
		if kind == order.ScanLabelled {
			s.Carrier, s.Tracking = carrier, trackingNumber(carrier, id, p.ID)
		}
		results, err = d.client.PostScans(ctx, []ScanItem{s})
	} else {
		e := nextEvent(p.Milestone, rand.Float64())
		e.ID, e.Tracking, e.OccurredAt = event, p.Tracking, now
		if e.Location == "" {
			e.Location = towns[rand.N(len(towns))]
		}
		e.Physical = true
		results, err = d.client.PostEvents(ctx, carrier, []CarrierItem{e})
	}
	if err == nil && len(results) == 1 && results[0].Result == resultRejected {
		err = fmt.Errorf("%s: %s was rejected: %s %s", id, event, results[0].Field, results[0].Reason)
	}
	return err
}

// nextScan is what the warehouse does next; empty once the carrier has to act.
func nextScan(m order.Milestone) order.ScanKind {
	switch m {
	case order.Expected:
		return order.ScanPicked
	case order.Picked:
		return order.ScanPacked
	case order.Packed:
		return order.ScanLabelled
	case order.Labelled:
		return order.ScanHandedOver
	default:
		return ""
	}
}

// nextEvent is what the carrier says next, by chance x in [0, 1).
func nextEvent(m order.Milestone, x float64) CarrierItem {
	say := func(m order.Milestone, text string) CarrierItem { return CarrierItem{Milestone: m, Description: text} }
	switch m {
	case order.HandedOver:
		return say(order.Accepted, "Accepted")
	case order.InTransit:
		switch {
		case x < 0.45:
			return say(order.InTransit, "Arrived at facility")
		case x < 0.50:
			e := say(order.InCustoms, "Held for clearance")
			e.Bucket = "customs"
			return e
		case x < 0.57:
			return say(order.ReadyForPickup, "Ready for pickup")
		}
		return say(order.OutForDelivery, "On the vehicle")
	case order.OutForDelivery:
		if x < 0.12 {
			e := say(order.AttemptFailed, "Nobody at home")
			e.Bucket = "recipient_unavailable"
			return e
		}
		return say(order.Delivered, "Left at the front door")
	case order.ReadyForPickup:
		return say(order.Delivered, "Collected by the buyer")
	case order.AttemptFailed:
		return say(order.OutForDelivery, "On the vehicle again")
	case order.Returning:
		return say(order.Returned, "Back with the sender")
	default:
		return say(order.InTransit, "Departed facility")
	}
}

var towns = []string{"Salt Lake City, UT", "Cheyenne, WY", "Omaha, NE", "Des Moines, IA", "Kansas City, MO", "Memphis, TN", "Louisville, KY", "Denver, CO"}
