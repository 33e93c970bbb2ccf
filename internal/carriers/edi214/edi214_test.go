package edi214

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

var names = []string{"delivery.edi", "appointment.edi", "refused.edi", "shortage.edi", "multi.edi"}

func TestSuite(t *testing.T) {
	pushes := map[string][]byte{}
	for _, n := range names {
		pushes[n] = carriertest.File(t, n)
	}
	carriertest.Run(t, carriertest.Suite{Adapter: New(), Pushes: pushes})
}

// told is an event as a table shows it.
func told(e carriers.Event) string {
	m := string(e.Milestone)
	if e.Unmapped {
		m = "?"
	}
	s := fmt.Sprintf("%s %s %s [%s %s] %s %s @%s", e.Tracking, e.Table, e.Code, m, e.Bucket, e.UTC.Format("0102T1504"), e.Basis, e.Location)
	if !e.ETA.IsZero() {
		s += " eta " + e.ETA.Format("0102T1504")
	}
	if a := e.Appointment; a != nil {
		s += fmt.Sprintf(" %s %s-%s", a.For, hour(a.Earliest), hour(a.Latest))
	}
	return s
}

func hour(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("0102T1504")
}

func TestStories(t *testing.T) {
	for name, want := range map[string]string{
		"delivery.edi": `
12345678901 1650 XB [labelled ] 0301T1400 zone @
12345678901 1650 X3 [ ] 0301T1905 zone @ATLANTA, GA, US
12345678901 1650 AF [accepted ] 0301T2030 zone @ATLANTA, GA, US
12345678901 1650 P1 [in_transit ] 0302T0310 zone @ATLANTA, GA, US
12345678901 1650 X4 [in_transit ] 0302T1745 assumed_zone @NASHVILLE, TN, US
12345678901 1650 SD/AO [ weather] 0302T1900 offset @NASHVILLE, TN, US
12345678901 1650 AG [ ] 0304T1015 assumed @CHICAGO, IL, US eta 0304T2300
12345678901 1650 X4 [in_transit ] 0303T1755 offset @CHICAGO, IL, US
12345678901 1650 X6 [out_for_delivery ] 0304T1305 zone @CHICAGO, IL, US
12345678901 1650 X1 [in_transit ] 0304T1510 zone @CHICAGO, IL, US
12345678901 1650 D1 [delivered ] 0304T1545 offset @CHICAGO, IL, US`,
		"appointment.edi": `
55500012 1652 X9 [ ] 0304T1015 assumed @DALLAS, TX, US delivery 0306T1500-0306T1500
55500012 1652 AC [ ] 0304T1015 assumed @DALLAS, TX, US eta 0306T1615 delivery 0306T1615-0306T1615
55500012 1652 ED [ ] 0304T1015 assumed @DALLAS, TX, US delivery 0306T1400-
55500012 1652 LD [ ] 0304T1015 assumed @DALLAS, TX, US delivery -0306T1800
55500012 1652 XA/BK [ ] 0304T1015 assumed @SAN ANTONIO, TX, US pickup 0305T0000-0306T0000
55500012 1650 SD/HB [ appointment] 0304T1400 zone @DALLAS, TX, US`,
		"refused.edi": `
77-100200 1650 X1 [in_transit ] 0304T1610 zone @SEATTLE, WA, US
77-100200 1650 A7/BS [ refused] 0304T1630 zone @SEATTLE, WA, US
77-100200 1650 SD/BT [returning ] 0304T2300 zone @SEATTLE, WA, US
77-100200 1650 A3 [returned ] 0309T1500 zone @ATLANTA, GA, US`,
		"shortage.edi": `
88800013 1650 D1/S1 [delivered shortage] 0304T1820 offset @BOSTON, MA, US
88800013 1650 X1 [in_transit damage] 0304T1800 offset @BOSTON, MA, US`,
		"multi.edi": `
11100011 1650 AF [accepted ] 0303T1500 zone @TAMPA, FL, US
11100012 1650 D1 [delivered ] 0303T1600 zone @MIAMI, FL, US
11100013 1650 D1 [delivered ] 0303T1600 zone @MIAMI, FL, US
33300012 1650 X4 [in_transit ] 0303T1200 offset @41.8778 N, 87.2094 W`,
	} {
		f := Read(carriertest.File(t, name))
		if len(f.Faults) > 0 {
			t.Errorf("%s: %v", name, f.Faults)
		}
		var got strings.Builder
		for _, e := range f.Events {
			got.WriteString("\n" + told(e))
		}
		if got.String() != want {
			t.Errorf("%s:%s", name, diff(got.String(), want))
		}
	}
}

func diff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var out strings.Builder
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			fmt.Fprintf(&out, "\n got %s\nwant %s", a, b)
		}
	}
	return out.String()
}

func TestDescriptionsTellWhatIsKnownAndNotWhoSigned(t *testing.T) {
	for name, want := range map[string]string{
		"delivery.edi":    "completed unloading at delivery; 12 pieces, 2 handling units, 1180 lb",
		"appointment.edi": "delayed; held pending appointment",
		"refused.edi":     "refused by consignee; refused by customer; entire shipment refused; DOCK SAYS PO CANCELLED",
		"shortage.edi":    "completed unloading at delivery; delivery shortage; partial shipment 2; 8 pieces, 8 handling units, 940 lb",
	} {
		found := false
		for _, e := range Read(carriertest.File(t, name)).Events {
			found = found || strings.HasSuffix(e.Description, want)
			if strings.Contains(e.Description, "DOCK MANAGER") {
				t.Errorf("%s: %q names who signed", name, e.Description)
			}
		}
		if !found {
			t.Errorf("%s: no %q", name, want)
		}
	}
}

// set makes one whole file around the segments of a 214.
func set(segments ...string) []byte {
	return envelope(len(segments)+2, "0001", 1, "7", 1, "000000001", segments...)
}

// envelope makes a file whose trailers say what is given.
func envelope(se int, seControl string, ge int, geControl string, iea int, ieaControl string, segments ...string) []byte {
	return fmt.Appendf(nil, "ISA*00*          *00*          *02*ODFL           *ZZ*WAYBILL        *260304*1015*U*00401*000000001*0*P*>~"+
		"GS*QM*ODFL*WAYBILL*20260304*1015*7*X*004010~ST*214*0001~%s~SE*%d*%s~GE*%d*%s~IEA*%d*%s~", strings.Join(segments, "~"), se, seControl, ge, geControl, iea, ieaControl)
}

func TestOneStatus(t *testing.T) {
	for name, c := range map[string]struct {
		segments []string
		want     string // events, joined by " | "
		faults   string
	}{
		"the same letters in two tables": {[]string{"B10*PRO12345", "LX*1", "AT7*AF*AF***20260304*1000*UT"}, "PRO12345 1650 AF/AF [accepted accident] 0304T1000 offset @", ""},
		"trailer spotted":                {[]string{"B10*PRO12345", "LX*1", "AT7*S1*NS***20260304*1000*UT"}, "PRO12345 1650 S1 [in_transit ] 0304T1000 offset @", ""},
		"paper without freight":          {[]string{"B10*PRO12345", "LX*1", "AT7*OO*AO***20260304*1000*UT"}, "PRO12345 1650 OO/AO [ paper_without_freight] 0304T1000 offset @", ""},
		"refused is its own reason":      {[]string{"B10*PRO12345", "LX*1", "AT7*A7*AO***20260304*1000*UT"}, "PRO12345 1650 A7/AO [ refused] 0304T1000 offset @", ""},
		"damaged is its own reason":      {[]string{"B10*PRO12345", "LX*1", "AT7*A9*AI***20260304*1000*UT"}, "PRO12345 1650 A9/AI [ damage] 0304T1000 offset @", ""},
		"interline":                      {[]string{"B10*PRO12345", "LX*1", "AT7*J1*NS***20260304*1000*UT"}, "PRO12345 1650 J1 [in_transit ] 0304T1000 offset @", ""},
		"an attempt keeps its count":     {[]string{"B10*PRO12345", "LX*1", "AT7*AH*B1***20260304*1000*UT"}, "PRO12345 1650 AH/B1 [attempt_failed business_closed] 0304T1000 offset @", ""},
		"late but there":                 {[]string{"B10*PRO12345", "LX*1", "AT7*D1*AO***20260304*1000*UT"}, "PRO12345 1650 D1/AO [delivered ] 0304T1000 offset @", ""},
		"all short is not delivered":     {[]string{"B10*PRO12345", "LX*1", "AT7*D1*NS***20260304*1000*UT", "Q7*A"}, "PRO12345 1650 D1 [ shortage] 0304T1000 offset @", ""},
		"unknown status":                 {[]string{"B10*PRO12345", "LX*1", "AT7*ZZ*NS***20260304*1000*UT"}, "PRO12345 1650 ZZ [? ] 0304T1000 offset @", ""},
		"unknown reason":                 {[]string{"B10*PRO12345", "LX*1", "AT7*X4*ZZ***20260304*1000*UT"}, "PRO12345 1650 X4 [in_transit ] 0304T1000 offset @ | PRO12345 1651 ZZ [? ] 0304T1000 offset @", ""},
		"number from L11":                {[]string{"B10**SO1*ODFL", "L11*123 456 7*CN", "LX*1", "AT7*X4*NS***20260304*1000*UT"}, "1234567 1650 X4 [in_transit ] 0304T1000 offset @", ""},
		"number from L11 of the loop":    {[]string{"B10**SO1*ODFL", "LX*1", "AT7*X4*NS***20260304*1000*UT", "L11*7654321*CN"}, "7654321 1650 X4 [in_transit ] 0304T1000 offset @", ""},
		"number from the bill of lading": {[]string{"B10**SO1*ODFL", "L11*BOL77*BM", "LX*1", "AT7*X4*NS***20260304*1000*UT"}, "BOL77 1650 X4 [in_transit ] 0304T1000 offset @", ""},
		"without LX":                     {[]string{"B10*PRO12345", "AT7*X4*NS***20260304*1000*UT"}, "PRO12345 1650 X4 [in_transit ] 0304T1000 offset @", ""},
		"a day":                          {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS***20260304"}, "PRO12345 1650 X4 [in_transit ] 0304T1200 date @", ""},
		"no day: when it was written":    {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS"}, "PRO12345 1650 X4 [in_transit ] 0304T1015 assumed @", ""},
		"place of the consignee":         {[]string{"B10*PRO12345", "N1*CN*X", "N4*OMAHA*NE*68101*US", "LX*1", "AT7*D1*NS***20260304*1000"}, "PRO12345 1650 D1 [delivered ] 0304T1600 assumed_zone @OMAHA, NE, US", ""},
		"a state elsewhere":              {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS***20260304*1000*LT", "MS1*PUEBLA*PA*MX"}, "PRO12345 1650 X4 [in_transit ] 0304T1000 assumed @PUEBLA, PA, MX", ""},
		"status and appointment at once": {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS*AB*NA*20260304*1000*UT"}, "PRO12345 1650 X4 [in_transit ] 0304T1000 offset @ | PRO12345 1652 AB [ ] 0304T1015 assumed @ delivery 0304T1000-0304T1000", ""},
		"no such day":                    {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS***20260231*1000", "AT7*X6*NS***20260304*1000*UT"}, "PRO12345 1650 X6 [out_for_delivery ] 0304T1000 offset @", "segment 6: AT7 has no date and time that can be read: 20260231 1000"},
		"no such time":                   {[]string{"B10*PRO12345", "LX*1", "AT7*X4*NS***20260304*2561"}, "", "segment 6: AT7 has no date and time that can be read: 20260304 2561"},
		"neither status nor appointment": {[]string{"B10*PRO12345", "LX*1", "AT7*****20260304*1000"}, "", "segment 6: AT7 has neither a status nor an appointment"},
		"no number":                      {[]string{"B10", "LX*1", "AT7*X4*NS***20260304*1000"}, "", "segment 4: B10 names no shipment, and no L11 does"},
		"no B10":                         {[]string{"LX*1", "AT7*X4*NS***20260304*1000"}, "", "segment 3: set 0001 has no B10"},
	} {
		f := Read(set(c.segments...))
		var got []string
		for _, e := range f.Events {
			if err := carriertest.CheckEvent(e); err != nil {
				t.Errorf("%s: %v: %+v", name, err, e)
			}
			got = append(got, told(e))
		}
		if g := strings.Join(got, " | "); g != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, g, c.want)
		}
		if g := faults(f); g != c.faults {
			t.Errorf("%s: faults %q, want %q", name, g, c.faults)
		}
	}
}

func faults(f File) string {
	var s []string
	for _, x := range f.Faults {
		s = append(s, x.String())
	}
	return strings.Join(s, " | ")
}

var good = []string{"B10*PRO12345", "LX*1", "AT7*X4*NS***20260304*1000*UT"}

func TestEnvelopes(t *testing.T) {
	whole := string(envelope(5, "0001", 1, "7", 1, "000000001", good...))
	for name, c := range map[string]struct {
		body   string
		events int
		faults string
	}{
		"whole":            {whole, 1, ""},
		"segments":         {string(envelope(6, "0001", 1, "7", 1, "000000001", good...)), 0, "segment 7: SE says that set 0001 has 6 segments; it has 5"},
		"set's number":     {string(envelope(5, "0002", 1, "7", 1, "000000001", good...)), 0, "segment 7: SE closes set 0002, but 0001 is open"},
		"sets":             {string(envelope(5, "0001", 2, "7", 1, "000000001", good...)), 1, "segment 8: GE says that group 7 has 2 sets; it has 1"},
		"group's number":   {string(envelope(5, "0001", 1, "8", 1, "000000001", good...)), 1, "segment 8: GE closes group 8, but 7 is open"},
		"groups":           {string(envelope(5, "0001", 1, "7", 2, "000000001", good...)), 1, "segment 9: IEA says that interchange 000000001 has 2 groups; it has 1"},
		"interchange":      {string(envelope(5, "0001", 1, "7", 1, "000000002", good...)), 1, "segment 9: IEA closes interchange 000000002, but 000000001 is open"},
		"no SE":            {strings.Replace(whole, "SE*5*0001~", "", 1), 0, "segment 7: GE ends before the SE of set 0001"},
		"no GE":            {strings.Replace(whole, "GE*1*7~", "", 1), 1, "segment 8: IEA inside of group 7: its GE is missing"},
		"no IEA":           {strings.Replace(whole, "IEA*1*000000001~", "", 1), 1, "segment 8: the file ends before the IEA of interchange 000000001"},
		"no last mark":     {strings.TrimSuffix(whole, "~"), 1, ""},
		"two, first open":  {strings.Replace(whole, "IEA*1*000000001~", "", 1) + whole, 2, "segment 9: ISA inside of interchange 000000001: its IEA is missing"},
		"lines":            {strings.ReplaceAll(whole, "~", "~\r\n") + "\x1a", 1, ""},
		"lines alone":      {strings.ReplaceAll(whole, "~", "\n"), 1, ""},
		"trimmed ISA":      {strings.Replace(whole, "00*          *00*          *02*ODFL           *ZZ*WAYBILL        *", "00**00**02*ODFL*ZZ*WAYBILL*", 1), 1, ""},
		"byte order mark":  {"\xef\xbb\xbf" + whole, 1, ""},
		"another document": {strings.Replace(whole, "ST*214", "ST*210", 1), 0, "segment 3: set 0001 is a 210; only 214 is read"},
		"our own 997":      {strings.Replace(strings.Replace(whole, "GS*QM", "GS*FA", 1), "ST*214", "ST*997", 1), 0, ""},
		"garbage after":    {whole + "hello", 1, `segment 10: not an interchange: it begins with "hello", not with ISA`},
		"marks alike":      {strings.ReplaceAll(whole, ">", "*"), 0, `segment 1: ISA names separators that are none: element '*', component '*', segment '~'`},
		"a letter as mark": {strings.ReplaceAll(whole, "~", "Q"), 0, `segment 1: ISA names separators that are none: element '*', component '>', segment 'Q'`},
		"ISA too short":    {"ISA*00*~", 0, "segment 1: ISA has 1 elements, not 16"},
	} {
		f := Read([]byte(c.body))
		if len(f.Events) != c.events || faults(f) != c.faults {
			t.Errorf("%s: %d events, %q; want %d, %q", name, len(f.Events), faults(f), c.events, c.faults)
		}
	}
}

// However a file is cut, what is read of it is what stands in its whole sets.
func TestTruncated(t *testing.T) {
	for _, name := range names {
		body := carriertest.File(t, name)
		all := Read(body).Events
		for cut := range body {
			f := Read(body[:cut])
			between := bytes.HasSuffix(bytes.TrimRight(body[:cut], "~\r\n"), []byte("IEA*2*000000005")) // of two interchanges
			if len(f.Events) > len(all) || len(f.Events) < len(all) && len(f.Faults) == 0 && !between {
				t.Fatalf("%s cut at %d: %d of %d events, %d faults", name, cut, len(f.Events), len(all), len(f.Faults))
			}
			for i, e := range f.Events {
				if told(e) != told(all[i]) {
					t.Fatalf("%s cut at %d: %s, whole %s", name, cut, told(e), told(all[i]))
				}
			}
		}
	}
}

// The separators are the sender's choice and change nothing.
func TestSeparators(t *testing.T) {
	body := string(carriertest.File(t, "delivery.edi"))
	want := fmt.Sprint(Read([]byte(body)).Events)
	rapid.Check(t, func(t *rapid.T) {
		marks := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"*", "|", "^", "~", "'", "!", ">", ":", "\x1d", "\x1e", "\x1c", "+"}), 3, 3, rapid.ID[string]).Draw(t, "marks")
		after := rapid.SampledFrom([]string{"", "\n", "\r\n", " \n"}).Draw(t, "after")
		got := strings.NewReplacer("*", marks[0], ">", marks[1], "~\n", marks[2]+after).Replace(body)
		f := Read([]byte(got))
		if len(f.Faults) > 0 || fmt.Sprint(f.Events) != want {
			t.Fatalf("%q: %v", marks, f.Faults)
		}
	})
}

func TestBounds(t *testing.T) {
	statuses := append([]string{"B10*PRO12345", "LX*1"}, slicesOf("AT7*X4*NS***20260304*1000*UT", carriers.MaxEvents+1)...)
	if f := Read(set(statuses...)); len(f.Events) > 0 || !strings.Contains(faults(f), "more than 10000 events") {
		t.Errorf("%d events, %s", len(f.Events), faults(f))
	}
	if f := Read(set(append(good, slicesOf("K1*A", maxSegments)...)...)); len(f.Events) > 0 || !strings.Contains(faults(f), "more than 100000 segments") {
		t.Errorf("%d events, %s", len(f.Events), faults(f))
	}
	if f := Read(bytes.Repeat([]byte("x"), carriers.MaxBody+1)); len(f.Faults) != 1 {
		t.Error(faults(f))
	}
	if f := Read(set(slicesOf("ST*214*1", 500)...)); len(f.Faults) != maxFaults+1 || !strings.HasPrefix(f.Faults[maxFaults].What, "and ") {
		t.Errorf("%d faults", len(f.Faults))
	}
}

func slicesOf(s string, n int) []string {
	return strings.Split(strings.TrimSuffix(strings.Repeat(s+"\n", n), "\n"), "\n")
}

func TestTimeCodes(t *testing.T) {
	for code, want := range map[string]string{
		"UT": "1000 offset", "GM": "1000 offset", "01": "0900 offset", "12": "2200 offset", "13": "2200 offset", "20": "1500 offset", "24": "1100 offset",
		"ES": "1500 offset", "ED": "1400 offset", "CS": "1600 offset", "CD": "1500 offset", "NS": "1330 offset", "ND": "1230 offset",
		"ET": "1400 zone", "CT": "1500 zone", "PT": "1700 zone", "MT": "1600 zone", "HT": "2000 zone", "AT": "1800 zone", "TT": "1300 zone", "NT": "1230 zone",
		"LT": "1600 zone", "": "1600 zone", "??": "1600 zone",
	} {
		m, ok := moment("20260704", "1000", code, place{state: "UT", country: "US"})
		if got := m.UTC.Format("1504 ") + string(m.Basis); !ok || got != want || m.Local != "2026-07-04T10:00:00" {
			t.Errorf("%q: %s, want %s", code, got, want)
		}
	}
	for _, code := range []string{"AD", "AS", "HD", "HS", "MD", "MS", "PD", "PS", "TD", "TS"} {
		if _, ok := offsets[code]; !ok {
			t.Errorf("%s is not known", code)
		}
	}
}

func TestCodesFollowTheList(t *testing.T) {
	n := map[string]int{}
	for _, r := range Codes.Rows() {
		n[r.Table]++
	}
	if n[statuses] != 42 || n[reasons] != 86 || n[appointments] != 9 || n[ladings] != 7 {
		t.Error(n)
	}
	for code := range estimated {
		if r, ok := Codes.Find(statuses, code); !ok || r.Kind != "info" {
			t.Errorf("%s is %v", code, r)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, n := range names {
		f.Add(carriertest.File(f, n))
	}
	f.Add(set("B10*PRO12345", "LX*1", "AT7*ZZ*ZZ*ZZ*ZZ*20260304*1000*UT"))
	f.Add([]byte("ISA" + strings.Repeat("\xb7", 20)))
	f.Fuzz(func(t *testing.T, body []byte) {
		x := Read(body)
		for _, e := range x.Events {
			if err := carriertest.CheckEvent(e); err != nil {
				t.Fatalf("%v: %+v", err, e)
			}
		}
		if len(x.Events) > carriers.MaxEvents || len(x.Faults) > maxFaults+1 {
			t.Fatal("too many")
		}
		for _, ic := range x.Interchanges {
			ack := Acknowledge(ic, 1, time.Unix(0, 0))
			if y := Read(ack); len(ack) > 0 && (len(y.Faults) > 0 || len(y.Interchanges) != 1) {
				t.Fatalf("the answer is no interchange: %v\n%q", y.Faults, ack)
			}
		}
		if events, err := New().ParsePush(body); err != nil && (len(events) > 0 || !errors.Is(err, carriers.ErrMalformed)) {
			t.Fatalf("%d events, %v", len(events), err)
		}
	})
}
