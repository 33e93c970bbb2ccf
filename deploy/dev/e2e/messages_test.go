package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/sim"
	"github.com/waybillhq/waybill/order"
)

// buyerMessage is one message to a buyer, as its row says.
type buyerMessage struct {
	Order, Occasion, Kind, Channel, Status, Reason string
	Parcels                                        []string
	AttemptedAt                                    *time.Time
}

// reached is one milestone as the order told it, and when the read model had it.
type reached struct {
	Order, Parcel, Milestone string
	RecordedAt               time.Time
}

// Real orders at a pace at which many messages go between their milestones: a year
// takes a minute, and a message two seconds. The crash run checks the same, at a
// pace at which most of what is on the way is no longer true when its turn comes.
func TestSoakBuyersHearWhatIsTrue(t *testing.T) {
	if os.Getenv("WAYBILL_SOAK") == "" {
		t.Skip("takes more than a minute; WAYBILL_SOAK=1 runs it")
	}
	s := open(t, "told")
	var out posting
	out.over = make(chan struct{})
	report, err := sim.Olist(s.ctx, sim.OlistOptions{Dir: olistDir(t), Limit: 60, Day: 150 * time.Millisecond, Settle: 60 * time.Second,
		BaseURL: s.API.Base, Keys: sim.Keys(s.Access.Keys), Store: s.store, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if report.Agree != report.Data.Orders {
		t.Errorf("%d of %d orders agree\n%s", report.Agree, report.Data.Orders, out.String())
	}
	s.agrees()
	s.toldBuyers(300*time.Millisecond, "confirmation email", "shipped email", "delivered email") // two days of these orders
}

// toldBuyers checks what the buyers of all orders heard, once everything is
// planned and settled: nothing but what the matrix allows, nothing twice, nothing
// shipped before a carrier had it, and nothing that the read model did not say
// when it was sent. The slack is how far the clock of a message and that of a row
// may be apart: a transaction begins before it commits, and a decision waits for
// the one before it. Somebody must have heard what must names.
func (s *shop) toldBuyers(slack time.Duration, must ...string) {
	s.Helper()
	s.eventually("all happenings are planned for", func() error {
		if n := s.count(`select count(*) from happenings h join orders o on o.id = h.order_id, message_plan p where o.store = $1 and h.id > p.upto`, s.store); n > 0 {
			return fmt.Errorf("%d are not", n)
		}
		return nil
	})
	// What a killed worker was sending is looked for when its lease has ended.
	if err := rig.WaitFor(s.ctx, 5*time.Minute, func(context.Context) error {
		if n := s.count(`select count(*) from messages m join orders o on o.id = m.order_id where o.store = $1 and m.status in ('planned', 'sending', 'unclear')`, s.store); n > 0 {
			return fmt.Errorf("%d are not", n)
		}
		return nil
	}); err != nil {
		s.Fatalf("all messages are settled: %v", err)
	}
	rows, err := s.DB.Query(s.ctx, `select m.order_id, m.occasion, m.kind, m.channel, m.status, m.reason, m.told, m.attempted_at from messages m join orders o on o.id = m.order_id
where o.store = $1 and m.audience = 'buyer' order by m.order_id, m.attempted_at`, s.store)
	if err != nil {
		s.Fatal(err)
	}
	messages, err := pgx.CollectRows(rows, pgx.RowToStructByPos[buyerMessage])
	if err != nil {
		s.Fatal(err)
	}
	if rows, err = s.DB.Query(s.ctx, `select h.order_id, h.parcel, h.milestone, h.recorded_at from happenings h join orders o on o.id = h.order_id
where o.store = $1 and h.type in ('milestone_reached', 'milestone_corrected') order by h.order_id, h.parcel, h.seq, h.n`, s.store); err != nil {
		s.Fatal(err)
	}
	story, err := pgx.CollectRows(rows, pgx.RowToStructByPos[reached])
	if err != nil {
		s.Fatal(err)
	}

	tally, said := map[string]int{}, map[string]bool{}
	for _, m := range messages {
		sent := m.Status == "sent" || m.Status == "delivered"
		if !sent {
			tally[m.Kind+" "+m.Status+": "+m.Reason]++
			if m.Status == "failed" && m.Reason != "no address" {
				s.Errorf("%s of %s failed: %s", m.Occasion, m.Order, m.Reason)
			}
			continue
		}
		tally[m.Kind+" "+m.Channel]++
		if order.DefaultChannels(m.Kind, order.Routine) == nil {
			s.Errorf("%s: %q is in no matrix", m.Order, m.Kind)
		}
		for _, parcel := range m.Parcels {
			key := m.Order + " " + m.Kind + " " + parcel
			if again := said[key]; again && m.Kind == "shipped" {
				s.Errorf("%s was said twice", key)
			}
			said[key] = true
			allowed := map[string][]order.Milestone{"shipped": {order.Accepted, order.InTransit, order.InCustoms}, "out_for_delivery": {order.OutForDelivery}, "delivered": {order.Delivered},
				"attempt_failed": {order.AttemptFailed}, "ready_for_pickup": {order.ReadyForPickup}}[m.Kind]
			if allowed == nil {
				continue
			}
			if had := around(story, m.Order, parcel, *m.AttemptedAt, slack); !slices.ContainsFunc(had, func(at string) bool { return slices.Contains(allowed, order.Milestone(at)) }) {
				s.Errorf("%s was said at %s, when the read model said %v", key, m.AttemptedAt.Format(time.StampMilli), had)
			}
		}
		if key := m.Order + " " + m.Occasion; said[key] {
			s.Errorf("%s was told twice", key)
		} else {
			said[key] = true
		}
	}
	var lines []string
	for what, n := range tally {
		lines = append(lines, fmt.Sprintf("%5d %s", n, what))
	}
	slices.Sort(lines)
	s.Logf("messages to buyers:\n%s", strings.Join(lines, "\n"))
	for _, m := range must {
		if tally[m] == 0 {
			s.Errorf("nobody got %s", m)
		}
	}
}

// around is where a parcel stood when a message about it went out, and within the
// slack before and after.
func around(story []reached, id, parcel string, at time.Time, slack time.Duration) (had []string) {
	last := string(order.Expected)
	for _, r := range story {
		switch {
		case r.Order != id || r.Parcel != parcel:
		case r.RecordedAt.Before(at.Add(-slack)):
			last = r.Milestone
		case r.RecordedAt.Before(at.Add(slack)):
			had = append(had, r.Milestone)
		}
	}
	return append(had, last)
}
