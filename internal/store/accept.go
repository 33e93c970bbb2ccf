package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// intakeWriters and intakeBatch bound how much is taken in at once. Callers that
// arrive while a statement runs share the next one: under load a commit is shared by
// many webhooks, without load nobody waits. Two statements at a time cost PostgreSQL
// a quarter more for each fact than one of twice the size, so while one runs another
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

// fits says that parcel q can be what item i is about: of its carrier and store, in
// its window (see [window]), and not under another ID of the carrier's own for the
// same number. It goes with the order of [newest].
const fits = `(i.carrier = '' or q.carrier = i.carrier) and (i.only_store = '' or starts_with(q.order_id, i.only_store || ':')) and q.ships_from <= i.occurred_at and q.ships_to >= i.occurred_at
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
insert into inbox (source, event_id, kind, order_id, parcel_id, ref_order, ref_parcel, only_store, carrier, tracking, milestone, code, bucket,
    physical, correction, eta, occurred_at, local_time, utc_offset, time_basis, location, description, actor, piece, unique_id, delivered_to, pieces, whole, mapping, due_at)
select source, event_id, kind, case when ours then order_id end, case when ours then parcel_id end, ref_order, ref_parcel, only_store, carrier, tracking, milestone, code, bucket,
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
