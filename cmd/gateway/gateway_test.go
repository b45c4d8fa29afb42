package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/lifecycle"
)

// settings writes what the network writes: certificates, a token and the file.
func settings(t *testing.T) (lifecycle.GatewaySettings, string) {
	t.Helper()
	folder := t.TempDir()
	certificate, key := pair(t)
	save := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := lifecycle.GatewaySettings{Organisation: "charity", MSPID: "CharityMSP", Channel: "lianbao", Chaincode: "lianbao",
		Listen: free(t), Data: filepath.Join(folder, "data"), Token: save("token", []byte(strings.Repeat("t", 40)+"\n")),
		Peer:     lifecycle.PeerEndpoint{Address: free(t), TLSRootCert: save("root.pem", certificate), HostOverride: "peer.charity"},
		Identity: identity.Files{Certificate: save("cert.pem", certificate), Key: save("key.pem", key)},
		Others:   []lifecycle.Neighbour{{Organisation: "bank", MSPID: "BankMSP", URL: "http://127.0.0.1:1"}}}
	s.Auditor = s.Identity
	return s, folder
}

func pair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// free finds an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func write(t *testing.T, folder string, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "gateway.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConfig reads what the network writes, and names what is wrong.
func TestConfig(t *testing.T) {
	s, folder := settings(t)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey := pair(t)
	for _, test := range []struct {
		name string
		mend func(fields map[string]any)
		want string
	}{
		{"a missing field", func(f map[string]any) { delete(f, "mspId") }, "missing: mspId"},
		{"two missing fields", func(f map[string]any) { delete(f, "listen"); f["peer"] = map[string]any{"address": "x"} }, "missing: listen, peer.tlsRootCert"},
		{"an unknown field", func(f map[string]any) { f["organization"] = "x" }, `unknown field "organization"`},
		{"a bad number", func(f map[string]any) { f["pagesInFlight"] = -1 }, "pagesInFlight is 0 to 100"},
		{"a bad log level", func(f map[string]any) { f["log"] = "loud" }, "log:"},
		{"a token that is away", func(f map[string]any) { f["token"] = folder + "/none" }, "none: no such file"},
		{"a short token", func(f map[string]any) { f["token"] = put(t, folder, "short", []byte("short\n")) }, "the token has 5 characters"},
		{"a token that others read", func(f map[string]any) {
			f["token"] = readable(t, put(t, folder, "open", bytes.Repeat([]byte("t"), 40)))
		}, "others than its owner may read"},
		{"a proxy by its name", func(f map[string]any) { f["trustedProxies"] = []string{"proxy.sunrise.example"} }, `trustedProxies: "proxy.sunrise.example" is not a network`},
		{"a network that is none", func(f map[string]any) { f["trustedProxies"] = []string{"10.1.2.3/16"} }, `trustedProxies: "10.1.2.3/16" is not a network`},
		{"no certificate", func(f map[string]any) { f["peer"].(map[string]any)["tlsRootCert"] = s.Token }, "TLS root certificate is not a certificate"},
		{"another's key", func(f map[string]any) { f["identity"].(map[string]any)["key"] = put(t, folder, "other", otherKey) }, "does not belong to the identity's certificate"},
	} {
		fields := map[string]any{}
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		test.mend(fields)
		err := run(t.Context(), []string{"--config", write(t, folder, fields)}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	for _, arguments := range [][]string{{}, {"--config", folder + "/away"}, {"--config", "a", "b"}} {
		if run(t.Context(), arguments, io.Discard) == nil {
			t.Errorf("%v was started", arguments)
		}
	}
}

func put(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readable lets everybody read a file.
func readable(t *testing.T, path string) string {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWithoutPeer starts while the peer is away: it accepts, says that it is
// not ready and why, ends when told, and still knows after the next start what it accepted.
func TestWithoutPeer(t *testing.T) {
	s, folder := settings(t)
	path := write(t, folder, s)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		var log bytes.Buffer
		go func() { ended <- run(ctx, []string{"--config", path}, &log) }()
		status, body := ask(t, s, "/livez", http.MethodGet, "")
		if status != http.StatusOK {
			t.Errorf("/livez: %d %s", status, body)
		}
		if status, body := ask(t, s, "/readyz", http.MethodGet, ""); status != http.StatusServiceUnavailable || !strings.Contains(body, "own peer at "+s.Peer.Address+" does not answer") {
			t.Errorf("/readyz: %d %s", status, body)
		}
		at := map[string]string{http.MethodPost: "/api/v1/accounts", http.MethodGet: "/api/v1/commands/o"}[method]
		status, body = ask(t, s, at, method, `{"id":"o","account":"charity:a:b","attribution":"fifo","currency":"CNY","custodian":"outside:bank:x"}`)
		if status >= http.StatusBadRequest || !strings.Contains(body, `"state":"waiting"`) {
			t.Errorf("%s %s: %d %s", method, at, status, body)
		}
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("it ended with %v\n%s", err, log.String())
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
	}
}

// ask waits until the gateway listens.
func ask(t *testing.T, s lifecycle.GatewaySettings, path, method, body string) (int, string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s%s", s.Listen, path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+strings.Repeat("t", 40))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			if time.Since(begun) > 20*time.Second {
				t.Fatal(err)
			}
			continue
		}
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(data)
	}
}
