package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// Told is what an order told since messages were last planned for it.
type Told struct {
	*Addressee
	OrderID    string
	Happenings []order.Happening // in the order's own order
}

// PlanMessages hands each happening to plan once and keeps the intents that it
// returns, both in one transaction: after a crash at any point no happening is
// skipped and none planned for twice. One caller at a time plans; the others get 0.
// It returns how many happenings were read: limit means there may be more.
//
// Happenings are numbered when they are written and seen when they are committed,
// so a smaller number may appear after a larger one. Therefore they are read up to a
// fence only: the last number that was given out at some moment, once every
// transaction that was under way at that moment has ended. That costs Project
// nothing, neither a column nor an index.
func (s *Store) PlanMessages(ctx context.Context, limit int, hash MessageHash, plan func([]Told) []NewMessage) (read int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// The number comes first. This transaction has no ID yet, so whoever was given a
		// number up to this one has a smaller ID than this transaction will get: Project
		// updates the order's row, and has an ID, before it numbers a happening.
		var last int64
		if err := tx.QueryRow(ctx, `select case when is_called then last_value else last_value - 1 end from happenings_id_seq`).Scan(&last); err != nil {
			return err
		}
		var upto, fence int64
		var ended bool
		// An ID that was not given out yet is another cluster's: this is a restored copy,
		// in which everything has ended.
		err := tx.QueryRow(ctx, `select upto, fence, pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= fence_xid or pg_snapshot_xmax(pg_current_snapshot())::text::bigint <= fence_xid
from message_plan for update skip locked`).Scan(&upto, &fence, &ended)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil || !ended {
			return err
		}
		told, at, n, err := toldSince(ctx, tx, upto, fence, limit)
		if err != nil {
			return err
		}
		if read = n; n > 0 {
			if told, err = withAddressees(ctx, tx, told, hash); err != nil {
				return err
			}
			if _, err := addMessages(ctx, tx, plan(told)); err != nil {
				return err
			}
		}
		if n == limit {
			_, err = tx.Exec(ctx, `update message_plan set upto = $1`, at)
			return err
		}
		if n == 0 && last == fence {
			return nil // nothing new: nothing is written
		}
		_, err = tx.Exec(ctx, `update message_plan set upto = fence, fence = $1, fence_xid = pg_current_xact_id()::text::bigint`, last)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("plan messages: %w", err)
	}
	return read, nil
}

// toldSince reads up to limit happenings with numbers above upto and not above
// fence, by order, and the last number that it read.
func toldSince(ctx context.Context, tx pgx.Tx, upto, fence int64, limit int) (told []Told, last int64, n int, err error) {
	rows, err := tx.Query(ctx, `select id, order_id, seq, n, type, at, parcel, milestone, case_kind, body, actor, cause from (
    select * from happenings where id > $1 and id <= $2 order by id limit $3) h order by order_id, seq, n`, upto, fence, limit)
	if err != nil {
		return nil, 0, 0, err
	}
	var id int64
	var of string
	var h order.Happening
	_, err = pgx.ForEachRow(rows, []any{&id, &of, &h.Seq, &h.N, &h.Type, &h.At, &h.Parcel, &h.Milestone, &h.Case, &h.Text, &h.Actor, &h.Cause}, func() error {
		if n == 0 || told[len(told)-1].OrderID != of {
			told = append(told, Told{OrderID: of})
		}
		t := &told[len(told)-1]
		t.Happenings = append(t.Happenings, h)
		last, n = max(last, id), n+1
		return nil
	})
	return told, last, n, err
}

func withAddressees(ctx context.Context, tx pgx.Tx, told []Told, hash MessageHash) ([]Told, error) {
	ids := make([]string, len(told))
	for i := range told {
		ids[i] = told[i].OrderID
	}
	all, err := readAddressees(ctx, tx, ids, hash)
	if err != nil {
		return nil, err
	}
	known := told[:0]
	for _, t := range told {
		if t.Addressee = all[t.OrderID]; t.Addressee != nil {
			known = append(known, t)
		}
	}
	return known, nil
}
