package pages

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
)

//go:embed static templates
var files embed.FS

type file struct {
	body []byte
	typ  string
	hash string
}

// static holds the assets by name; their address carries a hash, so that a
// browser may keep them for good.
var static = func() map[string]file {
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	all := map[string]file{}
	list, err := files.ReadDir("static")
	if err != nil {
		panic(err)
	}
	for _, f := range list {
		body, err := files.ReadFile("static/" + f.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		all[f.Name()] = file{body, types[path.Ext(f.Name())], hex.EncodeToString(sum[:6])}
	}
	return all
}()

var templates = parsed(english, "parts.html", "track.html", "wishes.html", "console.html", "faults.html", "rhythms.html")

func asset(c echo.Context) error {
	f, ok := static[c.Param("file")]
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=300")
	if c.QueryParam("v") == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	return c.Blob(http.StatusOK, f.typ, f.body)
}

// brand is a store as its buyers see it. Merchants give a colour and contacts,
// never HTML or CSS.
type brand struct {
	ID, Name   string
	CSS        string // address of its colours
	colour     string
	Email, URL string
}

func newBrand(id string, r store.StoreRow) brand {
	b := brand{ID: id, Name: clean(r.Name, 60), colour: colourOr(r.BrandColor, defaultColour), Email: mailbox(r.SupportEmail), URL: webAddress(r.SupportURL)}
	if b.Name == "" {
		b.Name = id
	}
	b.CSS = "/assets/brand/" + id + ".css?v=" + b.colour[1:]
	return b
}

// brands remembers stores for a minute: a tracking page then costs two reads.
type brands struct {
	load func(context.Context, string) (store.StoreRow, error)
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]cachedBrand
}

type cachedBrand struct {
	brand
	until time.Time
}

const (
	brandTTL  = time.Minute
	maxBrands = 1000
)

// get never fails: a page in the default colours beats no page.
func (b *brands) get(ctx context.Context, id string) brand {
	now := b.now()
	b.mu.Lock()
	c, ok := b.seen[id]
	b.mu.Unlock()
	if ok && now.Before(c.until) {
		return c.brand
	}
	row, err := b.load(ctx, id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound) && ok:
		return c.brand // stale, but known
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return newBrand(id, store.StoreRow{})
	}
	fresh := newBrand(id, row)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil || len(b.seen) >= maxBrands {
		b.seen = map[string]cachedBrand{}
	}
	b.seen[id] = cachedBrand{fresh, now.Add(brandTTL)}
	return fresh
}

// brandCSS serves a store's colours as a file, because the policy forbids
// inline styles. An unknown store looks like the default: it tells nobody which
// stores there are.
func (s *server) brandCSS(c echo.Context) error {
	id, ok := strings.CutSuffix(c.Param("file"), ".css")
	if !ok || !storeID(id) {
		return echo.ErrNotFound
	}
	b := s.brands.get(c.Request().Context(), id)
	h := c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=300")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", []byte(palette(b.colour)))
}
