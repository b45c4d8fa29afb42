-- What the gateway has promised and not yet seen kept.
CREATE TABLE command (
  sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  function       TEXT NOT NULL,
  account        TEXT NOT NULL,
  digest         BLOB NOT NULL,
  argument       BLOB,
  gathered       TEXT NOT NULL DEFAULT '',
  state          TEXT NOT NULL,
  transaction_id TEXT NOT NULL DEFAULT '',
  entry          BLOB,
  block          INTEGER NOT NULL DEFAULT 0,
  reason         TEXT NOT NULL DEFAULT '',
  accepted       INTEGER NOT NULL,
  ended          INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX command_open ON command (sequence) WHERE ended = 0;
CREATE INDEX command_ended ON command (ended) WHERE ended > 0;

-- A member is one gift or one settlement that waits to be gathered with others
-- into a command. Where command is set, the command's state is its own.
CREATE TABLE member (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  account  TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  content  TEXT NOT NULL,
  command  INTEGER REFERENCES command (sequence),
  after    INTEGER NOT NULL,
  reason   TEXT NOT NULL DEFAULT '',
  alone    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, kind, id)
);
CREATE INDEX member_waiting ON member (account, kind, sequence) WHERE command IS NULL AND reason = '';
CREATE INDEX member_command ON member (command) WHERE command IS NOT NULL;

-- The first answer to each idempotency key.
CREATE TABLE answer (
  key    TEXT PRIMARY KEY,
  digest BLOB NOT NULL,
  status INTEGER NOT NULL,
  header TEXT NOT NULL,
  body   BLOB NOT NULL,
  at     INTEGER NOT NULL
);
CREATE INDEX answer_at ON answer (at);

-- Where an import or a reader of blocks stands.
CREATE TABLE cursor (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- What the gateway has begun or was asked for, and has to finish.
CREATE TABLE errand (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  at   INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
);
