package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// cost is the processor time used so far, by this process (client, api, relay,
// worker, Temporal) and by PostgreSQL. It says more than the clock on a machine
// that others use too.
type cost struct{ here, postgres time.Duration }

func (c cost) sum() time.Duration { return c.here + c.postgres }

func (c cost) since(before cost) cost {
	return cost{c.here - before.here, c.postgres - before.postgres}
}

// costs reads them; on systems without /proc PostgreSQL's is zero. Other servers
// than the one that is measured do not count.
func (b *bench) costs() (c cost) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		c.here = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		f, ok := stat(name)
		if !ok || f[1] != b.postmaster && name != "/proc/"+b.postmaster+"/stat" {
			continue
		}
		for _, i := range []int{11, 12} { // utime, stime
			if n, err := strconv.ParseInt(f[i], 10, 64); err == nil {
				c.postgres += time.Duration(n) * tick
			}
		}
	}
	return c
}

// stat are the fields of a process of PostgreSQL's, from its state on; the second
// is its parent.
func stat(name string) ([]string, bool) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, false // it ended
	}
	_, rest, ok := strings.Cut(string(raw), "(postgres) ")
	f := strings.Fields(rest)
	return f, ok && len(f) > 12
}

// postmasterOf finds the server process, whose children serve the sessions; empty
// where the system does not say.
func postmasterOf(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	var pid int
	if err := pool.QueryRow(ctx, `select pg_backend_pid()`).Scan(&pid); err != nil {
		return "", err
	}
	if f, ok := stat(fmt.Sprintf("/proc/%d/stat", pid)); ok {
		return f[1], nil
	}
	return "", nil
}
