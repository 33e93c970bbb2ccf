package order

import "time"

// Limits of one order. They keep its state far below Temporal's payload limits.
const (
	MaxParcels  = 200
	MaxLines    = 500
	MaxQuantity = 1_000_000
	maxAnomaly  = 20 // kept in the state; all of them are told outside
	maxAttempts = 20
	maxTimes    = 5                   // of one milestone by one side
	maxCaseDue  = 32 * 24 * time.Hour // escalations stop doubling here
	maxSeen     = 256
	maxPieces   = 400 // known by number, in all parcels together
)

// MinRules and CurrentRules number the rules of this package. A run records the
// number it began with; a change of behaviour for running orders raises
// CurrentRules and asks State.Rules before it acts. See docs/adr/0004.
//
//   - 2: while the carrier's feed is silent and the carrier cannot be asked, a
//     quiet parcel waits for a bounded time before a case is opened ([Excuse]).
//   - 3: people act on cases; returns.
//   - 4: orders instruct carriers; fewer search attributes.
//   - 5: carriers are asked for return labels and pickups; a carrier's correction
//     that ends some pieces of a parcel does not end the parcel.
const (
	MinRules     = 1
	CurrentRules = 5

	// What the rules brought: 2 excuses a quiet parcel while its carrier's whole
	// feed is silent, 3 lets people act on cases, 4 lets orders instruct carriers,
	// 5 lets them ask for return labels and pickups.
	excuseRules   = 2
	peopleRules   = 3
	instructRules = 4
	labelRules    = 5
)

// Line is something that the buyer ordered. Amounts are integer minor units.
type Line struct {
	SKU        string `json:"sku"`
	Quantity   int    `json:"quantity"`
	UnitAmount int64  `json:"unit_amount,omitempty"`
	Name       string `json:"name,omitempty"`
	WeightG    int    `json:"weight_g,omitempty"` // of one piece; 0: not known
}

// Allocation puts a quantity of a line into a parcel.
type Allocation struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Class chooses how much attention an order gets.
type Class string

const (
	Routine       Class = "routine"
	HighValue     Class = "high_value"
	TimeSensitive Class = "time_sensitive"
	Bulky         Class = "bulky"
)

// Classes lists all of them.
var Classes = []Class{Routine, HighValue, TimeSensitive, Bulky}

// PlannedParcel is a parcel that the storefront already knows of.
type PlannedParcel struct {
	ID       string       `json:"id"`
	Lines    []Allocation `json:"lines,omitempty"`
	Carrier  string       `json:"carrier,omitempty"`
	Service  string       `json:"service,omitempty"`
	Tracking string       `json:"tracking,omitempty"`
	// Master is the number of the shipment that the parcel is one piece of.
	Master string `json:"master_tracking,omitempty"`
}

// Spec is what a new order is made of. No personal data: CustomerRef and the
// address version point to rows that can be erased.
type Spec struct {
	// ID is "store:number". It is also the workflow ID, after "order:".
	ID          string          `json:"id"`
	Store       string          `json:"store"`
	Number      string          `json:"number"`
	Class       Class           `json:"class"`
	CustomerRef string          `json:"customer_ref,omitempty"`
	Currency    string          `json:"currency,omitempty"`
	Lines       []Line          `json:"lines"`
	Parcels     []PlannedParcel `json:"parcels,omitempty"`
	PlacedAt    time.Time       `json:"placed_at"`
	PromisedAt  time.Time       `json:"promised_at,omitzero"`
	// ShipFrom and ShipTo are countries (ISO 3166-1 alpha-2), and nothing more of
	// the addresses: the lane of its parcels. Empty: not known.
	ShipFrom string `json:"ship_from,omitempty"`
	ShipTo   string `json:"ship_to,omitempty"`
	Policy   Policy `json:"policy"`
	// Replaces is the order, of the same store, whose replacement or exchange this
	// one sends.
	Replaces string `json:"replaces,omitempty"`
}

// mark is a milestone and when it was reached.
type mark struct {
	Milestone Milestone `json:"m,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// voice is what must be kept of every time that one side said one milestone:
// the first few times and the last, in order. Keeping those does not depend on
// the order in which they arrive.
type voice struct {
	Milestone Milestone `json:"m"`
	// Carrier: the carrier said so, and may take it back.
	Carrier bool `json:"carrier,omitempty"`
	// Whole: of every piece of the parcel.
	Whole bool        `json:"whole,omitempty"`
	At    []time.Time `json:"at"`
}

// piece is one of several boxes under a parcel's number, with the carrier's
// facts about it alone.
type piece struct {
	Number     string  `json:"number"`
	Said       []voice `json:"said,omitempty"`
	CarrierFix mark    `json:"carrier_fix,omitzero"`
}

// Reached says when a milestone was first reached.
type Reached struct {
	Milestone Milestone `json:"milestone"`
	At        time.Time `json:"at"`
}

// Parcel is what travels under one number: one physical box, unless the carrier
// says that its number covers several.
type Parcel struct {
	ID       string       `json:"id"`
	Lines    []Allocation `json:"lines,omitempty"`
	Carrier  string       `json:"carrier,omitempty"`
	Service  string       `json:"service,omitempty"`
	Tracking string       `json:"tracking,omitempty"`
	// Master is the number of the shipment that this one box is a piece of.
	Master string `json:"master_tracking,omitempty"`
	// Return is the return that it carries; empty for what goes to the buyer.
	Return string `json:"return,omitempty"`
	// From is the duplicate that it came from, "order/parcel"; MovedTo where a
	// duplicate's parcel goes on.
	From    string `json:"from,omitempty"`
	MovedTo string `json:"moved_to,omitempty"`
	// Unplanned parcels hold what no planned parcel holds yet.
	Unplanned bool `json:"unplanned,omitempty"`

	Milestone Milestone `json:"milestone"`
	// Since is when the milestone was reached, Known when we learnt of it.
	Since   time.Time `json:"since"`
	Known   time.Time `json:"known"`
	Reached []Reached `json:"reached,omitempty"`
	// Said, CarrierFix and SupportFix are the facts: who said which milestone
	// when, and the latest correction of each side. Milestone, Since, Reached
	// and PossessionAt are computed from them alone.
	Said       []voice `json:"said,omitempty"`
	CarrierFix mark    `json:"carrier_fix,omitzero"`
	SupportFix mark    `json:"support_fix,omitzero"`
	// Pieces are the other boxes under the parcel's number, sorted by their own.
	// OwnPiece: the parcel's number is also a box's own. PieceCount is the most
	// that the carrier counted; 0: it never did.
	Pieces     []piece `json:"pieces,omitempty"`
	OwnPiece   bool    `json:"own_piece,omitempty"`
	PieceCount int     `json:"piece_count,omitempty"`
	// Of and Delivered are computed like the milestone: how many pieces there
	// are, and how many the buyer has. Both are 0 for a single box.
	Of        int `json:"of,omitempty"`
	Delivered int `json:"delivered,omitempty"`
	// LabelAt is when the tracking number was said.
	LabelAt time.Time `json:"label_at,omitzero"`

	// PossessionAt is the first physical carrier event; zero before it.
	PossessionAt time.Time `json:"possession_at,omitzero"`
	// LastMovement is the latest physical carrier event.
	LastMovement time.Time   `json:"last_movement,omitzero"`
	LastPlace    string      `json:"last_place,omitempty"`
	LastPlaceAt  time.Time   `json:"last_place_at,omitzero"`
	Attempts     []time.Time `json:"attempts,omitempty"`
	ETA          time.Time   `json:"eta,omitzero"`
	ETAFrom      time.Time   `json:"eta_from,omitzero"`

	// Check is the carrier check under way; CheckedAt the last one answered.
	Check     string    `json:"check,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	AskedAt   time.Time `json:"asked_at,omitzero"`
	Excuse    Excuse    `json:"excuse,omitzero"`

	// NotReceivedAt is when the buyer said that it did not come, though it was
	// said to be delivered.
	NotReceivedAt time.Time `json:"not_received_at,omitzero"`
	// Proof is what the carrier was then asked to prove.
	Proof Proof `json:"proof,omitzero"`
}

// Excuse lets a quiet parcel wait although its scan is overdue: the carrier's
// whole feed is silent, which is one case and not one for each order.
type Excuse struct {
	// For is the beginning of the wait that is excused; another wait is not.
	For time.Time `json:"for"`
	// Since is when the feed fell silent. From is when it was first an excuse,
	// Until when the carrier is asked again.
	Since time.Time `json:"since"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// A parcel is asked for again after excuseStep, and the excuse holds for
// maxExcuse in all.
const (
	excuseStep = 6 * time.Hour
	maxExcuse  = 24 * time.Hour
)

// ReachedAt says when m was first reached; zero: not yet.
func (p *Parcel) ReachedAt(m Milestone) time.Time {
	for _, r := range p.Reached {
		if r.Milestone == m {
			return r.At
		}
	}
	return time.Time{}
}

// CaseKind names an exception. Each has a bucket of its own.
type CaseKind string

const (
	NotPicked     CaseKind = "not_picked"
	NotPacked     CaseKind = "not_packed"
	MissedHandoff CaseKind = "missed_handoff"
	Stalled       CaseKind = "stalled"
	Late          CaseKind = "late"
	FailedAttempt CaseKind = "attempt_failed"
	LostParcel    CaseKind = "lost"
	HeldTooLong   CaseKind = "held_too_long"
)

// Team owns a wait or a case.
type Team string

const (
	WarehouseTeam Team = "warehouse"
	OpsTeam       Team = "ops"
	SupportTeam   Team = "support"
	ReturnsTeam   Team = "returns"
	CarrierTeam   Team = "carrier"
	EngineTeam    Team = "engine"
)

// Teams lists those that can own a case.
var Teams = []Team{WarehouseTeam, OpsTeam, SupportTeam, ReturnsTeam}

// Case is an open exception. One per kind and parcel at a time.
type Case struct {
	// ID names this episode: what comes back later is another one. Empty before
	// peopleRules.
	ID       string    `json:"id,omitempty"`
	Kind     CaseKind  `json:"kind"`
	Parcel   string    `json:"parcel,omitempty"`
	Owner    Team      `json:"owner"`
	OpenedAt time.Time `json:"opened_at"`
	Due      time.Time `json:"due"`
	Level    int       `json:"level,omitempty"` // times escalated
	// Baseline is the last movement, or the milestone's time, when it opened.
	Baseline time.Time `json:"baseline,omitzero"`
	Text     string    `json:"text,omitempty"`

	Severity Severity `json:"severity,omitempty"`
	// NoticeAt is when the buyer is told if it is still open; NoticedAt when that
	// was done.
	NoticeAt  time.Time `json:"notice_at,omitzero"`
	NoticedAt time.Time `json:"noticed_at,omitzero"`
	Assignee  string    `json:"assignee,omitempty"`
	Notes     []Note    `json:"notes,omitempty"`
	// Pinned: a person reopened it; only a person ends it.
	Pinned bool `json:"pinned,omitempty"`
	// ClaimOver: the carrier takes no claim about it any more.
	ClaimOver bool `json:"claim_over,omitempty"`
}

// AnomalyKind names what could not be true.
type AnomalyKind string

const (
	NotAuthorised   AnomalyKind = "not_authorised"   // the source may not set that milestone
	NotPhysical     AnomalyKind = "not_physical"     // a paper event claimed possession
	UnknownParcel   AnomalyKind = "unknown_parcel"   // no such parcel in this order
	UnreadableItem  AnomalyKind = "unreadable"       // an item could not be decoded
	InTheFuture     AnomalyKind = "in_the_future"    // happened after it was received
	BeforeOrder     AnomalyKind = "before_order"     // happened before the order was placed
	MovingCancelled AnomalyKind = "moving_cancelled" // a cancelled parcel moves
	AfterEnd        AnomalyKind = "after_end"        // movement of a parcel that had ended
	TrackingTaken   AnomalyKind = "tracking_changed" // a label scan names another tracking number
	UnknownValue    AnomalyKind = "unknown_value"    // a kind or milestone we do not know
	TooManyPieces   AnomalyKind = "too_many_pieces"  // more boxes than an order keeps apart
)

// Anomaly is a fact that was kept and changed nothing, with the reason.
type Anomaly struct {
	Kind   AnomalyKind `json:"kind"`
	Parcel string      `json:"parcel,omitempty"`
	At     time.Time   `json:"at"`
	Cause  string      `json:"cause,omitempty"`
	Text   string      `json:"text"`
}

// HoldState is an order on hold.
type HoldState struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

// State is everything an order knows. Its JSON is a contract: it is carried
// across continue-as-new and kept for years, so fields are only ever added.
type State struct {
	Rules int  `json:"rules"`
	Spec  Spec `json:"spec"`
	// Seq counts applied events; the read model never goes back behind it.
	Seq int64 `json:"seq"`
	// Now is the time of the last applied event.
	Now     time.Time `json:"now"`
	Parcels []Parcel  `json:"parcels"`
	Cases   []Case    `json:"cases,omitempty"`
	Pending []Command `json:"pending,omitempty"`
	// Seen are the numbers of the facts applied last, to drop repeats. Older ones
	// need no memory: a fact applied twice changes nothing.
	Seen []int64 `json:"seen,omitempty"`

	PromisedAt     time.Time  `json:"promised_at,omitzero"`
	AddressVersion int        `json:"address_version,omitempty"`
	AddressedAt    time.Time  `json:"addressed_at,omitzero"` // when it was last corrected, since instructRules
	Hold           *HoldState `json:"hold,omitempty"`
	// ReleasedAt restarts the preparing clocks after a hold.
	ReleasedAt  time.Time `json:"released_at,omitzero"`
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	// MergedInto is the order that this one was a duplicate of.
	MergedInto string    `json:"merged_into,omitempty"`
	SettledAt  time.Time `json:"settled_at,omitzero"`
	Closed     bool      `json:"closed,omitempty"`
	// What people decided: about ended cases, about the ends of waits, and what is
	// looked at again; and what was asked of storefront and carriers.
	Decisions  []Decision  `json:"decisions,omitempty"`
	Extensions []Extension `json:"extensions,omitempty"`
	Revisits   []Revisit   `json:"revisits,omitempty"`
	Remedies   []Remedy    `json:"remedies,omitempty"`
	Returns    []Return    `json:"returns,omitempty"`
	// What carriers were told to do.
	Instructions []Instruction `json:"instructions,omitempty"`
	// PromiseMissed stays true once the promise passed without delivery.
	PromiseMissed bool `json:"promise_missed,omitempty"`

	Status       Status    `json:"status"`
	Anomalies    []Anomaly `json:"anomalies,omitempty"`
	AnomalyCount int       `json:"anomaly_count,omitempty"`
	// Told are the happenings not yet written with the read model.
	Told []Happening `json:"told,omitempty"`
	// Written is the sequence number up to which they are.
	Written int64 `json:"written,omitempty"`
}

// ParcelByID finds a parcel; nil if there is none.
func (s *State) ParcelByID(id string) *Parcel {
	for i := range s.Parcels {
		if s.Parcels[i].ID == id {
			return &s.Parcels[i]
		}
	}
	return nil
}

// LineBySKU finds a line; nil if there is none.
func (s *State) LineBySKU(sku string) *Line {
	for i := range s.Spec.Lines {
		if s.Spec.Lines[i].SKU == sku {
			return &s.Spec.Lines[i]
		}
	}
	return nil
}

// caseOf finds the open case of a kind; nil if there is none.
func (s *State) caseOf(kind CaseKind, parcel string) *Case {
	for i := range s.Cases {
		if s.Cases[i].Kind == kind && s.Cases[i].Parcel == parcel {
			return &s.Cases[i]
		}
	}
	return nil
}

// New begins an order. The spec has passed [CheckSpec].
func New(spec Spec, rules int, now time.Time) State {
	if spec.PlacedAt.After(now) {
		spec.PlacedAt = now // a shop's clock may run ahead, but we have the order
	}
	s := State{Rules: rules, Spec: spec, Now: now, PromisedAt: spec.PromisedAt, Seq: 1}
	for _, p := range spec.Parcels {
		s.addParcel(p, false)
	}
	if len(spec.Parcels) == 0 {
		// Without a plan everything ships in one parcel, until somebody plans.
		rest := make([]Allocation, 0, len(spec.Lines))
		for _, l := range spec.Lines {
			rest = append(rest, Allocation{SKU: l.SKU, Quantity: l.Quantity})
		}
		s.addParcel(PlannedParcel{ID: "1", Lines: rest}, true)
	}
	s.Status = s.status()
	s.tell(Happening{Type: OrderReceived, At: spec.PlacedAt})
	return s
}

func (s *State) addParcel(p PlannedParcel, unplanned bool) *Parcel {
	s.Parcels = append(s.Parcels, Parcel{
		ID: p.ID, Lines: p.Lines, Carrier: p.Carrier, Service: p.Service, Tracking: p.Tracking, Master: p.Master,
		Unplanned: unplanned, Milestone: Expected, Since: s.Now, Known: s.Now,
	})
	return &s.Parcels[len(s.Parcels)-1]
}

// tell appends a happening under the current sequence number.
func (s *State) tell(h Happening) {
	h.Seq = s.Seq
	h.N = 1
	if n := len(s.Told); n > 0 && s.Told[n-1].Seq == s.Seq {
		h.N = s.Told[n-1].N + 1
	}
	s.Told = append(s.Told, h)
}

// DropTold forgets happenings that are written, up to a sequence number.
func (s *State) DropTold(upto int64) {
	s.Written = max(s.Written, upto)
	keep := s.Told[:0]
	for _, h := range s.Told {
		if h.Seq > upto {
			keep = append(keep, h)
		}
	}
	s.Told = keep
}
