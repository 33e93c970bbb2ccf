package easypost

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// moment reads when a detail happened. datetime is the carrier's wall clock
// with a false Z wherever EasyPost does not know the place, so a Z proves
// nothing; datetime_local is that wall clock honestly. Only where the two differ
// by what an offset can be is datetime a real UTC; else the place gives the zone.
func (d detail) moment() (carriers.Moment, bool) {
	said, zoned, ok := parse(d.Datetime)
	local, localZoned, hasLocal := parse(d.DatetimeLocal)
	switch {
	case hasLocal && localZoned:
		return carriers.Exact(local), true
	case hasLocal && ok && !zoned:
		if off := local.Sub(said); off != 0 && off%(15*time.Minute) == 0 && off.Abs() <= 14*time.Hour {
			zone := time.FixedZone("", int(off/time.Second))
			return carriers.Exact(said.In(zone)), true
		}
		return carriers.At(local, d.Place.zone()), true
	case hasLocal:
		return carriers.At(local, d.Place.zone()), true
	case ok && zoned:
		return carriers.Exact(said), true
	}
	return carriers.Assumed(said), ok
}

// parse reads a time; zoned says that it carries an offset other than Z.
func parse(s string) (at time.Time, zoned, ok bool) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, !strings.HasSuffix(s, "Z"), carriers.Plausible(t)
	}
	t, err := time.Parse(carriers.Wall, s)
	return t, false, err == nil && carriers.Plausible(t)
}

func (p place) zone() *carriers.Clock { return carriers.Zone(p.Country, p.State, p.Zip) }

// received is the moment of something without a time: when EasyPost heard of it,
// by EasyPost's own clock.
func received(s string) (carriers.Moment, bool) {
	t, _, ok := parse(s)
	return carriers.Moment{UTC: t.UTC(), Basis: carriers.ByReceipt}, ok
}
