package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/messagingtest"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	sid     = "SM0123456789abcdef0123456789abcdef"
	service = "MG0123456789abcdef0123456789abcdef"
	number  = "+4915112345678"
	list    = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
)

var text = messaging.Text{
	ID: "ord-1:shipped:sms", To: number, Body: "Lumen: your order is on its way. https://wb.example/t/abc+d&e=1",
	StatusCallback: "https://shop.example/webhooks/twilio/status",
}

func client(t *testing.T, base, from string) *Client {
	t.Helper()
	c, err := New(Config{AccountSID: account, Secret: token, From: from, BaseURL: base, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMisbehavingProvider(t *testing.T) {
	messagingtest.Run(t, messagingtest.Suite{
		Send: func(ctx context.Context, base string, timeout time.Duration) (messaging.Receipt, error) {
			c, err := New(Config{AccountSID: account, Secret: token, From: "+15005550006", BaseURL: base, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			return c.Send(ctx, text)
		},
		Good: 201, Body: `{"sid":"` + sid + `","status":"queued"}`, Receipt: messaging.Receipt{ProviderID: sid},
		Private: []string{number, number[1:], "Lumen", "wb.example", token},
	})
}

func TestSuccessThatIsNone(t *testing.T) {
	for _, body := range []string{"", "null", "{}", `{"sid":""}`, `{"sid":"../../x"}`, `[]`, `{"sid":17}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			_, _ = w.Write([]byte(body))
		}))
		_, err := client(t, server.URL, "+15005550006").Send(context.Background(), text)
		server.Close()
		var e *messaging.Error
		if !errors.As(err, &e) || e.Class != messaging.Ambiguous {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestCodes(t *testing.T) {
	for code, c := range map[int]struct {
		status int
		class  messaging.Class
		reason messaging.Reason
	}{
		21211: {400, messaging.Permanent, messaging.BadAddress},
		21610: {400, messaging.Permanent, messaging.Unsubscribed},
		21612: {400, messaging.Permanent, messaging.Unreachable},
		21614: {400, messaging.Permanent, messaging.BadAddress},
		21408: {403, messaging.Permanent, messaging.Blocked},
		21611: {400, messaging.Retryable, messaging.Busy},
		21606: {400, messaging.Retryable, messaging.Account},
		20003: {401, messaging.Retryable, messaging.Account},
		20429: {429, messaging.Retryable, messaging.Busy},
		99999: {400, messaging.Permanent, messaging.Rejected},
		// A server error stays ambiguous whatever it says.
		21610 + 1_000_000: {500, messaging.Ambiguous, ""},
	} {
		said := code % 1_000_000
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = fmt.Fprintf(w, `{"code":%d,"message":"the number %s","more_info":"x","status":%d}`, said, number, c.status)
		}))
		_, err := client(t, server.URL, "+15005550006").Send(context.Background(), text)
		server.Close()
		var e *messaging.Error
		if !errors.As(err, &e) || e.Class != c.class || e.Reason != c.reason || e.Code != fmt.Sprint(said) {
			t.Errorf("%d: %+v", said, err)
		}
	}
}

func TestRefusedUnsent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was made") }))
	defer server.Close()
	for name, change := range map[string]func(*messaging.Text){
		"no number":       func(m *messaging.Text) { m.To = "" },
		"national number": func(m *messaging.Text) { m.To = "015112345678" },
		"another channel": func(m *messaging.Text) { m.To = "whatsapp:+4915112345678" },
		"too long":        func(m *messaging.Text) { m.Body = strings.Repeat("x", 1601) },
		"blank":           func(m *messaging.Text) { m.Body = " \n" },
		"no ID":           func(m *messaging.Text) { m.ID = "" },
		"bad callback":    func(m *messaging.Text) { m.StatusCallback = "ftp://x" },
	} {
		m := text
		change(&m)
		_, err := client(t, server.URL, "+15005550006").Send(context.Background(), m)
		var e *messaging.Error
		if !errors.As(err, &e) || e.Class != messaging.Permanent {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []Config{{}, {AccountSID: account, Secret: "a b", From: number}, {AccountSID: account, Secret: token, From: "MG0123456789abcdef"}, {AccountSID: account, Secret: token, From: number, BaseURL: "nowhere"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

func TestRequestsKeepTheSpecification(t *testing.T) {
	doc := messagingtest.Spec(t, "../../..", "twilio", "twilio_api_v2010.messages.json")
	for _, from := range []string{"+15005550006", "Lumen", service} {
		var got url.Values
		server := messagingtest.Validating(t, doc, list, map[string]string{"AccountSid": account}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, pass, ok := r.BasicAuth(); !ok || user != account || pass != token {
				t.Error("not authenticated")
			}
			if r.Method == http.MethodGet {
				got = r.URL.Query()
				_, _ = w.Write([]byte(`{"uri":"/x","messages":[]}`))
				return
			}
			_ = r.ParseForm()
			got = r.PostForm
			w.WriteHeader(201)
			_, _ = w.Write([]byte(`{"sid":"` + sid + `"}`))
		}))
		c := client(t, server.URL, from)
		if _, err := c.Send(context.Background(), text); err != nil {
			t.Error(err)
		}
		if got.Get("To") != number || got.Get("Body") != text.Body || got.Get("StatusCallback") != "https://shop.example/webhooks/twilio/status?message=ord-1%3Ashipped%3Asms#rc=5&rp=all" {
			t.Errorf("sent %v", got)
		}
		if byService := from == service; byService != (got.Get("MessagingServiceSid") == service) || byService == (got.Get("From") == from) {
			t.Errorf("sender: %v", got)
		}
		if _, _, err := c.Find(context.Background(), text, time.Now()); err != nil {
			t.Error(err)
		}
		if got.Get("To") != number {
			t.Errorf("asked for %v", got)
		}
	}
}

// What holds our requests refuses others.
func TestTheSpecificationRefusesOtherRequests(t *testing.T) {
	doc := messagingtest.Spec(t, "../../..", "twilio", "twilio_api_v2010.messages.json")
	valid := func(method, path, form string) error {
		r := httptest.NewRequest(method, path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return messagingtest.Validate(doc, list, map[string]string{"AccountSid": account}, r)
	}
	at := strings.ReplaceAll(list, "{AccountSid}", account)
	if err := valid("POST", at, "To=%2B15005550009&From=%2B15005550006&Body=x"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another path":    valid("POST", at+"x", "To=%2B15005550009"),
		"another method":  valid("DELETE", at, ""),
		"to nobody":       valid("POST", at, "Body=x"),
		"a period of ten": valid("POST", at, "To=%2B15005550009&ValidityPeriod=ten"),
	} {
		if err == nil {
			t.Errorf("%s is allowed", name)
		}
	}
}

// The library reads the environment for a region; ours is the configuration's.
func TestEnvironmentDoesNotMoveTheHost(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		_, _ = w.Write([]byte(`{"sid":"` + sid + `"}`))
	}))
	defer server.Close()
	if _, err := client(t, server.URL, "+15005550006").Send(context.Background(), text); err != nil {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	now := time.Now().UTC()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC1123Z) }
	one := func(body, created string) map[string]any {
		return map[string]any{"sid": sid, "body": body, "date_created": created, "date_sent": nil, "status": "queued"}
	}
	for name, c := range map[string]struct {
		messages []map[string]any
		next     string
		ago      time.Duration // since the attempt
		want     messaging.Finding
	}{
		"there":             {[]map[string]any{one(text.Body, at(-time.Hour))}, "", time.Hour, messaging.Taken},
		"there, just now":   {[]map[string]any{one(text.Body, at(0))}, "", time.Second, messaging.Taken},
		"trial account":     {[]map[string]any{one("Sent from your Twilio trial account - "+text.Body, at(-time.Hour))}, "", time.Hour, messaging.Taken},
		"nothing":           {nil, "", time.Hour, messaging.NotTaken},
		"nothing yet":       {nil, "", time.Second, messaging.Unknown},
		"an older twin":     {[]map[string]any{one(text.Body, at(-48*time.Hour))}, "", time.Hour, messaging.NotTaken},
		"other words":       {[]map[string]any{one("hello", at(-time.Hour))}, "", time.Hour, messaging.NotTaken},
		"redacted":          {[]map[string]any{one("", at(-time.Hour))}, "", time.Hour, messaging.Unknown},
		"no date":           {[]map[string]any{{"sid": sid, "body": text.Body}}, "", time.Hour, messaging.Unknown},
		"more pages":        {nil, "/next", time.Hour, messaging.Unknown},
		"there, more pages": {[]map[string]any{one(text.Body, at(-time.Hour))}, "/next", time.Hour, messaging.Taken},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				body := map[string]any{"uri": "/list", "messages": c.messages}
				if c.next != "" {
					body["next_page_uri"] = c.next
				}
				_ = json.NewEncoder(w).Encode(body)
			}))
			defer server.Close()
			got, receipt, err := client(t, server.URL, "+15005550006").Find(context.Background(), text, now.Add(-c.ago))
			if err != nil || got != c.want || (got == messaging.Taken) != (receipt.ProviderID == sid) {
				t.Errorf("%s, %+v, %v", got, receipt, err)
			}
		})
	}
	for name, handler := range map[string]http.HandlerFunc{
		"down":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"refused":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); _, _ = w.Write([]byte(`{}`)) },
		"redirect": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302); _, _ = w.Write([]byte(`{}`)) },
		"garbage":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
	} {
		server := httptest.NewServer(handler)
		got, _, err := client(t, server.URL, "+15005550006").Find(context.Background(), text, now.Add(-time.Hour))
		server.Close()
		if got != messaging.Unknown || err == nil || strings.Contains(err.Error(), number[1:]) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"hello":"world"}`)) }))
	defer empty.Close()
	if got, _, _ := client(t, empty.URL, "+15005550006").Find(context.Background(), text, now.Add(-time.Hour)); got != messaging.Unknown {
		t.Errorf("somebody else's JSON: %s", got)
	}
}
