import type { DatabaseSync } from 'node:sqlite'
import { Transactions } from './transaction.ts'

/** `application_id` of our files: "MLRC". */
export const APPLICATION_ID = 0x4d4c5243

/**
 * What makes a file of one version into one of the next; the version is the `user_version` of the file. A new file goes
 * through all of them. What is in this list has been written to disks: it is added to, never changed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row: where the log stands. It goes on from here even when every event was evicted.
  CREATE TABLE log (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    origin_check TEXT NOT NULL,
    head_seq INTEGER NOT NULL,
    head_check TEXT NOT NULL,
    -- Log time of the newest event.
    time_ms INTEGER NOT NULL,
    -- Ages are measured by age_ms, which only rises; it was age_ms when the wall clock showed wall_ms.
    age_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    -- The newest evicted event; seq 0 for none.
    evicted_seq INTEGER NOT NULL DEFAULT 0,
    evicted_check TEXT NOT NULL DEFAULT '',
    -- The newest evicted event of topics that were forgotten.
    forgotten_seq INTEGER NOT NULL DEFAULT 0,
    forgotten_check TEXT NOT NULL DEFAULT '',
    has_forgotten INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- One row: the run that has the file open, or had it last.
  CREATE TABLE run (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    is_clean INTEGER NOT NULL,
    boot_id TEXT,
    durability TEXT NOT NULL
  ) STRICT;

  CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- 0 for a forgotten topic, which has a row for as long as it has events.
    is_known INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    -- Of the events kept.
    event_count INTEGER NOT NULL,
    event_bytes INTEGER NOT NULL,
    evicted_seq INTEGER NOT NULL DEFAULT 0,
    evicted_check TEXT NOT NULL DEFAULT ''
  ) STRICT;

  CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    -- The event of the same topic before it, kept or not; 0 for none. A chain instead of an index: an index by topic
    -- would have to be written in as many places as there are topics, by each append and each eviction.
    previous_seq INTEGER NOT NULL,
    check_before TEXT NOT NULL,
    check_own TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    -- UTF-8 bytes of topic, type and data.
    size_bytes INTEGER NOT NULL,
    type TEXT,
    is_json INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;

  -- The last event of each known topic of which no event is kept.
  CREATE TABLE last_event (
    topic INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    check_own TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    type TEXT,
    is_json INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;

  -- What is kept under each retention rule: sums that a start need not recount while the rules stay the same.
  CREATE TABLE rule (
    position INTEGER PRIMARY KEY,
    match TEXT NOT NULL,
    event_count INTEGER NOT NULL,
    event_bytes INTEGER NOT NULL,
    -- Every event of the rule up to here is evicted.
    evicted_to INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE event ADD COLUMN value_key TEXT;
  ALTER TABLE event ADD COLUMN except_client TEXT;
  ALTER TABLE event ADD COLUMN is_end INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE last_event ADD COLUMN value_key TEXT;
  ALTER TABLE last_event ADD COLUMN except_client TEXT;
  ALTER TABLE last_event ADD COLUMN is_end INTEGER NOT NULL DEFAULT 0;

  -- Whether its last event has is_end.
  ALTER TABLE topic ADD COLUMN is_ended INTEGER NOT NULL DEFAULT 0;
  -- Whether it is a state topic. Such a topic has no rows in event and last_event; its count and bytes are those of its
  -- superseded values.
  ALTER TABLE topic ADD COLUMN is_state INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rule ADD COLUMN kind TEXT NOT NULL DEFAULT 'log';

  -- The newest value of each key of each state topic, whatever retention does; and of topics that were state topics
  -- before their rule was changed, in case it is changed back.
  CREATE TABLE state_value (
    seq INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    check_own TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    type TEXT,
    is_json INTEGER NOT NULL,
    data TEXT NOT NULL,
    value_key TEXT,
    except_client TEXT,
    is_end INTEGER NOT NULL
  ) STRICT;
  -- An event without a key has the key ''.
  CREATE UNIQUE INDEX state_value_by_key ON state_value (topic, coalesce(value_key, ''));

  -- Values that were replaced, for tails that lag: within the limits of their rule.
  CREATE TABLE superseded (
    seq INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    check_own TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    type TEXT,
    is_json INTEGER NOT NULL,
    data TEXT NOT NULL,
    value_key TEXT,
    except_client TEXT,
    is_end INTEGER NOT NULL
  ) STRICT;

  -- What was stored with a dedupe key, oldest first. Ages as in event.
  CREATE TABLE dedupe (
    seq INTEGER PRIMARY KEY,
    check_own TEXT NOT NULL,
    age_ms INTEGER NOT NULL,
    publisher TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    UNIQUE (publisher, dedupe_key)
  ) STRICT;

  CREATE TABLE registry (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    -- The age of the log at which it is gone.
    expires_age_ms INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE INDEX registry_by_expiry ON registry (expires_age_ms);
  `,
]

/** Brings a file of an older version, or an empty one, to the newest. Each step is whole or not at all. */
export function migrate(database: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  const transactions = new Transactions(database)
  for (let version = versionOf(database); version < migrations.length; version++) {
    transactions.run(() => database.exec(`${migrations[version]}; PRAGMA user_version = ${version + 1}`))
  }
}

export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}
