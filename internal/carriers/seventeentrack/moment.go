package seventeentrack

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// moment reads a scan's time. 17TRACK gives it three times: as the carrier said
// it, with an offset, and in UTC. Where the carrier named no zone the offset is
// 17TRACK's guess from the place; where it named no time, midnight is made up.
func (s scan) moment() (carriers.Moment, bool) {
	date, clock, zone := strings.TrimSpace(s.Raw.Date), strings.TrimSpace(s.Raw.Time), strings.TrimSpace(s.Raw.Zone)
	if date != "" && clock == "" {
		if m, ok := day(date); ok {
			return m, true
		}
	}
	for _, text := range []string{s.ISO, s.UTC} {
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
		if err != nil || !plausible(t) {
			continue
		}
		m := carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Offset: t.Format("-07:00"), Basis: carriers.ByOffset}
		if date != "" && zone == "" {
			m.Basis = carriers.ByZone
		}
		return m, true
	}
	return rawMoment(date, clock, zone, s.ISO, carriers.Zone(s.Address.Country, s.Address.State, s.Address.Postal))
}

// rawMoment is for scans that 17TRACK could not place.
func rawMoment(date, clock, zone, iso string, place *time.Location) (carriers.Moment, bool) {
	if t, err := time.Parse("2006-01-02T15:04:05-07:00", date+"T"+clock+zone); err == nil {
		return carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Offset: t.Format("-07:00"), Basis: carriers.ByOffset}, plausible(t)
	}
	for _, text := range []string{date + "T" + clock, strings.TrimSpace(iso)} {
		if t, err := time.Parse(wall, text); err == nil {
			return carriers.At(t, place), plausible(t)
		}
	}
	return day(strings.TrimSpace(iso))
}

func day(s string) (carriers.Moment, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || !plausible(t) {
		return carriers.Moment{}, false
	}
	noon := t.Add(12 * time.Hour)
	return carriers.Moment{UTC: noon, Local: noon.Format(wall), Basis: carriers.DateOnly}, true
}

// estimate reads a promised time; midnight, there, is a day and becomes its noon.
func estimate(s string) time.Time {
	m, ok := scan{ISO: s}.moment()
	switch {
	case !ok:
		return time.Time{}
	case strings.HasSuffix(m.Local, "T00:00:00"):
		t, _ := time.Parse(wall, m.Local)
		return t.Add(12 * time.Hour)
	}
	return m.UTC
}

// plausible refuses the zero times and year 9999 of empty fields.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }
