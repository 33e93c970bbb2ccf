package stack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"

	"github.com/waybillhq/waybill/internal/localpg"
)

type webUI struct {
	server *uiserver.Server
	done   chan struct{}
	url    string
}

func startUI(ctx context.Context, o Options, temporal string) (*webUI, error) {
	// Its own Start ends the process when the port is taken.
	if err := localpg.CheckPort(o.Host, o.UIPort, "Temporal's Web UI"); err != nil {
		return nil, err
	}
	w := &webUI{
		url:  "http://" + net.JoinHostPort(BrowserHost(o.Host), strconv.Itoa(o.UIPort)),
		done: make(chan struct{}),
		server: uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host:                o.Host,
			Port:                o.UIPort,
			TemporalGRPCAddress: temporal,
			DefaultNamespace:    o.Namespace,
			EnableUI:            true,
			HideLogs:            true,
			DisableNewsFetch:    true,
			CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP
		})),
	}
	go func() {
		defer close(w.done)
		_ = w.server.Start() // returns nil or ends the process
	}()
	err := waitFor(ctx, 30*time.Second, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/healthz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", req.URL, resp.Status)
		}
		return nil
	})
	if err != nil {
		_ = w.stop()
		return nil, err
	}
	return w, nil
}

func (w *webUI) stop() error {
	w.server.Stop()
	<-w.done
	return nil
}

// BrowserHost is where a browser on this machine finds a listener.
func BrowserHost(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}
