package ask

import (
	"context"
	"errors"
	"net/http"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Book has a carrier make something. Before the request that makes it is sent,
// sending commits that it will be, under the carrier's handle for it if there is
// one; its error ends everything. That request is sent once, but for a token that
// was refused. Errors are as those of Track; Open says that it may have been made
// all the same, in which case it is looked for with Find, and never sent again.
func (c *Client) Book(ctx context.Context, credential string, j carriers.Job, sending func(handle string) error) (carriers.Made, error) {
	a, err := c.account(credential)
	if err != nil {
		return carriers.Made{}, err
	}
	if a.api.Book == nil {
		return carriers.Made{}, &carriers.AskError{Reason: carriers.BadRequest, Detail: a.Carrier + " " + a.API + " makes nothing for returns"}
	}
	return c.turns(ctx, a, string(j.Kind), j, a.api.Book, sending)
}

// Find looks for what may have been made. Nothing found is the zero Made, which
// does not say that there is nothing. cannot: this carrier cannot say.
func (c *Client) Find(ctx context.Context, credential string, j carriers.Job, handle string) (made carriers.Made, cannot bool, err error) {
	a, err := c.account(credential)
	if err != nil {
		return made, false, err
	}
	if a.api.Find == nil {
		return made, true, nil
	}
	find := func(j carriers.Job, said [][]byte) (carriers.Turn, error) { return a.api.Find(j, handle, said) }
	j.Question = a.question("", nil)
	if _, err := find(j, nil); errors.Is(err, carriers.ErrCannot) {
		return made, true, nil
	}
	made, err = c.turns(ctx, a, "find", j, find, func(string) error { return nil })
	var problem *carriers.AskError
	if errors.As(err, &problem) && (problem.Reason == carriers.NotFound || problem.Reason == carriers.BadRequest) {
		return carriers.Made{}, false, nil
	}
	return made, false, err
}

// Void has a carrier take back what it made. Errors are as those of Track; to ask again
// does no harm. cannot says why it cannot be asked at all.
func (c *Client) Void(ctx context.Context, credential string, j carriers.Job) (cannot string, err error) {
	a, err := c.account(credential)
	if err != nil {
		return err.Error(), nil
	}
	if a.api.Void == nil {
		return a.Carrier + " " + a.API + " takes nothing back from here", nil
	}
	j.Question = a.question("", nil)
	if _, err := a.api.Void(j, nil); err != nil {
		return a.Carrier + ": " + err.Error(), nil
	}
	_, err = c.turns(ctx, a, "void", j, a.api.Void, func(string) error { return nil })
	return "", err
}

// turns sends one request after the other, until next says that it is over.
func (c *Client) turns(ctx context.Context, a *account, what string, j carriers.Job, next func(carriers.Job, [][]byte) (carriers.Turn, error), sending func(string) error) (carriers.Made, error) {
	var said [][]byte
	sent := false
	for {
		var turn carriers.Turn
		build := func(q carriers.Question) (*http.Request, error) {
			j.Question = q
			t, err := next(j, said)
			turn = t
			return t.Request, err
		}
		q := a.question("", nil)
		if _, err := build(q); err != nil { // what cannot be said is not the carrier's no
			return carriers.Made{}, &carriers.AskError{Reason: carriers.BadRequest, Detail: err.Error(), Open: sent}
		}
		if turn.Request == nil {
			return turn.Made, nil
		}
		stands, makes := turn.Made, turn.Makes
		if makes {
			if err := sending(turn.Handle); err != nil {
				return carriers.Made{}, err
			}
		}
		var body []byte
		err := c.ask(ctx, a, what, build, q, func(b []byte) error {
			body = b
			if _, err := next(j, append(said[:len(said):len(said)], b)); errors.Is(err, carriers.ErrMalformed) {
				return err
			}
			return nil // what else cannot be done with it is said in the next turn
		}, nil)
		if err != nil {
			var problem *carriers.AskError
			switch {
			case stands.Found():
				return stands, nil // it is made; what failed came after
			case errors.As(err, &problem) && !makes:
				problem.Open = false
			}
			return carriers.Made{}, err
		}
		said, sent = append(said, body), sent || makes
	}
}
