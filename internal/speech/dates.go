package speech

import (
	"strconv"
	"strings"
	"time"
)

// Clock is 14:05, in the time's own zone. All times are written in theirs.
func Clock(d time.Time) string { return d.Format("15:04") }

// put writes a form: of each letter of it what stands for that, or itself.
func put(form string, of func(letter byte) (string, bool)) string {
	var b strings.Builder
	b.Grow(3 * len(form))
	for i := range len(form) {
		if s, ok := of(form[i]); ok {
			b.WriteString(s)
		} else {
			b.WriteByte(form[i])
		}
	}
	return b.String()
}

func put1(form string, letter byte, s string) string {
	return put(form, func(l byte) (string, bool) { return s, l == letter })
}

func put2(form, x, y string) string {
	return put(form, func(l byte) (string, bool) {
		if l == 'X' {
			return x, true
		}
		return y, l == 'Y'
	})
}

// first is the first n letters.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func (t *Tongue) write(form string, d time.Time) string {
	return put(form, func(letter byte) (string, bool) {
		switch letter {
		case 'W':
			return t.days[d.Weekday()], true
		case 'S':
			return first(t.days[d.Weekday()], t.letters), true
		case 'D':
			return strconv.Itoa(d.Day()), true
		case 'M':
			return t.months[d.Month()-1], true
		case 'N':
			return first(t.months[d.Month()-1], 3), true
		case '#':
			return strconv.Itoa(int(d.Month())), true
		case 'Y':
			return strconv.Itoa(d.Year()), true
		}
		return "", false
	})
}

// Day is "Tuesday 24 November".
func (t *Tongue) Day(d time.Time) string { return t.write(t.day, d) }

// Date is "Tuesday 24 November 2026".
func (t *Tongue) Date(d time.Time) string { return t.write(t.date, d) }

// ShortDay is "Tue 24 Nov".
func (t *Tongue) ShortDay(d time.Time) string { return t.write(t.short, d) }

// Brief is "24 Nov".
func (t *Tongue) Brief(d time.Time) string { return t.write(t.brief, d) }

func (t *Tongue) before(d time.Time) string {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return t.onWeekend
	}
	return t.on
}

// On is "on Tuesday 24 November".
func (t *Tongue) On(d time.Time) string { return t.before(d) + t.Day(d) }

// OnDate is "on Tuesday 24 November 2026".
func (t *Tongue) OnDate(d time.Time) string { return t.before(d) + t.Date(d) }

// Hour is "at 14:05".
func (t *Tongue) Hour(d time.Time) string { return put1(t.hour, 'H', Clock(d)) }

// At is a day that has been written, and its hour: "... at 14:05".
func (t *Tongue) At(day string, d time.Time) string { return day + t.comma + t.Hour(d) }

// Moment is "on Tuesday 24 November at 14:05".
func (t *Tongue) Moment(d time.Time) string { return t.At(t.On(d), d) }

// Deadlines, and when they are short.
func (t *Tongue) By(d time.Time) string         { return t.by + t.Day(d) }
func (t *Tongue) Until(d time.Time) string      { return t.until + t.Day(d) }
func (t *Tongue) ShortBy(d time.Time) string    { return t.shortBy + t.ShortDay(d) }
func (t *Tongue) ShortUntil(d time.Time) string { return t.shortUntil + t.ShortDay(d) }

// SameDay says whether both stand on one leaf of the calendar.
func SameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// Hours says whether a window is one of hours within a day.
func Hours(from, to time.Time) bool {
	return !from.IsZero() && !to.IsZero() && SameDay(from, to) && Clock(from) != Clock(to)
}

// Window reads well after "it should arrive". From may be zero: by then.
func (t *Tongue) Window(from, to time.Time) string {
	switch {
	case Hours(from, to):
		return t.On(from) + put2(t.span, Clock(from), Clock(to))
	case from.IsZero():
		return t.By(to)
	case SameDay(from, to):
		return t.On(to)
	}
	return put2(t.between, t.Day(from), t.Day(to))
}

// ShortWindow is "Thu 26 Nov 14:00-18:00", for where there is little room.
func (t *Tongue) ShortWindow(from, to time.Time) string {
	switch {
	case Hours(from, to):
		return t.ShortDay(from) + " " + Clock(from) + "-" + Clock(to)
	case from.IsZero():
		return t.ShortBy(to)
	case SameDay(from, to):
		return t.ShortDay(to)
	}
	return t.ShortDay(from) + " - " + t.ShortDay(to)
}

// Stretch is "Thursday 26 November, 14:00–18:00", on a line of its own, always with
// its hours. An end that is zero is open; one of both is not.
func (t *Tongue) Stretch(from, to time.Time) string {
	moment := func(d time.Time) string { return t.Day(d) + put1(t.behind, 'H', Clock(d)) }
	switch {
	case from.IsZero():
		return t.by + moment(to)
	case to.IsZero():
		return t.since + moment(from)
	case from.Equal(to):
		return moment(from)
	case SameDay(from, to):
		return t.Day(from) + put2(t.hours, Clock(from), Clock(to))
	}
	return moment(from) + " – " + moment(to)
}
