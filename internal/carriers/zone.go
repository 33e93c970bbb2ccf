package carriers

import (
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
)

// Clock is the time that a place keeps. Guess: the place keeps several, and this
// is the one that most of it keeps.
type Clock struct {
	Zone  *time.Location
	Guess bool
}

// Zone is the clock of a place; nil where the place does not tell. Country is
// an ISO 3166 code of two letters (of three for the usual ones). Region (a state
// or province, its short code) and postal code are needed where a country keeps
// several times; a region with two has its main one, unless a ZIP code says more.
// Places come after the time zone database's zone.tab, ZIP codes after the
// three-digit prefixes that USPS assigns to states.
func Zone(country, region, postal string) *Clock {
	country = strings.ToUpper(strings.TrimSpace(country))
	if two, ok := threeLetters[country]; ok {
		country = two
	}
	region = strings.ToUpper(strings.TrimSpace(region))
	region = strings.TrimPrefix(region, country+"-") // as in ISO 3166-2
	postal = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(postal), " ", ""))
	name, guess := ofCountry[country], false
	if states, ok := ofRegion[country]; ok {
		name, guess = states[region], strings.Contains(parted[country], " "+region+" ")
		if zip := byPostal(country, postal); zip != "" && (country == "US" || name == "") {
			name, guess = zip, false
		}
	}
	if zone := locations()[name]; zone != nil {
		return &Clock{zone, guess}
	}
	return nil
}

func byPostal(country, code string) string {
	if len(code) < 4 {
		return ""
	}
	switch country {
	case "US":
		zip, err := strconv.Atoi(code[:3])
		if err != nil || len(code) < 5 {
			return ""
		}
		for _, r := range zips {
			if r.from <= zip && zip <= r.to {
				return r.zone
			}
		}
	case "CA":
		return ofRegion["CA"][provinceOf[code[0]]]
	case "AU":
		return ofRegion["AU"][stateOf[code[0]]]
	}
	return ""
}

// At is the moment at which clocks there show the wall time of t, whatever zone t
// itself is in. An hour that the clocks show twice is taken as the first of the
// two; one that they skip as if they had not. Without a clock UTC is assumed.
func At(t time.Time, there *Clock) Moment {
	t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	if there == nil {
		return Assumed(t)
	}
	zone, basis := there.Zone, ByZone
	if there.Guess {
		basis = AssumedZone
	}
	// The offsets of the day before and the day after are all that it can be.
	_, before := t.Add(-24 * time.Hour).In(zone).Zone()
	_, after := t.Add(24 * time.Hour).In(zone).Zone()
	at := t.Add(-time.Duration(before) * time.Second)
	if late := t.Add(-time.Duration(after) * time.Second); !showing(at, zone, t) && showing(late, zone, t) {
		at = late
	}
	return Moment{UTC: at, Local: t.Format(Wall), Offset: at.In(zone).Format("-07:00"), Basis: basis}
}

// showing says whether clocks in the zone show wall at that moment.
func showing(at time.Time, zone *time.Location, wall time.Time) bool {
	_, offset := at.In(zone).Zone()
	return at.Add(time.Duration(offset) * time.Second).Equal(wall)
}

// locations are all zones that a place may have.
var locations = sync.OnceValue(func() map[string]*time.Location {
	m := map[string]*time.Location{}
	load := func(name string) {
		if name == "" || m[name] != nil {
			return
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // a misspelt zone, and every test notices
		}
		m[name] = zone
	}
	for _, name := range ofCountry {
		load(name)
	}
	for _, states := range ofRegion {
		for _, name := range states {
			load(name)
		}
	}
	for _, r := range zips {
		load(r.zone)
	}
	return m
})

// pairs reads "KEY value; KEY value" lists.
func pairs(text string) map[string]string {
	m := map[string]string{}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			m[key] = value
		}
	}
	return m
}

// ofCountry are countries that keep one time, or all but some islands do.
var ofCountry = pairs(`
AD Europe/Andorra; AE Asia/Dubai; AF Asia/Kabul; AG America/Antigua; AI America/Anguilla; AL Europe/Tirane; AM Asia/Yerevan
AO Africa/Luanda; AR America/Argentina/Buenos_Aires; AS Pacific/Pago_Pago; AT Europe/Vienna; AW America/Aruba; AX Europe/Mariehamn
AZ Asia/Baku; BA Europe/Sarajevo; BB America/Barbados; BD Asia/Dhaka; BE Europe/Brussels; BF Africa/Ouagadougou; BG Europe/Sofia
BH Asia/Bahrain; BI Africa/Bujumbura; BJ Africa/Porto-Novo; BL America/St_Barthelemy; BM Atlantic/Bermuda; BN Asia/Brunei
BO America/La_Paz; BQ America/Kralendijk; BS America/Nassau; BT Asia/Thimphu; BW Africa/Gaborone; BY Europe/Minsk; BZ America/Belize
CC Indian/Cocos; CF Africa/Bangui; CG Africa/Brazzaville; CH Europe/Zurich; CI Africa/Abidjan; CK Pacific/Rarotonga
CL America/Santiago; CM Africa/Douala; CN Asia/Shanghai; CO America/Bogota; CR America/Costa_Rica; CU America/Havana
CV Atlantic/Cape_Verde; CW America/Curacao; CX Indian/Christmas; CY Asia/Nicosia; CZ Europe/Prague; DE Europe/Berlin
DJ Africa/Djibouti; DK Europe/Copenhagen; DM America/Dominica; DO America/Santo_Domingo; DZ Africa/Algiers; EC America/Guayaquil
EE Europe/Tallinn; EG Africa/Cairo; EH Africa/El_Aaiun; ER Africa/Asmara; ES Europe/Madrid; ET Africa/Addis_Ababa
FI Europe/Helsinki; FJ Pacific/Fiji; FK Atlantic/Stanley; FO Atlantic/Faroe; FR Europe/Paris; GA Africa/Libreville; GB Europe/London
GD America/Grenada; GE Asia/Tbilisi; GF America/Cayenne; GG Europe/Guernsey; GH Africa/Accra; GI Europe/Gibraltar; GM Africa/Banjul
GN Africa/Conakry; GP America/Guadeloupe; GQ Africa/Malabo; GR Europe/Athens; GT America/Guatemala; GU Pacific/Guam
GW Africa/Bissau; GY America/Guyana; HK Asia/Hong_Kong; HN America/Tegucigalpa; HR Europe/Zagreb; HT America/Port-au-Prince
HU Europe/Budapest; IE Europe/Dublin; IL Asia/Jerusalem; IM Europe/Isle_of_Man; IN Asia/Kolkata; IQ Asia/Baghdad; IR Asia/Tehran
IS Atlantic/Reykjavik; IT Europe/Rome; JE Europe/Jersey; JM America/Jamaica; JO Asia/Amman; JP Asia/Tokyo; KE Africa/Nairobi
KG Asia/Bishkek; KH Asia/Phnom_Penh; KM Indian/Comoro; KN America/St_Kitts; KP Asia/Pyongyang; KR Asia/Seoul; KW Asia/Kuwait
KY America/Cayman; LA Asia/Vientiane; LB Asia/Beirut; LC America/St_Lucia; LI Europe/Vaduz; LK Asia/Colombo; LR Africa/Monrovia
LS Africa/Maseru; LT Europe/Vilnius; LU Europe/Luxembourg; LV Europe/Riga; LY Africa/Tripoli; MA Africa/Casablanca; MC Europe/Monaco
MD Europe/Chisinau; ME Europe/Podgorica; MF America/Marigot; MG Indian/Antananarivo; MK Europe/Skopje; ML Africa/Bamako
MM Asia/Yangon; MO Asia/Macau; MP Pacific/Saipan; MQ America/Martinique; MR Africa/Nouakchott; MS America/Montserrat
MT Europe/Malta; MU Indian/Mauritius; MV Indian/Maldives; MW Africa/Blantyre; MY Asia/Kuala_Lumpur; MZ Africa/Maputo
NA Africa/Windhoek; NC Pacific/Noumea; NE Africa/Niamey; NF Pacific/Norfolk; NG Africa/Lagos; NI America/Managua
NL Europe/Amsterdam; NO Europe/Oslo; NP Asia/Kathmandu; NR Pacific/Nauru; NU Pacific/Niue; NZ Pacific/Auckland; OM Asia/Muscat
PA America/Panama; PE America/Lima; PH Asia/Manila; PK Asia/Karachi; PL Europe/Warsaw; PM America/Miquelon; PN Pacific/Pitcairn
PR America/Puerto_Rico; PS Asia/Hebron; PT Europe/Lisbon; PW Pacific/Palau; PY America/Asuncion; QA Asia/Qatar; RE Indian/Reunion
RO Europe/Bucharest; RS Europe/Belgrade; RW Africa/Kigali; SA Asia/Riyadh; SB Pacific/Guadalcanal; SC Indian/Mahe
SD Africa/Khartoum; SE Europe/Stockholm; SG Asia/Singapore; SH Atlantic/St_Helena; SI Europe/Ljubljana; SJ Arctic/Longyearbyen
SK Europe/Bratislava; SL Africa/Freetown; SM Europe/San_Marino; SN Africa/Dakar; SO Africa/Mogadishu; SR America/Paramaribo
SS Africa/Juba; ST Africa/Sao_Tome; SV America/El_Salvador; SX America/Lower_Princes; SY Asia/Damascus; SZ Africa/Mbabane
TC America/Grand_Turk; TD Africa/Ndjamena; TG Africa/Lome; TH Asia/Bangkok; TJ Asia/Dushanbe; TK Pacific/Fakaofo; TL Asia/Dili
TM Asia/Ashgabat; TN Africa/Tunis; TO Pacific/Tongatapu; TR Europe/Istanbul; TT America/Port_of_Spain; TV Pacific/Funafuti
TW Asia/Taipei; TZ Africa/Dar_es_Salaam; UA Europe/Kyiv; UG Africa/Kampala; UY America/Montevideo; UZ Asia/Tashkent
VA Europe/Vatican; VC America/St_Vincent; VE America/Caracas; VG America/Tortola; VI America/St_Thomas; VN Asia/Ho_Chi_Minh
VU Pacific/Efate; WF Pacific/Wallis; WS Pacific/Apia; YE Asia/Aden; YT Indian/Mayotte; ZA Africa/Johannesburg; ZM Africa/Lusaka
ZW Africa/Harare`)

var threeLetters = pairs(`
ARE AE; ARG AR; AUS AU; AUT AT; BEL BE; BGD BD; BGR BG; BRA BR; CAN CA; CHE CH; CHL CL; CHN CN; COL CO; CYP CY; CZE CZ; DEU DE
DNK DK; EGY EG; ESP ES; EST EE; FIN FI; FRA FR; GBR GB; GRC GR; HKG HK; HRV HR; HUN HU; IND IN; IRL IE; ISL IS; ISR IL; ITA IT
JPN JP; KOR KR; LTU LT; LUX LU; LVA LV; MLT MT; MYS MY; NLD NL; NOR NO; NZL NZ; PAK PK; PER PE; PHL PH; POL PL; PRT PT; ROU RO
SAU SA; SGP SG; SRB RS; SVK SK; SVN SI; SWE SE; THA TH; TUR TR; TWN TW; UKR UA; USA US; VNM VN; ZAF ZA`)

// ofRegion are the main zones of regions, where the country has several.
var ofRegion = map[string]map[string]string{
	"US": pairs(`
CT America/New_York; DC America/New_York; DE America/New_York; FL America/New_York; GA America/New_York; KY America/New_York
MA America/New_York; MD America/New_York; ME America/New_York; NC America/New_York; NH America/New_York; NJ America/New_York
NY America/New_York; OH America/New_York; PA America/New_York; RI America/New_York; SC America/New_York; VA America/New_York
VT America/New_York; WV America/New_York; IN America/Indiana/Indianapolis; MI America/Detroit
AL America/Chicago; AR America/Chicago; IA America/Chicago; IL America/Chicago; KS America/Chicago; LA America/Chicago; MN America/Chicago
MO America/Chicago; MS America/Chicago; ND America/Chicago; NE America/Chicago; OK America/Chicago; SD America/Chicago; TN America/Chicago
TX America/Chicago; WI America/Chicago
CO America/Denver; ID America/Boise; MT America/Denver; NM America/Denver; UT America/Denver; WY America/Denver; AZ America/Phoenix
CA America/Los_Angeles; NV America/Los_Angeles; OR America/Los_Angeles; WA America/Los_Angeles
AK America/Anchorage; HI Pacific/Honolulu; PR America/Puerto_Rico; VI America/St_Thomas; GU Pacific/Guam; MP Pacific/Saipan; AS Pacific/Pago_Pago`),
	"CA": pairs(`
NL America/St_Johns; NS America/Halifax; PE America/Halifax; NB America/Moncton; QC America/Toronto; ON America/Toronto
MB America/Winnipeg; SK America/Regina; AB America/Edmonton; BC America/Vancouver; YT America/Whitehorse; NT America/Edmonton; NU America/Iqaluit`),
	"AU": pairs(`
NSW Australia/Sydney; ACT Australia/Sydney; VIC Australia/Melbourne; QLD Australia/Brisbane; SA Australia/Adelaide
WA Australia/Perth; TAS Australia/Hobart; NT Australia/Darwin`),
	"BR": pairs(`
SP America/Sao_Paulo; RJ America/Sao_Paulo; MG America/Sao_Paulo; ES America/Sao_Paulo; PR America/Sao_Paulo; SC America/Sao_Paulo
RS America/Sao_Paulo; DF America/Sao_Paulo; GO America/Sao_Paulo; BA America/Bahia; SE America/Maceio; AL America/Maceio; PE America/Recife
PB America/Fortaleza; RN America/Fortaleza; CE America/Fortaleza; PI America/Fortaleza; MA America/Fortaleza; TO America/Araguaina
PA America/Belem; AP America/Belem; MT America/Cuiaba; MS America/Campo_Grande; AM America/Manaus; RR America/Boa_Vista
RO America/Porto_Velho; AC America/Rio_Branco`),
}

// parted are regions that keep several times themselves.
var parted = map[string]string{
	"US": " AK FL ID IN KS KY MI ND NE NV OR SD TN TX ", "CA": " BC NL NU ON QC SK ", "AU": " NSW ", "BR": " AM ",
}

// provinceOf and stateOf are the first characters of postal codes, where they
// name one province of Canada or state of Australia. Those of the capital's
// territory lie among those of New South Wales, which keeps the same time.
var (
	provinceOf = map[byte]string{'A': "NL", 'B': "NS", 'C': "PE", 'E': "NB", 'G': "QC", 'H': "QC", 'J': "QC", 'K': "ON", 'L': "ON", 'M': "ON", 'N': "ON",
		'P': "ON", 'R': "MB", 'S': "SK", 'T': "AB", 'V': "BC", 'Y': "YT"}
	stateOf = map[byte]string{'0': "NT", '2': "NSW", '3': "VIC", '4': "QLD", '5': "SA", '6': "WA", '7': "TAS"}
)

// zips are ranges of three-digit ZIP prefixes. Military ones are left out: such a
// post office can be anywhere.
var zips = []struct {
	from, to int
	zone     string
}{
	{5, 5, "America/New_York"}, {6, 9, "America/Puerto_Rico"}, {10, 89, "America/New_York"}, {100, 323, "America/New_York"},
	{324, 325, "America/Chicago"}, {326, 339, "America/New_York"}, {341, 349, "America/New_York"}, {350, 372, "America/Chicago"},
	{373, 374, "America/New_York"}, {375, 375, "America/Chicago"}, {376, 379, "America/New_York"}, {380, 397, "America/Chicago"},
	{398, 419, "America/New_York"}, {420, 424, "America/Chicago"}, {425, 459, "America/New_York"}, {460, 462, "America/Indiana/Indianapolis"},
	{463, 464, "America/Chicago"}, {465, 475, "America/Indiana/Indianapolis"}, {476, 477, "America/Chicago"}, {478, 479, "America/Indiana/Indianapolis"},
	{480, 499, "America/Detroit"}, {500, 576, "America/Chicago"}, {577, 577, "America/Denver"}, {580, 585, "America/Chicago"},
	{586, 586, "America/Denver"}, {587, 588, "America/Chicago"}, {590, 599, "America/Denver"}, {600, 692, "America/Chicago"},
	{693, 693, "America/Denver"}, {700, 797, "America/Chicago"}, {798, 799, "America/Denver"}, {800, 831, "America/Denver"},
	{832, 834, "America/Boise"}, {835, 835, "America/Los_Angeles"}, {836, 837, "America/Boise"}, {838, 838, "America/Los_Angeles"},
	{840, 847, "America/Denver"}, {850, 865, "America/Phoenix"}, {870, 884, "America/Denver"}, {885, 885, "America/Denver"},
	{889, 898, "America/Los_Angeles"}, {900, 961, "America/Los_Angeles"}, {967, 968, "Pacific/Honolulu"}, {969, 969, "Pacific/Guam"},
	{970, 978, "America/Los_Angeles"}, {979, 979, "America/Boise"}, {980, 994, "America/Los_Angeles"}, {995, 999, "America/Anchorage"},
}
