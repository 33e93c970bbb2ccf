package dhl

import (
	"github.com/waybillhq/waybill/internal/carriers"
)

// moment reads DHL's times. Where there is no offset the place of the event gives
// it, if that place has one time.
func moment(s string, zone *carriers.Clock) (carriers.Moment, bool) {
	m, ok := carriers.ISO(s)
	return m.In(zone), ok
}
