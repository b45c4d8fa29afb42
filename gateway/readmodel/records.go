package readmodel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// kind is how the records under one prefix of keys are read.
type kind struct {
	prefix string
	// read takes the n-th record of the kind in the transaction. rest is the key without its prefix.
	read func(w *writer, n int, rest string, value []byte) error
}

// kinds in the order in which a transaction's records are read: what others
// refer to first, the money that moved before the holds and heads that it left.
// Prefixes that are not here are kept in "records" as they are.
var kinds = []kind{
	{"person/", (*writer).person},
	{"member/", (*writer).member},
	{"loan/", (*writer).loan},
	{"group/", remembered("group/")},
	{"call/", remembered("call/")},
	{"progress/", (*writer).progress},
	{"order/", (*writer).order},
	{"lot/", (*writer).lot},
	{"account/", (*writer).account},
	{"campaign/", (*writer).campaign},
	{"payee/", (*writer).payee},
	{"flag/", (*writer).flag},
	{"disbursement/", (*writer).disbursement},
	{"listed/", (*writer).listed},
	{"approved/", (*writer).approved},
	{"rejected/", (*writer).rejected},
	{"ordered/", (*writer).ordered},
	{"statement/", (*writer).statementHead},
	{"lines/", (*writer).linesPage},
	{"page/", (*writer).giftPage},
	{"used/", (*writer).used},
	{"job/", (*writer).job},
	{"granted/", (*writer).granted},
	{"entry/", (*writer).entryRecord},
	{"inflow/", (*writer).inflow},
	{"settlement/", (*writer).settlement},
	{"settled/", (*writer).settled},
	{"hold/", (*writer).hold},
	{"confirmation/", (*writer).confirmation},
	{"chunk/", (*writer).chunk},
	{"reversal/", (*writer).reversal},
	{"head/", (*writer).head},
}

// records applies the write set of one valid transaction.
func (w *writer) records(writes []Write) error {
	known := make([]bool, len(writes))
	for _, k := range kinds {
		n := 0
		for i, write := range writes {
			rest, found := strings.CutPrefix(write.Key, k.prefix)
			if !found {
				continue
			}
			known[i] = true
			if err := w.record(k, n, rest, write); err != nil {
				return fmt.Errorf("key %q: %w", write.Key, err)
			}
			n++
		}
	}
	for i, write := range writes {
		if known[i] {
			continue
		}
		if err := w.other(write); err != nil {
			return fmt.Errorf("key %q: %w", write.Key, err)
		}
	}
	return nil
}

func (w *writer) record(k kind, n int, rest string, write Write) error {
	if write.Delete {
		return rule.Refuse(rule.Unsupported, "a record of this kind is never deleted")
	}
	if err := knownVersion(write.Value); err != nil {
		return err
	}
	return k.read(w, n, rest, write.Value)
}

// knownVersion refuses a record of a form that was written after this program.
// Keys are in order, so that v mostly stands last, and needs no reading of the
// rest: a record of records would end with two braces.
func knownVersion(value []byte) error {
	if bytes.HasSuffix(value, []byte(`,"v":1}`)) {
		return nil
	}
	var version struct {
		V int32 `json:"v"`
	}
	if err := json.Unmarshal(value, &version); err != nil {
		return err
	}
	if version.V != 1 {
		return rule.Refuse(rule.Unsupported, "the record has version %d; this program reads version 1", version.V)
	}
	return nil
}

func (w *writer) other(write Write) error {
	if write.Delete {
		return w.exec("DELETE FROM records WHERE key = ?", write.Key)
	}
	return w.exec("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", write.Key, int64(w.base), filled(write.Value))
}

// cut splits what follows a prefix into account, and the rest behind it.
func cut(rest string) (account, name string, err error) {
	account, name, found := strings.Cut(rest, "/")
	if !found || account == "" || name == "" {
		return "", "", rule.Refuse(rule.Invalid, "the key is not account/name")
	}
	return account, name, nil
}

func (w *writer) account(_ int, rest string, value []byte) error {
	var account tape.Account
	if err := json.Unmarshal(value, &account); err != nil {
		return err
	}
	if string(account.ID) != rest {
		return rule.Refuse(rule.Conflict, "the account calls itself %s", account.ID)
	}
	return w.exec(`INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, x'', 0, 0, 0, 0)
		ON CONFLICT (id) DO UPDATE SET organisation = excluded.organisation, currency = excluded.currency, attribution = excluded.attribution, body = excluded.body`,
		rest, int64(w.base), account.Organisation, string(account.Currency), string(account.Attribution), filled(value))
}

func (w *writer) head(_ int, rest string, value []byte) error {
	var head tape.Head
	if err := json.Unmarshal(value, &head); err != nil {
		return err
	}
	return w.change("UPDATE accounts SET head = ?, received = ?, free = ? WHERE id = ?", filled(value), head.Received, head.Free().Total(), rest)
}

// number reads a part of a key that is a number, in its one spelling.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, rule.Refuse(rule.Invalid, "%.40q in the key is not a number", text)
	}
	return n, nil
}

func (w *writer) statementHead(_ int, rest string, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	var statement tape.Statement
	if err := json.Unmarshal(value, &statement); err != nil {
		return err
	}
	return w.exec("INSERT INTO statements VALUES (?, ?, ?, 0, ?)", account, id, int64(w.base), filled(value))
}

// cutNumber splits account/name/number, as keys of lines and chunks are written.
func cutNumber(rest string) (account, name string, n int64, err error) {
	account, tail, err := cut(rest)
	if err != nil {
		return "", "", 0, err
	}
	name, digits, err := cut(tail)
	if err != nil {
		return "", "", 0, err
	}
	n, err = number(digits)
	return account, name, n, err
}

func (w *writer) used(_ int, rest string, value []byte) error {
	account, statement, n, err := cutNumber(rest)
	if err != nil {
		return err
	}
	var used tape.Used
	if err := json.Unmarshal(value, &used); err != nil {
		return err
	}
	spans, err := text(used.Lines)
	if err != nil {
		return err
	}
	return w.change("UPDATE lines_pages SET used = ? WHERE account = ? AND statement = ? AND n = ?", spans, account, statement, n)
}

func (w *writer) chunk(_ int, rest string, value []byte) error {
	account, job, n, err := cutNumber(rest)
	if err != nil {
		return err
	}
	var chunk tape.Chunk
	if err := json.Unmarshal(value, &chunk); err != nil {
		return err
	}
	if err := w.exec("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)", account, job, n, int64(w.base), filled(value),
		string(donation.ReferenceOfFile(chunk.Account, chunk.Job, chunk.N))); err != nil {
		return err
	}
	return w.change("UPDATE jobs SET ran = ran + 1, moved = moved + ? WHERE account = ? AND id = ?", chunk.Part.Length(), account, job)
}

func (w *writer) reversal(_ int, rest string, value []byte) error {
	last := strings.LastIndexByte(rest, '/') // an inflow's name has slashes of its own
	account, source, err := cut(rest[:max(last, 0)])
	if err != nil {
		return err
	}
	gift, err := number(rest[last+1:])
	if err != nil {
		return err
	}
	var reversal tape.Reversal
	if err := json.Unmarshal(value, &reversal); err != nil {
		return err
	}
	return w.exec("INSERT OR REPLACE INTO reversals VALUES (?, ?, ?, ?, ?)", account, source, gift, int64(w.base), filled(value))
}
