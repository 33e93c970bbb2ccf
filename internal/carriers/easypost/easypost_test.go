package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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
		Pushes:  map[string][]byte{"updated": fixture(t, "push_updated.json")},
		Tracks:  map[string][]byte{"list": fixture(t, "track_list.json")},
		Sign:    sign, Signed: true,
	})
}

func TestPush(t *testing.T) {
	got, err := New().ParsePush(fixture(t, "push_updated.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		table, code   string
		milestone     order.Milestone
		bucket        string
		local, offset string
		utc           string
		basis         carriers.Basis
	}{
		{"status", "pre_transit", order.Labelled, "", "2026-03-02T09:15:00", "", "2026-03-02T09:15:00Z", carriers.AssumedUTC},
		{"status_detail", "received_at_origin_facility", order.Accepted, "", "2026-03-02T18:40:00", "", "2026-03-02T18:40:00Z", carriers.AssumedUTC},
		{"status", "in_transit", order.InTransit, "", "2026-03-03T18:00:00", "-08:00", "2026-03-04T02:00:00Z", carriers.ByOffset},
		{"status_detail", "weather_delay", "", "weather", "2026-03-05T07:30:00", "-06:00", "2026-03-05T13:30:00Z", carriers.ByZone},
		{"status", "out_for_delivery", order.OutForDelivery, "", "2026-03-06T08:02:00", "", "2026-03-06T08:02:00Z", carriers.AssumedUTC},
		{"status", "delivered", order.Delivered, "", "2026-03-06T14:11:00", "", "2026-03-06T14:11:00Z", carriers.AssumedUTC},
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, w := range want {
		e := got[i]
		if e.Table != w.table || e.Code != w.code || e.Milestone != w.milestone || e.Bucket != w.bucket || e.Local != w.local ||
			e.Offset != w.offset || e.UTC.Format(time.RFC3339) != w.utc || e.Basis != w.basis || e.Tracking != "9400100000000000000000" {
			t.Errorf("event %d: %+v, want %+v", i, e, w)
		}
	}
	if eta := got[5].ETA.Format(time.RFC3339); eta != "2026-03-06T12:00:00Z" {
		t.Errorf("the estimate is a day in Boston, not the evening before: %s", eta)
	}
	if got[1].Location != "PORTLAND, OR, 97218, US" {
		t.Errorf("location %q", got[1].Location)
	}
}

func TestList(t *testing.T) {
	got, err := New().ParseTrack(fixture(t, "track_list.json"))
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

func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	dir = filepath.Join(dir, "carriers")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the carriers' own payloads are not here (%s); set WAYBILL_DATA to the folder that holds carriers/", dir)
	}
	return dir
}

// TestPayloads parses everything that EasyPost and others published.
func TestPayloads(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedData(t), "easypost", "*.json"))
	if len(files) == 0 {
		t.Skip("no EasyPost payloads")
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f)
		parse := New().ParseTrack
		if strings.Contains(string(body), "previous_attributes") {
			parse = New().ParsePush
		}
		got, err := parse(body)
		if strings.Contains(name, "Error") {
			if !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), "TRACKER.CREATE.ERROR") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		quiet := name == "official__event_example.json" || name == "official__events-retrieve.json" // no result in them
		if err != nil || (len(got) == 0) != quiet {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
		for _, e := range got {
			if err := carriertest.CheckEvent(e); err != nil || e.Unmapped {
				t.Errorf("%s: %v: %+v", name, err, e)
			}
		}
		t.Logf("%s: %d events", name, len(got))
	}
}

// disagreements with karrio's opinion (index.json), by what is compared.
var disagreements = map[string]string{
	"pre_transit on_hold": "karrio has no pre-transit and says on hold; we say labelled, nothing is held",
}

func TestOpinion(t *testing.T) {
	dir := sharedData(t)
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Skipf("payloads that nobody here wrote are not here (set WAYBILL_DATA): %v", err)
	}
	var cases []struct {
		Carrier  string
		Payloads []struct{ File string }
		Expected struct {
			Shipments []struct {
				Number    string `json:"tracking_number"`
				Delivered bool
				Estimated string `json:"estimated_delivery"`
				Events    []struct{ Code, Status, Timestamp, Description string }
			}
		}
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	agreed, differ := 0, map[string]int{}
	for _, c := range cases {
		if c.Carrier != "easypost" || len(c.Expected.Shipments) == 0 {
			continue
		}
		for i, s := range c.Expected.Shipments {
			body, err := os.ReadFile(filepath.Join(dir, c.Payloads[i].File))
			if err != nil {
				t.Fatal(err)
			}
			got, err := New().ParseTrack(body)
			if err != nil || len(got) != len(s.Events) {
				t.Fatalf("%d events, want %d, %v", len(got), len(s.Events), err)
			}
			for j, w := range s.Events {
				e := got[j]
				if e.Tracking != s.Number || e.Code != w.Code || e.Description != w.Description || !strings.HasPrefix(w.Timestamp, e.Local) ||
					s.Delivered != (e.Milestone == order.Delivered) {
					t.Errorf("%+v, want %+v", e, w)
				}
				key := fmt.Sprint(w.Code, " ", w.Status)
				if _, known := disagreements[key]; !known {
					t.Errorf("a new opinion: %s", key)
				}
				differ[key]++
				agreed++
			}
			if eta := got[len(got)-1].ETA.Format(time.DateOnly); eta != s.Estimated {
				t.Errorf("estimate %s, want %s", eta, s.Estimated)
			}
		}
	}
	t.Logf("number, code, order, wall time, text, delivered and estimate agree on %d events", agreed)
	for key, n := range differ {
		t.Logf("disagreement, %d times: %s: %s", n, key, disagreements[key])
	}
}

func FuzzPush(f *testing.F) {
	f.Add(fixture(f, "push_updated.json"))
	f.Fuzz(func(t *testing.T, body []byte) { checkAll(t, New().ParsePush, body) })
}

func FuzzTrack(f *testing.F) {
	f.Add(fixture(f, "track_list.json"))
	f.Fuzz(func(t *testing.T, body []byte) { checkAll(t, New().ParseTrack, body) })
}

func checkAll(t *testing.T, parse func([]byte) ([]carriers.Event, error), body []byte) {
	events, err := parse(body)
	if err != nil && !errors.Is(err, carriers.ErrMalformed) {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := carriertest.CheckEvent(e); err != nil {
			t.Fatalf("%v: %+v", err, e)
		}
	}
}
