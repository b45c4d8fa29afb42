package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

type stopCommand struct{}

func (*stopCommand) Run(app *application) error {
	return app.end("stopped", "data kept", func(n *network.Network) error { return n.Stop(app.context) })
}

type downCommand struct{}

func (*downCommand) Run(app *application) error {
	return app.end("down", "the network is removed", func(n *network.Network) error { return n.Down(app.context) })
}

type resetCommand struct{}

func (*resetCommand) Run(app *application) error {
	return app.end("reset", "the ledger is removed; topology and ports stay", func(n *network.Network) error { return n.Reset(app.context) })
}

// end stops a network in one of three ways.
func (a *application) end(name, detail string, end func(*network.Network) error) error {
	n, err := network.Open(a.folder)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := end(n); err != nil {
		return err
	}
	a.console.say("  ✓ %-10s %-52s %s", name, detail, seconds(time.Since(begun)))
	a.console.result(struct {
		Folder string `json:"folder"`
		State  string `json:"state"`
	}{n.Folder(), name})
	return nil
}

type statusCommand struct{}

func (*statusCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	nodes := n.Status(app.context)
	app.console.result(struct {
		Folder string               `json:"folder"`
		Nodes  []network.NodeStatus `json:"nodes"`
	}{n.Folder(), nodes})
	rows := [][]string{{"NODE", "STATE", "ADDRESS", "HEIGHT", "CERTIFICATE", ""}}
	down := 0
	for _, s := range nodes {
		if !s.Running {
			down++
		}
		rows = append(rows, statusRow(s))
	}
	app.console.table(rows)
	if down > 0 {
		return &failure{exitNoNetwork, fmt.Sprintf("%d of %d nodes do not run", down, len(nodes)), app.again("up") + " starts them"}
	}
	return nil
}

func statusRow(s network.NodeStatus) []string {
	row := []string{s.Node, "stopped", s.Address, "-", "-", s.Fault}
	if s.Running {
		row[1] = "runs"
	}
	if s.Height != nil {
		row[3] = strconv.FormatUint(*s.Height, 10)
	}
	if s.Expires != nil {
		row[4] = "until " + s.Expires.Local().Format(time.DateOnly)
	} else if s.Role == topology.Gateway {
		row[5] = "" // a gateway on this machine has no certificate of its own
	}
	return row
}

type logsCommand struct {
	Node   string `arg:"" optional:"" help:"Node, such as peer.bank; all nodes without it."`
	Lines  int    `help:"How many of the last lines." default:"20"`
	Follow bool   `short:"f" help:"Go on printing what the node writes, until Ctrl-C."`
}

func (l *logsCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	if l.Lines < 0 || l.Follow && l.Node == "" {
		return &failure{exitUsage, "--lines counts from 0, and --follow needs the name of a node", ""}
	}
	names := []string{l.Node}
	if l.Node == "" {
		names = nil
		for _, node := range n.Topology().Nodes() {
			names = append(names, node.Name)
		}
	}
	for _, name := range names {
		text, err := n.Log(name, l.Lines)
		if err != nil {
			return &failure{exitUsage, err.Error(), ""}
		}
		app.console.result(struct {
			Node string `json:"node"`
			Log  string `json:"log"`
		}{name, text})
		if l.Node == "" {
			app.console.say("── %s", name)
		}
		if text != "" {
			app.console.say("%s", text)
		}
	}
	if l.Follow {
		return app.follow(n, l.Node)
	}
	return nil
}

// followEvery is how often a log is looked at for more.
const followEvery = 300 * time.Millisecond

// follow prints what is written to a node's log from now on.
func (a *application) follow(n *network.Network, node string) error {
	path, err := n.LogPath(node)
	if err != nil {
		return err
	}
	at := int64(-1)
	for {
		file, err := os.Open(path)
		switch {
		case errors.Is(err, os.ErrNotExist): // not started yet
		case err != nil:
			return err
		default:
			at = a.copyFrom(file, at)
		}
		select {
		case <-a.context.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}

// copyFrom prints a log from an offset, -1 for its present end, and returns
// where it ends now. A shorter file is a new one.
func (a *application) copyFrom(file *os.File, at int64) int64 {
	defer file.Close()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || at < 0 {
		return end
	}
	if end < at {
		at = 0
	}
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return at
	}
	copied, _ := io.Copy(a.console.out, io.LimitReader(file, end-at))
	return at + copied
}

type doctorCommand struct{}

func (*doctorCommand) Run(app *application) error {
	findings := network.Doctor(app.context, app.folder)
	app.console.result(struct {
		Findings []network.Finding `json:"findings"`
	}{findings})
	ill := 0
	for _, f := range findings {
		mark := "✓"
		if !f.Sound {
			mark = "✗"
			ill++
		}
		app.console.say("  %s %-10s %s", mark, f.Name, f.Detail)
		if f.Mend != "" {
			app.console.say("    %-10s → %s", "", f.Mend)
		}
	}
	if ill > 0 {
		return &failure{exitDiffers, fmt.Sprintf("%d of %d things must be mended", ill, len(findings)), ""}
	}
	return nil
}
