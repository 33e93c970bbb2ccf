package messaging

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The default alphabet of 3GPP TS 23.038, section 6.2.1, without the escape, and
// its extension table, whose characters cost two.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

var gsmCost = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range gsmBasic {
		m[r] = 1
	}
	for _, r := range gsmExtended {
		m[r] = 2
	}
	return m
}()

// lookalikes stand for characters that only a keyboard's helpfulness put there.
var lookalikes = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`, "‹", "'", "›", "'",
	"–", "-", "—", "-", "‐", "-", "‑", "-", "−", "-", "…", "...", "•", "-", "·", "-", "×", "x",
	"™", "TM", "®", "(R)", "©", "(C)", "º", "o", "ª", "a", "ı", "i", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "œ", "oe", "Œ", "OE", "ẞ", "SS",
)

// Plain writes a text so that a phone network's own alphabet can carry it where
// that loses nothing but looks: typographic quotes and dashes become plain,
// accents that GSM-7 does not have are dropped (Ação becomes Acao, but é and ü
// stay), emoji and other symbols go. What is left in another script stays: it
// costs UCS-2 rather than its meaning.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || unicode.Is(unicode.Zs, r):
			return ' '
		case gsmCost[r] > 0:
			return r
		case unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Co, unicode.Cs, unicode.Cc, unicode.Variation_Selector):
			return -1
		}
		return r
	}, lookalikes.Replace(norm.NFC.String(strings.ToValidUTF8(s, "")))) // some are each other's twins: U+0387 is U+00B7
	var b strings.Builder
	var letters norm.Iter // each a letter with its marks
	for letters.InitString(norm.NFC, s); !letters.Done(); {
		letter := letters.Next()
		r, size := utf8.DecodeRune(letter)
		base, _ := utf8.DecodeRune(norm.NFD.Bytes(letter))
		switch {
		case gsmCost[r] > 0 && size == len(letter):
			b.WriteRune(r)
		case gsmCost[base] > 0:
			b.WriteRune(base)
		case !unicode.Is(unicode.M, r): // a mark without a letter is nothing
			b.Write(letter)
		}
	}
	return strings.TrimSpace(b.String())
}

// Segments counts the messages that a text is billed as. GSM-7 holds 160
// septets, or 153 in each of several; UCS-2 70 units of 16 bit, or 67. Neither
// an escape pair nor a surrogate pair is split between two.
func Segments(s string) (n int, gsm bool) {
	gsm = true
	for _, r := range s {
		gsm = gsm && gsmCost[r] > 0
	}
	single, several := 160, 153
	cost := func(r rune) int { return gsmCost[r] }
	if !gsm {
		single, several = 70, 67
		cost = func(r rune) int { return max(1, utf16.RuneLen(r)) }
	}
	total, used := 0, 0
	n = 1
	for _, r := range s {
		c := cost(r)
		total += c
		if used += c; used > several {
			n, used = n+1, c
		}
	}
	if total <= single {
		return 1, gsm
	}
	return n, gsm
}
