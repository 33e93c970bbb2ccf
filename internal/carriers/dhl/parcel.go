package dhl

import (
	"cmp"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// parcelXML is the answer of DHL Parcel DE (Sendungsverfolgung, d-get-piece-detail):
// everything is called data, and its name says what it is.
type parcelXML struct {
	Name   string      `xml:"name,attr"`
	Code   string      `xml:"code,attr"`
	Error  string      `xml:"error,attr"`
	Number string      `xml:"piece-code,attr"`
	At     string      `xml:"event-timestamp,attr"`
	ICE    string      `xml:"ice,attr"`
	RIC    string      `xml:"ric,attr"`
	Text   string      `xml:"event-status,attr"`
	City   string      `xml:"event-location,attr"`
	Land   string      `xml:"event-country,attr"`
	TTPro  string      `xml:"standard-event-code,attr"`
	Back   string      `xml:"ruecksendung,attr"`
	Data   []parcelXML `xml:"data"`
}

// parcels reads the pieces and their events.
func (d parcelXML) parcels() ([]carriers.Event, error) {
	if d.Name != "piece-shipment-list" {
		return nil, carriers.Malformed("DHL: data %q is not parcel tracking", carriers.Clean(d.Name, 60))
	}
	if d.Error != "" || d.Code != "" && d.Code != "0" {
		return nil, carriers.Refused("DHL", carriers.Problem{Code: text(d.Code), Message: text(d.Error)})
	}
	var all []carriers.Event
	bad := 0
	d.walk("", "", &all, &bad)
	if len(all) > carriers.MaxEvents {
		return nil, carriers.Malformed("DHL: more than %d events", carriers.MaxEvents)
	}
	if len(all) == 0 && bad > 0 {
		return nil, carriers.Malformed("DHL: %d events, and none says what happened and when", bad)
	}
	carriers.Homecoming(all)
	return carriers.WithUnread(all, bad), nil
}

// walk reads events under the piece that they stand in; a return says so there
// or on the event.
func (d parcelXML) walk(number, back string, all *[]carriers.Event, bad *int) {
	d.Back = cmp.Or(d.Back, back)
	if d.Name == "piece-shipment" {
		number = carriers.Number(d.Number)
	}
	if d.Name == "piece-event" {
		if e, ok := d.event(number); ok && number != "" {
			*all = append(*all, e)
		} else {
			*bad++
		}
	}
	for _, below := range d.Data {
		below.walk(number, d.Back, all, bad)
	}
}

// event reads one. The times are Germany's, whatever country the event is in:
// DHL says no zone.
func (d parcelXML) event(number string) (carriers.Event, bool) {
	ice, ric := token(d.ICE), token(d.RIC)
	t, err := time.Parse("02.01.2006 15:04", strings.TrimSpace(d.At))
	if err != nil || ice == "" {
		return carriers.Event{}, false
	}
	m, ok := moment(t.Format(carriers.Wall), carriers.Zone("DE", "", ""))
	// The reason counts where the table has it: DLVRD is delivered, but
	// DLVRD-SERPT went to a shop.
	e := coded(number, tableParcel, ice)
	for _, fine := range []string{ice + "-" + ric, ice + "-" + ric + "-" + token(d.TTPro)} {
		if f := coded(number, tableParcel, fine); !f.Unmapped {
			e = f
		}
	}
	if e.Milestone == order.Delivered && d.Back == "true" {
		e.Milestone = order.Returned
	}
	e.Moment = m
	e.Description = carriers.Clean(d.Text, 500)
	e.Location = carriers.Place(d.City, d.Land)
	return e, ok
}

func token(s string) string { return strings.ToUpper(carriers.Clean(s, 20)) }
