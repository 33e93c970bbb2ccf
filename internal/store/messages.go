package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// MessageStatus is how far a message has come.
type MessageStatus string

const (
	MessagePlanned   MessageStatus = "planned"
	MessageSending   MessageStatus = "sending" // an attempt is committed, its answer is not
	MessageSent      MessageStatus = "sent"    // the provider has it
	MessageDelivered MessageStatus = "delivered"
	MessageFailed    MessageStatus = "failed"  // it did not arrive and will not
	MessageDropped   MessageStatus = "dropped" // not sent, on purpose
	// MessageUnclear: it may have been sent. It is not sent again unless the
	// provider says that it has it not.
	MessageUnclear MessageStatus = "unclear"
)

// NewMessage is an intent: one occasion, told to one audience by one channel.
type NewMessage struct {
	Order, Occasion, Audience, Channel, Kind string
	Intent                                   json.RawMessage // what its words are made of
	NotBefore, Until                         time.Time
}

// Message is one row. It names no person.
type Message struct {
	ID string
	NewMessage
	Status      MessageStatus
	Attempts    int
	AttemptedAt *time.Time
	// Told are the parcels that the last attempt's words tell of.
	Told []string
	// Recipient is the keyed hash of the address of the last attempt.
	Recipient  []byte
	Provider   string
	ProviderID string
	// Stream names the events that tell of everything that the last attempt's account
	// takes; empty: there are none.
	Stream string
	// AnsweredAt is when the provider answered that it has the last attempt; nil: what
	// is known of it is known by other ways. TwiceAt is when it turned out that two
	// attempts were taken.
	AnsweredAt, TwiceAt *time.Time
	Reason              string
	PlannedAt           time.Time
	UpdatedAt           time.Time
}

const messageColumns = `m.id::text, m.order_id, m.occasion, m.audience, m.channel, m.kind, m.intent, nullif(m.not_before, 'infinity'), m.until, m.status, m.attempts, m.attempted_at, m.told,
    m.recipient, m.provider, m.provider_id, m.stream, m.answered_at, m.twice_at, m.reason, m.planned_at, m.updated_at`

// NotBefore of a message that nobody looks at any more is zero.
func scanMessage(row pgx.CollectableRow, more ...any) (m Message, err error) {
	var notBefore *time.Time
	err = row.Scan(append([]any{&m.ID, &m.Order, &m.Occasion, &m.Audience, &m.Channel, &m.Kind, &m.Intent, &notBefore, &m.Until, &m.Status, &m.Attempts, &m.AttemptedAt, &m.Told,
		&m.Recipient, &m.Provider, &m.ProviderID, &m.Stream, &m.AnsweredAt, &m.TwiceAt, &m.Reason, &m.PlannedAt, &m.UpdatedAt}, more...)...)
	m.NotBefore = orZero(notBefore)
	return m, err
}

// messages reads rows; err is bare, the caller says of what.
func messages(ctx context.Context, db querier, sql string, args ...any) ([]Message, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Message, error) { return scanMessage(row) })
}

// insertMessages keeps each intent once: one that is there already, in whatever
// status, stays as it is.
const insertMessages = `
insert into messages (order_id, occasion, audience, channel, kind, intent, not_before, until)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[], $7::timestamptz[], $8::timestamptz[])
    as t (order_id, occasion, audience, channel, kind, intent, not_before, until)
order by order_id collate "C", occasion collate "C", audience collate "C", channel collate "C"
on conflict (order_id, occasion, audience, channel) do nothing`

func addMessages(ctx context.Context, db execer, list []NewMessage) (int, error) {
	if len(list) == 0 {
		return 0, nil
	}
	text := make([][]string, 5)
	var intents []json.RawMessage
	var from, until []time.Time
	for _, m := range list {
		for i, v := range [...]string{m.Order, m.Occasion, m.Audience, m.Channel, m.Kind} {
			text[i] = append(text[i], v)
		}
		intents, from, until = append(intents, m.Intent), append(from, m.NotBefore), append(until, m.Until)
	}
	tag, err := db.Exec(ctx, insertMessages, text[0], text[1], text[2], text[3], text[4], intents, from, until)
	return int(tag.RowsAffected()), err
}

// MessageLease is how long a claimed message is left alone by other senders. It is
// far above the time that one attempt may take.
const MessageLease = time.Minute

// ClaimMessages takes up to limit messages of a channel that are due, the longest
// due first. Nobody else gets them within the lease.
func (s *Store) ClaimMessages(ctx context.Context, channel string, limit int, now time.Time) ([]Message, error) {
	list, err := messages(ctx, s.pool, `
with due as (
    select id from messages where channel = $1 and not_before <= $2 and not_before < 'infinity' order by not_before limit $3 for update skip locked
)
update messages m set not_before = $4 from due where m.id = due.id returning `+messageColumns, channel, now, limit, now.Add(MessageLease))
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	slices.SortFunc(list, func(a, b Message) int { return a.PlannedAt.Compare(b.PlannedAt) })
	return list, nil
}

// Attempt is one send that is about to happen.
type Attempt struct {
	Provider  string
	Stream    string          // see Message
	Recipient []byte          // keyed hash
	Told      []string        // parcels
	Body      json.RawMessage // the whole message: personal data
}

// DecideMessage reads everything about a planned message's order and lets decide
// say what becomes of it: an attempt, which is committed before this returns true,
// or an outcome. Nothing may be sent before that. Messages of one order are decided
// one after the other, by whatever channel, so each knows of those before it. False
// with an attempt: somebody else decided meanwhile, or it is not to be sent any more.
func (s *Store) DecideMessage(ctx context.Context, m Message, hash MessageHash, at time.Time, decide func(*Addressee) (*Attempt, MessageOutcome)) (sending bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		a, err := addressee(ctx, tx, m.Order, hash)
		if err != nil {
			return err
		}
		attempt, o := decide(a)
		if attempt == nil {
			return recordOutcome(ctx, tx, o, at)
		}
		tag, err := tx.Exec(ctx, `
with m as (
    update messages set status = 'sending', attempts = attempts + 1, attempted_at = $3, recipient = $4, provider = $5, provider_id = '', reason = '', told = $6, not_before = $7, updated_at = $3, stream = $9, answered_at = null, heard_at = null
    where id = $1::text::uuid and attempts = $2 and status = 'planned' returning id, order_id, channel
)
insert into kept_messages as k (message_id, order_id, channel, body, kept_at) select id, order_id, channel, $8, $3 from m
on conflict (message_id) do update set body = excluded.body, kept_at = excluded.kept_at`,
			m.ID, m.Attempts, at, attempt.Recipient, attempt.Provider, append([]string{}, attempt.Told...), at.Add(MessageLease), attempt.Body, attempt.Stream)
		sending = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("message %s: decide: %w", m.ID, err)
	}
	return sending, nil
}

// MessageOutcome is what came of an attempt, or of a look at a message.
type MessageOutcome struct {
	ID string
	// Attempts is how many the message had when this was found: what is found of an
	// earlier one changes nothing.
	Attempts int
	Status   MessageStatus
	// NotBefore is when to look again; zero: never.
	NotBefore  time.Time
	ProviderID string
	// Answered: the provider itself said that it has the attempt, in its answer.
	Answered bool
	Reason   string
	// Suppress is why the attempt's recipient gets nothing any more by this channel;
	// empty: it does.
	Suppress string
}

// ErrTaken: the provider's ID belongs to another message already.
var ErrTaken = errors.New("another message has this ID of the provider's")

// RecordOutcome writes an outcome, unless the message was settled meanwhile, by an
// event of the provider's or by somebody else.
func (s *Store) RecordOutcome(ctx context.Context, o MessageOutcome, at time.Time) error {
	return recordOutcome(ctx, s.pool, o, at)
}

func recordOutcome(ctx context.Context, db execer, o MessageOutcome, at time.Time) error {
	_, err := db.Exec(ctx, `
with m as (
    update messages set status = $3, not_before = coalesce($4::timestamptz, 'infinity'), provider_id = case when $5 = '' then provider_id else $5 end, reason = $6, updated_at = $7,
        answered_at = case when $9 then $7 else answered_at end
    where id = $1::text::uuid and attempts = $2 and status in ('planned', 'sending', 'unclear') returning id, channel, recipient
), known as (
    delete from kept_messages k using m where k.message_id = m.id and k.shelved_at is null and ($3 not in ('planned', 'sending', 'unclear') or $4 is null)
)
insert into suppressions as s (channel, recipient, reason, since) select channel, recipient, $8, $7 from m where $8 <> '' and recipient is not null`+onSuppressed,
		o.ID, o.Attempts, string(o.Status), orNil(o.NotBefore), o.ProviderID, o.Reason, at, o.Suppress, o.Answered)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "messages_provider_id" {
		return fmt.Errorf("message %s: %w", o.ID, ErrTaken)
	}
	if err != nil {
		return fmt.Errorf("message %s: record its outcome: %w", o.ID, err)
	}
	return nil
}

// What was said before it was lifted does not suppress again.
const onSuppressed = ` on conflict (channel, recipient) do update set reason = excluded.reason, since = excluded.since, lifted_at = null
    where s.lifted_at is not null and s.lifted_at <= excluded.since`

// Suppress remembers that an address or number gets nothing by a channel.
func (s *Store) Suppress(ctx context.Context, channel string, recipient []byte, reason string, at time.Time) error {
	_, err := s.pool.Exec(ctx, `insert into suppressions as s (channel, recipient, reason, since) values ($1, $2, $3, $4)`+onSuppressed, channel, recipient, reason, at)
	if err != nil {
		return fmt.Errorf("suppress: %w", err)
	}
	return nil
}

// Lift ends a suppression that began before.
func (s *Store) Lift(ctx context.Context, channel string, recipient []byte, at time.Time) error {
	_, err := s.pool.Exec(ctx, `update suppressions set lifted_at = $3 where channel = $1 and recipient = $2 and lifted_at is null and since <= $3`, channel, recipient, at)
	if err != nil {
		return fmt.Errorf("lift a suppression: %w", err)
	}
	return nil
}

// FollowUp ends a failed message: with the same occasion by another channel, if
// there is one, or as a fault of the order if the buyer is lost, or that channel
// has failed as well. An occasion that was told by the other one is not told again.
func (s *Store) FollowUp(ctx context.Context, m Message, other *NewMessage, lost bool, at time.Time) (fellBack bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update messages set not_before = 'infinity', updated_at = $2 where id = $1::text::uuid and status = 'failed' and not_before < 'infinity'`, m.ID, at)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if other != nil {
			n, err := addMessages(ctx, tx, []NewMessage{*other})
			if fellBack = n > 0; err != nil || fellBack {
				return err
			}
			var status MessageStatus
			if err := tx.QueryRow(ctx, `select status from messages where order_id = $1 and occasion = $2 and audience = $3 and channel = $4`,
				other.Order, other.Occasion, other.Audience, other.Channel).Scan(&status); err != nil {
				return err
			}
			lost = status == MessageFailed
		}
		if !lost {
			return nil
		}
		return reportFaults(ctx, tx, []Fault{{Kind: UnreachableBuyer, Key: m.Order, Title: "the buyer of order " + m.Order + " cannot be reached",
			Sample: m.Kind + " by " + m.Channel + ": " + m.Reason}}, at)
	})
	if err != nil {
		return false, fmt.Errorf("message %s: follow up: %w", m.ID, err)
	}
	return fellBack, nil
}

// KeptBody is the body that was kept of a message, as its attempt had it. It is
// personal data. ErrNotFound: it is erased, or its message is settled.
func (s *Store) KeptBody(ctx context.Context, id string) (body json.RawMessage, err error) {
	err = s.pool.QueryRow(ctx, `select body from kept_messages where message_id = $1::text::uuid`, id).Scan(&body)
	return body, one("kept message "+id, err)
}

// Shelve puts a message into the local outbox, once.
func (s *Store) Shelve(ctx context.Context, id string, at time.Time) error {
	tag, err := s.pool.Exec(ctx, `update kept_messages set shelved_at = coalesce(shelved_at, $2) where message_id = $1::text::uuid`, id, at)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("message %s: shelve: %w", id, err)
	}
	return nil
}

// Shelved says whether the local outbox has a message.
func (s *Store) Shelved(ctx context.Context, id string) (bool, error) {
	var has bool
	if err := s.pool.QueryRow(ctx, `select exists (select from kept_messages where message_id = $1::text::uuid and shelved_at is not null)`, id).Scan(&has); err != nil {
		return false, fmt.Errorf("message %s: on the shelf: %w", id, err)
	}
	return has, nil
}

// KeptMessage is a message on the local outbox's shelf. It is personal data.
type KeptMessage struct {
	Message
	Body      json.RawMessage
	ShelvedAt time.Time
}

// Shelf lists what the local outbox took, the newest first: behind a time and an ID,
// unless the time is zero.
func (s *Store) Shelf(ctx context.Context, before time.Time, id string, limit int) ([]KeptMessage, error) {
	if id == "" {
		id = "00000000-0000-0000-0000-000000000000"
	}
	rows, err := s.pool.Query(ctx, `select `+messageColumns+`, k.body, k.shelved_at from kept_messages k join messages m on m.id = k.message_id
where k.shelved_at is not null and ($1::timestamptz is null or k.shelved_at < $1 or k.shelved_at = $1 and k.message_id > $2::text::uuid) order by k.shelved_at desc, k.message_id limit $3`,
		orNil(before), id, limit)
	if err != nil {
		return nil, fmt.Errorf("shelf: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k KeptMessage, err error) {
		k.Message, err = scanMessage(row, &k.Body, &k.ShelvedAt)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("shelf: %w", err)
	}
	return list, nil
}

// MessagesOf lists an order's messages, oldest first.
func (s *Store) MessagesOf(ctx context.Context, orderID string) ([]Message, error) {
	list, err := messages(ctx, s.pool, `select `+messageColumns+` from messages m where m.order_id = $1 order by m.planned_at, m.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("messages of %s: %w", orderID, err)
	}
	return list, nil
}

// UnclearMessages lists messages of which nobody knows whether they were sent, the
// oldest attempt first. One whose NotBefore is zero is not asked for any more.
func (s *Store) UnclearMessages(ctx context.Context, limit int) ([]Message, error) {
	list, err := messages(ctx, s.pool, `select `+messageColumns+` from messages m where m.status = 'unclear' order by m.attempted_at limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("unclear messages: %w", err)
	}
	return list, nil
}

// MessageCounts is what waits in a channel.
type MessageCounts struct {
	Channel string
	// Due could go out now; Oldest is since when the one that waits longest could.
	Due    int
	Oldest *time.Time
	// Later ones are planned for a time to come.
	Later int
	// Unclear: nobody knows whether they were sent.
	Unclear int
}

// CountMessages counts what waits, by channel. Channels where nothing does are
// left out.
func (s *Store) CountMessages(ctx context.Context, now time.Time) ([]MessageCounts, error) {
	rows, err := s.pool.Query(ctx, `
select channel, sum(due)::int, min(oldest), sum(later)::int, sum(unclear)::int from (
    select channel, count(*) filter (where not_before <= $1) as due, min(not_before) filter (where not_before <= $1) as oldest, count(*) filter (where not_before > $1) as later, 0 as unclear
    from messages where not_before < 'infinity' and status = 'planned' group by channel
    union all
    select channel, 0, null, 0, count(*) from messages where status = 'unclear' group by channel) t
group by channel order by channel`, now)
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[MessageCounts])
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return list, nil
}

var messageID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
