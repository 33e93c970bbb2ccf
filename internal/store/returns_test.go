package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// sentBack is a delivered order whose sofa is to come back; its parts that cost
// nothing are as good as any.
func sentBack(t *testing.T, s *store.Store, number string, days int) *order.State {
	t.Helper()
	o := shipped(number, "1Z"+number)
	create(t, s, o)
	st := order.New(o.Spec, order.CurrentRules, placed)
	at := placed.AddDate(0, 0, days)
	for _, m := range []order.Milestone{order.Accepted, order.Delivered} {
		after(t, s, &st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: at, Received: at, Applied: at}, Parcel: "1", Milestone: m, Physical: true})
	}
	after(t, s, &st, order.RequestReturn{Meta: order.Meta{By: order.Support, Actor: "ann", Applied: at.Add(time.Hour)},
		Lines: []order.ReturnLine{{SKU: "sofa", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}})
	return &st
}

func returnList(t *testing.T, s *store.Store, f store.ReturnFilter) string {
	t.Helper()
	list, err := s.Returns(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, strings.TrimPrefix(r.OrderID, "acme:")+" "+r.ID+" "+r.State)
	}
	return strings.Join(got, ", ")
}

func TestTheListOfReturnsFollowsTheOrders(t *testing.T) {
	s := storetest.New(t)
	first, second := sentBack(t, s, "1", 3), sentBack(t, s, "2", 2)
	if got := returnList(t, s, store.ReturnFilter{}); got != "2 R1 requested, 1 R1 requested" {
		t.Errorf("the earliest due first: %s", got)
	}
	list, err := s.Returns(t.Context(), store.ReturnFilter{State: "requested", Owner: "returns", Store: "acme", Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	r := second.Returns[0]
	w, _ := order.WaitOfReturn(order.Waiting(second), &r)
	if got := list[0]; got.Parcel != "R1" || got.Units != 1 || got.What != w.What || got.Owner != "returns" || got.Due == nil || !got.Due.Equal(w.Until) ||
		!got.RequestedAt.Equal(r.RequestedAt) || !got.Since.Equal(r.Since) || got.EndedAt != nil {
		t.Errorf("%+v", got)
	}
	if got := returnList(t, s, store.ReturnFilter{After: list[0].Cursor()}); got != "1 R1 requested" {
		t.Errorf("the next page: %s", got)
	}
	m := order.Meta{By: order.Support, Actor: "ann", Reason: "worn", Applied: first.Now.Add(time.Hour)}
	after(t, s, first, order.DecideReturn{Meta: m, Return: "R1"})
	m.Applied = second.Now.Add(2 * time.Hour)
	after(t, s, second, order.DecideReturn{Meta: m, Return: "R1", Agree: true})
	after(t, s, second, order.ShipReturn{Meta: m, Return: "R1", Carrier: "dhl", Tracking: "JD0001"})
	for f, want := range map[store.ReturnFilter]string{
		{}:                    "2 R1 label_sent",
		{Ended: true}:         "1 R1 rejected",
		{State: "label_sent"}: "2 R1 label_sent",
		{State: "requested"}:  "",
		{Owner: "warehouse"}:  "",
		{Store: "bolt"}:       "",
		{Ended: true, After: store.ReturnCursor{At: first.Returns[0].EndedAt, OrderID: "acme:1", ID: "R1"}}: "",
		{Ended: true, After: store.ReturnCursor{At: first.Returns[0].EndedAt, OrderID: "acme:2", ID: "R1"}}: "1 R1 rejected",
	} {
		if got := returnList(t, s, f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	if list, _ := s.Returns(t.Context(), store.ReturnFilter{}); list[0].Carrier != "dhl" || list[0].Tracking != "JD0001" {
		t.Errorf("%+v", list[0])
	}
}

// A worker wrote a return, died, and the order went another way: later by the
// clock, without it, or with another one.
func TestAForgottenReturnIsNotListed(t *testing.T) {
	s := storetest.New(t)
	o := shipped("1", "1Z1")
	create(t, s, o)
	before := order.New(o.Spec, order.CurrentRules, placed)
	for _, m := range []order.Milestone{order.Accepted, order.Delivered} {
		after(t, s, &before, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: placed.Add(time.Hour), Received: placed.Add(time.Hour), Applied: placed.Add(time.Hour)}, Parcel: "1", Milestone: m, Physical: true})
	}
	lost := before.Clone()
	after(t, s, lost, order.RequestReturn{Meta: order.Meta{By: order.Support, Applied: placed.Add(2 * time.Hour)}, Lines: []order.ReturnLine{{SKU: "sofa", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}})
	if got := returnList(t, s, store.ReturnFilter{}); got != "1 R1 requested" {
		t.Fatal(got)
	}
	after(t, s, &before, order.Tick{Meta: order.Meta{By: order.Engine, Applied: placed.Add(3 * time.Hour)}})
	if got := returnList(t, s, store.ReturnFilter{}); got != "" {
		t.Errorf("listed: %s", got)
	}
}

func TestAReplacementIsFoundByWhatItReplaces(t *testing.T) {
	s := storetest.New(t)
	create(t, s, shipped("1", "1Z1"))
	for _, number := range []string{"3", "2"} {
		o := shipped(number, "1Z"+number)
		o.Spec.Replaces = "acme:1"
		create(t, s, o)
	}
	if list, err := s.ReplacedBy(t.Context(), "acme:1"); err != nil || strings.Join(list, " ") != "acme:3 acme:2" {
		t.Error(list, err)
	}
	if list, err := s.ReplacedBy(t.Context(), "acme:2"); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	o, err := s.Order(t.Context(), "acme:2")
	if err != nil || o.Spec.Replaces != "acme:1" {
		t.Error(o.Spec.Replaces, err)
	}
}

// Each page of the list is read along an index, with and without filters.
func TestTheListOfReturnsReadsNoMoreThanItsPage(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), storetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `
insert into returns select 'acme:' || g, 'R1', case when g % 3 = 0 then 'acme' else 'bolt' end, case when g % 2 = 0 then 'received' else 'requested' end, 'R1', '', '', 1, 'w',
    case when g % 2 = 0 then 'returns' else 'warehouse' end, '2026-01-01Z'::timestamptz + make_interval(mins => g), now(), now(), case when g % 10 > 0 then now() - make_interval(mins => g) end
from generate_series(1, 20000) g; analyze returns`); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`ended_at is null order by due, order_id, id`, `ended_at is null and owner = 'returns' order by due, order_id, id`, `ended_at is null and store = 'acme' order by due, order_id, id`,
		`ended_at is null and state = 'received' order by due, order_id, id`, `ended_at is not null order by ended_at desc, order_id desc, id desc`,
	} {
		rows, err := conn.Query(t.Context(), `explain select * from returns where `+q+` limit 51`)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(plan); strings.Contains(text, "Sort") || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s:\n%s", q, strings.Join(plan, "\n"))
		}
	}
}
