package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	"github.com/waybillhq/waybill/order"
)

// draft is a policy as it is read. Its lines are where fields stand, by their
// names in JSON, and days are those written in days.
type draft struct {
	*reader
	order.Policy
	at    string
	class order.Class // empty: of the policy as a whole
	lines map[string]*yaml.Node
	days  map[string]bool
}

// durations are the lines that say how long something may take.
var durations = []struct {
	name string
	of   func(*order.Policy) *order.Duration
}{
	{"pick", func(p *order.Policy) *order.Duration { return &p.Pick }},
	{"pack", func(p *order.Policy) *order.Duration { return &p.Pack }},
	{"hand_off", func(p *order.Policy) *order.Duration { return &p.Handoff }},
	{"movement", func(p *order.Policy) *order.Duration { return &p.Movement }},
	{"out_for_delivery", func(p *order.Policy) *order.Duration { return &p.OutForDelivery }},
	{"pickup", func(p *order.Policy) *order.Duration { return &p.Pickup }},
	{"customs", func(p *order.Policy) *order.Duration { return &p.Customs }},
	{"check_answer", func(p *order.Policy) *order.Duration { return &p.CheckAnswer }},
	{"case_due", func(p *order.Policy) *order.Duration { return &p.CaseDue }},
	{"hold_review", func(p *order.Policy) *order.Duration { return &p.HoldReview }},
	{"trace", func(p *order.Policy) *order.Duration { return &p.Trace }},
	{"remedy_answer", func(p *order.Policy) *order.Duration { return &p.RemedyAnswer }},
	{"claim_answer", func(p *order.Policy) *order.Duration { return &p.ClaimAnswer }},
	{"report_window", func(p *order.Policy) *order.Duration { return &p.ReportWindow }},
	{"carrier_answer", func(p *order.Policy) *order.Duration { return &p.CarrierAnswer }},
	{"by_hand", func(p *order.Policy) *order.Duration { return &p.ByHand }},
	{"claim_filing", func(p *order.Policy) *order.Duration { return &p.ClaimFiling }},
	{"return_window", func(p *order.Policy) *order.Duration { return &p.ReturnWindow }},
	{"return_decision", func(p *order.Policy) *order.Duration { return &p.ReturnDecision }},
	{"return_ship", func(p *order.Policy) *order.Duration { return &p.ReturnShip }},
	{"return_receipt", func(p *order.Policy) *order.Duration { return &p.ReturnReceipt }},
	{"return_inspect", func(p *order.Policy) *order.Duration { return &p.ReturnInspect }},
	{"close_after", func(p *order.Policy) *order.Duration { return &p.CloseAfter }},
	{"ride_along", func(p *order.Policy) *order.Duration { return &p.RideAlong }},
	{"clock_skew", func(p *order.Policy) *order.Duration { return &p.ClockSkew }},
	{"future", func(p *order.Policy) *order.Duration { return &p.Future }},
	{"rhythm_floor", func(p *order.Policy) *order.Duration { return &p.RhythmFloor }},
}

var (
	others     = []string{"rhythms", "rhythms_learned", "cases", "attempt_limit", "return_at_limit", "refund_limit", "return_auto_limit", "return_excluded", "return_labels", "return_carrier", "messages", "classes"}
	inRhythms  = []string{"carrier", "service", "lane", "gap"}
	inCases    = []string{"owner", "severity", "due", "notice", "ladder"}
	inCalendar = []string{"zone", "hours", "cut_off", "holidays"}
)

func lineNames() (names []string) {
	for _, d := range durations {
		names = append(names, d.name)
	}
	return append(names, others...)
}

// read takes over what a policy or a class says, and gives back the classes.
func (d *draft) read(n *yaml.Node) (classes []entry) {
	for _, e := range d.entries(n, d.at) {
		at := join(d.at, e.name)
		switch e.name {
		case "rhythms":
			d.rhythms(e)
		case "rhythms_learned":
			d.lines[e.name] = e.value
			if d.RhythmsLearned = d.text(e.value, at); d.RhythmsLearned == "proposed" {
				d.RhythmsLearned = ""
			}
		case "cases":
			for _, e := range d.entries(e.value, at) {
				d.caseRule(e, join(at, e.name))
			}
		case "attempt_limit":
			d.lines[e.name] = e.value
			if d.AttemptLimit = int(d.number(e.value, at)); d.AttemptLimit == 0 {
				d.bad(e.value, at, "must be at least 1")
			}
		case "return_at_limit":
			d.lines[e.name] = e.value
			d.ReturnAtLimit = d.truth(e.value, at)
		case "refund_limit":
			d.lines[e.name] = e.value
			d.RefundLimit = d.number(e.value, at)
		case "return_auto_limit":
			d.lines[e.name] = e.value
			d.ReturnAutoLimit = d.number(e.value, at)
		case "return_labels":
			d.lines["return_labels"] = e.value
			if d.ReturnLabels = d.text(e.value, at); d.ReturnLabels == order.LabelsAsk {
				d.ReturnLabels = "" // as it is without the line
			}
		case "return_carrier":
			d.lines["return_carrier"] = e.value
			if d.ReturnCarrier = d.text(e.value, at); !slices.Contains(d.carriers, d.ReturnCarrier) && d.ReturnCarrier != "" {
				d.bad(e.value, at, "%q is no carrier that is known: name your own under carriers", d.ReturnCarrier)
			}
		case "return_excluded":
			d.lines[e.name], d.ReturnExcluded = e.value, nil
			for _, n := range d.list(e.value, at) {
				d.ReturnExcluded = append(d.ReturnExcluded, order.Class(d.text(n, at)))
			}
		case "messages":
			d.messages(e, at)
		case "classes":
			classes = append(classes, d.entries(e.value, at)...)
		default:
			i := slices.IndexFunc(durations, func(l struct {
				name string
				of   func(*order.Policy) *order.Duration
			}) bool {
				return l.name == e.name
			})
			if i < 0 {
				d.unknown(e, d.at, lineNames()...)
				continue
			}
			d.line(e.value, e.name, at, durations[i].of(&d.Policy))
		}
	}
	return classes
}

// line reads "8h of warehouse" or "2d".
func (d *draft) line(n *yaml.Node, name, at string, to *order.Duration) {
	v, calendar, ok := d.duration(n, name, at)
	if !ok {
		return
	}
	if calendar != "" && !slices.Contains(order.ClockLines, name) {
		d.bad(n, at, "runs around the clock; these may run on a calendar: %s", strings.Join(order.ClockLines, ", "))
		return
	}
	*to = v
	d.Clocks = slices.DeleteFunc(d.Clocks, func(c order.Clock) bool { return c.Line == name })
	if calendar == "" {
		return
	}
	d.Clocks = append(d.Clocks, order.Clock{Line: name, Calendar: calendar})
	if name != "case_due" {
		return
	}
	// The due times of kinds that come with Waybill are meant around the clock.
	for i := range d.Cases {
		if d.lines[fmt.Sprintf("cases.%s.due", d.Cases[i].Kind)] == nil {
			d.Cases[i].Due = 0
		}
	}
}

var durationText = regexp.MustCompile(`^(?:([0-9]{1,4})d)?((?:[0-9]{1,7}(?:\.[0-9]{1,3})?(?:h|m|s|ms))*)$`)

// duration reads a value with a calendar or without.
func (d *draft) duration(n *yaml.Node, field, at string) (v order.Duration, calendar string, ok bool) {
	text := d.text(n, at)
	if text == "" {
		return 0, "", false
	}
	d.lines[field] = n
	amount, name, on := strings.Cut(text, " of ")
	m := durationText.FindStringSubmatch(amount)
	switch {
	case amount == "0":
	case m == nil || m[1] == "" && m[2] == "":
		d.bad(n, at, "%q is no time like 8h, 90m or 2d, nor one on a calendar like 8h of warehouse", text)
		return 0, "", false
	default:
		rest, err := time.ParseDuration("0s" + m[2])
		if err != nil {
			d.bad(n, at, "%q is too long", text)
			return 0, "", false
		}
		days := 0
		if m[1] != "" {
			fmt.Sscan(m[1], &days) // at most four digits
		}
		v = order.Duration(rest) + order.Duration(days)*order.Duration(24*time.Hour)
		d.days[field] = days > 0
	}
	if on && d.known(name) == nil {
		d.bad(n, at, "there is no calendar %q", name)
		return v, "", false
	}
	return v, name, true
}

func (r *reader) known(calendar string) *order.Calendar {
	for i := range r.calendars {
		if r.calendars[i].Name == calendar {
			return &r.calendars[i]
		}
	}
	return nil
}

func (r *reader) isRegion(name string) bool {
	return slices.ContainsFunc(r.regions, func(g order.Region) bool { return g.Name == name })
}

// isCountry by the list of ISO 3166-1.
func isCountry(code string) bool {
	c, err := language.ParseRegion(code)
	return err == nil && c.IsCountry() && c.String() == code
}

// rhythms of a class stand instead of those of its policy.
func (d *draft) rhythms(e entry) {
	d.Rhythms = nil
	for i, n := range d.list(e.value, join(d.at, e.name)) {
		at, field := fmt.Sprintf("%s.rhythms[%d]", d.at, i), fmt.Sprintf("rhythms[%d]", i)
		d.lines[field] = n
		var r order.Rhythm
		for _, e := range d.entries(n, at) {
			here := join(at, e.name)
			switch e.name {
			case "carrier":
				if r.Carrier = d.text(e.value, here); !slices.Contains(d.carriers, r.Carrier) && r.Carrier != "" {
					d.bad(e.value, here, "%q is no carrier that is known: name your own under carriers", r.Carrier)
				}
			case "service":
				if r.Service = d.text(e.value, here); len(r.Service) > 40 {
					d.bad(e.value, here, "must be at most 40 bytes")
				}
			case "lane":
				d.lines[field+".lane"], r.Lane = e.value, d.text(e.value, here)
				from, to, _ := strings.Cut(r.Lane, "-")
				for _, side := range []string{from, to} {
					if len(side) == 2 && !d.isRegion(side) && !isCountry(side) {
						d.bad(e.value, here, "%q is neither a country nor a region of this file", side)
					}
				}
			case "gap":
				r.Gap, r.Calendar, _ = d.duration(e.value, field+".gap", here)
			default:
				d.unknown(e, at, inRhythms...)
			}
		}
		if same := slices.IndexFunc(d.Rhythms, func(o order.Rhythm) bool {
			return o.Carrier == r.Carrier && o.Service == r.Service && o.Lane == r.Lane
		}); same >= 0 {
			d.bad(n, at, "says of the same parcels what line %d says", d.lines[fmt.Sprintf("rhythms[%d]", same)].Line)
		}
		d.Rhythms = append(d.Rhythms, r)
	}
}

func (d *draft) caseRule(e entry, at string) {
	kind := order.CaseKind(e.name)
	i := slices.IndexFunc(d.Cases, func(r order.CaseRule) bool { return r.Kind == kind })
	if i < 0 {
		i, d.Cases = len(d.Cases), append(d.Cases, order.CaseRule{Kind: kind})
	}
	r, field := &d.Cases[i], fmt.Sprintf("cases[%d]", i)
	d.lines[field] = e.key
	for _, e := range d.entries(e.value, at) {
		here := join(at, e.name)
		d.lines[field+"."+e.name] = e.value
		switch e.name {
		case "owner":
			r.Owner = order.Team(d.text(e.value, here))
		case "severity":
			r.Severity = order.Severity(d.text(e.value, here))
		case "due", "notice":
			v, calendar, ok := d.duration(e.value, field+"."+e.name, here)
			switch {
			case !ok:
			case calendar != "":
				d.bad(e.value, here, "due times run on the calendar of case_due, notices around the clock: leave the calendar out")
			case e.name == "notice":
				r.Notice = &v
			case v == 0:
				d.bad(e.value, here, "must be above 0")
			default:
				r.Due = v
				d.lines[fmt.Sprintf("cases.%s.due", kind)] = e.value
			}
		case "ladder":
			r.Ladder = nil
			for _, n := range d.list(e.value, here) {
				r.Ladder = append(r.Ladder, order.Team(d.text(n, here)))
			}
		default:
			d.unknown(e, at, inCases...)
		}
	}
}

// finish gives the policy what it refers to and judges it as a whole.
func (d *draft) finish() order.Policy {
	p := d.Policy
	p.Calendars, p.Regions = nil, nil
	for _, c := range d.calendars {
		if slices.ContainsFunc(p.Clocks, func(k order.Clock) bool { return k.Calendar == c.Name }) ||
			slices.ContainsFunc(p.Rhythms, func(r order.Rhythm) bool { return r.Calendar == c.Name }) {
			p.Calendars = append(p.Calendars, c)
		}
	}
	for _, g := range d.regions {
		if slices.ContainsFunc(p.Rhythms, func(r order.Rhythm) bool {
			from, to, _ := strings.Cut(r.Lane, "-")
			return from == g.Name || to == g.Name
		}) {
			p.Regions = append(p.Regions, g)
		}
	}
	d.lean(&p)
	for _, f := range p.Faults() {
		if strings.HasPrefix(f.Field, "calendars[") || strings.HasPrefix(f.Field, "regions[") {
			continue // told where they stand
		}
		d.bad(d.where(f.Field), d.named(f.Field), "%s", f.Reason)
	}
	d.contradictions(&p)
	return p
}

// named is a field as the file calls it: cases stand by kind.
func (d *draft) named(field string) string {
	for i := range d.Cases {
		if rest, ok := strings.CutPrefix(field, fmt.Sprintf("cases[%d].", i)); ok {
			field = fmt.Sprintf("cases.%s.%s", d.Cases[i].Kind, rest)
		}
	}
	for i, r := range d.Messages.Rules {
		if strings.HasPrefix(field, fmt.Sprintf("messages.rules[%d].", i)) {
			field = "messages." + r.Kind
		}
	}
	for i, r := range d.Messages.Alerts {
		if strings.HasPrefix(field, fmt.Sprintf("messages.alerts[%d].", i)) {
			field = "messages.alerts." + string(r.Severity)
		}
	}
	return join(d.at, field)
}

// where a field stands: itself, or what it is a part of.
func (d *draft) where(field string) *yaml.Node {
	for {
		if n := d.lines[field]; n != nil {
			return n
		}
		i := strings.LastIndexAny(field, ".[")
		if i < 0 {
			return d.lines[""]
		}
		field = field[:i]
	}
}

// contradictions are lines of which each could be, but not together.
func (d *draft) contradictions(p *order.Policy) {
	days := func(field, calendar string) {
		if c := d.known(calendar); c != nil && d.days[field] && !c.WholeDays() {
			d.bad(d.where(field), d.named(field), "runs on %s, which is not open for whole days: write open hours", calendar)
		}
	}
	on := map[string]string{}
	for _, c := range p.Clocks {
		on[c.Line] = c.Calendar
		days(c.Line, c.Calendar)
	}
	least, field := p.Movement, "movement"
	for i, r := range p.Rhythms {
		at := fmt.Sprintf("rhythms[%d].gap", i)
		calendar := r.Calendar
		if calendar == "" {
			calendar = on["movement"]
		}
		days(at, calendar)
		if r.Gap < least {
			least, field = r.Gap, at
		}
	}
	if p.CheckAnswer > least && least > 0 {
		d.bad(d.where("check_answer"), d.at+".check_answer", "is longer than %s: the carrier would be asked anew before it has answered", field)
	}
	for i, r := range p.Cases {
		days(fmt.Sprintf("cases[%d].due", i), on["case_due"])
		if r.Kind == order.Stalled && r.Notice != nil && *r.Notice > p.Trace {
			d.bad(d.where(fmt.Sprintf("cases[%d].notice", i)), d.at+".cases.stalled.notice", "is longer than trace: the parcel would be lost before the buyer hears that it stalls")
		}
	}
}
