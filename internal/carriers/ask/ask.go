// Package ask asks carriers: it sends the requests that adapters build, under a
// budget that all workers share, and hands back what the adapters read.
//
// Before each request, those for tokens included, a call is taken from the
// credential's budget. A carrier that asks for rest gets it from all workers; one
// that fails in a row is left alone for a while, and then tried by one of them.
package ask

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// callTime is how long one request may take, from dialling to the answer's last byte.
const callTime = 8 * time.Second

// restAfterLimit is how long to rest when a carrier limits us without saying for
// how long.
const restAfterLimit = time.Minute

// Store keeps the budgets that all workers share.
type Store interface {
	TakeCall(ctx context.Context, credential string, windows []store.Window, at time.Time) (granted bool, next time.Time, err error)
	RestCalls(ctx context.Context, credential string, until time.Time) error
	CallFailed(ctx context.Context, credential string, at time.Time) error
	CallWorked(ctx context.Context, credential string) error
	Budget(ctx context.Context, credential string, windows []store.Window, at time.Time) (store.Budget, error)
}

// Call is one request and what came of it, for metrics.
type Call struct {
	Credential, Carrier string
	What                string // token, track, subscribe, activate, prove, instruct, label, pickup, find
	// Outcome is ok, budget (not sent: the budget is spent or rests) or a problem.
	Outcome string
	Took    time.Duration
	// Lag is how old the newest event was when it was asked for; 0 without events.
	Lag time.Duration
}

// Client asks carriers. It is safe for concurrent use.
type Client struct {
	store    Store
	accounts []*account
	http     *http.Client
	observe  func(Call)
}

type account struct {
	Credential
	windows []store.Window
	token   tokens
}

// New makes a client. hook says where a carrier shall push to; observe sees every
// call. Either may be nil.
func New(s Store, credentials []Credential, hook func(carrier string) carriers.Hook, observe func(Call)) *Client {
	c := &Client{store: s, observe: observe, http: &http.Client{
		Timeout: callTime,
		// A redirect would carry the credential elsewhere. It is an answer like any other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 4 * time.Second}).DialContext,
			TLSHandshakeTimeout: 4 * time.Second, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}}
	for _, cred := range credentials {
		a := &account{Credential: cred, token: newTokens()}
		if hook != nil {
			email := a.Hook.Email
			a.Hook = hook(a.Carrier)
			a.Hook.Email = cmp.Or(email, a.Hook.Email)
		}
		for _, w := range cred.Windows {
			a.windows = append(a.windows, store.Window(w))
		}
		c.accounts = append(c.accounts, a)
	}
	return c
}

// Credentials lists what there is, in the order of the file.
func (c *Client) Credentials() []Credential {
	list := make([]Credential, len(c.accounts))
	for i, a := range c.accounts {
		list[i] = a.Credential
	}
	return list
}

// For lists the credentials under which a parcel of that carrier may be asked for,
// in the order of the file: the carrier's own before those of aggregators that are
// configured for it.
func (c *Client) For(carrier string) (list []Credential) {
	for _, own := range []bool{true, false} {
		for _, a := range c.accounts {
			if own == (a.Carrier == carrier) && a.fits(carrier) {
				list = append(list, a.Credential)
			}
		}
	}
	return list
}

// ForProof finds the credential of that carrier under which proof of a delivery
// can be fetched, ForInstruction the one under which it can be told something.
// Aggregators are not asked: a proof is given to the shipper only.
func (c *Client) ForProof(carrier string) (Credential, bool) {
	return c.own(carrier, func(a carriers.API) bool { return a.Prove != nil })
}

func (c *Client) ForInstruction(carrier string, do order.Resolution) (Credential, bool) {
	return c.own(carrier, func(a carriers.API) bool { return slices.Contains(a.Takes, do) })
}

// ForBooking finds the credential under which that carrier, or aggregator, makes
// labels or pickups. A label is bought, so nobody else is asked than who is named.
func (c *Client) ForBooking(carrier string, kind order.BookingKind) (Credential, bool) {
	return c.own(carrier, func(a carriers.API) bool { return slices.Contains(a.Books, kind) })
}

func (c *Client) own(carrier string, can func(carriers.API) bool) (Credential, bool) {
	for _, a := range c.accounts {
		if a.Carrier == carrier && can(a.api) {
			return a.Credential, true
		}
	}
	return Credential{}, false
}

// Budget reads what is left of a credential, in the order of its windows, and
// until when it rests. It takes nothing.
func (c *Client) Budget(ctx context.Context, credential string) (store.Budget, error) {
	a, err := c.account(credential)
	if err != nil {
		return store.Budget{}, err
	}
	return c.store.Budget(ctx, a.Name, a.windows, time.Time{})
}

// Track asks where parcels are: at most Batch numbers, all of the credential's
// own carrier, or of the one that an aggregator's credential names alone.
// Numbers that the carrier does not know are absent from the events; when it says
// so of all of them, that is the error NotFound. Errors are *carriers.AskError,
// but for a store that is away.
func (c *Client) Track(ctx context.Context, credential string, numbers []string) (Answer, error) {
	return c.TrackOf(ctx, credential, "", numbers)
}

// TrackOf is Track for parcels of the given carrier, which some aggregators must
// be told. Empty: as Track finds it.
func (c *Client) TrackOf(ctx context.Context, credential, carrier string, numbers []string) (answer Answer, err error) {
	a, err := c.account(credential)
	if err != nil {
		return answer, err
	}
	err = c.ask(ctx, a, "track", a.api.Track, a.question(carrier, numbers), func(body []byte) error {
		answer.Body = body
		answer.Events, answer.Unread = a.adapter.ParseTrack(body)
		return answer.Unread
	}, func() time.Time { return newest(answer.Events) })
	var problem *carriers.AskError
	if errors.As(err, &problem) && problem.Reason != carriers.Unavailable {
		answer = Answer{} // a refusal in the carrier's words is no answer that somebody must look at
	}
	return answer, err
}

// Answer is what a carrier said to a question.
type Answer struct {
	Events []carriers.Event
	Body   []byte
	// Unread says why the body could not be read, beside an error.
	Unread error
}

// Subscribe asks for pushes about numbers, at most SubscribeBatch, and says until
// when they come; zero: until the parcel ends. Asking again renews. Where the
// credential does not Backfill, track the numbers once as well. When the carrier
// takes only some, the others are named by the error, beside a good time. An
// aggregator is told the carrier that its credential names alone.
func (c *Client) Subscribe(ctx context.Context, credential string, numbers []string) (until time.Time, err error) {
	a, err := c.account(credential)
	if err != nil {
		return until, err
	}
	if a.api.Subscribe == nil {
		return until, &carriers.AskError{Reason: carriers.BadRequest, Detail: a.Carrier + " " + a.API + " has no subscriptions to ask for"}
	}
	var rejected []string
	err = c.ask(ctx, a, "subscribe", a.api.Subscribe, a.question("", numbers), func(body []byte) error {
		if a.api.Rejected != nil {
			rejected = a.api.Rejected(body)
		}
		return nil
	}, nil)
	var problem *carriers.AskError
	if err != nil && !(errors.As(err, &problem) && problem.Reason == carriers.Already) {
		return until, err
	}
	if a.api.SubscribedFor > 0 {
		until = time.Now().Add(a.api.SubscribedFor)
	}
	if len(rejected) > 0 {
		for i := range rejected {
			rejected[i] = carriers.Clean(rejected[i], 40)
		}
		if len(rejected) >= len(numbers) {
			until = time.Time{}
		}
		return until, &carriers.AskError{Reason: carriers.BadRequest, Detail: carriers.Clean("not taken: "+strings.Join(rejected, " "), 2000)}
	}
	return until, nil
}

// Activate answers a carrier that wants a subscription of ours confirmed. ok is
// false where none of its credentials makes such subscriptions.
func (c *Client) Activate(ctx context.Context, carrier string, confirm carriers.Confirmation) (ok bool, err error) {
	for _, a := range c.accounts {
		if a.Carrier != carrier || a.api.Activate == nil {
			continue
		}
		build := func(q carriers.Question) (*http.Request, error) { return a.api.Activate(q.Account, confirm) }
		return true, c.ask(ctx, a, "activate", build, a.question("", nil), func([]byte) error { return nil }, nil)
	}
	return false, nil
}

// Prove fetches the proof of one delivery. It is personal data. Errors are as
// those of Track.
func (c *Client) Prove(ctx context.Context, credential, number string) (e carriers.Evidence, err error) {
	a, err := c.account(credential)
	if err != nil {
		return e, err
	}
	if a.api.Prove == nil {
		return e, &carriers.AskError{Reason: carriers.BadRequest, Detail: a.Carrier + " " + a.API + " has no proof to fetch"}
	}
	err = c.ask(ctx, a, "prove", a.api.Prove, a.question("", []string{number}), func(body []byte) (parsing error) {
		e, parsing = a.api.Evidence(number, body)
		return parsing
	}, nil)
	if err != nil {
		return carriers.Evidence{}, err
	}
	return e, nil
}

// Instruct tells a carrier what to do with one parcel. Its Question is filled in
// here, but for the number. What the carrier declines is no error; a request that
// it calls bad is declined too.
func (c *Client) Instruct(ctx context.Context, credential, number string, t carriers.Task) (d carriers.Done, err error) {
	a, err := c.account(credential)
	if err != nil {
		return d, err
	}
	if a.api.Tell == nil {
		return d, &carriers.AskError{Reason: carriers.BadRequest, Detail: a.Carrier + " " + a.API + " can be told nothing"}
	}
	build := func(q carriers.Question) (*http.Request, error) {
		t.Question = q
		return a.api.Tell(t)
	}
	q := a.question("", []string{number})
	if _, err := build(q); err != nil { // what cannot be said is not the carrier's no
		return d, &carriers.AskError{Reason: carriers.BadRequest, Detail: err.Error()}
	}
	err = c.ask(ctx, a, "instruct", build, q, func(body []byte) (parsing error) {
		d, parsing = a.api.Told(body)
		return parsing
	}, nil)
	var problem *carriers.AskError
	switch {
	case err == nil:
		return d, nil
	case errors.As(err, &problem) && (problem.Reason == carriers.BadRequest || problem.Reason == carriers.NotFound):
		return carriers.Done{Declined: problem.Error()}, nil
	}
	return carriers.Done{}, err
}

func (c *Client) account(name string) (*account, error) {
	for _, a := range c.accounts {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, &carriers.AskError{Reason: carriers.BadRequest, Detail: "no credential " + carriers.Clean(name, 60)}
}

func (a *account) question(of string, numbers []string) carriers.Question {
	if of == "" && len(a.Of) == 1 {
		of = a.Of[0]
	}
	return carriers.Question{Account: a.Account, ID: rand.Text(), Numbers: numbers, Of: of}
}

func newest(events []carriers.Event) (at time.Time) {
	for _, e := range events {
		if e.UTC.After(at) {
			at = e.UTC
		}
	}
	return at
}

// ask sends one question, with a token where one is needed. A token that is
// refused is fetched anew, once.
func (c *Client) ask(ctx context.Context, a *account, what string, build func(carriers.Question) (*http.Request, error), q carriers.Question, read func([]byte) error, latest func() time.Time) error {
	if _, err := build(q); err != nil { // before anything is spent on it
		return &carriers.AskError{Reason: carriers.BadRequest, Detail: err.Error()}
	}
	for try := 0; ; try++ {
		if a.api.Token != nil {
			token, err := a.token.get(ctx, func() (carriers.Token, error) { return c.fetchToken(ctx, a) })
			if err != nil {
				var problem *carriers.AskError
				if errors.As(err, &problem) {
					problem.Open = false // what is asked for with it was not sent
				}
				return err
			}
			q.Token = token
		}
		r, err := build(q)
		if err != nil {
			return &carriers.AskError{Reason: carriers.BadRequest, Detail: err.Error()}
		}
		err = c.call(ctx, a, what, r, read, latest)
		var problem *carriers.AskError
		if try == 0 && a.api.Token != nil && errors.As(err, &problem) && problem.Reason == carriers.Unauthorized {
			a.token.drop(q.Token)
			continue
		}
		return err
	}
}

func (c *Client) fetchToken(ctx context.Context, a *account) (token carriers.Token, err error) {
	r, err := a.api.Token(a.Account)
	if err != nil {
		return token, &carriers.AskError{Reason: carriers.BadRequest, Detail: err.Error()}
	}
	err = c.call(ctx, a, "token", r, func(body []byte) (parsing error) {
		token, parsing = carriers.ParseToken(body)
		return parsing
	}, nil)
	return token, err
}

// call takes a call from the budget, sends the request, and tells the budget what
// came of it.
func (c *Client) call(ctx context.Context, a *account, what string, r *http.Request, read func([]byte) error, latest func() time.Time) error {
	granted, next, err := c.store.TakeCall(ctx, a.Name, a.windows, time.Time{})
	if err != nil {
		return err
	}
	if !granted {
		c.note(Call{Credential: a.Name, Carrier: a.Carrier, What: what, Outcome: "budget"})
		return &carriers.AskError{Reason: carriers.Limited, Until: next, Detail: "the budget of " + a.Name + " is spent or rests"}
	}
	begin := time.Now()
	problem := c.send(ctx, a, r, read)
	now := time.Now()
	call := Call{Credential: a.Name, Carrier: a.Carrier, What: what, Outcome: "ok", Took: now.Sub(begin)}
	if problem != nil {
		call.Outcome = string(problem.Reason)
	} else if latest != nil {
		if at := latest(); !at.IsZero() {
			call.Lag = max(0, now.Sub(at))
		}
	}
	c.note(call)
	// What came of it is told even when the caller has gone. An answer that is
	// there is not lost because that failed: the next will say the same.
	tell, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = c.tell(tell, a, problem, now)
	if problem == nil {
		return nil
	}
	if err != nil {
		return errors.Join(&problem.AskError, err)
	}
	return &problem.AskError
}

// failure is an AskError on its way, which may be none.
type failure struct {
	carriers.AskError
	rest time.Duration
	// gone: the caller left before the carrier answered. That says nothing about
	// the carrier: a worker that stops leaves many at once.
	gone bool
}

// tell keeps Retry-After and the breaker for all workers. That a number is not
// known or a request not good is no failure of the carrier.
func (c *Client) tell(ctx context.Context, a *account, f *failure, now time.Time) error {
	switch {
	case f == nil:
		return c.store.CallWorked(ctx, a.Name)
	case f.gone:
		return nil
	}
	switch f.Reason {
	case carriers.NotFound, carriers.BadRequest, carriers.Already:
		return c.store.CallWorked(ctx, a.Name)
	case carriers.Limited:
		f.Until = now.Add(cmp.Or(f.rest, restAfterLimit))
		return c.store.RestCalls(ctx, a.Name, f.Until)
	case carriers.Unauthorized, carriers.Unavailable:
		err := c.store.CallFailed(ctx, a.Name, time.Time{})
		if f.rest > 0 {
			f.Until = now.Add(f.rest)
			err = errors.Join(err, c.store.RestCalls(ctx, a.Name, f.Until))
		}
		return err
	}
	return fmt.Errorf("a problem that is none: %s", f.Reason)
}

// send does the request and reads the answer, of bounded size.
func (c *Client) send(ctx context.Context, a *account, r *http.Request, read func([]byte) error) *failure {
	unreached := func(err error) *failure {
		gone := errors.Is(ctx.Err(), context.Canceled)
		var dial *net.OpError
		reached := !errors.As(err, &dial) || dial.Op != "dial"
		return &failure{AskError: carriers.AskError{Reason: carriers.Unavailable, Detail: transport(err), Open: reached}, gone: gone}
	}
	res, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return unreached(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, carriers.MaxBody+1))
	switch {
	case err != nil:
		return unreached(err)
	case len(body) > carriers.MaxBody:
		return &failure{AskError: carriers.AskError{Reason: carriers.Unavailable, Detail: "an answer without end", Open: true}}
	}
	var parsing error
	if good := res.StatusCode >= 200 && res.StatusCode < 300; good {
		if parsing = read(body); parsing == nil {
			return nil
		}
	}
	problem, rest, detail := carriers.Judge(a.api, res.StatusCode, res.Header, body, parsing, time.Now())
	return &failure{AskError: carriers.AskError{Reason: problem, Detail: detail, Open: carriers.LeavesOpen(a.api, res.StatusCode, body)}, rest: rest}
}

// transport says what failed on the way, without the address: it may be long, and
// carries the number.
func transport(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		err = u.Err
	}
	return carriers.Clean(err.Error(), 200)
}

func (c *Client) note(call Call) {
	if c.observe != nil {
		c.observe(call)
	}
}
