import { randomBytes } from 'node:crypto'
import { accessSync, constants, linkSync, renameSync, rmSync, statSync, type BigIntStats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { WorkerSettings } from '../messages.ts'
import { SqliteError, type SqliteErrorCode } from '../sqlite-error.ts'
import { sqliteFault, type SqliteFault } from './sqlite-fault.ts'
import { APPLICATION_ID, migrate, MIGRATIONS, versionOf } from './schema.ts'

/**
 * The commit that brings the write-ahead log to this many pages copies it back, and waits for the disk, in proportion to
 * the pages: a small number is felt by nobody, a large one makes the copying rare.
 */
const CHECKPOINT_PAGES = 500
/** The write-ahead log's file is cut to this when it was longer. Bytes. */
const WAL_FILE_LIMIT_BYTES = 64 * 1024 * 1024
/** Memory for pages of the file. KiB. */
const CACHE_KIB = 32 * 1024

/**
 * Opens the log's file, or makes a new one where there is none, and holds it for itself: the lock is the operating
 * system's, and ends with the process.
 *
 * No file is opened here but by SQLite: POSIX drops all locks of a process on a file when it closes any handle of it.
 *
 * @throws SqliteError
 */
export function openLogFile(settings: WorkerSettings): DatabaseSync {
  const path = resolve(settings.path)
  if (checkPlace(path)) return openExisting(path, settings)
  createLogFile(path, settings)
  return openExisting(path, settings)
}

export function walPathOf(path: string): string {
  return `${path}-wal`
}

export function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })
}

/** Whether there is a file that may be ours. @throws SqliteError where there can be none */
function checkPlace(path: string): boolean {
  const folder = dirname(path)
  const folderStat = statSync(folder, { throwIfNoEntry: false })
  if (!folderStat?.isDirectory()) {
    throw new SqliteError(
      'missing_folder',
      `${path} cannot be made: there is no folder ${folder}. Make it, or give another path.`,
    )
  }
  const stat = statOf(path)
  if (stat && !stat.isFile()) {
    const what = stat.isDirectory() ? 'a folder' : 'not a file'
    throw new SqliteError('not_a_file', `${path} is ${what}. Give the path of a file.`)
  }
  checkWritable(stat ? [folder, path] : [folder])
  if (!stat && (statOf(walPathOf(path))?.size ?? 0n) > 0n) {
    // Another process has made both since the look before: the log comes into being first.
    if (statOf(path)) return true
    throw new SqliteError(
      'damaged',
      `${path} is missing, but ${walPathOf(path)} with its newest events is there. ` +
        `Put ${path} back, or delete that file too to begin a new log.`,
    )
  }
  // Our own files come into being whole.
  if (stat?.size === 0n) {
    throw new SqliteError(
      'foreign',
      `${path} is empty, and a log never is. Delete it to begin a new log, or give another path.`,
    )
  }
  return stat !== undefined
}

function checkWritable(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch (error) {
      throw notWritable(path, error)
    }
  }
}

function notWritable(path: string, cause: unknown): SqliteError {
  const mend = 'A log has to be written to: change the rights, or give another path'
  return new SqliteError('not_writable', `${path} may not be written to (${reasonOf(cause)}). ${mend}.`, { cause })
}

function reasonOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : String(error)
}

/** Makes the file beside its place and links it there whole: a sudden end leaves no half of a log behind. */
function createLogFile(path: string, settings: WorkerSettings): void {
  const draft = `${path}-new-${randomBytes(6).toString('hex')}`
  try {
    const database = new DatabaseSync(draft)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    migrate(database)
    const { newEpoch, originCheck, times, durability } = settings
    database
      .prepare(
        'INSERT INTO log (id, epoch, origin_check, head_seq, head_check, time_ms, age_ms, wall_ms) VALUES (1, ?, ?, 0, ?, 0, 0, ?)',
      )
      .run(newEpoch, originCheck, originCheck, Math.floor(times.wallMs))
    database.prepare('INSERT INTO run (id, is_clean, boot_id, durability) VALUES (1, 1, NULL, ?)').run(durability)
    database.close()
    putInPlace(draft, path)
  } catch (error) {
    // Another process has made it at the same time: whoever locks it first has it.
    if (reasonOf(error) !== 'EEXIST') throw openingFault(path, error)
  } finally {
    for (const file of [draft, walPathOf(draft), `${draft}-shm`]) rmSync(file, { force: true })
  }
}

/** A link fails where a file is already; where the file system has no links, the check before has to do. */
function putInPlace(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(reasonOf(error)) || statOf(path)) throw error
    renameSync(draft, path)
  }
}

function openExisting(path: string, { maxPageCount }: WorkerSettings): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path)
    // Before the first look into the file: the index of the write-ahead log is then in memory, and nobody else's.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    checkIsOurs(database, path)
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${WAL_FILE_LIMIT_BYTES};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp_store = MEMORY;
    `)
    migrate(database)
    if (maxPageCount !== undefined) database.exec(`PRAGMA max_page_count = ${maxPageCount}`)
    return database
  } catch (error) {
    database?.close()
    throw openingFault(path, error)
  }
}

function checkIsOurs(database: DatabaseSync, path: string): void {
  const applicationId = database.prepare('PRAGMA application_id').get()?.['application_id']
  if (applicationId !== APPLICATION_ID) {
    throw new SqliteError(
      'foreign',
      `${path} is a SQLite database, but not a log of Millrace. It was left as it is: give another path.`,
    )
  }
  const version = versionOf(database)
  if (version > MIGRATIONS.length) {
    throw new SqliteError(
      'newer',
      `${path} was written by a newer Millrace (version ${version} of the file, this one knows ${MIGRATIONS.length}). ` +
        'Use that Millrace or a newer one, or give another path.',
    )
  }
}

/** An error of SQLite or of the file system, as one that says what to do. */
export function openingFault(path: string, error: unknown): SqliteError {
  if (error instanceof SqliteError) return error
  const fault = sqliteFault(error)
  if (fault === 'read_only') return notWritable(path, error)
  const [code, what] = faultText(fault, error)
  return new SqliteError(code, `${path} ${what}`, { cause: error })
}

function faultText(fault: SqliteFault | undefined, error: unknown): [SqliteErrorCode, string] {
  if (fault === 'busy') {
    const mend = 'a log has one owner. Stop that one, or give another path'
    return ['locked', `is in use by another log, in this process or another: ${mend}.`]
  }
  if (fault === 'not_a_database') {
    const mend = 'It was left as it is: give another path, or put back a copy'
    return ['foreign', `is not a log of Millrace, or its beginning is destroyed. ${mend}.`]
  }
  if (fault === 'corrupt') {
    return ['damaged', `is damaged (${String(error)}). Put back a copy, or move it away to begin a new log.`]
  }
  if (fault === 'full') return ['failed', 'cannot be opened: its disk is full. Make room and start again.']
  return ['failed', `cannot be opened as a log: ${String(error)}.`]
}
