package epcis

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/gs1"
	"github.com/waybillhq/waybill/order"
)

// sscc number n of a company of our own making.
func sscc(n int) string {
	digits := fmt.Sprintf("39521234%09d", n)
	check, _ := gs1.CheckDigit(digits)
	return digits + string(check)
}

func urn(n int) string {
	s, err := gs1.URN([]gs1.Element{{AI: "00", Value: sscc(n)}}, 7)
	if err != nil {
		panic(err)
	}
	return s
}

func link(n int) string { return "https://id.gs1.org/00/" + sscc(n) }

// event with what is usual, changed by fields.
func event(fields map[string]any) map[string]any {
	e := map[string]any{
		"type": "ObjectEvent", "eventID": "urn:uuid:6c1b39a4-0f3e-4c9d-9df1-5c1f4a3d0001", "eventTime": "2026-11-21T08:15:00.250-05:00", "eventTimeZoneOffset": "-05:00",
		"action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit", "epcList": []string{urn(1)}, "readPoint": map[string]any{"id": "urn:epc:id:sgln:9521234.00001.dock4"},
	}
	for k, v := range fields {
		if e[k] = v; v == nil {
			delete(e, k)
		}
	}
	return e
}

func aggregation(fields map[string]any) map[string]any {
	e := event(map[string]any{"type": "AggregationEvent", "epcList": nil, "action": "ADD", "bizStep": "packing", "disposition": "in_progress"})
	for k, v := range fields {
		if e[k] = v; v == nil {
			delete(e, k)
		}
	}
	return e
}

func document(events ...any) []byte {
	b, err := json.Marshal(map[string]any{
		"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", "type": "EPCISDocument", "schemaVersion": "2.0",
		"creationDate": "2026-11-21T13:16:00Z", "epcisBody": map[string]any{"eventList": events},
	})
	if err != nil {
		panic(err)
	}
	return b
}

func read(t *testing.T, events ...any) []Item {
	t.Helper()
	items, r := Read(document(events...))
	if r != nil || len(items) != len(events) {
		t.Fatalf("%d items of %d: %v", len(items), len(events), r)
	}
	return items
}

func TestAnEventIsReadWhole(t *testing.T) {
	it := read(t, event(map[string]any{
		"epcList": []string{urn(1), "urn:epc:id:sgtin:9521234.012345.A1", link(2), link(1)}, "vendor:colour": map[string]any{"deep": []int{1}}, "quantityList": "ignored", "recordTime": 7,
		"bizTransactionList": []map[string]any{
			{"type": "po", "bizTransaction": "acme:1001/2"}, {"type": "urn:epcglobal:cbv:btt:po", "bizTransaction": "urn:epcglobal:cbv:bt:9521234000012:acme:1001%2F2"},
			{"bizTransaction": "urn:epcglobal:cbv:bt:9521234000012:1001"}, {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9521234000012:7"},
			{"type": "https://ref.gs1.org/cbv/BTT-inv", "bizTransaction": "8"},
		},
	}))[0]
	if it.Refusal != nil {
		t.Fatal(it.Refusal)
	}
	if it.Kind != order.ScanHandedOver || !slices.Equal(it.Parcels, []string{sscc(1), sscc(2)}) || it.Place != "urn:epc:id:sgln:9521234.00001.dock4" ||
		!slices.Equal(it.Orders, []string{"acme:1001/2", "acme:1001/2", "1001"}) || it.ID != "urn:uuid:6c1b39a4-0f3e-4c9d-9df1-5c1f4a3d0001" {
		t.Errorf("%+v", it)
	}
	if !it.Time.Equal(time.Date(2026, 11, 21, 13, 15, 0, 250e6, time.UTC)) || it.Time.Location() != time.UTC || it.Local != "2026-11-21T08:15:00.25" || it.Offset != "-05:00" {
		t.Errorf("%v %s %s", it.Time, it.Local, it.Offset)
	}
	// The moment and the wall clock may be told in two zones.
	it = read(t, event(map[string]any{"eventTime": "2026-11-21T23:15:00Z", "eventTimeZoneOffset": "+09:30", "readPoint": nil, "bizLocation": map[string]any{"id": "https://id.gs1.org/414/9521234000012"}}))[0]
	if it.Refusal != nil || it.Local != "2026-11-22T08:45:00" || it.Place != "https://id.gs1.org/414/9521234000012" {
		t.Errorf("%+v %v", it, it.Refusal)
	}
}

func TestTheThreeShapesOfADocument(t *testing.T) {
	e := event(nil)
	single, _ := json.Marshal(event(map[string]any{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"}))
	query, _ := json.Marshal(map[string]any{"type": "EPCISQueryDocument", "schemaVersion": "2.0", "epcisBody": map[string]any{"queryResults": map[string]any{
		"queryName": "q", "resultsBody": map[string]any{"eventList": []any{e}}}}})
	compact, _ := json.Marshal(map[string]any{"type": "epcis:EPCISDocument", "epcisBody": map[string]any{"eventList": e}})
	want := fmt.Sprintf("%+v", read(t, e))
	for name, body := range map[string][]byte{"single event": single, "query document": query, "list of one without brackets": compact} {
		items, r := Read(body)
		if got := fmt.Sprintf("%+v", items); r != nil || got != want {
			t.Errorf("%s: %v\n%s, want\n%s", name, r, got, want)
		}
	}
	for name, c := range map[string]struct{ body, field string }{
		"nothing":             {``, ""},
		"a list":              {`[]`, ""},
		"no type":             {`{}`, "type"},
		"another type":        {`{"type":"EPCISMasterDataDocument"}`, "type"},
		"type a number":       {`{"type":1}`, "type"},
		"EPCIS 1.2":           {`{"type":"EPCISDocument","schemaVersion":"1.2","epcisBody":{"eventList":[{}]}}`, "schemaVersion"},
		"no body":             {`{"type":"EPCISDocument"}`, "epcisBody.eventList"},
		"no events":           {`{"type":"EPCISDocument","epcisBody":{"eventList":[]}}`, "epcisBody.eventList"},
		"null for events":     {`{"type":"EPCISDocument","epcisBody":{"eventList":null}}`, "epcisBody.eventList"},
		"body a text":         {`{"type":"EPCISDocument","epcisBody":"x"}`, "epcisBody"},
		"results elsewhere":   {`{"type":"EPCISQueryDocument","epcisBody":{"eventList":[{}]}}`, "epcisBody.queryResults.resultsBody.eventList"},
		"too many":            {`{"type":"EPCISDocument","epcisBody":{"eventList":[` + strings.Repeat("1,", 1000) + `1]}}`, "epcisBody.eventList"},
		"XML":                 {`<epcis:EPCISDocument/>`, ""},
		"deeper than allowed": {strings.Repeat(`[`, 20_000), ""},
	} {
		if items, r := Read([]byte(c.body)); r == nil || r.Field != c.field || r.Reason == "" {
			t.Errorf("%s: %v %+v", name, items, r)
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	many := make([]string, 10_000)
	for i := range many {
		many[i] = urn(1)
	}
	for name, c := range map[string]struct {
		fields        map[string]any
		field, reason string
	}{
		"no type":               {map[string]any{"type": nil}, "type", "is needed"},
		"unknown type":          {map[string]any{"type": "QuantityEvent"}, "type", "no event type"},
		"TransformationEvent":   {map[string]any{"type": "TransformationEvent"}, "type", "is not taken"},
		"TransactionEvent":      {map[string]any{"type": "epcis:TransactionEvent"}, "type", "is not taken"},
		"AssociationEvent":      {map[string]any{"type": "AssociationEvent"}, "type", "is not taken"},
		"no action":             {map[string]any{"action": nil}, "action", "must be"},
		"small action":          {map[string]any{"action": "add"}, "action", "must be"},
		"DELETE":                {map[string]any{"action": "DELETE"}, "action", "no scan"},
		"no time":               {map[string]any{"eventTime": nil}, "eventTime", "is needed"},
		"time without offset":   {map[string]any{"eventTime": "2026-11-21T08:15:00"}, "eventTime", "with an offset"},
		"a date":                {map[string]any{"eventTime": "2026-11-21"}, "eventTime", "with an offset"},
		"30 February":           {map[string]any{"eventTime": "2026-02-30T08:15:00Z"}, "eventTime", "with an offset"},
		"comma":                 {map[string]any{"eventTime": "2026-11-21T08:15:00,5Z"}, "eventTime", "with an offset"},
		"time of no place":      {map[string]any{"eventTime": "2026-11-21T08:15:00+15:00"}, "eventTime", "with an offset"},
		"missing offset":        {map[string]any{"eventTimeZoneOffset": nil}, "eventTimeZoneOffset", "is needed"},
		"offset a zone":         {map[string]any{"eventTimeZoneOffset": "EST"}, "eventTimeZoneOffset", "must be"},
		"offset Z":              {map[string]any{"eventTimeZoneOffset": "Z"}, "eventTimeZoneOffset", "must be"},
		"offset +14:01":         {map[string]any{"eventTimeZoneOffset": "+14:01"}, "eventTimeZoneOffset", "must be"},
		"offset a number":       {map[string]any{"eventTimeZoneOffset": -5}, "eventTimeZoneOffset", "another type"},
		"empty ID":              {map[string]any{"eventID": ""}, "eventID", "160 bytes"},
		"ID without a scheme":   {map[string]any{"eventID": "17"}, "eventID", "a URI"},
		"long ID":               {map[string]any{"eventID": "urn:" + strings.Repeat("x", 157)}, "eventID", "160 bytes"},
		"ID that turns":         {map[string]any{"eventID": "urn:a\u202eb"}, "eventID", "160 bytes"},
		"wrong check digit":     {map[string]any{"epcList": []string{urn(1), "https://id.gs1.org/00/395212340000000010"}}, "epcList[1]", "check digit"},
		"short SSCC":            {map[string]any{"epcList": []string{"urn:epc:id:sscc:9521234.1"}}, "epcList[0]", "17 digits"},
		"NUL in an EPC":         {map[string]any{"epcList": []string{"urn:x:\x00"}}, "epcList[0]", "printed"},
		"EPC a number":          {map[string]any{"epcList": []int{1}}, "epcList", "another type"},
		"10,000 EPCs":           {map[string]any{"epcList": many}, "epcList", "not 10000"},
		"long place":            {map[string]any{"readPoint": map[string]any{"id": strings.Repeat("x", 201)}}, "readPoint", "200"},
		"place a text":          {map[string]any{"readPoint": "dock 4"}, "readPoint", "another type"},
		"no step":               {map[string]any{"bizStep": nil}, "bizStep", "is needed"},
		"unknown step":          {map[string]any{"bizStep": "https://acme.example/step/teleporting"}, "bizStep", "not a business step"},
		"step of returns":       {map[string]any{"bizStep": "inspecting"}, "bizStep", "not taken yet"},
		"step of elsewhere":     {map[string]any{"bizStep": "stock_taking"}, "bizStep", "no step in sending"},
		"void_shipping":         {map[string]any{"bizStep": "void_shipping"}, "bizStep", "support"},
		"stolen":                {map[string]any{"disposition": "urn:epcglobal:cbv:disp:stolen"}, "disposition", "does not go with shipping"},
		"commissioned for good": {map[string]any{"bizStep": "commissioning", "disposition": "active"}, "disposition", "does not go"},
		"error declaration":     {map[string]any{"errorDeclaration": map[string]any{"declarationTime": "2026-11-22T00:00:00Z", "reason": "did_not_occur"}}, "errorDeclaration", "support"},
	} {
		t.Run(name, func(t *testing.T) {
			items := read(t, event(c.fields), event(map[string]any{"eventID": "urn:x:another"}))
			if r := items[0].Refusal; r == nil || r.Field != c.field || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%+v, want %s %s", r, c.field, c.reason)
			}
			if items[1].Refusal != nil {
				t.Errorf("the next event: %+v", items[1].Refusal)
			}
			if items[0].Unsupported() != (c.reason == "is not taken") {
				t.Error("unsupported")
			}
		})
	}
	for body, reason := range map[string]string{`null`: "must be an object", `"x"`: "must be an object", "{\"type\":\"\xff\"}": "UTF-8"} {
		items, r := Read([]byte(`{"type":"EPCISDocument","epcisBody":{"eventList":[` + body + `,` + body + `]}}`))
		if r != nil || items[0].Refusal == nil || !strings.Contains(items[0].Refusal.Reason, reason) {
			t.Errorf("%q: %v %v", body, items, r)
		}
	}
}

func TestStepsInTheThreeWaysToWriteThem(t *testing.T) {
	for _, c := range []struct {
		step, disposition string
		want              order.ScanKind
	}{
		{"commissioning", "in_progress", order.ScanPicked}, {"picking", "in_progress", order.ScanPicked}, {"picking", "", order.ScanPicked},
		{"packing", "container_closed", order.ScanPacked}, {"packing", "in_progress", order.ScanPacked}, {"staging_outbound", "", order.ScanSorted}, {"loading", "", order.ScanSorted},
		{"shipping", "in_transit", order.ScanHandedOver}, {"departing", "in_transit", order.ScanHandedOver},
		{"receiving", "in_progress", order.ScanReceived}, {"arriving", "", order.ScanReceived}, {"receiving", "returned", order.ScanReturned}, {"arriving", "returned", order.ScanReturned},
		{"commissioning", "", ""}, {"commissioning", "active", ""}, {"shipping", "in_progress", ""}, {"receiving", "damaged", ""}, {"picking", "recalled", ""}, {"packing", "mismatch_quantity", ""}, {"packing", "acme:own", ""},
	} {
		for _, p := range [][2]string{{"", ""}, {"urn:epcglobal:cbv:bizstep:", "urn:epcglobal:cbv:disp:"}, {"https://ref.gs1.org/cbv/BizStep-", "https://ref.gs1.org/cbv/Disp-"}, {"cbv:BizStep-", "cbv:Disp-"}} {
			fields := map[string]any{"bizStep": p[0] + c.step, "disposition": p[1] + c.disposition}
			if c.disposition == "" {
				fields["disposition"] = nil
			}
			it := read(t, event(fields))[0]
			if it.Kind != c.want || (it.Refusal == nil) == (c.want == "") {
				t.Errorf("%v: %q %v, want %q", fields, it.Kind, it.Refusal, c.want)
			}
		}
	}
	// Each kind that a step sets exists, and no step stands in two lists.
	seen := map[string]bool{}
	for _, s := range steps {
		if !slices.Contains(order.ScanKinds, s.kind) || slices.Contains(returnSteps, s.name) || slices.Contains(otherSteps, s.name) {
			t.Errorf("%+v", s)
		}
	}
	for _, s := range slices.Concat(returnSteps, otherSteps) {
		if seen[s] {
			t.Errorf("%s stands twice", s)
		}
		seen[s] = true
	}
}

func TestAPalletSpeaksForItsParcels(t *testing.T) {
	at := func(minute int) string { return fmt.Sprintf("2026-11-21T08:%02d:00Z", minute) }
	pallet, truck := 90, "urn:epc:id:giai:9521234.truck7"
	pack := func(minute, parent int, action string, children ...int) any {
		ids := make([]string, len(children))
		for i, c := range children {
			ids[i] = []string{urn(c), link(c)}[i%2]
		}
		return aggregation(map[string]any{"eventID": fmt.Sprint("urn:pack", minute, parent, action), "eventTime": at(minute), "action": action, "parentID": link(parent), "childEPCs": ids, "disposition": nil})
	}
	ship := func(minute int, epcs ...string) any {
		return event(map[string]any{"eventID": fmt.Sprint("urn:ship", minute), "eventTime": at(minute), "epcList": epcs})
	}
	want := func(name string, it Item, parcels ...int) {
		t.Helper()
		var ss []string
		for _, p := range parcels {
			ss = append(ss, sscc(p))
		}
		if it.Refusal != nil || !slices.Equal(it.Parcels, ss) {
			t.Errorf("%s: %v %v, want %v", name, it.Parcels, it.Refusal, ss)
		}
	}
	items := read(t, ship(30, urn(pallet)), pack(10, pallet, "ADD", 1, 2), pack(20, pallet, "ADD", 3), pack(40, pallet, "DELETE", 2), ship(50, urn(pallet), link(3)), ship(15, urn(pallet)), ship(5, urn(pallet)),
		pack(55, pallet, "DELETE"), ship(56, urn(pallet)), pack(57, pallet, "OBSERVE", 2), ship(58, urn(pallet)))
	want("packed by then, told in any order", items[0], 1, 2, 3)
	want("the packing itself", items[1], 1, 2)
	want("one was taken off", items[4], 1, 3)
	want("the last is not on it yet", items[5], 1, 2)
	want("nothing is on it: it may be a parcel", items[6], pallet)
	want("emptied", items[8], pallet)
	want("seen on it", items[10], 2)
	if r := items[3].Refusal; r == nil || r.Field != "action" {
		t.Errorf("%v", r)
	}
	// Goods in a box are no parcels: the box is.
	items = read(t, aggregation(map[string]any{"parentID": urn(1), "childEPCs": []string{"urn:epc:id:sgtin:9521234.012345.A1"}}), event(nil),
		aggregation(map[string]any{"eventID": "urn:x", "parentID": urn(2), "childQuantityList": []any{1}}), aggregation(map[string]any{"eventID": "urn:y", "parentID": nil, "childEPCs": []string{urn(3)}}))
	want("a box of goods", items[0], 1)
	want("that box", items[1], 1)
	want("a box of counted goods", items[2], 2)
	want("no parent told", items[3], 3)
	// Boxes on pallets in a truck; and a truck alone is no parcel.
	load := aggregation(map[string]any{"eventID": "urn:load", "eventTime": at(20), "parentID": truck, "childEPCs": []string{urn(90), urn(91), urn(5)}, "bizStep": "loading"})
	items = read(t, pack(10, 90, "ADD", 1, 2), pack(11, 91, "ADD", 3), load, ship(30, truck), ship(31, "urn:epc:id:giai:9521234.truck8"), ship(32, truck, urn(90)))
	want("loading", items[2], 1, 2, 3, 5)
	want("the truck", items[3], 1, 2, 3, 5)
	want("an unknown truck", items[4])
	want("told twice", items[5], 1, 2, 3, 5)
	// What is in itself has no end.
	items = read(t, pack(10, 90, "ADD", 91), pack(11, 91, "ADD", 90), ship(30, urn(90)))
	want("round and round", items[2])
	// An aggregation that was declared wrong packs nothing.
	wrong := pack(10, pallet, "ADD", 1).(map[string]any)
	declared := pack(10, pallet, "ADD", 1).(map[string]any)
	declared["errorDeclaration"] = map[string]any{"declarationTime": at(59)}
	items = read(t, wrong, ship(30, urn(pallet)), declared)
	want("never packed", items[1], pallet)
	if items[0].Refusal == nil || items[2].Refusal == nil || !items[2].Wrong || items[0].Wrong {
		t.Errorf("%v %v", items[0].Refusal, items[2].Refusal)
	}
}

func TestADocumentCostsOnlySoMuch(t *testing.T) {
	full := make([]string, MaxEPCs)
	for i := range full {
		full[i] = urn(i)
	}
	events := []any{aggregation(map[string]any{"parentID": urn(5000), "childEPCs": full})}
	for i := range 30 {
		events = append(events, event(map[string]any{"eventID": fmt.Sprint("urn:e", i), "epcList": []string{urn(5000)}}))
	}
	taken := 0
	for _, it := range read(t, events...) {
		if it.Refusal == nil {
			taken += len(it.Parcels)
		} else if !strings.Contains(it.Refusal.Reason, "split") {
			t.Error(it.Refusal)
		}
	}
	if taken != MaxReads {
		t.Errorf("%d parcels", taken)
	}
	// Many aggregations of one pallet, each followed by a look at all of it.
	events = nil
	for i := range 400 {
		events = append(events, aggregation(map[string]any{"eventID": fmt.Sprint("urn:a", i), "parentID": urn(5000), "childEPCs": full[:50]}), event(map[string]any{"eventID": fmt.Sprint("urn:e", i), "epcList": []string{urn(5000)}}))
	}
	refused := 0
	for _, it := range read(t, events...) {
		if it.Refusal != nil {
			refused++
		}
	}
	if refused == 0 || refused == 800 {
		t.Errorf("%d of 800 refused", refused)
	}
}

func TestFingerprint(t *testing.T) {
	id := func(fields map[string]any) string {
		t.Helper()
		e := event(map[string]any{"eventID": nil, "epcList": []string{urn(1), urn(2)}})
		for k, v := range fields {
			e[k] = v
		}
		it := read(t, e)[0]
		if it.Refusal != nil || !strings.HasPrefix(it.ID, "fp:") {
			t.Fatal(it.ID, it.Refusal)
		}
		return it.ID
	}
	base := id(nil)
	for name, same := range map[string]map[string]any{
		"other order, other form": {"epcList": []string{link(2), urn(1)}}, "time in UTC": {"eventTime": "2026-11-21T13:15:00.250Z"}, "a vocabulary's prefix": {"bizStep": "cbv:BizStep-shipping"},
		"an extension": {"acme:x": 1}, "when it was recorded": {"recordTime": "2026-11-21T13:15:00Z"},
	} {
		if id(same) != base {
			t.Errorf("%s makes another event", name)
		}
	}
	seen := map[string]string{base: "the event"}
	for name, other := range map[string]map[string]any{
		"time": {"eventTime": "2026-11-21T13:15:00.251Z"}, "offset": {"eventTimeZoneOffset": "-06:00"}, "EPC": {"epcList": []string{urn(1)}}, "step": {"bizStep": "departing"}, "action": {"action": "ADD"},
		"place": {"readPoint": map[string]any{"id": "urn:epc:id:sgln:9521234.00001.dock5"}}, "order": {"bizTransactionList": []any{map[string]any{"bizTransaction": "acme:1"}}}, "type": {"type": "AggregationEvent", "childEPCs": []string{urn(1), urn(2)}},
	} {
		got := id(other)
		if before, again := seen[got]; again {
			t.Errorf("another %s makes the same event as %s", name, before)
		}
		seen[got] = name
	}
}

func drawSighting(t *rapid.T) Sighting {
	return Sighting{
		ID: fmt.Sprint("e", rapid.IntRange(0, 20).Draw(t, "ID")), Thing: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "parcel"), Kind: rapid.SampledFrom([]order.ScanKind{order.ScanPacked, order.ScanReceived}).Draw(t, "kind"),
		Step: rapid.SampledFrom([]string{"packing", "receiving"}).Draw(t, "step"), Place: rapid.SampledFrom([]string{"", "dock"}).Draw(t, "place"), Time: time.Unix(int64(rapid.IntRange(0, 300).Draw(t, "second")), 0).UTC(),
	}
}

func firsts(all []Sighting, groups [][]int) []Sighting {
	out := make([]Sighting, len(groups))
	for i, g := range groups {
		out[i] = all[g[0]]
	}
	return out
}

func TestFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawSighting), 0, 60).Draw(t, "sightings")
		window := time.Duration(rapid.IntRange(0, 120).Draw(t, "window")) * time.Second
		groups := Fold(all, window)
		used := make([]bool, len(all))
		for n, g := range groups {
			first := all[g[0]]
			for _, i := range g {
				s := all[i]
				if used[i] {
					t.Fatalf("%d is in two groups", i)
				}
				used[i] = true
				if s.Thing != first.Thing || s.Kind != first.Kind || s.Step != first.Step || s.Place != first.Place {
					t.Fatalf("%+v was folded into %+v", s, first)
				}
				if d := s.Time.Sub(first.Time); d < 0 || d > window {
					t.Fatalf("%v after the first", d)
				}
			}
			for _, other := range groups[:n] {
				if o := all[other[0]]; first.same(&o) == 0 && first.Time.Sub(o.Time) <= window {
					t.Fatalf("%+v and %+v were not folded", o, first)
				}
			}
		}
		if slices.Contains(used, false) {
			t.Fatal("one is in no group")
		}
		// Again changes nothing.
		kept := firsts(all, groups)
		if again := Fold(kept, window); len(again) != len(kept) || !slices.Equal(firsts(kept, again), kept) {
			t.Fatalf("folded again: %v", again)
		}
		// The order of arrival changes nothing.
		other := rapid.Permutation(all).Draw(t, "order")
		otherGroups := Fold(other, window)
		if !slices.Equal(firsts(other, otherGroups), kept) {
			t.Fatal("another order keeps others")
		}
		for i := range groups {
			if len(groups[i]) != len(otherGroups[i]) {
				t.Fatal("another order counts otherwise")
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(document(event(nil), aggregation(map[string]any{"parentID": urn(9), "childEPCs": []string{urn(1)}})))
	single, _ := json.Marshal(event(map[string]any{"eventID": nil, "errorDeclaration": nil}))
	f.Add(single)
	for _, seed := range []string{`{"type":"EPCISQueryDocument","epcisBody":{"queryResults":{"resultsBody":{"eventList":{}}}}}`, `{"type":"EPCISDocument","epcisBody":{"eventList":[{"type":"ObjectEvent","errorDeclaration":{}},[],null]}}`,
		`{"type":"AggregationEvent","action":"ADD","eventTime":"2026-11-21T08:15:00-00:00","eventTimeZoneOffset":"+14:00","parentID":"urn:epc:id:sscc:9521234.3000000000"}`, ``, `[`, "\xff", strings.Repeat("{\"a\":", 3000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, refusal := Read(body)
		if (refusal == nil) != (len(items) > 0) {
			t.Fatalf("%d items, %v", len(items), refusal)
		}
		again, _ := Read(body)
		if fmt.Sprintf("%+v", items) != fmt.Sprintf("%+v", again) && len(items) < 50 {
			t.Error("not pure")
		}
		for _, it := range items {
			switch {
			case it.Refusal != nil:
				if it.Refusal.Reason == "" {
					t.Error("refused without a reason")
				}
			case it.ID == "" || !plain(it.ID, maxID) || it.Time.IsZero() && it.Local == "" || !slices.Contains(order.ScanKinds, it.Kind) || !plain(it.Place, maxPlace) || it.Wrong:
				t.Errorf("%+v", it)
			}
			for _, p := range it.Parcels {
				if !gs1.IsSSCC(p) {
					t.Errorf("%s", p)
				}
			}
		}
	})
}
