package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/intake"
)

// credentials reads the file that names the accounts at carriers; without one
// nobody is asked.
func credentials(path string) ([]ask.Credential, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("WAYBILL_CARRIERS_FILE: %w", err)
	}
	list, err := ask.Parse(file, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("WAYBILL_CARRIERS_FILE %s: %w", path, err)
	}
	return list, nil
}

// hook is where a carrier pushes to: our webhook, with the newest secret.
func (c Config) hook(carrier string) carriers.Hook {
	secrets := c.WebhookSecrets[carrier]
	if len(secrets) == 0 {
		return carriers.Hook{}
	}
	return carriers.Hook{URL: c.PublicURL + "/webhooks/" + carrier, Secret: carriers.Secret(secrets[0])}
}

// asker asks carriers, for all roles of the process; nil without credentials.
func (p *process) asker() *ask.Client {
	p.asking.Lock()
	defer p.asking.Unlock()
	if p.ask == nil && len(p.Credentials) > 0 {
		p.ask = ask.New(p.store, p.Credentials, p.hook, p.countCalls())
	}
	return p.ask
}

// tracker is how orders and feeds ask carriers; nil without credentials.
func (p *process) tracker() *tracker {
	client := p.asker()
	if client == nil {
		return nil
	}
	return &tracker{client: client, intake: p.intake}
}

// confirmTime is how long a carrier waits at our webhook while we confirm its
// subscription to it.
const confirmTime = 4 * time.Second

// confirm is how subscriptions are confirmed; nil without credentials. An error is
// worth another try of the carrier's; what it refuses is logged, and the parcels are
// asked for as all are.
func (p *process) confirm() func(context.Context, string, carriers.Confirmation) error {
	client := p.asker()
	if client == nil {
		return nil
	}
	return func(ctx context.Context, carrier string, c carriers.Confirmation) error {
		ctx, cancel := context.WithTimeout(ctx, confirmTime)
		defer cancel()
		ours := true
		err := paced(ctx, func() (err error) {
			ours, err = client.Activate(ctx, carrier, c)
			return err
		})
		var problem *carriers.AskError
		if errors.As(err, &problem) && (problem.Reason == carriers.BadRequest || problem.Reason == carriers.Unauthorized) {
			p.log.Warn("subscription not confirmed", "carrier", carrier, "error", err)
			return nil
		}
		if ours && err == nil {
			p.log.Info("subscription confirmed", "carrier", carrier)
		}
		return err
	}
}

type tracker struct {
	client *ask.Client
	intake *intake.Intake
}

// Track asks under a credential that fits the parcel's carrier: the first of the
// file that may be asked now. What the carrier says comes in by the same way as its
// pushes.
func (t *tracker) Track(ctx context.Context, carrier, tracking string, since time.Time) (time.Time, error) {
	fitting := t.client.For(carrier)
	if len(fitting) == 0 {
		return time.Time{}, activities.ErrNobodyToAsk
	}
	number := carriers.Number(tracking)
	var spent *carriers.AskError
	for _, c := range fitting {
		events, _, err := t.take(ctx, c, carrier, []string{number})
		var problem *carriers.AskError
		if errors.As(err, &problem) && problem.Reason == carriers.Limited {
			// Each has a budget of its own. When none has anything left, the one that
			// may be asked first says when.
			if spent == nil || problem.Until.Before(spent.Until) {
				spent = problem
			}
			continue
		}
		if err != nil {
			return time.Time{}, retry(err, time.Now())
		}
		return lastMovement(events, number, since, time.Now()), nil
	}
	return time.Time{}, retry(spent, time.Now())
}

// take asks under one credential and has the answer accepted. An answer that cannot
// be read is kept for those who look after it.
func (t *tracker) take(ctx context.Context, c ask.Credential, carrier string, numbers []string) ([]carriers.Event, intake.Counts, error) {
	adapter, err := all.Adapters().Find(c.Carrier)
	if err != nil {
		return nil, intake.Counts{}, err
	}
	answer, asking := t.client.TrackOf(ctx, c.Name, carrier, numbers)
	if asking != nil && answer.Unread == nil {
		return nil, intake.Counts{}, asking
	}
	n, err := t.intake.Answer(ctx, adapter, answer.Body, answer.Events, answer.Unread, time.Now())
	return answer.Events, n, errors.Join(asking, err)
}

// lastMovement is the latest physical event of a parcel after since; zero: none.
func lastMovement(events []carriers.Event, number string, since, now time.Time) (last time.Time) {
	for _, e := range events {
		if e.Physical && e.Tracking == number && e.UTC.After(since) && e.UTC.After(last) && !e.UTC.After(now.Add(intake.Ahead)) {
			last = e.UTC
		}
	}
	return last
}

// retry says how an activity goes on after a carrier could not be asked. An
// unknown number is an answer: nothing new. Rest is kept, and a little more, so
// that not all who wait come back at once. What asking again cannot mend ends
// the question.
func retry(err error, now time.Time) error {
	var problem *carriers.AskError
	if !errors.As(err, &problem) {
		return err
	}
	var o temporal.ApplicationErrorOptions
	switch problem.Reason {
	case carriers.NotFound, carriers.Already:
		return nil
	case carriers.Unauthorized, carriers.BadRequest:
		o.NonRetryable = true
	case carriers.Limited, carriers.Unavailable:
		if rest := problem.Until.Sub(now); rest > 0 {
			o.NextRetryDelay = rest + rand.N(rest/10+5*time.Second)
		}
	}
	return temporal.NewApplicationErrorWithOptions(problem.Error(), "carrier_"+string(problem.Reason), o)
}

// countCalls exports what is asked of carriers, what came of it, and how late we
// learn of events that were not pushed.
func (p *process) countCalls() func(ask.Call) {
	labels := []string{"carrier", "credential"}
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_carrier_calls_total", Help: "Requests to carriers by what was asked (token, track, subscribe) and outcome: ok, budget (not sent), or a problem."}, append(labels, "what", "outcome"))
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "waybill_carrier_call_seconds", Help: "How long carriers take to answer.", Buckets: []float64{.1, .25, .5, 1, 2, 4, 8}}, labels)
	lag := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "waybill_carrier_lag_seconds", Help: "How old the newest event was when a carrier was asked.", Buckets: []float64{60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600, 7 * 24 * 3600}}, labels)
	p.metrics.MustRegister(calls, took, lag)
	return func(c ask.Call) {
		calls.WithLabelValues(c.Carrier, c.Credential, c.What, c.Outcome).Inc()
		if c.Outcome != "budget" {
			took.WithLabelValues(c.Carrier, c.Credential).Observe(c.Took.Seconds())
		}
		if c.Lag > 0 {
			lag.WithLabelValues(c.Carrier, c.Credential).Observe(c.Lag.Seconds())
		}
	}
}
