package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Rows go in by key, so that two writers cannot deadlock.
const insertRaw = `
insert into raw_bodies (source, via, content_type, sha256, body, events, rejected, unmapped, error)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::int[], $7::int[], $8::int[], $9::text[])
    as t (source, via, content_type, sha256, body, events, rejected, unmapped, error)
order by source collate "C", sha256
on conflict (source, sha256) do nothing`

func rawColumns(raws []*RawBody) []any {
	var source, via, media, faults []string
	var hash, body [][]byte
	var events, rejected, unmapped []int
	for _, r := range raws {
		source, via, media, faults = append(source, r.Source), append(via, r.Via), append(media, r.ContentType), append(faults, r.Error)
		hash, body = append(hash, r.Hash), append(body, r.Body)
		events, rejected, unmapped = append(events, r.Events), append(rejected, r.Rejected), append(unmapped, r.Unmapped)
	}
	return []any{source, via, media, hash, body, events, rejected, unmapped, faults}
}

// RawFilter narrows a list of raw bodies; zero fields match anything.
type RawFilter struct {
	Source string
	Since  time.Time
	Failed bool // only those that could not be read, or not wholly
	Before RawCursor
	Limit  int
}

// RawCursor is a place in the list, newest first.
type RawCursor struct {
	ReceivedAt time.Time
	ID         int64
}

const rawColumnList = `id, received_at, source, via, content_type, sha256, octet_length(body), events, rejected, unmapped, error, replayed_at`

// RawBodies lists what was kept, newest first, without the bodies themselves.
func (s *Store) RawBodies(ctx context.Context, f RawFilter) ([]RawBody, error) {
	failed := ""
	if f.Failed {
		failed = `(error <> '' or rejected > 0) and ` // spelt out, for the index of these
	}
	rows, err := s.pool.Query(ctx, `select `+rawColumnList+`, null::bytea from raw_bodies
where `+failed+`$1 in ('', source) and received_at >= $2 and ($4 = 0 or (received_at, id) < ($3, $4)) order by received_at desc, id desc limit $5`,
		f.Source, f.Since, f.Before.ReceivedAt, f.Before.ID, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("raw bodies: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RawBody])
	if err != nil {
		return nil, fmt.Errorf("raw bodies: %w", err)
	}
	return list, nil
}

// RawBody reads one with its bytes, once the act is audited: personal data may
// stand in it. ErrNotFound.
func (s *Store) RawBody(ctx context.Context, id int64, a Audit) (r RawBody, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select `+rawColumnList+`, body from raw_bodies where id = $1`, id)
		if err != nil {
			return err
		}
		if r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[RawBody]); err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	return r, one(fmt.Sprintf("raw body %d", id), err)
}

// MarkReplayed writes what a body was read as when it was read again.
func (s *Store) MarkReplayed(ctx context.Context, r RawBody, at time.Time) error {
	_, err := s.pool.Exec(ctx, `update raw_bodies set events = $2, rejected = $3, unmapped = $4, error = $5, replayed_at = $6 where id = $1`, r.ID, r.Events, r.Rejected, r.Unmapped, r.Error, at)
	if err != nil {
		return fmt.Errorf("raw body %d: %w", r.ID, err)
	}
	return nil
}

// PurgeRawBodies deletes what was received before then, at most limit, the
// oldest first. It returns how many.
func (s *Store) PurgeRawBodies(ctx context.Context, before time.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, `delete from raw_bodies where id = any(array(select id from raw_bodies where received_at < $1 order by received_at, id limit $2))`, before, limit)
	if err != nil {
		return 0, fmt.Errorf("purge raw bodies: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
