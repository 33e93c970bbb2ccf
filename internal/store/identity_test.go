package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// shipment is an order placed some days after the others, with one parcel for
// each "number" or "number/master".
func shipment(t *testing.T, s *store.Store, number string, days int, numbers ...string) *order.State {
	t.Helper()
	o := newOrder(number)
	o.Spec.PlacedAt = placed.AddDate(0, 0, days)
	o.Spec.Lines[0].Quantity = max(1, len(numbers))
	for i, n := range numbers {
		tracking, master, _ := strings.Cut(n, "/")
		o.Spec.Parcels = append(o.Spec.Parcels, order.PlannedParcel{ID: fmt.Sprint(i + 1), Carrier: "ups", Tracking: tracking, Master: master,
			Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}})
	}
	create(t, s, o)
	if err := s.MarkStarted(t.Context(), []string{o.Spec.ID}); err != nil {
		t.Fatal(err)
	}
	st := order.New(o.Spec, order.CurrentRules, o.Spec.PlacedAt)
	return &st
}

// onDay is an event some days after the first order was placed.
func onDay(id, tracking string, day float64, set ...func(*store.Fact)) store.Fact {
	f := event(id, tracking, order.InTransit)
	f.OccurredAt = placed.Add(time.Duration(day * 24 * float64(time.Hour)))
	for _, s := range set {
		s(&f)
	}
	return f
}

func piece(number string) func(*store.Fact) { return func(f *store.Fact) { f.Piece = number } }
func unique(id string) func(f *store.Fact)  { return func(f *store.Fact) { f.UniqueID = id } }
func by(carrier string) func(f *store.Fact) { return func(f *store.Fact) { f.Carrier = carrier } }
func isScan(f *store.Fact)                  { f.Kind, f.Milestone = store.KindScan, string(order.ScanSorted) }
func routes(t *testing.T, s *store.Store) string {
	t.Helper()
	var list []string
	for _, d := range due(t, s) {
		for _, f := range d.Facts {
			list = append(list, strings.TrimPrefix(d.OrderID, "acme:")+"/"+f.Parcel+" "+f.EventID)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// withConn is a store, and a connection to its database.
func withConn(t *testing.T) (*store.Store, *pgx.Conn) {
	t.Helper()
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(context.Background())
		s.Close()
	})
	return s, conn
}

// both has a fact accepted when its parcels are there, and before they are.
func both(t *testing.T, s *store.Store, conn *pgx.Conn, parcels func(), f store.Fact, want string) {
	t.Helper()
	for _, orphan := range []bool{false, true} {
		if _, err := conn.Exec(t.Context(), `delete from orders; delete from parcels; delete from inbox`); err != nil {
			t.Fatal(err)
		}
		if orphan {
			accept(t, s, f)
		}
		parcels()
		if orphan {
			if _, err := s.AttachOrphans(t.Context(), time.Time{}); err != nil {
				t.Fatal(err)
			}
		} else {
			accept(t, s, f)
		}
		if got := routes(t, s); got != want {
			t.Errorf("orphan first %v: went to %q, want %q", orphan, got, want)
		}
	}
}

func TestAnEventGoesToTheParcelThatHasThePieceThenTheShipment(t *testing.T) {
	s, conn := withConn(t)
	for name, c := range map[string]struct {
		numbers []string
		fact    store.Fact
		want    string
	}{
		"its own number":                      {[]string{"AAAA", "BBBB"}, onDay("e", "BBBB", 1), "1/2 e"},
		"a piece with a parcel of its own":    {[]string{"AAAA", "BBBB"}, onDay("e", "AAAA", 1, piece("BBBB")), "1/2 e"},
		"a piece without one":                 {[]string{"AAAA", "BBBB"}, onDay("e", "AAAA", 1, piece("CCCC")), "1/1 e"},
		"the shipment that parcels name":      {[]string{"AAAA/MMMM", "BBBB/MMMM"}, onDay("e", "MMMM", 1), "1/1 e"},
		"a stranger's piece of that shipment": {[]string{"AAAA/MMMM", "BBBB/MMMM"}, onDay("e", "MMMM", 1, piece("CCCC")), ""},
		"one of its own pieces":               {[]string{"AAAA/MMMM", "BBBB/MMMM"}, onDay("e", "MMMM", 1, piece("BBBB")), "1/2 e"},
		"a scan of a shipment is of no box":   {[]string{"AAAA/MMMM"}, onDay("e", "MMMM", 1, isScan), ""},
		"an aggregator's":                     {[]string{"AAAA"}, onDay("e", "AAAA", 1, by("")), "1/1 e"},
		"another carrier's":                   {[]string{"AAAA"}, onDay("e", "AAAA", 1, by("dhl")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, s, conn, func() { shipment(t, s, "1", 0, c.numbers...) }, c.fact, c.want)
		})
	}
}

func TestANumberUsedAgainBindsByItsWindow(t *testing.T) {
	// One parcel in March, another with the same number in September.
	s, conn := withConn(t)
	for name, c := range map[string]struct {
		day  float64
		want string
	}{
		"before both":               {-20, ""},
		"a little before the first": {-9, "old/1 e"},
		"of the first":              {3, "old/1 e"},
		"late, of the first":        {80, "old/1 e"},
		"after the first's end":     {130, ""},
		"a little before the other": {175, "new/1 e"},
		"of the other":              {184, "new/1 e"},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, s, conn, func() {
				st := shipment(t, s, "old", 0, "1ZSAME")
				delivered := placed.AddDate(0, 0, 20)
				order.Apply(st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Applied: delivered, Occurred: delivered}, Parcel: "1", Milestone: order.Delivered, Physical: true})
				order.Apply(st, order.Tick{Meta: order.Meta{Applied: placed.AddDate(0, 0, 90)}})
				if !st.Closed {
					t.Fatal("the old order is still open")
				}
				if err := s.Project(t.Context(), st); err != nil {
					t.Fatal(err)
				}
				shipment(t, s, "new", 180, "1ZSAME")
			}, onDay("e", "1ZSAME", c.day), c.want)
		})
	}
}

func TestAnOpenParcelWaitsForItsEventsAsLongAsItTakes(t *testing.T) {
	s := storetest.New(t)
	shipment(t, s, "1", 0, "1ZSLOW")
	accept(t, s, onDay("e", "1ZSLOW", 150))
	if got := routes(t, s); got != "1/1 e" {
		t.Error(got)
	}
}

func TestALaterLabelMovesTheWindow(t *testing.T) {
	s := storetest.New(t)
	st := shipment(t, s, "1", 0)
	at := placed.AddDate(0, 0, 60)
	order.Apply(st, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: at, Occurred: at}, Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1ZLATE"})
	if err := s.Project(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	accept(t, s, onDay("stranger", "1ZLATE", 30), onDay("ours", "1ZLATE", 61))
	if got := routes(t, s); got != "1/1 ours" {
		t.Error(got)
	}
}

func TestTheCarriersOwnIDTellsTwoUsesApart(t *testing.T) {
	t.Run("seen before", func(t *testing.T) {
		s := storetest.New(t)
		shipment(t, s, "1", 0, "1ZSAME")
		accept(t, s, onDay("a1", "1ZSAME", 1, unique("A")))
		accept(t, s, onDay("b1", "1ZSAME", 2, unique("B")), onDay("a2", "1ZSAME", 2, unique("A")), onDay("none", "1ZSAME", 3))
		if got := routes(t, s); got != "1/1 a1, 1/1 a2, 1/1 none" {
			t.Error(got)
		}
	})
	t.Run("both in one batch: the later one's", func(t *testing.T) {
		for _, orphans := range []bool{false, true} {
			s := storetest.New(t)
			facts := []store.Fact{onDay("a1", "1ZSAME", 1, unique("A")), onDay("b1", "1ZSAME", 2, unique("B")), onDay("b2", "1ZSAME", 1.5, unique("B")), onDay("none", "1ZSAME", 3)}
			if orphans {
				accept(t, s, facts...)
			}
			shipment(t, s, "1", 0, "1ZSAME")
			if orphans {
				if n, err := s.AttachOrphans(t.Context(), time.Time{}); n != 3 || err != nil {
					t.Fatal(n, err)
				}
			} else if got := accept(t, s, facts...); !slices.Equal(got, []store.Result{store.Orphan, store.Accepted, store.Accepted, store.Accepted}) {
				t.Error(got)
			}
			if got := routes(t, s); got != "1/1 b1, 1/1 b2, 1/1 none" {
				t.Errorf("orphans %v: %s", orphans, got)
			}
			// A look later changes nothing: what was not its event stays an orphan.
			if n, err := s.AttachOrphans(t.Context(), time.Time{}); n != 0 || err != nil {
				t.Error(n, err)
			}
		}
	})
	t.Run("another parcel under the number may take it", func(t *testing.T) {
		s := storetest.New(t)
		shipment(t, s, "old", 0, "1ZSAME")
		shipment(t, s, "new", 5, "1ZSAME")
		accept(t, s, onDay("b1", "1ZSAME", 6, unique("B")))
		accept(t, s, onDay("a1", "1ZSAME", 7, unique("A")))
		if got := routes(t, s); got != "new/1 b1, old/1 a1" {
			t.Error(got)
		}
	})
	t.Run("each piece has its own", func(t *testing.T) {
		s := storetest.New(t)
		shipment(t, s, "1", 0, "1ZSAME")
		accept(t, s, onDay("a", "1ZSAME", 1, piece("1ZSAME"), unique("A")))
		accept(t, s, onDay("b", "1ZSAME", 1, piece("1ZTWO"), unique("B")))
		if got := routes(t, s); got != "1/1 a, 1/1 b" {
			t.Error(got)
		}
	})
}

func TestAFactTellsTheOrderOfItsPieces(t *testing.T) {
	s := storetest.New(t)
	shipment(t, s, "1", 0, "1ZSAME")
	f := onDay("e", "1ZSAME", 1, piece("1ZTWO"))
	f.Pieces, f.DeliveredTo = 3, "neighbour"
	g := onDay("g", "1ZSAME", 2)
	g.Pieces, g.Whole = 3, true
	accept(t, s, f, g)
	facts := due(t, s)[0].Facts
	e, ok := facts[0].Event("1").(order.CarrierEvent)
	if !ok || e.Tracking != "1ZSAME" || e.Piece != "1ZTWO" || e.Pieces != 3 || e.Whole {
		t.Errorf("%+v", e)
	}
	if e, ok := facts[1].Event("1").(order.CarrierEvent); !ok || e.Piece != "" || e.Pieces != 3 || !e.Whole {
		t.Errorf("%+v", e)
	}
	tl, err := s.Timeline(t.Context(), "acme:1", 10)
	if err != nil || len(tl) != 2 || tl[0].Piece != "1ZTWO" || tl[0].DeliveredTo != "neighbour" {
		t.Errorf("%+v, %v", tl, err)
	}
}

// Among many parcels the route is found by indexes alone.
func TestRoutesAreFoundByIndex(t *testing.T) {
	_, conn := withConn(t)
	for _, sql := range []string{
		`insert into parcels (order_id, id, position, carrier, tracking, master, milestone, since, ships_from, ships_to, bound_at)
            select 'acme:x' || i, '1', 0, 'ups', 'N' || i, 'M' || i / 3, 'expected', now(), now(), 'infinity', '2020-01-01' from generate_series(1, 20000) i`,
		`insert into inbox (source, event_id, kind, order_id, parcel_id, carrier, tracking, piece, unique_id, occurred_at, due_at)
            select 'carrier:ups', 'x' || i, 'carrier_event', case when i % 2 = 0 then 'acme:x' || i end, case when i % 2 = 0 then '1' end, 'ups', 'N' || i, case when i % 3 = 0 then 'P' || i else '' end, 'u' || i % 7, now(), now() from generate_series(1, 20000) i`,
		`analyze parcels`, `analyze inbox`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for name, sql := range map[string]string{"insert": store.ExplainInsert, "attach": store.ExplainAttach} {
		rows, err := conn.Query(t.Context(), "explain "+sql)
		if err != nil {
			t.Fatal(name, err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(name, err)
		}
		text := strings.Join(plan, "\n")
		if strings.Contains(text, "Seq Scan on parcels") || strings.Contains(text, "Seq Scan on inbox") {
			t.Errorf("%s:\n%s", name, text)
		}
		for _, index := range []string{"parcels_tracking", "parcels_master", "inbox_order"} {
			if name == "insert" && !strings.Contains(text, index) {
				t.Errorf("%s does not use %s:\n%s", name, index, text)
			}
		}
	}
}
