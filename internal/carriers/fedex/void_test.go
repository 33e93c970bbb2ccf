package fedex

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func unwanted(kind order.BookingKind) carriers.Job { return carriertest.Unwanted(New(), api, kind) }

func TestFedExIsAskedToVoidAsItWants(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	nobody, post := func(r *http.Request) { r.Header.Del("Authorization") }, func(r *http.Request) { r.Method = http.MethodPost }
	spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api, unwanted(order.BookLabel)) }, map[string]func(*http.Request){
		"no token": nobody, "by post": post, "no account": carriertest.Spoil(t, nil, "accountNumber"), "no number": carriertest.Spoil(t, nil, "trackingNumber"), "half of it": carriertest.Spoil(t, "HALF", "deletionControl"),
	})
	express := unwanted(order.BookPickup)
	express.Label = "1/NQAA"
	for company, j := range map[string]carriers.Job{"FDXG": unwanted(order.BookPickup), "FDXE": express} {
		spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api, j) }, map[string]func(*http.Request){
			"no token": nobody, "by post": post, "no account": carriertest.Spoil(t, nil, "associatedAccountNumber"), "no code": carriertest.Spoil(t, nil, "pickupConfirmationCode"), "some day": carriertest.Spoil(t, "tomorrow", "scheduledDate"),
			"by air": carriertest.Spoil(t, "AIR", "carrierCode"), "a code with a place": carriertest.Spoil(t, "1/NQAA", "pickupConfirmationCode"),
		})
		raw, _ := io.ReadAll(carriertest.Voiding(t, api, j).Body)
		if !strings.Contains(string(raw), `"carrierCode":"`+company+`"`) || !strings.Contains(string(raw), `"scheduledDate":"2026-03-09"`) || strings.Contains(string(raw), `"location":"NQAA"`) != (company == "FDXE") {
			t.Errorf("%s", raw)
		}
	}
	poor := unwanted(order.BookLabel)
	poor.Number = ""
	if turn, err := api.Void(poor, nil); err == nil || !strings.Contains(err.Error(), "set account") {
		t.Errorf("%+v %v", turn, err)
	}
}

func TestAnswersToVoiding(t *testing.T) {
	for body, want := range map[string][2]string{ // of a label, and of a pickup
		`{"output":{"cancelledShipment":true,"cancelledHistory":true}}`:                                          {"void", "malformed"},
		`{"output":{"cancelledShipment":false}}`:                                                                 {"FedEx has not cancelled it", "malformed"},
		`{"output":{"pickupConfirmationCode":"1","cancelConfirmationMessage":"Requested pickup was cancelled"}}`: {"malformed", "void"},
		`{"output":{}}`: {"malformed", "malformed"},
	} {
		for i, kind := range bookings {
			if got := carriertest.Voided(t, api, unwanted(kind), body); got != want[i] {
				t.Errorf("%s %s: %s, want %s", kind, body, got, want[i])
			}
		}
	}
}
