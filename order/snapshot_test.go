package order

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
)

var record = flag.Bool("record", false, "write testdata/state/rules1.json anew; only before these rules ever ran")

// rules1 makes three orders as they are carried across continue-as-new.
func rules1() []*State {
	label := scan(2, ScanLabelled)
	label.Carrier, label.Tracking = "ups", "T-900"
	road := moves(10, Accepted)
	road.N, road.Location, road.ETA = 7, "Leipzig", at(100)
	quiet := after(oneParcel(), scan(1, ScanPicked), scan(1.5, ScanPacked), label, road, moves(20, InTransit), moves(30, AttemptFailed), moves(34, InTransit), tick(70))

	split := twoParcels()
	split.Parcels = nil
	mixed := after(split, PutParcel{Meta: byShop(1), Parcel: "A", Lines: []Allocation{{"mug", 1}}}, PutParcel{Meta: byShop(2), Parcel: "B", Lines: []Allocation{{"tea", 3}}},
		Hold{Meta: byShop(3)}, tick(75), Release{byShop(76)}, moves(80, Delivered), moves(81, InTransit).corrects(), scan(90, "juggled").of("B"), CorrectAddress{bySupport(91), 2})

	closed := after(oneParcel(), moves(10, Accepted), moves(40, Delivered), CorrectMilestone{bySupport(41), "A", OutForDelivery}, moves(45, Delivered), tick(45+720))
	for _, s := range []*State{quiet, mixed, closed} {
		s.Rules = 1 // nothing in them is judged otherwise since
	}
	return []*State{quiet, mixed, closed}
}

// The JSON of a state is a contract: what was stored under rules 1 decodes and
// goes on.
func TestStatesStoredUnderRules1GoOn(t *testing.T) {
	const file = "testdata/state/rules1.json"
	if *record {
		b, err := json.MarshalIndent(rules1(), "", " ")
		if err == nil {
			err = os.WriteFile(file, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	stored := func() (states []*State) {
		if err := json.Unmarshal(mustRead(t, file), &states); err != nil {
			t.Fatal(err)
		}
		return states
	}
	var have, want []any
	for i, s := range stored() {
		var a, b any
		if json.Unmarshal([]byte(text(s)), &a) != nil || json.Unmarshal([]byte(text(rules1()[i])), &b) != nil {
			t.Fatal("bad JSON")
		}
		have, want = append(have, a), append(want, b)
	}
	if h, w := jsonText(have), jsonText(want); h != w {
		t.Errorf("today the same orders read:\n%s\nstored:\n%s", w, h)
	}

	quiet, mixed, closed := stored()[0], stored()[1], stored()[2]
	same(t, "a quiet parcel waits", waits(quiet), "carrier_check A 70.5h engine\npromise 120h carrier")
	equal(t, "tracking", quiet.Parcels[0].Tracking, "T-900")
	again := moves(11, Lost)
	again.N = 7
	play(quiet, again)
	same(t, "told of a fact seen before the continue-as-new", told(quiet), "")
	play(quiet, moves(71, Delivered))
	same(t, "told", told(quiet), "milestone_reached A delivered\nstatus_changed delivered")

	same(t, "a split order waits", waits(mixed), "promise 120h carrier\npick B 124h warehouse\nmovement A 153h carrier")
	play(mixed, moves(80.5, Delivered).known(92)) // older than the carrier's correction
	equal(t, "still", mixed.ParcelByID("A").Milestone, InTransit)
	play(mixed, moves(93, Delivered), moves(94, Delivered).of("B"))
	equal(t, "status", mixed.Status, StatusDelivered)

	equal(t, "closed", closed.Closed, true)
	same(t, "a closed order waits", waits(closed), "")
	play(closed, moves(800, Returning))
	same(t, "told", told(closed), "milestone_reached A returning\norder_reopened\nstatus_changed returning")
}

func jsonText(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestACloneIsOnItsOwn(t *testing.T) {
	for i, s := range rules1() {
		was := text(s)
		c := s.Clone()
		equal(t, "clone", text(c), was)
		events := []Event{moves(900, InTransit), paper(5, Labelled), scan(4, ScanPicked), moves(3, AttemptFailed), moves(6, ""), CorrectMilestone{bySupport(901), "A", Labelled}, Hold{Meta: byShop(902)}, tick(2000), Unreadable{}}
		play(c, events...)
		equal(t, "the original after the clone changed", text(s), was)
		c = s.Clone()
		was = text(c)
		play(s, events...)
		equal(t, "the clone after the original changed", text(c), was)
		if text(s) == was {
			t.Errorf("order %d: the events changed nothing", i)
		}
	}
}

// What rides along may wait for company: it changes nothing that anybody acts on.
func TestWhatRidesAlongChangesNothingUrgent(t *testing.T) {
	base := func(m Milestone) *State {
		if m == "" {
			return after(oneParcel(), scan(1, ScanPicked))
		}
		return after(oneParcel(), moves(10, m))
	}
	rides := 0
	for _, kind := range ScanKinds {
		if _, always := RidesAlong(scan(20, kind)); always {
			rides++
			s := base("")
			seq := waits(s)
			play(s, scan(20, kind))
			equal(t, string(kind), waits(s)+told(s), seq)
		}
	}
	for _, d := range append(slices.Clone(Definitions), Definition{}) {
		for _, e := range []CarrierEvent{moves(20, d.Milestone), paper(20, d.Milestone)} {
			while, always := RidesAlong(e)
			if while == "" && !always {
				continue
			}
			rides++
			s := base(while)
			play(s, e)
			if told(s) != "" && e.Physical {
				t.Errorf("%+v while %s: %s", e, while, told(s))
			}
		}
	}
	equal(t, "kinds that ride", rides, 6)
	for _, e := range []CarrierEvent{{Milestone: Delivered, Physical: true}, {Correction: true, Milestone: InTransit}, {ETA: at(1)}, {Bucket: "weather"}} {
		if while, always := RidesAlong(e); while != "" || always {
			t.Errorf("%+v rides along", e)
		}
	}
	for _, e := range []Event{Cancel{}, Tick{}, Unreadable{}} {
		if while, always := RidesAlong(e); while != "" || always {
			t.Errorf("%T rides along", e)
		}
	}
}

func TestFactsAppliedTogetherAreSortedAndStamped(t *testing.T) {
	facts := []Event{moves(30, InTransit), scan(1, ScanPicked), moves(10, Accepted)}
	slices.SortFunc(facts, Compare)
	s := begin(oneParcel())
	for _, e := range facts {
		Apply(&s, Stamp(e, at(40)))
	}
	same(t, "told", told(&s), "milestone_reached A picked\nstatus_changed preparing\nmilestone_reached A accepted\nstatus_changed shipped\nmilestone_reached A in_transit")
	for _, e := range []Event{Scan{}, CarrierEvent{}, Unreadable{}, PutParcel{}, Cancel{}, Hold{}, Release{}, ChangePromise{}, CorrectAddress{}, CorrectMilestone{},
		AssignCase{}, NoteCase{}, ResolveCase{}, ReopenCase{}, ExtendWait{}, FireWait{}, ReportNotReceived{}, DecideRemedy{}, EndRemedy{}, EndInstruction{}, AdoptPolicy{},
		RequestReturn{}, DecideReturn{}, ShipReturn{}, InspectReturn{}, DisposeReturn{}, SendReturnBack{}, CancelReturn{}, Tick{}, Answered{}} {
		equal(t, "applied", Stamp(e, at(9)).meta().Applied, at(9))
	}
}
