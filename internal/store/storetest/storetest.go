// Package storetest gives each test a database of its own.
package storetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
)

// Env names a PostgreSQL server whose user may create databases. Without it a
// private one is started for the test process.
const Env = "WAYBILL_TEST_DATABASE_URL"

var (
	server   string // URL of the server's maintenance database
	template string // a migrated database to copy
	made     atomic.Int64
)

// Main runs a package's tests with a PostgreSQL server.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	stop, err := begin(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		return 1
	}
	defer stop()
	return m.Run()
}

func begin(ctx context.Context) (func(), error) {
	stop, err := func() {}, error(nil)
	if server = os.Getenv(Env); server == "" {
		if server, stop, err = private(ctx); err != nil {
			return nil, err
		}
	}
	template = fmt.Sprintf("waybill_test_%d", os.Getpid())
	if err := exec(ctx, "create database "+template); err != nil {
		stop()
		return nil, err
	}
	u, err := urlOf(template)
	if err == nil {
		_, _, err = store.Migrate(ctx, u)
	}
	end := func() {
		_ = exec(ctx, "drop database if exists "+template+" with (force)")
		stop()
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

func exec(ctx context.Context, sql string) error {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

func urlOf(database string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

// URL makes a migrated database for one test.
func URL(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("%s_%d", template, made.Add(1))
	if err := exec(t.Context(), "create database "+name+" template "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec(context.Background(), "drop database if exists "+name+" with (force)"); err != nil {
			t.Log(err)
		}
	})
	u, err := urlOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// New opens a store on a database of the test's own.
func New(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
