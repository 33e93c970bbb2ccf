package store

import (
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/rhythm"
	"github.com/waybillhq/waybill/order"
)

// ExplainInsert and ExplainAttach are the statements of the intake with values
// for their parameters, for tests of their plans.
var (
	ExplainInsert = insertItems(`select g as k, 's' as source, 'e' || g as event_id, 'carrier_event' as kind, '' as ref_order, '' as ref_parcel, '' as only_store, 'ups' as carrier, 'N77' as tracking,
            '' as milestone, '' as code, '' as bucket, true as physical, false as correction, now() as eta, now() as occurred_at, '' as local_time, '' as utc_offset,
            '' as time_basis, '' as location, '' as description, '' as actor, '' as ride, g::text as piece, 'u1' as unique_id, '' as delivered_to, 1 as pieces, false as whole, -1 as mapping
            from generate_series(1, 50) g`, true)
	ExplainAttach = strings.ReplaceAll(findOrphans, "$1", "now() - interval '10 seconds'")
)

// ExplainStillness is the statement of [Store.Stillness] with its parameters.
func ExplainStillness(from, to time.Time, clocks []*order.Calendar) (string, []any) {
	args := append(openHours(clocks, from.Add(-learnJourney), to), namedLanes(nil)...)
	return measureRhythms, append(args, from, to, learnParcels, rhythm.MinSamples)
}
