package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/sdk/client"

	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

const (
	// endingLimit is how many waits a new policy may end at once without somebody
	// saying that this is meant.
	endingLimit = 100
	// adopting is how many orders are asked at a time.
	adopting = 8
	// told is how many refusals are written out.
	told = 10
)

// readPolicies reads a policy file. It knows the built-in carriers, and those of
// mapping files.
func readPolicies(file string) ([]order.PolicyBook, error) {
	carriers, err := registry(os.Getenv("WAYBILL_CARRIER_MAPPINGS"))
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, policy.MaxFile+1))
	if err != nil {
		return nil, err
	}
	books, err := policy.Parse(raw, carriers.Names(), time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", file, err)
	}
	return books, nil
}

// CheckPolicy says what is wrong with a policy file. It needs no configuration.
func CheckPolicy(file string, out io.Writer) error {
	books, err := readPolicies(file)
	if err != nil {
		return err
	}
	for _, b := range books {
		fmt.Fprintf(out, "%s: %d rhythms, %d calendars, %d classes of its own\n", b.Name, len(b.Rhythms), len(b.Calendars), len(b.Classes))
	}
	return nil
}

// Policy applies a policy file ("apply [--yes] FILE") or checks one ("check
// FILE"), or learns what policies should say ("learn [--dry-run]"). Flags may
// follow the file.
func Policy(ctx context.Context, args []string, out io.Writer, log *slog.Logger) error {
	if len(args) == 0 {
		return flag.ErrHelp
	}
	fs := flag.NewFlagSet("policy", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	yes, dry := fs.Bool("yes", false, ""), fs.Bool("dry-run", false, "")
	var files []string
	for rest := args[1:]; len(rest) > 0; {
		if err := fs.Parse(rest); err != nil {
			return flag.ErrHelp
		}
		if rest = fs.Args(); len(rest) > 0 {
			files, rest = append(files, rest[0]), rest[1:]
		}
	}
	switch {
	case args[0] == "learn" && len(files) == 0 && !*yes:
		c, err := FromEnv()
		if err != nil {
			return err
		}
		return learnNow(ctx, c, *dry, out, log)
	case len(files) != 1 || *dry:
		return flag.ErrHelp
	case args[0] == "check" && !*yes:
		return CheckPolicy(files[0], out)
	case args[0] == "apply":
		books, err := readPolicies(files[0])
		if err != nil {
			return err
		}
		c, err := FromEnv()
		if err != nil {
			return err
		}
		return applyPolicies(ctx, c, books, *yes, out, log)
	}
	return flag.ErrHelp
}

// dialled reaches database and orders for a command.
func dialled(ctx context.Context, c Config, log *slog.Logger, do func(*store.Store, orders) error) error {
	s, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer s.Close()
	opts, err := c.temporal(log)
	if err != nil {
		return err
	}
	t, err := client.NewLazyClient(opts)
	if err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	defer t.Close()
	return do(s, orders{&workflows.Client{Temporal: t, Namespace: opts.Namespace}, s})
}

// applyPolicies shows what policies would do, writes them, and asks every open
// order that follows an older version to adopt the new one. Repeating it is safe,
// and goes on with those that were not reached.
func applyPolicies(ctx context.Context, c Config, books []order.PolicyBook, yes bool, out io.Writer, log *slog.Logger) error {
	return dialled(ctx, c, log, func(s *store.Store, o orders) error {
		a := applier{store: s, ask: o.Ask, out: out, actor: policyActor}
		return a.apply(ctx, books, yes, time.Now())
	})
}

// applier brings policies to the orders that follow them.
type applier struct {
	store interface {
		Policy(ctx context.Context, name string) (order.PolicyBook, error)
		PutPolicy(ctx context.Context, p order.PolicyBook, actor string) (order.PolicyBook, error)
		EachOpen(ctx context.Context, do func(store.Order) error) error
		BeginAudit(ctx context.Context, a store.Audit) error
		EndAudit(ctx context.Context, id, outcome, detail string) error
	}
	ask   func(ctx context.Context, orderID string, request order.Event) (order.View, error)
	out   io.Writer
	actor string // of the acts
}

const policyActor = "cli:policy"

func (a *applier) apply(ctx context.Context, books []order.PolicyBook, yes bool, now time.Time) error {
	effects := make([]policy.Effect, len(books))
	for i := range books {
		newest, err := a.store.Policy(ctx, books[i].Name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if books[i], _, err = store.NextVersion(newest, rhythm.Keep(books[i], newest)); err != nil {
			return err
		}
	}
	err := a.store.EachOpen(ctx, func(o store.Order) error {
		for i := range books {
			effects[i].Count(o.Current(), &books[i], now)
		}
		return nil
	})
	if err != nil {
		return err
	}
	ending := 0
	for i, e := range effects {
		fmt.Fprintf(a.out, "%s v%d: %d open orders would move to it, and %d waits would end at once\n", books[i].Name, books[i].Version, e.Orders, e.Waits)
		for _, o := range e.Then {
			fmt.Fprintf(a.out, "  %6d × %s\n", o.Count, o.Then)
		}
		if e.Older > 0 {
			fmt.Fprintf(a.out, "  %6d orders began under older rules and stay as they are\n", e.Older)
		}
		ending += e.Waits
	}
	if ending > endingLimit && !yes {
		return fmt.Errorf("%d waits would end at once, more than %d: nothing was written; say --yes if that is meant", ending, endingLimit)
	}
	for i := range books {
		if books[i], err = a.store.PutPolicy(ctx, books[i], a.actor); err != nil {
			return err
		}
	}
	_, err = a.adopt(ctx, books)
	return err
}

// adopt asks the open orders, a few at a time, and says how many moved.
func (a *applier) adopt(ctx context.Context, books []order.PolicyBook) (int, error) {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		slots  = make(chan struct{}, adopting)
		moved  int
		failed []error
	)
	err := a.store.EachOpen(ctx, func(o store.Order) error {
		st := o.Current()
		i := slices.IndexFunc(books, func(b order.PolicyBook) bool { return policy.Follows(st, &b) && st.Rules >= order.AdoptRules })
		if i < 0 {
			return nil
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		wg.Go(func() {
			defer func() { <-slots }()
			err := a.adoptOne(ctx, o.Spec.ID, books[i].For(st.Spec.Class))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", o.Spec.ID, err))
				return
			}
			moved++
		})
		return nil
	})
	wg.Wait()
	fmt.Fprintf(a.out, "%d orders moved\n", moved)
	if len(failed) > 0 {
		n := len(failed)
		err = errors.Join(append([]error{err, fmt.Errorf("%d orders did not move; the same command asks them again", n)}, failed[:min(n, told)]...)...)
	}
	return moved, err
}

// adoptOne asks one order. Its audit row follows from order and version, so that a
// repeat is the same request.
func (a *applier) adoptOne(ctx context.Context, id string, p order.Policy) error {
	sum := sha256.Sum256(fmt.Appendf(nil, "adopt %s %s %d", id, p.Name, p.Version))
	audit := "aud_" + hex.EncodeToString(sum[:12])
	body, err := json.Marshal(map[string]any{"policy": p.Name, "version": p.Version})
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	err = a.store.BeginAudit(ctx, store.Audit{ID: audit, OrderID: id, Action: "adopt_policy", Actor: a.actor, Role: "admin", Request: body, CreatedAt: now})
	var pg *pgconn.PgError
	if err != nil && (!errors.As(err, &pg) || pg.Code != "23505") { // there from a try that broke off
		return err
	}
	_, err = a.ask(ctx, id, order.AdoptPolicy{Meta: order.Meta{ID: audit, By: order.Support, Actor: a.actor, Occurred: now, Received: now}, Policy: p})
	outcome, detail := "done", ""
	switch {
	case errors.Is(err, workflows.ErrNotRunning):
		outcome, detail, err = "refused", err.Error(), nil // it closed meanwhile
	case errors.Is(err, workflows.ErrUnavailable):
		return err // a repeat will end the row
	case err != nil:
		outcome, detail = "refused", err.Error()
	}
	return errors.Join(err, a.store.EndAudit(ctx, audit, outcome, detail))
}
