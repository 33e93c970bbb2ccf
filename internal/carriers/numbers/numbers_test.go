package numbers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/carriers"
)

// renamed: the data set has two forms where one of ours reads both.
var renamed = map[string]string{"USPS IMpb N": "USPS IMpb", "USPS IMpb C": "USPS IMpb"}

// ours are forms that the data set has not.
var ours = []string{"UPS Roadie", "DHL Express (JD)", "DHL Paket"}

// disagreements with the data set's verdict on its own numbers, and why. There
// are none: a new one fails the test.
var disagreements = map[string]string{}

// TestVectors holds every number that the data set calls valid or invalid
// against the form that it says so of.
func TestVectors(t *testing.T) {
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "tracking_numbers", "couriers", "*.json"))
	if len(files) == 0 {
		t.Skipf("the numbers that nobody here wrote are not here (%s); set WAYBILL_DATA to the folder that holds tracking_numbers/", dir)
	}
	covered, used := map[string]bool{}, map[string]bool{}
	valid, invalid := 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var courier struct {
			Forms []struct {
				Name       string
				Additional []struct {
					Name   string
					Lookup []struct{ Matches string }
				}
				Numbers struct{ Valid, Invalid []string } `json:"test_numbers"`
			} `json:"tracking_numbers"`
		}
		if err := json.Unmarshal(raw, &courier); err != nil {
			t.Fatal(err)
		}
		for _, f := range courier.Forms {
			name := f.Name
			if r, ok := renamed[name]; ok {
				name = r
			}
			covered[name] = true
			passed := map[bool]int{}
			verdict := func(number string, want bool) {
				if has(Detect(number), name) == want {
					passed[want]++
					return
				}
				if why := disagreements[name+" "+number]; why != "" {
					used[name+" "+number] = true
					t.Logf("disagreement: %s %q, valid %v there: %s", name, number, want, why)
					return
				}
				t.Errorf("%s %q: valid %v there, not here: %+v", name, number, want, read(number))
			}
			for _, n := range f.Numbers.Valid {
				verdict(n, true)
			}
			for _, n := range f.Numbers.Invalid {
				verdict(n, false)
			}
			valid, invalid = valid+len(f.Numbers.Valid), invalid+len(f.Numbers.Invalid)
			t.Logf("%-34s %2d of %2d valid, %2d of %2d invalid", f.Name, passed[true], len(f.Numbers.Valid), passed[false], len(f.Numbers.Invalid))
			for _, a := range f.Additional {
				if f.Name == s10Form && a.Name == "Courier" {
					for _, c := range a.Lookup {
						if !country(c.Matches) {
							t.Errorf("a post of %s, which is no country here", c.Matches)
						}
					}
				}
			}
		}
	}
	for _, f := range forms {
		if !covered[f.name] && !slices.Contains(ours, f.name) {
			t.Errorf("%s is in no list", f.name)
		}
	}
	for what := range disagreements {
		if !used[what] {
			t.Errorf("no longer a disagreement: %s", what)
		}
	}
	t.Logf("%d valid and %d invalid numbers, %d disagreements", valid, invalid, len(used))
}

func has(matches []Match, form string) bool {
	return slices.ContainsFunc(matches, func(m Match) bool { return m.Form == form })
}

func TestFacts(t *testing.T) {
	for number, want := range map[string]Match{
		"1z 5r8 939 03 5756712 7":            {Carrier: "ups", Form: "UPS", Number: "1Z5R89390357567127", Check: Passed, Shipper: "5R8939", Service: "03"},
		"1ZXX3150YW44070023":                 {Carrier: "ups", Form: "UPS", Number: "1ZXX3150YW44070023", Check: Passed, Shipper: "XX3150", Service: "YW", LastMile: "usps"},
		"1R12345678901234":                   {Carrier: "ups", Form: "UPS Roadie", Number: "1R12345678901234", Check: None},
		"1001921334250001000300779017972697": {Carrier: "fedex", Form: "FedEx Express (34)", Number: "779017972697", Check: Passed, ZIP: "10003"},
		"32971514560102447849175802862014":   {Carrier: "fedex", Form: "FedEx ASTRA (32)", Number: "784917580286", Check: Passed},
		"9611020987654312345672":             {Carrier: "fedex", Form: "FedEx Ground 96 (22)", Number: "987654312345672", Check: Passed, Service: "020", Shipper: "9876543"},
		"000123450000000027":                 {Carrier: "fedex", Form: "FedEx Ground (SSCC-18)", Number: "000123450000000027", Check: Passed, SSCC: "000123450000000027"},
		"106141411234567897":                 {Carrier: "fedex", Form: "FedEx Ground (SSCC-18)", Number: "106141411234567897", Check: Passed, SSCC: "106141411234567897"}, // GS1's own example; the extension digit counts
		"420787459400111206206406260787":     {Carrier: "usps", Form: "USPS IMpb", Number: "9400111206206406260787", Check: Passed, ZIP: "78745", Service: "001", Shipper: "112062"},
		"4201028200009261290113185417468510": {Carrier: "usps", Form: "USPS IMpb", Number: "9261290113185417468510", Check: Passed, ZIP: "102820000", Service: "612", Shipper: "901131854", SecondOf: []string{"dhl", "fedex", "ups"}},
		"92748931507708513018050063":         {Carrier: "usps", Form: "USPS IMpb", Number: "92748931507708513018050063", Check: Passed, Service: "748", Shipper: "931507708", SecondOf: []string{"dhl", "fedex", "ups"}},
		"RB123456785US":                      {Carrier: "usps", Form: "S10", Number: "RB123456785US", Check: Passed, Service: "RB", Country: "US"},
		"RB123456785TW":                      {Carrier: "post", Form: "S10", Number: "RB123456785TW", Check: Passed, Service: "RB", Country: "TW"},
		"00340434161094015902":               {Carrier: "dhl", Form: "DHL Paket", Number: "00340434161094015902", Check: Passed, SSCC: "340434161094015902"},
		"JD014600006615052307":               {Carrier: "dhl", Form: "DHL Express (JD)", Number: "JD014600006615052307", Check: None},
	} {
		found := Detect(number)
		i := slices.IndexFunc(found, func(m Match) bool { return m.Form == want.Form })
		if i < 0 {
			t.Errorf("%s: no %s in %+v", number, want.Form, read(number))
			continue
		}
		if got, _ := json.Marshal(found[i]); string(got) != marshal(want) {
			t.Errorf("%s:\n got %s\nwant %s", number, got, marshal(want))
		}
	}
}

func marshal(m Match) string {
	b, _ := json.Marshal(m)
	return string(b)
}

// TestSSCC: the rule runs over 17 digits. A wrong extension digit passes where
// the first two digits are left out.
func TestSSCC(t *testing.T) {
	if has(Detect("206141411234567897"), "FedEx Ground (SSCC-18)") || !has(Mistyped("206141411234567897"), "FedEx Ground (SSCC-18)") {
		t.Error("the extension digit does not count")
	}
}

func TestSeveralNoneAndOrder(t *testing.T) {
	several := Detect("986578788855") // 12 digits
	if len(several) == 0 || several[0].Form != "FedEx Express (12)" || several[0].Check != Passed {
		t.Errorf("%+v", several)
	}
	if got := Detect("RB123456785XX"); len(got) > 1 || has(got, s10Form) {
		t.Errorf("a country that does not exist: %+v", got)
	}
	for _, nothing := range []string{"", "  ", "HELLO", "1Z999", strings.Repeat("1", 200), "1Z5R89390357567127; DROP TABLE"} {
		if got := read(nothing); len(got) > 0 || got == nil {
			t.Errorf("%q: %+v", nothing, got)
		}
	}
}

func TestCountry(t *testing.T) {
	for code, want := range map[string]bool{"US": true, "GB": true, "TW": true, "FO": true, "UK": false, "XX": false, "ZZ": false, "QQ": false, "EU": false, "XA": false, "AA": false, "12": false, "U": false} {
		if country(code) != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
}

func TestDoubt(t *testing.T) {
	for _, c := range []struct{ carrier, number, want string }{
		{"ups", "1Z5R89390357567127", ""},
		{"ups", "1Z5R89390357567128", "has the form UPS, but its check digit is wrong"},
		{"ups", "986578788855", "has no form of ups that is known; it can be of fedex (FedEx Express (12), check digit right)"},
		{"fedex", "986578788855", ""},
		{"fedex", "1001921334250001000300779017972697", "is a barcode of fedex, which tracks the parcel by 779017972697"},
		{"usps", "420787459400111206206406260787", "is a barcode of usps, which tracks the parcel by 9400111206206406260787"},
		{"ups", "92748931507708513018050063", ""}, // Mail Innovations hands over under it
		{"ups", "9400111206206406260787", "has no form of ups that is known; it can be of usps (USPS IMpb, check digit right)"},
		{"usps", "RB123456785GB", ""}, // another post's, delivered by this one
		{"usps", "RB123456786GB", "has the form S10, but its check digit is wrong"},
		{"ups", "RB123456785GB", "has no form of ups that is known; it can be of post (S10, check digit right)"},
		{"gls", "1Z5R89390357567127", ""},   // nothing is known of it
		{"ups", "SOMETHING-NEW", ""},        // no form is no doubt
		{"dhl", "00340434161094015902", ""}, // its own form, though USPS has twenty digits too
		{"dhl", "TBA000000000000", "has no form of dhl that is known; it can be of amazon (Amazon Logistics)"},
	} {
		if got := Doubt(c.carrier, c.number); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.carrier, c.number, got, c.want)
		}
	}
}

// blind says which changes an algorithm cannot see, by its mathematics: by how
// much the digit changed, where in the serial, under which check digit. Every
// other change must be noticed.
var blind = map[string]func(by, at int, check byte) bool{
	// The remainders 10 and 0 both show 0.
	"FedEx Express (12)": zero, "FedEx Express (34)": zero, "FedEx ASTRA (32)": zero, "FedEx Ground GSN": zero,
	// The remainders 0 and 6 both show 5.
	"S10": func(_, _ int, check byte) bool { return check == '5' },
	// Doubling without folding: 2x and 2(x±5) end alike.
	"UPS": five, "UPS Waybill": five,
	// The first digit also decides whether another is counted along.
	"OnTrac": func(by, at int, _ byte) bool { return by == 5 || at == 0 }, "OnTrac D": func(by, at int, _ byte) bool { return by == 5 || at == 0 },
	"USPS Legacy": func(_, at int, _ byte) bool { return at < 2 },
	// Digits seven apart are one to a remainder of seven.
	"DHL Express": func(by, _ int, _ byte) bool { return by == 3 || by == 7 },
}

func zero(_, _ int, check byte) bool { return check == '0' }
func five(by, _ int, _ byte) bool    { return by == 5 }

// checked is a good number of every form that has a check digit.
var checked = map[string]string{
	"FedEx Ground": "041441760228964", "FedEx Ground (SSCC-18)": "106141411234567897", "FedEx Ground 96 (22)": "9611020987654312345672",
	"USPS 20": "03071790000523483741", "USPS IMpb": "9400111206206406260787", "S10": "RB123456785GB", "DHL Paket": "340434161094015902",
	"Canada Post (16)": "0073938000549297", "Purolator (12)": "320595463938", "DPD (28)": "0081827099800000020033350276C", "DPD (14)": "09980000020033F",
	"Old Dominion": "07209562763", "Old Dominion Guaranteed Shipment": "80003280379",
	"FedEx Express (12)": "986578788855", "FedEx Express (34)": "1001921334250001000300779017972697", "FedEx ASTRA (32)": "32971514560102447849175802862014",
	"FedEx Ground GSN": "9622001560001234567100794808390594", "UPS": "1Z5R89390357567127", "UPS Waybill": "K1506235620", "OnTrac": "C11031500001879", "OnTrac D": "D10011354453707",
	"DHL Express": "3318810025", "USPS Legacy": "9101123456789000000013",
}

// TestAChangedDigitIsNoticed changes one digit of what the check digit covers.
// And of all check digits exactly one is right.
func TestAChangedDigitIsNoticed(t *testing.T) {
	for _, f := range forms {
		if f.holds == nil {
			continue
		}
		sample, ok := checked[f.name]
		if !ok {
			t.Fatalf("no sample of %s", f.name)
		}
		found := f.shape.FindStringSubmatchIndex(sample)
		if found == nil {
			continue // another layout of the same form
		}
		serial, check := 2*f.shape.SubexpIndex("serial"), 2*f.shape.SubexpIndex("check")
		from, to := found[serial], found[serial+1]
		rapid.Check(t, func(t *rapid.T) {
			b := []byte(sample)
			// Any serial of the same shape, with the check digit that it has.
			for i := from; i < to; i++ {
				if b[i] >= '0' && b[i] <= '9' && rapid.Bool().Draw(t, "change") {
					was := b[i]
					b[i] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
					if !f.shape.Match(b) {
						b[i] = was
					}
				}
			}
			right := 0
			for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
				try := slices.Clone(b)
				try[found[check]] = byte(c)
				if m, ok := f.read(string(try)); ok && m.Check == Passed {
					right++
					b = try
				}
			}
			if right != 1 {
				t.Fatalf("%s: %d check digits are right", b, right)
			}
			at := rapid.IntRange(from, to-1).Draw(t, "at")
			if b[at] < '0' || b[at] > '9' {
				return
			}
			wrong := slices.Clone(b)
			by := rapid.IntRange(1, 9).Draw(t, "by")
			wrong[at] = byte('0' + (int(b[at]-'0')+by)%10)
			unseen := blind[f.name]
			if m, ok := f.read(string(wrong)); ok && m.Check == Passed && (unseen == nil || !unseen(by, at-from, b[found[check]])) {
				t.Fatalf("%s: %s passes as %s does", f.name, wrong, b)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	for _, n := range checked {
		f.Add(n)
	}
	f.Add("GM2951173225174494")
	f.Fuzz(func(t *testing.T, text string) {
		all := read(text)
		if d, m := Detect(text), Mistyped(text); len(d)+len(m) != len(all) {
			t.Fatalf("%d and %d of %d", len(d), len(m), len(all))
		}
		for _, m := range all {
			if m.Carrier == "" || m.Form == "" || m.Number == "" || rank(m) < 0 {
				t.Fatalf("%+v", m)
			}
			// What a form fits, nothing doubts, but for barcodes that hold more.
			if doubt := Doubt(m.Carrier, text); m.Check != Failed && doubt != "" && m.Number == carriers.Number(text) {
				t.Fatalf("%+v is doubted: %s", m, doubt)
			}
		}
	})
}
