package pages

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const pageSize = 50

func caseKinds() []order.CaseKind {
	kinds := make([]order.CaseKind, 0, len(order.CaseDefinitions))
	for _, d := range order.CaseDefinitions {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

type ordersPage struct {
	head
	Filter   store.Filter
	Filtered bool
	Statuses []choice
	Cases    []choice
	Rows     []orderRow
	Older    string // address of the next page
	Newest   string // address of the first, when this is not it
	From, To string
}

type choice struct {
	Value, Label string
	Chosen       bool
}

type orderRow struct {
	Href, Number, Store, Class    string
	Status, Summary, Tone         string
	Parcels                       int
	Carriers                      string
	Placed, Promise               stamp
	HasPromise, Late, Hold, Close bool
	What, Owner                   string
	Until                         stamp
	HasUntil                      bool
	Cases                         []string
}

func label(v string) string { return strings.ReplaceAll(v, "_", " ") }

// tone is how much a status wants to be looked at.
func tone(st order.Status) string {
	switch st {
	case order.StatusDelivered:
		return "good"
	case order.StatusLost, order.StatusReturned:
		return "bad"
	case order.StatusReturning:
		return "act"
	case order.StatusShipped, order.StatusPartiallyShipped, order.StatusPartiallyDelivered:
		return "moving"
	default:
		return "calm"
	}
}

// over says that nothing is left to promise.
func over(st order.Status) bool {
	switch st {
	case order.StatusDelivered, order.StatusReturning, order.StatusReturned, order.StatusLost, order.StatusCancelled:
		return true
	default:
		return false
	}
}

func stampOf(t, now time.Time) stamp {
	if t.IsZero() {
		return stamp{}
	}
	t = t.UTC()
	layout := "2 Jan 15:04"
	if t.Year() != now.UTC().Year() {
		layout = "2 Jan 2006 15:04"
	}
	return stamp{t.Format(layout), ago(now, t), t.Format(time.RFC3339), !t.After(now)}
}

// orderHref escapes what a path segment may not hold; an ID has a colon.
func orderHref(id string) string { return "/console/orders/" + url.PathEscape(id) }

func (s *server) orders(c echo.Context, w who) error {
	f := store.Filter{
		Store: clean(c.QueryParam("store"), 32), Status: c.QueryParam("status"), Case: c.QueryParam("case"),
		Query: clean(c.QueryParam("q"), 64), Limit: pageSize + 1,
	}
	if !slices.Contains(order.Statuses, order.Status(f.Status)) {
		f.Status = ""
	}
	if f.Case != "any" && !slices.Contains(caseKinds(), order.CaseKind(f.Case)) {
		f.Case = ""
	}
	before := c.QueryParam("before")
	if before != "" {
		cur, ok := readCursor(before)
		if !ok {
			secure(c.Response().Header())
			return c.Redirect(http.StatusSeeOther, "/console/orders?"+query(f, ""))
		}
		f.Before = cur
	}
	list, err := s.Store.Orders(c.Request().Context(), f)
	if err != nil {
		return s.consoleError(c, w, "orders", err)
	}
	now := s.Now()
	p := ordersPage{head: s.head(w, "Orders", "orders"), Filter: f, Filtered: f.Store != "" || f.Status != "" || f.Case != "" || f.Query != ""}
	for _, st := range order.Statuses {
		p.Statuses = append(p.Statuses, choice{string(st), label(string(st)), f.Status == string(st)})
	}
	p.Cases = append(p.Cases, choice{"any", "any open case", f.Case == "any"})
	for _, k := range caseKinds() {
		p.Cases = append(p.Cases, choice{string(k), label(string(k)), f.Case == string(k)})
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		last := list[pageSize-1]
		p.Older = "/console/orders?" + query(f, cursor(store.Cursor{PlacedAt: last.PlacedAt, ID: last.ID}))
	}
	if before != "" {
		p.Newest = "/console/orders?" + query(f, "")
	}
	for _, o := range list {
		r := orderRow{
			Href: orderHref(o.ID), Number: clean(o.Number, 64), Store: o.Store, Status: label(o.Status), Summary: clean(o.Summary, 120), Tone: tone(order.Status(o.Status)),
			Parcels: o.Parcels, Placed: stampOf(o.PlacedAt, now), Late: o.Late, Hold: o.OnHold, Close: o.Closed,
			What: clean(o.NextWhat, 120), Owner: o.NextOwner,
		}
		if o.Class != string(order.Routine) {
			r.Class = label(o.Class)
		}
		// A summary that only repeats the status says nothing.
		if strings.HasSuffix(strings.ToLower(r.Summary), r.Status) || o.OnHold && r.Summary == "On hold" {
			r.Summary = ""
		}
		var names []string
		for _, k := range o.Carriers {
			names = append(names, carrierName(k))
		}
		r.Carriers = strings.Join(names, ", ")
		for _, k := range o.OpenCases {
			r.Cases = append(r.Cases, label(k))
		}
		if o.PromisedAt != nil {
			r.Promise, r.HasPromise = stampOf(*o.PromisedAt, now), true
			if over(order.Status(o.Status)) {
				r.Promise.Rel = "" // nobody waits for it any more
			}
		}
		if o.NextUntil != nil {
			r.Until, r.HasUntil = stampOf(*o.NextUntil, now), true
		}
		p.Rows = append(p.Rows, r)
	}
	if n := len(p.Rows); n > 0 {
		p.From, p.To = p.Rows[0].Placed.Abs, p.Rows[n-1].Placed.Abs
	}
	return s.render(c, http.StatusOK, "orders", p)
}

func query(f store.Filter, before string) string {
	q := url.Values{}
	for k, v := range map[string]string{"store": f.Store, "status": f.Status, "case": f.Case, "q": f.Query, "before": before} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return q.Encode()
}

func cursor(k store.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(k.PlacedAt.UTC().Format(time.RFC3339Nano) + " " + k.ID))
}

func readCursor(s string) (store.Cursor, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	at, id, found := strings.Cut(string(raw), " ")
	t, err2 := time.Parse(time.RFC3339Nano, at)
	return store.Cursor{PlacedAt: t, ID: id}, err == nil && err2 == nil && found && id != ""
}

func (s *server) consoleError(c echo.Context, w who, what string, err error) error {
	s.Log.Error("console: "+what, "err", err)
	return s.render(c, http.StatusServiceUnavailable, "console-message", messagePage{s.head(w, "Not reachable", ""), "The database did not answer.",
		"Nothing is lost: orders go on without it. Reload in a moment; the log has the error."})
}

type messagePage struct {
	head
	What, Next string
}
