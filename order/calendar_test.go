package order

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// berlin is a warehouse's week: Mon-Fri 08:00-17:00, Sat 09:00-13:00. The clock
// went forward on 29 March 2026 and back on 25 October.
func berlin() Calendar {
	c := Calendar{Name: "warehouse", Zone: "Europe/Berlin", Offsets: []Offset{
		{time.Date(2025, 10, 26, 1, 0, 0, 0, time.UTC), 3600},
		{time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), 7200},
		{time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), 3600},
	}, Holidays: []Date{20260403, 20260406}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Week[d] = Hours{8 * 60, 17 * 60}
	}
	c.Week[time.Saturday] = Hours{9 * 60, 13 * 60}
	return c
}

func utc(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestOpenTimeIsCountedOnTheWallClock(t *testing.T) {
	c := berlin()
	always := Calendar{Name: "ups", Offsets: c.Offsets, Week: [7]Hours{{}, {0, 1440}, {0, 1440}, {0, 1440}, {0, 1440}, {0, 1440}, {0, 1440}}}
	for name, tt := range map[string]struct {
		c    *Calendar
		from string
		d    time.Duration
		to   string
	}{
		"within a day":           {&c, "2026-03-02 09:00", 3 * hour, "2026-03-02 12:00"},
		"to the very end":        {&c, "2026-03-02 09:00", 7 * hour, "2026-03-02 16:00"},
		"over night":             {&c, "2026-03-02 15:30", hour, "2026-03-03 07:30"},
		"before opening":         {&c, "2026-03-02 03:00", hour, "2026-03-02 08:00"},
		"over the weekend":       {&c, "2026-03-06 16:00", 5 * hour, "2026-03-09 08:00"},
		"clock forward":          {&c, "2026-03-27 16:00", 5 * hour, "2026-03-30 07:00"},
		"clock back":             {&c, "2026-10-23 15:00", 5 * hour, "2026-10-26 08:00"},
		"Easter":                 {&c, "2026-04-02 14:30", 5 * hour, "2026-04-07 06:30"},
		"no time at all":         {&c, "2026-03-01 09:00", 0, "2026-03-01 09:00"},
		"whole days":             {&always, "2026-03-06 12:00", 48 * hour, "2026-03-09 12:00"},
		"around the clock":       {nil, "2026-03-06 12:00", 48 * hour, "2026-03-08 12:00"},
		"nobody works":           {&Calendar{Offsets: c.Offsets}, "2026-03-06 12:00", hour, ""},
		"a calendar of no zone":  {&Calendar{Week: [7]Hours{1: {540, 600}}}, "2026-03-02 09:15", hour, "2026-03-09 09:15"},
		"less time than nothing": {&c, "2026-03-02 09:00", -hour, "2026-03-02 09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			from := utc(tt.from)
			got := tt.c.Add(from, tt.d)
			if tt.to == "" {
				if !got.After(from) {
					t.Errorf("%s lies before it began", got)
				}
				return
			}
			equal(t, "until", got, utc(tt.to))
			equal(t, "between", tt.c.Between(from, got), max(0, tt.d))
		})
	}
}

func TestWorkAfterTheCutOffIsTheNextDays(t *testing.T) {
	c := berlin()
	c.CutOff = 14 * 60
	for from, want := range map[string]string{
		"2026-03-02 12:59": "2026-03-02 12:59", // 13:59 there
		"2026-03-02 13:00": "2026-03-03 07:00",
		"2026-03-02 23:30": "2026-03-02 23:30", // the day after has begun there
		"2026-03-06 13:00": "2026-03-07 08:00",
		"2026-03-07 13:00": "2026-03-09 07:00", // Saturday has closed
		"2026-03-08 13:00": "2026-03-08 13:00", // nobody works: it waits for the opening
		"2026-04-02 12:00": "2026-04-04 07:00",
	} {
		equal(t, from, c.Intake(utc(from)), utc(want))
	}
}

func TestCalendarsReadBack(t *testing.T) {
	c := berlin()
	c.CutOff = 14*60 + 5
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 600 {
		t.Errorf("%d bytes: every order carries it", len(b))
	}
	var back Calendar
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, c) {
		t.Errorf("%+v\nread back as %+v", c, back)
	}
	for _, text := range []string{`"8:00-17:00"`, `"08:00"`, `"08:00-24:01"`, `"08:60-17:00"`, `"aa:bb-17:00"`, `"08:00+17:00"`, `"08:00-1x:00"`} {
		if json.Unmarshal([]byte(text), new(Hours)) == nil {
			t.Errorf("%s was read", text)
		}
	}
	equal(t, "hours", c.amount(48*hour), "48 h of warehouse hours")
	equal(t, "minutes", c.amount(90*time.Minute), "1 h 30 min of warehouse hours")
}

// drawCalendar makes any calendar, with clock changes at any hour, so that hours
// repeat and are left out.
func drawCalendar(t *rapid.T) Calendar {
	c := Calendar{Name: "any"}
	at := t0.AddDate(0, 0, -20)
	for range rapid.IntRange(1, 4).Draw(t, "offsets") {
		c.Offsets = append(c.Offsets, Offset{at, 1800 * rapid.IntRange(-24, 28).Draw(t, "offset")})
		at = at.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "hours")) * hour)
	}
	for i := range c.Week {
		if rapid.IntRange(0, 3).Draw(t, "works") > 0 {
			open := rapid.IntRange(0, 47).Draw(t, "open")
			c.Week[i] = Hours{TimeOfDay(30 * open), TimeOfDay(30 * rapid.IntRange(open+1, 48).Draw(t, "close"))}
		}
	}
	for d := range 40 {
		if rapid.IntRange(0, 9).Draw(t, "holiday") == 0 {
			c.Holidays = append(c.Holidays, DateOf(t0.AddDate(0, 0, d-10)))
		}
	}
	return c
}

// isOpen is what the calendar means, without any cleverness.
func isOpen(c *Calendar, t time.Time) bool {
	offset := c.Offsets[0].Seconds
	for _, o := range c.Offsets {
		if !o.From.After(t) {
			offset = o.Seconds
		}
	}
	local := t.Add(time.Duration(offset) * time.Second)
	for _, h := range c.Holidays {
		if h == DateOf(local) {
			return false
		}
	}
	h, minute := c.Week[local.Weekday()], TimeOfDay(local.Hour()*60+local.Minute())
	return h.Open <= minute && minute < h.Close
}

func TestOpenTimeIsWhatCountingMinutesGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		from := t0.Add(time.Duration(rapid.IntRange(-10*24*60, 10*24*60).Draw(t, "from")) * time.Minute)
		minutes := rapid.IntRange(0, 30*60).Draw(t, "minutes")
		got := c.Add(from, time.Duration(minutes)*time.Minute)
		at, left := from, minutes
		for steps := 0; left > 0 && steps < 40*24*60; steps++ {
			if isOpen(&c, at) {
				left--
			}
			at = at.Add(time.Minute)
		}
		if left > 0 {
			return // further than minutes are counted
		}
		if !got.Equal(at) {
			t.Fatalf("%d min from %s: %s, counted %s", minutes, from, got, at)
		}
		if d := c.Between(from, got); d != time.Duration(minutes)*time.Minute {
			t.Fatalf("between: %s, not %d min", d, minutes)
		}
	})
}

func TestOpenTimeAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		c.Week[time.Wednesday] = Hours{9 * 60, 17*60 + 30}
		from := t0.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "from")))
		a, b := time.Duration(rapid.Int64Range(0, 1e14).Draw(t, "a")), time.Duration(rapid.Int64Range(0, 1e14).Draw(t, "b"))
		once, twice := c.Add(from, a+b), c.Add(c.Add(from, a), b)
		if !once.Equal(twice) {
			t.Fatalf("%s and %s: %s at once, %s one after the other", a, b, once, twice)
		}
		if once.Before(from.Add(a + b)) {
			t.Fatalf("%s is sooner than around the clock", once)
		}
		c.CutOff = TimeOfDay(rapid.IntRange(0, 1439).Draw(t, "cut-off"))
		began := c.Intake(from)
		if began.Before(from) || began.After(from) && !isOpen(&c, began) {
			t.Fatalf("work of %s counts from %s", from, began)
		}
	})
}
