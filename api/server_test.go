package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBodies(t *testing.T) {
	b := newBench(t)
	key := b.keys[Storefront]
	for name, c := range map[string]struct {
		body   string
		status int
		kind   string
		says   string
	}{
		"empty":            {"", 400, "malformed", "needed"},
		"cut off":          {`{"store":"acme"`, 400, "malformed", "at byte 15"},
		"two values":       {`{} {}`, 400, "malformed", "at byte 4"},
		"not JSON":         {`store=acme`, 400, "malformed", "at byte 1"},
		"not UTF-8":        {"{\"store\":\"\xff\"}", 400, "malformed", "at byte 11"},
		"10,000 deep":      {strings.Repeat("[", 20000) + strings.Repeat("]", 20000), 400, "malformed", "depth"},
		"5,000 deep":       {`{"store":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, 422, "invalid", "store"},
		"a megabyte and 1": {`"` + strings.Repeat("x", 1<<20) + `"`, 413, "too-large", "1048576"},
	} {
		a := b.call("POST", "/v1/orders", key, c.body).refuses(c.status, c.kind, "-")
		if !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %s", name, a.Body)
		}
	}

	large := httptest.NewRequest("POST", "/v1/orders", unread{t})
	large.ContentLength = 10 << 20
	large.Header.Set("Authorization", "Bearer "+key)
	large.Header.Set("Content-Type", "application/json")
	b.send(large).refuses(413, "too-large", "-")

	chunked := httptest.NewRequest("POST", "/v1/orders", io.MultiReader(strings.NewReader(`"`), strings.NewReader(strings.Repeat("x", 2<<20))))
	chunked.ContentLength = -1
	chunked.Header.Set("Authorization", "Bearer "+key)
	chunked.Header.Set("Content-Type", "application/json")
	b.send(chunked).refuses(413, "too-large", "-")

	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(smallOrder))
	_ = w.Close()
	b.call("POST", "/v1/orders", key, zipped.String(), "Content-Encoding", "gzip").refuses(415, "unsupported-media-type", "-")
	b.call("POST", "/v1/orders", key, smallOrder, "Content-Type", "text/plain").refuses(415, "unsupported-media-type", "-")
	b.call("POST", "/v1/orders", key, smallOrder, "Content-Type", "").refuses(415, "unsupported-media-type", "-")
	b.call("POST", "/v1/orders", key, smallOrder, "Content-Type", "application/json; charset=utf-8").want(201)

	// Batches have more room.
	wide := `{"scans":[` + strings.Repeat(" ", 3<<20) + `{"kind":"picked","order":"acme:1","occurred_at":"2026-11-21T08:00:00Z"}]}`
	b.call("POST", "/v1/scans", b.keys[Warehouse], wide).want(200)
	b.call("POST", "/v1/scans", b.keys[Warehouse], wide+strings.Repeat(" ", 1<<20)).refuses(413, "too-large", "-")
}

func TestHealthAndReadiness(t *testing.T) {
	b := newBench(t)
	b.call("GET", "/healthz", "", "").want(200)
	b.call("GET", "/readyz", "", "").want(200)
	b.ready = errors.Join(errors.New("temporal: no answer"), errors.New("database: no answer"))
	if h := read[health](b.call("GET", "/readyz", "", "").want(503)); fmt.Sprint(h) != "{unavailable [database: no answer temporal: no answer]}" {
		t.Errorf("%+v", h)
	}
	b.ready = fmt.Errorf("database: %w", errors.New("no answer"))
	if h := read[health](b.call("GET", "/readyz", "", "").want(503)); len(h.Reasons) != 1 {
		t.Errorf("%+v", h)
	}
	b.call("GET", "/healthz", "", "").want(200)
}

func TestMetrics(t *testing.T) {
	b := withOrder(t)
	b.call("GET", "/v1/orders/acme:1001", b.keys[Support], "")
	b.call("GET", "/v1/orders/acme:404", b.keys[Support], "")
	b.call("BREW", "/nowhere/acme:1001", "", "")
	text := b.call("GET", "/metrics", "", "").want(200).Body.String()
	for _, want := range []string{
		`waybill_http_request_duration_seconds_count{method="GET",route="/v1/orders/:id",status="200"} 1`,
		`waybill_http_request_duration_seconds_count{method="GET",route="/v1/orders/:id",status="404"} 1`,
		`waybill_http_request_duration_seconds_count{method="other",route=`,
		"waybill_http_in_flight 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "acme") {
		t.Error("an order number is a label")
	}
}

func TestSourceLabelIsBounded(t *testing.T) {
	b := newBench(t)
	for i := range maxSources + 50 {
		b.api.metrics.fact(fmt.Sprint("carrier:x", i), "accepted", 1)
	}
	if n := len(b.api.metrics.sources); n != maxSources {
		t.Errorf("%d sources", n)
	}
	if text := b.call("GET", "/metrics", "", "").Body.String(); !strings.Contains(text, `waybill_facts_total{result="accepted",source="other"} 50`) {
		t.Error("the rest is not counted")
	}
}

func TestPanicIsAProblem(t *testing.T) {
	b := withOrder(t)
	b.engine.hook = func(context.Context) { panic("canary in the mine") }
	a := b.call("GET", "/v1/orders/acme:1001?live=true", b.keys[Support], "").refuses(500, "internal", "-")
	if strings.Contains(a.Body.String(), "canary") || !strings.Contains(b.log.String(), "canary in the mine") || !strings.Contains(b.log.String(), "stack=") {
		t.Errorf("%s", a.Body)
	}
	b.engine.hook = nil
	b.call("GET", "/v1/orders/acme:1001?live=true", b.keys[Support], "").want(200)
}

func TestDeadline(t *testing.T) {
	b := withOrder(t, Limits{Timeout: 20 * time.Millisecond})
	b.engine.hook = func(ctx context.Context) { <-ctx.Done(); b.engine.err = ctx.Err() }
	b.call("POST", "/v1/orders/acme:1001/cancel", b.keys[Support], `{"reason":"x"}`).refuses(503, "unavailable", "-")
	if a := b.audits[0]; a.Outcome != "failed" { // written although the time was up
		t.Errorf("%+v", a)
	}
}

func TestOnlySoManyAtOnce(t *testing.T) {
	b := withOrder(t, Limits{InFlight: 1})
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.engine.hook = func(context.Context) { once.Do(func() { close(entered); <-leave }) }
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.call("GET", "/v1/orders/acme:1001?live=true", b.keys[Support], "").want(200)
	}()
	<-entered
	b.call("GET", "/v1/orders/acme:1001", b.keys[Support], "").refuses(503, "unavailable", "-")
	b.call("GET", "/healthz", "", "").want(200)
	close(leave)
	<-done
	b.call("GET", "/v1/orders/acme:1001", b.keys[Support], "").want(200)
}

func TestRequestID(t *testing.T) {
	b := newBench(t)
	if a := b.call("GET", "/healthz", "", "", "X-Request-Id", "abc-1.2_3"); a.Header().Get("X-Request-Id") != "abc-1.2_3" {
		t.Error("a good one is kept")
	}
	for _, bad := range []string{"a b", "a\"b", strings.Repeat("x", 65), "<x>"} {
		if a := b.call("GET", "/healthz", "", "", "X-Request-Id", bad); a.Header().Get("X-Request-Id") == bad {
			t.Errorf("%q was kept", bad)
		}
	}
}

func TestErrorsMapToHTTP(t *testing.T) {
	b := withOrder(t)
	for _, c := range []struct {
		err    error
		status int
	}{
		{store.ErrNotFound, 404},
		{store.ErrConflict, 409},
		{ErrNotRunning, 409},
		{ErrUnavailable, 503},
		{context.DeadlineExceeded, 503},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, 503},
		{state("57P01"), 503},
		{state("08006"), 503},
		{state("42P01"), 500},
		{&http.MaxBytesError{Limit: 1}, 413},
		{echo.NewHTTPError(http.StatusTeapot), 418},
		{errors.New("anything"), 500},
	} {
		if p := toProblem(fmt.Errorf("somewhere: %w", c.err)); p.Status != c.status || p.Type == "" || p.Title == "" {
			t.Errorf("%v is %+v, want %d", c.err, p, c.status)
		}
	}
	b.fail = &net.OpError{Op: "dial", Err: errors.New("connection refused to 10.1.2.3")}
	if a := b.call("GET", "/v1/orders/acme:1001", b.keys[Support], "").refuses(503, "unavailable", "-"); strings.Contains(a.Body.String(), "10.1.2.3") {
		t.Error("the inside shows")
	}
}

type state string

func (s state) Error() string    { return "pg " + string(s) }
func (s state) SQLState() string { return string(s) }

func TestNoPersonalDataAndNoSecretsInLogs(t *testing.T) {
	b := withOrder(t)
	b.call("POST", "/v1/orders", b.keys[Storefront], strings.Replace(smallOrder, `"quantity":2`, `"quantity":0`, 1))
	b.call("POST", "/v1/orders/acme:1001/address", b.keys[Support], `{"ship_to":{"name":"Ada Canary","street":"2 Canary Row","city":"X","country":"US"}}`)
	b.call("GET", "/v1/orders?q=Canary", b.keys[Support], "")
	b.call("GET", "/t/CanaryToken", "", "")
	b.fail = errors.New("broken")
	b.call("POST", "/v1/orders", b.keys[Storefront], smallOrder)
	for _, secret := range append([]string{"anary", "1555000"}, b.keys[Support][16:], b.keys[Storefront][16:]) {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, b.log)
		}
	}
	if !strings.Contains(b.log.String(), "broken") {
		t.Error("the fault is not in the log")
	}
}

func TestClientAddressIsNotTakenFromHeaders(t *testing.T) {
	b := newBench(t)
	var seen string
	b.api.Echo.GET("/ip", func(c echo.Context) error { seen = c.RealIP(); return nil })
	b.call("GET", "/ip", "", "", "X-Forwarded-For", "6.6.6.6", "X-Real-Ip", "6.6.6.6")
	if seen == "6.6.6.6" || seen == "" {
		t.Errorf("the client says it is %s and is believed", seen)
	}
}

func TestNewRefusesAWeakSecret(t *testing.T) {
	b := newBench(t)
	defer func() {
		if recover() == nil {
			t.Error("a short secret passed")
		}
	}()
	New(Deps{Store: b.memory, Orders: b.engine})
}
