package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Reading is what every read may carry.
type Reading struct {
	Position    string `header:"Lianbao-Position" doc:"Wait until this block has been read."`
	IfNoneMatch string `header:"If-None-Match"`
}

// Paging asks for one part of a list.
type Paging struct {
	Reading
	Limit  int    `query:"limit" minimum:"0" maximum:"1000" doc:"The most items wanted; 50 when left out."`
	After  string `query:"after" doc:"The next of the part before."`
	Newest bool   `query:"newest" doc:"Newest first, where the order is that of the ledger."`
}

func (p Paging) window() readmodel.Window {
	return readmodel.Window{After: p.After, Limit: p.Limit, Newest: p.Newest}
}

// Found answers a read.
type Found[T any] struct{ Body T }

func get[I, T any](s *Server, path, summary string, handler func(context.Context, *I) (T, error)) {
	huma.Register(s.api, huma.Operation{OperationID: operationID("get", path), Method: http.MethodGet, Path: path, Summary: summary,
		Tags: []string{"read"}, Errors: []int{404, 422, 503}},
		func(ctx context.Context, input *I) (*Found[T], error) {
			value, err := handler(ctx, input)
			if err != nil {
				return nil, s.fail(err)
			}
			return &Found[T]{Body: value}, nil
		})
}

func (s *Server) routes() {
	s.writes()
	s.accountReads()
	s.giftReads()
	s.fundReads()
	s.publicationRoutes()
	s.givingRoutes()
	s.exportRoutes()
	s.harvestReads()
	s.cooperativeReads()
	s.documentRoutes()
	s.personalRoutes()
	s.ledgerReads()
	s.statusReads()
}

// OfAccount is a list of one account.
type OfAccount struct {
	Paging
	Account string `path:"account"`
}

func (s *Server) accountReads() {
	m := s.Model
	get(s, "/api/v1/accounts", "Accounts and where their money is", func(ctx context.Context, in *struct {
		Paging
		Organisation string `query:"organisation"`
		Currency     string `query:"currency"`
	}) (readmodel.List[readmodel.Account], error) {
		return m.Accounts(ctx, readmodel.AccountFilter{Organisation: in.Organisation, Currency: money.Currency(in.Currency)}, in.window())
	})
	get(s, "/api/v1/accounts/{account}", "One account", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) (readmodel.Account, error) {
		return m.Account(ctx, tape.AccountID(in.Account))
	})
	get(s, "/api/v1/accounts/{account}/pages", "Pages of gifts", func(ctx context.Context, in *struct {
		OfAccount
		State string `query:"state" enum:"pending,settled,split,withdrawn"`
	}) (readmodel.List[readmodel.GiftPage], error) {
		return m.Pages(ctx, readmodel.PageFilter{Account: tape.AccountID(in.Account), State: readmodel.PageState(in.State)}, in.window())
	})
	get(s, "/api/v1/accounts/{account}/pages/{page}/processor", "The payment processor's file of a page: its gifts' total, the fee, and the bank line", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
		Page    string `path:"page"`
	}) (tape.Processor, error) {
		var file tape.Processor
		record, err := m.Record(ctx, tape.ProcessorKey(tape.AccountID(in.Account), tape.ID(in.Page)))
		if err != nil {
			return file, err
		}
		return file, json.Unmarshal(record.Value, &file)
	})
	get(s, "/api/v1/accounts/{account}/processors", "Payment processors' files, by their pages: total, fee, bank line", func(ctx context.Context, in *OfAccount) (readmodel.List[tape.Processor], error) {
		return m.Processors(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/accounts/{account}/reversals", "Gifts that were refunded, charged back, returned or moved", func(ctx context.Context, in *OfAccount) (readmodel.List[readmodel.Reversal], error) {
		return m.Reversals(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/accounts/{account}/gifts", "Gifts", func(ctx context.Context, in *struct {
		OfAccount
		Page string `query:"page"`
	}) (readmodel.List[readmodel.Gift], error) {
		return m.Gifts(ctx, readmodel.GiftFilter{Account: tape.AccountID(in.Account), Page: tape.ID(in.Page)}, in.window())
	})
	get(s, "/api/v1/accounts/{account}/settlements", "Settlements, numbered and chained", func(ctx context.Context, in *OfAccount) (readmodel.List[readmodel.Settlement], error) {
		return m.Settlements(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/accounts/{account}/holds", "Payouts that were ordered", func(ctx context.Context, in *struct {
		OfAccount
		State string `query:"state" enum:"open,captured,released,reclaimed"`
	}) (readmodel.List[readmodel.Payout], error) {
		return m.Payouts(ctx, readmodel.PayoutFilter{Account: tape.AccountID(in.Account), State: tape.HoldState(in.State)}, in.window())
	})
	s.accountFlows()
}

func (s *Server) accountFlows() {
	m := s.Model
	get(s, "/api/v1/accounts/{account}/inflows", "Money from other accounts", func(ctx context.Context, in *struct {
		OfAccount
		Waiting bool `query:"waiting"`
	}) (readmodel.List[readmodel.Inflow], error) {
		return m.Inflows(ctx, readmodel.InflowFilter{Account: tape.AccountID(in.Account), Waiting: in.Waiting}, in.window())
	})
	get(s, "/api/v1/accounts/{account}/postings", "Postings from and to an account", func(ctx context.Context, in *OfAccount) (readmodel.List[readmodel.Posting], error) {
		return m.Postings(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/accounts/{account}/jobs", "Jobs", func(ctx context.Context, in *OfAccount) (readmodel.List[readmodel.Job], error) {
		return m.Jobs(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/accounts/{account}/origin", "What a span is made of, back to the gifts", func(ctx context.Context, in *struct {
		OfAccount
		Span string `query:"span" required:"true" example:"500000..510000"`
	}) (readmodel.Back, error) {
		span, err := spanOf(in.Span)
		if err != nil {
			return readmodel.Back{}, err
		}
		return m.TraceBack(ctx, tape.AccountID(in.Account), span, in.window())
	})
	get(s, "/api/v1/accounts/{account}/trace", "What became of a span", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
		Span    string `query:"span" required:"true" example:"500000..510000"`
	}) (readmodel.Node, error) {
		span, err := spanOf(in.Span)
		if err != nil {
			return readmodel.Node{}, err
		}
		return m.TraceSpan(ctx, tape.AccountID(in.Account), span)
	})
}

func spanOf(text string) (span tape.Span, err error) {
	err = span.UnmarshalText([]byte(text))
	return span, rule.Field("span", err)
}

// GiftName names a gift; account, page and index tell apart gifts that share an id.
type GiftName struct {
	Reading
	Gift    string `path:"gift"`
	Account string `query:"account"`
	Page    string `query:"page"`
}

func (s *Server) giftReads() {
	get(s, "/api/v1/gifts/{gift}", "One gift", func(ctx context.Context, in *GiftName) (readmodel.Gift, error) { return s.gift(ctx, in) })
	get(s, "/api/v1/gifts/{gift}/trace", "What became of a gift, to the unit", func(ctx context.Context, in *GiftName) (readmodel.Trace, error) {
		gift, err := s.gift(ctx, in)
		if err != nil {
			return readmodel.Trace{}, err
		}
		return s.Model.TraceGift(ctx, readmodel.GiftAt{Account: gift.Account, Page: gift.Page, Index: gift.Index})
	})
}

// gift finds the one gift that a name means.
func (s *Server) gift(ctx context.Context, in *GiftName) (readmodel.Gift, error) {
	all, err := s.Model.FindGifts(ctx, tape.ID(in.Gift))
	if err != nil {
		return readmodel.Gift{}, err
	}
	var found []readmodel.Gift
	for _, gift := range all {
		if (in.Account == "" || in.Account == string(gift.Account)) && (in.Page == "" || gift.On(tape.ID(in.Page))) {
			found = append(found, gift)
		}
	}
	switch len(found) {
	case 0:
		return readmodel.Gift{}, rule.Refuse(rule.NotFound, "gift %s does not exist there", in.Gift)
	case 1:
		return found[0], nil
	}
	return readmodel.Gift{}, rule.Refuse(rule.Conflict, "%d gifts are called %s, such as one on page %s of %s; add account and page", len(found), in.Gift, found[0].Page, found[0].Account)
}

func (s *Server) ledgerReads() {
	m := s.Model
	get(s, "/api/v1/entries", "Entries in the order of the ledger", func(ctx context.Context, in *struct {
		Paging
		Organisation string `query:"organisation"`
		Kind         string `query:"kind"`
		Subject      string `query:"subject"`
	}) (readmodel.List[readmodel.Entry], error) {
		return m.Entries(ctx, readmodel.EntryFilter{Organisation: in.Organisation, Kind: in.Kind, Subject: in.Subject}, in.window())
	})
	get(s, "/api/v1/entries/{organisation}/{id}", "One entry", func(ctx context.Context, in *struct {
		Reading
		Organisation string `path:"organisation"`
		ID           string `path:"id"`
	}) (readmodel.Entry, error) {
		return m.Entry(ctx, in.Organisation, tape.ID(in.ID))
	})
	get(s, "/api/v1/blocks", "Blocks", func(ctx context.Context, in *Paging) (readmodel.List[readmodel.BlockSummary], error) {
		return m.Blocks(ctx, in.window())
	})
	get(s, "/api/v1/transactions", "Transactions, also those that did not count", func(ctx context.Context, in *struct {
		Paging
		ID      string `query:"id"`
		Block   string `query:"block"`
		Invalid bool   `query:"invalid"`
	}) (readmodel.List[readmodel.TransactionSummary], error) {
		filter := readmodel.TransactionFilter{ID: in.ID, Invalid: in.Invalid}
		if in.Block != "" {
			block, err := strconv.ParseUint(in.Block, 10, 63)
			if err != nil {
				return readmodel.List[readmodel.TransactionSummary]{}, rule.Field("block", rule.Refuse(rule.Invalid, "is not a block's number"))
			}
			filter.Block = &block
		}
		return m.Transactions(ctx, filter, in.window())
	})
	s.statementReads()
}

func (s *Server) statementReads() {
	m := s.Model
	get(s, "/api/v1/statements", "Bank statements", func(ctx context.Context, in *struct {
		Paging
		Account string `query:"account"`
	}) (readmodel.List[readmodel.Statement], error) {
		return m.Statements(ctx, tape.AccountID(in.Account), in.window())
	})
	get(s, "/api/v1/statements/{account}/{statement}", "One bank statement", func(ctx context.Context, in *struct {
		Reading
		Account   string `path:"account"`
		Statement string `path:"statement"`
	}) (readmodel.Statement, error) {
		return m.Statement(ctx, tape.AccountID(in.Account), tape.ID(in.Statement))
	})
	get(s, "/api/v1/statements/{account}/{statement}/lines", "Filed lines of a statement", func(ctx context.Context, in *struct {
		OfAccount
		Statement string `path:"statement"`
		N         string `query:"n" doc:"Only those of page n, counted from 0."`
	}) (readmodel.List[readmodel.Line], error) {
		filter := readmodel.LineFilter{Account: tape.AccountID(in.Account), Statement: tape.ID(in.Statement)}
		if in.N != "" {
			n, err := strconv.ParseInt(in.N, 10, 32)
			if err != nil || n < 0 {
				return readmodel.List[readmodel.Line]{}, rule.Field("n", rule.Refuse(rule.Invalid, "is not a page's number"))
			}
			page := int32(n)
			filter.N = &page
		}
		return m.Lines(ctx, filter, in.window())
	})
	get(s, "/api/v1/open-lines", "Lines of the bank that nothing rests on yet: no gift, no payout, no processor's file", func(ctx context.Context, in *struct {
		Paging
		Account string `query:"account" doc:"A bank account."`
		Side    string `query:"side" enum:"credit,debit"`
		Amount  string `query:"amount" doc:"Only lines of this amount, such as 100.00 CNY."`
	}) (readmodel.List[readmodel.Line], error) {
		filter := readmodel.OpenLineFilter{Account: tape.AccountID(in.Account), Side: tape.Side(in.Side)}
		if in.Amount != "" {
			amount, err := money.Parse(in.Amount)
			if err != nil {
				return readmodel.List[readmodel.Line]{}, rule.Field("amount", err)
			}
			filter.Amount = &amount
		}
		return m.OpenLines(ctx, filter, in.window())
	})
	get(s, "/api/v1/statements/{account}/{statement}/lines/{number}", "The line of a statement that has a number", func(ctx context.Context, in *struct {
		Reading
		Account   string `path:"account"`
		Statement string `path:"statement"`
		Number    int32  `path:"number"`
	}) (readmodel.Line, error) {
		return m.Numbered(ctx, tape.AccountID(in.Account), tape.ID(in.Statement), in.Number)
	})
	s.otherReads()
}

func (s *Server) otherReads() {
	m := s.Model
	get(s, "/api/v1/persons", "Persons who sign, with their keys and who holds them", func(ctx context.Context, in *struct {
		Paging
		Organisation string `query:"organisation"`
		Witness      string `query:"witness" doc:"An organisation: those whose key waits for its witness."`
		Brought      string `query:"brought" doc:"An organisation: those whose key it brought and that waits for another's witness."`
	}) (readmodel.List[readmodel.Person], error) {
		return m.Persons(ctx, readmodel.PersonFilter{Organisation: in.Organisation, Witness: in.Witness, Brought: in.Brought}, in.window())
	})
	get(s, "/api/v1/records", "Other records of the ledger, by the beginning of their key", func(ctx context.Context, in *struct {
		Paging
		Prefix string `query:"prefix"`
	}) (readmodel.List[readmodel.Record], error) {
		return m.Records(ctx, in.Prefix, in.window())
	})
	get(s, "/api/v1/conservation", "Whether no unit is missing and none is doubled", func(ctx context.Context, _ *Reading) (readmodel.Conservation, error) {
		return m.Conservation(ctx)
	})
}

// Standing asks how something that was sent stands.
type Standing struct {
	Reading
	Prefer string `header:"Prefer" example:"wait=10"`
}

func (s *Server) statusReads() {
	get(s, "/api/v1/commands/{id}", "How a command stands", func(ctx context.Context, in *struct {
		Standing
		ID string `path:"id"`
	}) (Acceptance, error) {
		return s.stands(ctx, in.Prefer, "", lane.Status{ID: in.ID})
	})
	get(s, "/api/v1/accounts/{account}/gifts/{gift}", "How a gift that was sent to this gateway stands", func(ctx context.Context, in *struct {
		Standing
		Account string `path:"account"`
		Gift    string `path:"gift"`
	}) (Acceptance, error) {
		return s.stands(ctx, in.Prefer, outbox.Gift, lane.Status{Account: in.Account, ID: in.Gift})
	})
	get(s, "/api/v1/accounts/{account}/sources/{source}", "How the settlement of a page or inflow stands", func(ctx context.Context, in *struct {
		Standing
		Account string `path:"account"`
		Source  string `path:"source"`
	}) (Acceptance, error) {
		return s.stands(ctx, in.Prefer, outbox.Settlement, lane.Status{Account: in.Account, ID: in.Source})
	})
	get(s, "/api/v1/gateway", "Whose gateway this is, and where the others are", func(ctx context.Context, _ *Reading) (About, error) {
		position, err := s.Model.Position(ctx)
		return About{Organisation: s.Organisation, Position: position, Neighbours: s.Neighbours}, err
	})
}

// About says whose gateway answers.
type About struct {
	Organisation string             `json:"organisation"`
	Position     readmodel.Position `json:"position"`
	Neighbours   []Neighbour        `json:"neighbours"`
}

func (s *Server) stands(ctx context.Context, prefer, kind string, name lane.Status) (Acceptance, error) {
	status, found, err := s.standing(ctx, kind, name)
	if err == nil && !found {
		err = rule.Refuse(rule.NotFound, "%s was not sent to this gateway, or long ago; look in /api/v1/entries", name.ID)
	}
	if err == nil {
		status, err = s.await(ctx, prefer, kind, status)
	}
	return s.acceptance(status, kind), err
}
