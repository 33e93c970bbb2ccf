package messaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func TestClassify(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for name, c := range map[string]struct {
		x      Exchange
		class  Class
		reason Reason
		fault  string
	}{
		"no name":             {Exchange{Err: reset}, Retryable, "", "no connection"},
		"no time to connect":  {Exchange{Err: context.DeadlineExceeded}, Retryable, "", "timeout"},
		"cancelled unsent":    {Exchange{Err: context.Canceled}, Retryable, "", "cancelled"},
		"cancelled":           {Exchange{Sent: true, Err: context.Canceled}, Ambiguous, "", "cancelled"},
		"silence":             {Exchange{Sent: true, Err: context.DeadlineExceeded}, Ambiguous, "", "timeout"},
		"reset":               {Exchange{Sent: true, Err: reset}, Ambiguous, "", "no answer"},
		"success, cut short":  {Exchange{Sent: true, Status: 201, Err: reset}, Ambiguous, "", "answer cut short"},
		"success, not theirs": {Exchange{Sent: true, Status: 200, Whole: true}, Ambiguous, "", "unexpected answer"},
		"redirect":            {Exchange{Sent: true, Status: 302, Whole: true}, Retryable, Account, ""},
		"refused":             {Exchange{Sent: true, Status: 400, Whole: true}, Permanent, Rejected, ""},
		"refused, cut short":  {Exchange{Sent: true, Status: 400, Err: reset}, Retryable, "", "answer cut short"},
		"unprocessable":       {Exchange{Sent: true, Status: 422, Whole: true}, Permanent, Rejected, ""},
		"unauthorized":        {Exchange{Sent: true, Status: 401, Err: reset}, Retryable, Account, "answer cut short"},
		"their timeout":       {Exchange{Sent: true, Status: 408, Whole: true}, Ambiguous, "", ""},
		"too many":            {Exchange{Sent: true, Status: 429, Whole: true}, Retryable, Busy, ""},
		"their fault":         {Exchange{Sent: true, Status: 500, Whole: true}, Ambiguous, "", ""},
		"their gateway":       {Exchange{Sent: true, Status: 504, Err: reset}, Ambiguous, "", "answer cut short"},
	} {
		e := Classify("p", c.x)
		if e.Class != c.class || e.Reason != c.reason || e.Fault != c.fault || e.Status != c.x.Status {
			t.Errorf("%s: %+v", name, e)
		}
		if errors.Is(c.x.Err, context.Canceled) != errors.Is(e, context.Canceled) || errors.Is(e, reset) {
			t.Errorf("%s: cause %v", name, e.Cause)
		}
	}
}

// Whatever an exchange was: nothing is retried blindly that may have been sent.
func TestNothingSentIsRetryable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := Exchange{Sent: rapid.Bool().Draw(t, "sent"), Status: rapid.SampledFrom([]int{0, 100, 200, 201, 202, 204, 299, 300, 307, 399, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 451, 499, 500, 502, 503, 504, 599, 999}).Draw(t, "status"), Whole: rapid.Bool().Draw(t, "whole")}
		refused := x.Status >= 300 && x.Status < 500 && x.Status != 408
		mayBeSent := !refused && (x.Status != 0 || x.Sent)
		if e := Classify("p", x); (e.Class == Ambiguous) != mayBeSent {
			t.Fatalf("%+v is %s", x, e.Class)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for header, want := range map[[2]string]time.Duration{
		{"Retry-After", "30"}: 30 * time.Second,
		{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat)}:  time.Minute,
		{"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat)}: 0,
		{"Retry-After", "-3"}:                              0,
		{"Retry-After", "99999999999999999999"}:            0,
		{"Retry-After", "soon"}:                            0,
		{"Retry-After", "1000000"}:                         time.Hour,
		{"X-RateLimit-Reset", fmt.Sprint(now.Unix() + 12)}: 12 * time.Second,
		{"X-RateLimit-Reset", "9223372036854775807"}:       0,
		{"X-RateLimit-Reset", "0"}:                         0,
	} {
		h := http.Header{}
		h.Set(header[0], header[1])
		if got := retryAfter(h, now); got != want {
			t.Errorf("%v: %s, want %s", header, got, want)
		}
	}
}

func TestMasks(t *testing.T) {
	for in, want := range map[string]string{
		"+4915112345612": "+49*********12", "+15005550006": "+15*******06", "": "***", "110": "***", "+1234567": "***", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": "***",
	} {
		if got := MaskPhone(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"anna@example.com": "a***@example.com", "é@x.example": "é***@x.example", "nobody": "***", "@example.com": "***", "": "***", `"a@b"@example.com`: `"***@example.com`,
	} {
		if got := MaskAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNothingPrintsARecipient(t *testing.T) {
	m := Mail{ID: "m1", To: Mailbox{Address: "anna.secret@example.com", Name: "Anna Secret"}, Subject: "Secret", Text: "Secret", HTML: "Secret"}
	x := Text{ID: "t1", To: "+4915112345612", Body: "Secret"}
	var out bytes.Buffer
	for _, v := range []any{m, &m, x, &x, x.To, m.To.Address, []Text{x}, struct{ M Mail }{m}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			_, _ = fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "mail", m, "text", x, "to", x.To, "address", m.To.Address)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "mail", m, "text", x, "to", x.To, "address", m.To.Address)
	for _, secret := range []string{"Secret", "secret", "5112345"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q stands in\n%s", secret, out.String())
		}
	}
}

func TestValid(t *testing.T) {
	for p, want := range map[Phone]bool{"+4915112345678": true, "+15005550006": true, "4915112345678": false, "+0151": false, "+491511234567890123": false, "+49 151 1234567": false, "+49151١٢٣٤٥٦": false, "+4915112345678\n": false} {
		if p.Valid() != want {
			t.Errorf("%q", string(p))
		}
	}
	for a, want := range map[Address]bool{
		"a@b.example": true, "a.b+c@sub.b-c.example": true, "a@b": false, "a@b..example": false, "a@-b.example": false, "a b@c.example": false, "a@b.example\n": false,
		"a@b.example,c@d.example": false, "<a@b.example>": false, "ä@b.example": false, Address(strings.Repeat("x", 65) + "@b.example"): false, Address("a@" + strings.Repeat("x.", 200) + "example"): false,
	} {
		if a.Valid() != want {
			t.Errorf("%q", string(a))
		}
	}
}

func TestSupersedes(t *testing.T) {
	// Each line: what came first, what came later, what stands.
	for _, c := range [][3]Kind{
		{Sent, Delivered, Delivered}, {Delivered, Sent, Delivered}, {Delivered, Accepted, Delivered}, {Deferred, Delivered, Delivered},
		{Delivered, Deferred, Delivered}, {Undelivered, Sent, Undelivered}, {Delivered, Bounced, Bounced}, {Bounced, Delivered, Bounced},
		{Refused, Bounced, Bounced}, {Delivered, Opened, Opened}, {Opened, Delivered, Opened}, {Opened, Spam, Spam}, {Spam, OptedOut, Spam},
		{Delivered, Other, Delivered}, {Other, Accepted, Accepted}, {Accepted, Dropped, Dropped},
	} {
		if got := Latest([]Event{{Kind: c[0], EventID: "1"}, {Kind: c[1], EventID: "2"}}); got.Kind != c[2] {
			t.Errorf("%s, then %s: %s, want %s", c[0], c[1], got.Kind, c[2])
		}
	}
	if Latest(nil) != (Event{}) {
		t.Error("something of nothing")
	}
}

var kinds = []Kind{Other, Accepted, Deferred, Sent, Delivered, Refused, Undelivered, Dropped, Bounced, Opened, Resubscribed, OptedOut, Spam}

// Against a dumb oracle: the order of kinds is the order of the list above, and
// copies and arrival change nothing.
func TestLatestInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var events []Event
		for i := range n {
			events = append(events, Event{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), EventID: fmt.Sprintf("e%02d", i)})
		}
		oracle := slices.Clone(events)
		slices.SortStableFunc(oracle, func(a, b Event) int { return slices.Index(kinds, b.Kind) - slices.Index(kinds, a.Kind) })
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		arrived := append(slices.Clone(events), events[:r.IntN(n)+1]...)
		r.Shuffle(len(arrived), func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
		if got := Latest(arrived); got != oracle[0] {
			t.Fatalf("%+v, want %+v of %+v", got, oracle[0], arrived)
		}
	})
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"“It’s here” – 5 kg…":   `"It's here" - 5 kg...`,
		"Größe Ä Ö Ü ß":         "Größe Ä Ö Ü ß",
		"Não há previsão, você": "Nao ha previsao, voce",
		"Ação Ç ç":              "Acao Ç c",
		"¿Dónde está? ¡Sí! ñ é": "¿Donde esta? ¡Si! ñ é",
		"12 € [1] {2} ~":        "12 € [1] {2} ~",
		"📦 on its way 🎉":        "on its way",
		"a\u00a0b\u202fc\u200b": "a b c",
		"Ваш заказ":             "Ваш заказ",
		"订单":                    "订单",
		"e\u0301 o\u0303":       "é o",
		"Œuvre Łódź":            "OEuvre Lodz",
		"":                      "",
		"\xff\x00":              "",
		"a\u0387b":              Plain("a\u00b7b"),
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := Plain(s)
		if Plain(once) != once {
			t.Fatalf("%q: %q, then %q", s, once, Plain(once))
		}
		latin := Plain(rapid.StringOf(rapid.RuneFrom([]rune("abcàáâãäåçèéêëìíîïñòóôõöøùúûüýÿ“”‘’„–—…€📦 "))).Draw(t, "latin"))
		if _, gsm := Segments(latin); !gsm {
			t.Fatalf("%q needs UCS-2", latin)
		}
	})
}

func TestSegments(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		text string
		n    int
		gsm  bool
	}{
		{"", 1, true}, {x(160), 1, true}, {x(161), 2, true}, {x(306), 2, true}, {x(307), 3, true},
		{x(158) + "€", 1, true}, {x(159) + "€", 2, true}, {strings.Repeat("€", 80), 1, true}, {strings.Repeat("€", 81), 2, true},
		{strings.Repeat("€", 153), 3, true}, // 76 pairs fit in 153 septets, never 76 and a half
		{"ж" + x(69), 1, false}, {"ж" + x(70), 2, false}, {"ж" + x(133), 2, false}, {"ж" + x(134), 3, false},
		{strings.Repeat("😀", 35), 1, false}, {strings.Repeat("😀", 36), 2, false}, {strings.Repeat("😀", 67), 3, false},
	} {
		if n, gsm := Segments(c.text); n != c.n || gsm != c.gsm {
			t.Errorf("%d runes: %d, %v; want %d, %v", len([]rune(c.text)), n, gsm, c.n, c.gsm)
		}
	}
	// Against filling the segments one by one.
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("ab€ж😀")), 0, 400, -1).Draw(t, "s")
		n, gsm := Segments(s)
		size, one := 67, 70
		units := func(r rune) int { return len(utf16.Encode([]rune{r})) }
		if gsm {
			size, one = 153, 160
			units = func(r rune) int { return 1 + strings.Count("€", string(r)) }
		}
		total, filled := 0, []int{0}
		for _, r := range s {
			total += units(r)
			if filled[len(filled)-1]+units(r) > size {
				filled = append(filled, 0)
			}
			filled[len(filled)-1] += units(r)
		}
		want := len(filled)
		if total <= one {
			want = 1
		}
		if n != want || gsm == strings.ContainsAny(s, "ж😀") {
			t.Fatalf("%q: %d, want %d", s, n, want)
		}
	})
}

type brokenShelf struct{}

func (brokenShelf) Keep(context.Context, Kept) error { return errors.New("away") }
func (brokenShelf) Has(context.Context, string) (bool, error) {
	return false, errors.New("away")
}

func TestOutbox(t *testing.T) {
	ctx, now := context.Background(), time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	shelf := &Memory{}
	box := Outbox{Shelf: shelf, Now: func() time.Time { return now }}
	var email Email = box.Email()
	var sms SMS = box.SMS()
	m, x := Mail{ID: "m1", Subject: "Hello"}, Text{ID: "t1", Body: "Hello"}
	if got, _, err := box.SMS().Find(ctx, x, now); got != NotTaken || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	for range 2 { // a second send of the same message is the same message
		if r, err := email.Send(ctx, m); err != nil || r.ProviderID != "m1" {
			t.Fatal(r, err)
		}
		if r, err := sms.Send(ctx, x); err != nil || r.ProviderID != "t1" {
			t.Fatal(r, err)
		}
	}
	kept := shelf.All()
	if len(kept) != 2 || kept[0].Mail.Subject != "Hello" || kept[1].Text.Body != "Hello" || !kept[0].At.Equal(now) {
		t.Errorf("%+v", kept)
	}
	if got, r, err := box.SMS().Find(ctx, x, now); got != Taken || r.ProviderID != "t1" || err != nil {
		t.Errorf("%s, %v, %v", got, r, err)
	}
	var e *Error
	if _, err := email.Send(ctx, Mail{}); !errors.As(err, &e) || e.Class != Permanent {
		t.Errorf("%v", err)
	}
	box.Shelf = brokenShelf{}
	if _, err := box.Email().Send(ctx, m); !errors.As(err, &e) || e.Class != Retryable {
		t.Errorf("%v", err)
	}
	if got, _, err := box.Email().Find(ctx, m, now); got != Unknown || err == nil {
		t.Errorf("%s, %v", got, err)
	}
}
