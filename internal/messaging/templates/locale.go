package templates

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"github.com/waybillhq/waybill/order"
)

// tongue is one of the languages that lines has, and how it writes dates and
// amounts. Times are written with 24 hours everywhere.
type tongue struct {
	tag            string
	pick           func(line) string
	days           [7]string // from Sunday on
	months         [12]string
	letters        int    // of a short weekday
	day            string // Tuesday 24 November: weekday W or short S, day D, month M, short N or as a number #
	short          string // Tue 24 Nov
	on             func(t *tongue, d time.Time) string
	at             string // " at H"
	span           string // between two clock times of one day
	between        string // two days
	by, until      string // a deadline: act by, kept until
	shortBy        string
	shortUntil     string
	decimal, group string
	// money is for symbols of one letter and more; A is the amount, C the currency.
	money   string
	symbols map[string]string
}

func onDay(before string) func(*tongue, time.Time) string {
	return func(t *tongue, d time.Time) string { return before + t.dayOf(d) }
}

var tongues = []*tongue{
	{
		tag: "en", letters: 3, pick: func(l line) string { return l.en },
		days:   [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		day:    "W D M", short: "S D N", on: onDay("on "), at: " at H", span: " between X and Y", between: "between X and Y",
		by: "by ", until: "until ", shortBy: "by ", shortUntil: "until ",
		decimal: ".", group: ",", money: "CA", symbols: map[string]string{"EUR": "€", "USD": "$", "GBP": "£"},
	}, {
		tag: "de", letters: 2, pick: func(l line) string { return l.de },
		days:   [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		day:    "W, D. M", short: "S, D.#.", on: onDay("am "), at: ", um H Uhr", span: ", zwischen X und Y Uhr", between: "zwischen X und Y",
		by: "bis ", until: "bis ", shortBy: "bis ", shortUntil: "bis ",
		decimal: ",", group: ".", money: "A C", symbols: map[string]string{"EUR": "€", "GBP": "£"},
	}, {
		tag: "es", letters: 3, pick: func(l line) string { return l.es },
		days:   [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		months: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
		day:    "W D de M", short: "S D N", on: onDay("el "), at: " a las H", span: " entre las X y las Y", between: "entre el X y el Y",
		by: "a más tardar el ", until: "hasta el ", shortBy: "hasta el ", shortUntil: "hasta el ",
		decimal: ",", group: ".", money: "A C", symbols: map[string]string{"EUR": "€", "GBP": "£"},
	}, {
		tag: "pt-BR", letters: 3, pick: func(l line) string { return l.pt },
		days:   [7]string{"domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"},
		months: [12]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
		day:    "W, D de M", short: "S D/#", at: ", às H", span: ", entre X e Y", between: "entre X e Y",
		on: func(t *tongue, d time.Time) string {
			if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
				return "no " + t.dayOf(d)
			}
			return "na " + t.dayOf(d)
		},
		by: "até ", until: "até ", shortBy: "até ", shortUntil: "até ",
		decimal: ",", group: ".", money: "C A", symbols: map[string]string{"BRL": "R$", "USD": "US$", "EUR": "€", "GBP": "£"},
	},
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.German, language.Spanish, language.BrazilianPortuguese})

// speak finds the tongue for a BCP 47 tag; English for what we do not speak.
func speak(tag string) *tongue {
	if len(tag) > 35 { // RFC 5646, 4.4.1
		return tongues[0]
	}
	parsed, err := language.Parse(tag)
	if err != nil {
		return tongues[0]
	}
	_, i, confidence := matcher.Match(parsed)
	if confidence < language.High {
		return tongues[0]
	}
	return tongues[i]
}

func clock(d time.Time) string { return d.Format("15:04") }

func (t *tongue) write(form string, d time.Time) string {
	w, m := t.days[d.Weekday()], t.months[d.Month()-1]
	return strings.NewReplacer(
		"W", w, "S", string([]rune(w)[:t.letters]), "D", strconv.Itoa(d.Day()),
		"M", m, "N", string([]rune(m)[:3]), "#", strconv.Itoa(int(d.Month())),
	).Replace(form)
}

func (t *tongue) dayOf(d time.Time) string    { return t.write(t.day, d) }
func (t *tongue) shortDay(d time.Time) string { return t.write(t.short, d) }

// moment is "on Tuesday 24 November at 14:05".
func (t *tongue) moment(d time.Time) string {
	return t.on(t, d) + strings.Replace(t.at, "H", clock(d), 1)
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// hours says whether the window is one of hours within a day.
func (w Window) hours() bool {
	return !w.From.IsZero() && !w.To.IsZero() && sameDay(w.From, w.To) && clock(w.From) != clock(w.To)
}

// window reads well after "it should arrive".
func (t *tongue) window(w Window) string {
	switch {
	case w.hours():
		return t.on(t, w.From) + strings.NewReplacer("X", clock(w.From), "Y", clock(w.To)).Replace(t.span)
	case w.From.IsZero():
		return t.by + t.dayOf(w.To)
	case sameDay(w.From, w.To):
		return t.on(t, w.To)
	}
	return strings.NewReplacer("X", t.dayOf(w.From), "Y", t.dayOf(w.To)).Replace(t.between)
}

func (t *tongue) shortWindow(w Window) string {
	switch {
	case w.hours():
		return t.shortDay(w.From) + " " + clock(w.From) + "-" + clock(w.To)
	case w.From.IsZero():
		return t.shortBy + t.shortDay(w.To)
	case sameDay(w.From, w.To):
		return t.shortDay(w.To)
	}
	return t.shortDay(w.From) + " - " + t.shortDay(w.To)
}

// amount writes minor units with the digits that ISO 4217 gives the currency.
func (t *tongue) amount(m Money) (string, bool) {
	unit, err := currency.ParseISO(m.Currency)
	if err != nil || m.Currency != unit.String() {
		return "", false
	}
	scale := order.Decimals(m.Currency)
	digits := strconv.FormatUint(absolute(m.Minor), 10)
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + t.group + whole[i:]
	}
	if part != "" {
		whole += t.decimal + part
	}
	if m.Minor < 0 {
		whole = "-" + whole
	}
	symbol, form := t.symbols[m.Currency], t.money
	if symbol == "" {
		symbol = m.Currency
		if form == "CA" {
			form = "C A"
		}
	}
	// A non-breaking space keeps amount and currency on one line.
	return strings.NewReplacer("A", whole, "C", symbol, " ", "\u00a0").Replace(form), true
}

func absolute(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
