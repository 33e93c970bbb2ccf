package order

import (
	"flag"
	"os"
	"testing"
)

// The properties run 300 times each; -rapid.checks=100000 before a release.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "300"); err != nil {
		panic(err)
	}
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
