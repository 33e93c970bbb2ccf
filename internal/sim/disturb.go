package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/waybillhq/waybill/order"
)

// What the world does to facts on their way. Times are the data set's.
const (
	repeatShare      = 0.10 // facts sent again with the same ID
	heldShare        = 0.10 // facts that arrive hours after they happened
	lateCreateShare  = 0.03 // orders that exist only after their first scans
	lateLabelShare   = 0.03 // parcels whose label scan comes after the carrier's first
	createAgainShare = 0.03 // storefronts that try again with the same key
)

// ActionKind is what is posted.
type ActionKind uint8

const (
	PostCreate ActionKind = iota
	PostFact
	PostCancel
)

// Action is one thing to post at one moment.
type Action struct {
	Due   time.Time
	Kind  ActionKind
	Order int // in Schedule.Orders
	Fact  int // in the order's Facts
	// Repeat: it was posted before, under the same ID or key.
	Repeat bool
	// Held: it comes late on purpose.
	Held bool
}

// Counts say what a schedule is made of.
type Counts struct {
	Orders, Split int // all of them; those with several parcels
	Facts         int // each once
	Posts         int // facts as posted: with repeats
	Repeats       int
	Held          int
	Overtaken     int // facts that arrive after a later one of their parcel
	Orphans       int // facts that arrive before their order, or before their tracking number is known
	CreatesAgain  int
	Cancels       int
}

// disturb turns the orders into one schedule.
func (s *Schedule) disturb(seed uint64) {
	for i := range s.Orders {
		o := &s.Orders[i]
		// A stream of its own: the invented scans stay the same whatever happens here.
		s.Actions = append(s.Actions, s.disturbOrder(i, o, generator(seed^0x9e3779b97f4a7c15, o.Create.Number))...)
	}
	slices.SortStableFunc(s.Actions, func(a, b Action) int { return a.Due.Compare(b.Due) })
}

func (s *Schedule) disturbOrder(i int, o *PlannedOrder, r *rand.Rand) []Action {
	c, n := s.Clock, &s.Counts
	span := func(low, high time.Duration) time.Duration { return c.Span(between(r, low, high)) }
	n.Orders++
	n.Facts += len(o.Facts)
	if len(o.Create.Parcels) > 1 {
		n.Split++
	}

	due := make([]time.Time, len(o.Facts))
	held := make([]bool, len(o.Facts))
	for k, f := range o.Facts {
		due[k] = f.At()
		if r.Float64() >= heldShare {
			continue
		}
		delay := span(30*time.Minute, 8*time.Hour)
		if k+1 < len(o.Facts) && o.Facts[k+1].Parcel == f.Parcel {
			// Hours are not enough where days lie between two scans; where it is
			// near, see to it that the next one overtakes.
			if gap := o.Facts[k+1].At().Sub(f.At()); gap <= c.Span(12*time.Hour) {
				delay = max(delay, gap+span(time.Minute, 30*time.Minute))
			}
		}
		due[k], held[k] = f.At().Add(delay), true
	}
	for k, f := range o.Facts {
		if f.Scan == nil || f.Scan.Kind != order.ScanLabelled || k+3 >= len(o.Facts) || r.Float64() >= lateLabelShare {
			continue
		}
		// labelled, handed_over, accepted, in_transit: after one or both of the carrier's.
		if after := o.Facts[k+2+r.IntN(2)].At().Add(span(time.Minute, time.Hour)); after.After(due[k]) {
			due[k], held[k] = after, true
		}
	}
	create := Action{Due: o.Create.PlacedAt, Kind: PostCreate, Order: i}
	if len(o.Facts) > 2 && o.Cancel.IsZero() && r.Float64() < lateCreateShare {
		create.Due, create.Held = o.Facts[1].At().Add(span(time.Minute, time.Hour)), true
	}

	actions := []Action{create}
	if r.Float64() < createAgainShare {
		n.CreatesAgain++
		again := create
		again.Due, again.Repeat = create.Due.Add(span(time.Minute, 12*time.Hour)), true
		actions = append(actions, again)
	}
	label := map[string]time.Time{} // when a parcel's tracking number becomes known
	for k, f := range o.Facts {
		if f.Scan != nil && f.Scan.Kind == order.ScanLabelled {
			label[f.Parcel] = due[k]
		}
	}
	for k, f := range o.Facts {
		a := Action{Due: due[k], Kind: PostFact, Order: i, Fact: k, Held: held[k]}
		actions = append(actions, a)
		n.Posts++
		if held[k] {
			n.Held++
		}
		if due[k].Before(create.Due) || f.Event != nil && due[k].Before(label[f.Parcel]) {
			n.Orphans++
		}
		for later := k + 1; later < len(o.Facts) && o.Facts[later].Parcel == f.Parcel; later++ {
			if due[later].Before(due[k]) && o.Facts[later].At().After(f.At()) {
				n.Overtaken++
				break
			}
		}
		if r.Float64() < repeatShare {
			a.Repeat = true
			a.Due = due[k].Add(span(6*time.Minute, realDay))
			actions = append(actions, a)
			n.Posts++
			n.Repeats++
		}
	}
	if !o.Cancel.IsZero() {
		n.Cancels++
		actions = append(actions, Action{Due: o.Cancel, Kind: PostCancel, Order: i})
	}
	return actions
}
