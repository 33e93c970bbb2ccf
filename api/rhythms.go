package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// rhythmLimit bounds the proposals in one answer.
const rhythmLimit = 500

type rhythmView struct {
	ID         int64          `json:"id"`
	Policy     string         `json:"policy"`
	Carrier    string         `json:"carrier"`
	Service    string         `json:"service,omitempty"`
	Lane       string         `json:"lane,omitempty"`
	Parcels    int            `json:"parcels"`
	P50        order.Duration `json:"p50"`
	P95        order.Duration `json:"p95"`
	Current    order.Duration `json:"current"`
	Gap        order.Duration `json:"gap"`
	Written    bool           `json:"written"`
	Orders     int            `json:"orders"`
	Ending     int            `json:"waits_ending"`
	MeasuredAt time.Time      `json:"measured_at"`
	Decision   string         `json:"decision,omitempty"`
	DecidedAt  *time.Time     `json:"decided_at,omitempty"`
	DecidedBy  string         `json:"decided_by,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Version    int            `json:"version,omitempty"`
}

func viewOfRhythm(p store.RhythmProposal) rhythmView {
	return rhythmView{p.ID, p.Policy, p.Carrier, p.Service, p.Lane, p.N, order.Duration(p.P50), order.Duration(p.P95), order.Duration(p.Current), order.Duration(p.Gap), p.Written,
		p.Orders, p.Ending, p.MeasuredAt, p.Decision, p.DecidedAt, p.DecidedBy, p.Reason, p.Version}
}

// learned serves where rhythms are.
func (s *server) learned(h echo.HandlerFunc) echo.HandlerFunc {
	if s.rhythms != nil {
		return h
	}
	return func(echo.Context) error { return notFound("No rhythms are learned here.") }
}

func (s *server) listRhythms(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	list, err := s.rhythms.Store.Proposals(c.Request().Context(), c.QueryParam("state") != "decided", rhythmLimit)
	if err != nil {
		return err
	}
	views := []rhythmView{}
	for _, p := range list {
		views = append(views, viewOfRhythm(p))
	}
	return c.JSON(http.StatusOK, struct {
		Rhythms []rhythmView `json:"rhythms"`
	}{views})
}

func (s *server) acceptRhythm(c echo.Context) error { return s.decideRhythm(c, true) }

func (s *server) declineRhythm(c echo.Context) error { return s.decideRhythm(c, false) }

func (s *server) decideRhythm(c echo.Context, accept bool) error {
	body, err := decode[struct {
		Gap    order.Duration `json:"gap"`
		Reason string         `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	action := "decline_rhythm"
	if accept {
		action = "accept_rhythm"
	}
	id, a, err := s.act(c, action, body.Reason, nil)
	if err != nil {
		return err
	}
	p, err := s.rhythms.Decide(c.Request().Context(), store.Seen{ID: id, Gap: time.Duration(body.Gap)}, accept, a)
	if errors.Is(err, store.ErrConflict) {
		return conflict("The proposal was decided otherwise, or says something else by now: look at it again.")
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, viewOfRhythm(p))
}
