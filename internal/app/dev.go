package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/sim"
	"github.com/waybillhq/waybill/internal/store"
)

// DevAccess lets a newcomer in: one key per scope and a signed-in console link.
// Development only: both are derived from the secret.
type DevAccess struct {
	Keys       map[string]string // scope → key
	ConsoleURL string
}

// DevKeys creates the development keys, or finds them again.
func DevKeys(ctx context.Context, c Config) (DevAccess, error) {
	s, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return DevAccess{}, err
	}
	defer s.Close()
	a := DevAccess{Keys: map[string]string{}}
	for _, scope := range api.Scopes {
		mac := hmac.New(sha256.New, []byte(c.Secret))
		mac.Write([]byte("development key " + scope))
		k, plain := api.KeyFrom(mac.Sum(nil), "development "+scope, []string{scope}, "")
		if _, err := s.Key(ctx, k.ID); errors.Is(err, store.ErrNotFound) {
			err = s.AddKey(ctx, k)
			if err != nil {
				return a, err
			}
		} else if err != nil {
			return a, err
		}
		a.Keys[scope] = plain
	}
	a.ConsoleURL = c.PublicURL + "/console/enter?ticket=" + pages.Ticket([]byte(c.Secret), "dev", "admin", time.Now().Add(24*time.Hour))
	return a, nil
}

// Demo fills an empty database with a small living demo, or goes on with the
// one it finds, and keeps it moving until ctx ends. A database with anybody
// else's orders in it is left alone.
func Demo(ctx context.Context, c Config, a DevAccess, log *slog.Logger) error {
	s, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	mine, err := wantsDemo(ctx, s)
	s.Close()
	if err != nil || !mine {
		return err
	}
	if err := sim.Demo(ctx, sim.DemoOptions{BaseURL: c.PublicURL, Key: a.Keys["admin"], Log: log}); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// wantsDemo says whether the database is empty, or holds the demo.
func wantsDemo(ctx context.Context, s *store.Store) (bool, error) {
	list, err := s.Orders(ctx, store.Filter{Limit: 1})
	if err != nil || len(list) == 0 {
		return err == nil, err
	}
	for _, id := range sim.DemoStores() {
		list, err := s.Orders(ctx, store.Filter{Store: id, Limit: 1})
		if err != nil || len(list) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}
