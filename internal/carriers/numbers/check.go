package numbers

import "strings"

// The check digits. Serials are digits, and for UPS also capital letters: the
// shapes see to that.

// alternate weighs 1, 2, 1, 2 from the left without folding; letters count as
// UPS counts them.
func alternate(serial, check string) bool {
	sum := 0
	for i := range len(serial) {
		sum += value(serial[i]) * (1 + i%2)
	}
	return (10-sum%10)%10 == value(check[0])
}

// value of a letter is its place in ASCII less three, mod ten: A is 2, B is 3.
func value(c byte) int {
	if c >= 'A' {
		return int(c-3) % 10
	}
	return int(c - '0')
}

// gs1 weighs 3, 1, 3, 1 from the right.
func gs1(serial, check string) bool {
	sum := 0
	for i := range len(serial) {
		sum += value(serial[len(serial)-1-i]) * (3 - 2*(i%2))
	}
	return (10-sum%10)%10 == value(check[0])
}

// weighted repeats the weights from the left; FedEx takes the sum mod 11 mod 10.
func weighted(weights ...int) func(serial, check string) bool {
	return func(serial, check string) bool {
		sum := 0
		for i := range len(serial) {
			sum += value(serial[i]) * weights[i%len(weights)]
		}
		return sum%11%10 == value(check[0])
	}
}

// begins counts a first digit along that is often left out.
func begins(with string, holds func(serial, check string) bool) func(serial, check string) bool {
	return func(serial, check string) bool {
		if !strings.HasPrefix(serial, with) {
			serial = with + serial
		}
		return holds(serial, check)
	}
}

// legacy counts the identifier 91 along where the label leaves it out.
var legacy = begins("91", gs1)

func mod7(serial, check string) bool {
	rest := 0
	for i := range len(serial) {
		rest = (rest*10 + value(serial[i])) % 7
	}
	return rest == value(check[0])
}

// s10 is the UPU's: weights 8 6 4 2 3 5 9 7, sum mod 11.
func s10(serial, check string) bool {
	sum := 0
	for i, w := range []int{8, 6, 4, 2, 3, 5, 9, 7} {
		sum += value(serial[i]) * w
	}
	digit := 11 - sum%11
	switch digit {
	case 10:
		digit = 0
	case 11:
		digit = 5
	}
	return digit == value(check[0])
}

// luhn doubles every second digit from the right and adds up digits.
func luhn(serial, check string) bool {
	sum := 0
	for i := range len(serial) {
		d := value(serial[len(serial)-1-i])
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10-sum%10)%10 == value(check[0])
}

// mod3736 is ISO 7064 mod 37,36: the check character may be a letter.
func mod3736(serial, check string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	rest := 36
	for i := range len(serial) {
		rest = (rest + strings.IndexByte(alphabet, serial[i])) % 36
		if rest == 0 {
			rest = 36
		}
		rest = rest * 2 % 37
	}
	return (37-rest)%36 == strings.IndexByte(alphabet, check[0])
}
