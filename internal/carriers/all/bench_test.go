package all

import (
	"os"
	"testing"
)

// pushes are a webhook of each carrier, as its adapter's tests have it.
var pushes = map[string]string{
	"ups": "ups/testdata/push_out.json", "fedex": "fedex/testdata/push.json", "usps": "usps/testdata/push.json", "dhl": "dhl/testdata/push_unified.json",
	"easypost": "easypost/testdata/push_updated.json", "aftership": "aftership/testdata/push_update.json", "shippo": "shippo/testdata/push_track_updated.json",
	"17track": "seventeentrack/testdata/push_updated.json", "edi214": "edi214/testdata/delivery.edi",
}

// BenchmarkParsePush says what reading a webhook allocates.
func BenchmarkParsePush(b *testing.B) {
	for _, a := range Adapters() {
		name := pushes[a.Name()]
		if name == "" {
			b.Fatalf("no push of %s", a.Name())
		}
		b.Run(a.Name(), func(b *testing.B) {
			body, err := os.ReadFile("../" + name)
			if err != nil {
				b.Fatal(err)
			}
			events, err := a.ParsePush(body)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.ParsePush(body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(events)), "events")
			b.ReportMetric(float64(len(body)), "bytes")
		})
	}
}
