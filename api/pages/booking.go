package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// bookingRow is a label or a pickup that a carrier was asked for.
type bookingRow struct {
	ID, Kind, Carrier, State, Tone, Tracking, Reference, Cost, AskedBy, Reason string
	Asked, Until, Earliest, Latest, EndedAt                                    stamp
	Href                                                                       string // address of the label, if there is one
	End, Void                                                                  *form
	state                                                                      order.BookingState
	label                                                                      bool
}

func bookingRowOf(b order.Booking, now time.Time) bookingRow {
	row := bookingRow{ID: b.ID, Kind: upper(string(b.Kind)), Carrier: carrierName(b.Carrier), Tracking: clean(b.Tracking, 40), Reference: clean(b.Reference, 100), AskedBy: clean(b.AskedBy, 80), Reason: clean(b.Reason, 500),
		Asked: stampOf(b.AskedAt, now), Until: stampOf(b.Until, now), Earliest: stampOf(b.Earliest, now), Latest: stampOf(b.Latest, now), EndedAt: stampOf(b.EndedAt, now), state: b.State, label: b.State == order.BookingMade && b.Label != ""}
	if b.Currency != "" {
		row.Cost = order.Money(b.Amount, b.Currency)
	}
	switch b.State {
	case order.BookingAsked:
		row.State, row.Tone = "waits for the carrier", "moving"
	case order.BookingByHand:
		row.State, row.Tone = "a person has to act", "act"
	case order.BookingMade:
		row.State, row.Tone = "made", "good"
	case order.BookingEnded:
		row.State = "ended"
	case order.BookingVoiding:
		row.State, row.Tone = "the carrier is asked to void it", "moving"
	case order.BookingVoided:
		row.State = "voided"
	}
	return row
}

// boxed puts what is known of a box into a form, to be corrected.
func boxed(f form, p order.Package) form {
	text := func(n, per int) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatFloat(float64(n)/float64(per), 'f', -1, 64)
	}
	f.Weight, f.Length, f.Width, f.Height = text(p.WeightG, 1000), text(p.LengthMM, 10), text(p.WidthMM, 10), text(p.HeightMM, 10)
	return f
}

// box reads kilograms and centimetres, as people write them.
func (f *form) box() (p order.Package, bad error) {
	read := func(name, text string, per float64) int {
		if text = strings.ReplaceAll(strings.TrimSpace(text), ",", "."); text == "" {
			return 0
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n < 100_000) {
			bad = errors.New(name + ": must be a number like 1.2")
			return 0
		}
		return int(n*per + 0.5)
	}
	p.WeightG = read("weight", f.Weight, 1000)
	p.LengthMM, p.WidthMM, p.HeightMM = read("length", f.Length, 10), read("width", f.Width, 10), read("height", f.Height, 10)
	return p, bad
}

func labelHref(orderID, id string) string {
	return orderHref(orderID) + "/returns/" + url.PathEscape(id) + "/label"
}

// returnLabel hands a label out to be saved and printed; no browser draws it.
func (s *server) returnLabel(c echo.Context, w who) error {
	id, of := pathID(c), c.Param("return")
	if role, _, ok := s.roleNow(c.Request().Context(), w); !ok || !slices.Contains([]string{"support", "returns", "ops", "admin"}, role) {
		return s.notThem(c, w, errNotThem)
	}
	audit, err := auditOf(w, "read_return_label", "", map[string]any{"return": of})
	if err != nil {
		return s.consoleError(c, w, "label", err)
	}
	audit.OrderID = id
	l, err := s.Store.ReturnLabel(c.Request().Context(), id, of, audit)
	if errors.Is(err, store.ErrNotFound) {
		return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "No such label", "returns"), "There is no label of this return.", "The carrier made none, the return travels under another number, or it was erased with its order."})
	}
	if err != nil {
		return s.consoleError(c, w, "label", err)
	}
	return sendLabel(c, of, l)
}

func sendLabel(c echo.Context, of string, l store.ReturnLabel) error {
	secure(c.Response().Header())
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", "return-"+of+labelEnding[l.MediaType]))
	return c.Blob(http.StatusOK, l.MediaType, l.Body)
}

var labelEnding = map[string]string{"application/pdf": ".pdf", "image/png": ".png", "image/gif": ".gif", "application/zpl": ".zpl"}
