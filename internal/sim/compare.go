package sim

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/waybillhq/waybill/order"
)

// ErrDisagree says that the engine and the data set do not tell the same story.
var ErrDisagree = errors.New("the engine and the data set disagree")

// Answer is what the engine says about one planned order.
type Answer struct {
	// Listed is how often the list of orders has it.
	Listed int
	Found  bool
	View   order.View
	// ReadAt is when View was read.
	ReadAt time.Time
	// Timeline has the IDs of its facts, if Checked; Lag is how long it took at
	// most until the order knew one that had been received.
	Checked  bool
	Timeline []string
	Lag      time.Duration
	// Live is how the running workflow differs from the read model, if Asked.
	Asked bool
	Live  string
}

// Disagreement is one thing on which the two sides differ.
type Disagreement struct {
	Order  string
	What   string
	Engine string
	Data   string
}

// Totals are one side's account.
type Totals struct {
	Orders, Delivered, Cancelled, InFlight, Late int
	// Overdue orders are in flight past their promise.
	Overdue int
	Mean    time.Duration // placed → delivered, on the data set's clock
}

// Report is the result of a run.
type Report struct {
	Start  time.Time
	Day    time.Duration
	Store  string
	Counts Counts
	Odd    map[Oddity]int
	Tally  Tally
	Took   time.Duration

	Engine, Data  Totals
	Lost, Doubled int
	Agree         int         // orders that agree in everything
	Timelines     int         // orders whose timeline was checked fact by fact
	Live          int         // orders compared with their running workflow
	Cases         []CaseCount // nil: not compared
	Settled       bool
	Disagreements []Disagreement
}

// Err is ErrDisagree if anything does.
func (r *Report) Err() error {
	if len(r.Disagreements) > 0 {
		return fmt.Errorf("%w in %d points", ErrDisagree, len(r.Disagreements))
	}
	return nil
}

// slack is how near a promise must be to the reading for either answer to be
// right: its timer may be on its way.
const slack = 5 * time.Second

// Compare puts the engine's answers, one per planned order, beside the truth.
// It is pure. taken says which facts the server has said yes to.
func Compare(plan *Schedule, answers []Answer, taken func(order, fact int) bool) *Report {
	r := &Report{Start: plan.Clock.Start, Day: plan.Clock.Day, Store: plan.Store, Counts: plan.Counts, Odd: plan.Oddities}
	var engineSum, dataSum time.Duration
	for i := range plan.Orders {
		o, a := &plan.Orders[i], &answers[i]
		before := len(r.Disagreements)
		t := o.Truth
		r.Data.Orders++
		r.Data.count(t.Fate, t.Late)
		if t.Fate == Delivered {
			dataSum += t.Took
		}
		differ := func(what, engine, data string) {
			r.Disagreements = append(r.Disagreements, Disagreement{o.ID, what, engine, data})
		}
		if a.Listed > 1 {
			r.Doubled++
			differ("order", fmt.Sprintf("%d times in the list", a.Listed), "once")
		}
		if !a.Found || a.Listed == 0 {
			r.Lost++
			differ("order", "lost", "exists")
			if !a.Found {
				continue
			}
		}
		v := a.View
		r.Engine.Orders++
		r.Engine.count(fateOf(v.Status), v.Late && v.Status == order.StatusDelivered)
		if v.Status == order.StatusDelivered {
			engineSum += plan.Clock.Unspan(v.DeliveredAt.Sub(v.PlacedAt))
		}
		if fate := fateOf(v.Status); fate != t.Fate || v.Status != t.Status {
			differ("status", string(v.Status), string(t.Status))
		}
		same := func(what string, engine, data time.Time) {
			if !engine.Equal(data) {
				differ(what, stamp(engine), stamp(data))
			}
		}
		same("placed at", v.PlacedAt, t.PlacedAt)
		same("promised at", v.PromisedAt, t.Promised)
		same("delivered at", v.DeliveredAt, t.Delivered)
		if !t.Shipped.IsZero() {
			same("with the carrier at", possession(v), t.Shipped)
		}
		switch past := a.ReadAt.Sub(t.Promised); {
		case t.Fate == Cancelled:
			if v.Late {
				differ("late", "late", "cancelled")
			}
		case t.Fate == InFlight:
			// Not the data set's word but arithmetic: a promise has passed or not.
			if past > 0 {
				r.Data.Overdue++
			}
			if v.Late {
				r.Engine.Overdue++
			}
			if v.Late != (past > 0) && past.Abs() > slack {
				differ("late", yes(v.Late), yes(past > 0)+", in flight")
			}
		case v.Late != t.Late:
			differ("late", yes(v.Late), yes(t.Late))
		}
		if a.Checked {
			r.Timelines++
			r.compareTimeline(o, a.Timeline, func(fact int) bool { return taken(i, fact) })
		}
		if a.Asked {
			r.Live++
			if a.Live != "" {
				differ("read model", "the workflow says: "+a.Live, "the same")
			}
		}
		if len(r.Disagreements) == before {
			r.Agree++
		}
	}
	if r.Data.Delivered > 0 {
		r.Data.Mean = dataSum / time.Duration(r.Data.Delivered)
	}
	if r.Engine.Delivered > 0 {
		r.Engine.Mean = engineSum / time.Duration(r.Engine.Delivered)
	}
	return r
}

// compareTimeline: each taken fact stands there exactly once, and nothing else does.
func (r *Report) compareTimeline(o *PlannedOrder, ids []string, taken func(fact int) bool) {
	times := make(map[string]int, len(ids))
	for _, id := range ids {
		times[id]++
	}
	doubled := false
	for k, f := range o.Facts {
		id := f.ID()
		n := times[id]
		delete(times, id)
		want := 0
		if taken(k) {
			want = 1
		}
		if n != want {
			doubled = doubled || n > 1
			r.Disagreements = append(r.Disagreements, Disagreement{o.ID, "event " + id, fmt.Sprintf("%d times in the timeline", n), fmt.Sprint(want)})
		}
	}
	for _, id := range ids { // in their order, not the map's
		if n := times[id]; n > 0 {
			delete(times, id)
			r.Disagreements = append(r.Disagreements, Disagreement{o.ID, "event " + id, fmt.Sprintf("%d times in the timeline", n), "not of this order"})
		}
	}
	if doubled {
		r.Doubled++
	}
}

func (t *Totals) count(f Fate, late bool) {
	switch f {
	case Delivered:
		t.Delivered++
		if late {
			t.Late++
		}
	case Cancelled:
		t.Cancelled++
	case InFlight:
		t.InFlight++
	}
}

// fateOf is the engine's status in the data set's coarser words.
func fateOf(s order.Status) Fate {
	switch s {
	case order.StatusDelivered:
		return Delivered
	case order.StatusCancelled:
		return Cancelled
	case order.StatusReceived, order.StatusPreparing, order.StatusPartiallyShipped, order.StatusShipped, order.StatusPartiallyDelivered,
		order.StatusReturning, order.StatusReturned, order.StatusLost:
		return InFlight
	}
	return InFlight
}

// possession is when a carrier first had any parcel.
func possession(v order.View) time.Time {
	var at time.Time
	for _, p := range v.Parcels {
		if !p.PossessionAt.IsZero() && (at.IsZero() || p.PossessionAt.Before(at)) {
			at = p.PossessionAt
		}
	}
	return at
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

func yes(late bool) string {
	if late {
		return "late"
	}
	return "on time"
}

// Print writes the report as people read it.
func (r *Report) Print(w io.Writer) {
	c, t := r.Counts, r.Tally
	fmt.Fprintf(w, "\nPosted in %s (a day is %s): %d orders (%d split), %d events of which each once %d, %d cancellations.\n",
		r.Took.Round(time.Second), r.Day, t.Creates, c.Split, t.Posted, c.Facts, t.Cancels)
	fmt.Fprintf(w, "Planned: %d sent again, %d held back, %d overtaken, %d orphans, %d orders asked for again.\n", c.Repeats, c.Held, c.Overtaken, c.Orphans, c.CreatesAgain)
	fmt.Fprintf(w, "Answered: %d accepted, %d orphans, %d already there, %d rejected; repeats: %d duplicates. %d calls, %d tried again",
		t.Accepted, t.Orphans, t.AlreadyThere, t.Rejected, t.Duplicates, t.Calls, t.Retries)
	if t.Behind > 0 {
		fmt.Fprintf(w, ", at most %s behind", t.Behind.Round(time.Millisecond))
	}
	fmt.Fprintln(w, ".")
	for _, o := range []Oddity{BeforeHandover, BeforeApproval, NoApproval, NoHandover, NoDelivery, NoItems} {
		if n := r.Odd[o]; n > 0 {
			fmt.Fprintf(w, "Odd in the data: %d %s.\n", n, o)
		}
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	row := func(name string, engine, data any) {
		mark := "ok"
		if fmt.Sprint(engine) != fmt.Sprint(data) {
			mark = "DIFFERS"
		}
		fmt.Fprintf(tw, "%-32s\t%v\t%v\t%s\t\n", name, engine, data, mark)
	}
	fmt.Fprintf(tw, "%-32s\tengine\tdata set\t\t\n", "")
	e, d := r.Engine, r.Data
	row("orders", e.Orders, d.Orders)
	row("delivered", e.Delivered, d.Delivered)
	row("cancelled", e.Cancelled, d.Cancelled)
	row("in flight", e.InFlight, d.InFlight)
	row("late against the promise", e.Late, d.Late)
	row("in flight past the promise", e.Overdue, d.Overdue)
	row("placed to delivered, mean days", days(e.Mean), days(d.Mean))
	row("lost", r.Lost, 0)
	row("doubled", r.Doubled, 0)
	tw.Flush()
	fmt.Fprintf(w, "\n%d of %d orders agree in everything; %d timelines checked event by event; %d orders compared with their running workflow.\n",
		r.Agree, d.Orders, r.Timelines, r.Live)
	if r.Cases != nil {
		printCases(w, r.Cases)
	}
	if !r.Settled {
		fmt.Fprintln(w, "The engine had not settled when the waiting time was over.")
	}
	const show = 10
	for i, x := range r.Disagreements {
		if i == show {
			fmt.Fprintf(w, "  and %d more\n", len(r.Disagreements)-show)
			break
		}
		fmt.Fprintf(w, "  %s  %s: engine %s, data set %s\n", x.Order, x.What, x.Engine, x.Data)
	}
}

func days(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(realDay)) }
