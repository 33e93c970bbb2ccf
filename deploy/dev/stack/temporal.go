package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	temporallog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
	"go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/waybillhq/waybill/internal/localpg"
)

const (
	temporalDatabase   = "temporal"
	visibilityDatabase = "temporal_visibility"

	// The number is fixed with the first start.
	historyShards = 4

	// Temporal keeps its ports in a SMALLINT column.
	highestTemporalPort = 32767

	retention = 30 * 24 * time.Hour

	namespaceRefresh = time.Second

	unlimited = 1_000_000
)

// services, in the order of their ports.
var services = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
}

// settings take away the limits that protect a shared server. They would
// slow a benchmark down, and a full stop at 10 list calls a second surprises.
var settings = dynamicconfig.StaticClient{
	dynamicconfig.FrontendRPS.Key():                                         unlimited,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                  unlimited,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():        unlimited,
	dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): 10_000,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():                           unlimited,
	dynamicconfig.HistoryRPS.Key():                                          unlimited,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():                            unlimited,
	dynamicconfig.MatchingRPS.Key():                                         unlimited,
	dynamicconfig.MatchingPersistenceMaxQPS.Key():                           unlimited,
	dynamicconfig.NamespaceCacheRefreshInterval.Key():                       namespaceRefresh,
}

// poolSizes bound the connections of each service to each database.
type poolSizes struct{ main, visibility int }

type temporalServer struct {
	server    temporal.Server
	log       *zap.Logger
	address   string
	namespace string
}

func startTemporal(ctx context.Context, o Options, databaseServer string, pools poolSizes, logFile string) (*temporalServer, error) {
	zl := temporallog.BuildZapLogger(temporallog.Config{Level: "warn", Format: "json", OutputFile: logFile}).
		WithOptions(zap.WithFatalHook(sayGoodbye{logFile}))
	log := temporallog.NewZapLogger(zl)

	stores := map[string]config.DataStore{}
	for database, conns := range map[string]int{temporalDatabase: pools.main, visibilityDatabase: pools.visibility} {
		store, err := sqlConfig(databaseServer, database, conns)
		if err != nil {
			return nil, err
		}
		stores[database] = config.DataStore{SQL: store}
	}
	for database, name := range map[string]string{
		temporalDatabase:   "postgresql/v12/temporal",
		visibilityDatabase: "postgresql/v12/visibility",
	} {
		if err := updateSchema(stores[database].SQL, name, log); err != nil {
			return nil, fmt.Errorf("schema of database %s: %w", database, err)
		}
	}

	t := &temporalServer{log: zl, address: localAddress(o.TemporalPort), namespace: o.Namespace}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for i, service := range services {
		hosts[service] = static.SingleLocalHost(localAddress(o.TemporalPort + i))
	}
	var err error
	t.server, err = temporal.NewServer(
		temporal.WithConfig(t.config(o.TemporalPort, stores)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(log),
		temporal.WithDynamicConfigClient(settings),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
	if err != nil {
		return nil, err
	}
	if err := t.server.Start(); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	if err := t.prepare(ctx, o.SearchAttributes); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

// checkTemporalPorts comes before PostgreSQL is started for nothing.
func checkTemporalPorts(first int) error {
	for i, service := range services {
		port := first + i
		if port > highestTemporalPort {
			return fmt.Errorf("port %d, wanted for Temporal's %s service, is above %d, the highest it can store: choose a lower --port-base", port, service, highestTemporalPort)
		}
		if err := localpg.CheckPort("127.0.0.1", port, fmt.Sprintf("Temporal's %s service", service)); err != nil {
			return err
		}
	}
	return nil
}

func localAddress(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (t *temporalServer) config(port int, stores map[string]config.DataStore) *config.Config {
	c := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     temporalDatabase,
			VisibilityStore:  visibilityDatabase,
			NumHistoryShards: historyShards,
			DataStores:       stores,
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        "active",
			CurrentClusterName:       "active",
			ClusterInformation: map[string]cluster.ClusterInformation{
				"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: t.address},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: t.address},
		Services:            map[string]config.Service{},
	}
	for i, service := range services {
		c.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port + i, BindOnIP: "127.0.0.1"}}
	}
	c.Archival.History.State = "disabled"
	c.Archival.Visibility.State = "disabled"
	c.NamespaceDefaults.Archival.History.State = "disabled"
	c.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return c
}

func sqlConfig(server, database string, conns int) (*config.SQL, error) {
	u, err := parseDatabaseURL(server)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	attributes := map[string]string{}
	for key, values := range u.Query() {
		attributes[key] = values[0]
	}
	return &config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		User:              url.PathEscape(u.User.Username()), // the plugin escapes the password, but not this
		Password:          password,
		ConnectAddr:       u.Host,
		ConnectProtocol:   "tcp",
		ConnectAttributes: attributes,
		DatabaseName:      database,
		MaxConns:          conns,
		MaxIdleConns:      conns,
		MaxConnLifetime:   time.Hour,
	}, nil
}

// updateSchema brings a database, new or old, to this server's schema.
func updateSchema(cfg *config.SQL, name string, log temporallog.Logger) error {
	conn, err := toolsql.NewConnection(cfg, log)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Does nothing when the database has a version already.
	if err := schema.NewSetupSchemaTask(conn, &schema.SetupConfig{InitialVersion: "0.0"}, log).Run(); err != nil {
		return err
	}
	return schema.NewUpdateSchemaTask(conn, &schema.UpdateConfig{SchemaName: name}, log).Run()
}

// prepare waits until the server answers, and makes the namespace and its
// search attributes.
func (t *temporalServer) prepare(ctx context.Context, attributes map[string]enumspb.IndexedValueType) error {
	c, err := client.NewLazyClient(client.Options{HostPort: t.address, Namespace: t.namespace, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := waitFor(ctx, time.Minute, func(ctx context.Context) error {
		_, err := c.CheckHealth(ctx, &client.CheckHealthRequest{})
		return err
	}); err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        t.namespace,
		Description:                      "Waybill development",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	if exists := (*serviceerror.NamespaceAlreadyExists)(nil); err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("register namespace %s: %w", t.namespace, err)
	}
	return t.addSearchAttributes(ctx, c, attributes)
}

func (t *temporalServer) addSearchAttributes(ctx context.Context, c client.Client, want map[string]enumspb.IndexedValueType) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := maps.Clone(want)
	for name, has := range have.CustomAttributes {
		if kind, ok := want[name]; ok && kind != has {
			return fmt.Errorf("search attribute %s is %s in namespace %s, wanted %s: --reset starts anew", name, has, t.namespace, kind)
		}
		delete(missing, name)
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: t.namespace, SearchAttributes: missing,
	}); err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	name := slices.Sorted(maps.Keys(missing))[0]
	if err := waitFor(ctx, 30*time.Second, func(ctx context.Context) error {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: t.namespace, Query: fmt.Sprintf("`%s` is null", name),
		})
		return err
	}); err != nil {
		return fmt.Errorf("search attributes: %w", err)
	}
	// That was the frontend. The other services hold copies of the namespace
	// too, and nothing tells when the last one has read it again.
	return pause(ctx, namespaceRefresh+namespaceRefresh/2)
}

func (t *temporalServer) stop() error {
	err := t.server.Stop()
	_ = t.log.Sync() // a file that cannot be synced is still written
	return err
}

// sayGoodbye is told when Temporal gives up. It ends the process itself then,
// and its last words would only be in the file.
type sayGoodbye struct{ logFile string }

func (g sayGoodbye) OnWrite(entry *zapcore.CheckedEntry, _ []zapcore.Field) {
	fmt.Fprintf(os.Stderr, "Temporal gave up: %s (details in %s)\n", entry.Message, g.logFile)
	os.Exit(1)
}
