package feed

import "time"

const (
	week = 7 * 24 * time.Hour
	// Memory is how far back a rhythm is learned from.
	Memory = 4 * week
	// A silence is quiet or silent once it has swallowed this many minutes in
	// which something should have been pushed. If minutes were independent, a
	// silence of n of them came by chance once in e^n times. The expectation
	// itself is low on purpose (see Learn), so the true odds are smaller still.
	quietMinutes  = 8
	silentMinutes = 16
	// Floor is the shortest silence that is ever called one.
	Floor = 15 * time.Minute
	// perParcel bounds what may be expected of few open parcels: minutes with a
	// push for each of them in an hour. A parcel's whole journey is some 25
	// scans in five days.
	perParcel = 0.25
	// levelHours is how many of the latest hours with pushes say whether the feed
	// is less busy than it was.
	levelHours = 12
)

// Hour is what was pushed in one hour. Hours without a push need no Hour.
type Hour struct {
	Start  time.Time // UTC, a whole hour
	Events int
	// Minutes of it in which something was pushed, 0 to 60. Pushes come in
	// lumps; minutes are what can be compared with chance.
	Minutes int
	Last    time.Time
}

// Rhythm is how busy a feed usually is by the hour of the week, in UTC, at the
// least: what little is known counts less, and starts and ends of busy times
// count as their neighbours. So it may call a silence late, and hardly ever
// calls one that is none.
type Rhythm struct {
	minutes, events [7 * 24]float64 // by the hour of the week
	days            [7]float64      // minutes by the day of the week
	level           float64
}

// Learn reads the rhythm from the hours of Memory before a time, which is the
// last push: the silence after it must not teach that silence is normal. The
// hours are in order of time.
func Learn(hours []Hour, before time.Time) Rhythm {
	end := before.UTC().Truncate(time.Hour)
	begin := end.Add(-Memory)
	first := end
	var minutes, events, seen [7 * 24]float64
	for _, h := range hours {
		if at := h.Start.UTC(); !at.Before(begin) && at.Before(end) {
			if at.Before(first) {
				first = at
			}
			minutes[slot(at)] += float64(h.Minutes)
			events[slot(at)] += float64(h.Events)
		}
	}
	for at := first; at.Before(end); at = at.Add(time.Hour) {
		seen[slot(at)]++
	}
	// One more week in which nothing came, for what is not known yet.
	var mean [7 * 24]float64
	for i := range mean {
		mean[i] = minutes[i] / (seen[i] + 1)
	}
	r := Rhythm{level: level(hours, mean, begin, end)}
	for i := range mean {
		// Busy times begin and end when they like, and summer time moves them
		// by an hour.
		before, after := (i+len(mean)-1)%len(mean), (i+1)%len(mean)
		r.minutes[i] = min(mean[before], mean[i], mean[after])
		if seen[i] > 0 {
			r.events[i] = events[i] / seen[i]
		}
	}
	for d := range r.days {
		var m, n float64
		for i := d * 24; i < (d+1)*24; i++ {
			m, n = m+minutes[i], n+seen[i]/24
		}
		r.days[d] = m / (n + 1)
	}
	return r
}

// level is at most 1: how busy the latest hours with pushes were, beside what is
// usual for them. Hours without any say nothing: they may be an outage.
func level(hours []Hour, mean [7 * 24]float64, begin, end time.Time) float64 {
	n, got, want := 0, 0.0, 0.0
	for i := len(hours) - 1; i >= 0 && n < levelHours; i-- {
		h := hours[i]
		if at := h.Start.UTC(); h.Minutes > 0 && at.Before(end) && !at.Before(begin) {
			n, got, want = n+1, got+float64(h.Minutes), want+mean[slot(at)]
		}
	}
	if want == 0 || got > want {
		return 1
	}
	return got / want
}

// Reaches is when a silence that began at from has swallowed that many minutes
// with pushes, given how many parcels are open; zero if not within Memory. A feed
// of a few pushes a day has no hour of the week in which one may be expected, but
// whole days.
func (r Rhythm) Reaches(from time.Time, minutes float64, open int) time.Time {
	from = from.UTC()
	limit := perParcel * float64(open)
	hours := walk(from, minutes, time.Hour, func(at time.Time) float64 { return min(r.minutes[slot(at)]*r.level, limit) })
	days := walk(from.Truncate(day).Add(day), minutes, day, func(at time.Time) float64 { return min(r.days[at.Weekday()]*r.level/24, limit) })
	if !days.IsZero() {
		days = days.Add(day - 1).Truncate(day)
	}
	if hours.IsZero() || !days.IsZero() && days.Before(hours) {
		return days
	}
	return hours
}

// walk adds up a rate per hour, which is constant within a step, until it makes
// the sum; zero if not within Memory.
func walk(from time.Time, sum float64, step time.Duration, rate func(time.Time) float64) time.Time {
	for at := from; at.Before(from.Add(Memory)); {
		next := at.Truncate(step).Add(step)
		r := rate(at)
		here := r * next.Sub(at).Hours()
		if here >= sum {
			return at.Add(time.Duration(sum / r * float64(time.Hour)))
		}
		sum -= here
		at = next
	}
	return time.Time{}
}

// Thresholds are when a silence since the last push is quiet and when silent;
// zero: never.
func (r Rhythm) Thresholds(last time.Time, open int) (quiet, silent time.Time) {
	notBefore := func(t time.Time) time.Time {
		if floor := last.Add(Floor); !t.IsZero() && t.Before(floor) {
			return floor
		}
		return t
	}
	return r.Reaches(last, quietMinutes, open), notBefore(r.Reaches(last, silentMinutes, open))
}

// Usual is how many events come in the hour before a time, as a rule.
func (r Rhythm) Usual(end time.Time) int {
	end = end.UTC()
	part := end.Sub(end.Truncate(time.Hour)).Hours()
	now, before := r.events[slot(end)], r.events[slot(end.Add(-time.Hour))]
	return int(r.level*(part*now+(1-part)*before) + 0.5)
}

// slot is the hour of the week.
func slot(t time.Time) int { return int(t.Weekday())*24 + t.Hour() }
