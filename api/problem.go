package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// problem is an answer in the format of RFC 9457. Handlers return errors of any
// kind; toProblem is the one place that says what they mean in HTTP.
type problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Errors   []fieldError `json:"errors,omitempty"`

	// cause is for the log only.
	cause error
}

type fieldError struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

func (p *problem) Error() string { return p.Detail }
func (p *problem) Unwrap() error { return p.cause }

// The kinds of problems. Types are stable: clients may switch on them.
func newProblem(status int, kind, title, detail string) *problem {
	return &problem{Type: "urn:waybill:problem:" + kind, Title: title, Status: status, Detail: detail}
}

func malformed(detail string) *problem {
	return newProblem(http.StatusBadRequest, "malformed", "The request cannot be read", detail)
}

func unauthenticated(detail string) *problem {
	return newProblem(http.StatusUnauthorized, "unauthenticated", "Not authenticated", detail)
}

func forbidden(detail string) *problem {
	return newProblem(http.StatusForbidden, "forbidden", "Not with this key", detail)
}

func notFound(detail string) *problem {
	return newProblem(http.StatusNotFound, "not-found", "Not found", detail)
}

func conflict(detail string) *problem {
	return newProblem(http.StatusConflict, "conflict", "This exists with another content", detail)
}

func tooLarge(limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", "The body is too large", fmt.Sprintf("At most %d bytes are accepted here.", limit))
}

func wrongMedia(detail string) *problem {
	return newProblem(http.StatusUnsupportedMediaType, "unsupported-media-type", "Send plain JSON", detail)
}

func tooMany(detail string) *problem {
	return newProblem(http.StatusTooManyRequests, "too-many-requests", "Too many requests", detail)
}

func unavailable(cause error) *problem {
	p := newProblem(http.StatusServiceUnavailable, "unavailable", "Not available right now", "Repeat the request in "+retryAfter+" seconds.")
	p.cause = cause
	return p
}

func internal(cause error) *problem {
	p := newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side", "The fault is logged under the request ID.")
	p.cause = cause
	return p
}

const (
	retryAfter = "2" // seconds
	maxErrors  = 50  // fields named in one answer
)

// invalid names the fields at fault.
func invalid(errs ...fieldError) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", "Fields are at fault", "")
	return p.naming(errs)
}

func (p *problem) naming(errs []fieldError) *problem {
	more := len(errs) - maxErrors
	if more > 0 {
		errs = errs[:maxErrors]
	}
	p.Errors = errs
	said := make([]string, 0, 3)
	for _, e := range errs[:min(len(errs), 3)] {
		if e.Field == "" {
			said = append(said, e.Reason)
		} else {
			said = append(said, e.Field+": "+e.Reason)
		}
	}
	p.Detail = strings.Join(said, "; ")
	if rest := len(errs) - len(said) + max(more, 0); rest > 0 {
		p.Detail += fmt.Sprintf("; and %d more", rest)
	}
	return p
}

// toProblem says what an error means to the client. What it does not know is
// ours to explain, not theirs to read: a 500 without a word about the inside.
func toProblem(err error) *problem {
	var (
		p       *problem
		large   *http.MaxBytesError
		http_   *echo.HTTPError
		timeout net.Error
		unsent  interface{ SafeToRetry() bool } // pgx: the connection was found dead
		state   interface{ SQLState() string }
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.As(err, new(*openapi3.SchemaError)), errors.As(err, new(openapi3.MultiError)):
		return invalid(schemaErrors(err, "")...)
	case errors.As(err, new(*order.Refusal)):
		return refused(refusals(err, nil))
	case errors.Is(err, ErrNotRunning):
		return newProblem(http.StatusConflict, "closed", "The order is closed", "Nothing can be asked of a closed order.")
	case errors.Is(err, store.ErrNotFound):
		return notFound("Nothing has this identity.")
	case errors.Is(err, store.ErrConflict):
		return conflict("It exists with another content.")
	case errors.As(err, &http_):
		return fromEcho(http_)
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unavailable(err)
	case errors.As(err, &state) && transient(state.SQLState()):
		return unavailable(err)
	case errors.As(err, &unsent) && unsent.SafeToRetry(), errors.Is(err, io.ErrUnexpectedEOF):
		return unavailable(err)
	case errors.As(err, &timeout): // the database or Temporal cannot be reached
		return unavailable(err)
	}
	return internal(err)
}

// transient PostgreSQL states: connection lost (08), too many connections or
// disk full (53), shutting down or starting up (57P), serialization (40).
func transient(state string) bool {
	return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "53") || strings.HasPrefix(state, "57P") || strings.HasPrefix(state, "40")
}

// refused: a refusal that names a field is the client's to mend (422); one that
// names none is about the state the order is in (409).
func refused(rs []fieldError) *problem {
	p := newProblem(http.StatusConflict, "refused", "The order does not allow this", "")
	for _, r := range rs {
		if r.Field != "" {
			p.Status = http.StatusUnprocessableEntity
		}
	}
	return p.naming(rs)
}

// refusals collects every refusal in a tree of joined errors.
func refusals(err error, found []fieldError) []fieldError {
	if r, ok := err.(*order.Refusal); ok {
		return append(found, fieldError{r.Field, r.Reason})
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = refusals(inner, found)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			found = refusals(inner, found)
		}
	}
	return found
}

func fromEcho(err *echo.HTTPError) *problem {
	switch err.Code {
	case http.StatusNotFound:
		return notFound("There is no such path.")
	case http.StatusMethodNotAllowed:
		return newProblem(err.Code, "method-not-allowed", "Method not allowed", "This path exists, but not with this method.")
	}
	if err.Code >= 400 && err.Code < 500 {
		return newProblem(err.Code, "refused-by-server", http.StatusText(err.Code), "")
	}
	return internal(err)
}

// handleError writes the problem. It is echo's error handler, so that what echo
// itself refuses (no route, wrong method) looks like everything else.
func (s *server) handleError(err error, c echo.Context) {
	p := *toProblem(err) // a copy: problems may be shared
	id := requestID(c)
	p.Instance = "urn:waybill:request:" + id
	switch {
	case p.Status >= 500 && errors.Is(err, context.Canceled):
		s.log.Debug("the client went away", "request_id", id, "route", route(c))
	case p.Status >= 500:
		s.log.Error("request failed", "request_id", id, "route", route(c), "status", p.Status, "error", err)
	}
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="waybill"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set(echo.HeaderRetryAfter, retryAfter)
	}
	h.Set(echo.HeaderContentType, "application/problem+json")
	body, err := json.Marshal(&p)
	if err != nil { // cannot be: strings and numbers only
		body = []byte(`{"type":"urn:waybill:problem:internal","title":"Something went wrong on our side","status":500}`)
	}
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	c.Response().WriteHeader(p.Status)
	_, _ = c.Response().Write(body)
}
