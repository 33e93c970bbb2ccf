// Package app wires the product together; nothing else does.
package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/carriers/generic"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// Config is everything that a process is told from outside. How to reach
// Temporal beyond address and namespace (TLS, API key, profile) is read by
// Temporal's own envconfig: TEMPORAL_* and temporal.toml.
type Config struct {
	DatabaseURL       string // WAYBILL_DATABASE_URL, or DATABASE_URL
	Listen            string // WAYBILL_LISTEN
	PublicURL         string // WAYBILL_PUBLIC_URL: what buyers and staff type
	TemporalAddress   string // TEMPORAL_ADDRESS
	TemporalNamespace string // TEMPORAL_NAMESPACE
	TemporalUIURL     string // WAYBILL_TEMPORAL_UI_URL, for links to histories
	Secret            string // WAYBILL_SECRET: signs tracking links and console sessions
	// WebhookSecrets by carrier, WAYBILL_WEBHOOK_SECRETS: "ups=secret,fedex=new|old".
	WebhookSecrets map[string][][]byte
	RawDays        int // WAYBILL_RAW_DAYS: how long the bodies of webhooks are kept; 0: 30
	// Credentials at carriers, from the file that WAYBILL_CARRIERS_FILE names.
	Credentials []ask.Credential
	// Carriers that are spoken with; nil: those that are built in. Those of
	// WAYBILL_CARRIER_MAPPINGS, a directory of mapping files, are beside them.
	Carriers carriers.Registry
	// EDIFolder is watched for carriers' files, WAYBILL_EDI_FOLDER; empty: none is.
	EDIFolder string
	// StorefrontSecrets by the name that a store gives, WAYBILL_STOREFRONT_SECRETS:
	// "acme=secret,bolt=secret". They sign what storefronts are asked.
	StorefrontSecrets map[string][]byte
	// StorefrontsLocal, WAYBILL_STOREFRONTS_LOCAL=true: storefronts may be asked
	// over plain http and at private addresses. Development, or one's own network.
	StorefrontsLocal bool
	// Messages says by whom messages are sent; the zero value keeps them all in the
	// local outbox.
	Messages Messages
	// LearnAt is when rhythms are learned, WAYBILL_LEARN_AT: "03:30", UTC.
	LearnAt order.TimeOfDay
}

// learnAt is a quiet time in most places that ship much.
const learnAt = "03:30"

// rawDays is enough for a carrier to answer a question about what it sent.
const rawDays = 30

// FromEnv reads the configuration and names everything that is wrong with it.
func FromEnv() (Config, error) {
	env := func(name, otherwise string) string { return cmp.Or(os.Getenv(name), otherwise) }
	c := Config{
		DatabaseURL:       env("WAYBILL_DATABASE_URL", os.Getenv("DATABASE_URL")),
		Listen:            env("WAYBILL_LISTEN", "127.0.0.1:8080"),
		PublicURL:         strings.TrimSuffix(env("WAYBILL_PUBLIC_URL", "http://127.0.0.1:8080"), "/"),
		TemporalAddress:   os.Getenv("TEMPORAL_ADDRESS"),
		TemporalNamespace: os.Getenv("TEMPORAL_NAMESPACE"),
		TemporalUIURL:     strings.TrimSuffix(env("WAYBILL_TEMPORAL_UI_URL", "http://127.0.0.1:8233"), "/"),
		Secret:            os.Getenv("WAYBILL_SECRET"),
		EDIFolder:         os.Getenv("WAYBILL_EDI_FOLDER"),
		StorefrontsLocal:  os.Getenv("WAYBILL_STOREFRONTS_LOCAL") == "true",
	}
	var mappings, secrets, accounts error
	c.Carriers, mappings = registry(os.Getenv("WAYBILL_CARRIER_MAPPINGS"))
	c.WebhookSecrets, secrets = webhookSecrets(os.Getenv("WAYBILL_WEBHOOK_SECRETS"), c.Carriers)
	var fronts error
	c.StorefrontSecrets, fronts = storefrontSecrets(os.Getenv("WAYBILL_STOREFRONT_SECRETS"))
	c.Credentials, accounts = credentials(os.Getenv("WAYBILL_CARRIERS_FILE"))
	var days error
	if c.RawDays, days = strconv.Atoi(env("WAYBILL_RAW_DAYS", strconv.Itoa(rawDays))); days != nil || c.RawDays < 1 {
		days = fmt.Errorf("WAYBILL_RAW_DAYS: %q is not a number of days, 1 or more", os.Getenv("WAYBILL_RAW_DAYS"))
	}
	var sending error
	c.Messages, sending = messagesFrom(os.Getenv)
	learn := c.LearnAt.UnmarshalText([]byte(env("WAYBILL_LEARN_AT", learnAt)))
	if learn != nil || c.LearnAt >= 24*60 {
		learn = fmt.Errorf("WAYBILL_LEARN_AT: %q is not a time of day like %s", os.Getenv("WAYBILL_LEARN_AT"), learnAt)
	}
	return c, errors.Join(mappings, secrets, accounts, fronts, days, learn, sending, c.validate())
}

// storefrontSecrets reads "acme=secret,bolt=secret". A short one could be guessed
// from a single request.
func storefrontSecrets(text string) (map[string][]byte, error) {
	secrets := map[string][]byte{}
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		name, secret, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if name == "" || len(secret) < 16 {
			return nil, fmt.Errorf("WAYBILL_STOREFRONT_SECRETS: the entry of %q is not name=secret with at least 16 characters of secret", name)
		}
		secrets[name] = []byte(secret)
	}
	return secrets, nil
}

// registry is the carriers that are built in and those of a directory of mapping
// files, if one is named. One bad file is an error: a carrier that silently is not
// there loses its events.
func registry(dir string) (carriers.Registry, error) {
	known := all.Adapters()
	if dir == "" {
		return known, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return known, fmt.Errorf("WAYBILL_CARRIER_MAPPINGS: %w", err)
	}
	var errs []error
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if ext := filepath.Ext(name); e.IsDir() || strings.HasPrefix(e.Name(), ".") || ext != ".yaml" && ext != ".yml" {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("WAYBILL_CARRIER_MAPPINGS: %w", err))
			continue
		}
		a, err := generic.Parse(raw)
		if err != nil {
			errs = append(errs, fmt.Errorf("WAYBILL_CARRIER_MAPPINGS: %s: %w", name, err))
			continue
		}
		if _, err := known.Find(a.Name()); err == nil {
			errs = append(errs, fmt.Errorf("WAYBILL_CARRIER_MAPPINGS: %s: carrier: there is a %s already", name, a.Name()))
			continue
		}
		known = append(known, a)
	}
	return known, errors.Join(errs...)
}

// webhookSecrets reads "ups=secret,fedex=new|old": two secrets of a carrier are
// both active while one replaces the other. An empty one would let anybody in.
func webhookSecrets(text string, known carriers.Registry) (map[string][][]byte, error) {
	secrets := map[string][][]byte{}
	if text == "" {
		return secrets, nil
	}
	for i, entry := range strings.Split(text, ",") {
		name, list, ok := strings.Cut(strings.TrimSpace(entry), "=")
		a, err := known.Find(name)
		if !ok || err != nil || !carriers.Can(a, carriers.CanVerifyPush) {
			// Not shown: it may be what follows a comma in a secret.
			return nil, fmt.Errorf("WAYBILL_WEBHOOK_SECRETS: entry %d is not carrier=secret with a carrier that `waybill carriers list` says can %s; secrets have no commas", i+1, carriers.CanVerifyPush)
		}
		for _, s := range strings.Split(list, "|") {
			if len(s) < 8 {
				return nil, fmt.Errorf("WAYBILL_WEBHOOK_SECRETS: a secret of %s is empty or shorter than 8 characters", name)
			}
			secrets[name] = append(secrets[name], []byte(s))
		}
	}
	return secrets, nil
}

func (c Config) validate() error {
	var errs []error
	if c.DatabaseURL == "" {
		errs = append(errs, errors.New("WAYBILL_DATABASE_URL is not set: the PostgreSQL database, like postgres://user:password@host:5432/waybill"))
	}
	for name, u := range map[string]string{"WAYBILL_PUBLIC_URL": c.PublicURL, "WAYBILL_TEMPORAL_UI_URL": c.TemporalUIURL} {
		if p, err := url.Parse(u); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s is not a web address: %q", name, u))
		}
	}
	if len(c.Secret) < 32 {
		errs = append(errs, errors.New("WAYBILL_SECRET must have at least 32 characters: it signs tracking links and sessions; make one with `openssl rand -base64 32` and keep it"))
	}
	return errors.Join(errs...)
}

// LogValue keeps secrets out of logs.
func (c Config) LogValue() slog.Value {
	database := "unreadable"
	if u, err := url.Parse(c.DatabaseURL); err == nil {
		database = u.Redacted()
	}
	return slog.GroupValue(slog.String("database", database), slog.String("listen", c.Listen), slog.String("public_url", c.PublicURL),
		slog.String("temporal", c.TemporalAddress), slog.String("namespace", c.TemporalNamespace), slog.String("temporal_ui", c.TemporalUIURL))
}

func (c Config) links(namespace string) links.Links {
	return links.Links{PublicURL: c.PublicURL, TemporalUIURL: c.TemporalUIURL, Namespace: namespace, Secret: []byte(c.Secret)}
}

// temporal is how to reach Temporal: its own configuration, then ours on top.
func (c Config) temporal(l *slog.Logger) (client.Options, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return o, fmt.Errorf("temporal configuration: %w", err)
	}
	o.HostPort = cmp.Or(c.TemporalAddress, o.HostPort)
	o.Namespace = cmp.Or(c.TemporalNamespace, o.Namespace, "default")
	o.Logger = log.NewStructuredLogger(l)
	return o, nil
}

// SearchAttributes that the namespace must have.
func SearchAttributes() map[string]enumspb.IndexedValueType { return workflows.SearchAttributes() }
