package ups

import (
	"errors"
	"net/url"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// byNumber has a pickup cancelled by its number, which stands in a header.
const byNumber = "02"

// void voids a shipment (Shipping), or cancels a pickup (Pickup Cancel).
func void(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return t, voided(said[0])
	}
	if err := j.CheckVoid(bookings); err != nil {
		return t, err
	}
	path := "/void/cancel/" + url.PathEscape(j.Label)
	if j.Kind == order.BookPickup {
		path = "/pickup/" + byNumber
	}
	if t.Request, err = carriers.Delete(j.BaseURL + "/api/shipments/v2409" + path); err != nil {
		return t, err
	}
	identify(t.Request, j.Question)
	if j.Kind == order.BookPickup {
		t.Request.Header.Set("Prn", j.Label)
	}
	return t, nil
}

// voided reads the answer to either.
func voided(body []byte) error {
	type status struct {
		Code text `json:"Code"`
	}
	var a struct {
		Shipment struct {
			Summary struct {
				Status status `json:"Status"`
			} `json:"SummaryResult"`
		} `json:"VoidShipmentResponse"`
		Pickup struct {
			Response struct {
				Status status `json:"ResponseStatus"`
			} `json:"Response"`
		} `json:"PickupCancelResponse"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return err
	}
	switch carriers.First(a.Shipment.Summary.Status.Code, a.Pickup.Response.Status.Code) {
	case "1":
		return nil
	case "":
		return carriers.Malformed("no Code of a Status")
	}
	return errors.New("UPS has not voided it")
}
