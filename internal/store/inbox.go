package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// Due is what one order must be told now: everything that waits for it.
type Due struct {
	OrderID string
	Closed  bool // its read model says that it had ended
	Facts   []Numbered
}

// Numbered is a fact with its inbox number.
type Numbered struct {
	N          int64
	Parcel     string
	ReceivedAt time.Time
	Fact
}

// DueFacts returns, for up to limit orders that must be told something, all that
// waits for them, including what could have waited longer.
func (s *Store) DueFacts(ctx context.Context, limit int, except []string) ([]Due, error) {
	rows, err := s.pool.Query(ctx, `
with ready as (
    select distinct d.order_id from (
        select order_id from inbox where sent_at is null and order_id is not null and due_at <= now() and order_id <> all($2)
        order by due_at limit 10 * $1) d
    limit $1
)
select o.id, o.closed, i.n, i.parcel_id, i.received_at, i.source, i.event_id, i.kind, i.carrier, i.tracking, i.milestone, i.code, i.bucket,
    i.physical, i.correction, i.eta, i.occurred_at, i.location, i.actor, i.piece, i.pieces, i.whole
from ready r join orders o on o.id = r.order_id and o.started_at is not null
    join inbox i on i.order_id = o.id and i.sent_at is null
order by o.id, i.n`, limit, except)
	if err != nil {
		return nil, fmt.Errorf("due facts: %w", err)
	}
	var due []Due
	var id string
	var closed bool
	var f Numbered
	_, err = pgx.ForEachRow(rows, []any{&id, &closed, &f.N, &f.Parcel, &f.ReceivedAt, &f.Source, &f.EventID, &f.Kind, &f.Carrier, &f.Tracking,
		&f.Milestone, &f.Code, &f.Bucket, &f.Physical, &f.Correction, &f.ETA, &f.OccurredAt, &f.Location, &f.Actor, &f.Piece, &f.Pieces, &f.Whole}, func() error {
		if len(due) == 0 || due[len(due)-1].OrderID != id {
			due = append(due, Due{OrderID: id, Closed: closed})
		}
		last := &due[len(due)-1]
		last.Facts = append(last.Facts, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("due facts: %w", err)
	}
	return due, nil
}

// byKey is the one order in which facts are locked by whatever changes several of
// them, unless it waits for none ([Store.Reread]): so no two of them wait for each
// other. Their numbers would not do. A number changes, and who waits for a row locks
// it under its new number, at the place of the old one.
const byKey = `order by i.source collate "C", i.event_id collate "C" for update of i`

// inOrder are the numbers of the facts that fit, locked one after another.
func inOrder(where string) string {
	return `any(array(select i.n from inbox i where ` + where + ` ` + byKey + `))`
}

var markSent = `update inbox set sent_at = now(), outcome = $2 where n = ` + inOrder(`n = any($1)`)

// MarkSent notes that facts have reached their orders, or came too late.
func (s *Store) MarkSent(ctx context.Context, ns []int64, outcome string) error {
	if len(ns) == 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, markSent, ns, outcome); err != nil {
		return fmt.Errorf("mark sent: %w", err)
	}
	return nil
}

// MoveFacts gives what was said of parcels to another order, which took them over.
// A new number puts it behind what that order has seen, and it is told all of it.
// Again it moves what came since.
func (s *Store) MoveFacts(ctx context.Context, from, into string, parcels []order.Moved) error {
	was, as := make([]string, len(parcels)), make([]string, len(parcels))
	for i, p := range parcels {
		was[i], as[i] = p.Parcel, p.As
	}
	_, err := s.pool.Exec(ctx, `
update inbox set order_id = $2, parcel_id = q.name, n = q.fresh, due_at = now(), sent_at = null, outcome = ''
from (select o.n as old, o.name, nextval('inbox_n') as fresh from (
    select i.n, m.name from unnest($3::text[], $4::text[]) m (was, name) join inbox i on i.order_id = $1 and i.parcel_id = m.was `+byKey+`) o order by o.n) q
where inbox.n = q.old`, from, into, was, as)
	if err != nil {
		return fmt.Errorf("move facts of %s: %w", from, err)
	}
	return nil
}

// AttachOrphans gives orphans to parcels that appeared or got their tracking
// number since then, by the rules of [routeFacts]. A new number puts them behind
// what the order has seen. Each such parcel is looked up by itself (offset 0 sees
// to it): a join would walk all orphans, and there may be many.
//
// Mostly there are none, so looking is a statement of its own: joined with the
// update it was planned once, while the tables were empty, and then read all
// orphans at each look.
func (s *Store) AttachOrphans(ctx context.Context, since time.Time) (int64, error) {
	rows, err := s.pool.Query(ctx, findOrphans, since)
	if err != nil {
		return 0, fmt.Errorf("find orphans: %w", err)
	}
	var ns []int64
	var orders, parcels []string
	var n int64
	var orderID, parcel string
	if _, err := pgx.ForEachRow(rows, []any{&n, &orderID, &parcel}, func() error {
		ns, orders, parcels = append(ns, n), append(orders, orderID), append(parcels, parcel)
		return nil
	}); err != nil {
		return 0, fmt.Errorf("find orphans: %w", err)
	}
	if len(ns) == 0 {
		return 0, nil
	}
	tag, err := s.pool.Exec(ctx, attachOrphans, ns, orders, parcels)
	if err != nil {
		return 0, fmt.Errorf("attach orphans: %w", err)
	}
	return tag.RowsAffected(), nil
}

const attachOrphans = `
update inbox set order_id = u.order_id, parcel_id = u.id, n = u.fresh, due_at = now()
from (select o.*, nextval('inbox_n') as fresh from (
    select i.n, t.order_id, t.id from unnest($1::bigint[], $2::text[], $3::text[]) as t (n, order_id, id) join inbox i on i.n = t.n
    where i.order_id is null ` + byKey + `) o order by o.n) u
where inbox.n = u.n`

const findOrphans = `
with hit as (
    select i.*, q.order_id, q.id, q.position, q.ships_from, q.bound_at from (select * from parcels where bound_at >= $1) q, lateral (
        (select n, 1 as rank, tracking, piece, unique_id, occurred_at from inbox i where order_id is null and ref_order = ''
            and piece <> '' and piece <> tracking and piece = q.tracking and ` + fits + ` offset 0)
        union all
        (select n, 2, tracking, piece, unique_id, occurred_at from inbox i where order_id is null and ref_order = ''
            and tracking = q.tracking and ` + fits + ` offset 0)
        union all
        (select n, 3, tracking, piece, unique_id, occurred_at from inbox i where order_id is null and ref_order = ''
            and kind = 'carrier_event' and piece = '' and q.master <> '' and tracking = q.master and ` + fits + ` offset 0)) i
    where q.tracking <> '' or q.master <> ''
    union all
    select i.n, 0, '', '', '', i.occurred_at, f.order_id, f.id, f.position, f.ships_from, f.bound_at from parcels f, lateral (select n, occurred_at from inbox where order_id is null and ref_order <> ''
        and ref_order = f.order_id and ref_parcel = f.id offset 0) i where f.bound_at >= $1
),
nearest as (select distinct on (n) * from hit order by n, rank, ships_from desc, bound_at desc, position),
best as (
    select n, order_id, id, unique_id = '' or unique_id = first_value(unique_id) over
        (partition by order_id, id, tracking, piece order by unique_id = '', occurred_at desc, unique_id desc) as ours from nearest
)
select n, order_id, id from best where ours`

var wake = `
with woken as (update inbox set due_at = now() where n = ` + inOrder(`order_id = $1 and sent_at is null and due_at > now()`) + `)
select max(occurred_at) from inbox where order_id = $1 and parcel_id = $2 and physical and kind = 'carrier_event'`

// Wake lets everything that rides along for an order go now, and returns the
// parcel's latest physical carrier event in the inbox: what a carrier check
// reads before it asks anybody.
func (s *Store) Wake(ctx context.Context, orderID, parcel string) (time.Time, error) {
	var last *time.Time
	err := s.pool.QueryRow(ctx, wake, orderID, parcel).Scan(&last)
	if err != nil {
		return time.Time{}, fmt.Errorf("wake %s: %w", orderID, err)
	}
	if last == nil {
		return time.Time{}, nil
	}
	return *last, nil
}

// InboxStats is what waits, for metrics.
type InboxStats struct {
	Unsent, Orphans int64
	OldestDue       time.Duration
}

// Inbox counts what waits to be told and what has no order yet.
func (s *Store) Inbox(ctx context.Context) (st InboxStats, err error) {
	var seconds float64
	err = s.pool.QueryRow(ctx, `select
    (select count(*) from inbox where sent_at is null and order_id is not null),
    (select count(*) from inbox where order_id is null and ref_order = '') + (select count(*) from inbox where order_id is null and ref_order <> ''),
    coalesce((select extract(epoch from now() - min(due_at)) from inbox where sent_at is null and order_id is not null), 0)`).Scan(&st.Unsent, &st.Orphans, &seconds)
	st.OldestDue = time.Duration(max(0, seconds) * float64(time.Second))
	if err != nil {
		return st, fmt.Errorf("inbox stats: %w", err)
	}
	return st, nil
}

// Timeline tells an order's story, oldest first: facts as they came in, and what
// the order made of them. Of more than limit entries it tells the newest.
func (s *Store) Timeline(ctx context.Context, orderID string, limit int) ([]Entry, error) {
	return s.entries(ctx, orderID, limit, `
    select occurred_at, source, kind, coalesce(parcel_id, ''), milestone, '', code, bucket, location, description, local_time, utc_offset, time_basis,
        received_at, actor, event_id, case when outcome <> '' then outcome when sent_at is null and due_at > now() then 'riding along' else '' end, n, case when piece <> tracking then piece else '' end, delivered_to, aside
    from inbox where order_id = $1
    union all
    select at, 'order', type, parcel, milestone, case_kind, '', '', '', body, '', '', '', recorded_at, actor, cause, '', id, '', '', null
    from happenings where order_id = $1`)
}

// Moments is the part of the timeline that a buyer's page is made of: the facts,
// the corrections of milestones and what of a parcel has arrived. What is never shown there is not read.
func (s *Store) Moments(ctx context.Context, orderID string, limit int) ([]Entry, error) {
	return s.entries(ctx, orderID, limit, `
    select occurred_at, source, kind, coalesce(parcel_id, ''), milestone, '', '', bucket, location, '', local_time, utc_offset, time_basis, received_at, '', '', '', n, case when piece <> tracking then piece else '' end, delivered_to, aside
    from inbox where order_id = $1
    union all
    select at, 'order', type, parcel, milestone, '', '', '', '', case type when '`+string(order.PiecesDelivered)+`' then body else '' end, '', '', '', recorded_at, '', '', '', id, '', '', null
    from happenings where order_id = $1 and type in ('`+string(order.MilestoneUndone)+`', '`+string(order.PiecesDelivered)+`')`)
}

// entries reads what a query of 21 columns finds, the newest limit of it. The
// first column is when it happened, the 14th when it was received, the 18th what
// orders those that are alike.
func (s *Store) entries(ctx context.Context, orderID string, limit int, query string) ([]Entry, error) {
	rows, err := s.pool.Query(ctx, query+` order by 1 desc, 14 desc, 18 desc limit $2`, orderID, limit)
	if err != nil {
		return nil, fmt.Errorf("timeline %s: %w", orderID, err)
	}
	entries := []Entry{}
	var e Entry
	var tie int64
	var aside *Aside
	_, err = pgx.ForEachRow(rows, []any{&e.At, &e.Source, &e.Kind, &e.Parcel, &e.Milestone, &e.Case, &e.Code, &e.Bucket, &e.Location, &e.Description, &e.LocalTime,
		&e.UTCOffset, &e.TimeBasis, &e.ReceivedAt, &e.Actor, &e.EventID, &e.Note, &tie, &e.Piece, &e.DeliveredTo, &aside}, func() error {
		e.Appointment, e.Held = nil, ""
		if aside != nil {
			e.Appointment, e.Held = aside.Appointment, aside.Held
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("timeline %s: %w", orderID, err)
	}
	slices.Reverse(entries)
	return entries, nil
}

// carriersOf lists the carriers of an order's parcels, sorted, each once.
func carriersOf(s *order.State) []string {
	cs := []string{}
	for i := range s.Parcels {
		if c := strings.TrimSpace(s.Parcels[i].Carrier); c != "" && !slices.Contains(cs, c) {
			cs = append(cs, c)
		}
	}
	slices.Sort(cs)
	return cs
}
