package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/feed"
)

// underway are the parcels that a carrier should know and that need something
// yet, as the index parcels_underway has them: with a label, and not settled.
const underway = `p.tracking <> '' and p.milestone not in ('expected', 'picked', 'packed', 'cancelled', 'lost', 'delivered', 'returned', 'destroyed')`

// feedParcels are the numbers of a feed ($1 source, $2 carrier, $3 aggregates):
// those of its carrier, or those that an aggregator has spoken of.
const feedParcels = `
mine as (
    select p.order_id, p.tracking, p.bound_at from parcels p where not $3 and p.carrier = $2 and ` + underway + `
    union all
    select p.order_id, p.tracking, p.bound_at from feed_numbers f join parcels p on p.tracking = f.tracking where $3 and f.source = $1 and ` + underway + `
), numbered as (
    select m.*, f.heard_at, f.asked_at, f.subscribed_at, f.subscribed_until, f.refused_at, greatest(f.heard_at, f.asked_at, m.bound_at) as known_at
    from mine m left join feed_numbers f on f.source = $1 and f.tracking = m.tracking
)`

// rollupLag is how old a fact must be to be counted: longer than the longest
// statement, so that no older one can still commit.
const rollupLag = 30 * time.Second

// RollUpFeeds counts what was received since the last time, up to a whole minute
// some time ago, and returns that minute. Each fact is read once or twice, by its
// number. Callers at the same time wait for each other and count nothing twice.
func (s *Store) RollUpFeeds(ctx context.Context) (upto time.Time, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// After days without a look there is much to read.
		if _, err := tx.Exec(ctx, `set local statement_timeout = '2min'`); err != nil {
			return err
		}
		var from, cut, lookedAt time.Time
		var n, lookedN int64
		if err := tx.QueryRow(ctx, `select upto, n, looked_n, looked_at, date_trunc('minute', now() - $1::interval) from feed_rollup for update`, rollupLag).
			Scan(&from, &n, &lookedN, &lookedAt, &cut); err != nil {
			return err
		}
		if upto = from; !cut.After(from) {
			return nil
		}
		if _, err := tx.Exec(ctx, `
with fresh as (
    select source, tracking, received_at, actor not in ('poll', 'file') as pushed from inbox
    where n > $1 and received_at >= $2 and received_at < $3 and source like 'carrier:%'
), hours as (
    insert into feed_hours (source, hour, events, minutes, last_at)
    select source, date_trunc('hour', received_at), count(*), count(distinct date_trunc('minute', received_at)), max(received_at) from fresh where pushed group by 1, 2
    on conflict (source, hour) do update set events = feed_hours.events + excluded.events, minutes = feed_hours.minutes + excluded.minutes,
        last_at = greatest(feed_hours.last_at, excluded.last_at)
)
insert into feed_numbers (source, tracking, heard_at) select source, tracking, max(received_at) from fresh where tracking <> '' group by 1, 2 order by 1, 2
on conflict (source, tracking) do update set heard_at = greatest(feed_numbers.heard_at, excluded.heard_at)`, n, from, cut); err != nil {
			return err
		}
		// What is received after a look has a higher number than any at the look.
		// So a look's number serves once everything before it is counted.
		if !lookedAt.After(cut) {
			n = lookedN
			if err := tx.QueryRow(ctx, `select case when is_called then last_value else last_value - 1 end from inbox_n`).Scan(&lookedN); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, `select clock_timestamp()`).Scan(&lookedAt); err != nil {
				return err
			}
		}
		upto = cut
		_, err := tx.Exec(ctx, `update feed_rollup set upto = $1, n = $2, looked_n = $3, looked_at = $4`, cut, n, lookedN, lookedAt)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("roll up feeds: %w", err)
	}
	return upto, nil
}

// FeedHours are the hours of a source from which its rhythm is learned, in order
// of time: those before its last push, and what came since an hour ago.
func (s *Store) FeedHours(ctx context.Context, source string) ([]feed.Hour, error) {
	rows, err := s.pool.Query(ctx, `
select hour, events, minutes, last_at from feed_hours
where source = $1 and hour >= (select hour from feed_hours where source = $1 order by hour desc limit 1) - $2::interval order by hour`, source, feed.Memory+time.Hour)
	if err != nil {
		return nil, fmt.Errorf("hours of %s: %w", source, err)
	}
	hours, err := pgx.CollectRows(rows, pgx.RowToStructByPos[feed.Hour])
	if err != nil {
		return nil, fmt.Errorf("hours of %s: %w", source, err)
	}
	return hours, nil
}

// PushedSince counts what a source pushed from a time up to the last roll-up.
func (s *Store) PushedSince(ctx context.Context, source string, since time.Time) (n int, err error) {
	// The share of the hour in which it begins is taken as even.
	err = s.pool.QueryRow(ctx, `
select coalesce(round(sum(case when hour < $2 then events * extract(epoch from hour + interval '1 hour' - $2) / 3600 else events end)), 0)::int
from feed_hours where source = $1 and hour > $2::timestamptz - interval '1 hour'`, source, since).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("pushed by %s: %w", source, err)
	}
	return n, nil
}

// FeedCounts counts a feed's parcels; missed is since when those not asked for
// count as missed, zero for none.
func (s *Store) FeedCounts(ctx context.Context, f feed.Settings, now, missed time.Time) (c feed.Counts, err error) {
	err = s.pool.QueryRow(ctx, `with `+feedParcels+`
select count(*), count(*) filter (where known_at < $4::timestamptz), count(*) filter (where known_at < $5::timestamptz),
    count(*) filter (where bound_at < $6::timestamptz and (asked_at is null or asked_at < $6::timestamptz))
from numbered`, f.Source(), f.Carrier, f.Aggregates, now.Add(-feed.AskPushed), now.Add(-feed.AskUnpushed), orNil(missed)).
		Scan(&c.Open, &c.UnheardDay, &c.UnheardHours, &c.Missed)
	if err != nil {
		return c, fmt.Errorf("parcels of feed %s: %w", f.Name, err)
	}
	return c, nil
}

// ParcelsToAsk are up to limit parcels with the nearest deadlines and up to limit
// that were longest unheard of, of those that a poll is for. What was subscribed
// to and never asked for is one of them: carriers push no history.
func (s *Store) ParcelsToAsk(ctx context.Context, f feed.Settings, p feed.Poll, limit int) ([]feed.Parcel, error) {
	rows, err := s.pool.Query(ctx, `with `+feedParcels+`, wanted as (
    select tracking, min(coalesce(o.next_until, 'infinity')) as deadline, min(known_at) as known_at
    from numbered n join orders o on o.id = n.order_id
    where known_at < $4 or subscribed_at is not null and asked_at is null or bound_at < $5::timestamptz and (asked_at is null or asked_at < $5::timestamptz)
    group by tracking
)
select tracking, nullif(deadline, 'infinity'), known_at from (
    (select * from wanted order by deadline, known_at limit $6) union (select * from wanted order by known_at limit $6)) w order by tracking`,
		f.Source(), f.Carrier, f.Aggregates, p.HeardBefore, orNil(p.AskedBefore), limit)
	if err != nil {
		return nil, fmt.Errorf("parcels to ask %s for: %w", f.Name, err)
	}
	var list []feed.Parcel
	var x feed.Parcel
	var deadline *time.Time
	if _, err = pgx.ForEachRow(rows, []any{&x.Tracking, &deadline, &x.Heard}, func() error {
		if x.Deadline = (time.Time{}); deadline != nil {
			x.Deadline = *deadline
		}
		list = append(list, x)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("parcels to ask %s for: %w", f.Name, err)
	}
	return list, nil
}

// Asked notes that a feed was asked for numbers.
func (s *Store) Asked(ctx context.Context, f feed.Settings, numbers []string, at time.Time) error {
	if _, err := s.pool.Exec(ctx, `
insert into feed_numbers (source, tracking, asked_at) select $1, t, $3 from unnest($2::text[]) as t group by t order by t
on conflict (source, tracking) do update set asked_at = greatest(feed_numbers.asked_at, excluded.asked_at)`, f.Source(), numbers, at); err != nil {
		return fmt.Errorf("note what %s was asked for: %w", f.Name, err)
	}
	return nil
}

// Subscriptions are up to limit subscriptions of a feed's parcels that could be
// due, by the latest of them that the terms allow; feed.Due decides. The ones that
// end first come first, and before them what has none.
func (s *Store) Subscriptions(ctx context.Context, f feed.Settings, now time.Time, limit int) ([]feed.Subscription, error) {
	t := feed.TermsOf(f.Carrier)
	idle := any(nil)
	if t.Idle > 0 {
		idle = now.Add(2*t.Margin - t.Idle)
	}
	rows, err := s.pool.Query(ctx, `with `+feedParcels+`
select tracking, max(subscribed_at), max(subscribed_until), max(heard_at), max(refused_at), min(bound_at) from numbered
where subscribed_at is null or subscribed_until < $4::timestamptz or greatest(subscribed_at, heard_at) < $5::timestamptz
group by tracking order by max(subscribed_until) nulls first, tracking limit $6`,
		f.Source(), f.Carrier, f.Aggregates, now.Add(2*t.Margin), idle, limit)
	if err != nil {
		return nil, fmt.Errorf("subscriptions of %s: %w", f.Name, err)
	}
	var list []feed.Subscription
	var number string
	var at, until, heard, refused *time.Time
	var bound time.Time
	zero := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	if _, err = pgx.ForEachRow(rows, []any{&number, &at, &until, &heard, &refused, &bound}, func() error {
		list = append(list, feed.Subscription{Tracking: number, At: zero(at), Until: zero(until), Heard: zero(heard), Refused: zero(refused), BoundAt: bound})
		return nil
	}); err != nil {
		return nil, fmt.Errorf("subscriptions of %s: %w", f.Name, err)
	}
	return list, nil
}

// Subscribed notes subscriptions that were made, until when; zero: they do not
// end by themselves.
func (s *Store) Subscribed(ctx context.Context, f feed.Settings, numbers []string, at, until time.Time) error {
	if _, err := s.pool.Exec(ctx, `
insert into feed_numbers (source, tracking, subscribed_at, subscribed_until) select $1, t, $3, $4 from unnest($2::text[]) as t group by t order by t
on conflict (source, tracking) do update set subscribed_at = excluded.subscribed_at, subscribed_until = excluded.subscribed_until`,
		f.Source(), numbers, at, orNil(until)); err != nil {
		return fmt.Errorf("note subscriptions of %s: %w", f.Name, err)
	}
	return nil
}

// Refused notes subscriptions that the carrier would not make.
func (s *Store) Refused(ctx context.Context, f feed.Settings, numbers []string, at time.Time) error {
	if _, err := s.pool.Exec(ctx, `
insert into feed_numbers (source, tracking, refused_at) select $1, t, $3 from unnest($2::text[]) as t group by t order by t
on conflict (source, tracking) do update set refused_at = excluded.refused_at`, f.Source(), numbers, at); err != nil {
		return fmt.Errorf("note refusals of %s: %w", f.Name, err)
	}
	return nil
}

// SilentSince is since when a carrier's feed is known to be silent; zero: it is
// not, or nobody knows.
func (s *Store) SilentSince(ctx context.Context, carrier string) (time.Time, error) {
	var at time.Time
	err := s.pool.QueryRow(ctx, `select opened_at from faults where kind = $1 and key = $2 and closed_at is null`, SilentFeed, carrier).Scan(&at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, fmt.Errorf("silence of %s: %w", carrier, err)
	}
	return at, nil
}

// ReportFeed opens the feed's fault, or closes it.
func (s *Store) ReportFeed(ctx context.Context, r feed.Report, at time.Time) error {
	if r.Open {
		return s.ReportFaults(ctx, []Fault{{Kind: SilentFeed, Key: r.Carrier, Title: r.Title, Sample: r.Text}}, at)
	}
	_, err := s.CloseFault(ctx, SilentFeed, r.Carrier, byEngine, r.Text, at)
	return err
}
