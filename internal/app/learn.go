package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// learner learns rhythms, for the nightly workflow and for the command.
type learner struct {
	store *store.Store
	ask   func(ctx context.Context, orderID string, request order.Event) (order.View, error)
	out   io.Writer
	now   func() time.Time
}

const learnActor = "engine:learn"

// Learn proposes what policies should say, and writes it where they take it by
// themselves. It also sees whose calendars end soon.
func (l learner) Learn(ctx context.Context, beat func()) (done activities.Learned, err error) {
	now := l.now().UTC().Truncate(time.Microsecond)
	defer during(beat)()
	if err := l.store.WatchCalendars(ctx, now); err != nil {
		return done, err
	}
	list, books, figures, err := l.propose(ctx, now)
	if err != nil {
		return done, err
	}
	if list, err = l.store.PutProposals(ctx, list, now); err != nil {
		return done, err
	}
	done.Figures, done.Proposals = figures, len(list)
	for _, b := range books {
		if b.RhythmsLearned != order.LearnAutomatic {
			continue
		}
		n, err := l.apply(ctx, b, list, now)
		if err != nil {
			return done, err
		}
		done.Applied, done.Proposals = done.Applied+n, done.Proposals-n
	}
	// Those of this night, and those that people accepted while orders could not
	// be asked.
	done.Adopt, err = l.store.LearnedNewest(ctx)
	return done, err
}

// apply writes proposals of a policy that takes them by itself. A line that a
// person wrote is left to a person, and so is everything when it would end many
// waits at once.
func (l learner) apply(ctx context.Context, b order.PolicyBook, list []store.RhythmProposal, now time.Time) (int, error) {
	var seen []store.Seen
	ending := 0
	for _, p := range list {
		if p.Policy == b.Name && !p.Written {
			seen, ending = append(seen, store.Seen{ID: p.ID, Gap: p.Gap}), ending+p.Ending
		}
	}
	if len(seen) == 0 || ending > endingLimit {
		return 0, nil
	}
	request, err := json.Marshal(map[string]any{"policy": b.Name, "rhythms": seen})
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(fmt.Appendf(request, " %d", b.Version))
	_, err = l.store.AcceptProposals(ctx, b.Name, seen, store.Audit{ID: "aud_" + hex.EncodeToString(sum[:12]), Action: "accept_rhythm", Actor: learnActor, Role: "engine",
		Reason: "rhythms_learned: automatic", Request: request}, now)
	return len(seen), err
}

// propose measures and judges, and changes nothing.
func (l learner) propose(ctx context.Context, now time.Time) (list []store.RhythmProposal, books []order.PolicyBook, figures int, err error) {
	all, err := l.store.Policies(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	var clocks []*order.Calendar
	var lanes []rhythm.Lane
	on := map[string]int{} // the clock of a policy
	for _, b := range all {
		if b.RhythmsLearned == order.LearnOff {
			continue
		}
		books = append(books, b)
		clock := b.MovementClock()
		i := slices.IndexFunc(clocks, func(c *order.Calendar) bool { return sameClock(c, clock) })
		if i < 0 {
			i, clocks = len(clocks), append(clocks, clock)
		}
		on[b.Name] = i
		for _, lane := range rhythm.Lanes(&b.Policy) {
			if !slices.ContainsFunc(lanes, lane.Equal) {
				lanes = append(lanes, lane)
			}
		}
	}
	if len(books) == 0 {
		return nil, nil, 0, nil
	}
	measured, err := l.store.Stillness(ctx, now.Add(-rhythm.Window), now, clocks, lanes)
	if err != nil {
		return nil, nil, 0, err
	}
	declined, err := l.store.Declined(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	for _, b := range books {
		own := rhythm.Lanes(&b.Policy)
		var its []rhythm.Measured
		for _, m := range measured {
			if m.Clock == on[b.Name] && (m.Lane < 0 || slices.ContainsFunc(own, lanes[m.Lane].Equal)) {
				its = append(its, m.Measured)
			}
		}
		for _, p := range rhythm.Propose(b.Policy, its, declined) {
			list = append(list, store.RhythmProposal{Proposal: p})
		}
	}
	return list, books, len(measured), l.weigh(ctx, list, books, now)
}

func sameClock(a, b *order.Calendar) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// weigh counts the open orders that each proposal would move, and the waits that it
// would end at once.
func (l learner) weigh(ctx context.Context, list []store.RhythmProposal, books []order.PolicyBook, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	with := make([]order.PolicyBook, len(list))
	for i, p := range list {
		b := books[slices.IndexFunc(books, func(b order.PolicyBook) bool { return b.Name == p.Policy })]
		with[i] = rhythm.Set(b, p.Scope, p.Gap)
		with[i].Version++
	}
	return l.store.EachOpen(ctx, func(o store.Order) error {
		st := o.Current()
		for i := range list {
			p := &list[i]
			if !policy.Follows(st, &with[i]) || st.Rules < order.AdoptRules || !slices.ContainsFunc(st.Parcels, func(c order.Parcel) bool {
				return c.Carrier == p.Carrier && (p.Service == "" || c.Service == p.Service)
			}) {
				continue
			}
			p.Orders++
			p.Ending += len(order.EndingUnder(st, with[i].For(st.Spec.Class), now))
		}
		return ctx.Err()
	})
}

// Adopt asks the open orders that follow an older version of a policy.
func (l learner) Adopt(ctx context.Context, name string, beat func()) (int, error) {
	defer during(beat)()
	b, err := l.store.Policy(ctx, name)
	if err != nil {
		return 0, err
	}
	a := applier{store: l.store, ask: l.ask, out: l.out, actor: learnActor}
	return a.adopt(ctx, []order.PolicyBook{b})
}

// during beats until it is stopped: a statement that runs for minutes tells nothing
// of itself.
func during(beat func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				beat()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// learnNow does at once what the night does, and shows it; dry: it only shows.
func learnNow(ctx context.Context, c Config, dry bool, out io.Writer, log *slog.Logger) error {
	return dialled(ctx, c, log, func(s *store.Store, o orders) error {
		l := learner{store: s, ask: o.Ask, out: out, now: time.Now}
		if dry {
			list, _, figures, err := l.propose(ctx, time.Now().UTC())
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%d figures, %d proposals; nothing was written\n", figures, len(list))
			show(out, list)
			return nil
		}
		done, err := l.Learn(ctx, func() {})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d figures, %d proposals, %d applied\n", done.Figures, done.Proposals, done.Applied)
		list, err := s.Proposals(ctx, true, maxShown)
		if err != nil {
			return err
		}
		show(out, list)
		for _, name := range done.Adopt {
			if _, err := l.Adopt(ctx, name, func() {}); err != nil {
				return err
			}
		}
		return nil
	})
}

const maxShown = 1000

func show(out io.Writer, list []store.RhythmProposal) {
	for _, p := range list {
		id := "-"
		if p.ID > 0 {
			id = fmt.Sprint(p.ID)
		}
		fmt.Fprintf(out, "%6s  %s: %s: %s instead of %s; of %d parcels half stood still for %s at most and 95 %% for %s; %d open orders, %d waits would end at once\n",
			id, p.Policy, p.Scope, order.Duration(p.Gap), order.Duration(p.Current), p.N, p.P50.Round(time.Minute), p.P95.Round(time.Minute), p.Orders, p.Ending)
	}
}
