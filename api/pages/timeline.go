package pages

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
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
func momentText(m order.Milestone, carrier string) string {
	if carrier == "" {
		carrier = "the carrier"
	}
	switch m {
	case order.Expected:
		return "Order placed"
	case order.Packed:
		return "Packed"
	case order.Labelled:
		return "Shipping label created"
	case order.HandedOver:
		return "Given to " + carrier + ", not yet scanned"
	case order.Cancelled:
		return "Cancelled"
	case order.Accepted:
		return upper(carrier) + " has the parcel"
	case order.InTransit:
		return "On the way"
	case order.InCustoms:
		return "In customs"
	case order.OutForDelivery:
		return "Out for delivery"
	case order.ReadyForPickup:
		return "Ready for pickup"
	case order.AttemptFailed:
		return "Delivery attempted"
	case order.Lost:
		return "Reported lost"
	case order.Delivered:
		return "Delivered"
	case order.Returning:
		return "On its way back"
	case order.Returned:
		return "Back with the sender"
	case order.Destroyed:
		return "Can no longer be delivered"
	case order.Picked: // the buyer cares from the packed box on
		return ""
	}
	return ""
}

// takenBy says who or what took a delivered parcel; never a name.
func takenBy(to carriers.DeliveredTo) string {
	switch to {
	case carriers.ToPerson:
		return " to a person"
	case carriers.ToNeighbour:
		return " to a neighbour"
	case carriers.ToLocker:
		return " to a locker"
	case carriers.ToPorch:
		return ", left at the address"
	case carriers.ToAgent:
		return " to an agent"
	case carriers.ToMailbox:
		return " to a mailbox"
	case carriers.InPart:
		return ", in part"
	}
	return ""
}

// moments builds the story of one parcel, newest first, from what its
// timeline says and what the order believes. A claim that the order did not
// believe is not told: a buyer must never read "delivered" under a parcel that
// is on the way.
func moments(p *order.ParcelView, placed time.Time, entries []store.Entry, l lens) []moment {
	carrier := carrierName(p.Carrier)
	var out []moment
	add := func(m order.Milestone, text, place string, e store.Entry) {
		if text == "" {
			return
		}
		t, sure := wall(e)
		if !sure && l.known {
			t, sure = e.At.In(l.home), true
		}
		out = append(out, moment{at: e.At, Text: text, Place: place, Day: t.Format("Mon 2 Jan"), Clock: t.Format("15:04"), ISO: e.At.UTC().Format(time.RFC3339), Guess: !sure, milestone: m})
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
			text := momentText(m, carrier)
			switch {
			case m == order.Delivered && e.Piece != "" && p.Pieces > 1:
				text = "One piece delivered"
			case m == order.Delivered && e.DeliveredTo != "":
				text += takenBy(carriers.DeliveredTo(e.DeliveredTo))
			}
			add(m, text, place, *e)
		case string(order.PiecesDelivered):
			add(order.Delivered, e.Description, "", *e)
		case string(order.MilestoneUndone):
			add(m, "Corrected: "+lower(parcelStatus(m)), "", *e)
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
		add(r.Milestone, momentText(r.Milestone, carrier), "", e)
	}
	placedEntry := store.Entry{At: placed}
	if _, off := placed.Zone(); off != 0 {
		placedEntry.LocalTime = placed.Format(time.RFC3339)
	}
	add(order.Expected, momentText(order.Expected, carrier), "", placedEntry)
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

func parcelStatus(m order.Milestone) string { return momentText(m, "") }

func lower(s string) string {
	if s == "" {
		return "back to an earlier step"
	}
	return string(s[0]|0x20) + s[1:]
}
