// Package gs1 reads what GS1 labels and tags say: keys with their check digits,
// element strings in the three forms in which they reach a program, and EPC
// URNs. It is pure and total: whatever comes in, out comes what was read or an
// error that says why not. Sources of each fact are in NOTES.md.
//
// The vocabulary:
//
//   - A key names a thing: an SSCC one box or pallet, a GTIN a kind of goods, a
//     GRAI or GIAI a crate or a truck.
//   - An [Element] is one value and its application identifier (AI), which says
//     what the value means.
//   - An element string is what a barcode holds: elements behind one another.
package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// Element is a value and its application identifier.
type Element struct {
	AI    string // 2 to 4 digits
	Value string
}

// CheckDigit is the last digit that belongs behind digits: weights 3 and 1 in
// turn from the right, up to the next ten. false: they are not all digits.
func CheckDigit(digits string) (byte, bool) {
	if !allDigits(digits) {
		return 0, false
	}
	sum := 0
	for i := range len(digits) {
		weight := 3
		if (len(digits)-i)%2 == 0 {
			weight = 1
		}
		sum += weight * int(digits[i]-'0')
	}
	return byte('0' + (10-sum%10)%10), true
}

// IsSSCC says whether s is an SSCC: 18 digits, the last of which checks the others.
func IsSSCC(s string) bool { return len(s) == 18 && checked(s) }

// SSCC is the serial shipping container code among elements; empty: there is none.
func SSCC(es []Element) string {
	for _, e := range es {
		if e.AI == "00" {
			return e.Value
		}
	}
	return ""
}

// checked says whether the last digit of s checks the others.
func checked(s string) bool {
	if len(s) < 2 {
		return false
	}
	want, ok := CheckDigit(s[:len(s)-1])
	return ok && s[len(s)-1] == want
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// format of an AI's value.
type format struct {
	min, max int
	// digits: of how many leading characters only digits are allowed.
	digits int
	// check: the last of how many leading digits is a check digit; 0: none.
	check int
	// date: YYMMDD, where day 00 is the end of the month.
	date bool
	// closed: its length is known without a separator. That is a matter of the
	// AI's first two digits, not of min and max.
	closed bool
}

func (f format) fits(value string) error {
	switch {
	case len(value) < f.min || len(value) > f.max:
		if f.min == f.max {
			return fmt.Errorf("must have %d characters", f.max)
		}
		return fmt.Errorf("must have %d to %d characters", f.min, f.max)
	case f.digits > 0 && !allDigits(value[:min(f.digits, len(value))]):
		return errors.New("must be digits")
	case f.check > 0 && !checked(value[:f.check]):
		return errors.New("has a wrong check digit")
	case f.date && !isDate(value):
		return errors.New("is no date YYMMDD")
	}
	for i := range len(value) {
		if !inCharset(value[i]) {
			return errors.New("has a character that GS1 does not allow")
		}
	}
	return nil
}

func key(length int) format { return format{min: length, max: length, digits: length, check: length} }
func text(most int) format  { return format{min: 1, max: most} }
func number(least, most int) format {
	return format{min: least, max: most, digits: most}
}

// formats of the AIs that labels of parcels and pallets carry.
var formats = map[string]format{
	"00": key(18), "01": key(14), "02": key(14), // SSCC, GTIN, GTIN of what is inside
	"10": text(20), "21": text(20), "22": text(20), // batch, serial, variant
	"11": {min: 6, max: 6, digits: 6, date: true}, "12": {min: 6, max: 6, digits: 6, date: true}, "13": {min: 6, max: 6, digits: 6, date: true},
	"15": {min: 6, max: 6, digits: 6, date: true}, "16": {min: 6, max: 6, digits: 6, date: true}, "17": {min: 6, max: 6, digits: 6, date: true},
	"20": number(2, 2), "30": number(1, 8), "37": number(1, 8), // variant, counts
	"240": text(30), "241": text(30), "250": text(30),
	"400": text(30), "401": text(30), "402": key(17), "403": text(30), // order, GINC, GSIN, routing code
	"410": key(13), "411": key(13), "412": key(13), "413": key(13), "414": key(13), "415": key(13), "416": key(13), "417": key(13), // GLNs
	"420": text(20), "421": {min: 4, max: 12, digits: 3}, "422": number(3, 3), // ship-to postal code, with country; origin
	"8003": {min: 14, max: 30, digits: 14, check: 14}, "8004": text(30), // GRAI, GIAI
	"90": text(30), "91": text(90), "92": text(90), "93": text(90), "94": text(90), "95": text(90), "96": text(90), "97": text(90), "98": text(90), "99": text(90),
}

// formatOf finds an AI's format. AIs 31nn to 36nn are weights and measures.
func formatOf(ai string) (format, bool) {
	f, ok := formats[ai]
	if !ok && len(ai) == 4 && allDigits(ai) && ai[0] == '3' && ai[1] >= '1' && ai[1] <= '6' {
		f, ok = number(6, 6), true
	}
	f.closed = ok && closed(ai)
	return f, ok
}

// closed AIs need no separator behind their value, by their first two digits.
func closed(ai string) bool {
	switch two := ai[:2]; {
	case two <= "04", two >= "11" && two <= "20", two >= "31" && two <= "36", two == "41":
		return true
	}
	return false
}

// element makes one after checking it.
func element(ai, value string) (Element, error) {
	f, ok := formatOf(ai)
	if !ok {
		return Element{}, errors.New("application identifier " + shown(ai) + " is not known here")
	}
	if err := f.fits(value); err != nil {
		return Element{}, fmt.Errorf("the value of application identifier %s %w", ai, err)
	}
	return Element{ai, value}, nil
}

// shown makes an unknown AI safe to repeat.
func shown(ai string) string {
	if len(ai) > 4 || !allDigits(ai) {
		return "of other than 2 to 4 digits"
	}
	return ai
}

// inCharset is GS1's set of 82 characters.
func inCharset(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c != 0 && strings.IndexByte(`!"%&'()*+,-./:;<=>?_`, c) >= 0
}

func isDate(s string) bool {
	month, day := int(s[2]-'0')*10+int(s[3]-'0'), int(s[4]-'0')*10+int(s[5]-'0')
	if month < 1 || month > 12 {
		return false
	}
	days := 31
	switch month {
	case 4, 6, 9, 11:
		days = 30
	case 2:
		days = 29 // the century is not told
	}
	return day <= days
}
