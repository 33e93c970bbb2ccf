package order

import (
	"slices"
	"strings"
	"time"
)

// A duplicate order is merged into the one that it doubles: what is on its way
// goes on there, what is not is cancelled, and the duplicate ends. Two orders are
// asked, so each part may be repeated: [TakeParcels] first, [MergeInto] after it.

// mergeRules are the first rules under which orders can be merged.
const mergeRules = 4

// OrderMerged tells that the order ended as a duplicate.
const OrderMerged HappeningType = "order_merged"

// Moved is a parcel of a duplicate, and its name in the order that it goes on in.
type Moved struct {
	Parcel string `json:"parcel"`
	As     string `json:"as"`
}

// TakenParcel is a parcel that comes from a duplicate.
type TakenParcel struct {
	PlannedParcel
	// Was is its name there, LabelAt when its number was said.
	Was     string    `json:"was"`
	LabelAt time.Time `json:"label_at,omitzero"`
}

// TakeParcels takes over the parcels of a duplicate of this order. What is here
// already stays as it is.
type TakeParcels struct {
	Meta
	From    string        `json:"from"`
	Parcels []TakenParcel `json:"parcels"`
}

// MergeInto ends this order as a duplicate: the parcels named go on in the other
// one, and the rest is cancelled.
type MergeInto struct {
	Meta
	Into    string  `json:"into"`
	Parcels []Moved `json:"parcels,omitempty"`
}

func (TakeParcels) event() {}
func (MergeInto) event()   {}

// PlanMerge says what merging a duplicate into another order comes to, or why it
// cannot be. Once the duplicate has ended so, it is the same again.
func PlanMerge(into, duplicate *State) ([]TakenParcel, []Moved, error) {
	a, b := &into.Spec, &duplicate.Spec
	switch {
	case a.ID == b.ID:
		return nil, nil, refuse("into", "is this order itself")
	case a.Store != b.Store:
		return nil, nil, refuse("into", "%s is another store's", a.ID)
	case a.named() != "" && b.named() != "" && a.CustomerRef != b.CustomerRef:
		return nil, nil, refuse("into", "%s is another customer's", a.ID)
	case a.ShipTo != b.ShipTo:
		return nil, nil, refuse("into", "%s goes to another country", a.ID)
	case b.PlacedAt.Before(a.PlacedAt.Add(-time.Duration(a.Policy.ClockSkew))):
		return nil, nil, refuse("into", "%s was placed after this order: merge it into this one", a.ID)
	}
	taken, moved := duplicate.goingOn()
	if duplicate.MergedInto == a.ID {
		return taken, moved, nil
	}
	if err := duplicate.CheckDuplicate(); err != nil {
		return nil, nil, err
	}
	if err := into.checkTake(TakeParcels{Meta: Meta{By: Support}, From: b.ID, Parcels: taken}); err != nil {
		return nil, nil, err
	}
	return taken, moved, nil
}

// named is the storefront's own reference of the customer; empty: it gave none, and
// the order's ID stands for it.
func (s *Spec) named() string {
	if s.CustomerRef == s.ID {
		return ""
	}
	return s.CustomerRef
}

// goingOn are the parcels that exist in the world and are under way, or those that
// went on in the order that this one was merged into.
func (s *State) goingOn() (taken []TakenParcel, moved []Moved) {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		stage := p.Milestone.Stage()
		if p.inbound() || s.MergedInto == "" && p.Milestone != HandedOver && (stage == Preparing || p.Milestone.Settled()) || s.MergedInto != "" && p.MovedTo == "" {
			continue
		}
		as := movedName(s.Spec.Number, p.ID)
		moved = append(moved, Moved{p.ID, as})
		taken = append(taken, TakenParcel{Was: p.ID, LabelAt: p.LabelAt,
			PlannedParcel: PlannedParcel{ID: as, Lines: slices.Clone(p.Lines), Carrier: p.Carrier, Service: p.Service, Tracking: p.Tracking, Master: p.Master}})
	}
	return taken, moved
}

// movedName is the name of a parcel in another order. Names have at most 40
// characters; of a long one the end counts, which tells orders apart.
func movedName(number, parcel string) string {
	name := number + "-" + parcel
	return strings.TrimLeft(name[max(0, len(name)-40):], "._-")
}

// CheckDuplicate says why this order cannot end as a duplicate now.
func (s *State) CheckDuplicate() error {
	switch {
	case s.Rules < mergeRules:
		return refuse("", "%s began under older rules: it takes the newer ones by itself before long", s.Spec.ID)
	case s.Closed:
		return refuse("", "%s is closed", s.Spec.ID)
	case s.MergedInto != "":
		return refuse("", "%s was merged into %s", s.Spec.ID, s.MergedInto)
	case !s.CancelledAt.IsZero():
		return refuse("", "%s was cancelled at %s", s.Spec.ID, day(s.CancelledAt))
	case s.openRemedies():
		return refuse("", "%s has a refund, replacement or claim under way: end that first", s.Spec.ID)
	case len(s.Returns) > 0:
		return refuse("", "%s has a return", s.Spec.ID)
	}
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.Milestone.Stage() > Moving || p.Milestone == Lost {
			return refuse("", "parcel %s of %s is %s since %s", p.ID, s.Spec.ID, p.Milestone, day(p.Since))
		}
	}
	return nil
}

func (s *State) checkTake(e TakeParcels) error {
	switch {
	case e.By != Support:
		return refuse("by", "only support may merge orders")
	case s.Rules < mergeRules:
		return refuse("", "%s began under older rules: it takes the newer ones by itself before long", s.Spec.ID)
	case s.Closed:
		return refuse("into", "%s is closed", s.Spec.ID)
	case s.MergedInto != "":
		return refuse("into", "%s was merged into %s itself", s.Spec.ID, s.MergedInto)
	case !s.CancelledAt.IsZero():
		return refuse("into", "%s was cancelled at %s", s.Spec.ID, day(s.CancelledAt))
	}
	after := *s
	after.Parcels = slices.Clone(s.Parcels)
	for _, t := range e.Parcels {
		if have := after.ParcelByID(t.ID); have != nil {
			if have.From == e.From+"/"+t.Was {
				continue
			}
			return refuse("into", "%s has a parcel %s already", s.Spec.ID, t.ID)
		}
		if err := after.checkPutParcel(t.put(e.Meta)); err != nil {
			return refuse("into", "%s cannot take parcel %s: %s", s.Spec.ID, t.Was, err)
		}
		after.addParcel(t.PlannedParcel, false)
	}
	return nil
}

func (t TakenParcel) put(m Meta) PutParcel {
	return PutParcel{Meta: m, Parcel: t.ID, Lines: t.Lines, Carrier: t.Carrier, Service: t.Service, Tracking: t.Tracking, Master: t.Master}
}

func (s *State) take(e TakeParcels) {
	for _, t := range e.Parcels {
		if s.ParcelByID(t.ID) != nil {
			continue
		}
		s.putParcel(t.put(e.Meta))
		p := s.ParcelByID(t.ID)
		p.From = e.From + "/" + t.Was
		if !t.LabelAt.IsZero() {
			p.LabelAt = t.LabelAt // what the carrier said since then is about it
		}
	}
}

func (s *State) checkMerge(e MergeInto) error {
	if e.By != Support {
		return refuse("by", "only support may merge orders")
	}
	if s.MergedInto == e.Into && e.Into != "" {
		return nil
	}
	if err := s.CheckDuplicate(); err != nil {
		return err
	}
	if _, moved := s.goingOn(); !slices.Equal(moved, e.Parcels) {
		return refuse("", "the parcels of %s have changed meanwhile: ask again", s.Spec.ID)
	}
	return needReason(e.Meta)
}

func (s *State) merge(e MergeInto) {
	if s.MergedInto != "" {
		return
	}
	for _, m := range e.Parcels {
		p := s.ParcelByID(m.Parcel)
		if p == nil {
			continue
		}
		fix := e.Meta
		fix.Occurred = s.Now
		s.correctMilestone(CorrectMilestone{Meta: fix, Parcel: p.ID, Milestone: Cancelled})
		p.MovedTo, p.Master = e.Into+"/"+m.As, ""
		p.relabel("", time.Time{})
	}
	s.cancel(Cancel{Meta: e.Meta})
	s.MergedInto = e.Into
	s.tell(Happening{Type: OrderMerged, At: s.Now, Actor: e.Actor, Text: e.Into + ": " + e.Reason, Cause: e.ID})
}

// gone files a fact about a parcel that goes on in another order.
func (s *State) gone(p *Parcel, m Meta) bool {
	if p.MovedTo != "" {
		s.anomaly(AfterEnd, p.ID, m, "the parcel goes on in "+p.MovedTo)
	}
	return p.MovedTo != ""
}
