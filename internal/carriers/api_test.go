package carriers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "17": 17 * time.Second, " 17 ": 17 * time.Second, "-5": 0, "soon": 0, "1.5": 0,
		"99999999999999": maxRest, "9223372036854775807": maxRest,
		"Wed, 04 Mar 2026 12:00:30 GMT": 30 * time.Second, "Wed, 04 Mar 2026 11:00:00 GMT": 0, "Wed, 04 Mar 2099 12:00:00 GMT": maxRest,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {v}}, noon); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	for body, want := range map[string]Token{
		`{"access_token":"abc","expires_in":"14399"}`:               {"abc", 14399 * time.Second}, // UPS writes text
		`{"access_token":"abc","expires_in":3599,"scope":"CXS"}`:    {"abc", 3599 * time.Second},
		`{"access_token":"abc"}`:                                    {"abc", time.Minute},
		`{"access_token":"abc","expires_in":null}`:                  {"abc", time.Minute},
		`{"access_token":"abc","expires_in":-1}`:                    {"abc", time.Minute},
		`{"access_token":"abc","expires_in":"NaN"}`:                 {"abc", time.Minute},
		`{"access_token":"abc","expires_in":1e300}`:                 {"abc", 30 * 24 * time.Hour},
		`{"access_token":"abc","expires_in":{"deep":["nonsense"]}}`: {"abc", time.Minute},
	} {
		if got, err := ParseToken([]byte(body)); err != nil || got != want {
			t.Errorf("%s: %#v, %v", body, got.Expiry, err)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"access_token":""}`, `{"access_token":"a b"}`, `{"access_token":"a\r\nX: y"}`, `{"access_token":7}`, `{"access_token":"` + strings.Repeat("x", 17<<10) + `"}`} {
		if _, err := ParseToken([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	q := Question{Account: Account{Name: "n", Key: "hidden-key", Secret: "hidden-secret", Hook: Hook{Secret: "hidden-hook"}}, Token: "hidden-token"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, q); strings.Contains(got, "hidden") || strings.Contains(got, fmt.Sprintf("%x", "hidden")) {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

func TestWindows(t *testing.T) {
	for s, want := range map[string]Window{
		"60/h": {60, time.Hour}, "250/d": {250, 24 * time.Hour}, "1/s": {1, time.Second}, "5/m": {5, time.Minute}, "1400/10s": {1400, 10 * time.Second},
	} {
		got, err := ParseWindow(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("%s: %v (%s), %v", s, got, got, err)
		}
	}
	for _, s := range []string{"", "60", "/h", "0/h", "-1/h", "60/", "60/x", "60/0s", "60/-1h", "60/1000000h", "1e9/h", "999999999999/h"} {
		if w, err := ParseWindow(s); err == nil {
			t.Errorf("%q is %v", s, w)
		}
	}
}

func TestProblemCodes(t *testing.T) {
	for body, want := range map[string][]string{
		`{"response":{"errors":[{"code":"250002","message":"-"},{"code":10429}]}}`: {"250002", "10429"},
		`{"error":"invalid_client","error_description":"-"}`:                       {"invalid_client"},
		`{"error":{"code":"404","errors":[{"code":"x"}]},"code":null}`:             {"404", "x"},
		`{"meta":{"code":4004,"type":"code"},"data":{"k":["code","code"]}}`:        {"4004"},
		`{"code":{"code":1},"z":[{"y":2},[],{}],"error":true}`:                     {"1", "true"},
		`{"code":"a`: nil, `<html>`: nil, ``: nil, `"code"`: nil, `]`: nil,
	} {
		if got := problemCodes([]byte(body)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(200, "17", []byte(`{"errors":[{"code":"A"}]}`))
	f.Add(429, "Wed, 04 Mar 2026 12:00:30 GMT", []byte(`{"error":"x","code":[{"code":{}}]`))
	f.Add(-1, "", []byte("]}"))
	api := API{Reasons: map[string]Reason{"A": NotFound}}
	all := []Reason{NotFound, Limited, Unauthorized, Unavailable, BadRequest}
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		p, rest, detail := Judge(api, status, http.Header{"Retry-After": {after}}, body, ErrMalformed, noon)
		if !slices.Contains(all, p) || rest < 0 || rest > maxRest || len(detail) > 200 {
			t.Errorf("%s, %v, %q", p, rest, detail)
		}
		if tok, err := ParseToken(body); err == nil && (tok.Value == "" || tok.Expiry < time.Second || tok.Expiry > 30*24*time.Hour) {
			t.Errorf("token for %v", tok.Expiry)
		}
	})
}
