package stack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	temporallog "go.temporal.io/server/common/log"
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"

	"github.com/waybillhq/waybill/internal/localpg"
)

var orderStatus = temporal.NewSearchAttributeKeyKeyword("OrderStatus")

// One long test, because a start is the expensive part: each step works on
// what the step before left.
func TestLifeOfAStack(t *testing.T) {
	o := testOptions(t)
	ctx := testContext(t)

	s := start(t, ctx, o)
	checkNamespace(t, ctx, s)
	checkUI(t, ctx, s)
	checkOneStackPerDir(t, ctx, o)
	runWorkflow(t, ctx, s)
	insertRow(t, ctx, s)
	if err := s.Close(); err != nil {
		t.Fatal("close:", err)
	}

	t.Run("a second start has the data of the first", func(t *testing.T) {
		s := start(t, ctx, o)
		checkWorkflow(t, ctx, s)
		checkRow(t, ctx, s)
	})

	t.Run("a new search attribute is added to the old ones", func(t *testing.T) {
		o := o
		o.SearchAttributes = map[string]enumspb.IndexedValueType{"Carrier": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST}
		s := start(t, ctx, o)
		attributes := searchAttributes(t, ctx, s)
		if _, ok := attributes["OrderStatus"]; !ok || attributes["Carrier"] != enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST {
			t.Errorf("search attributes: %v", attributes)
		}
	})

	t.Run("a search attribute never changes its type unnoticed", func(t *testing.T) {
		o := o
		o.SearchAttributes = map[string]enumspb.IndexedValueType{"OrderStatus": enumspb.INDEXED_VALUE_TYPE_INT}
		_, err := Start(ctx, o)
		if err == nil || !strings.Contains(err.Error(), "OrderStatus is Keyword") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("killed server", func(t *testing.T) {
		s := start(t, ctx, o)
		if err := syscall.Kill(postmaster(t, s), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = s.Close() // complains that the server is gone
		checkRow(t, ctx, start(t, ctx, o))
	})

	t.Run("server left running by a killed stack", func(t *testing.T) {
		s := start(t, ctx, o)
		left := postmaster(t, s)
		stopAllButPostgres(t, s)
		s = start(t, ctx, o)
		checkRow(t, ctx, s)
		if postmaster(t, s) == left {
			t.Error("the server of the killed stack still runs")
		}
	})

	t.Run("process number of a killed server given to another", func(t *testing.T) {
		text := fmt.Sprintf("%d\n%s\n", os.Getpid(), filepath.Join(o.Dir, "postgres", "data"))
		if err := os.WriteFile(filepath.Join(o.Dir, "postgres", "data", "postmaster.pid"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		checkRow(t, ctx, start(t, ctx, o))
	})

	t.Run("port taken", func(t *testing.T) {
		o := o
		o.TemporalPort = listenSomewhere(t)
		_, err := Start(ctx, o)
		if err == nil || !strings.Contains(err.Error(), "--port-base") || !strings.Contains(err.Error(), strconv.Itoa(o.TemporalPort)) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("somebody's server, by its address", func(t *testing.T) {
		s := start(t, ctx, o)
		theirs := testOptions(t)
		theirs.Namespace, theirs.UIPort, theirs.DatabaseURL = "theirs", 0, s.DatabaseURL()
		if _, err := Start(ctx, theirs); err == nil || !strings.Contains(err.Error(), "another stack runs a Temporal") {
			t.Errorf("two Temporal servers on one database: got %v", err)
		}
		stopAllButPostgres(t, s)
		checkRow(t, ctx, start(t, ctx, theirs))
	})

	t.Run("reset", func(t *testing.T) {
		for _, name := range []string{"keep", "secret"} {
			if err := os.WriteFile(filepath.Join(o.Dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := Reset(ctx, o.Dir); err != nil {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(o.Dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range left {
			left[i] = filepath.Base(left[i])
		}
		if got := strings.Join(left, " "); got != "keep lock" {
			t.Errorf("left after a reset: %s", got)
		}
	})
}

// An older version's data: its schema is brought up to date.
func TestSchemaUpdate(t *testing.T) {
	o, ctx := testOptions(t), testContext(t)
	s := &Stack{dir: o.Dir}
	t.Cleanup(func() { _ = s.Close() })
	server, err := s.startPostgres(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := createDatabases(ctx, server, temporalDatabase); err != nil {
		t.Fatal(err)
	}
	cfg, err := sqlConfig(server, temporalDatabase, 2)
	if err != nil {
		t.Fatal(err)
	}
	const name = "postgresql/v12/temporal"
	log := temporallog.NewNoopLogger()
	conn, err := toolsql.NewConnection(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, task := range []interface{ Run() error }{
		schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: "0.0"}, log),
		schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: name, TargetVersion: "1.12"}, log),
	} {
		if err := task.Run(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		if err := updateSchema(cfg, name, log); err != nil {
			t.Fatal(err)
		}
		if got, err := conn.ReadSchemaVersion(); err != nil || got != v12.Version {
			t.Errorf("version %s, %v; want %s", got, err, v12.Version)
		}
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func testOptions(t *testing.T) Options {
	t.Helper()
	first, err := localpg.FreePorts(len(services) + 2)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir:              testDir(t),
		TemporalPort:     first,
		PostgresPort:     first + len(services),
		UIPort:           first + len(services) + 1,
		InstallPostgres:  true,
		NoSync:           true,
		SearchAttributes: map[string]enumspb.IndexedValueType{"OrderStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
		Log:              slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// testDir is like t.TempDir, whose parent is closed to PostgreSQL's user.
func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-stack-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, ctx context.Context, o Options) *Stack {
	t.Helper()
	began := time.Now()
	s, err := Start(ctx, o)
	if err != nil {
		t.Fatal("start:", err)
	}
	t.Logf("started in %.2f s", time.Since(began).Seconds())
	t.Cleanup(func() {
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Error("close:", err)
		}
		t.Logf("closed in %.2f s", time.Since(began).Seconds())
	})
	return s
}

// stopAllButPostgres leaves of a stack what a killed process leaves: its server.
func stopAllButPostgres(t *testing.T, s *Stack) {
	t.Helper()
	const stopPostgres = 1
	postgres := s.closers[stopPostgres]
	s.closers = slices.Delete(s.closers, stopPostgres, stopPostgres+1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Last, for tests that want it: a stop of what is stopped is no harm.
	t.Cleanup(func() { _ = postgres() })
}

func postmaster(t *testing.T, s *Stack) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir(), "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func listenSomewhere(t *testing.T) int {
	t.Helper()
	srv := &http.Server{}
	t.Cleanup(func() { _ = srv.Close() })
	port, err := localpg.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	srv.Addr = localAddress(port)
	go srv.ListenAndServe()
	err = waitFor(t.Context(), 5*time.Second, func(context.Context) error {
		if localpg.CheckPort("127.0.0.1", port, "") == nil {
			return fmt.Errorf("port %d is still free", port)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func dial(t *testing.T, s *Stack) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress(), Namespace: s.Namespace(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func searchAttributes(t *testing.T, ctx context.Context, s *Stack) map[string]enumspb.IndexedValueType {
	t.Helper()
	resp, err := dial(t, s).OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: s.Namespace()})
	if err != nil {
		t.Fatal(err)
	}
	return resp.CustomAttributes
}

func checkNamespace(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	ns, err := dial(t, s).WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: "waybill-dev"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ns.Config.WorkflowExecutionRetentionTtl.AsDuration(); got != 30*24*time.Hour {
		t.Errorf("retention %v", got)
	}
	if got := searchAttributes(t, ctx, s)["OrderStatus"]; got != enumspb.INDEXED_VALUE_TYPE_KEYWORD {
		t.Errorf("OrderStatus is %v", got)
	}
}

func checkUI(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	for _, path := range []string{"/", "/api/v1/namespaces/waybill-dev"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.UIURL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s%s: %s", s.UIURL(), path, resp.Status)
		}
	}
}

func checkOneStackPerDir(t *testing.T, ctx context.Context, o Options) {
	t.Helper()
	_, err := Start(ctx, o)
	if err == nil || !strings.Contains(err.Error(), "another stack") || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second start in the same folder: got %v", err)
	}
}

const workflowID = "order-1"

// runWorkflow also has the history service check the search attribute: a
// workflow that set an unknown one would never complete.
func runWorkflow(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	c := dial(t, s)
	w := worker.New(c, "test", worker.Options{})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) (string, error) {
		return "done", workflow.UpsertTypedSearchAttributes(ctx, orderStatus.ValueSet("delivered"))
	}, workflow.RegisterOptions{Name: "Trivial"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: "test"}, "Trivial")
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := run.Get(ctx, &got); err != nil || got != "done" {
		t.Fatalf("workflow: %q, %v", got, err)
	}
	checkWorkflow(t, ctx, s)
}

// checkWorkflow finds the workflow by its search attribute.
func checkWorkflow(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	c := dial(t, s)
	err := waitFor(ctx, 10*time.Second, func(ctx context.Context) error {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "OrderStatus = 'delivered'"})
		if err != nil {
			return err
		}
		if len(list.Executions) != 1 || list.Executions[0].Execution.WorkflowId != workflowID {
			return fmt.Errorf("found %v", list.Executions)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, ctx context.Context, s *Stack) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(ctx, s.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func insertRow(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	if _, err := connect(t, ctx, s).Exec(ctx, "create table kept as select 'é'::text as value"); err != nil {
		t.Fatal(err)
	}
}

func checkRow(t *testing.T, ctx context.Context, s *Stack) {
	t.Helper()
	var value string
	if err := connect(t, ctx, s).QueryRow(ctx, "select value from kept").Scan(&value); err != nil || value != "é" {
		t.Fatalf("row of the first run: %q, %v", value, err)
	}
}
