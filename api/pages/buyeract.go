package pages

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/rates"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

const (
	buyerPatience = 15 * time.Second
	maxBuyerBody  = 64 << 10
)

func itoa(n int) string { return strconv.Itoa(n) }

var formIDPattern = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// freshID names a form as it was drawn: what is sent twice is done once.
func freshID() string { return rand.Text() }

// enterBuyer lets in who has the link, as often as the limit says. Without a buyer it
// has answered already.
func (s *server) enterBuyer(c echo.Context, limit *rates.Limit) (*buyer, error) {
	id, ok := buyerID(c)
	if !ok {
		return nil, s.noOrder(c)
	}
	who, err := s.Store.Buyer(c.Request().Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !s.Links.MayAct(id, who.Link, c.Param("token")):
		return nil, s.noOrder(c)
	case err != nil:
		return nil, s.unavailable(c, "buyer's page", err)
	}
	if !limit.Allow(id, s.Now()) {
		c.Response().Header().Set("Retry-After", "60")
		return nil, s.note(c, http.StatusTooManyRequests, "buyer.often")
	}
	b, err := s.buyerOf(c, id, who)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, s.noOrder(c)
	case errors.Is(err, errErased):
		p := buyerPage{Brand: b.brand, Number: clean(b.v.Number, 64), Track: b.track, Mood: calm, Words: words{calm, b.l.say("buyer.none", nil), b.l.say("buyer.erased", nil), b.l.say("missing.too_late.next", b.loose)}}
		p.Title, p.Contact = p.Brand.Name, b.l.say("page.contact", speech.Words{"number": p.Number})
		return nil, s.speak(c, http.StatusOK, b.l.t, "buyer", p)
	case err != nil:
		return nil, s.unavailable(c, "buyer's page", err)
	}
	return b, nil
}

// note is a page of one sentence, for who is not let in.
func (s *server) note(c echo.Context, status int, key string) error {
	t := wantedOrEnglish(c)
	return s.speak(c, status, t, "buyer-note", say(t, key, nil))
}

// buyerPost does what a form asks. What was sent twice is done once; what has changed
// since the form was drawn is not done, and the page says how it is now.
func (s *server) buyerPost(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxBuyerBody)
	b, err := s.enterBuyer(c, &s.asks)
	if b == nil {
		return err
	}
	name := c.Param("form")
	if err := c.Request().ParseForm(); err != nil {
		return s.buyerAgain(c, b, http.StatusBadRequest, "buyer.refused", nil)
	}
	in := c.Request().PostForm
	id := in.Get("id")
	if !formIDPattern.MatchString(id) {
		id = freshID()
	}
	audit := buyerAudit(b.v.ID, name, id, in)
	done := func() error {
		back := "?did=1"
		if b.lang != "" {
			back = b.lang + "&did=1"
		}
		secure(c.Response().Header())
		return c.Redirect(http.StatusSeeOther, b.href+"/"+name+back)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), buyerPatience)
	defer cancel()
	begun := false
	switch have, err := s.Store.Audit(ctx, audit); {
	case errors.Is(err, store.ErrNotFound):
	case err == nil && have.Outcome == "": // under way, or its answer was lost
		begun = true
	case err != nil:
		return s.unavailable(c, "audit", err)
	case have.Outcome == "done":
		return done()
	default: // refused before
		return s.buyerAgain(c, b, http.StatusConflict, "buyer.stale", nil)
	}
	p, ok := b.page(name)
	if !ok || s.Desk == nil {
		return s.noOrder(c)
	}
	var f *buyerForm
	for i := range p.Forms {
		if p.Forms[i].Of == in.Get("of") {
			f = &p.Forms[i]
		}
	}
	switch {
	case f != nil && f.Seen == in.Get("seen"):
	case begun: // by this very form, which has changed what it was about
		return done()
	default:
		return s.buyerAgain(c, b, http.StatusConflict, "buyer.stale", nil)
	}
	r, fine := f.begin(f, in)
	if !fine {
		p.Error = b.l.say("buyer.check", nil)
		return s.speak(c, http.StatusUnprocessableEntity, b.l.t, "buyer", p)
	}
	_, err = s.Desk.Do(ctx, b.o, acts.ByBuyer(c.Response().Header().Get(echo.HeaderXRequestID)), audit, r)
	var no *order.Refusal
	switch {
	case err == nil:
		return done()
	case errors.As(err, &no), errors.Is(err, workflows.ErrNotRunning):
		// The order knew more than the page did.
		return s.buyerAgain(c, b, http.StatusConflict, "buyer.stale", no)
	case errors.Is(err, workflows.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		f.ID, p.Error = id, b.l.say("buyer.unclear", nil) // the same form again, to be done once
		return s.speak(c, http.StatusServiceUnavailable, b.l.t, "buyer", p)
	}
	s.Log.Error("pages: buyer's act", "form", name, "order", b.v.ID, "err", err)
	return s.buyerAgain(c, b, http.StatusInternalServerError, "buyer.refused", nil)
}

// buyerAgain shows the page as it is now, and why nothing was done.
func (s *server) buyerAgain(c echo.Context, b *buyer, status int, key string, no *order.Refusal) error {
	if fresh, err := s.buyerOf(c, b.v.ID, b.who); err == nil {
		b = fresh
	}
	p, ok := b.page(c.Param("form"))
	if !ok {
		return s.noOrder(c)
	}
	if no != nil && len(p.Forms) > 0 { // it is still offered, and not granted: another reason
		key = "buyer.refused"
	}
	p.Error = b.l.say(key, b.loose)
	return s.speak(c, status, b.l.t, "buyer", p)
}

// buyerAudit follows from the form and what it says, so that the same thing sent twice
// is one act, and something else is another.
func buyerAudit(orderID, form, id string, in url.Values) string {
	said := url.Values{}
	for name, v := range in {
		if name != "seen" && name != "id" {
			said[name] = v
		}
	}
	h := sha256.Sum256([]byte(orderID + "\n" + form + "\n" + id + "\n" + said.Encode()))
	return "aud_" + hex.EncodeToString(h[:12])
}

// addressFields are those of an address, with how long each may be.
var addressFields = []struct {
	name, complete string
	most           int
	needed         bool
}{
	{"name", "name", 100, false},
	{"street", "street-address", 200, true},
	{"postal_code", "postal-code", 20, true},
	{"city", "address-level2", 100, true},
	{"region", "address-level1", 100, false},
}

// addressPage asks for the right address while a carrier cannot find the one it has.
// That one is never shown whole: a stolen link must not tell where somebody lives.
func (b *buyer) addressPage() (p buyerPage) {
	var k *order.Case
	for i := range b.st.Cases {
		if c := &b.st.Cases[i]; c.Kind == order.AddressProblem && c.ID != "" && k == nil {
			k = c
		}
	}
	if k == nil {
		p.Words = b.words(calm, "address.settled", b.loose)
		return p
	}
	w := b.about(b.parcel(k.Parcel))
	why, no := b.refused(func(m order.Meta) order.Event {
		return order.CorrectAddress{Meta: m, AddressVersion: b.st.AddressVersion + 1}
	})
	if no {
		if why != order.WhyPerson {
			p.Words = words{act, b.l.say("address.person.status", w), b.l.say("buyer.refused", w), ""}
			return p
		}
		if _, no := b.refused(func(m order.Meta) order.Event {
			return order.NoteCase{Meta: m, Case: k.ID, Text: order.WrongAddress}
		}); no {
			p.Words, p.done = b.words(good, "address.told", w), true
			return p
		}
		f := b.form(links.Address, "", k.ID+" "+itoa(len(k.Notes)), nil)
		f.Send = b.l.say("address.wrong", nil)
		f.begin = func(*buyerForm, url.Values) (acts.Request, bool) { return acts.AskForAddress(k.ID), true }
		p.Words, p.Forms = b.words(act, "address.person", w), []buyerForm{f}
		return p
	}
	f := b.form(links.Address, "", k.ID+" "+itoa(b.st.AddressVersion), nil)
	f.Send = b.l.say("address.send", nil)
	for _, x := range addressFields {
		f.Fields = append(f.Fields, buyerField{Name: x.name, Label: b.l.say("address."+x.name, nil), Complete: x.complete, Most: x.most, Needed: x.needed})
	}
	f.begin = func(f *buyerForm, in url.Values) (acts.Request, bool) { return b.beginAddress(k.ID, f, in) }
	p.Forms = []buyerForm{f}
	if b.st.AddressedAt.After(k.OpenedAt) {
		p.Words, p.done = b.words(good, "address.done", w), true
		return p
	}
	if b.address.City != "" || b.address.PostalCode != "" {
		w["masked"] = hinted(b.address.PostalCode, 2) + " " + hinted(b.address.City, 1)
	}
	if country := b.country(); country != "" {
		w["country"] = country
	}
	p.Words = b.words(act, "address.ask", w)
	return p
}

func (b *buyer) beginAddress(of string, f *buyerForm, in url.Values) (r acts.Request, fine bool) {
	fine = true
	typed := map[string]string{}
	for i := range f.Fields {
		x := &f.Fields[i]
		x.Value = clean(in.Get(x.Name), x.Most+1)
		switch {
		case utf8.RuneCountInString(x.Value) > x.Most:
			x.Error, fine = b.l.say("buyer.long", speech.Words{"n": itoa(x.Most)}), false
		case x.Value == "" && x.Needed:
			x.Error, fine = b.l.say("buyer.needed", nil), false
		}
		typed[x.Name] = x.Value
	}
	return acts.Move(b.moving, of, b.o, store.Address{Name: typed["name"], Street: typed["street"], City: typed["city"], PostalCode: typed["postal_code"], Region: typed["region"]}), fine
}

// hinted leaves the first letters.
func hinted(s string, letters int) string {
	s = clean(s, 60)
	for i := range s {
		if letters == 0 {
			return s[:i] + "•••"
		}
		letters--
	}
	return "•••"
}

// country is the name of the country that the order goes to, in the reader's words.
func (b *buyer) country() string {
	code := b.address.Country
	region, err := language.ParseRegion(code)
	if err != nil {
		return clean(code, 2)
	}
	return display.Regions(language.Make(b.l.t.Tag())).Name(region)
}

// returnPage asks what is to be sent back, and shows what is on its way already.
func (b *buyer) returnPage() (p buyerPage) {
	p.Returns = returnCards(&b.v, b.names, b.brand.Name, b.href, b.l)
	p.done = len(p.Returns) > 0
	var standing strings.Builder
	for _, r := range b.st.Returns {
		standing.WriteString(r.ID + string(r.State) + " ")
	}
	var rows []buyerRow
	for _, a := range order.Returnable(b.st, b.now) {
		standing.WriteString(a.SKU + itoa(a.Quantity) + " ")
		if len(rows) < maxRows {
			rows = append(rows, buyerRow{SKU: a.SKU, Name: b.names[a.SKU], Most: a.Quantity, Ask: b.l.say("return.quantity", speech.Words{"n": itoa(a.Quantity)}), Reasons: b.reasons(""), Wanted: b.wanted("")})
		}
	}
	if len(rows) > 0 {
		one := order.ReturnLine{SKU: rows[0].SKU, Quantity: 1, Reason: order.OtherReason, Wanted: order.RefundRemedy}
		if _, no := b.refused(func(m order.Meta) order.Event { return order.RequestReturn{Meta: m, Lines: []order.ReturnLine{one}} }); !no {
			f := b.form(links.Return, "", standing.String(), nil)
			f.Rows, f.Send, f.begin = rows, b.l.say("return.send", nil), b.beginReturn
			if p.Forms, p.Words = []buyerForm{f}, b.words(act, "return.ask", b.loose); p.done {
				p.Words = b.words(calm, "return.yours", b.loose)
				p.Forms[0].Title = b.l.say("return.more", nil)
			}
			return p
		}
	}
	switch {
	case p.done:
		p.Words = b.words(calm, "return.yours", b.loose)
	case b.anyDelivered():
		p.Words = b.words(calm, "return.few", b.loose)
	default:
		p.Words = b.words(calm, "return.undelivered", b.loose)
	}
	return p
}

func (b *buyer) anyDelivered() bool {
	for i := range b.v.Parcels {
		if b.v.Parcels[i].Milestone == order.Delivered {
			return true
		}
	}
	return false
}

func (b *buyer) reasons(chosen string) (list []choice) {
	for _, r := range order.ReturnReasons {
		if text := b.l.say("return.why."+string(r), nil); text != "" { // the last is none of buyers'
			list = append(list, choice{Value: string(r), Label: text, Chosen: string(r) == chosen})
		}
	}
	return list
}

func (b *buyer) wanted(chosen string) (list []choice) {
	for _, k := range []order.RemedyKind{order.RefundRemedy, order.ReplacementRemedy} {
		list = append(list, choice{Value: string(k), Label: b.l.say("return.wanted."+string(k), nil), Chosen: string(k) == chosen})
	}
	return list
}

func (b *buyer) beginReturn(f *buyerForm, in url.Values) (r acts.Request, fine bool) {
	fine = true
	typed := map[string]formRow{}
	for _, row := range readRows(in) {
		typed[row.SKU] = row
	}
	var lines []order.ReturnLine
	for i := range f.Rows {
		x := &f.Rows[i]
		row := typed[clean(x.SKU, 100)]
		x.Quantity, x.Reasons, x.Wanted = row.Quantity, b.reasons(row.Why), b.wanted(row.Wanted)
		n, err := units(row.Quantity)
		if err != nil || n > x.Most {
			x.Error, fine = b.l.say("return.number", speech.Words{"n": itoa(x.Most)}), false
			continue
		}
		if n == 0 {
			continue
		}
		if b.l.say("return.why."+row.Why, nil) == "" || b.l.say("return.wanted."+row.Wanted, nil) == "" {
			x.Error, fine = b.l.say("buyer.choose", nil), false
			continue
		}
		lines = append(lines, order.ReturnLine{SKU: x.SKU, Quantity: n, Reason: order.ReturnReason(row.Why), Wanted: order.RemedyKind(row.Wanted)})
	}
	if fine && len(lines) == 0 {
		f.ChoiceError, fine = b.l.say("return.nothing", nil), false
	}
	return acts.RequestReturn("", lines, order.Package{}, ""), fine
}
