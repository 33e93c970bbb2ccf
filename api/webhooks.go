package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

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
	adapter, err := s.carriers.Find(name)
	if err != nil || len(secrets) == 0 || !carriers.Can(adapter, carriers.CanParsePush) {
		s.metrics.fact("unknown", "no_webhook", 1) // the name is anybody's
		return notFound("There is no webhook for this carrier.")
	}
	source := intake.Source(name)
	if c.Request().Header.Get(echo.HeaderContentEncoding) != "" {
		s.metrics.fact(source, "compressed", 1)
		return wrongMedia("Compressed bodies are not accepted.")
	}
	// Most bodies are small and say how long they are: one buffer holds them. A
	// length that is not true costs 64 kB at most.
	read := bytes.NewBuffer(make([]byte, 0, min(max(c.Request().ContentLength, 0), 64<<10)+bytes.MinRead))
	_, err = read.ReadFrom(http.MaxBytesReader(c.Response(), c.Request().Body, s.limits.Batch))
	body := read.Bytes()
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			s.metrics.fact(source, "too_large", 1)
			return err
		}
		s.metrics.fact(source, "broken_off", 1)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return malformed("The body broke off.")
	}
	now := s.now()
	if err := adapter.Verify(carriers.Push{Header: c.Request().Header, Body: body, ReceivedAt: now}, secrets); err != nil {
		s.metrics.fact(source, unverified(err), 1)
		return unauthenticated("This push is not the carrier's: " + err.Error() + ".")
	}
	n, err := s.intake.Take(ctx, adapter, intake.Delivery{Via: intake.Webhook, ContentType: c.Request().Header.Get(echo.HeaderContentType), Body: body}, now)
	if err == nil {
		err = s.confirmed(ctx, adapter, body)
	}
	return s.counted(c, source, n, err)
}

// confirmed sees to it that a subscription is, where the push asks for that.
func (s *server) confirmed(ctx context.Context, a carriers.Adapter, body []byte) error {
	asks, ok := a.(carriers.Confirmer)
	if !ok || s.confirm == nil {
		return nil
	}
	confirmation, ok := asks.Confirmation(body)
	if !ok {
		return nil
	}
	if err := s.confirm(ctx, a.Name(), confirmation); err != nil {
		return unavailable(err)
	}
	return nil
}

// counted answers what became of a body, and counts it.
func (s *server) counted(c echo.Context, source string, n intake.Counts, err error) error {
	if errors.Is(err, carriers.ErrMalformed) {
		s.metrics.fact(source, "malformed", 1)
		return invalid(fieldError{"", err.Error()})
	}
	if err != nil {
		return err
	}
	s.count(source, n)
	return c.JSON(http.StatusOK, n)
}

func (s *server) count(source string, n intake.Counts) {
	s.metrics.fact(source, string(store.Accepted), n.Accepted)
	s.metrics.fact(source, string(store.Duplicate), n.Duplicate)
	s.metrics.fact(source, string(store.Orphan), n.Orphan)
	s.metrics.fact(source, rejected, n.Rejected)
	s.metrics.fact(source, "unmapped", n.Unmapped)
}

// unverified is the reason as it is counted.
func unverified(err error) string {
	switch {
	case errors.Is(err, carriers.ErrNotSigned):
		return "unsigned"
	case errors.Is(err, carriers.ErrReplayed):
		return "replayed"
	}
	return "wrongly_signed"
}
