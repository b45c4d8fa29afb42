package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/story"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/process"
	"github.com/lianbao/lianbao/network/topology"
)

type upCommand struct {
	Empty    bool   `help:"Leave the demonstration out: a ledger without accounts."`
	Detach   bool   `help:"Return when the network is up and let it go on; otherwise it ends with this command."`
	Topology string `help:"default, small, or a file that describes the network." placeholder:"FILE"`
}

func (u *upCommand) Run(app *application) error {
	n, err := u.network(app.folder)
	if err != nil {
		return err
	}
	return app.bringUp(n, boot{detach: u.Detach, demo: !u.Empty})
}

// network opens the folder's network, or makes one. Without --topology the
// folder's own is taken, whatever it is.
func (u *upCommand) network(folder string) (*network.Network, error) {
	if u.Topology == "" {
		n, err := network.Open(folder)
		if !errors.Is(err, network.ErrNoNetwork) {
			return n, err
		}
	}
	t, err := topology.Load(u.Topology)
	if err != nil {
		return nil, &failure{exitUsage, err.Error(), ""}
	}
	return network.Create(folder, t)
}

type startCommand struct {
	Detach bool `help:"Return when the network is up and let it go on; otherwise it ends with this command."`
}

func (s *startCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	return app.bringUp(n, boot{detach: s.Detach})
}

// boot is how a network is brought up.
type boot struct{ detach, demo bool }

// bringUp starts a network, founds its ledger where that has not been done,
// and, unless it is to go on by itself, looks after it until Ctrl-C.
func (a *application) bringUp(n *network.Network, b boot) error {
	var charter party.Charter
	options := network.Options{Detach: b.detach,
		Deployed: func(ctx context.Context, all []network.Connection) (err error) {
			charter, err = founding.Found(ctx, n.Folder(), n.Topology(), all)
			return err
		},
		Committed: founding.Joined,
	}
	begun := time.Now()
	if err := n.Up(a.context, options, a.console.step); err != nil {
		return err
	}
	ready := up{Folder: n.Folder(), Ledger: charter.Ledger, Addresses: addresses(n)}
	err := a.enrol(n, charter)
	if err == nil && b.demo {
		ready.Demo, err = a.openingStory(n)
	}
	if err != nil {
		if interrupted(a.context, err) && !b.detach {
			err = errors.Join(err, n.Stop(context.WithoutCancel(a.context)))
		}
		return err
	}
	ready.Seconds = round(time.Since(begun))
	a.welcome(ready)
	if b.detach {
		return nil
	}
	return a.lookAfter(n)
}

// openingStory tells the story where its organisations are there to play it.
func (a *application) openingStory(n *network.Network) (*story.Told, error) {
	for _, organisation := range story.Organisations() {
		if c, err := n.Connect(organisation); err != nil || c.URL == "" {
			a.console.step(network.Step{Name: "demo", Detail: "left out: it needs gateways of a charity, a bank, a regulator and a cooperative", Done: true})
			return nil, nil
		}
	}
	told, err := a.tellStory(n)
	return &told, err
}

// up is the result of bringing a network up.
type up struct {
	Folder    string         `json:"folder"`
	Ledger    party.LedgerID `json:"ledger"`
	Seconds   float64        `json:"seconds"`
	Addresses []address      `json:"addresses"`
	Demo      *story.Told    `json:"demo,omitempty"`
}

type address struct {
	Organisation string `json:"organisation"`
	URL          string `json:"url"`
}

func addresses(n *network.Network) []address {
	all := []address{}
	for _, o := range n.Topology().Organisations {
		if c, err := n.Connect(o.Name); err == nil && c.URL != "" {
			all = append(all, address{o.Name, c.URL})
		}
	}
	return all
}

// enrol registers the invented staff.
func (a *application) enrol(n *network.Network, charter party.Charter) error {
	connections, err := n.Connections()
	if err != nil {
		return err
	}
	begun := time.Now()
	count, err := founding.Enrol(a.context, n.Folder(), charter, connections)
	if err != nil {
		return fmt.Errorf("staff: %w", err)
	}
	detail := fmt.Sprintf("%d invented persons, keys in this folder, no waiting", count)
	a.console.step(network.Step{Name: "staff", Detail: detail, Done: true, Elapsed: time.Since(begun)})
	return nil
}

func (a *application) welcome(ready up) {
	a.console.result(ready)
	a.console.say("")
	if len(ready.Addresses) > 0 {
		a.console.say("  Pages    %s/en/   (中文: /zh-CN/; for programs: /openapi.json)", ready.Addresses[0].URL)
	}
	next := a.again("import statement FILE")
	if ready.Demo != nil {
		next = a.again("trace " + string(ready.Demo.Gift))
	}
	a.console.say("  Next     %s", next)
	a.console.say("           %s", a.again("status"))
}

// lookAfter starts again what ends, until Ctrl-C or until another lianbao stops
// the network.
func (a *application) lookAfter(n *network.Network) error {
	a.console.say("           Ctrl-C stops everything")
	err := n.Supervise(a.context, false, func(node string, fault error) {
		a.console.say("  ! %s is started again: %v", node, fault)
	})
	switch {
	case errors.Is(err, process.ErrStopped):
		a.console.say("  The network was stopped.")
		return nil
	case errors.Is(err, network.ErrBusy):
		a.console.say("  Another lianbao looks after this network; it goes on.")
		return nil
	}
	if a.context.Err() == nil {
		return err
	}
	begun := time.Now()
	if err := n.Stop(context.WithoutCancel(a.context)); err != nil {
		return err
	}
	a.console.step(network.Step{Name: "stopped", Detail: "data kept; " + a.again("up") + " goes on", Done: true, Elapsed: time.Since(begun)})
	return nil
}
