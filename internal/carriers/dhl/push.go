package dhl

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// pushBatch is how many shipments one subscription may name.
const pushBatch = 10

// askPushes asks for every event of up to ten shipments of one business unit, and
// names the token by which the pushes prove themselves.
func askPushes(q carriers.Question) (*http.Request, error) {
	err := errors.Join(q.Check(pushBatch), q.CheckHook())
	if err == nil && q.Service == "" {
		err = errors.New("DHL pushes for one business unit: set service of the credential, like parcel-de")
	}
	if err != nil {
		return nil, err
	}
	r, err := carriers.Post(q.BaseURL+"/tracking/push/v1/subscription", map[string]any{
		"hook": map[string]any{"uri": q.Hook.URL, "authentication": map[string]string{
			"type": "ApiKeyAuthentication", "header": tokenHeader, "token": string(q.Hook.Secret)}},
		"format": "Default", "type": "Shipment", "service": q.Service, "shipmentIDs": q.Numbers,
		"events": []string{"Pre-Transit", "Transit", "Delivered", "Failure", "Unknown"},
	})
	if err != nil {
		return nil, err
	}
	r.Header.Set("DHL-API-Key", string(q.Key))
	return r, nil
}

var (
	subscriptionName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
	// secretForm is what may stand in a header.
	secretForm = regexp.MustCompile(`^[!-~]{1,512}$`)
)

// Confirmation reads the message by which DHL asks whether a new subscription is
// meant. Of the address that it names only the subscription is read: where the
// answer goes is ours to say.
func (Adapter) Confirmation(body []byte) (c carriers.Confirmation, ok bool) {
	d, err := read(body)
	if err != nil || !d.empty() || d.Scope != "subscription.validate" {
		return c, false
	}
	var m struct {
		Self string `json:"self"`
	}
	if carriers.Decode(body, &m) != nil {
		return c, false
	}
	_, name, found := strings.Cut(m.Self, "/subscription/")
	if !found || !subscriptionName.MatchString(name) || !secretForm.MatchString(d.Secret) {
		return c, false
	}
	return carriers.Confirmation{Subscription: name, Secret: carriers.Secret(d.Secret)}, true
}

// activate sends the secret of a confirmation back to its subscription.
func activate(a carriers.Account, c carriers.Confirmation) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, a.BaseURL+"/tracking/push/v1/subscription/"+url.PathEscape(c.Subscription), nil)
	if err != nil {
		return nil, errors.New("the base URL is not good")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("DHL-API-Key", string(a.Key))
	r.Header.Set("DHL-API-Hook-Secret", string(c.Secret))
	return r, nil
}
