package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

func withFaults(t *testing.T, n int) *bench {
	t.Helper()
	b := newBench(t)
	for i := range n {
		at := testNow.Add(-time.Duration(i) * time.Minute)
		b.faults = append(b.faults, store.Fault{ID: int64(n - i), Kind: store.UnmappedCode, Key: "ups/EXC/9/Z 4", Title: "ups: the code 9/Z 4 is in no table (EXC)", Sample: "said", Owner: "ops", Count: 3, OpenedAt: at, LastAt: at})
	}
	return b
}

type faultList struct {
	Faults []faultView `json:"faults"`
	Next   string      `json:"next"`
}

func TestFaultsAreListedPageByPage(t *testing.T) {
	b := withFaults(t, 7)
	ended := testNow
	b.faults[6].ClosedAt, b.faults[6].Kind, b.faults[6].Key = &ended, store.SilentFeed, "fedex"
	seen, next := map[int64]bool{}, ""
	for range 3 {
		page := read[faultList](b.call("GET", "/v1/faults?limit=3"+next, b.keys[Support], "").want(200))
		for _, f := range page.Faults {
			seen[f.ID] = true
			if f.Carrier != "ups" || f.Table != "EXC" || f.Code != "9/Z 4" {
				t.Errorf("%+v", f)
			}
		}
		if next = "&cursor=" + page.Next; page.Next == "" {
			break
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d open faults", len(seen))
	}
	if all := read[faultList](b.call("GET", "/v1/faults?state=all", b.keys[Ops], "").want(200)); len(all.Faults) != 7 || all.Faults[6].Carrier != "" {
		t.Errorf("%+v", all)
	}
	b.call("GET", "/v1/faults?cursor=bm9uc2Vuc2U", b.keys[Ops], "").refuses(422, "invalid", "cursor")
	b.call("GET", "/v1/faults?state=shut", b.keys[Ops], "").refuses(422, "invalid", "state")
	for _, scope := range []string{Storefront, Warehouse, Carrier} {
		b.call("GET", "/v1/faults", b.keys[scope], "").refuses(403, "forbidden", "-")
	}
	b.call("GET", "/v1/faults", b.key([]string{Support}, "acme"), "").refuses(403, "forbidden", "-")
}

func TestAFaultIsClosedByHandOnceForAReason(t *testing.T) {
	b := withFaults(t, 1)
	b.call("POST", "/v1/faults/1/close", b.keys[Support], `{"reason":"x"}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/faults/1/close", b.keys[Ops], `{}`).refuses(422, "invalid", "reason")
	b.call("POST", "/v1/faults/1/close", b.keys[Ops], `{"reason":"\u202e"}`).refuses(422, "invalid", "reason")
	b.call("POST", "/v1/faults/2/close", b.keys[Ops], `{"reason":"x"}`).refuses(404, "not-found", "-")
	b.call("POST", "/v1/faults/0/close", b.keys[Ops], `{"reason":"x"}`).refuses(422, "invalid", "id")
	for _, reason := range []string{"a test code", "again"} {
		f := read[faultView](b.call("POST", "/v1/faults/1/close", b.keys[Ops], `{"reason":"`+reason+`"}`).want(200))
		if f.ClosedAt == nil || f.Resolution != "a test code" || !strings.HasPrefix(f.ClosedBy, "key:") {
			t.Errorf("%+v", f)
		}
	}
	if len(b.audits) != 1 || b.audits[0].Action != "close_fault" || b.audits[0].OrderID != "" || b.audits[0].Role != Ops || string(b.audits[0].Request) != `{"id":1}` {
		t.Errorf("%+v", b.audits)
	}
}

func codePath(carrier, table, code string) string {
	return "/v1/code-mappings?" + url.Values{"carrier": {carrier}, "table": {table}, "code": {code}}.Encode()
}

type savedMapping struct {
	Mapping  mappingView `json:"mapping"`
	Reread   int         `json:"reread"`
	Standing int         `json:"standing"`
	More     bool        `json:"more"`
}

func TestACodeIsMappedThroughTheAPI(t *testing.T) {
	b := newBench(t)
	path := codePath("ups", "EXC", "9/Z 4")
	b.call("PUT", path, b.keys[Ops], `{"kind":"withdrawn","reason":"x"}`).refuses(404, "not-found", "-")
	saved := read[savedMapping](b.call("PUT", path, b.keys[Ops], `{"kind":"exception","bucket":"lost","reason":"their notice"}`).want(200))
	if m := saved.Mapping; m.Code != "9/Z 4" || m.Milestone != "lost" || m.Version != 1 || m.Own != "" || saved.Reread != 2 || saved.Standing != 1 {
		t.Errorf("%+v", saved)
	}
	own := read[savedMapping](b.call("PUT", codePath("ups", "EXC", "01"), b.keys[Admin], `{"kind":"transit","reason":"they changed it"}`).want(200))
	if own.Mapping.Own != "exception" || own.Mapping.Milestone != "in_transit" {
		t.Errorf("%+v", own)
	}
	if len(b.audits) != 2 || b.audits[0].Action != "map_code" || b.audits[0].Reason != "their notice" || !strings.Contains(string(b.audits[0].Request), `"code":"9/Z 4"`) {
		t.Errorf("%+v", b.audits)
	}
	type list struct {
		Mappings []mappingView `json:"mappings"`
	}
	if l := read[list](b.call("GET", "/v1/code-mappings", b.keys[Support], "").want(200)); len(l.Mappings) != 1 {
		t.Errorf("%+v", l)
	}
	if l := read[list](b.call("GET", "/v1/code-mappings?history=true&carrier=ups", b.keys[Support], "").want(200)); len(l.Mappings) != 2 || l.Mappings[1].By != b.audits[0].Actor {
		t.Errorf("%+v", l)
	}
	for name, c := range map[string]struct{ path, body, field string }{
		"no such carrier":    {codePath("pigeon", "EXC", "1"), `{"kind":"transit","reason":"x"}`, "carrier"},
		"no code":            {"/v1/code-mappings?carrier=ups&table=EXC", `{"kind":"transit","reason":"x"}`, "code"},
		"a NUL":              {codePath("ups", "EXC", "a\x00"), `{"kind":"transit","reason":"x"}`, "code"},
		"a table of no sort": {codePath("ups", "E C", "a"), `{"kind":"transit","reason":"x"}`, "table"},
		"no such kind":       {codePath("ups", "EXC", "a"), `{"kind":"teleport","reason":"x"}`, "kind"},
		"no bucket":          {codePath("ups", "EXC", "a"), `{"kind":"exception","reason":"x"}`, "bucket"},
		"no reason":          {codePath("ups", "EXC", "a"), `{"kind":"transit"}`, "reason"},
		"an unseen reason":   {codePath("ups", "EXC", "a"), `{"kind":"transit","reason":"\u202e"}`, "reason"},
		"another parameter":  {codePath("ups", "EXC", "a") + "&order=1", `{"kind":"transit","reason":"x"}`, "order"},
	} {
		t.Run(name, func(t *testing.T) {
			b.T = t
			b.call("PUT", c.path, b.keys[Ops], c.body).refuses(422, "invalid", c.field)
		})
	}
	b.call("PUT", path, b.keys[Support], `{"kind":"transit","reason":"x"}`).refuses(403, "forbidden", "-")
	b.call("PUT", path, b.key([]string{Ops}, "acme"), `{"kind":"transit","reason":"x"}`).refuses(403, "forbidden", "-")
	if len(b.mapped) != 2 {
		t.Errorf("%d mapped", len(b.mapped))
	}
}

func TestKeptBodiesAreListedReadAndReplayedByFew(t *testing.T) {
	b := newBench(t)
	push := func(body string, status int) {
		b.call("POST", "/webhooks/easypost", "", body, "X-Hmac-Signature", signed("new secret", body)).want(status)
	}
	good := trackerEvent(trackerDetail(1, "Departed"))
	push(good, 200)
	push(good, 200)
	bad := "<script>alert(1)</script>"
	push(bad, 422)
	type list struct {
		RawBodies []rawView `json:"raw_bodies"`
		Next      string    `json:"next"`
	}
	l := read[list](b.call("GET", "/v1/raw-bodies?source=carrier:easypost&since="+url.QueryEscape(testNow.Add(-time.Hour).Format(time.RFC3339)), b.keys[Ops], "").want(200))
	if len(l.RawBodies) != 2 || l.RawBodies[0].Error == "" || l.RawBodies[1].Events != 1 || l.RawBodies[1].Size != len(good) || len(l.RawBodies[1].SHA256) != 64 {
		t.Fatalf("%+v", l)
	}
	if l := read[list](b.call("GET", "/v1/raw-bodies?failed=true", b.keys[Admin], "").want(200)); len(l.RawBodies) != 1 {
		t.Errorf("%+v", l)
	}
	first := read[list](b.call("GET", "/v1/raw-bodies?limit=1", b.keys[Ops], "").want(200))
	if second := read[list](b.call("GET", "/v1/raw-bodies?limit=1&cursor="+first.Next, b.keys[Ops], "").want(200)); len(second.RawBodies) != 1 || second.RawBodies[0].ID == first.RawBodies[0].ID {
		t.Errorf("%+v", second)
	}
	b.call("GET", "/v1/raw-bodies?source=warehouse", b.keys[Ops], "").refuses(422, "invalid", "source")
	b.call("GET", "/v1/raw-bodies?since=yesterday", b.keys[Ops], "").refuses(422, "invalid", "since")

	path := fmt.Sprintf("/v1/raw-bodies/%d", l.RawBodies[0].ID)
	a := b.call("GET", path, b.keys[Ops], "").want(200)
	if a.Body.String() != bad || a.Header().Get("Content-Type") != "application/octet-stream" || a.Header().Get("X-Content-Type-Options") != "nosniff" || a.Header().Get("Content-Disposition") != "attachment" || a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%q %v", a.Body, a.Header())
	}
	b.call("POST", path+"/replay", b.keys[Ops], "").refuses(422, "invalid", "-")
	if n := read[intake.Counts](b.call("POST", "/v1/raw-bodies/1/replay", b.keys[Ops], "").want(200)); n != (intake.Counts{Duplicate: 1}) {
		t.Errorf("%+v", n)
	}
	if b.raws[0].ReplayedAt == nil || len(b.audits) != 3 || b.audits[0].Action != "read_raw_body" || b.audits[2].Action != "replay_raw_body" {
		t.Errorf("%+v, %+v", b.raws[0], b.audits)
	}
	b.call("GET", "/v1/raw-bodies/99", b.keys[Ops], "").refuses(404, "not-found", "-")
	for _, path := range []string{"/v1/raw-bodies", path} {
		b.call("GET", path, b.keys[Support], "").refuses(403, "forbidden", "-")
		b.call("GET", path, b.key([]string{Ops}, "acme"), "").refuses(403, "forbidden", "-")
	}
}
