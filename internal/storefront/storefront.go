// Package storefront asks shops' own systems for refunds and replacements. The
// protocol is docs/storefront.md: a signed POST that may be repeated.
package storefront

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Headers of a request.
const (
	SignatureHeader   = "Waybill-Signature"
	IdempotencyHeader = "Idempotency-Key"
)

const (
	timeout   = 10 * time.Second // below the activity's own
	maxAnswer = 64 << 10
	maxText   = 200 // of a reason; of a reference 100
)

// Stores says where a store is asked; *store.Store does.
type Stores interface {
	GetStore(ctx context.Context, id string) (store.StoreRow, error)
}

// Client calls storefronts. It is safe for concurrent use.
type Client struct {
	stores  Stores
	secrets map[string][]byte
	local   bool
	now     func() time.Time
	http    *http.Client
}

// New makes a client. Secrets are by the name that a store gives. Local allows
// plain http and private addresses: for development, and for storefronts in the
// same network.
func New(stores Stores, secrets map[string][]byte, local bool, now func() time.Time) *Client {
	dial := &net.Dialer{Timeout: 5 * time.Second}
	if !local {
		// Here the name is resolved already: what is checked is what is called.
		dial.Control = func(_, address string, _ syscall.RawConn) error { return public(address) }
	}
	return &Client{stores: stores, secrets: secrets, local: local, now: now, http: &http.Client{
		Timeout: timeout,
		// A storefront that moved is configured anew; nothing is sent after it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No proxy: it would resolve the name by itself.
		Transport: &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 30 * time.Second,
			MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true},
	}}
}

// Request is the body of a request. It is the same in every repeat.
type Request struct {
	Type     string             `json:"type"` // refund, replacement or exchange
	ID       string             `json:"id"`   // the Idempotency-Key as well
	Order    string             `json:"order"`
	Number   string             `json:"number"`
	Parcel   string             `json:"parcel,omitempty"`
	Lines    []order.Allocation `json:"lines,omitempty"`
	Return   string             `json:"return,omitempty"`
	Instead  []order.Allocation `json:"instead,omitempty"` // what an exchange sends for the lines
	Amount   int64              `json:"amount,omitempty"`  // in the currency's smallest unit
	Currency string             `json:"currency,omitempty"`
	Case     order.CaseKind     `json:"case,omitempty"`
	AskedAt  time.Time          `json:"asked_at"`
}

// RequestRemedy asks the store's webhook. An error that is activities.ErrFinal
// will not go away by asking again.
func (c *Client) RequestRemedy(ctx context.Context, r activities.RemedyRequest) (activities.RemedyAnswer, error) {
	var none activities.RemedyAnswer
	row, err := c.stores.GetStore(ctx, r.Store)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.WebhookURL == "" {
		return none, final("store %s has no webhook: carry it out there and record it", r.Store)
	}
	if err != nil {
		return none, err
	}
	secret := c.secrets[row.WebhookSecret]
	if len(secret) == 0 {
		// It may be configured any moment, so this is asked again.
		return none, fmt.Errorf("store %s: no secret %q is configured", r.Store, row.WebhookSecret)
	}
	u, err := url.Parse(row.WebhookURL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(c.local && u.Scheme == "http") {
		return none, final("store %s: its webhook is no https address", r.Store)
	}
	body, err := json.Marshal(Request{Type: string(r.Remedy.Kind), ID: r.OrderID + "/" + r.Remedy.ID, Order: r.OrderID, Number: r.Number, Parcel: r.Remedy.Parcel, Lines: r.Remedy.Lines,
		Return: r.Remedy.Return, Instead: r.Remedy.Instead, Amount: r.Remedy.Amount, Currency: r.Remedy.Currency, Case: r.Remedy.Case, AskedAt: r.Remedy.AskedAt})
	if err != nil {
		return none, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return none, final("store %s: %s", r.Store, "its webhook cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Waybill")
	req.Header.Set(IdempotencyHeader, r.OrderID+"/"+r.Remedy.ID)
	req.Header.Set(SignatureHeader, Sign(secret, c.now(), body))
	res, err := c.http.Do(req)
	if err != nil {
		// The address may hold secrets of the shop: only what went wrong is told.
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		if errors.Is(err, errPrivate) {
			return none, final("store %s: %s", r.Store, errPrivate)
		}
		return none, fmt.Errorf("store %s: %w", r.Store, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := read(res)
	if err != nil {
		return none, fmt.Errorf("store %s: %w", r.Store, err)
	}
	return answer, nil
}

// Sign is the signature header of a body: the HMAC-SHA256 of time, a point and
// the body. The time lets the receiver refuse what is old.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t + "."))
	h.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

func final(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{activities.ErrFinal}, args...)...)
}

// read says what an answer means. Only a whole, well-formed 200 is a word; the
// rest is asked again, or never will be one. Nothing of a body is repeated: it
// may hold anything.
func read(res *http.Response) (a activities.RemedyAnswer, err error) {
	switch code := res.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusAccepted:
		return a, errors.New("accepted, not decided yet")
	case code == http.StatusRequestTimeout, code == http.StatusConflict, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return a, fmt.Errorf("answered %d", code)
	default:
		return a, final("answered %d", code)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return a, errors.New("the answer broke off")
	}
	if len(body) > maxAnswer {
		return a, errors.New("the answer is too long")
	}
	return parse(res.Header.Get("Content-Type"), body)
}

// parse reads the body of a 200.
func parse(contentType string, body []byte) (a activities.RemedyAnswer, err error) {
	var said struct {
		Status    string `json:"status"`
		Reference string `json:"reference"`
		Reason    string `json:"reason"`
	}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return a, errors.New("the answer is not JSON")
	}
	if !utf8.Valid(body) || json.Unmarshal(body, &said) != nil {
		return a, errors.New("the answer cannot be read")
	}
	switch said.Status {
	case "confirmed":
		return activities.RemedyAnswer{Reference: printable(said.Reference, 100)}, nil
	case "declined":
		reason := printable(said.Reason, maxText)
		if reason == "" {
			reason = "no reason given"
		}
		return activities.RemedyAnswer{Declined: reason, Reference: printable(said.Reference, 100)}, nil
	}
	return a, errors.New(`the answer's status is neither "confirmed" nor "declined"`)
}

// printable leaves out what cannot be seen, and what is beyond so many bytes.
func printable(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		if unicode.IsGraphic(r) && r != utf8.RuneError {
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

var errPrivate = errors.New("its webhook has a private address")

// Addresses that netip does not call private, but that are nobody's on the
// internet, or lead to others: IANA's special-purpose registries.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// public refuses an address that is not one on the internet.
func public(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	ip := ap.Addr().Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return errPrivate
	}
	for _, p := range special {
		if p.Contains(ip) {
			return errPrivate
		}
	}
	return nil
}
