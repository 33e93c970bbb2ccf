package ups

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func job(kind order.BookingKind) carriers.Job { return carriertest.Job(New(), api, kind) }

func begun(t *testing.T, j carriers.Job) *http.Request {
	t.Helper()
	return carriertest.Making(t, api, j)
}

func TestReturnsFitWhatUPSWantsOfThem(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	ship := func(to any, path ...string) func(*http.Request) {
		return carriertest.Spoil(t, to, append([]string{"ShipmentRequest", "Shipment"}, path...)...)
	}
	american, unmeasured := carriertest.American(job(order.BookLabel)), job(order.BookLabel)
	unmeasured.Length = 0
	for name, j := range map[string]carriers.Job{"label": job(order.BookLabel), "american": american, "unmeasured": unmeasured} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return begun(t, j) }, map[string]func(*http.Request){
				"no transId":        func(r *http.Request) { r.Header.Del("TransId") },
				"no token":          func(r *http.Request) { r.Header.Del("Authorization") },
				"no return":         ship(nil, "ReturnService"),
				"a boomerang":       ship("77", "ReturnService", "Code"),
				"no account":        ship(nil, "Shipper", "ShipperNumber"),
				"a short account":   ship("A1", "PaymentInformation", "ShipmentCharge", "BillShipper", "AccountNumber"),
				"nobody sends it":   ship(nil, "ShipFrom"),
				"a long street":     ship([]string{strings.Repeat("x", 36)}, "ShipFrom", "Address", "AddressLine"),
				"a long city":       ship(strings.Repeat("x", 31), "ShipTo", "Address", "City"),
				"no weight":         ship(nil, "Package", "PackageWeight"),
				"a weight in words": ship("heavy", "Package", "PackageWeight", "Weight"),
				"in stones":         ship("STN", "Package", "PackageWeight", "UnitOfMeasurement", "Code"),
				"no description":    ship(nil, "Package", "Description"),
				"no service":        ship(nil, "Service"),
				"a label on bark":   carriertest.Spoil(t, "BARK", "ShipmentRequest", "LabelSpecification", "LabelImageFormat", "Code"),
			})
		})
	}
	pick := func(to any, path ...string) func(*http.Request) {
		return carriertest.Spoil(t, to, append([]string{"PickupCreationRequest"}, path...)...)
	}
	loose := job(order.BookPickup)
	loose.Tracking = ""
	for name, j := range map[string]carriers.Job{"pickup": job(order.BookPickup), "of no label": loose} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return begun(t, j) }, map[string]func(*http.Request){
				"no transId":   func(r *http.Request) { r.Header.Del("TransId") },
				"no token":     func(r *http.Request) { r.Header.Del("Authorization") },
				"with dashes":  pick("2026-03-09", "PickupDateInfo", "PickupDate"),
				"at 25 h":      pick("2500", "PickupDateInfo", "ReadyTime"),
				"no telephone": pick(nil, "PickupAddress", "Phone"),
				"a long name":  pick(strings.Repeat("x", 28), "PickupAddress", "CompanyName"),
				"nothing":      pick([]any{}, "PickupPiece"),
				"a service":    pick("11", "PickupPiece", "ServiceCode"),
				"paid in gold": pick("99", "PaymentMethod"),
			})
		})
	}
	spec.Wrong(t, func() *http.Request { return carriertest.Sought(t, api, job(order.BookLabel), "") }, map[string]func(*http.Request){
		"no token":     func(r *http.Request) { r.Header.Del("Authorization") },
		"no reference": carriertest.Spoil(t, nil, "LabelRecoveryRequest", "ReferenceValues", "ReferenceNumber"),
		"no account":   carriertest.Spoil(t, nil, "LabelRecoveryRequest", "ReferenceValues", "ShipperNumber"),
	})
}

func TestWhatUPSIsToldOfAReturn(t *testing.T) {
	american, fetched := carriertest.American(job(order.BookLabel)), carriertest.American(job(order.BookPickup))
	fetched.From.PostalCode = "62701-4321"
	for name, c := range map[string]struct {
		j    carriers.Job
		want []string
	}{
		"label":    {job(order.BookLabel), []string{`"ShipFrom":{"Address":{"AddressLine":["Larchwood Crescent 77"]`, `"ReturnService":{"Code":"9"}`, `"Weight":"1.2"`, `"Code":"KGS"`, `"Service":{"Code":"11"}`, `"Shipment":{"Description":"Returned goods","Package":[{"Description"`, `"ReferenceNumber":[{"Value":"WBABCDEFGHIJKLMNOPQR"}],"ReturnService"`}},
		"american": {american, []string{`"Weight":"2.6"`, `"Code":"LBS"`, `"Length":"11.81"`, `"Service":{"Code":"03"}`, `"PostalCode":"60601"`, `"ReferenceNumber":[{"Value":"WBABCDEFGHIJKLMNOPQR"}]}]`}},
		"fetched":  {fetched, []string{`"PostalCode":"62701"`}},
		"pickup":   {job(order.BookPickup), []string{`"PickupDate":"20260309"`, `"ReadyTime":"0900"`, `"CloseTime":"1700"`, `"ServiceCode":"011"`, `"TrackingNumber":"1Z999AA10123456784"`}},
	} {
		raw, _ := io.ReadAll(begun(t, c.j).Body)
		for _, w := range c.want {
			if !strings.Contains(string(raw), w) {
				t.Errorf("%s: %s is not in %s", name, w, raw)
			}
		}
	}
	for want, spoil := range map[string]func(*carriers.Job){
		"set account":  func(j *carriers.Job) { j.Number = "1" },
		"does not fit": func(j *carriers.Job) { j.From.Region = "Saxony" },
		"telephone":    func(j *carriers.Job) { j.Kind, j.From.Phone = order.BookPickup, "" },
	} {
		j := job(order.BookLabel)
		spoil(&j)
		if turn, err := api.Book(j, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v %v", want, turn, err)
		}
	}
}

func TestAnswersToBookings(t *testing.T) {
	gif := base64.StdEncoding.EncodeToString([]byte("GIF89a label"))
	result := `{"TrackingNumber":"` + box + `","ShippingLabel":{"ImageFormat":{"Code":"GIF"},"GraphicImage":"` + gif + `"}}`
	for _, packages := range []string{result, "[" + result + "]"} { // UPS writes one as it likes
		turn, err := api.Book(job(order.BookLabel), [][]byte{[]byte(`{"ShipmentResponse":{"ShipmentResults":{"ShipmentIdentificationNumber":"` + box + `","ShipmentCharges":{"TotalCharges":{"CurrencyCode":"EUR","MonetaryValue":"7.90"}},"PackageResults":` + packages + `}}}`)})
		if m := turn.Made; err != nil || turn.Request != nil || m.Tracking != box || m.Reference != box || m.Label.Type != "image/gif" || m.Amount != 790 || m.Currency != "EUR" {
			t.Errorf("%+v %v", turn, err)
		}
	}
	turn, err := api.Book(job(order.BookPickup), [][]byte{[]byte(`{"PickupCreationResponse":{"PRN":"2929602E9CP","RateStatus":{}}}`)})
	if err != nil || turn.Made.Reference != "2929602E9CP" {
		t.Errorf("%+v %v", turn, err)
	}
	for _, kind := range []order.BookingKind{order.BookLabel, order.BookPickup} {
		for _, b := range []string{`{}`, `<html>`, `{"ShipmentResponse":{"ShipmentResults":{"PackageResults":[]}}}`} {
			if turn, err := api.Book(job(kind), [][]byte{[]byte(b)}); !errors.Is(err, carriers.ErrMalformed) {
				t.Errorf("%s: %+v %v", b, turn, err)
			}
		}
	}
	recovered := func(b string) (carriers.Made, error) {
		turn, err := api.Find(job(order.BookLabel), "", [][]byte{[]byte(b)})
		return turn.Made, err
	}
	if m, err := recovered(`{"LabelRecoveryResponse":{"LabelResults":{"TrackingNumber":"` + box + `","LabelImage":{"GraphicImage":"` + gif + `"}}}}`); err != nil || m.Tracking != box || m.Label.Type != "image/gif" {
		t.Errorf("%+v %v", m, err)
	}
	for _, none := range []string{`{"LabelRecoveryResponse":{}}`, `{"LabelRecoveryResponse":{"LabelResults":[{"TrackingNumber":"` + box + `"},{"TrackingNumber":"` + box + `"}]}}`} {
		if m, err := recovered(none); err != nil || m.Found() {
			t.Errorf("%s: %+v %v", none, m, err)
		}
	}
	// A pickup is asked for once more: UPS answers with the one that there is.
	if r := carriertest.Sought(t, api, job(order.BookPickup), ""); !strings.HasSuffix(r.URL.Path, "/pickupcreation/v2409/pickup") {
		t.Error(r.URL)
	}
}

func FuzzMade(f *testing.F) {
	f.Add([]byte(`{"ShipmentResponse":{"ShipmentResults":{"PackageResults":{"TrackingNumber":"1Z999AA10123456784","ShippingLabel":{"GraphicImage":"R0lGODlh"}}}}}`))
	f.Add([]byte(`{"PickupCreationResponse":{"PRN":"1"},"LabelRecoveryResponse":{"LabelResults":[{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) (carriers.Made, error){labelled, collected, recovered} {
			m, err := read(b)
			if err == nil && (len(m.Reference) > 40 || len(m.Tracking) > 80 || m.Amount < 0) {
				t.Errorf("%+v", m)
			}
		}
	})
}
