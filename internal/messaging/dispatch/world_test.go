package dispatch_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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

// behaviour is what a provider does with one request.
type behaviour int

const (
	takes       behaviour = iota
	takesHangs            // accepts, and never answers
	takesBreaks           // accepts, and answers 500
	breaks                // 500, not accepted
	busy                  // 429
)

// sent is one message in the ledger of the providers: what a buyer got.
type sent struct {
	id, sid, to, body string
	at                time.Time
}

// callback is what a provider has to say: a status of Twilio's, once, or events of
// SendGrid's, which are posted until they are answered, for 24 hours.
type callback struct {
	once      func(*dispatch.Callbacks) error
	events    []string
	made, due time.Time
	taken     bool
}

func (p *providers) post(c *dispatch.Callbacks, x *callback) error {
	if x.once != nil {
		return x.once(c)
	}
	body := "[" + strings.Join(x.events, ",") + "]"
	signature, timestamp := p.sign(body)
	_, err := c.SendGridEvents(context.Background(), []byte(body), signature, timestamp)
	return err
}

// providers play Twilio and SendGrid, and keep the ledger.
type providers struct {
	t      testing.TB
	clock  *clock
	key    *ecdsa.PrivateKey
	server *httptest.Server
	// choose says what becomes of a request; nil: taken.
	choose func(channel string) behaviour
	// deadNumber says that a number or address can get nothing; nil: none.
	dead func(to string) bool

	mu       sync.Mutex
	ledger   []sent
	requests int
	gaveUp   int           // posts of events that nobody took for 24 hours
	pending  []*callback   // to come
	nap      chan struct{} // ends requests that hang
}

func newProviders(t testing.TB, c *clock) *providers {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &providers{t: t, clock: c, key: key, nap: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/"+account+"/Messages.json", p.twilioSend)
	mux.HandleFunc("GET /2010-04-01/Accounts/"+account+"/Messages.json", p.twilioList)
	mux.HandleFunc("POST /v3/mail/send", p.sendgridSend)
	p.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(p.nap)
		p.server.Close()
	})
	return p
}

func (p *providers) keys() []*ecdsa.PublicKey {
	der, err := x509.MarshalPKIXPublicKey(&p.key.PublicKey)
	if err != nil {
		p.t.Fatal(err)
	}
	k, err := sendgrid.Key(base64.StdEncoding.EncodeToString(der))
	if err != nil {
		p.t.Fatal(err)
	}
	return []*ecdsa.PublicKey{k}
}

// take decides about a request, books what is accepted, and says how to answer.
func (p *providers) take(channel string, m sent) (b behaviour, sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if p.choose != nil {
		b = p.choose(channel)
	}
	if b == breaks || b == busy {
		return b, ""
	}
	m.sid = fmt.Sprintf("SM%032x", len(p.ledger)+1)
	m.at = p.clock.now()
	p.ledger = append(p.ledger, m)
	return b, m.sid
}

func (p *providers) answer(w http.ResponseWriter, b behaviour, good func()) {
	switch b {
	case takes:
		good()
	case takesHangs:
		<-p.nap
	case takesBreaks, breaks:
		w.WriteHeader(500)
	case busy:
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(429)
	}
}

func (p *providers) twilioSend(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.t.Error(err)
	}
	if p.dead != nil && p.dead(r.Form.Get("To")) {
		w.WriteHeader(400)
		_, _ = w.Write([]byte(`{"code":21211,"message":"invalid","status":400}`))
		return
	}
	callback, err := url.Parse(r.Form.Get("StatusCallback"))
	if err != nil {
		p.t.Error(err)
	}
	id := callback.Query().Get("message")
	b, sid := p.take("sms", sent{id: id, to: r.Form.Get("To"), body: r.Form.Get("Body")})
	if sid != "" {
		p.tellTwilio(callback.RawQuery, sid, "sent", "")
		p.tellTwilio(callback.RawQuery, sid, "delivered", "")
	}
	p.answer(w, b, func() {
		w.WriteHeader(201)
		_, _ = fmt.Fprintf(w, `{"sid":%q,"status":"queued"}`, sid)
	})
}

func (p *providers) twilioList(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	type row struct {
		SID     string `json:"sid"`
		Body    string `json:"body"`
		Created string `json:"date_created"`
	}
	var list []row
	for _, m := range slices.Backward(p.ledger) {
		if m.to == r.URL.Query().Get("To") {
			list = append(list, row{m.sid, m.body, m.at.Format(time.RFC1123Z)})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"uri": "/list", "messages": list})
}

func (p *providers) sendgridSend(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Personalizations []struct {
			To         []struct{ Email string }
			CustomArgs struct {
				Message string `json:"waybill_message"`
			} `json:"custom_args"`
		}
		Subject string
	}
	raw, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(raw, &m); err != nil || len(m.Personalizations) != 1 {
		p.t.Errorf("%s: %v", raw, err)
		return
	}
	to, id := m.Personalizations[0].To[0].Email, m.Personalizations[0].CustomArgs.Message
	b, sid := p.take("email", sent{id: id, to: to, body: m.Subject})
	if sid != "" {
		p.tellSendGrid(id, sid, "processed", "")
		if p.dead != nil && p.dead(to) {
			p.tellSendGrid(id, sid, "bounce", `,"status":"5.1.1","bounce_classification":"Invalid Address"`)
		} else {
			p.tellSendGrid(id, sid, "delivered", "")
		}
	}
	p.answer(w, b, func() {
		w.Header().Set("X-Message-Id", sid)
		w.WriteHeader(202)
	})
}

func (p *providers) tell(x *callback) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.made = p.clock.now()
	p.pending = append(p.pending, x)
}

// signTwilio signs a callback as Twilio's documentation words it.
func signTwilio(address string, form url.Values) string {
	keys := []string{}
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		address += k + form.Get(k)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (p *providers) tellTwilio(query, sid, status, code string) {
	form := url.Values{"MessageSid": {sid}, "MessageStatus": {status}}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	p.tell(&callback{once: func(c *dispatch.Callbacks) error {
		_, err := c.TwilioStatus(context.Background(), query, []byte(form.Encode()), signTwilio(publicURL+dispatch.TwilioStatusPath+"?"+query, form))
		return err
	}})
}

func (p *providers) tellSendGrid(id, sid, event, more string) {
	p.tell(&callback{events: []string{fmt.Sprintf(`{"event":%q,"sg_event_id":"%s-%s","sg_message_id":"%s.filter0001","waybill_message":%q,"timestamp":%d%s}`, event, sid, event, sid, id, p.clock.now().Unix(), more)}})
}

func (p *providers) sign(body string) (signature, timestamp string) {
	timestamp = strconv.FormatInt(p.clock.now().Unix(), 10)
	sum := sha256.Sum256([]byte(timestamp + body))
	sig, err := ecdsa.SignASN1(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig), timestamp
}

// call makes the callbacks that are pending, in an order of r's, some twice.
func (p *providers) call(c *dispatch.Callbacks, r *mathrand.Rand) {
	p.mu.Lock()
	pending := p.pending
	p.pending = nil
	p.mu.Unlock()
	if r != nil {
		r.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
	}
	for _, x := range pending {
		for n := 0; n == 0 || n == 1 && r != nil && r.Float64() < 0.3; n++ {
			if err := p.post(c, x); err != nil {
				p.t.Error(err)
			}
		}
	}
}

// weather is how callbacks fare for a while.
type weather struct {
	down bool // we cannot be reached
	// loses is how much of Twilio's, which tells once, is lost; losesEvents how much of
	// SendGrid's, which it documents not to lose.
	loses, losesEvents float64
}

// deliver makes the callbacks that are due: up to ten minutes late, in any order, some
// twice, SendGrid's several in one post, and again, at doubling distance, where nobody
// answered or the answer was lost. It returns how many are still to come.
func (p *providers) deliver(c *dispatch.Callbacks, r *mathrand.Rand, how weather) (left int) {
	now := p.clock.now()
	p.mu.Lock()
	pending := p.pending
	p.pending = nil
	p.mu.Unlock()
	r.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
	var later, due []*callback
	var batch *callback
	for _, x := range pending {
		if x.due.IsZero() {
			loses := how.losesEvents
			if x.once != nil {
				loses = how.loses
			}
			if r.Float64() < loses {
				continue
			}
			x.due = x.made.Add(time.Second + time.Duration(r.Int64N(int64(10*time.Minute))))
			if x.once == nil && batch != nil && r.IntN(3) > 0 {
				batch.events = append(batch.events, x.events...)
				continue
			}
			if x.once == nil {
				batch = x
			}
		}
		if x.due.After(now) {
			later = append(later, x)
		} else {
			due = append(due, x)
		}
	}
	gaveUp := 0
	for _, x := range due {
		if !how.down {
			if err := p.post(c, x); err != nil {
				p.t.Error(err)
			}
			x.taken = true
		}
		if x.once != nil || x.taken && r.Float64() < 0.7 { // what was taken comes again, too
			continue
		}
		if x.due = now.Add(max(time.Minute, now.Sub(x.made))); x.due.Before(x.made.Add(24 * time.Hour)) {
			later = append(later, x)
		} else if !x.taken {
			gaveUp++
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gaveUp += gaveUp
	p.pending = append(p.pending, later...)
	return len(p.pending)
}

// counts are how often each message was accepted, by our ID.
func (p *providers) counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := map[string]int{}
	for _, m := range p.ledger {
		n[m.id]++
	}
	return n
}

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
