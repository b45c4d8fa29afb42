-- The fund trail: campaigns, disbursements, payees, confirmations, and what
-- flowed through each account day by day. The follower begins again.
-- +goose Up
DELETE FROM position;
DELETE FROM blocks;
DELETE FROM transactions;
DELETE FROM entries;
DELETE FROM postings;
DELETE FROM sums;
DELETE FROM accounts;
DELETE FROM pages;
DELETE FROM gifts;
DELETE FROM gift_runs;
DELETE FROM settlements;
DELETE FROM inflows;
DELETE FROM holds;
DELETE FROM jobs;
DELETE FROM chunks;
DELETE FROM taken;
DELETE FROM returned;
DELETE FROM statements;
DELETE FROM lines_pages;
DELETE FROM lines;
DELETE FROM reversals;
DELETE FROM records;

-- What flowed: units and how many, by day, kind and budget line ('' where no
-- line is concerned). Figures, timelines and pictures are sums over it.
CREATE TABLE flows (
    account TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    line    TEXT    NOT NULL,
    own     INTEGER NOT NULL, -- 1 between two campaigns of one organisation
    units   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (account, day, kind, line, own)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
    account      TEXT    PRIMARY KEY,
    ordinal      INTEGER NOT NULL,
    organisation TEXT    NOT NULL,
    basis        TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    parent       TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- The same flows by block: what was published counts the blocks up to one.
CREATE TABLE flows_by_block (
    account TEXT    NOT NULL,
    block   INTEGER NOT NULL,
    day     TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    line    TEXT    NOT NULL,
    own     INTEGER NOT NULL,
    units   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (account, block, day, kind, line, own)
) STRICT, WITHOUT ROWID;

-- Campaigns as each change has left them.
CREATE TABLE campaigns_before (
    account TEXT    NOT NULL,
    ordinal INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE disbursements (
    ordinal INTEGER PRIMARY KEY,
    account TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    line    TEXT    NOT NULL,
    state   TEXT    NOT NULL, -- proposed, ordered, closed, abandoned or rejected
    listed  INTEGER NOT NULL, -- chunks laid open
    body    BLOB    NOT NULL,
    UNIQUE (account, id)
) STRICT;
CREATE INDEX disbursements_state ON disbursements (state, ordinal);

CREATE TABLE approvals (
    account      TEXT    NOT NULL,
    disbursement TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    ordinal      INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (account, disbursement, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE payees (
    ordinal      INTEGER PRIMARY KEY,
    account      TEXT    NOT NULL,
    payee        TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    next_person  TEXT    NOT NULL, -- who takes its place at next_from, '' for nobody
    next_from    INTEGER NOT NULL,
    agent        TEXT    NOT NULL,
    bank_account TEXT    NOT NULL,
    device       TEXT    NOT NULL,
    flagged      TEXT    NOT NULL, -- the reason of the oldest flag that stands, '' without one
    flagged_since INTEGER NOT NULL, -- when it was raised, 0 without one
    body         BLOB    NOT NULL,
    UNIQUE (account, payee)
) STRICT;
CREATE INDEX payees_person ON payees (person);
CREATE INDEX payees_next ON payees (next_person) WHERE next_person <> '';

CREATE TABLE confirmations (
    account TEXT    NOT NULL,
    hold    TEXT    NOT NULL,
    ordinal INTEGER NOT NULL,
    outcome TEXT    NOT NULL,
    units   INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, hold)
) STRICT, WITHOUT ROWID;

ALTER TABLE holds ADD COLUMN payee TEXT NOT NULL DEFAULT '';
CREATE INDEX holds_payee ON holds (payee, ordinal);

-- What banks write into the memos of payouts, and of files of payouts.
ALTER TABLE holds ADD COLUMN reference TEXT NOT NULL DEFAULT '';
CREATE INDEX holds_reference ON holds (reference);
CREATE INDEX holds_job ON holds (account, job, ordinal);
ALTER TABLE chunks ADD COLUMN reference TEXT NOT NULL DEFAULT '';
CREATE INDEX chunks_reference ON chunks (reference);

-- Persons by what is to be done about them; their records stand in "records".
CREATE TABLE persons (
    id           TEXT    PRIMARY KEY,
    ordinal      INTEGER NOT NULL,
    organisation TEXT    NOT NULL,
    waits        TEXT    NOT NULL, -- who brought the key that waits for a witness, '' where none does
    guardian     TEXT    NOT NULL, -- who may speak for the person, '' for nobody
    body         BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX persons_waits ON persons (waits, id) WHERE waits <> '';
CREATE INDEX persons_guardian ON persons (guardian, id) WHERE guardian <> '';
