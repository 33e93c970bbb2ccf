package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/waybillhq/waybill/internal/feed"
)

// Names as ops read them in a feed's history.
const (
	LookAtFeed         = "LookAtFeed"
	ReportFeed         = "ReportFeed"
	RenewSubscriptions = "RenewSubscriptions"
	PollParcels        = "PollParcels"
)

// FeedStore is what feeds are judged by.
type FeedStore interface {
	// RollUpFeeds counts what came in, and returns up to when.
	RollUpFeeds(ctx context.Context) (time.Time, error)
	FeedHours(ctx context.Context, source string) ([]feed.Hour, error)
	PushedSince(ctx context.Context, source string, since time.Time) (int, error)
	FeedCounts(ctx context.Context, f feed.Settings, now, missed time.Time) (feed.Counts, error)
	ParcelsToAsk(ctx context.Context, f feed.Settings, p feed.Poll, limit int) ([]feed.Parcel, error)
	Asked(ctx context.Context, f feed.Settings, numbers []string, at time.Time) error
	Subscriptions(ctx context.Context, f feed.Settings, now time.Time, limit int) ([]feed.Subscription, error)
	Subscribed(ctx context.Context, f feed.Settings, numbers []string, at, until time.Time) error
	Refused(ctx context.Context, f feed.Settings, numbers []string, at time.Time) error
	ReportFeed(ctx context.Context, r feed.Report, at time.Time) error
}

// FeedCarrier asks a carrier with one of our credentials. Every call spends the
// credential's budget.
type FeedCarrier interface {
	// Ask tracks numbers, at most the feed's batch. What the carrier says comes in
	// as facts; events says how many those were.
	Ask(ctx context.Context, credential string, numbers []string) (events int, err error)
	// Subscribe asks for pushes about numbers, until a time; zero: for good.
	Subscribe(ctx context.Context, credential string, numbers []string) (until time.Time, err error)
	Budget(ctx context.Context, credential string) (feed.Budget, error)
}

// ErrNotNow marks an error that is not about the numbers: the budget is spent,
// the carrier is away, or it does not know us. The next look tries again.
var ErrNotNow = errors.New("the carrier cannot be asked now")

// Feeds is what supervising feeds needs. Settings are those of this worker's
// configuration.
type Feeds struct {
	Settings []feed.Settings
	Store    FeedStore
	Carrier  FeedCarrier // may be nil where no feed asks
	Now      func() time.Time
}

// mostDue bounds the subscriptions that one look considers; mostAsked the
// parcels that one poll chooses from, twice.
const (
	mostDue   = 2000
	mostAsked = 2000
)

func (fs *Feeds) named(name string) (feed.Settings, bool) {
	i := slices.IndexFunc(fs.Settings, func(f feed.Settings) bool { return f.Name == name })
	if i < 0 {
		return feed.Settings{}, false
	}
	return fs.Settings[i], true
}

// FeedQuestion names a feed; Missed is as in feed.State.
type FeedQuestion struct {
	Feed   string    `json:"feed"`
	Missed time.Time `json:"missed,omitzero"`
}

// Look reads how a feed does. A feed that this worker does not know is no error:
// another one may know it.
func (fs *Feeds) Look(ctx context.Context, q FeedQuestion) (feed.Look, error) {
	f, ok := fs.named(q.Feed)
	if !ok {
		return feed.Look{}, nil
	}
	l := feed.Look{Settings: f, Configured: true}
	var err error
	if l.AsOf, err = fs.Store.RollUpFeeds(ctx); err != nil {
		return l, err
	}
	if l.Counts, err = fs.Store.FeedCounts(ctx, f, fs.Now(), q.Missed); err != nil {
		return l, err
	}
	if f.Pushes {
		hours, err := fs.Store.FeedHours(ctx, f.Source())
		if err != nil {
			return l, err
		}
		if len(hours) > 0 {
			l.LastPush = hours[len(hours)-1].Last
			r := feed.Learn(hours, l.LastPush)
			l.QuietAt, l.SilentAt = r.Thresholds(l.LastPush, l.Open)
			l.Usual = r.Usual(l.AsOf)
		}
		if l.LastHour, err = fs.Store.PushedSince(ctx, f.Source(), l.AsOf.Add(-time.Hour)); err != nil {
			return l, err
		}
	}
	if f.Subscribes {
		due, err := fs.due(ctx, f)
		if err != nil {
			return l, err
		}
		l.Renew = len(due)
	}
	if f.Asks {
		if l.Budget, err = fs.Carrier.Budget(ctx, f.Name); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (fs *Feeds) due(ctx context.Context, f feed.Settings) ([]string, error) {
	now := fs.Now()
	list, err := fs.Store.Subscriptions(ctx, f, now, mostDue)
	if err != nil {
		return nil, err
	}
	return feed.Due(list, feed.TermsOf(f.Carrier), now), nil
}

// FeedWork is a renewal of at most Calls calls, or a poll.
type FeedWork struct {
	Feed  string     `json:"feed"`
	Calls int        `json:"calls,omitempty"`
	Poll  *feed.Poll `json:"poll,omitempty"`
}

// FeedDone says how many numbers were done, what came of it, and the first
// trouble on the way.
type FeedDone struct {
	Numbers int    `json:"numbers"`
	Events  int    `json:"events,omitempty"`
	Trouble string `json:"trouble,omitempty"`
}

// Poll asks for the parcels that need it most. What was asked is noted after each
// call, so that a second try goes on where the first one ended.
func (fs *Feeds) Poll(ctx context.Context, w FeedWork) (FeedDone, error) {
	f, ok := fs.named(w.Feed)
	if !ok || !f.Asks || w.Poll == nil {
		return FeedDone{}, nil
	}
	batch := max(1, f.Batch)
	parcels, err := fs.Store.ParcelsToAsk(ctx, f, *w.Poll, mostAsked)
	if err != nil {
		return FeedDone{}, err
	}
	var done FeedDone
	numbers := feed.Pick(parcels, w.Poll.Calls*batch, w.Poll.Turn)
	err = fs.each(ctx, numbers, batch, &done, func(part []string) error {
		events, err := fs.Carrier.Ask(ctx, f.Name, part)
		if errors.Is(err, ErrNotNow) || ctx.Err() != nil {
			return err
		}
		done.Events += events
		done.failed(err)
		// A number that the carrier refuses is asked for in its turn again, not
		// before all others.
		return fs.Store.Asked(ctx, f, part, fs.Now())
	})
	return done, err
}

// Renew makes the subscriptions that are due, and renews those that are about to
// end.
func (fs *Feeds) Renew(ctx context.Context, w FeedWork) (FeedDone, error) {
	f, ok := fs.named(w.Feed)
	if !ok || !f.Subscribes {
		return FeedDone{}, nil
	}
	batch := max(1, f.SubscribeBatch)
	due, err := fs.due(ctx, f)
	if err != nil {
		return FeedDone{}, err
	}
	var done FeedDone
	err = fs.each(ctx, due[:min(len(due), w.Calls*batch)], batch, &done, func(part []string) error {
		until, err := fs.Carrier.Subscribe(ctx, f.Name, part)
		switch {
		case errors.Is(err, ErrNotNow) || ctx.Err() != nil:
			return err
		case err != nil:
			done.failed(err)
			return fs.Store.Refused(ctx, f, part, fs.Now())
		}
		return fs.Store.Subscribed(ctx, f, part, fs.Now(), until)
	})
	return done, err
}

// each does numbers batch by batch. It stops without an error when the carrier
// cannot be asked now.
func (fs *Feeds) each(ctx context.Context, numbers []string, batch int, done *FeedDone, do func([]string) error) error {
	for part := range slices.Chunk(numbers, batch) {
		err := do(part)
		if errors.Is(err, ErrNotNow) {
			done.failed(err)
			return nil
		}
		if err != nil {
			return err
		}
		done.Numbers += len(part)
		activity.RecordHeartbeat(ctx, done.Numbers)
	}
	return nil
}

func (d *FeedDone) failed(err error) {
	if err != nil && d.Trouble == "" {
		d.Trouble = fmt.Sprintf("%.200s", err)
	}
}

// Report opens the feed's case or closes it.
func (fs *Feeds) Report(ctx context.Context, r feed.Report) error {
	return fs.Store.ReportFeed(ctx, r, fs.Now())
}
