package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

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
}

type waitRow struct {
	First                                     bool
	What, Parcel, Rule, Owner, Then, CutShort string
	Since, Until                              stamp
}

type caseRow struct {
	Kind, Parcel, Owner, Text string
	Opened, Due               stamp
	Level                     int
}

type parcelRow struct {
	ID, Milestone, Tone               string
	Carrier, Service, Tracking, Place string
	Attempts                          int
	Since, ETA, Possession, Movement  stamp
	Contents                          string
	Reached                           []reachedRow
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
	ctx := c.Request().Context()
	id := c.Param("id")
	if raw, err := url.PathUnescape(id); err == nil && c.Request().URL.RawPath != "" {
		id = raw // echo matched the escaped path: acme%3A1001
	}
	o, err := s.Store.Order(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "No such order", "orders"), "There is no order “" + clean(id, 80) + "”.", "An order's ID is store:number. Search the list by its number or tracking number."})
	}
	if err != nil {
		return s.consoleError(c, w, "order", err)
	}
	entries, err := s.Store.Timeline(ctx, o.Spec.ID, detailEntries)
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
	p.Tracking = s.Links.Tracking(o.Spec.ID)
	if s.Links.TemporalUIURL != "" {
		p.History = s.Links.History(o.Spec.ID)
	}
	return s.render(c, http.StatusOK, "order", p)
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
	if strings.HasSuffix(strings.ToLower(p.Summary), p.Status) || p.OnHold && p.Summary == "On hold" {
		p.Summary = ""
	}
	if st.Hold != nil {
		p.HoldReason, p.HoldSince, p.HoldUntil = clean(st.Hold.Reason, 500), stampOf(st.Hold.Since, now), stampOf(st.Hold.Until, now)
	}
	for i, x := range v.Waiting {
		p.Waiting = append(p.Waiting, waitRow{i == 0, clean(x.What, 200), x.Parcel, x.Rule, string(x.Owner), x.Then, x.CutShort, stampOf(x.Since, now), stampOf(x.Until, now)})
	}
	for _, k := range v.Cases {
		p.Cases = append(p.Cases, caseRow{label(string(k.Kind)), k.Parcel, string(k.Owner), clean(k.Text, 300), stampOf(k.OpenedAt, now), stampOf(k.Due, now), k.Level})
	}
	if len(p.Waiting) > openCards+1 {
		p.Waiting, p.MoreWaiting = p.Waiting[:openCards], p.Waiting[openCards:]
	}
	if len(p.Cases) > openCards+1 {
		p.Cases, p.MoreCases = p.Cases[:openCards], p.Cases[openCards:]
	}
	for i := range v.Parcels {
		x := &v.Parcels[i]
		r := parcelRow{ID: x.ID, Milestone: label(string(x.Milestone)), Tone: string(parcelWords(x, "", lens{now: now, home: time.UTC}).Mood), Carrier: carrierName(x.Carrier), Service: clean(x.Service, 40),
			Tracking: clean(x.Tracking, 40), Place: clean(x.LastPlace, 120), Attempts: x.Attempts, Since: stampOf(x.Since, now), ETA: stampOf(x.ETA, now),
			Possession: stampOf(x.PossessionAt, now), Movement: stampOf(x.LastMovement, now)}
		var in []string
		for _, a := range x.Lines {
			if len(in) == 8 {
				in = append(in, fmt.Sprintf("and %d more", len(x.Lines)-8))
				break
			}
			in = append(in, fmt.Sprintf("%d × %s", a.Quantity, clean(a.SKU, 60)))
		}
		r.Contents = strings.Join(in, ", ")
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
