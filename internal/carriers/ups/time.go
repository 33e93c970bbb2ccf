package ups

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// clock is a moment as UPS spells it: YYYYMMDD and HHMMSS, local and in GMT.
type clock struct{ date, time, gmtDate, gmtTime, offset text }

// moment reads a clock; false when it shows no usable day. The zone is that of the
// place, for activities without GMT and offset, as UPS sent them for months.
func (c clock) moment(zone *carriers.Clock) (carriers.Moment, bool) {
	local, dayOnly, ok := stamp(c.date, c.time)
	gmt, noTime, gok := stamp(c.gmtDate, c.gmtTime)
	gok = gok && !noTime
	off, known := carriers.ParseOffset(string(c.offset))
	switch {
	case !ok && !gok:
		return carriers.Moment{}, false
	case !ok:
		return carriers.Moment{UTC: gmt, Basis: carriers.ByOffset}, true
	case dayOnly && !gok:
		return carriers.Moment{UTC: local.Add(12 * time.Hour), Local: local.Format("2006-01-02"), Basis: carriers.DateOnly}, true
	}
	m := carriers.At(local, zone)
	switch {
	case gok:
		// GMT is UPS's own; the offset may be missing, but is the difference.
		m.UTC, m.Basis = gmt, carriers.ByOffset
		if !known && !dayOnly {
			off, known = local.Sub(gmt), carriers.PlausibleOffset(local.Sub(gmt))
		}
	case known:
		m.UTC, m.Basis = local.Add(-off), carriers.ByOffset
	}
	switch {
	case known:
		m.Offset = carriers.SpellOffset(off)
	case gok:
		m.Offset = ""
	}
	if dayOnly {
		m.Local = local.Format("2006-01-02")
	}
	return m, true
}

// stamp reads a day and a time as if in UTC. The time may have lost its leading
// zeros ("74700" in UPS's own example) or be missing.
func stamp(day, hour text) (at time.Time, dayOnly, ok bool) {
	at, err := time.Parse("20060102", day.Clean(20))
	if err != nil || at.Year() < 1990 || at.Year() > 2200 {
		return time.Time{}, false, false
	}
	h := hour.Clean(20)
	if n := len(h); n > 0 && n < 6 && n != 4 {
		h = strings.Repeat("0", 6-n) + h
	}
	for _, layout := range []string{"150405", "1504"} {
		if t, err := time.Parse(layout, h); err == nil {
			return at.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second), false, true
		}
	}
	return at, true, true
}

// promised is what UPS promises. It carries no zone, so the hour counts only where
// the receiver's is known; else it is the day, for which noon UTC stands.
func promised(day, hour text, zone *carriers.Clock) time.Time {
	at, dayOnly, ok := stamp(day, hour)
	switch {
	case !ok:
		return time.Time{}
	case dayOnly || zone == nil:
		return at.Truncate(24 * time.Hour).Add(12 * time.Hour)
	}
	return carriers.At(at, zone).UTC
}

func zone(country, state, postal text) *carriers.Clock {
	return carriers.Zone(country.Clean(10), state.Clean(10), postal.Clean(20))
}
