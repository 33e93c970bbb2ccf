package order

import (
	"fmt"
	"slices"
	"time"
)

// Channel is a way by which a message goes.
type Channel string

const (
	Email   Channel = "email"
	SMS     Channel = "sms"
	Webhook Channel = "webhook" // signed; teams only
)

// MessageDefinition is one row of the matrix of messages to buyers: which kind
// goes to which class of orders by which way. Kinds are those that
// internal/messaging/templates writes.
type MessageDefinition struct {
	Kind string
	// Channels of which the first that reaches the buyer is taken. Attended are
	// those of classes whose delivery somebody waits for, where they differ.
	Channels, Attended []Channel
}

var (
	byMail    = []Channel{Email}
	mailFirst = []Channel{Email, SMS}
	textFirst = []Channel{SMS, Email}
)

// MessageDefinitions is what a policy that says nothing else gets: few messages,
// each of which the buyer can use.
var MessageDefinitions = []MessageDefinition{
	{"confirmation", byMail, nil},
	{"shipped", mailFirst, nil},
	{"out_for_delivery", mailFirst, textFirst},
	{"delivered", mailFirst, nil},
	{"attempt_failed", textFirst, nil},
	{"delayed", mailFirst, nil},
	{"ready_for_pickup", textFirst, nil},
	{"address_problem", mailFirst, textFirst},
	{"return_steps", byMail, nil},
	{"refund_released", mailFirst, nil},
	{"not_received_followup", mailFirst, nil},
}

// DefaultChannels of a kind of message to buyers of a class; none for a kind
// that there is not.
func DefaultChannels(kind string, class Class) []Channel {
	for _, d := range MessageDefinitions {
		switch {
		case d.Kind != kind:
		case d.Attended != nil && class != Routine:
			return d.Attended
		default:
			return d.Channels
		}
	}
	return nil
}

// DefaultAlerts are the channels by which a team hears of a case: all of them
// that it has.
func DefaultAlerts(v Severity) []Channel {
	switch v {
	case Critical:
		return []Channel{Email, SMS, Webhook}
	case Urgent, Normal:
		return []Channel{Email, Webhook}
	case Minor:
	}
	return nil
}

// Defaults of the other lines about messages.
const (
	DefaultQuiet  = "21:00-08:00"
	DefaultPerDay = 4
	DefaultGroup  = Duration(20 * time.Minute)
)

// MessageChannels by which a kind may go to buyers of a class, in the order to
// try them; none: it is not sent.
func (p *Policy) MessageChannels(kind string, class Class) []Channel {
	for _, r := range p.Messages.Rules {
		if r.Kind == kind {
			return r.Channels
		}
	}
	return DefaultChannels(kind, class)
}

// AlertChannels by which teams hear of cases of a severity.
func (p *Policy) AlertChannels(v Severity) []Channel {
	for _, r := range p.Messages.Alerts {
		if r.Severity == v {
			return r.Channels
		}
	}
	return DefaultAlerts(v)
}

// MessagePolicy is what a policy says of messages: only what differs from the
// defaults above, since every order carries it.
type MessagePolicy struct {
	Rules  []MessageRule `json:"rules,omitempty"`
	Alerts []AlertRule   `json:"alerts,omitempty"`
	// Quiet are the hours in the buyer's zone in which messages that can wait do:
	// 21:00-08:00, or [NoQuiet]. Empty: the default.
	Quiet string `json:"quiet,omitempty"`
	// PerDay is how many messages a buyer gets of one order in a day, beyond those
	// that must be; 0: the default.
	PerDay int `json:"per_day,omitempty"`
	// Group is how long a message waits where others may go into the same one; 0:
	// the default.
	Group Duration `json:"group,omitempty"`
}

// MessageRule is one kind of message: by the first of the channels that reaches
// the buyer; without channels it is not sent.
type MessageRule struct {
	Kind     string    `json:"kind"`
	Channels []Channel `json:"channels"`
}

// AlertRule says by which channels, all of them, a team hears of a case.
type AlertRule struct {
	Severity Severity  `json:"severity"`
	Channels []Channel `json:"channels"`
}

// NoQuiet lets messages go at any hour.
const NoQuiet = "none"

const (
	maxPerDay = 1000
	maxGroup  = Duration(24 * time.Hour)
)

// QuietHours reads "21:00-08:00": from and until when, as time since midnight.
// None: both are 0.
func QuietHours(text string) (from, until time.Duration, err error) {
	if text == NoQuiet {
		return 0, 0, nil
	}
	var a, b TimeOfDay
	if len(text) != 11 || text[5] != '-' || a.UnmarshalText([]byte(text[:5])) != nil || b.UnmarshalText([]byte(text[6:])) != nil || a == b {
		return 0, 0, fmt.Errorf("%q are no quiet hours like 21:00-08:00, nor none", text)
	}
	return time.Duration(a) * time.Minute, time.Duration(b) * time.Minute, nil
}

func (m MessagePolicy) faults() (found []Refusal) {
	bad := func(field, format string, args ...any) {
		found = append(found, Refusal{Field: "messages." + field, Reason: fmt.Sprintf(format, args...)})
	}
	channels := func(field string, list []Channel, allowed ...Channel) {
		for i, c := range list {
			if !slices.Contains(allowed, c) || slices.Contains(list[:i], c) {
				bad(field, "%q must be one of %v, each once", c, allowed)
			}
		}
	}
	for i, r := range m.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		if DefaultChannels(r.Kind, Routine) == nil || slices.ContainsFunc(m.Rules[:i], func(o MessageRule) bool { return o.Kind == r.Kind }) {
			bad(at+".kind", "%q must be a kind of message, each once", r.Kind)
		}
		channels(at+".channels", r.Channels, Email, SMS)
	}
	for i, r := range m.Alerts {
		at := fmt.Sprintf("alerts[%d]", i)
		if !slices.Contains(Severities, r.Severity) || slices.ContainsFunc(m.Alerts[:i], func(o AlertRule) bool { return o.Severity == r.Severity }) {
			bad(at+".severity", "%q must be a severity, each once", r.Severity)
		}
		channels(at+".channels", r.Channels, Email, SMS, Webhook)
	}
	if m.Quiet != "" {
		if _, _, err := QuietHours(m.Quiet); err != nil {
			bad("quiet", "%s", err)
		}
	}
	if m.PerDay < 0 || m.PerDay > maxPerDay {
		bad("per_day", "must be between 0 and %d", maxPerDay)
	}
	if m.Group < 0 || m.Group > maxGroup {
		bad("group", "must be between 0 and %s", maxGroup)
	}
	return found
}

// ToCome says whether the parcel is still on its way to the buyer.
func (p *Parcel) ToCome() bool { return p.toCome() }

// Outbound says whether the parcel goes to the buyer, and is no return's.
func (p *Parcel) Outbound() bool { return !p.inbound() }

// CaseByID finds an open case; nil if there is none.
func (s *State) CaseByID(id string) *Case { return s.caseByID(id) }

// EpisodeID is the ID of the case that a happening of an opened case is about.
func (h Happening) EpisodeID() string { return episodeID(h.Case, h.Parcel, h.Seq) }

// ReturnByID finds a return; nil if there is none.
func (s *State) ReturnByID(id string) *Return { return s.returnByID(id) }

// CaseRuleOf is the table's row of a kind with the policy's words on top.
func (p *Policy) CaseRuleOf(k CaseKind) CaseDefinition { return p.caseRule(k) }

// OpenToBuyer says whether anything is still to come to the buyer.
func OpenToBuyer(s *State) bool { return s.undelivered() && s.Status != StatusCancelled }
