import { parseEventId } from '@millrace/protocol'
import { nearestName } from '@millrace/server'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { stopOnSignals } from './end-signals.ts'
import { eventsUrl, URL_HELP } from './hub-address.ts'
import { parsed } from './parsed.ts'
import { followStream, type TailEvent } from './follow-stream.ts'
import { UsageError } from './usage-error.ts'

const USAGE = `Usage: millrace tail TOPIC... [options]

Follows topics and patterns ('stocks.*', 'chat.>', '>') and prints each event on a line: its topic, its type, its data.
After a cut it goes on with the last id, so that nothing is missed; where something is missing, it says so on stderr.
Ctrl-C ends it with the exit code 0, as does the end of all its topics; 1 means that the hub refused it.

Options
${URL_HELP}  --from WHERE     now, earliest, snapshot (the last event of each topic), or the id of an event after which to begin
                   (default now)
  --type TYPE      only events of this type; may be given several times
  --json           each line is JSON: {"id","topic","type","time","data"}
  -h, --help       this text
`
const OPTIONS = {
  url: { type: 'string' },
  from: { type: 'string' },
  type: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options']

const STARTS = ['now', 'earliest', 'snapshot']

/** Prints what comes on topics until it is interrupted. */
export async function tail(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parsed('tail', OPTIONS, (options) =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  )
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  if (positionals.length === 0) {
    throw new UsageError("Name a topic or a pattern; '>' is everything. See millrace tail --help.")
  }
  const { from = 'now' } = values
  const url = eventsUrl(values.url, process.env)
  url.searchParams.set('envelope', '1')
  const isStart = STARTS.includes(from)
  if (!isStart && !parseEventId(from)) throw new UsageError(fromFault(from))
  if (isStart) url.searchParams.set('from', from)
  const stop = new AbortController()
  stopOnSignals(() => stop.abort())
  // Whoever reads this has enough: `millrace tail … | head`.
  process.stdout.on('error', () => stop.abort())
  await followStream({
    url,
    topics: positionals,
    types: values.type,
    lastEventId: isStart ? undefined : from,
    signal: stop.signal,
    onEvent: (event) => void process.stdout.write(`${values.json ? event.json : lineOf(event)}\n`),
    onNotice: (text) => void process.stderr.write(`millrace: ${text}\n`),
  })
}

function fromFault(from: string): string {
  const near = nearestName(from, STARTS)
  const hint = near === undefined ? '' : ` Did you mean ${near}?`
  return `--from is ${JSON.stringify(from.slice(0, 64))}; it must be now, earliest, snapshot or the id of an event.${hint}`
}

/** Line ends, and what a terminal takes for a command; a tab is neither. */
const COMMANDS = /[^\P{Cc}\t]|[\u2028\u2029]/gu

/** A line of text is shown as it is; anything else as JSON, so that an event stays one line and commands no terminal. */
function lineOf({ topic, type, data, json }: TailEvent): string {
  const isLine = typeof data === 'string' && data.search(COMMANDS) === -1
  return `${topic} ${type} ${isLine ? data : dataText(json, data)}`.replaceAll(COMMANDS, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The data as it stands in the envelope, where it is last: numbers stay as they are. */
function dataText(json: string, data: unknown): string {
  const start = json.indexOf('"data":')
  return start === -1 ? JSON.stringify(data) : json.slice(start + '"data":'.length, -1)
}
