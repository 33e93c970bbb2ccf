package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Bounds of a fact. What is shown to people is cut; what is an identity is
// refused, because a part of it would be another identity.
const (
	maxItems       = 1000
	maxID          = 200
	maxCode        = intake.MaxCode
	maxLocation    = intake.MaxLocation
	maxDescription = intake.MaxDescription
	maxStation     = 60
)

// The patterns of the contract. Matching is done by hand, which is cheaper; a test
// holds the two together.
var (
	orderIDPattern = pattern{`^[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, func(s string) bool {
		storeID, number, ok := strings.Cut(s, ":")
		return ok && word(storeID, 32, "a0", "a0-") && word(number, 64, "aA0", "aA0._-")
	}}
	parcelPattern   = pattern{`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`, func(s string) bool { return word(s, 40, "aA0", "aA0._-") }}
	carrierPattern  = pattern{`^[a-z0-9][a-z0-9_-]{0,31}$`, func(s string) bool { return word(s, 32, "a0", "a0_-") }}
	trackingPattern = pattern{`^[A-Z0-9][A-Z0-9-]{3,39}$`, carriers.IsNumber}
	bucketPattern   = pattern{`^[a-z][a-z0-9_]{0,39}$`, func(s string) bool { return word(s, 40, "a", "a0_") }}
)

type pattern struct {
	expression  string
	MatchString func(string) bool
}

func (p pattern) String() string { return p.expression }

type scanItem struct {
	ID         *string `json:"id"`
	Kind       string  `json:"kind"`
	Order      string  `json:"order"`
	Parcel     string  `json:"parcel"`
	Carrier    string  `json:"carrier"`
	Tracking   string  `json:"tracking"`
	Barcode    string  `json:"barcode"`
	OccurredAt string  `json:"occurred_at"`
	Location   string  `json:"location"`
	Station    string  `json:"station"`
}

// decodeScan reads one scan, told with a key that is bound to a store, or to none. It
// is pure: the same bytes at the same moment give the same fact.
func decodeScan(raw json.RawMessage, bound string, now time.Time) (store.Fact, *order.Refusal) {
	var it scanItem
	if r := decodeItem(raw, &it); r != nil {
		return store.Fact{}, r
	}
	f := store.Fact{
		Source: "warehouse", Kind: store.KindScan, Milestone: it.Kind, RefOrder: it.Order, RefParcel: it.Parcel, Carrier: it.Carrier,
		Tracking: tracking(it.Tracking), Location: clean(it.Location, maxLocation), Actor: clean(it.Station, maxStation),
	}
	number, unique := "tracking", false
	if it.Barcode != "" {
		if it.Tracking != "" {
			return f, no("barcode", "stands in place of tracking: send one of them")
		}
		read, err := gs1.ReadParcel(it.Barcode)
		if err != nil {
			return f, no("barcode", err.Error())
		}
		number, unique = "barcode", read.SSCC
		f.Tracking = tracking(asPrinted(read, it.Carrier))
	}
	switch {
	case !slices.Contains(order.ScanKinds, order.ScanKind(it.Kind)):
		return f, no("kind", "must be one of "+words(order.ScanKinds))
	case it.Order != "" && !orderIDPattern.MatchString(it.Order):
		return f, no("order", "must be store:number")
	case it.Parcel != "" && !parcelPattern.MatchString(it.Parcel):
		return f, no("parcel", "must be 1 to 40 of letters, digits and . _ -")
	case it.Parcel != "" && it.Order == "":
		return f, no("order", "is needed with a parcel")
	case it.Carrier != "" && !carrierPattern.MatchString(it.Carrier):
		return f, no("carrier", "must be a carrier code like ups")
	case f.Tracking != "" && !trackingPattern.MatchString(f.Tracking):
		return f, no(number, "must be 4 to 40 letters, digits and -")
	case f.Tracking != "" && it.Carrier == "" && !unique:
		return f, no("carrier", "is needed with a tracking number")
	case it.Order == "" && f.Tracking == "":
		return f, no("order", "is needed, or carrier and tracking, or an SSCC as barcode")
	}
	switch storeID, _, _ := strings.Cut(it.Order, ":"); {
	case it.Order == "":
		f.OnlyStore = bound
	case bound != "" && storeID != bound:
		return f, no("order", "belongs to another store than the key")
	case it.Parcel == "":
		f.RefParcel = "1"
	}
	if r := setTime(&f, it.OccurredAt, now); r != nil {
		return f, r
	}
	return f, setID(&f, it.ID, f.Milestone)
}

// asPrinted is the number by which a carrier knows what a barcode names. DHL's
// parcel numbers are SSCCs with their application identifier in front; others
// leave it away.
func asPrinted(p gs1.Parcel, carrier string) string {
	if p.SSCC && carrier == "dhl" {
		return "00" + p.Number
	}
	return p.Number
}

type carrierItem struct {
	ID          *string `json:"id"`
	Tracking    string  `json:"tracking"`
	Milestone   string  `json:"milestone"`
	Physical    *bool   `json:"physical"`
	Code        string  `json:"code"`
	Bucket      string  `json:"bucket"`
	Description string  `json:"description"`
	Location    string  `json:"location"`
	OccurredAt  string  `json:"occurred_at"`
	ETA         string  `json:"eta"`
	Correction  bool    `json:"correction"`
}

// decodeCarrierEvent reads one event of a carrier; like decodeScan it is pure.
// The carrier comes from the path.
func decodeCarrierEvent(carrier string, raw json.RawMessage, now time.Time) (store.Fact, *order.Refusal) {
	var it carrierItem
	if r := decodeItem(raw, &it); r != nil {
		return store.Fact{}, r
	}
	f := store.Fact{
		Source: "carrier:" + carrier, Kind: store.KindCarrierEvent, Carrier: carrier, Tracking: tracking(it.Tracking), Milestone: it.Milestone,
		Code: it.Code, Bucket: it.Bucket, Correction: it.Correction, Physical: physical(order.Milestone(it.Milestone)),
		Location: clean(it.Location, maxLocation), Description: clean(it.Description, maxDescription),
	}
	if it.Physical != nil {
		f.Physical = *it.Physical
	}
	switch {
	case f.Tracking == "":
		return f, no("tracking", "is needed")
	case !trackingPattern.MatchString(f.Tracking):
		return f, no("tracking", "must be 4 to 40 letters, digits and -")
	case it.Milestone != "" && !order.Milestone(it.Milestone).Known():
		return f, no("milestone", "is not one of ours; send the carrier's code and leave it out")
	case len(it.Code) > maxCode || !printable(it.Code):
		return f, no("code", "must be at most "+strconv.Itoa(maxCode)+" bytes that can be printed")
	case it.Bucket != "" && !bucketPattern.MatchString(it.Bucket):
		return f, no("bucket", "must be a word like recipient_unavailable")
	}
	if r := setTime(&f, it.OccurredAt, now); r != nil {
		return f, r
	}
	if it.ETA != "" {
		eta, err := parseTime(it.ETA)
		switch {
		case err != nil:
			return f, no("eta", err.Error())
		case eta.Before(intake.Earliest) || eta.After(now.AddDate(2, 0, 0)):
			return f, no("eta", "must lie after 2000 and within 2 years")
		}
		f.ETA = utc(&eta)
	}
	if f.Milestone == "" && f.Code == "" && f.ETA == nil && f.Description == "" {
		return f, no("milestone", "is needed, or a code, an eta or a description")
	}
	what := f.Code
	if what == "" {
		what = f.Milestone
	}
	if what == "" { // nothing but words and an ETA: they are what it says
		what = f.Description
		if f.ETA != nil {
			what += f.ETA.Format(time.RFC3339Nano)
		}
	}
	return f, setID(&f, it.ID, what)
}

// physical milestones cannot be told by paper: somebody held the parcel.
func physical(m order.Milestone) bool {
	return m.Stage() > order.Preparing && m != order.Lost && m != order.Destroyed
}

func decodeItem[T any, P interface {
	*T
	fields
}](raw json.RawMessage, into P) *order.Refusal {
	if !utf8.Valid(raw) {
		return no("", "is not UTF-8")
	}
	if readPlain(raw, into) {
		return nil
	}
	*into = *new(T)
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return no("", "must be an object")
	}
	return strict(raw, into)
}

func no(field, reason string) *order.Refusal { return &order.Refusal{Field: field, Reason: reason} }

func words[T ~string](list []T) string {
	ss := make([]string, len(list))
	for i, w := range list {
		ss[i] = string(w)
	}
	return strings.Join(ss, ", ")
}

// tracking numbers are printed in groups and typed in any case.
func tracking(s string) string {
	if len(s) > 200 {
		return s // refused by its pattern
	}
	return carriers.Whole(strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, s)))
}

// setTime keeps the moment and the wall clock that it was told by.
func setTime(f *store.Fact, text string, now time.Time) *order.Refusal {
	if text == "" {
		return no("occurred_at", "is needed")
	}
	t, err := parseTime(text)
	if err != nil {
		return no("occurred_at", err.Error())
	}
	if r := believable("occurred_at", t, now); r != nil {
		return r
	}
	zone := strings.LastIndexAny(text, "Z+-")
	f.LocalTime, f.UTCOffset, f.TimeBasis = text[:zone], text[zone:], "offset"
	if f.UTCOffset == "Z" {
		f.UTCOffset = "+00:00"
	}
	f.OccurredAt = *utc(&t)
	return nil
}

func believable(field string, t, now time.Time) *order.Refusal {
	switch {
	case t.Before(intake.Earliest):
		return no(field, "must not lie before 2000")
	case t.After(now.Add(intake.Ahead)):
		return no(field, "lies more than 48 hours ahead")
	}
	return nil
}

// setID takes the source's own ID, or else a fingerprint of what makes two
// tellings the same event. Texts for people are not in it: carriers reword them.
func setID(f *store.Fact, given *string, what string) *order.Refusal {
	if given != nil {
		if *given == "" || len(*given) > maxID || !printable(*given) {
			return no("id", "must be 1 to "+strconv.Itoa(maxID)+" bytes that can be printed")
		}
		f.EventID = *given
		if f.Kind == store.KindScan {
			f.EventID = ourScanID(*given, storeOf(f))
		}
		return nil
	}
	h := sha256.New()
	for _, part := range []string{f.Carrier, f.Tracking, cmp.Or(f.RefOrder, f.OnlyStore), f.RefParcel, what, f.LocalTime, f.Location} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // cannot be in a part
	}
	f.EventID = "fp:" + hex.EncodeToString(h.Sum(nil))
	return nil
}

// ourScanID: all warehouses share one source, and their scanners number as they
// like. Without the store, scan 1 of one shop would be a repeat of scan 1 of
// another, and be lost.
func ourScanID(id, storeID string) string { return storeID + "/" + id }

// storeOf is the store that a fact's teller named or is bound to; empty: any.
func storeOf(f *store.Fact) string {
	storeID, _, _ := strings.Cut(f.RefOrder, ":")
	return cmp.Or(storeID, f.OnlyStore)
}

// theirScanID is the ID as the warehouse sent it.
func theirScanID(id, source, storeID string) string {
	if source != "warehouse" || strings.HasPrefix(id, "fp:") {
		return id
	}
	if own, ok := strings.CutPrefix(id, storeID+"/"); ok {
		return own
	}
	return strings.TrimPrefix(id, "/") // told by tracking number
}

const rejected = "rejected"

type factResult struct {
	Index  int    `json:"index"`
	ID     string `json:"id"`
	Result string `json:"result"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason,omitempty"`
}

type factResults struct {
	Results   []factResult `json:"results"`
	Accepted  int          `json:"accepted"`
	Duplicate int          `json:"duplicate"`
	Orphan    int          `json:"orphan"`
	Rejected  int          `json:"rejected"`
}

func (s *server) postScans(c echo.Context) error {
	items, err := envelope(c, "scans")
	if err != nil {
		return err
	}
	who := callerOf(c)
	now := s.now()
	return s.tell(c, "warehouse", items, func(raw json.RawMessage) (store.Fact, *order.Refusal) {
		f, r := decodeScan(raw, who.key.Store, now)
		if r != nil {
			return f, r
		}
		f.Actor = strings.TrimSuffix(who.actor()+"/"+f.Actor, "/")
		return f, nil
	})
}

func (s *server) postCarrierEvents(c echo.Context) error {
	who := callerOf(c)
	if who.key.Store != "" {
		return forbidden("This key is bound to the store " + who.key.Store + ", and the store of a tracking number is not known here.")
	}
	carrier, err := param(c, "carrier")
	if err != nil {
		return err
	}
	items, err := envelope(c, "events")
	if err != nil {
		return err
	}
	now := s.now()
	return s.tell(c, "carrier:"+carrier, items, func(raw json.RawMessage) (store.Fact, *order.Refusal) {
		f, r := decodeCarrierEvent(carrier, raw, now)
		f.Actor = who.actor()
		return f, r
	})
}

// envelope takes the items out of the body without looking into them. That the
// body is JSON has been seen.
func envelope(c echo.Context, name string) ([]json.RawMessage, error) {
	body, _ := c.Get(bodyKey).([]byte)
	if start := space(body, 0); start == len(body) || body[start] != '{' {
		return nil, invalid(fieldError{"", "must be an object with " + name})
	}
	var list, stranger []byte
	members(body, func(written, value []byte) {
		if named(written, name) {
			list = value
		} else {
			stranger = written
		}
	})
	switch {
	case stranger != nil:
		var field string
		_ = json.Unmarshal(stranger, &field)
		return nil, invalid(fieldError{clean(field, 100), "is not a field of this request"})
	case list == nil:
		return nil, invalid(fieldError{name, "is needed"})
	case list[0] != '[':
		return nil, invalid(fieldError{name, "must be a list"})
	}
	items := make([]json.RawMessage, 0, min(len(list)/128+1, maxItems)) // an item is seldom shorter
	n := 0
	members(list, func(_, value []byte) {
		if n++; n <= maxItems {
			items = append(items, value)
		}
	})
	if n < 1 || n > maxItems {
		return nil, invalid(fieldError{name, "must have 1 to 1000 items, not " + strconv.Itoa(n)})
	}
	return items, nil
}

// tell decodes items one by one, stores those that can be read in one go, and
// answers each. It answers only after the commit: what is called accepted is
// durable.
func (s *server) tell(c echo.Context, source string, items []json.RawMessage, read func(json.RawMessage) (store.Fact, *order.Refusal)) error {
	answer := factResults{Results: make([]factResult, len(items))}
	facts := make([]store.Fact, 0, len(items))
	at := make([]int, 0, len(items)) // index of each fact
	for i, raw := range items {
		f, r := read(raw)
		answer.Results[i] = factResult{Index: i, ID: theirID(raw, f)}
		if r != nil {
			answer.Results[i].Result, answer.Results[i].Field, answer.Results[i].Reason = rejected, r.Field, r.Reason
			answer.Rejected++
			continue
		}
		facts, at = append(facts, f), append(at, i)
	}
	if len(facts) > 0 {
		results, err := s.store.Accept(c.Request().Context(), facts)
		if err != nil {
			return err
		}
		for n, r := range results {
			answer.Results[at[n]].Result = string(r)
			switch r {
			case store.Accepted:
				answer.Accepted++
			case store.Duplicate:
				answer.Duplicate++
			case store.Orphan:
				answer.Orphan++
			}
		}
	}
	s.metrics.fact(source, string(store.Accepted), answer.Accepted)
	s.metrics.fact(source, string(store.Duplicate), answer.Duplicate)
	s.metrics.fact(source, string(store.Orphan), answer.Orphan)
	s.metrics.fact(source, rejected, answer.Rejected)
	return c.JSONBlob(http.StatusOK, answer.appendTo(make([]byte, 0, 100+80*len(items))))
}

// appendTo writes the answer as encoding/json does, which takes several times as
// long over the long list of results.
func (a *factResults) appendTo(b []byte) []byte {
	b = append(b, `{"results":[`...)
	for i := range a.Results {
		r := &a.Results[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, `{"index":`...), int64(r.Index), 10), `,"id":`...)
		b = append(appendString(b, r.ID), `,"result":`...)
		b = appendString(b, r.Result)
		if r.Field != "" {
			b = appendString(append(b, `,"field":`...), r.Field)
		}
		if r.Reason != "" {
			b = appendString(append(b, `,"reason":`...), r.Reason)
		}
		b = append(b, '}')
	}
	b = strconv.AppendInt(append(b, `],"accepted":`...), int64(a.Accepted), 10)
	b = strconv.AppendInt(append(b, `,"duplicate":`...), int64(a.Duplicate), 10)
	b = strconv.AppendInt(append(b, `,"orphan":`...), int64(a.Orphan), 10)
	b = strconv.AppendInt(append(b, `,"rejected":`...), int64(a.Rejected), 10)
	return append(b, '}', '\n')
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string can always be marshalled
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// theirID is the item's own ID as the client knows it, also when the item was
// rejected, so that the answer can be matched.
func theirID(raw json.RawMessage, f store.Fact) string {
	if f.EventID != "" {
		return theirScanID(f.EventID, f.Source, storeOf(&f))
	}
	var it struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &it) // as far as it can be read
	return clean(it.ID, maxID)
}
