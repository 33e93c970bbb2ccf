package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/order"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// answers opens a form of the buyer's page, and sends it twice at once with what the
// buyer chose, as impatient people do.
func (s *shop) answers(address string, fields ...string) {
	s.Helper()
	path := strings.TrimPrefix(address, s.API.Base)
	v := url.Values{}
	s.eventually("the form is offered", func() error {
		page, err := s.API.Do(s.ctx, "", http.MethodGet, path, nil)
		if err == nil && (!page.OK() || !strings.Contains(string(page.Body), "<form")) {
			err = fmt.Errorf("%d, without a form", page.Status)
		}
		if err != nil {
			return err
		}
		for _, m := range hidden.FindAllStringSubmatch(string(page.Body), -1) {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
		return nil
	})
	for i := 0; i+1 < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	sent := make(chan error, 2)
	for range cap(sent) {
		go func() {
			r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.API.Base+path, strings.NewReader(v.Encode()))
			if err == nil {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				var a rig.Answer
				if a, err = s.API.Send(r); err == nil && a.Status != http.StatusSeeOther {
					err = fmt.Errorf("%s answers %d", path, a.Status)
				}
			}
			sent <- err
		}()
	}
	for range cap(sent) {
		if err := <-sent; err != nil {
			s.Error(err)
		}
	}
}

// What a message offers a buyer works: another day after a failed attempt, a parcel
// that is not there, and one that has turned up. Each is sent twice and done once.
func TestABuyerActsThroughTheirOwnLink(t *testing.T) {
	s := open(t, "buyer")
	o := s.newOrder("1")
	o.Customer.Email = "ada@example.com"
	id := s.create(o)
	facts := journey(id, s.tracking(1))
	failed := facts[len(facts)-1]
	again := *failed.event
	failed.event.Milestone, failed.event.ID = order.AttemptFailed, failed.event.ID+"-failed"
	s.post(facts[:len(facts)-1]...)
	s.post(failed)
	s.becomes(id, "of a failed attempt", func(v order.View) bool {
		return slices.ContainsFunc(v.Cases, func(c order.CaseView) bool { return c.Kind == order.FailedAttempt })
	})
	page := links.Links{PublicURL: s.API.Base, Secret: []byte(s.Config.Secret)}.Buyer(id, 0)

	day := time.Now().UTC().AddDate(0, 0, 3).Format(time.DateOnly)
	s.answers(page+"/"+links.AnotherDay, "choice", day)
	v := s.becomes(id, "instructed", func(v order.View) bool { return len(v.Instructions) > 0 })
	if i := v.Instructions[0]; len(v.Instructions) != 1 || i.Kind != order.Redeliver || i.Day.Format(time.DateOnly) != day || i.AskedBy != "buyer" {
		t.Errorf("instructions %+v", v.Instructions)
	}
	s.becomes(id, "told, or a person's to tell", func(v order.View) bool { return v.Instructions[0].State == order.InstructionByHand })

	again.OccurredAt = time.Now().UTC()
	s.post(fact{event: &again})
	s.becomesStatus(id, order.StatusDelivered)
	s.answers(page + "/" + links.Missing)
	s.becomes(id, "missing", func(v order.View) bool {
		return slices.ContainsFunc(v.Cases, func(c order.CaseView) bool { return c.Kind == order.NotReceived })
	})
	// The mail about it holds the link to say that it has turned up.
	s.eventually("the buyer is written to", func() error {
		if n := s.count(`select count(*) from kept_messages where order_id = $1 and position($2 in body::text) > 0`, id, "/b/"+url.PathEscape(id)+"/"); n == 0 {
			return fmt.Errorf("no mail holds the link")
		}
		return nil
	})
	s.answers(page + "/" + links.Found)
	s.becomes(id, "found", func(v order.View) bool { return len(v.Cases) == 0 })

	if n := s.count(`select count(*) from audit where order_id = $1 and actor = 'buyer' and outcome = 'done'`, id); n != 3 {
		t.Errorf("%d acts of the buyer, want 3", n)
	}
	if a, err := s.API.Do(s.ctx, "", http.MethodGet, strings.TrimPrefix(page, s.API.Base)+"x/missing", nil); err != nil || a.Status != http.StatusNotFound {
		t.Errorf("another token: %v, %v", a.Status, err)
	}
	s.agrees()
}
