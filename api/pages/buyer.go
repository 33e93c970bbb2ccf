package pages

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// The page on which buyers act. Its address comes with what is sent to them and with
// nothing else, and is signed: whoever has it may do what order.Check grants a
// buyer. Looking changes nothing, since mail programs open links by themselves.

// buyerForms are its forms, in the order in which the page offers them.
var buyerForms = []string{links.AnotherDay, links.Address, links.Found, links.Missing, links.Return, links.Proof}

// maxBuyerForms bounds the forms about one parcel each; an order may have more.
const maxBuyerForms = 20

type buyerPage struct {
	Brand   brand
	Number  string
	Title   string // of the browser's tab
	Words   words
	Mood    mood
	Back    string // the page of all forms; empty on it
	Track   string
	Error   string // what was sent was not done
	Thanks  bool   // it was
	Forms   []buyerForm
	Cards   []buyerCard
	Doors   []door
	Returns []returnCard
	Contact string
	done    bool // something was asked here, and is under way or agreed
}

// buyerForm asks one thing.
type buyerForm struct {
	Href, ID, Seen, Of string
	Title              string // where the page says more than that
	Items              []item
	Legend             string
	Choices            []choice
	ChoiceError        string
	Fields             []buyerField
	Rows               []buyerRow
	Send               string
	begin              func(f *buyerForm, in url.Values) (r acts.Request, fine bool)
}

type buyerField struct {
	Name, Label, Value, Error, Complete string
	Most                                int // characters
	Needed                              bool
}

// buyerRow is a line of the order that may be sent back.
type buyerRow struct {
	SKU, Name, Ask, Quantity, Error string
	Most                            int
	Reasons, Wanted                 []choice
}

// buyerCard is a parcel, with what is known of its delivery.
type buyerCard struct {
	Title        string
	Words        words
	Items        []item
	Photo, NoPic bool
	PhotoHref    string
}

type door struct{ Href, Label, Why string }

// buyer is an order as its buyer acts on it.
type buyer struct {
	who     store.Buyer
	l       lens
	o       store.Order
	st      *order.State // with the clock of now
	v       order.View
	brand   brand
	now     time.Time
	href    string // of the page
	lang    string // the query that keeps a language
	track   string
	names   map[string]string
	entries []store.Entry
	address store.Address // that the order follows
	photos  []string      // proofs that hold one
	moving  acts.Moving
	seal    func(string) string
	// loose are the words of what is said of the shop and the first parcel.
	loose speech.Words
}

// buyerID is the order whose buyer's page is asked for; not ok: it is none that the
// database could be asked for.
func buyerID(c echo.Context) (id string, ok bool) {
	id = orderNamed(c)
	return id, utf8.ValidString(id) && !strings.ContainsRune(id, 0)
}

// buyerTongue is the language that was chosen just now, or wished for, or is the
// order's; the browser's if none of these is known.
func buyerTongue(c echo.Context, tag string) *speech.Tongue {
	for _, tag := range []string{c.QueryParam("lang"), tag} {
		if t, ok := speech.Find(tag); ok {
			return t
		}
	}
	return wantedOrEnglish(c)
}

var errErased = errors.New("the buyer is erased")

// buyerOf reads what the page of a buyer needs. Errors: store.ErrNotFound, errErased.
func (s *server) buyerOf(c echo.Context, id string, who store.Buyer) (*buyer, error) {
	ctx := c.Request().Context()
	o, err := s.Store.Order(ctx, id)
	if err != nil {
		return nil, err
	}
	entries, err := s.Store.Moments(ctx, id, trackEntries)
	if err != nil {
		return nil, err
	}
	b := newBuyer(buyerTongue(c, who.Language), o, entries, s.brands.get(ctx, o.Spec.Store), s.Now())
	b.href, b.track, b.moving = "/b/"+url.PathEscape(id)+"/"+c.Param("token"), s.Links.Tracking(id), s.Store
	b.seal = func(standing string) string {
		return base64.RawURLEncoding.EncodeToString(mac(s.Secret, "buyer", id+"\x00"+standing))
	}
	if lang, ok := speech.Find(c.QueryParam("lang")); ok {
		b.lang = "?lang=" + lang.Tag()
	}
	b.who = who
	if who.Erased {
		return b, errErased
	}
	switch c.Param("form") {
	case links.Address:
		b.address, err = s.Store.Address(ctx, id, b.st.AddressVersion)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	case links.Proof:
		b.photos, err = s.Store.Photographed(ctx, id)
	}
	return b, err
}

func newBuyer(t *speech.Tongue, o store.Order, entries []store.Entry, brand brand, now time.Time) *buyer {
	st := o.Current().At(now)
	b := &buyer{l: newLens(t, now, entries, st.PromisedAt), o: o, st: st, v: order.ViewOf(st), brand: brand, now: now, names: map[string]string{}, entries: entries, seal: func(s string) string { return s }}
	for _, line := range st.Spec.Lines {
		if b.names[line.SKU] = clean(line.Name, 120); b.names[line.SKU] == "" {
			b.names[line.SKU] = clean(line.SKU, 60)
		}
	}
	b.loose = b.about(nil)
	return b
}

// about are the words of sentences about a parcel; nil: the first one.
func (b *buyer) about(p *order.ParcelView) speech.Words {
	if p == nil && len(b.v.Parcels) > 0 {
		p = &b.v.Parcels[0]
	}
	carrier := ""
	if p != nil {
		carrier = carrierName(p.Carrier)
	}
	return b.l.about(b.brand.Name, carrier)
}

func (b *buyer) parcel(id string) *order.ParcelView {
	for i := range b.v.Parcels {
		if b.v.Parcels[i].ID == id {
			return &b.v.Parcels[i]
		}
	}
	return nil
}

// refused says why the buyer would be refused.
func (b *buyer) refused(make func(order.Meta) order.Event) (why order.Why, no bool) {
	e := make(order.Meta{By: order.Buyer, Actor: "buyer", Reason: "asked for"})
	err := order.Check(b.st, e)
	if err == nil && b.st.Closed {
		err = order.WouldGrant(b.st, b.now, e)
	}
	var r *order.Refusal
	if errors.As(err, &r) {
		why = r.Why
	}
	return why, err != nil
}

// words are those of a key: what it says of itself, what happened, what comes next.
func (b *buyer) words(m mood, key string, w speech.Words) words {
	return words{m, b.l.say(key+".status", w), b.l.say(key+".sentence", w), b.l.say(key+".next", w)}
}

// form is one about a parcel, or about the order: of is empty then. It remembers how
// that stands which it is about.
func (b *buyer) form(name, of, standing string, p *order.ParcelView) buyerForm {
	f := buyerForm{Href: b.href + "/" + name + b.lang, ID: freshID(), Of: of, Seen: b.seal(name + "\x00" + of + "\x00" + standing)}
	if p != nil {
		if f.Items = b.items(p.Lines); len(b.v.Parcels) > 1 {
			f.Title = b.title(p)
		}
	}
	return f
}

func (b *buyer) title(p *order.ParcelView) string {
	w := speech.Words{}
	if n := len(b.v.Parcels); n > 1 {
		for i := range b.v.Parcels {
			if b.v.Parcels[i].ID == p.ID {
				w = speech.Words{"i": itoa(i + 1), "n": itoa(n)}
			}
		}
	}
	return b.l.say("page.parcel", w)
}

func (b *buyer) items(lines []order.Allocation) (list []item) {
	for _, a := range lines {
		if len(list) == openItems {
			break
		}
		list = append(list, item{b.names[a.SKU], a.Quantity})
	}
	return list
}

// took says who or what took a delivered parcel, by the newest word on it.
func (b *buyer) took(parcel string) string {
	if p := b.st.ParcelByID(parcel); p != nil && p.Proof.DeliveredTo != "" {
		return b.l.say("story.to."+p.Proof.DeliveredTo, nil)
	}
	for _, e := range slices.Backward(b.entries) {
		if e.Parcel == parcel && e.DeliveredTo != "" {
			return b.l.say("story.to."+e.DeliveredTo, nil)
		}
	}
	return ""
}

// page is one of the forms' pages. Not ok: there is none of that name.
func (b *buyer) page(name string) (p buyerPage, ok bool) {
	switch name {
	case "":
		p = b.front()
	case links.Missing:
		p = b.missing()
	case links.Found:
		p = b.found()
	case links.AnotherDay:
		p = b.anotherDay()
	case links.Address:
		p = b.addressPage()
	case links.Return:
		p = b.returnPage()
	case links.Proof:
		p = b.proof()
	default:
		return p, false
	}
	p.Brand, p.Number, p.Track, p.Mood = b.brand, clean(b.v.Number, 64), b.track, p.Words.Mood
	p.Title = b.l.say("page.title", speech.Words{"status": p.Words.Status, "number": p.Number, "shop": b.brand.Name})
	p.Contact = b.l.say("page.contact", speech.Words{"number": p.Number})
	if name != "" {
		p.Back = b.href + b.lang
	}
	return p, true
}

// front says how the order is, and offers every form that has something to ask, what
// was agreed with carriers, and how parcels were delivered.
func (b *buyer) front() buyerPage {
	p := buyerPage{Words: trackPageOf(b.l.t, b.o, b.entries, b.brand, b.now).Words, Returns: returnCards(&b.v, b.names, b.brand.Name, b.href, b.l)}
	for _, name := range buyerForms {
		if other, _ := b.page(name); len(other.Forms) > 0 || name == links.AnotherDay && other.done || name == links.Proof && len(other.Cards) > 0 {
			p.Doors = append(p.Doors, b.door(name))
		}
	}
	return p
}

func (b *buyer) door(name string) door {
	key := "door." + strings.ReplaceAll(name, "-", "_")
	return door{b.href + "/" + name + b.lang, b.l.say(key, nil), b.l.say(key+"_why", nil)}
}

// missing asks which delivered parcel is not there, and says what is done about
// those that were reported.
func (b *buyer) missing() (p buyerPage) {
	last := order.WhyUndelivered
	for i := range b.v.Parcels {
		pv := &b.v.Parcels[i]
		why, no := b.refused(func(m order.Meta) order.Event { return order.ReportNotReceived{Meta: m, Parcel: pv.ID} })
		switch {
		case !no && len(p.Forms) < maxBuyerForms:
			f := b.form(links.Missing, pv.ID, string(pv.Milestone)+" "+stampOfAct(pv.Since), pv)
			f.Send = b.l.say("missing.send", nil)
			f.begin = func(f *buyerForm, _ url.Values) (acts.Request, bool) { return acts.ReportNotReceived(f.Of, ""), true }
			p.Forms = append(p.Forms, f)
		case why == order.WhyReported:
			p.Cards = append(p.Cards, buyerCard{Title: b.title(pv), Words: b.sought(pv), Items: b.items(pv.Lines)})
		case no && why != "" && why != order.WhyUndelivered:
			last = why
		}
	}
	switch {
	case len(p.Forms) > 0:
		w := b.about(nil)
		if len(p.Forms) == 1 {
			pv := b.parcel(p.Forms[0].Of)
			w = b.about(pv)
			w["at"] = b.l.moment(pv.Since)
			if took := b.took(pv.ID); took != "" {
				w["took"] = took
			}
		}
		p.Words = b.words(act, "missing.ask", w)
	case len(p.Cards) > 0:
		p.Words, p.done = p.Cards[0].Words, true
		if len(p.Cards) == 1 {
			p.Cards = nil
		}
	default:
		p.Words = b.words(calm, "missing."+string(last), b.loose)
	}
	if len(p.Cards) > 0 || p.done {
		p.done, p.Doors = true, []door{b.door(links.Found)}
	}
	return p
}

// sought says that a parcel is looked for, and until when its buyer hears.
func (b *buyer) sought(pv *order.ParcelView) words {
	w := b.about(pv)
	for i := range b.v.Cases {
		if k := &b.v.Cases[i]; k.Kind == order.NotReceived && k.Parcel == pv.ID && k.Due.After(b.now) {
			w["day"] = b.l.day(k.Due)
		}
	}
	return b.words(moving, "missing.sought", w)
}

// found asks whether a parcel that is looked for has turned up.
func (b *buyer) found() (p buyerPage) {
	for i := range b.v.Parcels {
		pv := &b.v.Parcels[i]
		if _, no := b.refused(func(m order.Meta) order.Event { return order.FoundParcel{Meta: m, Parcel: pv.ID} }); no || len(p.Forms) == maxBuyerForms {
			continue
		}
		f := b.form(links.Found, pv.ID, stampOfAct(b.st.ParcelByID(pv.ID).NotReceivedAt), pv)
		f.Send = b.l.say("found.send", nil)
		f.begin = func(f *buyerForm, _ url.Values) (acts.Request, bool) { return acts.FoundParcel(f.Of, ""), true }
		p.Forms = append(p.Forms, f)
	}
	if len(p.Forms) > 0 {
		p.Words = b.words(act, "found.ask", b.loose)
		return p
	}
	p.Words = b.words(calm, "found.not_missing", b.loose)
	for _, d := range slices.Backward(b.st.Decisions) {
		if d.Case.Kind != order.NotReceived || d.Resolution == "" {
			continue
		}
		if d.Resolution == order.Dismiss {
			p.Words = b.words(good, "found.done", b.loose)
		} else {
			p.Words = b.words(calm, "found.decided", b.loose)
		}
		return p
	}
	return p
}

// holdChoice is the choice of a pickup point; the others are days.
const holdChoice = "hold"

// anotherDay asks what follows a failed attempt, and says what the carrier was told.
func (b *buyer) anotherDay() (p buyerPage) {
	for i := range b.st.Cases {
		k := &b.st.Cases[i]
		pv := b.parcel(k.Parcel)
		if k.Kind != order.FailedAttempt || pv == nil || len(p.Forms) == maxBuyerForms {
			continue
		}
		if _, no := b.refused(func(m order.Meta) order.Event {
			return order.ResolveCase{Meta: m, Case: k.ID, Resolution: order.HoldAtLocation}
		}); no {
			continue
		}
		f := b.form(links.AnotherDay, pv.ID, k.ID+" "+itoa(pv.Attempts), pv)
		f.Legend, f.Send = b.l.say("another_day.legend", nil), b.l.say("another_day.send", nil)
		days := order.DeliveryDays(b.st, pv.ID, b.now)
		for _, d := range days {
			f.Choices = append(f.Choices, choice{Value: d.Format(time.DateOnly), Label: upper(b.l.t.Day(d))})
		}
		f.Choices = append(f.Choices, choice{Value: holdChoice, Label: b.l.say("another_day.hold", nil)})
		f.begin = func(f *buyerForm, in url.Values) (acts.Request, bool) {
			chosen := in.Get("choice")
			for i := range f.Choices {
				f.Choices[i].Chosen = f.Choices[i].Value == chosen
			}
			if chosen == holdChoice {
				return acts.KeepForPickup(k.ID), true
			}
			for _, d := range days {
				if d.Format(time.DateOnly) == chosen {
					return acts.TryAgain(k.ID, d), true
				}
			}
			f.ChoiceError = b.l.say("buyer.choose", nil)
			if _, err := time.Parse(time.DateOnly, chosen); err == nil {
				f.ChoiceError = b.l.say("another_day.day", nil)
			}
			return acts.Request{}, false
		}
		p.Forms = append(p.Forms, f)
	}
	for _, i := range slices.Backward(b.st.Instructions) {
		if pv := b.parcel(i.Parcel); pv != nil && (i.State.Open() || i.State == order.InstructionAccepted && i.Attempts >= pv.Attempts && pv.Milestone.Stage() < order.Arrived && !pv.Milestone.Settled()) {
			p.Cards = append(p.Cards, buyerCard{Title: b.title(pv), Words: b.instructed(pv, &i)})
		}
	}
	switch {
	case len(p.Forms) > 0:
		w := b.about(nil)
		if len(p.Forms) == 1 {
			pv := b.parcel(p.Forms[0].Of)
			w = b.about(pv)
			w["on"] = b.l.onDay(pv.Since)
		}
		p.Words = b.words(act, "another_day.ask", w)
	case len(p.Cards) > 0:
		p.Words, p.done, p.Cards = p.Cards[0].Words, true, p.Cards[1:]
	default:
		p.Words = b.words(calm, "another_day.settled", b.loose)
	}
	return p
}

// instructed says what a carrier was told of a parcel, and what it answered.
func (b *buyer) instructed(pv *order.ParcelView, i *order.Instruction) words {
	w, what := b.about(pv), ".other"
	switch i.Kind {
	case order.Redeliver:
		what, w["on"] = ".redeliver", b.l.t.On(i.Day.UTC())
	case order.HoldAtLocation:
		what = ".hold"
	default: // what staff chose is not named
	}
	if i.State == order.InstructionAccepted {
		return words{good, b.l.say("another_day.agreed.status", nil), b.l.say("another_day.agreed"+what, w), b.l.say("another_day.agreed.next", w)}
	}
	return words{moving, b.l.say("another_day.told.status", nil), b.l.say("another_day.told"+what, w), b.l.say("another_day.told.next", w)}
}

func stampOfAct(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// buyerGet shows the page or one of its forms.
func (s *server) buyerGet(c echo.Context) error {
	b, err := s.enterBuyer(c, &s.looks)
	if b == nil {
		return err
	}
	p, ok := b.page(c.Param("form"))
	if !ok {
		return s.noOrder(c)
	}
	p.Thanks = p.done && c.QueryParam("did") != ""
	return s.speak(c, http.StatusOK, b.l.t, "buyer", p)
}

// buyerLabel hands out the label of a return, to be saved and printed. That is
// audited, as when somebody of the shop reads it.
func (s *server) buyerLabel(c echo.Context) error {
	b, err := s.enterBuyer(c, &s.looks)
	if b == nil {
		return err
	}
	id, err := url.PathUnescape(c.Param("return"))
	if err != nil {
		return s.noOrder(c)
	}
	audit, err := auditOf(who{Actor: "buyer", Role: "buyer"}, "read_return_label", "", map[string]any{"return": id})
	if err != nil {
		return err
	}
	audit.OrderID = b.v.ID
	l, err := s.Store.ReturnLabel(c.Request().Context(), b.v.ID, id, audit)
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder(c)
	}
	if err != nil {
		return s.unavailable(c, "label", err)
	}
	return sendLabel(c, id, l)
}
