// Package epcis reads GS1 EPCIS 2.0 events in JSON-LD, as far as they tell what a
// warehouse did with parcels. It is pure and total: a document becomes a list of
// items, each with what it tells or why it tells nothing. NOTES.md says where
// each fact comes from and what is not read.
//
// The way through: [Read] takes the events out of a document, reads each by
// itself, says which scan its business step is and finds its parcels, also those
// on a pallet that the same document packed. [Fold] finds the sightings that are
// one scan told many times, as RFID gates do.
package epcis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/order"
)

// Bounds of a document. What lies beyond is refused with a reason, never cut.
const (
	MaxEvents = 1000   // in a document
	MaxEPCs   = 1000   // in an event
	MaxReads  = 10_000 // parcels told by a document, once for each event

	maxID    = 160 // of an event
	maxPlace = 200
)

// The event types that are read.
const (
	Object      = "ObjectEvent"
	Aggregation = "AggregationEvent"
)

// otherTypes exist in EPCIS 2.0 and are answered by name.
var otherTypes = []string{"TransactionEvent", "TransformationEvent", "AssociationEvent"}

// EPC is the identity of one thing, alike for all ways to write it.
type EPC struct {
	Key  string // an SSCC's 18 digits; else the URN or link, in one form where it is known
	SSCC bool
}

// Event is what one event says.
type Event struct {
	// ID is the eventID, or "fp:" and a fingerprint of what the event says.
	ID     string
	Type   string
	Action string // ADD, OBSERVE or DELETE
	// Time is in UTC; Local is the wall clock where it happened, Offset that
	// place's distance to UTC, like -05:00.
	Time          time.Time
	Local, Offset string
	// Step and Disposition are words of the CBV, without their prefixes.
	Step, Disposition string
	EPCs              []EPC // epcList or childEPCs
	Parent            EPC
	Place             string // ID of the read point, else of the business location
	// Orders are the business transactions that may name an order: purchase
	// orders, and those without a type.
	Orders []string
	// Wrong: the event carries an error declaration, so what an event of the
	// same ID said is taken back.
	Wrong bool
}

// Item is an event of a document and what can be done with it.
type Item struct {
	Event
	Kind order.ScanKind
	// Parcels are the SSCCs that the scan is about. Empty: only an order can say.
	Parcels []string
	// Refusal says why the event is no scan; nil: it is one.
	Refusal *order.Refusal
}

// Unsupported says that the event is of a type that EPCIS has and this package
// does not read.
func (it *Item) Unsupported() bool { return slices.Contains(otherTypes, it.Type) }

func no(field, reason string) *order.Refusal { return &order.Refusal{Field: field, Reason: reason} }

// Read reads an EPCISDocument, an EPCISQueryDocument or a single event. The
// refusal is about the document as a whole.
func Read(body []byte) ([]Item, *order.Refusal) {
	raws, r := eventsOf(body)
	if r != nil {
		return nil, r
	}
	items := make([]Item, len(raws))
	wrong := map[string]bool{}
	for i, raw := range raws {
		it := &items[i]
		it.Event, it.Refusal = readEvent(raw)
		if it.Wrong {
			wrong[it.ID] = true
		}
	}
	for i := range items {
		if it := &items[i]; it.Refusal == nil && wrong[it.ID] {
			it.Refusal = no("eventID", "is declared wrong by another event of this document")
		}
	}
	p := packed(items)
	reads := 0
	for i := range items {
		it := &items[i]
		if it.Refusal != nil {
			continue
		}
		if it.Kind, it.Refusal = kindOf(&it.Event); it.Refusal != nil {
			continue
		}
		var ok bool
		if it.Parcels, ok = p.parcels(&it.Event); !ok {
			it.Refusal = no("", "comes after too many pallets on pallets: split the document")
			continue
		}
		if reads += max(1, len(it.Parcels)); reads > MaxReads {
			it.Refusal = no("", "comes after "+strconv.Itoa(MaxReads)+" parcels in one document: split it")
		}
	}
	return items, nil
}

// list is an array, or one value in place of an array of one, as JSON-LD allows.
type list []json.RawMessage

func (l *list) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte("[")) {
		return json.Unmarshal(b, (*[]json.RawMessage)(l))
	}
	*l = nil
	if !bytes.Equal(b, []byte("null")) {
		*l = list{slices.Clone(b)}
	}
	return nil
}

func eventsOf(body []byte) ([]json.RawMessage, *order.Refusal) {
	var doc struct {
		Type          string `json:"type"`
		SchemaVersion string `json:"schemaVersion"`
		Body          struct {
			EventList    list `json:"eventList"`
			QueryResults struct {
				ResultsBody struct {
					EventList list `json:"eventList"`
				} `json:"resultsBody"`
			} `json:"queryResults"`
		} `json:"epcisBody"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, unreadable(err)
	}
	if v := doc.SchemaVersion; v != "" && v != "2" && !strings.HasPrefix(v, "2.") {
		return nil, no("schemaVersion", "must be 2.0")
	}
	var events []json.RawMessage
	field := "epcisBody.eventList"
	switch kind := word(doc.Type); {
	case kind == "EPCISDocument":
		events = doc.Body.EventList
	case kind == "EPCISQueryDocument":
		events, field = doc.Body.QueryResults.ResultsBody.EventList, "epcisBody.queryResults.resultsBody.eventList"
	case kind == Object, kind == Aggregation, slices.Contains(otherTypes, kind):
		return []json.RawMessage{body}, nil
	default:
		return nil, no("type", "must be EPCISDocument, EPCISQueryDocument or the type of an event")
	}
	if n := len(events); n < 1 || n > MaxEvents {
		return nil, no(field, "must have 1 to "+strconv.Itoa(MaxEvents)+" events, not "+strconv.Itoa(n))
	}
	return events, nil
}

func unreadable(err error) *order.Refusal {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return no(kind.Field, "has another type than in EPCIS 2.0")
	}
	return no("", "is not JSON")
}

type wireID struct {
	ID string `json:"id"`
}

type wireEvent struct {
	Type         string   `json:"type"`
	EventID      *string  `json:"eventID"`
	EventTime    string   `json:"eventTime"`
	Offset       string   `json:"eventTimeZoneOffset"`
	Action       string   `json:"action"`
	EPCList      []string `json:"epcList"`
	ParentID     string   `json:"parentID"`
	ChildEPCs    []string `json:"childEPCs"`
	BizStep      string   `json:"bizStep"`
	Disposition  string   `json:"disposition"`
	ReadPoint    wireID   `json:"readPoint"`
	BizLocation  wireID   `json:"bizLocation"`
	Transactions []struct {
		Type string `json:"type"`
		ID   string `json:"bizTransaction"`
	} `json:"bizTransactionList"`
	ErrorDeclaration json.RawMessage `json:"errorDeclaration"`
}

// readEvent reads one event. Fields that it does not know are extensions, which
// EPCIS allows anywhere.
func readEvent(raw []byte) (Event, *order.Refusal) {
	var w wireEvent
	if !utf8.Valid(raw) {
		return Event{}, no("", "is not UTF-8")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return Event{}, no("", "must be an object")
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return Event{}, unreadable(err)
	}
	e := Event{Type: word(w.Type), Action: w.Action, Step: word(w.BizStep), Disposition: word(w.Disposition), Offset: w.Offset, Place: w.ReadPoint.ID}
	if e.Place == "" {
		e.Place = w.BizLocation.ID
	}
	if w.EventID != nil {
		// Without a scheme it would be some scanner's own count, and could be
		// taken for another event.
		if !plain(*w.EventID, maxID) || strings.Index(*w.EventID, ":") < 1 {
			return e, no("eventID", "must be a URI of at most "+strconv.Itoa(maxID)+" bytes that can be printed")
		}
		e.ID = *w.EventID
	}
	if len(w.ErrorDeclaration) > 0 && !bytes.Equal(w.ErrorDeclaration, []byte("null")) {
		e.Wrong = true
		return e, no("errorDeclaration", "cannot take back a scan that was taken in: it is noted for ops, and support corrects the milestone; corrective events are taken as events of their own")
	}
	epcs, field := w.EPCList, "epcList"
	switch {
	case e.Type == "":
		return e, no("type", "is needed")
	case slices.Contains(otherTypes, e.Type):
		return e, no("type", e.Type+" is not taken: only ObjectEvent and AggregationEvent are")
	case e.Type == Aggregation:
		epcs, field = w.ChildEPCs, "childEPCs"
	case e.Type != Object:
		return e, no("type", "is no event type of EPCIS 2.0")
	}
	switch {
	case e.Action != "ADD" && e.Action != "OBSERVE" && e.Action != "DELETE":
		return e, no("action", "must be ADD, OBSERVE or DELETE")
	case len(epcs) > MaxEPCs:
		return e, no(field, "must have at most "+strconv.Itoa(MaxEPCs)+" EPCs, not "+strconv.Itoa(len(epcs))+": split the event")
	case !plain(e.Place, maxPlace):
		return e, no("readPoint", "must be at most "+strconv.Itoa(maxPlace)+" bytes that can be printed")
	}
	if r := e.setTime(w.EventTime); r != nil {
		return e, r
	}
	for i, id := range epcs {
		epc, err := readEPC(id)
		if err != nil {
			return e, no(field+"["+strconv.Itoa(i)+"]", err.Error())
		}
		e.EPCs = append(e.EPCs, epc)
	}
	if e.Type == Aggregation && w.ParentID != "" {
		var err error
		if e.Parent, err = readEPC(w.ParentID); err != nil {
			return e, no("parentID", err.Error())
		}
	}
	for _, t := range w.Transactions {
		if kind := word(t.Type); kind == "" || kind == "po" {
			e.Orders = append(e.Orders, transaction(t.ID))
		}
	}
	if e.ID == "" {
		e.ID = e.fingerprint()
	}
	return e, nil
}

// readEPC refuses a broken SSCC. Any other identifier may be somebody's own, and
// is only compared.
func readEPC(id string) (EPC, error) {
	es, err := gs1.ReadEPC(id)
	if err != nil {
		if strings.HasPrefix(id, "urn:epc:id:sscc:") || strings.Contains(id, "/00/") {
			return EPC{}, err
		}
		if id == "" || !plain(id, 512) {
			return EPC{}, errors.New("must be 1 to 512 bytes that can be printed")
		}
		return EPC{Key: id}, nil
	}
	if sscc := gs1.SSCC(es); sscc != "" {
		return EPC{sscc, true}, nil
	}
	key := ""
	for _, e := range es {
		key += "(" + e.AI + ")" + e.Value
	}
	return EPC{Key: key}, nil
}

// The prefixes with which CBV 2.0 writes its words, beside the bare word.
var prefixes = []string{
	"urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-", "cbv:BizStep-",
	"urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-", "cbv:Disp-",
	"urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-", "cbv:BTT-",
	"https://ref.gs1.org/epcis/", "epcis:",
}

func word(s string) string {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest
		}
	}
	return s
}

// transaction is the number in urn:epcglobal:cbv:bt:<GLN>:<number>, or what was
// written instead.
func transaction(id string) string {
	rest, ok := strings.CutPrefix(id, "urn:epcglobal:cbv:bt:")
	if !ok {
		return id
	}
	_, number, _ := strings.Cut(rest, ":")
	if plain, err := url.PathUnescape(number); err == nil {
		return plain
	}
	return number
}

// plain says that s can be kept and shown as it is: short, on one line, and
// reading in one direction.
func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	})
}

const layout = "2006-01-02T15:04:05.999999999"

// setTime takes the moment from eventTime and the wall clock from
// eventTimeZoneOffset, which may differ: eventTime is often written in UTC.
func (e *Event) setTime(text string) *order.Refusal {
	if text == "" {
		return no("eventTime", "is needed")
	}
	if e.Offset == "" {
		return no("eventTimeZoneOffset", "is needed, like -05:00")
	}
	seconds, ok := offset(e.Offset)
	if !ok {
		return no("eventTimeZoneOffset", "must be an offset like -05:00, at most 14 hours")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	zone := text[max(0, len(text)-len("-05:00")):]
	if _, ok := offset(zone); err != nil || strings.Contains(text, ",") || len(text) > len("2026-11-21T08:15:00.123456789-05:00") || !ok && !strings.HasSuffix(text, "Z") {
		return no("eventTime", "must be a time with an offset, like 2026-11-21T08:15:00-05:00")
	}
	e.Time = t.UTC()
	e.Local = e.Time.In(time.FixedZone("", seconds)).Format(layout)
	return nil
}

// offset in seconds east of UTC. No place on earth is more than 14 hours away.
func offset(s string) (int, bool) {
	if len(s) != len("-05:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, err1 := strconv.ParseUint(s[1:3], 10, 8)
	minutes, err2 := strconv.ParseUint(s[4:], 10, 8)
	seconds := int(hours)*3600 + int(minutes)*60
	if err1 != nil || err2 != nil || minutes > 59 || seconds > 14*3600 {
		return 0, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// fingerprint of what the event says: told again, also in another order or with
// its time in another zone, it is the same event.
func (e *Event) fingerprint() string {
	keys := make([]string, len(e.EPCs))
	for i, epc := range e.EPCs {
		keys[i] = epc.Key
	}
	slices.Sort(keys)
	orders := slices.Sorted(slices.Values(e.Orders))
	h := sha256.New()
	part := func(ss ...string) {
		for _, s := range ss {
			h.Write([]byte(s))
			h.Write([]byte{0})
		}
		h.Write([]byte{1}) // the end of a list: what follows is another field
	}
	part(e.Type, e.Action, e.Time.Format(time.RFC3339Nano), e.Offset, e.Step, e.Disposition, e.Place, e.Parent.Key)
	part(keys...)
	part(orders...)
	return "fp:" + hex.EncodeToString(h.Sum(nil))
}
