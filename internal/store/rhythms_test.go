package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

var learnedAt = time.Date(2026, 11, 20, 3, 30, 0, 0, time.UTC)

// said is one event of a parcel.
type said struct {
	source    string
	at        time.Time
	milestone order.Milestone
	physical  bool
}

// journey is a parcel that arrived, and what was said of it.
type journey struct {
	carrier, service, from, to string
	events                     []said
	milestone                  order.Milestone
	since                      time.Time
}

// travelled writes journeys as orders, parcels and inbox rows, in another order than
// that in which they happened.
func (f feeds) travelled(list []journey) {
	f.Helper()
	var orders, parcels, events [][]any
	for i, j := range list {
		id := fmt.Sprintf("acme:%d", i)
		orders = append(orders, []any{id, "acme", fmt.Sprint(i), fmt.Appendf(nil, `{"ship_from": %q, "ship_to": %q}`, j.from, j.to), []byte{}, []byte(id), "c", "routine", j.since})
		parcels = append(parcels, []any{id, "p", 0, j.carrier, j.service, fmt.Sprint("N", i), string(j.milestone), j.since})
		for k, e := range j.events {
			events = append(events, []any{e.source, fmt.Sprint(i, "-", k), "carrier_event", id, "p", string(e.milestone), e.physical, e.at, e.at})
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for _, c := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"orders", []string{"id", "store", "number", "spec", "request_hash", "token_hash", "customer_ref", "class", "placed_at"}, orders},
		{"parcels", []string{"order_id", "id", "position", "carrier", "service", "tracking", "milestone", "since"}, parcels},
		{"inbox", []string{"source", "event_id", "kind", "order_id", "parcel_id", "milestone", "physical", "occurred_at", "due_at"}, events},
	} {
		if _, err := f.db.CopyFrom(f.Context(), pgx.Identifier{c.table}, c.columns, pgx.CopyFromRows(c.rows)); err != nil {
			f.Fatal(c.table, err)
		}
	}
}

func weekdays() order.Calendar {
	c := order.Calendar{Name: "days", Zone: "UTC", Offsets: []order.Offset{{}}, Holidays: []order.Date{20261111}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Week[d] = order.Hours{Open: 6 * 60, Close: 22 * 60}
	}
	return c
}

// The oracle: a parcel's longest stay, from each movement to the next.
func stillness(j journey, on *order.Calendar) (longest time.Duration) {
	for i, e := range j.events[:len(j.events)-1] {
		if slices.Contains([]order.Milestone{order.Accepted, order.InTransit, order.AttemptFailed, order.Returning}, e.milestone) {
			longest = max(longest, on.Between(e.at, j.events[i+1].at))
		}
	}
	return longest
}

func percentile(ds []time.Duration, p float64) time.Duration {
	slices.Sort(ds)
	n := int(p * float64(len(ds)))
	if float64(n) < p*float64(len(ds)) {
		n++
	}
	return ds[n-1]
}

func TestStillnessIsMeasuredAsTheOracleSays(t *testing.T) {
	f := newFeeds(t)
	r := rand.New(rand.NewPCG(7, 8))
	days := weekdays()
	clocks := []*order.Calendar{nil, &days}
	lanes := []rhythm.Lane{{Name: "EUR-US", From: []string{"DE", "FR"}, To: []string{"US"}}, {Name: "*-DE", To: []string{"DE"}}}
	var list []journey
	for i := range 1500 {
		j := journey{carrier: []string{"ups", "dhl"}[i%2], service: []string{"", "ground", "air"}[r.IntN(3)], from: []string{"DE", "FR", "US", ""}[r.IntN(4)], to: []string{"DE", "US"}[r.IntN(2)]}
		at := learnedAt.Add(-time.Duration(r.Int64N(int64(70*24*time.Hour))) - 12*24*time.Hour)
		for k := range 2 + r.IntN(9) {
			m := []order.Milestone{order.InTransit, order.InTransit, order.InTransit, order.AttemptFailed, order.OutForDelivery, order.InCustoms}[r.IntN(6)]
			if k == 0 {
				m = order.Accepted
			}
			j.events = append(j.events, said{"carrier:" + j.carrier, at.Truncate(time.Second), m, m != order.InCustoms})
			at = at.Add(time.Duration(r.Int64N(int64(40 * time.Hour))))
		}
		j.milestone, j.since = order.Delivered, at.Truncate(time.Second)
		j.events = append(j.events, said{"carrier:" + j.carrier, j.since, order.Delivered, true})
		list = append(list, j)
	}
	want := map[string]string{}
	for n, on := range clocks {
		groups := map[[4]any][]time.Duration{}
		for _, j := range list {
			d := stillness(j, on)
			scopes := map[[4]any]bool{{j.carrier, "", "", -1}: true, {j.carrier, j.service, "", -1}: true}
			if j.from != "" {
				scopes[[4]any{j.carrier, j.service, j.from + "-" + j.to, -1}] = true
			}
			if (j.from == "DE" || j.from == "FR") && j.to == "US" {
				scopes[[4]any{j.carrier, j.service, "EUR-US", 0}] = true
			}
			if j.to == "DE" {
				scopes[[4]any{j.carrier, j.service, "*-DE", 1}] = true
			}
			for s := range scopes {
				groups[s] = append(groups[s], d)
			}
		}
		for s, ds := range groups {
			if len(ds) >= rhythm.MinSamples {
				want[fmt.Sprint(n, s)] = fmt.Sprint(len(ds), percentile(ds, 0.5), percentile(ds, 0.95))
			}
		}
	}
	if len(want) < 20 {
		t.Fatalf("only %d groups are large enough: the test says little", len(want))
	}

	// None of these may count: a second source that knows less, what a silence
	// touches, what arrived before or has not arrived, what was corrected.
	for i := range 100 {
		list[i].events = append(list[i].events, said{"carrier:easypost", list[i].events[0].at, order.InTransit, true}, said{"carrier:easypost", list[i].since, order.Delivered, true})
	}
	other := func(carrier string, begin time.Time, end order.Milestone) journey {
		return journey{carrier: carrier, service: "ground", from: "DE", to: "US", milestone: end, since: begin.Add(9 * 24 * time.Hour),
			events: []said{{"carrier:" + carrier, begin, order.Accepted, true}, {"carrier:" + carrier, begin.Add(9 * 24 * time.Hour), order.InTransit, true}}}
	}
	for i := range 200 {
		list = append(list, other("ups", learnedAt.Add(-200*24*time.Hour), order.Delivered), other("ups", learnedAt.Add(-30*24*time.Hour), order.InTransit),
			other("fedex", learnedAt.Add(-30*24*time.Hour).Add(time.Duration(i)*time.Minute), order.Delivered))
	}
	f.travelled(list)
	f.exec(`insert into faults (kind, key, title, count, opened_at, last_at, closed_at) values ('silent_feed', 'fedex', 't', 1, $1, $1, $2)`, learnedAt.Add(-25*24*time.Hour), learnedAt.Add(-24*24*time.Hour))
	f.exec(`analyze`)

	got, err := f.Stillness(t.Context(), learnedAt.Add(-rhythm.Window), learnedAt, clocks, lanes)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		key, value := fmt.Sprint(m.Clock, [4]any{m.Carrier, m.Service, m.Scope.Lane, m.Lane}), fmt.Sprint(m.N, m.P50, m.P95)
		if want[key] != value {
			t.Errorf("%s: %s, want %q", key, value, want[key])
		}
		delete(want, key)
	}
	for key, value := range want {
		t.Errorf("%s: nothing, want %s", key, value)
	}
}

func offered(policy, carrier string, gap time.Duration) store.RhythmProposal {
	return store.RhythmProposal{Proposal: rhythm.Proposal{Policy: policy, Current: 72 * time.Hour, Gap: gap,
		Measured: rhythm.Measured{Scope: rhythm.Scope{Carrier: carrier}, N: 500, P50: time.Hour, P95: gap}}, Orders: 3, Ending: 1}
}

func decision(id string) store.Audit {
	return store.Audit{ID: id, Action: "rhythm", Actor: "key:ann", Role: "ops", Reason: "looks right", Request: []byte(`{}`)}
}

func TestAProposalIsDecidedOnce(t *testing.T) {
	s, ctx := storetest.New(t), t.Context()
	p := order.DefaultPolicy()
	p.Name = "shop"
	if _, err := s.PutPolicy(ctx, order.PolicyBook{Policy: p}, "test"); err != nil {
		t.Fatal(err)
	}
	first, err := s.PutProposals(ctx, []store.RhythmProposal{offered("shop", "ups", 30*time.Hour), offered("shop", "dhl", 48*time.Hour), offered("shop", "gls", 24*time.Hour), offered("default", "ups", 30*time.Hour)}, learnedAt)
	if err != nil || len(first) != 4 {
		t.Fatalf("%v, %v", first, err)
	}
	by := func(list []store.RhythmProposal, policy, carrier string) store.RhythmProposal {
		t.Helper()
		i := slices.IndexFunc(list, func(p store.RhythmProposal) bool { return p.Policy == policy && p.Carrier == carrier })
		if i < 0 {
			t.Fatalf("no proposal for %s in %s", carrier, policy)
		}
		return list[i]
	}
	// The next night: one is the same line, one is gone.
	next, err := s.PutProposals(ctx, []store.RhythmProposal{offered("shop", "ups", 36*time.Hour), offered("shop", "dhl", 48*time.Hour), offered("default", "ups", 30*time.Hour)}, learnedAt.Add(24*time.Hour))
	if err != nil || len(next) != 3 {
		t.Fatalf("%v, %v", next, err)
	}
	ups, dhl := by(next, "shop", "ups"), by(next, "shop", "dhl")
	if ups.ID != by(first, "shop", "ups").ID || ups.Gap != 36*time.Hour || ups.Orders != 3 || ups.Ending != 1 || ups.Current != 72*time.Hour || ups.N != 500 {
		t.Errorf("%+v", ups)
	}
	// What somebody saw yesterday is not what is proposed today.
	conflict := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = s.AcceptProposals(ctx, "shop", []store.Seen{{ID: ups.ID, Gap: 30 * time.Hour}}, decision("aud_1"), learnedAt)
	conflict("another gap", err)
	_, err = s.AcceptProposals(ctx, "shop", []store.Seen{{ID: ups.ID, Gap: ups.Gap}, {ID: by(next, "default", "ups").ID, Gap: 30 * time.Hour}}, decision("aud_2"), learnedAt)
	conflict("another policy", err)
	if _, err = s.AcceptProposals(ctx, "shop", []store.Seen{{ID: 99999, Gap: time.Hour}}, decision("aud_3"), learnedAt); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
	for range 2 { // a repeat is the same
		book, err := s.AcceptProposals(ctx, "shop", []store.Seen{{ID: ups.ID, Gap: ups.Gap}}, decision("aud_4"), learnedAt)
		if err != nil || book.Version != 2 || len(book.Rhythms) != 1 || !book.Rhythms[0].Learned || book.Rhythms[0].Gap != order.Duration(36*time.Hour) {
			t.Fatalf("%+v, %v", book, err)
		}
	}
	_, err = s.DeclineProposal(ctx, store.Seen{ID: ups.ID, Gap: ups.Gap}, decision("aud_5"), learnedAt)
	conflict("declined after it was accepted", err)
	for range 2 {
		if p, err := s.DeclineProposal(ctx, store.Seen{ID: dhl.ID, Gap: dhl.Gap}, decision("aud_6"), learnedAt); err != nil || p.Decision != "declined" {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	declined, err := s.Declined(ctx)
	if err != nil || len(declined) != 1 || declined[0].Carrier != "dhl" {
		t.Errorf("%+v, %v", declined, err)
	}
	open, err := s.Proposals(ctx, true, 10)
	if err != nil || len(open) != 1 || open[0].Policy != "default" {
		t.Errorf("%+v, %v", open, err)
	}
	decided, err := s.Proposals(ctx, false, 10)
	if err != nil || len(decided) != 2 || by(decided, "shop", "ups").Version != 2 || by(decided, "shop", "ups").DecidedBy != "key:ann" {
		t.Errorf("%+v, %v", decided, err)
	}
	names, err := s.LearnedNewest(ctx)
	if err != nil || !slices.Equal(names, []string{"shop"}) {
		t.Errorf("%v, %v", names, err)
	}
	books, err := s.Policies(ctx)
	if err != nil || len(books) != 2 || books[0].Version != 2 || books[1].Name != "default" {
		t.Errorf("%+v, %v", books, err)
	}
	p.Pick = order.Duration(time.Hour)
	if _, err := s.PutPolicy(ctx, order.PolicyBook{Policy: p}, "test"); err != nil {
		t.Fatal(err)
	}
	if names, err := s.LearnedNewest(ctx); err != nil || len(names) > 0 {
		t.Errorf("%v, %v", names, err)
	}
}

// A night's work goes by the parcels that arrived, however much else there is.
// WAYBILL_TEST_PARCELS says how many; each has 25 events.
func TestTheNightReadsOnlyWhatArrived(t *testing.T) {
	f := newFeeds(t)
	n := 2000
	if v, err := strconv.Atoi(os.Getenv("WAYBILL_TEST_PARCELS")); err == nil {
		n = v
	}
	days := weekdays()
	for _, sql := range []string{
		`insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at)
			select 'acme:' || i, 'acme', i, '{"ship_from": "DE", "ship_to": "US"}', '', i::text::bytea, 'c', 'routine', $1 from generate_series(1, $2::int) i`,
		`insert into parcels (order_id, id, position, carrier, service, tracking, milestone, since)
			select 'acme:' || i, 'p', 0, 'ups', 'ground', 'N' || i, case when i % 10 = 0 then 'in_transit' else 'delivered' end,
				$1::timestamptz - (case when i % 2 = 0 then 200 else 20 end + i % 50) * interval '1 day' from generate_series(1, $2::int) i`,
		`insert into inbox (source, event_id, kind, order_id, parcel_id, milestone, physical, occurred_at, due_at)
			select 'carrier:ups', i || '-' || k, 'carrier_event', 'acme:' || i, 'p', case when k = 25 then 'delivered' else 'in_transit' end, true, p.since - (25 - k) * (5 + i % 7) * interval '1 hour', now()
			from generate_series(1, 25) k, generate_series(1, $2::int) i join parcels p on p.order_id = 'acme:' || i where $1::timestamptz is not null`,
	} {
		f.exec(sql, learnedAt, n)
	}
	f.exec(`analyze`)
	f.exec(`set enable_seqscan = off`)
	f.exec(`set work_mem = '64MB'`)
	f.exec(`set jit = off`)
	f.exec(`set enable_mergejoin = off`)
	statement, args := store.ExplainStillness(learnedAt.Add(-rhythm.Window), learnedAt, []*order.Calendar{nil, &days})
	rows, err := f.db.Query(t.Context(), "explain (analyze, buffers, settings) "+statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan := strings.Join(lines, "\n")
	t.Logf("%d parcels\n%s", n, plan)
	if !strings.Contains(plan, "parcels_arrived") || !strings.Contains(plan, "inbox_order") || strings.Contains(plan, "Seq Scan on inbox") || strings.Contains(plan, "Seq Scan on parcels") {
		t.Errorf("%s", plan)
	}
}
