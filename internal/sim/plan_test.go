package sim

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

func TestDataSetIsWhatItsReadmeSays(t *testing.T) {
	sales := realSales(t, 0)
	status, late, split, noItems := map[string]int{}, 0, 0, 0
	for _, s := range sales {
		status[s.Status]++
		if s.LateInItsOwnTerms() {
			late++
		}
		if s.Customer.Ref == "" || s.Customer.City == "" || len(s.Customer.Zip) != 5 {
			t.Fatalf("order %s: customer %+v", s.ID, s.Customer)
		}
		if len(s.Items) == 0 {
			noItems++
		}
		for _, it := range s.Items {
			if it.SellerCity == "" || it.Cents <= 0 {
				t.Fatalf("order %s: item %+v", s.ID, it)
			}
			if it.Seller != s.Items[0].Seller {
				split++
				break
			}
		}
	}
	want := map[string]int{"delivered": 9649, "shipped": 104, "unavailable": 98, "canceled": 57, "processing": 47, "invoiced": 43, "created": 2}
	if !reflect.DeepEqual(status, want) || late != 574 || noItems != 111 || split != 101 {
		t.Errorf("status %v, late %d, without items %d, split %d", status, late, noItems, split)
	}
	first := sales[0]
	if first.ID != "e481f51cbdc54678b7cc49136f2d6af7" || !first.Delivered.Equal(time.Date(2017, 10, 10, 21, 25, 13, 0, time.UTC)) {
		t.Errorf("first order %+v", first)
	}
}

func TestOffsetAndLimitTakeTheSameRows(t *testing.T) {
	all := realSales(t, 30)
	part, err := LoadOlist(dataDir(t), 10, 5)
	if err != nil || !reflect.DeepEqual(part, all[10:15]) {
		t.Fatalf("offset 10, limit 5: %v, %v", err, part)
	}
}

func TestMissingDataSetIsSaidClearly(t *testing.T) {
	if _, err := LoadOlist(t.TempDir(), 0, 1); !errors.Is(err, ErrNoData) {
		t.Fatal(err)
	}
}

func TestClockIsLinearAndMonotone(t *testing.T) {
	for _, day := range []time.Duration{MinDay, 250 * time.Millisecond, time.Second, 7 * time.Second, realDay} {
		c := Clock{Start: testStart, Earliest: moment("2017-01-05 12:01"), Day: day}
		last := c.At(c.Earliest)
		if !last.Equal(testStart) {
			t.Fatalf("%s: begins at %s", day, last)
		}
		for n := 1; n <= 500; n++ {
			real := c.Earliest.Add(time.Duration(n) * realDay)
			at := c.At(real)
			if want := testStart.Add(time.Duration(n) * day).Truncate(time.Microsecond); !at.Equal(want) {
				t.Fatalf("%s: day %d at %s, not %s", day, n, at, want)
			}
			if !at.After(last) || c.At(real.Add(time.Second)).Before(at) {
				t.Fatalf("%s: not monotone at day %d", day, n)
			}
			if back := c.Back(at).Sub(real).Abs(); back > c.Unspan(time.Microsecond)+time.Microsecond {
				t.Fatalf("%s: day %d comes back %s off", day, n, back)
			}
			last = at
		}
	}
	if d := (Clock{Day: MinDay}).Unspan(1000 * time.Hour); d <= 0 {
		t.Errorf("an immense span overflows to %s", d)
	}
}

func TestSamePlanForSameSeed(t *testing.T) {
	sales := realSales(t, 200)
	text := func(o PlanOptions) string {
		b, err := json.Marshal(Plan(sales, o))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	o := testOptions()
	one, two := text(o), text(o)
	if one != two {
		t.Error("the same seed gives another plan")
	}
	if o.Seed = 2; text(o) == one {
		t.Error("another seed gives the same plan")
	}
	// An order looks the same whichever others are taken along.
	alone := Plan(sales[7:8], testOptions()).Orders[0]
	among := Plan(sales, testOptions()).Orders[7]
	if len(alone.Facts) != len(among.Facts) || alone.Facts[3].ID() != among.Facts[3].ID() {
		t.Error("an order depends on its neighbours")
	}
}

// Every invented scan lies between its milestones, in order, and the real times
// are kept exactly. All 10,000 orders.
func TestInventedScansLieBetweenTheRealTimes(t *testing.T) {
	sales := realSales(t, 0)
	plan := Plan(sales, testOptions())
	at := plan.Clock.At
	ids := map[string]bool{}
	trackings := map[string]string{}
	for i, s := range sales {
		o := &plan.Orders[i]
		if i%7 == 0 { // all of them would take longer than planning them
			if err := order.CheckSpec(o.Create.spec(plan.Policy), testStart.AddDate(0, 0, 1)); err != nil {
				t.Fatalf("%s: the engine would refuse it: %v", o.ID, err)
			}
		}
		if len(o.Facts) > 0 && (s.Status == "created" || s.Status == "invoiced" || s.Status == "unavailable" || s.Status == "approved") {
			t.Fatalf("%s is %s and has %d facts", s.ID, s.Status, len(o.Facts))
		}
		var accepted, delivered time.Time
		carrier := map[string]int{}
		var before Fact
		for _, f := range o.Facts {
			if ids[f.ID()] {
				t.Fatalf("event %s twice", f.ID())
			}
			ids[f.ID()] = true
			if f.At().Before(at(s.Purchase)) || !s.Delivered.IsZero() && f.At().After(at(s.Delivered)) {
				t.Fatalf("%s: %s at %s, outside %s..%s", o.ID, f.ID(), f.At(), at(s.Purchase), at(s.Delivered))
			}
			if before.Parcel == f.Parcel && f.At().Before(before.At()) {
				t.Fatalf("%s: %s happens before %s", o.ID, f.ID(), before.ID())
			}
			before = f
			if f.Event == nil {
				continue
			}
			carrier[f.Parcel]++
			if was, ok := trackings[f.Event.Tracking]; ok && was != o.ID+f.Parcel {
				t.Fatalf("tracking %s has two parcels", f.Event.Tracking)
			}
			trackings[f.Event.Tracking] = o.ID + f.Parcel
			switch f.Event.Milestone {
			case order.Accepted:
				if accepted.IsZero() || f.At().Before(accepted) {
					accepted = f.At()
				}
			case order.Delivered:
				if f.At().After(delivered) {
					delivered = f.At()
				}
			default:
			}
		}
		for parcel, n := range carrier {
			if n < 10 || n > 25 {
				t.Fatalf("%s parcel %s has %d carrier scans", o.ID, parcel, n)
			}
		}
		switch s.Status {
		case "delivered":
			if len(carrier) != len(o.Create.Parcels) {
				t.Fatalf("%s: %d of %d parcels with the carrier", o.ID, len(carrier), len(o.Create.Parcels))
			}
			if !s.Delivered.IsZero() && !delivered.Equal(at(s.Delivered)) {
				t.Fatalf("%s: delivered %s, not %s", o.ID, delivered, at(s.Delivered))
			}
			if s.Carrier.Before(s.Delivered) && !accepted.Equal(at(s.Carrier)) {
				t.Fatalf("%s: accepted %s, not %s", o.ID, accepted, at(s.Carrier))
			}
		case "canceled":
			if o.Cancel.IsZero() || o.Cancel.Before(at(s.Approved)) || len(carrier) > 0 {
				t.Fatalf("%s: cancelled at %s, %v", o.ID, o.Cancel, carrier)
			}
		default:
			if !delivered.IsZero() {
				t.Fatalf("%s is %s and delivered", o.ID, s.Status)
			}
		}
	}
	want := map[Oddity]int{BeforeHandover: 7, BeforeApproval: 16, NoApproval: 3, NoDelivery: 1, NoItems: 111}
	if !reflect.DeepEqual(plan.Oddities, want) {
		t.Errorf("odd in the data: %v", plan.Oddities)
	}
}

func TestScheduleHasItsShareOfTrouble(t *testing.T) {
	plan := Plan(realSales(t, 1000), testOptions())
	c := plan.Counts
	share := func(what string, n, of int, low, high float64) {
		if x := float64(n) / float64(of); x < low || x > high {
			t.Errorf("%s: %d of %d are %.3f, not %.2f to %.2f", what, n, of, x, low, high)
		}
	}
	share("sent again", c.Repeats, c.Facts, 0.09, 0.11)
	share("held back", c.Held, c.Facts, 0.09, 0.12)
	share("overtaken", c.Overtaken, c.Facts, 0.04, 0.12)
	share("orphans", c.Orphans, c.Facts, 0.003, 0.03)
	share("asked for again", c.CreatesAgain, c.Orders, 0.015, 0.05)
	if !slices.IsSortedFunc(plan.Actions, func(a, b Action) int { return a.Due.Compare(b.Due) }) {
		t.Error("the schedule is not in order of time")
	}
	heldDeliveries := 0
	first := map[[2]int]bool{}
	for _, a := range plan.Actions {
		o := &plan.Orders[a.Order]
		if a.Kind != PostFact {
			continue
		}
		f := o.Facts[a.Fact]
		if a.Due.Before(f.At()) {
			t.Fatalf("%s is posted %s before it happens", f.ID(), f.At().Sub(a.Due))
		}
		if late := plan.Clock.Unspan(a.Due.Sub(f.At())); late > 60*realDay {
			t.Fatalf("%s is posted %s late", f.ID(), late)
		}
		key := [2]int{a.Order, a.Fact}
		if a.Repeat && !first[key] {
			t.Fatalf("%s is repeated before it was posted", f.ID())
		}
		first[key] = true
		if a.Held && !a.Repeat && f.Event != nil && f.Event.Milestone == order.Delivered {
			heldDeliveries++
		}
	}
	if len(first) != c.Facts {
		t.Errorf("%d of %d facts are posted", len(first), c.Facts)
	}
	if heldDeliveries == 0 {
		t.Error("no delivery comes late")
	}
}

// The API takes durations with six decimals at most, down to milliseconds.
func TestPolicyCanBeSent(t *testing.T) {
	for _, day := range []time.Duration{MinDay, 33 * time.Millisecond, time.Second, 7 * time.Second} {
		p := policyFor(day, 449*day+123456789)
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", day, err)
		}
		for _, d := range []order.Duration{p.Pick, p.CheckAnswer, p.CloseAfter, p.Future} {
			if d := time.Duration(d); d < time.Millisecond || d%time.Microsecond != 0 {
				t.Errorf("day %s: %s cannot be written", day, d)
			}
		}
	}
}
