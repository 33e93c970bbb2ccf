package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// What names the person, as people, carriers and JSON write it.
var sentinels = []string{"Zephyrine", "Quackenbüsch", "zephyrine.q@canary.example", "4915112345678", "Larchwood Crescent 77"}

// found says in which tables any of the texts stands, in any column.
func found(t *testing.T, url string, texts []string) (where []string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	rows, err := c.Query(t.Context(), `select table_name, string_agg(case when data_type = 'bytea' then format('encode(%1$I, ''escape'')', column_name) else format('%1$I::text', column_name) end, ', ')
from information_schema.columns where table_schema = 'public' group by table_name order by table_name`)
	if err != nil {
		t.Fatal(err)
	}
	var table, columns string
	tables := map[string]string{}
	if _, err := pgx.ForEachRow(rows, []any{&table, &columns}, func() error { tables[table] = columns; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(tables) < 20 {
		t.Fatalf("only %d tables were looked at", len(tables))
	}
	for table, columns := range tables {
		for _, text := range texts {
			var n int
			// As the row has it, and as bytes and JSON writers put it.
			sql := fmt.Sprintf(`select count(*) from %s where position(lower($1) in lower(concat_ws(' ', %s))) > 0 or position(lower(encode(convert_to($1, 'UTF8'), 'escape')) in lower(concat_ws(' ', %s))) > 0`,
				pgx.Identifier{table}.Sanitize(), columns, columns)
			if err := c.QueryRow(t.Context(), sql, text).Scan(&n); err != nil {
				t.Fatal(table, err)
			}
			if n > 0 {
				where = append(where, fmt.Sprintf("%s: %s (%d)", table, text, n))
			}
		}
	}
	slices.Sort(where)
	return where
}

// person is an order of the sentinel's, with everything that can hold a name.
func person(t *testing.T, s *store.Store, number string) {
	t.Helper()
	ctx := t.Context()
	o := newOrder(number, order.PlannedParcel{ID: "1", Carrier: "ups", Tracking: "1ZCANARY" + number, Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}})
	o.Spec.CustomerRef = "C-77"
	o.Contact = store.Contact{Name: "Zephyrine Quackenbüsch", Email: "zephyrine.q@canary.example", Phone: "+4915112345678", Language: "de"}
	o.Address = store.Address{Name: "Zephyrine Quackenbüsch", Street: "Larchwood Crescent 77", City: "Springfield", PostalCode: "12345", Country: "US"}
	create(t, s, o)
	id := o.Spec.ID
	if err := s.PutWishes(ctx, id, store.Wishes{Frequency: "important", Language: "de"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutAddress(ctx, id, store.Address{Name: "Z. Quackenbüsch", Street: "Larchwood Crescent 77", Country: "US"}); err != nil {
		t.Fatal(err)
	}
	delivered := event("d"+number, "1ZCANARY"+number, order.Delivered)
	delivered.Description, delivered.Location, delivered.DeliveredTo = "Left with ZEPHYRINE QUACKENBÜSCH", "Larchwood Crescent 77, Springfield", "person"
	delivered.Signer = store.Signer{Name: "Z QUACKENBÜSCH"}
	// The carrier's own words, capitals, and a JSON writer's.
	raw := store.RawBody{Source: "carrier:ups", Via: "webhook", ContentType: "application/json", Hash: []byte("a" + number), Body: []byte(`{"trackingNumber":"1ZCANARY` + number + `","signedForBy":"QUACKENB\u00dcSCH"}`), Events: 1}
	if _, err := s.AcceptBody(ctx, raw, []store.Fact{delivered}); err != nil {
		t.Fatal(err)
	}
	// A body of which nothing was read, and that has no number.
	if _, err := s.AcceptBody(ctx, store.RawBody{Source: "carrier:dhl", Via: "webhook", Hash: []byte("b" + number), Body: []byte(`{"to":"Zephyrine Quackenb\u00fcsch"}`), Error: "torn"}, nil); err != nil {
		t.Fatal(err)
	}

	if err := s.SaveProof(ctx, store.Proof{OrderID: id, ID: "proof-1-7", Parcel: "1", Carrier: "ups", SignedBy: "Z QUACKENBÜSCH",
		Documents: []store.ProofDocument{{Kind: "signature", MediaType: "text/plain", Body: []byte("Zephyrine Quackenbüsch")}}}); err != nil {
		t.Fatal(err)
	}
	label := store.Booking{OrderID: id, ID: "label-R1-9", Return: "R1", Kind: "label", Carrier: "dhl", Credential: "express", State: store.BookingMade, Tracking: "T-R1", MediaType: "application/zpl"}
	if err := s.EndBooking(ctx, label, []byte("^XA^FDZephyrine Quackenbüsch, Larchwood Crescent 77^XZ")); err != nil {
		t.Fatal(err)
	}
	st := order.New(o.Spec, order.CurrentRules, placed)
	st.Cases = []order.Case{{ID: "late-7", Kind: order.Late, Owner: order.SupportTeam, OpenedAt: placed, Due: placed.Add(time.Hour), Text: "Quackenbüsch called",
		Notes: []order.Note{{At: placed, Actor: "key:x", Text: "Ms Zephyrine asks to ring at Larchwood Crescent 77"}}}}
	st.Parcels[0].LastPlace = "near Larchwood Crescent 77"
	st.Told = append(st.Told, order.Happening{Seq: 1, N: 2, Type: order.CaseNoted, At: placed, Case: order.Late, Text: "call +4915112345678, planned"})
	if err := s.Project(ctx, &st); err != nil {
		t.Fatal(err)
	}
	if err := s.ReportFaults(ctx, []store.Fault{{Kind: "unmapped_code", Key: "ups/x/" + number, Title: "a code", Sample: "DELIVERED TO Zephyrine Quackenbüsch"}}, placed); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.BeginIdempotent(ctx, "key:x", "k"+number, []byte("h")); err != nil {
		t.Fatal(err)
	}
	if err := s.EndIdempotent(ctx, "key:x", "k"+number, 200, []byte(`{"note":"zephyrine.q@canary.example"}`)); err != nil {
		t.Fatal(err)
	}
}

// message plans and begins to send one, so that its body is kept.
func message(t *testing.T, s *store.Store, orderID string) {
	t.Helper()
	hash := func(channel, address string) []byte { return []byte(channel + "#" + fmt.Sprint(len(address))) }
	now := time.Now()
	for range 2 { // the first call fences what there is, the second reads it
		_, err := s.PlanMessages(t.Context(), 100, hash, func(told []store.Told) (list []store.NewMessage) {
			for _, o := range told {
				if o.OrderID == orderID {
					for _, occasion := range []string{"confirmation", "shipped:1"} {
						list = append(list, store.NewMessage{Order: orderID, Occasion: occasion, Audience: "buyer", Channel: "email", Kind: "confirmation", Intent: json.RawMessage(`{}`), NotBefore: now.Add(-time.Hour), Until: now.Add(time.Hour)})
					}
				}
			}
			return list
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.ClaimMessages(t.Context(), "email", 1, now)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if ok, err := s.DecideMessage(t.Context(), list[0], hash, now, func(a *store.Addressee) (*store.Attempt, store.MessageOutcome) {
		return &store.Attempt{Provider: "outbox", Recipient: hash("email", a.Contact.Email), Body: json.RawMessage(`{"to":"zephyrine.q@canary.example","text":"Hello Zephyrine"}`)}, store.MessageOutcome{}
	}); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestErasedIsErasedEverywhere(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	person(t, s, "1")
	person(t, s, "2")
	message(t, s, "acme:1")
	// Somebody else, and the same reference in another store, stay as they are.
	other := newOrder("9")
	other.Contact = store.Contact{Name: "Bystander Botho", Email: "botho@canary.example"}
	create(t, s, other)
	namesake := newOrder("1")
	namesake.Spec.ID, namesake.Spec.Store, namesake.Spec.CustomerRef, namesake.TokenHash = "other:1", "other", "C-77", []byte("other")
	namesake.Contact = store.Contact{Name: "Namesake Nele"}
	create(t, s, namesake)

	before := found(t, url, sentinels)
	for _, table := range []string{"contacts", "addresses", "inbox", "raw_bodies", "orders", "happenings", "cases", "faults", "idempotency", "kept_messages", "signers", "proofs", "proof_documents", "bookings"} {
		if !slices.ContainsFunc(before, func(w string) bool { return strings.HasPrefix(w, table+":") }) {
			t.Errorf("the test puts nothing into %s: %v", table, before)
		}
	}
	audit := func(id string) store.Audit {
		return store.Audit{ID: id, Action: "erase_customer", Actor: "key:x", Role: "support", Reason: "asked to"}
	}
	e, err := s.EraseCustomer(t.Context(), "acme", "C-77", audit("aud_1"), placed)
	if err != nil {
		t.Fatal(err)
	}
	if after := found(t, url, sentinels); len(after) > 0 {
		t.Errorf("still there: %v", after)
	}
	if !slices.Equal(e.Orders, []string{"acme:1", "acme:2"}) || len(e.Remains) < 4 {
		t.Errorf("%+v", e)
	}
	rows := map[string]int64{}
	for _, r := range e.Erased {
		rows[r.Table] = r.Rows
	}
	for table, want := range map[string]int64{"contacts": 2, "addresses": 4, "preferences": 1, "kept_messages": 1, "messages": 2, "raw_bodies": 4, "happenings": 2, "cases": 2, "orders": 4, "idempotency": 2, "signers": 2, "proofs": 2, "proof_documents": 2, "bookings": 2} {
		if rows[table] != want {
			t.Errorf("%s: %d rows, want %d", table, rows[table], want)
		}
	}
	if left := found(t, url, []string{"Bystander Botho", "botho@canary.example", "Namesake Nele"}); len(left) != 3 {
		t.Errorf("others were erased too: %v", left)
	}
	// What is no name stays readable, and the state a state.
	o, err := s.Order(t.Context(), "acme:1")
	if err != nil || o.State == nil || o.State.Cases[0].Text != "[erased] called" || o.State.Cases[0].Notes[0].Text != "Ms [erased] asks to ring at [erased]" {
		t.Errorf("%+v %v", o.State, err)
	}
	if _, erased, err := s.Wishes(t.Context(), "acme:1"); !erased || err != nil {
		t.Errorf("%v %v", erased, err)
	}
	if err := s.PutWishes(t.Context(), "acme:1", store.Wishes{Frequency: "all"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an erased buyer wishes: %v", err)
	}
	all, err := s.Addressees(t.Context(), []string{"acme:1"}, func(string, string) []byte { return nil })
	if err != nil || !all["acme:1"].Erased {
		t.Errorf("%+v %v", all["acme:1"], err)
	}
	list, err := s.MessagesOf(t.Context(), "acme:1")
	if err != nil || len(list) == 0 {
		t.Errorf("%d messages, %v", len(list), err)
	}
	for _, m := range list {
		if m.Status == store.MessagePlanned {
			t.Errorf("%s is still planned", m.Occasion)
		}
	}
	// Again: nothing more to find.
	if again, err := s.EraseCustomer(t.Context(), "acme", "C-77", audit("aud_2"), placed); err != nil || len(again.Erased) > 0 {
		t.Errorf("%+v %v", again.Erased, err)
	}
	if _, err := s.EraseCustomer(t.Context(), "acme", "nobody", audit("aud_3"), placed); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// The audit is history: what names somebody there is counted, and said to stay.
func TestErasureSaysWhatRemains(t *testing.T) {
	s := storetest.New(t)
	person(t, s, "1")
	if err := s.BeginAudit(t.Context(), store.Audit{ID: "a1", OrderID: "acme:1", Action: "hold", Actor: "key:x", Role: "support", Reason: "Zephyrine moves house", Request: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	e, err := s.EraseCustomer(t.Context(), "acme", "C-77", store.Audit{ID: "a2", Action: "erase_customer", Actor: "key:x", Role: "support"}, placed)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"audit rows", "notes and reasons in running orders"} {
		if !slices.ContainsFunc(e.Remains, func(r store.Remainder) bool { return strings.HasPrefix(r.What, what) && r.Rows == 1 && r.Why != "" }) {
			t.Errorf("nothing is said of %s: %+v", what, e.Remains)
		}
	}
}

func TestWishesHoldForTheStore(t *testing.T) {
	s := storetest.New(t)
	for _, n := range []string{"1", "2"} {
		o := newOrder(n)
		o.Spec.CustomerRef = "C-1"
		create(t, s, o)
	}
	create(t, s, newOrder("3"))
	want := store.Wishes{Channel: "sms", Frequency: "important", Language: "pt-BR"}
	if err := s.PutWishes(t.Context(), "acme:1", want); err != nil {
		t.Fatal(err)
	}
	if got, erased, err := s.Wishes(t.Context(), "acme:2"); got != want || erased || err != nil {
		t.Errorf("%+v %v %v", got, erased, err)
	}
	if got, _, err := s.Wishes(t.Context(), "acme:3"); got != (store.Wishes{}) || err != nil {
		t.Errorf("%+v %v", got, err)
	}
	if err := s.Unsubscribe(t.Context(), "acme:2", "none"); err != nil {
		t.Fatal(err)
	}
	want.Frequency = "none" // the rest stays
	if got, _, err := s.Wishes(t.Context(), "acme:1"); got != want || err != nil {
		t.Errorf("%+v %v", got, err)
	}
	all, err := s.Addressees(t.Context(), []string{"acme:1"}, func(string, string) []byte { return nil })
	if err != nil || all["acme:1"].Wishes != want {
		t.Errorf("%+v %v", all["acme:1"], err)
	}
	if _, _, err := s.Wishes(t.Context(), "acme:77"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
