package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/internal/intake"
)

// feedsOf lists the feeds to supervise: each credential, and each carrier that
// has a webhook secret and no credential. Of several credentials with one carrier
// the first watches over its pushes.
func feedsOf(secrets map[string][][]byte, credentials []ask.Credential, known carriers.Registry) []feed.Settings {
	var feeds []feed.Settings
	watched, named := map[string]bool{}, map[string]bool{}
	for _, c := range credentials {
		pushes := len(secrets[c.Carrier]) > 0 && !watched[c.Carrier]
		feeds = append(feeds, feed.Settings{
			Name: c.Name, Carrier: c.Carrier, Aggregates: aggregates(known, c.Carrier), Pushes: pushes,
			Asks: true, Batch: c.Batch, Subscribes: pushes && c.Subscribes, SubscribeBatch: c.SubscribeBatch,
		})
		watched[c.Carrier], named[c.Name] = true, true
	}
	for carrier := range secrets {
		if watched[carrier] {
			continue
		}
		name := carrier
		if named[name] { // somebody called another carrier's credential that
			name += "-push"
		}
		feeds = append(feeds, feed.Settings{Name: name, Carrier: carrier, Aggregates: aggregates(known, carrier), Pushes: true})
	}
	slices.SortFunc(feeds, func(a, b feed.Settings) int { return cmp.Compare(a.Name, b.Name) })
	return feeds
}

func aggregates(known carriers.Registry, carrier string) bool {
	a, err := known.Find(carrier)
	return err == nil && carriers.Can(a, carriers.Aggregates)
}

// startFeeds sees to it that each feed is supervised. One that is already goes on.
func (p *process) startFeeds(ctx context.Context, feeds []feed.Settings) {
	for _, f := range feeds {
		p.patiently(ctx, "feed "+f.Name+" is not supervised yet", func(ctx context.Context) error { return p.orders.StartFeed(ctx, f.Name, f.Carrier) })
	}
}

// patiently does something in Temporal, again and again until it succeeds or ctx ends.
func (p *process) patiently(ctx context.Context, trouble string, do func(context.Context) error) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		call, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := do(call)
		cancel()
		if err == nil {
			return
		}
		p.log.Warn(trouble, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// maxPause is how long a feed waits for the next call of a short window, like one
// a second. Whatever rests longer is left to the next look.
const maxPause = 6 * time.Second

// Ask tracks numbers under a credential. What the carrier says comes in by the
// same way as its pushes. That it knows none of them is an answer.
func (t *tracker) Ask(ctx context.Context, credential string, numbers []string) (int, error) {
	i := slices.IndexFunc(t.client.Credentials(), func(c ask.Credential) bool { return c.Name == credential })
	if i < 0 {
		return 0, fmt.Errorf("%w: no credential %s", activities.ErrNotNow, credential)
	}
	var n intake.Counts
	if err := paced(ctx, func() (err error) {
		_, n, err = t.take(ctx, t.client.Credentials()[i], "", numbers)
		return err
	}); err != nil {
		return 0, err
	}
	return n.Accepted + n.Orphan, nil
}

// Subscribe asks for pushes about numbers. Some that the carrier left out are not
// told apart: they are asked for every day, as all are.
func (t *tracker) Subscribe(ctx context.Context, credential string, numbers []string) (until time.Time, err error) {
	err = paced(ctx, func() (err error) {
		if until, err = t.client.Subscribe(ctx, credential, numbers); !until.IsZero() {
			return nil
		}
		return err
	})
	return until, err
}

// Budget reads what is left of a credential.
func (t *tracker) Budget(ctx context.Context, credential string) (feed.Budget, error) {
	left, err := t.client.Budget(ctx, credential)
	if err != nil {
		return feed.Budget{}, err
	}
	b := feed.Budget{RestUntil: left.Resting}
	for _, w := range left.Windows {
		b.Windows = append(b.Windows, feed.Window{Limit: w.Calls, Left: w.Left, Seconds: int(w.Per / time.Second)})
	}
	return b, nil
}

// paced calls, and again when a short window was full. An error that is not about
// the numbers is an activities.ErrNotNow.
func paced(ctx context.Context, call func() error) error {
	for try := 0; ; try++ {
		err := call()
		var problem *carriers.AskError
		if err == nil {
			return nil
		}
		if !errors.As(err, &problem) {
			return fmt.Errorf("%w: %w", activities.ErrNotNow, err)
		}
		rest := time.Until(problem.Until)
		switch problem.Reason {
		case carriers.NotFound, carriers.Already:
			return nil
		case carriers.BadRequest:
			return err
		case carriers.Limited:
			if problem.Until.IsZero() || rest > maxPause || try == 3 {
				return fmt.Errorf("%w: %w", activities.ErrNotNow, err)
			}
		case carriers.Unauthorized, carriers.Unavailable:
			return fmt.Errorf("%w: %w", activities.ErrNotNow, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(rest, 0)):
		}
	}
}
