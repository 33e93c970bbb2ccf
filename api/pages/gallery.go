package pages

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers/easypost"
	"github.com/waybillhq/waybill/internal/carriers/ups"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// The gallery shows every state of the buyer's page in a store's own colours:
// what support wants to see before a buyer calls, and what we look at when we
// change a word. Each state is made by the real rules in fixtures.go.

type galleryList struct {
	head
	Store, Lang string
	Languages   []choice
	Rows        []galleryRow
	Buyers      []galleryRow // states of the page on which buyers act
	Console     []choice     // pages of the console that are no order's
}

type galleryRow struct {
	Name, Href, Console, Headline, Sentence, Status, Tone string
}

func (s *server) galleryBrand(c echo.Context) (brand, error) {
	id := c.QueryParam("store")
	if !storeID(id) {
		return newBrand("acme", store.StoreRow{Name: "Acme Outfitters", BrandColor: "#0b5d4e", SupportEmail: "help@acme.example", SupportURL: "https://acme.example/help"}), nil
	}
	row, err := s.Store.GetStore(c.Request().Context(), id)
	return newBrand(id, row), err
}

func (s *server) gallery(c echo.Context, w who) error {
	b, err := s.galleryBrand(c)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s.consoleError(c, w, "gallery", err)
	}
	t := speech.Of(c.QueryParam("lang"))
	g := galleryList{head: s.head(w, "Page gallery", "gallery"), Store: clean(c.QueryParam("store"), 32), Lang: t.Tag()}
	suffix := ""
	if storeID(g.Store) {
		suffix = "&store=" + g.Store
	}
	for _, other := range speech.Tongues() {
		g.Languages = append(g.Languages, choice{Value: "/console/gallery?lang=" + other.Tag() + suffix, Label: other.Name(), Chosen: other == t})
	}
	for _, f := range append(fixtures(s.Now()), crowd(s.Now())) {
		p := trackPageOf(t, f.Order, f.Entries, b, s.Now())
		st := f.Order.Current().Status
		g.Rows = append(g.Rows, galleryRow{f.Name, "/console/gallery/" + f.Name + "?lang=" + g.Lang + suffix, "/console/gallery/" + f.Name + "?view=console", p.Words.Status, p.Words.Sentence, label(string(st)), tone(st)})
	}
	for _, x := range buyerStates(s.Now()) {
		p := x.page(t, b, s.Now())
		g.Buyers = append(g.Buyers, galleryRow{x.Name, "/console/gallery/" + x.Name + "?lang=" + g.Lang + suffix, "", p.Words.Status, p.Words.Sentence, "", ""})
	}
	for _, p := range s.faultStates(w) {
		g.Console = append(g.Console, choice{Value: "/console/gallery/" + p.name, Label: p.name})
	}
	return s.render(c, http.StatusOK, "gallery", g)
}

// faultState is a page of the console about faults, with made-up ones.
type faultState struct {
	name, template string
	page           any
}

func (s *server) faultStates(w who) []faultState {
	now := s.Now()
	ended := now.Add(-2 * time.Hour)
	fs := []store.Fault{
		{ID: 3, Kind: store.UnmappedCode, Key: "ups/EXC/9/Z 4", Title: "ups: the code 9/Z 4 is in no table (EXC)", Sample: "Your package is waiting for <the drone> to charge.", Owner: "ops", Count: 1284, OpenedAt: now.Add(-26 * time.Hour), LastAt: now.Add(-3 * time.Minute)},
		{ID: 2, Kind: store.SilentFeed, Key: "fedex", Title: "FedEx has said nothing for 5 h", Owner: "ops", Count: 1, OpenedAt: now.Add(-5 * time.Hour), LastAt: now.Add(-5 * time.Hour)},
	}
	closed := store.Fault{ID: 1, Kind: store.UnmappedCode, Key: "easypost/status/at_locker", Title: "easypost: the code at_locker is in no table (status)", Sample: "في خزانة الطرود", Owner: "ops", Count: 12,
		OpenedAt: now.Add(-50 * time.Hour), LastAt: now.Add(-3 * time.Hour), ClosedAt: &ended, ClosedBy: "key:ops", Resolution: "mapped as ready_pickup by key:ops"}
	mapped := []store.Mapping{
		{Carrier: "easypost", Table: "status", Code: "at_locker", Version: 2, Kind: "ready_pickup", Milestone: "ready_for_pickup", Physical: true, Reason: "Their changelog of November: the parcel lies in a locker.", Actor: "key:ops", At: ended},
		{Carrier: "easypost", Table: "status", Code: "at_locker", Version: 1, Kind: "info", Reason: "It looked like a notice.", Actor: "key:ops2", At: ended.Add(-time.Hour)},
	}
	over := mapped[0]
	over.Carrier, over.Table, over.Code, over.Kind = "ups", "EXC", "01", "transit"
	ups, easypost := ups.New(), easypost.New()
	open, done := s.faultRow(fs[0], w), s.faultRow(closed, w)
	return []faultState{
		{"faults", "faults", s.faultsPage(w, false, fs, []store.Mapping{mapped[0], over})},
		{"faults-also-closed", "faults", s.faultsPage(w, true, append(fs, closed), nil)},
		{"faults-none", "faults", s.faultsPage(w, false, nil, nil)},
		{"fault-unknown-code", "fault", s.describe(codePage{Fault: &open}, w, ups, "EXC", "9/Z 4", nil)},
		{"fault-refused", "fault", s.describe(codePage{Fault: &open, Error: "bucket is needed: what kind of exception", Reason: "a notice", Kinds: []choice{{Value: "exception"}}}, w, ups, "EXC", "9/Z 4", nil)},
		{"fault-read-only", "fault", s.describe(codePage{Fault: &open}, who{Actor: w.Actor, Role: "support"}, ups, "EXC", "9/Z 4", nil)},
		{"fault-mapped", "fault", s.describe(codePage{Fault: &done, Done: "Saved. 12 events that had come before were read again."}, w, easypost, "status", "at_locker", mapped)},
		{"fault-silent-feed", "fault", codePage{head: s.head(w, "Silent feed", "faults"), Fault: ptr(s.faultRow(fs[1], w))}},
	}
}

func ptr[T any](v T) *T { return &v }

func (s *server) galleryPage(c echo.Context, w who) error {
	for _, p := range s.faultStates(w) {
		if p.name == c.Param("name") {
			return s.render(c, http.StatusOK, p.template, p.page)
		}
	}
	for _, x := range buyerStates(s.Now()) {
		if x.Name != c.Param("name") {
			continue
		}
		b, err := s.galleryBrand(c)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return s.consoleError(c, w, "gallery", err)
		}
		t := speech.Of(c.QueryParam("lang"))
		return s.speak(c, http.StatusOK, t, "buyer", x.page(t, b, s.Now()))
	}
	states := fixtures(s.Now())
	if c.Param("name") == "200-parcels" {
		states = append(states, crowd(s.Now()))
	}
	i := slices.IndexFunc(states, func(f fixture) bool { return f.Name == c.Param("name") })
	if i < 0 {
		return s.noOrder(c)
	}
	f := states[i]
	if view := c.QueryParam("view"); view == "console" || view == "stale" {
		p := detailOf(f.Order, f.Entries, openEntries, s.Now())
		p.head = s.head(w, f.Name, "gallery")
		st := f.Order.Current()
		v := order.ViewOf(st)
		var posted *form
		if view == "stale" && len(v.Cases) > 0 {
			posted = &form{Act: "resolve", Of: v.Cases[0].ID, Error: "until: must lie ahead, within 180 d", typed: typed{Choice: string(order.WaitOn), By: "2020-01-01T10:00", Reason: "the depot searches"}}
		}
		p.actions(st, v, w.Actor, []order.Source{order.Support, order.ReturnsDesk}, posted, s.Now())
		return s.render(c, http.StatusOK, "order", p)
	}
	b, err := s.galleryBrand(c)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s.consoleError(c, w, "gallery", err)
	}
	t := speech.Of(c.QueryParam("lang"))
	return s.speak(c, http.StatusOK, t, "track", trackPageOf(t, f.Order, f.Entries, b, s.Now()))
}

// fixture is a made-up order with its timeline.
type fixture struct {
	Name    string
	Order   store.Order
	Entries []store.Entry
}

// story drives the real rules with made-up events.
type story struct {
	st      order.State
	now     time.Time
	entries []store.Entry
	offset  string
	n       int64
}

func begin(now time.Time, age time.Duration, change func(*order.Spec)) *story {
	placed := now.Add(-age).Truncate(time.Minute)
	spec := order.Spec{
		ID: "acme:A-10482", Store: "acme", Number: "A-10482", Class: order.Routine, Currency: "EUR", PlacedAt: placed,
		PromisedAt: placed.Add(6 * 24 * time.Hour), Policy: order.DefaultPolicy(),
		Lines:   []order.Line{{SKU: "TENT-2P", Quantity: 1, Name: "Ridgeline two-person tent"}, {SKU: "PEG-8", Quantity: 2, Name: "Tent pegs, set of 8"}},
		Parcels: []order.PlannedParcel{{ID: "1", Lines: []order.Allocation{{SKU: "TENT-2P", Quantity: 1}, {SKU: "PEG-8", Quantity: 2}}}},
	}
	if change != nil {
		change(&spec)
	}
	return &story{st: order.New(spec, order.CurrentRules, placed), now: now, offset: "+01:00"}
}

func (b *story) meta(at time.Time, by order.Source) order.Meta {
	b.n++
	return order.Meta{ID: "evt", N: b.n, By: by, Occurred: at, Received: at.Add(time.Minute), Applied: at.Add(time.Minute)}
}

// back is a moment before now.
func (b *story) back(d time.Duration) time.Time { return b.now.Add(-d) }

func (b *story) scan(parcel string, kind order.ScanKind, ago time.Duration) *story {
	return b.label(parcel, kind, ago, "", "")
}

func (b *story) label(parcel string, kind order.ScanKind, ago time.Duration, carrier, tracking string) *story {
	at := b.back(ago)
	order.Apply(&b.st, order.Scan{Meta: b.meta(at, order.Warehouse), Parcel: parcel, Kind: kind, Location: "STATION-7", Carrier: carrier, Tracking: tracking})
	b.entries = append(b.entries, store.Entry{At: at, Source: "warehouse", Kind: string(store.KindScan), Parcel: parcel, Milestone: string(kind), Location: "STATION-7",
		Actor: "scanner-44", ReceivedAt: at.Add(time.Minute), EventID: "scan"})
	return b
}

// prepared is a parcel up to its label.
func (b *story) prepared(parcel string, ago time.Duration, carrier, tracking string) *story {
	return b.scan(parcel, order.ScanPicked, ago).scan(parcel, order.ScanPacked, ago-40*time.Minute).label(parcel, order.ScanLabelled, ago-55*time.Minute, carrier, tracking)
}

func (b *story) carrier(parcel string, m order.Milestone, ago time.Duration, place, said string, eta ...time.Time) *story {
	at := b.back(ago)
	e := order.CarrierEvent{Meta: b.meta(at, order.CarrierSays), Parcel: parcel, Milestone: m, Physical: m.Stage() > order.Preparing, Location: place}
	if len(eta) > 0 {
		e.ETA = eta[0]
	}
	order.Apply(&b.st, e)
	loc, _ := zone(b.offset)
	carrier := ""
	if p := b.st.ParcelByID(parcel); p != nil {
		carrier = p.Carrier
	}
	b.entries = append(b.entries, store.Entry{At: at, Source: "carrier:" + carrier, Kind: string(store.KindCarrierEvent), Parcel: parcel, Milestone: string(m), Location: place, Code: "X1",
		Description: said, LocalTime: at.In(loc).Format("2006-01-02T15:04:05"), UTCOffset: b.offset, TimeBasis: "offset", ReceivedAt: at.Add(2 * time.Minute), EventID: "carrier"})
	return b
}

// shipped is a parcel on its way.
func (b *story) shipped(parcel string, ago time.Duration, carrier, tracking string) *story {
	return b.prepared(parcel, ago+8*time.Hour, carrier, tracking).
		carrier(parcel, order.Accepted, ago, "Hamburg, DE", "Picked up").
		carrier(parcel, order.InTransit, ago-5*time.Hour, "Hamburg, DE", "Departed facility").
		carrier(parcel, order.InTransit, ago-14*time.Hour, "Hannover, DE", "Arrived at hub")
}

func (b *story) request(e order.Event) *story { order.Apply(&b.st, e); return b }

// answered is what a carrier said to the command that waits for it.
func (b *story) answered(ago time.Duration, a order.Answered) *story {
	a.Meta = order.Meta{By: order.Engine, Applied: b.back(ago)}
	for _, c := range b.st.Pending {
		a.Command = c.ID
	}
	return b.request(a)
}

// pass lets time go by until so long ago.
func (b *story) pass(ago time.Duration) *story {
	return b.request(order.Tick{Meta: order.Meta{By: order.Engine, Applied: b.back(ago)}})
}

// person acts on the open case of a kind.
func (b *story) person(ago time.Duration, who string, kind order.CaseKind, act func(m order.Meta, id string) order.Event) *story {
	m := order.Meta{ID: "aud", By: order.Support, Actor: who, Reason: "agreed with the depot", Applied: b.back(ago)}
	for _, c := range b.st.Cases {
		if c.Kind == kind {
			return b.request(act(m, c.ID))
		}
	}
	return b
}

// end lets time pass until now and hands the fixture over.
func (b *story) end(name string) fixture {
	order.Apply(&b.st, order.Tick{Meta: order.Meta{By: order.Engine, Applied: b.now}})
	for _, h := range b.st.Told {
		b.entries = append(b.entries, store.Entry{At: h.At, Source: "order", Kind: string(h.Type), Parcel: h.Parcel, Milestone: string(h.Milestone), Case: string(h.Case),
			Description: h.Text, Actor: h.Actor, ReceivedAt: h.At})
	}
	slices.SortStableFunc(b.entries, func(x, y store.Entry) int { return x.At.Compare(y.At) })
	st := b.st
	st.Told = nil
	return fixture{name, store.Order{Spec: st.Spec, State: &st, CreatedAt: st.Spec.PlacedAt, UpdatedAt: b.now.Add(-time.Minute)}, b.entries}
}
