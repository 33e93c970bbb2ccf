package store_test

import (
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
)

func TestAFaultIsOneRowHoweverOftenItHappens(t *testing.T) {
	s, ctx := storetest.New(t), t.Context()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	report := func(at time.Time, fs ...store.Fault) {
		t.Helper()
		if err := s.ReportFaults(ctx, fs, at); err != nil {
			t.Fatal(err)
		}
	}
	report(at, store.Fault{Kind: store.UnmappedCode, Key: "ups/status/999", Title: "UPS 999", Sample: "first", Count: 3}, store.Fault{Kind: store.SilentFeed, Key: "fedex", Title: "FedEx is silent"})
	report(at.Add(time.Hour), store.Fault{Kind: store.UnmappedCode, Key: "ups/status/999", Title: "UPS 999", Sample: "second"})
	report(at.Add(-time.Hour), store.Fault{Kind: store.UnmappedCode, Key: "ups/status/999", Title: "UPS 999", Sample: "third"})

	open, err := s.Faults(ctx, true, store.FaultCursor{}, 10)
	if err != nil || len(open) != 2 {
		t.Fatalf("%v, %d open", err, len(open))
	}
	f := open[0]
	if f.Count != 5 || f.Sample != "third" || !f.OpenedAt.Equal(at) || !f.LastAt.Equal(at.Add(time.Hour)) {
		t.Errorf("%+v", f)
	}
	for i, want := range []bool{true, false} {
		if got, err := s.CloseFault(ctx, f.Kind, f.Key, "ops:ann", "mapped", at.Add(2*time.Hour)); err != nil || got != want {
			t.Errorf("close %d: %v, %v", i, got, err)
		}
	}
	// What comes back is another fault.
	report(at.Add(3*time.Hour), store.Fault{Kind: store.UnmappedCode, Key: "ups/status/999", Title: "UPS 999"})
	open, err = s.Faults(ctx, true, store.FaultCursor{}, 10)
	if err != nil || len(open) != 2 || open[0].Count != 1 || open[0].ID == f.ID {
		t.Errorf("%v, %+v", err, open)
	}
	if all, err := s.Faults(ctx, false, store.FaultCursor{}, 10); err != nil || len(all) != 3 {
		t.Errorf("%v, %d in all", err, len(all))
	}
}
