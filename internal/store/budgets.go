package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// Window bounds calls: at most Calls in any stretch of length Per.
type Window struct {
	Calls int
	Per   time.Duration
}

// maxLog is how many calls of a credential are remembered.
const maxLog = 1000

// logged is a window that the remembered calls can judge. A larger one is cut
// into equal parts: who keeps 1,000 in every 864 seconds keeps 100,000 a day.
func (w Window) logged() Window {
	parts := (w.Calls + maxLog - 1) / maxLog
	if parts <= 1 {
		return w
	}
	return Window{w.Calls / parts, time.Duration(math.Ceil(float64(w.Per) / float64(parts)))}
}

// The breaker opens after this many failures in a row, for breakerRest, twice as
// long after each more, up to breakerMax. Then one call at a time may try again,
// and has breakerTry to come back.
const (
	breakerAfter = 5
	breakerRest  = 30 * time.Second
	breakerMax   = 15 * time.Minute
	breakerTry   = 30 * time.Second
)

// TakeCall asks for one call under a credential. It says granted, or when to ask
// again. Every call comes at least a window's length after the one that was
// granted as many calls before it; so no stretch of that length holds more,
// whichever way a clock jumps. The row is locked while it is judged: that holds
// among all workers. A zero time means now by the database's clock.
func (s *Store) TakeCall(ctx context.Context, credential string, windows []Window, at time.Time) (granted bool, next time.Time, err error) {
	calls, per, most := make([]int, len(windows)), make([]time.Duration, len(windows)), 1
	for i, w := range windows {
		if w.Calls < 1 || w.Per <= 0 {
			return false, next, fmt.Errorf("take a call of %s: window %d in %v", credential, w.Calls, w.Per)
		}
		w = w.logged()
		calls[i], per[i] = w.Calls, w.Per
		most = max(most, w.Calls)
	}
	var later *time.Time
	err = s.pool.QueryRow(ctx, `
insert into carrier_budgets as b (credential, calls, next_at) values ($1, array[coalesce($4, clock_timestamp())], coalesce($4, clock_timestamp()))
on conflict (credential) do update set (granted, next_at, calls, open_until) = (
    select at >= next, next,
        case when at >= next then (at || b.calls)[1:$5] else b.calls end,
        case when at >= next and b.failures >= $6 then at + $7::interval else b.open_until end
    from (select coalesce($4, clock_timestamp()) as at) clock,
        lateral (select greatest(b.rest_until, b.open_until, max(b.calls[w.n] + w.per)) as next
            from unnest($2::int[], $3::interval[]) as w (n, per)) judged)
returning granted, case when not granted then next_at end`, credential, calls, per, stamp(at), most, breakerAfter, breakerTry).Scan(&granted, &later)
	if err != nil {
		return false, next, fmt.Errorf("take a call of %s: %w", credential, err)
	}
	if later != nil {
		next = *later
	}
	return granted, next, nil
}

// RestCalls lets nobody call under a credential until then: the carrier said so.
func (s *Store) RestCalls(ctx context.Context, credential string, until time.Time) error {
	_, err := s.pool.Exec(ctx, `insert into carrier_budgets as b (credential, rest_until) values ($1, $2)
on conflict (credential) do update set rest_until = greatest(b.rest_until, excluded.rest_until)`, credential, until)
	if err != nil {
		return fmt.Errorf("rest %s: %w", credential, err)
	}
	return nil
}

// CallFailed counts a failure of the carrier, CallWorked ends the row of them.
// Enough in a row open the breaker.
func (s *Store) CallFailed(ctx context.Context, credential string, at time.Time) error {
	_, err := s.pool.Exec(ctx, `insert into carrier_budgets as b (credential, failures) values ($1, 1)
on conflict (credential) do update set failures = least(b.failures + 1, 1000),
    open_until = case when b.failures + 1 < $3 then b.open_until
        else greatest(b.open_until, coalesce($2, clock_timestamp()) + least($4::interval * power(2, least(b.failures + 1 - $3, 20)), $5::interval)) end`,
		credential, stamp(at), breakerAfter, breakerRest, breakerMax)
	if err != nil {
		return fmt.Errorf("failure of %s: %w", credential, err)
	}
	return nil
}

// CallWorked closes the breaker. It writes only where there was a failure.
func (s *Store) CallWorked(ctx context.Context, credential string) error {
	_, err := s.pool.Exec(ctx, `update carrier_budgets set failures = 0, open_until = '-infinity' where credential = $1 and failures > 0`, credential)
	if err != nil {
		return fmt.Errorf("success of %s: %w", credential, err)
	}
	return nil
}

// Budget is what is left of a credential.
type Budget struct {
	Windows []WindowLeft
	// Resting until then, because the carrier asked for it or failed too often;
	// zero when not resting.
	Resting  time.Time
	Failures int // in a row
}

// WindowLeft is a window and how many calls it still holds now. A window of more
// than a thousand calls is given as the part of it that is kept: 100,000 a day as
// 1,000 in 864 s.
type WindowLeft struct {
	Window
	Left int
}

// Budget reads what is left of a credential, and changes nothing.
func (s *Store) Budget(ctx context.Context, credential string, windows []Window, at time.Time) (Budget, error) {
	b := Budget{Windows: make([]WindowLeft, len(windows))}
	calls, per := make([]int, len(windows)), make([]time.Duration, len(windows))
	for i, w := range windows {
		w = w.logged()
		b.Windows[i], calls[i], per[i] = WindowLeft{w, w.Calls}, w.Calls, w.Per
	}
	var resting *time.Time
	var used []int
	err := s.pool.QueryRow(ctx, `
select array(select (select count(*)::int from unnest(b.calls[1:w.n]) c where c > at - w.per) from unnest($2::int[], $3::interval[]) with ordinality as w (n, per, i) order by i),
    case when greatest(rest_until, open_until) > at then greatest(rest_until, open_until) end, failures
from carrier_budgets b, (select coalesce($4, clock_timestamp()) as at) clock where credential = $1`, credential, calls, per, stamp(at)).Scan(&used, &resting, &b.Failures)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return b, nil // never asked yet
	case err != nil:
		return b, fmt.Errorf("budget of %s: %w", credential, err)
	}
	for i, n := range used {
		b.Windows[i].Left -= n
	}
	if resting != nil {
		b.Resting = *resting
	}
	return b, nil
}

// stamp is a time for a statement; nil lets the database say.
func stamp(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
