package messaging

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Class says what a failed Send allows.
type Class string

const (
	// Permanent: not sent, and the same message never will be.
	Permanent Class = "permanent"
	// Retryable: certainly not sent; a later try may work.
	Retryable Class = "retryable"
	// Ambiguous: it may have been sent. Ask a [Finder] before any second try.
	Ambiguous Class = "ambiguous"
)

// Reason says why, where that is known. Suppression and fallback to another
// channel follow from it.
type Reason string

const (
	BadAddress   Reason = "bad_address"  // no such mailbox or number, or one that cannot take this kind of message
	Unreachable  Reason = "unreachable"  // it exists and cannot be reached now
	Blocked      Reason = "blocked"      // the provider, a carrier or the receiving server refuses us or our words
	Unsubscribed Reason = "unsubscribed" // the buyer said no
	Rejected     Reason = "rejected"     // the provider refuses the request
	// Account: credentials, sender or plan, not this message. Somebody must mend
	// it, and then the message can still go, so it is always retryable.
	Account Reason = "account"
	Busy    Reason = "busy" // too many requests
)

// Error is how a Send failed. It holds nothing of the message and no text of
// the provider's, since both name people.
type Error struct {
	Provider string
	Class    Class
	Reason   Reason        // empty when not known
	Status   int           // HTTP status; 0 when none came
	Code     string        // the provider's own code
	After    time.Duration // how long to wait before a retry; 0 when not said
	Fault    string        // what broke in transport: timeout, connection, answer, ...
	// Cause is context.Canceled or context.DeadlineExceeded, or nil.
	Cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Provider, e.Class)
	for _, part := range []string{string(e.Reason), e.Fault} {
		if part != "" {
			b.WriteString(", " + part)
		}
	}
	if e.Status != 0 {
		b.WriteString(", HTTP " + strconv.Itoa(e.Status))
	}
	if e.Code != "" {
		b.WriteString(", code " + e.Code)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// Exchange is what is known of one HTTP exchange with a provider.
type Exchange struct {
	// Sent: a byte of the request may have left this machine.
	Sent bool
	// Status is 0 when no answer's head arrived.
	Status int
	// Whole: the answer's body arrived to its end.
	Whole      bool
	RetryAfter time.Duration
	// Err is what the transport said; it is never shown.
	Err error
}

// Classify says what an exchange that did not end in the provider's documented
// success allows. It is a function of the exchange alone; providers refine a
// refusal by their own codes.
//
// Not sent for sure: nothing left the machine (no name, refused, no TLS), 429,
// any other 4xx, a redirect. Everything else may have been sent: silence after
// the first byte, 408, every 5xx, and a success that is not the documented one.
func Classify(provider string, x Exchange) *Error {
	e := &Error{Provider: provider, Class: Ambiguous, Status: x.Status, After: x.RetryAfter, Fault: fault(x)}
	for _, c := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(x.Err, c) {
			e.Cause = c
		}
	}
	switch s := x.Status; {
	case s == 0 && !x.Sent:
		e.Class = Retryable
	case s == 0, s == http.StatusRequestTimeout, s >= 500, s < 300:
	case s == http.StatusTooManyRequests:
		e.Class, e.Reason = Retryable, Busy
	case s < 400, s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusNotFound,
		s == http.StatusMethodNotAllowed, s == http.StatusProxyAuthRequired, s == http.StatusPaymentRequired:
		e.Class, e.Reason = Retryable, Account
	case !x.Whole:
		// Refused, but the reason was lost on the way. Asking again repeats nothing.
		e.Class = Retryable
	default:
		e.Class, e.Reason = Permanent, Rejected
	}
	return e
}

func fault(x Exchange) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(x.Err, context.Canceled):
		return "cancelled"
	case errors.As(x.Err, &timeout) && timeout.Timeout():
		return "timeout"
	case x.Status == 0 && !x.Sent:
		return "no connection"
	case x.Status == 0:
		return "no answer"
	case !x.Whole:
		return "answer cut short"
	case x.Status < 300:
		return "unexpected answer"
	}
	return ""
}

// Refuse is the error for a message that must not even be tried.
func Refuse(provider string, why Reason, what string) *Error {
	return &Error{Provider: provider, Class: Permanent, Reason: why, Fault: what}
}

// maxAfter bounds what a provider may ask us to wait.
const maxAfter = time.Hour

// retryAfter reads Retry-After (seconds or a date, RFC 9110) or SendGrid's
// X-RateLimit-Reset (Unix seconds).
func retryAfter(h http.Header, now time.Time) time.Duration {
	var d time.Duration
	if v := strings.TrimSpace(h.Get("Retry-After")); v != "" {
		if s, err := strconv.ParseInt(v, 10, 32); err == nil {
			d = time.Duration(s) * time.Second
		} else if at, err := http.ParseTime(v); err == nil {
			d = at.Sub(now)
		}
	} else if s, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64); err == nil && s > 0 && s < 1<<40 {
		d = time.Unix(s, 0).Sub(now)
	}
	return min(max(d, 0), maxAfter)
}
