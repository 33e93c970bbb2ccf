package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// stub is a carrier that does as it is told and remembers what it was asked.
type stub struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	tokens int
	good   string // the token that is good now
	answer http.HandlerFunc
}

func newStub(t *testing.T) *stub {
	s := &stub{good: "token-1"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		good, answer := s.good, s.answer
		if strings.HasSuffix(r.URL.Path, "/oauth/token") {
			s.tokens++
			s.mu.Unlock()
			if id, secret, _ := r.BasicAuth(); id != "id" || secret != "hidden" {
				http.Error(w, `{"response":{"errors":[{"code":"250002"}]}}`, http.StatusUnauthorized)
				return
			}
			fmt.Fprintf(w, `{"access_token":%q,"expires_in":"14399","token_type":"Bearer"}`, good)
			return
		}
		s.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+good {
			http.Error(w, `{"response":{"errors":[{"code":"250003"}]}}`, http.StatusUnauthorized)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) answers(f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *stub) says(status int, body string, header ...string) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func (s *stub) count() (all, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked), s.tokens
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// calls collects what is observed.
type calls struct {
	mu   sync.Mutex
	list []Call
}

func (c *calls) see(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, call)
}

func (c *calls) outcomes() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.list {
		out = append(out, call.What+" "+call.Outcome)
	}
	return out
}

func client(t *testing.T, s Store, base, budget string) (*Client, *calls) {
	t.Helper()
	creds, err := Parse(fmt.Appendf(nil, "credentials:\n  - {name: ups, carrier: ups, key: id, secret: hidden, base_url: %q, budget: %s}", base, budget), env)
	if err != nil {
		t.Fatal(err)
	}
	seen := &calls{}
	return New(s, creds, nil, seen.see), seen
}

func problem(t *testing.T, err error, want carriers.Reason) *carriers.AskError {
	t.Helper()
	var p *carriers.AskError
	if !errors.As(err, &p) || p.Reason != want {
		t.Fatalf("%v, want %s", err, want)
	}
	if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "token-") {
		t.Errorf("the error shows a secret: %v", err)
	}
	return p
}

const number = "1ZWB00000300000012"

func TestTrack(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(200, fixture(t, "ups/testdata/track.json"))
	c, seen := client(t, st, s.URL, "100/h")
	for range 3 {
		answer, err := c.Track(t.Context(), "ups", []string{number})
		events := answer.Events
		if err != nil || len(events) == 0 {
			t.Fatalf("%d events, %v", len(events), err)
		}
	}
	if all, tokens := s.count(); all != 4 || tokens != 1 {
		t.Errorf("%d requests, %d for tokens", all, tokens)
	}
	b, err := c.Budget(t.Context(), "ups")
	if err != nil || b.Windows[0].Left != 96 || !b.Resting.IsZero() {
		t.Errorf("%+v, %v", b, err)
	}
	if got := seen.outcomes(); !slices.Equal(got, []string{"token ok", "track ok", "track ok", "track ok"}) || seen.list[1].Lag <= 0 || seen.list[1].Carrier != "ups" {
		t.Errorf("%v", seen.list)
	}
	// What must not be sent is not paid for.
	for _, numbers := range [][]string{nil, {""}, {"../admin"}, {number, number}} {
		_, err := c.Track(t.Context(), "ups", numbers)
		problem(t, err, carriers.BadRequest)
	}
	_, err = c.Track(t.Context(), "nobody", []string{number})
	problem(t, err, carriers.BadRequest)
	if all, _ := s.count(); all != 4 {
		t.Errorf("%d requests", all)
	}
}

// A hundred callers at once make one token.
func TestOneTokenForAll(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(200, fixture(t, "ups/testdata/track.json"))
	c, _ := client(t, st, s.URL, "1000/h")
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := c.Track(t.Context(), "ups", []string{number}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, tokens := s.count(); all != 101 || tokens != 1 {
		t.Errorf("%d requests, %d for tokens", all, tokens)
	}
}

func TestTokenIsFetchedAnewOnce(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(200, fixture(t, "ups/testdata/track.json"))
	c, seen := client(t, st, s.URL, "100/h")
	if _, err := c.Track(t.Context(), "ups", []string{number}); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.good = "token-2" // the old one is revoked
	s.mu.Unlock()
	if _, err := c.Track(t.Context(), "ups", []string{number}); err != nil {
		t.Fatal(err)
	}
	if got := seen.outcomes(); !slices.Equal(got, []string{"token ok", "track ok", "track unauthorized", "token ok", "track ok"}) {
		t.Error(got)
	}
	// A carrier that refuses every token is not asked for ever.
	s.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	before, _ := s.count()
	_, err := c.Track(t.Context(), "ups", []string{number})
	problem(t, err, carriers.Unauthorized)
	if after, _ := s.count(); after-before != 3 {
		t.Errorf("%d requests for one question", after-before)
	}
}

func TestTokenIsReplacedBeforeItEnds(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{time.Minute: 6 * time.Second, 4 * time.Hour: 5 * time.Minute, 0: 0} {
		if got := early(life); got != want {
			t.Errorf("%v: %v early, want %v", life, got, want)
		}
	}
	tk, fetched := newTokens(), 0
	fetch := func(life time.Duration) func() (carriers.Token, error) {
		return func() (carriers.Token, error) {
			fetched++
			return carriers.Token{Value: carriers.Secret(fmt.Sprint(fetched)), Expiry: life}, nil
		}
	}
	for i, step := range []struct {
		life time.Duration
		want carriers.Secret
	}{{0, "1"}, {time.Hour, "2"}, {time.Hour, "2"}} {
		if got, err := tk.get(t.Context(), fetch(step.life)); err != nil || got != step.want {
			t.Errorf("step %d: %v, %v", i, string(got), err)
		}
	}
	tk.drop("1") // another has taken its place
	if got, _ := tk.get(t.Context(), fetch(time.Hour)); got != "2" {
		t.Error("a good token was dropped for an old one")
	}
	tk.drop("2")
	if got, _ := tk.get(t.Context(), fetch(time.Hour)); got != "3" {
		t.Error("a refused token is used again")
	}
}

// Two workers, one credential: what one is told, both keep.
func TestRetryAfterIsKeptByAllWorkers(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(429, `{"response":{"errors":[{"code":"10429"}]}}`, "Retry-After", "3600")
	one, _ := client(t, st, s.URL, "100/h")
	two, seen := client(t, st, s.URL, "100/h")
	_, err := one.Track(t.Context(), "ups", []string{number})
	p := problem(t, err, carriers.Limited)
	if rest := time.Until(p.Until); rest < 59*time.Minute || rest > time.Hour {
		t.Errorf("rests for %v", rest)
	}
	before, _ := s.count()
	_, err = two.Track(t.Context(), "ups", []string{number})
	if again := problem(t, err, carriers.Limited); again.Until.Sub(p.Until).Abs() > time.Second {
		t.Errorf("one until %v, the other until %v", p.Until, again.Until)
	}
	if after, _ := s.count(); after != before {
		t.Error("asked although it should rest")
	}
	if got := seen.outcomes(); !slices.Equal(got, []string{"token budget"}) {
		t.Error(got)
	}
	if b, err := two.Budget(t.Context(), "ups"); err != nil || b.Resting.Sub(p.Until).Abs() > time.Second {
		t.Errorf("%+v, %v", b, err)
	}
}

// The budget holds whatever many workers want, and the carrier sees no more.
func TestBudgetIsNeverExceeded(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(200, fixture(t, "ups/testdata/track.json"))
	var wg sync.WaitGroup
	var ok, spent atomic.Int64
	for range 8 {
		c, _ := client(t, st, s.URL, "20/h")
		for range 10 {
			wg.Go(func() {
				_, err := c.Track(t.Context(), "ups", []string{number})
				var p *carriers.AskError
				switch {
				case err == nil:
					ok.Add(1)
				case errors.As(err, &p) && p.Reason == carriers.Limited && time.Until(p.Until) > 50*time.Minute:
					spent.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	all, _ := s.count()
	if all != 20 || ok.Load() == 0 || ok.Load()+spent.Load() != 80 {
		t.Errorf("%d requests were sent, %d answered, %d not allowed", all, ok.Load(), spent.Load())
	}
}

func TestBreakerOpensForAllWorkers(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	one, _ := client(t, st, s.URL, "100/h")
	two, _ := client(t, st, s.URL, "100/h")
	s.says(200, fixture(t, "ups/testdata/track.json"))
	if _, err := one.Track(t.Context(), "ups", []string{number}); err != nil {
		t.Fatal(err)
	}
	s.says(503, `<html>down</html>`)
	for range 5 {
		_, err := one.Track(t.Context(), "ups", []string{number})
		problem(t, err, carriers.Unavailable)
	}
	before, _ := s.count()
	for _, c := range []*Client{one, two} {
		_, err := c.Track(t.Context(), "ups", []string{number})
		if p := problem(t, err, carriers.Limited); time.Until(p.Until) <= 0 {
			t.Errorf("until %v", p.Until)
		}
	}
	if after, _ := s.count(); after != before {
		t.Error("asked although the breaker is open")
	}
}

// What is about the number or the request says nothing against the carrier.
func TestUnknownNumbersDoNotOpenTheBreaker(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	s.says(200, fixture(t, "ups/testdata/notfound.json"))
	c, _ := client(t, st, s.URL, "100/h")
	for range 7 {
		_, err := c.Track(t.Context(), "ups", []string{number})
		problem(t, err, carriers.NotFound)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	st := storetest.New(t)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   carriers.Reason
	}{
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, carriers.Unavailable},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}, carriers.BadRequest},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			chunk := []byte(strings.Repeat(" ", 1<<20))
			for range 6 {
				_, _ = w.Write(chunk)
			}
		}, carriers.Unavailable},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
		}, carriers.Unavailable},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, carriers.Unavailable},
		"echoes": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			_ = json.NewEncoder(w).Encode(map[string]string{"message": r.Header.Get("Authorization"), "error_description": "hidden"})
		}, carriers.BadRequest},
	} {
		s := newStub(t)
		s.answers(c.answer)
		creds, err := Parse(fmt.Appendf(nil, "credentials:\n  - {name: %q, carrier: ups, key: id, secret: hidden, base_url: %q}", strings.ReplaceAll(name, " ", "-"), s.URL), env)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(st, creds, nil, nil).Track(t.Context(), creds[0].Name, []string{number})
		t.Log(name, err)
		problem(t, err, c.want)
	}
}

// A carrier that does not answer costs the caller's time, no more, and counts as a
// failure. A caller that leaves says nothing against the carrier.
func TestSilence(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	reached, release := make(chan struct{}, 2), make(chan struct{})
	s.answers(func(_ http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	c, _ := client(t, st, s.URL, "100/h")
	left, leave := context.WithCancel(t.Context())
	go func() { <-reached; leave() }()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for i, ctx := range []context.Context{left, short} {
		_, err := c.Track(ctx, "ups", []string{number})
		problem(t, err, carriers.Unavailable)
		if b, err := c.Budget(t.Context(), "ups"); err != nil || b.Failures != i {
			t.Errorf("%d: %+v, %v", i, b, err)
		}
	}
	if c.http.Timeout <= 0 || c.http.Timeout > 10*time.Second {
		t.Errorf("a request may take %v", c.http.Timeout)
	}
}

func TestSubscribe(t *testing.T) {
	s, st := newStub(t), storetest.New(t)
	c, _ := client(t, st, s.URL, "100/h")
	s.says(200, `{"validTrackingNumbers":["1ZWB00000300000012"]}`)
	until, err := c.Subscribe(t.Context(), "ups", []string{number})
	if left := time.Until(until); err != nil || left < 13*24*time.Hour || left > 14*24*time.Hour {
		t.Errorf("%v, %v", until, err)
	}
	s.says(200, `{"validTrackingNumbers":["1ZWB00000300000012"],"invalidTrackingNumbers":["1ZWB00000300000013"]}`)
	until, err = c.Subscribe(t.Context(), "ups", []string{number, "1ZWB00000300000013"})
	if p := problem(t, err, carriers.BadRequest); until.IsZero() || !strings.Contains(p.Detail, "1ZWB00000300000013") || strings.Contains(p.Detail, number) {
		t.Errorf("%v, %v", until, p)
	}
	s.says(400, `{"response":{"errors":[{"code":"VSS210"}]}}`)
	until, err = c.Subscribe(t.Context(), "ups", []string{number})
	if problem(t, err, carriers.BadRequest); !until.IsZero() {
		t.Error(until)
	}
}

func TestCredentialForAParcel(t *testing.T) {
	creds, err := Parse([]byte(`credentials:
  - {name: fallback, carrier: easypost, key: k, for: [ups, ontrac]}
  - {name: ups-a, carrier: ups, key: k, secret: s}
  - {name: ups-b, carrier: ups, key: k, secret: s}
  - {name: idle, carrier: shippo, key: k}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	c := New(nil, creds, func(carrier string) carriers.Hook { return carriers.Hook{URL: "https://x.example/" + carrier} }, nil)
	for carrier, want := range map[string]string{"ups": "ups-a ups-b fallback", "ontrac": "fallback", "fedex": "", "shippo": "idle", "": ""} {
		var names []string
		for _, got := range c.For(carrier) {
			names = append(names, got.Name)
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s: %s", carrier, names)
		}
	}
	if list := c.Credentials(); len(list) != 4 || list[1].Name != "ups-a" || list[1].Hook.URL != "https://x.example/ups" {
		t.Errorf("%+v", list)
	}
}

// away is a store that is not there.
type away struct{ Store }

func (away) TakeCall(context.Context, string, []store.Window, time.Time) (bool, time.Time, error) {
	return false, time.Time{}, errors.New("the database is away")
}

// Without a budget nothing is sent.
func TestNothingIsSentWithoutABudget(t *testing.T) {
	s := newStub(t)
	c, _ := client(t, away{}, s.URL, "100/h")
	if _, err := c.Track(t.Context(), "ups", []string{number}); err == nil || !strings.Contains(err.Error(), "away") {
		t.Error(err)
	}
	if all, _ := s.count(); all != 0 {
		t.Errorf("%d requests", all)
	}
}
