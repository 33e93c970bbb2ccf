package dhl

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes: map[string][]byte{
			"unified": carriertest.File(t, "push_unified.json"), "parcel": carriertest.File(t, "track_parcel.json"),
			"ecommerce": carriertest.File(t, "push_ecommerce.json"),
		},
		Tracks: map[string][]byte{
			"unified": carriertest.File(t, "push_unified.json"), "parcel": carriertest.File(t, "track_parcel.json"),
			"express": carriertest.File(t, "track_express.json"), "xml": carriertest.File(t, "track_express.xml"),
			"parcel de": carriertest.File(t, "track_parcel_de.xml"), "ecommerce": carriertest.File(t, "track_ecommerce.json"),
		},
		Sign: func(body, secret []byte, now time.Time) carriers.Push {
			return carriers.Push{Header: http.Header{"Dhl-Webhook-Token": {string(secret)}}, Body: body, ReceivedAt: now}
		},
	})
}

func parse(t *testing.T, name string) []carriers.Event {
	t.Helper()
	got, err := New().ParseTrack(carriertest.File(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestParcelShop: DHL itself types code 44 "delivered".
func TestParcelShop(t *testing.T) {
	got := parse(t, "push_unified.json")
	carriertest.Events(t, got, `
		CQ100000001DE ecommerce-europe 44 ready_for_pickup - 2026-03-06T14:20:00Z 2026-03-06T15:20:00 +01:00 zone
		CQ100000001DE ecommerce-europe 33 in_transit - 2026-03-05T06:00:00Z 2026-03-05T07:00:00 +01:00 offset
		CQ100000001DE ecommerce-europe 9 accepted - 2026-03-03T15:45:00Z 2026-03-03T16:45:00 +01:00 zone
		CQ100000001DE ecommerce-europe 1 labelled - 2026-03-02T12:00:00Z 2026-03-02T12:00:00 - date`)
	if eta := got[0].ETA.Format(time.RFC3339); eta != "2026-03-07T12:00:00Z" {
		t.Errorf("the estimate is a day: %s", eta)
	}
}

func TestNormalisedCodes(t *testing.T) {
	got := parse(t, "track_parcel.json")
	carriertest.Events(t, got, `
		JVGL0000000001 unified.statusCode delivered delivered - 2026-07-04T09:02:00Z 2026-07-04T11:02:00 +02:00 zone
		JVGL0000000001 unified.statusCode transit in_transit - 2026-07-04T06:11:00Z 2026-07-04T08:11:00 +02:00 zone
		JVGL0000000001 unified.statusCode pre-transit labelled - 2026-07-02T18:00:00Z 2026-07-02T18:00:00 - assumed`)
	if eta := got[0].ETA.Format(time.RFC3339); eta != "2026-07-04T11:00:00Z" {
		t.Errorf("estimate %s", eta)
	}
}

func TestExpress(t *testing.T) {
	got := parse(t, "track_express.json")
	carriertest.Events(t, got, `
		1000000017 express PU accepted - 2026-05-05T07:10:00Z 2026-05-05T16:10:00 +09:00 offset
		1000000017 express CD in_customs customs 2026-05-05T14:40:00Z 2026-05-06T02:40:00 +12:00 zone
		1000000017 express ZZ - - 2026-05-06T05:00:00Z 2026-05-06T05:00:00 - assumed
		1000000017 express PD in_transit partial_delivery 2026-05-08T09:30:00Z 2026-05-08T09:30:00 - assumed
		JD010000000000000001 express OK delivered - 2026-05-07T21:30:00Z 2026-05-08T09:30:00 +12:00 offset
		JD010000000000000002 express OH - hold 2026-05-07T21:31:00Z 2026-05-08T09:31:00 +12:00 zone`)
	if !got[2].Unmapped || !got[3].Physical {
		t.Errorf("%+v", got)
	}
	if got[3].ETA.IsZero() || !got[4].ETA.IsZero() {
		t.Error("the estimate belongs to the shipment's newest event")
	}
}

func TestParcelDE(t *testing.T) {
	got := parse(t, "track_parcel_de.xml")
	carriertest.Events(t, got, `
		00340434000000000003 parcel-de.ice PARCV labelled - 2026-03-02T17:00:00Z 2026-03-02T18:00:00 +01:00 zone
		00340434000000000003 parcel-de.ice SHRCU accepted - 2026-03-03T10:44:00Z 2026-03-03T11:44:00 +01:00 zone
		00340434000000000003 parcel-de.ice SRTED-NRQRD-PO out_for_delivery - 2026-03-04T08:02:00Z 2026-03-04T09:02:00 +01:00 zone
		00340434000000000003 parcel-de.ice NTDEL-NHOME attempt_failed recipient_unavailable 2026-03-04T09:30:00Z 2026-03-04T10:30:00 +01:00 zone
		00340434000000000003 parcel-de.ice DLVRD-SERPT ready_for_pickup - 2026-07-04T13:00:00Z 2026-07-04T15:00:00 +02:00 zone
		00340434000000000003 parcel-de.ice DLVRD delivered - 2026-07-05T08:02:00Z 2026-07-05T10:02:00 +02:00 zone
		00340434000000000003 parcel-de.ice QQQQQ - - 2026-07-05T08:03:00Z 2026-07-05T10:03:00 +02:00 zone`)
	if !got[6].Unmapped || got[5].Location != "Bonn, Germany" {
		t.Errorf("%+v", got)
	}
	back := strings.Replace(string(carriertest.File(t, "track_parcel_de.xml")), `ric="OTHER"`, `ric="OTHER" ruecksendung="true"`, 1)
	if got, err := New().ParseTrack([]byte(back)); err != nil || got[5].Milestone != order.Returned {
		t.Errorf("a return label's delivery: %+v %v", got, err)
	}
}

// TestEcommerceAmericas: labels of times, an agent, a parcel shop, and what has no
// day or no code.
func TestEcommerceAmericas(t *testing.T) {
	got := parse(t, "track_ecommerce.json")
	carriertest.Events(t, got, `
		420850049374869903500000000017 ecommerce 600 delivered - 2026-03-09T17:15:00Z 2026-03-09T10:15:00 -07:00 zone
		420850049374869903500000000017 ecommerce 598 out_for_delivery - 2026-03-09T14:05:00Z 2026-03-09T07:05:00 -07:00 zone
		420850049374869903500000000017 ecommerce 642 in_transit - 2026-03-09T05:10:00Z 2026-03-08T22:10:00 -07:00 zone
		420850049374869903500000000017 ecommerce 200 accepted - 2026-03-07T00:30:00Z 2026-03-06T19:30:00 -05:00 zone
		420850049374869903500000000017 ecommerce 400 labelled - 2026-03-05T21:00:00Z 2026-03-05T16:00:00 -05:00 zone
		GM60500000000000018 ecommerce 601 ready_for_pickup - 2026-07-07T10:00:00Z 2026-07-07T12:00:00 +02:00 zone
		GM60500000000000018 ecommerce 99999 - - 2026-07-06T03:00:00Z 2026-07-06T12:00:00 +09:00 offset
		GM60500000000000018 ecommerce 300 in_transit - 2026-07-05T12:00:00Z 2026-07-05T12:00:00 - date
		GM60500000000000018 ecommerce 400 labelled - 2026-07-05T08:00:00Z 2026-07-05T08:00:00 +00:00 offset
		unread
		unread`)
	first := got[0]
	if first.Tracking != "GM60500000000000017" || first.DeliveredTo != carriers.ToMailbox || first.Proof.Held != "name" || first.Location != "Phoenix, AZ, US, 85004" ||
		first.Description != "DELIVERED - LEFT IN MAILBOX" || first.ETA.Format(time.RFC3339) != "2026-03-09T12:00:00Z" {
		t.Errorf("%+v", first)
	}
	if !got[6].Unmapped || got[4].Location != "" {
		t.Errorf("%+v %+v", got[6], got[4])
	}
	pushed, err := New().ParsePush(carriertest.File(t, "push_ecommerce.json"))
	if err != nil || !reflect.DeepEqual(pushed, got[:5]) {
		t.Errorf("a push and an answer of the same package differ: %+v %v", pushed, err)
	}
	if all := fmt.Sprintf("%+v", got); strings.Contains(all, "PERSON") {
		t.Error("shows a person")
	}
}

// TestEcommerceNumbers: a shipper may number as it likes, but a parcel must be
// found by what is left.
func TestEcommerceNumbers(t *testing.T) {
	for _, c := range []struct{ shippers, dhls, lastMile, tracking, piece string }{
		{"GM1001", "4231000000000017", "9374869903500000000017", "GM1001", "9374869903500000000017"},
		{"order #7 / a", "4231000000000017", "9374869903500000000017", "4231000000000017", "9374869903500000000017"},
		{"order #7 / a", "", "9374869903500000000017", "9374869903500000000017", "9374869903500000000017"},
		{"", "", "9374869903500000000017", "9374869903500000000017", "9374869903500000000017"},
		{"GM1001", "", "", "GM1001", ""},
		{"GM1001", "", "?", "GM1001", ""},
		{"#7/a", "", "", "#7/A", ""}, // told, and counted as what cannot be
	} {
		body := fmt.Sprintf(`{"packages":[{"package":{"packageId":%q,"dhlPackageId":%q,"trackingId":%q},"events":[{"date":"2026-07-07","primaryEventId":600}]}]}`, c.shippers, c.dhls, c.lastMile)
		got, err := New().ParseTrack([]byte(body))
		if err != nil || len(got) != 1 || got[0].Tracking != c.tracking || got[0].Piece != c.piece {
			t.Errorf("%+v: %+v %v", c, got, err)
		}
	}
}

// TestEcommerceClocks: what a label means, and where the place knows better.
func TestEcommerceClocks(t *testing.T) {
	for _, at := range []string{"8 o'clock", "25:00:00", "T12:00:00"} {
		e, ok := scan{Date: "2026-07-07", Time: at, Zone: "ET", Code: "600"}.event("GM1")
		if !ok || e.Basis != carriers.DateOnly || e.Local != "2026-07-07T12:00:00" {
			t.Errorf("%q: %+v %v", at, e.Moment, ok)
		}
	}
	for _, c := range []struct{ day, label, location, country, want string }{
		{"2026-07-07", "ET", "", "", "2026-07-07T16:00:00Z zone"},
		{"2026-07-07", "EST", "", "", "2026-07-07T16:00:00Z zone"}, // nobody's wall shows standard time in July
		{"2026-01-07", "CT", "Chicago, IL, US", "", "2026-01-07T18:00:00Z zone"},
		{"2026-07-07", "MT", "Denver, CO, US", "", "2026-07-07T18:00:00Z zone"},
		{"2026-07-07", "MT", "Phoenix, AZ, US", "", "2026-07-07T19:00:00Z zone"},
		{"2026-07-07", "PT", "", "US", "2026-07-07T19:00:00Z zone"},
		{"2026-07-07", "AKST", "", "", "2026-07-07T20:00:00Z assumed_zone"},
		{"2026-07-07", "HST", "Honolulu, HI, US", "", "2026-07-07T22:00:00Z zone"},
		{"2026-07-07", "LT", "Austin, TX, US", "", "2026-07-07T17:00:00Z assumed_zone"},
		{"2026-07-07", "", "Trenton, NJ, USA", "", "2026-07-07T16:00:00Z zone"},
		{"2026-07-07", "ET", "Berlin, DE", "DE", "2026-07-07T10:00:00Z zone"},
		{"2026-07-07", "", "Dover, DE", "", "2026-07-07T12:00:00Z assumed"}, // Delaware or Germany
		{"2026-07-07", "", "Tokyo, JP", "", "2026-07-07T03:00:00Z zone"},
		{"2026-07-07", "-0500", "", "", "2026-07-07T17:00:00Z offset"},
		{"2026-07-07", "UTC", "Austin, TX, US", "", "2026-07-07T12:00:00Z offset"},
		{"2026-07-07", "XT", "", "", "2026-07-07T12:00:00Z assumed"},
	} {
		e, ok := scan{Date: c.day, Time: "12:00:00", Zone: text(c.label), Location: c.location, Country: text(c.country), Code: "600"}.event("GM1")
		if got := e.UTC.Format(time.RFC3339) + " " + string(e.Basis); !ok || got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestPushesAreProven: by the token, or by the password of HTTP Basic.
func TestPushesAreProven(t *testing.T) {
	secrets := [][]byte{[]byte("new secret"), []byte("old secret")}
	basic := func(user, password string) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	for name, c := range map[string]struct {
		h    http.Header
		want error
	}{
		"token":                     {http.Header{"Dhl-Webhook-Token": {"old secret"}}, nil},
		"basic":                     {basic("waybill", "new secret"), nil},
		"basic, an old secret":      {basic("", "old secret"), nil},
		"basic, the user only":      {basic("new secret", ""), carriers.ErrNotSigned},
		"basic, another password":   {basic("waybill", "secret"), carriers.ErrBadSignature},
		"a token that is wrong":     {http.Header{"Dhl-Webhook-Token": {"x"}, "Authorization": basic("", "new secret")["Authorization"]}, carriers.ErrBadSignature},
		"a bearer, which is not it": {http.Header{"Authorization": {"Bearer new secret"}}, carriers.ErrNotSigned},
		"nothing, as is documented": {http.Header{}, carriers.ErrNotSigned},
	} {
		if err := New().Verify(carriers.Push{Header: c.h, Body: carriertest.File(t, "push_ecommerce.json")}, secrets); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestDelivered holds DHL's own "delivered" against rule 8, for every code of
// eCommerce Europe that DHL types so, and for words where there is no code.
func TestDelivered(t *testing.T) {
	for code, m := range map[string]order.Milestone{
		"43": order.ReadyForPickup, "44": order.ReadyForPickup, "45": order.ReadyForPickup, "46": order.ReadyForPickup,
		"302": order.InTransit, "366": order.Returned, "63": order.Delivered, "66": order.Delivered, "254": order.Labelled, "369": order.Labelled,
	} {
		e := report{StatusCode: "delivered", Status: text(code)}.read("N", "ecommerce-europe")
		if e.Milestone != m || e.Table != "ecommerce-europe" {
			t.Errorf("%s: %+v", code, e)
		}
	}
	for words, m := range map[string]order.Milestone{
		"":              order.Delivered,
		"Delivered : J": order.Delivered,
		"The shipment has been delivered to the recipient":                order.Delivered,
		"Delivered to a neighbour":                                        order.Delivered,
		"The recipient has picked up the shipment from the retail outlet": order.Delivered,
		"shipment has been picked up by the recipient from Parcelshop":    order.Delivered,
		"Delivered to Parcel Shop":                                        order.ReadyForPickup,
		"Available at the PACKSTATION":                                    order.ReadyForPickup,
		"Die Sendung liegt in der Filiale zur Abholung bereit":            order.ReadyForPickup,
		"handed over for final delivery":                                  order.InTransit,
		"Delivered to our partner":                                        order.InTransit,
		"shipment has been delivered back to the business sender":         order.Returned,
		"Returned to shipper":                                             order.Returned,
		"Die Sendung wurde an den Absender zugestellt":                    order.Returned,
	} {
		e := report{StatusCode: "Delivered", Description: words}.read("N", "parcel-nl")
		if e.Milestone != m || !e.Physical {
			t.Errorf("%q: %+v", words, e)
		}
	}
}

// TestBackToSender: RT is Express's "returned to consignor", on its way.
func TestBackToSender(t *testing.T) {
	body := `{"shipments":[{"shipmentTrackingNumber":"1","events":[
		{"date":"2026-05-05","time":"10:00:00","typeCode":"OK"},
		{"date":"2026-05-06","time":"10:00:00","typeCode":"RT"},
		{"date":"2026-05-09","time":"10:00:00","typeCode":"OK"}]}]}`
	got, err := New().ParseTrack([]byte(body))
	if err != nil || len(got) != 3 || got[0].Milestone != order.Delivered || got[1].Milestone != order.Returning || got[2].Milestone != order.Returned {
		t.Errorf("%+v %v", got, err)
	}
}

// TestTables: the same code means other things in other units, and a code that
// its unit does not know is unmapped even where DHL normalised it.
func TestTables(t *testing.T) {
	for _, c := range []struct {
		unit, status, normal string
		table                string
		milestone            order.Milestone
		unmapped             bool
	}{
		{"express", "OK", "delivered", "express", order.Delivered, false},
		{"express", "101", "delivered", "express", order.Delivered, false},
		{"express", "PO", "transit", "express", "", true},
		{"express", "DELIVERED", "pre-transit", tableUnified, order.Labelled, false},
		{"freight", "ACT-2", "transit", "freight", order.Labelled, false},
		{"freight", "24-501", "transit", "freight", order.OutForDelivery, false},
		{"freight", "99-999", "delivered", "freight", "", true},
		{"ecommerce-europe", "999", "delivered", "ecommerce-europe", "", true},
		{"ecommerce", "302", "delivered", "ecommerce", Codes.Read("ecommerce", "302").Milestone, Codes.Read("ecommerce", "302").Unmapped},
		{"parcel-de", "ZU", "delivered", tableUnified, order.Delivered, false},
		{"", "", "unknown", tableUnified, "", false},
		{"", "", "failure", tableUnified, "", false},
		{"", "", "teleported", tableUnified, "", true},
	} {
		e := report{StatusCode: c.normal, Status: text(c.status)}.read("N", c.unit)
		if e.Table != c.table || e.Milestone != c.milestone || e.Unmapped != c.unmapped {
			t.Errorf("%+v: %+v", c, e)
		}
	}
}

func TestErrorsAndSilence(t *testing.T) {
	a := New()
	for body, says := range map[string]string{
		`{"title":"No result found","detail":"No shipment.","status":404}`:                                                                              "No result found: No shipment.",
		`{"detail":"No data found","title":"Not data found","message":"x","status":"404"}`:                                                              "No data found",
		`{"shipments":[{"id":"1","service":"parcel-de","events":[]},{"id":"1","service":"parcel-nl","events":[]}]}`:                                     "both know 1",
		`{"shipments":[{"service":"parcel-de"}]}`:                                                                                                       "without a number",
		`{"packages":[{"package":{"manifestId":"M1"},"events":[]}]}`:                                                                                    "without a number",
		`{"packages":[{"events":[]}]}`:                                                                                                                  "without a number",
		`{"type":"https://api-sandbox.dhlecs.com/docs/errors/400.0004004","title":"Dynamic Validation Failed","invalidParams":[{"name":"trackingId"}]}`: "Dynamic Validation Failed",
		`{"packages":[{"package":{"packageId":"GM1"},"events":[{"eventId":600,"at":"2026-03-07"}]}]}`:                                                   "none says what happened and when",
		`{"shipments":[{"id":"1","events":[{"timestamp":"yesterday","statusCode":"transit"},{"timestamp":"2026-03-07"}]}]}`:                             "2 events, and none says",
		`{"shipments":[{"shipmentTrackingNumber":"1","events":[{"date":"2026-03-07","time":"10:00:00"}]}]}`:                                             "1 events, and none says",
		`{"shipments":[7]}`: "cannot unmarshal",
		`{"shipments":{}}`:  "cannot unmarshal",
		`<TrackingResponse><AWBInfo><Status><Condition><ConditionCode>103</ConditionCode><ConditionData>none</ConditionData></Condition></Status></AWBInfo></TrackingResponse>`: "103: none",
		`<data name="piece-shipment-list" code="100" error="No data found"/>`:                                                                                                   "100 No data found",
		`<data name="other"/>`: "not parcel tracking",
		`<other/>`:             "not Express tracking",
	} {
		got, err := a.ParseTrack([]byte(body))
		if len(got) > 0 || !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v %v", body, got, err)
		}
	}
	for _, quiet := range []string{`{"scope":"subscription.confirmation","secret":"s","self":"x"}`, `{"shipments":[]}`, `{"shipments":[{"id":"1","events":[]}]}`,
		`{"shipments":[{"id":"1","events":[],"status":null}]}`, `{"shipments":[{"id":"1","status":{}}]}`,
		`{"total":0,"packages":[]}`, `{"packages":[{"package":{"packageId":"GM1"},"events":null}]}`} {
		if got, err := a.ParsePush([]byte(quiet)); err != nil || len(got) > 0 {
			t.Errorf("%s: %v %v", quiet, got, err)
		}
	}
	one := `{"shipment":{"id":123456789012345678901234,"status":{"timestamp":"2026-03-02T10:00:00Z","statusCode":"transit","status":"moving"}}}`
	if got, err := a.ParsePush([]byte(one)); err != nil || len(got) != 1 || got[0].Tracking != "123456789012345678901234" {
		t.Errorf("a status without events, an ID that is a number: %+v %v", got, err)
	}
	many := `{"shipments":[{"id":"1","events":[` + strings.Repeat(`{"timestamp":"2026-03-02","statusCode":"transit"},`, carriers.MaxEvents) + `{"timestamp":"2026-03-02","statusCode":"transit"}]}]}`
	if _, err := a.ParseTrack([]byte(many)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too many: %v", err)
	}
	for _, long := range [][]byte{make([]byte, carriers.MaxBody+1), append([]byte("<"), make([]byte, carriers.MaxBody)...)} {
		if _, err := a.ParseTrack(long); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("too long: %v", err)
		}
	}
}

// encoding/xml knows the five entities of XML and no other: a document that
// declares its own is refused where the first is used, and nothing expands.
func TestEntitiesDoNotExpand(t *testing.T) {
	good := string(carriertest.File(t, "track_express.xml"))
	head := `<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>`
	for _, entity := range []string{"&a;", "&b;", "&f;"} {
		body := strings.Replace(good, "?>", "?>"+head, 1)
		body = strings.Replace(body, "<EventDate>", "<EventDate>"+entity, 1)
		body = strings.Replace(body, "<Description>", "<Description>"+entity, 1)
		if body == good || !strings.Contains(body, ">"+entity) {
			t.Fatal("the fixture has no place for an entity")
		}
		if events, err := New().ParseTrack([]byte(body)); !errors.Is(err, carriers.ErrMalformed) || len(events) > 0 {
			t.Errorf("%s: %d events, %v", entity, len(events), err)
		}
	}
	if events, err := New().ParseTrack([]byte(strings.Replace(good, "?>", "?>"+head, 1))); err != nil || len(events) == 0 {
		t.Errorf("declared and not used: %d events, %v", len(events), err)
	}
}

func FuzzPush(f *testing.F) {
	carriertest.Fuzz(f, New().ParsePush, "push_unified.json", "push_ecommerce.json")
}

func FuzzTrack(f *testing.F) {
	carriertest.Fuzz(f, New().ParseTrack, "track_parcel.json", "track_express.json", "track_express.xml", "track_parcel_de.xml", "track_ecommerce.json")
}
