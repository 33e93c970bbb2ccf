package easypost

import (
	"net/http"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func TestEasyPostIsAskedToVoidAsItDescribesIt(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	for _, kind := range bookings {
		j := carriertest.Unwanted(New(), api(), kind)
		spec.Wrong(t, func() *http.Request { return carriertest.Voiding(t, api(), j) }, map[string]func(*http.Request){
			"no key": func(r *http.Request) { r.Header.Del("Authorization") }, "delete": func(r *http.Request) { r.Method = http.MethodDelete },
		})
		j.Label = "WEB1234567890" // the number of a pickup is not EasyPost's name for it
		if turn, err := api().Void(j, nil); err == nil {
			t.Errorf("%+v", turn)
		}
	}
}

func TestAnswersToVoiding(t *testing.T) {
	const no = "EasyPost has not taken it back"
	for body, want := range map[string][2]string{ // of a label, and of a pickup
		`{"id":"shp_1","refund_status":"submitted"}`:      {"void", "malformed"},
		`{"id":"shp_1","refund_status":"refunded"}`:       {"void", "malformed"},
		`{"id":"shp_1","refund_status":"rejected"}`:       {no, "malformed"},
		`{"id":"shp_1","refund_status":"not_applicable"}`: {no, "malformed"},
		`{"id":"pickup_1","status":"canceled"}`:           {"malformed", "void"},
		`{"id":"pickup_1","status":"scheduled"}`:          {"malformed", no},
	} {
		for i, kind := range bookings {
			if got := carriertest.Voided(t, api(), carriertest.Unwanted(New(), api(), kind), body); got != want[i] {
				t.Errorf("%s %s: %s, want %s", kind, body, got, want[i])
			}
		}
	}
}
