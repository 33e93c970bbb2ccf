package dhl

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine

	"github.com/waybillhq/waybill/internal/carriers"
)

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

// moment reads DHL's times. Where there is no offset the country of the event
// gives it, if that country has one time.
func moment(s, country string) (carriers.Moment, bool) {
	m, ok := carriers.ISO(s)
	if zone := zones[strings.ToUpper(country)]; zone != nil && m.Basis == carriers.AssumedUTC {
		t := m.UTC
		m = carriers.Exact(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone))
		m.Local, m.Basis = t.Format(carriers.Wall), carriers.ByZone // the clock as sent, also in the hour that summer time skips
	}
	return m, ok
}
