import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { sqlite, SqliteError, type SqliteErrorCode } from '../src/index.ts'
import { startAppendingChild } from './support/child.ts'
import { event, numbered, readAll } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { smallDisk } from './support/small-disk.ts'
import { testFolder } from './support/test-folder.ts'

const folder = testFolder()

/** A log with three events, closed. */
async function closedLog(name: string): Promise<string> {
  const path = join(folder, name)
  const log = openLog(path)
  await log.append(numbered(3))
  await log.close()
  return path
}

/** How a file is refused. */
function refusalOf(path: string): object {
  try {
    void sqlite(path).log.close()
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error
    return { code: error.code, message: error.message }
  }
  throw new Error(`${path} was opened`)
}

function refusal(code: SqliteErrorCode, message: string): object {
  return { code, message: expect.stringContaining(message) }
}

/** The same, of a file that is then what it was, to the last byte, with nothing beside it that was not there. */
function untouchedRefusalOf(path: string): object {
  const before = stateOf(path)
  const found = refusalOf(path)
  expect(stateOf(path)).toEqual(before)
  return found
}

function stateOf(path: string): object {
  const files = existsSync(dirname(path)) ? readdirSync(dirname(path)) : []
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
  return { files, bytes: isFile ? readFileSync(path).toString('latin1') : undefined }
}

test('a missing folder is named', () => {
  expect(untouchedRefusalOf(join(folder, 'no', 'log.db'))).toEqual(
    refusal('missing_folder', `there is no folder ${join(folder, 'no')}`),
  )
})

test.skipIf(process.platform === 'win32')('a process whose own folder is gone is told so, at once', () => {
  const gone = join(folder, 'gone')
  const program = join(folder, 'open.mjs')
  const source = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)
  writeFileSync(
    program,
    `import { sqlite } from ${source}
    try { sqlite('./log.db') } catch (error) { process.stdout.write(error.message) }`,
  )
  // Only a shell can go where nothing will be.
  const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && exec "$2" --conditions=@millrace/source "$3"'
  const args = ['-c', script, 'sh', gone, process.execPath, program]
  const { stdout } = spawnSync('sh', args, { encoding: 'utf8', timeout: 15_000 })
  expect(stdout).toBe('The folder that this process was started in is gone. Start it in another.')
})

test('a folder in the place of the file is named', () => {
  mkdirSync(join(folder, 'a-folder'))
  expect(refusalOf(join(folder, 'a-folder'))).toEqual(refusal('not_a_file', 'a-folder is a folder'))
})

test('a file that is no database is left as it is', () => {
  const path = join(folder, 'text.db')
  writeFileSync(path, 'Dear diary, '.repeat(1000))
  expect(untouchedRefusalOf(path)).toEqual(refusal('foreign', `${path} is not a log of Millrace`))
})

test('an empty file is left as it is', () => {
  const path = join(folder, 'empty.db')
  writeFileSync(path, '')
  expect(untouchedRefusalOf(path)).toEqual(refusal('foreign', `${path} is empty`))
})

test('a database of somebody else is left as it is', () => {
  const path = join(folder, 'other.db')
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE event (id INTEGER PRIMARY KEY)')
  other.close()
  expect(untouchedRefusalOf(path)).toEqual(refusal('foreign', 'is a SQLite database, but not a log of Millrace'))
})

test('a log of a newer version is left as it is, and the message says which', async () => {
  const path = await closedLog('newer.db')
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  expect(untouchedRefusalOf(path)).toEqual(refusal('newer', 'version 99 of the file'))
})

test('a log whose beginning is destroyed is told from a new one', async () => {
  const path = await closedLog('beheaded.db')
  overwrite(path, 0, 100)
  expect(untouchedRefusalOf(path)).toEqual(refusal('foreign', 'its beginning is destroyed'))
})

test.each([
  ['whose schema is destroyed', 100, 3900],
  ['whose tables are destroyed', 4096, 8 * 4096],
])('a log %s is damaged', async (_what, from, length) => {
  const path = await closedLog(`damaged-${from}.db`)
  overwrite(path, from, length)
  expect(untouchedRefusalOf(path)).toEqual(refusal('damaged', `${path} is damaged`))
})

test('a log that was cut short is damaged', async () => {
  const path = await closedLog('short.db')
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, 2 * 4096))
  expect(untouchedRefusalOf(path)).toEqual(refusal('damaged', `${path} is damaged`))
})

test('a log whose file is gone, but not that of its newest events, is not begun anew', async () => {
  const path = join(folder, 'half.db')
  const log = openLog(join(folder, 'half-live.db'))
  await log.append(numbered(3))
  copyFileSync(join(folder, 'half-live.db-wal'), `${path}-wal`)
  await log.close()
  expect(untouchedRefusalOf(path)).toEqual(
    refusal('damaged', `${path} is missing, but ${path}-wal with its newest events is there`),
  )
  expect(existsSync(path)).toBe(false)
})

test('a read-only file or folder is named', async ({ skip }) => {
  const disk = smallDisk(4096)
  if (!disk) {
    skip('a file system cannot be mounted here')
    return
  }
  onTestFinished(() => disk.unmount())
  const path = join(disk.folder, 'read-only.db')
  const log = openLog(path)
  await log.close()
  disk.remount('ro')
  expect(refusalOf(path)).toEqual(refusal('not_writable', 'may not be written to (EROFS)'))
  expect(refusalOf(join(disk.folder, 'new.db'))).toEqual(
    refusal('not_writable', `${disk.folder} may not be written to (EROFS)`),
  )
})

test('a second log on the file is refused in the same process, also by another name, and the first goes on', async () => {
  const path = join(folder, 'shared.db')
  const log = openLog(path)
  await log.append(numbered(1))
  expect(refusalOf(path)).toEqual(refusal('locked', `${path} is in use by another log`))
  symlinkSync(path, join(folder, 'alias.db'))
  expect(refusalOf(join(folder, 'alias.db'))).toEqual(refusal('locked', 'is in use by another log'))
  expect(await log.append(numbered(1))).toMatchObject([{ seq: 2 }])
  await log.close()
  const again = openLog(path)
  expect(await readAll(again)).toHaveLength(2)
  await again.close()
})

test('a log that another process has open is refused until that one is killed', async () => {
  const path = join(folder, 'other-process.db')
  const child = startAppendingChild(path, 1)
  onTestFinished(() => void child.kill('SIGKILL'))
  if (child.stdout) await once(child.stdout, 'data')
  expect(refusalOf(path)).toEqual(refusal('locked', `${path} is in use by another log`))
  expect(refusalOf(path)).toEqual(refusal('locked', `${path} is in use by another log`))
  child.kill('SIGKILL')
  await once(child, 'close')
  const { log } = sqlite(path)
  expect((await log.bounds()).head.seq).toBeGreaterThan(0)
  await log.close()
})

test('two processes that make a new log at once: one gets it', async () => {
  const path = join(folder, 'race.db')
  const children = [1, 2, 3].map((round) => startAppendingChild(path, round))
  onTestFinished(() => void children.map((child) => child.kill('SIGKILL')))
  const ends = await Promise.all(
    children.map(async (child) => {
      let stderr = ''
      child.stderr?.on('data', (bytes) => (stderr += String(bytes)))
      const started = child.stdout && once(child.stdout, 'data').then(() => 'owner')
      return Promise.race([started, once(child, 'close').then(() => stderr)])
    }),
  )
  expect(ends.filter((end) => end === 'owner')).toHaveLength(1)
  expect(ends.filter((end) => end?.includes('is in use by another log'))).toHaveLength(2)
})

test.each(['', '-wal'])(
  'a file (log%s) that is deleted under a running log refuses appends and says so',
  async (ending) => {
    const path = join(folder, `deleted${ending}.db`)
    const clock = new HandClock()
    const log = openLog(path, { clock })
    await log.append(numbered(3))
    rmSync(path + ending)
    await expect(log.append(numbered(1))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${path}${ending} was deleted or moved away`),
    })
    expect(await readAll(log)).toHaveLength(3)
    await log.close()
  },
)

test('a file that takes the place of the log under it is not taken for it', async () => {
  const path = join(folder, 'replaced.db')
  const log = openLog(path)
  await log.append(numbered(3))
  renameSync(path, `${path}.old`)
  writeFileSync(path, 'something else')
  await expect(log.append(numbered(1))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('was replaced by another file'),
  })
  rmSync(path)
  renameSync(`${path}.old`, path)
  expect(await log.append(numbered(1))).toMatchObject([{ seq: 4 }])
  await log.close()
})

test('what was made of a file of a log leaves nothing else behind', async () => {
  const own = testFolder()
  const path = join(own, 'only.db')
  const log = openLog(path)
  await log.append([event('news', '\ud800 alone')])
  expect((await readAll(log))[0]?.data).toBe('\ufffd alone')
  await log.close()
  expect(statSync(path).isFile()).toBe(true)
  expect([`${path}-wal`, `${path}-shm`, `${path}-journal`].filter((file) => existsSync(file))).toEqual([])
})

function overwrite(path: string, from: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, from)
  closeSync(file)
}
