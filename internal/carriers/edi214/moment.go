package edi214

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// offsets are the codes of element 623 that say an offset, in minutes.
var offsets = func() map[string]int {
	m := map[string]int{
		"UT": 0, "GM": 0, "AD": -480, "AS": -540, "CD": -300, "CS": -360, "ED": -240, "ES": -300, "HD": -540, "HS": -600,
		"MD": -360, "MS": -420, "ND": -150, "NS": -210, "PD": -420, "PS": -480, "TD": -180, "TS": -240,
	}
	// 01 to 12 are hours ahead of UTC, 13 to 24 are 12 to 1 hours behind it.
	for i := 1; i <= 12; i++ {
		m[fmt.Sprintf("%02d", i)], m[fmt.Sprintf("%02d", 12+i)] = 60*i, -60*(13-i)
	}
	return m
}()

// zones are the codes that say a zone and leave summer time to the reader.
var zones = locations(`
AT America/Anchorage
CT America/Chicago
ET America/New_York
HT Pacific/Honolulu
MT America/Denver
NT America/St_Johns
PT America/Los_Angeles
TT America/Halifax`)

func locations(list string) map[string]*time.Location {
	m := map[string]*time.Location{}
	for _, line := range strings.Split(strings.TrimSpace(list), "\n") {
		code, name, _ := strings.Cut(line, " ")
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // a misspelt zone, and every test notices
		}
		m[code] = zone
	}
	return m
}

// place is where something happened.
type place struct{ city, state, country, longitude, latitude string }

func (p place) String() string {
	if p.city == "" && p.latitude != "" && p.longitude != "" {
		return carriers.Place(p.latitude, p.longitude)
	}
	return carriers.Place(p.city, p.state, p.country)
}

// clock is the time that the place keeps; nil: it does not tell. Without a country
// a state is one of the US, or else a province of Canada.
func (p place) clock() *carriers.Clock {
	if p.country != "" {
		return carriers.Zone(p.country, p.state, "")
	}
	if c := carriers.Zone("US", p.state, ""); c != nil {
		return c
	}
	return carriers.Zone("CA", p.state, "")
}

// degrees reads DDDMMSS and a direction into what people read; empty for anything else.
func degrees(s, direction string, max int) string {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) < 6 || len(s) > 7 || n < 0 || len(direction) != 1 {
		return ""
	}
	d, m, sec := n/10000, n/100%100, n%100
	if d > max || m > 59 || sec > 59 || !strings.Contains("NSEW", direction) {
		return ""
	}
	return fmt.Sprintf("%.4f %s", float64(d)+float64(m)/60+float64(sec)/3600, direction)
}

// moment reads a date (CCYYMMDD), a time (HHMM, HHMMSS or with decimals) and a
// time code. No code and LT both mean the time of the place.
func moment(date, clock, code string, at place) (carriers.Moment, bool) {
	day, err := time.Parse("20060102", date)
	if err != nil || !carriers.Plausible(day) {
		return carriers.Moment{}, false
	}
	if clock == "" {
		noon := day.Add(12 * time.Hour)
		return carriers.Moment{UTC: noon, Local: noon.Format(carriers.Wall), Basis: carriers.DateOnly}, true
	}
	if !digits(clock) || len(clock) > 8 {
		return carriers.Moment{}, false
	}
	layout := "1504"
	if len(clock) > 4 {
		layout, clock = "150405", clock[:min(len(clock), 6)]
	}
	t, err := time.Parse("20060102"+layout, date+clock)
	if err != nil {
		return carriers.Moment{}, false
	}
	if minutes, ok := offsets[code]; ok {
		return carriers.Exact(t.Add(-time.Duration(minutes) * time.Minute).In(time.FixedZone("", minutes*60))), true
	}
	if zone := zones[code]; zone != nil {
		return carriers.At(t, &carriers.Clock{Zone: zone}), true
	}
	return carriers.At(t, at.clock()), true
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
