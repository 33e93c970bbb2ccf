package app

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/messaging/twilio"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

// Messages says by whom messages are sent. A provider without credentials is stood
// in for by the local outbox, which keeps everything and sends nothing.
type Messages struct {
	// Twilio: WAYBILL_TWILIO_ACCOUNT_SID, _FROM, _AUTH_TOKEN ("new|old" while one
	// replaces the other), and if sending shall use an API key _KEY_SID, _KEY_SECRET.
	// _URL is for another address than Twilio's own.
	Twilio       twilio.Config
	TwilioTokens [][]byte
	TwilioRate   float64 // WAYBILL_TWILIO_PER_SECOND, requests; 1
	// SendGrid: WAYBILL_SENDGRID_API_KEY, _WEBHOOK_KEY ("new|old"), _URL.
	SendGrid     sendgrid.Config
	SendGridKeys []*ecdsa.PublicKey
	SendGridRate float64           // WAYBILL_SENDGRID_PER_SECOND; 10
	From         messaging.Address // WAYBILL_MAIL_FROM
	// Teams are told of cases: WAYBILL_TEAMS, see dispatch.ParseTeams. TeamsSecret,
	// WAYBILL_TEAMS_SECRET, signs what goes to their webhooks.
	Teams       map[order.Team]dispatch.Team
	TeamsSecret []byte
}

// nobody is the sender of what the outbox keeps.
const nobody = "orders@waybill.invalid"

// messagesFrom reads the configuration of messages. A provider is configured whole
// or not at all: half of it would lose messages or callbacks silently.
func messagesFrom(env func(string) string) (m Messages, err error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	set := func(names ...string) bool {
		any := false
		for _, n := range names {
			any = any || env(n) != ""
		}
		for _, n := range names {
			if any && env(n) == "" {
				bad("%s is not set, but others of %s are: a provider is configured whole or not at all", n, strings.Join(names, ", "))
			}
		}
		return any
	}
	perSecond := func(name string, otherwise float64) float64 {
		text := env(name)
		if text == "" {
			return otherwise
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f > 0) || f > 10_000 {
			bad("%s: %q is not a number of requests a second", name, text)
		}
		return f
	}
	m.From = messaging.Address(cmp.Or(env("WAYBILL_MAIL_FROM"), nobody))
	if !m.From.Valid() {
		bad("WAYBILL_MAIL_FROM is no e-mail address")
	}
	if set("WAYBILL_TWILIO_ACCOUNT_SID", "WAYBILL_TWILIO_AUTH_TOKEN", "WAYBILL_TWILIO_FROM") {
		for _, token := range strings.Split(env("WAYBILL_TWILIO_AUTH_TOKEN"), "|") {
			if len(token) < 16 {
				bad("WAYBILL_TWILIO_AUTH_TOKEN: a token is empty or shorter than 16 characters")
			}
			m.TwilioTokens = append(m.TwilioTokens, []byte(token))
		}
		m.Twilio = twilio.Config{AccountSID: env("WAYBILL_TWILIO_ACCOUNT_SID"), Secret: string(m.TwilioTokens[0]), From: env("WAYBILL_TWILIO_FROM"), BaseURL: env("WAYBILL_TWILIO_URL")}
		if set("WAYBILL_TWILIO_KEY_SID", "WAYBILL_TWILIO_KEY_SECRET") {
			m.Twilio.KeySID, m.Twilio.Secret = env("WAYBILL_TWILIO_KEY_SID"), env("WAYBILL_TWILIO_KEY_SECRET")
		}
		if _, err := twilio.New(m.Twilio); err != nil {
			errs = append(errs, err)
		}
	}
	if set("WAYBILL_SENDGRID_API_KEY", "WAYBILL_SENDGRID_WEBHOOK_KEY") {
		if m.From == nobody {
			bad("WAYBILL_MAIL_FROM is not set: the address that mails come from")
		}
		m.SendGrid = sendgrid.Config{Key: env("WAYBILL_SENDGRID_API_KEY"), BaseURL: env("WAYBILL_SENDGRID_URL")}
		for _, text := range strings.Split(env("WAYBILL_SENDGRID_WEBHOOK_KEY"), "|") {
			key, err := sendgrid.Key(text)
			if err != nil {
				errs = append(errs, fmt.Errorf("WAYBILL_SENDGRID_WEBHOOK_KEY: %w", err))
				continue
			}
			m.SendGridKeys = append(m.SendGridKeys, key)
		}
		if _, err := sendgrid.New(m.SendGrid); err != nil {
			errs = append(errs, err)
		}
	}
	m.TwilioRate, m.SendGridRate = perSecond("WAYBILL_TWILIO_PER_SECOND", 1), perSecond("WAYBILL_SENDGRID_PER_SECOND", 10)
	if m.Teams, err = dispatch.ParseTeams(env("WAYBILL_TEAMS")); err != nil {
		bad("WAYBILL_TEAMS: %w", err)
	}
	m.TeamsSecret = []byte(env("WAYBILL_TEAMS_SECRET"))
	for name, t := range m.Teams {
		if t.Webhook != "" && len(m.TeamsSecret) < 16 {
			bad("WAYBILL_TEAMS_SECRET must have at least 16 characters: it signs what goes to the webhook of %s", name)
		}
	}
	return m, errors.Join(errs...)
}

func (p *process) writer() *dispatch.Writer {
	w := &dispatch.Writer{Links: p.links(p.orders.Namespace), From: cmp.Or(p.Messages.From, nobody), Teams: p.Messages.Teams}
	if p.Messages.Twilio.AccountSID != "" {
		w.StatusCallback = w.Links.PublicURL + dispatch.TwilioStatusPath
	}
	return w
}

// callbacks are nil where no provider is configured.
func (p *process) callbacks() *dispatch.Callbacks {
	if len(p.Messages.TwilioTokens) == 0 && len(p.Messages.SendGridKeys) == 0 {
		return nil
	}
	return &dispatch.Callbacks{Store: p.store, Hash: p.writer().Hash, PublicURL: p.PublicURL, TwilioSecrets: p.Messages.TwilioTokens, SendGridKeys: p.Messages.SendGridKeys, Now: time.Now}
}

// ports are the providers by channel.
func (p *process) ports() (map[string]dispatch.Port, error) {
	m := p.Messages
	outbox := messaging.Outbox{Shelf: dispatch.Shelf{Store: p.store}, Now: time.Now}
	ports := map[string]dispatch.Port{
		string(order.Email): dispatch.Mails(dispatch.Outbox, dispatch.Outbox, outbox.Email()),
		string(order.SMS):   dispatch.Texts(dispatch.Outbox, dispatch.Outbox, outbox.SMS()),
	}
	if m.Twilio.AccountSID != "" {
		c, err := twilio.New(m.Twilio)
		if err != nil {
			return nil, err
		}
		ports[string(order.SMS)] = dispatch.Texts(dispatch.Twilio, dispatch.Twilio+" "+m.Twilio.AccountSID+" "+m.Twilio.From, c)
	}
	if m.SendGrid.Key != "" {
		c, err := sendgrid.New(m.SendGrid)
		if err != nil {
			return nil, err
		}
		ports[string(order.Email)] = dispatch.Streamed(dispatch.SendGrid, dispatch.SendGrid+" "+m.SendGrid.Account(), c)
	}
	hooks, err := dispatch.NewHooks(m.Teams, m.TeamsSecret, time.Now)
	if err != nil {
		return nil, err
	}
	ports[string(order.Webhook)] = hooks
	return ports, nil
}

// sendMessages plans and sends until ctx ends; stop waits for what is under way.
// Each channel has a worker of its own, so that a provider that hangs holds up
// neither orders nor the other channels.
func (p *process) sendMessages(ctx context.Context) (stop func(), err error) {
	ports, err := p.ports()
	if err != nil {
		return nil, err
	}
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waybill_messages_total",
		Help: "Messages by channel and what became of them (sent, failed, dropped, unclear, planned: put off, fell_back, and of unclear ones found and not_taken)."}, []string{"channel", "outcome"})
	p.metrics.MustRegister(ended)
	w := p.writer()
	limits := map[string]*rate.Limiter{string(order.SMS): rate.NewLimiter(rate.Limit(p.Messages.TwilioRate), 1), string(order.Email): rate.NewLimiter(rate.Limit(p.Messages.SendGridRate), 1)}
	stops := []func(){}
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	for _, channel := range workflows.MessageChannels() {
		limit := limits[channel]
		if ports[channel].Name() == dispatch.Outbox {
			limit = nil
		}
		s := &dispatch.Sender{Store: p.store, Writer: w, Port: ports[channel], Channel: order.Channel(channel), Rate: limit, Now: time.Now, Log: p.log,
			Ended: func(channel, outcome string) { ended.WithLabelValues(channel, outcome).Inc() }}
		sender := worker.NewSender(p.temporal, channel, &activities.Messages{Sender: s})
		if err := sender.Start(); err != nil {
			stop()
			return nil, fmt.Errorf("messages by %s: %w", channel, err)
		}
		stops = append(stops, sender.Stop)
		p.log.Info("messages", "channel", channel, "through", ports[channel].Name())
	}
	planner := &dispatch.Planner{Store: p.store, Writer: w, Now: time.Now, Log: p.log}
	go planner.Run(ctx)
	go p.startMessages(ctx)
	return stop, nil
}

// startMessages sees to it that each channel is sent by. One that is already goes on.
func (p *process) startMessages(ctx context.Context) {
	for _, channel := range workflows.MessageChannels() {
		p.patiently(ctx, "messages by "+channel+" are not sent yet", func(ctx context.Context) error { return p.orders.StartMessages(ctx, channel) })
	}
}

// messageCollector reads what waits when the metrics are.
type messageCollector struct{ store *store.Store }

var (
	messagesDue     = prometheus.NewDesc("waybill_messages_waiting", "Messages that could go out now.", []string{"channel"}, nil)
	messagesLater   = prometheus.NewDesc("waybill_messages_later", "Messages that are planned for a time to come.", []string{"channel"}, nil)
	messagesUnclear = prometheus.NewDesc("waybill_messages_unclear", "Messages of which nobody knows whether they were sent.", []string{"channel"}, nil)
	messagesOldest  = prometheus.NewDesc("waybill_messages_oldest_seconds", "How long the longest waiting message could have gone out.", []string{"channel"}, nil)
)

// Describe implements prometheus.Collector.
func (c messageCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{messagesDue, messagesLater, messagesUnclear, messagesOldest} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c messageCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	now := time.Now()
	counts, err := c.store.CountMessages(ctx, now)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(messagesDue, err)
		return
	}
	of := map[string]store.MessageCounts{}
	for _, n := range counts {
		of[n.Channel] = n
	}
	for _, channel := range workflows.MessageChannels() {
		n, oldest := of[channel], 0.0
		if n.Oldest != nil {
			oldest = now.Sub(*n.Oldest).Seconds()
		}
		for d, v := range map[*prometheus.Desc]float64{messagesDue: float64(n.Due), messagesLater: float64(n.Later), messagesUnclear: float64(n.Unclear), messagesOldest: oldest} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, channel)
		}
	}
}
