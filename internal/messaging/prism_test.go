package messaging_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/messaging/twilio"
)

// Both clients against a server that nobody here wrote: Prism, which plays the
// vendors' own specifications and refuses what they do not allow.
//
//	WAYBILL_PRISM=1 go test -run Prism ./internal/messaging
func TestPrism(t *testing.T) {
	if os.Getenv("WAYBILL_PRISM") == "" {
		t.Skip("set WAYBILL_PRISM=1: this fetches @stoplight/prism-cli from npm")
	}
	npx, err := exec.LookPath("npx")
	if err != nil {
		t.Skipf("npx is not on this machine: %v", err)
	}
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	t.Run("twilio", func(t *testing.T) {
		base := mock(t, npx, filepath.Join(dir, "specs", "twilio", "twilio_api_v2010.messages.json"))
		c, err := twilio.New(twilio.Config{AccountSID: "AC0123456789abcdef0123456789abcdef", Secret: "secret", From: "+15005550006", BaseURL: base, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		text := messaging.Text{ID: "m1", To: "+15005550009", Body: "Your order is on its way.", StatusCallback: "https://shop.example/webhooks/twilio"}
		got, err := c.Send(context.Background(), text)
		if err != nil || !strings.HasPrefix(got.ProviderID, "SM") {
			t.Errorf("%+v, %v", got, err)
		}
		if finding, _, err := c.Find(context.Background(), text, time.Now()); err != nil {
			t.Errorf("%s, %v", finding, err)
		}
	})
	t.Run("sendgrid", func(t *testing.T) {
		base := mock(t, npx, filepath.Join(dir, "specs", "sendgrid", "tsg_mail_v3.json"))
		c, err := sendgrid.New(sendgrid.Config{Key: "SG.x.y", BaseURL: base, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Send(context.Background(), messaging.Mail{
			ID: "m1", From: messaging.Mailbox{Address: "orders@shop.example", Name: "Shop"}, To: messaging.Mailbox{Address: "jo@buyer.example"},
			Subject: "On its way", Text: "On its way", HTML: "<p>On its way</p>", Headers: map[string]string{"List-Unsubscribe": "<https://shop.example/u>"},
		})
		if err != nil {
			t.Errorf("%v", err)
		}
		// The mock does refuse: the same request without its mail.
		res, err := http.Post(base+"/v3/mail/send", "application/json", strings.NewReader(`{"subject":7}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("the mock took a mail that is none: %d", res.StatusCode)
		}
	})
}

// mock plays a specification on a free port until the test ends.
func mock(t *testing.T, npx, spec string) string {
	t.Helper()
	if _, err := os.Stat(spec); err != nil {
		t.Skipf("the vendor's specification is not here (set WAYBILL_DATA): %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	cmd := exec.Command(npx, "--yes", "@stoplight/prism-cli@5.16.0", "mock", "--port", strconv.Itoa(port), "--host", "127.0.0.1", spec)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // npx starts children
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	deadline := time.After(5 * time.Minute)
	for {
		if c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
			_ = c.Close()
			return base
		}
		select {
		case err := <-ended:
			ended <- err
			t.Skipf("the mock did not start: %v\n%s", errors.Join(err), out.String())
		case <-deadline:
			t.Fatal("the mock did not start in time")
		case <-time.After(100 * time.Millisecond):
		}
	}
}
