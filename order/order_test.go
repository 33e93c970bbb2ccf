package order

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every row: what happened before, what happens, and all that the order makes
// of it: milestone and status, commands, happenings and waits. Promise is at
// 120h; picking 48h, packing 24h, hand-off 48h, movement 72h.
func TestEvents(t *testing.T) {
	picked, packed := scan(1, ScanPicked), scan(2, ScanPacked)
	road := []Event{moves(10, Accepted), moves(20, InTransit)}
	doorstep := append(slices.Clone(road), moves(40, OutForDelivery))
	delivered := append(slices.Clone(doorstep), moves(45, Delivered))
	const promise = "promise 120h carrier\n"

	for _, c := range []struct {
		name      string
		before    []Event
		event     Event
		milestone Milestone
		status    Status
		commands  string
		told      string
		waits     string
	}{
		{
			name: "a pick scan begins the preparation", event: picked,
			milestone: Picked, status: StatusPreparing,
			told:  "milestone_reached A picked\nstatus_changed preparing",
			waits: "pack A 25h warehouse\n" + promise,
		}, {
			name: "a pack scan starts the hand-off clock", before: []Event{picked}, event: packed,
			milestone: Packed, status: StatusPreparing,
			told:  "milestone_reached A packed",
			waits: "hand_off A 50h warehouse\n" + promise,
		}, {
			name: "a label is never possession and buys no time", before: []Event{picked, packed}, event: paper(6, Labelled),
			milestone: Labelled, status: StatusPreparing,
			told:  "milestone_reached A labelled",
			waits: "hand_off A 50h warehouse\n" + promise,
		}, {
			name: "the dock scan is not possession and buys no time", before: []Event{picked, packed}, event: scan(30, ScanHandedOver),
			milestone: HandedOver, status: StatusPreparing,
			told:  "milestone_reached A handed_over",
			waits: "hand_off A 50h warehouse\n" + promise,
		}, {
			name: "receiving and sorting move nothing", before: []Event{picked}, event: scan(3, ScanSorted),
			milestone: Picked, status: StatusPreparing,
			waits: "pack A 25h warehouse\n" + promise,
		}, {
			name: "only the carrier's physical scan is possession", before: []Event{picked, packed, scan(6, ScanHandedOver)}, event: moves(10, Accepted),
			milestone: Accepted, status: StatusShipped,
			told:  "milestone_reached A accepted\nstatus_changed shipped",
			waits: "movement A 82h carrier\n" + promise,
		}, {
			name: "any physical event is possession, even without a milestone", before: []Event{packed}, event: moves(10, ""),
			milestone: Accepted, status: StatusShipped,
			told:  "milestone_reached A accepted\nstatus_changed shipped",
			waits: "movement A 82h carrier\n" + promise,
		}, {
			name: "scans get missed: a parcel may jump forward", event: moves(40, OutForDelivery),
			milestone: OutForDelivery, status: StatusShipped,
			told:  "milestone_reached A accepted\nmilestone_reached A out_for_delivery\nstatus_changed shipped",
			waits: "movement A 64h carrier\n" + promise,
		}, {
			name: "a late warehouse scan never moves back", before: road, event: scan(2, ScanPacked).known(21),
			milestone: InTransit, status: StatusShipped,
			waits: "movement A 92h carrier\n" + promise,
		}, {
			name: "a late carrier scan never moves back", before: doorstep, event: moves(30, InTransit).known(41),
			milestone: OutForDelivery, status: StatusShipped,
			waits: "movement A 64h carrier\n" + promise,
		}, {
			name: "a duplicate changes nothing", before: doorstep, event: doorstep[2],
			milestone: OutForDelivery, status: StatusShipped,
			waits: "movement A 64h carrier\n" + promise,
		}, {
			name: "a scan after the delivery never moves back", before: delivered, event: moves(46, InTransit),
			milestone: Delivered, status: StatusDelivered,
			waits: "close 765h engine",
		}, {
			name: "a failed attempt opens a case", before: doorstep, event: moves(44, AttemptFailed),
			milestone: AttemptFailed, status: StatusShipped,
			told:  "milestone_reached A attempt_failed\ncase_opened A attempt_failed",
			waits: "case A attempt_failed 68h support\nmovement A 116h carrier\n" + promise,
		}, {
			name: "a parcel goes back on the road after a failed attempt", before: append(slices.Clone(doorstep), moves(44, AttemptFailed)), event: moves(50, InTransit),
			milestone: InTransit, status: StatusShipped,
			told:  "milestone_reached A in_transit\ncase_closed A attempt_failed",
			waits: promise + "movement A 122h carrier",
		}, {
			name: "customs have a clock of their own", before: road, event: moves(25, InCustoms),
			milestone: InCustoms, status: StatusShipped,
			told:  "milestone_reached A in_customs",
			waits: promise + "movement A 145h carrier",
		}, {
			name: "a pickup shop has a clock of its own", before: road, event: moves(25, ReadyForPickup),
			milestone: ReadyForPickup, status: StatusShipped,
			told:  "milestone_reached A ready_for_pickup",
			waits: promise + "movement A 193h carrier",
		}, {
			name: "delivered ends the waiting but for late events", before: doorstep, event: moves(45, Delivered),
			milestone: Delivered, status: StatusDelivered,
			told:  "milestone_reached A delivered\nstatus_changed delivered",
			waits: "close 765h engine",
		}, {
			name: "a parcel that turns round is no longer promised", before: doorstep, event: moves(45, Returning),
			milestone: Returning, status: StatusReturning,
			told:  "milestone_reached A returning\nstatus_changed returning",
			waits: "movement A 117h carrier",
		}, {
			name: "a delivered parcel may turn round", before: delivered, event: moves(60, Returning),
			milestone: Returning, status: StatusReturning,
			told:  "milestone_reached A returning\nstatus_changed returning",
			waits: "movement A 132h carrier",
		}, {
			name: "the dock says that it is back", before: append(slices.Clone(doorstep), moves(45, Returning)), event: scan(90, ScanReturned),
			milestone: Returned, status: StatusReturned,
			told:  "milestone_reached A returned\nstatus_changed returned",
			waits: "close 810h engine",
		}, {
			name: "the carrier may give a parcel up on paper", before: road, event: paper(100, Lost),
			milestone: Lost, status: StatusLost,
			told:  "milestone_reached A lost\ncase_opened A lost\nstatus_changed lost",
			waits: "case A lost 124h support",
		}, {
			name: "a lost parcel is found by a later movement", before: append(slices.Clone(road), paper(70, Lost)), event: moves(80, InTransit),
			milestone: InTransit, status: StatusShipped,
			told:  "milestone_reached A in_transit\ncase_closed A lost\nstatus_changed shipped",
			waits: promise + "movement A 152h carrier",
		}, {
			name: "a movement before the loss finds nothing", before: append(slices.Clone(road), paper(70, Lost)), event: moves(60, InTransit).known(80),
			milestone: Lost, status: StatusLost,
			waits: "case A lost 94h support",
		}, {
			name: "destroyed is for good, and nobody gets it back", before: road, event: paper(70, Destroyed),
			milestone: Destroyed, status: StatusLost,
			told:  "milestone_reached A destroyed\nstatus_changed lost",
			waits: "close 790h engine",
		}, {
			name: "the carrier takes a false delivery back", before: delivered, event: moves(46, InTransit).corrects(),
			milestone: InTransit, status: StatusShipped,
			told:  "milestone_corrected A in_transit\nstatus_changed shipped",
			waits: "movement A 118h carrier\n" + promise,
		}, {
			name: "the carrier takes the acceptance back: it never had it", before: road, event: paper(25, Labelled).corrects(),
			milestone: Labelled, status: StatusPreparing,
			told:  "milestone_corrected A labelled\nstatus_changed preparing",
			waits: "hand_off A 73h warehouse\n" + promise,
		}, {
			name: "the carrier cannot take back what the dock said", before: append(slices.Clone(doorstep), scan(90, ScanReturned)), event: moves(95, InTransit).corrects(),
			milestone: Returned, status: StatusReturned,
			waits: "close 810h engine",
		}, {
			name: "support corrects a false delivery", before: delivered, event: CorrectMilestone{bySupport(50), "A", OutForDelivery},
			milestone: OutForDelivery, status: StatusShipped,
			told:  "milestone_corrected A out_for_delivery\nstatus_changed shipped",
			waits: "movement A 74h carrier\n" + promise,
		}, {
			name: "support's correction beats a carrier's clock that is ahead", before: append(slices.Clone(doorstep), moves(45.2, Delivered).known(45)), event: CorrectMilestone{bySupport(45.1), "A", InTransit},
			milestone: InTransit, status: StatusShipped,
			told:  "milestone_corrected A in_transit\nstatus_changed shipped",
			waits: "movement A 117.2h carrier\n" + promise,
		}, {
			name: "support takes a cancellation back", before: []Event{Cancel{Meta: byShop(5)}}, event: CorrectMilestone{bySupport(6), "A", Picked},
			milestone: Picked, status: StatusPreparing,
			told:  "milestone_corrected A picked\nstatus_changed preparing",
			waits: "pack A 30h warehouse\n" + promise,
		}, {
			name: "nobody but support corrects a milestone", before: delivered, event: CorrectMilestone{byShop(50), "A", Lost},
			milestone: Delivered, status: StatusDelivered,
			told:  "anomaly A not_authorised",
			waits: "close 765h engine",
		}, {
			name: "a cancelled order waits for late events only", before: []Event{picked}, event: Cancel{Meta: byShop(5)},
			milestone: Cancelled, status: StatusCancelled,
			told:  "milestone_reached A cancelled\nstatus_changed cancelled",
			waits: "close 725h engine",
		}, {
			name: "work on a cancelled parcel is noticed", before: []Event{picked, Cancel{Meta: byShop(5)}}, event: scan(6, ScanHandedOver),
			milestone: Cancelled, status: StatusCancelled,
			told:  "anomaly A moving_cancelled",
			waits: "close 725h engine",
		}, {
			name: "a cancelled parcel that moves exists", before: []Event{Cancel{Meta: byShop(5)}}, event: moves(30, Accepted),
			milestone: Accepted, status: StatusShipped,
			told:  "anomaly A moving_cancelled\nmilestone_reached A accepted\nstatus_changed shipped",
			waits: "movement A 102h carrier\n" + promise,
		}, {
			name: "movement after the end is an anomaly", before: append(slices.Clone(doorstep), moves(60, Returned)), event: moves(80, InTransit),
			milestone: Returned, status: StatusReturned,
			told:  "anomaly A after_end",
			waits: "close 780h engine",
		}, {
			name: "an event long before the order is somebody else's", event: moves(-30, InTransit).known(5),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly A before_order",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an event shortly before the order counts", event: scan(-1, ScanPicked).known(5),
			milestone: Picked, status: StatusPreparing,
			told:  "anomaly A before_order\nmilestone_reached A picked\nstatus_changed preparing",
			waits: "pack A 23h warehouse\n" + promise,
		}, {
			name: "an event from the future happened when it was received", event: moves(1000, InTransit).known(20),
			milestone: InTransit, status: StatusShipped,
			told:  "anomaly A in_the_future\nmilestone_reached A accepted\nmilestone_reached A in_transit\nstatus_changed shipped",
			waits: "movement A 92h carrier\n" + promise,
		}, {
			name: "who has no authority changes nothing", event: Scan{Meta: metaAt(1, Storefront), Parcel: "A", Kind: ScanPicked},
			milestone: Expected, status: StatusReceived,
			told:  "anomaly A not_authorised",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "the carrier does not pick", event: paper(1, Picked),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly A not_authorised",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "a paper event delivers nothing", before: road, event: paper(30, Delivered),
			milestone: InTransit, status: StatusShipped,
			told:  "anomaly A not_physical",
			waits: "movement A 92h carrier\n" + promise,
		}, {
			name: "an unknown parcel is an anomaly", event: scan(1, ScanPicked).of("Z"),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly Z unknown_parcel",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an unknown parcel of the carrier is an anomaly", event: moves(1, InTransit).of("Z"),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly Z unknown_parcel",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an unknown scan kind is an anomaly", event: scan(1, "juggled"),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly A unknown_value",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an unknown milestone is an anomaly", event: moves(1, "teleported"),
			milestone: Expected, status: StatusReceived,
			told:  "anomaly A unknown_value",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an unreadable item is an anomaly", event: Unreadable{metaAt(1, Engine), "torn"},
			milestone: Expected, status: StatusReceived,
			told:  "anomaly unreadable",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "an ETA beyond the promise is late", before: road, event: CarrierEvent{Meta: metaAt(30, CarrierSays), Parcel: "A", ETA: at(130)},
			milestone: InTransit, status: StatusShipped,
			told:  "eta_changed A\ncase_opened late",
			waits: "case late 54h support\nmovement A 92h carrier\n" + promise,
		}, {
			name: "an address correction is told", event: CorrectAddress{bySupport(1), 2},
			milestone: Expected, status: StatusReceived,
			told:  "address_corrected",
			waits: "pick A 48h warehouse\n" + promise,
		}, {
			name: "a hold stops the preparing clocks", event: Hold{Meta: byShop(10)},
			milestone: Expected, status: StatusReceived,
			told:  "held",
			waits: "hold 82h support\n" + promise,
		}, {
			name: "a release restarts the preparing clocks", before: []Event{picked, Hold{Meta: byShop(10)}}, event: Release{byShop(70)},
			milestone: Picked, status: StatusPreparing,
			told:  "released",
			waits: "pack A 94h warehouse\n" + promise,
		}, {
			name: "a hold ends when the parcel leaves all the same", before: []Event{picked, Hold{Meta: byShop(10)}}, event: moves(20, Accepted),
			milestone: Accepted, status: StatusShipped,
			told:  "milestone_reached A accepted\nreleased\nstatus_changed shipped",
			waits: "movement A 92h carrier\n" + promise,
		}, {
			name: "a cancelled order is no longer on hold", before: []Event{Hold{Meta: byShop(10)}}, event: Cancel{Meta: byShop(20)},
			milestone: Cancelled, status: StatusCancelled,
			told:  "milestone_reached A cancelled\nreleased\nstatus_changed cancelled",
			waits: "close 740h engine",
		}, {
			name: "a new promise moves the deadline", before: road, event: ChangePromise{byShop(30), at(200)},
			milestone: InTransit, status: StatusShipped,
			told:  "promise_changed",
			waits: "movement A 92h carrier\npromise 200h carrier",
		}, {
			name: "a promise that has passed is missed at once", before: road, event: ChangePromise{byShop(30), at(25)},
			milestone: InTransit, status: StatusShipped,
			told:  "promise_changed\ncase_opened late",
			waits: "case late 54h support\nmovement A 92h carrier",
		}, {
			name: "picking too late is the warehouse's case", event: tick(48),
			milestone: Expected, status: StatusReceived,
			told:  "case_opened A not_picked",
			waits: "case A not_picked 72h warehouse\n" + promise,
		}, {
			name: "packing too late is the warehouse's case", before: []Event{picked}, event: tick(25),
			milestone: Picked, status: StatusPreparing,
			told:  "case_opened A not_packed",
			waits: "case A not_packed 49h warehouse\n" + promise,
		}, {
			name: "a missed hand-off asks the carrier first", before: []Event{picked, packed}, event: tick(50),
			milestone: Packed, status: StatusPreparing,
			commands: "check_carrier A dhl T-100",
			waits:    "carrier_check A 50.5h engine\n" + promise,
		}, {
			name: "an unanswered check opens the case", before: []Event{picked, packed, tick(50)}, event: tick(50.5),
			milestone: Packed, status: StatusPreparing,
			told:  "case_opened A missed_handoff",
			waits: "case A missed_handoff 74.5h warehouse\n" + promise,
		}, {
			name: "a quiet parcel is asked for first", before: road, event: tick(92),
			milestone: InTransit, status: StatusShipped,
			commands: "check_carrier A dhl T-100",
			waits:    "carrier_check A 92.5h engine\n" + promise,
		}, {
			name: "silence opens a stalled case for ops", before: append(slices.Clone(road), tick(92)), event: tick(92.5),
			milestone: InTransit, status: StatusShipped,
			told:  "case_opened A stalled",
			waits: "case A stalled 116.5h ops\n" + promise,
		}, {
			name: "a movement makes the check needless", before: append(slices.Clone(road), tick(92)), event: moves(92.1, InTransit),
			milestone: InTransit, status: StatusShipped,
			waits: promise + "movement A 164.1h carrier",
		}, {
			name: "a delivery makes the check needless", before: append(slices.Clone(road), tick(92)), event: moves(92.1, Delivered),
			milestone: Delivered, status: StatusDelivered,
			told:  "milestone_reached A delivered\nstatus_changed delivered",
			waits: "close 812.1h engine",
		}, {
			name: "a van that does not come back is asked for after a day", before: doorstep, event: tick(64),
			milestone: OutForDelivery, status: StatusShipped,
			commands: "check_carrier A dhl T-100",
			waits:    "carrier_check A 64.5h engine\n" + promise,
		}, {
			name: "a passed promise is support's case", before: []Event{moves(100, InTransit)}, event: tick(120),
			milestone: InTransit, status: StatusShipped,
			told:  "case_opened late",
			waits: "case late 144h support\nmovement A 172h carrier",
		}, {
			name: "a hold too long is support's case", before: []Event{Hold{Meta: byShop(10)}}, event: tick(82),
			milestone: Expected, status: StatusReceived,
			told:  "case_opened held_too_long",
			waits: "case held_too_long 106h support\n" + promise,
		}, {
			name: "a case that is due escalates", before: []Event{tick(48)}, event: tick(72),
			milestone: Expected, status: StatusReceived,
			told:  "case_escalated A not_picked level 1",
			waits: promise + "case A not_picked 120h warehouse",
		}, {
			name: "a settled order closes", before: delivered, event: tick(765),
			milestone: Delivered, status: StatusDelivered,
			told: "order_closed",
		}, {
			name: "a late fact opens a closed order again", before: append(slices.Clone(delivered), tick(765)), event: moves(800, Returning),
			milestone: Returning, status: StatusReturning,
			told:  "milestone_reached A returning\norder_reopened\nstatus_changed returning",
			waits: "movement A 872h carrier",
		}, {
			name: "a late fact that changes nothing leaves it closed", before: append(slices.Clone(delivered), tick(765)), event: moves(30, InTransit).known(800),
			milestone: Delivered, status: StatusDelivered,
		}, {
			name: "a correction opens a closed order again", before: append(slices.Clone(delivered), tick(765)), event: CorrectMilestone{bySupport(800), "A", Lost},
			milestone: Lost, status: StatusLost,
			told:  "milestone_corrected A lost\ncase_opened A lost\norder_reopened\nstatus_changed lost",
			waits: "case A lost 824h support",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := begin(oneParcel())
			cmds := play(&s, append(slices.Clone(c.before), c.event)...)
			p := s.Parcels[0]
			equal(t, "milestone", p.Milestone, c.milestone)
			equal(t, "status", s.Status, c.status)
			same(t, "commands", commands(cmds), c.commands)
			same(t, "told", told(&s), c.told)
			same(t, "waits", waits(&s), c.waits)
		})
	}
}

func TestPossessionIsTheFirstPhysicalEventEvenIfItComesLate(t *testing.T) {
	s := after(oneParcel(), scan(2, ScanHandedOver), moves(20, InTransit), moves(10, "").known(21), paper(5, Labelled).known(22))
	p := &s.Parcels[0]
	equal(t, "possession", p.PossessionAt, at(10))
	equal(t, "accepted", p.ReachedAt(Accepted), at(10))
	equal(t, "in transit", p.ReachedAt(InTransit), at(20))
	equal(t, "last movement", p.LastMovement, at(20))
	equal(t, "never picked", p.ReachedAt(Picked), time.Time{})
}

func TestAttemptsAreCountedOnceEach(t *testing.T) {
	s := after(oneParcel(), moves(20, AttemptFailed), moves(30, OutForDelivery), moves(35, AttemptFailed), moves(20, AttemptFailed).known(36), moves(10, AttemptFailed).known(37))
	p := &s.Parcels[0]
	equal(t, "attempts", len(p.Attempts), 3)
	equal(t, "case text", s.caseOf(FailedAttempt, "A").Text, "attempt 3 failed")
	for h := 40.0; h < 100; h++ {
		play(s, moves(h, AttemptFailed))
	}
	equal(t, "attempts kept", len(p.Attempts), maxAttempts)
	equal(t, "the first of them", p.Attempts[0], at(10))
}

func TestManyScansOfOneMilestoneKeepTheFirstAndTheLast(t *testing.T) {
	for _, hours := range [][]float64{{1, 2, 3, 4, 5, 6, 7, 8, 9}, {9, 8, 7, 6, 5, 4, 3, 2, 1}, {5, 9, 1, 7, 3, 8, 2, 6, 4}} {
		s := begin(oneParcel())
		for _, h := range hours {
			play(&s, moves(h, InTransit).known(20))
		}
		p := &s.Parcels[0]
		equal(t, "first", p.ReachedAt(InTransit), at(1))
		equal(t, "last", p.Since, at(9))
		equal(t, "possession", p.PossessionAt, at(1))
		equal(t, "times kept", len(p.Said[1].At), maxTimes)
		play(&s, moves(8.5, OutForDelivery).known(20))
		equal(t, "milestone", p.Milestone, InTransit)
	}
}

func TestTheLaterCorrectionHolds(t *testing.T) {
	support := CorrectMilestone{bySupport(50), "A", OutForDelivery}
	s := after(oneParcel(), moves(45, Delivered), support, moves(60, Delivered), moves(61, InTransit).corrects())
	equal(t, "the carrier's, later", s.Parcels[0].Milestone, InTransit)
	s = after(oneParcel(), moves(45, Delivered), support, moves(46, InTransit).corrects().known(55))
	equal(t, "the carrier's, earlier", s.Parcels[0].Milestone, OutForDelivery)
	a, b := moves(46, InTransit).corrects(), moves(46, InCustoms).corrects()
	equal(t, "two at once", after(oneParcel(), a, b).Parcels[0].Milestone, InCustoms)
	equal(t, "two at once, the other way", after(oneParcel(), b, a).Parcels[0].Milestone, InCustoms)
}

func TestATakenBackDeliveryIsNoDelivery(t *testing.T) {
	s := after(oneParcel(), moves(40, OutForDelivery), moves(45, Delivered), moves(46, InTransit).corrects(), moves(70, Delivered), moves(75, Delivered))
	equal(t, "delivered", DeliveredAt(s), at(70))
	equal(t, "on the van", s.Parcels[0].ReachedAt(OutForDelivery), at(40))
}

func TestALateDeliveryWithinThePromiseIsNotLate(t *testing.T) {
	s := after(oneParcel(), moves(100, OutForDelivery), tick(120))
	equal(t, "late", IsLate(s), true)
	play(s, moves(119, Delivered).known(125))
	equal(t, "late", IsLate(s), false)
	equal(t, "promise missed", s.PromiseMissed, true)
	same(t, "waits", waits(s), "close 845h engine")
	s = after(oneParcel(), moves(121, Delivered).known(130))
	equal(t, "delivered too late", IsLate(s), true)
}

func TestAnOrderThatCameBackInTimeIsNeverLate(t *testing.T) {
	s := after(oneParcel(), moves(45, Delivered), moves(600, Returning), tick(650))
	equal(t, "late", IsLate(s), false)
	equal(t, "late case", s.caseOf(Late, ""), nil)
}

func TestATrackingNumberComesWithTheLastLabelScan(t *testing.T) {
	label := func(h float64, tracking, carrier string) Scan {
		e := scan(h, ScanLabelled)
		e.Tracking, e.Carrier = tracking, carrier
		return e
	}
	s := after(oneParcel(), label(5, "T-500", "ups"), label(3, "T-300", "dhl").known(6))
	p := &s.Parcels[0]
	equal(t, "tracking", p.Carrier+" "+p.Tracking, "ups T-500")
	same(t, "told of an older label", told(s), "")
	play(s, label(7, "T-700", ""))
	equal(t, "tracking", p.Carrier+" "+p.Tracking, "ups T-700")
	same(t, "told", told(s), "parcel_changed A")
	play(s, moves(10, Accepted), label(11, "T-800", "dhl"))
	equal(t, "tracking", p.Carrier+" "+p.Tracking, "ups T-700")
	same(t, "told", told(s), "anomaly A tracking_changed")
	bad := label(12, "T-900", "")
	bad.By = ReturnsDesk
	play(s, bad)
	equal(t, "tracking", p.Tracking, "T-700")
}

func TestRhythmsDifferByCarrierAndService(t *testing.T) {
	for _, c := range []struct {
		carrier, service string
		want             time.Duration
		rule             string
	}{
		{"ups", "air", 24 * hour, "rhythms ups air 1 d"},
		{"ups", "ground", 36 * hour, "rhythms ups 36 h"},
		{"dhl", "air", 72 * hour, "movement 3 d"},
		{"", "", 72 * hour, "movement 3 d"},
	} {
		spec := oneParcel()
		spec.Parcels[0].Carrier, spec.Parcels[0].Service = c.carrier, c.service
		s := after(spec, moves(10, InTransit))
		w, _ := NextDeadline(s)
		equal(t, c.carrier+" "+c.service, w.Until, at(10).Add(c.want))
		equal(t, "rule", w.Rule, c.rule)
		s = after(spec, moves(10, ReadyForPickup))
		w = Waiting(s)[1]
		equal(t, "pickup", w.Rule, "pickup 7 d")
	}
}

func TestWithoutATrackingNumberNobodyCanBeAsked(t *testing.T) {
	spec := oneParcel()
	spec.Parcels[0].Tracking = ""
	s := begin(spec)
	cmds := play(&s, scan(1, ScanPacked), tick(49))
	same(t, "commands", commands(cmds), "")
	same(t, "told", told(&s), "case_opened A missed_handoff")
}

func TestNewsFromTheCarrierResetsTheClock(t *testing.T) {
	quiet := func(before ...Event) *State { return after(oneParcel(), before...) }
	answer := func(s *State, h float64, movement time.Time) {
		play(s, Answered{Meta: Meta{By: Engine, Applied: at(h)}, Command: s.Parcels[0].Check, LastMovement: movement})
	}
	s := quiet(moves(20, InTransit), tick(92))
	answer(s, 92.1, at(60))
	same(t, "with news", waits(s), "promise 120h carrier\nmovement A 132h carrier")
	equal(t, "pending", len(s.Pending), 0)

	s = quiet(moves(20, InTransit), tick(92))
	answer(s, 92.1, at(20))
	same(t, "told without news", told(s), "case_opened A stalled")

	s = quiet(moves(2, InTransit), tick(92))
	answer(s, 92.1, at(10))
	same(t, "told with old news", told(s), "case_opened A stalled")

	s = quiet(moves(20, InTransit), tick(92))
	answer(s, 92.1, at(9000))
	equal(t, "news from the future", s.Parcels[0].LastMovement, at(92.1))

	s = quiet(scan(1, ScanPacked), tick(49))
	answer(s, 49.1, at(40))
	same(t, "a hand-off with news starts again", waits(s), "hand_off A 97.1h warehouse\npromise 120h carrier")

	s = quiet(scan(1, ScanPacked), tick(49))
	answer(s, 49.1, time.Time{})
	same(t, "told of a hand-off without news", told(s), "case_opened A missed_handoff")

	s = quiet(scan(1, ScanPacked), tick(49), Hold{Meta: byShop(49.2)})
	equal(t, "a hold withdraws the check", len(s.Pending), 0)
	answer(s, 49.3, time.Time{})
	same(t, "told of an answer nobody waits for", told(s), "")
}

func TestASilentFeedExcusesAQuietParcelForADay(t *testing.T) {
	quiet := func(before ...Event) *State { return after(oneParcel(), before...) }
	answer := func(s *State, h, silent float64) {
		e := Answered{Meta: Meta{By: Engine, Applied: at(h)}, Command: s.Parcels[0].Check}
		if silent != 0 {
			e.FeedSilentSince = at(silent)
		}
		play(s, e)
	}
	for _, c := range []struct {
		name string
		s    *State
		over float64 // the wait
		kind WaitKind
		why  string
	}{
		{"on its way", quiet(moves(20, InTransit)), 92, WaitMovement, "case_opened A stalled"},
		{"not handed over", quiet(scan(1, ScanPacked)), 49, WaitHandoff, "case_opened A missed_handoff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.s
			play(s, tick(c.over))
			asked := c.over
			for _, until := range []float64{6.2, 12.4, 18.6, 24.2} { // six hours from each answer, a day from the first
				answer(s, asked+0.2, 60)
				same(t, "told", told(s), "")
				waiting := Waiting(s)
				w := waiting[slices.IndexFunc(waiting, func(w Wait) bool { return w.Kind != WaitPromise })]
				equal(t, "waits", fmt.Sprintf("%s until %.1fh", w.Kind, w.Until.Sub(at(0)).Hours()), fmt.Sprintf("%s until %.1fh", c.kind, c.over+until))
				if !strings.Contains(w.What, "is silent since "+day(at(60))) {
					t.Errorf("does not say why: %s", w.What)
				}
				asked = c.over + until
				play(s, tick(asked+0.01))
			}
			answer(s, asked+0.2, 60)
			if got := told(s); !strings.Contains(got, c.why) {
				t.Errorf("after a day: %s", got)
			}
		})
	}

	s := quiet(moves(20, InTransit), tick(92))
	s.Rules = 1
	answer(s, 92.1, 60)
	same(t, "told under rules 1", told(s), "case_opened A stalled")

	s = quiet(moves(20, InTransit), tick(92))
	answer(s, 92.1, 60)
	play(s, moves(93, InTransit))
	same(t, "movement ends the excuse", waits(s), "promise 120h carrier\nmovement A 165h carrier")

	s = quiet(moves(20, InTransit), tick(92))
	answer(s, 92.1, 60)
	play(s, tick(98.1))
	answer(s, 98.2, 0)
	same(t, "told when the carrier could be asked", told(s), "case_opened A stalled")
}

func TestEveryNewCommandIsReturnedEvenWhileAnotherRunsOut(t *testing.T) {
	s := begin(twoParcels())
	play(&s, moves(10, InTransit), moves(46.5, InTransit).of("B"), tick(82)) // A is asked for
	cmds := play(&s, tick(82.5))                                             // A's check runs out, B is asked for
	same(t, "commands", commands(cmds), "check_carrier B ups T-200")
	same(t, "told", told(&s), "case_opened A stalled")
}

func TestEscalationsDoubleUntilTheyStop(t *testing.T) {
	s := after(oneParcel(), tick(48))
	var days []string
	for range 8 {
		due := s.caseOf(NotPicked, "A").Due
		Apply(s, Tick{Meta{By: Engine, Applied: due}})
		days = append(days, fmt.Sprint(s.caseOf(NotPicked, "A").Due.Sub(due).Hours()/24))
	}
	equal(t, "days", strings.Join(days, " "), "2 4 8 16 32 32 32 32")

	spec := oneParcel()
	spec.Policy.CaseDue = Duration(5 * 365 * 24 * hour)
	s = after(spec, tick(48))
	s.Cases[0].Level = 60
	Apply(s, Tick{Meta{By: Engine, Applied: s.Cases[0].Due}})
	if w, _ := NextDeadline(s); !w.Until.After(s.Now) {
		t.Errorf("a long case_due overflows: %+v", w)
	}
}

func TestACaseClosesByItselfWhenTheWorldMovesOn(t *testing.T) {
	for _, c := range []struct {
		kind   CaseKind
		before []Event
		end    Event
	}{
		{NotPicked, []Event{tick(48)}, scan(49, ScanPicked)},
		{NotPicked, []Event{tick(48)}, moves(49, InTransit)},
		{NotPacked, []Event{scan(1, ScanPicked), tick(25)}, scan(49, ScanPacked)},
		{MissedHandoff, []Event{scan(1, ScanPacked), tick(49), tick(49.5)}, moves(50, Accepted)},
		{MissedHandoff, []Event{scan(1, ScanPacked), tick(49), tick(49.5)}, Cancel{Meta: byShop(50)}},
		{Stalled, []Event{moves(1, InTransit), tick(73), tick(73.5)}, moves(74, "")},
		{Stalled, []Event{moves(1, InTransit), tick(73), tick(73.5)}, paper(74, Lost)},
		{Stalled, []Event{moves(1, InTransit), tick(73), tick(73.5)}, CorrectMilestone{bySupport(74), "A", Labelled}},
		{Stalled, []Event{moves(1, InTransit), tick(73), tick(73.5)}, CorrectMilestone{bySupport(74), "A", ReadyForPickup}},
		{Late, []Event{moves(100, InTransit), tick(120)}, moves(121, Delivered)},
		{Late, []Event{moves(100, InTransit), tick(120)}, ChangePromise{byShop(121), at(200)}},
		{Late, []Event{moves(100, InTransit), tick(120)}, moves(121, Returning)},
		{FailedAttempt, []Event{moves(40, AttemptFailed)}, moves(50, ReadyForPickup)},
		{LostParcel, []Event{paper(40, Lost)}, moves(50, InTransit)},
		{HeldTooLong, []Event{Hold{Meta: byShop(1)}, tick(73)}, Release{byShop(74)}},
	} {
		t.Run(fmt.Sprintf("%s by %T", c.kind, c.end), func(t *testing.T) {
			s := after(oneParcel(), c.before...)
			if !slices.ContainsFunc(s.Cases, func(x Case) bool { return x.Kind == c.kind }) {
				t.Fatalf("no such case: %v", s.Cases)
			}
			play(s, c.end)
			if slices.ContainsFunc(s.Cases, func(x Case) bool { return x.Kind == c.kind }) {
				t.Errorf("still open after %+v", c.end)
			}
			if !strings.Contains(told(s), "case_closed") {
				t.Errorf("not told: %s", told(s))
			}
		})
	}
}

func TestAStalledCaseOutlivesALateButOldScan(t *testing.T) {
	s := after(oneParcel(), moves(2, InTransit), tick(74), tick(74.5), moves(1, InTransit).known(75))
	if s.caseOf(Stalled, "A") == nil {
		t.Error("closed by an event that is older than the last movement")
	}
}

func TestAnOrderWithoutAPlanShipsInOneParcel(t *testing.T) {
	spec := twoParcels()
	spec.Parcels = nil
	s := begin(spec)
	equal(t, "parcels", len(s.Parcels), 1)
	equal(t, "lines", fmt.Sprint(s.Parcels[0].ID, s.Parcels[0].Lines), "1[{mug 1} {tea 3}]")
	play(&s, moves(10, Delivered).of("1"))
	equal(t, "status", s.Status, StatusDelivered)
}

func TestAnUnplannedParcelIsReplannedIntoThree(t *testing.T) {
	spec := twoParcels()
	spec.Parcels = nil
	s := begin(spec)
	put := func(h float64, id string, ls ...Allocation) {
		t.Helper()
		e := PutParcel{Meta: byShop(h), Parcel: id, Lines: ls, Carrier: "dhl"}
		if err := Check(&s, e); err != nil {
			t.Fatal(err)
		}
		play(&s, e)
	}
	put(1, "A", Allocation{"mug", 1})
	equal(t, "rest", fmt.Sprint(s.Parcels[0].Lines), "[{tea 3}]")
	put(2, "B", Allocation{"tea", 2})
	equal(t, "rest", fmt.Sprint(s.Parcels[0].Lines), "[{tea 1}]")
	put(3, "C", Allocation{"tea", 1})
	same(t, "told", told(&s), "parcel_added C\nparcel_changed 1")
	equal(t, "status", s.Status, StatusReceived)
	equal(t, "parcels shown", len(ViewOf(&s).Parcels), 3)
	same(t, "waits", waits(&s), "pick A 49h warehouse\npick B 50h warehouse\npick C 51h warehouse\npromise 120h carrier")
	play(&s, moves(10, Delivered), moves(10, Delivered).of("B"), moves(11, Delivered).of("C"))
	equal(t, "status", s.Status, StatusDelivered)
}

func TestLinesInNoParcelAreWaitedFor(t *testing.T) {
	spec := twoParcels()
	spec.Parcels = spec.Parcels[:1]
	s := begin(spec)
	play(&s, moves(10, Delivered))
	equal(t, "status", s.Status, StatusPartiallyDelivered)
	equal(t, "summary", Summary(&s), "Partly delivered")
	same(t, "waits", waits(&s), "plan 48h warehouse\npromise 120h carrier")
	play(&s, tick(48))
	same(t, "told", told(&s), "case_opened not_picked")
	play(&s, PutParcel{Meta: byShop(50), Parcel: "B", Lines: []Allocation{{"tea", 3}}})
	same(t, "told", told(&s), "parcel_added B\ncase_closed not_picked")
}

func TestAPutParcelWithATrackingNumberIsLabelledWhoeverAsked(t *testing.T) {
	for _, by := range []Source{Storefront, Warehouse, Support} {
		e := PutParcel{Meta: byShop(1), Parcel: "A", Carrier: "ups", Tracking: "T-999"}
		e.By = by
		s := after(oneParcel(), e)
		equal(t, string(by), s.Parcels[0].Milestone, Labelled)
		equal(t, "anomalies", s.AnomalyCount, 0)
	}
}

func TestAnOrderShowsHowManyOfItsParcelsCame(t *testing.T) {
	s := begin(twoParcels())
	for _, step := range []struct {
		event   Event
		status  Status
		summary string
		lines   string
	}{
		{scan(1, ScanPicked), StatusPreparing, "Being prepared", "mug 1: 0 0 0 0, tea 3: 0 0 0 0"},
		{moves(10, Accepted), StatusPartiallyShipped, "1 of 2 parcels shipped", "mug 1: 0 1 0 0, tea 3: 0 0 0 0"},
		{moves(12, Accepted).of("B"), StatusShipped, "On the way", "mug 1: 0 1 0 0, tea 3: 0 3 0 0"},
		{moves(40, Delivered).of("B"), StatusPartiallyDelivered, "1 of 2 parcels delivered", "mug 1: 0 1 0 0, tea 3: 0 3 3 0"},
		{moves(41, Delivered), StatusDelivered, "Delivered", "mug 1: 0 1 1 0, tea 3: 0 3 3 0"},
		{moves(50, Returning), StatusPartiallyDelivered, "1 of 2 parcels delivered", "mug 1: 0 1 0 0, tea 3: 0 3 3 0"},
		{moves(51, Returning).of("B"), StatusReturning, "On its way back", "mug 1: 0 1 0 0, tea 3: 0 3 0 0"},
		{moves(60, Returned), StatusReturning, "On its way back", "mug 1: 0 1 0 0, tea 3: 0 3 0 0"},
		{moves(61, Returned).of("B"), StatusReturned, "Returned to sender", "mug 1: 0 1 0 0, tea 3: 0 3 0 0"},
	} {
		play(&s, step.event)
		equal(t, "status", s.Status, step.status)
		equal(t, "summary", Summary(&s), step.summary)
		var ls []string
		for _, l := range ViewOf(&s).Lines {
			ls = append(ls, fmt.Sprintf("%s %d: %d %d %d %d", l.SKU, l.Quantity, l.Unplanned, l.Shipped, l.Delivered, l.Cancelled))
		}
		equal(t, "lines", strings.Join(ls, ", "), step.lines)
	}
	equal(t, "delivered at", ViewOf(&s).DeliveredAt, time.Time{})
}

func TestACancelledPartLeavesTheRest(t *testing.T) {
	s := after(twoParcels(), Cancel{Meta: byShop(5), Parcels: []string{"B"}})
	v := ViewOf(s)
	equal(t, "status", v.Status, StatusReceived)
	equal(t, "cancelled tea", v.Lines[1].Cancelled, 3)
	equal(t, "cancelled at", v.CancelledAt, time.Time{})
	play(s, moves(10, Delivered))
	equal(t, "status", s.Status, StatusDelivered)
	s = after(twoParcels(), Cancel{Meta: byShop(5), Parcels: []string{"B"}}, Cancel{Meta: byShop(6), Parcels: []string{"A"}})
	equal(t, "parcel by parcel", ViewOf(s).Status, StatusCancelled)
	equal(t, "cancelled at", ViewOf(s).CancelledAt, at(6))

	spec := twoParcels()
	spec.Parcels = spec.Parcels[:1]
	v = ViewOf(after(spec, Cancel{Meta: byShop(5)}))
	equal(t, "cancelled before it was planned", fmt.Sprint(v.Lines[1]), "{tea 3 0 0 0 3}")
}

func TestACancellationTakesEffectWhenItIsGranted(t *testing.T) {
	e := Cancel{Meta: byShop(5)}
	e.Received, e.Occurred = at(1), at(1) // asked hours ago, while the worker was away
	s := after(oneParcel(), e)
	equal(t, "anomalies", s.AnomalyCount, 0)
	equal(t, "since", s.Parcels[0].Since, at(5))

	ahead := oneParcel()
	ahead.PlacedAt = at(47) // the shop's clock is ahead
	s = after(ahead, Cancel{Meta: byShop(1)})
	equal(t, "milestone", s.Parcels[0].Milestone, Cancelled)
	equal(t, "placed", s.Spec.PlacedAt, t0)
}

func TestTwoHundredParcels(t *testing.T) {
	spec := oneParcel()
	spec.Lines, spec.Parcels = []Line{{SKU: "mug", Quantity: MaxParcels}}, nil
	for i := range MaxParcels {
		spec.Parcels = append(spec.Parcels, PlannedParcel{ID: fmt.Sprint("P", i), Lines: []Allocation{{"mug", 1}}, Carrier: "dhl", Tracking: fmt.Sprint("T-10", i)})
	}
	if err := CheckSpec(spec, t0); err != nil {
		t.Fatal(err)
	}
	s := begin(spec)
	started := time.Now()
	play(&s, tick(48))
	equal(t, "cases", len(s.Cases), MaxParcels)
	for i := range MaxParcels {
		play(&s, moves(50, InTransit).of(fmt.Sprint("P", i)))
	}
	equal(t, "cases", len(s.Cases), 0)
	cmds := play(&s, tick(122))
	equal(t, "checks", len(cmds), MaxParcels)
	play(&s, tick(122.5))
	for i := range MaxParcels {
		play(&s, moves(130, Delivered).of(fmt.Sprint("P", i)))
	}
	equal(t, "status", s.Status, StatusDelivered)
	// Temporal calls a workflow stuck after a second in one step.
	if d := time.Since(started) / (3 + 2*MaxParcels); d > 100*time.Millisecond {
		t.Errorf("%s an event", d)
	}
	if n := len(text(&s)); n > 400_000 {
		t.Errorf("the state has %d bytes", n)
	}
	more := spec
	more.Parcels = append(slices.Clone(spec.Parcels), PlannedParcel{ID: "one-more"})
	wantRefusal(t, CheckSpec(more, t0), "parcels")
	wantRefusal(t, Check(&s, PutParcel{Meta: byShop(1), Parcel: "one-more", Lines: []Allocation{{"mug", 1}}}), "parcel")
}

func wantRefusal(t *testing.T, err error, fields ...string) {
	t.Helper()
	var got []string
	var walk func(error)
	walk = func(err error) {
		if r, ok := err.(*Refusal); ok {
			got = append(got, r.Field)
			if r.Reason == "" {
				t.Errorf("%q is refused without a reason", r.Field)
			}
		} else if j, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range j.Unwrap() {
				walk(e)
			}
		}
	}
	walk(err)
	if !slices.Equal(got, fields) {
		t.Errorf("refused %q, want %q (%v)", got, fields, err)
	}
	if r := (*Refusal)(nil); len(fields) == 1 && !errors.As(err, &r) {
		t.Errorf("%v is no refusal", err)
	}
}

func TestCheckRefusesWithTheFieldAtFault(t *testing.T) {
	fresh := after(twoParcels())
	road := after(twoParcels(), moves(10, Accepted))
	gone := after(twoParcels(), moves(10, Accepted), moves(10, Accepted).of("B"))
	done := after(oneParcel(), moves(10, Delivered))
	held := after(twoParcels(), Hold{Meta: byShop(1)})
	dock := after(oneParcel(), scan(1, ScanHandedOver))
	dead := after(twoParcels(), Cancel{Meta: byShop(1)})
	half := after(twoParcels(), Cancel{Meta: byShop(1), Parcels: []string{"B"}})
	loose := twoParcels()
	loose.Parcels = loose.Parcels[:1]
	long := byShop(2)
	long.Reason = strings.Repeat("x", 501)
	mute := byShop(2)
	mute.Reason = ""
	who := byShop(2)
	who.By = Warehouse
	ok := byShop(2)
	put := func(p PutParcel) PutParcel { p.Meta = ok; return p }
	mugs := func(n int) []Allocation { return []Allocation{{"mug", n}} }

	for _, c := range []struct {
		name  string
		s     *State
		e     Event
		field string
	}{
		{"a reason has a limit", fresh, Cancel{Meta: long}, "reason"},
		{"a stranger cancels", fresh, Cancel{Meta: who}, "by"},
		{"an order is cancelled once", dead, Cancel{Meta: ok}, ""},
		{"an unknown parcel is cancelled", fresh, Cancel{ok, []string{"A", "Z"}}, "parcels[1]"},
		{"a parcel with the carrier is cancelled", road, Cancel{Meta: ok}, "parcels"},
		{"a parcel at the dock is cancelled", dock, Cancel{Meta: ok}, "parcels"},
		{"a cancelled parcel is cancelled", half, Cancel{ok, []string{"B"}}, ""},
		{"a cancelled parcel is cancelled, with lines in no parcel", after(loose, Cancel{byShop(1), []string{"A"}}), Cancel{ok, []string{"A"}}, ""},
		{"a hold needs a reason", fresh, Hold{Meta: mute}, "reason"},
		{"a held order is held", held, Hold{Meta: ok}, ""},
		{"nothing is left to hold", gone, Hold{Meta: ok}, ""},
		{"a hold ends in the past", fresh, Hold{ok, at(-1)}, "until"},
		{"a hold has a limit", fresh, Hold{ok, at(24 * 400)}, "until"},
		{"nothing is held", fresh, Release{ok}, ""},
		{"nothing is left to promise", done, ChangePromise{ok, at(500)}, ""},
		{"a promise before the order", fresh, ChangePromise{ok, at(-1)}, "promised_at"},
		{"no promise at all", fresh, ChangePromise{ok, time.Time{}}, "promised_at"},
		{"a promise for the next century", fresh, ChangePromise{ok, at(24 * 3000)}, "promised_at"},
		{"an address of a parcel on the road", gone, CorrectAddress{ok, 2}, ""},
		{"an old address", after(oneParcel(), CorrectAddress{ok, 2}), CorrectAddress{ok, 2}, "address_version"},
		{"a shop corrects a milestone", fresh, CorrectMilestone{ok, "A", Lost}, "by"},
		{"an unknown parcel is corrected", fresh, CorrectMilestone{bySupport(2), "Z", Lost}, "parcel"},
		{"an unknown milestone", fresh, CorrectMilestone{bySupport(2), "A", "teleported"}, "milestone"},
		{"expected cannot be set", fresh, CorrectMilestone{bySupport(2), "A", Expected}, "milestone"},
		{"a correction needs a reason", fresh, CorrectMilestone{Meta{By: Support}, "A", Lost}, "reason"},
		{"a new parcel needs lines", fresh, put(PutParcel{Parcel: "C"}), "lines"},
		{"a parcel cannot be emptied", fresh, put(PutParcel{Parcel: "A", Lines: []Allocation{}}), "lines"},
		{"a parcel on the road is fixed", road, put(PutParcel{Parcel: "A", Lines: mugs(1)}), "parcel"},
		{"a cancelled parcel is fixed", half, put(PutParcel{Parcel: "B", Lines: mugs(1)}), "parcel"},
		{"a cancelled order gets a parcel", dead, put(PutParcel{Parcel: "C", Lines: mugs(1)}), ""},
		{"a parcel's name", fresh, put(PutParcel{Parcel: "no name", Lines: nil}), "lines"},
		{"a parcel's name, with lines", after(unplanned()), put(PutParcel{Parcel: "no name", Lines: mugs(1)}), "parcel"},
		{"a carrier is a code", fresh, put(PutParcel{Parcel: "A", Carrier: "U P S"}), "carrier"},
		{"a tracking number has a shape", fresh, put(PutParcel{Parcel: "A", Tracking: "x y"}), "tracking"},
		{"a tracking number needs a carrier", after(unplanned()), put(PutParcel{Parcel: "1", Tracking: "T-500"}), "carrier"},
		{"the returns desk labels", fresh, PutParcel{Meta: Meta{By: ReturnsDesk}, Parcel: "A", Tracking: "T-500"}, "by"},
		{"a service has a limit", fresh, put(PutParcel{Parcel: "A", Service: strings.Repeat("x", 41)}), "service"},
		{"a line is not ordered", fresh, put(PutParcel{Parcel: "A", Lines: []Allocation{{"air", 1}}}), "lines[0].sku"},
		{"a line is named twice", fresh, put(PutParcel{Parcel: "A", Lines: []Allocation{{"mug", 1}, {"mug", 1}}}), "lines[1].sku"},
		{"nothing of a line", fresh, put(PutParcel{Parcel: "A", Lines: mugs(0)}), "lines[0].quantity"},
		{"more than ordered", fresh, put(PutParcel{Parcel: "A", Lines: mugs(2)}), "lines[0].quantity"},
		{"more than is left", fresh, put(PutParcel{Parcel: "C", Lines: mugs(1)}), "lines[0].quantity"},
		{"too many lines", fresh, put(PutParcel{Parcel: "A", Lines: make([]Allocation, MaxLines+1)}), "lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := text(c.s)
			wantRefusal(t, Check(c.s, c.e), c.field)
			equal(t, "state", text(c.s), was)
		})
	}
	for _, e := range []Event{
		Cancel{Meta: ok}, Cancel{bySupport(2), []string{"A"}}, Hold{Meta: ok}, ChangePromise{ok, at(500)}, CorrectAddress{ok, 1},
		CorrectMilestone{bySupport(2), "A", Lost}, put(PutParcel{Parcel: "A", Lines: mugs(1), Carrier: "ups", Tracking: "T-500"}),
		scan(1, "juggled"), moves(1, "teleported"), Unreadable{}, Tick{}, Answered{},
	} {
		if err := Check(fresh, e); err != nil {
			t.Errorf("%T is refused: %v", e, err)
		}
	}
	equal(t, "text", (&Refusal{Field: "until", Reason: "must lie ahead"}).Error(), "until: must lie ahead")
}

func unplanned() Spec {
	s := oneParcel()
	s.Parcels = nil
	return s
}

func TestCheckSpecNamesEveryFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Spec)
		fields []string
	}{
		{"a good one", func(*Spec) {}, nil},
		{"several at once", func(s *Spec) { s.Store, s.Number, s.Class = "Shop!", "", "royal" }, []string{"store", "number", "class"}},
		{"currency", func(s *Spec) { s.Currency = "euro" }, []string{"currency"}},
		{"placed never", func(s *Spec) { s.PlacedAt, s.PromisedAt = time.Time{}, time.Time{} }, []string{"placed_at"}},
		{"placed in the future", func(s *Spec) { s.PlacedAt = at(50) }, []string{"placed_at"}},
		{"promised before it was placed", func(s *Spec) { s.PromisedAt = at(-1) }, []string{"promised_at"}},
		{"no lines", func(s *Spec) { s.Lines, s.Parcels = nil, nil }, []string{"lines"}},
		{"a line without a SKU", func(s *Spec) { s.Lines = append(s.Lines, Line{Quantity: 1}) }, []string{"lines[1].sku"}},
		{"a line twice", func(s *Spec) { s.Lines = append(s.Lines, s.Lines[0]) }, []string{"lines[1].sku"}},
		{"a quantity", func(s *Spec) { s.Lines = append(s.Lines, Line{SKU: "x", Quantity: MaxQuantity + 1}) }, []string{"lines[1].quantity"}},
		{"a negative price", func(s *Spec) { s.Lines[0].UnitAmount = -1 }, []string{"lines[0].unit_amount"}},
		{"a long name", func(s *Spec) { s.Lines[0].Name = strings.Repeat("x", 201) }, []string{"lines[0].name"}},
		{"a parcel twice", func(s *Spec) { s.Parcels = append(s.Parcels, s.Parcels[0]) }, []string{"parcels[1].id"}},
		{"a parcel without a name", func(s *Spec) { s.Parcels[0].ID = "" }, []string{"parcels[0].id"}},
		{"an empty parcel", func(s *Spec) { s.Parcels[0].Lines = nil }, []string{"parcels[0].lines"}},
		{"more in parcels than ordered", func(s *Spec) {
			s.Parcels = append(s.Parcels, PlannedParcel{ID: "B", Lines: []Allocation{{"mug", 1}}})
		}, []string{"parcels[1].lines[0].quantity"}},
		{"tracking without carrier", func(s *Spec) { s.Parcels[0].Carrier = "" }, []string{"parcels[0].carrier"}},
		{"a policy", func(s *Spec) { s.Policy.Pick = 0 }, []string{"policy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := oneParcel()
			s.Lines, s.Parcels = slices.Clone(s.Lines), slices.Clone(s.Parcels)
			c.change(&s)
			wantRefusal(t, CheckSpec(s, t0), c.fields...)
		})
	}
}

func TestPolicyReadsAndScales(t *testing.T) {
	p := testPolicy()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	q := p.Scaled(time.Second)
	equal(t, "movement", time.Duration(q.Movement), 3*time.Second)
	equal(t, "rhythm", time.Duration(q.Rhythms[1].Gap), 1500*time.Millisecond)
	equal(t, "the original", p.Rhythms[1].Gap, Duration(36*hour))
	if err := q.Validate(); err != nil {
		t.Fatal(err)
	}
	p.Pick, p.CloseAfter, p.Rhythms[0].Gap, p.CaseDue = 0, 0, 0, -1
	equal(t, "faults", p.Validate().Error(), "policy default: pick must be between 0 and 5 years, not 0s; case_due must be between 0 and 5 years, not -1ns; rhythms[0].gap must be positive")
	var d Duration
	if err := d.UnmarshalText([]byte("soon")); err == nil {
		t.Error("soon is a duration")
	}
	for d, want := range map[time.Duration]string{48 * hour: "2 d", 36 * hour: "36 h", 90 * time.Minute: "1 h 30 min", 5 * time.Minute: "5 min", 90 * time.Second: "1m30s"} {
		equal(t, "human", Duration(d).String(), want)
	}
}

func TestHappeningsAreNumberedAndDropped(t *testing.T) {
	s := New(oneParcel(), excuseRules, t0)
	Apply(&s, moves(10, InTransit))
	var got []string
	for _, h := range s.Told {
		got = append(got, fmt.Sprintf("%d.%d %s", h.Seq, h.N, h.Type))
	}
	equal(t, "told", strings.Join(got, ", "), "1.1 order_received, 2.1 milestone_reached, 2.2 milestone_reached, 2.3 status_changed")
	s.DropTold(1)
	equal(t, "left", len(s.Told), 3)
	s.DropTold(2)
	equal(t, "left", len(s.Told), 0)
}

func TestAnomaliesAreCountedAndTheLastAreKept(t *testing.T) {
	s := begin(oneParcel())
	for range maxAnomaly + 5 {
		play(&s, Unreadable{metaAt(1, Engine), "torn"})
	}
	equal(t, "count", s.AnomalyCount, maxAnomaly+5)
	equal(t, "kept", len(s.Anomalies), maxAnomaly)
}
