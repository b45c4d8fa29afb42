package cooperative

import (
	"cmp"
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Agent is what a village agent did: what it signed itself, and what was signed
// by the keys that it holds for people without a phone.
type Agent struct {
	Person tape.ID `json:"person"`
	// Organisation is the agent's own.
	Organisation string `json:"organisation"`
	// Serves are the households whose papers it carried.
	Serves []readmodel.Member `json:"serves"`
	// Kinds count what it did, by kind of command and by the service station
	// whose gateway carried it.
	Kinds []Carried `json:"kinds"`
	Count int       `json:"count"`
	// Acts are the latest, the newest first.
	Acts []Act `json:"acts"`
}

// Carried counts what was carried from one service station.
type Carried struct {
	Kind string `json:"kind"`
	// Station is the organisation whose gateway carried it to the ledger.
	Station string `json:"station"`
	Count   int    `json:"count"`
}

// Act is one entry that an agent signed, or that a key in its hands did.
type Act struct {
	readmodel.AgentSignature
	// For is the household whose key it held; none for what it signed itself.
	For tape.AccountID `json:"for,omitempty"`
}

// actsShown bounds the list of what an agent did.
const actsShown = 200

// Agents lists the agents of an organisation who have done something, or of all, by their ids.
func Agents(ctx context.Context, m *readmodel.Model, organisation string) ([]Agent, error) {
	known, err := m.Agents(ctx)
	if err != nil {
		return nil, err
	}
	agents := []Agent{}
	for _, id := range known {
		person, err := readmodel.RecordOf[party.Person](ctx, m, readmodel.PersonPrefix+string(id))
		if err != nil {
			return nil, err
		}
		if organisation != "" && person.Organisation != organisation {
			continue
		}
		agent, err := agentOf(ctx, m, person)
		if err != nil {
			return nil, err
		}
		agents = append(agents, agent)
	}
	return agents, nil
}

// AgentOf is one agent.
func AgentOf(ctx context.Context, m *readmodel.Model, id tape.ID) (Agent, error) {
	person, err := readmodel.RecordOf[party.Person](ctx, m, readmodel.PersonPrefix+string(id))
	if err != nil {
		return Agent{}, err
	}
	return agentOf(ctx, m, person)
}

func agentOf(ctx context.Context, m *readmodel.Model, person party.Person) (Agent, error) {
	a := Agent{Person: person.ID, Organisation: person.Organisation, Serves: []readmodel.Member{}, Kinds: []Carried{}, Acts: []Act{}}
	serves, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Member], error) {
		return m.Members(ctx, readmodel.MemberFilter{Agent: person.ID}, w)
	})
	if err != nil {
		return a, err
	}
	a.Serves = append(a.Serves, serves...)
	if err := a.signed(ctx, m, person.ID, ""); err != nil {
		return a, err
	}
	for _, household := range serves {
		if err := a.signed(ctx, m, household.Person, household.Household); err != nil {
			return a, err
		}
	}
	slices.SortStableFunc(a.Acts, func(x, y Act) int { return cmp.Compare(y.At, x.At) })
	a.Acts = a.Acts[:min(len(a.Acts), actsShown)]
	slices.SortFunc(a.Kinds, func(x, y Carried) int {
		return cmp.Or(cmp.Compare(x.Station, y.Station), cmp.Compare(x.Kind, y.Kind))
	})
	return a, nil
}

// signed adds what one key signed: the agent's own, or that of a household whose key is in an agent's hands.
func (a *Agent) signed(ctx context.Context, m *readmodel.Model, person tape.ID, household tape.AccountID) error {
	signatures, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.AgentSignature], error) {
		return m.AgentSignatures(ctx, person, w)
	})
	for _, s := range signatures {
		a.Acts, a.Count = append(a.Acts, Act{s, household}), a.Count+1
		i := slices.IndexFunc(a.Kinds, func(c Carried) bool { return c.Kind == s.Kind && c.Station == s.Organisation })
		if i < 0 {
			i, a.Kinds = len(a.Kinds), append(a.Kinds, Carried{Kind: s.Kind, Station: s.Organisation})
		}
		a.Kinds[i].Count++
	}
	return err
}
