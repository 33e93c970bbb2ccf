package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

const (
	// calendarNotice is how long before its calendars end ops hear of a policy.
	calendarNotice = 60 * 24 * time.Hour
	// inUse: a policy is, if an order of so long ago or less was placed under it.
	inUse = 90 * 24 * time.Hour
	// byEngine closes faults that no person closed.
	byEngine = "engine"
)

// WatchCalendars opens a fault for each policy in use whose newest version has
// calendars that end soon, and closes those that are none any more. One that a
// person closed is not opened again for the same end.
func (s *Store) WatchCalendars(ctx context.Context, now time.Time) error {
	books, err := s.Policies(ctx)
	if err != nil {
		return err
	}
	for _, b := range books {
		end := b.CalendarsEnd()
		if end.IsZero() || end.Sub(now) > calendarNotice {
			if _, err := s.CloseFault(ctx, CalendarEnds, b.Name, byEngine, fmt.Sprintf("version %d has no calendar that ends soon", b.Version), now); err != nil {
				return err
			}
			continue
		}
		last := end.AddDate(0, 0, -1).Format(time.DateOnly)
		_, err := s.pool.Exec(ctx, `
insert into faults (kind, key, title, sample, count, opened_at, last_at)
select $1, $2, $3, $4, 1, $5, $5 where not exists (select from faults where kind = $1 and key = $2 and title = $3 and (closed_at is null or closed_by <> $7))
    and exists (select from orders where placed_at > $6 and spec->'policy'->>'name' = $2)
on conflict (kind, key) where closed_at is null do nothing`,
			CalendarEnds, b.Name, "The calendars of the policy "+b.Name+" end on "+last,
			fmt.Sprintf("After %s no holiday and no change of clocks is known to orders under version %d. Apply the policy's file again: what it says of every year is read anew.", last, b.Version), now, now.Add(-inUse), byEngine)
		if err != nil {
			return fmt.Errorf("calendars of policy %s: %w", b.Name, err)
		}
	}
	return nil
}

// calendarsApplied closes the fault of a policy whose calendars reach further now.
func calendarsApplied(ctx context.Context, tx pgx.Tx, b order.PolicyBook) error {
	var end *time.Time // none: the policy has no calendars
	if at := b.CalendarsEnd(); !at.IsZero() {
		end = &at
	}
	_, err := tx.Exec(ctx, `update faults set closed_at = now(), closed_by = $3, resolution = $4
where kind = $1 and key = $2 and closed_at is null and coalesce($5::timestamptz > now() + $6::interval, true)`,
		CalendarEnds, b.Name, byEngine, fmt.Sprintf("version %d was applied", b.Version), end, calendarNotice)
	return err
}
