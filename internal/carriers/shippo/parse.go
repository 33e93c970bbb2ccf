package shippo

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

type push struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// track is Shippo's Track.
type track struct {
	Number  string   `json:"tracking_number"`
	Status  *status  `json:"tracking_status"`
	History []status `json:"tracking_history"`
	ETA     string   `json:"eta"`
	Detail  string   `json:"detail"` // of an error document
}

type status struct {
	Status  string    `json:"status"`
	Sub     substatus `json:"substatus"`
	Details string    `json:"status_details"`
	Date    string    `json:"status_date"`
	Updated string    `json:"object_updated"`
	Created string    `json:"object_created"`
	Place   struct {
		City    string `json:"city"`
		State   string `json:"state"`
		Zip     string `json:"zip"`
		Country string `json:"country"`
	} `json:"location"`
}

type substatus struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// UnmarshalJSON takes a substatus that is no object as none: older API versions
// have none.
func (s *substatus) UnmarshalJSON(b []byte) error {
	type plain substatus
	_ = json.Unmarshal(b, (*plain)(s))
	return nil
}

// ParsePush reads track_updated. Other events (labels, batches) share the
// webhook, carry nothing for us and are no mistake.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	var p push
	if err := carriers.Decode(body, &p); err != nil {
		return nil, err
	}
	switch {
	case p.Event == "" || len(p.Data) == 0:
		return nil, carriers.Malformed("no Shippo webhook")
	case p.Event != "track_updated":
		return nil, nil
	}
	return parse(p.Data)
}

// ParseTrack reads a Track.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) { return parse(body) }

func parse(body []byte) ([]carriers.Event, error) {
	var t track
	if err := carriers.Decode(body, &t); err != nil {
		return nil, err
	}
	if t.Number == "" && t.Detail != "" {
		return nil, carriers.Malformed("Shippo: %s", carriers.Clean(t.Detail, 300))
	}
	number := carriers.Number(t.Number)
	if number == "" {
		return nil, carriers.Malformed("no Shippo track")
	}
	if len(t.History) > carriers.MaxEvents-1 {
		return nil, carriers.Malformed("Shippo: more than %d events", carriers.MaxEvents)
	}
	events, unreadable := t.events(number)
	if len(events) == 0 && unreadable > 0 {
		return nil, carriers.Malformed("Shippo: %d statuses that say neither what happened nor when", unreadable)
	}
	return carriers.WithUnread(events, unreadable), nil
}

// events reads the history and what stands beside it; bad counts statuses that say
// neither what happened nor when.
func (t track) events(number string) (list []carriers.Event, bad int) {
	current := t.Status
	list = make([]carriers.Event, 0, len(t.History)+1)
	for _, s := range t.History {
		if e, ok := s.event(number); ok {
			list = append(list, e)
		} else {
			bad++
		}
		// The current status usually repeats the newest of the history.
		if current != nil && s.Status == current.Status && s.Date == current.Date {
			current = nil
		}
	}
	if current != nil && current.Status != "" && current.Status != "UNKNOWN" {
		if e, ok := current.event(number); ok {
			list = append(list, e)
		} else {
			bad++
		}
	}
	if len(list) == 0 {
		return nil, bad
	}
	carriers.Homecoming(list)
	list[carriers.Newest(list)].ETA = eta(t.ETA)
	return list, bad
}

func (s status) event(number string) (carriers.Event, bool) {
	when, ok := moment(s.Date)
	if !ok {
		if when, ok = moment(carriers.First(s.Created, s.Updated)); ok {
			when = carriers.Moment{UTC: when.UTC, Basis: carriers.ByReceipt} // Shippo's clock, not the parcel's
		}
	}
	table, code := tableStatus, carriers.Clean(s.Status, 80)
	if sub := carriers.Clean(s.Sub.Code, 60); sub != "" && code != "" {
		table, code = tableSub, carriers.Clean(code+"."+sub, 80)
	}
	if !ok || code == "" {
		return carriers.Event{}, false
	}
	e := carriers.Event{
		Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code), Moment: when,
		Description: carriers.Clean(carriers.First(s.Details, s.Sub.Text), 500),
		Location:    carriers.Place(s.Place.City, s.Place.State, s.Place.Zip, s.Place.Country),
	}
	e.Arrived(e.Description)
	return e, true
}

// eta is a day, however it is written: Shippo casts it to midnight UTC, which in
// America is the day before. Noon of the day that it names is safe.
func eta(s string) time.Time {
	s = strings.TrimSpace(s)
	if len(s) < len(time.DateOnly) {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	if err != nil || !carriers.Plausible(day) {
		return time.Time{}
	}
	return day.Add(12 * time.Hour)
}
