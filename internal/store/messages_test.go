package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func hashed(channel, address string) []byte { return []byte(channel + "#" + address) }

// intents makes one message of each happening, and counts how often each is seen.
type intents struct {
	mu   sync.Mutex
	seen map[string]int
}

func (i *intents) plan(told []store.Told) (list []store.NewMessage) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, t := range told {
		for _, h := range t.Happenings {
			name := fmt.Sprintf("%s/%d/%d", t.OrderID, h.Seq, h.N)
			i.seen[name]++
			list = append(list, planned(t.OrderID, name, "email"))
		}
	}
	return list
}

func planned(orderID, occasion, channel string) store.NewMessage {
	return store.NewMessage{Order: orderID, Occasion: occasion, Audience: "buyer", Channel: channel, Kind: "shipped", Intent: json.RawMessage(`{}`), NotBefore: placed, Until: placed.Add(24 * time.Hour)}
}

// add makes an order and writes messages by the only way there is.
func add(t *testing.T, s *store.Store, list ...store.NewMessage) {
	t.Helper()
	create(t, s, newOrder("add", order.PlannedParcel{ID: "1"}))
	project(t, s, "add")
	for done := false; !done; {
		if _, err := s.PlanMessages(t.Context(), 100, hashed, func([]store.Told) []store.NewMessage { done = true; return list }); err != nil {
			t.Fatal(err)
		}
	}
}

// A transaction that numbered its happening early may commit late. Until it has
// ended nothing behind it is planned, and then everything is, once.
func TestHappeningsArePlannedOnceThoughTheirNumbersCommitOutOfOrder(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1"}))
	project(t, s, "1")
	ctx := t.Context()
	begin := func(seq int) pgx.Tx {
		t.Helper()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		// As in Project, which updates the order's row first: the ID before the number.
		if _, err := tx.Exec(ctx, `select pg_current_xact_id()`); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, `insert into happenings (order_id, seq, n, type, at) values ('acme:1', $1, 0, 'status_changed', now())`, seq); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	i := &intents{seen: map[string]int{}}
	rounds := func(n int) {
		t.Helper()
		for range n {
			if _, err := s.PlanMessages(ctx, 2, hashed, i.plan); err != nil {
				t.Fatal(err)
			}
		}
	}
	rounds(5)
	before := len(i.seen)
	if before == 0 {
		t.Fatal("nothing was planned")
	}
	slow := begin(101) // the smaller number
	fast := begin(102)
	if err := fast.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	rounds(5)
	if i.seen["acme:1/102/0"] != 0 {
		t.Error("a happening was planned for while one before it was under way")
	}
	if err := slow.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	gone := begin(103)
	rounds(5)
	if i.seen["acme:1/101/0"] != 1 || i.seen["acme:1/102/0"] != 1 {
		t.Errorf("after both committed: %v", i.seen)
	}
	if err := gone.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	last := begin(104)
	if err := last.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	rounds(5)
	for name, n := range i.seen {
		if n != 1 {
			t.Errorf("%s was planned for %d times", name, n)
		}
	}
	if len(i.seen) != before+3 || i.seen["acme:1/104/0"] != 1 {
		t.Errorf("planned for %v", i.seen)
	}
}

// Writers and planners at once: each happening once, none skipped.
func TestHappeningsArePlannedOnceUnderLoad(t *testing.T) {
	s := storetest.New(t)
	const writers, each = 4, 40
	for n := range writers {
		create(t, s, newOrder(fmt.Sprint(n), order.PlannedParcel{ID: "1"}))
	}
	i := &intents{seen: map[string]int{}}
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			st := order.New(newOrder(fmt.Sprint(n), order.PlannedParcel{ID: "1"}).Spec, order.CurrentRules, placed)
			for k := range each {
				st.Seq, st.Now = int64(k+1), placed.Add(time.Duration(k)*time.Second)
				st.Told = []order.Happening{{Seq: st.Seq, Type: order.StatusChanged, At: st.Now}, {Seq: st.Seq, N: 1, Type: order.StatusChanged, At: st.Now}}
				st.Written = st.Seq - 1
				if err := s.Project(t.Context(), &st); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() {
		wg.Wait()
		close(written)
	}()
	var planners sync.WaitGroup
	for range 3 {
		planners.Go(func() {
			for quiet, end := 0, time.Now().Add(time.Minute); quiet < 5; {
				if time.Now().After(end) {
					t.Error("not everything was planned for")
					return
				}
				n, err := s.PlanMessages(t.Context(), 7, hashed, i.plan)
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case <-written:
					i.mu.Lock()
					all := len(i.seen) == 2*writers*each
					i.mu.Unlock()
					if n == 0 && all {
						quiet++
					}
				default:
				}
			}
		})
	}
	planners.Wait()
	for name, n := range i.seen {
		if n != 1 {
			t.Errorf("%s was planned for %d times", name, n)
		}
	}
}

// A crash between planning and commit leaves nothing, and nothing is lost.
func TestAPlanThatIsNotCommittedIsPlannedAgain(t *testing.T) {
	s := storetest.New(t)
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1"}))
	project(t, s, "1")
	i := &intents{seen: map[string]int{}}
	for died := false; !died; {
		ctx, kill := context.WithCancel(t.Context())
		_, err := s.PlanMessages(ctx, 10, hashed, func(told []store.Told) []store.NewMessage {
			died = true
			kill()
			return i.plan(told)
		})
		kill()
		if died && err == nil {
			t.Fatal("planned by the dead")
		}
	}
	if list, err := s.MessagesOf(t.Context(), "acme:1"); err != nil || len(list) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	for n := 0; n == 0; {
		var err error
		if n, err = s.PlanMessages(t.Context(), 10, hashed, i.plan); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.MessagesOf(t.Context(), "acme:1"); err != nil || len(list) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
}

// A dump that is restored elsewhere brings transaction IDs along that mean nothing
// there.
func TestPlanningGoesOnInARestoredCopy(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	create(t, s, newOrder("1", order.PlannedParcel{ID: "1"}))
	project(t, s, "1")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), `update message_plan set fence_xid = 1000000000000`); err != nil {
		t.Fatal(err)
	}
	i := &intents{seen: map[string]int{}}
	for range 4 {
		if _, err := s.PlanMessages(t.Context(), 10, hashed, i.plan); err != nil {
			t.Fatal(err)
		}
	}
	if len(i.seen) == 0 {
		t.Error("nothing is planned any more")
	}
}

// project writes the first state of an order with what it tells.
func project(t *testing.T, s *store.Store, number string) {
	t.Helper()
	st := order.New(newOrder(number, order.PlannedParcel{ID: "1"}).Spec, order.CurrentRules, placed)
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, s *store.Store, at time.Time) []store.Message {
	t.Helper()
	list, err := s.ClaimMessages(t.Context(), "email", 10, at)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func one(t *testing.T, s *store.Store, id string) store.Message {
	t.Helper()
	list, err := s.MessagesOf(t.Context(), "acme:add")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.ID == id || id == "" {
			return m
		}
	}
	t.Fatalf("no message %s", id)
	return store.Message{}
}

func begin(t *testing.T, s *store.Store, m store.Message, at time.Time) bool {
	t.Helper()
	ok, err := s.DecideMessage(t.Context(), m, hashed, at, func(*store.Addressee) (*store.Attempt, store.MessageOutcome) {
		return &store.Attempt{Provider: "sendgrid", Stream: "sendgrid account", Recipient: []byte("r"), Told: []string{"1"}, Body: json.RawMessage(`{"to":"buyer@example.com"}`)}, store.MessageOutcome{}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestAnAttemptIsBegunOnce(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"), planned("acme:add", "a", "email"), planned("acme:add", "a", "sms"))
	first := claim(t, s, placed)
	if len(first) != 1 || len(claim(t, s, placed)) != 0 {
		t.Fatalf("claimed %+v, and again", first)
	}
	second := claim(t, s, placed.Add(store.MessageLease)) // the first one hangs
	if len(second) != 1 || !begin(t, s, second[0], placed.Add(store.MessageLease)) {
		t.Fatal("the lease did not end")
	}
	if begin(t, s, first[0], placed.Add(store.MessageLease)) {
		t.Fatal("two attempts at once")
	}
	if m := one(t, s, first[0].ID); m.Status != store.MessageSending || m.Attempts != 1 || len(m.Told) != 1 || string(m.Recipient) != "r" {
		t.Fatalf("%+v", m)
	}
	// What somebody finds of an earlier attempt changes nothing.
	if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: first[0].ID, Attempts: 0, Status: store.MessageDropped}, placed); err != nil {
		t.Fatal(err)
	}
	if m := one(t, s, first[0].ID); m.Status != store.MessageSending {
		t.Fatalf("%+v", m)
	}
	if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: first[0].ID, Attempts: 1, Status: store.MessageSent, ProviderID: "p1"}, placed); err != nil {
		t.Fatal(err)
	}
	m := one(t, s, first[0].ID)
	if m.Status != store.MessageSent || m.ProviderID != "p1" || !m.NotBefore.IsZero() {
		t.Fatalf("%+v", m)
	}
	if _, err := s.KeptBody(t.Context(), m.ID); err == nil {
		t.Error("what was sent is kept")
	}
	if len(claim(t, s, placed.Add(1000*time.Hour))) != 0 {
		t.Error("what was sent is claimed")
	}
}

func events(t *testing.T, s *store.Store, list ...store.MessageEvent) store.MessageEventCounts {
	t.Helper()
	n, err := s.TakeMessageEvents(t.Context(), "sendgrid", list, placed.Add(time.Hour), func(all []store.MessageEvent) (store.MessageStatus, string) {
		status := store.MessageStatus("")
		for _, e := range all {
			if e.Kind != "other" {
				status = store.MessageStatus(e.Kind)
			}
		}
		return status, ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEventsCountOnceAndSettleWhatNobodyKnew(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"))
	m := claim(t, s, placed)[0]
	begin(t, s, m, placed)
	e := store.MessageEvent{MessageID: m.ID, ProviderID: "p1", EventID: "e1", Kind: "sent"}
	strange := store.MessageEvent{MessageID: "x'; drop table messages", EventID: "e2", Kind: "failed"}
	other := store.MessageEvent{MessageID: strings.Replace(m.ID, m.ID[:1], "f", 1), EventID: "e3", Kind: "failed"}
	if other.MessageID == m.ID {
		other.MessageID = strings.Replace(m.ID, m.ID[:1], "0", 1)
	}
	if n := events(t, s, e, e, strange, other, store.MessageEvent{EventID: "e4", Kind: "failed"}); n != (store.MessageEventCounts{Taken: 1, Duplicate: 1, Unknown: 3}) {
		t.Fatalf("%+v", n)
	}
	if n := events(t, s, e); n != (store.MessageEventCounts{Duplicate: 1}) {
		t.Fatalf("%+v", n)
	}
	if got := one(t, s, m.ID); got.Status != store.MessageSent || got.ProviderID != "p1" || !got.NotBefore.IsZero() {
		t.Fatalf("%+v", got)
	}
	if _, err := s.KeptBody(t.Context(), m.ID); err == nil {
		t.Error("what was sent is kept")
	}
	// The answer that comes late is no news.
	if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: m.ID, Attempts: 1, Status: store.MessageUnclear}, placed); err != nil {
		t.Fatal(err)
	}
	if got := one(t, s, m.ID); got.Status != store.MessageSent {
		t.Fatalf("%+v", got)
	}
	// By the provider's ID, where it does not tell ours.
	if n := events(t, s, store.MessageEvent{ProviderID: "p1", EventID: "e5", Kind: "failed", Permanent: true, Reason: "bad_address"}); n.Taken != 1 {
		t.Fatalf("%+v", n)
	}
	if due := claim(t, s, placed.Add(time.Hour)); len(due) != 1 || due[0].Status != store.MessageFailed {
		t.Fatalf("a failed message is not followed up: %+v", due)
	}
}

func suppressed(t *testing.T, s *store.Store) []string {
	t.Helper()
	all, err := s.Addressees(t.Context(), []string{"acme:add"}, func(string, string) []byte { return []byte("r") })
	if err != nil || all["acme:add"] == nil {
		t.Fatal(err)
	}
	return all["acme:add"].Suppressed
}

func TestSuppressionsFollowWhatHappenedLast(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"))
	m := claim(t, s, placed)[0]
	begin(t, s, m, placed)
	stop := store.MessageEvent{MessageID: m.ID, EventID: "stop", Kind: "delivered", Permanent: true, Reason: "unsubscribed", At: placed.Add(10 * time.Minute)}
	start := store.MessageEvent{MessageID: m.ID, EventID: "start", Kind: "delivered", Lifts: true, At: placed.Add(20 * time.Minute)}
	events(t, s, start, stop) // as providers mix them up
	if got := suppressed(t, s); len(got) != 0 {
		t.Errorf("suppressed though lifted later: %v", got)
	}
	again := stop
	again.EventID, again.At = "again", placed.Add(30*time.Minute)
	events(t, s, again)
	if got := suppressed(t, s); len(got) != 1 || got[0] != "email" {
		t.Errorf("suppressed: %v", got)
	}
	old := start
	old.EventID, old.At = "old", placed.Add(25*time.Minute)
	events(t, s, old)
	if got := suppressed(t, s); len(got) != 1 {
		t.Errorf("lifted by what happened before: %v", got)
	}
	if err := s.Lift(t.Context(), "email", []byte("r"), placed.Add(time.Hour)); err != nil || len(suppressed(t, s)) != 0 {
		t.Errorf("not lifted: %v", err)
	}
	older := stop
	older.EventID = "older"
	events(t, s, older)
	if got := suppressed(t, s); len(got) != 0 {
		t.Errorf("suppressed by what happened before: %v", got)
	}
}

// Each statement of the sending goes by an index, whatever the tables hold.
func TestSendingGoesByIndexes(t *testing.T) {
	url := storetest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, setup := range []string{"set enable_seqscan = off", "set enable_bitmapscan = off"} {
		if _, err := conn.Exec(t.Context(), setup); err != nil {
			t.Fatal(err)
		}
	}
	for sql, index := range map[string]string{
		`select id from messages where channel = 'email' and not_before <= now() and not_before < 'infinity' order by not_before limit 10 for update skip locked`: "messages_due",
		`select * from messages where order_id = any('{a,b}')`:                                                                                                         "messages_intent",
		`select * from messages where status = 'unclear' order by attempted_at limit 10`:                                                                               "messages_unclear",
		`select * from messages where provider = 'twilio' and provider_id = 'x' and provider_id <> ''`:                                                                 "messages_provider_id",
		`select * from messages where stream = 'a' and stream <> '' and answered_at is not null and attempted_at <= now() order by attempted_at desc limit 5`:          "messages_answered",
		`select * from messages where stream = 'a' and stream <> '' and answered_at is not null and attempted_at > now() order by attempted_at limit 5`:                "messages_answered",
		`select * from messages where stream = 'a' and stream <> '' and answered_at is not null and heard_at is null and attempted_at between now() and now() limit 1`: "messages_silent",
		`select min(heard_at), max(heard_at) from messages where stream = 'a' and stream <> '' and heard_at >= now()`:                                                  "messages_heard",
		`delete from kept_messages where order_id = 'a'`:                                                                                                               "kept_messages_order",
		`select * from happenings where id > 5 and id <= 10 order by id limit 3`:                                                                                       "happenings_pkey",
		`select * from message_events where message_id = any('{}'::uuid[])`:                                                                                            "message_events_message",
		`select * from kept_messages where shelved_at is not null order by shelved_at desc, message_id`:                                                                "kept_messages_shelf",
	} {
		rows, err := conn.Query(t.Context(), "explain "+sql)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if plan := strings.Join(lines, "\n"); !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\n%s", sql, plan)
		}
	}
}

// What the statement reads around an attempt, held against all rows.
func TestWitnessesAreThoseAround(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	type row struct {
		stream           string
		at               time.Time
		answered, hasEar bool
		heard            time.Time
	}
	r := rand.New(rand.NewPCG(4, 4))
	var rows []row
	for n := range 300 {
		x := row{stream: []string{"a", "a", "b", ""}[r.IntN(4)], at: placed.Add(time.Duration(n)*time.Minute + time.Duration(r.IntN(50))*time.Second), answered: r.IntN(5) > 0, hasEar: r.IntN(8) > 0}
		var answered, heard *time.Time
		if x.answered {
			answered = &x.at
		}
		if x.hasEar {
			x.heard = x.at.Add(time.Duration(r.IntN(100)) * time.Minute)
			heard = &x.heard
		}
		if _, err := conn.Exec(t.Context(), `insert into messages (order_id, occasion, audience, channel, kind, intent, not_before, until, stream, attempted_at, answered_at, heard_at)
values ('o', $1::int::text, 'buyer', 'email', 'shipped', '{}', 'infinity', now(), $2, $3, $4, $5)`, n, x.stream, x.at, answered, heard); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, x)
	}
	for range 60 {
		at := placed.Add(time.Duration(r.IntN(310*60)) * time.Second)
		from, to, since := at.Add(-time.Duration(r.IntN(20))*time.Minute), at.Add(time.Duration(r.IntN(20))*time.Minute), at.Add(30*time.Minute)
		var want store.Witnesses
		for _, x := range rows { // by time
			if x.stream != "a" {
				continue
			}
			if x.hasEar && !x.heard.Before(since) {
				if want.FirstHeard.IsZero() || x.heard.Before(want.FirstHeard) {
					want.FirstHeard = x.heard
				}
				if x.heard.After(want.LastHeard) {
					want.LastHeard = x.heard
				}
			}
			if !x.answered {
				continue
			}
			if x.at.After(at) {
				want.After = append(want.After, store.Witness{Attempted: x.at, Heard: x.heard})
			} else {
				want.Before = append([]store.Witness{{Attempted: x.at, Heard: x.heard}}, want.Before...)
			}
			want.Silent = want.Silent || !x.hasEar && !x.at.Before(from) && !x.at.After(to)
		}
		want.Before, want.After = want.Before[:min(3, len(want.Before))], want.After[:min(3, len(want.After))]
		m := store.Message{ID: "00000000-0000-0000-0000-000000000000", AttemptedAt: &at, Stream: "a"}
		got, err := s.Witnesses(t.Context(), m, 3, from, to, since)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range [][]store.Witness{got.Before, got.After, {{Attempted: got.FirstHeard, Heard: got.LastHeard}}, want.Before, want.After, {{Attempted: want.FirstHeard, Heard: want.LastHeard}}} {
			for i := range list {
				list[i] = store.Witness{Attempted: list[i].Attempted.UTC(), Heard: list[i].Heard.UTC()}
			}
		}
		if !slices.Equal(got.Before, want.Before) || !slices.Equal(got.After, want.After) || got.Silent != want.Silent || !got.FirstHeard.Equal(want.FirstHeard) || !got.LastHeard.Equal(want.LastHeard) || got.Told {
			t.Fatalf("at %s:\n%+v\nwant\n%+v", at, got, want)
		}
	}
	none := store.Message{ID: "00000000-0000-0000-0000-000000000000", AttemptedAt: &placed}
	if got, err := s.Witnesses(t.Context(), none, 3, placed, placed.Add(time.Hour), placed); err != nil || len(got.Before)+len(got.After) > 0 || got.Silent || !got.FirstHeard.IsZero() {
		t.Errorf("of no stream: %+v, %v", got, err)
	}
}

// An answer of 202 makes a witness, the first event one that was heard of; a new
// attempt is neither.
func TestWhoIsAWitness(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"), planned("acme:add", "b", "email"))
	due := claim(t, s, placed)
	for _, m := range due {
		begin(t, s, m, placed)
	}
	told, unsure := due[0], due[1]
	outcome := func(m store.Message, status store.MessageStatus, answered bool) {
		t.Helper()
		if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: m.ID, Attempts: 1, Status: status, Answered: answered, NotBefore: placed.Add(time.Minute)}, placed); err != nil {
			t.Fatal(err)
		}
	}
	outcome(told, store.MessageSent, true)
	outcome(unsure, store.MessageUnclear, false)
	read := func() store.Witnesses {
		t.Helper()
		m := one(t, s, unsure.ID)
		w, err := s.Witnesses(t.Context(), m, 5, placed, placed, placed)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := read(); len(w.Before) != 1 || !w.Before[0].Heard.IsZero() || !w.Silent || w.Told {
		t.Errorf("%+v", w)
	}
	events(t, s, store.MessageEvent{MessageID: told.ID, ProviderID: "p1", EventID: "later", Kind: "delivered"})
	if w := read(); !w.Silent {
		t.Errorf("heard of by another event than the first: %+v", w)
	}
	events(t, s, store.MessageEvent{MessageID: told.ID, ProviderID: "p1", EventID: "first", Kind: "sent", First: true})
	if w := read(); len(w.Before) != 1 || w.Before[0].Heard.IsZero() || w.Silent || w.FirstHeard.IsZero() {
		t.Errorf("%+v", w)
	}
	events(t, s, store.MessageEvent{MessageID: unsure.ID, ProviderID: "p2", EventID: "odd", Kind: "other"})
	if w := read(); !w.Told {
		t.Errorf("%+v", w)
	}
}

// Two attempts of which the provider has both are a fault, once.
func TestAMessageThatWasTakenTwiceIsAFault(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"))
	m := claim(t, s, placed)[0]
	begin(t, s, m, placed)
	if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: m.ID, Attempts: 1, Status: store.MessagePlanned, NotBefore: placed}, placed); err != nil {
		t.Fatal(err)
	}
	begin(t, s, one(t, s, m.ID), placed.Add(time.Hour))
	second := store.MessageEvent{MessageID: m.ID, ProviderID: "p2", EventID: "e2", Kind: "sent", First: true}
	if n := events(t, s, second, store.MessageEvent{MessageID: m.ID, ProviderID: "p2", EventID: "e3", Kind: "delivered"}); n.Twice != 0 {
		t.Errorf("%+v", n)
	}
	first := store.MessageEvent{MessageID: m.ID, ProviderID: "p1", EventID: "e1", Kind: "sent", First: true}
	if n := events(t, s, first); n.Twice != 1 {
		t.Errorf("%+v", n)
	}
	if n := events(t, s, first, store.MessageEvent{MessageID: m.ID, ProviderID: "p1", EventID: "e4", Kind: "delivered"}); n.Twice != 0 {
		t.Errorf("it is counted again: %+v", n)
	}
	faults, err := s.Faults(t.Context(), true, store.FaultCursor{}, 5)
	if err != nil || len(faults) != 1 || faults[0].Kind != store.ToldTwice || faults[0].Key != m.ID || one(t, s, m.ID).TwiceAt == nil {
		t.Errorf("%+v, %v", faults, err)
	}
}

// What one message costs: a decision with an attempt, and its outcome. A claim is
// shared by up to 16.
func TestWhatAMessageCosts(t *testing.T) {
	s := storetest.New(t)
	add(t, s, planned("acme:add", "a", "email"), planned("acme:add", "b", "email"))
	c := store.Count(t, s)
	due := claim(t, s, placed)
	claimed := c.Statements.Swap(0)
	c.Trips.Store(0)
	begin(t, s, due[0], placed)
	if err := s.RecordOutcome(t.Context(), store.MessageOutcome{ID: due[0].ID, Attempts: 1, Status: store.MessageSent, ProviderID: "p", Answered: true}, placed); err != nil {
		t.Fatal(err)
	}
	// begin, lock, order, messages, suppressions, attempt, commit; outcome
	if got, trips := c.Statements.Load(), c.Trips.Load(); claimed != 1 || got != 8 || trips != 6 {
		t.Errorf("%d statements in %d trips, and %d to claim", got, trips, claimed)
	}
	// begin, lock, insert, all of theirs, settle, heard, twice, commit; however many
	c.Statements.Store(0)
	events(t, s, store.MessageEvent{MessageID: due[0].ID, ProviderID: "p", EventID: "e1", Kind: "sent", First: true}, store.MessageEvent{MessageID: due[1].ID, ProviderID: "q", EventID: "e2", Kind: "sent", First: true})
	if got := c.Statements.Load(); got != 8 {
		t.Errorf("%d statements for a post of events", got)
	}
}
