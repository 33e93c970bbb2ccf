package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// PlanOptions are everything that a schedule depends on, beside the data. The
// same options give the same schedule, byte for byte: an interrupted run can be
// started again.
type PlanOptions struct {
	Store    string
	Seed     uint64
	Day      time.Duration
	Start    time.Time
	Carriers []string
}

// Schedule is a whole run: what exists, what is posted when, and what is true.
type Schedule struct {
	Clock    Clock
	Store    string
	Policy   order.Policy
	Orders   []PlannedOrder
	Actions  []Action // by due time
	Counts   Counts
	Oddities map[Oddity]int
}

// last is when the last thing is due.
func (s *Schedule) last() time.Time { return s.Actions[len(s.Actions)-1].Due }

// PlannedOrder is one order with all its facts.
type PlannedOrder struct {
	ID     string // store:number
	Create OrderRequest
	// Facts, each once: by parcel, in the order in which they happen.
	Facts []Fact
	// Cancel is when the buyer calls it off; zero: never.
	Cancel time.Time
	Truth  Truth
}

// Fact is a scan or a carrier event: exactly one of the two is set.
type Fact struct {
	Parcel  string
	Scan    *ScanItem
	Carrier string
	Event   *CarrierItem
}

// ID of the fact, the same whenever it is posted.
func (f Fact) ID() string {
	if f.Scan != nil {
		return f.Scan.ID
	}
	return f.Event.ID
}

// At is when it happened.
func (f Fact) At() time.Time {
	if f.Scan != nil {
		return f.Scan.OccurredAt
	}
	return f.Event.OccurredAt
}

// Fate is how an order ended as far as the data set knows.
type Fate string

const (
	Delivered Fate = "delivered"
	Cancelled Fate = "cancelled"
	InFlight  Fate = "in flight"
)

// Truth is what the data set says, for comparison. Late and Took come from the
// data set's own times; the other times are on the run's clock.
type Truth struct {
	Fate      Fate
	Status    order.Status
	PlacedAt  time.Time
	Promised  time.Time
	Shipped   time.Time // zero: not known, or squeezed
	Delivered time.Time
	Late      bool
	Took      time.Duration // purchase to delivery
}

// Oddity is something in the data that cannot have been so, and what was done.
type Oddity string

const (
	BeforeHandover Oddity = "delivered before or when handed over: delivery kept, hand-over moved half-way before it"
	BeforeApproval Oddity = "handed over before approval: warehouse scans begin at the purchase"
	NoApproval     Oddity = "no approval time: the purchase counts"
	NoHandover     Oddity = "delivered without a hand-over time: a third of the way"
	NoDelivery     Oddity = "called delivered without a delivery time: stays in transit, counted as in flight"
	NoItems        Oddity = "no items: one line stands for them"
)

// Plan turns sales into a schedule. It is pure.
func Plan(sales []Sale, o PlanOptions) Schedule {
	s := Schedule{Store: o.Store, Oddities: map[Oddity]int{}, Orders: make([]PlannedOrder, 0, len(sales))}
	if len(sales) == 0 {
		return s
	}
	s.Clock = Clock{Start: o.Start.UTC().Truncate(time.Microsecond), Day: o.Day, Earliest: sales[0].Purchase}
	last := sales[0].Purchase
	for _, sale := range sales {
		if sale.Purchase.Before(s.Clock.Earliest) {
			s.Clock.Earliest = sale.Purchase
		}
		for _, t := range []time.Time{sale.Purchase, sale.Approved, sale.Carrier, sale.Delivered} {
			if t.After(last) {
				last = t
			}
		}
	}
	s.Policy = policyFor(o.Day, s.Clock.Span(last.Sub(s.Clock.Earliest)))
	for _, sale := range sales {
		p := planner{sale: sale, opts: o, clock: s.Clock, rng: generator(o.Seed, sale.ID), odd: s.Oddities}
		s.Orders = append(s.Orders, p.order(s.Policy.Name))
	}
	s.disturb(o.Seed)
	return s
}

// policyFor is the default policy on the run's clock. Only the closing is put
// off: every order shall still be open when it is read back, however long ago
// its delivery was, or the comparison with the running workflow would be empty.
func policyFor(day, span time.Duration) order.Policy {
	p := order.DefaultPolicy().Scaled(day)
	p.Name, p.Version = "olist-"+strings.ReplaceAll(day.String(), ".", "-"), 0
	p.CloseAfter = order.Duration(span + 60*day + 30*time.Minute)
	// Two machines' clocks differ by what they differ, on any scale. Nothing is
	// posted before it happens, so a tolerance hides nothing.
	p.Future = max(p.Future, order.Duration(time.Minute))
	// The API reads durations down to milliseconds with decimals, not "20µs". By
	// reflection, so that a line added to the policy is not forgotten here.
	for v, i := reflect.ValueOf(&p).Elem(), 0; i < v.NumField(); i++ {
		if d, ok := v.Field(i).Addr().Interface().(*order.Duration); ok {
			*d = order.Duration(max(time.Duration(*d).Round(time.Microsecond), time.Millisecond))
		}
	}
	for i := range p.Rhythms {
		p.Rhythms[i].Gap = order.Duration(max(time.Duration(p.Rhythms[i].Gap).Round(time.Microsecond), time.Millisecond))
	}
	return p
}

// generator is seeded per order, so that an order looks the same whichever
// others are taken along.
func generator(seed uint64, id string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

type planner struct {
	sale  Sale
	opts  PlanOptions
	clock Clock
	rng   *rand.Rand
	odd   map[Oddity]int
}

func (p *planner) order(policy string) PlannedOrder {
	s := p.sale
	w := p.window()
	out := PlannedOrder{ID: p.opts.Store + ":" + s.ID, Create: p.create(policy)}
	out.Truth = Truth{Fate: InFlight, Status: order.StatusReceived, PlacedAt: out.Create.PlacedAt, Promised: out.Create.PromisedAt, Late: s.LateInItsOwnTerms()}
	switch s.Status {
	case "delivered", "shipped":
		out.Truth.Status = order.StatusShipped
		if !w.squeezed {
			out.Truth.Shipped = p.clock.At(w.handover)
		}
		if !w.delivered.IsZero() {
			out.Truth.Fate, out.Truth.Status = Delivered, order.StatusDelivered
			out.Truth.Delivered, out.Truth.Took = p.clock.At(w.delivered), s.Delivered.Sub(s.Purchase)
		}
		out.Facts = p.journey(w, out.Create.Parcels)
	case "canceled":
		out.Truth.Fate, out.Truth.Status = Cancelled, order.StatusCancelled
		at := w.approved.Add(between(p.rng, time.Hour, realDay))
		out.Cancel = p.clock.At(at)
		for i, parcel := range out.Create.Parcels {
			out.Facts = append(out.Facts, p.warehouse(i, parcel.ID, "", w.approved, at, 1+p.rng.IntN(2))...)
		}
	case "processing":
		// Two days of work at most: nobody knows how long it was really processed.
		out.Truth.Status = order.StatusPreparing
		for i, parcel := range out.Create.Parcels {
			out.Facts = append(out.Facts, p.warehouse(i, parcel.ID, "", w.approved, w.approved.Add(between(p.rng, 12*time.Hour, 2*realDay)), 2+p.rng.IntN(2))...)
		}
	default: // created, approved, invoiced, unavailable: nobody has touched it
	}
	return out
}

// window is the story of one sale in possible order.
type window struct {
	approved, handover, delivered time.Time
	squeezed                      bool // the hand-over is not the data set's
}

func (p *planner) window() window {
	s := p.sale
	w := window{approved: s.Approved, handover: s.Carrier, delivered: s.Delivered}
	if w.approved.IsZero() {
		w.approved = s.Purchase
		if s.Status != "created" && s.Status != "canceled" {
			p.odd[NoApproval]++
		}
	}
	if s.Status != "delivered" && s.Status != "shipped" {
		return w
	}
	if s.Status == "delivered" && w.delivered.IsZero() {
		p.odd[NoDelivery]++
	}
	if s.Status == "shipped" {
		w.delivered = time.Time{}
	}
	// base is when work can have begun, before whatever ends it.
	base := func(end time.Time) time.Time {
		if w.approved.Before(end) {
			return w.approved
		}
		return s.Purchase
	}
	if !w.delivered.IsZero() {
		from := base(w.delivered)
		switch {
		case w.handover.IsZero():
			p.odd[NoHandover]++
			w.handover, w.squeezed = from.Add(w.delivered.Sub(from)/3), true
		case !w.handover.Before(w.delivered):
			p.odd[BeforeHandover]++
			w.handover, w.squeezed = from.Add(w.delivered.Sub(from)/2), true
		}
	} else if w.handover.IsZero() {
		w.handover, w.squeezed = w.approved.Add(realDay), true
	}
	if !w.approved.Before(w.handover) {
		p.odd[BeforeApproval]++
		w.approved = base(w.handover)
	}
	return w
}

// create is the storefront's order: one parcel per seller.
func (p *planner) create(policy string) OrderRequest {
	s := p.sale
	ref := s.Customer.Ref
	r := OrderRequest{
		Store: p.opts.Store, Number: s.ID, Class: order.Routine, Policy: policy, Currency: "BRL",
		PlacedAt: p.clock.At(s.Purchase),
		// On time is the whole promised day. Its last second, not the next
		// midnight: what arrives at midnight arrives on the next day.
		PromisedAt: p.clock.At(s.Estimated.Add(realDay - time.Second)),
		Customer:   Buyer{Ref: ref, Name: "Olist buyer " + clip(ref, 8), Email: clip(ref, 12) + "@example.com", Language: "en"},
		ShipTo: Address{Name: "Olist buyer " + clip(ref, 8), Street: "(not in the data set)", City: titled(s.Customer.City), PostalCode: s.Customer.Zip,
			Region: s.Customer.State, Country: "BR"},
	}
	items := s.Items
	if len(items) == 0 {
		p.odd[NoItems]++
		items = []Item{{Product: "not-in-the-data-set", Category: "item not in the data set", Seller: "unknown"}}
	}
	var sellers []string
	for _, it := range items {
		i := slices.IndexFunc(r.Lines, func(l order.Line) bool { return l.SKU == it.Product })
		if i < 0 {
			r.Lines = append(r.Lines, order.Line{SKU: it.Product, Quantity: 1, UnitAmount: it.Cents, Name: it.Category})
		} else {
			r.Lines[i].Quantity++
		}
		n := slices.Index(sellers, it.Seller)
		if n < 0 {
			n = len(sellers)
			sellers = append(sellers, it.Seller)
			r.Parcels = append(r.Parcels, order.PlannedParcel{ID: fmt.Sprint(n + 1)})
		}
		box := &r.Parcels[n]
		if i := slices.IndexFunc(box.Lines, func(a order.Allocation) bool { return a.SKU == it.Product }); i < 0 {
			box.Lines = append(box.Lines, order.Allocation{SKU: it.Product, Quantity: 1})
		} else {
			box.Lines[i].Quantity++
		}
	}
	return r
}

// tracking is a number that no other parcel of any run has.
func (p *planner) tracking(parcel string) string {
	sum := sha256.Sum256([]byte(p.opts.Store + "/" + p.sale.ID + "/" + parcel))
	return "OL" + strings.ToUpper(hex.EncodeToString(sum[:8])) + "BR"
}

// factID is the same in every run of the same store: an event posted again is
// the same event.
func (p *planner) factID(parcel, what string) string {
	return p.opts.Store + "-" + p.sale.ID + "-" + parcel + "-" + what
}

// between is a random duration in [low, high).
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(r.Int64N(int64(high-low)))
}

func clip(s string, n int) string { return s[:min(n, len(s))] }

// titled writes "sao paulo" as "Sao Paulo".
func titled(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
