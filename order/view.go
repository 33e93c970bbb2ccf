package order

import (
	"fmt"
	"time"
)

// Status of an order is derived from its parcels and lines, never set.
type Status string

const (
	StatusReceived           Status = "received"
	StatusPreparing          Status = "preparing"
	StatusPartiallyShipped   Status = "partially_shipped"
	StatusShipped            Status = "shipped"
	StatusPartiallyDelivered Status = "partially_delivered"
	StatusDelivered          Status = "delivered"
	StatusReturning          Status = "returning"
	StatusReturned           Status = "returned"
	StatusLost               Status = "lost"
	StatusCancelled          Status = "cancelled"
)

// Statuses lists all of them.
var Statuses = []Status{StatusReceived, StatusPreparing, StatusPartiallyShipped, StatusShipped, StatusPartiallyDelivered,
	StatusDelivered, StatusReturning, StatusReturned, StatusLost, StatusCancelled}

// tally counts the parcels that are meant to reach the buyer.
type tally struct{ live, started, held, delivered, partly, returning, ended, lost, cancelled int }

func (s *State) tally() tally {
	var t tally
	for i := range s.Parcels {
		m := s.Parcels[i].Milestone
		if s.Parcels[i].inbound() {
			continue
		}
		if m == Cancelled {
			t.cancelled++
			continue
		}
		t.live++
		if m != Expected {
			t.started++
		}
		if m.Stage() > Preparing {
			t.held++
		}
		if s.Parcels[i].partial() {
			t.partly++
		}
		switch m {
		case Delivered:
			t.delivered++
		case Returning:
			t.returning++
		case Returned:
			t.ended++
		case Lost, Destroyed:
			t.lost++ // neither comes to anybody
		case Expected, Picked, Packed, Labelled, HandedOver, Cancelled, Accepted, InTransit, InCustoms, OutForDelivery, ReadyForPickup, AttemptFailed:
		}
	}
	return t
}

func (s *State) status() Status {
	t := s.tally()
	whole := s.allAllocated()
	switch {
	case t.live == 0 && t.cancelled > 0 && whole:
		return StatusCancelled
	case t.delivered == t.live && t.live > 0 && whole:
		return StatusDelivered
	case t.delivered+t.partly > 0:
		return StatusPartiallyDelivered
	case t.live > 0 && t.lost == t.live && whole:
		return StatusLost
	case t.live > 0 && t.ended+t.lost == t.live && whole:
		return StatusReturned
	case t.returning > 0 && t.returning+t.ended+t.lost == t.live && whole:
		return StatusReturning
	case t.held == t.live && t.live > 0 && whole:
		return StatusShipped
	case t.held > 0:
		return StatusPartiallyShipped
	case t.started > 0:
		return StatusPreparing
	}
	return StatusReceived
}

// LineView says where the units of a line are.
type LineView struct {
	SKU       string `json:"sku"`
	Quantity  int    `json:"quantity"`
	Unplanned int    `json:"unplanned"`
	Shipped   int    `json:"shipped"`
	Delivered int    `json:"delivered"`
	Cancelled int    `json:"cancelled"`
}

// ParcelView is a parcel as the API shows it.
type ParcelView struct {
	ID        string    `json:"id"`
	Milestone Milestone `json:"milestone"`
	Title     string    `json:"title"`
	Since     time.Time `json:"since"`
	Carrier   string    `json:"carrier,omitempty"`
	Service   string    `json:"service,omitempty"`
	Tracking  string    `json:"tracking,omitempty"`
	Master    string    `json:"master_tracking,omitempty"`
	// Pieces is how many boxes travel under the number, where it is not one.
	Pieces          int          `json:"pieces,omitempty"`
	PiecesDelivered int          `json:"pieces_delivered,omitempty"`
	Lines           []Allocation `json:"lines"`
	PossessionAt    time.Time    `json:"possession_at,omitzero"`
	LastMovement    time.Time    `json:"last_movement,omitzero"`
	LastPlace       string       `json:"last_place,omitempty"`
	ETA             time.Time    `json:"eta,omitzero"`
	Attempts        int          `json:"attempts,omitempty"`
	Reached         []Reached    `json:"reached"`
	// From and MovedTo as in Parcel.
	From    string `json:"from,omitempty"`
	MovedTo string `json:"moved_to,omitempty"`
}

// ReturnView is a return as the API shows it, with the parcel that it comes in and
// what may be asked about it now.
type ReturnView struct {
	Return
	Title string       `json:"title"`
	Box   ParcelView   `json:"box"`
	Steps []ReturnStep `json:"steps"`
}

// View is an order as the API, the pages and the workflow's query show it.
type View struct {
	ID          string       `json:"id"`
	Store       string       `json:"store"`
	Number      string       `json:"number"`
	Class       Class        `json:"class"`
	Status      Status       `json:"status"`
	Summary     string       `json:"summary"`
	Replaces    string       `json:"replaces,omitempty"`
	PlacedAt    time.Time    `json:"placed_at"`
	PromisedAt  time.Time    `json:"promised_at,omitzero"`
	DeliveredAt time.Time    `json:"delivered_at,omitzero"`
	CancelledAt time.Time    `json:"cancelled_at,omitzero"`
	MergedInto  string       `json:"merged_into,omitempty"`
	Late        bool         `json:"late"`
	OnHold      bool         `json:"on_hold"`
	Closed      bool         `json:"closed"`
	Lines       []LineView   `json:"lines"`
	Parcels     []ParcelView `json:"parcels"`
	Returns     []ReturnView `json:"returns,omitempty"` // none: absent
	Cases       []CaseView   `json:"cases"`
	// Decisions are those about cases that ended last, the newest first.
	Decisions []Decision `json:"decisions"`
	Remedies  []Remedy   `json:"remedies"`
	// Instructions to carriers; none: absent.
	Instructions []Instruction `json:"instructions,omitempty"`
	Waiting      []WaitView    `json:"waiting"`
	Anomalies    int           `json:"anomalies"`
	Policy       string        `json:"policy"`
	Rules        int           `json:"rules"`
	Seq          int64         `json:"seq"`
}

// CaseView is an open case and the resolutions that support may choose now.
type CaseView struct {
	Case
	Resolutions []Resolution `json:"resolutions"`
}

// WaitView is a wait with the sentence that people read everywhere alike, and
// whether staff may extend it or let it end now.
type WaitView struct {
	Wait
	Text    string `json:"text"`
	Movable bool   `json:"movable"`
}

// shownDecisions bounds the decisions in a view: it is an update's answer and
// so stays in the history.
const shownDecisions = 10

func (s *State) caseViews() []CaseView {
	views := make([]CaseView, 0, len(s.Cases))
	for i := range s.Cases {
		views = append(views, CaseView{s.Cases[i], s.resolutions(&s.Cases[i])})
	}
	return views
}

// resolutions are those that would be granted to support now, given a reason,
// an end where one is needed, and an amount that the lines are worth.
func (s *State) resolutions(c *Case) []Resolution {
	legal := []Resolution{}
	d, _ := LookupCase(c.Kind)
	for _, r := range d.Resolutions {
		e := ResolveCase{Meta: Meta{By: Support, Reason: "asked for"}, Case: c.ID, Resolution: r}
		if r.NeedsUntil() {
			e.Until = s.Now.Add(time.Hour)
		}
		if r == Refund {
			e.Amount = 1
		}
		if c.ID != "" && s.checkResolve(e) == nil {
			legal = append(legal, r)
		}
	}
	return legal
}

// lastDecisions leaves out the notes; the timeline has them.
func (s *State) lastDecisions() []Decision {
	last := []Decision{}
	for i := len(s.Decisions) - 1; i >= 0 && len(last) < shownDecisions; i-- {
		d := s.Decisions[i]
		d.Case.Notes = nil
		last = append(last, d)
	}
	return last
}

// WaitsOf shows every open wait, the earliest first; never null.
func WaitsOf(s *State) []WaitView {
	views := []WaitView{}
	for _, w := range Waiting(s) {
		views = append(views, WaitView{w, w.String(), w.Movable()})
	}
	return views
}

// ViewOf shows a state. Lists are never null; returns are absent when there are none.
func ViewOf(s *State) View {
	v := View{
		ID: s.Spec.ID, Store: s.Spec.Store, Number: s.Spec.Number, Class: s.Spec.Class, Status: s.Status, Summary: Summary(s),
		Replaces: s.Spec.Replaces, PlacedAt: s.Spec.PlacedAt, PromisedAt: s.PromisedAt, DeliveredAt: DeliveredAt(s), CancelledAt: cancelledAt(s), MergedInto: s.MergedInto,
		Late: IsLate(s), OnHold: s.Hold != nil, Closed: s.Closed,
		Lines: make([]LineView, 0, len(s.Spec.Lines)), Parcels: make([]ParcelView, 0, len(s.Parcels)),
		Returns: make([]ReturnView, 0, len(s.Returns)),
		Cases:   s.caseViews(), Decisions: s.lastDecisions(), Remedies: append([]Remedy{}, s.Remedies...), Instructions: append([]Instruction(nil), s.Instructions...), Waiting: WaitsOf(s), Anomalies: s.AnomalyCount,
		Policy: fmt.Sprintf("%s v%d", s.Spec.Policy.Name, s.Spec.Policy.Version), Rules: s.Rules, Seq: s.Seq,
	}
	for _, l := range s.Spec.Lines {
		lv := LineView{SKU: l.SKU, Quantity: l.Quantity, Unplanned: max(0, l.Quantity-s.allocated(l.SKU, ""))}
		for i := range s.Parcels {
			for _, a := range s.Parcels[i].Lines {
				if a.SKU != l.SKU || s.Parcels[i].inbound() {
					continue
				}
				switch m := s.Parcels[i].Milestone; {
				case m == Cancelled:
					lv.Cancelled += a.Quantity
				case m == Delivered:
					lv.Delivered += a.Quantity
					lv.Shipped += a.Quantity
				case m.Stage() > Preparing:
					lv.Shipped += a.Quantity
				}
			}
		}
		if !s.CancelledAt.IsZero() {
			lv.Cancelled, lv.Unplanned = lv.Cancelled+lv.Unplanned, 0
		}
		v.Lines = append(v.Lines, lv)
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.inbound() || p.Unplanned && p.Milestone == Cancelled && len(p.Lines) == 0 {
			continue // a return's; or a plan that was replaced, never a box
		}
		v.Parcels = append(v.Parcels, viewOf(p))
	}
	for i := range s.Returns {
		r := ReturnView{Return: s.Returns[i], Title: s.Returns[i].State.Title(), Steps: s.returnSteps(&s.Returns[i])}
		if p := s.ParcelByID(r.Parcel); p != nil {
			r.Box = viewOf(p)
		}
		v.Returns = append(v.Returns, r)
	}
	return v
}

func viewOf(p *Parcel) ParcelView {
	return ParcelView{
		ID: p.ID, Milestone: p.Milestone, Title: p.title(), Since: p.Since, Carrier: p.Carrier, Service: p.Service, Tracking: p.Tracking,
		Master: p.Master, Pieces: p.Of, PiecesDelivered: p.Delivered,
		Lines: append([]Allocation{}, p.Lines...), PossessionAt: p.PossessionAt, LastMovement: p.LastMovement, LastPlace: p.LastPlace,
		ETA: p.ETA, Attempts: len(p.Attempts), Reached: append([]Reached{}, p.Reached...),
		From: p.From, MovedTo: p.MovedTo,
	}
}

// cancelledAt is when the order was cancelled, at once or parcel by parcel.
func cancelledAt(s *State) time.Time {
	at := s.CancelledAt
	if at.IsZero() && s.Status == StatusCancelled {
		for i := range s.Parcels {
			if !s.Parcels[i].inbound() {
				at = latest(at, s.Parcels[i].ReachedAt(Cancelled))
			}
		}
	}
	return at
}

// DeliveredAt is when the last parcel was delivered; zero before that.
func DeliveredAt(s *State) time.Time {
	if s.Status != StatusDelivered {
		return time.Time{}
	}
	var at time.Time
	for i := range s.Parcels {
		if p := &s.Parcels[i]; p.Milestone == Delivered && !p.inbound() {
			at = latest(at, p.ReachedAt(Delivered))
		}
	}
	return at
}

// IsLate compares the delivery with the promise by when it happened, not by
// when we heard of it. Undelivered orders are late once the promise has passed.
func IsLate(s *State) bool {
	if s.PromisedAt.IsZero() || s.Status == StatusCancelled {
		return false
	}
	if at := DeliveredAt(s); !at.IsZero() {
		return at.After(s.PromisedAt)
	}
	return s.PromiseMissed
}

// Summary is the order in a sentence, for lists and the Temporal UI.
func Summary(s *State) string {
	t := s.tally()
	switch {
	case t.live > 1 && s.Status == StatusPartiallyDelivered && t.delivered > 0:
		return fmt.Sprintf("%d of %d parcels delivered", t.delivered, t.live)
	case t.live > 1 && s.Status == StatusPartiallyShipped:
		return fmt.Sprintf("%d of %d parcels shipped", t.held, t.live)
	case s.Hold != nil:
		return "On hold"
	case t.live == 1 && s.allAllocated():
		for i := range s.Parcels {
			if p := &s.Parcels[i]; p.Milestone != Cancelled && !p.inbound() {
				return p.title()
			}
		}
	}
	switch s.Status {
	case StatusReceived:
		return "Order received"
	case StatusPreparing:
		return "Being prepared"
	case StatusPartiallyShipped:
		return "Partly on the way"
	case StatusShipped:
		return "On the way"
	case StatusPartiallyDelivered:
		return "Partly delivered"
	case StatusDelivered:
		return "Delivered"
	case StatusReturning:
		return "On its way back"
	case StatusReturned:
		return "Returned to sender"
	case StatusLost:
		return "Lost"
	case StatusCancelled:
		return "Cancelled"
	}
	return string(s.Status)
}
