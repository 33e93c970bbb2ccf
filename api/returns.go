package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// packed is what a box weighs and measures.
type packed struct {
	Package order.Package `json:"package"`
}

func (s *server) requestReturn(c echo.Context) error {
	body, err := decode[struct {
		Parcel string             `json:"parcel"`
		Lines  []order.ReturnLine `json:"lines"`
		packed
		reasoned
	}](c)
	if err != nil {
		return err
	}
	for i, l := range body.Lines {
		if !printable(l.SKU) || !printable(l.Instead) {
			return unprintable(fmt.Sprintf("lines[%d].sku", i))
		}
	}
	return s.ask(c, acts.RequestReturn(body.Parcel, body.Lines, body.Package, body.Reason))
}

func (s *server) decideReturn(c echo.Context) error {
	type body struct {
		Agree bool `json:"agree"`
		reasoned
	}
	return act(s, c, "return", func(id string, b body) acts.Request { return acts.DecideReturn(id, b.Agree, b.Reason) })
}

// shipment is how goods travel: under a carrier's number.
type shipment struct {
	Carrier  string `json:"carrier"`
	Tracking string `json:"tracking"`
	reasoned
}

func (s *server) shipReturn(c echo.Context) error {
	type body struct {
		shipment
		PickupAt *time.Time `json:"pickup_at"`
	}
	return act(s, c, "return", func(id string, b body) acts.Request {
		return acts.ShipReturn(id, b.Carrier, b.Tracking, orZero(b.PickupAt), b.Reason)
	})
}

func (s *server) askLabel(c echo.Context) error {
	type body struct {
		Carrier string `json:"carrier"`
		packed
		reasoned
	}
	return act(s, c, "return", func(id string, b body) acts.Request { return acts.AskLabel(id, b.Carrier, b.Package, b.Reason) })
}

func (s *server) askPickup(c echo.Context) error {
	type body struct {
		Carrier  string     `json:"carrier"`
		Earliest *time.Time `json:"earliest"`
		Latest   *time.Time `json:"latest"`
		packed
		reasoned
	}
	return act(s, c, "return", func(id string, b body) acts.Request {
		return acts.AskPickup(id, b.Carrier, orZero(b.Earliest), orZero(b.Latest), b.Package, b.Reason)
	})
}

func (s *server) endBooking(c echo.Context) error {
	id, err := param(c, "return")
	if err != nil {
		return err
	}
	return act(s, c, "booking", func(booking string, b reasoned) acts.Request { return acts.EndBooking(id, booking, b.Reason) })
}

func (s *server) voidBooking(c echo.Context) error {
	id, err := param(c, "return")
	if err != nil {
		return err
	}
	return act(s, c, "booking", func(booking string, b reasoned) acts.Request { return acts.VoidBooking(id, booking, b.Reason) })
}

// getReturnLabel hands out the label of a return, to be saved and never to be drawn.
func (s *server) getReturnLabel(c echo.Context) error {
	id, err := param(c, "return")
	if err != nil {
		return err
	}
	o, a, err := s.reading(c, "read_return_label", map[string]any{"return": id})
	if err != nil {
		return err
	}
	l, err := s.store.ReturnLabel(c.Request().Context(), o.Spec.ID, id, a)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, "attachment")
	return c.Blob(http.StatusOK, l.MediaType, l.Body)
}

func (s *server) inspectReturn(c echo.Context) error {
	type body struct {
		Findings []order.Finding `json:"findings"`
		reasoned
	}
	return act(s, c, "return", func(id string, b body) acts.Request {
		for i := range b.Findings {
			f := &b.Findings[i]
			f.Note, f.Accepted = clean(f.Note, noteLimit), false // what is accepted is decided by rule
		}
		return acts.InspectReturn(id, b.Findings, b.Reason)
	})
}

func (s *server) disposeReturn(c echo.Context) error {
	type body struct {
		Lines []order.Disposal `json:"lines"`
		reasoned
	}
	return act(s, c, "return", func(id string, b body) acts.Request { return acts.DisposeReturn(id, b.Lines, b.Reason) })
}

func (s *server) sendReturnBack(c echo.Context) error {
	return act(s, c, "return", func(id string, b shipment) acts.Request {
		return acts.SendReturnBack(id, b.Carrier, b.Tracking, b.Reason)
	})
}

func (s *server) cancelReturn(c echo.Context) error {
	return act(s, c, "return", func(id string, b reasoned) acts.Request { return acts.CancelReturn(id, b.Reason) })
}

func (s *server) getReturn(c echo.Context) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	id, err := param(c, "return")
	if err != nil {
		return err
	}
	for _, r := range order.ViewOf(o.Current()).Returns {
		if r.ID == id {
			return c.JSON(http.StatusOK, r)
		}
	}
	return notFound("There is no return " + id + " of order " + o.Spec.ID + ".")
}

// listReturns is the list of the returns desk.
func (s *server) listReturns(c echo.Context) error {
	f := store.ReturnFilter{Store: c.QueryParam("store"), State: c.QueryParam("state"), Owner: c.QueryParam("owner"), Limit: listLimit}
	f.Ended, _ = strconv.ParseBool(c.QueryParam("ended")) // the contract has been checked
	if err := s.boundTo(c, &f.Store); err != nil {
		return err
	}
	if v := c.QueryParam("limit"); v != "" {
		f.Limit, _ = strconv.Atoi(v)
	}
	if v := c.QueryParam("cursor"); v != "" {
		after, ok := parseReturnCursor(v)
		if !ok {
			return invalid(fieldError{"cursor", "is not one that a page named"})
		}
		f.After = after
	}
	list, err := s.store.Returns(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := struct {
		Returns []store.ReturnRow `json:"returns"`
		Next    string            `json:"next,omitempty"`
	}{Returns: append([]store.ReturnRow{}, list...)}
	if n := len(list); n >= f.Limit { // a full page: there may be more
		page.Next = formatReturnCursor(list[n-1].Cursor())
	}
	return c.JSON(http.StatusOK, page)
}

func formatReturnCursor(k store.ReturnCursor) string {
	b, _ := json.Marshal([]string{k.At.UTC().Format(time.RFC3339Nano), k.OrderID, k.ID})
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseReturnCursor(s string) (k store.ReturnCursor, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	var parts [3]string
	if err != nil || json.Unmarshal(b, &parts) != nil {
		return k, false
	}
	at, err := parseTime(parts[0])
	for _, p := range parts {
		if !printable(p) {
			return k, false
		}
	}
	return store.ReturnCursor{At: at, OrderID: parts[1], ID: parts[2]}, err == nil
}
