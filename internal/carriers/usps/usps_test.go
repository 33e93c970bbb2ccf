package usps

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func mac(secret []byte, message ...[]byte) http.Header {
	h := hmac.New(sha256.New, secret)
	for _, m := range message {
		h.Write(m)
	}
	return http.Header{"X-Hmac": {base64.StdEncoding.EncodeToString(h.Sum(nil))}}
}

// fixed is the time in the fixture's envelope.
var fixed = time.Date(2026, 3, 7, 19, 0, 0, 0, time.UTC)

// sign is USPS's way: over timestamp and payload, as they read once decoded. The
// fixture's own time becomes now.
func sign(body, secret []byte, now time.Time) carriers.Push {
	body = bytes.Replace(body, []byte(fixed.Format(time.RFC3339)), []byte(now.UTC().Format(time.RFC3339)), 1)
	var e struct{ Timestamp, Payload string }
	_ = json.Unmarshal(body, &e)
	return carriers.Push{Header: mac(secret, []byte(e.Timestamp), []byte(e.Payload)), Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"out": carriertest.File(t, "push.json")},
		Tracks:  map[string][]byte{"detail": carriertest.File(t, "track.json")},
		Sign:    sign,
		Signed:  false, // the envelope's subscription ID is not covered; TestSignature flips what is
	})
}

func TestSignature(t *testing.T) {
	secret := [][]byte{[]byte("0123456789abcdef0123456789abcdef")}
	body := carriertest.File(t, "push.json")
	good := sign(body, secret[0], fixed)
	if err := New().Verify(good, secret); err != nil {
		t.Fatal(err)
	}
	covered := bytes.Index(body, []byte(`"timestamp"`))
	for i := covered; i < len(bytes.TrimRight(body, "\n")); i++ {
		p := good
		p.Body = bytes.Clone(body)
		p.Body[i] ^= 1
		if err := New().Verify(p, secret); err == nil {
			// What still verifies must say the same: white space, the case of a key.
			a, _ := unwrap(body)
			b, ok := unwrap(p.Body)
			if !ok || a.stamp != b.stamp || !bytes.Equal(a.payload, b.payload) {
				t.Fatalf("bit flipped at %d (%q) goes through", i, p.Body[max(0, i-5):i+5])
			}
		} else if !errors.Is(err, carriers.ErrBadSignature) {
			t.Fatalf("flipped at %d: %v", i, err)
		}
	}
	for name, c := range map[string]struct {
		p    carriers.Push
		want error
	}{
		"over the raw body":             {carriers.Push{Header: mac(secret[0], body), Body: body, ReceivedAt: fixed}, nil},
		"over the raw body, a month on": {carriers.Push{Header: mac(secret[0], body), Body: body, ReceivedAt: fixed.AddDate(0, 1, 0)}, carriers.ErrReplayed},
		"of something else":             {carriers.Push{Header: mac(secret[0], []byte("x")), Body: body}, carriers.ErrBadSignature},
		"not base64":                    {carriers.Push{Header: http.Header{"X-Hmac": {"???"}}, Body: body}, carriers.ErrBadSignature},
		"no envelope, bad":              {carriers.Push{Header: mac(secret[0], []byte("x")), Body: []byte("{")}, carriers.ErrBadSignature},
		"payload not in a string":       {carriers.Push{Header: mac(secret[0], []byte("T"), []byte(`{"a": 1}`)), Body: []byte(`{"timestamp":"T","payload":{"a": 1}}`)}, nil},
		"payload of nothing, unsigned":  {carriers.Push{Body: []byte(`{"timestamp":"T","payload":null}`)}, carriers.ErrNotSigned},
	} {
		if err := New().Verify(c.p, secret); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTrack(t *testing.T) {
	events, err := New().ParseTrack(carriertest.File(t, "track.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, events, `
		9400100000000000000001 eventCode 01 delivered - 2026-03-07T18:58:40Z 2026-03-07T13:58:00 -05:00 offset
		9400100000000000000001 eventCode 02 attempt_failed notice_left 2026-03-06T19:20:11Z 2026-03-06T14:20:00 -05:00 offset
		9400100000000000000001 eventCode OF out_for_delivery - 2026-03-06T13:10:45Z 2026-03-06T08:10:00 -05:00 offset
		9400100000000000000001 eventCode 07 in_transit - 2026-03-06T12:00:00Z 2026-03-06T07:00:00 -05:00 offset
		9400100000000000000001 eventCode NT - carrier_delay 2026-03-05T22:00:00Z 2026-03-05T22:00:00 - assumed
		9400100000000000000001 eventCode OA accepted - 2026-03-04T02:00:12Z 2026-03-03T20:00:00 -06:00 offset
		9400100000000000000001 eventCode 82 labelled - 2026-03-03T18:00:00Z 2026-03-03T12:00:00 -06:00 offset
		9400100000000000000001 eventCode GX labelled - 2026-03-02T12:00:00Z 2026-03-02 - date`)
	for i, e := range events {
		if e.Physical != (e.Milestone != "" && e.Milestone != order.Labelled) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if e := events[0]; e.DeliveredTo != carriers.ToPorch || e.Location != "RALEIGH, NC, 27601" || !e.ETA.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestPush(t *testing.T) {
	events, err := New().ParsePush(carriertest.File(t, "push.json"))
	if err != nil || len(events) != 1 {
		t.Fatalf("%v %v", events, err)
	}
	if e := events[0]; e.Milestone != order.OutForDelivery || e.Tracking != "9400100000000000000002" || e.ETA.Format(time.RFC3339) != "2026-03-07T12:00:00Z" {
		t.Errorf("%+v", e)
	}
}

func TestReadings(t *testing.T) {
	physical := func(m order.Milestone) carriers.Reading { return carriers.Reading{Milestone: m, Physical: true} }
	for name, c := range map[string]struct {
		code, said, category string
		want                 carriers.Reading
	}{
		"unknown":                  {"U1", "In Transit", "", carriers.Reading{Unmapped: true}},
		"unknown, telling words":   {"L1", "Delivered", "Delivered", carriers.Reading{Unmapped: true}},
		"label":                    {"GX", "Shipping Label Created, USPS Awaiting Item", "Pre-Shipment", carriers.Reading{Milestone: order.Labelled}},
		"manifest":                 {"MA", "Pre-Shipment Info Sent to USPS", "", carriers.Reading{Milestone: order.Labelled}},
		"a consolidator has it":    {"80", "Picked Up by Shipping Partner, USPS Awaiting Item", "", carriers.Reading{Milestone: order.Labelled}},
		"words of paper":           {"03", "Accepted by partner, USPS Awaiting Item", "", carriers.Reading{Milestone: order.Labelled}},
		"accepted":                 {"03", "USPS in possession of item", "", physical(order.Accepted)},
		"unit is not out":          {"07", "Arrived at Post Office", "", physical(order.InTransit)},
		"ambiguous":                {"43", "Picked Up", "", carriers.Reading{}},
		"delivered":                {"01", "Delivered, In/At Mailbox", "Delivered", physical(order.Delivered)},
		"locker":                   {"01", "Delivered, Parcel Locker", "Delivered", physical(order.Delivered)},
		"picked up at the counter": {"01", "Delivered, Individual Picked Up at Post Office", "Delivered", physical(order.Delivered)},
		"original sender":          {"01", "Delivered, To Original Sender", "Delivered", physical(order.Returned)},
		"agent, in words":          {"01", "Delivered to Agent for Final Delivery", "Delivered", physical(order.InTransit)},
		"agent, by category":       {"01", "Delivered", "Delivered to Agent", physical(order.InTransit)},
		"picked up by agent":       {"17", "Picked Up by Agent", "", physical(order.Delivered)},
		"agent delivers":           {"17", "Picked Up by Agent for Final Delivery", "", physical(order.InTransit)},
		"available for pickup":     {"16", "Available for Pickup", "", physical(order.ReadyForPickup)},
		"late":                     {"NT", "In Transit, Arriving Late", "", carriers.Reading{Bucket: "carrier_delay"}},
		"not late":                 {"NT", "In Transit to Next Facility", "", physical(order.InTransit)},
		"refused":                  {"04", "Refused", "", carriers.Reading{Bucket: "refused"}},
		"returning":                {"09", "Return to Sender", "", physical(order.Returning)},
		"not updated":              {"DX", "Delivery status not updated", "", carriers.Reading{Bucket: "no_delivery_scan"}},
	} {
		if r := read(c.code, c.said, c.category); r != c.want {
			t.Errorf("%s: %+v, want %+v", name, r, c.want)
		}
	}
}

// The category is of the piece as it stands: it says nothing of earlier events.
func TestCategoryIsOfTheLatestEvent(t *testing.T) {
	body := `{"trackingNumber":"1","statusCategory":"Delivered to Agent","trackingEvents":[
	{"eventCode":"01","eventTimestamp":"2026-03-02T10:00:00"},{"eventCode":"01","eventTimestamp":"2026-03-01T10:00:00"}]}`
	e, err := New().ParseTrack([]byte(body))
	if err != nil || len(e) != 2 || e[0].Milestone != order.InTransit || e[1].Milestone != order.Delivered {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestMoments(t *testing.T) {
	for name, c := range map[string]struct {
		local, gmt, offset text
		want               string
	}{
		"all":                 {"2026-03-07T13:58:00", "2026-03-07T18:58:40Z", "-05:00", "2026-03-07T18:58:40Z 2026-03-07T13:58:00 -05:00 offset"},
		"short offset":        {"2026-03-07T13:58:00", "", "-7:00", "2026-03-07T20:58:00Z 2026-03-07T13:58:00 -07:00 offset"},
		"no offset":           {"2026-03-07T13:58:00", "2026-03-07T18:58:40Z", "", "2026-03-07T18:58:40Z 2026-03-07T13:58:00 -05:00 offset"},
		"fractions":           {"2026-03-07T13:58:00.123", "2026-03-07T18:58:40.041Z", "-05:00", "2026-03-07T18:58:40Z 2026-03-07T13:58:00 -05:00 offset"},
		"GMT with an offset":  {"2026-03-07T13:58:00", "2026-03-07T18:58:40+00:00", "-05:00", "2026-03-07T18:58:40Z 2026-03-07T13:58:00 -05:00 offset"},
		"the Z is not meant":  {"2026-03-07T13:58:00Z", "", "", "2026-03-07T13:58:00Z 2026-03-07T13:58:00  assumed"},
		"only GMT":            {"", "2026-03-07T18:58:40Z", "-05:00", "2026-03-07T18:58:40Z 2026-03-07T13:58:40 -05:00 offset"},
		"only GMT, no offset": {"", "2026-03-07T18:58:40Z", "", "2026-03-07T18:58:40Z   offset"},
		"a day":               {"2026-03-07", "", "-05:00", "2026-03-07T12:00:00Z 2026-03-07  date"},
		"nonsense offset":     {"2026-03-07T13:58:00", "", "-99:00", "2026-03-07T13:58:00Z 2026-03-07T13:58:00  assumed"},
		"nothing":             {"", "", "-05:00", ""},
		"year one":            {"0001-01-01T00:00:00", "", "", ""},
	} {
		m, ok := moment(c.local, c.gmt, c.offset, nil)
		got := ""
		if ok {
			got = strings.Join([]string{m.UTC.Format(time.RFC3339), m.Local, m.Offset, string(m.Basis)}, " ")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOddShapes(t *testing.T) {
	scans := `"trackingEvents":[{"eventCode":"03","eventTimestamp":"2026-03-02T10:00:00"}]`
	for name, c := range map[string]struct {
		body    string
		numbers string
		bad     bool
	}{
		"a list":                   {`[{"trackingNumber":"a b",` + scans + `},{"trackingNumber":"C",` + scans + `},{"error":{"code":"404","message":"no"}}]`, "AB C", false},
		"no events yet":            {`{"trackingNumber":"A","trackingEvents":[]}`, "", false},
		"summary":                  {`{"trackingNumber":"A","eventSummaries":["Delivered, June 1"]}`, "", true},
		"no number":                {`{` + scans + `}`, "", true},
		"no time":                  {`{"trackingNumber":"A","trackingEvents":[{"eventCode":"03"}]}`, "", true},
		"one of two without":       {`{"trackingNumber":"A","trackingEvents":[{"eventCode":"03"},{"eventTimestamp":"2026-03-02"}]}`, "A ", false},
		"one event by itself":      {`{"trackingNumber":"A","eventCode":"03","eventTimestamp":"2026-03-02T10:00:00"}`, "A", false},
		"events that are no list":  {`{"trackingNumber":"A","trackingEvents":{}}`, "", true},
		"list of other things":     {`[1,2]`, "", true},
		"too many":                 {`{"trackingNumber":"A","trackingEvents":[` + strings.Repeat(`{"eventTimestamp":"2026-03-02"},`, carriers.MaxEvents) + `{"eventTimestamp":"2026-03-02"}]}`, "", true},
		"too long":                 {strings.Repeat(" ", carriers.MaxBody+1), "", true},
		"error that is no refusal": {`{"error":[]}`, "", true},
	} {
		events, err := New().ParseTrack([]byte(c.body))
		var numbers []string
		for _, e := range events {
			numbers = append(numbers, e.Tracking)
		}
		if strings.Join(numbers, " ") != c.numbers || (err != nil) != c.bad || err != nil && !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %v, %v", name, numbers, err)
		}
	}
}

// USPS's own refusals name themselves; they are not events, and not garbage.
func TestRefusals(t *testing.T) {
	for name, words := range map[string]string{"notfound.json": "404 The tracking number was not found.", "refused.json": "invalid_client Client authentication failed."} {
		events, err := New().ParseTrack(carriertest.File(t, name))
		if len(events) > 0 || !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
	}
}

// TestPayloads: what nobody here wrote, beside another library's opinion of it.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{
		Adapter: New(), Folders: []string{"usps"},
		Events:   map[string]string{"usps/TrackingResponse.json": "labelled 1, accepted 1, in_transit 8, out_for_delivery 1, delivered 1", "usps/sample__tracking_responses.json": "labelled 1, accepted 1, in_transit 8, out_for_delivery 1, delivered 1, none 1"},
		Unmapped: []string{"STRING"},
		Alone: map[string]order.Milestone{
			"07": order.InTransit, "A1": order.InTransit, "T1": order.InTransit, "10": order.InTransit, "SF": order.InTransit,
			"03": order.Accepted, // "USPS in possession of item": the possession that karrio does not see
			"GX": order.Labelled,
		},
	}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push.json") }

func FuzzTrack(f *testing.F) {
	carriertest.Fuzz(f, New().ParseTrack, "track.json", "notfound.json", "refused.json")
}

func FuzzVerify(f *testing.F) {
	f.Add(carriertest.File(f, "push.json"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := carriers.Push{Header: http.Header{"X-Hmac": {"AAAA"}}, Body: body}
		if err := New().Verify(p, [][]byte{[]byte("secret")}); !errors.Is(err, carriers.ErrBadSignature) {
			t.Fatal(err)
		}
	})
}

// A timestamp that is signed may be a day old, and no older; one that nobody can
// read is no proof of age.
func TestReplayWindow(t *testing.T) {
	secret := [][]byte{[]byte("0123456789abcdef0123456789abcdef")}
	for _, stamp := range []string{`"2026-03-07T19:00:00Z"`, `"2026-03-07T14:00:00-05:00"`, `"2026-03-07T19:00:00"`, `"1772910000"`, `1772910000000`} {
		body := []byte(`{"timestamp":` + stamp + `,"payload":"{}"}`)
		for late, want := range map[time.Duration]error{0: nil, replayWindow: nil, -replayWindow: nil, replayWindow + time.Second: carriers.ErrReplayed, -replayWindow - time.Second: carriers.ErrReplayed} {
			p := carriers.Push{Header: mac(secret[0], []byte(strings.Trim(stamp, `"`)), []byte("{}")), Body: body, ReceivedAt: fixed.Add(late)}
			if err := New().Verify(p, secret); !errors.Is(err, want) {
				t.Errorf("%s, %s late: %v", stamp, late, err)
			}
			p.Header = mac([]byte("another"), []byte(strings.Trim(stamp, `"`)), []byte("{}"))
			if err := New().Verify(p, secret); !errors.Is(err, carriers.ErrBadSignature) {
				t.Errorf("%s, %s late, not USPS's: %v", stamp, late, err)
			}
		}
	}
	p := carriers.Push{Header: mac(secret[0], []byte("yesterday"), []byte("{}")), Body: []byte(`{"timestamp":"yesterday","payload":"{}"}`), ReceivedAt: fixed}
	if err := New().Verify(p, secret); err != nil {
		t.Errorf("a form of time that is not known: %v", err)
	}
}
