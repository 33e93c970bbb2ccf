package feed_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/feed"
)

// A Monday.
var begin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const (
	day  = 24 * time.Hour
	week = 7 * day
	many = 100_000 // open parcels
)

// traffic says how many events an hour are to be expected at a time.
type traffic func(time.Time) float64

func steadily(perHour float64) traffic { return func(time.Time) float64 { return perHour } }

// office is Monday to Friday, by day.
func office(perHour float64) traffic {
	return func(t time.Time) float64 {
		if d := t.Weekday(); d == time.Saturday || d == time.Sunday || t.Hour() < 8 || t.Hour() >= 18 {
			return 0
		}
		return perHour
	}
}

// waves come for twenty minutes of each hour.
func waves(perHour float64) traffic {
	return func(t time.Time) float64 {
		if t.Minute() < 20 {
			return 3 * perHour
		}
		return 0
	}
}

func summerTime(f traffic, from time.Time) traffic {
	return func(t time.Time) float64 {
		if t.Before(from) {
			return f(t)
		}
		return f(t.Add(time.Hour))
	}
}

// shrinks leaves a tenth of it from a time on.
func shrinks(f traffic, from time.Time) traffic {
	return func(t time.Time) float64 {
		if t.Before(from) {
			return f(t)
		}
		return f(t) / 10
	}
}

// record is a feed as it goes on.
type record struct {
	hours []feed.Hour
	last  time.Time
}

func (r *record) push(at time.Time, events int) {
	start := at.Truncate(time.Hour)
	if n := len(r.hours); n == 0 || !r.hours[n-1].Start.Equal(start) {
		r.hours = append(r.hours, feed.Hour{Start: start})
		if len(r.hours) > 5*7*24 {
			r.hours = slices.Clone(r.hours[7*24:])
		}
	}
	h := &r.hours[len(r.hours)-1]
	h.Events, h.Minutes, h.Last = h.Events+events, h.Minutes+1, at
	r.last = at
}

// poisson draws a number of events.
func poisson(rng *rand.Rand, mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for {
		if p *= rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// live lets a feed go on for a time and counts the silences that were called
// one although the feed was alive. watch is told of each minute.
func live(f traffic, seed uint64, long time.Duration, watch func(*record, time.Time)) (alarms int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := &record{}
	var rhythm feed.Rhythm
	var learned time.Time
	for at := begin; at.Before(begin.Add(long)); at = at.Add(time.Minute) {
		n := poisson(rng, f(at)/60)
		if n > 0 {
			if !r.last.IsZero() {
				if h := r.last.Truncate(time.Hour); !h.Equal(learned) {
					rhythm, learned = feed.Learn(r.hours, r.last), h
				}
				if at.Sub(r.last) > feed.Floor {
					if _, silent := rhythm.Thresholds(r.last, many); !silent.IsZero() && at.After(silent) {
						alarms++
					}
				}
			}
			r.push(at, n)
		}
		if watch != nil {
			watch(r, at)
		}
	}
	return alarms
}

func TestALivingFeedIsNotCalledSilent(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     traffic
		allow int // false alarms in all feed-years
	}{
		{"2 a day", steadily(2.0 / 24), 0},
		{"1 an hour", steadily(1), 0},
		{"10 an hour", steadily(10), 1},
		{"200 an hour", steadily(200), 0},
		{"60 an hour in office hours", office(60), 0},
		{"200 an hour in office hours", office(200), 0},
		{"3 an hour in office hours", office(3), 0},
		{"30 an hour in waves", waves(30), 0},
		{"60 in office hours, summer time", summerTime(office(60), begin.Add(12*week)), 0},
		{"100 an hour, then a tenth", shrinks(steadily(100), begin.Add(12*week+5*time.Hour)), 2},
		// Nine tenths gone at once may be said once or twice: it is not usual.
		{"40 in office hours, then a tenth", shrinks(office(40), begin.Add(12*week)), 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const years = 2
			alarms := 0
			for seed := range uint64(years) {
				alarms += live(c.f, seed, 52*week, nil)
			}
			t.Logf("%d false alarms in %d feed-years", alarms, years)
			if alarms > c.allow {
				t.Errorf("more than %d", c.allow)
			}
		})
	}
}

func TestADeadFeedIsCalledSilentInTime(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     traffic
		weeks int
		// dies at this time of the week's Wednesday
		at          time.Duration
		worst, mean time.Duration
	}{
		{"200 an hour", steadily(200), 6, 13 * time.Hour, 30 * time.Minute, 25 * time.Minute},
		{"200 an hour, known for two weeks", steadily(200), 2, 13 * time.Hour, 40 * time.Minute, 35 * time.Minute},
		{"60 an hour in office hours", office(60), 6, 11 * time.Hour, 60 * time.Minute, 45 * time.Minute},
		{"60 in office hours, dies at night", office(60), 6, 23 * time.Hour, 12 * time.Hour, 11 * time.Hour},
		{"10 an hour", steadily(10), 6, 13 * time.Hour, 4 * time.Hour, 3 * time.Hour},
		{"2 a day", steadily(2.0 / 24), 6, 13 * time.Hour, 18 * day, 14 * day},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var delays []time.Duration
			for seed := range uint64(20) {
				dies := begin.Add(time.Duration(c.weeks)*week + 2*day + c.at)
				var r record
				live(c.f, seed, dies.Sub(begin), func(now *record, _ time.Time) { r = *now })
				_, silent := feed.Learn(r.hours, r.last).Thresholds(r.last, many)
				if silent.IsZero() {
					t.Fatalf("seed %d: never called silent", seed)
				}
				delays = append(delays, silent.Sub(dies))
			}
			slices.Sort(delays)
			var sum time.Duration
			for _, d := range delays {
				sum += d
			}
			mean, worst := sum/time.Duration(len(delays)), delays[len(delays)-1]
			t.Logf("called silent after %s on average, %s at worst", mean.Round(time.Minute), worst.Round(time.Minute))
			if mean > c.mean || worst > c.worst {
				t.Errorf("should be %s and %s", c.mean, c.worst)
			}
		})
	}
}

func TestWhatIsNotKnownOrNotOnItsWayIsNotMissed(t *testing.T) {
	var r record
	live(steadily(200), 1, 5*week, func(now *record, _ time.Time) { r = *now })
	rhythm := feed.Learn(r.hours, r.last)
	if quiet, silent := rhythm.Thresholds(r.last, 0); !quiet.IsZero() || !silent.IsZero() {
		t.Errorf("without open parcels: quiet %s, silent %s", quiet, silent)
	}
	// Three parcels make some 18 scans a day, however busy the feed was.
	if _, silent := rhythm.Thresholds(r.last, 3); silent.Before(r.last.Add(18 * time.Hour)) {
		t.Errorf("with three open parcels: silent after %s", silent.Sub(r.last))
	}
	var young record
	live(steadily(200), 1, 3*day, func(now *record, _ time.Time) { young = *now })
	if _, silent := feed.Learn(young.hours, young.last).Thresholds(young.last, many); silent.Before(young.last.Add(2 * day)) {
		t.Errorf("known for three days: silent after %s", silent.Sub(young.last))
	}
	if quiet, silent := feed.Learn(nil, begin).Thresholds(begin, many); !quiet.IsZero() || !silent.IsZero() {
		t.Error("a feed that never pushed is missed")
	}
}

func TestUsualIsWhatComesAsARule(t *testing.T) {
	var r record
	live(steadily(190), 3, 5*week, func(now *record, _ time.Time) { r = *now })
	if got := feed.Learn(r.hours, r.last).Usual(r.last); got < 165 || got > 215 {
		t.Errorf("usually %d, want about 190", got)
	}
}

func ExampleRhythm_Thresholds() {
	var hours []feed.Hour
	for at := begin; at.Before(begin.Add(5 * week)); at = at.Add(time.Hour) {
		hours = append(hours, feed.Hour{Start: at, Events: 200, Minutes: 58})
	}
	last := begin.Add(5 * week)
	quiet, silent := feed.Learn(hours, last).Thresholds(last, 5000)
	fmt.Println(quiet.Sub(last).Round(time.Second), silent.Sub(last).Round(time.Second))
	// Output: 10m21s 20m41s
}
