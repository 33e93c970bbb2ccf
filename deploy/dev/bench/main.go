// Command bench measures Waybill beside a bare and a naive workflow, in one run
// on one machine: machines are noisy, ratios less so. The life that it runs and
// the budgets are those of docs/benchmarks.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/stack"
	"github.com/waybillhq/waybill/internal/localpg"
	"github.com/waybillhq/waybill/workflows"
)

type options struct {
	orders  int           // per engine in a burst
	alone   int           // per engine when events arrive alone
	flight  int           // orders in flight at a time
	rounds  int           // turns that the engines take
	signals int           // for the bare signal rate
	open    int           // idle orders for the last row; 0: leave it out
	each    time.Duration // of the timed rows
	only    string
	verbose bool
}

func main() {
	var o options
	flag.IntVar(&o.orders, "orders", 540, "orders in the burst rows (the slower rivals run a third)")
	flag.IntVar(&o.alone, "alone", 360, "orders in the rows where events arrive alone")
	flag.IntVar(&o.flight, "flight", 32, "orders in flight at a time; keep it below what a rival runs per turn, or the tail is all that is measured")
	flag.IntVar(&o.rounds, "rounds", 3, "turns that the engines take, each with its part of the orders; and what accepts events")
	flag.IntVar(&o.signals, "signals", 6000, "signals for the bare signal rate")
	flag.IntVar(&o.open, "open", 2000, "idle open orders for the last rows; 0 leaves them out")
	flag.DurationVar(&o.each, "each", 5*time.Second, "length of each timed row")
	flag.StringVar(&o.only, "only", "", "lives, accept or open: only these rows")
	flag.BoolVar(&o.verbose, "v", false, "log what the stack says")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	dir, err := os.MkdirTemp("", "waybill-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's user must get through
		return err
	}
	port, err := localpg.FreePorts(8)
	if err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Options{Dir: dir, Host: "127.0.0.1", TemporalPort: port, PostgresPort: port + 6, InstallPostgres: true,
		Namespace: "waybill-bench", SearchAttributes: workflows.SearchAttributes(), Log: log})
	if err != nil {
		return err
	}
	defer s.Close()
	b, err := newBench(ctx, o, s, log)
	if err != nil {
		return err
	}
	defer b.close()
	fmt.Fprintf(out, "%s, %d cores, %s. All in one process on one machine: client, api, relay, worker, Temporal, PostgreSQL.\n", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), runtime.Version())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(what, got, budget string, ok bool) {
		mark := "ok"
		if !ok {
			mark = "MISSED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", what, got, budget, mark)
		w.Flush()
	}
	return b.all(ctx, row)
}
