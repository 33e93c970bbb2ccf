// Package generic makes adapters from mapping files, for local fleets and portals
// that write JSON or CSV of their own. NOTES.md says how to write one.
package generic

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/waybillhq/waybill/internal/carriers"
)

const (
	table   = "status" // of every mapping's codes
	maxCode = 60       // bytes; a longer code is refused, a part of it would be another
	maxID   = 200
)

// Adapter is a carrier as its mapping file describes it.
type Adapter struct {
	name, format, events string
	comma                rune
	charset              *charmap.Charmap // nil: UTF-8
	layouts              []layout
	zone                 *time.Location // nil: not known
	at                   fields
	codes                *carriers.Table
	auth                 *auth
}

func (a *Adapter) Name() string { return a.name }

// Capabilities: a carrier whose pushes prove nothing has no webhook; its files
// come from a caller whom we know.
func (a *Adapter) Capabilities() []carriers.Capability {
	can := []carriers.Capability{carriers.CanParsePush, carriers.CanParseFile}
	if a.auth != nil {
		can = append(can, carriers.CanVerifyPush)
	}
	return can
}

// Codes is the mapping's table.
func (a *Adapter) Codes() *carriers.Table { return a.codes }

// Verify checks the signature over the raw body, or the bearer.
func (a *Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	switch {
	case a.auth == nil:
		return carriers.ErrCannot
	case a.auth.Kind.s == "bearer":
		scheme, given, _ := strings.Cut(p.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			given = ""
		}
		return carriers.Credential(secrets, strings.TrimSpace(given))
	}
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get(a.auth.Header.s), func(given string) ([]byte, error) {
		digest, ok := strings.CutPrefix(given, a.auth.Prefix.s)
		switch {
		case !ok:
			return nil, carriers.ErrBadSignature
		case a.auth.Encoding.s == "base64":
			return base64.StdEncoding.DecodeString(digest)
		}
		return hex.DecodeString(digest)
	})
	if err != nil {
		return err
	}
	return carriers.HMAC(secrets, sum, p.Body)
}

// ParsePush reads a push.
func (a *Adapter) ParsePush(body []byte) ([]carriers.Event, error) { return a.ParseFile(body).Push() }

// ParseTrack cannot: a mapping knows no address to ask.
func (a *Adapter) ParseTrack([]byte) ([]carriers.Event, error) { return nil, carriers.ErrCannot }
