package api

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from outside safe to store, log and show: no control
// characters (PostgreSQL refuses NUL, terminals obey escapes), nothing that
// turns the reading direction of what follows, no bytes that are not UTF-8.
// Line breaks and tabs become spaces. The result has at most limit bytes and is
// cut between characters.
func clean(s string, limit int) string {
	if readable(s, limit) {
		return strings.TrimSpace(s)
	}
	if len(s) > 4*limit { // bounds the work; a character has at most 4 bytes
		s = s[:4*limit]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), turnsDirection(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	if len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.TrimSpace(s)
}

// readable says that nothing in s needs a closer look: printable ASCII, not too long.
func readable(s string, limit int) bool {
	if len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// turnsDirection is for the embedding, override and isolate characters that can
// make a line read as something else. The plain marks U+200E and U+200F belong
// to Hebrew and Arabic names and stay.
func turnsDirection(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// printable says that s can be an identity: what clean would change cannot.
func printable(s string) bool { return utf8.ValidString(s) && clean(s, len(s)) == s }
