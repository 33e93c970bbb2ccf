package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// who may do what, written down a second time: openapi.yaml gives the scopes to
// the server, this table says what they should be. A new operation fails here
// until somebody has thought about it.
var mayDo = map[string][]string{
	"createOrder":       {Storefront, Admin},
	"listOrders":        {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"getOrder":          {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"getTimeline":       {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"getWaiting":        {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"putParcel":         {Storefront, Warehouse, Admin},
	"correctMilestone":  {Support, Ops, Admin},
	"cancelOrder":       {Storefront, Support, Ops, Admin},
	"holdOrder":         {Storefront, Support, Ops, Admin},
	"releaseOrder":      {Storefront, Support, Ops, Admin},
	"changePromise":     {Storefront, Support, Ops, Admin},
	"correctAddress":    {Storefront, Support, Ops, Admin},
	"assignCase":        {Warehouse, Support, Ops, Admin},
	"noteCase":          {Warehouse, Support, Ops, Admin},
	"resolveCase":       {Warehouse, Support, Ops, Admin},
	"reopenCase":        {Warehouse, Support, Ops, Admin},
	"extendWait":        {Warehouse, Support, Ops, Admin},
	"fireWait":          {Warehouse, Support, Ops, Admin},
	"reportNotReceived": {Storefront, Support, Ops, Admin},
	"foundParcel":       {Storefront, Support, Ops, Admin},
	"decideRemedy":      {Support, Ops, Admin},
	"endRemedy":         {Support, Ops, Admin},
	"endInstruction":    {Support, Ops, Admin},
	"getProof":          {Support, Ops, Admin},
	"getProofDocument":  {Support, Ops, Admin},
	"listCases":         {Warehouse, Support, Ops, Admin},
	"bulkCases":         {Support, Ops, Admin},
	"requestReturn":     {Storefront, Support, Returns, Ops, Admin},
	"getReturn":         {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"decideReturn":      {Support, Returns, Ops, Admin},
	"shipReturn":        {Storefront, Support, Returns, Ops, Admin},
	"askLabel":          {Storefront, Support, Returns, Ops, Admin},
	"askPickup":         {Storefront, Support, Returns, Ops, Admin},
	"endBooking":        {Support, Returns, Ops, Admin},
	"voidBooking":       {Support, Returns, Ops, Admin},
	"getReturnLabel":    {Storefront, Support, Returns, Ops, Admin},
	"inspectReturn":     {Warehouse, Returns, Admin},
	"disposeReturn":     {Support, Returns, Ops, Admin},
	"sendReturnBack":    {Warehouse, Returns, Admin},
	"cancelReturn":      {Storefront, Support, Returns, Ops, Admin},
	"listReturns":       {Storefront, Warehouse, Support, Returns, Ops, Admin},
	"adoptPolicy":       {Ops, Admin},
	"mergeOrder":        {Support, Ops, Admin},
	"detectCarriers":    {Storefront, Warehouse, Support, Ops, Admin},
	"postScans":         {Warehouse, Admin},
	"captureEPCIS":      {Warehouse, Admin},
	"postCarrierEvents": {Carrier, Admin},
	"postCarrierFile":   {Carrier, Admin},
	"putStore":          {Admin},
	"getStore":          {Storefront, Ops, Admin},
	"putPolicy":         {Admin},
	"getPolicy":         {Storefront, Ops, Admin},
	"createKey":         {Admin},
	"listFaults":        {Support, Ops, Admin},
	"closeFault":        {Ops, Admin},
	"eraseCustomer":     {Support, Ops, Admin},
	"putContact":        {Storefront, Support, Ops, Admin},
	"endBuyerLink":      {Storefront, Support, Ops, Admin},
	"listRhythms":       {Support, Ops, Admin},
	"acceptRhythm":      {Ops, Admin},
	"declineRhythm":     {Ops, Admin},
	"listCodeMappings":  {Support, Ops, Admin},
	"putCodeMapping":    {Ops, Admin},
	"listRawBodies":     {Ops, Admin},
	"getRawBody":        {Ops, Admin},
	"replayRawBody":     {Ops, Admin},
}

var public = []string{"healthz", "readyz", "metrics", "openapi"}

func TestEveryRoleOnEveryRoute(t *testing.T) {
	b := newBench(t)
	ops, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	webhooks := 0
	for _, op := range ops {
		path := strings.NewReplacer(":id", "acme:1001", ":parcel", "1", ":store", "acme", ":name", "default", ":carrier", "ups", ":case", "stalled-1-7", ":remedy", "refund-lost-1-9", ":number", "1Z999AA10123456784", ":ref", "C-1", ":return", "R1", ":instruction", "redeliver-1-9", ":proof", "proof-1-9", ":n", "1").Replace(op.path)
		if strings.HasPrefix(op.path, "/webhooks/") { // a signature opens it, no key does
			webhooks++
			b.call(op.method, path, b.keys[Admin], "{}").refuses(http.StatusNotFound, "not-found", "-")
			continue
		}
		allowed, known := mayDo[op.id]
		if slices.Contains(public, op.id) {
			b.call(op.method, path, "", "").want(http.StatusOK)
			continue
		}
		if !known {
			t.Errorf("%s is not in the table of who may do what", op.id)
			continue
		}
		b.call(op.method, path, "", "").refuses(http.StatusUnauthorized, "unauthenticated", "-")
		for _, scope := range Scopes {
			a := b.call(op.method, path, b.keys[scope], "")
			if slices.Contains(allowed, scope) {
				// The bodies are missing and the order too: anything but 401 and
				// 403 means that the door was open.
				if a.Code == http.StatusUnauthorized || a.Code == http.StatusForbidden || a.Code >= 500 {
					t.Errorf("%s with %s: %d %s", op.id, scope, a.Code, a.Body)
				}
			} else {
				a.refuses(http.StatusForbidden, "forbidden", "-")
			}
		}
	}
	if have := len(mayDo) + len(public) + webhooks; have != len(ops) {
		t.Errorf("the table has %d operations, openapi.yaml %d", have, len(ops))
	}
	// And what no operation names is not there.
	b.call("GET", "/v1/secrets", b.keys[Admin], "").refuses(http.StatusNotFound, "not-found", "-")
	b.call("DELETE", "/v1/orders", b.keys[Admin], "").refuses(http.StatusMethodNotAllowed, "method-not-allowed", "-")
}

func TestBadKeysAre401(t *testing.T) {
	b := newBench(t)
	good := b.keys[Support]
	other := b.keys[Ops]
	expired, revoked := b.key([]string{Support, Ops}, ""), b.key([]string{Support, Admin}, "")
	for text, change := range map[string]string{expired: "expired", revoked: "revoked"} {
		id, _, _ := parseKey(text)
		k := b.memory.keys[id]
		at := testNow.Add(-time.Second)
		if change == "expired" {
			k.ExpiresAt = &at
		} else {
			k.RevokedAt = &at
		}
		b.memory.keys[id] = k
	}
	for name, key := range map[string]string{
		"no key":                 "",
		"garbage":                "garbage",
		"another key's secret":   good[:16] + other[16:],
		"a changed secret":       good[:len(good)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(good, "A")],
		"a secret cut short":     good[:len(good)-1],
		"an unknown ID":          "wb_aaaaaaaaaaaa_" + good[16:],
		"no secret":              "wb_aaaaaaaaaaaa_",
		"an ID of other letters": "wb_AAAAAAAAAAAA_" + good[16:],
		"expired":                expired,
		"revoked":                revoked,
	} {
		a := b.call("GET", "/v1/orders", key, "")
		if a.Code != http.StatusUnauthorized || a.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
		if len(key) > 20 && strings.Contains(a.Body.String()+b.log.String(), key[16:]) {
			t.Errorf("%s: the secret shows", name)
		}
	}
	if a := b.call("GET", "/v1/orders", "", "", "Authorization", "Basic "+good); a.Code != http.StatusUnauthorized {
		t.Errorf("basic auth: %d", a.Code)
	}
	b.call("GET", "/v1/orders", good, "").want(http.StatusOK)
}

func TestKeysAreRememberedForAWhile(t *testing.T) {
	b := newBench(t)
	b.now = time.Now()
	for range 50 {
		b.call("GET", "/v1/orders", b.keys[Support], "").want(200)
	}
	if b.keyLoads != 1 {
		t.Errorf("%d loads for 50 requests", b.keyLoads)
	}
	id, _, _ := parseKey(b.keys[Support])
	k := b.memory.keys[id]
	k.RevokedAt = &b.now
	b.memory.keys[id] = k
	b.now = b.now.Add(31 * time.Second)
	b.call("GET", "/v1/orders", b.keys[Support], "").want(401)
}

func TestKeyCacheIsBounded(t *testing.T) {
	b := newBench(t, Limits{KeyCache: 4})
	for _, scope := range Scopes {
		b.call("GET", "/v1/orders", b.keys[scope], "")
	}
	for range 20 { // strangers are not remembered
		b.call("GET", "/v1/orders", "wb_"+randomText(12)+"_"+b.keys[Ops][16:], "").want(401)
	}
	if n := len(b.api.keys.entries); n > 4 {
		t.Errorf("%d entries", n)
	}
}

func TestKeysOfAStoreStayInIt(t *testing.T) {
	b := withOrder(t)
	acme, bolt := b.key([]string{Storefront, Support}, "acme"), b.key([]string{Storefront, Support}, "bolt")
	b.call("GET", "/v1/orders/acme:1001", acme, "").want(200)
	for _, path := range []string{"/v1/orders/acme:1001", "/v1/orders/acme:1001/timeline", "/v1/orders/acme:1001/waiting", "/v1/orders/acme:404", "/v1/orders?store=acme", "/v1/stores/acme"} {
		b.call("GET", path, bolt, "").refuses(403, "forbidden", "-") // also for what does not exist
	}
	b.call("POST", "/v1/orders/acme:1001/cancel", bolt, `{"reason":"x"}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/orders/acme:1001/address", bolt, `{"ship_to":{"name":"x","street":"x","city":"x","country":"US"}}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/orders", bolt, smallOrder).refuses(403, "forbidden", "-")
	if len(b.audits)+len(b.engine.asked) != 0 || len(b.addresses["acme:1001"]) != 1 {
		t.Error("a refused key left something behind")
	}
	b.call("GET", "/v1/orders", bolt, "").want(200)
	if f := b.filters[len(b.filters)-1]; f.Store != "bolt" {
		t.Errorf("the list is not narrowed: %+v", f)
	}
	admin := b.key([]string{Admin}, "bolt")
	b.call("PUT", "/v1/policies/default", admin, `{"pick":"1h"}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/keys", admin, `{"name":"all","scopes":["admin"]}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/keys", admin, `{"name":"theirs","scopes":["storefront"],"store":"acme"}`).refuses(403, "forbidden", "-")
	b.call("POST", "/v1/keys", admin, `{"name":"own","scopes":["storefront"],"store":"bolt"}`).want(201)
	b.call("POST", "/v1/carriers/ups/events", admin, `{"events":[]}`).refuses(403, "forbidden", "-")
	if _, _, ok := b.api.VerifyKey(t.Context(), admin); ok {
		t.Error("a store's key opens the console")
	}
}

func TestVerifyKey(t *testing.T) {
	b := newBench(t)
	actor, scopes, ok := b.api.VerifyKey(t.Context(), b.keys[Ops])
	if !ok || !strings.HasPrefix(actor, "key:") || !slices.Equal(scopes, []string{Ops}) {
		t.Errorf("%s %v %v", actor, scopes, ok)
	}
	if _, _, ok := b.api.VerifyKey(t.Context(), b.keys[Ops]+"x"); ok {
		t.Error("a wrong key was good")
	}
}

func TestRoleAndSource(t *testing.T) {
	b := newBench(t)
	_ = b
	op := &operation{scopes: []string{Storefront, Warehouse}}
	for _, c := range []struct {
		scopes []string
		role   string
	}{{[]string{Admin}, Admin}, {[]string{Warehouse, Admin}, Warehouse}, {[]string{Warehouse, Storefront}, Storefront}, {[]string{Ops}, Ops}} {
		k, _ := KeyFrom([]byte("x"), "x", c.scopes, "")
		if role := (&caller{key: k}).role(op); role != c.role {
			t.Errorf("%v acts as %s, want %s", c.scopes, role, c.role)
		}
	}
}

func TestNewKey(t *testing.T) {
	k, text, err := NewKey("n", []string{Support}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	id, secret, ok := parseKey(text)
	if !ok || id != k.ID || string(hashOf(secret)) != string(k.Hash) || k.Store != "acme" || k.Name != "n" {
		t.Errorf("%+v %s", k, text)
	}
	if _, again, _ := NewKey("n", []string{Support}, "acme"); again == text {
		t.Error("two keys are equal")
	}
	for _, bad := range [][]string{nil, {"root"}, {Carrier}} {
		if _, _, err := NewKey("n", bad, "acme"); err == nil {
			t.Errorf("%v passed", bad)
		}
	}
	a, one := KeyFrom([]byte("seed"), "n", []string{Ops}, "")
	c, two := KeyFrom([]byte("seed"), "n", []string{Ops}, "")
	if one != two || a.ID != c.ID {
		t.Error("KeyFrom must repeat itself")
	}
}

func TestRatePerKey(t *testing.T) {
	b := newBench(t, Limits{KeyPerSecond: 2, KeyBurst: 3})
	for range 3 {
		b.call("GET", "/v1/orders", b.keys[Support], "").want(200)
	}
	a := b.call("GET", "/v1/orders", b.keys[Support], "").refuses(429, "too-many-requests", "-")
	if a.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.call("GET", "/v1/orders", b.keys[Ops], "").want(200) // its own bucket
	b.now = b.now.Add(time.Second)
	b.call("GET", "/v1/orders", b.keys[Support], "").want(200)
}
