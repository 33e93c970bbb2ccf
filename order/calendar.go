package order

import (
	"fmt"
	"slices"
	"time"
)

// Calendar says when somebody works: open hours by weekday on a wall clock,
// except on holidays. It holds the offsets of its zone, so that a workflow never
// reads a time zone database: a newer one must not change a replay. The offsets
// and holidays reach about two years ahead of the day the policy was written;
// after that the last offset stays and no holiday is known.
type Calendar struct {
	Name string `json:"name"`
	// Zone is an IANA name, for people. Offsets are what counts; the first one
	// holds before its moment as well.
	Zone    string   `json:"zone"`
	Offsets []Offset `json:"offsets"`
	// Week are the open hours from Sunday on, as time.Weekday counts.
	Week     [7]Hours `json:"week"`
	Holidays []Date   `json:"holidays,omitempty"` // in order
	// CutOff is until when work that comes in counts as that day's; 0: until closing.
	CutOff TimeOfDay `json:"cut_off,omitempty"`
}

// Offset is what the wall clock shows ahead of UTC from a moment on.
type Offset struct {
	From    time.Time `json:"from"`
	Seconds int       `json:"seconds"`
}

// Date is a calendar day as a number: 20261225.
type Date int

// DateOf is the day on which a moment falls where the moment's own zone is used.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// TimeOfDay is in minutes since midnight; as text "14:30", up to "24:00".
type TimeOfDay int

func (t TimeOfDay) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", t/60, t%60), nil
}

func (t *TimeOfDay) UnmarshalText(b []byte) error {
	bad := fmt.Errorf("%q is not a time of day like 08:30", b)
	if len(b) != 5 || b[2] != ':' {
		return bad
	}
	for _, i := range []int{0, 1, 3, 4} {
		if b[i] < '0' || b[i] > '9' {
			return bad
		}
	}
	h, m := int(b[0]-'0')*10+int(b[1]-'0'), int(b[3]-'0')*10+int(b[4]-'0')
	if m > 59 || h*60+m > 24*60 {
		return bad
	}
	*t = TimeOfDay(h*60 + m)
	return nil
}

// Hours are open from Open until just before Close; as text "08:00-17:00", or
// empty on a day without work.
type Hours struct{ Open, Close TimeOfDay }

func (h Hours) MarshalText() ([]byte, error) {
	if h == (Hours{}) {
		return nil, nil
	}
	open, _ := h.Open.MarshalText()
	closing, _ := h.Close.MarshalText()
	return slices.Concat(open, []byte("-"), closing), nil
}

func (h *Hours) UnmarshalText(b []byte) error {
	*h = Hours{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != 11 || b[5] != '-' {
		return fmt.Errorf("%q are not hours like 08:00-17:00", b)
	}
	if err := h.Open.UnmarshalText(b[:5]); err != nil {
		return err
	}
	return h.Close.UnmarshalText(b[6:])
}

// A policy file's calendars hold the offsets and holidays of these years, counted
// from the one in which the file was read. The first offset is the first year's.
const (
	CalendarYearsBefore = 1
	CalendarYearsAfter  = 2
)

// CalendarsEnd is when the calendars of a policy that came of a file end; zero: it
// has none. A policy without a file chose its offsets itself.
func (b PolicyBook) CalendarsEnd() (end time.Time) {
	if b.Source == "" {
		return end
	}
	for _, class := range Classes {
		for _, c := range b.For(class).Calendars {
			if len(c.Offsets) == 0 {
				continue
			}
			at := time.Date(c.Offsets[0].From.Year()+CalendarYearsBefore+CalendarYearsAfter+1, 1, 1, 0, 0, 0, 0, time.UTC)
			if end.IsZero() || at.Before(end) {
				end = at
			}
		}
	}
	return end
}

const (
	secondsPerDay = 24 * 60 * 60
	// Without an open hour for so long nobody works at all.
	maxIdleDays = 400
	// So many open stretches are walked; what is left counts around the clock.
	maxStretches = 4000
	maxHolidays  = 200
	maxOffsets   = 40
	// More time than this on a calendar is a mistake: most of a year's work.
	maxOpenTime = Duration(2000 * time.Hour)
)

// segment is the offset at a moment, and until when it holds; zero: for good.
func (c *Calendar) segment(t time.Time) (seconds int64, until time.Time) {
	for i, o := range c.Offsets {
		if i > 0 && o.From.After(t) {
			return seconds, o.From
		}
		seconds = int64(o.Seconds)
	}
	return seconds, time.Time{}
}

// day is a local day: its number since 1970, its hours, and when it ends, or the
// offset does.
func (c *Calendar) day(t time.Time) (number int64, h Hours, offset int64, end time.Time) {
	offset, until := c.segment(t)
	local := t.Unix() + offset
	number = local / secondsPerDay
	if local%secondsPerDay < 0 {
		number--
	}
	h = c.hours(number)
	end = time.Unix((number+1)*secondsPerDay-offset, 0).UTC()
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	return number, h, offset, end
}

// hours of a local day, by its number since 1970.
func (c *Calendar) hours(number int64) (h Hours) {
	noon := time.Unix(number*secondsPerDay+secondsPerDay/2, 0).UTC()
	if _, holiday := slices.BinarySearch(c.Holidays, DateOf(noon)); !holiday {
		h = c.Week[noon.Weekday()]
	}
	return h
}

// open is the first open stretch from t on; ok is false when there is none.
func (c *Calendar) open(t time.Time) (from, to time.Time, ok bool) {
	for range maxIdleDays {
		number, h, offset, end := c.day(t)
		midnight := number*secondsPerDay - offset
		from = latest(t, time.Unix(midnight+int64(h.Open)*60, 0).UTC())
		if to = time.Unix(midnight+int64(h.Close)*60, 0).UTC(); to.After(end) {
			to = end
		}
		if from.Before(to) {
			return from, to, true
		}
		t = end
	}
	return t, t, false
}

// Add is the earliest moment by which d of open time has passed since t. Without
// a calendar, or without an open hour in it, time passes around the clock.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	if c == nil {
		return t.Add(d)
	}
	for range maxStretches {
		if d <= 0 {
			return t
		}
		from, to, ok := c.open(t)
		if !ok {
			break
		}
		if open := to.Sub(from); d <= open {
			return from.Add(d)
		} else {
			d -= open
		}
		t = to
	}
	return t.Add(d)
}

// Between is how much open time lies between two moments; 0 if b is not after a.
// It counts as Add does.
func (c *Calendar) Between(a, b time.Time) (d time.Duration) {
	if !b.After(a) {
		return 0
	}
	if c == nil {
		return b.Sub(a)
	}
	for range maxStretches {
		from, to, ok := c.open(a)
		if !ok {
			break
		}
		if !from.Before(b) {
			return d
		}
		if !to.Before(b) {
			return d + b.Sub(from)
		}
		d, a = d+to.Sub(from), to
	}
	return d + b.Sub(a)
}

// Intake is when work that came in at t counts as begun: at once, or, when it
// came after the cut-off of a working day, as the next one opens.
func (c *Calendar) Intake(t time.Time) time.Time {
	if c == nil || c.CutOff == 0 {
		return t
	}
	today, h, offset, end := c.day(t)
	if h == (Hours{}) || t.Unix()+offset-today*secondsPerDay < int64(c.CutOff)*60 {
		return t
	}
	for range 4 { // a clock put back at midnight makes the same day again
		day, _, _, next := c.day(end)
		if day > today {
			break
		}
		end = next
	}
	if from, _, ok := c.open(end); ok {
		return from
	}
	return t
}

// WholeDays says whether every day is open from midnight to midnight, or not at all.
func (c *Calendar) WholeDays() bool {
	return !slices.ContainsFunc(c.Week[:], func(h Hours) bool { return h != Hours{} && h != Hours{0, 24 * 60} })
}

// amount says d of this calendar's time as people do.
func (c *Calendar) amount(d time.Duration) string {
	switch {
	case c == nil:
		return human(d)
	case c.WholeDays():
		return human(d) + " of " + c.Name + " days"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h of %s hours", d/time.Hour, c.Name)
	}
	return human(d) + " of " + c.Name + " hours"
}

// faults of the calendar; at names it.
func (c *Calendar) faults(at string) (found []Refusal) {
	bad := func(field, format string, args ...any) {
		found = append(found, Refusal{Field: at + field, Reason: fmt.Sprintf(format, args...)})
	}
	if !carrierPattern.MatchString(c.Name) {
		bad(".name", "must be 1 to 32 of a-z, 0-9, _ and -")
	}
	if len(c.Offsets) == 0 || len(c.Offsets) > maxOffsets {
		bad(".offsets", "must be 1 to %d", maxOffsets)
	}
	for i, o := range c.Offsets {
		if i > 0 && !o.From.After(c.Offsets[i-1].From) {
			bad(".offsets", "must be in order")
		}
		if o.Seconds < -18*3600 || o.Seconds > 18*3600 {
			bad(".offsets", "%d seconds are more than 18 hours", o.Seconds)
		}
	}
	working, reached := false, c.CutOff == 0
	for day, h := range c.Week {
		if h == (Hours{}) {
			continue
		}
		working = true
		if h.Open < 0 || h.Close > 24*60 || h.Open >= h.Close {
			text, _ := h.MarshalText()
			bad(".hours", "%s: %s close before they open", time.Weekday(day), text)
		}
		reached = reached || h.Open < c.CutOff && c.CutOff <= h.Close
	}
	switch {
	case !working:
		bad(".hours", "are needed: nobody would ever work")
	case !reached:
		text, _ := c.CutOff.MarshalText()
		bad(".cut_off", "%s lies in no day's hours", text)
	}
	if len(c.Holidays) > maxHolidays {
		bad(".holidays", "at most %d, not %d", maxHolidays, len(c.Holidays))
	}
	if !slices.IsSorted(c.Holidays) {
		bad(".holidays", "must be in order")
	}
	return found
}
