package generic

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding/charmap"

	"github.com/waybillhq/waybill/internal/carriers"
)

// mapping is a mapping file. Every value knows its line.
type mapping struct {
	Carrier   text            `yaml:"carrier"`
	Format    text            `yaml:"format"`
	Events    text            `yaml:"events"`
	Delimiter text            `yaml:"delimiter"`
	Encoding  text            `yaml:"encoding"`
	Times     list            `yaml:"times"`
	Timezone  text            `yaml:"timezone"`
	Fields    fields          `yaml:"fields"`
	Codes     map[text]coding `yaml:"codes"`
	Auth      *auth           `yaml:"auth"`
}

// fields say where things stand: a column, or a path like data.number. Several are
// joined by a space.
type fields struct {
	Tracking    list `yaml:"tracking"`
	Code        list `yaml:"code"`
	Time        list `yaml:"time"`
	Offset      list `yaml:"offset"`
	ID          list `yaml:"id"`
	Description list `yaml:"description"`
	City        list `yaml:"city"`
	Region      list `yaml:"region"`
	Country     list `yaml:"country"`
	ETA         list `yaml:"eta"`
	LeftAt      list `yaml:"left_at"`
	Signer      list `yaml:"signer"`
	Photo       list `yaml:"photo"`
}

// named is a field and where it stands.
type named struct {
	field string
	paths list
}

// all lists the fields. The first needed ones are needed.
func (f fields) all() []named {
	return []named{
		{"tracking", f.Tracking}, {"code", f.Code}, {"time", f.Time}, {"offset", f.Offset}, {"id", f.ID}, {"description", f.Description},
		{"city", f.City}, {"region", f.Region}, {"country", f.Country}, {"eta", f.ETA}, {"left_at", f.LeftAt}, {"signer", f.Signer}, {"photo", f.Photo},
	}
}

const needed = 3

// coding is what a code means: a milestone in the vocabulary of carriers.Table.
type coding struct {
	Milestone text `yaml:"milestone"`
	Bucket    text `yaml:"bucket"`
	Meaning   text `yaml:"meaning"`
}

// auth says how a push proves that it is the carrier's.
type auth struct {
	Kind     text `yaml:"kind"`
	Header   text `yaml:"header"`
	Encoding text `yaml:"encoding"`
	Prefix   text `yaml:"prefix"`
}

// text is a scalar and the line on which it stands.
type text struct {
	s    string
	line int
}

func (t *text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: must be one value", n.Line)
	}
	t.s, t.line = n.Value, n.Line
	return nil
}

// list is one value or a list of them.
type list []text

func (l *list) UnmarshalYAML(n *yaml.Node) error {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, n := range nodes {
		var t text
		if err := t.UnmarshalYAML(n); err != nil {
			return err
		}
		if t.s == "" {
			return fmt.Errorf("line %d: must not be empty", n.Line)
		}
		*l = append(*l, t)
	}
	return nil
}

// MaxMapping bounds a mapping file, in bytes.
const MaxMapping = 1 << 20

// Parse reads a mapping file and gives the carrier's adapter. An error names the
// line and the field.
func Parse(raw []byte) (*Adapter, error) {
	if len(raw) > MaxMapping {
		return nil, fmt.Errorf("%d bytes; a mapping has at most %d", len(raw), MaxMapping)
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	var m mapping
	if err := d.Decode(&m); err != nil {
		return nil, decodeError(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return m.adapter()
}

// decodeError keeps the library's lines and leaves out our types.
func decodeError(err error) error {
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("nothing in it")
	case errors.As(err, &wrong):
		return errors.New(inType.ReplaceAllString(strings.Join(wrong.Errors, "; "), ""))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

var inType = regexp.MustCompile(` in type generic\.\w+| into generic\.\w+`)

var (
	names   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	headers = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	buckets = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// encodings of CSV files that are not UTF-8.
var encodings = map[string]*charmap.Charmap{"latin-1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252}

func (m mapping) adapter() (*Adapter, error) {
	a := &Adapter{name: m.Carrier.s, format: m.Format.s, events: m.Events.s, at: m.Fields, auth: m.Auth, comma: ','}
	for _, check := range []func(*Adapter) error{m.head, m.csv, m.times, m.fields, m.codes, m.proof} {
		if err := check(a); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func wrong(field string, t text, format string, args ...any) error {
	if t.line == 0 {
		return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
	}
	return fmt.Errorf("line %d: %s: %s", t.line, field, fmt.Sprintf(format, args...))
}

func (m mapping) head(*Adapter) error {
	switch {
	case !names.MatchString(m.Carrier.s):
		return wrong("carrier", m.Carrier, "%q is no name like city-couriers", m.Carrier.s)
	case m.Format.s != "json" && m.Format.s != "csv":
		return wrong("format", m.Format, "%q is neither json nor csv", m.Format.s)
	}
	return nil
}

func (m mapping) csv(a *Adapter) error {
	if a.format == "json" {
		switch {
		case m.Delimiter.s != "":
			return wrong("delimiter", m.Delimiter, "is of csv only")
		case m.Encoding.s != "":
			return wrong("encoding", m.Encoding, "is of csv only; JSON is UTF-8")
		}
		return nil
	}
	if m.Events.s != "" {
		return wrong("events", m.Events, "is of json only")
	}
	if d := m.Delimiter.s; d != "" {
		r, n := utf8.DecodeRuneInString(d)
		if n != len(d) || r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError {
			return wrong("delimiter", m.Delimiter, "%q is not one character that may separate", d)
		}
		a.comma = r
	}
	if e := m.Encoding.s; e != "" && e != "utf-8" {
		if a.charset = encodings[e]; a.charset == nil {
			return wrong("encoding", m.Encoding, "%q is none of utf-8, latin-1, windows-1252", e)
		}
	}
	return nil
}

// times checks each layout by writing a moment with it and reading it back.
func (m mapping) times(a *Adapter) error {
	if len(m.Times) == 0 {
		return wrong("times", text{}, "is needed: layouts like 2006-01-02 15:04:05, or rfc3339, unix, unix_ms")
	}
	for _, t := range m.Times {
		l := layout{text: t.s}
		switch t.s {
		case "rfc3339":
			l.text = time.RFC3339Nano
		case "unix":
			l.unit = time.Second
		case "unix_ms":
			l.unit = time.Millisecond
		}
		if l.unit == 0 {
			probe := time.Date(2031, 11, 23, 14, 25, 36, 0, time.UTC)
			got, err := time.Parse(l.text, probe.Format(l.text))
			switch {
			case strings.Contains(l.text, "MST"):
				return wrong("times", t, "%q reads the name of a zone, which says no offset; map offset instead", t.s)
			case err != nil || got.Year() != 2031 || got.Month() != 11 || got.Day() != 23:
				return wrong("times", t, "%q is no layout that has a day: write 2006-01-02 15:04:05 as the carrier would", t.s)
			case got.Hour() == 2:
				return wrong("times", t, "%q has hours to 12 and no PM", t.s)
			}
			l.dateOnly = got.Hour() == 0
			l.zoned = strings.Contains(l.text, "Z07") || strings.Contains(l.text, "-07")
		}
		a.layouts = append(a.layouts, l)
	}
	if z := m.Timezone; z.s != "" {
		zone, err := time.LoadLocation(z.s)
		if err != nil || z.s == "Local" {
			return wrong("timezone", z, "%q is no zone like America/New_York", z.s)
		}
		a.zone = zone
	}
	return nil
}

func (m mapping) fields(a *Adapter) error {
	for i, f := range m.Fields.all() {
		if i < needed && len(f.paths) == 0 {
			return wrong("fields."+f.field, text{}, "is needed")
		}
		for _, p := range f.paths {
			if err := a.path("fields."+f.field, p); err != nil {
				return err
			}
		}
	}
	if m.Events.s == "" {
		return nil
	}
	return a.path("events", m.Events)
}

// path refuses a path of which a part is missing. Columns are called anything.
func (a *Adapter) path(field string, p text) error {
	if a.format == "json" && slices.Contains(strings.Split(strings.TrimPrefix(p.s, "$."), "."), "") {
		return wrong(field, p, "%q has an empty part", p.s)
	}
	return nil
}

func (m mapping) codes(a *Adapter) error {
	var tsv strings.Builder
	codes := make([]text, 0, len(m.Codes))
	for c := range m.Codes {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(x, y text) int { return x.line - y.line })
	seen := map[string]bool{}
	for _, c := range codes {
		to, code := m.Codes[c], fold(c.s)
		row := strings.Join([]string{table, code, to.Milestone.s, to.Bucket.s, carriers.Clean(to.Meaning.s, 200)}, "\t")
		_, err := carriers.ParseTable(strings.TrimRight(row, "\n"))
		switch {
		case code == "":
			return wrong("codes", c, "an empty code")
		case seen[code]:
			return wrong("codes", c, "%s stands twice; capitals do not tell codes apart", code)
		case to.Bucket.s != "" && !buckets.MatchString(to.Bucket.s):
			return wrong("codes."+c.s, to.Bucket, "bucket %q is no word like recipient_unavailable", to.Bucket.s)
		case err != nil || strings.ContainsAny(to.Milestone.s, "\t\r\n"):
			return wrong("codes."+c.s, c, "milestone %q is none of %s", to.Milestone.s, strings.Join(carriers.Kinds(), ", "))
		}
		seen[code] = true
		tsv.WriteString(row + "\n")
	}
	if len(codes) == 0 {
		return wrong("codes", text{}, "is needed")
	}
	t, err := carriers.ParseTable(tsv.String())
	if err != nil {
		return fmt.Errorf("codes: %w", err)
	}
	a.codes = t
	return nil
}

func (m mapping) proof(*Adapter) error {
	if m.Auth == nil {
		return nil
	}
	x := *m.Auth
	switch x.Kind.s {
	case "bearer":
		for name, t := range map[string]text{"auth.header": x.Header, "auth.encoding": x.Encoding, "auth.prefix": x.Prefix} {
			if t.s != "" {
				return wrong(name, t, "is of hmac-sha256 only; a bearer stands in Authorization")
			}
		}
	case "hmac-sha256":
		switch {
		case !headers.MatchString(x.Header.s):
			return wrong("auth.header", text{line: cmp.Or(x.Header.line, x.Kind.line)}, "%q is no header's name", x.Header.s)
		case x.Encoding.s != "hex" && x.Encoding.s != "base64":
			return wrong("auth.encoding", text{line: cmp.Or(x.Encoding.line, x.Kind.line)}, "%q is neither hex nor base64", x.Encoding.s)
		}
	default:
		return wrong("auth.kind", x.Kind, "%q is neither hmac-sha256 nor bearer", x.Kind.s)
	}
	return nil
}

// fold brings a code into the form in which the table has it.
func fold(code string) string { return strings.ToUpper(carriers.Clean(code, maxCode)) }
