package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// NewKey makes an API key and returns it: the only time that it can be read.
func NewKey(ctx context.Context, c Config, name string, scopes []string, only string) (string, error) {
	k, plain, err := api.NewKey(name, scopes, only)
	if err != nil {
		return "", err
	}
	s, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return plain, s.AddKey(ctx, k)
}

// Explain writes why an order waits, and until when.
func Explain(ctx context.Context, c Config, orderID string, out io.Writer) error {
	s, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer s.Close()
	o, err := s.Order(ctx, orderID)
	if err != nil {
		return err
	}
	st := o.Current()
	fmt.Fprintf(out, "%s: %s (%s), policy %s v%d\n", orderID, order.Summary(st), st.Status, st.Spec.Policy.Name, st.Spec.Policy.Version)
	ws := order.Waiting(st)
	if len(ws) == 0 {
		fmt.Fprintln(out, "waits for nothing: it is closed")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PARCEL\tWAITS FOR\tSINCE\tUNTIL\tRULE\tOWNER\tTHEN\tCUT SHORT BY")
	for _, x := range ws {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Parcel, x.What, stamp(x.Since), stamp(x.Until), x.Rule, x.Owner, x.Then, x.CutShort)
	}
	return w.Flush()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// Replay replays recorded histories, or up to 500 open orders and feeds of the
// namespace, with this binary's code: the check before a deploy.
func Replay(ctx context.Context, c Config, files []string, out io.Writer, l *slog.Logger) error {
	logger := log.NewStructuredLogger(l)
	bad, all := 0, 0
	report := func(what string, err error) {
		all++
		if err != nil {
			bad++
			fmt.Fprintf(out, "FAILED %s: %v\n", what, err)
		}
	}
	if len(files) == 0 {
		opts, err := c.temporal(l)
		if err != nil {
			return err
		}
		t, err := client.DialContext(ctx, opts)
		if err != nil {
			return fmt.Errorf("temporal: %w", err)
		}
		defer t.Close()
		query := fmt.Sprintf("WorkflowType in (%q, %q) and ExecutionStatus = 'Running'", workflows.FeedType, workflows.OrderType)
		if err := worker.ReplayLive(ctx, t, opts.Namespace, query, 500, logger, func(r worker.Replayed) { report(r.WorkflowID, r.Err) }); err != nil {
			return err
		}
	}
	for _, f := range files {
		report(f, worker.ReplayFile(f, logger))
	}
	fmt.Fprintf(out, "%d of %d histories replay\n", all-bad, all)
	if bad > 0 {
		return fmt.Errorf("%d histories would not go on under this binary", bad)
	}
	return nil
}
