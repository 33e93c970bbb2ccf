package sim

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// The cast of the demo: two invented brands, invented buyers, and one order for
// every situation worth looking at. Numbers from 2001 on are the living ones.

type brand struct {
	store, name, color, prefix, currency string
	warehouse                            string
	carriers                             []string
	goods                                []order.Line
}

var brands = []brand{
	{"nordholz", "Nordholz", "#2f4a3c", "NH", "USD", "Portland dock 2", []string{"fedex", "dhl", "ups"}, []order.Line{
		{SKU: "NH-CHAIR-OAK", Quantity: 2, UnitAmount: 18900, Name: "Fjell dining chair, oak"},
		{SKU: "NH-TABLE-160", Quantity: 1, UnitAmount: 64900, Name: "Lund table, 160 cm"},
		{SKU: "NH-SHELF-5", Quantity: 1, UnitAmount: 22900, Name: "Vik shelf, five boards"},
		{SKU: "NH-LAMP-ASH", Quantity: 1, UnitAmount: 8900, Name: "Sol floor lamp, ash"},
		{SKU: "NH-STOOL", Quantity: 3, UnitAmount: 5900, Name: "Tue stool"},
	}},
	{"brightbench", "Brightbench", "#c2410c", "BB", "USD", "Reno aisle 7", []string{"ups", "sim", "fedex"}, []order.Line{
		{SKU: "BB-PLANE-4", Quantity: 1, UnitAmount: 12900, Name: "No. 4 smoothing plane"},
		{SKU: "BB-CHISEL-6", Quantity: 1, UnitAmount: 7900, Name: "Bench chisels, set of six"},
		{SKU: "BB-DRILL-18", Quantity: 1, UnitAmount: 15900, Name: "18 V drill driver"},
		{SKU: "BB-SAW-JP", Quantity: 2, UnitAmount: 4500, Name: "Pull saw, 240 mm"},
		{SKU: "BB-VISE", Quantity: 1, UnitAmount: 9900, Name: "Front vise"},
	}},
}

// Nobody of these exists. The numbers are in the range reserved for fiction.
var buyers = []struct{ name, street, city, region, zip, country, phone string }{
	{"Ada Placeholder", "1 Sample Street", "Springfield", "IL", "62701", "US", "+12025550101"},
	{"Ben Madeup", "22 Fiction Road", "Madison", "WI", "53703", "US", "+12025550102"},
	{"Carla Invented", "7 Nowhere Lane", "Tucson", "AZ", "85701", "US", "+12025550103"},
	{"Dev Example", "404 Missing Avenue", "Austin", "TX", "78701", "US", "+12025550104"},
	{"Elif Specimen", "12 Pretend Court", "Denver", "CO", "80202", "US", "+12025550105"},
	{"Finn Fable", "3 Storybook Way", "Duluth", "MN", "55802", "US", "+12025550106"},
	{"Gita Novel", "9 Chapter Close", "Savannah", "GA", "31401", "US", "+12025550107"},
	{"Hugo Imaginary", "31 Daydream Drive", "Boise", "ID", "83702", "US", "+12025550108"},
}

// A beat is one thing that has happened: a scan or what the carrier says.
type beat struct {
	parcel string
	ago    float64 // hours
	scan   order.ScanKind
	says   order.Milestone
	place  string
	text   string
	bucket string
	eta    float64 // hours from now; 0: none
}

// A role is one order of the cast.
type role struct {
	brand    int
	number   string
	class    order.Class
	buyer    int
	goods    []int // of the brand; one parcel each if split
	split    bool
	carriers []string // by parcel; the brand's first otherwise
	placed   float64  // hours ago
	promised float64  // hours from now; negative: passed
	story    []beat
	// before: so many beats at the end of the story are told before the order
	// exists, as orphans.
	before    int
	then, why string // "hold" or "cancel"
}

func (r role) id() string { return brands[r.brand].store + ":" + r.number }

func (r role) carrierOf(parcel string) string {
	if i := int(parcel[0] - '1'); i < len(r.carriers) {
		return r.carriers[i]
	}
	return brands[r.brand].carriers[0]
}

func (r role) request(now time.Time) OrderRequest {
	b, who := brands[r.brand], buyers[r.buyer]
	q := OrderRequest{Store: b.store, Number: r.number, Class: r.class, Currency: b.currency,
		PlacedAt: now.Add(-hours(r.placed)).Truncate(time.Second), PromisedAt: now.Add(hours(r.promised)).Truncate(time.Hour),
		Customer: Buyer{Ref: "demo-" + r.number, Name: who.name, Email: mailbox(who.name), Phone: who.phone, Language: "en"},
		ShipTo:   Address{Name: who.name, Street: who.street, City: who.city, PostalCode: who.zip, Region: who.region, Country: who.country},
	}
	if q.Class == "" {
		q.Class = order.Routine
	}
	var all []order.Allocation
	for i, g := range r.goods {
		l := b.goods[g]
		q.Lines = append(q.Lines, l)
		a := order.Allocation{SKU: l.SKU, Quantity: l.Quantity}
		all = append(all, a)
		if r.split {
			q.Parcels = append(q.Parcels, order.PlannedParcel{ID: string(rune('1' + i)), Lines: []order.Allocation{a}})
		}
	}
	if !r.split {
		q.Parcels = []order.PlannedParcel{{ID: "1", Lines: all}}
	}
	return q
}

// mailbox of "Ada Placeholder" is ada.placeholder@example.com.
func mailbox(name string) string {
	out := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		switch {
		case c == ' ':
			out = append(out, '.')
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(out) + "@example.com"
}

// prepared is the warehouse's part, up to a scan, which was so many hours ago.
func prepared(parcel, place string, upto order.ScanKind, ago float64) []beat {
	var beats []beat
	for _, st := range stations {
		beats = append(beats, beat{parcel: parcel, scan: st.kind, place: place})
		if st.kind == upto {
			break
		}
	}
	for i := range beats {
		beats[i].ago = ago + 1.2*float64(len(beats)-1-i)
	}
	return beats
}

func says(parcel string, m order.Milestone, ago float64, place, text string) beat {
	return beat{parcel: parcel, says: m, ago: ago, place: place, text: text}
}

func (b beat) because(bucket string) beat { b.bucket = bucket; return b }
func (b beat) due(eta float64) beat       { b.eta = eta; return b }

func story(parts ...[]beat) []beat {
	var all []beat
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// travelling: handed over, accepted and moved, the last time so many hours ago.
func travelling(parcel, dock string, ago float64) []beat {
	town, _, _ := strings.Cut(dock, " ")
	return story(prepared(parcel, dock, order.ScanHandedOver, ago+40), []beat{
		says(parcel, order.Accepted, ago+37, town, "Accepted"),
		says(parcel, order.InTransit, ago+26, "Salt Lake City, UT", "Departed facility").due(30),
		says(parcel, order.InTransit, ago+12, "Omaha, NE", "Arrived at facility"),
		says(parcel, order.InTransit, ago, "Des Moines, IA", "Departed facility"),
	})
}

const (
	nhDock = "Portland dock 2"
	bbDock = "Reno aisle 7"
)

var cast = []role{
	// Nordholz, furniture.
	{brand: 0, number: "NH-1001", buyer: 0, goods: []int{3}, placed: 0.7, promised: 120},
	{brand: 0, number: "NH-1002", class: order.Bulky, buyer: 1, goods: []int{1, 0}, placed: 9, promised: 144, story: prepared("1", nhDock, order.ScanPicked, 2)},
	// Packed three days ago and never given away: the warehouse must act.
	{brand: 0, number: "NH-1003", buyer: 2, goods: []int{2}, placed: 110, promised: 20, story: prepared("1", nhDock, order.ScanPacked, 84)},
	// A label is not possession.
	{brand: 0, number: "NH-1004", buyer: 3, goods: []int{4}, placed: 26, promised: 96, story: prepared("1", nhDock, order.ScanLabelled, 5)},
	{brand: 0, number: "NH-1005", buyer: 4, goods: []int{3, 4}, placed: 30, promised: 90, story: story(prepared("1", nhDock, order.ScanHandedOver, 6), []beat{
		says("1", order.Accepted, 3, "Portland, OR", "Accepted").due(70)})},
	{brand: 0, number: "NH-1006", buyer: 5, goods: []int{0}, carriers: []string{"dhl"}, placed: 70, promised: 60, story: travelling("1", nhDock, 5)},
	{brand: 0, number: "NH-1007", class: order.HighValue, buyer: 6, goods: []int{1, 2}, carriers: []string{"dhl"}, placed: 120, promised: 72, story: story(travelling("1", nhDock, 40), []beat{
		says("1", order.InCustoms, 22, "Chicago, IL, customs", "Held for clearance").because("customs")})},
	{brand: 0, number: "NH-1008", buyer: 7, goods: []int{0, 1, 3}, split: true, carriers: []string{"fedex", "ups", "fedex"}, placed: 96, promised: 48, story: story(
		travelling("1", nhDock, 30), []beat{says("1", order.OutForDelivery, 26, "Boise, ID", "On the vehicle"), says("1", order.Delivered, 20, "Boise, ID", "Left at the front door")},
		travelling("2", nhDock, 8), prepared("3", nhDock, order.ScanPacked, 10))},
	{brand: 0, number: "NH-1009", buyer: 0, goods: []int{2, 4}, placed: 20, promised: 110, story: prepared("1", nhDock, order.ScanReceived, 18), then: "hold", why: "Payment under review"},
	{brand: 0, number: "NH-1010", buyer: 1, goods: []int{0}, placed: 50, promised: 90, story: prepared("1", nhDock, order.ScanPicked, 40), then: "cancel", why: "Buyer changed their mind"},

	// Brightbench, tools.
	{brand: 1, number: "BB-1001", buyer: 2, goods: []int{0}, placed: 80, promised: 8, story: story(travelling("1", bbDock, 14), []beat{
		says("1", order.OutForDelivery, 3, "Tucson, AZ", "On the vehicle").due(4)})},
	{brand: 1, number: "BB-1002", buyer: 3, goods: []int{1}, carriers: []string{"sim"}, placed: 100, promised: 24, story: story(travelling("1", bbDock, 30), []beat{
		says("1", order.ReadyForPickup, 18, "Austin, TX, parcel shop 14", "Ready for pickup")})},
	{brand: 1, number: "BB-1003", buyer: 4, goods: []int{2}, placed: 90, promised: 12, story: story(travelling("1", bbDock, 22), []beat{
		says("1", order.OutForDelivery, 8, "Denver, CO", "On the vehicle"),
		says("1", order.AttemptFailed, 4, "Denver, CO", "Nobody at home").because("recipient_unavailable")})},
	{brand: 1, number: "BB-1004", buyer: 5, goods: []int{3, 4}, placed: 120, promised: 6, story: story(travelling("1", bbDock, 50), []beat{
		says("1", order.OutForDelivery, 34, "Duluth, MN", "On the vehicle"), says("1", order.Delivered, 29, "Duluth, MN", "Handed to resident")})},
	// Still on the way, two days after it was promised.
	{brand: 1, number: "BB-1005", buyer: 6, goods: []int{0, 1}, placed: 150, promised: -48, story: story(travelling("1", bbDock, 30), []beat{
		says("1", order.InTransit, 9, "Memphis, TN", "Weather delay").because("weather").due(30)})},
	{brand: 1, number: "BB-1006", buyer: 7, goods: []int{2}, placed: 170, promised: -20, story: story(travelling("1", bbDock, 70), []beat{
		says("1", order.OutForDelivery, 52, "Boise, ID", "On the vehicle"),
		says("1", order.AttemptFailed, 48, "Boise, ID", "Refused").because("refused"),
		says("1", order.Returning, 24, "Boise, ID", "Return to sender")})},
	{brand: 1, number: "BB-1007", buyer: 0, goods: []int{4}, placed: 400, promised: -200, story: story(travelling("1", bbDock, 300), []beat{
		says("1", order.Lost, 30, "", "Trace closed, parcel not found")})},
	// The carrier's first two events were here before the order was.
	{brand: 1, number: "BB-1008", buyer: 1, goods: []int{1}, carriers: []string{"ups"}, placed: 60, promised: 50, before: 2, story: story(prepared("1", bbDock, order.ScanLabelled, 30), []beat{
		says("1", order.Accepted, 24, "Reno, NV", "Accepted"), says("1", order.InTransit, 16, "Elko, NV", "Departed facility")})},
	// Quiet for four days: stalled, and worth a lot.
	{brand: 1, number: "BB-1009", class: order.HighValue, buyer: 2, goods: []int{0, 2, 4}, carriers: []string{"fedex"}, placed: 190, promised: 10, story: travelling("1", bbDock, 98)},
	{brand: 1, number: "BB-1010", buyer: 3, goods: []int{3}, placed: 200, promised: -60, story: story(travelling("1", bbDock, 60), []beat{
		says("1", order.OutForDelivery, 40, "Austin, TX", "On the vehicle"), says("1", order.Delivered, 36, "Austin, TX", "Left with neighbour")})},
	{brand: 1, number: "BB-1011", class: order.TimeSensitive, buyer: 4, goods: []int{2}, placed: 14, promised: 22, story: prepared("1", bbDock, order.ScanHandedOver, 2)},
	{brand: 1, number: "BB-1012", buyer: 5, goods: []int{1}, placed: 300, promised: -150, story: story(travelling("1", bbDock, 180), []beat{
		says("1", order.Returning, 120, "Duluth, MN", "Address unknown").because("address_problem"),
		{parcel: "1", scan: order.ScanReturned, ago: 30, place: "Reno returns dock"}})},

	// Living ones, to begin with.
	{brand: 0, number: "NH-2001", buyer: 6, goods: []int{3}, placed: 5, promised: 96},
	{brand: 0, number: "NH-2002", buyer: 7, goods: []int{0, 4}, placed: 28, promised: 80, story: prepared("1", nhDock, order.ScanPacked, 1)},
	{brand: 1, number: "BB-2001", buyer: 0, goods: []int{3}, placed: 30, promised: 60, story: story(prepared("1", bbDock, order.ScanHandedOver, 8), []beat{says("1", order.Accepted, 5, "Reno, NV", "Accepted")})},
	{brand: 1, number: "BB-2002", class: order.TimeSensitive, buyer: 1, goods: []int{0, 2}, split: true, carriers: []string{"ups", "sim"}, placed: 60, promised: 24,
		story: story(travelling("1", bbDock, 4), travelling("2", bbDock, 6))},
	{brand: 1, number: "BB-2003", buyer: 2, goods: []int{1}, placed: 70, promised: 10, story: story(travelling("1", bbDock, 10), []beat{says("1", order.OutForDelivery, 1, "Tucson, AZ", "On the vehicle")})},
}

// hash picks something by name, the same every time.
func hash(s string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return int(h.Sum32() >> 1)
}
