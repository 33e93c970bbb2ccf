package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// form is one act that the order page offers. With a refusal it comes back as it
// was typed, so that nobody types twice.
type form struct {
	Href, Act, Of string // Of: the ID of a case, a remedy or a parcel
	Wait          acts.WaitName
	Seen          string // how its subject stood on the page
	Choices       []choice
	Rows          []formRow // of a form about several lines
	Until         bool      // some choice needs an end
	Currency      string    // some choice takes an amount
	Holds         bool      // some choice takes a pickup point
	typed
	Open  bool
	Error string
}

type typed struct {
	Choice, By, Amount, Reason, Text, Assignee, Reference, Point string
	Carrier, Tracking, Serial, Photos, Latest                    string
	Weight, Length, Width, Height                                string
}

// did are the words of an act that was done, for the page after it.
var did = map[string]string{
	"assign": "The case is assigned.", "note": "The note is written.", "resolve": "The case is resolved.", "reopen": "The case is open again.",
	"extend": "The wait has a new end.", "fire": "The wait has ended.", "not-received": "It is reported as not received.",
	"merge":  "The order ended as a duplicate. Its parcels that are under way go on in the other one.",
	"decide": "Your word on it counts.", "end": "It is recorded.",
	"request-return": "The return is requested.", "take-in": "The parcel is taken in: inspect it.", "decide-return": "The return is decided.", "ship-return": "It is recorded how the return comes.",
	"ask-label": "The carrier is asked for a label.", "ask-pickup": "The carrier is asked to come.", "end-booking": "It is recorded.",
	"inspect-return": "It is graded.", "dispose-return": "It is decided what follows.", "send-back": "It is recorded as sent back.", "cancel-return": "The return is ended.",
	"told": "What the carrier said is recorded.",
}

// subject of the form's act, as the page shows it.
func (f *form) subject(v order.View) string {
	blank := *f
	blank.typed = typed{}
	r, _ := blank.request("", time.Time{})
	return r.Subject(v)
}

const untilLayout = "2006-01-02T15:04"

// request is what was typed, as it is asked. An error is a word to the person.
func (f *form) request(me string, now time.Time) (acts.Request, error) {
	var bad error
	moment := func(text string) (t time.Time) {
		if text == "" {
			return t
		}
		t, err := time.Parse(untilLayout, text)
		if err != nil {
			bad = errors.New("until: must be a day and a time, like " + now.Add(24*time.Hour).UTC().Format(untilLayout))
		}
		return t
	}
	until := func() time.Time { return moment(f.By) }
	box := func() order.Package {
		p, err := f.box()
		if err != nil {
			bad = err
		}
		return p
	}
	amount := func() int64 {
		n, err := hundredths(f.Amount)
		if err != nil {
			bad = err
		}
		return n
	}
	var r acts.Request
	switch f.Act {
	case "assign":
		to := f.Assignee
		switch f.Choice {
		case "me":
			to = me
		case "team":
			to = ""
		}
		r = acts.AssignCase(f.Of, to, "")
	case "note":
		r = acts.NoteCase(f.Of, f.Text)
	case "resolve":
		how, by := order.Resolution(f.Choice), until()
		if !how.NeedsUntil() {
			by = time.Time{}
		}
		n := amount()
		if how != order.Refund {
			n = 0
		}
		point := f.Point
		if how != order.HoldAtLocation {
			point = ""
		}
		r = acts.ResolveCase(f.Of, how, by, n, point, f.Reason)
	case "reopen":
		r = acts.ReopenCase(f.Of, f.Reason)
	case "extend":
		r = acts.ExtendWait(f.Wait, until(), f.Reason)
	case "fire":
		r = acts.FireWait(f.Wait, f.Reason)
	case "not-received":
		r = acts.ReportNotReceived(f.Of, f.Reason)
	case "decide":
		r = acts.DecideRemedy(f.Of, f.Choice == "agree", f.Reason)
	case "merge":
		r = acts.MergeInto(f.Text, f.Reason)
	case "end":
		r = acts.EndRemedy(f.Of, f.Choice == "confirmed", amount(), f.Reference, f.Reason)
	case "request-return":
		var lines []order.ReturnLine
		lines, bad = f.returnLines()
		r = acts.RequestReturn("", lines, box(), f.Reason)
	case "take-in":
		r = acts.RequestReturn(f.Of, nil, order.Package{}, f.Reason)
	case "decide-return":
		r = acts.DecideReturn(f.Of, f.Choice == "agree", f.Reason)
	case "ship-return":
		r = acts.ShipReturn(f.Of, f.Carrier, f.Tracking, until(), f.Reason)
	case "ask-label":
		r = acts.AskLabel(f.Of, f.Carrier, box(), f.Reason)
	case "ask-pickup":
		r = acts.AskPickup(f.Of, f.Carrier, until(), moment(f.Latest), box(), f.Reason)
	case "end-booking":
		id, booking, _ := strings.Cut(f.Of, " ")
		r = acts.EndBooking(id, booking, f.Reason)
	case "void-booking":
		id, booking, _ := strings.Cut(f.Of, " ")
		r = acts.VoidBooking(id, booking, f.Reason)
	case "inspect-return":
		var found order.Finding
		found, bad = f.finding()
		r = acts.InspectReturn(f.Of, []order.Finding{found}, f.Reason)
	case "dispose-return":
		r = acts.DisposeReturn(f.Of, f.disposals(), f.Reason)
	case "send-back":
		r = acts.SendReturnBack(f.Of, f.Carrier, f.Tracking, f.Reason)
	case "cancel-return":
		r = acts.CancelReturn(f.Of, f.Reason)
	case "told":
		r = acts.EndInstruction(f.Of, f.Choice == "done", f.Reference, f.Reason)
	default:
		return acts.Request{Subject: func(order.View) string { return "" }}, errors.New("there is no such form")
	}
	return r, bad
}

// hundredths reads 12, 12.5 or 12,50 as an amount; empty: none.
func hundredths(s string) (int64, error) {
	if s = strings.TrimSpace(strings.ReplaceAll(s, ",", ".")); s == "" {
		return 0, nil
	}
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole+(part + "00")[:2], 10, 52)
	if err != nil || len(part) > 2 || whole == "" {
		return 0, errors.New("amount: must be a number like 12.50")
	}
	return int64(n), nil
}

// read takes a form out of what was posted.
func readForm(c echo.Context) *form {
	v := func(name string, most int) string { return clean(c.FormValue(name), most) }
	return &form{Act: v("act", 20), Of: v("of", 120), Seen: c.FormValue("seen"), Rows: readRows(c.Request().PostForm),
		Wait: acts.WaitName{Kind: order.WaitKind(v("kind", 40)), Parcel: v("parcel", 40), Case: order.CaseKind(v("case", 40))},
		typed: typed{Choice: v("choice", 40), By: v("by", 20), Amount: v("amount", 20), Reason: v("reason", 2000), Text: v("text", 2000), Assignee: v("assignee", 60),
			Reference: v("reference", 100), Point: v("point", 40), Carrier: strings.ToLower(v("carrier", 40)), Tracking: strings.ToUpper(strings.ReplaceAll(v("tracking", 60), " ", "")), Serial: v("serial", 20), Photos: v("photos", 600), Latest: v("latest", 20),
			Weight: v("weight", 12), Length: v("length", 12), Width: v("width", 12), Height: v("height", 12)}}
}

// same says whether two forms are about the same.
func (f *form) same(o *form) bool { return f.Act == o.Act && f.Of == o.Of && f.Wait == o.Wait }

// act carries out a form of the order page. What the order refuses, or what has
// changed since the page was drawn, comes back beside the form; nothing is
// overwritten.
func (s *server) act(c echo.Context, w who) error {
	ctx := c.Request().Context()
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 64<<10)
	f := readForm(c)
	role, may, ok := s.roleNow(ctx, w)
	if !ok || s.Desk == nil {
		return s.render(c, http.StatusForbidden, "console-message", messagePage{s.head(w, "Not with this key", "orders"), "This key may not act any more.", "It was revoked, has expired or has lost its scopes. Sign out, and in again with another one."})
	}
	o, err := s.Store.Order(ctx, pathID(c))
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder2(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "order", err)
	}
	r, bad := f.request(w.Actor, s.Now())
	status := http.StatusUnprocessableEntity
	if is := r.Subject(order.ViewOf(o.Current())); bad == nil && is != f.Seen {
		status, bad = http.StatusConflict, errors.New("This has changed since you saw it. Now: "+is+". Nothing was done: look again, and send it once more if it still holds.")
	}
	by := may[0]
	if bad == nil && f.Act == "merge" { // its event asks the other order: it must not be tried
		if slices.Contains(may, order.Support) {
			by = order.Support
		}
		var into store.Order
		if into, bad = s.Store.Order(ctx, f.Text); errors.Is(bad, store.ErrNotFound) {
			bad = &order.Refusal{Reason: "There is no order " + f.Text + "."}
		}
		r = s.Desk.Merge(o, into, f.Reason)
	} else if bad == nil {
		by = s.voice(ctx, o, w, may, r)
	}
	if bad == nil {
		_, bad = s.Desk.Do(ctx, o, acts.Asker{Actor: w.Actor, Role: role, By: by, Trace: c.Response().Header().Get(echo.HeaderXRequestID)}, "", r)
	}
	switch {
	case bad == nil:
		secure(c.Response().Header())
		href := orderHref(o.Spec.ID)
		if f.Act == "inspect-return" {
			href = inspectHref(o.Spec.ID, f.Of, "")
		}
		return c.Redirect(http.StatusSeeOther, href+"?did="+url.QueryEscape(f.Act))
	case errors.As(bad, new(*order.Refusal)):
		f.Error = bad.Error()
	case errors.Is(bad, workflows.ErrNotRunning):
		status, f.Error = http.StatusConflict, "The order is closed: nothing can be asked of it."
	case errors.Is(bad, workflows.ErrUnavailable), errors.Is(bad, context.DeadlineExceeded):
		status, f.Error = http.StatusServiceUnavailable, "The order did not answer in time. It may have been done all the same: look at the page before you send it again."
	case status == http.StatusConflict, errors.Unwrap(bad) == nil:
		f.Error = bad.Error()
	default:
		s.Log.Error("console: act", "act", f.Act, "order", o.Spec.ID, "err", bad)
		status, f.Error = http.StatusInternalServerError, "Something went wrong on our side; the log has the error."
	}
	if fresh, err := s.Store.Order(ctx, o.Spec.ID); err == nil {
		o = fresh // as it is after the refusal
	}
	if f.Act == "inspect-return" {
		return s.showInspection(c, w, o, f.Of, status, f)
	}
	return s.showOrder(c, w, o, status, f)
}

// roleNow is the role of the session and whose word it can speak, if its key still
// has it: a key may have been revoked since. Tickets are no keys and hold until they
// end.
func (s *server) roleNow(ctx context.Context, w who) (role string, may []order.Source, ok bool) {
	if s.Scopes == nil || !strings.HasPrefix(w.Actor, "key:") {
		return w.Role, sourcesOf([]string{w.Role}), true
	}
	scopes, ok := s.Scopes(ctx, w.Actor)
	role = mightiest(scopes)
	return role, sourcesOf(scopes), ok && role != ""
}

// voice is as whom somebody asks who may speak for several: the first whom the order
// does not refuse for who it is.
func (s *server) voice(ctx context.Context, o store.Order, w who, may []order.Source, r acts.Request) order.Source {
	st := o.Current().At(s.Now())
	first := may[0]
	for i := len(may) - 1; i >= 0; i-- {
		e, _, err := r.Event(ctx, order.Meta{By: may[i], Actor: w.Actor, Reason: r.Reason})
		if err == nil {
			err = order.Check(st, e)
		}
		var no *order.Refusal
		if err == nil || errors.As(err, &no) && no.Field != "by" {
			first = may[i]
		}
	}
	return first
}

func pathID(c echo.Context) string {
	id := c.Param("id")
	if raw, err := url.PathUnescape(id); err == nil && c.Request().URL.RawPath != "" {
		id = raw // echo matched the escaped path: acme%3A1001
	}
	return id
}

func (s *server) noOrder2(c echo.Context, w who) error {
	return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "No such order", "orders"), "There is no order “" + clean(pathID(c), 80) + "”.", "An order's ID is store:number. Search the list by its number or tracking number."})
}

// actions puts the forms beside what they are about. The posted one, if there
// is one, keeps what was typed and why it was refused.
func (p *detailPage) actions(st *order.State, v order.View, me string, may []order.Source, posted *form, now time.Time) {
	shown := false
	offer := func(f form) *form {
		f.Href, f.Seen = orderHref(v.ID)+"/act", f.subject(v)
		if posted != nil && posted.same(&f) {
			f.typed, f.Error, f.Open, shown = posted.typed, posted.Error, true, true
			for i := range f.Choices {
				f.Choices[i].Chosen = f.Choices[i].Value == posted.Choice
			}
			for i := range f.Rows {
				for _, r := range posted.Rows {
					if r.SKU == f.Rows[i].SKU && r.Grade == f.Rows[i].Grade {
						f.Rows[i].rowTyped = r.rowTyped
					}
				}
			}
		}
		return &f
	}
	for _, rows := range [][]waitRow{p.Waiting, p.MoreWaiting} {
		for i := range rows {
			w := &rows[i]
			if w.Movable {
				w.Extend, w.Fire = offer(form{Act: "extend", Wait: w.name}), offer(form{Act: "fire", Wait: w.name})
			}
		}
	}
	for _, rows := range [][]caseRow{p.Cases, p.MoreCases} {
		for i := range rows {
			k := &rows[i]
			if k.ID == "" {
				continue // of older rules
			}
			resolve := form{Act: "resolve", Of: k.ID}
			for _, r := range k.legal {
				resolve.Choices = append(resolve.Choices, choice{string(r), resolutionWords[r], false})
				resolve.Until, resolve.Holds = resolve.Until || r.NeedsUntil(), resolve.Holds || r == order.HoldAtLocation
				if r == order.Refund {
					resolve.Currency = st.Spec.Currency
				}
			}
			if len(resolve.Choices) > 0 {
				k.Resolve = offer(resolve)
			}
			k.Note, k.Assign, k.Mine = offer(form{Act: "note", Of: k.ID}), offer(form{Act: "assign", Of: k.ID}), k.Assignee == me
		}
	}
	for i := range p.Ended {
		p.Ended[i].Reopen = offer(form{Act: "reopen", Of: p.Ended[i].ID})
	}
	support := slices.Contains(may, order.Support)
	for i := range p.Remedies {
		r := &p.Remedies[i]
		if !support {
			break
		}
		switch r.state {
		case order.ToApprove:
			r.Own = r.AskedBy == me
			r.Decide = offer(form{Act: "decide", Of: r.ID, Choices: []choice{{"agree", "Agree", false}, {"decline", "Decline", false}}})
			if r.Own {
				r.Decide.Choices = r.Decide.Choices[1:]
			}
		case order.Requested:
			r.End = offer(form{Act: "end", Of: r.ID, Currency: st.Spec.Currency, Choices: []choice{{"confirmed", "It was done", false}, {"declined", "It was declined", false}}})
		case order.Confirmed, order.Declined:
		}
	}
	for i := range p.Instructions {
		if r := &p.Instructions[i]; r.state == order.InstructionByHand {
			r.End = offer(form{Act: "told", Of: r.ID, Choices: []choice{{"done", "The carrier will do it", false}, {"declined", "It cannot be done", false}}})
		}
	}
	for _, rows := range [][]parcelRow{p.Parcels, p.Settled} {
		for i := range rows {
			e := order.ReportNotReceived{Meta: order.Meta{By: order.Support}, Parcel: rows[i].ID}
			if support && order.WouldGrant(st, now, e) == nil {
				rows[i].Missing = offer(form{Act: "not-received", Of: rows[i].ID})
			}
		}
	}
	if st.CheckDuplicate() == nil && slices.Contains(may, order.Support) {
		p.Merge = offer(form{Act: "merge"})
	}
	p.returnForms(st, v, may, offer, now)
	if posted != nil {
		p.Refused = posted.Error
		if !shown { // what it was about is gone: what was typed must not be
			p.Lost = strings.Join(slices.DeleteFunc([]string{posted.Choice, posted.By, posted.Amount, posted.Assignee, posted.Reference, posted.Point, posted.Text, posted.Reason}, func(s string) bool { return s == "" }), " · ")
		}
	}
}

var resolutionWords = map[order.Resolution]string{
	order.WaitOn: "Give it more time", order.Arranged: "Something is arranged", order.Redeliver: "Have the carrier try again on a day", order.HoldAtLocation: "Have the carrier hold it for pickup", order.Redirect: "Have the carrier bring it to the corrected address", order.ReturnToSender: "Have the carrier bring it back",
	order.CancelParcel: "Do not send it", order.DeclareLost: "It is lost", order.DeclareDelivered: "It is delivered",
	order.Refund: "Refund", order.Replace: "Send a replacement", order.Claim: "Claim from the carrier", order.EndReturn: "Call the return off", order.Dismiss: "Nothing needs to be done",
}
