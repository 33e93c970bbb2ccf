package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// RunID is the run that an order is in now.
func (r *Rig) RunID(ctx context.Context, orderID string) (string, error) {
	now, err := r.Temporal.DescribeWorkflowExecution(ctx, workflows.ID(orderID), "")
	if err != nil {
		return "", err
	}
	return now.GetWorkflowExecutionInfo().GetExecution().GetRunId(), nil
}

// History reads every run of an order, oldest first.
func (r *Rig) History(ctx context.Context, orderID string) ([]*historypb.History, error) {
	return r.HistoryOf(ctx, workflows.ID(orderID))
}

// HistoryOf reads every run of a workflow, oldest first.
func (r *Rig) HistoryOf(ctx context.Context, id string) ([]*historypb.History, error) {
	now, err := r.Temporal.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return nil, err
	}
	var runs []*historypb.History
	for run := now.GetWorkflowExecutionInfo().GetFirstRunId(); run != ""; {
		h := &historypb.History{}
		for it := r.Temporal.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
			e, err := it.Next()
			if err != nil {
				return nil, err
			}
			h.Events = append(h.Events, e)
		}
		runs = append(runs, h)
		last := h.Events[len(h.Events)-1]
		run = last.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return runs, nil
}

// Told lists the inbox numbers of all facts that stand in a history, as often as
// they stand there.
func Told(runs []*historypb.History) ([]int64, error) {
	var ns []int64
	for _, h := range runs {
		for _, e := range h.GetEvents() {
			payloads := e.GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads()
			if in := e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput(); slices.Contains([]string{workflows.Scans, workflows.CarrierEvents, workflows.Facts}, in.GetName()) {
				payloads = in.GetArgs().GetPayloads()
			}
			for _, p := range payloads {
				var batch struct {
					Items []struct {
						Fact struct {
							N int64 `json:"n"`
						} `json:"fact"`
					} `json:"items"`
				}
				if err := json.Unmarshal(p.GetData(), &batch); err != nil {
					return nil, fmt.Errorf("event %d: %w", e.GetEventId(), err)
				}
				for _, it := range batch.Items {
					ns = append(ns, it.Fact.N)
				}
			}
		}
	}
	return ns, nil
}

// StartShort begins an order's workflow as the relay would, but with short runs.
// The order is created, and no worker runs yet that would start it.
func (r *Rig) StartShort(ctx context.Context, orderID string, maxEvents int) error {
	var spec order.Spec
	if err := r.DB.QueryRow(ctx, `select spec from orders where id = $1 and started_at is null`, orderID).Scan(&spec); err != nil {
		return fmt.Errorf("order %s: %w", orderID, err)
	}
	_, err := r.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.ID(orderID), TaskQueue: workflows.TaskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("OrderStore").ValueSet(spec.Store)),
	}, workflows.OrderType, workflows.Input{Spec: &spec, MaxEvents: maxEvents})
	return err
}
