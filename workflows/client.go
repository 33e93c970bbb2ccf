package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/order"
)

// OrderType is the workflow's name.
const OrderType = "Order"

var (
	// ErrNotRunning: no workflow of that order is open.
	ErrNotRunning = errors.New("the order is closed")
	// ErrUnavailable: the order could not be reached in time. The request may
	// still be granted; asking again with the same ID is safe.
	ErrUnavailable = errors.New("the order could not be reached in time")
)

// Client talks to running orders.
type Client struct {
	Temporal  client.Client
	Namespace string
	// Links are put into the static details; may be nil.
	ConsoleURL func(orderID string) string
}

// Start begins an order. It succeeds as well when the order had begun before:
// the ID is fixed and never reused.
func (c *Client) Start(ctx context.Context, spec order.Spec) error {
	attrs := []temporal.SearchAttributeUpdate{attrStore.ValueSet(spec.Store), attrStatus.ValueSet(string(order.StatusPreparing))}
	if !spec.PromisedAt.IsZero() {
		attrs = append(attrs, attrPromised.ValueSet(spec.PromisedAt))
	}
	first := order.New(spec, order.CurrentRules, spec.PlacedAt)
	if cs := carriers(&first); len(cs) > 0 {
		attrs = append(attrs, attrCarriers.ValueSet(cs))
	}
	_, err := c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       ID(spec.ID),
		TaskQueue:                                TaskQueue,
		EnableEagerStart:                         true, // the relay runs beside a worker: its first task comes with the answer
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		TypedSearchAttributes:                    temporal.NewSearchAttributes(attrs...),
		StaticSummary:                            summary(spec),
		StaticDetails:                            c.details(spec.ID),
	}, OrderType, Input{Spec: &spec, Rules: order.CurrentRules})
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &already) {
		return fmt.Errorf("start order %s: %w", spec.ID, err)
	}
	return nil
}

// StartFeed begins the supervision of a feed; one that goes on already is left as
// it is.
func (c *Client) StartFeed(ctx context.Context, name, carrier string) error {
	_, err := c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       FeedID(name),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		TypedSearchAttributes:    temporal.NewSearchAttributes(attrCarriers.ValueSet([]string{carrier})),
		StaticSummary:            "feed " + name + " of " + carrier,
	}, FeedType, FeedInput{Name: name})
	if err != nil {
		return fmt.Errorf("start feed %s: %w", name, err)
	}
	return nil
}

// StartMessages begins the sending by a channel; one that goes on already is left
// as it is.
func (c *Client) StartMessages(ctx context.Context, channel string) error {
	_, err := c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       MessagesID(channel),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "messages by " + channel,
	}, MessagesType, MessagesInput{Channel: channel})
	if err != nil {
		return fmt.Errorf("start messages by %s: %w", channel, err)
	}
	return nil
}

// Tell hands facts to an order, and returns when it has them. The request ID
// makes a repeat of the same call harmless. It is an update and not a signal
// because that costs the server one write and not three: the task that it wakes
// the order with is stored only together with what came of it.
func (c *Client) Tell(ctx context.Context, orderID, name string, items []json.RawMessage, requestID string) error {
	_, err := c.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: ID(orderID), UpdateID: requestID, UpdateName: name, Args: []any{Batch{V: 1, Items: items}},
		WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("tell order %s: %w", orderID, ErrNotRunning)
	}
	if err != nil {
		return fmt.Errorf("tell order %s: %w", orderID, err)
	}
	return nil
}

// Reopen puts a request to an order that had closed, and starts the run in which it
// goes on with the request. Answers as Ask does.
func (c *Client) Reopen(ctx context.Context, spec order.Spec, request order.Event) (v order.View, err error) {
	handle, err := c.withStart(ctx, spec, client.UpdateWorkflowOptions{
		UpdateID: order.IDOf(request), UpdateName: UpdateName(request), Args: []any{request}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &v)
	}
	return v, answerError(spec.ID, err)
}

// Wake hands facts to an order that had closed, as Tell does, and starts the run in
// which it goes on.
func (c *Client) Wake(ctx context.Context, spec order.Spec, name string, items []json.RawMessage, requestID string) error {
	_, err := c.withStart(ctx, spec, client.UpdateWorkflowOptions{
		UpdateID: requestID, UpdateName: name, Args: []any{Batch{V: 1, Items: items}}, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err != nil {
		return fmt.Errorf("wake order %s: %w", spec.ID, err)
	}
	return nil
}

// withStart sends an update with the start of the run that follows a closed one.
// Should another run be open by now, that one gets it: however many ask at once,
// there is one run. It sets its search attributes itself, when it has read the order.
func (c *Client) withStart(ctx context.Context, spec order.Spec, u client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	u.WorkflowID = ID(spec.ID)
	start := c.Temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       u.WorkflowID,
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		TypedSearchAttributes:    temporal.NewSearchAttributes(attrStore.ValueSet(spec.Store)),
		StaticSummary:            summary(spec) + ", reopened",
		StaticDetails:            c.details(spec.ID),
	}, OrderType, Input{Reopen: spec.ID})
	return c.Temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{StartWorkflowOperation: start, UpdateOptions: u})
}

func summary(spec order.Spec) string {
	lines := "lines"
	if len(spec.Lines) == 1 {
		lines = "line"
	}
	return fmt.Sprintf("%s order %s, %d %s", spec.Store, spec.Number, len(spec.Lines), lines)
}

func (c *Client) details(orderID string) string {
	if c.ConsoleURL == nil {
		return ""
	}
	return "[Order in the console](" + c.ConsoleURL(orderID) + ")"
}

// Ask puts a request to a running order and returns the order after it. A
// refusal comes back as one or more *order.Refusal. The request's Meta.ID is
// the update's ID: asking again gets the same answer.
func (c *Client) Ask(ctx context.Context, orderID string, request order.Event) (v order.View, err error) {
	handle, err := c.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: ID(orderID), UpdateID: order.IDOf(request), UpdateName: UpdateName(request), Args: []any{request},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &v)
	}
	return v, answerError(orderID, err)
}

func answerError(orderID string, err error) error {
	var app *temporal.ApplicationError
	var missing *serviceerror.NotFound
	var late *client.WorkflowUpdateServiceTimeoutOrCanceledError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &app) && app.Type() == refusalType:
		var list []order.Refusal
		if app.Details(&list) != nil || len(list) == 0 {
			return &order.Refusal{Reason: app.Message()}
		}
		errs := make([]error, len(list))
		for i := range list {
			errs[i] = &list[i]
		}
		return errors.Join(errs...)
	case errors.As(err, &missing), errors.As(err, &app) && app.Type() == "AcceptedUpdateCompletedWorkflow":
		return fmt.Errorf("order %s: %w", orderID, ErrNotRunning)
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("order %s: %w", orderID, ErrUnavailable)
	}
	return fmt.Errorf("order %s: %w: %w", orderID, ErrUnavailable, err)
}

// View asks a running or retained order how it is now.
func (c *Client) View(ctx context.Context, orderID string) (v order.View, err error) {
	value, err := c.Temporal.QueryWorkflow(ctx, ID(orderID), "", QueryView)
	if err == nil {
		err = value.Get(&v)
	}
	return v, answerError(orderID, err)
}
