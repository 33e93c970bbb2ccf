package fedex

import (
	"cmp"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// answer is what we read of the Track API and of the webhook, which sends the same
// results without the envelope.
type answer struct {
	Output struct {
		Complete []complete `json:"completeTrackResults"`
	} `json:"output"`
	Complete []complete         `json:"completeTrackResults"`
	Errors   []carriers.Problem `json:"errors"`
}

type complete struct {
	Tracking text     `json:"trackingNumber"`
	Results  []result `json:"trackResults"`
}

type result struct {
	Number struct {
		Tracking text `json:"trackingNumber"`
		Unique   text `json:"trackingNumberUniqueId"`
		Carrier  text `json:"carrierCode"`
	} `json:"trackingNumberInfo"`
	Package struct {
		Count       text `json:"count"` // in the shipment, this one included
		Undelivered text `json:"undeliveredCount"`
	} `json:"packageDetails"`
	Pieces []struct {
		Count text `json:"count"`
		Type  text `json:"type"`
	} `json:"pieceCounts"`
	Error  carriers.Problem `json:"error"`
	Latest struct {
		Code text `json:"code"`
	} `json:"latestStatusDetail"`
	Shipment struct {
		Before *bool `json:"beforePossessionStatus"`
		// Held is the opposite of Before.
		Held *bool `json:"possessionStatus"`
	} `json:"shipmentDetails"`
	Scans     []scan `json:"scanEvents"`
	Delivered struct {
		Where    text             `json:"locationDescription"`
		Type     text             `json:"locationType"`
		Received carriers.Present `json:"receivedByName"`
		Signed   carriers.Present `json:"signedByName"`
	} `json:"deliveryDetails"`
	Images []struct {
		Type text `json:"type"`
	} `json:"availableImages"`
	Estimate struct {
		Window struct {
			Ends text `json:"ends"`
		} `json:"window"`
	} `json:"estimatedDeliveryTimeWindow"`
	Times []struct {
		Type text `json:"type"`
		At   text `json:"dateTime"`
	} `json:"dateAndTimes"`
}

type scan struct {
	Date        text `json:"date"`
	Type        text `json:"eventType"`
	Derived     text `json:"derivedStatusCode"`
	Status      text `json:"derivedStatus"`
	Description text `json:"eventDescription"`
	Exception   text `json:"exceptionCode"`
	Why         text `json:"exceptionDescription"`
	Place       struct {
		City    text `json:"city"`
		State   text `json:"stateOrProvinceCode"`
		Postal  text `json:"postalCode"`
		Country text `json:"countryCode"`
	} `json:"scanLocation"`
	Delay struct {
		Type   text `json:"type"`
		Status text `json:"status"`
	} `json:"delayDetail"`
}

// says is the scan in FedEx's words, with the reason of an exception.
func (s scan) says() string {
	what, why := cmp.Or(s.Description.Clean(300), s.Status.Clean(300)), s.Why.Clean(190)
	if why == "" || strings.EqualFold(what, why) {
		return what
	}
	return strings.TrimPrefix(what+": "+why, ": ")
}

func (s scan) words() string { return strings.ToLower(s.says()) }

// ParseTrack reads the answer of POST /track/v1/trackingnumbers.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) { return parse(body) }

// ParsePush reads a webhook: the same results. The proof of delivery comes as a
// second call, whose scans are those of the first again.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) { return parse(body) }

func parse(body []byte) ([]carriers.Event, error) {
	var a answer
	if err := carriers.Decode(body, &a); err != nil {
		return nil, err
	}
	all := append(a.Output.Complete, a.Complete...)
	if len(all) == 0 {
		if err := carriers.Refused("FedEx", a.Errors...); err != nil {
			return nil, err
		}
		return nil, carriers.Malformed("no completeTrackResults")
	}
	var events []carriers.Event
	problems := a.Errors
	unreadable := 0
	for _, n := range newest(number(all)) {
		more, bad := n.result.events(n.tracking, n.piece)
		if events = append(events, more...); len(events) > carriers.MaxEvents {
			return nil, carriers.Malformed("more than %d events", carriers.MaxEvents)
		}
		unreadable += bad
		problems = append(problems, n.result.Error)
	}
	if len(events) > 0 {
		return carriers.WithUnread(events, unreadable), nil // errors beside events are about other numbers
	}
	if err := carriers.Refused("FedEx", problems...); err != nil {
		return nil, err
	}
	if unreadable > 0 {
		return nil, carriers.Malformed("%d scans without a number or a time", unreadable)
	}
	return nil, nil
}

// numbered is a result with the number under which its parcel is known, and the
// package's own.
type numbered struct {
	tracking, piece string
	result          result
}

// number prefers the number that was asked for, which is the one that the parcel
// carries. Where the results under it name several, they are pieces: each has its
// own. FedEx's numbers name packages, but those of Freight a shipment.
func number(all []complete) (out []numbered) {
	for _, c := range all {
		asked, own := carriers.Number(string(c.Tracking)), map[string]bool{}
		for _, r := range c.Results {
			if n := carriers.Number(string(r.Number.Tracking)); n != "" {
				own[n] = true
			}
		}
		for _, r := range c.Results {
			n := numbered{asked, asked, r}
			if inner := carriers.Number(string(r.Number.Tracking)); inner != "" && (asked == "" || len(own) > 1) {
				if n.piece = inner; asked == "" {
					n.tracking = inner
				}
			}
			if strings.EqualFold(r.Number.Carrier.Clean(10), "FXFR") && n.piece == n.tracking {
				n.piece = ""
			}
			out = append(out, n)
		}
	}
	return out
}

// newest drops results of earlier parcels under a number that FedEx used again:
// a delivery of last year is not this year's.
func newest(all []numbered) (out []numbered) {
	best := map[string]numbered{}
	for _, n := range all {
		k := n.tracking + " " + n.piece
		b, ok := best[k]
		if !ok || n.result.began().After(b.result.began()) {
			best[k] = n
		}
	}
	for _, n := range all {
		if n.result.Number.Unique.Clean(120) == best[n.tracking+" "+n.piece].result.Number.Unique.Clean(120) {
			out = append(out, n)
		}
	}
	return out
}

// began is when a result's parcel was shipped or, failing that, its latest scan.
func (r result) began() (at time.Time) {
	for _, want := range []string{"SHIP", "ACTUAL_PICKUP", "ACTUAL_TENDER"} {
		for _, d := range r.Times {
			if m, ok := moment(d.At, nil); ok && d.Type.Clean(40) == want {
				return m.UTC
			}
		}
	}
	for _, s := range r.Scans {
		if m, ok := moment(s.Date, nil); ok && m.UTC.After(at) {
			at = m.UTC
		}
	}
	return at
}

// events reads one result; bad counts scans that say neither which parcel nor when.
func (r result) events(tracking, piece string) (events []carriers.Event, bad int) {
	waiting := r.waiting()
	for _, s := range r.Scans {
		at, ok := moment(s.Date, carriers.Zone(s.Place.Country.Clean(10), s.Place.State.Clean(10), s.Place.Postal.Clean(20)))
		if tracking == "" || !ok {
			bad++
			continue
		}
		code, reading := read(s)
		if waiting && reading.Physical {
			reading = carriers.Reading{Bucket: reading.Bucket}
		}
		events = append(events, carriers.Event{
			Tracking: tracking, Piece: piece, Pieces: r.pieces(), Unique: r.Number.Unique.Clean(120), Table: table, Code: code, Reading: reading, Moment: at,
			Description: carriers.Clean(s.says(), 500),
			Location:    carriers.Place(string(s.Place.City), string(s.Place.State), string(s.Place.Postal), string(s.Place.Country)),
		})
	}
	r.finish(events)
	return events, bad
}

// waiting says that FedEx itself denies to have the parcel: by the flag, in either
// sense, and by a latest status that does not say otherwise.
func (r result) waiting() bool {
	denied := r.Shipment.Before != nil && *r.Shipment.Before || r.Shipment.Held != nil && !*r.Shipment.Held
	if !denied {
		return false
	}
	row, ok := lookup(r.Latest.Code.Clean(40))
	return !ok || !row.Physical
}

// finish hangs on the latest event what FedEx says of the parcel as a whole.
func (r result) finish(events []carriers.Event) {
	last := carriers.Newest(events)
	if last < 0 {
		return
	}
	switch e := &events[last]; e.Milestone {
	case order.Delivered:
		e.DeliveredTo = carriers.LeftWith(cmp.Or(r.Delivered.Where.Clean(200), r.Delivered.Type.Clean(200)))
		if e.Pieces > 1 && r.Package.Undelivered.Clean(10) == "0" && (e.Piece == "" || e.Piece == e.Tracking) {
			e.Piece, e.Whole = "", true // none of the shipment is undelivered
		}
		signature := false
		for _, i := range r.Images {
			signature = signature || i.Type.Clean(40) == "SIGNATURE_PROOF_OF_DELIVERY"
		}
		e.Proof.Held = carriers.Proofs(r.Delivered.Received || r.Delivered.Signed, carriers.Present(signature), false, false)
	case order.Returning, order.Returned:
	default:
		e.ETA = r.eta()
	}
}

// pieces is how many packages the shipment has.
func (r result) pieces() int {
	n := carriers.Pieces(string(r.Package.Count))
	for _, c := range r.Pieces {
		if c.Type.Clean(20) == "ORIGIN" && strings.EqualFold(r.Number.Carrier.Clean(10), "FXFR") {
			n = max(n, carriers.Pieces(string(c.Count)))
		}
	}
	return n
}

// eta is the end of the estimated window, else the estimate, else the commitment.
func (r result) eta() time.Time {
	if at := promised(r.Estimate.Window.Ends); !at.IsZero() {
		return at
	}
	for _, want := range []string{"ESTIMATED_DELIVERY", "COMMITMENT"} {
		for _, d := range r.Times {
			if d.Type.Clean(40) == want {
				return promised(d.At)
			}
		}
	}
	return time.Time{}
}
