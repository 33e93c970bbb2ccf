package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
)

// mailbox plays SendGrid: some mails are accepted without an answer, some answered
// by 500, and it counts what it accepted.
type mailbox struct {
	mu     sync.Mutex
	taken  map[string]int
	n      int
	closed chan struct{}
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var mail struct {
		Personalizations []struct {
			CustomArgs struct {
				Message string `json:"waybill_message"`
			} `json:"custom_args"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&mail); err != nil || len(mail.Personalizations) != 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	m.n++
	n := m.n
	m.taken[mail.Personalizations[0].CustomArgs.Message]++
	m.mu.Unlock()
	switch {
	case n%11 == 0: // accepted, and never answered
		select {
		case <-m.closed:
		case <-r.Context().Done():
		}
	case n%13 == 0: // accepted, and broken
		w.WriteHeader(http.StatusInternalServerError)
	default:
		w.Header().Set("X-Message-Id", fmt.Sprint("m", n))
		w.WriteHeader(http.StatusAccepted)
	}
}

func (m *mailbox) accepted() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.taken)
}

// The worker is killed with -9 while it sends: by SendGrid's own ledger no mail goes
// out twice, what is known to be sent was sent, and the rest is listed as unclear. The
// tests of dispatch kill senders in every run.
func TestSoakNoMailIsSentTwiceThoughTheWorkerIsKilled(t *testing.T) {
	if os.Getenv("WAYBILL_SOAK") == "" {
		t.Skip("takes more than a minute; WAYBILL_SOAK=1 runs it")
	}
	const orders = 60
	box := &mailbox{taken: map[string]int{}, closed: make(chan struct{})}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		close(box.closed)
		server.Close()
	})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s := closed(t, one, "mails")
	s.start("WAYBILL_SENDGRID_API_KEY=SG.key", "WAYBILL_SENDGRID_WEBHOOK_KEY="+base64.StdEncoding.EncodeToString(der), "WAYBILL_SENDGRID_URL="+server.URL,
		"WAYBILL_SENDGRID_PER_SECOND=20", "WAYBILL_MAIL_FROM=orders@shop.example")
	s.found()
	s.need(s.API.Put(s.ctx, "/v1/stores/"+s.store, map[string]any{"name": "Test", "brand_color": "#123456", "support_email": "help@shop.example"}))
	for n := range orders {
		o := s.newOrder(fmt.Sprint(n))
		o.Customer.Email = fmt.Sprintf("buyer.%d@buyer.example", n)
		s.create(o)
	}
	planned := `select count(*) from messages where kind = 'confirmation' and order_id like $1 || ':%'`
	s.eventually("all are planned", func() error {
		if n := s.count(planned, s.store); n != orders {
			return fmt.Errorf("%d of %d", n, orders)
		}
		return nil
	})
	for _, enough := range []int{3, 20} {
		s.eventually(fmt.Sprintf("%d mails are out", enough), func() error {
			if n := box.accepted(); n < enough {
				return fmt.Errorf("%d", n)
			}
			return nil
		})
		s.worker.Kill()
		if err := s.worker.Start(); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	// What a dead sender had claimed comes back when its lease is over, and then there
	// may be a rest of the provider's.
	if err := rig.WaitFor(s.ctx, 4*time.Minute, func(context.Context) error {
		if n := s.count(planned+` and status in ('planned', 'sending')`, s.store); n > 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	rows, err := s.DB.Query(s.ctx, `select id::text, status from messages where kind = 'confirmation' and order_id like $1 || ':%'`, s.store)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	box.mu.Lock()
	defer box.mu.Unlock()
	by := map[string]int{}
	for rows.Next() {
		var id, status string
		if err := rows.Scan(&id, &status); err != nil {
			t.Fatal(err)
		}
		by[status]++
		switch n := box.taken[id]; {
		case n > 1:
			t.Errorf("mail %s was sent %d times", id, n)
		case status == "sent" && n != 1:
			t.Errorf("mail %s is sent, SendGrid accepted it %d times", id, n)
		case status != "sent" && status != "unclear":
			t.Errorf("mail %s is %s", id, status)
		}
	}
	t.Logf("%d mails: %v, %d accepted; the last kill was over after %s", orders, by, len(box.taken), time.Since(began).Round(time.Second))
}
