// Package store keeps what must outlive everything else: accepted facts, the
// read model, personal data, keys and the audit trail, in PostgreSQL.
package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

const versionTable = "schema_version"

// Store is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	stop context.CancelFunc

	intake    chan *acceptance
	gathering sync.Mutex
	turn      chan struct{} // held by the writer that need not wait for another
}

// Open connects and starts the intake. It does not migrate.
func Open(ctx context.Context, url string) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if cfg.MaxConns < 16 {
		cfg.MaxConns = 16
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "waybill"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A statement that hangs must not hold a request or a workflow task.
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = "15s"
	// Every statement is meant to go by an index. Tables begin empty, and a plan
	// that was made and kept then would walk them whole when they are not. None is
	// worth compiling.
	cfg.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	// The same plan for the same statement: planning the large ones costs more than
	// running them.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerColumns(c)
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	run, stop := context.WithCancel(context.Background())
	s := &Store{pool: pool, intake: make(chan *acceptance, 1024), turn: make(chan struct{}, 1), stop: stop}
	for range intakeWriters {
		go s.takeIn(run)
	}
	return s, nil
}

// Close ends the intake and all connections.
func (s *Store) Close() {
	s.stop()
	s.pool.Close()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// Migrate brings the schema to this binary's version. A newer schema is left
// alone and reported: an older binary must not touch it.
func Migrate(ctx context.Context, url string) (from, to int32, err error) {
	err = withMigrator(ctx, url, func(m *migrate.Migrator) error {
		if from, err = m.GetCurrentVersion(ctx); err != nil {
			return err
		}
		to = int32(len(m.Migrations))
		if from > to {
			return tooNew(from, to)
		}
		return m.Migrate(ctx)
	})
	return from, to, err
}

// CheckSchema says why this binary cannot work with the schema as it is.
func CheckSchema(ctx context.Context, url string) error {
	return withMigrator(ctx, url, func(m *migrate.Migrator) error {
		have, err := m.GetCurrentVersion(ctx)
		if err != nil {
			return err
		}
		want := int32(len(m.Migrations))
		switch {
		case have > want:
			return tooNew(have, want)
		case have < want:
			return fmt.Errorf("the database schema is at version %d, this binary needs %d: run `waybill migrate`", have, want)
		}
		return nil
	})
}

func tooNew(have, want int32) error {
	return fmt.Errorf("the database schema is at version %d, newer than the %d this binary knows: use a newer waybill", have, want)
}

func withMigrator(ctx context.Context, url string, f func(*migrate.Migrator) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	m, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := m.LoadMigrations(dir); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return f(m)
}

// Leader holds a session lock that one process at a time can have; it is lost
// with the connection. Release gives it back.
type Leader struct{ conn *pgxpool.Conn }

// relayLock names the relay's lock among PostgreSQL's advisory locks.
const relayLock = 0x57617962 // "Wayb"

// Lead tries to become the leading relay; nil if another one leads.
func (s *Store) Lead(ctx context.Context) (*Leader, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("relay lock: %w", err)
	}
	var ok bool
	if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, relayLock).Scan(&ok); err != nil {
		conn.Release()
		return nil, fmt.Errorf("relay lock: %w", err)
	}
	if !ok {
		conn.Release()
		return nil, nil
	}
	return &Leader{conn}, nil
}

// Holds says whether the lock's connection is still there.
func (l *Leader) Holds(ctx context.Context) error { return l.conn.Ping(ctx) }

// Release gives the lock back.
func (l *Leader) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := l.conn.Exec(ctx, `select pg_advisory_unlock($1)`, relayLock); err != nil {
		_ = l.conn.Conn().Close(ctx) // the lock goes with the session
	}
	l.conn.Release()
}

// one maps "no rows" to ErrNotFound.
func one(what string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
