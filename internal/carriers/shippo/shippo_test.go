package shippo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func sign(body, secret []byte, now time.Time) carriers.Push {
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "." + string(body)))
	h := http.Header{}
	h.Set(signatureHeader, "t="+stamp+",v1="+hex.EncodeToString(mac.Sum(nil)))
	return carriers.Push{Header: h, Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"track_updated": carriertest.File(t, "push_track_updated.json")},
		Tracks:  map[string][]byte{"returned": carriertest.File(t, "track_returned.json")},
		Sign:    sign, Signed: true,
	})
}

// The current status must not come twice.
func TestPush(t *testing.T) {
	got, err := New().ParsePush(carriertest.File(t, "push_track_updated.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, got, `
		9205500000000000000000 status.substatus PRE_TRANSIT.information_received labelled - 2026-03-02T13:20:00Z 2026-03-02T13:20:00 - assumed
		9205500000000000000000 status TRANSIT in_transit - 2026-03-04T01:00:00Z 2026-03-04T01:00:00 - assumed
		9205500000000000000000 status.substatus TRANSIT.package_accepted accepted - 2026-03-03T02:00:00Z 2026-03-02T18:00:00 -08:00 offset
		9205500000000000000000 status.substatus TRANSIT.delivery_scheduled - - 2026-03-05T12:00:00Z 2026-03-05T12:00:00 - assumed
		9205500000000000000000 status.substatus TRANSIT.address_issue - address 2026-03-05T21:00:00Z - - received
		9205500000000000000000 status.substatus DELIVERED.delivered delivered - 2026-03-06T15:05:00Z 2026-03-06T15:05:00 - assumed`)
	if e := got[5]; e.ETA.Format(time.RFC3339) != "2026-03-07T12:00:00Z" || e.Location != "Las Vegas, NV, 89101, US" {
		t.Errorf("%+v", e)
	}
	if got[4].Description != "Address issue" {
		t.Errorf("%+v", got[4])
	}
}

func TestBackToSender(t *testing.T) {
	got, err := New().ParseTrack(carriertest.File(t, "track_returned.json"))
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v %v", got, err)
	}
	if got[0].Milestone != order.Returning || !got[1].Unmapped || got[2].Milestone != order.Returned {
		t.Errorf("%+v", got)
	}
}

// TestCodes: the status alone never says more than it knows.
func TestCodes(t *testing.T) {
	for in, want := range map[[2]string]struct {
		milestone order.Milestone
		bucket    string
		unmapped  bool
	}{
		{"PRE_TRANSIT", ""}:                   {milestone: order.Labelled},
		{"UNKNOWN", ""}:                       {},
		{"UNKNOWN", "other"}:                  {},
		{"FAILURE", ""}:                       {bucket: "failure"},
		{"FAILURE", "package_lost"}:           {milestone: order.Lost, bucket: "lost"},
		{"FAILURE", "package_disposed"}:       {milestone: order.Destroyed, bucket: "destroyed_seized"},
		{"TRANSIT", "delivery_attempted"}:     {milestone: order.AttemptFailed, bucket: "attempt"},
		{"TRANSIT", "pickup_available"}:       {milestone: order.ReadyForPickup},
		{"RETURNED", "package_unclaimed"}:     {bucket: "unclaimed"},
		{"DELIVERED", "information_received"}: {unmapped: true},
		{"transit", ""}:                       {unmapped: true},
	} {
		s := status{Status: in[0], Sub: substatus{Code: in[1]}, Date: "2026-03-02T10:00:00Z"}
		e, ok := s.event("N")
		if !ok || e.Milestone != want.milestone || e.Bucket != want.bucket || e.Unmapped != want.unmapped {
			t.Errorf("%v: %+v", in, e)
		}
	}
}

func TestReplay(t *testing.T) {
	now := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	secrets := [][]byte{[]byte("s")}
	for late, want := range map[time.Duration]error{
		0: nil, 5 * time.Minute: nil, -5 * time.Minute: nil,
		5*time.Minute + time.Second: carriers.ErrReplayed, -5*time.Minute - time.Second: carriers.ErrReplayed, 24 * time.Hour: carriers.ErrReplayed,
	} {
		p := sign([]byte("{}"), secrets[0], now)
		p.ReceivedAt = now.Add(late)
		if err := New().Verify(p, secrets); !errors.Is(err, want) {
			t.Errorf("%s late: %v", late, err)
		}
	}
	good := sign([]byte("{}"), secrets[0], now).Header.Get(signatureHeader)
	_, sum, _ := strings.Cut(good, ",")
	for _, bad := range []string{"t=1", sum, "t=,v1=", good + "," + sum, "t=1," + good, "t=99999999999999999999," + sum, good + "zz", strings.Replace(good, "t=17", "t=18", 1)} {
		p := carriers.Push{Header: http.Header{}, Body: []byte("{}"), ReceivedAt: now}
		p.Header.Set(signatureHeader, bad)
		if err := New().Verify(p, secrets); !errors.Is(err, carriers.ErrBadSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A signed time that is no number is outside every window.
	mac := hmac.New(sha256.New, secrets[0])
	mac.Write([]byte("noon.{}"))
	p := carriers.Push{Header: http.Header{}, Body: []byte("{}"), ReceivedAt: now}
	p.Header.Set(signatureHeader, "t=noon,v1="+hex.EncodeToString(mac.Sum(nil)))
	if err := New().Verify(p, secrets); !errors.Is(err, carriers.ErrReplayed) {
		t.Error(err)
	}
}

func TestErrorsAndSilence(t *testing.T) {
	a := New()
	if _, err := a.ParseTrack([]byte(`{"detail":"Track not found"}`)); !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), "Track not found") {
		t.Error(err)
	}
	if _, err := a.ParseTrack([]byte(`{"tracking_number":["required"]}`)); !errors.Is(err, carriers.ErrMalformed) {
		t.Error(err)
	}
	for _, quiet := range []string{
		`{"event":"transaction_created","data":{"object_id":"x","tracking_status":"UNKNOWN"}}`,
		`{"event":"track_updated","data":{"tracking_number":"A","tracking_status":null,"tracking_history":[]}}`,
		`{"event":"track_updated","data":{"tracking_number":"A","tracking_status":{"status":"UNKNOWN","status_date":"2026-03-02T10:00:00Z"},"tracking_history":[]}}`,
	} {
		if got, err := a.ParsePush([]byte(quiet)); err != nil || len(got) > 0 {
			t.Errorf("%s: %v %v", quiet, got, err)
		}
	}
	s := `{"status":"TRANSIT","status_date":"2026-03-02T10:00:00Z"}`
	many := `{"tracking_number":"A","tracking_history":[` + strings.Repeat(s+",", carriers.MaxEvents) + s + `]}`
	if _, err := a.ParseTrack([]byte(many)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too many: %v", err)
	}
	if _, err := a.ParseTrack(make([]byte, carriers.MaxBody+1)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
	for in, want := range map[string]bool{"": true, "soon": true, "0001-01-01T00:00:00Z": true, "2026-03-07": false} {
		if eta(in).IsZero() != want {
			t.Errorf("%q: %v", in, eta(in))
		}
	}
}

// TestPayloads parses the aggregator's own payloads, should some be stored one day.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{Adapter: New(), Folders: []string{"shippo"}}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push_track_updated.json") }

func FuzzTrack(f *testing.F) { carriertest.Fuzz(f, New().ParseTrack, "track_returned.json") }
