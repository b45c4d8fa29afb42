package party_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestScripts plays testdata/*.txt. Each line is a moment after the founding,
// a caller organisation/role, a command, and behind the bar the answer: the
// entry's kind and the keys written, or the refusal. testdata/README.md tells
// the commands. Each script begins on a ledger that all five have joined.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %v, %v", files, err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			w := play(t, file)
			for kind := range w.kinds {
				if !strings.Contains(string(readme), "`"+kind+"`") {
					t.Errorf("README.md does not name the entry %q", kind)
				}
			}
			for stored := range w.state {
				if prefix, _, _ := strings.Cut(stored, "/"); !strings.Contains(string(readme), "| `"+prefix) {
					t.Errorf("README.md has no row for the key %q", stored)
				}
			}
		})
	}
}

func play(t *testing.T, file string) *world {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := script{world: found(t)}
	lines := 0
	for number, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		lines++
		command, want, _ := strings.Cut(line, "|")
		if got := s.run(strings.Fields(command)); got != strings.TrimSpace(want) {
			t.Errorf("%s:%d: %s\n got %s\nwant %s", file, number+1, command, got, want)
		}
	}
	if lines == 0 {
		t.Errorf("%s holds no command", file)
	}
	return s.world
}

// script runs one line after the other.
type script struct {
	*world
	ctx     tape.Context
	options map[string]string
}

func (s *script) run(fields []string) string {
	after, err := time.ParseDuration(fields[0])
	if err != nil {
		s.t.Fatal(err)
	}
	organisation, role, _ := strings.Cut(fields[1], "/")
	s.ctx = s.context(organisation, role, start+tape.Instant(after.Milliseconds()))
	s.options = map[string]string{"id": "e" + strconv.Itoa(s.n)}
	var words []string
	for _, field := range fields[3:] {
		if name, value, found := strings.Cut(field, "="); found && fields[2] != "act" {
			s.options[name] = value
			continue
		}
		words = append(words, field)
	}
	words = append(words, "", "", "", "")
	commands := map[string]func([]string) (party.Outcome, error){"join": s.doJoin, "vote": s.doVote, "register": s.doRegister,
		"witness": s.doWitness, "rotate": s.doRotate, "suspend": s.doSuspend, "revoke": s.doRevoke, "guard": s.doGuard, "consent": s.doConsent, "withdraw": s.doWithdraw}
	if fields[2] == "act" {
		return s.named(s.doAct(words))
	}
	outcome, err := commands[fields[2]](words)
	if err != nil {
		return s.named(err.Error())
	}
	return s.named(outcome.Entry.Kind + ":" + keysOf(outcome.Writes))
}

func keysOf(writes []party.Write) string {
	text := ""
	for _, write := range writes {
		text += " " + write.Key
	}
	return text
}

var keyNames = []string{"k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"}

// named puts names in place of addresses.
func (s *script) named(text string) string {
	for _, name := range keyNames {
		text = strings.ReplaceAll(text, address(name).String(), name)
	}
	return text
}

// option returns an option of the line, or what it is when it is not given.
func (s *script) option(name, otherwise string) string {
	if value, found := s.options[name]; found {
		return value
	}
	return otherwise
}

func (s *script) id() tape.ID { return tape.ID(s.options["id"]) }

func (s *script) doJoin([]string) (party.Outcome, error) {
	shown := charter()
	if quorum, err := strconv.Atoi(s.option("quorum", "3")); err == nil {
		shown.Quorum = int32(quorum)
	}
	return s.join(party.JoinCommand{ID: s.id(), Charter: hashOf(s.t, shown)}, s.ctx)
}

func (s *script) doVote(words []string) (party.Outcome, error) {
	command := party.VoteCommand{ID: s.id(), Proposal: tape.ID(words[0])}
	switch words[1] {
	case "grant":
		command.Change.GrantPower = &party.Grant{Organisation: words[2], Power: words[3]}
	case "revoke":
		command.Change.RevokePower = &party.Grant{Organisation: words[2], Power: words[3]}
	case "admit":
		command.Change.Admit = &party.Member{Name: words[2], MSP: words[3]}
	case "rules":
		version, err := strconv.Atoi(words[2])
		if err != nil {
			s.t.Fatal(err)
		}
		command.Change.Rules = int32(version)
	case "waiting":
		hours, err := strconv.Atoi(words[2])
		if err != nil {
			s.t.Fatal(err)
		}
		policy := charter().Policy
		policy.Persons.KeyWaitingHours = int32(hours)
		command.Change.Policy = &policy
	}
	if s.options["also"] == "rules" {
		command.Change.Rules = 2
	}
	return s.vote(command, s.ctx)
}

// doRegister: person organisation custody key; duty= staff where it is left out; by= another key that signs,
// brought= the registrar that the key signed for, held= and of= what else it signed.
func (s *script) doRegister(words []string) (party.Outcome, error) {
	command := party.RegisterCommand{ID: s.id(), Person: tape.ID(words[0]), Organisation: words[1],
		Custody: party.Custody(words[2]), Duty: party.Duty(s.option("duty", "staff")), Address: address(words[3])}
	command.Proof = s.possession(command.Person, words[1], words[2], words[3])
	return s.register(command, s.ctx)
}

// possession signs for a registration, and for another one where options say so.
func (s *script) possession(person tape.ID, organisation, custody, key string) party.Signature {
	signature := s.prove(s.option("by", key), party.Possession{Person: tape.ID(s.option("for", string(person))),
		Custody: party.Custody(s.option("held", custody)), Duty: party.Duty(s.option("as", s.option("duty", "staff"))), Organisation: s.option("of", organisation),
		Registrar: s.option("brought", s.ctx.Organisation)})
	if s.options["s"] == "high" {
		return malleate(signature)
	}
	return signature
}

func (s *script) doWitness(words []string) (party.Outcome, error) {
	return s.witness(party.WitnessCommand{ID: s.id(), Person: tape.ID(words[0]), Address: address(words[1]), Duty: party.Duty(s.option("duty", "staff"))}, s.ctx)
}

func (s *script) doRotate(words []string) (party.Outcome, error) {
	command := party.RotateCommand{ID: s.id(), Person: tape.ID(words[0]), Custody: party.Custody(words[1]), Duty: party.Duty(s.option("duty", "staff")), Address: address(words[2])}
	organisation := ""
	if person := get[party.Person](s.world, party.PersonKey(command.Person)); person != nil {
		organisation = person.Organisation
	}
	command.Proof = s.possession(command.Person, organisation, words[1], words[2])
	return s.rotate(command, s.ctx)
}

func (s *script) doSuspend(words []string) (party.Outcome, error) {
	s.approve()
	return s.suspend(party.SuspendCommand{ID: s.id(), Person: tape.ID(words[0]), Address: address(words[1])}, s.ctx)
}

func (s *script) doRevoke(words []string) (party.Outcome, error) {
	s.approve()
	return s.revoke(party.RevokeCommand{ID: s.id(), Person: tape.ID(words[0])}, s.ctx)
}

// doGuard: person guardian; end=yes asks for the end.
func (s *script) doGuard(words []string) (party.Outcome, error) {
	return s.guard(party.GuardCommand{End: s.options["end"] == "yes", Guardian: tape.ID(words[1]), ID: s.id(), Person: tape.ID(words[0])}, s.ctx)
}

// doConsent: person organisation purpose about; until= the last day.
func (s *script) doConsent(words []string) (party.Outcome, error) {
	s.approve()
	return s.agree(party.ConsentCommand{About: words[3], ID: s.id(), Organisation: words[1], Person: tape.ID(words[0]), Purpose: words[2], Until: tape.Date(s.option("until", "2027-01-31"))}, s.ctx)
}

func (s *script) doWithdraw(words []string) (party.Outcome, error) {
	s.approve()
	return s.withdraw(party.WithdrawCommand{About: words[3], ID: s.id(), Organisation: words[1], Person: tape.ID(words[0]), Purpose: words[2]}, s.ctx)
}

// approve puts the person of signed= among the approvals, as Judge would; held=
// is who holds its key.
func (s *script) approve() {
	if person := s.options["signed"]; person != "" {
		s.ctx.Approvals = []tape.Approval{{Person: tape.ID(person), Organisation: "charity", Custody: s.option("held", "own"), Intent: "00"}}
	}
}

// doAct presents intents, person:key[,option...] each. What is signed is
// what is done, except where an option says otherwise.
func (s *script) doAct(words []string) string {
	act := party.Act{Action: "spend", Subject: "campaign:charity:school", Amount: "100.00 CNY", Command: sha256.Sum256([]byte("command")), Entry: s.id()}
	var intents []party.Intent
	for _, word := range words {
		if word != "" {
			intents = append(intents, s.intent(act, strings.Split(word, ",")))
		}
	}
	approvals, err := s.judge(act, intents, s.ctx)
	if err != nil {
		return err.Error()
	}
	text := "approved:"
	for i, approval := range approvals {
		text += " " + string(approval.Person) + "/" + approval.Organisation + "/" + approval.Custody + "/" + approval.Duty
		mark := get[party.Mark](s.world, party.IntentKey(intents[i].Person, intents[i].Intent))
		if approval.Intent != intents[i].Intent.String() || mark == nil || mark.Entry != s.ctx.Organisation+"/"+string(act.Entry) {
			s.t.Errorf("intent %s is marked %v", approval.Intent, mark)
		}
	}
	return text
}

func (s *script) intent(act party.Act, words []string) party.Intent {
	person, keyName, _ := strings.Cut(words[0], ":")
	s.options = map[string]string{}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		s.options[name] = strings.ReplaceAll(value, "_", " ")
	}
	id := s.option("id", "1")
	after, err := time.ParseDuration(s.option("deadline", "1h"))
	if err != nil {
		s.t.Fatal(err)
	}
	statement := party.Statement{Action: s.option("action", act.Action), Subject: s.option("subject", act.Subject),
		Amount: s.option("amount", act.Amount), Command: act.Command, Deadline: s.ctx.At/1000*1000 + tape.Instant(after.Milliseconds())}
	copy(statement.Intent[:], s.option("raw", person+id))
	if s.options["command"] != "" {
		statement.Command = sha256.Sum256([]byte(s.options["command"]))
	}
	ledger := s.ledger()
	if s.options["ledger"] != "" {
		ledger = party.LedgerID(sha256.Sum256([]byte(s.options["ledger"])))
	}
	intent, err := sign.Intent(key(keyName), ledger, tape.ID(person), statement)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.forge(intent)
}

// forge changes an intent after it was signed.
func (s *script) forge(intent party.Intent) party.Intent {
	switch s.options["forge"] {
	case "s":
		intent.Signature = malleate(intent.Signature)
	case "bit":
		intent.Signature[40] ^= 1
	case "v":
		intent.Signature[64] -= 27
	case "swap":
		intent.Signature[64] = 27 + 28 - intent.Signature[64]
	case "zero":
		copy(intent.Signature[32:64], make([]byte, 32))
	case "order":
		copy(intent.Signature[:32], slices.Repeat([]byte{0xff}, 32))
	case "nowhere": // 5^3+7 is no square of the field, so no point of the curve has x 5
		copy(intent.Signature[:32], append(make([]byte, 31), 5))
	case "id":
		intent.Intent[15] ^= 1
	case "deadline":
		intent.Deadline += 1000
	}
	return intent
}
