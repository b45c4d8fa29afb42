package main

import (
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/persons"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

// consented names a consent.
type consented struct {
	signer
	To      string `arg:"" help:"The organisation that may use the data."`
	Purpose string `arg:"" help:"support, verification, publication, research or credit."`
	About   string `arg:"" help:"identity, contact, bank-account, household, health, image, participation, production, repayment or trade."`
	For     string `help:"The person whose guardian you are; yourself without it." placeholder:"ID"`
}

// send signs the command that is made for who is concerned, and sends it.
func (c consented) send(app *application, function string, command func(person tape.ID) any) error {
	file, err := c.open()
	if err != nil {
		return err
	}
	from, err := c.reads()
	if err != nil {
		return err
	}
	person, ledger, err := c.me(app.context, from, file)
	if err != nil {
		return err
	}
	concerned := person
	if c.For != "" {
		concerned = tape.ID(c.For)
	}
	draft, err := drafted(ledger, person, function, "", command(concerned))
	if err != nil {
		return err
	}
	return app.carry(c.signer, file, draft)
}

type personConsentCommand struct {
	consented
	Until string `help:"The last day on which it stands, such as 2027-06-30." required:"" placeholder:"DATE"`
}

func (c *personConsentCommand) Run(app *application) error {
	return c.send(app, "Party:Consent", func(person tape.ID) any {
		return party.ConsentCommand{About: c.About, ID: drafting.OwnID("consent"), Organisation: c.To, Person: person, Purpose: c.Purpose, Until: tape.Date(c.Until)}
	})
}

type personWithdrawCommand struct{ consented }

func (c *personWithdrawCommand) Run(app *application) error {
	return c.send(app, "Party:WithdrawConsent", func(person tape.ID) any {
		return party.WithdrawCommand{About: c.About, ID: drafting.OwnID("withdraw"), Organisation: c.To, Person: person, Purpose: c.Purpose}
	})
}

// personGuardCommand names a person's guardian, or ends that, for one of two organisations.
type personGuardCommand struct {
	operator
	spoken
	Person   string `arg:"" help:"The person who cannot speak for itself."`
	Guardian string `arg:"" help:"The person who may speak for it by a key of its own."`
	End      bool   `help:"End it."`
}

func (c *personGuardCommand) Run(app *application) error {
	to, organisation, err := c.enter(app)
	if err != nil {
		return err
	}
	var person party.Person
	if err := record(app.context, to, party.PersonKey(tape.ID(c.Person)), &person); err != nil {
		return err
	}
	command := persons.Guard(person, tape.ID(c.Guardian), c.End)
	switch {
	case c.End:
		app.console.say("  %s ends that %s speaks for %s; a second organisation must say the same.", organisation, c.Guardian, c.Person)
	default:
		app.console.say("  %s vouches that %s speaks for %s of %s; two organisations must, and then it waits as a key does.", organisation, c.Guardian, c.Person, person.Organisation)
	}
	if err := app.agree(c.spoken); err != nil {
		return err
	}
	return app.submit(to, "Party:Guard", command, false)
}
