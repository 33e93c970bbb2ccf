package order

import "time"

// ReturnAct is what people ask about a return, as the API names it.
type ReturnAct string

const (
	ActDecide   ReturnAct = "decide"
	ActShip     ReturnAct = "ship"
	ActLabel    ReturnAct = "label"  // asked of the carrier
	ActPickup   ReturnAct = "pickup" // asked of the carrier
	ActInspect  ReturnAct = "inspect"
	ActDispose  ReturnAct = "dispose"
	ActSendBack ReturnAct = "send-back"
	ActCancel   ReturnAct = "cancel"
)

// ReturnActs lists all of them, in the order of a return's life.
var ReturnActs = []ReturnAct{ActDecide, ActShip, ActLabel, ActPickup, ActInspect, ActDispose, ActSendBack, ActCancel}

// ReturnStep is an act that would be granted now, and to whom.
type ReturnStep struct {
	Act ReturnAct `json:"act"`
	By  []Source  `json:"by"`
}

// returnSteps are the acts that would be granted about a return, given a reason and
// what else the act needs; never null.
func (s *State) returnSteps(r *Return) []ReturnStep {
	steps := []ReturnStep{}
	for _, act := range ReturnActs {
		var by []Source
		for _, who := range []Source{Storefront, Support, ReturnsDesk, Warehouse} {
			if Check(s, r.sample(act, Meta{By: who, Reason: "asked for"}, s.Now)) == nil {
				by = append(by, who)
			}
		}
		if len(by) > 0 {
			steps = append(steps, ReturnStep{act, by})
		}
	}
	return steps
}

// sample is a request of that kind that nothing but the return's state can refuse.
func (r *Return) sample(act ReturnAct, m Meta, now time.Time) Event {
	switch act {
	case ActDecide:
		return DecideReturn{Meta: m, Return: r.ID, Agree: true}
	case ActShip:
		return ShipReturn{Meta: m, Return: r.ID, PickupAt: now.Add(time.Hour)}
	case ActLabel:
		return AskLabel{Meta: m, Return: r.ID, Carrier: "any", Package: Package{WeightG: 1}}
	case ActPickup:
		return AskPickup{Meta: m, Return: r.ID, Carrier: "any", Earliest: now.Add(time.Hour), Latest: now.Add(2 * time.Hour), Package: Package{WeightG: 1}}
	case ActInspect:
		e := InspectReturn{Meta: m, Return: r.ID}
		for _, l := range r.Lines {
			if all, _ := r.found(l.SKU); all < l.Quantity {
				e.Findings = []Finding{{SKU: l.SKU, Quantity: 1, Grade: GradeNew}}
			}
		}
		return e
	case ActDispose:
		return DisposeReturn{Meta: m, Return: r.ID}
	case ActSendBack:
		return SendReturnBack{Meta: m, Return: r.ID}
	case ActCancel:
	}
	return CancelReturn{Meta: m, Return: r.ID}
}

// Step finds what an act needs: who may do it now. ok is false: nobody may.
func (v *ReturnView) Step(act ReturnAct) (by []Source, ok bool) {
	for _, s := range v.Steps {
		if s.Act == act {
			return s.By, true
		}
	}
	return nil, false
}

// Left is how many units of a line nobody has graded yet.
func (r *Return) Left(sku string) int {
	l := r.line(sku)
	if l == nil {
		return 0
	}
	all, _ := r.found(sku)
	return l.Quantity - all
}

// Returnable is how many units of each of an order's lines may be sent back now;
// lines of which none may are left out.
func Returnable(s *State, now time.Time) []Allocation {
	at := s.At(now)
	var list []Allocation
	for _, l := range s.Spec.Lines {
		if _, n := at.returnable(l.SKU); n > 0 {
			list = append(list, Allocation{l.SKU, n})
		}
	}
	return list
}
