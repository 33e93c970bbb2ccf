// Package localpg finds PostgreSQL on this machine, installs it when it may,
// and runs a private cluster: for development and for tests.
package localpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say where the cluster is kept and how it runs.
type Options struct {
	Dir     string // the cluster is in Dir/postgres, downloads beside it
	Port    int
	Install bool // apt-get and npm may be asked
	NoSync  bool // faster, and a crash of the machine loses data: for tests
	Log     *slog.Logger
}

// Folder is the cluster's name in Options.Dir.
const Folder = "postgres"

// Start finds PostgreSQL and starts the cluster in Dir, making it when there is
// none.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir := filepath.Join(o.Dir, Folder)
	major, err := dataMajor(dir)
	if err != nil {
		return nil, err
	}
	found, err := finder{install: o.Install, download: o.Dir, major: major, system: []string{"/usr/lib/postgresql/*/bin"}, log: o.Log}.find(ctx)
	if err != nil {
		return nil, err
	}
	as, err := serverUser(dir) // after an installation, which may bring user postgres
	if err != nil {
		return nil, err
	}
	if as != nil {
		if err := checkTraversable(o.Dir, as); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &Server{binaries: found, dir: dir, port: o.Port, noSync: o.NoSync, as: as}
	o.Log.Info("starting PostgreSQL", "version", found.major, "binaries", found.dir, "data", c.data())
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// StopLeftover stops a server that a killed process left running on the
// cluster in dir.
func StopLeftover(ctx context.Context, dir string) error {
	dir = filepath.Join(dir, Folder)
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	as, err := serverUser(dir)
	if err != nil {
		return err
	}
	return (&Server{dir: dir, as: as}).stopLeftover(ctx)
}

// Secret reads a file's secret, or makes it.
func Secret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(rand.Text() + rand.Text())
		err = os.WriteFile(path, text, 0o600)
	}
	return strings.TrimSpace(string(text)), err
}

// CheckPort says in plain words when a port is not to be had.
func CheckPort(host string, port int, what string) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d, wanted for %s, is in use by another program: stop that one, or move all ports with --port-base", port, what)
	}
	if err != nil {
		return fmt.Errorf("port %d, wanted for %s: %w", port, what, err)
	}
	return l.Close()
}

// FreePorts finds n free ports in a row, for tests: below 32768, where
// Temporal needs them and the kernel does not hand them out to others.
func FreePorts(n int) (first int, err error) {
	for range 100 {
		first = 20000 + mathrand.IntN(12000-n)
		err = nil
		for port := first; port < first+n && err == nil; port++ {
			err = CheckPort("127.0.0.1", port, "a test")
		}
		if err == nil {
			return first, nil
		}
	}
	return 0, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
