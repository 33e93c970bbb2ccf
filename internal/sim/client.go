package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Keys are API keys by role: storefront, warehouse, carrier, support, admin. A
// role without a key of its own uses "admin", or the only key there is.
type Keys map[string]string

// The roles that the simulator plays.
const (
	roleStorefront = "storefront"
	roleWarehouse  = "warehouse"
	roleCarrier    = "carrier"
	roleSupport    = "support"
	roleReturns    = "returns"
	roleAdmin      = "admin"
)

func (k Keys) forRole(role string) string {
	for _, name := range []string{role, roleAdmin, ""} {
		if v := k[name]; v != "" {
			return v
		}
	}
	if len(k) == 1 {
		for _, v := range k {
			return v
		}
	}
	return ""
}

// ErrNoServer says that nobody answered for as long as we were willing to wait.
var ErrNoServer = errors.New("the server does not answer")

// StatusError is an answer that trying again would not change.
type StatusError struct {
	Method, Path string
	Status       int
	Title        string
	Detail       string
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, e.Title)
	if e.Detail != "" && e.Detail != e.Title {
		s += ": " + e.Detail
	}
	return s
}

func isStatus(err error, status int) bool {
	var e *StatusError
	return errors.As(err, &e) && e.Status == status
}

// Client posts until the server has said yes or no. Whatever may have been lost
// on the way (no connection, a reset, half an answer, a 5xx) is sent again
// unchanged: the same body, the same Idempotency-Key, the same event IDs. A
// server may be killed and restarted meanwhile.
type Client struct {
	base string
	keys Keys
	http *http.Client
	// Patience is how long one call is tried again without an answer.
	Patience time.Duration
	// pause waits between two tries; tests make it short.
	pause func(context.Context, time.Duration) error

	calls   atomic.Int64
	retries atomic.Int64
	// down is since when nothing has come back; 0: the last call was answered.
	down atomic.Int64
}

// NewClient talks to the API at base, like http://127.0.0.1:8080.
func NewClient(base string, keys Keys) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not a URL like http://127.0.0.1:8080", base)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64 // the default of 2 would open a connection per call
	t.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	return &Client{
		base: strings.TrimRight(base, "/"), keys: keys, http: &http.Client{Transport: t},
		Patience: 5 * time.Minute, pause: sleep,
	}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// The longest that one try may take, and the pauses between tries.
const (
	tryTimeout = 60 * time.Second
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	longestAsk = 60 * time.Second // of a Retry-After
)

// upload is a body that is not JSON.
type upload struct {
	media string
	body  []byte
}

// do calls until there is an answer. What goes in is an upload, or else sent as
// JSON; idempotency may be empty; out may be nil.
func (c *Client) do(ctx context.Context, role, method, path, idempotency string, in, out any) error {
	body, raw := in.(upload)
	if in != nil && !raw {
		var err error
		if body.body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body.media = "application/json"
	}
	pause, failing := firstPause, time.Time{}
	for {
		c.calls.Add(1)
		after, err := c.try(ctx, role, method, path, idempotency, body, out)
		if err == nil {
			c.down.Store(0)
			return nil
		}
		var final *StatusError
		if ctx.Err() != nil || errors.As(err, &final) {
			return err
		}
		now := time.Now()
		c.down.CompareAndSwap(0, now.UnixNano())
		if failing.IsZero() {
			failing = now
		}
		if waited := now.Sub(failing); waited > c.Patience {
			return fmt.Errorf("%w for %s: %w", ErrNoServer, waited.Round(time.Second), err)
		}
		c.retries.Add(1)
		wait := max(pause/2+rand.N(pause/2), min(after, longestAsk)) // jitter, so that callers do not return in step
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// try is one attempt. A StatusError is final; any other error may be tried
// again, not before the returned time.
func (c *Client) try(ctx context.Context, role, method, path, idempotency string, body upload, out any) (retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body.body))
	if err != nil {
		return 0, err
	}
	if body.media != "" {
		req.Header.Set("Content-Type", body.media)
	}
	if idempotency != "" {
		req.Header.Set("Idempotency-Key", idempotency)
	}
	if key := c.keys.forRole(role); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	req.Header.Set("User-Agent", "waybill-simulate")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return 0, fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	if resp.StatusCode < 300 {
		if out == nil {
			return 0, nil
		}
		if err := json.Unmarshal(answer, out); err != nil {
			// Cut short by a dying server, or not our API; patience decides.
			return 0, fmt.Errorf("%s %s: the answer is not what we know: %w", method, path, err)
		}
		return 0, nil
	}
	var problem struct{ Title, Detail string }
	_ = json.Unmarshal(answer, &problem)
	if problem.Title == "" {
		problem.Title = http.StatusText(resp.StatusCode)
	}
	status := &StatusError{Method: method, Path: path, Status: resp.StatusCode, Title: problem.Title, Detail: problem.Detail}
	ask := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(ask); err == nil {
		retryAfter = time.Duration(s) * time.Second
	} else if at, err := http.ParseTime(ask); err == nil {
		retryAfter = time.Until(at)
	}
	again := resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented ||
		slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, resp.StatusCode) ||
		resp.StatusCode == http.StatusConflict && ask != "" // the first try is still under way
	if again {
		return retryAfter, errors.New(status.Error())
	}
	return 0, status
}

// PutStore makes or changes a store.
func (c *Client) PutStore(ctx context.Context, id string, r storeRequest) error {
	return c.do(ctx, roleAdmin, http.MethodPut, "/v1/stores/"+url.PathEscape(id), "", r, nil)
}

// PutPolicy makes a new version of a policy, unless the newest is the same: a
// resumed run must create its orders with the version that it began with.
func (c *Client) PutPolicy(ctx context.Context, p order.Policy) error {
	path := "/v1/policies/" + url.PathEscape(p.Name)
	var have order.Policy
	err := c.do(ctx, roleAdmin, http.MethodGet, path, "", nil, &have)
	switch {
	case err == nil:
		have.Version = p.Version
		a, errA := json.Marshal(have)
		b, errB := json.Marshal(p)
		if errA == nil && errB == nil && bytes.Equal(a, b) {
			return nil
		}
	case !isStatus(err, http.StatusNotFound):
		return err
	}
	return c.do(ctx, roleAdmin, http.MethodPut, path, "", p, nil)
}

// CreateOrder creates an order, once however often it is called. Its key comes
// from the content: another order under the same number is another request,
// and the server shall say so.
func (c *Client) CreateOrder(ctx context.Context, r OrderRequest) (order.View, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return order.View{}, err
	}
	sum := sha256.Sum256(body)
	var resp orderResponse
	err = c.do(ctx, roleStorefront, http.MethodPost, "/v1/orders", keyFor("create", r.Store, r.Number, hex.EncodeToString(sum[:8])), r, &resp)
	return resp.Order, err
}

// Cancel stops an order. If it is cancelled already, an answer got lost: fine.
func (c *Client) Cancel(ctx context.Context, id, reason string) error {
	err := c.ask(ctx, roleStorefront, id, "cancel", reason)
	if isStatus(err, http.StatusConflict) || isStatus(err, http.StatusUnprocessableEntity) {
		if v, verr := c.Order(ctx, id, false); verr == nil && v.Status == order.StatusCancelled {
			return nil
		}
	}
	return err
}

// Hold stops an order for a while.
func (c *Client) Hold(ctx context.Context, id, reason string) error {
	return c.ask(ctx, roleSupport, id, "hold", reason)
}

func (c *Client) ask(ctx context.Context, role, id, what, reason string) error {
	body := map[string]string{"reason": reason}
	return c.do(ctx, role, http.MethodPost, orderPath(id)+"/"+what, keyFor(what, id), body, nil)
}

// keyFor is an Idempotency-Key: the same act has the same key in every try.
func keyFor(parts ...string) string {
	return strings.NewReplacer(":", "-", " ", "-").Replace(strings.Join(parts, "-"))
}

func orderPath(id string) string { return "/v1/orders/" + url.PathEscape(id) }

// Order reads one order; live asks the workflow, not the read model.
func (c *Client) Order(ctx context.Context, id string, live bool) (order.View, error) {
	path := orderPath(id)
	if live {
		path += "?live=true"
	}
	var v order.View
	err := c.do(ctx, roleSupport, http.MethodGet, path, "", nil, &v)
	return v, err
}

// pageSize of lists.
const pageSize = 200

// List reads every order of a store.
func (c *Client) List(ctx context.Context, store string) ([]Listed, error) {
	var all []Listed
	cursor := ""
	for {
		q := url.Values{"store": {store}, "limit": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var page listResponse
		if err := c.do(ctx, roleSupport, http.MethodGet, "/v1/orders?"+q.Encode(), "", nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Orders...)
		if page.Next == "" || page.Next == cursor {
			return all, nil
		}
		cursor = page.Next
	}
}

// Timeline reads the IDs of the facts in an order's timeline, as often as they
// stand there, and how long the order took at most to learn of one.
func (c *Client) Timeline(ctx context.Context, id string) (ids []string, lag time.Duration, err error) {
	var t timelineResponse
	if err := c.do(ctx, roleSupport, http.MethodGet, orderPath(id)+"/timeline?limit=5000", "", nil, &t); err != nil {
		return nil, 0, err
	}
	received := make(map[string]time.Time, len(t.Entries))
	for _, e := range t.Entries {
		// Happenings of the order itself name the fact behind them as well;
		// only the facts count.
		if e.EventID != "" && e.Source != "order" {
			ids = append(ids, e.EventID)
			received[e.EventID] = e.ReceivedAt
		}
	}
	for _, e := range t.Entries {
		_, fact, named := strings.Cut(e.EventID, "/") // a scan's has its store before it
		if !named {
			fact = e.EventID
		}
		if at, ok := received[fact]; ok && e.Source == "order" && e.Kind == string(order.MilestoneReached) {
			lag = max(lag, e.ReceivedAt.Sub(at))
		}
	}
	return ids, lag, nil
}

// maxBatch items go into one call. The API takes 1,000.
const maxBatch = 500

// PostScans posts warehouse scans; the answers stand in the order of the items.
func (c *Client) PostScans(ctx context.Context, scans []ScanItem) ([]itemResult, error) {
	return postAll(scans, func(s ScanItem) string { return s.ID }, func(part []ScanItem) (batchResponse, error) {
		var resp batchResponse
		err := c.do(ctx, roleWarehouse, http.MethodPost, "/v1/scans", "", struct {
			Scans []ScanItem `json:"scans"`
		}{part}, &resp)
		return resp, err
	})
}

// PostEvents posts what one carrier says.
func (c *Client) PostEvents(ctx context.Context, carrier string, events []CarrierItem) ([]itemResult, error) {
	return postAll(events, func(e CarrierItem) string { return e.ID }, func(part []CarrierItem) (batchResponse, error) {
		var resp batchResponse
		err := c.do(ctx, roleCarrier, http.MethodPost, "/v1/carriers/"+url.PathEscape(carrier)+"/events", "", struct {
			Events []CarrierItem `json:"events"`
		}{part}, &resp)
		return resp, err
	})
}

// postAll posts in batches. An item without an answer has not been answered,
// whatever the status says.
func postAll[T any](items []T, id func(T) string, post func([]T) (batchResponse, error)) ([]itemResult, error) {
	results := make([]itemResult, 0, len(items))
	for batch := range slices.Chunk(items, maxBatch) {
		resp, err := post(batch)
		if err != nil {
			return results, err
		}
		if len(resp.Results) != len(batch) {
			return results, fmt.Errorf("posted %d items, got %d answers", len(batch), len(resp.Results))
		}
		answers := make([]itemResult, len(batch))
		for _, r := range resp.Results {
			if r.Index < 0 || r.Index >= len(batch) || r.ID != id(batch[r.Index]) || answers[r.Index].Result != "" {
				return results, fmt.Errorf("answer %d for %q does not belong to what was posted", r.Index, r.ID)
			}
			answers[r.Index] = r
		}
		results = append(results, answers...)
	}
	return results, nil
}

// Ping says in a sentence if there is no Waybill there, or the key is not good.
func (c *Client) Ping(ctx context.Context) error {
	hasty := &Client{base: c.base, keys: c.keys, http: c.http, pause: c.pause, Patience: 500 * time.Millisecond}
	err := hasty.do(ctx, roleSupport, http.MethodGet, "/v1/orders?limit=1", "", nil, &listResponse{})
	switch {
	case err == nil:
		return nil
	case isStatus(err, http.StatusUnauthorized), isStatus(err, http.StatusForbidden):
		return fmt.Errorf("%s does not take this key: give an admin key with --key or WAYBILL_KEY (%w)", c.base, err)
	case isStatus(err, http.StatusNotFound):
		return fmt.Errorf("%s is not a Waybill API (%w)", c.base, err)
	}
	return fmt.Errorf("no Waybill at %s: start one with `make dev`, or name another with --url (%w)", c.base, err)
}
