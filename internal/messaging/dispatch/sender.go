package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/plan"
	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const (
	stretch  = 5 * time.Minute // of sending, until the workflow hears of it
	look     = time.Second     // between two looks where nothing is due
	atOnce   = 16              // messages claimed together
	parallel = 8               // sends under way

	// hesitation is how long after its attempt was committed a request may still
	// begin. A process that stood still for longer does not send: somebody else may be
	// asking for the message already. It is far below the lease and below the time
	// after which Twilio's list is believed.
	hesitation = 20 * time.Second
	sendTime   = 20 * time.Second // of one request; the port's own limit is below
	recordTime = 5 * time.Second  // to write down what came of it

	firstAsk = 30 * time.Second // after an attempt whose answer is not known
	// patience is how long a message is asked and listened for. SendGrid repeats an
	// event for 24 hours where nobody takes it.
	patience = 26 * time.Hour

	retryFirst, retryMost = 10 * time.Second, time.Hour

	busyRest     = 30 * time.Second // where the provider does not say
	accountRest  = 5 * time.Minute  // credentials, sender, plan: somebody must mend it
	breakerAfter = 5                // failures in a row
	breakerRest  = 30 * time.Second // twice as long after each more
	breakerMost  = 15 * time.Minute
)

// Sender sends by one channel through one port. It is an activities.MessageSender.
type Sender struct {
	Store   Store
	Writer  *Writer
	Port    Port
	Channel order.Channel
	// Rate is how many requests a second the provider takes, over all rounds of this
	// process; nil: any.
	Rate *rate.Limiter
	Now  func() time.Time
	Log  *slog.Logger
	// Ended counts messages by what became of them; may be nil.
	Ended func(channel, outcome string)
	// Stretch and Look are 0 for the usual ones.
	Stretch, Look time.Duration
}

var _ activities.MessageSender = (*Sender)(nil)

// Round sends what is due for a stretch, until the provider wants rest, or until
// ctx ends: then no more is begun, and what is under way is finished.
func (s *Sender) Round(ctx context.Context, in activities.SendRound) (activities.SendDone, error) {
	r := &round{Sender: s, failures: in.Failures, done: activities.SendDone{Provider: s.Port.Name()}}
	for end := s.Now().Add(cmp.Or(s.Stretch, stretch)); ctx.Err() == nil && s.Now().Before(end) && r.resting().IsZero(); {
		due, err := s.Store.ClaimMessages(ctx, string(s.Channel), atOnce, s.Now())
		if err != nil {
			return r.done, err
		}
		r.each(ctx, due)
		if len(due) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(cmp.Or(s.Look, look)):
			}
		}
	}
	// Written down however the round ended.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	counts, err := s.Store.CountMessages(last, s.Now())
	if err != nil {
		return r.done, err
	}
	for _, c := range counts {
		if c.Channel == string(s.Channel) {
			r.done.Waiting, r.done.Later, r.done.Unclear = c.Due, c.Later, c.Unclear
			if c.Oldest != nil {
				r.done.Oldest = *c.Oldest
			}
		}
	}
	r.done.RestUntil, r.done.Failures = r.rest, r.failures
	return r.done, nil
}

// round is what one round knows beside its rows.
type round struct {
	*Sender
	mu       sync.Mutex
	done     activities.SendDone
	failures int       // of the provider, in a row
	rest     time.Time // the provider is left alone until then
}

func (r *round) resting() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rest
}

// each handles messages, some at once; one by one as long as the provider fails,
// since each failure may leave a message of which nobody knows where it is.
func (r *round) each(ctx context.Context, due []store.Message) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	if r.failures > 0 {
		slots = make(chan struct{}, 1)
	}
	for _, m := range due {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil || !r.resting().IsZero() {
				return // it comes back when its lease is over
			}
			if err := r.handle(ctx, m); err != nil && ctx.Err() == nil {
				r.Log.Warn("message not handled yet", "message", m.ID, "channel", m.Channel, "error", err)
			}
		})
	}
	wg.Wait()
}

func (r *round) handle(ctx context.Context, m store.Message) error {
	switch m.Status {
	case store.MessagePlanned:
		return r.attempt(ctx, m)
	case store.MessageSending, store.MessageUnclear:
		// A claimed message that is being sent is one whose sender died.
		return r.ask(ctx, m)
	case store.MessageFailed:
		return r.followUp(ctx, m)
	case store.MessageSent, store.MessageDelivered, store.MessageDropped:
	}
	return nil
}

// noAddress is why a message failed that nobody could be sent.
const noAddress = "no address"

// attempt judges, commits, sends and records. A cancelled context ends it before
// the request; after that it is finished.
func (r *round) attempt(ctx context.Context, m store.Message) error {
	if r.Rate != nil {
		if err := r.Rate.Wait(ctx); err != nil {
			return nil //nolint:nilerr // the round ends
		}
	}
	begun := r.Now()
	var e Envelope
	var o store.MessageOutcome
	sending, err := r.Store.DecideMessage(ctx, m, r.Writer.Hash, begun, func(a *store.Addressee) (attempt *store.Attempt, out store.MessageOutcome) {
		if fault := safely(func() { e, attempt, o = r.decide(m, a, begun) }); fault != nil {
			r.Log.Error("message cannot be decided", "message", m.ID, "kind", m.Kind, "fault", fault)
			attempt, o = nil, settled(m, store.MessageFailed, begun, "fault")
		}
		return attempt, o
	})
	if err != nil {
		return err
	}
	if !sending {
		if o.Status == store.MessageDropped || o.Status == store.MessageFailed {
			r.ended(o)
		}
		return nil
	}
	m.Attempts++
	// From here on the message may be out. Nothing but its answer ends it.
	ctx = context.WithoutCancel(ctx)
	var receipt messaging.Receipt
	if late := r.Now().Sub(begun); late > hesitation {
		err = &messaging.Error{Provider: r.Port.Name(), Class: messaging.Retryable, Fault: "this process stood still"}
	} else {
		call, cancel := context.WithTimeout(ctx, sendTime)
		receipt, err = r.Port.Send(call, e)
		cancel()
	}
	out := r.outcome(m, receipt, err)
	return r.record(ctx, out)
}

// decide is what becomes of a planned message now.
func (r *round) decide(m store.Message, a *store.Addressee, now time.Time) (e Envelope, attempt *store.Attempt, o store.MessageOutcome) {
	i, err := intentOf(m)
	if err = errors.Join(err, a.Err); err != nil {
		r.Log.Error("message cannot be written", "message", m.ID, "error", err)
		return e, nil, settled(m, store.MessageFailed, now, "unreadable")
	}
	p := r.Writer.people(a)[i.Audience]
	if by := a.PickupBy(i.Parcels); i.Kind == templates.ReadyForPickup && !by.IsZero() && by.Before(i.Until) {
		i.Until = by // nothing is to be collected after that
	}
	if !p.Erased && now.Before(i.Until) && !p.Reaches(i.Channel) {
		return e, nil, settled(m, store.MessageFailed, now, noAddress)
	}
	v := plan.Judge(i, a.Order.Current(), p, sentOf(a, m.ID), now)
	switch {
	case v.Drop != "":
		return e, nil, settled(m, store.MessageDropped, time.Time{}, v.Drop)
	case !v.Send:
		return e, nil, settled(m, store.MessagePlanned, v.Later, m.Reason)
	}
	e, recipient, err := r.Writer.write(m.ID, r.Port.Via(), i, v.Parcels, a, p, now)
	if err != nil {
		// Errors of content name fields, never what is in them.
		r.Log.Error("message cannot be written", "message", m.ID, "kind", m.Kind, "error", err)
		return e, nil, settled(m, store.MessageFailed, now, "no words: "+err.Error())
	}
	return e, &store.Attempt{Provider: r.Port.Name(), Stream: r.Port.Stream(), Recipient: recipient, Told: v.Parcels, Body: encode(e)}, o
}

// settled is an outcome of m as it is now. A failed one is looked at once more, for
// what follows from it.
func settled(m store.Message, status store.MessageStatus, notBefore time.Time, reason string) store.MessageOutcome {
	return store.MessageOutcome{ID: m.ID, Attempts: m.Attempts, Status: status, NotBefore: notBefore, Reason: reason}
}

// outcome is what an answer means for its message, and for the provider.
func (r *round) outcome(m store.Message, receipt messaging.Receipt, err error) store.MessageOutcome {
	now := r.Now()
	if err == nil {
		r.well()
		o := settled(m, store.MessageSent, time.Time{}, "")
		o.ProviderID, o.Answered = receipt.ProviderID, true
		return o
	}
	var e *messaging.Error
	if !errors.As(err, &e) {
		e = &messaging.Error{Provider: r.Port.Name(), Class: messaging.Ambiguous, Fault: "unknown"}
	}
	switch e.Class {
	case messaging.Permanent:
		r.well()
		o := settled(m, store.MessageFailed, now, reasonOf(e))
		if e.Reason == messaging.BadAddress || e.Reason == messaging.Unsubscribed {
			o.Suppress = string(e.Reason)
		}
		return o
	case messaging.Retryable:
		next := now.Add(max(e.After, doubled(retryFirst, m.Attempts-1, retryMost)))
		if rest := r.unwell(e, now); rest.After(next) {
			next = rest
		}
		return settled(m, store.MessagePlanned, next, reasonOf(e))
	case messaging.Ambiguous:
	}
	r.unwell(e, now)
	return settled(m, store.MessageUnclear, now.Add(firstAsk), reasonOf(e))
}

// reasonOf is why, in words that name nobody.
func reasonOf(e *messaging.Error) string {
	why := cmp.Or(string(e.Reason), e.Fault, string(e.Class))
	if e.Code != "" {
		why += " " + e.Code
	}
	return why
}

func doubled(first time.Duration, times int, most time.Duration) time.Duration {
	if times < 0 {
		times = 0
	}
	if times > 20 {
		return most
	}
	return min(first<<times, most)
}

// well: the provider works.
func (r *round) well() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = 0
}

// unwell lets the provider rest where it asks for it, is not ours to use, or fails
// too often in a row. It returns until when; zero: no rest.
func (r *round) unwell(e *messaging.Error, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest time.Duration
	switch e.Reason {
	case messaging.Busy:
		rest = max(e.After, busyRest)
	case messaging.Account:
		rest = max(e.After, accountRest)
	case messaging.BadAddress, messaging.Unreachable, messaging.Blocked, messaging.Unsubscribed, messaging.Rejected:
		return r.rest // about this message
	default:
		if r.failures++; r.failures >= breakerAfter {
			rest = max(e.After, doubled(breakerRest, r.failures-breakerAfter, breakerMost))
		}
	}
	if until := now.Add(rest); rest > 0 && until.After(r.rest) {
		r.rest, r.done.Trouble = until, e.Error()
	}
	return r.rest
}

// record writes an outcome down. Where that fails the lease ends, and the message is
// asked for.
func (r *round) record(ctx context.Context, o store.MessageOutcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	err := r.Store.RecordOutcome(ctx, o, r.Now())
	if errors.Is(err, store.ErrTaken) && o.Status == store.MessageSent {
		// The provider gave one ID for two messages. Ours is out all the same.
		r.Log.Error("the provider gave an ID twice", "message", o.ID, "provider", r.Port.Name())
		o.ProviderID = ""
		err = r.Store.RecordOutcome(ctx, o, r.Now())
	}
	if err == nil {
		r.ended(o)
	}
	return err
}

func (r *round) ended(o store.MessageOutcome) {
	r.mu.Lock()
	switch o.Status {
	case store.MessageSent:
		r.done.Sent++
	case store.MessageFailed:
		r.done.Failed++
	case store.MessageDropped:
		r.done.Dropped++
	case store.MessagePlanned, store.MessageSending, store.MessageDelivered, store.MessageUnclear:
	}
	r.mu.Unlock()
	r.count(string(o.Status))
}

func (r *round) count(outcome string) {
	if r.Ended != nil {
		r.Ended(string(r.Channel), outcome)
	}
}

// find looks for a message at the provider, and where that cannot say among what the
// provider tells of all messages.
func (r *round) find(ctx context.Context, m store.Message, e Envelope, now time.Time) (messaging.Finding, messaging.Receipt, error) {
	call, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	finding, receipt, err := r.Port.Find(call, e, *m.AttemptedAt)
	if err != nil || finding != messaging.Unknown || m.Stream == "" || m.Stream != r.Port.Stream() {
		return finding, receipt, err
	}
	from, to := span(*m.AttemptedAt, now)
	w, err := r.Store.Witnesses(ctx, m, nearest, from, to, m.AttemptedAt.Add(settleTime))
	if err != nil {
		return messaging.Unknown, receipt, err
	}
	return fence(w, *m.AttemptedAt), receipt, nil
}

// ask settles a message whose answer is not known. It is never sent again unless
// the provider says that it has it not, or would have said that it has it.
func (r *round) ask(ctx context.Context, m store.Message) error {
	now := r.Now()
	finding, receipt := messaging.Unknown, messaging.Receipt{}
	body, err := r.Store.KeptBody(ctx, m.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var e Envelope
	// Erased words, or those of another account, cannot be asked for.
	if err == nil && json.Unmarshal(body, &e) == nil && e.Via == r.Port.Via() && m.AttemptedAt != nil {
		finding, receipt, err = r.find(ctx, m, e, now)
		var fault *messaging.Error
		if errors.As(err, &fault) {
			finding = messaging.Unknown
			r.unwell(fault, now)
		} else if err != nil {
			return err
		}
	}
	switch finding {
	case messaging.Taken:
		o := settled(m, store.MessageSent, time.Time{}, "found")
		o.ProviderID = receipt.ProviderID
		err := r.Store.RecordOutcome(ctx, o, now)
		if err == nil {
			r.Log.Info("message found at the provider", "message", m.ID, "provider", m.Provider)
			r.count("found")
			r.ended(o)
		}
		if !errors.Is(err, store.ErrTaken) {
			return err
		}
		// The same words went out as another message; this one cannot be told apart.
	case messaging.NotTaken:
		r.Log.Info("message not at the provider", "message", m.ID, "provider", m.Provider)
		err := r.record(ctx, settled(m, store.MessagePlanned, now, m.Reason))
		if err == nil {
			r.count("not_taken")
		}
		return err
	case messaging.Unknown:
	}
	o := settled(m, store.MessageUnclear, time.Time{}, cmp.Or(m.Reason, "no answer recorded"))
	if m.AttemptedAt != nil {
		asked := now.Sub(*m.AttemptedAt)
		if end := m.AttemptedAt.Add(patience); now.Before(end) {
			o.NotBefore = now.Add(min(max(asked, firstAsk), time.Hour))
			if o.NotBefore.After(end) {
				o.NotBefore = end
			}
		}
	}
	if o.NotBefore.IsZero() {
		r.Log.Warn("nobody knows whether a message was sent", "message", m.ID, "provider", m.Provider)
	}
	return r.record(ctx, o)
}

// elsewhere says whether the buyer can be reached by the channel of a failed message
// after all: it went to an address that is not the buyer's any more, or had none then.
func (r *round) elsewhere(m store.Message, a *store.Addressee, p plan.Person) bool {
	to := a.Contact.Email
	if r.Channel == order.SMS {
		to = a.Contact.Phone
	}
	had := m.Recipient != nil || m.Reason == noAddress
	return had && p.Reaches(r.Channel) && !bytes.Equal(m.Recipient, r.Writer.Hash(m.Channel, to))
}

// followUp tells a failed message by another channel, or that the buyer cannot be
// reached.
func (r *round) followUp(ctx context.Context, m store.Message) error {
	i, err := intentOf(m)
	if err != nil {
		return err
	}
	all, err := r.Store.Addressees(ctx, []string{m.Order}, r.Writer.Hash)
	if err != nil {
		return err
	}
	var other *store.NewMessage
	lost := false
	if a := all[m.Order]; a != nil && a.Err == nil && i.Audience == plan.Buyer {
		p := r.Writer.people(a)[plan.Buyer]
		if next, ok := plan.Fallback(i, a.Order.Current(), p); ok {
			next.NotBefore = r.Now()
			row := newMessage(next)
			other = &row
		}
		lost = other == nil && !p.Erased && !r.elsewhere(m, a, p)
	}
	fellBack, err := r.Store.FollowUp(ctx, m, other, lost, r.Now())
	if fellBack {
		r.count("fell_back")
	}
	return err
}
