package fedex

import (
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// batch is how many numbers one request may carry.
const batch = 30

// APIs is the one interface: OAuth, Track, Ship and Pickup Request. Webhooks are
// ordered in FedEx's portal, per project, so there is no subscription to ask for.
func (Adapter) APIs() []carriers.API {
	return []carriers.API{{
		Name: "track", BaseURL: "https://apis.fedex.com",
		Budget: []carriers.Window{{Calls: 1400, Per: 10 * time.Second}, {Calls: 100_000, Per: 24 * time.Hour}},
		Token:  askToken, Track: askTrack, Batch: batch,
		Prove: askProof, Evidence: evidence,
		Books: bookings, Book: book, Find: find, Voids: bookings, Void: void,
		Reasons: map[string]carriers.Reason{
			"TRACKING.TRACKINGNUMBER.NOTFOUND": carriers.NotFound, "TRACKING.DATA.NOTFOUND": carriers.NotFound,
			"TRACKING.TRACKINGNUMBER.EMPTY": carriers.BadRequest,
			"NOT.AUTHORIZED.ERROR":          carriers.Unauthorized, "FORBIDDEN.ERROR": carriers.Unauthorized,
			"INTERNAL.SERVER.ERROR": carriers.Unavailable, "SERVICE.UNAVAILABLE.ERROR": carriers.Unavailable,
		},
	}}
}

// askToken sends the client in the form: FedEx knows no Basic authentication there.
func askToken(a carriers.Account) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {string(a.Key)}, "client_secret": {string(a.Secret)}}
	return carriers.PostForm(a.BaseURL+"/oauth/token", form.Encode())
}

type inquiry struct {
	Number struct {
		Tracking string `json:"trackingNumber"`
	} `json:"trackingNumberInfo"`
	Account string `json:"accountNumber,omitempty"` // of a document
}

func askTrack(q carriers.Question) (*http.Request, error) {
	if err := q.Check(batch); err != nil {
		return nil, err
	}
	info := make([]inquiry, len(q.Numbers))
	for i, n := range q.Numbers {
		info[i].Number.Tracking = n
	}
	r, err := carriers.Post(q.BaseURL+"/track/v1/trackingnumbers", map[string]any{"includeDetailedScans": true, "trackingInfo": info})
	if err != nil {
		return nil, err
	}
	return identify(r, q), nil
}

func identify(r *http.Request, q carriers.Question) *http.Request {
	q.Bearer(r)
	r.Header.Set("X-Locale", "en_US")
	r.Header.Set("X-Customer-Transaction-Id", q.ID)
	return r
}

// askProof asks for the letter with the recipient's signature, as a PDF.
func askProof(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	var of inquiry
	of.Number.Tracking, of.Account = q.Numbers[0], q.Number
	r, err := carriers.Post(q.BaseURL+"/track/v1/trackingdocuments", map[string]any{
		"trackDocumentDetail":        map[string]string{"documentType": "SIGNATURE_PROOF_OF_DELIVERY", "documentFormat": "PDF"},
		"trackDocumentSpecification": []inquiry{of},
	})
	if err != nil {
		return nil, err
	}
	return identify(r, q), nil
}

// evidence reads the letters; the name stands on them only.
func evidence(_ string, body []byte) (e carriers.Evidence, err error) {
	var a struct {
		Output *struct {
			Documents []text `json:"document"`
		} `json:"output"`
		Errors []carriers.Problem `json:"errors"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return e, err
	}
	if err := carriers.Refused("FedEx", a.Errors...); err != nil {
		return e, err
	}
	if a.Output == nil {
		return e, carriers.Malformed("no output")
	}
	for _, d := range a.Output.Documents {
		if err := e.Add(carriers.Letter, string(d)); err != nil {
			return e, err
		}
	}
	return e, nil // an alert beside no document says why there is none
}
