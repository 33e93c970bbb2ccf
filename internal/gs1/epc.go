package gs1

import (
	"errors"
	"net/url"
	"strings"
)

const urn = "urn:epc:id:"

// ReadEPC reads the identifier of one thing, as EPCIS 2.0 writes it: an EPC URN
// of an SSCC, SGTIN, GRAI or GIAI, or a Digital Link. SGTIN becomes GTIN and
// serial.
func ReadEPC(id string) ([]Element, error) {
	if len(id) > maxBarcode {
		return nil, errors.New("is too long for an EPC")
	}
	if isWeb(id) {
		return readLink(id)
	}
	rest, ok := strings.CutPrefix(id, urn)
	if !ok {
		return nil, errors.New("is neither an EPC URN nor a Digital Link")
	}
	scheme, rest, _ := strings.Cut(rest, ":")
	parts := strings.Split(rest, ".")
	prefix := parts[0]
	if len(prefix) < 6 || len(prefix) > 12 || !allDigits(prefix) {
		return nil, errors.New("has a company prefix that is not 6 to 12 digits")
	}
	switch scheme {
	case "sscc":
		if len(parts) == 2 && len(parts[1]) == 17-len(prefix) && allDigits(parts[1]) {
			return checkedKey("00", parts[1][:1]+prefix+parts[1][1:])
		}
		return nil, errors.New("must have 17 digits in an SSCC")
	case "sgtin":
		// Serials are escaped, but for the dot.
		if len(parts) < 3 || len(parts[1]) != 13-len(prefix) || !allDigits(parts[1]) {
			return nil, errors.New("must have 13 digits and a serial in an SGTIN")
		}
		es, err := checkedKey("01", parts[1][:1]+prefix+parts[1][1:])
		return with(es, err, "21", strings.Join(parts[2:], "."))
	case "grai":
		serial := strings.Join(parts[min(2, len(parts)):], ".")
		if serial == "" || len(prefix)+len(parts[1]) != 12 || parts[1] != "" && !allDigits(parts[1]) {
			return nil, errors.New("must have 12 digits and a serial in a GRAI")
		}
		check, _ := CheckDigit("0" + prefix + parts[1])
		return with(nil, nil, "8003", "0"+prefix+parts[1]+string(check)+serial)
	case "giai":
		reference := strings.Join(parts[1:], ".")
		if reference == "" {
			return nil, errors.New("must have a reference in a GIAI")
		}
		return with(nil, nil, "8004", prefix+reference)
	}
	return nil, errors.New("is an EPC of a kind that is not known here")
}

func checkedKey(ai, digits string) ([]Element, error) {
	check, _ := CheckDigit(digits)
	e, err := element(ai, digits+string(check))
	return []Element{e}, err
}

// with adds an element whose value is escaped as in a URN.
func with(es []Element, err error, ai, escaped string) ([]Element, error) {
	if err != nil {
		return nil, err
	}
	value, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, errors.New("has an escape that cannot be read")
	}
	e, err := element(ai, value)
	if err != nil {
		return nil, err
	}
	return append(es, e), nil
}

// URN writes elements as an EPC URN. The key does not say how long its company
// prefix is: 6 to 12 digits.
func URN(es []Element, prefix int) (string, error) {
	if prefix < 6 || prefix > 12 {
		return "", errors.New("a company prefix has 6 to 12 digits")
	}
	if len(es) == 0 {
		return "", errors.New("no key")
	}
	k, err := element(es[0].AI, es[0].Value)
	if err != nil {
		return "", err
	}
	v := k.Value
	switch {
	case k.AI == "00":
		return urn + "sscc:" + v[1:1+prefix] + "." + v[:1] + v[1+prefix:17], nil
	case k.AI == "01" && len(es) == 2 && es[1].AI == "21" && es[1].Value != "":
		return urn + "sgtin:" + v[1:1+prefix] + "." + v[:1] + v[1+prefix:13] + "." + escape(es[1].Value), nil
	case k.AI == "8003" && len(v) > 14 && v[0] == '0':
		return urn + "grai:" + v[1:1+prefix] + "." + v[1+prefix:13] + "." + escape(v[14:]), nil
	case k.AI == "8004" && len(v) > prefix && allDigits(v[:prefix]):
		return urn + "giai:" + v[:prefix] + "." + escape(v[prefix:]), nil
	}
	return "", errors.New("application identifier " + k.AI + " names no single thing here")
}

// escape writes the characters that must not stand in a URN as %hh.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(`"%&/<>?`, c) >= 0 {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
