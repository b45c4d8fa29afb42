package document

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"sync"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// PutOnce is Put for what may be sent twice. The sender names the sending, such
// as a form by its id; what the same sending brings again (kind, payees and
// bytes are the same) is cited as the first time, and kept once. Another sending
// keeps the same bytes anew: a document stands for one thing on the ledger.
func (a *Archive) PutOnce(ctx context.Context, sending, kind, mediaType string, r io.Reader, about ...string) (Citation, error) {
	digest := sha256.Sum256([]byte("lianbao sending 1\n" + sending))
	sent := hex.EncodeToString(digest[:16])
	done, err := a.sendings.take(ctx, sent)
	if err != nil {
		return Citation{}, err
	}
	defer done()
	return a.put(ctx, sent, kind, mediaType, r, about)
}

// earlier is a document of the same sending, and the hash over what comes now as it would be cited.
type earlier struct {
	Citation
	hash hash.Hash
}

// before are the documents that may be the same as one that comes.
func (a *Archive) before(m Meta) ([]earlier, error) {
	if m.Sent == "" {
		return nil, nil
	}
	ids, err := a.keys.idsSent(m.Sent)
	var all []earlier
	for _, id := range ids {
		first, err := a.Meta(id)
		if rule.Is(err, rule.NotFound) {
			continue // taken back since
		}
		if err != nil {
			return nil, err
		}
		if first.Shredded.IsZero() && first.Kind == m.Kind && first.MediaType == m.MediaType && slices.Equal(first.About, m.About) {
			all = append(all, earlier{first.Citation, commitment(first.Salt, m.MediaType)})
		}
	}
	return all, err
}

// turns let one at a time do what has a name: whoever sends a form twice at the
// same moment is answered the second time when the first is kept.
type turns struct {
	mutex sync.Mutex
	held  map[string]chan struct{}
}

func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	for {
		t.mutex.Lock()
		busy, is := t.held[name]
		if !is {
			if t.held == nil {
				t.held = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			t.held[name] = mine
			t.mutex.Unlock()
			return func() {
				t.mutex.Lock()
				defer t.mutex.Unlock()
				delete(t.held, name)
				close(mine)
			}, nil
		}
		t.mutex.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
