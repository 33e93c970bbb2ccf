package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
)

func TestConsoleNeedsASession(t *testing.T) {
	e, _ := newServer(t)
	good := signedIn()
	forged := *good
	forged.Value = who{"key-ops", "admin", testNow.Add(time.Hour)}.seal([]byte("another secret of 32 bytes......"), "session")
	_, sum, _ := strings.Cut(good.Value, ".")
	payload, _, _ := strings.Cut(forged.Value, ".")
	swapped := *good
	swapped.Value = payload + "." + sum
	ticket := *good
	ticket.Value = Ticket(testSecret, "key-ops", "ops", testNow.Add(time.Hour))
	role := session("storefront", testNow.Add(time.Hour))
	empty := *good
	empty.Value = ""
	for name, c := range map[string]*http.Cookie{"none": {Name: "other", Value: "x"}, "another key": &forged, "role swapped": &swapped, "a ticket": &ticket, "unknown role": role, "empty": &empty,
		"expired": session("ops", testNow.Add(-time.Second)), "cut": {Name: "waybill", Value: good.Value[:20]}} {
		for _, path := range []string{"/console", "/console/orders", "/console/orders/acme:A-10482", "/console/gallery", "/console/gallery/late"} {
			if r := get(e, path, c); r.Code != http.StatusSeeOther || !strings.HasPrefix(r.Header().Get("Location"), "/console/sign-in") {
				t.Errorf("%s: %s: status %d to %s", name, path, r.Code, r.Header().Get("Location"))
			}
		}
	}
	if r := get(e, "/console/orders", good); r.Code != http.StatusOK {
		t.Errorf("signed in: status %d", r.Code)
	}
	if r := get(e, "/console", good); r.Header().Get("Location") != "/console/orders" {
		t.Error(r.Header())
	}
}

func TestSignIn(t *testing.T) {
	e, _ := newServer(t)
	for key, want := range map[string]int{"wrong": 401, "storefront-key": 403, "": 422, "ops-key": 303} {
		if r := do(e, post("/console/sign-in", url.Values{"key": {key}})); r.Code != want {
			t.Errorf("%q: status %d, want %d", key, r.Code, want)
		} else if want != 303 && (len(r.Result().Cookies()) > 0 || key != "" && strings.Contains(r.body, key)) {
			t.Errorf("%q: a cookie, or the key on the page", key)
		}
	}
	r := do(e, post("/console/sign-in", url.Values{"key": {"ops-key"}, "next": {"/console/orders?case=any"}}))
	c := r.Result().Cookies()[0]
	if r.Header().Get("Location") != "/console/orders?case=any" || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 12*3600 {
		t.Errorf("%v %+v", r.Header(), c)
	}
	if r := get(e, "/console/orders", c); r.Code != http.StatusOK {
		t.Errorf("status %d", r.Code)
	}
	req := post("/console/sign-in", url.Values{"key": {"ops-key"}})
	req.Host = "way.example"
	if c := do(e, req).Result().Cookies()[0]; !c.Secure || c.Name != "__Host-waybill" || c.Path != "/" || c.Domain != "" {
		t.Errorf("%+v", c)
	}
	if c := do(e, post("/console/sign-out", nil)).Result().Cookies()[0]; c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("%+v", c)
	}
	for next, want := range map[string]string{"https://evil.example/": "/console/orders", "//evil.example": "/console/orders", "/\\evil.example": "/console/orders", "/console/orders/../../x": "/console/orders/../../x",
		"/t/x": "/console/orders", "/console/orders/acme:1?all=1": "/console/orders/acme:1?all=1", "javascript:alert(1)": "/console/orders", "/console/ordersx": "/console/orders"} {
		if got := inside(next); got != want {
			t.Errorf("inside(%q) = %q", next, got)
		}
	}
}

func TestTicket(t *testing.T) {
	e, _ := newServer(t)
	enter := func(ticket string, cs ...*http.Cookie) reply {
		return get(e, "/console/enter?ticket="+url.QueryEscape(ticket), cs...)
	}
	for name, bad := range map[string]string{"expired": Ticket(testSecret, "me", "ops", testNow), "another secret": Ticket([]byte("x"), "me", "ops", testNow.Add(time.Hour)), "no role": Ticket(testSecret, "me", "", testNow.Add(time.Hour)),
		"a session": signedIn().Value, "empty": ""} {
		if r := enter(bad); r.Code != http.StatusForbidden || len(r.Result().Cookies()) > 0 {
			t.Errorf("%s: status %d", name, r.Code)
		}
	}
	good := Ticket(testSecret, "me|with|bars", "support", testNow.Add(time.Hour))
	r := enter(good)
	if r.Code != http.StatusSeeOther || len(r.Result().Cookies()) != 1 {
		t.Fatalf("status %d", r.Code)
	}
	c := r.Result().Cookies()[0]
	has(t, get(e, "/console/orders", c).body, "me|with|bars", "support")
	if r := enter(good); r.Code != http.StatusForbidden {
		t.Errorf("used twice: status %d", r.Code)
	}
	if r := enter(good, c); r.Code != http.StatusSeeOther {
		t.Errorf("reload when signed in: status %d", r.Code)
	}
}

func TestCrossOrigin(t *testing.T) {
	e, _ := newServer(t)
	for name, c := range map[string]struct {
		header, value string
		want          int
	}{
		"another site":      {"Sec-Fetch-Site", "cross-site", 403},
		"a sibling":         {"Sec-Fetch-Site", "same-site", 403},
		"another origin":    {"Origin", "https://evil.example", 403},
		"our page":          {"Sec-Fetch-Site", "same-origin", 303},
		"our public origin": {"Origin", "https://way.example", 303},
	} {
		for path, form := range map[string]url.Values{"/console/sign-out": nil, "/console/sign-in": {"key": {"ops-key"}}} {
			r := post(path, form)
			r.Header.Set(c.header, c.value)
			if got := do(e, r); got.Code != c.want || c.want == 403 && len(got.Result().Cookies()) > 0 {
				t.Errorf("%s: %s: status %d, want %d", name, path, got.Code, c.want)
			}
		}
	}
}

func TestOrdersList(t *testing.T) {
	e, m := newServer(t)
	body := get(e, "/console/orders", signedIn()).body
	has(t, body, "A-10482", "partially delivered", "1 of 3 parcels delivered", "attempt failed", `p-bad">late`, `p-act">on hold`, "UPS, DHL", "in 45 h", "warehouse", `href="/console/orders/acme:A-10482"`)

	get(e, "/console/orders?store=acme&status=shipped&case=late&q=+1Z999AA10123456784+", signedIn())
	if f := m.asked[len(m.asked)-1]; f.Store != "acme" || f.Status != "shipped" || f.Case != "late" || f.Query != "1Z999AA10123456784" || f.Limit != pageSize+1 {
		t.Errorf("asked %+v", f)
	}
	get(e, "/console/orders?status=nonsense&case=%27+or+1%3D1", signedIn())
	if f := m.asked[len(m.asked)-1]; f.Status != "" || f.Case != "" {
		t.Errorf("asked %+v", f)
	}
	body = get(e, "/console/orders?status=lost", signedIn()).body
	has(t, body, `<option value="lost" selected>`, "Clear")
	if n := strings.Count(body, `class="row"`); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	has(t, get(e, "/console/orders?q=%22%3E%3Cscript%3E", signedIn()).body, "No order matches", `value="&#34;&gt;&lt;script&gt;"`)
	m.rows = nil
	has(t, get(e, "/console/orders", signedIn()).body, "No orders yet")
	m.err = errDown
	if r := get(e, "/console/orders", signedIn()); r.Code != http.StatusServiceUnavailable || strings.Contains(r.body, "refused") {
		t.Errorf("status %d", r.Code)
	}
}

func TestPagination(t *testing.T) {
	e, m := newServer(t)
	m.rows = nil
	for i := range 2*pageSize + 5 {
		m.rows = append(m.rows, store.Summary{ID: fmt.Sprintf("acme:N-%03d", i), Number: fmt.Sprintf("N-%03d", i), Store: "acme", Status: "shipped", PlacedAt: testNow.Add(-time.Duration(i) * time.Minute)})
	}
	link := regexp.MustCompile(`rel="next" href="([^"]+)"`)
	seen, path, pages := map[string]bool{}, "/console/orders?status=shipped", 0
	for path != "" {
		pages++
		body := get(e, path, signedIn()).body
		for _, r := range regexp.MustCompile(`class="row"[^>]*>([^<]+)<`).FindAllStringSubmatch(body, -1) {
			if seen[r[1]] {
				t.Errorf("%s twice", r[1])
			}
			seen[r[1]] = true
		}
		path = ""
		if l := link.FindStringSubmatch(body); l != nil {
			path = strings.ReplaceAll(l[1], "&amp;", "&")
			has(t, path, "status=shipped", "before=")
		}
	}
	if len(seen) != len(m.rows) || pages != 3 {
		t.Errorf("%d orders on %d pages", len(seen), pages)
	}
	if r := get(e, "/console/orders?before=nonsense&status=lost", signedIn()); r.Code != http.StatusSeeOther || r.Header().Get("Location") != "/console/orders?status=lost" {
		t.Errorf("%d %v", r.Code, r.Header())
	}
}

func TestOrderPage(t *testing.T) {
	e, m := newServer(t)
	body := get(e, "/console/orders/acme:A-10486", signedIn()).body // split-partly-delivered
	has(t, body, "What it waits for", "the pack scan", "warehouse", "a not_packed case is opened", "pack 1 d", "carrier:ups", "STATION-7", "scanner-44", "Delivered to J. SMITH", "default v1",
		testLinks.Tracking("acme:A-10486"), "https://temporal.example/namespaces/default/workflows/order%3Aacme%3AA-10486", "milestone reached: delivered", "&#43;01:00 local", "Gas stove with piezo lighter", `aria-current="step"`)
	has(t, get(e, "/console/orders/acme%3AA-10486", signedIn()).body, "What it waits for")
	has(t, get(e, "/console/orders/acme:A-10499", signedIn()).body, "On hold", "fraud check by J. Doe")
	has(t, get(e, "/console/orders/acme:A-10492", signedIn()).body, "case opened: attempt failed", "attempt 1 failed")
	if r := get(e, "/console/orders/acme:%3Cscript%3E", signedIn()); r.Code != http.StatusNotFound || strings.Contains(r.body, "<script>") {
		t.Errorf("status %d", r.Code)
	}
	many := "/console/orders/" + m.fixtures[len(m.fixtures)-1].Order.State.Spec.ID
	body = get(e, many, signedIn()).body
	has(t, body, "The newest 500 of", many+"?all=1", "120 parcels that need nothing more")
	if n := strings.Count(get(e, many+"?all=1", signedIn()).body, "carrier:ups"); n < 600 {
		t.Errorf("%d carrier events, want all", n)
	}
	m.err = errDown
	if r := get(e, "/console/orders/acme:A-10486", signedIn()); r.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.Code)
	}
}

func TestEntryTellsLateReceipt(t *testing.T) {
	r := entryOf(store.Entry{At: testNow.Add(-5 * time.Hour), ReceivedAt: testNow.Add(-time.Hour), Source: "carrier:ups", Kind: "carrier_event", Milestone: "in_transit", TimeBasis: "carrier_zone", Note: "late"}, testNow)
	if r.Received != "20 Nov 13:30, 4 h later" || r.Basis != "carrier zone" || r.Note != "late" || r.What != "in transit" {
		t.Errorf("%+v", r)
	}
	if r := entryOf(store.Entry{At: testNow, ReceivedAt: testNow.Add(time.Minute)}, testNow); r.Received != "" {
		t.Error(r.Received)
	}
}

func TestGallery(t *testing.T) {
	e, m := newServer(t)
	body := get(e, "/console/gallery?store=acme", signedIn()).body
	has(t, body, `href="/console/gallery?lang=de&amp;store=acme"`)
	has(t, get(e, "/console/gallery?lang=de", signedIn()).body, "Zugestellt", `name="lang" value="de"`)
	has(t, get(e, "/console/gallery/delivered?lang=de", signedIn()).body, `<html lang="de">`, "Zugestellt")
	for _, f := range m.fixtures {
		has(t, body, "/console/gallery/"+f.Name+"?lang=en&amp;store=acme")
		for _, view := range []string{"", "?view=console"} {
			if r := get(e, "/console/gallery/"+f.Name+view, signedIn()); r.Code != http.StatusOK || !strings.HasSuffix(r.body, "</html>") {
				t.Errorf("%s%s: status %d", f.Name, view, r.Code)
			}
		}
	}
	if r := get(e, "/console/gallery/nope", signedIn()); r.Code != http.StatusNotFound {
		t.Errorf("status %d", r.Code)
	}
}
