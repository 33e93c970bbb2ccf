package gs1

import (
	"errors"
	"net/url"
	"strings"
)

// maxBarcode bounds a barcode's text, in bytes. A GS1 symbol holds far less.
const maxBarcode = 512

// separator is how scanners send FNC1 between elements: ASCII group separator.
const separator = "\x1d"

// Parcel is by what a barcode names a parcel.
type Parcel struct {
	// Number is an SSCC or a carrier's tracking number.
	Number string
	// SSCC: Number is one, so it is unique in the world without its carrier.
	SSCC bool
}

// ReadParcel finds the parcel's number in what a scanner sends: a GS1 element
// string in any form, a Digital Link, or a carrier's plain tracking number,
// which comes back as it is.
func ReadParcel(barcode string) (Parcel, error) {
	if len(barcode) > maxBarcode {
		return Parcel{}, errors.New("is too long for a barcode")
	}
	body, isGS1 := unprefixed(strings.TrimRight(barcode, "\r\n"))
	if !isGS1 {
		switch {
		case IsSSCC(body):
			return Parcel{body, true}, nil
		case len(body) == 20 && allDigits(body) && body[:2] == "00":
			// No separator and no symbology identifier: many scanners send neither.
		case !strings.Contains(body, separator) && !strings.HasPrefix(body, "(") && !isWeb(body):
			return Parcel{Number: body}, nil
		}
	}
	es, err := ReadElements(body)
	if err != nil {
		return Parcel{}, err
	}
	if sscc := SSCC(es); sscc != "" {
		return Parcel{sscc, true}, nil
	}
	// Carriers' own numbers stand behind internal AIs, and the AI's digits are a
	// part of them: USPS 92 to 95, FedEx Ground 96.
	for _, e := range es {
		if e.AI >= "91" && e.AI <= "99" && len(e.AI) == 2 {
			return Parcel{Number: e.AI + e.Value}, nil
		}
	}
	return Parcel{}, errors.New("names no parcel: it has no SSCC (00) and no carrier's number (91 to 99)")
}

// ReadElements reads an element string: as people read it, (00)..., as a scanner
// sends it, with or without symbology identifier, or as a Digital Link.
func ReadElements(barcode string) ([]Element, error) {
	if len(barcode) > maxBarcode {
		return nil, errors.New("is too long for a barcode")
	}
	body, _ := unprefixed(strings.TrimRight(barcode, "\r\n"))
	switch {
	case isWeb(body):
		return readLink(body)
	case strings.HasPrefix(body, "("):
		return readBracketed(strings.ReplaceAll(body, " ", ""))
	}
	return readRaw(body)
}

// unprefixed takes off the symbology identifier: ], a letter and a digit. GS1's
// own are those of GS1-128, DataBar, DataMatrix, QR and DotCode.
func unprefixed(s string) (body string, isGS1 bool) {
	if len(s) < 3 || s[0] != ']' {
		return s, false
	}
	switch s[:3] {
	case "]C1", "]e0", "]d2", "]Q3", "]J1":
		return s[3:], true
	}
	return s[3:], false
}

// readRaw reads elements behind one another. A leading separator stands for the
// FNC1 that says GS1.
func readRaw(s string) ([]Element, error) {
	s = strings.TrimPrefix(s, separator)
	var es []Element
	for s != "" {
		ai, f, err := leadingAI(s)
		if err != nil {
			return nil, err
		}
		s = s[len(ai):]
		end := strings.Index(s, separator)
		if end < 0 {
			end = len(s)
		}
		if f.closed && end > f.max {
			end = f.max
		}
		e, err := element(ai, s[:end])
		if err != nil {
			return nil, err
		}
		es = append(es, e)
		s = strings.TrimPrefix(s[end:], separator)
	}
	return some(es)
}

func leadingAI(s string) (string, format, error) {
	for n := 2; n <= 4 && n <= len(s); n++ {
		if f, ok := formatOf(s[:n]); ok {
			return s[:n], f, nil
		}
	}
	return "", format{}, errors.New("begins an element with an application identifier that is not known here")
}

// readBracketed reads (00)...(10)...: the text below a barcode. A value ends where
// the next bracket opens, so values with brackets cannot be read in this form.
func readBracketed(s string) ([]Element, error) {
	var es []Element
	for s != "" {
		if s[0] != '(' {
			return nil, errors.New("must begin each element with (application identifier)")
		}
		ai, rest, ok := strings.Cut(s[1:], ")")
		if !ok {
			return nil, errors.New("has a bracket that is not closed")
		}
		end := strings.IndexByte(rest, '(')
		if end < 0 {
			end = len(rest)
		}
		e, err := element(ai, rest[:end])
		if err != nil {
			return nil, err
		}
		es, s = append(es, e), rest[end:]
	}
	return some(es)
}

func isWeb(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// linkKeys are the AIs with which the path of a Digital Link may begin.
var linkKeys = map[string]bool{"00": true, "01": true, "401": true, "402": true, "414": true, "417": true, "8003": true, "8004": true}

// readLink reads a Digital Link of any host: somewhere in the path a key begins,
// and all behind it are pairs. Known AIs in the query belong to it.
func readLink(s string) ([]Element, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return nil, errors.New("is not a web address")
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	err = errors.New("is a web address without a GS1 key")
	for i := range parts {
		if !linkKeys[parts[i]] || (len(parts)-i)%2 != 0 {
			continue
		}
		var es []Element
		if es, err = pairs(parts[i:]); err == nil {
			return append(es, attributes(u.RawQuery)...), nil
		}
	}
	return nil, err
}

func pairs(parts []string) ([]Element, error) {
	var es []Element
	for i := 0; i+1 < len(parts); i += 2 {
		value, err := url.PathUnescape(parts[i+1])
		if err != nil {
			return nil, errors.New("has an escape that cannot be read")
		}
		e, err := element(parts[i], value)
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return es, nil
}

// attributes are the elements in a query; keys stand in the path. Whatever else is
// in it is not ours.
func attributes(query string) []Element {
	var es []Element
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		ai, escaped, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(escaped)
		if err != nil {
			continue
		}
		if e, err := element(ai, value); err == nil && ai != "00" && ai != "01" {
			es = append(es, e)
		}
	}
	return es
}

func some(es []Element) ([]Element, error) {
	if len(es) == 0 {
		return nil, errors.New("is empty")
	}
	return es, nil
}
