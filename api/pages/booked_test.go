package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestTheBuyerSeesWhenFreightComes(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	told := func(h int, what string, from, to time.Time) store.Entry {
		return store.Entry{At: at(h), Kind: string(store.KindCarrierEvent), Parcel: "1", Appointment: &store.Appointment{For: what, Earliest: from, Latest: to}}
	}
	for name, c := range map[string]struct {
		entries []store.Entry
		want    string
	}{
		"none":              {nil, ""},
		"a window":          {[]store.Entry{told(-9, "delivery", at(20), at(22))}, "Thursday 5 March, 08:00–10:00 UTC"},
		"a moment":          {[]store.Entry{told(-9, "delivery", at(20), at(20))}, "Thursday 5 March, 08:00 UTC"},
		"an open end":       {[]store.Entry{told(-9, "delivery", at(20), time.Time{})}, "from Thursday 5 March, 08:00 UTC"},
		"an open beginning": {[]store.Entry{told(-9, "delivery", time.Time{}, at(20))}, "by Thursday 5 March, 08:00 UTC"},
		"over midnight":     {[]store.Entry{told(-9, "delivery", at(10), at(20))}, "Wednesday 4 March, 22:00 – Thursday 5 March, 08:00 UTC"},
		"moved":             {[]store.Entry{told(-9, "delivery", at(20), at(22)), told(-2, "delivery", at(44), at(46)), told(-8, "delivery", at(30), at(31))}, "Friday 6 March, 08:00–10:00 UTC"},
		"over":              {[]store.Entry{told(-9, "delivery", at(-4), at(-2))}, ""},
		"a pickup":          {[]store.Entry{told(-9, "pickup", at(20), at(22))}, ""},
	} {
		if got := booked(c.entries, lens{t: english, now: now, home: time.UTC}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	berlin := time.FixedZone("+01:00", 3600)
	if got := booked([]store.Entry{told(-9, "delivery", at(20), at(22))}, lens{t: english, now: now, home: berlin, known: true}); got != "Thursday 5 March, 09:00–11:00" {
		t.Error(got)
	}

	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", PlacedAt: at(-72), Lines: []order.Line{{SKU: "stove", Quantity: 1}}, Policy: order.DefaultPolicy(),
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "edi214", Tracking: "PRO-1", Lines: []order.Allocation{{SKU: "stove", Quantity: 1}}}}}
	st := order.New(spec, order.CurrentRules, at(-72))
	held := told(-9, "delivery", at(20), at(22))
	held.Held = "name, photo"
	draw := func() string {
		var page strings.Builder
		for _, g := range trackPageOf(english, store.Order{Spec: spec, State: &st}, []store.Entry{held}, brand{Name: "Acme"}, now).Groups {
			for _, k := range g.Parcels {
				page.WriteString(k.Booked)
			}
		}
		return page.String()
	}
	if got := draw(); !strings.HasPrefix(got, "Thursday 5 March") {
		t.Errorf("%q", got)
	}
	order.Apply(&st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: at(-1), Received: at(-1), Applied: at(-1)}, Parcel: "1", Milestone: order.Delivered, Physical: true})
	if got := draw(); got != "" {
		t.Errorf("delivered, but %q", got)
	}
	if r := entryOf(held, now); !strings.Contains(r.Text, "delivery appointment Thursday 5 March, 08:00–10:00 UTC") || !strings.Contains(r.Text, "proof at the carrier: name, photo") {
		t.Errorf("the console says %q", r.Text)
	}
}
