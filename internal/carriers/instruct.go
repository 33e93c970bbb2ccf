package carriers

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/waybillhq/waybill/order"
)

// Task tells a carrier what to do with one parcel that it holds.
type Task struct {
	Question // one number
	Do       order.Resolution
	// Day of another attempt, 2006-01-02.
	Day string
	// Point is the carrier's own ID of a pickup point; empty: it chooses.
	Point string
	// To is where a redirected parcel goes; personal data.
	To Destination
}

// Destination is an address as people write it.
type Destination struct {
	Name, Street, City, PostalCode, Region, Country string
}

// Contact is whom a carrier asks about what it was told, and from where that came.
type Contact struct {
	Name, Phone string
	IP          string // of the client, where the carrier wants it
}

// Done is what a carrier said to a task: its own reference, or why it will not.
type Done struct {
	Reference string
	Declined  string // codes, never the carrier's words: they may repeat what it was told
}

// Evidence proves a delivery. All of it is personal data.
type Evidence struct {
	SignedBy  string
	Documents []Document
}

// Document is one paper or picture of a delivery.
type Document struct {
	Kind DocumentKind
	Type string // a media type of documentTypes, else application/octet-stream
	Body []byte
}

// DocumentKind is what a document shows.
type DocumentKind string

const (
	Signature DocumentKind = "signature"
	Photo     DocumentKind = "photo"
	Letter    DocumentKind = "document" // a letter or form that proves it
)

// Held names what there is, without showing it: name, signature, photo, document.
func (e Evidence) Held() string {
	var held []string
	if e.SignedBy != "" {
		held = append(held, "name")
	}
	for _, k := range []DocumentKind{Signature, Photo, Letter} {
		if slices.ContainsFunc(e.Documents, func(d Document) bool { return d.Kind == k }) {
			held = append(held, string(k))
		}
	}
	return strings.Join(held, ", ")
}

// Bounds of evidence.
const (
	maxDocuments = 8
	maxSignedBy  = 120
)

// Add takes in a document that stands in base64 in an answer; empty adds nothing.
func (e *Evidence) Add(kind DocumentKind, encoded string) error {
	if encoded == "" {
		return nil
	}
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil || len(body) == 0 {
		return Malformed("a %s that is not base64", kind)
	}
	if len(e.Documents) >= maxDocuments {
		return Malformed("more than %d documents", maxDocuments)
	}
	e.Documents = append(e.Documents, Document{kind, mediaType(body), body})
	return nil
}

// Signed takes in who signed, cleaned.
func (e *Evidence) Signed(name string) { e.SignedBy = Clean(name, maxSignedBy) }

// documentTypes are shown as what they are; anything else is bytes, so that
// nothing from outside is ever drawn by a browser.
var documentTypes = []string{"application/pdf", "image/png", "image/jpeg", "image/gif"}

func mediaType(body []byte) string {
	if t := http.DetectContentType(body); slices.Contains(documentTypes, t) {
		return t
	}
	return "application/octet-stream"
}

// Check refuses what no carrier is told: more or less than one number, what is
// none of its instructions, or what an instruction lacks.
func (t Task) Check(takes []order.Resolution) error {
	if err := t.Question.Check(1); err != nil {
		return err
	}
	switch {
	case !slices.Contains(takes, t.Do):
		return errors.New("this carrier cannot be told to " + Clean(string(t.Do), 40))
	case t.Do == order.Redeliver && t.Day == "":
		return errors.New("another attempt needs a day")
	case t.Do == order.Redirect && (t.To.Street == "" || t.To.City == "" || len(t.To.Country) != 2):
		return errors.New("the address has no street, city or country")
	}
	return nil
}
