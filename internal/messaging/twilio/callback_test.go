package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	twilio "github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/messaging"
)

// The vendor's own vector (twilio-go, client/request_validator_test.go).
const (
	vectorURL  = "https://mycompany.com/myapp.php?foo=1&bar=2"
	vectorSig  = "vOEb5UThFn24KEfnOFLQY2AE5FY="
	vectorHTTP = "n2xBNyzSW7rfYStDtOFiFMv7qNo=" // of http://
)

var vectorBody = []byte(url.Values{
	"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"},
	"From": {"+14158675309"}, "ReasonConferenceEnded": {"test"}, "Reason": {"Participant"},
}.Encode())

// sign is the rule written once more, as its documentation words it.
func sign(secret, u string, form url.Values) string {
	var pairs []string
	for k, vs := range form {
		for _, v := range vs {
			if p := k + v; !slices.Contains(pairs, k+"\x00"+p) {
				pairs = append(pairs, k+"\x00"+p)
			}
		}
	}
	slices.Sort(pairs)
	for _, p := range pairs {
		_, p, _ = strings.Cut(p, "\x00")
		u += p
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(u))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestVerify(t *testing.T) {
	one := func(s string) [][]byte { return [][]byte{[]byte(s)} }
	for name, c := range map[string]struct {
		secrets [][]byte
		url     string
		body    []byte
		sig     string
		want    error
	}{
		"vendor's vector":       {one("12345"), vectorURL, vectorBody, vectorSig, nil},
		"with a port":           {one("12345"), strings.Replace(vectorURL, ".com", ".com:443", 1), vectorBody, vectorSig, nil},
		"over http":             {one("12345"), strings.Replace(vectorURL, "https", "http", 1), vectorBody, vectorHTTP, nil},
		"old and new secret":    {[][]byte{[]byte("new"), []byte("12345")}, vectorURL, vectorBody, vectorSig, nil},
		"retired secret":        {one("new"), vectorURL, vectorBody, vectorSig, messaging.ErrBadSignature},
		"another query":         {one("12345"), vectorURL + "3", vectorBody, vectorSig, messaging.ErrBadSignature},
		"another host":          {one("12345"), strings.Replace(vectorURL, "mycompany", "yours", 1), vectorBody, vectorSig, messaging.ErrBadSignature},
		"another body":          {one("12345"), vectorURL, append([]byte("A=b&"), vectorBody...), vectorSig, messaging.ErrBadSignature},
		"unsigned":              {one("12345"), vectorURL, vectorBody, "", messaging.ErrNotSigned},
		"no base64":             {one("12345"), vectorURL, vectorBody, "!!", messaging.ErrBadSignature},
		"another length":        {one("12345"), vectorURL, vectorBody, "AAAA", messaging.ErrBadSignature},
		"no secret":             {nil, vectorURL, vectorBody, vectorSig, messaging.ErrNoSecret},
		"an empty secret":       {[][]byte{[]byte("12345"), {}}, vectorURL, vectorBody, vectorSig, messaging.ErrNoSecret},
		"no form":               {one("12345"), vectorURL, []byte("%zz"), vectorSig, messaging.ErrMalformed},
		"too long":              {one("12345"), vectorURL, []byte("a=" + strings.Repeat("b", MaxCallback)), vectorSig, messaging.ErrMalformed},
		"too many":              {one("12345"), vectorURL, []byte(strings.Repeat("a=b&", 300)), vectorSig, messaging.ErrMalformed},
		"repeated, all signed":  {one("k"), vectorURL, []byte("a=2&a=1&a=2"), sign("k", vectorURL, url.Values{"a": {"1", "2"}}), nil},
		"repeated, first only":  {one("k"), vectorURL, []byte("a=2&a=1"), sign("k", vectorURL, url.Values{"a": {"2"}}), messaging.ErrBadSignature},
		"signed with fragment":  {one("k"), vectorURL, []byte("a=1"), sign("k", vectorURL+again, url.Values{"a": {"1"}}), nil},
		"signed with both":      {one("k"), vectorURL, []byte("a=1"), sign("k", strings.Replace(vectorURL, ".com", ".com:443", 1)+again, url.Values{"a": {"1"}}), nil},
		"parameters run across": {one("k"), vectorURL, []byte("ab=c"), sign("k", vectorURL, url.Values{"ab": {"c"}}), nil},
	} {
		if err := Verify(c.secrets, c.url, c.body, c.sig); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// One flipped bit anywhere is noticed.
func TestVerifyNoticesEveryBit(t *testing.T) {
	secrets := [][]byte{[]byte("12345")}
	for i := range vectorBody {
		for bit := range 8 {
			body := slices.Clone(vectorBody)
			body[i] ^= 1 << bit
			was, _ := url.ParseQuery(string(vectorBody))
			is, err := url.ParseQuery(string(body))
			if err == nil && was.Encode() == is.Encode() { // %2B and %2b are one
				continue
			}
			if Verify(secrets, vectorURL, body, vectorSig) == nil {
				t.Fatalf("bit %d of byte %d was not noticed: %q", bit, i, body)
			}
		}
	}
}

// Where no parameter is repeated, ours and the vendor's validator agree.
func TestVerifyAgreesWithTheVendor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := url.Values{}
		for k, v := range rapid.MapOf(rapid.StringMatching(`[A-Za-z]{1,8}`), rapid.String()).Draw(t, "form") {
			form.Set(k, v)
		}
		form.Set("MessageSid", sid)
		u := rapid.SampledFrom([]string{vectorURL, "http://h.example/x", "https://h.example:8443/x?y=%2F"}).Draw(t, "url")
		secret, other := rapid.StringMatching(`[a-z0-9]{1,32}`).Draw(t, "secret"), rapid.StringMatching(`[a-z0-9]{1,32}`).Draw(t, "other")
		body, sig := []byte(form.Encode()), sign(secret, u, form)
		theirs := twilio.NewRequestValidator(other)
		ours := Verify([][]byte{[]byte(other)}, u, body, sig)
		if (ours == nil) != theirs.ValidateBody(u, body, sig) || (ours == nil) != (secret == other) {
			t.Fatalf("ours %v, theirs %v", ours, theirs.ValidateBody(u, body, sig))
		}
		if err := Verify([][]byte{[]byte(secret)}, u, body, sig); err != nil {
			t.Fatal(err)
		}
	})
}

func TestParseStatus(t *testing.T) {
	query := url.Values{"message": {"ord-1:shipped:sms"}}
	for form, want := range map[string]messaging.Event{
		"MessageStatus=queued":                       {Kind: messaging.Accepted},
		"MessageStatus=sending":                      {Kind: messaging.Accepted},
		"MessageStatus=sent":                         {Kind: messaging.Sent},
		"MessageStatus=delivered":                    {Kind: messaging.Delivered},
		"MessageStatus=read":                         {Kind: messaging.Opened},
		"MessageStatus=undelivered&ErrorCode=30003":  {Kind: messaging.Undelivered, Reason: messaging.Unreachable, Code: "30003"},
		"MessageStatus=undelivered&ErrorCode=30005":  {Kind: messaging.Undelivered, Reason: messaging.BadAddress, Permanent: true, Code: "30005"},
		"MessageStatus=undelivered&ErrorCode=30006":  {Kind: messaging.Undelivered, Reason: messaging.BadAddress, Permanent: true, Code: "30006"},
		"MessageStatus=undelivered&ErrorCode=30007":  {Kind: messaging.Undelivered, Reason: messaging.Blocked, Code: "30007"},
		"MessageStatus=failed&ErrorCode=21610":       {Kind: messaging.Undelivered, Reason: messaging.Unsubscribed, Permanent: true, Code: "21610"},
		"MessageStatus=failed&ErrorCode=12":          {Kind: messaging.Undelivered, Code: "12"},
		"MessageStatus=failed&ErrorCode=<script>":    {Kind: messaging.Undelivered},
		"MessageStatus=canceled":                     {Kind: messaging.Undelivered},
		"MessageStatus=teleported":                   {Kind: messaging.Other},
		"MessageStatus=delivered&MessageStatus=sent": {Kind: messaging.Delivered},
	} {
		got, err := ParseStatus(query, []byte("To=%2B4915112345678&MessageSid="+sid+"&"+form))
		want.MessageID, want.ProviderID = "ord-1:shipped:sms", sid
		want.EventID = got.EventID
		if err != nil || got != want || !strings.HasPrefix(got.EventID, sid+":") {
			t.Errorf("%s: %+v, %v", form, got, err)
		}
	}
	for _, bad := range []string{"", "MessageSid=" + sid, "MessageStatus=sent", "MessageSid=SMx&MessageStatus=sent", "MessageSid=" + sid + "&MessageStatus=<b>", "MessageSid=" + sid + "&MessageStatus=" + strings.Repeat("x", 41)} {
		if _, err := ParseStatus(query, []byte(bad)); !errors.Is(err, messaging.ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestInbound(t *testing.T) {
	post := func(words, optOut string) []byte {
		return []byte(url.Values{"From": {number}, "To": {"+15005550006"}, "MessageSid": {sid}, "Body": {words}, "OptOutType": {optOut}}.Encode())
	}
	for words, want := range map[string]Word{
		"STOP": Stop, "stop": Stop, " Stop.\n": Stop, "“STOP”": Stop, "StopAll": Stop, "unsubscribe": Stop, "END": Stop, "quit!": Stop, "Revoke": Stop, "OptOut": Stop,
		"arrêt": Stop, "ARRET": Stop, "Stopp": Stop, "baja": Stop, "parar": Stop, "SAIR": Stop, "Abmelden": Stop,
		"start": Start, "UNSTOP": Start, "yes": Start, "help": Help, "INFO": Help, "Hilfe": Help, "ayuda": Help, "ajuda": Help,
		"stop please": NoWord, "please cancel": NoWord, "": NoWord, "🛑": NoWord, "Where is my parcel?": NoWord, strings.Repeat(" ", 200) + "STOP": NoWord, "S T O P": NoWord,
	} {
		got, err := ParseInbound(post(words, ""))
		if err != nil || got.Word != want || got.From != number || got.ProviderID != sid {
			t.Errorf("%q: %+v, %v", words, got, err)
		}
	}
	// Twilio's own reading wins: a word that the account has configured.
	if got, _ := ParseInbound(post("genug jetzt", "STOP")); got.Word != Stop {
		t.Errorf("%+v", got)
	}
	if got, _ := ParseInbound(post("stop", "HELP")); got.Word != Help {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "From=x&MessageSid=" + sid + "&To=%2B15005550006", "From=%2B4915112345678&To=%2B15005550006"} {
		if _, err := ParseInbound([]byte(bad)); !errors.Is(err, messaging.ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorURL, vectorBody, vectorSig)
	f.Add("::", []byte("a=1&a=2"), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Fuzz(func(t *testing.T, u string, body []byte, sig string) {
		if err := Verify([][]byte{[]byte("a secret that no fuzzer knows")}, u, body, sig); err == nil {
			t.Fatal("forged")
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("MessageSid=" + sid + "&MessageStatus=sent"))
	f.Add([]byte("From=%2B4915112345678&To=%2B15005550006&Body=STOP&MessageSid=" + sid))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := ParseStatus(url.Values{}, body); err == nil && (!messageSID.MatchString(e.ProviderID) || e.EventID == "" || e.Kind == "") {
			t.Fatalf("%+v", e)
		}
		if in, err := ParseInbound(body); err == nil && !in.From.Valid() {
			t.Fatalf("%+v", in)
		}
	})
}
