package dhl

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// APIs are the unified tracking of all business units, MyDHL of Express, eCommerce
// Americas, and the unified tracking with its push, for which DHL lets in shippers
// one by one. What eCommerce Americas wants to be told to push is not known.
func (Adapter) APIs() []carriers.API {
	unified := carriers.API{
		Name: "unified", BaseURL: "https://api-eu.dhl.com",
		// One call per second by some of DHL's pages, one in five by others.
		Budget: []carriers.Window{{Calls: 1, Per: 5 * time.Second}, {Calls: 250, Per: 24 * time.Hour}},
		Track:  askUnified, Batch: 1,
	}
	push := unified
	push.Name, push.Subscribe, push.SubscribeBatch, push.Activate = "unified-push", askPushes, pushBatch, activate
	// How many calls a shipper has is agreed with DHL. A confirmation follows its
	// subscription at once and must not wait for long.
	push.Budget = []carriers.Window{{Calls: 1, Per: time.Second}, {Calls: 250, Per: 24 * time.Hour}}
	return []carriers.API{
		unified,
		{
			Name: "express", BaseURL: "https://express.api.dhl.com/mydhlapi",
			// No limit is known; these are ours and careful.
			Budget: []carriers.Window{{Calls: 1, Per: time.Second}, {Calls: 500, Per: 24 * time.Hour}},
			Track:  askExpress, Batch: 1,
			Prove: askProof, Evidence: evidence,
			Books: bookings, Book: book, Find: find, Voids: voids, Void: void,
		},
		{
			Name: "ecommerce", BaseURL: "https://api.dhlecs.com",
			// No limit is known; these are ours and careful.
			Budget: []carriers.Window{{Calls: 1, Per: time.Second}, {Calls: 1000, Per: 24 * time.Hour}},
			Token:  askToken, Track: askEcommerce, Batch: ecommerceBatch,
		},
		push,
	}
}

// ecommerceBatch is how many packages one request may name.
const ecommerceBatch = 10

// askToken sends the credential in the form, as DHL's page says, not as Basic.
func askToken(a carriers.Account) (*http.Request, error) {
	return carriers.PostForm(a.BaseURL+"/auth/v4/accesstoken", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {string(a.Key)}, "client_secret": {string(a.Secret)},
	}.Encode())
}

// askEcommerce asks by one kind of number, as DHL wants it: the last mile's, which
// DHL lets stand for several others, or with the service packageId the shipper's.
func askEcommerce(q carriers.Question) (*http.Request, error) {
	if err := q.Check(ecommerceBatch); err != nil {
		return nil, err
	}
	kind := carriers.First(q.Service, "trackingId")
	if kind != "trackingId" && kind != "packageId" {
		return nil, errors.New("eCommerce Americas is asked by trackingId or packageId: set service to one of them")
	}
	v := url.Values{kind: {strings.Join(q.Numbers, ",")}}
	if q.Number != "" {
		v.Set("pickup", q.Number)
	}
	r, err := carriers.Get(q.BaseURL + "/tracking/v4/package/open?" + v.Encode())
	if err != nil {
		return nil, err
	}
	q.Bearer(r)
	return r, nil
}

// askUnified asks in English: where there is no code the words are read. The
// service keeps another business unit's parcel of the same number out.
func askUnified(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	v := url.Values{"trackingNumber": {q.Numbers[0]}, "language": {"en"}}
	if q.Service != "" {
		v.Set("service", q.Service)
	}
	r, err := carriers.Get(q.BaseURL + "/track/shipments?" + v.Encode())
	if err != nil {
		return nil, err
	}
	r.Header.Set("DHL-API-Key", string(q.Key))
	return r, nil
}

// askExpress asks for one shipment: the call for many numbers does not send the
// offsets of times.
func askExpress(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	r, err := carriers.Get(q.BaseURL + "/shipments/" + url.PathEscape(q.Numbers[0]) + "/tracking?trackingView=all-checkpoints&levelOfDetail=all&requestGMTOffsetPerEvent=true")
	if err != nil {
		return nil, err
	}
	sign(r, q)
	r.Header.Set("Accept-Language", "eng")
	return r, nil
}

// askProof asks MyDHL for the electronic proof of delivery, which is a PDF.
func askProof(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	v := url.Values{"content": {"epod-summary"}}
	if q.Number != "" {
		v.Set("shipperAccountNumber", q.Number)
	}
	r, err := carriers.Get(q.BaseURL + "/shipments/" + url.PathEscape(q.Numbers[0]) + "/proof-of-delivery?" + v.Encode())
	if err != nil {
		return nil, err
	}
	sign(r, q)
	return r, nil
}

func evidence(_ string, body []byte) (e carriers.Evidence, err error) {
	var a struct {
		Documents []struct {
			Content carriers.Text `json:"content"`
		} `json:"documents"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return e, err
	}
	for _, d := range a.Documents {
		if err := e.Add(carriers.Letter, string(d.Content)); err != nil {
			return e, err
		}
	}
	return e, nil
}
