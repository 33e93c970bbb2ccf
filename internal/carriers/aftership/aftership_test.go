package aftership

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
	h := http.Header{}
	h.Set(signatureHeader, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return carriers.Push{Header: h, Body: body, ReceivedAt: now}
}

func TestSuite(t *testing.T) {
	carriertest.Run(t, carriertest.Suite{
		Adapter: New(),
		Pushes:  map[string][]byte{"update": carriertest.File(t, "push_update.json")},
		Tracks:  map[string][]byte{"list": carriertest.File(t, "track_list.json")},
		Sign:    sign, Signed: true,
	})
}

func TestPush(t *testing.T) {
	got, err := New().ParsePush(carriertest.File(t, "push_update.json"))
	if err != nil {
		t.Fatal(err)
	}
	carriertest.Events(t, got, `
		WB00000001GB subtag InfoReceived_001 labelled - 2026-03-02T09:30:00Z 2026-03-02T09:30:00 +00:00 zone
		WB00000001GB subtag InTransit_002 accepted - 2026-03-03T17:05:00Z 2026-03-03T17:05:00 +00:00 offset
		WB00000001GB subtag InTransit_006 in_customs customs 2026-03-04T12:00:00Z 2026-03-04T12:00:00 - date
		WB00000001GB subtag Exception_014 - - 2026-03-05T10:00:00Z 2026-03-05T11:00:00 +01:00 offset
		WB00000001GB subtag AttemptFail_002 attempt_failed recipient_unavailable 2026-03-05T17:00:00Z 2026-03-05T18:00:00 +01:00 offset
		WB00000001GB subtag Delivered_005 delivered - 2026-03-06T14:44:00Z 2026-03-06T15:44:00 +01:00 offset`)
	for i, e := range got {
		if e.Unmapped != (i == 3) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if got[5].DeliveredTo != "neighbour" || got[5].ETA.Format(time.RFC3339) != "2026-03-06T12:00:00Z" || got[5].Location != "Lille, France" || got[1].Location != "LEEDS, GBR" {
		t.Errorf("%+v", got[5])
	}
}

func TestBackToSender(t *testing.T) {
	got, err := New().ParseTrack(carriertest.File(t, "track_list.json"))
	if err != nil || len(got) != 3 || got[1].Milestone != order.Returning || got[2].Milestone != order.Returned {
		t.Errorf("%+v %v", got, err)
	}
	// Delivered first, sent back later: the first one was the buyer's.
	for flag, want := range map[string]order.Milestone{"false": order.Delivered, "true": order.Returned} {
		body := `{"meta":{"code":200},"data":{"tracking_number":"A","return_to_sender":` + flag + `,"checkpoints":[{"subtag":"Delivered_001","checkpoint_time":"2026-03-02T09:30:00Z"}]}}`
		got, err = New().ParseTrack([]byte(body))
		if err != nil || len(got) != 1 || got[0].Milestone != want {
			t.Errorf("%s: %+v %v", flag, got, err)
		}
	}
	body := `{"data":{"tracking":{"tracking_number":"A","return_to_sender":true,"checkpoints":[{"subtag":"Delivered_001","checkpoint_time":"2026-03-02T09:30:00Z"},{"subtag":"Exception_010","checkpoint_time":"2026-03-03T09:30:00Z"}]}}}`
	got, err = New().ParseTrack([]byte(body))
	if err != nil || len(got) != 2 || got[0].Milestone != order.Delivered {
		t.Errorf("%+v %v", got, err)
	}
}

func TestTraps(t *testing.T) {
	for in, want := range map[string]struct {
		table     string
		milestone order.Milestone
		unmapped  bool
		basis     carriers.Basis
	}{
		`{"tag":"InTransit","subtag":"","checkpoint_time":"2026-03-02T09:30:00Z"}`:                                     {"tag", order.InTransit, false, carriers.ByOffset},
		`{"tag":"InfoReceived","checkpoint_time":"2026-03-02T09:30:00Z"}`:                                              {"tag", order.Labelled, false, carriers.ByOffset},
		`{"subtag":"Delivered_001","checkpoint_time":"2026-03-02T09:30:00Z","events":[{"code":"returned_to_sender"}]}`: {"subtag", order.Returned, false, carriers.ByOffset},
		`{"subtag":"Delivered_001","checkpoint_time":"2026-03-02T09:30:00Z","events":"none"}`:                          {"subtag", order.Delivered, false, carriers.ByOffset},
		`{"tag":"Beamed","checkpoint_time":"2026-03-02T09:30:00Z"}`:                                                    {"tag", "", true, carriers.ByOffset},
		`{"tag":"InTransit","subtag":"InTransit_099","checkpoint_time":"2026-03-02T09:30:00Z"}`:                        {"subtag", "", true, carriers.ByOffset},
		`{"subtag":"Pending_001","checkpoint_time":"2026-03-02T09:30:00Z"}`:                                            {"subtag", "", false, carriers.ByOffset},
		`{"subtag":"Exception_011","created_at":"2026-03-02T09:30:00Z","checkpoint_time":null}`:                        {"subtag", order.Returned, false, carriers.ByReceipt},
		`{"subtag":"OutForDelivery_003","checkpoint_time":"2026-03-02 09:30:00"}`:                                      {"subtag", "", false, carriers.AssumedUTC},
		`{"subtag":"Exception_013","checkpoint_time":"2026-03-02 09:30:00"}`:                                           {"subtag", order.Lost, false, carriers.AssumedUTC},
	} {
		body := `{"event":"tracking_update","msg":{"tracking_number":"A","checkpoints":[` + in + `,{"subtag":"Delivered_001"}]}}`
		got, err := New().ParsePush([]byte(body))
		if err != nil || len(got) != 2 || got[1].Unread == "" {
			t.Errorf("%s: a checkpoint without any time is unread: %+v %v", in, got, err)
			continue
		}
		if e := got[0]; e.Table != want.table || e.Milestone != want.milestone || e.Unmapped != want.unmapped || e.Basis != want.basis {
			t.Errorf("%s: %+v", in, e)
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := New().ParseTrack([]byte(`{"meta":{"code":4004,"type":"NotFound","message":"Tracking does not exist."},"data":{}}`))
	if !errors.Is(err, carriers.ErrMalformed) || !strings.Contains(err.Error(), "Tracking does not exist.") {
		t.Error(err)
	}
	cp := `{"subtag":"InTransit_001","checkpoint_time":"2026-03-02T09:30:00Z"}`
	many := `{"event":"tracking_update","msg":{"tracking_number":"A","checkpoints":[` + strings.Repeat(cp+",", carriers.MaxEvents) + cp + `]}}`
	if _, err := New().ParsePush([]byte(many)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too many: %v", err)
	}
	if _, err := New().ParsePush(make([]byte, carriers.MaxBody+1)); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
	p := sign([]byte("{}"), []byte("s"), time.Now())
	for _, bad := range []string{"!!", "=", "AAAA"} {
		p.Header.Set(signatureHeader, bad)
		if err := New().Verify(p, [][]byte{[]byte("s")}); !errors.Is(err, carriers.ErrBadSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestPayloads parses the aggregator's own payloads, should some be stored one day.
func TestPayloads(t *testing.T) {
	carriertest.Payloads{Adapter: New(), Folders: []string{"aftership"}}.Compare(t)
}

func FuzzPush(f *testing.F) { carriertest.Fuzz(f, New().ParsePush, "push_update.json") }

func FuzzTrack(f *testing.F) { carriertest.Fuzz(f, New().ParseTrack, "track_list.json") }
