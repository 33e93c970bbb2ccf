package speech

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestLanguages(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "en-GB": "en", "de": "de", "de-AT": "de", "DE_ch": "de", "es": "es", "es-MX": "es", "es-419": "es", "pt": "pt-BR", "pt-BR": "pt-BR", "pt-PT": "pt-BR",
		"": "en", "fr": "en", "ja": "en", "xx": "en", "not a tag": "en", strings.Repeat("de-", 5000): "en",
	} {
		if got := Of(tag).Tag(); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
}

// Times are shown where the buyer is, on that day's calendar.
func TestTimes(t *testing.T) {
	late := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) // a Thursday; in Berlin it is Friday and next year
	sat := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	berlin, lima := zone(t, "Europe/Berlin"), zone(t, "America/Lima")
	for i, c := range []struct{ got, want string }{
		{Of("en").Moment(late.In(berlin)), "on Friday 1 January at 00:30"},
		{Of("en").Moment(late.In(lima)), "on Thursday 31 December at 18:30"},
		{Of("de").Moment(late.In(berlin)), "am Freitag, 1. Januar, um 00:30 Uhr"},
		{Of("es").Moment(late.In(lima)), "el jueves 31 de diciembre a las 18:30"},
		{Of("pt").Moment(late.In(lima)), "na quinta-feira, 31 de dezembro, às 18:30"},
		{Of("pt").Moment(sat), "no sábado, 28 de novembro, às 12:00"},
		{Of("de").ShortDay(sat), "Sa, 28.11."},
		{Of("pt").ShortDay(sat), "sáb 28/11"},
		{Of("es").ShortDay(sat), "sáb 28 nov"},
		{Of("en").ShortDay(sat), "Sat 28 Nov"},
		{Of("en").Window(sat, sat.Add(4*time.Hour)), "on Saturday 28 November between 12:00 and 16:00"},
		{Of("de").Window(sat, sat.Add(4*time.Hour)), "am Samstag, 28. November, zwischen 12:00 und 16:00 Uhr"},
		{Of("es").Window(sat, sat.Add(48*time.Hour)), "entre el sábado 28 de noviembre y el lunes 30 de noviembre"},
		{Of("pt").Window(time.Time{}, sat), "até sábado, 28 de novembro"},
		{Of("en").Window(sat, sat), "on Saturday 28 November"},
		{Of("en").ShortWindow(sat, sat.Add(48*time.Hour)), "Sat 28 Nov - Mon 30 Nov"},
	} {
		if c.got != c.want {
			t.Errorf("%d: %q, want %q", i, c.got, c.want)
		}
	}
	// The hour that a clock shows twice, and the one it skips.
	for utc, want := range map[time.Time]string{
		time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC): "02:30", time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC): "02:30", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC): "03:00",
	} {
		if got := Clock(utc.In(berlin)); got != want {
			t.Errorf("%s: %s", utc, got)
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		tag   string
		minor int64
		code  string
		want  string
	}{
		{"en", 123450, "EUR", "€1,234.50"}, {"en", 5, "USD", "$0.05"}, {"en", -1999, "GBP", "£-19.99"}, {"en", 1234567, "CHF", "CHF 12,345.67"},
		{"de", 123450, "EUR", "1.234,50 €"}, {"de", 100, "USD", "1,00 USD"}, {"es", 100000000, "EUR", "1.000.000,00 €"},
		{"pt-BR", 123450, "BRL", "R$ 1.234,50"}, {"pt-BR", 0, "USD", "US$ 0,00"},
		{"en", 10000, "RSD", "RSD 100.00"}, {"en", 1234, "IQD", "IQD 1.234"}, {"en", 1500, "JPY", "JPY 1,500"}, {"en", 1234567, "KWD", "KWD 1,234.567"}, {"de", -9223372036854775808, "EUR", "-92.233.720.368.547.758,08 €"},
	} {
		got, ok := Of(c.tag).Amount(c.minor, c.code)
		if got = strings.ReplaceAll(got, "\u00a0", " "); !ok || got != c.want {
			t.Errorf("%s %d %s: %q, want %q", c.tag, c.minor, c.code, got, c.want)
		}
	}
	for _, bad := range []string{"", "eur", "EURO", "€", "ZZZ1"} {
		if s, ok := Of("en").Amount(1, bad); ok {
			t.Errorf("%q became %q", bad, s)
		}
	}
}

func TestForms(t *testing.T) {
	sat, tue := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), time.Date(2027, 3, 2, 8, 30, 0, 0, time.UTC)
	never := time.Time{}
	for i, c := range []struct{ got, want string }{
		{Of("en").Date(tue), "Tuesday 2 March 2027"}, {Of("de").OnDate(tue), "am Dienstag, 2. März 2027"}, {Of("es").OnDate(tue), "el martes 2 de marzo de 2027"}, {Of("pt").OnDate(tue), "na terça-feira, 2 de março de 2027"},
		{Of("pt").On(sat), "no sábado, 28 de novembro"},
		{Of("en").Brief(tue), "2 Mar"}, {Of("de").Brief(tue), "2.3."}, {Of("es").Brief(tue), "2 mar"}, {Of("pt").Brief(tue), "2/3"},
		{Of("es").ShortDay(tue.AddDate(0, 0, 1)), "mié 3 mar"},
		{Of("en").Stretch(sat, sat.Add(4*time.Hour)), "Saturday 28 November, 12:00–16:00"},
		{Of("de").Stretch(sat, sat.Add(4*time.Hour)), "Samstag, 28. November, 12:00–16:00 Uhr"},
		{Of("es").Stretch(sat, sat), "sábado 28 de noviembre, 12:00"},
		{Of("pt").Stretch(sat, never), "a partir de sábado, 28 de novembro, 12:00"},
		{Of("de").Stretch(never, sat), "bis Samstag, 28. November, 12:00 Uhr"},
		{Of("en").Stretch(sat, sat.Add(20*time.Hour)), "Saturday 28 November, 12:00 – Sunday 29 November, 08:00"},
	} {
		if c.got != c.want {
			t.Errorf("%d: %q, want %q", i, c.got, c.want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for want, m := range map[string]struct {
		minor int64
		code  string
	}{"1234.50": {123450, "EUR"}, "-0.05": {-5, "USD"}, "1500": {1500, "JPY"}, "1234.567": {1234567, "KWD"}, "": {1, "EURO"}} {
		if got := Decimal(m.minor, m.code); got != want {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
}

// A browser says which languages its reader wants, and how much.
func TestAccepted(t *testing.T) {
	for header, want := range map[string]string{
		"de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr-FR,fr;q=0.9,es;q=0.5,en;q=0.2": "es", "en;q=0.5,pt-BR": "pt-BR", "en-US,en;q=0.9,de;q=0.8": "en", "PT-pt": "pt-BR",
		"fr, en;q=0.1": "en", "en;q=0, de;q=0.1": "de",
		"": "", "fr": "", "*": "", "ja,zh;q=0.9": "", "de;q=x": "", "\x00\xff": "", ";;;,,,": "", strings.Repeat("de,", 400): "", strings.Repeat("-", 500): "",
	} {
		got, ok := Accepted(header)
		if ok != (want != "") || ok && got.Tag() != want {
			t.Errorf("%.40q: %v %v, want %q", header, got, ok, want)
		}
	}
}

func FuzzAccepted(f *testing.F) {
	f.Add("de-AT,de;q=0.9,en;q=0.8")
	f.Add(strings.Repeat("a-", 200))
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := Accepted(s); ok != (got != nil) || ok && !slices.Contains(Tongues(), got) {
			t.Errorf("%v %v", got, ok)
		}
		Find(s)
	})
}

func TestSay(t *testing.T) {
	wordings := []Line{{"{?many}{n} parcels, {carrier}."}, {"A parcel with {carrier}."}, {"A parcel {of."}}
	en := Of("en")
	say := func(known Words) string {
		text, _ := en.Say(wordings, known)
		return text
	}
	known := Words{"carrier": "{n} Co.", "n": "2"}
	if got := say(known); got != "A parcel with {n} Co." { // nothing in it is filled in again, and one full stop is enough
		t.Errorf("%q", got)
	}
	known.When("many", true)
	if got := say(known); got != "2 parcels, {n} Co." {
		t.Errorf("%q", got)
	}
	if got := say(nil); got != "A parcel {of." {
		t.Errorf("%q", got)
	}
	if text, missing := en.Say(wordings[:2], Words{"n": "1"}); text != "" || missing != "carrier" {
		t.Errorf("%q, %q is missing", text, missing)
	}
	if got := Unfilled("{a} {?b}{c_1}{} {{d}} {E} {"); !slices.Equal(got, []string{"a", "?b", "c_1", "d"}) {
		t.Error(got)
	}
}

// Whatever a text and its words hold, filling in ends and invents nothing.
func TestFillIsTotal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := Line{rapid.StringOf(rapid.RuneFrom([]rune("{}?ab_ "))).Draw(rt, "text")}
		text, missing := Of("en").Fill(l, Words{"a": "{b}", "?b": "", "b": ""})
		if missing == "" && len(text) > 3*len(l[0]) {
			rt.Fatalf("%q", text)
		}
	})
}

func TestTonguesNameThemselves(t *testing.T) {
	for i, tongue := range Tongues() {
		if tongue.index != i || Of(tongue.Tag()) != tongue || tongue.Name() == "" {
			t.Errorf("%d: %s", i, tongue.Tag())
		}
	}
}

func BenchmarkAccepted(b *testing.B) {
	for b.Loop() {
		Accepted("de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7")
	}
}

func BenchmarkShortDay(b *testing.B) {
	d := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		Of("de").ShortDay(d)
	}
}
