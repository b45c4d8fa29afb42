package signing

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/pace"
	"github.com/lianbao/lianbao/gateway/persons"
)

// Ledger knows persons and the ledger's id, as persons.Register does.
type Ledger interface {
	Person(ctx context.Context, id tape.ID) (party.Person, error)
	Ledger(ctx context.Context) (party.LedgerID, error)
}

// Policy is what was voted about who signs, as persons.Register knows it.
type Policy interface {
	Approval(ctx context.Context) (party.ApprovalPolicy, error)
}

// Lanes carry commands, as lane.Lanes does.
type Lanes interface {
	Submit(ctx context.Context, function string, argument []byte) (lane.Status, error)
}

// Hand signs for who is logged in, as keyring.Keyring does.
type Hand interface {
	Holds(person tape.ID) bool
	Sign(ctx context.Context, session login.Session, statement party.Statement) (party.Intent, error)
}

// Parts are what drafts are made of.
type Parts struct {
	Organisation string
	Ledger       Ledger
	Policy       Policy
	Lanes        Lanes
	// Own reports whether a campaign is the organisation's; nil where it has none.
	Own func(context.Context, tape.AccountID) bool
	// Hand may be nil: the gateway then holds no keys.
	Hand  Hand
	Clock func() time.Time
	// Life is how long a draft waits; 0 means 24 hours.
	Life time.Duration
}

// Drafts are the commands of one gateway that wait for signatures. They live
// in memory: nothing has been decided before the last signature is there, and
// from then on the command stands in the outbox. After a new start a draft is
// prepared again, or taken up again from its file.
type Drafts struct {
	Parts
	mutex sync.Mutex
	all   map[string]*pending
	posts *pace.Pace // by person
	// secret makes ids that nobody can foresee, as long as the drafts live.
	secret [32]byte
}

// Limits of what waits.
const (
	draftLife  = 24 * time.Hour
	draftsMost = 2000
	// A person with a role keeps so many waiting, one without so many and so long ones.
	staffShare   = 200
	ownShare     = 10
	ownBytesMax  = knockBytesMax
	postsAtOnce  = 60
	postsEvery   = 2 * time.Second
	formOverhead = 4 << 10 // of the fields beside a file
)

// pending is a draft and the signatures that it has.
type pending struct {
	draft   Draft // without a person
	by      tape.ID
	at      tape.Instant
	persons int
	signers []Signer
	// foreign says that staff of other organisations are among the signers.
	foreign bool
	intents []party.Intent
	// approvals say of each intent who signed, and who holds that key.
	approvals []tape.Approval
	// envelope is set once it was handed over: a repeated submission is the same.
	envelope []byte
	status   *lane.Status
}

// Pending is how a draft stands, for a page.
type Pending struct {
	ID       string
	Function string
	Act      Act
	Lines    []Line
	// By prepared it, Signed have signed it, Persons sign it.
	By      tape.ID
	Signed  []tape.Approval
	Persons int
	// Missing have not signed, where it is known who they are.
	Missing []Signer
	At      tape.Instant
	Expires tape.Instant
	// Mine says that who asks can still sign it, Here that the gateway holds the key to do so.
	Mine, Here bool
	// Status is set once it was handed over to be carried.
	Status *lane.Status
}

// NewDrafts begins with none.
func NewDrafts(parts Parts) *Drafts {
	if parts.Clock == nil {
		parts.Clock = time.Now
	}
	if parts.Life == 0 {
		parts.Life = draftLife
	}
	parts.Life = min(parts.Life, party.IntentDaysMax*24*time.Hour)
	d := &Drafts{Parts: parts, all: map[string]*pending{}, posts: pace.New(postsAtOnce, postsEvery, parts.Clock)}
	_, _ = rand.Read(d.secret[:]) // it never fails: the program ends before
	return d
}

// OwnID makes the id of a person's own command of what it says: the same form
// sent twice asks for the same entry, and nobody else can take its id first.
func (d *Drafts) OwnID(what string, parts ...string) tape.ID {
	mac := hmac.New(sha256.New, d.secret[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return tape.ID(what + "-" + hex.EncodeToString(mac.Sum(nil)[:16]))
}

// mayPost slows down who sends forms often, and says how long one may be.
func (d *Drafts) mayPost(session login.Session) (bytesMax int64, err error) {
	if wait := d.posts.Take(string(session.Person())); wait > 0 {
		return 0, message.Refuse(rule.Early, "login.slow", "Seconds", count(int((wait+time.Second-1)/time.Second)))
	}
	if !signs(session) {
		return ownBytesMax + formOverhead, nil
	}
	return DraftBytesMax + formOverhead, nil
}

// signs reports whether somebody has a role in which one signs for the organisation.
func signs(session login.Session) bool {
	return session.Has(login.Maker, login.Checker, login.Agent)
}

// may refuses a draft that is not that person's to prepare or sign here. The
// ledger asks for the duty besides: this keeps people off what it would refuse.
func may(session login.Session, draft Draft) error {
	if !signs(session) {
		if len(draft.Command) > ownBytesMax {
			return rule.Field("command", rule.Refuse(rule.Invalid, "has %d bytes; %d at most", len(draft.Command), ownBytesMax))
		}
		return checkOwn(Alone(), draft.Function, draft.Command)
	}
	if needs := roles(draft.Function); !slices.Contains(Alone(), draft.Function) && !session.Has(needs...) {
		names := make([]string, len(needs))
		for i, role := range needs {
			names[i] = string(role)
		}
		return message.Refuse(rule.Forbidden, "draft.role", "Roles", strings.Join(names, ", "))
	}
	if !session.Has(login.Maker, login.Checker) {
		return checkID(draft.Command)
	}
	return nil
}

// Request asks for a draft.
type Request struct {
	Function string
	// Command is what the contract takes, a record or its canonical bytes as a json.RawMessage.
	Command any
	// Amount is money in its one spelling: the command's own, zero in the
	// campaign's currency, or what the ledger knows; see Act.
	Amount string
	// Persons is how many sign; 0 means the fewest that function and policy ask for.
	Persons int
	// Signers are who they are, where not this organisation's staff alone sign.
	Signers []Signer
}

// Signer is one who has to sign a draft: somebody of an organisation's staff, or
// one person and nobody else.
type Signer struct {
	Organisation string
	Person       tape.ID
}

// signs reports whether a signature is that of a signer.
func (s Signer) signs(by tape.Approval) bool {
	if s.Organisation == "" {
		return by.Person == s.Person
	}
	return by.Organisation == s.Organisation && by.Duty == string(party.DutyStaff)
}

func (d *Drafts) now() tape.Instant { return tape.Instant(d.Clock().UnixMilli()) }

// Prepare makes a draft of who is logged in. It is signed by nobody yet.
func (d *Drafts) Prepare(ctx context.Context, session login.Session, request Request) (Pending, error) {
	if session.Person() == "" {
		return Pending{}, message.Refuse(rule.Forbidden, "login.needed")
	}
	command, err := canonical.Encode(request.Command)
	if err != nil {
		return Pending{}, err
	}
	ledger, err := d.Ledger.Ledger(ctx)
	if err != nil {
		return Pending{}, err
	}
	draft := Draft{V: 1, ID: NewDraftID(), Ledger: ledger, Function: request.Function, Amount: request.Amount, Command: command,
		Person: session.Person(), Expires: tape.Instant(d.Clock().Add(d.Life).Unix() * 1000)}
	if _, err := draft.Act(); err != nil {
		return Pending{}, err
	}
	return d.keep(ctx, draft, session, request.Persons, request.Signers...)
}

// Adopt takes a draft up again from its file, such as after a new start of the
// gateway. The file can say no more than Prepare could have been asked.
func (d *Drafts) Adopt(ctx context.Context, session login.Session, file []byte, persons int) (Pending, error) {
	if session.Person() == "" {
		return Pending{}, message.Refuse(rule.Forbidden, "login.needed")
	}
	draft, err := ParseDraft(file)
	if err != nil {
		return Pending{}, err
	}
	ledger, err := d.Ledger.Ledger(ctx)
	if err != nil {
		return Pending{}, err
	}
	if draft.Ledger != ledger {
		return Pending{}, message.Refuse(rule.Conflict, "draft.ledger")
	}
	if draft.Expires <= d.now() || draft.Expires > d.now()+party.IntentDaysMax*tape.Day {
		return Pending{}, message.Refuse(rule.Expired, "draft.gone")
	}
	return d.keep(ctx, draft, session, persons)
}

// keep puts a draft among those that wait. One that is there already stays as
// it is, with its signatures, if it is the same.
func (d *Drafts) keep(ctx context.Context, draft Draft, session login.Session, persons int, signers ...Signer) (Pending, error) {
	fewest, err := d.fewest(ctx, draft)
	if err != nil {
		return Pending{}, err
	}
	persons = max(persons, fewest)
	if persons > party.IntentsMax {
		return Pending{}, rule.Field("persons", rule.Refuse(rule.Invalid, "is %d; %d at most sign one command", persons, party.IntentsMax))
	}
	draft.Person = session.Person()
	if err := may(session, draft); err != nil {
		return Pending{}, err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.sweep()
	if there := d.all[draft.ID]; there != nil {
		if !there.draft.same(draft) {
			return Pending{}, message.Refuse(rule.Exists, "draft.other")
		}
		return d.show(there, session)
	}
	if err := d.room(session); err != nil {
		return Pending{}, err
	}
	p := &pending{draft: draft, by: session.Person(), at: d.now(), persons: persons, signers: signers,
		foreign: slices.ContainsFunc(signers, func(s Signer) bool { return s.Organisation != "" && s.Organisation != d.Organisation })}
	d.all[draft.ID] = p
	return d.show(p, session)
}

// fewest is how many sign a draft at least: what maker and checker decide, as
// many as the voted policy says.
func (d *Drafts) fewest(ctx context.Context, draft Draft) (int, error) {
	fewest := Persons(draft.Function)
	if fewest < 2 && !d.lifts(ctx, draft) {
		return fewest, nil
	}
	policy, err := d.Policy.Approval(ctx)
	return max(fewest, int(policy.Approvers)), err
}

// lifts reports whether a draft lifts a flag of the campaign's own organisation,
// which several decide where one raises it.
func (d *Drafts) lifts(ctx context.Context, draft Draft) bool {
	var command fund.SetFlag
	if draft.Function != "Fund:SetFlag" || canonical.Decode(draft.Command, &command) != nil || command.Raise {
		return false
	}
	return d.Own != nil && d.Own(ctx, command.Account)
}

// room refuses a draft more than somebody's share, so that nobody fills the
// desk of all. The caller holds the mutex.
func (d *Drafts) room(session login.Session) error {
	share, mine := ownShare, 0
	if signs(session) {
		share = staffShare
	}
	for _, p := range d.all {
		if p.by == session.Person() {
			mine++
		}
	}
	if mine >= share {
		return message.Refuse(rule.WrongState, "draft.share", "Count", count(share))
	}
	if len(d.all) >= draftsMost {
		return message.Refuse(rule.WrongState, "draft.full")
	}
	return nil
}

// same compares all but the person: each who signs gets a file of its own.
func (d Draft) same(other Draft) bool {
	return d.Function == other.Function && d.Amount == other.Amount && d.Expires == other.Expires && d.Ledger == other.Ledger &&
		string(d.Command) == string(other.Command)
}

// sweep forgets what has expired. The caller holds the mutex.
func (d *Drafts) sweep() {
	now := d.now()
	for id, p := range d.all {
		if p.draft.Expires <= now {
			delete(d.all, id)
		}
	}
}

// show is a draft as a page shows it to a session. The caller holds the mutex.
func (d *Drafts) show(p *pending, session login.Session) (Pending, error) {
	act, err := p.draft.Act()
	if err != nil {
		return Pending{}, err
	}
	lines, err := Lines(p.draft.Command)
	if err != nil {
		return Pending{}, err
	}
	shown := Pending{ID: p.draft.ID, Function: p.draft.Function, Act: act, Lines: lines, By: p.by, Persons: p.persons, At: p.at, Expires: p.draft.Expires}
	shown.Signed = slices.Clone(p.approvals)
	me := session.Person()
	signed := slices.ContainsFunc(shown.Signed, func(a tape.Approval) bool { return a.Person == me })
	shown.Missing = p.missing()
	shown.Mine = me != "" && p.envelope == nil && p.may(session) == nil && !signed && (!p.draft.personal() || act.Subject == string(me))
	shown.Here = shown.Mine && d.Hand != nil && d.Hand.Holds(me)
	if p.status != nil {
		status := *p.status
		shown.Status = &status
	}
	return shown, nil
}

// List is what waits, the newest first. Staff see all of their gateway; who has
// no role sees what it prepared itself.
func (d *Drafts) List(session login.Session) ([]Pending, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.sweep()
	var list []Pending
	for _, p := range d.all {
		if !sees(session, p) {
			continue
		}
		shown, err := d.show(p, session)
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	slices.SortFunc(list, func(a, b Pending) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// sees reports whether a draft is among those that a session lists: staff see all,
// who has no role sees what it prepared itself and what waits for itself.
func sees(session login.Session, p *pending) bool {
	me := session.Person()
	return session.Has(login.Maker, login.Checker, login.Agent, login.Auditor, login.Admin) || me != "" && (me == p.by || slices.Contains(p.signers, Signer{Person: me}))
}

// asks reports whether a draft waits for staff of other organisations. They come
// with their key and the draft's address, which nobody can guess.
func (p *pending) asks(session login.Session) bool {
	return session.Person() != "" && p.foreign
}

// missing are the signers who have not signed: who is named is found first.
func (p *pending) missing() []Signer {
	left := slices.Clone(p.signers)
	for _, named := range []bool{true, false} {
		for _, by := range p.approvals {
			if i := slices.IndexFunc(left, func(s Signer) bool { return (s.Organisation == "") == named && s.signs(by) }); i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
	}
	return left
}

// may refuses who has no part in signing a draft. Who is named among its signers
// signs it whatever roles it has here; that staff of another organisation are its
// staff is asked of the ledger when they sign.
func (p *pending) may(session login.Session) error {
	if slices.Contains(p.missing(), Signer{Person: session.Person()}) || !signs(session) && p.asks(session) {
		return nil
	}
	return may(session, p.draft)
}

// fills refuses a signature that a draft does not wait for.
func (p *pending) fills(by tape.Approval) error {
	if len(p.signers) == 0 || slices.ContainsFunc(p.missing(), func(s Signer) bool { return s.signs(by) }) {
		return nil
	}
	return message.Refuse(rule.Forbidden, "draft.signers", "Person", string(by.Person), "Organisation", by.Organisation)
}

// find returns a draft that a session may see. The caller holds the mutex.
func (d *Drafts) find(session login.Session, id string) (*pending, error) {
	d.sweep()
	p := d.all[id]
	if p == nil || !sees(session, p) && !p.asks(session) {
		return nil, message.Refuse(rule.NotFound, "draft.gone")
	}
	return p, nil
}

// Get returns one draft.
func (d *Drafts) Get(session login.Session, id string) (Pending, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err != nil {
		return Pending{}, err
	}
	return d.show(p, session)
}

// File is the draft for the device of who is logged in.
func (d *Drafts) File(session login.Session, id string) (Draft, error) {
	if session.Person() == "" {
		return Draft{}, message.Refuse(rule.Forbidden, "login.needed")
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err != nil {
		return Draft{}, err
	}
	draft := p.draft
	draft.Person = session.Person()
	_, err = draft.Act()
	return draft, err
}

// Drop takes a draft back that has not been handed over.
func (d *Drafts) Drop(session login.Session, id string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err != nil {
		return err
	}
	if session.Person() != p.by || p.envelope != nil {
		return message.Refuse(rule.Forbidden, "draft.keep", "Person", string(p.by))
	}
	delete(d.all, id)
	return nil
}

// SignHere signs a draft with the key that the gateway holds for who is logged in.
func (d *Drafts) SignHere(ctx context.Context, session login.Session, id string) (Pending, error) {
	draft, err := d.File(session, id)
	if err != nil {
		return Pending{}, err
	}
	if d.Hand == nil {
		return Pending{}, message.Refuse(rule.NotFound, "keyring.none", "Person", string(draft.Person))
	}
	if shown, err := d.Get(session, id); err != nil || !shown.Mine {
		return shown, err // signed already: the same answer again
	}
	statement, err := draft.Statement()
	if err != nil {
		return Pending{}, err
	}
	intent, err := d.Hand.Sign(ctx, session, statement)
	if err != nil {
		return Pending{}, err
	}
	return d.Offer(ctx, session, id, intent)
}

// Offer brings the signature of who is logged in, made here or on a device of
// its own. With the last one the command goes to be carried.
func (d *Drafts) Offer(ctx context.Context, session login.Session, id string, intent party.Intent) (Pending, error) {
	draft, err := d.File(session, id)
	if err != nil {
		return Pending{}, err
	}
	if err := d.maySign(session, id); err != nil {
		return Pending{}, err
	}
	if intent.Person != draft.Person {
		return Pending{}, message.Refuse(rule.Forbidden, "draft.person", "Person", string(draft.Person), "Other", Visible(string(intent.Person)))
	}
	approval, err := d.judge(ctx, draft, intent)
	if err != nil {
		return Pending{}, err
	}
	d.mutex.Lock()
	p, err := d.find(session, id)
	fresh := err == nil && p.envelope == nil && !slices.ContainsFunc(p.intents, func(i party.Intent) bool { return i.Person == intent.Person })
	if fresh {
		err = p.fills(approval)
	}
	if fresh && err == nil {
		p.intents, p.approvals = append(p.intents, intent), append(p.approvals, approval)
		if len(p.intents) == p.persons {
			p.envelope, err = Envelope(p.draft.Command, p.intents...)
		}
	}
	d.mutex.Unlock()
	if err != nil {
		return Pending{}, err
	}
	return d.submit(ctx, session, id)
}

// maySign refuses who has no part in signing a draft.
func (d *Drafts) maySign(session login.Session, id string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err == nil && p.envelope == nil {
		err = p.may(session)
	}
	return err
}

// judge judges an intent as the contract will, as far as it is known here.
func (d *Drafts) judge(ctx context.Context, draft Draft, intent party.Intent) (tape.Approval, error) {
	act, err := draft.Act()
	if err != nil {
		return tape.Approval{}, err
	}
	return judge(ctx, d.Ledger, d.Organisation, d.now(), act, draft.Command, intent)
}

// judge refuses an intent that the contract would refuse, and says who signed;
// whether it was used before is for the contract alone to say.
func judge(ctx context.Context, ledger Ledger, organisation string, now tape.Instant, act Act, command []byte, intent party.Intent) (tape.Approval, error) {
	id, err := ledger.Ledger(ctx)
	if err != nil {
		return tape.Approval{}, err
	}
	person, err := ledger.Person(ctx, intent.Person)
	if err != nil {
		return tape.Approval{}, err
	}
	if _, err := persons.InForce(person, now); err != nil {
		return tape.Approval{}, err
	}
	approvals, _, err := party.Judge(id, party.Act{Action: act.Action, Subject: act.Subject, Amount: act.Amount, Command: sha256.Sum256(command)},
		[]party.Presented{{Intent: intent, Person: &person}}, tape.Context{Organisation: organisation, At: now})
	if err != nil {
		return tape.Approval{}, err
	}
	return approvals[0], nil
}

// submit hands a draft over that has all its signatures. Asked again it is the
// same command under the same id, which lanes and ledger answer as before.
func (d *Drafts) submit(ctx context.Context, session login.Session, id string) (Pending, error) {
	shown, argument, err := d.ready(session, id)
	if err != nil || argument == nil {
		return shown, err
	}
	status, err := d.Lanes.Submit(ctx, shown.Function, argument)
	if err != nil {
		return shown, err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err != nil {
		return shown, err
	}
	p.status = &status
	return d.show(p, session)
}

func (d *Drafts) ready(session login.Session, id string) (Pending, []byte, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	p, err := d.find(session, id)
	if err != nil {
		return Pending{}, nil, err
	}
	shown, err := d.show(p, session)
	return shown, p.envelope, err
}

// Send tries again to hand a draft over whose last signature came while too
// much waited.
func (d *Drafts) Send(ctx context.Context, session login.Session, id string) (Pending, error) {
	return d.submit(ctx, session, id)
}
