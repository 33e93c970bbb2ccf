package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Witness is a message that the provider answered for, so that it tells of it.
type Witness struct {
	Attempted time.Time
	Heard     time.Time // zero: it has not told of it yet
}

// Witnesses are what is known around one attempt, from the same stream of events.
type Witnesses struct {
	Told bool // of the message itself
	// Before and After are the nearest by the time of their attempt, the nearest first.
	Before, After []Witness
	// Silent: of one in the span that was asked about it was not told yet.
	Silent bool
	// FirstHeard and LastHeard are when anything was first and last told, of any
	// message, since the moment that was asked about; zero: nothing was.
	FirstHeard, LastHeard time.Time
}

// Witnesses reads up to nearest messages before a message's last attempt and as many
// after it, whether any that was attempted between from and to is silent, and what was
// heard since.
func (s *Store) Witnesses(ctx context.Context, m Message, nearest int, from, to, since time.Time) (w Witnesses, err error) {
	rows, err := s.pool.Query(ctx, witnesses, m.ID, m.Stream, m.AttemptedAt, nearest, from, to, since)
	if err != nil {
		return w, fmt.Errorf("message %s: witnesses: %w", m.ID, err)
	}
	var what string
	var a, b *time.Time
	if _, err := pgx.ForEachRow(rows, []any{&what, &a, &b}, func() error {
		x := Witness{orZero(a), orZero(b)}
		switch what {
		case "before":
			w.Before = append(w.Before, x)
		case "after":
			w.After = append(w.After, x)
		case "silent":
			w.Silent = true
		case "told":
			w.Told = true
		case "heard":
			w.FirstHeard, w.LastHeard = orZero(a), orZero(b)
		}
		return nil
	}); err != nil {
		return w, fmt.Errorf("message %s: witnesses: %w", m.ID, err)
	}
	return w, nil
}

const witnesses = `
(select 'before', attempted_at, heard_at from messages where stream = $2 and stream <> '' and answered_at is not null and attempted_at <= $3 order by attempted_at desc limit $4)
union all
(select 'after', attempted_at, heard_at from messages where stream = $2 and stream <> '' and answered_at is not null and attempted_at > $3 order by attempted_at limit $4)
union all
(select 'silent', attempted_at, heard_at from messages where stream = $2 and stream <> '' and answered_at is not null and heard_at is null and attempted_at between $5 and $6 limit 1)
union all
(select 'told', received_at, received_at from message_events where message_id = $1::text::uuid limit 1)
union all
(select 'heard', min(heard_at), max(heard_at) from messages where stream = $2 and stream <> '' and heard_at >= $7)`
