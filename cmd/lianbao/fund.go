package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/portal/words"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

// seatFlags say where staff act, and who signs.
type seatFlags struct {
	At      string `help:"Organisation of this folder's network whose staff act; the charity, or the regulator or the bank where the act is its own, without it." placeholder:"ORG"`
	Gateway string `help:"Gateway elsewhere to act at." placeholder:"URL"`
	Token   string `help:"File of that gateway's token." type:"existingfile" placeholder:"FILE"`
}

func (f seatFlags) sit(app *application, usual string) (seat, error) {
	switch {
	case f.Gateway != "" && f.Token != "":
		return app.seatAt(f.Gateway, f.Token)
	case f.Gateway != "" || f.Token != "":
		return seat{}, &failure{exitUsage, "--gateway and --token belong together", ""}
	case f.At != "":
		return app.seat(f.At)
	}
	return app.seat(usual)
}

// actsCommand is what people do about one kind of thing: one command for each act
// of a family of the table, whose flags are the act's fields.
type actsCommand struct {
	seatFlags
	As    []string `help:"Who signs, such as maker,checker or ORG:maker; on a network of this machine by the keys of its invented people." placeholder:"PERSON"`
	Draft string   `help:"Write what is to be signed into a file, for lianbao person sign; one file for each whom --as names." placeholder:"FILE" type:"path"`
	kong.Plugins
	family string
}

// catalogue is read once: every family speaks out of it.
var catalogue = sync.OnceValues(words.Languages)

// newActsCommand makes the commands of a family out of the table of acts.
func newActsCommand(family string) (actsCommand, error) {
	languages, err := catalogue()
	if err != nil {
		return actsCommand{}, err
	}
	say := func(family, name string) string {
		text, _ := languages[words.Tags[0]].Word(family, name) // a word that is missing is the name itself
		return text
	}
	var commands []reflect.StructField
	for i, act := range acts.FamilyOf(family) {
		flags := flagsOf(act, say)
		commands = append(commands, reflect.StructField{Name: "C" + strconv.Itoa(i), Type: reflect.StructOf(flags),
			Tag: reflect.StructTag(`cmd:"" name:` + strconv.Quote(act.Typed()) + ` help:` + strconv.Quote(say("do.", act.Name)+"."))})
	}
	return actsCommand{Plugins: kong.Plugins{reflect.New(reflect.StructOf(commands)).Interface()}, family: family}, nil
}

// subjects are how the command line shows what an act is about.
var subjects = map[acts.Subject]string{acts.Campaign: "charity:charity:invented-speech", acts.Scheme: "coop:coop:season", acts.Pool: "pool:coop:county"}

// flagsOf are the arguments and flags of an act.
func flagsOf(act acts.Act, say func(family, name string) string) []reflect.StructField {
	var flags []reflect.StructField
	add := func(of reflect.Type, tag string) {
		flags = append(flags, reflect.StructField{Name: "F" + strconv.Itoa(len(flags)), Type: of, Tag: reflect.StructTag(tag)})
	}
	if !act.Apart {
		add(reflect.TypeFor[string](), `arg:"" name:"`+string(act.Subject)+`" help:"The `+string(act.Subject)+`, such as `+subjects[act.Subject]+`."`)
	}
	if act.Of != "" {
		add(reflect.TypeFor[string](), `arg:"" name:"`+act.Of+`" help:`+strconv.Quote(say("ask.", act.Of)+"."))
	}
	for _, field := range act.Fields {
		if field.Name == act.Of {
			continue
		}
		for _, tag := range tagsOf(field, act.Amends, say) {
			add(typeOf(field), tag)
		}
	}
	add(reflect.TypeFor[*string](), `name:"id" help:"Id of the entry; drawn at random without it. The same id again is answered as before." placeholder:"ID"`)
	return flags
}

// typeOf is what a flag holds; one that was not typed holds nil.
func typeOf(field acts.Field) reflect.Type {
	switch field.Kind {
	case acts.Mark:
		return reflect.TypeFor[*bool]()
	case acts.Rows, acts.Document:
		return reflect.TypeFor[string]() // a file, empty where none was named
	}
	return reflect.TypeFor[*string]()
}

// tagsOf describe the flags of a field, two for a text in two languages, of which
// one is enough. Where an act amends, what is left out stays as it is.
func tagsOf(field acts.Field, amends bool, say func(family, name string) string) []string {
	help := ""
	if field.Kind == acts.Rows {
		help += ", a CSV file whose first line is " + field.Header()
	}
	if len(field.Choices) > 0 {
		help += ": " + strings.Join(field.Choices, ", ")
	}
	if more := say("ask-help.", field.Name); more != field.Name {
		help += ". " + strings.TrimSuffix(more, ".")
	}
	if field.Required {
		help += required(field.Kind, amends)
	}
	tag := func(name, language string) string {
		tag := "name:" + strconv.Quote(name) + " help:" + strconv.Quote(say("ask.", field.Name)+language+help+".") + " placeholder:" + strconv.Quote(strings.ToUpper(string(field.Kind)))
		if field.Kind == acts.Rows || field.Kind == acts.Document {
			tag += ` type:"existingfile"`
		}
		return tag
	}
	if field.Kind == acts.Texts {
		return []string{tag(field.Name+"-en", ", in English"), tag(field.Name+"-zh", ", in Chinese")}
	}
	return []string{tag(field.Name, "")}
}

// required says what happens when a field is left out that may not be empty.
func required(kind acts.Kind, amends bool) string {
	switch {
	case amends:
		return " (as it stands when left out)"
	case kind == acts.Texts:
		return " (required, in one of the languages)"
	}
	return " (required)"
}

// usual are the organisations of the built-in topologies that stand on a side.
var usual = map[acts.Side]string{acts.Cooperative: "coop", acts.Household: "coop", acts.Lender: "bank", acts.Keeper: "regulator"}

func usually(side acts.Side) string {
	if organisation := usual[side]; organisation != "" {
		return organisation
	}
	return string(side)
}

// act is what was typed of a family; false where it was none of its acts.
func (c *actsCommand) act(typed *kong.Context) (acts.Act, bool) {
	for _, act := range acts.FamilyOf(c.family) {
		if act.Typed() == typed.Selected().Name {
			return act, true
		}
	}
	return acts.Act{}, false
}

// Run does the act that was typed.
func (c *actsCommand) Run(app *application, typed *kong.Context) error {
	if typed.Selected().Parent.Type == kong.ApplicationNode {
		return &failure{exitUsage, "name an act, such as " + acts.FamilyOf(c.family)[0].Typed(), "see " + app.invoked + " " + c.family + " --help"}
	}
	act, is := c.act(typed)
	if !is {
		return nil // a question of this family, which has answered itself
	}
	at, err := c.sit(app, usually(act.Sides[0]))
	if err != nil {
		return err
	}
	answers, account, err := c.answers(app, at, act, typed.Selected())
	if err != nil {
		return err
	}
	asker := acts.Asker{Organisation: at.organisation, At: tape.Instant(time.Now().UnixMilli()), Ledger: speak.Books{Gateway: at.gateway}, Fingerprint: at.gateway.Fingerprint}
	if asker.Person, err = c.first(at); err != nil {
		return err
	}
	prepared, err := act.Prepare(app.context, asker, account, answers)
	if err != nil {
		return err
	}
	if c.Draft != "" {
		return c.write(app, at, prepared)
	}
	return c.carry(app, at, prepared)
}

// first is who prepares the act: the first who signs it.
func (c *actsCommand) first(at seat) (tape.ID, error) {
	name := string(founding.Maker)
	if len(c.As) > 0 {
		name = c.As[0]
	}
	if c.Draft != "" {
		return tape.ID(name), nil
	}
	signers, err := at.staff(name)
	if err != nil {
		return "", err
	}
	return signers[0].Person, nil
}

// answers are the flags that were typed; files are read, documents kept.
func (c *actsCommand) answers(app *application, at seat, act acts.Act, typed *kong.Node) (acts.Answers, tape.AccountID, error) {
	answers, account := acts.Answers{Texts: map[string]string{}, Rows: map[string][][]string{}}, tape.AccountID("")
	for _, argument := range typed.Positional {
		if argument.Name == act.Of {
			answers.Texts[act.Of] = argument.Target.String()
		} else {
			account = tape.AccountID(argument.Target.String())
		}
	}
	given(typed.Flags, answers.Texts)
	for _, field := range act.Fields {
		path, given := answers.Texts[field.Name]
		if !given {
			continue
		}
		var err error
		switch field.Kind {
		case acts.Rows:
			var text []byte
			if text, err = os.ReadFile(path); err == nil {
				answers.Rows[field.Name], err = field.ReadRows(text)
			}
		case acts.Document:
			var kept document.Citation
			kept, err = keep(app, at.gateway, path, answers.Texts["kind"])
			answers.Texts[field.Name] = kept.Hash.String()
		}
		if err != nil {
			return answers, account, err
		}
	}
	return answers, account, nil
}

// given puts the flags that were typed into texts.
func given(flags []*kong.Flag, texts map[string]string) {
	for _, flag := range flags {
		switch value := flag.Target.Interface().(type) {
		case *string:
			if value != nil {
				texts[flag.Name] = *value
			}
		case string:
			if value != "" {
				texts[flag.Name] = value
			}
		case *bool:
			if value != nil {
				texts[flag.Name] = strconv.FormatBool(*value)
			}
		}
	}
}

// done is the result of an act.
type done struct {
	Function string  `json:"function"`
	ID       tape.ID `json:"id,omitempty"`
	Entry    string  `json:"entry,omitempty"`
	Block    uint64  `json:"block"`
}

// carry signs by the keys at hand, as many as the policy asks for, and sends it.
func (c *actsCommand) carry(app *application, at seat, prepared acts.Prepared) error {
	block, err := c.sign(app, at, prepared)
	if err != nil {
		return err
	}
	ended := done{Function: prepared.Function, ID: prepared.ID, Entry: at.organisation + "/" + string(prepared.ID), Block: block}
	app.console.result(ended)
	app.console.say("  ✓ on the ledger as %s, block %d", ended.Entry, ended.Block)
	return nil
}

// sign has a command signed by whom --as names, or by those who usually sign it, and sends it.
func (c *actsCommand) sign(app *application, at seat, prepared acts.Prepared) (uint64, error) {
	names := c.As
	if len(names) == 0 {
		names = namesOf(prepared)
	}
	if prepared.Persons == 0 {
		names = nil
	}
	if len(names) < prepared.Persons {
		return 0, &failure{exitUsage, strconv.Itoa(prepared.Persons) + " persons sign this; " + strconv.Itoa(len(names)) + " were named", "name them: --as maker,checker"}
	}
	signers, err := at.staff(names...)
	if err != nil {
		return 0, err
	}
	return send(app, at, prepared, signers)
}

// send signs what was prepared, where somebody signs it, and sends it.
func send(app *application, at seat, prepared acts.Prepared, signers []founding.Signer) (uint64, error) {
	if prepared.Persons == 0 {
		argument, err := prepared.Unsigned()
		if err != nil {
			return 0, err
		}
		return at.gateway.Send(app.context, prepared.Function, argument)
	}
	plain, err := canonical.Encode(prepared.Command)
	if err != nil {
		return 0, err
	}
	read, err := drafting.Read(prepared.Function, plain, prepared.Amount)
	if err != nil {
		return 0, err
	}
	decision := founding.Decision{Action: read.Action, Subject: read.Subject, Amount: prepared.Amount}
	return at.decide(app.context, prepared.Function, prepared.Command, decision, signers...)
}

// namesOf are whose keys sign where nobody was named: the invented maker and
// checker of each organisation that signs, and persons by their ids.
func namesOf(prepared acts.Prepared) []string {
	duties := []string{string(founding.Maker), string(founding.Checker)}
	if prepared.Signers == nil {
		return duties[:min(prepared.Persons, 2)]
	}
	var names []string
	of := map[string]int{}
	for _, signer := range prepared.Signers {
		if signer.Organisation == "" {
			names = append(names, string(signer.Person))
		} else if n := of[signer.Organisation]; n < len(duties) {
			names = append(names, signer.Organisation+":"+duties[n])
			of[signer.Organisation]++
		}
	}
	return names
}

// draftLife is how long a draft that is written to a file can be signed.
const draftLife = 7 * 24 * time.Hour

// write writes a draft for each person who is to sign.
func (c *actsCommand) write(app *application, at seat, prepared acts.Prepared) error {
	if prepared.Persons == 0 {
		return &failure{exitUsage, "nobody signs this act", "leave --draft out"}
	}
	if len(c.As) < prepared.Persons {
		return &failure{exitUsage, strconv.Itoa(prepared.Persons) + " persons sign this; " + strconv.Itoa(len(c.As)) + " were named", "name them by their ids: --as ID,ID"}
	}
	var files []string
	for i, person := range c.As {
		draft, err := drafted(at.ledger, tape.ID(person), prepared.Function, prepared.Amount, prepared.Command)
		if err != nil {
			return err
		}
		draft.Expires = tape.Instant(time.Now().Add(draftLife).Unix() * 1000)
		text, err := draft.File()
		if err != nil {
			return err
		}
		if _, err := draft.Act(); err != nil {
			return err
		}
		path := c.Draft
		if ending := filepath.Ext(path); i > 0 {
			path = strings.TrimSuffix(path, ending) + "-" + person + ending
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		files = append(files, path)
	}
	app.console.result(struct {
		Drafts []string `json:"drafts"`
	}{files})
	for i, path := range files {
		app.console.say("  %s signs   %s", c.As[i], app.invoked+" person sign "+path+" > "+path+".signature")
	}
	app.console.say("  then      %s", app.invoked+" send "+files[0]+" SIGNATURE…")
	return nil
}

// sendCommand carries what was signed on devices.
type sendCommand struct {
	seatFlags
	Draft      string   `arg:"" help:"File of the draft." type:"existingfile"`
	Signatures []string `arg:"" help:"Files that lianbao person sign wrote, one for each who signs." type:"existingfile"`
}

func (c *sendCommand) Run(app *application) error {
	text, err := readDraft(c.Draft)
	if err != nil {
		return err
	}
	draft, err := drafting.ParseDraft(text)
	if err != nil {
		return err
	}
	var intents []party.Intent
	for _, path := range c.Signatures {
		signature, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		intent, err := drafting.ParseIntent(signature)
		if err != nil {
			return &failure{exitUsage, filepath.Base(path) + " is no signature: " + err.Error(), "lianbao person sign writes one"}
		}
		intents = append(intents, intent)
	}
	at, err := c.sit(app, string(acts.Charity))
	if err != nil {
		return err
	}
	argument, err := drafting.Envelope(draft.Command, intents...)
	if err != nil {
		return err
	}
	block, err := at.gateway.Send(app.context, draft.Function, argument)
	if err != nil {
		return err
	}
	app.console.result(done{Function: draft.Function, Block: block})
	app.console.say("  ✓ on the ledger, block %d", block)
	return nil
}
