package store

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Traffic counts what goes to the database: statements, and how often somebody waited
// for it to answer.
type Traffic struct{ Statements, Trips atomic.Int64 }

func (c *Traffic) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Statements.Add(1)
	c.Trips.Add(1)
	return ctx
}
func (c *Traffic) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *Traffic) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.Trips.Add(1)
	return ctx
}

func (c *Traffic) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {
	c.Statements.Add(1)
}
func (c *Traffic) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// Count counts what a store does from now on.
func Count(t *testing.T, s *Store) *Traffic {
	t.Helper()
	c := &Traffic{}
	cfg := s.pool.Config()
	cfg.ConnConfig.Tracer = c
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	old := s.pool
	s.pool = pool
	t.Cleanup(old.Close)
	return c
}
