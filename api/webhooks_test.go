package api

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
)

func signed(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "hmac-sha256-hex=" + hex.EncodeToString(mac.Sum(nil))
}

func TestACarriersPushIsVerifiedReadAndKeptOnce(t *testing.T) {
	b := newBench(t)
	raw, err := os.ReadFile("../internal/carriers/easypost/testdata/push_updated.json")
	if err != nil {
		t.Fatal(err)
	}
	body := string(raw)
	first := read[intake.Counts](b.call("POST", "/webhooks/easypost", "", body, "X-Hmac-Signature", signed("new secret", body)).want(200))
	if first.Orphan+first.Accepted == 0 || first.Rejected > 0 || first.Duplicate > 0 {
		t.Errorf("first: %+v", first)
	}
	again := read[intake.Counts](b.call("POST", "/webhooks/easypost", "", body, "X-Hmac-Signature", signed("old secret", body)).want(200))
	if again.Duplicate != first.Orphan+first.Accepted || again.Accepted+again.Orphan > 0 {
		t.Errorf("again, signed with the secret that is being retired: %+v", again)
	}
}

// counted is what the metrics say became of a source's facts.
func (b *bench) counted(source, result string) bool {
	b.Helper()
	return strings.Contains(b.call("GET", "/metrics", "", "").want(200).Body.String(), fmt.Sprintf("waybill_facts_total{result=%q,source=%q} ", result, source))
}

// torn breaks off in the middle of the body.
type torn struct{ io.Reader }

func (t torn) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func trackerEvent(details ...string) string {
	return `{"object":"Event","description":"tracker.updated","result":{"object":"Tracker","tracking_code":"1Z999AA10123456784","tracking_details":[` + strings.Join(details, ",") + `]}}`
}

func trackerDetail(minute int, message string) string {
	return fmt.Sprintf(`{"status":"in_transit","message":%q,"datetime":%q,"tracking_location":{}}`, message, testNow.Add(-time.Duration(minute+1)*time.Minute).Format(time.RFC3339))
}

// Each bad body gets a clear status and is counted under its reason. What was
// verified is kept byte for byte; what was not is only counted.
func TestBadInput(t *testing.T) {
	many := func(n int) string {
		ds := make([]string, n)
		for i := range ds {
			ds[i] = trackerDetail(i, "Departed")
		}
		return trackerEvent(ds...)
	}
	bomb := `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "boom"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>`
	fedex, err := os.ReadFile("../internal/carriers/fedex/testdata/push.json")
	if err != nil {
		t.Fatal(err)
	}
	good := trackerEvent(trackerDetail(1, "Departed"))
	ahead, strange := trackerEvent(trackerDetail(-3*24*60, "Departed")), strings.Replace(good, "1Z999AA10123456784", "<b>1</b>", 1)
	utf16 := "\xff\xfe{\x00}\x00"
	shippo := func(body string, at time.Time) string {
		stamp := strconv.FormatInt(at.Unix(), 10)
		return "t=" + stamp + ",v1=" + strings.TrimPrefix(signed("new secret", stamp+"."+body), "hmac-sha256-hex=")
	}
	for name, c := range map[string]struct {
		carrier, body string
		headers       []string
		torn          bool
		status        int
		kind          string // of the problem; empty: it is accepted
		reason        string // as counted
		source        string // as counted; empty: the carrier
		kept          bool
		facts         int
	}{
		"unsigned":               {body: good, status: 401, kind: "unauthenticated", reason: "unsigned"},
		"empty signature":        {body: good, headers: []string{"X-Hmac-Signature", "hmac-sha256-hex="}, status: 401, kind: "unauthenticated", reason: "wrongly_signed"},
		"wrongly signed":         {body: good, headers: []string{"X-Hmac-Signature", signed("guess", good)}, status: 401, kind: "unauthenticated", reason: "wrongly_signed"},
		"signature of another":   {body: good, headers: []string{"X-Hmac-Signature", signed("new secret", good+" ")}, status: 401, kind: "unauthenticated", reason: "wrongly_signed"},
		"unsigned and malformed": {body: "hello", status: 401, kind: "unauthenticated", reason: "unsigned"},
		"replayed":               {carrier: "shippo", body: "{}", headers: []string{"Shippo-Auth-Signature", shippo("{}", testNow.Add(-time.Hour))}, status: 401, kind: "unauthenticated", reason: "replayed"},
		"no such carrier":        {carrier: "pigeon", body: good, status: 404, kind: "not-found", reason: "no_webhook", source: "unknown"},
		"no secret":              {carrier: "fedex", body: good, status: 404, kind: "not-found", reason: "no_webhook", source: "unknown"},
		"oversized":              {body: strings.Repeat(" ", 4<<20+1), status: 413, kind: "too-large", reason: "too_large"},
		"compressed":             {body: "\x1f\x8b", headers: []string{"Content-Encoding", "gzip"}, status: 415, kind: "unsupported-media-type", reason: "compressed"},
		"torn":                   {body: good, torn: true, headers: []string{"X-Hmac-Signature", signed("new secret", good)}, status: 400, kind: "malformed", reason: "broken_off"},

		"truncated":             {body: good[:len(good)/2], headers: []string{"X-Hmac-Signature", signed("new secret", good[:len(good)/2])}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"empty":                 {body: "", headers: []string{"X-Hmac-Signature", signed("new secret", "")}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"UTF-16":                {body: utf16, headers: []string{"X-Hmac-Signature", signed("new secret", utf16)}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"another carrier's":     {body: string(fedex), headers: []string{"X-Hmac-Signature", signed("new secret", string(fedex))}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"XML bomb":              {carrier: "dhl", body: bomb, headers: []string{"DHL-Webhook-Token", "new secret"}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"deeply nested lists":   {body: strings.Repeat("[", 3<<20), headers: []string{"X-Hmac-Signature", signed("new secret", strings.Repeat("[", 3<<20))}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"deeply nested objects": {body: strings.Repeat(`{"a":`, 500_000), headers: []string{"X-Hmac-Signature", signed("new secret", strings.Repeat(`{"a":`, 500_000))}, status: 422, kind: "invalid", reason: "malformed", kept: true},
		"10,001 events":         {body: many(10_001), headers: []string{"X-Hmac-Signature", signed("new secret", many(10_001))}, status: 422, kind: "invalid", reason: "malformed", kept: true},

		"10,000 events of a parcel": {body: many(10_000), headers: []string{"X-Hmac-Signature", signed("new secret", many(10_000))}, status: 200, reason: "accepted", kept: true, facts: 10_000},
		"HTML":                      {body: trackerEvent(trackerDetail(1, `<img src=x onerror=alert(1)>\u202e\u0000`)), headers: []string{"X-Hmac-Signature", signed("new secret", trackerEvent(trackerDetail(1, `<img src=x onerror=alert(1)>\u202e\u0000`)))}, status: 200, reason: "accepted", kept: true, facts: 1},
		"not UTF-8 in a text":       {body: strings.Replace(good, "Departed", "Dep\xffarted", 1), headers: []string{"X-Hmac-Signature", signed("new secret", strings.Replace(good, "Departed", "Dep\xffarted", 1))}, status: 200, reason: "accepted", kept: true, facts: 1},
		"three days ahead":          {body: ahead, headers: []string{"X-Hmac-Signature", signed("new secret", ahead)}, status: 200, reason: "rejected", kept: true},
		"a number that is none":     {body: strange, headers: []string{"X-Hmac-Signature", signed("new secret", strange)}, status: 200, reason: "rejected", kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			carrier := cmp.Or(c.carrier, "easypost")
			var body io.Reader = strings.NewReader(c.body)
			if c.torn {
				body = torn{body}
			}
			req := httptest.NewRequest("POST", "/webhooks/"+carrier, body)
			req.Header.Set("Content-Type", "application/json")
			for i := 0; i+1 < len(c.headers); i += 2 {
				req.Header.Set(c.headers[i], c.headers[i+1])
			}
			if a := b.send(req); c.kind == "" {
				a.want(c.status)
			} else {
				a.refuses(c.status, c.kind, "-")
			}
			if source := cmp.Or(c.source, "carrier:"+carrier); !b.counted(source, c.reason) {
				t.Errorf("not counted as %s of %s", c.reason, source)
			}
			if (len(b.raws) == 1) != c.kept || c.kept && string(b.raws[0].Body) != c.body || c.kept && (b.raws[0].Error != "") != (c.status == 422 || c.reason == "rejected") {
				t.Errorf("%d bodies kept, want %v", len(b.raws), c.kept)
			}
			if len(b.facts) != c.facts {
				t.Errorf("%d facts, want %d", len(b.facts), c.facts)
			}
			for _, f := range b.facts {
				if !utf8.ValidString(f.Description) || strings.ContainsAny(f.Description, "\x00\u202e") {
					t.Errorf("%q", f.Description)
				}
			}
		})
	}
}

// A body that cannot be kept is not acknowledged: the carrier sends it again.
func TestNothingIsAcknowledgedThatIsNotKept(t *testing.T) {
	b := newBench(t)
	b.fail = context.DeadlineExceeded
	for _, body := range []string{trackerEvent(trackerDetail(1, "Departed")), "hello"} {
		b.call("POST", "/webhooks/easypost", "", body, "X-Hmac-Signature", signed("new secret", body)).refuses(503, "unavailable", "-")
	}
}

// A subscription is confirmed only to whom the webhook's own secret proves, and the
// carrier is told to come again when that failed.
func TestASubscriptionIsConfirmedAfterItsPushIsVerified(t *testing.T) {
	const body = `{"scope":"subscription.validate","self":"https://api-eu.dhl.com/tracking/push/v1/subscription/sub-1","secret":"once"}`
	b := newBench(t)
	b.api.webhookSecrets["dhl"] = [][]byte{[]byte("the token")}
	var asked []carriers.Confirmation
	var fail error
	b.api.confirm = func(_ context.Context, carrier string, c carriers.Confirmation) error {
		if carrier != "dhl" {
			t.Errorf("of %s", carrier)
		}
		asked = append(asked, c)
		return fail
	}
	b.call("POST", "/webhooks/dhl", "", body, "DHL-Webhook-Token", "another").refuses(401, "unauthenticated", "-")
	b.call("POST", "/webhooks/dhl", "", body).refuses(401, "unauthenticated", "-")
	b.call("POST", "/webhooks/dhl", "", `{"scope":"subscription.ready","self":"x"}`, "DHL-Webhook-Token", "the token").want(200)
	if len(asked) > 0 {
		t.Fatalf("%+v", asked)
	}
	fail = errors.New("away")
	b.call("POST", "/webhooks/dhl", "", body, "DHL-Webhook-Token", "the token").refuses(503, "unavailable", "-")
	fail = nil
	b.call("POST", "/webhooks/dhl", "", body, "DHL-Webhook-Token", "the token").want(200)
	if want := (carriers.Confirmation{Subscription: "sub-1", Secret: "once"}); len(asked) != 2 || asked[0] != want || asked[1] != want {
		t.Errorf("%+v", asked)
	}
	b.api.confirm = nil // no credentials here: whoever subscribed by hand reads the kept body
	b.call("POST", "/webhooks/dhl", "", body, "DHL-Webhook-Token", "the token").want(200)
}
