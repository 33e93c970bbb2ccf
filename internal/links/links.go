// Package links makes every address that Waybill gives out, so that the API,
// the pages, messages and workflow details all point to the same places.
package links

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math/big"
	"net/url"
	"strconv"
	"strings"
)

// Links knows where the parts of Waybill can be reached.
type Links struct {
	PublicURL     string // of the API and the pages, without a trailing slash
	TemporalUIURL string // of the Temporal Web UI
	Namespace     string // the Temporal namespace
	Secret        []byte // makes tracking tokens unguessable; changing it breaks links already sent
}

const (
	tokenBytes  = 20 // of the MAC: 160 bit
	tokenLength = 27 // base62 digits that hold them
	minSecret   = 16
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Check refuses a secret so short that tokens could be guessed.
func (l Links) Check() error {
	if len(l.Secret) < minSecret {
		return errors.New("links: the secret must be at least 16 bytes")
	}
	return nil
}

// Token names an order's tracking page. It is derived, not stored, so that a
// message sent months later carries the same link; only its hash is in the
// database, so a stolen copy of that opens no page. Base62, because mail
// programs drop a "-" or "_" at the end of a link.
func (l Links) Token(orderID string) string { return l.token("track:" + orderID) }

func (l Links) token(of string) string {
	mac := hmac.New(sha256.New, l.Secret)
	mac.Write([]byte(of))
	n := new(big.Int).SetBytes(mac.Sum(nil)[:tokenBytes])
	digits := make([]byte, tokenLength)
	for i, sixtyTwo, digit := tokenLength-1, big.NewInt(62), new(big.Int); i >= 0; i-- {
		n.DivMod(n, sixtyTwo, digit)
		digits[i] = base62[digit.Int64()]
	}
	return string(digits)
}

// TokenHash is what the database keeps of a token.
func TokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Tracking is the buyer's page.
func (l Links) Tracking(orderID string) string {
	return base(l.PublicURL) + "/t/" + l.Token(orderID)
}

// Preferences is where a buyer chooses which messages to get, and what answers a
// one-click POST. Its token is another than the tracking page's, which buyers
// share: who may look at an order may not unsubscribe its buyer.
func (l Links) Preferences(orderID string) string {
	return base(l.PublicURL) + "/m/" + url.PathEscape(orderID) + "/" + l.token("messages:"+orderID)
}

// MayPrefer says whether a token is that of the order's page of preferences.
func (l Links) MayPrefer(orderID, token string) bool {
	return hmac.Equal([]byte(token), []byte(l.token("messages:"+orderID)))
}

// The forms of the buyer's own page, each below its address.
const (
	Missing    = "missing"     // a delivered parcel is not there
	Found      = "found"       // it has turned up
	AnotherDay = "another-day" // what follows a failed attempt
	Address    = "address"     // the carrier cannot find it
	Return     = "return"      // to send something back
	Proof      = "proof"       // of deliveries
)

// Buyer is the page on which a buyer acts; its forms are below it. Its token is in
// nothing but what is sent to the buyer: the tracking page's is shared, and the API
// tells that one to others. The number counts how often the buyer's link was ended.
func (l Links) Buyer(orderID string, number int) string {
	return base(l.PublicURL) + "/b/" + url.PathEscape(orderID) + "/" + l.buyerToken(orderID, number)
}

// MayAct says whether a token is that of the order's buyer.
func (l Links) MayAct(orderID string, number int, token string) bool {
	return hmac.Equal([]byte(token), []byte(l.buyerToken(orderID, number)))
}

func (l Links) buyerToken(orderID string, number int) string {
	of := "buyer:" + orderID
	if number > 0 {
		of += "\x00" + strconv.Itoa(number) // the zero byte is in no order's ID
	}
	return l.token(of)
}

// Console is the order's page for support and ops.
func (l Links) Console(orderID string) string {
	return base(l.PublicURL) + "/console/orders/" + url.PathEscape(orderID)
}

// History is the order's workflow in the Temporal Web UI.
func (l Links) History(orderID string) string {
	return base(l.TemporalUIURL) + "/namespaces/" + url.PathEscape(l.Namespace) + "/workflows/" + url.QueryEscape("order:"+orderID)
}

func base(u string) string { return strings.TrimRight(u, "/") }
