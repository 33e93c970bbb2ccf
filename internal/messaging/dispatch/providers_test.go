package dispatch_test

import (
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
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
)

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
