package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Aside is what a carrier says beside an event. It moves nothing and is shown.
type Aside struct {
	Appointment *Appointment `json:"appointment,omitempty"`
	// Held names the proofs that the carrier holds: name, signature, photo, document.
	Held string `json:"held,omitempty"`
	// PickupBy is until when the buyer can collect the parcel.
	PickupBy time.Time `json:"pickup_by,omitzero"`
}

// Appointment is when freight is picked up or delivered, in UTC. A zero end is open.
type Appointment struct {
	For      string    `json:"for"` // pickup, delivery
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
}

// Signer is who took a delivery, as told with an event: personal data. Photo is
// the carrier's own reference or address.
type Signer struct{ Name, Photo string }

// Few events have an aside or a signer, so they go by statements of their own in
// the transaction of the insert, which costs the others nothing. An event that is
// there already keeps its own, and takes one that it had none of: what is pushed says
// less than what is asked for.
const (
	insertAsides = `
update inbox set aside = q.aside from (select i.n, t.aside from unnest($1::text[], $2::text[], $3::jsonb[]) as t (source, event_id, aside)
    join inbox i on i.source = t.source and i.event_id = t.event_id where i.aside is null ` + byKey + `) q
where inbox.n = q.n`
	insertSigners = `
insert into signers (source, event_id, signed_by, photo) select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (source, event_id, signed_by, photo)
order by source collate "C", event_id collate "C" on conflict do nothing`
)

// queueAsides adds what facts have beside them to the batch of their insert.
func queueAsides(b *pgx.Batch, facts []*Fact) error {
	var source, id []string
	var asides [][]byte
	var from, of, names, photos []string
	for _, f := range facts {
		if f.Aside != (Aside{}) {
			body, err := json.Marshal(f.Aside)
			if err != nil {
				return err
			}
			source, id, asides = append(source, f.Source), append(id, f.EventID), append(asides, body)
		}
		if f.Signer != (Signer{}) {
			from, of, names, photos = append(from, f.Source), append(of, f.EventID), append(names, f.Signer.Name), append(photos, f.Signer.Photo)
		}
	}
	if len(source) > 0 {
		b.Queue(insertAsides, source, id, asides)
	}
	if len(from) > 0 {
		b.Queue(insertSigners, from, of, names, photos)
	}
	return nil
}

// hasAside says that the fact needs more than its row.
func (f *Fact) hasAside() bool { return f.Aside != (Aside{}) || f.Signer != (Signer{}) }

// Delivery is what the carrier said by itself of a parcel's delivery.
type Delivery struct {
	DeliveredTo string // person, neighbour, locker...
	Held        string // proofs at the carrier
}

// Delivery reads the newest word on each.
func (s *Store) Delivery(ctx context.Context, orderID, parcel string) (d Delivery, err error) {
	err = s.pool.QueryRow(ctx, `select
    coalesce((select delivered_to from inbox where order_id = $1 and parcel_id = $2 and delivered_to <> '' order by occurred_at desc, n desc limit 1), ''),
    coalesce((select aside->>'held' from inbox where order_id = $1 and parcel_id = $2 and aside ? 'held' order by occurred_at desc, n desc limit 1), '')`, orderID, parcel).Scan(&d.DeliveredTo, &d.Held)
	if err != nil {
		return d, fmt.Errorf("delivery of %s: %w", orderID, err)
	}
	return d, nil
}

// Proof is what a carrier proved: personal data.
type Proof struct {
	OrderID   string          `json:"-"`
	ID        string          `json:"id"`
	Parcel    string          `json:"parcel"`
	Carrier   string          `json:"carrier"`
	FetchedAt time.Time       `json:"fetched_at"`
	SignedBy  string          `json:"signed_by,omitempty"`
	Documents []ProofDocument `json:"documents"`
}

// ProofDocument is one paper or picture of a proof.
type ProofDocument struct {
	N         int    `json:"n"`
	Kind      string `json:"kind"` // signature, photo, document
	MediaType string `json:"media_type"`
	Size      int    `json:"size"` // bytes
	Body      []byte `json:"-"`    // not in lists
}

// SaveProof keeps a proof with its documents, numbered as they stand. The same
// one again replaces it.
func (s *Store) SaveProof(ctx context.Context, p Proof) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `insert into proofs (order_id, id, parcel_id, carrier, signed_by) values ($1, $2, $3, $4, $5)
on conflict (order_id, id) do update set carrier = excluded.carrier, signed_by = excluded.signed_by, fetched_at = now()`, p.OrderID, p.ID, p.Parcel, p.Carrier, p.SignedBy); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from proof_documents where order_id = $1 and proof_id = $2`, p.OrderID, p.ID); err != nil {
			return err
		}
		for i, d := range p.Documents {
			if _, err := tx.Exec(ctx, `insert into proof_documents (order_id, proof_id, n, kind, media_type, body) values ($1, $2, $3, $4, $5, $6)`, p.OrderID, p.ID, i+1, d.Kind, d.MediaType, d.Body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("proof %s of %s: %w", p.ID, p.OrderID, err)
	}
	return nil
}

// Proof reads a proof without the bytes of its documents, once the act is
// audited. ErrNotFound.
func (s *Store) Proof(ctx context.Context, orderID, id string, a Audit) (p Proof, err error) {
	p.OrderID, p.Documents = orderID, []ProofDocument{}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `select id, parcel_id, carrier, fetched_at, signed_by from proofs where order_id = $1 and id = $2`, orderID, id).
			Scan(&p.ID, &p.Parcel, &p.Carrier, &p.FetchedAt, &p.SignedBy); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select n, kind, media_type, octet_length(body), null::bytea from proof_documents where order_id = $1 and proof_id = $2 order by n`, orderID, id)
		if err != nil {
			return err
		}
		docs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ProofDocument])
		if err != nil {
			return err
		}
		p.Documents = append(p.Documents, docs...)
		return addAudit(ctx, tx, a)
	})
	return p, one("proof "+id+" of "+orderID, err)
}

// ProofDocument reads one document with its bytes, once the act is audited.
// ErrNotFound.
func (s *Store) ProofDocument(ctx context.Context, orderID, id string, n int, a Audit) (d ProofDocument, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select n, kind, media_type, octet_length(body), body from proof_documents where order_id = $1 and proof_id = $2 and n = $3`, orderID, id, n)
		if err != nil {
			return err
		}
		if d, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[ProofDocument]); err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	return d, one(fmt.Sprintf("document %d of proof %s of %s", n, id, orderID), err)
}

// Photographed lists the proofs of an order that hold a photo. It says that there is
// one, and nothing of what it shows.
func (s *Store) Photographed(ctx context.Context, orderID string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `select distinct proof_id from proof_documents where order_id = $1 and kind = 'photo' order by proof_id`, orderID)
	if err == nil {
		var ids []string
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("photos of %s: %w", orderID, err)
}

// ProofPhoto reads a proof's first photo, once the act is audited. ErrNotFound.
func (s *Store) ProofPhoto(ctx context.Context, orderID, id string, a Audit) (ProofDocument, error) {
	var n int
	if err := s.pool.QueryRow(ctx, `select n from proof_documents where order_id = $1 and proof_id = $2 and kind = 'photo' order by n limit 1`, orderID, id).Scan(&n); err != nil {
		return ProofDocument{}, one("photo of proof "+id+" of "+orderID, err)
	}
	return s.ProofDocument(ctx, orderID, id, n, a)
}

// Address reads one version of where an order goes: personal data. ErrNotFound.
func (s *Store) Address(ctx context.Context, orderID string, version int) (a Address, err error) {
	err = s.pool.QueryRow(ctx, `select body from addresses where order_id = $1 and version = $2`, orderID, version).Scan(&a)
	return a, one(fmt.Sprintf("address %d of %s", version, orderID), err)
}
