package api

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

// historyLimit bounds the versions of mappings in one answer.
const historyLimit = 1000

type faultView struct {
	ID         int64           `json:"id"`
	Kind       store.FaultKind `json:"kind"`
	Key        string          `json:"key"`
	Title      string          `json:"title"`
	Sample     string          `json:"sample"`
	Owner      string          `json:"owner"`
	Count      int64           `json:"count"`
	OpenedAt   time.Time       `json:"opened_at"`
	LastAt     time.Time       `json:"last_at"`
	ClosedAt   *time.Time      `json:"closed_at,omitempty"`
	ClosedBy   string          `json:"closed_by,omitempty"`
	Resolution string          `json:"resolution,omitempty"`
	Carrier    string          `json:"carrier,omitempty"`
	Table      string          `json:"table,omitempty"`
	Code       string          `json:"code,omitempty"`
}

func viewOfFault(f store.Fault) faultView {
	v := faultView{ID: f.ID, Kind: f.Kind, Key: f.Key, Title: f.Title, Sample: f.Sample, Owner: f.Owner, Count: f.Count,
		OpenedAt: f.OpenedAt, LastAt: f.LastAt, ClosedAt: f.ClosedAt, ClosedBy: f.ClosedBy, Resolution: f.Resolution}
	if f.Kind == store.UnmappedCode {
		v.Carrier, v.Table, v.Code = intake.SplitKey(f.Key)
	}
	return v
}

func (s *server) listFaults(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	limit, at, id, err := pageOf(c)
	if err != nil {
		return err
	}
	list, err := s.store.Faults(c.Request().Context(), c.QueryParam("state") != "all", store.FaultCursor{LastAt: at, ID: id}, limit)
	if err != nil {
		return err
	}
	page := struct {
		Faults []faultView `json:"faults"`
		Next   string      `json:"next,omitempty"`
	}{Faults: []faultView{}}
	for _, f := range list {
		page.Faults = append(page.Faults, viewOfFault(f))
	}
	if len(list) >= limit {
		last := list[len(list)-1]
		page.Next = rowCursor(last.LastAt, last.ID)
	}
	return c.JSON(http.StatusOK, page)
}

func (s *server) closeFault(c echo.Context) error {
	body, err := decode[struct {
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	id, a, err := s.act(c, "close_fault", body.Reason, nil)
	if err != nil {
		return err
	}
	f, err := s.store.CloseFaultByHand(c.Request().Context(), id, a, s.now().UTC())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, viewOfFault(f))
}

// act is the audit row of what somebody does that is no order's, and the row in
// the path that it is done to, if there is one. The row is written with the act.
func (s *server) act(c echo.Context, action, reason string, request map[string]any) (id int64, a store.Audit, err error) {
	if err := unbound(c); err != nil {
		return 0, a, err
	}
	given := reason != ""
	if reason = clean(reason, reasonLimit); given && reason == "" {
		return 0, a, invalid(fieldError{"reason", "must have a character that can be seen"})
	}
	if request == nil {
		id, _ = strconv.ParseInt(c.Param("id"), 10, 64) // the contract has been checked
		request = map[string]any{"id": id}
	}
	a = newAudit(c, action)
	a.Reason = reason
	a.Request, err = json.Marshal(request)
	return id, a, err
}

// pageOf reads limit and cursor of a list in the order of a time and a row.
func pageOf(c echo.Context) (limit int, at time.Time, id int64, err error) {
	limit = listLimit
	if v := c.QueryParam("limit"); v != "" {
		limit, _ = strconv.Atoi(v)
	}
	if v := c.QueryParam("cursor"); v != "" {
		raw, err := base64.RawURLEncoding.DecodeString(v)
		when, row, _ := strings.Cut(string(raw), " ")
		at, err2 := parseTime(when)
		id, err3 := strconv.ParseInt(row, 10, 64)
		if err != nil || err2 != nil || err3 != nil || id < 1 {
			return 0, at, 0, invalid(fieldError{"cursor", "is not one that a page named"})
		}
		return limit, at, id, nil
	}
	return limit, at, 0, nil
}

func rowCursor(at time.Time, id int64) string {
	return formatCursor(store.Cursor{PlacedAt: at, ID: strconv.FormatInt(id, 10)})
}

type mappingView struct {
	Carrier   string    `json:"carrier"`
	Table     string    `json:"table"`
	Code      string    `json:"code"`
	Version   int       `json:"version"`
	Kind      string    `json:"kind"`
	Bucket    string    `json:"bucket,omitempty"`
	Milestone string    `json:"milestone,omitempty"`
	Own       string    `json:"own,omitempty"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

func (s *server) viewOfMapping(m store.Mapping) mappingView {
	v := mappingView{Carrier: m.Carrier, Table: m.Table, Code: m.Code, Version: m.Version, Kind: m.Kind, Bucket: m.Bucket, Milestone: m.Milestone, Reason: m.Reason, By: m.Actor, At: m.At}
	if a, err := s.carriers.Find(m.Carrier); err == nil {
		row, _ := a.Codes().Find(m.Table, m.Code)
		v.Own = row.Kind
	}
	return v
}

func (s *server) listCodeMappings(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	ctx, carrier := c.Request().Context(), c.QueryParam("carrier")
	var list []store.Mapping
	var err error
	if history, _ := strconv.ParseBool(c.QueryParam("history")); history {
		list, err = s.store.MappingHistory(ctx, carrier, historyLimit)
	} else {
		_, list, err = s.store.Mappings(ctx, -1)
	}
	if err != nil {
		return err
	}
	views := []mappingView{}
	for _, m := range list {
		if carrier == "" || m.Carrier == carrier {
			views = append(views, s.viewOfMapping(m))
		}
	}
	return c.JSON(http.StatusOK, struct {
		Mappings []mappingView `json:"mappings"`
	}{views})
}

func (s *server) putCodeMapping(c echo.Context) error {
	body, err := decode[struct {
		Kind   string `json:"kind"`
		Bucket string `json:"bucket"`
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	m := store.Mapping{Carrier: c.QueryParam("carrier"), Table: c.QueryParam("table"), Code: c.QueryParam("code"), Kind: body.Kind, Bucket: body.Bucket}
	adapter, err := s.carriers.Find(m.Carrier)
	if err != nil {
		return invalid(fieldError{"carrier", "is none that `waybill carriers list` names"})
	}
	_, a, err := s.act(c, "map_code", body.Reason, map[string]any{"carrier": m.Carrier, "table": m.Table, "code": m.Code, "kind": m.Kind, "bucket": m.Bucket})
	if err != nil {
		return err
	}
	m.Reason, m.Actor = a.Reason, a.Actor
	saved, did, err := s.intake.Map(c.Request().Context(), adapter, m, a)
	var bad *intake.MappingError
	switch {
	case errors.As(err, &bad):
		return invalid(fieldError{bad.Field, bad.Reason})
	case errors.Is(err, store.ErrNotFound):
		return notFound("This code has no mapping that could be withdrawn.")
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Mapping  mappingView `json:"mapping"`
		Reread   int         `json:"reread"`
		Standing int         `json:"standing"`
		More     bool        `json:"more"`
	}{s.viewOfMapping(saved), did.Facts, did.Standing, did.More})
}

type rawView struct {
	ID          int64      `json:"id"`
	ReceivedAt  time.Time  `json:"received_at"`
	Source      string     `json:"source"`
	Via         string     `json:"via"`
	ContentType string     `json:"content_type"`
	SHA256      string     `json:"sha256"`
	Size        int        `json:"size"`
	Events      int        `json:"events"`
	Rejected    int        `json:"rejected"`
	Unmapped    int        `json:"unmapped"`
	Error       string     `json:"error,omitempty"`
	ReplayedAt  *time.Time `json:"replayed_at,omitempty"`
}

func (s *server) listRawBodies(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	limit, at, id, err := pageOf(c)
	if err != nil {
		return err
	}
	f := store.RawFilter{Source: c.QueryParam("source"), Before: store.RawCursor{ReceivedAt: at, ID: id}, Limit: limit}
	f.Failed, _ = strconv.ParseBool(c.QueryParam("failed"))
	if v := c.QueryParam("since"); v != "" {
		if f.Since, err = parseTime(v); err != nil {
			return invalid(fieldError{"since", err.Error()})
		}
	}
	list, err := s.store.RawBodies(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := struct {
		RawBodies []rawView `json:"raw_bodies"`
		Next      string    `json:"next,omitempty"`
	}{RawBodies: []rawView{}}
	for _, r := range list {
		page.RawBodies = append(page.RawBodies, rawView{r.ID, r.ReceivedAt, r.Source, r.Via, r.ContentType, hex.EncodeToString(r.Hash), r.Size, r.Events, r.Rejected, r.Unmapped, r.Error, r.ReplayedAt})
	}
	if len(list) >= limit {
		last := list[len(list)-1]
		page.Next = rowCursor(last.ReceivedAt, last.ID)
	}
	return c.JSON(http.StatusOK, page)
}

func (s *server) getRawBody(c echo.Context) error {
	id, a, err := s.act(c, "read_raw_body", "", nil)
	if err != nil {
		return err
	}
	r, err := s.store.RawBody(c.Request().Context(), id, a)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, "attachment")
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, r.Body)
}

func (s *server) replayRawBody(c echo.Context) error {
	id, a, err := s.act(c, "replay_raw_body", "", nil)
	if err != nil {
		return err
	}
	raw, err := s.store.RawBody(c.Request().Context(), id, a)
	if err != nil {
		return err
	}
	adapter, err := s.carriers.Find(strings.TrimPrefix(raw.Source, intake.Source("")))
	if err != nil {
		return conflict(err.Error())
	}
	n, err := s.intake.Replay(c.Request().Context(), adapter, raw, s.now().UTC())
	return s.counted(c, raw.Source, n, err)
}
