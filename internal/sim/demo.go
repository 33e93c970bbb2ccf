package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// DemoOptions say where the demo plays and how lively it is.
type DemoOptions struct {
	BaseURL string
	Keys    Keys
	Key     string // instead of Keys: one that may do everything
	Log     *slog.Logger
	// Day is how long a day of the living orders takes, default 5 minutes: they
	// go from shelf to door in three or four. Rules keep their real days.
	Day time.Duration
}

// Demo fills the system with a small cast of orders and keeps some of them
// moving until ctx ends. What is there already stays: a second start only adds
// what is missing and goes on.
func Demo(ctx context.Context, o DemoOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Day == 0 {
		o.Day = 5 * time.Minute
	}
	if o.Keys == nil {
		o.Keys = Keys{roleAdmin: o.Key}
	}
	client, err := NewClient(o.BaseURL, o.Keys)
	if err != nil {
		return err
	}
	client.Patience = 24 * time.Hour // a demo waits for its server
	d := &demo{client: client, log: o.Log, day: o.Day}
	err = d.fill(ctx, time.Now().UTC())
	if err == nil {
		err = d.live(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type demo struct {
	client *Client
	log    *slog.Logger
	day    time.Duration
}

// fill makes the brands and whatever of the cast is missing.
func (d *demo) fill(ctx context.Context, now time.Time) error {
	for _, b := range brands {
		if err := d.client.PutStore(ctx, b.store, storeRequest{Name: b.name, BrandColor: b.color, SupportEmail: "help@" + b.store + ".example.com"}); err != nil {
			return err
		}
	}
	have, err := d.orders(ctx)
	if err != nil {
		return err
	}
	made := 0
	for _, r := range cast {
		if _, there := have[r.id()]; there {
			continue
		}
		if err := d.stage(ctx, r, now); err != nil {
			return fmt.Errorf("demo order %s: %w", r.id(), err)
		}
		made++
	}
	if made > 0 {
		d.log.Info("the demo is set", "orders", made)
	}
	return nil
}

// orders of all brands, by ID.
func (d *demo) orders(ctx context.Context) (map[string]Listed, error) {
	have := map[string]Listed{}
	for _, b := range brands {
		list, err := d.client.List(ctx, b.store)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			have[l.ID] = l
		}
	}
	return have, nil
}

// stage creates one order and tells its story so far.
func (d *demo) stage(ctx context.Context, r role, now time.Time) error {
	rest := len(r.story) - r.before
	if err := d.tell(ctx, r, r.story[rest:], now); err != nil {
		return err
	}
	if _, err := d.client.CreateOrder(ctx, r.request(now)); err != nil {
		return err
	}
	if err := d.tell(ctx, r, r.story[:rest], now); err != nil {
		return err
	}
	switch r.then {
	case "hold":
		return d.client.Hold(ctx, r.id(), r.why)
	case "cancel":
		return d.client.Cancel(ctx, r.id(), r.why)
	}
	return nil
}

// tell posts beats in their order: scans and carrier events through their own
// doors, as they would come.
func (d *demo) tell(ctx context.Context, r role, story []beat, now time.Time) error {
	for i, b := range story {
		at := now.Add(-hours(b.ago)).Truncate(time.Second)
		carrier := r.carrierOf(b.parcel)
		number := trackingNumber(carrier, r.id(), b.parcel)
		id := fmt.Sprintf("demo-%s-%s-%d-%s%s", strings.ReplaceAll(r.id(), ":", "-"), b.parcel, i, b.scan, b.says)
		var results []itemResult
		var err error
		if b.scan != "" {
			s := ScanItem{ID: id, Kind: b.scan, Order: r.id(), Parcel: b.parcel, OccurredAt: at, Location: b.place}
			if b.scan == order.ScanLabelled {
				s.Carrier, s.Tracking = carrier, number
			}
			results, err = d.client.PostScans(ctx, []ScanItem{s})
		} else {
			e := CarrierItem{ID: id, Tracking: number, Milestone: b.says, Physical: physical(b.says), Bucket: b.bucket, Description: b.text, Location: b.place, OccurredAt: at}
			if b.eta != 0 {
				e.ETA = now.Add(hours(b.eta)).Truncate(time.Minute)
			}
			results, err = d.client.PostEvents(ctx, carrier, []CarrierItem{e})
		}
		if err != nil {
			return err
		}
		if len(results) > 0 && results[0].Result == resultRejected {
			return errors.New("event " + id + " was rejected: " + results[0].Field + " " + results[0].Reason)
		}
	}
	return nil
}

// physical: all but what carriers say from their desks.
func physical(m order.Milestone) bool {
	return m.Stage() > order.Preparing && m != order.Lost && m != order.Destroyed
}

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// trackingNumber looks like one of that carrier's and belongs to nobody: always
// the same for the same parcel.
func trackingNumber(carrier, id, parcel string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id + "/" + parcel))
	n := h.Sum64()
	switch carrier {
	case "ups":
		return fmt.Sprintf("1Z999AA1%010d", n%1e10) // 999AA1 is the shipper of UPS's own examples
	case "dhl":
		return fmt.Sprintf("JD0140%012d", n%1e12)
	case "fedex":
		return fmt.Sprintf("7999%08d", n%1e8)
	}
	return fmt.Sprintf("SIM%010d", n%1e10)
}

// DemoStores are the brands whose orders the demo owns.
func DemoStores() []string {
	ids := make([]string, len(brands))
	for i, b := range brands {
		ids[i] = b.store
	}
	return ids
}
