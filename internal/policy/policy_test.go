package policy

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

var (
	now   = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	known = []string{"dhl", "fedex", "ups", "usps"}
)

func parse(t *testing.T, text string) []order.PolicyBook {
	t.Helper()
	books, err := Parse([]byte(text), known, now)
	if err != nil {
		t.Fatal(err)
	}
	return books
}

func TestTheFileThatComesWithWaybill(t *testing.T) {
	books := parse(t, string(Default))
	var names []string
	for _, b := range books {
		names = append(names, b.Name)
		if err := b.Validate(); err != nil {
			t.Error(err)
		}
		for _, c := range order.Classes {
			p := b.For(c)
			body, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			// Every order carries it, in its state and in its history.
			if len(body) > 6<<10 {
				t.Errorf("%s for %s: %d bytes", b.Name, c, len(body))
			}
		}
	}
	if !slices.Equal(names, []string{"parcels", "freight", "local"}) {
		t.Errorf("policies: %v", names)
	}
	p := books[0].For(order.Routine)
	if time.Duration(p.Pick) != 12*time.Hour || !slices.Contains(p.Clocks, order.Clock{Line: "pick", Calendar: "warehouse"}) || p.AttemptLimit != 3 {
		t.Errorf("%+v", p)
	}
	quick := books[0].For(order.TimeSensitive)
	if time.Duration(quick.Pick) != 4*time.Hour || len(quick.Rhythms) != 0 || quick.RefundLimit != p.RefundLimit || len(quick.Regions) != 0 {
		t.Errorf("%+v", quick)
	}
	if dear := books[0].For(order.HighValue); dear.RefundLimit != 10000 || dear.Pick != p.Pick || len(dear.Rhythms) != len(p.Rhythms) {
		t.Errorf("%+v", dear)
	}
}

const calendars = `calendars:
  warehouse:
    zone: Europe/Berlin
    hours: {mon-fri: 08:00-17:00, sat-sun: 09:00-13:00}
    cut_off: 14:00
    holidays: [12-25, 2026-04-03, 02-29]
`

func TestCalendarsCarryTheirClockChanges(t *testing.T) {
	p := parse(t, calendars+"policies: {shop: {pick: 8h of warehouse}}")[0].Policy
	c := p.Calendars[0]
	if len(c.Offsets) != 9 || c.Offsets[0].Seconds != 3600 || !c.Offsets[1].From.Equal(time.Date(2025, 3, 30, 1, 0, 0, 0, time.UTC)) || c.Offsets[1].Seconds != 7200 {
		t.Errorf("offsets: %+v", c.Offsets)
	}
	if want := []order.Date{20251225, 20260403, 20261225, 20271225, 20280229, 20281225}; !slices.Equal(c.Holidays, want) {
		t.Errorf("holidays: %v", c.Holidays)
	}
	if c.Week[time.Sunday] != (order.Hours{Open: 540, Close: 780}) || c.Week[time.Monday] != (order.Hours{Open: 480, Close: 1020}) || c.CutOff != 840 {
		t.Errorf("%+v", c)
	}
	// What time.LoadLocation says of every day is what the offsets say.
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for d := time.Date(2025, 1, 1, 0, 30, 0, 0, time.UTC); d.Year() < 2029; d = d.Add(12 * time.Hour) {
		_, want := d.In(zone).Zone()
		got := 0
		for _, o := range c.Offsets {
			if !o.From.After(d) {
				got = o.Seconds
			}
		}
		if got != want {
			t.Fatalf("%s: %d, want %d", d, got, want)
		}
	}
}

// The same file within a year is the same policy, whenever it is read.
func TestTheSameFileIsTheSamePolicy(t *testing.T) {
	a, err := Parse(Default, known, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse(Default, known, now.AddDate(0, 0, 30))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Error("it differs by the day on which it is read")
	}
}

func TestFaultsNameTheirLine(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":              {"", "line 1: file: nothing in it"},
		"no mapping":           {"- a", "line 1: file: must be a mapping"},
		"syntax":               {"policies:\n  a: [", "line 2: file: "},
		"two documents":        {"policies: {a: {}}\n---\nx", "more than one document"},
		"no policy":            {"carriers: []", "line 1: policies: is needed"},
		"unknown key":          {"policies:\n  a: {}\npolicy: {}", "line 3: policy: is not known here; there are carriers, regions"},
		"unknown line":         {"policies:\n  a:\n    pick: 8h\n    pikc: 8h", "line 4: policies.a.pikc: is not known here"},
		"twice":                {"policies:\n  a:\n    pick: 8h\n    pick: 9h", "line 4: policies.a.pick: stands on line 3 already"},
		"anchors":              {"policies:\n  a: &x {pick: 8h}\n  b:\n    <<: *x", "line 4: policies.b: a name is needed here; anchors"},
		"alias":                {"policies:\n  a: {pick: &x 8h}\n  b: {pick: *x}", "line 3: policies.b.pick: must be one value"},
		"no time":              {"policies:\n  a:\n    pick: soon", `line 3: policies.a.pick: "soon" is no time like 8h`},
		"negative":             {"policies:\n  a:\n    pick: -8h", `line 3: policies.a.pick: "-8h" is no time`},
		"zero":                 {"policies:\n  a:\n    pick: 0", "line 3: policies.a.pick: must be between 0 and 5 years"},
		"too long":             {"policies:\n  a:\n\n    pick: 9999d", "line 4: policies.a.pick: must be between 0 and 5 years"},
		"no calendar":          {"policies:\n  a:\n    pick: 8h of moon", `line 3: policies.a.pick: there is no calendar "moon"`},
		"not on a calendar":    {calendars + "policies:\n  a:\n    trace: 8h of warehouse", "line 9: policies.a.trace: runs around the clock"},
		"days on hours":        {calendars + "policies:\n  a:\n    pick: 2d of warehouse", "line 9: policies.a.pick: runs on warehouse, which is not open for whole days"},
		"days by inheritance":  {calendars + "policies:\n  a:\n    movement: 9h of warehouse\n    rhythms:\n    - gap: 2d", "line 11: policies.a.rhythms[0].gap: runs on warehouse"},
		"due in days":          {calendars + "policies:\n  a:\n    case_due: 8h of warehouse\n    cases:\n      late: {due: 1d}", "line 11: policies.a.cases.late.due: runs on warehouse"},
		"unknown carrier":      {"policies:\n  a:\n    rhythms:\n    - gap: 8h\n      carrier: usp", `line 5: policies.a.rhythms[0].carrier: "usp" is no carrier`},
		"rhythm without gap":   {"policies:\n  a:\n    rhythms:\n    - {carrier: ups}", "line 4: policies.a.rhythms[0].gap: must be positive"},
		"nothing learned so":   {"policies:\n  a:\n    rhythms_learned: sometimes", `line 3: policies.a.rhythms_learned: "sometimes" must be automatic, off`},
		"no lane":              {"policies:\n  a:\n    rhythms:\n    - gap: 8h\n      lane: EU-US", `line 5: policies.a.rhythms[0].lane: "EU" is neither a country nor a region`},
		"half a lane":          {"policies:\n  a:\n    rhythms:\n    - gap: 8h\n      lane: DE", `line 5: policies.a.rhythms[0].lane: "DE" is no lane`},
		"rhythm said twice":    {"policies:\n  a:\n    rhythms:\n    - {gap: 8h}\n    - {gap: 9h}", "line 5: policies.a.rhythms[1]: says of the same parcels what line 4 says"},
		"bad region":           {"regions:\n  EU: [Germany]\npolicies: {a: {}}", `line 2: regions.EU: "Germany" is no country`},
		"empty region":         {"regions:\n  EU: []\npolicies: {a: {}}", "line 2: regions.EU: must be countries"},
		"no kind":              {"policies:\n  a:\n    cases:\n      stolen: {due: 8h}", `line 4: policies.a.cases.stolen.kind: "stolen" is no kind of case`},
		"no team":              {"policies:\n  a:\n    cases:\n      late:\n        owner: us", `line 5: policies.a.cases.late.owner: "us" is no team`},
		"no ladder":            {"policies:\n  a:\n    cases:\n      late:\n        ladder: [ops, us]", `line 5: policies.a.cases.late.ladder: "us" is no team`},
		"no severity":          {"policies:\n  a:\n    cases:\n      late:\n        severity: bad", `line 5: policies.a.cases.late.severity: "bad" is none`},
		"no due":               {"policies:\n  a:\n    cases:\n      late:\n        due: 0", `line 5: policies.a.cases.late.due: must be above 0`},
		"late to tell":         {"policies:\n  a:\n    trace: 1d\n    cases:\n      stalled:\n        notice: 2d", "line 6: policies.a.cases.stalled.notice: is longer than trace"},
		"asked for too long":   {"policies:\n  a:\n    check_answer: 9h\n    rhythms:\n    - gap: 8h", "line 3: policies.a.check_answer: is longer than rhythms[0].gap"},
		"attempts":             {"policies:\n  a:\n    attempt_limit: 0", "line 3: policies.a.attempt_limit: must be at least 1"},
		"neither yes nor no":   {"policies:\n  a:\n    return_at_limit: perhaps", "line 3: policies.a.return_at_limit: \"perhaps\" is neither true nor false"},
		"too many attempts":    {"policies:\n  a:\n    attempt_limit: 21", "line 3: policies.a.attempt_limit: must be between 0 and 20"},
		"money":                {"policies:\n  a:\n    refund_limit: 5.00", `line 3: policies.a.refund_limit: "5.00" is no whole number`},
		"negative money":       {"policies:\n  a:\n    refund_limit: -1", "line 3: policies.a.refund_limit: must not be negative"},
		"labels by nobody":     {"policies:\n  a:\n    return_labels: automatic", "line 2: policies.a.return_carrier: is needed: it makes the labels"},
		"labels now and then":  {"policies:\n  a:\n    return_labels: sometimes", `line 3: policies.a.return_labels: "sometimes" must be automatic, ask`},
		"labels by a stranger": {"policies:\n  a:\n    return_carrier: owl", `line 3: policies.a.return_carrier: "owl" is no carrier that is known`},
		"no excluded class":    {"policies:\n  a:\n    return_excluded:\n    - vip", `line 4: policies.a.return_excluded[0]: "vip" is not an order class`},
		"return money":         {"policies:\n  a:\n    return_auto_limit: -5", "line 3: policies.a.return_auto_limit: must not be negative"},
		"no class":             {"policies:\n  a:\n    classes:\n      vip: {}", "line 4: policies.a.classes.vip: is no order class"},
		"class in a class":     {"policies:\n  a:\n    classes:\n      bulky:\n        classes: {bulky: {}}", "line 5: policies.a.classes.bulky.classes: a class has none"},
		"fault of a class":     {"policies:\n  a:\n    classes:\n      bulky:\n        pick: 0", "line 5: policies.a.classes.bulky.pick: must be between"},
		"bad name":             {"policies:\n  A b: {}", `line 2: policies: "A b" must be`},
		"calendar of no hours": {"calendars:\n  w:\n    zone: UTC\npolicies: {a: {}}", "line 2: calendars.w.hours: are needed"},
		"closes first":         {"calendars:\n  w:\n    zone: UTC\n    hours: {mon: 17:00-08:00}\npolicies: {a: {}}", "line 4: calendars.w.hours: Monday: 17:00-08:00 close before they open"},
		"no zone":              {"calendars:\n  w:\n    zone: Mars\n    hours: {mon: 08:00-17:00}\npolicies: {a: {}}", `line 3: calendars.w.zone: "Mars" is no zone`},
		"local zone":           {"calendars:\n  w:\n    zone: Local\n    hours: {mon: 08:00-17:00}\npolicies: {a: {}}", `line 3: calendars.w.zone: "Local" is no zone`},
		"no day":               {"calendars:\n  w:\n    zone: UTC\n    hours: {moon: 08:00-17:00}\npolicies: {a: {}}", `line 4: calendars.w.hours: "moon" is no day`},
		"hours twice":          {"calendars:\n  w:\n    zone: UTC\n    hours:\n      mon-fri: 08:00-17:00\n      wed: 08:00-12:00\npolicies: {a: {}}", "line 6: calendars.w.hours: wed has hours already"},
		"no hours":             {"calendars:\n  w:\n    zone: UTC\n    hours: {mon: 8-17}\npolicies: {a: {}}", `line 4: calendars.w.hours: "8-17" are not hours`},
		"cut-off at night":     {"calendars:\n  w:\n    zone: UTC\n    hours: {mon: 08:00-17:00}\n    cut_off: 18:00\npolicies: {a: {}}", "line 5: calendars.w.cut_off: 18:00 lies in no day's hours"},
		"no holiday":           {"calendars:\n  w:\n    zone: UTC\n    hours: {mon: 08:00-17:00}\n    holidays:\n    - 12-32\npolicies: {a: {}}", `line 6: calendars.w.holidays: "12-32" is no date`},
		"unknown in calendar":  {"calendars:\n  w:\n    zone: UTC\n    open: {}\npolicies: {a: {}}", "line 4: calendars.w.open: is not known here"},
		"not UTF-8":            {"policies: {a: {}} # \xff", "line 1: file: is not UTF-8"},
		"control character":    {"policies:\n  a:\n    rhythms:\n    - {service: \"a\\0\", gap: 8h}", "line 4: policies.a.rhythms[0].service: has control characters"},
		"too large":            {strings.Repeat("#", MaxFile+1), "line 1: file: 262145 bytes"},
	} {
		_, err := Parse([]byte(tt.text), known, now)
		if err == nil || !slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(l string) bool { return strings.Contains(l, tt.want) }) {
			t.Errorf("%s: %v\nwant %s", name, err, tt.want)
		}
	}
}

func TestEveryFaultIsToldOnce(t *testing.T) {
	_, err := Parse([]byte("policies:\n  a:\n    pick: 0\n    pack: x\n    classes: {bulky: {}, routine: {}}"), known, now)
	if err == nil || strings.Count(err.Error(), "line") != 2 {
		t.Errorf("%v", err)
	}
	_, err = Parse([]byte("policies:\n"+strings.Repeat("  A: {}\n", 200)), known, now)
	if err == nil || strings.Count(err.Error(), "\n") != maxFaults || !strings.Contains(err.Error(), "and 150 more") {
		t.Errorf("%v", err)
	}
}

func TestOwnCarriersAreKnown(t *testing.T) {
	p := parse(t, "policies: {a: {rhythms: [{carrier: vans, gap: 2h}]}}\ncarriers: [vans]")[0]
	if p.Rhythms[0].Carrier != "vans" {
		t.Errorf("%+v", p.Rhythms)
	}
}

// Due times of kinds that the file does not name are meant around the clock.
func TestCasesTakeTheDueTimeOfTheOffice(t *testing.T) {
	p := parse(t, calendars+"policies: {a: {case_due: 3h of warehouse, cases: {late: {due: 2h}}}}")[0]
	for _, r := range p.Cases {
		want := order.Duration(0)
		if r.Kind == order.Late {
			want = order.Duration(2 * time.Hour)
		}
		if r.Due != want {
			t.Errorf("%s is due after %s", r.Kind, time.Duration(r.Due))
		}
	}
}

// schema reads schema.json far enough to compare it with the parser.
type schema struct {
	Ref                  string `json:"$ref"`
	Properties           map[string]schema
	AdditionalProperties json.RawMessage
	Items                *schema
	Pattern              string
	Defs                 map[string]schema `json:"$defs"`
}

func TestTheSchemaKnowsWhatTheParserKnows(t *testing.T) {
	var s schema
	if err := json.Unmarshal(Schema, &s); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"policy": lineNames(), "rhythm": inRhythms, "case": inCases, "calendar": inCalendar,
	} {
		have := slices.Sorted(maps.Keys(s.Defs[name].Properties))
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s: the schema has %v, the parser %v", name, have, want)
		}
		if string(s.Defs[name].AdditionalProperties) != "false" {
			t.Errorf("%s is open", name)
		}
	}
	if have := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(have, []string{"calendars", "carriers", "policies", "regions"}) {
		t.Errorf("at the top: %v", have)
	}
	for name, line := range s.Defs["policy"].Properties {
		if strings.HasSuffix(line.Ref, "/clocked") != slices.Contains(order.ClockLines, name) {
			t.Errorf("%s: %s", name, line.Ref)
		}
	}
	// The pattern of times takes what the parser takes.
	times, clocked := regexp.MustCompile(s.Defs["time"].Pattern), regexp.MustCompile(s.Defs["clocked"].Pattern)
	for _, text := range []string{"8h", "2d", "1d12h", "90m", "0", "1.5h", "8h of warehouse", "8", "d", "h8", "-1h", "1w", "8h of", "8 h", "2d of Warehouse", "12345d"} {
		_, err := Parse([]byte(calendars+"policies: {a: {ride_along: "+text+"}}"), nil, now)
		if times.MatchString(text) != (err == nil) {
			t.Errorf("ride_along: %q is %t to the schema and %v to the parser", text, times.MatchString(text), err)
		}
		_, err = Parse([]byte(calendars+"policies: {a: {movement: "+strings.Replace(text, "1d12h", "36h", 1)+"}}"), nil, now)
		if text != "0" && clocked.MatchString(text) != (err == nil) {
			t.Errorf("movement: %q is %t to the schema and %v to the parser", text, clocked.MatchString(text), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Default)
	f.Add([]byte(calendars + "policies: {a: {pick: 8h of warehouse, cases: {late: {due: 2h}}}}"))
	f.Add([]byte("policies: {a: {rhythms: [{lane: EU-*, gap: 1d}], classes: {bulky: {pick: 1ms}}}}\nregions: {EU: [DE]}"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		books, err := Parse(raw, known, now)
		if (err == nil) == (len(books) == 0) {
			t.Fatalf("%d policies and %v", len(books), err)
		}
		for _, b := range books {
			if err := b.Validate(); err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWhatBecomesOfLearnedRhythms(t *testing.T) {
	for text, want := range map[string]string{"proposed": "", "automatic": order.LearnAutomatic, "off": order.LearnOff} {
		b := parse(t, "policies: {a: {rhythms_learned: "+text+", rhythm_floor: 6h, classes: {bulky: {pick: 1h}}}}")[0]
		if b.RhythmsLearned != want || b.Classes[order.Bulky].RhythmsLearned != want || b.RhythmFloor != order.Duration(6*time.Hour) {
			t.Errorf("%s: %q, %s", text, b.RhythmsLearned, b.RhythmFloor)
		}
	}
}

// What a file says of every year it says of the years until then, and of none after.
func TestAFilesCalendarsEndWhereTheyAreSaidTo(t *testing.T) {
	const file = `
calendars:
  berlin: {zone: Europe/Berlin, hours: {mon-fri: 08:00-17:00}, holidays: [12-31, 2030-12-24]}
  utc: {zone: UTC, hours: {mon-fri: 08:00-17:00}}
policies:
  plain: {pick: 8h}
  desk: {pick: 8h of berlin, classes: {bulky: {pick: 9h of utc}}}
  utc: {pick: 8h, classes: {bulky: {pick: 9h of utc}}}
`
	books, err := Parse([]byte(file), known, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range books {
		want := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		if b.Name == "plain" {
			want = time.Time{}
		}
		if got := b.CalendarsEnd(); !got.Equal(want) {
			t.Errorf("%s: %s", b.Name, got)
		}
		b.Source = ""
		if got := b.CalendarsEnd(); !got.IsZero() {
			t.Errorf("%s sent as JSON: %s", b.Name, got)
		}
	}
	c := books[1].Calendars[0]
	if last := c.Offsets[len(c.Offsets)-1].From; last.Year() != 2029 || last.Month() != time.October {
		t.Errorf("the last change of clocks is %s", last)
	}
	if !slices.Contains(c.Holidays, order.Date(20291231)) || slices.Contains(c.Holidays, order.Date(20301231)) {
		t.Errorf("%v", c.Holidays)
	}
}
