package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const postgresUser = "waybill"

// Server is a private PostgreSQL cluster, with its server, in one folder:
//
//	data/       the cluster
//	password    of its superuser
//	server.log
//	.s.PGSQL.N  the socket
type Server struct {
	binaries
	dir    string
	port   int
	noSync bool
	as     *syscall.Credential // who runs the server, when we are root; else nil
}

func (c *Server) data() string { return filepath.Join(c.dir, "data") }

func (c *Server) logFile() string { return filepath.Join(c.dir, "server.log") }

// serverUser picks who runs the server, because PostgreSQL refuses root: the
// owner of the data when there is some, else user postgres, else nobody.
func serverUser(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(dir); err == nil {
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 {
			return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}, nil
		}
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return &syscall.Credential{Uid: 65534, Gid: 65534}, nil
	}
	uid, errU := strconv.ParseUint(u.Uid, 10, 32)
	gid, errG := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(errU, errG); err != nil {
		return nil, fmt.Errorf("user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// checkTraversable says which parent keeps the server's user from its data.
func checkTraversable(dir string, as *syscall.Credential) error {
	for p := dir; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		var bit fs.FileMode = 0o001
		switch {
		case st.Uid == as.Uid:
			bit = 0o100
		case st.Gid == as.Gid:
			bit = 0o010
		}
		if info.Mode()&bit == 0 {
			return fmt.Errorf("run as root, PostgreSQL runs as user %d, which may not enter %s (%s): choose another folder with --dir, or chmod it", as.Uid, p, info.Mode())
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}

// run runs one of PostgreSQL's tools as the server's user. Its own process
// group keeps a Ctrl-C at the terminal away from it.
func (c *Server) run(ctx context.Context, tool string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries.dir, tool), args...)
	cmd.Dir = c.dir // ours may be closed to the server's user
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PGDATA="+c.data())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // it did not fail, we killed it
		}
		return fmt.Errorf("%s %s: %w: %s", tool, args[0], err, lastLines(out, 10))
	}
	return nil
}

// init makes the cluster once.
func (c *Server) init(ctx context.Context) error {
	if _, err := os.Stat(c.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	password := filepath.Join(c.dir, "password")
	if _, err := Secret(password); err != nil {
		return err
	}
	if c.as != nil {
		for _, p := range []string{c.dir, password} {
			if err := os.Chown(p, int(c.as.Uid), int(c.as.Gid)); err != nil {
				return err
			}
		}
	}
	// Renamed when complete, so that a crash leaves no half-made cluster.
	fresh := c.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := c.run(ctx, "initdb", "--pgdata="+fresh, "--username="+postgresUser, "--pwfile="+password,
		"--auth=scram-sha-256", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"); err != nil {
		return err
	}
	main, err := os.OpenFile(filepath.Join(fresh, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = main.WriteString("\ninclude 'waybill.conf' # written at each start\n")
	if err := errors.Join(err, main.Close()); err != nil {
		return err
	}
	return os.Rename(fresh, c.data())
}

func (c *Server) writeConfig() error {
	socket := c.dir
	if len(socket)+len("/.s.PGSQL.65535") > 107 { // the kernel's limit for a socket's path
		socket = ""
	}
	conf := fmt.Sprintf("port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n",
		c.port, strings.ReplaceAll(socket, "'", "''"))
	// 10,000 open orders, with Temporal's histories and its visibility, outgrow 256 MB:
	// each event then cost a tenth more. Memory is taken as it is used.
	buffers := "1GB"
	if c.noSync {
		buffers = "256MB"
		conf += "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"
	}
	conf += "max_connections = 300\nshared_buffers = " + buffers + "\nmax_wal_size = 2GB\n"
	path := filepath.Join(c.data(), "waybill.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644) // whatever our umask is, the server's user reads it
}

// start starts the server and waits until it takes connections.
func (c *Server) start(ctx context.Context) error {
	if err := c.init(ctx); err != nil {
		return fmt.Errorf("make the cluster: %w", err)
	}
	if err := c.stopLeftover(ctx); err != nil {
		return err
	}
	if err := CheckPort("127.0.0.1", c.port, "PostgreSQL"); err != nil {
		return err
	}
	if err := c.writeConfig(); err != nil {
		return err
	}
	// The children of a postmaster that was killed need a moment to notice.
	for deadline := time.Now().Add(10 * time.Second); ; {
		size := fileSize(c.logFile())
		err := c.run(ctx, "pg_ctl", "start", "--wait", "--timeout=60", "--log="+c.logFile())
		if err == nil {
			return nil
		}
		said := readFrom(c.logFile(), size)
		waits := bytes.Contains(said, []byte("pre-existing shared memory block")) || bytes.Contains(said, []byte("already exists"))
		if !waits || time.Now().After(deadline) {
			return fmt.Errorf("%w\nserver log, %s:\n%s", err, c.logFile(), lastLines(said, 10))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// Stop ends the server; its data stays.
func (c *Server) Stop(ctx context.Context) error {
	return c.run(ctx, "pg_ctl", "stop", "--wait", "--mode=fast", "--timeout=30")
}

// stopLeftover clears what a killed stack left: a server that still runs is
// stopped, so that the new one starts with this start's port and settings.
func (c *Server) stopLeftover(ctx context.Context) error {
	pidFile := filepath.Join(c.data(), "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 {
		return fmt.Errorf("%s holds no process number: %q", pidFile, line)
	}
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil // PostgreSQL itself replaces the file of a dead server
	}
	if !c.worksHere(pid) {
		// The number was given away again, and PostgreSQL would refuse to start.
		return os.Remove(pidFile)
	}
	if err := c.Stop(ctx); err != nil {
		return fmt.Errorf("stop the server that an earlier run left: %w", err)
	}
	return nil
}

// worksHere tells whether a living process is this cluster's server: a server
// works in its data folder. Where there is no /proc the number has to do.
func (c *Server) worksHere(pid int) bool {
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		return true
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == c.data()
}

// URL of a database on the server.
func (c *Server) URL(database string) (string, error) {
	password, err := Secret(filepath.Join(c.dir, "password"))
	if err != nil {
		return "", err
	}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(postgresUser, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String(), nil
}

// dataMajor is the version that made the data, 0 when there is none yet.
func dataMajor(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "data", "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("PG_VERSION: %w", err)
	}
	return major, nil
}

func fileSize(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

func readFrom(path string, offset int64) []byte {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) < offset {
		return nil
	}
	return text[offset:]
}
