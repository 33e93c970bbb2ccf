package dhl

import (
	"encoding/xml"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// express is a shipment of MyDHL Express.
type express struct {
	Number text         `json:"shipmentTrackingNumber"`
	Events []checkpoint `json:"events"`
	ETA    string       `json:"estimatedTimeOfDelivery"`
	Day    string       `json:"estimatedDeliveryDate"`
	Pieces []struct {
		Number text         `json:"trackingNumber"`
		Events []checkpoint `json:"events"`
	} `json:"pieces"`
}

type checkpoint struct {
	Date        string           `json:"date"`
	Time        string           `json:"time"`
	Offset      string           `json:"GMTOffset"`
	TypeCode    string           `json:"typeCode"`
	Description string           `json:"description"`
	Signed      carriers.Present `json:"signedBy"`
	Areas       []struct {
		Code        string `json:"code"`
		Description string `json:"description"`
	} `json:"serviceArea"`
}

func (x express) shipment() shipment {
	s := shipment{number: carriers.Number(string(x.Number)), unit: tableExpress}
	for _, c := range x.Events {
		s.add(s.number, "", c)
	}
	promise(s.events, carriers.Promise(carriers.First(x.ETA, x.Day)))
	// A single piece repeats the shipment. Of several, each has its own way and
	// its own number; delivered means all of them.
	if len(x.Pieces) > 1 {
		for _, p := range x.Pieces {
			number := carriers.Number(string(p.Number))
			for _, c := range p.Events {
				s.add(s.number, number, c)
			}
		}
	}
	for i := range s.events {
		s.events[i].Pieces = min(len(x.Pieces), carriers.MaxPieces)
	}
	return s
}

func (s *shipment) add(number, piece string, c checkpoint) {
	code := carriers.Clean(c.TypeCode, 80)
	place := ""
	if len(c.Areas) > 0 {
		place = carriers.First(c.Areas[0].Description, c.Areas[0].Code)
	}
	at := strings.TrimSpace(c.Date)
	if clock := strings.TrimSpace(c.Time); clock != "" {
		at += "T" + clock + strings.TrimSpace(c.Offset)
	}
	when, ok := moment(at, carriers.Zone(country(place), "", ""))
	if !ok || code == "" || number == "" {
		s.bad++
		return
	}
	e := coded(number, tableExpress, code)
	e.Moment, e.Location, e.Piece = when, carriers.Place(place), piece
	e.Description = carriers.Clean(c.Description, 500)
	if e.Milestone == order.Delivered {
		e.Proof.Held = carriers.Proofs(c.Signed, false, false, false)
	}
	s.events = append(s.events, e)
}

// country is the end of a service area like AUCKLAND-NZ.
func country(area string) string {
	if i := strings.LastIndexByte(area, '-'); i >= 0 && len(area)-i == 3 {
		return area[i+1:]
	}
	return ""
}

// answerXML is the older XML tracking of Express.
type answerXML struct {
	XMLName    xml.Name
	Conditions []conditionXML `xml:"Response>Status>Condition"`
	Waybills   []struct {
		Number     string         `xml:"AWBNumber"`
		Conditions []conditionXML `xml:"Status>Condition"`
		Events     []struct {
			Date        string `xml:"Date"`
			Time        string `xml:"Time"`
			Code        string `xml:"ServiceEvent>EventCode"`
			Description string `xml:"ServiceEvent>Description"`
			Area        string `xml:"ServiceArea>Description"`
		} `xml:"ShipmentInfo>ShipmentEvent"`
	} `xml:"AWBInfo"`
}

type conditionXML struct {
	Code string `xml:"ConditionCode"`
	Data string `xml:"ConditionData"`
}

func parseXML(body []byte) ([]carriers.Event, error) {
	if err := carriers.Bounded(body); err != nil {
		return nil, err
	}
	var a answerXML
	if err := xml.Unmarshal(body, &a); err != nil {
		return nil, carriers.Malformed("%s", carriers.Clean(err.Error(), 200))
	}
	if a.XMLName.Local == "data" {
		var d parcelXML
		if err := xml.Unmarshal(body, &d); err != nil {
			return nil, carriers.Malformed("%s", carriers.Clean(err.Error(), 200))
		}
		return d.parcels()
	}
	if !strings.HasPrefix(a.XMLName.Local, "TrackingResponse") && !strings.HasPrefix(a.XMLName.Local, "ShipmentTracking") {
		return nil, carriers.Malformed("DHL: <%s> is not Express tracking", carriers.Clean(a.XMLName.Local, 60))
	}
	var s shipment
	for _, w := range a.Waybills {
		a.Conditions = append(a.Conditions, w.Conditions...)
		for _, e := range w.Events {
			c := checkpoint{Date: e.Date, Time: e.Time, TypeCode: e.Code, Description: e.Description}
			c.Areas = append(c.Areas, struct {
				Code        string `json:"code"`
				Description string `json:"description"`
			}{Description: e.Area})
			s.add(carriers.Number(w.Number), "", c)
		}
	}
	carriers.Homecoming(s.events)
	switch {
	case len(s.events) > carriers.MaxEvents:
		return nil, carriers.Malformed("DHL: more than %d events", carriers.MaxEvents)
	case len(s.events) == 0 && len(a.Conditions) > 0:
		return nil, carriers.Malformed("DHL: %s", carriers.Clean(a.Conditions[0].Code+": "+a.Conditions[0].Data, 300))
	case len(s.events) == 0 && s.bad > 0:
		return nil, carriers.Malformed("DHL: %d events, and none says what happened and when", s.bad)
	}
	return carriers.WithUnread(s.events, s.bad), nil
}
