package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/storefront"
	"github.com/waybillhq/waybill/order"
)

// round sends what is due by a channel.
func (w *world) round(channel order.Channel) activities.SendDone {
	w.Helper()
	return w.through(w.sender(channel, w.store, w.port(channel)))
}

func (w *world) through(s *dispatch.Sender) activities.SendDone {
	w.Helper()
	done, err := rounded(w.Context(), s, 0)
	if err != nil {
		w.Fatal(err)
	}
	return done
}

// rounded is a round that ends when nothing is due any more.
func rounded(ctx context.Context, s *dispatch.Sender, failures int) (activities.SendDone, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	own := *s
	own.Store = idle{s.Store, stop}
	return own.Round(ctx, activities.SendRound{Channel: string(s.Channel), Failures: failures})
}

// idle stops a round when nothing is due.
type idle struct {
	dispatch.Store
	stop context.CancelFunc
}

func (i idle) ClaimMessages(ctx context.Context, channel string, limit int, now time.Time) ([]store.Message, error) {
	list, err := i.Store.ClaimMessages(ctx, channel, limit, now)
	if len(list) == 0 {
		i.stop()
	}
	return list, err
}

// by is the order's only message of a kind by a channel.
func (w *world) by(id, kind string, channel order.Channel) store.Message {
	w.Helper()
	for _, m := range w.messages(id) {
		if m.Kind == kind && m.Channel == string(channel) {
			return m
		}
	}
	return store.Message{}
}

func (w *world) faults() []store.Fault {
	w.Helper()
	list, err := w.store.Faults(w.Context(), true, store.FaultCursor{}, 10)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

func (w *world) is(m store.Message, status store.MessageStatus, reason string) {
	w.Helper()
	if m.Status != status || m.Reason != reason {
		w.Errorf("%s by %s is %s (%s), want %s (%s)", m.Kind, m.Channel, m.Status, m.Reason, status, reason)
	}
}

func TestABuyerIsToldAndItIsKnownToArrive(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, nil)
	w.plan()
	done := w.round(order.Email)
	if done.Sent != 1 || done.Waiting != 0 {
		t.Errorf("%+v", done)
	}
	w.round(order.SMS)
	w.is(w.by(id, "confirmation", order.Email), store.MessageSent, "")
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageSent, "")
	w.providers.call(w.callbacks, nil)
	w.is(w.by(id, "confirmation", order.Email), store.MessageDelivered, "")
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageDelivered, "")
	if got := w.providers.counts(); len(got) != 2 {
		t.Errorf("the providers have %v", got)
	}
	// Told again, nothing happens.
	w.orderWith(1, nil, func(s *order.State) { s.Now = s.Now.Add(time.Hour); s.Seq++ })
	w.plan()
	w.round(order.Email)
	if got := w.messages(id); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
}

func TestStopIsHonouredAndStartLiftsIt(t *testing.T) {
	w := newWorld(t)
	reply := func(words string) {
		t.Helper()
		form := url.Values{"From": {phoneOf(1)}, "To": {shopPhone}, "MessageSid": {"SM" + strings.Repeat("a", 32)}, "Body": {words}}
		if err := w.callbacks.TwilioInbound(t.Context(), "", []byte(form.Encode()), signTwilio(publicURL+dispatch.TwilioInboundPath, form)); err != nil {
			t.Fatal(err)
		}
	}
	first := w.order(1, nil)
	w.plan()
	reply(" Stop. ")
	w.round(order.SMS)
	w.is(w.by(first, "out_for_delivery", order.SMS), store.MessageFailed, "no address")
	w.round(order.Email)
	w.is(w.by(first, "out_for_delivery", order.Email), store.MessageSent, "")
	// Remembered for the orders to come, also where nobody knows yet of the channel.
	second := w.order(2, func(o *store.NewOrder) { o.Contact.Phone = phoneOf(1) })
	w.plan()
	if m := w.by(second, "out_for_delivery", order.SMS); m.ID != "" {
		t.Errorf("planned by text for who wants none: %+v", m)
	}
	reply("thanks!")
	reply("HELP")
	reply("start")
	third := w.order(3, func(o *store.NewOrder) { o.Contact.Phone = phoneOf(1) })
	w.plan()
	w.round(order.SMS)
	w.is(w.by(third, "out_for_delivery", order.SMS), store.MessageSent, "")
}

func TestADeadNumberFallsBackAndABuyerWithoutAnyIsAFault(t *testing.T) {
	w := newWorld(t)
	w.providers.dead = func(to string) bool { return strings.HasPrefix(to, "+") }
	reachable, lost := w.order(1, nil), w.order(2, func(o *store.NewOrder) { o.Contact.Email = "" })
	w.plan()
	w.round(order.SMS)
	w.is(w.by(reachable, "out_for_delivery", order.SMS), store.MessageFailed, "bad_address 21211")
	w.round(order.Email)
	w.is(w.by(reachable, "out_for_delivery", order.Email), store.MessageSent, "")
	w.is(w.by(lost, "confirmation", order.Email), store.MessageFailed, "no address")
	faults := w.faults()
	if len(faults) != 1 || faults[0].Kind != store.UnreachableBuyer || faults[0].Key != lost || faults[0].Count != 2 {
		t.Errorf("%+v", faults)
	}
	again := w.order(3, func(o *store.NewOrder) { o.Contact.Phone = phoneOf(1) })
	w.plan()
	requests := w.providers.requests
	w.round(order.SMS)
	if w.providers.requests != requests || w.by(again, "out_for_delivery", order.Email).ID == "" {
		t.Error("a dead number is tried again")
	}
}

// A buyer who gives another address is reachable again: the next messages go there,
// those that failed are not repeated, and what still fails of the old one is no fault.
func TestAnotherAddressEndsTheFault(t *testing.T) {
	w := newWorld(t)
	w.providers.dead = func(to string) bool { return to == mailOf(1) }
	id := w.order(1, func(o *store.NewOrder) { o.Contact.Phone = ""; o.Spec.Class = order.Routine })
	w.plan()
	w.round(order.Email)
	w.providers.call(w.callbacks, nil)
	w.round(order.Email) // follows up
	w.is(w.by(id, "confirmation", order.Email), store.MessageFailed, "bad_address 5.1.1")
	if faults := w.faults(); len(faults) != 1 || faults[0].Kind != store.UnreachableBuyer {
		t.Fatalf("%+v", faults)
	}
	change := func(n int, c store.Contact) {
		t.Helper()
		a := store.Audit{ID: "aud_" + strconv.Itoa(n), OrderID: id, Action: "change_contact", Actor: "key:shop", Role: "storefront", Request: json.RawMessage(`{}`)}
		if err := w.store.PutContact(t.Context(), id, c, a, w.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	change(1, store.Contact{Name: "another name", Email: mailOf(1)})
	if len(w.faults()) != 1 {
		t.Error("another name ends the fault")
	}
	change(2, store.Contact{Name: buyerName, Email: mailOf(2)})
	if len(w.faults()) != 0 {
		t.Errorf("%+v", w.faults())
	}
	before := len(w.providers.ledger)
	w.clock.forward(time.Hour)
	w.round(order.Email)
	if len(w.providers.ledger) != before {
		t.Error("what failed is sent again")
	}
	w.orderWith(1, nil, func(s *order.State) {
		s.Seq, s.Written = 2, 1
		p := &s.Parcels[0]
		p.Milestone, p.Since, p.PossessionAt = order.Delivered, s.Now, s.Now
		s.Told = append(s.Told, order.Happening{Seq: 2, N: 1, Type: order.MilestoneReached, At: s.Now, Parcel: p.ID, Milestone: order.Delivered})
	})
	w.plan()
	w.round(order.Email)
	w.is(w.by(id, "delivered", order.Email), store.MessageSent, "")
	if to := w.providers.ledger[len(w.providers.ledger)-1].to; to != mailOf(2) {
		t.Errorf("it went to %s", to)
	}
	// The old address' failure is heard of late.
	change(3, store.Contact{Name: buyerName, Email: mailOf(3)})
	exec(t, w.sql(), `update messages set status = 'failed', not_before = $2 where order_id = $1 and kind = 'delivered'`, id, w.clock.now())
	w.round(order.Email)
	if faults := w.faults(); len(faults) != 0 {
		t.Errorf("%+v", faults)
	}
	if err := w.store.PutContact(t.Context(), "acme:nobody", store.Contact{}, store.Audit{ID: "aud_9", Request: json.RawMessage(`{}`)}, w.clock.now()); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestWhoGaveNoAddressIsNotPlannedFor(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, func(o *store.NewOrder) { o.Contact.Email, o.Contact.Phone = "", "" })
	w.plan()
	if got := w.messages(id); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A bounce comes after the mail was taken.
func TestABouncedMailFallsBackOnce(t *testing.T) {
	w := newWorld(t)
	w.providers.dead = func(to string) bool { return strings.HasSuffix(to, "@buyer.example") }
	id := w.order(1, func(o *store.NewOrder) { o.Spec.Class = order.Routine })
	w.plan()
	w.round(order.Email)
	w.is(w.by(id, "out_for_delivery", order.Email), store.MessageSent, "")
	w.providers.call(w.callbacks, rand.New(rand.NewPCG(1, 1)))
	w.round(order.Email) // follows up
	w.is(w.by(id, "out_for_delivery", order.Email), store.MessageFailed, "bad_address 5.1.1")
	w.round(order.SMS)
	w.round(order.SMS)
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageSent, "")
	if n := w.providers.counts()[w.by(id, "out_for_delivery", order.SMS).ID]; n != 1 {
		t.Errorf("%d text messages", n)
	}
}

func TestABusyProviderRestsAndTheOtherGoesOn(t *testing.T) {
	w := newWorld(t)
	w.providers.choose = func(channel string) behaviour {
		if channel == "sms" {
			return busy
		}
		return takes
	}
	for n := range 20 {
		w.order(n, nil)
	}
	w.plan()
	done := w.round(order.SMS)
	if rest := done.RestUntil.Sub(w.clock.now()); rest <= 0 || rest > time.Minute || done.Sent != 0 || !strings.Contains(done.Trouble, "429") {
		t.Errorf("%+v", done)
	}
	if w.providers.requests > 8 {
		t.Errorf("%d requests to a provider that is busy", w.providers.requests)
	}
	if done := w.round(order.Email); done.Sent != 20 || !done.RestUntil.IsZero() {
		t.Errorf("the other channel: %+v", done)
	}
	w.providers.choose = nil
	w.clock.forward(2 * time.Minute)
	if done := w.round(order.SMS); done.Sent != 20 {
		t.Errorf("after the rest: %+v", done)
	}
}

func TestABrokenProviderIsLeftAloneAndThenTriedByOneMessage(t *testing.T) {
	w := newWorld(t)
	w.providers.choose = func(string) behaviour { return breaks }
	for n := range 40 {
		w.order(n, nil)
	}
	w.plan()
	done := w.round(order.SMS)
	if done.RestUntil.IsZero() || w.providers.requests > 16 {
		t.Errorf("%d requests, %+v", w.providers.requests, done)
	}
	w.clock.forward(done.RestUntil.Sub(w.clock.now()) + time.Second)
	before := w.providers.requests
	again, err := rounded(t.Context(), w.sender(order.SMS, w.store, w.port(order.SMS)), done.Failures)
	if err != nil || w.providers.requests != before+1 || !again.RestUntil.After(done.RestUntil) {
		t.Errorf("%d requests more, rests until %s after %s, %v", w.providers.requests-before, again.RestUntil, done.RestUntil, err)
	}
}

// stalled stands still between the commit of an attempt and its request.
type stalled struct {
	dispatch.Store
	clock *clock
}

func (s stalled) DecideMessage(ctx context.Context, m store.Message, hash store.MessageHash, at time.Time, decide func(*store.Addressee) (*store.Attempt, store.MessageOutcome)) (bool, error) {
	ok, err := s.Store.DecideMessage(ctx, m, hash, at, decide)
	s.clock.forward(time.Minute)
	return ok, err
}

func TestAProcessThatStoodStillDoesNotSend(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, nil)
	w.plan()
	w.through(w.sender(order.SMS, stalled{w.store, w.clock}, w.port(order.SMS)))
	if w.providers.requests != 0 {
		t.Error("it sent, though others may ask for the message already")
	}
	m := w.by(id, "out_for_delivery", order.SMS)
	if m.Attempts == 0 || m.Status != store.MessagePlanned {
		t.Errorf("%+v", m)
	}
}

func TestWhatNobodyKnowsIsAskedForAndNeverSentTwice(t *testing.T) {
	w := newWorld(t)
	w.providers.choose = func(string) behaviour { return takesBreaks }
	id := w.order(1, nil)
	w.plan()
	w.round(order.SMS)
	w.round(order.Email)
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageUnclear, "ambiguous")
	w.clock.forward(31 * time.Second)
	w.round(order.SMS)
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageSent, "found")
	// SendGrid cannot be asked. It is waited for, and then given up, not sent.
	for range 40 {
		w.clock.forward(time.Hour)
		w.round(order.Email)
	}
	m := w.by(id, "confirmation", order.Email)
	if m.Status != store.MessageUnclear || !m.NotBefore.IsZero() || m.Attempts != 1 || w.providers.requests != 2 {
		t.Errorf("%+v after %d requests", m, w.providers.requests)
	}
	if list, err := w.store.UnclearMessages(t.Context(), 10); err != nil || len(list) != 1 || list[0].ID != m.ID {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := w.store.KeptBody(t.Context(), m.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the mail is kept for good: %v", err)
	}
	// An event settles it however late.
	w.providers.call(w.callbacks, nil)
	w.is(w.by(id, "confirmation", order.Email), store.MessageDelivered, "")
}

func TestOneMessageOfTheProvidersSettlesOneOfOurs(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, nil)
	w.plan()
	w.round(order.SMS)
	first := w.by(id, "out_for_delivery", order.SMS)
	conn := w.sql()
	// The same words to the same number, of which nobody knows: not told apart.
	exec(t, conn, `insert into messages (order_id, occasion, audience, channel, kind, intent, not_before, until, status, attempts, attempted_at, provider)
select order_id, 'twin', audience, channel, kind, intent, $2, until, 'unclear', 1, attempted_at, provider from messages where id = $1::text::uuid`, first.ID, w.clock.now())
	exec(t, conn, `insert into kept_messages (message_id, order_id, channel, body) select id, order_id, channel, json_build_object('via', 'twilio', 'text', json_build_object('ID', id, 'To', $1::text, 'Body', $2::text)) from messages where occasion = 'twin'`,
		phoneOf(1), w.providers.ledger[0].body)
	w.round(order.SMS)
	for _, m := range w.messages(id) {
		if m.Occasion == "twin" && (m.Status != store.MessageUnclear || m.ProviderID != "") {
			t.Errorf("%+v", m)
		}
	}
	if w.providers.requests != 1 {
		t.Errorf("%d requests", w.providers.requests)
	}
}

func TestAnotherAccountIsNotAskedForWhatThisOneSent(t *testing.T) {
	w := newWorld(t)
	w.providers.choose = func(string) behaviour { return takesBreaks }
	id := w.order(1, nil)
	w.plan()
	w.round(order.SMS)
	w.clock.forward(10 * time.Minute)
	w.providers.mu.Lock()
	w.providers.ledger = nil // a new account has no list of the old one's
	w.providers.mu.Unlock()
	other := w.port(order.SMS)
	w.through(w.sender(order.SMS, w.store, renamed{other}))
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageUnclear, "ambiguous")
	if w.providers.requests != 1 {
		t.Errorf("%d requests", w.providers.requests)
	}
}

type renamed struct{ dispatch.Port }

func (renamed) Via() string { return "another account" }

func TestForgedCallbacksChangeNothing(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, nil)
	w.plan()
	w.round(order.SMS)
	w.round(order.Email)
	m := w.by(id, "out_for_delivery", order.SMS)
	query := "message=" + m.ID
	form := url.Values{"MessageSid": {m.ProviderID}, "MessageStatus": {"undelivered"}, "ErrorCode": {"30005"}}
	body := []byte(form.Encode())
	good := signTwilio(publicURL+dispatch.TwilioStatusPath+"?"+query, form)
	for name, call := range map[string]func() error{
		"unsigned":      func() error { _, err := w.callbacks.TwilioStatus(t.Context(), query, body, ""); return err },
		"another query": func() error { _, err := w.callbacks.TwilioStatus(t.Context(), query+"0", body, good); return err },
		"another body": func() error {
			_, err := w.callbacks.TwilioStatus(t.Context(), query, append(body, "&x=1"...), good)
			return err
		},
		"another path": func() error { return w.callbacks.TwilioInbound(t.Context(), query, body, good) },
		"no secrets": func() error {
			c := *w.callbacks
			c.TwilioSecrets = nil
			_, err := c.TwilioStatus(t.Context(), query, body, good)
			return err
		},
		"an empty secret": func() error {
			c := *w.callbacks
			c.TwilioSecrets = [][]byte{{}}
			_, err := c.TwilioStatus(t.Context(), query, body, good)
			return err
		},
		"an old event": func() error {
			raw := `[{"event":"bounce","sg_event_id":"e","waybill_message":"` + w.by(id, "confirmation", order.Email).ID + `"}]`
			sig, at := w.providers.sign(raw)
			c := *w.callbacks
			c.Now = func() time.Time { return w.clock.now().Add(sendgrid.ReplayWindow + time.Minute) }
			_, err := c.SendGridEvents(t.Context(), []byte(raw), sig, at)
			return err
		},
		"an event of somebody else's": func() error {
			raw := `[{"event":"bounce","sg_event_id":"e","waybill_message":"` + w.by(id, "confirmation", order.Email).ID + `"}]`
			sig, at := newProviders(t, w.clock).sign(raw)
			_, err := w.callbacks.SendGridEvents(t.Context(), []byte(raw), sig, at)
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageSent, "")
	w.is(w.by(id, "confirmation", order.Email), store.MessageSent, "")
	if _, err := w.callbacks.TwilioStatus(t.Context(), query, body, good); err != nil {
		t.Error(err)
	}
	w.is(w.by(id, "out_for_delivery", order.SMS), store.MessageFailed, "bad_address 30005")
}

func (w *world) sql() *pgx.Conn {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.url)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if tag, err := conn.Exec(t.Context(), sql, args...); err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v, %v", sql, tag, err)
	}
}

// Names, addresses and numbers are in the tables made for them, and while it is not
// known whether a message arrived, in the message itself; never in a log, an
// outcome, or what a workflow hears.
func TestNobodysDataLeavesItsTables(t *testing.T) {
	w := newWorld(t)
	behaviours := []behaviour{takes, takesBreaks, breaks, busy, takes, takes}
	n := 0
	w.providers.choose = func(string) behaviour { n++; return behaviours[n%len(behaviours)] }
	w.providers.dead = func(to string) bool { return strings.HasSuffix(to, "3") || strings.HasSuffix(to, "4@buyer.example") }
	for n := range 8 {
		w.order(n, nil)
	}
	// What cannot be written is logged too.
	w.order(9, func(o *store.NewOrder) { o.Spec.Number = "" })
	w.plan()
	var heard []activities.SendDone
	for range 8 {
		heard = append(heard, w.round(order.Email), w.round(order.SMS))
		w.providers.call(w.callbacks, rand.New(rand.NewPCG(2, 2)))
		w.clock.forward(time.Minute)
	}
	told, err := json.Marshal(heard)
	if err != nil {
		t.Fatal(err)
	}
	sentinels := []string{"Wilhelmina", "wilhelmina", "Sentinel", "buyer.example", phoneOf(0)[:6]}
	for _, s := range sentinels {
		if strings.Contains(w.log.String(), s) {
			t.Errorf("%q is in the log:\n%s", s, w.log.String())
		}
		if strings.Contains(string(told), s) {
			t.Errorf("%q is told to the workflow: %s", s, told)
		}
	}
	if !strings.Contains(w.log.String(), "level=") {
		t.Error("nothing was logged at all")
	}
	conn := w.sql()
	rows, err := conn.Query(t.Context(), `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table == "contacts" || table == "addresses" || table == "kept_messages" {
			continue
		}
		for _, s := range sentinels {
			var found int
			if err := conn.QueryRow(t.Context(), `select count(*) from `+pgx.Identifier{table}.Sanitize()+` x where x::text like '%' || $1 || '%'`, s).Scan(&found); err != nil {
				t.Fatal(err)
			}
			if found > 0 {
				t.Errorf("%q is in %s", s, table)
			}
		}
	}
	var settled int
	if err := conn.QueryRow(t.Context(), `select count(*) from kept_messages k join messages m on m.id = k.message_id where m.status not in ('planned', 'sending', 'unclear')`).Scan(&settled); err != nil || settled > 0 {
		t.Errorf("%d settled messages are kept, %v", settled, err)
	}
}

// Without credentials everything is kept and shown, and nothing is sent.
func TestTheOutboxKeepsEverything(t *testing.T) {
	w := newWorld(t)
	outbox := messaging.Outbox{Shelf: dispatch.Shelf{Store: w.store}, Now: w.clock.now}
	id := w.order(1, nil)
	w.plan()
	w.through(w.sender(order.Email, w.store, dispatch.Mails(dispatch.Outbox, dispatch.Outbox, outbox.Email())))
	w.through(w.sender(order.SMS, w.store, dispatch.Texts(dispatch.Outbox, dispatch.Outbox, outbox.SMS())))
	w.is(w.by(id, "confirmation", order.Email), store.MessageSent, "")
	if w.providers.requests != 0 {
		t.Error("something was sent")
	}
	shelf, err := w.store.Shelf(t.Context(), time.Time{}, "", 10)
	if err != nil || len(shelf) != 2 {
		t.Fatalf("%d on the shelf, %v", len(shelf), err)
	}
	for _, k := range shelf {
		var e dispatch.Envelope
		if err := json.Unmarshal(k.Body, &e); err != nil || (e.Mail == nil) == (e.Text == nil) {
			t.Fatalf("%s: %v", k.Body, err)
		}
		if e.Mail != nil && (e.Mail.To.Address != messaging.Address(mailOf(1)) || !strings.Contains(e.Mail.HTML, "Wilhelmina") || e.Mail.Headers["List-Unsubscribe"] == "") {
			t.Errorf("%+v", *e.Mail)
		}
	}
	next, err := w.store.Shelf(t.Context(), shelf[0].ShelvedAt, shelf[0].ID, 10)
	if err != nil || len(next) != 1 || next[0].ID != shelf[1].ID {
		t.Errorf("the next page has %d, %v", len(next), err)
	}
}

func TestOneBrokenOrderStopsNobodyElse(t *testing.T) {
	w := newWorld(t)
	broken, good := w.order(1, nil), w.order(2, nil)
	exec(t, w.sql(), `update orders set state = '{"spec": 17}' where id = $1`, broken)
	w.plan()
	w.round(order.Email)
	w.is(w.by(good, "confirmation", order.Email), store.MessageSent, "")
	if len(w.messages(broken)) != 0 || !strings.Contains(w.log.String(), "cannot be planned") {
		t.Error("what cannot be planned is not said")
	}
	// Broken after it was planned.
	third := w.order(3, nil)
	w.plan()
	exec(t, w.sql(), `update orders set state = '{"spec": 17}' where id = $1`, third)
	w.round(order.Email)
	w.is(w.by(third, "confirmation", order.Email), store.MessageFailed, "unreadable")
}

func TestTeamsGetAlertsBySignedWebhook(t *testing.T) {
	w := newWorld(t)
	secret := []byte("sixteen letters!")
	var bodies []string
	refuse := true
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at := strings.TrimPrefix(strings.Split(r.Header.Get(storefront.SignatureHeader), ",")[0], "t=")
		sec, err := time.ParseDuration(at + "s")
		if err != nil || r.Header.Get(storefront.SignatureHeader) != storefront.Sign(secret, time.Unix(int64(sec.Seconds()), 0), body) {
			t.Errorf("signature %q", r.Header.Get(storefront.SignatureHeader))
		}
		bodies = append(bodies, r.Header.Get(storefront.IdempotencyHeader)+" "+string(body))
		if refuse {
			refuse = false
			rw.WriteHeader(503)
		}
	}))
	defer hook.Close()
	teams, err := dispatch.ParseTeams("ops=" + hook.URL + "/x?key=hidden,ops=ops@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	w.writer.Teams = teams
	id := w.orderWith(1, nil, func(s *order.State) {
		s.Cases = append(s.Cases, order.Case{ID: "stalled:1", Kind: order.Stalled, Parcel: "1", Owner: order.OpsTeam, Severity: order.Normal, OpenedAt: s.Now, Due: s.Now.Add(time.Hour), Text: "no movement"})
		s.Told = append(s.Told, order.Happening{Seq: 1, N: 9, Type: order.CaseOpened, At: s.Now, Parcel: "1", Case: order.Stalled})
	})
	w.plan()
	hooks, err := dispatch.NewHooks(teams, secret, w.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	w.through(w.sender(order.Webhook, w.store, hooks))
	w.clock.forward(time.Minute)
	w.through(w.sender(order.Webhook, w.store, hooks)) // it may come twice, under one ID
	w.is(w.by(id, "alert", order.Webhook), store.MessageSent, "")
	if len(bodies) != 2 || bodies[0] != bodies[1] || strings.Contains(bodies[0], "hidden") || !strings.Contains(bodies[0], "no movement") {
		t.Errorf("%q", bodies)
	}
	w.round(order.Email)
	if len(w.providers.ledger) == 0 || w.by(id, "alert", order.Email).Status != store.MessageSent {
		t.Error("no mail to the team")
	}
	if _, err := dispatch.NewHooks(teams, nil, w.clock.now); err == nil {
		t.Error("webhooks without a secret")
	}
	for _, bad := range []string{"pigeons=a@b.example", "ops", "ops=", "ops=gopher://x", "ops=https://user:word@x.example/"} {
		if _, err := dispatch.ParseTeams(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAnErasedBuyerIsToldNothing(t *testing.T) {
	w := newWorld(t)
	id := w.order(1, nil)
	w.plan()
	exec(t, w.sql(), `update contacts set name = '', email = '', phone = '', erased_at = now() where order_id = $1`, id)
	w.round(order.Email)
	w.round(order.SMS)
	for _, m := range w.messages(id) {
		w.is(m, store.MessageDropped, "the person was erased")
	}
	if w.providers.requests != 0 || len(w.faults()) != 0 {
		t.Errorf("%d requests, %v", w.providers.requests, w.faults())
	}
}

func FuzzParseTeams(f *testing.F) {
	f.Add("ops=ops@shop.example,ops=+15551234567,warehouse=https://hooks.example/x?y=1,2")
	f.Fuzz(func(t *testing.T, text string) {
		teams, err := dispatch.ParseTeams(text)
		for name, team := range teams {
			if err != nil || name == "" || team == (dispatch.Team{}) || team.Email != "" && !team.Email.Valid() || team.Phone != "" && !team.Phone.Valid() {
				t.Errorf("%q: %s %+v, %v", text, name, team, err)
			}
		}
	})
}
