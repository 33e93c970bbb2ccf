// Package numbers says which carriers a tracking number can be of, and whether
// its check digit holds. Most shapes are shared and a check digit passes by
// chance once in ten, so there are often several answers: it lists them all and
// chooses none. The carrier that the warehouse states is believed; what stands
// here is for warning and for asking.
//
// The forms follow github.com/jkeen/tracking_number_data (MIT, see LICENSE),
// written anew for RE2 and without spaces; where they differ, the form says so.
package numbers

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Match is a carrier's form that a number has.
type Match struct {
	// Carrier is our code, like ups. The number of a post whose code we do not
	// know (S10) is of carrier "post"; Country says whose.
	Carrier string `json:"carrier"`
	Form    string `json:"form"`
	// Number is what the carrier tracks by: a label's barcode holds more.
	Number string `json:"number"`
	// Check says what the check digit says. Where the form has none, only its
	// shape speaks for the carrier.
	Check Check `json:"check"`
	// What the number says of itself, as far as its form has it. ZIP is the
	// destination's, with four more digits where given; Country is ISO 3166 of
	// the post that issued an S10; SSCC is GS1's serial shipping container code.
	Service string `json:"service,omitempty"`
	Shipper string `json:"shipper,omitempty"`
	ZIP     string `json:"zip,omitempty"`
	Country string `json:"country,omitempty"`
	SSCC    string `json:"sscc,omitempty"`
	// SecondOf are carriers that may have handed the parcel over under this
	// number, which then is its second: the parcel has another one of theirs.
	SecondOf []string `json:"second_of,omitempty"`
	// LastMile is the carrier that delivers it under a second number of its own.
	LastMile string `json:"last_mile,omitempty"`
}

// Check is what a check digit says.
type Check string

const (
	Passed Check = "passed"
	None   Check = "none"   // the form has no check digit that we know
	Failed Check = "failed" // only of numbers that are not the carrier's: a slip of the pen, or another's
)

// Detect lists every form that a number has, checked ones first. Spaces and
// case do not count. None is an answer as well.
func Detect(text string) []Match {
	return slices.DeleteFunc(read(text), func(m Match) bool { return m.Check == Failed })
}

// Mistyped lists the forms whose shape a number has, but not their check digit.
func Mistyped(text string) []Match {
	return slices.DeleteFunc(read(text), func(m Match) bool { return m.Check != Failed })
}

func read(text string) []Match {
	number := carriers.Number(text)
	var found []Match
	for i := range forms {
		if m, ok := forms[i].read(number); ok {
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b Match) int { return cmp.Compare(rank(a), rank(b)) })
	// A form with several layouts is said once, by the layout that fits.
	matches := []Match{}
	for _, m := range found {
		if !slices.ContainsFunc(matches, func(have Match) bool { return have.Form == m.Form && (m.Check == Failed || have.Number == m.Number) }) {
			matches = append(matches, m)
		}
	}
	return matches
}

func rank(m Match) int { return slices.Index([]Check{Passed, None, Failed}, m.Check) }

// Doubt says what speaks against a number being the carrier's, in a sentence
// without a capital; empty if nothing does. Of a carrier without forms here
// nothing is known, and a number without a form may be one that we do not know:
// neither is a doubt.
func Doubt(carrier, text string) string {
	if !slices.ContainsFunc(forms, func(f form) bool { return f.carrier == carrier }) {
		return ""
	}
	number := carriers.Number(text)
	var inside, wrong string
	var others []Match
	for _, m := range read(number) {
		switch {
		case !m.mayBe(carrier):
			if m.Check != Failed {
				others = append(others, m)
			}
		case m.Check == Failed:
			wrong = m.Form
		case m.Number == number:
			return ""
		default:
			inside = m.Number
		}
	}
	switch {
	case inside != "":
		return "is a barcode of " + carrier + ", which tracks the parcel by " + inside
	case wrong != "":
		return "has the form " + wrong + ", but its check digit is wrong" + orelse(others)
	case len(others) > 0:
		return "has no form of " + carrier + " that is known" + orelse(others)
	}
	return ""
}

func orelse(others []Match) string {
	if len(others) == 0 {
		return ""
	}
	return "; it can be of " + Names(others)
}

// Names lists carriers and forms for people.
func Names(matches []Match) string {
	names := make([]string, len(matches))
	for i, m := range matches {
		names[i] = m.Carrier + " (" + m.Form
		if m.Check == Passed {
			names[i] += ", check digit right"
		}
		names[i] += ")"
	}
	return strings.Join(names, ", ")
}

// mayBe says whether the match is a number that the carrier tracks: its own, one
// that it handed over, and, for posts, each other's S10.
func (m Match) mayBe(carrier string) bool {
	return m.Carrier == carrier || slices.Contains(m.SecondOf, carrier) || m.Form == s10Form && isPost(carrier)
}

// posts whose code is known, by the country that ends their S10 numbers.
var posts = map[string]string{"US": "usps", "CA": "canadapost", "DE": "dhl", "AU": "australiapost", "FR": "laposte"}

func isPost(carrier string) bool {
	for _, p := range posts {
		if p == carrier {
			return true
		}
	}
	return carrier == post
}

const post = "post"

// country says whether two letters are a country's of ISO 3166.
func country(code string) bool {
	r, err := language.ParseRegion(code)
	return err == nil && r.IsCountry() && !r.IsPrivateUse() && r.Canonicalize().String() == code
}
