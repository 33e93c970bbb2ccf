package easypost

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment reads when a detail happened. datetime is the carrier's wall clock
// with a false Z wherever EasyPost does not know the place, so a Z proves
// nothing; datetime_local is that wall clock honestly. Only where the two differ
// by what an offset can be is datetime a real UTC; else the place gives the zone.
func (d detail) moment() (carriers.Moment, bool) {
	said, zoned, ok := parse(d.Datetime)
	local, localZoned, hasLocal := parse(d.DatetimeLocal)
	switch {
	case hasLocal && localZoned:
		return exact(local), true
	case hasLocal && ok && !zoned:
		if off := local.Sub(said); off != 0 && off%(15*time.Minute) == 0 && off.Abs() <= 14*time.Hour {
			zone := time.FixedZone("", int(off/time.Second))
			return exact(said.In(zone)), true
		}
		return carriers.At(local, d.Place.zone()), true
	case hasLocal:
		return carriers.At(local, d.Place.zone()), true
	case ok && zoned:
		return exact(said), true
	}
	return assumed(said), ok
}

// parse reads a time; zoned says that it carries an offset other than Z.
func parse(s string) (at time.Time, zoned, ok bool) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, !strings.HasSuffix(s, "Z"), plausible(t)
	}
	t, err := time.Parse(wall, s)
	return t, false, err == nil && plausible(t)
}

// plausible refuses the zero times and year 9999 of empty fields.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }

func exact(t time.Time) carriers.Moment {
	return carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Offset: t.Format("-07:00"), Basis: carriers.ByOffset}
}

func assumed(t time.Time) carriers.Moment {
	return carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Basis: carriers.AssumedUTC}
}

func (p place) zone() *time.Location { return carriers.Zone(p.Country, p.State, p.Zip) }

// received is the moment of something without a time: when EasyPost heard of it,
// by EasyPost's own clock.
func received(s string) (carriers.Moment, bool) {
	t, _, ok := parse(s)
	return carriers.Moment{UTC: t.UTC(), Basis: carriers.ByReceipt}, ok
}
