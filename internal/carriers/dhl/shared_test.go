package dhl

import (
	"encoding/json"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

const (
	ice      = "karrio shows the coarse TT-PRO code, we the ICE event that it is made of"
	appended = "karrio appends the signatory to the text; we never read it, it may name a person"
)

// TestPayloads: what nobody here wrote, beside another library's opinion of it.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{
		Adapter: New(), Folders: []string{"dhl_universal", "mydhl", "dhl_express", "dhl_parcel_de"},
		Events: map[string]string{
			"dhl_universal/TrackingResponseJSON.json": "labelled 1",
			"dhl_universal/sample__tracking.json":     "labelled 1",
			"mydhl/TrackingResponse.json":             "accepted 1, delivered 1",
			"mydhl/sample__tracking_response.json":    "accepted 1, in_transit 1, delivered 1",
			"mydhl/spec__get_shipments_shipmentTrackingNumber_tracking_200_Sample_Tracking_response_for_shipment_tracking_number.json": "accepted 1, in_transit 7, in_customs 3, out_for_delivery 1, delivered 1",
			"dhl_express/TrackingResponseXML.xml":          "accepted 3, in_transit 11, out_for_delivery 1, delivered 1, none 3",
			"dhl_parcel_de/TrackingResponseXML.xml":        "accepted 2, in_transit 3, out_for_delivery 1, delivered 1",
			"dhl_parcel_de/sample__tracking_response.json": "labelled 1",
		},
		Alone: map[string]order.Milestone{"RW": "", "PO": ""},
		Differ: map[string]string{
			"meaning of pre-transit: delivered, labelled": "karrio reads the free word DELIVERED of a sample whose statusCode is pre-transit; paper is not delivery",
			"meaning of PL: picked_up, in_transit":        "karrio lists PL (processed at location) as picked up; DHL's word is processed",
			"meaning of PU: pending, picked_up":           "karrio lists PU (picked up) as pending; it is DHL's first possession",
			"meaning of PO: in_transit, out_for_delivery": "PO is any step of delivering; with ICE SRTED the text says that it was loaded onto the delivery vehicle",
			"meaning of AE: in_transit, picked_up":        "AE is DHL's successful pickup: possession",
			"meaning of ES: in_transit, picked_up":        "ES is the posting by the sender: possession",
			"code: ZU, DLVRD":                             ice,
			"code: PO, SRTED-NRQRD-PO":                    ice,
			"code: EE, ULFMV":                             ice,
			"code: AA, LDTMV":                             ice,
			"code: AE, PCKDU":                             ice,
			"code: ES, SHRCU":                             ice,
			"text of OK":                                  appended,
			"text of PU":                                  appended,
			"text of PO":                                  appended,
			"text of RW":                                  appended,
			"place of pre-transit":                        "karrio shows the locality alone, we also postal code and country",
		},
		Unmapped: []string{"PO", "RW"},
		Open:     unwrap,
	}.Compare(t)
}

// unwrap: one sample has DHL's answer inside a document of the collector's own.
func unwrap(body []byte) []byte {
	var wrapped struct {
		Answer json.RawMessage `json:"trackingResponse"`
	}
	if json.Unmarshal(body, &wrapped) == nil && wrapped.Answer != nil {
		return wrapped.Answer
	}
	return body
}
