package people

import (
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func TestALabelIsAskedForAndHandedOut(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", nil)
	one := "/v1/orders/" + id + "/returns/R1"
	d.call("POST", "/v1/orders/"+id+"/returns", "shop", `{"lines":[{"sku":"lamp","quantity":2,"reason":"does_not_fit","wanted":"refund"}],"package":{"length_mm":300}}`).want(422, `"field":"package.length_mm"`)
	d.call("POST", "/v1/orders/"+id+"/returns", "shop", `{"lines":[{"sku":"lamp","quantity":2,"reason":"does_not_fit","wanted":"refund"}],"package":{"weight_g":1200,"length_mm":300,"width_mm":200,"height_mm":100}}`).want(200, `"weight_g":1200`)
	d.call("POST", one+"/label", "shop", `{"carrier":"dhl"}`).want(422, `"field":"return"`, "requested since")
	d.call("POST", one+"/decide", "desk", `{"agree":true}`).want(200)
	for body, want := range map[string]string{
		`{}`:                  `"field":"carrier"`,
		`{"carrier":"D H L"}`: `"field":"carrier"`,
		`{"carrier":"dhl","package":{"weight_g":-1}}`:        `"field":"package.weight_g"`,
		`{"carrier":"dhl","package":{"weight_g":90,"kg":1}}`: `"field":"package.kg"`,
	} {
		d.call("POST", one+"/label", "desk", body).want(422, want)
	}
	d.call("POST", one+"/label", "dock", `{"carrier":"dhl"}`).want(403)
	d.call("POST", one+"/label", "shop", `{"carrier":"dhl"}`).want(200, `"state":"asked"`, `"kind":"label"`)
	d.call("POST", one+"/label", "shop", `{"carrier":"dhl"}`).want(422, "being asked for a label since")
	d.call("POST", one+"/ship", "shop", `{"carrier":"dhl","tracking":"JD0001"}`).want(422, "being asked for a label")
	d.call("POST", one+"/pickup", "desk", `{"carrier":"dhl"}`).want(422, `"field":"earliest"`)
	r := as[order.ReturnView](d.call("GET", one, "desk", "").want(200))
	booking := r.Bookings[0].ID
	d.call("POST", one+"/bookings/"+booking+"/end", "desk", `{"reason":"x"}`).want(422, "waits for the carrier's own answer")
	d.call("GET", one+"/label", "desk", "").want(404)

	since := d.now.Sub(placed) + time.Minute
	d.after(id, since, order.Answered{Meta: order.Meta{By: order.Engine}, Command: booking, Tracking: "T-R900", Reference: "REF-1", Held: "application/pdf", Amount: 499, Currency: "EUR"})
	if err := d.store.EndBooking(t.Context(), store.Booking{OrderID: id, ID: booking, Return: "R1", Kind: "label", Carrier: "dhl", State: store.BookingMade, Tracking: "T-R900", MediaType: "application/pdf"}, []byte("%PDF label")); err != nil {
		t.Fatal(err)
	}
	d.call("GET", one, "shop", "").want(200, `"state":"label_sent"`, `"tracking":"T-R900"`, `"label":"application/pdf"`, `"amount":499`)
	for _, who := range []string{"shop", "desk", "ann"} {
		got := d.call("GET", one+"/label", who, "").want(200)
		if got.body != "%PDF label" {
			t.Errorf("%s: %q", who, got.body)
		}
	}
	d.call("GET", one+"/label", "bolt", "").want(403) // another store's
	d.call("GET", one+"/label", "dock", "").want(403)
	d.call("POST", one+"/label", "desk", `{"carrier":"dhl"}`).want(422, `"field":"reason"`)
	d.call("POST", one+"/pickup", "desk", `{"earliest":"`+d.now.Add(20*time.Hour).UTC().Format(time.RFC3339)+`","latest":"`+d.now.Add(26*time.Hour).UTC().Format(time.RFC3339)+`"}`).want(200, `"kind":"pickup"`)
	v := as[order.ReturnView](d.call("GET", one, "desk", "").want(200))
	pickup := v.Bookings[1]
	if pickup.Carrier != "dhl" || pickup.State != order.BookingAsked {
		t.Errorf("%+v", pickup)
	}
	d.after(id, since+time.Minute, order.Answered{Meta: order.Meta{By: order.Engine}, Command: pickup.ID, Failed: "its answer got lost", Unclear: true})
	d.call("POST", one+"/bookings/"+pickup.ID+"/end", "shop", `{"reason":"x"}`).want(403)
	d.call("POST", one+"/bookings/"+pickup.ID+"/end", "desk", `{}`).want(422, `"field":"reason"`)
	d.call("POST", one+"/bookings/"+pickup.ID+"/end", "desk", `{"reason":"cancelled at the carrier's"}`).want(200, `"state":"ended"`)

	label := one + "/bookings/" + booking + "/void"
	d.call("POST", label, "shop", `{"reason":"x"}`).want(403)
	d.call("POST", label, "desk", `{"reason":"x"}`).want(422, `"field":"booking"`, "the return comes by it")
	d.call("POST", one+"/cancel", "desk", `{"reason":"the buyer keeps it"}`).want(200)
	d.call("POST", label, "desk", `{}`).want(422, `"field":"reason"`)
	d.call("POST", label, "desk", `{"reason":"the buyer keeps it"}`).want(200, `"state":"voiding"`)
	d.call("POST", label, "desk", `{"reason":"the buyer keeps it"}`).want(422, "own answer first")
	v = as[order.ReturnView](d.call("GET", one, "desk", "").want(200))
	d.after(id, since+2*time.Minute, order.Answered{Meta: order.Meta{By: order.Engine}, Command: v.Bookings[0].Void})
	d.call("GET", one, "desk", "").want(200, `"state":"voided"`)
	audits := d.call("GET", "/v1/orders/"+id+"/audit", "ann", "")
	if audits.code == 200 && strings.Count(audits.body, "read_return_label") != 3 {
		t.Errorf("%s", audits.body)
	}
}
