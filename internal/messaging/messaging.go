// Package messaging is the edge of messaging: what a mail and a text message
// are, what may become of them, and what providers say about them afterwards.
// twilio and sendgrid send, templates writes, Outbox keeps what nobody sends.
//
// Neither provider has an idempotency key, so nothing here sends twice by
// itself: one call of Send is at most one request. Whoever calls keeps an intent
// before the call and, after an [Ambiguous] answer, asks [Finder] before any
// second try.
//
// No address, number or text of a message leaves this package in an error or a
// log line: [Phone], [Address], [Mail] and [Text] print masked.
package messaging

import (
	"context"
	"log/slog"
	"time"
)

// Mail is one e-mail to one buyer.
type Mail struct {
	// ID is ours. It comes back in the provider's events.
	ID       string
	From, To Mailbox
	// ReplyTo is left out when empty.
	ReplyTo Mailbox
	Subject string
	// Text and HTML say the same. Both are needed.
	Text, HTML string
	// Headers are extra ones, like List-Unsubscribe.
	Headers map[string]string
}

// Mailbox is an address and the name shown beside it, which may be empty.
type Mailbox struct {
	Address Address
	Name    string
}

// Text is one text message to one buyer.
type Text struct {
	// ID is ours. It comes back in the query of the status callback.
	ID   string
	To   Phone
	Body string
	// StatusCallback is the public URL that hears what became of the message.
	// Empty: nobody asks.
	StatusCallback string
}

// Receipt is the provider's word that it took a message.
type Receipt struct {
	// ProviderID is its ID for the message; empty where it gave none.
	ProviderID string
}

// Email sends a mail. An error is always an *Error.
type Email interface {
	Send(ctx context.Context, m Mail) (Receipt, error)
}

// SMS sends a text message. An error is always an *Error.
type SMS interface {
	Send(ctx context.Context, t Text) (Receipt, error)
}

// Finding is what a provider's own record says of a message whose answer was
// [Ambiguous].
type Finding string

const (
	Taken    Finding = "taken"     // it has it: do not send again
	NotTaken Finding = "not_taken" // it does not have it: sending again is no repetition
	Unknown  Finding = "unknown"   // it cannot say, or not yet
)

// Finder asks whether the provider took a message that Send was called for at
// the given time. Of two messages with the same recipient and words it cannot
// tell which one it found: the caller compares the receipt with what it knows.
type Finder[M Mail | Text] interface {
	Find(ctx context.Context, m M, attempted time.Time) (Finding, Receipt, error)
}

// Phone is a number in E.164 form. It prints masked.
type Phone string

// Address is an e-mail address. It prints masked.
type Address string

func (p Phone) String() string       { return MaskPhone(string(p)) }
func (p Phone) GoString() string     { return p.String() }
func (p Phone) LogValue() slog.Value { return slog.StringValue(p.String()) }

func (a Address) String() string       { return MaskAddress(string(a)) }
func (a Address) GoString() string     { return a.String() }
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

func (m Mail) String() string       { return "mail " + m.ID + " to " + m.To.Address.String() }
func (m Mail) GoString() string     { return m.String() }
func (m Mail) LogValue() slog.Value { return slog.StringValue(m.String()) }

func (t Text) String() string       { return "text " + t.ID + " to " + t.To.String() }
func (t Text) GoString() string     { return t.String() }
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }
