package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
)

// TestABurstOfCarriersPushesLosesNothing posts mixed pushes of real shape, signed
// as the carriers sign them: 20 % of the events come twice, 10 % out of order,
// 5 % name parcels that nobody knows. Meanwhile processes are killed. 4,000
// events here, 50,000 in `make soak`.
func TestABurstOfCarriersPushesLosesNothing(t *testing.T) {
	events := 4_000
	if os.Getenv("WAYBILL_SOAK") != "" {
		events = 50_000
	}
	s := open(t, "push")
	b := newBurst(s, events)
	for _, p := range b.parcels {
		if p.order != "" {
			o := s.newOrder(strings.TrimPrefix(p.order, s.store+":"))
			o.Parcels = []order.PlannedParcel{{ID: "1", Carrier: p.carrier, Tracking: p.tracking, Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}
			s.create(o)
		}
	}

	crashes := s.crashes()
	fallen := make(chan struct{})
	go func() { // at every eighth of the way, whatever the machine's speed
		defer close(fallen)
		for n := range 8 {
			if rig.WaitFor(s.ctx, 10*time.Minute, func(context.Context) error {
				if int(b.done.Load()) < (n+1)*len(b.calls)/9 {
					return errors.New("not there yet")
				}
				return nil
			}) != nil {
				return // the burst failed, and says why
			}
			if c := crashes[n%len(crashes)]; c.do() != nil {
				s.Errorf("%s did not come back", c.name)
			}
		}
	}()
	began := time.Now()
	b.post()
	if t.Failed() {
		return
	}
	<-fallen
	t.Logf("%d events in %d calls within %s, 8 crashes; the last answer of each call: %d accepted, %d duplicate, %d orphan",
		b.events, len(b.calls), time.Since(began).Round(time.Millisecond), b.accepted.Load(), b.duplicate.Load(), b.orphan.Load())
	b.check()
	s.agrees()
}

const perParcel = 30

// parcel is one that the burst tells of; without an order nobody knows it.
type parcel struct {
	order, carrier, tracking string
}

// call is one delivery of a carrier.
type call struct {
	path   string
	header []string
	body   []byte
	events int
}

type burst struct {
	*shop
	events  int
	parcels []parcel
	calls   []call
	lanes   [][]call // what is told of a parcel comes in one lane, in the order of the lane

	done, accepted, duplicate, orphan atomic.Int64
}

func newBurst(s *shop, events int) *burst {
	b := &burst{shop: s, events: events, lanes: make([][]call, 16)}
	dice := rand.New(rand.NewPCG(uint64(events), 7))
	known, orphans := events*75/100/perParcel, events*5/100/perParcel
	for i := range known + orphans {
		carrier := []string{"ups", "fedex", "usps", rig.Carrier}[i%4]
		p := parcel{carrier: carrier, tracking: fmt.Sprintf("%s%06d", strings.ToUpper(strings.ReplaceAll(s.store, "-", "")), i)}
		if i < known {
			p.order = fmt.Sprintf("%s:%d", s.store, i)
		}
		b.parcels = append(b.parcels, p)
		told := story(i)
		for range perParcel / 10 { // 10 % out of order
			k := 1 + dice.IntN(len(told)-1)
			told[k-1], told[k] = told[k], told[k-1]
		}
		lane := &b.lanes[i%len(b.lanes)]
		var repeats []call
		again := 0
		for len(told) > 0 {
			n := 1
			if carrier != "ups" { // a Track Alert is one event
				n = min(len(told), 1+dice.IntN(5))
			}
			c := b.call(p, told[:n])
			told = told[n:]
			*lane = append(*lane, c)
			// 20 % of all events are repeats: 8 for 30, of calls of this parcel.
			if again < perParcel*20/75 {
				again += c.events
				repeats = append(repeats, c)
			}
		}
		*lane = append(*lane, repeats...)
	}
	for _, l := range b.lanes {
		b.calls = append(b.calls, l...)
	}
	b.events = 0
	for _, c := range b.calls {
		b.events += c.events
	}
	return b
}

type told struct {
	milestone order.Milestone
	at        time.Time
	city      string
}

// story is a parcel's way, an event every quarter of an hour until a while ago.
func story(parcel int) []told {
	list := make([]told, perParcel)
	at := time.Now().UTC().Truncate(time.Minute).Add(-12 * time.Hour)
	for i := range list {
		list[i] = told{order.InTransit, at.Add(time.Duration(i) * 15 * time.Minute), fmt.Sprintf("City %d %d", parcel%97, i)}
	}
	list[0].milestone = order.Accepted
	list[perParcel-2].milestone, list[perParcel-1].milestone = order.OutForDelivery, order.Delivered
	return list
}

// call writes events as the carrier of a parcel pushes them.
func (b *burst) call(p parcel, events []told) call {
	c := call{events: len(events)}
	var body any
	switch p.carrier {
	case "ups":
		e := events[0]
		code := map[order.Milestone]string{order.Accepted: "038", order.InTransit: "005", order.OutForDelivery: "021", order.Delivered: "011"}[e.milestone]
		body = map[string]any{"trackingNumber": p.tracking, "localActivityDate": e.at.Format("20060102"), "localActivityTime": e.at.Format("150405"),
			"gmtActivityDate": e.at.Format("20060102"), "gmtActivityTime": e.at.Format("150405"), "gmtOffset": "00.00",
			"activityLocation": map[string]any{"city": e.city, "country": "US"}, "activityStatus": map[string]any{"type": "I", "code": "XX", "description": "Moved", "descriptionCode": code}}
		c.path, c.header = "/webhooks/ups", []string{"Credential", rig.WebhookSecret}
	case "fedex":
		var scans []map[string]any
		for _, e := range events {
			code := map[order.Milestone]string{order.Accepted: "PU", order.InTransit: "IT", order.OutForDelivery: "OD", order.Delivered: "DL"}[e.milestone]
			scans = append(scans, map[string]any{"date": e.at.Format(time.RFC3339), "eventType": code, "derivedStatusCode": code, "eventDescription": "Moved",
				"scanLocation": map[string]any{"city": e.city, "countryCode": "US"}})
		}
		body = map[string]any{"completeTrackResults": []any{map[string]any{"trackingNumber": p.tracking, "trackResults": []any{map[string]any{
			"trackingNumberInfo": map[string]any{"trackingNumber": p.tracking}, "scanEvents": scans}}}}}
		c.path = "/webhooks/fedex"
	case "usps": // through EasyPost
		var details []map[string]any
		for _, e := range events {
			status, detail := "in_transit", "arrived_at_facility"
			switch e.milestone {
			case order.Accepted:
				detail = "received_at_origin_facility"
			case order.OutForDelivery:
				status, detail = "out_for_delivery", "out_for_delivery"
			case order.Delivered:
				status, detail = "delivered", "arrived_at_destination"
			}
			details = append(details, map[string]any{"object": "TrackingDetail", "message": "Moved", "status": status, "status_detail": detail,
				"datetime": e.at.Format(time.RFC3339), "datetime_local": e.at.Format("2006-01-02T15:04:05"), "tracking_location": map[string]any{"city": e.city, "country": "US"}})
		}
		body = map[string]any{"object": "Event", "description": "tracker.updated", "result": map[string]any{"object": "Tracker", "tracking_code": p.tracking,
			"status": "in_transit", "carrier": "USPS", "tracking_details": details}}
		c.path = "/webhooks/easypost"
	default:
		var list []rig.Event
		for _, e := range events {
			list = append(list, rig.Event{ID: p.tracking + e.at.Format("-150405"), Tracking: p.tracking, Milestone: e.milestone, Location: e.city, OccurredAt: e.at})
		}
		body = map[string]any{"events": list}
		c.path, c.header = "/v1/carriers/"+rig.Carrier+"/events", []string{"Authorization", "Bearer " + b.API.Keys["carrier"]}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	c.body = raw
	mac := hmac.New(sha256.New, []byte(rig.WebhookSecret))
	mac.Write(raw)
	switch p.carrier {
	case "fedex":
		c.header = []string{"Fdx-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	case "usps":
		c.header = []string{"X-Hmac-Signature", "hmac-sha256-hex=" + hex.EncodeToString(mac.Sum(nil))}
	}
	return c
}

// post delivers everything, as carriers do: again, until it is acknowledged.
func (b *burst) post() {
	b.Helper()
	var wg sync.WaitGroup
	for _, lane := range b.lanes {
		wg.Go(func() {
			for _, c := range lane {
				if err := rig.WaitFor(b.ctx, patience, func(context.Context) error { return b.deliver(c) }); err != nil {
					b.Errorf("%s: %v", c.path, err)
					return
				}
				b.done.Add(1)
			}
		})
	}
	wg.Wait()
}

func (b *burst) deliver(c call) error {
	req, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.API.Base+c.path, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(c.header); i += 2 {
		req.Header.Set(c.header[i], c.header[i+1])
	}
	a, err := b.API.Send(req)
	if err != nil {
		return err
	}
	if !a.OK() {
		return errors.New(a.String())
	}
	var n struct{ Accepted, Duplicate, Orphan, Rejected, Unmapped int64 }
	if err := a.Into(&n); err != nil {
		return err
	}
	if n.Rejected+n.Unmapped > 0 || n.Accepted+n.Duplicate+n.Orphan != int64(c.events) {
		b.Errorf("%s: %s for %d events", c.path, a, c.events)
	}
	b.accepted.Add(n.Accepted)
	b.duplicate.Add(n.Duplicate)
	b.orphan.Add(n.Orphan)
	return nil
}

// check: each event once, with its own order or, if nobody knows the parcel,
// with none; and each order got to its end.
func (b *burst) check() {
	b.Helper()
	type row struct {
		Tracking             string
		Events, Placed, Told int
		Order                string
		Orders               int
	}
	rows, err := b.DB.Query(b.ctx, `select tracking, count(*), count(order_id), count(sent_at), coalesce(min(order_id), ''), count(distinct order_id)
from inbox where kind = 'carrier_event' and tracking like $1 group by tracking`, strings.ToUpper(strings.ReplaceAll(b.store, "-", ""))+"%")
	if err != nil {
		b.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		b.Fatal(err)
	}
	have := map[string]row{}
	for _, r := range found {
		have[r.Tracking] = r
	}
	if len(have) != len(b.parcels) {
		b.Errorf("events of %d parcels, want %d", len(have), len(b.parcels))
	}
	for _, p := range b.parcels {
		want := row{Tracking: p.tracking, Events: perParcel}
		if p.order != "" {
			want.Placed, want.Order, want.Orders = perParcel, p.order, 1
		}
		got := have[p.tracking]
		got.Told = 0 // what rides along may still wait; agrees() looks at the rest
		if got != want {
			b.Errorf("%s of %s: %+v, want %+v", p.tracking, p.carrier, got, want)
		}
		if p.order != "" {
			b.becomesStatus(p.order, order.StatusDelivered)
		}
	}
}
