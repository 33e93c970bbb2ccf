// Package plan decides who hears of what happened to an order, by which way and
// when. It is pure: state and happenings in, intents and verdicts out. What is
// sent, and how often it is tried, is not its business.
//
//   - [Plan] makes intents of happenings. It may be called again with the same
//     happenings: an [Intent] is unique by order, occasion, audience and channel,
//     and the occasion of a retold thing is the same.
//   - [Judge] decides about one intent just before it is sent: nothing is sent
//     that is no longer true. Intents of one order must be judged one after the
//     other, each with what was sent or claimed before it.
//   - [Content] and [AlertOf] fill in what the message says.
package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// Channel is a way by which a message goes.
type Channel = order.Channel

// Audience is who is told: the buyer, or a team.
type Audience string

// Buyer is the one who ordered. Every other audience is an [order.Team].
const Buyer Audience = "buyer"

// Alert is the kind of messages to teams; all others go to the buyer.
const Alert templates.Kind = "alert"

// Urgency says what a message does in quiet hours.
type Urgency string

const (
	Normal  Urgency = "normal"  // waits
	Urgent  Urgency = "urgent"  // a mail goes, a text message waits
	Instant Urgency = "instant" // goes: the answer to what the buyer did just now, or to a team
)

// Intent is one message that is to be sent, if it is still true then.
type Intent struct {
	Order    string         `json:"order"`
	Occasion string         `json:"occasion"`
	Audience Audience       `json:"audience"`
	Channel  Channel        `json:"channel"`
	Kind     templates.Kind `json:"kind"`
	Parcels  []string       `json:"parcels,omitempty"`
	// What it is about, where it is one: IDs of a case, a return, a remedy.
	Case   string `json:"case,omitempty"`
	Return string `json:"return,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	// Window is the new time of arrival that a delayed message tells; zero: none
	// is known.
	Window    time.Time `json:"window,omitzero"`
	At        time.Time `json:"at"`         // when it happened
	NotBefore time.Time `json:"not_before"` // waits for company
	Until     time.Time `json:"until"`      // after that it is old news
	Urgency   Urgency   `json:"urgency"`
}

// Person is what must be known of an audience to decide, and nothing that names it.
type Person struct {
	Language string         // BCP 47
	Zone     *time.Location // nil: UTC
	// HasEmail, HasPhone: there is one, and it is not suppressed. HasWebhook: a
	// team has one.
	HasEmail, HasPhone, HasWebhook bool
	// Erased: the person asked to be forgotten. Nothing is sent.
	Erased bool
	Preferences
}

// People are the audiences of one order that can be told anything.
type People map[Audience]Person

// Frequency is how much a buyer wants to hear.
type Frequency string

const (
	Everything Frequency = "all"
	Important  Frequency = "important" // what asks for something, or changes the day
	LegalOnly  Frequency = "none"      // what the store must say: order, returns, refunds
)

// Frequencies lists all of them.
var Frequencies = []Frequency{Everything, Important, LegalOnly}

// Preferences are a buyer's wishes; the zero value wishes nothing.
type Preferences struct {
	// Channel goes first where the matrix allows it. Empty: the matrix decides.
	Channel   Channel   `json:"channel,omitempty"`
	Frequency Frequency `json:"frequency,omitempty"` // empty: everything
	Language  string    `json:"language,omitempty"`  // empty: that of the order
}

// Speaks is the language to write in.
func (p Person) Speaks() string { return cmp.Or(p.Preferences.Language, p.Language) }

func (p Person) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// Reaches says whether there is an address for that channel.
func (p Person) Reaches(c Channel) bool {
	switch c {
	case order.Email:
		return p.HasEmail && !p.Erased
	case order.SMS:
		return p.HasPhone && !p.Erased
	case order.Webhook:
		return p.HasWebhook && !p.Erased
	}
	return false
}

// Plan makes the intents of what an order told. The state may be newer than the
// happenings; what is no longer true by then may be left out.
func Plan(s *order.State, told []order.Happening, who People, now time.Time) (all []Intent) {
	add := func(i Intent) {
		i.Order = s.Spec.ID
		if !slices.ContainsFunc(all, func(o Intent) bool {
			return o.Occasion == i.Occasion && o.Audience == i.Audience && o.Channel == i.Channel
		}) {
			all = append(all, i)
		}
	}
	for _, h := range told {
		for _, i := range alerts(s, h, who, now) {
			add(i)
		}
		for _, i := range news(s, h) {
			row, ok := rowOf(i.Kind)
			way, on := way(s, i.Kind, who[Buyer])
			if !ok || !on {
				continue
			}
			i.Audience, i.Channel, i.Urgency, i.NotBefore = Buyer, way, row.urgency, now
			if row.groups {
				i.NotBefore = now.Add(company(s, i))
			}
			if i.Until.IsZero() {
				i.Until = i.At.Add(row.fresh)
			}
			add(i)
		}
	}
	return all
}

// Fallback is the same message by the next way that the matrix allows, when the
// first one turned out to lead nowhere.
func Fallback(i Intent, s *order.State, p Person) (Intent, bool) {
	if i.Audience != Buyer {
		return i, false // teams hear by all their ways anyhow
	}
	list := ways(s, i.Kind, p)
	for _, c := range list[slices.Index(list, i.Channel)+1:] {
		if p.Reaches(c) {
			i.Channel = c
			return i, true
		}
	}
	return i, false
}

// news is what a happening means to the buyer.
func news(s *order.State, h order.Happening) []Intent {
	occasion := func(kind templates.Kind, about string, at time.Time) string {
		return fmt.Sprintf("%s:%s:%s", kind, about, at.UTC().Format(time.RFC3339))
	}
	switch h.Type {
	case order.OrderReceived:
		return []Intent{{Kind: templates.Confirmation, Occasion: string(templates.Confirmation), At: h.At}}
	case order.MilestoneReached, order.MilestoneUndone:
		p := s.ParcelByID(h.Parcel)
		if p == nil || !p.Outbound() {
			return nil
		}
		i := Intent{Parcels: []string{p.ID}, At: h.At}
		switch m := h.Milestone; {
		case m == order.OutForDelivery:
			i.Kind = templates.OutForDelivery
		case m == order.ReadyForPickup:
			i.Kind = templates.ReadyForPickup
			i.Until = h.At.Add(time.Duration(s.Spec.Policy.Pickup))
		case m == order.Delivered:
			i.Kind = templates.Delivered
		case m == order.Accepted, m == order.InTransit, m == order.InCustoms:
			if p.PossessionAt.IsZero() {
				return nil
			}
			i.Kind, i.At = templates.Shipped, p.PossessionAt
		default:
			return nil
		}
		i.Occasion = occasion(i.Kind, p.ID, i.At)
		return []Intent{i}
	case order.CaseNoticed:
		return noticed(s, h)
	case order.ETAChanged:
		// Another window of what the buyer knows to be late.
		for _, c := range s.Cases {
			if c.Kind == order.Late && !c.NoticedAt.IsZero() {
				return delayed(s, &c, h.At)
			}
		}
	case order.CaseOpened:
		if h.Case == order.NotReceived {
			id := h.EpisodeID()
			return []Intent{{Kind: templates.NotReceivedFollowup, Occasion: string(templates.NotReceivedFollowup) + ":" + id, Case: id, Parcels: one(h.Parcel), At: h.At}}
		}
	case order.ReturnChanged:
		id, rest, _ := strings.Cut(h.Text, " ")
		state, _, _ := strings.Cut(rest, ":")
		if r := s.ReturnByID(id); r != nil && order.ReturnState(state) == order.ReturnLabelSent {
			return []Intent{{Kind: templates.ReturnSteps, Occasion: string(templates.ReturnSteps) + ":" + id, Return: id, Parcels: one(r.Parcel), At: h.At}}
		}
	case order.RemedyChanged:
		var list []Intent
		for _, r := range s.Remedies {
			if r.Kind == order.RefundRemedy && r.State == order.Confirmed && r.Parcel == h.Parcel && r.EndedAt.Equal(h.At) {
				list = append(list, Intent{Kind: templates.RefundReleased, Occasion: string(templates.RefundReleased) + ":" + r.ID, Remedy: r.ID, Return: r.Return, Parcels: one(r.Parcel), At: h.At})
			}
		}
		return list
	default:
	}
	return nil
}

// noticed is a case that outlived its notice delay: the buyer is to be told.
func noticed(s *order.State, h order.Happening) []Intent {
	c := episode(s, h)
	if c == nil {
		return nil
	}
	if p := s.ParcelByID(c.Parcel); p != nil && !p.Outbound() {
		return nil // what the buyer sends back is the returns desk's to follow
	}
	i := Intent{Case: c.ID, Parcels: one(c.Parcel), At: h.At}
	switch {
	case c.Kind == order.FailedAttempt:
		i.Kind = templates.AttemptFailed
	case c.Kind == order.AddressProblem:
		i.Kind = templates.AddressProblem
	case delays(c.Kind) != "":
		return delayed(s, c, h.At)
	default:
		return nil // there are no words for it; people write to the buyer
	}
	i.Occasion = string(i.Kind) + ":" + c.ID
	return []Intent{i}
}

// delayed tells each window once.
func delayed(s *order.State, c *order.Case, at time.Time) []Intent {
	i := Intent{Kind: templates.Delayed, Case: c.ID, Parcels: one(c.Parcel), At: at, Window: window(s, c)}
	if i.Window.IsZero() {
		i.Occasion = "delayed:unknown:" + c.ID
	} else {
		i.Occasion = "delayed:" + i.Window.UTC().Format(time.DateOnly)
	}
	return []Intent{i}
}

// delays is the reason for which a case makes an order late; empty: it does not.
func delays(k order.CaseKind) templates.Reason {
	switch k {
	case order.Late:
		return "carrier_delay"
	case order.Weather:
		return "weather"
	case order.CustomsHold:
		return "customs"
	case order.PaymentDue:
		return "payment"
	case order.NotPicked, order.NotPacked, order.MissedHandoff, order.HeldTooLong:
		return "warehouse"
	case order.Stalled:
		return templates.UnknownReason
	default:
		return ""
	}
}

// window is the latest arrival that carriers expect, of what a case is about. A
// stalled parcel's ETA is from before it stalled: nobody knows.
func window(s *order.State, c *order.Case) (latest time.Time) {
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if !p.ToCome() || c.Parcel != "" && p.ID != c.Parcel || p.ETA.Before(s.Now) || c.Kind == order.Stalled {
			continue
		}
		if p.ETA.After(latest) {
			latest = p.ETA
		}
	}
	return latest
}

// episode finds the case that a happening is about, open or ended; nil: it is
// not remembered, or has no ID, as under older rules.
func episode(s *order.State, h order.Happening) (found *order.Case) {
	take := func(c *order.Case) {
		if c.ID == "" || c.Kind != h.Case || c.Parcel != h.Parcel || c.OpenedAt.After(h.At) || found != nil && !c.OpenedAt.After(found.OpenedAt) {
			return
		}
		found = c
	}
	for i := range s.Cases {
		take(&s.Cases[i])
	}
	for i := range s.Decisions {
		take(&s.Decisions[i].Case)
	}
	return found
}

// alerts tell the team of a case that was opened, and the next one when it
// escalates.
func alerts(s *order.State, h order.Happening, who People, now time.Time) (list []Intent) {
	if h.Type != order.CaseOpened && h.Type != order.CaseEscalated {
		return nil
	}
	c := episode(s, h)
	if c == nil {
		return nil
	}
	team, severity, occasion := c.Owner, c.Severity, "case:"+c.ID
	if h.Type == order.CaseEscalated {
		// The text says which level; the case may be further on.
		level := 0
		_, _ = fmt.Sscanf(h.Text, "level %d", &level)
		if ladder := s.Spec.Policy.CaseRuleOf(c.Kind).Ladder; len(ladder) > 0 && level > 0 {
			team = ladder[min(level, len(ladder))-1]
		}
		occasion += fmt.Sprintf(":level-%d", level)
	}
	for _, channel := range s.Spec.Policy.AlertChannels(severity) {
		if p, ok := who[Audience(team)]; ok && p.Reaches(channel) {
			list = append(list, Intent{Kind: Alert, Occasion: occasion, Audience: Audience(team), Channel: channel, Case: c.ID, Parcels: one(c.Parcel),
				At: h.At, NotBefore: now, Until: h.At.Add(alertFresh), Urgency: Instant})
		}
	}
	return list
}

func one(parcel string) []string {
	if parcel == "" {
		return nil
	}
	return []string{parcel}
}
