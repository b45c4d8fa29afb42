package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// Tape is the contract of accounts and money.
type Tape struct{ contractapi.Contract }

// account loads the ground, an account, and whatever else the rule reads.
func (t *transaction) account(id tape.ID, account tape.AccountID, keys ...string) (tape.Account, error) {
	if err := t.ground(id, append(keys, tape.AccountKey(account))...); err != nil {
		return tape.Account{}, err
	}
	return need[tape.Account](t, tape.AccountKey(account), "account "+account.String())
}

// withHead is account for a command that moves the account's head.
func (t *transaction) withHead(id tape.ID, account tape.AccountID, keys ...string) (tape.Account, tape.Head, error) {
	found, err := t.account(id, account, append(keys, tape.HeadKey(account))...)
	if err != nil {
		return found, tape.Head{}, err
	}
	head, err := need[tape.Head](t, tape.HeadKey(account), "the head of "+account.String())
	return found, head, err
}

func (t *transaction) changeHead(before, after tape.Head) {
	t.change(tape.HeadKey(after.Account), before, after)
}

// payees are the accounts that a batch pays, nil where none is open.
func (t *transaction) payees(accounts []tape.AccountID) []*tape.Account {
	found := make([]*tape.Account, len(accounts))
	for i, account := range accounts {
		found[i] = read[tape.Account](t, tape.AccountKey(account))
	}
	return found
}

func accountKeys(accounts []tape.AccountID) []string {
	keys := make([]string, len(accounts))
	for i, account := range accounts {
		keys[i] = tape.AccountKey(account)
	}
	return keys
}

func payeesOf(payments []tape.Payment) []tape.AccountID {
	accounts := make([]tape.AccountID, len(payments))
	for i, payment := range payments {
		accounts[i] = payment.To
	}
	return accounts
}

func (t *transaction) saveInflows(inflows []tape.Inflow) {
	for _, inflow := range inflows {
		t.save(tape.InflowKey(inflow.Account, inflow.Source), inflow)
	}
}

// openHolds saves new holds, which only their owner's endorsement can change.
// Their keys were loaded: the money of a hold that was written over would be lost.
func (t *transaction) openHolds(owner string, holds []tape.Hold) error {
	for _, hold := range holds {
		if err := t.absent(tape.HoldKey(hold.Account, hold.ID), "hold "+hold.ID.String()); err != nil {
			return err
		}
	}
	t.saveHolds(owner, holds)
	return nil
}

// saveHolds saves holds under names that cannot be taken: tape.ChunkHold.
func (t *transaction) saveHolds(owner string, holds []tape.Hold) {
	for _, hold := range holds {
		key := tape.HoldKey(hold.Account, hold.ID)
		t.change(key, nil, hold)
		t.protect(key, owner)
	}
}

// Open opens an account with an empty tape.
func (*Tape) Open(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Open], func(t *transaction, c tape.Open) (tape.Entry, error) {
		if err := t.ground(c.ID, openKeys(c)...); err != nil {
			return tape.Entry{}, err
		}
		return t.open(c)
	})
}

func openKeys(c tape.Open) []string {
	return []string{tape.BankAccountKey(c.Custodian), tape.AccountKey(c.Account), tape.AccountKey(c.Unidentified), tape.AccountKey(c.OwnFunds)}
}

// open opens an account; its ground and openKeys were loaded.
func (t *transaction) open(c tape.Open) (tape.Entry, error) {
	if err := t.absent(tape.AccountKey(c.Account), "account "+c.Account.String()); err != nil {
		return tape.Entry{}, err
	}
	related := [2]*tape.Account{}
	for i, id := range []tape.AccountID{c.Unidentified, c.OwnFunds} {
		if id == "" {
			continue
		}
		account, err := need[tape.Account](t, tape.AccountKey(id), "account "+id.String())
		if err != nil {
			return tape.Entry{}, err
		}
		related[i] = &account
	}
	account, head, entry, err := c.Apply(related[0], related[1], t.context)
	if err != nil {
		return tape.Entry{}, err
	}
	bank := tape.BankAccountKey(c.Custodian)
	known := read[tape.BankAccount](t, bank)
	holder, err := c.Holder(known, t.context)
	if err != nil {
		return tape.Entry{}, err
	}
	if known == nil { // an account on a bank account in use writes nothing that another one reads
		t.save(bank, holder)
	}
	t.save(tape.AccountKey(account.ID), account)
	t.change(tape.HeadKey(account.ID), nil, head)
	t.protect(tape.HeadKey(account.ID), account.Organisation)
	return entry, nil
}

// Receive writes a page of pending gifts.
func (*Tape) Receive(ctx Context, argument string) (string, error) {
	return run(ctx, argument, tape.DecodeReceive, func(t *transaction, c tape.Receive) (tape.Entry, error) {
		key := tape.PageKey(c.Account, c.ID)
		account, err := t.account(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "page "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		page, entry, err := account.Receive(c, t.context)
		t.save(key, page)
		return entry, err
	})
}

// FileStatement files the head of a bank statement.
func (*Tape) FileStatement(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.FileStatement], func(t *transaction, c tape.FileStatement) (tape.Entry, error) {
		last, key := tape.StatementsKey(c.Account), tape.StatementKey(c.Account, c.ID)
		if err := t.ground(c.ID, last, key); err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "statement "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		before := tape.Statements{}
		if stored := read[tape.Statements](t, last); stored != nil {
			before = *stored
		}
		after, statement, entry, err := before.File(c, t.context)
		t.save(last, after)
		t.save(key, statement)
		return entry, err
	})
}

// FileLines files the body of one page of a statement.
func (*Tape) FileLines(ctx Context, argument string) (string, error) {
	return run(ctx, argument, tape.DecodeFileLines, func(t *transaction, c tape.FileLines) (tape.Entry, error) {
		head, key := tape.StatementKey(c.Account, c.Statement), tape.LinesKey(c.Account, c.Statement, c.N)
		if err := t.ground(c.ID, head, key); err != nil {
			return tape.Entry{}, err
		}
		statement, err := need[tape.Statement](t, head, "statement "+c.Statement.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "this page of statement "+c.Statement.String()); err != nil {
			return tape.Entry{}, err
		}
		lines, entry, err := statement.FileLines(c, t.context)
		t.save(key, lines)
		return entry, err
	})
}

// FileProcessor files a payment processor's file for one page of gifts.
func (*Tape) FileProcessor(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.FileProcessor], func(t *transaction, c tape.FileProcessor) (tape.Entry, error) {
		key, pageKey, settledKey := tape.ProcessorKey(c.Account, c.Page), tape.PageKey(c.Account, c.Page), tape.SettledKey(c.Account, string(c.Page))
		account, err := t.account(c.ID, c.Account, key, pageKey, settledKey)
		if err != nil {
			return tape.Entry{}, err
		}
		lines, used, err := t.lines(account, c.Line.Statement, c.Line.N)
		if err != nil {
			return tape.Entry{}, err
		}
		processor, used, entry, err := account.FileProcessor(c, read[tape.Page](t, pageKey), read[tape.Settled](t, settledKey), read[tape.Processor](t, key), lines, used, t.context)
		t.save(key, processor)
		t.save(tape.UsedKey(lines.Account, lines.Statement, lines.N), used)
		return entry, err
	})
}

// lines loads a page of statement lines of the account's bank account, and which of them are used.
func (t *transaction) lines(account tape.Account, statement tape.ID, n int32) (tape.Lines, tape.Used, error) {
	linesKey, usedKey := tape.LinesKey(account.Custodian, statement, n), tape.UsedKey(account.Custodian, statement, n)
	if err := t.load(linesKey, usedKey); err != nil {
		return tape.Lines{}, tape.Used{}, err
	}
	used := tape.Used{}
	if stored := read[tape.Used](t, usedKey); stored != nil {
		used = *stored
	}
	lines, err := need[tape.Lines](t, linesKey, "that page of statement "+statement.String())
	return lines, used, err
}

// Settle gives pages and inflows their spans.
func (*Tape) Settle(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Settle], func(t *transaction, c tape.Settle) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.withHead(c.ID, c.Account, c.Keys()...)
		if err != nil {
			return tape.Entry{}, err
		}
		sources, err := t.sources(account, c)
		if err != nil {
			return tape.Entry{}, err
		}
		after, result, entry, err := head.Settle(account, c, sources, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		t.saveSettlements(result.Settlements...)
		for i := range result.Settlements {
			if used := result.Used[i]; used != nil {
				ref := c.Items[i].Lines
				t.save(tape.UsedKey(account.Custodian, ref.Statement, ref.N), *used)
			}
		}
		return entry, nil
	})
}

// saveSettlements writes each with the mark that its source settles no second time.
func (t *transaction) saveSettlements(settlements ...tape.Settlement) {
	t.settlements = settlements
	for _, settlement := range settlements {
		t.save(tape.SettlementKey(settlement.Account, settlement.N), settlement)
		t.save(tape.SettledKey(settlement.Account, settlement.Source), tape.Settled{V: 1, N: settlement.N})
	}
}

// loadSources loads what is known only by what the items name: lines of the bank,
// and the accounts that inflows come from.
func (t *transaction) loadSources(account tape.Account, c tape.Settle) error {
	var keys []string
	for _, item := range c.Items {
		if ref := item.Lines; ref != nil {
			keys = append(keys, tape.LinesKey(account.Custodian, ref.Statement, ref.N), tape.UsedKey(account.Custodian, ref.Statement, ref.N))
		}
		if !item.Inflow() {
			continue
		}
		if inflow := read[tape.Inflow](t, tape.InflowKey(c.Account, item.Source)); inflow != nil {
			keys = append(keys, tape.AccountKey(inflow.From))
		}
	}
	return t.load(keys...)
}

// sources are what the items name, as far as it is there.
func (t *transaction) sources(account tape.Account, c tape.Settle) ([]tape.Source, error) {
	if err := t.loadSources(account, c); err != nil {
		return nil, err
	}
	sources := make([]tape.Source, len(c.Items))
	for i, item := range c.Items {
		source := &sources[i]
		if item.Inflow() {
			if source.Inflow = read[tape.Inflow](t, tape.InflowKey(c.Account, item.Source)); source.Inflow != nil {
				source.From = read[tape.Account](t, tape.AccountKey(source.Inflow.From))
			}
		} else {
			source.Page = read[tape.Page](t, tape.PageKey(c.Account, tape.ID(item.Source)))
			source.Processor = read[tape.Processor](t, tape.ProcessorKey(c.Account, tape.ID(item.Source)))
		}
		source.Settled = read[tape.Settled](t, tape.SettledKey(c.Account, item.Source))
		if ref := item.Lines; ref != nil {
			source.Lines = read[tape.Lines](t, tape.LinesKey(account.Custodian, ref.Statement, ref.N))
			if used := read[tape.Used](t, tape.UsedKey(account.Custodian, ref.Statement, ref.N)); used != nil {
				source.Used = *used
			}
		}
	}
	return sources, nil
}

// Match splits a page into the gifts that the bank's lines show and the rest.
func (*Tape) Match(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Match], func(t *transaction, c tape.Match) (tape.Entry, error) {
		pageKey, settledKey, processorKey := tape.PageKey(c.Account, c.Page), tape.SettledKey(c.Account, string(c.Page)), tape.ProcessorKey(c.Account, c.Page)
		made := []tape.ID{c.Page + tape.MatchedSuffix, c.Page + tape.UnmatchedSuffix}
		account, err := t.account(c.ID, c.Account, pageKey, settledKey, processorKey, tape.PageKey(c.Account, made[0]), tape.PageKey(c.Account, made[1]))
		if err != nil {
			return tape.Entry{}, err
		}
		page, err := need[tape.Page](t, pageKey, "page "+c.Page.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		lines, used, err := t.lines(account, c.Lines[0].Statement, c.Lines[0].N)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.pagesAbsent(c.Account, made); err != nil {
			return tape.Entry{}, err
		}
		matched, rest, after, entry, err := account.Match(c, page, read[tape.Settled](t, settledKey), read[tape.Processor](t, processorKey), lines, used, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(tape.PageKey(account.ID, matched.ID), *matched)
		if rest != nil {
			t.save(tape.PageKey(account.ID, rest.ID), *rest)
		}
		t.save(settledKey, tape.Settled{V: 1})
		t.save(tape.UsedKey(lines.Account, lines.Statement, lines.N), after)
		return entry, nil
	})
}

// pagesAbsent refuses names of pages that are taken: they are the client's to
// choose, and a page that was received, or has settled, is not written over.
func (t *transaction) pagesAbsent(account tape.AccountID, pages []tape.ID) error {
	for _, id := range pages {
		if err := t.absent(tape.PageKey(account, id), "page "+id.String()); err != nil {
			return err
		}
	}
	return nil
}

// ReceiveUnidentified puts bank lines that no gift has claimed on a page.
func (*Tape) ReceiveUnidentified(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.ReceiveUnidentified], func(t *transaction, c tape.ReceiveUnidentified) (tape.Entry, error) {
		key := tape.PageKey(c.Account, c.ID)
		account, err := t.account(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "page "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		lines, used, err := t.lines(account, c.Statement, c.N)
		if err != nil {
			return tape.Entry{}, err
		}
		page, after, entry, err := account.ReceiveUnidentified(c, lines, used, t.context)
		t.save(key, page)
		t.save(tape.UsedKey(lines.Account, lines.Statement, lines.N), after)
		return entry, err
	})
}

// Withdraw ends a page of gifts whose money never came.
func (*Tape) Withdraw(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Withdraw, intents []intent) (tape.Entry, error) {
		pageKey, settledKey, processorKey := tape.PageKey(c.Account, c.Page), tape.SettledKey(c.Account, string(c.Page)), tape.ProcessorKey(c.Account, c.Page)
		account, err := t.account(c.ID, c.Account, pageKey, settledKey, processorKey)
		if err != nil {
			return tape.Entry{}, err
		}
		page, err := need[tape.Page](t, pageKey, "page "+c.Page.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("withdraw", account, page.Total, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		settled, entry, err := account.Withdraw(c, page, read[tape.Settled](t, settledKey), read[tape.Processor](t, processorKey), t.context)
		t.save(settledKey, settled)
		return entry, err
	})
}

// Memo records accruals, which balance and have no place on a tape.
func (*Tape) Memo(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Memo, intents []intent) (tape.Entry, error) {
		named := c.Named()
		account, err := t.account(c.ID, c.Account, accountKeys(named)...)
		if err != nil {
			return tape.Entry{}, err
		}
		total, err := c.Total(account.Currency)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("memo", account, total, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		return account.Memo(c, t.payees(named), t.context)
	})
}

// RunChunk pays one chunk of a job.
func (*Tape) RunChunk(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.RunChunk], func(t *transaction, c tape.RunChunk) (tape.Entry, error) {
		account, err := t.account(c.ID, c.Account, chunkKeys(c)...)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.runChunk(account, c)
	})
}

func chunkKeys(c tape.RunChunk) []string {
	return append(accountKeys(payeesOf(c.Lines)), tape.JobKey(c.Account, c.Job), tape.ChunkKey(c.Account, c.Job, c.N))
}

// runChunk pays one chunk; chunkKeys were loaded.
func (t *transaction) runChunk(account tape.Account, c tape.RunChunk) (tape.Entry, error) {
	chunkKey := tape.ChunkKey(c.Account, c.Job, c.N)
	job, err := need[tape.Job](t, tape.JobKey(c.Account, c.Job), "job "+c.Job.String())
	if err != nil {
		return tape.Entry{}, err
	}
	ran, entry, err := job.Run(account, c, read[tape.Chunk](t, chunkKey), t.payees(payeesOf(c.Lines)), t.context)
	if err != nil {
		return tape.Entry{}, err
	}
	t.change(chunkKey, nil, ran.Chunk)
	t.saveInflows(ran.Inflows)
	t.saveHolds(account.Organisation, ran.Holds)
	return entry, nil
}

// CloseJob ends a job.
func (*Tape) CloseJob(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.CloseJob], func(t *transaction, c tape.CloseJob) (tape.Entry, error) {
		account, err := t.account(c.ID, c.Account, closeKeys(c)...)
		if err != nil {
			return tape.Entry{}, err
		}
		_, entry, err := t.closeJob(account, c)
		return entry, err
	})
}

// closeKeys are the job and, to abandon it, the head: a job that has run needs
// no head, and must not wait for one.
func closeKeys(c tape.CloseJob) []string {
	if c.Abandon {
		return []string{tape.JobKey(c.Account, c.Job), tape.HeadKey(c.Account)}
	}
	return []string{tape.JobKey(c.Account, c.Job)}
}

// closeJob ends a job; closeKeys were loaded.
func (t *transaction) closeJob(account tape.Account, c tape.CloseJob) (tape.Job, tape.Entry, error) {
	head, err := tape.Head{V: 1, Account: c.Account}, error(nil)
	if c.Abandon {
		if head, err = need[tape.Head](t, tape.HeadKey(c.Account), "the head of "+c.Account.String()); err != nil {
			return tape.Job{}, tape.Entry{}, err
		}
	}
	key := tape.JobKey(c.Account, c.Job)
	job, err := need[tape.Job](t, key, "job "+c.Job.String())
	if err != nil {
		return tape.Job{}, tape.Entry{}, err
	}
	chunks, err := t.chunks(job)
	if err != nil {
		return tape.Job{}, tape.Entry{}, err
	}
	after, headAfter, entry, err := job.Close(account, head, c, chunks, t.context)
	if err != nil {
		return tape.Job{}, tape.Entry{}, err
	}
	t.change(key, job, after)
	if after.State == tape.JobAbandoned {
		t.changeHead(head, headAfter)
	}
	return after, entry, nil
}

// chunks are those of a job that have run.
func (t *transaction) chunks(job tape.Job) ([]tape.Chunk, error) {
	keys := make([]string, job.Chunks)
	for n := range keys {
		keys[n] = tape.ChunkKey(job.Account, job.ID, int32(n))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	var ran []tape.Chunk
	for _, key := range keys {
		if chunk := read[tape.Chunk](t, key); chunk != nil {
			ran = append(ran, *chunk)
		}
	}
	return ran, nil
}
