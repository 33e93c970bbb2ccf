package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCarriersDetect(t *testing.T) {
	for number, want := range map[string]string{
		"1Z 999 AA1 01 2345 6784": "ups UPS passed 1Z999AA10123456784 01 999AA1",
		"1Z999AA10123456785":      "ups UPS failed 1Z999AA10123456785 01 999AA1",
	} {
		var out strings.Builder
		if err := Carriers(append([]string{"detect"}, strings.Fields(number)...), &out); err != nil {
			t.Fatal(err)
		}
		_, rows, _ := strings.Cut(out.String(), "\n")
		if got := strings.Join(strings.Fields(rows), " "); got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
	if err := Carriers([]string{"detect", "nonsense"}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Error(err)
	}
}

// test-webhook says of each body whether it would be let in, and never passes one
// as authentic that it did not verify.
func TestCarriersTestWebhook(t *testing.T) {
	const body = `{"shipments":[{"id":"CQ0000001","service":"parcel-de","events":[{"timestamp":"2026-03-07T12:00:00Z","statusCode":"delivered"}]}]}`
	file := filepath.Join(t.TempDir(), "push.json")
	garbage := filepath.Join(t.TempDir(), "garbage.json")
	for name, content := range map[string]string{file: body, garbage: "<html>"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mac := hmac.New(sha256.New, []byte("fedex-secret"))
	mac.Write([]byte(body))
	sum := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	t.Setenv("WAYBILL_WEBHOOK_SECRETS", "dhl=new-secret|old-secret,fedex=fedex-secret")
	t.Setenv("ANOTHER", "another-secret")
	t.Setenv("TOKEN", "old-secret")
	const shown = "delivered"
	for name, c := range map[string]struct {
		args             []string
		first, err, also string
	}{
		"authentic":                {[]string{"dhl", file, "--header", "dhl-webhook-token: new-secret"}, "authentic", "", shown},
		"the other secret":         {[]string{"dhl", file, "--header", "DHL-Webhook-Token: ${TOKEN}"}, "authentic", "", shown},
		"flags first":              {[]string{"--header=DHL-Webhook-Token: new-secret", "dhl", file}, "authentic", "", shown},
		"flags between":            {[]string{"dhl", "--header", "DHL-Webhook-Token: another-secret", "--secret", "ANOTHER", file}, "authentic", "", shown},
		"only the named secret":    {[]string{"dhl", file, "--header", "DHL-Webhook-Token: new-secret", "--secret", "ANOTHER"}, "REFUSED: the signature does not match", "would be refused", shown},
		"another header":           {[]string{"dhl", file, "--header", "X-Token: new-secret"}, "REFUSED: the push is not signed", "would be refused", shown},
		"no header":                {[]string{"dhl", file}, "authenticity not checked: no --header", "", shown},
		"no secret":                {[]string{"easypost", file, "--header", "X-Hmac-Signature: 00"}, "authenticity not checked: no secret of easypost in WAYBILL_WEBHOOK_SECRETS, and no --secret", "as a webhook", ""},
		"a carrier without a push": {[]string{"edi214", file, "--header", "A: b"}, "authenticity not checked: edi214 has no webhook", "", "0 events"},
		"signed, and unreadable":   {[]string{"fedex", file, "--header", "fdx-signature: " + sum}, "authentic", "not this carrier's format", ""},
		"neither":                  {[]string{"dhl", garbage, "--header", "DHL-Webhook-Token: wrong"}, "REFUSED: the signature does not match", "would be refused", ""},
		"no file":                  {[]string{"dhl"}, "", "name a carrier and a file", ""},
		"no such carrier":          {[]string{"pigeon", file}, "", "no carrier", ""},
		"no such file":             {[]string{"dhl", file + "x"}, "", "no such file", ""},
		"no such variable":         {[]string{"dhl", file, "--secret", "NOT_THERE"}, "", "must name a variable", ""},
		"the secret itself":        {[]string{"dhl", file, "--secret", "new-secret"}, "", "must name a variable", ""},
		"a header without a colon": {[]string{"dhl", file, "--header", "new-secret"}, "", "'Name: value'", ""},
		"a variable that is unset": {[]string{"dhl", file, "--header", "DHL-Webhook-Token: ${NOT_THERE}"}, "", "no NOT_THERE", ""},
	} {
		var out strings.Builder
		err := Carriers(append([]string{"test-webhook"}, c.args...), &out)
		first, rest, _ := strings.Cut(out.String(), "\n")
		if first != c.first || !strings.Contains(rest, c.also) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
		said := out.String()
		if err != nil {
			said += err.Error()
		}
		for _, secret := range []string{"new-secret", "old-secret", "another-secret", "fedex-secret"} {
			if strings.Contains(said, secret) {
				t.Errorf("%s shows a secret: %s", name, said)
			}
		}
	}
	for _, args := range [][]string{{"test-webhook", "--secrets", "new-secret"}, {"test", "dhl", file}} {
		if err := Carriers(args, &strings.Builder{}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%v: %v", args, err)
		}
	}
	t.Setenv("WAYBILL_WEBHOOK_SECRETS", "dhl=long-enough,secret")
	if err := Carriers([]string{"test-webhook", "dhl", file}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "entry 2 is not") || strings.Contains(err.Error(), `"secret"`) {
		t.Errorf("the end of a secret that has a comma: %v", err)
	}
	t.Setenv("WAYBILL_WEBHOOK_SECRETS", "dhl=short")
	if err := Carriers([]string{"test-webhook", "dhl", file}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "shorter than 8") {
		t.Errorf("secrets that the server would not start with: %v", err)
	}
}
