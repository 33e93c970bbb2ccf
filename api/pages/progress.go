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
	Said    string // the state in words, for those who do not see the icon
	Current bool
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

	// called is a step of that milestone's name; some have names of their own here.
	called := func(m order.Milestone, date string) step {
		name := l.say("step."+string(m), nil)
		if name == "" {
			name = l.say(string(m)+".status", nil)
		}
		return step{Name: name, Date: date}
	}
	since := l.short(p.Since)
	ordered := step{Name: l.say("step.ordered", nil), Date: l.short(placed)}
	prepared := called(order.Packed, reached(order.Packed, order.HandedOver))
	shipped := called(order.Accepted, reached(order.Accepted))
	out := called(order.OutForDelivery, reached(order.OutForDelivery))
	delivered := called(order.Delivered, "")

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
		steps[3] = called(order.ReadyForPickup, since)
		now = 3
	case order.AttemptFailed:
		steps[3] = called(order.AttemptFailed, since)
		now, state = 3, "warn"
	case order.Delivered:
		steps[4].Date = since
		now, state = 4, "done"
	case order.Returning:
		steps = []step{ordered, prepared, shipped, called(order.Returning, since), called(order.Returned, "")}
		now, state = 3, "warn"
	case order.Returned:
		steps = []step{ordered, prepared, shipped, called(order.Returning, reached(order.Returning)), called(order.Returned, since)}
		now, state = 4, "done"
	case order.Lost:
		steps = []step{ordered, prepared, shipped, called(order.Lost, since)}
		now, state = 3, "stop"
	case order.Destroyed:
		steps = []step{ordered, prepared, shipped, called(order.Destroyed, since)}
		now, state = 3, "stop"
	case order.Cancelled:
		steps = []step{ordered, called(order.Cancelled, since)}
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
		steps[i].Said = l.say("step.is_"+steps[i].State, nil)
	}
	return steps
}
