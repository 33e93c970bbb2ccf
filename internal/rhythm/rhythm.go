// Package rhythm learns how long parcels stay still from what they did: what a
// policy should say instead of what it says. Pure; the measuring is the store's.
package rhythm

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

const (
	// Window is how far back parcels may have arrived to be learned from.
	Window = 90 * 24 * time.Hour
	// MinSamples is how many parcels make a figure. The 95th percentile of fewer
	// is the word of four parcels or less.
	MinSamples = 100
	// MaxProposals of one policy at a time: those that most parcels speak for.
	MaxProposals = 50
	// Ceiling is the longest gap that is learned. Whatever stays still for longer
	// is asked for in any case.
	Ceiling = 21 * 24 * time.Hour

	defaultFloor = 24 * time.Hour
	// A gap is worth a change from so much on, and from this share of what holds.
	minChange      = time.Hour
	minChangeShare = 5
)

// Scope is what a rhythm is of. An empty service or lane is any.
type Scope struct {
	Carrier, Service string
	// Lane as in order.Rhythm: two countries, or a lane that the policy names.
	Lane string
}

func (s Scope) String() string {
	return strings.Join(strings.Fields(s.Carrier+" "+s.Service+" "+s.Lane), " ")
}

// level is higher for what says more: first the fields count, then whether a side
// of the lane is any, a region or a country.
func (s Scope) level(p *order.Policy) (n int) {
	for _, f := range []string{s.Carrier, s.Service, s.Lane} {
		if f != "" {
			n += 10
		}
	}
	for side := range strings.SplitSeq(s.Lane, "-") {
		switch {
		case side == "*" || side == "":
		case named(p, side+"-"):
			n++
		default:
			n += 2
		}
	}
	return n
}

// Measured is the longest time that each of N parcels stood still between two
// movements, in time of the policy's movement calendar.
type Measured struct {
	Scope
	N        int
	P50, P95 time.Duration
}

// Proposal is a rhythm that a policy should have.
type Proposal struct {
	Measured
	Policy string
	// Current is what the policy says now, Gap what it should say.
	Current, Gap time.Duration
	// Written: the policy has a line for exactly this, and a person wrote it.
	Written bool
}

// Propose says which rhythms a policy lacks or has wrong, the general ones first.
// One that says more is proposed where it differs from what would hold with those
// before it. What was declined comes again only when it has changed as much as a
// proposal must differ from what holds.
func Propose(p order.Policy, measured []Measured, declined []Proposal) []Proposal {
	measured = slices.Clone(measured)
	slices.SortFunc(measured, func(a, b Measured) int {
		return cmp.Or(a.level(&p)-b.level(&p), cmp.Compare(a.Scope.String(), b.Scope.String()))
	})
	then := p // with what is proposed
	var list []Proposal
	for _, m := range measured {
		if m.N < MinSamples || m.Carrier == "" {
			continue
		}
		now, ok := holds(&p, m.Scope)
		holding, _ := holds(&then, m.Scope)
		if !ok {
			continue // on a calendar of its own: it was not measured on that
		}
		x := Proposal{Measured: m, Policy: p.Name, Current: time.Duration(now.Gap), Gap: Gap(&p, m.P95), Written: now.of(m.Scope) && !now.Learned}
		if !differs(x.Gap, time.Duration(holding.Gap)) || slices.ContainsFunc(declined, func(d Proposal) bool {
			return d.Policy == p.Name && d.Scope == m.Scope && !differs(x.Gap, d.Gap)
		}) {
			continue
		}
		list = append(list, x)
		then.Rhythms = with(then.Rhythms, m.Scope, x.Gap)
	}
	if len(list) > MaxProposals {
		slices.SortStableFunc(list, func(a, b Proposal) int { return b.N - a.N })
		list = list[:MaxProposals]
	}
	return list
}

// Gap is the gap that a 95th percentile asks for: rounded up to whole hours, and
// from a day on to six, never below the policy's floor nor above the ceiling.
func Gap(p *order.Policy, p95 time.Duration) time.Duration {
	floor := time.Duration(p.RhythmFloor)
	if floor == 0 {
		floor = min(defaultFloor, time.Duration(p.Movement))
	}
	// A carrier must have answered before it is asked anew.
	floor = max(floor, time.Duration(p.CheckAnswer))
	gap := min(max(p95, floor), Ceiling)
	step := time.Hour
	if gap >= 24*time.Hour {
		step = 6 * time.Hour
	}
	return (gap + step - 1) / step * step
}

func differs(a, b time.Duration) bool {
	d := max(a-b, b-a)
	return d >= minChange && d >= b/minChangeShare
}

// line is a rhythm that holds, or movement.
type line struct{ order.Rhythm }

func (l line) of(s Scope) bool {
	return l.Carrier == s.Carrier && l.Service == s.Service && l.Lane == s.Lane
}

// holds is what the policy says of parcels of a scope now; ok is false where that
// runs on another calendar than movement.
func holds(p *order.Policy, s Scope) (l line, ok bool) {
	q := *p
	from, to, _ := strings.Cut(s.Lane, "-")
	if named(p, s.Lane) {
		// Of the countries in a lane that has a name one stands for all: lanes that
		// say more of it than the name are others.
		q.Rhythms = slices.DeleteFunc(slices.Clone(p.Rhythms), func(r order.Rhythm) bool { return r.Lane != "" && r.Lane != s.Lane })
		from, to = country(p, from), country(p, to)
	}
	r, found := q.RhythmOf(s.Carrier, s.Service, from, to)
	if !found {
		return line{order.Rhythm{Gap: p.Movement}}, true
	}
	on := p.MovementClock()
	return line{r}, r.Calendar == "" || on != nil && on.Name == r.Calendar
}

// country that stands for one side of a lane.
func country(p *order.Policy, side string) string {
	for _, r := range p.Regions {
		if r.Name == side && len(r.Countries) > 0 {
			return r.Countries[0]
		}
	}
	return side
}

// named lanes have a region or any on a side, others are two countries.
func named(p *order.Policy, lane string) bool {
	from, to, _ := strings.Cut(lane, "-")
	return from == "*" || to == "*" || slices.ContainsFunc(p.Regions, func(r order.Region) bool { return r.Name == from || r.Name == to })
}

// Set makes a rhythm a line of the policy, for its classes as well where they have
// the policy's own rhythms and none instead.
func Set(b order.PolicyBook, s Scope, gap time.Duration) order.PolicyBook {
	was := b.Rhythms
	b.Rhythms = with(was, s, gap)
	b.Classes = maps.Clone(b.Classes)
	for c, p := range b.Classes {
		if slices.Equal(p.Rhythms, was) {
			p.Rhythms = b.Rhythms
			b.Classes[c] = p
		}
	}
	return b
}

// with is the rhythms with one more, or another gap in the line of its scope.
func with(rs []order.Rhythm, s Scope, gap time.Duration) []order.Rhythm {
	rs = slices.Clone(rs)
	r := order.Rhythm{Carrier: s.Carrier, Service: s.Service, Lane: s.Lane, Gap: order.Duration(gap), Learned: true}
	if i := slices.IndexFunc(rs, func(o order.Rhythm) bool { return line{o}.of(s) }); i >= 0 {
		rs[i] = r
		return rs
	}
	return append(rs, r)
}

// Keep gives a policy file the rhythms that the policy learned since. Its own
// lines stand, and off ends them all; so does whatever would make the policy one
// that cannot be.
func Keep(next, newest order.PolicyBook) order.PolicyBook {
	if next.RhythmsLearned == order.LearnOff {
		return next
	}
	for _, r := range newest.Rhythms {
		s := Scope{r.Carrier, r.Service, r.Lane}
		if !r.Learned || slices.ContainsFunc(next.Rhythms, func(o order.Rhythm) bool { return line{o}.of(s) }) {
			continue
		}
		if kept := Set(next, s, time.Duration(r.Gap)); kept.Validate() == nil {
			next = kept
		}
	}
	return next
}

// Lane is one that policies name: the countries of its sides, none for any.
type Lane struct {
	Name     string
	From, To []string
}

// Equal says whether two lanes are of the same countries.
func (l Lane) Equal(o Lane) bool {
	return l.Name == o.Name && slices.Equal(l.From, o.From) && slices.Equal(l.To, o.To)
}

// Lanes that the policy's rhythms name, beside those between two countries.
func Lanes(p *order.Policy) (list []Lane) {
	for _, r := range p.Rhythms {
		if !named(p, r.Lane) || slices.ContainsFunc(list, func(l Lane) bool { return l.Name == r.Lane }) {
			continue
		}
		from, to, _ := strings.Cut(r.Lane, "-")
		list = append(list, Lane{r.Lane, countries(p, from), countries(p, to)})
	}
	return list
}

func countries(p *order.Policy, side string) []string {
	if side == "*" {
		return nil
	}
	for _, r := range p.Regions {
		if r.Name == side {
			return r.Countries
		}
	}
	return []string{side}
}
