package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

// reading is the audit row of somebody who reads personal data of an order.
func (s *server) reading(c echo.Context, action string, of map[string]any) (store.Order, store.Audit, error) {
	o, err := s.orderOf(c)
	if err != nil {
		return o, store.Audit{}, err
	}
	a := newAudit(c, action)
	a.OrderID = o.Spec.ID
	a.Request, err = json.Marshal(of)
	return o, a, err
}

// newAudit is the audit row of what a caller does, which asks for nothing in it.
func newAudit(c echo.Context, action string) store.Audit {
	who := callerOf(c)
	return store.Audit{ID: "aud_" + randomText(24), Action: action, Actor: who.actor(), Role: who.role(opOf(c)), Request: json.RawMessage(`{}`)}
}

// getProof shows what a carrier proved of a delivery, but for the bytes.
func (s *server) getProof(c echo.Context) error {
	id, err := param(c, "proof")
	if err != nil {
		return err
	}
	o, a, err := s.reading(c, "read_proof", map[string]any{"proof": id})
	if err != nil {
		return err
	}
	p, err := s.store.Proof(c.Request().Context(), o.Spec.ID, id, a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, p)
}

// getProofDocument hands out one document, to be saved and never to be drawn.
func (s *server) getProofDocument(c echo.Context) error {
	id, err := param(c, "proof")
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(c.Param("n")) // the contract has been checked
	o, a, err := s.reading(c, "read_proof", map[string]any{"proof": id, "document": n})
	if err != nil {
		return err
	}
	d, err := s.store.ProofDocument(c.Request().Context(), o.Spec.ID, id, n, a)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, "attachment")
	return c.Blob(http.StatusOK, d.MediaType, d.Body)
}
