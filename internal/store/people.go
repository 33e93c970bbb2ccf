package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Wishes are what a buyer wants to hear. Empty fields wish nothing.
type Wishes struct {
	Channel   string `json:"channel,omitempty"`   // email or sms
	Frequency string `json:"frequency,omitempty"` // all, important, none
	Language  string `json:"language,omitempty"`  // BCP 47
}

// TeamRow is where a team of a store hears of cases. Empty: not by that way.
type TeamRow struct {
	Team       string `json:"team"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	WebhookURL string `json:"webhook_url,omitempty"`
	// WebhookSecret names the secret that signs it, which is configured.
	WebhookSecret string `json:"webhook_secret,omitempty"`
	Zone          string `json:"zone,omitempty"` // IANA name; empty: UTC
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

// PutTeams says how the teams of a store are reached; those that are not named
// are not reached any more. ErrNotFound: there is no such store.
func (s *Store) PutTeams(ctx context.Context, storeID string, teams []TeamRow) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Two writers must not end with a mixture of both.
		var id string
		if err := tx.QueryRow(ctx, `select id from stores where id = $1 for update`, storeID).Scan(&id); err != nil {
			return one("store "+storeID, err)
		}
		if _, err := tx.Exec(ctx, `delete from teams where store = $1`, storeID); err != nil {
			return err
		}
		text := make([][]string, 6)
		for _, t := range teams {
			for i, v := range [...]string{t.Team, t.Email, t.Phone, t.WebhookURL, t.WebhookSecret, t.Zone} {
				text[i] = append(text[i], v)
			}
		}
		_, err := tx.Exec(ctx, `insert into teams (store, team, email, phone, webhook_url, webhook_secret, zone)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as t`, storeID, text[0], text[1], text[2], text[3], text[4], text[5])
		return err
	})
	if err != nil {
		return fmt.Errorf("teams of %s: %w", storeID, err)
	}
	return nil
}

// Teams of a store that can be reached, by name.
func (s *Store) Teams(ctx context.Context, storeID string) ([]TeamRow, error) {
	all, err := teamsOf(ctx, s.pool, []string{storeID})
	if err != nil {
		return nil, fmt.Errorf("teams of %s: %w", storeID, err)
	}
	return append([]TeamRow{}, all[storeID]...), nil
}

// teamsOf reads the teams of several stores.
func teamsOf(ctx context.Context, db querier, stores []string) (map[string][]TeamRow, error) {
	rows, err := db.Query(ctx, `select store, team, email, phone, webhook_url, webhook_secret, zone from teams where store = any($1) order by store, team`, stores)
	if err != nil {
		return nil, err
	}
	all := map[string][]TeamRow{}
	var id string
	var t TeamRow
	_, err = pgx.ForEachRow(rows, []any{&id, &t.Team, &t.Email, &t.Phone, &t.WebhookURL, &t.WebhookSecret, &t.Zone}, func() error {
		all[id] = append(all[id], t)
		return nil
	})
	return all, err
}

// storesOf names the stores of those orders, each once.
func storesOf(all map[string]*Addressee) (ids []string) {
	for _, a := range all {
		ids = append(ids, a.Store.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
