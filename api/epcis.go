package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/epcis"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// capturedScan is what an event told of one parcel.
type capturedScan struct {
	Order    string `json:"order,omitempty"`
	Parcel   string `json:"parcel,omitempty"`
	Tracking string `json:"tracking,omitempty"`
	Kind     string `json:"kind"`
	Result   string `json:"result"`
	// Reads is how many events of the document were folded into this scan.
	Reads int `json:"reads,omitempty"`
}

type captureResult struct {
	factResult
	Scans []capturedScan `json:"scans,omitempty"`
}

type captureResults struct {
	Results   []captureResult `json:"results"`
	Accepted  int             `json:"accepted"`
	Duplicate int             `json:"duplicate"`
	Orphan    int             `json:"orphan"`
	Rejected  int             `json:"rejected"`
}

// captureEPCIS takes EPCIS events as scans. It answers each event after the
// commit, where other servers hand out a job to ask after.
func (s *server) captureEPCIS(c echo.Context) error {
	h := c.Response().Header()
	h.Set("GS1-EPCIS-Version", "2.0")
	h.Set("GS1-CBV-Version", "2.0")
	h.Set("GS1-EPCIS-Capture-Limit", strconv.Itoa(epcis.MaxEvents))
	h.Set("GS1-EPCIS-Capture-File-Size-Limit", strconv.FormatInt(opOf(c).limit, 10))
	h.Set("GS1-Capture-Error-Behaviour", "proceed")
	body, _ := c.Get(bodyKey).([]byte)
	items, refusal := epcis.Read(body)
	if refusal != nil {
		return invalid(fieldError{clean(refusal.Field, 100), refusal.Reason})
	}
	who, now := callerOf(c), s.now()
	answer := captureResults{Results: make([]captureResult, len(items))}
	var facts []store.Fact
	var at []int // the event of each fact
	for i := range items {
		it := &items[i]
		r := &answer.Results[i]
		r.Index, r.ID = i, clean(it.ID, maxID)
		told, refusal := scansOf(it, who)
		if refusal == nil {
			refusal = believable("eventTime", it.Time, now)
		}
		if refusal != nil {
			r.Result, r.Field, r.Reason = rejected, refusal.Field, refusal.Reason
			continue
		}
		for _, f := range told {
			facts, at = append(facts, f), append(at, i)
		}
	}
	results, err := s.acceptFolded(c, facts, at, items)
	if err != nil {
		return err
	}
	for n, r := range results {
		e := &answer.Results[at[n]]
		e.Scans = append(e.Scans, r)
	}
	faults := retractions(items, who)
	if err := s.store.ReportFaults(c.Request().Context(), faults, now); err != nil {
		return err
	}
	unsupported := 0
	for i := range answer.Results {
		r := &answer.Results[i]
		if r.Result == "" {
			r.Result = together(r.Scans)
		}
		switch r.Result {
		case string(store.Accepted):
			answer.Accepted++
		case string(store.Duplicate):
			answer.Duplicate++
		case string(store.Orphan):
			answer.Orphan++
		default:
			answer.Rejected++
		}
		if items[i].Unsupported() && !items[i].Wrong {
			unsupported++
		}
	}
	s.metrics.fact("epcis", string(store.Accepted), answer.Accepted)
	s.metrics.fact("epcis", string(store.Duplicate), answer.Duplicate)
	s.metrics.fact("epcis", string(store.Orphan), answer.Orphan)
	s.metrics.fact("epcis", rejected, answer.Rejected)
	s.metrics.fact("epcis", "retraction", len(faults))
	s.metrics.fact("epcis", "unsupported", unsupported)
	return c.JSON(http.StatusOK, answer)
}

// acceptFolded stores one fact for all that are one scan, and answers each: the
// first as the inbox did, those folded into it as duplicates.
func (s *server) acceptFolded(c echo.Context, facts []store.Fact, at []int, items []epcis.Item) ([]capturedScan, error) {
	sightings := make([]epcis.Sighting, len(facts))
	answers := make([]capturedScan, len(facts))
	for i := range facts {
		f, it := &facts[i], &items[at[i]]
		thing := []string{f.RefOrder, f.RefParcel, f.Tracking}
		if f.Tracking == "" { // goods of the order
			for _, epc := range it.EPCs {
				thing = append(thing, epc.Key)
			}
		}
		sightings[i] = epcis.Sighting{ID: f.EventID, Thing: strings.Join(thing, " "), Kind: it.Kind, Step: it.Step, Place: it.Place, Time: it.Time}
		answers[i] = capturedScan{Order: f.RefOrder, Parcel: f.RefParcel, Tracking: f.Tracking, Kind: f.Milestone, Result: string(store.Duplicate)}
	}
	groups := epcis.Fold(sightings, epcis.Window)
	if len(groups) == 0 {
		return nil, nil
	}
	kept := make([]store.Fact, len(groups))
	for n, g := range groups {
		kept[n] = facts[g[0]]
		if len(g) > 1 {
			answers[g[0]].Reads = len(g)
			kept[n].Description = "read " + strconv.Itoa(len(g)) + " times"
		}
	}
	results, err := s.store.Accept(c.Request().Context(), kept)
	if err != nil {
		return nil, err
	}
	for n, g := range groups {
		answers[g[0]].Result = string(results[n])
	}
	return answers, nil
}

// retractions are faults for people to look at: the core takes no scan back, and
// whether one was taken in is for them to see. One for each event ID.
func retractions(items []epcis.Item, who *caller) []store.Fault {
	var fs []store.Fault
	seen := map[string]bool{}
	for i := range items {
		it := &items[i]
		if !it.Wrong || it.ID == "" || seen[it.ID] {
			continue
		}
		seen[it.ID] = true
		fs = append(fs, store.Fault{Kind: store.Retraction, Key: strings.TrimPrefix(who.key.Store+"/"+it.ID, "/"),
			Title: "A warehouse event was declared wrong", Sample: "told by " + who.actor()})
	}
	return fs
}

// together is one word for what became of an event's scans: the best of them.
func together(scans []capturedScan) string {
	for _, r := range []store.Result{store.Accepted, store.Orphan} {
		if slices.ContainsFunc(scans, func(s capturedScan) bool { return s.Result == string(r) }) {
			return string(r)
		}
	}
	return string(store.Duplicate)
}

// scansOf makes the facts of one event, one for each parcel. A parcel is named
// by a business transaction, as the scan API names it, or by its SSCC. It is
// pure.
func scansOf(it *epcis.Item, who *caller) ([]store.Fact, *order.Refusal) {
	if it.Refusal != nil {
		return nil, it.Refusal
	}
	const field = "bizTransactionList"
	f := store.Fact{
		Source: "warehouse", EventID: it.ID, Kind: store.KindScan, Milestone: string(it.Kind), Code: it.Step, OccurredAt: it.Time, LocalTime: it.Local, UTCOffset: it.Offset,
		TimeBasis: "offset", Location: clean(it.Place, maxLocation), Actor: who.actor(),
	}
	refs := orderRefs(it.Orders, who.key.Store)
	for _, ref := range refs {
		if storeID, _, _ := strings.Cut(ref.order, ":"); !who.mayTouch(storeID) {
			return nil, no(field, "names an order of another store than the key's")
		}
	}
	switch {
	case len(refs) == 1 && refs[0].parcel != "" && len(it.Parcels) > 1:
		return nil, no(field, "names one parcel, and the event has "+strconv.Itoa(len(it.Parcels))+" SSCCs")
	case len(refs) == 1 && (refs[0].parcel != "" || len(it.Parcels) == 0):
		f.RefOrder, f.RefParcel = refs[0].order, refs[0].parcel
		if f.RefParcel == "" {
			f.RefParcel = "1"
		}
		if len(it.Parcels) == 1 {
			f.Tracking = carriers.Whole(it.Parcels[0])
		}
		f.EventID = ourScanID(it.ID, storeOf(&f))
		return []store.Fact{f}, nil
	case len(it.Parcels) == 0 && len(refs) == 0:
		return nil, no("", "names no parcel: it has no SSCC, and no purchase order store:number/parcel")
	case len(it.Parcels) == 0:
		return nil, no(field, "names several orders")
	}
	f.OnlyStore = who.key.Store
	facts := make([]store.Fact, len(it.Parcels))
	for i, sscc := range it.Parcels {
		facts[i] = f
		facts[i].Tracking, facts[i].EventID = carriers.Whole(sscc), ourScanID(it.ID+"#"+sscc, f.OnlyStore)
	}
	return facts, nil
}

type orderRef struct{ order, parcel string }

// orderRefs are the orders that business transactions name, each once. Others
// than store:number and store:number/parcel are somebody else's numbers; a plain
// number is one of the key's own store.
func orderRefs(transactions []string, storeID string) []orderRef {
	var refs []orderRef
	for _, t := range transactions {
		number, parcel, _ := strings.Cut(t, "/")
		if storeID != "" && !strings.Contains(number, ":") {
			number = storeID + ":" + number
		}
		ref := orderRef{number, parcel}
		if orderIDPattern.MatchString(number) && (parcel == "" || parcelPattern.MatchString(parcel)) && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}
