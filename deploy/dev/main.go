// Command dev runs all of Waybill on this machine: PostgreSQL, the Temporal
// server with its Web UI, and Waybill's api and worker. It is what `make dev`
// starts. Data survives a restart.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/stack"
	"github.com/waybillhq/waybill/internal/localpg"
)

// patience bounds a graceful stop.
const patience = 20 * time.Second

type flags struct {
	dir       string
	host      string
	portBase  int
	empty     bool
	infraOnly bool
	noInstall bool
	reset     bool
	yes       bool
}

func main() {
	var f flags
	flag.StringVar(&f.dir, "dir", "", "folder for all data (default /var/lib/waybill-dev for root, else under ~/.local/state)")
	flag.StringVar(&f.host, "host", "127.0.0.1", "address that the api and the Web UI listen on")
	flag.IntVar(&f.portBase, "port-base", 0, "use the ports from N on: api N, Web UI N+1, Temporal N+2 to N+5, PostgreSQL N+10")
	flag.BoolVar(&f.empty, "empty", false, "no demo orders")
	flag.BoolVar(&f.infraOnly, "infra-only", false, "only PostgreSQL, Temporal and its Web UI, with Waybill's schema; prints the environment for an api and a worker of your own")
	flag.BoolVar(&f.noInstall, "no-install", false, "never ask apt-get or npm for PostgreSQL")
	flag.BoolVar(&f.reset, "reset", false, "delete all data first")
	flag.BoolVar(&f.yes, "yes", false, "do not ask before --reset")
	flag.Parse()

	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	// What we make must be readable for PostgreSQL's user when we are root.
	// Secrets say so themselves.
	syscall.Umask(0o022)

	err := run(stopOnSignal(log), f, log)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "\nwaybill dev:", err)
		os.Exit(1)
	}
}

// stopOnSignal returns a context that the first signal cancels. The second, or
// a stop that takes too long, ends the process; the next start clears up.
func stopOnSignal(log *slog.Logger) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		log.Info("stopping; once more stops at once", "signal", <-signals)
		cancel()
		select {
		case <-signals:
		case <-time.After(patience):
			log.Error("not stopped in time", "limit", patience)
		}
		os.Exit(1)
	}()
	return ctx
}

type ports struct{ api, ui, temporal, postgres int }

func (f flags) ports() ports {
	if f.portBase == 0 {
		return ports{api: 8080, ui: 8233, temporal: 7233, postgres: 5544}
	}
	return ports{api: f.portBase, ui: f.portBase + 1, temporal: f.portBase + 2, postgres: f.portBase + 10}
}

func run(ctx context.Context, f flags, log *slog.Logger) (err error) {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if f.reset {
		if err := reset(ctx, f); err != nil {
			return err
		}
	}
	ports := f.ports()
	s, err := stack.Start(ctx, stack.Options{
		Dir:              f.dir,
		Host:             f.host,
		PostgresPort:     ports.postgres,
		TemporalPort:     ports.temporal,
		UIPort:           ports.ui,
		DatabaseURL:      os.Getenv("DATABASE_URL"),
		InstallPostgres:  !f.noInstall,
		SearchAttributes: searchAttributes(),
		Log:              log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	p, err := newProduct(s, f.host, ports.api, log)
	if err != nil {
		return err
	}
	if err := p.migrate(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	if f.infraOnly {
		printEnvironment(os.Stdout, s, p)
		<-ctx.Done()
		return nil
	}
	if err := localpg.CheckPort(f.host, ports.api, "Waybill's api"); err != nil {
		return err
	}
	return serve(ctx, f, s, p)
}

// serve runs the product until ctx is done or a part of it fails.
func serve(ctx context.Context, f flags, s *stack.Stack, p *product) error {
	access, err := p.access(ctx)
	if err != nil {
		return fmt.Errorf("development keys: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		defer cancel()
		served <- p.serve(ctx)
	}()
	demo := make(chan error, 1)
	if awaitListener(ctx, p.listen()) {
		printAddresses(os.Stdout, s, p, access)
		if !f.empty {
			go func() { demo <- p.demo(ctx, access) }()
		}
	}
	for {
		select {
		case err := <-served:
			return err
		case err := <-demo:
			if err != nil && ctx.Err() == nil {
				p.log.Error("the demo stopped; Waybill runs on", "error", err)
			}
		}
	}
}

func reset(ctx context.Context, f flags) error {
	if os.Getenv("DATABASE_URL") != "" {
		return errors.New("--reset deletes only databases of its own, and DATABASE_URL names another server: drop its databases waybill, temporal and temporal_visibility yourself")
	}
	dir := f.dir
	if dir == "" {
		var err error
		if dir, err = stack.DefaultDir(); err != nil {
			return err
		}
	}
	if !f.yes {
		fmt.Printf("Delete all orders, histories and keys in %s? [y/N] ", dir)
		answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
			return errors.New("nothing was deleted")
		}
	}
	return stack.Reset(ctx, dir)
}

// awaitListener tells whether something came to listen before ctx was done.
func awaitListener(ctx context.Context, address string) bool {
	for {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func printAddresses(w io.Writer, s *stack.Stack, p *product, a access) {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprint(t, "\nWaybill is running. Ctrl-C stops it; its data stays.\n\n")
	fmt.Fprintf(t, "  Console\t%s\n", a.ConsoleURL)
	fmt.Fprintf(t, "  API\t%s\n", p.publicURL())
	fmt.Fprintf(t, "  Temporal Web UI\t%s\n", s.UIURL())
	fmt.Fprintf(t, "  Temporal\t%s, namespace %s\n", s.TemporalAddress(), s.Namespace())
	fmt.Fprintf(t, "  PostgreSQL\t%s\n", s.DatabaseURL())
	fmt.Fprintf(t, "  Data\t%s\n\n", s.Dir())
	for _, scope := range slices.Sorted(maps.Keys(a.Keys)) {
		fmt.Fprintf(t, "  Key for %s\t%s\n", scope, a.Keys[scope])
	}
	fmt.Fprintln(t)
	_ = t.Flush() // to a terminal: nothing to be done
}

func printEnvironment(w io.Writer, s *stack.Stack, p *product) {
	fmt.Fprintf(w, "\nPostgreSQL and Temporal are running (Web UI: %s, data: %s).\nIn the terminals of your api and worker:\n\n", s.UIURL(), s.Dir())
	for _, v := range p.environment() {
		fmt.Fprintf(w, "export %s='%s'\n", v.name, strings.ReplaceAll(v.value, "'", `'\''`))
	}
	fmt.Fprint(w, "\nCtrl-C stops both; data stays.\n")
}
