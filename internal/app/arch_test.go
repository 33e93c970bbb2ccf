package app

import (
	"os/exec"
	"strings"
	"testing"
)

// The arrows of docs/map.md: what each package may reach, of ours and of what
// must stay outside.
func TestArrowsPointOneWay(t *testing.T) {
	const us = "github.com/waybillhq/waybill/"
	may := map[string][]string{
		"order":             {},
		"activities":        {"order"},
		"workflows":         {"order", "activities"},
		"worker":            {"order", "activities", "workflows"},
		"internal/store":    {"order"},
		"internal/carriers": {"order"},
		"internal/intake":   {"order", "internal/carriers", "internal/store"},
		"internal/sim":      {"order"},
		"internal/policy":   {"order"},
		"internal/links":    {},
		"internal/localpg":  {},
		"internal/relay":    {"order", "activities", "workflows", "internal/store"},
	}
	for pkg, allowed := range may {
		out, err := exec.Command("go", "list", "-deps", us+pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, dep := range strings.Fields(string(out)) {
			ours, isOurs := strings.CutPrefix(dep, us)
			ok := !isOurs || ours == pkg
			for _, a := range allowed {
				ok = ok || ours == a
			}
			if !ok {
				t.Errorf("%s reaches %s", pkg, dep)
			}
		}
	}
	out, err := exec.Command("go", "list", "-deps", strings.TrimSuffix(us, "/")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if strings.HasPrefix(dep, "go.temporal.io/server/") {
			t.Errorf("the engine compiles the Temporal server: %s", dep)
		}
	}
}
