package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// CaseRow is an open case of some order, as the work list shows it.
type CaseRow struct {
	OrderID   string     `json:"order"`
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Parcel    string     `json:"parcel,omitempty"`
	Owner     string     `json:"owner"`
	Severity  string     `json:"severity,omitempty"`
	Level     int        `json:"level,omitempty"` // times escalated
	Assignee  string     `json:"assignee,omitempty"`
	OpenedAt  time.Time  `json:"opened_at"`
	Due       time.Time  `json:"due"`
	NoticedAt *time.Time `json:"noticed_at,omitempty"`
	Text      string     `json:"text,omitempty"`
}

// CaseFilter narrows the work list; empty fields match anything.
type CaseFilter struct {
	Store, Kind, Owner, Severity, Assignee string
	DueBefore                              time.Time
	After                                  CaseCursor // continue after this row
	Limit                                  int
}

// CaseCursor is a place in the work list, the earliest due first.
type CaseCursor struct {
	Due                   time.Time
	OrderID, Kind, Parcel string
}

// Cursor of the row itself.
func (r CaseRow) Cursor() CaseCursor { return CaseCursor{r.Due, r.OrderID, r.Kind, r.Parcel} }

// caseRows are the columns of the open cases for the projection.
func caseRows(s *order.State) []any {
	n := len(s.Cases)
	kind, parcel, id, owner, severity := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	level, assignee, body := make([]int32, n), make([]string, n), make([]string, n)
	opened, due, noticed := make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	for i := range s.Cases {
		c := &s.Cases[i]
		kind[i], parcel[i], id[i], owner[i], severity[i] = string(c.Kind), c.Parcel, c.ID, string(c.Owner), string(c.Severity)
		level[i], assignee[i], body[i] = int32(c.Level), c.Assignee, c.Text
		opened[i], due[i], noticed[i] = c.OpenedAt, c.Due, orNil(c.NoticedAt)
	}
	return []any{kind, parcel, id, owner, severity, level, assignee, opened, due, noticed, body}
}

// Cases lists open cases, the earliest due first.
func (s *Store) Cases(ctx context.Context, f CaseFilter) ([]CaseRow, error) {
	var w where
	for _, c := range []struct{ column, value string }{{"store", f.Store}, {"kind", f.Kind}, {"owner", f.Owner}, {"severity", f.Severity}} {
		if c.value != "" {
			w.and(c.column+` = ?`, c.value)
		}
	}
	if f.Assignee != "" {
		w.and(`assignee = ? and assignee <> ''`, f.Assignee)
	}
	if !f.DueBefore.IsZero() {
		w.and(`due < ?`, f.DueBefore)
	}
	if !f.After.Due.IsZero() {
		w.and(`(due, order_id, kind, parcel) > (?, ?, ?, ?)`, f.After.Due, f.After.OrderID, f.After.Kind, f.After.Parcel)
	}
	rows, err := s.pool.Query(ctx, `
select order_id, id, kind, parcel, owner, severity, level, assignee, opened_at, due, noticed_at, body
from cases `+w.String()+` order by due, order_id, kind, parcel limit `+limited(f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[CaseRow])
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return list, nil
}

// Queue is what one team has to do.
type Queue struct {
	Owner string `json:"owner"`
	Open  int    `json:"open"`
	Due   int    `json:"due"` // those whose time is over
}

// Queues counts the open cases of each team that has any.
func (s *Store) Queues(ctx context.Context, now time.Time) ([]Queue, error) {
	rows, err := s.pool.Query(ctx, `select owner, count(*), count(*) filter (where due <= $1) from cases group by owner order by owner`, now)
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Queue])
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	return list, nil
}
