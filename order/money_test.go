package order

import "testing"

func TestMoneyHasTheDecimalsOfItsCurrency(t *testing.T) {
	for want, got := range map[string]string{
		"12.05 EUR": Money(1205, "EUR"), "1205 JPY": Money(1205, "JPY"), "1.205 KWD": Money(1205, "KWD"), "0.05 (no currency)": Money(5, ""),
	} {
		equal(t, want, got, want)
	}
}
