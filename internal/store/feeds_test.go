package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

var ups = feed.Settings{Name: "ups-main", Carrier: "ups", Pushes: true, Asks: true, Subscribes: true}

// feeds is a store whose clock can be turned by changing what was written.
type feeds struct {
	*testing.T
	*store.Store
	db *pgx.Conn
}

func newFeeds(t *testing.T) feeds {
	t.Helper()
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
	f := feeds{t, s, db}
	// A database that was made yesterday.
	f.exec(`update feed_rollup set upto = date_trunc('hour', now()) - interval '1 day', n = 0, looked_n = 0, looked_at = now() - interval '1 day'`)
	return f
}

func (f feeds) exec(sql string, args ...any) {
	f.Helper()
	if _, err := f.db.Exec(f.Context(), sql, args...); err != nil {
		f.Fatal(err)
	}
}

func (f feeds) int(sql string, args ...any) (n int) {
	f.Helper()
	if err := f.db.QueryRow(f.Context(), sql, args...).Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

// push accepts an event that was received a while ago.
func (f feeds) push(id, tracking, actor string, ago time.Duration) {
	f.Helper()
	e := event(id, tracking, order.InTransit)
	e.Actor = actor
	accept(f.T, f.Store, e)
	f.exec(`update inbox set received_at = now() - $2::interval where event_id = $1`, id, ago)
}

func (f feeds) rollUp() time.Time {
	f.Helper()
	upto, err := f.RollUpFeeds(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return upto
}

func TestPushesAreCountedOnceAndPollsAreNot(t *testing.T) {
	f := newFeeds(t)
	for i := range 6 {
		f.push(fmt.Sprint("a", i), "1Z1", "webhook", 3*time.Hour) // one minute, at most two
	}
	f.push("b", "1Z2", "key:k1", 5*time.Hour)
	f.push("c", "1Z3", "poll", 2*time.Hour)
	f.push("d", "1Z4", "file", 2*time.Hour)
	f.push("e", "1Z5", "webhook", 0) // not settled yet
	upto := f.rollUp()
	if lag := time.Since(upto); lag < 30*time.Second || lag > 100*time.Second {
		t.Errorf("counted up to %s ago", lag)
	}
	for range 3 {
		f.rollUp()
	}
	hours, err := f.FeedHours(t.Context(), ups.Source())
	if err != nil {
		t.Fatal(err)
	}
	events, minutes := 0, 0
	for _, h := range hours {
		events, minutes = events+h.Events, minutes+h.Minutes
		if !h.Start.Equal(h.Start.Truncate(time.Hour)) || h.Last.Before(h.Start) || h.Last.After(h.Start.Add(time.Hour)) {
			t.Errorf("%+v", h)
		}
	}
	if events != 7 || minutes < 2 || minutes > 3 {
		t.Errorf("%d events in %d minutes: %+v", events, minutes, hours)
	}
	if !slices.IsSortedFunc(hours, func(a, b feed.Hour) int { return a.Start.Compare(b.Start) }) {
		t.Errorf("not in order of time: %+v", hours)
	}
	// Heard of is heard of, by whatever way.
	if n := f.int(`select count(*) from feed_numbers where heard_at is not null`); n != 4 {
		t.Errorf("%d numbers heard of, want 1Z1 to 1Z4", n)
	}
	for since, want := range map[time.Duration]int{6 * time.Hour: 7, time.Hour: 0} {
		if n, err := f.PushedSince(t.Context(), ups.Source(), time.Now().Add(-since)); err != nil || n != want {
			t.Errorf("%d pushed in %s, want %d (%v)", n, since, want, err)
		}
	}
	// What was new before is counted when it is old enough, and an orphan that
	// found its parcel and got a new number is not counted again.
	f.push("f", "1Z6", "webhook", time.Minute)
	f.exec(`update feed_rollup set upto = date_trunc('minute', now()) - interval '10 minutes', looked_at = now() - interval '10 minutes'`)
	f.exec(`update inbox set n = nextval('inbox_n') where event_id in ('a1', 'b')`)
	f.exec(`update inbox set received_at = now() - interval '3 minutes' where event_id in ('e', 'f')`)
	f.rollUp()
	if n := f.int(`select sum(events) from feed_hours`); n != 9 {
		t.Errorf("%d events counted, want 9", n)
	}
}

// Many look at once while events come in: each is counted once.
func TestRollingUpCountsEachOnceWhateverRaces(t *testing.T) {
	f := newFeeds(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := f.RollUpFeeds(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const total = 600
	for i := range total / 20 {
		var facts []store.Fact
		for j := range 20 {
			e := event(fmt.Sprint(i, "-", j), fmt.Sprint("1Z", i), order.InTransit)
			e.Actor = "webhook"
			facts = append(facts, e)
		}
		accept(t, f.Store, facts...)
		// Time goes on: what is there grows older, and so does the last look.
		f.exec(`with old as (update inbox set received_at = received_at - interval '1 minute')
			update feed_rollup set upto = upto - interval '1 minute', looked_at = looked_at - interval '1 minute'`)
		f.exec(`update feed_hours set last_at = last_at - interval '1 minute'`)
	}
	for range 3 { // the last ones settle
		f.exec(`with old as (update inbox set received_at = received_at - interval '1 minute')
			update feed_rollup set upto = upto - interval '1 minute', looked_at = looked_at - interval '1 minute'`)
		f.rollUp()
	}
	close(stop)
	wg.Wait()
	if n := f.int(`select coalesce(sum(events), 0) from feed_hours`); n != total {
		t.Errorf("%d events counted of %d", n, total)
	}
	if n, all := f.int(`select n from feed_rollup`), f.int(`select last_value from inbox_n`); n < all/2 {
		t.Errorf("every look reads from number %d of %d on", n, all)
	}
}

// parcel puts a parcel into the read model.
func (f feeds) parcel(number string, m order.Milestone, age time.Duration, deadline time.Duration) {
	f.Helper()
	id := "acme:" + number
	hash := []byte(number)
	var until *time.Time
	if deadline != 0 {
		at := time.Now().Add(deadline)
		until = &at
	}
	f.exec(`insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at, next_until) values ($1, 'acme', $2, '{}', $3, $3, $1, 'routine', now(), $4) on conflict do nothing`, id, number, hash, until)
	f.exec(`insert into parcels (order_id, id, position, carrier, tracking, milestone, since, bound_at) values ($1, '1', 0, 'ups', $2, $3, now(), now() - $4::interval)`, id, number, string(m), age)
}

func TestOpenParcelsAreThoseThatTheCarrierShouldMove(t *testing.T) {
	f := newFeeds(t)
	want := 0
	for _, d := range order.Definitions {
		f.parcel("1Z-"+string(d.Milestone), d.Milestone, time.Hour, 0)
		if !d.Settled && d.Milestone != order.Expected && d.Milestone != order.Picked && d.Milestone != order.Packed {
			want++
		}
	}
	c, err := f.FeedCounts(t.Context(), ups, time.Now(), time.Time{})
	if err != nil || c.Open != want || c.UnheardHours != 0 || c.Missed != 0 {
		t.Errorf("%+v, %v; want %d open", c, err, want)
	}
	other := ups
	other.Carrier = "fedex"
	if c, err := f.FeedCounts(t.Context(), other, time.Now(), time.Time{}); err != nil || c.Open != 0 {
		t.Errorf("%+v, %v: those of another carrier", c, err)
	}
	// An aggregator's parcels are those that it spoke of.
	easypost := feed.Settings{Name: "easypost", Carrier: "easypost", Aggregates: true}
	if err := f.Asked(t.Context(), easypost, []string{"1Z-in_transit", "1Z-delivered", "unknown"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if c, err := f.FeedCounts(t.Context(), easypost, time.Now(), time.Time{}); err != nil || c.Open != 1 {
		t.Errorf("%+v, %v: one of an aggregator", c, err)
	}
	// Found by the index that is for it.
	f.exec(`set enable_seqscan = off`)
	rows, err := f.db.Query(t.Context(), `explain select count(*) from parcels p where p.carrier = 'ups' and p.tracking <> '' and p.milestone not in ('expected', 'picked', 'packed', 'cancelled', 'lost', 'delivered', 'returned', 'destroyed')`)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "parcels_underway") {
		t.Error(plan, err)
	}
}

func TestParcelsToAskAreThoseInNeed(t *testing.T) {
	f := newFeeds(t)
	now := time.Now()
	f.parcel("1Z1", order.InTransit, 48*time.Hour, 3*time.Hour)
	f.parcel("1Z2", order.InTransit, 72*time.Hour, time.Hour)
	f.parcel("1Z3", order.InTransit, 72*time.Hour, 0)
	f.parcel("1Z4", order.InTransit, 72*time.Hour, time.Minute)
	f.parcel("1Z5", order.Delivered, 72*time.Hour, time.Minute)
	f.parcel("1Z6", order.InTransit, time.Minute, time.Minute)
	f.push("e", "1Z4", "webhook", 20*time.Minute) // heard of
	f.rollUp()
	numbers := func(p feed.Poll) []string {
		t.Helper()
		list, err := f.ParcelsToAsk(t.Context(), ups, p, 100)
		if err != nil {
			t.Fatal(err)
		}
		return feed.Pick(list, 100, 0)
	}
	if got := numbers(feed.Poll{HeardBefore: now.Add(-time.Hour)}); !slices.Equal(got, []string{"1Z2", "1Z1", "1Z3"}) {
		t.Errorf("%q", got)
	}
	if err := f.Asked(t.Context(), ups, []string{"1Z2", "1Z2"}, now); err != nil {
		t.Fatal(err)
	}
	if got := numbers(feed.Poll{HeardBefore: now.Add(-time.Hour)}); !slices.Equal(got, []string{"1Z1", "1Z3"}) {
		t.Errorf("after one was asked for: %q", got)
	}
	// After a silence those that were heard of are asked for as well, but not
	// those that came after it.
	poll := feed.Poll{HeardBefore: now.Add(-time.Hour), AskedBefore: now.Add(-10 * time.Minute)}
	if got := numbers(poll); !slices.Equal(got, []string{"1Z4", "1Z1", "1Z3"}) {
		t.Errorf("after a silence: %q", got)
	}
	if c, err := f.FeedCounts(t.Context(), ups, now, poll.AskedBefore); err != nil || c != (feed.Counts{Open: 5, UnheardDay: 2, UnheardHours: 2, Missed: 3}) {
		t.Errorf("%+v, %v", c, err)
	}
	// Of many, the urgent and the forgotten ones are found.
	list, err := f.ParcelsToAsk(t.Context(), ups, feed.Poll{HeardBefore: now}, 1)
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestSubscriptionsAreMadeAndRenewed(t *testing.T) {
	f := newFeeds(t)
	now := time.Now().Truncate(time.Microsecond)
	f.parcel("1Z1", order.Labelled, time.Hour, 0)
	f.parcel("1Z2", order.InTransit, time.Hour, 0)
	f.parcel("1Z3", order.InTransit, time.Hour, 0)
	f.parcel("1Z4", order.Delivered, time.Hour, 0)
	due := func(at time.Time) []string {
		t.Helper()
		list, err := f.Subscriptions(t.Context(), ups, at, 100)
		if err != nil {
			t.Fatal(err)
		}
		return feed.Due(list, feed.TermsOf("ups"), at)
	}
	if got := due(now); !slices.Equal(got, []string{"1Z1", "1Z2", "1Z3"}) {
		t.Errorf("new: %q", got)
	}
	for _, err := range []error{
		f.Subscribed(t.Context(), ups, []string{"1Z1", "1Z1"}, now, now.Add(14*24*time.Hour)),
		f.Subscribed(t.Context(), ups, []string{"1Z2"}, now, time.Time{}),
		f.Refused(t.Context(), ups, []string{"1Z3"}, now),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := due(now); len(got) != 0 {
		t.Errorf("just made or refused: %q", got)
	}
	// No carrier pushes what happened before the subscription.
	list, err := f.ParcelsToAsk(t.Context(), ups, feed.Poll{HeardBefore: now.Add(-24 * time.Hour)}, 100)
	if err != nil || len(list) != 2 {
		t.Errorf("asked for once after the subscription: %+v, %v", list, err)
	}
	if got := due(now.Add(25 * time.Hour)); !slices.Equal(got, []string{"1Z3"}) {
		t.Errorf("a day later: %q", got)
	}
	if got := due(now.Add(12 * 24 * time.Hour)); !slices.Equal(got, []string{"1Z1", "1Z3"}) && !slices.Equal(got, []string{"1Z3", "1Z1"}) {
		t.Errorf("two days before the end: %q", got)
	}
	usps := feed.Settings{Name: "usps", Carrier: "usps", Subscribes: true}
	f.exec(`update parcels set carrier = 'usps' where tracking = '1Z2'`)
	if err := f.Subscribed(t.Context(), usps, []string{"1Z2"}, now, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]int{20: 0, 26: 1} {
		at := now.Add(time.Duration(days) * 24 * time.Hour)
		list, err := f.Subscriptions(t.Context(), usps, at, 100)
		if err != nil || len(feed.Due(list, feed.TermsOf("usps"), at)) != want {
			t.Errorf("USPS without traffic for %d days: %+v, %v", days, list, err)
		}
	}
}

func TestASilentFeedIsOneFault(t *testing.T) {
	f := newFeeds(t)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i, r := range []feed.Report{
		{Carrier: "ups", Open: true, Title: "ups pushes nothing", Text: "first"},
		{Carrier: "ups", Open: true, Title: "ups pushes nothing", Text: "again"},
		{Carrier: "ups", Text: "pushes come again"},
		{Carrier: "ups", Text: "pushes come again"}, // closed already
	} {
		if err := f.ReportFeed(t.Context(), r, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := time.Time{}
		if r.Open {
			want = at
		}
		if since, err := f.SilentSince(t.Context(), "ups"); err != nil || !since.Equal(want) {
			t.Errorf("report %d: silent since %s, %v", i, since, err)
		}
		if since, err := f.SilentSince(t.Context(), "fedex"); err != nil || !since.IsZero() {
			t.Errorf("another feed is silent since %s, %v", since, err)
		}
	}
	all, err := f.Faults(t.Context(), false, store.FaultCursor{}, 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if x := all[0]; x.Kind != store.SilentFeed || x.Key != "ups" || x.Count != 2 || x.Sample != "again" || x.ClosedAt == nil || x.Resolution != "pushes come again" {
		t.Errorf("%+v", x)
	}
}
