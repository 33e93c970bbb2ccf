package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/messaging/twilio"
)

// callback is the way in of what message providers post. Raw bytes are bounded,
// verified, and only then read; the answer goes out when it is durable. A provider
// without a secret has no callback.
func (s *server) callback(provider string, limit int64, take func(ctx context.Context, m *dispatch.Callbacks, r *http.Request, body []byte) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		select {
		case s.inFlight <- struct{}{}:
			defer func() { <-s.inFlight }()
		default:
			return unavailable(errors.New("too many requests in flight"))
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.limits.Timeout)
		defer cancel()
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(s.limits.Timeout))
		if s.messages == nil {
			return notFound("There is no callback for " + provider + ".")
		}
		if c.Request().Header.Get(echo.HeaderContentEncoding) != "" {
			return wrongMedia("Compressed bodies are not accepted.")
		}
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, limit))
		if err != nil {
			if errors.As(err, new(*http.MaxBytesError)) || errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			return malformed("The body broke off.")
		}
		err = take(ctx, s.messages, c.Request(), body)
		switch {
		case err == nil:
		case errors.Is(err, messaging.ErrNoSecret):
			return notFound("There is no callback for " + provider + ".")
		case errors.Is(err, messaging.ErrNotSigned), errors.Is(err, messaging.ErrBadSignature), errors.Is(err, messaging.ErrReplayed):
			return unauthenticated("This is not " + provider + "'s: " + err.Error() + ".")
		case errors.Is(err, messaging.ErrMalformed):
			return malformed("Not what " + provider + " sends.")
		default:
			// The provider tries again.
			return unavailable(err)
		}
		return c.NoContent(http.StatusNoContent)
	}
}

func (s *server) postTwilioStatus(c echo.Context) error {
	return s.callback("Twilio", twilio.MaxCallback, func(ctx context.Context, m *dispatch.Callbacks, r *http.Request, body []byte) error {
		n, err := m.TwilioStatus(ctx, r.URL.RawQuery, body, r.Header.Get(twilio.SignatureHeader))
		s.metrics.messageEvents(dispatch.Twilio, n)
		return err
	})(c)
}

// postTwilioInbound answers with nothing: Twilio itself answers STOP, START and HELP,
// and whatever stood here would go to the buyer.
func (s *server) postTwilioInbound(c echo.Context) error {
	return s.callback("Twilio", twilio.MaxCallback, func(ctx context.Context, m *dispatch.Callbacks, r *http.Request, body []byte) error {
		return m.TwilioInbound(ctx, r.URL.RawQuery, body, r.Header.Get(twilio.SignatureHeader))
	})(c)
}

func (s *server) postSendGridEvents(c echo.Context) error {
	return s.callback("SendGrid", sendgrid.MaxWebhook, func(ctx context.Context, m *dispatch.Callbacks, r *http.Request, body []byte) error {
		n, err := m.SendGridEvents(ctx, body, r.Header.Get(sendgrid.SignatureHeader), r.Header.Get(sendgrid.TimestampHeader))
		s.metrics.messageEvents(dispatch.SendGrid, n)
		return err
	})(c)
}
