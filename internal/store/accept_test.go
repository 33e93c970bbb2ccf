package store_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// BenchmarkAccept takes in batches of 100 facts from eight callers: as nearly all
// are, as carriers push them, with something beside one in twenty, and with
// something beside each. Before them PostgreSQL alone inserts equal rows. The clock
// says little on a busy machine, the processor time of PostgreSQL more.
func BenchmarkAccept(b *testing.B) {
	var seq atomic.Int64
	facts := func(each func(f *store.Fact, n int64)) []store.Fact {
		facts := make([]store.Fact, 100)
		for i := range facts {
			n := seq.Add(1)
			facts[i] = event(fmt.Sprint("e", n), fmt.Sprint("T", n%5000), order.InTransit)
			facts[i].LocalTime, facts[i].UTCOffset, facts[i].TimeBasis = "2026-03-02T11:00:00", "+00:00", "offset"
			if each != nil {
				each(&facts[i], n)
			}
		}
		return facts
	}
	run := func(b *testing.B, url string, insert func([]store.Fact) error, each func(*store.Fact, int64)) {
		pool, err := pgxpool.New(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		b.SetParallelism(4)
		before := processor(b, pool)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := insert(facts(each)); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "facts/s")
		if spent := processor(b, pool) - before; spent > 0 {
			b.ReportMetric(float64(spent.Nanoseconds())/1000/float64(100*b.N), "pg-µs/fact")
		}
	}
	b.Run("postgres alone", func(b *testing.B) {
		url := storetest.URL(b)
		pool, err := pgxpool.New(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		run(b, url, func(facts []store.Fact) error {
			ids, numbers := make([]string, len(facts)), make([]string, len(facts))
			for i, f := range facts {
				ids[i], numbers[i] = f.EventID, f.Tracking
			}
			_, err := pool.Exec(context.Background(), `insert into inbox (source, event_id, kind, carrier, tracking, milestone, physical, occurred_at, local_time, utc_offset, due_at)
                select 'carrier:ups', i, 'carrier_event', 'ups', t, 'in_transit', true, '2026-03-02T11:00:00Z', '2026-03-02T11:00:00', '+00:00', now() from unnest($1::text[], $2::text[]) as u (i, t)`, ids, numbers)
			return err
		}, nil)
	})
	beside := func(every int64) func(*store.Fact, int64) {
		return func(f *store.Fact, n int64) {
			if n%every == 0 {
				f.Aside, f.Signer = store.Aside{Held: "name, photo"}, store.Signer{Name: "ANN LEE"}
			}
		}
	}
	for _, c := range []struct {
		name string
		each func(*store.Fact, int64)
	}{{"plain", nil}, {"as pushed", func(f *store.Fact, n int64) {
		f.Code, f.Description, f.Location = fmt.Sprint("table ", n%9), fmt.Sprint("Arrived at facility ", n%9), fmt.Sprint("Hub ", n%50)
		f.OccurredAt, f.LocalTime = f.OccurredAt.Add(time.Duration(n%600)*time.Second), fmt.Sprint("2026-03-02T11:00:", n%600)
	}}, {"beside 1 in 20", beside(20)}, {"beside each", beside(1)}} {
		b.Run(c.name, func(b *testing.B) {
			url := storetest.URL(b)
			s, err := store.Open(b.Context(), url)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			run(b, url, func(facts []store.Fact) error {
				_, err := s.Accept(context.Background(), facts)
				return err
			}, c.each)
		})
	}
}

// processor is the time that the database's sessions have run so far, where the
// system says so.
func processor(b *testing.B, pool *pgxpool.Pool) (spent time.Duration) {
	rows, err := pool.Query(context.Background(), `select pid from pg_stat_activity where datname = current_database()`)
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			return 0
		}
		ns, _, _ := strings.Cut(string(raw), " ")
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			return 0
		}
		spent += time.Duration(n)
	}
	return spent
}
