import { defaultRetention, defaultStateRetention } from '@millrace/server/log-parts'
import { fixedLimits, type FixedLimits } from '../http/fixed-limits.ts'
import { hubOptions, optionNames } from './hub-options.ts'
import { flagOf } from './option-names.ts'

const HEAD = `# Defaults

Every option of \`millrace serve\`, what it is when nobody says otherwise, and why. This page is made of the table from which the command takes its options (\`npm run write:defaults\`), and a test compares the two.

Each is a flag (\`--heartbeat-ms\`), a variable (\`MILLRACE_HEARTBEAT_MS\`) and a key of the configuration file (\`heartbeatMs\`); flags win, then the environment, then the file. \`millrace check FILE\` names everything that is wrong with a file.
With \`"$schema": "./node_modules/@millrace/hub/config.schema.json"\` in it, an editor does so while you write.

| option | default | why | common advice, where it differs |
|---|---|---|---|
`

const RETENTION: Readonly<Record<keyof typeof defaultRetention, string>> = {
  maxAgeMs: 'Who was away for longer fetches the state anew anyway.',
  maxCount: 'A hundred a second for a quarter of an hour. What breaks any of the three limits is evicted.',
  maxBytes: 'Bounds the memory of a log in memory, whatever the size of its events.',
}

const FIXED: Readonly<Record<keyof FixedLimits, readonly [what: string, why: string]>> = {
  maxBatchCount: ['events of one array', 'They are stored whole or not at all, so they are held together.'],
  maxBodyBytes: ['body of JSON', 'Or twice `maxEventBytes`, where that is more. Send one event a line for more.'],
  maxLines: ['events of one request, one a line', 'Its answers are held until they are read.'],
  maxLinesBytes: ['body of such a request', 'Goes through in parts; the limit is that of a mistake.'],
  lineTimeoutMs: [
    'from one line to the next',
    'A publisher with nothing to say needs no connection; who drips bytes holds one.',
  ],
  headTimeoutMs: [
    'until the head of a request is here',
    'Who drips bytes holds a connection. Streams are not affected.',
  ],
  requestTimeoutMs: ['until a request is here whole', 'The same; unless it publishes by lines.'],
  idleTimeoutMs: [
    'a connection without a request',
    'Longer than the 60 s for which proxies keep theirs: one that the hub closes as a proxy sends on it is a 502 to the client.',
  ],
}

/** `docs/defaults.md`. */
export function defaultsPage(): string {
  const rows = optionNames.map((name) => {
    const { form, reason, advice = '', default: value } = hubOptions[name]
    const flag = form === 'file only' ? 'in the file only' : `\`--${flagOf(name)}\``
    return `| \`${name}\`, ${flag} | ${shownDefault(value)} | ${reason} | ${advice} |\n`
  })
  return HEAD + rows.join('') + topicsText() + fixedText()
}

function topicsText(): string {
  const rows = Object.entries(RETENTION).map(([limit, reason]) => {
    const name = limit as keyof typeof RETENTION
    const defaults = `${shownDefault(defaultRetention[name])} | ${shownDefault(defaultStateRetention[name])}`
    return `| \`${name}\` | ${defaults} | ${reason} |\n`
  })
  return `
## What is kept of a topic

\`retention\` of a rule in \`topics\`, as in \`{ "topics": [{ "match": "chat.>", "retention": { "maxAgeMs": 86400000 } }] }\`. The first rule that matches a topic holds; a limit that it leaves out has its default; \`false\` switches a limit off. Topics that no rule matches share one rule with the defaults. Of a state topic only values that were superseded are evicted: the newest of each key is always kept.

| limit | default | of state topics | why |
|---|---|---|---|
${rows.join('')}
## With \`--demo\`

The demo's prices count from 1 with each start, so ids of the start before must not be good for going on: events are in memory (\`--log\` changes that). Heartbeats come every 5 s, and of \`stocks.>\` 60 events are kept, so that the page can show a gap after 20 s. What is given by flag, variable or file wins over all of these.
`
}

function fixedText(): string {
  const rows = Object.entries(FIXED).map(
    ([name, [what, why]]) =>
      `| ${what} | ${shownDefault(fixedLimits[name as keyof FixedLimits])}${name.endsWith('Ms') ? ' ms' : ''} | ${why} |\n`,
  )
  return `
## What cannot be set

| limit of a request | is | why |
|---|---|---|
${rows.join('')}`
}

function shownDefault(value: unknown): string {
  if (typeof value === 'number') return `\`${value}\`${inWords(value)}`
  return `\`${JSON.stringify(value)}\``
}

/** Large numbers of bytes are easier to read as powers of two. */
function inWords(value: number): string {
  if (value >= 2 ** 20 && value % 2 ** 20 === 0) return ` (${value / 2 ** 20} MiB)`
  return value >= 2 ** 15 && value % 2 ** 10 === 0 ? ` (${value / 2 ** 10} KiB)` : ''
}
