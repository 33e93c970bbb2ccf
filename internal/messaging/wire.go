package messaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

// Wire reaches one provider. The vendors' libraries take no context (Twilio),
// share a client that never times out (SendGrid), leave answers unread and
// sometimes send again; so every request gets a client of its own from here,
// good for one exchange.
type Wire struct {
	base      *url.URL
	transport http.RoundTripper
	timeout   time.Duration
}

// Timeout is how long a provider may take for an answer. A message is better
// asked about later than held by a worker.
const Timeout = 15 * time.Second

// maxAnswer bounds what is read of an answer. A page of Twilio's list is below.
const maxAnswer = 4 << 20

// NewWire reaches the provider at base, like https://api.twilio.com, whatever
// host a library thinks of.
func NewWire(base string, timeout time.Duration) (*Wire, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fmt.Errorf("%q is no address of a provider", base)
	}
	return &Wire{base: u, timeout: timeout, transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   16,
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	}}, nil
}

// Client is an HTTP client for one request under ctx, and the exchange that it
// fills in. A second request through it is refused, so that no library can send
// again on its own.
func (w *Wire) Client(ctx context.Context) (*http.Client, *Exchange) {
	x := &Exchange{}
	return &http.Client{
		Transport:     &once{wire: w, ctx: ctx, x: x},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, x
}

type once struct {
	wire *Wire
	ctx  context.Context
	x    *Exchange
	used bool
}

var errTwice = errors.New("a library tried to send twice")

func (o *once) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.used {
		return nil, errTwice
	}
	o.used = true
	ctx, cancel := context.WithTimeout(o.ctx, o.wire.timeout)
	defer cancel()
	req = req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on a byte may have left: before, there was no connection.
		GotConn: func(httptrace.GotConnInfo) { o.x.Sent = true },
	}))
	req.URL.Scheme, req.URL.Host, req.Host = o.wire.base.Scheme, o.wire.base.Host, o.wire.base.Host
	res, err := o.wire.transport.RoundTrip(req)
	if err != nil {
		o.x.Err = err
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	o.x.Status = res.StatusCode
	o.x.RetryAfter = retryAfter(res.Header, time.Now())
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		o.x.Err = err
		return nil, err
	}
	o.x.Whole = true
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
