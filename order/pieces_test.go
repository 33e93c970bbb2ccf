package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ofPiece is a physical event of one piece of parcel A's shipment of n pieces.
func ofPiece(h float64, m Milestone, piece string, n int) CarrierEvent {
	e := moves(h, m)
	e.ID = fmt.Sprint(piece, "@", h)
	e.Tracking, e.Piece, e.Pieces = "T-100", piece, n
	return e
}

// ofAll is an event on the number of the shipment.
func ofAll(h float64, m Milestone, n int, whole bool) CarrierEvent {
	e := ofPiece(h, m, "", n)
	e.Whole = whole
	return e
}

func TestAParcelOfSeveralPiecesEndsWithTheLast(t *testing.T) {
	for name, c := range map[string]struct {
		events []Event
		want   Milestone
		pieces string
		status Status
	}{
		"one of three": {[]Event{ofPiece(1, InTransit, "P-1", 3), ofPiece(2, OutForDelivery, "P-1", 3), ofPiece(3, Delivered, "P-1", 3)},
			OutForDelivery, "1 of 3", StatusPartiallyDelivered},
		"all, by themselves":                           {[]Event{ofPiece(1, Delivered, "P-1", 2), ofPiece(2, Delivered, "P-2", 2)}, Delivered, "2 of 2", StatusDelivered},
		"the number is a box's own, and counts others": {[]Event{ofPiece(1, Delivered, "T-100", 3)}, Accepted, "1 of 3", StatusPartiallyDelivered},
		"the number is a box's own, and the only one":  {[]Event{ofPiece(1, Delivered, "T-100", 1)}, Delivered, "0 of 0", StatusDelivered},
		"said of the shipment, not of all":             {[]Event{ofAll(1, InTransit, 3, false), ofAll(2, Delivered, 3, false)}, InTransit, "0 of 3", StatusShipped},
		"said of all":                                  {[]Event{ofAll(1, InTransit, 3, false), ofAll(2, Delivered, 3, true)}, Delivered, "3 of 3", StatusDelivered},
		"said of all, one turned round later": {[]Event{ofAll(2, Delivered, 2, true), ofPiece(5, Returning, "P-1", 2)},
			Returning, "1 of 2", StatusPartiallyDelivered},
		"another piece turns up after the first was delivered": {[]Event{ofPiece(1, Delivered, "T-100", 0), ofPiece(2, InTransit, "P-2", 0)},
			InTransit, "1 of 2", StatusPartiallyDelivered},
		"some delivered, one lost":   {[]Event{ofPiece(1, Delivered, "P-1", 2), ofPiece(2, InTransit, "P-2", 2), ofPiece(3, Lost, "P-2", 2)}, Lost, "1 of 2", StatusPartiallyDelivered},
		"lost, and found again":      {[]Event{ofPiece(1, Delivered, "P-1", 2), ofPiece(3, Lost, "P-2", 2), ofPiece(4, InTransit, "P-2", 2)}, InTransit, "1 of 2", StatusPartiallyDelivered},
		"one delivered, one back":    {[]Event{ofPiece(1, Delivered, "P-1", 2), ofPiece(3, Returned, "P-2", 2)}, Returned, "1 of 2", StatusPartiallyDelivered},
		"one back is not the parcel": {[]Event{ofPiece(1, InTransit, "P-1", 2), ofPiece(3, Returned, "P-2", 2)}, InTransit, "0 of 2", StatusShipped},
		"the warehouse has it back":  {[]Event{ofPiece(1, Delivered, "P-1", 2), scan(9, ScanReturned)}, Returned, "0 of 2", StatusReturned},
		"support says delivered":     {[]Event{ofPiece(1, Delivered, "P-1", 2), CorrectMilestone{bySupport(4), "A", Delivered}}, Delivered, "2 of 2", StatusDelivered},
		"a piece is taken back": {[]Event{ofPiece(1, Delivered, "P-1", 2), ofPiece(2, Delivered, "P-2", 2), ofPiece(3, InTransit, "P-2", 2).corrects()},
			InTransit, "1 of 2", StatusPartiallyDelivered},
		"without a number of its own, one number is one box": {[]Event{moves(1, Delivered)}, Delivered, "0 of 0", StatusDelivered},
		"before the order, a piece is nothing":               {[]Event{ofPiece(-72, Delivered, "P-1", 9)}, Expected, "0 of 0", StatusReceived},
		"paper makes no piece move":                          {[]Event{func() Event { e := ofPiece(1, Delivered, "P-1", 2); e.Physical = false; return e }()}, Expected, "0 of 0", StatusReceived},
	} {
		t.Run(name, func(t *testing.T) {
			s := after(oneParcel(), c.events...)
			p := &s.Parcels[0]
			if got := fmt.Sprintf("%d of %d", p.Delivered, p.Of); p.Milestone != c.want || got != c.pieces || s.Status != c.status {
				t.Errorf("%s, %s, %s; want %s, %s, %s", p.Milestone, got, s.Status, c.want, c.pieces, c.status)
			}
		})
	}
}

func TestACorrectionThatEndsSomePiecesDoesNotEndTheParcel(t *testing.T) {
	destroyed := []Event{ofAll(1, InTransit, 1, false), ofAll(2, Destroyed, 1, false).corrects(), ofPiece(3, InTransit, "P-2", 2).corrects()}
	if p := after(today(oneParcel()), destroyed...).Parcels[0]; p.Milestone != InTransit {
		t.Errorf("the other piece goes on, and the parcel is %s", p.Milestone)
	}
	if p := after(oneParcel(), destroyed...).Parcels[0]; p.Milestone != Destroyed {
		t.Errorf("under the rules that the order began with it was destroyed, and is %s", p.Milestone)
	}
	all := append(destroyed, ofPiece(4, Destroyed, "P-2", 2).corrects())
	if p := after(today(oneParcel()), all...).Parcels[0]; p.Milestone != Destroyed || !p.Since.Equal(at(4)) {
		t.Errorf("all pieces are gone, and the parcel is %s since %s", p.Milestone, p.Since)
	}
}

func TestAPartIsToldAndShown(t *testing.T) {
	s := after(oneParcel(), ofPiece(1, OutForDelivery, "P-1", 3), ofPiece(2, Delivered, "P-1", 3), ofPiece(3, Delivered, "P-2", 3))
	i := slices.IndexFunc(s.Told, func(h Happening) bool { return h.Type == PiecesDelivered })
	if i < 0 || s.Told[i].Text != "2 of 3 pieces delivered" || !s.Told[i].At.Equal(at(3)) {
		t.Errorf("told %+v", s.Told)
	}
	v := ViewOf(s)
	if p := v.Parcels[0]; p.Title != "2 of 3 pieces delivered" || p.Pieces != 3 || p.PiecesDelivered != 2 || v.Summary != p.Title {
		t.Errorf("%+v, %s", p, v.Summary)
	}
	play(s, ofPiece(4, Delivered, "P-3", 3))
	if told := told(s); strings.Contains(told, "pieces") || !strings.Contains(told, "milestone_reached A delivered") {
		t.Error(told)
	}
	if p := &s.Parcels[0]; !p.Since.Equal(at(4)) || !DeliveredAt(s).Equal(at(4)) {
		t.Errorf("delivered since %s, with the last piece", p.Since)
	}
}

func TestParcelsOfOneShipment(t *testing.T) {
	onMaster := func(h float64, m Milestone, whole bool) CarrierEvent {
		e := ofAll(h, m, 2, whole)
		e.Tracking = "M-1"
		return e
	}
	milestones := func(s *State) string { return fmt.Sprint(s.Parcels[0].Milestone, " ", s.Parcels[1].Milestone) }
	for name, c := range map[string]struct {
		spec   Spec
		events []Event
		want   string
	}{
		"a movement of the shipment is one of each":    {inOneShipment(), []Event{onMaster(1, InTransit, false)}, "in_transit in_transit"},
		"its delivery is nobody's":                     {inOneShipment(), []Event{onMaster(1, InTransit, false), onMaster(2, Delivered, false)}, "in_transit in_transit"},
		"unless it is everybody's":                     {inOneShipment(), []Event{onMaster(2, Delivered, true)}, "delivered delivered"},
		"each has its own end":                         {inOneShipment(), []Event{ofPiece(2, Delivered, "T-100", 2)}, "delivered expected"},
		"and a count that is not its own":              {inOneShipment(), []Event{ofPiece(2, Delivered, "T-100", 9)}, "delivered expected"},
		"without a master, one carrier's are together": {twoUPS(), []Event{ofPiece(2, Delivered, "T-100", 2)}, "delivered expected"},
		"and a third is missing":                       {twoUPS(), []Event{ofPiece(2, Delivered, "T-100", 3)}, "accepted expected"},
		"another parcel's piece is not this one's": {twoUPS(), []Event{ofPiece(1, Labelled, "T-200", 2), ofPiece(2, Delivered, "T-100", 2)},
			"delivered expected"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := milestones(after(c.spec, c.events...)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func twoUPS() Spec {
	s := twoParcels()
	s.Parcels[0].Carrier = "ups"
	return s
}

func TestAPieceThatBecomesAParcelLeavesTheOther(t *testing.T) {
	spec := twoUPS()
	spec.Parcels[1].Tracking = ""
	s := after(spec, ofPiece(1, Labelled, "T-200", 2), ofPiece(2, Delivered, "T-100", 2))
	if p := s.Parcels[0]; p.Milestone == Delivered || p.Delivered != 1 || p.Of != 2 {
		t.Errorf("%s, %d of %d", p.Milestone, p.Delivered, p.Of)
	}
	label := scan(3, ScanLabelled).of("B")
	label.Carrier, label.Tracking = "ups", "T-200"
	play(s, label)
	if p := s.Parcels[0]; p.Milestone != Delivered || p.Of != 0 {
		t.Errorf("%s, of %d", p.Milestone, p.Of)
	}
}

func TestANewLabelBringsItsOwnPieces(t *testing.T) {
	label := scan(2, ScanLabelled)
	label.Carrier, label.Tracking = "dhl", "T-900"
	e := moves(3, Delivered)
	e.Tracking, e.Piece = "T-900", "T-900"
	s := after(oneParcel(), paperPiece(1, "P-2"), label, e)
	if p := s.Parcels[0]; p.Milestone != Delivered || p.Of != 0 {
		t.Errorf("%s, %d of %d", p.Milestone, p.Delivered, p.Of)
	}
}

func paperPiece(h float64, piece string) CarrierEvent {
	e := ofPiece(h, Labelled, piece, 2)
	e.Physical = false
	return e
}

func TestTooManyPiecesNeverEndAParcelByThemselves(t *testing.T) {
	s := begin(oneParcel())
	for i := range maxPieces + 1 {
		play(&s, ofPiece(1, Delivered, fmt.Sprint("P-", i), 0))
	}
	p := &s.Parcels[0]
	if len(p.Pieces) != maxPieces || p.Milestone == Delivered || s.Anomalies[0].Kind != TooManyPieces {
		t.Errorf("%d pieces, %s, %v", len(p.Pieces), p.Milestone, s.Anomalies)
	}
	play(&s, ofAll(2, Delivered, 0, true))
	equal(t, "milestone", p.Milestone, Delivered)
	if b, _ := json.Marshal(&s); len(b) > 200_000 {
		t.Errorf("a state of %d bytes", len(b))
	}
}

// drawPieces makes facts about the pieces of parcel A, as inbox rows.
func drawPieces(t *rapid.T, corrections bool) []Event {
	facts := drawFacts(t, corrections)
	for i, f := range facts {
		if e, ok := f.(CarrierEvent); ok {
			e = inShipment(t, e)
			e.Tracking = "T-100"
			facts[i] = e
		}
	}
	return facts
}

func TestAnyArrivalOrderOfPiecesEndsAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := drawPieces(t, rapid.Bool().Draw(t, "corrections"))
		a := after(oneParcel(), facts...)
		b := after(oneParcel(), rapid.Permutation(facts).Draw(t, "order")...)
		p, q := &a.Parcels[0], &b.Parcels[0]
		if outcome(a) != outcome(b) || p.Of != q.Of || p.Delivered != q.Delivered || len(p.Pieces) != len(q.Pieces) {
			t.Fatalf("\n%s %d of %d\n%s %d of %d", outcome(a), p.Delivered, p.Of, outcome(b), q.Delivered, q.Of)
		}
	})
}

// The oracle sorts every piece's facts by itself, the slow way.
func TestTheFoldOfPiecesEqualsLookingAtEachPiece(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last, open := map[string]mark{}, mark{}
		count := 0
		var facts []Event
		for i := range rapid.IntRange(1, 16).Draw(t, "facts") {
			m := rapid.SampledFrom([]Milestone{Accepted, InTransit, OutForDelivery, Lost, Delivered, Delivered, Returning, Returned}).Draw(t, "milestone")
			e := ofPiece(float64(rapid.IntRange(1, 12).Draw(t, "hour")), m, rapid.SampledFrom([]string{"T-100", "P-1", "P-2"}).Draw(t, "piece"), rapid.IntRange(0, 3).Draw(t, "count")).known(20)
			e.ID = fmt.Sprint("f", i)
			facts = append(facts, e)
			count = max(count, e.Pieces)
			for _, k := range []mark{{Accepted, e.Occurred}, {m, e.Occurred}} {
				if better(k, last[e.Piece]) {
					last[e.Piece] = k
				}
				if !k.Milestone.final() && better(k, open) {
					open = k
				}
			}
		}
		want, delivered, ended := open.Milestone, 0, len(last) >= count
		var worst mark
		for _, piece := range []string{"P-1", "P-2", "T-100"} {
			k, seen := last[piece]
			if !seen {
				continue
			}
			if k.Milestone == Delivered {
				delivered++
			}
			ended = ended && k.Milestone.final()
			if worst.Milestone == "" || slices.Index(endings, k.Milestone) < slices.Index(endings, worst.Milestone) {
				worst.Milestone = k.Milestone
			}
			if k.At.After(worst.At) {
				worst.At = k.At
			}
		}
		if ended && better(worst, open) {
			want = worst.Milestone
		}
		s := after(oneParcel(), facts...)
		p := &s.Parcels[0]
		if max(len(last), count) == 1 {
			delivered = 0
		}
		if p.Milestone != want || p.Delivered != delivered {
			t.Fatalf("%s, %d delivered; the oracle says %s, %d", p.Milestone, p.Delivered, want, delivered)
		}
	})
}

func TestNoPaperEverMovesAParcel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := begin(rapid.SampledFrom([]Spec{oneParcel(), inOneShipment()}).Draw(t, "spec"))
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			e := paper(float64(rapid.IntRange(0, 60).Draw(t, "hour")), drawMilestone(t))
			if e.Milestone == Lost || e.Milestone == Destroyed {
				continue // the carrier's word about what nobody can scan
			}
			e.Correction = rapid.IntRange(0, 5).Draw(t, "correction") == 0
			if rapid.Bool().Draw(t, "in a shipment") {
				e = inShipment(t, e)
			}
			Apply(&s, e)
			for i := range s.Parcels {
				if p := &s.Parcels[i]; p.Milestone.Stage() > Preparing || !p.PossessionAt.IsZero() || !p.LastMovement.IsZero() {
					t.Fatalf("%+v made parcel %s %s", e, p.ID, p.Milestone)
				}
			}
		}
	})
}

func TestACarrierIsAskedByTheMasterWhereThereIsNoOtherNumber(t *testing.T) {
	spec := inOneShipment()
	spec.Parcels[0].Tracking = ""
	e := ofAll(1, InTransit, 2, false)
	e.Tracking = "M-1"
	s := after(spec, e)
	cmds := play(s, tick(400))
	if !slices.ContainsFunc(cmds, func(c Command) bool { return c.Parcel == "A" && c.Tracking == "M-1" }) || !slices.ContainsFunc(cmds, func(c Command) bool { return c.Parcel == "B" && c.Tracking == "T-200" }) {
		t.Errorf("asked %s", commands(cmds))
	}
}
