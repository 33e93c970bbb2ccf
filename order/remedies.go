package order

import (
	"fmt"
	"slices"
	"time"
)

// RemedyKind is what is asked for when a parcel did not do.
type RemedyKind string

const (
	RefundRemedy      RemedyKind = "refund"      // the storefront pays back
	ReplacementRemedy RemedyKind = "replacement" // the storefront makes a new order
	ClaimRemedy       RemedyKind = "claim"       // the carrier pays; people file it
	ExchangeRemedy    RemedyKind = "exchange"    // the storefront makes a new order for something else
)

// RemedyState is how far a remedy has come. Nothing is refunded before the
// storefront confirmed it.
type RemedyState string

const (
	ToApprove RemedyState = "to_approve" // above the limit: a second person must agree
	Requested RemedyState = "requested"  // asked for, not yet confirmed
	Confirmed RemedyState = "confirmed"
	Declined  RemedyState = "declined" // by the second person, the storefront or the carrier
)

// Open says that somebody still has to act.
func (r RemedyState) Open() bool { return r == ToApprove || r == Requested }

// Remedy is a refund, replacement or claim. Amounts are in minor units of the
// order's currency.
type Remedy struct {
	ID         string       `json:"id"` // also the idempotency key of the request
	Kind       RemedyKind   `json:"kind"`
	Parcel     string       `json:"parcel,omitempty"`
	Return     string       `json:"return,omitempty"`
	Lines      []Allocation `json:"lines,omitempty"`
	Instead    []Allocation `json:"instead,omitempty"` // what an exchange sends for the lines
	Amount     int64        `json:"amount,omitempty"`
	Currency   string       `json:"currency,omitempty"`
	State      RemedyState  `json:"state"`
	Case       CaseKind     `json:"case,omitempty"`
	AskedAt    time.Time    `json:"asked_at"`
	AskedBy    string       `json:"asked_by,omitempty"`
	ApprovedBy string       `json:"approved_by,omitempty"`
	EndedAt    time.Time    `json:"ended_at,omitzero"`
	// Reference is the storefront's or the carrier's own: a refund ID, the new
	// order's number, a claim number.
	Reference string `json:"reference,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

const maxRemedies = 100

// Requests about remedies.
type (
	// DecideRemedy agrees to a remedy above the limit, or declines it. It takes
	// somebody else than who asked.
	DecideRemedy struct {
		Meta
		Remedy string `json:"remedy"`
		Agree  bool   `json:"agree"`
	}
	// EndRemedy records what came of a remedy that people carry out by hand: a
	// claim, or a refund that the storefront's answer never reached us of.
	EndRemedy struct {
		Meta
		Remedy    string `json:"remedy"`
		Confirmed bool   `json:"confirmed"`
		Amount    int64  `json:"amount,omitempty"`
		Reference string `json:"reference,omitempty"`
	}
)

func (DecideRemedy) event() {}
func (EndRemedy) event()    {}

// RequestRemedy asks the storefront for a refund or a replacement. Its ID is the
// remedy's. Answered by what the storefront said.
const RequestRemedy CommandKind = "request_remedy"

func (s *State) remedyByID(id string) *Remedy {
	for i := range s.Remedies {
		if s.Remedies[i].ID == id {
			return &s.Remedies[i]
		}
	}
	return nil
}

// cost of lines, in minor units.
func (s *State) cost(lines []Allocation) int64 {
	var sum int64
	for _, a := range lines {
		if l := s.LineBySKU(a.SKU); l != nil {
			sum += l.UnitAmount * int64(a.Quantity)
		}
	}
	return sum
}

// remedy asks for what a case was resolved by.
func (s *State) remedy(r Resolution, c Case, e ResolveCase) {
	rem := Remedy{ID: fmt.Sprintf("%s-%s", r, c.ID), Kind: RefundRemedy, Parcel: c.Parcel, Case: c.Kind, Currency: s.Spec.Currency,
		AskedAt: s.Now, AskedBy: e.Actor, Reason: e.Reason, State: Requested, Amount: e.Amount}
	switch r {
	case Replace:
		rem.Kind = ReplacementRemedy
	case Claim:
		rem.Kind = ClaimRemedy
	case Refund, WaitOn, Arranged, Redeliver, HoldAtLocation, Redirect, ReturnToSender, CancelParcel, DeclareLost, DeclareDelivered, EndReturn, Dismiss:
	}
	if p := s.ParcelByID(c.Parcel); p != nil {
		rem.Lines = slices.Clone(p.Lines)
		if ret := s.returnOf(p.ID); ret != nil && ret.State.Open() {
			rem.Return = ret.ID
		}
		if r == Refund && rem.Amount == 0 {
			rem.Amount, _ = s.owedAll(p)
		}
	}
	s.begin(rem)
}

// begin puts a remedy on its way: to a second person above the limit, else to
// the storefront.
func (s *State) begin(r Remedy) {
	worth := s.cost(r.Lines)
	if r.Kind == RefundRemedy && r.Amount == 0 {
		r.Amount = worth
	}
	if limit := s.Spec.Policy.RefundLimit; r.Kind != ClaimRemedy && limit > 0 && max(r.Amount, worth) > limit {
		r.State = ToApprove
	}
	s.Remedies = append(s.Remedies, r)
	s.tell(Happening{Type: RemedyChanged, At: s.Now, Parcel: r.Parcel, Case: r.Case, Actor: r.AskedBy, Text: string(r.Kind) + " " + string(r.State)})
	s.request(&s.Remedies[len(s.Remedies)-1])
}

func (s *State) request(r *Remedy) {
	if r.State == Requested && r.Kind != ClaimRemedy {
		s.Pending = append(s.Pending, Command{ID: r.ID, Kind: RequestRemedy, Parcel: r.Parcel})
	}
}

func (s *State) decideRemedy(e DecideRemedy) {
	r := s.remedyByID(e.Remedy)
	if r == nil || r.State != ToApprove {
		return
	}
	r.ApprovedBy, r.AskedAt = e.Actor, s.Now // the storefront's clock starts here
	if e.Agree {
		r.State = Requested
		s.tell(Happening{Type: RemedyChanged, At: s.Now, Parcel: r.Parcel, Actor: e.Actor, Cause: e.ID, Text: string(r.Kind) + " agreed to"})
		s.request(r)
		return
	}
	s.endRemedy(r, Declined, "", e.Meta)
}

func (s *State) endRemedy(r *Remedy, st RemedyState, reference string, m Meta) {
	r.State, r.EndedAt, r.Reference = st, s.Now, orElse(reference, r.Reference)
	s.Pending = slices.DeleteFunc(s.Pending, func(c Command) bool { return c.ID == r.ID })
	text := string(r.Kind) + " " + string(st)
	if m.Reason != "" {
		text += ": " + m.Reason
	}
	s.tell(Happening{Type: RemedyChanged, At: s.Now, Parcel: r.Parcel, Actor: m.Actor, Cause: m.ID, Text: text})
	s.remedied(r)
}

func (s *State) remedyAnswered(id string, e Answered) {
	r := s.remedyByID(id)
	if r == nil || !r.State.Open() {
		return
	}
	switch {
	case e.Failed != "":
		// Nobody knows what came of it. It stays asked for; the wait for it goes on,
		// and a person ends it when it is over.
		s.tell(Happening{Type: RemedyChanged, At: s.Now, Parcel: r.Parcel, Text: string(r.Kind) + " unanswered: " + e.Failed})
	case e.Declined != "":
		s.endRemedy(r, Declined, e.Reference, Meta{By: Engine, Reason: e.Declined})
	default:
		s.endRemedy(r, Confirmed, e.Reference, Meta{By: Engine})
	}
}

// openRemedies says whether a remedy still waits for somebody.
func (s *State) openRemedies() bool {
	return slices.ContainsFunc(s.Remedies, func(r Remedy) bool { return r.State.Open() })
}

// remedyWait is what an open remedy waits for.
func (s *State) remedyWait(r *Remedy) Wait {
	p := s.Spec.Policy.Completed()
	w := Wait{Kind: WaitRemedy, Parcel: r.Parcel, Since: r.AskedAt, Then: "a refund_overdue case is opened"}
	switch {
	case r.State == ToApprove:
		w.What, w.Owner, w.CutShort = fmt.Sprintf("a second person's word on %s of %s", r.Kind, Money(r.Amount, r.Currency)), SupportTeam, "agree or decline"
		w.Until, w.Rule = r.AskedAt.Add(time.Duration(p.RemedyAnswer)), "remedy_answer "+p.RemedyAnswer.String()
	case r.Kind == ClaimRemedy:
		w.What, w.Owner, w.CutShort = "the carrier's answer to the claim", SupportTeam, "record what the carrier said"
		w.Until, w.Rule = r.AskedAt.Add(time.Duration(p.ClaimAnswer)), "claim_answer "+p.ClaimAnswer.String()
	default:
		w.What, w.Owner, w.CutShort = fmt.Sprintf("the storefront's word on %s", r.Kind), EngineTeam, "the storefront's confirmation, or record it by hand"
		w.Until, w.Rule = r.AskedAt.Add(time.Duration(p.RemedyAnswer)), "remedy_answer "+p.RemedyAnswer.String()
	}
	return w
}

// Money writes an amount that is given in minor units.
func Money(minor int64, currency string) string {
	d, unit := Decimals(currency), int64(1)
	for range d {
		unit *= 10
	}
	if d == 0 {
		return fmt.Sprintf("%d %s", minor, currency)
	}
	return fmt.Sprintf("%d.%0*d %s", minor/unit, d, minor%unit, orElse(currency, "(no currency)"))
}

// Decimals is how many digits the minor unit of a currency has (ISO 4217, list
// one). x/text has CLDR's digits instead, which are what people write: none for
// the Serbian dinar, whose minor unit is a hundredth all the same.
func Decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

func (s *State) checkRemedy(e ResolveCase, c *Case) error {
	kind := map[Resolution]RemedyKind{Refund: RefundRemedy, Replace: ReplacementRemedy, Claim: ClaimRemedy}[e.Resolution]
	for i := range s.Remedies {
		r := &s.Remedies[i]
		same := r.Kind == kind || kind != ClaimRemedy && r.Kind != ClaimRemedy // a refund and a replacement are one too many
		if r.Parcel == c.Parcel && same && r.State != Declined {
			return refuse("resolution", "%s of parcel %s is %s since %s", r.Kind, c.Parcel, r.State, day(r.AskedAt))
		}
	}
	if len(s.Remedies) >= maxRemedies {
		return refuse("resolution", "the order has %d remedies already", maxRemedies)
	}
	p := s.ParcelByID(c.Parcel)
	if p == nil {
		return refuse("resolution", "the case is about no parcel")
	}
	worth, whole := s.owedAll(p)
	switch {
	case kind == ClaimRemedy:
		return s.checkClaim(c)
	case worth == 0 && s.cost(p.Lines) > 0:
		return refuse("resolution", "what was in parcel %s has been made good", p.ID)
	case kind == ReplacementRemedy && !whole:
		return refuse("resolution", "a part of what was in parcel %s has been made good: refund the rest", p.ID)
	case kind == ReplacementRemedy:
		return nil
	case e.Amount < 0:
		return refuse("amount", "must not be negative")
	case s.Spec.Currency == "":
		return refuse("amount", "the order has no currency: it can only be refunded in the storefront")
	case e.Amount == 0 && worth == 0:
		return refuse("amount", "is needed: the order does not say what the lines cost")
	case worth > 0 && e.Amount > worth:
		return refuse("amount", "%s is more than is left of what the parcel's lines cost, %s", Money(e.Amount, s.Spec.Currency), Money(worth, s.Spec.Currency))
	}
	return nil
}

func (s *State) checkDecideRemedy(e DecideRemedy) error {
	r := s.remedyByID(e.Remedy)
	switch {
	case e.By != Support:
		return refuse("by", "%q may not decide about money", e.By)
	case r == nil:
		return refuse("remedy", "%q is none of this order's", e.Remedy)
	case r.State != ToApprove:
		return refuse("remedy", "is %s and needs nobody's word", r.State)
	case e.Agree && (e.Actor == "" || e.Actor == r.AskedBy):
		return refuse("by", "it takes another person than the one who asked")
	case !e.Agree:
		return needReason(e.Meta)
	}
	return nil
}

func (s *State) checkEndRemedy(e EndRemedy) error {
	r := s.remedyByID(e.Remedy)
	switch {
	case e.By != Support:
		return refuse("by", "%q may not decide about money", e.By)
	case r == nil:
		return refuse("remedy", "%q is none of this order's", e.Remedy)
	case r.State == ToApprove:
		return refuse("remedy", "waits for a second person's word first")
	case r.State != Requested:
		return refuse("remedy", "is %s since %s", r.State, day(r.EndedAt))
	case e.Amount < 0:
		return refuse("amount", "must not be negative")
	case len(e.Reference) > 100:
		return refuse("reference", "must be at most 100 bytes")
	}
	return needReason(e.Meta)
}

// Remedy finds a remedy by its ID.
func (s *State) Remedy(id string) (Remedy, bool) {
	if r := s.remedyByID(id); r != nil {
		return *r, true
	}
	return Remedy{}, false
}

// made is what refunds and replacements have made good of a line: in minor
// units and in units, in all and for one parcel.
type made struct {
	amount, here    int64
	units, unitHere int
}

// ledger adds up what every refund and replacement that was not declined makes
// good. A refund of part of its lines' cost goes to its lines in their order,
// never more to one than is left of what it cost.
func (s *State) ledger(parcel string) map[string]made {
	book := map[string]made{}
	for i := range s.Remedies {
		r := &s.Remedies[i]
		if r.Kind == ClaimRemedy || r.State == Declined {
			continue
		}
		left := s.cost(r.Lines)
		if r.Kind == RefundRemedy {
			left = r.Amount
		}
		for _, a := range r.Lines {
			l := s.LineBySKU(a.SKU)
			if l == nil {
				continue
			}
			m := book[a.SKU]
			part := max(0, min(l.UnitAmount*int64(a.Quantity), left, l.UnitAmount*int64(l.Quantity)-m.amount))
			left -= part
			m.amount, m.units = m.amount+part, m.units+a.Quantity
			if r.Parcel == parcel {
				m.here, m.unitHere = m.here+part, m.unitHere+a.Quantity
			}
			book[a.SKU] = m
		}
	}
	return book
}

// owed is what is still to make good of some units that came or should have come
// in a parcel: in minor units, and how many whole units that is.
func (s *State) owed(parcel string, a Allocation) (amount int64, units int) {
	l := s.LineBySKU(a.SKU)
	if l == nil {
		return 0, 0
	}
	m := s.ledger(parcel)[a.SKU]
	if l.UnitAmount <= 0 {
		return 0, max(0, min(a.Quantity-m.unitHere, l.Quantity-m.units))
	}
	amount = max(0, min(l.UnitAmount*int64(a.Quantity)-m.here, l.UnitAmount*int64(l.Quantity)-m.amount))
	return amount, int(amount / l.UnitAmount)
}

// owedAll is what is still to make good of all that is in a parcel; whole says
// that nothing of it was made good before.
func (s *State) owedAll(p *Parcel) (amount int64, whole bool) {
	whole = true
	for _, a := range p.Lines {
		n, units := s.owed(p.ID, a)
		amount, whole = amount+n, whole && units >= a.Quantity
	}
	return amount, whole
}
