// Package rig runs the real product for tests: the binary, built once, as
// separate processes on an ephemeral stack, with everything at hand that a test
// needs to look behind it or to hurt it.
package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"

	"github.com/waybillhq/waybill/deploy/dev/stack"
	"github.com/waybillhq/waybill/internal/app"
	"github.com/waybillhq/waybill/internal/localpg"
	"github.com/waybillhq/waybill/workflows"
)

// Product is the module under test; its root is the binary.
const Product = "github.com/waybillhq/waybill"

// Rig is a running stack with a migrated database, and the binary to run on it.
type Rig struct {
	// Config reaches PostgreSQL and Temporal through the two proxies, so that
	// any process can be cut off. The rig itself looks past them.
	Config   app.Config
	Postgres *Proxy
	Frontend *Proxy // Temporal's

	Access   app.DevAccess
	API      *API
	DB       *pgxpool.Pool
	Temporal client.Client
	Orders   *workflows.Client

	binary  string
	closers []func() error // run last to first
}

// Start makes an ephemeral stack in a folder of its own and builds the product.
func Start(ctx context.Context) (_ *Rig, err error) {
	r := &Rig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	dir, err := r.tempDir()
	if err != nil {
		return nil, err
	}
	port, err := localpg.FreePorts(5)
	if err != nil {
		return nil, err
	}
	s, err := stack.Start(ctx, stack.Options{
		Dir: filepath.Join(dir, "stack"), PostgresPort: port, TemporalPort: port + 1, NoSync: true, InstallPostgres: true,
		SearchAttributes: app.SearchAttributes(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, s.Close)
	secret, err := s.Secret()
	if err != nil {
		return nil, err
	}
	return r, r.finish(ctx, dir, app.Config{
		DatabaseURL: s.DatabaseURL(), TemporalAddress: s.TemporalAddress(), TemporalNamespace: s.Namespace(), TemporalUIURL: "http://127.0.0.1:1", Secret: secret,
	})
}

// On uses a stack that runs already, in another process: config says where.
func On(ctx context.Context, config app.Config) (_ *Rig, err error) {
	r := &Rig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	dir, err := r.tempDir()
	if err != nil {
		return nil, err
	}
	return r, r.finish(ctx, dir, config)
}

func (r *Rig) tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "waybill-rig-")
	if err != nil {
		return "", err
	}
	r.closers = append(r.closers, func() error { return os.RemoveAll(dir) })
	return dir, os.Chmod(dir, 0o755) // PostgreSQL's user must get through
}

// finish sets everything up that is not the stack itself.
func (r *Rig) finish(ctx context.Context, dir string, direct app.Config) (err error) {
	if r.Postgres, err = NewProxy(databaseHost(direct.DatabaseURL)); err != nil {
		return err
	}
	r.closers = append(r.closers, r.Postgres.Close)
	if r.Frontend, err = NewProxy(direct.TemporalAddress); err != nil {
		return err
	}
	r.closers = append(r.closers, r.Frontend.Close)
	apiPort, err := localpg.FreePorts(1)
	if err != nil {
		return err
	}
	r.Config = direct
	r.Config.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(apiPort))
	r.Config.PublicURL = "http://" + r.Config.Listen
	r.Config.DatabaseURL = strings.Replace(direct.DatabaseURL, databaseHost(direct.DatabaseURL), r.Postgres.Address(), 1)
	r.Config.TemporalAddress = r.Frontend.Address()

	r.binary = filepath.Join(dir, "waybill")
	if err := Build(ctx, r.binary, Product); err != nil {
		return err
	}
	if _, err := r.Command(ctx, "migrate"); err != nil {
		return err
	}
	if r.Access, err = app.DevKeys(ctx, r.Config); err != nil {
		return err
	}
	r.API = &API{Base: "http://" + r.Config.Listen, Keys: r.Access.Keys}
	if r.DB, err = pgxpool.New(ctx, direct.DatabaseURL); err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { r.DB.Close(); return nil })
	r.Temporal, err = client.NewLazyClient(client.Options{HostPort: direct.TemporalAddress, Namespace: direct.TemporalNamespace, Identity: "rig",
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { r.Temporal.Close(); return nil })
	r.Orders = &workflows.Client{Temporal: r.Temporal, Namespace: direct.TemporalNamespace}
	return nil
}

// databaseHost is the host:port of a database URL. stack makes these URLs
// itself; they always name both.
func databaseHost(url string) string {
	_, rest, _ := strings.Cut(url, "@")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// Build compiles the command that is the root of a module, with the versions
// that this module itself asks for.
func Build(ctx context.Context, to, module string) error {
	dir, err := ModuleDir(ctx, module)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", module, err, out)
	}
	return nil
}

// ModuleDir is where the source of a module is.
func ModuleDir(ctx context.Context, module string) (string, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", module, err)
	}
	return strings.TrimSpace(string(dir)), nil
}

// Close stops the stack and deletes its folder. Processes are their starter's.
func (r *Rig) Close() error {
	var errs []error
	for len(r.closers) > 0 {
		last := len(r.closers) - 1
		errs = append(errs, r.closers[last]())
		r.closers = r.closers[:last]
	}
	return errors.Join(errs...)
}

// Command runs the product's binary to its end and returns what it printed.
func (r *Rig) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, r.binary, args...)
	cmd.Env = Environment(r.Config)
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("waybill %s: %w\n%s%s", args[0], err, out, errOut.String())
	}
	return string(out), nil
}

// WebhookSecret is what UPS, FedEx and EasyPost sign with here.
const WebhookSecret = "a secret of the rig's carriers"

// StorefrontSecretName names the secret that storefronts are asked with here.
const StorefrontSecretName = "rig"

// Environment is ours without any configuration that the shell brought along,
// and with config as app.FromEnv reads it.
func Environment(config app.Config) []string {
	var env []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TEMPORAL_") && !strings.HasPrefix(setting, "WAYBILL_") && !strings.HasPrefix(setting, "DATABASE_URL=") {
			env = append(env, setting)
		}
	}
	return append(env,
		"TEMPORAL_CONFIG_FILE="+os.DevNull,
		"WAYBILL_LOG=debug",
		"WAYBILL_DATABASE_URL="+config.DatabaseURL,
		"WAYBILL_LISTEN="+config.Listen,
		"WAYBILL_PUBLIC_URL="+config.PublicURL,
		"WAYBILL_TEMPORAL_UI_URL="+config.TemporalUIURL,
		"WAYBILL_SECRET="+config.Secret,
		"WAYBILL_WEBHOOK_SECRETS=ups="+WebhookSecret+",fedex="+WebhookSecret+",easypost="+WebhookSecret+",usps="+WebhookSecret,
		"WAYBILL_STOREFRONT_SECRETS="+StorefrontSecretName+"=0123456789abcdef", "WAYBILL_STOREFRONTS_LOCAL=true",
		"TEMPORAL_ADDRESS="+config.TemporalAddress,
		"TEMPORAL_NAMESPACE="+config.TemporalNamespace,
	)
}

// Run starts `waybill role` as a process of its own, with more settings if any.
func (r *Rig) Run(role string, more ...string) (*Process, error) {
	p := &Process{Name: role, path: r.binary, args: []string{role}, env: append(Environment(r.Config), more...)}
	return p, p.Start()
}

// WaitFor calls probe until it returns nil; limit bounds the whole. The error is
// the last one that probe gave.
func WaitFor(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Tail writes the last lines of a log that are more than a request that went well.
func Tail(w io.Writer, title, log string, lines int) {
	var kept []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"level":"DEBUG"`) {
			kept = append(kept, line)
		}
	}
	if cut := len(kept) - lines; cut > 0 {
		kept = append([]string{fmt.Sprintf("(%d lines before)\n", cut)}, kept[cut:]...)
	}
	fmt.Fprintf(w, "---- %s\n%s", title, strings.Join(kept, ""))
}
