package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestNamePublisher: maker and checker of an organisation say how it is named;
// an identifier is one organisation's, whatever it is named later.
func TestNamePublisher(t *testing.T) {
	w := newWorld(t)
	naming := func(organisation string, id tape.ID, identifier string, persons ...tape.ID) string {
		return w.signed("name-publisher", tape.AccountID(organisation), money.Amount{}, fund.NamePublisher{ID: id, Organisation: organisation, Imprint: fund.Imprint{
			Identifier: identifier, Kind: "public-foundation", Language: "en", Name: fund.Text{En: "Sunrise (invented)"}, Type: "22"}}, persons...)
	}
	entry := w.must("charity", "Fund:NamePublisher", naming("charity", "n1", "XE-EXAMPLE-1", staff...))
	if again := w.must("charity", "Fund:NamePublisher", naming("charity", "n1", "XE-EXAMPLE-1", staff...)); again.At != entry.At || entry.Subject != "charity" || len(entry.Intents) != 2 {
		t.Errorf("%+v, again %+v", entry, again)
	}
	w.refused("forbidden: 2 different persons of the staff must sign, maker and checker; 1 did", "charity", "Fund:NamePublisher", naming("charity", "n2", "XE-EXAMPLE-2", "charity-maker"))
	w.refused("forbidden: one of the staff of charity must sign: it is theirs to decide", "charity", "Fund:NamePublisher", naming("charity", "n2", "XE-EXAMPLE-2", "coop-maker", "coop-checker"))
	w.refused("forbidden: field organisation: insurer (role gateway) does not say how charity is named", "insurer", "Fund:NamePublisher", naming("charity", "n2", "XE-EXAMPLE-2", staff...))
	w.refused("invalid: field imprint.identifier", "charity", "Fund:NamePublisher", naming("charity", "n2", "", staff...))
	w.refused("wrong-state: charity is named so already, by entry charity/n1", "charity", "Fund:NamePublisher", naming("charity", "n2", "XE-EXAMPLE-1", staff...))
	w.must("charity", "Fund:NamePublisher", naming("charity", "n2", "XE-EXAMPLE-2", staff...))
	w.refused("exists: field imprint.identifier: XE-EXAMPLE-1 is the identifier of charity, by entry charity/n1", "coop", "Fund:NamePublisher", naming("coop", "n1", "XE-EXAMPLE-1", "coop-maker", "coop-checker"))
	w.must("charity", "Fund:NamePublisher", naming("charity", "n3", "XE-EXAMPLE-1", staff...))
	if p := record[fund.Publisher](w, fund.PublisherKey("charity")); p.Identifier != "XE-EXAMPLE-1" || p.First != "XE-EXAMPLE-1" || p.Entry != "charity/n3" {
		t.Errorf("the record: %+v", p)
	}
}
