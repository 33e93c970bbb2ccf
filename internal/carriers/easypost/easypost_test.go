package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

// sign is the sender's side, after EasyPost's description.
func sign(body, secret []byte, now time.Time) carriers.Push {
	mac := hmac.New(sha256.New, norm.NFKD.Bytes(secret))
	mac.Write(body)
	h := http.Header{}
	h.Set(signatureHeader, signaturePrefix+hex.EncodeToString(mac.Sum(nil)))
	return carriers.Push{Header: h, Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"updated": carriertest.File(t, "push_updated.json")},
		Tracks:  map[string][]byte{"list": carriertest.File(t, "track_list.json")},
		Sign:    sign, Signed: true,
	})
}

func TestPush(t *testing.T) {
	got, err := New().ParsePush(carriertest.File(t, "push_updated.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, got, `
		9400100000000000000000 status pre_transit labelled - 2026-03-02T09:15:00Z 2026-03-02T09:15:00 - assumed
		9400100000000000000000 status_detail received_at_origin_facility accepted - 2026-03-02T18:40:00Z 2026-03-02T18:40:00 - assumed
		9400100000000000000000 status in_transit in_transit - 2026-03-04T02:00:00Z 2026-03-03T18:00:00 -08:00 offset
		9400100000000000000000 status_detail weather_delay - weather 2026-03-05T13:30:00Z 2026-03-05T07:30:00 -06:00 zone
		9400100000000000000000 status out_for_delivery out_for_delivery - 2026-03-06T08:02:00Z 2026-03-06T08:02:00 - assumed
		9400100000000000000000 status delivered delivered - 2026-03-06T14:11:00Z 2026-03-06T14:11:00 - assumed`)
	if eta := got[5].ETA.Format(time.RFC3339); eta != "2026-03-06T12:00:00Z" {
		t.Errorf("the estimate is a day in Boston, not the evening before: %s", eta)
	}
	if got[1].Location != "PORTLAND, OR, 97218, US" {
		t.Errorf("location %q", got[1].Location)
	}
}

func TestList(t *testing.T) {
	got, err := New().ParseTrack(carriertest.File(t, "track_list.json"))
	if err != nil || len(got) != 4 {
		t.Fatalf("%d events, %v", len(got), err)
	}
	if got[0].Bucket != "refused" || got[1].Milestone != order.Returning {
		t.Errorf("%+v", got[:2])
	}
	if got[2].Milestone != order.Returned || !got[2].Physical {
		t.Errorf("delivered after it turned round is not with the buyer: %+v", got[2])
	}
	if got[3].Milestone != order.InTransit || got[3].Basis != carriers.ByReceipt {
		t.Errorf("a status without history: %+v", got[3])
	}
}

// TestChoose: the two code fields contradict each other in EasyPost's own examples.
func TestChoose(t *testing.T) {
	for in, want := range map[[2]string]struct {
		milestone order.Milestone
		bucket    string
		unmapped  bool
	}{
		{"pre_transit", "status_update"}:                     {milestone: order.Labelled},
		{"pre_transit", "arrived_at_facility"}:               {milestone: order.Labelled},
		{"unknown", "unknown"}:                               {},
		{"unknown", "status_update"}:                         {},
		{"error", "arrived_at_facility"}:                     {},
		{"in_transit", ""}:                                   {milestone: order.InTransit},
		{"in_transit", "label_created"}:                      {milestone: order.Labelled},
		{"in_transit", "awaiting_information"}:               {milestone: order.Labelled},
		{"in_transit", "held"}:                               {bucket: "hold"},
		{"in_transit", "return"}:                             {milestone: order.Returning},
		{"in_transit", "lost"}:                               {milestone: order.Lost, bucket: "lost"},
		{"in_transit", "beamed_up"}:                          {unmapped: true},
		{"in_transit", "transferred_to_destination_carrier"}: {milestone: order.InTransit},
		{"failure", "damaged"}:                               {bucket: "damage"},
		{"failure", "return"}:                                {milestone: order.Returning},
		{"failure", "arrived_at_destination"}:                {bucket: "failure"},
		{"failure", ""}:                                      {bucket: "failure"},
		{"delivered", "arrived_at_destination"}:              {milestone: order.Delivered},
		{"available_for_pickup", "arrived_at_destination"}:   {milestone: order.ReadyForPickup},
		{"cancelled", "cancelled"}:                           {},
		{"", "out_for_delivery"}:                             {milestone: order.OutForDelivery},
		{"teleported", ""}:                                   {unmapped: true},
		{"Delivered", ""}:                                    {unmapped: true},
	} {
		r := Codes.Read(choose(in[0], in[1]))
		if r.Milestone != want.milestone || r.Bucket != want.bucket || r.Unmapped != want.unmapped {
			t.Errorf("%v: %+v", in, r)
		}
	}
}

func TestReturnLabel(t *testing.T) {
	body := `{"object":"Tracker","tracking_code":"R1","status":"delivered","is_return":true,"tracking_details":[{"status":"delivered","datetime":"2026-03-09T11:30:00Z"}]}`
	got, err := New().ParseTrack([]byte(body))
	if err != nil || len(got) != 1 || got[0].Milestone != order.Returned {
		t.Errorf("%+v %v", got, err)
	}
}

func TestMoment(t *testing.T) {
	for _, c := range []struct {
		at, local string
		utc       string
		offset    string
		basis     carriers.Basis
	}{
		{"2026-03-02T09:15:00Z", "", "2026-03-02T09:15:00Z", "", carriers.AssumedUTC},
		{"2026-03-02T09:15:00Z", "2026-03-02T09:15:00", "2026-03-02T09:15:00Z", "", carriers.AssumedUTC},
		{"2026-03-02T09:15:00Z", "2026-03-02T09:15:00Z", "2026-03-02T09:15:00Z", "", carriers.AssumedUTC},
		{"2026-03-02T09:15:00Z", "2026-03-02T14:45:00", "2026-03-02T09:15:00Z", "+05:30", carriers.ByOffset},
		{"2026-03-02T09:15:00Z", "2026-03-02T09:17:00", "2026-03-02T09:17:00Z", "", carriers.AssumedUTC},
		{"2026-03-02T09:15:00Z", "2026-03-02T04:15:00-05:00", "2026-03-02T09:15:00Z", "-05:00", carriers.ByOffset},
		{"2026-03-02T09:15:00-06:00", "", "2026-03-02T15:15:00Z", "-06:00", carriers.ByOffset},
		{"", "2026-03-02T04:15:00", "2026-03-02T04:15:00Z", "", carriers.AssumedUTC},
	} {
		m, ok := detail{Datetime: c.at, DatetimeLocal: c.local}.moment()
		if !ok || m.UTC.Format(time.RFC3339) != c.utc || m.Offset != c.offset || m.Basis != c.basis {
			t.Errorf("%s / %s: %+v %v", c.at, c.local, m, ok)
		}
	}
	for _, bad := range []string{"", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		if m, ok := (detail{Datetime: bad}).moment(); ok {
			t.Errorf("%q: %+v", bad, m)
		}
	}
}

func TestErrorsAndSilence(t *testing.T) {
	_, err := New().ParseTrack([]byte(`{"error":{"code":"TRACKER.NOT_FOUND","message":"The tracker\ncould not be found"}}`))
	if !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), "TRACKER.NOT_FOUND: The tracker could not be found") {
		t.Error(err)
	}
	for _, quiet := range []string{
		`{"object":"Event","description":"batch.updated","result":{"object":"Batch","status":"created"}}`,
		`{"object":"Event","description":"tracker.created"}`,
	} {
		if got, err := New().ParsePush([]byte(quiet)); err != nil || len(got) > 0 {
			t.Errorf("%s: %v %v", quiet, got, err)
		}
	}
	many := `{"object":"Tracker","tracking_code":"M1","tracking_details":[` + strings.Repeat(`{"status":"in_transit","datetime":"2026-03-09T11:30:00Z"},`, carriers.MaxEvents) + `{"status":"in_transit","datetime":"2026-03-09T11:30:00Z"}]}`
	if _, err := New().ParseTrack([]byte(many)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too many: %v", err)
	}
	if _, err := New().ParseTrack(make([]byte, carriers.MaxBody+1)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
}

// TestSecretIsNormalised: ﬁ (one rune) and fi (two) are the same key to EasyPost.
func TestSecretIsNormalised(t *testing.T) {
	body := []byte(`{}`)
	if err := New().Verify(sign(body, []byte("fi-secret"), time.Now()), [][]byte{[]byte("\ufb01-secret")}); err != nil {
		t.Error(err)
	}
	p := sign(body, []byte("s"), time.Now())
	for _, bad := range []string{"hmac-sha256-hex=", "hmac-sha256-hex=zz", "sha1=00", hex.EncodeToString(make([]byte, 32))} {
		p.Header.Set(signatureHeader, bad)
		if err := New().Verify(p, [][]byte{[]byte("s")}); !errors.Is(err, carriers.ErrBadSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestPayloads: what nobody here wrote, beside another library's opinion of it.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{
		Adapter: New(), Folders: []string{"easypost"},
		Events: map[string]string{
			"easypost/TrackingResponseJSON.json":                "labelled 2",
			"easypost/official__create_tracker_response.json":   "labelled 1, in_transit 1, delivered 1",
			"easypost/official__event-body.json":                "labelled 1, in_transit 6",
			"easypost/official__event_example.json":             "", // no result in it
			"easypost/official__events-retrieve.json":           "",
			"easypost/official__trackers-create.json":           "labelled 2",
			"easypost/official__trackers-list.json":             "labelled 2",
			"easypost/official__trackers-retrieve.json":         "labelled 2",
			"easypost/official__tracking-webhook.json":          "labelled 1, in_transit 3, out_for_delivery 1, delivered 1",
			"easypost/official__tracking_webhook_response.json": "labelled 1, in_transit 3, out_for_delivery 1, delivered 1",
			"easypost/sample__trackers_response.json":           "labelled 2",
		},
		Differ: map[string]string{
			"meaning of pre_transit: on_hold, labelled": "karrio has no pre-transit and says on hold; nothing is held",
		},
	}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push_updated.json") }

func FuzzTrack(f *testing.F) { carriertest.Fuzz(f, New().ParseTrack, "track_list.json") }
