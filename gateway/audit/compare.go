package audit

import (
	"bytes"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// compare holds what a transaction carries against what the contracts make of it.
func (a *Auditor) compare(t replay.Transaction, outcome replay.Outcome) {
	found := replay.Results{t.Results.In(a.options.Chaincode)}
	expected := replay.Results{outcome.Results.In(a.options.Chaincode)}
	a.compareWrites(t, expected[0], found[0])
	a.compareAnswer(t, outcome)
	for _, set := range t.Results {
		if set.Namespace != a.options.Chaincode && (len(set.Writes) > 0 || len(set.Metadata) > 0) {
			a.addAt(t, Finding{Check: CheckReplay, What: fmt.Sprintf("the contracts do not write into the state of %q", set.Namespace)})
		}
	}
	if difference := replay.Difference(withoutValues(expected), withoutValues(found)); difference != "" {
		a.addAt(t, Finding{Check: CheckReplay, What: "first the contracts, second the block: " + difference})
	}
}

// compareWrites walks both lists of writes by key.
func (a *Auditor) compareWrites(t replay.Transaction, expected, found replay.Set) {
	differs := func(key string, want, have []byte) {
		a.addAt(t, Finding{Check: CheckReplay, Key: key, What: "the write differs", Expected: string(want), Found: string(have)})
	}
	for len(expected.Writes) > 0 || len(found.Writes) > 0 {
		switch {
		case len(found.Writes) == 0 || len(expected.Writes) > 0 && expected.Writes[0].Key < found.Writes[0].Key:
			differs(expected.Writes[0].Key, expected.Writes[0].Value, nil)
			expected.Writes = expected.Writes[1:]
		case len(expected.Writes) == 0 || found.Writes[0].Key < expected.Writes[0].Key:
			differs(found.Writes[0].Key, nil, found.Writes[0].Value)
			found.Writes = found.Writes[1:]
		default:
			want, have := expected.Writes[0], found.Writes[0]
			if !bytes.Equal(want.Value, have.Value) || want.Delete != have.Delete {
				differs(want.Key, want.Value, have.Value)
			}
			expected.Writes, found.Writes = expected.Writes[1:], found.Writes[1:]
		}
	}
}

// withoutValues leaves what compareWrites does not look at: reads, ranges,
// policies of keys, collections.
func withoutValues(results replay.Results) replay.Results {
	set := results[0]
	set.Writes = nil
	return replay.Results{set}
}

func (a *Auditor) compareAnswer(t replay.Transaction, outcome replay.Outcome) {
	if t.Response.Status != outcome.Response.Status || !bytes.Equal(t.Response.Payload, outcome.Response.Payload) || t.Response.Message != outcome.Response.Message {
		a.addAt(t, Finding{Check: CheckReplay, What: "the answer differs",
			Expected: spellAnswer(outcome.Response), Found: spellAnswer(t.Response)})
	}
	if spellEvent(t.Event) != spellEvent(outcome.Event) {
		a.addAt(t, Finding{Check: CheckReplay, What: "the event differs", Expected: spellEvent(outcome.Event), Found: spellEvent(t.Event)})
	}
}

func spellAnswer(r replay.Response) string {
	return fmt.Sprintf("%d %s%s", r.Status, r.Message, r.Payload)
}

func spellEvent(e *replay.Event) string {
	if e == nil {
		return ""
	}
	return e.Name + " " + string(e.Payload)
}
