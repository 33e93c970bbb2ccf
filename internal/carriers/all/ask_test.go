package all

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

// The aggregators publish no specification that is stored: their requests are
// those of their documentation.
func TestRequestsOfAggregators(t *testing.T) {
	for _, c := range []struct{ name, header, track, subscribe string }{
		{"easypost", "Authorization: Basic dGhlLWtleTo=", "GET https://api.easypost.com/v2/trackers?page_size=5&tracking_code=1Z999AA10123456784 ",
			`POST https://api.easypost.com/v2/trackers {"tracker":{"carrier":"UPS","tracking_code":"1Z999AA10123456784"}}`},
		{"aftership", "As-Api-Key: the-key", "GET https://api.aftership.com/tracking/2025-07/trackings?limit=100&tracking_numbers=1Z999AA10123456784 ",
			`POST https://api.aftership.com/tracking/2025-07/trackings {"slug":"ups","tracking_number":"1Z999AA10123456784"}`},
		{"shippo", "Authorization: ShippoToken the-key", "GET https://api.goshippo.com/tracks/ups/1Z999AA10123456784 ",
			`POST https://api.goshippo.com/tracks/ {"carrier":"ups","tracking_number":"1Z999AA10123456784"}`},
		{"17track", "17token: the-key", `POST https://api.17track.net/track/v2.2/gettrackinfo [{"number":"1Z999AA10123456784"}]`,
			`POST https://api.17track.net/track/v2.2/register [{"number":"1Z999AA10123456784"}]`},
	} {
		a, err := Adapters().Find(c.name)
		if err != nil {
			t.Fatal(err)
		}
		api := a.(carriers.Asker).APIs()[0]
		q := carriers.Question{Account: carriertest.Account(a, api), Numbers: []string{"1Z999AA10123456784"}, Of: "ups"}
		for want, build := range map[string]func(carriers.Question) (*http.Request, error){c.track: api.Track, c.subscribe: api.Subscribe} {
			r := carriertest.Request(t, build, q)
			var body []byte
			if r.Body != nil {
				body, _ = io.ReadAll(r.Body)
			}
			if got := r.Method + " " + r.URL.String() + " " + string(body); got != want {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
			head, value, _ := strings.Cut(c.header, ": ")
			if r.Header.Get(head) != value {
				t.Errorf("%s: %v", c.name, r.Header)
			}
		}
	}
}
