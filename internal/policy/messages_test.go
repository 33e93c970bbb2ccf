package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

// An order carries its policy, so what holds anyhow is not in it.
func TestMessagesKeepOnlyWhatDiffers(t *testing.T) {
	for _, b := range parse(t, string(Default)) {
		for _, c := range order.Classes {
			if p := b.For(c); len(p.Messages.Rules) > 0 || len(p.Messages.Alerts) > 0 || p.Messages.Quiet != "" || p.Messages.PerDay != 0 || p.Messages.Group != 0 {
				t.Errorf("%s for %s says of messages %+v", b.Name, c, p.Messages)
			}
		}
	}
	b := parse(t, `policies:
  shop:
    messages:
      shipped: []
      delivered: [email, sms]
      out_for_delivery: [email, sms]
      alerts: { minor: [webhook], normal: [email, webhook] }
      quiet: none
      per_day: 2
      group: 1h
    classes:
      bulky:
        messages: { out_for_delivery: [sms], shipped: [email, sms], quiet: 21:00-08:00 }
`)[0]
	usual, bulky := b.For(order.Routine), b.For(order.Bulky)
	for _, c := range []struct {
		p    order.Policy
		of   order.Class
		kind string
		want []order.Channel
	}{
		{usual, order.Routine, "shipped", nil},
		{usual, order.Routine, "delivered", []order.Channel{order.Email, order.SMS}},
		{usual, order.HighValue, "out_for_delivery", []order.Channel{order.Email, order.SMS}}, // said of all classes
		{bulky, order.Bulky, "out_for_delivery", []order.Channel{order.SMS}},
		{bulky, order.Bulky, "shipped", []order.Channel{order.Email, order.SMS}},
		{bulky, order.Bulky, "attempt_failed", []order.Channel{order.SMS, order.Email}},
	} {
		if got := c.p.MessageChannels(c.kind, c.of); !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.kind, c.of, got, c.want)
		}
	}
	if got := usual.AlertChannels(order.Minor); !slices.Equal(got, []order.Channel{order.Webhook}) {
		t.Errorf("alerts: %v", got)
	}
	if m := usual.Messages; m.Quiet != order.NoQuiet || m.PerDay != 2 || time.Duration(m.Group) != time.Hour || len(m.Alerts) != 1 {
		t.Errorf("%+v", m)
	}
	if m := bulky.Messages; m.Quiet != "" || len(m.Rules) != 1 { // as usual again
		t.Errorf("%+v", m)
	}
}

func TestFaultsOfMessagesNameTheirLines(t *testing.T) {
	for text, want := range map[string]string{
		"shiped: [email]":             "line 4: policies.shop.messages.shiped: ",
		"shipped: email":              "line 4: policies.shop.messages.shipped: must be a list",
		"shipped: [webhook]":          `line 4: policies.shop.messages.shipped: "webhook" must be one of`,
		"shipped: [sms, sms]":         `line 4: policies.shop.messages.shipped: "sms" must be one of`,
		"alerts: {terrible: [email]}": "line 4: policies.shop.messages.alerts.terrible: ",
		"alerts: {normal: [pager]}":   `line 4: policies.shop.messages.alerts.normal: "pager" must be one of`,
		"quiet: 9-17":                 "line 4: policies.shop.messages.quiet: ",
		"quiet: 08:00-08:00":          "line 4: policies.shop.messages.quiet: ",
		"per_day: 0":                  "line 4: policies.shop.messages.per_day: ",
		"per_day: 100000":             "line 4: policies.shop.messages.per_day: must be between",
		"group: 2d":                   "line 4: policies.shop.messages.group: must be between",
		"group: 0":                    "line 4: policies.shop.messages.group: must be above 0",
	} {
		_, err := Parse([]byte("policies:\n  shop:\n    messages:\n      "+text+"\n"), known, now)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
