// Package folder takes carriers' files from a folder: those at its top are EDI 214,
// those in a folder named like a carrier are that carrier's. What is taken is moved
// to done/ or failed/ beside it, and the 997 of an EDI file is written to out/.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
)

const (
	// atTop is whose the files at the top are.
	atTop  = "edi214"
	done   = "done"
	failed = "failed"
	out    = "out"
	// every is how long a file must rest before it is taken to be whole: it is
	// the same at two looks.
	every = 5 * time.Second
)

// Folder is the folder that is watched. Several processes may watch the same:
// events are accepted once, and the second move finds nothing.
type Folder struct {
	Path     string
	Intake   *intake.Intake
	Faults   Faults
	Carriers carriers.Registry
	Log      *slog.Logger
	Now      func() time.Time
	// Taken hears of each file that was moved, and whether to done or failed. It may be nil.
	Taken func(carrier, to string)

	mu   sync.Mutex
	seen map[string]look // by path, at the last look
}

// Faults tells ops what could not be read.
type Faults interface {
	ReportFaults(ctx context.Context, fs []store.Fault, at time.Time) error
}

// look is what a file is seen to be. One that is written to changes.
type look struct {
	size     int64
	modified time.Time
	since    time.Time // when this process saw it first
}

// Waiting counts the files that stood there at the last look and were not taken,
// and says since when the first of them has been seen; zero: there are none.
func (f *Folder) Waiting() (files int, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.seen {
		if since.IsZero() || l.since.Before(since) {
			since = l.since
		}
	}
	return len(f.seen), since
}

// Run looks until ctx ends. A folder that is not there is an error; what goes
// wrong later is logged and tried again.
func (f *Folder) Run(ctx context.Context) error {
	if _, err := os.ReadDir(f.Path); err != nil {
		return err
	}
	f.Log.Info("folder watched", "path", f.Path)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := f.Look(ctx); err != nil && ctx.Err() == nil {
			f.Log.Warn("folder", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look takes every file that is the same as at the last look, and notes the
// others. One file's trouble holds no other back.
func (f *Folder) Look(ctx context.Context) error {
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	seen := map[string]look{}
	errs := f.files(ctx, root, ".", atTop, seen)
	entries, err := fs.ReadDir(root.FS(), ".")
	errs = errors.Join(errs, err)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != done && e.Name() != failed && e.Name() != out {
			errs = errors.Join(errs, f.files(ctx, root, e.Name(), e.Name(), seen))
		}
	}
	f.mu.Lock()
	f.seen = seen
	f.mu.Unlock()
	return errs
}

// files looks at the files of one folder.
func (f *Folder) files(ctx context.Context, root *os.Root, dir, carrier string, seen map[string]look) error {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return err
	}
	a, unread := f.Carriers.Find(carrier)
	reader, ok := a.(carriers.FileReader)
	if unread == nil && !ok {
		unread = fmt.Errorf("%s sends no files", carrier)
	}
	var errs error
	files := 0
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !e.Type().IsRegular() || unfinished(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil { // somebody else took it
			continue
		}
		files++
		name := path.Join(dir, e.Name())
		last, known := f.seen[name]
		now := look{info.Size(), info.ModTime(), last.since}
		if !known {
			now.since = f.Now()
		}
		if unread != nil || !known || last != now {
			seen[name] = now
			continue
		}
		if err := f.take(ctx, root, name, now.modified, reader); err != nil && !errors.Is(err, fs.ErrNotExist) {
			seen[name] = now
			errs = errors.Join(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if unread != nil && files > 0 { // files that nobody reads must not wait in silence
		return fmt.Errorf("folder %s: %w", dir, unread)
	}
	return errs
}

// unfinished says by its name that a file is still being written, or is not for us.
func unfinished(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, ".") || strings.HasSuffix(lower, ".tmp") || strings.HasSuffix(lower, ".part")
}

// take has the file's events accepted, acknowledges it and moves it. A crash in
// between repeats it, which changes nothing. An error leaves it where it is.
func (f *Folder) take(ctx context.Context, root *os.Root, name string, modified time.Time, reader carriers.FileReader) error {
	body, err := read(root, name)
	if err != nil {
		return err
	}
	n, faults, err := f.Intake.File(ctx, reader, "", body, f.Now())
	if err != nil {
		return err
	}
	to := done
	if len(faults) > 0 {
		to = failed
	}
	target, err := free(root, path.Join(path.Dir(name), to), path.Base(name))
	if err != nil {
		return err
	}
	if to == failed { // before the file is moved: none stands there without its reason
		if err := root.WriteFile(target+".reason.txt", reason(n, faults), 0o644); err != nil {
			return err
		}
		told := store.Fault{Kind: store.UnreadableFile, Key: reader.Name(), Title: "Files of " + reader.Name() + " cannot be read as a whole", Sample: carriers.Clean(target+": "+faults[0].String(), 500)}
		if err := f.Faults.ReportFaults(ctx, []store.Fault{told}, f.Now()); err != nil {
			return err
		}
	}
	if reader.Name() == atTop {
		if err := acknowledge(root, path.Join(path.Dir(name), out), path.Base(target), body, modified); err != nil {
			return err
		}
	}
	if err := root.Rename(name, target); err != nil {
		return err
	}
	if f.Taken != nil {
		f.Taken(reader.Name(), to)
	}
	f.Log.Info("file taken", "carrier", reader.Name(), "file", target, "accepted", n.Accepted, "duplicate", n.Duplicate, "orphan", n.Orphan,
		"unmapped", n.Unmapped, "rejected", n.Rejected, "faults", len(faults))
	return nil
}

// read reads one byte more than may be: the adapter says that it is too large.
func read(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, carriers.MaxBody+1))
}

// free finds a name in the folder under which nothing stands yet: carriers send
// files of the same name every day.
func free(root *os.Root, dir, name string) (string, error) {
	if err := root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	target := path.Join(dir, name)
	for i := 1; ; i++ {
		_, err := root.Lstat(target)
		if errors.Is(err, fs.ErrNotExist) {
			return target, nil
		}
		if err != nil {
			return "", err
		}
		target = path.Join(dir, fmt.Sprintf("%s.%d", name, i))
	}
}

func reason(n intake.Counts, faults []carriers.Fault) []byte {
	text := fmt.Appendf(nil, "%d events were taken in (%d new, %d of parcels not known yet, %d known before). This was not:\n",
		n.Accepted+n.Orphan+n.Duplicate, n.Accepted, n.Orphan, n.Duplicate)
	for _, x := range faults {
		text = fmt.Appendf(text, "%s\n", x)
	}
	return text
}
