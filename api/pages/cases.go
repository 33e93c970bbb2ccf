package pages

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// casesPage is the work list: what people must do, the earliest due first.
type casesPage struct {
	head
	Queues            []queueTab
	Filter            store.CaseFilter
	Filtered, Mine    bool
	Kinds, Severities []choice
	Rows              []workRow
	Later, First      string // addresses of the next page and the first
}

type queueTab struct {
	Href, Name string
	Open, Due  int
	Chosen     bool
}

type workRow struct {
	Href, Kind, Order, Parcel, Owner, Severity, Tone, Assignee, Text string
	Due, Opened                                                      stamp
	Level                                                            int
	Told                                                             bool
}

// severityTone is how much a severity wants to be looked at.
func severityTone(s string) string {
	switch order.Severity(s) {
	case order.Critical:
		return "bad"
	case order.Urgent:
		return "act"
	case order.Normal, order.Minor:
	}
	return ""
}

func (s *server) cases(c echo.Context, w who) error {
	f := store.CaseFilter{Owner: c.QueryParam("owner"), Kind: c.QueryParam("kind"), Severity: c.QueryParam("severity"), Assignee: clean(c.QueryParam("assignee"), 60),
		Store: clean(c.QueryParam("store"), 32), Limit: pageSize + 1}
	if !slices.Contains(order.Teams, order.Team(f.Owner)) {
		f.Owner = ""
	}
	if !slices.Contains(caseKinds(), order.CaseKind(f.Kind)) {
		f.Kind = ""
	}
	if !slices.Contains(order.Severities, order.Severity(f.Severity)) {
		f.Severity = ""
	}
	after := c.QueryParam("after")
	if after != "" {
		at, ok := readCaseCursor(after)
		if !ok {
			secure(c.Response().Header())
			return c.Redirect(http.StatusSeeOther, caseHref(f, ""))
		}
		f.After = at
	}
	ctx, now := c.Request().Context(), s.Now()
	list, err := s.Store.Cases(ctx, f)
	if err != nil {
		return s.consoleError(c, w, "cases", err)
	}
	queues, err := s.Store.Queues(ctx, now)
	if err != nil {
		return s.consoleError(c, w, "queues", err)
	}
	p := casesPage{head: s.head(w, "Cases", "cases"), Filter: f, Filtered: f.Kind != "" || f.Severity != "" || f.Assignee != "" || f.Store != "", Mine: f.Assignee == w.Actor}
	all := queueTab{Href: caseHref(store.CaseFilter{}, ""), Name: "all teams", Chosen: f.Owner == ""}
	for _, team := range order.Teams {
		t := queueTab{Href: caseHref(store.CaseFilter{Owner: string(team)}, ""), Name: string(team), Chosen: f.Owner == string(team)}
		for _, q := range queues {
			if q.Owner == t.Name {
				t.Open, t.Due = q.Open, q.Due
				all.Open, all.Due = all.Open+q.Open, all.Due+q.Due
			}
		}
		p.Queues = append(p.Queues, t)
	}
	p.Queues = append([]queueTab{all}, p.Queues...)
	for _, k := range caseKinds() {
		p.Kinds = append(p.Kinds, choice{string(k), label(string(k)), f.Kind == string(k)})
	}
	for _, k := range order.Severities {
		p.Severities = append(p.Severities, choice{string(k), string(k), f.Severity == string(k)})
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		p.Later = caseHref(f, caseCursor(list[pageSize-1].Cursor()))
	}
	if after != "" {
		p.First = caseHref(f, "")
	}
	for _, r := range list {
		href := orderHref(r.OrderID)
		if r.ID != "" {
			href += "#" + url.PathEscape(r.ID)
		}
		p.Rows = append(p.Rows, workRow{Href: href, Kind: label(r.Kind), Order: clean(r.OrderID, 100), Parcel: r.Parcel, Owner: r.Owner, Severity: r.Severity, Tone: severityTone(r.Severity),
			Assignee: clean(r.Assignee, 60), Text: clean(r.Text, 300), Due: stampOf(r.Due, now), Opened: stampOf(r.OpenedAt, now), Level: r.Level, Told: r.NoticedAt != nil})
	}
	return s.render(c, http.StatusOK, "cases", p)
}

func caseHref(f store.CaseFilter, after string) string {
	q := url.Values{}
	for k, v := range map[string]string{"owner": f.Owner, "kind": f.Kind, "severity": f.Severity, "assignee": f.Assignee, "store": f.Store, "after": after} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return "/console/cases"
	}
	return "/console/cases?" + q.Encode()
}

func caseCursor(k store.CaseCursor) string {
	b, _ := json.Marshal([]string{k.Due.UTC().Format(time.RFC3339Nano), k.OrderID, k.Kind, k.Parcel})
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCaseCursor(s string) (k store.CaseCursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	var parts [4]string
	if err != nil || json.Unmarshal(raw, &parts) != nil {
		return k, false
	}
	for _, p := range parts {
		if clean(p, 200) != p {
			return k, false
		}
	}
	due, err := time.Parse(time.RFC3339Nano, parts[0])
	return store.CaseCursor{Due: due, OrderID: parts[1], Kind: parts[2], Parcel: parts[3]}, err == nil
}
