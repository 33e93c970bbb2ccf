package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
)

const (
	// LearnRhythms measures how long parcels stood still and proposes lines of
	// policies.
	LearnRhythms = "LearnRhythms"
	// AdoptPolicy asks the open orders of a policy to follow its newest version.
	AdoptPolicy = "AdoptPolicy"
)

// Rhythms is what a night of learning needs. Both may be repeated. beat says that
// they go on.
type Rhythms interface {
	Learn(ctx context.Context, beat func()) (Learned, error)
	Adopt(ctx context.Context, policy string, beat func()) (moved int, err error)
}

// Learned is what came of a night.
type Learned struct {
	Figures   int      `json:"figures"`   // that were measured
	Proposals int      `json:"proposals"` // that wait for a person
	Applied   int      `json:"applied"`   // by policies that say automatic
	Adopt     []string `json:"adopt,omitempty"`
}

// LearnRhythms as Rhythms does.
func (a *Activities) LearnRhythms(ctx context.Context) (Learned, error) {
	return a.Rhythms.Learn(ctx, func() { activity.RecordHeartbeat(ctx) })
}

// AdoptPolicy as Rhythms does.
func (a *Activities) AdoptPolicy(ctx context.Context, policy string) (moved int, err error) {
	return a.Rhythms.Adopt(ctx, policy, func() { activity.RecordHeartbeat(ctx) })
}
