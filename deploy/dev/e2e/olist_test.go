package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/sim"
)

// olistDir is where the data set of real orders is; the test is skipped without.
func olistDir(t *testing.T) string {
	t.Helper()
	candidates := []string{"../../../../shared/data/olist"}
	if dir := os.Getenv("WAYBILL_DATA"); dir != "" {
		candidates = []string{dir, filepath.Join(dir, "olist")}
	}
	for _, dir := range candidates {
		if found, err := filepath.Glob(filepath.Join(dir, "olist_orders*.csv.gz")); err == nil && len(found) > 0 {
			return dir
		}
	}
	t.Skipf("the Olist data set is not in %s; set WAYBILL_DATA to the folder that holds it", strings.Join(candidates, " or "))
	return ""
}

// crash is one way to fall down and get up again.
type crash struct {
	name string
	do   func() error
}

func (s *shop) crashes() []crash {
	return []crash{
		{"worker", s.worker.Restart},
		{"api", s.api.Restart},
		{"both", func() error {
			s.api.Kill()
			s.worker.Kill()
			return errors.Join(s.worker.Start(), s.api.Start())
		}},
	}
}

func TestRealOrdersSurviveEveryCrash(t *testing.T) {
	s := open(t, "crash")
	s.replay(sim.OlistOptions{Dir: olistDir(t), Limit: 60, Day: 60 * time.Millisecond, Settle: 90 * time.Second}, s.crashes(), 500*time.Millisecond, 2500*time.Millisecond)
}

// replay runs real orders through the product while it crashes at random
// moments, from the first post to the last, each crash in turn. Then nothing may
// be lost, doubled or different from the data set.
func (s *shop) replay(o sim.OlistOptions, crashes []crash, least, most time.Duration) {
	s.Helper()
	seed, err := strconv.ParseUint(os.Getenv("WAYBILL_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	s.Logf("crash moments have the seed %d; WAYBILL_SEED sets it", seed)
	moments := rand.New(rand.NewPCG(seed, 0))

	var out posting
	out.over = make(chan struct{})
	o.BaseURL, o.Keys, o.Store, o.Out = s.API.Base, sim.Keys(s.Access.Keys), s.store, &out
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	fallen := make(chan int, 1)
	go func() {
		n := 0
		defer func() { fallen <- n }()
		for {
			select {
			case <-time.After(least + time.Duration(moments.Int64N(int64(most-least)))):
			case <-out.over:
				return
			case <-ctx.Done():
				return
			}
			c := crashes[n%len(crashes)]
			if err := c.do(); err != nil {
				s.Errorf("crash of %s: %v", c.name, err)
				return
			}
			n++
		}
	}()
	report, err := sim.Olist(ctx, o)
	cancel()
	n := <-fallen
	s.Logf("%d crashes\n%s", n, out.String())
	if err != nil {
		s.Fatal(err)
	}
	if report.Lost != 0 || report.Doubled != 0 || report.Agree != report.Data.Orders || !report.Settled {
		s.Errorf("lost %d, doubled %d, %d of %d agree", report.Lost, report.Doubled, report.Agree, report.Data.Orders)
	}
	for _, p := range []*rig.Process{s.api, s.worker} {
		if !p.Running() {
			s.Errorf("%s ended by itself", p.Name)
		}
	}
	if n < 2*len(crashes) {
		s.Errorf("only %d crashes while the run lasted", n)
	}
	s.agrees()
	s.toldBuyers(3*time.Second, "confirmation email", "delivered email")
	if have := s.count(`select count(*) from inbox where source in ('warehouse', 'carrier:sim', 'carrier:sim-express') and event_id like $1`, "%"+s.store+"-%"); have != report.Tally.Taken() {
		s.Errorf("%d facts in the inbox, %d were accepted", have, report.Tally.Taken())
	}
}

// posting keeps the simulator's words and notices when it has posted everything.
type posting struct {
	mu   sync.Mutex
	text bytes.Buffer
	over chan struct{}
	done bool
}

func (p *posting) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.HasPrefix(b, []byte("All posted.")) && !p.done {
		p.done = true
		close(p.over)
	}
	return p.text.Write(b)
}

func (p *posting) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// TestTheHistoriesOfThisRunReplay comes last: with everything that the tests
// before it did to these orders, their histories replay with this binary.
func TestTheHistoriesOfThisRunReplay(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := one.Command(ctx, "replay")
	if err != nil {
		t.Fatalf("%.3000s", err)
	}
	var good, all int
	if _, err := fmt.Sscanf(out, "%d of %d histories replay", &good, &all); err != nil || good != all || all == 0 {
		t.Errorf("%v: %s", err, out)
	}
	t.Log(strings.TrimSpace(out))
}
