package carriers

import (
	"strings"
	"unicode"
)

var displayNames = map[string]string{
	"ups": "UPS", "usps": "USPS", "fedex": "FedEx", "dhl": "DHL", "dhl_express": "DHL Express", "mydhl": "DHL Express",
	"dhl_parcel_de": "DHL", "dpd": "DPD", "gls": "GLS", "hermes": "Hermes", "evri": "Evri", "royal_mail": "Royal Mail",
	"canadapost": "Canada Post", "australiapost": "Australia Post", "laposte": "La Poste", "colissimo": "Colissimo",
	"amazon_shipping": "Amazon Shipping", "postnl": "PostNL", "bpost": "bpost", "ontrac": "OnTrac", "lasership": "LaserShip",
}

// DisplayName is a carrier's code as buyers know it: UPS, Own Fleet.
func DisplayName(code string) string {
	if name, ok := displayNames[code]; ok {
		return name
	}
	parts := strings.FieldsFunc(code, func(r rune) bool { return r == '_' || r == '-' })
	for i, p := range parts {
		r := []rune(p)
		r[0] = unicode.ToUpper(r[0])
		parts[i] = string(r)
	}
	return strings.Join(parts, " ")
}
