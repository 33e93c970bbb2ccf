package pages

import (
	"sync"
	"time"

	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
)

// drawn keeps tracking pages as they were sent last. Each is good for one version
// of its order, read anew with every request, and for the minute that it says it
// is of: what a buyer reads is never older than the database. It saves drawing
// when a link is opened again, fetched by mail scanners, or sent to many.
type drawn struct {
	mu    sync.Mutex
	size  int
	pages map[string]drawnPage // by the hash of the token and the language asked for
}

type drawnPage struct {
	version store.Version
	brand   brand
	minute  time.Time
	tongue  *speech.Tongue
	body    []byte
}

const (
	maxDrawn     = 32 << 20 // bytes
	maxDrawnPage = 256 << 10
)

func (d *drawn) get(key string) (drawnPage, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.pages[key]
	return p, ok
}

func (d *drawn) put(key string, p drawnPage) {
	if len(p.body) > maxDrawnPage {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pages == nil {
		d.pages = map[string]drawnPage{}
	}
	d.size += len(p.body) - len(d.pages[key].body)
	d.pages[key] = p
	for other, old := range d.pages {
		if d.size <= maxDrawn {
			return
		}
		if other != key {
			d.size -= len(old.body)
			delete(d.pages, other)
		}
	}
}
