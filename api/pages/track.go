package pages

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const (
	trackEntries = 10_000 // of a timeline: more than 200 parcels have
	openMoments  = 5      // the rest is folded
	openItems    = 6
	openParcels  = 5 // an order with more is grouped and folded
)

type trackPage struct {
	Brand    brand
	Number   string
	Title    string
	Words    words
	Arrival  *arrival
	Steps    []step
	Counts   []count
	Bar      []segment
	Total    int
	Groups   []group
	Returns  []returnCard
	Loose    []item // in no parcel yet
	Contact  string // subject of a mail
	Updated  string
	Recorded string
	UTC      bool
}

type count struct {
	N     int
	Title string
	Mood  mood
}

// segment is a stretch of the bar of an order in several parcels.
type segment struct {
	X, W int
	Mood mood
}

type group struct {
	Title   string // empty: the only one
	Mood    mood
	Open    bool
	Parcels []card
}

type card struct {
	Title      string
	Words      words
	Alone      bool // the page's head says the words already
	Folded     bool
	Items      []item
	MoreItems  []item
	Carrier    string
	Tracking   string
	CarrierURL string
	Expected   string
	Booked     string // when freight comes
	Steps      []step
	Moments    []moment
	Earlier    []moment
}

type item struct {
	Name     string
	Quantity int
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{8,128}$`)

func (s *server) track(c echo.Context) error {
	ctx := c.Request().Context()
	token := c.Param("token")
	if !tokenPattern.MatchString(token) {
		return s.noOrder(c)
	}
	hash := links.TokenHash(token)
	now := s.Now().Truncate(time.Minute) // the page says of which minute it is
	t, chosen := wanted(c)
	key := string(hash)
	if chosen { // else it is the order's own
		key += t.Tag()
	}
	known := store.Version{}
	have, ok := s.drawn.get(key)
	if ok && have.minute.Equal(now) && have.brand == s.brands.get(ctx, have.brand.ID) {
		known = have.version
	}
	o, version, err := s.Store.Track(ctx, hash, known)
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder(c)
	}
	if err != nil {
		return s.unavailable(c, "order by token", err) // never the token: it opens the page
	}
	if known == version && known != (store.Version{}) {
		return s.send(c, http.StatusOK, have.tongue, have.body)
	}
	if !chosen {
		t = speech.Of(o.Language)
	}
	// Read after the version: the page may show more than that says, never less.
	entries, failed := s.Store.Moments(ctx, o.Spec.ID, trackEntries)
	if failed != nil {
		// The state alone still says where everything is.
		s.Log.Error("pages: timeline", "order", o.Spec.ID, "err", failed)
		entries = nil
	}
	b := s.brands.get(ctx, o.Spec.Store)
	page := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(page)
	page.Reset()
	if err := s.draw(page, spoken[t], "track", trackPageOf(t, o, entries, b, now)); err != nil {
		return err
	}
	if failed == nil {
		s.drawn.put(key, drawnPage{version, b, now, t, bytes.Clone(page.Bytes())})
	}
	return s.send(c, http.StatusOK, t, page.Bytes())
}

// noOrder is the same page whether a link was mistyped, has expired or never
// was: it tells nobody which.
func (s *server) noOrder(c echo.Context) error {
	return s.speak(c, http.StatusNotFound, wantedOrEnglish(c), "notfound", nil)
}

func (s *server) unavailable(c echo.Context, what string, err error) error {
	s.Log.Error("pages: "+what, "err", err)
	c.Response().Header().Set("Retry-After", "10")
	return s.speak(c, http.StatusServiceUnavailable, wantedOrEnglish(c), "unavailable", nil)
}

func trackPageOf(t *speech.Tongue, o store.Order, entries []store.Entry, b brand, now time.Time) trackPage {
	st := o.Current()
	v := order.ViewOf(st)
	l := newLens(t, now, entries, st.PromisedAt)
	// Once, so that 200 parcels do not each walk the whole timeline.
	byParcel := map[string][]store.Entry{}
	for _, e := range entries {
		byParcel[e.Parcel] = append(byParcel[e.Parcel], e)
	}
	names := map[string]string{}
	for _, line := range st.Spec.Lines {
		names[line.SKU] = clean(line.Name, 120)
		if names[line.SKU] == "" {
			names[line.SKU] = clean(line.SKU, 60)
		}
	}
	counts := make([]int, len(phases))
	for i := range v.Parcels {
		counts[phaseOf(v.Parcels[i].Milestone)]++
	}
	live := liveParcels(&v)
	p := trackPage{
		Brand: b, Number: clean(v.Number, 64), Words: orderWords(&v, b.Name, counts, l), Arrival: arrivalOf(&v, l), Total: len(live),
		Updated: speech.Clock(l.now.In(l.home)), Recorded: l.now.UTC().Format(time.RFC3339), UTC: !l.known,
	}
	p.Title = l.say("page.title", speech.Words{"status": p.Words.Status, "number": p.Number, "shop": b.Name})
	p.Contact = l.say("page.contact", speech.Words{"number": p.Number})
	held := v.OnHold && stillHere(&v)
	alone := len(live) == 1 && !unplanned(&v)

	cards := make([]card, len(v.Parcels))
	for i := range v.Parcels {
		pv := &v.Parcels[i]
		k := card{Words: parcelWords(pv, b.Name, l), Alone: alone && pv.Milestone != order.Cancelled || len(v.Parcels) == 1 && !unplanned(&v),
			Carrier: carrierName(pv.Carrier), Tracking: clean(pv.Tracking, 40), Folded: len(v.Parcels) > openParcels}
		title := speech.Words{}
		if len(v.Parcels) > 1 {
			title["i"], title["n"] = strconv.Itoa(i+1), strconv.Itoa(len(v.Parcels))
		}
		k.Title = l.say("page.parcel", title)
		if held && pv.Milestone.Stage() == order.Preparing && !pv.Milestone.Settled() {
			k.Words = words{paused, l.say("order.held", nil), l.say("order.held_sentence", speech.Words{"shop": b.Name}), ""}
		}
		for _, a := range pv.Lines {
			k.Items = append(k.Items, item{names[a.SKU], a.Quantity})
		}
		if len(k.Items) > openItems+1 {
			k.Items, k.MoreItems = k.Items[:openItems], k.Items[openItems:]
		}
		if base := carrierPages[pv.Carrier]; base != "" && k.Tracking != "" {
			k.CarrierURL = base + k.Tracking
		}
		if !k.Alone && !pv.ETA.IsZero() && !pv.Milestone.Settled() && pv.Milestone != order.Returning && l.away(pv.ETA) >= 0 {
			k.Expected = upper(l.soon(pv.ETA))
		}
		if pv.Milestone.Stage() < order.Arrived && !pv.Milestone.Settled() {
			k.Booked = booked(byParcel[pv.ID], l)
		}
		k.Steps = progress(pv, v.PlacedAt, held, l)
		k.Moments = moments(pv, v.PlacedAt, byParcel[pv.ID], l)
		if len(k.Moments) > openMoments+1 { // folding a single line saves nothing
			k.Moments, k.Earlier = k.Moments[:openMoments], k.Moments[openMoments:]
		}
		cards[i] = k
	}
	for i := range cards {
		if cards[i].Alone { // its progress is the order's
			p.Steps, cards[i].Steps = cards[i].Steps, nil
		}
	}
	p.Groups = groupsOf(cards, v.Parcels, counts, l)
	if p.Returns = returnCards(&v, names, b.Name, "", l); len(p.Returns) > 0 && v.Status == order.StatusDelivered {
		p.Words.Next = l.say("order.returns", nil) // and not who to ask whether it came
	}
	if !alone && p.Total > 1 {
		x := 0
		for _, m := range []order.Milestone{order.Delivered, order.OutForDelivery, order.ReadyForPickup, order.AttemptFailed, order.InTransit,
			order.Expected, order.Returning, order.Returned, order.Lost} { // the bar fills from the left
			ph := phases[phaseOf(m)]
			if n := counts[phaseOf(m)]; n > 0 {
				p.Bar = append(p.Bar, segment{x, n, ph.mood})
				p.Counts = append(p.Counts, count{n, ph.grouped(n, l), ph.mood})
				x += n
			}
		}
	}
	if v.CancelledAt.IsZero() {
		for _, line := range v.Lines {
			if line.Unplanned > 0 {
				p.Loose = append(p.Loose, item{names[line.SKU], line.Unplanned})
			}
		}
	}
	return p
}

// groupsOf leaves a few parcels as they are and sorts many by what they need
// from the reader.
func groupsOf(cards []card, parcels []order.ParcelView, counts []int, l lens) []group {
	if len(cards) <= openParcels {
		return []group{{Parcels: cards, Open: true}}
	}
	var gs []group
	for i, ph := range phases {
		if counts[i] == 0 {
			continue
		}
		g := group{Title: strconv.Itoa(counts[i]) + " " + ph.grouped(counts[i], l), Mood: ph.mood, Open: len(gs) == 0}
		for j := range cards {
			if phaseOf(parcels[j].Milestone) == i {
				g.Parcels = append(g.Parcels, cards[j])
			}
		}
		gs = append(gs, g)
	}
	return gs
}
