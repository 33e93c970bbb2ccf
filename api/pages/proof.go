package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

// proofPage is what a carrier proved of a delivery. To look at it is audited: it
// is about a person.
type proofPage struct {
	head
	Order, OrderHref, ID, Parcel, Carrier, SignedBy string
	Fetched                                         stamp
	Documents                                       []documentRow
}

type documentRow struct{ Kind, Type, Size, Href string }

func proofHref(orderID, proof string) string {
	return orderHref(orderID) + "/proofs/" + url.PathEscape(proof)
}

func (s *server) proofPage(c echo.Context, w who) error {
	id, proof := pathID(c), c.Param("proof")
	audit, err := s.readsProof(c, w, map[string]any{"proof": proof})
	if err != nil {
		return s.notThem(c, w, err)
	}
	p, err := s.Store.Proof(c.Request().Context(), id, proof, audit)
	if errors.Is(err, store.ErrNotFound) {
		return s.noProof(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "proof", err)
	}
	page := proofPage{head: s.head(w, "Proof of delivery", "orders"), Order: id, OrderHref: orderHref(id), ID: p.ID, Parcel: clean(p.Parcel, 40), Carrier: carrierName(p.Carrier),
		SignedBy: clean(p.SignedBy, 120), Fetched: stampOf(p.FetchedAt, s.Now())}
	for _, d := range p.Documents {
		page.Documents = append(page.Documents, documentRow{clean(d.Kind, 40), clean(d.MediaType, 60), fmt.Sprintf("%d kB", (d.Size+1023)/1024), proofHref(id, p.ID) + "/" + strconv.Itoa(d.N)})
	}
	return s.render(c, http.StatusOK, "proof", page)
}

// proofDocument hands a document out to be saved; no browser draws it.
func (s *server) proofDocument(c echo.Context, w who) error {
	id, proof := pathID(c), c.Param("proof")
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil || n < 1 {
		return s.noProof(c, w)
	}
	audit, err := s.readsProof(c, w, map[string]any{"proof": proof, "document": n})
	if err != nil {
		return s.notThem(c, w, err)
	}
	d, err := s.Store.ProofDocument(c.Request().Context(), id, proof, n, audit)
	if errors.Is(err, store.ErrNotFound) {
		return s.noProof(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "proof", err)
	}
	secure(c.Response().Header())
	c.Response().Header().Set(echo.HeaderContentDisposition, "attachment")
	return c.Blob(http.StatusOK, d.MediaType, d.Body)
}

var errNotThem = errors.New("the key may not read proofs")

// readsProof is the audit row of who reads a proof, if they may: it can name who
// signed, so only those whom the API would tell.
func (s *server) readsProof(c echo.Context, w who, of map[string]any) (store.Audit, error) {
	if role, _, ok := s.roleNow(c.Request().Context(), w); !ok || !slices.Contains([]string{"support", "ops", "admin"}, role) {
		return store.Audit{}, errNotThem
	}
	a, err := auditOf(w, "read_proof", "", of)
	a.OrderID = pathID(c)
	return a, err
}

func (s *server) notThem(c echo.Context, w who, err error) error {
	if errors.Is(err, errNotThem) {
		return s.render(c, http.StatusForbidden, "console-message", messagePage{s.head(w, "Not with this key", "orders"), "This key may not read that.", "It needs the scope support, ops or admin, or was revoked. Sign out, and in again with another one."})
	}
	return s.consoleError(c, w, "proof", err)
}

func (s *server) noProof(c echo.Context, w who) error {
	return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "No such proof", "orders"), "There is no such proof of delivery.", "It may have been erased with its order."})
}
