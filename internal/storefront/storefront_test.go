package storefront

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

var (
	secret = []byte("0123456789abcdef")
	now    = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	remedy = activities.RemedyRequest{OrderID: "acme:1", Store: "acme", Number: "1", Remedy: order.Remedy{ID: "refund-lost-1-9", Kind: order.RefundRemedy, Parcel: "1",
		Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}, Amount: 90_000, Currency: "EUR", Case: order.LostParcel, AskedAt: now, AskedBy: "key:ann", Reason: "no trace, says Ada"}}
)

type stores map[string]store.StoreRow

func (s stores) GetStore(_ context.Context, id string) (store.StoreRow, error) {
	r, ok := s[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r, nil
}

// shop is a storefront: a ledger, and moods, one for each request. The last one stays.
type shop struct {
	*testing.T
	mu     sync.Mutex
	ledger map[string]int64 // refunds by idempotency key
	calls  int
	bodies map[string]bool
	moods  []func(w http.ResponseWriter, r *http.Request, book func())
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.Error(err)
	}
	if want := Sign(secret, now, body); !hmac.Equal([]byte(want), []byte(r.Header.Get(SignatureHeader))) {
		s.Errorf("signed %s, want %s", r.Header.Get(SignatureHeader), want)
	}
	var q Request
	if err := json.Unmarshal(body, &q); err != nil || q.ID != r.Header.Get(IdempotencyHeader) || r.Method != "POST" {
		s.Errorf("%s %s %v", r.Method, body, err)
	}
	s.mu.Lock()
	mood := s.moods[min(s.calls, len(s.moods)-1)]
	s.calls++
	s.bodies[string(body)] = true
	s.mu.Unlock()
	mood(w, r, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, done := s.ledger[q.ID]; !done {
			s.ledger[q.ID] = q.Amount
		}
	})
}

func says(code int, body string) func(http.ResponseWriter, *http.Request, func()) {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func confirms(w http.ResponseWriter, r *http.Request, book func()) {
	book()
	says(200, `{"status":"confirmed","reference":"rf-1"}`)(w, r, book)
}

func booksAnd(then func(http.ResponseWriter, *http.Request, func())) func(http.ResponseWriter, *http.Request, func()) {
	return func(w http.ResponseWriter, r *http.Request, book func()) {
		book()
		then(w, r, book)
	}
}

func hangs(_ http.ResponseWriter, r *http.Request, _ func()) { <-r.Context().Done() }

func breaks(w http.ResponseWriter, _ *http.Request, _ func()) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"status":"confirmed",`)
	panic(http.ErrAbortHandler)
}

func open(t *testing.T, moods ...func(http.ResponseWriter, *http.Request, func())) (*shop, *Client) {
	t.Helper()
	s := &shop{T: t, ledger: map[string]int64{}, bodies: map[string]bool{}, moods: moods}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := New(stores{"acme": {ID: "acme", WebhookURL: server.URL + "/hook?token=hush", WebhookSecret: "acme"}}, map[string][]byte{"acme": secret}, true, func() time.Time { return now })
	c.http.Timeout = 300 * time.Millisecond
	return s, c
}

// ask repeats as Temporal does: until there is a word, or none will come.
func ask(t *testing.T, c *Client, most int) (a activities.RemedyAnswer, err error) {
	t.Helper()
	for range most {
		a, err = c.RequestRemedy(t.Context(), remedy)
		if err == nil || errors.Is(err, activities.ErrFinal) {
			return a, err
		}
		for _, leak := range []string{"hush", "rf-", "Ada", "127.0.0.1/"} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("the error says %q: %v", leak, err)
			}
		}
	}
	return a, err
}

// However often it has to be asked, the shop's own ledger has one refund.
func TestOneRefundWhateverHappens(t *testing.T) {
	for name, moods := range map[string][]func(http.ResponseWriter, *http.Request, func()){
		"at once":                    {confirms},
		"hangs before":               {hangs, confirms},
		"hangs after it was done":    {booksAnd(hangs), booksAnd(hangs), confirms},
		"breaks off after":           {booksAnd(breaks), confirms},
		"garbage after":              {booksAnd(says(200, `<html>ok</html>`)), booksAnd(says(200, `{"status":"maybe"}`)), booksAnd(says(200, `{}`)), booksAnd(says(200, `null`)), confirms},
		"endless":                    {booksAnd(says(200, `{"status":"confirmed","reason":"`+strings.Repeat("x", maxAnswer)+`"}`)), confirms},
		"later":                      {says(202, ""), says(202, `{"status":"confirmed"}`), confirms},
		"busy and down":              {says(429, ""), says(503, ""), says(500, "stack trace"), says(409, ""), confirms},
		"done, then an error, twice": {booksAnd(says(502, "")), booksAnd(says(504, "")), confirms},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t, moods...)
			a, err := ask(t, c, len(moods))
			if err != nil || a.Reference != "rf-1" || a.Declined != "" {
				t.Errorf("%+v, %v", a, err)
			}
			if again, err := c.RequestRemedy(t.Context(), remedy); err != nil || again != a { // the worker died before it wrote the answer
				t.Errorf("asked again: %+v, %v", again, err)
			}
			if len(s.ledger) != 1 || s.ledger["acme:1/refund-lost-1-9"] != 90_000 || s.calls != len(moods)+1 || len(s.bodies) != 1 {
				t.Errorf("ledger %v after %d calls with %d bodies", s.ledger, s.calls, len(s.bodies))
			}
			for body := range s.bodies {
				if strings.Contains(body, "Ada") || strings.Contains(body, "key:") {
					t.Errorf("the body names people: %s", body)
				}
			}
		})
	}
}

func TestNoIsAWord(t *testing.T) {
	s, c := open(t, says(200, `{"status":"declined","reason":"paid\u0000 by\u202e voucher","reference":"n-1"}`))
	a, err := ask(t, c, 1)
	if err != nil || a.Declined != "paid by voucher" || a.Reference != "n-1" || len(s.ledger) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	_, c = open(t, says(200, `{"status":"declined"}`))
	if a, _ := ask(t, c, 1); a.Declined == "" {
		t.Error("a no without a reason reads as a yes")
	}
}

func TestWhatAskingAgainDoesNotMend(t *testing.T) {
	for _, code := range []int{301, 302, 307, 308, 400, 401, 403, 404, 410, 422, 204} {
		s, c := open(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
			w.WriteHeader(code)
		})
		if _, err := ask(t, c, 3); !errors.Is(err, activities.ErrFinal) || s.calls != 1 {
			t.Errorf("%d: %v after %d calls", code, err, s.calls)
		}
	}
	for name, row := range map[string]store.StoreRow{
		"none":         {},
		"no scheme":    {WebhookURL: "shop.example/hook", WebhookSecret: "acme"},
		"plain http":   {WebhookURL: "http://shop.example/hook", WebhookSecret: "acme"},
		"a file":       {WebhookURL: "file:///etc/passwd", WebhookSecret: "acme"},
		"a password":   {WebhookURL: "https://a:b@shop.example/", WebhookSecret: "acme"},
		"loopback":     {WebhookURL: "https://127.0.0.1:9/", WebhookSecret: "acme"},
		"loopback 6":   {WebhookURL: "https://[::1]:9/", WebhookSecret: "acme"},
		"by its name":  {WebhookURL: "https://localhost:9/", WebhookSecret: "acme"},
		"cloud's own":  {WebhookURL: "https://169.254.169.254/latest/meta-data", WebhookSecret: "acme"},
		"mapped":       {WebhookURL: "https://[::ffff:10.0.0.1]:9/", WebhookSecret: "acme"},
		"decimal form": {WebhookURL: "https://10.1:9/", WebhookSecret: "acme"},
	} {
		c := New(stores{"acme": row}, map[string][]byte{"acme": secret}, false, func() time.Time { return now })
		_, err := c.RequestRemedy(t.Context(), remedy)
		if err == nil || !errors.Is(err, activities.ErrFinal) && name != "decimal form" {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := New(stores{"acme": {WebhookURL: "https://shop.example/", WebhookSecret: "new"}}, nil, false, time.Now)
	if _, err := c.RequestRemedy(t.Context(), remedy); err == nil || errors.Is(err, activities.ErrFinal) || !strings.Contains(err.Error(), `"new"`) {
		t.Errorf("a secret that may still come: %v", err)
	}
}

func TestOnlyAddressesOfTheInternet(t *testing.T) {
	for address, ok := range map[string]bool{
		"93.184.215.14:443": true, "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443": true, "172.32.0.1:443": true,
		"10.0.0.1:443": false, "172.16.9.9:443": false, "192.168.1.1:443": false, "127.8.8.8:443": false, "0.0.0.0:443": false, "169.254.1.1:443": false, "100.64.0.1:443": false,
		"192.0.0.8:443": false, "198.18.0.1:443": false, "224.0.0.1:443": false, "255.255.255.255:443": false, "240.0.0.1:443": false,
		"[::]:443": false, "[::1]:443": false, "[fe80::1%eth0]:443": false, "[fd00::1]:443": false, "[ff02::1]:443": false, "[::ffff:127.0.0.1]:443": false, "[64:ff9b::a00:1]:443": false, "[2002:a00:1::]:443": false,
		"shop.example:443": false, "": false,
	} {
		if err := public(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The signature is written down, so that a shop can check its own code against it.
func TestTheSignatureIsTheDocumentedOne(t *testing.T) {
	const want = "t=1795262400,v1=b8778c002325a40a935ce929ee93446ab493d655791a0299826143993a59e54f"
	if got := Sign(secret, now, []byte(`{"a":1}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzAnAnswerIsAWordOrNone(f *testing.F) {
	f.Add("application/json", []byte(`{"status":"confirmed","reference":"a"}`))
	f.Add("application/json", []byte(`{"status":"declined","reason":"\u0000"}`))
	f.Add("text/html", []byte(`<html>`))
	f.Add("application/json", []byte("{\"status\":\"declined\",\"reason\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		a, err := parse(media, body)
		if err != nil {
			if a != (activities.RemedyAnswer{}) {
				t.Errorf("an error with an answer: %+v", a)
			}
			return
		}
		var said map[string]any
		if json.Unmarshal(body, &said) != nil {
			t.Fatalf("%q was read", body)
		}
		if len(a.Declined) > maxText || len(a.Reference) > 100 || strings.ContainsFunc(a.Declined+a.Reference, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%+v", a)
		}
		if status := fmt.Sprint(said["status"]); status == "declined" && a.Declined == "" {
			t.Errorf("a no became a yes: %s", body)
		}
	})
}

func TestAnExchangeSaysWhatToSend(t *testing.T) {
	s, c := open(t, confirms)
	r := remedy
	r.Remedy = order.Remedy{ID: "exchange-R1-12-1", Kind: order.ExchangeRemedy, Parcel: "R1", Return: "R1", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}, Instead: []order.Allocation{{SKU: "lamp-xl", Quantity: 1}},
		AskedAt: now, Reason: "return R1: by rule"}
	if _, err := c.RequestRemedy(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"exchange","id":"acme:1/exchange-R1-12-1","order":"acme:1","number":"1","parcel":"R1","lines":[{"sku":"lamp","quantity":1}],"return":"R1","instead":[{"sku":"lamp-xl","quantity":1}],"asked_at":"2026-11-21T12:00:00Z"}`
	if !s.bodies[want] {
		t.Errorf("asked %v", s.bodies)
	}
}
