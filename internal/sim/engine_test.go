package sim

import (
	"cmp"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

// dataDir is the real data set; without it a test says so and is skipped.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := "../../../shared/data/olist"
	if os.Getenv("WAYBILL_DATA") != "" {
		dir = defaultData()
	}
	if _, err := os.Stat(dir + "/" + ordersFile); err != nil {
		t.Skipf("the Olist data set is not in %s; set WAYBILL_DATA to the folder that holds it", dir)
	}
	return dir
}

func realSales(t testing.TB, limit int) []Sale {
	t.Helper()
	dir := dataDir(t)
	loadOnce.Do(func() { loaded, loadErr = LoadOlist(dir, 0, 0) })
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	if limit == 0 {
		return loaded
	}
	return loaded[:limit]
}

var (
	loadOnce sync.Once
	loaded   []Sale
	loadErr  error
)

var testStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testOptions() PlanOptions {
	return PlanOptions{Store: "olist", Seed: 1, Day: time.Second, Start: testStart, Carriers: []string{"sim", "sim-express"}}
}

// moment reads "2017-03-04 10:00" of the data set.
func moment(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

// sale is a hand-made row: times as in moment.
func sale(id, status, purchase, approved, carrier, delivered, promised string) Sale {
	return Sale{ID: id, Status: status, Purchase: moment(purchase), Approved: moment(approved), Carrier: moment(carrier), Delivered: moment(delivered),
		Estimated: moment(promised), Customer: Customer{Ref: "c0ffee00c0ffee00", City: "resende", State: "RJ", Zip: "27525"},
		Items: []Item{{Product: "p1", Category: "toys", Seller: "s1", SellerCity: "campinas", SellerState: "SP", Cents: 1990}}}
}

// handmade has one sale of every kind.
func handmade() []Sale {
	split := sale("split", "delivered", "2017-03-02 10:00", "2017-03-02 12:00", "2017-03-04 09:00", "2017-03-12 18:00", "2017-03-20 00:00")
	split.Items = append(split.Items, Item{Product: "p2", Seller: "s2", Cents: 500}, Item{Product: "p2", Seller: "s2", Cents: 500}, Item{Product: "p1", Seller: "s2", Cents: 1990})
	unavailable := sale("unavailable", "unavailable", "2017-03-05 10:00", "2017-03-05 12:00", "", "", "2017-03-25 00:00")
	unavailable.Items = nil
	return []Sale{
		sale("intime", "delivered", "2017-03-01 10:00", "2017-03-01 12:00", "2017-03-03 09:00", "2017-03-10 18:00", "2017-03-20 00:00"),
		sale("late", "delivered", "2017-03-01 11:00", "2017-03-01 12:00", "2017-03-03 09:00", "2017-03-21 00:00", "2017-03-20 00:00"),
		sale("lastminute", "delivered", "2017-03-01 11:30", "2017-03-01 12:00", "2017-03-03 09:00", "2017-03-20 23:59", "2017-03-20 00:00"),
		split,
		sale("backwards", "delivered", "2017-03-02 10:00", "2017-03-02 12:00", "2017-03-15 09:00", "2017-03-12 18:00", "2017-03-20 00:00"),
		sale("early", "delivered", "2017-03-02 10:00", "2017-03-05 12:00", "2017-03-04 09:00", "2017-03-12 18:00", "2017-03-20 00:00"),
		sale("timeless", "delivered", "2017-03-02 10:00", "2017-03-02 12:00", "2017-03-04 09:00", "", "2017-03-20 00:00"),
		sale("shipped", "shipped", "2017-03-03 10:00", "2017-03-03 12:00", "2017-03-05 09:00", "", "2017-03-22 00:00"),
		sale("canceled", "canceled", "2017-03-03 10:00", "", "", "", "2017-03-22 00:00"),
		sale("processing", "processing", "2017-03-03 10:00", "2017-03-03 12:00", "", "", "2017-03-22 00:00"),
		sale("created", "created", "2017-03-04 10:00", "", "", "", "2017-03-24 00:00"),
		unavailable,
	}
}

// spec is what a server makes of the storefront's request.
func (r OrderRequest) spec(p order.Policy) order.Spec {
	return order.Spec{ID: r.Store + ":" + r.Number, Store: r.Store, Number: r.Number, Class: r.Class, Currency: r.Currency, Lines: r.Lines, Parcels: r.Parcels,
		PlacedAt: r.PlacedAt, PromisedAt: r.PromisedAt, Policy: p}
}

func (s ScanItem) event(received time.Time, n int64) order.Event {
	return order.Scan{Meta: order.Meta{ID: s.ID, N: n, By: order.Warehouse, Occurred: s.OccurredAt, Received: received, Applied: received},
		Parcel: s.Parcel, Kind: s.Kind, Location: s.Location, Carrier: s.Carrier, Tracking: s.Tracking}
}

func (c CarrierItem) event(received time.Time, n int64, carrier, parcel string) order.Event {
	return order.CarrierEvent{Meta: order.Meta{ID: c.ID, N: n, By: order.CarrierSays, Occurred: c.OccurredAt, Received: received, Applied: received},
		Parcel: parcel, Milestone: c.Milestone, Physical: c.Physical, Carrier: carrier, Bucket: c.Bucket, Location: c.Location, ETA: c.ETA}
}

// perfect is what a faultless engine would answer once the schedule is posted.
func perfect(plan *Schedule, readAt time.Time) []Answer {
	answers := make([]Answer, len(plan.Orders))
	for i, o := range plan.Orders {
		s := order.New(o.Create.spec(plan.Policy), order.CurrentRules, o.Create.PlacedAt)
		facts := slices.Clone(o.Facts)
		slices.SortStableFunc(facts, func(a, b Fact) int { return cmp.Compare(a.At().UnixNano(), b.At().UnixNano()) })
		var ids []string
		for n, f := range facts {
			ids = append(ids, f.ID())
			if f.Scan != nil {
				order.Apply(&s, f.Scan.event(f.At(), int64(n+1)))
			} else {
				order.Apply(&s, f.Event.event(f.At(), int64(n+1), f.Carrier, f.Parcel))
			}
		}
		if !o.Cancel.IsZero() {
			order.Apply(&s, order.Cancel{Meta: order.Meta{By: order.Storefront, Applied: o.Cancel}})
		}
		s.PromiseMissed = s.PromiseMissed || readAt.After(s.PromisedAt)
		answers[i] = Answer{Listed: 1, Found: true, View: order.ViewOf(&s), ReadAt: readAt, Checked: true, Timeline: ids, Asked: true}
	}
	return answers
}
