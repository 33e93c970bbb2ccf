package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// maker is a carrier that makes labels and keeps a ledger of them, by our reference.
// It speaks MyDHL under /shipments and EasyPost under /v2.
type maker struct {
	*httptest.Server
	mu     sync.Mutex
	ledger map[string]int
	// trouble is what happens to the next requests that would make one, in turn.
	trouble []string
	finds   bool // it can say what it has
	onMake  func(client context.Context)
	refs    map[string]string // of EasyPost's shipments
	sent    []string
}

func newMaker(t *testing.T) *maker {
	m := &maker{ledger: map[string]int{}, refs: map[string]string{}, finds: true}
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

func (m *maker) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	var body struct {
		References []struct{ Value string } `json:"customerReferences"`
		Shipment   struct{ Reference string }
	}
	_ = json.Unmarshal(raw, &body)
	m.sent = append(m.sent, r.Method+" "+r.URL.Path)
	label := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 label"))
	switch path := r.URL.Path; {
	case r.Method == http.MethodPost && path == "/shipments":
		m.make(w, r, 201, body.References[0].Value, `{"shipmentTrackingNumber":"9356579890","documents":[{"typeCode":"label","content":"`+label+`"}]}`)
	case path == "/tracking":
		if ref := r.URL.Query().Get("shipmentReference"); m.ledger[ref] > 0 && m.finds {
			fmt.Fprint(w, `{"shipments":[{"shipmentTrackingNumber":"9356579890"}]}`)
			return
		}
		http.Error(w, `{"status":404}`, http.StatusNotFound)
	case r.Method == http.MethodDelete, strings.HasSuffix(path, "/refund"):
		m.void(w)
	case path == "/pickups":
		m.make(w, r, 201, "pickup", `{"dispatchConfirmationNumbers":["PRG1"]}`)
	case r.Method == http.MethodPost && path == "/v2/shipments":
		id := fmt.Sprintf("shp_%d", len(m.refs)+1)
		m.refs[id] = body.Shipment.Reference
		fmt.Fprintf(w, `{"id":%q,"rates":[{"id":"rate_1","carrier":"USPS","service":"Priority","rate":"5.57","currency":"USD"}]}`, id)
	case strings.HasSuffix(path, "/buy"):
		id := strings.Split(path, "/")[3]
		m.make(w, r, 200, m.refs[id], m.bought(id))
	case strings.HasPrefix(path, "/v2/shipments/"):
		id := strings.Split(path, "/")[3]
		if m.ledger[m.refs[id]] > 0 && m.finds {
			fmt.Fprint(w, m.bought(id))
			return
		}
		fmt.Fprintf(w, `{"id":%q}`, id)
	case path == "/label.pdf":
		fmt.Fprint(w, "%PDF-1.4 label")
	default:
		http.NotFound(w, r)
	}
}

func (m *maker) bought(id string) string {
	return fmt.Sprintf(`{"id":%q,"tracking_code":"9400100000000000000001","selected_rate":{"id":"rate_1","carrier":"USPS","rate":"5.57","currency":"USD"},"postage_label":{"label_url":"%s/label.pdf"}}`, id, m.URL)
}

// void takes one back, unless the trouble is that it does not.
func (m *maker) void(w http.ResponseWriter) {
	what := ""
	if len(m.trouble) > 0 {
		what, m.trouble = m.trouble[0], m.trouble[1:]
	}
	status := map[string]int{"400": 400, "401": 401, "404": 404, "429": 429, "503": 503}[what]
	switch {
	case status == 429:
		w.Header().Set("Retry-After", "1")
		fallthrough
	case status > 0:
		http.Error(w, `{"detail":"Larchwood Crescent 77"}`, status)
	case what == "lost":
		panic(http.ErrAbortHandler)
	case what == "rejected":
		fmt.Fprint(w, `{"refund_status":"rejected"}`)
	default:
		fmt.Fprint(w, `{"refund_status":"submitted"}`)
	}
}

// make makes one, unless the trouble is that it does not.
func (m *maker) make(w http.ResponseWriter, r *http.Request, status int, ref, answer string) {
	what := ""
	if len(m.trouble) > 0 {
		what, m.trouble = m.trouble[0], m.trouble[1:]
	}
	switch what {
	case "429":
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{}`, http.StatusTooManyRequests)
		return
	case "400":
		http.Error(w, `{"detail":"Larchwood Crescent 77 is no address"}`, http.StatusBadRequest)
		return
	case "401":
		http.Error(w, `{}`, http.StatusUnauthorized)
		return
	case "503, nothing made":
		http.Error(w, `<html>`, http.StatusServiceUnavailable)
		return
	case "gone, nothing made":
		panic(http.ErrAbortHandler)
	}
	m.ledger[ref]++
	if m.onMake != nil {
		m.onMake(r.Context())
	}
	switch what {
	case "500, made":
		http.Error(w, `{"status":"500"}`, http.StatusInternalServerError)
	case "lost, made":
		panic(http.ErrAbortHandler)
	case "garbage, made":
		w.WriteHeader(status)
		fmt.Fprint(w, `<html>done`)
	case "no label, made":
		w.WriteHeader(status)
		fmt.Fprint(w, `{"shipmentTrackingNumber":"9356579890","documents":[{"typeCode":"label","content":"PGh0bWw+"}]}`)
	default:
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}
}

func (m *maker) made() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.ledger {
		n += k
	}
	return n
}

// newBookings is a desk that can ask DHL and EasyPost, for an order with an address
// and a store with one.
func newBookings(t *testing.T, m *maker) bookings {
	t.Helper()
	p := &process{store: storetest.New(t), log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	var err error
	p.Credentials, err = credentials(file(t, fmt.Sprintf("credentials:\n  - {name: express, carrier: dhl, api: express, key: k, secret: s, account: '123456789', base_url: %q, budget: 1000/s}\n  - {name: ep, carrier: easypost, key: k, base_url: %q, budget: 1000/s}", m.URL, m.URL)))
	if err != nil {
		t.Fatal(err)
	}
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: time.Now(), Lines: []order.Line{{SKU: "mug", Quantity: 1}}, Policy: order.DefaultPolicy()}
	if _, err := p.store.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte("t"), RequestHash: []byte("r"), Contact: store.Contact{Name: "Zephyrine Lee", Phone: "+4934112345"},
		Address: store.Address{Name: "Zephyrine Lee", Street: "Larchwood Crescent 77", City: "Leipzig", PostalCode: "04109", Country: "DE"}}); err != nil {
		t.Fatal(err)
	}
	if err := p.store.PutStore(t.Context(), store.StoreRow{ID: "acme", Name: "Acme", BrandColor: "#1f4f8f",
		ReturnsAddress: &store.ReturnsAddress{Address: store.Address{Name: "Acme Returns", Street: "Dock 3", City: "Hamburg", PostalCode: "20457", Country: "DE"}, Phone: "+494012345"}}); err != nil {
		t.Fatal(err)
	}
	return bookings{client: p.tracker().client, store: p.store, now: time.Now}
}

// wanted is a label that was just asked for.
func wanted(carrier, id string) activities.BookingRequest {
	b := order.Booking{ID: id, Kind: order.BookLabel, Carrier: carrier, State: order.BookingAsked, AskedAt: time.Now(), Until: time.Now().Add(2 * time.Hour)}
	return activities.BookingRequest{OrderID: "acme:1", Store: "acme", Return: "R1", Booking: b, Package: order.Package{WeightG: 900}, Command: order.Command{ID: id, Kind: order.MakeReturnLabel, Carrier: carrier, Parcel: "R1"}}
}

// carriedOut tries as a worker does, on a clock that does not wait, until there is an
// answer.
func (b bookings) carriedOut(t *testing.T, r activities.BookingRequest) activities.BookingAnswer {
	t.Helper()
	return b.tried(t, r, b.Book)
}

func (b bookings) tried(t *testing.T, r activities.BookingRequest, try func(context.Context, activities.BookingRequest) (activities.BookingAnswer, error)) activities.BookingAnswer {
	t.Helper()
	for range 20 {
		a, err := try(t.Context(), r)
		if err == nil {
			return a
		}
		var later *temporal.ApplicationError
		if !errors.As(err, &later) || later.NonRetryable() || later.NextRetryDelay() <= 0 {
			t.Fatalf("%v is not tried again", err)
		}
		if strings.Contains(err.Error(), "Larchwood") || strings.Contains(err.Error(), "Zephyrine") {
			t.Errorf("the error names somebody: %v", err)
		}
		// The breaker is the budget's; here it is open for nobody.
		if err := b.store.CallWorked(t.Context(), "express"); err != nil {
			t.Fatal(err)
		}
		// What a Retry-After asked for is waited out: the budget's clock is the database's.
		time.Sleep(rested(t, b, r.Booking.Carrier))
	}
	t.Fatal("no answer")
	return activities.BookingAnswer{}
}

// rested is how long the carrier still wants rest.
func rested(t *testing.T, b bookings, carrier string) time.Duration {
	t.Helper()
	name := map[string]string{"dhl": "express", "easypost": "ep"}[carrier]
	left, err := b.client.Budget(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(left.Resting)
}

// Whatever goes wrong, and whoever goes on, the carrier makes one at most.
func TestNoLabelIsMadeTwice(t *testing.T) {
	for name, c := range map[string]struct {
		trouble []string
		hidden  bool // the carrier does not find what it has
		made    int
		want    string // what the order hears
	}{
		"all is well":                   {nil, false, 1, "made"},
		"too many requests":             {[]string{"429"}, false, 1, "made"},
		"a bad request":                 {[]string{"400"}, false, 0, "declined"},
		"a bad credential":              {[]string{"401"}, false, 0, "unable"},
		"the answer got lost":           {[]string{"lost, made"}, false, 1, "made"},
		"500 after it was made":         {[]string{"500, made"}, false, 1, "made"},
		"garbage after it was made":     {[]string{"garbage, made"}, false, 1, "made"},
		"503, and nothing was made":     {[]string{"503, nothing made"}, false, 0, "unclear"},
		"hung up, and nothing was made": {[]string{"gone, nothing made"}, false, 0, "unclear"},
		"lost, and not found":           {[]string{"lost, made"}, true, 1, "unclear"},
		"500, and not found":            {[]string{"500, made"}, true, 1, "unclear"},
	} {
		for _, carrier := range []string{"dhl", "easypost"} {
			t.Run(name+", "+carrier, func(t *testing.T) {
				t.Parallel()
				m := newMaker(t)
				b := newBookings(t, m)
				m.trouble, m.finds = c.trouble, !c.hidden
				r := wanted(carrier, "label-R1-9")
				a := b.carriedOut(t, r)
				got := "made"
				switch {
				case a.Unclear:
					got = "unclear"
				case a.Declined != "":
					got = "declined"
				case a.Unable != "":
					got = "unable"
				}
				// The worker died before it was heard. What was not asked may be now.
				if again := b.carriedOut(t, r); got != "unable" && again != a {
					t.Errorf("%+v, then %+v", a, again)
				}
				most := c.made
				if got == "unable" {
					most++
				}
				if got != c.want || m.made() != most {
					t.Errorf("%s with %d made, want %s with %d: %+v; %v", got, m.made(), c.want, most, a, m.sent)
				}
				if got == "made" && (a.Tracking == "" || a.Reference == "") {
					t.Errorf("%+v", a)
				}
				if strings.Contains(fmt.Sprint(a), "Larchwood") {
					t.Errorf("the answer names somebody: %+v", a)
				}
			})
		}
	}
}

// A worker dies between the request and the record of it: at the moment when the
// carrier has made one, its context ends and nothing more is written.
func TestACrashBetweenRequestAndRecordMakesNoSecondLabel(t *testing.T) {
	for _, carrier := range []string{"dhl", "easypost"} {
		m := newMaker(t)
		b := newBookings(t, m)
		ctx, die := context.WithCancel(t.Context())
		m.onMake = func(client context.Context) { die(); <-client.Done() }
		r := wanted(carrier, "label-R1-9")
		if a, err := b.Book(ctx, r); err == nil {
			t.Errorf("%s: %+v", carrier, a)
		}
		if row, err := b.store.Booking(t.Context(), "acme:1", r.Booking.ID); err != nil || row.State != store.BookingSending {
			t.Fatalf("%s: %+v %v", carrier, row, err)
		}
		m.onMake = nil
		if a := b.carriedOut(t, r); a.Tracking == "" || m.made() != 1 {
			t.Errorf("%s: %+v, %d made", carrier, a, m.made())
		}
	}
}

// Several workers are given the same command at once.
func TestWorkersThatGoOnTogetherMakeOneLabel(t *testing.T) {
	m := newMaker(t)
	b := newBookings(t, m)
	r := wanted("dhl", "label-R1-9")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if _, err := b.Book(t.Context(), r); err == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if m.made() != 1 {
		t.Errorf("%d made", m.made())
	}
}

func TestWhatIsNotAskedOfACarrier(t *testing.T) {
	m := newMaker(t)
	b := newBookings(t, m)
	late := wanted("dhl", "label-R1-1")
	late.Booking.AskedAt, late.Booking.Until = time.Now().Add(-2*time.Hour), time.Now().Add(5*time.Second)
	erased := wanted("dhl", "label-R1-2")
	erased.AddressVersion = 9
	unknown := wanted("dhl", "label-R1-3")
	unknown.Store = "bolt"
	for want, c := range map[string]struct {
		b bookings
		r activities.BookingRequest
	}{
		"no carrier":         {bookings{store: b.store, now: time.Now}, wanted("dhl", "label-R1-4")},
		"gls cannot":         {b, wanted("gls", "label-R1-5")},
		"in time":            {b, late},
		"not there any more": {b, erased},
		"returns_address":    {b, unknown},
	} {
		a, err := c.b.Book(t.Context(), c.r)
		if err != nil || a.Unclear || !strings.Contains(a.Unable, want) {
			t.Errorf("%s: %+v %v", want, a, err)
		}
	}
	// The return was called off meanwhile, and the read model knows.
	o, err := b.store.Order(t.Context(), "acme:1")
	if err != nil {
		t.Fatal(err)
	}
	st := order.New(o.Spec, order.CurrentRules, time.Now())
	st.Seq, st.Returns = 9, []order.Return{{ID: "R1", State: order.ReturnCancelled, Parcel: "R1", Bookings: []order.Booking{wanted("dhl", "label-R1-6").Booking}}}
	if err := b.store.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Book(t.Context(), wanted("dhl", "label-R1-6")); err != nil || !strings.Contains(a.Unable, "nobody needs it") {
		t.Errorf("%+v %v", a, err)
	}
	if n := m.made(); n != 0 {
		t.Errorf("%d made", n)
	}
}

func TestALabelIsKeptWithItsNumber(t *testing.T) {
	m := newMaker(t)
	b := newBookings(t, m)
	a := b.carriedOut(t, wanted("easypost", "label-R1-9"))
	if a.Carrier != "usps" || a.Amount != 557 || a.Currency != "USD" || a.Label != "application/pdf" || a.Reference != "shp_1" {
		t.Errorf("%+v", a)
	}
	m.trouble = []string{"no label, made"}
	if a := b.carriedOut(t, wanted("dhl", "label-R1-10")); a.Tracking != "9356579890" || a.Label != "" {
		t.Errorf("%+v", a)
	}
	// A pickup cannot be looked for at DHL: what got lost is a person's at once.
	lost := wanted("dhl", "pickup-R1-11")
	lost.Booking.Kind, lost.Booking.Earliest = order.BookPickup, time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC)
	lost.Booking.Latest = lost.Booking.Earliest.Add(4 * time.Hour)
	m.trouble = []string{"lost, made"}
	if a := b.carriedOut(t, lost); !a.Unclear {
		t.Errorf("%+v", a)
	}
	good := lost
	good.Booking.ID = "pickup-R1-12"
	if a := b.carriedOut(t, good); a.Reference != "PRG1" || a.Tracking != "" {
		t.Errorf("%+v", a)
	}
}
