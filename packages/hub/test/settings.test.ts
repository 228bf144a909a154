import { defaultHubLimits, memory } from '@millrace/server'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readServeArguments } from '../src/command/read-serve-settings.ts'
import { serveUsage } from '../src/command/serve-usage.ts'
import { defaultHubSettings, type HubSettings } from '../src/hub-settings.ts'
import { checkConfig, configJsonSchema } from '../src/settings/config-schema.ts'
import { defaultsPage } from '../src/settings/defaults-page.ts'
import { hubOptions, optionNames } from '../src/settings/hub-options.ts'
import { defaultText } from '../src/settings/option.ts'
import { flagOf, variableOf } from '../src/settings/option-names.ts'
import { checkConfigFile } from '../src/settings/read-config-file.ts'

const root = new URL('../../../', import.meta.url)
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function file(content: unknown): string {
  const path = join(folder, 'millrace.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function read(argv: readonly string[], environment: Record<string, string> = {}): HubSettings {
  const { settings } = readServeArguments(argv, environment)
  if (!settings) throw new Error('It took this for a cry for help')
  return settings
}

describe('where a setting comes from', () => {
  test('flags win over the environment, the environment over the file, the file over the defaults', () => {
    const path = file({ heartbeatMs: 1_000, retryMs: 1_000, drainMs: 1_000, $schema: './config.schema.json' })
    const environment = { MILLRACE_CONFIG: path, MILLRACE_HEARTBEAT_MS: '2000', MILLRACE_RETRY_MS: '2000' }
    expect(read(['--heartbeat-ms', '3000'], environment)).toEqual({
      ...defaultHubSettings,
      heartbeatMs: 3_000,
      retryMs: 2_000,
      drainMs: 1_000,
    })
  })

  test('--config wins over MILLRACE_CONFIG', () => {
    expect(read(['--config', file({ port: 4_000 })], { MILLRACE_CONFIG: '/nowhere' }).port).toBe(4_000)
  })

  test('every option is accepted from a flag, a variable and the file, as its default', () => {
    for (const name of optionNames) {
      const { form, default: value } = hubOptions[name]
      expect(read(['--config', file({ [name]: value })])).toEqual(defaultHubSettings)
      if (form === 'file only') continue
      expect(read([], { [variableOf(name)]: defaultText(hubOptions[name]) })).toEqual(defaultHubSettings)
      const flag = form === 'switch' ? [`--no-${flagOf(name)}`] : [`--${flagOf(name)}`, defaultText(hubOptions[name])]
      expect(read(flag)).toEqual(defaultHubSettings)
    }
  })

  test('every limit of the engine can be set', () => {
    expect(optionNames).toEqual(expect.arrayContaining(Object.keys(defaultHubLimits)))
  })

  test('rules by topic, and false, come from the file as they are', () => {
    const topics = [{ match: 'chat.>', retention: { maxAgeMs: 86_400_000, maxCount: false } }]
    expect(read(['--config', file({ topics, staleMs: false })])).toMatchObject({ topics, staleMs: false })
    expect(read(['--stale-ms', 'false']).staleMs).toBe(false)
  })

  test('a switch that the file turns on is turned off by a flag', () => {
    const path = file({ demo: true, insecure: true })
    expect(read(['--config', path, '--no-demo'])).toMatchObject({ demo: false, insecure: true })
  })

  test('the demo has defaults of its own, and what is given wins over them', () => {
    expect(read(['--demo'])).toMatchObject({ log: 'memory:', heartbeatMs: 5_000, topics: [{ match: 'stocks.>' }, {}] })
    expect(read(['--demo', '--log', 'sqlite:x.db'], { MILLRACE_HEARTBEAT_MS: '7000' })).toMatchObject({
      log: 'sqlite:x.db',
      heartbeatMs: 7_000,
    })
  })
})

describe('what is wrong is said, all at once, with its place, the value and what to do', () => {
  test('in a file', () => {
    const { problems } = checkConfigFile(
      file({
        prot: 3000,
        heartbeatMs: '15s',
        staleMs: true,
        log: 'redis://x',
        secret: 'x',
        slowPolicy: 'drop',
        topics: [{ match: 'a b', retention: { maxAgeMs: -1 } }, { match: 'ok.>' }, 7, { match: '>', public: true }],
      }),
    )
    expect([...problems].sort()).toEqual([
      'There is no option "prot". Did you mean "port"? See millrace serve --help.',
      'heartbeatMs is "15s"; it must be a whole number of milliseconds from 100 to 3600000.',
      'log is "redis://x"; redis: is not built yet. Use sqlite:./millrace.db, or memory: (gone when the hub stops).',
      'secret is not built yet. Leave it out.',
      expect.stringMatching(/^slowPolicy is "drop"; it must be "catch-up" or /),
      'staleMs is true; it must be a whole number of milliseconds from 100 to 2147483647, or false.',
      expect.stringMatching(/^topics\[0\]\.match: "a b" is not a topic or pattern: /),
      expect.stringMatching(/^topics\[0\]\.retention\.maxAgeMs cannot be -1: /),
      expect.stringMatching(/^topics\[2\] cannot be 7: /),
      expect.stringMatching(/^topics\[3\]\.public cannot be true: /),
    ])
  })

  test.each([
    ['', 'It is not JSON: it is empty, and {} is the least.'],
    ['// ours\n{}', '"// ours {}" is not valid JSON. JSON has no comments: leave them out.'],
    ['{"$schema":3}', '$schema is 3; it must be the path or the URL of a schema.'],
    ['{"port":3000,}', 'It is not JSON: '],
    ['[]', 'The content is []; it must be an object such as { "port": 3000 }.'],
    ['null', 'The content is null; it must be an object'],
    ['{"topics":{}}', 'topics is {}; it must be a list of rules such as [{ "match": "chat.>" }].'],
    ['{"port":3.5}', 'port is 3.5; it must be a whole number from 0 to 65535.'],
    ['{"port":"3000"}', 'port is "3000"; it must be a whole number'],
    ['{"host":""}', 'host is ""; it must be a name or an address.'],
    ['{"host":"[::1]"}', 'host is "[::1]"; it must be a name or an address by itself, such as localhost or ::1'],
    ['{"host":"localhost:3000"}', 'by itself'],
    ['{"host":"http://localhost"}', 'by itself'],
    ['{"staleMs":100}', 'staleMs (100) is less than maxUnsentMs (10000)'],
    ['{"__proto__":{"port":1}}', 'There is no option "__proto__".'],
    [`{"log":"${'x'.repeat(1_000)}"}`, `log is "${'x'.repeat(79)}…; it must be sqlite: and a path`],
  ])('%s: %s', (content, words) => {
    expect(checkConfigFile(file(content)).problems).toEqual([expect.stringContaining(words)])
  })

  test('a file that is not there, or is none', () => {
    expect(checkConfigFile(join(folder, 'none.json')).problems).toEqual(['It cannot be read: there is no such file.'])
    expect(checkConfigFile(folder).problems).toEqual(['It cannot be read: it is a folder.'])
    const path = join(folder, 'utf-16.json')
    writeFileSync(path, '\ufeff{}', 'utf16le')
    expect(checkConfigFile(path).problems).toEqual(['It cannot be read: it is not UTF-8. Save it as UTF-8.'])
  })

  test('flags, variables and file together', () => {
    const path = file({ retryMs: 0 })
    expect(() => read(['--config', path, '--drain-ms=1h'], { MILLRACE_MAX_LAG_MS: '5s' })).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: [
          '3 problems:',
          '  --drain-ms is "1h"; it must be a whole number of milliseconds from 0 to 3600000.',
          '  MILLRACE_MAX_LAG_MS is "5s"; it must be a whole number of milliseconds from 1 to 2147483647.',
          `  ${path}: retryMs is 0; it must be a whole number of milliseconds from 1 to 600000.`,
        ].join('\n'),
      }),
    )
  })

  test('several unknown flags', () => {
    expect(() => read(['--prot', '1', '--heartbeat', '1'])).toThrow(
      '2 problems:\n  There is no option --prot. Did you mean --port? See millrace serve --help.\n' +
        '  There is no option --heartbeat. Did you mean --heartbeat-ms? See millrace serve --help.',
    )
  })

  test('topics in the environment', () => {
    expect(() => read([], { MILLRACE_TOPICS: '[]' })).toThrow('topics belong into the configuration file')
  })
})

describe('what is made of the table of options', () => {
  test('the help names every option, with its default', () => {
    const usage = serveUsage()
    for (const name of optionNames) {
      const { form } = hubOptions[name]
      expect(usage).toContain(form === 'file only' ? `(${name})` : `--${flagOf(name)}`)
      const end = form === 'switch' || form === 'file only' ? '' : ` (default ${defaultText(hubOptions[name])})`
      expect(usage.replaceAll(/\s+/g, ' ')).toContain(hubOptions[name].summary + end)
    }
    expect(Math.max(...usage.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120)
  })

  test('the table’s defaults are those of the code', () => {
    expect(Object.fromEntries(optionNames.map((name) => [name, hubOptions[name].default]))).toEqual(defaultHubSettings)
    expect(checkConfig(defaultHubSettings)).toMatchObject({ config: defaultHubSettings, problems: [] })
  })

  test('the backend takes every number of its options from the least to the most, and no other', () => {
    for (const name of ['maxTopics', 'maxStateKeys', 'dedupeWindowMs', 'maxDedupeKeys'] as const) {
      const { minimum = 0, maximum = 0 } = rangeOf(name)
      for (const value of [minimum, maximum]) expect(() => memory({ [name]: value })).not.toThrow()
      for (const value of [minimum - 1, maximum + 1]) expect(() => memory({ [name]: value })).toThrow(name)
    }
  })

  test('docs/defaults.md is what the table says; npm run write:defaults writes it', () => {
    expect(readFileSync(new URL('docs/defaults.md', root), 'utf8')).toBe(defaultsPage())
  })

  test('the published schema is what the table says; npm run write:defaults writes it', () => {
    const published: unknown = JSON.parse(readFileSync(new URL('packages/hub/config.schema.json', root), 'utf8'))
    expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  })

  test('every key of a rule by topic that the schema has is one that the engine knows', () => {
    const rule = { match: 'a', kind: 'log', retention: { maxAgeMs: 1, maxCount: 1, maxBytes: false } }
    expect(checkConfig({ topics: [rule] }).problems).toEqual([])
  })
})

function rangeOf(name: string): { minimum?: number; maximum?: number } {
  const { properties } = configJsonSchema() as { properties: Record<string, { minimum?: number; maximum?: number }> }
  return properties[name] ?? {}
}

describe('millrace check', () => {
  const command = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))
  const run = (...args: string[]): { code: number; stdout: string; stderr: string } => {
    try {
      const stdout = execFileSync(process.execPath, [command, 'check', ...args], { encoding: 'utf8', stdio: 'pipe' })
      return { code: 0, stdout, stderr: '' }
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { code: status, stdout, stderr }
    }
  }

  test('says that a file is fine', () => {
    const path = file({ port: 4_000 })
    expect(run(path)).toEqual({ code: 0, stdout: `${path} is fine.\n`, stderr: '' })
  })

  test('says what is wrong, a line for each, and exits with 1', () => {
    const path = file({ port: -1, demo: 1 })
    expect(run(path)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${path}: port is -1; it must be a whole number from 0 to 65535.\n${path}: demo is 1; it must be true or false.\n`,
    })
  })

  test('prints the schema', () => {
    expect(JSON.parse(run('--schema').stdout)).toMatchObject({ type: 'object', additionalProperties: false })
  })

  test.each([[[]], [['a', 'b']], [['--wrong']]])('%j is not how it is called', (args) => {
    expect(run(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^millrace: [^\n]+\n$/) })
  })
})
