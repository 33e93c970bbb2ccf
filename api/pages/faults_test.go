package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

func unknownCode(id int64) store.Fault {
	return store.Fault{ID: id, Kind: store.UnmappedCode, Key: "ups/EXC/9/Z 4", Title: "ups: the code 9/Z 4 is in no table (EXC)", Sample: `<script>alert("said")</script>`, Owner: "ops", Count: 7,
		OpenedAt: testNow.Add(-time.Hour), LastAt: testNow.Add(-time.Duration(id) * time.Minute)}
}

func TestFaultsAreListedOpenOnesFirst(t *testing.T) {
	e, m := newServer(t)
	has(t, get(e, "/console/faults", signedIn()).body, "No open faults")
	ended := testNow.Add(-time.Minute)
	m.faults = []store.Fault{unknownCode(2), {ID: 1, Kind: store.SilentFeed, Key: "fedex", Title: "FedEx is silent", ClosedAt: &ended, Resolution: "it spoke again"}}
	m.mapped = []store.Mapping{{Carrier: "ups", Table: "EXC", Code: "01", Kind: "transit", Reason: "their notice", Actor: "key:ops"}}
	body := get(e, "/console/faults", signedIn()).body
	has(t, body, "9/Z 4", "&lt;script&gt;alert", `href="/console/faults/2"`, "Codes that people mapped", "overridden", `code=01`)
	lacks(t, body, "FedEx is silent", "<script>alert")
	has(t, get(e, "/console/faults?state=all", signedIn()).body, "FedEx is silent", "it spoke again", "Open only")
	m.err = errDown
	if r := get(e, "/console/faults", signedIn()); r.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.Code)
	}
}

func TestFaultsPageByPage(t *testing.T) {
	e, m := newServer(t)
	for i := range int64(2*pageSize + 5) {
		m.faults = append([]store.Fault{unknownCode(i + 1)}, m.faults...)
	}
	link, seen, path, pages := regexp.MustCompile(`rel="next" href="([^"]+)"`), map[string]bool{}, "/console/faults", 0
	for path != "" {
		pages++
		body := get(e, path, signedIn()).body
		for _, r := range regexp.MustCompile(`href="/console/faults/(\d+)"`).FindAllStringSubmatch(body, -1) {
			seen[r[1]] = true
		}
		path = ""
		if l := link.FindStringSubmatch(body); l != nil {
			path = strings.ReplaceAll(l[1], "&amp;", "&")
		}
	}
	if len(seen) != len(m.faults) || pages != 3 {
		t.Errorf("%d faults on %d pages", len(seen), pages)
	}
	if r := get(e, "/console/faults?before=nonsense", signedIn()); r.Code != http.StatusSeeOther {
		t.Errorf("status %d", r.Code)
	}
}

func form(kind, bucket, reason string) url.Values {
	return url.Values{"carrier": {"ups"}, "table": {"EXC"}, "code": {"9/Z 4"}, "kind": {kind}, "bucket": {bucket}, "reason": {reason}}
}

func TestACodeIsMappedInTheConsole(t *testing.T) {
	e, m := newServer(t)
	m.faults = []store.Fault{unknownCode(2)}
	has(t, get(e, "/console/faults/2", signedIn()).body, `action="/console/codes"`, `value="9/Z 4"`, "&lt;script&gt;", "in no table", "weather", "Close without mapping")

	r := post("/console/codes", form("exception", "", "their notice <b>"))
	r.AddCookie(signedIn())
	if refused := do(e, r); refused.Code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.Code)
	} else {
		has(t, refused.body, "bucket is needed", `value="exception" selected`, `value="their notice &lt;b&gt;"`)
	}
	r = post("/console/codes", form("ofd", "weather", ""))
	r.AddCookie(signedIn())
	if refused := do(e, r); refused.Code != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: status %d", refused.Code)
	}
	r = post("/console/codes", form("ofd", "weather", "their notice"))
	r.AddCookie(signedIn())
	saved := do(e, r)
	if saved.Code != http.StatusSeeOther || len(m.audits) != 1 || m.mapped[0].Bucket != "" || m.mapped[0].Actor != "key-ops" || m.audits[0].Action != "map_code" || m.audits[0].Role != "ops" {
		t.Fatalf("status %d, %+v, %+v", saved.Code, m.mapped, m.audits)
	}
	has(t, get(e, saved.Header().Get("Location"), signedIn()).body, "12 events that had come before were read again", "1 event keeps", "version 1", "2026-11-20 14:30 UTC", "their notice", `value="ofd" selected`, `value="withdrawn"`)
}

func TestAFaultIsClosedByHandForAReason(t *testing.T) {
	e, m := newServer(t)
	m.faults = []store.Fault{unknownCode(2)}
	shut := func(reason, to string) {
		t.Helper()
		r := post("/console/faults/2/close", url.Values{"reason": {reason}})
		r.AddCookie(signedIn())
		if got := do(e, r); got.Header().Get("Location") != to {
			t.Errorf("%q: to %s", reason, got.Header().Get("Location"))
		}
	}
	shut(" ", "/console/faults/2")
	if m.faults[0].ClosedAt != nil {
		t.Error("closed without a reason")
	}
	shut("a test", "/console/faults")
	if m.faults[0].Resolution != "a test" || len(m.audits) != 1 {
		t.Errorf("%+v, %+v", m.faults[0], m.audits)
	}
	has(t, get(e, "/console/faults/2", signedIn()).body, "How it ended", "a test")
}

func TestOnlyOpsMapsAndOnlyFromOurOwnPages(t *testing.T) {
	e, m := newServer(t)
	m.faults = []store.Fault{unknownCode(2)}
	support := session("support", testNow.Add(time.Hour))
	body := get(e, "/console/faults/2", support).body
	lacks(t, body, `action="/console/codes"`, "Close without mapping")
	for path, values := range map[string]url.Values{"/console/codes": form("ofd", "", "x"), "/console/faults/2/close": {"reason": {"x"}}} {
		r := post(path, values)
		if got := do(e, r); got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/console/sign-in") {
			t.Errorf("%s: signed out: status %d", path, got.Code)
		}
		r = post(path, values)
		r.AddCookie(support)
		if got := do(e, r); got.Code != http.StatusForbidden {
			t.Errorf("%s: support: status %d", path, got.Code)
		}
		r = post(path, values)
		r.AddCookie(signedIn())
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := do(e, r); got.Code != http.StatusForbidden {
			t.Errorf("%s: from another site: status %d", path, got.Code)
		}
	}
	if len(m.audits)+len(m.mapped) > 0 || m.faults[0].ClosedAt != nil {
		t.Errorf("something was done: %+v", m.audits)
	}
}

func TestWhatIsNoFaultOrCodeIsNotFound(t *testing.T) {
	e, _ := newServer(t)
	for _, path := range []string{"/console/faults/99", "/console/faults/x", "/console/codes", "/console/codes?carrier=pigeon&table=T&code=1", "/console/codes?carrier=ups&table=&code=1"} {
		if r := get(e, path, signedIn()); r.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, r.Code)
		}
	}
	for name, change := range map[string][2]string{"carrier": {"carrier", "pigeon"}, "a NUL": {"code", "a\x00"}, "no table": {"table", ""}} {
		values := form("ofd", "", "x")
		values.Set(change[0], change[1])
		r := post("/console/codes", values)
		r.AddCookie(signedIn())
		if got := do(e, r); got.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", name, got.Code)
		}
	}
}

func TestEveryKindHasItsWords(t *testing.T) {
	have := map[string]bool{}
	for _, k := range kindWords {
		have[k.kind] = true
	}
	for _, k := range intake.MappingKinds() {
		if !have[k] {
			t.Errorf("%s has no words", k)
		}
		delete(have, k)
	}
	if len(have) > 0 {
		t.Errorf("words for nothing: %v", have)
	}
}

func TestGalleryShowsTheConsolesPages(t *testing.T) {
	e, _ := newServer(t)
	list := get(e, "/console/gallery", signedIn()).body
	s := &server{Deps: Deps{Now: func() time.Time { return testNow }, Carriers: all.Adapters()}}
	for _, p := range s.faultStates(who{Actor: "key-ops", Role: "ops"}) {
		path := fmt.Sprintf("/console/gallery/%s", p.name)
		has(t, list, path)
		if r := get(e, path, signedIn()); r.Code != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(r.body), "</html>") {
			t.Errorf("%s: status %d", path, r.Code)
		}
	}
}
