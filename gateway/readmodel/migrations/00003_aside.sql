-- Transactions that are not understood are set aside, and flows have kinds that
-- they had not. The follower begins again.
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
DELETE FROM flows;
DELETE FROM campaigns;
DELETE FROM disbursements;
DELETE FROM approvals;
DELETE FROM payees;
DELETE FROM confirmations;

-- Valid transactions of which nothing is counted, and why.
CREATE TABLE aside (
    ordinal  INTEGER PRIMARY KEY, -- that of the transaction
    id       TEXT    NOT NULL,
    function TEXT    NOT NULL,
    reason   TEXT    NOT NULL
) STRICT;
