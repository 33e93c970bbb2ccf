package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/messaging"
	mails "github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// messageRow is one message of an order, as support sees it: to whom, masked.
type messageRow struct {
	Kind, Audience, Channel, To string
	Status, Tone, Reason        string
	Told                        []string
	At                          stamp // of the last attempt, or when it was planned
	Next                        stamp // when it is looked at again
	Attempts                    int
	Provider                    string
}

var messageTones = map[store.MessageStatus]string{
	store.MessagePlanned: "moving", store.MessageSending: "moving", store.MessageSent: "good", store.MessageDelivered: "good", store.MessageFailed: "bad", store.MessageUnclear: "act", store.MessageDropped: "",
}

func messageRows(list []store.Message, to store.Contact, now time.Time) (rows []messageRow) {
	for _, m := range list {
		r := messageRow{Kind: label(m.Kind), Audience: label(m.Audience), Channel: m.Channel, Status: string(m.Status), Tone: messageTones[m.Status], Reason: clean(m.Reason, 200), Told: m.Told,
			Attempts: m.Attempts, Provider: m.Provider, At: stampOf(m.PlannedAt, now)}
		if m.AttemptedAt != nil {
			r.At = stampOf(*m.AttemptedAt, now)
		}
		if m.Status == store.MessagePlanned && !m.NotBefore.IsZero() {
			r.Next = stampOf(m.NotBefore, now)
		}
		if m.Audience == "buyer" {
			r.To = masked(m.Channel, to)
		}
		rows = append(rows, r)
	}
	slices.Reverse(rows) // newest first, like the timeline
	return rows
}

// masked is enough to tell two addresses apart, and no more.
func masked(channel string, to store.Contact) string {
	switch {
	case channel == string(order.Email) && to.Email != "":
		return messaging.MaskAddress(to.Email)
	case channel == string(order.SMS) && to.Phone != "":
		return messaging.MaskPhone(to.Phone)
	}
	return ""
}

// messagesOf reads an order's messages. Without them the page still shows the order.
func (s *server) messagesOf(ctx context.Context, orderID string) []messageRow {
	list, err := s.Store.MessagesOf(ctx, orderID)
	if err != nil || len(list) == 0 {
		if err != nil {
			s.Log.Error("pages: messages", "order", orderID, "err", err)
		}
		return nil
	}
	to, err := s.Store.ContactOf(ctx, orderID)
	if err != nil {
		s.Log.Error("pages: contact", "order", orderID, "err", err)
	}
	return messageRows(list, to, s.Now())
}

// outboxPage shows what the local outbox took: whole messages, as their readers
// would see them. Where providers send, the outbox is empty.
type outboxPage struct {
	head
	Rows  []outboxRow
	Older string
}

type outboxRow struct {
	ID, Order, Href, Kind, Channel string
	To, Subject, Text              string
	Mail                           string // address of the HTML
	At                             stamp
}

const outboxRows = 20

// kept is the part of a kept message that is shown.
type kept struct {
	Mail *messaging.Mail `json:"mail"`
	Text *messaging.Text `json:"text"`
	Hook json.RawMessage `json:"hook"`
}

var messageID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (s *server) outbox(c echo.Context, w who) error {
	var before time.Time
	id := c.QueryParam("id")
	if t, err := time.Parse(time.RFC3339Nano, c.QueryParam("before")); err == nil && messageID.MatchString(id) {
		before = t
	} else {
		id = ""
	}
	list, err := s.Store.Shelf(c.Request().Context(), before, id, outboxRows+1)
	if err != nil {
		return s.consoleError(c, w, "outbox", err)
	}
	p := outboxPage{head: s.head(w, "Outbox", "")}
	if len(list) > outboxRows {
		list = list[:outboxRows]
		last := list[outboxRows-1]
		p.Older = "/console/outbox?before=" + last.ShelvedAt.UTC().Format(time.RFC3339Nano) + "&id=" + last.ID
	}
	for _, k := range list {
		p.Rows = append(p.Rows, outboxRowOf(k, s.Now()))
	}
	return s.renderFraming(c, "outbox", p)
}

func outboxRowOf(k store.KeptMessage, now time.Time) outboxRow {
	r := outboxRow{ID: k.ID, Order: k.Order, Href: orderHref(k.Order), Kind: label(k.Kind), Channel: k.Channel, At: stampOf(k.ShelvedAt, now)}
	var body kept
	if err := json.Unmarshal(k.Body, &body); err != nil {
		r.Text = "It cannot be read."
		return r
	}
	switch {
	case body.Mail != nil:
		r.To, r.Subject, r.Text = string(body.Mail.To.Address), clean(body.Mail.Subject, 300), body.Mail.Text
		r.Mail = "/console/outbox/" + k.ID
	case body.Text != nil:
		r.To, r.Text = string(body.Text.To), body.Text.Body
	default:
		r.Text = string(body.Hook)
	}
	return r
}

// outboxMail is the HTML of one mail, for the frame of the outbox page.
func (s *server) outboxMail(c echo.Context, w who) error {
	id, ctx := c.Param("id"), c.Request().Context()
	if !messageID.MatchString(id) {
		return s.noMail(c)
	}
	on, err := s.Store.Shelved(ctx, id)
	if err == nil && !on {
		return s.noMail(c)
	}
	var raw json.RawMessage
	if err == nil {
		raw, err = s.Store.KeptBody(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return s.noMail(c)
	}
	if err != nil {
		return s.consoleError(c, w, "outbox", err)
	}
	var body kept
	if err := json.Unmarshal(raw, &body); err != nil || body.Mail == nil {
		return s.noMail(c)
	}
	return framed(c, body.Mail.HTML)
}

func (s *server) noMail(c echo.Context) error {
	secure(c.Response().Header())
	return c.String(http.StatusNotFound, "There is no such mail.\n")
}

// framed serves a mail's HTML as something foreign: no scripts, no forms, an
// origin of its own, and nothing loaded but pictures.
func framed(c echo.Context, html string) error {
	h := c.Response().Header()
	secure(h)
	h.Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'")
	return c.HTML(http.StatusOK, html)
}

// renderFraming renders a page that frames our own.
func (s *server) renderFraming(c echo.Context, name string, data any) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := s.draw(b, templates, name, data); err != nil {
		return err
	}
	secure(c.Response().Header())
	c.Response().Header().Set("Content-Security-Policy", contentPolicy+"; frame-src 'self'")
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

// messageGallery shows every kind of message in every language, with made-up content.
type messageGallery struct {
	head
	Languages []choice
	Rows      []galleryMessage
}

type galleryMessage struct {
	Kind, Subject, Preheader, SMS, Mail string
	Segments                            int
}

func (s *server) messageGallery(c echo.Context, w who) error {
	language := cmp.Or(c.QueryParam("language"), "en")
	p := messageGallery{head: s.head(w, "Message gallery", "gallery")}
	for _, o := range languageOptions[1:] {
		p.Languages = append(p.Languages, choice{Value: "/console/gallery/messages?language=" + o.value, Label: o.label, Chosen: o.value == language})
	}
	if !offers(languageOptions[1:], language) {
		return s.noOrder(c)
	}
	for _, kind := range mails.Kinds() {
		m, err := mails.Write(kind, mails.Sample(kind, language))
		if err != nil {
			return s.consoleError(c, w, "message gallery", err)
		}
		p.Rows = append(p.Rows, galleryMessage{label(string(kind)), m.Subject, m.Preheader, m.SMS, "/console/gallery/messages/" + string(kind) + "?language=" + language, m.Segments})
	}
	m, err := mails.WriteAlert(mails.SampleAlert())
	if err != nil {
		return s.consoleError(c, w, "message gallery", err)
	}
	p.Rows = append(p.Rows, galleryMessage{"Alert to a team", m.Subject, m.Preheader, m.SMS, "/console/gallery/messages/alert", m.Segments})
	return s.renderFraming(c, "message-gallery", p)
}

func (s *server) galleryMail(c echo.Context, w who) error {
	kind, language := mails.Kind(c.Param("kind")), cmp.Or(c.QueryParam("language"), "en")
	var m mails.Message
	var err error
	switch {
	case kind == "alert":
		m, err = mails.WriteAlert(mails.SampleAlert())
	case slices.Contains(mails.Kinds(), kind) && offers(languageOptions[1:], language):
		m, err = mails.Write(kind, mails.Sample(kind, language))
	default:
		return s.noMail(c)
	}
	if err != nil {
		return s.consoleError(c, w, "message gallery", err)
	}
	return framed(c, m.HTML)
}
