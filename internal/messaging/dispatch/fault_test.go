package dispatch_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Providers time out after accepting, answer 429 and 500, and repeat, lose and mix
// up their callbacks; senders die at random points, several at a time. By the
// providers' own ledger every buyer gets each message exactly once; where the
// provider cannot be asked, at most once, and then it is listed as unclear.
// 200 intents, and 2,000 with WAYBILL_SOAK=1.
func TestEachMessageIsSentOnceWhateverFailsAndDies(t *testing.T) {
	orders := 100
	if os.Getenv("WAYBILL_SOAK") == "1" {
		orders = 1000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t)
	faults := rand.New(rand.NewPCG(seed, 2)) // under the providers' lock
	played := map[behaviour]int{}
	w.providers.choose = func(string) (b behaviour) {
		switch f := faults.Float64(); {
		case f < 0.08:
			b = takesHangs
		case f < 0.16:
			b = takesBreaks
		case f < 0.22:
			b = breaks
		case f < 0.30:
			b = busy
		}
		played[b]++
		return b
	}
	w.providers.dead = func(to string) bool {
		return strings.HasSuffix(to, "7") && strings.HasPrefix(to, "+") || strings.HasSuffix(to, "3@buyer.example")
	}
	var ids []string
	for n := range orders {
		ids = append(ids, w.order(n, nil))
	}

	var kills atomic.Int64
	planned, generations := false, 0
	// process is one sender or planner with a short life.
	process := func(run func(ctx context.Context, s dispatch.Store, l *life)) func() {
		ctx, kill := context.WithCancel(context.Background())
		l := &life{kill: kill, after: r.IntN(2) == 0}
		l.left.Store(1 + r.Int64N(60))
		return func() {
			defer kill()
			run(ctx, mortal{w.store, l}, l)
			if l.left.Load() <= 0 {
				kills.Add(1)
			}
		}
	}
	for ; generations < 500; generations++ {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var rest time.Time
		for _, channel := range []order.Channel{order.Email, order.SMS} {
			for range 2 { // a new one beside one that was believed dead
				run := process(func(ctx context.Context, s dispatch.Store, l *life) {
					done, err := rounded(ctx, w.sender(channel, s, mortalPort{w.port(channel), l}), 0)
					mu.Lock()
					defer mu.Unlock()
					if err == nil && done.RestUntil.After(rest) {
						rest = done.RestUntil
					}
				})
				wg.Go(run)
			}
		}
		if !planned {
			for range 2 {
				run := process(func(ctx context.Context, s dispatch.Store, _ *life) {
					for ctx.Err() == nil {
						if n, _ := w.planner(s).Once(ctx); n == 0 {
							return
						}
					}
				})
				wg.Go(run)
			}
		}
		calls := rand.New(rand.NewPCG(seed, uint64(generations)+10))
		wg.Go(func() { w.providers.call(w.callbacks, calls, 0.15) })
		wg.Wait()
		if !planned {
			// All are planned once nothing is found to plan by one that does not die.
			n, err := w.planner(w.store).Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			planned = n == 0 && countAll(t, w, ids) >= 2*orders
		}
		if rest.After(w.clock.now()) {
			w.clock.forward(rest.Sub(w.clock.now()))
		}
		w.clock.forward(time.Duration(5+r.IntN(55)) * time.Second)
		if planned && settledAll(t, w, ids) {
			break
		}
	}
	report(t, w, ids, played, int(kills.Load()), generations)
}

func countAll(t *testing.T, w *world, ids []string) (n int) {
	t.Helper()
	for _, id := range ids {
		n += len(w.messages(id))
	}
	return n
}

// settledAll says whether nothing is under way but what only time can settle.
func settledAll(t *testing.T, w *world, ids []string) bool {
	t.Helper()
	for _, id := range ids {
		for _, m := range w.messages(id) {
			switch m.Status {
			case store.MessagePlanned, store.MessageSending:
				return false
			case store.MessageFailed:
				if !m.NotBefore.IsZero() {
					return false
				}
			case store.MessageUnclear:
				if m.Channel == "sms" && !m.NotBefore.IsZero() {
					return false
				}
			case store.MessageSent, store.MessageDelivered, store.MessageDropped:
			}
		}
	}
	return true
}

func report(t *testing.T, w *world, ids []string, played map[behaviour]int, kills, generations int) {
	t.Helper()
	ledger := w.providers.counts()
	byStatus, found, again, unclear, unclearSent := map[store.MessageStatus]int{}, 0, 0, []string{}, 0
	total, known := 0, map[string]bool{}
	for _, id := range ids {
		for _, m := range w.messages(id) {
			total++
			known[m.ID] = true
			byStatus[m.Status]++
			n := ledger[m.ID]
			if n > 1 {
				t.Errorf("message %s (%s by %s, %s): accepted %d times", m.ID, m.Kind, m.Channel, m.Status, n)
			}
			if m.Attempts > 1 {
				again++
			}
			switch m.Status {
			case store.MessageSent, store.MessageDelivered:
				if n != 1 {
					t.Errorf("message %s is %s, accepted %d times", m.ID, m.Status, n)
				}
				if m.Reason == "found" {
					found++
				}
			case store.MessageUnclear:
				unclear = append(unclear, m.ID)
				unclearSent += n
				if m.Channel != "email" {
					t.Errorf("message %s by %s is unclear, though Twilio can be asked", m.ID, m.Channel)
				}
			case store.MessageFailed:
				if n == 1 && m.Channel == "sms" {
					t.Errorf("message %s failed and was accepted", m.ID)
				}
			case store.MessageDropped:
				if n > 0 {
					t.Errorf("message %s was dropped and accepted", m.ID)
				}
			case store.MessagePlanned, store.MessageSending:
				t.Errorf("message %s is still %s", m.ID, m.Status)
			}
		}
	}
	for id := range ledger {
		if !known[id] {
			t.Errorf("the providers have a message %q that nobody planned", id)
		}
	}
	listed, err := w.store.UnclearMessages(t.Context(), len(unclear)+1)
	if err != nil || len(listed) != len(unclear) {
		t.Errorf("%d unclear messages, %d listed, %v", len(unclear), len(listed), err)
	}
	if kills == 0 || played[takesHangs] == 0 || played[takesBreaks] == 0 || played[breaks] == 0 || played[busy] == 0 {
		t.Errorf("the test injected too little: %d kills, %v", kills, played)
	}
	t.Logf("%d messages of %d orders: %v; %d requests (%d hung after accepting, %d broke after accepting, %d broke, %d busy), %d senders and planners killed in %d generations",
		total, len(ids), byStatus, w.providers.requests, played[takesHangs], played[takesBreaks], played[breaks], played[busy], kills, generations)
	t.Logf("reconciled: %d found by asking, %d tried more than once; unclear: %d, of which the provider took %d: %s", found, again, len(unclear), unclearSent, strings.Join(unclear, " "))
}
