package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// createDatabases makes those of the databases that are not there yet.
func createDatabases(ctx context.Context, server string, names ...string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, name := range names {
		var exists bool
		if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&exists); err != nil {
			return err
		}
		if exists {
			continue
		}
		if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// claimTemporal keeps a second stack, in another folder, off a server that both
// were given by its address: two Temporal servers that do not know of each
// other would fight over every shard. The claim ends with its connection.
func claimTemporal(ctx context.Context, server string) (release func() error, err error) {
	database, err := withDatabase(server, temporalDatabase)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	release = func() error { return conn.Close(context.Background()) }
	var ok bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock(hashtext('waybill dev stack'))").Scan(&ok); err != nil {
		return nil, errors.Join(fmt.Errorf("claim database %s: %w", temporalDatabase, err), release())
	}
	if !ok {
		return nil, errors.Join(errors.New("another stack runs a Temporal server on DATABASE_URL: stop it, or use another server"), release())
	}
	return release, nil
}
