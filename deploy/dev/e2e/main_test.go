// Package e2e checks the promises of docs and README against the real thing:
// PostgreSQL, the Temporal server, and the product as separate processes that
// are cut off and killed. The tests are named after the promise.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
)

// one stack for the whole package: starting it is the expensive part. Each test
// has a store of its own.
var one *rig.Rig

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	began := time.Now()
	var err error
	if one, err = rig.Start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "the stack did not start:", err)
		return 1
	}
	fmt.Fprintf(os.Stderr, "stack and binary ready after %s\n", time.Since(began).Round(time.Millisecond))
	defer func() {
		if err := one.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "the stack did not stop:", err)
			code = 1
		}
	}()
	return m.Run()
}
