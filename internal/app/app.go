package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/folder"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/relay"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/storefront"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// drainTime is how long requests under way may take after a SIGTERM.
const drainTime = 15 * time.Second

// Migrate brings the database schema and the namespace's search attributes to
// what this binary needs.
func Migrate(ctx context.Context, c Config, log *slog.Logger) error {
	from, to, err := store.Migrate(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	log.Info("database schema", "from", from, "to", to)
	opts, err := c.temporal(log)
	if err != nil {
		return err
	}
	t, err := client.DialContext(ctx, opts)
	if err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	defer t.Close()
	return addSearchAttributes(ctx, t, opts.Namespace)
}

// addSearchAttributes registers what is missing. A namespace that is managed
// elsewhere (Temporal Cloud) may refuse; then its owner must add them.
func addSearchAttributes(ctx context.Context, t client.Client, namespace string) error {
	have, err := t.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("search attributes of namespace %s: %w", namespace, err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, typ := range workflows.SearchAttributes() {
		if _, ok := have.GetCustomAttributes()[name]; !ok {
			missing[name] = typ
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = t.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("namespace %s lacks the search attributes %s and they could not be added: %w", namespace, strings.Join(slices.Sorted(maps.Keys(missing)), ", "), err)
	}
	return nil
}

// process is what the roles of one process share.
type process struct {
	Config
	log      *slog.Logger
	store    *store.Store
	temporal client.Client
	orders   *workflows.Client
	intake   *intake.Intake
	metrics  *prometheus.Registry
	asking   sync.Mutex
	ask      *ask.Client // see asker
}

// Serve runs the given roles ("api", "worker") until ctx ends, and drains.
func Serve(ctx context.Context, c Config, log *slog.Logger, roles ...string) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	if err := store.CheckSchema(ctx, c.DatabaseURL); err != nil {
		return err
	}
	opts, err := c.temporal(log)
	if err != nil {
		return err
	}
	if c.Carriers == nil {
		c.Carriers = all.Adapters()
	}
	p := &process{Config: c, log: log, metrics: prometheus.NewRegistry()}
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if p.store, err = store.Open(ctx, c.DatabaseURL); err != nil {
		return err
	}
	defer p.store.Close()
	p.intake = &intake.Intake{Store: p.store}
	defer p.runIntake()() // once the roles have ended: what they took in is told of
	// Lazy: orders and events are accepted while Temporal is away.
	if p.temporal, err = client.NewLazyClient(opts); err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	defer p.temporal.Close()
	p.orders = &workflows.Client{Temporal: p.temporal, Namespace: opts.Namespace, ConsoleURL: c.links(opts.Namespace).Console}
	p.watchInbox()
	p.metrics.MustRegister(messageCollector{p.store})

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.EDIFolder != "" && slices.Contains(roles, "worker") {
		roles = append(slices.Clone(roles), "folder")
	}
	ends := make(chan error, len(roles))
	for _, role := range roles {
		run := map[string]func(context.Context) error{"api": p.api, "worker": p.worker, "folder": p.folder}[role]
		if run == nil {
			return fmt.Errorf("unknown role %q", role)
		}
		go func() {
			err := run(ctx)
			cancel() // one role's end is the process's end
			if err != nil {
				err = fmt.Errorf("%s: %w", role, err)
			}
			ends <- err
		}()
	}
	for range roles {
		err = errors.Join(err, <-ends)
	}
	return err
}

// runIntake runs the intake until stopped.
func (p *process) runIntake() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		p.intake.Run(ctx, p.log)
		close(done)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (p *process) api(ctx context.Context) error {
	l := p.links(p.orders.Namespace)
	rhythms := &acts.Rhythms{Store: p.store, Adopt: p.orders.StartAdoption, Log: p.log, Now: time.Now}
	draining := ctx.Done()
	server := api.New(api.Deps{
		Store: p.store, Orders: orders{p.orders, p.store}, Intake: p.intake, Log: p.log, Links: l, Registry: p.metrics, Now: time.Now, WebhookSecrets: p.WebhookSecrets, Carriers: p.Carriers, Messages: p.callbacks(), Rhythms: rhythms, Confirm: p.confirm(),
		Ready: func(ctx context.Context) error {
			select {
			case <-draining:
				return errors.New("shutting down")
			default:
			}
			return p.ready(ctx)
		},
	})
	pages.Mount(server.Echo, pages.Deps{Store: p.store, Intake: p.intake, Carriers: p.Carriers, Links: l, Log: p.log, Now: time.Now, Secret: []byte(p.Secret), VerifyKey: server.VerifyKey, Scopes: server.KeyScopes, Rhythms: rhythms,
		Desk: &acts.Desk{Audits: p.store, Orders: orders{p.orders, p.store}, Facts: p.store, Log: p.log, Now: time.Now}})
	h := &http.Server{
		Handler: server.Echo, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.Listen)
	if err != nil {
		return err
	}
	p.log.Info("api listens", "address", listener.Addr().String())
	stopped := make(chan error, 1)
	go func() { stopped <- h.Serve(listener) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return h.Shutdown(drain)
}

// ready says what this process cannot do its work without.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.store.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if _, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	return nil
}

func (p *process) worker(ctx context.Context) error {
	a := &activities.Activities{ReadModel: p.store, Inbox: p.store, Feeds: &activities.Feeds{Settings: feedsOf(p.WebhookSecrets, p.Credentials, p.Carriers), Store: p.store, Now: time.Now},
		Storefronts: storefront.New(p.store, p.StorefrontSecrets, p.StorefrontsLocal, time.Now)}
	tells, books := desk{store: p.store}, bookings{store: p.store, now: time.Now}
	if t := p.tracker(); t != nil {
		a.Tracker, a.Feeds.Carrier, tells.client, books.client = t, t, t.client, t.client
	}
	a.Rhythms = learner{store: p.store, ask: orders{p.orders, p.store}.Ask, out: io.Discard, now: time.Now}
	a.Carriers, a.Bookings = tells, books
	w := worker.New(p.temporal, a, worker.Defaults())
	if err := p.startWorker(ctx, w.Start); err != nil || ctx.Err() != nil {
		return err
	}
	p.log.Info("worker runs", "queue", workflows.TaskQueue)
	go p.upkeep(ctx)
	go p.startFeeds(ctx, a.Feeds.Settings)
	stopSending, err := p.sendMessages(ctx)
	if err != nil {
		return err
	}
	defer stopSending()
	go p.patiently(ctx, "rhythms are not learned yet", func(ctx context.Context) error {
		return p.orders.ScheduleLearning(ctx, int(p.LearnAt)/60, int(p.LearnAt)%60)
	})
	r := &relay.Relay{Store: p.store, Orders: p.orders, Log: p.log, Told: p.countTold()}
	err = r.Run(ctx)
	w.Stop()
	return err
}

const (
	upkeepEvery = time.Hour
	purgeBatch  = 1000 // raw bodies in one statement
)

// upkeep drops raw bodies whose time is over, and tells of unknown codes that no
// process lived to tell of: at the start, which follows a crash, and every hour.
// Every worker may do it: doing it twice does nothing.
func (p *process) upkeep(ctx context.Context) {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	for {
		for {
			n, err := p.store.PurgeRawBodies(ctx, time.Now().AddDate(0, 0, -cmp.Or(p.RawDays, rawDays)), purgeBatch)
			if err != nil && ctx.Err() == nil {
				p.log.Warn("raw bodies not purged", "error", err)
			}
			if n < purgeBatch {
				break
			}
		}
		if _, err := p.store.ReportWaiting(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("unknown codes not told of", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// folder takes carriers' files. It needs no Temporal: what is accepted waits.
func (p *process) folder(ctx context.Context) error {
	f := &folder.Folder{Path: p.EDIFolder, Intake: p.intake, Faults: p.store, Carriers: p.Carriers, Log: p.log, Now: time.Now}
	watchFolder(f, p.metrics)
	return f.Run(ctx)
}

// watchFolder exports what was taken from a folder, and what waits there.
func watchFolder(f *folder.Folder, reg prometheus.Registerer) {
	taken := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_folder_files_total", Help: "Files taken from the watched folder, by carrier and where they went (done, failed)."}, []string{"carrier", "to"})
	f.Taken = func(carrier, to string) { taken.WithLabelValues(carrier, to).Inc() }
	reg.MustRegister(taken,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "waybill_folder_waiting", Help: "Files that stood in the watched folder at the last look and were not taken."}, func() float64 {
			files, _ := f.Waiting()
			return float64(files)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "waybill_folder_oldest_seconds", Help: "How long the one that was seen first has been seen there."}, func() float64 {
			_, since := f.Waiting()
			if since.IsZero() {
				return 0
			}
			return time.Since(since).Seconds()
		}))
}

// startWorker waits for Temporal: a worker that comes up first is no fault.
func (p *process) startWorker(ctx context.Context, start func() error) error {
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := p.checkNamespace(ctx)
		if err == nil {
			if err = start(); err == nil {
				return nil
			}
		}
		p.log.Warn("worker waits for temporal", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (p *process) checkNamespace(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	have, err := p.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: p.orders.Namespace})
	if err != nil {
		return err
	}
	for name := range workflows.SearchAttributes() {
		if _, ok := have.GetCustomAttributes()[name]; !ok {
			return fmt.Errorf("namespace %s has no search attribute %s: run `waybill migrate`", p.orders.Namespace, name)
		}
	}
	return nil
}

func (p *process) countTold() func(string, int) {
	told := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_relay_facts_total", Help: "Facts that the relay is done with, by outcome (sent, late, failed)."}, []string{"outcome"})
	p.metrics.MustRegister(told)
	return func(outcome string, n int) { told.WithLabelValues(outcome).Add(float64(n)) }
}

// watchInbox exports what waits, read when the metrics are.
func (p *process) watchInbox() {
	p.metrics.MustRegister(inboxCollector{p.store})
}

type inboxCollector struct{ store *store.Store }

var (
	unsentDesc  = prometheus.NewDesc("waybill_inbox_unsent", "Accepted facts that their orders do not know yet.", nil, nil)
	orphansDesc = prometheus.NewDesc("waybill_inbox_orphans", "Accepted facts whose parcel is not known.", nil, nil)
	lagDesc     = prometheus.NewDesc("waybill_inbox_lag_seconds", "How long the most overdue fact has been due.", nil, nil)
)

func (c inboxCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- unsentDesc
	ch <- orphansDesc
	ch <- lagDesc
}

func (c inboxCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	st, err := c.store.Inbox(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(unsentDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(unsentDesc, prometheus.GaugeValue, float64(st.Unsent))
	ch <- prometheus.MustNewConstMetric(orphansDesc, prometheus.GaugeValue, float64(st.Orphans))
	ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, st.OldestDue.Seconds())
}
