package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// Writing is what every write may carry.
type Writing struct {
	Prefer         string `header:"Prefer" doc:"wait=N waits up to N seconds for the ledger; respond-async does not wait." example:"wait=10"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"The first answer is given again to the same key." maxLength:"255"`
	Position       string `header:"Lianbao-Position" doc:"Wait until this gateway's peer has the block."`
}

// Acceptance is how something that was sent stands.
type Acceptance struct {
	ID       string `json:"id"`
	Account  string `json:"account,omitempty"`
	Function string `json:"function,omitempty"`
	State    string `json:"state" enum:"waiting,submitted,done,refused,failed"`
	Status   string `json:"status" doc:"Where to ask how it stands."`
	// Command is the entry's id on the ledger; a gift gets it when its page is made.
	Command     string          `json:"command,omitempty"`
	Transaction string          `json:"transaction,omitempty"`
	Position    string          `json:"position,omitempty" doc:"The block that holds it."`
	Entry       json.RawMessage `json:"entry,omitempty"`
	Trouble     string          `json:"trouble,omitempty" doc:"Why it takes longer, or why it was given up."`
	Problem     *Problem        `json:"problem,omitempty" doc:"Why it was refused."`
}

// Accepted answers the writing of one thing.
type Accepted struct {
	Status   int
	Location string `header:"Location"`
	Position string `header:"Lianbao-Position"`
	Body     Acceptance
}

// AcceptedList answers the writing of several.
type AcceptedList struct {
	Status   int
	Position string `header:"Lianbao-Position"`
	Body     struct {
		Items []Acceptance `json:"items"`
	}
}

func (s *Server) writes() {
	post(s, "/api/v1/accounts", "Open an account", bodyBytesMax, s.openAccount)
	post(s, "/api/v1/accounts/{account}/gifts", "Receive a few gifts; the gateway gathers them into pages", bodyBytesMax, s.receiveGifts)
	post(s, "/api/v1/accounts/{account}/pages", "Receive a page of up to 2,000 gifts", pageBytesMax, s.receivePage)
	post(s, "/api/v1/accounts/{account}/settlements", "Settle pages and inflows; the gateway gathers them into batches", bodyBytesMax, s.settle)
	post(s, "/api/v1/statements", "File a bank statement", pageBytesMax, s.fileStatement)
	post(s, "/api/v1/statements/{account}/{statement}/lines", "File one page of a statement's lines", pageBytesMax, s.fileLines)
	post(s, "/api/v1/commands/{contract}/{function}", "Send any command as it is, canonical and signed", pageBytesMax, s.command, verbatim)
}

// verbatim lets a body through untouched: it may be signed, and the contract
// itself reads it strictly.
func verbatim(operation *huma.Operation) {
	operation.SkipValidateBody = true
	operation.RequestBody = &huma.RequestBody{Required: true, Description: "The function's one argument: JSON in the spelling of RFC 8785.", Content: map[string]*huma.MediaType{}}
}

func post[I, O any](s *Server, path, summary string, bytesMax int64, handler func(context.Context, *I) (*O, error), options ...func(*huma.Operation)) {
	operation := huma.Operation{OperationID: operationID("post", path), Method: http.MethodPost, Path: path, Summary: summary,
		MaxBodyBytes: bytesMax, BodyReadTimeout: 30 * time.Second, DefaultStatus: http.StatusAccepted, Tags: []string{"write"},
		Security: []map[string][]string{{"token": {}}}, Errors: []int{401, 403, 404, 409, 413, 422, 503}}
	for _, option := range options {
		option(&operation)
	}
	huma.Register(s.api, operation, func(ctx context.Context, input *I) (*O, error) {
		output, err := handler(ctx, input)
		if err != nil {
			return nil, s.fail(err)
		}
		return output, nil
	})
}

var separators = regexp.MustCompile(`[/{}]+`)

func operationID(method, path string) string {
	return strings.TrimSuffix(method+separators.ReplaceAllString(path[len("/api/v1"):], "-"), "-")
}

// OpenInput opens an account.
type OpenInput struct {
	Writing
	Body struct {
		ID           string `json:"id" doc:"The entry's id, of your choice."`
		Account      string `json:"account" example:"charity:sunrise:books-2026"`
		Attribution  string `json:"attribution" enum:"fifo,pooled"`
		Currency     string `json:"currency" example:"CNY"`
		Custodian    string `json:"custodian" doc:"The bank account that really holds the money." example:"outside:bank:sunrise-1"`
		OwnFunds     string `json:"ownFunds,omitempty"`
		Unidentified string `json:"unidentified,omitempty"`
	}
}

func (s *Server) openAccount(ctx context.Context, in *OpenInput) (*Accepted, error) {
	b := in.Body
	return s.submitRecord(ctx, "Tape:Open", in.Prefer, tape.Open{ID: tape.ID(b.ID), Account: tape.AccountID(b.Account), Attribution: tape.Attribution(b.Attribution),
		Currency: money.Currency(b.Currency), Custodian: tape.AccountID(b.Custodian), OwnFunds: tape.AccountID(b.OwnFunds), Unidentified: tape.AccountID(b.Unidentified)})
}

// GiftInput is one gift.
type GiftInput struct {
	ID        string `json:"id" doc:"Your id of the gift, unique on the account." minLength:"1" maxLength:"64"`
	Amount    string `json:"amount" example:"100.00 CNY"`
	Donor     string `json:"donor,omitempty" doc:"Salted commitment to who gave: 43 characters of base64url."`
	Reference string `json:"reference,omitempty" doc:"Keyed hash by which the bank line is found: 22 characters of base64url."`
}

// giftsOf reads gifts by the ledger's own decoder, so that what is malformed is
// refused here and names its place.
func giftsOf(account, id string, inputs []GiftInput) (tape.Receive, []byte, error) {
	receive := tape.Receive{Account: tape.AccountID(account), ID: tape.ID(id), Count: int32(len(inputs))}
	for i, in := range inputs {
		amount, err := money.Parse(in.Amount)
		if err != nil {
			return receive, nil, rule.Field("gifts", rule.Field("["+strconv.Itoa(i)+"]", rule.Field("amount", err)))
		}
		receive.Gifts = append(receive.Gifts, tape.Gift{ID: tape.ID(in.ID), Amount: amount, Donor: in.Donor, Reference: in.Reference})
		if i == 0 {
			receive.Total = money.New(0, amount.Currency)
		}
		if receive.Total, err = receive.Total.Add(amount); err != nil {
			return receive, nil, rule.Field("gifts", rule.Field("["+strconv.Itoa(i)+"]", rule.Field("amount", err)))
		}
	}
	argument, err := receive.Encode()
	if err != nil {
		return receive, nil, err
	}
	_, err = tape.DecodeReceive(argument)
	return receive, argument, err
}

// GiftsInput is a few gifts.
type GiftsInput struct {
	Writing
	Account string `path:"account"`
	Body    struct {
		Gifts []GiftInput `json:"gifts" minItems:"1" maxItems:"100"`
	}
}

func (s *Server) receiveGifts(ctx context.Context, in *GiftsInput) (*AcceptedList, error) {
	receive, _, err := giftsOf(in.Account, "gifts", in.Body.Gifts)
	if err != nil {
		return nil, err
	}
	if err := tape.AccountID(in.Account).Check(); err != nil {
		return nil, rule.Field("account", err)
	}
	all, err := s.Lanes.Gifts(ctx, in.Account, receive.Gifts)
	if err != nil {
		return nil, rule.Field("gifts", err)
	}
	return s.answerList(ctx, in.Prefer, outbox.Gift, all)
}

// PageInput is a page of gifts.
type PageInput struct {
	Writing
	Account string `path:"account"`
	Body    struct {
		ID    string      `json:"id" doc:"The page's id, of your choice."`
		Gifts []GiftInput `json:"gifts" minItems:"1" maxItems:"2000"`
	}
}

func (s *Server) receivePage(ctx context.Context, in *PageInput) (*Accepted, error) {
	_, argument, err := giftsOf(in.Account, in.Body.ID, in.Body.Gifts)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, "Tape:Receive", in.Prefer, argument)
}

// SettleInput names what is to be settled.
type SettleInput struct {
	Writing
	Account string `path:"account"`
	Body    struct {
		Items []ItemInput `json:"items" minItems:"1" maxItems:"500"`
	}
}

// ItemInput is one page or inflow and what it rests on.
type ItemInput struct {
	Source       string     `json:"source" doc:"A page's id, or an inflow's organisation/entry/index." minLength:"1"`
	Lines        *LinesName `json:"lines,omitempty"`
	Processor    string     `json:"processor,omitempty"`
	SelfDeclared bool       `json:"selfDeclared,omitempty"`
}

// LinesName names a page of statement lines.
type LinesName struct {
	N         int32  `json:"n" minimum:"0"`
	Statement string `json:"statement"`
}

func (s *Server) settle(ctx context.Context, in *SettleInput) (*AcceptedList, error) {
	items := make([]tape.SettleItem, len(in.Body.Items))
	for i, item := range in.Body.Items {
		items[i] = tape.SettleItem{Source: item.Source, Processor: tape.ID(item.Processor), SelfDeclared: item.SelfDeclared}
		if item.Lines != nil {
			items[i].Lines = &tape.LinesRef{N: item.Lines.N, Statement: tape.ID(item.Lines.Statement)}
		}
	}
	all, err := s.Lanes.Settle(ctx, in.Account, items)
	if err != nil {
		return nil, rule.Field("items", err)
	}
	return s.answerList(ctx, in.Prefer, outbox.Settlement, all)
}

// StatementInput is the head of a bank statement.
type StatementInput struct {
	Writing
	Body struct {
		ID       string           `json:"id"`
		Account  string           `json:"account" example:"outside:bank:sunrise-1"`
		Previous string           `json:"previous,omitempty"`
		From     string           `json:"from" example:"2024-09-01"`
		To       string           `json:"to" example:"2024-09-10"`
		Opening  string           `json:"opening" example:"0 VND"`
		Closing  string           `json:"closing"`
		Count    int32            `json:"count"`
		Pages    []LinesPageInput `json:"pages" minItems:"1" maxItems:"2000"`
	}
}

// LinesPageInput is the head of one page of lines.
type LinesPageInput struct {
	Side    string `json:"side" enum:"credit,debit"`
	Count   int32  `json:"count"`
	Total   string `json:"total"`
	Root    string `json:"root"`
	Matches string `json:"matches"`
}

func (s *Server) fileStatement(ctx context.Context, in *StatementInput) (*Accepted, error) {
	// The body has the ledger's own fields: its spelling is checked by reading it back.
	encoded, err := canonical.Encode(in.Body)
	if err != nil {
		return nil, err
	}
	var command tape.FileStatement
	if err := canonical.Decode(encoded, &command); err != nil {
		return nil, err
	}
	return s.submit(ctx, "Tape:FileStatement", in.Prefer, encoded)
}

// LinesInput is the body of one page of lines.
type LinesInput struct {
	Writing
	Account   string `path:"account"`
	Statement string `path:"statement"`
	Body      struct {
		ID    string      `json:"id"`
		N     int32       `json:"n" minimum:"0"`
		Lines []LineInput `json:"lines" minItems:"1" maxItems:"2000"`
	}
}

// LineInput is one line of a bank statement.
type LineInput struct {
	Number    int32  `json:"number" minimum:"1"`
	Date      string `json:"date" example:"2024-09-01"`
	Amount    string `json:"amount" example:"50000 VND"`
	Reference string `json:"reference,omitempty"`
}

func (s *Server) fileLines(ctx context.Context, in *LinesInput) (*Accepted, error) {
	command := tape.FileLines{Account: tape.AccountID(in.Account), ID: tape.ID(in.Body.ID), N: in.Body.N, Statement: tape.ID(in.Statement)}
	for i, line := range in.Body.Lines {
		amount, err := money.Parse(line.Amount)
		if err != nil {
			return nil, rule.Field("lines", rule.Field("["+strconv.Itoa(i)+"]", rule.Field("amount", err)))
		}
		command.Lines = append(command.Lines, tape.Line{Number: line.Number, Date: tape.Date(line.Date), Amount: amount, Reference: line.Reference})
	}
	argument, err := command.Encode()
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, "Tape:FileLines", in.Prefer, argument)
}

// CommandInput is a command as the contract takes it.
type CommandInput struct {
	Writing
	Contract string `path:"contract" example:"Tape"`
	Function string `path:"function" example:"Spend"`
	RawBody  []byte `contentType:"application/json"`
}

func (s *Server) command(ctx context.Context, in *CommandInput) (*Accepted, error) {
	return s.submit(ctx, in.Contract+":"+in.Function, in.Prefer, in.RawBody)
}

func (s *Server) submitRecord(ctx context.Context, function, prefer string, record any) (*Accepted, error) {
	argument, err := canonical.Encode(record)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, function, prefer, argument)
}

func (s *Server) submit(ctx context.Context, function, prefer string, argument []byte) (*Accepted, error) {
	status, err := s.Lanes.Submit(ctx, function, argument)
	if err != nil {
		return nil, err
	}
	if status, err = s.await(ctx, prefer, "", status); err != nil {
		return nil, err
	}
	return s.accepted(status, "")
}

// accepted answers for one thing: 201 when the ledger holds it, 202 while it
// does not, a problem when it was refused.
func (s *Server) accepted(status lane.Status, kind string) (*Accepted, error) {
	a := s.acceptance(status, kind)
	if a.Problem != nil {
		return nil, a.Problem
	}
	answer := &Accepted{Status: http.StatusAccepted, Location: a.Status, Position: a.Position, Body: a}
	if status.State == outbox.Done {
		answer.Status = http.StatusCreated
	}
	return answer, nil
}

func (s *Server) answerList(ctx context.Context, prefer, kind string, all []lane.Status) (*AcceptedList, error) {
	answer := &AcceptedList{Status: http.StatusCreated}
	var latest uint64
	for _, status := range all {
		status, err := s.await(ctx, prefer, kind, status)
		if err != nil {
			return nil, err
		}
		a := s.acceptance(status, kind)
		if a.Problem != nil && len(all) == 1 {
			return nil, a.Problem
		}
		if !status.State.Ended() {
			answer.Status = http.StatusAccepted
		}
		latest = max(latest, status.Block)
		answer.Body.Items = append(answer.Body.Items, a)
	}
	if latest > 0 {
		answer.Position = strconv.FormatUint(latest, 10)
	}
	return answer, nil
}

func (s *Server) acceptance(status lane.Status, kind string) Acceptance {
	a := Acceptance{ID: status.ID, Account: status.Account, Function: status.Function, State: string(status.State),
		Command: status.Command, Transaction: status.TransactionID, Trouble: status.Trouble, Status: "/api/v1/commands/" + url.PathEscape(status.ID)}
	switch kind {
	case outbox.Gift:
		a.Status = "/api/v1/accounts/" + url.PathEscape(status.Account) + "/gifts/" + url.PathEscape(status.ID)
	case outbox.Settlement:
		a.Status = "/api/v1/accounts/" + url.PathEscape(status.Account) + "/sources/" + url.PathEscape(status.ID)
	}
	if status.State == outbox.Done {
		a.Position = strconv.FormatUint(status.Block, 10)
		if kind == "" {
			a.Entry = status.Entry
		}
	}
	switch {
	case status.Refusal != nil:
		a.Problem = s.refusal(status.Refusal)
	case status.State == outbox.Failed:
		a.Problem = s.problem(unavailable, status.Trouble)
	}
	if a.Problem != nil {
		a.Problem.Transaction = status.TransactionID
	}
	return a
}

// await waits as long as the client prefers.
func (s *Server) await(ctx context.Context, prefer, kind string, status lane.Status) (lane.Status, error) {
	wait := waitOf(prefer)
	if wait == 0 || status.State.Ended() {
		return status, nil
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return s.Lanes.Await(ctx, status, kind, func(ctx context.Context) (lane.Status, bool, error) { return s.standing(ctx, kind, status) })
}

func (s *Server) standing(ctx context.Context, kind string, status lane.Status) (lane.Status, bool, error) {
	switch kind {
	case outbox.Gift:
		return s.Lanes.Gift(ctx, status.Account, status.ID)
	case outbox.Settlement:
		return s.Lanes.Settlement(ctx, status.Account, status.ID)
	}
	return s.Lanes.Command(ctx, status.ID)
}

var waitPreference = regexp.MustCompile(`(?:^|[,;\s])wait\s*=\s*"?(\d{1,4})"?(?:$|[,;\s])`)

// waitOf reads RFC 7240's wait=N; what cannot be read is, as a preference, ignored.
func waitOf(prefer string) time.Duration {
	found := waitPreference.FindStringSubmatch(prefer)
	if found == nil {
		return 0
	}
	seconds, err := strconv.Atoi(found[1])
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, waitMax)
}
