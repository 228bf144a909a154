import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CommandFailure } from './command-failure.ts'
import { askHub, eventsUrl, refusalOf, URL_HELP } from './hub-address.ts'
import { parsed } from './parsed.ts'
import { publishPipe } from './publish-pipe.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `Usage: millrace publish TOPIC DATA [options]
       ... | millrace publish TOPIC -      the data is what comes in
       ... | millrace publish              one event a line, as JSON: {"topic":"news","data":"hello"}

Publishes to a hub and prints the id of each event once it is stored. DATA that is JSON is sent as JSON, all else as
text. The exit code is 0 when everything is stored, 1 when not, 2 when it was called in a way that it does not know.

Options
${URL_HELP}  --type TYPE      the type of the event      (default message)
  --key KEY        what a state topic keeps the newest of
  --dedupe-key K   the same key again within two minutes publishes nothing and prints the id of the first
  --except NAME    the name of the client that is not sent the event
  --ephemeral      only to those who listen now: nothing is stored, and no id printed
  --end            the topic is finished after this event
  --text           send DATA as text, even if it is JSON
  -h, --help       this text
`
const OPTIONS = {
  url: { type: 'string' },
  type: { type: 'string' },
  key: { type: 'string' },
  'dedupe-key': { type: 'string' },
  except: { type: 'string' },
  ephemeral: { type: 'boolean' },
  end: { type: 'boolean' },
  text: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options']

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

/** More than any hub takes. */
const MAX_DATA_BYTES = 64 * 1024 * 1024

/** Publishes one event, or what comes by a pipe. */
export async function publish(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parsed('publish', OPTIONS, (options) =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  )
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const url = eventsUrl(values.url, process.env)
  const [topic, data, more] = positionals
  if (topic === undefined) {
    await publishLinesOf(url, values)
    return
  }
  if (data === undefined) throw new UsageError('There is no DATA. See millrace publish --help.')
  if (more !== undefined) {
    throw new UsageError(`${JSON.stringify(more)} is too much: quote data that has spaces in it.`)
  }
  const text = data === '-' ? await readInput() : data
  const id = await publishOne(url, eventBody(topic, text, values))
  if (id !== null) process.stdout.write(`${id}\n`)
}

async function publishLinesOf(url: URL, values: Values): Promise<void> {
  const given = Object.keys(values).find((name) => name !== 'url')
  if (given !== undefined) throw new UsageError(`--${given} is for one event: name its TOPIC and DATA.`)
  if (process.stdin.isTTY) throw new UsageError('There is no TOPIC. See millrace publish --help.')
  for await (const ids of publishPipe(url, process.stdin)) {
    process.stdout.write(ids.map((id) => (id === null ? '' : `${id}\n`)).join(''))
  }
}

/** JSON text: numbers in the data stay as they were typed. */
function eventBody(topic: string, text: string, values: Values): string {
  const { type, key, except, ephemeral, end } = values
  const fields = { topic, type, key, dedupeKey: values['dedupe-key'], except, ephemeral, end }
  const data = !values.text && isJson(text) ? text : JSON.stringify(text)
  return `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function publishOne(url: URL, body: string): Promise<string | null> {
  const response = await askHub(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  if (!response.ok) throw await refusalOf(response)
  const { ids } = (await response.json()) as { ids?: readonly (string | null)[] }
  const [id] = ids ?? []
  if (id === undefined) throw new CommandFailure(`${url.href} did not answer as a hub does. Is --url that of a hub?`)
  return id
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.length
    if (bytes > MAX_DATA_BYTES) throw new CommandFailure('The data is larger than 64 MiB. Send references.')
  }
  // What a shell's pipe ends with is not part of the data.
  return Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, '')
}
