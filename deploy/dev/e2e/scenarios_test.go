package e2e

import (
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/sim"
)

// TestEveryBranchEndsAsItShould plays the scenarios of `waybill simulate
// scenarios` on the real stack.
func TestEveryBranchEndsAsItShould(t *testing.T) {
	s := open(t, "branches")
	var out strings.Builder
	results, err := sim.Scenarios(s.ctx, sim.ScenarioOptions{BaseURL: s.API.Base, Keys: sim.Keys(s.Access.Keys), Patience: patience, Out: &out})
	t.Log("\n" + out.String())
	if err != nil {
		t.Error(err)
	}
	if len(results) == 0 {
		t.Error("nothing was played")
	}
}
