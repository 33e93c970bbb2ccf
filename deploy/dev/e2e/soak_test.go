package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/app"
	"github.com/waybillhq/waybill/internal/localpg"
	"github.com/waybillhq/waybill/internal/sim"
)

// TestSoakRealOrdersSurviveTheFallOfEverything is the long run of `make soak`:
// 300 real orders over a year of a second a day, while worker, api, both, and
// with them PostgreSQL and Temporal, are killed again and again.
func TestSoakRealOrdersSurviveTheFallOfEverything(t *testing.T) {
	if os.Getenv("WAYBILL_SOAK") == "" {
		t.Skip("takes about ten minutes; WAYBILL_SOAK=1 runs it")
	}
	data := olistDir(t)
	g := newGround(t)
	r, err := rig.On(t.Context(), g.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s := closed(t, r, "soak")
	s.start()
	s.found()
	crashes := append(s.crashes(), crash{"everything", func() error {
		s.api.Kill()
		s.worker.Kill()
		if err := g.fall(); err != nil {
			return err
		}
		return errors.Join(s.worker.Start(), s.api.Start())
	}})
	s.replay(sim.OlistOptions{Dir: data, Limit: 300, Day: time.Second, Settle: 3 * time.Minute}, crashes, 5*time.Second, 25*time.Second)
	if _, err := r.Command(t.Context(), "replay"); err != nil {
		t.Errorf("%.3000s", err)
	}
}

// ground is the stack in a process of its own, so that it can be killed: the
// command of `make dev`, without the product.
type ground struct {
	t       *testing.T
	dir     string
	process *rig.Process
	starts  int
}

func newGround(t *testing.T) *ground {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-soak-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // PostgreSQL's user must get through
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a temporary folder of a test
	binary := filepath.Join(dir, "dev")
	if err := rig.Build(t.Context(), binary, rig.Product+"/deploy/dev"); err != nil {
		t.Fatal(err)
	}
	port, err := localpg.FreePorts(11)
	if err != nil {
		t.Fatal(err)
	}
	g := &ground{t: t, dir: filepath.Join(dir, "stack")}
	g.process = rig.Command("stack", binary, rig.Environment(app.Config{}), "--infra-only", "--dir", g.dir, "--port-base", strconv.Itoa(port))
	t.Cleanup(func() {
		if err := g.process.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			rig.Tail(t.Output(), "log of the stack", g.process.Log(), 60)
		}
	})
	if err := g.start(); err != nil {
		t.Fatal(err)
	}
	return g
}

// start returns when all of it answers, which it says by printing how to reach it.
func (g *ground) start() error {
	if err := g.process.Start(); err != nil {
		return err
	}
	g.starts++
	return rig.WaitFor(g.t.Context(), 3*time.Minute, func(context.Context) error {
		if said := strings.Count(g.process.Log(), "export TEMPORAL_NAMESPACE="); said < g.starts {
			return fmt.Errorf("the stack has started %d times, wanted %d; it runs: %t", said, g.starts, g.process.Running())
		}
		return nil
	})
}

// fall kills PostgreSQL and Temporal, and starts them again on what is left.
func (g *ground) fall() error {
	text, err := os.ReadFile(filepath.Join(g.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	// Its children would notice, but might end a commit first.
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster)) // where there is such a file
	if err := syscall.Kill(postmaster, syscall.SIGKILL); err != nil {
		return err
	}
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have noticed
		}
	}
	g.process.Kill()
	if err := rig.WaitFor(g.t.Context(), time.Minute, func(context.Context) error {
		if !errors.Is(syscall.Kill(postmaster, 0), syscall.ESRCH) {
			return errors.New("the killed PostgreSQL is still there")
		}
		return nil
	}); err != nil {
		return err
	}
	return g.start()
}

// config is how the stack says that it is reached.
func (g *ground) config() app.Config {
	values := map[string]string{}
	for line := range strings.Lines(g.process.Log()) {
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(setting, "=")
			values[name] = strings.Trim(value, "'")
		}
	}
	return app.Config{
		DatabaseURL: values["WAYBILL_DATABASE_URL"], TemporalAddress: values["TEMPORAL_ADDRESS"], TemporalNamespace: values["TEMPORAL_NAMESPACE"],
		TemporalUIURL: values["WAYBILL_TEMPORAL_UI_URL"], Secret: values["WAYBILL_SECRET"],
	}
}
