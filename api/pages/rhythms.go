package pages

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// rhythmsShown bounds each of the two lists.
const rhythmsShown = 200

// rhythmsPage is what was learned of carriers, and what people said to it.
type rhythmsPage struct {
	head
	Open, Decided []rhythmRow
	May           bool
	Error, Done   string
}

type rhythmRow struct {
	ID                      int64
	Policy, Name, Scope     string
	Parcels                 int
	P50, P95, Current, Gap  string
	Seen                    string // the gap, as a form sends it back
	Written                 bool
	Orders, Ending, Version int
	Measured, At            stamp
	Decision, By, Reason    string
}

func (s *server) rhythmRow(p store.RhythmProposal) rhythmRow {
	words := func(d time.Duration) string { return order.Duration(d.Round(time.Minute)).String() }
	scope := p.Scope
	scope.Carrier = ""
	r := rhythmRow{ID: p.ID, Policy: p.Policy, Name: carrierName(p.Carrier), Scope: clean(scope.String(), 100), Parcels: p.N, P50: words(p.P50), P95: words(p.P95),
		Current: words(p.Current), Gap: words(p.Gap), Seen: p.Gap.String(), Written: p.Written, Orders: p.Orders, Ending: p.Ending, Version: p.Version,
		Measured: stampOf(p.MeasuredAt, s.Now()), Decision: p.Decision, By: clean(p.DecidedBy, 80), Reason: clean(p.Reason, 300)}
	if p.DecidedAt != nil {
		r.At = stampOf(*p.DecidedAt, s.Now())
	}
	return r
}

func (s *server) rhythms(c echo.Context, w who) error {
	p := rhythmsPage{}
	switch c.QueryParam("done") {
	case "accepted":
		p.Done = "Accepted: new orders have it, and open ones adopt it one after another."
	case "declined":
		p.Done = "Declined: it does not come again until something very different is measured."
	}
	return s.showRhythms(c, w, http.StatusOK, p)
}

func (s *server) showRhythms(c echo.Context, w who, status int, p rhythmsPage) error {
	p.head, p.May = s.head(w, "Rhythms", "faults"), w.mayMap()
	for _, list := range []struct {
		open bool
		to   *[]rhythmRow
	}{{true, &p.Open}, {false, &p.Decided}} {
		rows, err := s.Rhythms.Store.Proposals(c.Request().Context(), list.open, rhythmsShown)
		if err != nil {
			return s.consoleError(c, w, "rhythms", err)
		}
		for _, r := range rows {
			*list.to = append(*list.to, s.rhythmRow(r))
		}
	}
	return s.render(c, status, "rhythms", p)
}

func (s *server) decideRhythm(c echo.Context, w who) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 16<<10)
	id, _ := strconv.ParseInt(c.Param("id"), 10, 64)
	gap, _ := time.ParseDuration(c.FormValue("gap"))
	reason, decision := clean(c.FormValue("reason"), 500), c.FormValue("decision")
	action := map[string]string{"accepted": "accept_rhythm", "declined": "decline_rhythm"}[decision]
	switch {
	case action == "":
		return s.showRhythms(c, w, http.StatusUnprocessableEntity, rhythmsPage{Error: "Accept or decline."})
	case reason == "":
		return s.showRhythms(c, w, http.StatusUnprocessableEntity, rhythmsPage{Error: "Say why: it is kept with the decision."})
	}
	audit, err := auditOf(w, action, reason, map[string]any{"id": id})
	if err != nil {
		return err
	}
	_, err = s.Rhythms.Decide(c.Request().Context(), store.Seen{ID: id, Gap: gap}, decision == "accepted", audit)
	switch {
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
		return s.showRhythms(c, w, http.StatusConflict, rhythmsPage{Error: "The proposal was decided otherwise, or says something else by now. Nothing was done."})
	case err != nil:
		return s.consoleError(c, w, "decide about a rhythm", err)
	}
	s.Log.Info("console: rhythm "+decision, "actor", w.Actor, "proposal", id, "audit", audit.ID)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, "/console/rhythms?done="+decision)
}
