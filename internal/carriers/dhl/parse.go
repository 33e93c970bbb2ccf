package dhl

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// text is how DHL writes: numbers also as numbers.
type text = carriers.Text

// document is any JSON of DHL that we know: a list of shipments (unified or
// MyDHL) or of packages (eCommerce Americas), a push with one, a subscription
// message, or a problem report.
type document struct {
	Shipments *[]json.RawMessage `json:"shipments"`
	Packages  *[]json.RawMessage `json:"packages"`
	Shipment  json.RawMessage    `json:"shipment"`
	Title     text               `json:"title"`
	Detail    text               `json:"detail"`
	Status    text               `json:"status"` // of a problem report
	Scope     string             `json:"scope"`
	Secret    string             `json:"secret"`
}

// ParsePush reads a pushed update. Messages about the subscription itself (its
// confirmation carries a secret) bring no event and are no mistake.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	if d.empty() && (d.Scope != "" || d.Secret != "") {
		return nil, nil
	}
	return d.events()
}

// ParseTrack reads an answer of the unified API, of MyDHL, of eCommerce Americas,
// of the Express XML or of Parcel DE.
func (Adapter) ParseTrack(body []byte) ([]carriers.Event, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return parseXML(body)
	}
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	return d.events()
}

func read(body []byte) (document, error) {
	var d document
	if err := carriers.Decode(body, &d); err != nil {
		return d, err
	}
	if d.empty() && d.Title+d.Detail != "" {
		return d, carriers.Refused("DHL", carriers.Problem{Code: d.Status, Message: d.Title + ": " + d.Detail})
	}
	return d, nil
}

// empty: nothing in it tells of parcels, not even that there are none.
func (d document) empty() bool { return d.Shipments == nil && d.Shipment == nil && d.Packages == nil }

func (d document) events() ([]carriers.Event, error) {
	if d.empty() {
		return nil, carriers.Malformed("no DHL shipments")
	}
	var raws []json.RawMessage
	if d.Shipments != nil {
		raws = *d.Shipments
	}
	if d.Shipment != nil {
		raws = append(raws, d.Shipment)
	}
	if d.Packages != nil {
		raws = append(raws, *d.Packages...)
	}
	var all []carriers.Event
	bad := 0
	units := map[string]string{}
	for _, raw := range raws {
		s, err := shipmentOf(raw)
		if err != nil {
			return nil, err
		}
		// The unified API answers for every business unit that knows the
		// number. Two strangers' parcels must not become one history.
		if unit, seen := units[s.number]; seen && unit != s.unit {
			return nil, carriers.Malformed("DHL: %s and %s both know %s; ask with service", unit, s.unit, s.number)
		}
		units[s.number] = s.unit
		carriers.Homecoming(s.events)
		all, bad = append(all, s.events...), bad+s.bad
		if len(all) > carriers.MaxEvents {
			return nil, carriers.Malformed("DHL: more than %d events", carriers.MaxEvents)
		}
	}
	if len(all) == 0 && bad > 0 {
		return nil, carriers.Malformed("DHL: %d events, and none says what happened and when", bad)
	}
	return carriers.WithUnread(all, bad), nil
}

// shipment is what all JSON shapes become.
type shipment struct {
	number, unit string
	events       []carriers.Event
	bad          int // events that say neither what nor when
}

func shipmentOf(raw json.RawMessage) (shipment, error) {
	var probe struct {
		ID      text             `json:"id"`
		Number  text             `json:"shipmentTrackingNumber"`
		Package carriers.Present `json:"package"`
	}
	if err := carriers.Decode(raw, &probe); err != nil {
		return shipment{}, err
	}
	switch {
	case carriers.Number(string(probe.Number)) != "":
		return decode[express](raw)
	case carriers.Number(string(probe.ID)) != "":
		return decode[unified](raw)
	case bool(probe.Package):
		if s, err := decode[packet](raw); err != nil || s.number != "" {
			return s, err
		}
	}
	return shipment{}, carriers.Malformed("DHL: a shipment without a number")
}

func decode[T interface{ shipment() shipment }](raw json.RawMessage) (shipment, error) {
	var s T
	if err := carriers.Decode(raw, &s); err != nil {
		return shipment{}, err
	}
	return s.shipment(), nil
}

// prove puts the proof, which belongs to the shipment, on its deliveries.
func prove(events []carriers.Event, proof string) {
	for i := range events {
		if events[i].Milestone == order.Delivered {
			events[i].Proof.Held = proof
		}
	}
}

// promise puts the estimate, which belongs to the shipment, on its newest event.
func promise(events []carriers.Event, eta time.Time) {
	if newest := carriers.Newest(events); newest >= 0 {
		events[newest].ETA = eta
	}
}

// coded makes the event of a business unit's own code.
func coded(number, table, code string) carriers.Event {
	e := carriers.Event{Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code)}
	switch {
	case e.Bucket == partial:
		e.DeliveredTo = carriers.InPart
	case e.Milestone == order.Delivered && !vague[[2]string{table, code}]:
		for _, r := range Codes.Lookup(code) {
			if r.Table == table {
				e.DeliveredTo = carriers.LeftWith(r.Meaning)
			}
		}
	}
	return e
}
