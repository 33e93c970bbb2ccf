package epcis

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// tie is what an aggregation event says of a parent's children.
type tie struct {
	at       time.Time
	add      bool
	children []EPC // none with add false: all of them
}

// packing knows what is on what, as far as one document tells it.
type packing struct {
	ties map[string][]tie // by parent, the earliest first
	work int              // children that may still be looked at
}

// maxWork bounds what pallets on pallets may cost.
const maxWork = 1_000_000

// packed learns from the aggregation events, also from those that are no scan:
// what was read of them is true all the same.
func packed(items []Item) *packing {
	p := &packing{ties: map[string][]tie{}, work: maxWork}
	for i := range items {
		e := &items[i].Event
		if items[i].Refusal == nil && e.Type == Aggregation && e.Parent.Key != "" {
			p.ties[e.Parent.Key] = append(p.ties[e.Parent.Key], tie{e.Time, e.Action != "DELETE", e.EPCs})
		}
	}
	for _, ties := range p.ties {
		slices.SortStableFunc(ties, func(a, b tie) int { return a.at.Compare(b.at) })
	}
	return p
}

// children of a parent at a moment, in the order in which they came.
func (p *packing) children(parent string, at time.Time) []EPC {
	var came []EPC
	on := map[string]bool{}
	for _, t := range p.ties[parent] {
		if t.at.After(at) {
			break
		}
		if !t.add && len(t.children) == 0 {
			clear(on)
			came = came[:0]
		}
		p.work -= 1 + len(t.children)
		if p.work < 0 {
			return nil
		}
		for _, c := range t.children {
			if _, before := on[c.Key]; t.add && !before {
				came = append(came, c)
			}
			on[c.Key] = t.add
		}
	}
	return slices.DeleteFunc(came, func(c EPC) bool { return !on[c.Key] })
}

// parcels are the SSCCs that an event is about, each once: of a pallet those on
// it, of a box with goods in it the box. false: they cost too much to find.
func (p *packing) parcels(e *Event) ([]string, bool) {
	w := walk{p: p, at: e.Time, been: map[string]bool{}}
	for _, epc := range e.EPCs {
		w.visit(epc)
	}
	if len(w.found) == 0 && e.Type == Aggregation {
		w.been = map[string]bool{}
		w.visit(e.Parent)
	}
	return w.found, p.work >= 0
}

type walk struct {
	p     *packing
	at    time.Time
	been  map[string]bool
	found []string
}

// visit says whether it is a parcel or has one in it. What is in itself, which
// cannot be, has no parcel that could be told.
func (w *walk) visit(epc EPC) bool {
	if has, before := w.been[epc.Key]; before {
		return has
	}
	w.been[epc.Key] = true
	inside := false
	for _, c := range w.p.children(epc.Key, w.at) {
		if w.visit(c) {
			inside = true
		}
	}
	if !inside && epc.SSCC {
		w.found = append(w.found, epc.Key)
	}
	w.been[epc.Key] = inside || epc.SSCC
	return w.been[epc.Key]
}

// Window is how long the same tag at the same gate is one scan.
const Window = time.Minute

// Sighting is one read of one parcel, or of goods that will be in it.
type Sighting struct {
	ID    string // of the event
	Thing string // what was read, in any form that is the same for the same tags
	Kind  order.ScanKind
	Step  string
	Place string
	Time  time.Time
}

func (s *Sighting) compare(o *Sighting) int {
	return cmp.Or(s.same(o), s.Time.Compare(o.Time), strings.Compare(s.ID, o.ID))
}

func (s *Sighting) same(o *Sighting) int {
	return cmp.Or(strings.Compare(s.Thing, o.Thing), strings.Compare(string(s.Kind), string(o.Kind)), strings.Compare(s.Step, o.Step), strings.Compare(s.Place, o.Place))
}

// Fold groups the sightings of one thing at one step in one place that are at
// most window after the first of their group. Each group is a list of indexes,
// the earliest first: that one is the scan, and their number is how often it was
// read. The window is not moved on by later reads, so a parcel that stays in
// front of a gate is told again once a window.
func Fold(all []Sighting, window time.Duration) [][]int {
	byTime := make([]int, len(all))
	for i := range byTime {
		byTime[i] = i
	}
	slices.SortStableFunc(byTime, func(a, b int) int { return all[a].compare(&all[b]) })
	var groups [][]int
	for _, i := range byTime {
		if n := len(groups); n > 0 {
			first := &all[groups[n-1][0]]
			if first.same(&all[i]) == 0 && all[i].Time.Sub(first.Time) <= window {
				groups[n-1] = append(groups[n-1], i)
				continue
			}
		}
		groups = append(groups, []int{i})
	}
	return groups
}
