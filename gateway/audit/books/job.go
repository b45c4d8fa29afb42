package books

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// job is the money of one large act: parts are what its chunks have paid,
// counted from 0 on its own units.
type job struct {
	account *account
	fate    fate
	spans   tape.Spans
	units   int64
	parts   tape.Spans
}

func (b *Books) openJob() error {
	c, err := command[tape.OpenJob](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	return b.openJobOf(a, c.ID, c.Amount)
}

func (b *Books) openJobOf(a *account, id tape.ID, amount money.Amount) error {
	key := tape.JobKey(a.id, id)
	b.once("job", key)
	spans, err := a.take(amount.Units, fate(key))
	if err != nil {
		return err
	}
	b.jobs[key] = &job{account: a, fate: fate(key), spans: spans, units: amount.Units}
	stored, err := record[tape.Job](b, key)
	if err != nil {
		return err
	}
	b.differs(key, "the spans of the job", spell(whole(spans)), spell(whole(stored.Spans)))
	return nil
}

func (b *Books) runChunk() error {
	c, err := command[tape.RunChunk](b)
	if err != nil {
		return err
	}
	return b.runChunkOf(c)
}

func (b *Books) runChunkOf(c tape.RunChunk) error {
	j, known := b.jobs[tape.JobKey(c.Account, c.Job)]
	if !known {
		return fmt.Errorf("job %s is not there", c.Job)
	}
	key := tape.ChunkKey(c.Account, c.Job, c.N)
	b.once("chunk", key)
	chunk, err := record[tape.Chunk](b, key)
	if err != nil {
		return err
	}
	// Where the chunk begins follows from the job's root; that it overlaps no
	// other one and pays what its lines say can be seen without the root.
	if chunk.Part.Length() > 0 { // one of nothing has no place
		if j.parts, err = j.parts.Add(chunk.Part); err != nil {
			return err
		}
	}
	spans, err := j.spans.Slice(chunk.Part.Start, chunk.Part.End)
	if err != nil {
		return err
	}
	return b.payLines(j, c, spans)
}

func (b *Books) payLines(j *job, c tape.RunChunk, spans tape.Spans) error {
	postings := b.entry.Postings
	for i, line := range c.Lines {
		part, rest, err := spans.Cut(line.Amount.Units)
		if err != nil {
			return err
		}
		spans = rest
		if line.To.Outside() {
			if err := b.keep(j.account, tape.ChunkHold(c.Job, c.N, i), part, j.fate, line.To); err != nil {
				return err
			}
			continue
		}
		if len(postings) == 0 {
			return fmt.Errorf("line %d has no posting", i)
		}
		b.differs(string(j.fate), fmt.Sprintf("what line %d pays to %s", i, line.To), spell(whole(part)), spell(whole(postings[0].Taken)))
		postings = postings[1:]
		if err := j.account.change(part, j.fate, spent); err != nil {
			return err
		}
	}
	if spans.Total() != 0 || len(postings) != 0 {
		return fmt.Errorf("%d units and %d postings of the chunk are no line's", spans.Total(), len(postings))
	}
	return nil
}

func (b *Books) closeJob() error {
	c, err := command[tape.CloseJob](b)
	if err != nil {
		return err
	}
	_, err = b.closeJobOf(c)
	return err
}

// closeJobOf frees what no chunk has paid, and says how much that is.
func (b *Books) closeJobOf(c tape.CloseJob) (int64, error) {
	j, known := b.jobs[tape.JobKey(c.Account, c.Job)]
	if !known {
		return 0, fmt.Errorf("job %s is not there", c.Job)
	}
	left := tape.Spans{{Start: 0, End: j.units}}
	var err error
	for _, part := range slices.Clone(j.parts) {
		if left, err = left.Remove(part); err != nil {
			return 0, err
		}
	}
	if !c.Abandon && len(left) > 0 {
		b.problem(string(j.fate), "a closed job is tiled by its chunks", "none left", spell(left))
	}
	for _, part := range left {
		spans, err := j.spans.Slice(part.Start, part.End)
		if err != nil {
			return 0, err
		}
		if err := j.account.change(spans, j.fate, free); err != nil {
			return 0, err
		}
	}
	return left.Total(), nil
}
