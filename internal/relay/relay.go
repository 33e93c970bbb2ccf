// Package relay carries accepted facts to their orders, and starts orders that
// were created. It batches: whatever waits for one order goes in one signal.
// Nothing is lost or doubled if it dies at any point: rows stay unsent until an
// order has them, the request ID makes a repeated signal harmless, and the
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
	"sync"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

const (
	// pause between two looks at the inbox. Facts that arrive meanwhile share a
	// signal, so this is also what a burst is folded by.
	pause      = 25 * time.Millisecond
	idlePause  = 50 * time.Millisecond
	standBy    = time.Second
	orphanLook = 250 * time.Millisecond
	rereadLook = time.Second
	// orphanReach looks back for transactions that committed late. Most commit at
	// once, so only every tenth look goes back that far.
	orphanReach = 10 * time.Second
	orphanShort = time.Second
	atOnce      = 200 // orders per round
	parallel    = 24
	maxItems    = 400 // per signal, far below Temporal's payload limit
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
	Tell(ctx context.Context, orderID, signal string, items []json.RawMessage, requestID string) error
	// Wake tells an order that had closed, in a new run.
	Wake(ctx context.Context, spec order.Spec, signal string, items []json.RawMessage) error
}

// Relay runs in every worker process; one at a time leads.
type Relay struct {
	Store  Store
	Orders Orders
	Log    *slog.Logger
	// Told counts facts by outcome (sent, late, failed); may be nil.
	Told func(outcome string, n int)

	retry map[string]time.Time // orders that could not be told, and when to try again
}

// Run relays until ctx ends. Failures of the database or of Temporal are waited
// out.
func (r *Relay) Run(ctx context.Context) error {
	r.retry = map[string]time.Time{}
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
		if started+told > 0 {
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

// tell sends each order everything that waits for it.
func (r *Relay) tell(ctx context.Context) (int, error) {
	due, err := r.Store.DueFacts(ctx, atOnce, r.resting())
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var mu sync.Mutex
	outcomes := map[string][]int64{}
	each(due, func(d store.Due) {
		ns, outcome, err := r.tellOrder(ctx, d)
		mu.Lock()
		defer mu.Unlock()
		outcomes[outcome] = append(outcomes[outcome], ns...)
		if err != nil {
			r.retry[d.OrderID] = time.Now().Add(2 * time.Second)
			r.count("failed", len(d.Facts)-len(ns))
			r.warn("relay: order not told yet", err, "order", d.OrderID)
		}
	})
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
	return n, nil
}

// tellOrder returns the numbers of the facts that are done with, and how.
func (r *Relay) tellOrder(ctx context.Context, d store.Due) (done []int64, outcome string, err error) {
	for facts := d.Facts; len(facts) > 0; {
		part := facts[:min(len(facts), maxItems)]
		facts = facts[len(part):]
		signal, items, events, ns, err := pack(part)
		if err != nil {
			return done, "", err
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = r.Orders.Tell(ctx, d.OrderID, signal, items, requestID(d.OrderID, ns))
		late := false
		if errors.Is(err, workflows.ErrNotRunning) && d.Closed {
			late, err = r.wake(ctx, d.OrderID, signal, items, events)
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
func (r *Relay) wake(ctx context.Context, orderID, signal string, items []json.RawMessage, events []order.Event) (late bool, err error) {
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
	return false, r.Orders.Wake(ctx, s.Spec, signal, items)
}

func pack(facts []store.Numbered) (signal string, items []json.RawMessage, events []order.Event, ns []int64, err error) {
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
		}
		if item, err = workflows.Item(e); err != nil {
			return "", nil, nil, nil, err
		}
		items, events, ns = append(items, item), append(events, e), append(ns, f.N)
	}
	switch scans {
	case 0:
		signal = workflows.SignalCarrierEvents
	case len(facts):
		signal = workflows.SignalScans
	default:
		signal = workflows.SignalFacts
	}
	return signal, items, events, ns, nil
}

// requestID is the same for the same facts, so that the server drops a signal
// that was sent twice.
func requestID(orderID string, ns []int64) string {
	h := sha256.New()
	h.Write([]byte(orderID))
	for _, n := range ns {
		_ = binary.Write(h, binary.BigEndian, n)
	}
	return "relay-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// resting lists the orders that failed a moment ago.
func (r *Relay) resting() []string {
	ids := []string{}
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
