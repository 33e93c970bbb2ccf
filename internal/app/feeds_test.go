package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/testsuite"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestEachCredentialAndEachPushingCarrierIsAFeed(t *testing.T) {
	credential := func(name, carrier string, batch int) ask.Credential {
		return ask.Credential{Account: carriers.Account{Name: name, Carrier: carrier}, Batch: batch, Subscribes: true, SubscribeBatch: 100}
	}
	secrets := map[string][][]byte{"ups": {[]byte("12345678")}, "easypost": {[]byte("12345678")}, "fedex": {[]byte("12345678")}}
	got := feedsOf(secrets, []ask.Credential{credential("ups-main", "ups", 1), credential("ups-second", "ups", 1), credential("fedex", "usps", 1)}, all.Adapters())
	want := []feed.Settings{
		{Name: "easypost", Carrier: "easypost", Pushes: true, Aggregates: true},
		{Name: "fedex", Carrier: "usps", Asks: true, Batch: 1, SubscribeBatch: 100},
		{Name: "fedex-push", Carrier: "fedex", Pushes: true},
		{Name: "ups-main", Carrier: "ups", Pushes: true, Asks: true, Batch: 1, Subscribes: true, SubscribeBatch: 100},
		{Name: "ups-second", Carrier: "ups", Asks: true, Batch: 1, SubscribeBatch: 100},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// A feed's activities on a real database, with a carrier that answers.
func TestAFeedSubscribesAndAsks(t *testing.T) {
	answer, err := os.ReadFile("../carriers/ups/testdata/track.json")
	if err != nil {
		t.Fatal(err)
	}
	var asked, subscribed, status atomic.Int64
	status.Store(200)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":"3600"}`))
		case strings.Contains(r.URL.Path, "subscription"):
			subscribed.Add(1)
			w.WriteHeader(int(status.Load()))
			_, _ = w.Write([]byte(`{}`))
		default:
			asked.Add(1)
			w.WriteHeader(int(status.Load()))
			_, _ = w.Write(answer)
		}
	}))
	defer s.Close()
	db := storetest.New(t)
	p := &process{store: db, intake: &intake.Intake{Store: db}, log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	p.PublicURL, p.WebhookSecrets = "https://waybill.example", map[string][][]byte{"ups": {[]byte("a secret")}}
	if p.Credentials, err = credentials(file(t, fmt.Sprintf("credentials:\n  - {name: main, carrier: ups, key: k, secret: s, base_url: %q, budget: [100/s, 1000/d]}", s.URL))); err != nil {
		t.Fatal(err)
	}
	tr := p.tracker()
	feeds := &activities.Feeds{Settings: feedsOf(p.WebhookSecrets, p.Credentials, all.Adapters()), Store: db, Carrier: tr, Now: time.Now}

	// Two parcels with labels. The carrier has something to say of the first.
	for i, number := range []string{"1ZWB00000300000001", "1ZWB00000300000099"} {
		spec := order.Spec{ID: fmt.Sprint("acme:", i), Store: "acme", Number: fmt.Sprint(i), PlacedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Policy: order.DefaultPolicy(), Lines: []order.Line{{SKU: "sofa", Quantity: 1}}}
		if _, err := db.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(number), RequestHash: []byte(number)}); err != nil {
			t.Fatal(err)
		}
		st := order.New(spec, order.CurrentRules, time.Now())
		order.Apply(&st, order.Stamp(order.Scan{Meta: order.Meta{N: 1, By: order.Warehouse, Occurred: spec.PlacedAt.Add(time.Hour)}, Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: number}, time.Now()))
		if err := db.Project(t.Context(), &st); err != nil {
			t.Fatal(err)
		}
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(feeds)
	do := func(activity any, arg, result any) {
		t.Helper()
		value, err := env.ExecuteActivity(activity, arg)
		if err == nil {
			err = value.Get(result)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func() (l feed.Look) {
		t.Helper()
		do(feeds.Look, activities.FeedQuestion{Feed: "main"}, &l)
		return l
	}
	l := look()
	if !l.Configured || l.Open != 2 || l.Renew != 2 || len(l.Budget.Windows) != 2 || l.Budget.Windows[1].Left != 1000 {
		t.Fatalf("%+v", l)
	}
	var done activities.FeedDone
	do(feeds.Renew, activities.FeedWork{Feed: "main", Calls: 3}, &done)
	if done.Numbers != 2 || done.Trouble != "" || subscribed.Load() != 1 || look().Renew != 0 {
		t.Errorf("renewed %+v with %d calls, %d left", done, subscribed.Load(), look().Renew)
	}
	// What was subscribed to is asked for once.
	poll := activities.FeedWork{Feed: "main", Poll: &feed.Poll{HeardBefore: time.Now().Add(-time.Hour), Calls: 5}}
	status.Store(503)
	done = activities.FeedDone{}
	do(feeds.Poll, poll, &done)
	if done.Numbers != 0 || !strings.Contains(done.Trouble, activities.ErrNotNow.Error()) || asked.Load() != 1 {
		t.Errorf("while the carrier is away %+v, %d calls", done, asked.Load())
	}
	status.Store(200)
	done = activities.FeedDone{}
	do(feeds.Poll, poll, &done)
	if done.Numbers != 2 || done.Trouble != "" || done.Events == 0 {
		t.Errorf("asked %+v, %d calls", done, asked.Load())
	}
	if again, err := db.Inbox(t.Context()); err != nil || again.Unsent == 0 {
		t.Errorf("%+v, %v", again, err)
	}
	done = activities.FeedDone{}
	if do(feeds.Poll, poll, &done); done.Numbers != 0 {
		t.Errorf("asked again: %+v", done)
	}
	if l := look(); l.Budget.Windows[1].Left >= 1000 {
		t.Errorf("calls that cost nothing: %+v", l.Budget)
	}
	var unknown feed.Look
	if do(feeds.Look, activities.FeedQuestion{Feed: "other"}, &unknown); unknown.Configured {
		t.Errorf("%+v", unknown)
	}
}

func TestOnlyShortRestsAreWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		errs   []error
		calls  int
		notNow bool
		fails  bool
	}{
		"at once":         {[]error{nil}, 1, false, false},
		"a short rest":    {[]error{&carriers.AskError{Reason: carriers.Limited, Until: time.Now().Add(time.Millisecond)}, nil}, 2, false, false},
		"a long rest":     {[]error{&carriers.AskError{Reason: carriers.Limited, Until: time.Now().Add(time.Hour)}}, 1, true, true},
		"no time":         {[]error{&carriers.AskError{Reason: carriers.Limited}}, 1, true, true},
		"unknown number":  {[]error{&carriers.AskError{Reason: carriers.NotFound}}, 1, false, false},
		"refused":         {[]error{&carriers.AskError{Reason: carriers.BadRequest}}, 1, false, true},
		"bad credential":  {[]error{&carriers.AskError{Reason: carriers.Unauthorized}}, 1, true, true},
		"a store is away": {[]error{errors.New("no database")}, 1, true, true},
	} {
		n := 0
		err := paced(t.Context(), func() error { n++; return c.errs[n-1] })
		if n != c.calls || errors.Is(err, activities.ErrNotNow) != c.notNow || (err != nil) != c.fails {
			t.Errorf("%s: %d calls, %v", name, n, err)
		}
	}
}
