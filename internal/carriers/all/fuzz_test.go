package all

import (
	"crypto/rand"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/internal/carriers/generic"
)

// proofs are the headers in which carriers prove themselves.
var proofs = []string{"Aftership-Hmac-Sha256", "Authorization", "Credential", "Dhl-Webhook-Token", "Fdx-Signature", "Sign", "Shippo-Auth-Signature",
	"X-City-Signature", "X-Hmac", "X-Hmac-Signature"}

// Whoever does not know the secret is not let in, whatever the headers say.
func FuzzVerify(f *testing.F) {
	mapping, err := os.ReadFile("../generic/testdata/fleet.yaml")
	if err != nil {
		f.Fatal(err)
	}
	fleet, err := generic.Parse(mapping)
	if err != nil {
		f.Fatal(err)
	}
	secrets := [][]byte{[]byte(rand.Text()), []byte(rand.Text())}
	at := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	for _, value := range []string{"", " ", "Bearer ", "Basic Og==", "sha256=", "hmac-sha256-hex=00", "t=1772618400,v1=00", "t=1772618400,t=0,v1=00,v1=11", "t=9223372036854775807,v1=00", "AAAA", "\x00", "\xff\xfe"} {
		f.Add(value, value, []byte(`{"timestamp":"2026-03-04T10:00:00Z","payload":"{}"}`))
	}
	adapters := append(Adapters(), fleet)
	f.Fuzz(func(t *testing.T, first, second string, body []byte) {
		h := http.Header{}
		for _, name := range proofs {
			h[name] = []string{first, second}
		}
		for _, a := range adapters {
			if err := a.Verify(carriers.Push{Header: h, Body: body, ReceivedAt: at}, secrets); err == nil {
				t.Errorf("%s lets %q in", a.Name(), first)
			}
		}
	})
}

// The answers of carriers to what is not tracking are read whatever they are.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"invalidTrackingNumbers":["1Z1",""]}`))
	f.Add([]byte(`{"data":{"rejected":[{"number":"RR123456789CN","error":{"code":-18019901}},{"number":"X"}]}}`))
	f.Add([]byte(`{"documents":[{"content":"JVBERg=="}],"output":{"document":[{"content":"JVBERg=="}]},"success":true,"statusCode":"200"}`))
	carriertest.Seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, a := range Adapters() {
			asker, ok := a.(carriers.Asker)
			if !ok {
				continue
			}
			for _, api := range asker.APIs() {
				if api.Rejected != nil {
					api.Rejected(body)
				}
				if api.Told != nil {
					if d, err := api.Told(body); err != nil && d != (carriers.Done{}) {
						t.Errorf("%s: %+v, %v", a.Name(), d, err)
					}
				}
				if api.Evidence != nil {
					if e, err := api.Evidence("1Z999AA10123456784", body); len(e.Documents) > 0 && err != nil {
						t.Errorf("%s: %d documents, %v", a.Name(), len(e.Documents), err)
					}
				}
			}
		}
	})
}
