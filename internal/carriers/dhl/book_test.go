package dhl

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

func mydhl() carriers.API { return Adapter{}.APIs()[1] }

func job(kind order.BookingKind) carriers.Job { return carriertest.Job(New(), mydhl(), kind) }

// first is the request that begins a job, or the test ends.
func first(t *testing.T, j carriers.Job) *http.Request {
	t.Helper()
	return carriertest.Making(t, mydhl(), j)
}

func TestLabelAndPickupRequestsFitTheSpecification(t *testing.T) {
	spec := carriertest.LoadSpec(t, "dhl/mydhl-express-3.1.1.yaml", nil)
	unmeasured, abroad := job(order.BookLabel), job(order.BookLabel)
	unmeasured.Length, unmeasured.Width, unmeasured.Height = 0, 0, 0
	abroad.To.Country, abroad.Service = "AT", ""
	for name, j := range map[string]carriers.Job{"label": job(order.BookLabel), "unmeasured": unmeasured, "abroad": abroad} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return first(t, j) }, map[string]func(*http.Request){
				"no credential":       func(r *http.Request) { r.Header.Del("Authorization") },
				"no version":          func(r *http.Request) { r.Header.Del("X-Version") },
				"no account":          carriertest.Spoil(t, []any{}, "accounts"),
				"a payer of no kind":  carriertest.Spoil(t, "friend", "accounts", "typeCode"),
				"no product":          carriertest.Spoil(t, nil, "productCode"),
				"no telephone":        carriertest.Spoil(t, nil, "customerDetails", "shipperDetails", "contactInformation", "phone"),
				"a long street":       carriertest.Spoil(t, strings.Repeat("x", 46), "customerDetails", "receiverDetails", "postalAddress", "addressLine1"),
				"no city":             carriertest.Spoil(t, nil, "customerDetails", "shipperDetails", "postalAddress", "cityName"),
				"a country in words":  carriertest.Spoil(t, "Germany", "customerDetails", "shipperDetails", "postalAddress", "countryCode"),
				"no weight":           carriertest.Spoil(t, nil, "content", "packages", "weight"),
				"weightless":          carriertest.Spoil(t, 0, "content", "packages", "weight"),
				"no incoterm":         carriertest.Spoil(t, nil, "content", "incoterm"),
				"stones":              carriertest.Spoil(t, "stones", "content", "unitOfMeasurement"),
				"a picture of nobody": carriertest.Spoil(t, "selfie", "outputImageProperties", "imageOptions", "typeCode"),
				"a long reference":    carriertest.Spoil(t, strings.Repeat("x", 36), "customerReferences", "value"),
			})
		})
	}
	loose := job(order.BookPickup)
	loose.Tracking = ""
	for name, j := range map[string]carriers.Job{"pickup": job(order.BookPickup), "of no label": loose} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return first(t, j) }, map[string]func(*http.Request){
				"no credential":        func(r *http.Request) { r.Header.Del("Authorization") },
				"no time":              carriertest.Spoil(t, nil, "plannedPickupDateAndTime"),
				"closes at some time":  carriertest.Spoil(t, "late", "closeTime"),
				"at a castle":          carriertest.Spoil(t, "castle", "locationType"),
				"no account":           carriertest.Spoil(t, nil, "accounts"),
				"no place":             carriertest.Spoil(t, nil, "customerDetails", "shipperDetails"),
				"nothing to pick up":   carriertest.Spoil(t, []any{}, "shipmentDetails"),
				"customs, perhaps":     carriertest.Spoil(t, "perhaps", "shipmentDetails", "isCustomsDeclarable"),
				"a box without weight": carriertest.Spoil(t, nil, "shipmentDetails", "packages", "weight"),
			})
		})
	}
	spec.Wrong(t, func() *http.Request { return carriertest.Sought(t, mydhl(), job(order.BookLabel), "") }, map[string]func(*http.Request){
		"no credential": func(r *http.Request) { r.Header.Del("Authorization") },
		"another view":  func(r *http.Request) { r.URL.RawQuery = "shipmentReference=x&trackingView=all" },
	})
}

func TestWhatDHLIsToldOfAReturn(t *testing.T) {
	r := first(t, job(order.BookLabel))
	raw, _ := io.ReadAll(r.Body)
	for _, want := range []string{`"plannedShippingDateAndTime":"2026-03-09T15:00:00 GMT+01:00"`, `"productCode":"N"`, `"weight":1.2`, `"length":30`, `"value":"WBABCDEFGHIJKLMNOPQR"`, `"number":"A1B2C3"`,
		`"shipperDetails":{"contactInformation":{"companyName":"Zephyrine Lee"`, `"receiverDetails":{"contactInformation":{"companyName":"Acme Returns"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
	raw, _ = io.ReadAll(first(t, job(order.BookPickup)).Body)
	for _, want := range []string{`"plannedPickupDateAndTime":"2026-03-09T09:00:00 GMT+01:00"`, `"closeTime":"17:00"`, `"shipmentTrackingNumber":"1Z999AA10123456784"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
	for name, spoil := range map[string]func(*carriers.Job){
		"set account": func(j *carriers.Job) { j.Number = "" },
		"telephone":   func(j *carriers.Job) { j.From.Phone = "" },
		"three lines": func(j *carriers.Job) { j.To.Street = strings.Repeat("Hafen ", 40) },
		"city or":     func(j *carriers.Job) { j.To.City = strings.Repeat("H", 46) },
	} {
		j := job(order.BookLabel)
		spoil(&j)
		if turn, err := mydhl().Book(j, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %+v %v", name, turn, err)
		}
	}
}

func TestAnswersToBookings(t *testing.T) {
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 label"))
	label, pickup := job(order.BookLabel), job(order.BookPickup)
	made := func(j carriers.Job, body string) (carriers.Made, error) {
		turn, err := mydhl().Book(j, [][]byte{[]byte(body)})
		if turn.Request != nil {
			t.Error("something is to follow")
		}
		return turn.Made, err
	}
	m, err := made(label, `{"shipmentTrackingNumber":"9356579890","documents":[{"typeCode":"invoice","content":"eA=="},{"typeCode":"label","imageFormat":"PDF","content":"`+pdf+`"}]}`)
	if err != nil || m.Tracking != "9356579890" || m.Label.Type != "application/pdf" || string(m.Label.Body) != "%PDF-1.4 label" {
		t.Errorf("%+v %v", m, err)
	}
	if m, err = made(label, `{"shipmentTrackingNumber":"9356579890"}`); err != nil || m.Label.Type != "" || !m.Found() {
		t.Errorf("without a label: %+v %v", m, err)
	}
	if m, err = made(pickup, `{"dispatchConfirmationNumbers":["PRG201220123456"],"warnings":["x"]}`); err != nil || m.Reference != "PRG201220123456" || m.Tracking != "" {
		t.Errorf("%+v %v", m, err)
	}
	for _, body := range []string{`{}`, `{"shipmentTrackingNumber":""}`, `{"dispatchConfirmationNumbers":[]}`, `<html>`} {
		for _, j := range []carriers.Job{label, pickup} {
			if m, err := made(j, body); !errors.Is(err, carriers.ErrMalformed) {
				t.Errorf("%s: %+v %v", body, m, err)
			}
		}
	}
	for body, want := range map[string]string{
		`{"shipments":[{"shipmentTrackingNumber":"9356579890"}]}`: "9356579890",
		`{"shipments":[]}`: "",
		`{"shipments":[{"shipmentTrackingNumber":"9356579890"},{"shipmentTrackingNumber":"9356579891"}]}`: "", // not ours alone
	} {
		if turn, err := mydhl().Find(label, "", [][]byte{[]byte(body)}); err != nil || turn.Made.Tracking != want {
			t.Errorf("%s: %+v %v", body, turn.Made, err)
		}
	}
	if _, err := mydhl().Find(pickup, "", nil); !errors.Is(err, carriers.ErrCannot) {
		t.Errorf("a pickup is looked for: %v", err)
	}
}
