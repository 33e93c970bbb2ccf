package storetest

import (
	"context"
	"log/slog"
	"os"

	"github.com/waybillhq/waybill/internal/localpg"
)

// private starts a PostgreSQL server for this test process.
func private(ctx context.Context) (url string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "waybill-test-")
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil { // the server's user must get through
		remove()
		return "", nil, err
	}
	port, err := localpg.FreePorts(1)
	if err != nil {
		remove()
		return "", nil, err
	}
	server, err := localpg.Start(ctx, localpg.Options{Dir: dir, Port: port, Install: true, NoSync: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		remove()
		return "", nil, err
	}
	stop = func() {
		_ = server.Stop(ctx)
		remove()
	}
	if url, err = server.URL("postgres"); err != nil {
		stop()
		return "", nil, err
	}
	return url, stop, nil
}
