package readmodel

import (
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

func (w *writer) entryRecord(_ int, rest string, value []byte) error {
	organisation, id, err := cut(rest)
	if err != nil {
		return err
	}
	var entry tape.Entry
	if err := json.Unmarshal(value, &entry); err != nil {
		return err
	}
	if entry.Organisation != organisation || string(entry.ID) != id || w.entry != nil {
		return rule.Refuse(rule.Conflict, "it is entry %s, one of two in the transaction or not the one of its key", entry.Reference())
	}
	w.entry = &entry
	evidence, err := text(append([]tape.Evidence{}, entry.Evidence...))
	if err != nil {
		return err
	}
	if err := w.exec("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(w.base), organisation, id, entry.Kind, entry.Subject,
		int64(entry.At), string(entry.BusinessDate), evidence, filled(value)); err != nil {
		return err
	}
	if err := w.agents(entry.Intents); err != nil {
		return err
	}
	return rule.Field("postings", w.postings(entry.Postings))
}

func (w *writer) postings(postings []tape.Posting) error {
	for i, posting := range postings {
		if err := w.turnover(posting); err != nil {
			return err
		}
		if err := w.posting(i, posting); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) posting(i int, p tape.Posting) error {
	at, err := w.item(i)
	if err != nil {
		return err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := w.exec("INSERT INTO postings VALUES (?, ?, ?, ?)", int64(at), string(p.From), string(p.To), body); err != nil {
		return err
	}
	if p.Memo || p.From.Outside() {
		if err := w.sum(p.From, p, -p.Amount.Units); err != nil {
			return err
		}
	}
	if p.Memo || p.To.Outside() {
		if err := w.sum(p.To, p, p.Amount.Units); err != nil {
			return err
		}
	}
	if err := w.postingFlows(p); err != nil {
		return err
	}
	if _, err := w.put(p.From, p.Taken, piece{posting: at}); err != nil {
		return err
	}
	return w.reopen(p.To, p.Laid, at)
}

func (w *writer) sum(account tape.AccountID, p tape.Posting, units int64) error {
	return w.exec("INSERT INTO sums VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units",
		string(account), string(p.Amount.Currency), p.Memo, units)
}

func (w *writer) inflow(_ int, rest string, value []byte) error {
	account, source, err := cut(rest)
	if err != nil {
		return err
	}
	var inflow tape.Inflow
	if err := json.Unmarshal(value, &inflow); err != nil {
		return err
	}
	if w.entry == nil {
		return rule.Refuse(rule.Conflict, "an inflow without an entry")
	}
	digits, ours := strings.CutPrefix(source, w.entry.Reference()+"/")
	index, err := number(digits)
	if !ours || err != nil || index >= int64(len(w.entry.Postings)) {
		return rule.Refuse(rule.Conflict, "an inflow that is no posting of entry %s", w.entry.Reference())
	}
	posting := w.entry.Postings[index]
	at, err := w.item(int(index))
	if err != nil {
		return err
	}
	taken, err := text(append(tape.Spans{}, inflow.Taken...))
	if err != nil {
		return err
	}
	home, err := w.leaves(inflow)
	if err != nil {
		return err
	}
	if err := w.exec("INSERT INTO inflows VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, -1, ?, ?, ?)", int64(at), account, source, inflow.Amount.Units,
		string(inflow.From), taken, string(posting.Line), string(posting.OnBehalfOf), filled(value), w.homeUnits(), home); err != nil {
		return err
	}
	return w.change("UPDATE accounts SET pending = pending + ? WHERE id = ?", inflow.Amount.Units, account)
}

// leaves takes a gift that is rebooked off the figures of the account that it
// leaves, and spells the budget lines that an inflow gives something back to.
func (w *writer) leaves(inflow tape.Inflow) (home string, err error) {
	if inflow.Gift != nil {
		if err := w.giftFlows(inflow.From, *inflow.Gift, -inflow.Amount.Units, -1); err != nil {
			return "", err
		}
	}
	if w.homeUnits() > inflow.Amount.Units {
		return "", rule.Refuse(rule.Conflict, "%d units come home of %s", w.homeUnits(), inflow.Amount)
	}
	return text(w.home)
}

// settlement gives a page or an inflow its span. An inflow's source has
// slashes, and a page's id has none.
func (w *writer) settlement(_ int, rest string, value []byte) error {
	account, _, err := cut(rest)
	if err != nil {
		return err
	}
	var s tape.Settlement
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	inflow := strings.Contains(s.Source, "/")
	find := "SELECT ordinal, units FROM pages WHERE account = ? AND id = ?"
	if inflow {
		find = "SELECT ordinal, units FROM inflows WHERE account = ? AND source = ?"
	}
	var source, units int64
	found, err := w.get(find, []any{account, s.Source}, &source, &units)
	if err != nil || !found {
		return orMissing(err, "source %s", s.Source)
	}
	if units != s.Span.Length() {
		return rule.Refuse(rule.Conflict, "%s has %d units and is laid on %s", s.Source, units, s.Span)
	}
	if err := w.exec("INSERT INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?)", account, s.N, int64(w.base), s.Span.Start, units, source, inflow, filled(value)); err != nil {
		return err
	}
	if inflow {
		err = w.settleInflow(s, source)
	} else {
		err = w.settlePage(s, source)
	}
	if err != nil {
		return err
	}
	return w.change("UPDATE accounts SET pending = pending - ? WHERE id = ?", units, account)
}

// settleInflow counts what another account granted, and what of a grant comes
// home; what came back from outside was counted as it came.
func (w *writer) settleInflow(s tape.Settlement, inflow int64) error {
	var from string
	var body, lines []byte
	if _, err := w.get("SELECT origin, home_lines, body FROM inflows WHERE ordinal = ?", []any{inflow}, &from, &lines, &body); err != nil {
		return err
	}
	var record tape.Inflow
	if err := json.Unmarshal(body, &record); err != nil {
		return err
	}
	switch {
	case record.Gift != nil: // a gift that was identified or moved counts where it belongs
		if err := w.giftFlows(s.Account, *record.Gift, s.Span.Length(), 1); err != nil {
			return err
		}
	case !tape.AccountID(from).Outside():
		if err := w.grantedFlows(s, tape.AccountID(from), lines); err != nil {
			return err
		}
	}
	return w.change("UPDATE inflows SET settlement = ?, start = ? WHERE ordinal = ? AND settlement = 0", s.N, s.Span.Start, inflow)
}

// grantedFlows counts money of another account: on the budget lines that get it
// back, what comes home, and the rest as granted.
func (w *writer) grantedFlows(s tape.Settlement, from tape.AccountID, lines []byte) error {
	own, err := w.ownCampaigns(from, s.Account)
	if err != nil {
		return err
	}
	var home []fund.Ordered
	if err := json.Unmarshal(lines, &home); err != nil {
		return err
	}
	rest := s.Span.Length()
	for _, one := range home {
		w.flowWith(s.Account, FlowRecovered, one.Line, own, one.Units, 1)
		rest -= one.Units
	}
	w.flowWith(s.Account, FlowGranted, "", own, rest, 1)
	return nil
}

// selfDeclared is the kind of evidence that is no more than the charity's word.
const selfDeclared = "self-declared"

// settledAs is how gifts that rest on some evidence are counted.
func settledAs(evidence tape.Evidence) FlowKind {
	if evidence.Kind == selfDeclared {
		return FlowDeclared
	}
	return FlowSettled
}

func (w *writer) settlePage(s tape.Settlement, page int64) error {
	evidence, err := text(s.Evidence)
	if err != nil {
		return err
	}
	var count int
	if _, err := w.get("SELECT count FROM pages WHERE ordinal = ?", []any{page}, &count); err != nil {
		return err
	}
	w.flow(s.Account, settledAs(s.Evidence), "", s.Span.Length(), count)
	return w.change("UPDATE pages SET state = ?, settlement = ?, start = ?, fee = ?, rests = ? WHERE ordinal = ? AND state = ?",
		string(PageSettled), s.N, s.Span.Start, s.Fee, evidence, page, string(PagePending))
}

// settled has news only where a page was split or withdrawn: settlements speak for themselves.
func (w *writer) settled(_ int, rest string, value []byte) error {
	account, source, err := cut(rest)
	if err != nil {
		return err
	}
	var settled tape.Settled
	if err := json.Unmarshal(value, &settled); err != nil || settled.N != 0 {
		return err
	}
	var units int64
	var count int
	found, err := w.get("SELECT units, count FROM pages WHERE account = ? AND id = ?", []any{account, source}, &units, &count)
	if err != nil || !found {
		return orMissing(err, "page %s", source)
	}
	state, withdrawn := PageSplit, ""
	if settled.Withdrawn != "" {
		state, withdrawn = PageWithdrawn, string(value)
		w.flow(tape.AccountID(account), FlowRaised, "", -units, -count)
	}
	if err := w.change("UPDATE pages SET state = ?, withdrawn = ? WHERE account = ? AND id = ? AND state = ?", string(state), withdrawn, account, source, string(PagePending)); err != nil {
		return err
	}
	return w.change("UPDATE accounts SET pending = pending - ? WHERE id = ?", units, account)
}

func (w *writer) hold(n int, rest string, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	var hold, before tape.Hold
	if err := json.Unmarshal(value, &hold); err != nil {
		return err
	}
	var at int64
	var body []byte
	found, err := w.get("SELECT ordinal, body FROM holds WHERE account = ? AND id = ?", []any{account, id}, &at, &body)
	if err != nil {
		return err
	}
	if !found {
		return w.newHold(n, hold, value)
	}
	if err := json.Unmarshal(body, &before); err != nil {
		return err
	}
	gone := before.Spans
	for _, kept := range hold.Spans {
		if gone, err = gone.Remove(kept); err != nil {
			return err
		}
	}
	// What was captured has left with its posting; what is still kept and not
	// in the hold any more was reclaimed.
	if err := w.drop(hold.Account, gone, func(p piece) bool { return p.hold == ordinal(at) }); err != nil {
		return err
	}
	if err := w.holdFlows(before, hold); err != nil {
		return err
	}
	return w.change("UPDATE holds SET state = ?, body = ? WHERE ordinal = ?", string(hold.State), filled(value), at)
}

// holdFlows counts what a hold gave up, and what its receiver's word is about
// now. A refund that was given up had not been ordered for a payee.
func (w *writer) holdFlows(before, hold tape.Hold) error {
	line, purpose, err := w.lineOfHold(hold.Account, hold.ID)
	if err != nil || purpose == refundKind {
		return err
	}
	if units, count := released(before, hold); units != 0 {
		w.flow(hold.Account, FlowReleased, line, units, count)
	}
	word, err := w.word(hold.Account, hold.ID)
	w.saidFlows(line, word, before, word, hold)
	return err
}

// released is what a hold gave up, less what the bank turned out to have paid of it.
func released(before, hold tape.Hold) (units int64, count int) {
	switch {
	case hold.State == tape.HoldReleased && before.State == tape.HoldOpen:
		return hold.Spans.Total(), 1
	case before.State == tape.HoldReleased && hold.State == tape.HoldCaptured:
		return hold.Spans.Total() - before.Spans.Total(), -1
	case before.State == tape.HoldReleased && hold.State != tape.HoldReclaimed:
		return hold.Spans.Total() - before.Spans.Total(), 0
	}
	return 0, 0
}

func (w *writer) newHold(n int, hold tape.Hold, value []byte) error {
	at, err := w.item(n)
	if err != nil {
		return err
	}
	of, err := w.put(hold.Account, hold.Spans, piece{hold: at})
	if err != nil {
		return err
	}
	job, err := w.nameOfJob(of)
	if err != nil {
		return err
	}
	purpose := ""
	if w.entry != nil {
		purpose = w.entry.Kind
	}
	if job == "" && purpose != refundKind { // a job's money was counted when the job was opened
		w.flow(hold.Account, FlowOrdered, "", hold.Amount.Units, 1)
	}
	return w.exec("INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(at), string(hold.Account), string(hold.ID), string(hold.State), purpose, job, filled(value), string(hold.To),
		string(donation.ReferenceOfPayout(hold.Account, hold.ID)))
}

// nameOfJob is the job's id, empty for 0; a chunk asks for the same one for each hold.
func (w *writer) nameOfJob(job ordinal) (string, error) {
	if job == 0 {
		return "", nil
	}
	if job == w.named.job {
		return w.named.name, nil
	}
	name := ""
	found, err := w.get("SELECT id FROM jobs WHERE ordinal = ?", []any{int64(job)}, &name)
	if err != nil || !found {
		return "", orMissing(err, "job %d", job)
	}
	w.named = namedJob{job, name}
	return name, nil
}

func (w *writer) job(n int, rest string, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	var job tape.Job
	if err := json.Unmarshal(value, &job); err != nil {
		return err
	}
	var known int64
	found, err := w.get("SELECT ordinal FROM jobs WHERE account = ? AND id = ?", []any{account, id}, &known)
	if err != nil {
		return err
	}
	if found {
		// An abandoned job gives back what no chunk had paid.
		if err := w.drop(job.Account, job.Left, func(p piece) bool { return p.job == ordinal(known) && p.hold == 0 }); err != nil {
			return err
		}
		return w.jobEnds(job, known, value)
	}
	at, err := w.item(n)
	if err != nil {
		return err
	}
	if err := w.exec("INSERT INTO jobs VALUES (?, ?, ?, ?, 0, 0, ?)", int64(at), account, id, string(job.State), filled(value)); err != nil {
		return err
	}
	line, err := w.lineOf(job.Account, id)
	if err != nil {
		return err
	}
	w.flow(job.Account, FlowOrdered, line, job.Amount.Units, 1)
	_, err = w.put(job.Account, job.Spans, piece{job: at})
	return err
}

// jobEnds notes that a job was closed or abandoned, and with it the disbursement that it is.
func (w *writer) jobEnds(job tape.Job, known int64, value []byte) error {
	line, err := w.lineOf(job.Account, string(job.ID))
	if err != nil {
		return err
	}
	w.flow(job.Account, FlowReleased, line, job.Left.Total(), 1)
	if err := w.exec("UPDATE disbursements SET state = ? WHERE account = ? AND id = ?", string(job.State), string(job.Account), string(job.ID)); err != nil {
		return err
	}
	return w.change("UPDATE jobs SET state = ?, body = ? WHERE ordinal = ?", string(job.State), filled(value), known)
}
