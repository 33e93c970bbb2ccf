package usps

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// APIs is the one interface: OAuth, Tracking v3 and its subscriptions, Payments and
// Labels, and Carrier Pickup.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "v3", BaseURL: "https://apis.usps.com",
		Budget: []carriers.Window{{Calls: 5, Per: time.Minute}, {Calls: 60, Per: time.Hour}},
		Token:  askToken, Track: askTrack, Batch: 1,
		// Deleted after 30 days without traffic; asked for again before that.
		Subscribe: askPushes, SubscribeBatch: 1, SubscribedFor: 30 * 24 * time.Hour,
		Books: bookings, Book: book, Find: find, Voids: voids, Void: void,
		Reasons: map[string]carriers.Reason{
			"invalid_client": carriers.Unauthorized, "invalid_token": carriers.Unauthorized, "insufficient_scope": carriers.Unauthorized,
		},
	}}
}

// askToken sends the client in the form. The scopes must be granted to the
// application; asking for one that is not is refused, so none is named.
func askToken(a carriers.Account) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {string(a.Key)}, "client_secret": {string(a.Secret)}}
	return carriers.PostForm(a.BaseURL+"/oauth2/v3/token", form.Encode())
}

// askTrack asks for details: a summary has no codes.
func askTrack(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	r, err := carriers.Get(q.BaseURL + "/tracking/v3/tracking/" + url.PathEscape(q.Numbers[0]) + "?expand=DETAIL")
	if err != nil {
		return nil, err
	}
	q.Bearer(r)
	return r, nil
}

// askPushes asks for every event of one number. USPS wants a secret of exactly 32
// characters and somebody to write to.
func askPushes(q carriers.Question) (*http.Request, error) {
	err := errors.Join(q.Check(1), q.CheckHook())
	if err == nil && len(q.Hook.Secret) != 32 {
		err = errors.New("USPS wants a webhook secret of exactly 32 characters")
	}
	if err == nil && q.Hook.Email == "" {
		err = errors.New("USPS wants an address to write to: set webhook_email of the credential")
	}
	if err != nil {
		return nil, err
	}
	r, err := carriers.Post(q.BaseURL+"/subscriptions-tracking/v3/subscriptions", map[string]any{
		"listenerURL": q.Hook.URL, "secret": string(q.Hook.Secret),
		"adminNotification": []map[string]string{{"email": q.Hook.Email}},
		"filterProperties":  map[string]any{"trackingNumber": q.Numbers[0], "trackingEventTypes": []string{"ALL_UPDATES"}},
	})
	if err != nil {
		return nil, err
	}
	q.Bearer(r)
	return r, nil
}
