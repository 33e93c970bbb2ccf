package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

const idempotencyHeader = "Idempotency-Key"

// idempotently answers a request with an Idempotency-Key once: later calls get
// the same answer again. Only what was granted is kept. A refusal changed
// nothing, so asking again may be answered anew.
func (s *server) idempotently(c echo.Context, do func() (status int, answer any, err error)) error {
	key := c.Request().Header.Get(idempotencyHeader)
	ctx, actor := c.Request().Context(), callerOf(c).actor()
	if key != "" {
		status, response, err := s.store.BeginIdempotent(ctx, actor, key, requestHash(c))
		if errors.Is(err, store.ErrConflict) {
			return invalid(fieldError{idempotencyHeader, "was used for another request"})
		}
		if err != nil {
			return err
		}
		if status > 0 {
			c.Response().Header().Set("Idempotent-Replayed", "true")
			return c.Blob(status, echo.MIMEApplicationJSON, response)
		}
	}
	status, answer, err := do()
	if err != nil {
		return err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if key != "" {
		// The act is done: whether the client still waits does not matter.
		ctx, cancel := afterwards(ctx)
		defer cancel()
		if err := s.store.EndIdempotent(ctx, actor, key, status, body); err != nil {
			s.log.Warn("idempotency key not kept", "request_id", requestID(c), "error", err)
		}
	}
	return c.Blob(status, echo.MIMEApplicationJSON, body)
}

// requestHash tells requests apart by method, path and meaning of the body;
// white space and the order of fields do not count.
func requestHash(c echo.Context) []byte {
	h := sha256.New()
	h.Write([]byte(c.Request().Method + "\n" + c.Request().URL.Path + "\n"))
	body, _ := c.Get(bodyKey).([]byte)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		body, _ = json.Marshal(v) // sorts the fields
	}
	h.Write(body)
	return h.Sum(nil)
}

// afterwards is for what must be written although the client may be gone.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}
