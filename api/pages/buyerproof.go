package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// proof shows how parcels were delivered. Who signed is never shown.
func (b *buyer) proof() (p buyerPage) {
	for i := range b.v.Parcels {
		pv := &b.v.Parcels[i]
		if pv.Milestone != order.Delivered || len(p.Cards) == maxBuyerForms {
			continue
		}
		k := buyerCard{Title: b.title(pv), Items: b.items(pv.Lines), Words: words{good, b.l.say("proof.when", nil), upper(b.l.moment(pv.Since)), b.took(pv.ID)}}
		k.Photo = b.photo(pv.ID) != ""
		k.NoPic, k.PhotoHref = !k.Photo, b.href+"/photo/"+url.PathEscape(pv.ID)
		p.Cards = append(p.Cards, k)
	}
	if len(p.Cards) == 0 {
		p.Words = b.words(calm, "proof.undelivered", b.loose)
		return p
	}
	p.Words, p.Doors = b.words(good, "proof.done", b.loose), []door{b.door(links.Missing)}
	return p
}

// photo is the proof that holds a parcel's photo; empty: there is none.
func (b *buyer) photo(parcel string) string {
	p := b.st.ParcelByID(parcel)
	if p == nil || p.Milestone != order.Delivered || !slices.Contains(b.photos, p.Proof.Reference) {
		return ""
	}
	return p.Proof.Reference
}

// buyerPhoto hands out the photo that a carrier took of a delivery. To look at it is
// audited.
func (s *server) buyerPhoto(c echo.Context) error {
	b, err := s.enterBuyer(c, &s.looks)
	if b == nil {
		return err
	}
	ctx := c.Request().Context()
	if b.photos, err = s.Store.Photographed(ctx, b.v.ID); err != nil {
		return s.unavailable(c, "photo", err)
	}
	parcel, err := url.PathUnescape(c.Param("parcel"))
	proof := b.photo(parcel)
	if err != nil || proof == "" {
		return s.noOrder(c)
	}
	audit, err := auditOf(who{Actor: "buyer", Role: "buyer"}, "read_proof", "", map[string]any{"proof": proof, "kind": "photo"})
	if err != nil {
		return err
	}
	audit.OrderID = b.v.ID
	d, err := s.Store.ProofPhoto(ctx, b.v.ID, proof, audit)
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder(c)
	}
	if err != nil {
		return s.unavailable(c, "photo", err)
	}
	// What it is, its bytes say: nothing but a picture is drawn.
	kind := http.DetectContentType(d.Body)
	if !slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, kind) {
		return s.noOrder(c)
	}
	secure(c.Response().Header())
	return c.Blob(http.StatusOK, kind, d.Body)
}
