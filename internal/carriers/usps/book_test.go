package usps

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

// leave is what USPS says when a payment is authorized.
const leave = `{"paymentAuthorizationToken":"header.body.signature","roles":[]}`

func payment(t *testing.T) *http.Request {
	t.Helper()
	turn, err := api.Book(job(order.BookLabel), nil)
	if err != nil || turn.Makes {
		t.Fatalf("%+v %v", turn, err)
	}
	return turn.Request
}

func TestReturnsFitWhatUSPSWantsOfThem(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	unpaid := func(r *http.Request) { r.Header.Del("X-Payment-Authorization-Token") }
	nameless := func(r *http.Request) { r.Header.Del("X-Idempotency-Key") }
	spec.Wrong(t, func() *http.Request { return payment(t) }, map[string]func(*http.Request){
		"no token":      nobody,
		"nobody pays":   carriertest.Spoil(t, []any{}, "roles"),
		"by a friend":   carriertest.Spoil(t, "FRIEND", "roles", "roleName"),
		"no CRID":       carriertest.Spoil(t, nil, "roles", "CRID"),
		"a long CRID":   carriertest.Spoil(t, strings.Repeat("1", 19), "roles", "CRID"),
		"a MID of five": carriertest.Spoil(t, "12345", "roles", "MID"),
		"no manifest":   carriertest.Spoil(t, nil, "roles", "manifestMID"),
		"in gold":       carriertest.Spoil(t, "GOLD", "roles", "accountType"),
	})
	box := func(to any, field string) func(*http.Request) {
		return carriertest.Spoil(t, to, "packageDescription", field)
	}
	large, split := job(order.BookLabel), job(order.BookLabel)
	large.Length, large.Weight = 700, 12_000
	split.From.Name, split.From.Street = "Prince", "The Old Rectory behind the Larger Churchyard, Larchwood Crescent 77, Apartment 12"
	for name, j := range map[string]carriers.Job{"label": job(order.BookLabel), "large": large, "one name, two lines": split} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return carriertest.Making(t, api, j, leave) }, map[string]func(*http.Request){
				"no token":         nobody,
				"unpaid":           unpaid,
				"nameless":         nameless,
				"named otherwise":  func(r *http.Request) { r.Header.Set("X-Idempotency-Key", "WBABCDEFGHIJKLMNOPQR") },
				"in many parts":    func(r *http.Request) { r.Header.Set("Accept", "application/json") },
				"nobody":           carriertest.Spoil(t, nil, "fromAddress"),
				"no name":          carriertest.Spoil(t, nil, "toAddress", "firm"),
				"no street":        carriertest.Spoil(t, nil, "fromAddress", "streetAddress"),
				"a long street":    carriertest.Spoil(t, strings.Repeat("x", 51), "toAddress", "streetAddress"),
				"a long city":      carriertest.Spoil(t, strings.Repeat("x", 29), "fromAddress", "city"),
				"a state in words": carriertest.Spoil(t, "Illinois", "fromAddress", "state"),
				"half a ZIP":       carriertest.Spoil(t, "627", "fromAddress", "ZIPCode"),
				"a whole ZIP":      carriertest.Spoil(t, "60601-1234", "toAddress", "ZIPCode"),
				"no weight":        box(nil, "weight"),
				"weightless":       box(0, "weight"),
				"too heavy":        box(71, "weight"),
				"in kilograms":     box("kg", "weightUOM"),
				"flat":             box(nil, "height"),
				"the way out":      box("USPS_GROUND_ADVANTAGE", "mailClass"),
				"by hand":          box("BY_HAND", "processingCategory"),
				"no rate":          box(nil, "rateIndicator"),
				"on bark":          carriertest.Spoil(t, "BARK", "imageInfo", "imageType"),
				"a field of ours":  carriertest.Spoil(t, "x", "colour"),
			})
		})
	}
	spec.Wrong(t, func() *http.Request { return carriertest.Sought(t, api, job(order.BookLabel), "", leave) }, map[string]func(*http.Request){
		"no token": nobody, "unpaid": unpaid, "nameless": nameless, "no picture": carriertest.Spoil(t, nil, "imageInfo"),
	})
	at := func(to any, path ...string) func(*http.Request) {
		return carriertest.Spoil(t, to, append([]string{"pickupAddress"}, path...)...)
	}
	spec.Wrong(t, func() *http.Request { return carriertest.Making(t, api, job(order.BookPickup)) }, map[string]func(*http.Request){
		"no token":       nobody,
		"some day":       carriertest.Spoil(t, "tomorrow", "pickupDate"),
		"nothing":        carriertest.Spoil(t, []any{}, "packages"),
		"a gift":         carriertest.Spoil(t, "GIFT", "packages", "packageType"),
		"weightless":     carriertest.Spoil(t, 0, "estimatedWeight"),
		"under a stone":  carriertest.Spoil(t, "STONE", "pickupLocation", "packageLocation"),
		"nobody":         at(nil, "lastName"),
		"nowhere":        at(nil, "address"),
		"no street":      at(nil, "address", "streetAddress"),
		"nobody to tell": at([]any{}, "contact"),
		"a telephone":    at([]any{map[string]any{"phone": "2175550143"}}, "contact"),
	})
}

func TestWhatUSPSIsToldOfAReturn(t *testing.T) {
	read := func(r *http.Request) string {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.Method + " " + r.URL.String() + " " + string(raw)
	}
	large, priority := job(order.BookLabel), job(order.BookLabel)
	large.Weight, priority.Service = 12_000, "PRIORITY_MAIL_RETURN_SERVICE"
	making := carriertest.Making(t, api, job(order.BookLabel), leave)
	sought := carriertest.Sought(t, api, job(order.BookLabel), "", leave)
	for name, c := range map[string]struct {
		told string
		want []string
	}{
		"payment": {read(payment(t)), []string{"POST https://apis.usps.com/payments/v3/payment-authorization", `{"CRID":"12345678","MID":"123456789","accountNumber":"1000000000","accountType":"EPS","manifestMID":"987654321","roleName":"PAYER"}`, `"roleName":"LABEL_OWNER"`}},
		"label": {read(making), []string{"POST https://apis.usps.com/labels/v3/return-label", `"fromAddress":{"ZIPCode":"62701","city":"Springfield","firstName":"Zephyrine","lastName":"Lee","state":"IL","streetAddress":"Larchwood Crescent 77"}`,
			`"toAddress":{"ZIPCode":"60601","ZIPPlus4":"1234","city":"Chicago","firm":"Acme Returns"`, `"weight":2.65`, `"length":11.82`, `"width":7.88`, `"height":4.73`, `"processingCategory":"MACHINABLE"`, `"mailClass":"USPS_GROUND_ADVANTAGE_RETURN_SERVICE"`, `"referenceNumber":"WBABCDEFGHIJKLMNOPQR"`}},
		"heavy":    {read(carriertest.Making(t, api, large, leave)), []string{`"processingCategory":"NONSTANDARD"`, `"weight":26.46`}},
		"priority": {read(carriertest.Making(t, api, priority, leave)), []string{`"mailClass":"PRIORITY_MAIL_RETURN_SERVICE"`}},
		"reprint":  {read(sought), []string{"POST https://apis.usps.com/labels/v3/label-reprint", `{"imageInfo":{"imageType":"PDF","labelType":"4X6LABEL"}}`}},
		"pickup":   {read(carriertest.Making(t, api, job(order.BookPickup))), []string{"POST https://apis.usps.com/pickup/v3/carrier-pickup", `"pickupDate":"2026-03-09"`, `"contact":[{"email":"ops@waybill.example"}]`, `"packageType":"RETURNS"`}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.told, w) {
				t.Errorf("%s: %s is not in %s", name, w, c.told)
			}
		}
	}
	// It is looked for under the name under which it was made, which is its own.
	name, other := making.Header.Get("X-Idempotency-Key"), job(order.BookLabel)
	other.Reference = "WBABCDEFGHIJKLMNOPQS"
	if making.Header.Get("X-Payment-Authorization-Token") != "header.body.signature" || name != sought.Header.Get("X-Idempotency-Key") || name == carriertest.Making(t, api, other, leave).Header.Get("X-Idempotency-Key") {
		t.Errorf("%v %v", making.Header, sought.Header)
	}
	// What cannot be asked is known before a payment is.
	for want, spoil := range map[string]func(*carriers.Job){
		"set account":      func(j *carriers.Job) { j.Number = "12345678/12345/987654321/1000000000" },
		"within the":       func(j *carriers.Job) { j.From.Country, j.To.Country = "DE", "DE" },
		"long, wide and":   func(j *carriers.Job) { j.Length = 0 },
		"70 pounds":        func(j *carriers.Job) { j.Weight = 32_000 },
		"length and girth": func(j *carriers.Job) { j.Length, j.Width = 1500, 600 },
		"buyer's address":  func(j *carriers.Job) { j.From.Region = "Illinois" },
		"returns address":  func(j *carriers.Job) { j.To.PostalCode = "6060" },
		"a last name":      func(j *carriers.Job) { j.Kind, j.From.Name = order.BookPickup, "Prince" },
		"webhook_email":    func(j *carriers.Job) { j.Kind, j.Hook.Email = order.BookPickup, "" },
	} {
		j := job(order.BookLabel)
		spoil(&j)
		if turn, err := api.Book(j, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v %v", want, turn, err)
		}
	}
}

func TestAnswersToBookings(t *testing.T) {
	label, pickup := job(order.BookLabel), job(order.BookPickup)
	pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 label"))
	metadata := `"trackingNumber":"9302010000000000000001","postage":5.57,"fees":[{"name":"Nonstandard Length","price":4}],"extraServices":[{"name":"USPS Tracking","price":0.0}]`
	printed := `{` + metadata + `,"returnLabelImage":"` + pdf + `"}`
	again := `{"returnLabelMetadata":{` + metadata + `},"returnLabelImage":"` + pdf + `","reprintInfo":{"reprintNumber":1}}`
	for _, c := range []struct {
		next func(carriers.Job, [][]byte) (carriers.Turn, error)
		said string
	}{
		{api.Book, printed},
		{func(j carriers.Job, said [][]byte) (carriers.Turn, error) { return api.Find(j, "", said) }, again},
	} {
		turn, err := c.next(label, [][]byte{[]byte(leave), []byte(c.said)})
		if m := turn.Made; err != nil || turn.Request != nil || m.Tracking != "9302010000000000000001" || m.Reference != m.Tracking || m.Amount != 957 || m.Currency != "USD" || m.Label.Type != "application/pdf" || string(m.Label.Body) != "%PDF-1.4 label" {
			t.Errorf("%+v %v", turn, err)
		}
	}
	made := func(said ...string) (carriers.Made, error) {
		raw := make([][]byte, len(said))
		for i := range said {
			raw[i] = []byte(said[i])
		}
		turn, err := api.Book(label, raw)
		return turn.Made, err
	}
	for name, said := range map[string]string{"no picture": `{` + metadata + `}`, "a page": `{` + metadata + `,"returnLabelImage":"PGh0bWw+"}`} {
		if m, err := made(leave, said); err != nil || !m.Found() || m.Label.Type != "" {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
	if m, err := made(leave, `{"trackingNumber":"9302010000000000000001","postage":5.57,"fees":[{"name":"?"}]}`); err != nil || m.Currency != "" || m.Amount != 0 {
		t.Errorf("a price that nobody can read: %+v %v", m, err)
	}
	for _, body := range []string{`{}`, `<html>`, `{"error":{"code":"503"}}`, `{"trackingNumber":""}`, printed[:40], "--5GSK8EST33Y6MQJS45\nContent-type: application/json\n\n" + printed} {
		if m, err := made(leave, body); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %+v %v", body, m, err)
		}
		if turn, err := api.Book(pickup, [][]byte{[]byte(body)}); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %+v %v", body, turn, err)
		}
	}
	for _, body := range []string{`{}`, `<html>`, `{"paymentAuthorizationToken":""}`, `{"paymentAuthorizationToken":"a\r\nHost: b"}`, `{"paymentAuthorizationToken":7}`} {
		if turn, err := api.Book(label, [][]byte{[]byte(body)}); !errors.Is(err, carriers.ErrMalformed) || turn.Request != nil {
			t.Errorf("%s: %+v %v", body, turn, err)
		}
	}
	turn, err := api.Book(pickup, [][]byte{[]byte(`{"confirmationNumber":"WEB1234567890","pickupDate":"2026-03-09"}`)})
	if err != nil || turn.Made.Reference != "WEB1234567890" || turn.Made.Tracking != "" {
		t.Errorf("%+v %v", turn, err)
	}
	if _, err := api.Find(pickup, "", nil); !errors.Is(err, carriers.ErrCannot) {
		t.Errorf("a pickup is looked for: %v", err)
	}
}

func FuzzMade(f *testing.F) {
	f.Add([]byte(`{"trackingNumber":"9302010000000000000001","postage":5.57,"returnLabelImage":"JVBERi0="}`))
	f.Add([]byte(`{"returnLabelMetadata":{"trackingNumber":"9302010000000000000001"},"confirmationNumber":"W"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) (carriers.Made, error){labelled, scheduled} {
			if m, err := read(b); err == nil && (len(m.Reference) > 40 || m.Amount < 0 || m.Tracking != "" && !carriers.IsNumber(m.Tracking)) {
				t.Errorf("%+v", m)
			}
		}
	})
}
