package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

func TestAnOrdinaryLife(t *testing.T) {
	l := live(t, spec("1"))
	l.person(1, func(m order.Meta) order.Event {
		m.By = order.Warehouse
		return order.Scan{Meta: m, Parcel: "1", Kind: order.ScanPicked}
	})
	l.person(2, func(m order.Meta) order.Event {
		m.By = order.Warehouse
		return order.Scan{Meta: m, Parcel: "1", Kind: order.ScanLabelled}
	})
	l.until(3).expect("confirmation email") // a label is not shipping
	l.carrier(5, "1", order.Accepted).until(6).expect("confirmation email", "shipped email 1")
	l.carrier(20, "1", order.InTransit).carrier(26, "1", order.InTransit)
	l.carrier(47, "1", order.OutForDelivery).until(48)
	l.carrier(51, "1", order.Delivered).until(200)
	l.expect("confirmation email", "shipped email 1", "out_for_delivery email 1", "delivered email 1")
}

func TestClassesHearByOtherWays(t *testing.T) {
	for class, want := range map[order.Class]string{order.Routine: "email", order.HighValue: "sms", order.TimeSensitive: "sms", order.Bulky: "sms"} {
		s := spec("1")
		s.Class = class
		l := live(t, s).carrier(5, "1", order.Accepted).carrier(24, "1", order.OutForDelivery).until(26)
		if got := l.heard(Buyer); len(got) != 3 || got[2] != "out_for_delivery "+want+" 1" {
			t.Errorf("%s: %v", class, got)
		}
	}
}

// What is overtaken before it goes out is not said.
func TestSuperseded(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(5.02, "1", order.OutForDelivery).until(7)
	l.expect("confirmation email", "out_for_delivery email 1")
	l.dropped(templates.Shipped, "superseded: the parcel is out_for_delivery")

	l = live(t, spec("1")).carrier(5, "1", order.OutForDelivery).carrier(5.02, "1", order.Delivered).until(8)
	l.expect("confirmation email", "delivered email 1")
	l.dropped(templates.OutForDelivery, "superseded")

	// A delivery that support takes back at once was none.
	l = live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(30, "1", order.Delivered)
	l.person(30.02, func(m order.Meta) order.Event {
		return order.CorrectMilestone{Meta: m, Parcel: "1", Milestone: order.InTransit}
	}).until(40)
	l.expect("confirmation email", "shipped email 1")
	l.dropped(templates.Delivered, "superseded: the parcel is in_transit")
	// When it comes for good, that is news.
	l.carrier(52, "1", order.Delivered).until(60)
	l.expect("confirmation email", "shipped email 1", "delivered email 1")
}

// "Shipped" is said once, whatever the carrier scans and however facts arrive.
func TestShippedOnce(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.InTransit).carrier(20, "1", order.InCustoms).carrier(40, "1", order.InTransit).until(50)
	early := l.at(4)
	l.n++
	l.apply(order.CarrierEvent{Meta: order.Meta{ID: "early", By: order.CarrierSays, Occurred: early, Received: l.now, Applied: l.now}, Parcel: "1", Milestone: order.Accepted, Physical: true})
	l.until(60).expect("confirmation email", "shipped email 1")
}

func TestSplitShipmentsGoIntoOneMail(t *testing.T) {
	l := live(t, spec("1", "2", "3")).carrier(5, "1", order.Accepted).carrier(5.1, "2", order.Accepted).until(6)
	l.expect("confirmation email", "shipped email 1+2")
	l.dropped(templates.Shipped, "told already")
	l.carrier(9, "3", order.Accepted).until(10)
	l.expect("confirmation email", "shipped email 1+2", "shipped email 3")
	l.carrier(27, "1", order.Delivered).carrier(27.05, "2", order.Delivered).until(28)
	if got := l.heard(Buyer); got[len(got)-1] != "delivered email 1+2" {
		t.Errorf("%v", got)
	}
}

// News waits for company only where company may come.
func TestNoWaitingForNobody(t *testing.T) {
	hours := func(minutes float64) float64 { return minutes / 60 }
	sentAt := func(l *life, want string, minutes float64) {
		t.Helper()
		for _, o := range l.sent {
			if strings.TrimRight(fmt.Sprintf("%s %s", o.Kind, strings.Join(o.Parcels, "+")), " ") == want {
				if got := o.SentAt.Sub(l.at(0)).Minutes(); got < minutes-0.01 || got > minutes+0.01 {
					t.Errorf("%s went after %.2f minutes, want %.2f", want, got, minutes)
				}
				return
			}
		}
		t.Errorf("no %s: %v", want, l.heard(Buyer))
	}
	// One parcel: at once, as far as anything is certain at once.
	l := live(t, spec("1")).carrier(hours(60), "1", order.Accepted).carrier(hours(600), "1", order.Delivered).until(20)
	sentAt(l, "shipped 1", 62)
	sentAt(l, "delivered 1", 602)

	// The first of two waits for the second, the second for nobody, and takes it along.
	l = live(t, spec("1", "2")).carrier(hours(60), "1", order.Accepted).carrier(hours(65), "2", order.Accepted).until(2)
	sentAt(l, "shipped 2+1", 67)
	// What still lies in the warehouse cannot arrive with it.
	l = live(t, spec("1", "2")).carrier(hours(60), "1", order.Accepted).until(2)
	sentAt(l, "shipped 1", 80)
	l.carrier(hours(300), "1", order.OutForDelivery).carrier(hours(420), "1", order.Delivered).until(8)
	sentAt(l, "out_for_delivery 1", 302)
	sentAt(l, "delivered 1", 422)
	// What is on the same van may.
	l = live(t, spec("1", "2")).carrier(hours(10), "1", order.Accepted).carrier(hours(11), "2", order.Accepted)
	l.carrier(hours(60), "1", order.OutForDelivery).carrier(hours(61), "2", order.OutForDelivery).until(2)
	sentAt(l, "shipped 2+1", 13)
	sentAt(l, "out_for_delivery 2+1", 63)
	l.carrier(hours(300), "1", order.Delivered).until(6)
	sentAt(l, "delivered 1", 320)
	// A cancelled one will not come.
	l = live(t, spec("1", "2"))
	l.person(0.5, func(m order.Meta) order.Event { return order.Cancel{Meta: m, Parcels: []string{"2"}} })
	if p := l.s.ParcelByID("2"); p.Milestone != order.Cancelled {
		t.Fatalf("%+v", p)
	}
	l.carrier(hours(60), "1", order.Accepted).until(2)
	sentAt(l, "shipped 1", 62)
	// A shorter group time than that is the policy's wish.
	s := spec("1")
	s.Policy.Messages.Group = order.Duration(time.Second)
	l = live(t, s).carrier(hours(60), "1", order.Accepted).until(2)
	sentAt(l, "shipped 1", 60+1.0/60)
}

func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := buyer
	p.Zone = berlin
	s := order.New(spec("1"), order.CurrentRules, placed)
	i := Intent{Audience: Buyer, Kind: templates.Shipped, Channel: order.Email, Urgency: Normal, Until: placed.AddDate(1, 0, 0)}
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		now, want, quiet string
		urgency          Urgency
		channel          Channel
	}{
		{"2026-11-23 20:59", "", "", Normal, order.Email},
		{"2026-11-23 21:00", "2026-11-24 08:00", "", Normal, order.Email},
		{"2026-11-24 07:59", "2026-11-24 08:00", "", Normal, order.SMS},
		{"2026-11-24 08:00", "", "", Normal, order.SMS},
		{"2026-11-24 03:00", "", "", Urgent, order.Email},
		{"2026-11-24 03:00", "2026-11-24 08:00", "", Urgent, order.SMS},
		{"2026-11-24 03:00", "", "", Instant, order.SMS},
		{"2026-11-24 03:00", "", "none", Normal, order.SMS},
		{"2026-11-24 13:00", "2026-11-24 15:30", "12:00-15:30", Normal, order.SMS},
		{"2026-10-24 23:00", "2026-10-25 08:00", "", Normal, order.Email}, // the clocks go back in that night
		{"2027-03-27 23:00", "2027-03-28 08:00", "", Normal, order.Email}, // and forward
		{"2026-12-31 22:00", "2027-01-01 08:00", "", Normal, order.Email},
	} {
		s.Spec.Policy.Messages.Quiet = c.quiet
		i.Urgency, i.Channel = c.urgency, c.channel
		got := awake(i, &s, p, at(c.now))
		want := at(c.now)
		if c.want != "" {
			want = at(c.want)
		}
		if !got.Equal(want) {
			t.Errorf("%+v: %s", c, got.In(berlin))
		}
	}
}

func TestMailsWaitForTheMorningAndTextsToo(t *testing.T) {
	// 09:00 + 13 h is 22:00.
	l := live(t, spec("1")).carrier(13, "1", order.Accepted).until(22.9)
	l.expect("confirmation email")
	l.until(23.5).expect("confirmation email", "shipped email 1")
	if got := l.sent[len(l.sent)-1].SentAt; !got.Equal(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)) {
		t.Errorf("sent at %s", got)
	}
}

func TestAttemptFailedOnlyWhenNoticed(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.OutForDelivery).until(25)
	l.carrier(28, "1", order.AttemptFailed).until(28.4)
	l.expect("confirmation email", "shipped email 1", "out_for_delivery email 1")
	if got := l.heard("support"); !slices.Equal(got, []string{"alert email 1", "alert webhook 1"}) {
		t.Errorf("support heard %v", got)
	}
	l.until(29).expect("confirmation email", "shipped email 1", "out_for_delivery email 1", "attempt_failed sms 1")

	// Settled within the half hour: nobody needs to know.
	l = live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.AttemptFailed).carrier(24.2, "1", order.OutForDelivery).until(26)
	l.expect("confirmation email", "shipped email 1", "out_for_delivery email 1")
}

func (l *life) eta(hours float64, parcel string, eta time.Time) *life {
	l.until(hours)
	l.n++
	l.apply(order.CarrierEvent{Meta: order.Meta{ID: "eta", By: order.CarrierSays, Occurred: l.now, Received: l.now, Applied: l.now}, Parcel: parcel, ETA: eta})
	return l
}

func TestDelayedOncePerWindow(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).until(6)
	l.eta(24, "1", placed.Add(7*day)).until(26) // two days late
	l.expect("confirmation email", "shipped email 1", "delayed email")
	l.eta(27, "1", placed.Add(7*day+2*time.Hour)).until(30) // the same day
	l.expect("confirmation email", "shipped email 1", "delayed email")
	l.eta(48, "1", placed.Add(6*day)).until(50) // better, and still late: it is told already
	l.expect("confirmation email", "shipped email 1", "delayed email")
	l.eta(52, "1", placed.Add(8*day)).until(56)
	l.expect("confirmation email", "shipped email 1", "delayed email", "delayed email")
	l.eta(60, "1", placed.Add(4*day)).until(75) // in time after all
	l.expect("confirmation email", "shipped email 1", "delayed email", "delayed email")
}

func TestAStalledParcelIsToldWithoutADay(t *testing.T) {
	s := spec("1")
	s.PromisedAt = placed.Add(30 * day)
	l := live(t, s).carrier(5, "1", order.Accepted).until(24 * 6)
	l.expect("confirmation email", "shipped email 1", "delayed email 1")
	if last := l.sent[len(l.sent)-1]; !last.Window.IsZero() {
		t.Errorf("it names %s", last.Window)
	}
}

func TestReadyForPickupAndAddressProblem(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.ReadyForPickup).until(26)
	l.expect("confirmation email", "shipped email 1", "ready_for_pickup sms 1")

	l = live(t, spec("1")).carrier(5, "1", order.Accepted).until(24)
	l.n++
	l.apply(order.CarrierEvent{Meta: order.Meta{ID: "x", By: order.CarrierSays, Occurred: l.now, Received: l.now, Applied: l.now}, Parcel: "1", Bucket: "address"})
	l.until(26).expect("confirmation email", "shipped email 1", "address_problem email 1")
}

func TestReturnAndRefund(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.Delivered).until(25)
	l.person(48, func(m order.Meta) order.Event {
		return order.RequestReturn{Meta: m, Lines: []order.ReturnLine{{SKU: "mug", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}}
	})
	if len(l.s.Returns) != 1 || l.s.Returns[0].State != order.ReturnAuthorized {
		t.Fatalf("%+v", l.s.Returns)
	}
	l.person(49, func(m order.Meta) order.Event {
		return order.ShipReturn{Meta: m, Return: "R1", Carrier: "ups", Tracking: "1ZR"}
	}).until(50)
	base := []string{"confirmation email", "shipped email 1", "delivered email 1", "return_steps email"}
	l.expect(base...)
	l.carrier(60, "R1", order.InTransit).carrier(80, "R1", order.Returned)
	l.person(81, func(m order.Meta) order.Event {
		m.By = order.ReturnsDesk
		return order.Scan{Meta: m, Parcel: "R1", Kind: order.ScanReturned}
	})
	l.person(82, func(m order.Meta) order.Event {
		m.By = order.ReturnsDesk
		return order.InspectReturn{Meta: m, Return: "R1", Findings: []order.Finding{{SKU: "mug", Quantity: 1, Grade: order.GradeNew}}}
	})
	l.until(83).expect(base...) // asked for is not released
	refund := slices.IndexFunc(l.s.Pending, func(c order.Command) bool { return c.Kind == order.RequestRemedy })
	if refund < 0 {
		t.Fatalf("no refund is asked for: %+v\n%s", l.s.Remedies, l.story())
	}
	l.apply(order.Answered{Meta: order.Meta{By: order.Engine, Applied: l.now}, Command: l.s.Pending[refund].ID, Reference: "RF-1"})
	l.until(84).expect(append(base, "refund_released email")...) // nothing of the parcel that came back
}

// Nobody blames a carrier for what still lies in the warehouse.
func TestWhoIsLate(t *testing.T) {
	for parcel, want := range map[string]templates.Reason{"": "warehouse", "1": "carrier_delay"} {
		s := spec("1")
		s.PromisedAt = placed.Add(day)
		l := live(t, s)
		if parcel != "" {
			l.carrier(5, parcel, order.Accepted)
		}
		l.until(28)
		i := slices.IndexFunc(l.sent, func(o Sent) bool { return o.Kind == templates.Delayed })
		if i < 0 {
			t.Fatalf("no delay was told: %v\n%s", l.heard(Buyer), l.story())
		}
		c, err := Content(l.sent[i].Intent, nil, &l.s, buyer, details(), l.now)
		if err != nil || c.Reason != want || !c.Overdue {
			t.Errorf("%v %s, want %s", err, c.Reason, want)
		}
	}
}

// What happens to the parcel of a return is not said of the order.
func TestTroubleOnTheWayBack(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.Delivered).until(25)
	l.person(48, func(m order.Meta) order.Event {
		return order.RequestReturn{Meta: m, Lines: []order.ReturnLine{{SKU: "mug", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}}
	})
	l.carrier(60, "R1", order.InTransit)
	l.n++
	l.apply(order.CarrierEvent{Meta: order.Meta{ID: "x", By: order.CarrierSays, Occurred: l.now, Received: l.now, Applied: l.now}, Parcel: "R1", Bucket: "address"})
	l.until(24*9).expect("confirmation email", "shipped email 1", "delivered email 1")
	if got := l.heard("support"); len(got) == 0 {
		t.Error("support heard of no case")
	}
}

func TestNotReceived(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.Delivered).until(25)
	l.person(30, func(m order.Meta) order.Event { return order.ReportNotReceived{Meta: m, Parcel: "1"} }).until(31)
	l.expect("confirmation email", "shipped email 1", "delivered email 1", "not_received_followup email 1")
}

func TestWishes(t *testing.T) {
	play := func(p Preferences, change func(*Person)) *life {
		l := live(t, spec("1"))
		who := buyer
		who.Preferences = p
		if change != nil {
			change(&who)
		}
		l.who = People{Buyer: who, "support": team, "ops": team}
		return l.carrier(5, "1", order.Accepted).carrier(24, "1", order.AttemptFailed).until(26)
	}
	play(Preferences{Frequency: Important}, nil).expect("confirmation email", "attempt_failed sms 1")
	play(Preferences{Frequency: LegalOnly}, nil).expect("confirmation email")
	play(Preferences{Channel: order.SMS}, nil).expect("confirmation email", "shipped sms 1", "attempt_failed sms 1")
	play(Preferences{Channel: order.Email}, nil).expect("confirmation email", "shipped email 1", "attempt_failed email 1")
	play(Preferences{}, func(p *Person) { p.HasPhone = false }).expect("confirmation email", "shipped email 1", "attempt_failed email 1")
	none := play(Preferences{}, func(p *Person) { p.HasPhone, p.HasEmail = false, false })
	none.expect()
	none.dropped(templates.Shipped, "no address")
	gone := play(Preferences{}, func(p *Person) { p.Erased = true })
	gone.dropped(templates.Shipped, "erased")
}

func TestThePolicyTurnsMessagesOff(t *testing.T) {
	s := spec("1")
	s.Policy.Messages.Rules = []order.MessageRule{{Kind: "shipped"}, {Kind: "delivered", Channels: []Channel{order.SMS}}}
	s.Policy.Messages.Alerts = []order.AlertRule{{Severity: order.Urgent, Channels: []Channel{order.SMS}}}
	l := live(t, s).carrier(5, "1", order.Accepted).carrier(24, "1", order.AttemptFailed).carrier(28, "1", order.Delivered).until(30)
	l.expect("confirmation email", "attempt_failed sms 1", "delivered sms 1")
	if got := l.heard("support"); !slices.Equal(got, []string{"alert sms 1"}) {
		t.Errorf("%v", got)
	}
}

func TestACapForTheDay(t *testing.T) {
	s := spec("1", "2", "3", "4", "5", "6")
	l := live(t, s)
	for i, p := range []string{"1", "2", "3", "4", "5", "6"} {
		l.carrier(2+float64(i), p, order.Accepted)
	}
	l.carrier(10, "1", order.AttemptFailed).until(13)
	l.expect("confirmation email", "shipped email 1", "shipped email 2", "shipped email 3", "attempt_failed sms 1")
	l.dropped(templates.Shipped, "enough messages today")
}

func TestNothingAfterACancellation(t *testing.T) {
	l := live(t, spec("1"))
	l.open = append(l.open, Intent{Order: "acme:1", Occasion: "delayed:unknown:x", Audience: Buyer, Channel: order.Email, Kind: templates.Delayed, Until: placed.Add(9 * day)})
	l.apply(order.Cancel{Meta: order.Meta{ID: "x", By: order.Support, Reason: "asked for", Applied: l.now}})
	l.until(2).expect()
	l.dropped(templates.Confirmation, "cancelled")
	l.dropped(templates.Delayed, "cancelled")
}

func TestOldNewsIsNotTold(t *testing.T) {
	l := live(t, spec("1")).until(24 * 9)
	// The carrier's whole file comes nine days late.
	for _, e := range []struct {
		hours float64
		m     order.Milestone
	}{{5, order.Accepted}, {24, order.OutForDelivery}, {28, order.Delivered}} {
		l.n++
		l.apply(order.CarrierEvent{Meta: order.Meta{ID: string(e.m), By: order.CarrierSays, Occurred: l.at(e.hours), Received: l.now, Applied: l.now}, Parcel: "1", Milestone: e.m, Physical: true})
	}
	l.until(24 * 10)
	for _, k := range l.heard(Buyer) {
		if strings.HasPrefix(k, "shipped") || strings.HasPrefix(k, "out_for") || strings.HasPrefix(k, "delivered") {
			t.Errorf("the buyer heard %s", k)
		}
	}
}

func TestEscalationsGoUpTheLadder(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.AttemptFailed).until(24 + 9)
	if got := l.heard("ops"); !slices.Equal(got, []string{"alert email 1", "alert webhook 1"}) {
		t.Errorf("ops heard %v of support's case\n%s", got, l.story())
	}
}

// The same happenings planned again, and out of a newer state, are the same
// intents.
func TestRetellingIsNoNews(t *testing.T) {
	l := live(t, spec("1", "2")).carrier(5, "1", order.Accepted).carrier(24, "1", order.AttemptFailed).until(25)
	l.eta(26, "1", placed.Add(9*day)).until(30)
	l.carrier(50, "1", order.Delivered).until(55)
	known := map[string]bool{}
	for _, i := range l.intents {
		known[key(i)] = true
	}
	for _, i := range Plan(&l.s, l.s.Told, all, l.now) {
		if !known[key(i)] && i.Kind != templates.Delayed { // whose window may be another by now
			t.Errorf("%s is new", key(i))
		}
		if v := Judge(i, &l.s, l.who[i.Audience], l.sent, l.now); v.Send {
			t.Errorf("%s would be sent again", key(i))
		}
	}
}

func TestFallback(t *testing.T) {
	s := order.New(spec("1"), order.CurrentRules, placed)
	i := Intent{Audience: Buyer, Kind: templates.AttemptFailed, Channel: order.SMS}
	if next, ok := Fallback(i, &s, buyer); !ok || next.Channel != order.Email {
		t.Errorf("%+v %v", next, ok)
	}
	i.Channel = order.Email
	if next, ok := Fallback(i, &s, buyer); ok {
		t.Errorf("%+v", next)
	}
	i.Channel = order.SMS
	if next, ok := Fallback(i, &s, Person{HasPhone: true}); ok {
		t.Errorf("%+v", next)
	}
}

// The carrier knows better than the policy how long it keeps a parcel.
func TestThePickupsLastDayIsTheCarriers(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(24, "1", order.ReadyForPickup).until(26)
	i := l.sent[len(l.sent)-1].Intent
	d := details()
	for _, by := range []time.Time{{}, placed.Add(5 * day)} {
		want := l.s.Parcels[0].Since.Add(time.Duration(l.s.Spec.Policy.Pickup))
		if d.PickupBy = by; !by.IsZero() {
			want = by
		}
		if c, err := Content(i, i.Parcels, &l.s, buyer, d, l.now); err != nil || i.Kind != templates.ReadyForPickup || !c.Until.Equal(want) {
			t.Errorf("%s: until %s, want %s, %v", i.Kind, c.Until, want, err)
		}
	}
}
