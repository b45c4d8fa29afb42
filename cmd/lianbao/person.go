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
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

// personCommand is what a person does with a key of its own.
type personCommand struct {
	New        personNewCommand        `cmd:"" help:"Draw a key and keep it on this device, under a passphrase."`
	Show       personShowCommand       `cmd:"" help:"Show the key's address and whose it is."`
	Possession personPossessionCommand `cmd:"" help:"Prove that you hold the key, for its registration."`
	Sign       personSignCommand       `cmd:"" help:"Show a draft in plain words, and sign it."`
	Login      personLoginCommand      `cmd:"" help:"Answer the challenge of a login page."`
	Confirm    personConfirmCommand    `cmd:"" help:"Confirm that a payout has reached you."`
	Dispute    personDisputeCommand    `cmd:"" help:"Say that a payout did not reach you as it should."`
	Rotate     personRotateCommand     `cmd:"" help:"Change to a new key."`
	Suspend    personSuspendCommand    `cmd:"" help:"Stop a key for good, or object to one that waits."`
}

// keyFlag is the file of the key.
type keyFlag struct {
	Key string `help:"File of the key." env:"LIANBAO_KEY" placeholder:"FILE" type:"path"`
}

func (k keyFlag) path() (string, error) {
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
func (k keyFlag) read() (keyFile, error) {
	path, err := k.path()
	if err != nil {
		return keyFile{}, err
	}
	return readKeyFile(path)
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
	Person string `help:"Your id on the ledger, where you know it." placeholder:"ID"`
	Ledger string `help:"The ledger's id; the key then signs for no other ledger." placeholder:"HEX"`
}

func (c *personNewCommand) Run(app *application) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	file, err := newKeyFile(c.Person, c.Ledger)
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
	if err := file.draw(passphrase); err != nil {
		return err
	}
	if err := file.save(path); err != nil {
		return err
	}
	app.console.result(file.shown(path))
	app.tellKey(file, path)
	app.console.say("  Keep a copy of this file, and the passphrase apart from it: without both the key is lost.")
	return nil
}

type personShowCommand struct{ keyFlag }

func (c *personShowCommand) Run(app *application) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	file, err := readKeyFile(path)
	if err != nil {
		return err
	}
	app.console.result(file.shown(path))
	app.tellKey(file, path)
	return nil
}

func (a *application) tellKey(file keyFile, path string) {
	rows := [][]string{{"address", file.Address.String()}}
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
	Person       string `help:"Your id on the ledger; that of the key's file without it." placeholder:"ID"`
	Ledger       string `help:"The ledger's id; that of the key's file without it." placeholder:"HEX"`
	Organisation string `help:"The organisation to which you belong." required:"" placeholder:"ORG"`
	Registrar    string `help:"The organisation that brings the key to the ledger." required:"" placeholder:"ORG"`
	Custody      string `help:"Who holds the key: own or card." enum:"own,card" default:"own"`
	Duty         string `help:"As what you sign: member (household, donor), agent or staff." enum:"member,agent,staff" default:"member"`
}

func (c *personPossessionCommand) Run(app *application) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	person, ledger, err := file.named(c.Person, c.Ledger)
	if err != nil {
		return err
	}
	for _, name := range []string{c.Organisation, c.Registrar} {
		if err := tape.CheckSegment(name); err != nil {
			return &failure{exitUsage, err.Error(), ""}
		}
	}
	key, err := app.unlock(file)
	if err != nil {
		return err
	}
	custody, duty := party.Custody(c.Custody), party.Duty(c.Duty)
	proof, err := sign.Possession(key, ledger, party.Possession{Person: person, Custody: custody, Duty: duty, Organisation: c.Organisation, Registrar: c.Registrar})
	if err != nil {
		return err
	}
	return app.print(struct {
		Address      party.Address   `json:"address"`
		Custody      party.Custody   `json:"custody"`
		Duty         party.Duty      `json:"duty"`
		Organisation string          `json:"organisation"`
		Person       tape.ID         `json:"person"`
		Proof        party.Signature `json:"proof"`
		Registrar    string          `json:"registrar"`
	}{file.Address, custody, duty, c.Organisation, person, proof, c.Registrar})
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
func (a *application) sign(file keyFile, draft drafting.Draft, s spoken) (party.Intent, error) {
	if _, _, err := file.named(string(draft.Person), draft.Ledger.String()); err != nil {
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
func (a *application) tellDraft(file keyFile, draft drafting.Draft, language string) error {
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
	if err := file.serves(asked.Ledger); err != nil {
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
func (a *application) unlock(file keyFile) (*ecdsa.PrivateKey, error) {
	passphrase, err := a.passphrase(passphraseVariable, "Passphrase: ")
	if err != nil {
		return nil, err
	}
	return file.open(passphrase)
}

// drafted makes a draft of a command that this program prepares itself.
func drafted(ledger party.LedgerID, person tape.ID, function, amount string, command any) (drafting.Draft, error) {
	encoded, err := canonical.Encode(command)
	return drafting.Draft{V: 1, ID: strings.Repeat("0", 32), Ledger: ledger, Person: person, Function: function, Amount: amount, Command: json.RawMessage(encoded),
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
