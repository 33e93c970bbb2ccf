package ups

import (
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// tracked is what we read of GET /api/track/v1/details.
type tracked struct {
	Track *struct {
		Shipment []shipment `json:"shipment"`
	} `json:"trackResponse"`
	refusals
}

type shipment struct {
	Inquiry  text               `json:"inquiryNumber"`
	Package  []parcel           `json:"package"`
	Warnings []carriers.Problem `json:"warnings"`
}

type parcel struct {
	Tracking  text       `json:"trackingNumber"`
	Activity  []activity `json:"activity"`
	Dates     []promise  `json:"deliveryDate"`
	Time      window     `json:"deliveryTime"`
	Delivered struct {
		Location  text             `json:"location"`
		Name      carriers.Present `json:"receivedBy"`
		Signature struct {
			Image carriers.Present `json:"image"`
		} `json:"signature"`
		Photo struct {
			Disposition text `json:"photoDispositionCode"`
		} `json:"deliveryPhoto"`
	} `json:"deliveryInformation"`
}

type promise struct {
	Type text `json:"type"`
	Date text `json:"date"`
}

type window struct {
	Type text `json:"type"`
	End  text `json:"endTime"`
}

type activity struct {
	Date      text   `json:"date"`
	Time      text   `json:"time"`
	GMTDate   text   `json:"gmtDate"`
	GMTTime   text   `json:"gmtTime"`
	GMTOffset text   `json:"gmtOffset"`
	Status    status `json:"status"`
	Location  struct {
		Address struct {
			City    text `json:"city"`
			State   text `json:"stateProvince"`
			Postal  text `json:"postalCode"`
			Country text `json:"countryCode"`
			Land    text `json:"country"`
		} `json:"address"`
	} `json:"location"`
}

// ParseTrack reads the events of every package of every shipment.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) {
	var t tracked
	if err := carriers.Decode(body, &t); err != nil {
		return nil, err
	}
	if err := carriers.Refused("UPS", t.Response.Errors...); err != nil {
		return nil, err
	}
	if t.Track == nil || len(t.Track.Shipment) == 0 {
		return nil, carriers.Malformed("no trackResponse.shipment")
	}
	var events []carriers.Event
	var warnings []carriers.Problem
	unreadable := 0
	for _, s := range t.Track.Shipment {
		warnings = append(warnings, s.Warnings...)
		for _, p := range s.Package {
			more, bad := p.events(s)
			if events = append(events, more...); len(events) > carriers.MaxEvents {
				return nil, carriers.Malformed("more than %d events", carriers.MaxEvents)
			}
			unreadable += bad
		}
	}
	if len(events) > 0 {
		return events, nil // warnings beside events are about something else
	}
	if err := carriers.Refused("UPS", warnings...); err != nil {
		return nil, err
	}
	if unreadable > 0 {
		return nil, carriers.Malformed("%d activities without a number or a day", unreadable)
	}
	return nil, nil
}

// events reads one package; bad counts activities that say neither which parcel
// nor when.
func (p parcel) events(s shipment) (events []carriers.Event, bad int) {
	number := carriers.Number(string(p.Tracking))
	if number == "" && len(s.Package) == 1 {
		// The inquiry may be a reference, or the number of a sibling: it names a
		// package only where there is but one.
		number = carriers.Number(string(s.Inquiry))
	}
	for _, a := range p.Activity {
		at, ok := clock{a.Date, a.Time, a.GMTDate, a.GMTTime, a.GMTOffset}.moment()
		if number == "" || !ok {
			bad++
			continue
		}
		k, reading := read(a.Status)
		ad := a.Location.Address
		events = append(events, carriers.Event{
			Tracking: number, Table: k.table, Code: k.code, Reading: reading, Moment: at,
			Description: a.Status.Description.Clean(500),
			Location:    place(ad.City, ad.State, ad.Postal, carriers.First(ad.Country, ad.Land)),
			Correction:  corrections[k],
		})
	}
	p.finish(events)
	return events, bad
}

// finish hangs on the latest event what UPS says of the package as a whole.
func (p parcel) finish(events []carriers.Event) {
	last := carriers.Newest(events)
	if last < 0 {
		return
	}
	if e := &events[last]; e.Milestone == order.Delivered {
		d := p.Delivered
		e.DeliveredTo = d.Location.Clean(200)
		// V: viewable. N and U: it is not, or not stored.
		e.Proof.Held = carriers.Proofs(d.Name, d.Signature.Image, token(d.Photo.Disposition) == "V", false)
		if r := rows[key{e.Table, e.Code}]; e.DeliveredTo == "" && e.Table == "DIALS" {
			e.DeliveredTo = r.Meaning
		}
	} else if !settled(e.Milestone) {
		e.ETA = p.eta()
	}
}

// eta prefers the rescheduled day to the scheduled one.
func (p parcel) eta() time.Time {
	var sdd, rdd text
	for _, d := range p.Dates {
		switch token(d.Type) {
		case "SDD":
			sdd = d.Date
		case "RDD":
			rdd = d.Date
		}
	}
	hour := p.Time.End
	if token(p.Time.Type) == "DEL" {
		hour = "" // when it was delivered, not when it will be
	}
	return promised(carriers.First(rdd, sdd), hour)
}

func place(parts ...text) string {
	s := make([]string, len(parts))
	for i, p := range parts {
		s[i] = string(p)
	}
	return carriers.Place(s...)
}
