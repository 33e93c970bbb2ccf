package pages

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from outside fit to show: html/template keeps it from
// running, this keeps it from lying (bidi overrides, control characters) and
// from flooding the page.
func clean(s string, max int) string {
	var b strings.Builder
	n, space := 0, false
	for i, r := range s {
		if r == utf8.RuneError {
			if _, w := utf8.DecodeRuneInString(s[i:]); w == 1 {
				continue
			}
		}
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), invisible(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		if n >= max {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// invisible runes reorder or hide text. The joiners U+200C and U+200D stay:
// Persian, Indic scripts and emoji need them.
func invisible(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C,
		r == 0x200B, r == 0x2060, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE007F:
		return true
	}
	return false
}

var digits = regexp.MustCompile(`[0-9]`)

// town leaves the part of a carrier's place that names a town: whatever has a
// number in it may be a street, so it goes. A buyer's address never stands on a
// page that a link alone opens.
func town(place string) string {
	var keep []string
	for part := range strings.SplitSeq(clean(place, 120), ",") {
		words := strings.Fields(part)
		if len(words) > 1 && digits.MatchString(words[len(words)-1]) && len(words[0]) <= 3 && !digits.MatchString(words[0]) {
			words = words[:1] // "KY 40202"
		}
		if p := strings.Join(words, " "); p != "" && !digits.MatchString(p) {
			keep = append(keep, p)
		}
	}
	return clean(strings.Join(keep, ", "), 60)
}

var storePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func storeID(id string) bool { return storePattern.MatchString(id) }

// mailbox is an address fit for a mailto link, or nothing.
func mailbox(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || strings.ContainsAny(s, "?&%\"<> ") {
		return ""
	}
	return s
}

// webAddress is a link fit for a page, or nothing.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}
