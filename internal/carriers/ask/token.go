package ask

import (
	"context"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// tokens keeps one credential's token. Who finds none fetches it while all
// others wait for that one: carriers limit how often a token may be asked for.
type tokens struct {
	// turn holds the token; who took it out may look and change.
	turn chan kept
}

type kept struct {
	value carriers.Secret
	until time.Time // not used after: renewed before it ends
}

func newTokens() tokens {
	t := tokens{make(chan kept, 1)}
	t.turn <- kept{}
	return t
}

// early is how long before its end a token is replaced: a tenth of its life, at
// most five minutes, so that none ends on its way.
func early(life time.Duration) time.Duration { return min(life/10, 5*time.Minute) }

func (t tokens) get(ctx context.Context, fetch func() (carriers.Token, error)) (carriers.Secret, error) {
	var k kept
	select {
	case k = <-t.turn:
	case <-ctx.Done():
		return "", &carriers.AskError{Reason: carriers.Unavailable, Detail: "no token in time"}
	}
	defer func() { t.turn <- k }()
	if k.value != "" && time.Now().Before(k.until) {
		return k.value, nil
	}
	begin := time.Now()
	fresh, err := fetch()
	if err != nil {
		return "", err
	}
	k = kept{fresh.Value, begin.Add(fresh.Expiry - early(fresh.Expiry))}
	return k.value, nil
}

// drop forgets a token that was refused, unless another has taken its place.
func (t tokens) drop(value carriers.Secret) {
	k := <-t.turn
	if k.value == value {
		k = kept{}
	}
	t.turn <- k
}
