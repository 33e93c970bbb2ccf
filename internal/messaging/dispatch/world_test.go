package dispatch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/messaging/twilio"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	account   = "AC0123456789abcdef0123456789abcdef"
	token     = "0123456789abcdef0123456789abcdef"
	mailKey   = "SG.key"
	publicURL = "https://orders.example.com"
	shopPhone = "+15005550006"
)

// clock runs as the real one does, and can be put forward.
type clock struct {
	start, base time.Time
	ahead       atomic.Int64
}

func newClock() *clock {
	return &clock{start: time.Now(), base: time.Date(2026, 3, 3, 0, 5, 0, 0, time.UTC)}
}
func (c *clock) now() time.Time {
	return c.base.Add(time.Since(c.start)).Add(time.Duration(c.ahead.Load())).Truncate(time.Microsecond)
}
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// world is a database, providers and everything of ours that works on them.
type world struct {
	*testing.T
	clock     *clock
	store     *store.Store
	url       string
	providers *providers
	writer    *dispatch.Writer
	callbacks *dispatch.Callbacks
	log       *bytes.Buffer
	logger    *slog.Logger
}

type locked struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: newClock(), url: storetest.URL(t), log: &bytes.Buffer{}}
	s, err := store.Open(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w.store = s
	w.logger = slog.New(slog.NewTextHandler(&locked{b: w.log}, nil))
	w.providers = newProviders(t, w.clock)
	w.writer = &dispatch.Writer{Links: links.Links{PublicURL: publicURL, TemporalUIURL: publicURL, Secret: []byte(strings.Repeat("s", 32))}, From: "orders@shop.example", StatusCallback: publicURL + dispatch.TwilioStatusPath}
	w.callbacks = &dispatch.Callbacks{Store: s, Hash: w.writer.Hash, PublicURL: publicURL, TwilioSecrets: [][]byte{[]byte(token)}, SendGridKeys: w.providers.keys(), Now: w.clock.now}
	if err := s.PutStore(t.Context(), store.StoreRow{ID: "acme", Name: "Acme", SupportEmail: "help@shop.example"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// port is the provider of a channel, through its real client.
func (w *world) port(channel order.Channel) dispatch.Port {
	w.Helper()
	if channel == order.SMS {
		c, err := twilio.New(twilio.Config{AccountSID: account, Secret: token, From: shopPhone, BaseURL: w.providers.server.URL, Timeout: 250 * time.Millisecond, Now: w.clock.now})
		if err != nil {
			w.Fatal(err)
		}
		return dispatch.Texts(dispatch.Twilio, dispatch.Twilio, c)
	}
	c, err := sendgrid.New(sendgrid.Config{Key: mailKey, BaseURL: w.providers.server.URL, Timeout: 250 * time.Millisecond})
	if err != nil {
		w.Fatal(err)
	}
	return dispatch.Streamed(dispatch.SendGrid, dispatch.SendGrid, c)
}

func (w *world) sender(channel order.Channel, s dispatch.Store, p dispatch.Port) *dispatch.Sender {
	return &dispatch.Sender{Store: s, Writer: w.writer, Port: p, Channel: channel, Now: w.clock.now, Log: w.logger, Look: time.Millisecond}
}

func (w *world) planner(s dispatch.Store) *dispatch.Planner {
	return &dispatch.Planner{Store: s, Writer: w.writer, Now: w.clock.now, Log: w.logger}
}

const (
	buyerName = "Wilhelmina Sentinel"
	buyerCity = "Sentinelsburg"
)

func mailOf(n int) string  { return fmt.Sprintf("wilhelmina.%d@buyer.example", n) }
func phoneOf(n int) string { return fmt.Sprintf("+1555%07d", n) }

// order makes order n: received, and its only parcel out for delivery. That is a
// confirmation by mail and a text message.
func (w *world) order(n int, change func(*store.NewOrder)) string {
	w.Helper()
	return w.orderWith(n, change, func(s *order.State) {
		p := &s.Parcels[0]
		p.Milestone, p.Since, p.PossessionAt = order.OutForDelivery, s.Now, s.Now
		s.Told = append(s.Told, order.Happening{Seq: 1, N: 9, Type: order.MilestoneReached, At: s.Now, Parcel: p.ID, Milestone: order.OutForDelivery})
	})
}

func (w *world) orderWith(n int, change func(*store.NewOrder), live func(*order.State)) string {
	w.Helper()
	id := fmt.Sprintf("acme:%d", n)
	hash := sha256.Sum256([]byte(id))
	policy := order.DefaultPolicy()
	policy.Messages = order.MessagePolicy{Quiet: order.NoQuiet, Group: order.Duration(time.Microsecond)}
	o := store.NewOrder{
		Spec: order.Spec{ID: id, Store: "acme", Number: strconv.Itoa(n), Class: order.HighValue, PlacedAt: w.clock.now(), CustomerRef: id,
			Lines: []order.Line{{SKU: "sofa", Name: "Sofa", Quantity: 1}}, Parcels: []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: "1Z" + id, Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}}, Policy: policy},
		Contact:   store.Contact{Name: buyerName, Email: mailOf(n), Phone: phoneOf(n), Language: "en"},
		Address:   store.Address{Name: buyerName, City: buyerCity, Country: "GB"},
		TokenHash: hash[:], RequestHash: hash[:],
	}
	if change != nil {
		change(&o)
	}
	if _, err := w.store.CreateOrder(w.Context(), o); err != nil {
		w.Fatal(err)
	}
	s := order.New(o.Spec, order.CurrentRules, w.clock.now())
	live(&s)
	if err := w.store.Project(w.Context(), &s); err != nil {
		w.Fatal(err)
	}
	return id
}

// plan plans until nothing is left to.
func (w *world) plan() {
	w.Helper()
	p := w.planner(w.store)
	for quiet := 0; quiet < 3; {
		n, err := p.Once(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if quiet++; n > 0 {
			quiet = 0
		}
	}
}

func (w *world) messages(id string) []store.Message {
	w.Helper()
	list, err := w.store.MessagesOf(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// errDead is what everything of a killed sender says.
var errDead = errors.New("this process is dead")

// life is that of one sender process: after so many things done it is dead, just
// before or just after the last one, and nothing of it happens any more.
type life struct {
	left atomic.Int64
	kill context.CancelFunc
	// after: the last thing is done, and nobody hears of it.
	after bool
}

func (l *life) do(thing func() error) error {
	switch left := l.left.Add(-1); {
	case left < 0:
		return errDead
	case left == 0:
		if l.after {
			_ = thing()
		}
		l.kill()
		return errDead
	}
	err := thing()
	if l.left.Load() <= 0 {
		return errDead // it died while this was under way
	}
	return err
}

// mortal is the store of a sender that will die, mortalPort its provider.
type mortal struct {
	dispatch.Store
	*life
}

func (m mortal) ClaimMessages(ctx context.Context, channel string, limit int, now time.Time) (list []store.Message, err error) {
	err = m.do(func() (err error) { list, err = m.Store.ClaimMessages(ctx, channel, limit, now); return err })
	return list, err
}

func (m mortal) DecideMessage(ctx context.Context, x store.Message, hash store.MessageHash, at time.Time, decide func(*store.Addressee) (*store.Attempt, store.MessageOutcome)) (ok bool, err error) {
	err = m.do(func() (err error) { ok, err = m.Store.DecideMessage(ctx, x, hash, at, decide); return err })
	return ok, err
}

func (m mortal) RecordOutcome(ctx context.Context, o store.MessageOutcome, at time.Time) error {
	return m.do(func() error { return m.Store.RecordOutcome(ctx, o, at) })
}

func (m mortal) FollowUp(ctx context.Context, x store.Message, other *store.NewMessage, lost bool, at time.Time) (ok bool, err error) {
	err = m.do(func() (err error) { ok, err = m.Store.FollowUp(ctx, x, other, lost, at); return err })
	return ok, err
}

func (m mortal) KeptBody(ctx context.Context, id string) (body json.RawMessage, err error) {
	err = m.do(func() (err error) { body, err = m.Store.KeptBody(ctx, id); return err })
	return body, err
}

func (m mortal) Witnesses(ctx context.Context, x store.Message, nearest int, from, to, since time.Time) (w store.Witnesses, err error) {
	err = m.do(func() (err error) { w, err = m.Store.Witnesses(ctx, x, nearest, from, to, since); return err })
	return w, err
}

func (m mortal) PlanMessages(ctx context.Context, limit int, hash store.MessageHash, plan func([]store.Told) []store.NewMessage) (n int, err error) {
	err = m.do(func() (err error) { n, err = m.Store.PlanMessages(ctx, limit, hash, plan); return err })
	return n, err
}

type mortalPort struct {
	dispatch.Port
	*life
}

func (m mortalPort) Send(ctx context.Context, e dispatch.Envelope) (r messaging.Receipt, err error) {
	var answer error
	if dead := m.do(func() error { r, answer = m.Port.Send(ctx, e); return nil }); dead != nil {
		return messaging.Receipt{}, &messaging.Error{Class: messaging.Ambiguous, Fault: "dead"}
	}
	return r, answer
}

func (m mortalPort) Find(ctx context.Context, e dispatch.Envelope, at time.Time) (f messaging.Finding, r messaging.Receipt, err error) {
	var answer error
	if dead := m.do(func() error { f, r, answer = m.Port.Find(ctx, e, at); return nil }); dead != nil {
		return messaging.Unknown, messaging.Receipt{}, dead
	}
	return f, r, answer
}
