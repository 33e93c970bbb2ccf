package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// MessageEvent is what a provider said of a message: messaging.Event as a row.
type MessageEvent struct {
	MessageID, ProviderID, EventID string
	Kind                           string
	Permanent                      bool
	Reason, Code                   string
	At                             time.Time // zero: not said
	// First: of the kind that the provider tells of every message that it took.
	First bool
	// Lifts: the buyer wants messages again.
	Lifts bool
}

// MessageEventCounts says what became of events.
type MessageEventCounts struct {
	Taken, Duplicate int
	// Unknown: about no message of ours, like those of another installation that
	// shares the account.
	Unknown int
	// Twice are messages of which these events told that the buyer got them twice.
	Twice int
}

// TakeMessageEvents keeps each event once and brings the messages to what stands of
// them: settle says it of all events of one message; an empty status changes
// nothing. A permanent event suppresses the address that the message went to, one
// that lifts ends that. A message that failed is due at once, for FollowUp. One that
// the provider took in two attempts is a fault.
func (s *Store) TakeMessageEvents(ctx context.Context, provider string, events []MessageEvent, at time.Time, settle func([]MessageEvent) (MessageStatus, string)) (n MessageEventCounts, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		known, err := concerned(ctx, tx, provider, events)
		if err != nil {
			return err
		}
		var ours []MessageEvent
		for _, e := range events {
			if e.MessageID = known[cmp.Or(e.MessageID, e.ProviderID)]; e.MessageID != "" {
				ours = append(ours, e)
			}
		}
		n.Unknown = len(events) - len(ours)
		if len(ours) == 0 {
			return nil
		}
		fresh, err := addEvents(ctx, tx, provider, ours, at)
		if err != nil {
			return err
		}
		n.Taken, n.Duplicate = len(fresh), len(ours)-len(fresh)
		if n.Taken == 0 {
			return nil
		}
		if err := settleMessages(ctx, tx, provider, fresh, at, settle); err != nil {
			return err
		}
		if n.Twice, err = hear(ctx, tx, fresh, at); err != nil {
			return err
		}
		return suppressBy(ctx, tx, fresh, at)
	})
	if err != nil {
		return MessageEventCounts{}, fmt.Errorf("events of %s: %w", provider, err)
	}
	return n, nil
}

// concerned locks the messages that events are about, in one order, and finds them
// by our ID and by the provider's.
func concerned(ctx context.Context, tx pgx.Tx, provider string, events []MessageEvent) (map[string]string, error) {
	var ids, theirs []string
	for _, e := range events {
		switch {
		case messageID.MatchString(e.MessageID):
			ids = append(ids, e.MessageID)
		case e.MessageID == "" && e.ProviderID != "":
			theirs = append(theirs, e.ProviderID)
		}
	}
	rows, err := tx.Query(ctx, `select id::text, provider_id from messages where id in (
    select unnest($1::text[])::uuid union select id from messages where provider = $2 and provider_id = any($3) and provider_id <> '') order by id for update`, ids, provider, theirs)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	var id, its string
	_, err = pgx.ForEachRow(rows, []any{&id, &its}, func() error {
		known[id] = id
		if its != "" {
			known[its] = id
		}
		return nil
	})
	return known, err
}

// addEvents keeps those that are new and returns them, with our message IDs.
func addEvents(ctx context.Context, tx pgx.Tx, provider string, events []MessageEvent, at time.Time) ([]MessageEvent, error) {
	text, permanent, when := make([][]string, 6), []bool{}, []*time.Time{}
	by := map[string]MessageEvent{}
	for _, e := range events {
		if _, twice := by[e.EventID]; twice {
			continue
		}
		by[e.EventID] = e
		for i, v := range [...]string{e.EventID, e.MessageID, e.Kind, e.Reason, e.Code, e.ProviderID} {
			text[i] = append(text[i], v)
		}
		permanent, when = append(permanent, e.Permanent), append(when, orNil(e.At))
	}
	rows, err := tx.Query(ctx, `
insert into message_events (provider, event_id, message_id, kind, reason, code, provider_id, permanent, at, received_at)
select $1, event_id, message_id::uuid, kind, reason, code, provider_id, permanent, at, $10 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::timestamptz[])
    as t (event_id, message_id, kind, reason, code, provider_id, permanent, at) order by event_id collate "C"
on conflict (provider, event_id) do nothing returning event_id`, provider, text[0], text[1], text[2], text[3], text[4], text[5], permanent, when, at)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (MessageEvent, error) {
		var id string
		err := row.Scan(&id)
		return by[id], err
	})
}

func settleMessages(ctx context.Context, tx pgx.Tx, provider string, fresh []MessageEvent, at time.Time, settle func([]MessageEvent) (MessageStatus, string)) error {
	var ids []string
	theirs := map[string]string{}
	for _, e := range fresh {
		ids = append(ids, e.MessageID)
		theirs[e.MessageID] = cmp.Or(theirs[e.MessageID], e.ProviderID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rows, err := tx.Query(ctx, `select message_id::text, event_id, kind, permanent, reason, code, coalesce(at, '0001-01-01') from message_events
where message_id = any($1::text[]::uuid[]) order by message_id, event_id`, ids)
	if err != nil {
		return err
	}
	all := map[string][]MessageEvent{}
	var e MessageEvent
	if _, err := pgx.ForEachRow(rows, []any{&e.MessageID, &e.EventID, &e.Kind, &e.Permanent, &e.Reason, &e.Code, &e.At}, func() error {
		all[e.MessageID] = append(all[e.MessageID], e)
		return nil
	}); err != nil {
		return err
	}
	var settled, status, reason, provided []string
	for _, id := range ids {
		if st, why := settle(all[id]); st != "" {
			settled, status, reason, provided = append(settled, id), append(status, string(st)), append(reason, why), append(provided, theirs[id])
		}
	}
	// What the provider says of it stands above what we think of it. Its ID is taken
	// over where the answer was lost, unless another message has it.
	_, err = tx.Exec(ctx, `
with t as (select id::uuid, status, reason, provider_id from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (id, status, reason, provider_id)
), m as (
    update messages m set status = t.status, reason = t.reason, updated_at = $5, provider = $6,
        not_before = case when t.status <> 'failed' then 'infinity' when m.status = 'failed' then m.not_before else $5 end,
        provider_id = case when m.provider_id = '' and not exists (select from messages o where o.provider = $6 and o.provider_id = t.provider_id and o.provider_id <> '') then t.provider_id else m.provider_id end
    from t where m.id = t.id and (m.status, m.reason) is distinct from (t.status, t.reason) returning m.id
)
delete from kept_messages k using m where k.message_id = m.id and k.shelved_at is null`, settled, status, reason, provided, at, provider)
	return err
}

// hear writes down of which messages the provider has told, and finds those of which
// it told that two attempts were taken: they have two IDs of its. Each is found once.
func hear(ctx context.Context, tx pgx.Tx, fresh []MessageEvent, at time.Time) (twice int, err error) {
	var ids, first []string
	for _, e := range fresh {
		ids = append(ids, e.MessageID)
		if e.First {
			first = append(first, e.MessageID)
		}
	}
	if len(first) > 0 {
		if _, err := tx.Exec(ctx, `update messages set heard_at = $2 where id = any($1::text[]::uuid[]) and heard_at is null`, first, at); err != nil {
			return 0, err
		}
	}
	rows, err := tx.Query(ctx, `
update messages m set twice_at = $2 where id = any($1::text[]::uuid[]) and attempts > 1 and twice_at is null and 1 < (
    select count(distinct its) from (select provider_id from message_events where message_id = m.id union all select m.provider_id) t (its) where its <> '')
returning `+messageColumns, ids, at)
	if err != nil {
		return 0, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Message, error) { return scanMessage(row) })
	if err != nil {
		return 0, err
	}
	var faults []Fault
	for _, m := range list {
		faults = append(faults, Fault{Kind: ToldTwice, Key: m.ID, Title: "order " + m.Order + " was told twice: " + m.Kind + " by " + m.Channel,
			Sample: fmt.Sprintf("%s has two messages for one of ours, of which the last attempt was number %d at %s", m.Provider, m.Attempts, m.AttemptedAt.UTC().Format(time.RFC3339))})
	}
	return len(list), reportFaults(ctx, tx, faults, at)
}

// suppressBy does what events say of addresses, in the order in which they happened.
func suppressBy(ctx context.Context, tx pgx.Tx, fresh []MessageEvent, at time.Time) error {
	when := func(e MessageEvent) time.Time {
		if e.At.IsZero() {
			return at
		}
		return e.At
	}
	fresh = slices.DeleteFunc(fresh, func(e MessageEvent) bool { return !e.Permanent && !e.Lifts })
	slices.SortStableFunc(fresh, func(a, b MessageEvent) int {
		return cmp.Or(when(a).Compare(when(b)), cmp.Compare(a.EventID, b.EventID))
	})
	for _, e := range fresh {
		sql := `insert into suppressions as s (channel, recipient, reason, since) select channel, recipient, $2, $3 from messages where id = $1::text::uuid and recipient is not null` + onSuppressed
		args := []any{e.MessageID, cmp.Or(e.Reason, e.Kind), when(e)}
		if e.Lifts {
			sql = `update suppressions s set lifted_at = $2 from messages m where m.id = $1::text::uuid and s.channel = m.channel and s.recipient = m.recipient
                and s.lifted_at is null and s.since <= $2`
			args = []any{e.MessageID, when(e)}
		}
		if _, err := tx.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	return nil
}
