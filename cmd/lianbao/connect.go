package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/network"
)

type connectCommand struct {
	Organisation string `arg:"" help:"Organisation, such as charity."`
}

func (c *connectCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	connection, err := n.Connect(c.Organisation)
	if err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	app.console.result(connection)
	rows := [][]string{
		{"organisation", connection.Organisation, connection.MSPID},
		{"channel", connection.Channel, "chaincode " + connection.Chaincode},
		{"peer", connection.Peer.Address, "named " + connection.Peer.HostOverride + " in its certificate"},
		{"TLS root", connection.Peer.TLSRootCert},
		{"carries", connection.Gateway.Certificate},
		{"", connection.Gateway.Key},
		{"reads", connection.Auditor.Certificate},
		{"", connection.Auditor.Key},
	}
	if connection.URL != "" {
		tokens, err := opens(connection.Token)
		if err != nil {
			return err
		}
		rows = append(append(rows, []string{"gateway", connection.URL}, []string{"tokens", connection.Token}), tokens...)
	}
	app.console.table(rows)
	if connection.URL != "" {
		app.console.say("")
		app.console.say("  curl -H \"Authorization: Bearer $(head -n 1 %s)\" %s/api/v1/accounts", connection.Token, connection.URL)
	}
	app.console.say("")
	app.console.say("%s", snippet)
	return nil
}

// opens says what each token of a file opens, and never the token itself.
func opens(path string) ([][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tokens, err := api.ParseTokens(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var rows [][]string
	for n, token := range tokens {
		names := make([]string, len(token.Scopes))
		for i, scope := range token.Scopes {
			names[i] = string(scope)
		}
		rows = append(rows, []string{"", fmt.Sprintf("line %d opens %s", n+1, strings.Join(names, ", "))})
	}
	return rows, nil
}

// snippet reads the ledger with Fabric's own client.
const snippet = `  // go get github.com/hyperledger/fabric-gateway@v1.12.0; the values are those above.
  gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(wire))
  contract := gateway.GetNetwork(channel).GetContract(chaincode)
  charter, err := contract.EvaluateTransaction("Audit:Read", ` + "`" + `{"key":"charter"}` + "`" + `)`
