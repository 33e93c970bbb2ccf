package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybillhq/waybill/deploy/dev/stack"
	"github.com/waybillhq/waybill/internal/app"
)

type access = app.DevAccess

// product is Waybill itself, set up for a stack.
type product struct {
	config app.Config
	log    *slog.Logger
}

func searchAttributes() map[string]enumspb.IndexedValueType { return app.SearchAttributes() }

// newProduct also makes this process forget any other Temporal (its TLS, API
// key, profile) that the shell it was started from is set up for.
func newProduct(s *stack.Stack, host string, port int, log *slog.Logger) (*product, error) {
	secret, err := s.Secret()
	if err != nil {
		return nil, err
	}
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "TEMPORAL_") {
			if err := os.Unsetenv(name); err != nil {
				return nil, err
			}
		}
	}
	if err := os.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull); err != nil {
		return nil, err
	}
	return &product{log: log, config: app.Config{
		DatabaseURL:       s.DatabaseURL(),
		Listen:            net.JoinHostPort(host, strconv.Itoa(port)),
		PublicURL:         "http://" + net.JoinHostPort(stack.BrowserHost(host), strconv.Itoa(port)),
		TemporalAddress:   s.TemporalAddress(),
		TemporalNamespace: s.Namespace(),
		TemporalUIURL:     s.UIURL(),
		Secret:            secret,
	}}, nil
}

func (p *product) listen() string { return p.config.Listen }

func (p *product) publicURL() string { return p.config.PublicURL }

func (p *product) migrate(ctx context.Context) error { return app.Migrate(ctx, p.config, p.log) }

func (p *product) access(ctx context.Context) (access, error) { return app.DevKeys(ctx, p.config) }

func (p *product) serve(ctx context.Context) error {
	return app.Serve(ctx, p.config, p.log, "api", "worker")
}

func (p *product) demo(ctx context.Context, a access) error {
	return app.Demo(ctx, p.config, a, p.log)
}

type variable struct{ name, value string }

// environment is the configuration as app.FromEnv reads it.
func (p *product) environment() []variable {
	return []variable{
		// Not DATABASE_URL: this command itself would take it for a server of yours.
		{"WAYBILL_DATABASE_URL", p.config.DatabaseURL},
		{"WAYBILL_LISTEN", p.config.Listen},
		{"WAYBILL_PUBLIC_URL", p.config.PublicURL},
		{"WAYBILL_TEMPORAL_UI_URL", p.config.TemporalUIURL},
		{"WAYBILL_SECRET", p.config.Secret},
		{"TEMPORAL_ADDRESS", p.config.TemporalAddress},
		{"TEMPORAL_NAMESPACE", p.config.TemporalNamespace},
	}
}
