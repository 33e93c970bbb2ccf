package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/deploy/dev/stack"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/relay"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// bench wires the product as internal/app does, with an ear at the read model:
// the driver must know when an order has applied what it was told.
type bench struct {
	options
	log      *slog.Logger
	temporal client.Client
	store    *store.Store
	pool     *pgxpool.Pool
	orders   *workflows.Client
	links    links.Links
	url, key string
	http     *http.Client
	ear      *ear
	closers  []func()
	names    int
	ran      string // part of every name, so that runs do not meet

	postmaster string // process of the server that is measured
}

// ear is a read model that also tells the driver how far each order is.
type ear struct {
	*store.Store
	mu    sync.Mutex
	heard map[string]*progress
}

type progress struct {
	facts  int
	closed bool
	moved  chan struct{}
}

func (e *ear) of(id string) *progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.heard[id]
	if p == nil {
		p = &progress{moved: make(chan struct{})}
		e.heard[id] = p
	}
	return p
}

func (e *ear) set(id string, facts int, closed bool) {
	p := e.of(id)
	e.mu.Lock()
	defer e.mu.Unlock()
	p.facts, p.closed = max(p.facts, facts), p.closed || closed
	close(p.moved)
	p.moved = make(chan struct{})
}

// wait until the order has applied that many facts, or is closed.
func (e *ear) wait(ctx context.Context, id string, facts int, closed bool) error {
	p := e.of(id)
	for {
		e.mu.Lock()
		done, moved := p.facts >= facts && (p.closed || !closed), p.moved
		e.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("order %s stopped at %d of %d facts: %w", id, p.facts, facts, ctx.Err())
		}
	}
}

func (e *ear) Project(ctx context.Context, s *order.State) error {
	if err := e.Store.Project(ctx, s); err != nil {
		return err
	}
	e.set(s.Spec.ID, len(s.Seen), s.Closed)
	return nil
}

func newBench(ctx context.Context, o options, s *stack.Stack, log *slog.Logger) (_ *bench, err error) {
	b := &bench{options: o, log: log, ran: fmt.Sprintf("%x", time.Now().Unix()&0xfffff)}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if _, _, err := store.Migrate(ctx, s.DatabaseURL()); err != nil {
		return nil, err
	}
	if b.store, err = store.Open(ctx, s.DatabaseURL()); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.store.Close)
	if b.pool, err = pgxpool.New(ctx, s.DatabaseURL()); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.pool.Close)
	if b.postmaster, err = postmasterOf(ctx, b.pool); err != nil {
		return nil, err
	}
	if b.temporal, err = client.Dial(client.Options{HostPort: s.TemporalAddress(), Namespace: s.Namespace(), Logger: sdklog.NewStructuredLogger(log)}); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.temporal.Close)
	b.orders = &workflows.Client{Temporal: b.temporal, Namespace: s.Namespace()}
	b.ear = &ear{Store: b.store, heard: map[string]*progress{}}

	key, plain, err := api.NewKey("bench", []string{"admin"}, "")
	if err != nil {
		return nil, err
	}
	if err := b.store.AddKey(ctx, key); err != nil {
		return nil, err
	}
	if err := b.store.PutStore(ctx, store.StoreRow{ID: "bench", Name: "Bench", BrandColor: "#1f4f8f", SupportEmail: "help@bench.example"}); err != nil {
		return nil, err
	}
	policy := order.DefaultPolicy()
	// The order closes by its timer, as in life; a long one would measure waiting.
	policy.Name, policy.CloseAfter = "bench", order.Duration(50*time.Millisecond)
	if _, err := b.store.PutPolicy(ctx, order.PolicyBook{Policy: policy}, "bench"); err != nil {
		return nil, err
	}
	b.key = plain
	if err := b.serve(); err != nil {
		return nil, err
	}
	w := worker.New(b.temporal, &activities.Activities{ReadModel: b.ear, Inbox: b.store}, worker.Defaults())
	if err := w.Start(); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, w.Stop)
	rivals := sdkworker.New(b.temporal, rivalQueue, sdkworker.Options{MaxConcurrentWorkflowTaskExecutionSize: 100, MaxConcurrentActivityExecutionSize: 100})
	if err := b.registerRivals(ctx, rivals); err != nil {
		return nil, err
	}
	if err := rivals.Start(); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, rivals.Stop)
	b.relay(ctx)
	return b, b.messages(ctx)
}

// messages plans and sends what the orders' buyers are told, as internal/app
// does; the local outbox takes it.
func (b *bench) messages(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	b.closers = append(b.closers, cancel)
	outbox := messaging.Outbox{Shelf: dispatch.Shelf{Store: b.store}, Now: time.Now}
	w := &dispatch.Writer{Links: b.links, From: "orders@waybill.invalid"}
	for channel, port := range map[order.Channel]dispatch.Port{
		order.Email: dispatch.Mails(dispatch.Outbox, dispatch.Outbox, outbox.Email()),
		order.SMS:   dispatch.Texts(dispatch.Outbox, dispatch.Outbox, outbox.SMS()),
	} {
		s := &dispatch.Sender{Store: b.store, Writer: w, Port: port, Channel: channel, Now: time.Now, Log: b.log}
		sender := worker.NewSender(b.temporal, string(channel), &activities.Messages{Sender: s})
		if err := sender.Start(); err != nil {
			return err
		}
		b.closers = append(b.closers, sender.Stop)
		if err := b.orders.StartMessages(ctx, string(channel)); err != nil {
			return err
		}
	}
	go (&dispatch.Planner{Store: b.store, Writer: w, Now: time.Now, Log: b.log}).Run(ctx)
	return nil
}

// serve runs the API and the pages on a port of their own.
func (b *bench) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.url = "http://" + l.Addr().String()
	b.links = links.Links{PublicURL: b.url, TemporalUIURL: b.url, Namespace: "bench", Secret: []byte("a secret of the benchmark, 32 or more")}
	server := api.New(api.Deps{Store: b.store, Orders: b.orders, Log: b.log, Links: b.links, Registry: prometheus.NewRegistry(), Now: time.Now})
	pages.Mount(server.Echo, pages.Deps{Store: b.store, Links: b.links, Log: b.log, Now: time.Now, Secret: b.links.Secret, VerifyKey: server.VerifyKey})
	h := &http.Server{Handler: server.Echo, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = h.Serve(l) }()
	b.closers = append(b.closers, func() { _ = h.Close() })
	b.http = &http.Client{Transport: &http.Transport{MaxIdleConns: 512, MaxIdleConnsPerHost: 512}, Timeout: 30 * time.Second}
	return nil
}

func (b *bench) relay(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = (&relay.Relay{Store: b.store, Orders: b.orders, Log: b.log}).Run(ctx)
	}()
	b.closers = append(b.closers, func() { cancel(); <-done })
}

func (b *bench) close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		b.closers[i]()
	}
}

// name makes an order number nobody has had.
func (b *bench) name(kind string, i int) string { return fmt.Sprintf("%s-%s-%d", kind, b.ran, i) }

// inFlight runs f for 0 to n-1, a bounded number at a time, and says how long
// all took.
func inFlight(ctx context.Context, n, flight int, f func(ctx context.Context, i int) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, flight)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			ctx, done := context.WithTimeout(ctx, 3*time.Minute)
			defer done()
			if err := f(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return time.Since(start), context.Cause(ctx)
}

// historyLength of a closed workflow.
func (b *bench) historyLength(ctx context.Context, id string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := b.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
		return 0, err
	}
	d, err := b.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return 0, err
	}
	return d.GetWorkflowExecutionInfo().GetHistoryLength(), nil
}
