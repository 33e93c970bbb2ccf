package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestAProofIsShownToWhoMayAndThatIsRecorded(t *testing.T) {
	o := newOffice(t)
	f := &o.fixtures[0]
	id := f.Order.Spec.ID
	o.proof = store.Proof{OrderID: id, ID: "proof-1-7", Parcel: "1", Carrier: "ups", SignedBy: "<b>LEE", FetchedAt: testNow,
		Documents: []store.ProofDocument{{N: 1, Kind: "document", MediaType: "application/pdf", Size: 4, Body: []byte("%PDF")}}}
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, orderHref(id)+path, nil)
		r.AddCookie(o.as("key:ann"))
		w := httptest.NewRecorder()
		o.e.ServeHTTP(w, r)
		return w
	}
	w := get("/proofs/proof-1-7")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "&lt;b&gt;LEE") || !strings.Contains(w.Body.String(), "/proofs/proof-1-7/1\"") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = get("/proofs/proof-1-7/1")
	if w.Code != http.StatusOK || w.Body.String() != "%PDF" || w.Header().Get("Content-Disposition") != "attachment" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(o.audits) != 2 || o.audits[1].OrderID != id || o.audits[1].Actor != "key:ann" || o.audits[1].Action != "read_proof" {
		t.Errorf("%+v", o.audits)
	}
	for _, path := range []string{"/proofs/proof-1-8", "/proofs/proof-1-7/2", "/proofs/proof-1-7/x", "/proofs/proof-1-7/0"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, scopes := range [][]string{nil, {"returns"}} { // revoked; the returns desk
		o.scopes["key:ann"] = scopes
		if w := get("/proofs/proof-1-7"); w.Code != http.StatusForbidden || len(o.audits) != 2 {
			t.Errorf("%v: %d, %d audits", scopes, w.Code, len(o.audits))
		}
	}
}

func TestTheConsoleShowsWhatCarriersWereTold(t *testing.T) {
	o := newOffice(t)
	f := &o.fixtures[0]
	st := *f.Order.State
	st.Parcels = append([]order.Parcel(nil), st.Parcels...)
	st.Parcels[0].Proof = order.Proof{At: testNow, Held: "photo", Reference: "proof-1-7"}
	st.Instructions = []order.Instruction{{ID: "redeliver-1-9", Kind: order.Redeliver, Parcel: "1", State: order.InstructionByHand, AskedAt: testNow, AskedBy: "key:ann", Reason: "<i>no answer"},
		{ID: "hold_at_location-1-5", Kind: order.HoldAtLocation, Parcel: "1", Point: "SHOP-7", State: order.InstructionAccepted, AskedAt: testNow, EndedAt: testNow, Reference: "RQ-1"}}
	f.Order.State = &st
	r := httptest.NewRequest(http.MethodGet, o.page(f.Name), nil)
	r.AddCookie(o.as("key:ann"))
	w := httptest.NewRecorder()
	o.e.ServeHTTP(w, r)
	body := w.Body.String()
	has(t, body, "Carriers told", "a person has to tell the carrier", "&lt;i&gt;no answer", "SHOP-7", "RQ-1", "Record what the carrier said", "The carrier will do it", "/proofs/proof-1-7\">photo</a>")
	if n := strings.Count(body, "Record what the carrier said"); n != 1 {
		t.Errorf("%d forms, want one", n)
	}
}
