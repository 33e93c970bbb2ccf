package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybillhq/waybill/order"
)

// The data set knows when a seller gave an order away and when the buyer got
// it. Everything between is invented here: six warehouse scans before, ten to
// twenty-five carrier scans after.

// stations are the warehouse scans in order, with the part of the way from
// approval to hand-over at which they lie.
var stations = []struct {
	kind      order.ScanKind
	low, high float64
}{
	{order.ScanReceived, 0.05, 0.20},
	{order.ScanPicked, 0.30, 0.45},
	{order.ScanPacked, 0.50, 0.65},
	{order.ScanSorted, 0.68, 0.75},
	{order.ScanLabelled, 0.78, 0.88},
	{order.ScanHandedOver, 0.92, 0.99},
}

// journey is every parcel from the shelf to the door.
func (p *planner) journey(w window, parcels []order.PlannedParcel) []Fact {
	var facts []Fact
	// With several parcels the data set's two times are the first hand-over and
	// the last delivery; the others lie between.
	first, last := p.rng.IntN(len(parcels)), p.rng.IntN(len(parcels))
	for i, parcel := range parcels {
		handover, delivered := w.handover, w.delivered
		end := delivered
		if end.IsZero() {
			end = handover.Add(between(p.rng, 2*realDay, 15*realDay)) // where the scans stop
		}
		if i != first {
			handover = handover.Add(part(end.Sub(handover), 0.2*p.rng.Float64()))
		}
		if i != last && !delivered.IsZero() {
			delivered = delivered.Add(-part(delivered.Sub(handover), 0.05+0.25*p.rng.Float64()))
			end = delivered
		}
		carrier := p.opts.Carriers[p.rng.IntN(len(p.opts.Carriers))]
		facts = append(facts, p.warehouse(i, parcel.ID, carrier, w.approved, handover, len(stations))...)
		facts = append(facts, p.carrier(i, parcel.ID, carrier, handover, end, !delivered.IsZero())...)
	}
	return facts
}

// warehouse is the first n warehouse scans of a parcel, between two moments.
func (p *planner) warehouse(i int, parcel, carrier string, from, until time.Time, n int) []Fact {
	facts := make([]Fact, 0, n)
	for _, st := range stations[:n] {
		at := from.Add(part(until.Sub(from), st.low+(st.high-st.low)*p.rng.Float64()))
		scan := &ScanItem{ID: p.factID(parcel, "w-"+string(st.kind)), Kind: st.kind, Order: p.opts.Store + ":" + p.sale.ID, Parcel: parcel,
			OccurredAt: p.clock.At(at), Location: p.origin(i)}
		if st.kind == order.ScanLabelled {
			scan.Carrier, scan.Tracking = carrier, p.tracking(parcel)
		}
		facts = append(facts, Fact{Parcel: parcel, Scan: scan})
	}
	return facts
}

type leg struct {
	at        time.Time
	milestone order.Milestone
	bucket    string
	text      string
}

// carrier is the carrier's scans: the first exactly at the hand-over and, if
// the parcel arrives, the last exactly at the delivery.
func (p *planner) carrier(i int, parcel, name string, accepted, end time.Time, arrives bool) []Fact {
	n := 10 + p.rng.IntN(16)
	legs := []leg{{at: accepted, milestone: order.Accepted, text: "Accepted"}}
	var tail []leg
	if arrives {
		tail = p.tail(accepted, end)
	}
	road := end // the part of the way that is only transit
	if len(tail) > 0 {
		road = tail[0].at
	}
	for k, total := 0, n-1-len(tail); k < total; k++ {
		// Evenly spaced with jitter: in order without sorting, never at the ends.
		at := accepted.Add(part(road.Sub(accepted), (float64(k)+0.3+0.4*p.rng.Float64())/float64(total)))
		legs = append(legs, leg{at: at, milestone: order.InTransit, text: [...]string{"Arrived at sorting centre", "Departed sorting centre"}[k%2]})
	}
	legs = append(legs, tail...)
	facts := make([]Fact, 0, len(legs))
	number := p.tracking(parcel)
	for k, l := range legs {
		e := &CarrierItem{ID: p.factID(parcel, fmt.Sprintf("c-%02d", k+1)), Tracking: number, Milestone: l.milestone, Physical: true,
			Bucket: l.bucket, Description: l.text, Location: p.place(i, float64(k)/float64(len(legs)-1)), OccurredAt: p.clock.At(l.at)}
		if k == 0 || l.milestone == order.InTransit && p.rng.Float64() < 0.15 {
			// A guess that is a day off at most, as carriers' guesses are.
			e.ETA = p.clock.At(end.Add(between(p.rng, -realDay, realDay)))
		}
		facts = append(facts, Fact{Parcel: parcel, Carrier: name, Event: e})
	}
	return facts
}

// tail is the last day: out for delivery, or a locker, now and then a failed
// attempt, and the delivery itself.
func (p *planner) tail(accepted, delivered time.Time) []leg {
	span := delivered.Sub(accepted)
	back := func(d time.Duration) time.Time { return delivered.Add(-d) }
	legs := []leg{{at: delivered, milestone: order.Delivered, text: "Delivered"}}
	switch x := p.rng.Float64(); {
	case x < 0.03 && span > 3*realDay:
		legs = append(legs,
			leg{at: back(between(p.rng, 3*time.Hour, 8*time.Hour)), milestone: order.OutForDelivery, text: "Out for delivery"},
			leg{at: back(between(p.rng, 20*time.Hour, 26*time.Hour)), milestone: order.AttemptFailed, bucket: "recipient_unavailable", text: "Nobody at home"},
			leg{at: back(between(p.rng, 28*time.Hour, 34*time.Hour)), milestone: order.OutForDelivery, text: "Out for delivery"})
	case x < 0.06:
		legs = append(legs, leg{at: back(min(between(p.rng, 2*time.Hour, 2*realDay), span/3)), milestone: order.ReadyForPickup, text: "Ready for pickup"})
	default:
		legs = append(legs, leg{at: back(min(between(p.rng, 3*time.Hour, 10*time.Hour), span/5)), milestone: order.OutForDelivery, text: "Out for delivery"})
	}
	slices.Reverse(legs)
	return legs
}

// origin is where the seller of a parcel is.
func (p *planner) origin(i int) string {
	var seen []string
	for _, it := range p.sale.Items {
		if slices.Contains(seen, it.Seller) {
			continue
		}
		if seen = append(seen, it.Seller); len(seen) == i+1 {
			return titled(it.SellerCity) + ", " + it.SellerState
		}
	}
	return "seller not in the data set"
}

// place is where a parcel is after a part of its way: seller's town, the two
// state capitals, buyer's town.
func (p *planner) place(i int, way float64) string {
	from, to := p.origin(i), p.sale.Customer
	switch {
	case way < 0.15:
		return from
	case way < 0.45:
		if state := from[max(0, len(from)-2):]; capitals[state] != "" {
			return capitals[state] + ", " + state
		}
		return from
	case way < 0.8 && capitals[to.State] != "":
		return capitals[to.State] + ", " + to.State
	}
	return titled(to.City) + ", " + to.State
}

// capitals of the Brazilian states, where parcels are sorted.
var capitals = map[string]string{
	"AC": "Rio Branco", "AL": "Maceio", "AM": "Manaus", "AP": "Macapa", "BA": "Salvador", "CE": "Fortaleza", "DF": "Brasilia", "ES": "Vitoria",
	"GO": "Goiania", "MA": "Sao Luis", "MG": "Belo Horizonte", "MS": "Campo Grande", "MT": "Cuiaba", "PA": "Belem", "PB": "Joao Pessoa",
	"PE": "Recife", "PI": "Teresina", "PR": "Curitiba", "RJ": "Rio de Janeiro", "RN": "Natal", "RO": "Porto Velho", "RR": "Boa Vista",
	"RS": "Porto Alegre", "SC": "Florianopolis", "SE": "Aracaju", "SP": "Sao Paulo", "TO": "Palmas",
}

// part of a duration.
func part(d time.Duration, share float64) time.Duration { return time.Duration(float64(d) * share) }
