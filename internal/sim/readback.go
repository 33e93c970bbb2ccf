package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/waybillhq/waybill/order"
)

const (
	// Timelines are checked event by event for so many orders, and running
	// workflows asked for so many, spread over the whole run.
	timelineSample = 300
	liveSample     = 30
	pollEvery      = 2 * time.Second
	// atRest is how long a read model and its workflow may differ: an order that
	// is still escalating its cases moves between the two readings.
	atRest = 30 * time.Second
)

// waitSettled polls the list until it says of every order what it must come to
// say, or the time is over. Whether it is right is Compare's business.
func waitSettled(ctx context.Context, c *Client, plan *Schedule, limit time.Duration, say func(waiting int)) (settled bool, err error) {
	truth := make(map[string]Truth, len(plan.Orders))
	for _, o := range plan.Orders {
		truth[o.ID] = o.Truth
	}
	deadline := time.Now().Add(limit)
	for {
		list, err := c.List(ctx, plan.Store)
		if err != nil {
			return false, err
		}
		now := time.Now()
		waiting := maps.Clone(truth)
		for _, l := range list {
			t, ours := waiting[l.ID]
			late := t.Late
			if t.Fate == InFlight {
				late = now.After(t.Promised)
			}
			if ours && l.Status == t.Status && (t.Fate == Cancelled || l.Late == late) {
				delete(waiting, l.ID)
			}
		}
		if len(waiting) == 0 {
			return true, nil
		}
		if now.After(deadline) {
			return false, nil
		}
		say(len(waiting))
		if err := sleep(ctx, pollEvery); err != nil {
			return false, err
		}
	}
}

// readBack asks the engine about every planned order.
func readBack(ctx context.Context, c *Client, plan *Schedule, concurrency int) ([]Answer, error) {
	answers := make([]Answer, len(plan.Orders))
	index := make(map[string]int, len(plan.Orders))
	for i, o := range plan.Orders {
		index[o.ID] = i
	}
	list, err := c.List(ctx, plan.Store)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		if i, ours := index[l.ID]; ours {
			answers[i].Listed++
		}
	}
	timelines, live := sample(len(plan.Orders), timelineSample), sample(len(plan.Orders), liveSample)
	err = eachIndex(ctx, len(plan.Orders), concurrency, func(ctx context.Context, i int) error {
		a, id := &answers[i], plan.Orders[i].ID
		v, err := c.Order(ctx, id, false)
		if isStatus(err, 404) {
			return nil // lost; Compare says so
		}
		if err != nil {
			return err
		}
		a.Found, a.View, a.ReadAt = true, v, time.Now()
		if timelines[i] {
			if a.Timeline, a.Lag, err = c.Timeline(ctx, id); err != nil {
				return err
			}
			a.Checked = true
		}
		if live[i] {
			if a.Live, err = liveDifference(ctx, c, id); err != nil {
				return err
			}
			a.Asked = true
		}
		return nil
	})
	return answers, err
}

// liveDifference compares the read model with the running workflow: "" if they
// agree, as soon as the order is at rest.
func liveDifference(ctx context.Context, c *Client, id string) (string, error) {
	deadline := time.Now().Add(atRest)
	for {
		model, err := c.Order(ctx, id, false)
		if err != nil {
			return "", err
		}
		live, err := c.Order(ctx, id, true)
		if err != nil {
			return "", err
		}
		diff := viewDifference(model, live)
		if diff == "" || time.Now().After(deadline) {
			return diff, nil
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// viewDifference names the first field in which two views differ.
func viewDifference(model, live order.View) string {
	fields := func(v order.View) (m map[string]json.RawMessage) {
		b, _ := json.Marshal(v)
		_ = json.Unmarshal(b, &m)
		return m
	}
	a, b := fields(model), fields(live)
	names := slices.Collect(maps.Keys(a))
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if string(a[name]) != string(b[name]) {
			return fmt.Sprintf("%s %s, not %s", name, clipped(b[name]), clipped(a[name]))
		}
	}
	return ""
}

func clipped(b []byte) string {
	if len(b) > 200 {
		return string(b[:200]) + "…"
	}
	return string(b)
}

// sample marks k of n, evenly spread; all of them if there are no more.
func sample(n, k int) []bool {
	marks := make([]bool, n)
	for j := range min(n, k) {
		marks[j*n/min(n, k)] = true
	}
	return marks
}

// eachIndex calls f for 0..n-1, so many at once, until one fails.
func eachIndex(ctx context.Context, n, concurrency int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, concurrency) {
		wg.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
