// Package judge judges exported files by what their standards publish: the
// XML schema by xmllint, the rules of IATI's standard ruleset by reading the
// ruleset itself, 360Giving's JSON schemas by a validator. It is written apart
// from the writers, so that a misreading of a standard has to be made twice to
// stay unseen. Only tests import it.
package judge

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Required is the environment variable that turns what is missing into a
// failure: LIANBAO_EXPORTS=required.
const Required = "LIANBAO_EXPORTS"

// Published returns the path of a published file, such as
// iati-2.03/standard-ruleset.json, in shared/data/schemas beside the
// repository. Where the folder is missing the test is skipped and says so.
func Published(t testing.TB, name string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(folder, "..", "shared", "data", "schemas", filepath.FromSlash(name))
		_, repository := os.Stat(filepath.Join(folder, "go.mod"))
		if _, err := os.Stat(path); repository == nil && err == nil {
			return path
		}
		above := filepath.Dir(folder)
		if above == folder {
			missing(t, "the published file %s is not in ../shared/data/schemas; nothing is judged by it", name)
		}
		folder = above
	}
}

func missing(t testing.TB, format string, arguments ...any) {
	t.Helper()
	if os.Getenv(Required) == "required" {
		t.Fatalf(format, arguments...)
	}
	t.Skipf("NOT JUDGED: "+format, arguments...)
}

// Activities validates an IATI document by the published XML schema and
// returns what xmllint says about it, empty when it is valid.
func Activities(t testing.TB, document []byte) string {
	t.Helper()
	schema := Published(t, "iati-2.03/iati-activities-schema.xsd")
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		missing(t, "xmllint is not installed (apt-get install libxml2-utils); no document is judged by the XML schema")
	}
	// The schema folder is on this machine; --nonet keeps it so.
	command := exec.Command(tool, "--nonet", "--noout", "--schema", schema, "-")
	command.Stdin = bytes.NewReader(document)
	said, err := command.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(said)
}
