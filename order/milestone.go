package order

// Milestone is how far a parcel has come. Stalled, late and on hold are not
// milestones but conditions: the milestone under them stays.
type Milestone string

const (
	// Expected: planned, nothing has been done yet.
	Expected Milestone = "expected"
	// Picked: the goods are off the shelf.
	Picked Milestone = "picked"
	// Packed: the box is closed.
	Packed Milestone = "packed"
	// Labelled: a label exists. The carrier does not have the parcel.
	Labelled Milestone = "labelled"
	// HandedOver: the warehouse says that it gave the parcel away. The carrier
	// has not confirmed it; this is not possession either.
	HandedOver Milestone = "handed_over"
	// Cancelled: will not be sent. A physical carrier event still overrides it,
	// because a parcel that moves exists.
	Cancelled Milestone = "cancelled"
	// Accepted: the carrier's first physical scan. Possession begins here, and
	// only here is the buyer told "shipped".
	Accepted Milestone = "accepted"
	// InTransit: any later movement.
	InTransit Milestone = "in_transit"
	// InCustoms: with the authorities, on a clock of its own.
	InCustoms Milestone = "in_customs"
	// OutForDelivery: on a vehicle for delivery today.
	OutForDelivery Milestone = "out_for_delivery"
	// ReadyForPickup: at a locker, shop or post office for the buyer to collect.
	ReadyForPickup Milestone = "ready_for_pickup"
	// AttemptFailed: a delivery attempt failed. Attempts are counted.
	AttemptFailed Milestone = "attempt_failed"
	// Lost: the carrier gave it up. A later movement scan finds it again.
	Lost Milestone = "lost"
	// Delivered: with the buyer. Handing to a shop, an agent or back to the
	// sender is not this.
	Delivered Milestone = "delivered"
	// Returning: on its way back to the sender.
	Returning Milestone = "returning"
	// Returned: back with the sender.
	Returned Milestone = "returned"
	// Destroyed: gone for good (seized, scrapped, damaged beyond use).
	Destroyed Milestone = "destroyed"
)

// Stage groups milestones by who holds the parcel. A parcel never moves to an
// earlier stage unless somebody with the authority corrects it. Inside a stage
// either the rank decides or the time at which it happened does.
type Stage int

const (
	Preparing  Stage = iota // with the warehouse; highest rank wins
	Possession              // the carrier has it
	Moving                  // latest event wins: a failed attempt goes back on the road
	Arrived                 // latest event wins: a delivered parcel may turn round
	Ended                   // highest rank wins
)

// byTime says whether the latest event decides within the stage, not the rank.
func (s Stage) byTime() bool { return s == Moving || s == Arrived }

func (s Stage) String() string {
	return [...]string{"preparing", "possession", "moving", "arrived", "ended"}[s]
}

// Source is who says that something happened.
type Source string

const (
	Warehouse   Source = "warehouse"
	CarrierSays Source = "carrier"
	ReturnsDesk Source = "returns_desk"
	Storefront  Source = "storefront"
	Support     Source = "support"
	Buyer       Source = "buyer" // by a link that only the buyer gets
	Engine      Source = "engine"
)

// Definition is one row of the source-of-truth table.
type Definition struct {
	Milestone Milestone
	Stage     Stage
	rank      int
	// Settled milestones need nothing more from anybody.
	Settled bool
	// SetBy may set it. What others say is kept, shown, and changes nothing.
	// Support may correct any milestone, with a reason.
	SetBy []Source
	// Usual next milestones, for the diagram. Any [Legal] one may follow, since
	// scans get missed.
	Usual []Milestone
	// Title is what a buyer reads.
	Title string
}

// Definitions is the table of milestones: legal transitions, authorities and
// the diagram in docs/milestones.md all come from it.
var Definitions = []Definition{
	{Expected, Preparing, 0, false, nil, []Milestone{Picked, Cancelled}, "Order received"},
	{Picked, Preparing, 1, false, []Source{Warehouse}, []Milestone{Packed, Cancelled}, "Picked"},
	{Packed, Preparing, 2, false, []Source{Warehouse}, []Milestone{Labelled, Cancelled}, "Packed"},
	{Labelled, Preparing, 3, false, []Source{Warehouse, Storefront, Support, CarrierSays}, []Milestone{HandedOver, Accepted, Cancelled}, "Label created"},
	{HandedOver, Preparing, 4, false, []Source{Warehouse}, []Milestone{Accepted}, "Handed to the carrier"},
	{Cancelled, Preparing, 5, true, []Source{Storefront, Support}, nil, "Cancelled"},
	{Accepted, Possession, 0, false, []Source{CarrierSays}, []Milestone{InTransit}, "Shipped"},
	{InTransit, Moving, 0, false, []Source{CarrierSays}, []Milestone{InCustoms, OutForDelivery, ReadyForPickup, Lost, Returning}, "On the way"},
	{InCustoms, Moving, 1, false, []Source{CarrierSays}, []Milestone{InTransit}, "In customs"},
	{OutForDelivery, Moving, 2, false, []Source{CarrierSays}, []Milestone{Delivered, AttemptFailed}, "Out for delivery"},
	{ReadyForPickup, Moving, 3, false, []Source{CarrierSays}, []Milestone{Delivered, Returning}, "Ready for pickup"},
	{AttemptFailed, Moving, 4, false, []Source{CarrierSays}, []Milestone{OutForDelivery, ReadyForPickup, Returning}, "Delivery attempted"},
	{Lost, Moving, 5, true, []Source{CarrierSays}, []Milestone{InTransit}, "Lost"},
	{Delivered, Arrived, 1, true, []Source{CarrierSays}, []Milestone{Returning}, "Delivered"},
	{Returning, Arrived, 0, false, []Source{CarrierSays}, []Milestone{Returned, Destroyed}, "On its way back"},
	{Returned, Ended, 0, true, []Source{CarrierSays, Warehouse, ReturnsDesk}, nil, "Returned to sender"},
	{Destroyed, Ended, 1, true, []Source{CarrierSays, ReturnsDesk}, nil, "Destroyed"},
}

// Lookup finds a milestone in the table; ok is false for a name it does not know.
func Lookup(m Milestone) (d Definition, ok bool) {
	for i := range Definitions {
		if Definitions[i].Milestone == m {
			return Definitions[i], true
		}
	}
	return Definition{}, false
}

// Known says whether m is one of ours.
func (m Milestone) Known() bool { _, ok := Lookup(m); return ok }

// Stage of a milestone; unknown ones count as Preparing.
func (m Milestone) Stage() Stage { d, _ := Lookup(m); return d.Stage }

// Settled says that the parcel needs nothing more.
func (m Milestone) Settled() bool { d, _ := Lookup(m); return d.Settled }

// Title is the milestone in a buyer's words.
func (m Milestone) Title() string { d, _ := Lookup(m); return d.Title }

// MaySet says whether src has the authority to set m without a correction.
func MaySet(src Source, m Milestone) bool {
	d, ok := Lookup(m)
	if !ok {
		return false
	}
	for _, s := range d.SetBy {
		if s == src {
			return true
		}
	}
	return false
}

// Legal says whether a parcel may go from one milestone to another without a
// correction: to any later stage, to a higher rank where rank decides, and to
// any other milestone of the stage where time decides.
func Legal(from, to Milestone) bool {
	f, okFrom := Lookup(from)
	t, okTo := Lookup(to)
	switch {
	case !okFrom || !okTo || from == to:
		return false
	case t.Stage != f.Stage:
		return t.Stage > f.Stage
	case t.Stage.byTime():
		return true
	default:
		return t.rank > f.rank
	}
}
