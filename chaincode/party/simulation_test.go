package party_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the simulation; 0 draws one")

// TestSimulation sends random commands, mostly wrong ones, and keeps simpler
// books beside the rules. The books say in advance whether a command is
// accepted, and after each step what must hold.
func TestSimulation(t *testing.T) {
	seed, steps := *seedFlag, 100_000
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if testing.Short() {
		steps = 4_000
	}
	t.Logf("seed %d", seed)
	accepted := map[string]int{}
	for done, round := 0, uint64(0); done < steps; round++ {
		s := newSimulation(t, rand.New(rand.NewPCG(seed, round)))
		for range 1000 {
			s.step(accepted)
			s.invariants()
			if done++; t.Failed() {
				t.Fatalf("seed %d, round %d, step %d of all", seed, round, done)
			}
		}
	}
	for _, kind := range []string{"register", "witness", "rotate", "suspend", "revoke", "act", "guard", "consent", "withdraw", "vote", "enact"} {
		if accepted[kind] < steps/1000 {
			t.Errorf("only %d of %d steps were %s: the draw is too narrow", accepted[kind], steps, kind)
		}
	}
}

// simulation is the ledger and the books.
type simulation struct {
	*world
	rand    *rand.Rand
	now     tape.Instant
	persons map[tape.ID]*book
	taken   map[string]bool // names of keys that are or were somebody's
	used    map[string]bool // person and intent
	votes   map[tape.ID]*ballot
	powers  map[party.Grant]bool
	agreed  map[string]*agreement // by the consent's key
	cache   map[string]any
}

// book is a person: all keys in the order in which they came, nothing is ever taken out.
type book struct {
	organisation string
	keys         []*line
	revoked      bool
	last         tape.Instant
	guardian     *ward
}

// ward is who may speak for a person, as the books know it.
type ward struct {
	guardian, registrar, witness, ending string
	from                                 tape.Instant
}

type agreement struct {
	until     tape.Date
	withdrawn bool
	at        tape.Instant
}

type line struct {
	name, registrar, witness string
	from, carry              tape.Instant
	suspended, dropped       bool
}

type ballot struct {
	grant   party.Grant
	give    bool
	voters  map[string]bool
	at      tape.Instant
	enacted bool
}

func newSimulation(t *testing.T, random *rand.Rand) *simulation {
	s := &simulation{world: found(t), rand: random, now: start, persons: map[tape.ID]*book{}, taken: map[string]bool{},
		used: map[string]bool{}, votes: map[tape.ID]*ballot{}, powers: map[party.Grant]bool{}, agreed: map[string]*agreement{}, cache: map[string]any{}}
	for _, grant := range charter().Powers {
		s.powers[grant] = true
	}
	return s
}

func pick[T any](s *simulation, from ...T) T { return from[s.rand.IntN(len(from))] }

// current is the key that a person's signature is checked against: the last that has come into force.
func (b *book) current(at tape.Instant) *line {
	var found *line
	for i, key := range b.keys {
		if i == 0 || (key.witness != "" && !key.dropped && at >= key.from) {
			found = key
		}
	}
	return found
}

// pending is the key of a rotation that is under way.
func (b *book) pending(at tape.Instant) *line {
	if last := b.keys[len(b.keys)-1]; last != b.current(at) && !last.dropped {
		return last
	}
	return nil
}

func (s *simulation) step(accepted map[string]int) {
	s.now += pick(s, 0, 0, tape.Hour, 6*tape.Hour, 24*tape.Hour, 1234567)
	at := s.now
	if s.rand.IntN(40) == 0 {
		at -= 30 * tape.Hour
	}
	ctx := s.context(pick(s, organisations...), party.RoleGateway, at)
	commands := []func(tape.Context) (string, bool, error){s.doRegister, s.doWitness, s.doWitness, s.doRotate, s.doSuspend, s.doAct, s.doAct, s.doVote, s.doVote, s.doVote, s.doVote, s.doGuard, s.doGuard, s.doConsent, s.doConsent}
	if s.rand.IntN(4) == 0 {
		commands = append(commands, s.doRevoke)
	}
	before := len(s.state)
	kind, want, err := pick(s, commands...)(ctx)
	if (err == nil) != want {
		s.t.Errorf("%s by %s at %s: %v; the books say %t", kind, ctx.Organisation, ctx.At, err, want)
	}
	if err == nil {
		accepted[kind]++
	} else if len(s.state) != before {
		s.t.Errorf("%s was refused and wrote", kind)
	}
}

func (s *simulation) id() tape.ID { return tape.ID(fmt.Sprint("e", s.n)) }

// person draws a person, now and then one that is not there.
func (s *simulation) person() (tape.ID, *book) {
	id := tape.ID(fmt.Sprint("p", s.rand.IntN(8)))
	return id, s.persons[id]
}

// key draws one of forty keys, mostly one that this person has had.
func (s *simulation) key(b *book) string {
	if b != nil && s.rand.IntN(8) != 0 {
		return b.keys[len(b.keys)-1-s.rand.IntN(min(2, len(b.keys)))].name
	}
	return fmt.Sprint("key", s.rand.IntN(60))
}

func (s *simulation) doRegister(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	name, organisation := fmt.Sprint("key", s.rand.IntN(60)), pick(s, organisations...)
	_, err := s.register(party.RegisterCommand{ID: s.id(), Person: id, Organisation: organisation, Custody: party.Own, Duty: party.DutyStaff, Address: address(name),
		Proof: s.prove(name, party.Possession{Person: id, Organisation: organisation, Custody: party.Own, Duty: party.DutyStaff, Registrar: ctx.Organisation})}, ctx)
	want := b == nil && !s.taken[name]
	if err == nil {
		s.taken[name] = true
		s.persons[id] = &book{organisation: organisation, keys: []*line{{name: name, registrar: ctx.Organisation}}, last: ctx.At}
	}
	return "register", want, err
}

func (s *simulation) doWitness(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	name := s.key(b)
	_, err := s.witness(party.WitnessCommand{ID: s.id(), Person: id, Address: address(name), Duty: party.DutyStaff}, ctx)
	if b == nil || b.revoked || ctx.At < b.last {
		return "witness", false, err
	}
	last := b.keys[len(b.keys)-1]
	own := last.registrar == b.organisation || ctx.Organisation == b.organisation
	want := last.name == name && last.witness == "" && !last.dropped && last.registrar != ctx.Organisation && own
	if err == nil {
		last.witness, last.from, last.carry, b.last = ctx.Organisation, ctx.At+24*tape.Hour, ctx.At+30*tape.Day, ctx.At
	}
	return "witness", want, err
}

func (s *simulation) doRotate(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	name, organisation := fmt.Sprint("key", s.rand.IntN(60)), "charity"
	if b != nil {
		organisation = b.organisation
	}
	_, err := s.rotate(party.RotateCommand{ID: s.id(), Person: id, Custody: party.Card, Duty: party.DutyStaff, Address: address(name),
		Proof: s.prove(name, party.Possession{Person: id, Organisation: organisation, Custody: party.Card, Duty: party.DutyStaff, Registrar: ctx.Organisation})}, ctx)
	want := b != nil && !b.revoked && ctx.At >= b.last && !s.taken[name] && b.keys[0].witness != "" && b.pending(ctx.At) == nil
	if err == nil {
		s.taken[name] = true
		b.keys, b.last = append(b.keys, &line{name: name, registrar: ctx.Organisation}), ctx.At
	}
	return "rotate", want, err
}

func (s *simulation) doSuspend(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	if s.rand.IntN(2) == 0 {
		return "suspend", false, errNothing // lost keys are rare
	}
	name := s.key(b)
	_, err := s.suspend(party.SuspendCommand{ID: s.id(), Person: id, Address: address(name)}, ctx)
	if b == nil || b.revoked || ctx.At < b.last {
		return "suspend", false, err
	}
	target := b.pending(ctx.At)
	drop := target != nil && target.name == name
	if !drop {
		target = b.current(ctx.At)
	}
	want := target.name == name && (drop || (target.witness != "" && !target.suspended)) &&
		slices.Contains([]string{b.organisation, target.registrar, target.witness}, ctx.Organisation)
	if err == nil {
		target.dropped, target.suspended, b.last = drop, !drop, ctx.At
	}
	return "suspend", want, err
}

// errNothing stands for a step that did nothing.
var errNothing = fmt.Errorf("nothing")

func (s *simulation) doRevoke(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	_, err := s.revoke(party.RevokeCommand{ID: s.id(), Person: id}, ctx)
	want := b != nil && !b.revoked && ctx.At >= b.last && ctx.Organisation == b.organisation
	if err == nil {
		b.revoked, b.last = true, ctx.At
	}
	return "revoke", want, err
}

// doGuard draws who may speak for whom, and whether that shall end.
func (s *simulation) doGuard(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	other, g := s.person()
	end := s.rand.IntN(2) == 0
	if b != nil && b.guardian != nil && s.rand.IntN(4) != 0 {
		other = tape.ID(b.guardian.guardian)
		g = s.persons[other]
	}
	_, err := s.guard(party.GuardCommand{End: end, Guardian: other, ID: s.id(), Person: id}, ctx)
	if b == nil || b.revoked || ctx.At < b.last || id == other {
		return "guard", false, err
	}
	after, want := b.ends(string(other), ctx.Organisation)
	if !end {
		after, want = b.begins(string(other), ctx)
		want = want && g != nil && !g.revoked && g.guardian == nil
	}
	if err == nil {
		b.guardian, b.last = after, ctx.At
	}
	return "guard", want, err
}

// begins is what the books say of a guardian who is named or confirmed.
func (b *book) begins(other string, ctx tape.Context) (*ward, bool) {
	if b.guardian == nil {
		return &ward{guardian: other, registrar: ctx.Organisation}, true
	}
	after := *b.guardian
	after.witness, after.from = ctx.Organisation, ctx.At+24*tape.Hour
	return &after, after.guardian == other && b.guardian.witness == "" && after.registrar != ctx.Organisation && b.own(after.registrar, ctx.Organisation)
}

// ends is what they say of one whose end is asked for or confirmed.
func (b *book) ends(other, by string) (*ward, bool) {
	if b.guardian == nil || b.guardian.guardian != other {
		return nil, false
	}
	after := *b.guardian
	switch {
	case after.witness == "":
		return nil, by == after.registrar || by == b.organisation
	case after.ending == "":
		after.ending = by
		return &after, true
	}
	return nil, by != after.ending && b.own(after.ending, by)
}

// own reports whether one of two is the person's organisation.
func (b *book) own(one, other string) bool { return one == b.organisation || other == b.organisation }

// speaks is who may speak for a person at a moment.
func (b *book) speaks(at tape.Instant) tape.ID {
	if b.revoked || b.guardian == nil || b.guardian.witness == "" || at < b.guardian.from {
		return ""
	}
	return tape.ID(b.guardian.guardian)
}

// doConsent draws a consent or its end; the signatures were judged before.
func (s *simulation) doConsent(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	signer := id
	if s.rand.IntN(3) == 0 {
		signer, _ = s.person()
	}
	custody := pick(s, party.Own, party.Card, party.AgentHeld)
	ctx.Approvals = []tape.Approval{{Person: signer, Organisation: "charity", Custody: string(custody), Intent: "00"}}
	organisation, purpose, about := pick(s, "charity", "bank"), party.Purposes()[0], party.Abouts()[s.rand.IntN(2)]
	name := party.ConsentKey(id, organisation, purpose, about)
	known := s.agreed[name]
	heard := b != nil && !b.revoked && ctx.At >= b.last && (signer == id || signer == b.speaks(ctx.At))
	if s.rand.IntN(2) == 0 {
		_, err := s.withdraw(party.WithdrawCommand{About: about, ID: s.id(), Organisation: organisation, Person: id, Purpose: purpose}, ctx)
		want := heard && known != nil && !known.withdrawn && ctx.At >= known.at
		if err == nil {
			known.withdrawn = true
		}
		return "withdraw", want, err
	}
	until := ctx.Date.AddDays(pick(s, -1, 0, 30, party.ConsentDaysMax, party.ConsentDaysMax+1))
	_, err := s.agree(party.ConsentCommand{About: about, ID: s.id(), Organisation: organisation, Person: id, Purpose: purpose, Until: until}, ctx)
	days := ctx.Date.DaysUntil(until)
	stands := known != nil && !known.withdrawn && known.until >= ctx.Date && known.until == until
	want := heard && days >= 0 && days <= party.ConsentDaysMax && custody != party.AgentHeld && !stands
	if err == nil {
		s.agreed[name] = &agreement{until: until, at: ctx.At}
	}
	return "consent", want, err
}

func (s *simulation) doAct(ctx tape.Context) (string, bool, error) {
	id, b := s.person()
	name := s.key(b)
	number := s.rand.Uint32N(200)
	statement := party.Statement{Action: "spend", Deadline: (ctx.At/1000 + tape.Instant(s.rand.IntN(1000)-100)) * 1000}
	binary.BigEndian.PutUint32(statement.Intent[:], number)
	intent, err := sign.Intent(key(name), s.ledger(), id, statement)
	if err != nil {
		s.t.Fatal(err)
	}
	approvals, err := s.judge(party.Act{Action: "spend", Entry: s.id()}, []party.Intent{intent}, ctx)
	use := fmt.Sprint(id, " ", number)
	if b == nil || b.revoked {
		return "act", false, err
	}
	current := b.current(ctx.At)
	want := current.name == name && current.witness != "" && !current.suspended && ctx.At >= current.from &&
		statement.Deadline >= ctx.At && !s.used[use] && (ctx.Organisation != current.registrar || ctx.At >= current.carry)
	if err == nil {
		if s.used[use] = true; approvals[0].Organisation != b.organisation || approvals[0].Person != id {
			s.t.Errorf("%v is not %s of %s", approvals, id, b.organisation)
		}
	}
	return "act", want, err
}

func (s *simulation) doVote(ctx tape.Context) (string, bool, error) {
	ctx.Role = party.RoleAdmin
	id := tape.ID(fmt.Sprint("v", s.rand.IntN(40)))
	vote := s.votes[id]
	drawn := party.Grant{Organisation: pick(s, organisations...), Power: pick(s, party.AllPowers()...)}
	give := s.rand.IntN(2) == 0
	if vote != nil && s.rand.IntN(10) != 0 {
		drawn, give = vote.grant, vote.give
	}
	command := party.VoteCommand{ID: s.id(), Proposal: id}
	if command.Change.RevokePower = &drawn; give {
		command.Change = party.Change{GrantPower: &drawn}
	}
	outcome, err := s.vote(command, ctx)
	want := s.powers[drawn] != give
	if vote != nil {
		want = want && vote.grant == drawn && vote.give == give && !vote.enacted && !vote.voters[ctx.Organisation] &&
			ctx.At >= vote.at && ctx.At <= vote.at+30*tape.Day
	}
	if err != nil {
		return "vote", want, err
	}
	if vote == nil {
		vote = &ballot{grant: drawn, give: give, voters: map[string]bool{}, at: ctx.At}
		s.votes[id] = vote
	}
	if vote.voters[ctx.Organisation] = true; len(vote.voters) == 3 {
		vote.enacted, s.powers[drawn] = true, give
	}
	if vote.enacted != (outcome.Entry.Kind == "enact") {
		s.t.Errorf("%d voted, and the entry is of kind %s", len(vote.voters), outcome.Entry.Kind)
	}
	return outcome.Entry.Kind, want, nil
}

// read loads a record that the invariants only look at: unchanged bytes are decoded once.
func read[T any](s *simulation, key string) T {
	if cached, found := s.cache[key+string(s.state[key])]; found {
		return cached.(T)
	}
	record := must[T](s.world, key)
	s.cache[key+string(s.state[key])] = record
	return record
}

// invariants reads the state and compares it with the books.
func (s *simulation) invariants() {
	holders := map[party.Address]bool{}
	for id, b := range s.persons {
		for _, line := range b.keys {
			taken := address(line.name)
			if holders[taken] || read[party.Holder](s, party.AddressKey(taken)).Person != id {
				s.t.Errorf("%s is a key of %s, and of another", line.name, id)
			}
			holders[taken] = true
		}
		s.invariantPerson(read[party.Person](s, party.PersonKey(id)), b)
	}
	for _, name := range organisations {
		powers := read[party.Powers](s, party.PowersKey(name)).Powers
		for _, power := range party.AllPowers() {
			if slices.Contains(powers, power) != s.powers[party.Grant{Organisation: name, Power: power}] {
				s.t.Errorf("%s has %s; the books say otherwise about %s", name, strings.Join(powers, " "), power)
			}
		}
	}
}

// invariantPerson: now and later, the key in force is the one in the books.
func (s *simulation) invariantPerson(person party.Person, b *book) {
	if b.revoked && (person.Next != nil || person.Revoked == 0) {
		s.t.Errorf("%s is revoked, and yet %+v", person.ID, person)
	}
	s.invariantKey(person.Key, b)
	if g := person.Guardian; g != nil && g.Witness != "" && (g.Witness == g.Registrar || !b.own(g.Registrar, g.Witness)) {
		s.t.Errorf("the guardian of %s was named by %s and confirmed by %s", person.ID, g.Registrar, g.Witness)
	}
	if person.Next != nil {
		s.invariantKey(*person.Next, b)
	}
	for _, later := range []tape.Instant{0, tape.Hour, 24 * tape.Hour, 800 * tape.Hour} {
		at := max(s.now, b.last) + later
		key, err := person.InForce(at)
		if got, want := person.GuardianOn(at), b.speaks(at); got != want {
			s.t.Errorf("%s at %s: %q speaks for it, the books say %q", person.ID, at, got, want)
		}
		current := b.current(at)
		valid := !b.revoked && !current.suspended && current.witness != "" && at >= current.from
		if (err == nil) != valid || (valid && key.Address != address(current.name)) {
			s.t.Errorf("%s at %s: %v, %v; the books say %+v", person.ID, at, key, err, current)
		}
	}
}

// invariantKey: a witnessed key has two organisations, one of them the person's own.
func (s *simulation) invariantKey(key party.Key, b *book) {
	if key.Witness != "" && (key.Witness == key.Registrar || (key.Witness != b.organisation && key.Registrar != b.organisation)) {
		s.t.Errorf("%s of a person of %s was brought by %s and witnessed by %s", key.Address, b.organisation, key.Registrar, key.Witness)
	}
}
