package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is the processor time used so far, by this process (client, api, relay,
// worker, Temporal) and by PostgreSQL. It says more than the clock on a machine
// that others use too.
type cost struct{ here, postgres time.Duration }

// costs reads them; on systems without /proc PostgreSQL's is zero. Sessions that
// ended are counted with the server that had started them.
func costs() (c cost) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		c.here = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // it ended
		}
		_, rest, ok := strings.Cut(string(raw), "(postgres) ")
		if !ok {
			continue
		}
		f := strings.Fields(rest)
		for _, i := range []int{11, 12} { // utime, stime
			if n, err := strconv.ParseInt(f[i], 10, 64); err == nil {
				c.postgres += time.Duration(n) * tick
			}
		}
	}
	return c
}
