package speech

import "strings"

// Words are what the words in braces stand for; one that is absent is not known.
type Words map[string]string

// When makes a condition hold, or not: {?name} says nothing, and is known only
// then.
func (w Words) When(condition string, holds bool) {
	if holds {
		w["?"+condition] = ""
	}
}

// Say is the first of the wordings whose words are all known: a fact that is missing
// leads to the next one. Where there is none, the answer names what the last and
// least demanding one lacks.
func (t *Tongue) Say(wordings []Line, known Words) (text, missing string) {
	for _, l := range wordings {
		if text, missing = t.Fill(l, known); missing == "" {
			return text, ""
		}
	}
	return "", missing
}

// Fill puts the words in, in one pass: what they hold is never read again. It names
// the first that is not known, and leaves that out.
func (t *Tongue) Fill(l Line, known Words) (text, missing string) {
	rest := t.Pick(l)
	if strings.IndexByte(rest, '{') < 0 {
		return rest, ""
	}
	var b strings.Builder
	b.Grow(2 * len(rest))
	for {
		before, word, after := cut(rest)
		b.WriteString(before)
		if word == "" {
			break
		}
		value, ok := known[word]
		if !ok && missing == "" {
			missing = word
		}
		b.WriteString(value)
		rest = after
	}
	// A short date or a carrier's words may end a sentence themselves.
	return strings.TrimSpace(strings.ReplaceAll(b.String(), "..", ".")), missing
}

// Unfilled lists the words in braces that a text has, in its order.
func Unfilled(text string) (words []string) {
	for {
		_, word, after := cut(text)
		if word == "" {
			return words
		}
		words, text = append(words, word), after
	}
}

// cut finds the first word in braces: small letters, digits and _, behind a ? if it
// is a condition.
func cut(s string) (before, word, after string) {
	for from := 0; ; {
		open := strings.IndexByte(s[from:], '{')
		if open < 0 {
			return s, "", ""
		}
		open += from
		end := open + 1
		if end < len(s) && s[end] == '?' {
			end++
		}
		name := end
		for end < len(s) && (s[end] >= 'a' && s[end] <= 'z' || s[end] >= '0' && s[end] <= '9' || s[end] == '_') {
			end++
		}
		if end > name && end < len(s) && s[end] == '}' {
			return s[:open], s[open+1 : end], s[end+1:]
		}
		from = open + 1
	}
}
