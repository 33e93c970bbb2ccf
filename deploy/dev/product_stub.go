//go:build !waybill_app

package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybillhq/waybill/deploy/dev/stack"
)

type access = DevAccess

// product is Waybill itself, set up for a stack.
type product struct {
	config Config
	log    *slog.Logger
}

func searchAttributes() map[string]enumspb.IndexedValueType { return app.SearchAttributes() }

func newProduct(s *stack.Stack, host string, port int, log *slog.Logger) (*product, error) {
	secret, err := s.Secret()
	if err != nil {
		return nil, err
	}
	return &product{log: log, config: Config{
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

// app stands in for internal/app until that package exists.
var app appStub

type appStub struct{}

type Config struct {
	DatabaseURL, Listen, PublicURL, TemporalAddress, TemporalNamespace, TemporalUIURL, Secret string
}

type DevAccess struct {
	Keys       map[string]string
	ConsoleURL string
}

func (appStub) SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{"OrderStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD}
}

func (appStub) Migrate(context.Context, Config, *slog.Logger) error { return nil }

func (appStub) DevKeys(context.Context, Config) (DevAccess, error) {
	return DevAccess{Keys: map[string]string{"stub": "none"}, ConsoleURL: "(stub)"}, nil
}

func (appStub) Serve(ctx context.Context, c Config, log *slog.Logger, roles ...string) error {
	srv := &http.Server{Addr: c.Listen}
	go func() { <-ctx.Done(); _ = srv.Close() }()
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func (appStub) Demo(ctx context.Context, c Config, a DevAccess, log *slog.Logger) error {
	<-ctx.Done()
	return nil
}
