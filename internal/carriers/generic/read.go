package generic

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

const maxFaults = 100

// layout of a time. A unit of zero means that text is a Go layout.
type layout struct {
	text            string
	unit            time.Duration // of a count since 1970
	dateOnly, zoned bool
}

// item is one event as it stands: a row, or an object. It gives the text at a path.
type item func(path string) string

// get joins what stands in several places.
func (i item) get(paths list) string {
	if len(paths) == 1 {
		return i(paths[0].s)
	}
	var parts []string
	for _, p := range paths {
		if s := i(p.s); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// ParseFile reads a file or the body of a push, item by item: one that cannot be
// read is told and holds nothing else back.
func (a *Adapter) ParseFile(body []byte) carriers.File {
	r := &reader{Adapter: a}
	switch {
	case len(body) > carriers.MaxBody:
		r.fault("file", "%d bytes; %d are allowed", len(body), carriers.MaxBody)
	case a.format == "csv":
		r.csv(body)
	default:
		r.json(body)
	}
	if r.more > 0 {
		r.fault("file", "and %d more", r.more)
	}
	return r.f
}

type reader struct {
	*Adapter
	f    carriers.File
	seen int // items, good or bad
	more int // faults beyond maxFaults
}

func (r *reader) fault(where, format string, args ...any) {
	if len(r.f.Faults) >= maxFaults && where != "file" {
		r.more++
		return
	}
	r.f.Faults = append(r.f.Faults, carriers.Fault{Where: where, What: carriers.Clean(fmt.Sprintf(format, args...), 200)})
}

// item reads one, and says whether there is room for more.
func (r *reader) item(where string, i item) bool {
	if r.seen++; r.seen > carriers.MaxEvents {
		r.f = carriers.File{} // a part would look like the whole
		r.fault("file", "more than %d events", carriers.MaxEvents)
		return false
	}
	e, err := r.event(i)
	if err != nil {
		r.fault(where, "%v", err)
		return true
	}
	r.f.Events = append(r.f.Events, e)
	return true
}

func (r *reader) csv(body []byte) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if r.charset != nil {
		decoded, err := r.charset.NewDecoder().Bytes(body)
		if err != nil {
			r.fault("file", "%v", err)
			return
		}
		body = decoded
	}
	c := csv.NewReader(bytes.NewReader(body))
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = r.comma, -1, true
	head, err := c.Read()
	if err != nil {
		r.fault("line 1", "no header: %v", err)
		return
	}
	columns := map[string]int{}
	for i, h := range head {
		if h = column(h); h != "" {
			if _, twice := columns[h]; twice {
				r.fault("line 1", "column %q stands twice", h)
				return
			}
			columns[h] = i
		}
	}
	for _, f := range r.at.all() {
		for _, want := range f.paths {
			if _, ok := columns[column(want.s)]; !ok {
				r.fault("line 1", "no column %q", want.s)
				return
			}
		}
	}
	for {
		row, err := c.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &broken):
			r.fault(fmt.Sprintf("line %d", broken.StartLine), "%v", broken.Err)
			if r.seen++; r.seen > carriers.MaxEvents {
				return
			}
			continue
		case err != nil:
			r.fault("file", "%v", err)
			return
		}
		line, _ := c.FieldPos(0)
		if len(row) == 1 && strings.TrimSpace(row[0]) == "" {
			continue
		}
		more := r.item(fmt.Sprintf("line %d", line), func(path string) string {
			if i := columns[column(path)]; i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		})
		if !more {
			return
		}
	}
}

// column is a column's name, however it is capitalised.
func column(s string) string { return strings.ToLower(carriers.Clean(s, 200)) }

func (r *reader) json(body []byte) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		r.fault("file", "no JSON: %v", err)
		return
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		r.fault("file", "something stands behind the JSON")
		return
	}
	roots, ok := doc.([]any)
	if !ok {
		roots = []any{doc}
	}
	n := 0
	for i, root := range roots {
		found := root
		if r.events != "" {
			if found, ok = dig(root, r.events); !ok {
				r.fault(fmt.Sprintf("element %d", i+1), "no %s", r.events)
				continue
			}
		}
		items, ok := found.([]any)
		if !ok {
			items = []any{found}
		}
		for _, it := range items {
			n++
			if _, ok := it.(map[string]any); !ok {
				r.fault(fmt.Sprintf("event %d", n), "is no object")
				if r.seen++; r.seen > carriers.MaxEvents {
					return
				}
				continue
			}
			more := r.item(fmt.Sprintf("event %d", n), func(path string) string {
				from := it
				if p, ok := strings.CutPrefix(path, "$."); ok {
					from, path = root, p
				}
				v, _ := dig(from, path)
				return scalar(v)
			})
			if !more {
				return
			}
		}
	}
}

// dig follows a path of names and, through lists, of numbers from 0.
func dig(v any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			inner, ok := x[part]
			if !ok {
				return nil, false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func scalar(v any) string {
	switch x := v.(type) {
	case string:
		return strings.TrimSpace(x)
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// event reads one item.
func (a *Adapter) event(i item) (carriers.Event, error) {
	code := fold(i.get(a.at.Code))
	id := i.get(a.at.ID)
	e := carriers.Event{
		Tracking: carriers.Number(i.get(a.at.Tracking)), Table: table, Code: code, Reading: a.codes.Read(table, code), ID: carriers.Clean(id, maxID),
		Description: carriers.Clean(i.get(a.at.Description), 500),
		Location:    carriers.Place(i.get(a.at.City), i.get(a.at.Region), i.get(a.at.Country)),
		DeliveredTo: carriers.LeftWith(i.get(a.at.LeftAt)),
		Proof:       carriers.Proof{SignedBy: carriers.Clean(i.get(a.at.Signer), 120), Photo: carriers.Clean(i.get(a.at.Photo), 500)},
	}
	switch {
	case e.Tracking == "":
		return e, errors.New("no tracking number")
	case code == "":
		return e, errors.New("no code")
	case len(i.get(a.at.Code)) > maxCode:
		return e, fmt.Errorf("a code of more than %d bytes", maxCode)
	case len(id) > maxID:
		return e, fmt.Errorf("an event ID of more than %d bytes", maxID)
	}
	said := i.get(a.at.Time)
	at, ok := a.moment(said, i.get(a.at.Offset))
	if !ok {
		return e, fmt.Errorf("no time that can be read: %q", carriers.Clean(said, 40))
	}
	e.Moment = at
	if said := i.get(a.at.ETA); said != "" {
		eta, ok := a.moment(said, i.get(a.at.Offset))
		if !ok {
			return e, fmt.Errorf("no ETA that can be read: %q", carriers.Clean(said, 40))
		}
		e.ETA = eta.UTC
	}
	return e, nil
}

// moment reads a time by the first layout that fits. The time's own offset comes
// first, then the field's, then the zone of the mapping.
func (a *Adapter) moment(said, offset string) (carriers.Moment, bool) {
	for _, l := range a.layouts {
		if l.unit > 0 {
			n, err := strconv.ParseInt(said, 10, 64)
			if err != nil || n < 0 || n > 1<<43 {
				continue
			}
			t := time.UnixMilli(n * int64(l.unit/time.Millisecond)).UTC()
			if !carriers.Plausible(t) {
				continue
			}
			return carriers.Exact(t), true
		}
		t, err := time.Parse(l.text, said)
		if err != nil || !carriers.Plausible(t) {
			continue
		}
		switch {
		case l.dateOnly:
			noon := t.Add(12 * time.Hour)
			return carriers.Moment{UTC: noon, Local: noon.Format(carriers.Wall), Basis: carriers.DateOnly}, true
		case l.zoned:
			return carriers.Exact(t), true
		}
		return a.in(t, offset)
	}
	return carriers.Moment{}, false
}

// in places a wall clock's time. An offset that is there and makes no sense is an
// error: the mapping or the carrier is wrong, and guessing would hide it.
func (a *Adapter) in(t time.Time, offset string) (carriers.Moment, bool) {
	if offset != "" {
		if o, ok := carriers.ParseOffset(offset); ok {
			return placed(t, time.FixedZone("", int(o/time.Second)), carriers.ByOffset), true
		}
		zone, err := time.LoadLocation(offset)
		if err != nil || offset == "Local" {
			return carriers.Moment{}, false
		}
		return placed(t, zone, carriers.ByZone), true
	}
	if a.zone != nil {
		return placed(t, a.zone, carriers.ByAccount), true
	}
	return carriers.Assumed(t), true
}

// placed is the moment at which clocks of a zone show the wall time of t.
func placed(t time.Time, zone *time.Location, basis carriers.Basis) carriers.Moment {
	m := carriers.At(t, &carriers.Clock{Zone: zone})
	m.Basis = basis
	return m
}
