// Package intake makes facts of what carriers' adapters read, and has them
// accepted: one way in for webhooks, files and answers to our own questions.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
)

// Bounds of an event's time: outside them a clock, a zone or a year is wrong.
var Earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Ahead is how far in the future an event may say it happened.
const Ahead = 48 * time.Hour

// Bounds of texts that are shown to people, in bytes.
const (
	MaxCode        = 64
	MaxLocation    = 200
	MaxDescription = 500
)

// Via is the way by which an event came in.
type Via string

const (
	Webhook Via = "webhook"
	File    Via = "file"
	Poll    Via = "poll"
)

// Store is what the intake needs of PostgreSQL.
type Store interface {
	// Accept makes facts durable; AcceptBody also the body that they stood in.
	Accept(ctx context.Context, facts []store.Fact) ([]store.Result, error)
	AcceptBody(ctx context.Context, raw store.RawBody, facts []store.Fact) ([]store.Result, error)
	MarkReplayed(ctx context.Context, r store.RawBody, at time.Time) error

	ReportFaults(ctx context.Context, fs []store.Fault, at time.Time) error
	Mappings(ctx context.Context, known int64) (version int64, list []store.Mapping, err error)
	SaveMapping(ctx context.Context, m store.Mapping, a store.Audit) (store.Mapping, store.Reread, error)
}

// Intake is the way in for what adapters read. One serves a whole process. Only
// Store is needed, but until Run has begun mappings are not known and faults wait.
type Intake struct {
	Store Store

	mappings atomic.Pointer[mappings]
	mu       sync.Mutex
	faults   map[string]*store.Fault // of unknown codes, since the last flush
}

// Counts says what became of the events of one delivery.
type Counts struct {
	Accepted  int `json:"accepted"`
	Duplicate int `json:"duplicate"`
	Orphan    int `json:"orphan"`
	Rejected  int `json:"rejected"` // no time or number that could be true
	Unmapped  int `json:"unmapped"` // taken in, but we do not know the code
}

// Answer has everything accepted that a carrier answered to our own question, as
// its adapter read it, or says why it could not. Most answers say again what was
// pushed, so a body is kept only when something in it was not taken or is in no
// table.
func (in *Intake) Answer(ctx context.Context, a carriers.Adapter, body []byte, events []carriers.Event, malformed error, now time.Time) (Counts, error) {
	raw := rawOf(a, Delivery{Via: Poll, ContentType: "", Body: body})
	facts, n := in.judge(a, &raw, events, malformed, now)
	var results []store.Result
	var err error
	if raw.Error != "" || n.Unmapped > 0 {
		results, err = in.Store.AcceptBody(ctx, raw, facts)
	} else {
		results, err = in.Store.Accept(ctx, facts)
	}
	return in.count(a, n, facts, results, err)
}

func rawOf(a carriers.Adapter, d Delivery) store.RawBody {
	sum := sha256.Sum256(d.Body)
	return store.RawBody{Source: Source(a.Name()), Via: string(d.Via), ContentType: carriers.Clean(d.ContentType, 100), Hash: sum[:], Body: d.Body}
}

// Delivery is what came in from a verified source, before anything read it.
type Delivery struct {
	Via         Via
	ContentType string
	Body        []byte
}

// Take reads a delivery and has its events accepted, together with its body: if
// our reading was wrong, or there was none, it can be read again. A body that
// cannot be read is kept before ErrMalformed is returned.
func (in *Intake) Take(ctx context.Context, a carriers.Adapter, d Delivery, now time.Time) (Counts, error) {
	raw := rawOf(a, d)
	events, malformed := parse(a, raw)
	facts, n := in.judge(a, &raw, events, malformed, now)
	results, err := in.Store.AcceptBody(ctx, raw, facts)
	if n, err = in.count(a, n, facts, results, err); err != nil {
		return n, err
	}
	return n, malformed
}

// Replay reads a kept body again, with the adapter as it now is. Events that
// were accepted before stay as they are: they are known by their IDs.
func (in *Intake) Replay(ctx context.Context, a carriers.Adapter, raw store.RawBody, now time.Time) (Counts, error) {
	events, malformed := parse(a, raw)
	facts, n := in.judge(a, &raw, events, malformed, raw.ReceivedAt)
	results, err := in.Store.Accept(ctx, facts)
	if n, err = in.count(a, n, facts, results, err); err != nil {
		return n, err
	}
	if err := in.Store.MarkReplayed(ctx, raw, now); err != nil {
		return n, err
	}
	return n, malformed
}

// parse reads a body as what it came in as.
func parse(a carriers.Adapter, raw store.RawBody) ([]carriers.Event, error) {
	switch Via(raw.Via) {
	case Poll:
		return a.ParseTrack(raw.Body)
	case File:
		r, ok := a.(carriers.FileReader)
		if !ok {
			return nil, carriers.Malformed("no files of %s are read", a.Name())
		}
		return r.ParseFile(raw.Body).Push()
	case Webhook:
	}
	return a.ParsePush(raw.Body)
}

// judge makes facts of what was read of a body, and notes in it what came of it.
func (in *Intake) judge(a carriers.Adapter, raw *store.RawBody, events []carriers.Event, malformed error, now time.Time) (facts []store.Fact, n Counts) {
	raw.Error = ""
	var why reasons
	if malformed == nil {
		facts, n, why = in.read(a, Via(raw.Via), events, now)
		raw.Error = why.String()
	} else {
		raw.Error = carriers.Clean(malformed.Error(), MaxDescription)
	}
	raw.Events, raw.Rejected, raw.Unmapped = len(events), n.Rejected, n.Unmapped
	return facts, n
}

// reasons count why events were not taken.
type reasons []struct {
	why string
	n   int
}

func (r *reasons) add(why string) {
	for i := range *r {
		if (*r)[i].why == why {
			(*r)[i].n++
			return
		}
	}
	*r = append(*r, struct {
		why string
		n   int
	}{why, 1})
}

func (r reasons) String() string {
	var parts []string
	for _, x := range r {
		parts = append(parts, fmt.Sprintf("%d not taken: %s", x.n, x.why))
	}
	return strings.Join(parts, "; ")
}

// untrue says why an event cannot be true; empty: it can.
func untrue(e *carriers.Event, now time.Time) string {
	switch {
	case e.Unread != "":
		return e.Unread
	case e.UTC.Before(Earliest):
		return "a time before " + Earliest.Format(time.DateOnly)
	case e.UTC.After(now.Add(Ahead)):
		return "a time in the future"
	case !carriers.IsNumber(e.Tracking) || e.Piece != "" && !carriers.IsNumber(e.Piece):
		return "a number that is none"
	}
	return ""
}

// read makes facts of what can be true.
func (in *Intake) read(a carriers.Adapter, via Via, events []carriers.Event, now time.Time) (facts []store.Fact, n Counts, why reasons) {
	facts = make([]store.Fact, 0, len(events))
	known := in.mappings.Load()
	for i := range events {
		e := &events[i]
		if reason := untrue(e, now); reason != "" {
			n.Rejected++
			why.add(reason)
			continue
		}
		f := Fact(a, via, *e)
		known.correct(a.Name(), &f)
		if f.Unmapped {
			n.Unmapped++
		}
		facts = append(facts, f)
	}
	return facts, n, why
}

// count adds what became of the facts, and remembers the unknown codes of those
// that are new.
func (in *Intake) count(a carriers.Adapter, n Counts, facts []store.Fact, results []store.Result, err error) (Counts, error) {
	if err != nil {
		return Counts{}, err
	}
	for i, r := range results {
		switch r {
		case store.Accepted:
			n.Accepted++
		case store.Duplicate:
			n.Duplicate++
			continue
		case store.Orphan:
			n.Orphan++
		}
		if facts[i].Unmapped {
			in.noteUnmapped(a.Name(), &facts[i])
		}
	}
	return n, nil
}

// File has everything accepted that can be read of a file, together with the file,
// and gives what cannot. Events that cannot be true are among that, counted.
func (in *Intake) File(ctx context.Context, r carriers.FileReader, contentType string, body []byte, now time.Time) (Counts, []carriers.Fault, error) {
	f := r.ParseFile(body)
	raw := rawOf(r, Delivery{Via: File, ContentType: contentType, Body: body})
	facts, n := in.judge(r, &raw, f.Events, nil, now)
	raw.Events, raw.Rejected = raw.Events+len(f.Faults), raw.Rejected+len(f.Faults)
	if len(f.Faults) > 0 {
		raw.Error = carriers.Clean(f.Faults[0].String(), MaxDescription)
	}
	results, err := in.Store.AcceptBody(ctx, raw, facts)
	if n, err = in.count(r, n, facts, results, err); err != nil {
		return Counts{}, nil, err
	}
	if n.Rejected > 0 {
		f.Faults = append(f.Faults, carriers.Fault{Where: "file", What: fmt.Sprintf("%d events have a time or a number that cannot be true", n.Rejected)})
	}
	return n, f.Faults, nil
}

// Source names a carrier's facts in the inbox, whichever way they came: what was
// pushed and asked for is the same fact.
func Source(carrier string) string { return "carrier:" + carrier }

// Fact is a carrier's event as the inbox keeps it. An aggregator speaks for many
// carriers, so the tracking number alone finds the parcel.
func Fact(a carriers.Adapter, via Via, e carriers.Event) store.Fact {
	f := store.Fact{
		Source: Source(a.Name()), EventID: eventID(e), Kind: store.KindCarrierEvent, Carrier: a.Name(), Tracking: e.Tracking,
		Piece: e.Piece, Pieces: e.Pieces, Whole: e.Whole, UniqueID: e.Unique, DeliveredTo: string(e.DeliveredTo),
		Milestone: string(e.Milestone), Code: codeOf(e.Table, e.Code), Bucket: e.Bucket, Physical: e.Physical, Correction: e.Correction,
		OccurredAt: e.UTC, LocalTime: e.Local, UTCOffset: e.Offset, TimeBasis: string(e.Basis), Location: carriers.Clean(e.Location, MaxLocation),
		Description: carriers.Clean(e.Description, MaxDescription), Actor: string(via), Unmapped: e.Unmapped,
	}
	f.Aside.Held = held(e.Proof)
	if a := e.Appointment; a != nil {
		f.Aside.Appointment = &store.Appointment{For: string(a.For), Earliest: a.Earliest, Latest: a.Latest}
	}
	f.Aside.PickupBy = e.PickupBy
	f.Signer = store.Signer{Name: e.Proof.SignedBy, Photo: e.Proof.Photo}
	if carriers.Can(a, carriers.Aggregates) {
		f.Carrier = ""
	}
	if !e.ETA.IsZero() {
		eta := e.ETA
		f.ETA = &eta
	}
	return f
}

// held names the proofs that there are: those that the carrier says it has, or
// those that it sent.
func held(p carriers.Proof) string {
	var sent []string
	if p.SignedBy != "" {
		sent = append(sent, "name")
	}
	if p.Photo != "" {
		sent = append(sent, "photo")
	}
	return carriers.First(p.Held, strings.Join(sent, ", "))
}

// eventID is the carrier's own event ID, or a fingerprint of what the event
// says. ETA and appointment are part of it: a new one is news though nothing
// happened. So is the piece, where its number is not the one that it was told
// under, and whether it was said of all.
func eventID(e carriers.Event) string {
	number := e.Tracking
	if e.Piece != "" && e.Piece != e.Tracking {
		number += " " + e.Piece
	}
	if e.Whole {
		number += " whole" // of one piece it was said before
	}
	if e.ID != "" && e.ETA.IsZero() && e.Appointment == nil && number == e.Tracking {
		return e.ID
	}
	eta := ""
	if !e.ETA.IsZero() {
		eta = e.ETA.UTC().Format(time.RFC3339)
	}
	parts := []string{e.ID, number, e.Table, e.Code, e.Local, e.UTC.Format(time.RFC3339Nano), e.Location, eta}
	if a := e.Appointment; a != nil {
		parts = append(parts, string(a.For), a.Earliest.Format(time.RFC3339), a.Latest.Format(time.RFC3339))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "fp:" + hex.EncodeToString(sum[:])
}
