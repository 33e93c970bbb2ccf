package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
)

// What a buyer types never leaves the country, nor the name behind.
func TestAnAddressMovesWithinItsCountry(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	o := newOrder("1001")
	o.Address = store.Address{Name: "Ann Lee", Street: "1 Old Road", City: "Springfield", PostalCode: "01101", Region: "MA", Country: "US"}
	create(t, s, o)
	create(t, s, newOrder("1002"))
	move := func(order string, follows, most int, a store.Address) (store.Address, int) {
		t.Helper()
		v, err := s.MoveWithin(ctx, order, follows, most, a)
		if errors.Is(err, store.ErrNotFound) {
			return store.Address{}, 0
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Address(ctx, order, v)
		if err != nil {
			t.Fatal(err)
		}
		return got, v
	}
	got, v := move("acme:1001", 0, 3, store.Address{Street: "2 New Road", City: "Boston", PostalCode: "02108", Country: "RU"})
	if want := (store.Address{Name: "Ann Lee", Street: "2 New Road", City: "Boston", PostalCode: "02108", Country: "US"}); got != want || v != 1 {
		t.Errorf("version %d is %+v, want %+v", v, got, want)
	}
	if got, v := move("acme:1001", 0, 3, store.Address{Name: "Lee & Co", Street: "3", City: "Salem", PostalCode: "01970"}); got.Name != "Lee & Co" || got.Country != "US" || v != 2 {
		t.Errorf("version %d is %+v", v, got)
	}
	hostile := strings.Repeat("<b>', {}\"]", 100)
	if got, _ := move("acme:1001", 2, 3, store.Address{Street: hostile, City: "x", PostalCode: "1"}); got.Street != hostile || got.Country != "US" {
		t.Errorf("%+v", got)
	}
	for name, v := range map[string]int{
		"too often":     second(move("acme:1001", 0, 3, store.Address{Street: "5"})),
		"of no version": second(move("acme:1001", 9, 20, store.Address{Street: "5"})),
		"of no order":   second(move("acme:9", 0, 20, store.Address{Street: "5"})),
	} {
		if v != 0 {
			t.Errorf("%s: version %d", name, v)
		}
	}
	if _, err := db.Exec(ctx, `update contacts set erased_at = now() where order_id = 'acme:1002'`); err != nil {
		t.Fatal(err)
	}
	if _, v := move("acme:1002", 0, 20, store.Address{Street: "5"}); v != 0 {
		t.Error("an erased buyer moved")
	}
}

func second(_ store.Address, v int) int { return v }

func TestBuyersAreSpokenToAsTheyWish(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	o := newOrder("1001")
	o.Contact.Language = "de"
	create(t, s, o)
	is := func(language string, erased bool) {
		t.Helper()
		if b, err := s.Buyer(ctx, "acme:1001"); err != nil || b != (store.Buyer{Language: language, Erased: erased}) {
			t.Errorf("%+v, %v, want %q", b, err, language)
		}
	}
	is("de", false)
	for _, want := range []string{"es", ""} {
		if err := s.PutWishes(ctx, "acme:1001", store.Wishes{Language: want}); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = "de"
		}
		is(want, false)
	}
	if _, err := db.Exec(ctx, `update contacts set erased_at = now(), language = ''`); err != nil {
		t.Fatal(err)
	}
	is("", true)
	if _, err := s.Buyer(ctx, "acme:9"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of no order: %v", err)
	}
}

// Another address may be another person's: what was sent to the one before acts no more.
func TestAnotherContactEndsTheBuyersLink(t *testing.T) {
	s := storetest.New(t)
	ctx := t.Context()
	o := newOrder("1001")
	o.Contact = store.Contact{Name: "Ada", Email: "ada@example.org", Phone: "+15551234567", Language: "en"}
	create(t, s, o)
	audit := func(id string) store.Audit {
		return store.Audit{ID: id, OrderID: "acme:1001", Action: "test", Actor: "test", Role: "support", Request: []byte(`{}`)}
	}
	for i, c := range []struct {
		change func(*store.Contact)
		link   int
	}{
		{func(c *store.Contact) { c.Name, c.Language = "Ada E.", "de" }, 0},
		{func(c *store.Contact) { c.Email = "ada@example.com" }, 1},
		{func(c *store.Contact) { c.Phone = "" }, 2},
		{func(*store.Contact) {}, 2},
	} {
		c.change(&o.Contact)
		if err := s.PutContact(ctx, "acme:1001", o.Contact, audit(fmt.Sprint("contact-", i)), placed); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Buyer(ctx, "acme:1001"); err != nil || b.Link != c.link {
			t.Errorf("%d: link %d, want %d, %v", i, b.Link, c.link, err)
		}
	}
	if err := s.EndLink(ctx, "acme:1001", audit("end")); err != nil {
		t.Fatal(err)
	}
	all, err := s.Addressees(ctx, []string{"acme:1001"}, func(string, string) []byte { return nil })
	if err != nil || all["acme:1001"].Link != 3 {
		t.Errorf("%+v, %v", all["acme:1001"], err)
	}
	if err := s.EndLink(ctx, "acme:9", audit("nobody's")); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.Audit(ctx, "nobody's"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("audited, and nothing was done: %v", err)
	}
}
