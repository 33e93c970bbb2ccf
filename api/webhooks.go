package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/store"
)

// webhookAnswer counts what became of a push. Carriers read the status only.
type webhookAnswer struct {
	Accepted  int `json:"accepted"`
	Duplicate int `json:"duplicate"`
	Orphan    int `json:"orphan"`
	Rejected  int `json:"rejected"`
	Unmapped  int `json:"unmapped"`
}

// postWebhook takes a carrier's own push: verified on raw bytes, then read,
// then durable, then acknowledged. A carrier without a secret has no webhook.
func (s *server) postWebhook(c echo.Context) error {
	select {
	case s.inFlight <- struct{}{}:
		defer func() { <-s.inFlight }()
	default:
		return unavailable(errors.New("too many requests in flight"))
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.limits.Timeout)
	defer cancel()
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(s.limits.Timeout))
	name := c.Param("carrier")
	secrets := s.webhookSecrets[name]
	adapter, err := all.Adapter(name)
	if err != nil || len(secrets) == 0 || !carriers.Can(adapter, carriers.CanParsePush) {
		return notFound("There is no webhook for this carrier.")
	}
	source := "carrier:" + name
	if c.Request().Header.Get(echo.HeaderContentEncoding) != "" {
		return wrongMedia("Compressed bodies are not accepted.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, s.limits.Batch))
	if err != nil {
		return err
	}
	now := s.now()
	if err := adapter.Verify(carriers.Push{Header: c.Request().Header, Body: body, ReceivedAt: now}, secrets); err != nil {
		s.metrics.fact(source, "unauthenticated", 1)
		return unauthenticated("This push is not the carrier's: " + err.Error() + ".")
	}
	events, err := adapter.ParsePush(body)
	if err != nil {
		s.metrics.fact(source, "malformed", 1)
		return invalid(fieldError{"", err.Error()})
	}
	var answer webhookAnswer
	facts := make([]store.Fact, 0, len(events))
	for _, e := range events {
		if e.UTC.Before(earliest) || e.UTC.After(now.Add(futureLimit)) || !trackingPattern.MatchString(e.Tracking) {
			answer.Rejected++
			continue
		}
		if e.Unmapped {
			answer.Unmapped++
		}
		facts = append(facts, pushedFact(adapter, e))
	}
	results, err := s.store.Accept(ctx, facts)
	if err != nil {
		return err
	}
	for _, r := range results {
		switch r {
		case store.Accepted:
			answer.Accepted++
		case store.Duplicate:
			answer.Duplicate++
		case store.Orphan:
			answer.Orphan++
		}
	}
	s.metrics.fact(source, string(store.Accepted), answer.Accepted)
	s.metrics.fact(source, string(store.Duplicate), answer.Duplicate)
	s.metrics.fact(source, string(store.Orphan), answer.Orphan)
	s.metrics.fact(source, rejected, answer.Rejected)
	s.metrics.fact(source, "unmapped", answer.Unmapped)
	return c.JSON(http.StatusOK, answer)
}

// pushedFact is a carrier's event as the inbox keeps it. An aggregator speaks
// for many carriers, so the tracking number alone finds the parcel.
func pushedFact(a carriers.Adapter, e carriers.Event) store.Fact {
	f := store.Fact{
		Source: "carrier:" + a.Name(), EventID: pushedID(e), Kind: store.KindCarrierEvent, Carrier: a.Name(), Tracking: e.Tracking,
		Milestone: string(e.Milestone), Code: clean(e.Table+" "+e.Code, maxCode), Bucket: e.Bucket, Physical: e.Physical, Correction: e.Correction,
		OccurredAt: e.UTC, LocalTime: e.Local, UTCOffset: e.Offset, TimeBasis: string(e.Basis), Location: clean(e.Location, maxLocation),
		Description: clean(e.Description, maxDescription), Actor: "webhook",
	}
	if slices.Contains(a.Capabilities(), carriers.Aggregates) {
		f.Carrier = ""
	}
	if !e.ETA.IsZero() {
		eta := e.ETA
		f.ETA = &eta
	}
	return f
}

// pushedID is the carrier's own event ID, or a fingerprint of what the event
// says. The ETA is part of it: a new estimate is news though nothing happened.
func pushedID(e carriers.Event) string {
	if e.ID != "" && e.ETA.IsZero() {
		return e.ID
	}
	eta := ""
	if !e.ETA.IsZero() {
		eta = e.ETA.UTC().Format(time.RFC3339)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{e.ID, e.Tracking, e.Table, e.Code, e.Local, e.UTC.Format(time.RFC3339Nano), e.Location, eta}, "\x00")))
	return "fp:" + hex.EncodeToString(sum[:])
}
