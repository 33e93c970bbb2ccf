package dispatch

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/plan"
	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Writer knows who the people of an order are and writes what they get.
type Writer struct {
	Links links.Links
	// From is the address that mails come from, under the store's name.
	From messaging.Address
	// StatusCallback is the public URL that hears what became of text messages;
	// empty: none.
	StatusCallback string
	Teams          map[order.Team]Team
}

// Hash is the keyed hash by which an address or number is remembered. It changes
// with the secret, and then what is remembered is not found any more.
func (w *Writer) Hash(channel, address string) []byte {
	if channel == string(order.Email) {
		address = strings.ToLower(address)
	}
	key := hmac.New(sha256.New, w.Links.Secret)
	key.Write([]byte("message recipients"))
	mac := hmac.New(sha256.New, key.Sum(nil))
	mac.Write([]byte(channel + ":" + address))
	return mac.Sum(nil)
}

// people are those who can be told anything of an order.
func (w *Writer) people(a *store.Addressee) plan.People {
	c := a.Contact
	buyer := plan.Person{
		Language: c.Language, Erased: a.Erased,
		Preferences: plan.Preferences{Channel: plan.Channel(a.Wishes.Channel), Frequency: plan.Frequency(a.Wishes.Frequency), Language: a.Wishes.Language},
		HasEmail:    messaging.Address(c.Email).Valid() && !slices.Contains(a.Suppressed, string(order.Email)),
		HasPhone:    messaging.Phone(c.Phone).Valid() && !slices.Contains(a.Suppressed, string(order.SMS)),
	}
	if clock := carriers.Zone(a.Address.Country, a.Address.Region, a.Address.PostalCode); clock != nil {
		buyer.Zone = clock.Zone
	}
	who := plan.People{plan.Buyer: buyer}
	for name, t := range w.Teams {
		who[plan.Audience(name)] = plan.Person{HasEmail: t.Email != "", HasPhone: t.Phone != "", HasWebhook: t.Webhook != ""}
	}
	return who
}

// intentOf reads what was planned.
func intentOf(m store.Message) (i plan.Intent, err error) {
	if err := json.Unmarshal(m.Intent, &i); err != nil {
		return i, fmt.Errorf("message %s: its intent cannot be read", m.ID)
	}
	return i, nil
}

// newMessage is an intent as a row.
func newMessage(i plan.Intent) store.NewMessage {
	raw, err := json.Marshal(i)
	if err != nil {
		panic("dispatch: an intent is plain data: " + err.Error())
	}
	until := i.Until
	if until.IsZero() {
		until = i.At.Add(mostPatience)
	}
	return store.NewMessage{Order: i.Order, Occasion: i.Occasion, Audience: string(i.Audience), Channel: string(i.Channel), Kind: string(i.Kind), Intent: raw, NotBefore: i.NotBefore, Until: until}
}

// mostPatience is how long a message may wait of which nobody said how long.
const mostPatience = 7 * 24 * time.Hour

// sentOf are the other messages of the order that went out, or may have.
func sentOf(a *store.Addressee, except string) (list []plan.Sent) {
	for _, m := range a.Messages {
		switch m.Status {
		case store.MessageSending, store.MessageSent, store.MessageDelivered, store.MessageUnclear:
		case store.MessagePlanned, store.MessageFailed, store.MessageDropped:
			continue
		}
		i, err := intentOf(m)
		if err != nil || m.ID == except || m.AttemptedAt == nil {
			continue
		}
		i.Parcels = m.Told
		list = append(list, plan.Sent{Intent: i, SentAt: *m.AttemptedAt})
	}
	return list
}

// write makes the envelope of an intent, and says to whom it goes.
func (w *Writer) write(id, via string, i plan.Intent, parcels []string, a *store.Addressee, p plan.Person, now time.Time) (e Envelope, recipient []byte, err error) {
	s := a.Order.Current()
	var m templates.Message
	email, phone, from := messaging.Address(a.Contact.Email), messaging.Phone(a.Contact.Phone), messaging.Mailbox{Address: w.From, Name: storeName(a)}
	to := messaging.Mailbox{Address: email}
	if i.Audience == plan.Buyer {
		c, err := plan.Content(i, parcels, s, p, plan.Details{
			Brand:     templates.Brand{Name: storeName(a), Colour: a.Store.BrandColor, Support: w.support(a)},
			FirstName: firstName(a.Contact.Name), URL: w.Links.Tracking(s.Spec.ID), Page: w.Links.Buyer(s.Spec.ID, a.Link), Preferences: w.Links.Preferences(s.Spec.ID), Carrier: carriers.DisplayName, Reason: a.Bucket(i.Parcels),
			PickupBy: a.PickupBy(i.Parcels),
		}, now)
		if err != nil {
			return e, nil, err
		}
		if m, err = templates.Write(i.Kind, c); err != nil {
			return e, nil, err
		}
		to.Name = a.Contact.Name
	} else {
		c, err := plan.AlertOf(i, s, p.Zone, w.Links.Console(s.Spec.ID))
		if err != nil {
			return e, nil, err
		}
		if m, err = templates.WriteAlert(c); err != nil {
			return e, nil, err
		}
		team := w.Teams[order.Team(i.Audience)]
		to.Address, phone, from.Name = team.Email, team.Phone, "Waybill"
	}
	e.Via = via
	switch i.Channel {
	case order.Email:
		mail := messaging.Mail{ID: id, From: from, To: to, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Headers: m.Headers}
		if i.Audience == plan.Buyer {
			mail.ReplyTo.Address = w.support(a)
		}
		e.Mail = &mail
		return e, w.Hash(string(i.Channel), string(to.Address)), nil
	case order.SMS:
		e.Text = &messaging.Text{ID: id, To: phone, Body: m.SMS, StatusCallback: w.StatusCallback}
		return e, w.Hash(string(i.Channel), string(phone)), nil
	case order.Webhook:
		e.Hook = &Hook{ID: id, Type: string(i.Kind), Order: i.Order, Occasion: i.Occasion, Team: order.Team(i.Audience), At: i.At, Text: m.Text}
		return e, nil, nil
	}
	return e, nil, fmt.Errorf("%q is no channel", i.Channel)
}

func storeName(a *store.Addressee) string { return cmp.Or(a.Store.Name, a.Store.ID) }

// support is who answers buyers: the store, or who sends.
func (w *Writer) support(a *store.Addressee) messaging.Address {
	if to := messaging.Address(a.Store.SupportEmail); to.Valid() {
		return to
	}
	return w.From
}

func firstName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return first
}
