package sim

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

func allTaken(int, int) bool { return true }

func handmadePlan() (*Schedule, []Answer) {
	plan := Plan(handmade(), testOptions())
	return &plan, perfect(&plan, plan.Clock.At(moment("2017-03-30 00:00")))
}

func TestFaultlessEngineAgrees(t *testing.T) {
	plan, answers := handmadePlan()
	r := Compare(plan, answers, allTaken)
	if err := r.Err(); err != nil {
		t.Fatalf("%v: %+v", err, r.Disagreements)
	}
	want := Totals{Orders: 12, Delivered: 6, Cancelled: 1, InFlight: 5, Late: 1, Overdue: 5}
	want.Mean = r.Data.Mean
	if r.Data != want || r.Agree != 12 || r.Timelines != 12 || r.Live != 12 {
		t.Errorf("data %+v, agree %d, timelines %d, live %d", r.Data, r.Agree, r.Timelines, r.Live)
	}
	if off := (r.Engine.Mean - r.Data.Mean).Abs(); off > time.Second {
		t.Errorf("mean %s, not %s", r.Engine.Mean, r.Data.Mean)
	}
	var out bytes.Buffer
	r.Print(&out)
	if strings.Contains(out.String(), "DIFFERS") || !strings.Contains(out.String(), "12 of 12 orders agree") {
		t.Error(out.String())
	}
}

// The first 300 real orders through the rules themselves, without a server.
func TestRulesAgreeWithTheDataSet(t *testing.T) {
	plan := Plan(realSales(t, 300), testOptions())
	r := Compare(&plan, perfect(&plan, plan.last().Add(time.Hour)), allTaken)
	if err := r.Err(); err != nil {
		t.Fatalf("%v: %+v", err, r.Disagreements[:min(5, len(r.Disagreements))])
	}
	if r.Data.Delivered != 291 || r.Data.Late != 16 || r.Data.InFlight != 9 {
		t.Errorf("%+v", r.Data)
	}
}

func TestPlantedFaultsAreFound(t *testing.T) {
	// Places in handmade.
	const intime, late, split, shipped, canceled = 0, 1, 3, 7, 8
	for _, c := range []struct {
		name  string
		plant func(plan *Schedule, a []Answer)
		order int
		what  string
	}{
		{"lost order", func(_ *Schedule, a []Answer) { a[intime] = Answer{} }, intime, "order"},
		{"not in the list", func(_ *Schedule, a []Answer) { a[intime].Listed = 0 }, intime, "order"},
		{"order twice", func(_ *Schedule, a []Answer) { a[split].Listed = 2 }, split, "order"},
		{"not delivered", func(_ *Schedule, a []Answer) { a[intime].View.Status = order.StatusShipped }, intime, "status"},
		{"partly delivered", func(_ *Schedule, a []Answer) { a[split].View.Status = order.StatusPartiallyDelivered }, split, "status"},
		{"in flight, another status", func(_ *Schedule, a []Answer) { a[shipped].View.Status = order.StatusPreparing }, shipped, "status"},
		{"cancel ignored", func(_ *Schedule, a []Answer) { a[canceled].View.Status = order.StatusPreparing }, canceled, "status"},
		{"a microsecond off", func(_ *Schedule, a []Answer) {
			a[intime].View.DeliveredAt = a[intime].View.DeliveredAt.Add(time.Microsecond)
		}, intime, "delivered at"},
		{"possession from the hand-over", func(_ *Schedule, a []Answer) {
			a[intime].View.Parcels[0].PossessionAt = a[intime].View.Parcels[0].PossessionAt.Add(-time.Millisecond)
		}, intime, "with the carrier at"},
		{"late not seen", func(_ *Schedule, a []Answer) { a[late].View.Late = false }, late, "late"},
		{"late wrongly", func(_ *Schedule, a []Answer) { a[intime].View.Late = true }, intime, "late"},
		{"promise timer never fired", func(_ *Schedule, a []Answer) {
			a[shipped].View.Late, a[shipped].ReadAt = false, a[shipped].View.PromisedAt.Add(time.Minute)
		}, shipped, "late"},
		{"event lost", func(_ *Schedule, a []Answer) { a[intime].Timeline = a[intime].Timeline[1:] }, intime, "event"},
		{"event twice", func(_ *Schedule, a []Answer) {
			a[intime].Timeline = append(a[intime].Timeline, a[intime].Timeline[4])
		}, intime, "event"},
		{"event of another order", func(_ *Schedule, a []Answer) {
			a[intime].Timeline = append(a[intime].Timeline, a[late].Timeline[0])
		}, intime, "event"},
		{"read model behind", func(_ *Schedule, a []Answer) { a[intime].Live = "status delivered, not shipped" }, intime, "read model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, answers := handmadePlan()
			c.plant(plan, answers)
			r := Compare(plan, answers, allTaken)
			if !errors.Is(r.Err(), ErrDisagree) {
				t.Fatal("not found")
			}
			for _, d := range r.Disagreements {
				if d.Order != plan.Orders[c.order].ID {
					t.Errorf("blames %s: %+v", d.Order, d)
				}
			}
			if d := r.Disagreements[0]; !strings.HasPrefix(d.What, c.what) {
				t.Errorf("says %+v, not %s", d, c.what)
			}
			if r.Agree != 11 {
				t.Errorf("%d agree", r.Agree)
			}
		})
	}
}

func TestViewDifference(t *testing.T) {
	_, answers := handmadePlan()
	a, b := answers[0].View, answers[0].View
	if d := viewDifference(a, b); d != "" {
		t.Fatal(d)
	}
	b.Seq++
	if d := viewDifference(a, b); !strings.HasPrefix(d, "seq") {
		t.Fatal(d)
	}
}

func TestSampleIsSpread(t *testing.T) {
	for _, n := range []int{0, 1, 29, 30, 31, 10000} {
		got := 0
		for _, on := range sample(n, 30) {
			if on {
				got++
			}
		}
		if got != min(n, 30) {
			t.Errorf("%d of %d", got, n)
		}
	}
}
