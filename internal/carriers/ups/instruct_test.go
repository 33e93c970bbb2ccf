package ups

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

const box = "1Z999AA10123456784"

func task(do order.Resolution) carriers.Task {
	t := carriers.Task{Question: question(box), Do: do}
	if do == order.Redeliver {
		t.Day = "2026-03-09"
	}
	if do == order.Redirect {
		t.To = carriers.Destination{Name: "Ann Lee", Street: "12 Elm Street", City: "Springfield", Region: "IL", PostalCode: "62701", Country: "US"}
	}
	return t
}

func told1(t *testing.T, k carriers.Task) *http.Request {
	t.Helper()
	r, err := api.Tell(k)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInterceptsFitTheSpecification(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "intercept.yaml"), nil)
	// change spoils a field of the body.
	change := func(field string, to any) func(*http.Request) {
		return func(r *http.Request) {
			var b map[string]any
			raw, _ := io.ReadAll(r.Body)
			if err := json.Unmarshal(raw, &b); err != nil {
				t.Fatal(err)
			}
			b[field] = to
			if to == nil {
				delete(b, field)
			}
			raw, _ = json.Marshal(b)
			body(r, string(raw))
		}
	}
	for do, own := range map[order.Resolution]map[string]func(*http.Request){
		order.Redeliver: {"no day": change("deliveryDate", nil), "a day with dashes": change("deliveryDate", "2026-03-09")},
		order.HoldAtLocation: {"nobody to call": change("requesterContactInfo", nil),
			"a number without +": change("requesterContactInfo", map[string]string{"name": "Acme", "telephone": "4105550100"})},
		order.Redirect: {"a place without a city": change("newDeliveryAddress", map[string]any{"addressInfo": map[string]string{"countryCode": "US"}}),
			"a long street": change("newDeliveryAddress", map[string]any{"addressInfo": map[string]string{"addressLine1": strings.Repeat("x", 51), "city": "S", "countryCode": "US"}})},
		order.ReturnToSender: {"no reason": change("reasonForReturn", nil), "another reason": change("reasonForReturn", "ZZ")},
	} {
		wrong := map[string]func(*http.Request){
			"no transId":    func(r *http.Request) { r.Header.Del("TransId") },
			"a long one":    func(r *http.Request) { r.Header.Set("TransId", strings.Repeat("7", 15)) },
			"no token":      func(r *http.Request) { r.Header.Del("Authorization") },
			"get":           func(r *http.Request) { r.Method = http.MethodGet },
			"a mail number": func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, box, "92419901234567890123", 1) },
			"from nowhere":  change("clientIP", nil),
		}
		for name, f := range own {
			wrong[name] = f
		}
		t.Run(string(do), func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return told1(t, task(do)) }, wrong)
		})
	}
}

func TestInterceptsThatAreNotAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*carriers.Task)
		want  string
	}{
		"a mail number":           {func(k *carriers.Task) { k.Numbers = []string{"92419901234567890123"} }, "1Z"},
		"nobody to call":          {func(k *carriers.Task) { k.Contact = carriers.Contact{} }, "contact_name"},
		"a phone without country": {func(k *carriers.Task) { k.Contact.Phone = "0410 555" }, "contact_phone"},
		"no address of ours":      {func(k *carriers.Task) { k.Contact.IP = "" }, "client_ip"},
		"a pickup point":          {func(k *carriers.Task) { k.Do, k.Point = order.HoldAtLocation, "U1" }, "pickup point"},
		"no day":                  {func(k *carriers.Task) { k.Do, k.Day = order.Redeliver, "" }, "day"},
		"no city":                 {func(k *carriers.Task) { k.To.City = "" }, "city"},
		"a long street":           {func(k *carriers.Task) { k.To.Street = strings.Repeat("x", 51) }, "street"},
	} {
		k := task(order.Redirect)
		c.spoil(&k)
		if r, err := api.Tell(k); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v %v, want %q", name, r, err, c.want)
		}
	}
}

func TestAnswersToIntercepts(t *testing.T) {
	for body, want := range map[string]carriers.Done{
		`{"transactionId":"ASR1212","statusCode":"000","statusMsg":"Success","success":true}`:                                                     {Reference: "ASR1212"},
		`{"transactionId":"A","statusCode":"710","subStatusCode":"7103","success":false,"errors":[{"errorCode":"1201","errorMessage":"12 Elm"}]}`: {Declined: "UPS says 710 7103 1201"},
	} {
		if d, err := api.Told([]byte(body)); err != nil || d != want {
			t.Errorf("%s: %+v %v", body, d, err)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `<html>`, `{"statusCode":"000"}`, `{"success":true}`} {
		if d, err := api.Told([]byte(body)); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %+v %v", body, d, err)
		}
	}
}

func TestProofRequestFitsTheSpecification(t *testing.T) {
	carriertest.LoadSpec(t, "ups/Tracking.yaml", versioned).Wrong(t, func() *http.Request {
		r := carriertest.Request(t, api.Prove, question(box))
		if q := r.URL.Query(); q.Get("returnSignature") != "true" || q.Get("returnPOD") != "true" {
			t.Error(r.URL)
		}
		return r
	}, map[string]func(*http.Request){
		"no transId": func(r *http.Request) { r.Header.Del("TransId") },
		"no token":   func(r *http.Request) { r.Header.Del("Authorization") },
		"post":       func(r *http.Request) { r.Method = http.MethodPost },
	})
}

func TestProofs(t *testing.T) {
	pdf, gif := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 x")), base64.StdEncoding.EncodeToString([]byte("GIF89a xxx"))
	two := `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"1ZOTHER","deliveryInformation":{"receivedBy":"NOT HIM"}},{"trackingNumber":"` + box + `","deliveryInformation":{"receivedBy":"LEE\u202e","signature":{"image":"` + gif + `"},"deliveryPhoto":{"photo":""},"pod":{"content":"` + pdf + `"}}}]}]}}`
	e, err := api.Evidence(box, []byte(two))
	if err != nil || e.SignedBy != "LEE" || e.Held() != "name, signature, document" || e.Documents[0].Type != "image/gif" || e.Documents[1].Type != "application/pdf" {
		t.Errorf("%+v %v", e, err)
	}
	html := base64.StdEncoding.EncodeToString([]byte("<html><script>alert(1)</script>"))
	one := `{"trackResponse":{"shipment":[{"inquiryNumber":"REF","package":[{"trackingNumber":"1ZOTHER","deliveryInformation":{"pod":{"content":"` + html + `"}}}]}]}}`
	if e, err = api.Evidence("REF", []byte(one)); err != nil || e.Held() != "document" || e.Documents[0].Type != "application/octet-stream" {
		t.Errorf("%+v %v", e, err)
	}
	if e, err = api.Evidence(box, []byte(`{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"`+box+`"}]}]}}`)); err != nil || e.Held() != "" {
		t.Errorf("nothing: %+v %v", e, err)
	}
	for _, body := range []string{``, `{}`, `<html>`, `{"trackResponse":{"shipment":[{"package":[{"deliveryInformation":{"pod":{"content":"!!"}}}]}]}}`, string(carriertest.File(t, "notfound.json"))} {
		if _, err := api.Evidence(box, []byte(body)); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte(`{"trackResponse":{"shipment":[{"package":[{"deliveryInformation":{"receivedBy":"A","pod":{"content":"JVBERg=="}}}]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := api.Evidence(box, body)
		if len(e.SignedBy) > 120 || len(e.Documents) > 3 {
			t.Errorf("%d bytes of a name, %d documents, %v", len(e.SignedBy), len(e.Documents), err)
		}
		d, err := api.Told(body)
		if err == nil && (d.Declined == "" && len(d.Reference) > 40 || len(d.Declined) > 120) {
			t.Errorf("%+v", d)
		}
	})
}
