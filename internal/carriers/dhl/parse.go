package dhl

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// document is any JSON of DHL that we know: a list of shipments (unified or
// MyDHL), a push with one, a subscription message, or a problem report.
type document struct {
	Shipments *[]json.RawMessage `json:"shipments"`
	Shipment  json.RawMessage    `json:"shipment"`
	Title     string             `json:"title"`
	Detail    string             `json:"detail"`
	Scope     string             `json:"scope"`
	Secret    string             `json:"secret"`
}

// text is a string that DHL sometimes sends as a number.
type text string

// UnmarshalJSON takes a string or a number as it stands; anything else is empty.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*t = text(n)
	}
	return nil
}

// ParsePush reads a pushed update. Messages about the subscription itself (its
// confirmation carries a secret) bring no event and are no mistake.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	if d.Shipments == nil && d.Shipment == nil && (d.Scope != "" || d.Secret != "") {
		return nil, nil
	}
	return d.events()
}

// ParseTrack reads an answer of the unified API, of MyDHL or of the Express XML.
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
	if len(body) > carriers.MaxBody {
		return d, carriers.Malformed("DHL: more than %d bytes", carriers.MaxBody)
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return d, carriers.Malformed("DHL: %s", carriers.Clean(err.Error(), 200))
	}
	if d.Shipments == nil && d.Shipment == nil && d.Title+d.Detail != "" {
		return d, carriers.Malformed("DHL: %s", carriers.Clean(d.Title+": "+d.Detail, 300))
	}
	return d, nil
}

func (d document) events() ([]carriers.Event, error) {
	if d.Shipments == nil && d.Shipment == nil {
		return nil, carriers.Malformed("no DHL shipments")
	}
	var raws []json.RawMessage
	if d.Shipments != nil {
		raws = *d.Shipments
	}
	if d.Shipment != nil {
		raws = append(raws, d.Shipment)
	}
	var all []carriers.Event
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
		homecoming(s.events)
		all = append(all, s.events...)
		if len(all) > carriers.MaxEvents {
			return nil, carriers.Malformed("DHL: more than %d events", carriers.MaxEvents)
		}
	}
	return all, nil
}

// shipment is what both JSON shapes become.
type shipment struct {
	number, unit string
	events       []carriers.Event
}

func shipmentOf(raw json.RawMessage) (shipment, error) {
	var probe struct {
		ID     text `json:"id"`
		Number text `json:"shipmentTrackingNumber"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return shipment{}, carriers.Malformed("DHL: %s", carriers.Clean(err.Error(), 200))
	}
	switch {
	case carriers.Number(string(probe.Number)) != "":
		return decode[express](raw)
	case carriers.Number(string(probe.ID)) != "":
		return decode[unified](raw)
	}
	return shipment{}, carriers.Malformed("DHL: a shipment without a number")
}

func decode[T interface{ shipment() shipment }](raw json.RawMessage) (shipment, error) {
	var s T
	if err := json.Unmarshal(raw, &s); err != nil {
		return shipment{}, carriers.Malformed("DHL: %s", carriers.Clean(err.Error(), 200))
	}
	return s.shipment(), nil
}

// homecoming: what was delivered after it turned round came back to the sender.
// Each number has its own way, since pieces have theirs.
func homecoming(events []carriers.Event) {
	turned := map[string]time.Time{}
	for _, e := range events {
		k := e.Tracking + " " + e.Piece
		if at, ok := turned[k]; e.Milestone == order.Returning && (!ok || e.UTC.Before(at)) {
			turned[k] = e.UTC
		}
	}
	for i := range events {
		e := &events[i]
		if at, ok := turned[e.Tracking+" "+e.Piece]; ok && e.Milestone == order.Delivered && !e.UTC.Before(at) {
			e.Milestone = order.Returned
		}
	}
}

// promise puts the estimate, which belongs to the shipment, on its newest event.
func promise(events []carriers.Event, eta time.Time) {
	if len(events) == 0 {
		return
	}
	newest := 0
	for i := range events {
		if events[i].UTC.After(events[newest].UTC) {
			newest = i
		}
	}
	events[newest].ETA = eta
}

// coded makes the event of a business unit's own code.
func coded(number, table, code string) carriers.Event {
	e := carriers.Event{Tracking: number, Table: table, Code: code, Reading: Codes.Read(table, code)}
	if e.Milestone != order.Delivered {
		return e
	}
	for _, r := range Codes.Lookup(code) {
		if r.Table == table && !vague[[2]string{table, code}] {
			e.DeliveredTo = carriers.LeftWith(r.Meaning)
		}
	}
	if e.DeliveredTo == carriers.InPart {
		e.Milestone = "" // the rest is still to come
	}
	return e
}

func first(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}
