/** What `millrace check` finds in a configuration file beyond the values of single options. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readServeArguments } from '../src/command/read-serve-settings.ts'
import { checkConfigFile } from '../src/settings/read-config-file.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-check-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function file(content: unknown): string {
  const path = join(folder, 'millrace.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function refuses(serve: () => unknown): boolean {
  try {
    serve()
    return false
  } catch {
    return true
  }
}

test.each([
  [{ host: '0.0.0.0' }, [expect.stringMatching(/^An open hub does not listen on 0\.0\.0\.0: /)]],
  [{ host: '0.0.0.0', insecure: true }, []],
  [
    { prot: 1, staleMs: 100, maxUnsentMs: 5_000, maxPendingBytesTotal: 1_048_576, maxBufferBytes: 2_097_152 },
    [
      expect.stringContaining('There is no option "prot"'),
      expect.stringMatching(/^staleMs \(100\) is less than maxUnsentMs \(5000\)/),
      expect.stringMatching(/^maxPendingBytesTotal \(1048576\) is less than maxBufferBytes \(2097152\)/),
    ],
  ],
  // What is no value is held against no other.
  [{ staleMs: 'x', maxUnsentMs: 100_000 }, [expect.stringMatching(/^staleMs is "x"; /)]],
  [
    {
      topics: [
        { match: 'a.>' },
        { match: 'a.b', kind: 'state' },
        { match: 'b' },
        { match: 'b' },
        { match: '>' },
        { match: '@me' },
      ],
    },
    [
      expect.stringMatching(/^topics\[1\]\.match is "a\.b"; topics\[0\], which comes first, has all its topics/),
      expect.stringMatching(/^topics\[3\]\.match is "b"; topics\[2\]/),
      expect.stringMatching(/^topics\[5\]\.match is "@me"; topics\[4\]/),
    ],
  ],
  [{ topics: [{ match: 'a.b', kind: 'state' }, { match: 'a.*' }, { match: 'a.>' }, { match: '>' }] }, []],
  [{ topics: [{ match: 'a.>', kind: 'wrong' }, { match: 'a.b' }] }, [expect.stringContaining('topics[0].kind')]],
])('what does not go together, and what has no effect: %j', (content, problems) => {
  const path = file(content)
  expect(checkConfigFile(path).problems).toEqual(problems)
  expect(refuses(() => readServeArguments(['--config', path], {}))).toBe(problems.length > 0)
})

test.each([
  ['{"port":1,"port":2}', ['port is there twice. Leave one of them.']],
  [
    '{"topics":[{"match":"a"},{"match":"b","match":"c","retention":{"maxCount":1,"max\\u0043ount":2}}],"host":"localhost","topics":[]}',
    [
      'topics[1].match is there twice. Leave one of them.',
      'topics[1].retention.maxCount is there twice. Leave one of them.',
      'topics is there twice. Leave one of them.',
    ],
  ],
  ['{"log":"sqlite:./{\\"port\\":1,\\"port\\":2}"}', []],
])('keys that are there twice: %s', (content, problems) => {
  expect(checkConfigFile(file(content)).problems).toEqual(problems)
})

test('warns of a folder for the log that is not there, which the service may make', () => {
  const path = file({ log: `sqlite:${folder}/later/events.db` })
  expect(checkConfigFile(path).problems).toEqual([])
  expect(checkConfigFile(path).warnings).toEqual([expect.stringContaining(`there is no folder ${folder}/later here`)])
  expect(checkConfigFile(file({ log: `sqlite:${folder}/events.db` })).warnings).toEqual([])
  expect(checkConfigFile(file({ log: 'sqlite:data/events.db' })).warnings).toEqual([])
  expect(checkConfigFile(file({ log: 'memory:' })).warnings).toEqual([])
})
