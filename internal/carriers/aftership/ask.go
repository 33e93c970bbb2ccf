package aftership

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// version of the API, in every path.
const version = "2025-07"

// batch is how many numbers a list may be asked for.
const batch = 50

// APIs is the one interface: trackings.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: version, BaseURL: "https://api.aftership.com",
		Budget: []carriers.Window{{Calls: 5, Per: time.Second}},
		Track:  askTrack, Batch: batch,
		Subscribe: askPushes, SubscribeBatch: 1, Backfills: true,
		Reasons: map[string]carriers.Reason{
			"4003": carriers.Already, "4004": carriers.NotFound, "4012": carriers.NotFound, // 4012: it cannot guess the carrier
		},
	}}
}

// slugs are AfterShip's names of carriers.
var slugs = map[string]string{"ups": "ups", "usps": "usps", "fedex": "fedex"}

// askTrack lists trackings. Only those of the last thirty days are found.
func askTrack(q carriers.Question) (*http.Request, error) {
	if err := q.Check(batch); err != nil {
		return nil, err
	}
	v := url.Values{"tracking_numbers": {strings.Join(q.Numbers, ",")}, "limit": {"100"}}
	r, err := carriers.Get(q.BaseURL + "/tracking/" + version + "/trackings?" + v.Encode())
	if err != nil {
		return nil, err
	}
	r.Header.Set("As-Api-Key", string(q.Key))
	return r, nil
}

// askPushes creates a tracking. With a wrong slug it would wait for ever, so one
// is named only where we are sure; else AfterShip guesses.
func askPushes(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	t := map[string]string{"tracking_number": q.Numbers[0]}
	if slug := slugs[q.Of]; slug != "" {
		t["slug"] = slug
	}
	r, err := carriers.Post(q.BaseURL+"/tracking/"+version+"/trackings", t)
	if err != nil {
		return nil, err
	}
	r.Header.Set("As-Api-Key", string(q.Key))
	return r, nil
}
