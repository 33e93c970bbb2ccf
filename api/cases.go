package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const noteLimit = 2000 // bytes; order.Check refuses more than 500 and says so

// act reads the body and what the path names, and asks the order.
func act[T any](s *server, c echo.Context, name string, make func(of string, body T) acts.Request) error {
	body, err := decode[T](c)
	if err != nil {
		return err
	}
	of := ""
	if name != "" {
		if of, err = param(c, name); err != nil {
			return err
		}
	}
	return s.ask(c, make(of, body))
}

type reasoned struct {
	Reason string `json:"reason"`
}

func (s *server) assignCase(c echo.Context) error {
	type body struct {
		Assignee string `json:"assignee"`
		reasoned
	}
	return act(s, c, "case", func(id string, b body) acts.Request { return acts.AssignCase(id, b.Assignee, b.Reason) })
}

func (s *server) noteCase(c echo.Context) error {
	body, err := decode[struct {
		Text string `json:"text"`
	}](c)
	if err != nil {
		return err
	}
	id, err := param(c, "case")
	if err != nil {
		return err
	}
	text := clean(body.Text, noteLimit)
	if text == "" {
		return invalid(fieldError{"text", "must have a character that can be seen"})
	}
	return s.ask(c, acts.NoteCase(id, text))
}

func (s *server) resolveCase(c echo.Context) error {
	type body struct {
		Resolution order.Resolution `json:"resolution"`
		Until      *time.Time       `json:"until"`
		Amount     int64            `json:"amount"`
		Point      string           `json:"point"`
		reasoned
	}
	return act(s, c, "case", func(id string, b body) acts.Request {
		return acts.ResolveCase(id, b.Resolution, orZero(b.Until), b.Amount, b.Point, b.Reason)
	})
}

func (s *server) reopenCase(c echo.Context) error {
	return act(s, c, "case", func(id string, b reasoned) acts.Request { return acts.ReopenCase(id, b.Reason) })
}

func (s *server) extendWait(c echo.Context) error {
	type body struct {
		acts.WaitName
		Until *time.Time `json:"until"`
		reasoned
	}
	return act(s, c, "", func(_ string, b body) acts.Request { return acts.ExtendWait(b.WaitName, orZero(b.Until), b.Reason) })
}

func (s *server) fireWait(c echo.Context) error {
	type body struct {
		acts.WaitName
		reasoned
	}
	return act(s, c, "", func(_ string, b body) acts.Request { return acts.FireWait(b.WaitName, b.Reason) })
}

func (s *server) reportNotReceived(c echo.Context) error {
	return act(s, c, "parcel", func(id string, b reasoned) acts.Request { return acts.ReportNotReceived(id, b.Reason) })
}

func (s *server) foundParcel(c echo.Context) error {
	return act(s, c, "parcel", func(id string, b reasoned) acts.Request { return acts.FoundParcel(id, b.Reason) })
}

func (s *server) decideRemedy(c echo.Context) error {
	type body struct {
		Agree bool `json:"agree"`
		reasoned
	}
	return act(s, c, "remedy", func(id string, b body) acts.Request { return acts.DecideRemedy(id, b.Agree, b.Reason) })
}

func (s *server) endRemedy(c echo.Context) error {
	body, err := decode[struct {
		Confirmed bool   `json:"confirmed"`
		Amount    int64  `json:"amount"`
		Reference string `json:"reference"`
		reasoned
	}](c)
	if err != nil {
		return err
	}
	if !printable(body.Reference) {
		return unprintable("reference")
	}
	id, err := param(c, "remedy")
	if err != nil {
		return err
	}
	return s.ask(c, acts.EndRemedy(id, body.Confirmed, body.Amount, body.Reference, body.Reason))
}

func (s *server) endInstruction(c echo.Context) error {
	body, err := decode[struct {
		Done      bool   `json:"done"`
		Reference string `json:"reference"`
		reasoned
	}](c)
	if err != nil {
		return err
	}
	if !printable(body.Reference) {
		return unprintable("reference")
	}
	id, err := param(c, "instruction")
	if err != nil {
		return err
	}
	return s.ask(c, acts.EndInstruction(id, body.Done, body.Reference, body.Reason))
}

func orZero(t *time.Time) time.Time {
	if u := utc(t); u != nil {
		return *u
	}
	return time.Time{}
}

// listCases is the work list.
func (s *server) listCases(c echo.Context) error {
	f := store.CaseFilter{Store: c.QueryParam("store"), Kind: c.QueryParam("kind"), Owner: c.QueryParam("owner"), Severity: c.QueryParam("severity"),
		Assignee: c.QueryParam("assignee"), Limit: listLimit}
	if err := s.boundTo(c, &f.Store); err != nil {
		return err
	}
	if v := c.QueryParam("due_before"); v != "" {
		f.DueBefore, _ = parseTime(v) // the contract has been checked
	}
	if v := c.QueryParam("limit"); v != "" {
		f.Limit, _ = strconv.Atoi(v)
	}
	if v := c.QueryParam("cursor"); v != "" {
		after, ok := parseCaseCursor(v)
		if !ok {
			return invalid(fieldError{"cursor", "is not one that a page named"})
		}
		f.After = after
	}
	list, err := s.store.Cases(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := struct {
		Cases []store.CaseRow `json:"cases"`
		Next  string          `json:"next,omitempty"`
	}{Cases: append([]store.CaseRow{}, list...)}
	if n := len(list); n >= f.Limit { // a full page: there may be more
		page.Next = formatCaseCursor(list[n-1].Cursor())
	}
	return c.JSON(http.StatusOK, page)
}

// boundTo narrows a list to the store of the caller's key, if it has one.
func (s *server) boundTo(c echo.Context, storeID *string) error {
	if bound := callerOf(c).key.Store; bound != "" && *storeID == "" {
		*storeID = bound
	}
	if *storeID == "" {
		return nil
	}
	return callerOf(c).forStore(*storeID)
}

func formatCaseCursor(k store.CaseCursor) string {
	b, _ := json.Marshal([]string{k.Due.UTC().Format(time.RFC3339Nano), k.OrderID, k.Kind, k.Parcel})
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCaseCursor(s string) (k store.CaseCursor, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	var parts [4]string
	if err != nil || json.Unmarshal(b, &parts) != nil {
		return k, false
	}
	due, err := parseTime(parts[0])
	for _, p := range parts {
		if !printable(p) {
			return k, false
		}
	}
	return store.CaseCursor{Due: due, OrderID: parts[1], Kind: parts[2], Parcel: parts[3]}, err == nil
}

// A bulk act asks each order by itself. So many at once; the rest of a request's
// time goes to waiting for them.
const (
	bulkMost  = 500
	bulkWidth = 8
)

type bulk struct {
	Filter struct {
		Store     string     `json:"store"`
		Kind      string     `json:"kind"`
		Owner     string     `json:"owner"`
		Severity  string     `json:"severity"`
		Assignee  string     `json:"assignee"`
		DueBefore *time.Time `json:"due_before"`
	} `json:"filter"`
	Act        string           `json:"act"`
	Assignee   string           `json:"assignee"`
	Text       string           `json:"text"`
	Resolution order.Resolution `json:"resolution"`
	Until      *time.Time       `json:"until"`
	reasoned
	DryRun *bool `json:"dry_run"`
}

// request is what the batch asks about one case.
func (b *bulk) request(id string) acts.Request {
	switch b.Act {
	case "assign":
		return acts.AssignCase(id, b.Assignee, b.Reason)
	case "note":
		return acts.NoteCase(id, b.Text)
	default: // the contract knows no other
		return acts.ResolveCase(id, b.Resolution, orZero(b.Until), 0, "", b.Reason)
	}
}

// check looks at what every order would refuse.
func (b *bulk) check() error {
	switch given := b.Reason != ""; {
	case b.Act == "note" && clean(b.Text, noteLimit) == "":
		return invalid(fieldError{"text", "is needed"})
	case b.Act == "resolve" && b.Resolution == "":
		return invalid(fieldError{"resolution", "is needed"})
	case b.Act == "resolve" && b.Resolution.NeedsUntil() != (b.Until != nil):
		return invalid(fieldError{"until", "goes with wait and arranged"})
	case (given || b.Act == "resolve") && clean(b.Reason, reasonLimit) == "":
		return invalid(fieldError{"reason", "is needed"})
	}
	b.Reason, b.Text = clean(b.Reason, reasonLimit), clean(b.Text, noteLimit)
	return nil
}

type bulkResult struct {
	Order  string `json:"order"`
	Case   string `json:"case"`
	Result string `json:"result"` // done, refused, failed
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (s *server) bulkCases(c echo.Context) error {
	b, err := decode[bulk](c)
	if err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	f := store.CaseFilter{Store: b.Filter.Store, Kind: b.Filter.Kind, Owner: b.Filter.Owner, Severity: b.Filter.Severity,
		Assignee: b.Filter.Assignee, DueBefore: orZero(b.Filter.DueBefore), Limit: bulkMost + 1}
	if err := s.boundTo(c, &f.Store); err != nil {
		return err
	}
	// Its answer is not kept: after a lost one the same key asks what is left, and
	// each act is done once by its own audit ID.
	part := string(requestHash(c))
	list, err := s.store.Cases(c.Request().Context(), f)
	if err != nil {
		return err
	}
	if len(list) > bulkMost {
		return invalid(fieldError{"filter", "leaves more than " + strconv.Itoa(bulkMost) + " cases: narrow it"})
	}
	answer := struct {
		DryRun  bool         `json:"dry_run"`
		Results []bulkResult `json:"results"`
		Done    int          `json:"done"`
		Refused int          `json:"refused"`
		Failed  int          `json:"failed"`
	}{DryRun: b.DryRun == nil || *b.DryRun, Results: make([]bulkResult, len(list))}
	var each sync.WaitGroup
	room := make(chan struct{}, bulkWidth)
	for i, row := range list {
		room <- struct{}{}
		each.Go(func() {
			defer func() { <-room }()
			answer.Results[i] = s.bulkOne(c, row, part, b.request(row.ID), answer.DryRun)
		})
	}
	each.Wait()
	for _, r := range answer.Results {
		switch r.Result {
		case "done":
			answer.Done++
		case "refused":
			answer.Refused++
		default:
			answer.Failed++
		}
	}
	return c.JSON(http.StatusOK, answer)
}

// bulkOne asks one order, or in a dry run the rules with its read model.
func (s *server) bulkOne(c echo.Context, row store.CaseRow, part string, r acts.Request, dry bool) bulkResult {
	ctx, who := c.Request().Context(), askerOf(c)
	o, err := s.store.Order(ctx, row.OrderID)
	switch {
	case err != nil:
	case dry:
		err = s.wouldGrant(ctx, o, who, r)
	default:
		_, err = s.desk.Do(ctx, o, who, auditID(c, "\n"+part+row.OrderID+" "+row.ID), r)
	}
	result := bulkResult{Order: row.OrderID, Case: row.ID, Result: "done"}
	switch refused := refusals(err, nil); {
	case err == nil:
	case len(refused) > 0:
		result.Result, result.Field, result.Reason = "refused", refused[0].Field, refused[0].Reason
	case errors.Is(err, ErrNotRunning):
		result.Result, result.Reason = "refused", "the order is closed"
	default:
		result.Result, result.Reason = "failed", toProblem(err).Detail
		s.log.Warn("bulk: an order did not answer", "request_id", who.Trace, "order", row.OrderID, "error", err)
	}
	return result
}

func (s *server) wouldGrant(ctx context.Context, o store.Order, who acts.Asker, r acts.Request) error {
	now := s.now().UTC()
	e, _, err := r.Event(ctx, order.Meta{By: who.By, Actor: who.Actor, Reason: r.Reason, Occurred: now, Received: now})
	if err != nil {
		return err
	}
	return order.Check(o.Current().At(now), e)
}
