package fedex

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// void cancels a shipment (Ship), or a pickup (Pickup Request).
func void(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return t, voided(j.Kind, said[0])
	}
	if err := j.CheckVoid(bookings); err != nil {
		return t, err
	}
	account, err := payer(j)
	if err != nil {
		return t, err
	}
	path, body := "/ship/v1/shipments/cancel", map[string]any{"accountNumber": account, "trackingNumber": j.Label, "deletionControl": "DELETE_ALL_PACKAGES"}
	if j.Kind == order.BookPickup {
		code, at, express := strings.Cut(j.Label, "/")
		path, body = "/pickup/v1/pickups/cancel", map[string]any{"associatedAccountNumber": account, "pickupConfirmationCode": code, "scheduledDate": j.Earliest.Format(time.DateOnly), "carrierCode": "FDXG"}
		if express {
			body["carrierCode"], body["location"] = "FDXE", at
		}
	}
	if t.Request, err = carriers.Post(j.BaseURL+path, body); err == nil {
		t.Request.Method = http.MethodPut
		identify(t.Request, j.Question)
	}
	return t, err
}

// voided reads the answer to either.
func voided(kind order.BookingKind, body []byte) error {
	var a struct {
		Output struct {
			Cancelled *bool `json:"cancelledShipment"`
			Code      text  `json:"pickupConfirmationCode"`
		} `json:"output"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return err
	}
	switch {
	case kind == order.BookPickup && a.Output.Code == "":
		return carriers.Malformed("no pickupConfirmationCode")
	case kind == order.BookPickup:
		return nil
	case a.Output.Cancelled == nil:
		return carriers.Malformed("no cancelledShipment")
	case !*a.Output.Cancelled:
		return errors.New("FedEx has not cancelled it")
	}
	return nil
}
