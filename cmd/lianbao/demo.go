package main

import (
	"fmt"
	"time"

	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/cmd/lianbao/story"
	"github.com/lianbao/lianbao/network"
)

type demoCommand struct{}

func (*demoCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	told, err := app.tellStory(n)
	if err != nil {
		return err
	}
	app.console.result(told)
	app.console.say("")
	app.console.say("  Next     %s", app.again("trace "+string(told.Gift)))
	app.console.say("           %s", app.again("trace "+string(told.Refunded)))
	app.console.say("           %s", app.again("trace "+string(told.Partner)))
	app.console.say("  Season   %s, on the cooperative's gateway /api/v1/records?prefix=loan/", told.Cooperative.Scheme)
	app.console.say("  Receipt  with the code %s, on the charity's page /en/receipts", told.Code)
	return nil
}

// tellStory plays the invented story, as far as that has not been done.
func (a *application) tellStory(n *network.Network) (story.Told, error) {
	begun := time.Now()
	stage, err := a.stage(n)
	if err != nil {
		return story.Told{}, err
	}
	stage.Report = func(detail string) {
		a.console.step(network.Step{Name: "demo", Detail: detail, Elapsed: time.Since(begun)})
	}
	told, err := story.Tell(a.context, stage)
	if err != nil {
		return told, fmt.Errorf("demo: %w", err)
	}
	detail := fmt.Sprintf("3 invented stories: %d gifts, %d payouts, 1 refund, 1 charge-back, 1 dispute; %d groups, %d loans, 1 sale, 1 default", told.Gifts, told.Payouts, told.Cooperative.Groups, told.Cooperative.Loans)
	if told.Repeated {
		detail += ", told before"
	}
	a.console.step(network.Step{Name: "demo", Detail: detail, Done: true, Elapsed: time.Since(begun)})
	return told, nil
}

func (a *application) stage(n *network.Network) (story.Stage, error) {
	stage := story.Stage{Folder: n.Folder(), Gateways: map[string]*speak.Gateway{}}
	var err error
	if stage.Charter, err = founding.Charter(n.Folder()); err != nil {
		return stage, &failure{exitNoNetwork, "this network has not been started: its ledger is not founded", a.again("up") + " starts it"}
	}
	for _, organisation := range story.Organisations() {
		if stage.Gateways[organisation], err = speaker(n, organisation); err != nil {
			return stage, err
		}
	}
	return stage, nil
}

// speaker is an organisation's gateway of the network in the folder.
func (a *application) speaker(organisation string) (*speak.Gateway, error) {
	n, err := network.Open(a.folder)
	if err != nil {
		return nil, err
	}
	return speaker(n, organisation)
}

// speaker opens the gateway of an organisation.
func speaker(n *network.Network, organisation string) (*speak.Gateway, error) {
	connection, err := n.Connect(organisation)
	if err != nil {
		return nil, &failure{exitUsage, err.Error(), ""}
	}
	return speak.To(connection)
}
