package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/pace"
)

// DoorPattern is where a server puts the door.
const DoorPattern = "POST /people/commands"

// Open are the functions that come in by the door: what a person decides alone
// and signs alone, about its own payouts, its own guarantees, its own key and
// what is known about it. That a guarantee is its own, the contract says.
func Open() []string {
	return []string{"Fund:Confirm", "Group:Exit", "Group:Leave", "Group:SignGroup", "Party:Consent", "Party:Revoke", "Party:Rotate", "Party:Suspend", "Party:WithdrawConsent"}
}

// Alone are the functions that who has no role prepares and signs on the pages: those
// of the door, and what a household asks for and promises by itself. The door takes
// none of those: over what amount some of them are signed only a ledger's reader knows.
func Alone() []string {
	return append(Open(), "Loan:ApplyForLoan", "Loan:ContractLoan", "Loan:DrawLoan", "Loan:GuaranteeLoan", "Loan:OrderSupplies", "Loan:WithdrawLoan", "Settlement:ChoosePrepayment")
}

// ownWords are what the ids begin with of what households sign, by function.
var ownWords = map[string]string{"Group:Exit": "exit", "Group:Expel": "expel", "Group:Leave": "leave", "Group:SignGroup": "sign", "Group:WindDown": "wind-down", "Harvest:Deliver": "deliver", "Loan:ApplyForLoan": "apply",
	"Loan:ConfirmDelivery": "confirm", "Loan:ContractLoan": "contract", "Loan:DrawLoan": "draw", "Loan:GuaranteeLoan": "guarantee", "Loan:OrderSupplies": "order", "Loan:WithdrawLoan": "withdraw", "Recourse:ContributeCall": "contribute",
	"Recourse:ReimburseCall": "reimburse", "Settlement:ChoosePrepayment": "choose"}

// OwnWord is what the id of a household's command of a function begins with; see OwnID.
func OwnWord(function string) (string, bool) { word, is := ownWords[function]; return word, is }

// ownID is the form of the ids under which people's own commands go to the
// ledger. They share their organisation's names with its staff: whoever could
// choose any id could take the one that a payment will need. No form of the
// staff makes an id like these.
var ownID = regexp.MustCompile(`^(apply|choose|confirm|consent|contract|contribute|deliver|dispute|draw|enrol|exit|expel|guarantee|leave|order|reimburse|revoke|rotate|sign|suspend|wind-down|withdraw)-[0-9a-f]{16,40}$`)

// OwnID draws an id for a command of one's own; what is one of the words of ownID.
func OwnID(what string) tape.ID {
	var bits [8]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	return tape.ID(what + "-" + hex.EncodeToString(bits[:]))
}

// checkOwn refuses a command that people may not send by themselves.
func checkOwn(taken []string, function string, command []byte) error {
	if !slices.Contains(taken, function) {
		return rule.Field("function", rule.Refuse(rule.Forbidden, "%.80q does not come in here; %s do, all else by the organisation's staff", function, strings.Join(taken, ", ")))
	}
	return checkID(command)
}

// checkID refuses an id that could be one of the staff's.
func checkID(command []byte) error {
	var named struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(command, &named); err != nil {
		return rule.Field("command", rule.Refuse(rule.Invalid, "is not the JSON asked for"))
	}
	if !ownID.MatchString(named.ID) {
		return rule.Field("command", rule.Field("id", rule.Refuse(rule.Forbidden, "%.70q is not a word such as confirm-, dispute-, sign- or apply- and 16 to 40 hexadecimal digits drawn at random", named.ID)))
	}
	return nil
}

// Knock is what comes to the door: a function and its argument as the contract
// takes it, {"command":…,"intents":[…]} with the one intent of the person. A
// rotation comes in the same form, signed by the key in force.
type Knock struct {
	Argument json.RawMessage `json:"argument"`
	Function string          `json:"function"`
}

// Door takes commands of persons who hold no token of an organisation. It lets
// in what such a person has signed with its key in force, and hands it to the
// API of its own gateway, which answers as it answers programs.
//
// A rotation carries no intent to the ledger, where a second organisation
// witnesses it instead. Here it needs one, so that nobody can bring a key for
// somebody else, or keep its person from bringing one. Who has lost its key
// goes to its organisation.
type Door struct {
	Organisation string
	Ledger       Ledger
	// API is the gateway's own, Token lets the door write there.
	API   http.Handler
	Token string
	// Address names where a request comes from; nil takes pace.Address.
	Address func(*http.Request) string
	Clock   func() time.Time
	Log     *slog.Logger

	fromAddress, forPerson *pace.Pace
}

// Limits of the door: the longest body, and so many commands at once, then one
// more in each time.
const (
	knockBytesMax   = 16 << 10
	addressAtOnce   = 20
	addressEvery    = 3 * time.Second
	personAtOnce    = 10
	personEvery     = 30 * time.Second
	idempotencyMark = "people/"
)

// NewDoor fits a door.
func NewDoor(door Door) *Door {
	if door.Clock == nil {
		door.Clock = time.Now
	}
	if door.Address == nil {
		door.Address = pace.Address
	}
	if door.Log == nil {
		door.Log = slog.Default()
	}
	door.fromAddress = pace.New(addressAtOnce, addressEvery, door.Clock)
	door.forPerson = pace.New(personAtOnce, personEvery, door.Clock)
	return &door
}

// tooFast is refused by the door itself, as is a body that is too long.
type tooFast struct{ wait time.Duration }

func (t tooFast) Error() string {
	return "unavailable: too many commands from here or of this person; wait " + strconv.Itoa(t.seconds()) + " seconds"
}

func (t tooFast) seconds() int { return int(math.Ceil(t.wait.Seconds())) }

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function, argument, err := d.admit(w, r)
	if err != nil {
		d.refuse(w, err)
		return
	}
	contract, name, _ := strings.Cut(function, ":")
	inner, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "/api/v1/commands/"+contract+"/"+name, bytes.NewReader(argument))
	if err != nil {
		d.refuse(w, err)
		return
	}
	inner.RemoteAddr = r.RemoteAddr
	inner.Header.Set("Content-Type", "application/json")
	inner.Header.Set("Authorization", "Bearer "+d.Token)
	inner.Header.Set("Prefer", r.Header.Get("Prefer"))
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		// A stranger's keys and the organisation's own never meet.
		inner.Header.Set("Idempotency-Key", idempotencyMark+key)
	}
	d.API.ServeHTTP(w, inner)
}

// admit refuses whatever is not one person's own signed command.
func (d *Door) admit(w http.ResponseWriter, r *http.Request) (function string, argument []byte, err error) {
	if wait := d.fromAddress.Take(d.Address(r)); wait > 0 {
		return "", nil, tooFast{wait}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, knockBytesMax))
	if err != nil {
		return "", nil, err
	}
	knock, command, intent, err := parseKnock(body)
	if err != nil {
		return "", nil, err
	}
	if err := d.judge(r.Context(), knock.Function, command, intent); err != nil {
		return "", nil, err
	}
	// Who has signed is known from here on, so nobody uses up another's share.
	if wait := d.forPerson.Take(string(intent.Person)); wait > 0 {
		return "", nil, tooFast{wait}
	}
	if knock.Function == "Party:Rotate" {
		return knock.Function, command, nil
	}
	return knock.Function, knock.Argument, nil
}

// parseKnock takes a knock apart, each part in its one spelling.
func parseKnock(body []byte) (Knock, []byte, party.Intent, error) {
	var knock Knock
	if err := canonical.Decode(bytes.TrimSpace(body), &knock); err != nil {
		return knock, nil, party.Intent{}, err
	}
	if !slices.Contains(Open(), knock.Function) {
		return knock, nil, party.Intent{}, checkOwn(Open(), knock.Function, nil)
	}
	var signed envelope
	if err := canonical.Decode(knock.Argument, &signed); err != nil {
		return knock, nil, party.Intent{}, rule.Field("argument", err)
	}
	if err := checkOwn(Open(), knock.Function, signed.Command); err != nil {
		return knock, nil, party.Intent{}, rule.Field("argument", err)
	}
	if len(signed.Intents) != 1 {
		return knock, nil, party.Intent{}, rule.Field("argument", rule.Field("intents", rule.Refuse(rule.Forbidden, "there are %d; the person itself signs, and nobody else", len(signed.Intents))))
	}
	return knock, signed.Command, signed.Intents[0], nil
}

// judge refuses a signature that is not that of the person's key in force over
// this command. A command about a key must be about the signer's own.
func (d *Door) judge(ctx context.Context, function string, command []byte, intent party.Intent) error {
	var sum struct {
		Amount string `json:"amount"` // of a confirmation; Read compares it
	}
	if err := json.Unmarshal(command, &sum); err != nil {
		return rule.Field("command", rule.Refuse(rule.Invalid, "is not the JSON asked for"))
	}
	act, err := Read(function, command, sum.Amount)
	if err != nil {
		return err
	}
	if personal(function) && act.Subject != string(intent.Person) {
		return rule.Refuse(rule.Forbidden, "person %s cannot sign for person %s", intent.Person, act.Subject)
	}
	now := tape.Instant(d.Clock().UnixMilli())
	approval, err := judge(ctx, d.Ledger, d.Organisation, now, act, command, intent)
	if err != nil || function != "Party:Rotate" {
		return err
	}
	return d.rotates(ctx, command, approval, now)
}

// rotates refuses a rotation by which its person would take on another duty:
// the organisation vouches for that itself, never its door. It also refuses a
// key that somebody holds for its person and that would bring one called the
// person's own: whoever holds the key could name itself so. That comes through
// an organisation, which sees the person, and a second one.
func (d *Door) rotates(ctx context.Context, command []byte, by tape.Approval, now tape.Instant) error {
	var rotation party.RotateCommand
	if err := canonical.Decode(command, &rotation); err != nil {
		return rule.Field("command", err)
	}
	person, err := d.Ledger.Person(ctx, by.Person)
	if err != nil {
		return err
	}
	if rotation.Duty != person.DutyOn(now) {
		return rule.Field("command", rule.Field("duty", rule.Refuse(rule.Forbidden, "%s is %s; another duty is its organisation's to bring", by.Person, person.DutyOn(now))))
	}
	if rotation.Custody.Confirms() && !party.Custody(by.Custody).Confirms() {
		return rule.Field("command", rule.Field("custody", rule.Refuse(rule.Forbidden, "the key of %s is %s and cannot bring one that is %s; the person proves its new key to its organisation, which brings it", by.Person, by.Custody, rotation.Custody)))
	}
	return nil
}

// statuses of the door's own refusals; what the API refuses, the API answers.
var statuses = map[rule.Code]int{
	rule.Invalid: http.StatusUnprocessableEntity, rule.Forbidden: http.StatusForbidden, rule.NotFound: http.StatusNotFound, rule.Exists: http.StatusConflict,
	rule.Conflict: http.StatusConflict, rule.Insufficient: http.StatusConflict, rule.WrongState: http.StatusConflict,
	rule.Expired: http.StatusGone, rule.Early: http.StatusConflict, rule.Unsupported: http.StatusNotImplemented,
}

func (d *Door) refuse(w http.ResponseWriter, err error) {
	p := api.Problem{Title: "Not taken", Status: http.StatusInternalServerError, Code: "internal", Detail: "the gateway failed; its log says why", Organisation: d.Organisation}
	var refusal *rule.Refusal
	var long *http.MaxBytesError
	var fast tooFast
	switch {
	case errors.As(err, &fast):
		p.Status, p.Code, p.Detail, p.Retryable = http.StatusTooManyRequests, "unavailable", strings.TrimPrefix(fast.Error(), "unavailable: "), true
		w.Header().Set("Retry-After", strconv.Itoa(fast.seconds()))
	case errors.As(err, &long):
		p.Status, p.Code, p.Detail = http.StatusRequestEntityTooLarge, "too-large", "the body is longer than "+strconv.FormatInt(long.Limit, 10)+" bytes"
	case errors.As(err, &refusal):
		p.Status, p.Code, p.Detail = statuses[refusal.Code], string(refusal.Code), refusal.Text
	default:
		d.Log.Error("a person's command could not be taken", "error", err)
	}
	p.Type = "https://lianbao.dev/problems/" + p.Code
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever left does not read it
}
