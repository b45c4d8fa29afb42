// Command chaincode serves the contracts of one organisation to its peer, over
// TLS on both sides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/contract"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaincode:", err)
		os.Exit(1)
	}
}

// settings say how the chaincode is reached and who may reach it. Each is a
// flag, or else a variable of the environment.
type settings struct {
	address, packageID, certificate, key, callers string
}

func (s *settings) read(args []string, environment func(string) string, output io.Writer) error {
	all := []struct {
		value                *string
		flag, variable, what string
	}{
		{&s.address, "address", "CHAINCODE_SERVER_ADDRESS", "address to listen on, such as 127.0.0.1:9999"},
		{&s.packageID, "package-id", "CHAINCODE_ID", "id under which the peer installed the package, label:hash"},
		{&s.certificate, "tls-certificate", "CHAINCODE_TLS_CERT", "file of the server's TLS certificate"},
		{&s.key, "tls-key", "CHAINCODE_TLS_KEY", "file of its key"},
		{&s.callers, "tls-callers", "CHAINCODE_CLIENT_CA_CERT", "file of the authority whose certificates may call"},
	}
	flags := flag.NewFlagSet("chaincode", flag.ContinueOnError)
	flags.SetOutput(output)
	for _, setting := range all {
		flags.StringVar(setting.value, setting.flag, environment(setting.variable), setting.what+" ($"+setting.variable+")")
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag; see --help", flags.Arg(0))
	}
	for _, setting := range all {
		if *setting.value == "" {
			return fmt.Errorf("--%s (or $%s) is missing: %s", setting.flag, setting.variable, setting.what)
		}
	}
	return nil
}

func (s settings) tls() (shim.TLSProperties, error) {
	var read [3][]byte
	for i, file := range []string{s.certificate, s.key, s.callers} {
		data, err := os.ReadFile(file)
		if err != nil {
			return shim.TLSProperties{}, err
		}
		read[i] = data
	}
	return shim.TLSProperties{Cert: read[0], Key: read[1], ClientCACerts: read[2]}, nil
}

func run(ctx context.Context, args []string, environment func(string) string, output io.Writer) error {
	var s settings
	if err := s.read(args, environment, output); err != nil {
		return err
	}
	tls, err := s.tls()
	if err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	contracts, err := contract.New()
	if err != nil {
		return fmt.Errorf("the contracts cannot be served: %w", err)
	}
	server := shim.ChaincodeServer{CCID: s.packageID, Address: s.address, CC: contracts, TLSProps: tls}
	ended := make(chan error, 1)
	go func() { ended <- server.Start() }()
	select {
	case <-ctx.Done():
		// A peer repeats what was under way: nothing is kept here.
		return nil
	case err := <-ended:
		return fmt.Errorf("serving on %s: %w", s.address, err)
	}
}
