package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/policy"
	"github.com/waybillhq/waybill/internal/rhythm"
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
		// Where returns go.
		ReturnsAddress *store.ReturnsAddress `json:"returns_address"`
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
	if to := body.ReturnsAddress; to != nil {
		row.ReturnsAddress = &store.ReturnsAddress{Address: cleanAddress(to.Address), Phone: to.Phone}
		if a := row.ReturnsAddress; a.Name == "" || a.Street == "" || a.City == "" {
			return invalid(fieldError{"returns_address", "name, street and city must have a character that can be seen"})
		}
	}
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

// putPolicy writes the next version for orders to come, or says what it would
// do. Running orders go on with theirs until they are asked to adopt it.
func (s *server) putPolicy(c echo.Context) error {
	if err := unbound(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	newest, err := s.store.Policy(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var p order.PolicyBook
	if isYAML(c.Request()) {
		p, err = s.policyFile(c, name)
		p = rhythm.Keep(p, newest)
	} else if newest.Source != "" {
		err = conflict("The policy " + name + " comes from a file, which says more than JSON can: send the file as " + yamlMedia + ".")
	} else {
		p.Policy, err = flatPolicy(c, name)
	}
	if err != nil {
		return err
	}
	answer := struct {
		order.PolicyBook
		Effect *policy.Effect `json:"effect,omitempty"`
	}{}
	if dry, _ := strconv.ParseBool(c.QueryParam("dry_run")); dry {
		if answer.PolicyBook, _, err = store.NextVersion(newest, p); err != nil {
			return err
		}
		answer.Effect = &policy.Effect{Then: []policy.Outcome{}}
		now := s.now().UTC()
		err = s.store.EachOpen(ctx, func(o store.Order) error {
			answer.Effect.Count(o.Current(), &answer.PolicyBook, now)
			return ctx.Err()
		})
	} else {
		answer.PolicyBook, err = s.store.PutPolicy(ctx, p, callerOf(c).actor())
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, answer)
}

// policyFile is one of the policies in a file; the others are left alone.
func (s *server) policyFile(c echo.Context, name string) (order.PolicyBook, error) {
	body, _ := c.Get(bodyKey).([]byte)
	books, err := policy.Parse(body, s.carriers.Names(), s.now())
	if err != nil {
		return order.PolicyBook{}, invalid(fileErrors(err)...)
	}
	i := slices.IndexFunc(books, func(b order.PolicyBook) bool { return b.Name == name })
	if i < 0 {
		return order.PolicyBook{}, invalid(fieldError{"policies", "the file has no policy " + name})
	}
	return books[i], nil
}

// fileErrors names each fault of a file with its line.
func fileErrors(err error) (found []fieldError) {
	errs := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		errs = several.Unwrap()
	}
	for _, err := range errs {
		if f := (policy.Fault{}); errors.As(err, &f) {
			found = append(found, fieldError{clean(f.Field, 200), "line " + strconv.Itoa(f.Line) + ": " + clean(f.Reason, 300)})
		} else {
			found = append(found, fieldError{"", clean(err.Error(), 300)})
		}
	}
	return found
}

// flatPolicy is a policy as JSON: without classes.
func flatPolicy(c echo.Context, name string) (order.Policy, error) {
	p := order.DefaultPolicy()
	p.Name = name
	rules := p.Cases
	p.Cases = nil // a list that is decoded into another one keeps some of its fields
	if err := decodeInto(c, &p); err != nil {
		return p, err
	}
	if p.Cases == nil {
		p.Cases = rules
	}
	if p.Name != name {
		return p, invalid(fieldError{"name", "must be the name in the path, or left out"})
	}
	p.Version = 0 // the store gives it
	for i := range p.Rhythms {
		p.Rhythms[i].Service = clean(p.Rhythms[i].Service, 40)
	}
	for i := range p.Calendars {
		if p.Calendars[i].Zone = clean(p.Calendars[i].Zone, 60); p.Calendars[i].Zone == "" {
			return p, invalid(fieldError{fmt.Sprintf("calendars[%d].zone", i), "is needed"})
		}
	}
	var found []fieldError
	for _, f := range p.Faults() {
		found = append(found, fieldError{f.Field, f.Reason})
	}
	if len(found) > 0 {
		return p, invalid(found...)
	}
	return p, nil
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
