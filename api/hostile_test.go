package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
)

const hostileSecret = "0123456789abcdef0123456789abcdef"

// prove puts into the header what the carrier's push proves itself by.
func prove(carrier string, body []byte, at time.Time, h http.Header) {
	sum := func(parts ...[]byte) []byte {
		mac := hmac.New(sha256.New, []byte(hostileSecret))
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	switch carrier {
	case "aftership":
		h.Set("aftership-hmac-sha256", base64.StdEncoding.EncodeToString(sum(body)))
	case "dhl":
		h.Set("DHL-Webhook-Token", hostileSecret)
	case "easypost":
		h.Set("X-Hmac-Signature", "hmac-sha256-hex="+hex.EncodeToString(sum(body)))
	case "fedex":
		h.Set("fdx-signature", base64.StdEncoding.EncodeToString(sum(body)))
	case "shippo":
		stamp := strconv.FormatInt(at.Unix(), 10)
		h.Set("Shippo-Auth-Signature", "t="+stamp+",v1="+hex.EncodeToString(sum([]byte(stamp+"."), body)))
	case "ups":
		h.Set("Credential", hostileSecret)
	case "usps":
		h.Set("X-HMAC", base64.StdEncoding.EncodeToString(sum(body)))
	case "17track":
		s := sha256.Sum256(slices.Concat(body, []byte("/"+hostileSecret)))
		h.Set("sign", hex.EncodeToString(s[:]))
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// hostileBodies are what nobody should send: small ones go everywhere in many ways,
// large ones everywhere once.
func hostileBodies(t *testing.T) (small, large map[string][]byte) {
	t.Helper()
	small = map[string][]byte{}
	for name, s := range map[string]string{
		"empty": "", "a word": "hello", "null": "null", "a number": "1e999999", "a list": "[]", "an object": "{}", "a text": `"\ud800"`, "two documents": "{}{}",
		"wrong types":   `{"shipments":{"a":1},"events":7,"msg":[[]],"result":"x","output":null,"trackResponse":[],"data":{"track_info":1},"scans":{},"payload":{}}`,
		"twice a key":   `{"scans":[],"scans":[{}],"events":[],"events":[{}]}`,
		"NUL":           "\x00\x00\x00\x00{\"events\":[\"\\u0000\"]}",
		"UTF-16":        "\xff\xfe{\x00}\x00",
		"UTF-7":         "+AHsAfQ-",
		"not UTF-8":     "{\"scans\":[{\"id\":\"\xc3\x28\"}],\"events\":[{\"tracking\":\"\xff\xff\"}]}",
		"an open text":  `{"events":[{"tracking":"` + strings.Repeat("A", 60_000),
		"XML bomb":      `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "boom"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>`,
		"XML entity":    `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><data name="piece-shipment-list">&x;</data>`,
		"HTML":          `<!doctype html><script>fetch("/console")</script>`,
		"a form":        "a=1&a=2&%zz=%00&=",
		"CSV":           "=cmd|' /C calc'!A0,\"\"\"\n\x00,\n",
		"EDI":           "ISA*00*" + strings.Repeat("*", 300) + "~",
		"YAML bomb":     "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\npolicies: *b",
		"gzip":          string(gzipped([]byte(`{"events":[]}`))),
		"JSON in a ZIP": "PK\x03\x04" + strings.Repeat("\x00", 26),
	} {
		small[name] = []byte(s)
	}
	// What carriers do send, broken off and sent elsewhere.
	files, err := filepath.Glob("../internal/carriers/*/testdata/*.*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for i, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			body = body[:len(body)*2/3]
		}
		small[name] = body
	}
	one := `{"status":"in_transit","message":"x","datetime":"2026-11-21T08:00:00Z","tracking_location":{}},`
	tracker := func(n int) []byte {
		return []byte(`{"object":"Event","description":"tracker.updated","result":{"object":"Tracker","tracking_code":"1Z999AA10123456784","tracking_details":[` +
			strings.TrimSuffix(strings.Repeat(one, n), ",") + `]},"events":[` + strings.TrimSuffix(strings.Repeat(`{"tracking":"ABCD"},`, n), ",") + `]}`)
	}
	large = map[string][]byte{
		"5 MB":           bytes.Repeat([]byte(" "), 5<<20),
		"4 MB of text":   []byte(`{"events":["` + strings.Repeat("A", 4<<20-20) + `"]}`),
		"deep lists":     bytes.Repeat([]byte("["), 1<<20),
		"deep objects":   bytes.Repeat([]byte(`{"a":`), 200_000),
		"deep XML":       bytes.Repeat([]byte("<a>"), 300_000),
		"many members":   []byte("{" + strings.Repeat(`"a":1,`, 300_000) + `"b":2}`),
		"10,000 events":  tracker(10_000),
		"10,001 events":  tracker(10_001),
		"a gzip of 4 MB": gzipped(bytes.Repeat([]byte(" "), 4<<20)),
	}
	return small, large
}

// Whatever is sent to whichever route that takes outside bytes, over a real
// connection: never a 5xx, never a panic, no memory that stays, each push counted
// under its reason, and kept only where its proof held.
func TestHostileInputBreaksNothing(t *testing.T) {
	b := newBench(t)
	var webhooks []string
	for _, a := range all.Adapters() {
		if carriers.Can(a, carriers.CanVerifyPush) {
			webhooks = append(webhooks, a.Name())
			b.api.webhookSecrets[a.Name()] = [][]byte{[]byte(hostileSecret)}
		}
	}
	if len(webhooks) < 8 {
		t.Fatalf("only %v", webhooks)
	}
	s := httptest.NewUnstartedServer(b.api.Echo)
	s.Config.ReadHeaderTimeout, s.Config.MaxHeaderBytes = 5*time.Second, 32<<10
	s.Start()
	defer s.Close()
	client := s.Client()

	requests := 0
	refused := map[string]int{} // pushes, by carrier and status
	send := func(route, what string, body []byte, h http.Header) int {
		r, err := http.NewRequest("POST", s.URL+route, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(route, "/v1/policies/") {
			r.Method = "PUT"
		}
		r.Header = h
		requests++
		res, err := client.Do(r)
		if err != nil { // the server may hang up on a body that it does not want
			return 0
		}
		answer, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		_ = res.Body.Close()
		if res.StatusCode >= 500 || res.StatusCode >= 400 && res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s, %s: %d %s", route, what, res.StatusCode, answer)
		}
		return res.StatusCode
	}
	push := func(carrier, what string, body []byte, h http.Header, proven bool) {
		status := send("/webhooks/"+carrier, what, body, h)
		if status >= 400 {
			refused[carrier+" "+strconv.Itoa(status)]++
		} else if status == 0 {
			t.Errorf("%s, %s: no answer", carrier, what)
		}
		defer b.lock()()
		if kept := len(b.raws) > 0; kept && !proven || proven && !kept && status != 413 && status != 415 {
			t.Errorf("%s, %s: %d, %d kept", carrier, what, status, len(b.raws))
		}
		b.raws, b.facts = nil, nil
	}
	absurd := []func(http.Header){
		func(http.Header) {},
		func(h http.Header) {
			for name := range maps.Clone(h) {
				h[name] = []string{"", h.Get(name)}
			}
		},
		func(h http.Header) {
			for name := range maps.Clone(h) {
				h[name] = []string{strings.Repeat("A", 8000)}
			}
		},
		func(h http.Header) {
			h.Set("Authorization", "Basic "+strings.Repeat("=", 100))
			h.Set("Shippo-Auth-Signature", "t=-1,t=99999999999999999999,v1=zz,v1="+strings.Repeat("0", 64))
			h.Set("X-Hmac-Signature", "hmac-sha256-hex="+strings.Repeat("é", 64))
			h.Del("Credential")
			h.Del("DHL-Webhook-Token")
		},
	}
	small, large := hostileBodies(t)
	for _, carrier := range webhooks {
		for name, body := range small {
			proof := http.Header{}
			prove(carrier, body, testNow, proof)
			stale := carrier == "usps" && strings.HasSuffix(name, "usps/testdata/push.json") // it says when it was made
			push(carrier, name+", proven", body, proof, !stale)
			for i, spoil := range absurd {
				h := http.Header{"Content-Type": {"text/html; charset=utf-16"}}
				if i > 0 {
					prove(carrier, body, testNow.Add(-time.Hour), h)
					h.Del("Content-Type")
				}
				spoil(h)
				if i == 0 || i == 2 || carrier != "fedex" && carrier != "aftership" && carrier != "usps" && carrier != "17track" {
					push(carrier, name+", absurd "+strconv.Itoa(i), body, h, false)
				}
			}
			proof.Set("Content-Encoding", "gzip")
			push(carrier, name+", compressed", body, proof, false)
		}
		for name, body := range large {
			proof := http.Header{}
			prove(carrier, body, testNow, proof)
			push(carrier, name, body, proof, len(body) <= 4<<20)
		}
	}
	// Each refusal is counted under its reason, and under no other.
	metrics := b.call("GET", "/metrics", "", "").Body.String()
	for _, carrier := range webhooks {
		for _, c := range []struct {
			status  string
			reasons []string
		}{{"401", []string{"unsigned", "wrongly_signed", "replayed"}}, {"413", []string{"too_large"}}, {"415", []string{"compressed"}}, {"422", []string{"malformed"}}} {
			n := 0
			for _, reason := range c.reasons {
				_, rest, ok := strings.Cut(metrics, fmt.Sprintf("waybill_facts_total{result=%q,source=%q} ", reason, "carrier:"+carrier))
				if ok {
					value, _, _ := strings.Cut(rest, "\n")
					f, err := strconv.ParseFloat(value, 64)
					if err != nil {
						t.Fatal(err)
					}
					n += int(f)
				}
			}
			if want := refused[carrier+" "+c.status]; n != want || want == 0 {
				t.Errorf("%s: %d refused with %s, %d counted as %v", carrier, want, c.status, n, c.reasons)
			}
		}
	}

	routes := map[string]string{ // by the scope of the key; empty: none
		"/v1/carriers/edi214/files": Carrier, "/v1/carriers/ups/files": Carrier, "/v1/carriers/ups/events": Carrier, "/v1/scans": Warehouse, "/v1/epcis/capture": Warehouse,
		"/v1/orders": Storefront, "/v1/cases/bulk": Support, "/v1/policies/fast": Admin, "/webhooks/pigeon": "", "/webhooks/edi214": "",
		"/webhooks/messages/twilio/status": "", "/webhooks/messages/twilio/inbound": "", "/webhooks/messages/sendgrid/events": "",
	}
	for route, scope := range routes {
		media := []string{"application/json", "application/edi-x12", "application/yaml", "application/json; charset=\"", ""}
		for name, body := range small {
			for _, m := range media {
				send(route, name+" as "+m, body, http.Header{"Authorization": {"Bearer " + b.keys[scope]}, "Content-Type": {m}, "Accept": {"application/edi-x12"}, "Idempotency-Key": {name}})
			}
			send(route, name+", compressed", body, http.Header{"Authorization": {"Bearer " + b.keys[scope]}, "Content-Encoding": {"gzip, gzip"}})
			send(route, name+", nobody's", body, http.Header{"Authorization": {"Bearer wb_" + strings.Repeat("A", 9000), "Basic x"}})
		}
		for name, body := range large {
			for _, m := range media[:3] {
				send(route, name+" as "+m, body, http.Header{"Authorization": {"Bearer " + b.keys[scope]}, "Content-Type": {m}})
			}
		}
	}

	// What no client library sends.
	for name, raw := range map[string]string{
		"a NUL in the path":    "POST /webhooks/ups\x00/../x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"an escaped NUL":       "POST /webhooks/ups%00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"dots":                 "POST /webhooks/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"a path not of UTF-8":  "POST /v1/carriers/%ff%fe/files HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"a long path":          "POST /webhooks/" + strings.Repeat("a", 30_000) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"a longer path":        "POST /webhooks/" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"two lengths":          "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"a length below zero":  "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"a length beyond":      "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\nConnection: close\r\n\r\nx",
		"a length, with a key": "POST /v1/scans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b.keys[Warehouse] + "\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
		"length and chunks":    "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a chunk that is none": "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"twice the signature":  "POST /webhooks/easypost HTTP/1.1\r\nHost: x\r\nX-Hmac-Signature: a\r\nX-Hmac-Signature: b\r\nContent-Length: 2\r\n\r\n{}",
		"a folded header":      "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nCredential: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"a NUL in a header":    "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nCredential: a\x00b\r\nContent-Length: 0\r\n\r\n",
		"no header's name":     "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
		"many headers":         "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 20_000) + "\r\n",
		"no method":            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"another method":       "BREW /webhooks/ups HTTP/1.1\r\nHost: x\r\n\r\n",
		"expecting":            "POST /webhooks/ups HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4194305\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write([]byte(raw))
		_ = conn.(*net.TCPConn).CloseWrite()
		requests++
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			if _, _ = io.Copy(io.Discard, res.Body); res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented && res.StatusCode != http.StatusHTTPVersionNotSupported {
				t.Errorf("%s: %s", name, res.Status)
			}
		}
		_ = conn.Close()
	}

	client.CloseIdleConnections()
	b.call("GET", "/healthz", "", "").want(200)
	if strings.Contains(b.log.String(), "panic") {
		t.Error("somebody panicked")
	}
	b.log.Reset()
	unlock := b.lock()
	b.raws, b.facts, b.faults = nil, nil, nil
	clear(b.idempotent)
	unlock()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d requests, %d MB in use afterwards", requests, m.HeapInuse>>20)
	if m.HeapInuse > 100<<20 {
		t.Errorf("%d MB are still in use", m.HeapInuse>>20)
	}
}
