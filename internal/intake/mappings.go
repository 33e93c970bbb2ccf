package intake

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
)

const (
	// maxPair bounds table and code together. Adapters keep to 40 and 80.
	maxPair = 128
	// look is how often a process looks for new mappings and tells of unknown
	// codes.
	look = time.Second
	// maxFaults bounds the codes that are remembered between two looks. The rest
	// is found in the inbox later, see store.ReportWaiting.
	maxFaults = 1000
)

// codeOf is how the inbox names a code. Tables have no space in their names, so
// it can be taken apart again.
func codeOf(table, code string) string { return carriers.Clean(table+" "+code, maxPair) }

// mappings is the table of people's mappings as one process knows it.
type mappings struct {
	version int64
	by      map[mappingKey]store.Mapping
}

type mappingKey struct{ carrier, code string }

// correct gives a fact the reading that people gave its code, even over our own:
// carriers change what their codes mean.
func (t *mappings) correct(carrier string, f *store.Fact) {
	if t == nil {
		return
	}
	m, ok := t.by[mappingKey{carrier, f.Code}]
	if !ok {
		return
	}
	f.Mapping = m.Version
	if m.Kind != store.Withdrawn {
		f.Milestone, f.Physical, f.Bucket, f.Unmapped = m.Milestone, m.Physical, m.Bucket, false
	}
}

func (t *mappings) knows(f *store.Fault) bool {
	if t == nil {
		return false
	}
	carrier, table, code := SplitKey(f.Key)
	m, ok := t.by[mappingKey{carrier, codeOf(table, code)}]
	return ok && m.Kind != store.Withdrawn
}

// SplitKey takes the key of an unknown code's fault apart. Only the code may
// hold slashes.
func SplitKey(key string) (carrier, table, code string) {
	carrier, rest, _ := strings.Cut(key, "/")
	table, code, _ = strings.Cut(rest, "/")
	return carrier, table, code
}

// noteUnmapped counts a fact's unknown code, to be told with the next look: a
// webhook costs no query for it. If the process dies before, the fact is in the
// inbox, and store.ReportWaiting tells of it.
func (in *Intake) noteUnmapped(carrier string, f *store.Fact) {
	table, code, _ := strings.Cut(f.Code, " ")
	m := store.Mapping{Carrier: carrier, Table: table, Code: code}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.faults == nil {
		in.faults = map[string]*store.Fault{}
	}
	have := in.faults[m.Key()]
	if have == nil {
		if len(in.faults) >= maxFaults {
			return
		}
		have = &store.Fault{Kind: store.UnmappedCode, Key: m.Key(), Title: store.UnmappedTitle(carrier, table, code)}
		in.faults[m.Key()] = have
	}
	have.Sample = f.Description
	have.Count++
}

// Run keeps the mappings fresh and tells of unknown codes until ctx ends, and
// once more then.
func (in *Intake) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := in.Look(ctx); err != nil && ctx.Err() == nil {
			log.Warn("intake: code mappings and faults wait for the database", "error", err)
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := in.Look(ctx); err != nil {
			log.Warn("intake: unknown codes were not told of; they are found in the inbox later", "error", err)
		}
		return
	}
}

// Look reads the mappings if they changed, and tells of the unknown codes that
// came up since the last time. What was mapped in between is no fault.
func (in *Intake) Look(ctx context.Context) error {
	if err := in.refresh(ctx); err != nil {
		return err
	}
	in.mu.Lock()
	waiting := in.faults
	in.faults = nil
	in.mu.Unlock()
	known := in.mappings.Load()
	var fs []store.Fault
	for _, f := range waiting {
		if !known.knows(f) {
			fs = append(fs, *f)
		}
	}
	err := in.Store.ReportFaults(ctx, fs, time.Now())
	if err == nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for key, f := range waiting { // told next time
		if since := in.faults[key]; since != nil {
			f.Count, f.Sample = f.Count+since.Count, since.Sample
		}
		if in.faults == nil {
			in.faults = map[string]*store.Fault{}
		}
		in.faults[key] = f
	}
	return err
}

func (in *Intake) refresh(ctx context.Context) error {
	known := int64(-1)
	if have := in.mappings.Load(); have != nil {
		known = have.version
	}
	version, list, err := in.Store.Mappings(ctx, known)
	if err != nil || version == known {
		return err
	}
	fresh := &mappings{version, make(map[mappingKey]store.Mapping, len(list))}
	for _, m := range list {
		fresh.by[mappingKey{m.Carrier, codeOf(m.Table, m.Code)}] = m
	}
	for { // a slower reader must not bring an older table back
		have := in.mappings.Load()
		if have != nil && have.version >= fresh.version || in.mappings.CompareAndSwap(have, fresh) {
			return nil
		}
	}
}

// MappingError says why nobody can mean that, by field.
type MappingError struct{ Field, Reason string }

func (e *MappingError) Error() string { return e.Field + " " + e.Reason }

var bucketPattern = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// Map saves what a code of the adapter means from now on, and reads the facts
// again that wait for it. Errors: *MappingError, store.ErrNotFound (nothing to
// withdraw).
func (in *Intake) Map(ctx context.Context, a carriers.Adapter, m store.Mapping, audit store.Audit) (store.Mapping, store.Reread, error) {
	m.Carrier, m.Table, m.Code = a.Name(), strings.TrimSpace(m.Table), strings.TrimSpace(m.Code)
	switch pair := codeOf(m.Table, m.Code); {
	case m.Table == "" || strings.ContainsAny(m.Table, " /"):
		return m, store.Reread{}, &MappingError{"table", "must be a table of the carrier, without space or slash"}
	case m.Code == "" || pair != m.Table+" "+m.Code:
		return m, store.Reread{}, &MappingError{"code", fmt.Sprintf("must be a code as events carry it, with its table at most %d bytes", maxPair)}
	}
	switch {
	case !slices.Contains(MappingKinds(), m.Kind):
		return m, store.Reread{}, &MappingError{"kind", "must be one of " + strings.Join(MappingKinds(), ", ")}
	case m.Bucket != "" && !carriers.Bucketed(m.Kind):
		return m, store.Reread{}, &MappingError{"bucket", "belongs to exception, attempt, customs and partial only"}
	case m.Bucket == "" && m.Kind == "exception":
		return m, store.Reread{}, &MappingError{"bucket", "is needed: what kind of exception"}
	case m.Bucket != "" && !bucketPattern.MatchString(m.Bucket):
		return m, store.Reread{}, &MappingError{"bucket", "must match " + bucketPattern.String()}
	}
	reading, ok := carriers.ReadingOf(m.Kind, m.Bucket)
	if !ok { // withdrawn
		reading = a.Codes().Read(m.Table, m.Code)
	}
	m.Milestone, m.Physical, m.Unmapped = string(reading.Milestone), reading.Physical, reading.Unmapped
	saved, did, err := in.Store.SaveMapping(ctx, m, audit)
	if err != nil {
		return saved, did, err
	}
	// The next look would do; but who mapped it expects it to hold now.
	_ = in.refresh(ctx)
	return saved, did, nil
}

// MappingKinds is what a code can be mapped to.
func MappingKinds() []string {
	return append(slices.DeleteFunc(carriers.Kinds(), func(k string) bool { return k == "unknown" || k == "none" }), store.Withdrawn)
}
