package carriers

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a carrier's text safe to keep and show: valid UTF-8, no control
// or direction-changing characters, one line, at most max bytes.
func Clean(s string, max int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > max {
		_, n := utf8.DecodeLastRuneInString(s[:max+1])
		s = s[:max+1-n]
	}
	return s
}

// Present says that a JSON field holds something, and keeps nothing of it.
type Present bool

// UnmarshalJSON never fails: what stands there does not matter.
func (p *Present) UnmarshalJSON(b []byte) error {
	switch strings.TrimSpace(string(b)) {
	case "null", "false", "0", "{}", "[]":
		*p = false
	default:
		*p = len(strings.Trim(string(b), "\" \t\r\n")) > 0
	}
	return nil
}

// Proofs names those that are there.
func Proofs(name, signature, photo, document Present) string {
	var there []string
	for i, p := range []Present{name, signature, photo, document} {
		if p {
			there = append(there, []string{"name", "signature", "photo", "document"}[i])
		}
	}
	return strings.Join(there, ", ")
}

// Place joins the parts of a location that are there.
func Place(parts ...string) string {
	var keep []string
	for _, p := range parts {
		if p = Clean(p, 60); p != "" {
			keep = append(keep, p)
		}
	}
	return Clean(strings.Join(keep, ", "), 120)
}

// Number brings a tracking number into the form in which parcels carry it.
func Number(s string) string {
	return Whole(strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, Clean(s, 80))))
}

// Whole puts back what belongs to DHL's parcel numbers: they are SSCCs with GS1's
// application identifier 00 in front, which scanners, EPCIS and others leave away.
// Any other number is left as it is.
func Whole(number string) string {
	if len(number) == 18 && strings.HasPrefix(number, "340434") && strings.Trim(number, "0123456789") == "" { // Deutsche Post's prefix
		return "00" + number
	}
	return number
}

// IsNumber says whether s can be a tracking number: 4 to 40 capital letters,
// digits and -, beginning with a letter or digit.
func IsNumber(s string) bool {
	if len(s) < 4 || len(s) > 40 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// Pieces reads a count of pieces, as a number or as text; 0 if it is none.
func Pieces(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > MaxPieces {
		return 0
	}
	return n
}
