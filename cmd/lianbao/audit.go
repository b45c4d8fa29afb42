package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/network"
)

type auditCommand struct {
	Organisation string `help:"Read the blocks from this organisation's peer; the first one's without it." placeholder:"NAME"`
	Alone        bool   `help:"Ask this organisation's peer and gateway only: what one organisation can do by itself."`
}

func (c *auditCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	sites, closing, err := c.sites(app.context, n)
	defer closing()
	if err != nil {
		return err
	}
	contracts, err := contract.New()
	if err != nil {
		return err
	}
	report, err := audit.Run(app.context, audit.Options{Contracts: contracts, Chaincode: n.Topology().Chaincode.Name}, sites, func(done, all uint64) {
		if !app.console.json {
			app.console.mutex.Lock()
			defer app.console.mutex.Unlock()
			app.console.passing(fmt.Sprintf("  · replayed   %d / %d blocks", done, all))
		}
	})
	if err != nil {
		return err
	}
	app.console.result(report)
	app.console.say("%s", strings.TrimRight(report.Text(), "\n"))
	if report.Differences > 0 {
		return &failure{exitDiffers, fmt.Sprintf("the audit found %d differences", report.Differences), "each line above names where"}
	}
	return nil
}

// sites are the organisations to audit, the one that gives the blocks first.
func (c *auditCommand) sites(ctx context.Context, n *network.Network) (sites []audit.Site, closing func(), err error) {
	var models []*readmodel.Model
	closing = func() {
		for _, m := range models {
			_ = m.Close() // it was only read
		}
	}
	all, err := n.Connections()
	if err != nil {
		return nil, closing, err
	}
	if c.Organisation != "" {
		if _, err := n.Connect(c.Organisation); err != nil {
			return nil, closing, &failure{exitUsage, err.Error(), ""}
		}
	}
	for _, one := range all {
		chosen := one.Organisation == c.Organisation || c.Organisation == "" && len(sites) == 0
		if c.Alone && !chosen {
			continue
		}
		site, model, err := siteOf(ctx, n, one, all)
		if err != nil {
			return nil, closing, err
		}
		if model != nil {
			models = append(models, model)
		}
		if chosen {
			sites = append([]audit.Site{site}, sites...)
		} else {
			sites = append(sites, site)
		}
	}
	return sites, closing, nil
}

// siteOf reads an organisation as its auditor, and opens its gateway's read model.
func siteOf(ctx context.Context, n *network.Network, c network.Connection, all []network.Connection) (audit.Site, *readmodel.Model, error) {
	site := audit.Site{Connection: fabric.Connection{Organisation: c.Organisation, MSP: c.MSPID, Channel: c.Channel, Chaincode: c.Chaincode,
		Address: c.Peer.Address, HostOverride: c.Peer.HostOverride, Names: map[string]string{}}}
	for _, one := range all {
		site.Connection.Names[one.MSPID] = one.Organisation
	}
	for path, into := range map[string]*[]byte{c.Peer.TLSRootCert: &site.Connection.RootCertificate,
		c.Auditor.Certificate: &site.Connection.Certificate, c.Auditor.Key: &site.Connection.Key} {
		data, err := os.ReadFile(path)
		if err != nil {
			return site, nil, err
		}
		*into = data
	}
	if c.URL == "" {
		return site, nil, nil
	}
	path, err := modelPath(n.Folder(), c.Organisation)
	if errors.Is(err, os.ErrNotExist) {
		return site, nil, nil // the gateway has never been started
	}
	if err != nil {
		return site, nil, err
	}
	model, err := readmodel.Open(ctx, path)
	if err != nil {
		return site, nil, err
	}
	site.Model = model
	return site, model, nil
}

// modelPath is the file of a gateway's read model on this machine.
func modelPath(folder, organisation string) (string, error) {
	data, err := os.ReadFile(filepath.Join(folder, "organisations", organisation, "gateway.json"))
	if err != nil {
		return "", err
	}
	var settings struct {
		Data string `json:"data"`
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return "", err
	}
	path := filepath.Join(settings.Data, "readmodel.db")
	_, err = os.Stat(path)
	return path, err
}
