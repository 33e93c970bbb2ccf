package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

func TestOrdersAndEventsAreAcceptedWhileTemporalIsAway(t *testing.T) {
	s := closed(t, one, "away")
	s.Frontend.Cut()
	t.Cleanup(s.Frontend.Heal)
	s.api, s.worker = s.run("api"), s.run("worker")
	s.eventually("the api answers", func() error {
		_, err := s.API.Do(s.ctx, "", http.MethodGet, "/healthz", nil)
		return err
	})
	a, err := s.API.Do(s.ctx, "", http.MethodGet, "/readyz", nil)
	if err != nil || a.Status != http.StatusServiceUnavailable {
		t.Errorf("readyz without Temporal: %v %s", err, a)
	}
	s.found()

	const n = 10
	var journeys [n][]fact
	for i := range n {
		id := s.create(s.newOrder(fmt.Sprint(i)))
		journeys[i] = journey(id, s.tracking(i))
		s.post(journeys[i]...)
	}
	s.Frontend.Heal()
	s.ready()
	// The same again while it answers into the void: signals arrive, and nobody
	// hears that they did.
	cut := time.AfterFunc(300*time.Millisecond, func() { s.Frontend.Hold(rig.Answers) })
	defer cut.Stop()
	var more [n]string
	for i := range n {
		more[i] = s.create(s.newOrder(fmt.Sprint("more", i)))
		s.post(journey(more[i], s.tracking(100+i))...)
	}
	s.pause(12 * time.Second) // longer than a call to Temporal may take
	s.Frontend.Heal()

	for i := range n {
		for id, facts := range map[string][]fact{s.newOrder(fmt.Sprint(i)).ID(): journeys[i], more[i]: journey(more[i], s.tracking(100+i))} {
			s.becomesStatus(id, order.StatusDelivered)
			s.eachOnce(id, ids(facts))
			s.appliedOnce(id, len(facts))
		}
	}
	s.agrees()
}

// pause is for faults that last: nothing waits for a condition with it.
func (s *shop) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

func TestNothingIsAcceptedThatPostgreSQLDoesNotHave(t *testing.T) {
	s := open(t, "cut")
	t.Cleanup(s.Postgres.Heal)
	l := &load{shop: s, taken: map[string][]string{}, statuses: map[int]int{}, odd: map[int]string{}}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() { l.run(ctx, client) })
	}
	l.reaches(20)
	for range 3 {
		s.Postgres.Cut()
		l.reachesRefused()
		s.pause(time.Second)
		s.Postgres.Heal()
		l.reaches(20)
	}
	s.Postgres.Hold(rig.Answers) // commits, and nobody hears of it
	s.pause(2 * time.Second)
	s.Postgres.Cut()
	s.Postgres.Heal()
	l.reaches(20)
	stop()
	wg.Wait()

	for status, n := range l.statuses {
		t.Logf("%d answers %d", n, status)
		if status >= 400 && status != http.StatusServiceUnavailable {
			t.Errorf("%d answers %d, such as %s\n%s", n, status, l.odd[status], logged(s.api, fmt.Sprintf(`"status":%d`, status)))
		}
	}
	s.ready()
	s.agrees()
	have := s.orders()
	for id, facts := range l.taken {
		if !slices.Contains(have, id) {
			t.Errorf("order %s was accepted and is lost", id)
			continue
		}
		timeline := map[string]int{}
		for _, e := range s.timeline(id) {
			timeline[e.EventID]++
		}
		for _, f := range facts {
			if timeline[f] != 1 {
				t.Errorf("fact %s was accepted and stands %d times in the timeline", f, timeline[f])
			}
		}
	}
}

// logged is the first line of a log that says so.
func logged(p *rig.Process, what string) string {
	for line := range strings.Lines(p.Log()) {
		if strings.Contains(line, what) {
			return line
		}
	}
	return ""
}

// load creates orders with scans, never repeats a request, and keeps a log of
// what was accepted.
type load struct {
	*shop
	mu       sync.Mutex
	taken    map[string][]string // accepted orders and their accepted facts
	statuses map[int]int
	odd      map[int]string // an answer that was not a 2xx, by status
	refused  int            // in a row, without anything accepted in between
}

func (l *load) run(ctx context.Context, client int) {
	for i := 0; ctx.Err() == nil; i++ {
		o := l.newOrder(fmt.Sprintf("%d-%d", client, i))
		if !l.note(ctx, o.ID(), nil)(l.API.Post(ctx, "/v1/orders", o)) {
			continue
		}
		for _, f := range journey(o.ID(), "")[:3] {
			l.note(ctx, o.ID(), []string{f.id()})(l.API.PostScans(ctx, *f.scan))
		}
	}
}

func (l *load) note(ctx context.Context, id string, facts []string) func(rig.Answer, error) bool {
	return func(a rig.Answer, err error) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			if ctx.Err() == nil {
				l.Errorf("the api went away: %v", err)
			}
			return false
		}
		l.statuses[a.Status]++
		if !a.OK() {
			l.odd[a.Status] = a.String()
			l.refused++
			return false
		}
		l.refused = 0
		l.taken[id] = append(l.taken[id], facts...)
		return true
	}
}

// reaches waits until so many more orders are accepted.
func (l *load) reaches(more int) {
	l.Helper()
	n := -1
	l.eventually(fmt.Sprintf("%d more orders are accepted", more), func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n < 0 {
			n = len(l.taken)
		}
		if have := len(l.taken) - n; have < more {
			return fmt.Errorf("%d are", have)
		}
		return nil
	})
}

// reachesRefused waits until nothing is accepted any more.
func (l *load) reachesRefused() {
	l.Helper()
	l.eventually("requests are refused", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.refused < 20 {
			return fmt.Errorf("%d in a row", l.refused)
		}
		return nil
	})
}

// The burst comes in waves, each as fast as eight senders can: the next one
// starts as soon as the run that took the first of the last one has ended.
// How many facts fit into a run depends on the machine; that there are as many
// runs as waves does not.
func TestABurstAcrossManyRunsLosesAndDoublesNothing(t *testing.T) {
	const (
		waves     = 4
		perWave   = 750
		perSignal = 2
		maxEvents = 20
		facts     = waves * perWave
	)
	s := closed(t, one, "burst")
	s.api = s.run("api")
	s.ready()
	s.found()
	id := s.create(s.newOrder("1"))
	// Before there is a relay that would start it.
	if err := s.StartShort(s.ctx, id, maxEvents); err != nil {
		t.Fatal(err)
	}
	s.worker = s.run("worker")

	for wave := range int64(waves) {
		before, err := s.RunID(s.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		signals := make(chan int64)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for first := range signals {
					s.signal(id, first, perSignal)
				}
			})
		}
		for i := int64(0); i < perWave; i += perSignal {
			signals <- wave*perWave + i + 1
		}
		close(signals)
		wg.Wait()
		s.eventually("the order goes on in another run", func() error {
			now, err := s.RunID(s.ctx, id)
			if err == nil && now == before {
				err = errors.New("still in the same one")
			}
			return err
		})
	}
	s.appliedOnce(id, facts)
	s.agrees()

	runs, err := s.History(s.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := rig.Told(runs)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ns)
	if got := len(slices.Compact(ns)); got != facts {
		t.Errorf("%d different facts in the histories, want %d", got, facts)
	}
	if len(runs) <= waves {
		t.Errorf("%d waves crossed only %d runs", waves, len(runs))
	}
	t.Logf("%d facts in %d runs", facts, len(runs))
}

// The read model is written before Temporal hears of the step. Here it never
// does: the step is done again, with a fact more, and becomes another one.
func TestAStepThatTemporalNeverHeardOfIsTakenBack(t *testing.T) {
	s := open(t, "forgotten")
	t.Cleanup(s.Frontend.Heal)
	id := s.create(s.newOrder("1"))
	s.becomes(id, "begun", func(v order.View) bool { return v.Seq == 1 })
	at := time.Now()
	scan := func(n int64, kind order.ScanKind, at time.Time) error {
		ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second) // the relay's patience
		defer cancel()
		return s.tell(ctx, id, n, order.Scan{Meta: order.Meta{ID: string(kind), N: n, By: order.Warehouse, Occurred: at}, Parcel: "1", Kind: kind})
	}

	s.Frontend.Hold(rig.Requests) // the worker has asked for work already; its answer will not arrive
	first := make(chan error, 1)
	go func() { first <- scan(1, order.ScanPacked, at) }()
	s.eventually("the step is in the read model", func() error {
		if n := s.count(`select seq from orders where id = $1`, id); n != 2 {
			return fmt.Errorf("seq %d", n)
		}
		return nil
	})
	s.worker.Kill()
	s.Frontend.Cut() // what was held back is lost
	s.Frontend.Heal()
	if err := s.worker.Start(); err != nil {
		t.Fatal(err)
	}
	s.eventually("the other fact is told", func() error { return scan(2, order.ScanPicked, at.Add(-time.Second)) })
	if <-first != nil { // as the relay would, which has no answer either
		s.eventually("the first fact is told again", func() error { return scan(1, order.ScanPacked, at) })
	}
	s.becomes(id, "told both", func(v order.View) bool { return v.Seq == 3 })
	s.agrees()
	for _, milestone := range []order.Milestone{order.Picked, order.Packed} {
		if n := s.count(`select count(*) from happenings where order_id = $1 and type = 'milestone_reached' and milestone = $2`, id, milestone); n != 1 {
			t.Errorf("%s was told %d times", milestone, n)
		}
	}
}

// tell signals facts past API and relay.
func (s *shop) tell(ctx context.Context, id string, first int64, facts ...order.Event) error {
	var items []json.RawMessage
	for _, f := range facts {
		it, err := workflows.Item(f)
		if err != nil {
			return err
		}
		items = append(items, it)
	}
	return s.Orders.Tell(ctx, id, workflows.Facts, items, fmt.Sprintf("test-%d", first))
}

// signal tells an order some facts, past API and relay, and as the relay does
// until it is told: a busy or closing run may send it away.
func (s *shop) signal(id string, first int64, count int) {
	var facts []order.Event
	for n := first; n < first+int64(count); n++ {
		facts = append(facts, order.Scan{Meta: order.Meta{ID: fmt.Sprint(n), N: n, By: order.Warehouse, Occurred: time.Now()}, Parcel: "1", Kind: order.ScanSorted})
	}
	if err := rig.WaitFor(s.ctx, patience, func(ctx context.Context) error { return s.tell(ctx, id, first, facts...) }); err != nil {
		s.Error(err)
	}
}
