package portal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/typed"
)

// Limits of a proposal's form: a file of 10,000 lines with the longest names.
const (
	proposalBytesMax = documentRows*document.BytesMax + 2<<20
	paymentsMax      = 10_000
	proposalIDBytes  = 8
)

// newID names a proposal when its form is opened: the form sent twice is one proposal.
func newID() tape.ID {
	var bits [proposalIDBytes]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	return tape.ID("d-" + hex.EncodeToString(bits[:]))
}

// Proposals is a folder of payments that were proposed here and are not laid
// open on the ledger yet. Without them nobody could list what was proposed.
type Proposals struct{ Folder string }

func (s Proposals) path(account tape.AccountID, id tape.ID) string {
	digest := sha256.Sum256([]byte(string(account) + "/" + string(id)))
	return filepath.Join(s.Folder, hex.EncodeToString(digest[:16])+".json")
}

// Keep keeps the payments of a proposal, chunk by chunk, until the disk has them.
func (s Proposals) Keep(account tape.AccountID, id tape.ID, chunks [][]tape.Payment) error {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return err
	}
	text, err := canonical.Encode(chunks)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(s.Folder, "new-*") // 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), s.path(account, id))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// Has reports whether the payments of a proposal are kept here.
func (s Proposals) Has(account tape.AccountID, id tape.ID) bool {
	_, err := os.Stat(s.path(account, id))
	return err == nil
}

// Payments are those of a proposal.
func (s Proposals) Payments(account tape.AccountID, id tape.ID) ([][]tape.Payment, error) {
	text, err := os.ReadFile(s.path(account, id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, rule.Refuse(rule.NotFound, "the payments of %s are not kept here; withdraw it and propose again", id)
	}
	if err != nil {
		return nil, err
	}
	var chunks [][]tape.Payment
	return chunks, json.Unmarshal(text, &chunks)
}

// Drop forgets a proposal whose lists are on the ledger.
func (s Proposals) Drop(account tape.AccountID, id tape.ID) error {
	err := os.Remove(s.path(account, id))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// propose answers the form of a proposal: what would be paid is kept, and the
// proposal waits for its maker's signature.
func (p *portal) propose(r *http.Request, session login.Session) (string, error) {
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	if err := roles(session, login.Maker); err != nil {
		return "", err
	}
	campaign, err := p.Model.Campaign(r.Context(), account)
	if err != nil {
		return "", err
	}
	id := tape.ID(r.PostForm.Get("id"))
	if err := id.Check(); err != nil {
		return "", rule.Field("id", err)
	}
	payments, err := paymentsIn(r, campaign.Plan.Goal.Currency)
	if err != nil {
		return "", err
	}
	chunks := inChunks(payments)
	job, _, err := tape.NewJob(account, id, p.expiry(), chunks)
	if err != nil {
		return "", err
	}
	if err := p.people.Proposals.Keep(account, id, chunks); err != nil {
		return "", err
	}
	return p.proposed(r, session, payments, fund.Propose{Account: account, Amount: job.Amount, Chunks: job.Chunks, Count: int32(len(payments)), Expires: job.Expires, ID: id,
		Line: tape.ID(r.PostForm.Get("line")), Root: job.Root})
}

// inChunks cuts payments into lists of the most that one may hold.
func inChunks(payments []tape.Payment) [][]tape.Payment {
	var chunks [][]tape.Payment
	for len(payments) > 0 {
		n := min(len(payments), tape.ChunkLinesMax)
		chunks, payments = append(chunks, payments[:n]), payments[n:]
	}
	return chunks
}

// paymentsIn are what a form asks to pay: its rows, or a file of lines payee,amount.
func paymentsIn(r *http.Request, currency money.Currency) ([]tape.Payment, error) {
	var rows [][]string
	file, _, err := r.FormFile("file")
	switch {
	case err == nil:
		defer func() { _ = file.Close() }() // it was read, nothing can be lost
		text, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		if rows, err = csvRows(text); err != nil {
			return nil, err
		}
	case !errors.Is(err, http.ErrMissingFile) && !errors.Is(err, http.ErrNotMultipart):
		return nil, rule.Field("file", rule.Refuse(rule.Invalid, "could not be read"))
	}
	payees, amounts := r.PostForm["payee"], r.PostForm["amount"]
	for i := range min(len(payees), len(amounts)) {
		if strings.TrimSpace(payees[i])+strings.TrimSpace(amounts[i]) != "" {
			rows = append(rows, []string{payees[i], amounts[i]})
		}
	}
	if len(rows) == 0 || len(rows) > paymentsMax {
		return nil, rule.Field("payee", rule.Refuse(rule.Invalid, "%d payments were given; 1 to %d are possible", len(rows), paymentsMax))
	}
	var payments []tape.Payment
	for i, row := range rows {
		payment, err := paymentOf(row, i+1, currency)
		if err != nil {
			return nil, rule.Field(fmt.Sprintf("payment %d", i+1), err)
		}
		payments = append(payments, payment)
	}
	return payments, nil
}

// csvRows reads a file of payments; a heading is passed over.
func csvRows(text []byte) ([][]string, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil // no file was chosen
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	reader.FieldsPerRecord = 2
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, rule.Field("file", rule.Refuse(rule.Invalid, "each line is payee,amount: %v", err))
	}
	if strings.EqualFold(strings.TrimSpace(rows[0][0]), "payee") {
		rows = rows[1:]
	}
	return rows, nil
}

// paymentOf reads one payment; an amount without its currency is in the campaign's.
func paymentOf(row []string, n int, currency money.Currency) (tape.Payment, error) {
	payment := tape.Payment{Line: tape.ID(fmt.Sprintf("p-%d", n)), To: tape.AccountID(strings.TrimSpace(row[0]))}
	if err := payment.To.Check(); err != nil {
		return payment, rule.Field("payee", err)
	}
	amount, err := typed.Amount(row[1], currency)
	if err == nil {
		err = amount.Positive(currency)
	}
	payment.Amount = amount
	return payment, rule.Field("amount", err)
}

// afterSigning lays a proposal open as soon as its maker's signature is on the
// ledger. If that fails, the page of the disbursement offers it again.
func (p *portal) afterSigning(r *http.Request) {
	session, id := p.session(r), draftIn(r.URL.Path)
	if r.Method != http.MethodPost || id == "" {
		return
	}
	draft, err := p.people.Drafts.Get(session, id)
	if err != nil || draft.Status == nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), carriedWait)
	defer cancel()
	status, err := p.await(ctx, *draft.Status)
	if err != nil || status.State != outbox.Done || draft.Function != "Fund:Propose" {
		return // the page of the draft says how it stands
	}
	account, proposal := tape.AccountID(field(draft, "account")), tape.ID(field(draft, "id"))
	if err := p.layOpen(ctx, account, proposal); err != nil {
		p.Log.Warn("a proposal could not be laid open", "account", account, "disbursement", proposal, "error", err)
	}
}

// draftIn is the draft that a form was about.
func draftIn(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) != 4 || parts[1] != "drafts" {
		return ""
	}
	return parts[2]
}

// layOpen sends the lists of a proposal, so that others can approve it.
func (p *portal) layOpen(ctx context.Context, account tape.AccountID, id tape.ID) error {
	d, err := p.Model.Disbursement(ctx, account, id)
	if err != nil {
		return err
	}
	chunks, err := p.people.Proposals.Payments(account, id)
	if err != nil {
		return err
	}
	_, runs, err := tape.NewJob(account, id, d.Expires, chunks)
	if err != nil {
		return err
	}
	var commands []carried
	for n, run := range runs {
		list := fund.List{Account: account, Disbursement: id, ID: named(id, "list", fmt.Sprint(n)), Lines: run.Lines, N: int32(n), Path: run.Path}
		argument, err := canonical.Encode(list)
		if err != nil {
			return err
		}
		commands = append(commands, carried{"Fund:List", argument})
	}
	if err := p.carry(ctx, commands...); err != nil {
		return err
	}
	return p.people.Proposals.Drop(account, id)
}
