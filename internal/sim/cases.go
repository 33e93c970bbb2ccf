package sim

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Which cases an order should have had follows from its times alone: what was
// waited for came after its limit, or never. That is worked out here a second
// time, without the engine's rules, and compared with what the engine opened.

// stretch is one wait of an order, by when things happened.
type stretch struct {
	kind  order.CaseKind
	limit time.Time
	// end is what was waited for; zero: it never came. told is when the engine
	// could know: facts are held back, and overtake each other.
	end, told time.Time
	// begun is when the engine could know that the wait had begun.
	begun time.Time
	// eta is the latest word of a carrier that lay beyond the limit, of a promise.
	eta time.Time
}

// CaseCount compares one kind of case over all orders.
type CaseCount struct {
	Kind                           order.CaseKind
	Both, Neither, Missing, Beyond int
	// Why counts the reasons for Missing and Beyond; what has none is a
	// disagreement.
	Why map[string]int
}

// comparedKinds are those that the data set's times say something about.
var comparedKinds = []order.CaseKind{order.NotPicked, order.NotPacked, order.MissedHandoff, order.Stalled, order.LostParcel, order.Late, order.FailedAttempt}

// Reasons for a difference.
const (
	toldLate   = "what ended it was told after the limit"
	neverSeen  = "what ended it was told before what began it"
	byItsETA   = "the carrier's ETA lay beyond the promise"
	atTheLimit = "nearer to the limit than the machine was exact"
)

// near is how close to a limit either answer is right: clocks and timers take
// their time. What the machine was behind comes on top.
const near = time.Second

// compareCases fills the table and returns the differences that no reason explains.
func compareCases(plan *Schedule, answers []Answer, behind time.Duration) (counts []CaseCount, differ []Disagreement) {
	told, exists := firstTold(plan)
	counts = make([]CaseCount, len(comparedKinds))
	for i, kind := range comparedKinds {
		counts[i] = CaseCount{Kind: kind, Why: map[string]int{}}
	}
	for i := range plan.Orders {
		o, a := &plan.Orders[i], &answers[i]
		if !a.Found {
			continue
		}
		ws := stretches(o, plan.Policy, exists[i], func(fact int) time.Time { return told[[2]int{i, fact}] })
		opened := openedKinds(a.View)
		for j, kind := range comparedKinds {
			c := &counts[j]
			should, why := judge(ws, kind, a.ReadAt, near+behind+a.Lag)
			has := slices.Contains(opened, kind)
			switch {
			case should && has:
				c.Both++
				continue
			case !should && !has:
				c.Neither++
				continue
			case has:
				c.Beyond++
			default:
				c.Missing++
			}
			if why != "" {
				c.Why[why]++
				continue
			}
			differ = append(differ, Disagreement{o.ID, "case " + string(kind), fmt.Sprint("opened ", has), fmt.Sprint("expected ", should)})
		}
		for _, kind := range opened {
			if !slices.Contains(comparedKinds, kind) {
				differ = append(differ, Disagreement{o.ID, "case " + string(kind), "opened", "nothing in the data leads to it"})
			}
		}
		if n := len(a.View.Cases); n > 0 && (o.Truth.Fate == Cancelled || o.Truth.Fate == Delivered) {
			differ = append(differ, Disagreement{o.ID, "open cases", fmt.Sprint(n), "none: it is " + string(o.Truth.Fate)})
		}
	}
	return counts, differ
}

// judge says whether a case of a kind should have been opened by now, and what
// would explain that the engine saw it otherwise.
func judge(ws []stretch, kind order.CaseKind, now time.Time, near time.Duration) (should bool, why string) {
	for _, w := range ws {
		if w.kind != kind {
			continue
		}
		end := w.end
		if end.IsZero() {
			end = now
		}
		over := end.Sub(w.limit)
		should = should || over > 0
		switch {
		case over.Abs() < near:
			why = atTheLimit
		case over <= 0 && w.told.Sub(w.limit) > -near:
			why = orReason(why, toldLate)
		case over > 0 && !w.told.IsZero() && !w.told.After(w.begun.Add(near)):
			why = orReason(why, neverSeen)
		}
		if over <= 0 && !w.eta.IsZero() {
			why = orReason(why, byItsETA)
		}
	}
	return should, why
}

func orReason(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// stretches are all waits of an order that the comparison knows, on the run's clock.
func stretches(o *PlannedOrder, p order.Policy, exists time.Time, told func(fact int) time.Time) (ws []stretch) {
	promise := stretch{kind: order.Late, limit: o.Create.PromisedAt, begun: exists}
	for _, parcel := range o.Create.Parcels {
		ws = append(ws, parcelStretches(o, parcel.ID, p, exists, told, &promise)...)
	}
	switch o.Truth.Fate {
	case Delivered:
		promise.end = o.Truth.Delivered
		return append(ws, promise)
	case Cancelled:
		promise.end, promise.told = o.Cancel, o.Cancel
	case InFlight:
		promise.end, promise.told = time.Time{}, time.Time{}
	}
	return append(ws, promise)
}

func parcelStretches(o *PlannedOrder, id string, p order.Policy, exists time.Time, told func(fact int) time.Time, promise *stretch) (ws []stretch) {
	at, known := o.Create.PlacedAt, exists
	next := stretch{kind: order.NotPicked, limit: at.Add(time.Duration(p.Pick)), begun: known}
	carried := false // the carrier has it
	for i, f := range o.Facts {
		if f.Parcel != id {
			continue
		}
		at, known = f.At(), told(i)
		after := func(kind order.CaseKind, d order.Duration) stretch {
			return stretch{kind: kind, limit: at.Add(time.Duration(d)), begun: known}
		}
		end := func() {
			next.end, next.told = at, known
			ws = append(ws, next)
		}
		switch {
		case f.Scan != nil && f.Scan.Kind == order.ScanPicked:
			end()
			next = after(order.NotPacked, p.Pack)
		case f.Scan != nil && f.Scan.Kind == order.ScanPacked:
			end()
			next = after(order.MissedHandoff, p.Handoff)
		case f.Event != nil:
			end()
			carried = true
			switch f.Event.Milestone {
			case order.Delivered:
				next = stretch{}
				if known.After(promise.told) {
					promise.told = known
				}
			case order.AttemptFailed:
				ws = append(ws, stretch{kind: order.FailedAttempt, limit: at.Add(-realDay), end: at, told: known, begun: known.Add(-realDay)}) // it should be there, at once
				next = after(order.Stalled, p.Movement)
			case order.OutForDelivery:
				next = after(order.Stalled, p.OutForDelivery)
			case order.ReadyForPickup:
				next = after(order.Stalled, p.Pickup)
			case order.InCustoms:
				next = after(order.Stalled, p.Customs)
			default:
				next = after(order.Stalled, p.Movement)
			}
			if eta := f.Event.ETA; eta.After(o.Create.PromisedAt) {
				promise.eta = eta
			}
		}
	}
	if next.kind == "" {
		return ws
	}
	if !o.Cancel.IsZero() {
		next.end, next.told = o.Cancel, o.Cancel
	}
	ws = append(ws, next)
	if carried { // and then it is given up
		ws = append(ws, stretch{kind: order.LostParcel, limit: next.limit.Add(time.Duration(p.Completed().Trace))})
	}
	return ws
}

// firstTold is when each fact was posted first, and its order existed; and since
// when each order does.
func firstTold(plan *Schedule) (told map[[2]int]time.Time, exists []time.Time) {
	told = make(map[[2]int]time.Time, plan.Counts.Facts)
	exists = make([]time.Time, len(plan.Orders))
	label := map[[2]string]time.Time{}
	for _, a := range plan.Actions {
		switch {
		case a.Kind == PostCreate && exists[a.Order].IsZero():
			exists[a.Order] = a.Due
		case a.Kind == PostFact && !a.Repeat:
			told[[2]int{a.Order, a.Fact}] = a.Due
			if f := plan.Orders[a.Order].Facts[a.Fact]; f.Scan != nil && f.Scan.Kind == order.ScanLabelled {
				label[[2]string{plan.Orders[a.Order].ID, f.Parcel}] = a.Due
			}
		}
	}
	for k, at := range told {
		o := &plan.Orders[k[0]]
		f := o.Facts[k[1]]
		at = later(at, exists[k[0]])
		if f.Event != nil { // the number must be known as well
			at = later(at, label[[2]string{o.ID, f.Parcel}])
		}
		told[k] = at
	}
	return told, exists
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// openedKinds are the kinds of all cases that an order had.
func openedKinds(v order.View) (kinds []order.CaseKind) {
	add := func(k order.CaseKind) {
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	for _, c := range v.Cases {
		add(c.Kind)
	}
	for _, d := range v.Decisions {
		add(d.Case.Kind)
	}
	return kinds
}

// printCases writes the table of cases.
func printCases(w io.Writer, counts []CaseCount) {
	fmt.Fprintln(w, "\nCases that the times of the data set and of its scans call for, and those that were opened, in orders:")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "%-16s\tboth\tneither\tonly called for\tonly opened\texplained\t\n", "")
	for _, c := range counts {
		explained := 0
		for _, n := range c.Why {
			explained += n
		}
		fmt.Fprintf(tw, "%-16s\t%d\t%d\t%d\t%d\t%d of %d\t\n", c.Kind, c.Both, c.Neither, c.Missing, c.Beyond, explained, c.Missing+c.Beyond)
	}
	tw.Flush()
	for _, c := range counts {
		for _, why := range []string{toldLate, neverSeen, byItsETA, atTheLimit} {
			if n := c.Why[why]; n > 0 {
				fmt.Fprintf(w, "  %s, %d: %s\n", c.Kind, n, why)
			}
		}
	}
}
