package usps

import (
	"errors"
	"net/url"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// voids are what USPS takes back for us. A pickup is cancelled under the ETag of a
// header that came with it, which nobody kept.
var voids = []order.BookingKind{order.BookLabel}

// void has a payment authorized, as for making the label, and cancels it.
func void(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) > 1 {
		return t, cancelled(said[1])
	}
	if err := j.CheckVoid(voids); err != nil {
		return t, err
	}
	if len(said) == 0 {
		t.Request, err = authorization(j)
		return t, err
	}
	token, err := authorized(said[0])
	if err != nil {
		return t, err
	}
	if t.Request, err = carriers.Delete(j.BaseURL + "/labels/v3/label/" + url.PathEscape(j.Label)); err == nil {
		j.Bearer(t.Request)
		t.Request.Header.Set(payingHeader, token)
	}
	return t, err
}

// cancelled reads the answer. What USPS has counted already it looks into for a
// refund, by a dispute that a person has to watch.
func cancelled(body []byte) error {
	var a struct {
		Status text `json:"status"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return err
	}
	switch a.Status {
	case "CANCELED":
		return nil
	case "":
		return carriers.Malformed("no status")
	case "DISPUTED":
		return errors.New("USPS has made a dispute of it")
	}
	return errors.New("USPS has not cancelled it")
}
