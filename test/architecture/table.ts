/** What a package may know of the others and of its surroundings, as data. */
export interface PackageRule {
  /** Workspace packages that its sources may import, always by their public entry. */
  readonly workspace: readonly string[]
  /** Packages of others that its sources may import. */
  readonly external: readonly string[]
  /** Whether its sources may use Node's modules and globals; without, they run wherever the web's standards do. */
  readonly node: boolean
  /** Whether it is a program: only a program reads `process.env` or writes to the console. */
  readonly program: boolean
}

const library = { external: [], node: false, program: false } as const

/**
 * Keyed by the folder under `packages/`; the last part of it is the package's name. A package that is not here fails the
 * test, as does an entry without its package.
 */
export const packageRules: Readonly<Record<string, PackageRule>> = {
  protocol: { ...library, workspace: [] },
  server: { ...library, workspace: ['protocol'] },
  node: { ...library, workspace: ['protocol', 'server'], node: true },
  client: { ...library, workspace: ['protocol'], external: ['react'] },
  testing: { ...library, workspace: ['protocol'], external: ['@playwright/test'], node: true },
  'adapters/fastify': { ...library, workspace: ['node', 'server'], external: ['fastify'], node: true },
  'adapters/hono': { ...library, workspace: ['server'], external: ['hono'] },
  conformance: { ...library, workspace: ['protocol', 'server'], node: true },
  'backends/sqlite': { ...library, workspace: ['protocol', 'server'], node: true },
  hub: {
    workspace: ['client', 'protocol', 'server', 'node', 'sqlite'],
    external: ['fastify', 'pino', 'prom-client', 'uplot', 'vega-datasets', 'zod'],
    node: true,
    program: true,
  },
}

export const scope = '@millrace/'

/** Names of folders that say nothing of what is in them. */
export const emptyNames: readonly string[] = ['utils', 'util', 'shared', 'common', 'helpers', 'helper', 'misc', 'lib']

/** A source file is at most this long … */
export const maxLines = 300

/** … or, when the comment at its top says why it is over 300 lines, this long. */
export const maxExcusedLines = 500
