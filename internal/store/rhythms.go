package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/order"
)

const (
	// learnParcels bounds what is learned from: the parcels that arrived last.
	learnParcels = 200_000
	// learnJourney is how long before its arrival a parcel may have set out.
	learnJourney = 30 * 24 * time.Hour
)

// Stillness is a figure in time of one of the clocks that were asked for, on a
// lane between two countries (Lane is -1) or on one of those asked for.
type Stillness struct {
	Clock, Lane int
	rhythm.Measured
}

// measureRhythms takes from each parcel that arrived the longest time that it stood
// still between two movements, where the policy's line for that is movement: not
// from out for delivery, a pickup point or customs on, which have lines of their
// own. Not every gap counts: a parcel has many short ones, and of gaps the 95th
// percentile is passed by most parcels once. The feed that said most of a parcel
// is believed. A journey that a feed's silence touches teaches nothing.
//
// Open time is read from a table of hours: what was open before, and how much of
// the hour is.
const measureRhythms = `
with hours as materialized (
    select * from unnest($1::int[], $2::timestamptz[], $3::float8[], $4::float8[]) as h (clock, hour, before, open)
), named as materialized (
    select * from unnest($5::int[], $6::text[], $7::text[]) as l (lane, origins, targets)
), silent as materialized (
    select 'carrier:' || key as source, opened_at - interval '1 day' as begins, coalesce(closed_at, 'infinity') as ends
    from faults where kind = 'silent_feed' and coalesce(closed_at, 'infinity') > $8::timestamptz
), arrived as materialized (
    select row_number() over () as k, p.*, coalesce(o.spec->>'ship_from', '') as origin, coalesce(o.spec->>'ship_to', '') as target
    from (select order_id, id, carrier, service from parcels
        where milestone in ('delivered', 'returned') and carrier <> '' and since >= $8 and since < $9 order by since desc limit $10) p
    join orders o on o.id = p.order_id
), moves as (
    select a.k, i.source collate "C" as source, i.n, i.occurred_at, i.milestone, row_number() over w as nth
    from arrived a join inbox i on i.order_id = a.order_id and i.parcel_id = a.id
    where i.kind = 'carrier_event' and not i.correction
        and (i.physical or i.milestone in ('in_customs', 'out_for_delivery', 'ready_for_pickup', 'attempt_failed', 'delivered', 'returning'))
    window w as (partition by a.k, i.source collate "C" order by i.occurred_at, i.n)
), spans as (
    -- The last milestone that was said stands; here only whether it is one on the road.
    select k, source, occurred_at as began, lead(occurred_at) over w as ended,
        max(case when milestone <> '' then nth * 2 + (milestone in ('accepted', 'in_transit', 'attempt_failed', 'returning'))::int end) over w % 2 = 1 as moving
    from moves window w as (partition by k, source order by occurred_at, n)
), longest as (
    select k, source, a.clock, count(*) as spans, min(began) as first, max(ended) as last,
        max(b.before + b.open * extract(epoch from ended - b.hour) / 3600 - a.before - a.open * extract(epoch from began - a.hour) / 3600) as still
    from spans join hours a on a.hour = date_trunc('hour', began) join hours b on b.clock = a.clock and b.hour = date_trunc('hour', ended)
    where moving
    group by k, source, a.clock
), parcel as (
    select distinct on (k, clock) *
    from longest l where not exists (select from silent s where s.source = l.source and s.begins < l.last and s.ends > l.first)
    order by k, clock, spans desc, source
)
select clock, s.named, carrier, s.service, s.lane, count(*)::int, percentile_disc(0.5) within group (order by still), percentile_disc(0.95) within group (order by still)
from parcel join arrived p using (k) cross join lateral (
    select '' as service, '' as lane, -1 as named
    union select p.service, '', -1
    union select p.service, origin || '-' || target, -1 where origin <> '' and target <> ''
    union select p.service, '', l.lane from named l where (origins = '' or origin = any(string_to_array(origins, ','))) and (targets = '' or target = any(string_to_array(targets, ',')))
) s
group by clock, s.named, carrier, s.service, s.lane having count(*) >= $11`

// Stillness measures how long parcels that arrived between two moments stood still,
// for each carrier, its services and their lanes, in time of each clock (nil: around
// the clock). Figures of few parcels are left out.
func (s *Store) Stillness(ctx context.Context, from, to time.Time, clocks []*order.Calendar, lanes []rhythm.Lane) ([]Stillness, error) {
	args := append(openHours(clocks, from.Add(-learnJourney), to), namedLanes(lanes)...)
	args = append(args, from, to, learnParcels, rhythm.MinSamples)
	var list []Stillness
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Once a night, and the parcels of months.
		// The planner cannot know how few hours there are, and would sort for them.
		if _, err := tx.Exec(ctx, `set local statement_timeout = '10min'; set local work_mem = '64MB'; set local enable_mergejoin = off`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, measureRhythms, args...)
		if err != nil {
			return err
		}
		var m Stillness
		var p50, p95 float64
		_, err = pgx.ForEachRow(rows, []any{&m.Clock, &m.Lane, &m.Carrier, &m.Service, &m.Scope.Lane, &m.N, &p50, &p95}, func() error {
			if m.Lane >= 0 {
				m.Scope.Lane = lanes[m.Lane].Name
			}
			m.P50, m.P95 = seconds(p50), seconds(p95)
			list = append(list, m)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("measure rhythms: %w", err)
	}
	return list, nil
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s)) * time.Second }

// openHours are the columns of hours.
func openHours(clocks []*order.Calendar, from, to time.Time) []any {
	var clock []int32
	var hours []time.Time
	var before, open []float64
	for i, c := range clocks {
		sum := 0.0
		for at := from.UTC().Truncate(time.Hour); !at.After(to); at = at.Add(time.Hour) {
			here := c.Between(at, at.Add(time.Hour)).Seconds()
			clock, hours, before, open = append(clock, int32(i)), append(hours, at), append(before, sum), append(open, here)
			sum += here
		}
	}
	return []any{clock, hours, before, open}
}

// namedLanes are the columns of named.
func namedLanes(lanes []rhythm.Lane) []any {
	n, from, to := make([]int32, len(lanes)), make([]string, len(lanes)), make([]string, len(lanes))
	for i, l := range lanes {
		n[i], from[i], to[i] = int32(i), strings.Join(l.From, ","), strings.Join(l.To, ",")
	}
	return []any{n, from, to}
}

// RhythmProposal is a proposal and what became of it.
type RhythmProposal struct {
	ID int64
	rhythm.Proposal
	// Orders that are open would move to it, and Ending waits of theirs would be
	// over at once.
	Orders, Ending int
	MeasuredAt     time.Time
	Decision       string // "", accepted, declined
	DecidedAt      *time.Time
	DecidedBy      string
	Reason         string
	Version        int // of the policy that came of it
}

const proposalColumns = `id, policy, carrier, service, lane, n, p50, p95, current, gap, written, orders, ending, measured_at, decision, decided_at, decided_by, reason, coalesce(version, 0)`

func collectProposals(rows pgx.Rows, err error) ([]RhythmProposal, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p RhythmProposal, err error) {
		return p, row.Scan(&p.ID, &p.Policy, &p.Carrier, &p.Service, &p.Lane, &p.N, &p.P50, &p.P95, &p.Current, &p.Gap, &p.Written, &p.Orders, &p.Ending,
			&p.MeasuredAt, &p.Decision, &p.DecidedAt, &p.DecidedBy, &p.Reason, &p.Version)
	})
}

// PutProposals makes these the open proposals. One that was open before for the
// same line keeps its ID; the others are gone. They return with their IDs.
func (s *Store) PutProposals(ctx context.Context, list []RhythmProposal, at time.Time) ([]RhythmProposal, error) {
	var put []RhythmProposal
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `lock table rhythm_proposals in share row exclusive mode`); err != nil {
			return err
		}
		var policy, carrier, service, lane []string
		var n, orders, ending []int32
		var p50, p95, current, gap []time.Duration
		var written []bool
		for _, p := range list {
			policy, carrier, service, lane = append(policy, p.Policy), append(carrier, p.Carrier), append(service, p.Service), append(lane, p.Lane)
			n, orders, ending = append(n, int32(p.N)), append(orders, int32(p.Orders)), append(ending, int32(p.Ending))
			p50, p95, current, gap, written = append(p50, p.P50), append(p95, p.P95), append(current, p.Current), append(gap, p.Gap), append(written, p.Written)
		}
		if _, err := tx.Exec(ctx, `
insert into rhythm_proposals (policy, carrier, service, lane, n, p50, p95, current, gap, written, orders, ending, measured_at)
select t.*, $13 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::interval[], $7::interval[], $8::interval[], $9::interval[], $10::bool[], $11::int[], $12::int[]) t
on conflict (policy, carrier, service, lane) where decision = '' do update set n = excluded.n, p50 = excluded.p50, p95 = excluded.p95, current = excluded.current,
    gap = excluded.gap, written = excluded.written, orders = excluded.orders, ending = excluded.ending, measured_at = excluded.measured_at`,
			policy, carrier, service, lane, n, p50, p95, current, gap, written, orders, ending, at); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from rhythm_proposals where decision = '' and measured_at <> $1`, at); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, openProposals)
		put, err = collectProposals(rows, err)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rhythm proposals: %w", err)
	}
	return put, nil
}

const openProposals = `select ` + proposalColumns + ` from rhythm_proposals where decision = '' order by policy, n desc, carrier, service, lane`

// Proposals lists the open ones, those that most parcels speak for first, or the
// latest that were decided.
func (s *Store) Proposals(ctx context.Context, open bool, limit int) ([]RhythmProposal, error) {
	query, args := openProposals+` limit $1`, []any{limit}
	if !open {
		query = `select ` + proposalColumns + ` from rhythm_proposals where decision <> '' order by id desc limit $1`
	}
	list, err := collectProposals(s.pool.Query(ctx, query, args...))
	if err != nil {
		return nil, fmt.Errorf("rhythm proposals: %w", err)
	}
	return list, nil
}

// Proposal reads one; ErrNotFound: it was never there, or the next night had none.
func (s *Store) Proposal(ctx context.Context, id int64) (RhythmProposal, error) {
	return proposal(ctx, s.pool, id, "")
}

func proposal(ctx context.Context, db querier, id int64, lock string) (RhythmProposal, error) {
	rows, err := db.Query(ctx, `select `+proposalColumns+` from rhythm_proposals where id = $1 `+lock, id)
	list, err := collectProposals(rows, err)
	if err == nil && len(list) == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return RhythmProposal{}, one(fmt.Sprintf("rhythm proposal %d", id), err)
	}
	return list[0], nil
}

// Declined are the proposals whose line was declined when it was decided last.
func (s *Store) Declined(ctx context.Context) ([]rhythm.Proposal, error) {
	list, err := collectProposals(s.pool.Query(ctx, `select `+proposalColumns+` from (
    select distinct on (policy, carrier, service, lane) * from rhythm_proposals where decision <> '' order by policy, carrier, service, lane, decided_at desc, id desc) p where decision = 'declined'`))
	if err != nil {
		return nil, fmt.Errorf("declined rhythms: %w", err)
	}
	var declined []rhythm.Proposal
	for _, p := range list {
		declined = append(declined, p.Proposal)
	}
	return declined, nil
}

// Seen is a proposal as it was when somebody decided about it.
type Seen struct {
	ID  int64
	Gap time.Duration
}

// AcceptProposals makes open proposals lines of their policy, as its next version,
// with the audit row in one transaction. The same act again changes nothing.
// ErrNotFound; ErrConflict: one was decided otherwise, is another policy's, or says
// something else by now, or the policy could not be so.
func (s *Store) AcceptProposals(ctx context.Context, policyName string, seen []Seen, a Audit, at time.Time) (book order.PolicyBook, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if book, err = lockPolicy(ctx, tx, policyName); err != nil {
			return err
		}
		var ids []int64
		for _, x := range seen {
			p, err := proposal(ctx, tx, x.ID, "for update")
			switch {
			case err != nil:
				return err
			case p.Decision == "accepted" && p.Gap == x.Gap && p.Policy == policyName:
				continue // the same act again
			case p.Decision != "" || p.Gap != x.Gap || p.Policy != policyName:
				return fmt.Errorf("proposal %d is not as it was: %w", x.ID, ErrConflict)
			}
			book = rhythm.Set(book, p.Scope, p.Gap)
			ids = append(ids, x.ID)
		}
		if len(ids) == 0 {
			return nil
		}
		if err := book.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrConflict, err)
		}
		if book, err = putPolicy(ctx, tx, book, a.Actor); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update rhythm_proposals set decision = 'accepted', decided_at = $2, decided_by = $3, reason = $4, version = $5 where id = any($1)`, ids, at, a.Actor, a.Reason, book.Version); err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	if err != nil {
		return book, fmt.Errorf("accept rhythms of %s: %w", policyName, err)
	}
	return book, nil
}

// DeclineProposal ends an open proposal. It does not come again until what is
// measured has changed. ErrNotFound, ErrConflict as for accepting.
func (s *Store) DeclineProposal(ctx context.Context, x Seen, a Audit, at time.Time) (p RhythmProposal, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if p, err = proposal(ctx, tx, x.ID, "for update"); err != nil {
			return err
		}
		switch {
		case p.Decision == "declined" && p.Gap == x.Gap:
			return nil
		case p.Decision != "" || p.Gap != x.Gap:
			return fmt.Errorf("proposal %d is not as it was: %w", x.ID, ErrConflict)
		}
		p.Decision, p.DecidedAt, p.DecidedBy, p.Reason = "declined", &at, a.Actor, a.Reason
		if _, err := tx.Exec(ctx, `update rhythm_proposals set decision = $2, decided_at = $3, decided_by = $4, reason = $5 where id = $1`, x.ID, p.Decision, at, p.DecidedBy, p.Reason); err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	if err != nil {
		return p, fmt.Errorf("decline rhythm: %w", err)
	}
	return p, nil
}

// Policies are the newest versions of all policies, by name.
func (s *Store) Policies(ctx context.Context) ([]order.PolicyBook, error) {
	rows, err := s.pool.Query(ctx, `select distinct on (name) body from policies order by name, version desc`)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	books, err := pgx.CollectRows(rows, pgx.RowTo[order.PolicyBook])
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	if !slices.ContainsFunc(books, func(b order.PolicyBook) bool { return b.Name == "default" }) {
		books = append(books, order.PolicyBook{Policy: order.DefaultPolicy()})
	}
	return books, nil
}

// LearnedNewest are the policies whose newest version came of a learned rhythm.
func (s *Store) LearnedNewest(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
select distinct r.policy from rhythm_proposals r where r.decision = 'accepted'
    and r.version = (select max(version) from policies p where p.name = r.policy) order by 1`)
	if err != nil {
		return nil, fmt.Errorf("learned policies: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("learned policies: %w", err)
	}
	return names, nil
}
