package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/keyfile"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
	drafting "github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// personCommand is what a person does with a key of its own, an agent with keys
// that it keeps, and an organisation's operator with its people's keys.
type personCommand struct {
	New        personNewCommand        `cmd:"" help:"Draw a key and keep it on this device, under a passphrase."`
	Show       personShowCommand       `cmd:"" help:"Show the key's address and whose it is."`
	Possession personPossessionCommand `cmd:"" help:"Prove that you hold the key, for its registration."`
	Sign       personSignCommand       `cmd:"" help:"Show a draft in plain words, and sign it."`
	Export     personExportCommand     `cmd:"" help:"Write a draft or a login's challenge for a card or hardware wallet."`
	Accept     personAcceptCommand     `cmd:"" help:"Take the signature of a card or hardware wallet over a draft."`
	Login      personLoginCommand      `cmd:"" help:"Answer the challenge of a login page."`
	Confirm    personConfirmCommand    `cmd:"" help:"Confirm that a payout has reached you."`
	Dispute    personDisputeCommand    `cmd:"" help:"Say that a payout did not reach you as it should."`
	Consent    personConsentCommand    `cmd:"" help:"Let an organisation use data about you, for a purpose, until a day."`
	Withdraw   personWithdrawCommand   `cmd:"" help:"Take such a consent back."`
	Rotate     personRotateCommand     `cmd:"" help:"Change to a new key."`
	Suspend    personSuspendCommand    `cmd:"" help:"Stop a key for good, or object to one that waits."`
	Register   personRegisterCommand   `cmd:"" help:"For the organisation: bring a person's first key to the ledger."`
	Replace    personReplaceCommand    `cmd:"" help:"For the organisation: bring another key, for one that was lost or is to be held otherwise."`
	Draw       personDrawCommand       `cmd:"" help:"For the organisation: let its gateway draw and hold a person's key."`
	Waiting    personWaitingCommand    `cmd:"" help:"For the organisation: whose keys wait for its witness."`
	Witness    personWitnessCommand    `cmd:"" help:"For the organisation: vouch, as the second one, for a key that waits."`
	Guard      personGuardCommand      `cmd:"" help:"For the organisation: name who speaks for a child, or end that; two organisations do."`
	Revoke     personRevokeCommand     `cmd:"" help:"For the organisation: end a person's part for good."`
}

// keyFlag is where the key is, and whose.
type keyFlag struct {
	Key    string `help:"File of the key." env:"LIANBAO_KEY" placeholder:"FILE" type:"path"`
	Keys   string `help:"Folder of the keys that an agent keeps, a file a person." placeholder:"FOLDER" type:"path"`
	Person string `help:"Whose key it is, by the id on the ledger; that of the key's file without it." placeholder:"ID"`
}

func (k keyFlag) path() (string, error) {
	if k.Keys != "" {
		if err := tape.ID(k.Person).Check(); err != nil {
			return "", &failure{exitUsage, "whose key of the folder " + k.Keys + "? " + err.Error(), "add --person ID"}
		}
		return filepath.Join(k.Keys, k.Person+".json"), nil
	}
	if k.Key != "" {
		return k.Key, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", &failure{exitUsage, "this device has no folder for settings", "name the key's file: --key FILE"}
	}
	return filepath.Join(folder, "lianbao", "person.json"), nil
}

// read reads the key's file; the key in it stays sealed.
func (k keyFlag) read() (keyfile.File, error) {
	path, err := k.path()
	if err != nil {
		return keyfile.File{}, err
	}
	return keyfile.Read(path)
}

// spoken is in which language, and whether to ask.
type spoken struct {
	Language string `help:"Language of what is shown: en or zh-CN; that of this device without it." enum:",en,zh-CN" default:"" placeholder:"TAG"`
	Yes      bool   `help:"Sign without asking; whoever types this has read it."`
}

func (s spoken) language() string {
	if s.Language != "" {
		return s.Language
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "zh") {
				return message.Chinese
			}
			return message.English
		}
	}
	return message.English
}

type personNewCommand struct {
	keyFlag
	Ledger  string `help:"The ledger's id; the key then signs for no other ledger." placeholder:"HEX"`
	Custody string `help:"Who keeps the key: own, on the person's own device, or agent-held, for somebody without one." default:"own" placeholder:"CUSTODY"`
}

func (c *personNewCommand) Run(app *application) error {
	file, err := keyfile.New(c.Person, c.Ledger, party.Custody(c.Custody))
	if err != nil {
		return err
	}
	path, err := c.path()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return &failure{exitUsage, path + " holds a key already; it is never written over", "choose another file: --key FILE"}
	}
	passphrase, err := app.newPassphrase()
	if err != nil {
		return err
	}
	if err := file.Draw(passphrase, workFactor); err != nil {
		return err
	}
	if err := file.Save(path); err != nil {
		return err
	}
	app.tellKey(file, path)
	app.console.say("  Keep a copy of this file, and the passphrase apart from it: without both the key is lost.")
	return nil
}

// workFactor is a variable for tests, which would only warm the machine.
var workFactor = keyfile.WorkFactor

type personShowCommand struct{ keyFlag }

func (c *personShowCommand) Run(app *application) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	file, err := keyfile.Read(path)
	if err != nil {
		return err
	}
	app.tellKey(file, path)
	return nil
}

// tellKey shows a file without its key.
func (a *application) tellKey(file keyfile.File, path string) {
	a.console.result(struct {
		Address party.Address   `json:"address"`
		Custody party.Custody   `json:"custody"`
		Ledger  *party.LedgerID `json:"ledger,omitempty"`
		Person  tape.ID         `json:"person,omitempty"`
		File    string          `json:"file"`
	}{file.Address, file.Custody, file.Ledger, file.Person, path})
	rows := [][]string{{"address", file.Address.String()}, {"custody", string(file.Custody)}}
	if file.Person != "" {
		rows = append(rows, []string{"person", string(file.Person)})
	}
	if file.Ledger != nil {
		rows = append(rows, []string{"ledger", file.Ledger.String()})
	}
	a.console.table(append(rows, []string{"file", path}))
}

type personPossessionCommand struct {
	keyFlag
	Ledger       string `help:"The ledger's id; that of the key's file without it." placeholder:"HEX"`
	Organisation string `help:"The organisation to which the person belongs." required:"" placeholder:"ORG"`
	Registrar    string `help:"The organisation that brings the key to the ledger." required:"" placeholder:"ORG"`
	Custody      string `help:"Who holds the key, where that is a card; the key's file says it else." placeholder:"CUSTODY"`
	Duty         string `help:"As what you sign: member (household, donor), agent or staff." enum:"member,agent,staff" default:"member"`
	Address      string `help:"Address of a key that a card or hardware wallet holds. What it must sign is printed." placeholder:"0x…"`
	Signature    string `help:"What the card returned for that; the proof is printed then." placeholder:"0x…"`
}

func (c *personPossessionCommand) Run(app *application) error {
	for _, name := range []string{c.Organisation, c.Registrar} {
		if err := tape.CheckSegment(name); err != nil {
			return &failure{exitUsage, err.Error(), ""}
		}
	}
	if c.Address != "" || c.Signature != "" {
		return c.ofCard(app)
	}
	file, err := c.read()
	if err != nil {
		return err
	}
	if err := c.keeps(file.Custody); err != nil {
		return err
	}
	person, ledger, err := file.Named(c.Person, c.Ledger)
	if err != nil {
		return err
	}
	key, err := app.unlock(file)
	if err != nil {
		return err
	}
	possession := party.Possession{Person: person, Key: file.Address, Custody: file.Custody, Duty: party.Duty(c.Duty), Organisation: c.Organisation, Registrar: c.Registrar}
	signature, err := sign.Possession(key, ledger, possession)
	if err != nil {
		return err
	}
	return app.print(persons.Of(possession, signature))
}

// keeps refuses another custody than the key was drawn with.
func (c *personPossessionCommand) keeps(drawn party.Custody) error {
	custody := party.Custody(c.Custody)
	if c.Custody == "" || custody == drawn {
		return nil
	}
	if err := keyfile.Held(custody); err != nil {
		return &failure{exitRefused, err.Error(), "prove a card's key by --address; see docs/people.md"}
	}
	return &failure{exitRefused, "the key was drawn as " + string(drawn) + " and cannot call itself " + string(custody), "draw a new key: lianbao person new --custody " + string(custody)}
}

// ofCard prints what a card must sign, and with its signature the proof.
func (c *personPossessionCommand) ofCard(app *application) error {
	if c.Custody != "" && c.Custody != string(party.Card) {
		return &failure{exitUsage, "a key that is known by its address alone is a card's", "leave --custody away, or name the key's file"}
	}
	file := keyfile.File{Person: tape.ID(c.Person)}
	person, ledger, err := file.Named(c.Person, c.Ledger)
	if err != nil {
		return err
	}
	address, err := wallet.ParseAddress(c.Address)
	if err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	possession := party.Possession{Person: person, Key: address, Custody: party.Card, Duty: party.Duty(c.Duty), Organisation: c.Organisation, Registrar: c.Registrar}
	if c.Signature == "" {
		return app.printFile(wallet.Possession(ledger, possession).File())
	}
	signature, err := wallet.ParseSignature(c.Signature)
	if err != nil {
		return err
	}
	proof := persons.Of(possession, signature)
	if err := proof.Check(ledger, c.Registrar); err != nil {
		return err
	}
	return app.print(proof)
}

// printFile writes a file alone on the standard output.
func (a *application) printFile(text []byte, err error) error {
	if err == nil {
		_, err = a.console.out.Write(text)
	}
	return err
}

// print writes a document alone on the standard output, so that it can be
// piped, pasted or uploaded as it is.
func (a *application) print(document any) error {
	text, err := canonical.Encode(document)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.console.out, "%s\n", text)
	return err
}

type personSignCommand struct {
	keyFlag
	spoken
	Draft string `arg:"" help:"File of the draft, or - for the standard input."`
}

func (c *personSignCommand) Run(app *application) error {
	text, err := readDraft(c.Draft)
	if err != nil {
		return err
	}
	draft, err := drafting.ParseDraft(text)
	if err != nil {
		return err
	}
	if c.Keys != "" && c.Person == "" {
		c.Person = string(draft.Person)
	}
	file, err := c.read()
	if err != nil {
		return err
	}
	intent, err := app.sign(file, draft, c.spoken)
	if err != nil {
		return err
	}
	return app.print(intent)
}

func readDraft(name string) ([]byte, error) {
	input := io.Reader(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, &failure{exitUsage, "there is no file " + name, "download the draft from the page, and name its file"}
		}
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it is only read
		input = file
	}
	return io.ReadAll(io.LimitReader(input, drafting.DraftBytesMax+1))
}

// sign shows a draft in words that are read from its command, asks, and signs.
func (a *application) sign(file keyfile.File, draft drafting.Draft, s spoken) (party.Intent, error) {
	if _, _, err := file.Named(string(draft.Person), draft.Ledger.String()); err != nil {
		return party.Intent{}, err
	}
	if err := timely(draft.Expires); err != nil {
		return party.Intent{}, err
	}
	statement, err := draft.Statement()
	if err != nil {
		return party.Intent{}, err
	}
	if err := a.tellDraft(file, draft, s.language()); err != nil {
		return party.Intent{}, err
	}
	if err := a.agree(s); err != nil {
		return party.Intent{}, err
	}
	key, err := a.unlock(file)
	if err != nil {
		return party.Intent{}, err
	}
	return sign.Intent(key, draft.Ledger, draft.Person, statement)
}

// timely refuses a deadline that has passed, and one so far ahead that the
// signature would lie about: the ledger refuses it only until it comes near.
func timely(deadline tape.Instant) error {
	now := tape.Instant(time.Now().UnixMilli())
	if deadline <= now {
		return &failure{exitRefused, "the draft expired at " + deadline.String(), "have it prepared again"}
	}
	if deadline > now+party.IntentDaysMax*tape.Day {
		return &failure{exitRefused, fmt.Sprintf("the signature would be good until %s; %d days at most are usual", deadline, party.IntentDaysMax), "do not sign it, and ask who prepared it"}
	}
	return nil
}

// tellDraft shows what will be signed on the error output: the standard output
// carries the signature alone.
func (a *application) tellDraft(file keyfile.File, draft drafting.Draft, language string) error {
	act, err := draft.Act()
	if err != nil {
		return err
	}
	fields, err := drafting.Lines(draft.Command)
	if err != nil {
		return err
	}
	text := func(key string, figures ...string) string { return message.New(key, figures...).Text(language) }
	lines := []string{"", "  " + act.Message.Text(language), "",
		"  " + text("cli.person", "Person", string(draft.Person), "Address", file.Address.String()),
		"  " + text("cli.action", "Action", draft.Function+" ("+act.Action+")"), "  " + text("cli.subject", "Subject", drafting.Visible(act.Subject))}
	if act.Amount != "" {
		lines = append(lines, "  "+text("cli.amount", "Amount", act.Amount))
	}
	lines = append(lines, "  "+text("cli.deadline", "When", draft.Expires.String()), "  "+text("cli.says"))
	for _, field := range fields {
		lines = append(lines, "    "+field.Field+": "+field.Value)
	}
	_, err = fmt.Fprintln(a.console.errs, strings.Join(append(lines, ""), "\n"))
	return err
}

type personLoginCommand struct {
	keyFlag
	spoken
	Address string `arg:"" help:"The challenge's address, as the login page shows it."`
}

func (c *personLoginCommand) Run(app *application) error {
	asked, err := challenge.Parse(strings.TrimSpace(c.Address))
	if err != nil {
		return err
	}
	file, err := c.read()
	if err != nil {
		return err
	}
	if err := file.Serves(asked.Ledger); err != nil {
		return err
	}
	if asked.Deadline <= tape.Instant(time.Now().UnixMilli()) {
		return &failure{exitRefused, "the challenge expired at " + asked.Deadline.String(), "open the login page again and copy the new one"}
	}
	text := message.New("cli.login", "Origin", drafting.Visible(asked.Origin), "When", asked.Deadline.String()).Text(c.language())
	fmt.Fprintf(app.console.errs, "\n  %s\n\n", text)
	if err := app.agree(c.spoken); err != nil {
		return err
	}
	key, err := app.unlock(file)
	if err != nil {
		return err
	}
	signature, err := asked.Sign(key)
	if err != nil {
		return err
	}
	if app.console.json {
		return app.print(struct {
			Person    tape.ID         `json:"person,omitempty"`
			Signature party.Signature `json:"signature"`
		}{file.Person, signature})
	}
	fmt.Fprintf(app.console.errs, "  %s\n", message.New("cli.paste").Text(c.language()))
	_, err = fmt.Fprintln(app.console.out, signature)
	return err
}

// unlock asks for the passphrase and opens the key.
func (a *application) unlock(file keyfile.File) (*ecdsa.PrivateKey, error) {
	passphrase, err := a.passphrase(passphraseVariable, "Passphrase: ")
	if err != nil {
		return nil, err
	}
	return file.Open(passphrase)
}

// drafted makes a draft of a command that this program prepares itself.
func drafted(ledger party.LedgerID, person tape.ID, function, amount string, command any) (drafting.Draft, error) {
	encoded, err := canonical.Encode(command)
	return drafting.Draft{V: 1, ID: drafting.NewDraftID(), Ledger: ledger, Person: person, Function: function, Amount: amount, Command: json.RawMessage(encoded),
		Expires: tape.Instant(time.Now().Add(sendingLife).Unix() * 1000)}, err
}

// sendingLife is how long a signature is good that is sent at once.
const sendingLife = time.Hour

// interruptible ends what waits for a person when Ctrl-C is pressed.
func interruptible[T any](ctx context.Context, wait func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := wait()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
