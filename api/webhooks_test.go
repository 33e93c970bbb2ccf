package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

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

func TestAPushThatIsNotTheCarriersChangesNothing(t *testing.T) {
	b := newBench(t, Limits{Batch: 4096})
	body := `{"object":"Event"}`
	for name, c := range map[string]struct {
		path, body, signature string
		status                int
		kind                  string
	}{
		"unsigned":            {"easypost", body, "", 401, "unauthenticated"},
		"wrongly signed":      {"easypost", body, signed("guess", body), 401, "unauthenticated"},
		"signed for another":  {"easypost", body, signed("new secret", body+" "), 401, "unauthenticated"},
		"no such carrier":     {"pigeon", body, signed("new secret", body), 404, "not-found"},
		"no secret":           {"fedex", body, signed("new secret", body), 404, "not-found"},
		"not its format":      {"easypost", "hello", signed("new secret", "hello"), 422, "invalid"},
		"deeply nested":       {"easypost", strings.Repeat("[", 4000), signed("new secret", strings.Repeat("[", 4000)), 422, "invalid"},
		"larger than allowed": {"easypost", strings.Repeat(" ", 5000), signed("new secret", strings.Repeat(" ", 5000)), 413, "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			b.T = t
			b.call("POST", "/webhooks/"+c.path, "", c.body, "X-Hmac-Signature", c.signature).refuses(c.status, c.kind, "-")
		})
	}
	if n := len(b.memory.facts); n > 0 {
		t.Errorf("%d facts kept", n)
	}
}
