package pages

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const (
	detailEntries = 10_000
	openEntries   = 500 // shown at first, the newest
	openCards     = 12  // of waits and cases, the rest is folded; of many parcels, those that need nothing
	// lag from which the time of receipt is worth a look
	lag = 10 * time.Minute
)

type detailPage struct {
	head
	ID, Number, Store, Class      string
	Status, Tone, Summary         string
	Late, OnHold, Closed, Unsaved bool
	HoldReason                    string
	HoldSince, HoldUntil          stamp
	Placed                        stamp
	Promise, Delivered, Cancelled stamp
	Updated                       stamp
	Waiting, MoreWaiting          []waitRow
	Cases, MoreCases              []caseRow
	Parcels, Settled              []parcelRow
	Lines                         []lineRow
	Entries                       []entryRow
	Total                         int    // entries there are
	All                           string // address of the page with all of them
	Tracking, History             string
	Policy                        string
	Rules, Anomalies              int
	Seq                           int64
	Ended                         []endedRow
	Instructions                  []instructionRow
	Remedies                      []remedyRow
	Messages                      []messageRow
	MergedInto, MergedHref        string
	Merge                         *form
	Returns                       []returnRow
	AskReturn                     *form
	Replaces                      *orderLink
	ReplacedBy                    []orderLink
	Did, Refused, Lost            string // what came of a form; Lost is what was typed into one that is gone
}

// orderLink leads to another order.
type orderLink struct{ ID, Href string }

type waitRow struct {
	First, Movable bool
	Text, Owner    string
	Until          stamp
	name           acts.WaitName
	Extend, Fire   *form
}

type caseRow struct {
	ID, Kind, Parcel, Owner, Text, Severity, SeverityTone, Assignee string
	Opened, Due, Notice, Noticed                                    stamp
	Level                                                           int
	Pinned, Mine                                                    bool
	Notes                                                           []noteRow
	legal                                                           []order.Resolution
	Resolve, Note, Assign                                           *form
}

type noteRow struct {
	At          stamp
	Actor, Text string
}

type endedRow struct {
	ID, Kind, Parcel, How, Actor, Reason string
	At                                   stamp
	Reopen                               *form
}

// instructionRow is what a carrier was told, with the form for what it said.
type instructionRow struct {
	ID, Kind, Parcel, State, Tone string
	Point, AskedBy                string
	Reason, Reference             string
	Day, Asked, EndedAt           stamp
	End                           *form
	state                         order.InstructionState
}

type remedyRow struct {
	ID, Kind, Parcel, State, Tone, Amount, AskedBy, ApprovedBy, Reference, Reason string
	Asked, EndedAt                                                                stamp
	Own                                                                           bool // asked for by who looks at it
	state                                                                         order.RemedyState
	Decide, End                                                                   *form
}

type parcelRow struct {
	ID, Milestone, Tone               string
	Carrier, Service, Tracking, Place string
	Attempts                          int
	Since, ETA, Possession, Movement  stamp
	Contents, From, MovedTo           string
	Proof, ProofHref                  string // of its delivery
	Reached                           []reachedRow
	Missing, TakeIn                   *form
}

type reachedRow struct {
	Milestone string
	At        stamp
	Now       bool
}

type lineRow struct {
	SKU, Name                                         string
	Ordered, Unplanned, Shipped, Delivered, Cancelled int
}

type entryRow struct {
	At                                      stamp
	Local, Received, Basis                  string
	Source, Parcel, What, Code, Place, Text string
	Note, Actor, EventID                    string
	Own                                     bool // told by the order, not from outside
	Tone                                    string
}

func (s *server) orderPage(c echo.Context, w who) error {
	o, err := s.Store.Order(c.Request().Context(), pathID(c))
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder2(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "order", err)
	}
	return s.showOrder(c, w, o, http.StatusOK, nil)
}

// showOrder draws the order's page, with a form that was refused if there is one.
func (s *server) showOrder(c echo.Context, w who, o store.Order, status int, posted *form) error {
	entries, err := s.Store.Timeline(c.Request().Context(), o.Spec.ID, detailEntries)
	if err != nil {
		return s.consoleError(c, w, "timeline", err)
	}
	show := openEntries
	if c.QueryParam("all") != "" {
		show = detailEntries
	}
	p := detailOf(o, entries, show, s.Now())
	if len(p.Entries) < p.Total {
		p.All = orderHref(o.Spec.ID) + "?all=1"
	}
	p.head = s.head(w, "Order "+p.Number, "orders")
	p.Messages = s.messagesOf(c.Request().Context(), o.Spec.ID)
	p.Tracking = s.Links.Tracking(o.Spec.ID)
	if s.Links.TemporalUIURL != "" {
		p.History = s.Links.History(o.Spec.ID)
	}
	if s.Desk != nil && !p.Unsaved {
		_, may, _ := s.roleNow(c.Request().Context(), w)
		p.actions(o.Current(), order.ViewOf(o.Current()), w.Actor, may, posted, s.Now())
	}
	by, err := s.Store.ReplacedBy(c.Request().Context(), o.Spec.ID)
	if err != nil {
		return s.consoleError(c, w, "replaced by", err)
	}
	for _, id := range by {
		p.ReplacedBy = append(p.ReplacedBy, orderLink{clean(id, 100), orderHref(id)})
	}
	if posted == nil {
		p.Did = did[c.QueryParam("did")]
	}
	return s.render(c, status, "order", p)
}

func detailOf(o store.Order, entries []store.Entry, show int, now time.Time) detailPage {
	st := o.Current()
	v := order.ViewOf(st)
	p := detailPage{
		ID: v.ID, Number: clean(v.Number, 64), Store: v.Store, Class: label(string(v.Class)), Status: label(string(v.Status)), Tone: tone(v.Status), Summary: v.Summary,
		Late: v.Late, OnHold: v.OnHold, Closed: v.Closed, Unsaved: o.State == nil,
		Placed: stampOf(v.PlacedAt, now), Promise: stampOf(v.PromisedAt, now), Delivered: stampOf(v.DeliveredAt, now), Cancelled: stampOf(v.CancelledAt, now), Updated: stampOf(o.UpdatedAt, now),
		Policy: v.Policy, Rules: v.Rules, Anomalies: v.Anomalies, Seq: v.Seq, Total: len(entries),
	}
	if v.MergedInto != "" {
		p.MergedInto, p.MergedHref = clean(v.MergedInto, 100), orderHref(v.MergedInto)
	}
	if strings.HasSuffix(strings.ToLower(p.Summary), p.Status) || p.OnHold && p.Summary == "On hold" {
		p.Summary = ""
	}
	if st.Hold != nil {
		p.HoldReason, p.HoldSince, p.HoldUntil = clean(st.Hold.Reason, 500), stampOf(st.Hold.Since, now), stampOf(st.Hold.Until, now)
	}
	for i, x := range v.Waiting {
		p.Waiting = append(p.Waiting, waitRow{First: i == 0, Movable: x.Movable, Text: clean(x.Text, 1000), Owner: string(x.Owner), Until: stampOf(x.Until, now),
			name: acts.WaitName{Kind: x.Kind, Parcel: x.Parcel, Case: x.Case}})
	}
	for _, k := range v.Cases {
		r := caseRow{ID: k.ID, Kind: label(string(k.Kind)), Parcel: k.Parcel, Owner: string(k.Owner), Text: clean(k.Text, 800), Severity: string(k.Severity), Assignee: clean(k.Assignee, 60),
			Opened: stampOf(k.OpenedAt, now), Due: stampOf(k.Due, now), Noticed: stampOf(k.NoticedAt, now), Level: k.Level, Pinned: k.Pinned, legal: k.Resolutions, SeverityTone: severityTone(string(k.Severity))}
		if k.NoticedAt.IsZero() {
			r.Notice = stampOf(k.NoticeAt, now)
		}
		for _, n := range k.Notes {
			r.Notes = append(r.Notes, noteRow{stampOf(n.At, now), clean(n.Actor, 80), clean(n.Text, 500)})
		}
		p.Cases = append(p.Cases, r)
	}
	for _, d := range v.Decisions {
		r := endedRow{ID: d.Case.ID, Kind: label(string(d.Case.Kind)), Parcel: d.Case.Parcel, How: "closed by itself", Actor: clean(d.Actor, 80), Reason: clean(d.Reason, 500), At: stampOf(d.At, now)}
		if d.Resolution != "" {
			r.How = strings.ToLower(resolutionWords[d.Resolution])
		}
		p.Ended = append(p.Ended, r)
	}
	for _, x := range v.Remedies {
		r := remedyRow{ID: x.ID, Kind: string(x.Kind), Parcel: x.Parcel, State: label(string(x.State)), AskedBy: clean(x.AskedBy, 80), ApprovedBy: clean(x.ApprovedBy, 80), Reference: clean(x.Reference, 100),
			Reason: clean(x.Reason, 500), Asked: stampOf(x.AskedAt, now), EndedAt: stampOf(x.EndedAt, now), state: x.State}
		switch x.State {
		case order.ToApprove:
			r.State, r.Tone = "needs a second person", "act"
		case order.Requested:
			r.Tone = "moving"
		case order.Confirmed:
			r.Tone = "good"
		case order.Declined:
			r.Tone = "bad"
		}
		if x.Amount > 0 {
			r.Amount = order.Money(x.Amount, x.Currency)
		}
		p.Remedies = append(p.Remedies, r)
	}
	for _, r := range v.Returns {
		p.Returns = append(p.Returns, returnRowOf(r, now))
	}
	if v.Replaces != "" {
		p.Replaces = &orderLink{clean(v.Replaces, 100), orderHref(v.Replaces)}
	}
	for _, x := range v.Instructions {
		r := instructionRow{ID: x.ID, Kind: resolutionWords[x.Kind], Parcel: x.Parcel, State: label(string(x.State)), Point: clean(x.Point, 40), Day: stampOf(x.Day, now),
			AskedBy: clean(x.AskedBy, 80), Asked: stampOf(x.AskedAt, now), EndedAt: stampOf(x.EndedAt, now), Reason: clean(x.Reason, 500), Reference: clean(x.Reference, 100), state: x.State}
		switch x.State {
		case order.InstructionTold:
			r.State, r.Tone = "waits for the carrier", "moving"
		case order.InstructionByHand:
			r.State, r.Tone = "a person has to tell the carrier", "act"
		case order.InstructionAccepted:
			r.Tone = "good"
		case order.InstructionFailed:
			r.Tone = "bad"
		case order.InstructionMoot:
		}
		p.Instructions = append(p.Instructions, r)
	}
	if len(p.Waiting) > openCards+1 {
		p.Waiting, p.MoreWaiting = p.Waiting[:openCards], p.Waiting[openCards:]
	}
	if len(p.Cases) > openCards+1 {
		p.Cases, p.MoreCases = p.Cases[:openCards], p.Cases[openCards:]
	}
	for i := range v.Parcels {
		x := &v.Parcels[i]
		r := parcelRow{ID: x.ID, Milestone: label(string(x.Milestone)), Tone: string(moodOf(x.Milestone)), Carrier: carrierName(x.Carrier), Service: clean(x.Service, 40),
			Tracking: clean(x.Tracking, 40), Place: clean(x.LastPlace, 120), Attempts: x.Attempts, Since: stampOf(x.Since, now), ETA: stampOf(x.ETA, now),
			Possession: stampOf(x.PossessionAt, now), Movement: stampOf(x.LastMovement, now), From: clean(x.From, 120), MovedTo: clean(x.MovedTo, 120)}
		var in []string
		for _, a := range x.Lines {
			if len(in) == 8 {
				in = append(in, fmt.Sprintf("and %d more", len(x.Lines)-8))
				break
			}
			in = append(in, fmt.Sprintf("%d × %s", a.Quantity, clean(a.SKU, 60)))
		}
		r.Contents = strings.Join(in, ", ")
		if q := st.ParcelByID(x.ID); q != nil && !q.Proof.At.IsZero() {
			r.Proof = clean(cmp.Or(q.Proof.Held, "none"), 100)
			if q.Proof.Reference != "" {
				r.ProofHref = proofHref(v.ID, q.Proof.Reference)
			}
		}
		for _, m := range x.Reached {
			r.Reached = append(r.Reached, reachedRow{label(string(m.Milestone)), stampOf(m.At, now), m.Milestone == x.Milestone})
		}
		if len(v.Parcels) > openCards && x.Milestone.Settled() && x.Milestone != order.Lost {
			p.Settled = append(p.Settled, r)
			continue
		}
		p.Parcels = append(p.Parcels, r)
	}
	for _, x := range v.Lines {
		name := ""
		if line := st.LineBySKU(x.SKU); line != nil {
			name = clean(line.Name, 120)
		}
		p.Lines = append(p.Lines, lineRow{clean(x.SKU, 100), name, x.Quantity, x.Unplanned, x.Shipped, x.Delivered, x.Cancelled})
	}
	for i := len(entries) - 1; i >= 0 && len(p.Entries) < show; i-- { // newest first
		p.Entries = append(p.Entries, entryOf(entries[i], now))
	}
	return p
}

func entryOf(e store.Entry, now time.Time) entryRow {
	r := entryRow{At: stampOf(e.At, now), Source: e.Source, Parcel: e.Parcel, Code: clean(e.Code, 40), Place: clean(e.Location, 120), Text: clean(e.Description, 500),
		Note: clean(e.Note, 200), Actor: clean(e.Actor, 80), EventID: clean(e.EventID, 80), Own: e.Source == "order"}
	r.What = label(e.Milestone)
	if e.DeliveredTo != "" {
		r.What += " (" + label(e.DeliveredTo) + ")"
	}
	if a := e.Appointment; a != nil {
		r.Text = strings.TrimSpace(r.Text + " " + a.For + " appointment " + english.Stretch(a.Earliest.UTC(), a.Latest.UTC()) + " UTC")
	}
	if e.Held != "" {
		r.Text = strings.TrimSpace(r.Text + " (proof at the carrier: " + clean(e.Held, 100) + ")")
	}
	if e.Piece != "" {
		r.Code = strings.TrimSpace(r.Code + " piece " + clean(e.Piece, 40))
	}
	switch {
	case e.Case != "":
		r.What, r.Tone = label(e.Kind)+": "+label(e.Case), "act"
		if e.Kind == string(order.CaseClosed) {
			r.Tone = ""
		}
	case r.Own && e.Milestone != "":
		r.What = label(e.Kind) + ": " + label(e.Milestone)
	case r.Own || r.What == "":
		r.What = label(e.Kind)
	}
	if e.Kind == string(order.AnomalyFound) {
		r.Tone = "act"
	}
	if t, sure := wall(e); sure {
		r.Local = t.Format("15:04") + " " + t.Format("-07:00")
	}
	if e.TimeBasis != "" && e.TimeBasis != "offset" {
		r.Basis = label(e.TimeBasis)
	}
	if d := e.ReceivedAt.Sub(e.At); !e.ReceivedAt.IsZero() && (d > lag || d < -lag) {
		r.Received = stampOf(e.ReceivedAt, now).Abs + ", " + span(d.Abs())
		if d > 0 {
			r.Received += " later"
		} else {
			r.Received += " before"
		}
	}
	return r
}
