package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/store"
)

func wishesPath(orderID string) string {
	return strings.TrimPrefix(testLinks.Preferences(orderID), testLinks.PublicURL)
}

func TestWishesAreChosenWithoutJavaScript(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	path := wishesPath(id)
	r := get(e, path)
	if r.Code != http.StatusOK {
		t.Fatal(r.Code, r.body)
	}
	has(t, r.body, `name="frequency" value="all" checked`, `name="channel" value="" checked`, `<form class="card wishes" method="post" action="`+path+`"`, "Acme Outfitters")
	lacks(t, r.body, "<script", "Saved.")
	if csp := r.Header().Get("Content-Security-Policy"); csp != contentPolicy || r.Header().Get("Cache-Control") != "private, no-store" {
		t.Error(csp)
	}

	r = do(e, post(path, url.Values{"frequency": {"important"}, "channel": {"sms"}, "language": {"pt-BR"}}))
	if r.Code != http.StatusSeeOther || m.wishes[id] != (store.Wishes{Channel: "sms", Frequency: "important", Language: "pt-BR"}) {
		t.Fatal(r.Code, m.wishes)
	}
	r = get(e, r.Header().Get("Location"))
	has(t, r.body, "Salvo.", `<html lang="pt-BR">`, `value="important" checked`, `value="sms" checked`, `value="pt-BR" selected`)

	// What is not offered is not kept.
	for _, bad := range []url.Values{{}, {"frequency": {"hourly"}}, {"frequency": {"all"}, "channel": {"pigeon"}}, {"frequency": {"all"}, "language": {"<script>"}}} {
		if r := do(e, post(path, bad)); r.Code != http.StatusSeeOther || strings.Contains(r.Header().Get("Location"), "saved") || m.wishes[id].Frequency != "important" {
			t.Errorf("%v: %d, %+v", bad, r.Code, m.wishes)
		}
	}
}

// Mail programs post by themselves, from nowhere (RFC 8058).
func TestOneClickUnsubscribes(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	m.wishes = map[string]store.Wishes{id: {Language: "de"}}
	form := post(wishesPath(id), url.Values{"List-Unsubscribe": {"One-Click"}})
	form.Header.Set("Sec-Fetch-Site", "cross-site")
	if r := do(e, form); r.Code != http.StatusOK || r.body != "Unsubscribed.\n" || m.wishes[id] != (store.Wishes{Frequency: "none", Language: "de"}) {
		t.Errorf("%d %s %+v", r.Code, r.body, m.wishes)
	}
	body := "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
	m.wishes = nil
	multi := httptest.NewRequest(http.MethodPost, wishesPath(id), strings.NewReader(body))
	multi.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if r := do(e, multi); r.Code != http.StatusOK || m.wishes[id].Frequency != "none" {
		t.Errorf("%d %s %+v", r.Code, r.body, m.wishes)
	}
	// Looking is not asking: scanners open every link of a mail.
	m.wishes = nil
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		do(e, httptest.NewRequest(method, wishesPath(id)+"?List-Unsubscribe=One-Click", nil))
	}
	if m.wishes != nil {
		t.Errorf("a look unsubscribed: %+v", m.wishes)
	}
}

func TestOnlyTheSignedLinkOpensWishes(t *testing.T) {
	e, m := newServer(t)
	id, other := m.fixtures[0].Order.Spec.ID, m.fixtures[1].Order.Spec.ID
	token := wishesPath(id)[strings.LastIndex(wishesPath(id), "/")+1:]
	for _, path := range []string{"/m/" + id + "/x", "/m/" + other + "/" + token, "/m/" + id + "/" + testLinks.Token(id), "/m/nobody:1/" + token, "/m/%00/" + token} {
		r := get(e, path)
		if r.Code != http.StatusNotFound || r.body != get(e, "/t/nonsense1").body {
			t.Errorf("%s: %d", path, r.Code)
		}
		if r := do(e, post(path, url.Values{"List-Unsubscribe": {"One-Click"}})); r.Code != http.StatusNotFound || m.wishes != nil {
			t.Errorf("%s: %d %+v", path, r.Code, m.wishes)
		}
	}
	// A link of ours to an order that is gone.
	if r := get(e, wishesPath("acme:gone")); r.Code != http.StatusNotFound {
		t.Error(r.Code)
	}
	m.err = errDown
	if r := get(e, wishesPath(id)); r.Code != http.StatusServiceUnavailable {
		t.Error(r.Code)
	}
	if r := do(e, post(wishesPath(id), url.Values{"List-Unsubscribe": {"One-Click"}})); r.Code != http.StatusServiceUnavailable {
		t.Errorf("it says that it is done: %d", r.Code)
	}
}

func TestAnErasedBuyerChoosesNothing(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	m.erased = map[string]bool{id: true}
	r := get(e, wishesPath(id))
	has(t, r.body, "Your personal data was deleted")
	lacks(t, r.body, "<form")
	if r := do(e, post(wishesPath(id), url.Values{"frequency": {"all"}, "channel": {""}, "language": {""}})); r.Code != http.StatusSeeOther || m.wishes != nil {
		t.Errorf("%d %+v", r.Code, m.wishes)
	}
}

func TestAFloodIsCutOff(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	r := do(e, post(wishesPath(id), url.Values{"frequency": {"all"}, "x": {strings.Repeat("x", maxForm)}}))
	if r.Code >= 500 || m.wishes != nil {
		t.Errorf("%d %+v", r.Code, m.wishes)
	}
}

func madeMessages(orderID string) []store.Message {
	at := testNow.Add(-time.Hour)
	row := func(n int, kind, audience, channel string, st store.MessageStatus, reason string) store.Message {
		m := store.Message{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", n), Status: st, Reason: reason, PlannedAt: at}
		m.Order, m.Kind, m.Audience, m.Channel = orderID, kind, audience, channel
		return m
	}
	sent := row(1, "shipped", "buyer", "email", store.MessageDelivered, "")
	sent.Told, sent.AttemptedAt, sent.Attempts, sent.Provider = []string{"1", "2"}, &at, 2, "sendgrid"
	return []store.Message{sent, row(2, "out_for_delivery", "buyer", "sms", store.MessageDropped, "superseded: <b>delivered</b>"), row(3, "alert", "support", "webhook", store.MessagePlanned, "")}
}

func TestTheOrderShowsItsMessages(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	path := "/console/orders/" + url.PathEscape(id)
	lacks(t, get(e, path, signedIn()).body, "<h2>Messages</h2>")
	m.messages, m.contact = madeMessages(id), store.Contact{Name: "Anna Canary", Email: "anna@canary.example", Phone: "+4915112345612"}
	body := get(e, path, signedIn()).body
	has(t, body, "<h2>Messages</h2>", "/console/outbox", "buyer by email", "a***@canary.example", "49*********12", "parcel 1, parcel 2", "2 attempts", "sendgrid", "superseded: &lt;b&gt;delivered", "support by webhook")
	lacks(t, body, "anna@canary", "Anna Canary", "15112345")
}

func madeShelf() []store.KeptMessage {
	list := madeMessages("acme:A-10482")
	keep := func(i int, v any) store.KeptMessage {
		body, _ := json.Marshal(v)
		return store.KeptMessage{Message: list[i], Body: body, ShelvedAt: testNow.Add(-time.Duration(i) * time.Minute)}
	}
	return []store.KeptMessage{
		keep(0, map[string]any{"mail": messaging.Mail{To: messaging.Mailbox{Address: "anna@canary.example"}, Subject: "<b>On</b> its way", Text: "Hello </pre><script>alert(1)</script>", HTML: "<html><script>alert(1)</script><p style='color:red'>Hello</p></html>"}}),
		keep(1, map[string]any{"text": messaging.Text{To: "+4915112345612", Body: "Comes today"}}),
	}
}

// What is kept is shown as its reader would see it, and can do nothing here.
func TestTheOutbox(t *testing.T) {
	e, m := newServer(t)
	if r := get(e, "/console/outbox"); r.Code != http.StatusSeeOther {
		t.Errorf("without signing in: %d", r.Code)
	}
	has(t, get(e, "/console/outbox", signedIn()).body, "Nothing was kept.")
	m.shelf = madeShelf()
	r := get(e, "/console/outbox", signedIn())
	has(t, r.body, "&lt;b&gt;On&lt;/b&gt; its way", "anna@canary.example", "&lt;/pre&gt;&lt;script&gt;", "Comes today", `<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/console/outbox/`+m.shelf[0].ID+`"`)
	lacks(t, r.body, "<script>alert")
	if csp := r.Header().Get("Content-Security-Policy"); csp != contentPolicy+"; frame-src 'self'" {
		t.Error(csp)
	}
	mail := "/console/outbox/" + m.shelf[0].ID
	if r := get(e, mail); r.Code != http.StatusSeeOther {
		t.Errorf("without signing in: %d", r.Code)
	}
	r = get(e, mail, signedIn())
	csp := r.Header().Get("Content-Security-Policy")
	if r.Code != http.StatusOK || !strings.Contains(r.body, "<p style='color:red'>Hello") || !strings.HasPrefix(csp, "sandbox allow-popups ") || strings.Contains(csp, "allow-scripts") ||
		strings.Contains(csp, "allow-same-origin") || !strings.Contains(csp, "default-src 'none'") || r.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %s", r.Code, csp)
	}
	for _, none := range []string{m.shelf[1].ID, "00000000-0000-0000-0000-000000000099", "x", "..%2f"} { // a text, none, nonsense
		if r := get(e, "/console/outbox/"+none, signedIn()); r.Code != http.StatusNotFound {
			t.Errorf("%s: %d", none, r.Code)
		}
	}
}

func TestTheOutboxGoesOnBehindALongPage(t *testing.T) {
	e, m := newServer(t)
	one := madeShelf()[1]
	for i := range outboxRows + 3 {
		k := one
		k.ID, k.ShelvedAt = fmt.Sprintf("00000000-0000-0000-0000-%012d", i), testNow.Add(-time.Duration(i)*time.Minute)
		m.shelf = append(m.shelf, k)
	}
	body := get(e, "/console/outbox", signedIn()).body
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body)
	if strings.Count(body, "Comes today") != outboxRows || next == nil {
		t.Fatal(strings.Count(body, "Comes today"), next)
	}
	body = get(e, strings.ReplaceAll(next[1], "&amp;", "&"), signedIn()).body
	if strings.Count(body, "Comes today") != 3 || strings.Contains(body, `rel="next"`) {
		t.Error(strings.Count(body, "Comes today"))
	}
}

func TestEveryMessageIsInTheGallery(t *testing.T) {
	e, _ := newServer(t)
	frames := regexp.MustCompile(`<iframe[^>]* src="([^"]+)"`)
	var all []string
	for _, language := range []string{"en", "de", "es", "pt-BR"} {
		r := get(e, "/console/gallery/messages?language="+language, signedIn())
		if r.Code != http.StatusOK {
			t.Fatal(r.Code)
		}
		for _, f := range frames.FindAllStringSubmatch(r.body, -1) {
			all = append(all, f[1])
			if mail := get(e, f[1], signedIn()); mail.Code != http.StatusOK || !strings.Contains(mail.body, "<html") {
				t.Errorf("%s: %d", f[1], mail.Code)
			}
		}
	}
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 4*11+1 {
		t.Errorf("%d messages", n)
	}
	for _, none := range []string{"/console/gallery/messages?language=xx", "/console/gallery/messages/greeting", "/console/gallery/messages/shipped?language=xx"} {
		if r := get(e, none, signedIn()); r.Code != http.StatusNotFound {
			t.Errorf("%s: %d", none, r.Code)
		}
	}
}
