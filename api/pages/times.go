package pages

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// lens says when it is, where the reader probably is, and what they speak.
type lens struct {
	t    *speech.Tongue
	now  time.Time
	home *time.Location
	// known: somebody said where home is; otherwise it is UTC.
	known bool
	// failed: why the last delivery attempt failed, in our words, by parcel.
	failed map[string]string
}

var offsetPattern = regexp.MustCompile(`^([+-])(\d\d):?(\d\d)?(?::?\d\d)?$`)

// zones are the offsets there are, as they are nearly always written.
var zones = func() map[string]*time.Location {
	all := map[string]*time.Location{"Z": time.UTC, "-00:00": time.UTC}
	for m := -14 * 60; m <= 14*60; m += 15 {
		sign := '+'
		if m < 0 {
			sign = '-'
		}
		name := fmt.Sprintf("%c%02d:%02d", sign, max(m, -m)/60, max(m, -m)%60)
		all[name] = time.FixedZone(name, m*60)
	}
	return all
}()

// zone reads "+01:00", "-0500" or "Z".
func zone(offset string) (*time.Location, bool) {
	if loc, ok := zones[offset]; ok {
		return loc, true
	}
	offset = strings.TrimSpace(offset)
	if offset == "Z" || offset == "z" {
		return time.UTC, true
	}
	m := offsetPattern.FindStringSubmatch(offset)
	if m == nil {
		return nil, false
	}
	h, min := int(m[2][0]-'0')*10+int(m[2][1]-'0'), 0
	if m[3] != "" {
		min = int(m[3][0]-'0')*10 + int(m[3][1]-'0')
	}
	secs := h*3600 + min*60
	if m[1] == "-" {
		secs = -secs
	}
	return time.FixedZone(offset, secs), true
}

var wallLayouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "20060102150405", "20060102 150405", "2006-01-02T15:04:05.999999999"}

// wall is the time on the clock where it happened; ok is false when nobody said.
func wall(e store.Entry) (t time.Time, ok bool) {
	if len(e.LocalTime) >= len(wallLayouts[0]) && zones[e.UTCOffset] != nil { // as we write it
		if t, err := time.ParseInLocation(wallLayouts[0], e.LocalTime, zones[e.UTCOffset]); err == nil {
			return t, true
		}
	}
	if e.LocalTime != "" {
		if t, err := time.Parse(time.RFC3339, e.LocalTime); err == nil {
			return t, true
		}
		loc, known := zone(e.UTCOffset)
		if !known {
			loc = time.UTC
		}
		for _, layout := range wallLayouts {
			if t, err := time.ParseInLocation(layout, e.LocalTime, loc); err == nil {
				return t, true
			}
		}
	}
	if loc, known := zone(e.UTCOffset); known {
		return e.At.In(loc), true
	}
	return e.At.UTC(), false
}

func (l lens) say(key string, w speech.Words) string { return say(l.t, key, w) }

// newLens takes the reader to be where the parcel was last heard of, since
// nothing else is known about them without asking for personal data.
func newLens(t *speech.Tongue, now time.Time, entries []store.Entry, promise time.Time) lens {
	l := lens{t: t, now: now, home: time.UTC, failed: map[string]string{}}
	for i := range entries {
		if e := &entries[i]; e.Milestone == string(order.AttemptFailed) && e.Kind == string(store.KindCarrierEvent) {
			l.failed[e.Parcel] = e.Bucket // the last one counts, also when it says nothing
		}
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if loc, ok := zone(entries[i].UTCOffset); ok {
			l.home, l.known = loc, true
			return l
		}
	}
	if _, off := promise.Zone(); off != 0 {
		l.home, l.known = promise.Location(), true
	}
	return l
}

// local puts a moment on the right calendar day: a time that came with an offset
// was meant there ("by the 24th" is the 24th of whoever promised it).
func (l lens) local(t time.Time) time.Time {
	if _, off := t.Zone(); off != 0 {
		return t
	}
	return t.In(l.home)
}

func daysBetween(a, b time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(b).Sub(day(a)).Hours() / 24)
}

// away is the number of calendar days from today.
func (l lens) away(t time.Time) int {
	t = l.local(t)
	return daysBetween(l.now.In(t.Location()), t)
}

// day is "Tuesday 24 November", with the year when it is another one.
func (l lens) day(t time.Time) string {
	t = l.local(t)
	if t.Year() != l.now.Year() {
		return l.t.Date(t)
	}
	return l.t.Day(t)
}

// near is today, tomorrow or yesterday, or nothing.
func (l lens) near(t time.Time) string {
	switch l.away(t) {
	case 0:
		return l.say("day.today", nil)
	case 1:
		return l.say("day.tomorrow", nil)
	case -1:
		return l.say("day.yesterday", nil)
	}
	return ""
}

// soon is day, but says today, and that it is tomorrow.
func (l lens) soon(t time.Time) string {
	switch word := l.near(t); {
	case word == "":
		return l.day(t)
	case l.away(t) == 0:
		return word
	default:
		return l.say("day.named", speech.Words{"word": word, "day": l.day(t)})
	}
}

// onDay reads well after "was delivered".
func (l lens) onDay(t time.Time) string {
	if word := l.near(t); word != "" {
		return word
	}
	if t = l.local(t); t.Year() != l.now.Year() {
		return l.t.OnDate(t)
	}
	return l.t.On(t)
}

// moment is onDay and the hour, where the reader's clock is known.
func (l lens) moment(t time.Time) string {
	switch {
	case !l.known:
		return l.onDay(t)
	case l.near(t) != "":
		return l.near(t) + " " + l.t.Hour(t.In(l.home))
	}
	return l.t.At(l.onDay(t), t.In(l.home))
}

func (l lens) short(t time.Time) string { return l.t.Brief(l.local(t)) }

// ago says how long ago, or in how long, in one unit.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d d", int(d/(24*time.Hour)))
}

// booked is the delivery appointment that freight was given last, unless it is over.
func booked(entries []store.Entry, l lens) string {
	var last *store.Entry
	for i := range entries {
		if e := &entries[i]; e.Appointment != nil && e.Appointment.For == "delivery" && (last == nil || !e.At.Before(last.At)) {
			last = e
		}
	}
	if last == nil {
		return ""
	}
	a := last.Appointment
	end := a.Latest
	if end.IsZero() {
		end = a.Earliest.Add(24 * time.Hour)
	}
	if end.Before(l.now) {
		return ""
	}
	text := l.t.Stretch(a.Earliest.In(l.home), a.Latest.In(l.home))
	if !l.known {
		text += " UTC"
	}
	return text
}
