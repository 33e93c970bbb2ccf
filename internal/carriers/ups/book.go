package ups

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// bookings are what UPS makes for returns.
var bookings = []order.BookingKind{order.BookLabel, order.BookPickup}

// printReturnLabel is UPS's return service whose label we hand out ourselves.
const printReturnLabel = "9"

// labelFormat is the picture that every UPS account may have.
var labelFormat = map[string]any{"LabelImageFormat": map[string]string{"Code": "GIF"}, "HTTPUserAgent": "Mozilla/4.5"}

// book asks for a return shipment (Shipping) or a pickup (Pickup Creation).
func book(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return j.Answered(said[0], labelled, collected)
	}
	if err := j.Check(bookings); err != nil {
		return t, err
	}
	if len(j.Number) != 6 {
		return t, errors.New("UPS wants an account to charge: set account of the credential, six letters and digits")
	}
	path, body := "/api/shipments/v2409/ship", map[string]any{}
	if j.Kind == order.BookPickup {
		path = "/api/pickupcreation/v2409/pickup"
		body["PickupCreationRequest"], err = pickupCreation(j)
	} else {
		body["ShipmentRequest"], err = returnShipment(j)
	}
	if err != nil {
		return t, err
	}
	t.Makes = true
	if t.Request, err = carriers.Post(j.BaseURL+path, body); err == nil {
		identify(t.Request, j.Question)
	}
	return t, err
}

// service is UPS's: that of the credential, else ground or standard.
func service(j carriers.Job) string {
	switch {
	case j.Service != "":
		return j.Service
	case carriers.American(j.From.Country):
		return "03"
	}
	return "11"
}

func returnShipment(j carriers.Job) (map[string]any, error) {
	from, err := party("buyer's", j.From)
	if err != nil {
		return nil, err
	}
	to, err := party("returns", j.To)
	if err != nil {
		return nil, err
	}
	shipper := map[string]any{"Name": to["Name"], "ShipperNumber": j.Number, "Address": to["Address"]}
	reference := []map[string]string{{"Value": j.Reference}}
	box := map[string]any{"Description": "Returned goods", "Packaging": map[string]string{"Code": "02"}, "PackageWeight": weight(j)}
	unit, sides := "CM", j.Centimetres
	if carriers.American(j.From.Country) {
		unit, sides = "IN", j.Inches
	}
	if l, w, h, known := sides(); known {
		side := func(long float64) string { return strconv.FormatFloat(long, 'f', 2, 64) }
		box["Dimensions"] = map[string]any{"UnitOfMeasurement": map[string]string{"Code": unit}, "Length": side(l), "Width": side(w), "Height": side(h)}
	}
	s := map[string]any{
		"Description": "Returned goods", "ReturnService": map[string]string{"Code": printReturnLabel}, "Shipper": shipper, "ShipTo": to, "ShipFrom": from,
		"PaymentInformation": map[string]any{"ShipmentCharge": []any{map[string]any{"Type": "01", "BillShipper": map[string]string{"AccountNumber": j.Number}}}},
		"Service":            map[string]string{"Code": service(j)}, "Package": []any{box},
	}
	if carriers.American(j.From.Country) { // there UPS takes a reference of the package only, elsewhere of the shipment only
		box["ReferenceNumber"] = reference
	} else {
		s["ReferenceNumber"] = reference
	}
	return map[string]any{"Request": map[string]string{"RequestOption": "nonvalidate"}, "Shipment": s, "LabelSpecification": labelFormat}, nil
}

// weight in the unit of the country, at least a tenth.
func weight(j carriers.Job) map[string]any {
	unit, w := "KGS", j.Kilograms()
	if carriers.American(j.From.Country) {
		unit, w = "LBS", j.Pounds()
	}
	return map[string]any{"UnitOfMeasurement": map[string]string{"Code": unit}, "Weight": strconv.FormatFloat(max(w, 0.1), 'f', 1, 64)}
}

// postal is the postal code as UPS takes it: of a ZIP+4 the five digits.
func postal(p carriers.Party) string {
	if !carriers.American(p.Country) {
		return p.PostalCode
	}
	five, _, _ := strings.Cut(p.PostalCode, "-")
	return five
}

func party(what string, p carriers.Party) (map[string]any, error) {
	p.PostalCode = postal(p)
	lines, ok := carriers.AddressLines(p.Street, 3, 35)
	if !ok || len(p.City) > 30 || len(p.Region) > 5 || len(p.PostalCode) > 9 {
		return nil, fmt.Errorf("the %s address does not fit: UPS takes three lines of 35 bytes, a city of 30, a region of 5 and a postal code of 9", what)
	}
	address := map[string]any{"AddressLine": lines, "City": p.City, "CountryCode": p.Country}
	if p.Region != "" {
		address["StateProvinceCode"] = p.Region
	}
	if p.PostalCode != "" {
		address["PostalCode"] = p.PostalCode
	}
	name := carriers.Clean(p.Name, 35)
	of := map[string]any{"Name": name, "AttentionName": name, "Address": address}
	if p.Phone != "" && len(p.Phone) <= 15 {
		of["Phone"] = map[string]string{"Number": p.Phone}
	}
	return of, nil
}

func pickupCreation(j carriers.Job) (map[string]any, error) {
	p := j.From
	p.PostalCode = postal(p)
	if p.Phone == "" || len(p.Phone) > 25 || len(p.Street) > 73 || len(p.City) > 50 || len(p.PostalCode) > 8 {
		return nil, errors.New("UPS wants a telephone number of at most 25 bytes, a street of 73, a city of 50 and a postal code of 8")
	}
	address := map[string]any{"CompanyName": carriers.Clean(p.Name, 27), "ContactName": carriers.Clean(p.Name, 22), "AddressLine": []string{p.Street}, "City": p.City, "CountryCode": p.Country,
		"ResidentialIndicator": "Y", "Phone": map[string]string{"Number": p.Phone}}
	if p.Region != "" {
		address["StateProvince"] = p.Region
	}
	if p.PostalCode != "" {
		address["PostalCode"] = p.PostalCode
	}
	total := map[string]any{"Weight": weight(j)["Weight"], "UnitOfMeasurement": "KGS"}
	if carriers.American(p.Country) {
		total["UnitOfMeasurement"] = "LBS"
	}
	r := map[string]any{
		"RatePickupIndicator": "N", "Shipper": map[string]any{"Account": map[string]string{"AccountNumber": j.Number, "AccountCountryCode": j.To.Country}},
		"PickupDateInfo": map[string]string{"PickupDate": j.Earliest.Format("20060102"), "ReadyTime": j.Earliest.Format("1504"), "CloseTime": j.Latest.Format("1504")},
		"PickupAddress":  address, "AlternateAddressIndicator": "Y",
		"PickupPiece": []map[string]string{{"ServiceCode": strings.Repeat("0", max(0, 3-len(service(j)))) + service(j), "Quantity": "1", "DestinationCountryCode": j.To.Country, "ContainerCode": "01"}},
		"TotalWeight": total, "OverweightIndicator": "N", "PaymentMethod": "01", "ReferenceNumber": j.Reference,
	}
	if boxNumber.MatchString(j.Tracking) {
		r["TrackingData"] = []map[string]string{{"TrackingNumber": j.Tracking}}
	}
	return r, nil
}

// picture is where UPS puts a label.
type picture struct {
	Image text `json:"GraphicImage"`
}

// labelled reads the answer to a return shipment.
func labelled(body []byte) (m carriers.Made, err error) {
	var a struct {
		Response struct {
			Results struct {
				Shipment text `json:"ShipmentIdentificationNumber"`
				Charges  struct {
					Total struct {
						Currency text `json:"CurrencyCode"`
						Amount   text `json:"MonetaryValue"`
					} `json:"TotalCharges"`
				} `json:"ShipmentCharges"`
				Packages carriers.Several[struct {
					Tracking text    `json:"TrackingNumber"`
					Label    picture `json:"ShippingLabel"`
				}] `json:"PackageResults"`
			} `json:"ShipmentResults"`
		} `json:"ShipmentResponse"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	r := a.Response.Results
	if len(r.Packages) == 0 || !carriers.IsNumber(string(r.Packages[0].Tracking)) {
		return m, carriers.Malformed("no TrackingNumber of a package")
	}
	m = carriers.Made{Tracking: string(r.Packages[0].Tracking), Reference: carriers.First(r.Shipment, r.Packages[0].Tracking).Clean(40)}
	if amount, ok := carriers.Minor(string(r.Charges.Total.Amount), string(r.Charges.Total.Currency)); ok {
		m.Amount, m.Currency = amount, string(r.Charges.Total.Currency)
	}
	m.Label, _ = carriers.DecodeLabel(string(r.Packages[0].Label.Image))
	return m, nil
}

// collected reads the answer to a pickup.
func collected(body []byte) (m carriers.Made, err error) {
	var a struct {
		Response struct {
			PRN text `json:"PRN"`
		} `json:"PickupCreationResponse"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if m.Reference = a.Response.PRN.Clean(40); m.Reference == "" {
		return m, carriers.Malformed("no PRN")
	}
	return m, nil
}

// find recovers a label by our reference, and asks for a pickup once more: UPS
// answers with the number of the one that there is at an address.
func find(j carriers.Job, _ string, said [][]byte) (t carriers.Turn, err error) {
	if j.Kind == order.BookPickup {
		t, err = book(j, said)
		t.Makes = false
		return t, err
	}
	if len(said) > 0 {
		t.Made, err = recovered(said[0])
		return t, err
	}
	if t.Request, err = carriers.Post(j.BaseURL+"/api/labels/v1/recovery", map[string]any{"LabelRecoveryRequest": map[string]any{
		"Request": map[string]string{"RequestOption": "Non_Validate"}, "LabelSpecification": labelFormat,
		"ReferenceValues": map[string]any{"ReferenceNumber": map[string]string{"Value": j.Reference}, "ShipperNumber": j.Number},
	}}); err == nil {
		identify(t.Request, j.Question)
	}
	return t, err
}

func recovered(body []byte) (m carriers.Made, err error) {
	var a struct {
		Response *struct {
			Results carriers.Several[struct {
				Tracking text    `json:"TrackingNumber"`
				Label    picture `json:"LabelImage"`
			}] `json:"LabelResults"`
		} `json:"LabelRecoveryResponse"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if a.Response == nil {
		return m, carriers.Malformed("no LabelRecoveryResponse")
	}
	if r := a.Response.Results; len(r) == 1 && carriers.IsNumber(string(r[0].Tracking)) {
		m = carriers.Made{Tracking: string(r[0].Tracking), Reference: string(r[0].Tracking)}
		m.Label, _ = carriers.DecodeLabel(string(r[0].Label.Image))
	}
	return m, nil
}
