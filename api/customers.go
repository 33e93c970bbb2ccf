package api

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

// eraseCustomer makes a store forget who a customer is. What happened to the
// orders stays, and running ones go on; nobody is written to any more.
func (s *server) eraseCustomer(c echo.Context) error {
	ref, err := param(c, "ref")
	if err != nil {
		return err
	}
	who := callerOf(c)
	of := cmp.Or(c.QueryParam("store"), who.key.Store)
	if of == "" {
		return invalid(fieldError{"store", "is needed: other stores may have given the same reference to somebody else"})
	}
	if err := who.forStore(of); err != nil {
		return err
	}
	audit := newAudit(c, "erase_customer")
	e, err := s.store.EraseCustomer(c.Request().Context(), of, ref, audit, s.now().UTC())
	if errors.Is(err, store.ErrNotFound) {
		return notFound("No order of this store names that customer.")
	}
	if err != nil {
		return err
	}
	s.log.Info("customer erased", "request_id", requestID(c), "audit", audit.ID, "orders", len(e.Orders), "by", audit.Actor)
	return c.JSON(http.StatusOK, struct {
		store.Erasure
		Audit string `json:"audit"`
	}{e, audit.ID})
}

// putContact changes who the buyer of an order is and how to reach them. Neither the
// audit nor the log learns more than that it was changed.
func (s *server) putContact(c echo.Context) error {
	body, err := decode[struct {
		store.Contact
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	id, err := orderID(c)
	if err != nil {
		return err
	}
	if !printable(body.Email) {
		return unprintable("email")
	}
	body.Name = clean(body.Name, 800)
	audit := newAudit(c, "change_contact")
	audit.OrderID, audit.Reason = id, clean(body.Reason, reasonLimit)
	err = s.store.PutContact(c.Request().Context(), id, body.Contact, audit, s.now().UTC())
	if errors.Is(err, store.ErrNotFound) {
		return notFound("There is no order " + id + ", or who bought it was forgotten.")
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// endBuyerLink ends the link by which the buyer of an order acts, wherever it has got to.
func (s *server) endBuyerLink(c echo.Context) error {
	body, err := decode[struct {
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	id, err := orderID(c)
	if err != nil {
		return err
	}
	audit := newAudit(c, "end_buyer_link")
	if audit.OrderID, audit.Reason = id, clean(body.Reason, reasonLimit); audit.Reason == "" {
		return invalid(fieldError{"reason", "must have a character that can be seen"})
	}
	err = s.store.EndLink(c.Request().Context(), id, audit)
	if errors.Is(err, store.ErrNotFound) {
		return notFound("There is no order " + id + ".")
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
