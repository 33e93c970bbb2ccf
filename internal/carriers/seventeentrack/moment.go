package seventeentrack

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

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
		if err != nil || !carriers.Plausible(t) {
			continue
		}
		m := carriers.Exact(t)
		if date != "" && zone == "" {
			m.Basis = carriers.ByZone
		}
		return m, true
	}
	m, ok := rawMoment(date, clock, zone, s.ISO)
	return m.In(carriers.Zone(s.Address.Country, s.Address.State, s.Address.Postal)), ok
}

// rawMoment is for scans that 17TRACK could not place.
func rawMoment(date, clock, zone, iso string) (carriers.Moment, bool) {
	if t, err := time.Parse("2006-01-02T15:04:05-07:00", date+"T"+clock+zone); err == nil {
		return carriers.Exact(t), carriers.Plausible(t)
	}
	for _, text := range []string{date + "T" + clock, strings.TrimSpace(iso)} {
		if t, err := time.Parse(carriers.Wall, text); err == nil {
			return carriers.Assumed(t), carriers.Plausible(t)
		}
	}
	return day(strings.TrimSpace(iso))
}

func day(s string) (carriers.Moment, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || !carriers.Plausible(t) {
		return carriers.Moment{}, false
	}
	noon := t.Add(12 * time.Hour)
	return carriers.Moment{UTC: noon, Local: noon.Format(carriers.Wall), Basis: carriers.DateOnly}, true
}
