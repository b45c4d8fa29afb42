package importing

import "sync"

// tally keeps the progress and tells it, one call at a time.
type tally struct {
	mutex  sync.Mutex
	now    Progress
	report func(Progress)
}

func (t *tally) set(change func(*Progress)) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	change(&t.now)
	if t.report != nil {
		t.report(t.now)
	}
}

func (t *tally) stage(name string) { t.set(func(p *Progress) { p.Stage = name }) }
