// Package rates bounds how often somebody may ask: each name has a bucket of
// requests that refills steadily. It is of one process.
package rates

import (
	"sync"
	"time"
)

// Limit is how often each name may ask. The zero Limit lets everybody.
type Limit struct {
	PerSecond float64 // 0: unlimited
	Burst     float64

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// most names are remembered; full buckets, which say nothing, make room first.
const most = 50_000

// Allow says whether the name may ask now, and counts it.
func (l *Limit) Allow(name string, now time.Time) bool {
	if l.PerSecond <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[name]
	if !ok {
		b = bucket{left: l.Burst, at: now}
		l.makeRoom(now)
	}
	b = l.refilled(b, now)
	allowed := b.left >= 1
	if allowed {
		b.left--
	}
	l.buckets[name] = b
	return allowed
}

func (l *Limit) refilled(b bucket, now time.Time) bucket {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left, b.at = min(l.Burst, b.left+passed*l.PerSecond), now
	}
	return b
}

func (l *Limit) makeRoom(now time.Time) {
	if l.buckets == nil {
		l.buckets = make(map[string]bucket)
	}
	if len(l.buckets) < most {
		return
	}
	for name, b := range l.buckets {
		if l.refilled(b, now).left >= l.Burst {
			delete(l.buckets, name)
		}
	}
	for name := range l.buckets {
		if len(l.buckets) < most {
			return
		}
		delete(l.buckets, name)
	}
}
