package dhl

import (
	"io"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func pushAPI(t *testing.T) carriers.API {
	t.Helper()
	for _, api := range (Adapter{}).APIs() {
		if api.Name == "unified-push" {
			return api
		}
	}
	t.Fatal("there is none")
	return carriers.API{}
}

func TestSubscriptionRequest(t *testing.T) {
	api := pushAPI(t)
	q := question(api, "00340434161094000001", "00340434161094000002")
	r := carriertest.Request(t, api.Subscribe, q)
	body, err := io.ReadAll(r.Body)
	want := `POST https://api-eu.dhl.com/tracking/push/v1/subscription {"events":["Pre-Transit","Transit","Delivered","Failure","Unknown"],"format":"Default",` +
		`"hook":{"authentication":{"header":"DHL-Webhook-Token","token":"0123456789abcdef0123456789abcdef","type":"ApiKeyAuthentication"},"uri":"https://waybill.example/webhooks/dhl"},` +
		`"service":"parcel-de","shipmentIDs":["00340434161094000001","00340434161094000002"],"type":"Shipment"}`
	if got := r.Method + " " + r.URL.String() + " " + string(body); err != nil || got != want || r.Header.Get("DHL-API-Key") != "the-key" {
		t.Errorf("\n got %s\nwant %s\n%v %v", got, want, r.Header, err)
	}
	q.Service = ""
	if _, err := api.Subscribe(q); err == nil || !strings.Contains(err.Error(), "service") {
		t.Errorf("without a service: %v", err)
	}
	q = question(api, "00340434161094000001")
	q.Hook.Secret = ""
	if _, err := api.Subscribe(q); err == nil {
		t.Error("pushes that prove nothing are asked for")
	}
}

const confirmation = `{"scope":"subscription.validate","self":"https://api-eu.dhl.com/tracking/push/v1/subscription/7b1f0a2e-0001","secret":"s3cr3t-once","note":"confirm","expires":"2026-12-01T00:00:00Z"}`

func TestASubscriptionIsActivated(t *testing.T) {
	api := pushAPI(t)
	c, ok := Adapter{}.Confirmation([]byte(confirmation))
	if !ok || c != (carriers.Confirmation{Subscription: "7b1f0a2e-0001", Secret: "s3cr3t-once"}) {
		t.Fatalf("%v, %+v", ok, c)
	}
	r, err := api.Activate(carriertest.Account(New(), api), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Method + " " + r.URL.String(); got != "POST https://api-eu.dhl.com/tracking/push/v1/subscription/7b1f0a2e-0001" || r.Header.Get("DHL-API-Key") != "the-key" ||
		r.Header.Get("DHL-API-Hook-Secret") != "s3cr3t-once" || r.Body != nil {
		t.Errorf("%s %v", got, r.Header)
	}
	if events, err := New().ParsePush([]byte(confirmation)); err != nil || len(events) != 0 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// Where the answer goes is never what the message says, and nothing in it becomes
// another address or another header.
func TestConfirmationsThatAreNone(t *testing.T) {
	for name, c := range map[string][2]string{
		"another scope":        {"subscription.validate", "subscription.ready"},
		"no secret":            {"s3cr3t-once", ""},
		"a secret of lines":    {"s3cr3t-once", `a\r\nX-Admin: 1`},
		"a secret of blanks":   {"s3cr3t-once", "a b"},
		"a long secret":        {"s3cr3t-once", strings.Repeat("x", 513)},
		"no subscription":      {"subscription/7b1f0a2e-0001", "subscriptions"},
		"an empty one":         {"7b1f0a2e-0001", ""},
		"a path":               {"7b1f0a2e-0001", "../../admin"},
		"a query":              {"7b1f0a2e-0001", "a?b=c"},
		"an escaped path":      {"7b1f0a2e-0001", "a%2fb"},
		"a long name":          {"7b1f0a2e-0001", strings.Repeat("a", 65)},
		"an address of a kind": {`"https://api-eu.dhl.com/tracking/push/v1/subscription/7b1f0a2e-0001"`, `{"x":1}`},
		"shipments":            {`"note"`, `"shipments":[],"note"`},
	} {
		body := strings.Replace(confirmation, c[0], c[1], 1)
		if body == confirmation {
			t.Fatalf("%s: nothing changed", name)
		}
		if got, ok := (Adapter{}).Confirmation([]byte(body)); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	evil := strings.Replace(confirmation, "https://api-eu.dhl.com", "https://169.254.169.254", 1)
	c, ok := Adapter{}.Confirmation([]byte(evil))
	if !ok {
		t.Fatal("not read")
	}
	if r, err := pushAPI(t).Activate(carriertest.Account(New(), pushAPI(t)), c); err != nil || r.URL.Host != "api-eu.dhl.com" {
		t.Errorf("%v, %v", r.URL, err)
	}
}

func FuzzConfirmation(f *testing.F) {
	f.Add([]byte(confirmation))
	f.Add([]byte(`{"scope":"subscription.validate","self":1,"secret":null}`))
	carriertest.Seed(f)
	account := carriers.Account{BaseURL: "https://api.example"}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, ok := Adapter{}.Confirmation(body)
		if !ok {
			return
		}
		r, err := activate(account, c)
		if err != nil || r.URL.Host != "api.example" || r.URL.Path != "/tracking/push/v1/subscription/"+c.Subscription || strings.ContainsAny(c.Subscription, "/.%?#") ||
			strings.ContainsAny(string(c.Secret), "\r\n") {
			t.Errorf("%+v: %v, %v", c, r.URL, err)
		}
	})
}
