package ups

import (
	"strings"
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
	Tracking text       `json:"trackingNumber"`
	Activity []activity `json:"activity"`
	Dates    []promise  `json:"deliveryDate"`
	Time     window     `json:"deliveryTime"`
	Count    text       `json:"packageCount"`
	Point    struct {
		PickupBy text `json:"pickupByDate"`
	} `json:"accessPointInformation"`
	Addresses []struct {
		Type    text    `json:"type"`
		Address address `json:"address"`
	} `json:"packageAddress"`
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
		Address address `json:"address"`
	} `json:"location"`
}

type address struct {
	City    text `json:"city"`
	State   text `json:"stateProvince"`
	Postal  text `json:"postalCode"`
	Country text `json:"countryCode"`
	Land    text `json:"country"`
}

func (a address) zone() *carriers.Clock {
	return zone(carriers.First(a.Country, a.Land), a.State, a.Postal)
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
		return carriers.WithUnread(events, unreadable), nil // warnings beside events are about something else
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
	// The number that was asked for may be the lead package's, or a sibling's: the
	// parcel that carries it is the shipment's, where nobody carries this one.
	told := carriers.Number(string(s.Inquiry))
	if !strings.HasPrefix(told, "1Z") || !carriers.IsNumber(told) {
		told = number // a reference
	}
	for _, a := range p.Activity {
		at, ok := clock{a.Date, a.Time, a.GMTDate, a.GMTTime, a.GMTOffset}.moment(a.Location.Address.zone())
		if number == "" || !ok {
			bad++
			continue
		}
		k, reading := read(a.Status)
		ad := a.Location.Address
		events = append(events, carriers.Event{
			Tracking: told, Piece: number, Pieces: carriers.Pieces(string(p.Count)), Table: k.table, Code: k.code, Reading: reading, Moment: at,
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
		// V: viewable. N and U: it is not, or not stored.
		e.Proof.Held = carriers.Proofs(d.Name, d.Signature.Image, token(d.Photo.Disposition) == "V", false)
		if e.DeliveredTo = carriers.LeftWith(d.Location.Clean(200)); e.DeliveredTo == "" {
			e.DeliveredTo = leftWith(key{e.Table, e.Code})
		}
	} else if !settled(e.Milestone) {
		e.ETA = p.eta()
		if e.Milestone == order.ReadyForPickup {
			// The day is named, and no hour: until it ends where that is known.
			e.PickupBy = promised(p.Point.PickupBy, "235959", p.there())
		}
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
	return promised(carriers.First(rdd, sdd), hour, p.there())
}

// there is the clock of the destination; nil: not known.
func (p parcel) there() (clock *carriers.Clock) {
	for _, a := range p.Addresses {
		if token(a.Type) == "DESTINATION" {
			clock = a.Address.zone()
		}
	}
	return clock
}

func place(parts ...text) string {
	s := make([]string, len(parts))
	for i, p := range parts {
		s[i] = string(p)
	}
	return carriers.Place(s...)
}
