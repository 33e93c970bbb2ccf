package ask

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// What a carrier is told and asked to prove goes under the same budget and token
// as its tracking.
func TestTellingAndProving(t *testing.T) {
	s := newStub(t)
	creds, err := Parse(fmt.Appendf(nil, "credentials:\n  - {name: ups, carrier: ups, key: id, secret: hidden, base_url: %q, budget: 5/h, contact_name: Acme, contact_phone: '+14105550100', client_ip: 192.0.2.7}\n  - {name: dhl, carrier: dhl, key: id}\n  - {name: express, carrier: dhl, api: express, key: id, secret: hidden}\n  - {name: ep, carrier: easypost, key: id, for: [ontrac]}", s.URL), env)
	if err != nil {
		t.Fatal(err)
	}
	seen := &calls{}
	c := New(storetest.New(t), creds, nil, seen.see)
	s.says(200, `{"transactionId":"T-1","statusCode":"000","success":true}`)
	task := carriers.Task{Do: order.ReturnToSender}
	if d, err := c.Instruct(t.Context(), "ups", number, task); err != nil || d != (carriers.Done{Reference: "T-1"}) {
		t.Errorf("%+v %v", d, err)
	}
	s.says(400, `{"response":{"errors":[{"code":"710","message":"secret words"}]}}`)
	if d, err := c.Instruct(t.Context(), "ups", number, task); err != nil || d.Declined != "refused: HTTP 400" {
		t.Errorf("%+v %v", d, err)
	}
	s.says(200, `{"trackResponse":{"shipment":[{"package":[{"trackingNumber":"`+number+`","deliveryInformation":{"pod":{"content":"`+base64.StdEncoding.EncodeToString([]byte("%PDF"))+`"}}}]}]}}`)
	if e, err := c.Prove(t.Context(), "ups", number); err != nil || e.Held() != "document" {
		t.Errorf("%+v %v", e, err)
	}
	if got := seen.outcomes(); !slices.Equal(got, []string{"token ok", "instruct ok", "instruct refused", "prove ok"}) {
		t.Error(got)
	}
	// What cannot be said is not the carrier's no, and costs nothing.
	for name, f := range map[string]func() error{
		"a number of others": func() error {
			_, err := c.Instruct(t.Context(), "ups", "92419901234567890123", task)
			return err
		},
		"DHL":    func() error { _, err := c.Instruct(t.Context(), "express", number, task); return err },
		"nobody": func() error { _, err := c.Instruct(t.Context(), "nobody", number, task); return err },
		"proof":  func() error { _, err := c.Prove(t.Context(), "dhl", number); return err },
	} {
		t.Run(name, func(t *testing.T) { problem(t, f(), carriers.BadRequest) })
	}
	s.says(503, `<html>`)
	_, err = c.Instruct(t.Context(), "ups", number, task)
	problem(t, err, carriers.Unavailable)
	_, err = c.Prove(t.Context(), "ups", number) // the sixth call of five
	problem(t, err, carriers.Limited)

	for carrier, want := range map[string]string{"ups": "ups", "dhl": "express", "ontrac": "", "easypost": "", "fedex": ""} {
		if got, ok := c.ForProof(carrier); got.Name != want || ok != (want != "") {
			t.Errorf("proof of %s under %q", carrier, got.Name)
		}
	}
	for carrier, want := range map[string]string{"ups": "ups", "dhl": "", "ontrac": ""} {
		if got, ok := c.ForInstruction(carrier, order.Redirect); got.Name != want || ok != (want != "") {
			t.Errorf("%s is told under %q", carrier, got.Name)
		}
	}
	if _, ok := c.ForInstruction("ups", order.Refund); ok {
		t.Error("a refund is no instruction")
	}
}
