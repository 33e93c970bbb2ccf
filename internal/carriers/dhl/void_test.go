package dhl

import (
	"net/http"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func TestDHLIsAskedToCancelAPickupAsItWants(t *testing.T) {
	spec := carriertest.LoadSpec(t, "dhl/mydhl-express-3.1.1.yaml", nil)
	j := carriertest.Unwanted(New(), mydhl(), order.BookPickup)
	spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, mydhl(), j) }, map[string]func(*http.Request){
		"no credential": func(r *http.Request) { r.Header.Del("Authorization") },
		"by nobody":     func(r *http.Request) { r.URL.RawQuery = "reason=x" },
		"for no reason": func(r *http.Request) { r.URL.RawQuery = "requestorName=x" },
		"by post":       func(r *http.Request) { r.Method = http.MethodPost },
	})
	if got := carriertest.Voided(t, mydhl(), j, ""); got != "void" {
		t.Error(got)
	}
	if turn, err := mydhl().Void(job(order.BookLabel), nil); err == nil {
		t.Errorf("a label is voided: %+v", turn)
	}
}
