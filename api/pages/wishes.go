package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/messaging/plan"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// The page of a buyer's wishes: what to hear, by which way, in which language. Its
// address is signed and comes with every mail; whoever has it may choose, without
// signing in and without JavaScript. Looking changes nothing: mail programs open
// links by themselves.

const maxForm = 16 << 10

type wishesPage struct {
	Brand                         brand
	Number, Href                  string
	Frequencies, Channels, Spoken []choice
	Saved, Erased                 bool
}

type option struct{ value, label string }

var (
	frequencyOptions = []option{
		{string(plan.Everything), "Every step: shipped, out for delivery, delivered, and when something is wrong"},
		{string(plan.Important), "Only what needs me, or changes the day"},
		{string(plan.LegalOnly), "Nothing but confirmations of orders, returns and refunds"},
	}
	channelOptions  = []option{{"", "As the shop does it"}, {string(order.Email), "By e-mail where possible"}, {string(order.SMS), "By text message where possible"}}
	languageOptions = []option{{"", "As ordered"}, {"en", "English"}, {"de", "Deutsch"}, {"es", "Español"}, {"pt-BR", "Português"}}
)

func choices(list []option, chosen string) (all []choice) {
	for _, o := range list {
		all = append(all, choice{Value: o.value, Label: o.label, Chosen: o.value == chosen})
	}
	return all
}

func offers(list []option, value string) bool {
	return slices.ContainsFunc(list, func(o option) bool { return o.value == value })
}

// wisher is the order whose buyer's page it is; not ok: the link is none of ours.
func (s *server) wisher(c echo.Context) (orderID string, ok bool) {
	id := c.Param("order")
	if raw, err := url.PathUnescape(id); err == nil && c.Request().URL.RawPath != "" {
		id = raw
	}
	return id, s.Links.MayPrefer(id, c.Param("token"))
}

func (s *server) wishes(c echo.Context) error {
	id, ok := s.wisher(c)
	if !ok {
		return s.noOrder(c)
	}
	ctx := c.Request().Context()
	o, err := s.Store.Order(ctx, id)
	var w store.Wishes
	var erased bool
	if err == nil {
		w, erased, err = s.Store.Wishes(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder(c)
	}
	if err != nil {
		return s.unavailable(c, "wishes", err)
	}
	p := wishesPageOf(s.brands.get(ctx, o.Spec.Store), o.Spec.Number, w)
	p.Href, p.Erased, p.Saved = c.Request().URL.EscapedPath(), erased, c.QueryParam("saved") != ""
	return s.render(c, http.StatusOK, "wishes", p)
}

func wishesPageOf(b brand, number string, w store.Wishes) wishesPage {
	if w.Frequency == "" {
		w.Frequency = string(plan.Everything)
	}
	return wishesPage{Brand: b, Number: clean(number, 64), Frequencies: choices(frequencyOptions, w.Frequency), Channels: choices(channelOptions, w.Channel), Spoken: choices(languageOptions, w.Language)}
}

// wish keeps what the form says. A mail program's own button posts
// List-Unsubscribe=One-Click (RFC 8058), and gets no page.
func (s *server) wish(c echo.Context) error {
	id, ok := s.wisher(c)
	if !ok {
		return s.noOrder(c)
	}
	ctx := c.Request().Context()
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxForm)
	if c.FormValue("List-Unsubscribe") == "One-Click" {
		if err := s.Store.Unsubscribe(ctx, id, string(plan.LegalOnly)); err != nil {
			return s.unavailable(c, "unsubscribe", err)
		}
		secure(c.Response().Header())
		return c.String(http.StatusOK, "Unsubscribed.\n")
	}
	w := store.Wishes{Channel: c.FormValue("channel"), Frequency: c.FormValue("frequency"), Language: c.FormValue("language")}
	back := c.Request().URL.EscapedPath()
	if offers(frequencyOptions, w.Frequency) && offers(channelOptions, w.Channel) && offers(languageOptions, w.Language) {
		err := s.Store.PutWishes(ctx, id, w)
		if errors.Is(err, store.ErrNotFound) { // erased; the page says so
			err = nil
		}
		if err != nil {
			return s.unavailable(c, "wishes", err)
		}
		back += "?saved=1"
	}
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, back)
}
