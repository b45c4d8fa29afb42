package books

import (
	"github.com/lianbao/lianbao/chaincode/fund"
)

// namePublisher books how an organisation is named in what it publishes. Maker
// and checker of its own decide; an identifier stays the organisation's that
// named it first, and activities and grants keep their names.
func (b *Books) namePublisher() error {
	command, err := command[fund.NamePublisher](b)
	if err != nil {
		return err
	}
	organisation, imprint := command.Organisation, command.Imprint
	key, owner := fund.PublisherKey(organisation), fund.IdentifiedKey(imprint.Identifier)
	b.signers()
	b.decided(key, b.entry.Intents, organisation)
	b.differs(key, "the organisation that the entry names", organisation, b.entry.Subject)
	b.differs(key, "who says how an organisation is named", organisation, b.entry.Organisation)
	want := fund.Publisher{V: 1, Imprint: imprint, First: imprint.Identifier, Entry: b.entry.Reference()}
	if before, named := b.trail.publishers[organisation]; named {
		want.First = before.First
		if before.Prefix != "" {
			b.differs(key, "the prefix of grants that may have been published", before.Prefix, imprint.Prefix)
		}
	}
	b.trail.publishers[organisation] = want
	noted(b, key, "how the organisation is named", spelled(want), func(r fund.Publisher) string { return spelled(r) })
	of, known := b.trail.identified[imprint.Identifier]
	if known {
		b.differs(owner, "whose the identifier is", of, organisation)
		return nil
	}
	b.trail.identified[imprint.Identifier] = organisation
	noted(b, owner, "whose the identifier is", organisation, func(r fund.Identified) string { return r.Organisation })
	return nil
}
