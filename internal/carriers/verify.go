package carriers

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// HMAC checks sum against HMAC-SHA256 of the message by any of the secrets, in
// constant time for each.
func HMAC(secrets [][]byte, sum []byte, message ...[]byte) error {
	if err := Secrets(secrets); err != nil {
		return err
	}
	if len(sum) == 0 {
		return ErrNotSigned
	}
	good := 0
	for _, s := range secrets {
		mac := hmac.New(sha256.New, s)
		for _, m := range message {
			mac.Write(m)
		}
		good |= subtle.ConstantTimeCompare(mac.Sum(nil), sum)
	}
	if good == 0 {
		return ErrBadSignature
	}
	return nil
}

// Sum is the digest that a signature's header holds, read by decode (hex or
// base64).
func Sum(header string, decode func(string) ([]byte, error)) ([]byte, error) {
	header = strings.TrimSpace(header)
	if header == "" {
		return nil, ErrNotSigned
	}
	sum, err := decode(header)
	if err != nil || len(sum) == 0 {
		return nil, ErrBadSignature
	}
	return sum, nil
}

// Credential checks a shared credential that the carrier sends back, for
// carriers that do not sign.
func Credential(secrets [][]byte, given string) error {
	if err := Secrets(secrets); err != nil {
		return err
	}
	if given == "" {
		return ErrNotSigned
	}
	g := sha256.Sum256([]byte(given))
	good := 0
	for _, s := range secrets {
		w := sha256.Sum256(s)
		good |= subtle.ConstantTimeCompare(w[:], g[:])
	}
	if good == 0 {
		return ErrBadSignature
	}
	return nil
}

// Secrets refuses to verify with nothing.
func Secrets(secrets [][]byte) error {
	if len(secrets) == 0 {
		return ErrNoSecret
	}
	for _, s := range secrets {
		if len(s) == 0 {
			return ErrNoSecret
		}
	}
	return nil
}
