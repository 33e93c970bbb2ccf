package api

import (
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/numbers"
	"github.com/waybillhq/waybill/order"
)

type warned struct {
	order.View
	Warnings []fieldError
}

func TestDetectCarriers(t *testing.T) {
	b := newBench(t)
	type found struct {
		Number            string
		Matches, Mistyped []numbers.Match
	}
	for path, want := range map[string]struct {
		number  string
		matches []string
		wrong   int
	}{
		"1z999aa10123456784":                 {"1Z999AA10123456784", []string{"ups"}, 0},
		"1Z999AA10123456785":                 {"1Z999AA10123456785", nil, 1},
		"%201Z%20999AA1%200123%204567%2084":  {"1Z999AA10123456784", []string{"ups"}, 0},
		"4201028200009261290113185417468510": {"4201028200009261290113185417468510", []string{"fedex", "usps"}, 0},
		"hello":                              {"HELLO", nil, 0},
	} {
		a := read[found](b.call("GET", "/v1/tracking-numbers/"+path, b.keys[Warehouse], "").want(200))
		carriers := []string(nil)
		for _, m := range a.Matches {
			carriers = append(carriers, m.Carrier)
		}
		if a.Number != want.number || strings.Join(carriers, " ") != strings.Join(want.matches, " ") || len(a.Mistyped) != want.wrong || a.Matches == nil || a.Mistyped == nil {
			t.Errorf("%s: %+v", path, a)
		}
	}
	b.call("GET", "/v1/tracking-numbers/"+strings.Repeat("1", 81), b.keys[Warehouse], "").refuses(422, "invalid", "number")
}

// TestDoubtfulNumbersAreTakenWithAWarning: the stated carrier is believed.
func TestDoubtfulNumbersAreTakenWithAWarning(t *testing.T) {
	b := withOrder(t)
	for _, c := range []struct{ body, says string }{
		{`{"carrier":"ups","tracking":"1Z999AA10123456784"}`, ""},
		{`{"tracking":"1Z999AA10123456785"}`, "check digit is wrong"}, // of the carrier that it has
		{`{"service":"ground"}`, ""},                                  // was told when it was said
		{`{"carrier":"fedex"}`, ""},                                   // a wrong number is nobody else's either
		{`{"tracking":"1Z999AA10123456784"}`, "has no form of fedex that is known; it can be of ups (UPS, check digit right)"},
		{`{"carrier":"fedex","tracking":"1001921334250001000300779017972697"}`, "tracks the parcel by 779017972697"},
		{`{"carrier":"gls","tracking":"1Z999AA10123456785"}`, ""},
	} {
		v := read[warned](b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Warehouse], c.body).want(200))
		switch {
		case c.says == "" && v.Warnings != nil:
			t.Errorf("%s: %+v", c.body, v.Warnings)
		case c.says != "" && (len(v.Warnings) != 1 || v.Warnings[0].Field != "tracking" || !strings.Contains(v.Warnings[0].Reason, c.says)):
			t.Errorf("%s: %+v, want %s", c.body, v.Warnings, c.says)
		}
	}
	// A repeat is warned again.
	body := `{"tracking":"1Z999AA10123456785","carrier":"ups"}`
	for range 2 {
		if v := read[warned](b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Warehouse], body, "Idempotency-Key", "again").want(200)); len(v.Warnings) != 1 {
			t.Errorf("%+v", v.Warnings)
		}
	}
}

func TestACarrierIsAskedForNeverGuessed(t *testing.T) {
	b := newBench(t)
	create := func(number, parcel string) answer {
		return b.call("POST", "/v1/orders", b.keys[Storefront], strings.Replace(strings.Replace(smallOrder, `"1001"`, `"`+number+`"`, 1),
			`"lines":`, `"parcels":[{"id":"a","lines":[{"sku":"TEA","quantity":1}],`+parcel+`}],"lines":`, 1))
	}
	// One candidate with a right check digit is still a question.
	a := create("2001", `"tracking":"1Z999AA10123456784"`).refuses(422, "refused", "parcels[0].carrier")
	if !strings.Contains(a.Body.String(), "name one; 1Z999AA10123456784 can be of ups (UPS, check digit right)") {
		t.Error(a.Body)
	}
	if a := create("2002", `"tracking":"HELLO-1"`).refuses(422, "refused", "parcels[0].carrier"); !strings.Contains(a.Body.String(), "no form that is known fits HELLO-1") {
		t.Error(a.Body)
	}
	type created struct{ Warnings []fieldError }
	if c := read[created](create("2003", `"carrier":"ups","tracking":"1Z999AA10123456785"`).want(201)); len(c.Warnings) != 1 || c.Warnings[0].Field != "parcels[0].tracking" {
		t.Errorf("%+v", c)
	}
	if c := read[created](create("2004", `"carrier":"ups","tracking":"1Z999AA10123456784"`).want(201)); c.Warnings != nil {
		t.Errorf("%+v", c)
	}
	// A parcel that is added, or has no carrier yet.
	b.call("POST", "/v1/orders", b.keys[Storefront], smallOrder).want(201)
	a = b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Warehouse], `{"tracking":"4201028200009261290113185417468510"}`).refuses(422, "refused", "carrier")
	for _, candidate := range []string{"fedex (FedEx Express (34), check digit right)", "usps (USPS IMpb, check digit right)"} {
		if !strings.Contains(a.Body.String(), candidate) {
			t.Errorf("%s is not offered: %s", candidate, a.Body)
		}
	}
	// Another refusal is not touched.
	b.call("PUT", "/v1/orders/acme:1001/parcels/1", b.keys[Warehouse], `{"lines":[{"sku":"NO","quantity":1}]}`).refuses(422, "refused", "lines[0].sku")
	for _, e := range b.engine.asked {
		if p := e.(order.PutParcel); p.Carrier != "" {
			t.Errorf("a carrier was set: %+v", p)
		}
	}
}
