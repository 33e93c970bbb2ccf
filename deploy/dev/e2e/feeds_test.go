package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/workflows"
)

// The worker supervises the feed of every carrier that has a webhook secret. One
// that was busy for weeks and stopped two hours ago is one fault; the next push
// begins its recovery.
func TestAFeedThatStopsIsOneFaultAndRecovers(t *testing.T) {
	s := open(t, "feed")
	const carrier = "usps" // no other test pushes for it
	exec := func(sql string) {
		t.Helper()
		if _, err := s.DB.Exec(s.ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, sql := range []string{`delete from parcels where order_id = 'feed:nobody'`, `delete from feed_hours where source = 'carrier:usps'`, `delete from faults where key = 'usps'`} {
			if _, err := s.DB.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
	id := workflows.FeedID(carrier)
	s.eventually("the feed is looked at", func() error {
		var v workflows.FeedView
		value, err := s.Temporal.QueryWorkflow(s.ctx, id, "", workflows.QueryFeed)
		if err == nil {
			err = value.Get(&v)
		}
		if err == nil && !v.Last.Configured {
			err = errors.New(v.Words)
		}
		return err
	})
	// look makes it look at once: its own next look is half an hour away.
	look := func() (v workflows.FeedView) {
		t.Helper()
		for _, u := range []client.UpdateWorkflowOptions{
			{UpdateName: workflows.UpdatePause, Args: []any{workflows.Pause{Until: time.Now().Add(time.Hour), Reason: "the next look"}}},
			{UpdateName: workflows.UpdateResume},
		} {
			u.WorkflowID, u.WaitForStage = id, client.WorkflowUpdateStageCompleted
			handle, err := s.Temporal.UpdateWorkflow(s.ctx, u)
			if err == nil {
				err = handle.Get(s.ctx, &v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return v
	}
	faults := func() (n int) {
		t.Helper()
		if err := s.DB.QueryRow(s.ctx, `select count(*) from faults where kind = 'silent_feed' and key = $1 and closed_at is null`, carrier).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	exec(`insert into parcels (order_id, id, position, carrier, tracking, milestone, since)
		select 'feed:nobody', i::text, i, 'usps', 'FEED' || i, 'in_transit', now() from generate_series(1, 2000) i`)
	exec(`insert into feed_hours (source, hour, events, minutes, last_at)
		select 'carrier:usps', h, 200, 58, h + interval '59 minutes' from generate_series(date_trunc('hour', now()) - interval '35 days', date_trunc('hour', now()) - interval '3 hours', interval '1 hour') h`)
	if v := look(); v.Phase != feed.Silent || faults() != 1 || v.Last.Open < 2000 || v.Trouble != "" {
		t.Fatalf("%d faults; %s", faults(), v.Words)
	}
	if v := look(); v.Phase != feed.Silent || faults() != 1 {
		t.Errorf("%d faults; %s", faults(), v.Words)
	}
	exec(`insert into feed_hours (source, hour, events, minutes, last_at) values ('carrier:usps', date_trunc('hour', now()), 1, 1, now())
		on conflict (source, hour) do update set last_at = now()`)
	if v := look(); v.Phase != feed.Recovering || faults() != 1 || !strings.Contains(v.Words, "usps push: recovering") {
		t.Errorf("%d faults; %s", faults(), v.Words)
	}
	t.Logf("\n%s", look().Words)
}
