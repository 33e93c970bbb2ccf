package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// ReturnRow is a return of some order, as the list of the returns desk shows it.
type ReturnRow struct {
	OrderID  string `json:"order"`
	ID       string `json:"id"`
	State    string `json:"state"`
	Parcel   string `json:"parcel"`
	Carrier  string `json:"carrier,omitempty"`
	Tracking string `json:"tracking,omitempty"`
	Units    int    `json:"units"`
	// What it waits for next, who must act for that, and until when. Empty when it
	// waits for nothing.
	What        string     `json:"what,omitempty"`
	Owner       string     `json:"owner,omitempty"`
	Due         *time.Time `json:"due,omitempty"`
	RequestedAt time.Time  `json:"requested_at"`
	Since       time.Time  `json:"since"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`

	at time.Time // its place in the list
}

// ReturnFilter narrows the list of returns; empty fields match anything.
type ReturnFilter struct {
	Store, State, Owner string
	// Ended lists those of which nothing is left to do, the latest first; else the
	// open ones are listed, the earliest due first.
	Ended bool
	After ReturnCursor // continue after this row
	Limit int
}

// ReturnCursor is a place in a list of returns: when it is due, or ended.
type ReturnCursor struct {
	At          time.Time
	OrderID, ID string
}

// Cursor of the row itself.
func (r ReturnRow) Cursor() ReturnCursor { return ReturnCursor{r.at, r.OrderID, r.ID} }

// never is the due time of what waits for nothing, and the end of what has none.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// returnRows are the columns of an order's returns for the projection.
func returnRows(s *order.State) []any {
	n := len(s.Returns)
	id, state, parcel, carrier, tracking := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	what, owner, units := make([]string, n), make([]string, n), make([]int32, n)
	due, requested, since, ended := make([]time.Time, n), make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	waits := order.Waiting(s)
	for i := range s.Returns {
		r := &s.Returns[i]
		id[i], state[i], parcel[i], due[i] = r.ID, string(r.State), r.Parcel, never
		requested[i], since[i], ended[i] = r.RequestedAt, r.Since, orNil(r.EndedAt)
		for _, l := range r.Lines {
			units[i] += int32(l.Quantity)
		}
		if p := s.ParcelByID(r.Parcel); p != nil {
			carrier[i], tracking[i] = p.Carrier, p.Tracking
		}
		if w, ok := order.WaitOfReturn(waits, r); ok {
			what[i], owner[i], due[i] = w.What, string(w.Owner), w.Until
		}
	}
	return []any{id, state, parcel, carrier, tracking, units, what, owner, due, requested, since, ended}
}

// putReturns is the part of the projection that only orders with returns have.
const putReturns = `
), r as (
    select * from unnest($55::text[], $56::text[], $57::text[], $58::text[], $59::text[], $60::int[], $61::text[], $62::text[], $63::timestamptz[], $64::timestamptz[], $65::timestamptz[], $66::timestamptz[])
        as r (id, state, parcel, carrier, tracking, units, what, owner, due, requested_at, since, ended_at)
), undone as (
    delete from returns x using o where x.order_id = o.id and not exists (select from r where r.id = x.id)
), returned as (
    insert into returns (order_id, store, id, state, parcel, carrier, tracking, units, what, owner, due, requested_at, since, ended_at)
    select o.id, $43, r.* from o, r
    on conflict (order_id, id) do update set state = excluded.state, parcel = excluded.parcel, carrier = excluded.carrier, tracking = excluded.tracking, units = excluded.units,
        what = excluded.what, owner = excluded.owner, due = excluded.due, requested_at = excluded.requested_at, since = excluded.since, ended_at = excluded.ended_at
        where (returns.state, returns.parcel, returns.carrier, returns.tracking, returns.units, returns.what, returns.owner, returns.due, returns.requested_at, returns.since, returns.ended_at)
            is distinct from (excluded.state, excluded.parcel, excluded.carrier, excluded.tracking, excluded.units, excluded.what, excluded.owner, excluded.due, excluded.requested_at, excluded.since, excluded.ended_at)`

// Returns lists returns: the open ones by when they are due, or the ended ones.
//
// A worker that died after it had written an order's first return may leave a row
// that the order forgot, and a statement without returns does not look for it. So
// the order is looked at: it has returns, or the row is no more.
func (s *Store) Returns(ctx context.Context, f ReturnFilter) ([]ReturnRow, error) {
	var w where
	at, after, down := "due", ">", ""
	if f.Ended {
		at, after, down = "ended_at", "<", " desc"
		w.and(`ended_at is not null`)
	} else {
		w.and(`ended_at is null`)
	}
	for _, c := range []struct{ column, value string }{{"store", f.Store}, {"state", f.State}, {"owner", f.Owner}} {
		if c.value != "" {
			w.and(`r.`+c.column+` = ?`, c.value)
		}
	}
	if !f.After.At.IsZero() {
		w.and(`(`+at+`, order_id, r.id) `+after+` (?, ?, ?)`, f.After.At, f.After.OrderID, f.After.ID)
	}
	w.and(`exists (select from orders o where o.id = r.order_id and o.state->'returns' is not null)`)
	rows, err := s.pool.Query(ctx, `
select order_id, id, state, parcel, carrier, tracking, units, what, owner, nullif(due, '9999-01-01Z'), requested_at, since, ended_at, `+at+`
from returns r `+w.String()+` order by `+at+down+`, order_id`+down+`, id`+down+` limit `+limited(f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("returns: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ReturnRow, err error) {
		return r, row.Scan(&r.OrderID, &r.ID, &r.State, &r.Parcel, &r.Carrier, &r.Tracking, &r.Units, &r.What, &r.Owner, &r.Due, &r.RequestedAt, &r.Since, &r.EndedAt, &r.at)
	})
	if err != nil {
		return nil, fmt.Errorf("returns: %w", err)
	}
	return list, nil
}
