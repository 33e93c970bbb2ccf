package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
)

func TestProofsAreReadBySupportAndEachReadingIsAudited(t *testing.T) {
	b := withOrder(t)
	b.proofs = []store.Proof{{OrderID: "acme:1001", ID: "proof-1-7", Parcel: "1", Carrier: "ups", SignedBy: "ANN LEE", Documents: []store.ProofDocument{{N: 1, Kind: "document", MediaType: "application/pdf", Size: 4, Body: []byte("%PDF")}}}}
	const path = "/v1/orders/acme:1001/proofs/proof-1-7"
	a := b.call(http.MethodGet, path, b.keys[Support], "")
	a.want(http.StatusOK)
	if s := a.Body.String(); !strings.Contains(s, `"signed_by":"ANN LEE"`) || strings.Contains(s, "PDF\"") && strings.Contains(s, "JVBER") {
		t.Error(s)
	}
	d := b.call(http.MethodGet, path+"/documents/1", b.keys[Support], "")
	d.want(http.StatusOK)
	if d.Body.String() != "%PDF" || d.Header().Get("Content-Type") != "application/pdf" || d.Header().Get("Content-Disposition") != "attachment" || d.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error(d.Header(), d.Body)
	}
	if n := len(b.audits); n != 2 || b.audits[1].OrderID != "acme:1001" || b.audits[1].Action != "read_proof" || strings.Contains(string(b.audits[0].Request), "LEE") {
		t.Errorf("%+v", b.audits)
	}
	b.call(http.MethodGet, path+"/documents/2", b.keys[Support], "").refuses(http.StatusNotFound, "not-found", "-")
	b.call(http.MethodGet, "/v1/orders/acme:1001/proofs/proof-1-8", b.keys[Support], "").refuses(http.StatusNotFound, "not-found", "-")
	if len(b.audits) != 2 {
		t.Errorf("what is not there was read: %+v", b.audits)
	}
}
