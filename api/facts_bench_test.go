package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
)

func (sink) Accept(_ context.Context, facts []store.Fact) ([]store.Result, error) {
	results := make([]store.Result, len(facts))
	for i := range results {
		results[i] = store.Orphan
	}
	return results, nil
}

// BenchmarkCarrierEvents is the whole way of carrier events but for PostgreSQL and
// the network: routed, let in, read, made facts of, answered, counted.
func BenchmarkCarrierEvents(b *testing.B) {
	key, plain, err := NewKey("bench", []string{Carrier}, "")
	if err != nil {
		b.Fatal(err)
	}
	server := New(Deps{Store: sink{&memory{keys: map[string]store.APIKey{key.ID: key}}}, Orders: unasked{}, Log: slog.New(slog.DiscardHandler),
		Links: links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")}})
	for _, n := range []int{1, 100} {
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf(`{"id":"e-%d","tracking":"NOBODY%06d","milestone":"in_transit","physical":true,"occurred_at":"2026-03-02T09:00:00.000000Z","location":"Hub 7"}`, i, i))
		}
		body := `{"events":[` + strings.Join(items, ",") + `]}`
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/carriers/sim/events", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+plain)
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if server.Echo.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
