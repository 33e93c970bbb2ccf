package workflows_test

import (
	"compress/gzip"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// The golden histories were recorded from a real server by `make golden`, one
// folder for each rules number. An order that began under any of them must go on
// under this code.
const (
	golden        = "testdata/replay"
	fewestPerRule = 10
)

var quiet = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

func TestEveryGoldenHistoryReplays(t *testing.T) {
	for rules := order.MinRules; rules <= order.CurrentRules; rules++ {
		files := goldenFiles(t, rules)
		if len(files) < fewestPerRule {
			t.Errorf("rules %d have %d golden histories, want at least %d: run `make golden`", rules, len(files), fewestPerRule)
		}
		for _, path := range files {
			t.Run(nameOf(path), func(t *testing.T) {
				if err := worker.ReplayFile(path, quiet); err != nil {
					t.Errorf("an order that is in this state would be stuck:\n%v", err)
				}
			})
		}
	}
}

func TestEveryGoldenHistoryOfMessagesReplays(t *testing.T) {
	files := histories(t, "messages")
	if len(files) < 2 {
		t.Errorf("messages have %d golden histories, want at least 2: run `make golden`", len(files))
	}
	for _, path := range files {
		t.Run(nameOf(path), func(t *testing.T) {
			if err := worker.ReplayFile(path, quiet); err != nil {
				t.Errorf("a channel that is in this state would be stuck:\n%v", err)
			}
		})
	}
}

func TestEveryGoldenHistoryOfAFeedReplays(t *testing.T) {
	for rules := feed.MinRules; rules <= feed.CurrentRules; rules++ {
		files := goldenFeeds(t, rules)
		if len(files) < 5 {
			t.Errorf("feed rules %d have %d golden histories, want at least 5: run `make golden`", rules, len(files))
		}
		for _, path := range files {
			t.Run(nameOf(path), func(t *testing.T) {
				if err := worker.ReplayFile(path, quiet); err != nil {
					t.Errorf("a feed that is in this state would be stuck:\n%v", err)
				}
			})
		}
	}
}

// An order's price is its events. events.txt says how many each life may cost.
func TestGoldenHistoriesStayWithinTheirEvents(t *testing.T) {
	limits := eventLimits(t)
	var all []string
	for rules := order.MinRules; rules <= order.CurrentRules; rules++ {
		all = append(all, goldenFiles(t, rules)...)
	}
	for rules := feed.MinRules; rules <= feed.CurrentRules; rules++ {
		all = append(all, goldenFeeds(t, rules)...)
	}
	all = append(all, histories(t, "messages")...)
	for _, path := range all {
		name := nameOf(path)
		limit, ok := limits[name]
		if !ok {
			t.Errorf("%s has no line in events.txt", name)
		}
		if n := len(history(t, path).GetEvents()); n > limit {
			t.Errorf("%s has %d events, %d are allowed; if they are worth it, raise the figure in events.txt", path, n, limit)
		}
	}
}

// A replay that accepts anything would prove nothing.
func TestTheReplayNoticesChangedCode(t *testing.T) {
	mutants := map[string]func(workflow.Context, workflows.Input) error{
		"a timer more": func(ctx workflow.Context, in workflows.Input) error {
			workflow.NewTimer(ctx, time.Hour)
			return workflows.Order(ctx, in)
		},
		"an activity more": func(ctx workflow.Context, in workflows.Input) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
			workflow.ExecuteActivity(ctx, "SendMessage")
			return workflows.Order(ctx, in)
		},
		"another deadline": func(ctx workflow.Context, in workflows.Input) error {
			if in.Spec != nil {
				in.Spec.Policy.CloseAfter += order.Duration(time.Hour)
			}
			return workflows.Order(ctx, in)
		},
		"an early end": func(workflow.Context, workflows.Input) error { return nil },
	}
	path := filepath.Join(golden, fmt.Sprintf("rules%d", order.CurrentRules), "happy-path-alone.json.gz")
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			r := sdkworker.NewWorkflowReplayer()
			r.RegisterWorkflowWithOptions(mutant, workflow.RegisterOptions{Name: workflows.OrderType})
			if err := r.ReplayWorkflowHistory(quiet, history(t, path)); err == nil {
				t.Error("the changed workflow was accepted")
			}
		})
	}
}

func TestTheReplayNoticesChangedFeedCode(t *testing.T) {
	mutants := map[string]func(workflow.Context, workflows.FeedInput) error{
		"a timer more": func(ctx workflow.Context, in workflows.FeedInput) error {
			workflow.NewTimer(ctx, time.Hour)
			return workflows.Feed(ctx, in)
		},
		"another beginning": func(ctx workflow.Context, in workflows.FeedInput) error {
			in.State = &feed.State{Name: in.Name, Phase: feed.Recovering, Since: time.Unix(0, 0)}
			return workflows.Feed(ctx, in)
		},
		"an early end": func(workflow.Context, workflows.FeedInput) error { return nil },
	}
	path := filepath.Join(golden, fmt.Sprintf("feed%d", feed.CurrentRules), "feed-goes-silent-and-recovers.json.gz")
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			r := sdkworker.NewWorkflowReplayer()
			r.RegisterWorkflowWithOptions(mutant, workflow.RegisterOptions{Name: workflows.FeedType})
			if err := r.ReplayWorkflowHistory(quiet, history(t, path)); err == nil {
				t.Error("the changed workflow was accepted")
			}
		})
	}
}

func goldenFiles(t *testing.T, rules int) []string {
	return histories(t, fmt.Sprintf("rules%d", rules))
}
func goldenFeeds(t *testing.T, rules int) []string { return histories(t, fmt.Sprintf("feed%d", rules)) }

func histories(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(golden, folder, "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".json.gz") }

func history(t *testing.T, path string) *historypb.History {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	h, err := client.HistoryFromJSON(z, client.HistoryJSONOptions{})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return h
}

func eventLimits(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden, "events.txt"))
	if err != nil {
		t.Fatal(err)
	}
	limits := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		var name string
		var n int
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		limits[name] = n
	}
	return limits
}
