package dhl

import (
	"net/url"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// voids are what DHL takes back. A label of Express costs when it is used, and there
// is no call to void it.
var voids = []order.BookingKind{order.BookPickup}

// void cancels a pickup. The answer says nothing but its status.
func void(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 0 {
		return t, nil
	}
	if err := j.CheckVoid(voids); err != nil {
		return t, err
	}
	v := url.Values{"requestorName": {"Waybill"}, "reason": {"Not needed any more"}}
	if t.Request, err = carriers.Delete(j.BaseURL + "/pickups/" + url.PathEscape(j.Label) + "?" + v.Encode()); err == nil {
		sign(t.Request, j.Question)
	}
	return t, err
}
