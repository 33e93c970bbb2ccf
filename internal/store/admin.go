package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/order"
)

// PutStore writes a store's brand.
func (s *Store) PutStore(ctx context.Context, r StoreRow) error {
	_, err := s.pool.Exec(ctx, `insert into stores (id, name, brand_color, support_email, support_url, webhook_url, webhook_secret, returns_address) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (id) do update set name = excluded.name, brand_color = excluded.brand_color, support_email = excluded.support_email,
            support_url = excluded.support_url, webhook_url = excluded.webhook_url, webhook_secret = excluded.webhook_secret,
            returns_address = excluded.returns_address, updated_at = now()`,
		r.ID, r.Name, r.BrandColor, r.SupportEmail, r.SupportURL, r.WebhookURL, r.WebhookSecret, r.ReturnsAddress)
	if err != nil {
		return fmt.Errorf("store %s: %w", r.ID, err)
	}
	return nil
}

// GetStore reads a store; ErrNotFound.
func (s *Store) GetStore(ctx context.Context, id string) (r StoreRow, err error) {
	err = s.pool.QueryRow(ctx, `select id, name, brand_color, support_email, support_url, webhook_url, webhook_secret, returns_address from stores where id = $1`, id).
		Scan(&r.ID, &r.Name, &r.BrandColor, &r.SupportEmail, &r.SupportURL, &r.WebhookURL, &r.WebhookSecret, &r.ReturnsAddress)
	return r, one("store "+id, err)
}

// PutPolicy keeps a policy under the next version of its name. The same content
// again keeps its version.
func (s *Store) PutPolicy(ctx context.Context, p order.PolicyBook, actor string) (order.PolicyBook, error) {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if _, err := lockPolicy(ctx, tx, p.Name); err != nil {
			return err
		}
		p, err = putPolicy(ctx, tx, p, actor)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("policy %s: %w", p.Name, err)
	}
	return p, nil
}

// lockPolicy reads the newest version of a policy, and keeps others from writing a
// newer one until the transaction ends. One that does not exist is empty.
func lockPolicy(ctx context.Context, tx pgx.Tx, name string) (order.PolicyBook, error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('policy ' || $1, 0))`, name); err != nil {
		return order.PolicyBook{}, err
	}
	newest, err := policy(ctx, tx, name)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return newest, err
}

// putPolicy writes the next version of a policy that is locked.
func putPolicy(ctx context.Context, tx pgx.Tx, p order.PolicyBook, actor string) (order.PolicyBook, error) {
	newest, err := policy(ctx, tx, p.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return p, err
	}
	next, changed, err := NextVersion(newest, p)
	if err != nil || !changed {
		return next, err
	}
	body, err := json.Marshal(next)
	if err != nil {
		return p, err
	}
	if _, err = tx.Exec(ctx, `insert into policies (name, version, body, created_by) values ($1, $2, $3, $4)`, p.Name, next.Version, body, actor); err != nil {
		return next, err
	}
	return next, calendarsApplied(ctx, tx, next)
}

// NextVersion gives a policy the version after the newest, or the newest's own if
// it says the same.
func NextVersion(newest, p order.PolicyBook) (next order.PolicyBook, changed bool, err error) {
	p.Version = newest.Version
	body, err := json.Marshal(p)
	if err != nil {
		return p, false, err
	}
	have, err := json.Marshal(newest)
	if err != nil || bytes.Equal(body, have) {
		return p, false, err
	}
	p.Version++
	return p, true, nil
}

// Policy reads the newest version; ErrNotFound. "default" always exists.
func (s *Store) Policy(ctx context.Context, name string) (order.PolicyBook, error) {
	return policy(ctx, s.pool, name)
}

func policy(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, name string) (p order.PolicyBook, err error) {
	err = one("policy "+name, db.QueryRow(ctx, `select body from policies where name = $1 order by version desc limit 1`, name).Scan(&p))
	if errors.Is(err, ErrNotFound) && name == "default" {
		return order.PolicyBook{Policy: order.DefaultPolicy()}, nil
	}
	return p, err
}

// AddKey stores an API key.
func (s *Store) AddKey(ctx context.Context, k APIKey) error {
	var store *string
	if k.Store != "" {
		store = &k.Store
	}
	_, err := s.pool.Exec(ctx, `insert into api_keys (id, name, hash, scopes, store, expires_at) values ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Name, k.Hash, k.Scopes, store, k.ExpiresAt)
	if err != nil {
		return fmt.Errorf("key %s: %w", k.ID, err)
	}
	return nil
}

// Key reads an API key; ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (k APIKey, err error) {
	var store *string
	err = s.pool.QueryRow(ctx, `select id, name, hash, scopes, store, expires_at, revoked_at from api_keys where id = $1`, id).
		Scan(&k.ID, &k.Name, &k.Hash, &k.Scopes, &store, &k.ExpiresAt, &k.RevokedAt)
	if store != nil {
		k.Store = *store
	}
	return k, one("key "+id, err)
}

// BeginAudit writes who asks for what, before it is done.
func (s *Store) BeginAudit(ctx context.Context, a Audit) error {
	_, err := s.pool.Exec(ctx, `insert into audit (id, order_id, action, actor, role, reason, request) values ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.OrderID, a.Action, a.Actor, a.Role, a.Reason, a.Request)
	if err != nil {
		return fmt.Errorf("audit %s: %w", a.ID, err)
	}
	return nil
}

// Audit reads what was asked under an ID, and what came of it. ErrNotFound.
func (s *Store) Audit(ctx context.Context, id string) (a Audit, err error) {
	err = s.pool.QueryRow(ctx, `select id, order_id, action, actor, role, reason, request, created_at, outcome, detail from audit where id = $1`, id).
		Scan(&a.ID, &a.OrderID, &a.Action, &a.Actor, &a.Role, &a.Reason, &a.Request, &a.CreatedAt, &a.Outcome, &a.Detail)
	return a, one("audit "+id, err)
}

// addAudit writes an act that is done in the same transaction.
func addAudit(ctx context.Context, tx pgx.Tx, a Audit) error {
	_, err := tx.Exec(ctx, `insert into audit (id, order_id, action, actor, role, reason, request, outcome, ended_at, detail) values ($1, $2, $3, $4, $5, $6, $7, 'done', now(), $8)`,
		a.ID, a.OrderID, a.Action, a.Actor, a.Role, a.Reason, a.Request, a.Detail)
	return err
}

// EndAudit writes what came of it: done, refused or failed. Only the first
// answer counts; the database refuses any change after it.
func (s *Store) EndAudit(ctx context.Context, id, outcome, detail string) error {
	_, err := s.pool.Exec(ctx, `update audit set outcome = $2, detail = $3, ended_at = now() where id = $1 and outcome = ''`, id, outcome, detail)
	if err != nil {
		return fmt.Errorf("audit %s: %w", id, err)
	}
	return nil
}

// BeginIdempotent claims an idempotency key. A status above 0 is the stored
// answer to replay; ErrConflict: the key was used for another request.
func (s *Store) BeginIdempotent(ctx context.Context, actor, key string, requestHash []byte) (status int, response []byte, err error) {
	var hash []byte
	err = s.pool.QueryRow(ctx, `
with mine as (insert into idempotency (actor, key, request_hash) values ($1, $2, $3) on conflict do nothing returning request_hash, status, response)
select request_hash, status, response from mine
union all select request_hash, status, response from idempotency where actor = $1 and key = $2 limit 1`, actor, key, requestHash).Scan(&hash, &status, &response)
	if errors.Is(err, pgx.ErrNoRows) { // claimed by another transaction a moment ago: theirs is under way
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("idempotency key: %w", err)
	}
	if !bytes.Equal(hash, requestHash) {
		return 0, nil, fmt.Errorf("idempotency key: %w", ErrConflict)
	}
	return status, response, nil
}

// EndIdempotent keeps the answer for later calls with the same key.
func (s *Store) EndIdempotent(ctx context.Context, actor, key string, status int, response []byte) error {
	_, err := s.pool.Exec(ctx, `update idempotency set status = $3, response = $4 where actor = $1 and key = $2`, actor, key, status, response)
	if err != nil {
		return fmt.Errorf("idempotency key: %w", err)
	}
	return nil
}
