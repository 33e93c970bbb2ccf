package templates

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// clean makes text from outside fit for one line of a message: html/template
// keeps it from running, this keeps it from lying (direction overrides, control
// characters), from ending a header and from flooding the mail.
func clean(s string, max int) string {
	if len(s) > 16*max { // not worth reading to its end
		s = s[:16*max]
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Noncharacter_Code_Point):
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	marks, kept := 0, runes[:0]
	for _, r := range runes {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > 3 { // a tower of accents covers the lines above it
			continue
		}
		if kept = append(kept, r); len(kept) == max {
			break
		}
	}
	return strings.TrimSpace(string(kept))
}

var linkish = regexp.MustCompile(`([\pL\pN-])\.(\pL)`)

// defused is clean, and nothing in it that a mail program makes a link of:
// carriers and storefronts write it, and buyers trust it.
func defused(s string, max int) string {
	s = strings.NewReplacer("://", " ", "@", " at ").Replace(clean(s, max))
	for range 2 { // a.b.c: matches do not overlap
		s = linkish.ReplaceAllString(s, "$1. $2")
	}
	return clean(s, max)
}

var given = regexp.MustCompile(`^[\pL\pM][\pL\pM' ’.-]*$`)

// firstName is a name to greet with, or nothing: who writes "http://..." or
// 10,000 letters into the field for a name is greeted without one.
func firstName(s string) string {
	s = clean(s, 200)
	if n := len([]rune(s)); n > 40 || !given.MatchString(s) || linkish.MatchString(s) {
		return ""
	}
	return s
}

// link is an address that may stand in a mail: http or https with a host and
// nothing hidden in it. Otherwise empty.
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2000 || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"'`\\{}|^", r) }) {
		return ""
	}
	return s
}

var hex = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// ink is black or white, whichever reads better on the colour (WCAG 2.2, 1.4.3).
func ink(colour string) string {
	var lum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := float64(unhex(colour[1+2*i])<<4|unhex(colour[2+2*i])) / 255
		lum += weight * v * v // close enough to sRGB's curve to choose between two
	}
	if (lum+0.05)/0.05 > 1.05/(lum+0.05) {
		return "#000000"
	}
	return "#ffffff"
}

func unhex(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	case c >= 'a':
		return int(c-'a') + 10
	}
	return int(c-'A') + 10
}
