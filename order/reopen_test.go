package order

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever comes to a closed order: asking whether it goes on leaves it as it is,
// and what is said is what then happens. An order that goes on waits for something.
func TestWhetherAClosedOrderGoesOnIsOnlyAsked(t *testing.T) {
	spec := sale()
	spec.Policy.CloseAfter = Duration(24 * time.Hour)
	closed := &live(t, spec, sold(tick(24+25))...).s
	rapid.Check(t, func(t *rapid.T) {
		s, now := closed.Clone(), closed.Now
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			e := drawStep(t, s, &now)
			if !s.Closed {
				return
			}
			before := text(s)
			goesOn, err := Reopens(s, now, e)
			if is := text(s); is != before {
				t.Fatalf("asking with %T changed it:\n%s\n%s", e, before, is)
			}
			if err != nil {
				if goesOn {
					t.Fatalf("%T: refused (%v), and it goes on", e, err)
				}
				continue
			}
			Apply(s, e)
			if goesOn == s.Closed {
				t.Fatalf("%T %+v: goes on %v, closed %v", e, e, goesOn, s.Closed)
			}
			if goesOn && len(Waiting(s)) == 0 {
				t.Fatalf("%T %+v: it goes on and waits for nothing", e, e)
			}
		}
	})
}
