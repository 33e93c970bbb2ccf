package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// Erasure says what was erased of a person, and what was not.
type Erasure struct {
	Store  string   `json:"store"`
	Orders []string `json:"orders"`
	// Erased are rows, by table.
	Erased []ErasedRows `json:"erased"`
	// Remains says what is still there, and why.
	Remains []Remainder `json:"remains"`
}

// ErasedRows is how many rows of a table were emptied, changed or deleted. One
// that was changed in two places counts twice.
type ErasedRows struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// Remainder is what an erasure leaves. Rows 0: it is not counted.
type Remainder struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Rows int64  `json:"rows,omitempty"`
}

const (
	redacted    = "[erased]"
	leastNeedle = 3  // letters of a name that are looked for in free text
	leastStrong = 6  // letters that are looked for in other people's bodies
	maxNeedles  = 60 // of one customer
)

// EraseCustomer makes a store forget who a customer is, in one transaction:
// contacts, addresses, wishes, kept messages, raw bodies that speak of the
// customer's parcels, and names wherever people or carriers wrote them into free
// text. What happened to the orders stays, without anybody's name. It may be
// repeated. The audit row names the orders, and not the customer. ErrNotFound: no
// order of that store has that reference.
func (s *Store) EraseCustomer(ctx context.Context, storeID, ref string, a Audit, at time.Time) (e Erasure, err error) {
	e.Store = storeID
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Raw bodies are read whole, which may take longer than any other statement.
		if _, err := tx.Exec(ctx, `set local statement_timeout = '5min'`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select id from orders where store = $1 and customer_ref = $2 order by id for update`, storeID, ref)
		if err != nil {
			return err
		}
		if e.Orders, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		if len(e.Orders) == 0 {
			return ErrNotFound
		}
		w := eraser{ctx: ctx, tx: tx, orders: e.Orders, erased: []ErasedRows{}}
		if err := w.find(); err != nil {
			return err
		}
		w.all(storeID, ref, at)
		if w.err != nil {
			return w.err
		}
		e.Erased, e.Remains = w.erased, w.remains
		if a.Request, err = json.Marshal(map[string]any{"store": storeID, "orders": e.Orders}); err != nil {
			return err
		}
		detail, err := json.Marshal(e.Erased)
		a.Detail = string(detail)
		if err != nil {
			return err
		}
		return addAudit(ctx, tx, a)
	})
	if err != nil {
		return Erasure{}, fmt.Errorf("erase a customer of %s: %w", storeID, err)
	}
	return e, nil
}

// eraser goes through the tables of one erasure. The first error ends it.
type eraser struct {
	ctx    context.Context
	tx     pgx.Tx
	orders []string
	// words stand in free text of the customer's own orders; strong ones are looked
	// for in bodies that may be about anybody. Both are personal data.
	words, strong []string
	pattern       *regexp.Regexp
	erased        []ErasedRows
	remains       []Remainder
	err           error
}

// find learns what names the customer, before it is gone.
func (w *eraser) find() error {
	rows, err := w.tx.Query(w.ctx, `select name, email, phone from contacts where order_id = any($1)`, w.orders)
	if err != nil {
		return err
	}
	var name, email, phone string
	add := func(list *[]string, least int, texts ...string) {
		for _, t := range texts {
			if t = strings.TrimSpace(t); len([]rune(t)) >= least && !slices.Contains(*list, t) && len(*list) < maxNeedles {
				*list = append(*list, t)
			}
		}
	}
	named := func(name string) {
		add(&w.words, leastNeedle, name)
		add(&w.words, leastNeedle, strings.Fields(name)...)
		if strings.Contains(name, " ") { // a single word may be anybody's
			add(&w.strong, leastStrong, name)
		}
	}
	if _, err := pgx.ForEachRow(rows, []any{&name, &email, &phone}, func() error {
		named(name)
		add(&w.words, leastNeedle, email, phone, strings.TrimPrefix(phone, "+"))
		add(&w.strong, leastStrong, email, phone)
		return nil
	}); err != nil {
		return err
	}
	if rows, err = w.tx.Query(w.ctx, `select body from addresses where order_id = any($1)`, w.orders); err != nil {
		return err
	}
	var body []byte
	if _, err := pgx.ForEachRow(rows, []any{&body}, func() error {
		var a Address
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		named(a.Name)
		add(&w.words, leastStrong, a.Street)
		add(&w.strong, leastStrong, a.Street)
		return nil
	}); err != nil {
		return err
	}
	// The longest first, so that a whole name leaves no half of it.
	slices.SortFunc(w.words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	if len(w.words) > 0 {
		w.pattern = regexp.MustCompile(`(?i)` + anyOf(w.words))
	}
	return nil
}

// anyOf is a pattern, for Go and PostgreSQL, that any of the texts matches; none
// of none.
func anyOf(texts []string) string {
	var quoted []string
	for _, t := range texts {
		quoted = append(quoted, regexp.QuoteMeta(t))
	}
	if len(quoted) == 0 {
		return "a^"
	}
	return strings.Join(quoted, "|")
}

// clean is a text without the customer's words where they stand as such: Ann is
// no part of planned.
func (w *eraser) clean(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range w.pattern.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if part(before) || part(after) {
			continue
		}
		b.WriteString(text[from:at[0]])
		b.WriteString(redacted)
		from = at[1]
	}
	b.WriteString(text[from:])
	return b.String()
}

func part(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// clear runs a statement and counts its rows under a table.
func (w *eraser) clear(table, sql string, args ...any) {
	if w.err != nil {
		return
	}
	tag, err := w.tx.Exec(w.ctx, sql, args...)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", table, err)
		return
	}
	if n := tag.RowsAffected(); n > 0 {
		w.count(table, n)
	}
}

func (w *eraser) count(table string, n int64) {
	i := slices.IndexFunc(w.erased, func(r ErasedRows) bool { return r.Table == table })
	if i < 0 {
		i, w.erased = len(w.erased), append(w.erased, ErasedRows{Table: table})
	}
	w.erased[i].Rows += n
}

func (w *eraser) all(storeID, ref string, at time.Time) {
	orders := w.orders
	// What carriers were told of these orders finds bodies that may name the person.
	w.bodies()

	w.clear("contacts", `update contacts set name = '', email = '', phone = '', language = '', erased_at = $2 where order_id = any($1) and (erased_at is null or (name, email, phone) <> ('', '', ''))`, orders, at)
	w.clear("addresses", `update addresses set body = jsonb_strip_nulls(jsonb_build_object('country', body->'country')) where order_id = any($1) and body - 'country' <> '{}'`, orders)
	w.clear("preferences", `delete from preferences where store = $1 and customer_ref = $2`, storeID, ref)
	w.clear("messages", `update messages set recipient = null, reason = case when status = 'planned' then 'the person was erased' else reason end,
    not_before = case when status = 'planned' then 'infinity' else not_before end, updated_at = $2, status = case when status = 'planned' then 'dropped' else status end
    where order_id = any($1) and (recipient is not null or status = 'planned')`, orders, at)
	// After the messages: a send that is just being committed is waited for there, and
	// what it keeps is seen here.
	w.clear("kept_messages", `delete from kept_messages where order_id = any($1)`, orders)
	// Carriers write who signed into their words; whoever it was, nobody needs it any more.
	w.clear("inbox", `update inbox set description = '' where description <> '' and n = `+inOrder(`n = any(array(
    select n from inbox where order_id = any($1)
    union all select i.n from parcels p join inbox i on i.order_id is null and i.ref_order = '' and i.tracking = p.tracking where p.order_id = any($1) and p.tracking <> ''
    union all select i.n from parcels p join inbox i on i.order_id is null and i.piece = p.tracking and i.piece <> '' where p.order_id = any($1)))`), orders)

	w.clear("signers", `delete from signers s using inbox i where i.order_id = any($1) and s.source = i.source and s.event_id = i.event_id`, orders)
	w.clear("proof_documents", `delete from proof_documents where order_id = any($1)`, orders)
	w.clear("bookings", `update bookings set label = null, media_type = '' where order_id = any($1) and label is not null`, orders)
	w.clear("proofs", `update proofs set signed_by = '' where order_id = any($1) and signed_by <> ''`, orders)

	w.texts("inbox", "n::text", "location", `order_id = any($1)`, orders)
	w.texts("happenings", "id::text", "body", `order_id = any($1)`, orders)
	w.texts("cases", "order_id || ' ' || kind || ' ' || parcel", "body", `order_id = any($1)`, orders)
	w.texts("returns", "order_id || ' ' || t.id", "what", `order_id = any($1)`, orders)
	w.texts("orders", "id", "next_what", `id = any($1)`, orders)
	w.texts("faults", "id::text", "sample", `(t.key = any($1) or sample ~* $2)`, orders, anyOf(w.strong))
	running := w.states()
	w.answers()
	w.history(running)
}

// bodies deletes what verified sources sent, where it speaks of a parcel of the
// customer's or holds the customer's name, mail, phone or street. Other parcels in
// the same body cannot be read again from it.
func (w *eraser) bodies() {
	if w.err != nil {
		return
	}
	rows, err := w.tx.Query(w.ctx, `select distinct n from (
    select tracking as n from parcels where order_id = any($1) union all select master from parcels where order_id = any($1)
    union all select tracking from inbox where order_id = any($1) union all select piece from inbox where order_id = any($1)) q where length(n) >= $2`, w.orders, leastStrong)
	if err != nil {
		w.err = err
		return
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.err = err
		return
	}
	var needles []string
	for _, n := range append(numbers, w.strong...) {
		// As it stands in JSON too, and as carriers' capitals.
		quoted, _ := json.Marshal(n)
		needles = append(needles, n, strings.ToUpper(n), strings.ToLower(n), string(quoted[1:len(quoted)-1]), asciiJSON(n))
	}
	slices.Sort(needles)
	w.clear("raw_bodies", `delete from raw_bodies b where exists (select from unnest($1::text[]) n
    where position(lower(encode(convert_to(n, 'UTF8'), 'escape')) in lower(encode(b.body, 'escape'))) > 0)`, slices.Compact(needles))
}

// asciiJSON is text as JSON writers put it that escape everything beyond ASCII.
func asciiJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return b.String()
}

// texts redacts a column of free text.
func (w *eraser) texts(table, id, column, where string, args ...any) {
	if w.err != nil || w.pattern == nil {
		return
	}
	rows, err := w.tx.Query(w.ctx, fmt.Sprintf(`select %s, %s from %s t where %s and %s <> ''`, id, column, table, where, column), args...)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", table, err)
		return
	}
	var key, text string
	var keys, texts []string
	if _, err := pgx.ForEachRow(rows, []any{&key, &text}, func() error {
		if clean := w.clean(text); clean != text {
			keys, texts = append(keys, key), append(texts, clean)
		}
		return nil
	}); err != nil {
		w.err = fmt.Errorf("%s: %w", table, err)
		return
	}
	if len(keys) == 0 {
		return
	}
	w.clear(table, fmt.Sprintf(`update %s t set %s = u.clean from unnest($%d::text[], $%d::text[]) as u (row, clean) where %s and %s = u.row`,
		table, column, len(args)+1, len(args)+2, where, id), append(slices.Clone(args), keys, texts)...)
}

// freeText are the fields of a state that people and carriers write into.
var freeText = []string{"text", "reason", "note", "last_place", "reference"}

// states redacts what people wrote into the orders' states: notes and reasons. It
// returns how many of them a running order will write again.
func (w *eraser) states() (running int64) {
	if w.err != nil || w.pattern == nil {
		return 0
	}
	rows, err := w.tx.Query(w.ctx, `select id, state, closed from orders where id = any($1) and state is not null`, w.orders)
	if err != nil {
		w.err = err
		return 0
	}
	var id string
	var state []byte
	var closed bool
	var ids []string
	var states []json.RawMessage
	if _, err := pgx.ForEachRow(rows, []any{&id, &state, &closed}, func() error {
		d := json.NewDecoder(bytes.NewReader(state))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return err
		}
		if !w.redact(v, "") {
			return nil
		}
		if !closed {
			running++
		}
		body, err := json.Marshal(v)
		ids, states = append(ids, id), append(states, body)
		return err
	}); err != nil {
		w.err = fmt.Errorf("orders: %w", err)
		return 0
	}
	if len(ids) > 0 {
		w.clear("orders", `update orders o set state = u.state from unnest($1::text[], $2::json[]) as u (id, state) where o.id = u.id`, ids, states)
	}
	return running
}

// redact changes free text in a decoded JSON value, and says whether it did.
func (w *eraser) redact(v any, under string) (changed bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if text, ok := inner.(string); ok && slices.Contains(freeText, key) {
				if clean := w.clean(text); clean != text {
					v[key], changed = clean, true
				}
				continue
			}
			changed = w.redact(inner, key) || changed
		}
	case []any:
		for _, inner := range v {
			changed = w.redact(inner, under) || changed
		}
	}
	return changed
}

// answers empties stored answers of the API that name the customer: a repeat of
// that request gets an empty one.
func (w *eraser) answers() {
	if w.err != nil || w.pattern == nil {
		return
	}
	w.clear("idempotency", `update idempotency set response = '{}' where response is not null and response::text ~* $1`, anyOf(w.strong))
}

// history says what stays.
func (w *eraser) history(running int64) {
	if w.err != nil {
		return
	}
	var audits int64
	if w.pattern != nil {
		if err := w.tx.QueryRow(w.ctx, `select count(*) from audit where order_id = any($1) and (reason ~* $2 or detail ~* $2 or request::text ~* $2)`, w.orders, anyOf(w.words)).Scan(&audits); err != nil {
			w.err = err
			return
		}
	}
	remain := func(rows int64, what, why string) { w.remains = append(w.remains, Remainder{what, why, rows}) }
	remain(int64(len(w.orders)), "orders, with your reference of the customer", "what was sold and what became of it; the reference names nobody here")
	if audits > 0 {
		remain(audits, "audit rows whose reason or request names the customer", "who did what is history and cannot be changed; it is deleted with its retention")
	}
	if running > 0 {
		remain(running, "notes and reasons in running orders' workflows", "a workflow cannot forget what it was told: they come back with the order's next event, and go with its history's retention")
	}
	remain(0, "keyed hashes of suppressed addresses", "so that who said stop is not written to again; they name nobody")
	remain(0, "messages at the providers, backups, logs of carriers", "they are kept elsewhere, by their own retention")
}
