package speech

import (
	"strconv"

	"golang.org/x/text/currency"

	"github.com/waybillhq/waybill/order"
)

// Amount writes minor units with the digits that ISO 4217 gives the currency. Not
// ok: that is no currency.
func (t *Tongue) Amount(minor int64, code string) (string, bool) {
	whole, ok := number(minor, code, t.group, t.decimal)
	if !ok {
		return "", false
	}
	symbol, form := t.symbols[code], t.money
	if symbol == "" {
		symbol = code
		if form == "CA" {
			form = "C A"
		}
	}
	return put(form, func(letter byte) (string, bool) {
		switch letter {
		case 'A':
			return whole, true
		case 'C':
			return symbol, true
		case ' ':
			return "\u00a0", true // amount and currency stay on one line
		}
		return "", false
	}), true
}

// Decimal is an amount as machines read it: 1234.50. Empty: that is no currency.
func Decimal(minor int64, code string) string {
	s, _ := number(minor, code, "", ".")
	return s
}

func number(minor int64, code, group, decimal string) (string, bool) {
	unit, err := currency.ParseISO(code)
	if err != nil || code != unit.String() {
		return "", false
	}
	scale := order.Decimals(code)
	digits := strconv.FormatUint(absolute(minor), 10)
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if part != "" {
		whole += decimal + part
	}
	if minor < 0 {
		whole = "-" + whole
	}
	return whole, true
}

func absolute(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
