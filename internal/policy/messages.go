package policy

import (
	"fmt"
	"slices"

	"github.com/waybillhq/waybill/order"
)

var inMessages = []string{"alerts", "quiet", "per_day", "group"}

// messages reads who hears of what, by which channels: kinds of messages by name,
// and the lines that hold for all of them.
func (d *draft) messages(e entry, at string) {
	for _, e := range d.entries(e.value, at) {
		here, field := join(at, e.name), "messages."+e.name
		switch e.name {
		case "alerts":
			for _, e := range d.entries(e.value, here) {
				v := order.Severity(e.name)
				i := slices.IndexFunc(d.Messages.Alerts, func(r order.AlertRule) bool { return r.Severity == v })
				if i < 0 {
					i, d.Messages.Alerts = len(d.Messages.Alerts), append(d.Messages.Alerts, order.AlertRule{Severity: v})
				}
				d.Messages.Alerts[i].Channels = d.channels(e, join(here, e.name), fmt.Sprintf("messages.alerts[%d]", i))
			}
		case "quiet":
			d.lines[field], d.Messages.Quiet = e.value, d.text(e.value, here)
		case "per_day":
			d.lines[field] = e.value
			if d.Messages.PerDay = int(d.number(e.value, here)); d.Messages.PerDay == 0 {
				d.bad(e.value, here, "must be at least 1; to send nothing, leave a message no channels")
			}
		case "group":
			v, calendar, ok := d.duration(e.value, field, here)
			switch {
			case !ok:
			case calendar != "":
				d.bad(e.value, here, "runs around the clock")
			case v == 0:
				d.bad(e.value, here, "must be above 0")
			default:
				d.Messages.Group = v
			}
		default:
			if order.DefaultChannels(e.name, order.Routine) == nil {
				d.unknown(e, at, append(kinds(), inMessages...)...)
				continue
			}
			i := slices.IndexFunc(d.Messages.Rules, func(r order.MessageRule) bool { return r.Kind == e.name })
			if i < 0 {
				i, d.Messages.Rules = len(d.Messages.Rules), append(d.Messages.Rules, order.MessageRule{Kind: e.name})
			}
			d.Messages.Rules[i].Channels = d.channels(e, here, fmt.Sprintf("messages.rules[%d]", i))
		}
	}
}

// channels of a message or an alert. Never null: no channels is a rule too.
func (d *draft) channels(e entry, at, field string) []order.Channel {
	list := []order.Channel{}
	d.lines[field] = e.key
	for _, n := range d.list(e.value, at) {
		list = append(list, order.Channel(d.text(n, at)))
	}
	return list
}

func kinds() (names []string) {
	for _, m := range order.MessageDefinitions {
		names = append(names, m.Kind)
	}
	return names
}

// lean leaves out what says of messages what holds anyhow: every order carries
// its policy. What is wrong stays, to be told.
func (d *draft) lean(p *order.Policy) {
	classes := order.Classes
	if d.class != "" {
		classes = []order.Class{d.class}
	}
	m := &p.Messages
	var rules []order.MessageRule
	for _, r := range m.Rules {
		if slices.ContainsFunc(classes, func(c order.Class) bool { return !slices.Equal(r.Channels, order.DefaultChannels(r.Kind, c)) }) {
			rules = append(rules, r)
		}
	}
	var alerts []order.AlertRule
	for _, r := range m.Alerts {
		if !slices.Contains(order.Severities, r.Severity) || !slices.Equal(r.Channels, order.DefaultAlerts(r.Severity)) {
			alerts = append(alerts, r)
		}
	}
	if m.Quiet == order.DefaultQuiet {
		m.Quiet = ""
	}
	if m.PerDay == order.DefaultPerDay {
		m.PerDay = 0
	}
	if m.Group == order.DefaultGroup {
		m.Group = 0
	}
	// Where the lists are shorter now, faults must still find their lines.
	if len(p.Faults()) == 0 {
		m.Rules, m.Alerts = rules, alerts
	}
}
