package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
)

type report func(what, got, budget string, ok bool)

func (b *bench) all(ctx context.Context, row report) error {
	for _, group := range []struct {
		name string
		run  func(context.Context, report) error
	}{{"lives", b.lives}, {"accept", b.accept}, {"open", b.manyOpen}} {
		if b.only != "" && b.only != group.name {
			continue
		}
		if err := group.run(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// tally is what lives of one engine took.
type tally struct {
	orders int
	took   time.Duration
	spent  cost
	events int64 // in the history of an order, p95
}

func (t tally) perSecond() float64 { return float64(t.orders) / t.took.Seconds() }

func (t tally) perOrder() time.Duration {
	return t.spent.sum() / time.Duration(t.orders)
}

// run adds n lives of one engine to its tally.
func (b *bench) run(ctx context.Context, kind string, n int, alone bool, t *tally) error {
	id := func(i int) string { return b.name(kind, b.names+i) }
	workflowID := func(i int) string { return id(i) }
	f := func(ctx context.Context, i int) error { return b.rival(ctx, kind, id(i), alone) }
	if kind == "waybill" {
		workflowID = func(i int) string { return "order:bench:" + id(i) }
		f = func(ctx context.Context, i int) error {
			if alone {
				return b.alone(ctx, id(i))
			}
			return b.burst(ctx, id(i))
		}
	}
	before := b.costs()
	took, err := inFlight(ctx, n, b.flight, f)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	spent := b.costs().since(before)
	t.orders, t.took = t.orders+n, t.took+took
	t.spent.here, t.spent.postgres = t.spent.here+spent.here, t.spent.postgres+spent.postgres
	var lengths []int64
	for i := 0; i < n; i += max(1, n/20) {
		l, err := b.historyLength(ctx, workflowID(i))
		if err != nil {
			return err
		}
		lengths = append(lengths, l)
	}
	slices.Sort(lengths)
	t.events = max(t.events, lengths[len(lengths)*95/100])
	b.names += n
	return nil
}

func (b *bench) lives(ctx context.Context, row report) error {
	const warm = 20
	if _, err := inFlight(ctx, warm, warm, func(ctx context.Context, i int) error { // warm all of it up
		if err := b.burst(ctx, b.name("warm", i)); err != nil {
			return err
		}
		return b.rival(ctx, "naive", b.name("warm-naive", i), false)
	}); err != nil {
		return err
	}
	if err := b.pages(ctx, row, "tracking pages", "warm", warm); err != nil {
		return err
	}
	for _, mode := range []struct {
		name                string
		alone               bool
		n                   int
		events              int64
		overNaive, overBare float64
	}{{"burst", false, b.options.orders, 45, 5, 2}, {"alone", true, b.options.alone, 100, 3, 1.5}} {
		// In turns: what an engine leaves behind (timers that fire for nothing,
		// tables that grew) then burdens all alike, and so do the machine's moods.
		var bare, naive, ours tally
		for range b.rounds {
			for _, e := range []struct {
				kind  string
				n     int
				tally *tally
			}{{"bare", mode.n / 3, &bare}, {"naive", mode.n / 3, &naive}, {"waybill", mode.n, &ours}} {
				if err := b.run(ctx, e.kind, e.n/b.rounds, mode.alone, e.tally); err != nil {
					return err
				}
			}
		}
		against := func(what string, rival tally, per, budget float64) {
			ratio := ours.perSecond() / rival.perSecond()
			row(what+", "+mode.name, fmt.Sprintf("%.2fx (%.1f against %.1f; processor %.2fx: %s against %s an order)", ratio, per*ours.perSecond(), per*rival.perSecond(),
				rival.perOrder().Seconds()/ours.perOrder().Seconds(), ours.perOrder().Round(time.Millisecond), rival.perOrder().Round(time.Millisecond)),
				fmt.Sprintf(">= %gx", budget), ratio >= budget)
		}
		row("history events per order, "+mode.name+" (p95)", fmt.Sprintf("%d (naive %d)", ours.events, naive.events), fmt.Sprintf("<= %d", mode.events), ours.events <= mode.events)
		against("orders/s against the naive workflow", naive, 1, mode.overNaive)
		against("events/s against the bare workflow", bare, float64(len(life)), mode.overBare)
		if mode.alone {
			var planned, sent, dropped int
			if err := b.pool.QueryRow(ctx, `select count(*), count(*) filter (where status in ('sent', 'delivered')), count(*) filter (where status = 'dropped') from messages`).Scan(&planned, &sent, &dropped); err != nil {
				return err
			}
			row("messages of all orders so far", fmt.Sprintf("%d planned, %d sent, %d no longer true when their turn came", planned, sent, dropped), "-", sent > 0)
			if err := b.latency(ctx, row, ours.perSecond()*float64(len(life))/2); err != nil {
				return err
			}
		}
	}
	return b.pages(ctx, row, "tracking pages while messages are sent", "latency", latencyOrders)
}

// latencyOrders are how many share the half load.
const latencyOrders = 40

// latency posts events at half load, open loop, and measures from the moment at
// which each should have been posted until its order shows it.
func (b *bench) latency(ctx context.Context, row report, perSecond float64) error {
	const n = latencyOrders
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = b.name("latency", i)
		if err := b.create(ctx, numbers[i]); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	var times []time.Duration
	gap := time.Duration(float64(time.Second) / perSecond)
	start := time.Now()
	total := n * len(life)
	took, err := inFlight(ctx, n, n, func(ctx context.Context, k int) error {
		for i, s := range life {
			due := start.Add(time.Duration(i*n+k) * gap)
			timer := time.NewTimer(time.Until(due))
			<-timer.C
			if err := b.step(ctx, numbers[k], i, s); err != nil {
				return err
			}
			if !s.matters {
				continue
			}
			if err := b.ear.wait(ctx, "bench:"+numbers[k], i+1, false); err != nil {
				return err
			}
			mu.Lock()
			times = append(times, time.Since(due))
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(times)
	p := func(q int) time.Duration { return times[min(len(times)-1, len(times)*q/100)].Round(time.Millisecond) }
	row(fmt.Sprintf("accepted to visible at half load (%.0f events/s)", float64(total)/took.Seconds()), fmt.Sprintf("p50 %s, p99 %s", p(50), p(99)), "p99 < 1s", p(99) < time.Second)
	return nil
}

// rate is how many rows were made durable in how long, and what each took of the
// processor.
type rate struct {
	rows  int64
	took  time.Duration
	spent cost
}

func (r rate) perSecond() float64 { return float64(r.rows) / r.took.Seconds() }

func (r rate) perRow() time.Duration { return r.spent.sum() / time.Duration(max(1, r.rows)) }

// timed has that many callers make rows for the length of a timed row, and adds
// them to the rate.
func (b *bench) timed(ctx context.Context, r *rate, callers int, make func(context.Context) (int, error)) error {
	var rows atomic.Int64
	before, start := b.costs(), time.Now()
	_, err := inFlight(ctx, callers, callers, func(ctx context.Context, _ int) error {
		for time.Since(start) < b.each {
			n, err := make(ctx)
			if err != nil {
				return err
			}
			rows.Add(int64(n))
		}
		return nil
	})
	spent := b.costs().since(before)
	r.rows, r.took = r.rows+rows.Load(), r.took+time.Since(start)
	r.spent.here, r.spent.postgres = r.spent.here+spent.here, r.spent.postgres+spent.postgres
	return err
}

// accept compares what HTTP makes durable with bare signals, and with what
// PostgreSQL alone inserts in equal batches. The two take turns.
func (b *bench) accept(ctx context.Context, row report) error {
	const sinks, batch, callers = 100, 100, 8
	for i := range sinks {
		if _, err := b.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: b.name("sink", i), TaskQueue: rivalQueue}, "sink"); err != nil {
			return err
		}
	}
	took, err := inFlight(ctx, b.signals, 64, func(ctx context.Context, i int) error {
		return b.temporal.SignalWorkflow(ctx, b.name("sink", i%sinks), "", signalName, rivalEvent)
	})
	if err != nil {
		return err
	}
	signals := float64(b.signals) / took.Seconds()
	for i := range sinks {
		if err := b.temporal.SignalWorkflow(ctx, b.name("sink", i), "", signalName, "stop"); err != nil {
			return err
		}
	}
	var seq atomic.Int64
	post := func(batch int) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			first := seq.Add(int64(batch)) - int64(batch)
			// By hand: the client shares the machine with what is measured.
			raw := append(make([]byte, 0, 200*batch), `{"events":[`...)
			for i := range batch {
				if i > 0 {
					raw = append(raw, ',')
				}
				n := first + int64(i)
				raw = append(append(append(raw, `{"id":"`...), b.ran...), '-')
				raw = append(strconv.AppendInt(raw, n, 10), `","tracking":"NOBODY00`...)
				raw = append(strconv.AppendInt(raw, 1000+n%5000, 10), `","milestone":"in_transit","physical":true,"occurred_at":"2026-03-02T09:00:00.000000Z","location":"Hub 7"}`...)
			}
			return batch, b.postRaw(ctx, "/v1/carriers/sim/events", append(raw, "]}"...))
		}
	}
	alone, err := b.postgresAlone(ctx, batch)
	if err != nil {
		return err
	}
	var single, batched, postgres rate
	for range b.rounds {
		for _, turn := range []struct {
			rate    *rate
			callers int
			make    func(context.Context) (int, error)
		}{{&single, 128, post(1)}, {&batched, callers, post(batch)}, {&postgres, callers, alone}} {
			if err := b.timed(ctx, turn.rate, turn.callers, turn.make); err != nil {
				return err
			}
		}
	}
	against := single.perSecond() / signals
	row("carrier events accepted against bare signals, posted singly", fmt.Sprintf("%.1fx (%.0f/s against %.0f/s; processor %s an event)", against, single.perSecond(), signals, single.perRow().Round(100*time.Nanosecond)),
		">= 10x", against >= 10)
	against = batched.perSecond() / signals
	row("carrier events accepted against bare signals, batches of 100", fmt.Sprintf("%.1fx (%.0f/s)", against, batched.perSecond()), ">= 20x", against >= 20)
	against = batched.perSecond() / postgres.perSecond()
	row("accepted in batches against PostgreSQL alone", fmt.Sprintf("%.2fx (%.0f/s against %.0f/s; processor %.2fx: %s against %s an event)", against, batched.perSecond(), postgres.perSecond(),
		postgres.perRow().Seconds()/batched.perRow().Seconds(), batched.perRow().Round(100*time.Nanosecond), postgres.perRow().Round(100*time.Nanosecond)), ">= 0.5x", against >= 0.5)
	return nil
}

// postgresAlone inserts equal rows in equal batches into a table of the same
// shape and indexes, with no HTTP, JSON or routing before it.
func (b *bench) postgresAlone(ctx context.Context, batch int) (func(context.Context) (int, error), error) {
	if _, err := b.pool.Exec(ctx, `create table if not exists bench_inbox (like inbox including all)`); err != nil {
		return nil, err
	}
	var seq atomic.Int64
	return func(ctx context.Context) (int, error) {
		ids, numbers := make([]string, batch), make([]string, batch)
		for i := range ids {
			n := seq.Add(1)
			ids[i], numbers[i] = fmt.Sprintf("%s-%d", b.ran, n), fmt.Sprintf("NOBODY%06d", n%5000)
		}
		_, err := b.pool.Exec(ctx, `insert into bench_inbox (source, event_id, kind, carrier, tracking, milestone, physical, occurred_at, location, due_at)
            select 'carrier:sim', i, 'carrier_event', 'sim', t, 'in_transit', true, '2026-03-02T09:00:00Z', 'Hub 7', now() from unnest($1::text[], $2::text[]) as u (i, t)`, ids, numbers)
		return batch, err
	}, nil
}

// pages fetches the tracking pages of n orders, again and again, as fast as 16
// readers can. They are closed.
func (b *bench) pages(ctx context.Context, row report, what, kind string, n int) error {
	var urls []string
	for i := range n {
		urls = append(urls, b.links.Tracking("bench:"+b.name(kind, i)))
	}
	var mu sync.Mutex
	var times []time.Duration
	until := time.Now().Add(b.each)
	start := time.Now()
	_, err := inFlight(ctx, 16, 16, func(ctx context.Context, k int) error {
		var mine []time.Duration
		for i := k; time.Now().Before(until); i++ {
			t := time.Now()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[i%len(urls)], nil)
			if err != nil {
				return err
			}
			res, err := b.http.Do(r)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				return fmt.Errorf("tracking page: %s, %w", res.Status, err)
			}
			mine = append(mine, time.Since(t))
		}
		mu.Lock()
		defer mu.Unlock()
		times = append(times, mine...)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(times)
	perSecond, p99 := float64(len(times))/time.Since(start).Seconds(), times[len(times)*99/100]
	row(what, fmt.Sprintf("%.0f/s, p99 %s", perSecond, p99.Round(100*time.Microsecond)), ">= 2000/s, p99 < 20ms", perSecond >= 2000 && p99 < 20*time.Millisecond)
	return nil
}
