// Package messagingtest is the suite that every provider's client passes: what
// it makes of a provider that misbehaves, and what it must never let out.
package messagingtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/waybillhq/waybill/internal/messaging"
)

// Suite is what the tests need to know of a client.
type Suite struct {
	// Send sends a fixed message through a new client for the provider at base.
	Send func(ctx context.Context, base string, timeout time.Duration) (messaging.Receipt, error)
	// Good is the provider's documented success: status, headers, body.
	Good   int
	Header http.Header
	Body   string
	// Receipt is what Send makes of it.
	Receipt messaging.Receipt
	// Private must not stand in any error: address, number, words, secrets.
	Private []string
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	answer := func(status int, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	// Providers repeat the recipient in their errors. So do these.
	words := strings.Join(s.Private, " ")
	said := fmt.Sprintf(`{"code":0,"message":%q,"errors":[{"message":%q}]}`, words, words)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	cut := func(head string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = c.Write([]byte(head))
			_ = c.Close()
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		class   messaging.Class
		reason  messaging.Reason
		after   time.Duration
		fault   string
	}{
		"429":                    {answer(429, said, "Retry-After", "7"), messaging.Retryable, messaging.Busy, 7 * time.Second, ""},
		"429 for a day":          {answer(429, said, "Retry-After", "86400"), messaging.Retryable, messaging.Busy, time.Hour, ""},
		"429 with nonsense":      {answer(429, "slow down", "Retry-After", "-soon"), messaging.Retryable, messaging.Busy, 0, ""},
		"400":                    {answer(400, said), messaging.Permanent, messaging.Rejected, 0, ""},
		"400 that is no JSON":    {answer(400, "<html>"+words), messaging.Permanent, messaging.Rejected, 0, ""},
		"400 null":               {answer(400, "null"), messaging.Permanent, messaging.Rejected, 0, ""},
		"413":                    {answer(413, said), messaging.Permanent, messaging.Rejected, 0, ""},
		"401":                    {answer(401, said), messaging.Retryable, messaging.Account, 0, ""},
		"403":                    {answer(403, said), messaging.Retryable, messaging.Account, 0, ""},
		"404":                    {answer(404, said), messaging.Retryable, messaging.Account, 0, ""},
		"408":                    {answer(408, said), messaging.Ambiguous, "", 0, ""},
		"500":                    {answer(500, said), messaging.Ambiguous, "", 0, ""},
		"502 of a proxy":         {answer(502, "<html>Bad Gateway"), messaging.Ambiguous, "", 0, ""},
		"503":                    {answer(503, said, "Retry-After", "30"), messaging.Ambiguous, "", 30 * time.Second, ""},
		"307 elsewhere":          {answer(307, "", "Location", elsewhere.URL), messaging.Retryable, messaging.Account, 0, ""},
		"200 of somebody else":   {answer(200, "<html>Log in"), messaging.Ambiguous, "", 0, "unexpected answer"},
		"204":                    {answer(204, ""), messaging.Ambiguous, "", 0, "unexpected answer"},
		"too long an answer":     {answer(500, strings.Repeat("x", 5<<20)), messaging.Ambiguous, "", 0, "answer cut short"},
		"closed without answer":  {cut(""), messaging.Ambiguous, "", 0, "no answer"},
		"closed in the head":     {cut("HTTP/1.1 20"), messaging.Ambiguous, "", 0, "no answer"},
		"garbage":                {cut("\x16\x03\x01garbage\r\n\r\n"), messaging.Ambiguous, "", 0, "no answer"},
		"200 cut short":          {cut("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"sid\":"), messaging.Ambiguous, "", 0, "answer cut short"},
		"500 cut short":          {cut("HTTP/1.1 500 Oops\r\nContent-Length: 500\r\n\r\n{"), messaging.Ambiguous, "", 0, "answer cut short"},
		"400 with reason lost":   {cut("HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{\"code\":"), messaging.Retryable, "", 0, "answer cut short"},
		"accepted, then silence": {silence, messaging.Ambiguous, "", 0, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				c.handler(w, r)
			}))
			defer server.Close()
			timeout := 10 * time.Second
			if c.fault == "timeout" {
				timeout = 100 * time.Millisecond
			}
			e := s.fails(t, context.Background(), server.URL, timeout)
			if e.Class != c.class || e.Reason != c.reason || e.After != c.after || e.Fault != c.fault {
				t.Errorf("got %+v", e)
			}
			if calls.Load() != 1 {
				t.Errorf("%d requests for one send", calls.Load())
			}
		})
	}

	t.Run("nobody there", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		_ = l.Close()
		if e := s.fails(t, context.Background(), "http://"+addr, time.Minute); e.Class != messaging.Retryable || e.Fault != "no connection" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		server := httptest.NewServer(answer(s.Good, s.Body))
		defer server.Close()
		base := strings.Replace(server.URL, "http://", "https://", 1)
		if e := s.fails(t, context.Background(), base, time.Minute); e.Class != messaging.Retryable || e.Status != 0 {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("cancelled while waiting", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { cancel(); silence(w, r) }))
		defer server.Close()
		e := s.fails(t, ctx, server.URL, 10*time.Minute)
		if e.Class != messaging.Ambiguous || !errors.Is(e, context.Canceled) {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was made") }))
		defer server.Close()
		if e := s.fails(t, ctx, server.URL, time.Minute); e.Class != messaging.Retryable {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("taken", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range s.Header {
				w.Header()[k] = v
			}
			w.WriteHeader(s.Good)
			_, _ = w.Write([]byte(s.Body))
		}))
		defer server.Close()
		got, err := s.Send(context.Background(), server.URL, time.Minute)
		if err != nil || got != s.Receipt {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// silence takes the request and answers nothing until the client goes away, which
// a server notices only once the body is read.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// fails sends, and returns the error after looking for what it must not say.
func (s Suite) fails(t *testing.T, ctx context.Context, base string, timeout time.Duration) *messaging.Error {
	t.Helper()
	got, err := s.Send(ctx, base, timeout)
	var e *messaging.Error
	if !errors.As(err, &e) {
		t.Fatalf("%+v, %v: no *messaging.Error", got, err)
	}
	for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", *e)} {
		for _, private := range s.Private {
			if strings.Contains(text, private) {
				t.Errorf("%q stands in %s", private, text)
			}
		}
	}
	return e
}

// Spec loads a vendor's OpenAPI document, or skips saying so.
func Spec(t *testing.T, up string, path ...string) *openapi3.T {
	t.Helper()
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		dir = filepath.Join(up, "../shared/data")
	}
	file := filepath.Join(append([]string{dir, "specs"}, path...)...)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the vendor's specification is not here (set WAYBILL_DATA): %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc
}

// Validating answers as the provider would, after holding every request against
// its specification.
func Validating(t *testing.T, doc *openapi3.T, path string, params map[string]string, then http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := Validate(doc, path, params, r); err != nil {
			t.Errorf("the specification refuses it: %v", err)
		}
		then.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// Validate holds a request against a path of a specification.
func Validate(doc *openapi3.T, path string, params map[string]string, r *http.Request) error {
	want := path
	for k, v := range params {
		want = strings.ReplaceAll(want, "{"+k+"}", v)
	}
	item := doc.Paths.Value(path)
	if item == nil || r.URL.Path != want || item.GetOperation(r.Method) == nil {
		return fmt.Errorf("%s %s is not in it", r.Method, r.URL.Path)
	}
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	})
}
