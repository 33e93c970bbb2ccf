package order

import (
	"fmt"
	"slices"
	"time"
)

// ClaimFrom is what the time for a claim is counted from.
type ClaimFrom string

const (
	// FromAccepted: the carrier's first scan.
	FromAccepted ClaimFrom = "accepted"
	// FromDelivered: the delivery; where there was none, the carrier's own
	// estimate, else its first scan, which is sooner.
	FromDelivered ClaimFrom = "delivered"
)

// ClaimWindow is how long a carrier takes claims about some kinds of cases.
type ClaimWindow struct {
	Carrier string
	Kinds   []CaseKind
	// Abroad: only where the order names two countries. The first row that fits
	// counts.
	Abroad bool
	Within Duration
	From   ClaimFrom
	Source string
}

// ClaimWindows is what is known of carriers' terms, the shortest where they
// differ by service. Other carriers: the policy's claim_filing.
var ClaimWindows = []ClaimWindow{
	{"ups", []CaseKind{LostParcel, Damaged, NotReceived}, false, 60 * dayLong, FromDelivered, "UPS's claims page as quoted by others: within 60 days of the scheduled delivery"},
	{"fedex", []CaseKind{Damaged}, true, 21 * dayLong, FromDelivered, "third parties, of FedEx's terms: damage and shortage abroad, 21 days from delivery"},
	{"fedex", []CaseKind{Damaged}, false, 60 * dayLong, FromDelivered, "third parties, of FedEx's terms: damage and shortage, 60 days from delivery"},
	{"fedex", []CaseKind{LostParcel, NotReceived}, false, 270 * dayLong, FromAccepted, "third parties, of FedEx's terms: non-delivery, nine months from tender"},
	{"usps", []CaseKind{LostParcel, Damaged, NotReceived}, false, 60 * dayLong, FromAccepted, "USPS's claims page as quoted by others: domestic, 60 days from mailing; military post has longer"},
	{"dhl", []CaseKind{LostParcel, Damaged, NotReceived}, false, 30 * dayLong, FromAccepted, "mydhl.express.dhl, claims FAQ: 30 days from acceptance. DHL Express; of other units nothing is known"},
}

// claimable kinds of cases are those that a carrier may have to pay for.
func claimable(k CaseKind) bool { return k == LostParcel || k == Damaged || k == NotReceived }

// claimBy is until when a claim about a case must be filed, and the rule that
// says so; ok is false where a claim makes no sense.
func (s *State) claimBy(c *Case) (since, until time.Time, rule string, ok bool) {
	p := s.ParcelByID(c.Parcel)
	if s.Rules < instructRules || !claimable(c.Kind) || p == nil || p.PossessionAt.IsZero() {
		return since, until, "", false
	}
	within, from, rule := s.Spec.Policy.Completed().ClaimFiling, FromAccepted, "claim_filing"
	abroad := s.Spec.ShipFrom != "" && s.Spec.ShipTo != "" && s.Spec.ShipFrom != s.Spec.ShipTo
	for _, w := range ClaimWindows {
		if w.Carrier == p.Carrier && slices.Contains(w.Kinds, c.Kind) && (!w.Abroad || abroad) {
			within, from, rule = w.Within, w.From, w.Carrier+" takes claims for"
			break
		}
	}
	since = p.PossessionAt
	if from == FromDelivered {
		if d := p.ReachedAt(Delivered); !d.IsZero() {
			since = d
		} else if p.ETA.After(since) {
			since = p.ETA
		}
	}
	return since, since.Add(time.Duration(within)), fmt.Sprintf("%s %s from %s", rule, within, from), true
}

// claimWait is until when somebody must file a claim, unless one is filed or the
// time is over.
func (s *State) claimWait(c *Case) (w Wait, ok bool) {
	_, until, rule, ok := s.claimBy(c)
	if !ok || c.ClaimOver || s.claimed(c.Parcel) {
		return w, false
	}
	w = s.extended(Wait{Kind: WaitClaimFiling, Parcel: c.Parcel, Case: c.Kind, Since: c.OpenedAt, Until: until, Rule: rule,
		Owner: c.Owner, Then: "the carrier takes no claim any more", CutShort: "claim, or resolve the case otherwise"})
	w.What = "somebody to file the claim by " + day(w.Until)
	return w, true
}

// claimed says whether a claim about a parcel was filed that was not declined.
func (s *State) claimed(parcel string) bool {
	return slices.ContainsFunc(s.Remedies, func(r Remedy) bool {
		return r.Kind == ClaimRemedy && r.Parcel == parcel && r.State != Declined
	})
}

// checkClaim refuses a claim that the carrier would not take any more. A person
// who knows better extends the wait in time.
func (s *State) checkClaim(c *Case) error {
	_, until, rule, ok := s.claimBy(c)
	if !ok {
		return nil
	}
	if w, open := s.claimWait(c); open {
		until, rule = w.Until, w.Rule
	}
	if c.ClaimOver || !s.Now.Before(until) {
		return refuse("resolution", "the claim was to be filed by %s (%s)", day(until), rule)
	}
	return nil
}
