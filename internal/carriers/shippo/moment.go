package shippo

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment reads status_date. It is labelled UTC, but whether the carrier's wall
// clock was converted is doubtful: a Z is assumed, only a real offset believed.
func moment(s string) (carriers.Moment, bool) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		m := carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Basis: carriers.AssumedUTC}
		if !strings.HasSuffix(s, "Z") {
			m.Offset, m.Basis = t.Format("-07:00"), carriers.ByOffset
		}
		return m, plausible(t)
	}
	if t, err := time.Parse(wall, s); err == nil {
		return carriers.Moment{UTC: t, Local: t.Format(wall), Basis: carriers.AssumedUTC}, plausible(t)
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		noon := day.Add(12 * time.Hour)
		return carriers.Moment{UTC: noon, Local: noon.Format(wall), Basis: carriers.DateOnly}, plausible(day)
	}
	return carriers.Moment{}, false
}

// plausible refuses the zero times and year 9999 of empty fields.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }
