package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/epcis"
	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func testSSCC(n int) string {
	digits := fmt.Sprintf("39521234%09d", n)
	check, _ := gs1.CheckDigit(digits)
	return digits + string(check)
}

// capture has events in a document. Each is what is usual and then its own fields.
func capture(own ...string) string {
	events := slices.Clone(own)
	for i, own := range events {
		if own = strings.Trim(own, " \n\t"); own != "" {
			own = "," + own
		}
		events[i] = `{"eventTime":"2026-11-21T08:15:00.250-05:00","eventTimeZoneOffset":"-05:00","action":"OBSERVE","bizStep":"shipping"` + own
		if !strings.Contains(own, `Event"`) {
			events[i] += `,"type":"ObjectEvent"`
		}
		events[i] += "}"
	}
	return `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"acme":"https://acme.example/"}],"type":"EPCISDocument","schemaVersion":"2.0","epcisBody":{"eventList":[` + strings.Join(events, ",") + `]}}`
}

func po(number string) string {
	return `"bizTransactionList":[{"type":"po","bizTransaction":"` + number + `"}]`
}

func epcs(ns ...int) string {
	var ids []string
	for _, n := range ns {
		ids = append(ids, `"https://id.gs1.org/00/`+testSSCC(n)+`"`)
	}
	return `"epcList":[` + strings.Join(ids, ",") + `]`
}

func TestCaptureEPCIS(t *testing.T) {
	b := newBench(t)
	body := capture(
		`"eventID":"urn:uuid:1",`+epcs(1, 2)+`,"disposition":"in_transit","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.d4"}`,
		`"eventID":"urn:uuid:2","bizStep":"picking","epcList":["urn:epc:id:sgtin:9521234.012345.1"],`+po("urn:epcglobal:cbv:bt:9521234000013:acme:1001%2F2"),
		`"eventID":"urn:uuid:3","type":"TransformationEvent"`,
		`"eventID":"urn:uuid:1","errorDeclaration":{"declarationTime":"2026-11-21T09:00:00Z"}`,
		epcs(3),
		`"eventID":"urn:uuid:4","eventTime":"2026-11-23T12:00:01Z",`+epcs(4),
		`"eventID":"urn:uuid:5","eventTime":"1999-12-31T12:00:00Z",`+epcs(4),
		`"eventID":"urn:uuid:6"`,
		`"eventID":"urn:uuid:7","epcList":["https://id.gs1.org/00/395212340000000000"]`,
	)
	// The event that was declared wrong in the same breath is not taken either.
	got := read[captureResults](b.call("POST", "/v1/epcis/capture", b.keys[Warehouse], body).want(200))
	if got.Results[0].Result != rejected || got.Results[0].Field != "eventID" || got.Results[3].Field != "errorDeclaration" {
		t.Errorf("%+v", got.Results)
	}
	body = strings.Replace(body, `"eventID":"urn:uuid:1","errorDeclaration"`, `"eventID":"urn:uuid:8","errorDeclaration"`, 1)
	got = read[captureResults](b.call("POST", "/v1/epcis/capture", b.keys[Warehouse], body, "Content-Type", "application/ld+json; charset=utf-8", "GS1-EPCIS-Version", "2.0.0", "GS1-Capture-Error-Behaviour", "proceed").want(200))
	var said []string
	for _, r := range got.Results {
		said = append(said, r.Result+" "+r.Field)
	}
	want := []string{"accepted ", "duplicate ", "rejected type", "rejected errorDeclaration", "duplicate ", "rejected eventTime", "rejected eventTime", "rejected ", "rejected epcList[0]"}
	if !slices.Equal(said, want) || got.Accepted != 1 || got.Duplicate != 2 || got.Orphan != 0 || got.Rejected != 6 || !strings.HasPrefix(got.Results[4].ID, "fp:") || got.Results[1].ID != "urn:uuid:2" {
		t.Errorf("%v\n%+v", said, got)
	}
	for _, r := range got.Results {
		if r.Result == rejected && r.Reason == "" {
			t.Errorf("%+v", r)
		}
	}
	if len(got.Results[0].Scans) != 2 || got.Results[0].Scans[1] != (capturedScan{Tracking: testSSCC(2), Kind: "handed_over", Result: "accepted"}) ||
		got.Results[1].Scans[0] != (capturedScan{Order: "acme:1001", Parcel: "2", Kind: "picked", Result: "duplicate"}) {
		t.Errorf("%+v", got.Results)
	}
	id, _, _ := parseKey(b.keys[Warehouse])
	i := slices.IndexFunc(b.facts, func(f store.Fact) bool { return f.Tracking == testSSCC(1) })
	wantFact := store.Fact{
		Source: "warehouse", EventID: "/urn:uuid:1#" + testSSCC(1), Kind: store.KindScan, Tracking: testSSCC(1), Milestone: "handed_over", Code: "shipping",
		OccurredAt: time.Date(2026, 11, 21, 13, 15, 0, 250e6, time.UTC), LocalTime: "2026-11-21T08:15:00.25", UTCOffset: "-05:00", TimeBasis: "offset",
		Location: "urn:epc:id:sgln:9521234.00001.d4", Actor: "key:" + id,
	}
	if b.facts[i] != wantFact {
		t.Errorf("fact\n%+v, want\n%+v", b.facts[i], wantFact)
	}
	if !slices.ContainsFunc(b.facts, func(f store.Fact) bool {
		return f.EventID == "acme/urn:uuid:2" && f.RefOrder == "acme:1001" && f.RefParcel == "2"
	}) || len(b.facts) != 4 {
		t.Errorf("%+v", b.facts)
	}
	for _, f := range b.facts {
		sound(t, f)
	}
	if len(b.faults) != 2 || b.faults[0].Kind != store.Retraction || b.faults[0].Key != "urn:uuid:1" || b.faults[1].Key != "urn:uuid:8" || b.faults[0].Title == "" {
		t.Errorf("%+v", b.faults)
	}
	counted := b.call("GET", "/metrics", "", "").Body.String()
	for _, line := range []string{`result="retraction",source="epcis"} 2`, `result="unsupported",source="epcis"} 2`, `result="accepted",source="epcis"} 3`, `result="rejected",source="epcis"} 13`} {
		if !strings.Contains(counted, line) {
			t.Errorf("%s is not counted", line)
		}
	}
}

func TestCaptureOfABatchOfTagReads(t *testing.T) {
	b := newBench(t)
	var events []string
	for i := range 90 { // two boxes in a gate for 90 seconds, one read a second, newest first
		at := time.Date(2026, 11, 21, 8, 0, 89-i, 0, time.UTC).Format(time.RFC3339)
		events = append(events, fmt.Sprintf(`"eventID":"urn:r:%d","eventTime":"%s","bizStep":"loading","readPoint":{"id":"gate"},%s`, 89-i, at, epcs(1, 2)))
	}
	got := read[captureResults](b.call("POST", "/v1/epcis/capture", b.keys[Warehouse], capture(events...)).want(200))
	if got.Accepted != 2 || got.Duplicate != 88 || len(b.facts) != 4 {
		t.Errorf("%d accepted, %d duplicates, %d facts", got.Accepted, got.Duplicate, len(b.facts))
	}
	if first := got.Results[89]; first.ID != "urn:r:0" || first.Scans[0].Reads != 61 || first.Scans[0].Result != "accepted" {
		t.Errorf("%+v", first)
	}
	for _, f := range b.facts {
		if s := f.OccurredAt.Second(); (f.OccurredAt.Minute() != 0 || s != 0 || f.Description != "read 61 times") && (f.OccurredAt.Minute() != 1 || s != 1 || f.Description != "read 29 times") {
			t.Errorf("%+v", f)
		}
	}
	// Told again, nothing is new.
	if got = read[captureResults](b.call("POST", "/v1/epcis/capture", b.keys[Warehouse], capture(events...)).want(200)); got.Duplicate != 90 || len(b.facts) != 4 {
		t.Errorf("%+v", got)
	}
}

func TestCaptureNamesParcels(t *testing.T) {
	free, bound := &caller{}, &caller{key: store.APIKey{Store: "acme"}}
	two := []string{testSSCC(1), testSSCC(2)}
	for name, c := range map[string]struct {
		who     *caller
		parcels []string
		orders  []string
		want    string // RefOrder/RefParcel Tracking, or a part of the reason
	}{
		"SSCCs":                       {free, two, nil, "/ " + two[0] + " / " + two[1]},
		"order and parcel":            {free, nil, []string{"acme:1/2"}, "acme:1/2 "},
		"order, parcel and SSCC":      {free, two[:1], []string{"acme:1/2"}, "acme:1/2 " + two[0]},
		"order alone":                 {free, nil, []string{"acme:1"}, "acme:1/1 "},
		"order and SSCCs":             {free, two, []string{"acme:1"}, "/ " + two[0] + " / " + two[1]},
		"orders and SSCCs":            {free, two, []string{"acme:1", "acme:2"}, "/ " + two[0] + " / " + two[1]},
		"another's number":            {free, two[:1], []string{"https://shop.example/po/7", "7"}, "/ " + two[0]},
		"the same twice":              {free, nil, []string{"acme:1/2", "acme:1/2"}, "acme:1/2 "},
		"nothing":                     {free, nil, nil, "names no parcel"},
		"another's number alone":      {free, nil, []string{"7", "urn:epc:id:gdti:9521234.00001.1", "acme:1/a b"}, "names no parcel"},
		"several orders":              {free, nil, []string{"acme:1/2", "acme:2"}, "several orders"},
		"one parcel, two SSCCs":       {free, two, []string{"acme:1/2"}, "2 SSCCs"},
		"bound: order and parcel":     {bound, nil, []string{"acme:1/2"}, "acme:1/2 "},
		"bound: number and parcel":    {bound, two[:1], []string{"1/2"}, "acme:1/2 " + two[0]},
		"bound: number":               {bound, nil, []string{"1"}, "acme:1/1 "},
		"bound: SSCC":                 {bound, two[:1], nil, "/ " + two[0]},
		"bound: SSCC and order":       {bound, two[:1], []string{"acme:1"}, "/ " + two[0]},
		"bound: another store":        {bound, nil, []string{"bolt:1/2"}, "another store"},
		"bound: another store, SSCC":  {bound, two[:1], []string{"bolt:1/2"}, "another store"},
		"bound: another store, order": {bound, two[:1], []string{"bolt:1"}, "another store"},
		"bound: two stores":           {bound, two[:1], []string{"acme:1/2", "bolt:1/2"}, "another store"},
		"bound: two orders":           {bound, nil, []string{"acme:1/2", "acme:2"}, "several orders"},
		"bound: nothing":              {bound, nil, nil, "names no parcel"},
	} {
		it := &epcis.Item{Event: epcis.Event{ID: "e", Orders: c.orders}, Kind: order.ScanPacked, Parcels: c.parcels}
		facts, r := scansOf(it, c.who)
		var said []string
		ids := map[string]bool{}
		for _, f := range facts {
			said = append(said, f.RefOrder+"/"+f.RefParcel+" "+f.Tracking)
			ids[f.EventID] = true
			if c.who == bound && storeOf(&f) != "acme" {
				t.Errorf("%s: a key of acme touches %+v", name, f)
			}
		}
		if got := strings.Join(said, " "); r == nil && got != c.want || r != nil && !strings.Contains(r.Reason, c.want) || len(ids) != len(facts) {
			t.Errorf("%s: %q %v, want %q", name, got, r, c.want)
		}
	}
}

func TestCaptureRefusals(t *testing.T) {
	b := newBench(t)
	post := func(body string, headers ...string) answer {
		t.Helper()
		return b.call("POST", "/v1/epcis/capture", b.keys[Warehouse], body, headers...)
	}
	good := capture(epcs(1))
	for _, media := range []string{"application/xml", "text/xml", "application/epcis+xml"} {
		if p := read[problem](post("<epcis:EPCISDocument/>", "Content-Type", media).refuses(415, "unsupported-media-type", "-")); !strings.Contains(p.Detail, "XML is not read") || !strings.Contains(p.Detail, "application/ld+json") {
			t.Errorf("%s: %s", media, p.Detail)
		}
	}
	post(good, "Content-Type", "text/plain").refuses(415, "unsupported-media-type", "-")
	post(good, "GS1-EPCIS-Version", "1.2").refuses(422, "invalid", "GS1-EPCIS-Version")
	post(good, "GS1-Capture-Error-Behaviour", "rollback").refuses(422, "invalid", "GS1-Capture-Error-Behaviour")
	post(`{"type":"EPCISDocument","schemaVersion":"1.2"}`).refuses(422, "invalid", "schemaVersion")
	post(`{"type":"EPCISDocument","epcisBody":{"eventList":[`+strings.Repeat(`{},`, 1000)+`{}]}}`).refuses(422, "invalid", "epcisBody.eventList")
	post(`[]`).refuses(422, "invalid", "")
	post(`{"type":"EPCISDocument","epcisBody":`+strings.Repeat(`[`, 20_000)+strings.Repeat(`]`, 20_000)+`}`).refuses(400, "malformed", "-")
	post(`{"type":"EPCISDocument","epcisBody":`+strings.Repeat(`[`, 5_000)+strings.Repeat(`]`, 5_000)+`}`).refuses(422, "invalid", "epcisBody")
	post(`{"type":`).refuses(400, "malformed", "-")
	post(strings.Repeat(" ", 10<<20)).refuses(413, "too-large", "-")
	b.call("POST", "/v1/epcis/capture", b.keys[Storefront], good).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/epcis/capture", "", good).refuses(401, "unauthenticated", "-")
	if len(b.facts) != 0 {
		t.Errorf("%+v", b.facts)
	}
	bad := read[captureResults](post(capture(epcs(1), "\"acme:x\":\"\xff\"", `"acme:x":`+strings.Repeat(`[`, 5_000)+strings.Repeat(`]`, 5_000)+`,`+epcs(2), strings.TrimSuffix(epcs(make([]int, 10_000)...), ","))).want(200))
	if bad.Accepted != 2 || bad.Rejected != 2 || bad.Results[1].Reason != "is not UTF-8" || bad.Results[3].Field != "epcList" {
		t.Errorf("%+v", bad)
	}
	a := post(good).want(200)
	for header, want := range map[string]string{"GS1-EPCIS-Version": "2.0", "GS1-CBV-Version": "2.0", "GS1-EPCIS-Capture-Limit": "1000", "GS1-EPCIS-Capture-File-Size-Limit": "4194304", "GS1-Capture-Error-Behaviour": "proceed"} {
		if a.Header().Get(header) != want {
			t.Errorf("%s is %q", header, a.Header().Get(header))
		}
	}
	b.fail = fmt.Errorf("commit failed")
	post(capture(epcs(7))).refuses(500, "internal", "-") // nothing was promised
}

func FuzzCaptureEPCIS(f *testing.F) {
	f.Add([]byte(capture(epcs(1, 2)+","+po("acme:1001/2"), epcs(3))))
	f.Add([]byte(capture(`"type":"AggregationEvent","action":"ADD","parentID":"https://id.gs1.org/00/`+testSSCC(9)+`","childEPCs":["https://id.gs1.org/00/`+testSSCC(1)+`"]`, epcs(9))))
	f.Add([]byte(capture(po("acme:1001"), `"errorDeclaration":{}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, who := range []*caller{{}, {key: store.APIKey{Store: "acme"}}} {
			items, refusal := epcis.Read(body)
			if refusal != nil {
				return
			}
			for i := range items {
				facts, r := scansOf(&items[i], who)
				if r == nil && believable("eventTime", items[i].Time, testNow) == nil {
					for _, fact := range facts {
						sound(t, fact)
						if who.key.Store != "" && storeOf(&fact) != "acme" {
							t.Errorf("a key of acme touches %+v", fact)
						}
					}
				}
				if r == nil && len(facts) == 0 {
					t.Error("taken, and says nothing")
				}
			}
		}
	})
}

// The bodies of the other operations are still JSON alone.
func TestMediaTypesAreThoseOfTheContract(t *testing.T) {
	b := newBench(t)
	req := httptest.NewRequest("POST", "/v1/scans", strings.NewReader(`{"scans":[]}`))
	req.Header.Set("Authorization", "Bearer "+b.keys[Warehouse])
	req.Header.Set("Content-Type", "application/ld+json")
	b.send(req).refuses(415, "unsupported-media-type", "-")
	req = httptest.NewRequest("POST", "/v1/scans", strings.NewReader(string(mustJSON(map[string]any{"scans": []json.RawMessage{[]byte(`1`)}}))))
	req.Header.Set("Authorization", "Bearer "+b.keys[Warehouse])
	req.Header.Set("Content-Type", "Application/JSON; charset=UTF-8")
	b.send(req).want(200)
}
