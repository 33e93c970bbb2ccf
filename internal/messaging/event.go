package messaging

import (
	"errors"
	"time"
)

// Kind is what a provider says became of a message.
type Kind string

const (
	Accepted    Kind = "accepted" // the provider has it
	Deferred    Kind = "deferred" // the receiving side said later; the provider keeps trying
	Sent        Kind = "sent"     // it left the provider
	Delivered   Kind = "delivered"
	Dropped     Kind = "dropped"     // the provider did not even try
	Bounced     Kind = "bounced"     // the receiving server gave it back
	Refused     Kind = "blocked"     // refused for now: reputation, content, greylisting
	Undelivered Kind = "undelivered" // a text message that did not arrive
	Opened      Kind = "opened"
	// What the buyer did about it. Both mean: no more of these.
	OptedOut     Kind = "unsubscribed"
	Spam         Kind = "spam"
	Resubscribed Kind = "resubscribed"
	Other        Kind = "other" // a word that we do not know; changes nothing
)

// Event is one callback about one message. It names no recipient: MessageID
// leads to one.
type Event struct {
	// MessageID is ours; empty when the provider did not send it back.
	MessageID  string
	ProviderID string
	Kind       Kind
	// Permanent: the address or number will not take the next message either.
	Permanent bool
	Reason    Reason
	Code      string // the provider's code or the SMTP status: digits and dots
	// At is when it happened; zero when the provider does not say (Twilio).
	At time.Time
	// EventID is the same for every copy of the same event.
	EventID string
}

// rank orders what can be said of one message, lowest first. Callbacks arrive in
// any order, so the highest counts: a late "sent" never undoes "delivered". A
// failure stands above "delivered" because mail servers take a mail and give it
// back later; an opened mail stands above a failure because somebody read it.
func rank(k Kind) int {
	switch k {
	case Accepted:
		return 1
	case Deferred:
		return 2
	case Sent:
		return 3
	case Delivered:
		return 4
	case Refused:
		return 5
	case Undelivered:
		return 6
	case Dropped:
		return 7
	case Bounced:
		return 8
	case Opened:
		return 9
	case Resubscribed:
		return 10
	case OptedOut:
		return 11
	case Spam:
		return 12
	case Other:
	}
	return 0
}

// Supersedes says whether e says more about its message than old. For events of
// equal rank the one with the smaller event ID stands, so that every order of
// arrival ends alike.
func (e Event) Supersedes(old Event) bool {
	if a, b := rank(e.Kind), rank(old.Kind); a != b {
		return a > b
	}
	return e.EventID < old.EventID
}

// Latest is what stands of one message after all its events, copies and all; the
// zero Event when there are none. It is what to show of the message; what an
// event says of the address (Permanent, Unsubscribed) holds beside it.
func Latest(events []Event) Event {
	var best Event
	for _, e := range events {
		if best.EventID == "" || e.Supersedes(best) {
			best = e
		}
	}
	return best
}

var (
	// ErrNoSecret: nothing to verify with. An empty secret proves nothing.
	ErrNoSecret = errors.New("no secret is configured")
	// ErrNotSigned: the callback carries no signature.
	ErrNotSigned = errors.New("the callback is not signed")
	// ErrBadSignature: it is not of these bytes by any active secret.
	ErrBadSignature = errors.New("the signature does not match")
	// ErrReplayed: the signed time is too far from now.
	ErrReplayed = errors.New("the signature's time is outside the window")
	// ErrMalformed: the body is not what the provider sends.
	ErrMalformed = errors.New("not the provider's format")
)
