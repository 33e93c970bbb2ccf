// Waybill runs orders from checkout to delivery and back. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/waybillhq/waybill/internal/app"
	"github.com/waybillhq/waybill/internal/sim"
)

const usage = `waybill runs the lifecycle of orders.

  waybill serve             api and worker in one process
  waybill api               HTTP API, tracking page and console
  waybill worker            orders, activities and the relay
  waybill migrate           bring the database and the namespace up to date
  waybill key NAME SCOPE... make an API key; scopes: storefront warehouse carrier support ops admin
  waybill explain ORDER     why an order waits, and until when
  waybill replay [FILE...]  replay histories with this binary; without files, the namespace's open orders
  waybill carriers list | explain [CARRIER] CODE | detect NUMBER
                            what carriers' codes and tracking numbers mean to us
  waybill carriers test-webhook CARRIER FILE [--header 'Name: value']... [--secret VARIABLE]
                            whether a push would be let in, and what it or a file becomes
  waybill policy check FILE | apply FILE [--yes]
                            what is wrong with a policy file; what it would change, and apply it
  waybill policy learn [--dry-run]
                            what rhythms parcels had, and which lines of policies should say so
  waybill simulate ...      replay real orders through the API; see waybill simulate --help
  waybill version

Configuration comes from WAYBILL_* and TEMPORAL_* variables; see README.md.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage is a mistake of the caller, not of the world.
var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(errOut, usage)
		return 2
	}
	log := slog.New(slog.NewJSONHandler(errOut, &slog.HandlerOptions{Level: level()}))
	slog.SetDefault(log)
	err := command(ctx, args[0], args[1:], out, errOut, log)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(errOut, usage)
		return 2
	case err != nil:
		fmt.Fprintf(errOut, "waybill %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

func command(ctx context.Context, name string, args []string, out, errOut io.Writer, log *slog.Logger) error {
	switch name {
	case "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return nil
	case "version":
		fmt.Fprintln(out, version())
		return nil
	case "simulate":
		return sim.Command(ctx, args, out, errOut)
	case "policy":
		err := app.Policy(ctx, args, out, log)
		if errors.Is(err, flag.ErrHelp) {
			return errUsage
		}
		return err
	case "carriers":
		err := app.Carriers(args, out)
		if errors.Is(err, flag.ErrHelp) {
			return errUsage
		}
		return err
	}
	if !slices.Contains([]string{"serve", "api", "worker", "migrate", "key", "explain", "replay"}, name) {
		return errUsage
	}
	c, err := app.FromEnv()
	if err != nil {
		return err
	}
	switch name {
	case "serve":
		return app.Serve(ctx, c, log, "api", "worker")
	case "api", "worker":
		return app.Serve(ctx, c, log, name)
	case "migrate":
		return app.Migrate(ctx, c, log)
	case "key":
		fs := flag.NewFlagSet("key", flag.ContinueOnError)
		fs.SetOutput(errOut)
		store := fs.String("store", "", "the only store that the key may touch; empty: any")
		if err := fs.Parse(args); err != nil || fs.NArg() < 2 {
			return errUsage
		}
		key, err := app.NewKey(ctx, c, fs.Arg(0), fs.Args()[1:], *store)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, key)
		return nil
	case "explain":
		if len(args) != 1 {
			return errUsage
		}
		return app.Explain(ctx, c, args[0], out)
	default: // replay
		return app.Replay(ctx, c, args, out, log)
	}
}

func level() slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(os.Getenv("WAYBILL_LOG"))) != nil {
		return slog.LevelInfo
	}
	return l
}

// release is set by the linker for tagged builds.
var release = ""

func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	parts := []string{info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			parts = append(parts, s.Value)
		}
	}
	return strings.Join(parts, " ")
}
