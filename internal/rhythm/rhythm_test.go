package rhythm

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/order"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

func shop(rhythms ...order.Rhythm) order.Policy {
	p := order.DefaultPolicy() // movement 3 d, check_answer 30 min
	p.Name, p.Rhythms = "shop", rhythms
	p.Regions = []order.Region{{Name: "EUR", Countries: []string{"FR", "DE"}}}
	return p
}

func measured(carrier, service, lane string, n int, p95 time.Duration) Measured {
	return Measured{Scope{carrier, service, lane}, n, p95 / 2, p95}
}

func said(list []Proposal) (s []string) {
	for _, x := range list {
		words := fmt.Sprintf("%s: %s, now %s", x.Scope, order.Duration(x.Gap), order.Duration(x.Current))
		if x.Written {
			words += ", written"
		}
		s = append(s, words)
	}
	return s
}

func TestWhatIsProposed(t *testing.T) {
	ups := order.Rhythm{Carrier: "ups", Gap: order.Duration(2 * day)}
	for name, c := range map[string]struct {
		policy   order.Policy
		measured []Measured
		declined []Proposal
		want     []string
	}{
		"nothing known":              {policy: shop()},
		"one parcel too few":         {shop(), []Measured{measured("ups", "", "", MinSamples-1, 30*hour)}, nil, nil},
		"just enough":                {shop(), []Measured{measured("ups", "", "", MinSamples, 30*hour)}, nil, []string{"ups: 30 h, now 3 d"}},
		"rounded up to six hours":    {shop(), []Measured{measured("ups", "", "", 500, 30*hour+time.Second)}, nil, []string{"ups: 36 h, now 3 d"}},
		"not below a day":            {shop(), []Measured{measured("ups", "", "", 500, 2*hour)}, nil, []string{"ups: 1 d, now 3 d"}},
		"not above three weeks":      {shop(), []Measured{measured("ups", "", "", 500, 90*day)}, nil, []string{"ups: 21 d, now 3 d"}},
		"what holds is near enough":  {shop(), []Measured{measured("ups", "", "", 500, 72*hour)}, nil, nil},
		"less than a fifth is noise": {shop(), []Measured{measured("ups", "", "", 500, 66*hour)}, nil, nil},
		"a written line":             {shop(ups), []Measured{measured("ups", "", "", 500, 72*hour)}, nil, []string{"ups: 3 d, now 2 d, written"}},
		"a carrier's line is more general than its service's": {shop(ups), []Measured{measured("ups", "air", "", 500, 72*hour)}, nil, []string{"ups air: 3 d, now 2 d"}},
		"the general one is enough for the special one": {shop(),
			[]Measured{measured("ups", "ground", "DE-FR", 200, 30*hour), measured("ups", "ground", "", 500, 30*hour), measured("ups", "", "", 900, 30*hour)}, nil,
			[]string{"ups: 30 h, now 3 d"}},
		"the special one differs": {shop(),
			[]Measured{measured("ups", "ground", "DE-US", 200, 5*day), measured("ups", "ground", "", 500, 29*hour), measured("ups", "", "", 900, 30*hour)}, nil,
			[]string{"ups: 30 h, now 3 d", "ups ground DE-US: 5 d, now 3 d"}},
		"declined, and the same again":   {shop(), []Measured{measured("ups", "", "", 500, 30*hour)}, []Proposal{{Policy: "shop", Measured: measured("ups", "", "", 1, 0), Gap: 31 * hour}}, nil},
		"declined by another policy":     {shop(), []Measured{measured("ups", "", "", 500, 30*hour)}, []Proposal{{Policy: "other", Measured: measured("ups", "", "", 1, 0), Gap: 30 * hour}}, []string{"ups: 30 h, now 3 d"}},
		"declined, and much has changed": {shop(), []Measured{measured("ups", "", "", 500, 30*hour)}, []Proposal{{Policy: "shop", Measured: measured("ups", "", "", 1, 0), Gap: 24 * hour}}, []string{"ups: 30 h, now 3 d"}},
		"declined: the special one stands by itself": {shop(),
			[]Measured{measured("ups", "", "", 900, 30*hour), measured("ups", "ground", "", 500, 30*hour)}, []Proposal{{Policy: "shop", Measured: measured("ups", "", "", 1, 0), Gap: 30 * hour}},
			[]string{"ups ground: 30 h, now 3 d"}},
		"a lane with a name": {shop(order.Rhythm{Lane: "EUR-US", Gap: order.Duration(4 * day)}),
			[]Measured{measured("dhl", "", "EUR-US", 500, 8*day), measured("dhl", "", "", 900, 36*hour)}, nil,
			[]string{"dhl: 36 h, now 3 d", "dhl EUR-US: 8 d, now 4 d"}},
		"a country of that lane": {shop(order.Rhythm{Carrier: "dhl", Lane: "EUR-US", Gap: order.Duration(4 * day)}),
			[]Measured{measured("dhl", "", "DE-US", 500, 8*day)}, nil, []string{"dhl DE-US: 8 d, now 4 d"}},
		"no carrier": {shop(), []Measured{measured("", "", "", 500, 30*hour)}, nil, nil},
	} {
		if got := said(Propose(c.policy, c.measured, c.declined)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func calendar(name string) order.Calendar {
	c := order.Calendar{Name: name, Zone: "UTC", Offsets: []order.Offset{{}}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Week[d] = order.Hours{Close: 24 * 60}
	}
	return c
}

// What runs on another calendar than movement was not measured on it.
func TestALineOnItsOwnCalendarIsLeftAlone(t *testing.T) {
	p := shop(order.Rhythm{Carrier: "ups", Gap: order.Duration(2 * day), Calendar: "own"}, order.Rhythm{Carrier: "dhl", Gap: order.Duration(2 * day), Calendar: "days"})
	p.Calendars, p.Clocks = []order.Calendar{calendar("own"), calendar("days")}, []order.Clock{{Line: "movement", Calendar: "days"}}
	got := said(Propose(p, []Measured{measured("dhl", "", "", 500, 30*hour), measured("ups", "", "", 500, 30*hour)}, nil))
	if want := []string{"dhl: 30 h, now 2 d, written"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheFloorIsThePolicys(t *testing.T) {
	p := shop()
	p.Movement = order.Duration(6 * hour)
	for _, c := range []struct{ floor, answer, p95, want time.Duration }{
		{0, time.Minute, hour, 6 * hour},                     // movement is shorter than a day
		{2 * hour, time.Minute, hour, 2 * hour},              // said
		{2 * hour, 3 * hour, hour, 3 * hour},                 // the carrier's answer takes longer
		{2 * hour, time.Minute, 150 * time.Minute, 3 * hour}, // rounded up
	} {
		p.RhythmFloor, p.CheckAnswer = order.Duration(c.floor), order.Duration(c.answer)
		if got := Gap(&p, c.p95); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// drawn is a policy with some rhythms, and what may have been measured for it.
func drawn(t *rapid.T) (order.Policy, []Measured) {
	carriers, services, lanes := []string{"ups", "dhl"}, []string{"", "ground"}, []string{"", "DE-FR", "EUR-US", "DE-US", "EUR-*"}
	p := shop()
	p.RhythmFloor = order.Duration(rapid.Int64Range(0, int64(10*day)).Draw(t, "floor"))
	for range rapid.IntRange(0, 4).Draw(t, "rhythms") {
		s := Scope{rapid.SampledFrom(append(carriers, "")).Draw(t, "c"), rapid.SampledFrom(services).Draw(t, "s"), rapid.SampledFrom(lanes).Draw(t, "l")}
		if !slices.ContainsFunc(p.Rhythms, func(r order.Rhythm) bool { return line{r}.of(s) }) {
			p.Rhythms = append(p.Rhythms, order.Rhythm{Carrier: s.Carrier, Service: s.Service, Lane: s.Lane, Gap: order.Duration(rapid.Int64Range(1, int64(20*day)).Draw(t, "gap")), Learned: rapid.Bool().Draw(t, "learned")})
		}
	}
	var list []Measured
	for _, c := range carriers {
		for _, s := range services {
			for _, l := range lanes {
				if rapid.Bool().Draw(t, "known") {
					list = append(list, measured(c, s, l, rapid.IntRange(0, 3*MinSamples).Draw(t, "n"), time.Duration(rapid.Int64Range(0, int64(40*day)).Draw(t, "p95"))))
				}
			}
		}
	}
	return p, list
}

// Whatever is proposed keeps to the bounds, changes enough, and once it is all
// accepted nothing more is: no policy goes back and forth between two nights.
func TestAcceptingEverythingEndsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, list := drawn(t)
		props := Propose(p, list, nil)
		book := order.PolicyBook{Policy: p}
		for _, x := range props {
			if x.N < MinSamples || x.Gap < time.Duration(p.RhythmFloor) || x.Gap > Ceiling+6*hour || x.Gap%hour != 0 || x.Policy != p.Name {
				t.Fatalf("%+v", x)
			}
			if x.P95 <= Ceiling && x.Gap < x.P95 {
				t.Fatalf("%s is shorter than the 95th percentile: %+v", x.Gap, x)
			}
			book = Set(book, x.Scope, x.Gap)
		}
		if again := Propose(book.Policy, list, nil); len(again) > 0 && len(props) < MaxProposals {
			t.Fatalf("after %q\nagain %q", said(props), said(again))
		}
		// Declining everything ends it too.
		if again := Propose(p, list, props); len(again) > 0 && len(props) < MaxProposals {
			for _, x := range again {
				if slices.ContainsFunc(props, func(o Proposal) bool { return o.Scope == x.Scope }) {
					t.Fatalf("declined and proposed again: %q", said(again))
				}
			}
		}
	})
}

func TestALearnedRhythmOutlivesAPolicyFile(t *testing.T) {
	file := order.PolicyBook{Policy: shop(order.Rhythm{Carrier: "ups", Gap: order.Duration(2 * day)})}
	file.Classes = map[order.Class]order.Policy{order.Bulky: file.Policy, order.TimeSensitive: shop()}
	learned := Set(Set(Set(file, Scope{Carrier: "dhl"}, 5*day), Scope{Carrier: "ups"}, 3*day), Scope{Carrier: "dhl", Lane: "EUR-US"}, 8*day)
	if n := len(file.Rhythms); n != 1 || len(file.Classes[order.Bulky].Rhythms) != 1 {
		t.Fatal("the policy that was set changed itself")
	}
	if !slices.Equal(learned.Classes[order.Bulky].Rhythms, learned.Rhythms) || len(learned.Classes[order.TimeSensitive].Rhythms) != 0 {
		t.Errorf("classes: %+v", learned.Classes)
	}
	scopes := func(b order.PolicyBook) (s []string) {
		for _, r := range b.Rhythms {
			s = append(s, fmt.Sprintf("%s %s %s %v", Scope{r.Carrier, r.Service, r.Lane}, r.Gap, r.Calendar, r.Learned))
		}
		return s
	}
	// The file's own lines stand as they are written; the others are kept.
	kept := Keep(file, learned)
	if got, want := scopes(kept), []string{"ups 2 d  false", "dhl 5 d  true", "dhl EUR-US 8 d  true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !slices.Equal(kept.Classes[order.Bulky].Rhythms, kept.Rhythms) {
		t.Errorf("%+v", kept.Classes)
	}
	// A lane that the file no longer knows is dropped, and off ends it all.
	small := file
	small.Regions = nil
	if got, want := scopes(Keep(small, learned)), []string{"ups 2 d  false", "dhl 5 d  true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	file.RhythmsLearned = order.LearnOff
	if got := scopes(Keep(file, learned)); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestLanesThatPoliciesName(t *testing.T) {
	p := shop(order.Rhythm{Lane: "EUR-US", Gap: 1}, order.Rhythm{Carrier: "ups", Lane: "EUR-US", Gap: 1}, order.Rhythm{Lane: "*-EUR", Gap: 1}, order.Rhythm{Lane: "DE-FR", Gap: 1}, order.Rhythm{Gap: 1})
	got := fmt.Sprint(Lanes(&p))
	if want := "[{EUR-US [FR DE] [US]} {*-EUR [] [FR DE]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
