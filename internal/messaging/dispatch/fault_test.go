package dispatch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Providers time out after accepting, answer 429 and 500, and repeat, delay and mix up
// their callbacks; Twilio's are lost to 15 %, SendGrid's are posted until we answer, and
// we are down for minutes and for an hour; senders die at random points, several at a
// time. By the providers' own ledger every buyer gets each message exactly once, but
// what was no news any more when it was known not to have gone out, and what has no
// address. 200 intents, and 2,000 with WAYBILL_SOAK=1.
func TestEachMessageIsSentExactlyOnceWhateverFailsAndDies(t *testing.T) {
	w, ids := play(t, weather{loses: 0.15})
	b := w.books(ids)
	for _, f := range b.faults(true) {
		t.Error(f)
	}
	if w.providers.gaveUp > 0 {
		t.Errorf("%d posts of events were given up: that is not what was to be tested", w.providers.gaveUp)
	}
	if len(b.again["email"]) == 0 {
		t.Error("no mail was concluded not to be taken")
	}
	b.report(t)
}

// A webhook that loses 15 % of what SendGrid tells, for ever: then it is not known
// which mails were not taken. Nobody is told twice, and what is unclear is listed.
func TestNobodyIsToldTwiceThoughEventsAreLost(t *testing.T) {
	w, ids := play(t, weather{loses: 0.15, losesEvents: 0.15})
	b := w.books(ids)
	for _, f := range b.faults(false) {
		t.Error(f)
	}
	b.report(t)
	unclear := 0
	for _, m := range b.messages {
		if m.Status == store.MessageUnclear {
			unclear++
		}
	}
	if listed, err := w.store.UnclearMessages(t.Context(), unclear+1); err != nil || len(listed) != unclear || unclear == 0 {
		t.Errorf("%d unclear messages, %d listed, %v", unclear, len(listed), err)
	}
}

// play sends the messages of 100 orders (1,000 with WAYBILL_SOAK=1) through providers
// and processes that fail, and then those of some more, until nothing is under way.
func play(t *testing.T, how weather) (w *world, ids []string) {
	orders := 100
	if os.Getenv("WAYBILL_SOAK") == "1" {
		orders = 1000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	w = newWorld(t)
	conn := w.sql()
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
	another := func() { ids = append(ids, w.order(len(ids), nil)) }
	// An account that has sent before: the first mails of all have no neighbours.
	choose := w.providers.choose
	w.providers.choose = nil
	for range 10 {
		another()
	}
	w.plan()
	w.round(order.Email)
	w.round(order.SMS)
	w.clock.forward(time.Hour)
	w.providers.choose = choose
	for range orders {
		another()
	}

	var kills atomic.Int64
	deadly := true
	// process is one sender or planner, with a short life while it is deadly.
	process := func(run func(ctx context.Context, s dispatch.Store, l *life)) func() {
		ctx, kill := context.WithCancel(context.Background())
		l := &life{kill: kill, after: r.IntN(2) == 0}
		l.left.Store(1 + r.Int64N(60))
		if !deadly {
			l.left.Store(1 << 40)
		}
		return func() {
			defer kill()
			run(ctx, mortal{w.store, l}, l)
			if l.left.Load() <= 0 {
				kills.Add(1)
			}
		}
	}
	// generation is one life of all processes at once, and what is called meanwhile. It
	// returns until when a provider rests.
	generations := 0
	generation := func(plans bool) (rest time.Time) {
		generations++
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, channel := range []order.Channel{order.Email, order.SMS} {
			for range 2 { // a new one beside one that was believed dead
				wg.Go(process(func(ctx context.Context, s dispatch.Store, l *life) {
					done, err := rounded(ctx, w.sender(channel, s, mortalPort{w.port(channel), l}), 0)
					mu.Lock()
					defer mu.Unlock()
					if err == nil && done.RestUntil.After(rest) {
						rest = done.RestUntil
					}
				}))
			}
		}
		for range 2 {
			if !plans {
				break
			}
			wg.Go(process(func(ctx context.Context, s dispatch.Store, _ *life) {
				for ctx.Err() == nil {
					if n, _ := w.planner(s).Once(ctx); n == 0 {
						return
					}
				}
			}))
		}
		calls := rand.New(rand.NewPCG(seed, uint64(generations)+10))
		wg.Go(func() { w.providers.deliver(w.callbacks, calls, how) })
		wg.Wait()
		return rest
	}

	planned := false
	for generations < 500 {
		how.down = r.IntN(4) == 0
		rest := generation(!planned)
		if !planned {
			// All are planned once nothing is found to plan by one that does not die.
			n, err := w.planner(w.store).Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var count int
			if err := conn.QueryRow(t.Context(), `select count(*) from messages`).Scan(&count); err != nil {
				t.Fatal(err)
			}
			planned = n == 0 && count >= 2*orders
		}
		if rest.After(w.clock.now()) {
			w.clock.forward(rest.Sub(w.clock.now()))
		}
		w.clock.forward(time.Duration(5+r.IntN(55)) * time.Second)
		if planned && settled(t, conn, false) {
			break
		}
	}
	t.Logf("all but what only events can settle after %d generations and %s", generations, w.clock.now().Sub(w.clock.base).Round(time.Second))
	// Life goes on: other orders' messages bring events, by which the unclear mails are
	// judged. We are down for an hour of it. In the end nothing fails any more.
	for step := 0; step < 80 && !settled(t, conn, true); step++ {
		how.down = step >= 2 && step < 5
		if step == 8 {
			deadly = false
			w.providers.mu.Lock()
			w.providers.choose = nil
			w.providers.mu.Unlock()
		}
		for range 2 {
			another()
		}
		w.plan()
		generation(false)
		w.clock.forward(time.Duration(15+r.IntN(15)+max(0, step-20)) * time.Minute)
	}
	how.down = false
	for w.providers.deliver(w.callbacks, r, how) > 0 {
		w.clock.forward(time.Hour)
	}
	if kills.Load() == 0 || played[takesHangs] == 0 || played[takesBreaks] == 0 || played[breaks] == 0 || played[busy] == 0 {
		t.Errorf("the test injected too little: %d kills, %v", kills.Load(), played)
	}
	t.Logf("%d orders, %d requests (%d hung after accepting, %d broke after accepting, %d broke, %d busy), %d senders and planners killed in %d generations and %s",
		len(ids), w.providers.requests, played[takesHangs], played[takesBreaks], played[breaks], played[busy], kills.Load(), generations, w.clock.now().Sub(w.clock.base).Round(time.Minute))
	return w, ids
}

func (w *world) all(ids []string) (list []store.Message) {
	w.Helper()
	for _, id := range ids {
		list = append(list, w.messages(id)...)
	}
	return list
}

// settled says whether nothing is under way, or nothing but mails of which only events
// say where they are.
func settled(t *testing.T, conn *pgx.Conn, mails bool) (done bool) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), `select not exists (select from messages where status in ('planned', 'sending')
    or not_before < 'infinity' and (status = 'failed' or status = 'unclear' and (channel = 'sms' or $1)))`, mails).Scan(&done); err != nil {
		t.Fatal(err)
	}
	return done
}

// books are what we say of messages, and what the providers' ledger says.
type books struct {
	messages []store.Message
	ledger   map[string]int // how often it was accepted
	// again are the messages that were known not to be taken, by channel.
	again map[string][]string
}

func (w *world) books(ids []string) books {
	w.Helper()
	b := books{messages: w.all(ids), ledger: w.providers.counts(), again: map[string][]string{}}
	for _, m := range b.messages {
		if strings.Contains(w.log.String(), `msg="message not at the provider" message=`+m.ID) {
			b.again[m.Channel] = append(b.again[m.Channel], m.ID)
		}
	}
	return b
}

// faults are where the two differ. Exactly: nothing may be unclear in the end.
func (b books) faults(exactly bool) (list []string) {
	fault := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	known := map[string]bool{}
	for _, m := range b.messages {
		known[m.ID] = true
		n := b.ledger[m.ID]
		what := fmt.Sprintf("message %s (%s by %s, %s, %d attempts)", m.ID, m.Kind, m.Channel, m.Status, m.Attempts)
		if n > 1 {
			fault("%s: accepted %d times", what, n)
		}
		if m.TwiceAt != nil {
			fault("%s: believed to be told twice", what)
		}
		switch m.Status {
		case store.MessageSent, store.MessageDelivered:
			if n == 0 {
				fault("%s: not accepted", what)
			}
		case store.MessageUnclear:
			if exactly || m.Channel != "email" {
				fault("%s, though it can be known", what)
			}
		case store.MessageFailed:
			if n == 1 && m.Channel == "sms" {
				fault("%s: accepted", what)
			}
			if n == 0 && m.Reason != "no address" && m.Channel == "email" {
				fault("%s: not accepted, and failed: %s", what, m.Reason)
			}
		case store.MessageDropped:
			if n > 0 {
				fault("%s: accepted", what)
			}
		case store.MessagePlanned, store.MessageSending:
			fault("%s, still", what)
		}
	}
	for id := range b.ledger {
		if !known[id] {
			fault("the providers have a message %q that nobody planned", id)
		}
	}
	return list
}

// report lists the rare ones.
func (b books) report(t *testing.T) {
	t.Helper()
	status, found, unclear, dropped, unclearTaken := map[string]int{}, []string{}, []string{}, []string{}, 0
	for _, m := range b.messages {
		status[m.Channel+" "+string(m.Status)]++
		switch {
		case m.Status == store.MessageUnclear:
			unclear = append(unclear, m.ID)
			unclearTaken += b.ledger[m.ID]
		case m.Status == store.MessageDropped:
			dropped = append(dropped, m.ID+" ("+m.Kind+": "+m.Reason+")")
		case b.ledger[m.ID] > 0 && m.AnsweredAt == nil:
			found = append(found, m.ID)
		}
	}
	t.Logf("%d messages: %v", len(b.messages), status)
	t.Logf("reconciled: %d without an answer were found, by asking or by their events: %s", len(found), strings.Join(found, " "))
	for channel, list := range b.again {
		t.Logf("reconciled: %d by %s were known not to be taken, and judged again: %s", len(list), channel, strings.Join(list, " "))
	}
	t.Logf("no news any more: %d: %s", len(dropped), strings.Join(dropped, ", "))
	t.Logf("unclear: %d, of which the provider took %d: %s", len(unclear), unclearTaken, strings.Join(unclear, " "))
}

// blind sends again what it does not know.
type blind struct{ dispatch.Port }

func (blind) Find(context.Context, dispatch.Envelope, time.Time) (messaging.Finding, messaging.Receipt, error) {
	return messaging.NotTaken, messaging.Receipt{}, nil
}

// The test above can fail: a sender that sends blindly again is caught by the books,
// and by ourselves once the provider tells of both.
func TestToldTwiceIsNoticed(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for n := range 5 {
		ids = append(ids, w.order(n, nil))
	}
	w.plan()
	w.providers.choose = func(string) behaviour { return takesBreaks }
	w.through(w.sender(order.Email, w.store, blind{w.port(order.Email)}))
	w.providers.choose = nil
	w.clock.forward(time.Minute)
	w.through(w.sender(order.Email, w.store, blind{w.port(order.Email)}))
	w.round(order.SMS)
	if list := w.books(ids).faults(true); len(list) != 5 {
		t.Errorf("of five mails that were sent twice the books say: %q", list)
	}
	w.providers.call(w.callbacks, rand.New(rand.NewPCG(3, 3)))
	twice := 0
	for _, m := range w.all(ids) {
		if m.TwiceAt != nil && m.Channel == "email" {
			twice++
		}
	}
	faults := w.faults()
	if twice != 5 || len(faults) != 5 || faults[0].Kind != store.ToldTwice || faults[0].Count != 1 {
		t.Errorf("%d are known to be told twice, faults %+v", twice, faults)
	}
}

// What the books notice at all.
func TestTheBooksNoticeADoctoredLedger(t *testing.T) {
	m := func(id, channel string, status store.MessageStatus) store.Message {
		return store.Message{ID: id, NewMessage: store.NewMessage{Channel: channel}, Status: status}
	}
	good := books{messages: []store.Message{m("a", "email", store.MessageSent), m("b", "sms", store.MessageDelivered), m("c", "email", store.MessageDropped)}, ledger: map[string]int{"a": 1, "b": 1}}
	if list := good.faults(true); len(list) != 0 {
		t.Errorf("%q", list)
	}
	for name, change := range map[string]func(b *books){
		"twice":              func(b *books) { b.ledger["a"] = 2 },
		"not at all":         func(b *books) { delete(b.ledger, "b") },
		"dropped and sent":   func(b *books) { b.ledger["c"] = 1 },
		"of nobody's":        func(b *books) { b.ledger["d"] = 1 },
		"unclear":            func(b *books) { b.messages[0].Status = store.MessageUnclear },
		"still being sent":   func(b *books) { b.messages[0].Status = store.MessageSending },
		"failed for nothing": func(b *books) { b.messages[0].Status, b.ledger["a"] = store.MessageFailed, 0 },
	} {
		b := books{messages: slices.Clone(good.messages), ledger: map[string]int{"a": 1, "b": 1}}
		change(&b)
		if len(b.faults(true)) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
}
