package dossier_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestSimulation gives random commands of three organisations about a few
// records, and holds the invariants after each. Beside the rules stands a book
// that knows less: whose a record is, which value it holds, whether it was purged.
func TestSimulation(t *testing.T) {
	seed, steps := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano())), ruletest.Setting(t, "LIANBAO_STEPS", 4000)
	t.Logf("LIANBAO_SEED=%d", seed)
	s := newSimulation(t, seed)
	for step := range steps {
		s.step()
		for i, record := range s.records {
			if broken := s.invariant(record); broken != "" {
				t.Fatalf("LIANBAO_SEED=%d, step %d, record %d: %s", seed, step, i, broken)
			}
		}
	}
	for _, what := range []string{"keep", "replace", "keep again", "purge", "purge again", "cite", "cite longer", "strike"} {
		if steps >= 4000 && s.done[what] == 0 {
			t.Errorf("LIANBAO_SEED=%d: no %s in %d steps: %v", seed, what, steps, s.done)
		}
	}
}

// held is one record as a peer of a member holds it, and as the book knows it.
type held struct {
	name  dossier.Pseudonym
	value []byte
	mark  *dossier.Mark
	note  *dossier.Note

	owner   string
	history []dossier.Hash
	gone    bool
	// frozen is the value that the note binds, until its day.
	frozen *dossier.Hash
	until  tape.Date
}

type simulation struct {
	*testing.T
	dice    *rand.Rand
	records []*held
	acts    map[string]dossier.Act
	last    func()
	today   time.Time
	drawn   int
	done    map[string]int
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{T: t, dice: rand.New(rand.NewPCG(seed, 0)), acts: map[string]dossier.Act{}, done: map[string]int{},
		today: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := range 6 {
		s.records = append(s.records, &held{name: pseudonym(fmt.Sprint("record", i))})
	}
	return s
}

func (s *simulation) draw() dossier.Pseudonym {
	s.drawn++
	return pseudonym(fmt.Sprint("drawn", s.drawn))
}

func (s *simulation) date(days int) tape.Date {
	return tape.Date(s.today.AddDate(0, 0, days).Format(time.DateOnly))
}

func (s *simulation) context(command any) tape.Context {
	encoded, err := canonical.Encode(command)
	if err != nil {
		s.Fatal(err)
	}
	return tape.Context{Organisation: []string{"charity", "charity", "charity", "bank", "coop"}[s.dice.IntN(5)], Role: "gateway",
		Date: s.date(0), Command: dossier.HashOf(encoded).String(), Rules: 1}
}

func (s *simulation) step() {
	if s.dice.IntN(4) == 0 {
		s.today = s.today.AddDate(0, 0, s.dice.IntN(20))
	}
	at := s.dice.IntN(len(s.records))
	h := s.records[at]
	if h.gone && s.dice.IntN(40) == 0 { // room for somebody else
		s.records[at] = &held{name: s.draw()}
		return
	}
	switch s.dice.IntN(8) {
	case 0, 1:
		s.keep(h)
	case 2:
		s.purge(h)
	case 3, 4:
		s.cite(h)
	case 5:
		s.strike(h)
	case 6:
		if s.last != nil {
			s.last()
		}
	case 7:
		s.today = s.today.AddDate(0, 0, 40)
	}
}

func (s *simulation) keep(h *held) {
	v := valid(dossier.Donor)
	v.Salt = salt(fmt.Sprint(s.drawn))
	data, err := v.Encode()
	if err != nil {
		s.Fatal(err)
	}
	command := dossier.KeepCommand{Collection: "charity-bank", Hash: dossier.HashOf(data), ID: s.draw(), Record: h.name}
	if h.mark != nil && s.dice.IntN(3) > 0 {
		hash := h.mark.Hash
		command.Replaces = &hash
	}
	ctx := s.context(command)
	try := func(what string) {
		act := dossier.ActKey(ctx.Organisation, command.ID)
		outcome, err := dossier.Keep(s.state(h, act), command, data, ctx)
		s.apply(h, act, outcome, err, what)
		if err != nil || outcome.Mark == nil {
			return
		}
		if h.owner == "" {
			h.owner = ctx.Organisation
		}
		if h.gone || h.owner != ctx.Organisation {
			s.Fatalf("%s kept a value in a record of %s, purged %t", ctx.Organisation, h.owner, h.gone)
		}
		h.history = append(h.history, command.Hash)
	}
	what := "keep"
	if command.Replaces != nil {
		what = "replace"
	}
	try(what)
	s.last = func() { try("keep again") }
}

func (s *simulation) purge(h *held) {
	command := dossier.PurgeCommand{Collection: "charity-bank", ID: s.draw(), Reason: dossier.Reasons()[s.dice.IntN(6)], Record: h.name}
	if h.mark != nil && s.dice.IntN(4) > 0 {
		command.Hash = h.mark.Hash
	}
	ctx := s.context(command)
	try := func(what string) {
		act := dossier.ActKey(ctx.Organisation, command.ID)
		outcome, err := dossier.Purge(s.state(h, act), command, ctx)
		s.apply(h, act, outcome, err, what)
		if err == nil && outcome.Mark != nil {
			h.gone = true
		}
	}
	try("purge")
	s.last = func() { try("purge again") }
}

func (s *simulation) state(h *held, act string) dossier.PrivateState {
	state := dossier.PrivateState{MSP: "any", Mark: h.mark, Note: h.note}
	if done, found := s.acts[act]; found {
		state.Act = &done
	}
	return state
}

// apply writes what a private command made, as the contract does.
func (s *simulation) apply(h *held, act string, outcome dossier.PrivateOutcome, err error, what string) {
	s.sound(err)
	if err != nil {
		return
	}
	_, repeated := s.acts[act]
	if repeated != (outcome.Mark == nil) {
		s.Fatalf("%s: repeated %t, wrote %+v", what, repeated, outcome)
	}
	s.acts[act] = outcome.Act
	s.done[what]++
	if outcome.Mark != nil {
		h.mark = outcome.Mark
	}
	switch {
	case outcome.Purge:
		h.value = nil
	case outcome.Value != nil:
		h.value = outcome.Value
	}
}

// sound wants every no to be a refusal.
func (s *simulation) sound(err error) {
	if err == nil {
		return
	}
	for _, code := range rule.Codes() {
		if rule.Is(err, code) {
			return
		}
	}
	s.Fatalf("%v is no refusal", err)
}

func (s *simulation) public(h *held) dossier.PublicState {
	state := dossier.PublicState{MSP: "any", Note: h.note}
	if h.value != nil {
		hash := dossier.HashOf(h.value)
		state.Value = &hash
	}
	if h.mark != nil {
		state.Mark = hashOf(s.T, *h.mark)
	}
	return state
}

func (s *simulation) cite(h *held) {
	command := dossier.CiteCommand{Class: dossier.Donor, Collection: "charity-bank", ID: s.draw(), Record: h.name}
	if h.mark != nil {
		command.Hash = h.mark.Hash
	}
	if s.dice.IntN(2) == 0 {
		command.KeepUntil = s.date(s.dice.IntN(60))
	}
	note, entry, err := dossier.Cite(s.public(h), command, s.context(command))
	s.sound(err)
	if err != nil {
		return
	}
	what := "cite"
	if h.note != nil {
		what = "cite longer"
	}
	s.done[what]++
	if entry.Organisation != h.owner {
		s.Fatalf("%s cited a value of %s", entry.Organisation, h.owner)
	}
	if h.until > s.date(0) && note.KeepUntil < h.until {
		s.Fatalf("a promise until %s was cut to %s", h.until, note.KeepUntil)
	}
	h.note, h.frozen, h.until = &note, &note.Hash, note.KeepUntil
}

func (s *simulation) strike(h *held) {
	command := dossier.StrikeCommand{Class: dossier.Donor, Collection: "charity-bank", ID: s.draw(), Reason: dossier.Requested, Record: h.name}
	if h.mark != nil {
		command.Hash = h.mark.Hash
		if h.mark.Reason != "" && s.dice.IntN(3) > 0 {
			command.Reason = h.mark.Reason
		}
	}
	note, entry, err := dossier.Strike(s.public(h), command, s.context(command))
	s.sound(err)
	if err != nil {
		return
	}
	s.done["strike"]++
	if !h.gone || entry.Organisation != h.owner {
		s.Fatalf("%s struck a record of %s, purged %t", entry.Organisation, h.owner, h.gone)
	}
	h.note = &note
}

// invariant says what no command may break.
func (s *simulation) invariant(h *held) string {
	switch {
	case (h.mark == nil) != (len(h.history) == 0):
		return "a record without a mark, or a mark without a record"
	case h.mark == nil:
		return ""
	case h.gone != (h.mark.State == dossier.Purged) || h.gone != (h.value == nil):
		return fmt.Sprintf("purged %t, the mark says %s, %d bytes are held", h.gone, h.mark.State, len(h.value))
	case h.mark.Organisation != h.owner || h.mark.Hash != h.history[len(h.history)-1]:
		return "the mark is not that of the value that was kept last"
	case h.value != nil && dossier.HashOf(h.value) != h.mark.Hash:
		return "the value is not the one of its mark"
	case h.frozen != nil && h.until > s.date(0) && (h.value == nil || dossier.HashOf(h.value) != *h.frozen):
		return "the value had to be kept until " + string(h.until)
	case h.note != nil && h.note.State == dossier.Purged && h.value != nil:
		return "a value stands where the note says that it was purged"
	}
	return ""
}
