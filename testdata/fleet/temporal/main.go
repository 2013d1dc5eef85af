// A Temporal server over one SQLite file, on loopback, for tests: frontend, history, matching and its own workers, without the web
// interface. It prints its address once it answers, and ends when its standard input is closed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

func main() {
	file := flag.String("db", "", "the SQLite `file`; made where it is absent")
	port := flag.Int("port", 0, "the frontend's port on 127.0.0.1")
	namespace := flag.String("namespace", "default", "the namespace to have")
	flag.Parse()
	if err := serve(*file, *port, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(file string, port int, namespace string) error {
	c, err := configure(file, port)
	if err != nil {
		return err
	}
	database := c.Persistence.DataStores[sqliteplugin.PluginName].SQL
	if _, err := os.Stat(file); os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := sqlite.SetupSchema(database); err != nil {
			return fmt.Errorf("make the tables of %s: %w", file, err)
		}
	}
	n, err := sqlite.NewNamespaceConfig("active", namespace, false, map[string]enums.IndexedValueType{})
	if err != nil {
		return err
	}
	if err := sqlite.CreateNamespaces(database, n); err != nil {
		return fmt.Errorf("make the namespace: %w", err)
	}
	logger := log.NewNoopLogger()
	server, err := temporal.NewServer(
		temporal.WithConfig(c),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(dynamicconfig.StaticClient{
			// A search attribute is there as soon as it was added.
			dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): []dynamicconfig.ConstrainedValue{{Value: true}},
		}),
	)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	if err := answers(c.PublicClient.HostPort, namespace); err != nil {
		return err
	}
	fmt.Println(c.PublicClient.HostPort)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return server.Stop()
}

// answers waits until the frontend does.
func answers(address, namespace string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: namespace})
		if err == nil {
			c.Close()
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// configure is a server whose services listen on loopback alone.
func configure(file string, port int) (*config.Config, error) {
	ports := []int{port, 0, 0, 0, 0, 0, 0, 0}
	for i := range ports {
		if ports[i] != 0 {
			continue
		}
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	service := func(i int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: ports[i], MembershipPort: ports[i+4], BindOnIP: "127.0.0.1"}}
	}
	c := &config.Config{
		Global: config.Global{Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: "127.0.0.1"}},
		Persistence: config.Persistence{
			DefaultStore: sqliteplugin.PluginName, VisibilityStore: sqliteplugin.PluginName, NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{sqliteplugin.PluginName: {SQL: &config.SQL{
				PluginName: sqliteplugin.PluginName, DatabaseName: file,
				ConnectAttributes: map[string]string{"mode": "rwc", "_journal_mode": "wal", "_synchronous": "2"},
			}}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
			ClusterInformation: map[string]cluster.ClusterInformation{"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            map[string]config.Service{"frontend": service(0), "history": service(1), "matching": service(2), "worker": service(3)},
		Archival:            config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}},
		PublicClient:        config.PublicClient{HostPort: address},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
	return c, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
