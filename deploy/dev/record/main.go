// Command record writes the golden histories: it leads orders and feeds through
// every kind of life, on a real stack and with the real product, and keeps what
// Temporal recorded. workflows/replay_test.go replays them with the code of the
// day. Run it after raising order.CurrentRules or feed.CurrentRules:
//
//	go -C deploy/dev run ./record
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/order"
)

func main() {
	to := flag.String("to", "", "folder for the histories (default workflows/testdata/replay)")
	only := flag.String("only", "", "record these scenarios alone, by name and with commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *to, strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, to string, only []string) (err error) {
	if to == "" {
		root, err := rig.ModuleDir(ctx, rig.Product)
		if err != nil {
			return err
		}
		to = filepath.Join(root, "workflows", "testdata", "replay")
	}
	fmt.Println("Starting a stack of its own...")
	r, err := rig.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	// It stands in every history; ours is another one each time.
	r.Config.PublicURL = "https://waybill.example"
	p, err := begin(ctx, r)
	if err != nil {
		return err
	}
	defer p.end()

	files := archive{dir: filepath.Join(to, fmt.Sprintf("rules%d", order.CurrentRules))}
	for _, sc := range scenarios {
		if len(only) > 0 && !slices.Contains(only, sc.name) {
			continue
		}
		runs, err := p.play(ctx, sc)
		if err == nil {
			err = files.keep(sc.name, runs)
		}
		if err != nil {
			rig.Tail(os.Stderr, "log of the worker", p.worker.Log(), 30)
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	p.end() // feeds are led by a worker of our own
	feeds := archive{dir: filepath.Join(to, fmt.Sprintf("feed%d", feed.CurrentRules))}
	for _, sc := range feedScenarios() {
		if len(only) > 0 && !slices.Contains(only, sc.name) {
			continue
		}
		runs, err := playFeed(ctx, r, sc)
		if err == nil {
			err = feeds.keep(sc.name, runs)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	sending := archive{dir: filepath.Join(to, "messages")}
	for _, sc := range messageScenarios() {
		if len(only) > 0 && !slices.Contains(only, sc.name) {
			continue
		}
		runs, err := playMessages(ctx, r, sc)
		if err == nil {
			err = sending.keep(sc.name, runs)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
	}
	return report(slices.Concat(files.kept, feeds.kept, sending.kept), filepath.Join(to, "events.txt"))
}

// report shows the figures beside the limits, and writes limits for what has
// none. It never moves a limit: that is for a person to decide.
func report(files []file, path string) error {
	limits, err := readLimits(path)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HISTORY\tEVENTS\tLIMIT\tBYTES")
	for _, f := range files {
		limit, known := limits[f.name]
		note := ""
		switch {
		case !known:
			limits[f.name], limit = f.events, f.events
		case f.events > limit:
			note = "  above its limit: the replay test will say no"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d%s\n", f.name, f.events, limit, f.bytes, note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return writeLimits(path, limits)
}
