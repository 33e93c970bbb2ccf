package pages

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

const (
	hour = time.Hour
	days = 24 * time.Hour
)

func promise(d time.Time) func(*order.Spec) { return func(s *order.Spec) { s.PromisedAt = d } }

// inParcels spreads the order over n parcels, one line each.
func inParcels(n int) func(*order.Spec) {
	goods := []string{"Ridgeline two-person tent", "Down sleeping bag, 0 °C", "Gas stove with piezo lighter"}
	return func(s *order.Spec) {
		s.Lines, s.Parcels = nil, nil
		for i := range n {
			sku := fmt.Sprintf("SKU-%03d", i+1)
			s.Lines = append(s.Lines, order.Line{SKU: sku, Quantity: 1 + i%3, Name: goods[i%3]})
			s.Parcels = append(s.Parcels, order.PlannedParcel{ID: fmt.Sprint(i + 1), Lines: []order.Allocation{{SKU: sku, Quantity: 1 + i%3}}})
		}
	}
}

// fixtures are made-up orders in every state that a buyer can meet, but for the
// crowd.
func fixtures(now time.Time) []fixture {
	at := func(d time.Duration) time.Time { return now.Add(d) }
	var fs []fixture
	add := func(name string, b *story) { fs = append(fs, b.end(name)) }

	add("received", begin(now, 3*hour, nil))
	add("label-only", begin(now, 20*hour, nil).prepared("1", 9*hour, "ups", "1Z999AA10123456784").carrier("1", order.Labelled, 8*hour, "", "Shipper created a label, UPS has not received the package yet."))
	add("handed-over", begin(now, 20*hour, nil).prepared("1", 9*hour, "dpd", "05357908123456").scan("1", order.ScanHandedOver, 3*hour))
	add("in-transit", begin(now, 3*days, nil).shipped("1", 30*hour, "ups", "1Z999AA10123456784").
		carrier("1", order.InTransit, 9*hour, "Göttingen, DE", "Departed").carrier("1", order.InTransit, 4*hour, "Frankfurt am Main, DE", "Arrived", at(26*hour)))
	add("split-partly-delivered", begin(now, 4*days, inParcels(3)).
		shipped("1", 50*hour, "ups", "1Z999AA10123456784").carrier("1", order.OutForDelivery, 7*hour, "Frankfurt am Main, DE", "").carrier("1", order.Delivered, 2*hour, "12 Main Street, Frankfurt am Main, DE", "Delivered to J. SMITH").
		shipped("2", 40*hour, "dhl", "00340434161094042557").carrier("2", order.OutForDelivery, 3*hour, "Frankfurt am Main, DE", "", now).
		scan("3", order.ScanPicked, 5*hour))
	add("out-for-delivery", begin(now, 4*days, nil).shipped("1", 50*hour, "dhl", "00340434161094042557").carrier("1", order.OutForDelivery, 3*hour, "Frankfurt am Main, DE", "", now))
	add("delivered", begin(now, 5*days, nil).shipped("1", 60*hour, "ups", "1Z999AA10123456784").carrier("1", order.OutForDelivery, 10*hour, "Frankfurt am Main, DE", "").
		carrier("1", order.Delivered, 5*hour, "Hauptstr. 5, Frankfurt am Main, DE", "DELIVERED, signed by MEYER"))
	add("late", begin(now, 8*days, promise(at(-20*hour))).shipped("1", 4*days, "fedex", "789456123012").carrier("1", order.InTransit, 30*hour, "Kassel, DE", "Delay: missed connection"))
	add("late-new-date", begin(now, 6*days, promise(at(-6*hour))).shipped("1", 4*days, "fedex", "789456123012").carrier("1", order.InTransit, 9*hour, "Kassel, DE", "Delay", at(50*hour)))
	add("delivered-late", begin(now, 9*days, promise(at(-3*days))).shipped("1", 5*days, "fedex", "789456123012").carrier("1", order.Delivered, 20*hour, "", ""))
	add("attempt-failed", begin(now, 4*days, nil).shipped("1", 50*hour, "ups", "1Z999AA10123456784").carrier("1", order.OutForDelivery, 8*hour, "Frankfurt am Main, DE", "").carrier("1", order.AttemptFailed, 3*hour, "Frankfurt am Main, DE", "Receiver not home"))
	add("ready-for-pickup", begin(now, 5*days, nil).shipped("1", 60*hour, "dhl", "00340434161094042557").carrier("1", order.ReadyForPickup, 6*hour, "Kiosk am Markt, Marktplatz 3, Frankfurt am Main", ""))
	add("customs", begin(now, 6*days, promise(at(5*days))).shipped("1", 4*days, "dhl_express", "JD014600003828392837").carrier("1", order.InCustoms, 20*hour, "Leipzig, DE", "Clearance event"))
	add("returning", begin(now, 9*days, promise(at(-1*days))).shipped("1", 7*days, "ups", "1Z999AA10123456784").carrier("1", order.AttemptFailed, 4*days, "", "").carrier("1", order.AttemptFailed, 3*days, "", "").carrier("1", order.Returning, 20*hour, "Frankfurt am Main, DE", "Return to shipper"))
	add("returned", begin(now, 12*days, promise(at(-4*days))).shipped("1", 10*days, "ups", "1Z999AA10123456784").carrier("1", order.Returning, 4*days, "Frankfurt am Main, DE", "").scan("1", order.ScanReturned, 5*hour))
	add("lost", begin(now, 14*days, promise(at(-7*days))).shipped("1", 11*days, "gls", "ZX81927364").carrier("1", order.Lost, 20*hour, "", "Parcel declared lost"))
	add("cancelled", begin(now, 2*days, nil).request(order.Cancel{Meta: order.Meta{By: order.Storefront, Actor: "key-storefront", Applied: at(-20 * hour), Reason: "buyer changed their mind"}}))
	add("on-hold", begin(now, 1*days, nil).scan("1", order.ScanPicked, 9*hour).request(order.Hold{Meta: order.Meta{By: order.Support, Actor: "usr-8812", Applied: at(-6 * hour), Reason: "fraud check by J. Doe"}}))
	add("partly-planned", begin(now, 2*days, func(s *order.Spec) { s.Parcels[0].Lines = s.Parcels[0].Lines[:1] }).shipped("1", 20*hour, "ups", "1Z999AA10123456784"))
	add("corrected", begin(now, 5*days, nil).shipped("1", 60*hour, "ups", "1Z999AA10123456784").carrier("1", order.Delivered, 20*hour, "", "Delivered").
		request(order.CorrectMilestone{Meta: order.Meta{By: order.Support, Actor: "usr-8812", Reason: "carrier scanned the wrong door", Occurred: at(-3 * hour), Received: at(-3 * hour), Applied: at(-3 * hour)}, Parcel: "1", Milestone: order.InTransit}))

	hostile := `<script>alert(1)</script>"><img src=x onerror=alert(2)>`
	add("hostile-text", begin(now, 3*days, func(s *order.Spec) {
		s.Lines[0].Name = hostile
		s.Lines[1].Name = "Pegs \u202eeman desrever\u202c javascript:alert(3) {{.Secret}}"
	}).shipped("1", 30*hour, "ups", "1Z999AA10123456784").carrier("1", order.InTransit, 4*hour, hostile, hostile+"\x00\x1b[31m").carrier("1", order.InTransit, 2*hour, "</time></li></ol><h1>Phish</h1>", "' onmouseover='alert(4)"))
	long := strings.Repeat("Extraordinarily-long-name-without-any-break", 3)
	add("long-names", begin(now, 3*days, func(s *order.Spec) {
		s.Number = "2026-WEB-DE-0000000000000000000000000000000000000000000000104820"
		s.Lines[0].Name = long
		for i := range 12 {
			s.Lines = append(s.Lines, order.Line{SKU: fmt.Sprint("X", i), Quantity: 1000 * (i + 1), Name: fmt.Sprintf("Replacement pole section %d with shock cord, aluminium, anodised, matte", i+1)})
			s.Parcels[0].Lines = append(s.Parcels[0].Lines, order.Allocation{SKU: fmt.Sprint("X", i), Quantity: 1000 * (i + 1)})
		}
	}).shipped("1", 30*hour, "some_regional_carrier_of_ours", strings.Repeat("9", 40)).carrier("1", order.InTransit, 2*hour, strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwll", 2)+", Wales", ""))
	add("rtl", begin(now, 3*days, func(s *order.Spec) {
		s.Lines[0].Name, s.Lines[1].Name = "خيمة لشخصين من ريدجلاين", "יתדות לאוהל, סט של 8"
	}).shipped("1", 30*hour, "dhl_express", "JD014600003828392837").carrier("1", order.InTransit, 4*hour, "القاهرة", ""))
	dear := func(s *order.Spec) { s.Lines[0].UnitAmount, s.Lines[1].UnitAmount = 64_900, 900 }
	add("stalled", begin(now, 12*days, promise(at(3*days))).shipped("1", 9*days, "gls", "ZX81927364").pass(5*days).pass(5*days-hour).
		person(4*days, "key:7d2nq4", order.Stalled, func(m order.Meta, id string) order.Event {
			return order.AssignCase{Meta: m, Case: id, Assignee: "key:7d2nq4"}
		}).
		person(4*days, "key:7d2nq4", order.Stalled, func(m order.Meta, id string) order.Event {
			return order.NoteCase{Meta: m, Case: id, Text: "The depot in Hannover searches; they call back."}
		}))
	add("stalled-given-time", begin(now, 12*days, promise(at(3*days))).shipped("1", 7*days, "gls", "ZX81927364").pass(3*days).pass(3*days-hour).
		person(2*days, "key:7d2nq4", order.Stalled, func(m order.Meta, id string) order.Event {
			return order.ResolveCase{Meta: m, Case: id, Resolution: order.WaitOn, Until: at(2 * days)}
		}))
	add("not-received-refund-to-approve", begin(now, 9*days, dear).shipped("1", 5*days, "ups", "1Z999AA10123456784").carrier("1", order.Delivered, 3*days, "Frankfurt am Main, DE", "Left at the door").
		request(order.ReportNotReceived{Meta: order.Meta{By: order.Storefront, Actor: "key:shop", Applied: at(-2 * days)}, Parcel: "1"}).
		person(1*days, "key:7d2nq4", order.NotReceived, func(m order.Meta, id string) order.Event {
			return order.ResolveCase{Meta: m, Case: id, Resolution: order.Refund}
		}))
	add("lost-refund-asked", begin(now, 14*days, func(s *order.Spec) { s.PromisedAt, s.Lines[0].UnitAmount = at(-7*days), 12_900 }).shipped("1", 11*days, "gls", "ZX81927364").carrier("1", order.Lost, 20*hour, "", "Parcel declared lost").
		person(10*hour, "key:7d2nq4", order.LostParcel, func(m order.Meta, id string) order.Event {
			return order.ResolveCase{Meta: m, Case: id, Resolution: order.Refund}
		}))
	back := func(number int) *story {
		return begin(now, 12*days, dear).shipped("1", 8*days, "ups", "1Z999AA10123456784").carrier("1", order.Delivered, 6*days, "Frankfurt am Main, DE", "Left at the door").
			request(order.RequestReturn{Meta: order.Meta{By: order.Storefront, Actor: "key:shop", Applied: at(-5 * days)}, Lines: []order.ReturnLine{
				{SKU: "TENT-2P", Quantity: 1, Reason: order.NotAsDescribed, Wanted: order.RefundRemedy, Photos: []string{"s3:returns/tent-1.jpg"}}, {SKU: "PEG-8", Quantity: number, Reason: order.DoesNotFit, Wanted: order.ExchangeRemedy, Instead: "PEG-10"}}})
	}
	desk := func(ago time.Duration) order.Meta {
		return order.Meta{By: order.ReturnsDesk, Actor: "key:desk", Reason: "as agreed", Applied: at(-ago)}
	}
	agreed := func() *story {
		return back(2).request(order.DecideReturn{Meta: desk(4 * days), Return: "R1", Agree: true})
	}
	received := func() *story {
		return agreed().request(order.ShipReturn{Meta: desk(90 * hour), Return: "R1", Carrier: "dhl", Tracking: "JD014600003828"}).
			carrier("R1", order.Accepted, 3*days, "Frankfurt am Main, DE", "Posted at the shop").scan("R1", order.ScanReturned, 30*hour)
	}
	add("return-requested", back(1))
	add("return-authorized", agreed())
	labelled := func(ago time.Duration) *story {
		return agreed().request(order.AskLabel{Meta: desk(ago), Return: "R1", Carrier: "dhl", Package: order.Package{WeightG: 2400, LengthMM: 600, WidthMM: 200, HeightMM: 200}})
	}
	add("return-label-asked", labelled(20*time.Minute))
	made := order.Answered{Tracking: "JD014600003828", Reference: "JD014600003828", Held: "application/pdf", Amount: 499, Currency: "EUR"}
	add("return-label-made", labelled(90*hour).answered(89*hour, made))
	add("return-label-unused", labelled(90*hour).answered(89*hour, made).request(order.CancelReturn{Meta: desk(5 * hour), Return: "R1"}))
	add("return-label-by-hand", labelled(3*hour).answered(2*hour, order.Answered{Failed: "what the carrier answered got lost, and it does not say what it has", Unclear: true}))
	add("return-in-transit", agreed().request(order.ShipReturn{Meta: desk(90 * hour), Return: "R1", Carrier: "dhl", Tracking: "JD014600003828"}).carrier("R1", order.InTransit, 2*days, "Frankfurt am Main, DE", "On the road"))
	add("return-received", received())
	add("return-to-decide", received().request(order.InspectReturn{Meta: desk(20 * hour), Return: "R1", Findings: []order.Finding{{SKU: "TENT-2P", Quantity: 1, Grade: order.GradeDamaged, Serial: order.SerialOK, Note: "a pole is bent", Photos: []string{"s3:returns/tent-2.jpg"}}, {SKU: "PEG-8", Quantity: 2, Grade: order.GradeNew}}}))
	add("return-refund-to-approve", received().request(order.InspectReturn{Meta: desk(20 * hour), Return: "R1", Findings: []order.Finding{{SKU: "TENT-2P", Quantity: 1, Grade: order.GradeOpened}, {SKU: "PEG-8", Quantity: 2, Grade: order.GradeNew}}}))
	add("return-rejected", back(1).request(order.DecideReturn{Meta: desk(4 * days), Return: "R1"}))
	return fs
}

// crowd is an order of as many parcels as one may have. It takes a while to make.
func crowd(now time.Time) fixture {
	many := begin(now, 9*days, func(s *order.Spec) { inParcels(order.MaxParcels)(s); s.Class = order.Bulky })
	for i := range order.MaxParcels {
		id, tracking := fmt.Sprint(i+1), fmt.Sprintf("1Z999AA1%010d", i)
		switch {
		case i < 120:
			many.shipped(id, 5*days, "ups", tracking).carrier(id, order.Delivered, time.Duration(20+i)*hour/2, "Frankfurt am Main, DE", "")
		case i < 150:
			many.shipped(id, 50*hour, "ups", tracking)
		case i < 158:
			many.shipped(id, 50*hour, "ups", tracking).carrier(id, order.OutForDelivery, 4*hour, "Frankfurt am Main, DE", "")
		case i < 160:
			many.shipped(id, 50*hour, "ups", tracking).carrier(id, order.AttemptFailed, 2*hour, "Frankfurt am Main, DE", "")
		case i < 161:
			many.shipped(id, 8*days, "ups", tracking).carrier(id, order.Lost, 12*hour, "", "")
		}
	}
	return many.end("200-parcels")
}
