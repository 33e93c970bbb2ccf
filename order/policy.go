package order

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Duration is a time.Duration that reads and writes as text ("36h"), so that a
// policy can be read where it is stored.
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration like 36h or 90m", b)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) String() string { return human(time.Duration(d)) }

// human writes whole days, hours or minutes as people say them.
func human(d time.Duration) string {
	switch {
	case d >= 24*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}

// Rhythm is how long a parcel of one carrier, service and lane may stay still.
// Empty fields match anything. The one that says most counts: more fields
// first, then carrier before service before lane, a country before a region;
// of equals the first. Before rules 3 the first match counts, and lanes do not.
type Rhythm struct {
	Carrier string `json:"carrier,omitempty"`
	Service string `json:"service,omitempty"`
	// Lane is "DE-US": from and to, each a country (ISO 3166-1 alpha-2), a region
	// of the policy, or * for any.
	Lane string   `json:"lane,omitempty"`
	Gap  Duration `json:"gap"`
	// Calendar of the carrier's working days; empty: that of movement.
	Calendar string `json:"calendar,omitempty"`
	// Learned from what parcels did; another policy file leaves it standing.
	Learned bool `json:"learned,omitempty"`
}

// Region is a name for several countries.
type Region struct {
	Name      string   `json:"name"`
	Countries []string `json:"countries"`
}

// Clock lets one line of a policy run on a calendar instead of around the clock.
// Rules 3.
type Clock struct {
	Line     string `json:"line"` // one of ClockLines
	Calendar string `json:"calendar"`
}

// ClockLines are the lines that may run on a calendar. case_due stands for the
// due time of every kind of case.
var ClockLines = []string{"pick", "pack", "hand_off", "movement", "out_for_delivery", "customs", "case_due"}

// Policy is every rule that a shop may set. An order carries the one it began
// with; Name and Version say which.
type Policy struct {
	Name    string `json:"name"`
	Version int    `json:"version"`

	Pick    Duration `json:"pick"`     // order placed → picked
	Pack    Duration `json:"pack"`     // picked → packed
	Handoff Duration `json:"hand_off"` // packed, labelled or handed over → in the carrier's possession

	Rhythms  []Rhythm `json:"rhythms,omitempty"`
	Movement Duration `json:"movement"` // between two movements, where no rhythm matches
	// RhythmsLearned says what becomes of rhythms that are learned: LearnOff,
	// LearnAutomatic, or empty: a person decides. RhythmFloor is the shortest gap
	// that is ever learned; 0: a day, or movement where that is less.
	RhythmsLearned string   `json:"rhythms_learned,omitempty"`
	RhythmFloor    Duration `json:"rhythm_floor,omitempty"`
	OutForDelivery Duration `json:"out_for_delivery"` // out for delivery → anything else
	Pickup         Duration `json:"pickup"`           // ready for pickup → collected
	Customs        Duration `json:"customs"`          // in customs → anything else
	Regions        []Region `json:"regions,omitempty"`
	CheckAnswer    Duration `json:"check_answer"` // how long a carrier check may take

	CaseDue    Duration `json:"case_due"`    // a case is due; doubles with each escalation
	HoldReview Duration `json:"hold_review"` // a hold without an end is looked at
	CloseAfter Duration `json:"close_after"` // all settled → closed; late events still have a home
	RideAlong  Duration `json:"ride_along"`  // how long a routine movement scan may wait for company

	// Cases are the rules of case kinds; kinds that it does not name are due after
	// CaseDue, and the buyer is not told of them.
	Cases []CaseRule `json:"cases,omitempty"`
	// Zero in the following: the default policy's value.
	Trace        Duration `json:"trace,omitempty"`         // stalled → given up as lost
	RemedyAnswer Duration `json:"remedy_answer,omitempty"` // asked for → confirmed by the storefront
	ClaimAnswer  Duration `json:"claim_answer,omitempty"`  // claim filed → answered by the carrier
	// RefundLimit in minor units of the order's currency: remedies worth more
	// need a second person. 0: none does.
	RefundLimit int64 `json:"refund_limit,omitempty"`
	// ReportWindow is how long after a delivery it may be reported as not received.
	ReportWindow Duration `json:"report_window,omitempty"`

	CarrierAnswer Duration `json:"carrier_answer,omitempty"` // carrier instructed, or asked for proof → answered; then a person does it
	ByHand        Duration `json:"by_hand,omitempty"`        // a person has to instruct the carrier → done
	ClaimFiling   Duration `json:"claim_filing,omitempty"`   // accepted by a carrier whose terms are not known → the last moment for a claim

	ReturnWindow   Duration `json:"return_window,omitempty"`   // delivered → the last moment to ask for a return
	ReturnDecision Duration `json:"return_decision,omitempty"` // a return, or what was declined of it → decided about
	ReturnShip     Duration `json:"return_ship,omitempty"`     // authorized, or label sent → with the carrier
	ReturnReceipt  Duration `json:"return_receipt,omitempty"`  // delivered by the carrier → scanned at the dock
	ReturnInspect  Duration `json:"return_inspect,omitempty"`  // received → inspected; and → decided about, sent back
	// ReturnAutoLimit in minor units: returns worth no more are authorized without
	// a person. 0: none is. ReturnExcluded are the classes of which none is.
	ReturnAutoLimit int64   `json:"return_auto_limit,omitempty"`
	ReturnExcluded  []Class `json:"return_excluded,omitempty"`
	// ReturnLabels: LabelsAutomatic asks ReturnCarrier for a label as soon as a
	// return is authorized; else somebody asks, of that carrier unless they name another.
	ReturnLabels  string `json:"return_labels,omitempty"`
	ReturnCarrier string `json:"return_carrier,omitempty"`

	// AttemptLimit is how many failed attempts make the case more severe; 0: 3.
	AttemptLimit int `json:"attempt_limit,omitempty"`
	// ReturnAtLimit: then the carrier is told to bring the parcel back.
	ReturnAtLimit bool `json:"return_at_limit,omitempty"`

	Calendars []Calendar `json:"calendars,omitempty"`
	Clocks    []Clock    `json:"clocks,omitempty"`

	Messages MessagePolicy `json:"messages,omitzero"`

	ClockSkew Duration `json:"clock_skew"` // an event this far before the order was placed is somebody else's
	Future    Duration `json:"future"`     // an event this far ahead is taken as happening on receipt
}

// What may become of learned rhythms, beside the proposal to a person.
const (
	LearnOff       = "off"
	LearnAutomatic = "automatic"
)

// DefaultPolicy suits parcels in one country.
func DefaultPolicy() Policy {
	p := Policy{
		Name: "default", Version: 1,
		Pick: 2 * dayLong, Pack: 1 * dayLong, Handoff: 2 * dayLong,
		Movement: 3 * dayLong, OutForDelivery: 1 * dayLong, Pickup: 7 * dayLong, Customs: 5 * dayLong, CheckAnswer: Duration(30 * time.Minute),
		CaseDue: 1 * dayLong, HoldReview: 3 * dayLong, CloseAfter: 30 * dayLong, RideAlong: Duration(6 * time.Hour),
		ClockSkew: 1 * dayLong, Future: Duration(15 * time.Minute),
		Trace: defaultTrace, RemedyAnswer: defaultRemedyAnswer, ClaimAnswer: defaultClaimAnswer, RefundLimit: 500_00, ReportWindow: defaultReportWindow,
		CarrierAnswer: defaultCarrierAnswer, ByHand: defaultByHand, ClaimFiling: defaultClaimFiling,
		ReturnWindow: defaultReturnWindow, ReturnDecision: defaultReturnDecision, ReturnShip: defaultReturnShip, ReturnReceipt: defaultReturnReceipt, ReturnInspect: defaultReturnInspect,
		ReturnAutoLimit: 200_00, ReturnExcluded: []Class{HighValue},
	}
	for _, d := range CaseDefinitions {
		if d.Due == p.CaseDue && d.Notice == 0 {
			continue // as for any kind without a rule
		}
		r := CaseRule{Kind: d.Kind, Due: d.Due}
		if d.Notice > 0 {
			r.Notice = &d.Notice
		}
		p.Cases = append(p.Cases, r)
	}
	return p
}

const dayLong = Duration(24 * time.Hour)

// What holds where a policy was written before these lines existed.
const (
	defaultTrace        = 7 * dayLong
	defaultRemedyAnswer = 2 * dayLong
	defaultClaimAnswer  = 30 * dayLong
	defaultReportWindow = 30 * dayLong
	defaultAttemptLimit = 3

	defaultCarrierAnswer = Duration(2 * time.Hour)
	defaultByHand        = Duration(8 * time.Hour)
	defaultClaimFiling   = 30 * dayLong

	defaultReturnWindow   = 30 * dayLong
	defaultReturnDecision = 2 * dayLong
	defaultReturnShip     = 14 * dayLong
	defaultReturnReceipt  = 2 * dayLong
	defaultReturnInspect  = 3 * dayLong
)

// Completed is the policy with those values where it has none.
func (p Policy) Completed() Policy {
	p.Trace, p.RemedyAnswer = cmp.Or(p.Trace, defaultTrace), cmp.Or(p.RemedyAnswer, defaultRemedyAnswer)
	p.ClaimAnswer, p.ReportWindow = cmp.Or(p.ClaimAnswer, defaultClaimAnswer), cmp.Or(p.ReportWindow, defaultReportWindow)
	p.AttemptLimit = cmp.Or(p.AttemptLimit, defaultAttemptLimit)
	p.CarrierAnswer, p.ByHand, p.ClaimFiling = cmp.Or(p.CarrierAnswer, defaultCarrierAnswer), cmp.Or(p.ByHand, defaultByHand), cmp.Or(p.ClaimFiling, defaultClaimFiling)
	p.ReturnWindow, p.ReturnDecision = cmp.Or(p.ReturnWindow, defaultReturnWindow), cmp.Or(p.ReturnDecision, defaultReturnDecision)
	p.ReturnShip, p.ReturnReceipt = cmp.Or(p.ReturnShip, defaultReturnShip), cmp.Or(p.ReturnReceipt, defaultReturnReceipt)
	p.ReturnInspect = cmp.Or(p.ReturnInspect, defaultReturnInspect)
	return p
}

// PolicyBook is a policy with what it says instead for some classes of orders.
// Policies are kept so; an order carries the one of its class.
type PolicyBook struct {
	Policy
	Classes map[Class]Policy `json:"classes,omitempty"`
	// Source is the file that it was made from, with its comments.
	Source string `json:"source,omitempty"`
}

// For is the policy of an order of that class.
func (b PolicyBook) For(c Class) Policy {
	p, ok := b.Classes[c]
	if !ok {
		return b.Policy
	}
	p.Name, p.Version = b.Name, b.Version
	return p
}

// Validate names every field that cannot be, of every class.
func (b PolicyBook) Validate() error {
	errs := []error{b.Policy.Validate()}
	for _, c := range Classes {
		if p, ok := b.Classes[c]; ok {
			p.Name = b.Name + " for " + string(c)
			errs = append(errs, p.Validate())
		}
	}
	return errors.Join(errs...)
}

// durations lists the fields with their names, for checks and scaling.
func (p *Policy) durations() []struct {
	name string
	d    *Duration
} {
	return []struct {
		name string
		d    *Duration
	}{
		{"pick", &p.Pick}, {"pack", &p.Pack}, {"hand_off", &p.Handoff}, {"movement", &p.Movement},
		{"out_for_delivery", &p.OutForDelivery}, {"pickup", &p.Pickup}, {"customs", &p.Customs},
		{"check_answer", &p.CheckAnswer}, {"case_due", &p.CaseDue}, {"hold_review", &p.HoldReview},
		{"close_after", &p.CloseAfter}, {"ride_along", &p.RideAlong}, {"clock_skew", &p.ClockSkew}, {"future", &p.Future},
		{"trace", &p.Trace}, {"remedy_answer", &p.RemedyAnswer}, {"claim_answer", &p.ClaimAnswer}, {"report_window", &p.ReportWindow},
		{"carrier_answer", &p.CarrierAnswer}, {"by_hand", &p.ByHand}, {"claim_filing", &p.ClaimFiling},
		{"return_window", &p.ReturnWindow}, {"return_decision", &p.ReturnDecision}, {"return_ship", &p.ReturnShip}, {"return_receipt", &p.ReturnReceipt},
		{"return_inspect", &p.ReturnInspect}, {"rhythm_floor", &p.RhythmFloor},
	}
}

// Scaled returns the policy on another clock: a day becomes the given time.
// Real orders replayed in minutes keep their rules this way. Calendars do not
// scale; everything runs around the clock.
func (p Policy) Scaled(day time.Duration) Policy {
	p.Calendars, p.Clocks = nil, nil
	p.Rhythms = append([]Rhythm(nil), p.Rhythms...)
	scale := func(d *Duration) { *d = Duration(float64(*d) / float64(24*time.Hour) * float64(day)) }
	for _, f := range p.durations() {
		scale(f.d)
	}
	for i := range p.Rhythms {
		scale(&p.Rhythms[i].Gap)
		p.Rhythms[i].Calendar = ""
	}
	// Nights do not scale, and all of an order's life is one day.
	p.Messages.Quiet, p.Messages.PerDay = NoQuiet, maxPerDay
	p.Messages.Group = cmp.Or(p.Messages.Group, DefaultGroup)
	scale(&p.Messages.Group)
	p.Cases = append([]CaseRule(nil), p.Cases...)
	for i := range p.Cases {
		r := &p.Cases[i]
		scale(&r.Due)
		if r.Notice != nil {
			n := *r.Notice
			scale(&n)
			r.Notice = &n
		}
	}
	return p
}

// Validate names every field that cannot be.
func (p Policy) Validate() error {
	found := p.Faults()
	if len(found) == 0 {
		return nil
	}
	texts := make([]string, len(found))
	for i, f := range found {
		texts[i] = f.Field + " " + f.Reason
	}
	return fmt.Errorf("policy %s: %s", p.Name, strings.Join(texts, "; "))
}

// Faults are the fields that cannot be, as they are called in JSON:
// rhythms[0].gap. Fields of calendars are calendars[0].hours and the like.
func (p Policy) Faults() (found []Refusal) {
	bad := func(field, format string, args ...any) {
		found = append(found, Refusal{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	for _, f := range p.durations() {
		d := time.Duration(*f.d)
		mayBeZero := slices.Contains([]string{"close_after", "ride_along", "clock_skew", "future", "trace", "remedy_answer", "claim_answer", "report_window", "carrier_answer", "by_hand", "claim_filing",
			"return_window", "return_decision", "return_ship", "return_receipt", "return_inspect", "rhythm_floor"}, f.name)
		if d < 0 || d == 0 && !mayBeZero || d > 5*365*24*time.Hour {
			bad(f.name, "must be between 0 and 5 years, not %s", d)
		}
		if p.clock(f.name) != nil && *f.d > maxOpenTime {
			bad(f.name, "must be at most %d h on a calendar", time.Duration(maxOpenTime)/time.Hour)
		}
	}
	if len(p.Rhythms) > maxRhythms {
		bad("rhythms", "at most %d, not %d", maxRhythms, len(p.Rhythms))
	}
	for i, r := range p.Rhythms {
		at := fmt.Sprintf("rhythms[%d]", i)
		if r.Gap <= 0 {
			bad(at+".gap", "must be positive")
		}
		if r.Lane != "" && !p.laneKnown(r.Lane) {
			bad(at+".lane", "%q is no lane like DE-US; each side is a country, a region of the policy, or *", r.Lane)
		}
		switch {
		case r.Calendar == "" && p.clock("movement") == nil:
		case r.Calendar != "" && p.calendar(r.Calendar) == nil:
			bad(at+".calendar", "there is no calendar %q", r.Calendar)
		case r.Gap > maxOpenTime:
			bad(at+".gap", "must be at most %d h on a calendar", time.Duration(maxOpenTime)/time.Hour)
		}
	}
	for i, r := range p.Regions {
		at := fmt.Sprintf("regions[%d]", i)
		if !regionPattern.MatchString(r.Name) || slices.ContainsFunc(p.Regions[:i], func(o Region) bool { return o.Name == r.Name }) {
			bad(at+".name", "%q must be 2 to 16 capital letters, each name once", r.Name)
		}
		if len(r.Countries) == 0 || len(r.Countries) > 250 || slices.ContainsFunc(r.Countries, func(c string) bool { return !countryPattern.MatchString(c) }) {
			bad(at+".countries", "must be countries like DE, at least one")
		}
	}
	for i, r := range p.Cases {
		at := fmt.Sprintf("cases[%d]", i)
		if _, ok := LookupCase(r.Kind); !ok {
			bad(at+".kind", "%q is no kind of case", r.Kind)
		}
		if slices.ContainsFunc(p.Cases[:i], func(o CaseRule) bool { return o.Kind == r.Kind }) {
			bad(at+".kind", "%s has a rule already", r.Kind)
		}
		if r.Severity != "" && !slices.Contains(Severities, r.Severity) {
			bad(at+".severity", "%q is none", r.Severity)
		}
		if r.Due < 0 || p.clock("case_due") != nil && r.Due > maxOpenTime {
			bad(at+".due", "must not be negative, nor more than %d h on a calendar", time.Duration(maxOpenTime)/time.Hour)
		}
		if r.Notice != nil && *r.Notice < 0 {
			bad(at+".notice", "must not be negative")
		}
		if r.Owner != "" && !slices.Contains(Teams, r.Owner) {
			bad(at+".owner", "%q is no team", r.Owner)
		}
		for _, team := range r.Ladder {
			if !slices.Contains(Teams, team) {
				bad(at+".ladder", "%q is no team", team)
			}
		}
	}
	if len(p.Calendars) > maxCalendars {
		bad("calendars", "at most %d, not %d", maxCalendars, len(p.Calendars))
	}
	for i := range p.Calendars {
		c, at := &p.Calendars[i], fmt.Sprintf("calendars[%d]", i)
		if slices.ContainsFunc(p.Calendars[:i], func(o Calendar) bool { return o.Name == c.Name }) {
			bad(at+".name", "%s is there already", c.Name)
		}
		found = append(found, c.faults(at)...)
	}
	for i, c := range p.Clocks {
		at := fmt.Sprintf("clocks[%d]", i)
		if !slices.Contains(ClockLines, c.Line) || slices.ContainsFunc(p.Clocks[:i], func(o Clock) bool { return o.Line == c.Line }) {
			bad(at+".line", "%q must be one of %s, each once", c.Line, strings.Join(ClockLines, ", "))
		}
		if p.calendar(c.Calendar) == nil {
			bad(at+".calendar", "there is no calendar %q", c.Calendar)
		}
	}
	if !slices.Contains([]string{"", LearnOff, LearnAutomatic}, p.RhythmsLearned) {
		bad("rhythms_learned", "%q must be %s, %s or left out", p.RhythmsLearned, LearnAutomatic, LearnOff)
	}
	if p.RefundLimit < 0 {
		bad("refund_limit", "must not be negative")
	}
	if p.ReturnAutoLimit < 0 {
		bad("return_auto_limit", "must not be negative")
	}
	for i, c := range p.ReturnExcluded {
		if !slices.Contains(Classes, c) {
			bad(fmt.Sprintf("return_excluded[%d]", i), "%q is not an order class", c)
		}
	}
	if !slices.Contains([]string{"", LabelsAsk, LabelsAutomatic}, p.ReturnLabels) {
		bad("return_labels", "%q must be %s, %s or left out", p.ReturnLabels, LabelsAutomatic, LabelsAsk)
	}
	switch {
	case p.ReturnCarrier != "" && !carrierPattern.MatchString(p.ReturnCarrier):
		bad("return_carrier", "must be a carrier code like ups")
	case p.ReturnCarrier == "" && p.ReturnLabels == LabelsAutomatic:
		bad("return_carrier", "is needed: it makes the labels")
	}
	found = append(found, p.Messages.faults()...)
	if p.AttemptLimit < 0 || p.AttemptLimit > maxAttempts {
		bad("attempt_limit", "must be between 0 and %d", maxAttempts)
	}
	return found
}

// An order carries its policy: these keep it small.
const (
	maxRhythms   = 200
	maxCalendars = 20
)

var regionPattern = regexp.MustCompile(`^[A-Z]{2,16}$`)

// calendar finds a calendar by name; nil: there is none, time runs around the clock.
func (p *Policy) calendar(name string) *Calendar {
	for i := range p.Calendars {
		if p.Calendars[i].Name == name {
			return &p.Calendars[i]
		}
	}
	return nil
}

// clock is the calendar on which a line runs; nil: around the clock.
func (p *Policy) clock(line string) *Calendar {
	for _, c := range p.Clocks {
		if c.Line == line {
			return p.calendar(c.Calendar)
		}
	}
	return nil
}

// clock is the policy's, under the rules that know of calendars.
func (s *State) clock(line string) *Calendar {
	if s.Rules < 3 {
		return nil
	}
	return s.Spec.Policy.clock(line)
}

// MovementClock is the calendar that movement and rhythms without one of their
// own run on; nil: around the clock.
func (p *Policy) MovementClock() *Calendar { return p.clock("movement") }

// RhythmOf is the rhythm that says most of a parcel of that carrier and service on
// its way between two countries; ok is false where none matches, and movement counts.
func (p *Policy) RhythmOf(carrier, service, from, to string) (r Rhythm, ok bool) {
	if best := p.rhythm(&Parcel{Carrier: carrier, Service: service}, from, to); best != nil {
		return *best, true
	}
	return r, false
}

func (p *Policy) region(name string) *Region {
	for i := range p.Regions {
		if p.Regions[i].Name == name {
			return &p.Regions[i]
		}
	}
	return nil
}

func (p *Policy) laneKnown(lane string) bool {
	from, to, ok := strings.Cut(lane, "-")
	known := func(side string) bool {
		return side == "*" || countryPattern.MatchString(side) || p.region(side) != nil
	}
	return ok && known(from) && known(to)
}

// side says whether one side of a lane takes in a country, and how much it says:
// 2 for the country, 1 for a region, 0 for any.
func (p *Policy) side(side, country string) (weight int, ok bool) {
	switch r := p.region(side); {
	case side == "*":
		return 0, true
	case country == "":
		return 0, false
	case r != nil:
		return 1, slices.Contains(r.Countries, country)
	}
	return 2, side == country
}

// rhythm that says most of a parcel on a lane; nil: none matches.
func (p *Policy) rhythm(c *Parcel, shipFrom, shipTo string) (best *Rhythm) {
	most := -1
	for i := range p.Rhythms {
		r := &p.Rhythms[i]
		if r.Carrier != "" && r.Carrier != c.Carrier || r.Service != "" && r.Service != c.Service {
			continue
		}
		fields, weight := 0, 0
		if r.Carrier != "" {
			fields, weight = fields+1, weight+20
		}
		if r.Service != "" {
			fields, weight = fields+1, weight+10
		}
		if r.Lane != "" {
			from, to, _ := strings.Cut(r.Lane, "-")
			a, fromOK := p.side(from, shipFrom)
			b, toOK := p.side(to, shipTo)
			if !fromOK || !toOK {
				continue
			}
			fields, weight = fields+1, weight+a+b
		}
		if weight += 100 * fields; weight > most {
			best, most = r, weight
		}
	}
	return best
}

// gap is how long a parcel may stay where it is, on which calendar, and the
// policy line that says so.
func (s *State) gap(c *Parcel) (gap time.Duration, on *Calendar, rule string) {
	p := &s.Spec.Policy
	switch m := c.Milestone; {
	case m == OutForDelivery:
		return time.Duration(p.OutForDelivery), s.clock("out_for_delivery"), "out_for_delivery"
	case m == ReadyForPickup:
		return time.Duration(p.Pickup), nil, "pickup"
	case m == InCustoms:
		return time.Duration(p.Customs), s.clock("customs"), "customs"
	}
	on = s.clock("movement")
	var r *Rhythm
	if s.Rules < 3 {
		i := slices.IndexFunc(p.Rhythms, func(r Rhythm) bool {
			return (r.Carrier == "" || r.Carrier == c.Carrier) && (r.Service == "" || r.Service == c.Service)
		})
		if i >= 0 {
			r = &p.Rhythms[i]
		}
	} else if r = p.rhythm(c, s.Spec.ShipFrom, s.Spec.ShipTo); r != nil && r.Calendar != "" {
		on = p.calendar(r.Calendar)
	}
	if r == nil {
		return time.Duration(p.Movement), on, "movement"
	}
	words := []string{"rhythms", r.Carrier, r.Service}
	if s.Rules >= 3 {
		words = append(words, r.Lane)
	}
	return time.Duration(r.Gap), on, strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}
