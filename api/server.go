package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/rates"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Store is what the API needs of PostgreSQL; *store.Store is one.
type Store interface {
	CreateOrder(ctx context.Context, o store.NewOrder) (created bool, err error)
	Order(ctx context.Context, id string) (store.Order, error)
	Orders(ctx context.Context, f store.Filter) ([]store.Summary, error)
	Timeline(ctx context.Context, orderID string, limit int) ([]store.Entry, error)
	Cases(ctx context.Context, f store.CaseFilter) ([]store.CaseRow, error)
	Returns(ctx context.Context, f store.ReturnFilter) ([]store.ReturnRow, error)
	ReplacedBy(ctx context.Context, id string) ([]string, error)
	intake.Store
	Faults(ctx context.Context, open bool, before store.FaultCursor, limit int) ([]store.Fault, error)
	CloseFaultByHand(ctx context.Context, id int64, a store.Audit, at time.Time) (store.Fault, error)
	MappingHistory(ctx context.Context, carrier string, limit int) ([]store.Mapping, error)
	RawBody(ctx context.Context, id int64, a store.Audit) (store.RawBody, error)
	RawBodies(ctx context.Context, f store.RawFilter) ([]store.RawBody, error)
	acts.Facts
	Proof(ctx context.Context, orderID, id string, a store.Audit) (store.Proof, error)
	ProofDocument(ctx context.Context, orderID, id string, n int, a store.Audit) (store.ProofDocument, error)
	ReturnLabel(ctx context.Context, orderID, returnID string, a store.Audit) (store.ReturnLabel, error)
	PutAddress(ctx context.Context, orderID string, a store.Address) (version int, err error)
	PutContact(ctx context.Context, orderID string, c store.Contact, a store.Audit, at time.Time) error
	EndLink(ctx context.Context, orderID string, a store.Audit) error
	EraseCustomer(ctx context.Context, storeID, ref string, a store.Audit, at time.Time) (store.Erasure, error)
	PutStore(ctx context.Context, r store.StoreRow) error
	GetStore(ctx context.Context, id string) (store.StoreRow, error)
	PutPolicy(ctx context.Context, p order.PolicyBook, actor string) (order.PolicyBook, error)
	Policy(ctx context.Context, name string) (order.PolicyBook, error)
	EachOpen(ctx context.Context, do func(store.Order) error) error
	AddKey(ctx context.Context, k store.APIKey) error
	Key(ctx context.Context, id string) (store.APIKey, error)
	BeginAudit(ctx context.Context, a store.Audit) error
	EndAudit(ctx context.Context, id, outcome, detail string) error
	BeginIdempotent(ctx context.Context, actor, key string, requestHash []byte) (status int, response []byte, err error)
	EndIdempotent(ctx context.Context, actor, key string, status int, response []byte) error
}

// Orders is what the API asks of running orders.
type Orders interface {
	// Ask puts a request to a running order and returns the order after it. The
	// request's Meta.ID is the audit row's and the update's: asking again with
	// the same one is safe. Errors: *order.Refusal (or several, joined),
	// ErrNotRunning, ErrUnavailable.
	Ask(ctx context.Context, orderID string, request order.Event) (order.View, error)
	// Reopen asks an order that had closed, which goes on with the request in a new
	// run. Answers as Ask does.
	Reopen(ctx context.Context, spec order.Spec, request order.Event) (order.View, error)
	// View is the order exactly as it is now.
	View(ctx context.Context, orderID string) (order.View, error)
}

// Limits bound what one request may cost. Zero fields take the default.
type Limits struct {
	Body         int64         // of a request; 1 MB
	Batch        int64         // of a batch of facts; 4 MB
	Timeout      time.Duration // of a request; 15 s
	InFlight     int           // requests under /v1 at once; 1,000
	KeyPerSecond float64       // requests of one key; unlimited
	KeyBurst     float64       // twice KeyPerSecond
	KeyTTL       time.Duration // how long a revoked key may still work; 30 s
	KeyCache     int           // keys remembered; 10,000
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Body, 1<<20)
	setDefault(&l.Batch, 4<<20)
	setDefault(&l.Timeout, 15*time.Second)
	setDefault(&l.InFlight, 1000)
	setDefault(&l.KeyBurst, 2*l.KeyPerSecond)
	setDefault(&l.KeyTTL, 30*time.Second)
	setDefault(&l.KeyCache, 10_000)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Deps is everything the API needs. Store, Orders and Links are necessary.
type Deps struct {
	Store    Store
	Orders   Orders
	Intake   *intake.Intake // the process's own; nil: one on Store that nobody runs
	Log      *slog.Logger
	Links    links.Links
	Registry *prometheus.Registry
	// Ready says why the process cannot serve; nil: it can. Several reasons are
	// joined errors. They are shown: no secrets in them.
	Ready  func(context.Context) error
	Now    func() time.Time
	Limits Limits
	// WebhookSecrets are the active secrets by carrier. Without one a carrier
	// has no webhook.
	WebhookSecrets map[string][][]byte
	// Carriers that are spoken with; nil: those that are built in.
	Carriers carriers.Registry
	// Messages takes what message providers post; nil: nothing is taken.
	Messages *dispatch.Callbacks
	// Confirm answers a carrier that wants a subscription of ours confirmed; nil: it
	// is left to whoever subscribed. An error has the carrier ask again.
	Confirm func(ctx context.Context, carrier string, c carriers.Confirmation) error
	// Rhythms is where proposals are decided; nil: there are none.
	Rhythms *acts.Rhythms
}

// Server is the API. Pages can be mounted on Echo beside it; they share request
// IDs, metrics and panic handling.
type Server struct {
	Echo *echo.Echo
	server
}

type server struct {
	store    Store
	orders   Orders
	log      *slog.Logger
	links    links.Links
	ready    func(context.Context) error
	now      func() time.Time
	limits   Limits
	metrics  *metrics
	keys     *keyCache
	rates    *rates.Limit
	inFlight chan struct{}
	desk     *acts.Desk
	confirm  func(ctx context.Context, carrier string, c carriers.Confirmation) error
	rhythms  *acts.Rhythms

	intake         *intake.Intake
	webhookSecrets map[string][][]byte
	carriers       carriers.Registry
	messages       *dispatch.Callbacks
}

// levelAccess is the level of the line per request.
const levelAccess = slog.LevelDebug

// New builds the API. It panics if it was put together wrongly: a dependency is
// missing, metrics are registered twice, or openapi.yaml and the handlers do not
// fit each other. None of that depends on input, and a test finds it first.
func New(d Deps) *Server {
	if d.Store == nil || d.Orders == nil {
		panic("api: Store and Orders are needed")
	}
	must(d.Links.Check())
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Intake == nil {
		d.Intake = &intake.Intake{Store: d.Store}
	}
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	if d.Ready == nil {
		d.Ready = func(context.Context) error { return nil }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Carriers == nil {
		d.Carriers = all.Adapters()
	}
	m, err := newMetrics(d.Registry)
	must(err)
	l := d.Limits.withDefaults()
	s := &Server{Echo: echo.New(), server: server{
		store: d.Store, intake: d.Intake, orders: d.Orders, log: d.Log, links: d.Links, ready: d.Ready, now: d.Now, limits: l, metrics: m,
		keys:     &keyCache{load: d.Store.Key, now: d.Now, ttl: l.KeyTTL, size: l.KeyCache},
		rates:    &rates.Limit{PerSecond: l.KeyPerSecond, Burst: l.KeyBurst},
		inFlight: make(chan struct{}, l.InFlight),
		desk:     &acts.Desk{Audits: d.Store, Orders: d.Orders, Facts: d.Store, Log: d.Log, Now: d.Now},
		confirm:  d.Confirm,
		rhythms:  d.Rhythms,

		webhookSecrets: d.WebhookSecrets, carriers: d.Carriers, messages: d.Messages,
	}}
	e := s.Echo
	e.HideBanner, e.HidePort = true, true
	// Without this echo believes any X-Forwarded-For (GHSA-246p-cpwv-v3jq).
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.handleError
	e.Use(s.observe, s.recoverPanic)
	must(s.routes())
	return s
}

func must(err error) {
	if err != nil {
		panic("api: " + err.Error())
	}
}

// routes brings the contract and the handlers together.
func (s *Server) routes() error {
	ops, err := contract()
	if err != nil {
		return err
	}
	handlers := s.handlers()
	for _, shared := range ops {
		own := *shared
		op := &own
		handle, ok := handlers[op.id]
		if !ok {
			return fmt.Errorf("openapi.yaml names %s, which has no handler", op.id)
		}
		delete(handlers, op.id)
		op.handle, op.limit = handle, s.limits.Body
		if op.itemByItem || op.raw {
			op.limit = s.limits.Batch
		}
		if len(op.scopes) > 0 {
			handle = s.serve(op)
		}
		s.Echo.Add(op.method, op.path, handle)
	}
	for id := range handlers {
		return fmt.Errorf("%s is not in openapi.yaml", id)
	}
	return nil
}

const opKey = "waybill.operation"

// handlers by operation ID. Paths, methods and scopes are in openapi.yaml.
func (s *server) handlers() map[string]echo.HandlerFunc {
	return map[string]echo.HandlerFunc{
		"createOrder": s.createOrder,
		"listOrders":  s.listOrders,
		"getOrder":    s.getOrder,
		"getTimeline": s.getTimeline,
		"getWaiting":  s.getWaiting,

		"putParcel":        s.putParcel,
		"correctMilestone": s.correctMilestone,
		"cancelOrder":      s.cancelOrder,
		"holdOrder":        s.holdOrder,
		"releaseOrder":     s.releaseOrder,
		"changePromise":    s.changePromise,
		"correctAddress":   s.correctAddress,
		"mergeOrder":       s.mergeOrder,
		"adoptPolicy":      s.adoptPolicy,

		"assignCase":        s.assignCase,
		"noteCase":          s.noteCase,
		"resolveCase":       s.resolveCase,
		"reopenCase":        s.reopenCase,
		"extendWait":        s.extendWait,
		"fireWait":          s.fireWait,
		"reportNotReceived": s.reportNotReceived,
		"foundParcel":       s.foundParcel,
		"decideRemedy":      s.decideRemedy,
		"endRemedy":         s.endRemedy,
		"endInstruction":    s.endInstruction,
		"getProof":          s.getProof,
		"getProofDocument":  s.getProofDocument,
		"listCases":         s.listCases,
		"bulkCases":         s.bulkCases,

		"requestReturn":  s.requestReturn,
		"getReturn":      s.getReturn,
		"decideReturn":   s.decideReturn,
		"shipReturn":     s.shipReturn,
		"askLabel":       s.askLabel,
		"askPickup":      s.askPickup,
		"endBooking":     s.endBooking,
		"voidBooking":    s.voidBooking,
		"getReturnLabel": s.getReturnLabel,
		"inspectReturn":  s.inspectReturn,
		"disposeReturn":  s.disposeReturn,
		"sendReturnBack": s.sendReturnBack,
		"cancelReturn":   s.cancelReturn,
		"listReturns":    s.listReturns,

		"detectCarriers": s.detectCarriers,

		"postScans":         s.postScans,
		"captureEPCIS":      s.captureEPCIS,
		"postCarrierEvents": s.postCarrierEvents,
		"postCarrierFile":   s.postCarrierFile,
		"postWebhook":       s.postWebhook,

		"postTwilioStatus":   s.postTwilioStatus,
		"postTwilioInbound":  s.postTwilioInbound,
		"postSendGridEvents": s.postSendGridEvents,

		"listFaults":       s.listFaults,
		"closeFault":       s.closeFault,
		"eraseCustomer":    s.eraseCustomer,
		"putContact":       s.putContact,
		"endBuyerLink":     s.endBuyerLink,
		"listRhythms":      s.learned(s.listRhythms),
		"acceptRhythm":     s.learned(s.acceptRhythm),
		"declineRhythm":    s.learned(s.declineRhythm),
		"listCodeMappings": s.listCodeMappings,
		"putCodeMapping":   s.putCodeMapping,
		"listRawBodies":    s.listRawBodies,
		"getRawBody":       s.getRawBody,
		"replayRawBody":    s.replayRawBody,

		"putStore":  s.putStore,
		"getStore":  s.getStore,
		"putPolicy": s.putPolicy,
		"getPolicy": s.getPolicy,
		"createKey": s.createKey,

		"healthz": s.healthz,
		"readyz":  s.readyz,
		"metrics": echo.WrapHandler(s.metrics.handler),
		"openapi": func(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", contractYAML) },
	}
}

// serve is the way in of every request under /v1: room, deadline, key and
// scopes, contract, handler. What is cheap to refuse is refused first.
func (s *server) serve(op *operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		select {
		case s.inFlight <- struct{}{}:
			defer func() { <-s.inFlight }()
		default:
			return unavailable(errors.New("too many requests in flight"))
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.limits.Timeout)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		c.Set(opKey, op)
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
		// The context does not reach into reading a slow body.
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(s.limits.Timeout))
		if err := s.authorize(c, op); err != nil {
			return err
		}
		if err := op.validate(c); err != nil {
			return err
		}
		return op.handle(c)
	}
}

func opOf(c echo.Context) *operation { return c.Get(opKey).(*operation) }

// recoverPanic turns a panic into an answer and a log line. The panic's value
// may hold anything, so it does not leave the log.
func (s *server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			if r == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(r)
			}
			s.log.Error("panic", "request_id", requestID(c), "route", route(c), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = internal(fmt.Errorf("panic: %v", r))
		}()
		return next(c)
	}
}

type health struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons,omitempty"`
}

func (s *server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, health{Status: "ok"})
}

func (s *server) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 5*time.Second)
	defer cancel()
	err := s.ready(ctx)
	if err == nil {
		return c.JSON(http.StatusOK, health{Status: "ok"})
	}
	reasons := []string{err.Error()}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		reasons = reasons[:0]
		for _, e := range several.Unwrap() {
			reasons = append(reasons, e.Error())
		}
	}
	slices.Sort(reasons)
	return c.JSON(http.StatusServiceUnavailable, health{Status: "unavailable", Reasons: reasons})
}
