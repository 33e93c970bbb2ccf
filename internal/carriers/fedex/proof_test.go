package fedex

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func TestProofRequestFitsTheSpecification(t *testing.T) {
	spec := carriertest.LoadSpec(t, "fedex/track.json", func(doc *openapi3.T) {
		delete(doc.Extensions, "schemes") // Swagger 2.0 left it behind
	})
	spec.Wrong(t, func() *http.Request {
		q := question("700000000009")
		q.Number = "123456789"
		return carriertest.Request(t, api.Prove, q)
	}, map[string]func(*http.Request){
		"no token": func(r *http.Request) { r.Header.Del("Authorization") },
		"get":      func(r *http.Request) { r.Method = http.MethodGet },
		"no kind of document": func(r *http.Request) {
			body(r, `{"trackDocumentDetail":{},"trackDocumentSpecification":[{"trackingNumberInfo":{"trackingNumber":"1"}}]}`)
		},
		"no parcel": func(r *http.Request) {
			body(r, `{"trackDocumentDetail":{"documentType":"SIGNATURE_PROOF_OF_DELIVERY"}}`)
		},
		"no number": func(r *http.Request) {
			body(r, `{"trackDocumentDetail":{"documentType":"SIGNATURE_PROOF_OF_DELIVERY"},"trackDocumentSpecification":[{"trackingNumberInfo":{}}]}`)
		},
	})
}

func TestProofs(t *testing.T) {
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 x"))
	e, err := api.Evidence("1", []byte(`{"transactionId":"t","output":{"documentType":"SIGNATURE_PROOF_OF_DELIVERY","documentFormat":"PDF","document":["`+pdf+`"]}}`))
	if err != nil || e.Held() != "document" || e.Documents[0].Type != "application/pdf" || e.SignedBy != "" {
		t.Errorf("%+v %v", e, err)
	}
	if e, err = api.Evidence("1", []byte(`{"output":{"alerts":[{"code":"TRACKING.DATA.NOTFOUND","message":"-"}]}}`)); err != nil || e.Held() != "" {
		t.Errorf("no letter: %+v %v", e, err)
	}
	for _, body := range []string{``, `{}`, `<html>`, `{"output":{"document":["%%%"]}}`, `{"errors":[{"code":"TRACKING.TRACKINGNUMBER.NOTFOUND"}]}`} {
		if _, err := api.Evidence("1", []byte(body)); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte(`{"output":{"document":["JVBERg=="]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := api.Evidence("1", body); len(e.Documents) > 8 || err == nil && e.SignedBy != "" {
			t.Errorf("%d documents, %v", len(e.Documents), err)
		}
	})
}
