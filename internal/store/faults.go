package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// FaultKind is what is wrong with data or a feed.
type FaultKind string

const (
	UnmappedCode FaultKind = "unmapped_code" // key: carrier/table/code
	SilentFeed   FaultKind = "silent_feed"   // key: the feed
	Retraction   FaultKind = "retraction"    // key: the ID of the event that is declared wrong
	// UnreadableFile: a carrier's file of which some or all could not be read. Key:
	// the carrier.
	UnreadableFile FaultKind = "unreadable_file"
	// UnreachableBuyer: no channel is left to tell a buyer anything. Key: the order.
	UnreachableBuyer FaultKind = "unreachable_buyer"
	// CalendarEnds: the calendars of a policy in use end soon. Key: the policy.
	CalendarEnds FaultKind = "calendar_ends"
	// ToldTwice: a provider took a message that it was believed not to have, and
	// another attempt of it. Key: the message.
	ToldTwice FaultKind = "told_twice"
)

// Fault is something for ops that is not one order's: one row however many
// orders it touches.
type Fault struct {
	ID         int64
	Kind       FaultKind
	Key        string
	Title      string
	Sample     string // the latest occurrence
	Owner      string
	Count      int64
	OpenedAt   time.Time
	LastAt     time.Time
	ClosedAt   *time.Time
	ClosedBy   string
	Resolution string
}

// ReportFaults opens each fault, or counts it again where it is open. Kind, Key,
// Title, Sample and Count (at least 1) are read; no two may have the same kind
// and key.
func (s *Store) ReportFaults(ctx context.Context, fs []Fault, at time.Time) error {
	return reportFaults(ctx, s.pool, fs, at)
}

// execer is a pool or a transaction.
type execer interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}

// UnmappedTitle is how the fault of an unknown code is called.
func UnmappedTitle(carrier, table, code string) string {
	return carrier + ": the code " + code + " is in no table (" + table + ")"
}

func reportFaults(ctx context.Context, db execer, fs []Fault, at time.Time) error {
	if len(fs) == 0 {
		return nil
	}
	var kinds, keys, titles, samples []string
	var counts []int64
	for _, f := range fs {
		kinds, keys, titles, samples, counts = append(kinds, string(f.Kind)), append(keys, f.Key), append(titles, f.Title), append(samples, f.Sample), append(counts, max(1, f.Count))
	}
	_, err := db.Exec(ctx, `
insert into faults (kind, key, title, sample, count, opened_at, last_at)
select kind, key, title, sample, count, $6, $6 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as t (kind, key, title, sample, count)
order by kind collate "C", key collate "C"
on conflict (kind, key) where closed_at is null do update set
    count = faults.count + excluded.count, last_at = greatest(faults.last_at, excluded.last_at), sample = excluded.sample`,
		kinds, keys, titles, samples, counts, at)
	if err != nil {
		return fmt.Errorf("report faults: %w", err)
	}
	return nil
}

// CloseFault ends an open fault and says whether there was one.
func (s *Store) CloseFault(ctx context.Context, kind FaultKind, key, by, resolution string, at time.Time) (bool, error) {
	return closeFault(ctx, s.pool, kind, key, by, resolution, at)
}

func closeFault(ctx context.Context, db execer, kind FaultKind, key, by, resolution string, at time.Time) (bool, error) {
	tag, err := db.Exec(ctx, `update faults set closed_at = $5, closed_by = $3, resolution = $4 where kind = $1 and key = $2 and closed_at is null`, kind, key, by, resolution, at)
	if err != nil {
		return false, fmt.Errorf("close fault %s %s: %w", kind, key, err)
	}
	return tag.RowsAffected() > 0, nil
}

// CloseFaultByHand ends a fault for the reason that its audit row gives, in one
// transaction. A fault that had ended is returned as it ended; ErrNotFound.
func (s *Store) CloseFaultByHand(ctx context.Context, id int64, a Audit, at time.Time) (f Fault, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update faults set closed_at = $2, closed_by = $3, resolution = $4 where id = $1 and closed_at is null`, id, at, a.Actor, a.Reason)
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			if err := addAudit(ctx, tx, a); err != nil {
				return err
			}
		}
		f, err = fault(ctx, tx, id)
		return err
	})
	return f, one(fmt.Sprintf("fault %d", id), err)
}

// Fault reads one; ErrNotFound.
func (s *Store) Fault(ctx context.Context, id int64) (Fault, error) {
	f, err := fault(ctx, s.pool, id)
	return f, one(fmt.Sprintf("fault %d", id), err)
}

const faultColumns = `id, kind, key, title, sample, owner, count, opened_at, last_at, closed_at, closed_by, resolution`

// querier is a pool or a transaction.
type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}

func fault(ctx context.Context, db querier, id int64) (Fault, error) {
	rows, err := db.Query(ctx, `select `+faultColumns+` from faults where id = $1`, id)
	if err != nil {
		return Fault{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Fault])
}

// FaultCursor is a place in the list of faults.
type FaultCursor struct {
	LastAt time.Time
	ID     int64
}

// Faults lists faults, the one that happened last first: those behind the
// cursor, unless it is zero.
func (s *Store) Faults(ctx context.Context, open bool, before FaultCursor, limit int) ([]Fault, error) {
	rows, err := s.pool.Query(ctx, `select `+faultColumns+` from faults
where (closed_at is null or not $1) and ($3 = 0 or (last_at, id) < ($2, $3)) order by last_at desc, id desc limit $4`, open, before.LastAt, before.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	fs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Fault])
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	return fs, nil
}
