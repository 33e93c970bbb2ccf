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
	var adapters []string
	for _, name := range []string{"aftership", "dhl", "easypost", "edi214", "fedex", "seventeentrack", "shippo", "ups", "usps"} {
		adapters = append(adapters, "internal/carriers/"+name)
	}
	may := map[string][]string{
		"order":             {},
		"activities":        {"order", "internal/feed"},
		"workflows":         {"order", "activities", "internal/feed"},
		"worker":            {"order", "activities", "workflows", "internal/feed"},
		"internal/feed":     {},
		"internal/rhythm":   {"order"},
		"internal/store":    {"order", "internal/feed", "internal/rhythm"},
		"internal/carriers": {"order"},
		"internal/intake":   {"order", "internal/feed", "internal/carriers", "internal/store", "internal/rhythm"},
		// What numbers can be says nothing of how carriers speak.
		"internal/carriers/numbers": {"order", "internal/carriers"},
		"internal/carriers/ask":     append(adapters, "order", "internal/feed", "internal/carriers", "internal/carriers/all", "internal/store", "internal/rhythm"),
		"internal/carriers/edi214":  {"order", "internal/carriers"},
		"internal/carriers/generic": {"order", "internal/carriers"},
		"internal/sim":              {"order"},
		"internal/folder":           {"order", "internal/feed", "internal/carriers", "internal/carriers/edi214", "internal/store", "internal/rhythm", "internal/intake"},
		"internal/policy":           {"order"},
		"internal/links":            {},
		"internal/speech":           {"order"},
		"internal/rates":            {},
		"internal/gs1":              {},
		"internal/epcis":            {"order", "internal/gs1"},
		"internal/localpg":          {},
		"internal/acts":             {"order", "activities", "workflows", "internal/feed", "internal/carriers", "internal/store", "internal/rhythm"},
		"internal/storefront":       {"order", "activities", "internal/feed", "internal/store", "internal/rhythm"},
		"internal/relay":            {"order", "activities", "workflows", "internal/feed", "internal/store", "internal/rhythm"},
		// Providers and templates know what a message is, and nothing of orders.
		"internal/messaging":           {},
		"internal/messaging/twilio":    {"internal/messaging"},
		"internal/messaging/sendgrid":  {"internal/messaging"},
		"internal/messaging/templates": {"internal/messaging", "internal/speech", "order"},
		"internal/messaging/plan":      {"internal/links", "internal/messaging", "internal/messaging/templates", "internal/speech", "order"},
		// What is sent is decided there; this is all that touches both rows and providers.
		"internal/messaging/dispatch": {"order", "activities", "internal/feed", "internal/carriers", "internal/links", "internal/store", "internal/rhythm", "internal/storefront",
			"internal/messaging", "internal/messaging/plan", "internal/messaging/templates", "internal/speech", "internal/messaging/twilio", "internal/messaging/sendgrid"},
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
