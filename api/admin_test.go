package api

import (
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestStores(t *testing.T) {
	b := newBench(t)
	key := b.keys[Admin]
	row := read[store.StoreRow](b.call("PUT", "/v1/stores/new-shop", key, `{"name":" New\u0007 Shop","support_url":"https://help.example/x"}`).want(200))
	if row != (store.StoreRow{ID: "new-shop", Name: "New Shop", BrandColor: "#1f4f8f", SupportURL: "https://help.example/x"}) {
		t.Errorf("%+v", row)
	}
	if got := read[store.StoreRow](b.call("GET", "/v1/stores/new-shop", b.keys[Ops], "").want(200)); got != row {
		t.Errorf("%+v", got)
	}
	b.call("GET", "/v1/stores/nobody", key, "").refuses(404, "not-found", "-")
	for body, field := range map[string]string{
		`{}`:                                  "name",
		`{"name":"x","brand_color":"red"}`:    "brand_color",
		`{"name":"x","brand_color":"#fff;}"}`: "brand_color",
		`{"name":"x","support_url":"javascript:alert(1)"}`: "support_url",
		`{"name":"x","support_url":"http://x.example"}`:    "support_url",
		`{"name":"x","support_email":"x"}`:                 "support_email",
		`{"name":"x","css":"x"}`:                           "css",
		`{"name":"\u0000"}`:                                "name",
	} {
		b.call("PUT", "/v1/stores/acme", key, body).refuses(422, "invalid", field)
	}
	b.call("PUT", "/v1/stores/Acme", key, `{"name":"x"}`).refuses(422, "invalid", "store")
}

func TestPolicies(t *testing.T) {
	b := newBench(t)
	key := b.keys[Admin]
	p := read[order.Policy](b.call("PUT", "/v1/policies/fast", key, `{"pick":"1h30m","rhythms":[{"carrier":"ups","gap":"48h"}]}`).want(200))
	if p.Name != "fast" || p.Version != 1 || time.Duration(p.Pick) != 90*time.Minute || p.Pack != order.DefaultPolicy().Pack || len(p.Rhythms) != 1 {
		t.Errorf("%+v", p)
	}
	// What was read can be sent back.
	read := b.call("GET", "/v1/policies/fast", key, "").want(200)
	if !strings.Contains(read.Body.String(), `"pick":"1h30m0s"`) {
		t.Errorf("%s", read.Body)
	}
	b.call("PUT", "/v1/policies/fast", key, read.Body.String()).want(200)
	scaled := order.DefaultPolicy().Scaled(time.Second / 7)
	b.call("PUT", "/v1/policies/default", key, string(mustJSON(scaled))).want(200)
	b.call("GET", "/v1/policies/nope", key, "").refuses(404, "not-found", "-")
	for body, field := range map[string]string{
		`{"pick":"soon"}`:                     "pick",
		`{"pick":3600}`:                       "pick",
		`{"pick":"-1h"}`:                      "pick",
		`{"pick":"0s"}`:                       "pick",
		`{"pick":"99999h"}`:                   "pick",
		`{"pick":"9999999h"}`:                 "",
		`{"name":"slow"}`:                     "name",
		`{"rhythms":[{"gap":"0s"}]}`:          "rhythms[0].gap",
		`{"rhythms":[{}]}`:                    "rhythms[0].gap",
		`{"rhythms":[{"gap":"1h","lane":1}]}`: "rhythms[0].lane",
		`{"pcik":"1h"}`:                       "pcik",
	} {
		b.call("PUT", "/v1/policies/fast", key, body).refuses(422, "invalid", field)
	}
	b.call("PUT", "/v1/policies/fast", key, `{"pick":"0s","pack":"0s"}`).refuses(422, "invalid", "pick").refuses(422, "invalid", "pack")
}

const twoPolicies = `
calendars: {office: {zone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}}}
policies:
  fast: {pick: 2h of office, classes: {bulky: {pick: 9h}}}
  slow: {pick: 4d}
`

func TestPolicyFiles(t *testing.T) {
	b := newBench(t)
	key := b.keys[Admin]
	yaml := []string{"Content-Type", "application/yaml"}
	type answer struct {
		order.PolicyBook
		Effect *policy.Effect
	}
	p := read[answer](b.call("PUT", "/v1/policies/fast", key, twoPolicies, yaml...).want(200))
	if p.Version != 1 || time.Duration(p.Pick) != 2*time.Hour || len(p.Calendars) != 1 || time.Duration(p.Classes[order.Bulky].Pick) != 9*time.Hour || p.Source != twoPolicies || p.Effect != nil {
		t.Errorf("%+v", p)
	}
	b.call("GET", "/v1/policies/slow", key, "").refuses(404, "not-found", "-")
	b.call("PUT", "/v1/policies/fast", key, `{}`).refuses(409, "conflict", "-")
	b.call("PUT", "/v1/policies/none", key, twoPolicies, yaml...).refuses(422, "invalid", "policies")
	a := b.call("PUT", "/v1/policies/fast", key, "policies:\n  fast:\n    pikc: 1h\n    pack: x", yaml...).refuses(422, "invalid", "policies.fast.pikc").refuses(422, "invalid", "policies.fast.pack")
	if !strings.Contains(a.Body.String(), "line 3: is not known here") || !strings.Contains(a.Body.String(), "line 4: ") {
		t.Errorf("%s", a.Body)
	}
	b.call("PUT", "/v1/policies/fast", key, "policies: \xff", yaml...).refuses(400, "malformed", "-")
	b.call("PUT", "/v1/stores/acme", key, "name: x", yaml...).refuses(415, "unsupported-media-type", "-")
	b.call("PUT", "/v1/policies/fast", b.keys[Ops], twoPolicies, yaml...).refuses(403, "forbidden", "-")
}

// Calendars, lanes and cases can be said in JSON as well, and be sent back as read.
func TestEveryLineOfAPolicyFitsIntoJSON(t *testing.T) {
	b := newBench(t)
	key := b.keys[Admin]
	books, err := policy.Parse(policy.Default, []string{"ups", "fedex", "usps"}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	for _, book := range books {
		path := "/v1/policies/" + book.Name
		b.call("PUT", path, key, string(mustJSON(book.Policy))).want(200)
		got := b.call("GET", path, key, "").want(200)
		if p := read[order.Policy](got); len(p.Calendars) != len(book.Calendars) || len(p.Clocks) != len(book.Clocks) || len(p.Cases) != len(book.Cases) {
			t.Errorf("%+v", p)
		}
		b.call("PUT", path, key, got.Body.String()).want(200)
	}
	for body, field := range map[string]string{
		`{"clocks":[{"line":"pick","calendar":"none"}]}`:  "clocks[0].calendar",
		`{"clocks":[{"line":"trace","calendar":"none"}]}`: "clocks[0].line",
		`{"calendars":[{"name":"w","zone":"UTC","offsets":[{"from":"2026-01-01T00:00:00Z","seconds":0}],"week":["","","","","","",""]}]}`: "calendars[0].hours",
		`{"calendars":[{"name":"w","zone":"UTC","offsets":[{"from":"2026-01-01T00:00:00Z","seconds":0}],"week":["","","","","",""]}]}`:    "calendars[0].week",
		`{"rhythms":[{"gap":"1h","lane":"DE-NORDIC"}]}`: "rhythms[0].lane",
		`{"cases":[{"kind":"stolen"}]}`:                 "cases[0].kind",
		`{"attempt_limit":21}`:                          "attempt_limit",
	} {
		b.call("PUT", "/v1/policies/x", key, body).refuses(422, "invalid", field)
	}
}

func TestADryRunSaysWhatWouldEnd(t *testing.T) {
	b := withOrder(t)
	key := b.keys[Admin]
	o := b.orders["acme:1001"]
	st := order.New(o.Spec, order.CurrentRules, testNow.Add(-5*time.Hour))
	o.State = &st
	read := func(a answer) policy.Effect {
		return read[struct{ Effect policy.Effect }](a.want(200)).Effect
	}
	e := read(b.call("PUT", "/v1/policies/default?dry_run=true", key, `{"pick":"4h"}`))
	if e.Orders != 1 || e.Waits == 0 || len(e.Then) == 0 || e.Then[0].Then != "a not_picked case is opened" {
		t.Errorf("%+v", e)
	}
	if e := read(b.call("PUT", "/v1/policies/default?dry_run=true", key, `{"pick":"6h"}`)); e.Orders != 1 || e.Waits != 0 {
		t.Errorf("%+v", e)
	}
	if e := read(b.call("PUT", "/v1/policies/other?dry_run=true", key, `{"pick":"1h"}`)); e.Orders != 0 {
		t.Errorf("%+v", e)
	}
	if p := b.policies["default"]; p.Version != order.DefaultPolicy().Version || p.Pick != order.DefaultPolicy().Pick {
		t.Errorf("it was written: %+v", p)
	}
	st.Rules = 1
	if e := read(b.call("PUT", "/v1/policies/default?dry_run=true", key, `{"pick":"4h"}`)); e.Orders != 0 || e.Older != 1 {
		t.Errorf("%+v", e)
	}
}

func TestKeysOverHTTP(t *testing.T) {
	b := newBench(t)
	type made struct {
		ID, Key, Name, Store string
		Scopes               []string
	}
	a := b.call("POST", "/v1/keys", b.keys[Admin], `{"name":"Acme shop","scopes":["storefront","support"],"store":"acme","expires_at":"2027-01-01T00:00:00Z"}`).want(201)
	k := read[made](a)
	if a.Header().Get("Cache-Control") != "no-store" || k.Store != "acme" {
		t.Errorf("%+v", k)
	}
	b.call("GET", "/v1/orders", k.Key, "").want(200)
	_, secret, _ := parseKey(k.Key)
	if kept := b.memory.keys[k.ID]; strings.Contains(string(kept.Hash), secret) || strings.Contains(b.log.String(), secret) || kept.ExpiresAt == nil {
		t.Errorf("the secret is kept: %+v", kept)
	}
	for body, field := range map[string]string{
		`{"name":"x"}`:                                                      "scopes",
		`{"name":"x","scopes":[]}`:                                          "scopes",
		`{"name":"x","scopes":["root"]}`:                                    "scopes[0]",
		`{"name":"x","scopes":["ops","ops"]}`:                               "scopes",
		`{"name":"x","scopes":["ops"],"store":"nobody"}`:                    "store",
		`{"name":"x","scopes":["carrier"],"store":"acme"}`:                  "store",
		`{"name":"x","scopes":["ops"],"expires_at":"2020-01-01T00:00:00Z"}`: "expires_at",
		`{"name":"x","scopes":["ops"],"hash":"x"}`:                          "hash",
		`{"name":"","scopes":["ops"]}`:                                      "name",
	} {
		b.call("POST", "/v1/keys", b.keys[Admin], body).refuses(422, "invalid", field)
	}
}
