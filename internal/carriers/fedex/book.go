package fedex

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// bookings are what FedEx makes for returns.
var bookings = []order.BookingKind{order.BookLabel, order.BookPickup}

// book asks for a return shipment with its label (Ship), or for a courier (Pickup
// Request).
func book(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return j.Answered(said[0], labelled, collected)
	}
	if err := j.Check(bookings); err != nil {
		return t, err
	}
	if _, err := payer(j); err != nil {
		return t, err
	}
	path, build := "/ship/v1/shipments", returnShipment
	if j.Kind == order.BookPickup {
		path, build = "/pickup/v1/pickups", pickup
	}
	body, err := build(j)
	if err != nil {
		return t, err
	}
	t.Makes = true
	if t.Request, err = carriers.Post(j.BaseURL+path, body); err == nil {
		identify(t.Request, j.Question)
	}
	return t, err
}

// payer is the account as FedEx writes it.
func payer(j carriers.Job) (map[string]string, error) {
	if j.Number == "" || len(j.Number) > 9 {
		return nil, errors.New("FedEx wants an account to charge: set account of the credential, of up to nine digits")
	}
	return map[string]string{"value": j.Number}, nil
}

// service is FedEx's: that of the credential, else Ground, which is American.
func service(j carriers.Job) (string, error) {
	switch {
	case j.Service != "":
		return j.Service, nil
	case carriers.American(j.From.Country):
		return "FEDEX_GROUND", nil
	}
	return "", errors.New("FedEx has no service of all countries: set service of the credential")
}

func returnShipment(j carriers.Job) (map[string]any, error) {
	service, err := service(j)
	if err != nil {
		return nil, err
	}
	from, err := party("buyer's", j.From)
	if err != nil {
		return nil, err
	}
	to, err := party("returns", j.To)
	if err != nil {
		return nil, err
	}
	box := map[string]any{"groupPackageCount": 1, "weight": weight(j), "customerReferences": []map[string]string{{"customerReferenceType": "CUSTOMER_REFERENCE", "value": j.Reference}}}
	unit, sides := "CM", j.Centimetres
	if carriers.American(j.From.Country) {
		unit, sides = "IN", j.Inches
	}
	if l, w, h, known := sides(); known {
		box["dimensions"] = map[string]any{"length": math.Ceil(l), "width": math.Ceil(w), "height": math.Ceil(h), "units": unit}
	}
	account := map[string]string{"value": j.Number}
	return map[string]any{
		"labelResponseOptions": "LABEL", "accountNumber": account,
		"requestedShipment": map[string]any{
			"shipper": from, "recipients": []any{to}, "serviceType": service, "packagingType": "YOUR_PACKAGING", "pickupType": "DROPOFF_AT_FEDEX_LOCATION",
			"totalWeight":            tenths(j.Pounds()),
			"shippingChargesPayment": map[string]any{"paymentType": "SENDER", "payor": map[string]any{"responsibleParty": map[string]any{"accountNumber": account}}},
			"shipmentSpecialServices": map[string]any{"specialServiceTypes": []string{"RETURN_SHIPMENT"},
				"returnShipmentDetail": map[string]any{"returnType": "PRINT_RETURN_LABEL", "rma": map[string]string{"reason": "Return"}}},
			"labelSpecification":        map[string]string{"imageType": "PDF", "labelStockType": "PAPER_4X6"},
			"requestedPackageLineItems": []any{box},
		},
	}, nil
}

// tenths are what FedEx weighs in: rounded up.
func tenths(w float64) float64 { return math.Ceil(w*10) / 10 }

// weight in the unit of the country.
func weight(j carriers.Job) map[string]any {
	if carriers.American(j.From.Country) {
		return map[string]any{"units": "LB", "value": tenths(j.Pounds())}
	}
	return map[string]any{"units": "KG", "value": tenths(j.Kilograms())}
}

// stated says whether an address there has a state or province of two letters.
func stated(country string) bool { return carriers.American(country) || country == "CA" }

// party is one end as FedEx takes it: a street in lines of 35, and a telephone number.
func party(what string, p carriers.Party) (map[string]any, error) {
	lines, ok := carriers.AddressLines(p.Street, 3, 35)
	phone := digits(p.Phone)
	switch {
	case !ok || len(p.City) > 35 || len(p.PostalCode) > 10:
		return nil, fmt.Errorf("the %s address does not fit: FedEx takes three lines of 35 bytes, a city of 35 and a postal code of 10", what)
	case stated(p.Country) && len(p.Region) != 2:
		return nil, fmt.Errorf("FedEx wants a state or province of two letters in the %s address", what)
	case len(phone) < 10 || len(phone) > 15 || stated(p.Country) && len(strings.TrimPrefix(phone, "1")) != 10:
		return nil, fmt.Errorf("FedEx wants a telephone number of 10 to 15 digits with the %s address, in North America of 10", what)
	}
	address := map[string]any{"streetLines": lines, "city": p.City, "countryCode": p.Country}
	if stated(p.Country) {
		address["stateOrProvinceCode"] = p.Region
	}
	if p.PostalCode != "" {
		address["postalCode"] = p.PostalCode
	}
	return map[string]any{"address": address, "contact": map[string]string{"personName": carriers.Clean(p.Name, 70), "phoneNumber": phone}}, nil
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func pickup(j carriers.Job) (map[string]any, error) {
	service, err := service(j)
	if err != nil {
		return nil, err
	}
	from, err := party("buyer's", j.From)
	switch {
	case err != nil:
		return nil, err
	case !stated(j.From.Country) || j.From.PostalCode == "":
		return nil, errors.New("FedEx wants a postal code and a state or province of two letters for a pickup")
	case len(digits(j.From.Phone)) > 13:
		return nil, errors.New("FedEx wants a telephone number of at most 13 digits for a pickup")
	}
	company, among := "FDXE", "DOMESTIC"
	if strings.Contains(service, "GROUND") {
		company = "FDXG"
	}
	if j.From.Country != j.To.Country {
		among = "INTERNATIONAL"
	}
	r := map[string]any{
		"associatedAccountNumber": map[string]string{"value": j.Number},
		"originDetail": map[string]any{
			"pickupAddressType": "OTHER", "pickupLocation": from, "packageLocation": "FRONT",
			// The clock of the place. FedEx wants the Z and ignores it.
			"readyDateTimestamp": j.Earliest.Format("2006-01-02T15:04:05Z"), "customerCloseTime": j.Latest.Format(time.TimeOnly),
		},
		"carrierCode": company, "packageCount": 1, "totalWeight": map[string]any{"units": "LB", "value": tenths(j.Pounds())},
		"countryRelationships": among, "remarks": j.Reference, "commodityDescription": "Returned goods",
	}
	if j.Tracking != "" {
		r["trackingNumber"] = j.Tracking
	}
	return r, nil
}

// labelled reads the answer to a return shipment. Its money is not read: the document
// does not say in which fields it stands.
func labelled(body []byte) (m carriers.Made, err error) {
	var a struct {
		Output struct {
			Shipments []struct {
				Number text `json:"masterTrackingNumber"`
				Pieces []struct {
					Number    text `json:"trackingNumber"`
					Documents []struct {
						Kind  text `json:"contentType"`
						Image text `json:"encodedLabel"`
					} `json:"packageDocuments"`
				} `json:"pieceResponses"`
			} `json:"transactionShipments"`
		} `json:"output"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if len(a.Output.Shipments) == 0 || len(a.Output.Shipments[0].Pieces) == 0 {
		return m, carriers.Malformed("no shipment, or no piece of it")
	}
	shipment := a.Output.Shipments[0]
	piece := shipment.Pieces[0]
	number := string(carriers.First(piece.Number, shipment.Number))
	if !carriers.IsNumber(number) {
		return m, carriers.Malformed("no trackingNumber of a piece")
	}
	m = carriers.Made{Tracking: number, Reference: carriers.First(shipment.Number, piece.Number).Clean(40)}
	for _, d := range piece.Documents {
		if d.Kind == "LABEL" && m.Label.Type == "" {
			m.Label, _ = carriers.DecodeLabel(string(d.Image))
		}
	}
	return m, nil
}

// collected reads the answer to a pickup. Express names a location as well, without
// which FedEx does not know the code again.
func collected(body []byte) (m carriers.Made, err error) {
	var a struct {
		Output struct {
			Code     text `json:"pickupConfirmationCode"`
			Location text `json:"location"`
		} `json:"output"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if m.Reference = a.Output.Code.Clean(30); m.Reference == "" {
		return m, carriers.Malformed("no pickupConfirmationCode")
	}
	if at := a.Output.Location.Clean(9); at != "" {
		m.Reference += "/" + at
	}
	return m, nil
}

// find tracks a label by our reference. The document is not handed out again, and
// pickups cannot be looked for.
func find(j carriers.Job, _ string, said [][]byte) (t carriers.Turn, err error) {
	if j.Kind != order.BookLabel || j.Number == "" {
		return t, carriers.ErrCannot
	}
	if len(said) > 0 {
		t.Made, err = found(said[0])
		return t, err
	}
	// The end of the dates has two names: the document's schema and its example differ.
	end := j.Now.AddDate(0, 0, 2).Format(time.DateOnly)
	if t.Request, err = carriers.Post(j.BaseURL+"/track/v1/referencenumbers", map[string]any{"referencesInformation": map[string]string{
		"type": "CUSTOMER_REFERENCE", "value": j.Reference, "accountNumber": j.Number,
		"shipDateBegin": j.Now.AddDate(0, 0, -2).Format(time.DateOnly), "shipDateEnd": end, "shipDateEndDate": end,
	}}); err == nil {
		identify(t.Request, j.Question)
	}
	return t, err
}

// found is the one parcel that goes by our reference.
func found(body []byte) (m carriers.Made, err error) {
	var a answer
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	number := ""
	for _, c := range a.Output.Complete {
		for _, r := range c.Results {
			n := string(r.Number.Tracking)
			switch {
			case !carriers.IsNumber(n):
			case number != "" && number != n:
				return m, nil // not ours alone
			default:
				number = n
			}
		}
	}
	return carriers.Made{Tracking: number, Reference: number}, nil
}
