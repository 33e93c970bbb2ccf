package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// BookingState is what is known of a request that makes a label or a pickup.
type BookingState string

const (
	BookingReady    BookingState = "ready"   // it was not sent, or certainly not taken
	BookingSending  BookingState = "sending" // it may have been sent
	BookingUnclear  BookingState = "unclear" // it was sent, and nobody finds out what came of it
	BookingMade     BookingState = "made"
	BookingDeclined BookingState = "declined"
)

// Booking is one attempt to have a carrier make something for a return.
type Booking struct {
	OrderID, ID, Return, Kind string
	Carrier, Credential       string
	State                     BookingState
	Handle                    string // the carrier's name of what the request completes
	Looks                     int
	MovedBy                   string // the carrier that moves the parcel, if it is another
	Tracking, Reference       string
	Amount                    int64 // minor units
	Currency                  string
	Reason                    string // codes, never a carrier's words
	MediaType                 string // of the label that is kept
}

const bookingColumns = `order_id, id, return_id, kind, carrier, credential, state, handle, looks, moved_by, tracking, reference, amount, currency, reason, media_type`

// SendBooking commits that the request is about to be sent. first is false, and
// nothing changed, if it was before: then it must not be sent again.
func (s *Store) SendBooking(ctx context.Context, b Booking) (first bool, err error) {
	tag, err := s.pool.Exec(ctx, `insert into bookings as b (order_id, id, return_id, kind, carrier, credential, state, handle) values ($1, $2, $3, $4, $5, $6, 'sending', $7)
on conflict (order_id, id) do update set state = 'sending', credential = excluded.credential, handle = excluded.handle where b.state = 'ready'`,
		b.OrderID, b.ID, b.Return, b.Kind, b.Carrier, b.Credential, b.Handle)
	if err != nil {
		return false, fmt.Errorf("booking %s of %s: %w", b.ID, b.OrderID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// UnsendBooking takes that back: the carrier has certainly not taken the request.
func (s *Store) UnsendBooking(ctx context.Context, orderID, id string) error {
	if _, err := s.pool.Exec(ctx, `update bookings set state = 'ready' where order_id = $1 and id = $2 and state = 'sending'`, orderID, id); err != nil {
		return fmt.Errorf("booking %s of %s: %w", id, orderID, err)
	}
	return nil
}

// LookedForBooking counts that it was looked for, and says how often now.
func (s *Store) LookedForBooking(ctx context.Context, orderID, id string) (looks int, err error) {
	err = s.pool.QueryRow(ctx, `update bookings set looks = looks + 1 where order_id = $1 and id = $2 returning looks`, orderID, id).Scan(&looks)
	return looks, one("booking "+id+" of "+orderID, err)
}

// EndBooking records what came of it, with the label if there is one. Of an erased
// person none is kept. What is known to be made or declined stays so.
func (s *Store) EndBooking(ctx context.Context, b Booking, label []byte) error {
	if b.MediaType == "" {
		label = nil
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// An erasure that is under way is waited for, and waits for this.
		var erased bool
		if err := tx.QueryRow(ctx, `select erased_at is not null from contacts where order_id = $1 for share`, b.OrderID).Scan(&erased); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if erased {
			label, b.MediaType = nil, ""
		}
		_, err := tx.Exec(ctx, `insert into bookings as b (`+bookingColumns+`, label, ended_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $14, $15, $16, now())
on conflict (order_id, id) do update set state = excluded.state, moved_by = excluded.moved_by, tracking = excluded.tracking, reference = excluded.reference,
    amount = excluded.amount, currency = excluded.currency, reason = excluded.reason, media_type = excluded.media_type, label = excluded.label, ended_at = excluded.ended_at
    where b.state not in ('made', 'declined')`,
			b.OrderID, b.ID, b.Return, b.Kind, b.Carrier, b.Credential, b.State, b.Handle, b.MovedBy, b.Tracking, b.Reference, b.Amount, b.Currency, b.Reason, b.MediaType, label)
		return err
	})
	if err != nil {
		return fmt.Errorf("booking %s of %s: %w", b.ID, b.OrderID, err)
	}
	return nil
}

// DropLabel forgets the label of a booking that is void: nobody may use it.
func (s *Store) DropLabel(ctx context.Context, orderID, id string) error {
	if _, err := s.pool.Exec(ctx, `update bookings set label = null, media_type = '' where order_id = $1 and id = $2`, orderID, id); err != nil {
		return fmt.Errorf("booking %s of %s: %w", id, orderID, err)
	}
	return nil
}

// Booking reads an attempt without its label; ErrNotFound.
func (s *Store) Booking(ctx context.Context, orderID, id string) (b Booking, err error) {
	rows, err := s.pool.Query(ctx, `select `+bookingColumns+` from bookings where order_id = $1 and id = $2`, orderID, id)
	if err == nil {
		b, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Booking])
	}
	return b, one("booking "+id+" of "+orderID, err)
}

// ReturnLabel is a label as the carrier made it.
type ReturnLabel struct {
	MediaType string // application/pdf, image/png, image/gif, application/zpl
	Body      []byte
}

// ReturnLabel reads the label under which a return travels, once the act is
// audited. ErrNotFound: the carrier made none, the
// return goes by another number, or the buyer was erased.
func (s *Store) ReturnLabel(ctx context.Context, orderID, returnID string, a Audit) (l ReturnLabel, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `select b.media_type, b.label from bookings b join returns r on r.order_id = b.order_id and r.id = b.return_id
where b.order_id = $1 and b.return_id = $2 and b.kind = 'label' and b.state = 'made' and b.label is not null and b.tracking = r.tracking and r.tracking <> ''
order by b.ended_at desc limit 1`, orderID, returnID).Scan(&l.MediaType, &l.Body); err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	return l, one("label of return "+returnID+" of "+orderID, err)
}
