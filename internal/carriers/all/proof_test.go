package all

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/order"
)

// A delivery says which proofs there are, and never shows one: who signed is
// nobody's business but the carrier's.
func TestProofOfDelivery(t *testing.T) {
	for name, c := range map[string]struct{ carrier, body, want string }{
		"ups": {"ups", `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"1ZWB00000300000001","deliveryInformation":{"receivedBy":"PERSON","signature":{"image":"PERSON"},"deliveryPhoto":{"photo":"PERSON","photoDispositionCode":"V"}},
			"activity":[{"status":{"type":"D","description":"DELIVERED","code":"ML","statusCode":"011"},"date":"20260307","time":"141500","gmtDate":"20260307","gmtTime":"201500"}]}]}]}}`, "name, signature, photo"},
		"ups, nothing": {"ups", `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"1ZWB00000300000001","deliveryInformation":{"receivedBy":" ","deliveryPhoto":{"photoDispositionCode":"N"}},
			"activity":[{"status":{"type":"D","description":"DELIVERED","code":"ML","statusCode":"011"},"date":"20260307","time":"141500","gmtDate":"20260307","gmtTime":"201500"}]}]}]}}`, ""},
		"fedex": {"fedex", `{"output":{"completeTrackResults":[{"trackingNumber":"700000000003","trackResults":[{"trackingNumberInfo":{"trackingNumber":"700000000003"},"availableImages":[{"type":"BILL_OF_LADING"},{"type":"SIGNATURE_PROOF_OF_DELIVERY"}],
			"deliveryDetails":{"receivedByName":"","signedByName":"PERSON"},"scanEvents":[{"date":"2026-03-07T14:15:00-06:00","eventType":"DL","derivedStatusCode":"DL","eventDescription":"Delivered"}]}]}]}}`, "name, signature"},
		"dhl": {"dhl", `{"shipments":[{"id":"7777777770","service":"express","events":[{"timestamp":"2026-03-07T14:15:00+01:00","statusCode":"delivered","status":"OK","description":"Delivered"}],
			"details":{"proofOfDelivery":{"signatureUrl":"https://PERSON","documentUrl":"https://PERSON","signed":{"type":"Person","name":"PERSON"}}}}]}`, "name, signature, document"},
		"mydhl": {"dhl", `{"shipments":[{"shipmentTrackingNumber":"7777777770","events":[{"date":"2026-03-07","time":"14:15:00","GMTOffset":"+01:00","typeCode":"OK","description":"Delivered","signedBy":"PERSON"}]}]}`, "name"},
		"dhl ecommerce": {"dhl", `{"packages":[{"recipient":{"name":"PERSON","signedForName":"PERSON"},"package":{"packageId":"GM0001"},
			"events":[{"date":"2026-03-07","time":"14:15:00","timeZone":"ET","primaryEventId":600,"primaryEventDescription":"DELIVERED"}]}]}`, "name"},
	} {
		a, err := Adapters().Find(c.carrier)
		if err != nil {
			t.Fatal(err)
		}
		events, err := a.ParseTrack([]byte(c.body))
		if err != nil || len(events) != 1 || events[0].Milestone != order.Delivered || events[0].Proof.Held != c.want {
			t.Errorf("%s: %+v, %v", name, events, err)
			continue
		}
		f := intake.Fact(a, intake.Poll, events[0])
		if strings.Contains(fmt.Sprintf("%+v %+v", events[0], f), "PERSON") {
			t.Errorf("%s: shows who took it: %+v", name, events[0])
		}
		if f.Aside.Held != c.want {
			t.Errorf("%s: holds %q", name, f.Aside.Held)
		}
		if !carriers.Can(a, carriers.CanProveDelivery) {
			t.Errorf("%s does not say that it can", name)
		}
	}
}
