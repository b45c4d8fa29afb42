package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	all := map[string]string{
		"CHAINCODE_SERVER_ADDRESS": "127.0.0.1:1", "CHAINCODE_ID": "lianbao_1:abc",
		"CHAINCODE_TLS_CERT": "cert.pem", "CHAINCODE_TLS_KEY": "key.pem", "CHAINCODE_CLIENT_CA_CERT": "ca.pem",
	}
	for _, c := range []struct {
		args    string
		without string
		answer  string
	}{
		{"", "", "127.0.0.1:1 lianbao_1:abc cert.pem key.pem ca.pem"},
		{"--address 127.0.0.1:2 --package-id lianbao_2:def", "", "127.0.0.1:2 lianbao_2:def cert.pem key.pem ca.pem"},
		{"", "CHAINCODE_SERVER_ADDRESS", "--address (or $CHAINCODE_SERVER_ADDRESS) is missing: address to listen on, such as 127.0.0.1:9999"},
		{"--tls-key k.pem", "CHAINCODE_TLS_KEY", "127.0.0.1:1 lianbao_1:abc cert.pem k.pem ca.pem"},
		{"", "CHAINCODE_CLIENT_CA_CERT", "--tls-callers (or $CHAINCODE_CLIENT_CA_CERT) is missing: file of the authority whose certificates may call"},
		{"--adress 127.0.0.1:2", "", "flag provided but not defined: -adress"},
		{"serve", "", `"serve" is not a flag; see --help`},
	} {
		t.Run(c.args+c.without, func(t *testing.T) {
			var s settings
			err := s.read(strings.Fields(c.args), func(name string) string {
				if name == c.without {
					return ""
				}
				return all[name]
			}, io.Discard)
			got := strings.Join([]string{s.address, s.packageID, s.certificate, s.key, s.callers}, " ")
			if err != nil {
				got = err.Error()
			}
			if got != c.answer {
				t.Errorf("%s, not %s", got, c.answer)
			}
		})
	}
}

// What is wrong with the files is said before anything is served.
func TestRunNamesWhatIsMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ certificate, answer string }{
		{file + ".missing", "TLS: open "},
		{file, "serving on 127.0.0.1:0: "},
	} {
		args := []string{"--address", "127.0.0.1:0", "--package-id", "lianbao_1:abc",
			"--tls-certificate", c.certificate, "--tls-key", file, "--tls-callers", file}
		err := run(context.Background(), args, func(string) string { return "" }, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), c.answer) {
			t.Errorf("it says %v, not %s", err, c.answer)
		}
	}
}
