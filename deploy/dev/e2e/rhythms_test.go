package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// The worker keeps the schedule; a night measures, writes the policy that takes
// rhythms by itself, and brings it to the order that is open.
func TestANightsLearningReachesOpenOrders(t *testing.T) {
	s := open(t, "learn")
	vans := s.store + "-vans"
	name := s.policy("learning", func(p *order.Policy) { p.RhythmsLearned = order.LearnAutomatic })
	o := s.newOrder("open")
	o.Policy = name
	id := s.create(o)
	s.eventually("the order runs", func() error {
		_, err := s.Orders.View(s.ctx, id)
		return err
	})
	t.Cleanup(func() {
		for _, table := range []string{"inbox where source", "parcels where carrier"} {
			if _, err := s.DB.Exec(context.Background(), fmt.Sprintf(`delete from %s in ($1, 'carrier:' || $1)`, table), vans); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.DB.Exec(context.Background(), `delete from orders where store = $1`, vans); err != nil {
			t.Error(err)
		}
	})
	for _, sql := range []string{
		`insert into orders (id, store, number, spec, request_hash, token_hash, customer_ref, class, placed_at, closed, started_at) select $1 || ':' || i, $1, i::text, '{}', '', ($1 || i)::bytea, 'c', 'routine', now(), true, now() from generate_series(1, 150) i`,
		`insert into parcels (order_id, id, position, carrier, tracking, milestone, since) select $1 || ':' || i, '1', 0, $1, upper($1) || i, 'delivered', now() - interval '1 day' from generate_series(1, 150) i`,
		`insert into inbox (source, event_id, kind, order_id, parcel_id, milestone, physical, occurred_at, due_at, sent_at)
			select 'carrier:' || $1, i || '-' || k, 'carrier_event', $1 || ':' || i, '1', case k when 2 then 'delivered' else 'in_transit' end, true, now() - interval '1 day' - (2 - k) * interval '40 hours', now(), now()
			from generate_series(1, 150) i, generate_series(0, 2) k`,
	} {
		if _, err := s.DB.Exec(s.ctx, sql, vans); err != nil {
			t.Fatal(err)
		}
	}
	night := s.Temporal.ScheduleClient().GetHandle(s.ctx, workflows.LearnSchedule)
	s.eventually("the schedule is there, and the night begins", func() error { return night.Trigger(s.ctx, client.ScheduleTriggerOptions{}) })
	s.eventually("the open order follows the policy that was learned", func() error {
		v, err := s.Orders.View(s.ctx, id)
		if err != nil {
			return err
		}
		if v.Policy != name+" v2" {
			return errors.New(v.Policy)
		}
		return nil
	})
	var p order.Policy
	if err := s.need(s.API.Get(s.ctx, "/v1/policies/"+name)).Into(&p); err != nil {
		t.Fatal(err)
	}
	// Other tests' carriers may have taught something too.
	if !slices.Contains(p.Rhythms, order.Rhythm{Carrier: vans, Gap: order.Duration(42 * time.Hour), Learned: true}) {
		t.Errorf("%+v", p.Rhythms)
	}
	// Another start of a worker writes nothing; another time moves the schedule, and
	// leaves it paused for who paused it.
	described := func() (d *client.ScheduleDescription) {
		t.Helper()
		d, err := night.Describe(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if err := night.Pause(s.ctx, client.SchedulePauseOptions{Note: "inventory"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Orders.ScheduleLearning(context.Background(), 3, 30), night.Unpause(context.Background(), client.ScheduleUnpauseOptions{})); err != nil {
			t.Error(err)
		}
	})
	before := described()
	if err := s.Orders.ScheduleLearning(s.ctx, 3, 30); err != nil {
		t.Fatal(err)
	}
	if now := described(); !now.Info.LastUpdateAt.Equal(before.Info.LastUpdateAt) {
		t.Error("the schedule was written again")
	}
	if err := s.Orders.ScheduleLearning(s.ctx, 4, 15); err != nil {
		t.Fatal(err)
	}
	if now := described(); now.Schedule.Spec.Calendars[0].Hour[0].Start != 4 || now.Schedule.Spec.Calendars[0].Minute[0].Start != 15 || !now.Schedule.State.Paused {
		t.Errorf("%+v %+v", now.Schedule.Spec.Calendars, now.Schedule.State)
	}
}
