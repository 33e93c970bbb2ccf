package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/order"
)

// RemedyRequest asks a storefront for a refund or a replacement. The remedy's ID
// is the idempotency key: however often it is asked, it is done once.
type RemedyRequest struct {
	OrderID string       `json:"order_id"`
	Store   string       `json:"store"`
	Number  string       `json:"number"`
	Remedy  order.Remedy `json:"remedy"`
}

// RemedyAnswer is what the storefront said: done, under its own reference, or
// declined with a reason. Anything else is an error and asked again.
type RemedyAnswer struct {
	Declined  string `json:"declined,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// ErrFinal marks an error that asking again will not mend.
var ErrFinal = errors.New("the storefront cannot be asked")

// Storefronts calls the shops' own systems.
type Storefronts interface {
	RequestRemedy(ctx context.Context, r RemedyRequest) (RemedyAnswer, error)
}

// RequestRemedy asks the storefront, and waits for its word.
func (a *Activities) RequestRemedy(ctx context.Context, r RemedyRequest) (RemedyAnswer, error) {
	if a.Storefronts == nil {
		return RemedyAnswer{}, temporal.NewNonRetryableApplicationError("no storefront can be called: carry it out there and record it", "NoStorefront", nil)
	}
	answer, err := a.Storefronts.RequestRemedy(ctx, r)
	if errors.Is(err, ErrFinal) {
		return answer, temporal.NewNonRetryableApplicationError(err.Error(), "NoStorefront", nil)
	}
	return answer, err
}
