package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// Whatever happens to an order, in whatever order it is heard of: check holds of
// each message when it is sent, and these hold of all of them.
func TestAnyLife(t *testing.T) {
	kinds := map[templates.Kind]int{}
	// Those that buyers hear of more often than the others.
	told := []order.Milestone{order.Accepted, order.OutForDelivery, order.OutForDelivery, order.OutForDelivery, order.OutForDelivery, order.Delivered, order.AttemptFailed, order.AttemptFailed, order.ReadyForPickup, order.ReadyForPickup}
	for _, d := range order.Definitions {
		told = append(told, d.Milestone)
	}
	zones := []*time.Location{nil, time.FixedZone("", -8*3600), time.FixedZone("", 13*3600)}
	rapid.Check(t, func(rt *rapid.T) {
		s := spec([][]string{{"1"}, {"1"}, {"1", "2"}, {"1", "2", "3"}}[rapid.IntRange(0, 3).Draw(rt, "parcels")]...)
		s.Class = rapid.SampledFrom(order.Classes).Draw(rt, "class")
		s.Policy.Messages.Quiet = rapid.SampledFrom([]string{"", order.NoQuiet, "00:00-12:00"}).Draw(rt, "quiet")
		s.Policy.Messages.PerDay = rapid.IntRange(0, 3).Draw(rt, "per day")
		l := live(rt, s)
		who := buyer
		who.Zone = rapid.SampledFrom(zones).Draw(rt, "zone")
		who.HasPhone = rapid.Bool().Draw(rt, "phone")
		who.Frequency = rapid.SampledFrom(append(Frequencies, "")).Draw(rt, "frequency")
		who.Channel = rapid.SampledFrom([]Channel{"", order.Email, order.SMS}).Draw(rt, "channel")
		l.who = People{Buyer: who, "warehouse": team, "ops": team, "support": team, "returns": team}
		hours := 0.0
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			hours += rapid.SampledFrom([]float64{0, 0.1, 0.6, 3, 9, 24, 60}).Draw(rt, "gap")
			l.until(hours)
			l.n++
			m := order.Meta{ID: fmt.Sprint("e", l.n), By: order.CarrierSays, Reason: "asked for", Occurred: l.now, Received: l.now, Applied: l.now}
			if rapid.IntRange(0, 4).Draw(rt, "late") == 0 { // heard of late, and out of order
				m.Occurred = l.now.Add(-time.Duration(rapid.IntRange(1, 80).Draw(rt, "by")) * time.Hour)
			}
			parcel := rapid.SampledFrom(append(parcelIDs(&l.s), "1")).Draw(rt, "parcel")
			switch rapid.IntRange(0, 13).Draw(rt, "what") {
			default:
				l.apply(order.CarrierEvent{Meta: m, Parcel: parcel, Milestone: rapid.SampledFrom(told).Draw(rt, "milestone"), Physical: rapid.IntRange(0, 5).Draw(rt, "paper") > 0, Location: rapid.SampledFrom([]string{"", "Leipzig"}).Draw(rt, "place"),
					Correction: rapid.IntRange(0, 9).Draw(rt, "correction") == 0, Bucket: rapid.SampledFrom([]string{"", "", "weather", "address", "customs_docs", "refused"}).Draw(rt, "bucket")})
			case 0, 1:
				l.apply(order.CarrierEvent{Meta: m, Parcel: parcel, ETA: l.now.Add(time.Duration(rapid.IntRange(-2, 10).Draw(rt, "eta")) * day)})
			case 2:
				m.By = order.Warehouse
				l.apply(order.Scan{Meta: m, Parcel: parcel, Kind: rapid.SampledFrom(order.ScanKinds).Draw(rt, "scan")})
			case 3:
				m.By, m.Actor = order.Support, "anna"
				l.request(rapid.SampledFrom([]order.Event{
					order.Cancel{Meta: m}, order.CorrectMilestone{Meta: m, Parcel: parcel, Milestone: order.InTransit}, order.CorrectMilestone{Meta: m, Parcel: parcel, Milestone: order.Delivered},
					order.ReportNotReceived{Meta: m, Parcel: parcel}, order.ChangePromise{Meta: m, PromisedAt: l.now.Add(3 * day)},
					order.RequestReturn{Meta: m, Lines: []order.ReturnLine{{SKU: "mug", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}},
					order.ShipReturn{Meta: m, Return: "R1", Carrier: "ups", Tracking: "1ZR"}, order.CancelReturn{Meta: m, Return: "R1"},
				}).Draw(rt, "request"))
			case 4:
				if len(l.s.Cases) > 0 {
					c := rapid.SampledFrom(l.s.Cases).Draw(rt, "case")
					d, _ := order.LookupCase(c.Kind)
					m.By, m.Actor = order.Support, "anna"
					l.request(order.ResolveCase{Meta: m, Case: c.ID, Resolution: rapid.SampledFrom(d.Resolutions).Draw(rt, "resolution"), Until: l.now.Add(day)})
				}
			case 5:
				for _, c := range l.s.Pending {
					if c.Kind == order.RequestRemedy {
						l.apply(order.Answered{Meta: order.Meta{By: order.Engine, Applied: l.now}, Command: c.ID, Reference: "RF"})
					}
				}
			}
		}
		l.until(hours + 30*24)
		perDay := map[string]int{}
		for _, o := range l.sent {
			kinds[o.Kind]++
			if o.Audience != Buyer {
				continue
			}
			row, _ := rowOf(o.Kind)
			if !row.wanted(who.Frequency) || !who.Reaches(o.Channel) {
				rt.Errorf("%s went to who wants %q", key(o.Intent), who.Frequency)
			}
			// Nothing that can wait goes at night.
			if o.Urgency == Normal || o.Urgency == Urgent && o.Channel == order.SMS {
				if night := awake(o.Intent, &l.s, who, o.SentAt); night.After(o.SentAt) {
					rt.Errorf("%s went at %s", key(o.Intent), o.SentAt.In(who.zone()))
				}
			}
			perDay[date(o.SentAt.In(who.zone()))]++
			if !row.important && !row.legal && perDay[date(o.SentAt.In(who.zone()))] > perDayOf(&l.s) {
				rt.Errorf("message %d of that day: %s", perDay[date(o.SentAt.In(who.zone()))], key(o.Intent))
			}
			for _, other := range l.sent {
				if other.Audience == Buyer && other.Kind == o.Kind && other.SentAt.Before(o.SentAt) && o.Kind == templates.Delayed && o.Window.IsZero() && o.SentAt.Before(other.SentAt.Add(again)) {
					rt.Errorf("told of a delay without a day twice within %s", again)
				}
			}
		}
		// Everything is decided in the end, and says why.
		if len(l.open) > 0 {
			rt.Errorf("undecided: %+v", l.open)
		}
	})
	// The property says nothing of kinds that no life came to.
	for _, k := range append(templates.Kinds(), Alert) {
		if kinds[k] == 0 {
			t.Logf("no life had a message of the kind %s", k)
		}
	}
	for _, k := range []templates.Kind{templates.Confirmation, templates.Shipped, templates.OutForDelivery, templates.Delivered, templates.AttemptFailed, templates.Delayed, templates.ReadyForPickup, Alert} {
		if kinds[k] == 0 {
			t.Errorf("no life had a message of the kind %s", k)
		}
	}
}

func parcelIDs(s *order.State) (ids []string) {
	for i := range s.Parcels {
		ids = append(ids, s.Parcels[i].ID)
	}
	return ids
}

func perDayOf(s *order.State) int { return perDay(s) }

// request applies what Check allows.
func (l *life) request(e order.Event) {
	if order.Check(&l.s, e) == nil {
		l.apply(e)
	}
}

// Judge is total: any intent with any state gets exactly one answer.
func TestAnyIntentGetsAVerdict(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := order.New(spec("1", "2"), order.CurrentRules, placed)
		pick := func(label string) time.Time {
			return placed.Add(time.Duration(rapid.IntRange(-100, 100).Draw(rt, label)) * time.Hour)
		}
		i := Intent{
			Order: "acme:1", Occasion: rapid.String().Draw(rt, "occasion"), Audience: rapid.SampledFrom([]Audience{Buyer, "ops", "nobody", ""}).Draw(rt, "audience"),
			Channel: rapid.SampledFrom([]Channel{order.Email, order.SMS, order.Webhook, "", "pigeon"}).Draw(rt, "channel"),
			Kind:    rapid.SampledFrom(append(templates.Kinds(), Alert, "", "greeting")).Draw(rt, "kind"), Case: rapid.SampledFrom([]string{"", "x"}).Draw(rt, "case"),
			Parcels: rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "nobody's"}), 0, 2).Draw(rt, "about"), At: pick("at"), NotBefore: pick("not before"), Until: pick("until"),
			Urgency: rapid.SampledFrom([]Urgency{Normal, Urgent, Instant, ""}).Draw(rt, "urgency"),
		}
		now := pick("now")
		v := Judge(i, &s, team, nil, now)
		if b2i(v.Send)+b2i(v.Drop != "")+b2i(!v.Later.IsZero()) != 1 {
			rt.Fatalf("%+v", v)
		}
		if v.Send && !slices.Contains([]Channel{order.Email, order.SMS, order.Webhook}, i.Channel) {
			rt.Fatalf("sent by %q", i.Channel)
		}
	})
}
