package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
)

func TestEraseCustomer(t *testing.T) {
	b := withOrder(t)
	if len(b.contacts) != 1 {
		t.Fatal(b.contacts)
	}
	ref := b.orders["acme:1001"].Spec.CustomerRef
	path := "/v1/customers/" + ref
	b.call("DELETE", path, b.keys[Support], "").refuses(http.StatusUnprocessableEntity, "invalid", "store")
	b.call("DELETE", path+"?store=other", b.keys[Support], "").refuses(http.StatusNotFound, "not-found", "-")
	b.call("DELETE", "/v1/customers/nobody?store=acme", b.keys[Support], "").refuses(http.StatusNotFound, "not-found", "-")
	b.call("DELETE", path, b.key([]string{Support}, "other"), "").refuses(http.StatusNotFound, "not-found", "-") // a key of that store
	b.call("DELETE", path+"?store=acme", b.key([]string{Support}, "other"), "").refuses(http.StatusForbidden, "forbidden", "-")
	if len(b.contacts) != 1 || len(b.audits) != 0 {
		t.Fatal("refused, and done all the same", b.contacts, b.audits)
	}
	a := b.call("DELETE", path, b.key([]string{Support}, "acme"), "")
	if a.Code != http.StatusOK || len(b.contacts) != 0 || len(b.audits) != 1 || b.audits[0].Action != "erase_customer" || !strings.Contains(a.Body.String(), b.audits[0].ID) {
		t.Errorf("%d %s %+v", a.Code, a.Body, b.audits)
	}
	// Nobody's name goes into the audit.
	if kept := string(mustJSON(b.audits)); strings.Contains(kept, ref) && ref != "acme:1001" || strings.Contains(kept, "ada@") {
		t.Error(kept)
	}
}

func TestPutContact(t *testing.T) {
	b := withOrder(t)
	const path = "/v1/orders/acme:1001/contact"
	before := b.contacts["acme:1001"]
	for _, bad := range []string{`{}`, `{"name": "Ada", "email": "nobody"}`, `{"name": "Ada", "phone": "call me"}`, `{"name": "Ada", "ref": "C-2"}`, `{"name": "Ada", "email": "a\u0007@b.example"}`} {
		b.call("PUT", path, b.keys[Storefront], bad).want(http.StatusUnprocessableEntity)
	}
	b.call("PUT", "/v1/orders/acme:1/contact", b.keys[Storefront], `{"name": "Ada"}`).refuses(http.StatusNotFound, "not-found", "-")
	b.call("PUT", path, b.key([]string{Storefront}, "other"), `{"name": "Ada"}`).refuses(http.StatusForbidden, "forbidden", "-")
	if b.contacts["acme:1001"] != before || len(b.audits) > 0 {
		t.Fatal("refused, and done all the same")
	}
	b.call("PUT", path, b.keys[Storefront], `{"name": "Ada", "email": "new@example.com", "reason": "it bounced"}`).want(http.StatusNoContent)
	if got := b.contacts["acme:1001"]; got != (store.Contact{Name: "Ada", Email: "new@example.com"}) {
		t.Errorf("%+v", got)
	}
	if kept := string(mustJSON(b.audits)); len(b.audits) != 1 || b.audits[0].Action != "change_contact" || b.audits[0].Reason != "it bounced" || strings.Contains(kept, "new@") {
		t.Error(kept)
	}
}

func TestEndBuyerLink(t *testing.T) {
	b := withOrder(t)
	const path = "/v1/orders/acme:1001/buyer-link/end"
	for _, none := range []string{`{}`, `{"reason": "\u0007"}`} {
		b.call("POST", path, b.keys[Support], none).want(http.StatusUnprocessableEntity)
	}
	b.call("POST", "/v1/orders/acme:1/buyer-link/end", b.keys[Support], `{"reason": "forwarded"}`).refuses(http.StatusNotFound, "not-found", "-")
	b.call("POST", path, b.key([]string{Support}, "other"), `{"reason": "forwarded"}`).refuses(http.StatusForbidden, "forbidden", "-")
	if len(b.audits) > 0 {
		t.Fatalf("%+v", b.audits)
	}
	b.call("POST", path, b.keys[Support], `{"reason": "forwarded"}`).want(http.StatusNoContent)
	if len(b.audits) != 1 || b.audits[0].Action != "end_buyer_link" || b.audits[0].Reason != "forwarded" || b.audits[0].OrderID != "acme:1001" {
		t.Errorf("%+v", b.audits)
	}
}
