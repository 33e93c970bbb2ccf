package dhl

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

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

// TestPayloads parses everything that DHL and others published.
func TestPayloads(t *testing.T) {
	dir := sharedData(t)
	for _, unit := range []string{"dhl_universal", "mydhl", "dhl_express"} {
		files, _ := filepath.Glob(filepath.Join(dir, unit, "*"))
		for _, f := range files {
			payload(t, unit, f)
		}
	}
}

func payload(t *testing.T, unit, file string) {
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := unit + "/" + filepath.Base(file)
	// This sample wraps DHL's answer in a document of karrio's own.
	var wrapped struct {
		Answer json.RawMessage `json:"trackingResponse"`
	}
	if json.Unmarshal(body, &wrapped) == nil && wrapped.Answer != nil {
		body = wrapped.Answer
	}
	got, err := New().ParseTrack(body)
	t.Logf("%s: %d events, %v", name, len(got), err)
	good := strings.Contains(name, "TrackingResponse") || strings.Contains(name, "sample__") || strings.Contains(name, "_tracking_200_")
	if !good {
		// Problem reports, other calls' answers and empty results.
		if len(got) > 0 || !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
		return
	}
	if err != nil || len(got) == 0 {
		t.Errorf("%s: %d events, %v", name, len(got), err)
	}
	for _, e := range got {
		if err := carriertest.CheckEvent(e); err != nil {
			t.Errorf("%s: %v: %+v", name, err, e)
		}
	}
}

// disagreements with karrio's opinion (index.json): code and karrio's status,
// our milestone, and why.
var disagreements = map[string]string{
	"pre-transit delivered: labelled": "karrio reads the free word DELIVERED of a sample whose statusCode is pre-transit; paper is not delivery",
	"PL picked_up: in_transit":        "karrio lists PL (processed at location) as picked up; DHL's word is processed",
	"PU pending: accepted":            "karrio lists PU (picked up) as pending; it is DHL's first possession",
}

// unmapped are codes of the samples that are not in DHL's published list.
var unmapped = map[string]bool{"RW": true, "PO": true}

var sameWord = map[string]order.Milestone{
	"delivered": order.Delivered, "out_for_delivery": order.OutForDelivery, "in_transit": order.InTransit, "picked_up": order.Accepted, "": "",
}

type opinion struct {
	Carrier  string
	Payloads []struct{ File string }
	Expected struct {
		Shipments []struct {
			Number    string `json:"tracking_number"`
			Estimated string `json:"estimated_delivery"`
			Events    []struct{ Code, Status, Timestamp, Description, Location string }
		}
	}
}

func TestOpinion(t *testing.T) {
	dir := sharedData(t)
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Skipf("payloads that nobody here wrote are not here (set WAYBILL_DATA): %v", err)
	}
	var cases []opinion
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	differ := map[string]int{}
	agreed := 0
	for _, c := range cases {
		switch c.Carrier {
		case "dhl_universal", "mydhl", "dhl_express":
			if len(c.Expected.Shipments) > 0 {
				agreed += compare(t, dir, c, differ)
			}
		}
	}
	t.Logf("number, code, wall time and meaning agree on %d events", agreed)
	for key, n := range differ {
		t.Logf("disagreement, %d times: %s: %s", n, key, disagreements[key])
	}
}

// compare holds one case against our reading; karrio sorts newest first, we
// keep DHL's order, so events are found by code and time.
func compare(t *testing.T, dir string, c opinion, differ map[string]int) (agreed int) {
	body, err := os.ReadFile(filepath.Join(dir, c.Payloads[0].File))
	if err != nil {
		t.Fatal(err)
	}
	got, err := New().ParseTrack(body)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range c.Expected.Shipments {
		total += len(s.Events)
		for _, w := range s.Events {
			e, ok := find(got, s.Number, w.Code, w.Timestamp)
			if !ok {
				t.Errorf("%s: no %s at %s", s.Number, w.Code, w.Timestamp)
				continue
			}
			if e.Unmapped != unmapped[w.Code] {
				t.Errorf("%s: unmapped %v", w.Code, e.Unmapped)
			}
			if e.Milestone == sameWord[w.Status] && (w.Status != "" || e.Unmapped) {
				agreed++
				continue
			}
			key := w.Code + " " + w.Status + ": " + string(e.Milestone)
			if disagreements[key] == "" {
				t.Errorf("a new disagreement: %s", key)
			}
			differ[key]++
		}
		if s.Estimated != "" && !promised(got, s.Number, s.Estimated) {
			t.Errorf("%s: no estimate of %s", s.Number, s.Estimated)
		}
	}
	if total != len(got) {
		t.Errorf("%s: %d events, karrio has %d", c.Payloads[0].File, len(got), total)
	}
	return agreed
}

func find(events []carriers.Event, number, code, at string) (carriers.Event, bool) {
	for _, e := range events {
		// karrio drops the seconds of Express.
		if e.Tracking == number && e.Code == code && strings.HasPrefix(at, e.Local[:16]) {
			return e, true
		}
	}
	return carriers.Event{}, false
}

func promised(events []carriers.Event, number, day string) bool {
	for _, e := range events {
		if e.Tracking == number && e.ETA.Format(time.DateOnly) == day {
			return true
		}
	}
	return false
}
