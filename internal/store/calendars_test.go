package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// calendared is a policy that came of a file that was read in a year.
func calendared(name string, year int) order.PolicyBook {
	b := order.PolicyBook{Policy: order.DefaultPolicy(), Source: fmt.Sprintf("read in %d", year)}
	b.Name = name
	b.Calendars = []order.Calendar{{Name: "desk", Zone: "UTC", Week: [7]order.Hours{1: {Open: 8 * 60, Close: 17 * 60}},
		Offsets: []order.Offset{{From: time.Date(year-order.CalendarYearsBefore, 1, 1, 0, 0, 0, 0, time.UTC)}}}}
	return b
}

func TestOpsHearBeforeCalendarsEnd(t *testing.T) {
	s, ctx := storetest.New(t), t.Context()
	// Applied versions are judged by the database's clock, so the years are its own.
	year := time.Now().UTC().Year()
	end := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(order.CalendarYearsAfter+1, 0, 0)
	put := func(b order.PolicyBook) {
		t.Helper()
		if _, err := s.PutPolicy(ctx, b, "ops:ann"); err != nil {
			t.Fatal(err)
		}
	}
	place := func(number, policy string, at time.Time) {
		t.Helper()
		p := order.DefaultPolicy()
		p.Name = policy
		spec := order.Spec{ID: "acme:" + number, Store: "acme", Number: number, Class: order.Routine, PlacedAt: at, Policy: p, Lines: []order.Line{{SKU: "tea", Quantity: 1}}}
		if _, err := s.CreateOrder(ctx, store.NewOrder{Spec: spec, TokenHash: []byte(number), RequestHash: []byte(number)}); err != nil {
			t.Fatal(err)
		}
	}
	watch := func(now time.Time, want ...string) []store.Fault {
		t.Helper()
		if err := s.WatchCalendars(ctx, now); err != nil {
			t.Fatal(err)
		}
		open, err := s.Faults(ctx, true, store.FaultCursor{}, 10)
		var have []string
		for _, f := range open {
			have = append(have, string(f.Kind)+" "+f.Key)
		}
		if err != nil || strings.Join(have, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: %v, want %v; %v", now, have, want, err)
		}
		return open
	}
	for _, name := range []string{"shop", "idle", "fresh"} {
		put(calendared(name, year))
	}
	plain := order.PolicyBook{Policy: order.DefaultPolicy(), Source: "no calendars"}
	plain.Name = "plain"
	put(plain)
	soon := end.AddDate(0, 0, -60)
	for i, name := range []string{"shop", "plain", "default"} {
		place(fmt.Sprint(i), name, soon.AddDate(0, 0, -1))
	}
	place("old", "idle", soon.AddDate(0, 0, -91))

	watch(soon.Add(-time.Second))
	open := watch(soon, "calendar_ends shop") // one policy has no orders, one none lately
	if f := open[0]; !strings.HasSuffix(f.Title, fmt.Sprintf("end on %d-12-31", end.Year()-1)) || f.Owner != "ops" || !strings.Contains(f.Sample, "version 1") {
		t.Errorf("%+v", f)
	}
	if open := watch(soon.AddDate(0, 0, 1), "calendar_ends shop"); len(open) == 1 && open[0].Count != 1 {
		t.Errorf("counted every night: %+v", open[0])
	}
	// A newer version with the old calendars, as a learned rhythm makes one, is no help.
	same := calendared("shop", year-order.CalendarYearsAfter-1)
	same.Pick = order.Duration(time.Hour)
	put(same)
	watch(soon, "calendar_ends shop")
	put(calendared("shop", year))
	open, err := s.Faults(ctx, true, store.FaultCursor{}, 10)
	if err != nil || len(open) != 0 {
		t.Errorf("applied again: %+v, %v", open, err)
	}
	// Whoever closes it by hand is not told of the same end again.
	later := end.AddDate(0, 0, -10)
	all, err := s.Faults(ctx, false, store.FaultCursor{}, 10)
	if err != nil || len(all) != 1 || all[0].ClosedBy != "engine" || all[0].Resolution != "version 3 was applied" {
		t.Fatalf("%+v, %v", all, err)
	}
	place("new", "fresh", later)
	watch(later, "calendar_ends shop", "calendar_ends fresh") // shop's was applied in the same year here
	if _, err := s.CloseFault(ctx, store.CalendarEnds, "fresh", "ops:ann", "known", later); err != nil {
		t.Fatal(err)
	}
	watch(later, "calendar_ends shop")
	// A version of old calendars is seen in the next night.
	past := calendared("fresh", year-order.CalendarYearsAfter-1)
	put(past)
	place("now", "fresh", time.Now())
	watch(time.Now(), "calendar_ends fresh") // shop's is closed: it is far from its end now
}
