package sim

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"time"
)

// OlistOptions say which orders are replayed, how fast and where.
type OlistOptions struct {
	Dir           string        // of the data set
	Offset, Limit int           // in file order; a limit of 0 means all
	Day           time.Duration // what a day becomes
	Seed          uint64
	Start         time.Time // of the run's clock; zero: in two seconds
	// Resume allows a Start in the past: an interrupted run is carried on.
	Resume bool
	// Batch posts as fast as is taken. The run's clock then ends now, and all
	// of it lies in the past.
	Batch    bool
	BaseURL  string
	Keys     Keys
	Store    string
	Carriers []string // as the API names them; a parcel's is chosen by the seed

	Concurrency int
	Settle      time.Duration // how long to wait for the engine's answers at the end
	Patience    time.Duration // how long to ride out a server that is away
	// Cases compares the cases that were opened as well. That means something only
	// if the product was up all the time and kept up with the clock.
	Cases    bool
	Out      io.Writer
	Progress bool // rewrite one line, for a terminal
}

func (o OlistOptions) withDefaults() OlistOptions {
	if o.Day == 0 {
		o.Day = time.Second
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Store == "" {
		o.Store = "olist"
	}
	if len(o.Carriers) == 0 {
		o.Carriers = []string{"sim", "sim-express"}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 16
	}
	if o.Settle == 0 {
		o.Settle = 3 * time.Minute
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Minute
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// UsageError is a request that could not have worked.
type UsageError struct{ Reason string }

func (e *UsageError) Error() string { return e.Reason }

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// MinDay: below it, a second of the data set is lost to the microseconds that
// times are kept in, and orders close before anybody has seen them.
const MinDay = 10 * time.Millisecond

var storeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (o OlistOptions) validate(now time.Time) error {
	switch {
	case o.Day < MinDay:
		return usage("a day cannot be shorter than %s", MinDay)
	case o.Day > realDay:
		return usage("a day cannot be longer than a day")
	case o.Limit < 0 || o.Offset < 0:
		return usage("limit and offset cannot be negative")
	case !storeName.MatchString(o.Store):
		return usage("store %q must be 1 to 32 of a-z, 0-9 and -", o.Store)
	case o.Resume && o.Start.IsZero():
		return usage("--resume needs the --start that the interrupted run printed")
	case !o.Resume && !o.Start.IsZero() && o.Start.Before(now.Add(-time.Minute)):
		return usage("--start lies in the past: add --resume to carry an interrupted run on")
	}
	return nil
}

// Olist replays real orders and compares what the engine says with what the
// data set says. The error is ErrDisagree if they differ.
func Olist(ctx context.Context, o OlistOptions) (*Report, error) {
	o = o.withDefaults()
	if err := o.validate(time.Now()); err != nil {
		return nil, err
	}
	client, err := NewClient(o.BaseURL, o.Keys)
	if err != nil {
		return nil, &UsageError{err.Error()}
	}
	client.Patience = o.Patience
	sales, err := LoadOlist(o.Dir, o.Offset, o.Limit)
	if err != nil {
		return nil, err
	}
	if len(sales) == 0 {
		return nil, usage("the data set has no orders after the first %d", o.Offset)
	}
	if !o.Resume { // a resumed run may well begin while the server is still coming back
		if err := client.Ping(ctx); err != nil {
			return nil, err
		}
	}
	plan := o.plan(sales, time.Now())
	if end := plan.last(); o.Batch && end.After(time.Now()) {
		return nil, usage("with --batch all of the run must lie in the past, and this --start makes it end at %s", end.Format(time.RFC3339))
	}
	o.announce(plan)
	if err := o.prepare(ctx, client, plan); err != nil {
		return nil, err
	}

	began := time.Now()
	run := newRunner(client, plan, o.Batch, o.Concurrency)
	watching, stop := context.WithCancel(ctx)
	waitWatch := run.watch(watching, o.Out, o.Progress)
	err = run.run(ctx)
	stop()
	waitWatch()
	if err != nil {
		return nil, err
	}
	took := time.Since(began)

	fmt.Fprintln(o.Out, "All posted. Waiting until the engine has settled...")
	var said time.Time
	settled, err := waitSettled(ctx, client, plan, o.Settle, func(waiting int) {
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(o.Out, "%d orders do not say yet what they will have to say\n", waiting)
		}
	})
	if err != nil {
		return nil, err
	}
	answers, err := readBack(ctx, client, plan, o.Concurrency)
	if err != nil {
		return nil, err
	}
	report := Compare(plan, answers, run.taken)
	report.Tally, report.Took, report.Settled = run.Tally, took, settled
	report.Disagreements = append(report.Disagreements, run.rejected...)
	if o.Cases && !o.Batch && !o.Resume && o.Day >= near {
		counts, differ := compareCases(plan, answers, run.Tally.Behind)
		report.Cases, report.Disagreements = counts, append(report.Disagreements, differ...)
	}
	report.Print(o.Out)
	return report, report.Err()
}

// taken says whether the server has said yes to a fact.
func (r *runner) taken(order, fact int) bool {
	switch r.outcome[r.first[order]+fact] {
	case wasAccepted, wasOrphan, wasThere:
		return true
	case unanswered, wasRejected:
		return false
	}
	return false
}

func (o OlistOptions) plan(sales []Sale, now time.Time) *Schedule {
	start := o.Start
	if start.IsZero() {
		start = now.Add(2 * time.Second)
	}
	options := PlanOptions{Store: o.Store, Seed: o.Seed, Day: o.Day, Start: start, Carriers: o.Carriers}
	plan := Plan(sales, options)
	if o.Batch && o.Start.IsZero() {
		options.Start = now.Add(-plan.last().Sub(plan.Clock.Start) - time.Second)
		plan = Plan(sales, options)
	}
	return &plan
}

func (o OlistOptions) announce(plan *Schedule) {
	c := plan.Counts
	last := plan.last()
	fmt.Fprintf(o.Out, "%d orders of store %s, %d events (%d with repeats), %s to %s in %s.\n", c.Orders, o.Store, c.Facts, c.Posts,
		plan.Clock.Earliest.Format(time.DateOnly), plan.Clock.Back(last).Format(time.DateOnly), last.Sub(plan.Clock.Start).Round(time.Second))
	batch := ""
	if o.Batch {
		batch = " --batch"
	}
	fmt.Fprintf(o.Out, "If this is interrupted, carry it on with:\n  --resume --start %s --seed %d --day %s --limit %d --offset %d --store %s%s\n",
		plan.Clock.Start.Format(time.RFC3339Nano), o.Seed, o.Day, o.Limit, o.Offset, o.Store, batch)
}

// prepare makes the store and the policy that the orders name.
func (o OlistOptions) prepare(ctx context.Context, c *Client, plan *Schedule) error {
	if err := c.PutStore(ctx, plan.Store, storeRequest{Name: "Olist (replay)", BrandColor: "#0a4ee4", SupportEmail: "olist@example.com"}); err != nil {
		return err
	}
	return c.PutPolicy(ctx, plan.Policy)
}
