import { parseArgs } from 'node:util'
import { defaultHubSettings, type HubSettings } from '../hub-settings.ts'
import { nearestName } from '../nearest-name.ts'
import { UsageError } from './usage-error.ts'

/** Options of the interface that this version does not build: refused, never ignored. */
const NOT_BUILT = ['workers', 'secret', 'jwks', 'cors-origin', 'tls-cert', 'tls-key', 'config']
const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  log: { type: 'string' },
  demo: { type: 'boolean' },
  insecure: { type: 'boolean' },
  help: { type: 'boolean' },
} as const
const ENVIRONMENT_PREFIX = 'MILLRACE_'

export interface ServeArguments {
  readonly settings: HubSettings
  readonly help: boolean
}

/**
 * Reads the options of `millrace serve`: flags win over the environment, the environment over the defaults.
 *
 * @throws UsageError
 */
export function readServeArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ServeArguments {
  const flags = readFlags(argv)
  const text = (name: 'port' | 'host' | 'log'): string | undefined => flags[name] ?? fromEnvironment(environment, name)
  const isOn = (name: 'demo' | 'insecure'): boolean => flags[name] ?? readSwitch(environment, name)
  for (const name of NOT_BUILT) {
    if (fromEnvironment(environment, name) !== undefined) throw notBuilt(variableOf(name))
  }
  return {
    help: flags.help === true,
    settings: {
      host: text('host') ?? defaultHubSettings.host,
      port: readPort(text('port')),
      log: readLog(text('log')),
      demo: isOn('demo'),
      insecure: isOn('insecure'),
    },
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

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return environment[variableOf(name)] || undefined
}

function readSwitch(environment: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const value = fromEnvironment(environment, name)
  if (value === undefined || value === '0' || value === 'false') return false
  if (value === '1' || value === 'true') return true
  throw new UsageError(`${variableOf(name)} is ${JSON.stringify(value)}; use 1 or 0.`)
}

function readPort(value: string | undefined): number {
  if (value === undefined) return defaultHubSettings.port
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`--port is ${JSON.stringify(value)}; it must be a number from 0 (a free port) to 65535.`)
}

function readLog(value: string | undefined): HubSettings['log'] {
  if (value === undefined) return defaultHubSettings.log
  if (value === 'memory:') return value
  const [, scheme, rest] = /^([a-z]+):(.*)$/s.exec(value) ?? []
  if (scheme === 'sqlite' && rest) return `sqlite:${rest}`
  if (scheme === 'sqlite') throw new UsageError('--log sqlite: needs a path, such as sqlite:./millrace.db')
  if (scheme && ['redis', 'rediss', 'nats'].includes(scheme)) {
    throw new UsageError(
      `--log ${scheme}: is not built yet. Use sqlite:./millrace.db, or memory: (gone when the hub stops).`,
    )
  }
  throw new UsageError(`--log is ${JSON.stringify(value)}; use memory: or sqlite:./millrace.db`)
}
