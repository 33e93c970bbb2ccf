package carriers

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/order"
)

func TestText(t *testing.T) {
	for in, want := range map[string]Text{`"a b"`: "a b", `17`: "17", `1e400`: "1e400", `false`: "false", `null`: "", `{"a":1}`: "", `["a"]`: "", `""`: ""} {
		var got Text
		if err := json.Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("%s: %q %v", in, got, err)
		}
	}
	if got := Text(" a\u202e\x00b\n").Clean(10); got != "ab" {
		t.Errorf("%q", got)
	}
}

func TestDecodeAndRefused(t *testing.T) {
	var v any
	for _, bad := range [][]byte{nil, []byte("{"), make([]byte, MaxBody+1)} {
		if err := Decode(bad, &v); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.10s: %v", bad, err)
		}
	}
	if err := Refused("UPS", Problem{}, Problem{Code: " "}); err != nil {
		t.Error(err)
	}
	err := Refused("UPS", Problem{"1", "one"}, Problem{}, Problem{"2", ""}, Problem{"", "three"}, Problem{"4", "four"})
	if !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), "UPS says: 1 one; 2; three") {
		t.Error(err)
	}
}

func TestISO(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-07T14:30:00-05:00":     "2026-03-07T19:30:00Z 2026-03-07T14:30:00 -05:00 offset",
		"2026-03-07T14:30:00.123-05:00": "2026-03-07T19:30:00.123Z 2026-03-07T14:30:00 -05:00 offset",
		"2026-03-07T14:30:00+0530":      "2026-03-07T09:00:00Z 2026-03-07T14:30:00 +05:30 offset",
		"2026-03-07T14:30Z":             "2026-03-07T14:30:00Z 2026-03-07T14:30:00 +00:00 offset",
		" 2026-03-07 14:30:00 ":         "2026-03-07T14:30:00Z 2026-03-07T14:30:00  assumed",
		"2026-03-07T14:30":              "2026-03-07T14:30:00Z 2026-03-07T14:30:00  assumed",
		"2026-03-07":                    "2026-03-07T12:00:00Z 2026-03-07T12:00:00  date",
		"0001-01-01T00:00:00Z":          "",
		"9999-12-31":                    "",
		"yesterday":                     "",
		"":                              "",
	} {
		got := ""
		if m, ok := ISO(in); ok {
			got = strings.Join([]string{m.UTC.Format(time.RFC3339Nano), m.Local, m.Offset, string(m.Basis)}, " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"2026-03-07T00:00:00-06:00": "2026-03-07T12:00:00Z", // a day, not a midnight
		"2026-03-07T00:00:00+09:00": "2026-03-07T12:00:00Z",
		"2026-03-07":                "2026-03-07T12:00:00Z",
		"2026-03-07T18:00:00-06:00": "2026-03-08T00:00:00Z",
		"soon":                      "0001-01-01T00:00:00Z",
	} {
		if got := Promise(in).Format(time.RFC3339); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestOffsets(t *testing.T) {
	for in, want := range map[string]string{"-05:00": "-05:00", "-0500": "-05:00", "-7:00": "-07:00", "-04.00": "-04:00", "+05.30": "+05:30", "Z": "+00:00", "+14:00": "+14:00", "+15:00": "", "-99:00": "", "+00:07": "", "": "", "EST": ""} {
		got := ""
		if d, ok := ParseOffset(in); ok {
			got = SpellOffset(d)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.IntRange(-48, 56).Draw(t, "quarters")) * 15 * time.Minute
		if back, ok := ParseOffset(SpellOffset(d)); !ok || back != d {
			t.Fatalf("%s becomes %s %s", d, SpellOffset(d), back)
		}
	})
}

func FuzzTimes(f *testing.F) {
	f.Add("2026-03-07T14:30:00-05:00")
	f.Add("-7:00")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := ISO(s); ok && (m.UTC.Location() != time.UTC || !Plausible(m.UTC.Add(-24*time.Hour)) && !Plausible(m.UTC.Add(24*time.Hour)) || m.Basis == "") {
			t.Fatalf("%q: %+v", s, m)
		}
		if d, ok := ParseOffset(s); ok && !PlausibleOffset(d) {
			t.Fatalf("%q: %s", s, d)
		}
	})
}

func FuzzZone(f *testing.F) {
	f.Add("US", "TX", "79901", int64(1772892000))
	f.Add("CAN", "ca-bc", "V5K 0A1", int64(0))
	f.Add("AU", "", "2000", int64(-1))
	f.Add("BR", "AM", "\xff", int64(1<<33))
	f.Fuzz(func(t *testing.T, country, region, postal string, seconds int64) {
		wall := time.Unix(seconds%(1<<34), 0).UTC()
		m := At(wall, Zone(country, region, postal))
		if m.Local != wall.Format(Wall) || m.UTC.Sub(wall).Abs() > 24*time.Hour || m.Basis == "" {
			t.Fatalf("%s: %+v", wall, m)
		}
		if again := m.In(Zone(country, region, postal)); again != m {
			t.Fatalf("%+v, then %+v", m, again)
		}
	})
}

func TestHomecomingAndNewest(t *testing.T) {
	at := func(number string, m order.Milestone, hour int) Event {
		return Event{Tracking: number, Reading: Reading{Milestone: m}, Moment: Moment{UTC: time.Date(2026, 3, 7, hour, 0, 0, 0, time.UTC)}}
	}
	events := []Event{
		at("A", order.Delivered, 1), at("A", order.Returning, 2), at("A", order.Returning, 5), at("A", order.Delivered, 3), at("A", order.Delivered, 2), // the same hour counts
		at("B", order.Delivered, 5),
	}
	Homecoming(events)
	for i, want := range []order.Milestone{order.Delivered, order.Returning, order.Returning, order.Returned, order.Returned, order.Delivered} {
		if events[i].Milestone != want {
			t.Errorf("%d: %s, want %s", i, events[i].Milestone, want)
		}
	}
	if Newest(events) != 2 || Newest(nil) != -1 {
		t.Errorf("newest %d, of none %d", Newest(events), Newest(nil))
	}
}

func TestFirst(t *testing.T) {
	if First("", " ", "a", "b") != "a" || First[Text]() != "" {
		t.Error("the first that says something")
	}
}

// TestPartial: some pieces are delivered, and the parcel is still on its way.
func TestPartial(t *testing.T) {
	table, err := ParseTable("t\tPD\tpartial\tpartial_delivery\tPartial delivery\n")
	if err != nil {
		t.Fatal(err)
	}
	if r := table.Read("t", "PD"); r != (Reading{Milestone: order.InTransit, Physical: true, Bucket: "partial_delivery"}) {
		t.Errorf("%+v", r)
	}
}

func TestDHLsNumbersHaveTheirTwoZeros(t *testing.T) {
	for in, want := range map[string]string{
		"340434161094015902": "00340434161094015902", "3404 3416 1094 0159 02": "00340434161094015902", "00340434161094015902": "00340434161094015902",
		"395212340000000021": "395212340000000021", "34043416109401590": "34043416109401590", "340434A61094015902": "340434A61094015902", "": "",
	} {
		if got := Number(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
