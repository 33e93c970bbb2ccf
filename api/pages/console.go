package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// head is what every console page has.
type head struct {
	Title string
	Who   who
	Nav   string
	Now   string
}

func (s *server) mountConsole(e *echo.Echo) {
	g := e.Group("/console", func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := s.guard.Check(c.Request()); err != nil {
				secure(c.Response().Header())
				return c.String(http.StatusForbidden, "This form was sent from another site.\n")
			}
			return next(c)
		}
	})
	g.GET("/sign-in", s.signInPage)
	g.POST("/sign-in", s.signInForm)
	g.GET("/enter", s.enter)
	g.POST("/sign-out", s.signOut)
	g.GET("", s.signed(s.consoleRoot))
	g.GET("/orders", s.signed(s.orders))
	g.GET("/orders/:id", s.signed(s.orderPage))
	g.POST("/orders/:id/act", s.signed(s.act))
	g.GET("/orders/:id/returns/:return", s.signed(s.inspection))
	g.GET("/orders/:id/returns/:return/label", s.signed(s.returnLabel))
	g.GET("/orders/:id/proofs/:proof", s.signed(s.proofPage))
	g.GET("/orders/:id/proofs/:proof/:n", s.signed(s.proofDocument))
	g.GET("/cases", s.signed(s.cases))
	g.GET("/returns", s.signed(s.returns))
	g.GET("/faults", s.signed(s.faults))
	g.GET("/faults/:id", s.signed(s.faultPage))
	g.POST("/faults/:id/close", s.signed(s.mapper(s.closeFault)))
	if s.Rhythms != nil {
		g.GET("/rhythms", s.signed(s.rhythms))
		g.POST("/rhythms/:id", s.signed(s.mapper(s.decideRhythm)))
	}
	g.GET("/codes", s.signed(s.codePage))
	g.POST("/codes", s.signed(s.mapper(s.mapCode)))
	g.GET("/gallery", s.signed(s.gallery))
	g.GET("/gallery/messages", s.signed(s.messageGallery))
	g.GET("/gallery/messages/:kind", s.signed(s.galleryMail))
	g.GET("/gallery/:name", s.signed(s.galleryPage))
	g.GET("/outbox", s.signed(s.outbox))
	g.GET("/outbox/:id", s.signed(s.outboxMail))
}

// signed lets only those in who are signed in; others sign in and come back.
func (s *server) signed(h func(echo.Context, who) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		w, ok := s.session(c)
		if !ok {
			secure(c.Response().Header())
			next := c.Request().URL.RequestURI()
			if c.Request().Method == http.MethodPost {
				next = strings.TrimSuffix(next, "/act") // the page that the form was on
			}
			return c.Redirect(http.StatusSeeOther, "/console/sign-in?next="+url.QueryEscape(next))
		}
		return h(c, w)
	}
}

func (s *server) consoleRoot(c echo.Context, _ who) error {
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, "/console/orders")
}

func (s *server) head(w who, title, nav string) head {
	return head{Title: title, Who: w, Nav: nav, Now: s.Now().UTC().Format("2006-01-02 15:04")}
}

type signInPage struct {
	head
	Next, Error string
}

func (s *server) signInPage(c echo.Context) error {
	return s.render(c, http.StatusOK, "sign-in", signInPage{head: s.head(who{}, "Sign in", ""), Next: inside(c.QueryParam("next"))})
}

func (s *server) signInForm(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, 16<<10)
	next := inside(c.FormValue("next"))
	refuse := func(status int, text string) error {
		return s.render(c, status, "sign-in", signInPage{head: s.head(who{}, "Sign in", ""), Next: next, Error: text})
	}
	key := strings.TrimSpace(c.FormValue("key"))
	if key == "" || len(key) > 512 || s.VerifyKey == nil {
		return refuse(http.StatusUnprocessableEntity, "Paste an API key.")
	}
	actor, scopes, ok := s.VerifyKey(c.Request().Context(), key)
	if !ok {
		s.Log.Warn("console: sign-in refused", "ip", c.RealIP())
		return refuse(http.StatusUnauthorized, "That key is unknown, expired or revoked.")
	}
	role := mightiest(scopes)
	if role == "" {
		s.Log.Warn("console: sign-in refused: no scope", "actor", actor)
		return refuse(http.StatusForbidden, "That key works, but it lacks the scope support, returns, ops or admin.")
	}
	s.signIn(c, actor, role)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, next)
}

func (s *server) enter(c echo.Context) error {
	ticket := c.QueryParam("ticket")
	w, ok := unsealWho(s.Secret, "ticket", ticket, s.Now())
	if !ok || !s.spent.take(ticket, w.Expires, s.Now()) {
		if _, in := s.session(c); in { // a reload, or the link opened again
			secure(c.Response().Header())
			return c.Redirect(http.StatusSeeOther, "/console/orders")
		}
		return s.render(c, http.StatusForbidden, "sign-in", signInPage{head: s.head(who{}, "Sign in", ""), Next: inside(""),
			Error: "That link has expired or was used before. Ask for a new one, or sign in with an API key."})
	}
	s.signIn(c, w.Actor, w.Role)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, "/console/orders")
}

func (s *server) signOut(c echo.Context) error {
	s.setCookie(c, "", -1)
	secure(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, "/console/sign-in")
}

// inside keeps a redirect within the console.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || strings.ContainsAny(next, "\\\r\n\t") ||
		!slices.ContainsFunc([]string{"cases", "returns", "orders", "faults", "codes", "rhythms", "gallery"}, func(part string) bool {
			return u.Path == "/console/"+part || strings.HasPrefix(u.Path, "/console/"+part+"/")
		}) {
		return "/console/orders"
	}
	return u.RequestURI()
}

// stamp is a moment as the console shows it: absolute in UTC, and relative.
type stamp struct {
	Abs, Rel, ISO string
	Past          bool
}
