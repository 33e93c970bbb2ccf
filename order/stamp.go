package order

import (
	"cmp"
	"time"
)

// Compare puts facts that are applied together into the order in which they
// happened. The end is the same for any order; the story reads better so.
func Compare(a, b Event) int {
	x, y := a.meta(), b.meta()
	return cmp.Or(x.Occurred.Compare(y.Occurred), cmp.Compare(x.N, y.N))
}

// Stamp returns the event with the time at which the order learns of it.
func Stamp(e Event, now time.Time) Event {
	switch e := e.(type) {
	case Scan:
		e.Applied = now
		return e
	case CarrierEvent:
		e.Applied = now
		return e
	case Unreadable:
		e.Applied = now
		return e
	case PutParcel:
		e.Applied = now
		return e
	case Cancel:
		e.Applied = now
		return e
	case Hold:
		e.Applied = now
		return e
	case Release:
		e.Applied = now
		return e
	case ChangePromise:
		e.Applied = now
		return e
	case CorrectAddress:
		e.Applied = now
		return e
	case CorrectMilestone:
		e.Applied = now
		return e
	case AssignCase:
		e.Applied = now
		return e
	case NoteCase:
		e.Applied = now
		return e
	case ResolveCase:
		e.Applied = now
		return e
	case ReopenCase:
		e.Applied = now
		return e
	case ExtendWait:
		e.Applied = now
		return e
	case FireWait:
		e.Applied = now
		return e
	case ReportNotReceived:
		e.Applied = now
		return e
	case FoundParcel:
		e.Applied = now
		return e
	case DecideRemedy:
		e.Applied = now
		return e
	case EndRemedy:
		e.Applied = now
		return e
	case AdoptPolicy:
		e.Applied = now
		return e
	case TakeParcels:
		e.Applied = now
		return e
	case MergeInto:
		e.Applied = now
		return e
	case EndInstruction:
		e.Applied = now
		return e
	case RequestReturn:
		e.Applied = now
		return e
	case DecideReturn:
		e.Applied = now
		return e
	case ShipReturn:
		e.Applied = now
		return e
	case AskLabel:
		e.Applied = now
		return e
	case AskPickup:
		e.Applied = now
		return e
	case EndBooking:
		e.Applied = now
		return e
	case VoidBooking:
		e.Applied = now
		return e
	case InspectReturn:
		e.Applied = now
		return e
	case DisposeReturn:
		e.Applied = now
		return e
	case SendReturnBack:
		e.Applied = now
		return e
	case CancelReturn:
		e.Applied = now
		return e
	case Tick:
		e.Applied = now
		return e
	case Answered:
		e.Applied = now
		return e
	}
	return e
}

// IDOf is the ID of the source event or request behind an event.
func IDOf(e Event) string { return e.meta().ID }
