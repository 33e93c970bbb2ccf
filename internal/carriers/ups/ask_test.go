package ups

import (
	"bytes"
	"encoding/json"
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

// versioned gives the documents the version that UPS leaves empty.
func versioned(doc *openapi3.T) { doc.Info.Version = "1" }

// trackAlert mends the document of Track Alert: {version} stands in the servers'
// addresses without being a variable of them, and among the parameters of paths
// that do not have it. The kinds of subscription are constants without a type,
// which the validator cannot read out of a path.
func trackAlert(doc *openapi3.T) {
	versioned(doc)
	kind := doc.Components.Parameters["type"].Value.Schema.Value
	kind.OneOf, kind.Enum = nil, []any{"standard", "enhanced"}
	for _, s := range doc.Servers {
		s.URL = strings.ReplaceAll(s.URL, "{version}", "v2")
	}
	for _, p := range doc.Paths.Map() {
		for _, op := range p.Operations() {
			op.Parameters = slices.DeleteFunc(op.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == "version" })
		}
	}
}

func TestTokenRequestFitsTheSpecification(t *testing.T) {
	carriertest.LoadSpec(t, "ups/OAuthClientCredentials.yaml", versioned).Wrong(t, func() *http.Request {
		r, err := api.Token(question().Account)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}, map[string]func(*http.Request){
		"no credential": func(r *http.Request) { r.Header.Del("Authorization") },
		"no grant":      func(r *http.Request) { body(r, "scope=x") },
		"json":          func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		"get":           func(r *http.Request) { r.Method = http.MethodGet },
	})
}

func TestTrackRequestFitsTheSpecification(t *testing.T) {
	carriertest.LoadSpec(t, "ups/Tracking.yaml", versioned).Wrong(t, func() *http.Request {
		return carriertest.Request(t, api.Track, question("1Z999AA10123456784"))
	}, map[string]func(*http.Request){
		"no transId":        func(r *http.Request) { r.Header.Del("TransId") },
		"no transactionSrc": func(r *http.Request) { r.Header.Del("TransactionSrc") },
		"no token":          func(r *http.Request) { r.Header.Del("Authorization") },
		"post":              func(r *http.Request) { r.Method = http.MethodPost },
		"another path":      func(r *http.Request) { r.URL.Path = "/api/track/v9/details/1Z999AA10123456784" },
	})
}

func TestSubscriptionFitsTheSpecification(t *testing.T) {
	spec := carriertest.LoadSpec(t, "ups/UPSTrackAlert.yaml", trackAlert)
	spec.Wrong(t, func() *http.Request {
		return carriertest.Request(t, api.Subscribe, question(slices.Repeat([]string{"1Z999AA10123456784"}, 100)...))
	}, map[string]func(*http.Request){
		"no transId":   func(r *http.Request) { r.Header.Del("TransId") },
		"no token":     func(r *http.Request) { r.Header.Del("Authorization") },
		"another kind": func(r *http.Request) { r.URL.Path = "/api/track/v2/subscription/special/package" },
		"no numbers":   func(r *http.Request) { body(r, `{"locale":"en_US","countryCode":"US"}`) },
		"a bad number": func(r *http.Request) {
			body(r, `{"locale":"en_US","countryCode":"US","trackingNumberList":["hello"]}`)
		},
		"101 numbers": func(r *http.Request) {
			b, _ := json.Marshal(map[string]any{"locale": "en_US", "countryCode": "US", "trackingNumberList": slices.Repeat([]string{"1Z999AA10123456784"}, 101)})
			body(r, string(b))
		},
	})
}

func body(r *http.Request, s string) {
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader([]byte(s))), int64(len(s)), nil
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   carriers.Reason
	}{
		"unknown number":  {200, string(carriertest.File(t, "notfound.json")), carriers.NotFound},
		"404":             {404, `{"response":{"errors":[{"code":"X","message":"-"}]}}`, carriers.NotFound},
		"invalid number":  {400, `{"response":{"errors":[{"code":"TV1002","message":"-"}]}}`, carriers.BadRequest},
		"bad credential":  {401, string(carriertest.File(t, "refused.json")), carriers.Unauthorized},
		"quota":           {429, `{"response":{"errors":[{"code":"10429","message":"-"}]}}`, carriers.Limited},
		"quota, and more": {429, `{"response":{"errors":[{"code":"TV1002"}]}}`, carriers.Limited},
		"quota as 400":    {400, `{"response":{"errors":[{"code":10429}]}}`, carriers.Limited},
		"blocked":         {403, ``, carriers.Unauthorized},
		"down":            {503, `<html>`, carriers.Unavailable},
		"proxy's page":    {200, `<html>`, carriers.Unavailable},
		"other":           {418, `{}`, carriers.BadRequest},
		"moved elsewhere": {302, ``, carriers.BadRequest},
	} {
		_, err := New().ParseTrack([]byte(c.body))
		if err == nil && c.status == 200 {
			t.Errorf("%s is read", name)
		}
		if got, _, detail := carriers.Judge(api, c.status, http.Header{}, []byte(c.body), err, time.Unix(0, 0)); got != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got, detail, c.want)
		}
	}
	if got := rejected([]byte(`{"validTrackingNumbers":["1Z1234567891234556"],"invalidTrackingNumbers":["1Z1"]}`)); !slices.Equal(got, []string{"1Z1"}) {
		t.Errorf("rejected %q", got)
	}
}
