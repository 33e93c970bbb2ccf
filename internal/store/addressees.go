package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// MessageHash is the keyed hash by which an address or number of a channel is
// remembered.
type MessageHash func(channel, address string) []byte

// Addressee is what is known of an order and its buyer when a message is planned
// or written. It holds personal data.
type Addressee struct {
	Order   Order
	Contact Contact
	Address Address // the newest
	Store   StoreRow
	// Suppressed are the channels that the buyer's address or number gets nothing by.
	Suppressed []string
	Wishes     Wishes
	Erased     bool // the buyer is: nothing is sent
	Link       int  // the number of the buyer's private link
	// Messages of the order that went out or may have, oldest first; and by parcel what
	// the carriers' newest codes with a kind of trouble say, and until when the buyer can
	// collect it. Only DecideMessage reads them.
	Messages  []Message
	Buckets   map[string]string
	PickupsBy map[string]time.Time
	// Err: the order's state cannot be read.
	Err error
}

// Bucket is that of the first of some parcels; empty: none.
func (a *Addressee) Bucket(parcels []string) string {
	if len(parcels) == 0 {
		return ""
	}
	return a.Buckets[parcels[0]]
}

// PickupBy is until when the first of some parcels can be collected; zero: the carrier
// does not say.
func (a *Addressee) PickupBy(parcels []string) time.Time {
	if len(parcels) == 0 {
		return time.Time{}
	}
	return a.PickupsBy[parcels[0]]
}

// selectAddressees reads of orders $1 everything that messages about them are made of,
// with $2 what carriers said of their parcels beside it.
const selectAddressees = `
select o.id, o.spec, o.state, o.created_at, o.started_at, o.updated_at,
    coalesce(c.name, ''), coalesce(c.email, ''), coalesce(c.phone, ''), coalesce(c.language, ''), a.body,
    coalesce(s.id, o.store), coalesce(s.name, ''), coalesce(s.brand_color, ''), coalesce(s.support_email, ''), coalesce(s.support_url, ''), coalesce(s.webhook_url, ''), coalesce(s.webhook_secret, ''),
    coalesce(p.channel, ''), coalesce(p.frequency, ''), coalesce(p.language, ''), c.erased_at is not null, coalesce(c.link, 0),
    case when $2 then (select json_object_agg(parcel_id, bucket) from (
        select distinct on (parcel_id) parcel_id, bucket from inbox where order_id = o.id and parcel_id is not null and bucket <> '' order by parcel_id, occurred_at desc) i) end,
    case when $2 then (select json_object_agg(parcel_id, by) from (
        select distinct on (parcel_id) parcel_id, aside->>'pickup_by' as by from inbox where order_id = o.id and parcel_id is not null and aside ? 'pickup_by' order by parcel_id, occurred_at desc) i) end
from orders o left join contacts c on c.order_id = o.id left join stores s on s.id = o.store left join preferences p on p.store = o.store and p.customer_ref = o.customer_ref
    left join lateral (select body from addresses where order_id = o.id order by version desc limit 1) a on true
where o.id = any($1)`

// addressees reads what selectAddressees found. Unknown orders are left out.
func addressees(rows pgx.Rows) (map[string]*Addressee, error) {
	all := map[string]*Addressee{}
	_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		a, id := &Addressee{}, ""
		var spec, state, address, troubles, pickups []byte
		c, s := &a.Contact, &a.Store
		if err := row.Scan(&id, &spec, &state, &a.Order.CreatedAt, &a.Order.StartedAt, &a.Order.UpdatedAt, &c.Name, &c.Email, &c.Phone, &c.Language, &address,
			&s.ID, &s.Name, &s.BrandColor, &s.SupportEmail, &s.SupportURL, &s.WebhookURL, &s.WebhookSecret,
			&a.Wishes.Channel, &a.Wishes.Frequency, &a.Wishes.Language, &a.Erased, &a.Link, &troubles, &pickups); err != nil {
			return struct{}{}, err
		}
		a.Err = a.Order.decode("order "+id, spec, state)
		if address != nil {
			a.Err = errors.Join(a.Err, json.Unmarshal(address, &a.Address))
		}
		if troubles != nil {
			a.Err = errors.Join(a.Err, json.Unmarshal(troubles, &a.Buckets))
		}
		if pickups != nil {
			a.Err = errors.Join(a.Err, json.Unmarshal(pickups, &a.PickupsBy))
		}
		all[id] = a
		return struct{}{}, nil
	})
	return all, err
}

// suppressed finds the channels that each of some buyers gets nothing by.
func suppressed(ctx context.Context, db querier, all map[string]*Addressee, hash MessageHash) error {
	var channels []string
	var hashes [][]byte
	same := map[string][]*Addressee{} // by channel and hash
	for _, a := range all {
		for channel, to := range map[string]string{"email": a.Contact.Email, "sms": a.Contact.Phone} {
			if to == "" {
				continue
			}
			h := hash(channel, to)
			key := channel + string(h)
			if same[key] == nil {
				channels, hashes = append(channels, channel), append(hashes, h)
			}
			same[key] = append(same[key], a)
		}
	}
	if len(channels) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, `select channel, recipient from suppressions join unnest($1::text[], $2::bytea[]) as u (channel, recipient) using (channel, recipient) where lifted_at is null`, channels, hashes)
	if err != nil {
		return err
	}
	var channel string
	var recipient []byte
	_, err = pgx.ForEachRow(rows, []any{&channel, &recipient}, func() error {
		for _, a := range same[channel+string(recipient)] {
			a.Suppressed = append(a.Suppressed, channel)
		}
		return nil
	})
	return err
}

// readAddressees reads orders and who is told of them, in two statements however many
// there are, without their messages and buckets.
func readAddressees(ctx context.Context, db querier, ids []string, hash MessageHash) (map[string]*Addressee, error) {
	rows, err := db.Query(ctx, selectAddressees, ids, false)
	if err != nil {
		return nil, err
	}
	all, err := addressees(rows)
	if err != nil {
		return nil, err
	}
	return all, suppressed(ctx, db, all, hash)
}

// Addressees reads who is told of orders, by order, without messages and buckets.
// Unknown orders are left out. It reads personal data.
func (s *Store) Addressees(ctx context.Context, orders []string, hash MessageHash) (map[string]*Addressee, error) {
	all, err := readAddressees(ctx, s.pool, orders, hash)
	if err != nil {
		return nil, fmt.Errorf("addressees: %w", err)
	}
	return all, nil
}

// addressee locks an order's messages, and then reads everything about it. All but the
// suppressions is asked for in one go; each statement sees what was committed until it
// began, and so those behind the lock what its last holder did.
func addressee(ctx context.Context, tx pgx.Tx, orderID string, hash MessageHash) (*Addressee, error) {
	var b pgx.Batch
	b.Queue(`select pg_advisory_xact_lock(hashtextextended('messages ' || $1, 0))`, orderID)
	b.Queue(selectAddressees, []string{orderID}, true)
	b.Queue(`select `+messageColumns+` from messages m where m.order_id = $1 and m.status in ('sending', 'sent', 'delivered', 'unclear') order by m.planned_at, m.id`, orderID)
	r := tx.SendBatch(ctx, &b)
	defer func() { _ = r.Close() }()
	if _, err := r.Exec(); err != nil {
		return nil, err
	}
	rows, err := r.Query()
	if err != nil {
		return nil, err
	}
	all, err := addressees(rows)
	if err != nil {
		return nil, err
	}
	a := all[orderID]
	if a == nil {
		return &Addressee{Err: ErrNotFound}, nil
	}
	if rows, err = r.Query(); err != nil {
		return nil, err
	}
	if a.Messages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Message, error) { return scanMessage(row) }); err != nil {
		return nil, err
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	return a, suppressed(ctx, tx, all, hash)
}
