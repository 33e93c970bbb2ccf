package links

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

var sample = Links{PublicURL: "https://track.example/", TemporalUIURL: "http://localhost:8233", Namespace: "default", Secret: []byte("0123456789abcdef")}

func TestTokenIsStableUnguessableAndSafeInALink(t *testing.T) {
	a := sample.Token("acme:1001")
	if a != sample.Token("acme:1001") {
		t.Error("a token must not change between calls")
	}
	if !regexp.MustCompile(`^[0-9A-Za-z]{27}$`).MatchString(a) {
		t.Errorf("token %q", a)
	}
	other := sample
	other.Secret = []byte("another secret !")
	for _, b := range []string{sample.Token("acme:1002"), sample.Token(""), other.Token("acme:1001")} {
		if a == b {
			t.Errorf("two tokens are equal: %s", a)
		}
	}
	if bytes.Equal(TokenHash(a), TokenHash(sample.Token("acme:1002"))) || len(TokenHash(a)) != 32 {
		t.Error("hash")
	}
	if strings.Contains(string(TokenHash(a)), a) {
		t.Error("the hash shows the token")
	}
}

func TestLinks(t *testing.T) {
	for got, want := range map[string]string{
		sample.Tracking("acme:1001"): "https://track.example/t/" + sample.Token("acme:1001"),
		sample.Console("acme:1001"):  "https://track.example/console/orders/acme:1001",
		sample.History("acme:1001"):  "http://localhost:8233/namespaces/default/workflows/order%3Aacme%3A1001",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPreferencesAreSigned(t *testing.T) {
	link := sample.Preferences("acme:1001")
	token := link[strings.LastIndex(link, "/")+1:]
	if !strings.HasPrefix(link, "https://track.example/m/acme:1001/") || !sample.MayPrefer("acme:1001", token) {
		t.Error(link)
	}
	other := sample
	other.Secret = []byte("another secret !")
	for _, bad := range []string{"", token[1:], token + "0", strings.ToUpper(token), sample.Token("acme:1001")} {
		if sample.MayPrefer("acme:1001", bad) {
			t.Errorf("%q opens the page", bad)
		}
	}
	if sample.MayPrefer("acme:1002", token) || other.MayPrefer("acme:1001", token) {
		t.Error("the token opens another page")
	}
}

func TestCheck(t *testing.T) {
	if err := sample.Check(); err != nil {
		t.Error(err)
	}
	if (Links{Secret: []byte("short")}).Check() == nil {
		t.Error("a short secret passed")
	}
}
