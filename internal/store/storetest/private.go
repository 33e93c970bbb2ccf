package storetest

import (
	"context"
	"errors"
)

func private(context.Context) (string, func(), error) {
	return "", nil, errors.New("set " + Env)
}
