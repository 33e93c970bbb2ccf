package dhl

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func TestProofRequestFitsTheSpecification(t *testing.T) {
	express := Adapter{}.APIs()[1]
	spec := carriertest.LoadSpec(t, "dhl/mydhl-express-3.1.1.yaml", nil)
	for _, account := range []string{"", "123456789"} {
		spec.Wrong(t, func() *http.Request {
			q := question(express, "9356579890")
			q.Number = account
			return carriertest.Request(t, express.Prove, q)
		}, map[string]func(*http.Request){
			"no credential":    func(r *http.Request) { r.Header.Del("Authorization") },
			"no version":       func(r *http.Request) { r.Header.Del("X-Version") },
			"another content":  func(r *http.Request) { r.URL.RawQuery = "content=everything" },
			"a long reference": func(r *http.Request) { r.Header.Set("Message-Reference", "0123456789012345678901234567890123456789") },
			"post":             func(r *http.Request) { r.Method = http.MethodPost },
		})
	}
}

func TestProofs(t *testing.T) {
	express := Adapter{}.APIs()[1]
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 x"))
	e, err := express.Evidence("1", []byte(`{"documents":[{"encodingFormat":"PDF","content":"`+pdf+`","typeCode":"POD"}]}`))
	if err != nil || e.Held() != "document" || e.Documents[0].Type != "application/pdf" {
		t.Errorf("%+v %v", e, err)
	}
	if e, err = express.Evidence("1", []byte(`{"documents":[]}`)); err != nil || e.Held() != "" {
		t.Errorf("none: %+v %v", e, err)
	}
	for _, body := range []string{``, `[]`, `<html>`, `{"documents":[{"content":"%"}]}`} {
		if _, err := express.Evidence("1", []byte(body)); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte(`{"documents":[{"content":"JVBERg=="}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := (Adapter{}).APIs()[1].Evidence("1", body); len(e.Documents) > 8 {
			t.Errorf("%d documents, %v", len(e.Documents), err)
		}
	})
}
