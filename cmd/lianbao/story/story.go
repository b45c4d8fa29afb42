// Package story plays three invented stories on a network: a flood relief with
// two thousand gifts, a county's speech training for thirty children, and a
// season of a coffee cooperative. Gifts are settled against bank statements, one
// person proposes and another approves, the bank pays, households confirm or
// dispute; households guarantee each other's loans, and a sale repays them
// first. Nobody in it exists, and every name says so.
//
// Each command has an id of its own, so that a story is told once however
// often it is begun.
package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/statement"
)

// Told is what the stories came to.
type Told struct {
	// Gift went several ways: the one to look at. Refunded and ChargedBack went back to their givers.
	Gift        tape.ID `json:"gift"`
	Refunded    tape.ID `json:"refunded"`
	ChargedBack tape.ID `json:"chargedBack"`
	// Campaigns are the two; Partner spends a grant of the first.
	Campaigns []tape.AccountID `json:"campaigns"`
	Partner   tape.AccountID   `json:"partner"`
	Gifts     int              `json:"gifts"`
	Payouts   int              `json:"payouts"`
	// Code is that of the announced gift: who has it sees the receipt.
	Code string `json:"code"`
	// Cooperative is what the season of coffee came to.
	Cooperative Cooperative `json:"cooperative"`
	// Repeated says that the stories had been told before.
	Repeated bool `json:"repeated"`
}

// Stage is where the stories are told.
type Stage struct {
	// Folder of the network.
	Folder  string
	Charter party.Charter
	// Gateways of the organisations that play a part, by their names.
	Gateways map[string]*speak.Gateway
	// Report is told what happens; may be nil.
	Report func(string)
}

// Organisations are those whose gateways a story needs.
func Organisations() []string { return []string{charity, bank, regulator, coop} }

const (
	charity   = "charity"
	bank      = "bank"
	regulator = "regulator"
	coop      = "coop"
)

// progress is what is kept on the disk: when the stories began, because
// signatures carry a deadline, and how they ended.
type progress struct {
	Begun tape.Instant `json:"begun"`
	Told  *Told        `json:"told,omitempty"`
}

// teller tells one story.
type teller struct {
	Stage
	begun          tape.Instant
	today          tape.Date
	maker, checker founding.Signer
	// supervisor accepts filings for the regulator.
	supervisor founding.Signer
	// last is the last block that the stories wrote.
	last atomic.Uint64
}

func (s Stage) folder() string {
	return filepath.Join(s.Folder, "organisations", charity, "story")
}

// Tell tells the stories, or what is left of them.
func Tell(ctx context.Context, s Stage) (Told, error) {
	path := filepath.Join(s.folder(), "story.json")
	p, err := readProgress(path)
	if err != nil {
		return Told{}, err
	}
	if p.Told != nil {
		told := *p.Told
		told.Repeated = true
		return told, nil
	}
	if p.Begun == 0 {
		p.Begun = tape.Instant(time.Now().Truncate(time.Second).UnixMilli())
		if err := p.write(path); err != nil {
			return Told{}, err
		}
	}
	t := &teller{Stage: s, begun: p.Begun}
	if t.today, err = s.Charter.Zone.Date(p.Begun); err != nil {
		return Told{}, err
	}
	if t.maker, t.checker, err = founding.Staff(s.Folder, charity); err != nil {
		return Told{}, err
	}
	if t.supervisor, _, err = founding.Staff(s.Folder, regulator); err != nil {
		return Told{}, err
	}
	told, err := t.tell(ctx)
	if err != nil {
		return told, err
	}
	p.Told = &told
	return told, p.write(path)
}

// tell plays the stories side by side.
func (t *teller) tell(ctx context.Context) (Told, error) {
	var mutex sync.Mutex
	if report := t.Report; report != nil {
		t.Report = func(text string) {
			mutex.Lock()
			defer mutex.Unlock()
			report(text)
		}
	}
	first, second, third := &relief{teller: t}, &speech{teller: t}, &season{teller: t}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return t.names(working) })
	work.Go(func() error { return first.tell(working) })
	work.Go(func() error { return second.tell(working) })
	work.Go(func() error { return third.tell(working) })
	if err := work.Wait(); err != nil {
		return Told{}, err
	}
	told := first.told
	told.Campaigns = []tape.AccountID{reliefAccount, speechAccount}
	told.Gifts += second.gifts
	told.Payouts += second.payouts
	told.Code, told.Cooperative = second.announced.Code, third.told
	return told, nil
}

func readProgress(path string) (progress, error) {
	var p progress
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}

func (p progress) write(path string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (t *teller) say(format string, arguments ...any) {
	if t.Report != nil {
		t.Report(fmt.Sprintf(format, arguments...))
	}
}

// side is one part in the imports of a story.
func (t *teller) side(organisation string) importing.Side {
	return importing.Side{Organisation: organisation, Gateway: t.Gateways[organisation], Folder: filepath.Join(t.Folder, "organisations", organisation, "importing")}
}

// take imports a statement file.
func (t *teller) take(ctx context.Context, account tape.AccountID, path string) (importing.Result, error) {
	result, err := importing.Import(ctx, importing.Order{File: path, Mapping: statement.Mapping{V: 1, Classify: []statement.ClassRule{
		{Match: "^Rfake-returned", Column: "reference", Side: "in", As: "returned", Reason: "a payout that came back"},
		{Match: "^Rfake-nobody", Column: "reference", Side: "in", As: "transfer", Reason: "nobody has claimed it"}}},
		Account: account, Charity: t.side(charity), Bank: t.side(bank)})
	t.note(result.Position) // what comes next is judged with what the bank has paid
	return result, err
}

// row is one line of an invented statement.
type row struct {
	reference     string
	debit, credit money.Amount
	memo          string
}

// file writes an invented statement in the standard headers.
func (t *teller) file(name string, currency money.Currency, rows []row) (string, error) {
	text := "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n"
	figure := func(a money.Amount) string {
		spelled := a.String()
		return spelled[:len(spelled)-len(" CNY")]
	}
	for i, r := range rows {
		text += fmt.Sprintf("%d,%s,,%s,%s,%s,%s,fake%012x,%s\n", i+1, t.today, r.reference, figure(r.debit), figure(r.credit), currency, i+1, r.memo)
	}
	path := filepath.Join(t.folder(), name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
