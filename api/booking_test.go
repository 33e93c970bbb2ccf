package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
)

func TestALabelIsHandedOutToBeSavedAndThatIsAudited(t *testing.T) {
	b := withOrder(t)
	b.labels = map[string]store.ReturnLabel{"acme:1001 R1": {MediaType: "application/zpl", Body: []byte("^XA^XZ")}}
	const path = "/v1/orders/acme:1001/returns/R1/label"
	for _, scope := range []string{Storefront, Returns, Support} {
		d := b.call(http.MethodGet, path, b.keys[scope], "")
		d.want(http.StatusOK)
		if d.Body.String() != "^XA^XZ" || d.Header().Get("Content-Type") != "application/zpl" || d.Header().Get("Content-Disposition") != "attachment" || d.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Error(d.Header(), d.Body)
		}
	}
	b.call(http.MethodGet, path, b.keys[Warehouse], "").refuses(http.StatusForbidden, "forbidden", "-")
	b.call(http.MethodGet, "/v1/orders/acme:1001/returns/R2/label", b.keys[Returns], "").refuses(http.StatusNotFound, "not-found", "-")
	if n := len(b.audits); n != 3 || b.audits[0].Action != "read_return_label" || b.audits[0].OrderID != "acme:1001" || string(b.audits[0].Request) != `{"return":"R1"}` {
		t.Errorf("%+v", b.audits)
	}
}

func TestWhereReturnsGoIsTheStoresToSay(t *testing.T) {
	b := withOrder(t)
	const path, good = "/v1/stores/acme", `{"name":"Acme","returns_address":{"name":"Returns","street":"Dock 3","city":"Hamburg","postal_code":"20457","country":"DE","phone":"+49 40 12345"}}`
	for change, field := range map[[2]string]string{
		{`"street":"Dock 3",`, ``}: "returns_address.street", {`"DE"`, `"Germany"`}: "returns_address.country", {`"Returns"`, `"\u0007"`}: "returns_address", {`+49 40 12345`, `call <b>me`}: "returns_address.phone",
		{`"country"`, `"planet":"Mars","country"`}: "returns_address.planet",
	} {
		b.call(http.MethodPut, path, b.keys[Admin], strings.Replace(good, change[0], change[1], 1)).refuses(http.StatusUnprocessableEntity, "invalid", field)
	}
	b.call(http.MethodPut, path, b.keys[Admin], good).want(http.StatusOK)
	if a := b.stores["acme"].ReturnsAddress; a == nil || a.City != "Hamburg" || a.Phone != "+49 40 12345" {
		t.Errorf("%+v", a)
	}
	b.call(http.MethodPut, path, b.keys[Admin], `{"name":"Acme"}`).want(http.StatusOK)
	if a := b.stores["acme"].ReturnsAddress; a != nil {
		t.Errorf("still %+v", a)
	}
}
