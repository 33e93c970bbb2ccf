package fedex

import (
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment reads ISO 8601. FedEx usually sends the offset; without one the zone of
// the place counts, and without that UTC is assumed, and said to be.
func moment(t text, zone *time.Location) (carriers.Moment, bool) {
	s := t.clean(40)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, s); err == nil {
			return carriers.Moment{UTC: at.UTC(), Local: at.Format(wall), Offset: at.Format("-07:00"), Basis: carriers.ByOffset}, sane(at)
		}
	}
	for _, layout := range []string{wall, "2006-01-02T15:04"} {
		if at, err := time.Parse(layout, s); err == nil {
			return carriers.At(at, zone), sane(at)
		}
	}
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return carriers.Moment{UTC: at.Add(12 * time.Hour), Local: s, Basis: carriers.DateOnly}, sane(at)
	}
	return carriers.Moment{}, false
}

// sane keeps out year one and what no parcel lives to see.
func sane(at time.Time) bool { return at.Year() >= 1990 && at.Year() <= 2200 }

// promised reads an estimate. Midnight there means "that day": noon UTC stands for it.
func promised(t text) time.Time {
	m, ok := moment(t, nil)
	if !ok {
		return time.Time{}
	}
	if len(m.Local) == len(wall) && m.Local[11:] == "00:00:00" {
		day, _ := time.Parse(time.DateOnly, m.Local[:10])
		return day.Add(12 * time.Hour)
	}
	return m.UTC
}
