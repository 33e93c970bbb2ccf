package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// BenchmarkAccept takes in batches of 100 facts from eight callers: as nearly all
// are, with something beside one in twenty, and with something beside each.
func BenchmarkAccept(b *testing.B) {
	for _, c := range []struct {
		name  string
		every int
	}{{"plain", 0}, {"beside 1 in 20", 20}, {"beside each", 1}} {
		b.Run(c.name, func(b *testing.B) {
			s := storetest.New(b)
			var seq atomic.Int64
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					facts := make([]store.Fact, 100)
					for i := range facts {
						n := seq.Add(1)
						facts[i] = event(fmt.Sprint("e", n), fmt.Sprint("T", n%5000), order.InTransit)
						if c.every > 0 && n%int64(c.every) == 0 {
							facts[i].Aside, facts[i].Signer = store.Aside{Held: "name, photo"}, store.Signer{Name: "ANN LEE"}
						}
					}
					if _, err := s.Accept(context.Background(), facts); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "facts/s")
		})
	}
}
