package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/feed"
)

// feedsOf lists the feeds to supervise: a carrier with a webhook secret pushes.
func feedsOf(secrets map[string][][]byte, known carriers.Registry) []feed.Settings {
	var feeds []feed.Settings
	for carrier := range secrets {
		f := feed.Settings{Name: carrier, Carrier: carrier, Pushes: true}
		if a, err := known.Find(carrier); err == nil {
			f.Aggregates = carriers.Can(a, carriers.Aggregates)
		}
		feeds = append(feeds, f)
	}
	slices.SortFunc(feeds, func(a, b feed.Settings) int { return cmp.Compare(a.Name, b.Name) })
	return feeds
}

// startFeeds sees to it that each feed is supervised. One that is already goes on.
func (p *process) startFeeds(ctx context.Context, feeds []feed.Settings) {
	for _, f := range feeds {
		for wait := time.Second; ; wait = min(2*wait, time.Minute) {
			call, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := p.orders.StartFeed(call, f.Name, f.Carrier)
			cancel()
			if err == nil {
				break
			}
			p.log.Warn("feed not supervised yet", "feed", f.Name, "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}
}
