package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const defaultBrandColor = "#1f4f8f"

func (s *server) putStore(c echo.Context) error {
	body, err := decode[struct {
		Name         string `json:"name"`
		BrandColor   string `json:"brand_color"`
		SupportEmail string `json:"support_email"`
		SupportURL   string `json:"support_url"`
		// Where remedies are asked for, and the name of the secret that signs them.
		WebhookURL    string `json:"webhook_url"`
		WebhookSecret string `json:"webhook_secret"`
	}](c)
	if err != nil {
		return err
	}
	id, err := storeID(c)
	if err != nil {
		return err
	}
	row := store.StoreRow{ID: id, Name: clean(body.Name, 400), BrandColor: strings.ToLower(body.BrandColor), SupportEmail: body.SupportEmail, SupportURL: body.SupportURL,
		WebhookURL: body.WebhookURL, WebhookSecret: body.WebhookSecret}
	if row.BrandColor == "" {
		row.BrandColor = defaultBrandColor
	}
	for field, text := range map[string]string{"support_email": row.SupportEmail, "support_url": row.SupportURL, "webhook_url": row.WebhookURL} {
		if !printable(text) {
			return unprintable(field)
		}
	}
	if row.Name == "" {
		return invalid(fieldError{"name", "must have a character that can be seen"})
	}
	if (row.WebhookURL == "") != (row.WebhookSecret == "") {
		return invalid(fieldError{"webhook_secret", "and webhook_url go together"})
	}
	if err := s.store.PutStore(c.Request().Context(), row); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, row)
}

func (s *server) getStore(c echo.Context) error {
	id, err := storeID(c)
	if err != nil {
		return err
	}
	row, err := s.store.GetStore(c.Request().Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return notFound("There is no store " + id + ".")
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, row)
}

func storeID(c echo.Context) (string, error) {
	id, err := param(c, "store")
	if err != nil {
		return "", err
	}
	return id, callerOf(c).forStore(id)
}

// unbound refuses keys that belong to one store where a change is everybody's.
func unbound(c echo.Context) error {
	if bound := callerOf(c).key.Store; bound != "" {
		return forbidden("This key is bound to the store " + bound + ", and this concerns every store.")
	}
	return nil
}

func (s *server) putPolicy(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	p := order.DefaultPolicy()
	p.Name = name
	rules := p.Cases
	p.Cases = nil // a list that is decoded into another one keeps some of its fields
	if err := decodeInto(c, &p); err != nil {
		return err
	}
	if p.Cases == nil {
		p.Cases = rules
	}
	if p.Name != name {
		return invalid(fieldError{"name", "must be the name in the path, or left out"})
	}
	p.Version = 0 // the store gives it
	for i := range p.Rhythms {
		p.Rhythms[i].Service = clean(p.Rhythms[i].Service, 40)
	}
	if err := p.Validate(); err != nil {
		return invalid(policyErrors(err)...)
	}
	p, err = s.store.PutPolicy(c.Request().Context(), p, callerOf(c).actor())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, p)
}

// policyErrors takes apart what Policy.Validate says: "policy x: a must ...; b must ...".
func policyErrors(err error) []fieldError {
	_, list, ok := strings.Cut(err.Error(), ": ")
	if !ok {
		return []fieldError{{"", err.Error()}}
	}
	var found []fieldError
	for _, fault := range strings.Split(list, "; ") {
		field, reason, _ := strings.Cut(fault, " ")
		found = append(found, fieldError{field, reason})
	}
	return found
}

func (s *server) getPolicy(c echo.Context) error {
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	p, err := s.store.Policy(c.Request().Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		return notFound("There is no policy " + name + ".")
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, p)
}

func (s *server) createKey(c echo.Context) error {
	body, err := decode[struct {
		Name      string     `json:"name"`
		Scopes    []string   `json:"scopes"`
		Store     string     `json:"store"`
		ExpiresAt *time.Time `json:"expires_at"`
	}](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if body.Store != "" {
		if err := callerOf(c).forStore(body.Store); err != nil {
			return err
		}
		if slices.Contains(body.Scopes, Carrier) {
			return invalid(fieldError{"store", "must be left out: carriers speak of tracking numbers, whose store is not known"})
		}
		_, err := s.store.GetStore(ctx, body.Store)
		if errors.Is(err, store.ErrNotFound) {
			return invalid(fieldError{"store", "there is no store " + body.Store})
		}
		if err != nil {
			return err
		}
	} else if err := unbound(c); err != nil {
		return err // or a store's key could make one for all stores
	}
	if body.ExpiresAt != nil && !body.ExpiresAt.After(s.now()) {
		return invalid(fieldError{"expires_at", "must lie in the future"})
	}
	name := clean(body.Name, 400)
	if name == "" {
		return invalid(fieldError{"name", "must have a character that can be seen"})
	}
	key, text, err := NewKey(name, body.Scopes, body.Store)
	if err != nil {
		return invalid(fieldError{"scopes", err.Error()})
	}
	key.ExpiresAt = utc(body.ExpiresAt)
	if err := s.store.AddKey(ctx, key); err != nil {
		return err
	}
	s.log.Info("key made", "request_id", requestID(c), "key", key.ID, "scopes", key.Scopes, "store", key.Store, "by", callerOf(c).actor())
	return c.JSON(http.StatusCreated, struct {
		ID        string     `json:"id"`
		Key       string     `json:"key"`
		Name      string     `json:"name"`
		Scopes    []string   `json:"scopes"`
		Store     string     `json:"store,omitempty"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}{key.ID, text, key.Name, key.Scopes, key.Store, key.ExpiresAt})
}
