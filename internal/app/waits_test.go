package app

import (
	"bytes"
	"encoding/json"
	"html"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// What an order waits for reads alike in the API, the console, on the command
// line and in the Temporal UI.
func TestEveryoneReadsTheSameWaits(t *testing.T) {
	database := storetest.URL(t)
	s, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	placed := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	now := placed.AddDate(0, 0, 8)
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: placed, PromisedAt: placed.AddDate(0, 0, 20), Currency: "EUR", CustomerRef: "c", Policy: order.DefaultPolicy(),
		Lines:   []order.Line{{SKU: "sofa", Quantity: 1, UnitAmount: 90_000}, {SKU: "lamp", Quantity: 1, UnitAmount: 900}},
		Parcels: []order.PlannedParcel{{ID: "A", Carrier: "ups", Tracking: "1Z1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}, {ID: "B", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}}
	if _, err := s.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte("t"), RequestHash: []byte("r")}); err != nil {
		t.Fatal(err)
	}
	st := order.New(spec, order.CurrentRules, placed)
	tick := func(at time.Time) order.Event { return order.Tick{Meta: order.Meta{By: order.Engine, Applied: at}} }
	for _, e := range []order.Event{
		order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: placed.Add(time.Hour), Received: placed.Add(time.Hour), Applied: placed.Add(time.Hour)}, Parcel: "A", Milestone: order.Accepted, Physical: true, Location: `Köln <b>"Eifeltor"</b>`},
		order.ExtendWait{Meta: order.Meta{By: order.Support, Actor: "key:ann", Reason: "stock & strike", Applied: placed.Add(2 * time.Hour)}, Kind: order.WaitPick, Parcel: "B", Until: placed.AddDate(0, 0, 9)},
		tick(placed.AddDate(0, 0, 5)), tick(now),
	} {
		if err := order.Check(&st, e); err != nil {
			t.Fatal(err)
		}
		order.Apply(&st, e)
	}
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}

	var shell bytes.Buffer
	if err := Explain(t.Context(), Config{DatabaseURL: database}, "acme:1", &shell); err != nil {
		t.Fatal(err)
	}
	key, text, err := api.NewKey("reader", []string{api.Admin}, "")
	if err == nil {
		err = s.AddKey(t.Context(), key)
	}
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("0123456789abcdef0123456789abcdef")
	l := links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: secret}
	log := slog.New(slog.DiscardHandler)
	clock := func() time.Time { return now }
	server := api.New(api.Deps{Store: s, Orders: orders{}, Log: log, Links: l, Now: clock})
	pages.Mount(server.Echo, pages.Deps{Store: s, Links: l, Log: log, Now: clock, Secret: secret, VerifyKey: server.VerifyKey})
	get := func(path string, header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		server.Echo.ServeHTTP(w, r)
		return w
	}
	var answer struct{ Waiting []order.WaitView }
	if err := json.Unmarshal(get("/v1/orders/acme:1/waiting", "Authorization", "Bearer "+text).Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	in := get("/console/enter?ticket="+url.QueryEscape(pages.Ticket(secret, "ann", "support", now.Add(time.Hour))), "Accept", "text/html")
	console := html.UnescapeString(get("/console/orders/acme:1", "Cookie", in.Header().Get("Set-Cookie")).Body.String())

	said := map[string]string{"the API": "", "the console": console, "explain": shell.String(), "Temporal": workflows.Details(&st)}
	for _, w := range answer.Waiting {
		said["the API"] += w.Text + "\n"
	}
	waits := order.Waiting(&st)
	if len(waits) < 5 {
		t.Fatalf("only %d waits", len(waits))
	}
	for _, w := range waits {
		for where, text := range said {
			if !strings.Contains(text, w.String()) {
				t.Errorf("%s does not say %q:\n%s", where, w, text)
			}
		}
	}
}
