package pages

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/messaging/plan"
	"github.com/waybillhq/waybill/internal/speech"
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

// option is something to choose: what it is called is a key of lines, or a name.
type option struct{ value, label string }

var (
	frequencyOptions = []option{{string(plan.Everything), "wishes.all"}, {string(plan.Important), "wishes.important"}, {string(plan.LegalOnly), "wishes.none"}}
	channelOptions   = []option{{"", "wishes.any"}, {string(order.Email), "wishes.email"}, {string(order.SMS), "wishes.sms"}}
	languageOptions  = func() []option {
		all := []option{{"", "wishes.as_ordered"}}
		for _, t := range speech.Tongues() {
			all = append(all, option{t.Tag(), t.Name()})
		}
		return all
	}()
)

func choices(t *speech.Tongue, list []option, chosen string) (all []choice) {
	for _, o := range list {
		all = append(all, choice{Value: o.value, Label: cmp.Or(say(t, o.label, nil), o.label), Chosen: o.value == chosen})
	}
	return all
}

func offers(list []option, value string) bool {
	return slices.ContainsFunc(list, func(o option) bool { return o.value == value })
}

// wisher is the order whose buyer's page it is; not ok: the link is none of ours.
func (s *server) wisher(c echo.Context) (orderID string, ok bool) {
	id := orderNamed(c)
	return id, s.Links.MayPrefer(id, c.Param("token"))
}

// orderNamed is the order that the path of a buyer's page names.
func orderNamed(c echo.Context) string {
	id := c.Param("order")
	if raw, err := url.PathUnescape(id); err == nil && c.Request().URL.RawPath != "" {
		return raw
	}
	return id
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
	t, err := s.wisherTongue(c, id, w)
	if err != nil {
		return s.unavailable(c, "wishes", err)
	}
	p := wishesPageOf(t, s.brands.get(ctx, o.Spec.Store), o.Spec.Number, w)
	p.Href, p.Erased, p.Saved = c.Request().URL.EscapedPath(), erased, c.QueryParam("saved") != ""
	if lang, ok := speech.Find(c.QueryParam("lang")); ok {
		p.Href += "?lang=" + lang.Tag()
	}
	return s.speak(c, http.StatusOK, t, "wishes", p)
}

// wisherTongue is the language that was chosen just now, or wished for, or is the
// browser's, or the order's.
func (s *server) wisherTongue(c echo.Context, id string, w store.Wishes) (*speech.Tongue, error) {
	for _, tag := range []string{c.QueryParam("lang"), w.Language} {
		if t, ok := speech.Find(tag); ok {
			return t, nil
		}
	}
	if t, ok := wanted(c); ok {
		return t, nil
	}
	contact, err := s.Store.ContactOf(c.Request().Context(), id)
	return speech.Of(contact.Language), err
}

func wishesPageOf(t *speech.Tongue, b brand, number string, w store.Wishes) wishesPage {
	if w.Frequency == "" {
		w.Frequency = string(plan.Everything)
	}
	return wishesPage{Brand: b, Number: clean(number, 64), Frequencies: choices(t, frequencyOptions, w.Frequency), Channels: choices(t, channelOptions, w.Channel), Spoken: choices(t, languageOptions, w.Language)}
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
		if lang, ok := speech.Find(c.QueryParam("lang")); ok && w.Language == "" { // else it is as wished
			back += "&lang=" + lang.Tag()
		}
	}
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, back)
}
