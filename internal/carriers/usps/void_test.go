package usps

import (
	"net/http"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func unwanted() carriers.Job { return carriertest.Unwanted(New(), api, order.BookLabel) }

func TestUSPSIsAskedToVoidAsItWants(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api, unwanted()) }, map[string]func(*http.Request){
		"no token": nobody, "nobody pays": carriertest.Spoil(t, []any{}, "roles"),
	})
	spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api, unwanted(), leave) }, map[string]func(*http.Request){
		"no token": nobody, "by post": func(r *http.Request) { r.Method = http.MethodPost }, "unpaid": func(r *http.Request) { r.Header.Del("X-Payment-Authorization-Token") },
	})
}

func TestAnswersToVoiding(t *testing.T) {
	for body, want := range map[string]string{
		`{"trackingNumber":"9302010000000000000001","status":"CANCELED"}`:                 "void",
		`{"trackingNumber":"9302010000000000000001","status":"DISPUTED","disputeId":"1"}`: "USPS has made a dispute of it",
		`{"trackingNumber":"9302010000000000000001","status":"Lee"}`:                      "USPS has not cancelled it",
		`{"trackingNumber":"9302010000000000000001"}`:                                     "malformed",
	} {
		if got := carriertest.Voided(t, api, unwanted(), leave, body); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if got := carriertest.Voided(t, api, unwanted(), `{"paymentAuthorizationToken":""}`); got != "malformed" {
		t.Error(got)
	}
}
