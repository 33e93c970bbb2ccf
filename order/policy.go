package order

import (
	"cmp"
	"fmt"
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

// Rhythm is how long a parcel of one carrier and service may stay still. Empty
// fields match anything; the first match counts.
type Rhythm struct {
	Carrier string   `json:"carrier,omitempty"`
	Service string   `json:"service,omitempty"`
	Gap     Duration `json:"gap"`
}

// Policy is every rule that a shop may set. An order carries the one it began
// with; Name and Version say which.
type Policy struct {
	Name    string `json:"name"`
	Version int    `json:"version"`

	Pick    Duration `json:"pick"`     // order placed → picked
	Pack    Duration `json:"pack"`     // picked → packed
	Handoff Duration `json:"hand_off"` // packed, labelled or handed over → in the carrier's possession

	Rhythms        []Rhythm `json:"rhythms,omitempty"`
	Movement       Duration `json:"movement"`         // between two movements, where no rhythm matches
	OutForDelivery Duration `json:"out_for_delivery"` // out for delivery → anything else
	Pickup         Duration `json:"pickup"`           // ready for pickup → collected
	Customs        Duration `json:"customs"`          // in customs → anything else
	CheckAnswer    Duration `json:"check_answer"`     // how long a carrier check may take

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

	ReturnWindow   Duration `json:"return_window,omitempty"`   // delivered → the last moment to ask for a return
	ReturnDecision Duration `json:"return_decision,omitempty"` // a return, or what was declined of it → decided about
	ReturnShip     Duration `json:"return_ship,omitempty"`     // authorized, or label sent → with the carrier
	ReturnReceipt  Duration `json:"return_receipt,omitempty"`  // delivered by the carrier → scanned at the dock
	ReturnInspect  Duration `json:"return_inspect,omitempty"`  // received → inspected; and → decided about, sent back
	// ReturnAutoLimit in minor units: returns worth no more are authorized without
	// a person. 0: none is. ReturnExcluded are the classes of which none is.
	ReturnAutoLimit int64   `json:"return_auto_limit,omitempty"`
	ReturnExcluded  []Class `json:"return_excluded,omitempty"`

	ClockSkew Duration `json:"clock_skew"` // an event this far before the order was placed is somebody else's
	Future    Duration `json:"future"`     // an event this far ahead is taken as happening on receipt
}

// DefaultPolicy suits parcels in one country.
func DefaultPolicy() Policy {
	p := Policy{
		Name: "default", Version: 1,
		Pick: 2 * dayLong, Pack: 1 * dayLong, Handoff: 2 * dayLong,
		Movement: 3 * dayLong, OutForDelivery: 1 * dayLong, Pickup: 7 * dayLong, Customs: 5 * dayLong, CheckAnswer: Duration(30 * time.Minute),
		CaseDue: 1 * dayLong, HoldReview: 3 * dayLong, CloseAfter: 30 * dayLong, RideAlong: Duration(6 * time.Hour),
		ClockSkew: 1 * dayLong, Future: Duration(15 * time.Minute),
		Trace: defaultTrace, RemedyAnswer: defaultRemedyAnswer, ClaimAnswer: defaultClaimAnswer, RefundLimit: 500_00, ReportWindow: defaultReportWindow,
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
	p.ReturnWindow, p.ReturnDecision = cmp.Or(p.ReturnWindow, defaultReturnWindow), cmp.Or(p.ReturnDecision, defaultReturnDecision)
	p.ReturnShip, p.ReturnReceipt = cmp.Or(p.ReturnShip, defaultReturnShip), cmp.Or(p.ReturnReceipt, defaultReturnReceipt)
	p.ReturnInspect = cmp.Or(p.ReturnInspect, defaultReturnInspect)
	return p
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
		{"return_window", &p.ReturnWindow}, {"return_decision", &p.ReturnDecision}, {"return_ship", &p.ReturnShip}, {"return_receipt", &p.ReturnReceipt},
		{"return_inspect", &p.ReturnInspect},
	}
}

// Scaled returns the policy on another clock: a day becomes the given time.
// Real orders replayed in minutes keep their rules this way.
func (p Policy) Scaled(day time.Duration) Policy {
	p.Rhythms = append([]Rhythm(nil), p.Rhythms...)
	scale := func(d *Duration) { *d = Duration(float64(*d) / float64(24*time.Hour) * float64(day)) }
	for _, f := range p.durations() {
		scale(f.d)
	}
	for i := range p.Rhythms {
		scale(&p.Rhythms[i].Gap)
	}
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
	var bad []string
	for _, f := range p.durations() {
		d := time.Duration(*f.d)
		mayBeZero := slices.Contains([]string{"close_after", "ride_along", "clock_skew", "future", "trace", "remedy_answer", "claim_answer", "report_window",
			"return_window", "return_decision", "return_ship", "return_receipt", "return_inspect"}, f.name)
		if d < 0 || d == 0 && !mayBeZero || d > 5*365*24*time.Hour {
			bad = append(bad, fmt.Sprintf("%s must be between 0 and 5 years, not %s", f.name, d))
		}
	}
	for i, r := range p.Rhythms {
		if r.Gap <= 0 {
			bad = append(bad, fmt.Sprintf("rhythms[%d].gap must be positive", i))
		}
	}
	for i, r := range p.Cases {
		at := fmt.Sprintf("cases[%d]", i)
		if _, ok := LookupCase(r.Kind); !ok {
			bad = append(bad, fmt.Sprintf("%s.kind %q is no kind of case", at, r.Kind))
		}
		if slices.ContainsFunc(p.Cases[:i], func(o CaseRule) bool { return o.Kind == r.Kind }) {
			bad = append(bad, fmt.Sprintf("%s.kind %s has a rule already", at, r.Kind))
		}
		if r.Severity != "" && !slices.Contains(Severities, r.Severity) {
			bad = append(bad, fmt.Sprintf("%s.severity %q is none", at, r.Severity))
		}
		if r.Due < 0 || r.Notice != nil && *r.Notice < 0 {
			bad = append(bad, at+": due and notice must not be negative")
		}
		for _, team := range append([]Team{r.Owner}, r.Ladder...) {
			if team != "" && !slices.Contains(Teams, team) {
				bad = append(bad, fmt.Sprintf("%s: %q is no team", at, team))
			}
		}
	}
	if p.RefundLimit < 0 {
		bad = append(bad, "refund_limit must not be negative")
	}
	if p.ReturnAutoLimit < 0 {
		bad = append(bad, "return_auto_limit must not be negative")
	}
	for i, c := range p.ReturnExcluded {
		if !slices.Contains(Classes, c) {
			bad = append(bad, fmt.Sprintf("return_excluded[%d]: %q is not an order class", i, c))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("policy %s: %s", p.Name, strings.Join(bad, "; "))
	}
	return nil
}

// gap is how long a parcel may stay where it is, and the policy line that says so.
func (p *Policy) gap(c *Parcel) (time.Duration, string) {
	switch m := c.Milestone; {
	case m == OutForDelivery:
		return time.Duration(p.OutForDelivery), "out_for_delivery"
	case m == ReadyForPickup:
		return time.Duration(p.Pickup), "pickup"
	case m == InCustoms:
		return time.Duration(p.Customs), "customs"
	}
	for _, r := range p.Rhythms {
		if (r.Carrier == "" || r.Carrier == c.Carrier) && (r.Service == "" || r.Service == c.Service) {
			return time.Duration(r.Gap), strings.Join(strings.Fields("rhythms "+r.Carrier+" "+r.Service), " ")
		}
	}
	return time.Duration(p.Movement), "movement"
}
