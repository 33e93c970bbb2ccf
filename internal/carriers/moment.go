package carriers

import (
	"fmt"
	"strings"
	"time"
)

// Wall is how a wall clock is written, in Moment.Local.
const Wall = "2006-01-02T15:04:05"

// Exact is a moment whose offset is known.
func Exact(t time.Time) Moment {
	return Moment{UTC: t.UTC(), Local: t.Format(Wall), Offset: t.Format("-07:00"), Basis: ByOffset}
}

// Assumed is a wall clock of which nothing says where it hangs.
func Assumed(t time.Time) Moment {
	return Moment{UTC: t.UTC(), Local: t.Format(Wall), Basis: AssumedUTC}
}

// ISO reads ISO 8601: with an offset, without one, or only a day, for which its
// noon stands.
func ISO(s string) (Moment, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Exact(t), Plausible(t)
		}
	}
	for _, layout := range []string{Wall, "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Assumed(t), Plausible(t)
		}
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		noon := day.Add(12 * time.Hour)
		return Moment{UTC: noon, Local: noon.Format(Wall), Basis: DateOnly}, Plausible(day)
	}
	return Moment{}, false
}

// In is the moment by the clock of its place, where nothing else said where the
// clock hangs; nil: the place does not tell.
func (m Moment) In(there *Clock) Moment {
	if m.Basis != AssumedUTC || there == nil {
		return m
	}
	return At(m.UTC, there)
}

// Promise reads an estimate. Midnight there means the day: it becomes noon, so
// that no zone makes it the day before. Zero: there is none.
func Promise(s string) time.Time {
	m, ok := ISO(s)
	switch {
	case !ok:
		return time.Time{}
	case strings.HasSuffix(m.Local, "T00:00:00"):
		day, _ := time.Parse(Wall, m.Local)
		return day.Add(12 * time.Hour)
	}
	return m.UTC
}

// Plausible refuses the zero times and year 9999 of empty fields.
func Plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }

// ParseOffset reads -05:00, -0500, -5:00, Z, and -04.00, in which after the dot
// stand minutes, not hundredths of an hour (UPS).
func ParseOffset(s string) (time.Duration, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ".", ":")
	if len(s) == 5 && s[2] == ':' {
		s = s[:1] + "0" + s[1:]
	}
	for _, layout := range []string{"Z07:00", "-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			_, sec := t.Zone()
			d := time.Duration(sec) * time.Second
			return d, PlausibleOffset(d)
		}
	}
	return 0, false
}

// PlausibleOffset says that an offset exists somewhere on Earth.
func PlausibleOffset(d time.Duration) bool {
	return d >= -12*time.Hour && d <= 14*time.Hour && d%(15*time.Minute) == 0
}

// SpellOffset writes an offset as -05:00.
func SpellOffset(d time.Duration) string {
	sign := '+'
	if d < 0 {
		sign, d = '-', -d
	}
	return fmt.Sprintf("%c%02d:%02d", sign, int(d.Hours()), int(d.Minutes())%60)
}
