package app

import "testing"

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
