package sendgrid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/messagingtest"
)

const apiKey = "SG.abcdefghijk.0123456789-_xyz"

var letter = messaging.Mail{
	ID:   "ord-1:shipped:email",
	From: messaging.Mailbox{Address: "orders@lumen.example", Name: "Lumen Lights"}, To: messaging.Mailbox{Address: "jo.doe@buyer.example", Name: "Jo Döe"},
	ReplyTo: messaging.Mailbox{Address: "help@lumen.example"},
	Subject: "Your order is on its way", Text: "Hello Jo", HTML: "<p>Hello Jo</p>",
	Headers: map[string]string{"List-Unsubscribe": "<https://shop.example/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
}

func client(t *testing.T, base string) *Client {
	t.Helper()
	c, err := New(Config{Key: apiKey, BaseURL: base, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMisbehavingProvider(t *testing.T) {
	messagingtest.Run(t, messagingtest.Suite{
		Send: func(ctx context.Context, base string, timeout time.Duration) (messaging.Receipt, error) {
			c, err := New(Config{Key: apiKey, BaseURL: base, Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			return c.Send(ctx, letter)
		},
		Good: 202, Header: http.Header{"X-Message-Id": {"LRzXl_NHStOGhQ4kofSm_A"}}, Receipt: messaging.Receipt{ProviderID: "LRzXl_NHStOGhQ4kofSm_A"},
		Private: []string{"jo.doe@buyer.example", "Jo Döe", "Hello Jo", apiKey},
	})
}

func TestRequestKeepsTheSpecification(t *testing.T) {
	doc := messagingtest.Spec(t, "../../..", "sendgrid", "tsg_mail_v3.json")
	var got map[string]any
	server := messagingtest.Validating(t, doc, "/v3/mail/send", nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+apiKey || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(202)
	}))
	if _, err := client(t, server.URL).Send(context.Background(), letter); err != nil {
		t.Fatal(err)
	}
	bare := letter
	bare.ReplyTo, bare.Headers, bare.From.Name, bare.To.Name = messaging.Mailbox{}, nil, "", ""
	if _, err := client(t, server.URL).Send(context.Background(), bare); err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(got["personalizations"]); !strings.Contains(string(got), `"custom_args":{"waybill_message":"`+letter.ID+`"}`) {
		t.Errorf("sent %s", got)
	}
	tracking, _ := json.Marshal(got["tracking_settings"])
	if strings.Contains(string(tracking), "true") || strings.Count(string(tracking), "false") != 4 {
		t.Errorf("tracking %s", tracking)
	}
}

// What holds our requests refuses others.
func TestTheSpecificationRefusesOtherRequests(t *testing.T) {
	doc := messagingtest.Spec(t, "../../..", "sendgrid", "tsg_mail_v3.json")
	const good = `{"personalizations":[{"to":[{"email":"jo@buyer.example"}]}],"from":{"email":"a@shop.example"},"subject":"s","content":[{"type":"text/plain","value":"t"}]}`
	valid := func(method, path, body string) error {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return messagingtest.Validate(doc, "/v3/mail/send", nil, r)
	}
	if err := valid("POST", "/v3/mail/send", good); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another path":   valid("POST", "/v3/mail", good),
		"another method": valid("GET", "/v3/mail/send", ""),
		"no sender":      valid("POST", "/v3/mail/send", strings.Replace(good, `"from":{"email":"a@shop.example"},`, "", 1)),
		"to a number":    valid("POST", "/v3/mail/send", strings.Replace(good, `"jo@buyer.example"`, "7", 1)),
	} {
		if err == nil {
			t.Errorf("%s is allowed", name)
		}
	}
}

// The library's own client mixes the mails of sends at once; ours must not.
func TestSendsAtOnceDoNotMix(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var m struct {
			Personalizations []struct {
				To         []struct{ Email string }
				CustomArgs map[string]string `json:"custom_args"`
			}
			Subject string
		}
		if err := json.Unmarshal(raw, &m); err != nil || len(m.Personalizations) != 1 || len(m.Personalizations[0].To) != 1 {
			t.Errorf("%s: %v", raw, err)
			return
		}
		n := m.Subject
		if m.Personalizations[0].To[0].Email != n+"@buyer.example" || m.Personalizations[0].CustomArgs["waybill_message"] != "id-"+n {
			t.Errorf("mixed: %s", raw)
		}
		mu.Lock()
		seen[n]++
		mu.Unlock()
		w.Header().Set("X-Message-Id", "p-"+n)
		w.WriteHeader(202)
	}))
	defer server.Close()
	c := client(t, server.URL)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			m, n := letter, fmt.Sprintf("n%d", i)
			m.ID, m.Subject, m.To.Address = "id-"+n, n, messaging.Address(n+"@buyer.example")
			if r, err := c.Send(context.Background(), m); err != nil || r.ProviderID != "p-"+n {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	if len(seen) != 200 {
		t.Errorf("%d of 200 arrived", len(seen))
	}
}

func TestRefusedUnsent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was made") }))
	defer server.Close()
	for name, change := range map[string]func(*messaging.Mail){
		"no address":        func(m *messaging.Mail) { m.To.Address = "" },
		"two addresses":     func(m *messaging.Mail) { m.To.Address = "a@b.example, c@d.example" },
		"address with name": func(m *messaging.Mail) { m.To.Address = "Jo <a@b.example>" },
		"address with CRLF": func(m *messaging.Mail) { m.To.Address = "a@b.example\r\nBcc: x@y.example" },
		"subject with CRLF": func(m *messaging.Mail) { m.Subject = "Hi\r\nBcc: x@y.example" },
		"subject with LF":   func(m *messaging.Mail) { m.Subject = "Hi\nBcc: x@y.example" },
		"no subject":        func(m *messaging.Mail) { m.Subject = "" },
		"long subject":      func(m *messaging.Mail) { m.Subject = strings.Repeat("x", 1000) },
		"name with CRLF":    func(m *messaging.Mail) { m.To.Name = "Jo\r\nBcc: x" },
		"header with CRLF":  func(m *messaging.Mail) { m.Headers = map[string]string{"List-Unsubscribe": "<x>\r\nBcc: x"} },
		"header key":        func(m *messaging.Mail) { m.Headers = map[string]string{"X: y\r\nBcc": "x"} },
		"reserved header":   func(m *messaging.Mail) { m.Headers = map[string]string{"Bcc": "x@y.example"} },
		"no text":           func(m *messaging.Mail) { m.Text = "" },
		"no HTML":           func(m *messaging.Mail) { m.HTML = "" },
		"no ID":             func(m *messaging.Mail) { m.ID = "" },
		"hostile ID":        func(m *messaging.Mail) { m.ID = "a\nb" },
		"too long":          func(m *messaging.Mail) { m.HTML = strings.Repeat("x", 2<<20) },
	} {
		m := letter
		change(&m)
		_, err := client(t, server.URL).Send(context.Background(), m)
		var e *messaging.Error
		if !errors.As(err, &e) || e.Class != messaging.Permanent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindCannotSay(t *testing.T) {
	if got, _, err := client(t, "http://127.0.0.1:1").Find(context.Background(), letter, time.Now()); got != messaging.Unknown || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}
