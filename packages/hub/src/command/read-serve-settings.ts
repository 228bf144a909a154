import { parseArgs } from 'node:util'
import { nearestName } from '@millrace/server'
import { defaultHubSettings, type HubSettings } from '../hub-settings.ts'
import { UsageError } from './usage-error.ts'

/** Options of the interface that this version does not build: refused, never ignored. */
const NOT_BUILT = ['workers', 'secret', 'jwks', 'cors-origin', 'tls-cert', 'tls-key', 'config']
const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  log: { type: 'string' },
  demo: { type: 'boolean' },
  insecure: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const
const ENVIRONMENT_PREFIX = 'MILLRACE_'
/** What Kubernetes sets in every container beside a service named `millrace`; `MILLRACE_PORT` is one of them. */
const SERVICE_LINK = /^MILLRACE_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_(?:TCP|UDP|SCTP))/

export interface ServeArguments {
  readonly settings: HubSettings
  readonly help: boolean
  /** What is most likely a mistake, one sentence each. */
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** The text of an option, and where it is from. */
interface Given {
  readonly value: string
  readonly from: string
}

/**
 * Reads the options of `millrace serve`: flags win over the environment, the environment over the defaults.
 *
 * @throws UsageError
 */
export function readServeArguments(argv: readonly string[], environment: Environment): ServeArguments {
  const flags = readFlags(argv)
  if (flags.help) return { settings: defaultHubSettings, help: true, warnings: [] }
  const text = (name: 'port' | 'host' | 'log'): Given | undefined => {
    const value = flags[name]
    return value === undefined ? fromEnvironment(environment, name) : { value, from: `--${name}` }
  }
  const isOn = (name: 'demo' | 'insecure'): boolean => flags[name] ?? readSwitch(environment, name)
  for (const name of NOT_BUILT) {
    if (fromEnvironment(environment, name)) throw notBuilt(variableOf(name))
  }
  return {
    help: false,
    settings: {
      host: text('host')?.value ?? defaultHubSettings.host,
      port: readPort(text('port')),
      log: readLog(text('log')),
      demo: isOn('demo'),
      insecure: isOn('insecure'),
    },
    warnings: unknownVariables(environment),
  }
}

type Flags = { readonly [K in 'port' | 'host' | 'log']?: string } & {
  readonly [K in 'demo' | 'insecure' | 'help']?: boolean
}

function readFlags(argv: readonly string[]): Flags {
  for (const argument of argv) checkFlag(argument)
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function checkFlag(argument: string): void {
  const name = /^--([^=]+)/.exec(argument)?.[1]
  if (name === undefined || name in OPTIONS) return
  if (NOT_BUILT.includes(name)) throw notBuilt(`--${name}`)
  const near = nearestName(name, Object.keys(OPTIONS))
  throw new UsageError(
    `There is no option --${name}.${near ? ` Did you mean --${near}?` : ''} See millrace serve --help.`,
  )
}

function notBuilt(name: string): UsageError {
  return new UsageError(`${name} is not built yet. Leave it out.`)
}

function variableOf(name: string): string {
  return ENVIRONMENT_PREFIX + name.toUpperCase().replaceAll('-', '_')
}

function fromEnvironment(environment: Environment, name: string): Given | undefined {
  const from = variableOf(name)
  const value = environment[from]
  return value ? { value, from } : undefined
}

/** Only warned of: the environment is not the hub's alone, and others may take their names from it. */
function unknownVariables(environment: Environment): string[] {
  const known = Object.keys(OPTIONS).filter((name) => name !== 'help')
  const variables = [...known, ...NOT_BUILT].map(variableOf)
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith(ENVIRONMENT_PREFIX) && !variables.includes(name) && !SERVICE_LINK.test(name),
  )
  return unknown.map((name) => {
    const option = nearestName(name.slice(ENVIRONMENT_PREFIX.length).replaceAll('_', '-'), known)
    return `${name} is no option and is ignored.${option ? ` Did you mean ${variableOf(option)}?` : ''}`
  })
}

function readSwitch(environment: Environment, name: string): boolean {
  const given = fromEnvironment(environment, name)
  if (!given || given.value === '0' || given.value === 'false') return false
  if (given.value === '1' || given.value === 'true') return true
  throw new UsageError(`${given.from} is ${JSON.stringify(given.value)}; use 1 or 0.`)
}

function readPort(given: Given | undefined): number {
  if (!given) return defaultHubSettings.port
  const { value, from } = given
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (port <= 65_535) return port
  const hint = value.startsWith('tcp://')
    ? ' Kubernetes sets it for a service named "millrace": use --port, or enableServiceLinks: false.'
    : ''
  throw new UsageError(`${from} is ${JSON.stringify(value)}; it must be a number from 0 (a free port) to 65535.${hint}`)
}

function readLog(given: Given | undefined): HubSettings['log'] {
  if (!given) return defaultHubSettings.log
  const { value, from } = given
  if (value === 'memory:') return value
  const [, scheme, rest] = /^([a-z]+):(.*)$/s.exec(value) ?? []
  if (scheme === 'sqlite' && rest) return `sqlite:${rest}`
  if (scheme === 'sqlite') throw new UsageError(`${from} sqlite: needs a path, such as sqlite:./millrace.db`)
  if (scheme && ['redis', 'rediss', 'nats'].includes(scheme)) {
    throw new UsageError(
      `${from} ${scheme}: is not built yet. Use sqlite:./millrace.db, or memory: (gone when the hub stops).`,
    )
  }
  throw new UsageError(`${from} is ${JSON.stringify(value)}; use memory: or sqlite:./millrace.db`)
}
