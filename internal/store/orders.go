package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// CreateOrder writes the order, its buyer and its parcels in one transaction. A
// retry of the same request changes nothing and returns created = false. The
// workflow is started by the relay from this row, so that a crash after the
// commit ends with exactly one order all the same.
func (s *Store) CreateOrder(ctx context.Context, o NewOrder) (created bool, err error) {
	spec, err := json.Marshal(o.Spec)
	if err != nil {
		return false, fmt.Errorf("create order: %w", err)
	}
	first := order.New(o.Spec, order.CurrentRules, o.Spec.PlacedAt)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at, promised_at, parcels, carriers, replaces)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, nullif($13, '')) on conflict do nothing`,
			o.Spec.ID, o.Spec.Store, o.Spec.Number, spec, o.RequestHash, o.TokenHash, o.Spec.CustomerRef, o.Spec.Class, o.Spec.PlacedAt,
			orNil(o.Spec.PromisedAt), len(first.Parcels), carriersOf(&first), o.Spec.Replaces)
		if err != nil {
			return err
		}
		if created = tag.RowsAffected() == 1; !created {
			var hash []byte
			if err := tx.QueryRow(ctx, `select request_hash from orders where id = $1`, o.Spec.ID).Scan(&hash); err != nil {
				return err
			}
			if !bytes.Equal(hash, o.RequestHash) {
				return ErrConflict
			}
			return nil
		}
		address, err := json.Marshal(o.Address)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(`insert into contacts (order_id, name, email, phone, language) values ($1, $2, $3, $4, $5)`, o.Spec.ID, o.Contact.Name, o.Contact.Email, o.Contact.Phone, o.Contact.Language)
		b.Queue(`insert into addresses (order_id, version, body) values ($1, 0, $2)`, o.Spec.ID, address)
		p := parcelRows(&first)
		b.Queue(putParcels, append([]any{o.Spec.ID}, p...)...)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return false, fmt.Errorf("create order %s: %w", o.Spec.ID, err)
	}
	return created, nil
}

const unnestParcels = `unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::bool[], $11::interval[],
    $12::text[], $13::timestamptz[], $14::timestamptz[]) as u (id, position, carrier, service, tracking, milestone, since, eta, watched, ride_along, master, ships_from, ships_to)`

const parcelColumns = `order_id, id, position, carrier, service, tracking, milestone, since, eta, watched, ride_along, master, ships_from, ships_to`

const onParcel = ` on conflict (order_id, id) do update set carrier = excluded.carrier, service = excluded.service, tracking = excluded.tracking,
    milestone = excluded.milestone, since = excluded.since, eta = excluded.eta, watched = excluded.watched, master = excluded.master,
    ships_from = excluded.ships_from, ships_to = excluded.ships_to,
    bound_at = case when (parcels.tracking, parcels.carrier, parcels.master) = (excluded.tracking, excluded.carrier, excluded.master) then parcels.bound_at else now() end
    where (parcels.carrier, parcels.service, parcels.tracking, parcels.milestone, parcels.since, parcels.eta, parcels.watched, parcels.master, parcels.ships_from, parcels.ships_to)
        is distinct from (excluded.carrier, excluded.service, excluded.tracking, excluded.milestone, excluded.since, excluded.eta, excluded.watched, excluded.master, excluded.ships_from, excluded.ships_to)`

// A carrier uses its numbers again, so an event is about a parcel only within the
// parcel's window. It begins a little before we learnt the number: carriers scan
// before shops tell us, but rarely by more than a long weekend and a backlog. It
// closes some time after a parcel of a closed order ended: claims and returns take
// weeks, and numbers rest longer than that before they come again (EasyPost takes
// one for the same parcel for 3 months, UPS answers for it for 120 days).
const (
	beforeBound = 10 * 24 * time.Hour
	afterEnd    = 60 * 24 * time.Hour
)

// window is when what a carrier says of the parcel's number can be about it.
// An open end is never.
func window(s *order.State, p *order.Parcel) (from, to time.Time) {
	from, to = s.Spec.PlacedAt, never
	if !p.LabelAt.IsZero() {
		from = p.LabelAt
	}
	if s.Closed && p.Milestone.Settled() {
		to = p.Since.Add(afterEnd)
		if p.LastMovement.After(p.Since) {
			to = p.LastMovement.Add(afterEnd)
		}
	}
	return from.Add(-beforeBound), to
}

const putParcels = `insert into parcels (` + parcelColumns + `)
    select $1, u.* from ` + unnestParcels + onParcel

// parcelRows are the columns for unnestParcels.
func parcelRows(s *order.State) []any {
	n := len(s.Parcels)
	id, position := make([]string, n), make([]int32, n)
	carrier, service, tracking, milestone := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	since, eta, watched, ride := make([]time.Time, n), make([]*time.Time, n), make([]bool, n), make([]time.Duration, n)
	master, from, to := make([]string, n), make([]time.Time, n), make([]time.Time, n)
	for i := range s.Parcels {
		p := &s.Parcels[i]
		id[i], position[i], carrier[i], service[i], tracking[i] = p.ID, int32(i), p.Carrier, p.Service, p.Tracking
		milestone[i], since[i], eta[i], ride[i] = string(p.Milestone), p.Since, orNil(p.ETA), time.Duration(s.Spec.Policy.RideAlong)
		master[i] = p.Master
		from[i], to[i] = window(s, p)
		watched[i] = p.Check != "" || slices.ContainsFunc(s.Cases, func(c order.Case) bool { return c.Parcel == p.ID })
	}
	return []any{id, position, carrier, service, tracking, milestone, since, eta, watched, ride, master, from, to}
}

// Project writes the read model of an order and the happenings that it told, in
// one statement. It never goes backwards: an older state changes nothing.
//
// A worker may die after it wrote here and before Temporal heard of it. The
// order then does that step again, at a later time and perhaps with more facts:
// the same sequence numbers, another story. So the later clock counts first, and
// what the forgotten attempt told is taken back.
func (s *Store) Project(ctx context.Context, st *order.State) error {
	keep := *st
	keep.Told = nil // written as rows of their own
	state, err := json.Marshal(&keep)
	if err != nil {
		return fmt.Errorf("project %s: %w", st.Spec.ID, err)
	}
	cases := []string{}
	for _, c := range st.Cases {
		if !slices.Contains(cases, string(c.Kind)) {
			cases = append(cases, string(c.Kind))
		}
	}
	next, _ := order.NextDeadline(st)
	n := len(st.Told)
	text := make([][]string, 7)
	for i := range text {
		text[i] = make([]string, n)
	}
	seq, num, at := make([]int64, n), make([]int32, n), make([]time.Time, n)
	for i, h := range st.Told {
		seq[i], num[i], at[i] = h.Seq, int32(h.N), h.At
		for j, v := range [...]string{string(h.Type), h.Parcel, string(h.Milestone), string(h.Case), h.Text, h.Actor, h.Cause} {
			text[j][i] = v
		}
	}
	args := append([]any{st.Spec.ID}, parcelRows(st)...)
	args = append(args, st.Seq, st.Status, order.Summary(st), orNil(st.PromisedAt), orNil(order.DeliveredAt(st)), order.IsLate(st), st.Hold != nil, st.Closed,
		len(st.Parcels), carriersOf(st), cases, st.AnomalyCount, next.What, string(next.Owner), orNil(next.Until), state,
		seq, num, text[0], at, text[1], text[2], text[3], text[4], text[5], text[6], st.Written, st.Now, st.Spec.Store)
	args = append(args, caseRows(st)...)
	statement := project
	if len(st.Returns) > 0 {
		statement, args = projectReturns, append(args, returnRows(st)...)
	}
	if _, err := s.pool.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("project %s: %w", st.Spec.ID, err)
	}
	return nil
}

// An order's returns never go away, so the statement of an order without any
// leaves their table alone.
const (
	project        = projectOrder + projectTold
	projectReturns = projectOrder + putReturns + projectTold
)

const projectOrder = `
with o as (
    update orders set seq = $15, status = $16, summary = $17, promised_at = $18, delivered_at = $19, late = $20, on_hold = $21, closed = $22,
        parcels = $23, carriers = $24, open_cases = $25, anomalies = $26, next_what = $27, next_owner = $28, next_until = $29, state = $30, clock = $42,
        updated_at = now(), started_at = coalesce(started_at, now())
    where id = $1 and (coalesce(clock, '-infinity'), seq) < ($42, $15) returning id
), told as (
    select * from unnest($31::bigint[], $32::int[], $33::text[], $34::timestamptz[], $35::text[], $36::text[], $37::text[], $38::text[], $39::text[], $40::text[])
        as h (seq, n, type, at, parcel, milestone, case_kind, body, actor, cause)
), forgotten as (
    delete from happenings h using o where h.order_id = o.id and h.seq > $41
        and not exists (select from told t where t.seq = h.seq and t.n = h.n)
), p as (
    insert into parcels (` + parcelColumns + `)
    select o.id, u.* from o, ` + unnestParcels + onParcel + `
), k as (
    select * from unnest($44::text[], $45::text[], $46::text[], $47::text[], $48::text[], $49::int[], $50::text[], $51::timestamptz[], $52::timestamptz[], $53::timestamptz[], $54::text[])
        as k (kind, parcel, id, owner, severity, level, assignee, opened_at, due, noticed_at, body)
), over as (
    delete from cases c using o where c.order_id = o.id and not exists (select from k where k.kind = c.kind and k.parcel = c.parcel)
), open as (
    insert into cases (order_id, store, kind, parcel, id, owner, severity, level, assignee, opened_at, due, noticed_at, body)
    select o.id, $43, k.* from o, k
    on conflict (order_id, kind, parcel) do update set id = excluded.id, owner = excluded.owner, severity = excluded.severity, level = excluded.level,
        assignee = excluded.assignee, opened_at = excluded.opened_at, due = excluded.due, noticed_at = excluded.noticed_at, body = excluded.body
        where (cases.id, cases.owner, cases.severity, cases.level, cases.assignee, cases.opened_at, cases.due, cases.noticed_at, cases.body)
            is distinct from (excluded.id, excluded.owner, excluded.severity, excluded.level, excluded.assignee, excluded.opened_at, excluded.due, excluded.noticed_at, excluded.body)`

const projectTold = `
)
insert into happenings (order_id, seq, n, type, at, parcel, milestone, case_kind, body, actor, cause)
select o.id, told.* from o, told
on conflict (order_id, seq, n) do update set id = default, type = excluded.type, at = excluded.at, parcel = excluded.parcel, milestone = excluded.milestone,
    case_kind = excluded.case_kind, body = excluded.body, actor = excluded.actor, cause = excluded.cause, recorded_at = now()
    where (happenings.type, happenings.at, happenings.parcel, happenings.milestone, happenings.case_kind, happenings.body, happenings.actor, happenings.cause)
        is distinct from (excluded.type, excluded.at, excluded.parcel, excluded.milestone, excluded.case_kind, excluded.body, excluded.actor, excluded.cause)`

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// orZero is the opposite of orNil.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

const orderColumns = `select spec, state, created_at, started_at, updated_at from orders where `

func (s *Store) order(ctx context.Context, what, where string, arg any) (o Order, err error) {
	var spec, state []byte
	err = s.pool.QueryRow(ctx, orderColumns+where, arg).Scan(&spec, &state, &o.CreatedAt, &o.StartedAt, &o.UpdatedAt)
	if err := one(what, err); err != nil {
		return o, err
	}
	return o, o.decode(what, spec, state)
}

func (o *Order) decode(what string, spec, state []byte) error {
	if spec != nil {
		if err := json.Unmarshal(spec, &o.Spec); err != nil {
			return fmt.Errorf("%s: spec: %w", what, err)
		}
	}
	if state != nil {
		o.State = new(order.State)
		if err := json.Unmarshal(state, o.State); err != nil {
			return fmt.Errorf("%s: state: %w", what, err)
		}
	}
	return nil
}

// Order reads one order; ErrNotFound.
func (s *Store) Order(ctx context.Context, id string) (Order, error) {
	return s.order(ctx, "order "+id, `id = $1`, id)
}

// ReplacedBy lists the orders that replace one: what its replacements and exchanges
// send, the oldest first.
func (s *Store) ReplacedBy(ctx context.Context, id string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `select id from orders where replaces = $1 order by created_at, id limit 100`, id)
	if err != nil {
		return nil, fmt.Errorf("replaced by: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("replaced by: %w", err)
	}
	return list, nil
}

// State reads what an order's workflow wrote last; nil: no such order, or nothing yet.
func (s *Store) State(ctx context.Context, id string) (*order.State, error) {
	o, err := s.Order(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return o.State, err
}

// openPage is how many orders are read at once where all of them are.
const openPage = 500

// EachOpen calls do for every order that is not closed, by ID, page by page: those
// that begin meanwhile may be left out. It ends at the first error.
func (s *Store) EachOpen(ctx context.Context, do func(Order) error) error {
	after := ""
	for {
		rows, err := s.pool.Query(ctx, `select id, spec, state, created_at, started_at, updated_at from orders where not closed and id > $1 order by id limit $2`, after, openPage)
		if err != nil {
			return fmt.Errorf("open orders: %w", err)
		}
		page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Order, err error) {
			var spec, state []byte
			if err := row.Scan(&after, &spec, &state, &o.CreatedAt, &o.StartedAt, &o.UpdatedAt); err != nil {
				return o, err
			}
			return o, o.decode("order "+after, spec, state)
		})
		if err != nil {
			return fmt.Errorf("open orders: %w", err)
		}
		for _, o := range page {
			if err := do(o); err != nil {
				return err
			}
		}
		if len(page) < openPage {
			return nil
		}
	}
}

// Version names what a buyer's page is made of: it changes with each fact that
// is accepted and each change that the order makes of them. Facts are counted,
// because they may commit in another order than that of their numbers.
type Version struct {
	Seq, Updated  int64
	Facts, Newest int64
}

// Track finds an order by the hash of its tracking token, for somebody who may
// know a version already: if it is
// still the one, it is all that is returned.
func (s *Store) Track(ctx context.Context, tokenHash []byte, known Version) (o Order, v Version, err error) {
	var spec, state []byte
	err = s.pool.QueryRow(ctx, `
select o.seq, o.updated, f.facts, f.newest, case when not k.known and o.state is null then o.spec end, case when not k.known then o.state end, o.created_at, o.started_at, o.updated_at,
    case when not k.known then coalesce((select language from contacts where order_id = o.id), '') else '' end
from (select *, (extract(epoch from updated_at) * 1000000)::bigint as updated from orders where token_hash = $1) o,
    lateral (select count(*) as facts, coalesce(max(n), 0) as newest from inbox where order_id = o.id) f,
    lateral (select (o.seq, o.updated, f.facts, f.newest) = ($2::bigint, $3::bigint, $4::bigint, $5::bigint) as known) k`,
		tokenHash, known.Seq, known.Updated, known.Facts, known.Newest).
		Scan(&v.Seq, &v.Updated, &v.Facts, &v.Newest, &spec, &state, &o.CreatedAt, &o.StartedAt, &o.UpdatedAt, &o.Language)
	if err := one("order by token", err); err != nil || spec == nil && state == nil {
		return o, v, err
	}
	if err := o.decode("order by token", spec, state); err != nil {
		return o, v, err
	}
	if o.State != nil {
		o.Spec = o.State.Spec
	}
	return o, v, nil
}

// Orders lists orders, newest first.
func (s *Store) Orders(ctx context.Context, f Filter) ([]Summary, error) {
	var w where
	if !f.Before.PlacedAt.IsZero() {
		w.and(`(placed_at, id) < (?, ?)`, f.Before.PlacedAt, f.Before.ID)
	}
	if f.Store != "" {
		w.and(`store = ?`, f.Store)
	}
	if f.Status != "" {
		w.and(`status = ?`, f.Status)
	}
	if f.Case != "" {
		w.and(`open_cases <> '{}'`)
	}
	if f.Case != "" && f.Case != "any" {
		w.and(`open_cases @> array[?]`, f.Case)
	}
	if f.Query != "" {
		w.and(`id in (select ? union all select id from orders where number = ? union all select order_id from parcels where tracking = ? and tracking <> '')`, f.Query, f.Query, f.Query)
	}
	rows, err := s.pool.Query(ctx, `
select id, store, number, status, summary, class, placed_at, promised_at, late, on_hold, closed, parcels, carriers, open_cases, next_what, next_owner, next_until
from orders `+w.String()+` order by placed_at desc, id desc limit `+limited(f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Summary])
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return list, nil
}

// where collects conditions. Only what is asked for is in a query, so that each
// kind of list has a plan of its own, along an index in the order of the page.
type where struct {
	strings.Builder
	args []any
}

// and adds a condition; each ? in it stands for the next value.
func (w *where) and(condition string, values ...any) {
	word := " and "
	if w.Len() == 0 {
		word = "where "
	}
	for _, v := range values {
		w.args = append(w.args, v)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.WriteString(word + condition)
}

// limited is a page's length: 50 rows unless 1 to 501 are asked for.
func limited(limit int) string {
	if limit <= 0 || limit > 501 {
		limit = 50
	}
	return strconv.Itoa(limit)
}

// Unstarted returns orders whose workflow is not known to exist.
func (s *Store) Unstarted(ctx context.Context, limit int) ([]order.Spec, error) {
	rows, err := s.pool.Query(ctx, `select spec from orders where started_at is null order by created_at limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("unstarted: %w", err)
	}
	specs, err := pgx.CollectRows(rows, pgx.RowTo[order.Spec])
	if err != nil {
		return nil, fmt.Errorf("unstarted: %w", err)
	}
	return specs, nil
}

// MarkStarted notes that the workflows of these orders exist.
func (s *Store) MarkStarted(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, `update orders set started_at = now() where id = any($1) and started_at is null`, ids); err != nil {
		return fmt.Errorf("mark started: %w", err)
	}
	return nil
}

// Started says whether an order exists and whether its workflow is known to.
func (s *Store) Started(ctx context.Context, id string) (started, closed bool, err error) {
	err = s.pool.QueryRow(ctx, `select started_at is not null, closed from orders where id = $1`, id).Scan(&started, &closed)
	return started, closed, one("order "+id, err)
}

// PutAddress adds a version of the address and returns its number.
func (s *Store) PutAddress(ctx context.Context, orderID string, a Address) (version int, err error) {
	body, err := json.Marshal(a)
	if err != nil {
		return 0, fmt.Errorf("address: %w", err)
	}
	err = s.pool.QueryRow(ctx, `insert into addresses (order_id, version, body)
        select $1, max(version) + 1, $2 from addresses where order_id = $1 having max(version) is not null returning version`, orderID, body).Scan(&version)
	return version, one("address of "+orderID, err)
}

// MoveWithin keeps a new version of an address that stays what the version that the
// order follows is: in that country, and for that name unless another one is given.
// ErrNotFound: there is no such version, its buyer is erased, or there are as many
// versions as there may be.
func (s *Store) MoveWithin(ctx context.Context, orderID string, follows, most int, a Address) (version int, err error) {
	a.Country = ""
	body, err := json.Marshal(a)
	if err != nil {
		return 0, fmt.Errorf("address: %w", err)
	}
	err = s.pool.QueryRow(ctx, `
insert into addresses (order_id, version, body)
select o.order_id, newest.version + 1, o.body - array['street', 'city', 'postal_code', 'region'] || $3::jsonb
from addresses o join contacts c on c.order_id = o.order_id, (select max(version) as version from addresses where order_id = $1) newest
where o.order_id = $1 and o.version = $2 and c.erased_at is null and newest.version < $4 returning version`, orderID, follows, body, most).Scan(&version)
	return version, one("address of "+orderID, err)
}
