package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var placed = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newOrder(number string, parcels ...order.PlannedParcel) store.NewOrder {
	hash := sha256.Sum256([]byte(number))
	return store.NewOrder{
		Spec: order.Spec{ID: "acme:" + number, Store: "acme", Number: number, Class: order.Routine, PlacedAt: placed, CustomerRef: "acme:" + number,
			Lines: []order.Line{{SKU: "sofa", Quantity: 1}}, Parcels: parcels, Policy: order.DefaultPolicy()},
		Contact: store.Contact{Name: "Test Buyer", Email: "buyer@example.com"}, Address: store.Address{City: "Springfield"},
		TokenHash: hash[:], RequestHash: hash[:],
	}
}

func create(t *testing.T, s *store.Store, o store.NewOrder) {
	t.Helper()
	created, err := s.CreateOrder(t.Context(), o)
	if err != nil || !created {
		t.Fatal(created, err)
	}
}

func scan(id, orderID string, kind order.ScanKind) store.Fact {
	return store.Fact{Source: "warehouse", EventID: id, Kind: store.KindScan, RefOrder: orderID, RefParcel: "1", Milestone: string(kind), OccurredAt: placed.Add(time.Hour)}
}

func event(id, tracking string, m order.Milestone) store.Fact {
	return store.Fact{Source: "carrier:ups", EventID: id, Kind: store.KindCarrierEvent, Carrier: "ups", Tracking: tracking, Milestone: string(m), Physical: true, OccurredAt: placed.Add(2 * time.Hour)}
}

func accept(t *testing.T, s *store.Store, facts ...store.Fact) []store.Result {
	t.Helper()
	rs, err := s.Accept(t.Context(), facts)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func due(t *testing.T, s *store.Store) []store.Due {
	t.Helper()
	d, err := s.DueFacts(t.Context(), 100, []string{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ids(ds []store.Due) string {
	var list []string
	for _, d := range ds {
		for _, f := range d.Facts {
			list = append(list, d.OrderID+"/"+f.Parcel+"/"+f.EventID)
		}
	}
	return strings.Join(list, " ")
}

func TestEachOrderIsCreatedOnceWhateverRacesForIt(t *testing.T) {
	s := storetest.New(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 16 {
		wg.Go(func() {
			created, err := s.CreateOrder(t.Context(), newOrder("1"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("created %d times", made)
	}
	other := newOrder("1")
	other.RequestHash = []byte("something else")
	if _, err := s.CreateOrder(t.Context(), other); !errors.Is(err, store.ErrConflict) {
		t.Errorf("another content under the same ID: %v", err)
	}
	o, err := s.Order(t.Context(), "acme:1")
	if err != nil || o.Spec.Number != "1" || o.State != nil || o.Current().Status != order.StatusReceived {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := s.Order(t.Context(), "acme:2"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if o, _, err := s.Track(t.Context(), newOrder("1").TokenHash, store.Version{}); err != nil || o.Spec.ID != "acme:1" || o.Language != "" {
		t.Error(o.Spec.ID, o.Language, err)
	}
	spanish := newOrder("3")
	spanish.Contact.Language = "es-MX"
	create(t, s, spanish)
	if o, _, err := s.Track(t.Context(), spanish.TokenHash, store.Version{}); err != nil || o.Language != "es-MX" {
		t.Error(o.Language, err)
	}
}

func TestAFactIsAcceptedOnceAndFindsItsParcel(t *testing.T) {
	s := storetest.New(t)
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: "1Z1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}))
	got := accept(t, s, scan("a", "acme:1", order.ScanPicked), event("b", "1Z1", order.Accepted), event("b", "1Z1", order.Accepted),
		event("c", "1Z9", order.Accepted), scan("d", "acme:9", order.ScanPicked), scan("e", "acme:9", order.ScanReceived))
	want := []store.Result{store.Accepted, store.Accepted, store.Duplicate, store.Orphan, store.Orphan, store.Orphan}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := accept(t, s, scan("a", "acme:1", order.ScanPicked), event("c", "1Z9", order.Accepted)); !slices.Equal(got, []store.Result{store.Duplicate, store.Duplicate}) {
		t.Errorf("again: %v", got)
	}
	if d := due(t, s); len(d) != 0 {
		t.Errorf("due before the order has a workflow: %v", ids(d))
	}
	if err := s.MarkStarted(t.Context(), []string{"acme:1"}); err != nil {
		t.Fatal(err)
	}
	d := due(t, s)
	if ids(d) != "acme:1/1/b acme:1/1/a" { // by key, which keeps concurrent writers from deadlocking
		t.Errorf("due %s", ids(d))
	}
	if err := s.MarkSent(t.Context(), []int64{d[0].Facts[0].N, d[0].Facts[1].N}, ""); err != nil {
		t.Fatal(err)
	}
	if d := due(t, s); len(d) != 0 {
		t.Errorf("due after it was sent: %s", ids(d))
	}
}

func TestManyCallersShareAStatementAndABadOneFailsAlone(t *testing.T) {
	s := storetest.New(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[store.Result]int{}
	failed := 0
	for i := range 200 {
		wg.Go(func() {
			f := event(fmt.Sprint(i/2), "1Z", order.InTransit) // each ID twice
			if i == 77 {
				f.EventID, f.Location = "bad", "a\x00b" // PostgreSQL cannot store it
			}
			rs, err := s.Accept(t.Context(), []store.Fact{f})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				return
			}
			counts[rs[0]]++
		})
	}
	wg.Wait()
	if failed != 1 || counts[store.Orphan] != 100 || counts[store.Duplicate] != 99 {
		t.Errorf("failed %d, %v", failed, counts)
	}
}

func TestOrphansAttachWhenTheirParcelAppears(t *testing.T) {
	s := storetest.New(t)
	accept(t, s, event("early", "1Z1", order.Accepted), scan("scan", "acme:1", order.ScanPicked), event("other", "1Z2", order.Accepted))
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}))
	if err := s.MarkStarted(t.Context(), []string{"acme:1"}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AttachOrphans(t.Context(), time.Time{}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	// The label names the tracking number: the next look attaches that too.
	st := order.New(newOrder("1").Spec, 1, placed)
	order.Apply(&st, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: placed}, Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z1"})
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AttachOrphans(t.Context(), time.Now().Add(-time.Minute)); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if got := ids(due(t, s)); got != "acme:1/1/scan acme:1/1/early" {
		t.Errorf("due %s", got)
	}
	st2, err := s.Inbox(t.Context())
	if err != nil || st2.Orphans != 1 || st2.Unsent != 2 {
		t.Errorf("%+v, %v", st2, err)
	}
}

// Who knows the parcels of one store only tells of these, also when they appear later.
func TestFactsOfABoundKeyFindTheirStoresParcelsOnly(t *testing.T) {
	s := storetest.New(t)
	only := func(id, storeID string) store.Fact {
		f := event(id, "1Z1", order.InTransit)
		f.OnlyStore = storeID
		return f
	}
	accept(t, s, only("early ours", "acme"), only("early theirs", "acm"))
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: "1Z1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}))
	if err := s.MarkStarted(t.Context(), []string{"acme:1"}); err != nil {
		t.Fatal(err)
	}
	rs, err := s.Accept(t.Context(), []store.Fact{only("ours", "acme"), only("theirs", "acm"), only("anybody's", "")})
	if err != nil || !slices.Equal(rs, []store.Result{store.Accepted, store.Orphan, store.Accepted}) {
		t.Fatal(rs, err)
	}
	if n, err := s.AttachOrphans(t.Context(), time.Time{}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if got := ids(due(t, s)); got != "acme:1/1/anybody's acme:1/1/ours acme:1/1/early ours" {
		t.Errorf("due %s", got)
	}
}

func TestRoutineScansRideAlong(t *testing.T) {
	s := storetest.New(t)
	o := newOrder("1", order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: "1Z1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}})
	create(t, s, o)
	st := order.New(o.Spec, 1, placed)
	for i, m := range []order.Milestone{order.Accepted, order.InTransit} {
		order.Apply(&st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Applied: placed, Occurred: placed.Add(time.Duration(i) * time.Minute)}, Parcel: "1", Milestone: m, Physical: true})
	}
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
	accept(t, s, event("routine 1", "1Z1", order.InTransit), event("routine 2", "1Z1", order.InTransit))
	if d := due(t, s); len(d) != 0 {
		t.Errorf("routine scans woke the order: %s", ids(d))
	}
	accept(t, s, event("matters", "1Z1", order.OutForDelivery))
	if got := ids(due(t, s)); got != "acme:1/1/routine 1 acme:1/1/routine 2 acme:1/1/matters" {
		t.Errorf("due %s", got)
	}
	tl, err := s.Timeline(t.Context(), "acme:1", 100)
	if err != nil {
		t.Fatal(err)
	}
	riding := 0
	for _, e := range tl {
		if e.Note == "riding along" {
			riding++
		}
	}
	if riding != 2 {
		t.Errorf("%d entries ride along, want 2", riding)
	}
	last, err := s.Wake(t.Context(), "acme:1", "1")
	if err != nil || !last.Equal(placed.Add(2*time.Hour)) {
		t.Errorf("last movement %v, %v", last, err)
	}
}

func TestAWatchedParcelLetsNothingRide(t *testing.T) {
	s := storetest.New(t)
	o := newOrder("1", order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: "1Z1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}})
	create(t, s, o)
	st := order.New(o.Spec, 1, placed)
	order.Apply(&st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Applied: placed, Occurred: placed}, Parcel: "1", Milestone: order.InTransit, Physical: true})
	order.Apply(&st, order.Tick{Meta: order.Meta{Applied: placed.Add(4 * 24 * time.Hour)}}) // a carrier check is out
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkStarted(t.Context(), []string{"acme:1"}); err != nil {
		t.Fatal(err)
	}
	accept(t, s, event("movement", "1Z1", order.InTransit))
	if got := ids(due(t, s)); got != "acme:1/1/movement" {
		t.Errorf("due %q", got)
	}
}

func TestTheReadModelNeverGoesBackwards(t *testing.T) {
	s := storetest.New(t)
	o := newOrder("1")
	create(t, s, o)
	st := order.New(o.Spec, 1, placed)
	older := st.Clone()
	order.Apply(&st, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: placed}, Parcel: "1", Kind: order.ScanPicked})
	for _, p := range []*order.State{&st, older, &st} {
		if err := s.Project(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Order(t.Context(), "acme:1")
	if err != nil || got.State.Seq != st.Seq || got.State.Status != order.StatusPreparing {
		t.Errorf("%+v, %v", got.State, err)
	}
	tl, err := s.Timeline(t.Context(), "acme:1", 100)
	if err != nil || len(tl) != 3 { // received, picked, preparing; each once
		t.Errorf("%d entries: %+v, %v", len(tl), tl, err)
	}
	list, err := s.Orders(t.Context(), store.Filter{Status: "preparing", Store: "acme", Query: "1"})
	if err != nil || len(list) != 1 || list[0].NextOwner != "warehouse" || list[0].NextUntil == nil {
		t.Errorf("%+v, %v", list, err)
	}
}

// A worker that died between writing here and telling Temporal leaves a state
// that never was. The next attempt takes the same numbers for another story.
func TestAForgottenAttemptIsTakenBack(t *testing.T) {
	s := storetest.New(t)
	o := newOrder("1")
	create(t, s, o)
	begun := order.New(o.Spec, 1, placed)
	scan := func(id string, k order.ScanKind, applied time.Time) order.Event {
		return order.Scan{Meta: order.Meta{ID: id, By: order.Warehouse, Occurred: placed, Applied: applied}, Parcel: "1", Kind: k}
	}
	forgotten, again := begun.Clone(), begun.Clone()
	order.Apply(forgotten, order.Hold{Meta: order.Meta{ID: "nobody heard of it", By: order.Support, Reason: "check", Applied: placed}})
	order.Apply(forgotten, scan("packed", order.ScanPacked, placed))
	order.Apply(again, scan("packed", order.ScanPacked, placed.Add(10*time.Second)))
	for _, st := range []*order.State{&begun, forgotten, again, forgotten} {
		if err := s.Project(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Order(t.Context(), "acme:1")
	if err != nil || got.State.Seq != again.Seq || !got.State.Now.Equal(again.Now) || got.State.Hold != nil {
		t.Errorf("%+v, %v", got.State, err)
	}
	tl, err := s.Timeline(t.Context(), "acme:1", 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range tl {
		told = append(told, e.Kind)
	}
	slices.Sort(told)
	if want := []string{"milestone_reached", "order_received", "status_changed"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestListsAreKeysetPaged(t *testing.T) {
	s := storetest.New(t)
	for i := range 7 {
		create(t, s, newOrder(fmt.Sprint(i)))
	}
	var seen []string
	f := store.Filter{Limit: 3}
	for range 4 {
		list, err := s.Orders(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			seen = append(seen, o.Number)
			f.Before = store.Cursor{PlacedAt: o.PlacedAt, ID: o.ID}
		}
	}
	if got := strings.Join(seen, ""); got != "6543210" {
		t.Errorf("saw %s", got)
	}
}

func TestAPolicyGetsAVersionForEachChange(t *testing.T) {
	s := storetest.New(t)
	p, err := s.Policy(t.Context(), "default")
	if err != nil || p.Version != 1 {
		t.Fatal(p.Version, err)
	}
	p.Policy = p.Scaled(time.Second)
	p.Name = "fast"
	for want, change := range []func(){1: func() {}, 2: func() { p.Pick *= 2 }, 3: nil} {
		if change == nil {
			break
		}
		if change != nil && want > 0 {
			change()
		}
		for range 2 { // the same again keeps its version
			got, err := s.PutPolicy(t.Context(), p, "test")
			if err != nil || want > 0 && got.Version != want {
				t.Errorf("version %d, want %d, %v", got.Version, want, err)
			}
		}
	}
	// A file with classes and calendars comes back as it was.
	books, err := policy.Parse(policy.Default, []string{"ups", "fedex", "usps"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range books {
		for range 2 {
			got, err := s.PutPolicy(t.Context(), b, "test")
			if err != nil || got.Version != 1 {
				t.Errorf("%s v%d, %v", got.Name, got.Version, err)
			}
		}
		got, err := s.Policy(t.Context(), b.Name)
		if err != nil || got.For(order.Bulky).Version != 1 || got.For(order.Bulky).Pick != b.For(order.Bulky).Pick || got.Source != string(policy.Default) {
			t.Errorf("%s: %+v, %v", b.Name, got.Policy, err)
		}
	}
	if _, err := s.Policy(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestAnIdempotencyKeyReplaysItsAnswer(t *testing.T) {
	s := storetest.New(t)
	ctx := t.Context()
	if status, _, err := s.BeginIdempotent(ctx, "key", "k1", []byte("a")); status != 0 || err != nil {
		t.Fatal(status, err)
	}
	if err := s.EndIdempotent(ctx, "key", "k1", 201, []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if status, body, err := s.BeginIdempotent(ctx, "key", "k1", []byte("a")); status != 201 || !strings.Contains(string(body), `"a"`) || err != nil {
		t.Fatal(status, string(body), err)
	}
	if _, _, err := s.BeginIdempotent(ctx, "key", "k1", []byte("b")); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
}

func TestKeysStoresAddressesAndAudit(t *testing.T) {
	s := storetest.New(t)
	ctx := t.Context()
	if err := s.AddKey(ctx, store.APIKey{ID: "k", Name: "n", Hash: []byte("h"), Scopes: []string{"ops"}, Store: "acme"}); err != nil {
		t.Fatal(err)
	}
	if k, err := s.Key(ctx, "k"); err != nil || k.Store != "acme" || k.Scopes[0] != "ops" {
		t.Error(k, err)
	}
	if _, err := s.Key(ctx, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := s.PutStore(ctx, store.StoreRow{ID: "acme", Name: "Acme", BrandColor: "#112233"}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.GetStore(ctx, "acme"); err != nil || r.Name != "Acme" {
		t.Error(r, err)
	}
	create(t, s, newOrder("1"))
	for want := 1; want <= 2; want++ {
		if v, err := s.PutAddress(ctx, "acme:1", store.Address{City: "Elsewhere"}); err != nil || v != want {
			t.Error(v, err)
		}
	}
	if _, err := s.PutAddress(ctx, "acme:none", store.Address{}); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := s.BeginAudit(ctx, store.Audit{ID: "a", OrderID: "acme:1", Action: "cancel", Actor: "k", Role: "support", Request: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if err := s.EndAudit(ctx, "a", "done", ""); err != nil {
		t.Fatal(err)
	}
}

func TestOneRelayLeads(t *testing.T) {
	s := storetest.New(t)
	first, err := s.Lead(t.Context())
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := s.Lead(t.Context()); err != nil || second != nil {
		t.Fatal("two lead", err)
	}
	first.Release()
	third, err := s.Lead(t.Context())
	if err != nil || third == nil {
		t.Fatal("nobody leads", err)
	}
	third.Release()
}

func TestAnOlderBinaryRefusesANewerSchema(t *testing.T) {
	url := storetest.URL(t)
	if err := store.CheckSchema(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `update schema_version set version = version + 1`); err != nil {
		t.Fatal(err)
	}
	_, _, migrating := store.Migrate(t.Context(), url)
	for _, err := range []error{store.CheckSchema(t.Context(), url), migrating} {
		if err == nil || !strings.Contains(err.Error(), "newer than") {
			t.Error(err)
		}
	}
	if _, err := c.Exec(t.Context(), `update schema_version set version = 0`); err != nil {
		t.Fatal(err)
	}
	if err := store.CheckSchema(t.Context(), url); err == nil || !strings.Contains(err.Error(), "waybill migrate") {
		t.Error(err)
	}
}

func TestAStepThatTheWorkflowForgotLeavesNoStory(t *testing.T) {
	s := storetest.New(t)
	o := newOrder("1")
	create(t, s, o)
	known := order.New(o.Spec, 1, placed)
	if err := s.Project(t.Context(), &known); err != nil {
		t.Fatal(err)
	}
	known.DropTold(known.Seq)
	lost := known.Clone() // written, but its workflow task was never completed
	order.Apply(lost, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: placed.Add(time.Hour)}, Parcel: "1", Kind: order.ScanPicked})
	// Done again, a scan that tells nothing came first.
	again := known.Clone()
	order.Apply(again, order.Scan{Meta: order.Meta{By: order.Warehouse, Applied: placed.Add(2 * time.Hour)}, Parcel: "1", Kind: order.ScanSorted})
	for _, st := range []*order.State{lost, again} {
		if err := s.Project(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	tl, err := s.Timeline(t.Context(), "acme:1", 100)
	if err != nil || len(tl) != 1 || tl[0].Kind != "order_received" {
		t.Errorf("%+v, %v", tl, err)
	}
	if got, err := s.Order(t.Context(), "acme:1"); err != nil || got.State.Status != order.StatusReceived {
		t.Errorf("%+v, %v", got.State, err)
	}
}
