// Package sendgrid sends mails through SendGrid's mail/send and reads what its
// event webhook says about them (events.go).
//
// sendgrid-go's Client keeps the mail that it sends in itself, so two sends at
// once mix their mails; its HTTP client never times out and is shared by the
// whole process; it logs what it cannot encode. Here the library builds the mail
// and the request, which are values of one call, and rest.Client sends it
// through an HTTP client of its own from messaging.Wire.
package sendgrid

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sendgrid/rest"
	sendgrid "github.com/sendgrid/sendgrid-go"
	"github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/waybillhq/waybill/internal/messaging"
)

const name = "sendgrid"

// Config is an account.
type Config struct {
	Key string // the API key
	// BaseURL is empty for SendGrid itself; https://api.eu.sendgrid.com keeps an EU
	// subuser's data there.
	BaseURL string
	// Timeout is 0 for messaging.Timeout.
	Timeout time.Duration
}

// Client sends for one account. Its calls share connections and nothing else.
type Client struct {
	cfg  Config
	wire *messaging.Wire
}

var (
	_ messaging.Email                  = (*Client)(nil)
	_ messaging.Finder[messaging.Mail] = (*Client)(nil)

	key       = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)
	messageID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,100}$`)
	headerKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,60}$`)
	// SendGrid refuses these as custom headers (mail/send specification).
	reserved = []string{"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc"}
)

// Account names what mails are sent with, without giving the key away. Whether two
// keys are of one account nobody can tell from them.
func (c Config) Account() string {
	sum := sha256.Sum256([]byte(c.BaseURL + " " + c.Key))
	return hex.EncodeToString(sum[:8])
}

// New checks the configuration. It makes no request.
func New(cfg Config) (*Client, error) {
	if !key.MatchString(cfg.Key) {
		return nil, errors.New("sendgrid: no API key")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.sendgrid.com"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = messaging.Timeout
	}
	wire, err := messaging.NewWire(cfg.BaseURL, cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("sendgrid: %w", err)
	}
	return &Client{cfg: cfg, wire: wire}, nil
}

// Send asks SendGrid to send m: at most one request, ended by ctx.
func (c *Client) Send(ctx context.Context, m messaging.Mail) (messaging.Receipt, error) {
	if err := check(m); err != nil {
		return messaging.Receipt{}, err
	}
	body, err := json.Marshal(build(m))
	if err != nil {
		return messaging.Receipt{}, messaging.Refuse(name, messaging.Rejected, "the mail cannot be encoded")
	}
	req := sendgrid.GetRequest(c.cfg.Key, "/v3/mail/send", c.cfg.BaseURL)
	req.Method, req.Body = rest.Post, body
	client, x := c.wire.Client(ctx)
	res, err := (&rest.Client{HTTPClient: client}).SendWithContext(ctx, req)
	if err == nil && res.StatusCode == http.StatusAccepted {
		id := http.Header(res.Headers).Get("X-Message-Id")
		if !eventID.MatchString(id) {
			id = ""
		}
		return messaging.Receipt{ProviderID: id}, nil
	}
	// The answer's words stay here: they repeat addresses.
	return messaging.Receipt{}, messaging.Classify(name, *x)
}

// Find cannot say: SendGrid's plain plans have no record to ask. The events that
// carry our message ID say it later, and those of other mails by their silence.
func (c *Client) Find(context.Context, messaging.Mail, time.Time) (messaging.Finding, messaging.Receipt, error) {
	return messaging.Unknown, messaging.Receipt{}, nil
}

const (
	maxSubject = 998 // RFC 5322, 2.1.1
	maxName    = 200
	maxContent = 1 << 20 // far below SendGrid's 30 MB; nothing we write comes near
)

func check(m messaging.Mail) error {
	refuse := func(why messaging.Reason, what string) error { return messaging.Refuse(name, why, what) }
	switch {
	case !messageID.MatchString(m.ID):
		return refuse(messaging.Rejected, "no message ID")
	case !m.To.Address.Valid():
		return refuse(messaging.BadAddress, "no e-mail address")
	case !m.From.Address.Valid(), m.ReplyTo.Address != "" && !m.ReplyTo.Address.Valid():
		return refuse(messaging.Rejected, "no sender's address")
	case m.Subject == "" || len(m.Subject) > maxSubject || !oneLine(m.Subject):
		return refuse(messaging.Rejected, "no subject, or not one line")
	case m.Text == "" || m.HTML == "" || len(m.Text) > maxContent || len(m.HTML) > maxContent:
		return refuse(messaging.Rejected, "text or HTML missing or too long")
	}
	for _, box := range []messaging.Mailbox{m.From, m.To, m.ReplyTo} {
		if len(box.Name) > maxName || !oneLine(box.Name) {
			return refuse(messaging.Rejected, "a name is not one line")
		}
	}
	for k, v := range m.Headers {
		if !headerKey.MatchString(k) || slices.Contains(reserved, strings.ToLower(k)) || len(v) > maxSubject || !oneLine(v) {
			return refuse(messaging.Rejected, "a header that cannot be sent")
		}
	}
	return nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// idArg is the custom argument that carries our message ID into every event.
const idArg = "waybill_message"

func build(m messaging.Mail) *mail.SGMailV3 {
	box := func(b messaging.Mailbox) *mail.Email { return mail.NewEmail(b.Name, string(b.Address)) }
	v := mail.NewV3MailInit(box(m.From), m.Subject, box(m.To), mail.NewContent("text/plain", m.Text), mail.NewContent("text/html", m.HTML))
	if m.ReplyTo.Address != "" {
		v.SetReplyTo(box(m.ReplyTo))
	}
	// On the recipient, where the specification knows an object; at the top it says
	// a string.
	v.Personalizations[0].SetCustomArg(idArg, m.ID)
	for k, val := range m.Headers {
		v.SetHeader(k, val)
	}
	// No rewriting of links and no hidden picture: the tracking link is a key to
	// the buyer's page and belongs to nobody between us.
	off := false
	v.SetTrackingSettings(&mail.TrackingSettings{
		ClickTracking:        &mail.ClickTrackingSetting{Enable: &off, EnableText: &off},
		OpenTracking:         &mail.OpenTrackingSetting{Enable: &off},
		SubscriptionTracking: &mail.SubscriptionTrackingSetting{Enable: &off},
	})
	return v
}
