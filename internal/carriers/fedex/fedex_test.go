package fedex

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func sign(body, secret []byte, now time.Time) carriers.Push {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return carriers.Push{Header: http.Header{"Fdx-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}}, Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"delivered": carriertest.File(t, "push.json"), "in the envelope": carriertest.File(t, "track.json")},
		Tracks:  map[string][]byte{"reused number": carriertest.File(t, "track.json")},
		Sign:    sign,
		Signed:  true,
	})
}

// A signature made by another program (openssl dgst -sha256 -hmac) must match ours.
func TestKnownSignature(t *testing.T) {
	h := http.Header{}
	h.Set("fdx-signature", "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=")
	p := carriers.Push{Header: h, Body: []byte("The quick brown fox jumps over the lazy dog")}
	if err := New().Verify(p, [][]byte{[]byte("key")}); err != nil {
		t.Error(err)
	}
	h.Set("fdx-signature", "not base64!")
	if err := New().Verify(p, [][]byte{[]byte("key")}); !errors.Is(err, carriers.ErrBadSignature) {
		t.Error(err)
	}
}

// The delivery of 2024 in the answer was another parcel's.
func TestReusedNumberAndScans(t *testing.T) {
	events, err := New().ParseTrack(carriertest.File(t, "track.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, events, `
		700000000001 scan DE attempt_failed recipient_unavailable 2026-03-06T16:02:00Z 2026-03-06T11:02:00 -05:00 offset
		700000000001 scan OD out_for_delivery - 2026-03-06T13:02:00Z 2026-03-06T08:02:00 -05:00 offset
		700000000001 scan AR in_transit - 2026-03-06T03:10:00Z 2026-03-05T22:10:00 -05:00 offset
		700000000001 scan PU accepted - 2026-03-05T00:00:00Z 2026-03-04T18:00:00 -06:00 offset
		700000000001 scan OC labelled - 2026-03-04T09:00:00Z 2026-03-04T09:00:00 - assumed`)
	if got := events[0].ETA.Format(time.RFC3339); got != "2026-03-07T18:00:00Z" {
		t.Errorf("ETA %s", got)
	}
	if events[0].Location != "BOSTON, MA, 02110, US" || !strings.HasSuffix(events[0].Description, "business closed") {
		t.Errorf("%+v", events[0])
	}
}

func TestPush(t *testing.T) {
	events, err := New().ParsePush(carriertest.File(t, "push.json"))
	if err != nil || len(events) != 1 {
		t.Fatalf("%v %v", events, err)
	}
	if e := events[0]; e.Milestone != order.Delivered || e.DeliveredTo != carriers.ToPorch || e.Tracking != "700000000003" || !e.ETA.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestReadings(t *testing.T) {
	physical := func(m order.Milestone) carriers.Reading { return carriers.Reading{Milestone: m, Physical: true} }
	for name, c := range map[string]struct {
		s    scan
		code string
		want carriers.Reading
	}{
		"unknown":                     {scan{Type: "ZZ"}, "ZZ", carriers.Reading{Unmapped: true}},
		"unknown, both":               {scan{Type: "ZZ", Derived: "QQ"}, "ZZ", carriers.Reading{Unmapped: true}},
		"nothing":                     {scan{}, "none", carriers.Reading{Unmapped: true}},
		"derived helps":               {scan{Type: "ZZ", Derived: "IT"}, "IT", physical(order.InTransit)},
		"mixed case":                  {scan{Type: "Ow"}, "Ow", physical(order.InTransit)},
		"lower case":                  {scan{Type: "dl"}, "DL", physical(order.Delivered)},
		"CA is cancelled, no carrier": {scan{Type: "CA"}, "CA", carriers.Reading{}},
		"RC is no recipient":          {scan{Type: "RC"}, "RC", carriers.Reading{}},
		"to USPS, only told":          {scan{Type: "OX"}, "OX", carriers.Reading{Milestone: order.Labelled}},
		"label under movement":        {scan{Type: "OC", Derived: "IT"}, "OC", carriers.Reading{Milestone: order.Labelled}},
		"movement under label":        {scan{Type: "AR", Derived: "IN"}, "IN", carriers.Reading{Milestone: order.Labelled}},
		"on-demand care":              {scan{Type: "IN", Description: "On-Demand Care completed"}, "IN", carriers.Reading{}},
		"held for pickup":             {scan{Type: "HL", Derived: "HL"}, "HL", physical(order.ReadyForPickup)},
		"delivered, but held":         {scan{Type: "DL", Derived: "HL"}, "HL", physical(order.ReadyForPickup)},
		"delivered, but returning":    {scan{Type: "DL", Derived: "RS"}, "RS", physical(order.Returning)},
		"delivered, but on the way":   {scan{Type: "DL", Derived: "IT"}, "IT", physical(order.InTransit)},
		"delivered to shipper":        {scan{Type: "DL", Derived: "DL", Description: "Delivered to shipper"}, "DL", physical(order.Returned)},
		"delivered to USPS":           {scan{Type: "DL", Description: "Delivered to USPS"}, "DL", physical(order.InTransit)},
		"delivered":                   {scan{Type: "DL", Derived: "DL", Description: "Delivered"}, "DL", physical(order.Delivered)},
		"EA to the airport":           {scan{Type: "EA", Description: "Enroute to Airport"}, "EA", physical(order.InTransit)},
		"EA export":                   {scan{Type: "EA", Description: "Export approved"}, "EA", carriers.Reading{Milestone: order.InCustoms, Physical: true, Bucket: "customs"}},
		"DE alone":                    {scan{Type: "DE"}, "DE", carriers.Reading{Bucket: "delivery_exception"}},
		"DE 03":                       {scan{Type: "DE", Exception: "03"}, "DE", carriers.Reading{Bucket: "address"}},
		"DE 007":                      {scan{Type: "DE", Exception: "007"}, "DE", carriers.Reading{Milestone: order.AttemptFailed, Physical: true, Bucket: "recipient_unavailable"}},
		"SE 99":                       {scan{Type: "SE", Exception: "099"}, "SE", carriers.Reading{Bucket: "undeliverable"}},
		"SE 07 is no attempt":         {scan{Type: "SE", Exception: "07"}, "SE", carriers.Reading{Bucket: "recipient_unavailable"}},
		"a reason beside movement":    {scan{Type: "AR", Exception: "07"}, "AR", physical(order.InTransit)},
	} {
		if code, r := read(c.s); code != c.code || r != c.want {
			t.Errorf("%s: %s %+v, want %s %+v", name, code, r, c.code, c.want)
		}
	}
	snow := scan{Type: "DY"}
	snow.Delay.Type, snow.Delay.Status = "WEATHER", "DELAYED"
	if _, r := read(snow); r != (carriers.Reading{Bucket: "weather"}) {
		t.Errorf("%+v", r)
	}
}

// Whatever two codes FedEx combines, no rule of ours may be broken.
func TestNoCombinationClaimsTooMuch(t *testing.T) {
	for _, a := range rows {
		for _, b := range rows {
			code, r := read(scan{Type: text(a.Code), Derived: text(b.Code)})
			e := carriers.Event{Tracking: "1", Table: table, Code: code, Reading: r, Moment: carriers.Moment{UTC: time.Unix(0, 0).UTC(), Basis: carriers.ByOffset}}
			if err := carriertest.CheckEvent(e); err != nil {
				t.Errorf("%s %s: %v", a.Code, b.Code, err)
			}
			if (paper(a) || paper(b)) && r.Physical {
				t.Errorf("%s %s: paper became physical", a.Code, b.Code)
			}
		}
	}
}

func TestPossessionFlag(t *testing.T) {
	body := func(details, latest string) []byte {
		return []byte(`{"completeTrackResults":[{"trackingNumber":"1","trackResults":[{"latestStatusDetail":{"code":"` + latest + `"},"shipmentDetails":` + details +
			`,"scanEvents":[{"date":"2026-03-04T18:00:00Z","eventType":"AR"}]}]}]}`)
	}
	for name, c := range map[string]struct {
		details, latest string
		physical        bool
	}{
		"no flag":                            {`{}`, "IN", true},
		"null":                               {`{"beforePossessionStatus":null}`, "IN", true},
		"not before":                         {`{"beforePossessionStatus":false}`, "IN", true},
		"before":                             {`{"beforePossessionStatus":true}`, "IN", false},
		"before, but the status has moved":   {`{"beforePossessionStatus":true}`, "IT", true},
		"held is the opposite of before":     {`{"possessionStatus":true}`, "IN", true},
		"not held":                           {`{"possessionStatus":false}`, "OC", false},
		"not held, but the status has moved": {`{"possessionStatus":false}`, "PU", true},
	} {
		e, err := New().ParsePush(body(c.details, c.latest))
		if err != nil || len(e) != 1 || e[0].Physical != c.physical || (e[0].Milestone != "") != c.physical {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestPiecesAndOddShapes(t *testing.T) {
	scans := `"scanEvents":[{"date":"2026-03-04T18:00:00Z","eventType":"AR"}]`
	for name, c := range map[string]struct {
		body    string
		numbers string
		bad     bool
	}{
		"pieces have their own numbers":    {`{"output":{"completeTrackResults":[{"trackingNumber":"M","trackResults":[{"trackingNumberInfo":{"trackingNumber":"M"},` + scans + `},{"trackingNumberInfo":{"trackingNumber":"P"},` + scans + `}]}]}}`, "M/M M/P", false},
		"the number asked for":             {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"trackingNumberInfo":{"trackingNumber":"B"},` + scans + `}]}]}}`, "A/A", false},
		"freight's number is a shipment's": {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"trackingNumberInfo":{"trackingNumber":"A","carrierCode":"FXFR"},` + scans + `}]}]}}`, "A/", false},
		"two numbers asked for":            {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{` + scans + `}]},{"trackingNumber":"B","trackResults":[{` + scans + `}]}]}}`, "A/A B/B", false},
		"no number":                        {`{"output":{"completeTrackResults":[{"trackResults":[{` + scans + `}]}]}}`, "", true},
		"no time":                          {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"scanEvents":[{"eventType":"AR"}]}]}]}}`, "", true},
		"one of two without a time":        {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"scanEvents":[{"eventType":"AR"},{"date":"2026-03-04","eventType":"AR"}]}]}]}}`, "A/A /", false},
		"no scans yet":                     {`{"output":{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{}]}]}}`, "", false},
		"too many":                         {`{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"scanEvents":[` + strings.Repeat(`{"date":"2026-03-04"},`, carriers.MaxEvents) + `{"date":"2026-03-04"}]}]}]}`, "", true},
		"too long":                         {strings.Repeat(" ", carriers.MaxBody+1), "", true},
		"year one":                         {`{"completeTrackResults":[{"trackingNumber":"A","trackResults":[{"scanEvents":[{"date":"0001-01-01T00:00:00Z"}]}]}]}`, "", true},
	} {
		events, err := New().ParseTrack([]byte(c.body))
		var numbers []string
		for _, e := range events {
			numbers = append(numbers, e.Tracking+"/"+e.Piece)
		}
		if strings.Join(numbers, " ") != c.numbers || (err != nil) != c.bad || err != nil && !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %v, %v", name, numbers, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-07T14:30:00-05:00":     "2026-03-07T19:30:00Z 2026-03-07T14:30:00 -05:00 offset",
		"2026-03-07T14:30:00.123-05:00": "2026-03-07T19:30:00Z 2026-03-07T14:30:00 -05:00 offset",
		"2026-03-07T14:30:00+0530":      "2026-03-07T09:00:00Z 2026-03-07T14:30:00 +05:30 offset",
		"2026-03-07T14:30:00Z":          "2026-03-07T14:30:00Z 2026-03-07T14:30:00 +00:00 offset",
		"2026-03-07T14:30:00":           "2026-03-07T14:30:00Z 2026-03-07T14:30:00  assumed",
		"2026-03-07":                    "2026-03-07T12:00:00Z 2026-03-07  date",
		"":                              "",
		"yesterday":                     "",
	} {
		m, ok := moment(text(in), nil)
		got := ""
		if ok {
			got = strings.Join([]string{m.UTC.Format(time.RFC3339), m.Local, m.Offset, string(m.Basis)}, " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := promised("2026-03-07T00:00:00-06:00").Format(time.RFC3339); got != "2026-03-07T12:00:00Z" {
		t.Errorf("midnight of an estimate is the day: %s", got)
	}
}

// FedEx's own refusals name themselves; they are not events, and not garbage.
func TestRefusals(t *testing.T) {
	for name, words := range map[string]string{"notfound.json": "TRACKING.TRACKINGNUMBER.NOTFOUND Tracking number cannot be found.", "refused.json": "NOT.AUTHORIZED.ERROR Access token expired."} {
		events, err := New().ParseTrack(carriertest.File(t, name))
		if len(events) > 0 || !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
	}
}

// TestPayloads: what nobody here wrote, beside another library's opinion of it.
// The proof of delivery is a document, no tracking answer.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{
		Adapter: New(), Folders: []string{"fedex"},
		Events: map[string]string{"fedex/TrackingResponse.json": "accepted 1", "fedex/sample__tracking_response.json": "accepted 1"},
		Differ: map[string]string{
			"estimated: 2021-10-01, 2021-10-15": "karrio takes the window's begin; promised is its end (midnight of the 15th, which means the day)",
			"text of PU":                        "karrio shows only the exception's text, we the event's and the exception's",
		},
	}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push.json") }

func FuzzTrack(f *testing.F) { carriertest.Fuzz(f, New().ParseTrack, "track.json", "notfound.json") }
