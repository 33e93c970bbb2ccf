package fedex

import (
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// moment reads ISO 8601. FedEx usually sends the offset; without one the zone of
// the place counts, and without that UTC is assumed, and said to be.
func moment(t text, zone *carriers.Clock) (carriers.Moment, bool) {
	m, ok := carriers.ISO(t.Clean(40))
	if m.Basis == carriers.DateOnly {
		m.Local = m.Local[:len(time.DateOnly)] // as sent
	}
	return m.In(zone), ok
}

// promised reads an estimate.
func promised(t text) time.Time { return carriers.Promise(t.Clean(40)) }
