package pages

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

// mappingsShown bounds the list of mappings, and the versions looked through
// for those of one code.
const mappingsShown = 500

// kindWords says what each kind of a mapping does, in the order in which a
// parcel meets them.
var kindWords = []struct{ kind, words string }{
	{"label", "label: a label exists, the carrier does not have the parcel"},
	{"void", "void: the label was cancelled"},
	{"possession", "possession: the carrier’s first scan, “shipped”"},
	{"transit", "transit: on the way"},
	{"arrived_dest", "arrived: near its destination, still on the way"},
	{"customs", "customs: with the authorities"},
	{"ofd", "out for delivery"},
	{"ready_pickup", "ready for pickup: a shop, locker or post office has it"},
	{"attempt", "attempt: a delivery was tried and failed"},
	{"partial", "partial: some of its pieces are delivered, not all"},
	{"delivered", "delivered: with the buyer"},
	{"returning", "returning: on its way back to the sender"},
	{"returned", "returned: back with the sender"},
	{"custody", "custody: somebody scanned it, nothing moved"},
	{"exception", "exception: trouble, nothing moved"},
	{"info", "info: says nothing about where it is"},
	{"closed", "closed: the carrier ended its record"},
	{store.Withdrawn, "withdrawn: read it as our own table does"},
}

// bucketsOf lists the buckets that carriers' own tables use, to choose from;
// another may be typed.
func bucketsOf(known carriers.Registry) []string {
	var list []string
	for _, a := range known {
		for _, r := range a.Codes().Rows() {
			if r.Bucket != "" && !slices.Contains(list, r.Bucket) {
				list = append(list, r.Bucket)
			}
		}
	}
	slices.Sort(list)
	return list
}

type faultsPage struct {
	head
	All      bool
	Rhythms  bool // are learned here
	Rows     []faultRow
	Older    string
	Mappings []mappingRow
}

type faultRow struct {
	Href, Kind, Title, Key, Sample, Owner string
	Count                                 int64
	Opened, Last                          stamp
	Closed                                bool
	ClosedAt                              stamp
	ClosedBy, Resolution                  string
	May                                   bool // close it
	CloseTo                               string
}

type mappingRow struct {
	Href, Name, Table, Code string
	Version                 int
	Kind, Bucket, Own       string
	Reason, By              string
	At                      stamp
}

// codePage is one code of a carrier: what it means, to whom, and since when. It
// stands alone or as part of a fault.
type codePage struct {
	head
	Fault                      *faultRow
	Carrier, Name, Table, Code string
	Own, Meaning               string      // of our own table; empty: it has none
	Mapped                     *mappingRow // as it holds
	Versions                   []mappingRow
	May                        bool
	Kinds                      []choice
	Buckets                    []string
	Bucket, Reason             string // as typed, when refused
	Error, Done                string
}

// mayMap says who may map codes and close faults.
func (w who) mayMap() bool { return w.Role == "ops" || w.Role == "admin" }

func codeHref(carrier, table, code string) string {
	return "/console/codes?" + url.Values{"carrier": {carrier}, "table": {table}, "code": {code}}.Encode()
}

func (s *server) faultRow(f store.Fault, w who) faultRow {
	now, href := s.Now(), "/console/faults/"+strconv.FormatInt(f.ID, 10)
	r := faultRow{Href: href, Kind: label(string(f.Kind)), Title: clean(f.Title, 200), Key: clean(f.Key, 160), Sample: clean(f.Sample, 300), Owner: f.Owner, Count: f.Count,
		Opened: stampOf(f.OpenedAt, now), Last: stampOf(f.LastAt, now), ClosedBy: clean(f.ClosedBy, 80), Resolution: clean(f.Resolution, 300)}
	if f.ClosedAt != nil {
		r.Closed, r.ClosedAt = true, stampOf(*f.ClosedAt, now)
	} else {
		r.May, r.CloseTo = w.mayMap(), href+"/close"
	}
	return r
}

func (s *server) mappingRow(m store.Mapping) mappingRow {
	r := mappingRow{Href: codeHref(m.Carrier, m.Table, m.Code), Name: carrierName(m.Carrier), Table: m.Table, Code: clean(m.Code, 100), Version: m.Version, Kind: m.Kind, Bucket: m.Bucket,
		Reason: clean(m.Reason, 300), By: clean(m.Actor, 80), At: stampOf(m.At, s.Now())}
	if a, err := s.Carriers.Find(m.Carrier); err == nil {
		row, _ := a.Codes().Find(m.Table, m.Code)
		r.Own = row.Kind
	}
	return r
}

func (s *server) faults(c echo.Context, w who) error {
	before, ok := readFaultCursor(c.QueryParam("before"))
	everything := c.QueryParam("state") == "all"
	if !ok {
		secure(c.Response().Header())
		return c.Redirect(http.StatusSeeOther, faultsHref(everything, ""))
	}
	ctx := c.Request().Context()
	list, err := s.Store.Faults(ctx, !everything, before, pageSize+1)
	if err != nil {
		return s.consoleError(c, w, "faults", err)
	}
	_, mapped, err := s.Store.Mappings(ctx, -1)
	if err != nil {
		return s.consoleError(c, w, "code mappings", err)
	}
	return s.render(c, http.StatusOK, "faults", s.faultsPage(w, everything, list, mapped))
}

func (s *server) faultsPage(w who, everything bool, list []store.Fault, mapped []store.Mapping) faultsPage {
	p := faultsPage{head: s.head(w, "Faults", "faults"), All: everything, Rhythms: s.Rhythms != nil}
	if len(list) > pageSize {
		list = list[:pageSize]
		last := list[pageSize-1]
		p.Older = faultsHref(everything, base64.RawURLEncoding.EncodeToString([]byte(last.LastAt.UTC().Format(time.RFC3339Nano)+" "+strconv.FormatInt(last.ID, 10))))
	}
	for _, f := range list {
		p.Rows = append(p.Rows, s.faultRow(f, w))
	}
	for _, m := range mapped[:min(len(mapped), mappingsShown)] {
		if m.Kind != store.Withdrawn {
			p.Mappings = append(p.Mappings, s.mappingRow(m))
		}
	}
	return p
}

func faultsHref(everything bool, before string) string {
	q := url.Values{}
	if everything {
		q.Set("state", "all")
	}
	if before != "" {
		q.Set("before", before)
	}
	if len(q) == 0 {
		return "/console/faults"
	}
	return "/console/faults?" + q.Encode()
}

// readFaultCursor reads where a page of faults begins; empty is the first.
func readFaultCursor(s string) (store.FaultCursor, bool) {
	if s == "" {
		return store.FaultCursor{}, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	at, row, _ := strings.Cut(string(raw), " ")
	t, err2 := time.Parse(time.RFC3339Nano, at)
	id, err3 := strconv.ParseInt(row, 10, 64)
	return store.FaultCursor{LastAt: t, ID: id}, err == nil && err2 == nil && err3 == nil && id > 0
}

func (s *server) faultPage(c echo.Context, w who) error {
	id, _ := strconv.ParseInt(c.Param("id"), 10, 64)
	f, err := s.Store.Fault(c.Request().Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return s.noFault(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "fault", err)
	}
	row := s.faultRow(f, w)
	carrier, table, code := intake.SplitKey(f.Key)
	a, err := s.Carriers.Find(carrier)
	if f.Kind != store.UnmappedCode || err != nil {
		return s.render(c, http.StatusOK, "fault", codePage{head: s.head(w, clean(f.Title, 80), "faults"), Fault: &row})
	}
	return s.code(c, w, http.StatusOK, codePage{Fault: &row}, a, table, code)
}

func (s *server) noFault(c echo.Context, w who) error {
	return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "Not found", ""), "There is no such fault or code.", "It may have been typed wrongly. The list has all that there are."})
}

func (s *server) codePage(c echo.Context, w who) error {
	a, err := s.Carriers.Find(c.QueryParam("carrier"))
	table, code := clean(c.QueryParam("table"), 40), clean(c.QueryParam("code"), 80)
	if err != nil || table == "" || code == "" {
		return s.noFault(c, w)
	}
	p := codePage{}
	if n, err := strconv.Atoi(c.QueryParam("reread")); err == nil {
		p.Done = "Saved. " + several(n, "event", "events") + " that had come before " + was(n) + " read again."
		if k, err := strconv.Atoi(c.QueryParam("standing")); err == nil && k > 0 {
			p.Done += " Of them, " + several(k, "event keeps", "events keep") + " the milestone that an earlier mapping gave: this one names none. Support can correct the parcels."
		}
		if c.QueryParam("more") == "true" {
			p.Done += " More are being read."
		}
	}
	return s.code(c, w, http.StatusOK, p, a, table, code)
}

func several(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// code shows a code, as p says: alone or in a fault, with an answer or without.
func (s *server) code(c echo.Context, w who, status int, p codePage, a carriers.Adapter, table, code string) error {
	versions, err := s.Store.MappingHistory(c.Request().Context(), a.Name(), mappingsShown)
	if err != nil {
		return s.consoleError(c, w, "code mappings", err)
	}
	return s.render(c, status, "fault", s.describe(p, w, a, table, code, versions))
}

func (s *server) describe(p codePage, w who, a carriers.Adapter, table, code string, versions []store.Mapping) codePage {
	p.head = s.head(w, clean(carrierName(a.Name())+" "+code, 80), "faults")
	p.Carrier, p.Name, p.Table, p.Code, p.May, p.Buckets = a.Name(), carrierName(a.Name()), table, code, w.mayMap(), s.buckets
	if row, ok := a.Codes().Find(table, code); ok {
		p.Own, p.Meaning = row.Kind, clean(row.Meaning, 200)
	}
	chosen := ""
	for _, m := range versions {
		if m.Table == table && m.Code == code {
			p.Versions = append(p.Versions, s.mappingRow(m))
		}
	}
	if len(p.Versions) > 0 {
		p.Mapped, chosen = &p.Versions[0], p.Versions[0].Kind
		if p.Error == "" {
			p.Bucket = p.Mapped.Bucket
		}
	}
	if p.Error != "" && len(p.Kinds) == 1 { // as it was chosen, when refused
		chosen = p.Kinds[0].Value
	}
	p.Kinds = nil
	for _, k := range kindWords {
		if k.kind != store.Withdrawn || p.Mapped != nil {
			p.Kinds = append(p.Kinds, choice{k.kind, k.words, k.kind == chosen})
		}
	}
	return p
}

func (s *server) mapCode(c echo.Context, w who) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 16<<10)
	m := store.Mapping{Carrier: c.FormValue("carrier"), Table: c.FormValue("table"), Code: c.FormValue("code"), Kind: c.FormValue("kind"),
		Bucket: strings.TrimSpace(c.FormValue("bucket")), Reason: clean(c.FormValue("reason"), 500), Actor: w.Actor}
	a, err := s.Carriers.Find(m.Carrier)
	if err != nil || clean(m.Table, 40) != m.Table || clean(m.Code, 80) != m.Code || m.Table == "" || m.Code == "" {
		return s.noFault(c, w)
	}
	refuse := func(text string) error {
		return s.code(c, w, http.StatusUnprocessableEntity, codePage{Error: text, Bucket: clean(m.Bucket, 40), Reason: m.Reason, Kinds: []choice{{Value: m.Kind}}}, a, m.Table, m.Code)
	}
	if m.Reason == "" {
		return refuse("Say why: it is kept with the mapping.")
	}
	if !carriers.Bucketed(m.Kind) {
		m.Bucket = "" // the field is there for all kinds
	}
	audit, err := auditOf(w, "map_code", m.Reason, map[string]any{"carrier": m.Carrier, "table": m.Table, "code": m.Code, "kind": m.Kind, "bucket": m.Bucket})
	if err != nil {
		return err
	}
	_, did, err := s.Intake.Map(c.Request().Context(), a, m, audit)
	var bad *intake.MappingError
	switch {
	case errors.As(err, &bad):
		return refuse(bad.Field + " " + bad.Reason)
	case errors.Is(err, store.ErrNotFound):
		return refuse("There is nothing to withdraw.")
	case err != nil:
		return s.consoleError(c, w, "map a code", err)
	}
	s.Log.Info("console: code mapped", "actor", w.Actor, "carrier", m.Carrier, "kind", m.Kind, "audit", audit.ID)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, codeHref(m.Carrier, m.Table, m.Code)+"&"+
		url.Values{"reread": {strconv.Itoa(did.Facts)}, "standing": {strconv.Itoa(did.Standing)}, "more": {strconv.FormatBool(did.More)}}.Encode())
}

func (s *server) closeFault(c echo.Context, w who) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 16<<10)
	id, _ := strconv.ParseInt(c.Param("id"), 10, 64)
	reason := clean(c.FormValue("reason"), 500)
	if reason == "" {
		secure(c.Response().Header())
		return c.Redirect(http.StatusSeeOther, "/console/faults/"+strconv.FormatInt(id, 10))
	}
	audit, err := auditOf(w, "close_fault", reason, map[string]any{"id": id})
	if err != nil {
		return err
	}
	_, err = s.Store.CloseFaultByHand(c.Request().Context(), id, audit, s.Now().UTC())
	if errors.Is(err, store.ErrNotFound) {
		return s.noFault(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "close a fault", err)
	}
	s.Log.Info("console: fault closed", "actor", w.Actor, "fault", id, "audit", audit.ID)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, "/console/faults")
}

// auditOf is the audit row of what somebody does in the console.
func auditOf(w who, action, reason string, request map[string]any) (store.Audit, error) {
	body, err := json.Marshal(request)
	return store.Audit{ID: "aud_" + strings.ToLower(rand.Text()[:24]), Action: action, Actor: w.Actor, Role: w.Role, Reason: reason, Request: body}, err
}

// mapper lets only those in who may map codes and close faults.
func (s *server) mapper(h func(echo.Context, who) error) func(echo.Context, who) error {
	return func(c echo.Context, w who) error {
		if !w.mayMap() {
			return s.render(c, http.StatusForbidden, "console-message", messagePage{s.head(w, "Not with this key", ""), "This needs the scope ops or admin.", "You are signed in as " + w.Role + " and may look at it."})
		}
		return h(c, w)
	}
}
