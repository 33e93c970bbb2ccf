package templates

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
)

// AlertContent is what a team reads of a case: plain, short, in English, with the
// way to act on it. Like all content it may be hostile.
type AlertContent struct {
	Order    string // its ID
	Parcel   string // empty: the order as a whole
	Case     string // its kind
	Severity string
	Owner    string // the team
	Assignee string // empty: nobody yet
	Why      string
	Level    int // times escalated
	Opened   time.Time
	Due      time.Time
	// BuyerHears is when the buyer is told if it is still open; zero: not, or
	// already.
	BuyerHears time.Time
	Zone       *time.Location
	URL        string // the order's page in the console
}

// alertPage is what the HTML of an alert is made of.
type alertPage struct {
	Subject, Title, Why, URL string
	Facts                    []fact
}

//go:embed alert.html
var alertHTML string

var alertMail = template.Must(template.New("alert").Parse(alertHTML))

// WriteAlert writes what a team reads. An error names what is missing.
func WriteAlert(c AlertContent) (Message, error) {
	if c.Zone == nil {
		return Message{}, fmt.Errorf("alert: zone is missing")
	}
	if link(c.URL) == "" {
		return Message{}, fmt.Errorf("alert: url is no address")
	}
	kind := strings.ReplaceAll(defused(c.Case, 40), "_", " ")
	id, severity, owner := clean(c.Order, 120), defused(c.Severity, 20), defused(c.Owner, 20)
	for field, v := range map[string]string{"case": kind, "order": id, "severity": severity, "owner": owner} {
		if v == "" {
			return Message{}, fmt.Errorf("alert: %s is missing", field)
		}
	}
	if c.Due.IsZero() {
		return Message{}, fmt.Errorf("alert: due is missing")
	}
	when := func(t time.Time) string { return t.In(c.Zone).Format("Mon 2 Jan 15:04 MST") }
	about := "order " + id
	if parcel := defused(c.Parcel, 40); parcel != "" {
		about += ", parcel " + parcel
	}
	p := alertPage{
		Subject: clean(fmt.Sprintf("[%s] %s: %s", severity, kind, about), 200),
		Title:   kind + ", " + about,
		Why:     defused(c.Why, 300), URL: link(c.URL),
	}
	add := func(name, value string) {
		if value != "" {
			p.Facts = append(p.Facts, fact{name, value})
		}
	}
	who := owner
	if a := defused(c.Assignee, 60); a != "" {
		who += " (" + a + ")"
	}
	add("Owner", who)
	add("Severity", severity)
	add("Due", when(c.Due))
	if c.Level > 0 {
		add("Escalated", fmt.Sprintf("level %d", c.Level))
	}
	if !c.Opened.IsZero() {
		add("Opened", when(c.Opened))
	}
	if !c.BuyerHears.IsZero() {
		add("The buyer is told", when(c.BuyerHears)+", unless it is settled before")
	}
	var html bytes.Buffer
	if err := alertMail.Execute(&html, p); err != nil {
		return Message{}, fmt.Errorf("alert: %w", err)
	}
	m := Message{Subject: p.Subject, Preheader: "Due " + when(c.Due) + ". " + p.Why, HTML: html.String()}
	var text strings.Builder
	text.WriteString(p.Title + "\n\n")
	if p.Why != "" {
		text.WriteString("Why: " + p.Why + "\n")
	}
	for _, f := range p.Facts {
		text.WriteString(f.Name + ": " + f.Value + "\n")
	}
	text.WriteString("\n" + p.URL + "\n")
	m.Text = text.String()
	m.SMS = messaging.Plain(clean(fmt.Sprintf("[%s] %s: %s. %s, due %s. %s", severity, kind, about, owner, c.Due.In(c.Zone).Format("2 Jan 15:04"), p.URL), 300))
	m.Segments, _ = messaging.Segments(m.SMS)
	return m, nil
}
