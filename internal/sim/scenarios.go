package sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/waybillhq/waybill/order"
)

// ScenarioOptions say where the scenarios play, and which.
type ScenarioOptions struct {
	BaseURL string
	Keys    Keys
	Run     string // names what this run makes; empty: from the clock
	Only    string // part of a scenario's name; empty: all
	// Patience is how long one step is waited for.
	Patience time.Duration
	Out      io.Writer
}

// ScenarioResult is how one scenario ended.
type ScenarioResult struct {
	Name, Want, Got string
	Took            time.Duration
}

// scenario is one branch of an order's life, played against a running product.
type scenario struct {
	name string
	want string // how the order ends, as ending writes it
	// policy shortens the waits that the branch is about; all others are long.
	policy func(*order.Policy)
	order  func(*OrderRequest)
	play   func(*stage)
}

// Scenarios plays every branch of an order's life, all at once, and prints how
// each ended beside how it should. The error is ErrDisagree if any differs.
func Scenarios(ctx context.Context, o ScenarioOptions) ([]ScenarioResult, error) {
	if o.Run == "" {
		o.Run = time.Now().UTC().Format("0102150405")
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	client, err := NewClient(o.BaseURL, o.Keys)
	if err != nil {
		return nil, &UsageError{err.Error()}
	}
	client.Patience = o.Patience
	if err := client.Ping(ctx); err != nil {
		return nil, err
	}
	if err := client.PutStore(ctx, scenarioStore, storeRequest{Name: "Scenarios", BrandColor: "#7a1f3d"}); err != nil {
		return nil, err
	}
	second, err := client.as(ctx, "scenarios: a second person", roleSupport)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool { return !strings.Contains(s.name, o.Only) })
	if len(list) == 0 {
		return nil, usage("no scenario has %q in its name", o.Only)
	}
	results := make([]ScenarioResult, len(list))
	var all sync.WaitGroup
	for i, s := range list {
		all.Go(func() {
			st := &stage{ctx: ctx, client: client, second: second, patience: o.Patience, began: time.Now().UTC().Truncate(time.Millisecond),
				name: fmt.Sprintf("%s-%02d", o.Run, slices.IndexFunc(scenarios, func(x scenario) bool { return x.name == s.name }))}
			results[i] = ScenarioResult{Name: s.name, Want: s.want, Got: st.perform(s)}
			results[i].Took = time.Since(st.began)
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	differ := 0
	tw := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "scenario\texpected end\tactual end\ttook\t")
	for _, r := range results {
		got := r.Got
		if got == r.Want {
			got = "the same"
		} else {
			differ++
			got = "DIFFERS: " + got
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.1f s\t\n", r.Name, r.Want, got, r.Took.Seconds())
	}
	if err := tw.Flush(); err != nil {
		return results, err
	}
	fmt.Fprintf(o.Out, "\n%d of %d scenarios end as they should.\n", len(list)-differ, len(list))
	if differ > 0 {
		return results, fmt.Errorf("%d scenarios ended otherwise", differ)
	}
	return results, nil
}

const (
	scenarioStore   = "scenarios"
	scenarioCarrier = "sim"
)

// as makes a key of its own, so that somebody else acts.
func (c *Client) as(ctx context.Context, name, role string) (*Client, error) {
	var made struct{ Key string }
	if err := c.do(ctx, roleAdmin, http.MethodPost, "/v1/keys", "", map[string]any{"name": name, "scopes": []string{role}}, &made); err != nil {
		return nil, err
	}
	return &Client{base: c.base, keys: Keys{role: made.Key}, http: c.http, pause: c.pause, Patience: c.Patience}, nil
}

// stage is where one scenario plays: its order, and what went wrong first. After
// that nothing more happens.
type stage struct {
	ctx            context.Context
	client, second *Client
	patience       time.Duration
	name           string // of the run and the scenario
	began          time.Time
	n              int // events so far
	err            error
	view           order.View
}

// perform plays a scenario and says how its order ended.
func (st *stage) perform(s scenario) string {
	p := order.DefaultPolicy()
	p.Name, p.Version = "scenario-"+st.name[strings.LastIndex(st.name, "-")+1:], 0
	if s.policy != nil {
		s.policy(&p)
	}
	if st.err = st.client.PutPolicy(st.ctx, p); st.err == nil {
		st.create(func(r *OrderRequest) {
			r.Policy = p.Name
			if s.order != nil {
				s.order(r)
			}
		})
		s.play(st)
	}
	if st.err != nil {
		return st.err.Error() + "; it is " + ending(st.view)
	}
	return ending(st.view)
}

// id is the order's ID.
func (st *stage) id() string { return scenarioStore + ":" + st.name }

// tracking is the number of a parcel. No other order has it.
func (st *stage) tracking(parcel string) string {
	return strings.ToUpper("SC" + st.name + "-" + parcel)
}

func (st *stage) create(change func(*OrderRequest)) {
	r := OrderRequest{Store: scenarioStore, Number: st.name, Class: order.Routine, PlacedAt: st.began, Currency: "EUR",
		Customer: Buyer{Ref: "scenario", Name: "A. Buyer", Language: "en"}, ShipTo: Address{Name: "A. Buyer", Street: "Wall 1", City: "Bremen", PostalCode: "28195", Country: "DE"},
		Lines: []order.Line{{SKU: "lamp", Quantity: 1, UnitAmount: 40_00}}}
	change(&r)
	if st.err == nil {
		st.view, st.err = st.client.CreateOrder(st.ctx, r)
	}
}

// now is a moment after everything that happened before.
func (st *stage) now() time.Time {
	st.n++
	at := time.Now().UTC().Truncate(time.Millisecond)
	if least := st.began.Add(time.Duration(st.n) * time.Millisecond); at.Before(least) {
		at = least
	}
	return at
}

func (st *stage) scan(parcel string, kinds ...order.ScanKind) {
	var scans []ScanItem
	for _, k := range kinds {
		s := ScanItem{Kind: k, Order: st.id(), Parcel: parcel, OccurredAt: st.now(), Location: "Dock 1"}
		s.ID = fmt.Sprintf("%s-%d", st.name, st.n)
		if k == order.ScanLabelled {
			s.Carrier, s.Tracking = scenarioCarrier, st.tracking(parcel)
		}
		scans = append(scans, s)
	}
	st.posted(func() ([]itemResult, error) { return st.client.PostScans(st.ctx, scans) })
}

// prepare takes a parcel from the shelf to the dock.
func (st *stage) prepare(parcel string) {
	st.scan(parcel, order.ScanPicked, order.ScanPacked, order.ScanLabelled, order.ScanHandedOver)
}

// ship is prepare, and the carrier has it.
func (st *stage) ship(parcel string) {
	st.prepare(parcel)
	st.carry(parcel, order.Accepted)
}

// carry lets the carrier report milestones, one after the other.
func (st *stage) carry(parcel string, milestones ...order.Milestone) {
	for _, m := range milestones {
		st.says(parcel, CarrierItem{Milestone: m})
	}
}

// trouble lets the carrier name a reason on the way.
func (st *stage) trouble(parcel string, m order.Milestone, bucket string) {
	st.says(parcel, CarrierItem{Milestone: m, Bucket: bucket})
}

func (st *stage) says(parcel string, e CarrierItem) {
	e.OccurredAt, e.Physical = st.now(), physical(e.Milestone)
	e.ID, e.Tracking, e.Location = fmt.Sprintf("%s-%d", st.name, st.n), st.tracking(parcel), "Kassel"
	st.posted(func() ([]itemResult, error) {
		return st.client.PostEvents(st.ctx, scenarioCarrier, []CarrierItem{e})
	})
}

func (st *stage) posted(post func() ([]itemResult, error)) {
	if st.err != nil {
		return
	}
	results, err := post()
	for _, r := range results {
		if r.Result == resultRejected {
			err = fmt.Errorf("event %s was rejected: %s %s", r.ID, r.Field, r.Reason)
		}
	}
	st.err = err
}

// until waits for the order to be as wanted.
func (st *stage) until(what string, is func(order.View) bool) {
	deadline := time.Now().Add(st.patience)
	for st.err == nil {
		if st.view, st.err = st.client.Order(st.ctx, st.id(), false); st.err != nil || is(st.view) {
			return
		}
		if time.Now().After(deadline) {
			st.err = fmt.Errorf("waited %s for %s", st.patience, what)
			return
		}
		st.err = sleep(st.ctx, 100*time.Millisecond)
	}
}

func (st *stage) untilStatus(s order.Status) {
	st.until(string(s), func(v order.View) bool { return v.Status == s })
}

func (st *stage) untilMilestone(parcel string, m order.Milestone) {
	st.until(parcel+" "+string(m), func(v order.View) bool {
		return slices.ContainsFunc(v.Parcels, func(p order.ParcelView) bool { return p.ID == parcel && p.Milestone == m })
	})
}

// opened waits for a case and returns it.
func (st *stage) opened(kind order.CaseKind) (c order.CaseView) {
	st.until("a case "+string(kind), func(v order.View) bool {
		i := slices.IndexFunc(v.Cases, func(c order.CaseView) bool { return c.Kind == kind })
		if i >= 0 {
			c = v.Cases[i]
		}
		return i >= 0
	})
	return c
}

// calm waits until no case is open.
func (st *stage) calm() {
	st.until("no case", func(v order.View) bool { return len(v.Cases) == 0 })
}

// resolve waits for a case and resolves it.
func (st *stage) resolve(kind order.CaseKind, how order.Resolution) {
	c := st.opened(kind)
	body := map[string]any{"resolution": how, "reason": "as the scenario says"}
	if how.NeedsUntil() {
		body["until"] = time.Now().Add(time.Hour).UTC()
	}
	st.ask("/cases/"+url.PathEscape(c.ID)+"/resolve", body)
}

// ask puts a request to the order, as support.
func (st *stage) ask(path string, body map[string]any) { st.askAs(st.client, roleSupport, path, body) }

func (st *stage) askAs(c *Client, role, path string, body map[string]any) {
	if st.err != nil {
		return
	}
	st.n++
	method := http.MethodPost
	if strings.HasPrefix(path, "/parcels/") && strings.Count(path, "/") == 2 {
		method = http.MethodPut
	}
	st.err = c.do(st.ctx, role, method, orderPath(st.id())+path, keyFor(st.name, fmt.Sprint(st.n)), body, nil)
}

// refused puts a request that must not be granted.
func (st *stage) refused(path string, body map[string]any) {
	if st.err != nil {
		return
	}
	st.ask(path, body)
	switch {
	case isStatus(st.err, http.StatusConflict), isStatus(st.err, http.StatusUnprocessableEntity):
		st.err = nil
	case st.err == nil:
		st.err = fmt.Errorf("%s was granted", path)
	}
}

// remedy waits for a refund, replacement or claim in a state.
func (st *stage) remedy(kind order.RemedyKind, state order.RemedyState) (r order.Remedy) {
	st.until(fmt.Sprintf("a %s %s", kind, state), func(v order.View) bool {
		i := slices.IndexFunc(v.Remedies, func(r order.Remedy) bool { return r.Kind == kind && r.State == state })
		if i >= 0 {
			r = v.Remedies[i]
		}
		return i >= 0
	})
	return r
}

// confirm records that the shop, or the carrier, has paid.
func (st *stage) confirm(kind order.RemedyKind) {
	r := st.remedy(kind, order.Requested)
	st.ask("/remedies/"+url.PathEscape(r.ID)+"/end", map[string]any{"confirmed": true, "reference": "sc-1", "reason": "paid"})
	st.remedy(kind, order.Confirmed)
}

// ending is how an order stands, in a line: its status, how its cases ended, what
// is open, what was made good, what came back.
func ending(v order.View) string {
	parts := []string{string(v.Status)}
	for _, p := range v.Parcels {
		if len(v.Parcels) > 1 || p.Milestone == order.Destroyed {
			parts = append(parts, p.ID+" "+string(p.Milestone))
		}
	}
	flag := func(is bool, word string) {
		if is {
			parts = append(parts, word)
		}
	}
	flag(v.Late, "late")
	flag(v.OnHold, "on hold")
	for _, d := range slices.Backward(v.Decisions) {
		how := "by itself"
		if d.Resolution != "" {
			how = "→ " + string(d.Resolution)
		}
		parts = append(parts, string(d.Case.Kind)+" "+how)
	}
	for _, c := range v.Cases {
		parts = append(parts, string(c.Kind)+" open")
	}
	for _, r := range v.Remedies {
		parts = append(parts, string(r.Kind)+" "+string(r.State))
	}
	for _, r := range v.Returns {
		parts = append(parts, r.ID+" "+string(r.State))
	}
	flag(v.Closed, "closed")
	return strings.Join(parts, ", ")
}
