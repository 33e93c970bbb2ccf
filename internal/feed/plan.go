package feed

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// reserve is the part of each window, one in so many, that is left for the
	// checks of orders whose parcels stand still.
	reserve = 5
	// fair is how often, one in so many, the parcel that was longest unheard of
	// goes before the one with the nearest deadline.
	fair = 5
	// maxCalls bounds one look, whatever the budget.
	maxCalls = 50
)

// Budget is what may still be asked with a credential.
type Budget struct {
	Windows []Window `json:"windows,omitempty"`
	// RestUntil: the carrier said no until then.
	RestUntil time.Time `json:"rest_until,omitzero"`
}

// Window is one limit: Limit calls in Length, of which Left are left.
type Window struct {
	Limit   int `json:"limit"`
	Left    int `json:"left"`
	Seconds int `json:"seconds"`
}

// Calls is how many calls may be spent until the next look: an even share of
// each window, so that a deadline late in the window finds calls too, and never
// the reserve. A window that ends before the next look says nothing about it: who
// calls keeps to that.
func Calls(b Budget, every time.Duration, now time.Time) int {
	if b.RestUntil.After(now) {
		return 0
	}
	calls := maxCalls
	for _, w := range b.Windows {
		length := time.Duration(w.Seconds) * time.Second
		if length <= every {
			continue
		}
		kept := (w.Limit + reserve - 1) / reserve
		share := (int64(w.Limit-kept)*int64(every/time.Second) + int64(w.Seconds) - 1) / int64(w.Seconds)
		calls = min(calls, max(0, w.Left-kept), int(max(0, share)))
	}
	return calls
}

func (b Budget) words(now time.Time) string {
	if b.RestUntil.After(now) {
		return "the carrier wants rest until " + stamp(b.RestUntil)
	}
	if len(b.Windows) == 0 {
		return "no limit known"
	}
	var parts []string
	for _, w := range b.Windows {
		parts = append(parts, fmt.Sprintf("%d of %d left in %s", w.Left, w.Limit, time.Duration(w.Seconds)*time.Second))
	}
	return strings.Join(parts, ", ")
}

// Parcel is one that may be asked for.
type Parcel struct {
	Tracking string
	// Deadline is when its order acts next; zero: no time.
	Deadline time.Time
	// Heard is when anything was last heard of it, or asked.
	Heard time.Time
}

// Pick chooses n numbers: the nearest deadline first, but every fifth place goes
// to the parcel that was longest unheard of, so that nobody waits forever. turn
// is how many were picked before, ever: it carries the places over from look to
// look, however few each may ask.
func Pick(parcels []Parcel, n, turn int) []string {
	urgent := slices.SortedFunc(slices.Values(parcels), func(a, b Parcel) int {
		return cmp.Or(compare(a.Deadline, b.Deadline), a.Heard.Compare(b.Heard), cmp.Compare(a.Tracking, b.Tracking))
	})
	oldest := slices.SortedFunc(slices.Values(parcels), func(a, b Parcel) int {
		return cmp.Or(a.Heard.Compare(b.Heard), compare(a.Deadline, b.Deadline), cmp.Compare(a.Tracking, b.Tracking))
	})
	picked := make(map[string]bool, n)
	var numbers []string
	for len(numbers) < n {
		queue := &urgent
		if (turn+len(numbers))%fair == fair-1 {
			queue = &oldest
		}
		for len(*queue) > 0 && picked[(*queue)[0].Tracking] {
			*queue = (*queue)[1:]
		}
		if len(*queue) == 0 {
			return numbers
		}
		number := (*queue)[0].Tracking
		picked[number] = true
		numbers = append(numbers, number)
	}
	return numbers
}

// compare puts the zero time last.
func compare(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		return -a.Compare(b)
	}
	return a.Compare(b)
}
