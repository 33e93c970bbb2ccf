package sendgrid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
)

// The vendor's own vector (sendgrid-go, helpers/eventwebhook/eventwebhook_test.go).
const (
	vectorKey  = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
	vectorSig  = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
	vectorTime = "1600112502"
	vectorBody = `[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]` + "\r\n"
)

func TestVerify(t *testing.T) {
	vendor, err := Key(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signed := time.Unix(1600112502, 0)
	keys := []*ecdsa.PublicKey{vendor}
	at := func(text string) (string, string) {
		sum := sha256.Sum256([]byte(text + vectorBody))
		sig, _ := ecdsa.SignASN1(rand.Reader, mine, sum[:])
		return base64.StdEncoding.EncodeToString(sig), text
	}
	odd, oddTime := at("not a time")
	for name, c := range map[string]struct {
		keys            []*ecdsa.PublicKey
		body, sig, time string
		now             time.Time
		want            error
	}{
		"vendor's vector":     {keys, vectorBody, vectorSig, vectorTime, signed, nil},
		"within the window":   {keys, vectorBody, vectorSig, vectorTime, signed.Add(ReplayWindow), nil},
		"two keys":            {[]*ecdsa.PublicKey{&mine.PublicKey, vendor}, vectorBody, vectorSig, vectorTime, signed, nil},
		"too old":             {keys, vectorBody, vectorSig, vectorTime, signed.Add(ReplayWindow + time.Second), messaging.ErrReplayed},
		"too early":           {keys, vectorBody, vectorSig, vectorTime, signed.Add(-skew - time.Second), messaging.ErrReplayed},
		"retired key":         {[]*ecdsa.PublicKey{&mine.PublicKey}, vectorBody, vectorSig, vectorTime, signed, messaging.ErrBadSignature},
		"without its last CR": {keys, strings.TrimSpace(vectorBody), vectorSig, vectorTime, signed, messaging.ErrBadSignature},
		"another time":        {keys, vectorBody, vectorSig, "1600112503", signed, messaging.ErrBadSignature},
		"time as a float":     {keys, vectorBody, vectorSig, "1600112502.0", signed, messaging.ErrBadSignature},
		"signed without time": {[]*ecdsa.PublicKey{&mine.PublicKey}, vectorBody, odd, oddTime, signed, messaging.ErrReplayed},
		"no base64":           {keys, vectorBody, "!", vectorTime, signed, messaging.ErrBadSignature},
		"no ASN.1":            {keys, vectorBody, "AAAA", vectorTime, signed, messaging.ErrBadSignature},
		"unsigned":            {keys, vectorBody, "", vectorTime, signed, messaging.ErrNotSigned},
		"without a time":      {keys, vectorBody, vectorSig, "", signed, messaging.ErrNotSigned},
		"no key":              {nil, vectorBody, vectorSig, vectorTime, signed, messaging.ErrNoSecret},
		"an empty key":        {[]*ecdsa.PublicKey{nil, vendor}, vectorBody, vectorSig, vectorTime, signed, messaging.ErrNoSecret},
	} {
		if err := Verify(c.keys, []byte(c.body), c.sig, c.time, c.now); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for i := range vectorBody {
		body := []byte(vectorBody)
		body[i] ^= 1 << (i % 8)
		if Verify(keys, body, vectorSig, vectorTime, signed) == nil {
			t.Fatalf("byte %d was not noticed", i)
		}
	}
}

func TestKey(t *testing.T) {
	other, _ := rsa.GenerateKey(rand.Reader, 1024)
	der, _ := x509.MarshalPKIXPublicKey(&other.PublicKey)
	wide, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	derWide, _ := x509.MarshalPKIXPublicKey(&wide.PublicKey)
	for _, bad := range []string{"", "!", "AAAA", base64.StdEncoding.EncodeToString(der), base64.StdEncoding.EncodeToString(derWide)} {
		if k, err := Key(bad); err == nil || k != nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func TestParseEvents(t *testing.T) {
	one := func(fields string) string {
		return `[{"email":"jo@buyer.example","sg_event_id":"e1","sg_message_id":"LRzXl.filter-1.0","waybill_message":"ord-1:shipped:email","timestamp":1600112492,` + fields + `}]`
	}
	at := time.Unix(1600112492, 0).UTC()
	for fields, want := range map[string]messaging.Event{
		`"event":"processed"`:                          {Kind: messaging.Accepted},
		`"event":"deferred"`:                           {Kind: messaging.Deferred},
		`"event":"delivered","tls":1`:                  {Kind: messaging.Delivered},
		`"event":"open"`:                               {Kind: messaging.Opened},
		`"event":"click","url":"https://x"`:            {Kind: messaging.Opened},
		`"event":"spamreport"`:                         {Kind: messaging.Spam, Permanent: true, Reason: messaging.Unsubscribed},
		`"event":"unsubscribe"`:                        {Kind: messaging.OptedOut, Permanent: true, Reason: messaging.Unsubscribed},
		`"event":"group_unsubscribe","asm_group_id":7`: {Kind: messaging.OptedOut, Permanent: true, Reason: messaging.Unsubscribed},
		`"event":"group_resubscribe"`:                  {Kind: messaging.Resubscribed},
		`"event":"bounce","type":"bounce","status":"5.1.1","reason":"550 5.1.1 user unknown jo@buyer.example"`: {Kind: messaging.Bounced, Permanent: true, Reason: messaging.BadAddress, Code: "5.1.1"},
		`"event":"bounce","type":"bounce","bounce_classification":"Mailbox Unavailable"`:                       {Kind: messaging.Bounced, Permanent: true, Reason: messaging.Unreachable},
		`"event":"bounce","type":"blocked","bounce_classification":"Unclassified"`:                             {Kind: messaging.Refused, Reason: messaging.Unreachable},
		`"event":"bounce","type":"blocked","status":"5.7.1"`:                                                   {Kind: messaging.Refused, Reason: messaging.Blocked, Code: "5.7.1"},
		`"event":"bounce","type":"bounce","bounce_classification":"Reputation","status":"<b>"`:                 {Kind: messaging.Bounced, Permanent: true, Reason: messaging.Blocked},
		`"event":"dropped","reason":"Bounced Address"`:                                                         {Kind: messaging.Dropped, Permanent: true, Reason: messaging.BadAddress},
		`"event":"dropped","reason":"Unsubscribed Address"`:                                                    {Kind: messaging.Dropped, Permanent: true, Reason: messaging.Unsubscribed},
		`"event":"dropped","reason":"Spam Content"`:                                                            {Kind: messaging.Dropped, Reason: messaging.Blocked},
		`"event":"dropped","reason":"Something new"`:                                                           {Kind: messaging.Dropped, Reason: messaging.Rejected},
		`"event":"teleported"`:                              {Kind: messaging.Other},
		`"event":"delivered","status":550,"reason":{"a":1}`: {Kind: messaging.Delivered}, // other shapes lose only themselves
	} {
		want.MessageID, want.ProviderID, want.EventID, want.At = "ord-1:shipped:email", "LRzXl", "e1", at
		got, skipped, err := ParseEvents([]byte(one(fields)))
		if err != nil || skipped != 0 || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, %d, %v", fields, got, skipped, err)
		}
	}
	got, _, err := ParseEvents([]byte(vectorBody))
	if err != nil || len(got) != 1 || got[0].Kind != messaging.Dropped || got[0].MessageID != "" || got[0].ProviderID != "LRzXl_NHStOGhQ4kofSm_A" {
		t.Errorf("%+v, %v", got, err)
	}
	// A bad item loses nothing else.
	got, skipped, err := ParseEvents([]byte(`[null,17,"x",[],{},{"event":"open"},{"event":"open","sg_event_id":"a b"},{"event":"open","sg_event_id":"ok","timestamp":"1600112492","waybill_message":"a\nb"}]`))
	if err != nil || skipped != 7 || len(got) != 1 || !got[0].At.Equal(at) || got[0].MessageID != "" {
		t.Errorf("%+v, %d, %v", got, skipped, err)
	}
	for _, bad := range []string{"", "null", "{}", "17", "<html>", strings.Repeat("[", 100_000), "[" + strings.Repeat("1,", maxEvents+1) + "1]"} {
		if _, _, err := ParseEvents([]byte(bad)); !errors.Is(err, messaging.ErrMalformed) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	for _, odd := range []string{`"soon"`, "-1", "1e300", "NaN", "{}", `""`, "0"} {
		got, _, err := ParseEvents([]byte(`[{"event":"open","sg_event_id":"e","timestamp":` + odd + `}]`))
		if odd == "NaN" { // no JSON at all
			continue
		}
		if err != nil || len(got) != 1 || !got[0].At.IsZero() {
			t.Errorf("%s: %+v, %v", odd, got, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key, _ := Key(vectorKey)
	f.Add([]byte(vectorBody), vectorSig, vectorTime)
	f.Fuzz(func(t *testing.T, body []byte, sig, at string) {
		n, _ := strconv.ParseInt(at, 10, 64)
		if err := Verify([]*ecdsa.PublicKey{key}, body, sig, at, time.Unix(n, 0)); err == nil && (string(body) != vectorBody || at != vectorTime) {
			t.Fatal("forged")
		}
	})
}

func FuzzParseEvents(f *testing.F) {
	f.Add([]byte(vectorBody))
	f.Add([]byte(`[{"event":"bounce","sg_event_id":"e","timestamp":"1600112492","status":"5.1.1"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, _, err := ParseEvents(body)
		for _, e := range events {
			if err != nil || e.EventID == "" || e.Kind == "" || strings.ContainsAny(fmt.Sprintf("%+v", e), "\x00\r\n<") {
				t.Fatalf("%+v", e)
			}
		}
	})
}
