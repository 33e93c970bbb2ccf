package api

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestCreateOrder(t *testing.T) {
	b := newBench(t)
	key := b.keys[Storefront]
	first := read[createdOrder](b.call("POST", "/v1/orders", key, smallOrder).want(http.StatusCreated))
	token := b.api.links.Token("acme:1001")
	if first.Order.ID != "acme:1001" || first.Order.Class != order.Routine || !first.Order.PlacedAt.Equal(testNow) || first.Order.Seq != 0 ||
		first.TrackingURL != "https://way.example/t/"+token ||
		first.Links != (orderLinks{"https://way.example/v1/orders/acme:1001", "https://way.example/v1/orders/acme:1001/timeline",
			"https://way.example/v1/orders/acme:1001/waiting", "https://temporal.example/namespaces/default/workflows/order%3Aacme%3A1001"}) {
		t.Errorf("%+v", first)
	}
	kept := b.orders["acme:1001"].Spec
	if kept.CustomerRef != "acme:1001" || kept.Policy.Name != "default" || b.contacts["acme:1001"].Email != "ada@canary.example" || b.addresses["acme:1001"][0].City != "Springfield" {
		t.Errorf("kept %+v %+v", kept, b.contacts)
	}

	// Later, in other words, the same.
	b.now = b.now.Add(time.Hour)
	again := strings.NewReplacer(`"store":"acme",`, `"class":"routine","policy":"default","store":"acme",`, `2026-11-25T20:00:00Z`, `2026-11-25T21:00:00+01:00`).Replace(smallOrder)
	second := read[createdOrder](b.call("POST", "/v1/orders", key, again).want(http.StatusOK))
	if second.TrackingURL != first.TrackingURL || !second.Order.PlacedAt.Equal(testNow) {
		t.Errorf("%+v", second)
	}
	for _, change := range []string{`"quantity":2`, `"number":"1001"`, `Ada Canary`, `"promised_at":"2026-11-25`} {
		other := strings.Replace(smallOrder, change, map[string]string{`"quantity":2`: `"quantity":3`, `"number":"1001"`: `"number":"1001","class":"bulky"`, `Ada Canary`: `Eve`, `"promised_at":"2026-11-25`: `"promised_at":"2026-11-26`}[change], 1)
		b.call("POST", "/v1/orders", key, other).refuses(http.StatusConflict, "conflict", "-")
	}
}

func TestCreateOrderWithEverything(t *testing.T) {
	b := newBench(t)
	body := `{"store":"acme","number":"A-1.2_3","class":"high_value","placed_at":"2026-11-20T10:00:00.123456789+01:00","promised_at":"2026-11-25T20:00:00Z","policy":"default","currency":"EUR",
		"customer":{"ref":"c-88","name":"Ben\u0000 \u202eEx\nample","email":"b@e.example","phone":"+49 (30) 123456","language":"de-CH"},
		"ship_to":{"name":"Ben","street":"Hauptstr. 1\tHof","city":"Berlin","postal_code":"10115","region":"BE","country":"DE"},
		"lines":[{"sku":"LAMP 7/b","quantity":1,"unit_amount":12900,"name":"Desk lamp"},{"sku":"BULB","quantity":4}],
		"parcels":[{"id":"1","carrier":"dhl","service":"paket","tracking":"00340434161094042557","lines":[{"sku":"LAMP 7/b","quantity":1}]},{"id":"p-2","carrier":"dhl","master_tracking":"00340434161094042000","lines":[{"sku":"BULB","quantity":4}]}]}`
	v := read[createdOrder](b.call("POST", "/v1/orders", b.keys[Storefront], body).want(201)).Order
	if len(v.Parcels) != 2 || v.Parcels[0].Tracking != "00340434161094042557" || v.Parcels[1].Master != "00340434161094042000" || v.Class != order.HighValue {
		t.Errorf("%+v", v)
	}
	if name := b.contacts["acme:A-1.2_3"].Name; name != "Ben Ex ample" {
		t.Errorf("name %q", name)
	}
	if street := b.addresses["acme:A-1.2_3"][0].Street; street != "Hauptstr. 1 Hof" {
		t.Errorf("street %q", street)
	}
	if at := b.orders["acme:A-1.2_3"].Spec.PlacedAt; at.Location() != time.UTC || at.Nanosecond() != 123456000 {
		t.Errorf("placed at %v", at)
	}
	if string(links.TokenHash(b.api.links.Token("acme:A-1.2_3"))) == "" {
		t.Error("token")
	}
}

// The hashes of orders are in the database. If this fails, retries of orders that
// exist would be answered with 409.
func TestRequestHashStaysTheSame(t *testing.T) {
	b := withOrder(t)
	if got := hex.EncodeToString(b.hashes["acme:1001"]); got != "c35c0256866c2cd22852bf4485feae5b968a0f6edb421690055d8e7f46cf054c" {
		t.Errorf("hash %s", got)
	}
}

func TestIdempotencyKey(t *testing.T) {
	b := newBench(t)
	key := b.keys[Storefront]
	first := b.call("POST", "/v1/orders", key, smallOrder, "Idempotency-Key", "k1").want(201)
	again := b.call("POST", "/v1/orders", key, strings.ReplaceAll(smallOrder, "\n\t", " "), "Idempotency-Key", "k1").want(201)
	if again.Header().Get("Idempotent-Replayed") != "true" || again.Body.String() != first.Body.String() || first.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("not replayed: %s", again.Body)
	}
	b.call("POST", "/v1/orders", key, strings.Replace(smallOrder, "1001", "1002", 1), "Idempotency-Key", "k1").refuses(422, "invalid", "Idempotency-Key")
	b.call("POST", "/v1/orders", key, smallOrder, "Idempotency-Key", strings.Repeat("k", 256)).refuses(422, "invalid", "Idempotency-Key")
	b.call("POST", "/v1/orders", key, smallOrder, "Idempotency-Key", strings.Repeat("k", 255)).want(200)
	// Another caller's key is another key; and a refusal is not kept.
	b.call("POST", "/v1/orders", b.keys[Admin], smallOrder, "Idempotency-Key", "k1").want(200)
	unknown := strings.Replace(smallOrder, "acme", "newcomer", 1)
	b.call("POST", "/v1/orders", key, unknown, "Idempotency-Key", "k2").refuses(422, "refused", "store")
	b.stores["newcomer"] = store.StoreRow{ID: "newcomer"}
	b.call("POST", "/v1/orders", key, unknown, "Idempotency-Key", "k2").want(201)
}

func TestBadOrders(t *testing.T) {
	b := newBench(t)
	swap := func(old, new string) string {
		if !strings.Contains(smallOrder, old) {
			t.Fatalf("%q is not in the order", old)
		}
		return strings.Replace(smallOrder, old, new, 1)
	}
	lines := func(n int) string {
		ls := make([]string, n)
		for i := range ls {
			ls[i] = fmt.Sprintf(`{"sku":"S%d","quantity":1}`, i)
		}
		return swap(`{"sku":"TEA","quantity":2}`, strings.Join(ls, ","))
	}
	for name, c := range map[string]struct{ body, kind, field string }{
		"unknown field":            {swap(`"store"`, `"shop":1,"store"`), "invalid", "shop"},
		"unknown nested field":     {swap(`"quantity":2`, `"quantity":2,"colour":"red"`), "invalid", "lines[0].colour"},
		"unknown store":            {swap("acme", "nobody"), "refused", "store"},
		"unknown policy":           {swap(`"store"`, `"policy":"nope","store"`), "refused", "policy"},
		"store missing":            {swap(`"store":"acme",`, ``), "invalid", "store"},
		"customer missing":         {strings.Replace(smallOrder, `"customer"`, `"x"`, 1), "invalid", "customer"},
		"store in capitals":        {swap("acme", "ACME"), "invalid", "store"},
		"number with a slash":      {swap(`"1001"`, `"10/01"`), "invalid", "number"},
		"number not a string":      {swap(`"1001"`, `1001`), "invalid", "number"},
		"number with NUL":          {swap(`"1001"`, `"10\u000001"`), "invalid", "number"},
		"no lines":                 {swap(`{"sku":"TEA","quantity":2}`, ``), "invalid", "lines"},
		"too many lines":           {lines(501), "invalid", "lines"},
		"lines null":               {swap(`[{"sku":"TEA","quantity":2}]`, `null`), "invalid", "lines"},
		"quantity 0":               {swap(`"quantity":2`, `"quantity":0`), "invalid", "lines[0].quantity"},
		"quantity negative":        {swap(`"quantity":2`, `"quantity":-1`), "invalid", "lines[0].quantity"},
		"quantity above the limit": {swap(`"quantity":2`, `"quantity":1000001`), "invalid", "lines[0].quantity"},
		"quantity 1e400":           {swap(`"quantity":2`, `"quantity":1e400`), "invalid", "lines[0].quantity"},
		"quantity 1e999999999":     {swap(`"quantity":2`, `"quantity":1e999999999`), "invalid", "lines[0].quantity"},
		"quantity 2.0":             {swap(`"quantity":2`, `"quantity":2.0`), "invalid", "lines.quantity"},
		"quantity 2.5":             {swap(`"quantity":2`, `"quantity":2.5`), "invalid", "lines[0].quantity"},
		"quantity a string":        {swap(`"quantity":2`, `"quantity":"2"`), "invalid", "lines[0].quantity"},
		"quantity null":            {swap(`"quantity":2`, `"quantity":null`), "invalid", "lines[0].quantity"},
		"amount beyond int64":      {swap(`"quantity":2`, `"quantity":2,"unit_amount":99999999999999999999`), "invalid", "lines[0].unit_amount"},
		"amount without currency":  {swap(`"quantity":2`, `"quantity":2,"unit_amount":5`), "refused", "currency"},
		"the same SKU twice":       {swap(`{"sku":"TEA","quantity":2}`, `{"sku":"TEA","quantity":2},{"sku":"TEA","quantity":1}`), "refused", "lines[1].sku"},
		"SKU with a line break":    {swap(`"TEA"`, `"T\nEA"`), "refused", "lines[0].sku"},
		"placed in the future":     {swap(`"store"`, `"placed_at":"2027-01-01T00:00:00Z","store"`), "refused", "placed_at"},
		"placed long ago":          {swap(`"store"`, `"placed_at":"1970-01-01T00:00:00Z","store"`), "refused", "placed_at"},
		"placed without offset":    {swap(`"store"`, `"placed_at":"2026-11-21T10:00:00","store"`), "invalid", "placed_at"},
		"placed on no day":         {swap(`"store"`, `"placed_at":"2026-02-30T10:00:00Z","store"`), "invalid", "placed_at"},
		"promised before placed":   {swap("2026-11-25", "2026-11-20"), "refused", "promised_at"},
		"promised in year 9999":    {swap("2026-11-25", "9999-11-25"), "refused", "promised_at"},
		"country in small letters": {swap(`"US"`, `"us"`), "invalid", "ship_to.country"},
		"e-mail with a space":      {swap(`ada@canary`, `ada @canary`), "invalid", "customer.email"},
		"customer ref an e-mail":   {swap(`"customer":{`, `"customer":{"ref":"ada@canary.example",`), "invalid", "customer.ref"},
		"name far too long":        {swap(`"name":"Ada Canary","email"`, `"name":"`+strings.Repeat("x", 201)+`","email"`), "invalid", "customer.name"},
		"parcel over-allocated":    {swap(`"lines":[`, `"parcels":[{"id":"1","lines":[{"sku":"TEA","quantity":3}]}],"lines":[`), "refused", "parcels[0].lines[0].quantity"},
		"tracking without carrier": {swap(`"lines":[`, `"parcels":[{"id":"1","tracking":"ABCD1","lines":[{"sku":"TEA","quantity":1}]}],"lines":[`), "refused", "parcels[0].carrier"},
		"a list":                   {`[1]`, "invalid", ""},
		"a string":                 {`"order"`, "invalid", ""},
		"null":                     {`null`, "invalid", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.call("POST", "/v1/orders", b.keys[Storefront], c.body)
			a.t = t
			a.refuses(422, c.kind, c.field)
			if strings.Contains(a.Body.String(), "anary") {
				t.Errorf("the answer repeats personal data: %s", a.Body)
			}
		})
	}
	if len(b.orders) != 0 {
		t.Errorf("%d orders were created", len(b.orders))
	}
	// All faults at once, so that they can be mended at once.
	a := b.call("POST", "/v1/orders", b.keys[Storefront], swap(`"quantity":2`, `"quantity":0,"x":1`)).want(422)
	if p := read[problem](a); len(p.Errors) != 2 {
		t.Errorf("%+v", p.Errors)
	}
	// But not without end.
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, `"x%d":1,`, i)
	}
	if p := read[problem](b.call("POST", "/v1/orders", b.keys[Storefront], swap(`"store"`, many.String()+`"store"`)).want(422)); len(p.Errors) != maxErrors || len(p.Detail) > 300 {
		t.Errorf("%d errors: %s", len(p.Errors), p.Detail)
	}
}

func TestReadOrder(t *testing.T) {
	b := withOrder(t)
	key := b.keys[Support]
	type shown struct {
		order.View
		TrackingURL string `json:"tracking_url"`
	}
	for _, path := range []string{"/v1/orders/acme:1001", "/v1/orders/acme%3A1001"} {
		if v := read[shown](b.call("GET", path, key, "").want(200)); v.ID != "acme:1001" || v.Summary == "live" || !strings.HasPrefix(v.TrackingURL, "https://way.example/t/") {
			t.Errorf("%+v", v)
		}
	}
	if v := read[shown](b.call("GET", "/v1/orders/acme:1001?live=true", key, "").want(200)); v.Summary != "live" {
		t.Errorf("not live: %s", v.Summary)
	}
	b.engine.err = ErrNotRunning // not begun, or ended: the read model answers
	if v := read[shown](b.call("GET", "/v1/orders/acme:1001?live=true", key, "").want(200)); v.Summary == "live" {
		t.Error("live")
	}
	b.engine.err = ErrUnavailable
	b.call("GET", "/v1/orders/acme:1001?live=true", key, "").refuses(503, "unavailable", "-")
	b.call("GET", "/v1/orders/acme:1001", key, "").want(200)
	b.call("GET", "/v1/orders/acme:404", key, "").refuses(404, "not-found", "-")
	b.call("GET", "/v1/orders/nonsense", key, "").refuses(422, "invalid", "id")
	b.call("GET", "/v1/orders/acme:1001%2F..", key, "").refuses(422, "invalid", "id")
	b.call("GET", "/v1/orders/acme:1001?live=maybe", key, "").refuses(422, "invalid", "live")
	b.call("GET", "/v1/orders/acme:1001?lvie=true", key, "").refuses(422, "invalid", "lvie")

	type waits struct {
		Order   string
		Waiting []order.Wait
	}
	if w := read[waits](b.call("GET", "/v1/orders/acme:1001/waiting", key, "").want(200)); w.Order != "acme:1001" || len(w.Waiting) == 0 {
		t.Errorf("%+v", w)
	}
	type timeline struct {
		Order   string
		Entries []store.Entry
	}
	b.entries = []store.Entry{
		{At: testNow, Source: "warehouse", Kind: "scan", EventID: "acme/s-1", ReceivedAt: testNow},
		{At: testNow, Source: "carrier:ups", Kind: "carrier_event", EventID: "acme/x", ReceivedAt: testNow, LocalTime: "2026-11-21T07:00:00"},
		{At: testNow, Source: "order", Kind: "status_changed", ReceivedAt: testNow},
	}
	if tl := read[timeline](b.call("GET", "/v1/orders/acme:1001/timeline", key, "").want(200)); len(tl.Entries) != 3 || tl.Entries[0].EventID != "s-1" || tl.Entries[1].EventID != "acme/x" {
		t.Errorf("%+v", tl)
	}
	b.call("GET", "/v1/orders/acme:1001/timeline?limit=0", key, "").refuses(422, "invalid", "limit")
}

func TestListOrders(t *testing.T) {
	b := newBench(t)
	key := b.keys[Storefront]
	for i := range 5 {
		b.call("POST", "/v1/orders", key, strings.Replace(smallOrder, "1001", fmt.Sprint(1001+i), 1)).want(201)
	}
	type page struct {
		Orders []store.Summary
		Next   string
	}
	var seen []string
	path := "/v1/orders?limit=2&store=acme"
	for range 5 {
		p := read[page](b.call("GET", path, key, "").want(200))
		for _, o := range p.Orders {
			seen = append(seen, o.Number)
		}
		if p.Next == "" {
			break
		}
		path = "/v1/orders?limit=2&store=acme&cursor=" + p.Next
	}
	if fmt.Sprint(seen) != "[1005 1004 1003 1002 1001]" {
		t.Error(seen)
	}
	b.call("GET", "/v1/orders?status=shipped&case=stalled&q=1Z999", key, "").want(200)
	if f := b.filters[len(b.filters)-1]; f.Status != "shipped" || f.Case != "stalled" || f.Query != "1Z999" || f.Limit != 50 {
		t.Errorf("%+v", f)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "limit=x": "limit", "limit=9999999999999999999999": "limit", "status=gone": "status", "store=A": "store", "cursor=@@": "cursor",
		"cursor=" + "eA": "cursor", "q=%00": "q", "q=": "q", "case=%27or": "case", "order=asc": "order",
	} {
		b.call("GET", "/v1/orders?"+query, key, "").refuses(422, "invalid", field)
	}
}
