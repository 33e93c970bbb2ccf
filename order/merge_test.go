package order

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twice is an order and its duplicate: a mug each, no plan yet.
func twice() (into, duplicate Spec) {
	into = today(Spec{ID: "shop:1", Store: "shop", Number: "1", Class: Routine, CustomerRef: "c", PlacedAt: t0, Lines: []Line{{SKU: "mug", Quantity: 1}, {SKU: "tea", Quantity: 2}}})
	duplicate = into
	duplicate.ID, duplicate.Number, duplicate.PlacedAt = "shop:2", "2", at(0.1)
	return into, duplicate
}

// put labels parcel A of an order that has no plan.
func put(h float64, lines ...Allocation) PutParcel {
	return PutParcel{Meta: byShop(h), Parcel: "A", Carrier: "ups", Tracking: "T-900", Lines: lines}
}

func began(s Spec, events ...Event) *State {
	st := New(s, CurrentRules, s.PlacedAt)
	for _, e := range events {
		Apply(&st, e)
	}
	return &st
}

func merged(t interface{ Fatal(...any) }, a, b *State, h float64) {
	taken, moved, err := PlanMerge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(taken) > 0 {
		take := TakeParcels{Meta: bySupport(h), From: b.Spec.ID, Parcels: taken}
		if err := Check(a, take); err != nil {
			t.Fatal(err)
		}
		Apply(a, take)
	}
	merge := MergeInto{Meta: bySupport(h), Into: a.Spec.ID, Parcels: moved}
	if err := Check(b, merge); err != nil {
		t.Fatal(err)
	}
	Apply(b, merge)
}

func TestADuplicateGoesOnInTheOther(t *testing.T) {
	into, duplicate := twice()
	facts := []Event{moves(20, Accepted), moves(30, InTransit)}
	a := began(into)
	b := began(duplicate, append([]Event{put(10, Allocation{"mug", 1})}, facts...)...)
	merged(t, a, b, 40)
	if b.MergedInto != "shop:1" || b.Status != StatusCancelled || b.CancelledAt.IsZero() || b.SettledAt.IsZero() {
		t.Errorf("the duplicate goes on: %s, merged into %q", b.Status, b.MergedInto)
	}
	for i := range b.Parcels {
		if p := &b.Parcels[i]; p.Milestone != Cancelled || p.Tracking != "" {
			t.Errorf("parcel %s of the duplicate is %s with %q", p.ID, p.Milestone, p.Tracking)
		}
	}
	p := a.ParcelByID("2-A")
	if p == nil || p.Tracking != "T-900" || p.Carrier != "ups" || p.From != "shop:2/A" || b.ParcelByID("A").MovedTo != "shop:1/2-A" || !p.LabelAt.Equal(at(10)) {
		t.Fatalf("%+v", p)
	}
	// The duplicate's facts are told to the other order now.
	for _, e := range facts {
		moved := e.(CarrierEvent)
		moved.Parcel, moved.Applied = "2-A", at(41)
		Apply(a, moved)
	}
	if p := a.ParcelByID("2-A"); p.Milestone != InTransit || !p.PossessionAt.Equal(at(20)) || !p.LastMovement.Equal(at(30)) {
		t.Errorf("%s since %s, possession %s", p.Milestone, p.Since, p.PossessionAt)
	}
	// What is not in a parcel yet still waits in the other order.
	if rest := a.ParcelByID("1"); rest == nil || !slices.Equal(rest.Lines, []Allocation{{"tea", 2}}) {
		t.Errorf("%+v", rest)
	}
	// Late facts about the duplicate's parcel are kept and change nothing.
	n := b.AnomalyCount
	Apply(b, moves(50, Delivered))
	Apply(b, scan(51, ScanReturned))
	if b.AnomalyCount != n+2 || b.Status != StatusCancelled {
		t.Errorf("%d anomalies, %s", b.AnomalyCount-n, b.Status)
	}
	// The same acts again change nothing but the sequence number.
	same := func(st *State, e Event) {
		t.Helper()
		before, _ := json.Marshal(ViewOf(st))
		if err := Check(st, e); err != nil {
			t.Errorf("%T again: %v", e, err)
		}
		seq := st.Seq
		Apply(st, e)
		st.Seq = seq
		if after, _ := json.Marshal(ViewOf(st)); string(after) != string(before) {
			t.Errorf("%T again changed\n%s\nto\n%s", e, before, after)
		}
	}
	taken, moved, err := PlanMerge(a, b)
	if err != nil || len(moved) != 1 || moved[0] != (Moved{"A", "2-A"}) {
		t.Fatalf("%v, %v", moved, err)
	}
	same(a, TakeParcels{Meta: bySupport(51), From: "shop:2", Parcels: taken})
	same(b, MergeInto{Meta: bySupport(51), Into: "shop:1", Parcels: moved})
	if Check(b, CorrectMilestone{Meta: bySupport(52), Parcel: "A", Milestone: Delivered}) == nil {
		t.Error("a parcel that goes on elsewhere may be corrected here")
	}
}

// Where the storefront names no customer, the order's ID stands for one.
func TestNobodyIsAnotherCustomer(t *testing.T) {
	into, duplicate := twice()
	into.CustomerRef, duplicate.CustomerRef = into.ID, duplicate.ID
	if _, _, err := PlanMerge(began(into), began(duplicate)); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeMerged(t *testing.T) {
	shipped := []Event{put(10, Allocation{"mug", 1}), moves(20, Accepted)}
	for name, c := range map[string]struct {
		change func(a, b *Spec)
		a, b   []Event
		want   string
	}{
		"itself":                   {change: func(a, b *Spec) { *b = *a }, want: "this order itself"},
		"another store":            {change: func(a, b *Spec) { a.Store = "bolt" }, want: "another store's"},
		"another customer":         {change: func(a, b *Spec) { a.CustomerRef = "d" }, want: "another customer's"},
		"another country":          {change: func(a, b *Spec) { a.ShipTo = "FR" }, want: "another country"},
		"the older into the newer": {change: func(a, b *Spec) { a.PlacedAt = t0.Add(48 * time.Hour) }, want: "merge it into this one"},
		"delivered":                {b: append(slices.Clone(shipped), moves(30, Delivered)), want: "parcel A of shop:2 is delivered"},
		"on its way back":          {b: append(slices.Clone(shipped), moves(30, Returning)), want: "is returning"},
		"lost":                     {b: append(slices.Clone(shipped), paper(30, Lost)), want: "is lost"},
		"cancelled":                {b: []Event{Cancel{Meta: bySupport(5)}}, want: "shop:2 was cancelled"},
		"the other is cancelled":   {a: []Event{Cancel{Meta: bySupport(5)}}, b: shipped, want: "shop:1 was cancelled"},
		"both went out":            {a: shipped, b: shipped, want: "shop:1 cannot take parcel A: lines[0].quantity: 1 of mug, but only 0 of 1 are left"},
		"other goods":              {change: func(a, b *Spec) { a.Lines = []Line{{SKU: "cup", Quantity: 1}} }, b: shipped, want: `"mug" is not on this order`},
	} {
		into, duplicate := twice()
		if c.change != nil {
			c.change(&into, &duplicate)
		}
		_, _, err := PlanMerge(began(into, c.a...), began(duplicate, c.b...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	into, duplicate := twice()
	old := New(duplicate, mergeRules-1, t0)
	if _, _, err := PlanMerge(began(into), &old); err == nil || !strings.Contains(err.Error(), "older rules") {
		t.Error(err)
	}
	b := began(duplicate, shipped...)
	b.Remedies = []Remedy{{ID: "r", State: Requested}}
	if _, _, err := PlanMerge(began(into), b); err == nil || !strings.Contains(err.Error(), "refund") {
		t.Error(err)
	}
	b = began(duplicate, shipped...)
	for name, e := range map[string]MergeInto{
		"no reason":      {Meta: Meta{By: Support}, Into: "shop:1", Parcels: []Moved{{"A", "2-A"}}},
		"the storefront": {Meta: byShop(40), Into: "shop:1", Parcels: []Moved{{"A", "2-A"}}},
		"other parcels":  {Meta: bySupport(40), Into: "shop:1"},
	} {
		if Check(b, e) == nil {
			t.Errorf("%s: granted", name)
		}
	}
	if Check(began(into), TakeParcels{Meta: byShop(40), From: "shop:2"}) == nil {
		t.Error("the storefront may take parcels over")
	}
}

// Wherever a duplicate's parcel stands when it is merged, it stands there in the
// other order once that was told the same; and the duplicate ends.
func TestAMergedParcelStandsWhereItStood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		into, duplicate := twice()
		said := []Event{}
		for i := range rapid.IntRange(0, 6).Draw(t, "events") {
			h := 11 + float64(i)
			if rapid.Bool().Draw(t, "scan") {
				said = append(said, scan(h, rapid.SampledFrom(ScanKinds).Draw(t, "kind")))
			} else {
				said = append(said, moves(h, rapid.SampledFrom([]Milestone{Accepted, InTransit, InCustoms, OutForDelivery, AttemptFailed, ReadyForPickup, Delivered}).Draw(t, "milestone")))
			}
		}
		a, b := began(into), began(duplicate, append([]Event{put(10, Allocation{"mug", 1})}, said...)...)
		was := b.ParcelByID("A").Milestone
		taken, moved, err := PlanMerge(a, b)
		if was == Delivered || was == Returned {
			if err == nil {
				t.Fatalf("merged though A is %s", was)
			}
			return
		}
		merged(t, a, b, 40)
		goesOn := was == HandedOver || was.Stage() > Preparing
		if goesOn != (len(taken) == 1) || goesOn != (len(moved) == 1) || goesOn != (a.ParcelByID("2-A") != nil) {
			t.Fatalf("A is %s; %+v", was, moved)
		}
		if b.Status != StatusCancelled || b.SettledAt.IsZero() {
			t.Fatalf("the duplicate is %s", b.Status)
		}
		if !goesOn {
			return
		}
		for _, i := range rapid.Permutation(indexes(len(said))).Draw(t, "order") {
			switch e := said[i].(type) {
			case Scan:
				e.Parcel, e.Applied = "2-A", at(41)
				Apply(a, e)
			case CarrierEvent:
				e.Parcel, e.Applied = "2-A", at(41)
				Apply(a, e)
			}
		}
		if p := a.ParcelByID("2-A"); p.Milestone != was {
			t.Fatalf("%s, and it was %s", p.Milestone, was)
		}
		raw, err := json.Marshal(b)
		var back State
		if err != nil || json.Unmarshal(raw, &back) != nil || back.MergedInto != b.MergedInto || !reflect.DeepEqual(ViewOf(&back), ViewOf(b)) {
			t.Fatal("the duplicate does not survive being written")
		}
	})
}

func indexes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
