package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func attempt(id string) store.Booking {
	return store.Booking{OrderID: "acme:1001", ID: id, Return: "R1", Kind: "label", Carrier: "dhl", Credential: "express"}
}

// travels projects the order with a return whose parcel goes by that number.
func travels(t *testing.T, s *store.Store, seq int64, tracking string) {
	t.Helper()
	o, err := s.Order(t.Context(), "acme:1001")
	if err != nil {
		t.Fatal(err)
	}
	st := order.New(o.Spec, order.CurrentRules, placed)
	st.Seq = seq
	st.Parcels = append(st.Parcels, order.Parcel{ID: "R1", Return: "R1", Carrier: "dhl", Tracking: tracking, Milestone: order.Expected, Since: placed})
	st.Returns = []order.Return{{ID: "R1", Parcel: "R1", State: order.ReturnLabelSent, Since: placed, RequestedAt: placed}}
	if err := s.Project(t.Context(), &st); err != nil {
		t.Fatal(err)
	}
}

func TestABookingIsSentByOneAndItsEndStands(t *testing.T) {
	s, _ := opened(t)
	ctx := t.Context()
	create(t, s, newOrder("1001"))
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			first, err := s.SendBooking(ctx, attempt("label-R1-9"))
			if err != nil {
				t.Error(err)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d may send it", firsts.Load())
	}
	// It was certainly not taken: it may be sent once more, under another handle.
	if err := s.UnsendBooking(ctx, "acme:1001", "label-R1-9"); err != nil {
		t.Fatal(err)
	}
	again := attempt("label-R1-9")
	again.Handle = "shp_2"
	for _, want := range []bool{true, false} {
		if first, err := s.SendBooking(ctx, again); err != nil || first != want {
			t.Errorf("%v %v, want %v", first, err, want)
		}
	}
	for want := 1; want <= 2; want++ {
		if n, err := s.LookedForBooking(ctx, "acme:1001", "label-R1-9"); err != nil || n != want {
			t.Errorf("%d %v", n, err)
		}
	}
	for _, c := range []struct {
		to   store.BookingState
		want store.BookingState
	}{{store.BookingUnclear, store.BookingUnclear}, {store.BookingMade, store.BookingMade}, {store.BookingDeclined, store.BookingMade}, {store.BookingUnclear, store.BookingMade}} {
		b := again
		b.State, b.Tracking, b.MediaType = c.to, "T-R1", "application/pdf"
		if err := s.EndBooking(ctx, b, []byte("%PDF")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Booking(ctx, "acme:1001", "label-R1-9"); err != nil || got.State != c.want || got.Handle != "shp_2" || got.Looks != 2 {
			t.Errorf("%s: %+v %v", c.to, got, err)
		}
	}
	if err := s.UnsendBooking(ctx, "acme:1001", "label-R1-9"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Booking(ctx, "acme:1001", "label-R1-9"); got.State != store.BookingMade {
		t.Errorf("what was made was taken back: %+v", got)
	}
	if _, err := s.Booking(ctx, "acme:1001", "label-R1-1"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestALabelIsReadUnderAuditWhileTheReturnTravelsByIt(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	create(t, s, newOrder("1001"))
	made := func(id, tracking, label string) {
		b := attempt(id)
		b.State, b.Tracking, b.MediaType = store.BookingMade, tracking, "application/pdf"
		if err := s.EndBooking(ctx, b, []byte(label)); err != nil {
			t.Fatal(err)
		}
	}
	made("label-R1-9", "T-R1", "%PDF one")
	audit := func(id string) store.Audit {
		return store.Audit{ID: id, OrderID: "acme:1001", Action: "read_return_label", Actor: "ann", Role: "returns", Request: []byte("{}"), CreatedAt: time.Now(), Outcome: "done"}
	}
	missing := func(name, returnID string) {
		t.Helper()
		if l, err := s.ReturnLabel(ctx, "acme:1001", returnID, audit("a-"+name)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, l, err)
		}
	}
	missing("unknown to the order", "R1")
	travels(t, s, 5, "T-R1")
	if l, err := s.ReturnLabel(ctx, "acme:1001", "R1", audit("a1")); err != nil || string(l.Body) != "%PDF one" || l.MediaType != "application/pdf" {
		t.Errorf("%+v %v", l, err)
	}
	missing("another return", "R2")
	made("label-R1-12", "T-R2", "%PDF two")
	travels(t, s, 6, "T-R2") // a person asked for another one
	if l, err := s.ReturnLabel(ctx, "acme:1001", "R1", audit("a2")); err != nil || string(l.Body) != "%PDF two" {
		t.Errorf("%+v %v", l, err)
	}
	travels(t, s, 7, "T-BYHAND") // a person recorded one of their own
	missing("another number", "R1")
	var audits, left int
	if err := db.QueryRow(ctx, `select count(*) from audit where action = 'read_return_label'`).Scan(&audits); err != nil || audits != 2 {
		t.Errorf("%d audits, %v", audits, err)
	}
	if _, err := db.Exec(ctx, `delete from orders where id = 'acme:1001'`); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(ctx, `select count(*) from bookings`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

// A label that comes when its buyer is erased is not kept.
func TestNoLabelIsKeptOfWhoIsErased(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	o := newOrder("1001")
	o.Spec.CustomerRef, o.Contact.Name = "C-1", "Zephyrine Lee"
	create(t, s, o)
	if _, err := s.EraseCustomer(ctx, "acme", "C-1", store.Audit{ID: "e1", Action: "erase_customer", Actor: "key:x", Role: "support"}, placed); err != nil {
		t.Fatal(err)
	}
	b := attempt("label-R1-9")
	b.State, b.Tracking, b.MediaType = store.BookingMade, "T-R1", "application/pdf"
	if err := s.EndBooking(ctx, b, []byte("%PDF Zephyrine")); err != nil {
		t.Fatal(err)
	}
	var kept bool
	if err := db.QueryRow(ctx, `select label is not null from bookings`).Scan(&kept); err != nil || kept {
		t.Errorf("%v %v", kept, err)
	}
}

func TestAStoreSaysWhereReturnsGo(t *testing.T) {
	s, _ := opened(t)
	row := store.StoreRow{ID: "acme", Name: "Acme", BrandColor: "#1f4f8f"}
	for _, to := range []*store.ReturnsAddress{nil, {Address: store.Address{Name: "Returns", Street: "Dock 3", City: "Hamburg", Country: "DE"}, Phone: "+49401"}, nil} {
		row.ReturnsAddress = to
		if err := s.PutStore(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		got, err := s.GetStore(t.Context(), "acme")
		if err != nil || (got.ReturnsAddress == nil) != (to == nil) || to != nil && *got.ReturnsAddress != *to {
			t.Errorf("%+v %v", got, err)
		}
	}
}
