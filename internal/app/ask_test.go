package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// What an order asks comes in as facts, once, by the same way as pushes.
func TestOrdersAskCarriers(t *testing.T) {
	answer, err := os.ReadFile("../carriers/ups/testdata/track.json")
	if err != nil {
		t.Fatal(err)
	}
	status, body, after := 200, answer, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":"3600"}`))
			return
		}
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	defer s.Close()
	p := &process{store: storetest.New(t), log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	p.intake = &intake.Intake{Store: p.store}
	if p.tracker() != nil {
		t.Fatal("there is a tracker without credentials")
	}
	p.Credentials, err = credentials(file(t, fmt.Sprintf("credentials:\n  - {name: main, carrier: ups, key: k, secret: s, base_url: %q, budget: 100/s}", s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	tr := p.tracker()
	const number = "1ZWB00000300000001"
	last, err := tr.Track(t.Context(), "ups", number, time.Time{})
	if err != nil || last.IsZero() {
		t.Fatalf("%v, %v", last, err)
	}
	kept, err := p.store.Inbox(t.Context())
	if err != nil || kept.Orphans == 0 {
		t.Fatalf("%+v, %v", kept, err)
	}
	if again, err := tr.Track(t.Context(), "ups", number, last); err != nil || !again.IsZero() {
		t.Errorf("nothing moved since, but %v, %v", again, err)
	}
	if after, err := p.store.Inbox(t.Context()); err != nil || after.Orphans != kept.Orphans {
		t.Errorf("%d facts, then %d, %v", kept.Orphans, after.Orphans, err)
	}
	if at, err := tr.Track(t.Context(), "ontrac", number, time.Time{}); !errors.Is(err, activities.ErrNobodyToAsk) || !at.IsZero() {
		t.Errorf("a carrier that nobody may ask: %v, %v", at, err)
	}
	bodies := func() []store.RawBody {
		t.Helper()
		list, err := p.store.RawBodies(t.Context(), store.RawFilter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := bodies(); len(list) > 0 && list[0].Unmapped+list[0].Rejected == 0 {
		t.Errorf("an answer without trouble was kept: %+v", list)
	}
	body = []byte(`not what UPS says`)
	if _, err := tr.Track(t.Context(), "ups", number, time.Time{}); err == nil {
		t.Error("garbage was read")
	}
	if list := bodies(); len(list) == 0 || list[0].Via != "poll" || list[0].Error == "" || list[0].Source != "carrier:ups" {
		t.Errorf("garbage was not kept: %+v", list)
	}
	body = []byte(`{"trackResponse":{"shipment":[{"warnings":[{"code":"TW0001","message":"-"}]}]}}`)
	if at, err := tr.Track(t.Context(), "ups", number, time.Time{}); err != nil || !at.IsZero() {
		t.Errorf("an unknown number: %v, %v", at, err)
	}
	var failed *temporal.ApplicationError
	status, body = 400, []byte(`{"response":{"errors":[{"code":"TV1002"}]}}`)
	if _, err := tr.Track(t.Context(), "ups", number, time.Time{}); !errors.As(err, &failed) || !failed.NonRetryable() {
		t.Errorf("a refused request: %v", err)
	}
	status, after = 429, "120"
	if _, err := tr.Track(t.Context(), "ups", number, time.Time{}); !errors.As(err, &failed) || failed.NonRetryable() || failed.NextRetryDelay() < 110*time.Second {
		t.Errorf("limited: %v", err)
	}
	metrics, err := p.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, m := range metrics {
		seen[m.GetName()] = len(m.GetMetric())
	}
	// token ok; track ok, unreadable, not found, refused, limited.
	if seen["waybill_carrier_calls_total"] != 6 || seen["waybill_carrier_lag_seconds"] != 1 {
		t.Errorf("series %v", seen)
	}
}

func TestRestIsKeptByOrders(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		problem carriers.Reason
		rest    time.Duration
		goesOn  bool
	}{{carriers.Limited, time.Hour, true}, {carriers.Limited, -time.Hour, true}, {carriers.Unavailable, 0, true}, {carriers.Unauthorized, 0, false}, {carriers.BadRequest, time.Hour, false}} {
		var e *temporal.ApplicationError
		if !errors.As(retry(&carriers.AskError{Reason: c.problem, Until: now.Add(c.rest)}, now), &e) || e.NonRetryable() == c.goesOn {
			t.Errorf("%+v: %v", c, e)
		}
		if d := e.NextRetryDelay(); c.goesOn && (d < max(0, c.rest) || d > max(0, c.rest)*11/10+5*time.Second) {
			t.Errorf("%+v: again in %v", c, d)
		}
	}
	plain := errors.New("the database is away")
	if err := retry(plain, now); !errors.Is(err, plain) {
		t.Error(err)
	}
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "carriers.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBadCredentialsRefuseToStart(t *testing.T) {
	if list, err := credentials(""); err != nil || list != nil {
		t.Errorf("%v, %v", list, err)
	}
	for name, want := range map[string]string{
		file(t, "credentials:\n  - name: main\n    carrier: ups\n    key: k"): "line 2: secret: missing",
		filepath.Join(t.TempDir(), "none.yaml"):                               "WAYBILL_CARRIERS_FILE",
	} {
		if _, err := credentials(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	t.Setenv("WAYBILL_CARRIERS_FILE", filepath.Join(t.TempDir(), "none.yaml"))
	if _, err := FromEnv(); err == nil || !strings.Contains(err.Error(), "WAYBILL_CARRIERS_FILE") {
		t.Error(err)
	}
}

func TestCarriersPushToOurWebhook(t *testing.T) {
	c := Config{PublicURL: "https://waybill.example", WebhookSecrets: map[string][][]byte{"usps": {[]byte("new-secret"), []byte("old-secret")}}}
	if h := c.hook("usps"); h.URL != "https://waybill.example/webhooks/usps" || string(h.Secret) != "new-secret" {
		t.Errorf("%+v", h)
	}
	if h := c.hook("ups"); h.URL != "" || h.Secret != "" {
		t.Errorf("a hook without a secret: %+v", h)
	}
}

// Two credentials of one carrier: when the first's budget is spent the second is
// asked, each within its own; with both spent the question waits for the earlier.
func TestTheSecondCredentialIsAskedWhenTheFirstIsSpent(t *testing.T) {
	answer, err := os.ReadFile("../carriers/easypost/testdata/track_list.json")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		asked[user]++
		_, _ = w.Write(answer)
	}))
	defer s.Close()
	p := &process{store: storetest.New(t), log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	p.intake = &intake.Intake{Store: p.store}
	p.Credentials, err = credentials(file(t, fmt.Sprintf(`credentials:
  - {name: first, carrier: easypost, key: one, base_url: %q, budget: 2/h}
  - {name: second, carrier: easypost, key: two, base_url: %q, budget: 1/h}`, s.URL, s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	tr := p.tracker()
	for i := range 3 {
		if _, err := tr.Track(t.Context(), "easypost", "EZ1000000001", time.Time{}); err != nil {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	if asked["one"] != 2 || asked["two"] != 1 {
		t.Errorf("asked %v", asked)
	}
	var failed *temporal.ApplicationError
	if _, err := tr.Track(t.Context(), "easypost", "EZ1000000001", time.Time{}); !errors.As(err, &failed) || failed.NonRetryable() || failed.NextRetryDelay() < time.Minute {
		t.Errorf("both are spent: %v", err)
	}
	if asked["one"]+asked["two"] != 3 {
		t.Errorf("asked %v", asked)
	}
}

// What DHL asks back at the webhook goes to DHL's own address, under the credential
// that subscribes, and only what may come about by another try is an error.
func TestDHLsSubscriptionsAreConfirmed(t *testing.T) {
	status, asked := 200, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path + " " + r.Header.Get("DHL-API-Key") + " " + r.Header.Get("DHL-API-Hook-Secret")
		w.WriteHeader(status)
	}))
	defer s.Close()
	p := &process{store: storetest.New(t), log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	if p.confirm() != nil {
		t.Fatal("without credentials")
	}
	var err error
	p.Credentials, err = credentials(file(t, fmt.Sprintf(`credentials:
  - {name: asks, carrier: dhl, key: other, base_url: %q}
  - {name: pushes, carrier: dhl, api: unified-push, service: parcel-de, key: k, base_url: %q, budget: 100/s}`, s.URL, s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	if c := p.Credentials; c[0].Subscribes || !c[1].Subscribes || c[1].SubscribeBatch != 10 {
		t.Errorf("%+v", c)
	}
	confirm := p.confirm()
	p.tracker() // of the same process: one set of metrics
	for _, c := range []struct {
		status int
		again  bool
	}{{204, false}, {400, false}, {401, false}, {404, false}, {500, true}} {
		status, asked = c.status, ""
		err := confirm(t.Context(), "dhl", carriers.Confirmation{Subscription: "sub-1", Secret: "once"})
		if (err != nil) != c.again || asked != "POST /tracking/push/v1/subscription/sub-1 k once" {
			t.Errorf("%d: %v, asked %s", c.status, err, asked)
		}
		if err != nil && strings.Contains(err.Error(), "once") {
			t.Errorf("the secret is told: %v", err)
		}
	}
	if err := confirm(t.Context(), "ups", carriers.Confirmation{Subscription: "sub-1"}); err != nil {
		t.Error(err)
	}
}
