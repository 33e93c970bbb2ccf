package sim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const commandHelp = `waybill simulate <scenario> [flags]

Scenarios:
  olist   replay real orders of a marketplace on a compressed clock, then compare
          what the engine says with what the data set says
  scenarios
          play every branch of an order's life on policies of seconds, and print
          how each ended beside how it should
  demo    fill a system with a few orders in every stage and keep some moving

"waybill simulate <scenario> --help" lists the flags.
`

const olistHelp = `waybill simulate olist [flags]

Replays orders of the Olist data set (Brazil, 2017) through the public API.
Purchase, approval, hand-over, delivery and promise are the data set's; scans in
between are invented from the seed, about 10 % of them sent twice and 10 % held
back. At the end every order is read back and compared.

It rides out a server that is killed and restarted meanwhile: what was not
answered is posted again under the same ID. If the simulator itself is
interrupted, start it again with --resume and the --start that it printed.

The exit status is 0 only if everything agrees.

Flags:
`

const scenariosHelp = `waybill simulate scenarios [flags]

Plays every branch of an order's life through the public API, all at once: what
is waited for in them takes seconds. Then it prints how each order ended beside
how it should. Needs an admin key; makes a store, policies and keys of its own.

The exit status is 0 only if every scenario ends as it should.

Flags:
`

const demoHelp = `waybill simulate demo [flags]

Makes two invented brands, Nordholz and Brightbench, with about twenty orders in
different stages, and keeps a few of them moving until it is interrupted.

Flags:
`

// Command is `waybill simulate`; args stand after the word simulate. Whatever
// ends it early or does not agree at the end is an error. ctx ends with the
// first interrupt.
func Command(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(errOut, commandHelp)
		return usage("name a scenario")
	}
	switch args[0] {
	case "olist":
		return olistCommand(ctx, args[1:], out)
	case "scenarios":
		return scenariosCommand(ctx, args[1:], out)
	case "demo":
		return demoCommand(ctx, args[1:], out)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, commandHelp)
		return nil
	}
	fmt.Fprint(errOut, commandHelp)
	return usage("there is no scenario %q", args[0])
}

// target is where to post, shared by the scenarios.
type target struct{ url, key string }

func (t *target) register(f *flag.FlagSet) {
	f.StringVar(&t.url, "url", "http://127.0.0.1:8080", "`address` of the API")
	f.StringVar(&t.key, "key", "", "API `key`, an admin's can do everything (default: environment WAYBILL_KEY)")
}

func (t *target) keys() (Keys, error) {
	key := t.key
	if key == "" {
		key = os.Getenv("WAYBILL_KEY") // not the flag's default: --help would print it
	}
	if key == "" {
		return nil, usage("no API key: give an admin key with --key, or in the environment as WAYBILL_KEY")
	}
	return Keys{roleAdmin: key}, nil
}

// parse reads the flags; help means that it was asked for and has been given.
func parse(f *flag.FlagSet, args []string, help string, out io.Writer) (helped bool, err error) {
	f.SetOutput(io.Discard) // the caller says what is wrong, once
	f.Usage = func() {}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, help)
		f.SetOutput(out)
		f.PrintDefaults()
		return true, nil
	case err != nil:
		return false, usage("%s; see waybill %s --help", err, f.Name())
	case f.NArg() > 0:
		return false, usage("what is %q? Flags begin with --", f.Arg(0))
	}
	return false, nil
}

func olistCommand(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("simulate olist", flag.ContinueOnError)
	var t target
	t.register(f)
	o := OlistOptions{Out: out, Progress: isTerminal(out)}
	f.StringVar(&o.Dir, "dir", defaultData(), "`folder` of the data set")
	f.IntVar(&o.Limit, "limit", 300, "how many `orders`, in file order; 0: all 10,000")
	f.IntVar(&o.Offset, "offset", 0, "leave out so many `orders` first")
	f.DurationVar(&o.Day, "day", time.Second, "what a day of the data set becomes; at 1s a year is six minutes")
	f.Uint64Var(&o.Seed, "seed", 1, "of everything that is invented")
	f.StringVar(&o.Store, "store", "olist", "`store` that the orders go to; each run needs one of its own")
	start := f.String("start", "", "`time` (RFC 3339) at which the run's clock starts (default: in two seconds)")
	f.BoolVar(&o.Resume, "resume", false, "carry an interrupted run on: repeat its flags as it printed them")
	f.BoolVar(&o.Batch, "batch", false, "do not wait for the moments: post as fast as is taken, on a clock that ends now")
	f.BoolVar(&o.Cases, "cases", true, "compare the cases that were opened, where a day is a second or more and the run is whole")
	f.IntVar(&o.Concurrency, "concurrency", 16, "`calls` under way at once")
	f.DurationVar(&o.Settle, "settle", 3*time.Minute, "how long to wait at the end for the engine's answers")
	f.DurationVar(&o.Patience, "patience", 5*time.Minute, "how long to ride out a server that is away")
	if helped, err := parse(f, args, olistHelp, out); helped || err != nil {
		return err
	}
	if *start != "" {
		at, err := time.Parse(time.RFC3339, *start)
		if err != nil {
			return usage("--start %q is not a time like 2026-11-21T20:00:00Z", *start)
		}
		o.Start = at
	}
	var err error
	if o.Keys, err = t.keys(); err != nil {
		return err
	}
	o.BaseURL = t.url
	_, err = Olist(ctx, o)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted; the line above that begins with --resume carries it on")
	}
	return err
}

func scenariosCommand(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("simulate scenarios", flag.ContinueOnError)
	var t target
	t.register(f)
	o := ScenarioOptions{Out: out}
	f.StringVar(&o.Only, "only", "", "play only those with this `text` in their name")
	f.DurationVar(&o.Patience, "patience", 30*time.Second, "how long to wait for one step")
	if helped, err := parse(f, args, scenariosHelp, out); helped || err != nil {
		return err
	}
	var err error
	if o.Keys, err = t.keys(); err != nil {
		return err
	}
	o.BaseURL = t.url
	_, err = Scenarios(ctx, o)
	return err
}

func demoCommand(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("simulate demo", flag.ContinueOnError)
	var t target
	t.register(f)
	o := DemoOptions{Log: slog.New(slog.NewTextHandler(out, nil))}
	f.DurationVar(&o.Day, "day", 5*time.Minute, "how long a day of the moving orders takes")
	if helped, err := parse(f, args, demoHelp, out); helped || err != nil {
		return err
	}
	var err error
	if o.Keys, err = t.keys(); err != nil {
		return err
	}
	o.BaseURL = t.url
	c, err := NewClient(t.url, o.Keys)
	if err != nil {
		return err
	}
	if err := c.Ping(ctx); err != nil {
		return err
	}
	return Demo(ctx, o)
}

// defaultData is where the data set lies beside a checkout, or WAYBILL_DATA.
func defaultData() string {
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		return "../shared/data/olist"
	}
	// The folder of all data sets will do as well.
	if inner := filepath.Join(dir, "olist"); isDir(inner) {
		return inner
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
