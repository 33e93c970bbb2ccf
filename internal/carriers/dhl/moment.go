package dhl

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine

	"github.com/waybillhq/waybill/internal/carriers"
)

const wall = "2006-01-02T15:04:05"

// zones are countries that keep one time, or all but a few islands do. Where a
// country keeps several (US, CA, AU, BR, MX, RU, ID...), it proves nothing.
var zones = func() map[string]*time.Location {
	m := map[string]*time.Location{}
	for _, line := range strings.Split(strings.TrimSpace(`
AT Europe/Vienna
BE Europe/Brussels
BG Europe/Sofia
CH Europe/Zurich
CZ Europe/Prague
DE Europe/Berlin
DK Europe/Copenhagen
EE Europe/Tallinn
FI Europe/Helsinki
FR Europe/Paris
GB Europe/London
GR Europe/Athens
HR Europe/Zagreb
HU Europe/Budapest
IE Europe/Dublin
IT Europe/Rome
LT Europe/Vilnius
LU Europe/Luxembourg
LV Europe/Riga
NL Europe/Amsterdam
NO Europe/Oslo
PL Europe/Warsaw
RO Europe/Bucharest
SE Europe/Stockholm
SI Europe/Ljubljana
SK Europe/Bratislava
TR Europe/Istanbul
AE Asia/Dubai
CN Asia/Shanghai
HK Asia/Hong_Kong
IL Asia/Jerusalem
IN Asia/Kolkata
JP Asia/Tokyo
KR Asia/Seoul
SG Asia/Singapore
TH Asia/Bangkok
TW Asia/Taipei
VN Asia/Ho_Chi_Minh
NZ Pacific/Auckland
ZA Africa/Johannesburg`), "\n") {
		code, name, _ := strings.Cut(line, " ")
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // a misspelt zone, and every test notices
		}
		m[code] = zone
	}
	return m
}()

// moment reads DHL's times: with an offset, without one, or only a day. Where
// there is none the country of the event gives it, if that country has one time.
func moment(s, country string) (carriers.Moment, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return carriers.Moment{UTC: t.UTC(), Local: t.Format(wall), Offset: t.Format("-07:00"), Basis: carriers.ByOffset}, plausible(t)
		}
	}
	for _, layout := range []string{wall, "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return inZone(t, zones[strings.ToUpper(country)]), plausible(t)
		}
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		noon := day.Add(12 * time.Hour)
		return carriers.Moment{UTC: noon, Local: noon.Format(wall), Basis: carriers.DateOnly}, plausible(day)
	}
	return carriers.Moment{}, false
}

func inZone(t time.Time, zone *time.Location) carriers.Moment {
	if zone == nil {
		return carriers.Moment{UTC: t, Local: t.Format(wall), Basis: carriers.AssumedUTC}
	}
	there := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	return carriers.Moment{UTC: there.UTC(), Local: t.Format(wall), Offset: there.Format("-07:00"), Basis: carriers.ByZone}
}

// plausible refuses the zero times and year 9999 of empty fields.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }
