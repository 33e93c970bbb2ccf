package dhl

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// bookings are what MyDHL makes for returns.
var bookings = []order.BookingKind{order.BookLabel, order.BookPickup}

// stamp is how MyDHL writes a moment: the clock of the place, and its offset.
const stamp = "2006-01-02T15:04:05 GMT-07:00"

// book asks MyDHL for a shipment from the buyer with its label, or for a courier.
func book(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return j.Answered(said[0], shipped, dispatched)
	}
	if err := j.Check(bookings); err != nil {
		return t, err
	}
	if j.Number == "" {
		return t, errors.New("DHL wants an account to charge: set account of the credential")
	}
	from, to, err := parties(j)
	if err != nil {
		return t, err
	}
	path := "/shipments"
	var body map[string]any
	people := map[string]any{"shipperDetails": from, "receiverDetails": to}
	accounts := []map[string]string{{"typeCode": "shipper", "number": j.Number}}
	box := map[string]any{"weight": j.Kilograms()}
	if l, w, h, known := j.Centimetres(); known {
		box["dimensions"] = map[string]float64{"length": l, "width": w, "height": h}
	}
	if j.Kind == order.BookPickup {
		path = "/pickups"
		shipment := map[string]any{"productCode": product(j), "isCustomsDeclarable": false, "unitOfMeasurement": "metric", "packages": []any{box}}
		if j.Tracking != "" {
			shipment["shipmentTrackingNumber"] = j.Tracking
		}
		body = map[string]any{
			"plannedPickupDateAndTime": j.Earliest.Format(stamp), "closeTime": j.Latest.Format("15:04"), "locationType": "residence",
			"accounts": accounts, "remark": j.Reference, "customerDetails": people, "shipmentDetails": []any{shipment},
		}
	} else {
		body = map[string]any{
			// A day ahead: neither in the past when it arrives nor beyond DHL's ten days.
			"plannedShippingDateAndTime": j.Now.AddDate(0, 0, 1).Format(stamp),
			"pickup":                     map[string]bool{"isRequested": false},
			"productCode":                product(j), "accounts": accounts, "customerDetails": people,
			"customerReferences": []map[string]string{{"typeCode": "CU", "value": j.Reference}},
			"outputImageProperties": map[string]any{"encodingFormat": "pdf",
				"imageOptions": []map[string]any{{"typeCode": "label", "templateName": "ECOM26_84_001", "isRequested": true}}},
			"content": map[string]any{"packages": []any{box}, "isCustomsDeclarable": false, "description": "Returned goods", "incoterm": "DAP", "unitOfMeasurement": "metric"},
		}
	}
	t.Makes = true
	t.Request, err = carriers.Post(j.BaseURL+path, body)
	if err == nil {
		sign(t.Request, j.Question)
	}
	return t, err
}

// product is DHL's product: that of the credential, else what DHL's table calls
// EXPRESS DOMESTIC and, between two countries of the union, EXPRESS WORLDWIDE.
func product(j carriers.Job) string {
	switch {
	case j.Service != "":
		return j.Service
	case j.From.Country == j.To.Country:
		return "N"
	}
	return "U"
}

// parties are both ends as DHL wants them: with a telephone, in lines of 45.
func parties(j carriers.Job) (from, to map[string]any, err error) {
	party := func(what string, p carriers.Party) map[string]any {
		lines, ok := carriers.AddressLines(p.Street, 3, 45)
		switch {
		case !ok:
			err = fmt.Errorf("the street of the %s address does not fit into three lines of 45 bytes", what)
		case len(p.City) > 45 || len(p.PostalCode) > 12:
			err = fmt.Errorf("city or postal code of the %s address are longer than DHL takes", what)
		case p.Phone == "":
			err = fmt.Errorf("DHL wants a telephone number with the %s address", what)
		}
		address := map[string]string{"postalCode": p.PostalCode, "cityName": p.City, "countryCode": p.Country}
		for i, l := range lines {
			if i < 3 {
				address[fmt.Sprint("addressLine", i+1)] = l
			}
		}
		name := carriers.Clean(p.Name, 100)
		contact := map[string]string{"phone": carriers.Clean(p.Phone, 70), "companyName": name, "fullName": name}
		return map[string]any{"postalAddress": address, "contactInformation": contact}
	}
	return party("buyer's", j.From), party("returns", j.To), err
}

func sign(r *http.Request, q carriers.Question) {
	r.SetBasicAuth(string(q.Key), string(q.Secret))
	r.Header.Set("X-Version", "3.1.0")
	r.Header.Set("Message-Reference", q.ID)
}

// shipped reads the answer to a new shipment.
func shipped(body []byte) (m carriers.Made, err error) {
	var a struct {
		Number    carriers.Text `json:"shipmentTrackingNumber"`
		Documents []struct {
			Kind    carriers.Text `json:"typeCode"`
			Content carriers.Text `json:"content"`
		} `json:"documents"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if !carriers.IsNumber(string(a.Number)) {
		return m, carriers.Malformed("no shipmentTrackingNumber")
	}
	m = carriers.Made{Tracking: string(a.Number), Reference: string(a.Number)}
	for _, d := range a.Documents {
		if d.Kind == "label" && m.Label.Type == "" {
			m.Label, _ = carriers.DecodeLabel(string(d.Content))
		}
	}
	return m, nil
}

// dispatched reads the answer to a new pickup.
func dispatched(body []byte) (m carriers.Made, err error) {
	var a struct {
		Numbers []carriers.Text `json:"dispatchConfirmationNumbers"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if len(a.Numbers) == 0 || a.Numbers[0].Clean(40) == "" {
		return m, carriers.Malformed("no dispatchConfirmationNumbers")
	}
	return carriers.Made{Reference: a.Numbers[0].Clean(40)}, nil
}

// find looks for a shipment by our reference, which tracking knows. Its label is
// not handed out again, and pickups cannot be looked for.
func find(j carriers.Job, _ string, said [][]byte) (t carriers.Turn, err error) {
	if j.Kind != order.BookLabel || j.Number == "" {
		return t, carriers.ErrCannot
	}
	if len(said) > 0 {
		t.Made, err = found(said[0])
		return t, err
	}
	v := url.Values{"shipmentReference": {j.Reference}, "shipmentReferenceType": {"CU"}, "shipperAccountNumber": {j.Number}, "trackingView": {"shipment-details-only"},
		"dateRangeFrom": {j.Now.AddDate(0, 0, -2).Format(time.DateOnly)}, "dateRangeTo": {j.Now.AddDate(0, 0, 2).Format(time.DateOnly)}}
	if t.Request, err = carriers.Get(j.BaseURL + "/tracking?" + v.Encode()); err == nil {
		sign(t.Request, j.Question)
	}
	return t, err
}

func found(body []byte) (m carriers.Made, err error) {
	var a struct {
		Shipments []struct {
			Number carriers.Text `json:"shipmentTrackingNumber"`
		} `json:"shipments"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if len(a.Shipments) != 1 || !carriers.IsNumber(string(a.Shipments[0].Number)) {
		return m, nil
	}
	n := string(a.Shipments[0].Number)
	return carriers.Made{Tracking: n, Reference: n}, nil
}
