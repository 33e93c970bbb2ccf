package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Look at the pages while changing them:
//
//	go test ./api/pages -run TestServe -serve 127.0.0.1:8090
var serve = flag.String("serve", "", "serve the pages with made-up orders at this address")

var (
	testNow    = time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)
	testSecret = []byte("0123456789abcdef0123456789abcdef")
)

var _ Store = (*store.Store)(nil)

// memory is a store of fixtures; the token of an order is its fixture's name.
type memory struct {
	fixtures []fixture
	rows     []store.Summary
	err      error
	row      store.StoreRow
	asked    []store.Filter
	worked   []store.CaseFilter
	now      time.Time // of the orders
	away     error     // orders do not answer
	reads    int
	dark     bool // there is no timeline
	faults   []store.Fault
	mapped   []store.Mapping // every version, the newest first
	audits   []store.Audit
	proof    store.Proof
	label    store.ReturnLabel       // of R1
	wishes   map[string]store.Wishes // by order
	erased   map[string]bool
	contact  store.Contact
	link     int // of every buyer
	messages []store.Message
	shelf    []store.KeptMessage
	// addresses of orders, by version.
	addresses map[string][]store.Address
}

func (m *memory) Wishes(_ context.Context, id string) (store.Wishes, bool, error) {
	return m.wishes[id], m.erased[id], m.err
}

func (m *memory) Buyer(_ context.Context, id string) (store.Buyer, error) {
	return store.Buyer{Language: cmp.Or(m.wishes[id].Language, m.contact.Language), Erased: m.erased[id], Link: m.link}, m.err
}

func (m *memory) Audit(_ context.Context, id string) (store.Audit, error) {
	for _, a := range m.audits {
		if a.ID == id {
			return a, nil
		}
	}
	return store.Audit{}, store.ErrNotFound
}

func (m *memory) Photographed(_ context.Context, id string) (ids []string, err error) {
	for _, d := range m.proof.Documents {
		if m.proof.OrderID == id && d.Kind == "photo" {
			ids = append(ids, m.proof.ID)
		}
	}
	return ids, m.err
}

func (m *memory) ProofPhoto(ctx context.Context, orderID, id string, a store.Audit) (store.ProofDocument, error) {
	for i, d := range m.proof.Documents {
		if d.Kind == "photo" {
			return m.ProofDocument(ctx, orderID, id, i+1, a)
		}
	}
	return store.ProofDocument{}, store.ErrNotFound
}

func (m *memory) Address(_ context.Context, id string, version int) (store.Address, error) {
	if list := m.addresses[id]; version < len(list) {
		return list[version], m.err
	}
	return store.Address{}, store.ErrNotFound
}

func (m *memory) MoveWithin(_ context.Context, id string, follows, most int, a store.Address) (int, error) {
	list := m.addresses[id]
	if follows >= len(list) || len(list) > most {
		return 0, store.ErrNotFound
	}
	a.Country, a.Name = list[follows].Country, cmp.Or(a.Name, list[follows].Name)
	m.addresses[id] = append(list, a)
	return len(list), m.err
}

func (m *memory) PutWishes(_ context.Context, id string, w store.Wishes) error {
	if m.erased[id] {
		return store.ErrNotFound
	}
	if m.err == nil {
		m.wishes = map[string]store.Wishes{id: w}
	}
	return m.err
}

func (m *memory) Unsubscribe(_ context.Context, id, frequency string) error {
	w := m.wishes[id]
	w.Frequency = frequency
	return m.PutWishes(context.Background(), id, w)
}

func (m *memory) MessagesOf(_ context.Context, id string) (list []store.Message, err error) {
	for _, k := range m.messages {
		if k.Order == id {
			list = append(list, k)
		}
	}
	return list, m.err
}

func (m *memory) ContactOf(context.Context, string) (store.Contact, error) { return m.contact, m.err }

func (m *memory) Shelf(_ context.Context, before time.Time, _ string, limit int) (list []store.KeptMessage, err error) {
	for _, k := range m.shelf {
		if (before.IsZero() || k.ShelvedAt.Before(before)) && len(list) < limit {
			list = append(list, k)
		}
	}
	return list, m.err
}

func (m *memory) Shelved(_ context.Context, id string) (bool, error) {
	return slices.ContainsFunc(m.shelf, func(k store.KeptMessage) bool { return k.ID == id }), m.err
}

func (m *memory) KeptBody(_ context.Context, id string) (json.RawMessage, error) {
	for _, k := range m.shelf {
		if k.ID == id {
			return k.Body, m.err
		}
	}
	return nil, store.ErrNotFound
}

func (m *memory) Faults(_ context.Context, open bool, before store.FaultCursor, limit int) ([]store.Fault, error) {
	var out []store.Fault
	for _, f := range m.faults {
		if (!open || f.ClosedAt == nil) && (before.ID == 0 || f.ID < before.ID) && len(out) < limit {
			out = append(out, f)
		}
	}
	return out, m.err
}

func (m *memory) Fault(_ context.Context, id int64) (store.Fault, error) {
	for _, f := range m.faults {
		if f.ID == id {
			return f, m.err
		}
	}
	return store.Fault{}, store.ErrNotFound
}

func (m *memory) CloseFaultByHand(_ context.Context, id int64, a store.Audit, at time.Time) (store.Fault, error) {
	for i := range m.faults {
		if m.faults[i].ID == id {
			m.faults[i].ClosedAt, m.faults[i].ClosedBy, m.faults[i].Resolution = &at, a.Actor, a.Reason
			m.audits = append(m.audits, a)
			return m.faults[i], m.err
		}
	}
	return store.Fault{}, store.ErrNotFound
}

func (m *memory) Mappings(context.Context, int64) (int64, []store.Mapping, error) {
	return 1, m.mapped[:min(len(m.mapped), 1)], m.err
}

func (m *memory) MappingHistory(context.Context, string, int) ([]store.Mapping, error) {
	return m.mapped, m.err
}

// Map stands for the intake: its rules are tested there.
func (m *memory) Map(_ context.Context, a carriers.Adapter, c store.Mapping, audit store.Audit) (store.Mapping, store.Reread, error) {
	if c.Kind == "exception" && c.Bucket == "" {
		return c, store.Reread{}, &intake.MappingError{Field: "bucket", Reason: "is needed"}
	}
	c.Carrier, c.Version, c.At = a.Name(), len(m.mapped)+1, testNow
	m.mapped, m.audits = append([]store.Mapping{c}, m.mapped...), append(m.audits, audit)
	return c, store.Reread{Facts: 12, Standing: 1}, m.err
}

func (m *memory) find(match func(fixture) bool) (store.Order, error) {
	m.reads++
	if m.err != nil {
		return store.Order{}, m.err
	}
	if i := slices.IndexFunc(m.fixtures, match); i >= 0 {
		return m.fixtures[i].Order, nil
	}
	return store.Order{}, store.ErrNotFound
}

func (m *memory) Order(_ context.Context, id string) (store.Order, error) {
	return m.find(func(f fixture) bool { return f.Order.Spec.ID == id })
}

func (m *memory) Track(_ context.Context, hash []byte, known store.Version) (store.Order, store.Version, error) {
	var v store.Version
	o, err := m.find(func(f fixture) bool {
		if !bytes.Equal(links.TokenHash("token-"+f.Name), hash) {
			return false
		}
		v = store.Version{Updated: 1, Facts: int64(len(f.Entries))}
		return true
	})
	if err == nil && v == known {
		return store.Order{}, v, nil
	}
	return o, v, err
}

func (m *memory) Moments(ctx context.Context, id string, limit int) ([]store.Entry, error) {
	if m.dark {
		return nil, errDown
	}
	return m.Timeline(ctx, id, limit)
}

func (m *memory) Timeline(_ context.Context, id string, _ int) ([]store.Entry, error) {
	m.reads++
	for _, f := range m.fixtures {
		if f.Order.Spec.ID == id {
			return f.Entries, nil
		}
	}
	return nil, nil
}

func (m *memory) Proof(_ context.Context, orderID, id string, a store.Audit) (store.Proof, error) {
	if m.err != nil || orderID != m.proof.OrderID || id != m.proof.ID {
		return store.Proof{}, cmp.Or(m.err, store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return m.proof, nil
}

func (m *memory) ProofDocument(_ context.Context, orderID, id string, n int, a store.Audit) (store.ProofDocument, error) {
	if m.err != nil || orderID != m.proof.OrderID || id != m.proof.ID || n > len(m.proof.Documents) {
		return store.ProofDocument{}, cmp.Or(m.err, store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return m.proof.Documents[n-1], nil
}

func (m *memory) ReturnLabel(_ context.Context, orderID, returnID string, a store.Audit) (store.ReturnLabel, error) {
	if m.err != nil || len(m.label.Body) == 0 || returnID != "R1" {
		return store.ReturnLabel{}, cmp.Or(m.err, store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return m.label, nil
}

func (m *memory) GetStore(_ context.Context, id string) (store.StoreRow, error) {
	m.reads++
	if m.row.ID != id {
		return store.StoreRow{}, store.ErrNotFound
	}
	return m.row, nil
}

func (m *memory) Orders(_ context.Context, f store.Filter) ([]store.Summary, error) {
	m.asked = append(m.asked, f)
	if m.err != nil {
		return nil, m.err
	}
	var out []store.Summary
	for _, r := range m.rows {
		if f.Status != "" && r.Status != f.Status || f.Query != "" && r.Number != f.Query || f.Case == "any" && len(r.OpenCases) == 0 ||
			!f.Before.PlacedAt.IsZero() && !r.PlacedAt.Before(f.Before.PlacedAt) {
			continue
		}
		if out = append(out, r); len(out) == f.Limit {
			break
		}
	}
	return out, nil
}

func (m *memory) Cases(_ context.Context, f store.CaseFilter) ([]store.CaseRow, error) {
	m.worked = append(m.worked, f)
	if m.err != nil {
		return nil, m.err
	}
	var out []store.CaseRow
	for i := range m.fixtures {
		st := m.fixtures[i].Order.State
		for _, c := range st.Cases {
			r := store.CaseRow{OrderID: st.Spec.ID, ID: c.ID, Kind: string(c.Kind), Parcel: c.Parcel, Owner: string(c.Owner), Severity: string(c.Severity), Level: c.Level, Assignee: c.Assignee, OpenedAt: c.OpenedAt, Due: c.Due, Text: c.Text}
			if (f.Owner == "" || f.Owner == r.Owner) && (f.Kind == "" || f.Kind == r.Kind) && (f.Assignee == "" || f.Assignee == r.Assignee) && r.OrderID > f.After.OrderID {
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b store.CaseRow) int { return a.Due.Compare(b.Due) })
	return out[:min(len(out), f.Limit)], nil
}

func (m *memory) Queues(_ context.Context, now time.Time) ([]store.Queue, error) {
	if m.err != nil {
		return nil, m.err
	}
	of := map[string]store.Queue{}
	for i := range m.fixtures {
		for _, c := range m.fixtures[i].Order.State.Cases {
			q := of[string(c.Owner)]
			q.Owner, q.Open = string(c.Owner), q.Open+1
			if !c.Due.After(now) {
				q.Due++
			}
			of[q.Owner] = q
		}
	}
	return slices.Collect(maps.Values(of)), nil
}

func (m *memory) Returns(_ context.Context, f store.ReturnFilter) ([]store.ReturnRow, error) {
	var list []store.ReturnRow
	for i := range m.fixtures {
		st := m.fixtures[i].Order.State
		for _, r := range st.Returns {
			row := store.ReturnRow{OrderID: st.Spec.ID, ID: r.ID, State: string(r.State), Parcel: r.Parcel, RequestedAt: r.RequestedAt, Since: r.Since}
			if w, ok := order.WaitOfReturn(order.Waiting(st), &r); ok {
				row.What, row.Owner, row.Due = w.What, string(w.Owner), &w.Until
			}
			if !r.State.Open() {
				row.EndedAt = &r.EndedAt
			}
			if f.Ended != r.State.Open() && (f.State == "" || f.State == row.State) && (f.Owner == "" || f.Owner == row.Owner) {
				list = append(list, row)
			}
		}
	}
	return list, m.away
}

func (m *memory) ReplacedBy(_ context.Context, id string) (list []string, err error) {
	for i := range m.fixtures {
		if st := m.fixtures[i].Order.State; st.Spec.Replaces == id {
			list = append(list, st.Spec.ID)
		}
	}
	return list, nil
}

// desk lets people act on the fixtures, by the real rules.
func (m *memory) desk(now func() time.Time) *acts.Desk {
	return &acts.Desk{Audits: m, Orders: m, Log: slog.New(slog.DiscardHandler), Now: now}
}

func (m *memory) BeginAudit(_ context.Context, a store.Audit) error {
	m.audits = append(m.audits, a)
	return nil
}

func (m *memory) EndAudit(_ context.Context, id, outcome, detail string) error {
	for i := range m.audits {
		if m.audits[i].ID == id {
			m.audits[i].Outcome, m.audits[i].Detail = outcome, detail
		}
	}
	return nil
}

func (m *memory) Ask(ctx context.Context, id string, request order.Event) (order.View, error) {
	if m.away != nil {
		return order.View{}, m.away
	}
	o, err := m.Order(ctx, id)
	if err != nil {
		return order.View{}, err
	}
	request = order.Stamp(request, m.now)
	now := *o.State
	now.Now = m.now
	if err := order.Check(&now, request); err != nil {
		return order.View{}, err
	}
	order.Apply(o.State, request)
	return order.ViewOf(o.State), nil
}

func (m *memory) Reopen(ctx context.Context, spec order.Spec, request order.Event) (order.View, error) {
	return m.Ask(ctx, spec.ID, request)
}

var testLinks = links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: testSecret}

// made is the memory of every test: its orders take a while to make and are
// only read.
var made = sync.OnceValue(func() *memory { return newMemory(testNow) })

func newMemory(now time.Time) *memory {
	m := &memory{now: now, fixtures: append(fixtures(now), crowd(now)), row: store.StoreRow{ID: "acme", Name: "Acme Outfitters", BrandColor: "#0b5d4e", SupportEmail: "help@acme.example", SupportURL: "https://acme.example/help"}}
	for i := range m.fixtures {
		f := &m.fixtures[i]
		// Each its own order, as in a real list.
		f.Order.Spec.ID = fmt.Sprintf("acme:A-%d", 10482+i)
		f.Order.State.Spec.ID = f.Order.Spec.ID
		if !strings.HasPrefix(f.Order.Spec.Number, "2026-WEB") {
			f.Order.State.Spec.Number = fmt.Sprintf("A-%d", 10482+i)
		}
		m.rows = append(m.rows, summaryOf(f.Order.State))
	}
	slices.SortStableFunc(m.rows, func(a, b store.Summary) int { return b.PlacedAt.Compare(a.PlacedAt) })
	return m
}

func summaryOf(st *order.State) store.Summary {
	v := order.ViewOf(st)
	s := store.Summary{ID: v.ID, Store: v.Store, Number: v.Number, Status: string(v.Status), Summary: v.Summary, Class: string(v.Class), PlacedAt: v.PlacedAt, Late: v.Late, OnHold: v.OnHold, Closed: v.Closed, Parcels: len(v.Parcels)}
	if !v.PromisedAt.IsZero() {
		s.PromisedAt = &v.PromisedAt
	}
	for _, p := range v.Parcels {
		if p.Carrier != "" && !slices.Contains(s.Carriers, p.Carrier) {
			s.Carriers = append(s.Carriers, p.Carrier)
		}
	}
	for _, c := range v.Cases {
		if !slices.Contains(s.OpenCases, string(c.Kind)) {
			s.OpenCases = append(s.OpenCases, string(c.Kind))
		}
	}
	if w, ok := order.NextDeadline(st); ok {
		s.NextWhat, s.NextOwner, s.NextUntil = w.What, string(w.Owner), &w.Until
	}
	return s
}

func verify(_ context.Context, key string) (string, []string, bool) {
	switch key {
	case "ops-key":
		return "key-ops", []string{"orders:read", "ops"}, true
	case "storefront-key":
		return "key-storefront", []string{"orders:write"}, true
	}
	return "", nil, false
}

func newServer(t *testing.T) (*echo.Echo, *memory) {
	t.Helper()
	m := &memory{fixtures: made().fixtures, rows: made().rows, row: made().row}
	e := echo.New()
	Mount(e, Deps{Store: m, Intake: m, Links: testLinks, Now: func() time.Time { return testNow }, Secret: testSecret, VerifyKey: verify})
	return e, m
}

type reply struct {
	*httptest.ResponseRecorder
	body string
}

func do(e *echo.Echo, r *http.Request) reply {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return reply{w, w.Body.String()}
}

func get(e *echo.Echo, path string, cookies ...*http.Cookie) reply {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return do(e, r)
}

func session(role string, expires time.Time) *http.Cookie {
	return &http.Cookie{Name: "waybill", Value: who{"key-ops", role, expires}.seal(testSecret, "session")}
}

func signedIn() *http.Cookie { return session("ops", testNow.Add(time.Hour)) }

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func has(t *testing.T, body string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(body, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func lacks(t *testing.T, body string, unwanted ...string) {
	t.Helper()
	low := strings.ToLower(body)
	for _, w := range unwanted {
		if strings.Contains(low, strings.ToLower(w)) {
			t.Errorf("the page says %q", w)
		}
	}
}

var errDown = errors.New("connection refused")

func TestServe(t *testing.T) {
	if *serve == "" {
		t.Skip("only with -serve")
	}
	e := echo.New()
	e.HideBanner = true
	now := time.Now()
	secret := testSecret
	m := newMemory(now)
	m.shelf, m.contact = madeShelf(), store.Contact{Email: "anna@example.com", Phone: "+4915112345612"}
	for i := range m.fixtures {
		m.messages = append(m.messages, madeMessages(m.fixtures[i].Order.Spec.ID)...)
	}
	t.Logf("wishes: %s", wishesPath(m.fixtures[0].Order.Spec.ID))
	Mount(e, Deps{Store: m, Intake: m, Links: testLinks, Secret: secret, VerifyKey: verify, Desk: m.desk(func() time.Time { return now })})
	// For screenshots, which cannot carry a cookie from one run to the next.
	e.GET("/shot/*", func(c echo.Context) error {
		r := c.Request().Clone(c.Request().Context())
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, "/shot"), ""
		r.RequestURI = r.URL.RequestURI()
		r.AddCookie(&http.Cookie{Name: "waybill", Value: who{"key-ops", "ops", now.Add(time.Hour)}.seal(secret, "session")})
		e.ServeHTTP(c.Response(), r)
		return nil
	})
	t.Logf("http://%s/console/enter?ticket=%s", *serve, Ticket(secret, "me", "ops", now.Add(time.Hour)))
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	go func() { <-ctx.Done(); _ = e.Close() }()
	_ = e.Start(*serve)
}
