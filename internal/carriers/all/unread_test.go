package all

import (
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Of two events one says no time that anybody can read. No carrier's is dropped
// without a trace: the other is an event, and this one is counted.
func TestNoEventIsDroppedInSilence(t *testing.T) {
	const good, bad = "2026-03-02T09:30:00Z", "soon"
	for name, c := range map[string]struct{ carrier, body string }{
		"ups":             {"ups", `{"trackResponse":{"shipment":[{"inquiryNumber":"A1","package":[{"activity":[{"date":"soon"},{"date":"20260302","status":{"statusCode":"005"}}]}]}]}}`},
		"fedex":           {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"A1","trackResults":[{"scanEvents":[{"eventType":"AR","date":"` + bad + `"},{"eventType":"AR","date":"` + good + `"}]}]}]}}`},
		"usps":            {"usps", `{"trackingNumber":"A1","trackingEvents":[{"eventCode":"03","eventTimestamp":"` + bad + `"},{"eventCode":"03","eventTimestamp":"` + good + `"}]}`},
		"dhl unified":     {"dhl", `{"shipments":[{"id":"A1","events":[{"timestamp":"` + bad + `","statusCode":"transit"},{"timestamp":"` + good + `","statusCode":"transit"}]}]}`},
		"dhl express":     {"dhl", `{"shipments":[{"shipmentTrackingNumber":"A1","events":[{"date":"` + bad + `","typeCode":"PU"},{"date":"2026-03-02","time":"09:30:00","typeCode":"PU"}]}]}`},
		"dhl express XML": {"dhl", `<TrackingResponse><AWBInfo><AWBNumber>A1</AWBNumber><ShipmentInfo><ShipmentEvent><Date>soon</Date><ServiceEvent><EventCode>PU</EventCode></ServiceEvent></ShipmentEvent><ShipmentEvent><Date>2026-03-02</Date><Time>09:30:00</Time><ServiceEvent><EventCode>PU</EventCode></ServiceEvent></ShipmentEvent></ShipmentInfo></AWBInfo></TrackingResponse>`},
		"dhl parcel":      {"dhl", `<data name="piece-shipment-list" code="0"><data name="piece-shipment" piece-code="A1"><data name="piece-event-list"><data name="piece-event" event-timestamp="soon" ice="ULFMV"/><data name="piece-event" event-timestamp="02.03.2026 09:30" ice="ULFMV"/></data></data></data>`},
		"dhl ecommerce":   {"dhl", `{"packages":[{"package":{"packageId":"A1"},"events":[{"date":"` + bad + `","primaryEventId":"600"},{"date":"2026-03-02","time":"09:30:00","primaryEventId":"600"}]}]}`},
		"easypost":        {"easypost", `{"object":"Tracker","tracking_code":"A1","tracking_details":[{"status":"in_transit","datetime":"` + bad + `"},{"status":"in_transit","datetime":"` + good + `"}]}`},
		"aftership":       {"aftership", `{"meta":{"code":200},"data":{"tracking_number":"A1","checkpoints":[{"tag":"InTransit","checkpoint_time":"` + bad + `"},{"tag":"InTransit","checkpoint_time":"` + good + `"}]}}`},
		"shippo":          {"shippo", `{"tracking_number":"A1","tracking_history":[{"status":"TRANSIT","status_date":"` + bad + `"},{"status":"TRANSIT","status_date":"` + good + `"}]}`},
		"17track":         {"17track", `{"code":0,"data":{"accepted":[{"number":"A1","track_info":{"tracking":{"providers":[{"events":[{"stage":"InfoReceived","time_iso":"` + bad + `"},{"stage":"InfoReceived","time_iso":"` + good + `"}]}]}}}]}}`},
	} {
		a, err := Adapters().Find(c.carrier)
		if err != nil {
			t.Fatal(err)
		}
		events, err := a.ParseTrack([]byte(c.body))
		unread := 0
		for _, e := range events {
			if e.Unread != "" {
				unread++
			}
		}
		if err != nil || len(events) != 2 || unread != 1 {
			t.Errorf("%s: %d events, %d of them unread, %v: %+v", name, len(events), unread, err, events)
		}
	}
	// A file of which one line cannot be read says so as a push, too.
	f := carriers.File{Events: []carriers.Event{{Tracking: "A1"}}, Faults: []carriers.Fault{{Where: "line 2", What: "no time"}}}
	if events, err := f.Push(); err != nil || len(events) != 2 || events[1].Unread == "" {
		t.Errorf("%+v, %v", events, err)
	}
}
