package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafting "github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/network"
)

// operator comes with the token of an organisation's own gateway.
type operator struct {
	Gateway string `help:"Gateway of the organisation, such as http://127.0.0.1:8101." env:"LIANBAO_GATEWAY" placeholder:"URL"`
	Token   string `help:"For the organisation: file of its gateway's token." env:"LIANBAO_TOKEN" placeholder:"FILE" type:"path"`
	As      string `help:"For an organisation of the network in --dir: its gateway and its token." placeholder:"ORG"`
}

// opens reports whether somebody comes with an organisation's token.
func (o operator) opens() bool { return o.Token != "" || o.As != "" }

// enter opens the gateway, and says whose it is.
func (o operator) enter(app *application) (*client.Client, string, error) {
	address, path := o.Gateway, o.Token
	if o.As != "" {
		n, err := network.Open(app.folder)
		if err != nil {
			return nil, "", err
		}
		connection, err := n.Connect(o.As)
		if err != nil {
			return nil, "", &failure{exitUsage, err.Error(), ""}
		}
		address, path = connection.URL, connection.Token
	}
	if address == "" || path == "" {
		return nil, "", &failure{exitUsage, "an organisation's gateway and its token are needed", "add --gateway URL --token FILE, or --as ORG for the network in --dir"}
	}
	token, err := os.ReadFile(path)
	if err != nil {
		return nil, "", &failure{exitUsage, "the token cannot be read: " + err.Error(), "lianbao connect ORG says where it is"}
	}
	c, err := clientOf(address)
	if err != nil {
		return nil, "", err
	}
	c.Token = strings.TrimSpace(string(token))
	organisation, err := organisationOf(app.context, c)
	return c, organisation, err
}

// submit sends an organisation's command, where it can carry intents with none:
// no person signs it.
func (a *application) submit(to *client.Client, function string, command any, intents bool) error {
	argument, err := canonical.Encode(command)
	if err == nil && intents {
		argument, err = drafting.Envelope(argument)
	}
	if err != nil {
		return err
	}
	accepted, err := to.Submit(a.context, function, argument)
	if err != nil {
		return translate(to, err)
	}
	return a.accepted(to, function, accepted)
}

// brought is a proof and where it is brought.
type brought struct {
	operator
	Proof string `arg:"" help:"File of the proof that lianbao person possession printed, or - for the standard input."`
}

func readProof(name string) (persons.Proof, error) {
	text, err := readDraft(name)
	if err != nil {
		return persons.Proof{}, err
	}
	return persons.ParseProof(text)
}

// take reads the proof and refuses, before it is sent, what the ledger would refuse.
func (b brought) take(app *application) (*client.Client, persons.Proof, error) {
	proof, err := readProof(b.Proof)
	if err != nil {
		return nil, proof, err
	}
	to, organisation, err := b.enter(app)
	if err != nil {
		return nil, proof, err
	}
	ledger, err := ledgerOf(app.context, to)
	if err != nil {
		return nil, proof, err
	}
	return to, proof, proof.Check(ledger, organisation)
}

func (a *application) tellWitness(person tape.ID, address party.Address) {
	a.console.say("  Next     a second organisation vouches for it: %s person witness %s %s", a.invoked, person, address)
}

type personRegisterCommand struct{ brought }

func (c *personRegisterCommand) Run(app *application) error {
	to, proof, err := c.take(app)
	if err != nil {
		return err
	}
	if err := app.submit(to, "Party:Register", proof.Register(), false); err != nil {
		return err
	}
	app.tellWitness(proof.Person, proof.Address)
	return nil
}

type personReplaceCommand struct{ brought }

func (c *personReplaceCommand) Run(app *application) error {
	to, proof, err := c.take(app)
	if err != nil {
		return err
	}
	if err := app.submit(to, "Party:Rotate", proof.Replace(), false); err != nil {
		return err
	}
	app.tellWitness(proof.Person, proof.Address)
	return nil
}

type personDrawCommand struct {
	operator
	Person       string `arg:"" help:"The person's id on the ledger."`
	Organisation string `help:"The organisation to which the person belongs; that of the gateway without it." placeholder:"ORG"`
	Duty         string `help:"As what the person signs: member, agent or staff." enum:"member,agent,staff" default:"member"`
	Registrar    string `help:"The organisation that brings the key, and for 30 days carries nothing that it signs; the gateway's own without it." placeholder:"ORG"`
}

func (c *personDrawCommand) Run(app *application) error {
	to, organisation, err := c.enter(app)
	if err != nil {
		return err
	}
	drawing := drafting.Drawing{Duty: party.Duty(c.Duty), Organisation: c.Organisation, Person: tape.ID(c.Person), Registrar: c.Registrar}
	if drawing.Organisation == "" {
		drawing.Organisation = organisation
	}
	if drawing.Registrar == "" {
		drawing.Registrar = organisation
	}
	if err := drawing.Check(); err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	var proof persons.Proof
	if err := to.Own(app.context, http.MethodPost, "/people/keys", drawing, &proof); err != nil {
		return translate(to, err)
	}
	if proof.Registrar != organisation {
		return app.print(proof) // for lianbao person register at the registrar's gateway
	}
	if err := app.submit(to, "Party:Register", proof.Register(), false); err != nil {
		return err
	}
	app.tellWitness(proof.Person, proof.Address)
	return nil
}

type personWaitingCommand struct{ operator }

func (c *personWaitingCommand) Run(app *application) error {
	from, err := clientOf(c.Gateway)
	organisation := ""
	if c.opens() {
		from, organisation, err = c.enter(app)
	} else if err == nil {
		organisation, err = organisationOf(app.context, from)
	}
	if err != nil {
		return err
	}
	query := url.Values{"witness": {organisation}, "limit": {"1000"}}
	rows := [][]string{}
	for {
		var list readmodel.List[readmodel.Person]
		if err := from.Get(app.context, "/api/v1/persons?"+query.Encode(), "", &list); err != nil {
			return translate(from, err)
		}
		for _, p := range list.Items {
			key := persons.Waiting(p.Person)
			app.console.result(key)
			rows = append(rows, []string{string(p.ID), "of " + p.Organisation, string(key.Custody), string(key.Duty), key.Address.String(), "brought by " + key.Registrar + " at " + p.At.String()})
		}
		if list.Next == "" {
			break
		}
		query.Set("after", list.Next)
	}
	if len(rows) == 0 {
		app.console.say("  Nobody waits for the witness of %s.", organisation)
	}
	app.console.table(rows)
	return nil
}

type personWitnessCommand struct {
	operator
	spoken
	Person  string `arg:"" help:"The person's id on the ledger."`
	Address string `arg:"" help:"The address of the key, as its person shows it: not as the registrar says."`
}

func (c *personWitnessCommand) Run(app *application) error {
	to, organisation, err := c.enter(app)
	if err != nil {
		return err
	}
	address, err := addressOf(c.Address)
	if err != nil {
		return err
	}
	var person party.Person
	if err := record(app.context, to, party.PersonKey(tape.ID(c.Person)), &person); err != nil {
		return err
	}
	key := persons.Waiting(person)
	if key == nil || key.Address != address {
		return &failure{exitRefused, "wrong-state: " + address.String() + " is not a key of person " + c.Person + " that waits for a witness", "see " + app.again("person waiting --as "+organisation)}
	}
	app.console.say("  Person   %s of %s", person.ID, person.Organisation)
	app.console.say("  Key      %s, %s, %s, brought by %s", key.Address, key.Custody, key.Duty, key.Registrar)
	if err := app.agree(c.spoken); err != nil {
		return err
	}
	if err := app.submit(to, "Party:Witness", persons.Witness(person.ID, *key), false); err != nil {
		return err
	}
	var policy party.PolicyRecord
	if err := record(app.context, to, party.PolicyKey(), &policy); err != nil {
		return err
	}
	app.console.say("  The key comes into force after %d hours; %s carries nothing that it signs for %d days.", policy.Policy.Persons.KeyWaitingHours, key.Registrar, policy.Policy.Persons.RegistrarCarryDays)
	return nil
}

type personRevokeCommand struct {
	operator
	spoken
	Person string `arg:"" help:"The person's id on the ledger."`
}

func (c *personRevokeCommand) Run(app *application) error {
	to, _, err := c.enter(app)
	if err != nil {
		return err
	}
	if err := tape.ID(c.Person).Check(); err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	app.console.say("  Person %s is revoked for good: its key signs nothing more, and no other can be brought.", c.Person)
	if err := app.agree(c.spoken); err != nil {
		return err
	}
	return app.submit(to, "Party:Revoke", persons.Revoke(tape.ID(c.Person)), true)
}
