-- The read model is thrown away and rebuilt from block 0, so a change of these
-- tables is a new migration that drops and creates what changed and empties
-- "position": the follower then begins again.
--
-- No key depends on arrival: rows are named as the ledger names them, or by
-- their ordinal (block, transaction and item in one number).
-- +goose Up
CREATE TABLE position (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    block INTEGER NOT NULL,
    hash  BLOB    NOT NULL
) STRICT;

CREATE TABLE blocks (
    number       INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL,
    previous     BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    transactions INTEGER NOT NULL,
    valid        INTEGER NOT NULL
) STRICT;

CREATE TABLE transactions (
    ordinal   INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL,
    valid     INTEGER NOT NULL,
    code      TEXT    NOT NULL,
    function  TEXT    NOT NULL,
    creator   TEXT    NOT NULL,
    endorsers TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    bytes     INTEGER NOT NULL
) STRICT;
CREATE INDEX transactions_id ON transactions (id);

CREATE TABLE entries (
    ordinal       INTEGER PRIMARY KEY, -- that of its transaction
    organisation  TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    business_date TEXT    NOT NULL,
    evidence      TEXT    NOT NULL,
    body          BLOB    NOT NULL,
    UNIQUE (organisation, id)
) STRICT;
CREATE INDEX entries_subject ON entries (subject, ordinal);
CREATE INDEX entries_kind ON entries (kind, ordinal);

CREATE TABLE postings (
    ordinal      INTEGER PRIMARY KEY, -- that of its entry, and its place in it
    from_account TEXT    NOT NULL,
    to_account   TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
CREATE INDEX postings_from ON postings (from_account, ordinal);
CREATE INDEX postings_to ON postings (to_account, ordinal);

-- Net units that went to an account outside the ledger; accruals beside them.
CREATE TABLE sums (
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    memo     INTEGER NOT NULL,
    units    INTEGER NOT NULL,
    PRIMARY KEY (account, currency, memo)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id           TEXT    PRIMARY KEY,
    ordinal      INTEGER NOT NULL,
    organisation TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    attribution  TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    head         BLOB    NOT NULL,
    received     INTEGER NOT NULL,
    free         INTEGER NOT NULL,
    held         INTEGER NOT NULL,
    pending      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pages (
    ordinal    INTEGER PRIMARY KEY,
    account    TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    units      INTEGER NOT NULL,
    settlement INTEGER NOT NULL, -- 0 while there is none
    start      INTEGER NOT NULL, -- -1 while it has no span
    fee        INTEGER NOT NULL, -- what a processor kept of units
    withdrawn  TEXT    NOT NULL, -- JSON record of its withdrawal, empty for none
    rests      TEXT    NOT NULL, -- JSON evidence, empty while there is none
    lines      TEXT    NOT NULL, -- JSON indexes of bank lines, gift by gift; empty where gift i rests on line i or on none
    body       BLOB    NOT NULL,
    UNIQUE (account, id)
) STRICT;
CREATE INDEX pages_account ON pages (account, ordinal);

-- The gifts of a page, some dozens in a row: a row a gift would cost several
-- times as much to write. These are tables with an integer key because SQLite
-- keeps such rows whole on a page; a row of a WITHOUT ROWID table spills over
-- from a quarter of a page on.
CREATE TABLE gifts (
    ordinal INTEGER PRIMARY KEY, -- that of the page, plus 1 for its first row
    start   INTEGER NOT NULL,    -- minor units of the page before it
    body    TEXT    NOT NULL     -- gifts as the ledger spells them, one a line
) STRICT;

-- Where a gift's id stands: sorted runs that are merged as they grow, see giftindex.go.
CREATE TABLE gift_runs (
    level  INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    marks  INTEGER NOT NULL, -- gifts in the row
    body   BLOB    NOT NULL,
    PRIMARY KEY (level, bucket, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    account TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start   INTEGER NOT NULL,
    units   INTEGER NOT NULL,
    source  INTEGER NOT NULL, -- ordinal of the page or inflow
    inflow  INTEGER NOT NULL, -- 1 for an inflow
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX settlements_start ON settlements (account, start);

CREATE TABLE inflows (
    ordinal    INTEGER PRIMARY KEY, -- that of its posting
    account    TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    units      INTEGER NOT NULL,
    origin     TEXT    NOT NULL, -- whose tape it left, outside:... where none
    taken      TEXT    NOT NULL, -- JSON spans on that tape, in the order of the money
    line       TEXT    NOT NULL,
    behalf     TEXT    NOT NULL,
    settlement INTEGER NOT NULL, -- 0 while it waits
    start      INTEGER NOT NULL, -- -1 while it waits
    body       BLOB    NOT NULL,
    home       INTEGER NOT NULL, -- units that go back to the campaign that had handed them over
    home_lines TEXT    NOT NULL, -- JSON: the budget lines that get them back
    UNIQUE (account, source)
) STRICT;
CREATE INDEX inflows_account ON inflows (account, ordinal);

CREATE TABLE holds (
    ordinal INTEGER PRIMARY KEY,
    account TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    purpose TEXT    NOT NULL, -- kind of the entry that made it
    job     TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    UNIQUE (account, id)
) STRICT;
CREATE INDEX holds_account ON holds (account, ordinal);

CREATE TABLE jobs (
    ordinal INTEGER PRIMARY KEY,
    account TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    ran     INTEGER NOT NULL,
    moved   INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    UNIQUE (account, id)
) STRICT;
CREATE INDEX jobs_account ON jobs (account, ordinal);

CREATE TABLE chunks (
    account TEXT    NOT NULL,
    job     TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, job, n)
) STRICT, WITHOUT ROWID;

-- The units of a tape that are not free, without overlap: what is between the rows is free.
CREATE TABLE taken (
    account TEXT    NOT NULL,
    start   INTEGER NOT NULL,
    stop    INTEGER NOT NULL,
    hold    INTEGER NOT NULL, -- ordinal of the hold that keeps or kept it, 0 without one
    job     INTEGER NOT NULL, -- ordinal of the job that keeps or kept it, 0 without one
    posting INTEGER NOT NULL, -- ordinal of the posting that moved it, 0 while it is kept
    off     INTEGER NOT NULL, -- units of that posting before it
    PRIMARY KEY (account, start)
) STRICT, WITHOUT ROWID;

-- Ways of money that ended with its return, beside what became of it since.
CREATE TABLE returned (
    account TEXT    NOT NULL,
    start   INTEGER NOT NULL,
    stop    INTEGER NOT NULL,
    out     INTEGER NOT NULL, -- ordinal of the posting that had taken it
    back    INTEGER NOT NULL, -- ordinal of the posting that brought it back
    hold    INTEGER NOT NULL,
    PRIMARY KEY (account, start, back, out)
) STRICT, WITHOUT ROWID;

CREATE TABLE statements (
    account  TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    ordinal  INTEGER NOT NULL,
    filed    INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX statements_ordinal ON statements (ordinal);

CREATE TABLE lines_pages (
    account   TEXT    NOT NULL,
    statement TEXT    NOT NULL,
    n         INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL UNIQUE,
    used      TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (account, statement, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE lines (
    ordinal INTEGER PRIMARY KEY, -- that of the page of lines, plus 1 for its first row
    start   INTEGER NOT NULL,
    body    TEXT    NOT NULL
) STRICT;

CREATE TABLE reversals (
    account TEXT    NOT NULL,
    page    TEXT    NOT NULL,
    gift    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, page, gift)
) STRICT, WITHOUT ROWID;

-- Valid transactions that are not understood, and of which nothing is counted.
CREATE TABLE aside (
    ordinal  INTEGER PRIMARY KEY, -- that of the transaction
    id       TEXT    NOT NULL,
    function TEXT    NOT NULL,
    reason   TEXT    NOT NULL
) STRICT;

-- Persons, organisations, processors' files and whatever else has a key.
CREATE TABLE records (
    key     TEXT    PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    value   BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
