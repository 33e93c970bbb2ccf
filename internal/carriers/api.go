package carriers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Asker is an adapter whose carrier can be asked.
type Asker interface {
	Adapter
	// APIs are the carrier's interfaces; the first is the usual one. Their
	// answers are read by ParseTrack.
	APIs() []API
}

// API is one interface of a carrier: how its requests look and what it allows.
// Everything is pure: requests are built here and sent elsewhere.
type API struct {
	// Name tells the interfaces of one carrier apart: unified, express.
	Name string
	// BaseURL has no slash at its end. A credential may name another.
	BaseURL string
	// Budget is what may be sent before the carrier grants more: every window
	// holds at once, and every request counts, those for tokens too.
	Budget []Window
	// Token builds the request for a token; nil where the credential itself goes
	// into each request. The answer is read by ParseToken.
	Token func(Account) (*http.Request, error)
	// Track builds the request for the tracking of up to Batch numbers.
	Track func(Question) (*http.Request, error)
	Batch int
	// Subscribe builds the request for pushes about up to SubscribeBatch numbers;
	// nil where there is none. Subscribed for SubscribedFor; 0: until the parcel
	// ends or the carrier thinks so.
	Subscribe      func(Question) (*http.Request, error)
	SubscribeBatch int
	SubscribedFor  time.Duration
	// Activate builds the answer to a carrier that wants a new subscription confirmed
	// before it pushes; nil where none does. The adapter is a Confirmer.
	Activate func(Account, Confirmation) (*http.Request, error)
	// Backfills: a new subscription tells what happened before it. Otherwise
	// track once when subscribing.
	Backfills bool
	// Rejected reads which numbers a granted subscription leaves out; nil where
	// there is only all or nothing.
	Rejected func(body []byte) []string
	// Prove builds the request for the proof of one delivery, and Evidence reads
	// the answer; nil where none can be fetched.
	Prove    func(Question) (*http.Request, error)
	Evidence func(number string, body []byte) (Evidence, error)
	// Takes are the instructions that the carrier can be told, by the request that
	// Tell builds; Told reads the answer.
	Takes []order.Resolution
	Tell  func(Task) (*http.Request, error)
	Told  func(body []byte) (Done, error)
	// Books is what the carrier makes for returns. Book is given its answers so far,
	// the oldest first, and says what comes next. Find looks for what may have been
	// made, by our reference or by the handle of the request that made it; nil, or
	// ErrCannot, where the carrier cannot say. It finds what is there; that it finds
	// nothing does not say that there is nothing.
	Books []order.BookingKind
	Book  func(j Job, said [][]byte) (Turn, error)
	Find  func(j Job, handle string, said [][]byte) (Turn, error)
	// Voids is what of that the carrier takes back. Void is given its answers so far,
	// and says what comes next, or that it is void; an error about an answer is the
	// carrier's no. It may be asked twice.
	Voids []order.BookingKind
	Void  func(j Job, said [][]byte) (Turn, error)
	// Unsure are error codes with which a carrier leaves open whether it did what it
	// refused with a 4xx.
	Unsure []string
	// Reasons are the carrier's error codes that say more than the HTTP status.
	Reasons map[string]Reason
}

// Window bounds requests: at most Calls in any stretch of length Per.
type Window struct {
	Calls int
	Per   time.Duration
}

// units are the lengths that have a letter.
var units = []struct {
	letter string
	per    time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// String is how a window is written in configuration: 60/h, 1400/10s.
func (w Window) String() string {
	for _, u := range units {
		if w.Per == u.per {
			return fmt.Sprintf("%d/%s", w.Calls, u.letter)
		}
	}
	return fmt.Sprintf("%d/%s", w.Calls, w.Per)
}

// ParseWindow reads 60/h, 250/d, 1/s, 1400/10s.
func ParseWindow(s string) (Window, error) {
	calls, per, ok := strings.Cut(strings.TrimSpace(s), "/")
	n, err := strconv.Atoi(calls)
	if !ok || err != nil || n < 1 || n > 100_000_000 {
		return Window{}, fmt.Errorf("%q is no budget; write it like 60/h, 250/d or 1400/10s", Clean(s, 40))
	}
	for _, u := range units {
		if per == u.letter {
			return Window{n, u.per}, nil
		}
	}
	d, err := time.ParseDuration(per)
	if err != nil || d < time.Millisecond || d > 31*24*time.Hour {
		return Window{}, fmt.Errorf("%q is no budget; write it like 60/h, 250/d or 1400/10s", Clean(s, 40))
	}
	return Window{n, d}, nil
}

// Secret is a text that no log, error or dump shows.
type Secret string

func (Secret) String() string               { return "(secret)" }
func (Secret) GoString() string             { return "(secret)" }
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// Account is one credential at one carrier.
type Account struct {
	Name    string // ours, for configuration, budgets and metrics
	Carrier string
	API     string // empty: the carrier's usual one
	// BaseURL is where requests go.
	BaseURL string
	// Key and Secret as the carrier calls them: client ID and secret, user and
	// password, or a key alone.
	Key, Secret Secret
	Number      string // the carrier's for the account, where it wants one
	Service     string // the carrier's product, where a number alone is ambiguous
	// Contact is whom the carrier asks about what it was told.
	Contact Contact
	// Hook is where the carrier shall push to.
	Hook Hook
}

// Hook is where a carrier shall push to and what proves that it was the carrier.
type Hook struct {
	URL    string
	Secret Secret
	Email  string // whom the carrier tells when pushes fail
}

// Confirmation is what a carrier pushes to have a subscription of ours confirmed: its
// name there, and what must be sent back. It is hostile until the push is verified,
// and only the name goes into an address.
type Confirmation struct {
	Subscription string
	Secret       Secret
}

// Question is what is asked with one request.
type Question struct {
	Account
	ID      string // of this request, unique; up to 36 letters and digits
	Token   Secret
	Numbers []string
	// Of is the carrier that moves the parcels, in our words; only aggregators
	// look at it, and it may be empty.
	Of string
}

// Reason is why a carrier did not answer.
type Reason string

const (
	NotFound     Reason = "not_found"    // it does not know the number, or not yet
	Limited      Reason = "limited"      // too many requests; ask again after a while
	Unauthorized Reason = "unauthorized" // the credential or the token is not good
	Unavailable  Reason = "unavailable"  // it is down, slow, or answers with garbage
	BadRequest   Reason = "refused"      // the request itself is not good, and will not be
	Already      Reason = "already"      // it pushes for the number already: no problem
)

// AskError says why a carrier could not be asked, or did not answer. It shows
// codes, never a body: a carrier may send back what it was given.
type AskError struct {
	Reason Reason
	// Until is when it may be asked again; zero when not known.
	Until  time.Time
	Detail string
	// Open: the carrier may have done what it was asked all the same.
	Open bool
}

func (e *AskError) Error() string {
	s := string(e.Reason)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if !e.Until.IsZero() {
		s += "; not before " + e.Until.UTC().Format(time.RFC3339)
	}
	return s
}

// Judge reads an answer that brought no events: which problem, how long to
// rest (0: not said), and in which words. It is given the error of the parser,
// if the status was good. It is total: whatever came, one problem comes out.
func Judge(api API, status int, h http.Header, body []byte, parsing error, now time.Time) (Reason, time.Duration, string) {
	detail := "HTTP " + strconv.Itoa(status)
	rest := RetryAfter(h, now)
	if status == http.StatusTooManyRequests { // whatever else it says
		return Limited, rest, detail
	}
	for _, code := range problemCodes(body) {
		if p, ok := api.Reasons[code]; ok {
			return p, rest, detail + " " + code
		}
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unauthorized, 0, detail
	case status == http.StatusNotFound:
		return NotFound, 0, detail
	case status == http.StatusRequestTimeout, status >= 500:
		return Unavailable, rest, detail
	case status >= 200 && status < 300:
		if parsing != nil {
			return Unavailable, 0, detail + " with an answer that is not the carrier's"
		}
		return NotFound, 0, detail
	}
	return BadRequest, 0, detail
}

// LeavesOpen says whether an answer that is no good leaves open what the carrier
// did. Only a clear no is certain.
func LeavesOpen(api API, status int, body []byte) bool {
	if status < 400 || status >= 500 || status == http.StatusRequestTimeout {
		return true
	}
	return slices.ContainsFunc(problemCodes(body), func(code string) bool { return slices.Contains(api.Unsure, code) })
}

// maxRest bounds what a Retry-After may demand: a mistake must not silence a
// carrier for weeks.
const maxRest = 25 * time.Hour

// RetryAfter reads the header, in seconds or as a date; 0 when there is none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(maxRest/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRest)
}

// problemCodes collects what stands as "code", or as an OAuth "error", anywhere
// in a JSON document, in its order.
func problemCodes(body []byte) []string {
	if len(body) > MaxBody {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var codes []string
	// Of the objects and lists around the present token: whether an object, and
	// there whether a key comes next and which came last.
	type level struct {
		object, key bool
		name        string
	}
	var in []level
	done := func() {
		if n := len(in); n > 0 && in[n-1].object {
			in[n-1].key = true
		}
	}
	for len(codes) < 100 {
		t, err := d.Token()
		if err != nil {
			return codes
		}
		if delim, ok := t.(json.Delim); ok {
			switch delim {
			case '{', '[':
				in = append(in, level{object: delim == '{', key: delim == '{'})
			default:
				in = in[:len(in)-1]
				done()
			}
			continue
		}
		if len(in) == 0 {
			return codes
		}
		top := &in[len(in)-1]
		if top.object && top.key {
			top.name, top.key = fmt.Sprint(t), false
			continue
		}
		if top.object && (top.name == "code" || top.name == "error") && t != nil {
			codes = append(codes, Clean(fmt.Sprint(t), 80))
		}
		done()
	}
	return codes
}

// Token lets requests pass for a while.
type Token struct {
	Value  Secret
	Expiry time.Duration // from when it was asked for
}

// ParseToken reads the answer to an OAuth 2.0 token request (RFC 6749, 5.1).
// expires_in is in seconds, for some carriers as a string; without one an hour
// is not assumed, but a minute.
func ParseToken(body []byte) (Token, error) {
	if len(body) > MaxBody {
		return Token{}, Malformed("a token of %d bytes", len(body))
	}
	var t struct {
		Access  string          `json:"access_token"`
		Type    string          `json:"token_type"`
		Expires json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return Token{}, Malformed("no token") // the decoder's words may show the token
	}
	if t.Access == "" || len(t.Access) > 16<<10 || strings.ContainsFunc(t.Access, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, Malformed("no token")
	}
	seconds, err := strconv.ParseFloat(strings.Trim(string(t.Expires), `" `), 64)
	if err != nil || !(seconds >= 1) {
		seconds = 60
	}
	return Token{Secret(t.Access), time.Duration(min(seconds, 30*24*3600)) * time.Second}, nil
}

// Errors of questions that must not be sent.
var (
	errNoNumbers = errors.New("no tracking number to ask for")
	errNoHook    = errors.New("no webhook to push to: set WAYBILL_WEBHOOK_SECRETS for this carrier and WAYBILL_PUBLIC_URL")
)

// Check refuses what no carrier is asked: no numbers, too many, or what cannot
// be one. Numbers go into paths and bodies as they are.
func (q Question) Check(batch int) error {
	if len(q.Numbers) == 0 {
		return errNoNumbers
	}
	if len(q.Numbers) > batch {
		return fmt.Errorf("%d numbers, %d at most", len(q.Numbers), batch)
	}
	for _, n := range q.Numbers {
		if !IsNumber(n) {
			return fmt.Errorf("%q is no tracking number", Clean(n, 80))
		}
	}
	return nil
}

// CheckHook refuses a subscription that would push to nowhere, or unproven.
func (q Question) CheckHook() error {
	if q.Hook.URL == "" || q.Hook.Secret == "" {
		return errNoHook
	}
	return nil
}

// Get builds a request without a body.
func Get(url string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, errors.New("the base URL is not good")
	}
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// Delete builds a request without a body.
func Delete(url string) (*http.Request, error) {
	r, err := Get(url)
	if err == nil {
		r.Method = http.MethodDelete
	}
	return r, err
}

// Post builds a request with a JSON body.
func Post(url string, body any) (*http.Request, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return nil, errors.New("the base URL is not good")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// PostForm builds a request with a form, as OAuth wants it.
func PostForm(url, form string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(form))
	if err != nil {
		return nil, errors.New("the base URL is not good")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, nil
}

// Bearer puts the token into a request.
func (q Question) Bearer(r *http.Request) { r.Header.Set("Authorization", "Bearer "+string(q.Token)) }
