package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// learning is an API and a console where rhythms are decided.
type learning struct {
	*desk
	adopted []string
	away    error // adoptions cannot begin
}

func newLearning(t *testing.T) *learning {
	l := &learning{desk: newDesk(t)}
	now := func() time.Time { return l.now }
	where := links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")}
	rhythms := &acts.Rhythms{Store: l.store, Log: slog.New(slog.DiscardHandler), Now: now, Adopt: func(_ context.Context, policy string, version int) error {
		l.adopted = append(l.adopted, fmt.Sprint(policy, version))
		return l.away
	}}
	l.api = api.New(api.Deps{Store: l.store, Orders: l.desk, Log: slog.New(slog.DiscardHandler), Now: now, Rhythms: rhythms, Links: where})
	pages.Mount(l.api.Echo, pages.Deps{Store: l.store, Links: where, Now: now, Secret: []byte("a secret of 32 bytes, or so it is"), VerifyKey: l.api.VerifyKey, Rhythms: rhythms})
	for name, scope := range map[string]string{"ops": api.Ops, "admin": api.Admin} {
		key, text, err := api.NewKey(name, []string{scope}, "")
		if err == nil {
			err = l.store.AddKey(t.Context(), key)
		}
		if err != nil {
			t.Fatal(err)
		}
		l.keys[name] = text
	}
	return l
}

// night proposes one line of a policy for each carrier, and returns their IDs.
func (l *learning) night(gap time.Duration, carriers ...string) (ids []int64) {
	l.Helper()
	var list []store.RhythmProposal
	for _, c := range carriers {
		list = append(list, store.RhythmProposal{Orders: 3, Ending: 2, Proposal: rhythm.Proposal{Policy: "default", Current: 72 * time.Hour, Gap: gap,
			Measured: rhythm.Measured{Scope: rhythm.Scope{Carrier: c, Service: "ground", Lane: "DE-US"}, N: 500, P50: 5 * time.Hour, P95: gap - time.Minute}}})
	}
	put, err := l.store.PutProposals(l.Context(), list, l.now)
	if err != nil {
		l.Fatal(err)
	}
	for _, p := range put {
		ids = append(ids, p.ID)
	}
	return ids
}

func (l *learning) call(key, method, path, body string) (int, string) {
	l.Helper()
	r := httptest.NewRequestWithContext(l.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+l.keys[key])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	l.api.Echo.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (l *learning) rhythms() (p order.PolicyBook) {
	l.Helper()
	p, err := l.store.Policy(l.Context(), "default")
	if err != nil {
		l.Fatal(err)
	}
	return p
}

func (l *learning) audits(action string) (n int) {
	l.Helper()
	if err := l.db.QueryRow(l.Context(), `select count(*) from audit where action = $1 and outcome = 'done'`, action).Scan(&n); err != nil {
		l.Fatal(err)
	}
	return n
}

func TestALearnedRhythmIsAcceptedAsItWasSeen(t *testing.T) {
	l := newLearning(t)
	ids := l.night(30*time.Hour, "dhl", "ups")
	code, body := l.call("ann", "GET", "/v1/rhythms", "")
	var list struct{ Rhythms []map[string]any }
	if err := json.Unmarshal([]byte(body), &list); err != nil || code != 200 || len(list.Rhythms) != 2 {
		t.Fatalf("%d %s %v", code, body, err)
	}
	for field, want := range map[string]any{"policy": "default", "carrier": "dhl", "service": "ground", "lane": "DE-US", "gap": "30h0m0s", "current": "72h0m0s", "p95": "29h59m0s", "parcels": 500.0, "orders": 3.0, "waits_ending": 2.0} {
		if got := list.Rhythms[0][field]; got != want {
			t.Errorf("%s: %v, want %v", field, got, want)
		}
	}
	accept := fmt.Sprintf("/v1/rhythms/%d/accept", ids[0])
	for name, c := range map[string]struct {
		key, path, body string
		want            int
	}{
		"support may look only": {"ann", accept, `{"gap":"30h","reason":"r"}`, 403},
		"another gap":           {"ops", accept, `{"gap":"31h","reason":"r"}`, 409},
		"no reason":             {"ops", accept, `{"gap":"30h"}`, 422},
		"none":                  {"ops", "/v1/rhythms/999/accept", `{"gap":"30h","reason":"r"}`, 404},
	} {
		if code, body := l.call(c.key, "POST", c.path, c.body); code != c.want {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if len(l.adopted) > 0 || l.audits("accept_rhythm") > 0 || l.rhythms().Version != 1 {
		t.Fatalf("something was done: %v", l.adopted)
	}
	l.away = errors.New("temporal is away") // the night makes up for it
	if code, body := l.call("ops", "POST", accept, `{"gap":"30h","reason":"in line with their figures"}`); code != 200 || !strings.Contains(body, `"decision":"accepted"`) || !strings.Contains(body, `"version":2`) {
		t.Fatalf("%d %s", code, body)
	}
	p := l.rhythms()
	if p.Version != 2 || len(p.Rhythms) != 1 || p.Rhythms[0] != (order.Rhythm{Carrier: "dhl", Service: "ground", Lane: "DE-US", Gap: order.Duration(30 * time.Hour), Learned: true}) {
		t.Errorf("%+v", p.Rhythms)
	}
	if fmt.Sprint(l.adopted) != "[default2]" || l.audits("accept_rhythm") != 1 {
		t.Errorf("%v, %d audit rows", l.adopted, l.audits("accept_rhythm"))
	}
	if names, err := l.store.LearnedNewest(t.Context()); err != nil || fmt.Sprint(names) != "[default]" {
		t.Errorf("the night would not bring it to the orders: %v, %v", names, err)
	}
	if code, _ := l.call("ops", "POST", fmt.Sprintf("/v1/rhythms/%d/decline", ids[0]), `{"gap":"30h","reason":"no"}`); code != 409 {
		t.Errorf("declined after it was accepted: %d", code)
	}
	if code, body := l.call("ops", "POST", fmt.Sprintf("/v1/rhythms/%d/decline", ids[1]), `{"gap":"30h","reason":"a strike"}`); code != 200 || l.audits("decline_rhythm") != 1 {
		t.Errorf("%d %s", code, body)
	}
	if _, body := l.call("admin", "GET", "/v1/rhythms?state=decided", ""); !strings.Contains(body, "a strike") || !strings.Contains(body, "in line with their figures") {
		t.Error(body)
	}
	// A policy file from before leaves it standing.
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "/v1/policies/default", strings.NewReader("policies: {default: {pick: 1h}}"))
	r.Header.Set("Authorization", "Bearer "+l.keys["admin"])
	r.Header.Set("Content-Type", "application/yaml")
	w := httptest.NewRecorder()
	l.api.Echo.ServeHTTP(w, r)
	if p := l.rhythms(); w.Code != 200 || p.Version != 3 || len(p.Rhythms) != 1 || p.Pick != order.Duration(time.Hour) {
		t.Errorf("%d v%d %+v", w.Code, p.Version, p.Rhythms)
	}
}

func TestALearnedRhythmIsDecidedInTheConsole(t *testing.T) {
	l := newLearning(t)
	ids := l.night(30*time.Hour, "ups")
	visit := func(method, path string, form url.Values, session *http.Cookie) *http.Response {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, "https://way.example"+path, strings.NewReader(form.Encode()))
		if method == "POST" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if session != nil {
			r.AddCookie(session)
		}
		w := httptest.NewRecorder()
		l.api.Echo.ServeHTTP(w, r)
		return w.Result()
	}
	session := func(key string) *http.Cookie {
		t.Helper()
		cookies := visit("POST", "/console/sign-in", url.Values{"key": {l.keys[key]}}, nil).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: not signed in", key)
		}
		return cookies[0]
	}
	text := func(r *http.Response) string {
		var b strings.Builder
		_ = r.Write(&b)
		return b.String()
	}
	page := text(visit("GET", "/console/rhythms", nil, session("ops")))
	for _, want := range []string{"UPS ground DE-US", "30 h", "3 d", "500 parcels", "2 waits end", "3 open orders would move", fmt.Sprintf(`action="/console/rhythms/%d"`, ids[0])} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if page := text(visit("GET", "/console/rhythms", nil, session("ann"))); strings.Contains(page, "<form class") || !strings.Contains(page, "UPS ground DE-US") {
		t.Error("support is shown a form, or nothing")
	}
	form := url.Values{"gap": {"30h0m0s"}, "decision": {"accepted"}, "reason": {"their own figures"}}
	path := fmt.Sprintf("/console/rhythms/%d", ids[0])
	if r := visit("POST", path, form, session("ann")); r.StatusCode != 403 {
		t.Errorf("support accepted: %d", r.StatusCode)
	}
	if r := visit("POST", path, url.Values{"gap": {"30h"}, "decision": {"accepted"}}, session("ops")); r.StatusCode != 422 {
		t.Errorf("without a reason: %d", r.StatusCode)
	}
	if r := visit("POST", path, url.Values{"gap": {"9h"}, "decision": {"accepted"}, "reason": {"r"}}, session("ops")); r.StatusCode != 409 {
		t.Errorf("another gap: %d", r.StatusCode)
	}
	if r := visit("POST", path, form, session("ops")); r.StatusCode != 303 || r.Header.Get("Location") != "/console/rhythms?done=accepted" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if l.rhythms().Version != 2 || fmt.Sprint(l.adopted) != "[default2]" {
		t.Errorf("v%d, %v", l.rhythms().Version, l.adopted)
	}
	if page := text(visit("GET", "/console/rhythms?done=accepted", nil, session("ops"))); !strings.Contains(page, "their own figures") || !strings.Contains(page, "version 2") || !strings.Contains(page, "Nothing to decide") {
		t.Error(page)
	}
}
