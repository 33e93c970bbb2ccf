package app

import (
	"strings"
	"testing"
)

func TestRawBodiesAreKeptForSomeDays(t *testing.T) {
	t.Setenv("WAYBILL_DATABASE_URL", "postgres://localhost/x")
	t.Setenv("WAYBILL_SECRET", strings.Repeat("x", 32))
	for text, want := range map[string]int{"": rawDays, "7": 7, "0": 0, "-1": 0, "a month": 0} {
		t.Setenv("WAYBILL_RAW_DAYS", text)
		c, err := FromEnv()
		if (err == nil) != (want > 0) || want > 0 && c.RawDays != want {
			t.Errorf("%q: %d days, %v", text, c.RawDays, err)
		}
	}
}

func TestWebhookSecretsAreNamedAndNeverEmpty(t *testing.T) {
	got, err := webhookSecrets("ups=first-secret,fedex=new-secret|old-secret")
	if err != nil || len(got["ups"]) != 1 || len(got["fedex"]) != 2 || string(got["fedex"][1]) != "old-secret" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := webhookSecrets(""); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"ups", "ups=", "pigeon=long-enough", "ups=long-enough|", "ups=short", ",", "=x"} {
		if _, err := webhookSecrets(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
