package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// archive is the folder of one rules number.
type archive struct {
	dir  string
	kept []file
}

type file struct {
	name   string
	events int
	bytes  int
}

const suffix = ".json.gz"

// keep writes the runs of a scenario, instead of those of an earlier recording.
func (a *archive) keep(scenario string, runs []*historypb.History) error {
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return err
	}
	for _, pattern := range []string{scenario + suffix, scenario + "-run[0-9]*" + suffix} {
		old, err := filepath.Glob(filepath.Join(a.dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range old {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for i, h := range runs {
		name := scenario
		if len(runs) > 1 {
			name = fmt.Sprintf("%s-run%d", scenario, i+1)
		}
		packed, err := pack(h)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(a.dir, name+suffix), packed, 0o644); err != nil {
			return err
		}
		a.kept = append(a.kept, file{name, len(h.GetEvents()), len(packed)})
	}
	return nil
}

// pack makes the JSON that `temporal workflow show` prints, compressed.
func pack(h *historypb.History) ([]byte, error) {
	h = proto.CloneOf(h)
	if err := anonymous(h); err != nil {
		return nil, err
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// anonymous takes out what names this machine: who did it (pid@host), and the
// queue that a worker has for itself (host:uuid).
func anonymous(h *historypb.History) error {
	return protorange.Range(h.ProtoReflect(), func(p protopath.Values) error {
		m, ok := p.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		if f := m.Descriptor().Fields().ByName("identity"); f != nil && f.Kind() == protoreflect.StringKind && m.Has(f) {
			m.Set(f, protoreflect.ValueOfString("recorded"))
		}
		if q, ok := m.Interface().(*taskqueuepb.TaskQueue); ok && q.GetKind() == enumspb.TASK_QUEUE_KIND_STICKY {
			q.Name = "sticky"
		}
		return nil
	})
}

// The limits are lines of a name and how many events its history may have.

func readLimits(path string) (map[string]int, error) {
	limits := map[string]int{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return limits, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		var name string
		var n int
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		limits[name] = n
	}
	return limits, nil
}

const limitsHead = `# How many events each golden history may have, for any rules number. An order's
# price is its events: a change that needs more must raise a figure here, by
# hand, where a reviewer sees it. ` + "`make golden`" + ` only adds lines that are missing.
`

func writeLimits(path string, limits map[string]int) error {
	b := bytes.NewBufferString(limitsHead)
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		fmt.Fprintf(b, "%-28s %d\n", name, limits[name])
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
