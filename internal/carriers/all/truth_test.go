package all

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// Possession is its own truth: no row that says label, void or news may make a
// parcel be held by its carrier.
func TestNoPaperIsPossession(t *testing.T) {
	paper := []string{"label", "void", "info", "none", "closed", "unknown"}
	for _, a := range Adapters() {
		rows := a.Codes().Rows()
		if len(rows) == 0 {
			t.Errorf("%s has no codes", a.Name())
		}
		seen := 0
		for _, r := range rows {
			if slices.Contains(paper, r.Kind) {
				seen++
				if r.Physical || r.Milestone.Stage() > order.Preparing {
					t.Errorf("%s %s %s is %s, and sets %q, physical %v", a.Name(), r.Table, r.Code, r.Kind, r.Milestone, r.Physical)
				}
			}
			if !r.Physical && r.Milestone.Stage() > order.Preparing && r.Milestone != order.Lost && r.Milestone != order.Destroyed {
				t.Errorf("%s %s %s sets %s on paper", a.Name(), r.Table, r.Code, r.Milestone)
			}
			if r.Bucket == "exception" && r.Physical {
				t.Errorf("%s %s %s: an exception is no scan", a.Name(), r.Table, r.Code)
			}
		}
		if seen == 0 {
			t.Errorf("%s has no paper at all", a.Name())
		}
	}
}

// And through the whole core: an order that hears every paper code of a carrier
// is where it was.
func TestEveryPaperCodeTogetherMovesNoOrder(t *testing.T) {
	placed := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, a := range Adapters() {
		s := order.New(order.Spec{ID: "shop:1", Store: "shop", Number: "1", PlacedAt: placed, Policy: order.DefaultPolicy(),
			Lines:   []order.Line{{SKU: "mug", Quantity: 1}},
			Parcels: []order.PlannedParcel{{ID: "A", Carrier: a.Name(), Tracking: "T-100", Lines: []order.Allocation{{SKU: "mug", Quantity: 1}}}}}, order.CurrentRules, placed)
		for i, r := range a.Codes().Rows() {
			if r.Physical || r.Milestone == order.Lost || r.Milestone == order.Destroyed {
				continue
			}
			at := placed.Add(time.Duration(i) * time.Minute)
			order.Apply(&s, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: at, Received: at, Applied: at}, Parcel: "A",
				Milestone: r.Milestone, Tracking: "T-100", Piece: []string{"", "T-100", "P-1"}[i%3], Pieces: i % 4, Bucket: r.Bucket})
		}
		if p := &s.Parcels[0]; p.Milestone.Stage() > order.Preparing || !p.PossessionAt.IsZero() || !p.LastMovement.IsZero() {
			t.Errorf("%s: %s", a.Name(), p.Milestone)
		}
	}
}

// said makes the smallest payload in which a carrier says a code in words.
var said = map[string]func(code, words string) string{
	"ups": func(code, words string) string {
		kind, c, num := split(code)
		return fmt.Sprintf(`{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"1Z0001","activity":[{"date":"20260307","time":"120000","status":{"type":%q,"code":%q,"statusCode":%q,"description":%s}}]}]}]}}`, kind, c, num, quoted(words))
	},
	"fedex": func(code, words string) string {
		kind, derived, where := split(code)
		return fmt.Sprintf(`{"output":{"completeTrackResults":[{"trackingNumber":"70000001","trackResults":[{"deliveryDetails":{"locationType":%q},"scanEvents":[{"date":"2026-03-07T12:00:00-05:00","eventType":%q,"derivedStatusCode":%q,"eventDescription":%s}]}]}]}}`, where, kind, derived, quoted(words))
	},
	"usps": func(code, words string) string {
		c, category, _ := split(code)
		return fmt.Sprintf(`{"trackingNumber":"94000001","statusCategory":%q,"trackingEvents":[{"eventCode":%q,"eventType":%s,"eventTimestamp":"2026-03-07T12:00:00"}]}`, category, c, quoted(words))
	},
	"dhl": func(code, words string) string {
		service, c, status := split(code)
		if service == "packages" { // eCommerce Americas' own interface; the words are the second ones
			return fmt.Sprintf(`{"packages":[{"package":{"packageId":"GM0000001"},"events":[{"date":"2026-03-07","time":"12:00:00","timeZone":"ET","primaryEventId":%s,"secondaryEventDescription":%s}]}]}`, c, quoted(words))
		}
		return fmt.Sprintf(`{"shipments":[{"id":"CQ0000001","service":%q,"events":[{"timestamp":"2026-03-07T12:00:00","statusCode":%q,"status":%q,"description":%s}]}]}`, service, status, c, quoted(words))
	},
	"easypost": func(code, words string) string {
		status, detail, _ := split(code)
		return fmt.Sprintf(`{"object":"Tracker","tracking_code":"EZ0000001","tracking_details":[{"status":%q,"status_detail":%q,"datetime":"2026-03-07T12:00:00Z","message":%s}]}`, status, detail, quoted(words))
	},
	"aftership": func(code, words string) string {
		subtag, back, _ := split(code)
		return fmt.Sprintf(`{"meta":{"code":200},"data":{"tracking_number":"AS0000001","return_to_sender":%v,"checkpoints":[{"checkpoint_time":"2026-03-07T12:00:00","subtag":%q,"message":%s}]}}`, back == "back", subtag, quoted(words))
	},
	"shippo": func(code, words string) string {
		status, sub, _ := split(code)
		return fmt.Sprintf(`{"tracking_number":"SH0000001","tracking_history":[{"status":%q,"substatus":{"code":%q},"status_date":"2026-03-07T12:00:00Z","status_details":%s}]}`, status, sub, quoted(words))
	},
	"17track": func(code, words string) string {
		stage, sub, _ := split(code)
		return fmt.Sprintf(`{"code":0,"data":{"accepted":[{"number":"TR0000001","track_info":{"tracking":{"providers":[{"events":[{"time_iso":"2026-03-07T12:00:00Z","stage":%q,"sub_status":%q,"description":%s}]}]}}}]}}`, stage, sub, quoted(words))
	},
}

// split takes "a|b|c" apart.
func split(code string) (a, b, c string) {
	parts := [3]string{}
	n := 0
	for _, r := range code {
		if r == '|' && n < 2 {
			n++
			continue
		}
		parts[n] += string(r)
	}
	return parts[0], parts[1], parts[2]
}

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

// Delivered that is not delivered: to a shop, to an agent, back to the sender.
func TestDeliveredIsWithTheBuyer(t *testing.T) {
	for _, c := range []struct {
		carrier, code, words string
		want                 order.Milestone
		to                   carriers.DeliveredTo
	}{
		// UPS: type|code|status code.
		{"ups", "D|2Q|161", "Delivered to UPS Access Point", order.ReadyForPickup, ""},
		{"ups", "D|2Q|011", "Delivered", order.ReadyForPickup, ""},
		{"ups", "D||161", "Delivered to access point", order.ReadyForPickup, ""},
		{"ups", "D|1N|011", "Delivered", order.ReadyForPickup, ""}, // a locker that is not the receiver's
		{"ups", "D|ZQ|011", "Delivered", order.ReadyForPickup, ""},
		{"ups", "D|ZI|011", "Delivered", order.ReadyForPickup, ""}, // left at a UPS retail location
		{"ups", "D|EP|011", "Delivered", order.ReadyForPickup, ""}, // SurePost: at the post office
		{"ups", "||144", "Delivered to Post Office for Pickup", order.ReadyForPickup, ""},
		{"ups", "||143", "Delivered to Agent", order.InTransit, ""},
		{"ups", "D||011", "Delivered to UPS Access Point™", order.ReadyForPickup, ""},
		{"ups", "D||011", "DELIVERED TO AGENT", order.InTransit, ""},
		{"ups", "D|B0|011", "Delivered", order.Returned, ""},
		{"ups", "D||011", "Package delivered to original sender", order.Returned, ""},
		{"ups", "||034", "Returned to Sender", order.Returned, ""},
		{"ups", "X|2S|011", "SurePost Package Sent To Consignee", order.InTransit, ""},
		{"ups", "D|MQ|011", "Delivered", order.Delivered, carriers.ToPorch},
		{"ups", "D|MU|011", "Delivered", order.Delivered, carriers.ToMailbox},
		{"ups", "D|3H|011", "Delivered", order.Delivered, carriers.ToNeighbour},
		{"ups", "D|P5|011", "Delivered", order.Delivered, carriers.ToLocker},
		{"ups", "D|NL|011", "Delivered", order.Delivered, carriers.ToLocker},
		{"ups", "D|M3|011", "Delivered", order.Delivered, carriers.ToPerson},
		{"ups", "D|2W|011", "Delivered", order.Delivered, carriers.ToPerson}, // fetched from the access point
		// FedEx: event type|derived status|location type.
		{"fedex", "HL|HL|FEDEX_LOCATION", "At FedEx hold location", order.ReadyForPickup, ""},
		{"fedex", "HP||", "Ready for recipient pickup", order.ReadyForPickup, ""},
		{"fedex", "DL|HL|", "Delivered", order.ReadyForPickup, ""},
		{"fedex", "DL|DL|", "Package delivered to FedEx location, ready for pickup", order.ReadyForPickup, ""},
		{"fedex", "DL|DL|", "Delivered to agent", order.InTransit, ""},
		{"fedex", "DL|DL|", "Delivered to USPS", order.InTransit, ""},
		{"fedex", "DL|RS|", "Delivered", order.Returning, ""},
		{"fedex", "DL|DL|", "Delivered to shipper", order.Returned, ""},
		{"fedex", "DL|DL|RECEPTIONIST_OR_FRONT_DESK", "Delivered", order.Delivered, carriers.ToPerson},
		{"fedex", "DL|DL|RESIDENCE", "Delivered", order.Delivered, ""},
		// USPS: event code|status category.
		{"usps", "01|Delivered", "Delivered, To Original Sender", order.Returned, ""},
		{"usps", "01|Delivered", "Delivered to Agent for Final Delivery", order.InTransit, ""},
		{"usps", "01|Delivered to Agent", "Delivered", order.InTransit, ""},
		{"usps", "01|Delivered", "Held at Post Office, At Customer Request", order.ReadyForPickup, ""},
		{"usps", "16|Available for Pickup", "Available for Pickup", order.ReadyForPickup, ""},
		{"usps", "01|Delivered", "Delivered, PO Box", order.Delivered, carriers.ToMailbox},
		{"usps", "01|Delivered", "Delivered, In/At Mailbox", order.Delivered, carriers.ToMailbox},
		{"usps", "01|Delivered", "Delivered, Parcel Locker", order.Delivered, carriers.ToLocker},
		{"usps", "01|Delivered", "Delivered, Left with Individual", order.Delivered, carriers.ToPerson},
		{"usps", "01|Delivered", "Delivered, Neighbor as Requested", order.Delivered, carriers.ToNeighbour},
		// DHL: service|code|normalised status.
		{"dhl", "ecommerce-europe|43|delivered", "", order.ReadyForPickup, ""},
		{"dhl", "ecommerce-europe|44|delivered", "", order.ReadyForPickup, ""},
		{"dhl", "ecommerce-europe|45|delivered", "", order.ReadyForPickup, ""},
		{"dhl", "ecommerce-europe|46|delivered", "", order.ReadyForPickup, ""},
		{"dhl", "ecommerce-europe|302|delivered", "", order.InTransit, ""},
		{"dhl", "ecommerce-europe|366|delivered", "", order.Returned, ""},
		{"dhl", "ecommerce-europe|66|delivered", "", order.Delivered, carriers.ToPerson},
		{"dhl", "ecommerce|601|delivered", "", order.ReadyForPickup, ""},
		{"dhl", "ecommerce|642|delivered", "", order.InTransit, ""},
		{"dhl", "ecommerce|602|delivered", "", order.Returned, ""},
		{"dhl", "ecommerce|657|delivered", "", order.Delivered, carriers.ToLocker},
		{"dhl", "ecommerce|606|delivered", "", order.Delivered, ""}, // neighbor, front desk or other
		// eCommerce Americas' own interface: what comes second may say to whom.
		{"dhl", "packages|600|", "", order.Delivered, ""},
		{"dhl", "packages|600|", "LEFT WITH NEIGHBOR", order.Delivered, carriers.ToNeighbour},
		{"dhl", "packages|600|", "DELIVERED TO AGENT", order.InTransit, ""},
		{"dhl", "packages|600|", "DELIVERED TO PARCEL SHOP", order.ReadyForPickup, ""},
		{"dhl", "packages|600|", "DELIVERED TO ORIGINAL SENDER", order.Returned, ""},
		{"dhl", "packages|642|", "", order.InTransit, ""},
		{"dhl", "packages|601|", "", order.ReadyForPickup, ""},
		{"dhl", "packages|469|", "", order.ReadyForPickup, ""}, // at a DHL service point
		{"dhl", "packages|522|", "", order.ReadyForPickup, ""}, // at the post office
		{"dhl", "packages|572|", "", order.Delivered, carriers.ToPerson},
		{"dhl", "packages|590|", "", order.Delivered, carriers.ToAgent}, // fetched by the receiver's agent
		{"dhl", "packages|657|", "", order.Delivered, carriers.ToLocker},
		{"dhl", "packages|602|", "", order.Returned, ""},
		{"dhl", "packages|862|", "", order.Returning, ""}, // the sender has not fetched it yet
		{"dhl", "express|PD|delivered", "", order.InTransit, carriers.InPart},
		{"dhl", "freight|21-23|delivered", "", order.InTransit, carriers.InPart},
		{"dhl", "express|CC|transit", "", order.ReadyForPickup, ""},
		{"dhl", "parcel-de||delivered", "The shipment has been delivered to the parcel shop", order.ReadyForPickup, ""},
		{"dhl", "parcel-de||delivered", "Returned to the sender", order.Returned, ""},
		// EasyPost: status|detail.
		{"easypost", "available_for_pickup|arrived_at_pickup_location", "", order.ReadyForPickup, ""},
		{"easypost", "return_to_sender|return", "", order.Returning, ""},
		{"easypost", "delivered|arrived_at_destination", "", order.Delivered, ""},
		{"easypost", "pre_transit|status_update", "", order.Labelled, ""},
		// AfterShip: subtag|whether it says return_to_sender.
		{"aftership", "Delivered_001", "", order.Delivered, ""},
		{"aftership", "Delivered_002", "", order.Delivered, carriers.ToPerson},
		{"aftership", "Delivered_003", "", order.Delivered, carriers.ToPerson},
		{"aftership", "Delivered_004", "", order.Delivered, carriers.ToPerson},
		{"aftership", "Delivered_005", "", order.Delivered, carriers.ToNeighbour},
		{"aftership", "Delivered_001|back", "", order.Returned, ""},
		{"aftership", "AvailableForPickup_001", "", order.ReadyForPickup, ""},
		{"aftership", "Exception_011", "", order.Returned, ""},
		// Shippo: status|substatus.
		{"shippo", "TRANSIT|pickup_available", "", order.ReadyForPickup, ""},
		{"shippo", "RETURNED|return_to_sender", "", order.Returning, ""},
		{"shippo", "DELIVERED|delivered", "", order.Delivered, ""},
		// 17TRACK: stage|sub-status.
		{"17track", "AvailableForPickup|AvailableForPickup_Other", "", order.ReadyForPickup, ""},
		{"17track", "Returned|Exception_Returned", "", order.Returned, ""},
		{"17track", "Delivered|Delivered_Other", "", order.Delivered, ""},
		{"17track", "Delivered|Delivered_Other", "Delivered to the parcel shop", order.ReadyForPickup, ""},
		{"17track", "Delivered|Delivered_Other", "Returned to sender", order.Returned, ""},
		{"easypost", "delivered|delivered", "Delivered, To Original Sender", order.Returned, ""},
		{"easypost", "delivered|delivered", "Delivered to UPS Access Point", order.ReadyForPickup, ""},
		{"easypost", "delivered|delivered", "Delivered, Front Door/Porch", order.Delivered, carriers.ToPorch},
		{"shippo", "DELIVERED|delivered", "Delivered to agent for final delivery", order.InTransit, ""},
		{"aftership", "Delivered_001", "Delivered to original sender", order.Returned, ""},
		{"shippo", "DELIVERED|delivered", "Partial delivery", order.InTransit, carriers.InPart},
		{"aftership", "Delivered_001", "Your package was left in the mailbox", order.Delivered, carriers.ToMailbox},
	} {
		a, err := Adapters().Find(c.carrier)
		if err != nil {
			t.Fatal(err)
		}
		events, err := a.ParseTrack([]byte(said[c.carrier](c.code, c.words)))
		if err != nil || len(events) != 1 {
			t.Errorf("%s %s %q: %d events, %v", c.carrier, c.code, c.words, len(events), err)
			continue
		}
		if e := events[0]; e.Milestone != c.want || e.DeliveredTo != c.to || e.Unmapped {
			t.Errorf("%s %s %q: %s to %q (unmapped %v), want %s to %q", c.carrier, c.code, c.words, e.Milestone, e.DeliveredTo, e.Unmapped, c.want, c.to)
		}
	}
}

// A package of eCommerce Americas has the shipper's number and, from some day on,
// the last mile's. An order that knows either one hears of it and ends.
func TestEitherNumberEndsTheOrder(t *testing.T) {
	dhl, err := Adapters().Find("dhl")
	if err != nil {
		t.Fatal(err)
	}
	const events = `{"date":"2026-03-05","time":"16:00:00","timeZone":"ET","primaryEventId":400}`
	const more = events + `,{"date":"2026-03-06","time":"16:00:00","timeZone":"ET","primaryEventId":200},{"date":"2026-03-07","time":"16:00:00","timeZone":"ET","primaryEventId":600}`
	placed := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, number := range []string{"GM0000001", "9374869903500000000017"} {
		s := order.New(order.Spec{ID: "shop:1", Store: "shop", Number: "1", PlacedAt: placed, Policy: order.DefaultPolicy(),
			Lines:   []order.Line{{SKU: "mug", Quantity: 1}},
			Parcels: []order.PlannedParcel{{ID: "A", Carrier: "dhl", Tracking: number, Lines: []order.Allocation{{SKU: "mug", Quantity: 1}}}}}, order.CurrentRules, placed)
		for _, body := range []string{`{"packages":[{"package":{"packageId":"GM0000001"},"events":[` + events + `]}]}`,
			`{"packages":[{"package":{"packageId":"GM0000001","trackingId":"9374869903500000000017"},"events":[` + more + `]}]}`} {
			heard, err := dhl.ParsePush([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range heard {
				order.Apply(&s, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: e.UTC, Received: e.UTC, Applied: e.UTC}, Parcel: "A",
					Milestone: e.Milestone, Tracking: e.Tracking, Piece: e.Piece, Pieces: e.Pieces, Physical: e.Physical})
			}
		}
		if p := s.Parcels[0]; p.Milestone != order.Delivered || len(s.Anomalies) > 0 {
			t.Errorf("known as %s: %s, %+v", number, p.Milestone, s.Anomalies)
		}
	}
}

// Which box, of how many, and which use of its number, per carrier.
func TestPiecesAsCarriersSayThem(t *testing.T) {
	type want struct {
		tracking, piece string
		pieces          int
		whole           bool
		unique          string
	}
	for name, c := range map[string]struct {
		carrier, body string
		want          []want
	}{
		"UPS, a shipment by one of its numbers": {"ups", `{"trackResponse":{"shipment":[{"inquiryNumber":"1Z0001","package":[
			{"trackingNumber":"1Z0001","packageCount":2,"activity":[{"date":"20260307","status":{"statusCode":"005"}}]},
			{"trackingNumber":"1Z0002","packageCount":2,"activity":[{"date":"20260307","status":{"statusCode":"005"}}]}]}]}}`,
			[]want{{"1Z0001", "1Z0001", 2, false, ""}, {"1Z0001", "1Z0002", 2, false, ""}}},
		"UPS, by a reference": {"ups", `{"trackResponse":{"shipment":[{"inquiryNumber":"ORDER-7","package":[
			{"trackingNumber":"1Z0001","packageCount":"2","activity":[{"date":"20260307","status":{"statusCode":"005"}}]}]}]}}`,
			[]want{{"1Z0001", "1Z0001", 2, false, ""}}},
		"FedEx, one of three": {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"70000001","trackResults":[{"trackingNumberInfo":{"trackingNumber":"70000001","trackingNumberUniqueId":"1~70000001~FDEG"},
			"packageDetails":{"count":"3","undeliveredCount":"2"},"scanEvents":[{"date":"2026-03-07T12:00:00Z","eventType":"DL"}]}]}]}}`,
			[]want{{"70000001", "70000001", 3, false, "1~70000001~FDEG"}}},
		"FedEx, the last of three": {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"70000001","trackResults":[{"trackingNumberInfo":{"trackingNumber":"70000001"},
			"packageDetails":{"count":"3","undeliveredCount":"0"},"scanEvents":[{"date":"2026-03-07T12:00:00Z","eventType":"DL"},{"date":"2026-03-06T12:00:00Z","eventType":"AR"}]}]}]}}`,
			[]want{{"70000001", "", 3, true, ""}, {"70000001", "70000001", 3, false, ""}}},
		"FedEx Freight": {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"70000001","trackResults":[{"trackingNumberInfo":{"trackingNumber":"70000001","carrierCode":"FXFR"},
			"pieceCounts":[{"count":"5","type":"ORIGIN"}],"scanEvents":[{"date":"2026-03-07T12:00:00Z","eventType":"DL"}]}]}]}}`,
			[]want{{"70000001", "", 5, false, ""}}},
		"USPS": {"usps", `{"trackingNumber":"94000001","uniqueMailPieceId":"0abc","trackingEvents":[{"eventCode":"03","eventTimestamp":"2026-03-07T12:00:00"}]}`,
			[]want{{"94000001", "", 0, false, "0abc"}}},
		"DHL Express through the unified API": {"dhl", `{"shipments":[{"id":"7777777770","service":"express","details":{"totalNumberOfPieces":2,"pieceIds":["JD01","JD02"]},
			"events":[{"timestamp":"2026-03-07T12:00:00","statusCode":"delivered","status":"OK"}]}]}`,
			[]want{{"7777777770", "", 2, false, ""}}},
		"MyDHL, two pieces": {"dhl", `{"shipments":[{"shipmentTrackingNumber":"1000000017","events":[{"date":"2026-05-08","time":"09:30:00","typeCode":"OK"}],
			"pieces":[{"trackingNumber":"JD01","events":[{"date":"2026-05-08","time":"09:30:00","typeCode":"OK"}]},{"trackingNumber":"JD02","events":[{"date":"2026-05-08","time":"09:31:00","typeCode":"OH"}]}]}]}`,
			[]want{{"1000000017", "", 2, false, ""}, {"1000000017", "JD01", 2, false, ""}, {"1000000017", "JD02", 2, false, ""}}},
		"MyDHL, a single piece repeats the shipment": {"dhl", `{"shipments":[{"shipmentTrackingNumber":"1000000017","events":[{"date":"2026-05-08","time":"09:30:00","typeCode":"OK"}],
			"pieces":[{"trackingNumber":"JD01","events":[{"date":"2026-05-08","time":"09:30:00","typeCode":"OK"}]}]}]}`,
			[]want{{"1000000017", "", 1, false, ""}}},
		"DHL Parcel, whose numbers are boxes": {"dhl", `{"shipments":[{"id":"JVGL01","service":"parcel-de","details":{"totalNumberOfPieces":"2","pieceIds":["JVGL01","JVGL02"]},
			"events":[{"timestamp":"2026-03-07T12:00:00","statusCode":"transit"}]}]}`,
			[]want{{"JVGL01", "JVGL01", 2, false, ""}}},
		"DHL eCommerce, the shipper's number and the last mile's": {"dhl", `{"packages":[{"package":{"packageId":"GM0001","dhlPackageId":"4231000000000017","trackingId":"9374869903500000000017"},
			"events":[{"date":"2026-03-07","time":"12:00:00","timeZone":"ET","primaryEventId":600}]}]}`,
			[]want{{"GM0001", "9374869903500000000017", 0, false, ""}}},
		"DHL eCommerce, a count and nothing else": {"dhl", `{"shipments":[{"id":"GM0001","service":"ecommerce","details":{"totalNumberOfPieces":2},
			"events":[{"timestamp":"2026-03-07T12:00:00","statusCode":"transit"}]}]}`,
			[]want{{"GM0001", "", 0, false, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Adapters().Find(c.carrier)
			if err != nil {
				t.Fatal(err)
			}
			events, err := a.ParseTrack([]byte(c.body))
			if err != nil || len(events) != len(c.want) {
				t.Fatalf("%d events, %v", len(events), err)
			}
			for i, e := range events {
				if got := (want{e.Tracking, e.Piece, e.Pieces, e.Whole, e.Unique}); got != c.want[i] {
					t.Errorf("event %d: %+v, want %+v", i, got, c.want[i])
				}
			}
		})
	}
}

// A wall time without an offset takes the zone of its place, and says so.
func TestTimesByPlace(t *testing.T) {
	for name, c := range map[string]struct{ carrier, body, want string }{
		"UPS without GMT": {"ups", `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"1Z0001","activity":[{"date":"20260707","time":"120000","status":{"statusCode":"005"},
			"location":{"address":{"stateProvince":"WI","countryCode":"US"}}}]}]}]}}`, "2026-07-07T17:00:00Z zone -05:00"},
		"FedEx without an offset": {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"70000001","trackResults":[{"scanEvents":[{"date":"2026-03-07T12:00:00","eventType":"AR",
			"scanLocation":{"stateOrProvinceCode":"TN","postalCode":"38118","countryCode":"US"}}]}]}]}}`, "2026-03-07T18:00:00Z zone -06:00"},
		"USPS without GMT": {"usps", `{"trackingNumber":"94000001","trackingEvents":[{"eventCode":"03","eventTimestamp":"2026-03-07T12:00:00Z","eventState":"HI","eventZIP":"96813"}]}`, "2026-03-07T22:00:00Z zone -10:00"},
		"USPS abroad":      {"usps", `{"trackingNumber":"94000001","trackingEvents":[{"eventCode":"10","eventTimestamp":"2026-03-07T12:00:00","eventCountry":"JP"}]}`, "2026-03-07T03:00:00Z zone +09:00"},
		"USPS with GMT":    {"usps", `{"trackingNumber":"94000001","trackingEvents":[{"eventCode":"03","eventTimestamp":"2026-03-07T12:00:00","GMTTimestamp":"2026-03-07T17:00:10Z","GMTOffset":"-05:00","eventState":"HI"}]}`, "2026-03-07T17:00:10Z offset -05:00"},
		"DHL": {"dhl", `{"shipments":[{"id":"CQ0000001","service":"express","events":[{"timestamp":"2026-07-07T12:00:00","statusCode":"transit","status":"DF","location":{"address":{"countryCode":"US","postalCode":"45202"}}}]}]}`,
			"2026-07-07T16:00:00Z zone -04:00"},
		"DHL somewhere in Brazil": {"dhl", `{"shipments":[{"id":"CQ0000001","service":"express","events":[{"timestamp":"2026-07-07T12:00:00","statusCode":"transit","status":"DF","location":{"address":{"countryCode":"BR"}}}]}]}`,
			"2026-07-07T12:00:00Z assumed "},
		"DHL eCommerce's label": {"dhl", `{"packages":[{"package":{"packageId":"GM0001"},"events":[{"date":"2026-07-07","time":"12:00:00","timeZone":"CT","location":"Chicago, IL, US","primaryEventId":600}]}]}`,
			"2026-07-07T17:00:00Z zone -05:00"},
		"EasyPost's false Z, and the truth": {"easypost", `{"object":"Tracker","tracking_code":"EZ0000001","tracking_details":[{"status":"in_transit","datetime":"2026-07-07T12:00:00Z","datetime_local":"2026-07-07T12:00:00","tracking_location":{"state":"CA","country":"US"}}]}`,
			"2026-07-07T19:00:00Z zone -07:00"},
		"EasyPost's true Z": {"easypost", `{"object":"Tracker","tracking_code":"EZ0000001","tracking_details":[{"status":"in_transit","datetime":"2026-07-07T19:00:00Z","datetime_local":"2026-07-07T12:00:00","tracking_location":{"state":"CA","country":"US"}}]}`,
			"2026-07-07T19:00:00Z offset -07:00"},
		"EasyPost's Z alone proves nothing": {"easypost", `{"object":"Tracker","tracking_code":"EZ0000001","tracking_details":[{"status":"in_transit","datetime":"2026-07-07T12:00:00Z","tracking_location":{"state":"CA","country":"US"}}]}`,
			"2026-07-07T12:00:00Z assumed "},
		"AfterShip, three letters": {"aftership", `{"meta":{"code":200},"data":{"tracking_number":"AS0000001","checkpoints":[{"checkpoint_time":"2026-07-07T12:00:00","subtag":"InTransit_001","country_iso3":"DEU"}]}}`, "2026-07-07T10:00:00Z zone +02:00"},
		"a day is a day, wherever": {"dhl", `{"shipments":[{"id":"CQ0000001","service":"express","events":[{"timestamp":"2026-07-07","statusCode":"transit","status":"DF","location":{"address":{"countryCode":"NZ"}}}]}]}`,
			"2026-07-07T12:00:00Z date "},
	} {
		a, err := Adapters().Find(c.carrier)
		if err != nil {
			t.Fatal(err)
		}
		events, err := a.ParseTrack([]byte(c.body))
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		if e := events[0]; fmt.Sprint(e.UTC.Format(time.RFC3339), " ", e.Basis, " ", e.Offset) != c.want {
			t.Errorf("%s: %s %s %s, want %s", name, e.UTC.Format(time.RFC3339), e.Basis, e.Offset, c.want)
		}
	}
}
