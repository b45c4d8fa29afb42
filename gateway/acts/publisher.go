package acts

import (
	"github.com/lianbao/lianbao/chaincode/fund"
)

// publisherActs are what an organisation says of itself. Each says it with its
// own staff, so the act is about no campaign.
func publisherActs() []Act {
	under := func(f Field, of string) Field { return f.at("imprint." + of) }
	return []Act{
		act("name-publisher", "Fund:NamePublisher", []Field{under(line("identifier"), "identifier").need(), under(kind("name", Texts), "name").need(),
			under(choice("law-kind", "organisation-kind.", fund.OrganisationKinds()...), "kind").need(), under(choice("iati-type", "iati-type.", fund.PublisherTypes()...), "type").need(),
			under(choice("language", "language.", fund.Languages()...), "language").need(), under(line("prefix"), "prefix"), under(line("license"), "license"), under(line("source"), "source")},
			func(f *form) fund.NamePublisher {
				return fund.NamePublisher{ID: f.id, Organisation: f.ground.Organisation, Imprint: fund.Imprint{Identifier: f.text("identifier"), Kind: f.text("law-kind"), Language: f.text("language"),
					License: f.text("license"), Name: f.texts("name"), Prefix: f.text("prefix"), Source: f.text("source"), Type: f.text("iati-type")}}
			}, (*ground).names).apart().amending().from(func(g *ground) Answers {
			known := record[fund.Publisher](g, fund.PublisherKey(g.Organisation))
			if known == nil {
				return Answers{}
			}
			return Answers{Texts: map[string]string{"identifier": known.Identifier, "law-kind": known.Kind, "language": known.Language, "license": known.License,
				"name-en": known.Name.En, "name-zh": known.Name.Zh, "prefix": known.Prefix, "source": known.Source, "iati-type": known.Type}}
		}),
	}
}

func (g *ground) names(c fund.NamePublisher) error {
	state := fund.PublisherState{Known: record[fund.Publisher](g, fund.PublisherKey(c.Organisation))}
	if c.Check() == nil { // no record is asked for by a name that cannot be one
		state.Owner = record[fund.Identified](g, fund.IdentifiedKey(c.Imprint.Identifier))
	}
	_, _, _, err := c.Apply(state, g.context(g.Person))
	return err
}
