// Package policy reads policy files: what a shop promises itself about time,
// people and money, as YAML that a person writes and reviews. default.yaml is one,
// and says what each line means; schema.json is for editors.
package policy

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/waybillhq/waybill/order"
)

// Default is the file that comes with Waybill.
//
//go:embed default.yaml
var Default []byte

// Schema is a JSON Schema of policy files, for editors. Parse knows more.
//
//go:embed schema.json
var Schema []byte

// MaxFile bounds a policy file, in bytes.
const MaxFile = 256 << 10

// maxFaults are told at once.
const maxFaults = 50

// Fault is what is wrong in a file. Line counts from 1.
type Fault struct {
	Line          int
	Field, Reason string
}

func (f Fault) Error() string {
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Field, f.Reason)
}

// Parse reads a policy file: one book for each policy in it, by name. Carriers
// that are neither known nor named in the file are refused; the calendars reach
// from the year before now to two years after it. The error joins every [Fault].
func Parse(raw []byte, known []string, now time.Time) ([]order.PolicyBook, error) {
	if len(raw) > MaxFile {
		return nil, Fault{1, "file", fmt.Sprintf("%d bytes; at most %d", len(raw), MaxFile)}
	}
	if !utf8.Valid(raw) {
		return nil, Fault{1, "file", "is not UTF-8"}
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		return nil, syntax(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Fault{1, "file", "more than one document"}
	}
	r := &reader{carriers: slices.Clone(known), year: now.UTC().Year(), source: string(raw)}
	for _, n := range doc.Content {
		r.file(n)
	}
	if len(r.faults) == 0 {
		return r.books, nil
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	// A class inherits its policy's faults.
	r.faults = slices.CompactFunc(r.faults, func(a, b Fault) bool { return a.Line == b.Line && a.Reason == b.Reason })
	errs := make([]error, 0, maxFaults)
	for i, f := range r.faults {
		if i == maxFaults {
			errs = append(errs, fmt.Errorf("and %d more", len(r.faults)-i))
			break
		}
		errs = append(errs, f)
	}
	return nil, errors.Join(errs...)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax keeps the library's line.
func syntax(err error) error {
	if errors.Is(err, io.EOF) {
		return Fault{1, "file", "nothing in it"}
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	f := Fault{1, "file", err.Error()}
	if m != nil {
		f.Line, _ = strconv.Atoi(cmp.Or(m[1], "1"))
		f.Reason = err.Error()[len(m[0]):]
	}
	return f
}

// reader walks through a file and collects what is wrong.
type reader struct {
	source    string
	carriers  []string
	year      int
	calendars []order.Calendar
	regions   []order.Region
	books     []order.PolicyBook
	faults    []Fault
}

func (r *reader) bad(n *yaml.Node, field, format string, args ...any) {
	r.faults = append(r.faults, Fault{n.Line, field, fmt.Sprintf(format, args...)})
}

// entry of a mapping.
type entry struct {
	name       string
	key, value *yaml.Node
}

// entries of a mapping, each key once.
func (r *reader) entries(n *yaml.Node, at string) (list []entry) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, at, "must be a mapping of names to values")
		return nil
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Value == "<<" {
			r.bad(k, at, "a name is needed here; anchors and merges are not read")
			continue
		}
		if line := seen[k.Value]; line > 0 {
			r.bad(k, join(at, k.Value), "stands on line %d already", line)
			continue
		}
		seen[k.Value] = k.Line
		list = append(list, entry{k.Value, k, n.Content[i+1]})
	}
	return list
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

func (r *reader) unknown(e entry, at string, known ...string) {
	r.bad(e.key, join(at, e.name), "is not known here; there are %s", strings.Join(known, ", "))
}

// text is a value that is one word or number.
func (r *reader) text(n *yaml.Node, at string) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag == "!!null" {
		r.bad(n, at, "must be one value")
		return ""
	}
	if strings.ContainsFunc(n.Value, unicode.IsControl) {
		r.bad(n, at, "has control characters")
		return ""
	}
	return n.Value
}

func (r *reader) list(n *yaml.Node, at string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.bad(n, at, "must be a list")
		return nil
	}
	return n.Content
}

func (r *reader) number(n *yaml.Node, at string) int64 {
	v, err := strconv.ParseInt(r.text(n, at), 10, 64)
	if err != nil && n.Kind == yaml.ScalarNode {
		r.bad(n, at, "%q is no whole number", n.Value)
	}
	return v
}

// truth reads true or false.
func (r *reader) truth(n *yaml.Node, at string) bool {
	text := r.text(n, at)
	if text != "true" && text != "false" && n.Kind == yaml.ScalarNode {
		r.bad(n, at, "%q is neither true nor false", n.Value)
	}
	return text == "true"
}

var policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

func (r *reader) file(n *yaml.Node) {
	top := []string{"carriers", "regions", "calendars", "policies"}
	all := r.entries(n, "file")
	// What policies refer to comes first, wherever it stands.
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(slices.Index(top, a.name), slices.Index(top, b.name)) })
	for _, e := range all {
		switch e.name {
		case "carriers":
			for _, c := range r.list(e.value, e.name) {
				r.carriers = append(r.carriers, r.text(c, e.name))
			}
		case "regions":
			for _, e := range r.entries(e.value, e.name) {
				region := order.Region{Name: e.name}
				for _, c := range r.list(e.value, "regions."+e.name) {
					code := r.text(c, "regions."+e.name)
					if code != "" && !isCountry(code) {
						r.bad(c, "regions."+e.name, "%q is no country like DE", code)
					}
					region.Countries = append(region.Countries, code)
				}
				for _, f := range (order.Policy{Regions: []order.Region{region}}).Faults() {
					if rest, ok := strings.CutPrefix(f.Field, "regions[0]."); ok && (rest == "name" || len(region.Countries) == 0) {
						r.bad(e.key, "regions."+e.name, "%s", f.Reason)
					}
				}
				r.regions = append(r.regions, region)
			}
		case "calendars":
			for _, e := range r.entries(e.value, e.name) {
				r.calendar(e)
			}
		case "policies":
			for _, e := range r.entries(e.value, e.name) {
				r.book(e)
			}
		default:
			r.unknown(e, "", top...)
		}
	}
	if len(r.books) == 0 && len(r.faults) == 0 {
		r.bad(n, "policies", "is needed, with at least one policy")
	}
}

// book reads one policy with its classes.
func (r *reader) book(e entry) {
	if !policyName.MatchString(e.name) {
		r.bad(e.key, "policies", "%q must be 1 to 40 of a-z, 0-9, _ and -", e.name)
	}
	base := draft{reader: r, Policy: order.DefaultPolicy(), at: "policies." + e.name, lines: map[string]*yaml.Node{"": e.key}, days: map[string]bool{}}
	base.Name, base.Version = e.name, 0
	classes := base.read(e.value)
	b := order.PolicyBook{Source: r.source}
	b.Policy = base.finish()
	for _, c := range classes {
		at := base.at + ".classes." + c.name
		if !slices.Contains(order.Classes, order.Class(c.name)) {
			r.bad(c.key, at, "is no order class; there are %s", words(order.Classes))
			continue
		}
		d := base
		d.at, d.lines, d.days = at, maps.Clone(base.lines), maps.Clone(base.days)
		d.Rhythms, d.Cases, d.Clocks = slices.Clone(base.Rhythms), slices.Clone(base.Cases), slices.Clone(base.Clocks)
		for _, again := range d.read(c.value) {
			r.bad(again.key, join(at, "classes"), "a class has none")
		}
		if b.Classes == nil {
			b.Classes = map[order.Class]order.Policy{}
		}
		b.Classes[order.Class(c.name)] = d.finish()
	}
	r.books = append(r.books, b)
}

func words[T ~string](list []T) string {
	ss := make([]string, len(list))
	for i, w := range list {
		ss[i] = string(w)
	}
	return strings.Join(ss, ", ")
}
