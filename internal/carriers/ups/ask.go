package ups

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// subscriptionLife is how long Track Alert pushes for a number; then it must be
// asked for again.
const subscriptionLife = 14 * 24 * time.Hour

// APIs is the one interface: OAuth, Track, Track Alert v2, Delivery Intercept v2,
// Shipping and Pickup.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "tracking", BaseURL: "https://onlinetools.ups.com",
		// UPS publishes no limits; these are ours and careful.
		Budget: []carriers.Window{{Calls: 5, Per: time.Second}, {Calls: 10_000, Per: 24 * time.Hour}},
		Token:  askToken, Track: askTrack, Batch: 1,
		Subscribe: askPushes, SubscribeBatch: 100, SubscribedFor: subscriptionLife, Rejected: rejected,
		Prove: askProof, Evidence: evidence,
		Takes: []order.Resolution{order.Redeliver, order.HoldAtLocation, order.Redirect, order.ReturnToSender}, Tell: tell, Told: told,
		Books: bookings, Book: book, Find: find, Voids: bookings, Void: void,
		Reasons: map[string]carriers.Reason{
			"TW0001": carriers.NotFound, // a warning in an answer with status 200
			"10429":  carriers.Limited,
			"250002": carriers.Unauthorized, "250003": carriers.Unauthorized, "251004": carriers.Unauthorized, "UJ0001": carriers.Unauthorized,
			"10004": carriers.Unavailable, "VSS100": carriers.Unavailable,
			"TV1002": carriers.BadRequest,
		},
	}}
}

func askToken(a carriers.Account) (*http.Request, error) {
	r, err := carriers.PostForm(a.BaseURL+"/security/v1/oauth/token", "grant_type=client_credentials")
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(string(a.Key), string(a.Secret))
	if a.Number != "" {
		r.Header.Set("X-Merchant-Id", a.Number)
	}
	return r, nil
}

// askTrack asks in American English: where a code is not listed its words are read.
// Signature and proof would be personal data, so they are not asked for.
func askTrack(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	r, err := carriers.Get(q.BaseURL + "/api/track/v1/details/" + url.PathEscape(q.Numbers[0]) + "?locale=en_US&returnSignature=false&returnMilestones=false&returnPOD=false")
	if err != nil {
		return nil, err
	}
	return identify(r, q), nil
}

// askPushes asks for pushes. Since v2 the address and its credential are kept in
// UPS's portal and not sent.
func askPushes(q carriers.Question) (*http.Request, error) {
	if err := q.Check(100); err != nil {
		return nil, err
	}
	r, err := carriers.Post(q.BaseURL+"/api/track/v2/subscription/standard/package", map[string]any{
		"locale": "en_US", "countryCode": "US", "trackingNumberList": q.Numbers,
	})
	if err != nil {
		return nil, err
	}
	return identify(r, q), nil
}

func identify(r *http.Request, q carriers.Question) *http.Request {
	q.Bearer(r)
	r.Header.Set("TransId", q.ID)
	r.Header.Set("TransactionSrc", "waybill")
	return r
}

func rejected(body []byte) []string {
	var a struct {
		Invalid []string `json:"invalidTrackingNumbers"`
	}
	_ = json.Unmarshal(body, &a)
	return a.Invalid
}
