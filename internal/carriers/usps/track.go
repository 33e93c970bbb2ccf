package usps

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// piece is what we read of one mail piece.
type piece struct {
	Tracking   text            `json:"trackingNumber"`
	Category   text            `json:"statusCategory"`
	Unique     text            `json:"uniqueMailPieceId"`
	Expected   text            `json:"expectedDeliveryTimeStamp"`
	Predicted  text            `json:"predictedDeliveryDate"`
	Old        text            `json:"predictedDeliveryTimeStamp"`
	Guaranteed text            `json:"guaranteedDeliveryTimeStamp"`
	Events     *[]scan         `json:"trackingEvents"`
	Error      json.RawMessage `json:"error"`
	Words      text            `json:"error_description"`
	scan                       // a push may carry a single event beside the number
}

type scan struct {
	Type    text `json:"eventType"`
	Code    text `json:"eventCode"`
	At      text `json:"eventTimestamp"`
	GMT     text `json:"GMTTimestamp"`
	Offset  text `json:"GMTOffset"`
	City    text `json:"eventCity"`
	State   text `json:"eventState"`
	ZIP     text `json:"eventZIP"`
	Country text `json:"eventCountry"`
}

// ParseTrack reads the answer of GET /tracking/v3/tracking/{n}?expand=DETAIL, or a
// list of such answers.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) { return parse(body) }

// ParsePush reads what a subscription sends.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	if e, ok := unwrap(body); ok {
		body = e.payload
	}
	return parse(body)
}

func parse(body []byte) ([]carriers.Event, error) {
	pieces, err := split(body)
	if err != nil {
		return nil, err
	}
	var events []carriers.Event
	var said error
	ours, unreadable := false, 0
	for _, p := range pieces {
		if said == nil {
			said = refused(p.Error, p.Words)
		}
		ours = ours || p.Events != nil || p.Code != ""
		more, bad := p.events()
		if events = append(events, more...); len(events) > carriers.MaxEvents {
			return nil, carriers.Malformed("more than %d events", carriers.MaxEvents)
		}
		unreadable += bad
	}
	switch {
	case len(events) > 0:
		return carriers.WithUnread(events, unreadable), nil // errors in a list are about other pieces
	case said != nil:
		return nil, said
	case !ours:
		return nil, carriers.Malformed("no trackingEvents (a SUMMARY has none: ask with expand=DETAIL)")
	case unreadable > 0:
		return nil, carriers.Malformed("%d events without a number or a time", unreadable)
	}
	return nil, nil
}

// split reads one answer or a list of them.
func split(body []byte) ([]piece, error) {
	if b := bytes.TrimSpace(body); len(b) > 0 && b[0] == '[' {
		var list []piece
		return list, carriers.Decode(body, &list)
	}
	var one piece
	err := carriers.Decode(body, &one)
	return []piece{one}, err
}

// events reads one piece; bad counts events that say neither which piece nor when.
func (p piece) events() (events []carriers.Event, bad int) {
	number := carriers.Number(string(p.Tracking))
	var scans []scan
	switch {
	case p.Events != nil:
		scans = *p.Events
	case p.Code != "":
		scans = []scan{p.scan}
	}
	var at []carriers.Moment
	var keep []scan
	last := -1
	for _, s := range scans {
		m, ok := moment(s.At, s.GMT, s.Offset, s.zone())
		if number == "" || !ok {
			bad++
			continue
		}
		if last < 0 || m.UTC.After(at[last].UTC) {
			last = len(at)
		}
		at, keep = append(at, m), append(keep, s)
	}
	for i, s := range keep {
		category := ""
		if i == last {
			category = p.Category.Clean(60) // of the piece as it stands: its latest event
		}
		e := s.event(number, at[i], category)
		e.Unique = p.Unique.Clean(120)
		events = append(events, e)
	}
	if last >= 0 && !ended(events[last].Milestone) {
		events[last].ETA = p.eta()
	}
	return events, bad
}

func ended(m order.Milestone) bool {
	return m == order.Delivered || m == order.Returning || m == order.Returned
}

func (s scan) event(number string, at carriers.Moment, category string) carriers.Event {
	code, said := strings.ToUpper(s.Code.Clean(40)), s.Type.Clean(500)
	if code == "" {
		code = "none"
	}
	e := carriers.Event{
		Tracking: number, Table: table, Code: code, Reading: read(code, said, category), Moment: at,
		Description: said,
		Location:    carriers.Place(string(s.City), string(s.State), string(s.ZIP), string(s.Country)),
	}
	if e.Milestone == order.Delivered {
		e.DeliveredTo = carriers.LeftWith(left(said))
	}
	return e
}

// zone is that of the place; at home USPS leaves the country out.
func (s scan) zone() *carriers.Clock {
	country := s.Country.Clean(10)
	if country == "" {
		country = "US"
	}
	return carriers.Zone(country, s.State.Clean(10), s.ZIP.Clean(20))
}

// eta is what USPS expects, else predicts, else guarantees.
func (p piece) eta() time.Time {
	for _, t := range []text{p.Expected, p.Predicted, p.Old, p.Guaranteed} {
		if at := promised(t); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}
