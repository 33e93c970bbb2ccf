// Package pages is what people look at: the buyer's tracking page and the
// console of support and ops. Pages read PostgreSQL only, never Temporal; the
// console's forms ask the orders. All work without JavaScript and load nothing
// from anywhere else.
package pages

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/rates"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
)

// Store is what the pages read. *store.Store has it.
type Store interface {
	Order(ctx context.Context, id string) (store.Order, error)
	// Track finds the order of a tracking page. If the version that is known is
	// still the one, the order is empty.
	Track(ctx context.Context, tokenHash []byte, known store.Version) (store.Order, store.Version, error)
	Orders(ctx context.Context, f store.Filter) ([]store.Summary, error)
	// Timeline is oldest first.
	Timeline(ctx context.Context, orderID string, limit int) ([]store.Entry, error)
	// Moments is the part of it that buyers may see.
	Moments(ctx context.Context, orderID string, limit int) ([]store.Entry, error)
	// Proof and ProofDocument read personal data, once the act is audited.
	Proof(ctx context.Context, orderID, id string, a store.Audit) (store.Proof, error)
	ProofDocument(ctx context.Context, orderID, id string, n int, a store.Audit) (store.ProofDocument, error)
	// ReturnLabel reads personal data too.
	ReturnLabel(ctx context.Context, orderID, returnID string, a store.Audit) (store.ReturnLabel, error)
	GetStore(ctx context.Context, id string) (store.StoreRow, error)
	Cases(ctx context.Context, f store.CaseFilter) ([]store.CaseRow, error)
	Queues(ctx context.Context, now time.Time) ([]store.Queue, error)
	Returns(ctx context.Context, f store.ReturnFilter) ([]store.ReturnRow, error)
	// ReplacedBy lists the orders that send replacements and exchanges for one.
	ReplacedBy(ctx context.Context, id string) ([]string, error)

	// Wishes of an order's buyer; erased: there is nobody to wish.
	Wishes(ctx context.Context, orderID string) (w store.Wishes, erased bool, err error)
	// Speaks is the language that the buyer wishes, or ordered in.
	Buyer(ctx context.Context, orderID string) (store.Buyer, error)
	PutWishes(ctx context.Context, orderID string, w store.Wishes) error
	Unsubscribe(ctx context.Context, orderID, frequency string) error

	// What buyers ask is kept under its ID. Photographed lists the proofs with a
	// photo; ProofPhoto reads one, once the act is audited; Address is personal data,
	// and shown masked.
	Audit(ctx context.Context, id string) (store.Audit, error)
	Photographed(ctx context.Context, orderID string) ([]string, error)
	ProofPhoto(ctx context.Context, orderID, id string, a store.Audit) (store.ProofDocument, error)
	Address(ctx context.Context, orderID string, version int) (store.Address, error)
	acts.Moving

	// MessagesOf is oldest first; ContactOf is personal data, and shown masked.
	MessagesOf(ctx context.Context, orderID string) ([]store.Message, error)
	ContactOf(ctx context.Context, orderID string) (store.Contact, error)
	// What the local outbox took: personal data.
	Shelf(ctx context.Context, before time.Time, id string, limit int) ([]store.KeptMessage, error)
	Shelved(ctx context.Context, id string) (bool, error)
	KeptBody(ctx context.Context, id string) (json.RawMessage, error)

	Faults(ctx context.Context, open bool, before store.FaultCursor, limit int) ([]store.Fault, error)
	Fault(ctx context.Context, id int64) (store.Fault, error)
	CloseFaultByHand(ctx context.Context, id int64, a store.Audit, at time.Time) (store.Fault, error)
	Mappings(ctx context.Context, known int64) (version int64, list []store.Mapping, err error)
	MappingHistory(ctx context.Context, carrier string, limit int) ([]store.Mapping, error)
}

// Intake maps codes; *intake.Intake is one.
type Intake interface {
	Map(ctx context.Context, a carriers.Adapter, m store.Mapping, audit store.Audit) (store.Mapping, store.Reread, error)
}

// VerifyKey says whose API key it is and what it may do.
type VerifyKey func(ctx context.Context, key string) (actor string, scopes []string, ok bool)

// Deps are what the pages need.
type Deps struct {
	Store  Store
	Intake Intake
	// Carriers that are spoken with; nil: those that are built in.
	Carriers carriers.Registry
	Links    links.Links
	Log      *slog.Logger
	Now      func() time.Time
	// Secret signs sessions and tickets. Without one, sessions end with the
	// process.
	Secret    []byte
	VerifyKey VerifyKey
	// Scopes are those that a signed-in key has now; nil: sessions are believed.
	Scopes func(ctx context.Context, actor string) (scopes []string, ok bool)
	// Desk carries out what the console's forms ask; nil: the console only shows.
	Desk *acts.Desk
	// Rhythms is where proposals are decided; nil: there are none.
	Rhythms *acts.Rhythms
}

type server struct {
	Deps
	public  url.URL // from Links
	brands  brands
	buckets []string
	drawn   drawn
	spent   spent
	// How often a buyer may look and ask, by order.
	looks, asks rates.Limit
	// guard lets a form in only from our own pages.
	guard *http.CrossOriginProtection
}

// Mount adds the pages to an echo server.
func Mount(e *echo.Echo, d Deps) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if len(d.Secret) == 0 {
		d.Secret = make([]byte, 32)
		_, _ = rand.Read(d.Secret)
		d.Log.Warn("pages: no secret: console sessions end with this process")
	}
	if d.Carriers == nil {
		d.Carriers = all.Adapters()
	}
	s := &server{Deps: d, brands: brands{load: d.Store.GetStore, now: d.Now}, buckets: bucketsOf(d.Carriers), guard: http.NewCrossOriginProtection(),
		// A buyer looks as often as people do, and asks rarely.
		looks: rates.Limit{PerSecond: 2, Burst: 60}, asks: rates.Limit{PerSecond: 0.2, Burst: 15}}
	// Behind a proxy the Host may be an inner name; the public one is ours too.
	if u, err := url.Parse(s.Links.PublicURL); err == nil && u.Scheme != "" && u.Host != "" {
		s.public = *u
		_ = s.guard.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}

	both := []string{http.MethodGet, http.MethodHead}
	e.Match(both, "/t/:token", s.track)
	e.Match(both, "/m/:order/:token", s.wishes)
	e.POST("/m/:order/:token", s.wish)
	e.Match(both, "/b/:order/:token", s.buyerGet)
	e.Match(both, "/b/:order/:token/:form", s.buyerGet)
	e.Match(both, "/b/:order/:token/photo/:parcel", s.buyerPhoto)
	e.Match(both, "/b/:order/:token/label/:return", s.buyerLabel)
	e.POST("/b/:order/:token/:form", func(c echo.Context) error {
		if s.guard.Check(c.Request()) != nil {
			return s.note(c, http.StatusForbidden, "buyer.foreign")
		}
		return s.buyerPost(c)
	})
	e.Match(both, "/assets/pages/:file", asset)
	e.Match(both, "/assets/brand/:file", s.brandCSS)
	s.mountConsole(e)
}

// contentPolicy allows our own files and nothing inline: text of a carrier or a
// merchant that slipped through escaping would still not run.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"frame-ancestors 'none'; form-action 'self'; base-uri 'none'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "private, no-store")
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// render writes a page of the console, whole or not at all.
func (s *server) render(c echo.Context, status int, name string, data any) error {
	return s.write(c, status, nil, templates, name, data)
}

// speak writes a page of buyers in their language.
func (s *server) speak(c echo.Context, status int, t *speech.Tongue, name string, data any) error {
	return s.write(c, status, t, spoken[t], name, data)
}

func (s *server) write(c echo.Context, status int, t *speech.Tongue, set *template.Template, name string, data any) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := s.draw(b, set, name, data); err != nil {
		return err
	}
	return s.send(c, status, t, b.Bytes())
}

func (s *server) draw(b *bytes.Buffer, set *template.Template, name string, data any) error {
	if err := set.ExecuteTemplate(b, name, data); err != nil {
		s.Log.Error("pages: render", "page", name, "err", err)
		return echo.NewHTTPError(http.StatusInternalServerError)
	}
	return nil
}

// send answers with a page; the language, if it depends on who reads.
func (s *server) send(c echo.Context, status int, t *speech.Tongue, body []byte) error {
	h := c.Response().Header()
	secure(h)
	if t != nil {
		h.Set("Content-Language", t.Tag())
		h.Add("Vary", "Accept-Language")
	}
	if s.https(c) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	return c.HTMLBlob(status, body)
}
