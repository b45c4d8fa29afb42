// Package books keeps the ledger's accounts a second time, as simply as they
// can be kept: each tape is a list of segments, each a stretch of money with
// one fate. It knows no heads, no frontiers and no rules about who may do what;
// it reads what entries and commands say, and whatever does not fit is a
// problem. `lianbao audit` holds its result against the contracts' records.
package books

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Transaction is what the books read of one valid transaction.
type Transaction struct {
	// Block is the number of its block.
	Block uint64
	// Function is what was called, such as "Fund:Order".
	Function string
	// Argument is the function's one argument, Event the entry as it was sent.
	Argument, Event []byte
	// Writes are the values written, by key.
	Writes map[string][]byte
}

// Problem is one thing that does not fit.
type Problem struct {
	// Key is the record or the account it is about.
	Key  string
	What string
	// Expected by these books, Found on the ledger; both may be empty.
	Expected, Found string
}

// Books are the accounts of a ledger from its first block on.
type Books struct {
	accounts   map[tape.AccountID]*account
	holds      map[string]*hold // by the key of the record, as all below
	jobs       map[string]*job
	inflows    map[string]*inflow
	pages      map[string]*page
	processors map[string]*processor
	statements map[string][]tape.LinesPage
	lines      map[string]*lines
	// closings are the last statements of bank accounts; used says by which
	// entry a thing that may be used once was used.
	closings map[tape.AccountID]tape.FileStatement
	used     map[string]string
	// reversals are gifts that were taken back, with the hold of their refund.
	reversals map[string]string
	// subjects are what entries are about, by their references.
	subjects map[string]string
	entries  int
	rules    map[int32]bool
	trail    trail
	lending  lending
	// months are what the closes of organisations' months are held against.
	months months
	// dividends are sales that are shared out, by the keys of their settlements.
	dividends map[string]*dividend
	// calls are calls of guarantors as they were written last, by their keys.
	calls map[string]recourse.Call
	// loans are loans as they were written whole last, by their keys.
	loans map[string]loan.Loan
	// brings is the gift that the entry at hand moves to another account whole,
	// home what of its money a partner gives back to budget lines.
	brings *tape.GiftName
	home   onLines

	transaction Transaction
	entry       tape.Entry
	problems    []Problem
}

// New are books in which nothing has happened.
func New() *Books {
	return &Books{accounts: map[tape.AccountID]*account{}, holds: map[string]*hold{}, jobs: map[string]*job{},
		inflows: map[string]*inflow{}, pages: map[string]*page{}, processors: map[string]*processor{},
		statements: map[string][]tape.LinesPage{}, lines: map[string]*lines{},
		closings: map[tape.AccountID]tape.FileStatement{}, used: map[string]string{}, reversals: map[string]string{}, subjects: map[string]string{}, rules: map[int32]bool{}, trail: newTrail(), lending: newLending(), dividends: map[string]*dividend{}, calls: map[string]recourse.Call{}, loans: map[string]loan.Loan{}, months: newMonths()}
}

// Entries is the number of entries that were booked.
func (b *Books) Entries() int { return b.entries }

// Rules are the versions of the rules by which the entries were judged.
func (b *Books) Rules() []int32 { return slices.Sorted(maps.Keys(b.rules)) }

// Apply books one transaction and says what did not fit. It books as much of it
// as it can, so that one fault is not told again by every later entry.
func (b *Books) Apply(t Transaction) []Problem {
	b.transaction, b.entry, b.problems, b.brings, b.home = t, tape.Entry{}, nil, nil, nil
	if err := json.Unmarshal(t.Event, &b.entry); err != nil {
		b.problem("", "its event is not an entry: "+err.Error(), "", short(t.Event))
		return b.problems
	}
	key := tape.EntryKey(b.entry.Organisation, b.entry.ID)
	if stored := t.Writes[key]; string(stored) != string(t.Event) {
		b.differs(key, "the entry that is stored is not the one that was sent", string(t.Event), string(stored))
	}
	b.once("entry", key)
	b.entries++
	b.subjects[b.entry.Reference()] = b.entry.Subject
	b.rules[b.entry.Rules] = true
	b.noteDay()
	b.learn()
	b.keepLoans()
	b.foreign()
	book, known := b.booked()
	if !known {
		b.problem(key, fmt.Sprintf("these books know no entries of the kind %q", b.entry.Kind), "", "")
		return b.problems
	}
	err := book(b)
	if err != nil {
		b.problem(key, "it cannot be booked: "+err.Error(), "", "")
	}
	b.postings()
	b.keepRecords(err == nil)
	b.keepCalls()
	return b.problems
}

// kinds says how each kind of entry is booked. Members, votes and notes about people move no money.
var kinds map[string]func(*Books) error

func init() {
	kinds = map[string]func(*Books) error{
		"open": (*Books).open, "receive": (*Books).receive, "match": (*Books).match,
		"receive-unidentified": (*Books).receiveUnidentified, "file-statement": (*Books).fileStatement,
		"file-lines": (*Books).fileLines, "file-processor": (*Books).fileProcessor, "settle": (*Books).settle,
		"spend": (*Books).spend, "identify": (*Books).identify, "correct": (*Books).correct, "withdraw": (*Books).withdraw, "hold": (*Books).hold, "refund": (*Books).refund,
		"capture": (*Books).capture, "execute": (*Books).execute, "release": (*Books).release, "expire": (*Books).release, "reclaim": (*Books).reclaim,
		"return": (*Books).takeBack, "charge-back": (*Books).chargeBack, "memo": (*Books).memo,
		"close-month": (*Books).closeMonth, "open-job": (*Books).openJob, "run-chunk": (*Books).runChunk, "close-job": (*Books).closeJob,
	}
	for _, kind := range strings.Fields("found join vote enact register witness rotate suspend revoke cite strike") {
		kinds[kind] = (*Books).memo
	}
}

func (b *Books) problem(key, what, expected, found string) {
	b.problems = append(b.problems, Problem{Key: key, What: what, Expected: expected, Found: found})
	if c := b.concerned(key); c != nil {
		c.differs = true
	}
}

// differs reports a difference unless the two are equal.
func (b *Books) differs(key, what, expected, found string) {
	if expected != found {
		b.problem(key, what, expected, found)
	}
}

// once reports a thing that is used a second time.
func (b *Books) once(what, key string) {
	reference := b.entry.Reference()
	if before, twice := b.used[what+" "+key]; twice {
		b.problem(key, what+" is used twice", "once, by "+before, "again by "+reference)
		return
	}
	b.used[what+" "+key] = reference
}

// command reads the argument, with or without intents around it.
func command[C any](b *Books) (C, error) {
	var c C
	body := b.transaction.Argument
	if bytes.HasPrefix(body, []byte(`{"command":`)) {
		var envelope struct {
			Command json.RawMessage `json:"command"`
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			return c, err
		}
		body = envelope.Command
	}
	return c, json.Unmarshal(body, &c)
}

// record reads a record that the transaction wrote.
func record[R any](b *Books, key string) (R, error) {
	var r R
	value, written := b.transaction.Writes[key]
	if !written {
		return r, fmt.Errorf("%s was not written", key)
	}
	return r, json.Unmarshal(value, &r)
}

func (b *Books) account(id tape.AccountID) (*account, error) {
	a, known := b.accounts[id]
	if !known {
		return nil, fmt.Errorf("account %s was never opened", id)
	}
	return a, nil
}

func (b *Books) open() error {
	c, err := command[tape.Open](b)
	if err != nil {
		return err
	}
	b.opened(c.Account, c.Currency, c.Custodian)
	return nil
}

func (b *Books) opened(id tape.AccountID, currency money.Currency, custodian tape.AccountID) {
	b.once("account", tape.AccountKey(id))
	b.accounts[id] = &account{id: id, organisation: b.entry.Organisation, currency: currency, custodian: custodian, since: b.entries, plain: b.entry.Kind == "open", outside: map[money.Currency]int64{}}
}

// memo books what moves no money.
func (b *Books) memo() error { return nil }

// postings books what all postings have in common: money that comes from or
// goes outside, and inflows that wait.
func (b *Books) postings() {
	for i, p := range b.entry.Postings {
		if p.Memo {
			continue
		}
		if p.From.Outside() {
			b.outside(p.To, p.Amount, -1)
		}
		if p.To.Outside() {
			b.outside(p.From, p.Amount, 1)
		}
		if p.Inflow == "" {
			continue
		}
		source := fmt.Sprintf("%s/%d", b.entry.Reference(), i)
		b.differs(p.Inflow, "an inflow is named after its posting", source, p.Inflow)
		key := tape.InflowKey(p.To, p.Inflow)
		b.once("inflow", key)
		b.inflows[key] = &inflow{amount: p.Amount, from: p.From, gift: b.brings, home: b.home}
		if stored, err := record[tape.Inflow](b, key); err != nil || stored.Amount != p.Amount {
			b.problem(key, "the inflow of a posting", p.Amount.String(), stored.Amount.String())
		}
	}
}

// outside counts at the account on the ledger what crossed its border. Money
// that went from outside to outside would have no such account.
func (b *Books) outside(id tape.AccountID, amount money.Amount, sign int64) {
	a, err := b.account(id)
	if err != nil {
		b.problem(string(id), "money crosses the border of the ledger at no account: "+err.Error(), "", amount.String())
		return
	}
	a.outside[amount.Currency] += sign * amount.Units
}

// Balance is one currency. Outside, Tapes and Pending sum to zero.
type Balance struct {
	Currency money.Currency `json:"currency"`
	Outside  int64          `json:"outside,string"`
	Tapes    int64          `json:"tapes,string"`
	Pending  int64          `json:"pending,string"`
}

// Difference is the money that is too much (or, negative, missing).
func (b Balance) Difference() int64 { return b.Outside + b.Tapes + b.Pending }

// Balances are in the order of their currencies.
func (b *Books) Balances() []Balance {
	sums := map[money.Currency]*Balance{}
	of := func(currency money.Currency) *Balance {
		if sums[currency] == nil {
			sums[currency] = &Balance{Currency: currency}
		}
		return sums[currency]
	}
	for _, a := range b.accounts {
		of(a.currency).Tapes += a.kept()
		for currency, units := range a.outside {
			of(currency).Outside += units
		}
	}
	for _, waiting := range b.inflows {
		if !waiting.settled {
			of(waiting.amount.Currency).Pending += waiting.amount.Units
		}
	}
	var all []Balance
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, *sums[currency])
	}
	return all
}

func short(text []byte) string { return fmt.Sprintf("%.100q", text) }
