package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/waybillhq/waybill/internal/messaging"
)

// SignatureHeader carries the signature of a callback.
const SignatureHeader = "X-Twilio-Signature"

const (
	// MaxCallback bounds a callback's body in bytes.
	MaxCallback = 64 << 10
	maxParams   = 200
	// idParam is our message ID in the query of the status callback.
	idParam = "message"
	// again asks Twilio to try a callback up to five times; without it a callback
	// that finds nobody is lost (twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
	again = "#rc=5&rp=all"
)

// CallbackURL is where Twilio tells what became of message id.
func CallbackURL(base, id string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" || u.User != nil {
		return "", errors.New("no callback URL")
	}
	q := u.Query()
	q.Set(idParam, id)
	u.RawQuery = q.Encode()
	return u.String() + again, nil
}

// Verify says whether a form post is Twilio's. publicURL is the address that
// Twilio called, query and all, as the world sees it; secrets are the auth
// tokens that are active, two while one replaces the other.
//
// The signature is HMAC-SHA1 over the URL and every parameter, name and value,
// sorted by name; of a repeated one every distinct value, sorted. twilio-go's own
// validator takes only the first value. Twilio is not consistent about the
// default port and the fragment in the URL, so each reading is tried.
func Verify(secrets [][]byte, publicURL string, body []byte, signature string) error {
	if len(secrets) == 0 || slices.ContainsFunc(secrets, func(s []byte) bool { return len(s) == 0 }) {
		return messaging.ErrNoSecret
	}
	if signature == "" {
		return messaging.ErrNotSigned
	}
	given, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || len(given) != sha1.Size {
		return messaging.ErrBadSignature
	}
	form, err := parse(body)
	if err != nil {
		return err
	}
	var signed strings.Builder
	for _, k := range sorted(form) {
		values := slices.Clone(form[k])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			signed.WriteString(k + v)
		}
	}
	good := 0
	for _, u := range readings(publicURL) {
		for _, s := range secrets {
			mac := hmac.New(sha1.New, s)
			mac.Write([]byte(u + signed.String()))
			good |= subtle.ConstantTimeCompare(mac.Sum(nil), given)
		}
	}
	if good == 0 {
		return messaging.ErrBadSignature
	}
	return nil
}

// readings are the forms of one URL that Twilio may have signed.
func readings(publicURL string) []string {
	plain, _, _ := strings.Cut(publicURL, "#")
	all := []string{plain}
	if u, err := url.Parse(plain); err == nil && u.Host != "" {
		old := u.Host
		switch port := u.Port(); {
		case port != "":
			u.Host = strings.TrimSuffix(u.Host, ":"+port)
		case u.Scheme == "http":
			u.Host += ":80"
		default:
			u.Host += ":443"
		}
		all = append(all, strings.Replace(plain, "//"+old, "//"+u.Host, 1))
	}
	for _, u := range slices.Clone(all) {
		all = append(all, u+again)
	}
	return all
}

func sorted(form url.Values) []string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func parse(body []byte) (url.Values, error) {
	if len(body) == 0 || len(body) > MaxCallback || strings.Count(string(body), "&") >= maxParams {
		return nil, messaging.ErrMalformed
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: no form", messaging.ErrMalformed)
	}
	return form, nil
}

// ParseStatus reads a verified status callback. query is that of the URL which
// was called; our message ID is in it.
func ParseStatus(query url.Values, body []byte) (messaging.Event, error) {
	form, err := parse(body)
	if err != nil {
		return messaging.Event{}, err
	}
	sid, status := form.Get("MessageSid"), form.Get("MessageStatus")
	if !messageSID.MatchString(sid) || status == "" || len(status) > 40 || !letters(status) {
		return messaging.Event{}, fmt.Errorf("%w: no message or no status", messaging.ErrMalformed)
	}
	e := messaging.Event{ProviderID: sid, EventID: sid + ":" + status, Kind: messaging.Other}
	if id := query.Get(idParam); len(id) <= 200 {
		e.MessageID = id
	}
	switch status {
	case "accepted", "scheduled", "queued", "sending":
		e.Kind = messaging.Accepted
	case "sent":
		e.Kind = messaging.Sent
	case "delivered":
		e.Kind = messaging.Delivered
	case "read":
		e.Kind = messaging.Opened
	case "undelivered", "failed", "canceled":
		e.Kind = messaging.Undelivered
		if n, err := strconv.Atoi(form.Get("ErrorCode")); err == nil && n > 0 {
			e.Code = strconv.Itoa(n)
			c := codes[n]
			e.Reason, e.Permanent = c.reason, c.class == messaging.Permanent
		}
	}
	return e, nil
}

func letters(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' && r != '-' })
}

// Word is what a buyer's reply asks for.
type Word string

const (
	Stop  Word = "stop"
	Start Word = "start"
	Help  Word = "help"
	// NoWord: the buyer wrote something else.
	NoWord Word = ""
)

// Inbound is a text message from a buyer. Its words are not kept: nobody reads
// them here, and they may be anything.
type Inbound struct {
	From       messaging.Phone
	To         string // our sender
	Word       Word
	ProviderID string
}

// words are what Twilio listens to by default in English and French, and the
// plain words of the languages that we write. Twilio itself blocks and answers
// only to its own; honouring more of them costs nothing and ignoring one does.
var words = map[string]Word{
	"STOP": Stop, "STOPALL": Stop, "UNSUBSCRIBE": Stop, "CANCEL": Stop, "END": Stop, "QUIT": Stop, "REVOKE": Stop, "OPTOUT": Stop,
	"ARRET": Stop, "ARRETE": Stop, "ARRETT": Stop, "ARRÊT": Stop, "ARRÊTE": Stop,
	"STOPP": Stop, "ABMELDEN": Stop, "BAJA": Stop, "ALTO": Stop, "PARAR": Stop, "PARE": Stop, "SAIR": Stop, "CANCELAR": Stop,
	"START": Start, "UNSTOP": Start, "YES": Start, "ANMELDEN": Start, "ALTA": Start, "INICIAR": Start,
	"HELP": Help, "INFO": Help, "AIDE": Help, "HILFE": Help, "AYUDA": Help, "AJUDA": Help,
}

// ReadWord finds the word that a whole reply consists of. "STOP please" is none,
// as at Twilio; case, space and punctuation around it do not matter.
func ReadWord(reply string) Word {
	if len(reply) > 100 {
		return NoWord
	}
	bare := strings.TrimFunc(reply, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	return words[strings.ToUpper(bare)]
}

// ParseInbound reads a verified callback of a message that came in. Twilio's own
// reading (OptOutType, with Advanced Opt-Out) goes before ours.
func ParseInbound(body []byte) (Inbound, error) {
	form, err := parse(body)
	if err != nil {
		return Inbound{}, err
	}
	in := Inbound{From: messaging.Phone(form.Get("From")), To: form.Get("To"), ProviderID: form.Get("MessageSid")}
	if !in.From.Valid() || !messageSID.MatchString(in.ProviderID) || !sender.MatchString(in.To) {
		return Inbound{}, fmt.Errorf("%w: no sender or no message", messaging.ErrMalformed)
	}
	switch form.Get("OptOutType") {
	case "STOP":
		in.Word = Stop
	case "START":
		in.Word = Start
	case "HELP":
		in.Word = Help
	default:
		in.Word = ReadWord(form.Get("Body"))
	}
	return in, nil
}
