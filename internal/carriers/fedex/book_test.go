package fedex

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func job(kind order.BookingKind) carriers.Job { return carriertest.Job(New(), api, kind) }

// european is a job between two places in Germany, where a service must be named.
func european(kind order.BookingKind) carriers.Job {
	j := job(kind)
	j.Service = "FEDEX_PRIORITY"
	j.From.City, j.From.Region, j.From.PostalCode, j.From.Country, j.From.Phone = "Leipzig", "Saxony", "04109", "DE", "+49 341 12345"
	j.To.City, j.To.Region, j.To.PostalCode, j.To.Country, j.To.Phone = "Hamburg", "", "20457", "DE", "+49 40 1234567"
	return j
}

func TestReturnsFitWhatFedExWantsOfThem(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	unmeasured := job(order.BookLabel)
	unmeasured.Length = 0
	ship := func(to any, path ...string) func(*http.Request) {
		return carriertest.Spoil(t, to, append([]string{"requestedShipment"}, path...)...)
	}
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	for name, j := range map[string]carriers.Job{"label": job(order.BookLabel), "unmeasured": unmeasured, "european": european(order.BookLabel)} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return carriertest.Making(t, api, j) }, map[string]func(*http.Request){
				"no token":            nobody,
				"no ID":               func(r *http.Request) { r.Header.Del("X-Customer-Transaction-Id") },
				"post it by put":      func(r *http.Request) { r.Method = http.MethodPut },
				"no account":          carriertest.Spoil(t, nil, "accountNumber"),
				"a long account":      carriertest.Spoil(t, "1234567890", "accountNumber", "value"),
				"a label by post":     carriertest.Spoil(t, "BY_POST", "labelResponseOptions"),
				"no shipper":          ship(nil, "shipper"),
				"no recipient":        ship([]any{}, "recipients"),
				"no return":           ship(nil, "shipmentSpecialServices"),
				"an outward shipment": ship("PENDING", "shipmentSpecialServices", "returnShipmentDetail", "returnType"),
				"no service":          ship(nil, "serviceType"),
				"nobody pays":         ship(nil, "shippingChargesPayment"),
				"a friend pays":       ship("FRIEND", "shippingChargesPayment", "paymentType"),
				"no weight":           ship(nil, "requestedPackageLineItems", "weight"),
				"weightless":          ship(0, "requestedPackageLineItems", "weight", "value"),
				"in stones":           ship("STN", "requestedPackageLineItems", "weight", "units"),
				"no total":            ship(nil, "totalWeight"),
				"on bark":             ship("BARK", "labelSpecification", "imageType"),
				"a long street":       ship([]string{strings.Repeat("x", 36)}, "shipper", "address", "streetLines"),
				"four lines":          ship([]string{"1", "2", "3", "4"}, "shipper", "address", "streetLines"),
				"a long city":         ship(strings.Repeat("x", 36), "recipients", "address", "city"),
				"a country in words":  ship("Germany", "shipper", "address", "countryCode"),
				"no telephone":        ship(nil, "shipper", "contact", "phoneNumber"),
				"a short telephone":   ship("123", "recipients", "contact", "phoneNumber"),
				"a long reference":    ship(strings.Repeat("x", 31), "requestedPackageLineItems", "customerReferences", "value"),
			})
		})
	}
	spec.Wrong(t, func() *http.Request { return carriertest.Making(t, api, unmeasured) }, map[string]func(*http.Request){
		"a side of half an inch": ship(map[string]any{"length": 0.5, "width": 1, "height": 1, "units": "IN"}, "requestedPackageLineItems", "dimensions"),
		"two sides":              ship(map[string]any{"length": 1, "width": 1, "units": "IN"}, "requestedPackageLineItems", "dimensions"),
	})
	at := func(to any, path ...string) func(*http.Request) {
		return carriertest.Spoil(t, to, append([]string{"originDetail"}, path...)...)
	}
	loose, express := job(order.BookPickup), job(order.BookPickup)
	loose.Tracking, express.Service = "", "STANDARD_OVERNIGHT"
	for name, j := range map[string]carriers.Job{"pickup": job(order.BookPickup), "of no label": loose, "express": express} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return carriertest.Making(t, api, j) }, map[string]func(*http.Request){
				"no token":       nobody,
				"no account":     carriertest.Spoil(t, nil, "associatedAccountNumber"),
				"by air":         carriertest.Spoil(t, "AIR", "carrierCode"),
				"in kilograms":   carriertest.Spoil(t, "KG", "totalWeight", "units"),
				"a long remark":  carriertest.Spoil(t, strings.Repeat("x", 61), "remarks"),
				"some day":       at("tomorrow", "readyDateTimestamp"),
				"until 25 h":     at("25:00:00", "customerCloseTime"),
				"no end":         at(nil, "customerCloseTime"),
				"under a stone":  at("STONE", "packageLocation"),
				"nowhere":        at(nil, "pickupLocation"),
				"no state":       at(nil, "pickupLocation", "address", "stateOrProvinceCode"),
				"no ZIP":         at(nil, "pickupLocation", "address", "postalCode"),
				"no telephone":   at(nil, "pickupLocation", "contact", "phoneNumber"),
				"14 digits":      at(strings.Repeat("1", 14), "pickupLocation", "contact", "phoneNumber"),
				"nobody is home": at(nil, "pickupLocation", "contact", "personName"),
			})
		})
	}
}

func TestALabelIsLookedForAsTheSpecificationHasIt(t *testing.T) {
	spec := carriertest.LoadSpec(t, "fedex/track.json", func(doc *openapi3.T) {
		delete(doc.Extensions, "schemes") // Swagger 2.0 left it behind
	})
	spec.Wrong(t, func() *http.Request { return carriertest.Sought(t, api, job(order.BookLabel), "") }, map[string]func(*http.Request){
		"no token":     func(r *http.Request) { r.Header.Del("Authorization") },
		"no reference": carriertest.Spoil(t, nil, "referencesInformation", "value"),
		"since when":   carriertest.Spoil(t, nil, "referencesInformation", "shipDateBegin"),
		"until when":   carriertest.Spoil(t, nil, "referencesInformation", "shipDateEndDate"),
	})
}

func TestWhatFedExIsToldOfAReturn(t *testing.T) {
	express := job(order.BookPickup)
	express.Service = "STANDARD_OVERNIGHT"
	for name, c := range map[string]struct {
		j    carriers.Job
		want []string
	}{
		"label": {job(order.BookLabel), []string{`"serviceType":"FEDEX_GROUND"`, `"shipper":{"address":{"city":"Springfield","countryCode":"US","postalCode":"62701","stateOrProvinceCode":"IL","streetLines":["Larchwood Crescent 77"]},"contact":{"personName":"Zephyrine Lee","phoneNumber":"12175550143"}}`,
			`"recipients":[{"address":{"city":"Chicago"`, `"weight":{"units":"LB","value":2.7}`, `"totalWeight":2.7`, `"dimensions":{"height":5,"length":12,"units":"IN","width":8}`, `"value":"WBABCDEFGHIJKLMNOPQR"`, `"returnType":"PRINT_RETURN_LABEL"`}},
		"european": {european(order.BookLabel), []string{`"serviceType":"FEDEX_PRIORITY"`, `"weight":{"units":"KG","value":1.2}`, `"totalWeight":2.7`, `"dimensions":{"height":12,"length":30,"units":"CM","width":20}`, `"address":{"city":"Leipzig","countryCode":"DE","postalCode":"04109","streetLines"`, `"phoneNumber":"4934112345"`}},
		"pickup":   {job(order.BookPickup), []string{`"carrierCode":"FDXG"`, `"readyDateTimestamp":"2026-03-09T09:00:00Z"`, `"customerCloseTime":"17:00:00"`, `"remarks":"WBABCDEFGHIJKLMNOPQR"`, `"countryRelationships":"DOMESTIC"`, `"trackingNumber":"1Z999AA10123456784"`}},
		"express":  {express, []string{`"carrierCode":"FDXE"`}},
	} {
		raw, _ := io.ReadAll(carriertest.Making(t, api, c.j).Body)
		for _, w := range c.want {
			if !strings.Contains(string(raw), w) {
				t.Errorf("%s: %s is not in %s", name, w, raw)
			}
		}
	}
	abroad := func(kind order.BookingKind) carriers.Job {
		j := european(kind)
		j.Service = ""
		return j
	}
	for want, c := range map[string]struct {
		j     carriers.Job
		spoil func(*carriers.Job)
	}{
		"set account":           {job(order.BookLabel), func(j *carriers.Job) { j.Number = "" }},
		"up to nine":            {job(order.BookLabel), func(j *carriers.Job) { j.Number = "1234567890" }},
		"set service":           {abroad(order.BookLabel), func(*carriers.Job) {}},
		"does not fit":          {job(order.BookLabel), func(j *carriers.Job) { j.To.City = strings.Repeat("x", 36) }},
		"two letters in":        {job(order.BookLabel), func(j *carriers.Job) { j.From.Region = "Illinois" }},
		"in North America":      {job(order.BookLabel), func(j *carriers.Job) { j.From.Phone = "+4934112345678" }},
		"10 to 15 digits":       {european(order.BookLabel), func(j *carriers.Job) { j.From.Phone = "" }},
		"letters for a pickup":  {european(order.BookPickup), func(*carriers.Job) {}},
		"a postal code and a":   {job(order.BookPickup), func(j *carriers.Job) { j.From.PostalCode = "" }},
		"has no service of all": {abroad(order.BookPickup), func(*carriers.Job) {}},
	} {
		c.spoil(&c.j)
		if turn, err := api.Book(c.j, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v %v", want, turn, err)
		}
	}
}

func TestAnswersToBookings(t *testing.T) {
	made := func(j carriers.Job, body string) (carriers.Made, error) {
		turn, err := api.Book(j, [][]byte{[]byte(body)})
		if turn.Request != nil {
			t.Error("something is to follow")
		}
		return turn.Made, err
	}
	label, pickup := job(order.BookLabel), job(order.BookPickup)
	shipment := func(documents string) string {
		return `{"output":{"transactionShipments":[{"serviceType":"FEDEX_GROUND","masterTrackingNumber":"794953535000","pieceResponses":[{"trackingNumber":"794953535000","netChargeAmount":21.45,"packageDocuments":` + documents + `}]}]}}`
	}
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 label"))
	m, err := made(label, shipment(`[{"contentType":"RETURN_INSTRUCTIONS","encodedLabel":"`+base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 other"))+`"},{"contentType":"LABEL","docType":"PDF","encodedLabel":"`+pdf+`"}]`))
	if err != nil || m.Tracking != "794953535000" || m.Reference != "794953535000" || m.Label.Type != "application/pdf" || string(m.Label.Body) != "%PDF-1.4 label" {
		t.Errorf("%+v %v", m, err)
	}
	for _, none := range []string{`[]`, `null`, `[{"contentType":"LABEL","url":"https://evil.example/1.pdf"}]`, `[{"contentType":"LABEL","encodedLabel":"PGh0bWw+"}]`} {
		if m, err := made(label, shipment(none)); err != nil || m.Label.Type != "" || !m.Found() {
			t.Errorf("%s: %+v %v", none, m, err)
		}
	}
	for body, want := range map[string]string{`{"output":{"pickupConfirmationCode":"CPU16200910","message":"Courier on the way"}}`: "CPU16200910", `{"output":{"pickupConfirmationCode":"1","location":"NQAA"}}`: "1/NQAA"} {
		if m, err := made(pickup, body); err != nil || m.Reference != want || m.Tracking != "" {
			t.Errorf("%s: %+v %v", body, m, err)
		}
	}
	// A job that FedEx does later is none that it has done.
	for _, body := range []string{`{}`, `<html>`, `{"output":{"jobId":"abc123456"}}`, `{"output":{"transactionShipments":[]}}`, `{"errors":[{"code":"INTERNAL.SERVER.ERROR"}]}`, shipment(`[]`)[:120]} {
		for _, j := range []carriers.Job{label, pickup} {
			if m, err := made(j, body); !errors.Is(err, carriers.ErrMalformed) {
				t.Errorf("%s: %+v %v", body, m, err)
			}
		}
	}
	result := func(n string) string {
		return `{"trackResults":[{"trackingNumberInfo":{"trackingNumber":"` + n + `"}}]}`
	}
	for body, want := range map[string]string{
		`{"output":{"completeTrackResults":[` + result("794953535000") + `]}}`:                                            `794953535000`,
		`{"output":{"completeTrackResults":[` + result("794953535000") + `,` + result("794953535000") + `]}}`:             `794953535000`,
		`{"output":{"completeTrackResults":[` + result("794953535000") + `,` + result("794953535001") + `]}}`:             ``, // not ours alone
		`{"output":{"completeTrackResults":[{"trackResults":[{"error":{"code":"TRACKING.REFERENCENUMBER.NOTFOUND"}}]}]}}`: ``,
		`{"output":{"completeTrackResults":[]}}`:                                                                          ``,
	} {
		if turn, err := api.Find(label, "", [][]byte{[]byte(body)}); err != nil || turn.Made.Tracking != want {
			t.Errorf("%s: %+v %v", body, turn.Made, err)
		}
	}
	if _, err := api.Find(pickup, "", nil); !errors.Is(err, carriers.ErrCannot) {
		t.Errorf("a pickup is looked for: %v", err)
	}
}

func FuzzMade(f *testing.F) {
	f.Add([]byte(`{"output":{"transactionShipments":[{"masterTrackingNumber":"794953535000","pieceResponses":[{"packageDocuments":[{"contentType":"LABEL","encodedLabel":"JVBERi0="}]}]}]}}`))
	f.Add([]byte(`{"output":{"pickupConfirmationCode":"1","location":"NQAA","completeTrackResults":[{"trackResults":[{}]}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) (carriers.Made, error){labelled, collected, found} {
			if m, err := read(b); err == nil && (len(m.Reference) > 40 || m.Tracking != "" && !carriers.IsNumber(m.Tracking)) {
				t.Errorf("%+v", m)
			}
		}
	})
}
