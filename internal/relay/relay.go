// Package relay carries accepted facts to their orders, and starts orders that
// were created. It batches: whatever waits for one order goes in one update.
// Nothing is lost or doubled if it dies at any point: rows stay unsent until an
// order has them, the request ID makes a repeated update harmless, and the
// order drops repeats itself.
package relay

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

const (
	// pause between two looks at the inbox. Facts that arrive meanwhile share an
	// update, so this is also what a burst is folded by.
	pause      = 25 * time.Millisecond
	idlePause  = 50 * time.Millisecond
	standBy    = time.Second
	orphanLook = 250 * time.Millisecond
	rereadLook = time.Second
	// orphanReach looks back for transactions that committed late. Most commit at
	// once, so only every tenth look goes back that far.
	orphanReach = 10 * time.Second
	orphanShort = time.Second
	atOnce      = 200 // orders being told; each call waits until its order has applied what it was told
	parallel    = 24  // orders being started
	maxItems    = 400 // per update, far below Temporal's payload limit
)

// Store is what the relay needs of the database.
type Store interface {
	Lead(ctx context.Context) (*store.Leader, error)
	Unstarted(ctx context.Context, limit int) ([]order.Spec, error)
	MarkStarted(ctx context.Context, ids []string) error
	AttachOrphans(ctx context.Context, since time.Time) (int64, error)
	Reread(ctx context.Context) (store.Reread, error)
	DueFacts(ctx context.Context, limit int, except []string) ([]store.Due, error)
	MarkSent(ctx context.Context, ns []int64, outcome string) error
	State(ctx context.Context, orderID string) (*order.State, error)
}

// Orders is what the relay needs of Temporal.
type Orders interface {
	Start(ctx context.Context, spec order.Spec) error
	Tell(ctx context.Context, orderID, name string, items []json.RawMessage, requestID string) error
	// Wake tells an order that had closed, in a new run.
	Wake(ctx context.Context, spec order.Spec, name string, items []json.RawMessage, requestID string) error
}

// Relay runs in every worker process; one at a time leads.
type Relay struct {
	Store  Store
	Orders Orders
	Log    *slog.Logger
	// Told counts facts by outcome (sent, late, failed); may be nil.
	Told func(outcome string, n int)

	retry   map[string]time.Time // orders that could not be told, and when to try again
	telling map[string]bool      // orders that are being told: nothing else is sent to them meanwhile
	told    chan telling
}

// telling is what came of telling one order.
type telling struct {
	orderID string
	facts   int
	done    []int64
	outcome string
	err     error
}

// Run relays until ctx ends. Failures of the database or of Temporal are waited
// out.
func (r *Relay) Run(ctx context.Context) error {
	r.retry = map[string]time.Time{}
	r.told = make(chan telling, atOnce)
	for ctx.Err() == nil {
		leader, err := r.Store.Lead(ctx)
		if err != nil {
			r.warn("relay: no database", err)
		}
		if leader == nil {
			sleep(ctx, standBy)
			continue
		}
		r.Log.Info("relay leads")
		if err := r.lead(ctx, leader); err != nil && ctx.Err() == nil {
			r.warn("relay: lost the lead", err)
		}
		leader.Release()
	}
	return nil
}

func (r *Relay) lead(ctx context.Context, leader *store.Leader) error {
	r.telling = map[string]bool{}
	ctx, stop := context.WithCancel(ctx)
	defer func() { // nobody tells anything when another process leads
		stop()
		for range r.telling {
			<-r.told
		}
	}()
	var orphans, reread, held time.Time
	since := time.Time{} // the first look considers every orphan
	for looks := 0; ctx.Err() == nil; {
		now := time.Now()
		if now.Sub(held) > time.Second {
			if err := leader.Holds(ctx); err != nil {
				return err
			}
			held = now
		}
		if now.Sub(orphans) > orphanLook {
			if _, err := r.Store.AttachOrphans(ctx, since); err != nil {
				return err
			}
			if looks++; looks%10 == 0 {
				orphans, since = now, now.Add(-orphanReach)
			} else {
				orphans, since = now, now.Add(-orphanShort)
			}
		}
		if now.Sub(reread) > rereadLook {
			did, err := r.Store.Reread(ctx)
			if err != nil {
				return err
			}
			if !did.More { // else at once again, between two rounds of telling
				reread = now
			}
		}
		started, err := r.start(ctx)
		if err != nil {
			return err
		}
		told, err := r.tell(ctx)
		if err != nil {
			return err
		}
		if started+told+len(r.telling) > 0 {
			sleep(ctx, pause)
		} else {
			sleep(ctx, idlePause)
		}
	}
	return nil
}

// start begins the orders that were created but have no workflow yet.
func (r *Relay) start(ctx context.Context) (int, error) {
	specs, err := r.Store.Unstarted(ctx, atOnce)
	if err != nil || len(specs) == 0 {
		return 0, err
	}
	var mu sync.Mutex
	var ids []string
	each(specs, func(s order.Spec) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := r.Orders.Start(ctx, s); err != nil {
			r.warn("relay: order not started yet", err, "order", s.ID)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, s.ID)
	})
	if len(ids) == 0 {
		sleep(ctx, standBy) // Temporal is away
	}
	return len(ids), r.Store.MarkStarted(ctx, ids)
}

// tell begins to send each order everything that waits for it, and notes what
// has arrived since the last look. One order that is slow holds up no other.
func (r *Relay) tell(ctx context.Context) (int, error) {
	outcomes := map[string][]int64{}
	var ended []string
	for more := true; more; {
		select {
		case t := <-r.told:
			ended = append(ended, t.orderID)
			outcomes[t.outcome] = append(outcomes[t.outcome], t.done...)
			if t.err != nil {
				r.retry[t.orderID] = time.Now().Add(2 * time.Second)
				r.count("failed", t.facts-len(t.done))
				r.warn("relay: order not told yet", t.err, "order", t.orderID)
			}
		default:
			more = false
		}
	}
	for _, id := range ended {
		delete(r.telling, id)
	}
	n := 0
	for outcome, ns := range outcomes {
		if err := r.Store.MarkSent(ctx, ns, outcome); err != nil {
			return n, err
		}
		if outcome == "" {
			r.count("sent", len(ns))
		} else {
			r.count(outcome, len(ns))
		}
		n += len(ns)
	}
	free := atOnce - len(r.telling)
	if free == 0 {
		return n, nil
	}
	due, err := r.Store.DueFacts(ctx, free, r.notNow())
	if err != nil {
		return n, err
	}
	for _, d := range due {
		r.telling[d.OrderID] = true
		go func() {
			t := telling{orderID: d.OrderID, facts: len(d.Facts)}
			t.done, t.outcome, t.err = r.tellOrder(ctx, d)
			r.told <- t
		}()
	}
	return n + len(due), nil
}

// tellOrder returns the numbers of the facts that are done with, and how.
func (r *Relay) tellOrder(ctx context.Context, d store.Due) (done []int64, outcome string, err error) {
	for facts := d.Facts; len(facts) > 0; {
		part := facts[:min(len(facts), maxItems)]
		facts = facts[len(part):]
		name, items, events, ns, err := pack(part)
		if err != nil {
			return done, "", err
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = r.Orders.Tell(ctx, d.OrderID, name, items, requestID(d.OrderID, ns))
		late := false
		if errors.Is(err, workflows.ErrNotRunning) && d.Closed {
			late, err = r.wake(ctx, d.OrderID, name, items, requestID(d.OrderID, ns), events)
		}
		cancel()
		if late {
			return append(done, ns...), "late", nil // shown in the timeline; the order had ended
		}
		if err != nil {
			return done, "", err
		}
		done = append(done, ns...)
	}
	return done, "", nil
}

// wake lets a closed order go on if the facts leave it something to wait for: a
// delivered parcel that turned round, say. Else they are late.
func (r *Relay) wake(ctx context.Context, orderID, name string, items []json.RawMessage, id string, events []order.Event) (late bool, err error) {
	s, err := r.Store.State(ctx, orderID)
	switch {
	case err != nil:
		return false, err
	case s == nil || !s.Closed:
		return false, workflows.ErrNotRunning // it goes on since a moment ago: told next time
	}
	if goesOn, err := order.Reopens(s, time.Now().UTC(), events...); err != nil || !goesOn {
		return err == nil, err
	}
	return false, r.Orders.Wake(ctx, s.Spec, name, items, id)
}

func pack(facts []store.Numbered) (name string, items []json.RawMessage, events []order.Event, ns []int64, err error) {
	scans := 0
	for _, f := range facts {
		var item json.RawMessage
		e := f.Event(f.Parcel)
		switch fact := e.(type) {
		case order.Scan:
			fact.N, fact.Received = f.N, f.ReceivedAt
			scans++
			e = fact
		case order.CarrierEvent:
			fact.N, fact.Received = f.N, f.ReceivedAt
			e = fact
		default: // no fact is anything else
		}
		if item, err = workflows.Item(e); err != nil {
			return "", nil, nil, nil, err
		}
		items, events, ns = append(items, item), append(events, e), append(ns, f.N)
	}
	switch scans {
	case 0:
		name = workflows.CarrierEvents
	case len(facts):
		name = workflows.Scans
	default:
		name = workflows.Facts
	}
	return name, items, events, ns, nil
}

// requestID is the same for the same facts, so that the server drops an update
// that was sent twice.
func requestID(orderID string, ns []int64) string {
	h := sha256.New()
	h.Write([]byte(orderID))
	for _, n := range ns {
		_ = binary.Write(h, binary.BigEndian, n)
	}
	return "relay-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// notNow lists the orders that are being told, and those that failed a moment ago.
func (r *Relay) notNow() []string {
	ids := slices.AppendSeq([]string{}, maps.Keys(r.telling))
	now := time.Now()
	for id, at := range r.retry {
		if now.After(at) {
			delete(r.retry, id)
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

func (r *Relay) count(outcome string, n int) {
	if r.Told != nil && n > 0 {
		r.Told(outcome, n)
	}
}

func (r *Relay) warn(msg string, err error, args ...any) {
	if errors.Is(err, context.Canceled) {
		return
	}
	r.Log.Warn(msg, append(args, "error", err)...)
}

// each runs f for all items, a bounded number at a time.
func each[T any](items []T, f func(T)) {
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for _, it := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(it)
		})
	}
	wg.Wait()
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
