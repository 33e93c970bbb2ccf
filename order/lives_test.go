package order

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whole lives, from checkout until nothing is left to do: what happens to most
// orders most of the time, and now and then anything at all.

// drawWay is the next thing that a carrier or a warehouse usually says of a parcel.
func drawWay(t *rapid.T, s *State, now time.Time) Event {
	p := rapid.SampledFrom(s.Parcels).Draw(t, "whose")
	m := Meta{ID: fmt.Sprint("f", s.Seq), N: s.Seq + 1000, Occurred: now, Received: now, Applied: now}
	if late := rapid.SampledFrom([]time.Duration{0, 0, 0, hour, 30 * hour}).Draw(t, "late"); now.Add(-late).After(s.Spec.PlacedAt) {
		m.Occurred = now.Add(-late)
	}
	if p.Milestone.Stage() == Preparing && rapid.IntRange(0, 3).Draw(t, "at the warehouse") > 0 || rapid.IntRange(0, 9).Draw(t, "at the dock") == 0 {
		m.By = Warehouse
		return Scan{Meta: m, Parcel: p.ID, Kind: rapid.SampledFrom(ScanKinds).Draw(t, "scan"), Carrier: "dhl", Tracking: rapid.SampledFrom([]string{"", "T-100", "T-500"}).Draw(t, "label")}
	}
	m.By = CarrierSays
	usual := Definitions[slot(p.Milestone)].Usual
	e := CarrierEvent{Meta: m, Parcel: p.ID, Physical: true, Location: rapid.SampledFrom([]string{"", "Leipzig"}).Draw(t, "place"),
		Milestone: rapid.SampledFrom(append(usual, Accepted, InTransit, InTransit, InCustoms, AttemptFailed, Delivered, Returning, Returned, Lost)).Draw(t, "next")}
	for _, b := range buckets {
		if rapid.IntRange(0, 29).Draw(t, string(b.kind)) == 0 {
			e.Bucket = rapid.SampledFrom(b.words).Draw(t, "bucket")
		}
	}
	if rapid.IntRange(0, 7).Draw(t, "with eta") == 0 {
		e.ETA = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "eta")) * hour)
	}
	if e.Milestone == Lost {
		e.Physical = rapid.Bool().Draw(t, "found as lost")
	}
	return e
}

// drawRequest is what people usually ask of an order that is under way.
func drawRequest(t *rapid.T, s *State, now time.Time) Event {
	m := Meta{ID: fmt.Sprint("r", s.Seq), By: rapid.SampledFrom([]Source{Support, Storefront}).Draw(t, "by"), Actor: "ann", Reason: "because", Occurred: now, Applied: now}
	whose := rapid.SampledFrom(s.Parcels).Draw(t, "whose")
	p := whose.ID
	if whose.Milestone == Delivered {
		if rapid.Bool().Draw(t, "it did not come") {
			return ReportNotReceived{m, p}
		}
		return drawReturnAct(t, s, m)
	}
	switch rapid.IntRange(0, 9).Draw(t, "request") {
	case 0:
		return Hold{Meta: m, Until: rapid.SampledFrom([]time.Time{{}, now.Add(hour), now.Add(90 * hour)}).Draw(t, "until")}
	case 1, 2:
		return Release{m}
	case 3:
		return Cancel{Meta: m, Parcels: rapid.SampledFrom([][]string{nil, {p}}).Draw(t, "what")}
	case 4, 5:
		return ChangePromise{m, now.Add(time.Duration(rapid.IntRange(-20, 200).Draw(t, "promise")) * hour)}
	case 6:
		return CorrectAddress{m, s.AddressVersion + 1}
	case 7:
		m.By = Support
		return CorrectMilestone{m, p, drawMilestone(t)}
	}
	id := rapid.SampledFrom([]string{p, "A", "B", "C"}).Draw(t, "parcel")
	return PutParcel{Meta: m, Parcel: id, Lines: []Allocation{{rapid.SampledFrom([]string{"mug", "tea"}).Draw(t, "sku"), rapid.IntRange(1, 2).Draw(t, "quantity")}},
		Carrier: "ups", Tracking: rapid.SampledFrom([]string{"", "T-700"}).Draw(t, "tracking")}
}

// drawAnswer is what came of a pending command.
func drawAnswer(t *rapid.T, s *State, now time.Time) Event {
	if len(s.Pending) == 0 {
		return Tick{Meta{By: Engine, Applied: now}}
	}
	a := Answered{Meta: Meta{By: Engine, Applied: now}, Command: rapid.SampledFrom(s.Pending).Draw(t, "command").ID}
	switch rapid.IntRange(0, 5).Draw(t, "answer") {
	case 0:
		a.LastMovement = now.Add(-hour)
	case 1:
		a.FeedSilentSince = now.Add(-9 * hour)
	case 2:
		a.Declined = "paid by voucher"
	case 3:
		a.Failed = "answered 503"
	}
	return a
}

// drawLife makes the next event of a life: the clock goes on, mostly to where
// something is due.
func drawLife(t *rapid.T, s *State, now *time.Time) Event {
	pause := time.Duration(rapid.SampledFrom([]int{0, 1, 60, 8 * 60, 30 * 60, 9 * 24 * 60}).Draw(t, "minutes later")) * time.Minute
	if next, ok := NextDeadline(s); ok && rapid.IntRange(0, 2).Draw(t, "due") == 0 {
		pause = max(0, next.Until.Sub(*now)+time.Duration(rapid.SampledFrom([]int{-1, 0, 1}).Draw(t, "just")))
	}
	*now = now.Add(pause)
	switch rapid.IntRange(0, 19).Draw(t, "what") {
	case 0:
		return drawEvent(t, *now)
	case 1, 2, 3, 4, 5:
		return drawAct(t, s, *now)
	case 6, 7:
		return drawRequest(t, s, *now)
	case 8, 9, 10:
		return drawAnswer(t, s, *now)
	case 11, 12:
		return Tick{Meta{By: Engine, Applied: *now}}
	}
	return drawWay(t, s, *now)
}

// A run that ends hands the order to the next, which may follow the newest rules.
func (w *watch) nextRun(newest bool) error {
	before := text(&w.s)
	w.s = reload(&w.s)
	if after := text(&w.s); after != before {
		return fmt.Errorf("JSON loses something:\n%s\n%s", before, after)
	}
	if newest && w.s.Rules < CurrentRules {
		w.s.Rules = CurrentRules
		return w.step(Tick{Meta{By: Engine, Applied: w.s.Now}})
	}
	return nil
}

func TestEveryLifeComesToAnEnd(t *testing.T) {
	seen := map[CaseKind]int{}
	lives := 0
	rapid.Check(t, func(t *rapid.T) {
		w, now := watching(drawSpec(t)), t0
		w.s.Rules = rapid.SampledFrom([]int{CurrentRules, CurrentRules, CurrentRules, 3, excuseRules, MinRules}).Draw(t, "rules")
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			if err := w.apply(drawLife(t, &w.s, &now)); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 19).Draw(t, "next run") == 0 {
				if err := w.nextRun(rapid.Bool().Draw(t, "newer rules")); err != nil {
					t.Fatal(err)
				}
			}
		}
		for kind, n := range w.opened {
			seen[kind] += n
		}
		lives++
		if err := w.nextRun(true); err != nil {
			t.Fatal(err)
		}
		if err := w.finish(now); err != nil {
			t.Fatal(err)
		}
		ended, now := text(&w.s), w.s.Now
		goesOn, err := Reopens(&w.s, now, drawLife(t, &w.s, &now))
		if text(&w.s) != ended || err != nil && goesOn {
			t.Fatalf("asked whether it goes on (%v, %v), the order changed:\n%s\n%s", goesOn, err, ended, text(&w.s))
		}
	})
	for _, d := range CaseDefinitions {
		if seen[d.Kind] == 0 && lives >= 1000 {
			t.Errorf("in %d lives no case %s was opened", lives, d.Kind) // then nothing is said about it
		}
	}
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%-20s opened %d times in %d lives", k, seen[k], lives)
	}
}

// What these lives found, one by one.

func TestCasesOfOlderRulesCanBeActedOn(t *testing.T) {
	s := New(today(oneParcel()), excuseRules, t0)
	play(&s, moves(10, Accepted), paper(20, Lost))
	equal(t, "the case's ID", s.Cases[0].ID, "")
	s.Rules = CurrentRules // its next run
	play(&s, tick(21))
	equal(t, "severity", s.Cases[0].Severity, Urgent)
	m := bySupport(22)
	if err := Check(&s, ResolveCase{Meta: m, Case: s.Cases[0].ID, Resolution: Dismiss}); err != nil {
		t.Fatal(err)
	}
	play(&s, ResolveCase{Meta: m, Case: s.Cases[0].ID, Resolution: Dismiss})
	same(t, "waits", waits(&s), "close 740h engine")
}

func TestANewLabelDoesNotUndoWhatTheOldNumbersPiecesCameTo(t *testing.T) {
	label := scan(20, ScanLabelled)
	label.Carrier, label.Tracking = "ups", "T-300"
	gone := paper(10, Destroyed)
	gone.Tracking, gone.Piece = "T-100", "P-1"
	s := after(today(oneParcel()), gone)
	equal(t, "milestone", s.Parcels[0].Milestone, Destroyed)
	play(s, label)
	equal(t, "milestone after the label", s.Parcels[0].Milestone, Destroyed)
	equal(t, "number", s.Parcels[0].Tracking, "T-300")
}

func TestTheRestOfAnOrderThatLeftCanBeGivenUp(t *testing.T) {
	spec := today(twoParcels())
	s := after(spec, PutParcel{Meta: byShop(1), Parcel: "B", Lines: []Allocation{{"tea", 2}}}, moves(10, Accepted), moves(11, Accepted).of("B"), tick(49))
	c := s.caseOf(NotPicked, "")
	if c == nil {
		t.Fatal("no case of the lines in no parcel")
	}
	give := ResolveCase{Meta: bySupport(50), Case: c.ID, Resolution: CancelParcel}
	give.By = Warehouse
	if err := Check(s, give); err != nil {
		t.Fatal(err)
	}
	play(s, give)
	same(t, "told", told(s), "case_closed not_picked\nparcel_added rest\nmilestone_reached rest cancelled\nstatus_changed shipped")
	equal(t, "cancelled tea", ViewOf(s).Lines[1].Cancelled, 1)
	play(s, moves(60, Delivered), moves(61, Delivered).of("B"))
	equal(t, "status", s.Status, StatusDelivered)
	same(t, "waits", waits(s), "close 781h engine")
}

func TestTheWarehouseMayCancelWhatItCannotPick(t *testing.T) {
	s := after(today(oneParcel()), tick(48))
	give := ResolveCase{Meta: bySupport(50), Case: s.Cases[0].ID, Resolution: CancelParcel}
	give.By = Warehouse
	if err := Check(s, give); err != nil {
		t.Fatal(err)
	}
	play(s, give)
	equal(t, "status", s.Status, StatusCancelled)
	equal(t, "anomalies", s.AnomalyCount, 0)
}

func TestTimeGivenToACaseIsItsOwn(t *testing.T) {
	s := after(today(oneParcel()), moves(10, Delivered), ReportNotReceived{Meta: byShop(20), Parcel: "A"})
	id := s.Cases[0].ID
	play(s, ResolveCase{Meta: bySupport(21), Case: id, Resolution: Claim}, ReopenCase{Meta: bySupport(22), Case: id})
	play(s, ResolveCase{Meta: bySupport(23), Case: s.Cases[0].ID, Resolution: WaitOn, Until: at(40)})
	same(t, "waits", waits(s), "revisit A not_received 40h support\nremedy A 741h support")
	play(s, tick(40))
	same(t, "told", told(s), "case_opened A not_received")
}

func TestAParcelThatSupportBroughtBackCanBeCancelledAgain(t *testing.T) {
	s := after(today(oneParcel()), Cancel{Meta: byShop(1)}, CorrectMilestone{bySupport(2), "A", Picked})
	again := Cancel{Meta: byShop(3)}
	if err := Check(s, again); err != nil {
		t.Fatal(err)
	}
	play(s, again)
	equal(t, "status", s.Status, StatusCancelled)
	if err := Check(s, again); err == nil {
		t.Error("there was nothing left to cancel")
	}
}

func TestWhatNobodyWasToSendIsNotLost(t *testing.T) {
	spec := today(oneParcel())
	spec.Policy.ReturnAutoLimit = 0
	s := after(spec, moves(10, Delivered), RequestReturn{Meta: byShop(20), Lines: []ReturnLine{{SKU: "mug", Quantity: 1, Reason: DoesNotFit, Wanted: RefundRemedy}}}, tick(68))
	c := s.caseOf(ReturnOverdue, "R1")
	lost := ResolveCase{Meta: bySupport(69), Case: c.ID, Resolution: DeclareLost}
	if err := Check(s, lost); err == nil {
		t.Error("its case would have come back at once")
	}
	play(s, DecideReturn{bySupport(70), "R1", true}, tick(500))
	lost.Case = s.caseOf(ReturnOverdue, "R1").ID
	if err := Check(s, lost); err != nil {
		t.Error(err)
	}
}

func TestADecisionIsAboutTheLastThatHappenedNotTheFirst(t *testing.T) {
	attempt := moves(10, AttemptFailed)
	s := after(today(oneParcel()), attempt, moves(34, AttemptFailed))
	play(s, ResolveCase{Meta: bySupport(35), Case: s.Cases[0].ID, Resolution: Dismiss})
	equal(t, "cases after the second attempt was seen to", len(s.Cases), 0)
	play(s, moves(58, AttemptFailed))
	same(t, "told of the third", told(s), "case_opened A attempt_failed")

	address := moves(10, InTransit)
	address.Bucket = "address"
	again := moves(20, InTransit)
	again.Bucket = "address"
	s = after(today(oneParcel()), address, again)
	equal(t, "cases while the carrier goes on about the address", len(s.Cases), 1)
	play(s, moves(30, InTransit))
	equal(t, "cases once it moved", len(s.Cases), 0)
}

func TestADecisionIsRememberedOnceAndTakenBackWhole(t *testing.T) {
	s := after(today(oneParcel()), moves(10, Accepted), tick(82), tick(83), Answered{Meta: Meta{By: Engine, Applied: at(83)}, Command: "check-A-3"}, tick(83+7*24))
	c := s.caseOf(LostParcel, "A")
	if c == nil {
		t.Fatalf("no lost case: %s", waits(s))
	}
	id := c.ID
	play(s, ResolveCase{Meta: bySupport(300), Case: id, Resolution: Claim})
	equal(t, "milestone", s.Parcels[0].Milestone, Lost)
	equal(t, "open cases", len(s.Cases), 0)
	of := func() (n int) {
		for _, d := range s.Decisions {
			if d.Case.ID == id {
				n++
			}
		}
		return n
	}
	equal(t, "decisions about it", of(), 1)
	play(s, ReopenCase{Meta: bySupport(301), Case: id})
	equal(t, "decisions about it when it was taken back", of(), 0)
	equal(t, "open cases", len(s.Cases), 1)
}
