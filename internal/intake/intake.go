// Package intake makes facts of what carriers' adapters read, and has them
// accepted: one way in for webhooks, files and answers to our own questions.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
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

// Store makes facts durable.
type Store interface {
	Accept(ctx context.Context, facts []store.Fact) ([]store.Result, error)
}

// Intake is the way in for what adapters read.
type Intake struct{ Store Store }

// Counts says what became of the events of one delivery.
type Counts struct {
	Accepted  int `json:"accepted"`
	Duplicate int `json:"duplicate"`
	Orphan    int `json:"orphan"`
	Rejected  int `json:"rejected"` // no time or number that could be true
	Unmapped  int `json:"unmapped"` // taken in, but we do not know the code
}

// Events has everything that can be true accepted, in one go. It returns after
// the commit.
func (in *Intake) Events(ctx context.Context, a carriers.Adapter, via Via, events []carriers.Event, now time.Time) (Counts, error) {
	var n Counts
	facts := make([]store.Fact, 0, len(events))
	for _, e := range events {
		if e.UTC.Before(Earliest) || e.UTC.After(now.Add(Ahead)) || !carriers.IsNumber(e.Tracking) {
			n.Rejected++
			continue
		}
		if e.Unmapped {
			n.Unmapped++
		}
		facts = append(facts, Fact(a, via, e))
	}
	results, err := in.Store.Accept(ctx, facts)
	if err != nil {
		return Counts{}, err
	}
	for _, r := range results {
		switch r {
		case store.Accepted:
			n.Accepted++
		case store.Duplicate:
			n.Duplicate++
		case store.Orphan:
			n.Orphan++
		}
	}
	return n, nil
}

// File has everything accepted that can be read of a file, and gives what cannot.
// Events that cannot be true are among that, counted.
func (in *Intake) File(ctx context.Context, r carriers.FileReader, body []byte, now time.Time) (Counts, []carriers.Fault, error) {
	f := r.ParseFile(body)
	n, err := in.Events(ctx, r, File, f.Events, now)
	if err != nil {
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
		Milestone: string(e.Milestone), Code: carriers.Clean(e.Table+" "+e.Code, MaxCode), Bucket: e.Bucket, Physical: e.Physical, Correction: e.Correction,
		OccurredAt: e.UTC, LocalTime: e.Local, UTCOffset: e.Offset, TimeBasis: string(e.Basis), Location: carriers.Clean(e.Location, MaxLocation),
		Description: carriers.Clean(e.Description, MaxDescription), Actor: string(via),
	}
	if e.Proof.Held != "" {
		f.Description = carriers.Clean(f.Description, MaxDescription-80) + " (proof at the carrier: " + e.Proof.Held + ")"
	}
	if carriers.Can(a, carriers.Aggregates) {
		f.Carrier = ""
	}
	if !e.ETA.IsZero() {
		eta := e.ETA
		f.ETA = &eta
	}
	return f
}

// eventID is the carrier's own event ID, or a fingerprint of what the event
// says. ETA and appointment are part of it: a new one is news though nothing
// happened.
func eventID(e carriers.Event) string {
	if e.ID != "" && e.ETA.IsZero() && e.Appointment == nil {
		return e.ID
	}
	eta := ""
	if !e.ETA.IsZero() {
		eta = e.ETA.UTC().Format(time.RFC3339)
	}
	parts := []string{e.ID, e.Tracking, e.Table, e.Code, e.Local, e.UTC.Format(time.RFC3339Nano), e.Location, eta}
	if a := e.Appointment; a != nil {
		parts = append(parts, string(a.For), a.Earliest.Format(time.RFC3339), a.Latest.Format(time.RFC3339))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "fp:" + hex.EncodeToString(sum[:])
}
