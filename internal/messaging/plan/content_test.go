package plan

import (
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// What is offered leads to its form on the buyer's own page, and the tracking page,
// which may be shared, to nothing of that.
func TestWhatIsOfferedLeadsToItsForm(t *testing.T) {
	l := live(t, spec("1")).carrier(5, "1", order.Accepted).carrier(30, "1", order.Delivered).until(31)
	l.s.ParcelByID("1").Proof = order.Proof{Held: "name, photo", Reference: "proof-1"}
	l.s.Returns = []order.Return{{ID: "R1", State: order.ReturnLabelSent, Parcel: "R1", Lines: []order.ReturnLine{{SKU: l.s.Spec.Lines[0].SKU, Quantity: 1}}}}
	for kind, want := range map[templates.Kind][]string{
		templates.Delivered:           {"not_received /missing"},
		templates.AttemptFailed:       {"reschedule /another-day"},
		templates.AddressProblem:      {"correct_address /address"},
		templates.NotReceivedFollowup: {"found_it /found"},
		templates.ReturnSteps:         {"print_label /return"},
		templates.Shipped:             nil,
		templates.OutForDelivery:      nil,
	} {
		i := Intent{Kind: kind, Audience: Buyer, Order: l.s.Spec.ID, At: l.s.Now, Return: "R1"}
		c, err := Content(i, []string{"1"}, &l.s, l.who[Buyer], details(), l.s.Now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, ch := range c.Choices {
			got = append(got, string(ch.Kind)+" "+strings.TrimPrefix(ch.URL, details().Page))
		}
		if kind == templates.Delivered && len(order.Returnable(&l.s, l.s.Now)) > 0 {
			want = append(want, "send_back /return")
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") || c.URL != details().URL {
			t.Errorf("%s offers %v, want %v; its page is %s", kind, got, want, c.URL)
		}
		if proof := c.ProofURL; (proof == details().Page+"/proof") != (kind == templates.Delivered) {
			t.Errorf("%s: proof %q", kind, proof)
		}
	}
	l.s.Returns, l.s.ParcelByID("1").Proof.Held = nil, "signature"
	c, err := Content(Intent{Kind: templates.Delivered, Audience: Buyer}, []string{"1"}, &l.s, l.who[Buyer], details(), l.s.Now)
	if err != nil || c.ProofURL != "" || len(c.Choices) != 2 || c.Choices[1].Kind != templates.SendBack {
		t.Errorf("without a photo: %q, %v, %v", c.ProofURL, c.Choices, err)
	}
}
