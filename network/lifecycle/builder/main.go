// Command builder is the external builder that a peer calls for chaincode that
// runs as a service. It is one program under three names, detect, build and
// release, as https://hyperledger-fabric.readthedocs.io ("External Builders
// and Launchers") describes them. There is nothing to build: it passes the
// connection on.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// connection is the one file of a package, in which the peer finds the
// address and the TLS settings of the chaincode.
const connection = "connection.json"

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(step string, folders []string) error {
	steps := map[string]struct {
		folders int
		do      func(folders []string) error
	}{
		"detect":  {2, detect},
		"build":   {3, build},
		"release": {2, release},
	}
	s, known := steps[step]
	if !known {
		return fmt.Errorf("%q is not a step; call this program as detect, build or release", step)
	}
	if len(folders) != s.folders {
		return fmt.Errorf("%s takes %d folders; %d were given", step, s.folders, len(folders))
	}
	return s.do(folders)
}

// detect takes the source and the metadata folder and accepts packages of the
// type ccaas.
func detect(folders []string) error {
	data, err := os.ReadFile(filepath.Join(folders[1], "metadata.json"))
	if err != nil {
		return err
	}
	var metadata struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return err
	}
	if metadata.Type != "ccaas" {
		return fmt.Errorf("packages of the type %q are not for this builder", metadata.Type)
	}
	return nil
}

// build takes the source, the metadata and the output folder.
func build(folders []string) error {
	data, err := os.ReadFile(filepath.Join(folders[0], connection))
	if err != nil {
		return err
	}
	if !json.Valid(data) {
		return errors.New(connection + " of the package is not JSON")
	}
	return os.WriteFile(filepath.Join(folders[2], connection), data, 0o600)
}

// release takes the output and the release folder; the peer reads the
// connection from chaincode/server in the latter.
func release(folders []string) error {
	data, err := os.ReadFile(filepath.Join(folders[0], connection))
	if err != nil {
		return err
	}
	server := filepath.Join(folders[1], "chaincode", "server")
	if err := os.MkdirAll(server, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(server, connection), data, 0o600)
}
