package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Wishes are what a buyer wants to hear. Empty fields wish nothing.
type Wishes struct {
	Channel   string `json:"channel,omitempty"`   // email or sms
	Frequency string `json:"frequency,omitempty"` // all, important, none
	Language  string `json:"language,omitempty"`  // BCP 47
}

// Wishes of an order's buyer; erased: the buyer is, and can wish nothing.
// ErrNotFound: there is no such order.
func (s *Store) Wishes(ctx context.Context, orderID string) (w Wishes, erased bool, err error) {
	err = s.pool.QueryRow(ctx, `
select coalesce(p.channel, ''), coalesce(p.frequency, ''), coalesce(p.language, ''), c.erased_at is not null
from orders o join contacts c on c.order_id = o.id left join preferences p on p.store = o.store and p.customer_ref = o.customer_ref where o.id = $1`, orderID).
		Scan(&w.Channel, &w.Frequency, &w.Language, &erased)
	return w, erased, one("wishes of "+orderID, err)
}

// Buyer is what the private page of an order's buyer needs to know of them.
type Buyer struct {
	Language string // the one they wish, else that of the order; empty: nobody said
	Erased   bool
	Link     int // the number of the private link that is in force
}

// Buyer of an order. ErrNotFound.
func (s *Store) Buyer(ctx context.Context, orderID string) (b Buyer, err error) {
	err = s.pool.QueryRow(ctx, `
select coalesce(nullif(p.language, ''), c.language), c.erased_at is not null, c.link
from orders o join contacts c on c.order_id = o.id left join preferences p on p.store = o.store and p.customer_ref = o.customer_ref where o.id = $1`, orderID).Scan(&b.Language, &b.Erased, &b.Link)
	return b, one("buyer of "+orderID, err)
}

// EndLink ends the private link of an order's buyer: what is sent from now on holds
// another one. ErrNotFound.
func (s *Store) EndLink(ctx context.Context, orderID string, a Audit) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update contacts set link = link + 1 where order_id = $1`, orderID)
		if err == nil && tag.RowsAffected() == 0 {
			err = pgx.ErrNoRows
		}
		if err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	return one("link of "+orderID, err)
}

// PutWishes keeps what an order's buyer wants to hear from that store, of this
// order and of others. Of an erased buyer nothing is kept: ErrNotFound.
func (s *Store) PutWishes(ctx context.Context, orderID string, w Wishes) error {
	tag, err := s.pool.Exec(ctx, `
insert into preferences (store, customer_ref, channel, frequency, language)
select o.store, o.customer_ref, $2, $3, $4 from orders o join contacts c on c.order_id = o.id where o.id = $1 and c.erased_at is null
on conflict (store, customer_ref) do update set channel = excluded.channel, frequency = excluded.frequency, language = excluded.language, updated_at = now()`,
		orderID, w.Channel, w.Frequency, w.Language)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("wishes of %s: %w", orderID, err)
	}
	return nil
}

// Unsubscribe leaves the buyer's other wishes as they are.
func (s *Store) Unsubscribe(ctx context.Context, orderID, frequency string) error {
	_, err := s.pool.Exec(ctx, `
insert into preferences (store, customer_ref, channel, frequency, language)
select o.store, o.customer_ref, '', $2, '' from orders o join contacts c on c.order_id = o.id where o.id = $1 and c.erased_at is null
on conflict (store, customer_ref) do update set frequency = excluded.frequency, updated_at = now()`, orderID, frequency)
	if err != nil {
		return fmt.Errorf("unsubscribe from %s: %w", orderID, err)
	}
	return nil
}

// ContactOf is the personal data of an order's buyer. ErrNotFound.
func (s *Store) ContactOf(ctx context.Context, orderID string) (c Contact, err error) {
	err = s.pool.QueryRow(ctx, `select name, email, phone, language from contacts where order_id = $1`, orderID).Scan(&c.Name, &c.Email, &c.Phone, &c.Language)
	return c, one("contact of "+orderID, err)
}

// PutContact replaces the personal data of an order's buyer. Another address or number
// ends the fault that the buyer cannot be reached: what is sent from now on tells
// whether that is so. It ends the buyer's private link as well, which may have gone to
// somebody else. ErrNotFound: there is no such order, or its buyer is erased.
func (s *Store) PutContact(ctx context.Context, orderID string, c Contact, a Audit, at time.Time) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var email, phone string
		if err := tx.QueryRow(ctx, `select email, phone from contacts where order_id = $1 and erased_at is null for update`, orderID).Scan(&email, &phone); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
update contacts set link = link + case when (email, phone) = ($3, $4) then 0 else 1 end, name = $2, email = $3, phone = $4, language = $5 where order_id = $1`, orderID, c.Name, c.Email, c.Phone, c.Language); err != nil {
			return err
		}
		if c.Email != "" && c.Email != email || c.Phone != "" && c.Phone != phone {
			if _, err := closeFault(ctx, tx, UnreachableBuyer, orderID, a.Actor, "the buyer has another address or number", at); err != nil {
				return err
			}
		}
		return addAudit(ctx, tx, a)
	})
	return one("contact of "+orderID, err)
}
