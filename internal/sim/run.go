package sim

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// runner posts a schedule when its moments come.
type runner struct {
	client *Client
	plan   *Schedule
	// batch: do not wait for the moments, post as fast as is taken.
	batch bool
	slots chan struct{} // bounds the calls under way

	created []chan struct{} // per order: closed when it exists
	first   []int           // per order: its first fact in outcome

	mu       sync.Mutex
	outcome  []outcome // per fact
	left     []int     // per order: facts not yet taken
	Tally    Tally
	rejected []Disagreement

	delivered atomic.Int64
	at        atomic.Int64 // due time of what was dispatched last
	fail      context.CancelCauseFunc
	wg        sync.WaitGroup
}

// outcome is what became of a fact.
type outcome uint8

const (
	unanswered outcome = iota
	wasAccepted
	wasOrphan
	wasThere // nothing but duplicates: an answer got lost, or the run was resumed
	wasRejected
)

// Tally counts what was posted and answered.
type Tally struct {
	Creates, Cancels int
	Posted           int // facts, with repeats
	Accepted         int // each fact once, from here on
	Orphans          int
	AlreadyThere     int
	Rejected         int
	Duplicates       int // answers "duplicate" to a repeat
	Calls, Retries   int64
	Behind           time.Duration // the latest that anything was posted
}

// Taken is how many facts the server has said yes to.
func (t Tally) Taken() int { return t.Accepted + t.Orphans + t.AlreadyThere }

const (
	// coalesce waits for company: what is due within it goes into one call.
	coalesce = 5 * time.Millisecond
	// atOnce bounds what is dispatched at once.
	atOnce = 1000
	// behind is when a run catches up instead of keeping time: windows are then
	// posted one after the other, orders before their scans, as they would have
	// been without the interruption.
	behind = 2 * time.Second
)

func newRunner(c *Client, plan *Schedule, batch bool, concurrency int) *runner {
	r := &runner{client: c, plan: plan, batch: batch, slots: make(chan struct{}, max(1, concurrency)),
		created: make([]chan struct{}, len(plan.Orders)), first: make([]int, len(plan.Orders)), left: make([]int, len(plan.Orders))}
	n := 0
	for i, o := range plan.Orders {
		r.created[i], r.first[i], r.left[i] = make(chan struct{}), n, len(o.Facts)
		n += len(o.Facts)
	}
	r.outcome = make([]outcome, n)
	return r
}

// run returns when everything is posted and answered.
func (r *runner) run(ctx context.Context) error {
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	actions := r.plan.Actions
	for len(actions) > 0 && ctx.Err() == nil {
		late := r.batch || time.Since(actions[0].Due) > behind
		n := 0
		if late {
			n = r.past(actions)
		} else {
			if wait := time.Until(actions[0].Due); wait > 0 {
				if sleep(ctx, wait+coalesce) != nil {
					break
				}
			}
			now := time.Now()
			for n < len(actions) && n < atOnce && !actions[n].Due.After(now) {
				n++
			}
		}
		if n == 0 {
			continue
		}
		r.at.Store(actions[n-1].Due.UnixNano())
		r.dispatch(ctx, actions[:n], late)
		actions = actions[n:]
	}
	r.wg.Wait()
	r.mu.Lock()
	r.Tally.Calls, r.Tally.Retries = r.client.calls.Load(), r.client.retries.Load()
	r.mu.Unlock()
	return context.Cause(ctx)
}

// past is how many actions may be posted together to catch up: half a day of
// the data set at most, or orders and scans of different weeks would mix.
func (r *runner) past(actions []Action) int {
	end, now := actions[0].Due.Add(r.plan.Clock.Span(realDay/2)), time.Now()
	n := 1
	for n < len(actions) && n < atOnce && !actions[n].Due.After(end) && (r.batch || !actions[n].Due.After(now)) {
		n++
	}
	return n
}

// dispatch posts actions: facts in one call per endpoint and carrier, the rest
// singly. With inOrder it waits: orders, then facts, then what came late on
// purpose, then cancellations.
func (r *runner) dispatch(ctx context.Context, actions []Action, inOrder bool) {
	var here sync.WaitGroup
	spawn := func(f func()) {
		here.Add(1)
		r.wg.Add(1)
		go func() {
			defer r.wg.Done()
			defer here.Done()
			f()
		}()
	}
	// call waits for a free slot first: a slow server slows the dispatcher down,
	// and what gathers meanwhile goes into larger batches.
	call := func(f func()) {
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		spawn(func() {
			defer func() { <-r.slots }()
			f()
		})
	}
	barrier := func() {
		if inOrder {
			here.Wait()
		}
	}
	create := func(held bool) {
		for _, a := range actions {
			if a.Kind == PostCreate && a.Held == held {
				call(func() { r.create(ctx, a) })
			}
		}
	}

	create(false)
	barrier()
	var scans []Action
	events := map[string][]Action{}
	var carriers []string // in order of appearance
	for _, a := range actions {
		if a.Kind != PostFact {
			continue
		}
		f := r.plan.Orders[a.Order].Facts[a.Fact]
		if f.Scan != nil {
			scans = append(scans, a)
			continue
		}
		if events[f.Carrier] == nil {
			carriers = append(carriers, f.Carrier)
		}
		events[f.Carrier] = append(events[f.Carrier], a)
	}
	if len(scans) > 0 {
		call(func() { r.postScans(ctx, scans) })
	}
	for _, c := range carriers {
		call(func() { r.postEvents(ctx, c, events[c]) })
	}
	barrier()
	create(true)
	for _, a := range actions {
		if a.Kind == PostCancel {
			// Not through call: it may wait for its order, and must not keep a
			// slot from it. There are few of them.
			spawn(func() { r.cancel(ctx, a) })
		}
	}
	barrier()
}

func (r *runner) create(ctx context.Context, a Action) {
	o := &r.plan.Orders[a.Order]
	v, err := r.client.CreateOrder(ctx, o.Create)
	switch {
	case err != nil:
		r.stop(ctx, explainConflict(err, o))
		return
	case v.ID != o.ID:
		r.stop(ctx, fmt.Errorf("created order %s, and the answer is about %q", o.ID, v.ID))
		return
	case !v.PlacedAt.Equal(o.Create.PlacedAt):
		r.stop(ctx, fmt.Errorf("order %s exists, placed at %s: this store holds another run; start with another --store, or carry that one on with --resume --start",
			o.ID, v.PlacedAt.Format(time.RFC3339Nano)))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lag(a)
	select {
	case <-r.created[a.Order]: // again
	default:
		r.Tally.Creates++
		close(r.created[a.Order])
	}
}

func explainConflict(err error, o *PlannedOrder) error {
	if isStatus(err, 409) || isStatus(err, 422) {
		return fmt.Errorf("%w\norder %s may be there from another run: start with another --store, or carry that run on with --resume --start", err, o.ID)
	}
	return err
}

func (r *runner) cancel(ctx context.Context, a Action) {
	select {
	case <-r.created[a.Order]:
	case <-ctx.Done():
		return
	}
	if err := r.client.Cancel(ctx, r.plan.Orders[a.Order].ID, "buyer changed their mind"); err != nil {
		r.stop(ctx, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lag(a)
	r.Tally.Cancels++
}

func (r *runner) postScans(ctx context.Context, actions []Action) {
	items := make([]ScanItem, len(actions))
	for i, a := range actions {
		items[i] = *r.plan.Orders[a.Order].Facts[a.Fact].Scan
	}
	results, err := r.client.PostScans(ctx, items)
	r.settle(ctx, actions, results, err)
}

func (r *runner) postEvents(ctx context.Context, carrier string, actions []Action) {
	items := make([]CarrierItem, len(actions))
	for i, a := range actions {
		items[i] = *r.plan.Orders[a.Order].Facts[a.Fact].Event
	}
	results, err := r.client.PostEvents(ctx, carrier, items)
	r.settle(ctx, actions, results, err)
}

// settle counts the answers; results may be fewer than actions after an error.
// Calls run beside each other: the answer to a repeat may be read before the
// answer to what it repeats.
func (r *runner) settle(ctx context.Context, actions []Action, results []itemResult, err error) {
	r.mu.Lock()
	for i, res := range results {
		a, t := actions[i], &r.Tally
		r.lag(a)
		t.Posted++
		known := &r.outcome[r.first[a.Order]+a.Fact]
		was := *known
		switch res.Result {
		case resultAccepted, resultOrphan:
			switch was {
			case wasAccepted, wasOrphan:
				// Taken twice. The comparison at the end would find it; say it at once.
				r.reject(a, res, "was accepted a second time:")
				continue
			case wasThere: // it was not there: this is the answer to the first posting
				t.AlreadyThere--
				t.Duplicates++
			case wasRejected:
				t.Rejected--
			case unanswered:
			}
			if res.Result == resultAccepted {
				*known = wasAccepted
				t.Accepted++
			} else {
				*known = wasOrphan
				t.Orphans++
			}
		case resultDuplicate:
			if was != unanswered {
				t.Duplicates++
				continue
			}
			*known = wasThere
			t.AlreadyThere++
		default:
			r.reject(a, res, res.Result)
			if was == unanswered {
				*known = wasRejected
				t.Rejected++
			}
			continue
		}
		if was != wasThere {
			if r.left[a.Order]--; r.left[a.Order] == 0 && r.plan.Orders[a.Order].Truth.Fate == Delivered {
				r.delivered.Add(1)
			}
		}
	}
	r.mu.Unlock()
	if err != nil {
		r.stop(ctx, err)
	}
}

func (r *runner) reject(a Action, res itemResult, what string) {
	why := res.Reason
	if res.Field != "" {
		why = res.Field + ": " + why
	}
	r.rejected = append(r.rejected, Disagreement{Order: r.plan.Orders[a.Order].ID, What: "event " + res.ID, Engine: what + " " + why, Data: "a fact"})
}

// lag notes how late something was posted. r.mu is held.
func (r *runner) lag(a Action) {
	if !r.batch {
		r.Tally.Behind = max(r.Tally.Behind, time.Since(a.Due))
	}
}

// stop ends the run with the first error.
func (r *runner) stop(ctx context.Context, err error) {
	if ctx.Err() == nil {
		r.fail(err)
	}
}

// snapshot for the progress line.
func (r *runner) snapshot() (t Tally, delivered int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Tally, r.delivered.Load(), time.Unix(0, r.at.Load()).UTC()
}
