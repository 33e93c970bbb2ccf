// Package dispatch sends messages: it plans intents from what orders told
// ([Planner]), sends those that are due ([Sender]), and takes what providers say
// about them ([Callbacks]). What is sent, to whom and when is decided by package
// plan; which words by package templates; rows of internal/store remember all of it.
//
// Neither provider has an idempotency key. So an attempt is committed before its
// request, and one without a recorded answer is never sent again blindly: it is asked
// for where the provider can be asked (Twilio), and concluded from the events of the
// others where the provider tells of everything that it takes (SendGrid, fence.go).
package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Envelope is one message as it is sent and kept: one of Mail, Text, Hook.
type Envelope struct {
	// Via is the account that it is sent by: only there it can be asked for.
	Via  string          `json:"via"`
	Mail *messaging.Mail `json:"mail,omitempty"`
	Text *messaging.Text `json:"text,omitempty"`
	Hook *Hook           `json:"hook,omitempty"`
}

// String names no one.
func (e Envelope) String() string {
	switch {
	case e.Mail != nil:
		return e.Mail.String()
	case e.Text != nil:
		return e.Text.String()
	case e.Hook != nil:
		return "webhook " + e.Hook.ID
	}
	return "nothing"
}

// GoString as String.
func (e Envelope) GoString() string { return e.String() }

// Port is a provider of one channel.
type Port interface {
	// Name is that of its events; Via the account.
	Name() string
	Via() string
	// Stream names the events that tell of every message that this account takes, and
	// are repeated until we have them; empty: there are none.
	Stream() string
	Send(ctx context.Context, e Envelope) (messaging.Receipt, error)
	Find(ctx context.Context, e Envelope, attempted time.Time) (messaging.Finding, messaging.Receipt, error)
}

// Mails makes a port of a provider of mails.
func Mails(name, via string, p interface {
	messaging.Email
	messaging.Finder[messaging.Mail]
}) Port {
	return port[messaging.Mail]{name, via, "", p, func(e Envelope) *messaging.Mail { return e.Mail }}
}

// Streamed makes a port of a provider of mails whose events tell of every mail that
// it takes.
func Streamed(name, via string, p interface {
	messaging.Email
	messaging.Finder[messaging.Mail]
}) Port {
	return port[messaging.Mail]{name, via, via, p, func(e Envelope) *messaging.Mail { return e.Mail }}
}

// Texts makes a port of a provider of text messages.
func Texts(name, via string, p interface {
	messaging.SMS
	messaging.Finder[messaging.Text]
}) Port {
	return port[messaging.Text]{name, via, "", p, func(e Envelope) *messaging.Text { return e.Text }}
}

type port[M messaging.Mail | messaging.Text] struct {
	name, via, stream string
	provider          interface {
		Send(ctx context.Context, m M) (messaging.Receipt, error)
		messaging.Finder[M]
	}
	of func(Envelope) *M
}

func (p port[M]) Name() string   { return p.name }
func (p port[M]) Via() string    { return p.via }
func (p port[M]) Stream() string { return p.stream }

func (p port[M]) Send(ctx context.Context, e Envelope) (messaging.Receipt, error) {
	m := p.of(e)
	if m == nil {
		return messaging.Receipt{}, messaging.Refuse(p.name, messaging.Rejected, "a message of another channel")
	}
	return p.provider.Send(ctx, *m)
}

func (p port[M]) Find(ctx context.Context, e Envelope, attempted time.Time) (messaging.Finding, messaging.Receipt, error) {
	m := p.of(e)
	if m == nil {
		return messaging.Unknown, messaging.Receipt{}, nil
	}
	return p.provider.Find(ctx, *m, attempted)
}

// Outbox is what the local outbox is called where providers are named.
const Outbox = "outbox"

// Shelf is the shelf of the local outbox in PostgreSQL. The message itself is there
// already: every attempt keeps it.
type Shelf struct {
	Store interface {
		Shelve(ctx context.Context, id string, at time.Time) error
		Shelved(ctx context.Context, id string) (bool, error)
	}
}

// Keep implements messaging.Shelf.
func (s Shelf) Keep(ctx context.Context, k messaging.Kept) error {
	return s.Store.Shelve(ctx, k.ID(), k.At)
}

// Has implements messaging.Shelf.
func (s Shelf) Has(ctx context.Context, id string) (bool, error) { return s.Store.Shelved(ctx, id) }

// Team is how a team is told. Empty: not by that channel.
type Team struct {
	Email   messaging.Address
	Phone   messaging.Phone
	Webhook string // https address
}

// ParseTeams reads "warehouse=floor@example.com,ops=+15551234567,ops=https://hooks.example.com/x".
// The form of an address says by which channel it is.
func ParseTeams(text string) (map[order.Team]Team, error) {
	teams := map[order.Team]Team{}
	for i, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		name, to, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if !slices.Contains(order.Teams, order.Team(name)) {
			return nil, fmt.Errorf("entry %d names no team; there are %v", i+1, order.Teams)
		}
		t := teams[order.Team(name)]
		switch {
		case messaging.Address(to).Valid():
			t.Email = messaging.Address(to)
		case messaging.Phone(to).Valid():
			t.Phone = messaging.Phone(to)
		case hookURL(to) != nil:
			t.Webhook = to
		default:
			return nil, fmt.Errorf("entry %d, of %s, is no e-mail address, E.164 number or https address", i+1, name)
		}
		teams[order.Team(name)] = t
	}
	return teams, nil
}

// encode is an envelope as it is kept.
func encode(e Envelope) json.RawMessage {
	raw, err := json.Marshal(e)
	if err != nil {
		panic("dispatch: an envelope is plain data: " + err.Error())
	}
	return raw
}

// safely runs what is ours to get right for one order: a fault in it must not stop
// the messages of all others.
func safely(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	do()
	return nil
}

var _ messaging.Shelf = Shelf{}

// Store is what dispatch needs of PostgreSQL; *store.Store is one.
type Store interface {
	PlanMessages(ctx context.Context, limit int, hash store.MessageHash, plan func([]store.Told) []store.NewMessage) (int, error)
	ClaimMessages(ctx context.Context, channel string, limit int, now time.Time) ([]store.Message, error)
	DecideMessage(ctx context.Context, m store.Message, hash store.MessageHash, at time.Time, decide func(*store.Addressee) (*store.Attempt, store.MessageOutcome)) (bool, error)
	RecordOutcome(ctx context.Context, o store.MessageOutcome, at time.Time) error
	FollowUp(ctx context.Context, m store.Message, other *store.NewMessage, lost bool, at time.Time) (bool, error)
	Addressees(ctx context.Context, orders []string, hash store.MessageHash) (map[string]*store.Addressee, error)
	KeptBody(ctx context.Context, id string) (json.RawMessage, error)
	Witnesses(ctx context.Context, m store.Message, nearest int, from, to, since time.Time) (store.Witnesses, error)
	CountMessages(ctx context.Context, now time.Time) ([]store.MessageCounts, error)
}
