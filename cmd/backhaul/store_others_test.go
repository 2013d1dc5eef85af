//go:build cluster && fleet && lakecheck && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline/postgres/postgrestest"
)

// standIn starts a server that stands in for a vendor's store, which ends with the test, and returns where it listens.
func standIn(t *testing.T, command func(port string) *exec.Cmd) (address string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := command(port)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 3000 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(out.String())
	return ""
}

// startGCS starts fake-gcs-server with a bucket and returns a warehouse's address there.
func startGCS(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fake-gcs-server")
	build := exec.Command("go", "build", "-o", program, "github.com/fsouza/fake-gcs-server")
	build.Dir = "../../testdata/fleet"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	address := standIn(t, func(port string) *exec.Cmd {
		return exec.Command(program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", "127.0.0.1:"+port, "-external-url", "http://127.0.0.1:"+port)
	})
	reply, err := http.Post("http://"+address+"/storage/v1/b?project=test", "application/json", strings.NewReader(`{"name": "lake"}`))
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", reply, err)
	}
	_ = reply.Body.Close()
	t.Setenv("STORAGE_EMULATOR_HOST", address)
	return "gs://lake/acme?anonymous=true"
}

// Azurite's own, which every Azurite has.
const azuriteAccount, azuriteKey = "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

// startAzurite starts Azurite with a container and returns a warehouse's address there.
func startAzurite(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("AZURITE")
	if folder == "" {
		t.Fatal("AZURITE is not set: run make lake-check")
	}
	data := t.TempDir()
	address := standIn(t, func(port string) *exec.Cmd {
		return exec.Command(filepath.Join(folder, "node_modules", ".bin", "azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", port, "--location", data, "--silent", "--skipApiVersionCheck")
	})
	client, err := azblob.NewClientFromConnectionString(fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=http://%s/%[1]s;", azuriteAccount, azuriteKey, address), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(context.Background(), "lake", nil); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", azuriteAccount)
	t.Setenv("AZURE_STORAGE_KEY", azuriteKey)
	return "azblob://lake/acme?localemu=true&protocol=http&domain=" + address
}

func TestOtherStoresKeepAWarehouse(t *testing.T) {
	usual := purchase{surface: "v2", connections: 4}
	plain := open(t, usual)
	for _, night := range alikeNights {
		plain.buy(t, night)
	}
	want := sumsOf(t, plain.warehouse, alikeTables)
	for name, start := range map[string]func(*testing.T) string{"gcs": startGCS, "azure": startAzurite} {
		t.Run(name, func(t *testing.T) {
			address := start(t)
			setenv(t, database, postgrestest.Start(t).Address("postgres"))
			setenv(t, cacheVariable, t.TempDir())
			s := open(t, usual)
			s.warehouse = address
			for _, night := range alikeNights {
				s.buy(t, night)
			}
			backhaul(t, exitComplete, "compact", "--month", "2026-10", "--warehouse", address)
			cache := t.TempDir()
			setenv(t, cacheVariable, cache)
			backhaul(t, exitComplete, "gc", "--warehouse", address)
			copied, err := filepath.Glob(filepath.Join(cache, "*"))
			if err != nil || len(copied) != 1 {
				t.Fatalf("%v, %v", copied, err)
			}
			if diff := cmp.Diff(want, sumsOf(t, copied[0], alikeTables), cmp.AllowUnexported(rowsum{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
