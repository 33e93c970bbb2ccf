package edi214

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine

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

// regions are states and provinces that keep one time.
var regions = locations(`
AL America/Chicago
AR America/Chicago
AZ America/Phoenix
CA America/Los_Angeles
CO America/Denver
CT America/New_York
DC America/New_York
DE America/New_York
GA America/New_York
HI Pacific/Honolulu
IA America/Chicago
IL America/Chicago
LA America/Chicago
MA America/New_York
MD America/New_York
ME America/New_York
MN America/Chicago
MO America/Chicago
MS America/Chicago
MT America/Denver
NC America/New_York
NH America/New_York
NJ America/New_York
NM America/Denver
NV America/Los_Angeles
NY America/New_York
OH America/New_York
OK America/Chicago
PA America/New_York
PR America/Puerto_Rico
RI America/New_York
SC America/New_York
UT America/Denver
VA America/New_York
VT America/New_York
WA America/Los_Angeles
WI America/Chicago
WV America/New_York
WY America/Denver
AB America/Edmonton
MB America/Winnipeg
NB America/Moncton
NS America/Halifax
PE America/Halifax
YT America/Whitehorse`)

// parted are those that keep several: the zone of the most people there.
var parted = locations(`
AK America/Anchorage
FL America/New_York
ID America/Boise
IN America/Indiana/Indianapolis
KS America/Chicago
KY America/New_York
MI America/Detroit
ND America/Chicago
NE America/Chicago
OR America/Los_Angeles
SD America/Chicago
TN America/Chicago
TX America/Chicago
BC America/Vancouver
NL America/St_Johns
ON America/Toronto
QC America/Toronto
SK America/Regina`)

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

// zone that the place keeps; sure says that it keeps no other. A state's letters
// mean nothing in other countries.
func (p place) zone() (zone *time.Location, sure bool) {
	switch strings.ToUpper(p.country) {
	case "", "US", "USA", "CA", "CAN":
	default:
		return nil, false
	}
	state := strings.ToUpper(p.state)
	if zone = regions[state]; zone != nil {
		return zone, true
	}
	return parted[state], false
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
		return in(t, time.FixedZone("", minutes*60), carriers.ByOffset), true
	}
	if zone := zones[code]; zone != nil {
		return in(t, zone, carriers.ByZone), true
	}
	zone, sure := at.zone()
	switch {
	case zone == nil:
		return carriers.Assumed(t), true
	case sure:
		return in(t, zone, carriers.ByZone), true
	default:
		return in(t, zone, carriers.AssumedZone), true
	}
}

func in(t time.Time, zone *time.Location, basis carriers.Basis) carriers.Moment {
	there := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	m := carriers.Exact(there)
	m.Basis = basis
	return m
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
