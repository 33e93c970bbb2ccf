package api

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

func TestRequestsReachTheOrderWithTheirAudit(t *testing.T) {
	for _, c := range []struct {
		method, path, scope, body string
		action                    string
		by                        order.Source
		reason                    string
		event                     string
	}{
		{"PUT", "/parcels/p1", Storefront, `{"carrier":"ups","tracking":"1Z999","service":"ground","lines":[{"sku":"TEA","quantity":1}]}`, "put_parcel", order.Storefront, "", "order.PutParcel"},
		{"PUT", "/parcels/1", Warehouse, `{"carrier":"ups"}`, "put_parcel", order.Warehouse, "", "order.PutParcel"},
		{"POST", "/cancel", Storefront, `{"reason":"changed their mind"}`, "cancel", order.Storefront, "changed their mind", "order.Cancel"},
		{"POST", "/cancel", Support, `{"reason":"fraud","parcels":["1"]}`, "cancel", order.Support, "fraud", "order.Cancel"},
		{"POST", "/hold", Ops, `{"reason":"strike\u0000 ","until":"2026-11-23T12:00:00+01:00"}`, "hold", order.Support, "strike", "order.Hold"},
		{"POST", "/promise", Admin, `{"promised_at":"2026-11-30T12:00:00Z"}`, "change_promise", order.Support, "", "order.ChangePromise"},
		{"POST", "/address", Support, `{"ship_to":{"name":"Ada Canary","street":"2 Canary Row","city":"Springfield","country":"US"},"reason":"moved"}`, "correct_address", order.Support, "moved", "order.CorrectAddress"},
		{"POST", "/policy", Ops, `{"policy":"freight","reason":"a pallet after all"}`, "adopt_policy", order.Support, "a pallet after all", "order.AdoptPolicy"},
		{"POST", "/parcels/1/milestone", Support, `{"milestone":"picked","reason":"scanner broken"}`, "correct_milestone", order.Support, "scanner broken", "order.CorrectMilestone"},
	} {
		t.Run(c.action+" by "+c.scope, func(t *testing.T) {
			b := withOrder(t)
			v := read[order.View](b.call(c.method, "/v1/orders/acme:1001"+c.path, b.keys[c.scope], c.body).want(200))
			if v.ID != "acme:1001" || v.Seq == 0 {
				t.Errorf("view %+v", v)
			}
			if len(b.audits) != 1 || len(b.engine.asked) != 1 {
				t.Fatalf("%d audits, %d questions", len(b.audits), len(b.engine.asked))
			}
			a, e := b.audits[0], b.engine.asked[0]
			id, _, _ := parseKey(b.keys[c.scope])
			if !strings.HasPrefix(a.ID, "aud_") || a.OrderID != "acme:1001" || a.Action != c.action || a.Actor != "key:"+id || a.Role != c.scope || a.Reason != c.reason || a.Outcome != "done" || !a.CreatedAt.Equal(testNow) {
				t.Errorf("audit %+v", a)
			}
			if strings.Contains(string(a.Request)+a.Detail+fmt.Sprintf("%+v", e), "anary") {
				t.Errorf("personal data left its table: %s %+v", a.Request, e)
			}
			if got := fmt.Sprintf("%T", e); got != c.event || order.IDOf(e) != a.ID {
				t.Errorf("event %s %s, want %s %s", got, order.IDOf(e), c.event, a.ID)
			}
			m := metaOf(t, e)
			if m.By != c.by || m.Actor != a.Actor || m.Reason != c.reason || !m.Occurred.Equal(testNow) || m.N != 0 {
				t.Errorf("meta %+v", m)
			}
		})
	}
}

func metaOf(t *testing.T, e order.Event) order.Meta {
	t.Helper()
	switch e := e.(type) {
	case order.PutParcel:
		return e.Meta
	case order.Cancel:
		return e.Meta
	case order.Hold:
		return e.Meta
	case order.Release:
		return e.Meta
	case order.ChangePromise:
		return e.Meta
	case order.CorrectAddress:
		return e.Meta
	case order.CorrectMilestone:
		return e.Meta
	case order.AdoptPolicy:
		return e.Meta
	}
	t.Fatalf("%T", e)
	return order.Meta{}
}

func TestEventsCarryWhatWasAsked(t *testing.T) {
	b := withOrder(t)
	b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Storefront], `{"carrier":"ups","tracking":"1Z999","service":"ground"}`).want(200)
	b.call("POST", "/v1/orders/acme:1001/hold", b.keys[Support], `{"reason":"x","until":"2026-11-23T12:00:00+01:00"}`).want(200)
	b.call("POST", "/v1/orders/acme:1001/release", b.keys[Support], ``).want(200) // no body is needed
	b.call("POST", "/v1/orders/acme:1001/address", b.keys[Support], `{"ship_to":{"name":"A","street":"S","city":"C","country":"US"}}`).want(200)
	asked := b.engine.asked
	if e := asked[0].(order.PutParcel); e.Parcel != "1" || e.Carrier != "ups" || e.Tracking != "1Z999" || e.Service != "ground" || e.Lines != nil {
		t.Errorf("%+v", e)
	}
	if e := asked[1].(order.Hold); !e.Until.Equal(time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)) || e.Until.Location() != time.UTC {
		t.Errorf("%+v", e)
	}
	if e := asked[3].(order.CorrectAddress); e.AddressVersion != 1 {
		t.Errorf("%+v", e)
	}
	if d := b.audits[3].Detail; d != "address version 1" {
		t.Errorf("detail %q", d)
	}
}

func TestRefusalsOfTheOrder(t *testing.T) {
	b := withOrder(t)
	path, key := "/v1/orders/acme:1001", b.keys[Support]
	b.call("POST", path+"/release", key, `{}`).refuses(409, "refused", "")
	if a := b.audits[0]; a.Outcome != "refused" || !strings.Contains(a.Detail, "not on hold") {
		t.Errorf("audit %+v", a)
	}
	b.call("POST", path+"/hold", key, `{"reason":"x","until":"2020-01-01T00:00:00Z"}`).refuses(422, "refused", "until")
	b.call("POST", path+"/cancel", key, `{"reason":"x","parcels":["nope"]}`).refuses(422, "refused", "parcels[0]")
	b.call("POST", path+"/parcels/nope/milestone", key, `{"milestone":"picked","reason":"x"}`).refuses(422, "refused", "parcel")
	b.call("POST", path+"/parcels/1/milestone", key, `{"milestone":"expected","reason":"x"}`).refuses(422, "refused", "milestone")
	b.call("PUT", path+"/parcels/2", b.keys[Storefront], `{"carrier":"ups","lines":[{"sku":"TEA","quantity":9},{"sku":"NO","quantity":1}]}`).refuses(422, "refused", "lines[0].quantity").refuses(422, "refused", "lines[1].sku")
	b.call("POST", path+"/hold", key, `{"reason":"`+strings.Repeat("ü", 400)+`"}`).refuses(422, "refused", "reason")
}

func TestBadRequestsAreRefusedBeforeTheAudit(t *testing.T) {
	b := withOrder(t)
	for _, c := range []struct{ method, path, body, field string }{
		{"POST", "/cancel", `{}`, "reason"},
		{"POST", "/cancel", `{"reason":""}`, "reason"},
		{"POST", "/cancel", `{"reason":" \u0000\n "}`, "reason"},
		{"POST", "/cancel", `{"reason":"` + strings.Repeat("x", 501) + `"}`, "reason"},
		{"POST", "/cancel", `{"reason":"x","parcels":[]}`, "parcels"},
		{"POST", "/cancel", `{"reason":"x","force":true}`, "force"},
		{"POST", "/hold", `{"reason":"x","until":"tomorrow"}`, "until"},
		{"POST", "/promise", `{"reason":"x"}`, "promised_at"},
		{"POST", "/address", `{"ship_to":{"name":"x"}}`, "ship_to.street"},
		{"POST", "/parcels/1/milestone", `{"milestone":"teleported","reason":"x"}`, "milestone"},
		{"POST", "/parcels/1/milestone", `{"milestone":"picked"}`, "reason"},
		{"PUT", "/parcels/1", `{}`, ""},
		{"PUT", "/parcels/1", `{"tracking":"1z 999"}`, "tracking"},
		{"PUT", "/parcels/1", `{"lines":[{"sku":"TEA","quantity":1000001}]}`, "lines[0].quantity"},
		{"PUT", "/parcels/a%20b", `{"carrier":"ups"}`, "parcel"},
		{"PUT", "/parcels/%00", `{"carrier":"ups"}`, "parcel"},
	} {
		b.call(c.method, "/v1/orders/acme:1001"+c.path, b.keys[Admin], c.body).refuses(422, "invalid", c.field)
	}
	b.call("POST", "/v1/orders/acme:404/cancel", b.keys[Support], `{"reason":"x"}`).refuses(404, "not-found", "-")
	if len(b.audits)+len(b.engine.asked) != 0 {
		t.Errorf("%d audits, %d questions", len(b.audits), len(b.engine.asked))
	}
}

func TestClosedAndUnreachableOrders(t *testing.T) {
	b := withOrder(t)
	ask := func() answer {
		return b.call("POST", "/v1/orders/acme:1001/cancel", b.keys[Support], `{"reason":"x"}`)
	}
	b.engine.err = ErrNotRunning
	ask().refuses(409, "closed", "-")
	b.engine.err = ErrUnavailable
	if a := ask().refuses(503, "unavailable", "-"); a.Header().Get("Retry-After") != "2" {
		t.Error("no Retry-After")
	}
	b.engine.err = context.DeadlineExceeded
	ask().refuses(503, "unavailable", "-")
	b.engine.err = fmt.Errorf("secret inside: 10.0.0.1")
	if a := ask().refuses(500, "internal", "-"); strings.Contains(a.Body.String(), "inside") || !strings.Contains(b.log.String(), "secret inside") || !strings.Contains(b.log.String(), a.Header().Get("X-Request-Id")) {
		t.Errorf("inside out: %s", a.Body)
	}
	var outcomes []string
	for _, a := range b.audits {
		outcomes = append(outcomes, a.Outcome)
	}
	if fmt.Sprint(outcomes) != "[refused failed failed failed]" {
		t.Error(outcomes)
	}
}

// An answer got lost and the client asks again with the same Idempotency-Key:
// the order sees the same update ID, so that it cannot act twice, and the audit
// has one row.
func TestRepeatAfterALostAnswer(t *testing.T) {
	b := withOrder(t)
	ask := func(key string) answer {
		return b.call("POST", "/v1/orders/acme:1001/cancel", b.keys[Support], `{"reason":"x"}`, "Idempotency-Key", key)
	}
	b.engine.err = ErrUnavailable
	ask("k").refuses(503, "unavailable", "-")
	if a := b.audits[0]; a.Outcome != "" {
		t.Errorf("nobody knows yet, but the audit says %s", a.Outcome)
	}
	b.engine.err = nil
	first := ask("k").want(200)
	if len(b.audits) != 1 || b.audits[0].Outcome != "done" || order.IDOf(b.engine.asked[0]) != order.IDOf(b.engine.asked[1]) {
		t.Errorf("audits %+v", b.audits)
	}
	if again := ask("k").want(200); again.Body.String() != first.Body.String() || len(b.engine.asked) != 2 {
		t.Error("not replayed")
	}
	ask("another").refuses(409, "refused", "")
	if len(b.audits) != 2 {
		t.Errorf("%d audits", len(b.audits))
	}
}
