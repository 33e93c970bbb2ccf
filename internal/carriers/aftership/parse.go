package aftership

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// push is the webhook's envelope.
type push struct {
	Event   string    `json:"event"`
	EventID string    `json:"event_id"`
	Msg     *tracking `json:"msg"`
}

// answer is the API's envelope. Old versions put the tracking into data, as
// tracking or trackings; since 2024 data is the tracking.
type answer struct {
	Meta struct {
		Code    int    `json:"code"`
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"meta"`
	Data *struct {
		tracking
		One  *tracking   `json:"tracking"`
		List *[]tracking `json:"trackings"`
	} `json:"data"`
}

type tracking struct {
	Number         string       `json:"tracking_number"`
	UpdatedAt      string       `json:"updated_at"`
	ReturnToSender bool         `json:"return_to_sender"`
	Expected       string       `json:"expected_delivery"`
	Latest         estimate     `json:"latest_estimated_delivery"`
	Checkpoints    []checkpoint `json:"checkpoints"`
}

type estimate struct {
	Datetime string `json:"datetime"`
	Max      string `json:"datetime_max"`
}

// UnmarshalJSON takes whatever stands where an estimate is not known.
func (e *estimate) UnmarshalJSON(b []byte) error {
	type plain estimate
	_ = json.Unmarshal(b, (*plain)(e))
	return nil
}

type checkpoint struct {
	Time       string `json:"checkpoint_time"`
	CreatedAt  string `json:"created_at"`
	Tag        string `json:"tag"`
	Subtag     string `json:"subtag"`
	SubtagText string `json:"subtag_message"`
	Message    string `json:"message"`
	Location   string `json:"location"`
	City       string `json:"city"`
	State      string `json:"state"`
	Zip        string `json:"postal_code"`
	OldZip     string `json:"zip"`
	Country    string `json:"country_iso3"`
	Region     string `json:"country_region"`
	Events     marks  `json:"events"`
}

// marks are AfterShip's events inside a checkpoint (beta).
type marks []struct {
	Code string `json:"code"`
}

// UnmarshalJSON takes nothing from what is not a list of marks: they are beta.
func (m *marks) UnmarshalJSON(b []byte) error {
	type plain marks
	_ = json.Unmarshal(b, (*plain)(m))
	return nil
}

func (m marks) has(code string) bool {
	for _, e := range m {
		if e.Code == code {
			return true
		}
	}
	return false
}

// ParsePush reads a webhook. Its whole history comes with every event, revised
// estimates (edd_revise) included.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	var p push
	if err := carriers.Decode(body, &p); err != nil {
		return nil, err
	}
	if p.Event == "" || p.Msg == nil || carriers.Number(p.Msg.Number) == "" {
		return nil, carriers.Malformed("no AfterShip webhook")
	}
	return events(*p.Msg)
}

// ParseTrack reads one tracking or a list of them.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) {
	var a answer
	if err := carriers.Decode(body, &a); err != nil {
		return nil, err
	}
	switch {
	case a.Meta.Code >= 300:
		return nil, carriers.Malformed("AfterShip: %d %s", a.Meta.Code, carriers.Clean(a.Meta.Type+": "+a.Meta.Message, 300))
	case a.Data == nil:
	case a.Data.List != nil:
		return events(*a.Data.List...)
	case a.Data.One != nil:
		return events(*a.Data.One)
	case carriers.Number(a.Data.Number) != "":
		return events(a.Data.tracking)
	}
	return nil, carriers.Malformed("no AfterShip tracking")
}

func events(trackings ...tracking) ([]carriers.Event, error) {
	var all []carriers.Event
	unreadable := 0
	for _, t := range trackings {
		list, bad := t.events()
		all, unreadable = append(all, list...), unreadable+bad
		if len(all) > carriers.MaxEvents {
			return nil, carriers.Malformed("AfterShip: more than %d events", carriers.MaxEvents)
		}
	}
	if len(all) == 0 && unreadable > 0 {
		return nil, carriers.Malformed("AfterShip: %d checkpoints without a number, a tag or a time", unreadable)
	}
	return carriers.WithUnread(all, unreadable), nil
}

// events reads one tracking; bad counts checkpoints that say neither what happened
// nor when.
func (t tracking) events() (list []carriers.Event, bad int) {
	number := carriers.Number(t.Number)
	list = make([]carriers.Event, 0, min(len(t.Checkpoints), carriers.MaxEvents))
	for _, c := range t.Checkpoints {
		if e, ok := c.event(number, t.UpdatedAt); ok && number != "" {
			list = append(list, e)
		} else {
			bad++
		}
	}
	if len(list) == 0 {
		return nil, bad
	}
	// A parcel that AfterShip says goes back is not with the buyer, though
	// nothing showed it turning round.
	if t.ReturnToSender && !slices.ContainsFunc(list, func(e carriers.Event) bool { return e.Milestone == order.Returning }) {
		for i := range list {
			if list[i].Milestone == order.Delivered {
				list[i].Milestone = order.Returned
			}
		}
	}
	carriers.Homecoming(list)
	list[carriers.Newest(list)].ETA = t.eta()
	return list, bad
}

func (c checkpoint) event(number, updated string) (carriers.Event, bool) {
	when, ok := carriers.ISO(c.Time)
	when = when.In(carriers.Zone(carriers.First(c.Country, c.Region), c.State, carriers.First(c.Zip, c.OldZip)))
	if !ok {
		if when, ok = carriers.ISO(carriers.First(c.CreatedAt, updated)); ok {
			when = carriers.Moment{UTC: when.UTC, Basis: carriers.ByReceipt} // AfterShip's clock, not the parcel's
		}
	}
	table, code := tableSubtag, carriers.Clean(c.Subtag, 80)
	if code == "" {
		table, code = tableTag, carriers.Clean(c.Tag, 80)
	}
	if !ok || code == "" {
		return carriers.Event{}, false
	}
	e := carriers.Event{
		Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code), Moment: when,
		Description: carriers.Clean(carriers.First(c.Message, c.SubtagText), 500),
		Location:    carriers.Place(c.Location),
	}
	if e.Location == "" {
		e.Location = carriers.Place(c.City, c.State, carriers.First(c.Zip, c.OldZip), carriers.First(c.Country, c.Region))
	}
	if e.Milestone == order.Delivered && c.Events.has("returned_to_sender") {
		e.Milestone = order.Returned
	}
	if e.Milestone == order.Delivered {
		e.DeliveredTo = takers[code]
	}
	e.Arrived(e.Description)
	return e, true
}

// takers are the flavours of AfterShip's "delivered" that name one.
var takers = map[string]carriers.DeliveredTo{
	"Delivered_002": carriers.ToPerson, // picked up by the customer
	"Delivered_003": carriers.ToPerson, // signed for
	"Delivered_004": carriers.ToPerson, // paid for on delivery
	"Delivered_005": carriers.ToNeighbour,
}

// eta is the newest estimate.
func (t tracking) eta() time.Time {
	for _, s := range []string{t.Latest.Datetime, t.Latest.Max, t.Expected} {
		if at := carriers.Promise(s); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}
