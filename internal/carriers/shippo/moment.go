package shippo

import (
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// moment reads status_date. It is labelled UTC, but whether the carrier's wall
// clock was converted is doubtful: a Z is assumed, only a real offset believed.
func moment(s string) (carriers.Moment, bool) {
	m, ok := carriers.ISO(s)
	if strings.HasSuffix(strings.TrimSpace(s), "Z") {
		m.Offset, m.Basis = "", carriers.AssumedUTC
	}
	return m, ok
}
