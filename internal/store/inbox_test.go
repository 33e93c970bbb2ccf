package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// full is a fact with something in each field, other for each n; bare has as
// little in it as there may be.
func full(n int) store.Fact {
	at := placed.Add(time.Duration(n) * time.Hour)
	eta := at.AddDate(0, 0, 3)
	s := fmt.Sprint(n)
	return store.Fact{Source: "carrier:c" + s, EventID: "e" + s, Kind: store.KindCarrierEvent, RefOrder: "acme:" + s, RefParcel: "p" + s, Carrier: "c" + s, Tracking: "T" + s,
		Piece: "P" + s, Pieces: n, Whole: true, UniqueID: "u" + s, DeliveredTo: "neighbour" + s, Milestone: "in_transit" + s, Code: "code " + s, Bucket: "bucket" + s, Physical: true,
		Correction: true, ETA: &eta, OccurredAt: at.Add(time.Duration(n) * time.Microsecond), LocalTime: "local" + s, UTCOffset: "+0" + s, TimeBasis: "basis" + s, Location: "Ort " + s,
		Description: "Wörter " + s, Actor: "actor" + s, Mapping: n}
}

func bare(id string) store.Fact {
	return store.Fact{Source: "carrier:ups", EventID: id, Kind: store.KindScan, OccurredAt: placed}
}

// kept reads the facts that the inbox has, without what is not in its row.
func kept(t *testing.T, conn *pgx.Conn) map[string]store.Fact {
	t.Helper()
	rows, err := conn.Query(t.Context(), `select source, event_id, kind, ref_order, ref_parcel, carrier, tracking, piece, pieces, whole, unique_id, delivered_to, milestone, code, bucket,
        physical, correction, eta, occurred_at, local_time, utc_offset, time_basis, location, description, actor, coalesce(mapping, 0), coalesce(mapping = 0, false) from inbox`)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]store.Fact{}
	var f store.Fact
	if _, err := pgx.ForEachRow(rows, []any{&f.Source, &f.EventID, &f.Kind, &f.RefOrder, &f.RefParcel, &f.Carrier, &f.Tracking, &f.Piece, &f.Pieces, &f.Whole, &f.UniqueID, &f.DeliveredTo,
		&f.Milestone, &f.Code, &f.Bucket, &f.Physical, &f.Correction, &f.ETA, &f.OccurredAt, &f.LocalTime, &f.UTCOffset, &f.TimeBasis, &f.Location, &f.Description, &f.Actor, &f.Mapping, &f.Unmapped}, func() error {
		f.OccurredAt = f.OccurredAt.UTC()
		list[f.Source+" "+f.EventID] = f
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// Columns in which all are alike are sent once: whatever is alike, each row has its
// own values.
func TestEachFactKeepsItsOwnValuesWhateverItIsTakenInWith(t *testing.T) {
	s, conn := withConn(t)
	elsewhere := bare("a")
	elsewhere.Source = "carrier:dhl"
	unmapped := bare("u")
	unmapped.Unmapped = true
	for name, facts := range map[string][]store.Fact{
		"one":                          {full(1)},
		"one bare":                     {bare("a")},
		"all alike but their IDs":      {bare("a"), bare("b"), bare("c")},
		"one ID of two sources":        {bare("a"), elsewhere},
		"the first has more":           {full(1), bare("a"), bare("b")},
		"the last has more":            {bare("a"), bare("b"), full(1)},
		"the middle has more":          {bare("a"), full(1), bare("b")},
		"none alike":                   {full(1), full(2), full(3), full(4)},
		"none mapped, one unmapped":    {bare("a"), unmapped, bare("b")},
		"the first unmapped, one not":  {unmapped, bare("a"), full(2)},
		"alike again after one is not": {bare("a"), full(1), bare("b"), bare("c"), full(2), bare("d")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := conn.Exec(t.Context(), `delete from inbox`); err != nil {
				t.Fatal(err)
			}
			if got := accept(t, s, facts...); slices.Contains(got, store.Duplicate) {
				t.Error(got)
			}
			have := kept(t, conn)
			if len(have) != len(facts) {
				t.Errorf("%d rows of %d facts", len(have), len(facts))
			}
			for _, want := range facts {
				got := have[want.Source+" "+want.EventID]
				if (got.ETA == nil) != (want.ETA == nil) || got.ETA != nil && !got.ETA.Equal(*want.ETA) {
					t.Errorf("%s has the ETA %v, want %v", want.EventID, got.ETA, want.ETA)
				}
				got.ETA, want.ETA = nil, nil
				if got != want {
					t.Errorf("kept\n%+v, want\n%+v", got, want)
				}
			}
		})
	}
}

func TestTheSameInOneBatchOrLaterIsADuplicate(t *testing.T) {
	s, conn := withConn(t)
	shipment(t, s, "1", 0, "1ZAAAA", "1ZBBBB/1ZMASTER")
	first := accept(t, s, onDay("a", "1ZAAAA", 1), onDay("n", "1ZNOBODY", 1), onDay("a", "1ZAAAA", 2), onDay("m", "1ZMASTER", 1), onDay("n", "1ZNOBODY", 1))
	if want := []store.Result{store.Accepted, store.Orphan, store.Duplicate, store.Accepted, store.Duplicate}; !slices.Equal(first, want) {
		t.Error(first)
	}
	again := accept(t, s, onDay("new", "1ZBBBB", 1), onDay("m", "1ZMASTER", 1), onDay("n", "1ZNOBODY", 1), onDay("a", "1ZAAAA", 1))
	if want := []store.Result{store.Accepted, store.Duplicate, store.Duplicate, store.Duplicate}; !slices.Equal(again, want) {
		t.Error(again)
	}
	if have := kept(t, conn); len(have) != 4 || !have["carrier:ups a"].OccurredAt.Equal(placed.AddDate(0, 0, 1)) {
		t.Errorf("%+v", have)
	}
	if got := routes(t, s); got != "1/1 a, 1/2 m, 1/2 new" {
		t.Error(got)
	}
}

// Of several parcels that name one master, the first of the newest hears of it.
func TestOfManyPiecesTheFirstHearsOfTheMaster(t *testing.T) {
	s, _ := withConn(t)
	shipment(t, s, "old", 0, "1ZAAAA/1ZMASTER")
	shipment(t, s, "new", 5, "1ZBBBB/1ZMASTER", "1ZCCCC/1ZMASTER", "1ZDDDD/1ZMASTER")
	accept(t, s, onDay("e", "1ZMASTER", 6), onDay("f", "1ZCCCC", 6), onDay("g", "1ZMASTER", 6, piece("1ZDDDD")))
	if got := routes(t, s); got != "new/1 e, new/2 f, new/3 g" {
		t.Error(got)
	}
}

// within waits for something that must not depend on what is stuck.
func within[T any](t *testing.T, what string, done <-chan T) T {
	t.Helper()
	select {
	case v := <-done:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal(what + " never came")
		panic("unreachable")
	}
}

// again opens another connection to the database of one.
func again(t *testing.T, conn *pgx.Conn) *pgx.Conn {
	t.Helper()
	c, err := pgx.ConnectConfig(t.Context(), conn.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// untilBlocked returns when a session waits for a lock of this connection's.
func untilBlocked(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	look := again(t, conn)
	for deadline := time.Now().Add(20 * time.Second); ; {
		var waits bool
		if err := look.QueryRow(t.Context(), `select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))`, int32(conn.PgConn().PID())).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		if waits {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
	}
}

func TestAStatementThatIsStuckHoldsUpNobodyElse(t *testing.T) {
	s, conn := withConn(t)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `insert into inbox (source, event_id, kind, occurred_at, due_at) values ('carrier:ups', 'held', 'carrier_event', now(), now())`); err != nil {
		t.Fatal(err)
	}
	take := func(id string) <-chan []store.Result {
		done := make(chan []store.Result, 1)
		go func() {
			rs, err := s.Accept(context.Background(), []store.Fact{event(id, "1ZNOBODY", order.InTransit)})
			if err != nil {
				t.Error(err)
			}
			done <- rs
		}()
		return done
	}
	stuck := take("held")
	untilBlocked(t, conn)
	for _, id := range []string{"a", "b", "c"} {
		if rs := within(t, id, take(id)); !slices.Equal(rs, []store.Result{store.Orphan}) {
			t.Error(id, rs)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rs := within(t, "what was stuck", stuck); !slices.Equal(rs, []store.Result{store.Orphan}) {
		t.Error(rs)
	}
}

// Whatever changes several facts locks them in the order of their keys, however they
// lie in the table and are numbered: held at one, it has those before it and none
// behind it. Two that go in one order cannot wait for each other, and keys, unlike
// numbers, do not change meanwhile.
func TestFactsAreLockedInTheOrderOfTheirKeys(t *testing.T) {
	const gate = 3
	for name, change := range map[string]func(context.Context, *store.Store) error{
		"mark sent": func(ctx context.Context, s *store.Store) error {
			return s.MarkSent(ctx, []int64{5, 2, 3, 1, 4}, "")
		},
		"wake": func(ctx context.Context, s *store.Store) error {
			_, err := s.Wake(ctx, "acme:1", "1")
			return err
		},
		"move": func(ctx context.Context, s *store.Store) error {
			return s.MoveFacts(ctx, "acme:1", "acme:2", []order.Moved{{Parcel: "1", As: "9"}})
		},
		"asides": func(ctx context.Context, s *store.Store) error {
			var facts []store.Fact
			for _, n := range []int{2, 5, 3, 1, 4} {
				f := event(fmt.Sprint("e", 6-n), "1ZAAAA", order.InTransit)
				f.Aside.Held = "photo"
				facts = append(facts, f)
			}
			_, err := s.Accept(ctx, facts)
			return err
		},
		"attach": func(ctx context.Context, s *store.Store) error {
			_, err := s.AttachOrphans(ctx, time.Time{})
			return err
		},
		"erase": func(ctx context.Context, s *store.Store) error {
			_, err := s.EraseCustomer(ctx, "acme", "acme:1", store.Audit{ID: "erase-1", Action: "erase", Actor: "test", Role: "support", Request: []byte(`{}`)}, placed)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, conn := withConn(t)
			shipment(t, s, "1", 0, "1ZAAAA")
			// The rows lie in the table, and by their numbers, the other way round.
			orderID := `'acme:1'`
			if name == "attach" {
				orderID = `null`
			}
			if _, err := conn.Exec(t.Context(), `insert into inbox (n, source, event_id, kind, order_id, parcel_id, carrier, tracking, code, mapping, description, occurred_at, due_at)
                select n, 'carrier:ups', 'e' || 6 - n, 'carrier_event', `+orderID+`, '1', 'ups', '1ZAAAA', 'table code', 0, 'words', $1, now() + interval '1 day' from generate_series(1, 5) n`, placed.AddDate(0, 0, 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), `select setval('inbox_n', 100)`); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), `insert into code_mappings (carrier, code_table, code, version, kind, milestone, physical, reason, actor)
                values ('ups', 'table', 'code', 1, 'delivered', 'delivered', true, 'test', 'test')`); err != nil {
				t.Fatal(err)
			}
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), `select from inbox where n = $1 for update`, gate); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- change(context.Background(), s) }()
			untilBlocked(t, conn)
			rows, err := again(t, conn).Query(t.Context(), `select n from inbox order by n for update skip locked`)
			if err != nil {
				t.Fatal(err)
			}
			free, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil || !slices.Equal(free, []int64{1, 2}) {
				t.Errorf("held at %d, the others are %v, %v", gate, free, err)
			}
			// A rereading waits for nobody: it takes those that are free.
			if did, err := s.Reread(t.Context()); err != nil || did.Facts != 2 {
				t.Error(did, err)
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := within(t, name, done); err != nil {
				t.Error(err)
			}
		})
	}
}
