package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybillhq/waybill/workflows"
)

// manyOpen opens idle orders and runs the same lives again among them, each time
// when nothing is left to do of what went before: the row asks what it costs to have
// them open, not what it cost to open them.
func (b *bench) manyOpen(ctx context.Context, row report) error {
	if b.open == 0 {
		return nil
	}
	var warm, few, many tally
	if err := b.run(ctx, "waybill", b.flight, true, &warm); err != nil {
		return err
	}
	none, err := b.settled(ctx)
	if err != nil {
		return err
	}
	if err := b.run(ctx, "waybill", b.options.alone, true, &few); err != nil {
		return err
	}
	if _, err := inFlight(ctx, b.open, b.flight, func(ctx context.Context, i int) error {
		number := b.name("idle", i)
		if err := b.create(ctx, number); err != nil {
			return err
		}
		return b.ear.wait(ctx, "bench:"+number, 0, false)
	}); err != nil {
		return err
	}
	idle, err := b.settled(ctx)
	if err != nil {
		return err
	}
	if err := b.run(ctx, "waybill", b.options.alone, true, &many); err != nil {
		return err
	}
	ratio := many.perSecond() / few.perSecond()
	row(fmt.Sprintf("processor while nothing happens, with %d idle open orders", b.open), fmt.Sprintf("%s a second (%s with none)", idle.Round(time.Millisecond), none.Round(time.Millisecond)), "-", true)
	row(fmt.Sprintf("events/s with %d idle open orders against none", b.open), fmt.Sprintf("%.2fx (%.0f against %.0f; processor %.2fx: %s against %s an order)", ratio, float64(len(life))*many.perSecond(), float64(len(life))*few.perSecond(),
		few.perOrder().Seconds()/many.perOrder().Seconds(), many.perOrder().Round(time.Millisecond), few.perOrder().Round(time.Millisecond)), ">= 0.9x", ratio >= 0.9)
	return nil
}

// settled waits until nothing is left to do: every fact told, every order begun,
// everything planned, Temporal's visibility caught up, tables vacuumed and analyzed,
// and the processor as quiet as it gets. It returns what that takes of it in a second.
func (b *bench) settled(ctx context.Context) (perSecond time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for what, query := range map[string]string{
		"facts to be told":      `select count(*) from inbox where sent_at is null and order_id is not null and due_at <= now()`,
		"orders to begin":       `select count(*) from orders where started_at is null`,
		"happenings to plan by": `select count(*) from happenings, message_plan where id > upto`,
	} {
		if err := b.none(ctx, what, func(ctx context.Context) (n int64, err error) {
			err = b.pool.QueryRow(ctx, query).Scan(&n)
			return n, err
		}); err != nil {
			return 0, err
		}
	}
	if err := b.none(ctx, "workflows that visibility lacks", func(ctx context.Context) (int64, error) {
		var open int64
		if err := b.pool.QueryRow(ctx, `select count(*) from orders where not closed`).Scan(&open); err != nil {
			return 0, err
		}
		seen, err := b.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: b.orders.Namespace, Query: "WorkflowType = '" + workflows.OrderType + "' and ExecutionStatus = 'Running'"})
		return seen.GetCount() - open, err
	}); err != nil {
		return 0, err
	}
	if err := b.vacuum(ctx); err != nil {
		return 0, err
	}
	if err := b.none(ctx, "autovacuums", func(ctx context.Context) (n int64, err error) {
		err = b.pool.QueryRow(ctx, `select count(*) from pg_stat_activity where backend_type = 'autovacuum worker'`).Scan(&n)
		return n, err
	}); err != nil {
		return 0, err
	}
	// Quiet: three spells in a row that took no less than the ones before.
	runtime.GC()
	for same := 0; same < 3; {
		const spell = 2 * time.Second
		before, start := b.costs(), time.Now()
		select {
		case <-time.After(spell):
		case <-ctx.Done():
			return 0, fmt.Errorf("it never grows quiet: %w", ctx.Err())
		}
		now := time.Duration(float64(b.costs().since(before).sum()) / time.Since(start).Seconds())
		if perSecond == 0 || now < perSecond*9/10 {
			perSecond, same = now, 0
			continue
		}
		same++
	}
	return perSecond, nil
}

// vacuum does for all databases, Temporal's too, what would come in the background
// at some time, and writes out what changed.
func (b *bench) vacuum(ctx context.Context) error {
	rows, err := b.pool.Query(ctx, `select datname from pg_database where datallowconn and not datistemplate`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		cfg := b.pool.Config().ConnConfig
		cfg.Database = name
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `vacuum (analyze)`)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			return fmt.Errorf("vacuum %s: %w", name, err)
		}
	}
	_, err = b.pool.Exec(ctx, `checkpoint`)
	return err
}

// none waits until a count is 0.
func (b *bench) none(ctx context.Context, what string, count func(context.Context) (int64, error)) error {
	for {
		n, err := count(ctx)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d %s are left: %w", n, what, ctx.Err())
		}
	}
}
