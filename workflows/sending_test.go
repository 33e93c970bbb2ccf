package workflows_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/workflows"
)

// A channel is sent by stretch after stretch; its provider's rests are kept, its
// failures handed on, and a continuation takes them along.
func TestAChannelIsSentByForAsLongAsThereAreWorkers(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(start)
	env.SetTestTimeout(30 * time.Second)
	env.RegisterWorkflowWithOptions(workflows.Messages, workflow.RegisterOptions{Name: workflows.MessagesType})
	type call struct {
		at       time.Time
		failures int
	}
	var calls []call
	var queues []string
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		queues = append(queues, info.TaskQueue)
	})
	env.RegisterActivityWithOptions(func(_ context.Context, r activities.SendRound) (activities.SendDone, error) {
		now := env.Now().UTC()
		calls = append(calls, call{now, r.Failures})
		switch len(calls) {
		case 1:
			return activities.SendDone{Provider: "twilio", Sent: 3}, nil
		case 2:
			return activities.SendDone{Provider: "twilio", Failures: 6, Trouble: "twilio: ambiguous", RestUntil: now.Add(10 * time.Minute), Waiting: 4, Oldest: now.Add(-time.Hour)}, nil
		case 3:
			return activities.SendDone{}, errors.New("the database is away") // tried again by Temporal
		case 5:
			env.SetCurrentHistoryLength(1 << 20)
			return activities.SendDone{Provider: "twilio", Failures: 2}, nil
		}
		return activities.SendDone{Provider: "twilio", Failures: r.Failures}, nil
	}, activity.RegisterOptions{Name: activities.SendMessages})
	env.ExecuteWorkflow(workflows.MessagesType, workflows.MessagesInput{Channel: "sms"})
	var again *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &again) {
		t.Fatalf("ended with %v", err)
	}
	var next workflows.MessagesInput
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &next); err != nil || next.Channel != "sms" || next.Last.Failures != 2 {
		t.Errorf("continues with %+v, %v", next, err)
	}
	if len(calls) != 5 || calls[2].failures != 6 || calls[3].failures != 6 {
		t.Fatalf("%+v", calls)
	}
	if rest := calls[2].at.Sub(calls[1].at); rest < 10*time.Minute {
		t.Errorf("rested %s", rest)
	}
	for _, q := range queues {
		if q != "messages:sms" {
			t.Errorf("sent on queue %q", q)
		}
	}
}

// What a history of messages can hold is counts, times and these words.
func TestHistoriesOfMessagesHoldCountsOnly(t *testing.T) {
	words := []string{"Channel", "Provider", "Trouble"}
	for _, typ := range []reflect.Type{reflect.TypeFor[activities.SendRound](), reflect.TypeFor[activities.SendDone]()} {
		for i := range typ.NumField() {
			switch f := typ.Field(i); {
			case f.Type == reflect.TypeFor[int](), f.Type == reflect.TypeFor[time.Time]():
			case f.Type.Kind() == reflect.String && slices.Contains(words, f.Name):
			default:
				t.Errorf("%s.%s could hold something of a message", typ, f.Name)
			}
		}
	}
}
