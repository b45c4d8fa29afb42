package main

import (
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
	app.console.table([][]string{
		{"organisation", connection.Organisation, connection.MSPID},
		{"channel", connection.Channel, "chaincode " + connection.Chaincode},
		{"peer", connection.Peer.Address, "named " + connection.Peer.HostOverride + " in its certificate"},
		{"TLS root", connection.Peer.TLSRootCert},
		{"carries", connection.Gateway.Certificate},
		{"", connection.Gateway.Key},
		{"reads", connection.Auditor.Certificate},
		{"", connection.Auditor.Key},
	})
	if connection.URL != "" {
		app.console.table([][]string{{"gateway", connection.URL}, {"token", connection.Token}})
		app.console.say("")
		app.console.say("  curl -H \"Authorization: Bearer $(cat %s)\" %s/api/v1/accounts", connection.Token, connection.URL)
	}
	app.console.say("")
	app.console.say("%s", snippet)
	return nil
}

// snippet reads the ledger with Fabric's own client.
const snippet = `  // go get github.com/hyperledger/fabric-gateway@v1.12.0; the values are those above.
  gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(wire))
  contract := gateway.GetNetwork(channel).GetContract(chaincode)
  charter, err := contract.EvaluateTransaction("Audit:Read", ` + "`" + `{"key":"charter"}` + "`" + `)`
