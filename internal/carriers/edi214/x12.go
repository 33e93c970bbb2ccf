package edi214

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// maxSegments and maxElement (bytes) bound what is kept of a file, maxFaults what
// is told of one.
const (
	maxSegments = 100_000
	maxElement  = 80
	maxFaults   = 100
)

// File is a file of interchanges as it stands, with what is wrong with it.
type File struct {
	Interchanges []Interchange
	// Events of the sets that are whole; Faults by segment, counted from 1 through
	// the whole file.
	carriers.File
}

// Interchange is one envelope from ISA to IEA.
type Interchange struct {
	marks            marks
	isa              []string // elements 1 to 16 as ISA[1]..ISA[16], white space and all
	Control          string   // ISA13
	Sender, Receiver string   // ISA06, ISA08
	Groups           []Group
}

// Group is one functional group from GS to GE.
type Group struct {
	Kind, Sender, Receiver, Control, Version string // GS01, GS02, GS03, GS06, GS08
	// Written is when the sender says that it wrote the group; its zone is not
	// said. Zero: it does not say.
	Written time.Time
	Claimed int // GE01; the number of sets that came where it is not said
	Sets    []Set
	errors  []string // element 716, for AK9
}

// Set is one transaction set from ST to SE.
type Set struct {
	ID, Control string // ST01, ST02
	Segments    []Segment
	first       int      // the number of ST in the file
	errors      []string // element 718, for AK5: its envelope does not hold
	notes       []note
}

// Segment is one line of a set. N counts from 1 through the file.
type Segment struct {
	N        int
	ID       string
	elements []string
}

// At gives element i, from 1 as the standard counts; empty where it is not there.
func (s Segment) At(i int) string {
	if i < 1 || i > len(s.elements) {
		return ""
	}
	return s.elements[i-1]
}

// note is what is wrong with a segment, for AK3 and AK4.
type note struct {
	segment int // from 1 at ST; 0: a segment that is not there
	id      string
	code    string // element 720
	element int    // 0: the segment as a whole
	ref     string // element number of the dictionary
	err     string // element 723
}

// answers says that the group acknowledges something of ours. An acknowledgement
// is never acknowledged.
func (g *Group) answers() bool { return g.Kind == "FA" }

// marks are the separators that an interchange chose in its ISA.
type marks struct{ element, component, repetition, segment byte }

// whole says that the set is intact: what stands in it may be used.
func (s *Set) whole() bool { return len(s.errors) == 0 }

// reader walks through a file. Where it is shows in which of its parts are open.
type reader struct {
	f    File
	n    int // the segment read last
	ic   *Interchange
	g    *Group
	s    *Set
	more int // faults beyond maxFaults
}

// Read reads X12: any number of interchanges, groups and sets, each envelope
// judged by itself. It is total. A set whose envelope does not hold is told as a
// fault and is not whole; what is wrong around a set that holds is told, and the
// set is good.
func Read(body []byte) File {
	r := &reader{}
	if len(body) > carriers.MaxBody {
		r.fault("a file of %d bytes; %d are allowed", len(body), carriers.MaxBody)
		return r.f
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	for body = trim(body); len(body) > 0 && r.n < maxSegments; body = trim(body) {
		if r.ic == nil || isISA(body, r.ic.marks) {
			r.n++
			if r.ic != nil {
				r.fault("ISA inside of interchange %s: its IEA is missing", r.ic.Control)
				r.endInterchange()
			}
			rest, err := r.begin(body)
			if err != nil {
				r.fault("%v", err)
				return r.end()
			}
			body = rest
			continue
		}
		text, rest, ended := bytes.Cut(body, []byte{r.ic.marks.segment})
		r.n++
		id, elements := split(text, r.ic.marks.element)
		if !ended && id != "IEA" { // the last mark of a file gets lost on the way
			r.fault("the file ends inside of a segment")
			break
		}
		r.segment(id, elements)
		body = rest
	}
	if len(body) > 0 && r.n >= maxSegments {
		r.fault("more than %d segments", maxSegments)
	}
	if r.n == 0 {
		r.fault("nothing in it")
	}
	return r.end()
}

// trim takes away what stands between segments: line ends, and what mainframes
// and modems leave at the end of a file.
func trim(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n\x00\x1a") }

func isISA(b []byte, m marks) bool { return len(b) > 3 && string(b[:3]) == "ISA" && b[3] == m.element }

func split(text []byte, element byte) (id string, elements []string) {
	parts := strings.Split(string(text), string(rune(element)))
	for i := range parts {
		parts[i] = carriers.Clean(parts[i], maxElement)
	}
	return strings.ToUpper(parts[0]), parts[1:]
}

// begin reads the ISA. Its 16 elements have fixed lengths; some senders trim
// them, so they are counted and not measured. The byte after ISA16 ends segments.
func (r *reader) begin(b []byte) (rest []byte, err error) {
	if len(b) < 4 || string(b[:3]) != "ISA" {
		return nil, fmt.Errorf("not an interchange: it begins with %q, not with ISA", carriers.Clean(string(b[:min(len(b), 12)]), 40))
	}
	m := marks{element: b[3]}
	if !mark(m.element) {
		return nil, fmt.Errorf("ISA names a separator that is none: %q", m.element)
	}
	at, count := 3, 1 // at the separator before element count
	for ; count < 16; count++ {
		next := bytes.IndexByte(b[at+1:min(len(b), 200)], m.element)
		if next < 0 {
			return nil, fmt.Errorf("ISA has %d elements, not 16", count-1)
		}
		at += 1 + next
	}
	if len(b) < at+3 {
		return nil, fmt.Errorf("the file ends inside of ISA")
	}
	m.component, m.segment = b[at+1], b[at+2]
	isa := strings.Split(string(b[3:at]), string(rune(m.element))) // isa[0] is empty: elements count from 1
	isa = append(isa, string(rune(m.component)))
	// ISA11 is the repetition separator since 00402; before, it is "U".
	if len(isa[11]) == 1 && isa[12] >= "00402" && mark(isa[11][0]) {
		m.repetition = isa[11][0]
	}
	if !mark(m.component) || !mark(m.segment) && m.segment != '\n' && m.segment != '\r' ||
		m.element == m.component || m.element == m.segment || m.component == m.segment {
		return nil, fmt.Errorf("ISA names separators that are none: element %q, component %q, segment %q", m.element, m.component, m.segment)
	}
	for i := range isa {
		if i < 16 {
			isa[i] = carriers.Clean(isa[i], 20)
		}
	}
	r.f.Interchanges = append(r.f.Interchanges, Interchange{marks: m, isa: isa, Control: isa[13], Sender: isa[6], Receiver: isa[8]})
	r.ic = &r.f.Interchanges[len(r.f.Interchanges)-1]
	return b[at+3:], nil
}

// mark says whether a byte may separate: printable, and not part of a word.
func mark(c byte) bool {
	return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') || c >= 0x1c && c <= 0x1f
}

func (r *reader) segment(id string, elements []string) {
	s := Segment{N: r.n, ID: id, elements: elements}
	switch {
	case id == "GS":
		if r.g != nil {
			r.fault("GS inside of group %s: its GE is missing", r.g.Control)
			r.endGroup("3")
		}
		r.ic.Groups = append(r.ic.Groups, Group{Kind: s.At(1), Sender: s.At(2), Receiver: s.At(3), Control: s.At(6), Version: s.At(8), Written: r.written(s)})
		r.g = &r.ic.Groups[len(r.ic.Groups)-1]
	case id == "IEA":
		r.iea(s)
	case r.g == nil && id == "TA1": // the answer to an interchange of ours
	case r.g == nil:
		r.fault("%s outside of a group", carriers.Clean(id, 10))
	case id == "GE":
		r.ge(s)
	case id == "ST":
		if r.s != nil {
			r.fault("ST inside of set %s: its SE is missing", r.s.Control)
			r.endSet("2")
		}
		r.g.Sets = append(r.g.Sets, Set{ID: s.At(1), Control: s.At(2), first: r.n, Segments: []Segment{s}})
		r.s = &r.g.Sets[len(r.g.Sets)-1]
	case r.s == nil:
		r.fault("%s outside of a transaction set", carriers.Clean(id, 10))
	case id == "SE":
		r.s.Segments = append(r.s.Segments, s)
		r.se(s)
	default:
		r.s.Segments = append(r.s.Segments, s)
	}
}

func (r *reader) se(s Segment) {
	var errs []string
	if n, have := number(s.At(1)), len(r.s.Segments); n != have {
		r.fault("SE says that set %s has %s segments; it has %d", r.s.Control, said(s.At(1)), have)
		errs = append(errs, "4")
	}
	if s.At(2) != r.s.Control {
		r.fault("SE closes set %s, but %s is open", said(s.At(2)), r.s.Control)
		errs = append(errs, "3")
	}
	r.endSet(errs...)
}

// endSet closes the set, and reads it if its envelope holds.
func (r *reader) endSet(errs ...string) {
	switch r.s.errors = append(r.s.errors, errs...); {
	case !r.s.whole() || r.g.answers():
	case r.s.ID != "214":
		r.faultAt(r.s.first, "set %s is a %s; only 214 is read", r.s.Control, said(r.s.ID))
		r.s.errors = []string{"1"}
	default:
		r.shipment()
	}
	r.s = nil
}

func (r *reader) ge(s Segment) {
	r.openSet("GE")
	var errs []string
	r.g.Claimed = number(s.At(1))
	if have := len(r.g.Sets); r.g.Claimed != have {
		r.fault("GE says that group %s has %s sets; it has %d", r.g.Control, said(s.At(1)), have)
		errs = append(errs, "5")
	}
	if s.At(2) != r.g.Control {
		r.fault("GE closes group %s, but %s is open", said(s.At(2)), r.g.Control)
		errs = append(errs, "4")
	}
	r.endGroup(errs...)
}

func (r *reader) endGroup(errs ...string) {
	r.openSet("the group")
	r.g.errors = append(r.g.errors, errs...)
	if r.g.Claimed < 0 || len(errs) > 0 && errs[0] == "3" {
		r.g.Claimed = len(r.g.Sets)
	}
	r.g = nil
}

// openSet ends a set that something ended before its SE.
func (r *reader) openSet(by string) {
	if r.s != nil {
		r.fault("%s ends before the SE of set %s", by, r.s.Control)
		r.endSet("2")
	}
}

func (r *reader) iea(s Segment) {
	if r.g != nil {
		r.fault("IEA inside of group %s: its GE is missing", r.g.Control)
		r.endGroup("3")
	}
	if have := len(r.ic.Groups); number(s.At(1)) != have {
		r.fault("IEA says that interchange %s has %s groups; it has %d", r.ic.Control, said(s.At(1)), have)
	}
	if s.At(2) != strings.TrimSpace(r.ic.Control) {
		r.fault("IEA closes interchange %s, but %s is open", said(s.At(2)), r.ic.Control)
	}
	r.endInterchange()
}

func (r *reader) endInterchange() {
	if r.g != nil {
		r.fault("the interchange ends before the GE of group %s", r.g.Control)
		r.endGroup("3")
	}
	r.ic = nil
}

// end closes what the file left open.
func (r *reader) end() File {
	if r.ic != nil {
		r.fault("the file ends before the IEA of interchange %s", r.ic.Control)
		r.endInterchange()
	}
	if r.more > 0 {
		r.f.Faults = append(r.f.Faults, carriers.Fault{Where: "file", What: fmt.Sprintf("and %d more", r.more)})
	}
	return r.f
}

func (r *reader) fault(format string, args ...any) { r.faultAt(r.n, format, args...) }

func (r *reader) faultAt(segment int, format string, args ...any) {
	if len(r.f.Faults) >= maxFaults {
		r.more++
		return
	}
	r.f.Faults = append(r.f.Faults, carriers.Fault{Where: fmt.Sprintf("segment %d", max(segment, 1)), What: carriers.Clean(fmt.Sprintf(format, args...), 200)})
}

// written reads GS04 and GS05, or else ISA09 and ISA10.
func (r *reader) written(s Segment) time.Time {
	for _, text := range []string{s.At(4) + s.At(5), "20" + r.ic.isa[9] + r.ic.isa[10]} {
		for _, layout := range []string{"200601021504", "20060102150405"} {
			// Decimal seconds, which GS05 may have, do not matter here.
			if t, err := time.Parse(layout, text[:min(len(text), 14)]); err == nil && carriers.Plausible(t) {
				return t
			}
		}
	}
	return time.Time{}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func said(s string) string {
	if s == "" {
		return "nothing"
	}
	return carriers.Clean(s, 20)
}
