package shippo

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// APIs is the one interface: tracks.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "tracks", BaseURL: "https://api.goshippo.com",
		Budget: []carriers.Window{{Calls: 500, Per: time.Minute}},
		Track:  askTrack, Batch: 1,
		Subscribe: askPushes, SubscribeBatch: 1, Backfills: true,
	}}
}

// slugs are Shippo's names of carriers. Its address names one, so a parcel of
// any other cannot be asked for.
var slugs = map[string]string{"ups": "ups", "usps": "usps", "fedex": "fedex", "dhl": "dhl_express"}

func slug(q carriers.Question) (string, error) {
	if err := q.Check(1); err != nil {
		return "", err
	}
	s := slugs[q.Of]
	if s == "" {
		return "", errors.New("the parcel's carrier must be told, and Shippo knows none of this name")
	}
	return s, nil
}

func askTrack(q carriers.Question) (*http.Request, error) {
	s, err := slug(q)
	if err != nil {
		return nil, err
	}
	r, err := carriers.Get(q.BaseURL + "/tracks/" + s + "/" + url.PathEscape(q.Numbers[0]))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "ShippoToken "+string(q.Key))
	return r, nil
}

// askPushes registers a number. The webhook must be there before.
func askPushes(q carriers.Question) (*http.Request, error) {
	s, err := slug(q)
	if err != nil {
		return nil, err
	}
	r, err := carriers.Post(q.BaseURL+"/tracks/", map[string]string{"carrier": s, "tracking_number": q.Numbers[0]})
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "ShippoToken "+string(q.Key))
	return r, nil
}
