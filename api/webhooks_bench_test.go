package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
)

// sink is a store that takes everything and keeps nothing.
type sink struct{ *memory }

func (sink) AcceptBody(_ context.Context, _ store.RawBody, facts []store.Fact) ([]store.Result, error) {
	results := make([]store.Result, len(facts))
	for i := range results {
		results[i] = store.Accepted
	}
	return results, nil
}

// signedAlike is an adapter whose pushes all are signed in one way, of the usual cost.
type signedAlike struct{ carriers.Adapter }

func (signedAlike) Verify(p carriers.Push, secrets [][]byte) error {
	sum, err := carriers.Sum(p.Header.Get("X-Signature"), hex.DecodeString)
	if err != nil {
		return err
	}
	return carriers.HMAC(secrets, sum, p.Body)
}

// unasked runs no orders.
type unasked struct{ Orders }

// BenchmarkWebhook is the whole way of a webhook but for PostgreSQL and the
// network: routed, verified, read, made facts of, answered, counted.
func BenchmarkWebhook(b *testing.B) {
	for name, file := range map[string]string{
		"ups": "ups/testdata/push_out.json", "fedex": "fedex/testdata/push.json", "usps": "usps/testdata/push.json", "dhl": "dhl/testdata/push_unified.json",
		"easypost": "easypost/testdata/push_updated.json", "aftership": "aftership/testdata/push_update.json", "shippo": "shippo/testdata/push_track_updated.json",
		"17track": "seventeentrack/testdata/push_updated.json",
	} {
		b.Run(name, func(b *testing.B) {
			body, err := os.ReadFile("../internal/carriers/" + file)
			if err != nil {
				b.Fatal(err)
			}
			a, err := all.Adapters().Find(name)
			if err != nil {
				b.Fatal(err)
			}
			secret := []byte("a secret for measuring")
			server := New(Deps{Store: sink{&memory{}}, Orders: unasked{}, Log: slog.New(slog.DiscardHandler),
				Links:          links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")},
				WebhookSecrets: map[string][][]byte{name: {secret}}, Carriers: carriers.Registry{signedAlike{a}}})
			mac := hmac.New(sha256.New, secret)
			mac.Write(body)
			sum := hex.EncodeToString(mac.Sum(nil))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/webhooks/"+name, bytes.NewReader(body))
				r.Header.Set("X-Signature", sum)
				w := httptest.NewRecorder()
				if server.Echo.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
	b.Run("the test's own request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequest(http.MethodPost, "/webhooks/ups", bytes.NewReader(nil))
			r.Header.Set("X-Signature", "")
			httptest.NewRecorder()
		}
	})
}
