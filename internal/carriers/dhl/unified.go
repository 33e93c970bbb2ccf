package dhl

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// unified is a shipment of the unified tracking API, pulled or pushed.
type unified struct {
	ID      text            `json:"id"`
	Service string          `json:"service"`
	Events  []report        `json:"events"`
	Status  json.RawMessage `json:"status"`
	ETA     string          `json:"estimatedTimeOfDelivery"`
	Details struct {
		Count  text   `json:"totalNumberOfPieces"`
		Pieces []text `json:"pieceIds"`
		Proof  struct {
			Signature carriers.Present `json:"signatureUrl"`
			Document  carriers.Present `json:"documentUrl"`
			Signed    carriers.Present `json:"signed"`
		} `json:"proofOfDelivery"`
	} `json:"details"`
	Frame struct {
		Through string `json:"estimatedThrough"`
	} `json:"estimatedDeliveryTimeFrame"`
}

// report is an event, and also the shape of the status above all events.
type report struct {
	Timestamp   string `json:"timestamp"`
	StatusCode  string `json:"statusCode"`
	Status      text   `json:"status"`
	Description string `json:"description"`
	Remark      string `json:"remark"`
	Location    struct {
		Address struct {
			Country string `json:"countryCode"`
			Postal  string `json:"postalCode"`
			City    string `json:"addressLocality"`
		} `json:"address"`
	} `json:"location"`
}

func (u unified) shipment() shipment {
	s := shipment{number: carriers.Number(string(u.ID)), unit: strings.ToLower(carriers.Clean(u.Service, 40))}
	reports := u.Events
	if len(reports) == 0 {
		// The status repeats the newest event; it counts only without events.
		var now report
		if json.Unmarshal(u.Status, &now) == nil && now.Timestamp != "" {
			reports = []report{now}
		}
	}
	for _, r := range reports {
		e, ok := r.event(s.number, s.unit)
		if !ok {
			s.bad++
			continue
		}
		s.events = append(s.events, e)
	}
	u.count(&s)
	prove(s.events, carriers.Proofs(u.Details.Proof.Signed, u.Details.Proof.Signature, false, u.Details.Proof.Document))
	eta := carriers.Promise(u.ETA)
	if eta.IsZero() {
		eta = carriers.Promise(u.Frame.Through)
	}
	promise(s.events, eta)
	return s
}

// count says what the events are about. A number of Express or Freight is a
// shipment's; elsewhere it is a parcel's own, whatever else was sent with it.
func (u unified) count(s *shipment) {
	n, own := max(carriers.Pieces(string(u.Details.Count)), min(len(u.Details.Pieces), carriers.MaxPieces)), false
	for _, p := range u.Details.Pieces {
		own = own || carriers.Number(string(p)) == s.number
	}
	for i := range s.events {
		switch e := &s.events[i]; {
		case own:
			e.Piece, e.Pieces = s.number, n
		case s.unit == "express" || s.unit == "freight":
			e.Pieces = n
		}
	}
}

func (r report) event(number, unit string) (carriers.Event, bool) {
	when, ok := moment(r.Timestamp, carriers.Zone(r.Location.Address.Country, "", r.Location.Address.Postal))
	if !ok {
		return carriers.Event{}, false
	}
	e := r.read(number, unit)
	if e.Code == "" {
		return e, false
	}
	e.Moment = when
	e.Description = carriers.Clean(carriers.First(r.Description, string(r.Status), r.Remark), 500)
	e.Location = carriers.Place(r.Location.Address.City, r.Location.Address.Postal, r.Location.Address.Country)
	return e, true
}

// codeLike are the forms of the business units' own codes: OK, 302, 21-600, ACT-2.
var codeLike = regexp.MustCompile(`^([A-Z]{2}|\d{1,4}|(\d{1,4}|ACT)-\d{1,4})$`)

// read prefers the business unit's code, which DHL puts into "status". The
// normalised statusCode is coarse and calls delivered what is not.
func (r report) read(number, unit string) carriers.Event {
	code := carriers.Clean(string(r.Status), 80)
	if table, ok := tables[unit]; ok && codeLike.MatchString(code) {
		return coded(number, table, code)
	}
	e := coded(number, tableUnified, strings.ToLower(carriers.Clean(r.StatusCode, 80)))
	if e.Milestone == order.Delivered {
		e.Milestone = whoHasIt(strings.Join([]string{string(r.Status), r.Description, r.Remark}, " "))
	}
	return e
}

var (
	toSender  = regexp.MustCompile(`\bto (the |your )?(business )?(sender|shipper|consignor)\b|\breturned\b|an (den )?absender|zurückges`)
	collected = regexp.MustCompile(`\b(picked up|collected|abgeholt)\b`)
	toPoint   = regexp.MustCompile(`\b(parcel|service|access|pick-?up)[ -]?(shop|point|station|locker|box)|\b(locker|packstation|paketshop|(post)?filiale|post ?office|agency)\b`)
	toAgent   = regexp.MustCompile(`\bhanded over (to|for)\b|\bto (an |the |our )?(agent|partner|3rd party|third party)\b`)
)

// whoHasIt reads the words of an event that DHL normalised to "delivered": a
// parcel shop, an agent and the sender all get parcels "delivered" (DHL eCommerce
// Europe types its codes 43-46, 302 and 366 so). Nothing said means the buyer.
func whoHasIt(words string) order.Milestone {
	words = strings.ToLower(words)
	switch {
	case toSender.MatchString(words):
		return order.Returned
	case collected.MatchString(words):
		return order.Delivered
	case toPoint.MatchString(words):
		return order.ReadyForPickup
	case toAgent.MatchString(words):
		return order.InTransit
	}
	return order.Delivered
}
