// Package story plays one invented story on a network, from a bank statement
// to a household: gifts arrive and are settled, a campaign pays two partners,
// the partners pay households, one household is paid out by the bank, one gift
// is given back. Nobody in it exists, and every name says so.
//
// Each command has an id of its own, so that the story is told once however
// often it is begun.
package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
)

// Told is what the story came to.
type Told struct {
	// Gift went several ways: the one to look at.
	Gift     tape.ID        `json:"gift"`
	Refunded tape.ID        `json:"refunded"`
	Campaign tape.AccountID `json:"campaign"`
	Paid     tape.AccountID `json:"paid"`
	Gifts    int            `json:"gifts"`
	Total    money.Amount   `json:"total"`
	// Repeated says that the story had been told before.
	Repeated bool `json:"repeated"`
}

// Stage is where the story is told.
type Stage struct {
	// Folder of the network.
	Folder  string
	Charter party.Charter
	// Charity and Bank are the two sides of an import.
	Charity, Bank *speak.Gateway
	// Report is told what happens; may be nil.
	Report func(string)
}

// The persons of the story, by their accounts. All money is kept on one bank
// account, of which the bank files the statements.
const (
	bankAccount = "outside:bank:invented-relief"
	campaign    = "charity:charity:invented-relief"
	school      = "partner:charity:invented-school"
	clinic      = "partner:charity:invented-clinic"
	household1  = "household:charity:fake-5d2e"
	household2  = "household:charity:fake-a917"
	household3  = "household:charity:fake-c3b0"
	household4  = "household:charity:fake-e68f"
	currency    = "VND"
)

// What is paid, in VND. The school's share ends within a gift, whose other part
// is the clinic's: that gift's trail has two branches.
var (
	toSchool     = dong(3_000_000)
	toClinic     = dong(2_000_000)
	toHousehold1 = dong(1_800_000)
	toHousehold2 = dong(900_000)
	toHousehold3 = dong(1_200_000)
	toHousehold4 = dong(500_000)
	payout       = dong(400_000)
)

func dong(units int64) money.Amount { return money.New(units, currency) }

const (
	giftsInStory = 300
	seed         = 7
)

// progress is what is kept on the disk: when the story began, because
// signatures carry a deadline, and how it ended.
type progress struct {
	Begun tape.Instant `json:"begun"`
	Told  *Told        `json:"told,omitempty"`
}

// teller tells the story.
type teller struct {
	Stage
	begun          tape.Instant
	maker, checker founding.Signer
	first, second  importing.Result
}

func (s Stage) folder() string {
	return filepath.Join(s.Folder, "organisations", "charity", "story")
}

// Tell tells the story, or what is left of it.
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
	if t.maker, t.checker, err = founding.Staff(s.Folder, "charity"); err != nil {
		return Told{}, err
	}
	told, err := t.tell(ctx)
	if err != nil {
		return told, err
	}
	p.Told = &told
	return told, p.write(path)
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

// tell goes through the chapters in their order.
func (t *teller) tell(ctx context.Context) (Told, error) {
	for _, chapter := range []func(context.Context) error{t.accounts, t.gifts, t.partners, t.households, t.orders, t.bank} {
		if err := chapter(ctx); err != nil {
			return Told{}, err
		}
	}
	told := Told{Campaign: campaign, Paid: household3, Gifts: t.first.Gifts, Total: t.first.Total}
	all, err := t.firstPage(ctx)
	if err != nil {
		return told, err
	}
	told.Refunded = all[len(all)-1].ID
	// The gift in which the school's share ends.
	for sum, i := int64(0), 0; sum < toSchool.Units && i < len(all); i++ {
		sum += all[i].Amount.Units
		told.Gift = all[i].ID
	}
	return told, nil
}

func (t *teller) accounts(ctx context.Context) error {
	t.say("a campaign, two partners and four households open their accounts")
	work, working := errgroup.WithContext(ctx)
	for _, account := range []tape.AccountID{campaign, school, clinic, household1, household2, household3, household4} {
		work.Go(func() error {
			_, err := t.Charity.SendRecord(working, "Tape:Open", tape.Open{Account: account, Attribution: tape.FIFO, Currency: currency,
				Custodian: bankAccount, ID: t.id("open", account)})
			return err
		})
	}
	return work.Wait()
}

// id names a command about an account.
func (t *teller) id(verb string, account tape.AccountID) tape.ID {
	segments := filepath.Base(string(account)) // accounts hold no slash
	name := []byte(segments)
	for i, c := range name {
		if c == ':' {
			name[i] = '.'
		}
	}
	return tape.ID("story." + verb + "." + string(name))
}

// side is one part in the imports of the story.
func (t *teller) side(g *speak.Gateway) importing.Side {
	return importing.Side{Organisation: g.Organisation, Gateway: g, Folder: filepath.Join(t.Folder, "organisations", g.Organisation, "importing")}
}

func (t *teller) gifts(ctx context.Context) (err error) {
	t.say("the bank files a statement, %d gifts are settled against it", giftsInStory-1)
	path := filepath.Join(t.folder(), "invented-statement-1.csv")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(statement.Sample(file, giftsInStory, seed), file.Close()); err != nil {
		return err
	}
	t.first, err = t.take(ctx, path)
	return err
}

func (t *teller) take(ctx context.Context, path string) (importing.Result, error) {
	return importing.Import(ctx, importing.Order{File: path, Account: campaign, Charity: t.side(t.Charity), Bank: t.side(t.Bank)})
}

func (t *teller) partners(ctx context.Context) error {
	t.say("the campaign pays two partners, signed by maker and checker")
	err := t.spend(ctx, campaign, tape.Payment{Amount: toSchool, Line: "school", To: school}, tape.Payment{Amount: toClinic, Line: "clinic", To: clinic})
	return errors.Join(err, t.arrived(ctx, map[tape.AccountID]money.Amount{school: toSchool, clinic: toClinic}))
}

func (t *teller) households(ctx context.Context) error {
	t.say("the partners pay four households")
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		return t.spend(working, school, tape.Payment{Amount: toHousehold1, Line: "one", To: household1}, tape.Payment{Amount: toHousehold2, Line: "two", To: household2})
	})
	work.Go(func() error {
		return t.spend(working, clinic, tape.Payment{Amount: toHousehold3, Line: "three", To: household3}, tape.Payment{Amount: toHousehold4, Line: "four", To: household4})
	})
	if err := work.Wait(); err != nil {
		return err
	}
	return t.arrived(ctx, map[tape.AccountID]money.Amount{household1: toHousehold1, household2: toHousehold2, household3: toHousehold3, household4: toHousehold4})
}

func (t *teller) spend(ctx context.Context, from tape.AccountID, payments ...tape.Payment) error {
	command := tape.Spend{Account: from, ID: t.id("spend", from), Payments: payments}
	total, err := command.Total(currency)
	if err != nil {
		return err
	}
	return t.signed(ctx, "Tape:Spend", "spend", from, total, command)
}

const day = tape.Instant(24 * time.Hour / time.Millisecond)

// signed sends a command that maker and checker have signed.
func (t *teller) signed(ctx context.Context, function, action string, account tape.AccountID, amount money.Amount, command any) error {
	decision := founding.Decision{Action: action, Subject: string(account), Amount: amount.String(), Deadline: t.begun + 29*day}
	argument, err := founding.Envelope(t.Charter.Ledger, command, decision, t.maker, t.checker)
	if err != nil {
		return err
	}
	_, err = t.Charity.Send(ctx, function, argument)
	return err
}

// arrivalPause is how often it is asked whether money has arrived. The
// gateway settles by itself what comes from other accounts.
const arrivalPause = 50 * time.Millisecond

func (t *teller) arrived(ctx context.Context, amounts map[tape.AccountID]money.Amount) error {
	for account, amount := range amounts {
		for {
			var stands readmodel.Account
			if err := t.Charity.Get(ctx, "/accounts/"+url.PathEscape(string(account)), nil, 0, &stands); err != nil {
				return err
			}
			if stands.Received.Units >= amount.Units {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(arrivalPause):
			}
		}
	}
	return nil
}
