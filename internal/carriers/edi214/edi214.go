// Package edi214 reads freight carriers' shipment status messages: X12 transaction
// set 214 in files of interchanges, and writes the 997 that acknowledges them.
// NOTES.md says where each fact comes from.
package edi214

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// Adapter is every carrier that speaks EDI 214. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "edi214" }

// Capabilities: the files of many carriers come in one mailbox, so a number is
// looked for with every carrier.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanParseFile, carriers.Aggregates}
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }

// Verify cannot: nothing in a file proves who wrote it.
func (Adapter) Verify(carriers.Push, [][]byte) error { return carriers.ErrCannot }

// ParsePush reads a file of interchanges.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) { return Read(body).Push() }

// ParseFile reads a file of interchanges.
func (Adapter) ParseFile(body []byte) carriers.File { return Read(body).File }

// ParseTrack cannot: there is nobody to ask.
func (Adapter) ParseTrack([]byte) ([]carriers.Event, error) { return nil, carriers.ErrCannot }

// loop is one LX loop: statuses, and what is said of all of them.
type loop struct {
	pro      string
	statuses []status
	ladings  []Segment // Q7
	weight   string    // AT8
	remarks  []string  // K1
	delivers bool      // one of the statuses is a delivery
}

// maxRepeat is how often Q7 and K1 may stand in one loop.
const maxRepeat = 10

// status is an AT7 and where it happened.
type status struct {
	Segment
	place     place
	equipment string
}

// shipment reads the set that just ended into events.
func (r *reader) shipment() {
	var b10 Segment
	var pro, bol, party string
	places := map[string]place{} // by N1-01, of the heading
	var loops []loop
	last := func() *loop { return &loops[len(loops)-1] }
	for _, s := range r.s.Segments {
		inLoop := len(loops) > 0
		switch s.ID {
		case "B10":
			b10 = s
		case "L11":
			switch {
			case s.At(2) == "CN" && inLoop:
				last().pro = cmp.Or(last().pro, s.At(1))
			case s.At(2) == "CN", s.At(2) == "2I":
				pro = cmp.Or(pro, s.At(1))
			case s.At(2) == "BM":
				bol = cmp.Or(bol, s.At(1))
			}
		case "N1":
			party = s.At(1)
		case "N4":
			if _, told := places[party]; !told && !inLoop {
				places[party] = place{city: s.At(1), state: s.At(2), country: s.At(4)}
			}
		case "LX":
			loops = append(loops, loop{})
		case "AT7":
			if !inLoop {
				loops = append(loops, loop{})
			}
			last().statuses = append(last().statuses, status{Segment: s})
			last().delivers = last().delivers || Codes.Read(statuses, s.At(1)).Milestone == order.Delivered
		case "MS1", "MS2":
			if !inLoop || len(last().statuses) == 0 {
				break
			}
			at := &last().statuses[len(last().statuses)-1]
			if s.ID == "MS2" {
				at.equipment = strings.TrimSpace(s.At(1) + " " + s.At(2))
				break
			}
			at.place = place{s.At(1), s.At(2), s.At(3), degrees(s.At(4), s.At(6), 180), degrees(s.At(5), s.At(7), 90)}
		case "Q7":
			if inLoop && len(last().ladings) < maxRepeat {
				last().ladings = append(last().ladings, s)
			}
		case "AT8":
			if inLoop {
				last().weight = weight(s)
			}
		case "K1":
			if inLoop && len(last().remarks) < 2*maxRepeat {
				last().remarks = append(last().remarks, s.At(1), s.At(2))
			}
		}
	}
	if b10.ID == "" {
		r.faultAt(r.s.first, "set %s has no B10", r.s.Control)
		r.s.reject(note{segment: 2, id: "B10", code: "3"})
		return
	}
	var events []carriers.Event
	for _, l := range loops {
		number := carriers.Number(cmp.Or(b10.At(1), pro, l.pro, bol, b10.At(2)))
		if number == "" {
			r.faultAt(b10.N, "B10 names no shipment, and no L11 does")
			r.s.reject(note{segment: b10.N - r.s.first + 1, id: "B10", code: "8", element: 1, ref: "127", err: "1"})
			return
		}
		for i, s := range l.statuses {
			if s.place == (place{}) {
				s.place = places[where(s)]
			}
			more := r.read(s, l, i == len(l.statuses)-1)
			for j := range more {
				more[j].Tracking = number
			}
			events = append(events, more...)
		}
	}
	if len(r.f.Events)+len(events) > carriers.MaxEvents {
		r.faultAt(r.s.first, "set %s is left out: more than %d events in one file", r.s.Control, carriers.MaxEvents)
		r.s.reject(note{segment: 1, id: "ST", code: "4"})
		return
	}
	r.f.Events = append(r.f.Events, events...)
}

// where a status without MS1 happened: freight is picked up at the shipper's and
// delivered at the consignee's. Anything else may be anywhere.
func where(s status) string {
	switch s.At(1) {
	case "X3", "X8", "CP", "AF", "AM", "L1", "CL":
		return "SH"
	case "X1", "X5", "D1", "CD", "AJ", "S1", "A7", "AH":
		return "CN"
	}
	return ""
}

// read gives the events of one AT7: its status, its appointment, and one more for
// a reason that no table has, so that somebody maps it. What the LX loop says of
// the freight's condition belongs to its last status.
func (r *reader) read(s status, l loop, final bool) []carriers.Event {
	told, ok := moment(s.At(5), s.At(6), s.At(7), s.place)
	written := r.g.Written
	switch {
	case s.At(5) != "" && !ok:
		element, ref, code := 5, "373", "8"
		if _, day := moment(s.At(5), "", "", place{}); day {
			element, ref, code = 6, "337", "9"
		}
		r.complain(s, element, ref, code, "AT7 has no date and time that can be read: %s %s", said(s.At(5)), said(s.At(6)))
		return nil
	case written.IsZero() && !ok:
		r.complain(s, 5, "373", "2", "AT7 has no date, and neither GS nor ISA has one that can be read")
		return nil
	case s.At(1) == "" && s.At(3) == "":
		r.complain(s, 1, statuses, "2", "AT7 has neither a status nor an appointment")
		return nil
	}
	// What is planned or not dated happened, as far as we are told, when the sender
	// wrote it down. Without that the plan's own time stands for it.
	paper := carriers.Assumed(written)
	if written.IsZero() {
		paper = told
	}
	var events []carriers.Event
	if code := s.At(1); code != "" {
		at := told
		ofDelivery, estimate := estimated[code]
		if !ok || estimate {
			at = paper
		}
		status := s.events(statuses, code, s.At(2), at)
		e := &status[0]
		words := []string{e.Description}
		if estimate && ok {
			words = append(words, stamp(told))
			if ofDelivery {
				e.ETA = told.UTC
			}
		}
		if final {
			for _, q := range l.ladings {
				row, _ := Codes.Find(ladings, q.At(1))
				e.Reading = condition(e.Reading, row)
				words = append(words, strings.TrimSpace(cmp.Or(row.Meaning, "lading exception "+q.At(1))+" "+q.At(3)))
			}
		}
		words = append(words, l.weight, s.equipment)
		if !l.delivers { // beside a delivery they name who signed
			words = append(words, l.remarks...)
		}
		e.Description = sentence(words...)
		events = append(events, status...)
	}
	if code := s.At(3); code != "" {
		appointment := s.events(appointments, code, s.At(4), paper)
		if ok {
			plan(&appointment[0], code, told)
		}
		events = append(events, appointment...)
	}
	return events
}

// events says a code, and beside it a reason that is in no table.
func (s status) events(table, code, reason string, at carriers.Moment) []carriers.Event {
	row, known := Codes.Find(table, code)
	var why carriers.Row
	explained := false
	if !normal(reason) {
		why, explained = Codes.Find(reasons, reason)
	}
	e := carriers.Event{
		Table: table, Code: code, Moment: at, Location: s.place.String(), Reading: carriers.Reading{Unmapped: true},
		Description: sentence(cmp.Or(row.Meaning, "code "+code), why.Meaning),
	}
	if known {
		e.Reading = because(row, why)
	}
	if normal(reason) {
		return []carriers.Event{e}
	}
	if !explained {
		unknown := e
		unknown.Table, unknown.Code, unknown.Reading, unknown.Description = reasons, reason, carriers.Reading{Unmapped: true}, "reason "+reason
		return []carriers.Event{e, unknown}
	}
	if known { // the same delay for two reasons is two events
		e.Code += "/" + reason
	}
	return []carriers.Event{e}
}

// plan puts an appointment on its event. ED and EP say from when, LD and LP until
// when; a day without a time is all of it. Only AC is an estimate; what was agreed
// or is asked for promises nothing.
func plan(e *carriers.Event, code string, told carriers.Moment) {
	a := carriers.Appointment{For: carriers.ForDelivery, Earliest: told.UTC, Latest: told.UTC}
	if told.Basis == carriers.DateOnly {
		a.Earliest, a.Latest = told.UTC.Add(-12*time.Hour), told.UTC.Add(12*time.Hour)
	}
	switch code {
	case "AA", "XA", "EP", "LP":
		a.For = carriers.ForPickup
	case "AB", "AC", "X9", "ED", "LD":
	default:
		return
	}
	switch code {
	case "ED", "EP":
		a.Latest = time.Time{}
	case "LD", "LP":
		a.Earliest = time.Time{}
	case "AC":
		e.ETA = told.UTC
	}
	e.Appointment = &a
	e.Description = sentence(e.Description, stamp(told))
}

// stamp is a planned time as the wall clock there will show it.
func stamp(m carriers.Moment) string {
	if m.Basis == carriers.DateOnly {
		return m.Local[:10]
	}
	return strings.TrimSpace(strings.Replace(m.Local[:16], "T", " ", 1) + " " + m.Offset)
}

// weight reads AT8: how much there is, in the units it is told in.
func weight(s Segment) string {
	var parts []string
	for _, p := range [][2]string{{s.At(5), "pieces"}, {s.At(4), "handling units"}, {s.At(3), map[string]string{"L": "lb", "K": "kg"}[s.At(2)]}} {
		if p[0] != "" {
			parts = append(parts, strings.TrimSpace(p[0]+" "+p[1]))
		}
	}
	return strings.Join(parts, ", ")
}

// complain notes a fault of one segment of a set that is good otherwise.
func (r *reader) complain(s status, element int, ref, code, format string, args ...any) {
	r.faultAt(s.N, format, args...)
	r.s.notes = append(r.s.notes, note{segment: s.N - r.s.first + 1, id: s.ID, code: "8", element: element, ref: ref, err: code})
}

// reject says that nothing of the set can be used.
func (s *Set) reject(n note) { s.errors, s.notes = append(s.errors, "5"), append(s.notes, n) }

func sentence(words ...string) string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return carriers.Clean(strings.Join(words, "; "), 500)
}
