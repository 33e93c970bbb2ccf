package edi214

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxNotes bounds what is said of one set.
const maxNotes = 50

// MaxControl is the highest control number.
const MaxControl = 999_999_999

// AcknowledgeAll writes one 997 for each interchange of a file. Their control
// numbers go on from first, which may be any number that is not negative.
func AcknowledgeAll(body []byte, first int, at time.Time) []byte {
	var answer []byte
	for i, ic := range Read(body).Interchanges {
		answer = append(answer, Acknowledge(ic, (first+i)%MaxControl+1, at)...)
	}
	return answer
}

// Acknowledge writes the 997 of an interchange: what became of each of its groups
// and sets, for the one who sent it, in its own separators. It answers nil where
// there is nothing to acknowledge. The control number (1 to MaxControl) must be new
// to the receiver; at is when it is written, told in UTC.
func Acknowledge(ic Interchange, control int, at time.Time) []byte {
	at = at.UTC()
	w := writer{marks: ic.marks}
	sets := 0
	for _, g := range ic.Groups {
		if g.answers() {
			continue
		}
		if sets++; sets == 1 {
			w.open(ic, g, control, at)
		}
		w.group(g, sets)
	}
	if sets == 0 {
		return nil
	}
	w.put("GE", strconv.Itoa(sets), strconv.Itoa(control))
	w.put("IEA", "1", fmt.Sprintf("%09d", control))
	return []byte(w.out.String())
}

type writer struct {
	marks
	out strings.Builder
	n   int // segments written
}

func (w *writer) put(id string, elements ...string) {
	for len(elements) > 0 && elements[len(elements)-1] == "" {
		elements = elements[:len(elements)-1]
	}
	w.n++
	w.out.WriteString(id)
	for _, e := range elements {
		w.out.WriteByte(w.element)
		w.out.WriteString(e)
	}
	w.out.WriteByte(w.marks.segment)
}

// open writes ISA and GS: sender and receiver change places.
func (w *writer) open(ic Interchange, g Group, control int, at time.Time) {
	w.put("ISA", "00", strings.Repeat(" ", 10), "00", strings.Repeat(" ", 10), pad(ic.isa[7], 2), pad(ic.Receiver, 15), pad(ic.isa[5], 2), pad(ic.Sender, 15),
		at.Format("060102"), at.Format("1504"), pad(ic.isa[11], 1), pad(ic.isa[12], 5), fmt.Sprintf("%09d", control), "0", pad(ic.isa[15], 1), ic.isa[16])
	w.put("GS", "FA", g.Receiver, g.Sender, at.Format("20060102"), at.Format("1504"), strconv.Itoa(control), "X", cmp.Or(g.Version, "004010"))
}

// pad gives an element of the ISA its fixed length.
func pad(s string, n int) string { return fmt.Sprintf("%-*s", n, s)[:n] }

func (w *writer) group(g Group, number int) {
	control := fmt.Sprintf("%04d", number)
	first := w.n
	w.put("ST", "997", control)
	w.put("AK1", g.Kind, g.Control)
	good, worst := 0, "A"
	for _, s := range g.Sets {
		code := w.set(s)
		if code != "R" {
			good++
		}
		if code != "A" {
			worst = "E"
		}
	}
	if len(g.errors) > 0 {
		worst = "E"
	}
	switch {
	case good == 0:
		worst = "R"
	case good < len(g.Sets):
		worst = "P"
	}
	w.put("AK9", append([]string{worst, strconv.Itoa(g.Claimed), strconv.Itoa(len(g.Sets)), strconv.Itoa(good)}, g.errors[:min(len(g.errors), 5)]...)...)
	w.put("SE", strconv.Itoa(w.n-first+1), control)
}

// set writes what became of one set, and returns it: A accepted, E accepted with
// errors, R rejected.
func (w *writer) set(s Set) string {
	w.put("AK2", s.ID, s.Control)
	for _, n := range s.notes[:min(len(s.notes), maxNotes)] {
		w.put("AK3", n.id, strconv.Itoa(n.segment), "", n.code)
		if n.element > 0 {
			w.put("AK4", strconv.Itoa(n.element), n.ref, n.err)
		}
	}
	code, errs := "A", s.errors
	switch {
	case !s.whole():
		code = "R"
	case len(s.notes) > 0:
		code, errs = "E", []string{"5"}
	}
	w.put("AK5", append([]string{code}, errs[:min(len(errs), 5)]...)...)
	return code
}
