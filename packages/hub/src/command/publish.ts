import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CommandFailure } from './command-failure.ts'
import { eventsUrl, URL_HELP } from './hub-address.ts'
import { keyMaker } from './keyed-line.ts'
import { parsed } from './parsed.ts'
import { Patience } from './patience.ts'
import { brokenOff, isInDoubt, noHub, postEvents, settlesDoubt, type PostFailure } from './post-events.ts'
import { publishPipe } from './publish-pipe.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `Usage: millrace publish TOPIC DATA [options]
       ... | millrace publish TOPIC -      the data is what comes in
       ... | millrace publish              one event a line, as JSON: {"topic":"news","data":"hello"}

Publishes to a hub and prints the id of each event once it is stored. DATA that is JSON is sent as JSON, all else as
text. What was not answered is sent again, and stored once. The exit code is 0 when everything is stored, 1 when not,
2 when it was called in a way that it does not know.

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
  const id = await publishOne(url, eventBody(topic, text, values), !values.ephemeral)
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
  // What is not stored has none.
  const dedupeKey = values['dedupe-key'] ?? (ephemeral ? undefined : keyMaker()(1))
  const fields = { topic, type, key, dedupeKey, except, ephemeral, end }
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

/** Sends it again, with the same key, when no answer came. */
async function publishOne(url: URL, body: string, isSafe: boolean): Promise<string | null> {
  const patience = new Patience()
  for (let isUncertain = false; ;) {
    const answer = await postEvents(url, 'application/json', body)
    const idOrFailure = typeof answer === 'string' ? idOf(url, answer) : answer
    if (idOrFailure === null || typeof idOrFailure === 'string') return idOrFailure
    isUncertain ||= isInDoubt(idOrFailure)
    await patience.wait(idOrFailure, isSafe).catch((error: CommandFailure) => {
      const isKnown = !isUncertain || settlesDoubt(idOrFailure)
      throw isKnown ? error : new CommandFailure(`${error.message} The event may be published all the same.`)
    })
  }
}

function idOf(url: URL, text: string): string | null | PostFailure {
  try {
    const { ids } = JSON.parse(text) as { ids?: readonly (string | null)[] }
    const [id] = ids ?? []
    return id === undefined ? noHub(url) : id
  } catch {
    return text === '' || text.startsWith('{') ? brokenOff(url) : noHub(url)
  }
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
  return decoded(Buffer.concat(parts)).replace(/\r?\n$/, '')
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CommandFailure('The data is not valid UTF-8. Nothing was published: send bytes as Base64.')
  }
}
