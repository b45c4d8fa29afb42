-- How groups and calls of guarantors stood before: figures of a day that has
-- passed are reckoned from them. The follower begins again.
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
DELETE FROM loans;
DELETE FROM loan_lenders;
DELETE FROM loan_guarantors;
DELETE FROM members;
DELETE FROM orders;
DELETE FROM deliveries;
DELETE FROM agent_signatures;
DELETE FROM turnovers;

-- A record as each transaction left it; ordinal is that of its entry.
CREATE TABLE histories (
    key     TEXT    NOT NULL,
    ordinal INTEGER NOT NULL,
    value   BLOB    NOT NULL,
    PRIMARY KEY (key, ordinal)
) STRICT, WITHOUT ROWID;
