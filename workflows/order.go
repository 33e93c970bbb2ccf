package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/order"
)

// DefaultMaxEvents ends a run long before the server would suggest it: replay
// stays quick, and a run stays readable.
const DefaultMaxEvents = 2000

// Order is the life of one order, from checkout until it is closed.
func Order(ctx workflow.Context, in Input) error {
	sh := &shell{maxEvents: cmp.Or(in.MaxEvents, DefaultMaxEvents)}
	// One gate per run: a run keeps the rules that it began with, the next one
	// takes the newest.
	rules, risen := in.Rules, false
	switch {
	case rules == 0:
		rules = int(workflow.GetVersion(ctx, "rules", order.MinRules, order.CurrentRules))
	case rules < order.MinRules || rules > order.CurrentRules:
		// The task fails and is tried again, by a worker that is new enough.
		panic(fmt.Sprintf("the order follows rules %d; this worker knows %d to %d", rules, order.MinRules, order.CurrentRules))
	}
	switch {
	case in.State != nil:
		sh.st = *in.State
		risen = sh.st.Rules < rules
		sh.st.Rules = rules
		sh.projected = sh.st.Seq
	case in.Spec != nil:
		sh.st = order.New(*in.Spec, rules, workflow.Now(ctx))
	case in.Reopen != "":
		sh.reading = true
	default:
		return temporal.NewNonRetryableApplicationError("an order needs a spec, a state or an ID", "BadInput", nil)
	}
	sh.shown = attributesOf(&sh.st)
	for _, name := range []string{Scans, CarrierEvents, Facts} {
		sh.signals = append(sh.signals, workflow.GetSignalChannel(ctx, name))
	}
	sh.wake = workflow.NewBufferedChannel(ctx, 1)
	if err := sh.handlers(ctx); err != nil {
		return err
	}
	switch {
	case risen && rules >= quietRules:
		sh.apply(ctx, order.Tick{Meta: order.Meta{By: order.Engine}}) // what newer rules make of it is shown at once
	case sh.reading:
		if err := sh.read(ctx, in.Reopen, rules); err != nil {
			return err
		}
	}
	return sh.run(ctx)
}

// shell is what one run holds besides the order's state.
type shell struct {
	st        order.State
	reading   bool // the order had closed, and its state is not here yet
	maxEvents int
	signals   []workflow.ReceiveChannel
	told      []order.Event    // facts that came by update, not yet applied
	wake      workflow.Channel // an update changed the state, or was refused late

	timer       workflow.Future
	timerAt     time.Time
	cancelTimer workflow.CancelFunc

	started   []startedCommand
	projected int64           // the sequence number that the read model has
	remote    workflow.Future // a projection that outgrew its local budget
	remoteSeq int64
	shown     attributes
}

type startedCommand struct {
	id     string
	answer workflow.Future
}

// read takes the order up where its last run closed it. What it told until then is
// written. The request or the facts with which this run was started wait for it;
// should they come to nothing, the run ends again.
func (sh *shell) read(ctx workflow.Context, orderID string, rules int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
		Summary:             "the order had closed; it goes on from here",
	})
	if err := workflow.ExecuteActivity(ctx, activities.ReadOrder, orderID).Get(ctx, &sh.st); err != nil {
		return err
	}
	sh.st.Rules, sh.projected = rules, sh.st.Seq
	sh.st.DropTold(sh.st.Seq)
	sh.shown, sh.reading = attributes{}, false
	return nil
}

func (sh *shell) run(ctx workflow.Context) error {
	for {
		sh.drain(ctx)
		sh.dispatch(ctx)
		sh.project(ctx)
		sh.show(ctx)
		if sh.quiet(ctx) {
			if sh.st.Closed {
				return nil
			}
			if sh.full(ctx) {
				return workflow.NewContinueAsNewError(ctx, Order, Input{State: &sh.st, MaxEvents: sh.maxEvents})
			}
		}
		sh.arm(ctx)
		sh.wait(ctx)
	}
}

// quiet says that nothing accepted could be lost by leaving now. It is the only
// door: both ends of a run pass through it, right after a drain.
func (sh *shell) quiet(ctx workflow.Context) bool {
	for _, ch := range sh.signals {
		if ch.Len() > 0 {
			return false
		}
	}
	return len(sh.told) == 0 && sh.remote == nil && sh.projected == sh.st.Seq && workflow.AllHandlersFinished(ctx)
}

// full says that the next run should take over.
func (sh *shell) full(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= sh.maxEvents
}

// drain applies every fact that waits, in the order in which they happened, and then the clock.
func (sh *shell) drain(ctx workflow.Context) {
	events := sh.told
	sh.told = nil
	for _, ch := range sh.signals {
		var raw converter.RawValue // never dropped by the SDK, whatever is in it
		for ch.ReceiveAsync(&raw) {
			events = append(events, unpack(raw.Payload().GetData())...)
		}
	}
	slices.SortStableFunc(events, order.Compare)
	for _, e := range events {
		sh.apply(ctx, e)
	}
	if w, ok := order.NextDeadline(&sh.st); ok && !w.Until.After(workflow.Now(ctx)) {
		sh.apply(ctx, order.Tick{Meta: order.Meta{By: order.Engine}})
	}
}

// apply stamps an event with the workflow's clock and folds it in. The commands
// that it gives rise to are in the state; dispatch starts them.
func (sh *shell) apply(ctx workflow.Context, e order.Event) {
	order.Apply(&sh.st, order.Stamp(e, workflow.Now(ctx)))
}

// dispatch starts every pending command that this run has not started. After a
// continue-as-new that is all of them: they are idempotent by ID.
func (sh *shell) dispatch(ctx workflow.Context) {
	for _, c := range sh.st.Pending {
		if slices.ContainsFunc(sh.started, func(s startedCommand) bool { return s.id == c.ID }) {
			continue
		}
		switch c.Kind {
		case order.CheckCarrier:
			ctx := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
				StartToCloseTimeout:    15 * time.Second,
				ScheduleToCloseTimeout: max(time.Second, time.Duration(sh.st.Spec.Policy.CheckAnswer)),
				RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 2 * time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute},
				Summary:                clip(fmt.Sprintf("where is parcel %s (%s %s)?", c.Parcel, c.Carrier, c.Tracking)),
			})
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activities.AskCarrier,
				activities.CarrierQuestion{OrderID: sh.st.Spec.ID, Command: c})})
		case order.RequestRemedy:
			r, ok := sh.st.Remedy(c.ID)
			if !ok {
				continue
			}
			// It is asked for until the wait for it is over; then a person decides.
			ctx := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
				StartToCloseTimeout:    20 * time.Second,
				ScheduleToCloseTimeout: max(time.Minute, time.Duration(sh.st.Spec.Policy.Completed().RemedyAnswer)),
				RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Minute},
				Summary:                clip(fmt.Sprintf("%s for parcel %s, asked of the storefront", r.Kind, r.Parcel)),
			})
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activities.RequestRemedy,
				activities.RemedyRequest{OrderID: sh.st.Spec.ID, Store: sh.st.Spec.Store, Number: sh.st.Spec.Number, Remedy: r})})
		case order.InstructCarrier:
			i, ok := sh.st.Instruction(c.ID)
			if !ok {
				continue
			}
			ctx := sh.askingCarrier(ctx, fmt.Sprintf("%s of parcel %s, told to %s (%s)", i.Kind, c.Parcel, c.Carrier, c.Tracking))
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activities.InstructCarrier,
				activities.CarrierInstruction{OrderID: sh.st.Spec.ID, Command: c, Instruction: i})})
		case order.MakeReturnLabel, order.BookCarrierPickup:
			r, b, ok := sh.st.Booking(c.ID)
			if !ok {
				continue
			}
			activity := activities.MakeReturnLabel
			if c.Kind == order.BookCarrierPickup {
				activity = activities.BookPickup
			}
			ctx := sh.askingCarrier(ctx, fmt.Sprintf("%s of return %s, asked of %s", b.Kind, r.ID, b.Carrier))
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activity, sh.booking(c, r, b))})
		case order.VoidCarrierBooking:
			r, b, ok := sh.st.Voiding(c.ID)
			if !ok {
				continue
			}
			ctx := sh.askingCarrier(ctx, fmt.Sprintf("%s of return %s, to be voided by %s", b.Kind, r.ID, b.Carrier))
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activities.VoidBooking, sh.booking(c, r, b))})
		case order.FetchProof:
			ctx := sh.askingCarrier(ctx, fmt.Sprintf("proof of delivery of parcel %s (%s %s)", c.Parcel, c.Carrier, c.Tracking))
			sh.started = append(sh.started, startedCommand{c.ID, workflow.ExecuteActivity(ctx, activities.FetchProof,
				activities.CarrierQuestion{OrderID: sh.st.Spec.ID, Command: c})})
		}
	}
}

// booking is what a carrier is asked to make.
func (sh *shell) booking(c order.Command, r order.Return, b order.Booking) activities.BookingRequest {
	q := activities.BookingRequest{OrderID: sh.st.Spec.ID, Store: sh.st.Spec.Store, Return: r.ID, Command: c, Booking: b, Package: sh.st.PackageOf(&r), AddressVersion: sh.st.AddressVersion}
	for _, o := range r.Bookings {
		if o.Kind == order.BookLabel && o.State == order.BookingMade && o.Carrier == b.Carrier {
			q.LabelReference = o.Reference
		}
	}
	return q
}

// askingCarrier lets an activity ask a carrier until the policy's carrier_answer
// is over; then a person goes on.
func (sh *shell) askingCarrier(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    30 * time.Second,
		ScheduleToCloseTimeout: max(time.Minute, time.Duration(sh.st.Spec.Policy.Completed().CarrierAnswer)),
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
		Summary:                clip(summary),
	})
}

// project brings the read model up to the state: by a local activity, which
// costs one event, and when PostgreSQL is away by a remote one, which waits for
// it without holding the workflow task. One is under way at a time.
func (sh *shell) project(ctx workflow.Context) {
	if sh.remote != nil || sh.projected == sh.st.Seq {
		return
	}
	seq, snapshot := sh.st.Seq, sh.st.Clone()
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 5 * time.Second,
		StartToCloseTimeout:    3 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Second},
		Summary:                clip(headline(&sh.st)),
	})
	if err := workflow.ExecuteLocalActivity(local, activities.ProjectOrder, snapshot).Get(ctx, nil); err == nil {
		sh.wrote(seq)
		return
	}
	remote := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
		Summary:             "the read model could not be written in time; trying until it can",
	})
	sh.remote, sh.remoteSeq = workflow.ExecuteActivity(remote, activities.ProjectOrder, snapshot), seq
}

func (sh *shell) wrote(seq int64) {
	sh.projected = seq
	sh.st.DropTold(seq)
}

// arm holds one timer for the next deadline. A deadline that moved later leaves
// the timer to fire early, which is cheaper than cancelling it at every scan.
func (sh *shell) arm(ctx workflow.Context) {
	next, ok := order.NextDeadline(&sh.st)
	if sh.timer != nil && ok && !next.Until.Before(sh.timerAt) {
		return
	}
	if sh.timer != nil {
		sh.cancelTimer()
		sh.timer = nil
	}
	if !ok {
		return
	}
	// Whole milliseconds, rounded up, so that it never fires just before the end.
	d := next.Until.Sub(workflow.Now(ctx)).Truncate(time.Millisecond) + time.Millisecond
	timerCtx, cancel := workflow.WithCancel(ctx)
	sh.timer = workflow.NewTimerWithOptions(timerCtx, max(d, time.Millisecond), workflow.TimerOptions{Summary: clip(fmt.Sprintf("%s until %s; then %s", label(next), next.Until.UTC().Format("Mon 2 Jan 15:04 UTC"), next.Then))})
	sh.timerAt, sh.cancelTimer = next.Until, cancel
}

// wait sleeps until something may have happened. What it was is found by drain.
func (sh *shell) wait(ctx workflow.Context) {
	sel := workflow.NewSelector(ctx)
	for _, ch := range sh.signals {
		sel.AddReceive(ch, func(workflow.ReceiveChannel, bool) {})
	}
	sel.AddReceive(sh.wake, func(ch workflow.ReceiveChannel, _ bool) { ch.ReceiveAsync(nil) })
	if sh.timer != nil {
		sel.AddFuture(sh.timer, func(workflow.Future) { sh.timer = nil })
	}
	for _, s := range sh.started {
		sel.AddFuture(s.answer, func(f workflow.Future) { sh.answered(ctx, s.id, f) })
	}
	if sh.remote != nil {
		sel.AddFuture(sh.remote, func(f workflow.Future) {
			if f.Get(ctx, nil) == nil {
				sh.wrote(sh.remoteSeq)
			}
			sh.remote = nil
		})
	}
	sel.Select(ctx)
}

// answered hands a command's result to the order.
func (sh *shell) answered(ctx workflow.Context, id string, f workflow.Future) {
	sh.started = slices.DeleteFunc(sh.started, func(s startedCommand) bool { return s.id == id })
	// Every activity's answer is one of these; fields of the others stay empty.
	var a struct {
		activities.CarrierAnswer
		activities.BookingAnswer // with an instruction's
		activities.ProofAnswer
	}
	e := order.Answered{Meta: order.Meta{By: order.Engine}, Command: id}
	err := f.Get(ctx, &a)
	e.Failed = clip(cmp.Or(a.Unable, a.Missing))
	if err != nil {
		e.Failed = clip(err.Error())
	}
	e.LastMovement, e.FeedSilentSince, e.Declined, e.Reference = a.LastMovement, a.FeedSilentSince, clip(a.Declined), clip(cmp.Or(a.Reference, a.Proof))
	e.DeliveredTo, e.Held = clip(a.DeliveredTo), clip(cmp.Or(a.Held, a.Label))
	e.Carrier, e.Tracking, e.Amount, e.Currency, e.Unclear = a.Carrier, a.Tracking, a.Amount, a.Currency, a.Unclear || err != nil // nobody says what came of it
	sh.apply(ctx, e)
}

// handlers answers people: updates with validators, and the view.
func (sh *shell) handlers(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, QueryView, func() (order.View, error) {
		if sh.reading {
			return order.View{}, errors.New("the order is being read")
		}
		return order.ViewOf(&sh.st), nil
	},
		workflow.QueryHandlerOptions{Description: "The order as it is now"}); err != nil {
		return err
	}
	for _, name := range []string{Scans, CarrierEvents, Facts} {
		if err := workflow.SetUpdateHandlerWithOptions(ctx, name, sh.tell, workflow.UpdateHandlerOptions{Description: "Facts from the inbox"}); err != nil {
			return err
		}
	}
	for _, err := range []error{
		answer[order.PutParcel](ctx, sh, UpdatePutParcel, "Add a parcel, or change one that has not left"),
		answer[order.Cancel](ctx, sh, UpdateCancel, "Cancel the order, or some of its parcels"),
		answer[order.Hold](ctx, sh, UpdateHold, "Stop preparing the order"),
		answer[order.Release](ctx, sh, UpdateRelease, "Go on preparing the order"),
		answer[order.ChangePromise](ctx, sh, UpdateChangePromise, "Promise another delivery time"),
		answer[order.CorrectAddress](ctx, sh, UpdateCorrectAddress, "Use a newer version of the address"),
		answer[order.CorrectMilestone](ctx, sh, UpdateCorrectMilestone, "Say what a parcel's milestone really is"),
		answer[order.AssignCase](ctx, sh, UpdateAssignCase, "Give a case to somebody"),
		answer[order.NoteCase](ctx, sh, UpdateNoteCase, "Write a note to a case"),
		answer[order.ResolveCase](ctx, sh, UpdateResolveCase, "Resolve a case"),
		answer[order.ReopenCase](ctx, sh, UpdateReopenCase, "Take back the decision about a case"),
		answer[order.ExtendWait](ctx, sh, UpdateExtendWait, "Give something more time"),
		answer[order.FireWait](ctx, sh, UpdateFireWait, "Let a wait end now"),
		answer[order.ReportNotReceived](ctx, sh, UpdateNotReceived, "A delivered parcel did not come"),
		answer[order.FoundParcel](ctx, sh, UpdateFoundParcel, "A parcel that was missing has turned up"),
		answer[order.DecideRemedy](ctx, sh, UpdateDecideRemedy, "Agree to a refund above the limit, or decline it"),
		answer[order.EndRemedy](ctx, sh, UpdateEndRemedy, "Record what came of a refund, replacement or claim"),
		answer[order.EndInstruction](ctx, sh, UpdateEndInstruction, "Record what a carrier said that a person told what to do"),
		answer[order.RequestReturn](ctx, sh, UpdateRequestReturn, "Ask to send something back, or take in a parcel that came back"),
		answer[order.DecideReturn](ctx, sh, UpdateDecideReturn, "Authorize a return, or reject it"),
		answer[order.ShipReturn](ctx, sh, UpdateShipReturn, "Say how a return comes: by a label or a pickup"),
		answer[order.AskLabel](ctx, sh, UpdateAskLabel, "Have a carrier make a label for a return"),
		answer[order.AskPickup](ctx, sh, UpdateAskPickup, "Have a carrier come for a return"),
		answer[order.EndBooking](ctx, sh, UpdateEndBooking, "Record that a person dealt with a label or pickup"),
		answer[order.VoidBooking](ctx, sh, UpdateVoidBooking, "Have the carrier take back a label or pickup"),
		answer[order.InspectReturn](ctx, sh, UpdateInspectReturn, "Say what was found in a return"),
		answer[order.DisposeReturn](ctx, sh, UpdateDisposeReturn, "Decide about what was found in a return"),
		answer[order.SendReturnBack](ctx, sh, UpdateSendReturnBack, "What was not accepted left for the buyer"),
		answer[order.CancelReturn](ctx, sh, UpdateCancelReturn, "End a return that leads nowhere"),
		answer[order.AdoptPolicy](ctx, sh, UpdateAdoptPolicy, "Follow another version of the policy"),
		answer[order.TakeParcels](ctx, sh, UpdateTakeParcels, "Take over the parcels of a duplicate of this order"),
		answer[order.MergeInto](ctx, sh, UpdateMergeInto, "End as a duplicate of another order"),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// tell takes facts from the relay. It refuses none: what cannot be read becomes
// an anomaly, as in a signal.
func (sh *shell) tell(_ workflow.Context, batch converter.RawValue) error {
	sh.told = append(sh.told, unpack(batch.Payload().GetData())...)
	sh.wake.SendAsync(true)
	return nil
}

// answer registers the update for one kind of request. Its validator refuses
// with the reason and leaves no trace; its handler returns once the read model
// shows the change.
func answer[T order.Event](ctx workflow.Context, sh *shell, name, description string) error {
	check := func(ctx workflow.Context, r T) error {
		now := sh.st
		now.Now = workflow.Now(ctx)
		return refused(order.Check(&now, r))
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, r T) (order.View, error) {
		if sh.reading { // the validator knew nothing yet
			if err := workflow.Await(ctx, func() bool { return !sh.reading }); err != nil {
				return order.View{}, err
			}
			if err := check(ctx, r); err != nil {
				sh.wake.SendAsync(true)
				return order.View{}, err
			}
		}
		sh.apply(ctx, r)
		seq := sh.st.Seq
		sh.wake.SendAsync(true)
		if err := workflow.Await(ctx, func() bool { return sh.projected >= seq }); err != nil {
			return order.View{}, err
		}
		return order.ViewOf(&sh.st), nil
	}, workflow.UpdateHandlerOptions{
		Description: description,
		Validator: func(ctx workflow.Context, r T) error {
			if sh.reading {
				return nil
			}
			return check(ctx, r)
		},
	})
}

// quietRules are the first under which received and preparing look alike in the
// search attributes.
const quietRules = 4

// attributes are the search attributes as last shown.
type attributes struct {
	status          order.Status
	carriers, cases string
	promised        time.Time
}

func attributesOf(s *order.State) attributes {
	status := s.Status
	if status == order.StatusReceived && s.Rules >= quietRules {
		status = order.StatusPreparing // each change is a write to the visibility store; nobody looks there for this one
	}
	return attributes{status: status, carriers: strings.Join(carriers(s), " "), cases: strings.Join(openCases(s), " "), promised: s.PromisedAt}
}

func carriers(s *order.State) []string {
	var list []string
	for i := range s.Parcels {
		if c := s.Parcels[i].Carrier; c != "" && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

func openCases(s *order.State) []string {
	var list []string
	for i := range s.Cases {
		if k := string(s.Cases[i].Kind); !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// show lets ops read the order in the Temporal UI: search attributes when one
// changed (an event), and the current details (free).
func (sh *shell) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, Details(&sh.st))
	now := attributesOf(&sh.st)
	if now == sh.shown {
		return
	}
	var changes []temporal.SearchAttributeUpdate
	if now.status != sh.shown.status {
		changes = append(changes, attrStatus.ValueSet(string(now.status)))
	}
	if now.carriers != sh.shown.carriers {
		changes = append(changes, attrCarriers.ValueSet(carriers(&sh.st)))
	}
	if now.cases != sh.shown.cases {
		changes = append(changes, attrCases.ValueSet(openCases(&sh.st)))
	}
	if !now.promised.Equal(sh.shown.promised) && !now.promised.IsZero() {
		changes = append(changes, attrPromised.ValueSet(now.promised))
	}
	sh.shown = now
	if len(changes) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes", "error", err)
	}
}

func label(w order.Wait) string {
	if w.Parcel == "" {
		return "waiting for " + w.What
	}
	return "parcel " + w.Parcel + ": waiting for " + w.What
}

// headline is how the order stands: its summary, and what is the matter with it.
func headline(s *order.State) string {
	text := order.Summary(s)
	cases := openCases(s)
	if order.IsLate(s) && !slices.Contains(cases, string(order.Late)) {
		text += " · late"
	}
	for _, c := range cases {
		text += " · " + strings.ReplaceAll(c, "_", " ")
	}
	return text
}

// Details is the order in a few lines of Markdown, for the Temporal UI.
func Details(s *order.State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**", headline(s))
	ws := order.Waiting(s)
	for i, w := range ws {
		if i == 8 {
			fmt.Fprintf(&b, "\n- and %d more", len(ws)-i)
			break
		}
		fmt.Fprintf(&b, "\n- %s", w)
	}
	if s.Closed {
		b.WriteString("\n- closed; waits for nothing")
	}
	return b.String()
}
