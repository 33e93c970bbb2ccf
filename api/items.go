package api

import (
	"bytes"
	"encoding/json"
)

// Reading facts is the busiest thing that the API does, and nearly all of them
// look alike. What is here reads the plain ones in one pass; whatever is out of
// the ordinary is left to encoding/json, which also says what is wrong with it.

// members walks over an object, or over an array without names, in JSON that is
// known to be well formed. It gives each name as it is written, quotes included.
func members(b []byte, each func(name, value []byte)) {
	i := space(b, 0)
	object := b[i] == '{'
	i = space(b, i+1)
	for b[i] != '}' && b[i] != ']' {
		var name []byte
		if object {
			j := valueEnd(b, i)
			name, i = b[i:j], space(b, j)
			i = space(b, i+1) // the colon
		}
		j := valueEnd(b, i)
		each(name, b[i:j:j])
		if i = space(b, j); b[i] == ',' {
			i = space(b, i+1)
		}
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// valueEnd is where the value that begins at i ends, in well-formed JSON.
func valueEnd(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1 + min(depth, 0) // below 0: a number that its object ends
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// fields is an item whose fields are found by name: *string, **string, *bool or
// **bool; nil if there is no such field.
type fields interface{ field(name string) any }

func (it *scanItem) field(name string) any {
	switch name {
	case "id":
		return &it.ID
	case "kind":
		return &it.Kind
	case "order":
		return &it.Order
	case "parcel":
		return &it.Parcel
	case "carrier":
		return &it.Carrier
	case "tracking":
		return &it.Tracking
	case "barcode":
		return &it.Barcode
	case "occurred_at":
		return &it.OccurredAt
	case "location":
		return &it.Location
	case "station":
		return &it.Station
	}
	return nil
}

func (it *carrierItem) field(name string) any {
	switch name {
	case "id":
		return &it.ID
	case "tracking":
		return &it.Tracking
	case "milestone":
		return &it.Milestone
	case "physical":
		return &it.Physical
	case "code":
		return &it.Code
	case "bucket":
		return &it.Bucket
	case "description":
		return &it.Description
	case "location":
		return &it.Location
	case "occurred_at":
		return &it.OccurredAt
	case "eta":
		return &it.ETA
	case "correction":
		return &it.Correction
	}
	return nil
}

// readPlain reads an object of known fields with strings that need no unescaping.
// false: it is not that, and part of it may have been read.
func readPlain(raw json.RawMessage, into fields) bool {
	text := string(raw) // what is read are parts of it
	i, open := token(text, 0, '{')
	if !open {
		return false
	}
	if end, empty := token(text, i, '}'); empty {
		return rest(text, end)
	}
	for {
		name, next, ok := plainString(text, i)
		if !ok {
			return false
		}
		if i, ok = token(text, next, ':'); !ok {
			return false
		}
		switch field := into.field(name).(type) {
		case *string:
			*field, i, ok = plainString(text, i)
		case **string:
			*field = new(string)
			**field, i, ok = plainString(text, i)
		case *bool:
			*field, i, ok = plainBool(text, i)
		case **bool:
			*field = new(bool)
			**field, i, ok = plainBool(text, i)
		default:
			return false
		}
		if !ok {
			return false
		}
		next, more := token(text, i, ',')
		if !more {
			end, closed := token(text, i, '}')
			return closed && rest(text, end)
		}
		i = next
	}
}

func token(s string, i int, c byte) (next int, ok bool) {
	i = skip(s, i)
	return i + 1, i < len(s) && s[i] == c
}

func rest(s string, i int) bool { return skip(s, i) == len(s) }

func skip(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

func plainString(s string, i int) (text string, next int, ok bool) {
	i, ok = token(s, i, '"')
	if !ok {
		return "", 0, false
	}
	for j := i; j < len(s); j++ {
		switch c := s[j]; {
		case c == '"':
			return s[i:j], j + 1, true
		case c == '\\', c < ' ':
			return "", 0, false
		}
	}
	return "", 0, false
}

func plainBool(s string, i int) (value bool, next int, ok bool) {
	i = skip(s, i)
	switch {
	case len(s) >= i+4 && s[i:i+4] == "true":
		return true, i + 4, true
	case len(s) >= i+5 && s[i:i+5] == "false":
		return false, i + 5, true
	}
	return false, 0, false
}

// named says whether a member's name, as written, is that name.
func named(written []byte, name string) bool {
	if !bytes.ContainsRune(written, '\\') {
		return string(written[1:len(written)-1]) == name
	}
	var s string
	return json.Unmarshal(written, &s) == nil && s == name
}

// word says whether s has 1 to most bytes, one of first and then of rest.
func word(s string, most int, first, rest string) bool {
	if s == "" || len(s) > most || !among(s[0], first) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !among(s[i], rest) {
			return false
		}
	}
	return true
}

// among says whether c is in a class: "a" stands for a to z, "A" for A to Z, "0"
// for 0 to 9, anything else for itself.
func among(c byte, class string) bool {
	for i := range len(class) {
		switch k := class[i]; k {
		case 'a', 'A':
			if c >= k && c < k+26 {
				return true
			}
		case '0':
			if c >= '0' && c <= '9' {
				return true
			}
		default:
			if c == k {
				return true
			}
		}
	}
	return false
}
