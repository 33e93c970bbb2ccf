package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/waybillhq/waybill/internal/epcis"
	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestScans(t *testing.T) {
	b := newBench(t)
	body := `{"scans":[
		{"id":"s-1","kind":"picked","order":"acme:1001","occurred_at":"2026-11-21T08:15:00.250-05:00","location":"Dock\u0000 4 \u202egnp","station":"st 9"},
		{"id":"s-1","kind":"picked","order":"acme:1001","occurred_at":"2026-11-21T08:15:00-05:00"},
		{"id":"s-2","kind":"flown","order":"acme:1001","occurred_at":"2026-11-21T08:15:00-05:00"},
		{"id":"s-3","kind":"returned","carrier":"ups","tracking":"unknown 1","occurred_at":"2026-11-21T08:15:00Z"},
		{"id":"s-1","kind":"packed","order":"bolt:7","parcel":"2","occurred_at":"2026-11-21T13:15:00Z"},
		17]}`
	got := read[factResults](b.call("POST", "/v1/scans", b.keys[Warehouse], body).want(200))
	want := "[{0 s-1 accepted  } {1 s-1 duplicate  } {2 s-2 rejected kind must be one of received, picked, packed, sorted, labelled, handed_over, returned} {3 s-3 orphan  } {4 s-1 accepted  } {5  rejected  must be an object}]"
	if fmt.Sprint(got.Results) != want || got.Accepted != 2 || got.Duplicate != 1 || got.Orphan != 1 || got.Rejected != 2 {
		t.Errorf("%+v", got)
	}
	id, _, _ := parseKey(b.keys[Warehouse])
	wantFact := store.Fact{
		Source: "warehouse", EventID: "acme/s-1", Kind: store.KindScan, RefOrder: "acme:1001", RefParcel: "1", Milestone: "picked",
		OccurredAt: time.Date(2026, 11, 21, 13, 15, 0, 250e6, time.UTC), LocalTime: "2026-11-21T08:15:00.250", UTCOffset: "-05:00", TimeBasis: "offset",
		Location: "Dock 4 gnp", Actor: "key:" + id + "/st 9",
	}
	if b.facts[0] != wantFact {
		t.Errorf("fact\n%+v, want\n%+v", b.facts[0], wantFact)
	}
	if f := b.facts[1]; f.Tracking != "UNKNOWN1" || f.RefOrder != "" || f.RefParcel != "" || f.UTCOffset != "+00:00" || f.Actor != "key:"+id {
		t.Errorf("%+v", f)
	}
	counted := b.call("GET", "/metrics", "", "").Body.String()
	for _, line := range []string{
		`waybill_facts_total{result="accepted",source="warehouse"} 2`, `waybill_facts_total{result="duplicate",source="warehouse"} 1`,
		`waybill_facts_total{result="orphan",source="warehouse"} 1`, `waybill_facts_total{result="rejected",source="warehouse"} 2`,
	} {
		if !strings.Contains(counted, line) {
			t.Errorf("%s is not counted", line)
		}
	}
}

func TestCarrierEvents(t *testing.T) {
	b := newBench(t)
	body := `{"events":[
		{"id":"e-1","tracking":"1z 999","milestone":"accepted","code":"OR","bucket":"movement","description":"Origin\tscan","location":"Louisville, KY","occurred_at":"2026-11-21T18:40:00+14:00","eta":"2026-11-24T22:00:00+01:00"},
		{"tracking":"1Z999","milestone":"delivered","physical":false,"occurred_at":"2026-11-21T09:00:00Z","correction":true},
		{"tracking":"1Z999","occurred_at":"2026-11-21T09:00:00Z"},
		{"tracking":"1Z999","milestone":"lost","occurred_at":"2026-11-21T09:00:00Z"},
		{"tracking":"UNKNOWN1","code":"X","occurred_at":"2026-11-21T09:00:00Z"}]}`
	got := read[factResults](b.call("POST", "/v1/carriers/ups/events", b.keys[Carrier], body).want(200))
	if got.Accepted != 3 || got.Orphan != 1 || got.Rejected != 1 || got.Results[2].Field != "milestone" || !strings.HasPrefix(got.Results[1].ID, "fp:") || got.Results[0].ID != "e-1" {
		t.Errorf("%+v", got)
	}
	eta := time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)
	f := b.facts[0]
	if f.ETA == nil || !f.ETA.Equal(eta) {
		t.Errorf("eta %v", f.ETA)
	}
	f.ETA = nil
	id, _, _ := parseKey(b.keys[Carrier])
	want := store.Fact{
		Source: "carrier:ups", EventID: "e-1", Kind: store.KindCarrierEvent, Carrier: "ups", Tracking: "1Z999", Milestone: "accepted", Code: "OR", Bucket: "movement",
		Physical: true, Description: "Origin scan", Location: "Louisville, KY", OccurredAt: time.Date(2026, 11, 21, 4, 40, 0, 0, time.UTC),
		LocalTime: "2026-11-21T18:40:00", UTCOffset: "+14:00", TimeBasis: "offset", Actor: "key:" + id,
	}
	if f != want {
		t.Errorf("fact\n%+v, want\n%+v", f, want)
	}
	if b.facts[1].Physical || !b.facts[1].Correction || b.facts[2].Physical {
		t.Errorf("physical: %+v", b.facts)
	}
	// The same again, as carriers do.
	if again := read[factResults](b.call("POST", "/v1/carriers/ups/events", b.keys[Carrier], body).want(200)); again.Duplicate != 4 || again.Rejected != 1 {
		t.Errorf("%+v", again)
	}
	b.call("POST", "/v1/carriers/UPS/events", b.keys[Carrier], body).refuses(422, "invalid", "carrier")
}

func TestRejectedItems(t *testing.T) {
	at := `"occurred_at":"2026-11-21T08:00:00Z"`
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	scans := map[string]struct{ item, field string }{
		"unknown field":         {`{"kind":"picked","order":"acme:1","colour":1,` + at + `}`, "colour"},
		"kind missing":          {`{"order":"acme:1",` + at + `}`, "kind"},
		"kind a number":         {`{"kind":1,"order":"acme:1",` + at + `}`, "kind"},
		"no parcel named":       {`{"kind":"picked",` + at + `}`, "order"},
		"parcel without order":  {`{"kind":"picked","parcel":"1","carrier":"ups","tracking":"ABCD",` + at + `}`, "order"},
		"bad order":             {`{"kind":"picked","order":"acme",` + at + `}`, "order"},
		"bad parcel":            {`{"kind":"picked","order":"acme:1","parcel":"a b",` + at + `}`, "parcel"},
		"bad carrier":           {`{"kind":"labelled","order":"acme:1","carrier":"U P S","tracking":"ABCD",` + at + `}`, "carrier"},
		"bad tracking":          {`{"kind":"labelled","order":"acme:1","carrier":"ups","tracking":"A;B",` + at + `}`, "tracking"},
		"tracking, no carrier":  {`{"kind":"labelled","order":"acme:1","tracking":"ABCD",` + at + `}`, "carrier"},
		"barcode and tracking":  {`{"kind":"sorted","carrier":"ups","tracking":"ABCD","barcode":"ABCD",` + at + `}`, "barcode"},
		"barcode, no carrier":   {`{"kind":"sorted","barcode":"1Z999AA10123456784",` + at + `}`, "carrier"},
		"wrong check digit":     {`{"kind":"sorted","barcode":"(00)395212340000000015",` + at + `}`, "barcode"},
		"barcode of goods":      {`{"kind":"sorted","barcode":"]C10110614141073464",` + at + `}`, "barcode"},
		"barcode with a NUL":    {`{"kind":"sorted","carrier":"ups","barcode":"AB\u0000CD",` + at + `}`, "barcode"},
		"long barcode":          {`{"kind":"sorted","carrier":"ups","barcode":"` + strings.Repeat("1", 513) + `",` + at + `}`, "barcode"},
		"no time":               {`{"kind":"picked","order":"acme:1"}`, "occurred_at"},
		"time without offset":   {`{"kind":"picked","order":"acme:1","occurred_at":"2026-11-21T08:00:00"}`, "occurred_at"},
		"time on no day":        {`{"kind":"picked","order":"acme:1","occurred_at":"2026-02-30T08:00:00Z"}`, "occurred_at"},
		"time of no place":      {`{"kind":"picked","order":"acme:1","occurred_at":"2026-11-21T08:00:00+23:00"}`, "occurred_at"},
		"time with comma":       {`{"kind":"picked","order":"acme:1","occurred_at":"2026-11-21T08:00:00,5Z"}`, "occurred_at"},
		"49 hours ahead":        {`{"kind":"picked","order":"acme:1","occurred_at":"2026-11-23T13:00:01Z"}`, "occurred_at"},
		"in 1999":               {`{"kind":"picked","order":"acme:1","occurred_at":"1999-12-31T23:59:59Z"}`, "occurred_at"},
		"in year 9999":          {`{"kind":"picked","order":"acme:1","occurred_at":"9999-12-31T23:59:59Z"}`, "occurred_at"},
		"time a number":         {`{"kind":"picked","order":"acme:1","occurred_at":1e400}`, "occurred_at"},
		"empty ID":              {`{"id":"","kind":"picked","order":"acme:1",` + at + `}`, "id"},
		"long ID":               {`{"id":"` + strings.Repeat("x", 201) + `","kind":"picked","order":"acme:1",` + at + `}`, "id"},
		"ID with a line break":  {`{"id":"a\nb","kind":"picked","order":"acme:1",` + at + `}`, "id"},
		"not UTF-8":             {"{\"kind\":\"picked\",\"order\":\"acme:1\",\"location\":\"\xff\"," + at + "}", ""},
		"deep":                  {`{"kind":` + deep + `}`, "kind"},
		"deep in unknown field": {`{"x":` + deep + `}`, "x"},
		"a list":                {`[]`, ""},
		"null":                  {`null`, ""},
		"a string":              {`"scan"`, ""},
	}
	events := map[string]struct{ item, field string }{
		"unknown field":     {`{"tracking":"ABCD","code":"x","colour":1,` + at + `}`, "colour"},
		"no tracking":       {`{"code":"x",` + at + `}`, "tracking"},
		"unknown milestone": {`{"tracking":"ABCD","milestone":"teleported",` + at + `}`, "milestone"},
		"bad bucket":        {`{"tracking":"ABCD","code":"x","bucket":"No Way",` + at + `}`, "bucket"},
		"long code":         {`{"tracking":"ABCD","code":"` + strings.Repeat("x", 65) + `",` + at + `}`, "code"},
		"code with NUL":     {`{"tracking":"ABCD","code":"x\u0000",` + at + `}`, "code"},
		"bad eta":           {`{"tracking":"ABCD","code":"x","eta":"soon",` + at + `}`, "eta"},
		"eta in 3 years":    {`{"tracking":"ABCD","code":"x","eta":"2029-11-21T08:00:00Z",` + at + `}`, "eta"},
		"physical a word":   {`{"tracking":"ABCD","code":"x","physical":"yes",` + at + `}`, "physical"},
		"says nothing":      {`{"tracking":"ABCD","location":"here",` + at + `}`, "milestone"},
	}
	b := newBench(t)
	check := func(path, list, scope string, items map[string]struct{ item, field string }, good string) {
		for name, c := range items {
			t.Run(list+" "+name, func(t *testing.T) {
				a := b.call("POST", path, b.keys[scope], `{"`+list+`":[`+c.item+`,`+good+`]}`).want(http.StatusOK)
				r := read[factResults](a)
				if len(r.Results) != 2 || r.Results[0].Result != "rejected" || r.Results[0].Field != c.field || r.Results[0].Reason == "" || r.Results[1].Result == "rejected" || r.Rejected != 1 {
					t.Errorf("%+v", r)
				}
			})
		}
	}
	check("/v1/scans", "scans", Warehouse, scans, `{"kind":"picked","order":"acme:1",`+at+`}`)
	check("/v1/carriers/ups/events", "events", Carrier, events, `{"tracking":"ABCD","code":"x",`+at+`}`)
}

func TestBarcodes(t *testing.T) {
	for barcode, want := range map[string]string{
		`"]C100SSCC"`:                          " SSCC",
		`"(00)SSCC"`:                           " SSCC",
		`"https://id.gs1.org/00/SSCC"`:         " SSCC",
		`"]d202035212340000013\u001d3712"`:     "refused",
		`"]d200SSCC3712"`:                      " SSCC",
		`"1z 999"`:                             "refused",
		`"1z 999","carrier":"ups"`:             "ups 1Z999",
		`"00SSCC","carrier":"dhl"`:             "dhl 00SSCC", // DHL's numbers are printed so
		`"(00)SSCC","carrier":"fedex"`:         "fedex SSCC",
		`"","carrier":"ups","tracking":"AB1C"`: "ups AB1C",
	} {
		f, r := decodeScan(json.RawMessage(strings.ReplaceAll(`{"kind":"sorted","barcode":`+barcode+`,"occurred_at":"2026-11-21T08:00:00Z"}`, "SSCC", "395212340000000014")), "", testNow)
		if got := f.Carrier + " " + f.Tracking; r != nil && want != "refused" || r == nil && got != strings.ReplaceAll(want, "SSCC", "395212340000000014") {
			t.Errorf("%s: %s %v, want %s", barcode, got, r, want)
		}
	}
}

// DHL's parcel is one, whether or not its number is told with the 00 in front.
func TestDHLsNumbersAreReadAlike(t *testing.T) {
	const whole, bare = "00340434161094015902", "340434161094015902"
	at := `,"occurred_at":"2026-11-21T08:00:00Z"`
	for _, item := range []string{`"barcode":"]C100` + bare + `"`, `"barcode":"]C100` + bare + `","carrier":"dhl"`, `"carrier":"dhl","tracking":"` + bare + `"`, `"carrier":"dhl","tracking":"` + whole + `"`} {
		if f, r := decodeScan(json.RawMessage(`{"kind":"sorted",`+item+at+`}`), "", testNow); r != nil || f.Tracking != whole {
			t.Errorf("%s: %s, %v", item, f.Tracking, r)
		}
	}
	if f, r := decodeCarrierEvent("dhl", json.RawMessage(`{"milestone":"in_transit","tracking":"`+bare+`"`+at+`}`), testNow); r != nil || f.Tracking != whole {
		t.Errorf("%s, %v", f.Tracking, r)
	}
	it := &epcis.Item{Event: epcis.Event{ID: "e"}, Kind: order.ScanPacked, Parcels: []string{bare}}
	if fs, r := scansOf(it, &caller{}); r != nil || len(fs) != 1 || fs[0].Tracking != whole {
		t.Errorf("%+v, %v", fs, r)
	}
	it.Orders = []string{"acme:1/2"}
	if fs, r := scansOf(it, &caller{}); r != nil || len(fs) != 1 || fs[0].Tracking != whole {
		t.Errorf("%+v, %v", fs, r)
	}

	b := newBench(t)
	body := strings.Replace(smallOrder, `"lines":`, `"parcels":[{"id":"1","carrier":"dhl","tracking":"`+bare+`","master_tracking":"`+bare+`","lines":[{"sku":"TEA","quantity":2}]}],"lines":`, 1)
	if v := read[createdOrder](b.call("POST", "/v1/orders", b.keys[Storefront], body).want(201)).Order; v.Parcels[0].Tracking != whole || v.Parcels[0].Master != whole {
		t.Errorf("%+v", v.Parcels)
	}
	b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Storefront], `{"carrier":"dhl","tracking":"`+bare+`","master_tracking":"`+bare+`"}`).want(200)
	if p, ok := b.engine.asked[len(b.engine.asked)-1].(order.PutParcel); !ok || p.Tracking != whole || p.Master != whole {
		t.Errorf("%+v", p)
	}
}

func TestTextsAreCutNotRefused(t *testing.T) {
	long := strings.Repeat("ü", 1000)
	f, r := decodeCarrierEvent("ups", json.RawMessage(`{"tracking":"ABCD","description":"`+long+`","location":"`+long+`","occurred_at":"2026-11-21T08:00:00Z"}`), testNow)
	if r != nil || len(f.Description) > maxDescription || len(f.Location) > maxLocation || !utf8.ValidString(f.Description) || f.Description == "" {
		t.Errorf("%v %d %d", r, len(f.Description), len(f.Location))
	}
}

func TestFingerprint(t *testing.T) {
	id := func(item string) string {
		t.Helper()
		f, r := decodeCarrierEvent("ups", json.RawMessage(item), testNow)
		if r != nil {
			t.Fatal(r)
		}
		return f.EventID
	}
	base := `{"tracking":"ABCD","milestone":"accepted","code":"OR","location":"Here","description":"one","occurred_at":"2026-11-21T08:00:00-05:00"}`
	for _, same := range [][2]string{{`"one"`, `"in other words"`}, {"ABCD", "ab cd"}, {"accepted", "in_transit"}} { // the carrier's code says more than our reading of it
		if id(base) != id(strings.Replace(base, same[0], same[1], 1)) {
			t.Errorf("%v makes another event", same)
		}
	}
	for _, other := range [][2]string{{"ABCD", "ABCE"}, {`"OR"`, `"AR"`}, {"Here", "There"}, {"08:00:00", "08:00:01"}} {
		if id(base) == id(strings.Replace(base, other[0], other[1], 1)) {
			t.Errorf("%v makes the same event", other)
		}
	}
	eta := `{"tracking":"ABCD","eta":"2026-11-24T08:00:00Z","occurred_at":"2026-11-21T08:00:00Z"}`
	if id(eta) == id(strings.Replace(eta, "11-24", "11-25", 1)) {
		t.Error("a new ETA is not told")
	}
}

func TestEnvelopes(t *testing.T) {
	b := newBench(t)
	item := `{"kind":"picked","order":"acme:1","occurred_at":"2026-11-21T08:00:00Z"}`
	for body, field := range map[string]string{
		`{}`:                             "scans",
		`{"scans":null}`:                 "scans",
		`{"scans":[]}`:                   "scans",
		`{"scans":{}}`:                   "scans",
		`{"scans":[` + item + `],"x":1}`: "x",
		`{"Scans":[` + item + `]}`:       "Scans",
		`[` + item + `]`:                 "",
		`{"scans":[` + strings.Repeat(item+",", 1000) + item + `]}`: "scans",
	} {
		b.call("POST", "/v1/scans", b.keys[Warehouse], body).refuses(422, "invalid", field)
	}
	b.call("POST", "/v1/scans", b.keys[Warehouse], `{"scans":[`+strings.Repeat(item+",", 999)+item+`]}`).want(200)
	b.call("POST", "/v1/scans", b.keys[Warehouse], `{"scans":[{]}`).refuses(400, "malformed", "-")
	b.fail = fmt.Errorf("commit failed")
	b.call("POST", "/v1/scans", b.keys[Warehouse], `{"scans":[`+item+`]}`).refuses(500, "internal", "-") // nothing was promised
}

func TestScansOfAStoresKey(t *testing.T) {
	b := newBench(t)
	key := b.key([]string{Warehouse}, "acme")
	at := `"occurred_at":"2026-11-21T08:00:00Z"`
	r := read[factResults](b.call("POST", "/v1/scans", key, `{"scans":[{"kind":"picked","order":"acme:1",`+at+`},{"kind":"picked","order":"bolt:1",`+at+`},{"kind":"returned","carrier":"ups","tracking":"ABCD",`+at+`}]}`).want(200))
	if r.Accepted != 2 || r.Rejected != 1 || r.Results[1].Field != "order" || len(b.facts) != 2 {
		t.Fatalf("%+v", r)
	}
	if named, byNumber := b.facts[0], b.facts[1]; named.RefOrder != "acme:1" || named.OnlyStore != "" || byNumber.RefOrder != "" || byNumber.OnlyStore != "acme" {
		t.Errorf("%+v, %+v", named, byNumber)
	}
	// Its IDs are its store's, and so is what tells two scans apart that have none.
	scan := func(key string) store.Fact {
		t.Helper()
		b.call("POST", "/v1/scans", key, `{"scans":[{"id":"17","kind":"sorted","carrier":"ups","tracking":"ABCD",`+at+`},{"kind":"sorted","carrier":"ups","tracking":"ABCD",`+at+`}]}`).want(200)
		return b.facts[len(b.facts)-1]
	}
	mine, others, anybodys := scan(key), scan(b.key([]string{Warehouse}, "bolt")), scan(b.keys[Warehouse])
	if mine.EventID == others.EventID || mine.EventID == anybodys.EventID || others.EventID == anybodys.EventID || b.facts[2].EventID != "acme/17" || b.facts[4].EventID != "bolt/17" {
		t.Errorf("%q %q %q, %q %q", mine.EventID, others.EventID, anybodys.EventID, b.facts[2].EventID, b.facts[4].EventID)
	}
}

func TestPhysical(t *testing.T) {
	for _, d := range order.Definitions {
		// What the core would call an anomaly without a physical scan must be
		// physical when nothing is said.
		want := d.Stage > order.Preparing && d.Milestone != order.Lost && d.Milestone != order.Destroyed
		if physical(d.Milestone) != want {
			t.Errorf("%s", d.Milestone)
		}
	}
}

func sound(t *testing.T, f store.Fact) {
	t.Helper()
	for name, s := range map[string]struct {
		text  string
		limit int
	}{
		"id": {f.EventID, maxID + 33}, "code": {f.Code, maxCode}, "location": {f.Location, maxLocation}, "description": {f.Description, maxDescription}, "actor": {f.Actor, maxStation},
		"tracking": {f.Tracking, 40}, "carrier": {f.Carrier, 32}, "parcel": {f.RefParcel, 40}, "order": {f.RefOrder, 97}, "milestone": {f.Milestone, 40}, "bucket": {f.Bucket, 40},
		"local time": {f.LocalTime, 40}, "offset": {f.UTCOffset, 6},
	} {
		if len(s.text) > s.limit || !printable(s.text) {
			t.Errorf("%s is %q", name, s.text)
		}
	}
	if f.EventID == "" || f.OccurredAt.Before(intake.Earliest) || f.OccurredAt.After(testNow.Add(intake.Ahead)) || f.OccurredAt.Location() != time.UTC || f.TimeBasis != "offset" {
		t.Errorf("%+v", f)
	}
	if f.RefOrder == "" && (f.Carrier == "" && !gs1.IsSSCC(f.Tracking) || f.Tracking == "") || f.RefOrder != "" && f.RefParcel == "" && f.Kind == store.KindScan {
		t.Errorf("names no parcel: %+v", f)
	}
}

func FuzzDecodeScan(f *testing.F) {
	for _, seed := range []string{
		`{"id":"s-1","kind":"picked","order":"acme:1001","occurred_at":"2026-11-21T08:15:00.250-05:00","location":"Dock 4","station":"9"}`,
		`{"kind":"labelled","carrier":"ups","tracking":"1z 999","occurred_at":"2026-11-21T08:15:00Z"}`,
		`{"id":"\u0000","kind":"","x":[[[1e400]]]}`, `{"kind":"sorted","barcode":"]C100395212340000000014\u001d3712","occurred_at":"2026-11-21T08:15:00Z"}`, `null`, ``, "\xff", `{"id":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fact, refusal := decodeScan(raw, "", testNow)
		again, _ := decodeScan(raw, "", testNow)
		if fact != again {
			t.Error("not pure")
		}
		if refusal == nil {
			sound(t, fact)
		} else if refusal.Reason == "" || !utf8.ValidString(refusal.Reason) {
			t.Errorf("refused without a reason: %+v", refusal)
		}
		_ = theirID(raw, fact)
		if own, refusal := decodeScan(raw, "acme", testNow); refusal == nil && storeOf(&own) != "acme" {
			t.Errorf("a key of acme tells of %+v", own)
		}
	})
}

func FuzzDecodeCarrierEvent(f *testing.F) {
	for _, seed := range []string{
		`{"id":"e-1","tracking":"1z 999","milestone":"accepted","code":"OR","bucket":"movement","description":"Origin scan","location":"Louisville","occurred_at":"2026-11-21T18:40:00-05:00","eta":"2026-11-24T22:00:00+01:00"}`,
		`{"tracking":"1Z999","milestone":"delivered","physical":false,"occurred_at":"2026-11-21T09:00:00Z","correction":true}`,
		`{"tracking":"1Z999","description":"\u202e","occurred_at":"2026-11-21T09:00:00-00:00"}`, `[]`, ``, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fact, refusal := decodeCarrierEvent("ups", raw, testNow)
		if refusal == nil {
			sound(t, fact)
			if again, r := decodeCarrierEvent("ups", raw, testNow); r != nil || again.EventID != fact.EventID {
				t.Error("not pure")
			}
			if fact.ETA != nil && (fact.ETA.Before(intake.Earliest) || fact.ETA.Year() > 2029) {
				t.Errorf("eta %v", fact.ETA)
			}
		} else if refusal.Reason == "" {
			t.Errorf("refused without a reason: %+v", refusal)
		}
	})
}
