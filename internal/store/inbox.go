package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// intakeWriters and intakeBatch bound how much is taken in at once. Callers that
// arrive while a statement runs share the next one: under load a commit is shared by
// many webhooks, without load nobody waits. Two statements at a time cost PostgreSQL
// a third more for each fact than one of twice the size, so while one runs another
// begins only when much waits for it, or when it has been long.
const (
	intakeWriters = 3
	intakeBatch   = 2000
	intakeEnough  = 1000
	intakeWait    = 50 * time.Millisecond
	intakeBytes   = 8 << 20 // of raw bodies
)

// Event is the fact as the order will see it, but for its number.
func (f *Fact) Event(parcel string) order.Event {
	switch f.Kind {
	case KindScan:
		m := order.Meta{ID: f.EventID, By: order.Warehouse, Actor: f.Actor, Occurred: f.OccurredAt}
		return order.Scan{Meta: m, Parcel: parcel, Kind: order.ScanKind(f.Milestone), Location: f.Location, Carrier: f.Carrier, Tracking: f.Tracking}
	case KindCarrierEvent:
	}
	return f.carrierEvent(parcel)
}

func (f *Fact) carrierEvent(parcel string) order.CarrierEvent {
	e := order.CarrierEvent{Meta: order.Meta{ID: f.EventID, By: order.CarrierSays, Actor: f.Actor, Occurred: f.OccurredAt},
		Parcel: parcel, Milestone: order.Milestone(f.Milestone), Physical: f.Physical, Carrier: f.Carrier,
		Code: f.Code, Bucket: f.Bucket, Location: f.Location, Correction: f.Correction,
		Tracking: f.Tracking, Piece: f.Piece, Pieces: f.Pieces, Whole: f.Whole}
	if f.ETA != nil {
		e.ETA = *f.ETA
	}
	return e
}

type acceptance struct {
	facts   []Fact
	raw     *RawBody
	results []Result
	err     error
	done    chan struct{}
}

// Accept makes facts durable, each once, and says of each what became of it.
// It returns only after the commit.
func (s *Store) Accept(ctx context.Context, facts []Fact) ([]Result, error) {
	if len(facts) == 0 {
		return nil, nil
	}
	return s.accept(ctx, &acceptance{facts: facts, done: make(chan struct{})})
}

// AcceptBody is Accept for facts that were read from a body, which is kept with
// them in the same transaction. The same body of a source is kept once.
func (s *Store) AcceptBody(ctx context.Context, raw RawBody, facts []Fact) ([]Result, error) {
	return s.accept(ctx, &acceptance{facts: facts, raw: &raw, done: make(chan struct{})})
}

func (s *Store) accept(ctx context.Context, a *acceptance) ([]Result, error) {
	select {
	case s.intake <- a:
	case <-ctx.Done():
		return nil, fmt.Errorf("accept: %w", ctx.Err())
	}
	select {
	case <-a.done:
		return a.results, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("accept: %w", ctx.Err())
	}
}

// takeIn writes whatever waits, together.
func (s *Store) takeIn(ctx context.Context) {
	columns := newFactColumns() // kept, so that a busy intake allocates little
	for {
		batch, turn, err := s.gather(ctx)
		if err != nil {
			return
		}
		s.write(ctx, columns, batch)
		if turn {
			<-s.turn
		}
	}
}

// gather collects what one statement takes in: one writer after another, so that
// what waits is not divided among them. turn: it is to be given back.
func (s *Store) gather(ctx context.Context) (batch []*acceptance, turn bool, err error) {
	s.gathering.Lock()
	defer s.gathering.Unlock()
	facts, bytes := 0, 0
	add := func(a *acceptance) {
		batch = append(batch, a)
		n, size := a.size()
		facts, bytes = facts+n, bytes+size
	}
	select {
	case a := <-s.intake:
		add(a)
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	wait := time.NewTimer(intakeWait)
	defer wait.Stop()
	for !turn && facts < intakeEnough && bytes < intakeBytes/2 {
		select {
		case a := <-s.intake:
			add(a)
		case s.turn <- struct{}{}:
			turn = true
		case <-wait.C:
			return batch, false, nil
		}
	}
	for facts < intakeBatch && bytes < intakeBytes {
		select {
		case a := <-s.intake:
			add(a)
		default:
			return batch, turn, nil
		}
	}
	return batch, turn, nil
}

func (a *acceptance) size() (facts, bytes int) {
	if a.raw != nil {
		bytes = len(a.raw.Body)
	}
	return len(a.facts), bytes
}

func (s *Store) write(ctx context.Context, columns *factColumns, batch []*acceptance) {
	n := 0
	for _, a := range batch {
		n += len(a.facts)
	}
	all := make([]*Fact, 0, n)
	var raws []*RawBody
	for _, a := range batch {
		for i := range a.facts {
			all = append(all, &a.facts[i])
		}
		if a.raw != nil {
			raws = append(raws, a.raw)
		}
	}
	results, err := s.insert(ctx, columns, all, raws)
	if err != nil && len(batch) > 1 {
		// One caller's bad item must not fail the others.
		for _, a := range batch {
			s.write(ctx, columns, []*acceptance{a})
		}
		return
	}
	for _, a := range batch {
		if err == nil {
			a.results, results = results[:len(a.facts):len(a.facts)], results[len(a.facts):]
		}
		a.err = err
		close(a.done)
	}
}

// fits says that parcel q can be what item i is about: of its carrier, in its
// window (see [window]), and not under another ID of the carrier's own for the
// same number. It goes with the order of [newest].
const fits = `(i.carrier = '' or q.carrier = i.carrier) and q.ships_from <= i.occurred_at and q.ships_to >= i.occurred_at
            and (i.unique_id = '' or i.unique_id = coalesce((select b.unique_id from inbox b where b.order_id = q.order_id and b.parcel_id = q.id
                and b.tracking = i.tracking and b.piece = i.piece and b.unique_id <> '' limit 1), i.unique_id))`

// newest prefers the window that began last. Of an order's own parcels several may
// be as new as each other.
const newest = `order by q.ships_from desc, q.bound_at desc fetch first row with ties`

// The route of a fact is found in the same statement that inserts it: by order
// and parcel if it names them, else by the parcel that has the piece's own
// number, else by the one that has the shipment's, else by any that names it as
// its master. Each way is looked up for all facts that it is open to, and joined to
// them only where it found something: most of what looking up costs is carrying all
// columns of a fact through it.
const routeFacts = `
, route (k, rank, order_id, parcel_id, milestone, watched, ride_along, ships_from, bound_at, position) as materialized (
    select i.k, 1, ` + routed + ` from item i join parcels q on q.order_id = i.ref_order and q.id = i.ref_parcel where i.ref_order <> ''
    union all
    select i.k, 2, q.* from item i cross join lateral (select ` + routed + ` from parcels q
        where q.tracking <> '' and q.tracking = i.piece and ` + fits + ` ` + newest + `) q where i.ref_order = '' and i.piece <> '' and i.piece <> i.tracking
    union all
    select i.k, 3, q.* from item i cross join lateral (select ` + routed + ` from parcels q
        where q.tracking <> '' and q.tracking = i.tracking and ` + fits + ` ` + newest + `) q where i.ref_order = ''
    union all
    select i.k, 4, q.* from item i cross join lateral (select ` + routed + ` from parcels q
        where q.master <> '' and q.master = i.tracking and ` + fits + ` ` + newest + `) q where i.ref_order = '' and i.kind = 'carrier_event' and i.piece = ''
), best as (
    select distinct on (k) * from route order by k, rank, position
), routed as (
    select i.*, b.order_id, b.parcel_id, now() + case when i.ride = '*' or i.ride = b.milestone and not b.watched then coalesce(b.ride_along, '0') else '0' end as due_at
    from item i left join best b on b.k = i.k
)`

const routed = `q.order_id, q.id, q.milestone, q.watched, q.ride_along, q.ships_from, q.bound_at, q.position`

// insertItems inserts the facts of a query, each once, and says which are new and
// which of them have found their order. Rows go in by key, so that two writers
// cannot deadlock. Of two IDs for one number in the same batch, the later event's is
// believed. Looking for that costs, so it is done only where there are IDs.
func insertItems(items string, unique bool) string {
	ours := `true`
	if unique {
		ours = `unique_id = '' or unique_id = first_value(unique_id) over (partition by order_id, parcel_id, tracking, piece order by unique_id = '', occurred_at desc, unique_id desc)`
	}
	return `
with item as materialized (` + items + `)` + routeFacts + `
insert into inbox (source, event_id, kind, order_id, parcel_id, ref_order, ref_parcel, carrier, tracking, milestone, code, bucket,
    physical, correction, eta, occurred_at, local_time, utc_offset, time_basis, location, description, actor, piece, unique_id, delivered_to, pieces, whole, mapping, due_at)
select source, event_id, kind, case when ours then order_id end, case when ours then parcel_id end, ref_order, ref_parcel, carrier, tracking, milestone, code, bucket,
    physical, correction, nullif(eta, '-infinity'), occurred_at, local_time, utc_offset, time_basis, location, description, actor, piece, unique_id, delivered_to, pieces, whole,
    nullif(mapping, -1), due_at
from (select *, ` + ours + ` as ours from routed) r order by source collate "C", event_id collate "C"
on conflict (source, event_id) do nothing
returning source, event_id, order_id is not null`
}

var insertFacts, insertUnique = insertItems(factItems, false), insertItems(factItems, true)

type factKey struct{ source, id string }

// factColumns are a batch as insertFacts takes it.
type factColumns struct {
	columns []column
	args    []any
	first   map[factKey]int // where each stands first; the same again is a duplicate
}

func newFactColumns() *factColumns {
	c := &factColumns{columns: make([]column, len(factParameters)), first: map[factKey]int{}}
	for i := range c.columns {
		c.args = append(c.args, &c.columns[i])
	}
	return c
}

func (c *factColumns) reset() {
	for i := range c.columns {
		c.columns[i].reset(factParameters[i].name == wholeColumn)
	}
	clear(c.first)
}

func (c *factColumns) add(f *Fact) {
	for i := range c.columns {
		factParameters[i].put(&c.columns[i], f)
	}
}

// insert writes facts and bodies in one transaction and one round trip: a batch
// without explicit transactions is one.
func (s *Store) insert(ctx context.Context, c *factColumns, facts []*Fact, raws []*RawBody) ([]Result, error) {
	statement := insertFacts
	results := make([]Result, len(facts))
	var more []*Fact // those that need more than their row
	c.reset()
	for i, f := range facts {
		results[i] = Duplicate
		k := factKey{f.Source, f.EventID}
		if _, again := c.first[k]; !again {
			c.first[k] = i
			c.add(f)
			if f.UniqueID != "" {
				statement = insertUnique
			}
			if f.hasAside() {
				more = append(more, f)
			}
		}
	}
	told := func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			v := rows.RawValues()
			i, ok := c.first[factKey{string(v[0]), string(v[1])}]
			if !ok || len(v[2]) != 1 {
				return errors.New("the answer names a fact that was not sent")
			}
			results[i] = Orphan
			if v[2][0] != 0 {
				results[i] = Accepted
			}
		}
		return rows.Err()
	}
	var err error
	if len(raws)+len(more) == 0 {
		var rows pgx.Rows
		if rows, err = s.pool.Query(ctx, statement, c.args...); err == nil {
			err = told(rows)
		}
	} else {
		var batch pgx.Batch
		if len(facts) > 0 {
			batch.Queue(statement, c.args...).Query(told)
		}
		if len(raws) > 0 {
			batch.Queue(insertRaw, rawColumns(raws)...)
		}
		if err = queueAsides(&batch, more); err == nil {
			err = s.pool.SendBatch(ctx, &batch).Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("accept facts: %w", err)
	}
	return results, nil
}

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

// inOrder are the numbers of the facts that fit, locked one after another. Whatever
// changes several facts locks them in the order of their numbers, or waits for none
// ([Store.Reread]): so no two of them wait for each other.
func inOrder(where string) string {
	return `any(array(select n from inbox where ` + where + ` order by n for update))`
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
    select i.n, m.name from unnest($3::text[], $4::text[]) m (was, name) join inbox i on i.order_id = $1 and i.parcel_id = m.was order by i.n for update of i) o) q
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
update inbox set order_id = u.order_id, parcel_id = u.id, n = nextval('inbox_n'), due_at = now()
from (select i.n, t.order_id, t.id from unnest($1::bigint[], $2::text[], $3::text[]) as t (n, order_id, id) join inbox i on i.n = t.n
    where i.order_id is null order by i.n for update of i) u where inbox.n = u.n`

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
