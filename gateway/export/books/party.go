package books

import (
	"context"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
)

// What is published of those who are never named.
var (
	individualDonors        = iati.Texts{{Language: "en", Text: "Individual donors"}, {Language: "zh", Text: "个人捐赠人"}}
	individualBeneficiaries = iati.Texts{{Language: "en", Text: "Individual beneficiaries"}, {Language: "zh", Text: "个人受益人"}}
	unnamedPayees           = iati.Texts{{Language: "en", Text: "Payees without a published name"}, {Language: "zh", Text: "未公布名称的收款方"}}
)

// partiesMax bounds the memory of parties that were asked for.
const partiesMax = 10_000

// parties remembers who stands behind accounts for one export.
type parties struct {
	*Books
	known map[tape.AccountID]Party
}

func (p *parties) of(ctx context.Context, account tape.AccountID) (Party, error) {
	if party, known := p.known[account]; known {
		return party, nil
	}
	party, err := p.find(ctx, account)
	if err != nil {
		return Party{}, rule.Field(string(account), err)
	}
	if p.known == nil || len(p.known) >= partiesMax {
		p.known = map[tape.AccountID]Party{}
	}
	party.Organisation = published(party)
	p.known[account] = party
	return party, nil
}

func (p *parties) find(ctx context.Context, account tape.AccountID) (Party, error) {
	if !account.Outside() {
		record, err := p.Model.Account(ctx, account)
		if err != nil && !rule.Is(err, rule.NotFound) {
			return Party{}, err
		}
		// What nobody had claimed came from givers, and goes on as theirs.
		if record.Unidentified != "" {
			return Party{Kind: Donors}, nil
		}
	}
	party, err := p.Facts.Party(ctx, account)
	if rule.Is(err, rule.NotFound) {
		party, err = Party{Kind: byName(account)}, nil
	}
	if err != nil {
		return Party{}, err
	}
	// A campaign names itself in one place, so that both sides of a transfer
	// cite the same activity.
	campaign, err := p.Facts.Campaign(ctx, account)
	if rule.Is(err, rule.NotFound) {
		return party, nil
	}
	if party.Kind == Unnamed {
		party.Kind = Partner
	}
	party.Organisation = campaign.Activity.Reporting
	party.Organisation.Activity = campaign.Activity.Identifier
	return party, err
}

// byName reads the kind of a party off an account's name where nothing else is known.
func byName(account tape.AccountID) Kind {
	kind, _, _ := strings.Cut(strings.TrimPrefix(string(account), "outside:"), ":")
	if kind == "household" || kind == "person" {
		return Household
	}
	return Unnamed
}

// published is what an export says of a party: of persons nothing but that they are persons.
func published(p Party) iati.Organisation {
	switch p.Kind {
	case Donors:
		return iati.Organisation{Names: individualDonors}
	case Household:
		return iati.Organisation{Names: individualBeneficiaries}
	}
	if p.Organisation.Ref == "" && len(p.Organisation.Names) == 0 {
		return iati.Organisation{Names: unnamedPayees}
	}
	return p.Organisation
}

// donors are the givers of an account.
func donors() Party { return Party{Kind: Donors, Organisation: published(Party{Kind: Donors})} }

// outgoing is the type of money to a party: a disbursement is money that
// another activity reports or spends, an expenditure has arrived.
func (p Party) outgoing() iati.TransactionType {
	if p.Kind == Partner || p.Organisation.Activity != "" {
		return iati.Disbursement
	}
	return iati.Expenditure
}
