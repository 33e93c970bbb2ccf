package templates

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/speech"
)

// needed are the fields that a kind cannot do without though no sentence holds
// them.
var needed = map[Kind][]string{
	AttemptFailed:       {"choices"},
	AddressProblem:      {"choice correct_address"},
	NotReceivedFollowup: {"choice found_it"},
	Confirmation:        {"items"},
}

// writer is a content, cleaned, and the words to fill in.
type writer struct {
	kind Kind
	c    Content
	t    *speech.Tongue
	// known are the words in braces.
	known   speech.Words
	choices []button
	items   []string
	err     error
}

type button struct{ Label, URL string }

const (
	maxName  = 60
	maxItems = 12
)

func newWriter(kind Kind, c Content) (*writer, error) {
	if _, ok := lines[string(kind)+".subject"]; !ok {
		return nil, fmt.Errorf("no such kind")
	}
	w := &writer{kind: kind, c: c, t: speech.Of(c.Language), known: speech.Words{}}
	switch {
	case c.Zone == nil:
		return nil, fmt.Errorf("zone is missing")
	case !c.Brand.Support.Valid():
		return nil, fmt.Errorf("brand.support is no address")
	case c.Brand.Colour != "" && !hex.MatchString(c.Brand.Colour):
		return nil, fmt.Errorf("brand.colour is not #rrggbb")
	case c.Brand.LogoURL != "" && !strings.HasPrefix(link(c.Brand.LogoURL), "https://"):
		return nil, fmt.Errorf("brand.logo_url is no https address")
	case link(c.URL) == "":
		return nil, fmt.Errorf("url is no address")
	case c.UnsubscribeURL != "" && link(c.UnsubscribeURL) == "":
		return nil, fmt.Errorf("unsubscribe_url is no address")
	case c.ProofURL != "" && link(c.ProofURL) == "":
		return nil, fmt.Errorf("proof_url is no address")
	case c.Remaining < 0 || c.Remaining > 10_000 || len(c.Parcels) > 1000 || len(c.Choices) > 10:
		return nil, fmt.Errorf("more parcels or choices than there can be")
	case !c.Arrives.From.IsZero() && c.Arrives.To.Before(c.Arrives.From):
		return nil, fmt.Errorf("arrives ends before it begins")
	}
	for _, t := range []*time.Time{&w.c.At, &w.c.Until, &w.c.Arrives.From, &w.c.Arrives.To} {
		if t.IsZero() {
			continue
		}
		if *t = t.In(c.Zone); t.Year() < 2000 || t.Year() > 9999 {
			return nil, fmt.Errorf("a time in the year %d", t.Year())
		}
	}
	if c.Brand.Colour == "" {
		w.c.Brand.Colour = "#222222"
	}
	w.facts()
	for _, field := range []string{"shop", "order"} {
		if w.known[field] == "" {
			return nil, fmt.Errorf("%s is missing", field)
		}
	}
	for _, ch := range c.Choices {
		label, ok := lines["choice."+string(ch.Kind)]
		if !ok || link(ch.URL) == "" {
			return nil, fmt.Errorf("choice %q is not known or has no address", clean(string(ch.Kind), 30))
		}
		w.choices = append(w.choices, button{w.t.Pick(label[0]), link(ch.URL)})
		w.set("choice "+string(ch.Kind), "yes")
	}
	if len(w.choices) > 0 {
		w.set("choices", "yes")
		w.set("link", w.choices[0].URL) // a text message has room for one: the form
	}
	for _, m := range []Money{c.Total, c.Amount} {
		if _, ok := w.t.Amount(m.Minor, m.Currency); !ok && m != (Money{}) {
			return nil, fmt.Errorf("%q is no currency", clean(m.Currency, 10))
		}
	}
	for _, field := range needed[kind] {
		if w.known[field] == "" {
			return nil, fmt.Errorf("%s is missing", field)
		}
	}
	return w, w.err
}

// set makes a word known unless it is empty.
func (w *writer) set(word, value string) {
	if value != "" {
		w.known[word] = value
	}
}

// facts fills in the words that the content knows.
func (w *writer) facts() {
	c, t := w.c, w.t
	// The store's own: its name may well be a domain, its numbers may have dots.
	w.set("shop", clean(c.Brand.Name, maxName))
	w.set("support", string(c.Brand.Support))
	w.set("order", clean(c.Order, 40))
	w.set("name", firstName(c.FirstName))
	w.set("link", link(c.URL))
	w.set("n", strconv.Itoa(len(c.Parcels)))
	w.known.When("many", len(c.Parcels) > 1)
	w.known.When("partly", c.Partly)
	w.known.When("unsure", c.Arrives.To.IsZero())
	w.known.When("maybe", c.Arrives.To.IsZero() && !c.Overdue)
	w.known.When("rest", c.Remaining > 0)
	w.known.When("rest1", c.Remaining == 1)
	w.set("rest", strconv.Itoa(c.Remaining))
	var carriers []string
	for _, p := range c.Parcels {
		name := defused(p.Carrier, 40)
		if name != "" && !slices.Contains(carriers, name) && len(carriers) < 3 {
			carriers = append(carriers, name)
		}
	}
	w.set("carrier", strings.Join(carriers, ", "))
	if !c.At.IsZero() {
		w.set("at", t.Moment(c.At))
		w.set("at_short", t.ShortDay(c.At)+" "+speech.Clock(c.At))
		w.set("day", t.Day(c.At))
	}
	if !c.Arrives.To.IsZero() {
		w.set("arrives", t.Window(c.Arrives.From, c.Arrives.To))
		w.set("arrives_short", t.ShortWindow(c.Arrives.From, c.Arrives.To))
		// Hours of another day would be said to be today's.
		if speech.Hours(c.Arrives.From, c.Arrives.To) && speech.SameDay(c.At, c.Arrives.From) {
			w.set("from", speech.Clock(c.Arrives.From))
			w.set("to", speech.Clock(c.Arrives.To))
		}
	}
	if !c.Until.IsZero() {
		w.set("until", t.Until(c.Until))
		w.set("by", t.By(c.Until))
		w.set("until_short", t.ShortUntil(c.Until))
		w.set("by_short", t.ShortBy(c.Until))
	}
	if l, ok := lines["reason."+string(c.Reason)]; ok {
		w.set("reason", t.Pick(l[0]))
	}
	switch c.Reason {
	case "address", "refused", "customs":
		w.known.When("stuck", true)
	default:
	}
	w.set("place_name", defused(c.Place.Name, 60))
	w.set("place", strings.Join(nonEmpty(defused(c.Place.Name, 80), defused(c.Place.Address, 160)), ", "))
	w.set("left", defused(c.Left, 120))
	w.set("code", defused(c.Code, 30))
	for _, ch := range c.Choices {
		w.known.When("label", ch.Kind == PrintLabel)
	}
	w.set("amount", w.money(c.Amount))
	w.set("total", w.money(c.Total))
	var items []Item
	switch w.kind {
	case Confirmation, AddressProblem, Delayed, ReturnSteps, RefundReleased:
	case Shipped, OutForDelivery, Delivered, AttemptFailed, ReadyForPickup, NotReceivedFollowup:
		for _, p := range c.Parcels {
			items = append(items, p.Items...)
		}
	}
	if len(items) == 0 {
		items = c.Items
	}
	for i, item := range items {
		if i == maxItems {
			w.set("more", strconv.Itoa(len(items)-maxItems))
			w.items = append(w.items, w.say("more"))
			break
		}
		if name := defused(item.Name, 100); name != "" && item.Quantity > 0 {
			w.items = append(w.items, strconv.Itoa(item.Quantity)+" × "+name)
		}
	}
	w.set("items", strings.Join(w.items, "; "))
}

func (w *writer) money(m Money) string {
	if m == (Money{}) {
		return ""
	}
	s, _ := w.t.Amount(m.Minor, m.Currency)
	return s
}

func nonEmpty(list ...string) []string {
	keep := list[:0]
	for _, s := range list {
		if s != "" {
			keep = append(keep, s)
		}
	}
	return keep
}

// say is the first wording of key whose words are all known. If there is none,
// the message has failed and names what is missing.
func (w *writer) say(key string) string {
	text, missing := w.t.Say(lines[key], w.known)
	if missing != "" && w.err == nil {
		w.err = fmt.Errorf("%s is missing", missing)
	}
	return text
}

// sms is the first wording that fits one segment, or else the first.
func (w *writer) sms() string {
	shop := w.known["shop"]
	defer func() { w.known["shop"] = shop }()
	w.known["shop"] = strings.TrimSpace(clean(shop, 20))
	first := ""
	for _, l := range lines[string(w.kind)+".sms"] {
		text, missing := w.t.Fill(l, w.known)
		if missing != "" {
			continue
		}
		text = messaging.Plain(text)
		if n, _ := messaging.Segments(text); n == 1 {
			return text
		}
		if first == "" {
			first = text
		}
	}
	if first == "" {
		return messaging.Plain(w.say(string(w.kind) + ".sms"))
	}
	return first
}

// page is what the HTML and the plain text are made of.
type page struct {
	Lang, Subject, Preheader string
	Shop, Logo, Colour, Ink  string
	Title, Hello, Happened   string
	NextHead, Next           string
	DoHead, Do               string
	Steps                    []string
	Buttons                  []button
	Facts                    []fact
	Items                    []string
	ItemsHead                string
	Follow                   button
	Act                      bool // the first button is what the mail is about
	Why, Questions           string
	Unsubscribe              button
	Data                     []any
}

type fact struct{ Name, Value string }

//go:embed mail.html
var mailHTML string

var mail = template.Must(template.New("mail").Parse(mailHTML))

func (w *writer) message() (Message, error) {
	k := string(w.kind) + "."
	p := page{
		Lang: w.t.Tag(), Shop: w.known["shop"], Logo: w.c.Brand.LogoURL, Colour: w.c.Brand.Colour, Ink: ink(w.c.Brand.Colour),
		Subject: w.say(k + "subject"), Title: w.say(k + "title"), Hello: w.say("hello"),
		Happened: w.say(k + "happened"), NextHead: w.say("next"), Next: w.say(k + "next"), DoHead: w.say("do"), Do: w.say(k + "do"),
		Buttons: w.choices, Items: w.items, ItemsHead: w.say("fact.items"), Follow: button{w.say("follow"), w.c.URL},
		Why: w.say("why"), Questions: w.say("questions"),
	}
	switch w.kind {
	case Shipped, OutForDelivery:
		p.Next = strings.TrimSpace(p.Next + " " + w.say("rest"))
	case Delivered:
		p.Next = strings.TrimSpace(w.say("rest") + " " + p.Next)
	case AttemptFailed, AddressProblem, ReturnSteps, NotReceivedFollowup:
		p.Act = len(p.Buttons) > 0
	case Confirmation, Delayed, ReadyForPickup, RefundReleased:
	}
	p.Preheader = p.Next
	if w.kind == ReturnSteps {
		p.Steps = []string{w.say("return_steps.step1"), w.say("return_steps.step2"), w.say("return_steps.step3")}
	}
	if w.kind == Delivered && w.c.ProofURL != "" {
		p.Buttons = append([]button{{w.say("proof"), w.c.ProofURL}}, p.Buttons...)
	}
	p.Facts = w.table()
	p.Data = w.data()
	m := Message{Subject: p.Subject, Preheader: p.Preheader, SMS: w.sms()}
	if w.c.UnsubscribeURL != "" {
		p.Unsubscribe = button{w.say("unsubscribe"), w.c.UnsubscribeURL}
	}
	if strings.HasPrefix(w.c.UnsubscribeURL, "https://") { // mail programs take no other
		m.Headers = map[string]string{"List-Unsubscribe": "<" + w.c.UnsubscribeURL + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
	}
	if w.err != nil {
		return Message{}, w.err
	}
	var html bytes.Buffer
	if err := mail.Execute(&html, p); err != nil {
		return Message{}, err
	}
	m.HTML, m.Text = html.String(), p.text()
	m.Segments, _ = messaging.Segments(m.SMS)
	return m, nil
}

// table is the facts beside the words: each only where it is known and belongs.
func (w *writer) table() []fact {
	facts := []fact{{w.say("fact.order"), w.known["order"]}}
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, fact{w.say("fact." + key), value})
		}
	}
	switch w.kind {
	case Confirmation:
		add("total", w.known["total"])
	case Shipped, OutForDelivery, Delivered, AttemptFailed, Delayed, ReadyForPickup, NotReceivedFollowup:
		for i, p := range w.c.Parcels {
			if i == maxItems {
				break
			}
			if tracking := defused(p.Tracking, 40); tracking != "" {
				add("tracking", strings.TrimSpace(defused(p.Carrier, 40)+" "+tracking))
			}
		}
	case AddressProblem, ReturnSteps, RefundReleased:
	}
	if w.kind == ReadyForPickup {
		add("code", w.known["code"])
		add("place", w.known["place"])
	}
	return facts
}

// text is the same message without looks.
func (p page) text() string {
	var b strings.Builder
	para := func(lines ...string) { b.WriteString(strings.Join(lines, "\n") + "\n\n") }
	para(p.Title)
	para(p.Hello)
	para(p.Happened)
	para(p.NextHead, p.Next)
	do := []string{p.DoHead, p.Do}
	for i, s := range p.Steps {
		do = append(do, strconv.Itoa(i+1)+". "+s)
	}
	for _, c := range p.Buttons {
		do = append(do, "- "+c.Label+": "+c.URL)
	}
	para(do...)
	para(p.Follow.Label+":", p.Follow.URL)
	var facts []string
	for _, f := range p.Facts {
		facts = append(facts, f.Name+": "+f.Value)
	}
	if len(p.Items) > 0 {
		facts = append(facts, p.ItemsHead+":")
		for _, i := range p.Items {
			facts = append(facts, "- "+i)
		}
	}
	para(facts...)
	end := []string{"--", p.Shop, p.Questions, p.Why}
	if p.Unsubscribe.URL != "" {
		end = append(end, p.Unsubscribe.Label+": "+p.Unsubscribe.URL)
	}
	b.WriteString(strings.Join(end, "\n") + "\n")
	return b.String()
}
