package api

import (
	"context"
	"errors"
	"io"
	"net/http"
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
		return notFound("There is no webhook for this carrier.")
	}
	source := intake.Source(name)
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
	n, err := s.intake.Events(ctx, adapter, intake.Webhook, events, now)
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
