package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// feedWorld is a carrier that pushes 200 events an hour around the clock, but
// not in an outage, and answers when it is asked.
type feedWorld struct {
	mu           sync.Mutex
	now          func() time.Time
	from, to     time.Time // the outage
	parcels      map[string]time.Time
	unsubscribed int
	away         bool
	storeAway    int

	asked, subscribed []string
	reports           []feed.Report
	looks             int
}

func (w *feedWorld) dead(at time.Time) bool { return !at.Before(w.from) && at.Before(w.to) }

func (w *feedWorld) last() time.Time {
	if now := w.now(); w.dead(now) {
		return w.from
	}
	return w.now()
}

func (w *feedWorld) RollUpFeeds(context.Context) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if w.storeAway > 0 {
		w.storeAway--
		return time.Time{}, errors.New("the database is away")
	}
	return w.now(), nil
}

func (w *feedWorld) FeedHours(context.Context, string) ([]feed.Hour, error) {
	var hours []feed.Hour
	end := w.last()
	for at := end.Truncate(time.Hour).Add(-feed.Memory); !at.After(end); at = at.Add(time.Hour) {
		if !w.dead(at) || at.Before(w.from) {
			hours = append(hours, feed.Hour{Start: at, Events: 200, Minutes: 58, Last: at.Add(59 * time.Minute)})
		}
	}
	hours[len(hours)-1].Last = end
	return hours, nil
}

func (w *feedWorld) PushedSince(_ context.Context, _ string, since time.Time) (int, error) {
	n := 0
	for at := since; at.Before(w.now()); at = at.Add(time.Minute) {
		if !w.dead(at) {
			n += 3
		}
	}
	return n, nil
}

func (w *feedWorld) FeedCounts(_ context.Context, _ feed.Settings, now, missed time.Time) (feed.Counts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := feed.Counts{Open: 5000}
	for _, asked := range w.parcels {
		if asked.Before(now.Add(-feed.AskUnpushed)) {
			c.UnheardHours++
		}
		if asked.Before(now.Add(-feed.AskPushed)) {
			c.UnheardDay++
		}
		if asked.Before(missed) {
			c.Missed++
		}
	}
	return c, nil
}

func (w *feedWorld) ParcelsToAsk(_ context.Context, _ feed.Settings, p feed.Poll, _ int) ([]feed.Parcel, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []feed.Parcel
	for number, asked := range w.parcels {
		if asked.Before(p.HeardBefore) || asked.Before(p.AskedBefore) {
			list = append(list, feed.Parcel{Tracking: number, Heard: asked})
		}
	}
	return list, nil
}

func (w *feedWorld) Asked(_ context.Context, _ feed.Settings, numbers []string, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range numbers {
		w.parcels[n] = at
	}
	return nil
}

func (w *feedWorld) Subscriptions(_ context.Context, _ feed.Settings, now time.Time, _ int) ([]feed.Subscription, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []feed.Subscription
	for i := range w.unsubscribed {
		list = append(list, feed.Subscription{Tracking: fmt.Sprint("new ", i), BoundAt: now})
	}
	return list, nil
}

func (w *feedWorld) Subscribed(_ context.Context, _ feed.Settings, numbers []string, _, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsubscribed -= len(numbers)
	w.subscribed = append(w.subscribed, numbers...)
	return nil
}

func (w *feedWorld) Refused(context.Context, feed.Settings, []string, time.Time) error { return nil }

func (w *feedWorld) ReportFeed(_ context.Context, r feed.Report, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
	return nil
}

func (w *feedWorld) Ask(_ context.Context, _ string, numbers []string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		return 0, fmt.Errorf("503: %w", activities.ErrNotNow)
	}
	w.asked = append(w.asked, numbers...)
	if slices.Contains(numbers, "refused") {
		return 0, errors.New("no such number")
	}
	return 1, nil
}

func (w *feedWorld) Subscribe(context.Context, string, []string) (time.Time, error) {
	return w.now().Add(14 * day), nil
}

func (w *feedWorld) Budget(context.Context, string) (feed.Budget, error) {
	return feed.Budget{Windows: []feed.Window{{Limit: 60, Left: 60, Seconds: 3600}}}, nil
}

type feedLife struct {
	*testing.T
	*feedWorld
	env *testsuite.TestWorkflowEnvironment
}

var upsFeed = feed.Settings{Name: "ups-main", Carrier: "ups", Pushes: true, Asks: true, Batch: 1, Subscribes: true, SubscribeBatch: 100}

func newFeed(t *testing.T, settings ...feed.Settings) *feedLife {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	l := &feedLife{T: t, feedWorld: &feedWorld{parcels: map[string]time.Time{}}, env: suite.NewTestWorkflowEnvironment()}
	l.env.SetStartTime(start)
	l.env.SetTestTimeout(30 * time.Second)
	l.now = func() time.Time { return l.env.Now().UTC() }
	worker.Register(l.env, &activities.Activities{Feeds: &activities.Feeds{Settings: settings, Store: l.feedWorld, Carrier: l.feedWorld, Now: l.now}})
	return l
}

// run lets the feed go on for a time: it never ends by itself.
func (l *feedLife) run(long time.Duration) {
	l.Helper()
	l.env.RegisterDelayedCallback(func() { l.env.SetCurrentHistoryLength(1 << 20) }, long)
	l.env.ExecuteWorkflow(workflows.FeedType, workflows.FeedInput{Name: "ups-main"})
	if err := l.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "continue as new") {
		l.Fatalf("ended with %v", err)
	}
}

func (l *feedLife) view() (v workflows.FeedView) {
	l.Helper()
	value, err := l.env.QueryWorkflow(workflows.QueryFeed)
	if err == nil {
		err = value.Get(&v)
	}
	if err != nil {
		l.Fatal(err)
	}
	return v
}

func (l *feedLife) at(after time.Duration, what func(workflows.FeedView)) {
	l.env.RegisterDelayedCallback(func() { what(l.view()) }, after)
}

func TestASilentFeedIsOneCaseAndItsParcelsAreAskedFor(t *testing.T) {
	l := newFeed(t, upsFeed)
	for i := range 30 {
		l.parcels[fmt.Sprint("1Z", i)] = start
	}
	l.from, l.to = start.Add(5*hour), start.Add(10*hour)
	var phases []feed.Phase
	for _, at := range []time.Duration{4 * hour, 5*hour + 40*time.Minute, 9*hour + 30*time.Minute, 10*hour + 20*time.Minute, 13 * hour} {
		l.at(at, func(v workflows.FeedView) { phases = append(phases, v.Phase) })
	}
	var before, during int
	var words string
	l.at(5*hour, func(workflows.FeedView) { before = len(l.asked) })
	l.at(9*hour+30*time.Minute, func(v workflows.FeedView) { during, words = len(l.asked), v.Words })
	l.run(16 * hour)
	if want := []feed.Phase{feed.Fresh, feed.Silent, feed.Silent, feed.Recovering, feed.Fresh}; !slices.Equal(phases, want) {
		t.Errorf("was %v, want %v", phases, want)
	}
	if len(l.reports) != 2 || !l.reports[0].Open || l.reports[1].Open || l.reports[0].Carrier != "ups" {
		t.Errorf("reported %+v", l.reports)
	}
	// 30 parcels, each every two hours while it is silent, and not before.
	if before != 0 || during < 60 || during > 90 {
		t.Errorf("asked for %d before and %d during the silence", before, during)
	}
	for number, asked := range l.parcels {
		if asked.Before(l.to) {
			t.Errorf("%s was not asked for after the silence, but %s", number, asked)
		}
	}
	for _, want := range []string{"ups push: silent", "last push Mon 2 Mar 14:00 UTC", "60 of 60 left in 1h0m0s", "looks again"} {
		if !strings.Contains(words, want) {
			t.Errorf("lacks %q:\n%s", want, words)
		}
	}
}

func TestALivelyFeedIsAskedOnceADayAndRenewed(t *testing.T) {
	l := newFeed(t, upsFeed)
	for i := range 30 {
		l.parcels[fmt.Sprint("1Z", i)] = start
	}
	l.unsubscribed = 250
	l.run(2*day + 12*hour)
	if len(l.asked) != 60 {
		t.Errorf("asked %d times for 30 parcels in 2 days", len(l.asked))
	}
	if len(l.subscribed) != 250 || len(l.reports) != 0 {
		t.Errorf("%d subscriptions, %+v", len(l.subscribed), l.reports)
	}
}

func TestTroubleIsShownAndOvercome(t *testing.T) {
	l := newFeed(t, upsFeed)
	l.parcels["refused"], l.parcels["1Z1"] = start.Add(-2*day), start.Add(-2*day)
	l.away, l.storeAway = true, 3
	var words, later string
	l.at(15*time.Minute, func(v workflows.FeedView) { words = v.Words; l.away = false })
	l.at(21*time.Minute, func(v workflows.FeedView) { later = v.Words })
	l.run(2 * hour)
	if !strings.Contains(words, "trouble: 503") || !strings.Contains(later, "trouble: no such number") {
		t.Errorf("%s\n%s", words, later)
	}
	if len(l.asked) != 2 {
		t.Errorf("asked for %q: one refused number holds up the others", l.asked)
	}
}

func TestAFeedThatNobodyConfiguredRests(t *testing.T) {
	l := newFeed(t)
	var words string
	l.at(3*hour+time.Minute, func(v workflows.FeedView) { words = v.Words })
	l.run(4 * hour)
	if l.looks != 0 || !strings.Contains(words, "no credential and no webhook secret") {
		t.Errorf("%d looks; %s", l.looks, words)
	}
}

// update puts an update and returns where its end will be found.
func (l *feedLife) update(after time.Duration, name string, args ...any) (refused *error, view *workflows.FeedView) {
	refused, view = new(error), new(workflows.FeedView)
	l.env.RegisterDelayedCallback(func() {
		l.env.UpdateWorkflow(name, fmt.Sprint(name, after), &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { *refused = err },
			OnComplete: func(v any, err error) {
				if err != nil {
					l.Errorf("%s: %v", name, err)
				} else {
					*view = v.(workflows.FeedView)
				}
			},
		}, args...)
	}, after)
	return refused, view
}

func TestOpsPauseResumeAndAsk(t *testing.T) {
	l := newFeed(t, upsFeed)
	l.parcels["1Z1"] = start
	_, asked := l.update(1*hour, workflows.UpdateAskNow)
	no1, _ := l.update(2*hour, workflows.UpdateResume)
	no2, _ := l.update(2*hour+time.Second, workflows.UpdatePause, workflows.Pause{Until: start.Add(9 * day), Reason: "carrier maintenance"})
	no3, _ := l.update(2*hour+2*time.Second, workflows.UpdatePause, workflows.Pause{Until: start.Add(day)})
	_, paused := l.update(2*hour+3*time.Second, workflows.UpdatePause, workflows.Pause{Until: start.Add(day), Reason: "carrier maintenance"})
	no4, _ := l.update(3*hour, workflows.UpdateAskNow)
	l.from, l.to = start.Add(3*hour), start.Add(40*hour)
	var looks int
	l.env.RegisterDelayedCallback(func() { looks = l.looks }, 3*hour)
	l.at(19*hour, func(v workflows.FeedView) {
		if l.looks != looks || !strings.Contains(v.Words, "**paused** until Tue 3 Mar 09:00 UTC: carrier maintenance") {
			t.Errorf("%d looks while paused; %s", l.looks-looks, v.Words)
		}
	})
	_, resumed := l.update(20*hour, workflows.UpdateResume)
	l.run(22 * hour)
	if asked.Asked != 1 || len(paused.PausedWhy) == 0 || resumed.Phase != feed.Silent || len(l.reports) != 1 {
		t.Errorf("asked %+v, paused %+v, resumed as %s, reports %+v", asked.Asked, paused.PausedWhy, resumed.Phase, l.reports)
	}
	for want, got := range map[string]error{"not paused": *no1, "within 7 days": *no2, "say why": *no3, "paused until": *no4} {
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("want a refusal with %q: %v", want, got)
		}
	}
}

func TestAPauseEndsByItself(t *testing.T) {
	l := newFeed(t, upsFeed)
	l.update(1*hour, workflows.UpdatePause, workflows.Pause{Until: start.Add(5 * hour), Reason: "carrier maintenance"})
	var looks int
	l.env.RegisterDelayedCallback(func() { looks = l.looks }, 4*hour)
	l.at(5*hour+time.Minute, func(v workflows.FeedView) {
		if l.looks == looks || strings.Contains(v.Words, "paused") {
			t.Errorf("%d looks; %s", l.looks-looks, v.Words)
		}
	})
	l.run(6 * hour)
}

func TestTheNextRunKnowsWhatTheFeedWas(t *testing.T) {
	l := newFeed(t, upsFeed)
	l.from, l.to = start, start.Add(30*day)
	l.run(3 * hour)
	st := l.view().State
	next := newFeed(t, upsFeed)
	next.from, next.to = l.from, l.to
	next.env.SetStartTime(start.Add(3 * hour))
	next.env.RegisterDelayedCallback(func() { next.env.SetCurrentHistoryLength(1 << 20) }, hour)
	next.env.ExecuteWorkflow(workflows.FeedType, workflows.FeedInput{Name: "ups-main", State: &st})
	if v := next.view(); v.Phase != feed.Silent || !v.Since.Equal(st.Since) || len(next.reports) != 0 || len(l.reports) != 1 {
		t.Errorf("%+v, reported %+v", v.State, next.reports)
	}
}
