// Package twilio sends text messages through Twilio's Messages resource and
// reads what Twilio says about them (callback.go).
//
// twilio-go takes no context, leaves error bodies unread and puts the provider's
// words, which name the recipient, into its errors. So every call gets an HTTP
// client of its own from messaging.Wire, and only the library's error code is
// taken over.
package twilio

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	twilio "github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/waybillhq/waybill/internal/messaging"
)

const name = "twilio"

// Config is an account and its sender.
type Config struct {
	AccountSID string // AC and 32 hex digits
	// KeySID and Secret are an API key (SK...), or KeySID is empty and Secret is
	// the account's auth token.
	KeySID, Secret string
	// From is a number in E.164 form, a short code, an alphanumeric sender, or the
	// SID of a Messaging Service (MG...).
	From string
	// BaseURL is empty for Twilio itself.
	BaseURL string
	// Timeout is 0 for messaging.Timeout.
	Timeout time.Duration
	// Now is nil for time.Now. Attempts are told in its time.
	Now func() time.Time
}

// Client sends for one account. Its calls share connections and nothing else.
type Client struct {
	cfg  Config
	wire *messaging.Wire
}

var (
	_ messaging.SMS                    = (*Client)(nil)
	_ messaging.Finder[messaging.Text] = (*Client)(nil)

	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	messageSID = regexp.MustCompile(`^(SM|MM)[0-9a-fA-F]{32}$`)
	sender     = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11})$`)
	secret     = regexp.MustCompile(`^[A-Za-z0-9]+$`) // the library refuses others, once per message
)

// New checks the configuration. It makes no request.
func New(cfg Config) (*Client, error) {
	switch {
	case !accountSID.MatchString(cfg.AccountSID):
		return nil, errors.New("twilio: the account SID must be AC and 32 hex digits")
	case !secret.MatchString(cfg.Secret), cfg.KeySID != "" && !secret.MatchString(cfg.KeySID):
		return nil, errors.New("twilio: the key SID and the secret must be letters and digits")
	case !serviceSID.MatchString(cfg.From) && !sender.MatchString(cfg.From):
		return nil, errors.New("twilio: the sender is no number, short code, name or Messaging Service SID")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.twilio.com"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = messaging.Timeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	wire, err := messaging.NewWire(cfg.BaseURL, cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("twilio: %w", err)
	}
	return &Client{cfg: cfg, wire: wire}, nil
}

// api is the library bound to one request under ctx.
func (c *Client) api(ctx context.Context) (*openapi.ApiService, *messaging.Exchange) {
	http, x := c.wire.Client(ctx)
	user := c.cfg.KeySID
	if user == "" {
		user = c.cfg.AccountSID
	}
	bound := &twilio.Client{Credentials: twilio.NewCredentials(user, c.cfg.Secret), HTTPClient: http}
	bound.SetAccountSid(c.cfg.AccountSID)
	return openapi.NewApiServiceWithClient(bound), x
}

// maxBody is Twilio's bound on a body, in characters.
const maxBody = 1600

// Send asks Twilio to send t: at most one request, ended by ctx.
func (c *Client) Send(ctx context.Context, t messaging.Text) (messaging.Receipt, error) {
	switch {
	case !t.To.Valid():
		return messaging.Receipt{}, messaging.Refuse(name, messaging.BadAddress, "no E.164 number")
	case t.ID == "":
		return messaging.Receipt{}, messaging.Refuse(name, messaging.Rejected, "no message ID")
	case strings.TrimSpace(t.Body) == "" || len([]rune(t.Body)) > maxBody:
		return messaging.Receipt{}, messaging.Refuse(name, messaging.Rejected, "body empty or longer than 1600 characters")
	}
	p := &openapi.CreateMessageParams{}
	p.SetTo(string(t.To))
	p.SetBody(t.Body)
	if serviceSID.MatchString(c.cfg.From) {
		p.SetMessagingServiceSid(c.cfg.From)
	} else {
		p.SetFrom(c.cfg.From)
	}
	if t.StatusCallback != "" {
		callback, err := CallbackURL(t.StatusCallback, t.ID)
		if err != nil {
			return messaging.Receipt{}, messaging.Refuse(name, messaging.Rejected, "no status callback URL")
		}
		p.SetStatusCallback(callback)
	}
	api, x := c.api(ctx)
	m, err := api.CreateMessage(p)
	if err == nil && x.Status == 201 && m.Sid != nil && messageSID.MatchString(*m.Sid) {
		return messaging.Receipt{ProviderID: *m.Sid}, nil
	}
	return messaging.Receipt{}, refine(*x, err)
}

// settle is how long after an attempt Twilio's list is believed when a message
// is not in it: the request may still be on its way through their edge.
const settle = 2 * time.Minute

// page is how many messages to one number are looked through.
const page = 1000

// Find looks for t among the messages to its number. Twilio's filter by date
// knows only when a message was sent, which a queued one has not been, so the
// date of creation is compared here.
func (c *Client) Find(ctx context.Context, t messaging.Text, attempted time.Time) (messaging.Finding, messaging.Receipt, error) {
	p := &openapi.ListMessageParams{}
	p.SetTo(string(t.To))
	p.SetPageSize(page)
	if !serviceSID.MatchString(c.cfg.From) {
		p.SetFrom(c.cfg.From)
	}
	settled := c.cfg.Now().Sub(attempted) >= settle
	api, x := c.api(ctx)
	list, err := api.PageMessage(p, "", "")
	if err != nil || x.Status != 200 {
		return messaging.Unknown, messaging.Receipt{}, refine(*x, err)
	}
	finding, sid := find(list, t.Body, attempted)
	if finding == messaging.NotTaken && !settled {
		finding = messaging.Unknown
	}
	return finding, messaging.Receipt{ProviderID: sid}, nil
}

// skew is how far Twilio's clock and ours may differ.
const skew = time.Minute

func find(list *openapi.ListMessageResponse, body string, attempted time.Time) (messaging.Finding, string) {
	// The whole list, or its absence proves nothing. A list without its own URI is
	// none at all: an answer of somebody else's that happened to be JSON.
	finding := messaging.NotTaken
	if list.Uri == "" || list.NextPageUri != nil && *list.NextPageUri != "" {
		finding = messaging.Unknown
	}
	for _, m := range list.Messages {
		if m.DateCreated == nil || m.Sid == nil || m.Body == nil {
			finding = messaging.Unknown
			continue
		}
		at, err := time.Parse(time.RFC1123Z, *m.DateCreated)
		switch {
		case err != nil:
			finding = messaging.Unknown
		case at.Before(attempted.Add(-skew)):
		case *m.Body == "":
			finding = messaging.Unknown // redacted, so it could be this one
		case strings.HasSuffix(*m.Body, body): // trial accounts put a sentence before it
			return messaging.Taken, *m.Sid
		}
	}
	return finding, ""
}

// codes are Twilio's error codes that say more than the HTTP status
// (twilio.com/docs/api/errors). The ones from 30000 come with callbacks.
var codes = map[int]struct {
	class  messaging.Class
	reason messaging.Reason
}{
	20003: {messaging.Retryable, messaging.Account}, // authentication
	20005: {messaging.Retryable, messaging.Account}, // account not active
	20429: {messaging.Retryable, messaging.Busy},
	21211: {messaging.Permanent, messaging.BadAddress}, // invalid To
	21217: {messaging.Permanent, messaging.BadAddress}, // number not valid
	21266: {messaging.Permanent, messaging.BadAddress}, // To is From
	21408: {messaging.Permanent, messaging.Blocked},    // region not enabled
	21603: {messaging.Retryable, messaging.Account},    // sender missing
	21606: {messaging.Retryable, messaging.Account},    // sender not ours
	21610: {messaging.Permanent, messaging.Unsubscribed},
	21611: {messaging.Retryable, messaging.Busy},        // sender's queue is full
	21612: {messaging.Permanent, messaging.Unreachable}, // no route from this sender
	21614: {messaging.Permanent, messaging.BadAddress},  // not a mobile number
	21635: {messaging.Permanent, messaging.BadAddress},  // a landline
	21703: {messaging.Retryable, messaging.Account},     // Messaging Service without senders
	30001: {messaging.Retryable, messaging.Busy},        // queue overflow
	30002: {messaging.Retryable, messaging.Account},     // account suspended
	30003: {messaging.Retryable, messaging.Unreachable}, // handset off or out of reach
	30004: {messaging.Permanent, messaging.Blocked},     // the number blocks us
	30005: {messaging.Permanent, messaging.BadAddress},  // unknown or inactive number
	30006: {messaging.Permanent, messaging.BadAddress},  // a landline
	30007: {messaging.Retryable, messaging.Blocked},     // filtered: our words, not the number
	30008: {messaging.Retryable, messaging.Unreachable}, // unknown
	30034: {messaging.Retryable, messaging.Account},     // sender not registered (US A2P)
}

// refine classifies the exchange and lets Twilio's code say more, but only of a
// refusal: a code never makes an ambiguous answer certain.
func refine(x messaging.Exchange, err error) *messaging.Error {
	e := messaging.Classify(name, x)
	var rest *twilio.TwilioRestError
	if !errors.As(err, &rest) || rest.Code == 0 {
		return e
	}
	e.Code = strconv.Itoa(rest.Code)
	if c, ok := codes[rest.Code]; ok && e.Class != messaging.Ambiguous {
		e.Class, e.Reason = c.class, c.reason
	}
	return e
}
