package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// cooperativePath is where households' debts are read: with the organisation's
// token, by who has to do with them.
const cooperativePath = "/api/v1/cooperative/"

// closed reports whether a request needs a token.
func closed(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, cooperativePath)
}

// OfScheme is a list of one scheme.
type OfScheme struct {
	Paging
	Scheme string `path:"scheme" example:"coop:coop:coffee"`
	Day    string `query:"day" doc:"How things stand on this civil day; today when left out." example:"2026-03-31"`
}

// OneOfScheme is one thing of a scheme.
type OneOfScheme struct {
	Reading
	Scheme string `path:"scheme" example:"coop:coop:coffee"`
	Day    string `query:"day" doc:"How it stands on this civil day; today when left out." example:"2026-03-31"`
}

// onScheme reads about a scheme, for who has to do with it.
func onScheme[T any](ctx context.Context, s *Server, scheme, day string, read func(scheme tape.AccountID, day tape.Date) (T, error)) (T, error) {
	var none T
	account := tape.AccountID(scheme)
	if err := rule.Field("scheme", account.Check()); err != nil {
		return none, err
	}
	if err := cooperative.MayRead(ctx, s.Model, s.Organisation, account); err != nil {
		return none, err
	}
	on, err := s.day(ctx, "day", day)
	if err != nil {
		return none, err
	}
	return read(account, on)
}

// day is a civil day that was asked for, or today.
func (s *Server) day(ctx context.Context, name, text string) (tape.Date, error) {
	if text == "" {
		return cooperative.Today(ctx, s.Model, time.Now())
	}
	return tape.Date(text), rule.Field(name, tape.Date(text).Check())
}

func (s *Server) cooperativeReads() {
	m := s.Model
	get(s, cooperativePath+"schemes", "Schemes in which this organisation is the cooperative or a lender; a regulator's are all", func(ctx context.Context, _ *Reading) ([]cooperative.Scheme, error) {
		if cooperative.MaySupervise(ctx, m, s.Organisation) == nil {
			return cooperative.Schemes(ctx, m, "")
		}
		return cooperative.Schemes(ctx, m, s.Organisation)
	})
	get(s, cooperativePath+"schemes/{scheme}", "A scheme: terms in force, groups by state, products offered", func(ctx context.Context, in *OneOfScheme) (cooperative.Scheme, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, _ tape.Date) (cooperative.Scheme, error) {
			return cooperative.SchemeOf(ctx, m, scheme)
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/groups", "Groups: members, why frozen, agreement, exposure, calls", func(ctx context.Context, in *OfScheme) (readmodel.List[cooperative.Group], error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (readmodel.List[cooperative.Group], error) {
			return cooperative.Groups(ctx, m, scheme, day, in.window())
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/groups/{group}", "One group", func(ctx context.Context, in *struct {
		OneOfScheme
		Group string `path:"group"`
	}) (cooperative.Group, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (cooperative.Group, error) {
			return cooperative.GroupOf(ctx, m, scheme, tape.ID(in.Group), day)
		})
	})
	s.loanReads()
	s.householdReads()
	s.settlementReads()
	s.poolReads()
	s.bookReads()
}

func (s *Server) loanReads() {
	m := s.Model
	get(s, cooperativePath+"portfolio", "What a lender, or a scheme's households, have on loan: classes, portfolio at risk, write-offs, what falls due next", func(ctx context.Context, in *struct {
		Reading
		Lender string `query:"lender" doc:"Whose parts of loans; whole loans of a scheme when left out."`
		Scheme string `query:"scheme"`
		Day    string `query:"day"`
		Next   int32  `query:"next" minimum:"0" maximum:"366" doc:"For how many days ahead dues are listed."`
	}) (cooperative.Portfolio, error) {
		if err := s.mayAsk(ctx, in.Lender, tape.AccountID(in.Scheme)); err != nil {
			return cooperative.Portfolio{}, err
		}
		day, err := s.day(ctx, "day", in.Day)
		if err != nil {
			return cooperative.Portfolio{}, err
		}
		return cooperative.PortfolioOf(ctx, m, cooperative.Asked{Lender: in.Lender, Scheme: tape.AccountID(in.Scheme), Day: day, NextDays: in.Next})
	})
	get(s, cooperativePath+"schemes/{scheme}/loans", "Loans as they stand on a day", func(ctx context.Context, in *struct {
		OfScheme
		Household   string `query:"household"`
		Group       string `query:"group"`
		Lender      string `query:"lender"`
		State       string `query:"state" enum:"applied,referred,approved,refused,withdrawn,contracted,running,closed"`
		Outstanding bool   `query:"outstanding" doc:"Only what is contracted and not over."`
	}) (readmodel.List[cooperative.Line], error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (readmodel.List[cooperative.Line], error) {
			return cooperative.Loans(ctx, m, readmodel.LoanFilter{Scheme: scheme, Household: tape.AccountID(in.Household), Group: tape.ID(in.Group), Lender: in.Lender, State: loan.State(in.State), Outstanding: in.Outstanding}, day, in.window())
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/loans/{loan}", "One loan: terms, schedule with what is paid, what is owed, guarantors, orders, notices, calls", func(ctx context.Context, in *struct {
		OneOfScheme
		Loan string `path:"loan"`
	}) (cooperative.Loan, error) {
		day, err := s.ofLoan(ctx, in.Scheme, in.Loan, in.Day)
		if err != nil {
			return cooperative.Loan{}, err
		}
		return cooperative.LoanOf(ctx, m, tape.AccountID(in.Scheme), tape.ID(in.Loan), day)
	})
	get(s, cooperativePath+"schemes/{scheme}/loans/{loan}/letters", "The notices about a loan as they are printed: for borrower, guarantors and cooperative", func(ctx context.Context, in *struct {
		OneOfScheme
		Loan     string `path:"loan"`
		Language string `query:"language" enum:"zh-CN,en" doc:"zh-CN when left out."`
	}) ([]cooperative.Letter, error) {
		if _, err := s.ofLoan(ctx, in.Scheme, in.Loan, in.Day); err != nil {
			return nil, err
		}
		language := in.Language
		if language == "" {
			language = cooperative.Languages()[0]
		}
		return cooperative.LettersOf(ctx, m, tape.AccountID(in.Scheme), tape.ID(in.Loan), language)
	})
	s.arrearsReads()
}

func (s *Server) arrearsReads() {
	m := s.Model
	get(s, cooperativePath+"schemes/{scheme}/arrears", "Loans of which something is overdue, the longest first", func(ctx context.Context, in *struct {
		OneOfScheme
		Lender string `query:"lender"`
	}) ([]cooperative.Line, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) ([]cooperative.Line, error) {
			return cooperative.Arrears(ctx, m, readmodel.LoanFilter{Scheme: scheme, Lender: in.Lender}, day)
		})
	})
}

// mayAsk judges who asks for a portfolio.
func (s *Server) mayAsk(ctx context.Context, lender string, scheme tape.AccountID) error {
	switch {
	case lender != "":
		return cooperative.MayReadLender(ctx, s.Model, s.Organisation, lender)
	case scheme != "":
		return cooperative.MayRead(ctx, s.Model, s.Organisation, scheme)
	}
	return cooperative.MaySupervise(ctx, s.Model, s.Organisation)
}

// ofLoan judges who asks for a loan, and for which day.
func (s *Server) ofLoan(ctx context.Context, scheme, id, day string) (tape.Date, error) {
	if err := rule.First(rule.Field("scheme", tape.AccountID(scheme).Check()), rule.Field("loan", tape.ID(id).Check())); err != nil {
		return "", err
	}
	if err := cooperative.MayReadLoan(ctx, s.Model, s.Organisation, tape.AccountID(scheme), tape.ID(id)); err != nil {
		return "", err
	}
	return s.day(ctx, "day", day)
}

func (s *Server) householdReads() {
	m := s.Model
	get(s, cooperativePath+"schemes/{scheme}/households", "Households that a scheme admitted", func(ctx context.Context, in *struct {
		OfScheme
		Agent string `query:"agent"`
	}) (readmodel.List[readmodel.Member], error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, _ tape.Date) (readmodel.List[readmodel.Member], error) {
			return m.Members(ctx, readmodel.MemberFilter{Scheme: scheme, Agent: tape.ID(in.Agent)}, in.window())
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/households/{household}", "One household: loans, guarantees, calls and recourse, deliveries, shares of sales, scores with reasons", func(ctx context.Context, in *struct {
		OneOfScheme
		Household string `path:"household"`
	}) (cooperative.Household, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (cooperative.Household, error) {
			return cooperative.HouseholdOf(ctx, m, scheme, tape.AccountID(in.Household), day)
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/households/{household}/statement", "A household's statement for a period: opening, entries, closing of each loan, deliveries, shares of sales", func(ctx context.Context, in *struct {
		OneOfScheme
		Household string `path:"household"`
		From      string `query:"from" required:"true" example:"2026-01-01"`
		To        string `query:"to" required:"true" example:"2026-03-31"`
	}) (cooperative.Statement, error) {
		return onScheme(ctx, s, in.Scheme, "", func(scheme tape.AccountID, _ tape.Date) (cooperative.Statement, error) {
			return cooperative.StatementOf(ctx, m, scheme, tape.AccountID(in.Household), tape.Date(in.From), tape.Date(in.To))
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/calls", "Calls of guarantors, with each one's clock", func(ctx context.Context, in *struct {
		OfScheme
		Loan string `query:"loan"`
	}) (readmodel.List[cooperative.Call], error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (readmodel.List[cooperative.Call], error) {
			return cooperative.Calls(ctx, m, scheme, tape.ID(in.Loan), day, in.window())
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/flags", "Where loans of several households meet: one payee of a group, one invoice, one place", func(ctx context.Context, in *struct {
		OneOfScheme
		Since string `query:"since" doc:"From this day on; the last 90 days when left out."`
	}) (cooperative.Flags, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, day tape.Date) (cooperative.Flags, error) {
			since := day.AddDays(-flagDays)
			if in.Since != "" {
				since = tape.Date(in.Since)
			}
			if err := rule.Field("since", since.Check()); err != nil {
				return cooperative.Flags{}, err
			}
			return cooperative.FlagsOf(ctx, m, scheme, since)
		})
	})
}

// flagDays is how far back flags are looked for where nobody says.
const flagDays = 90

func (s *Server) settlementReads() {
	m := s.Model
	get(s, cooperativePath+"schemes/{scheme}/settlements", "Settlements of sales", func(ctx context.Context, in *OfScheme) (readmodel.List[settlement.Settlement], error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, _ tape.Date) (readmodel.List[settlement.Settlement], error) {
			return cooperative.Settlements(ctx, m, scheme, in.window())
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/settlements/{sale}", "The settlement of a sale: what went where, chunk by chunk, and whether it is the sale to the unit", func(ctx context.Context, in *struct {
		OneOfScheme
		Sale string `path:"sale"`
	}) (cooperative.Settlement, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, _ tape.Date) (cooperative.Settlement, error) {
			return cooperative.SettlementOf(ctx, m, scheme, tape.ID(in.Sale))
		})
	})
	get(s, cooperativePath+"schemes/{scheme}/settlements/{sale}/chunks/{n}", "What became of each household's share in one chunk of a settlement", func(ctx context.Context, in *struct {
		OneOfScheme
		Sale string `path:"sale"`
		N    int32  `path:"n" minimum:"0"`
	}) ([]cooperative.Share, error) {
		return onScheme(ctx, s, in.Scheme, in.Day, func(scheme tape.AccountID, _ tape.Date) ([]cooperative.Share, error) {
			return cooperative.Shares(ctx, m, scheme, tape.ID(in.Sale), in.N)
		})
	})
}

func (s *Server) poolReads() {
	m := s.Model
	get(s, cooperativePath+"pools", "Compensation pools", func(ctx context.Context, _ *Reading) ([]pool.Pool, error) { return cooperative.Pools(ctx, m) })
	get(s, cooperativePath+"pools/{account}", "A pool: balance, terms and tiers, lenders' quarters, claims by state, recoveries", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) (cooperative.Pool, error) {
		if err := cooperative.MayReadPool(ctx, m, s.Organisation, tape.AccountID(in.Account)); err != nil {
			return cooperative.Pool{}, err
		}
		return cooperative.PoolOf(ctx, m, tape.AccountID(in.Account))
	})
	get(s, cooperativePath+"pools/{account}/claims", "Claims on a pool", func(ctx context.Context, in *OfAccount) (readmodel.List[pool.Claim], error) {
		if err := cooperative.MayReadPool(ctx, m, s.Organisation, tape.AccountID(in.Account)); err != nil {
			return readmodel.List[pool.Claim]{}, err
		}
		return cooperative.Claims(ctx, m, tape.AccountID(in.Account), in.window())
	})
}

func (s *Server) bookReads() {
	m := s.Model
	get(s, cooperativePath+"agents", "What village agents did: what each signed and what the keys in its hands signed, by service station", func(ctx context.Context, _ *Reading) ([]cooperative.Agent, error) {
		if cooperative.MaySupervise(ctx, m, s.Organisation) == nil {
			return cooperative.Agents(ctx, m, "")
		}
		return cooperative.Agents(ctx, m, s.Organisation)
	})
	get(s, cooperativePath+"trial-balance", "What moved on every account in a period, with accruals; all sums are zero", func(ctx context.Context, in *struct {
		Reading
		Organisation string `query:"organisation" doc:"Whose accounts stand one by one; this organisation's when left out, all of them for a regulator."`
		From         string `query:"from" required:"true" example:"2026-03-01"`
		To           string `query:"to" required:"true" example:"2026-03-31"`
	}) (cooperative.TrialBalance, error) {
		organisation := in.Organisation
		if organisation == "" && cooperative.MaySupervise(ctx, m, s.Organisation) != nil {
			organisation = s.Organisation
		}
		if err := cooperative.MayReadBooks(ctx, m, s.Organisation, organisation); err != nil {
			return cooperative.TrialBalance{}, err
		}
		return cooperative.TrialBalanceOf(ctx, m, organisation, tape.Date(in.From), tape.Date(in.To))
	})
	get(s, cooperativePath+"months", "The months of an organisation's books, the latest first: which run, which have ended, which are closed, by which entry", func(ctx context.Context, in *struct {
		Reading
		Organisation string `query:"organisation" doc:"Whose books; this organisation's when left out."`
	}) ([]cooperative.MonthLine, error) {
		organisation, today, err := s.booksOf(ctx, in.Organisation)
		if err != nil {
			return nil, err
		}
		return cooperative.Months(ctx, m, organisation, today)
	})
	get(s, cooperativePath+"months/{month}", "A month of an organisation's books, reckoned now; of a closed one whether it is what was closed", func(ctx context.Context, in *struct {
		Reading
		Organisation string `query:"organisation" doc:"Whose books; this organisation's when left out."`
		Month        string `path:"month" example:"2026-03"`
	}) (cooperative.Month, error) {
		organisation, today, err := s.booksOf(ctx, in.Organisation)
		if err != nil {
			return cooperative.Month{}, err
		}
		return cooperative.MonthOf(ctx, m, organisation, bookkeeping.Month(in.Month), today)
	})
	get(s, cooperativePath+"quarters/{quarter}", "A regulator's figures at a quarter's end: lenders' classes, portfolio at risk, non-performing with write-offs added back, groups, calls, pools", func(ctx context.Context, in *struct {
		Reading
		Quarter string `path:"quarter" doc:"The quarter's last day." example:"2026-03-31"`
	}) (cooperative.QuarterFigures, error) {
		if err := cooperative.MaySupervise(ctx, m, s.Organisation); err != nil {
			return cooperative.QuarterFigures{}, err
		}
		return cooperative.QuarterOf(ctx, m, tape.Date(in.Quarter))
	})
	s.mux.HandleFunc("GET "+cooperativePath+"quarters/{quarter}/exports/quarter.csv", s.quarter)
}

// booksOf is whose books are asked for, by who may read them, and today.
func (s *Server) booksOf(ctx context.Context, organisation string) (string, tape.Date, error) {
	if organisation == "" {
		organisation = s.Organisation
	}
	if err := cooperative.MayReadBooks(ctx, s.Model, s.Organisation, organisation); err != nil {
		return "", "", err
	}
	today, err := s.day(ctx, "day", "")
	return organisation, today, err
}

// quarter answers with a quarter's figures as a table.
func (s *Server) quarter(w http.ResponseWriter, r *http.Request) {
	if err := cooperative.MaySupervise(r.Context(), s.Model, s.Organisation); err != nil {
		s.write(w, s.fail(err))
		return
	}
	figures, err := cooperative.QuarterOf(r.Context(), s.Model, tape.Date(r.PathValue("quarter")))
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	s.file(w, r, tape.AccountID("quarter-"+r.PathValue("quarter")), "quarter.csv", "text/csv; charset=utf-8", func(out io.Writer) error { return figures.Write(out) })
}

// describeQuarter adds the table, which is served beside the library.
func describeQuarter(description *huma.OpenAPI) {
	description.AddOperation(&huma.Operation{OperationID: "get-cooperative-quarters-csv", Method: http.MethodGet, Path: cooperativePath + "quarters/{quarter}/exports/quarter.csv", Tags: []string{"read"},
		Summary:    "A regulator's figures at a quarter's end as a table: quarter, of whom, figure, currency, value",
		Parameters: []*huma.Param{{Name: "quarter", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Description: "The quarter's last day.", Examples: []any{"2026-03-31"}}}},
		Responses:  map[string]*huma.Response{"200": {Description: "The whole file", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}})
	for path, item := range description.Paths {
		if strings.HasPrefix(path, cooperativePath) {
			item.Get.Security = []map[string][]string{{"token": {}}}
		}
	}
}
