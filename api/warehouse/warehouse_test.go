// Package warehouse tests the warehouse's ways in, over HTTP and with a real
// PostgreSQL: what it tells in GS1's language reaches the parcels it means.
package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// nobody runs orders: no fact may ask Temporal.
type nobody struct{}

func (nobody) Ask(context.Context, string, order.Event) (order.View, error) {
	panic("asked a running order")
}

func (nobody) Reopen(context.Context, order.Spec, order.Event) (order.View, error) {
	panic("asked a closed order")
}

func (nobody) View(context.Context, string) (order.View, error) { panic("asked a running order") }

type site struct {
	*testing.T
	store *store.Store
	api   *api.Server
	key   map[string]string // by store; "": any
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, store: storetest.New(t), key: map[string]string{}}
	s.api = api.New(api.Deps{
		Store: s.store, Orders: nobody{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC) },
		Links: links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")},
	})
	for _, storeID := range []string{"acme", "bolt"} {
		if err := s.store.PutStore(t.Context(), store.StoreRow{ID: storeID, Name: storeID, BrandColor: "#1f4f8f"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, storeID := range []string{"", "acme", "bolt"} {
		key, text, err := api.NewKey("scanner", []string{api.Admin}, storeID)
		if err == nil {
			err = s.store.AddKey(t.Context(), key)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.key[storeID] = text
	}
	return s
}

type answer struct {
	Results []struct {
		ID, Result, Field, Reason string
		Scans                     []struct {
			Order, Parcel, Tracking, Kind, Result string
			Reads                                 int
		}
	}
	Accepted, Duplicate, Orphan, Rejected int
}

func (s *site) post(path, storeID, body string) answer {
	s.Helper()
	req := httptest.NewRequest("POST", path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.key[storeID])
	w := httptest.NewRecorder()
	s.api.Echo.ServeHTTP(w, req)
	if w.Code != 200 && w.Code != 201 {
		s.Fatalf("%d %s", w.Code, w.Body)
	}
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		s.Fatal(err)
	}
	return a
}

// order with parcels 1, 2... under these numbers.
func (s *site) order(storeID, number string, tracking ...string) {
	s.Helper()
	var parcels []string
	for i, t := range tracking {
		parcels = append(parcels, fmt.Sprintf(`{"id":"%d","carrier":"fedex","tracking":"%s","lines":[{"sku":"TEA","quantity":1}]}`, i+1, t))
	}
	s.post("/v1/orders", "", fmt.Sprintf(`{"store":"%s","number":"%s","promised_at":"2026-11-25T20:00:00Z","customer":{"name":"Ada Canary","email":"ada@canary.example"},
		"ship_to":{"name":"Ada Canary","street":"1 Canary Row","city":"Springfield","postal_code":"12345","country":"US"},
		"lines":[{"sku":"TEA","quantity":%d}],"parcels":[%s]}`, storeID, number, max(1, len(tracking)), strings.Join(parcels, ",")))
}

// scans in an order's timeline, each as parcel, kind and time.
func (s *site) scans(orderID string) []string {
	s.Helper()
	entries, err := s.store.Timeline(s.Context(), orderID, 1000)
	if err != nil {
		s.Fatal(err)
	}
	var told []string
	for _, e := range entries {
		if e.Source == "warehouse" {
			told = append(told, e.Parcel+" "+e.Milestone+" "+e.At.UTC().Format("15:04:05"))
		}
	}
	return told
}

func (s *site) tells(orderID string, want ...string) {
	s.Helper()
	if got := s.scans(orderID); !slices.Equal(got, want) {
		s.Errorf("%s tells %q, want %q", orderID, got, want)
	}
}

func sscc(n int) string {
	digits := fmt.Sprintf("39521234%09d", n)
	check, _ := gs1.CheckDigit(digits)
	return digits + string(check)
}

func document(events ...string) string {
	return `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-21T19:00:00Z","epcisBody":{"eventList":[` +
		strings.Join(events, ",") + `]}}`
}

func event(kind, at, step, more string) string {
	return fmt.Sprintf(`{"type":"%s","eventTime":"2026-11-21T%sZ","eventTimeZoneOffset":"-05:00","bizStep":"%s","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.d4"},%s}`, kind, at, step, more)
}

// A day in a warehouse: two orders picked, packed, put on one pallet and shipped
// with it; the gate reads the pallet's boxes again and again.
func TestAPalletsWayThroughTheWarehouse(t *testing.T) {
	s := newSite(t)
	s.order("acme", "1", sscc(1), sscc(2))
	s.order("bolt", "7", sscc(3))
	box := func(n int) string { return fmt.Sprintf("urn:epc:id:sscc:9521234.3%09d", n) }
	link := func(n int) string { return "https://id.gs1.org/00/" + sscc(n) }
	events := []string{
		event("ObjectEvent", "08:00:00", "picking", `"action":"OBSERVE","eventID":"urn:x:1","epcList":["urn:epc:id:sgtin:9521234.012345.1"],"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000013:acme:1%2F2"}]`),
		event("AggregationEvent", "09:00:00", "packing", `"action":"ADD","eventID":"urn:x:2","parentID":"`+link(2)+`","childEPCs":["urn:epc:id:sgtin:9521234.012345.1"]`),
		event("AggregationEvent", "10:00:00", "staging_outbound", `"action":"ADD","parentID":"`+link(90)+`","childEPCs":["`+box(1)+`","`+link(2)+`","`+box(3)+`"]`),
		event("ObjectEvent", "11:00:00", "shipping", `"action":"OBSERVE","disposition":"in_transit","epcList":["`+link(90)+`"]`),
		event("ObjectEvent", "11:00:00", "shipping", `"action":"OBSERVE","disposition":"in_transit","epcList":["`+link(99)+`"]`),
	}
	for i := range 40 {
		events = append(events, event("ObjectEvent", fmt.Sprintf("10:30:%02d", i), "loading", fmt.Sprintf(`"action":"OBSERVE","eventID":"urn:gate:%d","epcList":["%s","%s"]`, i, box(1), link(1))))
	}
	got := s.post("/v1/epcis/capture", "", document(events...))
	if got.Accepted != 5 || got.Orphan != 1 || got.Duplicate != 39 || got.Rejected != 0 || got.Results[5].Scans[0].Reads != 40 {
		t.Fatalf("%+v", got)
	}
	s.tells("acme:1", "2 picked 08:00:00", "2 packed 09:00:00", "1 sorted 10:00:00", "2 sorted 10:00:00", "1 sorted 10:30:00", "1 handed_over 11:00:00", "2 handed_over 11:00:00")
	s.tells("bolt:7", "1 sorted 10:00:00", "1 handed_over 11:00:00")
	// Told again, nothing is new; and the plain scan API says the same of a barcode.
	if got = s.post("/v1/epcis/capture", "", document(events...)); got.Duplicate != 45 {
		t.Errorf("%+v", got)
	}
	got = s.post("/v1/scans", "", `{"scans":[
		{"kind":"sorted","barcode":"]C100`+sscc(3)+`\u001d3712","occurred_at":"2026-11-21T12:00:00Z"},
		{"kind":"sorted","barcode":"(00) `+sscc(3)+`","occurred_at":"2026-11-21T12:00:00Z"},
		{"kind":"sorted","barcode":"https://id.gs1.org/00/`+sscc(55)+`","occurred_at":"2026-11-21T12:00:00Z"},
		{"kind":"sorted","barcode":"00`+sscc(3)[:17]+`x","occurred_at":"2026-11-21T12:00:00Z"}]}`)
	if got.Accepted != 1 || got.Duplicate != 1 || got.Orphan != 1 || got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
	s.tells("bolt:7", "1 sorted 10:00:00", "1 handed_over 11:00:00", "1 sorted 12:00:00")
	// The orphan finds its parcel when that appears.
	since := time.Now().Add(-time.Hour)
	s.order("acme", "2", sscc(99))
	if n, err := s.store.AttachOrphans(t.Context(), since); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	s.tells("acme:2", "1 handed_over 11:00:00")
}

func TestAKeyOfAStoreTouchesThatStore(t *testing.T) {
	s := newSite(t)
	s.order("acme", "1", sscc(1), sscc(2))
	s.order("bolt", "1", sscc(3))
	po := func(number string) string {
		return `"bizTransactionList":[{"type":"po","bizTransaction":"` + number + `"}]`
	}
	doc := document(
		event("ObjectEvent", "08:00:00", "packing", `"action":"OBSERVE","eventID":"urn:x:1","epcList":["https://id.gs1.org/00/`+sscc(2)+`"],`+po("urn:epcglobal:cbv:bt:9521234000013:1%2F2")),
		event("ObjectEvent", "08:00:00", "packing", `"action":"OBSERVE","eventID":"urn:x:2","epcList":["https://id.gs1.org/00/`+sscc(3)+`"]`),
		event("ObjectEvent", "08:00:00", "packing", `"action":"OBSERVE","eventID":"urn:x:3","epcList":["https://id.gs1.org/00/`+sscc(3)+`"],`+po("bolt:1/1")),
	)
	if got := s.post("/v1/epcis/capture", "acme", doc); got.Accepted != 1 || got.Orphan != 1 || got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
	s.tells("acme:1", "2 packed 08:00:00")
	s.tells("bolt:1")
	// Another shop's scanner may number its events alike: nothing of it is lost.
	if got := s.post("/v1/epcis/capture", "bolt", strings.ReplaceAll(doc, "1%2F2", "1%2F1")); got.Accepted != 3 {
		t.Errorf("%+v", got)
	}
	told := []string{"1 packed 08:00:00", "1 packed 08:00:00", "1 packed 08:00:00"}
	s.tells("bolt:1", told...)
	// What acme told of bolt's parcel never becomes its parcel's scan.
	if n, err := s.store.AttachOrphans(t.Context(), time.Time{}); err != nil || n != 0 {
		t.Errorf("%d %v", n, err)
	}
	s.tells("bolt:1", told...)
}

func TestADeclaredErrorIsNotedForOps(t *testing.T) {
	s := newSite(t)
	s.order("acme", "1", sscc(1))
	wrong := event("ObjectEvent", "08:00:00", "shipping", `"action":"OBSERVE","eventID":"urn:x:1","epcList":["https://id.gs1.org/00/`+sscc(1)+`"]`)
	declared := strings.TrimSuffix(wrong, "}") + `,"errorDeclaration":{"declarationTime":"2026-11-21T09:00:00Z","reason":"incorrect_data","correctiveEventIDs":["urn:x:2"]}}`
	if got := s.post("/v1/epcis/capture", "", document(wrong)); got.Accepted != 1 {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if got := s.post("/v1/epcis/capture", "", document(declared, declared)); got.Rejected != 2 || got.Results[0].Field != "errorDeclaration" {
			t.Errorf("%+v", got)
		}
	}
	s.tells("acme:1", "1 handed_over 08:00:00")
	faults, err := s.store.Faults(t.Context(), true, store.FaultCursor{}, 10)
	if err != nil || len(faults) != 1 || faults[0].Key != "urn:x:1" || faults[0].Count != 2 || faults[0].Kind != store.Retraction {
		t.Errorf("%+v %v", faults, err)
	}
}

func TestAFullDocument(t *testing.T) {
	s := newSite(t)
	var events []string
	for i := range 1000 {
		var ids []string
		for n := range 10 {
			ids = append(ids, `"https://id.gs1.org/00/`+sscc(10*i+n)+`"`)
		}
		events = append(events, event("ObjectEvent", "08:00:00", "loading", `"action":"OBSERVE","epcList":[`+strings.Join(ids, ",")+`]`))
	}
	if got := s.post("/v1/epcis/capture", "", document(events...)); got.Orphan != 1000 {
		t.Errorf("%d orphans, %d rejected", got.Orphan, got.Rejected)
	}
	if got := s.post("/v1/epcis/capture", "", document(events...)); got.Duplicate != 1000 {
		t.Errorf("%d duplicates, %d rejected", got.Duplicate, got.Rejected)
	}
}
