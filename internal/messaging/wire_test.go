package messaging

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestWireSendsOnce(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	wire, err := NewWire(server.URL, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	client, x := wire.Client(context.Background())
	// Whatever host a library asks for, the configured one is reached; a redirect
	// is an answer.
	res, err := client.Get("https://api.provider.example/send")
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect || !x.Sent || !x.Whole || x.Status != res.StatusCode {
		t.Fatalf("%v, %+v", err, x)
	}
	if _, err := client.Get("https://api.provider.example/send"); !errors.Is(err, errTwice) {
		t.Errorf("a second request: %v", err)
	}
	if calls.Load() != 1 {
		t.Errorf("%d requests", calls.Load())
	}
}

func TestWireRefusesWhatIsNoProvider(t *testing.T) {
	for _, base := range []string{"", "api.twilio.com", "ftp://x.example", "https://", "https://user:secret@x.example", "::"} {
		if _, err := NewWire(base, time.Second); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
}
