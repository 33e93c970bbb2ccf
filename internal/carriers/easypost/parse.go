package easypost

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// document is every answer of EasyPost that we know: an Event with a tracker as
// its result, a tracker itself, a list of trackers, or an error.
type document struct {
	tracker
	Object      string          `json:"object"`
	Description string          `json:"description"`
	Result      *tracker        `json:"result"`
	Trackers    *[]tracker      `json:"trackers"`
	Error       json.RawMessage `json:"error"`
}

type tracker struct {
	Object       string    `json:"object"`
	TrackingCode string    `json:"tracking_code"`
	Status       string    `json:"status"`
	StatusDetail string    `json:"status_detail"`
	UpdatedAt    string    `json:"updated_at"`
	ETA          string    `json:"est_delivery_date"`
	IsReturn     bool      `json:"is_return"`
	Details      *[]detail `json:"tracking_details"`
	Carrier      struct {
		ETA string `json:"est_delivery_date_local"`
	} `json:"carrier_detail"`
}

type detail struct {
	Message       string `json:"message"`
	Description   string `json:"description"`
	Status        string `json:"status"`
	StatusDetail  string `json:"status_detail"`
	Datetime      string `json:"datetime"`
	DatetimeLocal string `json:"datetime_local"`
	Place         place  `json:"tracking_location"`
}

type place struct{ City, State, Zip, Country string }

// UnmarshalJSON takes the empty string that EasyPost sometimes sends in place
// of an object for no place at all.
func (p *place) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) {
		return nil
	}
	type plain place
	return json.Unmarshal(b, (*plain)(p))
}

// ParsePush reads a webhook's Event. Events of other objects (batches, refunds)
// carry nothing for us and are no mistake.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Object != "Event":
		return nil, carriers.Malformed("no EasyPost Event")
	case d.Result == nil || !strings.HasPrefix(d.Description, "tracker."):
		return nil, nil
	case d.Result.TrackingCode == "":
		return nil, carriers.Malformed("EasyPost: a tracker without tracking_code")
	}
	return events(*d.Result)
}

// ParseTrack reads a tracker or a list of trackers.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) {
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	if d.Trackers != nil {
		return events(*d.Trackers...)
	}
	if d.TrackingCode == "" || d.Details == nil && d.Object != "Tracker" {
		return nil, carriers.Malformed("no EasyPost tracker")
	}
	return events(d.tracker)
}

func read(body []byte) (document, error) {
	var d document
	if err := carriers.Decode(body, &d); err != nil {
		return d, err
	}
	if len(d.Error) > 0 && string(d.Error) != "null" {
		return d, carriers.Malformed("EasyPost: %s", complaint(d.Error))
	}
	return d, nil
}

// complaint is what an error document says; the message may be text or a list.
func complaint(raw json.RawMessage) string {
	var e struct {
		Code    string          `json:"code"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return carriers.Clean(string(raw), 300)
	}
	var text string
	if json.Unmarshal(e.Message, &text) != nil {
		text = string(e.Message)
	}
	return carriers.Clean(e.Code+": "+text, 300)
}

func events(trackers ...tracker) ([]carriers.Event, error) {
	var all []carriers.Event
	unreadable := 0
	for _, t := range trackers {
		es, bad := t.events()
		if len(all)+len(es) > carriers.MaxEvents {
			return nil, carriers.Malformed("EasyPost: more than %d events", carriers.MaxEvents)
		}
		all, unreadable = append(all, es...), unreadable+bad
	}
	if len(all) == 0 && unreadable > 0 {
		return nil, carriers.Malformed("EasyPost: %d details without a number, a status or a time", unreadable)
	}
	return carriers.WithUnread(all, unreadable), nil
}

// events reads one tracker; bad counts details that say neither what happened nor when.
func (t tracker) events() (list []carriers.Event, bad int) {
	number := carriers.Number(t.TrackingCode)
	if t.Details != nil {
		list = make([]carriers.Event, 0, min(len(*t.Details), carriers.MaxEvents))
		for _, d := range *t.Details {
			if e, ok := t.event(number, d); ok && number != "" {
				list = append(list, e)
			} else {
				bad++
			}
		}
	}
	if number == "" {
		return nil, max(bad, 1)
	}
	if len(list) == 0 {
		return t.bare(number), bad
	}
	t.homecoming(list)
	// The estimate is the tracker's: it belongs to what was said last.
	list[carriers.Newest(list)].ETA = t.eta()
	return list, bad
}

func (t tracker) event(number string, d detail) (carriers.Event, bool) {
	when, ok := d.moment()
	if !ok {
		// EasyPost's own clock is all that is left.
		when, ok = received(t.UpdatedAt)
	}
	table, code := choose(d.Status, d.StatusDetail)
	if !ok || code == "" {
		return carriers.Event{}, false
	}
	e := carriers.Event{
		Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code), Moment: when,
		Description: carriers.Clean(cmp.Or(d.Message, d.Description), 500),
		Location:    carriers.Place(d.Place.City, d.Place.State, d.Place.Zip, d.Place.Country),
	}
	e.Arrived(e.Description)
	return e, true
}

// bare is the one event of a tracker without history: only its status is known,
// and when EasyPost learnt it. "unknown" is what every new tracker says.
func (t tracker) bare(number string) []carriers.Event {
	when, ok := received(t.UpdatedAt)
	table, code := choose(t.Status, t.StatusDetail)
	if !ok || code == "" || t.Status == "unknown" {
		return nil
	}
	list := []carriers.Event{{
		Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code), Moment: when, ETA: t.eta(),
	}}
	t.homecoming(list)
	return list
}

// choose says which of the two codes counts. The coarse status is the safe one:
// EasyPost pairs pre_transit with status_update and delivered with
// arrived_at_destination, and by themselves both details claim a movement. The
// detail only says more where the status is vague.
func choose(status, detail string) (table, code string) {
	status, detail = carriers.Clean(status, 80), carriers.Clean(detail, 80)
	switch detail {
	case "", "status_update", "unknown", "in_transit":
		return tableStatus, status
	}
	switch status {
	case "":
		return tableDetail, detail
	case "in_transit":
		return tableDetail, detail
	case "failure":
		// A failure is never a movement, whatever its detail says; "return"
		// and the exceptions refine it.
		if r := Codes.Read(tableDetail, detail); !r.Physical || r.Milestone == order.Returning {
			return tableDetail, detail
		}
	}
	return tableStatus, status
}

// homecoming: what was delivered on a return label is with the sender as well.
func (t tracker) homecoming(list []carriers.Event) {
	for i := range list {
		if t.IsReturn && list[i].Milestone == order.Delivered {
			list[i].Milestone = order.Returned
		}
	}
	carriers.Homecoming(list)
}

// eta prefers the day at the destination; the other field is that day at
// midnight with a false Z, which in America is the evening before.
func (t tracker) eta() time.Time {
	if day, err := time.Parse(time.DateOnly, strings.TrimSpace(t.Carrier.ETA)); err == nil {
		return day.Add(12 * time.Hour)
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(t.ETA))
	if err != nil || !carriers.Plausible(at) {
		return time.Time{}
	}
	if at = at.UTC(); at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Add(12 * time.Hour) // a day, not a midnight
	}
	return at
}
