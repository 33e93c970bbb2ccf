package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

// hurried makes a client wait a hundredth of what it should.
func hurried(c *Client) *Client {
	c.pause = func(ctx context.Context, d time.Duration) error { return sleep(ctx, d/100) }
	return c
}

// The server resets, answers 503 and 500, and forgets to answer: nothing is
// lost, and nothing comes a second time under a new ID (the fake compares).
func TestNothingIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0.4)
	c := hurried(f.client())
	ctx := t.Context()
	sales := handmade()
	options := testOptions()
	options.Start = time.Now().Add(-time.Hour)
	plan := Plan(sales, options)
	if err := c.PutPolicy(ctx, plan.Policy); err != nil {
		t.Fatal(err)
	}
	facts := 0
	for i := range plan.Orders {
		o := &plan.Orders[i]
		if _, err := c.CreateOrder(ctx, o.Create); err != nil {
			t.Fatal(err)
		}
		for _, x := range o.Facts {
			var results []itemResult
			var err error
			if x.Scan != nil {
				results, err = c.PostScans(ctx, []ScanItem{*x.Scan})
			} else {
				results, err = c.PostEvents(ctx, x.Carrier, []CarrierItem{*x.Event})
			}
			if err != nil || len(results) != 1 || results[0].Result == resultRejected {
				t.Fatal(err, results)
			}
			facts++
		}
		if !o.Cancel.IsZero() {
			if err := c.Cancel(ctx, o.ID, "changed my mind"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(f.facts) != facts || len(f.orders) != len(plan.Orders) {
		t.Errorf("the server has %d facts and %d orders, not %d and %d", len(f.facts), len(f.orders), facts, len(plan.Orders))
	}
	if c.retries.Load() == 0 {
		t.Error("nothing went wrong: the test is worth nothing")
	}
}

func TestFinalAnswersAreNotTriedAgain(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 413, 422} {
		calls := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(status)
			fmt.Fprint(w, `{"title":"No","detail":"because"}`)
		}))
		c, _ := NewClient(s.URL, Keys{"": "k"})
		_, err := hurried(c).CreateOrder(t.Context(), OrderRequest{Store: "a", Number: "1"})
		s.Close()
		if calls != 1 || !isStatus(err, status) || !strings.Contains(err.Error(), "because") {
			t.Errorf("%d: %d calls, %v", status, calls, err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, `{"orders":[]}`)
	}))
	defer s.Close()
	c, _ := NewClient(s.URL, nil)
	var waited time.Duration
	c.pause = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	if _, err := c.List(t.Context(), "a"); err != nil || waited < 7*time.Second || calls != 2 {
		t.Errorf("%d calls, waited %s, %v", calls, waited, err)
	}
}

func TestPatienceEnds(t *testing.T) {
	c, _ := NewClient("http://127.0.0.1:1", nil)
	c.Patience = 20 * time.Millisecond
	if _, err := hurried(c).List(t.Context(), "a"); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
}

func TestAnswersMustBelongToTheItems(t *testing.T) {
	for _, answer := range []string{
		`{"results":[]}`,
		`{"results":[{"index":0,"id":"other","result":"accepted"},{"index":1,"id":"b","result":"accepted"}]}`,
		`{"results":[{"index":0,"id":"a","result":"accepted"},{"index":0,"id":"a","result":"accepted"}]}`,
		`{"results":[{"index":0,"id":"a","result":"accepted"},{"index":9,"id":"b","result":"accepted"}]}`,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		c, _ := NewClient(s.URL, nil)
		if _, err := c.PostScans(t.Context(), []ScanItem{{ID: "a"}, {ID: "b"}}); err == nil {
			t.Errorf("%s was believed", answer)
		}
		s.Close()
	}
}

func olistOptions(t *testing.T, f *fake, limit int) (OlistOptions, *bytes.Buffer) {
	var out bytes.Buffer
	return OlistOptions{Dir: dataDir(t), Limit: limit, Day: MinDay, BaseURL: f.URL, Keys: Keys{roleAdmin: "wb_test"}, Settle: 5 * time.Second, Out: &out}, &out
}

// A whole run against a server that fails now and then and is away for a while.
func TestOlistRidesOutAnUnreliableServer(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0.05)
	o, out := olistOptions(t, f, 40)
	o.Offset, o.Batch = 100, true
	go func() {
		time.Sleep(300 * time.Millisecond)
		f.mu.Lock()
		f.downTo = time.Now().Add(400 * time.Millisecond)
		f.mu.Unlock()
	}()
	r, err := Olist(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r.Tally.Taken() != r.Counts.Facts || r.Tally.Posted != r.Counts.Posts || len(f.facts) != r.Counts.Facts || len(f.orders) != 40 || r.Tally.Retries == 0 {
		t.Errorf("%+v, %+v; the server has %d facts", r.Tally, r.Counts, len(f.facts))
	}
	if r.Agree != 40 || r.Timelines != 40 || r.Live != 30 || !r.Settled {
		t.Errorf("%+v\n%s", r, out)
	}
	t.Log(out)
}

// In real time: what is due is posted when it is due, never before.
func TestRunKeepsTime(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0)
	plan := Plan(handmade(), PlanOptions{Store: "olist", Seed: 3, Day: 30 * time.Millisecond, Start: time.Now().Add(50 * time.Millisecond), Carriers: []string{"sim"}})
	c := f.client()
	if err := c.PutPolicy(t.Context(), plan.Policy); err != nil {
		t.Fatal(err)
	}
	r := newRunner(c, &plan, false, 4)
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ended := time.Now(); ended.Before(plan.last()) {
		t.Error("it ended before its last moment")
	}
	for key, x := range f.facts {
		at := time.Time{}
		if x.scan != nil {
			at = x.scan.OccurredAt
		} else {
			at = x.event.OccurredAt
		}
		if x.received.Before(at) {
			t.Errorf("%s came %s before it happened", key, at.Sub(x.received))
		}
	}
	if r.Tally.Posted != plan.Counts.Posts || r.Tally.Taken() != plan.Counts.Facts || r.Tally.Duplicates != plan.Counts.Repeats || r.Tally.Cancels != 1 {
		t.Errorf("%+v, planned %+v", r.Tally, plan.Counts)
	}
}

// The answer to a repeat may be read first; only a second yes is a fault.
func TestAnswersInAnyOrder(t *testing.T) {
	plan := Plan(handmade()[:1], testOptions())
	a := Action{Kind: PostFact}
	for _, c := range []struct {
		answers []string
		want    Tally
		faults  int
	}{
		{[]string{"accepted", "duplicate"}, Tally{Posted: 2, Accepted: 1, Duplicates: 1}, 0},
		{[]string{"duplicate", "accepted"}, Tally{Posted: 2, Accepted: 1, Duplicates: 1}, 0},
		{[]string{"duplicate", "orphan", "duplicate"}, Tally{Posted: 3, Orphans: 1, Duplicates: 2}, 0},
		{[]string{"duplicate", "duplicate"}, Tally{Posted: 2, AlreadyThere: 1, Duplicates: 1}, 0},
		{[]string{"accepted", "accepted"}, Tally{Posted: 2, Accepted: 1}, 1},
		{[]string{"orphan", "accepted"}, Tally{Posted: 2, Orphans: 1}, 1},
		{[]string{"rejected", "rejected"}, Tally{Posted: 2, Rejected: 1}, 2},
	} {
		r := newRunner(nil, &plan, true, 1)
		for _, answer := range c.answers {
			r.settle(t.Context(), []Action{a}, []itemResult{{Result: answer}}, nil)
		}
		if left := len(plan.Orders[0].Facts) - c.want.Taken(); r.Tally != c.want || len(r.rejected) != c.faults || r.left[0] != left {
			t.Errorf("%v: %+v, %d faults, %d left", c.answers, r.Tally, len(r.rejected), r.left[0])
		}
	}
}

// Interrupted and started again with the same start: the same orders, the same
// events, none twice.
func TestOlistResumes(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0)
	o, out := olistOptions(t, f, 30)
	o.Batch, o.Concurrency = true, 2
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			time.Sleep(5 * time.Millisecond)
			f.mu.Lock()
			n := len(f.facts)
			f.mu.Unlock()
			if n > 100 {
				cancel()
				return
			}
		}
	}()
	if _, err := Olist(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(out.String(), "--start ")
	start, err := time.Parse(time.RFC3339Nano, strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	o.Start = start.Add(-2 * time.Minute)
	if _, err := Olist(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a start in the past was taken without --resume: %v", err)
	}
	o.Start, o.Resume, o.Progress = start, true, true
	r, err := Olist(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bar := "[================] 2018-"; !strings.Contains(out.String(), bar) {
		t.Errorf("no %q in\n%s", bar, out)
	}
	if r.Tally.AlreadyThere < 100 || len(f.facts) != r.Counts.Facts {
		t.Errorf("%+v; the server has %d of %d", r.Tally, len(f.facts), r.Counts.Facts)
	}
	// The same data on another clock is another run.
	o.Start, o.Resume = time.Time{}, false
	if _, err := Olist(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another") {
		t.Error(err)
	}
}

// The checker must find a server that says accepted and forgets.
func TestOlistFindsALiar(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0)
	f.drop = func(id string) bool { return strings.HasSuffix(id, "-c-05") }
	o, out := olistOptions(t, f, 10) // one of which has no scans
	o.Batch = true
	r, err := Olist(t.Context(), o)
	if !errors.Is(err, ErrDisagree) || r.Agree != 1 || !strings.Contains(out.String(), "0 times in the timeline") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestDemoFillsAndMoves(t *testing.T) {
	t.Parallel()
	f := newFake(t, 0.05)
	d := &demo{client: hurried(f.client()), log: slog.New(slog.DiscardHandler), day: time.Second}
	for range 2 { // the second time changes nothing
		if err := d.fill(t.Context(), time.Now().UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.orders) != len(cast) || len(cast) > maxDemoOrders/2 {
		t.Errorf("%d orders for a cast of %d", len(f.orders), len(cast))
	}
	want := map[string]order.Milestone{"nordholz:NH-1003": order.Packed, "nordholz:NH-1004": order.Labelled, "nordholz:NH-1005": order.Accepted,
		"nordholz:NH-1007": order.InCustoms, "brightbench:BB-1001": order.OutForDelivery, "brightbench:BB-1002": order.ReadyForPickup, "brightbench:BB-1003": order.AttemptFailed,
		"brightbench:BB-1004": order.Delivered, "brightbench:BB-1006": order.Returning, "brightbench:BB-1007": order.Lost, "brightbench:BB-1008": order.InTransit,
		"brightbench:BB-1011": order.HandedOver, "brightbench:BB-1012": order.Returned, "nordholz:NH-1010": order.Cancelled}
	for id, m := range want {
		v := f.view(f.orders[id])
		if v.Parcels[0].Milestone != m || v.Anomalies > 0 {
			t.Errorf("%s is %s, not %s, with %d anomalies", id, v.Parcels[0].Milestone, m, v.Anomalies)
		}
	}
	if v := f.view(f.orders["nordholz:NH-1008"]); v.Summary != "1 of 3 parcels delivered" {
		t.Errorf("split order: %s", v.Summary)
	}
	if v := f.view(f.orders["nordholz:NH-1009"]); !v.OnHold {
		t.Error("NH-1009 is not on hold")
	}
	// Everything that may happen to a living order ends it, sooner or later.
	have, err := d.orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.place(t.Context(), have); err != nil {
		t.Fatal(err)
	}
	moves := 0
	for id, o := range f.orders {
		for living(o.request.Number) && !settled(f.view(o).Status) {
			if moves++; moves > 2000 {
				t.Fatalf("%s does not arrive", id)
			}
			if err := d.move(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // events are named by the millisecond
		}
	}
}

// A story must be told in order and after the order was placed.
func TestCastIsPlausible(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range cast {
		if seen[r.id()] {
			t.Errorf("%s twice", r.id())
		}
		seen[r.id()] = true
		last := map[string]float64{}
		for _, b := range r.story {
			if b.ago > r.placed || b.ago < 0 || last[b.parcel] != 0 && b.ago > last[b.parcel] {
				t.Errorf("%s: %s%s was %.1f h ago", r.id(), b.scan, b.says, b.ago)
			}
			last[b.parcel] = b.ago
		}
		if err := order.CheckSpec(r.request(testStart).spec(order.DefaultPolicy()), testStart); err != nil {
			t.Errorf("%s: %v", r.id(), err)
		}
	}
}

func TestCommandSaysWhatIsMissing(t *testing.T) {
	t.Setenv("WAYBILL_KEY", "")
	for _, c := range []struct {
		args []string
		ok   bool
		says string
	}{
		{nil, false, "Scenarios:"},
		{[]string{"--help"}, true, "Scenarios:"},
		{[]string{"olist", "--help"}, true, "--resume"},
		{[]string{"demo", "--help"}, true, "Nordholz"},
		{[]string{"rain"}, false, `no scenario "rain"`},
		{[]string{"olist", "--rain"}, false, "simulate olist --help"},
		{[]string{"olist", "300"}, false, `what is "300"`},
		{[]string{"olist"}, false, "WAYBILL_KEY"},
		{[]string{"olist", "--key", "k", "--start", "noon"}, false, "not a time"},
		{[]string{"olist", "--key", "k", "--resume"}, false, "--resume needs"},
		{[]string{"olist", "--key", "k", "--day", "1ms"}, false, "shorter"},
		{[]string{"olist", "--key", "k", "--url", "localhost"}, false, "not a URL"},
		{[]string{"olist", "--key", "k", "--dir", t.TempDir()}, false, "--dir"},
		{[]string{"olist", "--key", "k", "--dir", dataDir(t), "--url", "http://127.0.0.1:1"}, false, "no Waybill at http://127.0.0.1:1"},
		{[]string{"demo", "--key", "k", "--url", "http://127.0.0.1:1"}, false, "no Waybill at"},
	} {
		var out bytes.Buffer
		err := Command(t.Context(), c.args, &out, &out)
		if text := out.String() + fmt.Sprint(err); (err == nil) != c.ok || !strings.Contains(text, c.says) {
			t.Errorf("%v: %v\n%s", c.args, err, text)
		}
	}
}
