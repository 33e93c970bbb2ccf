package gs1

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Numbers that others published: GS1's EPCIS examples, a carrier list's vector.
func TestCheckDigitsOfPublishedNumbers(t *testing.T) {
	for _, good := range []string{"106141412345678908", "000123450000000027", "10614141073464", "04012345987652", "03453120000011", "0614141073467", "9501101020917"} {
		if !checked(good) {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{"", "0", "106141412345678909", "000000000000000001", "10614141234567890", "1061414123456789O8", "१०६१"} {
		if checked(bad) {
			t.Errorf("%s passes", bad)
		}
	}
	if IsSSCC("10614141073464") || !IsSSCC("106141412345678908") {
		t.Error("an SSCC has 18 digits")
	}
}

func TestOneChangedDigitIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sscc := drawKey(t, 18)
		at := rapid.IntRange(0, 17).Draw(t, "at")
		other := rapid.IntRange(1, 9).Draw(t, "by")
		b := []byte(sscc)
		b[at] = '0' + (b[at]-'0'+byte(other))%10
		if IsSSCC(string(b)) {
			t.Fatalf("%s for %s", b, sscc)
		}
		if _, err := ReadParcel("]C100" + string(b)); err == nil {
			t.Fatalf("%s is read", b)
		}
	})
}

func TestElementsInTheirThreeForms(t *testing.T) {
	const gs = "\x1d"
	for name, c := range map[string]struct{ text, want string }{
		"below a barcode":        {"(00)106141412345678908", "[{00 106141412345678908}]"},
		"with spaces":            {"(00) 1 0614141 234567890 8", "[{00 106141412345678908}]"},
		"several below":          {"(01)03453120000011(17)120508(10)ABCD1234(410)9501101020917", "[{01 03453120000011} {17 120508} {10 ABCD1234} {410 9501101020917}]"},
		"GS1-128":                {"]C10010614141234567890842012345", "[{00 106141412345678908} {420 12345}]"},
		"DataMatrix":             {"]d2011061414107346421AB-12" + gs + "10L1", "[{01 10614141073464} {21 AB-12} {10 L1}]"},
		"QR":                     {"]Q3" + gs + "00106141412345678908", "[{00 106141412345678908}]"},
		"separator behind fixed": {"]C100106141412345678908" + gs + "37012", "[{00 106141412345678908} {37 012}]"},
		"separator at the end":   {"]C110L1" + gs, "[{10 L1}]"},
		"weight":                 {"]C1001061414123456789083302000900", "[{00 106141412345678908} {3302 000900}]"},
		"402 and its separator":  {"]C140206141411234567890" + gs + "4011234A", "[{402 06141411234567890} {401 1234A}]"},
		"402 without one":        {"]C1402061414112345678904011234A", ""},
		"postal code, country":   {"421840SW1A1AA", "[{421 840SW1A1AA}]"},
		"GRAI, GIAI":             {"]C1800300614141123452S1" + gs + "8004061414112345", "[{8003 00614141123452S1} {8004 061414112345}]"},
		"end of month":           {"17260200", "[{17 260200}]"},
		"line end of a scanner":  {"(00)106141412345678908\r\n", "[{00 106141412345678908}]"},
		"Digital Link":           {"https://id.gs1.org/01/10614141073464/21/20%2F17?17=261231&x=1&37=5", "[{01 10614141073464} {21 20/17} {17 261231} {37 5}]"},
		"Digital Link of a shop": {"HTTPS://shop.example/01/tea/00/106141412345678908", "[{00 106141412345678908}]"},
		"nothing":                {"", ""},
		"wrong check digit":      {"(00)106141412345678909", ""},
		"too short":              {"]C1001061414123456789", ""},
		"too long":               {"(00)1061414123456789080", ""},
		"text behind":            {"]C100106141412345678908xyz", ""},
		"unknown AI":             {"(05)1", ""},
		"no AI":                  {"()1", ""},
		"open bracket":           {"(00106141412345678908", ""},
		"text before a bracket":  {"x(00)106141412345678908", ""},
		"month 13":               {"(17)261301", ""},
		"day 31 in April":        {"(17)260431", ""},
		"letter in a date":       {"(17)26O430", ""},
		"country of letters":     {"(421)USA12345", ""},
		"NUL":                    {"(10)A\x00B", ""},
		"not ASCII":              {"(10)Ä", ""},
		"no key in a link":       {"https://id.gs1.org/", ""},
		"odd path":               {"https://id.gs1.org/00", ""},
		"bad escape":             {"https://id.gs1.org/01/10614141073464/21/%zz", ""},
		"no host":                {"https:///00/106141412345678908", ""},
		"a key in the query":     {"https://id.gs1.org/x?00=106141412345678908", ""},
		"too much":               {"(91)" + strings.Repeat("1", 600), ""},
	} {
		t.Run(name, func(t *testing.T) {
			es, err := ReadElements(c.text)
			if c.want == "" {
				if err == nil {
					t.Errorf("read %v", es)
				}
				return
			}
			if err != nil || fmt.Sprint(es) != c.want {
				t.Errorf("%v %v, want %s", es, err, c.want)
			}
		})
	}
}

func TestParcelOfABarcode(t *testing.T) {
	for text, want := range map[string]string{
		"]C100106141412345678908":                        "{106141412345678908 true}",
		"00106141412345678908":                           "{106141412345678908 true}", // no symbology identifier sent
		"106141412345678908":                             "{106141412345678908 true}",
		"(02)03453120000011(37)12(00)106141412345678908": "{106141412345678908 true}",
		"https://id.gs1.org/00/106141412345678908":       "{106141412345678908 true}",
		"]Q1https://id.gs1.org/00/106141412345678908":    "{106141412345678908 true}",
		"1Z999AA10123456784":                             "{1Z999AA10123456784 false}",
		"]C01Z999AA10123456784\r":                        "{1Z999AA10123456784 false}",
		"]C142012345\x1d9405511899223197428490":          "{9405511899223197428490 false}", // USPS
		"42012345\x1d9405511899223197428490":             "{9405511899223197428490 false}",
		"]C19611020987654312345672":                      "{9611020987654312345672 false}", // FedEx Ground
		"123456789012":                                   "{123456789012 false}",
		"106141412345678909":                             "{106141412345678909 false}", // 18 digits that are no SSCC may be a carrier's
		"":                                               "{ false}",
		"00106141412345678909":                           "has a wrong check digit",
		"]C1011061414107346421A":                         "names no parcel",
		"https://shop.example/tea":                       "without a GS1 key",
		"]C1":                                            "is empty",
	} {
		p, err := ReadParcel(text)
		if got := fmt.Sprint(p); got != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
}

func TestEPCs(t *testing.T) {
	for id, want := range map[string]string{
		"urn:epc:id:sscc:0614141.1234567890":       "[{00 106141412345678908}]",
		"https://id.gs1.org/00/106141412345678908": "[{00 106141412345678908}]",
		"urn:epc:id:sgtin:0614141.107346.2017":     "[{01 10614141073464} {21 2017}]",
		"urn:epc:id:sgtin:0614141.107346.a.b%2Fc":  "[{01 10614141073464} {21 a.b/c}]",
		"urn:epc:id:grai:0614141.12345.400":        "[{8003 00614141123452400}]",
		"urn:epc:id:grai:061414112345..400":        "[{8003 00614141123452400}]",
		"urn:epc:id:grai:061414112345..":           "a serial",
		"urn:epc:id:grai:061414112345":             "a serial",
		"urn:epc:id:giai:0614141.12345400":         "[{8004 061414112345400}]",
		"urn:epc:id:giai:000000.":                  "a reference",
		"urn:epc:id:giai:000000":                   "a reference",
		"urn:epc:id:sscc:0614141.123456789":        "17 digits",
		"urn:epc:id:sscc:0614141.12345678901":      "17 digits",
		"urn:epc:id:sscc:06141.123456789012":       "company prefix",
		"urn:epc:id:sscc:0614141.123456789x":       "17 digits",
		"urn:epc:id:sscc:0614141.1234567890.1":     "17 digits",
		"urn:epc:id:sscc:":                         "company prefix",
		"urn:epc:id:sgtin:0614141.107346":          "serial",
		"urn:epc:id:sgtin:0614141.107346.%00":      "does not allow",
		"urn:epc:id:sgtin:0614141.107346.%":        "escape",
		"urn:epc:id:sgln:0614141.07346.1234":       "not known here",
		"https://id.gs1.org/00/106141412345678909": "check digit",
		"106141412345678908":                       "neither",
		"":                                         "neither",
	} {
		es, err := ReadEPC(id)
		if got := fmt.Sprint(es); got != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %s %v, want %s", id, got, err, want)
		}
	}
	for _, bad := range []struct {
		es     []Element
		prefix int
	}{
		{nil, 7}, {[]Element{{"00", "106141412345678908"}}, 5}, {[]Element{{"00", "106141412345678909"}}, 7}, {[]Element{{"01", "10614141073464"}}, 7},
		{[]Element{{"8003", "00614141123452"}}, 7}, {[]Element{{"8004", "ABCDEFGH"}}, 7}, {[]Element{{"10", "A"}}, 7},
	} {
		if s, err := URN(bad.es, bad.prefix); err == nil {
			t.Errorf("%v: %s", bad, s)
		}
	}
}

func TestEPCsSurviveTheWayThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var es []Element
		switch rapid.SampledFrom([]string{"00", "01", "8003", "8004"}).Draw(t, "AI") {
		case "00":
			es = []Element{{"00", drawKey(t, 18)}}
		case "01":
			es = []Element{{"01", drawKey(t, 14)}, {"21", drawText(t, 20)}}
		case "8003":
			key := "0" + drawKey(t, 13) // the check digit is the same with a leading 0
			es = []Element{{"8003", key + drawText(t, 16)}}
		case "8004":
			es = []Element{{"8004", drawKey(t, 13) + drawText(t, 17)}}
		}
		id, err := URN(es, rapid.IntRange(6, 12).Draw(t, "prefix"))
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadEPC(id)
		if err != nil || !slices.Equal(back, es) {
			t.Fatalf("%s: %v %v, want %v", id, back, err, es)
		}
	})
}

// What is written in any of the forms is read alike.
func TestElementsSurviveTheWayThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		es := rapid.SliceOfN(rapid.Custom(drawElement), 1, 6).Draw(t, "elements")
		raw, bracketed := "", ""
		for i, e := range es {
			raw += e.AI + e.Value
			if f, _ := formatOf(e.AI); i < len(es)-1 && (!f.closed || rapid.Bool().Draw(t, "separator all the same")) {
				raw += separator
			}
			bracketed += "(" + e.AI + ")" + e.Value
		}
		prefix := rapid.SampledFrom([]string{"]C1", "]d2", "]Q3", "]e0", "]J1", separator}).Draw(t, "prefix")
		for _, s := range []string{prefix + raw, bracketed} {
			if got, err := ReadElements(s); err != nil || !slices.Equal(got, es) {
				t.Fatalf("%q: %v %v, want %v", s, got, err, es)
			}
		}
	})
}

func drawKey(t *rapid.T, length int) string {
	digits := rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", length-1)).Draw(t, "digits")
	check, _ := CheckDigit(digits)
	return digits + string(check)
}

// drawText has no brackets: they cannot be read in the form with brackets.
func drawText(t *rapid.T, most int) string {
	return rapid.StringMatching(fmt.Sprintf(`[!"%%&'*+,\-./:;<=>?_0-9A-Za-z]{1,%d}`, most)).Draw(t, "text")
}

func drawElement(t *rapid.T) Element {
	ais := make([]string, 0, len(formats))
	for ai := range formats {
		ais = append(ais, ai)
	}
	slices.Sort(ais)
	ai := rapid.SampledFrom(append(ais, "3302", "3100")).Draw(t, "AI")
	f, _ := formatOf(ai)
	switch {
	case f.date:
		return Element{ai, rapid.StringMatching(`[0-9]{2}(0[1-9]|1[0-2])([01][0-9]|2[0-8])`).Draw(t, "date")}
	case f.check > 0:
		v := drawKey(t, f.check)
		if f.max > f.check && rapid.Bool().Draw(t, "serial") {
			v += drawText(t, f.max-f.check)
		}
		return Element{ai, v}
	}
	digits := rapid.StringMatching(fmt.Sprintf("[0-9]{%d,%d}", min(f.min, f.digits), f.digits)).Draw(t, "digits")
	if f.digits == f.max {
		return Element{ai, digits}
	}
	if f.digits > 0 {
		digits = rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", f.digits)).Draw(t, "leading digits")
	}
	return Element{ai, digits + drawText(t, f.max-f.digits)}
}

func FuzzReadElements(f *testing.F) {
	for _, seed := range []string{"(00)106141412345678908", "]C100106141412345678908\x1d37012", "https://id.gs1.org/01/10614141073464/21/20?17=261231", "]d2", "((((", "(00)(01)", "\x1d\x1d",
		"]C13302000900", "1Z999AA10123456784", "\xff", "https://[::1", "https://x/00/00/00/106141412345678908", "]C1421", "]C18003"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		es, err := ReadElements(s)
		if (err == nil) != (len(es) > 0) {
			t.Fatalf("%v %v", es, err)
		}
		for _, e := range es {
			if again, err := element(e.AI, e.Value); err != nil || again != e {
				t.Errorf("%v does not fit itself: %v", e, err)
			}
		}
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q", err)
		}
		p, err := ReadParcel(s)
		if err == nil && p.SSCC != IsSSCC(p.Number) {
			t.Errorf("%+v", p)
		}
	})
}

func FuzzReadEPC(f *testing.F) {
	for _, seed := range []string{"urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sgtin:0614141.107346.a%2F", "urn:epc:id:grai:061414112345..400", "urn:epc:id:giai:0614141.1", "urn:epc:id:sscc:.",
		"https://id.gs1.org/00/106141412345678908", "urn:epc:id:", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		es, err := ReadEPC(s)
		if (err == nil) != (len(es) > 0) {
			t.Fatalf("%v %v", es, err)
		}
		if sscc := SSCC(es); sscc != "" && !IsSSCC(sscc) {
			t.Errorf("%s", sscc)
		}
		if err != nil || !strings.HasPrefix(s, urn) {
			return
		}
		// Its URN, written with the same prefix, says the same.
		rest, _, _ := strings.Cut(s[len(urn)+5:], ".")
		id, err := URN(es, len(strings.TrimPrefix(rest, ":")))
		if err != nil {
			t.Fatalf("%v cannot be written: %v", es, err)
		}
		if back, err := ReadEPC(id); err != nil || !slices.Equal(back, es) {
			t.Errorf("%s: %v %v, want %v", id, back, err, es)
		}
	})
}
