-- The cooperative: loans by who has to do with them, members, orders,
-- deliveries, what agents signed, and what moved on each account day by day. The
-- records themselves stand in "records". The follower begins again.
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
DELETE FROM aside;
DELETE FROM records;
DELETE FROM flows;
DELETE FROM flows_by_block;
DELETE FROM campaigns;
DELETE FROM campaigns_before;
DELETE FROM disbursements;
DELETE FROM approvals;
DELETE FROM payees;
DELETE FROM confirmations;
DELETE FROM persons;

-- Keys are those of the records.
CREATE TABLE loans (
    key         TEXT    PRIMARY KEY,
    scheme      TEXT    NOT NULL,
    household   TEXT    NOT NULL,
    guarantee   TEXT    NOT NULL, -- the group that guarantees it
    state       TEXT    NOT NULL,
    outstanding INTEGER NOT NULL  -- 1 while it is contracted or runs
) STRICT, WITHOUT ROWID;
CREATE INDEX loans_household ON loans (household, key);
CREATE INDEX loans_group ON loans (scheme, guarantee, key);
CREATE INDEX loans_outstanding ON loans (scheme, outstanding, key);

-- Who lends it, a row a lender; who guarantees it, a row a household.
CREATE TABLE loan_lenders (
    lender TEXT NOT NULL,
    key    TEXT NOT NULL,
    PRIMARY KEY (lender, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE loan_guarantors (
    household TEXT NOT NULL,
    key       TEXT NOT NULL,
    PRIMARY KEY (household, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    key       TEXT PRIMARY KEY,
    scheme    TEXT NOT NULL,
    household TEXT NOT NULL,
    person    TEXT NOT NULL,
    next      TEXT NOT NULL, -- who will sign for it, '' for nobody
    agent     TEXT NOT NULL, -- who carried its papers, '' for nobody
    state     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX members_person ON members (person, key);
CREATE INDEX members_next ON members (next, key) WHERE next <> '';
CREATE INDEX members_agent ON members (agent, key) WHERE agent <> '';

CREATE TABLE orders (
    key      TEXT PRIMARY KEY,
    scheme   TEXT NOT NULL,
    loan     TEXT NOT NULL,
    date     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_loan ON orders (scheme, loan, key);
CREATE INDEX orders_date ON orders (scheme, date, key);

-- Lots as households delivered them.
CREATE TABLE deliveries (
    household TEXT NOT NULL,
    key       TEXT NOT NULL,
    PRIMARY KEY (household, key)
) STRICT, WITHOUT ROWID;

-- What was signed by agents, and by keys that agents hold for others.
CREATE TABLE agent_signatures (
    person  TEXT    NOT NULL,
    ordinal INTEGER NOT NULL, -- that of the entry
    duty    TEXT    NOT NULL,
    custody TEXT    NOT NULL,
    PRIMARY KEY (person, ordinal)
) STRICT, WITHOUT ROWID;

-- What left and reached each account, by civil day; accruals beside it.
CREATE TABLE turnovers (
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    memo     INTEGER NOT NULL,
    day      TEXT    NOT NULL,
    left_it  INTEGER NOT NULL,
    reached  INTEGER NOT NULL,
    PRIMARY KEY (account, currency, memo, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX turnovers_day ON turnovers (day);
