package sim

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// watch writes how the run goes until ctx ends: one line rewritten on a
// terminal, else a plain line every ten seconds. It returns a function that
// waits until the last line is out.
func (r *runner) watch(ctx context.Context, out io.Writer, terminal bool) (done func()) {
	finished := make(chan struct{})
	every := 10 * time.Second
	if terminal {
		every = 200 * time.Millisecond
	}
	go func() {
		defer close(finished)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				if terminal {
					fmt.Fprintf(out, "\r%s\033[K\n", r.line(true))
				}
				return
			case <-tick.C:
				if terminal {
					fmt.Fprintf(out, "\r%s\033[K", r.line(true))
				} else {
					fmt.Fprintln(out, r.line(false))
				}
			}
		}
	}()
	return func() { <-finished }
}

func (r *runner) line(bar bool) string {
	t, delivered, at := r.snapshot()
	date := "not begun"
	if at.Unix() > 0 {
		date = r.plan.Clock.Back(at).Format(time.DateOnly)
	}
	s := fmt.Sprintf("%s  posted %d/%d  orders %d/%d  delivered %d", date, t.Posted, r.plan.Counts.Posts, t.Creates, r.plan.Counts.Orders, delivered)
	if since := r.client.down.Load(); since != 0 {
		if d := time.Since(time.Unix(0, since)); d > time.Second {
			s += fmt.Sprintf("  no answer for %s, trying again", d.Round(time.Second))
		}
	}
	if !bar || r.plan.Counts.Posts == 0 {
		return s
	}
	const width = 16 // the line shall fit 80 columns
	full := width * t.Posted / r.plan.Counts.Posts
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "] " + s
}

// isTerminal says whether a person is looking at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
