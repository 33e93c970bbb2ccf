package messaging

import (
	"context"
	"sync"
	"time"
)

// Kept is one message in an outbox: a Mail or a Text.
type Kept struct {
	Mail Mail
	Text Text
	At   time.Time
}

// ID is the message's own.
func (k Kept) ID() string {
	if k.Text.ID != "" {
		return k.Text.ID
	}
	return k.Mail.ID
}

// Shelf is where an outbox puts messages. Keep is idempotent by Kept.ID; Has
// says whether one is there.
type Shelf interface {
	Keep(ctx context.Context, k Kept) error
	Has(ctx context.Context, id string) (bool, error)
}

// Outbox stands in for both providers where there are no credentials: it keeps
// every message and sends none. A page shows them.
type Outbox struct {
	Shelf Shelf
	Now   func() time.Time
}

// Email is the outbox as a mail provider.
func (o Outbox) Email() OutboxOf[Mail] {
	return OutboxOf[Mail]{o, func(m Mail) Kept { return Kept{Mail: m} }}
}

// SMS is the outbox as a provider of text messages.
func (o Outbox) SMS() OutboxOf[Text] {
	return OutboxOf[Text]{o, func(t Text) Kept { return Kept{Text: t} }}
}

// OutboxOf keeps one sort of message.
type OutboxOf[M Mail | Text] struct {
	outbox Outbox
	keep   func(M) Kept
}

const outboxName = "outbox"

// Send keeps the message.
func (o OutboxOf[M]) Send(ctx context.Context, m M) (Receipt, error) {
	k := o.keep(m)
	if k.ID() == "" {
		return Receipt{}, Refuse(outboxName, Rejected, "no message ID")
	}
	k.At = o.outbox.Now()
	if err := o.outbox.Shelf.Keep(ctx, k); err != nil {
		// Keeping is idempotent, so trying again repeats nothing.
		return Receipt{}, &Error{Provider: outboxName, Class: Retryable, Fault: "the shelf failed", Cause: err}
	}
	return Receipt{ProviderID: k.ID()}, nil
}

// Find looks on the shelf.
func (o OutboxOf[M]) Find(ctx context.Context, m M, _ time.Time) (Finding, Receipt, error) {
	id := o.keep(m).ID()
	has, err := o.outbox.Shelf.Has(ctx, id)
	switch {
	case err != nil:
		return Unknown, Receipt{}, err
	case has:
		return Taken, Receipt{ProviderID: id}, nil
	}
	return NotTaken, Receipt{}, nil
}

// Memory is a shelf for tests.
type Memory struct {
	mu   sync.Mutex
	kept []Kept
}

// Keep implements Shelf.
func (m *Memory) Keep(_ context.Context, k Kept) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.kept {
		if old.ID() == k.ID() {
			return nil
		}
	}
	m.kept = append(m.kept, k)
	return nil
}

// Has implements Shelf.
func (m *Memory) Has(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.kept {
		if old.ID() == id {
			return true, nil
		}
	}
	return false, nil
}

// All returns what was kept, oldest first.
func (m *Memory) All() []Kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Kept(nil), m.kept...)
}
