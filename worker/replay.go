package worker

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/workflows"
)

func replayer() (worker.WorkflowReplayer, error) {
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{})
	if err != nil {
		return nil, err
	}
	r.RegisterWorkflowWithOptions(workflows.Order, workflow.RegisterOptions{Name: workflows.OrderType})
	r.RegisterWorkflowWithOptions(workflows.Feed, workflow.RegisterOptions{Name: workflows.FeedType})
	r.RegisterWorkflowWithOptions(workflows.Messages, workflow.RegisterOptions{Name: workflows.MessagesType})
	return r, nil
}

// ReplayFile replays a recorded history (JSON, or gzipped JSON) with this
// binary's code and fails if it would have acted differently.
func ReplayFile(path string, l log.Logger) error {
	r, err := replayer()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		in = z
	}
	h, err := client.HistoryFromJSON(in, client.HistoryJSONOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := r.ReplayWorkflowHistory(l, h); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Replayed says how one live history went.
type Replayed struct {
	WorkflowID string
	Err        error
}

// ReplayLive replays up to limit histories of a namespace, newest first: open
// orders are what a deploy can break. each is told of every one.
func ReplayLive(ctx context.Context, c client.Client, namespace, query string, limit int, l log.Logger, each func(Replayed)) error {
	r, err := replayer()
	if err != nil {
		return err
	}
	var page []byte
	for n := 0; n < limit; {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, PageSize: int32(min(limit-n, 200)), NextPageToken: page})
		if err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		for _, e := range list.GetExecutions() {
			exec := workflow.Execution{ID: e.GetExecution().GetWorkflowId(), RunID: e.GetExecution().GetRunId()}
			each(Replayed{exec.ID, replayRun(ctx, c, r, exec, l)})
			n++
		}
		if page = list.GetNextPageToken(); len(page) == 0 {
			return nil
		}
	}
	return nil
}

// replayRun reads the history itself. The replayer would too, but then replays
// it under the live namespace's name, where the SDK wants local activities to be
// registered, and a replayer has no way to register them: nothing would replay.
func replayRun(ctx context.Context, c client.Client, r worker.WorkflowReplayer, exec workflow.Execution, l log.Logger) error {
	h := &historypb.History{}
	for it := c.GetWorkflowHistory(ctx, exec.ID, exec.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
		if err != nil {
			return err
		}
		h.Events = append(h.Events, e)
	}
	return r.ReplayWorkflowHistoryWithOptions(l, h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: exec})
}
