package sim

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/waybillhq/waybill/order"
)

const second = order.Duration(time.Second)

// scenarios are the branches. What is waited for in them takes seconds.
var scenarios = []scenario{
	{name: "happy path", want: "delivered", play: func(st *stage) {
		st.ship("1")
		st.carry("1", order.InTransit, order.OutForDelivery, order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "split shipment", want: "delivered, A delivered, B delivered", order: inTwoParcels, play: func(st *stage) {
		st.ship("A")
		st.carry("A", order.Delivered)
		st.untilStatus(order.StatusPartiallyDelivered)
		st.ship("B")
		st.carry("B", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "missed hand-off", want: "delivered, missed_handoff by itself", policy: func(p *order.Policy) { p.Handoff = 1 * second }, play: func(st *stage) {
		st.prepare("1")
		st.opened(order.MissedHandoff)
		st.carry("1", order.Accepted, order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "not picked, then it is", want: "delivered, not_picked by itself", policy: func(p *order.Policy) { p.Pick = 1 * second }, play: func(st *stage) {
		st.opened(order.NotPicked)
		st.ship("1")
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "stalled, then it moves", want: "delivered, stalled by itself", policy: func(p *order.Policy) { p.Movement = 1 * second }, play: func(st *stage) {
		st.ship("1")
		st.opened(order.Stalled)
		st.carry("1", order.InTransit, order.Delivered)
		st.untilStatus(order.StatusDelivered)
		st.calm()
	}},
	{name: "stalled, lost, claimed, refunded", want: "lost, stalled by itself, lost → refund, claim confirmed, refund confirmed",
		policy: func(p *order.Policy) { p.Movement, p.Trace = 1*second, 1*second }, play: func(st *stage) {
			st.ship("1")
			st.opened(order.Stalled)
			lost := st.opened(order.LostParcel)
			st.resolve(order.LostParcel, order.Claim)
			st.confirm(order.ClaimRemedy)
			st.ask("/cases/"+url.PathEscape(lost.ID)+"/reopen", map[string]any{"reason": "the buyer still waits"})
			st.resolve(order.LostParcel, order.Refund)
			st.confirm(order.RefundRemedy)
			st.untilStatus(order.StatusLost)
		}},
	{name: "late, and a new window", want: "delivered, late by itself", order: promisedIn(time.Second), play: func(st *stage) {
		st.ship("1")
		st.opened(order.Late)
		st.ask("/promise", map[string]any{"promised_at": time.Now().Add(time.Hour).UTC(), "reason": "the carrier's new window"})
		st.calm()
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "late, told, delivered", want: "delivered, late, late by itself", policy: func(p *order.Policy) {
		p.Cases = []order.CaseRule{{Kind: order.Late, Due: 3600 * second, Notice: new(second)}}
	}, order: promisedIn(time.Second), play: func(st *stage) {
		st.ship("1")
		st.opened(order.Late)
		st.until("the buyer's notice", func(v order.View) bool { return len(v.Cases) == 1 && !v.Cases[0].NoticedAt.IsZero() })
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "attempts up to the limit, back, inspected", want: "returned, attempt_failed by itself, unexpected_return by itself, refund confirmed, R1 closed", policy: func(p *order.Policy) { p.AttemptLimit = 2 }, play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.AttemptFailed, "recipient_unavailable")
		st.opened(order.FailedAttempt)
		st.trouble("1", order.AttemptFailed, "recipient_unavailable")
		st.until("a critical case", func(v order.View) bool { return len(v.Cases) == 1 && v.Cases[0].Severity == order.Critical })
		st.carry("1", order.Returning)
		st.opened(order.UnexpectedReturn)
		st.scan("1", order.ScanReturned)
		st.untilStatus(order.StatusReturned)
		st.askAs(st.client, roleReturns, "/returns", map[string]any{"parcel": "1", "reason": "it stands at the dock"})
		st.inspect(order.GradeNew)
		st.confirm(order.RefundRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "attempt failed, arranged, delivered", want: "delivered, attempt_failed → arranged", play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.AttemptFailed, "recipient_unavailable")
		st.resolve(order.FailedAttempt, order.Arranged)
		st.carry("1", order.OutForDelivery, order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "attempt failed, the carrier told to hold it", want: "delivered, attempt_failed → hold_at_location", play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.AttemptFailed, "recipient_unavailable")
		st.resolve(order.FailedAttempt, order.HoldAtLocation)
		st.toldByHand()
		st.carry("1", order.ReadyForPickup, order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "address problem", want: "delivered, address_problem → arranged", play: troubled("address", order.AddressProblem, order.Arranged)},
	{name: "customs", want: "delivered, customs_hold → arranged", play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.InCustoms, "customs_docs")
		st.resolve(order.CustomsHold, order.Arranged)
		st.carry("1", order.InTransit, order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "weather", want: "delivered, weather by itself", play: troubled("weather", order.Weather, "")},
	{name: "payment due", want: "delivered, payment_due → arranged", play: troubled("payment", order.PaymentDue, order.Arranged)},
	{name: "refused, refunded", want: "returning, refused by itself, attempt_failed by itself, unexpected_return → refund, refund confirmed", play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.AttemptFailed, "refused")
		st.opened(order.Refused)
		st.carry("1", order.Returning)
		st.resolve(order.UnexpectedReturn, order.Refund)
		st.confirm(order.RefundRemedy)
	}},
	{name: "damaged, replaced", want: "lost, 1 destroyed, damaged → replace, replacement confirmed", play: func(st *stage) {
		st.ship("1")
		st.trouble("1", order.InTransit, "damage")
		st.resolve(order.Damaged, order.Replace)
		st.carry("1", order.Destroyed)
		st.confirm(order.ReplacementRemedy)
		st.untilStatus(order.StatusLost)
	}},
	{name: "not received, found", want: "delivered, not_received → dismiss", play: func(st *stage) {
		st.missing()
		st.resolve(order.NotReceived, order.Dismiss)
		st.calm()
	}},
	{name: "not received, refund with four eyes", want: "delivered, not_received → refund, refund confirmed", policy: func(p *order.Policy) { p.RefundLimit = 10_00 }, play: func(st *stage) {
		st.missing()
		st.resolve(order.NotReceived, order.Refund)
		r := st.remedy(order.RefundRemedy, order.ToApprove)
		agree, yes := "/remedies/"+url.PathEscape(r.ID)+"/decide", map[string]any{"agree": true, "reason": "checked"}
		st.refused(agree, yes) // who asked may not agree
		st.askAs(st.second, roleSupport, agree, yes)
		st.confirm(order.RefundRemedy)
	}},
	{name: "unexpected return", want: "returned, unexpected_return → dismiss", play: func(st *stage) {
		st.ship("1")
		st.carry("1", order.Returning, order.Returned)
		st.resolve(order.UnexpectedReturn, order.Dismiss)
		st.untilStatus(order.StatusReturned)
		st.calm()
	}},
	{name: "return, refunded", want: "delivered, refund confirmed, R1 closed", play: func(st *stage) {
		st.returned()
		st.inspect(order.GradeNew)
		st.confirm(order.RefundRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "return label, asked of a carrier that makes none", want: "delivered, refund confirmed, R1 closed", play: func(st *stage) {
		st.deliver()
		st.sendBack()
		st.untilReturn(order.ReturnAuthorized)
		st.askAs(st.client, roleReturns, "/returns/R1/label", map[string]any{"carrier": "nobody", "package": map[string]any{"weight_g": 1200}})
		st.until("the label to be a person's", func(v order.View) bool {
			return slices.ContainsFunc(v.Returns, func(r order.ReturnView) bool {
				b := r.OpenBooking()
				return b != nil && b.State == order.BookingByHand
			})
		})
		st.travels()
		st.inspect(order.GradeNew)
		st.confirm(order.RefundRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "return, exchanged", want: "delivered, exchange confirmed, R1 closed", play: func(st *stage) {
		st.deliver()
		st.sendBackFor(order.ExchangeRemedy, "lamp-2")
		st.scan("R1", order.ScanReturned)
		st.inspect(order.GradeNew)
		st.confirm(order.ExchangeRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "return rejected", want: "delivered, R1 rejected", policy: func(p *order.Policy) { p.ReturnAutoLimit = 1 }, play: func(st *stage) {
		st.deliver()
		st.sendBack()
		st.untilReturn(order.ReturnRequested)
		st.askAs(st.client, roleReturns, "/returns/R1/decide", map[string]any{"agree": false, "reason": "worn"})
		st.untilReturn(order.ReturnRejected)
	}},
	{name: "return that never comes", want: "delivered, return_overdue → end_return, R1 cancelled", policy: func(p *order.Policy) { p.ReturnShip = 1 * second }, play: func(st *stage) {
		st.deliver()
		st.sendBack()
		st.resolve(order.ReturnOverdue, order.EndReturn)
		st.untilReturn(order.ReturnCancelled)
		st.calm()
	}},
	{name: "return late, then it comes", want: "delivered, return_overdue by itself, refund confirmed, R1 closed", policy: func(p *order.Policy) { p.ReturnShip = 1 * second }, play: func(st *stage) {
		st.deliver()
		st.sendBack()
		st.opened(order.ReturnOverdue)
		st.scan("R1", order.ScanReturned)
		st.inspect(order.GradeOpened)
		st.confirm(order.RefundRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "return of something else", want: "delivered, R1 closed", play: func(st *stage) {
		st.returned()
		st.inspect(order.GradeWrong)
		st.dispose(order.GradeWrong, order.SendBack)
		st.askAs(st.client, roleReturns, "/returns/R1/send-back", map[string]any{"carrier": scenarioCarrier, "tracking": st.tracking("B1")})
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "return of an empty box", want: "delivered, R1 closed", play: func(st *stage) {
		st.returned()
		st.inspect(order.GradeMissing)
		st.dispose(order.GradeMissing, "")
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "inspection late", want: "delivered, inspection_overdue by itself, refund confirmed, R1 closed", policy: func(p *order.Policy) { p.ReturnInspect = 1 * second }, play: func(st *stage) {
		st.returned()
		st.opened(order.InspectionOverdue)
		st.inspect(order.GradeNew)
		st.confirm(order.RefundRemedy)
		st.untilReturn(order.ReturnClosed)
	}},
	{name: "closed, then sent back", want: "delivered, refund confirmed, R1 closed, closed", policy: func(p *order.Policy) { p.CloseAfter = 0 }, play: func(st *stage) {
		st.deliver()
		st.until("its end", func(v order.View) bool { return v.Closed })
		st.sendBack()
		st.until("a new beginning", func(v order.View) bool { return !v.Closed })
		st.scan("R1", order.ScanReturned)
		st.inspect(order.GradeNew)
		st.confirm(order.RefundRemedy)
		st.until("its second end", func(v order.View) bool { return v.Closed })
	}},
	{name: "cancelled before hand-over", want: "cancelled", play: func(st *stage) {
		st.scan("1", order.ScanPicked, order.ScanPacked)
		st.untilMilestone("1", order.Packed)
		st.ask("/cancel", map[string]any{"reason": "changed my mind"})
		st.untilStatus(order.StatusCancelled)
	}},
	{name: "cancelling refused after hand-over", want: "delivered", play: func(st *stage) {
		st.prepare("1")
		st.untilMilestone("1", order.HandedOver)
		st.refused("/cancel", map[string]any{"reason": "changed my mind"})
		st.carry("1", order.Accepted)
		st.untilMilestone("1", order.Accepted)
		st.refused("/cancel", map[string]any{"reason": "changed my mind"})
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "the rest is given up", want: "delivered, A delivered, rest cancelled, not_picked → cancel_parcel", policy: func(p *order.Policy) { p.Pick = 2 * second }, order: func(r *OrderRequest) {
		r.Lines[0].Quantity = 2
		r.Parcels = []order.PlannedParcel{{ID: "A", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}
	}, play: func(st *stage) {
		st.ship("A")
		st.resolve(order.NotPicked, order.CancelParcel)
		st.carry("A", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "hold and release", want: "delivered, held_too_long by itself", policy: func(p *order.Policy) { p.HoldReview, p.Pick = 1*second, 60*second }, play: func(st *stage) {
		st.ask("/hold", map[string]any{"reason": "payment check"})
		st.opened(order.HeldTooLong)
		st.ask("/release", map[string]any{"reason": "paid"})
		st.ship("1")
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "wrong delivery taken back", want: "delivered", play: func(st *stage) {
		st.ship("1")
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
		st.says("1", CarrierItem{Milestone: order.InTransit, Correction: true})
		st.untilStatus(order.StatusShipped)
		st.carry("1", order.Delivered)
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "unknown code, mapped later", want: "delivered", play: func(st *stage) {
		st.scan("1", order.ScanPicked, order.ScanPacked)
		st.askAs(st.client, roleStorefront, "/parcels/1", map[string]any{"carrier": "edi214", "tracking": st.tracking("1")})
		st.freight("AF")
		st.untilMilestone("1", order.Accepted)
		st.freight("ZQ") // no table has it
		st.untilNoted("ZQ")
		st.mapCode("ZQ", "delivered")
		st.untilStatus(order.StatusDelivered)
		st.mapCode("ZQ", "withdrawn") // for the next run
	}},
	{name: "events before their label", want: "delivered", play: func(st *stage) {
		st.carry("1", order.Accepted, order.InTransit, order.Delivered) // nobody's yet
		st.prepare("1")
		st.untilStatus(order.StatusDelivered)
	}},
	{name: "reused tracking number", want: "shipped", policy: func(p *order.Policy) { p.CloseAfter = 0 }, play: func(st *stage) {
		st.ship("1")
		st.carry("1", order.Delivered)
		st.until("its end", func(v order.View) bool { return v.Closed })
		number := st.tracking("1")
		old := st.id()
		again := *st
		again.name, again.began = st.name+"-again", time.Now().UTC().Truncate(time.Millisecond)
		again.create(func(r *OrderRequest) {
			r.Parcels = []order.PlannedParcel{{ID: "1", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}, Carrier: scenarioCarrier, Tracking: number}}
		})
		again.until("it has begun", func(v order.View) bool { return v.Seq > 0 })
		st.err = again.err
		st.carry("1", order.Accepted, order.InTransit) // the number's second journey
		again.untilStatus(order.StatusShipped)
		if before, err := st.client.Order(st.ctx, old, false); err != nil || before.Status != order.StatusDelivered || !before.Closed {
			again.err = fmt.Errorf("the first order heard of it: %s, %w", before.Status, err)
		}
		st.view = again.view
		if st.err == nil {
			st.err = again.err
		}
	}},
}

func inTwoParcels(r *OrderRequest) {
	r.Lines = append(r.Lines, order.Line{SKU: "bulb", Quantity: 2, UnitAmount: 5_00})
	r.Parcels = []order.PlannedParcel{{ID: "A", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}, {ID: "B", Lines: []order.Allocation{{SKU: "bulb", Quantity: 2}}}}
}

func promisedIn(d time.Duration) func(*OrderRequest) {
	return func(r *OrderRequest) { r.PromisedAt = r.PlacedAt.Add(d) }
}

// troubled is a parcel about which the carrier names a reason; a person settles
// it, or the next movement does.
func troubled(bucket string, kind order.CaseKind, how order.Resolution) func(*stage) {
	return func(st *stage) {
		st.ship("1")
		st.trouble("1", order.InTransit, bucket)
		if how == "" {
			st.opened(kind)
		} else {
			st.resolve(kind, how)
		}
		st.carry("1", order.InTransit, order.Delivered)
		st.untilStatus(order.StatusDelivered)
		st.calm()
	}
}

func (st *stage) deliver() {
	st.ship("1")
	st.carry("1", order.Delivered)
	st.untilStatus(order.StatusDelivered)
}

// sendBack asks for a return of what was delivered, for a refund.
func (st *stage) sendBack() { st.sendBackFor(order.RefundRemedy, "") }

func (st *stage) sendBackFor(wanted order.RemedyKind, instead string) {
	line := map[string]any{"sku": "lamp", "quantity": 1, "reason": order.DoesNotFit, "wanted": wanted}
	if instead != "" {
		line["instead"] = instead
	}
	st.askAs(st.client, roleStorefront, "/returns", map[string]any{"lines": []any{line}})
}

// toldByHand is a carrier that takes nothing from us: a person tells it, and
// records that it agreed.
func (st *stage) toldByHand() {
	id := ""
	st.until("an instruction to give by hand", func(v order.View) bool {
		for _, i := range v.Instructions {
			if i.State == order.InstructionByHand {
				id = i.ID
			}
		}
		return id != ""
	})
	st.ask("/instructions/"+url.PathEscape(id)+"/end", map[string]any{"done": true, "reference": "by phone", "reason": "they hold it"})
}

// returned is a return that travelled under a label to the dock.
func (st *stage) returned() {
	st.deliver()
	st.sendBack()
	st.untilReturn(order.ReturnAuthorized)
	st.travels()
}

// travels takes return R1 under a label, which a person recorded, to the dock.
func (st *stage) travels() {
	st.askAs(st.client, roleReturns, "/returns/R1/ship", map[string]any{"carrier": scenarioCarrier, "tracking": st.tracking("R1")})
	st.carry("R1", order.Accepted, order.InTransit)
	st.untilReturn(order.ReturnInTransit)
	st.scan("R1", order.ScanReturned)
	st.untilReturn(order.ReturnReceived)
}

// inspect grades the one lamp of return R1.
func (st *stage) inspect(g order.Grade) {
	st.untilReturn(order.ReturnReceived)
	st.askAs(st.client, roleReturns, "/returns/R1/inspect", map[string]any{"findings": []map[string]any{{"sku": "lamp", "quantity": 1, "grade": g}}})
}

// dispose does not accept what was found.
func (st *stage) dispose(g order.Grade, to order.Disposition) {
	line := map[string]any{"sku": "lamp", "grade": g}
	if to != "" {
		line["to"] = to
	}
	st.askAs(st.client, roleReturns, "/returns/R1/dispose", map[string]any{"lines": []any{line}, "reason": "not what was sold"})
}

func (st *stage) untilReturn(state order.ReturnState) {
	st.until("return R1 "+string(state), func(v order.View) bool {
		return slices.ContainsFunc(v.Returns, func(r order.ReturnView) bool { return r.ID == "R1" && r.State == state })
	})
}

// missing is a delivery that the buyer does not have.
func (st *stage) missing() {
	st.deliver()
	st.ask("/parcels/1/not-received", map[string]any{"reason": "the buyer called"})
}

// freight lets a freight carrier's file say a status of X12.
func (st *stage) freight(code string) {
	at, number := st.now(), st.tracking("1")
	control := fmt.Sprintf("%09d", at.UnixMilli()%1_000_000_000)
	body := "ISA*00*          *00*          *02*SCEN           *ZZ*WAYBILL        *" + at.Format("060102*1504") + "*U*00401*" + control + "*0*P*>~\n" +
		"GS*QM*SCEN*WAYBILL*" + at.Format("20060102*1504") + "*1*X*004010~\nST*214*0001~\nB10*" + number + "*1*SCEN~\nL11*" + number + "*CN~\nLX*1~\n" +
		"AT7*" + code + "*NS***" + at.Format("20060102*150405") + "*UT~\nMS1*KASSEL**DE~\nSE*7*0001~\nGE*1*1~\nIEA*1*" + control + "~\n"
	if st.err == nil {
		st.err = st.client.do(st.ctx, roleCarrier, "POST", "/v1/carriers/edi214/files", "", upload{"application/edi-x12", []byte(body)}, nil)
	}
}

// mapCode says what a status of X12 means.
func (st *stage) mapCode(code, kind string) {
	if st.err == nil {
		q := url.Values{"carrier": {"edi214"}, "table": {"1650"}, "code": {code}}
		st.err = st.client.do(st.ctx, roleAdmin, "PUT", "/v1/code-mappings?"+q.Encode(), "", map[string]string{"kind": kind, "reason": "as the scenario says"}, nil)
	}
}

// untilNoted waits for the fault that an unknown code opens.
func (st *stage) untilNoted(code string) {
	deadline := time.Now().Add(st.patience)
	for st.err == nil {
		var list struct {
			Faults []struct{ Code string }
		}
		if st.err = st.client.do(st.ctx, roleAdmin, "GET", "/v1/faults", "", nil, &list); st.err != nil {
			return
		}
		for _, f := range list.Faults {
			if f.Code == code {
				return
			}
		}
		if time.Now().After(deadline) {
			st.err = fmt.Errorf("waited %s for a fault about the code %s", st.patience, code)
			return
		}
		st.err = sleep(st.ctx, 200*time.Millisecond)
	}
}
