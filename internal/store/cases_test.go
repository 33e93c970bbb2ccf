package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

// late is an order in which nobody picked, seen after so many days.
func late(t *testing.T, s *store.Store, number string, days int) *order.State {
	t.Helper()
	o := shipped(number, "1Z"+number)
	create(t, s, o)
	st := order.New(o.Spec, order.CurrentRules, placed)
	after(t, s, &st, order.Tick{Meta: order.Meta{By: order.Engine, Applied: placed.AddDate(0, 0, days)}})
	return &st
}

func after(t *testing.T, s *store.Store, st *order.State, e order.Event) {
	t.Helper()
	if err := order.Check(st, e); err != nil {
		t.Fatal(err)
	}
	order.Apply(st, e)
	if err := s.Project(t.Context(), st); err != nil {
		t.Fatal(err)
	}
}

func worklist(t *testing.T, s *store.Store, f store.CaseFilter) string {
	t.Helper()
	list, err := s.Cases(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, strings.TrimPrefix(c.OrderID, "acme:")+" "+c.Kind)
	}
	return strings.Join(got, ", ")
}

func TestTheWorkListFollowsTheOrders(t *testing.T) {
	s := storetest.New(t)
	st := late(t, s, "1", 3)
	late(t, s, "2", 8) // escalated: due later
	list, err := s.Cases(t.Context(), store.CaseFilter{})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	c := st.Cases[0]
	if got := list[0]; got.ID != c.ID || got.Kind != "not_picked" || got.Parcel != "1" || got.Owner != "warehouse" || got.Severity != "normal" ||
		!got.Due.Equal(c.Due) || !got.OpenedAt.Equal(c.OpenedAt) || got.Text != c.Text || got.Level != c.Level || got.NoticedAt != nil {
		t.Errorf("%+v, want %+v", got, c)
	}
	m := order.Meta{By: order.Support, Actor: "ann", Reason: "because", Applied: st.Now.Add(time.Minute)}
	after(t, s, st, order.AssignCase{Meta: m, Case: c.ID, Assignee: "ann"})
	for _, f := range []struct {
		filter store.CaseFilter
		want   string
	}{
		{store.CaseFilter{}, "1 not_picked, 2 not_picked"},
		{store.CaseFilter{Limit: 1}, "1 not_picked"},
		{store.CaseFilter{After: list[0].Cursor()}, "2 not_picked"},
		{store.CaseFilter{After: list[1].Cursor()}, ""},
		{store.CaseFilter{Store: "acme", Kind: "not_picked", Owner: "warehouse", Severity: "normal"}, "1 not_picked, 2 not_picked"},
		{store.CaseFilter{Store: "bolt"}, ""},
		{store.CaseFilter{Kind: "late"}, ""},
		{store.CaseFilter{Owner: "ops"}, ""},
		{store.CaseFilter{Severity: "urgent"}, ""},
		{store.CaseFilter{Assignee: "ann"}, "1 not_picked"},
		{store.CaseFilter{Assignee: "bob"}, ""},
		{store.CaseFilter{DueBefore: list[1].Due}, "1 not_picked"},
	} {
		if got := worklist(t, s, f.filter); got != f.want {
			t.Errorf("%+v: %q, want %q", f.filter, got, f.want)
		}
	}
	queues, err := s.Queues(t.Context(), list[0].Due)
	if err != nil || len(queues) != 1 || queues[0] != (store.Queue{Owner: "warehouse", Open: 2, Due: 1}) {
		t.Errorf("%+v, %v", queues, err)
	}

	old := *st.Clone()
	after(t, s, st, order.ResolveCase{Meta: m, Case: c.ID, Resolution: order.WaitOn, Until: st.Now.AddDate(0, 0, 5)})
	if got := worklist(t, s, store.CaseFilter{}); got != "2 not_picked" {
		t.Errorf("after the decision: %q", got)
	}
	if err := s.Project(t.Context(), &old); err != nil { // comes late: nothing goes back
		t.Fatal(err)
	}
	if got := worklist(t, s, store.CaseFilter{}); got != "2 not_picked" {
		t.Errorf("after an old state: %q", got)
	}
}

// Every list is walked along an index in the order of its pages: nothing is
// sorted, and a page costs a page.
func TestTheWorkListGoesByItsIndexes(t *testing.T) {
	url := storetest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, sql := range []string{
		`insert into cases select 'acme:' || n, (array['stalled','late','lost','not_picked'])[1 + n % 4], '1', 'acme' || n % 3, 'x-' || n, (array['ops','support','warehouse'])[1 + n % 3],
			'normal', 0, case when n % 50 = 0 then 'u-' || n % 7 else '' end, now(), now() + n * interval '1 second', null, 'text' from generate_series(1, 20000) n`,
		`analyze cases`, `set enable_seqscan = off`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, where := range []string{"true", "owner = 'ops'", "kind = 'lost'", "store = 'acme1'", "assignee = 'u-3' and assignee <> ''", "severity = 'normal'", "due < now() + interval '1 hour'", "owner = 'ops' and kind = 'lost'",
		"(due, order_id, kind, parcel) > (now() + interval '3 hours', 'acme:5', 'lost', '')"} {
		rows, err := conn.Query(t.Context(), `explain (analyze, buffers, timing off, summary off) select * from cases where `+where+` order by due, order_id, kind, parcel limit 50`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		var hit, read int
		for _, l := range lines {
			if l = strings.TrimSpace(l); strings.HasPrefix(l, "Buffers:") && hit+read == 0 {
				if n, _ := fmt.Sscanf(l, "Buffers: shared hit=%d read=%d", &hit, &read); n == 0 {
					_, _ = fmt.Sscanf(l, "Buffers: shared read=%d", &read)
				}
			}
		}
		if strings.Contains(plan, "Sort") || !strings.Contains(plan, "Index") || hit+read == 0 || hit+read > 400 {
			t.Errorf("where %s: %d pages\n%s", where, hit+read, plan)
		}
		t.Logf("where %s: %d pages", where, hit+read)
	}
}

func TestTheAuditIsKeptAsItWasWritten(t *testing.T) {
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []string{"open", "ended"} {
		if err := s.BeginAudit(t.Context(), store.Audit{ID: id, OrderID: "acme:1", Action: "cancel", Actor: "key:a", Role: "support", Reason: "why", Request: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndAudit(t.Context(), "ended", "done", "first"); err != nil {
		t.Fatal(err)
	}
	if err := s.EndAudit(t.Context(), "ended", "failed", "second"); err != nil { // no row fits: the first answer counts
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, sql := range []string{
		`update audit set detail = 'nicer' where id = 'ended'`,
		`update audit set outcome = '' where id = 'ended'`,
		`update audit set actor = 'key:b' where id = 'open'`,
		`update audit set actor = 'key:b', outcome = 'done' where id = 'open'`,
		`update audit set request = '{"a":1}', outcome = 'done' where id = 'open'`,
		`delete from audit where id = 'ended'`,
		`delete from audit where id = 'open'`,
		`truncate audit`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "audit is history") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	var outcome, detail string
	if err := conn.QueryRow(t.Context(), `select outcome, detail from audit where id = 'ended'`).Scan(&outcome, &detail); err != nil || outcome != "done" || detail != "first" {
		t.Errorf("%s %s %v", outcome, detail, err)
	}
}
