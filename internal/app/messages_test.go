package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

func verificationKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestProvidersAreConfiguredWholeOrNotAtAll(t *testing.T) {
	good := map[string]string{
		"WAYBILL_TWILIO_ACCOUNT_SID": "AC" + strings.Repeat("0", 32), "WAYBILL_TWILIO_AUTH_TOKEN": strings.Repeat("a", 32), "WAYBILL_TWILIO_FROM": "+15005550006",
		"WAYBILL_SENDGRID_API_KEY": "SG.key", "WAYBILL_SENDGRID_WEBHOOK_KEY": verificationKey(t) + "|" + verificationKey(t), "WAYBILL_MAIL_FROM": "orders@shop.example",
		"WAYBILL_TEAMS": "ops=https://hooks.example/x", "WAYBILL_TEAMS_SECRET": "sixteen letters!",
	}
	with := func(changes ...string) (Messages, error) {
		return messagesFrom(func(name string) string {
			for i := 0; i < len(changes); i += 2 {
				if changes[i] == name {
					return changes[i+1]
				}
			}
			return good[name]
		})
	}
	m, err := with()
	if err != nil || len(m.TwilioTokens) != 1 || len(m.SendGridKeys) != 2 || m.TwilioRate != 1 || m.SendGridRate != 10 || m.Teams[order.OpsTeam].Webhook == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	m, err = with("WAYBILL_TWILIO_AUTH_TOKEN", strings.Repeat("a", 32)+"|"+strings.Repeat("b", 32), "WAYBILL_TWILIO_KEY_SID", "SK1", "WAYBILL_TWILIO_KEY_SECRET", "secret", "WAYBILL_TWILIO_PER_SECOND", "2.5")
	if err != nil || len(m.TwilioTokens) != 2 || m.Twilio.Secret != "secret" || m.TwilioRate != 2.5 {
		t.Fatalf("%+v, %v", m, err)
	}
	if m, err := messagesFrom(func(string) string { return "" }); err != nil || m.Twilio.AccountSID != "" || m.SendGrid.Key != "" {
		t.Errorf("nothing configured: %+v, %v", m, err)
	}
	for _, bad := range [][]string{
		{"WAYBILL_TWILIO_AUTH_TOKEN", ""}, {"WAYBILL_TWILIO_ACCOUNT_SID", ""}, {"WAYBILL_TWILIO_FROM", ""}, {"WAYBILL_TWILIO_FROM", "not a sender at all"},
		{"WAYBILL_TWILIO_AUTH_TOKEN", strings.Repeat("a", 32) + "|"}, {"WAYBILL_TWILIO_AUTH_TOKEN", "short"}, {"WAYBILL_TWILIO_KEY_SID", "SK1"},
		{"WAYBILL_SENDGRID_API_KEY", ""}, {"WAYBILL_SENDGRID_WEBHOOK_KEY", ""}, {"WAYBILL_SENDGRID_WEBHOOK_KEY", "AAAA"}, {"WAYBILL_SENDGRID_WEBHOOK_KEY", verificationKey(t) + "|"},
		{"WAYBILL_MAIL_FROM", ""}, {"WAYBILL_MAIL_FROM", "nobody"}, {"WAYBILL_TWILIO_PER_SECOND", "0"}, {"WAYBILL_TWILIO_PER_SECOND", "NaN"}, {"WAYBILL_SENDGRID_PER_SECOND", "many"},
		{"WAYBILL_TEAMS", "pigeons=a@b.example"}, {"WAYBILL_TEAMS_SECRET", ""},
	} {
		_, err := with(bad...)
		if err == nil {
			t.Errorf("%s=%q is accepted", bad[0], bad[1])
		} else if strings.Contains(err.Error(), strings.Repeat("a", 32)) {
			t.Errorf("%s=%q: the error shows a secret: %v", bad[0], bad[1], err)
		}
	}
	c := Config{Messages: m}
	if text := fmt.Sprint(slog.AnyValue(c).Resolve()); strings.Contains(text, "secret") || strings.Contains(text, strings.Repeat("a", 32)) {
		t.Errorf("logged: %s", text)
	}
}

func TestWithoutCredentialsTheOutboxKeepsEverything(t *testing.T) {
	p := &process{Config: Config{PublicURL: "http://127.0.0.1:8080", Secret: strings.Repeat("x", 32)}, store: storetest.New(t), orders: &workflows.Client{Namespace: "default"}}
	ports, err := p.ports()
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range workflows.MessageChannels() {
		if ports[channel] == nil {
			t.Fatalf("no port for %s", channel)
		}
	}
	if ports["email"].Name() != dispatch.Outbox || ports["sms"].Name() != dispatch.Outbox || p.callbacks() != nil {
		t.Error("something would be sent")
	}
}
