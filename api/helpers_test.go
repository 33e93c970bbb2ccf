package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// memory is a small honest store: what PostgreSQL would remember.
type memory struct {
	mu         sync.Mutex
	orders     map[string]*store.Order
	hashes     map[string][]byte
	addresses  map[string][]store.Address
	contacts   map[string]store.Contact
	stores     map[string]store.StoreRow
	policies   map[string]order.PolicyBook
	keys       map[string]store.APIKey
	keyLoads   int
	audits     []store.Audit
	idempotent map[string]*kept
	facts      []store.Fact
	filters    []store.Filter
	entries    []store.Entry
	raws       []store.RawBody
	proofs     []store.Proof
	labels     map[string]store.ReturnLabel // by order and return
	faults     []store.Fault
	mapped     []store.Mapping // every version, the newest first
	fail       error           // of everything
}

var _ Store = (*store.Store)(nil)

func (m *memory) AcceptBody(ctx context.Context, raw store.RawBody, facts []store.Fact) ([]store.Result, error) {
	results, err := m.Accept(ctx, facts)
	if err != nil {
		return nil, err
	}
	defer m.lock()()
	if !slices.ContainsFunc(m.raws, func(have store.RawBody) bool { return have.Source == raw.Source && bytes.Equal(have.Hash, raw.Hash) }) {
		raw.ID, raw.ReceivedAt, raw.Size = int64(len(m.raws)+1), testNow, len(raw.Body)
		m.raws = append(m.raws, raw)
	}
	return results, nil
}

func (m *memory) RawBodies(_ context.Context, f store.RawFilter) ([]store.RawBody, error) {
	defer m.lock()()
	var list []store.RawBody
	for _, r := range slices.Backward(m.raws) {
		if (f.Source == "" || f.Source == r.Source) && (!f.Failed || r.Error != "") && !r.ReceivedAt.Before(f.Since) && (f.Before.ID == 0 || r.ID < f.Before.ID) && len(list) < f.Limit {
			list = append(list, r)
		}
	}
	return list, m.fail
}

func (m *memory) RawBody(_ context.Context, id int64, a store.Audit) (store.RawBody, error) {
	defer m.lock()()
	if id > int64(len(m.raws)) {
		return store.RawBody{}, fmt.Errorf("raw body: %w", store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return m.raws[id-1], m.fail
}

func (m *memory) PutContact(_ context.Context, orderID string, c store.Contact, a store.Audit, _ time.Time) error {
	defer m.lock()()
	if _, ok := m.contacts[orderID]; !ok {
		return fmt.Errorf("contact: %w", store.ErrNotFound)
	}
	m.contacts[orderID] = c
	m.audits = append(m.audits, a)
	return m.fail
}

func (m *memory) EndLink(_ context.Context, orderID string, a store.Audit) error {
	defer m.lock()()
	if _, ok := m.contacts[orderID]; !ok {
		return fmt.Errorf("link: %w", store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return m.fail
}

func (m *memory) EraseCustomer(_ context.Context, storeID, ref string, a store.Audit, _ time.Time) (store.Erasure, error) {
	defer m.lock()()
	e := store.Erasure{Store: storeID, Erased: []store.ErasedRows{}, Remains: []store.Remainder{{What: "orders", Why: "what was sold", Rows: 1}}}
	for id, o := range m.orders {
		if o.Spec.Store == storeID && o.Spec.CustomerRef == ref {
			e.Orders = append(e.Orders, id)
			delete(m.contacts, id)
		}
	}
	if len(e.Orders) == 0 {
		return e, fmt.Errorf("erase: %w", store.ErrNotFound)
	}
	m.audits = append(m.audits, a)
	return e, m.fail
}

func (m *memory) Proof(_ context.Context, orderID, id string, a store.Audit) (store.Proof, error) {
	defer m.lock()()
	for _, p := range m.proofs {
		if p.OrderID == orderID && p.ID == id {
			m.audits = append(m.audits, a)
			return p, m.fail
		}
	}
	return store.Proof{}, fmt.Errorf("proof: %w", store.ErrNotFound)
}

func (m *memory) ProofDocument(_ context.Context, orderID, id string, n int, a store.Audit) (store.ProofDocument, error) {
	defer m.lock()()
	for _, p := range m.proofs {
		if p.OrderID == orderID && p.ID == id && n <= len(p.Documents) {
			m.audits = append(m.audits, a)
			return p.Documents[n-1], m.fail
		}
	}
	return store.ProofDocument{}, fmt.Errorf("document: %w", store.ErrNotFound)
}

func (m *memory) ReturnLabel(_ context.Context, orderID, returnID string, a store.Audit) (store.ReturnLabel, error) {
	defer m.lock()()
	if l, ok := m.labels[orderID+" "+returnID]; ok {
		m.audits = append(m.audits, a)
		return l, m.fail
	}
	return store.ReturnLabel{}, fmt.Errorf("label: %w", store.ErrNotFound)
}

func (m *memory) MarkReplayed(_ context.Context, r store.RawBody, at time.Time) error {
	defer m.lock()()
	r.ReplayedAt = &at
	m.raws[r.ID-1] = r
	return m.fail
}

func (m *memory) Faults(_ context.Context, open bool, before store.FaultCursor, limit int) ([]store.Fault, error) {
	defer m.lock()()
	var list []store.Fault
	for _, f := range m.faults {
		if (!open || f.ClosedAt == nil) && (before.ID == 0 || f.ID < before.ID) && len(list) < limit {
			list = append(list, f)
		}
	}
	return list, m.fail
}

func (m *memory) CloseFaultByHand(_ context.Context, id int64, a store.Audit, at time.Time) (store.Fault, error) {
	defer m.lock()()
	for i := range m.faults {
		if f := &m.faults[i]; f.ID == id {
			if f.ClosedAt == nil {
				f.ClosedAt, f.ClosedBy, f.Resolution = &at, a.Actor, a.Reason
				m.audits = append(m.audits, a)
			}
			return *f, m.fail
		}
	}
	return store.Fault{}, fmt.Errorf("fault: %w", store.ErrNotFound)
}

func (m *memory) Mappings(context.Context, int64) (int64, []store.Mapping, error) {
	defer m.lock()()
	return int64(len(m.mapped)), m.mapped[:min(1, len(m.mapped))], m.fail
}

func (m *memory) MappingHistory(_ context.Context, _ string, limit int) ([]store.Mapping, error) {
	defer m.lock()()
	return m.mapped[:min(limit, len(m.mapped))], m.fail
}

func (m *memory) SaveMapping(_ context.Context, n store.Mapping, a store.Audit) (store.Mapping, store.Reread, error) {
	defer m.lock()()
	if n.Kind == store.Withdrawn && len(m.mapped) == 0 {
		return n, store.Reread{}, fmt.Errorf("map: %w", store.ErrNotFound)
	}
	n.Version, n.At = len(m.mapped)+1, testNow
	m.mapped, m.audits = append([]store.Mapping{n}, m.mapped...), append(m.audits, a)
	return n, store.Reread{Facts: 2, Standing: 1}, m.fail
}

type kept struct {
	hash     []byte
	status   int
	response []byte
}

func (m *memory) lock() func() { m.mu.Lock(); return m.mu.Unlock }

func (m *memory) CreateOrder(_ context.Context, o store.NewOrder) (bool, error) {
	defer m.lock()()
	if m.fail != nil {
		return false, m.fail
	}
	if have, ok := m.hashes[o.Spec.ID]; ok {
		if !bytes.Equal(have, o.RequestHash) {
			return false, fmt.Errorf("create: %w", store.ErrConflict)
		}
		return false, nil
	}
	st := order.New(o.Spec, order.CurrentRules, testNow)
	m.orders[o.Spec.ID], m.hashes[o.Spec.ID] = &store.Order{Spec: o.Spec, State: &st, CreatedAt: testNow}, o.RequestHash
	m.addresses[o.Spec.ID], m.contacts[o.Spec.ID] = []store.Address{o.Address}, o.Contact
	return true, nil
}

func (m *memory) Order(_ context.Context, id string) (store.Order, error) {
	defer m.lock()()
	if m.fail != nil {
		return store.Order{}, m.fail
	}
	o, ok := m.orders[id]
	if !ok {
		return store.Order{}, fmt.Errorf("order: %w", store.ErrNotFound)
	}
	return *o, nil
}

func (m *memory) Orders(_ context.Context, f store.Filter) ([]store.Summary, error) {
	defer m.lock()()
	m.filters = append(m.filters, f)
	var list []store.Summary
	for _, o := range m.orders {
		if f.Store == "" || f.Store == o.Spec.Store {
			list = append(list, store.Summary{ID: o.Spec.ID, Store: o.Spec.Store, Number: o.Spec.Number, Status: string(o.Current().Status), Summary: "x", Class: string(o.Spec.Class), PlacedAt: o.Spec.PlacedAt})
		}
	}
	slices.SortFunc(list, func(a, b store.Summary) int { return strings.Compare(b.ID, a.ID) })
	if f.Before.ID != "" {
		list = slices.DeleteFunc(list, func(s store.Summary) bool { return s.ID >= f.Before.ID })
	}
	return list[:min(len(list), f.Limit)], m.fail
}

// Cases lists every case that fits; PostgreSQL's own list is tested with it.
func (m *memory) Returns(context.Context, store.ReturnFilter) ([]store.ReturnRow, error) {
	return nil, m.fail
}

func (m *memory) ReplacedBy(context.Context, string) ([]string, error) { return nil, m.fail }

func (m *memory) Cases(_ context.Context, f store.CaseFilter) ([]store.CaseRow, error) {
	defer m.lock()()
	var list []store.CaseRow
	for id, o := range m.orders {
		for _, c := range o.Current().Cases {
			if (f.Store == "" || f.Store == o.Spec.Store) && (f.Kind == "" || f.Kind == string(c.Kind)) {
				list = append(list, store.CaseRow{OrderID: id, ID: c.ID, Kind: string(c.Kind), Parcel: c.Parcel, Owner: string(c.Owner), OpenedAt: c.OpenedAt, Due: c.Due})
			}
		}
	}
	slices.SortFunc(list, func(a, b store.CaseRow) int { return strings.Compare(a.OrderID+a.Kind, b.OrderID+b.Kind) })
	return list[:min(len(list), f.Limit)], m.fail
}

func (m *memory) Timeline(context.Context, string, int) ([]store.Entry, error) {
	return m.entries, m.fail
}

func (m *memory) Accept(_ context.Context, facts []store.Fact) ([]store.Result, error) {
	defer m.lock()()
	if m.fail != nil {
		return nil, m.fail
	}
	results := make([]store.Result, len(facts))
	for i, f := range facts {
		switch {
		case slices.ContainsFunc(m.facts, func(have store.Fact) bool { return have.Source == f.Source && have.EventID == f.EventID }):
			results[i] = store.Duplicate
			continue
		case f.Tracking == "UNKNOWN1":
			results[i] = store.Orphan
		default:
			results[i] = store.Accepted
		}
		m.facts = append(m.facts, f)
	}
	return results, nil
}

func (m *memory) ReportFaults(_ context.Context, fs []store.Fault, _ time.Time) error {
	defer m.lock()()
	m.faults = append(m.faults, fs...)
	return m.fail
}

func (m *memory) MoveFacts(context.Context, string, string, []order.Moved) error { return nil }

func (m *memory) PutAddress(_ context.Context, id string, a store.Address) (int, error) {
	defer m.lock()()
	m.addresses[id] = append(m.addresses[id], a)
	return len(m.addresses[id]) - 1, m.fail
}

func (m *memory) PutStore(_ context.Context, r store.StoreRow) error {
	defer m.lock()()
	m.stores[r.ID] = r
	return m.fail
}

func (m *memory) GetStore(_ context.Context, id string) (store.StoreRow, error) {
	defer m.lock()()
	r, ok := m.stores[id]
	if !ok {
		return r, fmt.Errorf("store: %w", store.ErrNotFound)
	}
	return r, m.fail
}

func (m *memory) EachOpen(_ context.Context, do func(store.Order) error) error {
	defer m.lock()()
	for _, o := range m.orders {
		if err := do(*o); err != nil {
			return err
		}
	}
	return m.fail
}

func (m *memory) PutPolicy(_ context.Context, p order.PolicyBook, _ string) (order.PolicyBook, error) {
	defer m.lock()()
	p.Version = m.policies[p.Name].Version + 1
	m.policies[p.Name] = p
	return p, m.fail
}

func (m *memory) Policy(_ context.Context, name string) (order.PolicyBook, error) {
	defer m.lock()()
	p, ok := m.policies[name]
	if !ok {
		return p, fmt.Errorf("policy: %w", store.ErrNotFound)
	}
	return p, m.fail
}

func (m *memory) AddKey(_ context.Context, k store.APIKey) error {
	defer m.lock()()
	m.keys[k.ID] = k
	return m.fail
}

func (m *memory) Key(_ context.Context, id string) (store.APIKey, error) {
	defer m.lock()()
	m.keyLoads++
	k, ok := m.keys[id]
	if !ok {
		return k, fmt.Errorf("key: %w", store.ErrNotFound)
	}
	return k, nil
}

// taken is what PostgreSQL answers to a second row with the same ID.
type taken struct{}

func (taken) Error() string    { return "duplicate key" }
func (taken) SQLState() string { return "23505" }

func (m *memory) BeginAudit(_ context.Context, a store.Audit) error {
	defer m.lock()()
	if slices.ContainsFunc(m.audits, func(have store.Audit) bool { return have.ID == a.ID }) {
		return fmt.Errorf("audit: %w", taken{})
	}
	m.audits = append(m.audits, a)
	return m.fail
}

func (m *memory) EndAudit(_ context.Context, id, outcome, detail string) error {
	defer m.lock()()
	for i := range m.audits {
		if m.audits[i].ID == id && m.audits[i].Outcome == "" {
			m.audits[i].Outcome, m.audits[i].Detail = outcome, detail
		}
	}
	return m.fail
}

func (m *memory) BeginIdempotent(_ context.Context, actor, key string, hash []byte) (int, []byte, error) {
	defer m.lock()()
	k, ok := m.idempotent[actor+" "+key]
	if !ok {
		m.idempotent[actor+" "+key] = &kept{hash: hash}
		return 0, nil, m.fail
	}
	if !bytes.Equal(k.hash, hash) {
		return 0, nil, fmt.Errorf("idempotency: %w", store.ErrConflict)
	}
	return k.status, k.response, m.fail
}

func (m *memory) EndIdempotent(_ context.Context, actor, key string, status int, response []byte) error {
	defer m.lock()()
	k := m.idempotent[actor+" "+key]
	k.status, k.response = status, response
	return m.fail
}

// engine stands for the workflows: the real rules on the states in memory.
type engine struct {
	*memory
	asked    []order.Event
	reopened int
	err      error                 // of every question
	hook     func(context.Context) // before it answers
}

func (e *engine) Ask(ctx context.Context, id string, request order.Event) (order.View, error) {
	if e.hook != nil {
		e.hook(ctx)
	}
	defer e.lock()()
	e.asked = append(e.asked, request)
	if e.err != nil {
		return order.View{}, fmt.Errorf("ask: %w", e.err)
	}
	st := e.orders[id].State
	request = order.Stamp(request, testNow)
	if err := order.Check(st, request); err != nil {
		return order.View{}, fmt.Errorf("ask: %w", err)
	}
	order.Apply(st, request)
	return order.ViewOf(st), nil
}

func (e *engine) Reopen(ctx context.Context, spec order.Spec, request order.Event) (order.View, error) {
	e.reopened++
	e.err = nil
	return e.Ask(ctx, spec.ID, request)
}

func (e *engine) View(_ context.Context, id string) (order.View, error) {
	if e.hook != nil {
		e.hook(context.Background())
	}
	defer e.lock()()
	if e.err != nil {
		return order.View{}, e.err
	}
	v := order.ViewOf(e.orders[id].State)
	v.Summary = "live"
	return v, nil
}

// bench is an API with everything around it.
type bench struct {
	*testing.T
	*memory
	engine *engine
	api    *Server
	log    *bytes.Buffer
	keys   map[string]string // one key per scope
	now    time.Time
	ready  error
}

func newBench(t *testing.T, limits ...Limits) *bench {
	freight := order.DefaultPolicy()
	freight.Name = "freight"
	t.Helper()
	b := &bench{
		T: t, log: &bytes.Buffer{}, keys: map[string]string{}, now: testNow,
		memory: &memory{
			orders: map[string]*store.Order{}, hashes: map[string][]byte{}, addresses: map[string][]store.Address{}, contacts: map[string]store.Contact{},
			stores:   map[string]store.StoreRow{"acme": {ID: "acme", Name: "Acme", BrandColor: "#1f4f8f"}, "bolt": {ID: "bolt", Name: "Bolt", BrandColor: "#1f4f8f"}},
			policies: map[string]order.PolicyBook{"default": {Policy: order.DefaultPolicy()}, "freight": {Policy: freight}}, keys: map[string]store.APIKey{}, idempotent: map[string]*kept{},
		},
	}
	b.engine = &engine{memory: b.memory}
	d := Deps{
		Store: b.memory, Orders: b.engine, Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Links: links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")},
		Now:   func() time.Time { return b.now }, Ready: func(context.Context) error { return b.ready },
		WebhookSecrets: map[string][][]byte{"easypost": {[]byte("new secret"), []byte("old secret")}, "shippo": {[]byte("new secret")}, "dhl": {[]byte("new secret")}},
	}
	if len(limits) > 0 {
		d.Limits = limits[0]
	}
	b.api = New(d)
	for _, scope := range Scopes {
		b.keys[scope] = b.key([]string{scope}, "")
	}
	return b
}

func (b *bench) key(scopes []string, storeID string) string {
	seed := fmt.Sprintf("%s %v %s", b.Name(), scopes, storeID)
	k, text := KeyFrom([]byte(seed), "test", scopes, storeID)
	b.memory.keys[k.ID] = k
	return text
}

type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

// call sends a request and holds the answer against the contract.
func (b *bench) call(method, path, key, body string, headers ...string) answer {
	b.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.send(req)
}

func (b *bench) send(req *http.Request) answer {
	b.Helper()
	a := answer{httptest.NewRecorder(), b.T}
	b.api.Echo.ServeHTTP(a, req)
	if a.Header().Get("X-Request-Id") == "" {
		b.Errorf("%s %s: no request ID", req.Method, req.URL.Path)
	}
	if a.Code >= 400 && a.Header().Get("Content-Type") != "application/problem+json" && req.URL.Path != "/readyz" {
		b.Errorf("%s %s: a %d that is no problem: %s", req.Method, req.URL.Path, a.Code, a.Header().Get("Content-Type"))
	}
	if err := fits(req, a.ResponseRecorder); err != nil {
		b.Errorf("%s %s answered %d against the contract: %v\n%s", req.Method, req.URL.Path, a.Code, err, a.Body)
	}
	return a
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Errorf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	return a
}

// refuses expects a problem of that kind which names the field.
func (a answer) refuses(status int, kind, field string) answer {
	a.t.Helper()
	a.want(status)
	p := read[problem](a)
	if p.Type != "urn:waybill:problem:"+kind || p.Status != status || p.Title == "" || p.Instance != "urn:waybill:request:"+a.Header().Get("X-Request-Id") {
		a.t.Errorf("problem %+v, want a %s", p, kind)
	}
	if field != "-" && !slices.ContainsFunc(p.Errors, func(e fieldError) bool { return e.Field == field && e.Reason != "" }) {
		a.t.Errorf("problem %+v does not name %q", p, field)
	}
	return a
}

func read[T any](a answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal(a.Body.Bytes(), &v); err != nil {
		a.t.Errorf("answer %s: %v", a.Body, err)
	}
	return v
}

const smallOrder = `{"store":"acme","number":"1001","promised_at":"2026-11-25T20:00:00Z",
	"customer":{"name":"Ada Canary","email":"ada@canary.example","phone":"+15550001111","language":"en"},
	"ship_to":{"name":"Ada Canary","street":"1 Canary Row","city":"Springfield","postal_code":"12345","country":"US"},
	"lines":[{"sku":"TEA","quantity":2}]}`

// withOrder has acme:1001 in it.
func withOrder(t *testing.T, limits ...Limits) *bench {
	t.Helper()
	b := newBench(t, limits...)
	b.call("POST", "/v1/orders", b.keys[Storefront], smallOrder).want(http.StatusCreated)
	return b
}

// strictContract is the contract without room for fields that it does not name,
// so that an answer cannot say more than is written down.
var strictContract = sync.OnceValues(func() (*openapi3.T, []*operation) {
	doc, ops, err := loadContract(context.Background())
	if err != nil {
		panic(err)
	}
	for _, whole := range doc.Components.Schemas {
		if len(whole.Value.AllOf) == 0 {
			continue
		}
		merged := &openapi3.Schema{Type: &openapi3.Types{"object"}, Properties: openapi3.Schemas{}}
		for _, part := range whole.Value.AllOf {
			merged.Required = append(merged.Required, part.Value.Required...)
			maps.Copy(merged.Properties, part.Value.Properties)
		}
		*whole.Value = *merged
	}
	no := false
	for _, s := range doc.Components.Schemas {
		closed(s.Value, &no)
	}
	return doc, ops
})

func closed(s *openapi3.Schema, no *bool) {
	if s == nil {
		return
	}
	if s.Type.Is("object") {
		s.AdditionalProperties.Has = no
	}
	for _, p := range s.Properties {
		closed(p.Value, no)
	}
	if s.Items != nil {
		closed(s.Items.Value, no)
	}
}

func fits(req *http.Request, a *httptest.ResponseRecorder) error {
	_, ops := strictContract()
	for _, op := range ops {
		if op.method != req.Method || !matches(op.path, req.URL.Path) {
			continue
		}
		if op.id == "openapi" || op.id == "metrics" {
			return nil
		}
		in := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: op.route},
			Status:                 a.Code, Header: a.Header(),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, SchemaValidationOptions: filterOptions.SchemaValidationOptions},
		}
		return openapi3filter.ValidateResponse(req.Context(), in.SetBodyBytes(a.Body.Bytes()))
	}
	return nil // not in the contract: 404 or 405
}

func matches(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(want[i], ":") && want[i] != have[i] {
			return false
		}
	}
	return true
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
