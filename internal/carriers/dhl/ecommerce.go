package dhl

import (
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// packet is a package of eCommerce Americas' own tracking API. Its webhook sends
// the same document with one package and all that happened to it so far. Who
// receives it and where it was picked up are not read.
type packet struct {
	Package struct {
		Shippers text   `json:"packageId"`
		DHLs     text   `json:"dhlPackageId"`
		LastMile text   `json:"trackingId"`
		ETA      string `json:"expectedDelivery"`
	} `json:"package"`
	Recipient struct {
		Signed carriers.Present `json:"signedForName"`
	} `json:"recipient"`
	Events []scan `json:"events"`
}

type scan struct {
	Date     string `json:"date"`
	Time     string `json:"time"`
	Zone     text   `json:"timeZone"`
	Location string `json:"location"`
	Country  text   `json:"country"`
	Postal   text   `json:"postalCode"`
	Code     text   `json:"primaryEventId"`
	Words    string `json:"primaryEventDescription"`
	More     string `json:"secondaryEventDescription"`
}

// shipment reads the events under two numbers. The shipper's is on the package
// from the label on. The last mile's, for USPS its barcode, may come later; it is
// told as the box's own, so that an order finds it by either. Shippers make up
// theirs: what no parcel can carry is passed over while there is another.
func (p packet) shipment() shipment {
	s := shipment{unit: tableEcommerce}
	for _, t := range []text{p.Package.Shippers, p.Package.DHLs, p.Package.LastMile} {
		if n := carriers.Number(string(t)); s.number == "" || n != "" && !carriers.IsNumber(s.number) {
			s.number = n
		}
	}
	own := carriers.Number(string(p.Package.LastMile))
	if !carriers.IsNumber(own) {
		own = ""
	}
	for _, told := range p.Events {
		e, ok := told.event(s.number)
		if !ok {
			s.bad++
			continue
		}
		e.Piece = own
		s.events = append(s.events, e)
	}
	prove(s.events, carriers.Proofs(p.Recipient.Signed, false, false, false))
	promise(s.events, carriers.Promise(p.Package.ETA))
	return s
}

func (e scan) event(number string) (carriers.Event, bool) {
	code := e.Code.Clean(80)
	m, ok := e.moment()
	if !ok || code == "" || number == "" {
		return carriers.Event{}, false
	}
	c := coded(number, tableEcommerce, code)
	c.Arrived(e.More) // the first words are the table's; the second may say to whom
	c.Moment = m
	c.Description = carriers.Clean(e.Words, 250)
	if more := carriers.Clean(e.More, 240); more != "" {
		c.Description = carriers.Clean(c.Description+" - "+more, 500)
	}
	postal := e.postal()
	if strings.Contains(e.Location, postal) {
		postal = "" // it says so itself
	}
	c.Location = carriers.Place(e.Location, postal)
	return c, true
}

// postal is the code of the place; DHL writes 0 where there is none.
func (e scan) postal() string {
	if p := e.Postal.Clean(20); p != "0" {
		return p
	}
	return ""
}

// clocks are the labels of times in the United States, by a state that keeps that
// time. EST in July is the clock on the wall there, not standard time.
var clocks = map[string]string{
	"ET": "NY", "EST": "NY", "EDT": "NY", "CT": "IL", "CST": "IL", "CDT": "IL", "MT": "CO", "MST": "CO", "MDT": "CO",
	"PT": "CA", "PST": "CA", "PDT": "CA", "AKST": "AK", "AKDT": "AK", "HST": "HI",
}

// moment reads the wall time by its label: an offset, UTC, or a time of the
// United States. Elsewhere, and without a label that is known, the place says.
func (e scan) moment() (carriers.Moment, bool) {
	at, label := e.Date, strings.ToUpper(e.Zone.Clean(20))
	if label == "UTC" || label == "GMT" {
		label = "Z"
	}
	country, region := e.place()
	there := carriers.Zone(country, region, e.postal())
	if clock := strings.TrimSpace(e.Time); clock != "" {
		at = strings.TrimSpace(at) + "T" + clock
		if off, ok := carriers.ParseOffset(label); ok {
			at += carriers.SpellOffset(off)
		}
	}
	// Arizona's label is that of the mountains, but its clocks are never changed.
	if state := clocks[label]; state != "" && (country == "" || country == "US") && !(state == "CO" && region == "AZ") {
		there = carriers.Zone("US", state, "")
	}
	if m, ok := moment(at, there); ok {
		return m, true
	}
	return moment(e.Date, nil) // a time that nobody can read, on a day that one can
}

// place reads "Town, ST, US" and "Town, CC". Two letters after a town alone are a
// country only where they are no state: DE and CA are both.
func (e scan) place() (country, region string) {
	parts := strings.Split(strings.ToUpper(e.Location), ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	last := parts[len(parts)-1]
	switch n := len(parts); {
	case n >= 3:
		country, region = last, parts[n-2]
	case n == 2 && carriers.Zone("US", last, "") == nil:
		country = last
	}
	if said := strings.ToUpper(e.Country.Clean(10)); said != "" {
		country = said
	}
	if country == "USA" {
		country = "US"
	}
	return country, region
}
