package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// openOrder writes an order that began some hours ago, as its workflow would.
func openOrder(t *testing.T, s *store.Store, number string, rules int, p order.Policy) {
	t.Helper()
	placed := time.Now().UTC().Add(-5 * time.Hour).Truncate(time.Microsecond)
	spec := order.Spec{ID: "acme:" + number, Store: "acme", Number: number, Class: order.Routine, PlacedAt: placed, Policy: p, Lines: []order.Line{{SKU: "tea", Quantity: 1}}}
	if _, err := s.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(number), RequestHash: []byte(number)}); err != nil {
		t.Fatal(err)
	}
	st := order.New(spec, rules, placed)
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
}

func parsed(t *testing.T, text string) []order.PolicyBook {
	t.Helper()
	books, err := policy.Parse([]byte(text), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return books
}

func TestAPolicyReachesTheOrdersThatFollowIt(t *testing.T) {
	s := storetest.New(t)
	shop, err := s.PutPolicy(t.Context(), parsed(t, "policies: {shop: {pick: 1d}}")[0], "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2", "3"} {
		openOrder(t, s, n, order.CurrentRules, shop.Policy)
	}
	openOrder(t, s, "old", 1, shop.Policy)
	openOrder(t, s, "other", order.CurrentRules, order.DefaultPolicy())

	var mu sync.Mutex
	asked := map[string]order.AdoptPolicy{}
	answer := map[string]error{"acme:2": workflows.ErrUnavailable, "acme:3": workflows.ErrNotRunning}
	var out strings.Builder
	a := applier{store: s, out: &out, actor: policyActor, ask: func(_ context.Context, id string, e order.Event) (order.View, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[id] = e.(order.AdoptPolicy)
		return order.View{}, answer[id]
	}}
	next := parsed(t, "policies: {shop: {pick: 4h}}")
	err = a.apply(t.Context(), next, false, time.Now())
	if err == nil || !strings.Contains(err.Error(), "1 orders did not move") || !strings.Contains(err.Error(), "acme:2") {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"shop v2: 3 open orders would move to it, and 3 waits would end at once", "3 × a not_picked case is opened", "1 orders began under older rules", "2 orders moved"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if len(asked) != 3 || asked["acme:1"].Policy.Version != 2 || time.Duration(asked["acme:1"].Policy.Pick) != 4*time.Hour {
		t.Errorf("asked %+v", asked)
	}
	// The same again asks those that were not reached, under the same IDs.
	first := asked["acme:2"].ID
	clear(asked)
	delete(answer, "acme:2")
	if err := a.apply(t.Context(), next, false, time.Now()); err != nil {
		t.Error(err)
	}
	if asked["acme:2"].ID != first || first == "" || asked["acme:2"].Policy.Version != 2 {
		t.Errorf("asked again %+v", asked)
	}
}

func TestAPolicyThatEndsManyWaitsMustBeMeant(t *testing.T) {
	s := storetest.New(t)
	for i := range endingLimit + 1 {
		openOrder(t, s, "n"+strings.Repeat("i", i%7)+time.Duration(i).String(), order.CurrentRules, order.DefaultPolicy())
	}
	asked := 0
	var mu sync.Mutex
	a := applier{store: s, out: new(strings.Builder), actor: policyActor, ask: func(context.Context, string, order.Event) (order.View, error) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return order.View{}, nil
	}}
	books := func() []order.PolicyBook { return parsed(t, "policies: {default: {pick: 4h}}") }
	// The built-in policy is version 1: the first that is written is version 2.
	err := a.apply(t.Context(), books(), false, time.Now())
	if err == nil || !strings.Contains(err.Error(), "101 waits would end at once") {
		t.Fatalf("%v", err)
	}
	if p, err := s.Policy(t.Context(), "default"); err != nil || p.Version != 1 || asked > 0 {
		t.Errorf("v%d was written, %d asked, %v", p.Version, asked, err)
	}
	if err := a.apply(t.Context(), books(), true, time.Now()); err != nil || asked != endingLimit+1 {
		t.Errorf("%d asked, %v", asked, err)
	}
}

func TestPolicyCommands(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	if err := errors.Join(os.WriteFile(good, policy.Default, 0o600), os.WriteFile(bad, []byte("policies:\n  a: {pikc: 1h}"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Policy(t.Context(), []string{"check", good}, &out, nil); err != nil || !strings.Contains(out.String(), "parcels: 5 rhythms, 3 calendars, 3 classes") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := Policy(t.Context(), []string{"check", bad}, &out, nil); err == nil || !strings.Contains(err.Error(), "line 2: policies.a.pikc") {
		t.Errorf("%v", err)
	}
	for _, args := range [][]string{nil, {"check"}, {"check", good, bad}, {"check", "--yes", good}, {"apply", "--no", good}, {"show", good}} {
		if err := Policy(t.Context(), args, &out, nil); err == nil || strings.Contains(err.Error(), "line") {
			t.Errorf("%v: %v", args, err)
		}
	}
}
