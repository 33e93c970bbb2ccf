package seventeentrack

import (
	"github.com/waybillhq/waybill/internal/carriers"
)

type push struct {
	Event string `json:"event"`
	Data  *item  `json:"data"`
}

type answer struct {
	Code *int `json:"code"`
	Data struct {
		Accepted *[]item  `json:"accepted"`
		Rejected []reject `json:"rejected"`
		Errors   []fault  `json:"errors"`
	} `json:"data"`
}

type reject struct {
	Number string `json:"number"`
	Error  fault  `json:"error"`
}

type fault struct {
	Message string `json:"message"`
}

type item struct {
	Number string `json:"number"`
	Info   info   `json:"track_info"`
}

type info struct {
	Latest struct {
		Status string `json:"status"`
		Sub    string `json:"sub_status"`
	} `json:"latest_status"`
	LatestEvent *scan `json:"latest_event"`
	Metrics     struct {
		ETA struct {
			From string `json:"from"`
			To   string `json:"to"`
		} `json:"estimated_delivery_date"`
	} `json:"time_metrics"`
	Tracking struct {
		Providers []struct {
			Events []scan `json:"events"`
		} `json:"providers"`
	} `json:"tracking"`
}

type scan struct {
	ISO         string `json:"time_iso"`
	UTC         string `json:"time_utc"`
	Raw         raw    `json:"time_raw"`
	Description string `json:"description"`
	Location    string `json:"location"`
	Stage       string `json:"stage"`
	Sub         string `json:"sub_status"`
	Address     struct {
		City    string `json:"city"`
		State   string `json:"state"`
		Postal  string `json:"postal_code"`
		Country string `json:"country"`
	} `json:"address"`
}

// raw is the time as the carrier gave it.
type raw struct {
	Date string `json:"date"`
	Time string `json:"time"`
	Zone string `json:"timezone"`
}

// ParsePush reads a webhook. TRACKING_STOPPED says that 17TRACK no longer looks,
// which is nothing about the parcel.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	var p push
	if err := carriers.Decode(body, &p); err != nil {
		return nil, err
	}
	if p.Event == "" || p.Data == nil || carriers.Number(p.Data.Number) == "" {
		return nil, carriers.Malformed("no 17TRACK webhook")
	}
	if p.Event != "TRACKING_UPDATED" {
		return nil, nil
	}
	return events(*p.Data)
}

// ParseTrack reads an answer of gettrackinfo: up to forty numbers, of which some
// may be refused.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) {
	var a answer
	if err := carriers.Decode(body, &a); err != nil {
		return nil, err
	}
	switch {
	case a.Code == nil:
		return nil, carriers.Malformed("no answer of 17TRACK")
	case *a.Code != 0 || len(a.Data.Errors) > 0:
		return nil, carriers.Malformed("17TRACK: %d %s", *a.Code, carriers.Clean(a.complaint(), 300))
	case a.Data.Accepted == nil || len(*a.Data.Accepted) == 0:
		return nil, carriers.Malformed("17TRACK: nothing accepted: %s", carriers.Clean(a.complaint(), 300))
	}
	return events(*a.Data.Accepted...)
}

func (a answer) complaint() string {
	switch {
	case len(a.Data.Errors) > 0:
		return a.Data.Errors[0].Message
	case len(a.Data.Rejected) > 0:
		return a.Data.Rejected[0].Number + ": " + a.Data.Rejected[0].Error.Message
	}
	return "no reason given"
}

func events(items ...item) ([]carriers.Event, error) {
	var all []carriers.Event
	unreadable := 0
	for _, i := range items {
		list, bad := i.events()
		all, unreadable = append(all, list...), unreadable+bad
		if len(all) > carriers.MaxEvents {
			return nil, carriers.Malformed("17TRACK: more than %d events", carriers.MaxEvents)
		}
	}
	if len(all) == 0 && unreadable > 0 {
		return nil, carriers.Malformed("17TRACK: %d scans without a number, a status or a time", unreadable)
	}
	return carriers.WithUnread(all, unreadable), nil
}

// events reads one number; bad counts scans that say neither what happened nor when.
func (i item) events() (list []carriers.Event, bad int) {
	number := carriers.Number(i.Number)
	read := func(s scan) {
		if e, ok := i.Info.event(number, s); ok && number != "" {
			list = append(list, e)
		} else {
			bad++
		}
	}
	for _, p := range i.Info.Tracking.Providers {
		for _, s := range p.Events {
			read(s)
		}
	}
	if len(list)+bad == 0 && i.Info.LatestEvent != nil {
		read(*i.Info.LatestEvent)
	}
	if len(list) == 0 {
		return nil, bad
	}
	carriers.Homecoming(list)
	list[carriers.Newest(list)].ETA = carriers.Promise(carriers.First(i.Info.Metrics.ETA.To, i.Info.Metrics.ETA.From))
	return list, bad
}

func (n info) event(number string, s scan) (carriers.Event, bool) {
	when, ok := s.moment()
	table, code := n.choose(s)
	if !ok || code == "" {
		return carriers.Event{}, false
	}
	e := carriers.Event{
		Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code), Moment: when,
		Description: carriers.Clean(s.Description, 500), Location: carriers.Place(s.Location),
	}
	e.Arrived(e.Description)
	if e.Location == "" {
		e.Location = carriers.Place(s.Address.City, s.Address.State, s.Address.Postal, s.Address.Country)
	}
	return e, true
}

// choose prefers the scan's sub-status, then its stage. Only the newest scan
// may take the parcel's own status: on an older one that would be a lie.
func (n info) choose(s scan) (table, code string) {
	if code = carriers.Clean(s.Sub, 80); code != "" {
		return tableSub, code
	}
	if code = carriers.Clean(s.Stage, 80); code != "" {
		return tableStage, code
	}
	if l := n.LatestEvent; l != nil && l.ISO == s.ISO && l.UTC == s.UTC && l.Raw == s.Raw && l.Description == s.Description {
		if code = carriers.Clean(n.Latest.Sub, 80); code != "" {
			return tableSub, code
		}
		return tableStatus, carriers.Clean(n.Latest.Status, 80)
	}
	return "", ""
}
