package app

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// moving is an open order whose UPS parcel was scanned so long ago.
func moving(t *testing.T, s *store.Store, number string, p order.Policy, ago time.Duration) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	placed := now.Add(-ago - time.Hour)
	spec := order.Spec{ID: "acme:" + number, Store: "acme", Number: number, Class: order.Routine, PlacedAt: placed, Policy: p, Lines: []order.Line{{SKU: "tea", Quantity: 1}},
		Parcels: []order.PlannedParcel{{ID: "p1", Carrier: "ups", Tracking: "T" + number, Lines: []order.Allocation{{SKU: "tea", Quantity: 1}}}}}
	if _, err := s.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(number), RequestHash: []byte(number)}); err != nil {
		t.Fatal(err)
	}
	st := order.New(spec, order.CurrentRules, placed)
	at := now.Add(-ago)
	order.Apply(&st, order.CarrierEvent{Meta: order.Meta{ID: "e", By: order.CarrierSays, Occurred: at, Received: at}, Parcel: "p1", Milestone: order.InTransit, Physical: true, Carrier: "ups", Tracking: "T" + number})
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
}

func TestANightProposesOrApplies(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	books := parsed(t, "policies: {shop: {movement: 3d}, fast: {movement: 3d, rhythms_learned: automatic}, blind: {movement: 3d, rhythms_learned: off}}")
	for i, b := range books {
		if books[i], err = s.PutPolicy(t.Context(), b, "test"); err != nil {
			t.Fatal(err)
		}
		// 40 hours still: over under 30 hours, not over under 3 days.
		moving(t, s, b.Name, books[i].Policy, 40*time.Hour)
	}
	// 200 parcels, each of which stood still for 30 hours once.
	for _, sql := range []string{
		`insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at, closed) select 'acme:o' || i, 'acme', 'o' || i, '{}', '', i::text::bytea, 'c', 'routine', now(), true from generate_series(1, 200) i`,
		`insert into parcels (order_id, id, position, carrier, tracking, milestone, since) select 'acme:o' || i, 'p', 0, 'ups', 'O' || i, 'delivered', now() - interval '1 day' from generate_series(1, 200) i`,
		`insert into inbox (source, event_id, kind, order_id, parcel_id, milestone, physical, occurred_at, due_at, sent_at)
			select 'carrier:ups', i || '-' || k, 'carrier_event', 'acme:o' || i, 'p', case k when 2 then 'delivered' else 'in_transit' end, true, now() - interval '1 day' - (2 - k) * interval '30 hours', now(), now()
			from generate_series(1, 200) i, generate_series(0, 2) k`,
	} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var asked []string
	var out strings.Builder
	l := learner{store: s, now: time.Now, out: &out, ask: func(_ context.Context, id string, e order.Event) (order.View, error) {
		asked = append(asked, id+" "+e.(order.AdoptPolicy).Actor)
		return order.View{}, nil
	}}
	list, _, figures, err := l.propose(t.Context(), time.Now())
	if err != nil || figures != 1 || len(list) != 3 { // the default policy as well
		t.Fatalf("%d figures, %+v, %v", figures, list, err)
	}
	i := slices.IndexFunc(list, func(p store.RhythmProposal) bool { return p.Policy == "shop" })
	want := store.RhythmProposal{Proposal: rhythm.Proposal{Policy: "shop", Current: 72 * time.Hour, Gap: 30 * time.Hour,
		Measured: rhythm.Measured{Scope: rhythm.Scope{Carrier: "ups"}, N: 200, P50: 30 * time.Hour, P95: 30 * time.Hour}}, Orders: 1, Ending: 1}
	if i < 0 || list[i] != want {
		t.Fatalf("%+v", list)
	}
	show(&out, list[i:i+1])
	if want := "shop: ups: 30 h instead of 3 d; of 200 parcels half stood still for 30h0m0s at most and 95 % for 30h0m0s; 1 open orders, 1 waits would end at once"; !strings.Contains(out.String(), want) {
		t.Errorf("%s", out.String())
	}
	if open, err := s.Proposals(t.Context(), true, 10); err != nil || len(open) > 0 {
		t.Errorf("a look wrote %+v, %v", open, err)
	}

	for night := range 2 {
		done, err := l.Learn(t.Context(), func() {})
		if err != nil || done.Applied != 1-night || done.Proposals != 2 || !slices.Equal(done.Adopt, []string{"fast"}) {
			t.Fatalf("night %d: %+v, %v", night, done, err)
		}
	}
	fast, err := s.Policy(t.Context(), "fast")
	if err != nil || fast.Version != 2 || len(fast.Rhythms) != 1 || fast.Rhythms[0] != (order.Rhythm{Carrier: "ups", Gap: order.Duration(30 * time.Hour), Learned: true}) {
		t.Errorf("%+v, %v", fast.Rhythms, err)
	}
	if shop, err := s.Policy(t.Context(), "shop"); err != nil || shop.Version != 1 {
		t.Errorf("v%d, %v", shop.Version, err)
	}
	if moved, err := l.Adopt(t.Context(), "fast", func() {}); err != nil || moved != 1 || !slices.Equal(asked, []string{"acme:fast engine:learn"}) {
		t.Errorf("%d moved, asked %v, %v", moved, asked, err)
	}
	// The same file again leaves what was learned.
	a := applier{store: s, out: &out, actor: policyActor, ask: l.ask}
	if err := a.apply(t.Context(), parsed(t, "policies: {fast: {movement: 3d, rhythms_learned: automatic, pick: 1h}}"), true, time.Now()); err != nil {
		t.Fatal(err)
	}
	if fast, err := s.Policy(t.Context(), "fast"); err != nil || fast.Version != 3 || len(fast.Rhythms) != 1 {
		t.Errorf("v%d: %+v, %v", fast.Version, fast.Rhythms, err)
	}
}

// A policy that takes rhythms by itself takes none that a person wrote, and none at
// all when they would end many waits.
func TestAutomaticHasItsBounds(t *testing.T) {
	s := storetest.New(t)
	book, err := s.PutPolicy(t.Context(), parsed(t, "policies: {fast: {rhythms_learned: automatic}}")[0], "test")
	if err != nil {
		t.Fatal(err)
	}
	l := learner{store: s}
	for name, c := range map[string]struct {
		p    store.RhythmProposal
		want int
	}{
		"written":    {store.RhythmProposal{Proposal: rhythm.Proposal{Written: true}}, 0},
		"many waits": {store.RhythmProposal{Ending: endingLimit + 1}, 0},
		"few waits":  {store.RhythmProposal{Ending: endingLimit}, 1},
	} {
		p := c.p
		p.Policy, p.Carrier, p.N, p.Gap, p.Current = "fast", "ups", 500, 30*time.Hour, 72*time.Hour
		list, err := s.PutProposals(t.Context(), []store.RhythmProposal{p}, time.Now().UTC())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := l.apply(t.Context(), book, list, time.Now().UTC()); err != nil || n != c.want {
			t.Errorf("%s: %d applied, %v", name, n, err)
		}
	}
}
