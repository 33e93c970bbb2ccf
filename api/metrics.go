package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybillhq/waybill/internal/store"
)

type metrics struct {
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	facts    *prometheus.CounterVec
	events   *prometheus.CounterVec
	handler  http.Handler

	mu      sync.Mutex
	sources map[string]bool
}

func newMetrics(reg *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "waybill_http_request_duration_seconds", Help: "Time to answer, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"route", "method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "waybill_http_in_flight", Help: "Requests being answered."}),
		facts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_facts_total", Help: "Scans and carrier events offered, by source and what became of them.",
		}, []string{"source", "result"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_message_events_total", Help: "What providers said about messages, by provider and what became of it (taken, duplicate, unknown), and messages that buyers got twice by it (told_twice).",
		}, []string{"provider", "result"}),
		handler: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}),
		sources: map[string]bool{},
	}
	for _, c := range []prometheus.Collector{m.duration, m.inFlight, m.facts, m.events} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// maxSources bounds the label: carriers name themselves in the path.
const maxSources = 100

func (m *metrics) fact(source, result string, n int) {
	if n == 0 {
		return
	}
	m.mu.Lock()
	if !m.sources[source] {
		if len(m.sources) < maxSources {
			m.sources[source] = true
		} else {
			source = "other"
		}
	}
	m.mu.Unlock()
	m.facts.WithLabelValues(source, result).Add(float64(n))
}

func (m *metrics) messageEvents(provider string, n store.MessageEventCounts) {
	for result, count := range map[string]int{"taken": n.Taken, "duplicate": n.Duplicate, "unknown": n.Unknown, "told_twice": n.Twice} {
		if count > 0 {
			m.events.WithLabelValues(provider, result).Add(float64(count))
		}
	}
}

const requestIDKey = "waybill.request_id"

func requestID(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// route is the pattern, not the path: paths hold order numbers and tracking
// tokens, which belong neither into labels nor into logs.
func route(c echo.Context) string {
	if p := c.Path(); p != "" {
		return p
	}
	return "(none)"
}

// observe is the outermost middleware: it names the request, counts it, and
// sees to it that an answer is written before the status is read.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !goodRequestID(id) {
			id = randomText(20)
		}
		c.Set(requestIDKey, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		begun := time.Now()
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took := time.Since(begun)
		status := c.Response().Status
		s.metrics.duration.WithLabelValues(route(c), method(c.Request().Method), strconv.Itoa(status)).Observe(took.Seconds())
		if s.log.Enabled(c.Request().Context(), levelAccess) {
			attrs := []any{"request_id", id, "method", c.Request().Method, "route", route(c), "status", status, "ms", took.Milliseconds()}
			if who, ok := c.Get(callerKey).(*caller); ok {
				attrs = append(attrs, "actor", who.actor())
			}
			s.log.Log(context.WithoutCancel(c.Request().Context()), levelAccess, "request", attrs...)
		}
		return nil
	}
}

// method bounds the label: a client may send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// goodRequestID takes a client's own ID, if it is fit for a log line.
func goodRequestID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		b := id[i]
		if !(b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.') {
			return false
		}
	}
	return true
}
