package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/waybillhq/waybill/order"
)

// step is one event of the life that every engine runs.
type step struct {
	scan      order.ScanKind  // a warehouse scan, or
	milestone order.Milestone // a carrier event
	eta       bool            // it moves the ETA
	matters   bool            // it can change a milestone, a case or the ETA
	message   bool            // the buyer is told
}

// life: 6 warehouse scans and 25 carrier scans, 9 of which matter, 5 messages;
// a failed attempt on the way, delivered in the end.
var life = func() []step {
	routine := func(n int) []step {
		s := make([]step, n)
		for i := range s {
			s[i] = step{milestone: order.InTransit}
		}
		return s
	}
	l := []step{
		{scan: order.ScanReceived}, {scan: order.ScanPicked, matters: true}, {scan: order.ScanPacked, matters: true}, {scan: order.ScanSorted},
		{scan: order.ScanLabelled, matters: true}, {scan: order.ScanHandedOver, matters: true},
		{milestone: order.Accepted, matters: true, message: true}, {milestone: order.InTransit, matters: true},
	}
	l = append(l, routine(6)...)
	l = append(l, step{milestone: order.InCustoms, matters: true}, step{milestone: order.InTransit, matters: true})
	l = append(l, routine(5)...)
	l = append(l, step{milestone: order.InTransit, eta: true, matters: true, message: true})
	l = append(l, routine(5)...)
	return append(l, step{milestone: order.OutForDelivery, matters: true, message: true}, step{milestone: order.AttemptFailed, matters: true, message: true},
		step{milestone: order.OutForDelivery, matters: true}, step{milestone: order.Delivered, matters: true, message: true})
}()

func (b *bench) post(ctx context.Context, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return b.postRaw(ctx, path, raw)
}

func (b *bench) postRaw(ctx context.Context, path string, raw []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+b.key)
	r.Header.Set("Content-Type", "application/json")
	res, err := b.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		msg, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return fmt.Errorf("%s: %s: %s", path, res.Status, msg)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

type object map[string]any

func tracking(number string) string { return "BENCH" + upper(number) }

func upper(s string) string { return string(bytes.ToUpper([]byte(s))) }

func (b *bench) create(ctx context.Context, number string) error {
	return b.post(ctx, "/v1/orders", object{"store": "bench", "number": number, "policy": "bench", "promised_at": time.Now().Add(5 * 24 * time.Hour).UTC().Format(time.RFC3339),
		"customer": object{"name": "A Buyer", "email": "buyer@bench.example", "phone": "+12025550123"}, "ship_to": object{"name": "A Buyer", "street": "1 Road", "city": "Town", "postal_code": "1000", "country": "US"},
		"lines":   []object{{"sku": "SKU-1", "quantity": 2}},
		"parcels": []object{{"id": "1", "carrier": "sim", "tracking": tracking(number), "lines": []object{{"sku": "SKU-1", "quantity": 2}}}}})
}

// item is a step as the API takes it, and whether it goes to the scans.
func item(number string, i int, s step) (o object, scan bool) {
	o = object{"id": fmt.Sprintf("%s-%d", number, i), "occurred_at": time.Now().Add(time.Duration(i) * time.Millisecond).UTC().Format(time.RFC3339Nano)}
	if s.scan != "" {
		o["kind"], o["order"] = s.scan, "bench:"+number
		if s.scan == order.ScanLabelled {
			o["carrier"], o["tracking"] = "sim", tracking(number)
		}
		return o, true
	}
	o["milestone"], o["tracking"], o["location"] = s.milestone, tracking(number), "Hub 7"
	if s.eta {
		o["eta"] = time.Now().Add(3 * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
	return o, false
}

// burst posts an order and its whole life at once, and waits for its end.
func (b *bench) burst(ctx context.Context, number string) error {
	if err := b.create(ctx, number); err != nil {
		return err
	}
	var scans, events []object
	for i, s := range life {
		if o, scan := item(number, i, s); scan {
			scans = append(scans, o)
		} else {
			events = append(events, o)
		}
	}
	if err := b.post(ctx, "/v1/scans", object{"scans": scans}); err != nil {
		return err
	}
	if err := b.post(ctx, "/v1/carriers/sim/events", object{"events": events}); err != nil {
		return err
	}
	return b.ear.wait(ctx, "bench:"+number, len(life), true)
}

// alone posts one event at a time and goes on once the order has applied it.
// Routine scans ride along: nobody waits for them.
func (b *bench) alone(ctx context.Context, number string) error {
	if err := b.create(ctx, number); err != nil {
		return err
	}
	for i, s := range life {
		if err := b.step(ctx, number, i, s); err != nil {
			return err
		}
		if s.matters {
			if err := b.ear.wait(ctx, "bench:"+number, i+1, false); err != nil {
				return err
			}
		}
	}
	return b.ear.wait(ctx, "bench:"+number, len(life), true)
}

func (b *bench) step(ctx context.Context, number string, i int, s step) error {
	o, scan := item(number, i, s)
	if scan {
		return b.post(ctx, "/v1/scans", object{"scans": []object{o}})
	}
	return b.post(ctx, "/v1/carriers/sim/events", object{"events": []object{o}})
}
