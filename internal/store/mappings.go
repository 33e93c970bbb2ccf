package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// rereadBatch bounds how many facts one statement reads again.
const rereadBatch = 1000

// Reread says what a mapping did to facts that had come before it.
type Reread struct {
	Facts int // read again
	// Standing: of those, what had told the order a milestone and now names none.
	// The order keeps it; only support takes it back.
	Standing int
	// More wait. The relay reads them.
	More bool
}

// Mappings returns the mappings that hold, and the version of the whole table;
// nothing but the version if that is known already.
func (s *Store) Mappings(ctx context.Context, known int64) (version int64, list []Mapping, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `select coalesce(max(id), 0) from code_mappings`).Scan(&version); err != nil || version == known {
			return err
		}
		list, err = mappings(ctx, tx, `select distinct on (carrier, code_table, code) `+mappingColumns+` from code_mappings order by carrier, code_table, code, version desc`)
		return err
	})
	if err != nil {
		return known, nil, fmt.Errorf("code mappings: %w", err)
	}
	return version, list, nil
}

// MappingHistory lists every version of every mapping of a carrier's codes, the
// newest first; without a carrier, of all.
func (s *Store) MappingHistory(ctx context.Context, carrier string, limit int) ([]Mapping, error) {
	list, err := mappings(ctx, s.pool, `select `+mappingColumns+` from code_mappings where $1 in ('', carrier) order by id desc limit $2`, carrier, limit)
	if err != nil {
		return nil, fmt.Errorf("code mappings: %w", err)
	}
	return list, nil
}

const mappingColumns = `carrier, code_table, code, version, kind, bucket, milestone, physical, unmapped, reason, actor, created_at`

func mappings(ctx context.Context, db interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}, query string, args ...any) ([]Mapping, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Mapping])
}

// SaveMapping adds the next version of a code's mapping with its audit row,
// closes the code's fault and reads again the first of the facts that wait for
// it, all in one transaction. The same mapping again changes nothing.
// ErrNotFound: there is nothing to withdraw.
func (s *Store) SaveMapping(ctx context.Context, m Mapping, a Audit) (saved Mapping, did Reread, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// One at a time, so that versions commit in the order of their numbers.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('code mappings', 0))`); err != nil {
			return err
		}
		have, err := mappings(ctx, tx, `select `+mappingColumns+` from code_mappings where carrier = $1 and code_table = $2 and code = $3 order by version desc limit 1`, m.Carrier, m.Table, m.Code)
		switch {
		case err != nil:
			return err
		case len(have) == 0 && m.Kind == Withdrawn:
			return ErrNotFound
		case len(have) == 1 && have[0].Kind == m.Kind && have[0].Bucket == m.Bucket:
			saved = have[0]
			did, err = reread(ctx, tx, &saved)
			return err
		}
		next := 1
		if len(have) == 1 {
			next = have[0].Version + 1
		}
		made, err := mappings(ctx, tx, `insert into code_mappings (carrier, code_table, code, version, kind, bucket, milestone, physical, unmapped, reason, actor)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning `+mappingColumns,
			m.Carrier, m.Table, m.Code, next, m.Kind, m.Bucket, m.Milestone, m.Physical, m.Unmapped, m.Reason, m.Actor)
		if err != nil {
			return err
		}
		saved = made[0]
		if err := addAudit(ctx, tx, a); err != nil {
			return err
		}
		if did, err = reread(ctx, tx, &saved); err != nil {
			return err
		}
		switch {
		case saved.Kind != Withdrawn:
			_, err = closeFault(ctx, tx, UnmappedCode, saved.Key(), saved.Actor, "mapped as "+strings.TrimSpace(saved.Kind+" "+saved.Bucket)+" by "+saved.Actor, saved.At)
		case saved.Unmapped && did.Facts > 0:
			err = reportFaults(ctx, tx, []Fault{{Kind: UnmappedCode, Key: saved.Key(), Title: UnmappedTitle(saved.Carrier, saved.Table, saved.Code), Count: int64(did.Facts)}}, saved.At)
		}
		return err
	})
	if err != nil {
		return saved, Reread{}, fmt.Errorf("map %s: %w", m.Key(), err)
	}
	for did.More && err == nil {
		var more Reread
		if more, err = reread(ctx, s.pool, &saved); err == nil {
			did = Reread{did.Facts + more.Facts, did.Standing + more.Standing, more.More}
		}
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return saved, did, fmt.Errorf("map %s: %w", m.Key(), err)
	}
	return saved, did, nil // what is not done the relay does
}

// Reread gives facts the reading of the mapping that holds for their code: those
// that were left over, and those that came in through a process that did not
// know it yet. It does a bounded number and says whether there may be more.
func (s *Store) Reread(ctx context.Context) (Reread, error) {
	did, err := reread(ctx, s.pool, nil)
	if err != nil {
		return did, fmt.Errorf("read facts again: %w", err)
	}
	return did, nil
}

// The order drops repeats by number, so a fact whose reading changed gets a new
// one and is sent again, as the same event. Where the old milestone would still
// decide over the new one, said of the same moment, the fact goes as the
// carrier's correction. Rows that somebody else holds are left for the next time:
// who waits for none while it holds some cannot deadlock.
const rereadFacts = `
with held as (
    select distinct on (carrier, code_table, code) 'carrier:' || carrier as source, code_table || ' ' || code as code, version, milestone, physical, bucket
    from code_mappings where $1 = '' or carrier = $1 and code_table = $2 and code = $3
    order by carrier, code_table, code, version desc
), stale as (
    select i.n, h.version, h.milestone, h.physical, h.bucket,
        (h.milestone, h.physical, h.bucket) is distinct from (i.milestone, i.physical, i.bucket) as changed,
        i.milestone <> '' and (h.milestone, i.milestone) in (select * from unnest($4::text[], $5::text[])) as takes_back,
        i.milestone <> '' and h.milestone = '' and i.sent_at is not null as standing
    from held h cross join lateral (
        select n, milestone, physical, bucket, sent_at from inbox where mapping is not null and source = h.source and code = h.code and mapping < h.version
        order by mapping limit $6 for update skip locked) i
    limit $6
), done as (
    update inbox set mapping = s.version, milestone = s.milestone, physical = s.physical, bucket = s.bucket, correction = inbox.correction or s.takes_back,
        n = case when s.changed then nextval('inbox_n') else inbox.n end, due_at = case when s.changed then now() else inbox.due_at end,
        sent_at = case when s.changed then null else inbox.sent_at end, outcome = case when s.changed then '' else inbox.outcome end
    from stale s where inbox.n = s.n and inbox.mapping < s.version
    returning s.standing
)
select count(*), count(*) filter (where standing) from done`

// outranked lists pairs: a fact that now says the first and had said the second
// must take that back.
func outranked() (now, before []string) {
	for _, n := range order.Definitions {
		for _, b := range order.Definitions {
			if n.Milestone != b.Milestone && order.Outranks(b.Milestone, n.Milestone) {
				now, before = append(now, string(n.Milestone)), append(before, string(b.Milestone))
			}
		}
	}
	return now, before
}

func reread(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, only *Mapping) (did Reread, err error) {
	if only == nil {
		only = &Mapping{}
	}
	now, before := outranked()
	err = db.QueryRow(ctx, rereadFacts, only.Carrier, only.Table, only.Code, now, before, rereadBatch).Scan(&did.Facts, &did.Standing)
	did.More = did.Facts == rereadBatch
	return did, err
}

// ReportWaiting opens the faults of unknown codes that facts wait with and that
// nobody heard of: a process counts them in memory and may have died with its
// counts. Codes are walked along their index, one step each.
func (s *Store) ReportWaiting(ctx context.Context) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
with recursive codes as (
    (select source, code from inbox where mapping is not null order by source, code limit 1)
    union all
    select n.source, n.code from codes c cross join lateral (
        select source, code from inbox where mapping is not null and (source, code) > (c.source, c.code) order by source, code limit 1) n
), waiting as (
    select c.source, c.code, substr(c.source, length('carrier:') + 1) as carrier, split_part(c.code, ' ', 1) as code_table, substr(c.code, strpos(c.code, ' ') + 1) as bare from codes c
), named as materialized (
    select w.*, w.carrier || '/' || w.code_table || '/' || w.bare as key from waiting w
    where coalesce((select m.unmapped from code_mappings m where m.carrier = w.carrier and m.code_table = w.code_table and m.code = w.bare order by version desc limit 1), true)
), unheard as materialized ( -- nobody counts the facts of a code that is open already
    select * from named u where not exists (select from faults f where f.kind = $1 and f.key = u.key and f.closed_at is null)
)
insert into faults (kind, key, title, sample, count, opened_at, last_at)
select $1, u.key, u.carrier || ': the code ' || u.bare || ' is in no table (' || u.code_table || ')', i.description, i.count, now(), i.last
from unheard u cross join lateral (select max(description) as description, count(*) as count, max(received_at) as last from inbox where mapping is not null and source = u.source and code = u.code) i
where not exists (select from faults f where f.kind = $1 and f.key = u.key and f.closed_at >= i.last)
on conflict do nothing`, UnmappedCode)
	if err != nil {
		return 0, fmt.Errorf("report waiting facts: %w", err)
	}
	return tag.RowsAffected(), nil
}
