package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// The scopes a key can have.
const (
	Storefront = "storefront"
	Warehouse  = "warehouse"
	Carrier    = "carrier"
	Support    = "support"
	Returns    = "returns"
	Ops        = "ops"   // includes Support
	Admin      = "admin" // may everything
)

// Scopes lists all of them.
var Scopes = []string{Storefront, Warehouse, Carrier, Support, Returns, Ops, Admin}

func known(scope string) bool { return slices.Contains(Scopes, scope) }

const (
	keyPrefix    = "wb_"
	keyIDLength  = 12 // base32 characters: 60 bit, enough to be unique
	secretBytes  = 32
	secretLength = 43 // of secretBytes in base64url
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewKey makes a key and the text that the client sends. The secret is in the
// text only: what is stored is its hash. A fast hash is right here, because the
// secret is 32 random bytes and not a password that can be guessed. storeID
// binds the key to one store; empty: any store.
func NewKey(name string, scopes []string, storeID string) (key store.APIKey, text string, err error) {
	if len(scopes) == 0 {
		return key, "", errors.New("a key needs a scope: " + strings.Join(Scopes, ", "))
	}
	for _, scope := range scopes {
		if !known(scope) {
			return key, "", fmt.Errorf("%q is not a scope: %s", scope, strings.Join(Scopes, ", "))
		}
		if scope == Carrier && storeID != "" {
			return key, "", errors.New("a key for carriers cannot be bound to a store: the store of a tracking number is not known when its event arrives")
		}
	}
	seed := make([]byte, secretBytes)
	_, _ = rand.Read(seed) // never fails: the runtime crashes first
	key, text = KeyFrom(seed, name, scopes, storeID)
	return key, text, nil
}

// KeyFrom makes the same key from the same seed again, for development keys.
// Whoever knows the seed has the key.
func KeyFrom(seed []byte, name string, scopes []string, storeID string) (key store.APIKey, text string) {
	id, secret := derive(seed, "id"), base64.RawURLEncoding.EncodeToString(derive(seed, "secret"))
	key = store.APIKey{ID: base32Lower.EncodeToString(id)[:keyIDLength], Name: name, Hash: hashOf(secret), Scopes: slices.Clone(scopes), Store: storeID}
	return key, keyPrefix + key.ID + "_" + secret
}

func derive(seed []byte, what string) []byte {
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte("waybill key " + what))
	return mac.Sum(nil)
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// randomText has 5 random bits per character.
func randomText(length int) string {
	b := make([]byte, (length*5+7)/8)
	_, _ = rand.Read(b)
	return base32Lower.EncodeToString(b)[:length]
}

// parseKey splits a key into its ID and its secret.
func parseKey(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	if !ok || len(id) != keyIDLength || len(secret) != secretLength {
		return "", "", false
	}
	for _, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= '2' && r <= '7') {
			return "", "", false
		}
	}
	return id, secret, true
}

// caller is who sent the request.
type caller struct{ key store.APIKey }

// actor is how the caller is named in audits, timelines and logs: by the key's
// ID, never by a person's name.
func (c *caller) actor() string { return "key:" + c.key.ID }

// has says whether the caller may act in a scope.
func (c *caller) has(scope string) bool {
	for _, s := range c.key.Scopes {
		if s == scope || s == Admin || s == Ops && scope == Support {
			return true
		}
	}
	return false
}

// role is the scope in which the caller uses an operation: the first one that
// the operation names and the key itself has. Ops and admin act as support.
func (c *caller) role(op *operation) string {
	for _, scope := range op.scopes {
		if slices.Contains(c.key.Scopes, scope) {
			return scope
		}
	}
	for _, scope := range []string{Ops, Admin} {
		if slices.Contains(c.key.Scopes, scope) {
			return scope
		}
	}
	return ""
}

// source is whose word a request in that role is.
func source(role string) order.Source {
	switch role {
	case Storefront:
		return order.Storefront
	case Warehouse:
		return order.Warehouse
	case Returns:
		return order.ReturnsDesk
	}
	return order.Support
}

// mayTouch says whether the caller may see and change a store's orders.
func (c *caller) mayTouch(storeID string) bool { return c.key.Store == "" || c.key.Store == storeID }

// forStore refuses a caller that is bound to another store. It looks at names
// only, so that it says nothing about what exists there.
func (c *caller) forStore(storeID string) error {
	if c.mayTouch(storeID) {
		return nil
	}
	return forbidden("This key is bound to the store " + c.key.Store + ".")
}

// callerOf is set by authorize on every path under /v1.
func callerOf(c echo.Context) *caller { return c.Get(callerKey).(*caller) }

const badKey = "The key is unknown, expired or revoked."

// authorize finds the caller and refuses whoever lacks every scope of the
// operation. It comes before the body is read: strangers cost little.
func (s *server) authorize(c echo.Context, op *operation) error {
	text, ok := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !ok {
		return unauthenticated("Send a key: Authorization: Bearer wb_...")
	}
	key, err := s.verify(c.Request().Context(), strings.TrimSpace(text))
	if err != nil {
		return err
	}
	who := &caller{key: key}
	c.Set(callerKey, who)
	if !slices.ContainsFunc(op.scopes, who.has) {
		return forbidden("This needs one of the scopes " + strings.Join(op.scopes, ", ") + "; the key has " + strings.Join(key.Scopes, ", ") + ".")
	}
	if !s.rates.Allow(key.ID, s.now()) {
		return tooMany("This key asks too often.")
	}
	return nil
}

// verify finds the key that a text stands for, if it is good.
func (s *server) verify(ctx context.Context, text string) (store.APIKey, error) {
	id, secret, ok := parseKey(text)
	if !ok {
		return store.APIKey{}, unauthenticated("This does not look like a key: wb_<id>_<secret>.")
	}
	key, err := s.keys.get(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.APIKey{}, err
	}
	// In constant time: how much of a guess is right must not show. (That an ID is
	// unknown may; IDs are not secret.)
	same := subtle.ConstantTimeCompare(hashOf(secret), key.Hash) == 1
	if err != nil || !same || !s.good(key) {
		return store.APIKey{}, unauthenticated(badKey)
	}
	return key, nil
}

// VerifyKey is for signing in to the console, which shows every store: keys that
// are bound to one are not good for it.
func (s *server) VerifyKey(ctx context.Context, text string) (actor string, scopes []string, ok bool) {
	key, err := s.verify(ctx, text)
	if err != nil || key.Store != "" {
		return "", nil, false
	}
	return (&caller{key: key}).actor(), slices.Clone(key.Scopes), true
}

// KeyScopes are the scopes that an actor's key has now; ok is false when it is
// revoked, expired, or bound to a store since it signed in.
func (s *server) KeyScopes(ctx context.Context, actor string) (scopes []string, ok bool) {
	key, err := s.keys.get(ctx, strings.TrimPrefix(actor, "key:"))
	if err != nil || key.Store != "" || !s.good(key) {
		return nil, false
	}
	return slices.Clone(key.Scopes), true
}

func (s *server) good(key store.APIKey) bool {
	return key.RevokedAt == nil && (key.ExpiresAt == nil || key.ExpiresAt.After(s.now()))
}

// keyCache remembers keys for a while, so that a webhook costs no query. The
// price: a revoked key works until its entry is too old. Unknown keys are not
// remembered; strangers must not push out the others.
type keyCache struct {
	load func(context.Context, string) (store.APIKey, error)
	now  func() time.Time
	ttl  time.Duration
	size int

	mu      sync.Mutex
	entries map[string]cachedKey
}

type cachedKey struct {
	key   store.APIKey
	until time.Time
}

func (k *keyCache) get(ctx context.Context, id string) (store.APIKey, error) {
	now := k.now()
	k.mu.Lock()
	e, ok := k.entries[id]
	k.mu.Unlock()
	if ok && e.until.After(now) {
		return e.key, nil
	}
	key, err := k.load(ctx, id)
	if err != nil {
		return store.APIKey{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.entries[id]; !ok && len(k.entries) >= k.size {
		k.evict(now)
	}
	if k.entries == nil {
		k.entries = make(map[string]cachedKey)
	}
	k.entries[id] = cachedKey{key: key, until: now.Add(k.ttl)}
	return key, nil
}

// evict makes room: whatever is too old, or else any one entry.
func (k *keyCache) evict(now time.Time) {
	for id, e := range k.entries {
		if !e.until.After(now) {
			delete(k.entries, id)
		}
	}
	for id := range k.entries {
		if len(k.entries) < k.size {
			return
		}
		delete(k.entries, id)
	}
}
