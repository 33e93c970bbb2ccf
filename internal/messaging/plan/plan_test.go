package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

var (
	placed = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday
	buyer  = Person{Language: "en", HasEmail: true, HasPhone: true}
	team   = Person{HasEmail: true, HasPhone: true, HasWebhook: true}
	all    = People{Buyer: buyer, "warehouse": team, "ops": team, "support": team, "returns": team}
)

func spec(parcels ...string) order.Spec {
	s := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, Currency: "EUR", PlacedAt: placed, PromisedAt: placed.Add(5 * day), Policy: order.DefaultPolicy(),
		Lines: []order.Line{{SKU: "mug", Quantity: max(1, len(parcels)), UnitAmount: 1200, Name: "Mug, blue"}}}
	for _, p := range parcels {
		s.Parcels = append(s.Parcels, order.PlannedParcel{ID: p, Carrier: "ups", Tracking: "1Z" + p, Lines: []order.Allocation{{SKU: "mug", Quantity: 1}}})
	}
	return s
}

// failer is what testing and rapid have in common.
type failer interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// life plays an order, and messages as the shell does: planned once per
// happening, judged one by one.
type life struct {
	t       failer
	s       order.State
	now     time.Time
	who     People
	intents []Intent // all that were ever planned, each once
	open    []Intent // those without a verdict for good
	sent    []Sent
	drops   map[string]string // by occasion and channel
	told    int
	n       int
}

func live(t failer, s order.Spec) *life {
	l := &life{t: t, s: order.New(s, order.CurrentRules, s.PlacedAt), now: s.PlacedAt, who: all, drops: map[string]string{}}
	l.plan()
	return l
}

func (l *life) at(hours float64) time.Time {
	return placed.Add(time.Duration(hours * float64(time.Hour)))
}

func key(i Intent) string { return i.Occasion + "|" + string(i.Audience) + "|" + string(i.Channel) }

func (l *life) plan() {
	fresh := l.s.Told[l.told:]
	l.told = len(l.s.Told)
	for _, i := range Plan(&l.s, fresh, l.who, l.now) {
		if !slices.ContainsFunc(l.intents, func(o Intent) bool { return key(o) == key(i) }) {
			l.intents, l.open = append(l.intents, i), append(l.open, i)
		}
	}
}

// apply folds an event in and lets the clock tick.
func (l *life) apply(e order.Event) {
	order.Apply(&l.s, e)
	order.Apply(&l.s, order.Tick{Meta: order.Meta{By: order.Engine, Applied: l.now}})
	l.plan()
}

func (l *life) carrier(hours float64, parcel string, m order.Milestone) *life {
	l.until(hours)
	l.n++
	l.apply(order.CarrierEvent{Meta: order.Meta{ID: fmt.Sprint("c", l.n), By: order.CarrierSays, Occurred: l.now, Received: l.now, Applied: l.now}, Parcel: parcel, Milestone: m, Physical: true, Location: "Leipzig"})
	return l
}

func (l *life) person(hours float64, e func(order.Meta) order.Event) *life {
	l.until(hours)
	l.n++
	l.apply(e(order.Meta{ID: fmt.Sprint("a", l.n), By: order.Support, Actor: "anna", Reason: "asked for", Occurred: l.now, Applied: l.now}))
	return l
}

// until lets time pass: the order's waits end, and messages go when they are due.
func (l *life) until(hours float64) *life {
	end := l.at(hours)
	for l.now.Before(end) {
		next := end
		if w, ok := order.NextDeadline(&l.s); ok && w.Until.After(l.now) && w.Until.Before(next) {
			next = w.Until
		}
		for _, c := range l.s.Pending {
			if c.Kind == order.CheckCarrier { // the carrier knows nothing new
				order.Apply(&l.s, order.Answered{Meta: order.Meta{By: order.Engine, Applied: l.now}, Command: c.ID})
			}
		}
		l.judge(next)
		l.now = next
		order.Apply(&l.s, order.Tick{Meta: order.Meta{By: order.Engine, Applied: l.now}})
		l.plan()
	}
	l.judge(l.now)
	return l
}

// judge decides about everything that is due by then, in the order in which it is.
func (l *life) judge(by time.Time) {
	due := map[string]time.Time{}
	for {
		first := -1
		for i := range l.open {
			k := key(l.open[i])
			if due[k].IsZero() {
				due[k] = latest(l.now, l.open[i].NotBefore)
			}
			if !due[k].After(by) && (first < 0 || due[k].Before(due[key(l.open[first])])) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		i := l.open[first]
		when := due[key(i)]
		v := Judge(i, &l.s, l.who[i.Audience], l.sent, when)
		if n := b2i(v.Send) + b2i(v.Drop != "") + b2i(!v.Later.IsZero()); n != 1 {
			l.t.Fatalf("%s: a verdict of %d parts: %+v", key(i), n, v)
		}
		switch {
		case v.Send:
			l.check(i, v, when)
			i.Parcels = v.Parcels
			l.sent = append(l.sent, Sent{i, when})
		case v.Drop != "":
			l.drops[key(i)] = v.Drop
		default:
			if !v.Later.After(when) {
				l.t.Fatalf("%s: later is %s, now is %s", key(i), v.Later, when)
			}
			due[key(i)] = v.Later
			if v.Later.After(by) {
				l.open[first].NotBefore = v.Later
			}
			continue
		}
		l.open = slices.Delete(l.open, first, first+1)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// check holds what is sent against the order as its page shows it.
func (l *life) check(i Intent, v Verdict, now time.Time) {
	l.t.Helper()
	fail := func(format string, args ...any) {
		l.t.Helper()
		l.t.Errorf("%s at %s: %s\n%s", key(i), now.Format(time.RFC3339), fmt.Sprintf(format, args...), l.story())
	}
	view := order.ViewOf(&l.s)
	if i.Audience != Buyer {
		if m, err := alertMessage(i, &l.s); err != nil || m.SMS == "" {
			fail("%v", err)
		}
		return
	}
	if !slices.Contains(l.s.Spec.Policy.MessageChannels(string(i.Kind), l.s.Spec.Class), i.Channel) {
		fail("not in the matrix")
	}
	for _, o := range l.sent {
		if o.Audience == Buyer && o.Occasion == i.Occasion {
			fail("told twice, first at %s", o.SentAt)
		}
	}
	for _, id := range v.Parcels {
		p := slices.IndexFunc(view.Parcels, func(p order.ParcelView) bool { return p.ID == id })
		if p < 0 {
			if i.Kind != templates.NotReceivedFollowup {
				fail("parcel %s is on no page", id)
			}
			continue
		}
		shown := view.Parcels[p]
		ok := true
		switch i.Kind {
		case templates.Shipped:
			ok = !shown.PossessionAt.IsZero() && shown.Milestone.Stage() > order.Preparing && shown.Milestone.Stage() < order.Arrived
		case templates.OutForDelivery:
			ok = shown.Milestone == order.OutForDelivery && sameDay(shown.Since, now, l.who[Buyer])
		case templates.Delivered:
			ok = shown.Milestone == order.Delivered
		case templates.ReadyForPickup:
			ok = shown.Milestone == order.ReadyForPickup
		case templates.AttemptFailed:
			ok = shown.Milestone == order.AttemptFailed
		default:
		}
		if !ok {
			fail("the page says that parcel %s is %s", id, shown.Milestone)
		}
		for _, o := range l.sent {
			if o.Audience == Buyer && o.Kind == i.Kind && i.Kind == templates.Shipped && slices.Contains(o.Parcels, id) {
				fail("parcel %s was said to be shipped at %s", id, o.SentAt)
			}
		}
	}
	c, err := Content(i, v.Parcels, &l.s, l.who[Buyer], details(), now)
	if err != nil {
		fail("content: %v", err)
		return
	}
	m, err := templates.Write(i.Kind, c)
	if err != nil {
		fail("%v", err)
	}
	if m.Text == "" || i.Kind == templates.Delivered && view.Status == order.StatusDelivered != strings.Contains(m.Text, "Nothing more is to come") {
		fail("the page says %s, the message:\n%s", view.Status, m.Text)
	}
	if open := slices.ContainsFunc(l.s.Cases, func(k order.Case) bool { return k.ID == i.Case }); i.Case != "" && !open {
		fail("its case has ended")
	}
	// The team heard of the case before.
	if k := l.s.CaseByID(i.Case); k != nil && len(l.s.Spec.Policy.AlertChannels(k.Severity)) > 0 {
		if !slices.ContainsFunc(l.sent, func(o Sent) bool { return o.Kind == Alert && o.Case == i.Case && !o.SentAt.After(now) }) {
			fail("no team was told of the case")
		}
	}
}

func details() Details {
	return Details{Brand: templates.Brand{Name: "Acme", Support: "help@acme.example"}, FirstName: "Ada", URL: "https://wb.example/t/x", Page: "https://wb.example/b/acme:1/x", Preferences: "https://wb.example/m/x"}
}

func alertMessage(i Intent, s *order.State) (templates.Message, error) {
	c, err := AlertOf(i, s, time.UTC, "https://wb.example/console/orders/"+s.Spec.ID)
	if err != nil {
		return templates.Message{}, err
	}
	return templates.WriteAlert(c)
}

func (l *life) story() string {
	var b strings.Builder
	for _, h := range l.s.Told {
		fmt.Fprintf(&b, "  %s %s %s %s %s %s\n", h.At.Format("02 15:04"), h.Type, h.Parcel, h.Milestone, h.Case, h.Text)
	}
	return b.String()
}

// heard is what the buyer got, in order: kind, channel, parcels.
func (l *life) heard(who Audience) (list []string) {
	for _, o := range l.sent {
		if o.Audience == who {
			list = append(list, strings.TrimRight(fmt.Sprintf("%s %s %s", o.Kind, o.Channel, strings.Join(o.Parcels, "+")), " "))
		}
	}
	return list
}

func (l *life) expect(want ...string) {
	l.t.Helper()
	if got := l.heard(Buyer); !slices.Equal(got, want) {
		l.t.Errorf("the buyer heard %q, want %q\ndropped: %v\n%s", got, want, l.drops, l.story())
	}
}

func (l *life) dropped(kind templates.Kind, why string) {
	l.t.Helper()
	for k, reason := range l.drops {
		if strings.HasPrefix(k, string(kind)) && strings.Contains(reason, why) {
			return
		}
	}
	l.t.Errorf("no %s was dropped as %q: %v", kind, why, l.drops)
}
