// Package stack runs what Waybill stands on, for development, end-to-end tests
// and benchmarks: a private PostgreSQL, the Temporal server in this process,
// and its Web UI.
package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybillhq/waybill/internal/localpg"
)

// Options say what to run and where. Zero values are good but for the ports.
type Options struct {
	Dir             string // state folder; "" is DefaultDir
	Host            string // what the Web UI listens on; "" is 127.0.0.1. PostgreSQL and Temporal, which lets anybody in, never leave 127.0.0.1
	PostgresPort    int
	TemporalPort    int    // and the three after it, all below 32768
	UIPort          int    // 0: no Web UI
	DatabaseURL     string // a server to use, instead of starting one
	InstallPostgres bool   // apt-get and npm may be asked for PostgreSQL
	NoSync          bool   // faster, and a crash of the machine loses data: for tests

	Namespace        string // "" is waybill-dev
	SearchAttributes map[string]enumspb.IndexedValueType

	Log *slog.Logger // nil is slog.Default
}

// Stack is a running stack.
type Stack struct {
	dir         string
	databaseURL string
	temporal    *temporalServer
	ui          *webUI
	closers     []func() error // run last to first
}

const (
	appDatabase = "waybill"

	// In the state folder.
	secretFile  = "secret"
	temporalLog = "temporal.log"
)

// DefaultDir is where data lives when nobody says otherwise. Root's home is
// closed to the user that PostgreSQL then runs as.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/waybill-dev", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "waybill-dev"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "waybill-dev"), nil
}

// Start starts the stack, with the data of the last run if there is any, and
// returns when all of it answers.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	o.Host = cmp.Or(o.Host, "127.0.0.1")
	o.Namespace = cmp.Or(o.Namespace, "waybill-dev")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Stack{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var unlock func() error
	if s.dir, unlock, err = lockDir(o.Dir); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, unlock)
	if err := checkTemporalPorts(o.TemporalPort); err != nil {
		return nil, err
	}

	server := o.DatabaseURL
	pools := poolSizes{main: 10, visibility: 5} // somebody else's server may allow 100 in all
	if server == "" {
		if server, err = s.startPostgres(ctx, o); err != nil {
			return nil, fmt.Errorf("PostgreSQL: %w", err)
		}
		pools = poolSizes{main: 30, visibility: 10}
	}
	if err := createDatabases(ctx, server, appDatabase, temporalDatabase, visibilityDatabase); err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	if s.databaseURL, err = withDatabase(server, appDatabase); err != nil {
		return nil, err
	}
	release, err := claimTemporal(ctx, server)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, release)

	if s.temporal, err = startTemporal(ctx, o, server, pools, filepath.Join(s.dir, temporalLog)); err != nil {
		return nil, fmt.Errorf("temporal: %w", err)
	}
	s.closers = append(s.closers, s.temporal.stop)
	if o.UIPort != 0 {
		if s.ui, err = startUI(ctx, o, s.TemporalAddress()); err != nil {
			return nil, fmt.Errorf("the Web UI: %w", err)
		}
		s.closers = append(s.closers, s.ui.stop)
	}
	return s, nil
}

func (s *Stack) startPostgres(ctx context.Context, o Options) (string, error) {
	server, err := localpg.Start(ctx, localpg.Options{Dir: s.dir, Port: o.PostgresPort, Install: o.InstallPostgres, NoSync: o.NoSync, Log: o.Log})
	if err != nil {
		return "", err
	}
	s.closers = append(s.closers, func() error { return server.Stop(context.Background()) })
	return server.URL("postgres")
}

// Close stops everything in order, PostgreSQL last.
func (s *Stack) Close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}

// Dir is the state folder.
func (s *Stack) Dir() string { return s.dir }

// DatabaseURL is the application's own database.
func (s *Stack) DatabaseURL() string { return s.databaseURL }

// TemporalAddress is host:port of Temporal's frontend.
func (s *Stack) TemporalAddress() string { return s.temporal.address }

// Namespace is the Temporal namespace that was made ready.
func (s *Stack) Namespace() string { return s.temporal.namespace }

// UIURL is the Web UI's address, "" when it does not run.
func (s *Stack) UIURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url
}

// Secret is a random secret for the application, the same at each start.
func (s *Stack) Secret() (string, error) { return localpg.Secret(filepath.Join(s.dir, secretFile)) }

// Reset deletes the data in a state folder. Downloaded binaries stay.
func Reset(ctx context.Context, dir string) error {
	dir, unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := localpg.StopLeftover(ctx, dir); err != nil {
		return err
	}
	// By name: a --dir given by mistake must not cost anybody anything else.
	for _, name := range []string{localpg.Folder, secretFile, temporalLog} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// lockDir makes the state folder and takes it for this process alone.
func lockDir(dir string) (_ string, unlock func() error, err error) {
	if dir == "" {
		if dir, err = DefaultDir(); err != nil {
			return "", nil, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(lock.Name()) // only to name it
		lock.Close()
		return "", nil, fmt.Errorf("another stack (process %s) uses %s: stop it first, or choose another folder with --dir and other ports with --port-base", strings.TrimSpace(string(holder)), dir)
	}
	if err == nil {
		err = lock.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(lock, os.Getpid())
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), lock.Close())
	}
	return dir, lock.Close, nil
}

func withDatabase(server, database string) (string, error) {
	u, err := parseDatabaseURL(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

func parseDatabaseURL(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		// The error would repeat the address, and the password in it.
		return nil, errors.New("DATABASE_URL is not a valid URL")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("DATABASE_URL must look like postgres://user:password@host:5432/postgres")
	}
	return u, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// waitFor calls probe until it succeeds; limit bounds the whole.
func waitFor(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}
