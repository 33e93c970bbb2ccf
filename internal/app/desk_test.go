package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

const box = "1Z999AA10123456784"

// ups is a UPS that answers as it is told, and remembers the last request.
type ups struct {
	*httptest.Server
	status     int
	body       string
	path, sent string
}

func newUPS(t *testing.T) *ups {
	u := &ups{status: 200}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":"3600"}`))
			return
		}
		sent, _ := io.ReadAll(r.Body)
		u.path, u.sent = r.URL.Path, string(sent)
		w.WriteHeader(u.status)
		_, _ = w.Write([]byte(u.body))
	}))
	t.Cleanup(u.Close)
	return u
}

// newDesk is a desk with a UPS credential, and an order whose address was corrected once.
func newDesk(t *testing.T, u *ups) desk {
	p := &process{store: storetest.New(t), log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry()}
	var err error
	p.Credentials, err = credentials(file(t, fmt.Sprintf("credentials:\n  - {name: main, carrier: ups, key: k, secret: s, base_url: %q, budget: 100/s, contact_name: Acme, contact_phone: '+14105550100', client_ip: 192.0.2.7}", u.URL)))
	if err != nil {
		t.Fatal(err)
	}
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: time.Now(), Lines: []order.Line{{SKU: "mug", Quantity: 1}}, Policy: order.DefaultPolicy(),
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: box, Lines: []order.Allocation{{SKU: "mug", Quantity: 1}}}}}
	if _, err := p.store.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte("t"), RequestHash: []byte("r")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.PutAddress(t.Context(), "acme:1", store.Address{Name: "Ann Lee", Street: "12 Elm Street", City: "Springfield", Region: "IL", PostalCode: "62701", Country: "US"}); err != nil {
		t.Fatal(err)
	}
	return desk{client: p.tracker().client, store: p.store}
}

func toldTo(carrier string, kind order.Resolution) activities.CarrierInstruction {
	i := order.Instruction{ID: string(kind) + "-1-7", Kind: kind, Parcel: "1", AddressVersion: 1}
	if kind == order.Redeliver {
		i.Day = time.Date(2026, 3, 9, 17, 0, 0, 0, time.UTC)
	}
	return activities.CarrierInstruction{OrderID: "acme:1", Instruction: i, Command: order.Command{ID: i.ID, Parcel: "1", Carrier: carrier, Tracking: box}}
}

func TestCarriersAreToldWithTheAddressThatNoHistoryHas(t *testing.T) {
	u := newUPS(t)
	u.body = `{"transactionId":"T-1","statusCode":"000","success":true}`
	d := newDesk(t, u)
	for kind, want := range map[order.Resolution]struct{ path, sent string }{
		order.Redeliver:      {"/reschedule/" + box, `"deliveryDate":"20260309"`},
		order.HoldAtLocation: {"/willcall/" + box, `"requestType":"WC"`},
		order.ReturnToSender: {"/return/" + box, `"reasonForReturn":"KV"`},
		order.Redirect:       {"/redirect/address/" + box, `"addressLine1":"12 Elm Street"`},
	} {
		a, err := d.Instruct(t.Context(), toldTo("ups", kind))
		if err != nil || a.Reference != "T-1" || a.Declined+a.Unable != "" || !strings.HasSuffix(u.path, want.path) || !strings.Contains(u.sent, want.sent) {
			t.Errorf("%s: %+v %v; %s %s", kind, a, err, u.path, u.sent)
		}
	}
}

func TestWhatACarrierDoesNotTakeIsAPersons(t *testing.T) {
	u := newUPS(t)
	d := newDesk(t, u)
	unheard := toldTo("ups", order.Redirect)
	unheard.Instruction.AddressVersion = 9
	mail := toldTo("ups", order.ReturnToSender)
	mail.Command.Tracking = "92419901234567890123"
	for name, c := range map[string]struct {
		d      desk
		i      activities.CarrierInstruction
		status int
		body   string
		want   func(activities.InstructionAnswer) string
		word   string
	}{
		"no credentials":     {desk{store: d.store}, toldTo("ups", order.Redeliver), 200, ``, func(a activities.InstructionAnswer) string { return a.Unable }, "no carrier"},
		"another carrier":    {d, toldTo("dhl", order.Redeliver), 200, ``, func(a activities.InstructionAnswer) string { return a.Unable }, "dhl cannot be told"},
		"an erased address":  {d, unheard, 200, ``, func(a activities.InstructionAnswer) string { return a.Unable }, "not there any more"},
		"a number of others": {d, mail, 200, ``, func(a activities.InstructionAnswer) string { return a.Unable }, "1Z"},
		"UPS says no":        {d, toldTo("ups", order.ReturnToSender), 200, `{"statusCode":"710","success":false}`, func(a activities.InstructionAnswer) string { return a.Declined }, "UPS says 710"},
		"a bad request":      {d, toldTo("ups", order.ReturnToSender), 400, `{"response":{"statusCode":"0006","errors":[{"code":"710","message":"12 Elm"}]}}`, func(a activities.InstructionAnswer) string { return a.Declined }, "HTTP 400"},
		"bad credentials":    {d, toldTo("ups", order.ReturnToSender), 401, `{"response":{"errors":[{"code":"250002"}]}}`, func(a activities.InstructionAnswer) string { return a.Unable }, "unauthorized"},
	} {
		u.status, u.body = c.status, c.body
		a, err := c.d.Instruct(t.Context(), c.i)
		if err != nil || !strings.Contains(c.want(a), c.word) || a.Reference != "" || strings.Contains(fmt.Sprint(a), "Elm") {
			t.Errorf("%s: %+v %v, want %q", name, a, err, c.word)
		}
	}
	u.status, u.body = 503, `<html>`
	var later *temporal.ApplicationError
	if a, err := d.Instruct(t.Context(), toldTo("ups", order.ReturnToSender)); !errors.As(err, &later) || later.NonRetryable() {
		t.Errorf("away: %+v %v", a, err)
	}
}

func TestProofsAreFetchedAndWhoSignedStaysOutside(t *testing.T) {
	u := newUPS(t)
	d := newDesk(t, u)
	fact := store.Fact{Source: "carrier:ups", EventID: "e", Kind: store.KindCarrierEvent, Carrier: "ups", Tracking: box, Milestone: "delivered", Physical: true, OccurredAt: time.Now(), DeliveredTo: "neighbour", Aside: store.Aside{Held: "name"}}
	if _, err := d.store.Accept(t.Context(), []store.Fact{fact}); err != nil {
		t.Fatal(err)
	}
	q := activities.CarrierQuestion{OrderID: "acme:1", Command: order.Command{ID: "proof-1-7", Parcel: "1", Carrier: "ups", Tracking: box}}
	u.body = `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"` + box + `","deliveryInformation":{"receivedBy":"ANN LEE","signature":{"image":"` + base64.StdEncoding.EncodeToString([]byte("GIF89a x")) + `"}}}]}]}}`
	a, err := d.Prove(t.Context(), q)
	if err != nil || a != (activities.ProofAnswer{DeliveredTo: "neighbour", Held: "name, signature", Proof: "proof-1-7"}) {
		t.Errorf("%+v %v", a, err)
	}
	p, err := d.store.Proof(t.Context(), "acme:1", "proof-1-7", store.Audit{ID: "a", OrderID: "acme:1", Action: "read_proof", Actor: "ann", Role: "support", Request: []byte("{}"), CreatedAt: time.Now(), Outcome: "done"})
	if err != nil || p.SignedBy != "ANN LEE" || len(p.Documents) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	for name, c := range map[string]struct {
		d            desk
		carrier      string
		status       int
		body         string
		held, missed string
	}{
		"nobody to ask":   {desk{store: d.store}, "ups", 200, ``, "name", "cannot be asked"},
		"another carrier": {d, "gls", 200, ``, "name", "cannot be asked"},
		"nothing there":   {d, "ups", 200, `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"` + box + `"}]}]}}`, "name", "none to show"},
		"unknown number":  {d, "ups", 404, `{}`, "name", "none to show"},
		"refused":         {d, "ups", 401, `{"response":{"errors":[{"code":"250002"}]}}`, "name", "unauthorized"},
	} {
		u.status, u.body = c.status, c.body
		q.Command.Carrier, q.Command.ID = c.carrier, "proof-1-8"
		a, err := c.d.Prove(t.Context(), q)
		if err != nil || a.Held != c.held || a.Proof != "" || !strings.Contains(a.Missing, c.missed) {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	u.status, u.body, q.Command.Carrier = 503, `<html>`, "ups"
	if a, err := d.Prove(t.Context(), q); err == nil {
		t.Errorf("away: %+v", a)
	}
}
