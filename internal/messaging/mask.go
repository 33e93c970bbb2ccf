package messaging

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaskPhone keeps what tells two numbers apart for support, and no more:
// +4915112345612 is +49*********12.
func MaskPhone(s string) string {
	const head, tail = 3, 2
	if len(s) < head+tail+4 || !utf8.ValidString(s) {
		return "***"
	}
	return s[:head] + strings.Repeat("*", len(s)-head-tail) + s[len(s)-tail:]
}

// MaskAddress keeps the first letter and the domain: a***@example.com.
func MaskAddress(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || !utf8.ValidString(s) {
		return "***"
	}
	_, first := utf8.DecodeRuneInString(s)
	return s[:first] + "***" + s[at:]
}

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	address = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")
)

// Valid says whether the number has E.164's form: ITU-T E.164, at most 15 digits.
func (p Phone) Valid() bool { return e164.MatchString(string(p)) }

// Valid says whether the address has the form that HTML's input type email
// accepts (WHATWG), with a dot in the domain and the lengths of RFC 5321.
// Internationalised local parts (RFC 6531) are refused: SendGrid refuses them too.
func (a Address) Valid() bool { return len(a) <= 254 && address.MatchString(string(a)) }
