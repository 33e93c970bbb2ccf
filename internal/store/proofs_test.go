package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// opened is a store and a way past it.
func opened(t *testing.T) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return s, db
}

func TestWhatStandsBesideAnEventIsKeptWithIt(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	create(t, s, newOrder("1001", order.PlannedParcel{ID: "1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}))
	at := placed.Add(72 * time.Hour)
	fact := func(id string, change func(*store.Fact)) store.Fact {
		f := store.Fact{Source: "carrier:ups", EventID: id, Kind: store.KindCarrierEvent, RefOrder: "acme:1001", RefParcel: "1", Milestone: string(order.Delivered), Physical: true, OccurredAt: at}
		change(&f)
		return f
	}
	facts := []store.Fact{
		fact("plain", func(f *store.Fact) { f.OccurredAt = at.Add(-time.Hour) }),
		fact("held", func(f *store.Fact) { f.DeliveredTo, f.Aside.Held = "neighbour", "name, photo" }),
		fact("freight", func(f *store.Fact) {
			f.OccurredAt = at.Add(-2 * time.Hour)
			f.Aside.Appointment = &store.Appointment{For: "delivery", Earliest: at, Latest: at.Add(time.Hour)}
			f.Signer = store.Signer{Name: "ANN LEE", Photo: "https://photo.example/1"}
		}),
	}
	for _, want := range []store.Result{store.Accepted, store.Duplicate} {
		got, err := s.Accept(ctx, facts)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range got {
			if r != want {
				t.Errorf("fact %d is %s, want %s", i, r, want)
			}
		}
	}
	// What was pushed says less than what is asked for later: the same event.
	facts[0].Aside.PickupBy = at.Add(24 * time.Hour)
	if got, err := s.Accept(ctx, facts[:1]); err != nil || got[0] != store.Duplicate {
		t.Fatal(got, err)
	}
	add(t, s, planned("acme:1001", "a", "email"))
	m, err := s.MessagesOf(ctx, "acme:1001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DecideMessage(ctx, m[0], hashed, at, func(a *store.Addressee) (*store.Attempt, store.MessageOutcome) {
		if got := a.PickupBy([]string{"1"}); !got.Equal(facts[0].Aside.PickupBy) || a.Err != nil || !a.PickupBy([]string{"2"}).IsZero() || !a.PickupBy(nil).IsZero() {
			t.Errorf("pick up by %s, %v", got, a.Err)
		}
		return nil, store.MessageOutcome{ID: m[0].ID, Status: store.MessageDropped}
	}); err != nil {
		t.Fatal(err)
	}
	entries, err := s.Timeline(ctx, "acme:1001", 10)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]store.Entry{}
	for _, e := range entries {
		seen[e.EventID] = e
	}
	if e := seen["plain"]; e.Appointment != nil || e.Held != "" {
		t.Errorf("plain: %+v", e)
	}
	if e := seen["held"]; e.Held != "name, photo" || e.Appointment != nil {
		t.Errorf("held: %+v", e)
	}
	if a := seen["freight"].Appointment; a == nil || a.For != "delivery" || !a.Earliest.Equal(at) || !a.Latest.Equal(at.Add(time.Hour)) {
		t.Errorf("freight: %+v", seen["freight"])
	}
	if d, err := s.Delivery(ctx, "acme:1001", "1"); err != nil || d != (store.Delivery{DeliveredTo: "neighbour", Held: "name, photo"}) {
		t.Errorf("%+v %v", d, err)
	}
	if d, err := s.Delivery(ctx, "acme:1001", "2"); err != nil || d != (store.Delivery{}) {
		t.Errorf("another parcel: %+v %v", d, err)
	}
	// Who signed is in one place only, and the order leads there.
	var inboxHasIt bool
	var name string
	err = db.QueryRow(ctx, `select exists (select from inbox i where i::text like '%LEE%' or i::text like '%photo.example%'),
    (select g.signed_by from signers g join inbox i using (source, event_id) where i.order_id = 'acme:1001')`).Scan(&inboxHasIt, &name)
	if err != nil || inboxHasIt || name != "ANN LEE" {
		t.Errorf("%v %q %v", inboxHasIt, name, err)
	}
}

func TestProofsAreKeptReadUnderAuditAndGoWithTheirOrder(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	create(t, s, newOrder("1001", order.PlannedParcel{ID: "1", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}))
	p := store.Proof{OrderID: "acme:1001", ID: "proof-1-7", Parcel: "1", Carrier: "ups", SignedBy: "ANN LEE",
		Documents: []store.ProofDocument{{Kind: "signature", MediaType: "image/gif", Body: []byte("GIF89a")}, {Kind: "document", MediaType: "application/pdf", Body: []byte("%PDF")}}}
	for range 2 { // an activity may be tried again
		if err := s.SaveProof(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	audit := func(id string) store.Audit {
		return store.Audit{ID: id, OrderID: "acme:1001", Action: "read_proof", Actor: "ann", Role: "support", Request: []byte("{}"), CreatedAt: time.Now(), Outcome: "done"}
	}
	got, err := s.Proof(ctx, "acme:1001", "proof-1-7", audit("a1"))
	if err != nil || got.SignedBy != "ANN LEE" || len(got.Documents) != 2 || got.Documents[1].Size != 4 || got.Documents[1].Body != nil {
		t.Errorf("%+v %v", got, err)
	}
	d, err := s.ProofDocument(ctx, "acme:1001", "proof-1-7", 2, audit("a2"))
	if err != nil || string(d.Body) != "%PDF" || d.MediaType != "application/pdf" {
		t.Errorf("%+v %v", d, err)
	}
	for name, read := range map[string]func() error{
		"another order's": func() error { _, err := s.Proof(ctx, "acme:1002", "proof-1-7", audit("a3")); return err },
		"a third page":    func() error { _, err := s.ProofDocument(ctx, "acme:1001", "proof-1-7", 3, audit("a4")); return err },
	} {
		if err := read(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var audits, left int
	if err := db.QueryRow(ctx, `select count(*) from audit where id in ('a1', 'a2', 'a3', 'a4')`).Scan(&audits); err != nil || audits != 2 {
		t.Errorf("%d audits, %v", audits, err)
	}
	if _, err := db.Exec(ctx, `delete from orders where id = 'acme:1001'`); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(ctx, `select (select count(*) from proofs) + (select count(*) from proof_documents)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

func TestAPhotoIsReadAloneAndUnderAudit(t *testing.T) {
	s, db := opened(t)
	ctx := t.Context()
	create(t, s, newOrder("1001"))
	for _, p := range []store.Proof{
		{ID: "proof-1", Documents: []store.ProofDocument{{Kind: "signature", MediaType: "image/png", Body: []byte("Ann Lee")}, {Kind: "photo", MediaType: "image/jpeg", Body: []byte("a door")}}},
		{ID: "proof-2", Documents: []store.ProofDocument{{Kind: "document", MediaType: "application/pdf", Body: []byte("%PDF")}}},
	} {
		p.OrderID, p.Parcel, p.Carrier = "acme:1001", "1", "ups"
		if err := s.SaveProof(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.Photographed(ctx, "acme:1001")
	if err != nil || len(ids) != 1 || ids[0] != "proof-1" {
		t.Errorf("photos %v, %v", ids, err)
	}
	audit := store.Audit{ID: "aud_1", OrderID: "acme:1001", Action: "read_proof", Actor: "buyer", Role: "buyer", Request: []byte("{}")}
	d, err := s.ProofPhoto(ctx, "acme:1001", "proof-1", audit)
	if err != nil || string(d.Body) != "a door" {
		t.Errorf("photo %q, %v", d.Body, err)
	}
	for _, no := range [][2]string{{"acme:1001", "proof-2"}, {"acme:1002", "proof-1"}} {
		if _, err := s.ProofPhoto(ctx, no[0], no[1], store.Audit{ID: "aud_2"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v: %v", no, err)
		}
	}
	got, err := s.Audit(ctx, "aud_1")
	if err != nil || got.Outcome != "done" || got.Actor != "buyer" {
		t.Errorf("audit %+v, %v", got, err)
	}
	if _, err := s.Audit(ctx, "aud_2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a reading that found nothing: %v", err)
	}
	var n int
	if err := db.QueryRow(ctx, `select count(*) from audit`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d audit rows, %v", n, err)
	}
}
