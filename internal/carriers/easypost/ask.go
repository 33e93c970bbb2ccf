package easypost

import (
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// APIs is the one interface: trackers, shipments and pickups.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "v2", BaseURL: "https://api.easypost.com",
		// Lists may be asked for five times a second; the rest is not published.
		Budget: []carriers.Window{{Calls: 5, Per: time.Second}},
		Track:  askTrack, Batch: 1,
		// A new tracker comes with the history that the carrier still has.
		Subscribe: askPushes, SubscribeBatch: 1, Backfills: true,
		Books: bookings, Book: book, Find: find, Voids: bookings, Void: void, Unsure: unsure,
	}}
}

// names are EasyPost's for carriers.
var names = map[string]string{"ups": "UPS", "usps": "USPS", "fedex": "FedEx"}

// askTrack reads the trackers of a number; it makes none.
func askTrack(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	v := url.Values{"tracking_code": {q.Numbers[0]}, "page_size": {"5"}}
	r, err := carriers.Get(q.BaseURL + "/v2/trackers?" + v.Encode())
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(string(q.Key), "")
	return r, nil
}

// askPushes makes a tracker, or finds the one made within three months.
func askPushes(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	t := map[string]string{"tracking_code": q.Numbers[0]}
	if name := names[q.Of]; name != "" {
		t["carrier"] = name
	}
	r, err := carriers.Post(q.BaseURL+"/v2/trackers", map[string]any{"tracker": t})
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(string(q.Key), "")
	return r, nil
}
