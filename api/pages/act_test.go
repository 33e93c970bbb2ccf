package pages

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// office is a console whose forms work, on orders of its own.
type office struct {
	*testing.T
	*memory
	e      *echo.Echo
	scopes map[string][]string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, memory: newMemory(testNow), e: echo.New(), scopes: map[string][]string{"key:ann": {"support"}, "key:bob": {"ops"}, "key:7d2nq4": {"support"}, "key:desk": {"returns"}, "key:both": {"support", "returns"}}}
	Mount(o.e, Deps{Store: o.memory, Links: testLinks, Now: func() time.Time { return o.now }, Secret: testSecret, VerifyKey: verify, Desk: o.desk(func() time.Time { return o.now }),
		Scopes: func(_ context.Context, actor string) ([]string, bool) { s, ok := o.scopes[actor]; return s, ok }})
	return o
}

// page of a fixture's order.
func (o *office) page(name string) string {
	o.Helper()
	return "/console/orders/" + o.fixture(name).Order.Spec.ID
}

func (o *office) as(actor string) *http.Cookie {
	return &http.Cookie{Name: "waybill", Value: who{actor, "support", o.now.Add(time.Hour)}.seal(testSecret, "session")}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// fill finds the form of an act on a page, as a browser would send it.
func (o *office) fill(body, act, marker string, fields ...string) url.Values {
	o.Helper()
	for _, part := range strings.Split(body, `<form class="act"`)[1:] {
		part, _, _ = strings.Cut(part, "</form>")
		v := url.Values{}
		for _, m := range hidden.FindAllStringSubmatch(part, -1) {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
		if v.Get("act") == act && strings.Contains(part, marker) {
			for i := 0; i+1 < len(fields); i += 2 {
				v.Set(fields[i], fields[i+1])
			}
			return v
		}
	}
	o.Fatalf("no form to %s with %q", act, marker)
	return nil
}

func (o *office) send(page string, v url.Values, actor string) reply {
	o.Helper()
	r := post(page+"/act", v)
	r.AddCookie(o.as(actor))
	return do(o.e, r)
}

func TestPeopleWorkOnACase(t *testing.T) {
	o := newOffice(t)
	page := o.page("stalled")
	look := func(who string) string { t.Helper(); return get(o.e, page, o.as(who)).body }
	first := look("key:ann")
	has(t, first, "The depot in Hannover searches", "Give it more time", "It is lost", "It is delivered", "key:7d2nq4", "End it now")
	if strings.Contains(first, ">Refund<") || strings.Contains(first, "Nothing needs to be done") {
		t.Error("the page offers what is not legal")
	}
	r := o.send(page, o.fill(first, "assign", "", "choice", "me"), "key:ann")
	if r.Code != 303 || !strings.HasSuffix(r.Header().Get("Location"), "?did=assign") {
		t.Fatalf("%d %s", r.Code, r.body)
	}
	has(t, get(o.e, r.Header().Get("Location"), o.as("key:ann")).body, "The case is assigned.", "It is yours.")

	// The page of a colleague is older than that: it hears so, and overwrites nothing.
	r = o.send(page, o.fill(first, "assign", "", "assignee", "key:bob"), "key:bob")
	if r.Code != 409 {
		t.Errorf("status %d", r.Code)
	}
	has(t, r.body, "Not done.", "This has changed since you saw it. Now: stalled-1-", "assigned to key:ann", `name="assignee" value="key:bob"`)
	r = o.send(page, o.fill(r.body, "assign", "key:bob"), "key:bob") // looked again: now it holds
	if r.Code != 303 {
		t.Errorf("status %d", r.Code)
	}

	for fields, want := range map[[3]string]string{
		{"wait", "", "why"}:                 "until: must lie ahead",
		{"wait", "2020-01-01T10:00", "why"}: "until: must lie ahead",
		{"wait", "tomorrow", "why"}:         "until: must be a day and a time",
		{"lost", "", ""}:                    "reason: is needed",
		{"dismiss", "", "why"}:              "does not resolve stalled",
		{"", "", "why"}:                     "does not resolve stalled",
	} {
		r := o.send(page, o.fill(look("key:ann"), "resolve", "", "choice", fields[0], "by", fields[1], "reason", fields[2]), "key:ann")
		if r.Code != 422 {
			t.Errorf("%v: status %d", fields, r.Code)
		}
		has(t, r.body, want, `value="`+fields[2]+`"`)
	}
	second := look("key:ann")
	if r := o.send(page, o.fill(second, "resolve", "", "choice", "wait", "by", "2026-11-24T10:00", "reason", "they search <b>on</b>"), "key:ann"); r.Code != 303 {
		t.Fatalf("%d %s", r.Code, r.body)
	}
	r = o.send(page, o.fill(second, "resolve", "", "choice", "lost", "reason", "typed for nothing"), "key:bob")
	if r.Code != 409 {
		t.Errorf("status %d", r.Code)
	}
	has(t, r.body, "resolved (wait) by key:ann", "You had typed", "typed for nothing")
	body := look("key:bob")
	has(t, body, "give it more time by key:ann", "they search &lt;b&gt;on&lt;/b&gt;", "extended by key:ann")
	if r := o.send(page, o.fill(body, "reopen", "", "reason", "they do not"), "key:bob"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	body = look("key:bob")
	has(t, body, "reopened")
	if r := o.send(page, o.fill(body, "note", "", "text", "called again"), "key:bob"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	has(t, look("key:bob"), "called again")
	if a := o.audits[0]; a.Actor != "key:ann" || a.Role != "support" || a.Action != "assign_case" || a.Outcome != "done" || !strings.Contains(a.Detail, "assigned to key:7d2nq4") || !strings.Contains(a.Detail, "→") {
		t.Errorf("%+v", a)
	}
}

func TestARefundTakesAnotherPerson(t *testing.T) {
	o := newOffice(t)
	page := o.page("not-received-refund-to-approve")
	body := get(o.e, page, o.as("key:7d2nq4")).body
	has(t, body, "needs a second person", "667.00 EUR", "another person must agree")
	if strings.Contains(body, `value="agree"`) {
		t.Error("who asked may agree")
	}
	body = get(o.e, page, o.as("key:bob")).body
	if r := o.send(page, o.fill(body, "decide", "", "choice", "decline"), "key:bob"); r.Code != 422 || !strings.Contains(r.body, "reason: is needed") {
		t.Errorf("%d", r.Code)
	}
	if r := o.send(page, o.fill(body, "decide", "", "choice", "agree"), "key:bob"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	body = get(o.e, page, o.as("key:ann")).body
	has(t, body, "requested", "Decided by")
	for amount, want := range map[string]string{"12.345": "must be a number like 12.50", "many": "must be a number", "-5": "must be a number"} {
		if r := o.send(page, o.fill(body, "end", "", "choice", "confirmed", "amount", amount, "reason", "x"), "key:ann"); r.Code != 422 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d", amount, r.Code)
		}
	}
	if r := o.send(page, o.fill(body, "end", "", "choice", "confirmed", "amount", "600,5", "reference", "rf-9", "reason", "by hand"), "key:ann"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	has(t, get(o.e, page, o.as("key:ann")).body, "confirmed", "600.50 EUR", "rf-9")
}

func TestWaitsAreMovedInTheConsole(t *testing.T) {
	o := newOffice(t)
	page := o.page("received")
	body := get(o.e, page, o.as("key:ann")).body
	if r := o.send(page, o.fill(body, "extend", `value="pick"`, "by", "2026-11-30T10:00", "reason", "stocktaking"), "key:ann"); r.Code != 303 {
		t.Fatalf("%d %s", r.Code, r.body)
	}
	if r := o.send(page, o.fill(body, "fire", `value="pick"`, "reason", "gone"), "key:bob"); r.Code != 409 || !strings.Contains(r.body, "until 2026-11-30 10:00:00Z") {
		t.Errorf("%d", r.Code)
	}
	body = get(o.e, page, o.as("key:ann")).body
	if r := o.send(page, o.fill(body, "fire", `value="pick"`, "reason", "gone"), "key:ann"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	has(t, get(o.e, page, o.as("key:ann")).body, "not picked", "Do not send it")
	delivered := o.page("delivered")
	body = get(o.e, delivered, o.as("key:ann")).body
	if r := o.send(delivered, o.fill(body, "not-received", "", "reason", "the neighbours have nothing"), "key:ann"); r.Code != 303 {
		t.Errorf("%d %s", r.Code, r.body)
	}
	has(t, get(o.e, delivered, o.as("key:ann")).body, "not received", "Send a replacement")
}

func TestWhoMayNotAct(t *testing.T) {
	o := newOffice(t)
	page := o.page("stalled")
	v := o.fill(get(o.e, page, o.as("key:ann")).body, "note", "", "text", "x")
	for name, c := range map[string]*http.Cookie{"nobody": nil, "revoked since": o.as("key:gone")} {
		r := post(page+"/act", v)
		want := 303
		if c != nil {
			r.AddCookie(c)
			want = 403
		}
		if got := do(o.e, r); got.Code != want || want == 303 && got.Header().Get("Location") != "/console/sign-in?next="+url.QueryEscape(page) {
			t.Errorf("%s: %d %s", name, got.Code, got.Header().Get("Location"))
		}
	}
	o.scopes["key:ann"] = []string{"storefront"} // lost its scope since it signed in
	if r := o.send(page, v, "key:ann"); r.Code != 403 {
		t.Errorf("status %d", r.Code)
	}
	o.scopes["key:ann"] = []string{"support"}
	cross := post(page+"/act", v)
	cross.AddCookie(o.as("key:ann"))
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if r := do(o.e, cross); r.Code != 403 {
		t.Errorf("from another site: %d", r.Code)
	}
	if r := o.send("/console/orders/acme:none", v, "key:ann"); r.Code != 404 {
		t.Errorf("status %d", r.Code)
	}
	if r := o.send(page, url.Values{"act": {"drop tables"}}, "key:ann"); r.Code != 422 || !strings.Contains(r.body, "there is no such form") {
		t.Errorf("status %d", r.Code)
	}
	if len(o.audits) != 0 {
		t.Errorf("%+v", o.audits)
	}
	for err, want := range map[error]string{workflows.ErrNotRunning: "The order is closed", workflows.ErrUnavailable: "did not answer in time"} {
		o.away = err
		if r := o.send(page, v, "key:ann"); r.Code < 400 || !strings.Contains(r.body, want) || !strings.Contains(r.body, `name="text" value="x"`) {
			t.Errorf("%v: status %d", err, r.Code)
		}
	}
	// Without a desk the console only shows.
	e, _ := newServer(t)
	if strings.Contains(get(e, page, signedIn()).body, `class="act"`) {
		t.Error("forms without a desk")
	}
}

func TestTheWorkListOfTeams(t *testing.T) {
	o := newOffice(t)
	o.now = testNow.Add(26 * time.Hour)
	body := get(o.e, "/console/cases", o.as("key:ann")).body
	has(t, body, "all teams", "warehouse", "overdue", "attempt failed", `rel="next"`, `href="/console/cases?assignee=key%3aann"`)
	body = get(o.e, "/console/cases?owner=ops&kind=stalled&severity=normal&assignee=key:7d2nq4&store=acme", o.as("key:ann")).body
	f := o.worked[len(o.worked)-1]
	if f != (store.CaseFilter{Owner: "ops", Kind: "stalled", Severity: "normal", Assignee: "key:7d2nq4", Store: "acme", Limit: pageSize + 1}) {
		t.Errorf("asked %+v", f)
	}
	has(t, body, "no movement since", strings.Replace(o.page("stalled"), "acme:", "acme:", 1)+"#stalled-1-", `<option value="stalled" selected>`)
	get(o.e, "/console/cases?owner=carrier&kind=x&severity=y", o.as("key:ann"))
	if f := o.worked[len(o.worked)-1]; f.Owner+f.Kind+f.Severity != "" {
		t.Errorf("asked %+v", f)
	}
	if r := get(o.e, "/console/cases?after=nonsense&owner=ops", o.as("key:ann")); r.Code != 303 || r.Header().Get("Location") != "/console/cases?owner=ops" {
		t.Errorf("%d %s", r.Code, r.Header().Get("Location"))
	}
	k := store.CaseCursor{Due: testNow, OrderID: "acme:1", Kind: "lost", Parcel: "A.1"}
	if got, ok := readCaseCursor(caseCursor(k)); !ok || got != k {
		t.Errorf("%+v", got)
	}
	o.err = errDown
	if r := get(o.e, "/console/cases", o.as("key:ann")); r.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.Code)
	}
}

func TestEveryResolutionHasWords(t *testing.T) {
	for _, r := range order.Resolutions {
		if resolutionWords[r] == "" {
			t.Errorf("%s has none", r)
		}
	}
}
