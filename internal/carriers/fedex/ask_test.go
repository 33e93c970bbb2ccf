package fedex

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

var api = Adapter{}.APIs()[0]

func question(numbers ...string) carriers.Question {
	return carriers.Question{Account: carriertest.Account(New(), api), ID: "0123456789ABCDEF0123456789", Token: "the-token", Numbers: numbers}
}

func body(r *http.Request, s string) {
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(s)), int64(len(s)), nil
}

func TestTrackRequestFitsTheSpecification(t *testing.T) {
	spec := carriertest.LoadSpec(t, "fedex/track.json", func(doc *openapi3.T) {
		delete(doc.Extensions, "schemes") // Swagger 2.0 left it behind
	})
	spec.Wrong(t, func() *http.Request {
		return carriertest.Request(t, api.Track, question(slices.Repeat([]string{"700000000009"}, 30)...))
	}, map[string]func(*http.Request){
		"no token":        func(r *http.Request) { r.Header.Del("Authorization") },
		"no content type": func(r *http.Request) { r.Header.Del("Content-Type") },
		"get":             func(r *http.Request) { r.Method = http.MethodGet },
		"no detailed scans": func(r *http.Request) {
			body(r, `{"trackingInfo":[{"trackingNumberInfo":{"trackingNumber":"700000000009"}}]}`)
		},
		"no number": func(r *http.Request) {
			body(r, `{"includeDetailedScans":true,"trackingInfo":[{"trackingNumberInfo":{}}]}`)
		},
		"a bare number": func(r *http.Request) { body(r, `{"includeDetailedScans":true,"trackingInfo":["700000000009"]}`) },
	})
}

func TestTokenRequest(t *testing.T) {
	r, err := api.Token(question().Account)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r.Body)
	if got := r.Method + " " + r.URL.String() + " " + string(b); got != "POST https://apis.fedex.com/oauth/token client_id=the-key&client_secret=the-secret&grant_type=client_credentials" {
		t.Error(got)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   carriers.Reason
	}{
		"unknown number": {200, string(carriertest.File(t, "notfound.json")), carriers.NotFound},
		"no number":      {400, `{"errors":[{"code":"TRACKING.TRACKINGNUMBER.EMPTY","message":"-"}]}`, carriers.BadRequest},
		"token expired":  {401, string(carriertest.File(t, "refused.json")), carriers.Unauthorized},
		"quota":          {429, ``, carriers.Limited},
		"down":           {503, `{"errors":[{"code":"SERVICE.UNAVAILABLE.ERROR"}]}`, carriers.Unavailable},
		"down, says 200": {200, `{"errors":[{"code":"INTERNAL.SERVER.ERROR"}]}`, carriers.Unavailable},
	} {
		_, err := New().ParseTrack([]byte(c.body))
		if got, _, detail := carriers.Judge(api, c.status, http.Header{}, []byte(c.body), err, time.Unix(0, 0)); got != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got, detail, c.want)
		}
	}
}
