// `npm run size`: what the parts for browsers weigh there, minified and gzipped; fails above the budget.
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ensureInstalled, root } from './ensure-install.mjs'

await ensureInstalled()
const { build } = await import('esbuild')

/** @typedef {{ name: string, from: string, imports: string, loaded?: string, maxBytes: number }} Budget */

/** What is loaded by `import()`, in a file of its own. */
const LOADED_LATER = 'open-shared-feed'

/** What a user imports, from where, and the most that it may weigh, React not counted. Bytes. */
const budgets = /** @type {Budget[]} */ ([
  {
    name: 'encoder',
    from: '@millrace/protocol',
    imports: 'encodeEvent, encodeComment, encodeRetry',
    maxBytes: 1024,
  },
  { name: 'parser', from: '@millrace/protocol', imports: 'EventStreamParser', maxBytes: 2048 },
  // The parser is half of it.
  { name: 'EventSource', from: '@millrace/client', imports: 'EventSource', maxBytes: 4218 },
  // The parser is 1,923 of these; what the rest buys is in docs/decisions.md, "The client".
  { name: 'connect', from: '@millrace/client', imports: 'connect', maxBytes: 12_149 },
  {
    name: 'share, loaded by connect when it is asked for',
    from: '@millrace/client',
    imports: 'connect',
    loaded: LOADED_LATER,
    maxBytes: 4468,
  },
  {
    name: 'react hooks, with connect',
    from: '@millrace/client/react',
    imports: 'useStream, useEvent, useLatest',
    maxBytes: 13_601,
  },
])

let over = false
for (const { name, from, imports, loaded, maxBytes } of budgets) {
  const { minified, gzipped } = loaded ? await weighLoaded(from, imports, loaded) : await weigh(from, imports)
  const verdict = gzipped <= maxBytes ? 'ok' : 'OVER BUDGET'
  console.log(`${verdict}  ${name}: ${gzipped} of ${maxBytes} bytes gzipped (${minified} minified)`)
  if (gzipped > maxBytes) over = true
}
process.exitCode = over ? 1 : 0

/**
 * Bundles the imports as a user's bundler does: from the public entry, dropping what is not used.
 *
 * @param {string} from
 * @param {string} imports
 */
async function weigh(from, imports) {
  const {
    outputFiles: [output],
  } = await build({ ...optionsOf(from, imports), external: ['react', `*/${LOADED_LATER}.ts`] })
  if (output === undefined) throw new Error('esbuild wrote no file')
  return { minified: output.contents.length, gzipped: gzip(output.contents) }
}

/**
 * What a file has that is loaded later, without what is there already.
 *
 * @param {string} from
 * @param {string} imports
 * @param {string} name
 */
async function weighLoaded(from, imports, name) {
  const { outputFiles } = await build({
    ...optionsOf(from, imports),
    splitting: true,
    outdir: 'out',
    external: ['react'],
  })
  const output = outputFiles.find(({ path }) => basename(path).startsWith(name))
  if (output === undefined) throw new Error(`esbuild wrote no file of ${name}`)
  return { minified: output.contents.length, gzipped: gzip(output.contents) }
}

/**
 * @param {string} from
 * @param {string} imports
 * @returns {import('esbuild').BuildOptions & { write: false }}
 */
function optionsOf(from, imports) {
  return {
    stdin: { contents: `export { ${imports} } from '${from}'`, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@millrace/source'],
    logLevel: 'warning',
  }
}

/** @param {Uint8Array} bytes */
function gzip(bytes) {
  return gzipSync(bytes, { level: 9 }).length
}
