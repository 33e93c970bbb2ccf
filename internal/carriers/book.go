package carriers

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Job is what a carrier is to make for a return: a label from the buyer to the
// returns address, or a pickup at the buyer's. All of it is personal data.
type Job struct {
	Question // without numbers
	Kind     order.BookingKind
	// Reference is ours for it: unique, up to 24 letters and digits.
	Reference string
	From, To  Party
	// Weight in grams; sides in millimetres, all or none.
	Weight                int
	Length, Width, Height int
	// Now is the time, and Earliest and Latest bound a pickup, all on the clock of From.
	Now, Earliest, Latest time.Time
	// Tracking and Label are the number and the carrier's own name of the label that
	// a pickup is for; empty: the carrier made none. Of what is to be voided Label is
	// the carrier's own name.
	Tracking, Label string
}

// Party is one end of a parcel's way.
type Party struct {
	Destination
	Phone string
}

// Turn is what comes next in making something: a request, or what came of it.
type Turn struct {
	Request *http.Request // nil: it is over
	// Makes: this request makes it. It is sent once, and Handle is the carrier's own
	// name of what it completes, if it has one before.
	Makes  bool
	Handle string
	// Made is what came of it; beside a Request, what stands if that fails.
	Made Made
}

// Made is what a carrier made.
type Made struct {
	// Carrier that moves the parcel, in our words; empty: the one that was asked.
	Carrier             string
	Tracking, Reference string
	Amount              int64 // minor units of Currency
	Currency            string
	Label               Label
}

// Answered reads what a carrier says that makes a label, or a pickup, by one request.
func (j Job) Answered(body []byte, label, pickup func([]byte) (Made, error)) (t Turn, err error) {
	read := label
	if j.Kind == order.BookPickup {
		read = pickup
	}
	t.Made, err = read(body)
	return t, err
}

// Found says that there is something.
func (m Made) Found() bool { return m.Tracking != "" || m.Reference != "" }

// Label is a document to print.
type Label struct {
	Type string // a media type of labelTypes
	Body []byte
}

// labelTypes are the labels that are kept. What is none of them is not a label.
var labelTypes = []string{"application/pdf", "image/png", "image/gif"}

// zpl is the language of label printers.
const zpl = "application/zpl"

// ReadLabel takes a label for what its first bytes say that it is; ok is false for
// anything else.
func ReadLabel(body []byte) (l Label, ok bool) {
	l = Label{http.DetectContentType(body), body}
	if t := bytes.TrimSpace(body[:min(len(body), 64)]); bytes.HasPrefix(t, []byte("^XA")) {
		l.Type = zpl
	}
	if l.Type == zpl || slices.Contains(labelTypes, l.Type) {
		return l, true
	}
	return Label{}, false
}

// DecodeLabel is ReadLabel of what stands in base64 in an answer.
func DecodeLabel(encoded string) (Label, bool) {
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return Label{}, false
	}
	return ReadLabel(body)
}

// Check refuses what no carrier is asked to make. The error names fields, never
// what stands in them.
func (j Job) Check(kinds []order.BookingKind) error {
	if !slices.Contains(kinds, j.Kind) {
		return errors.New("this carrier cannot be asked for a " + Clean(string(j.Kind), 40))
	}
	for _, p := range []struct {
		what string
		of   Party
	}{{"buyer's", j.From}, {"returns", j.To}} {
		if p.of.Name == "" || p.of.Street == "" || p.of.City == "" || len(p.of.Country) != 2 {
			return errors.New("the " + p.what + " address has no name, street, city or country")
		}
	}
	switch {
	case j.Weight <= 0:
		return errors.New("nobody knows what it weighs")
	case j.Reference == "" || len(j.Reference) > 24:
		return errors.New("a reference of 1 to 24 letters and digits is needed")
	case !borderless(j.From.Country, j.To.Country):
		return errors.New("it crosses a border: customs papers are not made from here")
	case j.Kind == order.BookPickup && (!j.Latest.After(j.Earliest) || j.Earliest.Format(time.DateOnly) != j.Latest.Format(time.DateOnly)):
		return errors.New("a pickup begins and ends on one day, by the clock of the place")
	}
	return nil
}

// CheckVoid says what no carrier can be asked to take back. Label is its own name for
// it, whatever it is.
func (j Job) CheckVoid(kinds []order.BookingKind) error {
	switch {
	case !slices.Contains(kinds, j.Kind):
		return errors.New("a " + string(j.Kind) + " is not voided from here")
	case j.Label == "" || len(j.Label) > 100 || strings.ContainsFunc(j.Label, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the carrier's own name for it is not known")
	}
	return nil
}

// union are the countries of the European Union. Their parts that lie outside its
// customs territory are not told apart.
const union = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK "

// borderless says whether goods go from one country to another without customs.
func borderless(from, to string) bool {
	inside := func(c string) bool { return strings.Contains(union, " "+c+" ") }
	return from == to || inside(from) && inside(to)
}

// American says whether carriers weigh in pounds and measure in inches there.
func American(country string) bool { return country == "US" || country == "PR" }

// Kilograms and pounds of the job, and centimetres and inches of its sides, as
// carriers write them.
func (j Job) Kilograms() float64 { return float64(j.Weight) / 1000 }
func (j Job) Pounds() float64    { return float64(j.Weight) / 453.59237 }
func (j Job) Centimetres() (length, width, height float64, known bool) {
	return j.sides(10)
}
func (j Job) Inches() (length, width, height float64, known bool) {
	return j.sides(25.4)
}

func (j Job) sides(per float64) (length, width, height float64, known bool) {
	return float64(j.Length) / per, float64(j.Width) / per, float64(j.Height) / per, j.Length > 0 && j.Width > 0 && j.Height > 0
}

// AddressLines breaks a street at its spaces into at most n lines of at most width
// bytes; ok is false where it does not fit.
func AddressLines(street string, n, width int) (lines []string, ok bool) {
	for _, w := range strings.Fields(street) {
		last := len(lines) - 1
		switch {
		case len(w) > width:
			return nil, false
		case last >= 0 && len(lines[last])+1+len(w) <= width:
			lines[last] += " " + w
		default:
			lines = append(lines, w)
		}
	}
	return lines, len(lines) > 0 && len(lines) <= n
}

// Minor reads an amount like 12.34 in the minor unit of its currency; ok is false
// for what is none.
func Minor(amount, currency string) (minor int64, ok bool) {
	digits := order.Decimals(currency)
	whole, part, _ := strings.Cut(strings.TrimSpace(amount), ".")
	part = strings.TrimRight(part, "0")
	if len(currency) != 3 || len(part) > digits || len(whole) > 12 || whole == "" {
		return 0, false
	}
	minor, err := strconv.ParseInt(whole+part+strings.Repeat("0", digits-len(part)), 10, 64)
	return minor, err == nil && minor >= 0
}

// Several reads a list that some carriers send as a single object when it has one
// member.
type Several[T any] []T

func (s *Several[T]) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		var list []T
		err := Decode(b, &list)
		*s = list
		return err
	}
	var one T
	if err := Decode(b, &one); err != nil {
		return err
	}
	*s = Several[T]{one}
	return nil
}
