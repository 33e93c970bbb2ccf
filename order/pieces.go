package order

import (
	"fmt"
	"slices"
	"time"
)

// One tracking number can cover several boxes: a waybill, a freight PRO, the
// master number of a shipment. Such a parcel ends (delivered, returned, lost)
// only when all its pieces did, or when the carrier says so of all of them.

// final milestones end the way to the buyer, of one box.
func (m Milestone) final() bool { return m.Stage() >= Arrived || m == Lost }

// ofOne: the carrier said it without saying that it holds for all pieces.
func (v voice) ofOne() bool { return v.Carrier && !v.Whole }

// standing are the times that a correction leaves.
func (v voice) standing(fix mark) []time.Time {
	ts := v.At
	for fix.Milestone != "" && len(ts) > 0 && !ts[0].After(fix.At) {
		ts = ts[1:]
	}
	return ts
}

// after is the mark that a voice still sets beside a correction; empty if none.
func (v voice) after(fix mark) mark {
	ts := v.standing(fix)
	switch {
	case len(ts) == 0:
		return mark{}
	case v.Milestone.Stage().byTime():
		return mark{v.Milestone, ts[len(ts)-1]}
	}
	return mark{v.Milestone, ts[0]}
}

// about finds where the facts of an event belong: to the parcel, or to another
// box under its number. Not ok: to neither.
func (s *State) about(p *Parcel, e CarrierEvent) (said *[]voice, fix *mark, ok bool) {
	if e.Tracking == p.Tracking || e.Piece == p.Tracking {
		p.PieceCount = max(p.PieceCount, e.Pieces)
	}
	if e.By != CarrierSays {
		return &p.Said, &p.CarrierFix, true // only carriers know pieces
	}
	if e.Piece == "" || p.Tracking == "" || e.Piece == p.Tracking || e.Tracking != p.Tracking {
		p.OwnPiece = p.OwnPiece || e.Piece != "" && e.Piece == p.Tracking
		return &p.Said, &p.CarrierFix, true
	}
	if p.Master != "" {
		return nil, nil, false // the parcel is one box, and this is another
	}
	i, known := slices.BinarySearchFunc(p.Pieces, e.Piece, func(q piece, number string) int {
		switch {
		case q.Number < number:
			return -1
		case q.Number > number:
			return 1
		}
		return 0
	})
	if !known {
		total := 0
		for j := range s.Parcels {
			total += len(s.Parcels[j].Pieces)
		}
		if total >= maxPieces {
			// Without its facts the parcel cannot end by its pieces any more.
			p.PieceCount = max(p.PieceCount, len(p.Pieces)+2)
			s.anomaly(TooManyPieces, p.ID, e.Meta, fmt.Sprintf("more than %d pieces: %s is kept, not applied", maxPieces, e.Piece))
			s.decide(p, e.Meta)
			return nil, nil, false
		}
		p.Pieces = slices.Insert(p.Pieces, i, piece{Number: e.Piece})
	}
	return &p.Pieces[i].Said, &p.Pieces[i].CarrierFix, true
}

// pieces is how many boxes travel under the parcel's number, and those of them
// that are known by another: all that were seen and as many as the carrier
// counted, without those that are parcels of their own.
func (s *State) pieces(p *Parcel) (n int, others []piece) {
	if p.Master != "" || len(p.Pieces) == 0 && p.PieceCount <= 1 {
		return 1, nil
	}
	apart := 0
	own := make([]string, 0, len(s.Parcels))
	for i := range s.Parcels {
		o := &s.Parcels[i]
		if o.ID == p.ID || o.Tracking == "" || o.Tracking == p.Tracking {
			continue
		}
		own = append(own, o.Tracking)
		// Carriers whose numbers name boxes count the whole shipment under each.
		if o.Master == p.Tracking || p.OwnPiece && o.Carrier == p.Carrier {
			apart++
		}
	}
	for _, q := range p.Pieces {
		if !slices.Contains(own, q.Number) {
			others = append(others, q)
		}
	}
	n = len(others)
	if p.OwnPiece {
		n++
	}
	return max(1, n, p.PieceCount-apart), others
}

// endings in the order in which they count where pieces ended differently: what
// still needs somebody comes first.
var endings = []Milestone{Returning, Lost, Destroyed, Returned, Delivered}

// tellOf is how many pieces, and when the last of them.
type tellOf struct {
	n  int
	at time.Time
}

// ending is what a parcel of n pieces came to; empty until each of them has
// ended. A piece that was never seen ends by what is said of all.
func (p *Parcel) ending(n int, others []piece) (end mark, delivered tellOf) {
	if n == 1 && len(others) == 0 {
		return mark{}, delivered
	}
	left, ended := n, true
	one := func(said []voice, fixed mark) {
		left--
		fix := p.fix(true)
		if later(fixed, fix) {
			fix = fixed
		}
		var k mark
		weigh := func(m mark) {
			if m.Milestone != "" && better(m, k) {
				k = m
			}
		}
		weigh(fix)
		weigh(p.SupportFix)
		for _, v := range said {
			if v.Carrier {
				weigh(v.after(fix))
			}
		}
		for _, v := range p.Said { // what holds for all of them
			switch {
			case !v.Carrier:
				weigh(v.after(p.SupportFix))
			case v.Whole:
				weigh(v.after(fix))
			}
		}
		if k.Milestone == Delivered {
			delivered.n++
			delivered.at = latest(delivered.at, k.At)
		}
		if !k.Milestone.final() {
			ended = false
			return
		}
		if end.Milestone == "" || slices.Index(endings, k.Milestone) < slices.Index(endings, end.Milestone) {
			end.Milestone = k.Milestone
		}
		end.At = latest(end.At, k.At)
	}
	if p.OwnPiece {
		one(p.Said, mark{})
	}
	for _, q := range others {
		one(q.Said, q.CarrierFix)
	}
	for left > 0 {
		one(nil, mark{})
	}
	if !ended {
		return mark{}, delivered
	}
	return end, delivered
}

// partial: the buyer has some pieces and not all.
func (p *Parcel) partial() bool { return p.Delivered > 0 && p.Delivered < p.Of }

// title is how far the parcel has come, in a buyer's words.
func (p *Parcel) title() string {
	if p.partial() {
		return p.progress()
	}
	return p.Milestone.Title()
}

// progress is how many pieces the buyer has, in words.
func (p *Parcel) progress() string {
	return fmt.Sprintf("%d of %d pieces delivered", p.Delivered, p.Of)
}

// relabel gives the parcel another number. The pieces were those of the old one.
func (p *Parcel) relabel(number string, at time.Time) {
	p.Tracking, p.LabelAt = number, at
	p.Pieces, p.OwnPiece, p.PieceCount, p.Of, p.Delivered = nil, false, 0, 0, 0
}

// recount decides anew where the number of pieces depends on what other parcels
// are: one of them got a number, or a master.
func (s *State) recount(meta Meta) {
	for i := range s.Parcels {
		if p := &s.Parcels[i]; len(p.Pieces) > 0 || p.PieceCount > 1 {
			s.decide(p, meta)
		}
	}
}
