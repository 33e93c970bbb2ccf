package sim

import (
	"math"
	"math/bits"
	"time"
)

// Clock maps the data set's time onto the time of the run: a day becomes Day,
// and the earliest moment becomes Start. Real distances keep their proportions.
type Clock struct {
	Start    time.Time
	Earliest time.Time
	Day      time.Duration
}

const realDay = 24 * time.Hour

// At is the moment of the run for a moment of the data set. Whole microseconds,
// because that is what a database keeps: a finer time would come back changed.
func (c Clock) At(t time.Time) time.Time {
	return c.Start.Add(c.Span(t.Sub(c.Earliest))).Truncate(time.Microsecond)
}

// Span is how long d of the data set takes in the run.
func (c Clock) Span(d time.Duration) time.Duration { return scale(d, c.Day, realDay) }

// Back is the data set's moment for a moment of the run.
func (c Clock) Back(t time.Time) time.Time {
	return c.Earliest.Add(c.Unspan(t.Sub(c.Start)))
}

// Unspan is the data set's duration for one of the run.
func (c Clock) Unspan(d time.Duration) time.Duration { return scale(d, realDay, c.Day) }

// scale is d·num/den without rounding on the way: a year in nanoseconds times a
// day in nanoseconds does not fit in 64 bits.
func scale(d, num, den time.Duration) time.Duration {
	neg := d < 0
	if neg {
		d = -d
	}
	q := uint64(math.MaxInt64)
	if hi, lo := bits.Mul64(uint64(d), uint64(num)); hi < uint64(den) {
		q, _ = bits.Div64(hi, lo, uint64(den))
		q = min(q, math.MaxInt64) // centuries: as far as a Duration goes
	}
	if neg {
		return -time.Duration(q)
	}
	return time.Duration(q)
}
