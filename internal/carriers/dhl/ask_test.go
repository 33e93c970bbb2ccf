package dhl

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func question(api carriers.API, numbers ...string) carriers.Question {
	return carriers.Question{Account: carriertest.Account(New(), api), ID: "0123456789ABCDEF0123456789", Numbers: numbers}
}

func TestExpressRequestFitsTheSpecification(t *testing.T) {
	api := Adapter{}.APIs()[1]
	spec := carriertest.LoadSpec(t, "dhl/mydhl-express-3.1.1.yaml", nil)
	spec.Wrong(t, func() *http.Request {
		return carriertest.Request(t, api.Track, question(api, "9356579890"))
	}, map[string]func(*http.Request){
		"no credential":    func(r *http.Request) { r.Header.Del("Authorization") },
		"no version":       func(r *http.Request) { r.Header.Del("X-Version") },
		"another view":     func(r *http.Request) { r.URL.RawQuery = "trackingView=everything" },
		"another level":    func(r *http.Request) { r.URL.RawQuery = "levelOfDetail=atoms" },
		"offsets, maybe":   func(r *http.Request) { r.URL.RawQuery = "requestGMTOffsetPerEvent=maybe" },
		"a long reference": func(r *http.Request) { r.Header.Set("Message-Reference", "0123456789012345678901234567890123456789") },
		"post":             func(r *http.Request) { r.Method = http.MethodPost },
	})
}

func TestUnifiedRequest(t *testing.T) {
	api := Adapter{}.APIs()[0]
	q := question(api, "00340434292135100186")
	q.Service = "parcel-de"
	r := carriertest.Request(t, api.Track, q)
	if got := r.URL.String(); got != "https://api-eu.dhl.com/track/shipments?language=en&service=parcel-de&trackingNumber=00340434292135100186" || r.Header.Get("DHL-API-Key") != "the-key" {
		t.Errorf("%s %v", got, r.Header)
	}
}

func TestEcommerceRequests(t *testing.T) {
	api := Adapter{}.APIs()[2]
	q := question(api, "420850049374869903500000000017", "9374869903500000000018")
	q.Token = "the-token"
	r := carriertest.Request(t, api.Track, q)
	if got := r.URL.String(); got != "https://api.dhlecs.com/tracking/v4/package/open?trackingId=420850049374869903500000000017%2C9374869903500000000018" || r.Header.Get("Authorization") != "Bearer the-token" {
		t.Errorf("%s %v", got, r.Header)
	}
	q.Service, q.Account.Number = "packageId", "5190000"
	q.Numbers = []string{"GM60500000000000017"}
	r = carriertest.Request(t, api.Track, q)
	if got := r.URL.String(); got != "https://api.dhlecs.com/tracking/v4/package/open?packageId=GM60500000000000017&pickup=5190000" {
		t.Error(got)
	}
	q.Service = "parcel-de"
	if _, err := api.Track(q); err == nil || !strings.Contains(err.Error(), "service") {
		t.Errorf("a number of another kind: %v", err)
	}
	account := q.Account
	account.Secret = "the secret&more"
	r, err := api.Token(account)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if got := r.Method + " " + r.URL.String() + " " + string(body); err != nil ||
		got != "POST https://api.dhlecs.com/auth/v4/accesstoken client_id=the-key&client_secret=the+secret%26more&grant_type=client_credentials" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %v %v", got, r.Header, err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   carriers.Reason
	}{
		"unknown number": {404, `{"title":"No result found","detail":"No shipment with given tracking number found.","status":404}`, carriers.NotFound},
		"token ended":    {401, `{"title":"Access token expired","status":401}`, carriers.Unauthorized},
		"bad key":        {401, `{"title":"Unauthorized","status":401}`, carriers.Unauthorized},
		"quota":          {429, `{"title":"Too many requests"}`, carriers.Limited},
		"bad request":    {400, `{"title":"Bad request","detail":"-"}`, carriers.BadRequest},
		"down":           {502, `<html>`, carriers.Unavailable},
	} {
		_, err := New().ParseTrack([]byte(c.body))
		for _, api := range (Adapter{}).APIs() {
			if got, _, detail := carriers.Judge(api, c.status, http.Header{}, []byte(c.body), err, time.Unix(0, 0)); got != c.want {
				t.Errorf("%s %s: %s (%s), want %s", api.Name, name, got, detail, c.want)
			}
		}
	}
}
