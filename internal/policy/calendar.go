package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/waybillhq/waybill/order"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// calendar reads one, and takes from the time zone database what it needs.
func (r *reader) calendar(e entry) {
	at := "calendars." + e.name
	c := order.Calendar{Name: e.name}
	lines := map[string]*yaml.Node{}
	for _, e := range r.entries(e.value, at) {
		field := join(at, e.name)
		lines[e.name] = e.value
		switch e.name {
		case "zone":
			c.Zone = r.text(e.value, field)
		case "hours":
			r.hours(&c, e.value, field)
		case "cut_off":
			if err := c.CutOff.UnmarshalText([]byte(r.text(e.value, field))); err != nil {
				r.bad(e.value, field, "%s", err)
			}
		case "holidays":
			for _, n := range r.list(e.value, field) {
				r.holiday(&c, n, field)
			}
		default:
			r.unknown(e, at, inCalendar...)
		}
	}
	where := func(field string) *yaml.Node {
		if n := lines[field]; n != nil {
			return n
		}
		return e.key
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "" || c.Zone == "Local" {
		r.bad(where("zone"), at+".zone", "%q is no zone like Europe/Berlin", c.Zone)
		zone = time.UTC
	}
	c.Offsets = offsets(zone, r.year-order.CalendarYearsBefore, r.year+order.CalendarYearsAfter)
	slices.Sort(c.Holidays)
	c.Holidays = slices.Compact(c.Holidays)
	for _, f := range (order.Policy{Calendars: []order.Calendar{c}}).Faults() {
		if rest, ok := strings.CutPrefix(f.Field, "calendars[0]."); ok {
			r.bad(where(rest), at+"."+rest, "%s", f.Reason)
		}
	}
	r.calendars = append(r.calendars, c)
}

// offsets of a zone from the first to the last of those years.
func offsets(zone *time.Location, first, last int) (list []order.Offset) {
	end := time.Date(last+1, 1, 1, 0, 0, 0, 0, time.UTC)
	for t := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC); t.Before(end); {
		_, seconds := t.In(zone).Zone()
		// A zone may change its name and not its clock.
		if n := len(list); n == 0 || list[n-1].Seconds != seconds {
			list = append(list, order.Offset{From: t, Seconds: seconds})
		}
		_, next := t.In(zone).ZoneBounds()
		if next.IsZero() {
			break
		}
		t = next.UTC()
	}
	return list
}

// hours are by day or from one day to another: mon-fri.
func (r *reader) hours(c *order.Calendar, n *yaml.Node, at string) {
	for _, e := range r.entries(n, at) {
		from, to, several := strings.Cut(e.name, "-")
		a, b := slices.Index(weekdays, from), slices.Index(weekdays, to)
		if !several {
			b = a
		}
		if a < 0 || b < 0 {
			r.bad(e.key, at, "%q is no day like mon, nor days like mon-fri", e.name)
			continue
		}
		var h order.Hours
		if err := h.UnmarshalText([]byte(r.text(e.value, at))); err != nil {
			r.bad(e.value, at, "%s", err)
			continue
		}
		for i := a; ; i = (i + 1) % 7 {
			if c.Week[i] != (order.Hours{}) {
				r.bad(e.key, at, "%s has hours already", weekdays[i])
			}
			c.Week[i] = h
			if i == b {
				break
			}
		}
	}
}

// holiday is a date, or one of every year: 12-25.
func (r *reader) holiday(c *order.Calendar, n *yaml.Node, at string) {
	text := r.text(n, at)
	if text == "" {
		return
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		c.Holidays = append(c.Holidays, order.DateOf(day))
		return
	}
	if _, err := time.Parse("2006-01-02", "2024-"+text); err != nil { // a leap year
		r.bad(n, at, "%q is no date like 2026-12-25, nor one of every year like 12-25", text)
		return
	}
	for y := r.year - order.CalendarYearsBefore; y <= r.year+order.CalendarYearsAfter; y++ {
		if day, err := time.Parse(time.DateOnly, fmt.Sprintf("%04d-%s", y, text)); err == nil {
			c.Holidays = append(c.Holidays, order.DateOf(day))
		}
	}
}
