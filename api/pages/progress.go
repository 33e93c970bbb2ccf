package pages

import (
	"time"

	"github.com/waybillhq/waybill/order"
)

// mood is the tone of a state: its icon's shape says the same as its colour.
type mood string

const (
	calm   mood = "calm"   // waiting, all is well
	moving mood = "moving" // with the carrier
	good   mood = "good"   // done
	act    mood = "act"    // the buyer can do something
	bad    mood = "bad"    // it went wrong
	paused mood = "paused"
)

// step is one stop of the progress bar.
type step struct {
	Name    string
	Date    string
	State   string // done, now, todo, warn, stop, hold: an icon each
	Current bool
}

// Said is the state in words, for those who do not see the icon.
func (s step) Said() string {
	switch s.State {
	case "done":
		return "done"
	case "now":
		return "now"
	case "warn":
		return "now, needs attention"
	case "stop":
		return "stopped here"
	case "hold":
		return "on hold"
	}
	return "not yet"
}

// progress is a parcel's way in at most five steps. A label, or the warehouse's
// word that it gave the parcel away, is never "shipped": only the carrier's own
// scan is.
func progress(p *order.ParcelView, placed time.Time, held bool, l lens) []step {
	reached := func(ms ...order.Milestone) string {
		for _, m := range ms {
			for _, r := range p.Reached {
				if r.Milestone == m {
					return l.short(r.At)
				}
			}
		}
		return ""
	}
	has := func(m order.Milestone) bool { return reached(m) != "" }

	ordered := step{Name: "Ordered", Date: l.short(placed)}
	prepared := step{Name: "Prepared", Date: reached(order.Packed, order.HandedOver)}
	shipped := step{Name: "Shipped", Date: reached(order.Accepted)}
	out := step{Name: "Out for delivery", Date: reached(order.OutForDelivery)}
	delivered := step{Name: "Delivered"}

	steps, now, state := []step{ordered, prepared, shipped, out, delivered}, 0, "now"
	switch p.Milestone {
	case order.Expected, order.Picked:
	case order.Packed, order.HandedOver:
		now = 1
	case order.Labelled:
		if has(order.Packed) { // a label may be printed before anything is in the box
			now = 1
		}
	case order.Accepted, order.InTransit, order.InCustoms:
		now = 2
	case order.OutForDelivery:
		now = 3
	case order.ReadyForPickup:
		steps[3] = step{Name: "Ready for pickup", Date: l.short(p.Since)}
		now = 3
	case order.AttemptFailed:
		steps[3] = step{Name: "Delivery tried", Date: l.short(p.Since)}
		now, state = 3, "warn"
	case order.Delivered:
		steps[4].Date = l.short(p.Since)
		now, state = 4, "done"
	case order.Returning:
		steps = []step{ordered, prepared, shipped, {Name: "On its way back", Date: l.short(p.Since)}, {Name: "Returned"}}
		now, state = 3, "warn"
	case order.Returned:
		steps = []step{ordered, prepared, shipped, {Name: "On its way back", Date: reached(order.Returning)}, {Name: "Returned", Date: l.short(p.Since)}}
		now, state = 4, "done"
	case order.Lost:
		steps = []step{ordered, prepared, shipped, {Name: "Lost", Date: l.short(p.Since)}}
		now, state = 3, "stop"
	case order.Destroyed:
		steps = []step{ordered, prepared, shipped, {Name: "Cannot be delivered", Date: l.short(p.Since)}}
		now, state = 3, "stop"
	case order.Cancelled:
		steps = []step{ordered, {Name: "Cancelled", Date: l.short(p.Since)}}
		now, state = 1, "stop"
	}
	if held && now < 2 && state == "now" {
		state = "hold"
	}
	for i := range steps {
		switch {
		case i < now:
			steps[i].State = "done"
		case i == now:
			steps[i].State, steps[i].Current = state, true
		default:
			steps[i].State, steps[i].Date = "todo", ""
		}
	}
	return steps
}
