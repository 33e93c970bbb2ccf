package pages

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// moment is one line of a parcel's story as its buyer reads it.
type moment struct {
	at          time.Time
	Text, Place string
	Day, Clock  string
	ISO         string
	Guess       bool // the clock is UTC: the browser may say it in local time
	milestone   order.Milestone
}

// momentText is what a carrier's or our own milestone means to a buyer. The
// carrier's own sentence is not shown: it may name people or streets.
func momentText(m order.Milestone, w speech.Words, l lens) string {
	if m == order.Picked { // the buyer cares from the packed box on
		return ""
	}
	if text := l.say("story."+string(m), w); text != "" {
		return text
	}
	return l.say(string(m)+".status", nil)
}

// takenBy says who or what took a delivered parcel, if that is known; never a name.
func takenBy(to carriers.DeliveredTo, l lens) string {
	return l.say("story.to."+string(to), nil)
}

// inPieces is the order's own count of a parcel's pieces in the reader's words.
func inPieces(count string, l lens) string {
	var n, total int
	if _, err := fmt.Sscanf(count, "%d of %d", &n, &total); err != nil {
		return l.say("story.piece", nil)
	}
	return l.say("story.pieces", speech.Words{"n": strconv.Itoa(n), "total": strconv.Itoa(total)})
}

// moments builds the story of one parcel, newest first, from what its
// timeline says and what the order believes. A claim that the order did not
// believe is not told: a buyer must never read "delivered" under a parcel that
// is on the way.
func moments(p *order.ParcelView, placed time.Time, entries []store.Entry, l lens) []moment {
	w := l.about("", carrierName(p.Carrier))
	var out []moment
	add := func(m order.Milestone, text, place string, e store.Entry) {
		if text == "" {
			return
		}
		t, sure := wall(e)
		if !sure && l.known {
			t, sure = e.At.In(l.home), true
		}
		out = append(out, moment{at: e.At, Text: text, Place: place, Day: l.t.ShortDay(t), Clock: speech.Clock(t), ISO: e.At.UTC().Format(time.RFC3339), Guess: !sure, milestone: m})
	}
	told := map[order.Milestone]bool{}
	for i := range entries {
		e := &entries[i]
		m := order.Milestone(e.Milestone)
		switch e.Kind {
		case string(store.KindCarrierEvent):
			if m.Stage() == order.Preparing || !believed(p, m) || m.Stage() > order.Preparing && e.At.Before(p.PossessionAt) {
				continue
			}
			place := town(e.Location)
			if m == order.ReadyForPickup {
				place = clean(e.Location, 80) // a shop's address, not the buyer's
			}
			told[m] = true
			text := momentText(m, w, l)
			switch {
			case m == order.Delivered && e.Piece != "" && p.Pieces > 1:
				text = l.say("story.piece", nil)
			case m == order.Delivered && e.DeliveredTo != "":
				text = cmp.Or(takenBy(carriers.DeliveredTo(e.DeliveredTo), l), text)
			}
			add(m, text, place, *e)
		case string(order.PiecesDelivered):
			add(order.Delivered, inPieces(e.Description, l), "", *e)
		case string(order.MilestoneUndone):
			corrected := speech.Words{}
			if what := momentText(m, w, l); what != "" {
				corrected["what"] = what
			}
			add(m, l.say("story.corrected", corrected), "", *e)
		}
	}
	for _, r := range p.Reached {
		if told[r.Milestone] || r.Milestone == order.Picked || r.Milestone == order.Expected {
			continue
		}
		if r.Milestone == order.Accepted && told[order.InTransit] && !ownScan(entries, r) {
			continue // possession proved by a later scan, not a scan of its own
		}
		e := store.Entry{At: r.At}
		for i := range entries { // its scan may know the local time
			if entries[i].At.Equal(r.At) && entries[i].Milestone == string(r.Milestone) && (entries[i].LocalTime != "" || entries[i].UTCOffset != "") {
				e = entries[i]
				break
			}
		}
		add(r.Milestone, momentText(r.Milestone, w, l), "", e)
	}
	placedEntry := store.Entry{At: placed}
	if _, off := placed.Zone(); off != 0 {
		placedEntry.LocalTime = placed.Format(time.RFC3339)
	}
	add(order.Expected, momentText(order.Expected, w, l), "", placedEntry)
	slices.SortStableFunc(out, func(a, b moment) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return cmp.Compare(rank(b.milestone), rank(a.milestone))
	})
	return slices.CompactFunc(out, func(a, b moment) bool {
		return a.Text == b.Text && a.Place == b.Place && a.Day == b.Day && a.Clock == b.Clock
	})
}

// storyHTML writes moments out by hand: there are dozens on a page, and a template
// would take longer over them than over all the rest.
func storyHTML(ms []moment) template.HTML {
	var b strings.Builder
	b.Grow(len(ms) * 200)
	text := func(s string) { b.WriteString(template.HTMLEscapeString(s)) }
	for i := range ms {
		m := &ms[i]
		b.WriteString(`<li><p class="what">`)
		text(m.Text)
		if m.Place != "" {
			b.WriteString(`<span class="place" dir="auto">`)
			text(m.Place)
			b.WriteString(`</span>`)
		}
		b.WriteString("</p>\n<time datetime=\"")
		text(m.ISO)
		b.WriteByte('"')
		if m.Guess {
			b.WriteString(" data-utc")
		}
		b.WriteString(`><span class="d">`)
		text(m.Day)
		b.WriteString(`</span> <span class="c">`)
		text(m.Clock)
		if m.Guess {
			b.WriteString(" UTC")
		}
		b.WriteString("</span></time></li>\n")
	}
	return template.HTML(b.String())
}

func believed(p *order.ParcelView, m order.Milestone) bool {
	return slices.ContainsFunc(p.Reached, func(r order.Reached) bool { return r.Milestone == m })
}

func ownScan(entries []store.Entry, r order.Reached) bool {
	return slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Milestone == string(r.Milestone) && e.At.Equal(r.At) })
}

func rank(m order.Milestone) int {
	return slices.IndexFunc(order.Definitions, func(d order.Definition) bool { return d.Milestone == m })
}
