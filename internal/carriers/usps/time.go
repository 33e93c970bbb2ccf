package usps

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment joins the local wall time, which has no zone even where a Z stands behind
// it, with GMTTimestamp and GMTOffset, or else with the zone of the place.
func moment(local, gmt, offset text, zone *time.Location) (carriers.Moment, bool) {
	at, dayOnly, ok := clock(local)
	utc, gok := gmtClock(gmt)
	off, known := parseOffset(offset)
	switch {
	case !ok && !gok:
		return carriers.Moment{}, false
	case !ok:
		m := carriers.Moment{UTC: utc, Basis: carriers.ByOffset}
		if known {
			m.Local, m.Offset = utc.Add(off).Format(wall), spell(off)
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
			known = plausible(off)
		}
	case known:
		m.UTC, m.Basis = at.Add(-off), carriers.ByOffset
	}
	if known {
		m.Offset = spell(off)
	}
	if dayOnly {
		m.Local = at.Format(time.DateOnly)
	}
	return m, true
}

// gmtClock reads the GMT time, with or without a Z; a true offset is honoured.
func gmtClock(t text) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, t.clean(40)); err == nil {
		return at.UTC().Truncate(time.Second), sane(at)
	}
	at, dayOnly, ok := clock(t)
	return at, ok && !dayOnly
}

// clock reads a wall time as if in UTC: a Z behind it is not meant.
func clock(t text) (at time.Time, dayOnly, ok bool) {
	s := strings.TrimSuffix(strings.Replace(t.clean(40), " ", "T", 1), "Z")
	for _, layout := range []string{wall, "2006-01-02T15:04"} { // fractions are read along
		if at, err := time.Parse(layout, s); err == nil {
			return at.Truncate(time.Second), false, sane(at)
		}
	}
	at, err := time.Parse(time.DateOnly, s)
	return at, true, err == nil && sane(at)
}

// parseOffset reads -05:00 and, as in the specification, -7:00.
func parseOffset(t text) (time.Duration, bool) {
	s := t.clean(10)
	if s == "Z" {
		return 0, true
	}
	if len(s) == 5 && s[2] == ':' {
		s = s[:1] + "0" + s[1:]
	}
	at, err := time.Parse("-07:00", s)
	if err != nil {
		return 0, false
	}
	_, sec := at.Zone()
	d := time.Duration(sec) * time.Second
	return d, plausible(d)
}

// plausible offsets exist somewhere on Earth.
func plausible(d time.Duration) bool {
	return d >= -12*time.Hour && d <= 14*time.Hour && d%(15*time.Minute) == 0
}

// sane keeps out year one and what no parcel lives to see.
func sane(at time.Time) bool { return at.Year() >= 1990 && at.Year() <= 2200 }

func spell(d time.Duration) string {
	sign := '+'
	if d < 0 {
		sign, d = '-', -d
	}
	return fmt.Sprintf("%c%02d:%02d", sign, int(d.Hours()), int(d.Minutes())%60)
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
