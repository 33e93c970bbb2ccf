package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func shipped(number, tracking string) store.NewOrder {
	return newOrder(number, order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: tracking, Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}})
}

func TestALimitedTimelineKeepsTheNewest(t *testing.T) {
	s := storetest.New(t)
	create(t, s, shipped("1", "1Z1"))
	for _, i := range []int{3, 1, 4, 0, 2} {
		f := event(fmt.Sprint(i), "1Z1", order.AttemptFailed)
		f.OccurredAt, f.Bucket = placed.Add(time.Duration(i)*time.Hour), "weather"
		accept(t, s, f)
	}
	for name, read := range map[string]func(limit int) ([]store.Entry, error){
		"timeline": func(n int) ([]store.Entry, error) { return s.Timeline(t.Context(), "acme:1", n) },
		"moments":  func(n int) ([]store.Entry, error) { return s.Moments(t.Context(), "acme:1", n) },
	} {
		for limit, want := range map[int][]int{3: {2, 3, 4}, 10: {0, 1, 2, 3, 4}} {
			entries, err := read(limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, e := range entries {
				got = append(got, int(e.At.Sub(placed).Hours()))
				if e.Bucket != "weather" {
					t.Errorf("%s: bucket %q", name, e.Bucket)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s of %d: %v, want %v", name, limit, got, want)
			}
		}
	}
}

// A buyer's page is kept for as long as the version is the same, so everything
// that it shows must change the version.
func TestEachChangeThatABuyerMaySeeIsANewVersion(t *testing.T) {
	s := storetest.New(t)
	o := shipped("1", "1Z1")
	create(t, s, o)
	var known store.Version
	look := func() (store.Order, bool) {
		t.Helper()
		got, v, err := s.Track(t.Context(), o.TokenHash, known)
		if err != nil {
			t.Fatal(err)
		}
		changed := v != known
		if changed == (got.Spec.ID == "") {
			t.Errorf("version %+v after %+v, order %q", v, known, got.Spec.ID)
		}
		known = v
		return got, changed
	}
	st := order.New(o.Spec, 1, placed)
	for what, change := range map[string]func(){
		"a fact": func() { accept(t, s, event("a", "1Z1", order.Accepted)) },
		"a scan": func() { accept(t, s, scan("s", "acme:1", order.ScanPicked)) },
		"an order": func() {
			order.Apply(&st, order.Tick{})
			if err := s.Project(t.Context(), &st); err != nil {
				t.Fatal(err)
			}
		},
		"later": func() {
			order.Apply(&st, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: placed.Add(time.Minute)}, Parcel: "1", Kind: order.ScanPicked})
			if err := s.Project(t.Context(), &st); err != nil {
				t.Fatal(err)
			}
		},
	} {
		look()
		if _, changed := look(); changed {
			t.Errorf("before %s: another version of the same", what)
		}
		change()
		if got, changed := look(); !changed || got.Current().Spec.Number != "1" {
			t.Errorf("%s is not a new version: %+v", what, got)
		}
	}
	// An orphan that attaches comes with a number that may not be the highest.
	orphan := scan("early", "acme:2", order.ScanPicked)
	accept(t, s, orphan)
	o2 := shipped("2", "1Z2")
	create(t, s, o2)
	o, known = o2, store.Version{}
	look()
	if _, err := s.AttachOrphans(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, changed := look(); !changed {
		t.Error("an orphan that attached is not a new version")
	}
	if _, _, err := s.Track(t.Context(), []byte("nobody's"), known); err == nil {
		t.Error("found an order of nobody")
	}
}

func TestListsByEveryFilter(t *testing.T) {
	s := storetest.New(t)
	for i := range 4 {
		create(t, s, shipped(fmt.Sprint(i), fmt.Sprintf("1Z%d", i)))
	}
	st := order.New(shipped("1", "1Z1").Spec, 1, placed)
	order.Apply(&st, order.Tick{Meta: order.Meta{Applied: placed.Add(30 * 24 * time.Hour)}})
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
	kind := string(st.Cases[0].Kind)
	for _, c := range []struct {
		filter store.Filter
		want   string
	}{
		{store.Filter{}, "[3 2 1 0]"},
		{store.Filter{Limit: 2}, "[3 2]"},
		{store.Filter{Store: "acme"}, "[3 2 1 0]"},
		{store.Filter{Store: "none"}, "[]"},
		{store.Filter{Status: "received"}, "[3 2 1 0]"},
		{store.Filter{Status: "lost"}, "[]"},
		{store.Filter{Case: "any"}, "[1]"},
		{store.Filter{Case: kind}, "[1]"},
		{store.Filter{Case: "no such"}, "[]"},
		{store.Filter{Query: "2"}, "[2]"},
		{store.Filter{Query: "acme:2"}, "[2]"},
		{store.Filter{Query: "1Z2"}, "[2]"},
		{store.Filter{Query: "1Z"}, "[]"},
		{store.Filter{Before: store.Cursor{PlacedAt: placed, ID: "acme:2"}}, "[1 0]"},
		{store.Filter{Store: "acme", Status: "received", Case: kind, Query: "1Z1", Before: store.Cursor{PlacedAt: placed, ID: "acme:3"}}, "[1]"},
		{store.Filter{Store: "acme", Status: "received", Case: kind, Query: "1Z1", Before: store.Cursor{PlacedAt: placed, ID: "acme:1"}}, "[]"},
	} {
		list, err := s.Orders(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		numbers := []string{}
		for _, o := range list {
			numbers = append(numbers, o.Number)
		}
		if fmt.Sprint(numbers) != c.want {
			t.Errorf("%+v: %v, want %v", c.filter, numbers, c.want)
		}
	}
}

func TestOpenOrdersAreEachSeenOnce(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	// More than two pages, a third of them closed.
	const all = 1800
	if _, err := c.Exec(t.Context(), `insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at, closed)
        select 'acme:' || lpad(i::text, 5, '0'), 'acme', i::text, json_build_object('id', 'acme:' || lpad(i::text, 5, '0')), '', i::text::bytea, '', 'routine', now(), i % 3 = 0
        from generate_series(1, $1) i`, all); err != nil {
		t.Fatal(err)
	}
	last, n := "", 0
	if err := s.EachOpen(t.Context(), func(o store.Order) error {
		if n++; o.Spec.ID <= last {
			t.Fatalf("%s after %s", o.Spec.ID, last)
		}
		last = o.Spec.ID
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != all*2/3 {
		t.Errorf("%d of %d", n, all*2/3)
	}
	enough := errors.New("enough")
	if err := s.EachOpen(t.Context(), func(store.Order) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}
