package pages

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/speech"
)

// The buyers' pages speak the languages of the messages. What they say stands in the
// tables of lines_*.go, by topic: whole sentences, of which the first is said whose
// words are all known. The console speaks English.

var english = speech.Of("en")

// lines holds all tables by key.
var lines = func() map[string][]speech.Line {
	all := map[string][]speech.Line{}
	for _, table := range []map[string][]speech.Line{pageLines, orderLines, parcelLines, returnLines, buyerLines} {
		for key, l := range table {
			if all[key] != nil {
				panic("two lines of the name " + key)
			}
			all[key] = l
		}
	}
	return all
}()

// say is what a key says. Nothing: there is none, or it needs more words.
func say(t *speech.Tongue, key string, w speech.Words) string {
	text, _ := t.Say(lines[key], w)
	return text
}

// spoken are the buyers' templates in each language. They say lines themselves, as
// in {{say "page.open_at" "carrier" .Carrier}}.
var spoken = func() map[*speech.Tongue]*template.Template {
	all := map[*speech.Tongue]*template.Template{}
	for _, t := range speech.Tongues() {
		all[t] = parsed(t, "parts.html", "track.html", "wishes.html", "buyer.html")
	}
	return all
}()

// parsed are templates that speak a language.
func parsed(t *speech.Tongue, names ...string) *template.Template {
	all := template.New("").Funcs(template.FuncMap{
		"asset": func(name string) string { return "/assets/pages/" + name + "?v=" + static[name].hash },
		"story": storyHTML,
		"say":   spell(t),
	})
	for _, name := range names {
		text, err := files.ReadFile("templates/" + name)
		if err != nil {
			panic(err)
		}
		template.Must(all.Parse(labelled(string(text), t)))
	}
	return all
}

var plainLabel = regexp.MustCompile(`\{\{say "([a-z_.]+)"\}\}`)

// labelled puts in what needs no words before the template is read: it costs nothing
// when pages are drawn.
func labelled(text string, t *speech.Tongue) string {
	text = plainLabel.ReplaceAllStringFunc(text, func(m string) string {
		return template.HTMLEscapeString(say(t, plainLabel.FindStringSubmatch(m)[1], nil))
	})
	var row strings.Builder
	for _, other := range speech.Tongues() {
		if other == t {
			_, _ = fmt.Fprintf(&row, `<span lang="%s" aria-current="true">%s</span> `, other.Tag(), other.Name())
		} else {
			_, _ = fmt.Fprintf(&row, `<a href="?lang=%s" lang="%[1]s" hreflang="%[1]s">%s</a> `, other.Tag(), other.Name())
		}
	}
	return strings.NewReplacer("{{lang}}", t.Tag(), "{{tongues}}", row.String()).Replace(text)
}

// spell is say for templates: words come in pairs.
func spell(t *speech.Tongue) func(key string, pairs ...string) string {
	return func(key string, pairs ...string) string {
		w := make(speech.Words, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			w[pairs[i]] = pairs[i+1]
		}
		return say(t, key, w)
	}
}

// wanted is the language that a reader asks for: by the row of links at the foot of
// a page, or else by the browser.
func wanted(c echo.Context) (*speech.Tongue, bool) {
	if t, ok := speech.Find(c.QueryParam("lang")); ok {
		return t, true
	}
	return speech.Accepted(c.Request().Header.Get("Accept-Language"))
}

// wantedOrEnglish is for pages that are no order's.
func wantedOrEnglish(c echo.Context) *speech.Tongue {
	if t, ok := wanted(c); ok {
		return t
	}
	return english
}

// upper begins a sentence, or stands on a line of its own.
func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if u := unicode.ToUpper(r); u != r {
		return string(u) + s[n:]
	}
	return s
}
