package pages

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/order"
)

const sessionLife = 12 * time.Hour

// roles that may read the console, the mightiest first.
var roles = []string{"admin", "ops", "support", "returns"}

// sourcesOf are those whose word the console's forms can be, by the scopes of who
// sends them.
func sourcesOf(scopes []string) (may []order.Source) {
	if slices.ContainsFunc(scopes, func(s string) bool { return s == "admin" || s == "ops" || s == "support" }) {
		may = append(may, order.Support)
	}
	if slices.Contains(scopes, "returns") || slices.Contains(scopes, "admin") {
		may = append(may, order.ReturnsDesk)
	}
	return may
}

// who is signed in.
type who struct {
	Actor, Role string
	Expires     time.Time
}

// seal signs a payload for one purpose: a ticket is no session, and the other
// way round.
func seal(secret []byte, purpose, payload string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + base64.RawURLEncoding.EncodeToString(mac(secret, purpose, payload))
}

func mac(secret []byte, purpose, payload string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("waybill " + purpose + "\x00" + payload))
	return h.Sum(nil)
}

func unseal(secret []byte, purpose, sealed string) (payload string, ok bool) {
	p, m, found := strings.Cut(sealed, ".")
	body, err := base64.RawURLEncoding.DecodeString(p)
	sum, err2 := base64.RawURLEncoding.DecodeString(m)
	if !found || err != nil || err2 != nil || len(secret) == 0 || !hmac.Equal(sum, mac(secret, purpose, string(body))) {
		return "", false
	}
	return string(body), true
}

func (w who) seal(secret []byte, purpose string) string {
	return seal(secret, purpose, w.Role+"|"+strconv.FormatInt(w.Expires.Unix(), 10)+"|"+w.Actor)
}

func unsealWho(secret []byte, purpose, sealed string, now time.Time) (who, bool) {
	payload, ok := unseal(secret, purpose, sealed)
	if !ok {
		return who{}, false
	}
	parts := strings.SplitN(payload, "|", 3) // the actor comes last: it may hold anything
	if len(parts) != 3 || !slices.Contains(roles, parts[0]) || parts[2] == "" {
		return who{}, false
	}
	unix, err := strconv.ParseInt(parts[1], 10, 64)
	w := who{Actor: parts[2], Role: parts[0], Expires: time.Unix(unix, 0)}
	return w, err == nil && now.Before(w.Expires)
}

// Ticket lets whoever opens /console/enter?ticket=… sign in once, until it
// expires. The role is support, ops or admin.
func Ticket(secret []byte, actor, role string, expires time.Time) string {
	return who{actor, role, expires}.seal(secret, "ticket")
}

// spent remembers used tickets until they expire. It is of one process: with
// several replicas a ticket works once on each, so tickets should be short.
type spent struct {
	mu   sync.Mutex
	used map[string]time.Time
}

const maxSpent = 10_000

func (s *spent) take(ticket string, expires, now time.Time) bool {
	// The payload, not the text: base64 has several spellings of one value.
	body, _, _ := strings.Cut(ticket, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(body)
	key := string(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.used[key]; used {
		return false
	}
	for k, t := range s.used {
		if !now.Before(t) {
			delete(s.used, k)
		}
	}
	if s.used == nil {
		s.used = map[string]time.Time{}
	}
	if len(s.used) >= maxSpent {
		return false
	}
	s.used[key] = expires
	return true
}

// The __Host- prefix makes browsers refuse the cookie from a sibling domain or
// over plain HTTP; a console on plain localhost has to do without.
func cookieName(secure bool) string {
	if secure {
		return "__Host-waybill"
	}
	return "waybill"
}

func (s *server) signIn(c echo.Context, actor, role string) {
	w := who{actor, role, s.Now().Add(sessionLife)}
	s.setCookie(c, w.seal(s.Secret, "session"), int(sessionLife/time.Second))
	s.Log.Info("console: signed in", "actor", actor, "role", role)
}

func (s *server) setCookie(c echo.Context, value string, maxAge int) {
	https := s.https(c)
	c.SetCookie(&http.Cookie{Name: cookieName(https), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode})
}

// https also holds behind a proxy that ends TLS and that echo does not trust to
// say so: at the public address the public scheme counts.
func (s *server) https(c echo.Context) bool {
	return c.Scheme() == "https" || s.public.Scheme == "https" && c.Request().Host == s.public.Host
}

func (s *server) session(c echo.Context) (who, bool) {
	k, err := c.Cookie(cookieName(s.https(c)))
	if err != nil {
		return who{}, false
	}
	return unsealWho(s.Secret, "session", k.Value, s.Now())
}

// mightiest of the scopes that open the console; empty: none does.
func mightiest(scopes []string) string {
	for _, r := range roles {
		if slices.Contains(scopes, r) {
			return r
		}
	}
	return ""
}
