package rates

import (
	"fmt"
	"testing"
	"time"
)

func TestABucketEmptiesAndRefills(t *testing.T) {
	l := Limit{PerSecond: 0.5, Burst: 3}
	now := time.Unix(1_000_000, 0)
	for i, want := range []bool{true, true, true, false} {
		if got := l.Allow("a", now); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	if !l.Allow("b", now) {
		t.Error("another's requests are counted")
	}
	if l.Allow("a", now.Add(time.Second)) || !l.Allow("a", now.Add(2*time.Second)) {
		t.Error("it does not refill by one in two seconds")
	}
	if l.Allow("a", now.Add(-time.Hour)) {
		t.Error("a clock that was put back refills it")
	}
	var free Limit
	for range 1000 {
		if !free.Allow("a", now) {
			t.Fatal("no limit is none")
		}
	}
}

func TestFullBucketsMakeRoom(t *testing.T) {
	l := Limit{PerSecond: 1, Burst: 1}
	now := time.Unix(1_000_000, 0)
	for i := range most {
		l.Allow(fmt.Sprint(i), now)
	}
	later := now.Add(2 * time.Second)
	l.Allow("busy", now.Add(1900*time.Millisecond))
	if len(l.buckets) != 1 {
		t.Errorf("%d names are remembered", len(l.buckets))
	}
	if l.Allow("busy", later) {
		t.Error("a name that asks too often was forgotten")
	}
}
