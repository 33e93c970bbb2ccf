package order

import (
	"fmt"
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

	ClockSkew Duration `json:"clock_skew"` // an event this far before the order was placed is somebody else's
	Future    Duration `json:"future"`     // an event this far ahead is taken as happening on receipt
}

// DefaultPolicy suits parcels in one country.
func DefaultPolicy() Policy {
	const day = Duration(24 * time.Hour)
	return Policy{
		Name: "default", Version: 1,
		Pick: 2 * day, Pack: 1 * day, Handoff: 2 * day,
		Movement: 3 * day, OutForDelivery: 1 * day, Pickup: 7 * day, Customs: 5 * day, CheckAnswer: Duration(30 * time.Minute),
		CaseDue: 1 * day, HoldReview: 3 * day, CloseAfter: 30 * day, RideAlong: Duration(6 * time.Hour),
		ClockSkew: 1 * day, Future: Duration(15 * time.Minute),
	}
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
	return p
}

// Validate names every field that cannot be.
func (p Policy) Validate() error {
	var bad []string
	for _, f := range p.durations() {
		d := time.Duration(*f.d)
		mayBeZero := f.name == "close_after" || f.name == "ride_along" || f.name == "clock_skew" || f.name == "future"
		if d < 0 || d == 0 && !mayBeZero || d > 5*365*24*time.Hour {
			bad = append(bad, fmt.Sprintf("%s must be between 0 and 5 years, not %s", f.name, d))
		}
	}
	for i, r := range p.Rhythms {
		if r.Gap <= 0 {
			bad = append(bad, fmt.Sprintf("rhythms[%d].gap must be positive", i))
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
