package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
)

// givingPath begins the routes about givers. Their answers are given anew each
// time and never kept beside an idempotency key: they hold codes, and each of
// these requests can be sent twice without harm.
const givingPath = "/api/v1/giving/"

// MemosInput asks whose bank lines are.
type MemosInput struct {
	Body struct {
		Memos []giving.Memo `json:"memos" minItems:"1" maxItems:"5000"`
	}
}

// ClaimsOutput answers in the order asked.
type ClaimsOutput struct {
	Body struct {
		Claims []giving.Claim `json:"claims"`
	}
}

// TakingsInput says which lines became gifts of announcements.
type TakingsInput struct {
	Body struct {
		Takings []giving.Taking `json:"takings" minItems:"1" maxItems:"5000"`
	}
}

// Noted answers that something stands in the store.
type Noted struct {
	Body struct {
		Noted int `json:"noted"`
	}
}

func noted(count int, err error) (*Noted, error) {
	out := new(Noted)
	out.Body.Noted = count
	return out, err
}

// AnnounceInput announces a gift for somebody, such as at a counter.
type AnnounceInput struct {
	Body struct {
		Attempt string `json:"attempt" doc:"32 random hexadecimal digits; the same attempt is one announcement."`
		Account string `json:"account"`
		Amount  string `json:"amount" example:"100.00 CNY"`
		Name    string `json:"name,omitempty" doc:"Empty for an anonymous gift. It stays in the charity's own store."`
		Publish bool   `json:"publish,omitempty" doc:"Whether the name may be published."`
		Waived  bool   `json:"waived,omitempty" doc:"Whether the giver wants no receipt: the charity keeps a record in its place. An anonymous giver has none to waive."`
	}
}

// AnnounceOutput holds the code, which is told this once.
type AnnounceOutput struct {
	Body struct {
		Code      string             `json:"code"`
		Reference donation.Reference `json:"reference" doc:"For the transfer's memo."`
		Account   tape.AccountID     `json:"account"`
		Amount    money.Amount       `json:"amount"`
		PayTo     string             `json:"payTo"`
	}
}

// CodeInput names a gift by its code: in the body, so that it stands in no address.
type CodeInput struct {
	Body struct {
		Code string `json:"code"`
	}
}

// CodeOutput is what staff learn about a code: for what, not from whom.
type CodeOutput struct {
	Body struct {
		Account tape.AccountID `json:"account"`
		Amount  money.Amount   `json:"amount"`
		Gifts   []giving.Use   `json:"gifts"`
	}
}

// AttachInput says that money which nobody had claimed is the gift of a code.
type AttachInput struct {
	Body struct {
		Code    string `json:"code"`
		Account string `json:"account" doc:"The account of unidentified money."`
		Gift    string `json:"gift"`
		Page    string `json:"page"`
	}
}

func (s *Server) givingRoutes() {
	desk(s, "claims", "Whose bank lines are, by the references in their memos", http.StatusOK, s.claims)
	desk(s, "takings", "Which of those lines became gifts", http.StatusOK, s.takings)
	desk(s, "announcements", "Announce a gift and get its code", http.StatusCreated, s.announce)
	desk(s, "codes", "What a gift code was announced for", http.StatusOK, s.code)
	desk(s, "attachments", "Give money that somebody has claimed to its code", http.StatusOK, s.attach)
}

// desk registers a route that needs the charity's store.
func desk[I, O any](s *Server, name, summary string, status int, handler func(context.Context, *I) (*O, error)) {
	post(s, givingPath+name, summary, bodyBytesMax, func(ctx context.Context, in *I) (*O, error) {
		if s.Giving == nil {
			return nil, rule.Refuse(rule.NotFound, "%s keeps no announcements of gifts", s.Organisation)
		}
		return handler(ctx, in)
	}, func(o *huma.Operation) { o.DefaultStatus = status })
}

func (s *Server) claims(_ context.Context, in *MemosInput) (*ClaimsOutput, error) {
	out := new(ClaimsOutput)
	var err error
	out.Body.Claims, err = s.Giving.Claims(in.Body.Memos)
	return out, err
}

func (s *Server) takings(_ context.Context, in *TakingsInput) (*Noted, error) {
	return noted(len(in.Body.Takings), s.Giving.Take(in.Body.Takings))
}

func (s *Server) announce(ctx context.Context, in *AnnounceInput) (*AnnounceOutput, error) {
	b := in.Body
	amount, err := money.Parse(b.Amount)
	if err != nil {
		return nil, rule.Field("amount", err)
	}
	ask := giving.Ask{Attempt: b.Attempt, Account: tape.AccountID(b.Account), Amount: amount, Publish: b.Publish, Donor: donation.Donor{Kind: donation.Named, Name: b.Name}}
	switch {
	case b.Name == "" && b.Waived:
		return nil, rule.Field("waived", rule.Refuse(rule.Invalid, "an anonymous giver has no receipt to waive"))
	case b.Name == "":
		ask.Donor.Kind = donation.Anonymous
	case b.Waived:
		ask.Donor.Kind = donation.Waived
	}
	made, code, campaign, err := s.Giving.Accept(ctx, ask)
	if err != nil {
		return nil, err
	}
	out := new(AnnounceOutput)
	out.Body.Code, out.Body.Reference, out.Body.Account, out.Body.Amount, out.Body.PayTo = code.String(), made.Reference, made.Account, made.Amount, campaign.Pay
	return out, nil
}

func (s *Server) code(_ context.Context, in *CodeInput) (*CodeOutput, error) {
	found, err := s.Giving.Find(in.Body.Code)
	if err != nil {
		return nil, err
	}
	out := new(CodeOutput)
	out.Body.Account, out.Body.Amount, out.Body.Gifts = found.Account, found.Amount, append([]giving.Use{}, found.Uses...)
	return out, nil
}

func (s *Server) attach(ctx context.Context, in *AttachInput) (*Noted, error) {
	use := giving.Use{Account: tape.AccountID(in.Body.Account), Gift: tape.ID(in.Body.Gift), Page: tape.ID(in.Body.Page)}
	standing, err := s.Giving.Standing(ctx, use)
	if err != nil {
		return nil, err
	}
	if standing.Trace == nil {
		return nil, rule.Field("gift", rule.Refuse(rule.NotFound, "gift %s does not exist there", use.Gift))
	}
	return noted(1, s.Giving.Attach(in.Body.Code, use))
}
