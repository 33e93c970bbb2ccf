package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// most is the fullest that any stretch of the window's length ever was.
func most(calls []time.Time, per time.Duration) int {
	fullest := 0
	for _, from := range calls {
		n := 0
		for _, c := range calls {
			if !c.Before(from) && c.Before(from.Add(per)) {
				n++
			}
		}
		fullest = max(fullest, n)
	}
	return fullest
}

// The oracle keeps every call, by a clock that may go back, and counts: a call is
// good when it comes late enough after those before it, and no stretch of time is
// ever fuller than it may be.
func TestBudgetAgainstAnOracle(t *testing.T) {
	s := storetest.New(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		credential := "c" + time.Duration(run).String()
		windows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Window {
			return store.Window{Calls: rapid.IntRange(1, 6).Draw(t, "calls"), Per: time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second}
		}), 1, 3).Draw(t, "windows")
		at, rest := noon, time.Time{}
		var calls []time.Time
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(-1500, 4000).Draw(t, "pause")) * time.Millisecond)
			if rapid.IntRange(0, 9).Draw(t, "rests") == 0 {
				until := at.Add(time.Duration(rapid.IntRange(-5, 10).Draw(t, "rest")) * time.Second)
				if err := s.RestCalls(t.Context(), credential, until); err != nil {
					t.Fatal(err)
				}
				if until.After(rest) {
					rest = until
				}
			}
			may, next := !rest.After(at), rest
			for _, w := range windows {
				if n := len(calls) - w.Calls; n >= 0 {
					if free := calls[n].Add(w.Per); free.After(at) {
						may = false
						if free.After(next) {
							next = free
						}
					}
				}
			}
			b, err := s.Budget(t.Context(), credential, windows, at)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range windows {
				used := 0
				for _, c := range calls[max(0, len(calls)-w.Calls):] {
					if c.After(at.Add(-w.Per)) {
						used++
					}
				}
				if b.Windows[i].Left != w.Calls-used {
					t.Fatalf("left %v after %v", b.Windows, calls)
				}
			}
			if b.Resting.After(at) != rest.After(at) {
				t.Fatalf("resting until %v, want %v", b.Resting, rest)
			}
			granted, when, err := s.TakeCall(t.Context(), credential, windows, at)
			if err != nil {
				t.Fatal(err)
			}
			if granted != may {
				t.Fatalf("at %v granted %v, the oracle says %v: %v, %v", at, granted, may, windows, calls)
			}
			if !granted && !when.Equal(next) {
				t.Fatalf("next %v, the oracle says %v", when, next)
			}
			if granted {
				calls = append(calls, at)
			}
		}
		for _, w := range windows {
			if n := most(calls, w.Per); n > w.Calls {
				t.Fatalf("%d calls in %v, %d allowed", n, w.Per, w.Calls)
			}
		}
	})
}

// Many workers at once, by the database's clock.
func TestBudgetIsSharedByAllWorkers(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	windows := []store.Window{{Calls: 40, Per: time.Hour}, {Calls: 7, Per: 50 * time.Millisecond}}
	var mu sync.Mutex
	granted, refused := 0, 0
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			for range 40 {
				ok, next, err := s.TakeCall(t.Context(), "shared", windows, time.Time{})
				mu.Lock()
				switch {
				case err != nil:
					t.Error(err)
				case ok:
					granted++
				case next.IsZero():
					t.Error("refused without saying until when")
				default:
					refused++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if granted == 0 || granted > 40 || granted+refused != 960 {
		t.Errorf("%d granted, %d refused", granted, refused)
	}
	// What was granted stands in the row; no stretch of it is too full.
	var calls []time.Time
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	if err := db.QueryRow(t.Context(), `select calls from carrier_budgets where credential = 'shared'`).Scan(&calls); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(calls)
	if len(calls) != granted || most(calls, 50*time.Millisecond) > 7 {
		t.Errorf("%d of %d granted calls are logged, %d in 50 ms", len(calls), granted, most(calls, 50*time.Millisecond))
	}
}

func TestBudgetOfAHundredThousandADay(t *testing.T) {
	s := storetest.New(t)
	day := []store.Window{{Calls: 100_000, Per: 24 * time.Hour}}
	at, granted := noon, 0
	for range 1200 {
		ok, _, err := s.TakeCall(t.Context(), "big", day, at)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			granted++
		}
		at = at.Add(time.Millisecond)
	}
	// A hundredth of the day's calls in a hundredth of the day.
	if granted != 1000 {
		t.Errorf("%d granted at once", granted)
	}
	if b, err := s.Budget(t.Context(), "big", day, at); err != nil || b.Windows[0] != (store.WindowLeft{Window: store.Window{Calls: 1000, Per: 864 * time.Second}, Left: 0}) {
		t.Errorf("%+v, %v", b, err)
	}
	if ok, _, err := s.TakeCall(t.Context(), "big", day, noon.Add(864*time.Second)); err != nil || !ok {
		t.Errorf("granted %v, %v", ok, err)
	}
}

func TestClockThatGoesBack(t *testing.T) {
	s := storetest.New(t)
	w := []store.Window{{Calls: 2, Per: time.Minute}}
	for i, step := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {-time.Hour, true}, {-time.Hour, false}, {59 * time.Second, false}, {time.Minute, true}, {time.Minute, true}, {0, false}, {119 * time.Second, false}, {2 * time.Minute, true}} {
		if ok, _, err := s.TakeCall(t.Context(), "back", w, noon.Add(step.at)); err != nil || ok != step.want {
			t.Errorf("step %d: %v, %v", i, ok, err)
		}
	}
}

func TestBreaker(t *testing.T) {
	s := storetest.New(t)
	w := []store.Window{{Calls: 1000, Per: time.Second}}
	at := noon
	take := func(want bool) {
		t.Helper()
		ok, next, err := s.TakeCall(t.Context(), "c", w, at)
		if err != nil || ok != want {
			t.Fatalf("at %v granted %v (next %v), %v", at.Sub(noon), ok, next, err)
		}
	}
	fail := func() {
		t.Helper()
		if err := s.CallFailed(t.Context(), "c", at); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		take(true)
		fail()
	}
	if err := s.CallWorked(t.Context(), "c"); err != nil { // a success between ends the row
		t.Fatal(err)
	}
	for range 5 {
		take(true)
		fail()
	}
	take(false)
	at = at.Add(30 * time.Second)
	take(true)  // one tries
	take(false) // the others wait for it
	fail()
	at = at.Add(59 * time.Second)
	take(false) // twice as long
	at = at.Add(time.Second)
	take(true)
	b, err := s.Budget(t.Context(), "c", w, at)
	if err != nil || b.Failures != 6 || !b.Resting.After(at) {
		t.Errorf("%+v, %v", b, err)
	}
	if err := s.CallWorked(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	take(true)
	take(true)
	for range 60 { // it never rests longer than a quarter of an hour
		fail()
	}
	take(false)
	at = at.Add(15 * time.Minute)
	take(true)
}

func TestBudgetOfNobody(t *testing.T) {
	s := storetest.New(t)
	b, err := s.Budget(t.Context(), "nobody", []store.Window{{Calls: 60, Per: time.Hour}, {Calls: 5, Per: time.Minute}}, noon)
	if err != nil || len(b.Windows) != 2 || b.Windows[0].Left != 60 || b.Windows[1].Left != 5 || !b.Resting.IsZero() {
		t.Errorf("%+v, %v", b, err)
	}
	if _, _, err := s.TakeCall(t.Context(), "nobody", []store.Window{{}}, noon); err == nil {
		t.Error("a window of nothing is accepted")
	}
}
