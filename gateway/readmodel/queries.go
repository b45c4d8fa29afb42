package readmodel

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Blocks lists blocks in their order.
func (m *Model) Blocks(ctx context.Context, window Window) (List[BlockSummary], error) {
	q := query{list: "blocks", key: "number", columns: "hash, previous, at, transactions, valid", from: "blocks"}
	return read(ctx, m, window, q, blockOf)
}

func blockOf(scan func(...any) error, key any) (BlockSummary, error) {
	var b BlockSummary
	var hash, previous []byte
	err := scan(key, &hash, &previous, &b.At, &b.Transactions, &b.Valid)
	b.Number = uint64(*key.(*int64))
	b.Hash, b.PreviousHash = hex.EncodeToString(hash), hex.EncodeToString(previous)
	return b, err
}

// Block returns one block.
func (m *Model) Block(ctx context.Context, number uint64) (BlockSummary, error) {
	q := query{list: "block", key: "number", columns: "hash, previous, at, transactions, valid", from: "blocks",
		conditions: []string{"number = ?"}, arguments: []any{int64(number)}}
	list, err := read(ctx, m, Window{}, q, blockOf)
	return one(list, err, "block %d", number)
}

// TransactionFilter chooses transactions; empty fields choose all.
type TransactionFilter struct {
	ID string
	// Block, when not nil, is the block they are in.
	Block *uint64
	// Invalid leaves out the valid ones.
	Invalid bool
}

// Transactions lists transactions, also invalid ones, in ledger order.
func (m *Model) Transactions(ctx context.Context, filter TransactionFilter, window Window) (List[TransactionSummary], error) {
	q := query{list: "transactions", key: "ordinal", columns: "id, valid, code, function, creator, endorsers, at, bytes", from: "transactions"}
	q.where("id = ?", filter.ID)
	if filter.Block != nil {
		first, err := ordinalOf(*filter.Block, 0, 0)
		if err != nil {
			return List[TransactionSummary]{}, err
		}
		q.conditions = append(q.conditions, "ordinal BETWEEN ? AND ?")
		q.arguments = append(q.arguments, int64(first), int64(first)|(1<<(indexBits+itemBits)-1))
	}
	if filter.Invalid {
		q.conditions = append(q.conditions, "valid = 0")
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (TransactionSummary, error) {
		var t TransactionSummary
		var endorsers []byte
		if err := scan(key, &t.ID, &t.Valid, &t.Code, &t.Function, &t.Creator, &endorsers, &t.At, &t.ArgumentBytes); err != nil {
			return t, err
		}
		at := ordinal(*key.(*int64))
		t.Block, t.Index = at.block(), int(at>>itemBits)&(1<<indexBits-1)
		return t, json.Unmarshal(endorsers, &t.Endorsers)
	})
}

// EntryFilter chooses entries; empty fields choose all.
type EntryFilter struct {
	Organisation, Kind string
	// Subject is the account, person or proposal that the command was about.
	Subject string
}

const entryColumns = "body, coalesce((SELECT id FROM transactions WHERE transactions.ordinal = entries.ordinal), '')"

// Entries lists entries in ledger order.
func (m *Model) Entries(ctx context.Context, filter EntryFilter, window Window) (List[Entry], error) {
	q := query{list: "entries", key: "ordinal", columns: entryColumns, from: "entries"}
	q.where("organisation = ?", filter.Organisation)
	q.where("kind = ?", filter.Kind)
	q.where("subject = ?", filter.Subject)
	return read(ctx, m, window, q, entryOf)
}

// Entry returns one entry.
func (m *Model) Entry(ctx context.Context, organisation string, id tape.ID) (Entry, error) {
	q := query{list: "entry", key: "ordinal", columns: entryColumns, from: "entries",
		conditions: []string{"organisation = ?", "id = ?"}, arguments: []any{organisation, string(id)}}
	list, err := read(ctx, m, Window{}, q, entryOf)
	return one(list, err, "entry %s/%s", organisation, id)
}

func entryOf(scan func(...any) error, key any) (Entry, error) {
	var e Entry
	var body []byte
	if err := scan(key, &body, &e.Transaction); err != nil {
		return e, err
	}
	e.Block, e.Verbatim = ordinal(*key.(*int64)).block(), body
	return e, json.Unmarshal(body, &e.Entry)
}

// Postings lists the postings from and to an account, in ledger order.
func (m *Model) Postings(ctx context.Context, account tape.AccountID, window Window) (List[Posting], error) {
	return m.PostingsSince(ctx, account, 0, window)
}

// PostingsSince leaves out what came before a block: whoever has added up
// everything before it need not read that again.
func (m *Model) PostingsSince(ctx context.Context, account tape.AccountID, block uint64, window Window) (List[Posting], error) {
	first, err := ordinalOf(block, 0, 0)
	if err != nil {
		return List[Posting]{}, err
	}
	q := query{list: "postings", key: "postings.ordinal", columns: "postings.body, entries.organisation || '/' || entries.id, entries.kind, entries.business_date",
		from:       "postings JOIN entries ON entries.ordinal = postings.ordinal & ~65535",
		conditions: []string{"postings.ordinal IN (SELECT ordinal FROM postings WHERE from_account = ? AND ordinal >= ? UNION SELECT ordinal FROM postings WHERE to_account = ? AND ordinal >= ?)"},
		arguments:  []any{string(account), int64(first), string(account), int64(first)}}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Posting, error) {
		var p Posting
		var body []byte
		if err := scan(key, &body, &p.Entry, &p.Kind, &p.Date); err != nil {
			return p, err
		}
		p.Block = ordinal(*key.(*int64)).block()
		return p, json.Unmarshal(body, &p.Posting)
	})
}

// AccountFilter chooses accounts; empty fields choose all.
type AccountFilter struct {
	Organisation string
	Currency     money.Currency
}

const accountColumns = "ordinal, body, received, free, held, pending"

// Accounts lists accounts by name.
func (m *Model) Accounts(ctx context.Context, filter AccountFilter, window Window) (List[Account], error) {
	q := query{list: "accounts", key: "id", named: true, columns: accountColumns, from: "accounts"}
	q.where("organisation = ?", filter.Organisation)
	q.where("currency = ?", string(filter.Currency))
	return read(ctx, m, window, q, accountOf)
}

// Account returns one account.
func (m *Model) Account(ctx context.Context, id tape.AccountID) (Account, error) {
	q := query{list: "account", key: "id", named: true, columns: accountColumns, from: "accounts"}
	q.conditions, q.arguments = []string{"id = ?"}, []any{string(id)}
	list, err := read(ctx, m, Window{}, q, accountOf)
	return one(list, err, "account %s", id)
}

// Head returns the head of an account, by which the rules judge.
func (m *Model) Head(ctx context.Context, account tape.AccountID) (head tape.Head, err error) {
	err = m.view(ctx, func(s *session) error {
		var body []byte
		found, err := s.get(ctx, "SELECT head FROM accounts WHERE id = ?", []any{string(account)}, &body)
		if err != nil || !found {
			return orMissing(err, "account %s", account)
		}
		return json.Unmarshal(body, &head)
	})
	return head, err
}

func accountOf(scan func(...any) error, key any) (Account, error) {
	var a Account
	var at ordinal
	var body []byte
	var received, free, held, pending int64
	if err := scan(key, &at, &body, &received, &free, &held, &pending); err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a.Account); err != nil {
		return a, err
	}
	a.Block = at.block()
	a.Received, a.Free = money.New(received, a.Currency), money.New(free, a.Currency)
	a.Held, a.Spent = money.New(held, a.Currency), money.New(received-free-held, a.Currency)
	a.Pending = money.New(pending, a.Currency)
	return a, nil
}

// Settlements lists the settlements of an account by number.
func (m *Model) Settlements(ctx context.Context, account tape.AccountID, window Window) (List[Settlement], error) {
	q := query{list: "settlements", key: "n", columns: "ordinal, body", from: "settlements",
		conditions: []string{"account = ?"}, arguments: []any{string(account)}}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Settlement, error) {
		var s Settlement
		var at ordinal
		var body []byte
		if err := scan(key, &at, &body); err != nil {
			return s, err
		}
		s.Block = at.block()
		return s, json.Unmarshal(body, &s.Settlement)
	})
}

// HoldFilter chooses holds; empty fields choose all.
type HoldFilter struct {
	Account tape.AccountID
	State   tape.HoldState
	ID      tape.ID
	// Job is the one whose chunks ordered them, Payee who is to get them.
	Job   tape.ID
	Payee tape.AccountID
}

// Holds lists holds in the order in which they were made.
func (m *Model) Holds(ctx context.Context, filter HoldFilter, window Window) (List[Hold], error) {
	q := query{list: "holds", key: "ordinal", columns: "job, body", from: "holds"}
	q.where("account = ?", string(filter.Account))
	q.where("state = ?", string(filter.State))
	q.where("id = ?", string(filter.ID))
	q.where("job = ?", string(filter.Job))
	q.where("payee = ?", string(filter.Payee))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Hold, error) {
		var h Hold
		var body []byte
		if err := scan(key, &h.Job, &body); err != nil {
			return h, err
		}
		h.Block = ordinal(*key.(*int64)).block()
		return h, json.Unmarshal(body, &h.Hold)
	})
}

// Hold returns one hold.
func (m *Model) Hold(ctx context.Context, account tape.AccountID, id tape.ID) (Hold, error) {
	list, err := m.Holds(ctx, HoldFilter{Account: account, ID: id}, Window{})
	return one(list, err, "hold %s of %s", id, account)
}

// InflowFilter chooses inflows; empty fields choose all.
type InflowFilter struct {
	Account tape.AccountID
	Source  string
	// Waiting leaves out those that have been laid.
	Waiting bool
}

// Inflows lists money that came from other accounts of the ledger, in ledger order.
func (m *Model) Inflows(ctx context.Context, filter InflowFilter, window Window) (List[Inflow], error) {
	q := query{list: "inflows", key: "ordinal", columns: "line, behalf, settlement, start, units, home, body", from: "inflows"}
	q.where("account = ?", string(filter.Account))
	q.where("source = ?", filter.Source)
	if filter.Waiting {
		q.conditions = append(q.conditions, "settlement = 0")
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Inflow, error) {
		var f Inflow
		var start, units, home int64
		var body []byte
		if err := scan(key, &f.Line, &f.OnBehalfOf, &f.Settlement, &start, &units, &home, &body); err != nil {
			return f, err
		}
		f.Block, f.Span = ordinal(*key.(*int64)).block(), spanFrom(start, units)
		err := json.Unmarshal(body, &f.Inflow)
		f.Home = money.New(home, f.Amount.Currency)
		return f, err
	})
}

// spanFrom is a span from a start column, nil where it is -1.
func spanFrom(start, units int64) *tape.Span {
	if start < 0 {
		return nil
	}
	return &tape.Span{Start: start, End: start + units}
}

// Jobs lists the jobs of an account, or all, in ledger order.
func (m *Model) Jobs(ctx context.Context, account tape.AccountID, window Window) (List[Job], error) {
	q := query{list: "jobs", key: "ordinal", columns: "ran, moved, body", from: "jobs"}
	q.where("account = ?", string(account))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Job, error) {
		var j Job
		var moved int64
		var body []byte
		if err := scan(key, &j.Ran, &moved, &body); err != nil {
			return j, err
		}
		j.Block = ordinal(*key.(*int64)).block()
		err := json.Unmarshal(body, &j.Job)
		j.Moved = money.New(moved, j.Amount.Currency)
		return j, err
	})
}

// Statements lists the statements of a bank account, or all, in ledger order.
func (m *Model) Statements(ctx context.Context, account tape.AccountID, window Window) (List[Statement], error) {
	q := query{list: "statements", key: "ordinal", columns: "filed, body", from: "statements"}
	q.where("account = ?", string(account))
	return read(ctx, m, window, q, statementOf)
}

// Statement returns one statement.
func (m *Model) Statement(ctx context.Context, account tape.AccountID, id tape.ID) (Statement, error) {
	q := query{list: "statement", key: "ordinal", columns: "filed, body", from: "statements",
		conditions: []string{"account = ?", "id = ?"}, arguments: []any{string(account), string(id)}}
	list, err := read(ctx, m, Window{}, q, statementOf)
	return one(list, err, "statement %s of %s", id, account)
}

func statementOf(scan func(...any) error, key any) (Statement, error) {
	var filed int32
	var body []byte
	var s tape.Statement
	if err := scan(key, &filed, &body); err != nil {
		return Statement{}, err
	}
	err := json.Unmarshal(body, &s)
	return Statement{V: s.V, Account: s.Account, ID: s.ID, Previous: s.Previous, From: s.From, To: s.To, Opening: s.Opening,
		Closing: s.Closing, Count: s.Count, Pages: int32(len(s.Pages)), Filed: filed, Entry: s.Entry, Block: ordinal(*key.(*int64)).block()}, err
}

// Records lists records that are kept as they are, such as person/ or organisation/, by key.
func (m *Model) Records(ctx context.Context, prefix string, window Window) (List[Record], error) {
	q := query{list: "records", key: "key", named: true, columns: "ordinal, value", from: "records"}
	// Keys are printable ASCII: every key with the prefix is below prefix + DEL.
	q.where("key >= ?", prefix)
	if prefix != "" {
		q.where("key < ?", prefix+"\x7f")
	}
	return read(ctx, m, window, q, recordOf)
}

// Record returns what stands under one key.
func (m *Model) Record(ctx context.Context, key string) (Record, error) {
	q := query{list: "record", key: "key", named: true, columns: "ordinal, value", from: "records",
		conditions: []string{"key = ?"}, arguments: []any{key}}
	list, err := read(ctx, m, Window{}, q, recordOf)
	return one(list, err, "record %s", key)
}

// Persons and Organisations are records with these prefixes.
const (
	PersonPrefix       = "person/"
	OrganisationPrefix = "organisation/"
)

func recordOf(scan func(...any) error, key any) (Record, error) {
	var r Record
	var at ordinal
	var value []byte
	err := scan(key, &at, &value)
	r.Key, r.Value, r.Block = *key.(*string), value, at.block()
	return r, err
}
