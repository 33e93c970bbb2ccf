package usps

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

var api = Adapter{}.APIs()[0]

func question(numbers ...string) carriers.Question {
	return carriers.Question{Account: carriertest.Account(New(), api), ID: "0123456789ABCDEF0123456789", Token: "the-token", Numbers: numbers}
}

func TestTrackRequestFitsTheSpecification(t *testing.T) {
	spec := carriertest.LoadSpec(t, "usps/tracking.yaml", nil)
	spec.Wrong(t, func() *http.Request {
		return carriertest.Request(t, api.Track, question("9400111899223197428490"))
	}, map[string]func(*http.Request){
		"no token":       func(r *http.Request) { r.Header.Del("Authorization") },
		"other details":  func(r *http.Request) { r.URL.RawQuery = "expand=ALL" },
		"a wrong ZIP":    func(r *http.Request) { r.URL.RawQuery = "expand=DETAIL&destinationZIPCode=12" },
		"post":           func(r *http.Request) { r.Method = http.MethodPost },
		"not tracking":   func(r *http.Request) { r.URL.Path = "/tracking/v3/9400111899223197428490" },
		"an old version": func(r *http.Request) { r.URL.Path = "/tracking/v2/tracking/9400111899223197428490" },
	})
}

func TestTokenRequest(t *testing.T) {
	r, err := api.Token(question().Account)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r.Body)
	if got := r.Method + " " + r.URL.String() + " " + string(b); got != "POST https://apis.usps.com/oauth2/v3/token client_id=the-key&client_secret=the-secret&grant_type=client_credentials" {
		t.Error(got)
	}
}

// USPS's specification of subscriptions is not to be had: this is what others saw work.
func TestSubscription(t *testing.T) {
	q := question("9400111899223197428490")
	r := carriertest.Request(t, api.Subscribe, q)
	var b struct {
		URL    string              `json:"listenerURL"`
		Secret string              `json:"secret"`
		Admin  []map[string]string `json:"adminNotification"`
		Filter map[string]any      `json:"filterProperties"`
	}
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		t.Fatal(err)
	}
	if r.URL.Path != "/subscriptions-tracking/v3/subscriptions" || b.URL != q.Hook.URL || b.Secret != string(q.Hook.Secret) || b.Admin[0]["email"] != q.Hook.Email || b.Filter["trackingNumber"] != q.Numbers[0] {
		t.Errorf("%s: %+v", r.URL, b)
	}
	for name, spoil := range map[string]func(*carriers.Question){
		"short secret": func(q *carriers.Question) { q.Hook.Secret = "short" },
		"no secret":    func(q *carriers.Question) { q.Hook.Secret = "" },
		"no address":   func(q *carriers.Question) { q.Hook.URL = "" },
		"nobody":       func(q *carriers.Question) { q.Hook.Email = "" },
	} {
		q := q
		spoil(&q)
		if _, err := api.Subscribe(q); err == nil || strings.Contains(err.Error(), string(question().Hook.Secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   carriers.Reason
	}{
		"unknown number": {404, string(carriertest.File(t, "notfound.json")), carriers.NotFound},
		"bad client":     {401, string(carriertest.File(t, "refused.json")), carriers.Unauthorized},
		"bad scope":      {400, `{"error":"insufficient_scope"}`, carriers.Unauthorized},
		"quota":          {429, `{"error":{"code":"429"}}`, carriers.Limited},
		"bad request":    {400, `{"error":{"code":"400"}}`, carriers.BadRequest},
		"down":           {503, `{"error":{"code":"503"}}`, carriers.Unavailable},
	} {
		_, err := New().ParseTrack([]byte(c.body))
		if got, _, detail := carriers.Judge(api, c.status, http.Header{}, []byte(c.body), err, time.Unix(0, 0)); got != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got, detail, c.want)
		}
	}
}
