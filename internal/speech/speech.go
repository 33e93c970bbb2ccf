// Package speech is the languages that buyers are spoken to in: which there are,
// which one a reader wants, how each writes days, windows and amounts, and how the
// words of a text are filled in. What is said stands where it is said, as [Line]s.
package speech

import (
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// Line is one text in every language: English, German, Spanish, Brazilian
// Portuguese. Words in braces are filled in, see [Tongue.Say].
type Line [4]string

// Tongue is one of the languages, and how it writes dates and amounts. Times are
// written with 24 hours everywhere.
type Tongue struct {
	tag, name string
	index     int        // in a Line
	days      [7]string  // from Sunday on
	months    [12]string // in full
	letters   int        // of a short weekday

	// Forms of a day: weekday W or short S, day D, month M, short N or as a number
	// #, year Y.
	day   string // Tuesday 24 November
	date  string // Tuesday 24 November 2026
	short string // Tue 24 Nov
	brief string // 24 Nov
	// on is what comes before a day on which something happens, and onWeekend
	// before one of a weekend.
	on, onWeekend string

	// Forms of hours: H; X and Y.
	hour    string // in a sentence
	comma   string // between a day and its hour there
	behind  string // behind a day, on a line of its own
	span    string // between two clock times, behind a day
	hours   string // the same on a line of its own
	between string // two days
	// A deadline: act by, kept until; and an open beginning.
	by, until, since    string
	shortBy, shortUntil string

	decimal, group string
	// money is for symbols of one letter and more; A is the amount, C the currency.
	money   string
	symbols map[string]string
}

// Tongues lists the languages, English first.
func Tongues() []*Tongue { return tongues }

// Tag is the language in BCP 47, as in HTML's lang.
func (t *Tongue) Tag() string { return t.tag }

// Name is what the language calls itself.
func (t *Tongue) Name() string { return t.name }

// Pick is the line in this language.
func (t *Tongue) Pick(l Line) string { return l[t.index] }

var matcher = language.NewMatcher([]language.Tag{language.English, language.German, language.Spanish, language.BrazilianPortuguese})

// Find is the language of a BCP 47 tag, if it is one of ours: de, de-AT, pt.
func Find(tag string) (*Tongue, bool) {
	if t, ok := plain(tag); ok || tag == "" || len(tag) > 35 { // RFC 5646, 4.4.1
		return t, ok
	}
	parsed, err := language.Parse(tag) // other names of ours: deu
	if err != nil {
		return nil, false
	}
	_, i, confidence := matcher.Match(parsed)
	if confidence < language.High {
		return nil, false
	}
	return tongues[i], true
}

// plain finds a tag by its first part, without looking anything up.
func plain(tag string) (*Tongue, bool) {
	if len(tag) < 2 || len(tag) > 35 || len(tag) > 2 && tag[2] != '-' && tag[2] != '_' {
		return nil, false
	}
	for _, t := range tongues {
		if tag[0]|0x20 == t.tag[0] && tag[1]|0x20 == t.tag[1] {
			return t, true
		}
	}
	return nil, false
}

// Of is the language of a BCP 47 tag, and English for what we do not speak.
func Of(tag string) *Tongue {
	if t, ok := Find(tag); ok {
		return t
	}
	return tongues[0]
}

// maxAccepted is the longest Accept-Language that is read, in bytes. Browsers send
// a few dozen.
const maxAccepted = 512

// Accepted is the language of ours that a reader wants most, by the Accept-Language
// of a request (RFC 9110, 12.5.4). Not ok: it names none of ours.
func Accepted(header string) (best *Tongue, ok bool) {
	if len(header) > maxAccepted {
		return nil, false
	}
	most := 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		t, ours := plain(strings.TrimSpace(tag))
		if !ours {
			continue
		}
		q := 1.0
		if weighted {
			var err error
			number, is := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			if q, err = strconv.ParseFloat(number, 64); !is || err != nil || q > 1 {
				continue
			}
		}
		if q > most {
			best, most = t, q
		}
	}
	return best, best != nil
}
