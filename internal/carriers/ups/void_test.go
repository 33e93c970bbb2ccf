package ups

import (
	"net/http"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func unwanted(kind order.BookingKind) carriers.Job { return carriertest.Unwanted(New(), api, kind) }

func TestUPSIsAskedToVoidAsItWants(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	for kind, wrong := range map[order.BookingKind]func(*http.Request){
		order.BookLabel:  func(r *http.Request) { r.URL.Path = "/api/shipments/v2409/void/cancel/1Z" },
		order.BookPickup: func(r *http.Request) { r.Header.Del("Prn") },
	} {
		spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api, unwanted(kind)) }, map[string]func(*http.Request){
			"no token": func(r *http.Request) { r.Header.Del("Authorization") }, "no ID": func(r *http.Request) { r.Header.Del("transId") }, "by post": func(r *http.Request) { r.Method = http.MethodPost }, "no number": wrong,
		})
	}
}

func TestAnswersToVoiding(t *testing.T) {
	for body, want := range map[string]string{
		`{"VoidShipmentResponse":{"Response":{"ResponseStatus":{"Code":"1"}},"SummaryResult":{"Status":{"Code":"1","Description":"Voided"}}}}`: "void",
		`{"VoidShipmentResponse":{"Response":{"ResponseStatus":{"Code":"1"}},"SummaryResult":{"Status":{"Code":"0"}}}}`:                        "UPS has not voided it",
		`{"VoidShipmentResponse":{"Response":{"ResponseStatus":{"Code":"1"}}}}`:                                                                "malformed",
		`{"PickupCancelResponse":{"Response":{"ResponseStatus":{"Code":"1","Description":"Success"}},"PickupType":"01"}}`:                      "void",
		`{"PickupCancelResponse":{"Response":{"ResponseStatus":{"Code":"0"}}}}`:                                                                "UPS has not voided it",
		`{}`: "malformed",
	} {
		if got := carriertest.Voided(t, api, unwanted(order.BookLabel), body); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}
