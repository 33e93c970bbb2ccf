package easypost

import (
	"errors"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// void asks for the money of a label back, or cancels a pickup.
func void(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return t, voided(j.Kind, said[0])
	}
	if err := j.CheckVoid(bookings); err != nil {
		return t, err
	}
	if !ids.MatchString(j.Label) {
		return t, errors.New("EasyPost has no such name for it")
	}
	path := "/v2/shipments/" + j.Label + "/refund"
	if j.Kind == order.BookPickup {
		path = "/v2/pickups/" + j.Label + "/cancel"
	}
	if t.Request, err = carriers.Post(j.BaseURL+path, map[string]any{}); err == nil {
		t.Request.SetBasicAuth(string(j.Key), "")
	}
	return t, err
}

// voided reads the answer to either. The carrier behind EasyPost has the last word on
// a refund, weeks later; the label is void before.
func voided(kind order.BookingKind, body []byte) error {
	var a struct {
		Refund carriers.Text `json:"refund_status"`
		Status carriers.Text `json:"status"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return err
	}
	said := a.Refund
	if kind == order.BookPickup {
		said = a.Status
	}
	switch said {
	case "submitted", "refunded", "canceled":
		return nil
	case "":
		return carriers.Malformed("no refund_status, or no status of a pickup")
	}
	return errors.New("EasyPost has not taken it back")
}
