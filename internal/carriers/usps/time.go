package usps

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// moment joins the local wall time, which has no zone even where a Z stands behind
// it, with GMTTimestamp and GMTOffset, or else with the zone of the place.
func moment(local, gmt, offset text, zone *carriers.Clock) (carriers.Moment, bool) {
	at, dayOnly, ok := clock(local)
	utc, gok := gmtClock(gmt)
	off, known := carriers.ParseOffset(string(offset))
	switch {
	case !ok && !gok:
		return carriers.Moment{}, false
	case !ok:
		m := carriers.Moment{UTC: utc, Basis: carriers.ByOffset}
		if known {
			m.Local, m.Offset = utc.Add(off).Format(carriers.Wall), carriers.SpellOffset(off)
		}
		return m, true
	case dayOnly && !gok:
		return carriers.Moment{UTC: at.Add(12 * time.Hour), Local: at.Format(time.DateOnly), Basis: carriers.DateOnly}, true
	}
	m := carriers.At(at, zone)
	switch {
	case gok:
		m.UTC, m.Offset, m.Basis = utc, "", carriers.ByOffset
		if !known && !dayOnly {
			// The local time lost its seconds, so the difference is about an offset.
			off = at.Sub(utc).Round(15 * time.Minute)
			known = carriers.PlausibleOffset(off)
		}
	case known:
		m.UTC, m.Basis = at.Add(-off), carriers.ByOffset
	}
	if known {
		m.Offset = carriers.SpellOffset(off)
	}
	if dayOnly {
		m.Local = at.Format(time.DateOnly)
	}
	return m, true
}

// gmtClock reads the GMT time, with or without a Z; a true offset is honoured.
func gmtClock(t text) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, t.Clean(40)); err == nil {
		return at.UTC().Truncate(time.Second), carriers.Plausible(at)
	}
	at, dayOnly, ok := clock(t)
	return at, ok && !dayOnly
}

// clock reads a wall time as if in UTC: a Z behind it is not meant.
func clock(t text) (at time.Time, dayOnly, ok bool) {
	s := strings.TrimSuffix(strings.Replace(t.Clean(40), " ", "T", 1), "Z")
	for _, layout := range []string{carriers.Wall, "2006-01-02T15:04"} { // fractions are read along
		if at, err := time.Parse(layout, s); err == nil {
			return at.Truncate(time.Second), false, carriers.Plausible(at)
		}
	}
	at, err := time.Parse(time.DateOnly, s)
	return at, true, err == nil && carriers.Plausible(at)
}

// promised reads a promise, which has no zone: the wall time as if UTC, and noon for
// a day alone or for midnight, which means the day.
func promised(t text) time.Time {
	at, dayOnly, ok := clock(t)
	if !ok {
		return time.Time{}
	}
	if dayOnly || at.Equal(at.Truncate(24*time.Hour)) {
		return at.Truncate(24 * time.Hour).Add(12 * time.Hour)
	}
	return at
}
