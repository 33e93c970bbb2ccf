package ups

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// askProof asks the Track API once more, this time for what is personal data.
func askProof(q carriers.Question) (*http.Request, error) {
	if err := q.Check(1); err != nil {
		return nil, err
	}
	r, err := carriers.Get(q.BaseURL + "/api/track/v1/details/" + url.PathEscape(q.Numbers[0]) + "?locale=en_US&returnSignature=true&returnMilestones=false&returnPOD=true")
	if err != nil {
		return nil, err
	}
	return identify(r, q), nil
}

// proven is what proves a delivery in an answer of the Track API.
type proven struct {
	Track *struct {
		Shipment []struct {
			Warnings []carriers.Problem `json:"warnings"`
			Package  []struct {
				Tracking  text `json:"trackingNumber"`
				Delivered struct {
					Name      text `json:"receivedBy"`
					Signature struct {
						Image text `json:"image"`
					} `json:"signature"`
					Photo struct {
						Photo text `json:"photo"`
					} `json:"deliveryPhoto"`
					Proof struct {
						Content text `json:"content"`
					} `json:"pod"`
				} `json:"deliveryInformation"`
			} `json:"package"`
		} `json:"shipment"`
	} `json:"trackResponse"`
	refusals
}

// evidence reads the proof of the package of that number; of a shipment asked for
// by another number, of the only package.
func evidence(number string, body []byte) (e carriers.Evidence, err error) {
	var p proven
	if err := carriers.Decode(body, &p); err != nil {
		return e, err
	}
	if err := carriers.Refused("UPS", p.Response.Errors...); err != nil {
		return e, err
	}
	if p.Track == nil {
		return e, carriers.Malformed("no trackResponse")
	}
	packages := 0
	for _, s := range p.Track.Shipment {
		packages += len(s.Package)
	}
	for _, s := range p.Track.Shipment {
		for _, box := range s.Package {
			if packages > 1 && !strings.EqualFold(string(box.Tracking), number) {
				continue
			}
			d := box.Delivered
			e.Signed(string(d.Name))
			return e, errors.Join(e.Add(carriers.Signature, string(d.Signature.Image)), e.Add(carriers.Photo, string(d.Photo.Photo)), e.Add(carriers.Letter, string(d.Proof.Content)))
		}
		if err := carriers.Refused("UPS", s.Warnings...); err != nil {
			return e, err
		}
	}
	return e, nil
}

// intercepts are the ways of Delivery Intercept v2, with UPS's request type.
var intercepts = map[order.Resolution]struct{ path, kind string }{
	order.Redeliver:      {"reschedule", "FD"},
	order.HoldAtLocation: {"willcall", "WC"},
	order.Redirect:       {"redirect/address", "AA"},
	order.ReturnToSender: {"return", "RS"},
}

// What Delivery Intercept v2 says of its fields.
var (
	boxNumber = regexp.MustCompile(`^1Z[A-Z0-9]{16}$`)
	telephone = regexp.MustCompile(`^\+[0-9]{1,13}$`)
)

// source is where requests come from; 72, an application on the web, is what
// UPS's examples say.
const source = "72"

// otherNonDelivery is UPS's reason for bringing a parcel back.
const otherNonDelivery = "KV"

// tell builds a request of Delivery Intercept v2. UPS wants somebody to call, and
// from where it was asked. A pickup point cannot be chosen: will call is at UPS's
// own customer centre.
func tell(t carriers.Task) (*http.Request, error) {
	way, ok := intercepts[t.Do]
	if err := t.Check([]order.Resolution{order.Redeliver, order.HoldAtLocation, order.Redirect, order.ReturnToSender}); err != nil {
		return nil, err
	}
	c := t.Contact
	switch {
	case !ok || !boxNumber.MatchString(t.Numbers[0]):
		return nil, errors.New("UPS intercepts numbers that begin with 1Z only")
	case t.Point != "":
		return nil, errors.New("UPS holds parcels at its customer centre only: a pickup point cannot be named")
	case c.Name == "" || len(c.Name) > 30 || !telephone.MatchString(c.Phone) || c.IP == "" || len(c.IP) > 16:
		return nil, errors.New("UPS wants somebody to call: set contact_name (30 bytes), contact_phone (+ and digits) and client_ip of the credential")
	}
	id := t.ID[:min(len(t.ID), 14)] // transId has at most 14 here
	body := map[string]any{
		"transactionId": id, "source": source, "loc": "en_US", "clientIP": c.IP, "trackingNumber": t.Numbers[0], "requestType": way.kind,
		"requesterContactInfo": map[string]string{"name": c.Name, "telephone": c.Phone},
	}
	switch t.Do {
	case order.Redeliver:
		body["deliveryDate"] = strings.ReplaceAll(t.Day, "-", "")
	case order.ReturnToSender:
		body["reasonForReturn"] = otherNonDelivery
	case order.Redirect:
		to := t.To
		for _, f := range []struct {
			what, text string
			most       int
		}{{"street", to.Street, 50}, {"city", to.City, 30}, {"region", to.Region, 5}, {"postal code", to.PostalCode, 16}} {
			if len(f.text) > f.most {
				return nil, fmt.Errorf("the %s of the address is longer than the %d bytes that UPS takes", f.what, f.most)
			}
		}
		body["newDeliveryAddress"] = map[string]any{"nameOrCompanyName": to.Name, "addressInfo": map[string]string{
			"addressLine1": to.Street, "city": to.City, "state": to.Region, "postalCode": to.PostalCode, "countryCode": to.Country}}
	case order.HoldAtLocation:
	default:
		return nil, carriers.ErrCannot
	}
	r, err := carriers.Post(t.BaseURL+"/api/deliveryintercept/v2/"+way.path+"/"+url.PathEscape(t.Numbers[0])+"?loc=en_US", body)
	if err != nil {
		return nil, err
	}
	identify(r, t.Question).Header.Set("TransId", id)
	return r, nil
}

// told reads an answer with status 200: granted, or not with UPS's codes.
func told(body []byte) (d carriers.Done, err error) {
	var a struct {
		Transaction text  `json:"transactionId"`
		Status      text  `json:"statusCode"`
		Sub         text  `json:"subStatusCode"`
		Success     *bool `json:"success"`
		Errors      []struct {
			Code text `json:"errorCode"`
		} `json:"errors"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return d, err
	}
	if a.Success == nil || a.Status == "" {
		return d, carriers.Malformed("no statusCode and success")
	}
	if *a.Success {
		return carriers.Done{Reference: a.Transaction.Clean(40)}, nil
	}
	codes := []string{a.Status.Clean(10)}
	if a.Sub != "" {
		codes = append(codes, a.Sub.Clean(10))
	}
	for _, e := range a.Errors[:min(len(a.Errors), 5)] {
		codes = append(codes, e.Code.Clean(10))
	}
	return carriers.Done{Declined: "UPS says " + strings.Join(codes, " ")}, nil
}
