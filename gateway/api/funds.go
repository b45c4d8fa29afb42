package api

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// fundReads are the fund trail: campaigns, what was decided about them, whom
// they paid, and what is published.
func (s *Server) fundReads() {
	m := s.Model
	get(s, "/api/v1/campaigns", "Campaigns", func(ctx context.Context, in *struct {
		Paging
		Organisation string `query:"organisation"`
		State        string `query:"state" enum:"draft,active,closed"`
		Parent       string `query:"parent" doc:"Grants and earmarks of this campaign."`
	}) (readmodel.List[readmodel.Campaign], error) {
		return m.Campaigns(ctx, readmodel.CampaignFilter{Organisation: in.Organisation, State: fund.State(in.State), Parent: tape.AccountID(in.Parent)}, in.window())
	})
	get(s, "/api/v1/campaigns/{account}", "A campaign: its sums, its budget, its disclosure clock", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) (disclosure.Sheet, error) {
		return disclosure.Of(ctx, m, tape.AccountID(in.Account), time.Now())
	})
	get(s, "/api/v1/campaigns/{account}/flows", "What flowed through an account, day by day", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) ([]readmodel.Flow, error) {
		return m.Flows(ctx, tape.AccountID(in.Account))
	})
	get(s, "/api/v1/campaigns/{account}/publications", "What was published about a campaign", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) ([]fund.Publication, error) {
		published, err := m.Publications(ctx, tape.AccountID(in.Account))
		return append([]fund.Publication{}, published...), err
	})
	get(s, "/api/v1/organisations/{organisation}/years", "An organisation's years and the law's ratios, computed from entries", func(ctx context.Context, in *struct {
		Reading
		Organisation string `path:"organisation"`
	}) ([]disclosure.Annual, error) {
		return disclosure.Annuals(ctx, m, in.Organisation, time.Now())
	})
	s.payeeReads()
	recordReads[fund.Invitation](s, "partners", "invited", "Partners who are or were invited to a campaign")
	recordReads[fund.Agent](s, "agents", "agent", "Agents of a campaign, with their caps and how many they serve")
	recordReads[fund.Pledge](s, "pledges", "pledge", "Pledges to a campaign: open, kept or cancelled")
	recordReads[fund.Goods](s, "goods", "goods", "Gifts in kind to a campaign, and how much of each was handed on")
	recordReads[fund.Cited](s, "citations", "cited", "Documents that were cited for something of a campaign")
	get(s, "/api/v1/disbursements", "Disbursements: proposed, approved, ordered, paid", func(ctx context.Context, in *struct {
		Paging
		Account string `query:"account"`
		ID      string `query:"id"`
		State   string `query:"state" enum:"proposed,rejected,ordered,closed,abandoned"`
		Line    string `query:"line"`
	}) (readmodel.List[readmodel.Disbursement], error) {
		return m.Disbursements(ctx, readmodel.DisbursementFilter{Account: tape.AccountID(in.Account), ID: tape.ID(in.ID),
			State: readmodel.DisbursementState(in.State), Line: tape.ID(in.Line)}, in.window())
	})
}

// recordReads reads the records of one kind of a campaign.
func recordReads[R any](s *Server, name, prefix, about string) {
	get(s, "/api/v1/campaigns/{account}/"+name, about, func(ctx context.Context, in *OfAccount) (readmodel.List[R], error) {
		if _, err := s.Model.Campaign(ctx, tape.AccountID(in.Account)); err != nil {
			return readmodel.List[R]{}, err
		}
		return readmodel.RecordsOf[R](ctx, s.Model, prefix+"/"+in.Account+"/", in.window())
	})
}

func (s *Server) payeeReads() {
	m := s.Model
	get(s, "/api/v1/campaigns/{account}/payees", "Whom a campaign may pay", func(ctx context.Context, in *struct {
		OfAccount
		Payee   string `query:"payee"`
		Agent   string `query:"agent"`
		Flagged bool   `query:"flagged"`
	}) (readmodel.List[readmodel.Payee], error) {
		return m.Payees(ctx, readmodel.PayeeFilter{Account: tape.AccountID(in.Account), Payee: tape.AccountID(in.Payee), Agent: tape.ID(in.Agent), Flagged: in.Flagged}, in.window())
	})
	get(s, "/api/v1/campaigns/{account}/suspicions", "Bank accounts, devices and agents behind several payees", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) ([]readmodel.Suspicion, error) {
		return m.Suspicions(ctx, tape.AccountID(in.Account))
	})
	get(s, "/api/v1/payouts", "Payouts with their receiver's word", func(ctx context.Context, in *struct {
		Paging
		Account      string `query:"account"`
		Payee        string `query:"payee"`
		ID           string `query:"id"`
		State        string `query:"state" enum:"open,captured,released,reclaimed"`
		Line         string `query:"line"`
		Outcome      string `query:"outcome" enum:"arrived,disputed,none"`
		Disbursement string `query:"disbursement"`
	}) (readmodel.List[readmodel.Payout], error) {
		return m.Payouts(ctx, readmodel.PayoutFilter{Account: tape.AccountID(in.Account), Payee: tape.AccountID(in.Payee), ID: tape.ID(in.ID),
			State: tape.HoldState(in.State), Line: tape.ID(in.Line), Outcome: in.Outcome, Disbursement: tape.ID(in.Disbursement)}, in.window())
	})
	get(s, "/api/v1/payouts/references", "What references in the memos of bank lines name", func(ctx context.Context, in *struct {
		Reading
		References []string `query:"reference" maxItems:"200" doc:"References of payouts or of files of payouts, with commas between."`
	}) ([]readmodel.Referenced, error) {
		references := make([]donation.PayoutReference, len(in.References))
		for i, text := range in.References {
			var err error
			if references[i], err = donation.ParsePayoutReference(text); err != nil {
				return nil, err
			}
		}
		return m.PayoutsByReference(ctx, references)
	})
}
