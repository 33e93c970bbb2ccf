package order

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// t0 is when every test order is placed: a Monday morning.
var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const hour = time.Hour

// at is some hours after the order was placed.
func at(h float64) time.Time { return t0.Add(time.Duration(h * float64(hour))) }

// testPolicy is a policy as it was under rules 1; today's are in policy2.
func testPolicy() Policy {
	p := DefaultPolicy()
	p.Cases, p.Trace, p.RemedyAnswer, p.ClaimAnswer, p.ReportWindow, p.RefundLimit = nil, 0, 0, 0, 0, 0
	p.CarrierAnswer, p.ByHand, p.ClaimFiling = 0, 0, 0
	p.ReturnWindow, p.ReturnDecision, p.ReturnShip, p.ReturnReceipt, p.ReturnInspect, p.ReturnAutoLimit, p.ReturnExcluded = 0, 0, 0, 0, 0, 0, nil
	p.Rhythms = []Rhythm{{Carrier: "ups", Service: "air", Gap: Duration(24 * hour)}, {Carrier: "ups", Gap: Duration(36 * hour)}}
	return p
}

// rulesOf: a spec with today's policy lives by today's rules, one without by the
// rules before people could act.
func rulesOf(s Spec) int {
	if s.Policy.Cases == nil {
		return excuseRules
	}
	return CurrentRules
}

// today is a spec with today's policy.
func today(s Spec) Spec {
	p := DefaultPolicy()
	p.Rhythms = s.Policy.Rhythms
	s.Policy, s.Currency = p, "EUR"
	s.Lines = append([]Line(nil), s.Lines...)
	for i := range s.Lines {
		s.Lines[i].UnitAmount = 1000
	}
	return s
}

// oneParcel is two mugs in parcel A with DHL, promised for Friday evening.
func oneParcel() Spec {
	return Spec{
		ID: "shop:1", Store: "shop", Number: "1", Class: Routine, PlacedAt: t0, PromisedAt: at(5 * 24), Policy: testPolicy(),
		Lines:   []Line{{SKU: "mug", Quantity: 2}},
		Parcels: []PlannedParcel{{ID: "A", Lines: []Allocation{{"mug", 2}}, Carrier: "dhl", Tracking: "T-100"}},
	}
}

// twoParcels is a mug in A and tea in B.
func twoParcels() Spec {
	s := oneParcel()
	s.Lines = []Line{{SKU: "mug", Quantity: 1}, {SKU: "tea", Quantity: 3}}
	s.Parcels = []PlannedParcel{
		{ID: "A", Lines: []Allocation{{"mug", 1}}, Carrier: "dhl", Tracking: "T-100"},
		{ID: "B", Lines: []Allocation{{"tea", 3}}, Carrier: "ups", Tracking: "T-200"},
	}
	return s
}

// inOneShipment is twoParcels as two pieces of the shipment M-1.
func inOneShipment() Spec {
	s := twoParcels()
	for i := range s.Parcels {
		s.Parcels[i].Carrier, s.Parcels[i].Master = "ups", "M-1"
	}
	return s
}

// metaAt builds the Meta of something that happened h hours in, and was known at once.
func metaAt(h float64, by Source) Meta {
	return Meta{ID: fmt.Sprintf("%s@%g", by, h), By: by, Occurred: at(h), Received: at(h), Applied: at(h)}
}

func scan(h float64, k ScanKind) Scan { return Scan{Meta: metaAt(h, Warehouse), Parcel: "A", Kind: k} }

// moves is a physical carrier event of parcel A.
func moves(h float64, m Milestone) CarrierEvent {
	return CarrierEvent{Meta: metaAt(h, CarrierSays), Parcel: "A", Milestone: m, Physical: true}
}

// paper is a carrier event without anybody touching the parcel.
func paper(h float64, m Milestone) CarrierEvent {
	e := moves(h, m)
	e.Physical = false
	return e
}

func (e CarrierEvent) of(parcel string) CarrierEvent { e.Parcel = parcel; return e }
func (e Scan) of(parcel string) Scan                 { e.Parcel = parcel; return e }

// known says that an event reached the order only at h.
func (e CarrierEvent) known(h float64) CarrierEvent {
	e.Received, e.Applied = at(h), at(h)
	return e
}

func (e Scan) known(h float64) Scan { e.Received, e.Applied = at(h), at(h); return e }

func (e CarrierEvent) corrects() CarrierEvent { e.Correction = true; return e }

func tick(h float64) Tick { return Tick{Meta{By: Engine, Applied: at(h)}} }

func bySupport(h float64) Meta {
	return Meta{ID: fmt.Sprintf("audit@%g", h), By: Support, Actor: "u1", Reason: "the buyer called", Received: at(h), Applied: at(h)}
}

func byShop(h float64) Meta {
	m := bySupport(h)
	m.By, m.Actor = Storefront, "key1"
	return m
}

// begin makes a new order; its own happenings are dropped.
func begin(spec Spec) State {
	s := New(spec, rulesOf(spec), t0)
	s.Told = nil
	return s
}

// play applies events in order; the happenings of all but the last are dropped.
func play(s *State, events ...Event) []Command {
	var cmds []Command
	for _, e := range events {
		s.Told = nil
		cmds = Apply(s, e)
	}
	return cmds
}

func after(spec Spec, events ...Event) *State {
	s := begin(spec)
	play(&s, events...)
	return &s
}

// hoursIn writes a time as hours after the order was placed.
func hoursIn(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%gh", t.Sub(t0).Hours())
}

// told writes happenings one a line: what, of which parcel, details.
func told(s *State) string {
	var b strings.Builder
	for _, h := range s.Told {
		words := []string{string(h.Type), h.Parcel, string(h.Milestone), string(h.Case)}
		if h.Type == StatusChanged || h.Type == AnomalyFound || h.Type == CaseEscalated {
			text, _, _ := strings.Cut(h.Text, ":")
			words = append(words, text)
		}
		b.WriteString(strings.Join(strings.Fields(strings.Join(words, " ")), " ") + "\n")
	}
	return b.String()
}

// waits writes every open wait, the earliest first: what, of whom, until when, whose.
func waits(s *State) string {
	var b strings.Builder
	for _, w := range Waiting(s) {
		words := []string{string(w.Kind), w.Parcel, string(w.Case), hoursIn(w.Until), string(w.Owner)}
		b.WriteString(strings.Join(strings.Fields(strings.Join(words, " ")), " ") + "\n")
	}
	return b.String()
}

func commands(cs []Command) string {
	var b strings.Builder
	for _, c := range cs {
		fmt.Fprintf(&b, "%s %s %s %s\n", c.Kind, c.Parcel, c.Carrier, c.Tracking)
	}
	return b.String()
}

// lines trims the indentation of a wanted text.
func lines(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != lines(want) {
		t.Errorf("%s:\n%s-- want:\n%s", what, got, lines(want))
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
