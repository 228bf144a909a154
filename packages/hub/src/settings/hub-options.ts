import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { defaultHubSettings, type HubSettings } from '../hub-settings.ts'
import { limitOptions } from './limit-options.ts'
import { choiceOption, mend, numberOption, option, switchOption, type Option } from './option.ts'
import { LOG_LEVELS } from '../observe/log-lines.ts'
import { topicRulesJsonSchema } from './topic-rules-schema.ts'

/** `sqlite://x.db` is meant to be beside the hub, and would be in the root of the machine. */
const LOG_PATTERN = /^(?:memory:|sqlite:(?!\/\/[^/])[^]+)$/
const HOST_FAULT = mend('a name or an address')
const HOST_ALONE_FAULT = mend(
  'a name or an address by itself, such as localhost or ::1, without brackets; the port is an option of its own',
)

/**
 * Every option of `millrace serve`, by its key in the configuration file. The help, the schema of the file, what is
 * accepted by flag, variable and file, and `docs/defaults.md` are made of this table.
 */
export const hubOptions: { readonly [K in keyof HubSettings]: Option<HubSettings[K]> } = {
  port: numberOption('N', [0, 65_535], {
    group: 'Listening',
    default: defaultHubSettings.port,
    summary: 'the port to listen on; 0 takes a free one',
    reason: 'Needs no rights, and is where people look first.',
  }),
  host: option('text', 'NAME', hostSchema(), {
    group: 'Listening',
    default: defaultHubSettings.host,
    summary: 'the address to listen on',
    reason: 'A hub without keys is open to whoever reaches it, so nobody else does.',
    advice: 'Servers usually listen on every address (0.0.0.0) as soon as they start.',
  }),
  insecure: switchOption({
    group: 'Listening',
    default: defaultHubSettings.insecure,
    summary: 'listen beyond loopback without keys: everybody can read and publish everything',
    reason: 'What opens a hub to everybody should have to be said.',
  }),
  demo: switchOption({
    group: 'Listening',
    default: defaultHubSettings.demo,
    summary: 'serve the demo at /; its events are kept in memory unless --log says otherwise',
    reason: 'It publishes events of its own.',
  }),
  logLevel: choiceOption(LOG_LEVELS, {
    group: 'Logging',
    default: defaultHubSettings.logLevel,
    summary: 'how much is written to standard error, as JSON lines',
    reason:
      'One line when a stream opens and one when it leaves, with why: what is asked for first when a client complains.',
  }),
  log: option('text', 'WHERE', logSchema(), {
    group: 'Events',
    default: defaultHubSettings.log,
    summary: 'where events are kept: sqlite:./millrace.db (a file), or memory: (gone at the end)',
    reason: 'A restart loses nothing, and nothing has to be installed: clients go on from the id that they have.',
    advice: 'Hubs mostly keep events in memory, or need a database beside them.',
  }),
  durability: choiceOption(['process', 'power'], {
    group: 'Events',
    default: defaultHubSettings.durability,
    summary: 'what an answered publication outlives, in a file: the process, or power cuts too',
    reason:
      'With "power" each group of publications waits for the disk. Without, the hub begins a new epoch after a power cut: clients are told, and none goes on wrongly.',
  }),
  topics: option(
    'file only',
    '',
    z
      .custom<HubSettings['topics']>(Array.isArray, mend('a list of rules such as [{ "match": "chat.>" }]'))
      .meta(topicRulesJsonSchema),
    {
      group: 'Events',
      default: defaultHubSettings.topics,
      summary: 'rules by topic, in the configuration file: what is kept of which topics',
      reason: 'Topics that no rule matches share one with the defaults below.',
    },
  ),
  maxTopics: numberOption('N', [1, 10_000_000], {
    group: 'Events',
    default: defaultHubSettings.maxTopics,
    summary: 'topics whose last event is kept whatever their retention',
    reason:
      'Their last events are outside of retention, so they need a bound of their own. Beyond it the topic that was quiet for longest is forgotten.',
  }),
  maxStateKeys: numberOption('N', [1, 10_000_000], {
    group: 'Events',
    default: defaultHubSettings.maxStateKeys,
    summary: 'keys of all state topics together; an event with one more is refused',
    reason:
      'Their newest values are owed for ever and are held in memory, so none may be dropped: the number is bounded.',
  }),
  dedupeWindowMs: numberOption('MS', [1_000, 86_400_000], {
    group: 'Events',
    default: defaultHubSettings.dedupeWindowMs,
    summary: 'for how long the same dedupeKey publishes nothing again',
    reason: 'Longer than any publisher goes on trying.',
  }),
  maxDedupeKeys: numberOption('N', [1, 100_000_000], {
    group: 'Events',
    default: defaultHubSettings.maxDedupeKeys,
    summary: 'dedupeKeys that are remembered at once; an event with one more is refused',
    reason: 'Eight thousand events a second, each with a key, for two minutes.',
  }),
  ...limitOptions,
}

export type OptionName = keyof HubSettings

export const optionNames: readonly OptionName[] = Object.keys(hubOptions) as OptionName[]

/** Options of the interface that this version does not build: refused, never ignored. */
export const unbuiltOptions: readonly string[] = [
  'workers',
  'secret',
  'jwks',
  'corsOrigin',
  'tlsCert',
  'tlsKey',
  'ticketTtlMs',
]

function hostSchema(): z.ZodType<string> {
  const isAlone = (host: string): boolean => !/[/:[\]\s]/.test(host) || isIPv6(host)
  return z.string(HOST_FAULT).min(1, HOST_FAULT).refine(isAlone, HOST_ALONE_FAULT)
}

function logSchema(): z.ZodType<HubSettings['log']> {
  const error = ({ input }: { input?: unknown }): string => logFault(input)
  const schema = z.string({ error }).regex(LOG_PATTERN, { error })
  return schema as unknown as z.ZodType<HubSettings['log']>
}

function logFault(input: unknown): string {
  const scheme = typeof input === 'string' ? /^([a-z]+):/.exec(input)?.[1] : undefined
  if (scheme === 'sqlite') return 'sqlite: needs a path, such as sqlite:./millrace.db or sqlite:/var/lib/millrace.db'
  if (scheme !== undefined && ['redis', 'rediss', 'nats'].includes(scheme)) {
    return `${scheme}: is not built yet. Use sqlite:./millrace.db, or memory: (gone when the hub stops)`
  }
  return 'it must be sqlite: and a path, such as sqlite:./millrace.db, or memory:'
}
