package dhl

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment reads DHL's times: with an offset, without one, or only a day. Where
// there is none the place of the event gives it, if that place has one time.
func moment(s string, zone *time.Location) (carriers.Moment, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Offset: t.Format("-07:00"), Basis: carriers.ByOffset}, plausible(t)
		}
	}
	for _, layout := range []string{wall, "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return carriers.At(t, zone), plausible(t)
		}
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		noon := day.Add(12 * time.Hour)
		return carriers.Moment{UTC: noon, Local: noon.Format(wall), Basis: carriers.DateOnly}, plausible(day)
	}
	return carriers.Moment{}, false
}

// plausible refuses the zero times and year 9999 of empty fields.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }
