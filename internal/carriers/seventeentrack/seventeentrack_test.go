package seventeentrack

import (
	"crypto/sha256"
	"encoding/hex"
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
	sum := sha256.Sum256([]byte(string(body) + "/" + string(secret)))
	h := http.Header{}
	h.Set(signatureHeader, hex.EncodeToString(sum[:]))
	return carriers.Push{Header: h, Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"updated": carriertest.File(t, "push_updated.json")},
		Tracks:  map[string][]byte{"info": carriertest.File(t, "track_info.json")},
		Sign:    sign, Signed: true,
	})
}

func TestPush(t *testing.T) {
	got, err := New().ParsePush(carriertest.File(t, "push_updated.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, got, `
		LX000000001CN sub_status Delivered_Other delivered - 2026-03-10T19:33:00Z 2026-03-10T12:33:00 -07:00 offset
		LX000000001CN sub_status InTransit_CustomsProcessing in_customs customs 2026-03-08T17:00:00Z 2026-03-08T09:00:00 -08:00 zone
		LX000000001CN sub_status InTransit_PickedUp accepted - 2026-03-03T12:00:00Z 2026-03-03T12:00:00 - date
		LX000000001CN stage InfoReceived labelled - 2026-03-02T12:00:00Z 2026-03-02T20:00:00 +08:00 zone
		unread`)
	for i, want := range []string{"RENO, NV", "LOS ANGELES, CA, US", "Shenzhen", ""} {
		if got[i].Location != want {
			t.Errorf("event %d in %q", i, got[i].Location)
		}
	}
	if eta := got[0].ETA.Format(time.RFC3339); eta != "2026-03-11T12:00:00Z" {
		t.Errorf("the estimate is a day: %s", eta)
	}
}

func TestTrack(t *testing.T) {
	got, err := New().ParseTrack(carriertest.File(t, "track_info.json"))
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v %v", got, err)
	}
	if got[0].Milestone != order.Returned || got[1].Milestone != order.Returning || !got[2].Unmapped {
		t.Errorf("delivered after it turned round is the sender's: %+v", got)
	}
	if e := got[3]; e.Table != tableStatus || e.Code != "InTransit" || e.Basis != carriers.AssumedUTC || e.Local != "2026-03-06T10:00:00" {
		t.Errorf("%+v", e)
	}
}

func TestCodes(t *testing.T) {
	for code, want := range map[string]struct {
		milestone order.Milestone
		bucket    string
	}{
		"InfoReceived": {order.Labelled, ""}, "NotFound_Other": {}, "Expired_Other": {}, "Exception_Cancel": {},
		"InTransit_PickedUp": {order.Accepted, ""}, "DeliveryFailure_NoBody": {order.AttemptFailed, "recipient_unavailable"},
		"DeliveryFailure_Rejected": {"", "refused"}, "Exception_Lost": {order.Lost, "lost"}, "Exception_Destroyed": {order.Destroyed, "destroyed_seized"},
		"Exception_Returned": {order.Returned, ""}, "AvailableForPickup_Other": {order.ReadyForPickup, ""},
	} {
		if r := Codes.Read(tableSub, code); r.Unmapped || r.Milestone != want.milestone || r.Bucket != want.bucket {
			t.Errorf("%s: %+v", code, r)
		}
	}
	if !Codes.Read(tableSub, "Delivered").Unmapped || Codes.Read(tableStage, "Delivered").Unmapped {
		t.Error("the same word is not in every table")
	}
}

func TestMoment(t *testing.T) {
	for _, c := range []struct {
		s      scan
		utc    string
		offset string
		basis  carriers.Basis
	}{
		{scan{ISO: "2026-03-02T09:15:00+05:30"}, "2026-03-02T03:45:00Z", "+05:30", carriers.ByOffset},
		{scan{UTC: "2026-03-02T09:15:00Z"}, "2026-03-02T09:15:00Z", "+00:00", carriers.ByOffset},
		{scan{ISO: "2026-03-02T09:15:00"}, "2026-03-02T09:15:00Z", "", carriers.AssumedUTC},
		{scan{ISO: "2026-03-02"}, "2026-03-02T12:00:00Z", "", carriers.DateOnly},
		{scan{Raw: raw{"2026-03-02", "09:15:00", "-05:00"}}, "2026-03-02T14:15:00Z", "-05:00", carriers.ByOffset},
		{scan{Raw: raw{"2026-03-02", "09:15:00", ""}}, "2026-03-02T09:15:00Z", "", carriers.AssumedUTC},
		{scan{Raw: raw{"2026-03-02", "", ""}}, "2026-03-02T12:00:00Z", "", carriers.DateOnly},
		{scan{ISO: "2026-03-02T09:15:00+01:00", Raw: raw{"2.3.2026", "", ""}}, "2026-03-02T08:15:00Z", "+01:00", carriers.ByZone},
	} {
		m, ok := c.s.moment()
		if !ok || m.UTC.Format(time.RFC3339) != c.utc || m.Offset != c.offset || m.Basis != c.basis {
			t.Errorf("%+v: %+v %v", c.s, m, ok)
		}
	}
	for _, bad := range []scan{{}, {ISO: "0001-01-01T00:00:00Z"}, {Raw: raw{"soon", "later", ""}}} {
		if m, ok := bad.moment(); ok {
			t.Errorf("%+v: %+v", bad, m)
		}
	}
}

func TestErrorsAndSilence(t *testing.T) {
	a := New()
	for body, says := range map[string]string{
		`{"code":-18010002,"data":{"errors":[{"code":-18010002,"message":"Access token is invalid."}]}}`:                      "-18010002 Access token is invalid.",
		`{"code":0,"data":{"accepted":[],"rejected":[{"number":"X","error":{"code":-18019902,"message":"not registered"}}]}}`: "X: not registered",
		`{"code":-18010003}`: "-18010003 no reason given",
	} {
		if got, err := a.ParseTrack([]byte(body)); len(got) > 0 || !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v %v", body, got, err)
		}
	}
	for _, quiet := range []string{
		`{"event":"TRACKING_STOPPED","data":{"number":"A","carrier":3011}}`,
		`{"event":"TRACKING_UPDATED","data":{"number":"A","track_info":{"latest_status":{"status":"NotFound"},"tracking":{"providers":null}}}}`,
	} {
		if got, err := a.ParsePush([]byte(quiet)); err != nil || len(got) > 0 {
			t.Errorf("%s: %v %v", quiet, got, err)
		}
	}
	s := `{"time_iso":"2026-03-02T10:00:00Z","sub_status":"InTransit_Other"}`
	many := `{"event":"TRACKING_UPDATED","data":{"number":"A","track_info":{"tracking":{"providers":[{"events":[` + strings.Repeat(s+",", carriers.MaxEvents) + s + `]}]}}}}`
	if _, err := a.ParsePush([]byte(many)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too many: %v", err)
	}
	if _, err := a.ParseTrack(make([]byte, carriers.MaxBody+1)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
}

// TestSignature holds Verify against a digest that sha256sum made of
// {"event":"x"}/key, so that both sides are not wrong alike.
func TestSignature(t *testing.T) {
	p := carriers.Push{Header: http.Header{}, Body: []byte(`{"event":"x"}`)}
	p.Header.Set("Sign", "da454cd75f433631f268b3d5e39f7f3238abb4b231a610b4ddacea1a9e04ad30")
	if err := New().Verify(p, [][]byte{[]byte("key")}); err != nil {
		t.Error(err)
	}
	p.Header.Set("sign", strings.ToUpper("da454cd75f433631f268b3d5e39f7f3238abb4b231a610b4ddacea1a9e04ad30"))
	if err := New().Verify(p, [][]byte{[]byte("key")}); err != nil {
		t.Errorf("upper case: %v", err)
	}
	for _, bad := range []string{"zz", "00", "da454cd75f433631f268b3d5e39f7f3238abb4b231a610b4ddacea1a9e04ad3000"} {
		p.Header.Set("sign", bad)
		if err := New().Verify(p, [][]byte{[]byte("key")}); !errors.Is(err, carriers.ErrBadSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestPayloads parses the aggregator's own payloads, should some be stored one day.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{Adapter: New(), Folders: []string{"17track"}}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push_updated.json") }

func FuzzTrack(f *testing.F) { carriertest.Fuzz(f, New().ParseTrack, "track_info.json") }
