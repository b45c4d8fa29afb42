package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// How many rows parts of pages have.
const (
	homeRows     = 20
	feedRows     = 10
	campaignRows = 10
	listRows     = 50
)

func (p *portal) home(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	home := views.Home{Organisation: p.Organisation}
	accounts, err := p.Model.Accounts(ctx, readmodel.AccountFilter{}, readmodel.Window{Limit: homeRows})
	if err != nil {
		return nil, "", err
	}
	home.More = accounts.Next != ""
	if home.Accounts, err = p.accountRows(ctx, accounts.Items); err != nil {
		return nil, "", err
	}
	if home.Campaigns, err = p.campaignRows(ctx); err != nil {
		return nil, "", err
	}
	home.Feed, _, err = p.feed(ctx, readmodel.EntryFilter{}, readmodel.Window{Newest: true, Limit: feedRows})
	return home, "", err
}

// campaignRows are the accounts of which a campaign was filed.
func (p *portal) campaignRows(ctx context.Context) ([]views.AccountRow, error) {
	if p.Campaigns == nil {
		return nil, nil
	}
	ids, _, err := p.Campaigns.List(ctx, "", homeRows)
	if err != nil {
		return nil, err
	}
	var accounts []readmodel.Account
	for _, id := range ids {
		account, err := p.Model.Account(ctx, id)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return p.accountRows(ctx, accounts)
}

// facts are what was filed about a campaign, nil where nothing was.
func (p *portal) facts(ctx context.Context, id tape.AccountID) (*views.CampaignFacts, error) {
	if p.Campaigns == nil {
		return nil, nil
	}
	return p.Campaigns.Campaign(ctx, id)
}

func (p *portal) title(ctx context.Context, id tape.AccountID) (*views.Text, error) {
	if p.Campaigns == nil {
		return nil, nil
	}
	return p.Campaigns.Title(ctx, id)
}

func (p *portal) accountRows(ctx context.Context, accounts []readmodel.Account) ([]views.AccountRow, error) {
	var rows []views.AccountRow
	for _, a := range accounts {
		title, err := p.title(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		raised := a.Received
		if err := add(&raised, a.Pending); err != nil {
			return nil, err
		}
		rows = append(rows, views.AccountRow{ID: a.ID, Title: title, Organisation: a.Organisation, Raised: raised, Settled: a.Received, Ordered: a.Held, Spent: a.Spent})
	}
	return rows, nil
}

func (p *portal) accounts(r *http.Request) (views.Page, string, error) {
	list, err := p.Model.Accounts(r.Context(), readmodel.AccountFilter{}, window(r, listRows, false))
	if err != nil {
		return nil, "", err
	}
	rows, err := p.accountRows(r.Context(), list.Items)
	return views.Accounts{Rows: rows, Next: list.Next}, "", err
}

// feed is a part of the entries.
func (p *portal) feed(ctx context.Context, filter readmodel.EntryFilter, window readmodel.Window) ([]views.EntryRow, string, error) {
	list, err := p.Model.Entries(ctx, filter, window)
	if err != nil {
		return nil, "", err
	}
	var rows []views.EntryRow
	for _, entry := range list.Items {
		rows = append(rows, entryRow(entry))
	}
	return rows, list.Next, nil
}

func entryRow(e readmodel.Entry) views.EntryRow {
	row := views.EntryRow{Entry: e.Reference(), Kind: e.Kind, Subject: e.Subject, Date: e.BusinessDate, At: e.At, Block: e.Block}
	for i, posting := range e.Postings {
		if i == 0 {
			sum := money.New(0, posting.Amount.Currency)
			row.Amount = &sum
		}
		if add(row.Amount, posting.Amount) != nil {
			row.Amount = nil // several currencies have no sum
			break
		}
	}
	return row
}

func (p *portal) entries(r *http.Request) (views.Page, string, error) {
	page := views.Entries{Kinds: words.Keys["kind."]}
	var err error
	for name, into := range map[string]*string{"kind": &page.Kind, "organisation": &page.Organisation, "subject": &page.Subject} {
		if *into, err = textIn(r, name); err != nil {
			return nil, "", err
		}
	}
	page.Rows, page.Next, err = p.feed(r.Context(), readmodel.EntryFilter{Organisation: page.Organisation, Kind: page.Kind, Subject: page.Subject}, window(r, listRows, true))
	return page, "", err
}

func (p *portal) entry(r *http.Request) (views.Page, string, error) {
	organisation := r.PathValue("organisation")
	if err := tape.CheckSegment(organisation); err != nil {
		return nil, "", rule.Field("organisation", err)
	}
	id, err := idIn(r, "id")
	if err != nil {
		return nil, "", err
	}
	entry, err := p.Model.Entry(r.Context(), organisation, id)
	if err != nil {
		return nil, "", err
	}
	transaction, err := p.transactionOf(r.Context(), entry.Transaction)
	if err != nil {
		return nil, "", err
	}
	page := views.Entry{Entry: entry, Transaction: transaction, JSON: entry.Verbatim}
	if account := tape.AccountID(entry.Subject); account.Check() == nil {
		cited, err := p.citedFor(r.Context(), account, entry.Reference())
		if page.Cited, err = p.evidence(r, cited, err); err != nil {
			return nil, "", err
		}
	}
	return page, "", err
}

// transactionOf is a transaction, nil where it is not known.
func (p *portal) transactionOf(ctx context.Context, id string) (*readmodel.TransactionSummary, error) {
	if id == "" {
		return nil, nil
	}
	list, err := p.Model.Transactions(ctx, readmodel.TransactionFilter{ID: id}, readmodel.Window{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

func (p *portal) blocks(r *http.Request) (views.Page, string, error) {
	list, err := p.Model.Blocks(r.Context(), window(r, listRows, true))
	return views.Blocks{Rows: list.Items, Next: list.Next}, "", err
}

func (p *portal) block(r *http.Request) (views.Page, string, error) {
	number, err := numberIn(r, "number")
	if err != nil {
		return nil, "", err
	}
	block, err := p.Model.Block(r.Context(), number)
	if err != nil {
		return nil, "", err
	}
	list, err := p.Model.Transactions(r.Context(), readmodel.TransactionFilter{Block: &number}, window(r, listRows, false))
	if err != nil {
		return nil, "", err
	}
	position, err := p.Model.Position(r.Context())
	return views.Block{Block: block, Rows: list.Items, Next: list.Next, Last: number+1 >= position.Next}, "", err
}

func (p *portal) transactions(r *http.Request) (views.Page, string, error) {
	invalid := r.FormValue("show") == "invalid"
	list, err := p.Model.Transactions(r.Context(), readmodel.TransactionFilter{Invalid: invalid}, window(r, listRows, true))
	return views.Transactions{Invalid: invalid, Rows: list.Items, Next: list.Next}, "", err
}

func (p *portal) transaction(r *http.Request) (views.Page, string, error) {
	id := r.PathValue("id")
	found, err := p.transactionOf(r.Context(), id)
	if err != nil {
		return nil, "", err
	}
	if found == nil {
		return nil, "", rule.Refuse(rule.NotFound, "the transaction is not on the ledger")
	}
	page := views.Transaction{Transaction: *found}
	if !found.Valid || found.Function == "" {
		return page, "", nil
	}
	// The entry stands where its transaction stands: it is sought from both ends
	// of the ledger, as far as a page may read.
	for _, newest := range []bool{true, false} {
		if page.Entry, page.Far, err = p.entryOf(r.Context(), *found, newest); err != nil || !page.Far {
			break
		}
	}
	return page, "", err
}

// entryWindows is how many parts of the list of entries one page may read from one end.
const entryWindows = 5

// entryOf finds what a transaction wrote; far says that it is too far from this end of the ledger.
func (p *portal) entryOf(ctx context.Context, t readmodel.TransactionSummary, newest bool) (found *views.EntryRow, far bool, err error) {
	window := readmodel.Window{Newest: newest, Limit: windowMax}
	for range entryWindows {
		list, err := p.Model.Entries(ctx, readmodel.EntryFilter{}, window)
		if err != nil {
			return nil, false, err
		}
		for _, entry := range list.Items {
			if entry.Transaction == t.ID {
				row := entryRow(entry)
				return &row, false, nil
			}
			if newest && entry.Block < t.Block || !newest && entry.Block > t.Block {
				return nil, false, nil
			}
		}
		if window.After = list.Next; window.After == "" {
			return nil, false, nil
		}
	}
	return nil, true, nil
}

func (p *portal) settlements(r *http.Request) (views.Page, string, error) {
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	account, err := p.Model.Account(r.Context(), id)
	if err != nil {
		return nil, "", err
	}
	list, err := p.Model.Settlements(r.Context(), id, window(r, listRows, true))
	return views.Settlements{Account: id, Currency: account.Currency, Rows: list.Items, Next: list.Next}, "", err
}

func (p *portal) inflows(r *http.Request) (views.Page, string, error) {
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	if _, err := p.Model.Account(r.Context(), id); err != nil {
		return nil, "", err
	}
	waiting := r.FormValue("show") == "waiting"
	list, err := p.Model.Inflows(r.Context(), readmodel.InflowFilter{Account: id, Waiting: waiting}, window(r, listRows, true))
	return views.Inflows{Account: id, Waiting: waiting, Rows: list.Items, Next: list.Next}, "", err
}

func (p *portal) statements(r *http.Request) (views.Page, string, error) {
	account, err := optionalAccount(r, "account")
	if err != nil {
		return nil, "", err
	}
	list, err := p.Model.Statements(r.Context(), account, window(r, listRows, true))
	return views.Statements{Account: account, Rows: list.Items, Next: list.Next}, "", err
}

func (p *portal) statement(r *http.Request) (views.Page, string, error) {
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	id, err := idIn(r, "statement")
	if err != nil {
		return nil, "", err
	}
	statement, err := p.Model.Statement(r.Context(), account, id)
	if err != nil {
		return nil, "", err
	}
	lines, err := p.Model.Lines(r.Context(), readmodel.LineFilter{Account: account, Statement: id}, window(r, listRows, false))
	return views.Statement{Statement: statement, Lines: lines.Items, Next: lines.Next}, "", err
}

func (p *portal) status(r *http.Request) (views.Page, string, error) {
	page := views.Status{Organisation: p.Organisation, Neighbours: p.Neighbours}
	var err error
	if page.Position, err = p.Model.Position(r.Context()); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(r.Context(), heightWait)
	defer cancel()
	if page.Height, err = p.Height(ctx); err != nil {
		page.Unreachable = true
	}
	conserved, err := p.conservation(r.Context(), page.Position)
	if err != nil {
		return nil, "", err
	}
	page.Accounts, page.Tiled, page.Faults = conserved.Accounts, conserved.Tiled, conserved.Faults
	for _, b := range conserved.Currencies {
		amount := func(units int64) money.Amount { return money.New(units, b.Currency) }
		page.Balances = append(page.Balances, views.Balance{Outside: amount(b.Outside), Tapes: amount(b.Tapes), Waiting: amount(b.Waiting), Accruals: amount(b.Memos), Difference: amount(b.Difference)})
	}
	return page, "", nil
}

// conservation adds everything up once for each block: it is much to read, and anyone may ask.
func (p *portal) conservation(ctx context.Context, at readmodel.Position) (readmodel.Conservation, error) {
	p.conserving.Lock()
	defer p.conserving.Unlock()
	if p.conservedAt == at && at.Next > 0 {
		return p.conserved, nil
	}
	conserved, err := p.Model.Conservation(ctx)
	if err == nil {
		p.conserved, p.conservedAt = conserved, at
	}
	return conserved, err
}

// search sends the reader to the one thing found, or lists them.
func (p *portal) search(r *http.Request) (views.Page, string, error) {
	text, err := textIn(r, "q")
	if err != nil {
		return nil, "", err
	}
	page := views.Search{Query: strings.TrimSpace(text)}
	for _, look := range []func(context.Context, string) ([]views.Hit, error){p.findAccount, p.findEntry, p.findBlock, p.findTransaction, p.findGifts, p.findTitles} {
		if page.Query == "" {
			break
		}
		hits, err := look(r.Context(), page.Query)
		var refusal *rule.Refusal
		if err != nil && !errors.As(err, &refusal) {
			return nil, "", err
		}
		page.Hits = append(page.Hits, hits...)
	}
	if len(page.Hits) == 1 {
		return nil, page.Hits[0].Path, nil
	}
	return page, "", nil
}

func (p *portal) findAccount(ctx context.Context, text string) ([]views.Hit, error) {
	id := tape.AccountID(text)
	if err := id.Check(); err != nil {
		return nil, err
	}
	if id.Outside() {
		list, err := p.Model.Statements(ctx, id, readmodel.Window{Limit: 1})
		if err != nil || len(list.Items) == 0 {
			return nil, err
		}
		return []views.Hit{{Kind: "account", Title: text, Path: "/statements?account=" + text}}, nil
	}
	if _, err := p.Model.Account(ctx, id); err != nil {
		return nil, err
	}
	return []views.Hit{{Kind: "account", Title: text, Path: "/campaigns/" + text}}, nil
}

// findEntry reads organisation/id, and account/payout.
func (p *portal) findEntry(ctx context.Context, text string) ([]views.Hit, error) {
	first, id, found := strings.Cut(text, "/")
	if !found || tape.ID(id).Check() != nil {
		return nil, nil
	}
	if strings.Contains(first, ":") {
		if _, err := p.Model.Hold(ctx, tape.AccountID(first), tape.ID(id)); err != nil {
			return nil, err
		}
		return []views.Hit{{Kind: "payout", Title: text, Path: "/payouts/" + text}}, nil
	}
	if _, err := p.Model.Entry(ctx, first, tape.ID(id)); err != nil {
		return nil, err
	}
	return []views.Hit{{Kind: "entry", Title: text, Path: "/entries/" + text}}, nil
}

func (p *portal) findBlock(ctx context.Context, text string) ([]views.Hit, error) {
	number, err := blockNumber(text)
	if err != nil {
		return nil, err
	}
	if _, err := p.Model.Block(ctx, number); err != nil {
		return nil, err
	}
	return []views.Hit{{Kind: "block", Title: text, Path: "/blocks/" + text}}, nil
}

// idLength is that of a transaction's id in hexadecimal.
const idLength = 64

func (p *portal) findTransaction(ctx context.Context, text string) ([]views.Hit, error) {
	if len(text) < idLength || strings.ContainsAny(text, "/?#% ") {
		return nil, nil
	}
	found, err := p.transactionOf(ctx, text)
	if err != nil || found == nil {
		return nil, err
	}
	return []views.Hit{{Kind: "transaction", Title: text, Path: "/transactions/" + text}}, nil
}

func (p *portal) findGifts(ctx context.Context, text string) ([]views.Hit, error) {
	id := tape.ID(text)
	if err := id.Check(); err != nil {
		return nil, err
	}
	gifts, err := p.Model.FindGifts(ctx, id)
	if err != nil {
		return nil, err
	}
	var hits []views.Hit
	for _, gift := range gifts[:min(len(gifts), listRows)] {
		hits = append(hits, views.Hit{Kind: "gift", Title: text, Detail: words.Money(gift.Amount) + " · " + string(gift.Account),
			Path: "/gifts/" + text + "?account=" + string(gift.Account) + "&page=" + string(gift.Page)})
	}
	return hits, nil
}

// findTitles looks for campaigns by their names, in either language.
func (p *portal) findTitles(ctx context.Context, text string) ([]views.Hit, error) {
	if p.Campaigns == nil {
		return nil, nil
	}
	ids, _, err := p.Campaigns.List(ctx, "", windowMax)
	if err != nil {
		return nil, err
	}
	var hits []views.Hit
	for _, id := range ids {
		title, err := p.title(ctx, id)
		if err != nil {
			return nil, err
		}
		if title != nil && slices.ContainsFunc([]string{title.English, title.Chinese}, func(name string) bool {
			return strings.Contains(strings.ToLower(name), strings.ToLower(text))
		}) {
			hits = append(hits, views.Hit{Kind: "campaign", Title: title.English + " · " + title.Chinese, Path: "/campaigns/" + string(id)})
		}
	}
	return hits, nil
}
