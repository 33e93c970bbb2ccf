// Package speed measures the two hot ways through the API, over HTTP and with a
// real PostgreSQL: what carriers post, and what buyers read. The server that
// storetest starts does not sync; for figures that mean something, name one
// that does:
//
//	WAYBILL_TEST_DATABASE_URL=postgres://... go test ./api/speed -run - -bench .
package speed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f == nil || f.Value.String() == "" {
		os.Exit(m.Run()) // no PostgreSQL for nothing
	}
	storetest.Main(m)
}

// nobody runs orders: what is measured must not ask Temporal.
type nobody struct{}

func (nobody) Ask(context.Context, string, order.Event) (order.View, error) {
	panic("asked a running order")
}

func (nobody) Reopen(context.Context, order.Spec, order.Event) (order.View, error) {
	panic("asked a closed order")
}

func (nobody) View(context.Context, string) (order.View, error) { panic("asked a running order") }

type rig struct {
	store    *store.Store
	database string
	links    links.Links
	url, key string
	http     *http.Client
	later    atomic.Int64 // minutes that the pages are ahead
}

func newRig(b *testing.B) *rig {
	b.Helper()
	return newRigOn(b, func(s *store.Store) api.Store { return s })
}

func newRigOn(b *testing.B, wrap func(*store.Store) api.Store) *rig {
	b.Helper()
	r := &rig{database: storetest.URL(b)}
	var err error
	if r.store, err = store.Open(b.Context(), r.database); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.store.Close)
	key, text, err := api.NewKey("speed", []string{api.Admin}, "")
	if err == nil {
		err = r.store.AddKey(b.Context(), key)
	}
	if err == nil {
		err = r.store.PutStore(b.Context(), store.StoreRow{ID: "acme", Name: "Acme", BrandColor: "#1f4f8f"})
	}
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	r.key, r.url = text, "http://"+l.Addr().String()
	r.links = links.Links{PublicURL: r.url, TemporalUIURL: r.url, Namespace: "speed", Secret: []byte("a secret for measuring, 32 or more bytes")}
	log := slog.New(slog.DiscardHandler)
	server := api.New(api.Deps{Store: wrap(r.store), Orders: nobody{}, Log: log, Links: r.links, Registry: prometheus.NewRegistry(), WebhookSecrets: map[string][][]byte{"easypost": {[]byte(webhookSecret)}}})
	pages.Mount(server.Echo, pages.Deps{Store: r.store, Intake: &intake.Intake{Store: r.store}, Links: r.links, Log: log, Secret: r.links.Secret, VerifyKey: server.VerifyKey,
		Now: func() time.Time { return time.Now().Add(time.Duration(r.later.Load()) * time.Minute) }})
	h := &http.Server{Handler: server.Echo, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = h.Serve(l) }()
	b.Cleanup(func() { _ = h.Close() })
	r.http = &http.Client{Transport: &http.Transport{MaxIdleConns: 512, MaxIdleConnsPerHost: 512}}
	return r
}

func (r *rig) do(method, path string, body []byte) error {
	q, err := http.NewRequest(method, r.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		q.Header.Set("Authorization", "Bearer "+r.key)
		q.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/webhooks/") {
			mac := hmac.New(sha256.New, []byte(webhookSecret))
			mac.Write(body)
			q.Header.Set("X-Hmac-Signature", "hmac-sha256-hex="+hex.EncodeToString(mac.Sum(nil)))
		}
	}
	res, err := r.http.Do(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", res.Status, answer)
	}
	return err
}

// flights runs f b.N times, so many at once, and reports how long it took at
// the 99th percentile.
func flights(b *testing.B, n int, f func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	times := make([]time.Duration, b.N)
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				begun := time.Now()
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(begun)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(times[b.N*99/100].Microseconds())/1000, "p99-ms")
}

func events(seq *atomic.Int64, batch int) []byte {
	body := []byte(`{"events":[`)
	for i := range batch {
		if i > 0 {
			body = append(body, ',')
		}
		n := seq.Add(1)
		body = fmt.Appendf(body, `{"id":"run-%d","location":"Hub 7","milestone":"in_transit","occurred_at":"2026-03-02T09:00:00.000000Z","physical":true,"tracking":"NOBODY%06d"}`, n, n%5000)
	}
	return append(body, "]}"...)
}

func BenchmarkCarrierEvents(b *testing.B) {
	for _, c := range []struct{ batch, flight int }{{1, 128}, {100, 8}} {
		b.Run(fmt.Sprint(c.batch), func(b *testing.B) {
			r := newRig(b)
			var seq atomic.Int64
			if err := r.do(http.MethodPost, "/v1/carriers/sim/events", events(&seq, c.batch)); err != nil {
				b.Fatal(err)
			}
			flights(b, c.flight, func(int) error { return r.do(http.MethodPost, "/v1/carriers/sim/events", events(&seq, c.batch)) })
			b.ReportMetric(float64(b.N*c.batch)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

const webhookSecret = "a secret for measuring"

// forgetful keeps no bodies.
type forgetful struct{ *store.Store }

func (f forgetful) AcceptBody(ctx context.Context, _ store.RawBody, facts []store.Fact) ([]store.Result, error) {
	return f.Accept(ctx, facts)
}

// push is a webhook of 2 to 3 kB that tells one event: most of it is the
// tracker's description, as in what EasyPost sends.
func push(n int64) []byte {
	return fmt.Appendf(nil, `{"object":"Event","description":"tracker.updated","mode":"production","previous_attributes":{"status":"pre_transit","note":%[1]q},
"result":{"object":"Tracker","tracking_code":"NOBODY%06[2]d","status":"in_transit","fees":[{"object":"Fee","type":"TrackerFee","note":%[3]q}],
"tracking_details":[{"object":"TrackingDetail","status":"in_transit","message":"Departed hub %[4]d","datetime":"2026-03-02T09:00:00Z","tracking_location":{"city":"Springfield %[4]d","country":"US"}}]}}`,
		strings.Repeat("shipped on request ", 50), n%5000, strings.Repeat("as agreed upon ", 60), n)
}

// BenchmarkWebhooks posts signed pushes one by one, with their bodies kept and
// without.
func BenchmarkWebhooks(b *testing.B) {
	for _, kept := range []bool{true, false} {
		b.Run(fmt.Sprint("kept=", kept), func(b *testing.B) {
			r := newRigOn(b, func(s *store.Store) api.Store {
				if kept {
					return s
				}
				return forgetful{s}
			})
			var seq atomic.Int64
			flights(b, 128, func(int) error { return r.do(http.MethodPost, "/webhooks/easypost", push(seq.Add(1))) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pushes/s")
		})
	}
}

// BenchmarkPostgresAlone inserts equal rows in equal batches, with no HTTP, JSON
// or routing before it: the measure for the batches above.
func BenchmarkPostgresAlone(b *testing.B) {
	pool, err := pgxpool.New(b.Context(), storetest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	var seq atomic.Int64
	const batch = 100
	flights(b, 8, func(int) error {
		ids, numbers := make([]string, batch), make([]string, batch)
		for i := range ids {
			n := seq.Add(1)
			ids[i], numbers[i] = fmt.Sprintf("run-%d", n), fmt.Sprintf("NOBODY%06d", n%5000)
		}
		_, err := pool.Exec(context.Background(), `insert into inbox (source, event_id, kind, carrier, tracking, milestone, physical, occurred_at, location, due_at)
			select 'carrier:sim', i, 'carrier_event', 'sim', t, 'in_transit', true, '2026-03-02T09:00:00Z', 'Hub 7', now() from unnest($1::text[], $2::text[]) as u (i, t)`, ids, numbers)
		return err
	})
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
}

// deliver makes an order that had 6 scans and 25 carrier events.
func (r *rig) deliver(ctx context.Context, number string) error {
	placed := time.Now().Add(-72 * time.Hour).UTC().Truncate(time.Microsecond)
	id := "acme:" + number
	token := r.links.Token(id)
	hash := sha256.Sum256([]byte(number))
	spec := order.Spec{ID: id, Store: "acme", Number: number, Class: order.Routine, PlacedAt: placed, PromisedAt: placed.Add(120 * time.Hour), CustomerRef: id,
		Lines: []order.Line{{SKU: "SKU-1", Quantity: 2}}, Policy: order.DefaultPolicy(),
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "sim", Tracking: "SIM" + number, Lines: []order.Allocation{{SKU: "SKU-1", Quantity: 2}}}}}
	if _, err := r.store.CreateOrder(ctx, store.NewOrder{Spec: spec, TokenHash: links.TokenHash(token), RequestHash: hash[:]}); err != nil {
		return err
	}
	var facts []store.Fact
	for _, k := range []order.ScanKind{order.ScanReceived, order.ScanPicked, order.ScanPacked, order.ScanSorted, order.ScanLabelled, order.ScanHandedOver} {
		facts = append(facts, store.Fact{Source: "warehouse", Kind: store.KindScan, Milestone: string(k), RefOrder: id, RefParcel: "1"})
	}
	road := slices.Concat([]order.Milestone{order.Accepted}, slices.Repeat([]order.Milestone{order.InTransit}, 7), []order.Milestone{order.InCustoms},
		slices.Repeat([]order.Milestone{order.InTransit}, 12), []order.Milestone{order.OutForDelivery, order.AttemptFailed, order.OutForDelivery, order.Delivered})
	for _, m := range road {
		facts = append(facts, store.Fact{Source: "carrier:sim", Kind: store.KindCarrierEvent, Milestone: string(m), Physical: true, Carrier: "sim", Tracking: "SIM" + number})
	}
	st := order.New(spec, order.CurrentRules, placed)
	for i := range facts {
		f := &facts[i]
		f.EventID, f.OccurredAt = fmt.Sprintf("%s-%d", number, i), placed.Add(time.Duration(i+1)*2*time.Hour)
		f.LocalTime, f.UTCOffset, f.TimeBasis, f.Location = f.OccurredAt.Format("2006-01-02T15:04:05"), "+00:00", "offset", "Hub, Springfield"
		switch e := f.Event("1").(type) {
		case order.Scan:
			e.N, e.Received, e.Applied = int64(i+1), f.OccurredAt, f.OccurredAt
			order.Apply(&st, e)
		case order.CarrierEvent:
			e.N, e.Received, e.Applied = int64(i+1), f.OccurredAt, f.OccurredAt
			order.Apply(&st, e)
		}
	}
	if _, err := r.store.Accept(ctx, facts); err != nil {
		return err
	}
	return r.store.Project(ctx, &st)
}

// BenchmarkTrackingPage reads pages again, and such that were never drawn before.
func BenchmarkTrackingPage(b *testing.B) {
	b.Run("again", func(b *testing.B) { readPages(b, false) })
	b.Run("anew", func(b *testing.B) { readPages(b, true) })
}

func readPages(b *testing.B, anew bool) {
	b.Helper()
	r := newRig(b)
	paths := make([]string, 40)
	for i := range paths {
		if err := r.deliver(b.Context(), fmt.Sprintf("N%d", i)); err != nil {
			b.Fatal(err)
		}
		paths[i] = "/t/" + r.links.Token(fmt.Sprintf("acme:N%d", i))
	}
	flights(b, 16, func(i int) error {
		if anew && i%len(paths) == 0 {
			r.later.Add(1) // a page is good for the minute that it says it is of
		}
		return r.do(http.MethodGet, paths[i%len(paths)], nil)
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}
