package order

import (
	"strings"
	"testing"
	"time"
)

// onCalendars is a policy of a warehouse that works in Berlin and a carrier that
// does not move on Sundays.
func onCalendars() Policy {
	p := DefaultPolicy()
	dhl := berlin()
	dhl.Name, dhl.Holidays = "dhl", nil
	for d := range dhl.Week {
		dhl.Week[d] = Hours{0, 24 * 60}
	}
	dhl.Week[time.Sunday] = Hours{}
	p.Calendars = []Calendar{berlin(), dhl}
	p.Clocks = []Clock{{"pick", "warehouse"}, {"pack", "warehouse"}, {"hand_off", "warehouse"}, {"case_due", "warehouse"}}
	p.Pick, p.Pack, p.Handoff = Duration(8*hour), Duration(4*hour), Duration(10*hour)
	p.Rhythms = []Rhythm{{Carrier: "dhl", Gap: Duration(48 * hour), Calendar: "dhl"}}
	return p
}

func TestWaitsRunOnTheirCalendars(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy = onCalendars()
	for name, tt := range map[string]struct {
		events []Event
		until  string
		rule   string
	}{
		"pick":     {nil, "2026-03-03 08:00", "pick 8 h of warehouse hours"},                                                        // placed on Monday 10:00 there
		"pack":     {[]Event{scan(6, ScanPicked)}, "2026-03-03 10:00", "pack 4 h of warehouse hours"},                               // an hour on Monday
		"hand off": {[]Event{scan(6, ScanPicked), scan(7, ScanPacked)}, "2026-03-04 08:00", "hand_off 10 h of warehouse hours"},     // Monday has closed as it was packed
		"movement": {[]Event{moves(4.25*24, InTransit)}, "2026-03-09 15:00", "rhythms dhl 2 d of dhl days"},                         // Friday 16:00 there; Sunday does not count
		"customs":  {[]Event{moves(4.25*24, InCustoms)}, "2026-03-11 15:00", "customs 5 d"},                                         // around the clock
		"attempt":  {[]Event{moves(4.25*24, AttemptFailed)}, "2026-03-09 10:00", "cases.attempt_failed.due 8 h of warehouse hours"}, // one on Friday, four on Saturday
	} {
		s := after(spec, tt.events...)
		var w Wait
		for _, x := range Waiting(s) {
			if x.Rule == tt.rule {
				w = x
			}
		}
		equal(t, name, w.Until, utc(tt.until))
	}
}

func TestRules1KnowNoCalendar(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy = onCalendars()
	s := New(spec, 1, t0)
	equal(t, "pick", Waiting(&s)[0].Until, at(8))
	equal(t, "rule", Waiting(&s)[0].Rule, "pick 8 h")
}

func TestOrdersAfterTheCutOffArePickedTheNextDay(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy = onCalendars()
	spec.Policy.Calendars[0].CutOff = 10 * 60 // t0 is 10:00 there
	s := begin(spec)
	equal(t, "pick", Waiting(&s)[0].Until, utc("2026-03-03 15:00"))
}

func TestTheRhythmThatSaysMostCounts(t *testing.T) {
	p := DefaultPolicy()
	p.Regions = []Region{{"NORDIC", []string{"SE", "NO"}}}
	for i, r := range []Rhythm{{}, {Carrier: "ups"}, {Lane: "DE-*"}, {Carrier: "ups", Lane: "DE-NORDIC"}, {Carrier: "ups", Lane: "DE-SE"},
		{Carrier: "ups", Service: "air"}, {Carrier: "ups", Service: "air", Lane: "*-NO"}, {Carrier: "ups", Service: "air", Lane: "*-NO"}} {
		r.Gap = Duration(i+1) * Duration(hour)
		p.Rhythms = append(p.Rhythms, r)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		carrier, service, from, to, rule string
	}{
		{"dhl", "", "FR", "SE", "rhythms 1 h"},
		{"dhl", "", "DE", "SE", "rhythms DE-* 3 h"},
		{"dhl", "", "", "SE", "rhythms 1 h"},
		{"ups", "", "", "", "rhythms ups 2 h"},
		{"ups", "", "DE", "FR", "rhythms ups 2 h"}, // a carrier says more than a lane
		{"ups", "", "DE", "NO", "rhythms ups DE-NORDIC 4 h"},
		{"ups", "", "DE", "SE", "rhythms ups DE-SE 5 h"},
		{"ups", "air", "DE", "SE", "rhythms ups air 6 h"},
		{"ups", "air", "DE", "NO", "rhythms ups air *-NO 7 h"}, // of equals the first
	} {
		spec := today(oneParcel())
		spec.Policy, spec.ShipFrom, spec.ShipTo = p, c.from, c.to
		spec.Parcels[0].Carrier, spec.Parcels[0].Service = c.carrier, c.service
		s := after(spec, moves(10, InTransit))
		w, _ := NextDeadline(s)
		equal(t, c.carrier+" "+c.service+" "+c.from+"-"+c.to, w.Rule, c.rule)
	}
}

func TestTooManyAttemptsAreMoreSevere(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy.AttemptLimit = 2
	s := after(spec, moves(30, AttemptFailed))
	c := s.caseOf(FailedAttempt, "A")
	equal(t, "at first", c.Severity, Urgent)
	equal(t, "text", c.Text, "attempt 1 failed")
	play(s, moves(54, AttemptFailed))
	equal(t, "then", c.Severity, Critical)
	equal(t, "text", c.Text, "attempt 2 failed; the limit is 2")
	play(s, moves(78, AttemptFailed))
	equal(t, "no further", c.Severity, Critical)
	spec.Policy.AttemptLimit = 0
	equal(t, "by itself", spec.Policy.Completed().AttemptLimit, 3)
}

func TestARunningOrderAdoptsAnotherVersion(t *testing.T) {
	s := after(today(oneParcel()), scan(1, ScanPicked))
	next := onCalendars()
	next.Version = 4
	ask := AdoptPolicy{Meta: bySupport(3), Policy: next}
	if ws := EndingUnder(s, next, at(3)); len(ws) != 0 {
		t.Errorf("ends at once: %+v", ws)
	}
	ws := EndingUnder(s, next, at(6))
	if len(ws) != 1 || ws[0].Kind != WaitPack {
		t.Fatalf("ends at once: %+v", ws)
	}
	equal(t, "the order is as it was", s.Spec.Policy.Version, 1)
	if err := Check(s, ask); err != nil {
		t.Fatal(err)
	}
	play(s, ask)
	equal(t, "happening", s.Told[0].Text, "default v4 instead of default v1")
	equal(t, "view", ViewOf(s).Policy, "default v4")
	w := Waiting(s)[0]
	equal(t, "rule", w.Rule, "pack 4 h of warehouse hours")
	equal(t, "ending twice", len(EndingUnder(s, next, at(300))), 0)

	other, bad, old := next, next, next
	other.Name, bad.Pick, old.Version = "freight", -1, 3
	for name, e := range map[string]AdoptPolicy{
		"the same":     {Meta: bySupport(4), Policy: next},
		"older":        {Meta: bySupport(4), Policy: old},
		"another":      {Meta: bySupport(4), Policy: other},
		"not possible": {Meta: bySupport(4), Policy: bad, Switch: true},
		"a storefront": {Meta: byShop(4), Policy: next},
	} {
		if Check(s, e) == nil {
			t.Errorf("%s was allowed", name)
		}
	}
	if err := Check(s, AdoptPolicy{Meta: bySupport(4), Policy: other, Switch: true}); err != nil {
		t.Error(err)
	}
	s.Rules = 1
	ask.Policy.Version = 9
	if Check(s, ask) == nil {
		t.Error("an order of rules 1 adopted a policy")
	}
}

func TestAPolicyNamesEveryFault(t *testing.T) {
	p := onCalendars()
	p.AttemptLimit = 99
	p.Clocks = append(p.Clocks, Clock{"pick", "none"}, Clock{"trace", "dhl"})
	p.Rhythms = []Rhythm{{Lane: "DE", Gap: 1}, {Lane: "DE-NORDIC", Gap: 1, Calendar: "none"}}
	p.Regions = []Region{{"nordic", nil}}
	p.Calendars = append(p.Calendars, Calendar{Name: "dhl", CutOff: 60})
	p.Calendars[0].Week[1] = Hours{600, 500}
	p.Pick = Duration(9000 * hour)
	var fields []string
	for _, f := range p.Faults() {
		fields = append(fields, f.Field)
	}
	equal(t, "fields", strings.Join(fields, " "), "pick rhythms[0].lane rhythms[1].lane rhythms[1].calendar regions[0].name regions[0].countries calendars[0].hours "+
		"calendars[2].name calendars[2].offsets calendars[2].hours clocks[4].line clocks[4].calendar clocks[5].line attempt_limit")
}

func TestABookHasAPolicyForEachClass(t *testing.T) {
	b := PolicyBook{Policy: DefaultPolicy(), Classes: map[Class]Policy{Bulky: onCalendars()}}
	b.Version = 7
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	equal(t, "routine", b.For(Routine).Pick, b.Pick)
	equal(t, "bulky", b.For(Bulky).Pick, Duration(8*hour))
	equal(t, "version", b.For(Bulky).Version, 7)
	p := b.Classes[Bulky]
	p.Pick = 0
	b.Classes[Bulky] = p
	if b.Validate() == nil {
		t.Error("a class without a handling time passed")
	}
}
